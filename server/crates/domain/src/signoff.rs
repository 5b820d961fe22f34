//! What a person signs: the canonical content of an item or a review, its digest, and what has changed since.
//!
//! A sign-off keeps the content it was made over. It is valid while the content of now, with what the signer said and who
//! they were put in, has the same digest; otherwise it is void, and [`changes`] says which input changed, and how. It is void
//! too where the policy of now asks for more than the one that it was signed under ([`unmet_rules`]). Nothing stores "void":
//! it is always computed.

pub mod version_1;

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Decision, Digest, FindingStatus, Gating, Millis, PatchState, Policy, ScannerClaim, Severity,
    digest::canonical_json, text::Date, words,
};

/// How many changes are named one by one.
const MOST_CHANGES: usize = 200;

/// How many characters of a digest are told.
const SHOWN_OF_A_DIGEST: usize = 12;

words! {
    /// By what a signer showed that it was them.
    Factor {
        Password => "password",
    }
}

/// Who signed, when, and as what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signer {
    /// The account's id.
    pub person: String,
    pub name: String,
    /// The account's address.
    pub address: String,
    /// A service role's word, or `admin`.
    pub role: String,
    pub factor: Factor,
    pub at: Millis,
}

impl Default for Signer {
    /// Nobody: for a content that is only shown.
    fn default() -> Self {
        Self {
            person: String::new(),
            name: String::new(),
            address: String::new(),
            role: String::new(),
            factor: Factor::Password,
            at: 0,
        }
    }
}

/// Everything of an item that a reviewer sees and decides on, with what they said and who they were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemContent {
    /// The version of the text normalisation, see [`crate::normalise`].
    pub normalisation: u32,
    pub review: String,
    pub item: String,
    /// Counts up whenever decided work is taken up again.
    pub round: i64,
    pub key: String,
    pub title: String,
    /// Normalised.
    pub requirement: String,
    pub gating: Gating,
    /// The review's target commit.
    pub commit: Option<String>,
    /// Who asked for the review.
    pub requested_by: Option<String>,
    /// Sorted by id, without withdrawn or superseded pieces.
    pub evidence: Vec<EvidenceContent>,
    /// Sorted by number.
    pub findings: Vec<FindingContent>,
    /// Sorted by number.
    pub patches: Vec<PatchContent>,
    pub decision: Decision,
    /// Empty when a pass says nothing more.
    pub statement: String,
    /// For a waiver: the last day it holds, and the risk taken.
    pub waived_until: Option<i64>,
    pub risk: Option<String>,
    pub signer: Signer,
    /// In force when it was signed.
    pub policy: Policy,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceContent {
    pub id: String,
    pub kind: String,
    pub title: String,
    /// Of the file's bytes, or of the canonical text of a link, note or command output, as it is read.
    pub sha256: String,
    /// The digest of the words beside a scan's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    pub commit: Option<String>,
    /// For evidence that names no commit: the review's target when it was attached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The path and lines that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    pub observed_at: Millis,
    /// Who submitted it.
    pub by: String,
    /// Whether it was stale against the target commit when signed.
    pub stale: bool,
}

/// A finding with all that it says. The texts are one digest; the rest is kept as it is, so that a difference can be named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingContent {
    pub number: i64,
    pub title: String,
    pub severity: Severity,
    pub status: FindingStatus,
    /// The digest of what it says, the same that an acceptance of its risk is bound to; absent where only its being open counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
    /// Category, CVE and CWE; absent where the digest is, and in signatures of before they were bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifiers: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// With its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// Path and lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What explains it and how to mend it: the digest of both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// What its scanner says beside that it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<ScannerClaim>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_until: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<i64>,
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
        let said = ["decision", "statement", "waived_until", "risk", "signer"];
        basis(self, &said)
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

/// Everything of a review that an approver sees and decides on, with what they said and who they were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewContent {
    pub normalisation: u32,
    pub service: String,
    pub review: String,
    pub title: String,
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
    pub signer: Signer,
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
    /// The digest that is signed.
    pub fn digest(&self) -> Digest {
        Digest::of_canonical(self)
    }

    /// The digest of what the approver was shown, before they said anything.
    pub fn basis(&self) -> Digest {
        basis(self, &["decision", "statement", "signer"])
    }
}

