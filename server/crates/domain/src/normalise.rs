//! The version of the rules by which texts are normalised before they are digested, and the first version of them.
//!
//! Today's rules need a Markdown parser, which this crate does not know: they are `holdpoint_checklist::normalise`.
//!
//! Version 1 went by how a line looks, so that a changed number in code or running text could count as the same. It is kept for
//! what was signed by it: such a signature counts only while its texts are the same byte by byte, and while what this gives is
//! what was signed.

/// The version of the normalisation. A change of its rules is a new version, so that old digests stay explicable.
pub const VERSION: u32 = 2;

/// A text as it counted by version 1:
/// 1. `\r\n` and `\r` are line ends; each line loses a list marker (`-`, `*`, `+`, `1.`, `1)`), then a task box
///    (`[ ]`, `[x]`), then, if it is a heading, its `#` marks and its number (`2.1`, `2.1.`).
/// 2. Every run of white space, line ends included, becomes one space; none stays at either end.
pub fn version_1(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.replace('\r', "\n").split('\n') {
        for word in without_markers(line).split_whitespace() {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(word);
        }
    }
    out
}

fn without_markers(line: &str) -> &str {
    let line = line.trim_start();
    if line.starts_with('#') {
        let rest = line.trim_start_matches('#');
        return if rest.starts_with([' ', '\t']) {
            without_number(rest.trim_start())
        } else {
            line
        };
    }
    let line = without_bullet(line);
    ["[ ]", "[x]", "[X]"]
        .iter()
        .find_map(|task| line.strip_prefix(task))
        .unwrap_or(line)
}

fn without_bullet(line: &str) -> &str {
    let rest = line.strip_prefix(['-', '*', '+']).or_else(|| {
        let digits = line.bytes().take_while(u8::is_ascii_digit).count();
        (1..=9)
            .contains(&digits)
            .then(|| line[digits..].strip_prefix(['.', ')']))
            .flatten()
    });
    match rest {
        Some(rest) if rest.starts_with([' ', '\t']) => rest.trim_start(),
        _ => line,
    }
}

fn without_number(heading: &str) -> &str {
    let end = heading
        .bytes()
        .take_while(|byte| byte.is_ascii_digit() || *byte == b'.')
        .count();
    let rest = &heading[end..];
    if heading.starts_with(|c: char| c.is_ascii_digit()) && rest.starts_with([' ', '\t']) {
        rest.trim_start()
    } else {
        heading
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_took_markers_boxes_numbers_and_white_space_away() {
        let same = [
            "- [ ] Review  the config.",
            "* [x]\tReview the\r\nconfig.",
            "1. [X] Review the config.",
            "  Review\n\nthe config. ",
        ];
        for text in same {
            assert_eq!(version_1(text), "Review the config.", "{text:?}");
        }
        assert_eq!(
            version_1("### 2.1 Architecture"),
            version_1("## 3.4. Architecture")
        );
    }

    #[test]
    fn version_1_kept_words_case_and_emphasis() {
        for (one, other) in [
            ("Review", "review"),
            ("a b", "ab"),
            ("**x**", "x"),
            ("1.5 s", "2.5 s"),
            ("#tag", "tag"),
        ] {
            assert_ne!(version_1(one), version_1(other));
        }
    }
}
