//! Texts that people give, checked once: names, reasons, addresses.

use thiserror::Error;

/// Why a text was refused; the message is for the field it stood in.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TextError {
    #[error("Write something here: it must not be empty.")]
    Empty,
    #[error("This has {chars} characters; at most {most} fit. Shorten it.")]
    TooLong { chars: usize, most: usize },
    #[error("This contains a control character. Type it again as plain text.")]
    ControlCharacter,
    #[error(
        "This contains the invisible character U+{code:04X}, which can make a text look like another one. Type it again \
         without it."
    )]
    Invisible { code: u32 },
    #[error("{0}")]
    Malformed(&'static str),
}

fn line(text: &str, most: usize) -> Result<String, TextError> {
    let text = text.trim();
    let chars = text.chars().count();
    if chars == 0 {
        return Err(TextError::Empty);
    }
    if chars > most {
        return Err(TextError::TooLong { chars, most });
    }
    if text.chars().any(char::is_control) {
        return Err(TextError::ControlCharacter);
    }
    if let Some(hidden) = text.chars().find(|c| is_invisible(*c)) {
        return Err(TextError::Invisible {
            code: u32::from(hidden),
        });
    }
    Ok(text.to_owned())
}

/// Whether a character takes no place of its own, or turns the writing direction of what follows: with it two names look
/// the same and are not, or a title reads otherwise than it is stored. Marks that choose between two pictures of the
/// character before (variation selectors) are none of these.
pub const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e00ff}'
            | '\u{e01f0}'..='\u{e0fff}'
    )
}

/// The first 200 characters of a text from elsewhere (a file's name, a patch's subject) of which a name or title is made,
/// without what [`Name`] refuses.
pub fn shown_line(text: &str) -> String {
    let shown = text
        .chars()
        .filter(|c| !c.is_control() && !is_invisible(*c));
    shown.take(200).collect::<String>().trim().to_owned()
}

/// A name without what does not tell two apart for people: compatible forms of characters, look-alikes of other scripts,
/// accents written apart, white space, and what cannot be seen.
fn skeleton(name: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    let seen = name.chars().filter(|c| {
        !is_invisible(*c) && !matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
    });
    let plain: String = seen.nfkc().collect();
    let words: Vec<_> = plain.split_whitespace().collect();
    unicode_security::skeleton(&words.join(" ")).collect()
}

/// What names have in common that look alike whatever their case.
pub fn look_of_name(name: &str) -> String {
    skeleton(&name.to_lowercase()).to_lowercase()
}

/// Whether people would take two names for one: as they stand, or written in small letters. Both are asked, since a capital
/// I looks like a small L, and its small letter does not.
pub fn look_alike(one: &str, other: &str) -> bool {
    look_of_name(one) == look_of_name(other) || skeleton(one) == skeleton(other)
}

/// Whether a part of an address mixes letters of several scripts, which only look-alikes do. Parts are what people read apart.
pub fn mixes_scripts(address: &str) -> bool {
    use unicode_security::MixedScript as _;
    let mut parts = address.split(['@', '.', '-', '_', '+']);
    parts.any(|part| !part.is_single_script())
}

fn prose(text: &str, most: usize) -> Result<String, TextError> {
    let text = text.trim();
    let chars = text.chars().count();
    if chars == 0 {
        return Err(TextError::Empty);
    }
    if chars > most {
        return Err(TextError::TooLong { chars, most });
    }
    if text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    {
        return Err(TextError::ControlCharacter);
    }
    Ok(text.replace("\r\n", "\n"))
}

macro_rules! texts {
    ($($(#[$meta:meta])* $name:ident: $check:ident($most:literal),)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn parse(text: &str) -> Result<Self, TextError> {
                $check(text, $most).map(Self)
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }
    )+};
}

texts! {
    /// A name or title on one line: trimmed, not empty, at most 200 characters, no control characters, nothing that cannot
    /// be seen. The one rule for all that people, services, reviews, items, evidence and the like are called.
    Name: line(200),
    /// A reason given by a person: trimmed, not empty, at most 4,000 characters.
    Reason: prose(4_000),
    /// Markdown written by a person: trimmed, not empty, at most 100,000 characters.
    Prose: prose(100_000),
}

