//! `allowed_signers` as OpenSSH reads it: what `ssh-keygen -Y verify` accepts is accepted here, and nothing else.
//!
//! The rules are those of OpenSSH's `sshsig.c` and `match.c`. Lines of other principals and lines that cannot be read are passed
//! over; any other line may let a key sign.

use std::collections::BTreeSet;

use holdpoint_domain::Millis;
use ssh_key::{Certificate, HashAlg, PublicKey, public::KeyData};
use thiserror::Error;
use time::{Date, Duration, Month, PrimitiveDateTime, Time};

use crate::signing::PRINCIPAL;

const WHITE_SPACE: [char; 4] = [' ', '\t', '\r', '\n'];
const BLANKS: [char; 2] = [' ', '\t'];

/// The public keys that a signature may come from, and the moment for which that is asked.
#[derive(Clone, Debug, Default)]
pub struct AllowedKeys {
    lines: Vec<Allowed>,
    at: Option<Millis>,
}

/// One line of the principal's.
#[derive(Clone, Debug)]
struct Allowed {
    /// Absent for a certificate, which no signature of a plain key is of.
    key: Option<PublicKey>,
    options: Options,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Options {
    is_authority: bool,
    /// A list of patterns; absent: any namespace.
    namespaces: Option<String>,
    /// Seconds since 1970.
    valid_after: Option<i64>,
    valid_before: Option<i64>,
}

/// Why a list of public keys cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum KeysError {
    #[error(
        "There is no public key of `{PRINCIPAL}` in it. Give the lines of /.well-known/holdpoint-signing-keys."
    )]
    Empty,
    #[error("Line {line}: {why}. Write `{PRINCIPAL} ssh-ed25519 AAAA…`, or the public key alone.")]
    Line { line: usize, why: String },
}

/// Why a key is not taken for a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unsuitable {
    NotAmongThem,
    OtherNamespace,
    NotValid { at: Option<Millis> },
}

impl AllowedKeys {
    /// Reads `allowed_signers` lines, or one public key alone; refuses what holds no key that may sign. Times without a zone are taken for UTC.
    pub fn parse(text: &str) -> Result<Self, KeysError> {
        Self::parse_with(text, |local| Some(local.assume_utc().unix_timestamp()))
    }

    /// As [`AllowedKeys::parse`], with somebody who knows when it was so late by the clock here, as OpenSSH reads a time
    /// without a zone.
    pub fn parse_with(
        text: &str,
        local: impl Fn(PrimitiveDateTime) -> Option<i64>,
    ) -> Result<Self, KeysError> {
        if let Some(key) = alone(text) {
            return Ok(Self::of(key.key_data().clone()));
        }
        let mut keys = Self::default();
        let mut broken = None;
        for (n, line) in text.split('\n').enumerate() {
            match allowed(line, &local) {
                Ok(Some(allowed)) => keys.lines.push(allowed),
                Ok(None) => {}
                Err(why) => broken = broken.or(Some(KeysError::Line { line: n + 1, why })),
            }
        }
        let is_usable = |allowed: &Allowed| allowed.key.is_some() && !allowed.options.is_authority;
        if keys.lines.iter().any(is_usable) {
            return Ok(keys);
        }
        Err(broken.unwrap_or(KeysError::Empty))
    }

    pub(crate) fn of(key: KeyData) -> Self {
        Self {
            lines: vec![Allowed {
                key: Some(PublicKey::new(key, "")),
                options: Options::default(),
            }],
            at: None,
        }
    }

    /// The same keys, asked about a moment: keys may be valid from a time on and until one. Without a moment, only keys
    /// without such limits are taken.
    pub fn at(mut self, at: Millis) -> Self {
        self.at = Some(at);
        self
    }

    /// As [`AllowedKeys::at`], unless a moment was given before.
    pub(crate) fn at_least(&self, at: Option<Millis>) -> Self {
        let mut keys = self.clone();
        keys.at = keys.at.or(at);
        keys
    }

