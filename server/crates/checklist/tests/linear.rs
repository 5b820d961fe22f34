//! Reading a document, writing it back and comparing it with another take time in proportion to its length, whatever is in it.

use holdpoint_checklist::{Reading, difference, normalise, parse, parse_as, write_back};
use holdpoint_hostile::assert_all_linear;

/// The length that is compared with four times as much.
const BYTES: usize = 8_000;

#[test]
fn reading_is_linear() {
    assert_all_linear(BYTES, parse);
}

#[test]
fn every_reading_is_linear() {
    for reading in Reading::ALL {
        assert_all_linear(BYTES, |text| parse_as(text, *reading, None));
    }
}

#[test]
fn normalising_is_linear() {
    assert_all_linear(BYTES, |text| normalise(text, Some("2.1.3")));
}

#[test]
fn writing_back_is_linear() {
    assert_all_linear(BYTES, |text| write_back(text, |item| item.line % 2 == 0));
}

#[test]
fn comparing_with_another_document_is_linear() {
    assert_all_linear(BYTES, |text| {
        let other = parse(&text.replace('a', "e"));
        difference(&parse(text), &other)
    });
}
