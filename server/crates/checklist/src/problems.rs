//! Near misses: what looks like a task to a person, and is none to a Markdown reader.

use std::collections::HashSet;

use crate::Problem;
use crate::boxes::{self, NearMiss, line_of, near_miss};
use crate::readings::{Found, What};
use crate::source::Source;
use crate::tree::{Kind, Tree};

/// Reports each line that looks like a box and is no item.
pub(crate) fn look_over(
    source: &Source<'_>,
    tree: &Tree<'_>,
    found: &Found,
    problems: &mut Vec<Problem>,
) {
    let mut read = HashSet::new();
    for candidate in &found.candidates {
        read.insert(match candidate.what {
            What::ListItem { node } => node,
            What::Row { table, row } => found.tables[table].rows[row].node,
            What::Question { .. } => continue,
        });
    }
    let mut report = |at: usize, message: &str| {
        problems.push(Problem {
            line: source.line(at),
            message: message.to_owned(),
        });
    };
    let nearly = |at: usize, has_bullet: bool| near_miss(line_of(source, at), has_bullet);
    for node in tree.all(|kind| {
        matches!(
            kind,
            Kind::Item
                | Kind::Paragraph
                | Kind::Break
                | Kind::Heading(_)
                | Kind::Row { head: false }
        )
    }) {
        let at = tree.range(node).start;
        match tree.kind(node) {
            Kind::Item if tree.box_of(node).is_some() => {}
            Kind::Item => {
                let Some(first) = tree.first_inline(node) else {
                    continue;
                };
                let at = tree.range(first).start;
                let near = nearly(at, true).filter(|near| !is_read(*near, read.contains(&node)));
                if let Some(near) = near {
                    report(at, near.message());
                }
            }
            Kind::Heading(_) => {
                let text = line_of(source, at).trim_start_matches([' ', '#']);
                if near_miss(text, true).is_some() {
                    report(
                        at,
                        "a heading is no task. Write `- [ ]` below it, with what is to be shown.",
                    );
                }
            }
            Kind::Row { .. } if read.contains(&node) => {}
            Kind::Row { .. } => {
                let mut cells = tree.children(node);
                if cells.any(|cell| boxes::is_box_cell(&tree.plain(cell))) {
                    report(
                        at,
                        "a row of a table is no task. Choose the reading “Tables”, or write `- [ ]`.",
                    );
                }
            }
            // What a list item begins with was looked at with it.
            Kind::Paragraph if is_start_of_item(tree, node) => {}
            Kind::Paragraph => {
                if let Some(near) = nearly(at, false) {
                    report(at, near.message());
                }
            }
            // What follows a line break inside a paragraph.
            _ => {
                let Some(next) = tree.nodes.get(node + 1) else {
                    continue;
                };
                if let Some(near) = nearly(next.range.start, false) {
                    report(next.range.start, near.message());
                }
            }
        }
    }
}

/// Whether an entry that is an item without its box loses nothing: the sign is part of its title then.
fn is_read(near: NearMiss, is_item: bool) -> bool {
    is_item && near == NearMiss::OtherSign
}

fn is_start_of_item(tree: &Tree<'_>, paragraph: usize) -> bool {
    let parent = tree.nodes[paragraph].parent;
    tree.kind(parent) == Kind::Item && paragraph == parent + 1
}
