//! What a person signs: the canonical content of an item or a review, its digest, and what has changed since.
//!
//! A sign-off keeps the content it was made over. It is valid while the content of now, with the sign-off's own decision
//! and statement put in, has the same digest; otherwise it is void, and [`changes`] says which input changed. Nothing
//! stores "void": it is always computed.

use serde::{Deserialize, Serialize};

use crate::{Decision, Digest, FindingStatus, Gating, PatchState, Policy, Severity, normalise};

/// Everything of an item that a reviewer sees and decides on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemContent {
    /// The version of the text normalisation, see [`normalise`].
    pub normalisation: u32,
    pub review: String,
    pub key: String,
    pub title: String,
    /// Normalised.
    pub requirement: String,
    pub gating: Gating,
    /// Sorted by id, without withdrawn or superseded pieces.
    pub evidence: Vec<EvidenceContent>,
    /// Sorted by number.
    pub findings: Vec<FindingContent>,
    /// Sorted by number.
    pub patches: Vec<PatchContent>,
    pub decision: Decision,
    /// Normalised; empty when a pass says nothing more.
    pub statement: String,
    /// For a waiver: the last day it holds, and the risk taken.
    pub waived_until: Option<i64>,
    pub risk: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceContent {
    pub id: String,
    pub kind: String,
    pub title: String,
    /// Of the file's bytes, or of the canonical text of a link, note or command output.
    pub sha256: String,
    pub commit: Option<String>,
    /// Whether it was stale against the target commit when signed.
    pub stale: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingContent {
    pub number: i64,
    /// Normalised.
    pub title: String,
    pub severity: Severity,
    pub status: FindingStatus,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchContent {
    pub number: i64,
    pub sha256: String,
    /// `proposed`, `rejected` or `approved`: being applied and verified is the approved patch going its way.
    pub standing: String,
}

/// How a patch's state counts in a content.
pub const fn patch_standing(state: PatchState) -> &'static str {
    match state {
        PatchState::Proposed => "proposed",
        PatchState::Rejected => "rejected",
        PatchState::Approved | PatchState::Applied | PatchState::Verified => "approved",
    }
}

impl ItemContent {
    /// The digest that is signed.
    pub fn digest(&self) -> Digest {
        Digest::of_canonical(self)
    }

    /// The digest of what the signer was shown, before they said anything: the sign form carries it, so that nobody
    /// signs what has changed since they looked.
    pub fn basis(&self) -> Digest {
        basis(self, &["decision", "statement", "waived_until", "risk"])
    }
}

fn basis<T: Serialize>(content: &T, said: &[&str]) -> Digest {
    let mut value =
        serde_json::to_value(content).expect("contents have string keys and finite numbers");
    if let Some(fields) = value.as_object_mut() {
        for field in said {
            fields.remove(*field);
        }
    }
    Digest::of_canonical(&value)
}

/// Everything of a review that an approver sees and decides on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewContent {
    pub normalisation: u32,
    pub service: String,
    pub review: String,
    pub release: String,
    pub commit: Option<String>,
    pub policy: Policy,
    /// Sorted by key.
    pub items: Vec<ReviewItemContent>,
    /// Those that count for the review and are of a blocking severity; sorted by number.
    pub findings: Vec<FindingContent>,
    /// Newest scan of each series: label and file digest; sorted.
    pub scans: Vec<ReviewScanContent>,
    pub deliverables: Vec<DeliverableContent>,
    /// `go` or `no_go`.
    pub decision: String,
    pub statement: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewItemContent {
    pub key: String,
    pub title: String,
    pub gating: Gating,
    pub state: crate::ItemState,
    /// The digests of the valid sign-offs, sorted.
    pub sign_offs: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewScanContent {
    pub series: String,
    pub sha256: String,
    pub commit: Option<String>,
    pub complete: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliverableContent {
    pub title: String,
    pub done: bool,
}

impl ReviewContent {
    pub fn digest(&self) -> Digest {
        Digest::of_canonical(self)
    }

    /// The digest of what the approver was shown, before they said anything.
    pub fn basis(&self) -> Digest {
        basis(self, &["decision", "statement"])
    }
}

/// One input of a sign-off that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What changed, for people: "evidence race-report.txt", "finding F-2", "requirement".
    pub what: String,
    /// What it was when signed; absent for something added since.
    pub was: Option<String>,
    /// What it is now; absent for something removed since.
    pub is: Option<String>,
}

/// What changed between the content that was signed and the content of now.
pub fn changes(signed: &ItemContent, now: &ItemContent) -> Vec<Change> {
    let mut found = Vec::new();
    texts(
        &mut found,
        "normalisation",
        &signed.normalisation.to_string(),
        &now.normalisation.to_string(),
    );
    texts(&mut found, "key", &signed.key, &now.key);
    texts(&mut found, "title", &signed.title, &now.title);
    texts(
        &mut found,
        "requirement",
        &signed.requirement,
        &now.requirement,
    );
    texts(
        &mut found,
        "gating",
        signed.gating.as_str(),
        now.gating.as_str(),
    );
    lists(
        &mut found,
        &signed.evidence,
        &now.evidence,
        |e| e.id.clone(),
        |e| format!("evidence {}", e.title),
        |e| {
            let commit = e
                .commit
                .as_deref()
                .map(|c| format!(", pinned to {c}"))
                .unwrap_or_default();
            let stale = if e.stale { ", stale" } else { "" };
            format!("{} with SHA-256 {}{commit}{stale}", e.kind, e.sha256)
        },
    );
    findings(&mut found, &signed.findings, &now.findings);
    lists(
        &mut found,
        &signed.patches,
        &now.patches,
        |p| p.number,
        |p| format!("patch P-{}", p.number),
        |p| format!("{} with SHA-256 {}", p.standing, p.sha256),
    );
    texts(
        &mut found,
        "decision",
        signed.decision.as_str(),
        now.decision.as_str(),
    );
    texts(&mut found, "statement", &signed.statement, &now.statement);
    found
}

/// What changed between the review that was signed and the review of now.
pub fn review_changes(signed: &ReviewContent, now: &ReviewContent) -> Vec<Change> {
    let mut found = Vec::new();
    texts(&mut found, "release", &signed.release, &now.release);
    let none = "none".to_owned();
    texts(
        &mut found,
        "target commit",
        signed.commit.as_ref().unwrap_or(&none),
        now.commit.as_ref().unwrap_or(&none),
    );
    if signed.policy != now.policy {
        let json = |policy: &Policy| crate::digest::canonical_json(policy);
        found.push(Change {
            what: "policy".to_owned(),
            was: Some(json(&signed.policy)),
            is: Some(json(&now.policy)),
        });
    }
    lists(
        &mut found,
        &signed.items,
        &now.items,
        |i| i.key.clone(),
        |i| format!("item {} {}", i.key, i.title),
        |i| {
            format!(
                "{}, {}, signed {}",
                i.gating,
                i.state.label(),
                if i.sign_offs.is_empty() {
                    "by nobody".to_owned()
                } else {
                    i.sign_offs.join(", ")
                }
            )
        },
    );
    findings(&mut found, &signed.findings, &now.findings);
    lists(
        &mut found,
        &signed.scans,
        &now.scans,
        |s| s.series.clone(),
        |s| format!("scan {}", s.series),
        |s| {
            format!(
                "file {} of commit {}{}",
                s.sha256,
                s.commit.as_deref().unwrap_or("unknown"),
                if s.complete { "" } else { ", incomplete" }
            )
        },
    );
    lists(
        &mut found,
        &signed.deliverables,
        &now.deliverables,
        |d| d.title.clone(),
        |d| format!("deliverable {}", d.title),
        |d| if d.done { "done" } else { "not done" }.to_owned(),
    );
    found
}

fn findings(found: &mut Vec<Change>, signed: &[FindingContent], now: &[FindingContent]) {
    lists(
        found,
        signed,
        now,
        |f| f.number,
        |f| format!("finding F-{} {}", f.number, f.title),
        |f| format!("{}, {}", f.severity.label(), f.status.label()),
    );
}

fn texts(found: &mut Vec<Change>, what: &str, was: &str, is: &str) {
    if was != is {
        found.push(Change {
            what: what.to_owned(),
            was: Some(was.to_owned()),
            is: Some(is.to_owned()),
        });
    }
}

fn lists<T: PartialEq, K: PartialEq>(
    found: &mut Vec<Change>,
    signed: &[T],
    now: &[T],
    key: impl Fn(&T) -> K,
    name: impl Fn(&T) -> String,
    show: impl Fn(&T) -> String,
) {
    for old in signed {
        match now.iter().find(|new| key(new) == key(old)) {
            Some(new) if new == old => {}
            Some(new) => found.push(Change {
                what: name(new),
                was: Some(show(old)),
                is: Some(show(new)),
            }),
            None => found.push(Change {
                what: name(old),
                was: Some(show(old)),
                is: None,
            }),
        }
    }
    for new in now {
        if !signed.iter().any(|old| key(old) == key(new)) {
            found.push(Change {
                what: name(new),
                was: None,
                is: Some(show(new)),
            });
        }
    }
}

/// A text as it stands in a content.
pub fn content_text(text: &str) -> String {
    normalise::normalise(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content() -> ItemContent {
        ItemContent {
            normalisation: normalise::VERSION,
            review: "r".into(),
            key: "2.5.1".into(),
            title: "Critical Path Review".into(),
            requirement: content_text("- [ ] Re-read  `OrderExecutor`."),
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
        }
    }

    #[test]
    fn the_digest_does_not_change_between_releases() {
        assert_eq!(
            content().digest().as_str(),
            "48296498a10ae7c68d78f5e4522ed6f2ba9106514b612e84a25c825b55fb9c0a",
            "the canonical content has changed: raise the version"
        );
    }

    #[test]
    fn a_change_that_means_nothing_does_not_void() {
        let mut now = content();
        now.requirement = content_text("* [x] Re-read\n `OrderExecutor`.");
        assert_eq!(now.digest(), content().digest());
    }

    #[test]
    fn each_meaningful_change_is_named() {
        let mut now = content();
        now.requirement = content_text("Re-read `RiskManager`.");
        now.findings[0].status = FindingStatus::Open;
        now.evidence.clear();
        now.patches.push(PatchContent {
            number: 2,
            sha256: "bb".into(),
            standing: "proposed".into(),
        });
        assert_ne!(now.digest(), content().digest());
        let what: Vec<_> = changes(&content(), &now)
            .into_iter()
            .map(|c| (c.what, c.was.is_some(), c.is.is_some()))
            .collect();
        assert_eq!(
            what,
            [
                ("requirement".to_owned(), true, true),
                ("evidence Walkthrough".to_owned(), true, false),
                ("finding F-1 Jitter".to_owned(), true, true),
                ("patch P-2".to_owned(), false, true),
            ]
        );
    }
}
