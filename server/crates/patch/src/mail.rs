//! Mails around diffs: split a mailbox, read a mail's head, decode and encode its body.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD};
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};

use encoding_rs::Encoding;

use crate::{CommitHead, Refusal};

/// The longest head of a mail. A longer one is no mail that git wrote.
const MAX_HEADER_BYTES: usize = 64 * 1024;

/// One part of the input: a mail, or text without a mail's head.
pub(crate) struct Section<'a> {
    /// How many lines of the input come before [`Self::text`].
    pub(crate) lines_before: u32,
    pub(crate) mail: Option<Mail<'a>>,
    /// The body, decoded if the mail says it is encoded.
    pub(crate) text: Cow<'a, [u8]>,
    /// Why git may read another text here than [`Self::text`].
    pub(crate) refused: Option<Refusal>,
}

/// The head of a mail.
pub(crate) struct Mail<'a> {
    /// The line `From <id> <date>`, where there is one.
    pub(crate) separator: Option<&'a [u8]>,
    /// All header lines, ending with a line feed.
    pub(crate) headers: &'a [u8],
}

/// Takes off a byte order mark, and the carriage returns of a patch that went through a Windows editor or a form.
///
/// Git ends its own lines with a line feed whatever the files hold. So if every line ends with a carriage return, those
/// came later; if only some do, they are the files' content and stay.
pub(crate) fn normalise(raw: &[u8]) -> Cow<'_, [u8]> {
    let raw = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
    if !raw.contains(&b'\r') {
        return Cow::Borrowed(raw);
    }
    let every_line = lines(raw).all(|line| line.ends_with(b"\r\n") || !line.ends_with(b"\n"));
    if !every_line {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    for line in lines(raw) {
        match line.strip_suffix(b"\r\n") {
            Some(text) => {
                out.extend_from_slice(text);
                out.push(b'\n');
            }
            None => out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line)),
        }
    }
    Cow::Owned(out)
}

/// The lines of a text, each with its line feed.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n')
}

/// Splits a mailbox. A text without any mail is one section. More careful than `git mailsplit`, which breaks a commit
/// message at any line like a separator: here a header must follow.
pub(crate) fn sections(text: &[u8]) -> Vec<Section<'_>> {
    let mut starts = vec![(0_usize, 0_u32)];
    let (mut at, mut line_no) = (0_usize, 0_u32);
    for line in lines(text) {
        if at > 0
            && is_separator(line)
            && lines(&text[at + line.len()..])
                .next()
                .is_some_and(|next| header_name_length(next).is_some())
        {
            starts.push((at, line_no));
        }
        at += line.len();
        line_no = line_no.saturating_add(1);
    }
    let mut out = Vec::with_capacity(starts.len());
    for (index, (start, lines_before)) in starts.iter().enumerate() {
        let end = starts.get(index + 1).map_or(text.len(), |next| next.0);
        out.push(section(&text[*start..end], *lines_before));
    }
    out
}

/// Whether `git mailsplit` would start a new mail here: `From `, then a time, then a year.
pub(crate) fn is_separator(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"From ") else {
        return false;
    };
    let Ok(rest) = str::from_utf8(rest) else {
        return false;
    };
    let mut words = rest.split_ascii_whitespace().skip(1).skip_while(|word| {
        let mut parts = word.split(':');
        let two_digits = |part: Option<&str>| {
            part.is_some_and(|part| {
                (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
            })
        };
        !(two_digits(parts.next()) && two_digits(parts.next()))
    });
    words.next().is_some()
        && words
            .next()
            .and_then(|year| year.parse::<u32>().ok())
            .is_some_and(|year| year > 90)
}

/// How long the name is, if the line starts a header.
fn header_name_length(line: &[u8]) -> Option<usize> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let is_name = colon > 0
        && line[..colon]
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    is_name.then_some(colon)
}