/// The version of the normalisation that a stored content names; `None` where it is no content.
pub fn version_of(content: &str) -> Option<u32> {
    #[derive(Deserialize)]
    struct Version {
        normalisation: u32,
    }
    serde_json::from_str::<Version>(content)
        .ok()
        .map(|version| version.normalisation)
}

/// One input of a sign-off that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What changed, for people: "evidence race-report.txt", "finding F-2", "requirement".
    pub what: String,
    /// What of it was otherwise when signed; absent for something added since.
    pub was: Option<String>,
    /// What of it is otherwise now; absent for something removed since.
    pub is: Option<String>,
}

/// What guards a signature, as it was when an item was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedUnder {
    /// Whether whoever had submitted could not sign.
    pub four_eyes: bool,
    /// The severities that held a pass back; unknown of the first version's signatures.
    pub blocking_severities: Option<Vec<Severity>>,
    pub decision: Decision,
    pub n_evidence: usize,
    pub n_stale_evidence: usize,
    /// The severities of the linked findings that were open.
    pub open: Vec<Severity>,
}

impl ItemContent {
    /// What guarded this signature.
    pub fn signed_under(&self) -> SignedUnder {
        SignedUnder {
            four_eyes: self.policy.four_eyes,
            blocking_severities: Some(self.policy.blocking()),
            decision: self.decision,
            n_evidence: self.evidence.len(),
            n_stale_evidence: self.evidence.iter().filter(|of| of.stale).count(),
            open: open(self.findings.iter().map(|of| (of.status, of.severity))),
        }
    }
}

impl version_1::ItemContent {
    /// What guarded this signature; whether four eyes did, the first version did not sign.
    pub fn signed_under(&self, four_eyes: bool) -> SignedUnder {
        SignedUnder {
            four_eyes,
            blocking_severities: None,
            decision: self.decision,
            n_evidence: self.evidence.len(),
            n_stale_evidence: self.evidence.iter().filter(|of| of.stale).count(),
            open: open(self.findings.iter().map(|of| (of.status, of.severity))),
        }
    }
}

fn open(findings: impl Iterator<Item = (FindingStatus, Severity)>) -> Vec<Severity> {
    let mut open: Vec<_> = findings
        .filter(|(status, _)| *status == FindingStatus::Open)
        .map(|(_, severity)| severity)
        .collect();
    open.sort_unstable();
    open.dedup();
    open
}

