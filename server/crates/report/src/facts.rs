//! What a report is made of: plain values, gathered by whoever has the database.
//!
//! Two equal sets of facts give the same bytes, in whatever order their lists were read: [`Facts::sorted`] puts each
//! list into the order the report prints. Times are Unix milliseconds UTC; nothing here reads a clock, so "now" is
//! [`Review::as_of`].

pub use holdpoint_domain::release::ReleaseDecision as ReleaseWord;
use holdpoint_domain::{
    Decision, FindingStatus, Gating, ItemState, Millis, PatchState, Policy, ScannerClaim, Severity,
    Verdict, signoff::Change, triage::Request, verdict,
};
use serde::{Deserialize, Serialize};

/// Everything that the report of one review says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub instance: Instance,
    pub service: Service,
    pub review: Review,
    /// The checklist document's own header lines, as "Project: OpenSQT", in its order.
    pub metadata: Vec<Metadata>,
    pub people: Vec<Person>,
    pub sections: Vec<Section>,
    pub items: Vec<Item>,
    /// Those that count for the review, whatever their state.
    pub findings: Vec<Finding>,
    pub patches: Vec<Patch>,
    /// As computed at [`Review::as_of`].
    pub verdict: Verdict,
    /// All of them, also void and replaced ones.
    pub release_decisions: Vec<ReleaseDecision>,
    pub deliverables: Vec<Deliverable>,
    /// The scans that the review stands on: at least the newest of each series.
    pub scans: Vec<Scan>,
    /// Where the activity log stood.
    pub activity: ActivityHead,
    /// What is not as it was in the service's last review; absent for a first review.
    pub since: Option<Since>,
    /// For a draft beside a decided report: the moment of that report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_report: Option<Millis>,
}

/// The Holdpoint that wrote the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    pub name: String,
    /// The product's version.
    pub version: String,
    /// Where people reach it, without a slash at the end: "https://holdpoint.example.org".
    pub url: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    pub name: String,
    pub slug: String,
    pub repository: Option<String>,
    /// Markdown.
    pub description: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    pub id: String,
    pub title: String,
    pub release: String,
    pub target_commit: Option<String>,
    /// The last millisecond of the day it is due.
    pub due: Option<Millis>,
    pub created: Millis,
    pub template: Option<Template>,
    pub policy: Policy,
    /// The moment that the report speaks of.
    pub as_of: Millis,
}

/// The checklist document that the review was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    pub name: String,
    pub version: i64,
    /// Of the document's bytes.
    pub sha256: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    pub position: u32,
    pub name: String,
    pub value: String,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Person {
    pub name: String,
    pub email: Option<String>,
    /// In words: "Reviewer".
    pub role: String,
    /// Where the account comes from; absent in reports that are older than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
}

/// Who stands behind a person's account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Account {
    pub made_at: Millis,
    /// The name and address of who invited the person; absent for the first administrator and the command line.
    pub invited_by: Option<String>,
    /// Whose link last set the password, and when.
    pub password_reset: Option<(String, Millis)>,
    pub disabled_at: Option<Millis>,
}

/// A heading of the checklist. Its items name it by its position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    pub position: u32,
    /// 1 for an outermost section.
    pub depth: u32,
    /// With the document's own number: "2.1 Architecture & Configuration".
    pub title: String,
    /// Markdown that stands in the section and is no item.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    pub id: String,
    /// [`Section::position`]; absent for items above the first heading.
    pub section: Option<u32>,
    pub position: u32,
    pub key: String,
    pub title: String,
    /// Markdown.
    pub requirement: String,
    pub gating: Gating,
    /// As stored; the report shows it as of [`Review::as_of`].
    pub state: ItemState,
    pub owner: Option<String>,
    pub reviewers: Vec<String>,
    pub due: Option<Millis>,
    /// How many valid sign-offs a pass asks for.
    pub quorum: u32,
    pub sign_offs: Vec<SignOff>,
    pub evidence: Vec<Evidence>,
    pub waiver: Option<Waiver>,
}

/// Whether a signature counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Valid,
    /// What was signed has changed since.
    Void,
    /// What is stored is not what was signed.
    Damaged,
    /// The same person decided again, or the item was reopened: history.
    Replaced,
}