fn section(text: &[u8], lines_before: u32) -> Section<'_> {
    let plain = Section {
        lines_before,
        mail: None,
        text: Cow::Borrowed(text),
        refused: names_an_encoding(text).then(|| {
            refusal("the head that names its encoding is not one that is read as a mail's")
        }),
    };
    let first_line = lines(text).next().unwrap_or_default();
    let separator = is_separator(first_line).then_some(first_line);
    let after_separator = &text[separator.map_or(0, <[u8]>::len)..];
    let mut length = 0;
    let mut n_lines = u32::from(separator.is_some());
    let mut seen_from = false;
    let mut seen_other = false;
    let mut closed = false;
    for line in lines(after_separator) {
        if line == b"\n" || line == b"\r\n" {
            closed = true;
            break;
        }
        let continuation = line.starts_with(b" ") || line.starts_with(b"\t");
        match header_name_length(line) {
            _ if continuation && length > 0 => {}
            Some(colon) => {
                seen_from |= line[..colon].eq_ignore_ascii_case(b"from");
                seen_other |= line[..colon].eq_ignore_ascii_case(b"subject")
                    || line[..colon].eq_ignore_ascii_case(b"date");
            }
            _ => return plain,
        }
        length += line.len();
        if length > MAX_HEADER_BYTES {
            return plain;
        }
        n_lines = n_lines.saturating_add(1);
    }
    if !(closed && seen_from && seen_other) {
        return plain;
    }
    let headers = &after_separator[..length];
    let body = &after_separator[length..];
    let blank = lines(body).next().map_or(0, <[u8]>::len);
    let body = &body[blank..];
    let (text, refused) = match decoded(headers, body) {
        Ok(text) => (text, None),
        Err(refusal) => (Cow::Borrowed(body), Some(refusal)),
    };
    Section {
        lines_before: lines_before.saturating_add(n_lines).saturating_add(1),
        mail: Some(Mail { separator, headers }),
        text,
        refused,
    }
}

fn refusal(why: &str) -> Refusal {
    Refusal::Mail {
        why: why.to_owned(),
    }
}

/// The body as `git mailinfo` reads it. Where git is lenient, and what one program reads may not be what another does,
/// the mail is refused: what is shown and approved is what `git am` applies.
fn decoded<'a>(headers: &[u8], body: &'a [u8]) -> Result<Cow<'a, [u8]>, Refusal> {
    let content_type = only_value(headers, "Content-Type")?;
    // Git looks for a boundary whatever the type is, and joins lines of flowed text.
    if ["multipart/", "boundary", "flowed", "delsp"]
        .iter()
        .any(|part| content_type.contains(part))
    {
        return Err(refusal(
            "its text is in several parts (as of `git format-patch --attach`) or flowed",
        ));
    }
    let text = match &*only_value(headers, "Content-Transfer-Encoding")? {
        "" | "7bit" | "8bit" | "binary" => return Ok(Cow::Borrowed(body)),
        "quoted-printable" => strict_quoted_printable(body).ok_or_else(|| {
            refusal("its body is not the quoted-printable text that its head announces")
        })?,
        "base64" => strict_base64(body).ok_or_else(|| {
            refusal("its body is not the base64 text that its head announces, and that alone")
        })?,
        _ => {
            return Err(refusal(
                "its Content-Transfer-Encoding is none that is known",
            ));
        }
    };
    if text.contains(&0) {
        return Err(Refusal::NotText);
    }
    Ok(Cow::Owned(text))
}

/// The value of a header that may stand once, in lower case.
fn only_value(headers: &[u8], name: &str) -> Result<String, Refusal> {
    let n = lines(headers).filter(|line| is_header(line, name)).count();
    if n > 1 {
        return Err(refusal(&format!("its head names {name} more than once")));
    }
    let value = unfolded(headers, name);
    // Encoded words have no place here, and programs differ in whether they decode them.
    if value.windows(2).any(|pair| pair == b"=?") {
        return Err(refusal(&format!("its {name} is written in encoded words")));
    }
    Ok(String::from_utf8_lossy(&value).trim().to_ascii_lowercase())
}

