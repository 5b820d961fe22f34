//! People's texts are written into the report in time in proportion to their length, whatever is in them.

use holdpoint_hostile::assert_all_linear;
use holdpoint_report::escape;

/// The length that is compared with four times as much.
const BYTES: usize = 8_000;

#[test]
fn a_block_is_written_in_linear_time() {
    assert_all_linear(BYTES, escape::block);
}

#[test]
fn a_text_on_one_line_is_written_in_linear_time() {
    assert_all_linear(BYTES, escape::flat);
    assert_all_linear(BYTES, escape::first_paragraph);
}

#[test]
fn plain_texts_are_written_in_linear_time() {
    assert_all_linear(BYTES, |text| {
        escape::line(text).len()
            + escape::heading(text).len()
            + escape::code(text).len()
            + escape::address(text).len()
            + escape::fenced(Some(text), text).len()
            + escape::quote(text).len()
    });
}