/// What the policy of now asks of a signature and this one was made without; empty where it would be taken today. How many
/// must sign, and who, is counted by the policy of now anyway.
pub fn unmet_rules(signed: &SignedUnder, now: &Policy) -> Vec<Change> {
    let mut unmet = Vec::new();
    let mut rule = |what: &str, was: String, is: String| {
        unmet.push(Change {
            what: format!("policy rule {what}"),
            was: Some(was),
            is: Some(is),
        });
    };
    if now.four_eyes && !signed.four_eyes {
        rule(
            "four eyes",
            "signed while whoever submitted could sign".to_owned(),
            "whoever submits does not sign".to_owned(),
        );
    }
    if signed.decision != Decision::Pass {
        return unmet;
    }
    if now.evidence_required && signed.n_evidence == 0 {
        rule(
            "evidence",
            "passed without evidence".to_owned(),
            "a pass needs evidence".to_owned(),
        );
    }
    if now.stale_evidence_blocks && signed.n_stale_evidence > 0 {
        rule(
            "stale evidence",
            format!("passed with {} stale", signed.n_stale_evidence),
            "stale evidence holds a pass back".to_owned(),
        );
    }
    let labels = |severities: &[Severity]| {
        let labels: Vec<_> = severities.iter().map(|of| of.label()).collect();
        if labels.is_empty() {
            "none".to_owned()
        } else {
            labels.join(", ")
        }
    };
    if signed.open.iter().any(|severity| now.blocks(*severity)) {
        rule(
            "blocking severities",
            signed.blocking_severities.as_deref().map_or_else(
                || format!("passed with open findings: {}", labels(&signed.open)),
                labels,
            ),
            labels(&now.blocking()),
        );
    }
    unmet
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
    texts(&mut found, "review", &signed.review, &now.review);
    texts(&mut found, "item", &signed.item, &now.item);
    texts(
        &mut found,
        "round",
        &signed.round.to_string(),
        &now.round.to_string(),
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
    optional(
        &mut found,
        "target commit",
        signed.commit.as_deref(),
        now.commit.as_deref(),
    );
    optional(
        &mut found,
        "who asked for the review",
        signed.requested_by.as_deref(),
        now.requested_by.as_deref(),
    );
    lists(&mut found, &signed.evidence, &now.evidence);
    lists(&mut found, &signed.findings, &now.findings);
    lists(&mut found, &signed.patches, &now.patches);
    texts(
        &mut found,
        "decision",
        signed.decision.as_str(),
        now.decision.as_str(),
    );
    texts(&mut found, "statement", &signed.statement, &now.statement);
    capped(found)
}

/// What changed between the review that was signed and the review of now. `signer` says in words whose sign-off a digest is of.
pub fn review_changes(
    signed: &ReviewContent,
    now: &ReviewContent,
    signer: &dyn Fn(&str) -> Option<String>,
) -> Vec<Change> {
    let named = |items: &[ReviewItemContent]| -> Vec<_> {
        items.iter().map(|item| item.with_signers(signer)).collect()
    };
    let mut found = Vec::new();
    texts(
        &mut found,
        "normalisation",
        &signed.normalisation.to_string(),
        &now.normalisation.to_string(),
    );
    texts(&mut found, "service", &signed.service, &now.service);
    texts(&mut found, "review", &signed.review, &now.review);
    texts(&mut found, "title", &signed.title, &now.title);
    texts(&mut found, "release", &signed.release, &now.release);
    optional(
        &mut found,
        "target commit",
        signed.commit.as_deref(),
        now.commit.as_deref(),
    );
    policies(&mut found, &signed.policy, &now.policy);
    lists(&mut found, &named(&signed.items), &named(&now.items));
    lists(&mut found, &signed.findings, &now.findings);
    lists(&mut found, &signed.scans, &now.scans);
    lists(&mut found, &signed.deliverables, &now.deliverables);
    capped(found)
}

fn capped(mut found: Vec<Change>) -> Vec<Change> {
    if found.len() > MOST_CHANGES {
        let more = found.len() - MOST_CHANGES;
        found.truncate(MOST_CHANGES);
        found.push(Change {
            what: format!("{more} more"),
            was: None,
            is: None,
        });
    }
    found
}

/// The rules that differ, each with what it was and is.
fn policies(found: &mut Vec<Change>, signed: &Policy, now: &Policy) {
    let rules = |policy| match serde_json::to_value(policy) {
        Ok(Value::Object(rules)) => rules,
        _ => serde_json::Map::new(),
    };
    let now = rules(now);
    for (rule, was) in rules(signed) {
        let is = now.get(&rule).unwrap_or(&Value::Null);
        if *is != was {
            found.push(Change {
                what: format!("policy rule {}", rule.replace('_', " ")),
                was: Some(canonical_json(&was)),
                is: Some(canonical_json(is)),
            });
        }
    }
}

/// A part of a content that has others like it.
trait Part: PartialEq {
    type Key: Eq + Hash;

    /// By which it is found again.
    fn key(&self) -> Self::Key;
    /// How people name it.
    fn name(&self) -> String;
    /// What it is, aspect by aspect, always in the same order.
    fn aspects(&self) -> Vec<Aspect>;
}

/// One thing that a part says of itself.
struct Aspect {
    name: &'static str,
    value: Option<String>,
    /// Whether it is told only where it has changed: a digest, or what the part is named by.
    is_told_if_changed: bool,
}

impl Aspect {
    fn new(name: &'static str, value: impl Into<Option<String>>) -> Self {
        Self {
            name,
            value: value.into(),
            is_told_if_changed: false,
        }
    }

    fn told_if_changed(name: &'static str, value: impl Into<Option<String>>) -> Self {
        Self {
            is_told_if_changed: true,
            ..Self::new(name, value)
        }
    }

    fn digest(name: &'static str, digest: Option<&str>) -> Self {
        Self::told_if_changed(name, digest.map(shortened))
    }

    /// "severity Low".
    fn words(&self) -> String {
        format!("{} {}", self.name, self.value.as_deref().unwrap_or("none"))
    }
}

fn yes_or_no(is_so: bool) -> String {
    if is_so { "yes" } else { "no" }.to_owned()
}

/// The beginning of a digest, by which people tell it from another.
fn shortened(digest: &str) -> String {
    match digest.get(..SHOWN_OF_A_DIGEST) {
        Some(start) if start.len() < digest.len() => format!("{start}…"),
        _ => digest.to_owned(),
    }
}

/// "2026-02-10 23:59:59.999 UTC": every moment of a day apart from the others.
fn moment(of: Millis) -> String {
    let of_day = of.rem_euclid(86_400_000);
    let (minutes, seconds, millis) = (of_day / 60_000, of_day / 1_000 % 60, of_day % 1_000);
    let mut text = format!(
        "{} {:02}:{:02}:{seconds:02}",
        Date::of(of).as_str(),
        minutes / 60,
        minutes % 60
    );
    if millis != 0 {
        text.push_str(&format!(".{millis:03}"));
    }
    text + " UTC"
}

impl Part for EvidenceContent {
    type Key = String;

    fn key(&self) -> String {
        self.id.clone()
    }

    fn name(&self) -> String {
        format!("evidence {}", self.title)
    }

    fn aspects(&self) -> Vec<Aspect> {
        vec![
            Aspect::new("kind", self.kind.clone()),
            Aspect::told_if_changed("title", self.title.clone()),
            Aspect::told_if_changed("SHA-256", self.sha256.clone()),
            Aspect::digest("digest of its words", self.words.as_deref()),
            Aspect::new("commit", self.commit.clone()),
            Aspect::new("target when attached", self.target.clone()),
            Aspect::new("place", self.place.clone()),
            Aspect::new("observed at", moment(self.observed_at)),
            // An account's id, which says nothing to people.
            Aspect::told_if_changed("submitted by", self.by.clone()),
            Aspect::new("stale", yes_or_no(self.stale)),
        ]
    }
}

impl Part for FindingContent {
    type Key = i64;

    fn key(&self) -> i64 {
        self.number
    }

    fn name(&self) -> String {
        format!("finding F-{} {}", self.number, self.title)
    }

    fn aspects(&self) -> Vec<Aspect> {
        let claim = self.claim.as_ref().map(ScannerClaim::words);
        vec![
            Aspect::told_if_changed("title", self.title.clone()),
            Aspect::new("severity", self.severity.label().to_owned()),
            Aspect::new("status", self.status.label().to_owned()),
            Aspect::new("category, CVE and CWE", self.identifiers.clone()),
            Aspect::new("rule", self.rule.clone()),
            Aspect::new("component", self.component.clone()),
            Aspect::new("place", self.place.clone()),
            Aspect::new("note of its scanner", claim),
            Aspect::new("accepted until", self.accepted_until.map(moment)),
            Aspect::new(
                "duplicate of",
                self.duplicate_of.map(|of| format!("F-{of}")),
            ),
            Aspect::digest(
                "digest of explanation and remediation",
                self.explanation.as_deref(),
            ),
            // Goes by the title, the severity, the rule and the component too, so it comes last.
            Aspect::digest("digest of its texts", self.says.as_deref()),
        ]
    }
}

impl Part for PatchContent {
    type Key = i64;

    fn key(&self) -> i64 {
        self.number
    }

    fn name(&self) -> String {
        format!("patch P-{}", self.number)
    }

    fn aspects(&self) -> Vec<Aspect> {
        vec![
            Aspect::new("state", self.standing.clone()),
            Aspect::told_if_changed("SHA-256", self.sha256.clone()),
        ]
    }
}

impl ReviewItemContent {
    /// The same with who signed in the place of each digest, which is told too, as one person may have signed twice.
    fn with_signers(&self, signer: &dyn Fn(&str) -> Option<String>) -> Self {
        let in_words = |digest: &String| match signer(digest) {
            Some(name) => format!("{name} ({})", shortened(digest)),
            None => shortened(digest),
        };
        Self {
            sign_offs: self.sign_offs.iter().map(in_words).collect(),
            ..self.clone()
        }
    }
}

impl Part for ReviewItemContent {
    type Key = String;

    fn key(&self) -> String {
        self.key.clone()
    }

    fn name(&self) -> String {
        format!("item {} {}", self.key, self.title)
    }

    fn aspects(&self) -> Vec<Aspect> {
        let signed = (!self.sign_offs.is_empty()).then(|| self.sign_offs.join(", "));
        vec![
            Aspect::told_if_changed("title", self.title.clone()),
            Aspect::new("gating", self.gating.as_str().to_owned()),
            Aspect::new("state", self.state.label().to_owned()),
            Aspect::new("signed by", signed.unwrap_or_else(|| "nobody".to_owned())),
        ]
    }
}

impl Part for ReviewScanContent {
    type Key = String;

    fn key(&self) -> String {
        self.series.clone()
    }

    fn name(&self) -> String {
        format!("scan {}", self.series)
    }

    fn aspects(&self) -> Vec<Aspect> {
        vec![
            Aspect::told_if_changed("file", self.sha256.clone()),
            Aspect::new(
                "commit",
                self.commit.as_deref().unwrap_or("unknown").to_owned(),
            ),
            Aspect::new("complete", yes_or_no(self.complete)),
        ]
    }
}

impl Part for DeliverableContent {
    type Key = String;

    fn key(&self) -> String {
        self.title.clone()
    }

    fn name(&self) -> String {
        format!("deliverable {}", self.title)
    }

    fn aspects(&self) -> Vec<Aspect> {
        vec![Aspect::new("done", yes_or_no(self.done))]
    }
}

/// "severity Low, place main.go:41".
fn described<'a>(aspects: impl Iterator<Item = &'a Aspect>) -> String {
    let described: Vec<_> = aspects.map(Aspect::words).collect();
    described.join(", ")
}

