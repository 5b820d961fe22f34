//! The activity log: append-only, each entry carrying the digest of the one before.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Digest, Millis, digest::canonical_json};

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
    /// What the entry is hashed as.
    pub fn canonical(&self) -> String {
        canonical_json(self)
    }

    /// The digest of this entry, which the next one carries.
    pub fn digest(&self) -> Digest {
        Digest::of(self.canonical().as_bytes())
    }
}

/// The fields of `after` that are not as the log has them. Fields that only one side has do not count: earlier versions
/// wrote fewer. A log that has no fields at all contradicts everything.
pub fn contradictions(after: Option<&str>, stored: &Map<String, Value>) -> Vec<String> {
    let logged = after.and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
    let Some(logged) = logged else {
        return stored.keys().cloned().collect();
    };
    stored
        .iter()
        .filter(|(name, value)| logged.get(*name).is_some_and(|logged| logged != *value))
        .map(|(name, _)| name.clone())
        .collect()
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
    /// Takes the next entry, as it is and in its canonical form, with the digest that was stored for it.
    pub fn take(&mut self, entry: &Entry, canonical: &str, stored: &str) -> Result<(), ChainError> {
        let sequence = self.length + 1;
        if entry.sequence != sequence {
            return Err(ChainError::Gap { sequence });
        }
        if entry.previous != self.previous {
            return Err(ChainError::Broken { sequence });
        }
        if Digest::of(canonical.as_bytes()).as_str() != stored {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_log_says_otherwise_is_named() {
        let stored = json!({ "decision": "pass", "person": "ana", "risk": null });
        let Value::Object(stored) = stored else {
            panic!("it is an object")
        };
        let cases: [(Option<&str>, &[&str]); 7] = [
            (
                Some(r#"{"decision":"pass","person":"ana","risk":null}"#),
                &[],
            ),
            (Some(r#"{"decision":"pass","state":"passed"}"#), &[]),
            (
                Some(r#"{"decision":"fail","person":"eve"}"#),
                &["decision", "person"],
            ),
            (Some(r#"{"risk":""}"#), &["risk"]),
            (Some("{}"), &[]),
            (Some("[]"), &["decision", "person", "risk"]),
            (None, &["decision", "person", "risk"]),
        ];
        for (after, expected) in cases {
            assert_eq!(contradictions(after, &stored), expected, "{after:?}");
        }
    }
}
