//! Text from strangers: decoding a file, cleaning what will be shown, and what counts as the same path or message.

use std::borrow::Cow;

/// The longest title; longer ones end in `[...]`.
pub const TITLE_CHARS: usize = 150;
const MARK: &str = " [...]";

/// A file's text, and whether some of its bytes had to be replaced because they are no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    pub text: Cow<'a, str>,
    /// The first line with unreadable bytes, which stand as `�` now.
    pub damaged_line: Option<usize>,
}

/// Reads UTF-8 (with or without a byte order mark) or UTF-16 (with one, or recognisable by its zero bytes).
pub fn decode(bytes: &[u8]) -> Decoded<'_> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => decode_utf8(rest),
        [0xff, 0xfe, rest @ ..] => decode_utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => decode_utf16(rest, u16::from_be_bytes),
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => {
            decode_utf16(bytes, u16::from_le_bytes)
        }
        [0, first, 0, second, ..] if *first != 0 && *second != 0 => {
            decode_utf16(bytes, u16::from_be_bytes)
        }
        _ => decode_utf8(bytes),
    }
}

fn decode_utf8(bytes: &[u8]) -> Decoded<'_> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Decoded {
            text: Cow::Borrowed(text),
            damaged_line: None,
        },
        Err(error) => Decoded {
            text: Cow::Owned(String::from_utf8_lossy(bytes).into_owned()),
            damaged_line: Some(1 + count_newlines(&bytes[..error.valid_up_to()])),
        },
    }
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Decoded<'static> {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let mut text = String::with_capacity(bytes.len() / 2);
    let mut damaged_line = None;
    for character in char::decode_utf16(units) {
        let character = character.unwrap_or_else(|_| {
            damaged_line.get_or_insert_with(|| 1 + count_newlines(text.as_bytes()));
            char::REPLACEMENT_CHARACTER
        });
        text.push(character);
    }
    Decoded {
        text: Cow::Owned(text),
        damaged_line,
    }
}

fn count_newlines(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count() - 1
}

