//! Scanner files to findings, one module for each format.
//!
//! The crate reads bytes and knows neither where they come from nor where findings go. It decides what a file says
//! ([`read`], [`read_source`]), which finding is the same as one seen before ([`identity`]) and what a new scan changes
//! ([`compare`]); it stores nothing, and it never decides what a person has to decide. Start reading at [`Report`] and
//! [`Importer`]; a format's own rules are in its module under [`formats`].

mod body;
pub mod compare;
mod cut;
mod error;
mod finding;
pub mod formats;
pub mod identity;
mod importer;
mod input;
pub mod json;
mod path_names;
mod read;
mod relocation;
pub mod text;

pub use body::{Body, Pieces};
pub use error::ImportError;
pub use finding::{
    Category, CodeFlow, Completeness, Counts, FileChange, Finding, Fix, FormerFingerprint, Place,
    Problem, Replacement, Report, ScannerStatus, Shared, SourceLine, Summary, Tool,
};
pub use importer::{
    Confidence, IMPORTERS, Importer, Shape, Sink, Sniff, StreamingImporter, importer,
};
pub use input::{Input, InputLimits, ReadSeek, Source, files_in_zip};
pub use path_names::{PathName, PathNames};
pub use read::{detect, read, read_bytes, read_into, read_source};
pub use relocation::Relocation;