fn is_header(line: &[u8], name: &str) -> bool {
    header_name_length(line)
        .is_some_and(|colon| line[..colon].eq_ignore_ascii_case(name.as_bytes()))
}

/// Whether a text that is not read as a mail has a line by which git may decode it.
fn names_an_encoding(text: &[u8]) -> bool {
    lines(text).any(|line| {
        const NAME: &[u8] = b"content-transfer-encoding:";
        line.get(..NAME.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(NAME))
    })
}

/// Decodes lines that are whole groups each, as git does it line by line, with padding at the end only.
fn strict_base64(body: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len() / 4 * 3);
    let mut ended = false;
    for line in lines(body) {
        let line = line.trim_ascii_end();
        if line.is_empty() {
            continue;
        }
        if ended {
            return None;
        }
        out.extend(STANDARD.decode(line).ok()?);
        ended = line.ends_with(b"=");
    }
    Some(out)
}

/// Decodes where every `=` is followed by two hexadecimal digits or the line's end.
fn strict_quoted_printable(body: &[u8]) -> Option<Vec<u8>> {
    let mut rest = body;
    while let Some(at) = rest.iter().position(|byte| *byte == b'=') {
        rest = &rest[at + 1..];
        let is_escape = rest
            .get(..2)
            .is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit));
        if !(is_escape || rest.starts_with(b"\n") || rest.starts_with(b"\r\n")) {
            return None;
        }
    }
    Some(quoted_printable_decode(body))
}

/// The value of the first header of this name: its lines joined, encoded words decoded; empty where there is none.
fn header(headers: &[u8], name: &str) -> String {
    decode_words(&String::from_utf8_lossy(&unfolded(headers, name)))
}

/// The value of the first header of this name, its lines joined; empty where there is none.
fn unfolded(headers: &[u8], name: &str) -> Vec<u8> {
    let mut value: Option<Vec<u8>> = None;
    for line in lines(headers) {
        let continued = line.starts_with(b" ") || line.starts_with(b"\t");
        match &mut value {
            Some(value) if continued => {
                value.push(b' ');
                value.extend_from_slice(line.trim_ascii());
            }
            Some(_) => break,
            None if !continued => {
                let colon = header_name_length(line)
                    .filter(|colon| line[..*colon].eq_ignore_ascii_case(name.as_bytes()));
                value = colon.map(|colon| line[colon + 1..].trim_ascii().to_vec());
            }
            None => {}
        }
    }
    value.unwrap_or_default()
}

/// Decodes `=?charset?q?…?=` and `=?charset?b?…?=`; white space between two such words is not part of the text. What is
/// not well formed stays as it is.
fn decode_words(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    let mut after_word = false;
    while let Some(at) = rest.find("=?") {
        let (before, word) = rest.split_at(at);
        let Some((text, tail)) = encoded_word(&word[2..]) else {
            out.push_str(before);
            out.push_str("=?");
            (rest, after_word) = (&word[2..], false);
            continue;
        };
        if !(after_word && before.trim().is_empty()) {
            out.push_str(before);
        }
        out.push_str(&text);
        (rest, after_word) = (tail, true);
    }
    out.push_str(rest);
    out
}

