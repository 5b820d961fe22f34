//! The activity log: append-only, each entry carrying the digest of the one before.

use serde::{Deserialize, Serialize};

use crate::{Digest, Millis};

/// The digest "before" the first entry.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What is hashed of one entry. `sequence` counts from 1 without gaps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub sequence: i64,
    pub at: Millis,
    /// The person's id, or `system`.
    pub actor: String,
    /// What was done: `item.review_requested`, `scan.imported`, …
    pub action: String,
    /// What it was done to: `item`, `scan`, …
    pub subject_kind: String,
    pub subject: String,
    pub service: Option<String>,
    pub review: Option<String>,
    /// One plain sentence for people, without the actor's name: "asked for review".
    pub summary: String,
    /// JSON texts of what changed; absent where there is nothing before or after.
    pub before: Option<String>,
    pub after: Option<String>,
    /// The digest of the entry before, [`GENESIS`] for the first.
    pub previous: String,
}

impl Entry {
    /// The digest of this entry, which the next one carries.
    pub fn digest(&self) -> Digest {
        Digest::of_canonical(self)
    }
}

/// The first thing wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    #[error("entry {sequence} is missing or out of order")]
    Gap { sequence: i64 },
    #[error("entry {sequence} does not carry the digest of the entry before it")]
    Broken { sequence: i64 },
    #[error("entry {sequence} was changed after it was written: its digest is not the stored one")]
    Changed { sequence: i64 },
}

/// Checks entries one after the other, so that a log of any length is verified in constant memory.
#[derive(Clone, Debug)]
pub struct ChainVerifier {
    previous: String,
    length: i64,
}

impl Default for ChainVerifier {
    fn default() -> Self {
        Self {
            previous: GENESIS.to_owned(),
            length: 0,
        }
    }
}

impl ChainVerifier {
    /// Takes the next entry with the digest that was stored for it.
    pub fn take(&mut self, entry: &Entry, stored: &str) -> Result<(), ChainError> {
        let sequence = self.length + 1;
        if entry.sequence != sequence {
            return Err(ChainError::Gap { sequence });
        }
        if entry.previous != self.previous {
            return Err(ChainError::Broken { sequence });
        }
        if entry.digest().as_str() != stored {
            return Err(ChainError::Changed { sequence });
        }
        stored.clone_into(&mut self.previous);
        self.length = sequence;
        Ok(())
    }

    pub fn length(&self) -> i64 {
        self.length
    }

    /// The digest of the last entry taken.
    pub fn head(&self) -> &str {
        &self.previous
    }
}
