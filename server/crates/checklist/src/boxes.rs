//! Boxes that the Markdown parser does not read: those that GitLab reads all the same, and what only looks like one.

use std::ops::Range;

use pulldown_cmark::CowStr;

use crate::source::Source;
use crate::tree::{Kind, Node, Tree};

const NO_BREAK_SPACE: char = '\u{a0}';

/// A box at the beginning of a text, as GitLab reads it and CommonMark with task lists does not: one with a no-break space
/// inside or behind it, and `[~]`, which says that the item does not apply. Its length and that of the white space behind it.
fn read_by_gitlab(text: &str) -> Option<(bool, usize, usize)> {
    let mut chars = text.strip_prefix('[')?.chars();
    let inside = chars.next()?;
    let ticked = match inside {
        'x' | 'X' => true,
        ' ' | '~' | NO_BREAK_SPACE => false,
        _ => return None,
    };
    let after = chars.as_str().strip_prefix(']')?;
    let blank = after.len() - after.trim_start_matches([' ', '\t', NO_BREAK_SPACE]).len();
    let is_at_end = after
        .trim_start_matches([' ', '\t', NO_BREAK_SPACE])
        .is_empty();
    (blank > 0 || is_at_end).then_some((ticked, text.len() - after.len(), blank))
}

/// Gives the list items that begin with a box as GitLab reads it their box.
pub(crate) fn add_read_by_gitlab<'a>(source: &Source<'a>, tree: &mut Tree<'a>) {
    // The first text of each such item, with its box and where its own text begins.
    let mut found: Vec<(usize, bool, Range<usize>, usize)> = Vec::new();
    for item in tree.all(|kind| kind == Kind::Item) {
        let Some(first) = tree.first_inline(item) else {
            continue;
        };
        let at = tree.range(first).start;
        if tree.kind(first) == Kind::Text
            && let Some((ticked, length, blank)) = read_by_gitlab(line_of(source, at))
        {
            found.push((first, ticked, at..at + length, at + length + blank));
        }
    }
    if found.is_empty() {
        return;
    }
    let inserted_up_to = |node: usize| found.partition_point(|(first, ..)| *first <= node);
    let inserted_before = |end: usize| found.partition_point(|(first, ..)| *first < end);
    let mut nodes = Vec::with_capacity(tree.nodes.len() + found.len());
    let mut next = found.iter().peekable();
    let mut text_from = 0;
    for (at, mut node) in std::mem::take(&mut tree.nodes).into_iter().enumerate() {
        node.parent += inserted_up_to(node.parent);
        node.end += inserted_before(node.end);
        if let Some((_, ticked, range, from)) = next.next_if(|(first, ..)| *first == at) {
            text_from = *from;
            nodes.push(Node {
                kind: Kind::Box { ticked: *ticked },
                range: range.clone(),
                parent: node.parent,
                end: nodes.len() + 1,
                quotes: node.quotes,
                lists: node.lists,
                text: CowStr::Borrowed(""),
            });
        }
        if node.kind == Kind::Text && node.range.start < text_from {
            let cut = text_from.min(node.range.end) - node.range.start;
            let rest = node.text.get(cut..).unwrap_or_default().to_owned();
            node.text = CowStr::from(rest);
            node.range.start += cut;
        }
        nodes.push(node);
    }
    tree.nodes = nodes;
}

/// What is left of the line of an offset, without its end; nothing where its first sign is escaped, by which somebody says that
/// it is no box.
pub(crate) fn line_of<'a>(source: &Source<'a>, at: usize) -> &'a str {
    if source.slice(0..at).ends_with('\\') {
        return "";
    }
    source.line_from(at).trim_end_matches(['\r', '\n'])
}