/// Reads a word after its `=?`; gives its text and what follows.
fn encoded_word(word: &str) -> Option<(String, &str)> {
    let (charset, rest) = word.split_at(word.bytes().take(64).position(|byte| byte == b'?')?);
    let (kind, rest) = (*rest.as_bytes().get(1)?, rest.get(2..)?.strip_prefix('?')?);
    let end = rest.bytes().take(2_000).position(|byte| byte == b'?')?;
    let (encoded, tail) = (&rest[..end], rest[end..].strip_prefix("?=")?);
    let bytes = match kind {
        b'q' | b'Q' => quoted_printable_decode(encoded.replace('_', " ").as_bytes()),
        b'b' | b'B' => base64_decode(encoded.as_bytes())?,
        _ => return None,
    };
    // A language may follow the charset (RFC 2231).
    let label = charset.split('*').next().unwrap_or_default();
    let (text, _) = Encoding::for_label(label.as_bytes())?.decode_without_bom_handling(&bytes);
    Some((text.into_owned(), tail))
}

impl Mail<'_> {
    /// The commit that this mail speaks of; `message` is the body before the diff.
    pub(crate) fn commit(&self, message: &[u8]) -> CommitHead {
        let value = |name: &str| header(self.headers, name);
        let (author_name, author_email) = author(&value("From"));
        CommitHead {
            from: self.separator.and_then(commit_id),
            subject: without_brackets(&one_line(&value("Subject"))),
            author_name,
            author_email,
            date: value("Date").trim().to_owned(),
            body: message_body(message),
        }
    }
}

fn commit_id(separator: &[u8]) -> Option<String> {
    let word = str::from_utf8(separator)
        .ok()?
        .split_ascii_whitespace()
        .nth(1)?;
    (matches!(word.len(), 40 | 64)
        && word.bytes().all(|byte| byte.is_ascii_hexdigit())
        && word.bytes().any(|byte| byte != b'0'))
    .then(|| word.to_owned())
}

fn author(value: &str) -> (String, String) {
    let value = one_line(value);
    if let Some((name, rest)) = value.rsplit_once('<') {
        let email = rest.split('>').next().unwrap_or_default().trim();
        let name = name.trim();
        let name = match name
            .strip_prefix('"')
            .and_then(|name| name.strip_suffix('"'))
        {
            Some(quoted) => quoted.replace("\\\"", "\"").replace("\\\\", "\\"),
            None => name.to_owned(),
        };
        return (name, email.to_owned());
    }
    (String::new(), value)
}

pub(crate) fn one_line(text: &str) -> String {
    text.split(|character: char| character.is_whitespace() || character.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A subject without what `git am` takes off too: `Re:` and words in brackets at its start.
fn without_brackets(subject: &str) -> String {
    let mut rest = subject.trim();
    loop {
        let next = if rest
            .get(..3)
            .is_some_and(|start| start.eq_ignore_ascii_case("re:"))
        {
            &rest[3..]
        } else if let Some((_, after)) = rest
            .strip_prefix('[')
            .and_then(|inside| inside.split_once(']'))
        {
            after
        } else {
            return rest.to_owned();
        };
        rest = next.trim_start();
    }
}

/// The message: up to a line `---`, without blank lines at either end.
fn message_body(message: &[u8]) -> String {
    let mut end = 0;
    for line in lines(message) {
        if line.trim_ascii_end() == b"---" {
            break;
        }
        end += line.len();
    }
    String::from_utf8_lossy(&message[..end]).trim().to_owned()
}

/// Decodes quoted-printable and changes nothing else: line ends stay as they are.
pub(crate) fn quoted_printable_decode(text: &[u8]) -> Vec<u8> {
    let hex = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        if *byte != b'=' {
            out.push(*byte);
            at += 1;
            continue;
        }
        match (text.get(at + 1), text.get(at + 2)) {
            (Some(b'\n'), _) => at += 2,
            (Some(b'\r'), Some(b'\n')) => at += 3,
            (high, low) => {
                if let (Some(high), Some(low)) = (hex(high), hex(low)) {
                    out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                    at += 3;
                } else {
                    out.push(b'=');
                    at += 1;
                }
            }
        }
    }
    out
}

/// Encodes so that every byte survives a mailbox: carriage returns, bytes that are not UTF-8, and lines `From `.
pub(crate) fn quoted_printable_encode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 8);
    for line in lines(text) {
        let (content, ended) = match line.strip_suffix(b"\n") {
            Some(content) => (content, true),
            None => (line, false),
        };
        let mut width = 0;
        for (at, byte) in content.iter().enumerate() {
            let last = at + 1 == content.len();
            let plain = match byte {
                b'=' => false,
                b' ' | b'\t' => !last,
                b'F' => !(at == 0 && content.starts_with(b"From ")),
                0x21..=0x7e => true,
                _ => false,
            };
            if width + if plain { 1 } else { 3 } > 75 {
                out.extend_from_slice(b"=\n");
                width = 0;
            }
            // After a soft break `From ` could stand at the start of a written line as well.
            if plain && !(width == 0 && *byte == b'F') {
                out.push(*byte);
                width += 1;
            } else {
                out.extend_from_slice(format!("={byte:02X}").as_bytes());
                width += 3;
            }
        }
        if ended {
            out.push(b'\n');
        }
    }
    out
}

