//! What every text goes through before it is compared or stored takes time in proportion to its length, whatever is in it.

use holdpoint_domain::{
    nesting::shallow,
    normalise::version_1,
    pattern::{NamePattern, PathPattern},
    text::{Name, Prose, Slug},
};
use holdpoint_hostile::{assert_all_linear, assert_linear};

/// The length that is compared with four times as much.
const BYTES: usize = 20_000;

#[test]
fn normalising_is_linear() {
    assert_all_linear(BYTES, version_1);
}

#[test]
fn flattening_is_linear() {
    assert_all_linear(BYTES, |text| shallow(text).len());
}

#[test]
fn checking_a_field_is_linear() {
    assert_all_linear(BYTES, |text| {
        (
            Name::parse(text).is_ok(),
            Prose::parse(text).is_ok(),
            Slug::from_name(text).is_some(),
        )
    });
}

#[test]
fn matching_a_pattern_is_linear() {
    for pattern in [
        "*a".repeat(100),
        "**/a*".repeat(40),
        "?*".repeat(100),
        "*/".repeat(100),
    ] {
        let name = NamePattern::parse(&pattern).unwrap();
        let path = PathPattern::parse(&pattern).unwrap();
        for piece in ["a", "ab", "a/", "b/a"] {
            let text = |bytes: usize| format!("{}!", piece.repeat(bytes / piece.len()));
            assert_linear(&format!("{pattern} on {piece}"), BYTES, text, |text| {
                (name.matches(Some(text)), path.matches(Some(text)))
            });
        }
    }
}