    /// The 32 bytes of each key that may sign under this namespace, once: at the moment asked about, or at any if none is.
    pub(crate) fn public_bytes_for(&self, namespace: &str) -> BTreeSet<[u8; 32]> {
        let may_sign = |options: &Options| {
            let is_named = |patterns: &String| matches_list(namespace, patterns);
            !options.is_authority
                && options.namespaces.as_ref().is_none_or(is_named)
                && (self.at.is_none() || options.are_valid(self.at))
        };
        self.lines
            .iter()
            .filter(|allowed| may_sign(&allowed.options))
            .filter_map(|allowed| Some(allowed.key.as_ref()?.key_data().ed25519()?.0))
            .collect()
    }

    /// The keys' fingerprints.
    pub fn fingerprints(&self) -> Vec<String> {
        self.lines
            .iter()
            .filter_map(|allowed| allowed.key.as_ref())
            .map(|key| key.fingerprint(HashAlg::Sha256).to_string())
            .collect()
    }

    /// Whether any line lets the key of this fingerprint sign at this moment.
    pub fn may_sign_at(&self, fingerprint: &str, at: Millis) -> bool {
        self.lines.iter().any(|Allowed { key, options }| {
            let is_of =
                |key: &PublicKey| key.fingerprint(HashAlg::Sha256).to_string() == fingerprint;
            !options.is_authority && options.are_valid(Some(at)) && key.as_ref().is_some_and(is_of)
        })
    }

    /// The key's own line, if it may sign under this namespace at the moment asked about.
    pub(crate) fn find(&self, signer: &KeyData, namespace: &str) -> Result<&PublicKey, Unsuitable> {
        let mut unsuitable = Unsuitable::NotAmongThem;
        for Allowed { key, options } in &self.lines {
            let Some(key) = key
                .as_ref()
                .filter(|key| key.key_data() == signer && !options.is_authority)
            else {
                continue;
            };
            let is_named = |patterns: &String| matches_list(namespace, patterns);
            if !options.namespaces.as_ref().is_none_or(is_named) {
                unsuitable = Unsuitable::OtherNamespace;
            } else if !options.are_valid(self.at) {
                unsuitable = Unsuitable::NotValid { at: self.at };
            } else {
                return Ok(key);
            }
        }
        Err(unsuitable)
    }
}

impl Options {
    fn are_valid(&self, at: Option<Millis>) -> bool {
        let (None, None) = (self.valid_after, self.valid_before) else {
            let Some(at) = at.map(|at| at.div_euclid(1_000)) else {
                return false;
            };
            return self.valid_after.is_none_or(|after| at >= after)
                && self.valid_before.is_none_or(|before| at <= before);
        };
        true
    }
}

/// A public key file has no principal; it is given here often enough to be understood.
fn alone(text: &str) -> Option<PublicKey> {
    let mut lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let key = PublicKey::from_openssh(lines.next()?).ok()?;
    lines.next().is_none().then_some(key)
}

/// One line; none where it is empty, a comment, or of somebody else.
fn allowed(
    line: &str,
    local: &impl Fn(PrimitiveDateTime) -> Option<i64>,
) -> Result<Option<Allowed>, String> {
    let line = line.trim_start_matches(WHITE_SPACE);
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    if line.contains('\0') {
        return Err("it is no text".to_owned());
    }
    let (principals, rest) = first_word(line).ok_or("the key is missing")?;
    if !matches_list(PRINCIPAL, &principals) {
        return Ok(None);
    }
    let (options, rest) = match public_key(rest) {
        Some(_) => ("", rest),
        None => split_options(rest).ok_or("the key is missing, or a quote is not closed")?,
    };
    let options = Options::parse(options, local)?;
    let key = public_key(rest).ok_or("there is no public key that can be read")?;
    Ok(Some(Allowed { key, options }))
}

/// The key at the beginning of a text: none where there is none, none within where it is a certificate.
fn public_key(text: &str) -> Option<Option<PublicKey>> {
    let (kind, rest) = text.split_once(BLANKS)?;
    let rest = rest.trim_start_matches(BLANKS);
    let (blob, comment) = rest.split_once(BLANKS).unwrap_or((rest, ""));
    let key = format!(
        "{kind} {} {}",
        blob.trim_end_matches(WHITE_SPACE),
        comment.trim_matches(WHITE_SPACE)
    );
    let key = key.trim_end();
    if kind.contains("-cert-v") {
        return Certificate::from_openssh(key).ok().map(|_| None);
    }
    PublicKey::from_openssh(key).ok().map(Some)
}