/// How a line looks like a task without being one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NearMiss {
    /// `[]`
    NothingInside,
    /// `[ ]text`
    NothingBehind,
    /// `-[ ]`
    NothingBefore,
    /// `[-]`, `[ x ]`
    OtherMark,
    /// `☐`, `( )`
    OtherSign,
    /// `**[ ]** text`
    Enclosed,
    /// `• [ ]`, or a no-break space behind the bullet.
    OtherBullet,
    /// `[ ]` at the beginning of a line, `1.2 [ ]`
    NoBullet,
}

impl NearMiss {
    /// What is wrong, and what to write.
    pub(crate) const fn message(self) -> &'static str {
        match self {
            Self::NothingInside => "`[]` is no box. Write `[ ]`, with a space inside.",
            Self::NothingBehind => {
                "this is no task, since the text touches the box. Write a space after `]`."
            }
            Self::NothingBefore => {
                "this is no task, since the box touches the bullet. Write `- [ ]`."
            }
            Self::OtherMark => {
                "this is no task, since Markdown knows no such mark in a box. Write `[ ]`, `[x]`, or `[~]` for what does not apply."
            }
            Self::OtherSign => "this is no task, since that is a sign and no box. Write `- [ ]`.",
            Self::Enclosed => {
                "this is no task, since the box stands within emphasis or code. Begin the line with `- [ ]`."
            }
            Self::OtherBullet => {
                "this is no task, since the bullet or the space behind it is another sign than Markdown's. Write `- [ ]`."
            }
            Self::NoBullet => {
                "this is no task, since the line does not begin with a bullet and the box. Write `- [ ]`."
            }
        }
    }
}

/// Signs that word processors begin a list entry with.
const OTHER_BULLETS: &[char] = &[
    '•', '·', '‣', '◦', '▪', '●', '○', '–', '—', '\u{f0b7}', '\u{f0a7}',
];
const BOX_SIGNS: &[char] = &[
    '☐', '☑', '☒', '⬜', '⬛', '🔲', '🔳', '✅', '❎', '✔', '✓', '✗', '✘', '❌', '\u{f06f}',
    '\u{f0a8}', '\u{f0fe}',
];

/// Whether a line, or what is left of one behind a list item's bullet, looks like a task to a person. `has_bullet` says that
/// a bullet of Markdown's stands before it.
pub(crate) fn near_miss(line: &str, has_bullet: bool) -> Option<NearMiss> {
    let blank = |c: char| c.is_whitespace() || matches!(c, '\u{200b}' | '\u{feff}');
    let mut rest = line.trim_start_matches(blank);
    let (mut has_bullet, mut is_glued, mut is_enclosed, mut is_other) =
        (has_bullet, false, false, false);
    // What may stand before a box: a bullet or number, then emphasis.
    if !has_bullet {
        if let Some(after) = rest.strip_prefix(['-', '*', '+']) {
            has_bullet = true;
            is_glued = after.starts_with(['[', '(']);
            is_other = !is_glued && !after.starts_with([' ', '\t']);
            rest = after.trim_start_matches(blank);
        } else if let Some(after) = rest.strip_prefix(OTHER_BULLETS) {
            has_bullet = true;
            is_other = true;
            rest = after.trim_start_matches(blank);
        }
    }
    let number = rest.len()
        - rest
            .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')
            .len();
    if number > 0 && number <= 12 {
        rest = rest[number..].strip_prefix(')').unwrap_or(&rest[number..]);
        rest = rest.trim_start_matches(blank);
    }
    for mark in ["***", "**", "__", "*", "_", "``", "`"] {
        if let Some(after) = rest.strip_prefix(mark) {
            is_enclosed = true;
            rest = after.trim_start_matches(blank);
            break;
        }
    }
    let look = look_of(rest)?;
    Some(match look {
        Look::Box if is_glued => NearMiss::NothingBefore,
        _ if is_other => NearMiss::OtherBullet,
        Look::NothingInside => NearMiss::NothingInside,
        Look::OtherMark => NearMiss::OtherMark,
        Look::OtherSign => NearMiss::OtherSign,
        _ if is_enclosed => NearMiss::Enclosed,
        Look::Touched if has_bullet => NearMiss::NothingBehind,
        Look::Touched | Look::Box => NearMiss::NoBullet,
    })
}