/// A short name in URLs: lower-case letters, digits and single hyphens, at most 60 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Slug(String);

impl Slug {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let text = line(text, 60)?;
        let fits = text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-')
            && !text.contains("--");
        if fits {
            Ok(Self(text))
        } else {
            Err(TextError::Malformed(
                "Use lower-case letters, digits and single hyphens, as in `market-maker`.",
            ))
        }
    }

    /// The slug that a name suggests; `None` when nothing of the name fits.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut slug = String::new();
        for c in name.chars() {
            if c.is_ascii_alphanumeric() {
                slug.push(c.to_ascii_lowercase());
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
        slug.truncate(60);
        Self::parse(slug.trim_end_matches('-')).ok()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An e-mail address as a name to sign in with, in lower case. Only its shape is checked: something, `@`, something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let text = line(text, 254)?.to_lowercase();
        let malformed = TextError::Malformed("Write an e-mail address, as in `ana@example.org`.");
        let (local, host) = text.rsplit_once('@').ok_or(malformed.clone())?;
        let fits = !local.is_empty()
            && !host.is_empty()
            && !text.contains(char::is_whitespace)
            && !text.contains(['<', '>', '"', ',']);
        if fits { Ok(Self(text)) } else { Err(malformed) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A web address that is safe to link to: `http` or `https`, with a host, at most 2,000 characters.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct WebAddress(String);

impl WebAddress {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let text = line(text, 2_000)?;
        let malformed =
            TextError::Malformed("Write an address that begins with https:// or http://.");
        let lower = text.to_ascii_lowercase();
        let rest = lower
            .strip_prefix("https://")
            .or_else(|| lower.strip_prefix("http://"))
            .ok_or(malformed.clone())?;
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let fits = !host.is_empty()
            && !text.contains(char::is_whitespace)
            && !text.contains(['<', '>', '"', '`', '\\']);
        if fits { Ok(Self(text)) } else { Err(malformed) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A git commit id as people write it: 7 to 64 hexadecimal digits, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Commit(String);

impl Commit {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let text = line(text, 64)?.to_ascii_lowercase();
        if text.len() >= 7 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Self(text))
        } else {
            Err(TextError::Malformed(
                "Write a commit id: 7 to 64 hexadecimal digits, as `git rev-parse HEAD` prints it.",
            ))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether two spellings mean the same commit: one is the beginning of the other.
    pub fn same(one: &str, other: &str) -> bool {
        one.starts_with(other) || other.starts_with(one)
    }
}

/// The commit that a scan is of, and what speaks against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScanCommit {
    /// What was asked for and what the file names are the same, as far as both say it.
    Agreed(Option<Commit>),
    /// The file names another commit than the one it is said to be of.
    Contradicted(Commit),
    /// What the file names cannot be compared, or is more than one commit: a reason why the scan shows nothing.
    Unclear(Option<Commit>, String),
}

impl ScanCommit {
    /// Settles what a scan is of: `said` by whoever imports it, `named` in its file, in the file's spelling.
    pub fn of(said: Option<&Commit>, named: &[String]) -> Self {
        let known: Vec<_> = named
            .iter()
            .filter_map(|text| Commit::parse(text).ok())
            .collect();
        let of = said.or(known.first());
        if let Some(said) = said
            && let Some(other) = known
                .iter()
                .find(|one| !Commit::same(one.as_str(), said.as_str()))
        {
            return Self::Contradicted(other.clone());
        }
        let is_another =
            |one: &&Commit| of.is_some_and(|of| !Commit::same(one.as_str(), of.as_str()));
        if let Some(other) = known.iter().find(is_another) {
            let first = of.map_or("", Commit::as_str);
            return Self::Unclear(
                of.cloned(),
                format!(
                    "its file is of several commits, {first} and {other}",
                    other = other.as_str()
                ),
            );
        }
        match named.iter().find(|text| Commit::parse(text).is_err()) {
            Some(strange) if said.is_some() => Self::Unclear(
                of.cloned(),
                format!(
                    "its file names the revision {strange:?}, which cannot be compared with the commit it is said to be of"
                ),
            ),
            _ => Self::Agreed(of.cloned()),
        }
    }
}

/// A calendar date in UTC, spelled `YYYY-MM-DD` as browsers' date fields send it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Date(String);

impl Date {
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let malformed = TextError::Malformed("Write a date as YYYY-MM-DD, for example 2026-01-30.");
        let text = line(text, 10)?;
        let mut parts = text.splitn(3, '-');
        let mut number = |digits: usize| -> Option<u32> {
            let part = parts.next()?;
            (part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()))
                .then(|| part.parse().ok())?
        };
        let (year, month, day) = (
            number(4).ok_or(malformed.clone())?,
            number(2).ok_or(malformed.clone())?,
            number(2).ok_or(malformed.clone())?,
        );
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => 0,
        };
        if year >= 1970 && (1..=days).contains(&day) {
            Ok(Self(text))
        } else {
            Err(malformed)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last millisecond of this day in UTC: what is due on a date is late only when the day is over.
    pub fn end(&self) -> crate::Millis {
        let number = |range: std::ops::Range<usize>| -> i64 {
            self.0[range]
                .parse()
                .expect("parse let only digits through")
        };
        (days_from_civil(number(0..4), number(5..7), number(8..10)) + 1) * 86_400_000 - 1
    }

    /// The date of a moment in UTC.
    pub fn of(millis: crate::Millis) -> Self {
        let (year, month, day) = civil_from_days(millis.div_euclid(86_400_000));
        Self(format!("{year:04}-{month:02}-{day:02}"))
    }
}

/// Days since 1970-01-01 of a proleptic Gregorian date (the usual era-of-400-years arithmetic).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_texts_are_refused_and_good_ones_kept() {
        assert_eq!(Reason::parse("  \n "), Err(TextError::Empty));
        assert_eq!(
            Reason::parse(&"x".repeat(4_001)),
            Err(TextError::TooLong {
                chars: 4_001,
                most: 4_000
            })
        );
        assert_eq!(Name::parse("a\u{7}b"), Err(TextError::ControlCharacter));
        assert!(Name::parse(" Überwachung ").is_ok_and(|name| name.as_str() == "Überwachung"));
        for slug in ["", "A", "-a", "a-", "a--b", "a/b", "ä"] {
            assert!(Slug::parse(slug).is_err(), "{slug}");
        }
        assert_eq!(
            Slug::from_name("OpenSQT Market Maker!")
                .expect("fits")
                .as_str(),
            "opensqt-market-maker"
        );
        for address in [
            "javascript:alert(1)",
            "https://",
            "http:///x",
            "//host",
            "https://a b",
            "data:text/html,x",
        ] {
            assert!(WebAddress::parse(address).is_err(), "{address}");
        }
        for email in ["a", "@b", "a@", "a b@c", "<a@b>"] {
            assert!(Email::parse(email).is_err(), "{email}");
        }
        for commit in ["", "abc", "zzzzzzz", "main"] {
            assert!(Commit::parse(commit).is_err(), "{commit}");
        }
    }

    #[test]
    fn a_name_has_nothing_that_cannot_be_seen() {
        for hidden in [
            '\u{ad}',
            '\u{61c}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{200f}',
            '\u{2028}',
            '\u{202a}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{3164}',
            '\u{feff}',
            '\u{e0041}',
        ] {
            let refused = Err(TextError::Invisible {
                code: u32::from(hidden),
            });
            assert_eq!(Name::parse(&format!("Ana{hidden}Novak")), refused);
            // At the end too, where trimming must not hide what is no white space.
            if !hidden.is_whitespace() {
                assert_eq!(Name::parse(&format!("Ana{hidden}")), refused);
            }
            assert_eq!(
                Email::parse(&format!("a{hidden}na@example.org")).err(),
                refused.err()
            );
        }
        for good in ["Zoë 山田 Ünal", "⚠\u{fe0f} Alarms", "नेपाल", "O’Brien – ops"]
        {
            assert!(Name::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn only_an_address_of_one_script_a_part_is_taken() {
        for good in [
            "mira@example.org",
            "мира@example.org",
            "zoë.ünal+2@example.org",
            "山田たろう@例え.jp",
        ] {
            assert!(!mixes_scripts(good), "{good}");
        }
        for bad in ["mіra@example.org", "mira@exаmple.org", "ana.nоvak@x.org"] {
            assert!(mixes_scripts(bad), "{bad}");
        }
    }

    #[test]
    fn names_that_people_would_take_for_one_look_alike() {
        for (one, other) in [
            ("Rex Reviewer", "rex  reviewer"),
            ("Rex Reviewer", "Rех Rеviеwеr"),
            ("Rex Reviewer", "Ｒｅｘ Ｒｅｖｉｅｗｅｒ"),
            ("Rex Reviewer", "Rex\u{a0}Reviewer"),
            ("Rex Reviewer", "Rex Reviewer\u{200b}"),
            ("Zoë", "Zoe\u{308}"),
            ("PAUL", "РАUL"),
            ("Bill", "BiIl"),
        ] {
            assert!(look_alike(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("Ana", "Anna"),
            ("Zoë", "Zoe"),
            ("Ana Novak", "Novak Ana"),
            ("Ian", "Lan"),
        ] {
            assert!(!look_alike(one, other), "{one} {other}");
        }
    }

    #[test]
    fn what_a_file_says_of_its_commit_is_never_overruled() {
        let commit = |text: &str| Commit::parse(text).expect("a commit");
        let agreed = |text: Option<&str>| ScanCommit::Agreed(text.map(commit));
        for (said, named, expected) in [
            (None, &[][..], agreed(None)),
            (Some("aaaaaaa"), &[], agreed(Some("aaaaaaa"))),
            (None, &["bbbbbbb"], agreed(Some("bbbbbbb"))),
            (None, &["trunk"], agreed(None)),
            (Some("aaaaaaa"), &["aaaaaaa0123"], agreed(Some("aaaaaaa"))),
            (
                Some("aaaaaaa0123"),
                &["AAAAAAA"],
                agreed(Some("aaaaaaa0123")),
            ),
            (
                Some("aaaaaaa"),
                &["bbbbbbb"],
                ScanCommit::Contradicted(commit("bbbbbbb")),
            ),
            (
                Some("aaaaaaa"),
                &["aaaaaaa", "bbbbbbb"],
                ScanCommit::Contradicted(commit("bbbbbbb")),
            ),
        ] {
            let named: Vec<_> = named.iter().map(ToString::to_string).collect();
            assert_eq!(
                ScanCommit::of(said.map(commit).as_ref(), &named),
                expected,
                "{said:?} {named:?}"
            );
        }
        for (said, named, why) in [
            (
                None,
                &["aaaaaaa", "bbbbbbb"][..],
                "several commits, aaaaaaa and bbbbbbb",
            ),
            (Some("aaaaaaa"), &["trunk"], "\"trunk\""),
        ] {
            let named: Vec<_> = named.iter().map(ToString::to_string).collect();
            let ScanCommit::Unclear(_, said) = ScanCommit::of(said.map(commit).as_ref(), &named)
            else {
                panic!("{named:?}");
            };
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn dates_are_real_days_and_end_when_the_day_does() {
        for date in [
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "26-01-01",
            "2026-1-1",
            "2026-01-32",
            "x",
        ] {
            assert!(Date::parse(date).is_err(), "{date}");
        }
        let date = Date::parse("2024-02-29").expect("a leap day");
        assert_eq!(date.end(), 1_709_251_199_999);
        assert_eq!(Date::of(date.end()), date);
        assert_eq!(Date::of(date.end() + 1).as_str(), "2024-03-01");
    }
}
