//! Near misses: what looks like a task to a person, and is none to a Markdown reader.

use crate::Problem;
use crate::source::Source;
use crate::tree::{Kind, Tree};

pub(crate) fn look_over(source: &Source<'_>, tree: &Tree<'_>, problems: &mut Vec<Problem>) {
    for node in tree.all(|kind| matches!(kind, Kind::Item | Kind::Paragraph | Kind::Break)) {
        let (at, message) = match tree.kind(node) {
            Kind::Item if tree.box_of(node).is_some() => continue,
            Kind::Item => {
                let at = tree.range(node).start;
                (at, bad_box(without_bullet(source.line_from(at))))
            }
            Kind::Paragraph => {
                let at = tree.range(node).start;
                (at, glued_bullet(source.line_from(at)))
            }
            // What follows a line break inside a paragraph.
            _ => {
                let Some(next) = tree.nodes.get(node + 1) else {
                    continue;
                };
                let at = next.range.start;
                (at, glued_bullet(source.line_from(at)))
            }
        };
        if let Some(message) = message {
            problems.push(Problem {
                line: source.line(at),
                message: message.to_owned(),
            });
        }
    }
}

fn without_bullet(line: &str) -> &str {
    let line = line.trim_start();
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    line.get(digits + 1..).unwrap_or("").trim_start()
}

fn bad_box(text: &str) -> Option<&'static str> {
    if text.starts_with("[]") && !text.starts_with("[](") {
        return Some("`[]` is no box. Write `[ ]`, with a space inside.");
    }
    let after = ["[ ]", "[x]", "[X]"]
        .iter()
        .find_map(|task| text.strip_prefix(task))?;
    let is_link = after.starts_with(['(', '[', ':']);
    (!is_link && after.starts_with(|c: char| !c.is_whitespace()))
        .then_some("this is no task, since the text touches the box. Write a space after `]`.")
}

fn glued_bullet(line: &str) -> Option<&'static str> {
    let rest = line.trim_start().strip_prefix(['-', '*', '+'])?;
    ["[ ]", "[x]", "[X]", "[]"]
        .iter()
        .any(|task| rest.starts_with(task))
        .then_some("this is no task, since the box touches the bullet. Write `- [ ]`.")
}
