//! Any bytes, read as the format that `HOLDPOINT_FUZZ_FORMAT` names, so that each format is tried for a time of its own.
//!
//! Without the variable, the first byte chooses the format.
#![no_main]

use std::sync::LazyLock;

use holdpoint_importers::{IMPORTERS, importer};
use libfuzzer_sys::fuzz_target;

#[path = "patience.rs"]
mod patience;
#[path = "promises.rs"]
mod promises;

static NAMED: LazyLock<Option<&'static str>> = LazyLock::new(|| {
    let name = std::env::var("HOLDPOINT_FUZZ_FORMAT").ok()?;
    let named = importer(&name).unwrap_or_else(|error| panic!("HOLDPOINT_FUZZ_FORMAT: {error}"));
    Some(named.name())
});

fuzz_target!(|bytes: &[u8]| {
    let (format, bytes) = match (*NAMED, bytes) {
        (Some(format), bytes) => (format, bytes),
        (None, []) => return,
        (None, [first, rest @ ..]) => (
            IMPORTERS[usize::from(*first) % IMPORTERS.len()].name(),
            rest,
        ),
    };
    promises::hold(bytes, Some(format));
    patience::check();
});
