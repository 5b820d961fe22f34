//! What was signed under the first version of the normalisation, as it is stored.
//!
//! It said less than today's contents: nothing of who signed, of the target commit or of the policy, and of a finding only number,
//! title, severity and status. The shapes are kept so that old signatures can be read and compared; nothing new is signed by them.

use serde::{Deserialize, Serialize};

use super::{DeliverableContent, PatchContent, ReviewItemContent, ReviewScanContent, Signer};
use crate::{Decision, Digest, FindingStatus, Gating, Millis, Policy, Severity};

/// The version of the normalisation that these contents name.
pub const NORMALISATION: u32 = 1;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemContent {
    pub normalisation: u32,
    pub review: String,
    pub key: String,
    pub title: String,
    pub requirement: String,
    pub gating: Gating,
    pub evidence: Vec<EvidenceContent>,
    pub findings: Vec<FindingContent>,
    pub patches: Vec<PatchContent>,
    pub decision: Decision,
    pub statement: String,
    pub waived_until: Option<Millis>,
    pub risk: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceContent {
    pub id: String,
    pub kind: String,
    pub title: String,
    pub sha256: String,
    pub commit: Option<String>,
    pub stale: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingContent {
    pub number: i64,
    pub title: String,
    pub severity: Severity,
    pub status: FindingStatus,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewContent {
    pub normalisation: u32,
    pub service: String,
    pub review: String,
    pub release: String,
    pub commit: Option<String>,
    pub policy: Policy,
    pub items: Vec<ReviewItemContent>,
    pub findings: Vec<FindingContent>,
    pub scans: Vec<ReviewScanContent>,
    pub deliverables: Vec<DeliverableContent>,
    pub decision: String,
    pub statement: String,
}

impl ItemContent {
    /// The digest that was signed.
    pub fn digest(&self) -> Digest {
        Digest::of_canonical(self)
    }
}

impl ReviewContent {
    /// The digest that was signed.
    pub fn digest(&self) -> Digest {
        Digest::of_canonical(self)
    }
}

/// As a content of today, with nothing in what the first version did not say: for the difference of two of them.
impl From<ItemContent> for super::ItemContent {
    fn from(old: ItemContent) -> Self {
        Self {
            normalisation: old.normalisation,
            review: old.review,
            item: String::new(),
            round: 0,
            key: old.key,
            title: old.title,
            requirement: old.requirement,
            gating: old.gating,
            commit: None,
            requested_by: None,
            evidence: old
                .evidence
                .into_iter()
                .map(|evidence| super::EvidenceContent {
                    id: evidence.id,
                    kind: evidence.kind,
                    title: evidence.title,
                    sha256: evidence.sha256,
                    words: None,
                    commit: evidence.commit,
                    target: None,
                    place: None,
                    observed_at: 0,
                    by: String::new(),
                    stale: evidence.stale,
                })
                .collect(),
            findings: old.findings.into_iter().map(Into::into).collect(),
            patches: old.patches,
            decision: old.decision,
            statement: old.statement,
            waived_until: old.waived_until,
            risk: old.risk,
            signer: Signer::default(),
            policy: Policy::default(),
        }
    }
}

impl From<FindingContent> for super::FindingContent {
    fn from(old: FindingContent) -> Self {
        Self {
            number: old.number,
            title: old.title,
            severity: old.severity,
            status: old.status,
            says: None,
            identifiers: None,
            rule: None,
            component: None,
            place: None,
            explanation: None,
            claim: None,
            accepted_until: None,
            duplicate_of: None,
        }
    }
}

impl From<ReviewContent> for super::ReviewContent {
    fn from(old: ReviewContent) -> Self {
        Self {
            normalisation: old.normalisation,
            service: old.service,
            review: old.review,
            title: String::new(),
            release: old.release,
            commit: old.commit,
            policy: old.policy,
            items: old.items,
            findings: old.findings.into_iter().map(Into::into).collect(),
            scans: old.scans,
            deliverables: old.deliverables,
            decision: old.decision,
            statement: old.statement,
            signer: Signer::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_the_first_version_does_not_change() {
        let content = ItemContent {
            normalisation: NORMALISATION,
            review: "r".into(),
            key: "2.5.1".into(),
            title: "Critical Path Review".into(),
            requirement: crate::normalise::version_1("- [ ] Re-read  `OrderExecutor`."),
            gating: Gating::Blocker,
            evidence: vec![EvidenceContent {
                id: "e1".into(),
                kind: "note".into(),
                title: "Walkthrough".into(),
                sha256: "aa".into(),
                commit: None,
                stale: false,
            }],
            findings: vec![FindingContent {
                number: 1,
                title: "Jitter".into(),
                severity: Severity::Critical,
                status: FindingStatus::Fixed,
            }],
            patches: vec![],
            decision: Decision::Pass,
            statement: String::new(),
            waived_until: None,
            risk: None,
        };
        assert_eq!(
            content.digest().as_str(),
            "48296498a10ae7c68d78f5e4522ed6f2ba9106514b612e84a25c825b55fb9c0a"
        );
    }
}
