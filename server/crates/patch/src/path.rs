//! File names as diffs write them: quoted, prefixed, followed by a time.

use crate::Refusal;

/// Reads one name at the start of `text`: C-quoted, or up to a tab. Gives the name's bytes and what follows it.
pub(crate) fn read_name(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    if text.first() == Some(&b'"') {
        return unquote(text);
    }
    let end = text
        .iter()
        .position(|byte| *byte == b'\t')
        .unwrap_or(text.len());
    (end > 0).then(|| (text[..end].to_vec(), &text[end..]))
}

/// Reads a C-quoted name, `text` starting at its opening quote.
pub(crate) fn unquote(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut name = Vec::new();
    let mut at = 1;
    loop {
        match *text.get(at)? {
            b'"' => return Some((name, &text[at + 1..])),
            b'\\' => {
                at += 1;
                let escaped = *text.get(at)?;
                name.push(match escaped {
                    b'a' => 7,
                    b'b' => 8,
                    b't' => b'\t',
                    b'n' => b'\n',
                    b'v' => 11,
                    b'f' => 12,
                    b'r' => b'\r',
                    b'"' | b'\\' => escaped,
                    b'0'..=b'3' => {
                        let octal = text.get(at..at + 3)?;
                        at += 2;
                        octal.iter().try_fold(0_u8, |value, digit| {
                            matches!(digit, b'0'..=b'7').then(|| (value << 3) | (digit - b'0'))
                        })?
                    }
                    _ => return None,
                });
            }
            byte => name.push(byte),
        }
        at += 1;
    }
}

