//! The sample review, from its facts to a signed report and bundle, and back to a verdict on both.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod allowed_signers;
mod exports;
mod fixed;
mod linear;
mod log;
mod report;
mod sample;
mod verify;
