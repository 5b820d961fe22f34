//! The document written back: the same bytes, save for the inside of boxes.

use crate::{Document, Item, parse};

/// Ticks the boxes of cleared items and leaves all else as it is, boxes included that are ticked already.
/// With nothing cleared, these are the same bytes.
pub fn tick(source: &str, is_cleared: impl Fn(&Item) -> bool) -> String {
    tick_document(source, &parse(source), is_cleared)
}

/// Makes the boxes say exactly what is cleared: ticks those of cleared items, and empties the others. This is what a review
/// writes back, so that a box somebody ticked by hand does not pass for a decision.
pub fn write_back(source: &str, is_cleared: impl Fn(&Item) -> bool) -> String {
    write_back_document(source, &parse(source), is_cleared)
}

/// As [`tick`], for a document that was read otherwise than by default. It must have been read from this source.
pub fn tick_document(
    source: &str,
    document: &Document,
    is_cleared: impl Fn(&Item) -> bool,
) -> String {
    with_boxes(source, document, |item| {
        (!item.ticked && is_cleared(item)).then_some('x')
    })
}

/// As [`write_back`], for a document that was read otherwise than by default. It must have been read from this source.
pub fn write_back_document(
    source: &str,
    document: &Document,
    is_cleared: impl Fn(&Item) -> bool,
) -> String {
    with_boxes(source, document, |item| {
        match (item.ticked, is_cleared(item)) {
            (false, true) => Some('x'),
            (true, false) => Some(' '),
            _ => None,
        }
    })
}

fn with_boxes(source: &str, document: &Document, mark: impl Fn(&Item) -> Option<char>) -> String {
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    for item in &document.items {
        let (Some(offset), Some(mark)) = (item.box_offset, mark(item)) else {
            continue;
        };
        // Of another source the places would be anything: never write but between brackets.
        let inside = source
            .get(offset.saturating_sub(1)..)
            .and_then(inside_of_box);
        if let Some(inside) = inside.filter(|_| offset > at) {
            out.push_str(&source[at..offset]);
            out.push(mark);
            at = offset + inside.len_utf8();
        }
    }
    out.push_str(&source[at..]);
    out
}

/// What stands in the box that a text begins with.
fn inside_of_box(text: &str) -> Option<char> {
    let mut chars = text.strip_prefix('[')?.chars();
    let inside = chars.next()?;
    let is_mark = matches!(
        inside,
        ' ' | '\t' | '\u{b}' | '\u{c}' | '\u{a0}' | 'x' | 'X' | '~'
    );
    (is_mark && chars.next() == Some(']')).then_some(inside)
}