/// What stands before the first white space, of which quotes may protect a part, and what follows.
fn first_word(text: &str) -> Option<(String, &str)> {
    let end = text.find([' ', '\t', '\r', '\n', '"'])?;
    let (word, rest) = if text[end..].starts_with('"') {
        let (quoted, rest) = text[end + 1..].split_once('"')?;
        (format!("{}{quoted}", &text[..end]), rest)
    } else {
        (text[..end].to_owned(), &text[end + 1..])
    };
    Some((word, rest.trim_start_matches(WHITE_SPACE)))
}

/// The options at the beginning of a text, and what follows them.
fn split_options(text: &str) -> Option<(&str, &str)> {
    let mut is_quoted = false;
    let mut is_escaped = false;
    let end = text.char_indices().find(|(at, c)| {
        if is_escaped {
            is_escaped = false;
            return false;
        }
        if *c == '\\' && text[at + 1..].starts_with('"') {
            is_escaped = true;
        } else if *c == '"' {
            is_quoted = !is_quoted;
        }
        !is_quoted && BLANKS.contains(c)
    });
    let (at, _) = end?;
    Some((&text[..at], text[at..].trim_start_matches(BLANKS)))
}

impl Options {
    fn parse(
        mut text: &str,
        local: &impl Fn(PrimitiveDateTime) -> Option<i64>,
    ) -> Result<Self, String> {
        let mut options = Self::default();
        while !text.is_empty() {
            if let Some(rest) = after_word(text, "cert-authority") {
                options.is_authority = true;
                text = rest;
            } else if let Some(rest) = after_word(text, "namespaces=") {
                let (value, rest) = quoted(rest)?;
                once("namespaces", &mut options.namespaces, value)?;
                text = rest;
            } else if let Some(rest) = after_word(text, "valid-after=") {
                let (value, rest) = quoted(rest)?;
                let value = absolute_time(&value, local)
                    .ok_or("the time after `valid-after` cannot be read")?;
                once("valid-after", &mut options.valid_after, value)?;
                text = rest;
            } else if let Some(rest) = after_word(text, "valid-before=") {
                let (value, rest) = quoted(rest)?;
                let value = absolute_time(&value, local)
                    .ok_or("the time after `valid-before` cannot be read")?;
                once("valid-before", &mut options.valid_before, value)?;
                text = rest;
            }
            if text.is_empty() {
                break;
            }
            text = text
                .strip_prefix(',')
                .ok_or("it has an option that is not known")?;
            if text.is_empty() {
                return Err("the options end with a comma".to_owned());
            }
        }
        Ok(options)
    }
}

fn once<T>(name: &str, place: &mut Option<T>, value: T) -> Result<(), String> {
    if place.replace(value).is_some() {
        return Err(format!("the option `{name}` is given twice"));
    }
    Ok(())
}

fn after_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let head = text.get(..word.len())?;
    head.eq_ignore_ascii_case(word).then(|| &text[word.len()..])
}

/// A text in quotes, within which a backslash protects a quote, and what follows it.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let text = text
        .strip_prefix('"')
        .ok_or("the value of an option begins without a quote")?;
    let mut value = String::new();
    let mut rest = text;
    loop {
        let at = rest.find('"').ok_or("a quote is not closed")?;
        if let Some(before) = rest[..at].strip_suffix('\\') {
            value.push_str(before);
            value.push('"');
            rest = &rest[at + 1..];
        } else {
            value.push_str(&rest[..at]);
            return Ok((value, &rest[at + 1..]));
        }
    }
}

