//! Why a scanner file was refused.

use thiserror::Error;

use crate::text::shortened;

/// What a refusal shows of a place and of what is wrong there, in characters: both may repeat what the file says.
const MOST_SHOWN: usize = 400;

/// A file that is refused, as a whole: what was expected, where it broke, what to do.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ImportError {
    #[error("The file is empty. Run the scanner again and upload its report.")]
    Empty,
    #[error(
        "This is a web page, not a scanner report (it begins with {begins:?}). A sign-in page is often saved in place of \
         a report: check the address and the credentials of the download."
    )]
    NotAReport { begins: String },
    #[error(
        "The file is empty. {title} writes nothing when it has found nothing, which is no evidence of a scan: {advice}"
    )]
    EmptyLines {
        title: &'static str,
        advice: &'static str,
    },
    #[error(
        "No known scanner format was recognised in the file's content. {} Name the format if you know it, or let the tool \
         write SARIF 2.1.0.",
        if nearest.is_empty() {
            "It is like none of them.".to_owned()
        } else {
            format!("It is most like: {nearest}.")
        }
    )]
    UnknownFormat {
        /// With what is missing for each; empty if there is none.
        nearest: String,
    },
    #[error(
        "The content alone does not say which format this is; it could be: {formats}. Name the format, or give the file \
         its name."
    )]
    Ambiguous { formats: String },
    #[error("There is no format called {name:?}. Known formats: {known}.")]
    NoSuchFormat { name: String, known: String },
    #[error("This is not a valid {format} report: at {at}: {message}")]
    Broken {
        format: &'static str,
        /// A JSON path with line and column, or a line.
        at: String,
        message: String,
    },
    #[error(
        "This {format} report has version {found:?}; Holdpoint reads {supported}. Let the scanner write that version."
    )]
    UnsupportedVersion {
        format: &'static str,
        found: String,
        supported: &'static str,
    },
    #[error(
        "The file (or what is packed in it) is larger than {most_bytes} bytes. Split the scan."
    )]
    TooLarge { most_bytes: u64 },
    #[error(
        "{what} larger than {} MiB, which is more than is held in memory. Let the scanner leave out what is not needed.",
        most_bytes >> 20
    )]
    PieceTooLarge {
        /// The piece with its verb: "One result is".
        what: &'static str,
        most_bytes: usize,
    },
    #[error(
        "Line {line} is nested deeper than {most} levels, which no scanner writes. The file is refused."
    )]
    TooDeep { line: usize, most: usize },
    #[error("The packed file is refused: {message}")]
    Archive { message: String },
    #[error("The file could not be read: {message}")]
    Unreadable { message: String },
}

impl ImportError {
    /// A refusal of a file that breaks at a place. Whatever the file has put into its texts, they are one clean line of bounded
    /// length.
    pub(crate) fn broken(format: &'static str, at: &str, message: &str) -> Self {
        Self::Broken {
            format,
            at: shortened(at, MOST_SHOWN),
            message: shortened(message, MOST_SHOWN),
        }
    }
}