fn base64_decode(text: &[u8]) -> Option<Vec<u8>> {
    let engine = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let packed: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    engine.decode(packed).ok()
}

/// A header's value as encoded words, if plain ASCII does not do.
pub(crate) fn encoded_words(text: &str) -> String {
    if text.is_ascii() && !text.contains("=?") {
        return text.to_owned();
    }
    let mut words = vec![String::new()];
    for character in text.chars() {
        let mut buffer = [0; 4];
        let encoded = if character.is_ascii_alphanumeric() {
            character.to_string()
        } else {
            character
                .encode_utf8(&mut buffer)
                .bytes()
                .map(|byte| format!("={byte:02X}"))
                .collect()
        };
        if words.last().map_or(0, String::len) + encoded.len() > 60 {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push_str(&encoded);
        }
    }
    words
        .iter()
        .map(|word| format!("=?UTF-8?q?{word}?="))
        .collect::<Vec<_>>()
        .join("\n ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_quoted_comes_back(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert_eq!(quoted_printable_decode(&quoted_printable_encode(&bytes)), bytes);
        }

        #[test]
        fn encoded_words_come_back(text in "[ -~äß漢🦀=?_]{0,80}") {
            let header_text = format!("From: a\nSubject: {}\n", encoded_words(&one_line(&text)));
            prop_assert_eq!(header(header_text.as_bytes(), "subject"), one_line(&text));
        }
    }

    #[test]
    fn a_line_from_in_the_middle_of_a_sentence_splits_no_mail() {
        assert!(is_separator(b"From 0123 Mon Sep 17 00:00:00 2001\n"));
        assert!(!is_separator(b"From here on all is well\n"));
        assert!(!is_separator(b">From 0123 Mon Sep 17 00:00:00 2001\n"));
    }

    #[test]
    fn carriage_returns_go_only_if_every_line_has_one() {
        assert_eq!(&*normalise(b"a\r\nb\r\n"), b"a\nb\n");
        assert_eq!(&*normalise(b"a\nb\r\n"), b"a\nb\r\n");
        assert_eq!(&*normalise(b"\xef\xbb\xbfa\n"), b"a\n");
    }

    #[test]
    fn encoded_words_of_other_charsets_are_decoded_and_broken_ones_stay() {
        for (value, expected) in [
            (
                "=?iso-8859-1?Q?caf=E9_?= =?utf-8?b?w7w=?= end",
                "café ü end",
            ),
            ("a =?utf-8?q?b?= c", "a b c"),
            ("=?utf-8*de?q?x?=", "x"),
            ("=?nonsense?q?x?=", "=?nonsense?q?x?="),
            ("=?utf-8?x?x?=", "=?utf-8?x?x?="),
            ("=?utf-8?q?open", "=?utf-8?q?open"),
            ("=?utf-8?é", "=?utf-8?é"),
        ] {
            assert_eq!(decode_words(value), expected);
        }
    }
}
