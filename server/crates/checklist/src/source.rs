//! The document's text: its lines, and pieces of it as Markdown of their own.

use std::ops::Range;

use crate::{ChecklistError, MAX_BYTES};

/// Takes a file's bytes as a document: UTF-8, with or without a byte order mark (which stays), without NUL, at most
/// [`MAX_BYTES`].
pub fn decode(bytes: &[u8]) -> Result<&str, ChecklistError> {
    if bytes.len() > MAX_BYTES {
        let size_bytes = bytes.len();
        return Err(ChecklistError::TooLarge { size_bytes });
    }
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(ChecklistError::Utf16);
    }
    let line_of = |end: usize| line_starts(&bytes[..end]).len();
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        return Err(ChecklistError::Nul { line: line_of(at) });
    }
    std::str::from_utf8(bytes).map_err(|error| ChecklistError::NotUtf8 {
        line: line_of(error.valid_up_to()),
    })
}

/// Where each line starts. A line ends with `\n`, `\r\n` or `\r`, as in CommonMark.
fn line_starts(bytes: &[u8]) -> Vec<usize> {
    let mut starts = vec![0];
    for (at, byte) in bytes.iter().enumerate() {
        let ends = match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        };
        if ends {
            starts.push(at + 1);
        }
    }
    starts
}

/// What stands before each line of an item: quote marks, and as much indentation as the item's own text has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Margin {
    pub(crate) columns: usize,
    pub(crate) quotes: usize,
}

/// A document's text with its lines, so that a place is found by search and never by counting again.
pub(crate) struct Source<'a> {
    pub(crate) text: &'a str,
    line_starts: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text,
            line_starts: line_starts(text.as_bytes()),
        }
    }

    /// The line of a byte, from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }

    pub(crate) fn line_start(&self, offset: usize) -> usize {
        let line = self.line(offset);
        self.line_starts.get(line - 1).copied().unwrap_or(0)
    }

    pub(crate) fn slice(&self, range: Range<usize>) -> &'a str {
        self.text.get(range).unwrap_or("")
    }

    /// What is left of the line of an offset.
    pub(crate) fn line_from(&self, offset: usize) -> &'a str {
        let next = self.line_starts.get(self.line(offset)).copied();
        self.slice(offset..next.unwrap_or(self.text.len()))
    }

    /// Whole lines: from the start of the first to the end of the last that has text.
    pub(crate) fn whole_lines(&self, range: Range<usize>) -> Range<usize> {
        let start = self.line_start(range.start);
        let end = range.start + self.slice(range.clone()).trim_end().len();
        let next = self.line_starts.get(self.line(end)).copied();
        let next = next.unwrap_or(self.text.len());
        let end = if self.slice(end..next).trim().is_empty() {
            next
        } else {
            end
        };
        start..end
    }

    /// The margin of what is inside a list item that starts at an offset.
    pub(crate) fn margin(&self, item_start: usize, quotes: usize) -> Margin {
        let mut column = 0;
        let from = self.line_start(item_start);
        for c in self.slice(from..item_start).chars() {
            column = advance(column, c);
        }
        let rest = self
            .text
            .get(item_start..)
            .unwrap_or("")
            .trim_start_matches(|c| {
                let blank = c == ' ' || c == '\t';
                if blank {
                    column = advance(column, c);
                }
                blank
            });
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        column += digits + 1;
        let after = column;
        for c in rest.get(digits + 1..).unwrap_or("").chars() {
            match c {
                ' ' | '\t' if column < after + 5 => column = advance(column, c),
                // An empty first line, or an indented code block: the text begins one column after the bullet.
                ' ' | '\t' | '\r' | '\n' => {
                    column = after + 1;
                    break;
                }
                _ => break,
            }
        }
        if column >= after + 5 {
            column = after + 1;
        }
        Margin {
            columns: column,
            quotes,
        }
    }

    /// A piece of the document as Markdown of its own: without the holes, the margin, and blank lines at either end;
    /// its lines end with `\n`.
    pub(crate) fn markdown(
        &self,
        range: Range<usize>,
        holes: &[Range<usize>],
        margin: Margin,
    ) -> String {
        let mut out = String::new();
        let mut at = range.start;
        for hole in holes {
            if hole.start >= range.end {
                break;
            }
            self.append(&mut out, at..hole.start.min(range.end), margin);
            at = at.max(hole.end);
        }
        self.append(&mut out, at..range.end, margin);
        let trimmed = out.trim_end().len();
        out.truncate(trimmed);
        let first = first_line_with_text(&out);
        out.drain(..first);
        out
    }

    fn append(&self, out: &mut String, range: Range<usize>, margin: Margin) {
        let mut start = range.start;
        // Where something was left out, the blank lines before and after it would be two.
        let mut begins_after_hole = true;
        while start < range.end {
            let line = self.line(start);
            let next = self
                .line_starts
                .get(line)
                .copied()
                .unwrap_or(self.text.len())
                .min(range.end);
            let text = self.slice(start..next);
            let body = text.trim_end_matches(['\r', '\n']);
            let doubles_a_blank_line =
                body.trim().is_empty() && (out.is_empty() || out.ends_with("\n\n"));
            if doubles_a_blank_line && begins_after_hole {
                start = next.max(start + 1);
                continue;
            }
            begins_after_hole = false;
            if self.line_starts.get(line - 1) == Some(&start) {
                append_without_margin(out, body, margin);
            } else {
                out.push_str(body);
            }
            if body.len() < text.len() {
                out.push('\n');
            }
            start = next.max(start + 1);
        }
    }
}

fn first_line_with_text(text: &str) -> usize {
    let blank = text.len() - text.trim_start().len();
    text[..blank].rfind('\n').map_or(0, |at| at + 1)
}

fn append_without_margin(out: &mut String, line: &str, margin: Margin) {
    let (mut column, mut quotes) = (0, margin.quotes);
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        match c {
            ' ' | '\t' => {
                let next = advance(column, c);
                if quotes == 0 {
                    // A tab that reaches past the margin, or stands after it, would be of another width where the line is now.
                    for _ in margin.columns.max(column)..next {
                        out.push(' ');
                    }
                }
                column = next;
            }
            '>' if quotes > 0 => {
                quotes -= 1;
                column += 1;
            }
            _ => break,
        }
        rest = &rest[c.len_utf8()..];
    }
    out.push_str(rest);
}

fn advance(column: usize, c: char) -> usize {
    match c {
        '\t' => column + 4 - column % 4,
        '\u{feff}' => column,
        _ => column + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_in_three_ways() {
        let source = Source::new("a\nb\r\nc\rd");
        let lines: Vec<_> = "abcd"
            .chars()
            .map(|c| source.line(source.text.find(c).unwrap()))
            .collect();
        assert_eq!(lines, [1, 2, 3, 4]);
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_with_their_line() {
        assert_eq!(
            decode(b"a\nb\xff"),
            Err(ChecklistError::NotUtf8 { line: 2 })
        );
        assert_eq!(decode(b"a\n\nb\0"), Err(ChecklistError::Nul { line: 3 }));
        assert_eq!(decode(b"\xff\xfea\0"), Err(ChecklistError::Utf16));
        assert_eq!(
            decode(&vec![b'a'; MAX_BYTES + 1]),
            Err(ChecklistError::TooLarge {
                size_bytes: MAX_BYTES + 1
            })
        );
        assert_eq!(decode(b"\xef\xbb\xbfa"), Ok("\u{feff}a"));
    }
}
