//! A review's facts to report.md, JSON, SARIF, CSV and bundle; signing them, and verifying them again offline.
//!
//! No database, no clock, no randomness and no locale: [`Facts`] in, the same bytes out. Start reading at [`facts`], which
//! is what comes in, then [`markdown()`], which is what people read, and [`verifying`].

pub mod allowed_signers;
mod archive;
pub mod bundle;
pub mod escape;
pub mod exports;
pub mod facts;
pub mod fixed;
mod format;
pub mod keyring;
pub mod log;
mod markdown;
pub mod signing;
pub mod verifying;

pub use bundle::{
    BundleError, Contents, Manifest, ManifestFile, Member, MemberOf, bundle, members,
};
pub use exports::{csv, json, sarif};
pub use facts::Facts;
pub use fixed::{FixedReport, FixedReportError, PackedReport};
pub use format::timestamp;
pub use keyring::{KeyRing, ListedKey, SignedKeyList};
pub use markdown::markdown;
pub use signing::{AllowedKeys, SigningKey};
pub use verifying::{Verification, inspect_report, verify_bundle, verify_report};
