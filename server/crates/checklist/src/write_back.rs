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
        if offset > at && source.get(offset - 1..).is_some_and(is_box) {
            out.push_str(&source[at..offset]);
            out.push(mark);
            at = offset + 1;
        }
    }
    out.push_str(&source[at..]);
    out
}

fn is_box(text: &str) -> bool {
    matches!(
        text.as_bytes(),
        [b'[', b' ' | b'\t' | 0x0B | 0x0C | b'x' | b'X', b']', ..]
    )
}
