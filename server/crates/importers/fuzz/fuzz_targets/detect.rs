//! Any bytes: which format they are, and what that format reads in them.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "patience.rs"]
mod patience;
#[path = "promises.rs"]
mod promises;

fuzz_target!(|bytes: &[u8]| {
    promises::hold(bytes, None);
    patience::check();
});