impl Standing {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Valid => "Valid",
            Self::Void => "Void",
            Self::Damaged => "Damaged",
            Self::Replaced => "Replaced",
        }
    }
}

const fn yes() -> bool {
    true
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOff {
    pub by: String,
    /// The address that the person signs in with, since names may look alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Since when the person's account is disabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<Millis>,
    /// When the person's password had been set by a link that somebody else made, within the day before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_at: Option<Millis>,
    /// Whether whoever had submitted could not sign.
    #[serde(default = "yes")]
    pub four_eyes: bool,
    /// Made under an older normalisation of texts: it counts only while they are the same byte by byte.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub old_rules: bool,
    /// What the person was to the service when signing, in words.
    pub role: String,
    pub decision: Decision,
    /// Markdown; empty when a pass says nothing more.
    pub statement: String,
    pub at: Millis,
    /// Of the canonical content that was signed.
    pub digest: String,
    pub standing: Standing,
    /// For a void one: what is not as it was signed.
    pub changes: Vec<Change>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    pub id: String,
    /// `file`, `link`, `note`, `command`, `scan`, `commit`.
    pub kind: String,
    pub title: String,
    /// Of the file's bytes, or of the canonical text of what is no file.
    pub sha256: String,
    pub size_bytes: u64,
    /// The name a file was uploaded with.
    pub file_name: Option<String>,
    /// A link's address, a note's Markdown, a command's output; absent for files.
    pub text: Option<String>,
    /// What a command output was the output of.
    pub command: Option<String>,
    pub exit_code: Option<i64>,
    pub commit: Option<String>,
    pub path: Option<String>,
    pub lines: Option<Lines>,
    pub stale: bool,
    /// It does not have the digest any more that it was kept under, so its text is left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub damaged: bool,
    /// Stale because it is a clean scan and a newer one of its series is not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub contradicted: bool,
    pub observed_at: Option<Millis>,
    pub uploaded_at: Millis,
    pub by: String,
    pub withdrawn: Option<Withdrawn>,
    /// The id of the version that took its place.
    pub superseded_by: Option<String>,
}

impl Evidence {
    /// Whether it still supports its item.
    pub const fn counts(&self) -> bool {
        self.withdrawn.is_none() && self.superseded_by.is_none()
    }

    /// Where its bytes lie in a bundle: by digest, so that equal files are stored once and no name can lead astray.
    pub fn bundle_path(&self) -> String {
        format!("evidence/{}", self.sha256)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lines {
    pub first: u32,
    pub last: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawn {
    pub by: String,
    pub at: Millis,
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    /// The last millisecond that it holds.
    pub until: Millis,
    pub risk: String,
    pub reason: String,
    pub by: String,
    pub at: Millis,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub id: String,
    pub number: i64,
    pub title: String,
    pub severity: Severity,
    /// "Code", "Config", "Docs", …; absent or empty is printed under "Uncategorised".
    pub category: Option<String>,
    pub rule: Option<String>,
    /// Absent for one written by hand.
    pub tool: Option<String>,
    /// Who wrote it by hand.
    pub written_by: Option<String>,
    pub status: FindingStatus,
    /// What its scanner says beside that it is there, which decides nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scanner: Option<ScannerClaim>,
    /// Why it has its status, where a person decided.
    pub triage: Option<Triage>,
    /// What somebody asks another to make of it; until that is answered it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// Of a severity that a person changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity_change: Option<SeverityChange>,
    pub acceptance: Option<Acceptance>,
    pub duplicate_of: Option<i64>,
    /// The same vulnerability in the same component as other tools report it: "trivy (F-12)".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_reported_by: Vec<String>,
    /// Relative to the repository's root.
    pub path: Option<String>,
    pub lines: Option<Lines>,
    /// Markdown.
    pub problem: String,
    /// Markdown; its first paragraph stands in the summary.
    pub remediation: String,
    pub snippet: Option<Snippet>,
    pub cve: Vec<String>,
    pub cwe: Vec<String>,
    pub help_url: Option<String>,
    /// The package that it is in, and its versions.
    pub component: Option<String>,
    pub component_version: Option<String>,
    pub fixed_version: Option<String>,
    pub fingerprint: Option<String>,
    /// The items it is linked to.
    pub item_keys: Vec<String>,
    /// The patches that are linked to it.
    pub patches: Vec<i64>,
    /// Who has to act on it: the owners of its items.
    pub owners: Vec<String>,
    pub first_seen: Millis,
    pub last_seen: Option<Millis>,
    pub due: Option<Millis>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Triage {
    pub by: String,
    pub at: Millis,
    pub reason: String,
    /// Who had asked for it, where it took two people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<String>,
}

/// What one person asks another to make of a finding, while nobody has answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub request: Request,
    pub by: String,
    pub at: Millis,
    pub reason: String,
}

/// What a person made of a severity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeverityChange {
    /// Before the first change.
    pub was: Severity,
    pub by: String,
    pub at: Millis,
    pub reason: String,
}

/// An accepted risk: asked for by one person, approved by another, until a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    pub until: Millis,
    pub asked_by: String,
    pub approved_by: String,
    pub at: Millis,
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snippet {
    /// For highlighting: "go".
    pub language: Option<String>,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patch {
    pub number: i64,
    pub title: String,
    pub state: PatchState,
    pub sha256: String,
    pub size_bytes: u64,
    /// Who brought it in.
    pub author: String,
    pub approved_by: Option<String>,
    pub approved_at: Option<Millis>,
    pub applied_commit: Option<String>,
    pub files: Vec<PatchFile>,
    pub findings: Vec<i64>,
    pub item_keys: Vec<String>,
    /// "Touches the lines of F-2.", one sentence each, as computed.
    pub touches: Vec<String>,
    /// "Applies to 33fa5f9b4c3a.", as computed; absent where nothing is known.
    pub applies: Option<String>,
}

impl Patch {
    /// Where its bytes lie in a bundle.
    pub fn bundle_path(&self) -> String {
        format!("patches/P-{}.patch", self.number)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PatchFile {
    pub path: String,
    pub added: u64,
    pub removed: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseDecision {
    pub by: String,
    /// The address that the person signs in with, since names may look alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Since when the person's account is disabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<Millis>,
    /// When the person's password had been set by a link that somebody else made, within the day before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_at: Option<Millis>,
    /// Made under an older normalisation of texts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub old_rules: bool,
    pub role: String,
    pub decision: ReleaseWord,
    pub statement: String,
    pub at: Millis,
    pub digest: String,
    pub standing: Standing,
    pub changes: Vec<Change>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deliverable {
    pub position: u32,
    pub title: String,
    /// Markdown.
    pub text: String,
    pub done: bool,
    pub owner: Option<String>,
    pub note: Option<String>,
    pub link: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    pub id: String,
    pub tool: String,
    pub version: Option<String>,
    /// The label of its series.
    pub series: String,
    pub format: String,
    pub commit: Option<String>,
    pub file_name: Option<String>,
    pub file_sha256: String,
    pub size_bytes: u64,
    pub imported_at: Millis,
    pub by: String,
    pub counts: SeverityCounts,
    /// Against the scan of the series before it.
    pub comparison: Comparison,
    pub complete: bool,
    /// Why it is not complete.
    pub incomplete_because: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeverityCounts {
    pub critical: u64,
    pub high: u64,
    /// Absent in facts of before there was such a severity.
    #[serde(default, skip_serializing_if = "is_none_of_them")]
    pub unrated: u64,
    pub medium: u64,
    pub low: u64,
    pub info: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_none_of_them(n: &u64) -> bool {
    *n == 0
}

impl SeverityCounts {
    pub const fn of(&self, severity: Severity) -> u64 {
        match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Unrated => self.unrated,
            Severity::Medium => self.medium,
            Severity::Low => self.low,
            Severity::Info => self.info,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    pub new: u64,
    pub unchanged: u64,
    pub reopened: u64,
    pub fixed: u64,
}

/// The last entry of the activity log when the report was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityHead {
    pub sequence: i64,
    pub digest: String,
    /// The log's signed head over this entry, a C2SP checkpoint; absent where none was signed just then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    pub title: String,
    pub release: String,
    pub commit: Option<String>,
    pub changes: Vec<Change>,
}

impl Facts {
    /// Whether it is no report of a decision: nobody has decided on the release yet, or this is what came after. A valid NO-GO is a decision; GO is one once as many people as the
    /// policy asks for have signed it.
    pub fn is_draft(&self) -> bool {
        let valid = |word| {
            let mut names: Vec<_> = self
                .release_decisions
                .iter()
                .filter(|d| d.standing == Standing::Valid && d.decision == word)
                .map(|d| (d.by.as_str(), d.email.as_deref()))
                .collect();
            names.sort_unstable();
            names.dedup();
            names.len()
        };
        let asked = self.review.policy.n_approvals();
        self.decided_report.is_some()
            || (valid(ReleaseWord::NoGo) == 0 && valid(ReleaseWord::Go) < asked)
    }

    /// Whether one person may submit and sign the same item, which the report then says.
    pub const fn four_eyes_relaxed(&self) -> bool {
        !self.review.policy.four_eyes
    }

    /// Whether a finding is a problem at the report's moment.
    pub fn is_open(&self, finding: &Finding) -> bool {
        let until = finding.acceptance.as_ref().map(|accepted| accepted.until);
        verdict::is_open(finding.status, until, self.review.as_of)
    }

    /// An item's state as it counts at the report's moment.
    pub fn state(&self, item: &Item) -> ItemState {
        let until = item.waiver.as_ref().map(|waiver| waiver.until);
        item.state.at(until, self.review.as_of)
    }

    /// The same facts with each list in the order of the report.
    #[must_use]
    pub fn sorted(self) -> Self {
        let mut facts = self;
        facts
            .metadata
            .sort_by(|a, b| (a.position, &a.name, &a.value).cmp(&(b.position, &b.name, &b.value)));
        facts.people.sort();
        facts.people.dedup();
        facts
            .sections
            .sort_by(|a, b| (a.position, &a.title).cmp(&(b.position, &b.title)));
        facts.items.sort_by(|a, b| {
            (a.section, a.position, &a.key, &a.id).cmp(&(b.section, b.position, &b.key, &b.id))
        });
        for item in &mut facts.items {
            item.reviewers.sort();
            item.sign_offs
                .sort_by(|a, b| (a.at, &a.by, &a.digest).cmp(&(b.at, &b.by, &b.digest)));
            for sign_off in &mut item.sign_offs {
                sort_changes(&mut sign_off.changes);
            }
            item.evidence
                .sort_by(|a, b| (a.uploaded_at, &a.id).cmp(&(b.uploaded_at, &b.id)));
        }
        facts
            .findings
            .sort_by(|a, b| (a.number, &a.id).cmp(&(b.number, &b.id)));
        for finding in &mut facts.findings {
            finding.cve.sort();
            finding.cwe.sort();
            finding.item_keys.sort();
            finding.patches.sort_unstable();
            finding.owners.sort();
        }
        facts
            .patches
            .sort_by(|a, b| (a.number, &a.sha256).cmp(&(b.number, &b.sha256)));
        for patch in &mut facts.patches {
            patch.files.sort();
            patch.findings.sort_unstable();
            patch.item_keys.sort();
            patch.touches.sort();
        }
        facts
            .release_decisions
            .sort_by(|a, b| (a.at, &a.by, &a.digest).cmp(&(b.at, &b.by, &b.digest)));
        for decision in &mut facts.release_decisions {
            sort_changes(&mut decision.changes);
        }
        facts
            .deliverables
            .sort_by(|a, b| (a.position, &a.title).cmp(&(b.position, &b.title)));
        facts.scans.sort_by(|a, b| {
            (&a.series, &a.tool, a.imported_at, &a.id).cmp(&(
                &b.series,
                &b.tool,
                b.imported_at,
                &b.id,
            ))
        });
        if let Some(since) = &mut facts.since {
            sort_changes(&mut since.changes);
        }
        for reasons in [&mut facts.verdict.reasons, &mut facts.verdict.waivers] {
            reasons.sort_by(|a, b| {
                (a.kind, &a.title, &a.subject, &a.why).cmp(&(b.kind, &b.title, &b.subject, &b.why))
            });
            for reason in reasons {
                reason.who.sort();
            }
        }
        facts.review.policy.blocking_severities.sort_unstable();
        facts.review.policy.required_scans.sort();
        facts
    }
}

fn sort_changes(changes: &mut [Change]) {
    changes.sort_by(|a, b| (&a.what, &a.was, &a.is).cmp(&(&b.what, &b.was, &b.is)));
}