/// Several lines of text for showing: without terminal escapes, control characters and characters that turn the
/// direction of writing; line ends and tabs stay.
pub fn clean(text: &str) -> Cow<'_, str> {
    // Most texts are plain ASCII, and bytes are gone through faster than characters.
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t');
    let is_clean = |c: char| !is_unwanted(c) || c == '\n' || c == '\t';
    if text.as_bytes().iter().all(is_plain) || text.chars().all(is_clean) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' | '\t' => out.push(c),
            '\r' => {
                if rest.peek() != Some(&'\n') {
                    out.push('\n');
                }
            }
            '\u{1b}' => skip_escape(&mut rest),
            '\u{9b}' => skip_control_sequence(&mut rest),
            c if is_unwanted(c) => {}
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// One line for showing: as [`clean`], with every run of white space as one space.
pub fn clean_line(text: &str) -> String {
    if is_one_line(text) {
        return text.to_owned();
    }
    let text = clean(text);
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// Whether a text is one clean line as it stands: plain ASCII, single spaces between words. Most are, and bytes are gone
/// through faster than characters.
fn is_one_line(text: &str) -> bool {
    let mut before = b' ';
    for byte in text.bytes() {
        if !matches!(byte, b' '..=b'~') || (byte == b' ' && before == b' ') {
            return false;
        }
        before = byte;
    }
    before != b' '
}

/// A title: one clean line, cut between words where it is too long.
pub fn title(text: &str) -> String {
    // A message may hold a whole page; what lies far behind the cut is not worth cleaning.
    let line = clean_line(&text[..text.floor_char_boundary(TITLE_CHARS * 8)]);
    if line.len() <= TITLE_CHARS || line.chars().count() <= TITLE_CHARS {
        return line;
    }
    let room = TITLE_CHARS - MARK.len();
    let cut = line
        .char_indices()
        .nth(room)
        .map_or(line.len(), |(at, _)| at);
    let head = &line[..cut];
    let head = if line[cut..].starts_with(' ') {
        head
    } else {
        head.rsplit_once(' ').map_or(head, |(words, _)| words)
    };
    format!("{}{MARK}", head.trim_end())
}

/// One clean line of at most so many characters: where it is longer, its beginning and its end.
pub fn shortened(text: &str, most: usize) -> String {
    let length = text.chars().count();
    if length <= most {
        return clean_line(text);
    }
    let room = most.saturating_sub(MARK.chars().count() + 1);
    let head: String = text.chars().take(room / 2).collect();
    let tail: String = text.chars().skip(length - room / 2).collect();
    format!("{}{MARK} {}", clean_line(&head), clean_line(&tail))
}

fn is_unwanted(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Skips what follows an escape character: a control sequence, an operating system command, or one character.
fn skip_escape(rest: &mut Chars<'_>) {
    match rest.peek() {
        Some('[') => {
            rest.next();
            skip_control_sequence(rest);
        }
        Some(']') => {
            rest.next();
            // Ends with BEL or ESC \; if it never ends, a line end ends it, so that no text is swallowed.
            while let Some(&c) = rest.peek() {
                if c == '\n' {
                    return;
                }
                rest.next();
                if c == '\u{7}' {
                    return;
                }
                if c == '\u{1b}' {
                    rest.next_if_eq(&'\\');
                    return;
                }
            }
        }
        Some('@'..='~') => {
            rest.next();
        }
        _ => {}
    }
}

fn skip_control_sequence(rest: &mut Chars<'_>) {
    while rest.next_if(|c| matches!(c, ' '..='?')).is_some() {}
    rest.next_if(|c| matches!(c, '@'..='~'));
}

/// A path as it counts: with `/`, without scheme, drive, `.`, `..`, doubled or leading slashes, percent signs resolved.
///
/// `root` is the folder (path or `file:` address) that the repository lies in, where it is known.
pub fn normal_path(path: &str, root: Option<&str>) -> String {
    if is_normal(path) {
        return path.to_owned();
    }
    let path = plain_path(path);
    let inside = root.and_then(|root| {
        let root = plain_path(root);
        let root = root.trim_end_matches('/');
        // A root of "/" or "" would say nothing.
        if root.is_empty() {
            return None;
        }
        let rest = path.strip_prefix(root)?;
        rest.starts_with('/').then(|| rest.to_owned())
    });
    let path = inside.as_deref().unwrap_or(&path);
    let path = match path.as_bytes() {
        [drive, b':', b'/', ..] if drive.is_ascii_alphabetic() => &path[2..],
        _ => path,
    };
    resolve_dots(path)
}

/// Whether a path or file address says where a file lies on its machine.
pub(crate) fn is_absolute_path(uri: &str) -> bool {
    uri.starts_with(['/', '\\'])
        || uri.contains("://")
        || uri
            .get(..5)
            .is_some_and(|s| s.eq_ignore_ascii_case("file:"))
        || {
            matches!(uri.as_bytes(), [drive, b':', b'/' | b'\\', ..] if drive.is_ascii_alphabetic())
        }
}

/// Whether a path can only be what it is: relative, of plain letters, without dots or doubled slashes to resolve. Most
/// paths are, and they are many.
pub(crate) fn is_normal(path: &str) -> bool {
    let mut before = b'/';
    for byte in path.bytes() {
        let is_plain = match byte {
            b'/' | b'.' => before != b'/',
            byte => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
        };
        if !is_plain {
            return false;
        }
        before = byte;
    }
    before != b'/'
}

fn resolve_dots(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            // Nothing lies above the repository.
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Whether a text is one address of the web.
pub(crate) fn is_url(text: &str) -> bool {
    (text.starts_with("https://") || text.starts_with("http://"))
        && !text.contains(char::is_whitespace)
}

/// A path or `file:` address with `/`, percent signs resolved and scheme and host taken off; still absolute if it was.
pub fn plain_path(path: &str) -> String {
    let path = clean_line_keeping_spaces(path.trim());
    let (path, is_address) = match strip_file_scheme(&path) {
        Some(rest) => (rest, true),
        None => (path.as_str(), false),
    };
    let path = percent_decode(path);
    let mut path = if path.contains('\\') {
        path.replace('\\', "/")
    } else {
        path
    };
    while path.contains("//") && !path.contains("://") {
        path = path.replace("//", "/");
    }
    // file:///C:/code
    if is_address
        && let [b'/', drive, b':', ..] = path.as_bytes()
        && drive.is_ascii_alphabetic()
    {
        path.remove(0);
    }
    // Windows does not tell `C:` from `c:`, and one file may have both.
    if let [drive, b':', b'/', ..] = path.as_bytes()
        && drive.is_ascii_alphabetic()
    {
        path[..1].make_ascii_lowercase();
    }
    path
}

fn clean_line_keeping_spaces(text: &str) -> String {
    text.chars().filter(|c| !is_unwanted(*c)).collect()
}

fn strip_file_scheme(path: &str) -> Option<&str> {
    let scheme = path.get(..5)?;
    if !scheme.eq_ignore_ascii_case("file:") {
        return None;
    }
    let rest = &path[5..];
    let Some(after) = rest.strip_prefix("//") else {
        return Some(rest);
    };
    // What stands between `//` and the next `/` is a host; `file:////src` has an empty one and a doubled slash.
    Some(after.find('/').map_or("", |slash| &after[slash..]))
}

/// `%20` and the like as the characters they stand for; what is no such thing, or would be no text, stays.
pub(crate) fn percent_decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |offset: usize| {
            bytes
                .get(at + offset)
                .and_then(|b| char::from(*b).to_digit(16))
        };
        if bytes[at] == b'%'
            && let (Some(high), Some(low)) = (hex(1), hex(2))
            && let Ok(byte) = u8::try_from(high * 16 + low)
            && byte >= b' '
            && byte != 0x7f
        {
            out.push(byte);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

/// Words after which a number is a place rather than a fact.
const PLACE_WORDS: [&str; 8] = [
    "line", "lines", "column", "columns", "col", "row", "offset", "position",
];

/// A message as it counts for identity: white space as single spaces, and `#` for line numbers, column numbers and
/// addresses in memory, which change when code moves. Other numbers are facts and stay.
pub fn normal_message(message: &str) -> String {
    let line = clean_line(message);
    let bytes = line.as_bytes();
    let mut out = String::with_capacity(line.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at].is_ascii_digit() {
            let starts_word = at == 0 || !is_word(bytes[at - 1]);
            let end = run_end(bytes, at, |b| b.is_ascii_digit());
            let hex_end = match &bytes[at..] {
                [b'0', b'x' | b'X', ..] => run_end(bytes, at + 2, |b| b.is_ascii_hexdigit()),
                _ => at,
            };
            if starts_word && hex_end >= at + 6 {
                out.push('#');
                at = hex_end;
            } else if starts_word && is_place(&line[..at]) {
                out.push('#');
                at = end;
            } else {
                out.push_str(&line[at..end]);
                at = end;
            }
        } else {
            let end = run_end(bytes, at, |b| !b.is_ascii_digit());
            out.push_str(&line[at..end]);
            at = end;
        }
    }
    out
}

fn run_end(bytes: &[u8], from: usize, fits: impl Fn(u8) -> bool) -> usize {
    bytes[from..]
        .iter()
        .position(|b| !fits(*b))
        .map_or(bytes.len(), |length| from + length)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Whether a number after this text is a place: `line 12`, `lines: 12`, `main.c:12`, `main.c:12:3`.
fn is_place(before: &str) -> bool {
    if let Some(name) = before.strip_suffix(':') {
        return name.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    }
    let before = before.trim_end_matches([' ', '#', ':', '=', '(']);
    let start = before
        .rfind(|c: char| !c.is_ascii_alphabetic())
        .map_or(0, |at| {
            at + before[at..].chars().next().map_or(1, char::len_utf8)
        });
    let word = &before[start..];
    PLACE_WORDS
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known))
}

/// A snippet as it counts for identity; `None` if the tool left it out, masked it, or it says nothing.
pub fn normal_snippet(snippet: &str) -> Option<String> {
    let line = clean_line(snippet);
    let is_telling = line
        .chars()
        .filter(|c| c.is_alphanumeric())
        .nth(2)
        .is_some();
    let is_masked = line.len() < 60 && {
        let lower = line.to_ascii_lowercase();
        ["removed", "redacted", "hidden", "requires login", "omitted"]
            .iter()
            .any(|word| lower.contains(word))
    };
    (is_telling && !is_masked).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_path_are_one_path() {
        for path in [
            "src/a b.c",
            "./src/a b.c",
            "src\\a b.c",
            "src//a b.c",
            "src/a%20b.c",
            "src/./x/../a b.c",
            "file:///home/ci/repo/src/a%20b.c",
            "/home/ci/repo/src/a b.c",
            "file:/home/ci/repo/src/a b.c",
            "../../src/a b.c",
            "file://build.example.com/home/ci/repo/src/a b.c",
        ] {
            assert_eq!(
                normal_path(path, Some("file:///home/ci/repo/")),
                "src/a b.c",
                "{path}"
            );
        }
        assert_eq!(normal_path("file:///C:/code/x.c", Some("C:\\code")), "x.c");
        assert_eq!(normal_path("C:\\code\\x.c", None), "code/x.c");
        assert_eq!(
            normal_path("file:///c%3A/code/x.c", Some("C:\\code")),
            "x.c"
        );
        assert_eq!(
            normal_path("C:\\code\\x.c", Some("file:///c:/code/")),
            "x.c"
        );
        assert_eq!(normal_path("file:////src/x.js", None), "src/x.js");
        assert_eq!(
            normal_path("/home/ci/repository/x", Some("/home/ci/repo")),
            "home/ci/repository/x"
        );
    }

    #[test]
    fn the_short_way_of_plain_paths_gives_what_the_long_way_gives() {
        for path in ["a", "a/b.c", "a/b-c_d.e/f", "src/v1.2/x..y"] {
            assert!(is_normal(path), "{path}");
            assert_eq!(resolve_dots(&plain_path(path)), path);
        }
        for path in [
            "",
            "/a",
            "a//b",
            "./a",
            "a/../b",
            "a/",
            "a%20b",
            "a\\b",
            ".github/x",
            "C:/x",
            "file:x",
        ] {
            assert!(!is_normal(path), "{path}");
        }
    }

    #[test]
    fn a_path_that_is_no_address_keeps_its_percent_signs_if_they_decode_to_nothing() {
        assert_eq!(normal_path("100%/x%zz", None), "100%/x%zz");
        assert_eq!(normal_path("a%00b", None), "a%00b");
    }

    #[test]
    fn only_numbers_that_are_places_are_left_out_of_a_message() {
        assert_eq!(
            normal_message("Unused at line 41,\n column 7"),
            "Unused at line #, column #"
        );
        assert_eq!(
            normal_message("see main.c:12:3 and 0xdeadbeef"),
            "see main.c:#:# and #"
        );
        assert_eq!(
            normal_message("Line too long (328 > 88)"),
            "Line too long (328 > 88)"
        );
        assert_eq!(
            normal_message("CVE-2021-44228 in log4j 2.14"),
            "CVE-2021-44228 in log4j 2.14"
        );
    }

    #[test]
    fn escapes_and_direction_marks_do_not_reach_a_title() {
        assert_eq!(
            title("\u{1b}[31mred\u{1b}[0m \u{202e}txt.exe\u{7} \u{1b}]0;owned\u{7}end"),
            "red txt.exe end"
        );
        assert_eq!(clean("a\u{1b}[2Jb\r\nc\td"), "ab\nc\td");
    }

    #[test]
    fn a_long_title_is_cut_between_words() {
        let long = "word ".repeat(60);
        let title = title(&long);
        assert!(title.chars().count() <= TITLE_CHARS, "{title}");
        assert!(title.ends_with("word [...]"), "{title}");
    }

    #[test]
    fn a_long_text_is_shortened_in_its_middle() {
        assert_eq!(shortened("a\u{1b}[31m b", 20), "a b");
        let short = shortened(&format!("begin {} end", "x".repeat(1_000)), 60);
        assert!(
            short.starts_with("begin x") && short.ends_with("x end"),
            "{short}"
        );
        assert!(
            short.contains(MARK) && short.chars().count() <= 60,
            "{short}"
        );
    }

    #[test]
    fn utf16_and_byte_order_marks_are_read() {
        let text = "{\"ä\": 1}";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [
            text.as_bytes().to_vec(),
            [&[0xef, 0xbb, 0xbf], text.as_bytes()].concat(),
            [&[0xff, 0xfe], &little[..]].concat(),
            [&[0xfe, 0xff], &big[..]].concat(),
            little,
            big,
        ] {
            assert_eq!(decode(&bytes).text, text);
        }
    }

    #[test]
    fn unreadable_bytes_are_replaced_and_their_line_named() {
        let decoded = decode(b"a\nb\xff\n");
        assert_eq!(
            (decoded.text.as_ref(), decoded.damaged_line),
            ("a\nb\u{fffd}\n", Some(2))
        );
    }
}