/// Writes a name as git does where it must: quoted if it holds a quote, a backslash or a control character.
pub(crate) fn quote(name: &str) -> String {
    if !name
        .bytes()
        .any(|byte| byte < 0x20 || matches!(byte, b'"' | b'\\' | 0x7f))
    {
        return name.to_owned();
    }
    let mut out = String::from("\"");
    for character in name.chars() {
        match character {
            '"' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            control if control.is_ascii_control() => {
                out.push('\\');
                let code = u32::from(control);
                out.extend(
                    [code >> 6, code >> 3 & 7, code & 7]
                        .map(|digit| char::from_digit(digit, 8).unwrap_or('0')),
                );
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// The part after the first `/`, if there is a part on both sides of it.
fn without_first(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let slash = name.iter().position(|byte| *byte == b'/')?;
    let (first, rest) = (&name[..slash], &name[slash + 1..]);
    (!first.is_empty() && first != b"." && first != b".." && !rest.is_empty())
        .then_some((first, rest))
}

/// Whether two names are one path under two different prefixes (`a/x` and `b/x`, `old/x` and `new/x`); gives that path.
pub(crate) fn same_under_prefixes<'a>(old: &'a [u8], new: &[u8]) -> Option<&'a [u8]> {
    let (old_first, old_rest) = without_first(old)?;
    let (new_first, new_rest) = without_first(new)?;
    (old_first != new_first && old_rest == new_rest).then_some(old_rest)
}

/// The two names of a line `diff --git A B`. Names with spaces are not quoted, so that a split counts only where both
/// sides are one path; a rename says its names again in lines of their own.
pub(crate) fn git_header_names(rest: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    if rest.first() == Some(&b'"') {
        let (old, tail) = unquote(rest)?;
        let tail = tail.strip_prefix(b" ")?;
        return Some((old, whole_name(tail)?));
    }
    if rest.last() == Some(&b'"') {
        let split = rest.windows(2).position(|pair| pair == b" \"")?;
        return Some((rest[..split].to_vec(), whole_name(&rest[split + 1..])?));
    }
    let spaces: Vec<usize> = rest
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b' ')
        .map(|(at, _)| at)
        .collect();
    if let [only] = spaces[..] {
        return Some((rest[..only].to_vec(), rest[only + 1..].to_vec()));
    }
    // Both names have the same length up to their prefixes, so that only splits near the middle need be compared.
    spaces
        .into_iter()
        .filter(|at| at.abs_diff(rest.len() / 2) <= 64)
        .map(|at| (&rest[..at], &rest[at + 1..]))
        .find(|(old, new)| old == new || same_under_prefixes(old, new).is_some())
        .map(|(old, new)| (old.to_vec(), new.to_vec()))
}

/// A name that must fill all of `text`.
pub(crate) fn whole_name(text: &[u8]) -> Option<Vec<u8>> {
    if text.first() == Some(&b'"') {
        let (name, tail) = unquote(text)?;
        return tail.is_empty().then_some(name);
    }
    (!text.is_empty()).then(|| text.to_vec())
}

/// A path inside a repository, or why it is none. `./` at the start is dropped.
pub(crate) fn inside_repository(name: &[u8]) -> Result<String, Refusal> {
    let text = String::from_utf8_lossy(name);
    let mut path: &str = &text;
    while let Some(rest) = path.strip_prefix("./") {
        path = rest;
    }
    let refuse = |why: &str| Refusal::UnsafePath {
        path: text.chars().take(200).collect(),
        why: why.to_owned(),
    };
    if path.is_empty() {
        return Err(refuse("it is empty"));
    }
    if path.contains('\0') {
        return Err(refuse("it holds a zero byte"));
    }
    let drive = path.as_bytes();
    if path.starts_with(['/', '\\'])
        || (drive.len() > 2
            && drive[0].is_ascii_alphabetic()
            && drive[1] == b':'
            && matches!(drive[2], b'/' | b'\\'))
    {
        return Err(refuse("it is absolute"));
    }
    for part in path.split(['/', '\\']) {
        let bare = part.trim_end_matches([' ', '.']).to_ascii_lowercase();
        if part == ".." {
            return Err(refuse("it leads out with `..`"));
        }
        if bare == ".git" || bare == "git~1" {
            return Err(refuse("it leads into `.git`"));
        }
    }
    if path.split('/').any(|part| part.is_empty() || part == ".") {
        return Err(refuse("it has an empty part or a part `.`"));
    }
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_name_is_read_byte_by_byte() {
        assert_eq!(
            unquote(br#""a/\303\251\t\"x\\" rest"#),
            Some(("a/é\t\"x\\".as_bytes().to_vec(), &b" rest"[..]))
        );
        for broken in [&b"\"open"[..], b"\"\\", b"\"\\40", b"\"\\499\"", b"\"\\q\""] {
            assert_eq!(unquote(broken), None);
        }
    }

    #[test]
    fn quoting_and_unquoting_gives_the_same_name() {
        for name in ["a", "a b", "ü/\"q\"", "tab\there", "back\\slash", "\u{1}\n"] {
            let quoted = quote(name);
            assert_eq!(
                whole_name(quoted.as_bytes()),
                Some(name.as_bytes().to_vec())
            );
        }
    }

    #[test]
    fn a_path_that_leaves_the_repository_is_refused() {
        for bad in [
            "../x",
            "a/../b",
            "/etc/passwd",
            "C:\\x",
            "C:/x",
            ".git/config",
            "a/.GIT/hooks/x",
            "a\\..\\b",
            ".git./x",
            "git~1/x",
            "a//b",
            "",
            "./",
            "a/./b",
            "x\0y",
        ] {
            assert!(inside_repository(bad.as_bytes()).is_err(), "{bad:?}");
        }
        for good in [
            "a",
            "./a",
            ".gitignore",
            ".github/x",
            "a..b/c",
            "..a",
            "x.git/y",
        ] {
            assert!(inside_repository(good.as_bytes()).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn names_with_spaces_split_where_both_sides_agree() {
        let names = |old: &str, new: &str| Some((old.as_bytes().to_vec(), new.as_bytes().to_vec()));
        assert_eq!(git_header_names(b"a/x y b/x y"), names("a/x y", "b/x y"));
        assert_eq!(git_header_names(b"a/x b/y"), names("a/x", "b/y"));
        assert_eq!(git_header_names(b"x y x y"), names("x y", "x y"));
        assert_eq!(
            git_header_names(b"\"a/\\303\\251\" b/e"),
            names("a/é", "b/e")
        );
        assert_eq!(
            git_header_names(b"a/e f \"b/\\303\\251\""),
            names("a/e f", "b/é")
        );
        assert_eq!(git_header_names(b"a/x y b/z w"), None);
    }
}
