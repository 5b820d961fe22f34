//! Evidence: what its digest is made of, and when it is stale.

use serde::Serialize;

use crate::{Digest, Millis, digest::canonical_json, text::Commit};

/// What is digested of a piece that is no file: a link, a note or a command's output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EvidenceText<'a> {
    pub kind: &'a str,
    pub title: &'a str,
    pub body: &'a str,
    pub command: Option<&'a str>,
    pub exit_code: Option<i64>,
    pub host: Option<&'a str>,
    pub observed_at: Millis,
}

impl EvidenceText<'_> {
    /// The bytes that are digested.
    pub fn bytes(&self) -> Vec<u8> {
        canonical_json(self).into_bytes()
    }

    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes())
    }
}

/// What evidence and its review say of commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin<'a> {
    /// The commit that it was taken at; absent for evidence that names none, which is *unpinned*.
    pub commit: Option<&'a str>,
    /// The review's target when it was attached.
    pub target_then: Option<&'a str>,
    /// The review's target now.
    pub target: Option<&'a str>,
}

impl Pin<'_> {
    pub const fn is_unpinned(self) -> bool {
        self.commit.is_none()
    }

    /// Whether it is of another commit than the target. Of unpinned evidence nobody knows what it is of, so it can be of the target
    /// only while that is the one it was attached for.
    pub fn is_stale(self) -> bool {
        match (self.commit.or(self.target_then), self.target) {
            (Some(of), Some(target)) => !Commit::same(of, target),
            (Some(_), None) => self.is_unpinned(),
            (None, target) => target.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_stale_when_it_is_not_of_the_target() {
        for (commit, target_then, target, expected) in [
            (Some("aaaaaaa"), Some("aaaaaaa"), Some("aaaaaaa"), false),
            (Some("aaaaaaa"), Some("bbbbbbb"), Some("aaaaaaabbb"), false),
            (Some("aaaaaaa"), Some("aaaaaaa"), Some("bbbbbbb"), true),
            (Some("aaaaaaa"), None, None, false),
            (None, Some("aaaaaaa"), Some("aaaaaaa"), false),
            (None, Some("aaaaaaa"), Some("bbbbbbb"), true),
            (None, Some("aaaaaaa"), None, true),
            (None, None, Some("aaaaaaa"), true),
            (None, None, None, false),
        ] {
            let pin = Pin {
                commit,
                target_then,
                target,
            };
            assert_eq!(pin.is_stale(), expected, "{pin:?}");
        }
    }
}
