//! Scanner files to findings, one module for each format.
//!
//! The crate reads bytes and knows neither where they come from nor where findings go. It decides what a file says, which finding is the same as one seen before (`identity`) and what a new scan changes
//! (`compare`); it stores nothing, and it never decides what a person has to decide. Start reading at [`Report`] and
//! [`Importer`].

mod error;
mod finding;
mod importer;

pub use error::ImportError;
pub use finding::{
    Category, CodeFlow, Completeness, Counts, FileChange, Finding, Fix, Place, Problem,
    Replacement, Report, ScannerStatus, Shared, Summary, Tool,
};
pub use importer::{Confidence, IMPORTERS, Importer, Sink, Sniff};
