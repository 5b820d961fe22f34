//! What a format has to offer to be read: the [`Importer`] trait, and the registry of all of them.

use crate::{Finding, ImportError, Summary};

/// Every format that Holdpoint reads. A new format is one file beside the others, one test file and one line here.
pub const IMPORTERS: &[&dyn Importer] = &[];

/// How sure an importer is that a file is its own, judged from the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    No,
    /// The content could be of this format, and of others too; the file's name breaks the tie.
    Possible,
    Likely,
    /// The content names the format.
    Certain,
}

/// What an importer sees of a file when it is asked whether it knows it.
#[derive(Clone, Copy, Debug)]
pub struct Sniff<'a> {
    /// The whole content, as UTF-8 without a byte order mark.
    pub bytes: &'a [u8],
    /// The beginning (at most 64 KiB), as text.
    pub head: &'a str,
    /// Without folders, in lower case; empty if unknown.
    pub file_name: &'a str,
}

/// Where findings go while a file is being read.
pub type Sink<'a> = &'a mut dyn FnMut(Finding);

/// One scanner format.
pub trait Importer: Sync {
    /// The stable name of the format, as in `--format`.
    fn name(&self) -> &'static str;

    /// What people call it.
    fn title(&self) -> &'static str;

    /// Ends of file names that speak for this format when the content alone does not decide.
    fn file_names(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether this content is of this format.
    fn detect(&self, sniff: &Sniff<'_>) -> Confidence;

    /// Reads a file and hands each finding to the sink as soon as it is complete. After an error nothing that the sink
    /// got may be kept.
    fn read(&self, bytes: &[u8], sink: Sink<'_>) -> Result<Summary, ImportError>;
}