enum Look {
    Box,
    /// One that text touches.
    Touched,
    NothingInside,
    OtherMark,
    OtherSign,
}

fn look_of(text: &str) -> Option<Look> {
    if text.starts_with(BOX_SIGNS) {
        return Some(Look::OtherSign);
    }
    if let Some(round) = text.strip_prefix('(') {
        let (inside, after) = round.split_once(')')?;
        let is_mark = matches!(inside, " " | "x" | "X" | "\u{a0}");
        return (is_mark && after.starts_with(char::is_whitespace)).then_some(Look::OtherSign);
    }
    let (inside, after) = text.strip_prefix('[')?.split_once(']')?;
    if after.starts_with(['(', '[', ':']) {
        // A link, or what one leads to.
        return None;
    }
    if inside.is_empty() {
        return Some(Look::NothingInside);
    }
    if matches!(inside, " " | "x" | "X" | "~" | "\u{a0}" | "\t") {
        let is_free = after.is_empty() || after.starts_with(char::is_whitespace);
        let is_closed = after.starts_with(['*', '_', '`']);
        return Some(if is_free || is_closed {
            Look::Box
        } else {
            Look::Touched
        });
    }
    let mut marks = inside.trim().chars();
    let is_mark = match (marks.next(), marks.next()) {
        (None, _) => true,
        (Some(mark), None) => matches!(mark, 'x' | 'X') || !mark.is_alphanumeric(),
        // With a selector of how an emoji is shown.
        (Some(mark), Some('\u{fe0f}')) => !mark.is_alphanumeric(),
        _ => false,
    };
    (is_mark && inside.chars().count() <= 8).then_some(Look::OtherMark)
}

/// Whether all that a table's cell holds is a box to tick.
pub(crate) fn is_box_cell(cell: &str) -> bool {
    matches!(
        cell,
        "[ ]" | "[x]" | "[X]" | "[]" | "☐" | "☑" | "☑️" | "☒" | "⬜" | "🔲"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_box_is_told_from_what_does_not() {
        for (line, has_bullet, expected) in [
            ("[ ] A box", false, Some(NearMiss::NoBullet)),
            ("1.1 [ ] Like a clause", false, Some(NearMiss::NoBullet)),
            ("1.[x] No space", false, Some(NearMiss::NoBullet)),
            ("-[ ] Glued", false, Some(NearMiss::NothingBefore)),
            ("-\u{a0}[ ] Hard space", false, Some(NearMiss::OtherBullet)),
            ("• [ ] Round bullet", false, Some(NearMiss::OtherBullet)),
            ("[] Nothing inside", true, Some(NearMiss::NothingInside)),
            ("[x]Nothing behind", true, Some(NearMiss::NothingBehind)),
            ("[ x ] Padded", true, Some(NearMiss::OtherMark)),
            ("[-] Cancelled", true, Some(NearMiss::OtherMark)),
            ("[✓] Ticked", true, Some(NearMiss::OtherMark)),
            ("☐ Ballot box", false, Some(NearMiss::OtherSign)),
            ("( ) Round", true, Some(NearMiss::OtherSign)),
            ("**[ ] Bold** text", true, Some(NearMiss::Enclosed)),
            ("`[ ]` Code", true, Some(NearMiss::Enclosed)),
            ("[A](https://example.org) is a link", true, None),
            ("[ ]: https://example.org", false, None),
            ("[1] is a source", false, None),
            ("[^1] is a note", false, None),
            ("[!NOTE]", false, None),
            ("(x86) machines", true, None),
            ("Runs of 3 [ ] within", false, None),
            ("- plain", false, None),
            ("", false, None),
        ] {
            assert_eq!(near_miss(line, has_bullet), expected, "{line}");
        }
    }
}
