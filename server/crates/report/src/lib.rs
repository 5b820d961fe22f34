//! A review's facts to report.md, JSON, SARIF, CSV and bundle; signing them, and verifying them again offline.
//!
//! No database, no clock, no randomness and no locale: [`Facts`] in, the same bytes out. Start reading at [`facts`].

pub mod escape;
pub mod facts;
mod format;
mod markdown;
pub mod signing;

pub use facts::Facts;
pub use markdown::markdown;
