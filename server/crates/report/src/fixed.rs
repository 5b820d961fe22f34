//! A decided report as it is kept: the facts of its moment and the text made of them, so that it is the same whenever it is
//! asked for, whatever became of what it speaks of, and of the program that wrote it.

use std::io::{self, Read, Write as _};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use holdpoint_domain::{Digest, digest::canonical_json};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Facts, markdown::markdown_of};

/// The version of the document, in its `format` field.
pub const FIXED_FORMAT: &str = "holdpoint-fixed-report@v1";

/// No report is larger unpacked; what claims to be is not read to its end.
const MAX_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// The report and what it was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixedReport {
    format: String,
    /// In the order of the report.
    pub facts: Facts,
    /// `report.md`.
    pub report: String,
}

/// A [`FixedReport`] packed for keeping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedReport {
    /// Of the document as canonical JSON.
    pub sha256: Digest,
    pub report_sha256: Digest,
    /// The document, gzipped.
    pub bytes: Vec<u8>,
}

/// Why a kept report cannot be read.
#[derive(Debug, Error)]
pub enum FixedReportError {
    #[error("the kept report cannot be read")]
    Read(#[from] io::Error),
    #[error("the kept report does not have its digest any more")]
    Damaged,
    #[error("the kept report is no report that this version reads")]
    Format(#[from] serde_json::Error),
    #[error("the kept report has the format {0:?}, and this version reads {FIXED_FORMAT}")]
    Version(String),
}

impl FixedReport {
    /// Writes the report of these facts.
    pub fn of(facts: Facts) -> Self {
        let facts = facts.sorted();
        Self {
            format: FIXED_FORMAT.to_owned(),
            report: markdown_of(&facts),
            facts,
        }
    }

    pub fn pack(&self) -> PackedReport {
        let document = canonical_json(self);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        let bytes = gzip
            .write_all(document.as_bytes())
            .and_then(|()| gzip.finish())
            .expect("memory takes whatever is written");
        PackedReport {
            sha256: Digest::of(document.as_bytes()),
            report_sha256: Digest::of(self.report.as_bytes()),
            bytes,
        }
    }

    /// Reads a kept report, if it still has its digest.
    pub fn unpack(packed: impl Read, sha256: &Digest) -> Result<Self, FixedReportError> {
        let mut document = Vec::new();
        GzDecoder::new(packed)
            .take(MAX_BYTES)
            .read_to_end(&mut document)?;
        if Digest::of(&document) != *sha256 {
            return Err(FixedReportError::Damaged);
        }
        let report: Self = serde_json::from_slice(&document)?;
        if report.format != FIXED_FORMAT {
            return Err(FixedReportError::Version(report.format));
        }
        Ok(report)
    }
}