/// Reads `YYYYMMDD[HHMM[SS]]`, of UTC with a `Z` or `UTC` behind it and of the clock here without: seconds since 1970.
pub fn absolute_time(text: &str, local: &impl Fn(PrimitiveDateTime) -> Option<i64>) -> Option<i64> {
    let ends = |end: &str| {
        let at = text.len().checked_sub(end.len())?;
        let is_so = at > 0 && text.get(at..)?.eq_ignore_ascii_case(end);
        is_so.then(|| &text[..at])
    };
    let utc = ends("Z").or_else(|| ends("UTC"));
    let digits = utc.unwrap_or(text);
    if !matches!(digits.len(), 8 | 12 | 14) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, until: usize| -> Option<u8> {
        digits
            .get(from..until)
            .map_or(Some(0), |two| two.parse().ok())
    };
    let within = |value: u8, first: u8, last: u8| (first..=last).contains(&value).then_some(value);
    let year: i32 = digits[..4].parse().ok()?;
    let month = Month::try_from(number(4, 6)?).ok()?;
    // As the C library has it, the 31st of a shorter month is a day of the next, and a 60th second one of the next minute.
    let day = within(number(6, 8)?, 1, 31)?;
    let (hour, minute) = (
        within(number(8, 10)?, 0, 23)?,
        within(number(10, 12)?, 0, 59)?,
    );
    let second = within(number(12, 14)?, 0, 61)?;
    let first = PrimitiveDateTime::new(
        Date::from_calendar_date(year, month, 1).ok()?,
        Time::from_hms(hour, minute, 0).ok()?,
    );
    let time = first
        .checked_add(Duration::days(i64::from(day) - 1))?
        .checked_add(Duration::seconds(second.into()))?;
    let seconds = match utc {
        Some(_) => time.assume_utc().unix_timestamp(),
        None => local(time)?,
    };
    (seconds > 0).then_some(seconds)
}

/// A pattern within a list is not longer.
const MAX_PATTERN_BYTES: usize = 1_022;

/// Whether a text matches a list of patterns, of which those with `!` before them exclude.
fn matches_list(text: &str, patterns: &str) -> bool {
    let mut is_matched = false;
    for pattern in patterns.split(',') {
        let (is_negated, pattern) = match pattern.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, pattern),
        };
        if pattern.len() > MAX_PATTERN_BYTES {
            return false;
        }
        if matches(text.as_bytes(), pattern.as_bytes()) {
            if is_negated {
                return false;
            }
            is_matched = true;
        }
    }
    is_matched
}

/// Whether a text matches a pattern with `*` for anything and `?` for one character.
fn matches(text: &[u8], pattern: &[u8]) -> bool {
    let (mut at, mut of) = (0, 0);
    // Where the last `*` stands, and where what follows it was tried last.
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(of) {
            Some(b'*') => {
                star = Some((of, at));
                of += 1;
            }
            Some(one) if *one == b'?' || *one == text[at] => {
                at += 1;
                of += 1;
            }
            _ => {
                let Some((star_at, tried)) = star else {
                    return false;
                };
                star = Some((star_at, tried + 1));
                at = tried + 1;
                of = star_at + 1;
            }
        }
    }
    pattern[of..].iter().all(|one| *one == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_openssh_has_them() {
        for (patterns, matched) in [
            ("holdpoint", true),
            ("hold*", true),
            ("h?ldpoint", true),
            ("*,!holdpoint", false),
            ("!holdpoint,*", false),
            ("!other,*", true),
            ("!other", false),
            ("*p*t", true),
            ("*p*x", false),
            ("", false),
            ("a,,holdpoint", true),
            ("HOLDPOINT", false),
        ] {
            assert_eq!(matches_list("holdpoint", patterns), matched, "{patterns}");
        }
    }

    #[test]
    fn times_are_read_as_openssh_has_them() {
        let west = |local: PrimitiveDateTime| Some(local.assume_utc().unix_timestamp() + 3_600);
        for (text, seconds) in [
            ("19700102", Some(86_400 + 3_600)),
            ("19700102Z", Some(86_400)),
            ("197001020001utc", Some(86_460)),
            ("19700102000102Z", Some(86_462)),
            ("20260231Z", Some(1_772_496_000)),
            ("19700101Z", None),
            ("2026", None),
            ("20261301Z", None),
            ("20260132Z", None),
            ("202601012460Z", None),
            ("2026-01-01", None),
            ("Z", None),
            ("", None),
            ("2026010é", None),
        ] {
            assert_eq!(absolute_time(text, &west), seconds, "{text}");
        }
    }
}