/// What tells people which part it is: what it has, without digests.
fn described_whole(aspects: &[Aspect]) -> String {
    described(
        aspects
            .iter()
            .filter(|aspect| aspect.value.is_some() && !aspect.is_told_if_changed),
    )
}

fn lists<T: Part>(found: &mut Vec<Change>, signed: &[T], now: &[T]) {
    let is: HashMap<_, _> = numbered(now).collect();
    for (key, old) in numbered(signed) {
        let was = old.aspects();
        match is.get(&key) {
            Some(new) if *new == old => {}
            Some(new) => {
                let is = new.aspects();
                let moved: Vec<_> = was
                    .iter()
                    .zip(&is)
                    .filter(|(was, is)| was.value != is.value)
                    .collect();
                found.push(Change {
                    what: new.name(),
                    was: Some(described(moved.iter().map(|(was, _)| *was))),
                    is: Some(described(moved.iter().map(|(_, is)| *is))),
                });
            }
            None => found.push(Change {
                what: old.name(),
                was: Some(described_whole(&was)),
                is: None,
            }),
        }
    }
    let was: HashSet<_> = numbered(signed).map(|(key, _)| key).collect();
    for (_, new) in numbered(now).filter(|(key, _)| !was.contains(key)) {
        found.push(Change {
            what: new.name(),
            was: None,
            is: Some(described_whole(&new.aspects())),
        });
    }
}

