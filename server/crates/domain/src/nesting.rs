//! How deep a person's Markdown may nest.
//!
//! A parser of Markdown looks, for each line, at every quote and list that is open, so a text of 100,000 quote marks followed by as
//! many lines keeps it busy for minutes. [`shallow`] bounds that before any parser sees the text.

use std::borrow::Cow;

/// The most quotes and lists that one line opens. People write three or four.
const MAX_MARKERS: usize = 64;
/// The most columns that a quote or a list begins at; with two columns for each list, a document nests 128 of them by
/// indentation.
const MAX_COLUMNS: usize = 256;
/// The most columns of a table. A parser fills every row up to as many cells.
const MAX_TABLE_COLUMNS: usize = 64;
/// What stands for a mark that is not heeded.
const UNHEEDED: char = '.';

/// The same text, byte for byte as long, in which no line opens more quotes and lists than are ever needed and no table is wider:
/// marks beyond that are written as full stops. Almost every text comes back as it is.
pub fn shallow(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    for line in text.split_inclusive(['\n', '\r']) {
        for mark in [Some(deep_marks(line)), wide_table(line)]
            .into_iter()
            .flatten()
        {
            for (from, to) in mark {
                out.push_str(&text[copied..at + from]);
                out.extend(std::iter::repeat_n(UNHEEDED, to - from));
                copied = at + to;
            }
        }
        at += line.len();
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// The marks of quotes and lists at the start of a line that are beyond what is heeded.
fn deep_marks(line: &str) -> Vec<(usize, usize)> {
    let bytes = line.as_bytes();
    let (mut at, mut columns, mut n_markers) = (0, 0, 0);
    let mut beyond = Vec::new();
    while let Some(byte) = bytes.get(at) {
        let width = match byte {
            b' ' | b'\t' => {
                columns += if *byte == b'\t' { 4 - columns % 4 } else { 1 };
                at += 1;
                continue;
            }
            b'>' => 1,
            b'-' | b'*' | b'+' if ends_marker(bytes.get(at + 1)) => 1,
            b'0'..=b'9' => {
                let digits = bytes[at..]
                    .iter()
                    .take_while(|byte| byte.is_ascii_digit())
                    .count();
                let is_marker = digits <= 9
                    && matches!(bytes.get(at + digits), Some(b'.' | b')'))
                    && ends_marker(bytes.get(at + digits + 1));
                if !is_marker {
                    break;
                }
                digits + 1
            }
            _ => break,
        };
        n_markers += 1;
        if n_markers > MAX_MARKERS || columns > MAX_COLUMNS {
            beyond.push((at, at + width));
        }
        at += width;
        columns += width;
    }
    beyond
}

fn ends_marker(next: Option<&u8>) -> bool {
    matches!(next, None | Some(b' ' | b'\t' | b'\n' | b'\r'))
}

/// The first mark of a line that would make the one above it the head of a table of too many columns.
fn wide_table(line: &str) -> Option<Vec<(usize, usize)>> {
    let n_pipes = line
        .bytes()
        .try_fold((0, false), |(n_pipes, has_dash), byte| match byte {
            b'|' => Some((n_pipes + 1, has_dash)),
            b'-' => Some((n_pipes, true)),
            b':' | b' ' | b'\t' | b'\n' | b'\r' | b'>' => Some((n_pipes, has_dash)),
            _ => None,
        })
        .filter(|(_, has_dash)| *has_dash)?
        .0;
    let dash = line.find('|').map(|pipe| (pipe, pipe + 1));
    (n_pipes > MAX_TABLE_COLUMNS + 1).then(|| dash.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_stays_as_it_is() {
        for text in [
            "",
            "> > quoted twice\n> once\n",
            "- a\n  - b\n    1. c\r\n\t- d\n",
            "|a|b|\n|-|-|\n|1|2|\n",
            "----------------------------------------------------------------------------------",
            "* * * * * * * * * *\n",
            "1234567890. no list",
            "x > y - z",
        ] {
            assert!(
                matches!(shallow(text), Cow::Borrowed(same) if same == text),
                "{text}"
            );
        }
    }

    #[test]
    fn marks_beyond_what_is_heeded_become_full_stops_and_no_byte_moves() {
        let deep = format!("é\n{}a\n> b", ">".repeat(100));
        let text = shallow(&deep);
        assert_eq!(text.len(), deep.len());
        assert_eq!(
            text,
            format!("é\n{}{}a\n> b", ">".repeat(64), ".".repeat(36))
        );

        let lists = format!("{}12. a", "- ".repeat(64));
        assert_eq!(shallow(&lists), format!("{}... a", "- ".repeat(64)));

        let indented = format!("{}- a\n", " ".repeat(257));
        assert_eq!(shallow(&indented), format!("{}. a\n", " ".repeat(257)));
    }

    #[test]
    fn a_table_of_too_many_columns_is_no_table() {
        let row = |cell: &str, n: usize| format!("|{}\n", format!("{cell}|").repeat(n));
        let wide = format!("{}{}", row("a", 65), row("-", 65));
        let text = shallow(&wide);
        assert_eq!(text.len(), wide.len());
        assert!(
            text.ends_with(&format!("\n.{}", &row("-", 65)[1..])),
            "{text}"
        );
        let table = format!("{}{}", row("a", 64), row("-", 64));
        assert_eq!(shallow(&table), table);
    }
}