/// The parts with their keys; of equal keys, such as deliverables of one title, each has its number.
fn numbered<T: Part>(parts: &[T]) -> impl Iterator<Item = ((T::Key, usize), &T)> {
    let mut seen: HashMap<T::Key, usize> = HashMap::new();
    parts.iter().map(move |part| {
        let n = seen.entry(part.key()).or_default();
        *n += 1;
        ((part.key(), *n), part)
    })
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

fn optional(found: &mut Vec<Change>, what: &str, was: Option<&str>, is: Option<&str>) {
    texts(found, what, was.unwrap_or("none"), is.unwrap_or("none"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding() -> FindingContent {
        FindingContent {
            number: 1,
            title: "Jitter".into(),
            severity: Severity::Critical,
            status: FindingStatus::Fixed,
            says: Some("cc".into()),
            identifiers: None,
            rule: Some("G404".into()),
            component: None,
            place: Some("retry.go:41".into()),
            explanation: None,
            claim: None,
            accepted_until: None,
            duplicate_of: None,
        }
    }

    fn content() -> ItemContent {
        ItemContent {
            normalisation: crate::normalise::VERSION,
            review: "r".into(),
            item: "i".into(),
            round: 1,
            key: "2.5.1".into(),
            title: "Critical Path Review".into(),
            requirement: "Re-read `OrderExecutor`.".into(),
            gating: Gating::Blocker,
            commit: Some("c41f0e2".into()),
            requested_by: Some("p1".into()),
            evidence: vec![EvidenceContent {
                id: "e1".into(),
                kind: "note".into(),
                title: "Walkthrough".into(),
                sha256: "aa".into(),
                words: None,
                commit: None,
                target: Some("c41f0e2".into()),
                place: None,
                observed_at: 5,
                by: "p1".into(),
                stale: false,
            }],
            findings: vec![finding()],
            patches: vec![],
            decision: Decision::Pass,
            statement: String::new(),
            waived_until: None,
            risk: None,
            signer: Signer {
                person: "p2".into(),
                name: "Mira".into(),
                address: "mira@example.org".into(),
                role: "reviewer".into(),
                factor: Factor::Password,
                at: 7,
            },
            policy: Policy::default(),
        }
    }

    /// Without the policy, which gains rules with time: what was signed is read back as it was written.
    #[test]
    fn the_digest_does_not_change_between_releases() {
        assert_eq!(
            basis(&content(), &["policy"]).as_str(),
            "bdb3e7253a2cb1eec76e1384f9e58372c6900f11007b2ae0d4fcf39ca86db59a",
            "the canonical content has changed: raise the version"
        );
    }

    #[test]
    fn what_the_signer_says_and_is_does_not_change_what_they_were_shown() {
        let mut other = content();
        other.signer.person = "p3".into();
        other.decision = Decision::Fail;
        other.statement = "No.".into();
        assert_eq!(other.basis(), content().basis());
        assert_ne!(other.digest(), content().digest());
        other.policy.four_eyes = false;
        assert_ne!(other.basis(), content().basis());
    }

    #[test]
    fn each_meaningful_change_is_named() {
        let mut now = content();
        now.requirement = "Re-read `RiskManager`.".into();
        now.commit = Some("82dd1d2".into());
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
                ("target commit".to_owned(), true, true),
                ("evidence Walkthrough".to_owned(), true, false),
                ("finding F-1 Jitter".to_owned(), true, true),
                ("patch P-2".to_owned(), false, true),
            ]
        );
    }

    #[test]
    fn only_what_moved_of_a_finding_is_told() {
        type Case = (fn(&mut FindingContent), &'static str, &'static str);
        let cases: [Case; 5] = [
            (|f| f.title = "Fixed".into(), "title Jitter", "title Fixed"),
            (
                |f| f.place = Some("retry.go:57".into()),
                "place retry.go:41",
                "place retry.go:57",
            ),
            (
                |f| f.says = Some("dd".into()),
                "digest of its texts cc",
                "digest of its texts dd",
            ),
            (
                |f| f.accepted_until = Some(9),
                "accepted until none",
                "accepted until 1970-01-01 00:00:00.009 UTC",
            ),
            (
                |f| f.duplicate_of = Some(3),
                "duplicate of none",
                "duplicate of F-3",
            ),
        ];
        for (change, was, is) in cases {
            let mut now = content();
            change(&mut now.findings[0]);
            assert_ne!(now.digest(), content().digest());
            let found = changes(&content(), &now);
            assert_eq!(found.len(), 1);
            assert_eq!(
                (found[0].was.as_deref(), found[0].is.as_deref()),
                (Some(was), Some(is))
            );
        }
    }

    #[test]
    fn of_parts_with_one_name_each_counts() {
        let report = |done| DeliverableContent {
            title: "Report".into(),
            done,
        };
        for (signed, now, n) in [
            (
                vec![report(true), report(true)],
                vec![report(false), report(true)],
                1,
            ),
            (
                vec![report(true), report(true)],
                vec![report(true), report(false)],
                1,
            ),
            (vec![report(true), report(true)], vec![report(true)], 1),
            (vec![report(true)], vec![report(true), report(true)], 1),
            (
                vec![report(true), report(false)],
                vec![report(true), report(false)],
                0,
            ),
        ] {
            let mut found = Vec::new();
            lists(&mut found, &signed, &now);
            assert_eq!(found.len(), n, "{signed:?} {now:?}");
        }
    }

    #[test]
    fn what_came_is_told_without_digests_and_without_what_it_has_not() {
        let mut now = content();
        now.findings.push(FindingContent {
            number: 2,
            title: "Found later".into(),
            rule: None,
            ..finding()
        });
        let found = changes(&content(), &now);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].what, "finding F-2 Found later");
        assert_eq!(
            found[0].is.as_deref(),
            Some("severity Critical, status Fixed, place retry.go:41")
        );
    }

    #[test]
    fn an_item_signed_anew_is_told_by_who_signed() {
        let item = |digest: &str| ReviewItemContent {
            key: "1.1".into(),
            title: "Secrets".into(),
            gating: Gating::Blocker,
            state: crate::ItemState::Passed,
            sign_offs: vec![digest.repeat(64)],
        };
        let of = |items| ReviewContent {
            normalisation: crate::normalise::VERSION,
            service: "s".into(),
            review: "r".into(),
            title: "t".into(),
            release: "v1".into(),
            commit: None,
            policy: Policy::default(),
            items,
            findings: vec![],
            scans: vec![],
            deliverables: vec![],
            decision: "go".into(),
            statement: String::new(),
            signer: Signer::default(),
        };
        let signer = |digest: &str| {
            let name = if digest.starts_with('a') {
                "Rita"
            } else {
                "Priya"
            };
            (!digest.starts_with('c')).then(|| name.to_owned())
        };
        let told = |is: &str| {
            let found = review_changes(&of(vec![item("a")]), &of(vec![item(is)]), &signer);
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].what, "item 1.1 Secrets");
            assert_eq!(
                found[0].was.as_deref(),
                Some("signed by Rita (aaaaaaaaaaaa…)")
            );
            found[0].is.clone().unwrap()
        };
        assert_eq!(told("b"), "signed by Priya (bbbbbbbbbbbb…)");
        assert_eq!(told("c"), "signed by cccccccccccc…");
    }

    #[test]
    fn very_many_changes_are_counted_rather_than_named() {
        let many: Vec<_> = (0..100_000)
            .map(|number| FindingContent {
                number,
                ..finding()
            })
            .collect();
        let mut now = content();
        now.findings.clone_from(&many);
        let mut signed = content();
        signed.findings = many;
        for finding in &mut now.findings {
            finding.status = FindingStatus::Open;
        }
        let found = changes(&signed, &now);
        assert_eq!(found.len(), MOST_CHANGES + 1);
        assert_eq!(found[MOST_CHANGES].what, "99800 more");
    }

    #[test]
    fn a_signature_counts_only_under_rules_that_it_was_made_by() {
        let lax = Policy {
            four_eyes: false,
            evidence_required: false,
            stale_evidence_blocks: false,
            blocking_severities: vec![Severity::Critical],
            ..Policy::default()
        };
        let mut signed = content();
        signed.policy = lax.clone();
        let named = |signed: &ItemContent, now: &Policy| -> Vec<String> {
            unmet_rules(&signed.signed_under(), now)
                .into_iter()
                .map(|change| change.what)
                .collect()
        };
        assert_eq!(named(&content(), &Policy::default()), [""; 0]);
        assert_eq!(named(&signed, &lax), [""; 0]);
        assert_eq!(
            named(&signed, &Policy::default()),
            ["policy rule four eyes"],
            "it has fresh evidence and no open finding, so the other rules are met"
        );
        signed.evidence[0].stale = true;
        signed.findings[0].severity = Severity::High;
        signed.findings[0].status = FindingStatus::Open;
        assert_eq!(
            named(&signed, &Policy::default()),
            [
                "policy rule four eyes",
                "policy rule stale evidence",
                "policy rule blocking severities"
            ]
        );
        signed.evidence.clear();
        signed.findings.clear();
        assert_eq!(
            named(&signed, &Policy::default()),
            ["policy rule four eyes", "policy rule evidence"]
        );
        signed.decision = Decision::Fail;
        assert_eq!(
            named(&signed, &Policy::default()),
            ["policy rule four eyes"],
            "evidence guards a pass"
        );
    }

    #[test]
    fn a_changed_policy_is_named_rule_by_rule() {
        let mut found = Vec::new();
        let now = Policy {
            quorum: 2,
            ..Policy::default()
        };
        policies(&mut found, &Policy::default(), &now);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].what, "policy rule quorum");
        assert_eq!(
            (found[0].was.as_deref(), found[0].is.as_deref()),
            (Some("1"), Some("2"))
        );
    }
}
