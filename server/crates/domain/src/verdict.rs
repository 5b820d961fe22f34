//! The verdict: one pure function from a review's state and its policy, used by the dashboard, the gate, the pre-flight
//! check and the report alike.
//!
//! It fails closed: what is unknown, missing or stale is a reason for NO-GO, and a review without items cannot go.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    FindingStatus, Gating, ItemState, Millis, Policy, ScannerClaim, Severity, text::Commit,
    triage::Request, words,
};

words! {
    /// What the rules say of a release, best first.
    Outcome {
        Go => "go",
        GoWithWaivers => "go_with_waivers",
        NoGo => "no_go",
    }
}

impl Outcome {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Go => "GO",
            Self::GoWithWaivers => "GO WITH WAIVERS",
            Self::NoGo => "NO-GO",
        }
    }
}

words! {
    /// Why a release may not go, in the order in which reasons are shown.
    ReasonKind {
        NoItems => "no_items",
        ReleaseNoGo => "release_no_go",
        CommitUnknown => "commit_unknown",
        FindingOpen => "finding_open",
        FindingLate => "finding_late",
        AcceptanceExpired => "acceptance_expired",
        ItemFailed => "item_failed",
        WaiverExpired => "waiver_expired",
        SignOffDamaged => "sign_off_damaged",
        SignOffVoid => "sign_off_void",
        SignOffMissing => "sign_off_missing",
        ItemUndecided => "item_undecided",
        EvidenceDamaged => "evidence_damaged",
        EvidenceMissing => "evidence_missing",
        EvidenceStale => "evidence_stale",
        ScanMissing => "scan_missing",
        ScanIncomplete => "scan_incomplete",
        DeliverableOpen => "deliverable_open",
    }
}

/// One reason: what it is about, why, and who can clear it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    pub kind: ReasonKind,
    /// `item`, `finding`, `scan`, `deliverable` or `review`.
    pub subject_kind: String,
    /// The subject's id; for a missing scan the series asked for.
    pub subject: String,
    /// How people name the subject: "2.5.1 Critical Path Review", "F-2 BatchPlaceOrders …".
    pub title: String,
    /// Why it holds the release back, as one sentence.
    pub why: String,
    /// Who can clear it, by name; a role in words where nobody is named.
    pub who: Vec<String>,
}

/// The verdict with its reasons; `reasons` is empty exactly when the outcome is not NO-GO.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub outcome: Outcome,
    pub reasons: Vec<Reason>,
    /// What a GO WITH WAIVERS goes on without: waived items and accepted risks.
    pub waivers: Vec<Reason>,
    /// How many more there are of a kind, where not each of them is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<MoreReasons>,
}

/// Findings that are reasons or waivers as well, and are only counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoreReasons {
    pub kind: ReasonKind,
    pub is_waiver: bool,
    pub severity: Severity,
    pub n: usize,
}

impl Verdict {
    /// How many reasons of a kind there are, named or not.
    pub fn n_of(&self, kind: ReasonKind) -> usize {
        let named = self.reasons.iter().filter(|reason| reason.kind == kind);
        named.count() + self.n_more_of(kind)
    }

    /// How many reasons of a kind are only counted.
    pub fn n_more_of(&self, kind: ReasonKind) -> usize {
        let more = self.more.iter().filter(|more| !more.is_waiver);
        more.filter(|more| more.kind == kind)
            .map(|more| more.n)
            .sum()
    }

    /// How many waivers are only counted.
    pub fn n_more_waivers(&self) -> usize {
        let more = self.more.iter().filter(|more| more.is_waiver);
        more.map(|more| more.n).sum()
    }

    /// How many reasons there are, named or not.
    pub fn n_reasons(&self) -> usize {
        let more = self.more.iter().filter(|more| !more.is_waiver);
        self.reasons.len() + more.map(|more| more.n).sum::<usize>()
    }
}

/// What the verdict needs to know of a review.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReviewState {
    pub review: String,
    pub title: String,
    pub commit: Option<String>,
    pub items: Vec<ItemFacts>,
    pub findings: Vec<FindingFacts>,
    /// How many more there are beside those.
    pub more_findings: Vec<FindingGroup>,
    /// The newest scan of each series of the service.
    pub scans: Vec<ScanFacts>,
    pub deliverables: Vec<DeliverableFacts>,
    /// Who has signed NO-GO, by name, with signatures that are valid.
    pub no_go: Vec<String>,
    /// What is wrong with stored release decisions, each as one sentence.
    pub damaged_decisions: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemFacts {
    pub id: String,
    pub key: String,
    pub title: String,
    pub gating: Gating,
    /// As stored; the verdict looks at it as of now, see [`ItemState::at`].
    pub state: ItemState,
    pub waived_until: Option<Millis>,
    /// How many valid sign-offs support the state, and how many are asked for.
    pub valid_sign_offs: u32,
    pub quorum: u32,
    /// What made sign-offs void, named; empty when none is.
    pub void_because: Vec<String>,
    /// What is wrong with stored sign-offs of this round, each as one sentence; empty when nothing is.
    pub damage: Vec<String>,
    pub n_evidence: u32,
    pub n_stale_evidence: u32,
    /// Pieces that do not have the digest any more that they were kept under.
    pub n_damaged_evidence: u32,
    pub owner: Option<String>,
    pub reviewers: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingFacts {
    pub id: String,
    pub number: i64,
    pub title: String,
    pub severity: Severity,
    /// As it was decided.
    pub status: FindingStatus,
    /// Until when that holds by itself, see [`is_open`].
    pub holds_until: Option<Millis>,
    /// The number of the finding that it was called a duplicate of.
    pub duplicate_of: Option<i64>,
    /// What somebody asks another to make of it, and the name of who asks.
    pub asked: Option<(Request, String)>,
    pub due: Option<Millis>,
    /// What the scanner says of it: never a reason to let it pass, since nobody has reviewed it.
    pub claim: Option<ScannerClaim>,
    /// The owners of the items it is linked to.
    pub owners: Vec<String>,
}

impl FindingFacts {
    /// Whether it is a problem at a moment, see [`is_open`].
    pub fn is_open(&self, now: Millis) -> bool {
        is_open(self.status, self.holds_until, now)
    }
}

/// Findings of one severity that are in one state at a moment: what the verdict needs of those that it does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKey {
    pub severity: Severity,
    pub state: GroupState,
    /// Past its limit, see [`FindingFacts::due`].
    pub is_late: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupState {
    Open,
    /// Its risk had been accepted, and that does not hold any more.
    AcceptanceEnded,
    Accepted,
    /// Decided so that it holds nothing back.
    Settled,
}

/// So many findings of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FindingGroup {
    pub key: GroupKey,
    pub n: usize,
}

impl GroupKey {
    /// Whether such findings are problems at the moment.
    pub const fn is_open(&self) -> bool {
        matches!(self.state, GroupState::Open | GroupState::AcceptanceEnded)
    }
}

impl GroupState {
    /// What a finding in this state is at a moment, see [`is_open`].
    pub fn at(status: FindingStatus, holds_until: Option<Millis>, now: Millis) -> Self {
        match (status, is_open(status, holds_until, now)) {
            (FindingStatus::RiskAccepted, true) => Self::AcceptanceEnded,
            (FindingStatus::RiskAccepted, false) => Self::Accepted,
            (_, true) => Self::Open,
            (_, false) => Self::Settled,
        }
    }
}

/// Stands for the moment until which a decision holds where it does not hold any more whatever the time is: the finding says
/// something else than what was accepted, or a duplicate's original is fixed while its own scanner still has it.
pub const HOLDS_NO_MORE: Millis = 0;

/// The same for a duplicate whose original is milder than it by now, for instance since its scanner says so.
pub const REPEATS_MILDER: Millis = -1;

/// Why a duplicate that holds until then counts by itself, as what is said of its original.
pub const fn repeats_nothing(holds_until: Option<Millis>) -> &'static str {
    match holds_until {
        Some(REPEATS_MILDER) => "is milder",
        _ => "is fixed, while its own scanner still has this one",
    }
}

/// Whether a finding in this state is a problem at a moment: open, or decided otherwise and that does not hold any more. An
/// accepted risk without an end does not hold; a duplicate holds unless it is said otherwise.
pub fn is_open(status: FindingStatus, holds_until: Option<Millis>, now: Millis) -> bool {
    match status {
        FindingStatus::Open => true,
        FindingStatus::RiskAccepted => holds_until.is_none_or(|until| until < now),
        FindingStatus::Duplicate => holds_until.is_some_and(|until| until < now),
        FindingStatus::Fixed | FindingStatus::FalsePositive => false,
    }
}

impl FindingStatus {
    /// As it counts at a moment: open where what was decided does not hold any more.
    pub fn at(self, holds_until: Option<Millis>, now: Millis) -> Self {
        if is_open(self, holds_until, now) {
            Self::Open
        } else {
            self
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanFacts {
    pub id: String,
    pub tool: String,
    pub label: String,
    pub commit: Option<String>,
    pub complete: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliverableFacts {
    pub id: String,
    pub title: String,
    pub done: bool,
    pub owner: Option<String>,
}

/// Says whether a release can go, and every reason why not.
pub fn verdict(review: &ReviewState, policy: &Policy, now: Millis) -> Verdict {
    let mut reasons = Vec::new();
    let mut waivers = Vec::new();
    if review.items.is_empty() {
        reasons.push(about_review(
            review,
            ReasonKind::NoItems,
            "The checklist has no items, so nothing has been shown.",
        ));
    }
    judge_decisions(review, &mut reasons);
    for finding in &review.findings {
        judge_finding(finding, policy, now, &mut reasons, &mut waivers);
    }
    let more: Vec<_> = review
        .more_findings
        .iter()
        .filter_map(|group| judge_group(*group, policy))
        .collect();
    for item in &review.items {
        judge_item(item, policy, now, &mut reasons, &mut waivers);
    }
    judge_scans(review, policy, &mut reasons);
    if policy.deliverables_required {
        for deliverable in review
            .deliverables
            .iter()
            .filter(|deliverable| !deliverable.done)
        {
            reasons.push(Reason {
                kind: ReasonKind::DeliverableOpen,
                subject_kind: "deliverable".to_owned(),
                subject: deliverable.id.clone(),
                title: deliverable.title.clone(),
                why: "The deliverable is not done.".to_owned(),
                who: named(deliverable.owner.iter(), "a manager"),
            });
        }
    }
    reasons.sort_by_key(|reason| reason.kind);
    let has_more = |are_waivers| {
        more.iter()
            .any(|more| more.is_waiver == are_waivers && more.n > 0)
    };
    let has_reasons = !reasons.is_empty() || has_more(false);
    let has_waivers = !waivers.is_empty() || has_more(true);
    let outcome = match (has_reasons, has_waivers) {
        (true, _) => Outcome::NoGo,
        (false, true) => Outcome::GoWithWaivers,
        (false, false) => Outcome::Go,
    };
    Verdict {
        outcome,
        reasons,
        waivers,
        more,
    }
}

/// What so many findings are that are not named: the same as each of them would be, see [`judge_finding`].
fn judge_group(group: FindingGroup, policy: &Policy) -> Option<MoreReasons> {
    let GroupKey {
        severity,
        state,
        is_late,
    } = group.key;
    let blocks = policy.blocks(severity);
    let is_late = policy.late_findings_block && group.key.is_open() && is_late;
    if !blocks && !is_late {
        return None;
    }
    let (kind, is_waiver) = match state {
        GroupState::Open if blocks => (ReasonKind::FindingOpen, false),
        GroupState::Open => (ReasonKind::FindingLate, false),
        GroupState::AcceptanceEnded => (ReasonKind::AcceptanceExpired, false),
        GroupState::Accepted => (ReasonKind::FindingOpen, true),
        GroupState::Settled => return None,
    };
    Some(MoreReasons {
        kind,
        is_waiver,
        severity,
        n: group.n,
    })
}

/// What people have signed about the release.
fn judge_decisions(review: &ReviewState, reasons: &mut Vec<Reason>) {
    for name in &review.no_go {
        reasons.push(Reason {
            who: vec![name.clone()],
            ..about_review(
                review,
                ReasonKind::ReleaseNoGo,
                &format!("{name} has signed NO-GO."),
            )
        });
    }
    for damage in &review.damaged_decisions {
        reasons.push(Reason {
            who: vec![RESTORER.to_owned()],
            ..about_review(review, ReasonKind::SignOffDamaged, damage)
        });
    }
}

/// Who can mend what was changed behind Holdpoint's back.
const RESTORER: &str = "an administrator, from a backup";

/// How many inputs of a void sign-off a reason names.
const MOST_NAMED: usize = 10;

fn judge_finding(
    finding: &FindingFacts,
    policy: &Policy,
    now: Millis,
    reasons: &mut Vec<Reason>,
    waivers: &mut Vec<Reason>,
) {
    let is_late = finding.is_open(now) && finding.due.is_some_and(|due| due < now);
    let counts = policy.blocks(finding.severity) || (policy.late_findings_block && is_late);
    if !counts {
        return;
    }
    let reason = |kind, why: String| Reason {
        kind,
        subject_kind: "finding".to_owned(),
        subject: finding.id.clone(),
        title: format!("F-{} {}", finding.number, finding.title),
        why,
        who: named(finding.owners.iter(), "a contributor"),
    };
    let severity = finding.severity.label();
    let blocking = if policy.blocks(finding.severity) {
        ReasonKind::FindingOpen
    } else {
        ReasonKind::FindingLate
    };
    match finding.status {
        FindingStatus::Open => {
            let late = finding.due.filter(|due| *due < now).map(|due| {
                let days = (now - due).div_euclid(86_400_000) + 1;
                format!(
                    " and {days} {} past its limit",
                    if days == 1 { "day" } else { "days" }
                )
            });
            let claim = finding
                .claim
                .as_ref()
                .map(|claim| format!("; {}", claim.words()));
            let asked = finding.asked.as_ref().map(|(asked, name)| {
                format!(
                    "; {name} asks {}, which waits for another person",
                    asked.words()
                )
            });
            reasons.push(reason(
                blocking,
                format!(
                    "{severity}, open{}{}{}.",
                    late.unwrap_or_default(),
                    claim.unwrap_or_default(),
                    asked.unwrap_or_default()
                ),
            ));
        }
        FindingStatus::RiskAccepted if finding.is_open(now) => {
            let why = if finding.holds_until == Some(HOLDS_NO_MORE) {
                "it does not say any more what it said when its risk was accepted"
            } else {
                "the time for which its risk was accepted is over"
            };
            reasons.push(reason(
                ReasonKind::AcceptanceExpired,
                format!("{severity}; {why}."),
            ));
        }
        FindingStatus::Duplicate if finding.is_open(now) => {
            let original = finding
                .duplicate_of
                .map_or_else(|| "a finding".to_owned(), |number| format!("F-{number}"));
            let why = repeats_nothing(finding.holds_until);
            reasons.push(reason(
                blocking,
                format!("{severity}, open: it was called a duplicate of {original}, which {why}."),
            ));
        }
        FindingStatus::RiskAccepted => waivers.push(reason(
            ReasonKind::FindingOpen,
            format!("{severity}, risk accepted."),
        )),
        FindingStatus::Fixed | FindingStatus::FalsePositive | FindingStatus::Duplicate => {}
    }
}

fn judge_item(
    item: &ItemFacts,
    policy: &Policy,
    now: Millis,
    reasons: &mut Vec<Reason>,
    waivers: &mut Vec<Reason>,
) {
    if item.gating == Gating::Advisory {
        return;
    }
    let reason = |kind, why: String, who: Vec<String>| Reason {
        kind,
        subject_kind: "item".to_owned(),
        subject: item.id.clone(),
        title: format!("{} {}", item.key, item.title),
        why,
        who,
    };
    let owner = || named(item.owner.iter(), "a contributor");
    let reviewers = || named(item.reviewers.iter(), "a reviewer");
    let state = item.state.at(item.waived_until, now);
    match state {
        ItemState::Failed => reasons.push(reason(
            ReasonKind::ItemFailed,
            "The item failed.".to_owned(),
            owner(),
        )),
        ItemState::Open | ItemState::InProgress => {
            reasons.push(reason(
                ReasonKind::ItemUndecided,
                format!("The item is {}.", state.label().to_lowercase()),
                owner(),
            ));
        }
        ItemState::InReview if item.state == ItemState::Waived => {
            reasons.push(reason(
                ReasonKind::WaiverExpired,
                "Its waiver has run out.".to_owned(),
                vec!["a manager".to_owned()],
            ));
        }
        ItemState::InReview => {
            reasons.push(reason(
                ReasonKind::ItemUndecided,
                "The item is in review.".to_owned(),
                reviewers(),
            ));
        }
        ItemState::Passed | ItemState::NotApplicable | ItemState::Waived => {
            let quorum = if state == ItemState::Waived {
                1
            } else {
                item.quorum.max(1)
            };
            if item.valid_sign_offs < quorum {
                let who = if state == ItemState::Waived {
                    vec!["a manager".to_owned()]
                } else {
                    reviewers()
                };
                if !item.void_because.is_empty() {
                    let named: Vec<_> = (item.void_because.iter().take(MOST_NAMED))
                        .map(String::as_str)
                        .collect();
                    let more = match item.void_because.len() - named.len() {
                        0 => String::new(),
                        n => format!(" and {n} more"),
                    };
                    let why = format!(
                        "The sign-off is void: changed since are {}{more}.",
                        named.join(", ")
                    );
                    reasons.push(reason(ReasonKind::SignOffVoid, why, who));
                } else if item.damage.is_empty() {
                    let why = format!("{} of {quorum} valid sign-offs.", item.valid_sign_offs);
                    reasons.push(reason(ReasonKind::SignOffMissing, why, who));
                }
            } else if state == ItemState::Waived {
                waivers.push(reason(
                    ReasonKind::ItemUndecided,
                    "Waived.".to_owned(),
                    vec!["a manager".to_owned()],
                ));
            }
        }
    }
    if !item.damage.is_empty() {
        reasons.push(reason(
            ReasonKind::SignOffDamaged,
            item.damage.join(" "),
            vec![RESTORER.to_owned()],
        ));
    }
    if item.n_damaged_evidence > 0 {
        let why = match item.n_damaged_evidence {
            1 => "1 piece of its evidence is damaged: it is not what was submitted.".to_owned(),
            n => {
                format!("{n} pieces of its evidence are damaged: they are not what was submitted.")
            }
        };
        reasons.push(reason(
            ReasonKind::EvidenceDamaged,
            why,
            vec![RESTORER.to_owned()],
        ));
    }
    if state == ItemState::Passed {
        if policy.evidence_required && item.n_evidence == 0 {
            reasons.push(reason(
                ReasonKind::EvidenceMissing,
                "The item was passed, and no evidence is left.".to_owned(),
                owner(),
            ));
        }
        if policy.stale_evidence_blocks && item.n_stale_evidence > 0 {
            let why = match item.n_stale_evidence {
                1 => "1 piece of its evidence is stale: it is of another commit, names none while the target has moved, or a newer scan contradicts it."
                    .to_owned(),
                n => format!(
                    "{n} pieces of its evidence are stale: they are of another commit, name none while the target has moved, or newer scans contradict them."
                ),
            };
            reasons.push(reason(ReasonKind::EvidenceStale, why, owner()));
        }
    }
}

fn judge_scans(review: &ReviewState, policy: &Policy, reasons: &mut Vec<Reason>) {
    let Some(commit) = &review.commit else {
        if !policy.required_scans.is_empty() {
            let why = "The review names no target commit, so no required scan can be of it.";
            reasons.push(about_review(review, ReasonKind::CommitUnknown, why));
        }
        return;
    };
    for required in &policy.required_scans {
        let mut series: BTreeMap<&str, Vec<&ScanFacts>> = BTreeMap::new();
        for scan in &review.scans {
            if required.is_series(&scan.tool, &scan.label) {
                series.entry(&scan.label).or_default().push(scan);
            }
        }
        let reason = |kind, label: Option<&str>, why| {
            let title = match label {
                Some(label) if series.len() > 1 => format!("{required}: {label}"),
                _ => required.to_string(),
            };
            Reason {
                kind,
                subject_kind: "scan".to_owned(),
                subject: required.to_string(),
                title,
                why,
                who: vec!["a contributor or CI".to_owned()],
            }
        };
        if series.is_empty() {
            let last = match &required.label {
                Some(label) => format!("{} has never run as {label}", required.tool),
                None => format!("{} has never run without a label of its own", required.tool),
            };
            let why = format!("The required scan is missing for {commit}: {last}.");
            reasons.push(reason(ReasonKind::ScanMissing, None, why));
        }
        // What the tool looked at before and not at this commit is not known to be clean.
        for (label, scans) in &series {
            let is_of_commit = |scan: &&&ScanFacts| {
                let of = scan.commit.as_deref();
                of.is_some_and(|of| Commit::same(of, commit))
            };
            let mut of_commit = scans.iter().filter(is_of_commit).peekable();
            if of_commit.peek().is_none() {
                let last = match scans.first().and_then(|scan| scan.commit.as_deref()) {
                    None => "its last scan names no commit".to_owned(),
                    Some(of) => format!("it last ran at {of}"),
                };
                let why = format!("The required scan is missing for {commit}: {last}.");
                reasons.push(reason(ReasonKind::ScanMissing, Some(label), why));
            } else if !of_commit.any(|scan| scan.complete) {
                let why = format!("The scan of {commit} is incomplete, so it shows nothing.");
                reasons.push(reason(ReasonKind::ScanIncomplete, Some(label), why));
            }
        }
    }
}

fn about_review(review: &ReviewState, kind: ReasonKind, why: &str) -> Reason {
    Reason {
        kind,
        subject_kind: "review".to_owned(),
        subject: review.review.clone(),
        title: review.title.clone(),
        why: why.to_owned(),
        who: vec!["a manager".to_owned()],
    }
}

fn named<'a>(names: impl Iterator<Item = &'a String>, otherwise: &str) -> Vec<String> {
    let mut names: Vec<String> = names.cloned().collect();
    if names.is_empty() {
        names.push(otherwise.to_owned());
    }
    names.sort();
    names.dedup();
    names
}

/// Why an item cannot be passed now, each as one sentence; empty when it can. The sign form shows it beforehand and the
/// decision checks it again.
pub fn pass_refusals(
    item: &ItemFacts,
    linked: &[FindingFacts],
    policy: &Policy,
    now: Millis,
) -> Vec<String> {
    let mut refusals = Vec::new();
    let blocking: Vec<_> = linked
        .iter()
        .filter(|finding| policy.blocks(finding.severity) && finding.is_open(now))
        .collect();
    if !blocking.is_empty() {
        let names: Vec<_> = blocking
            .iter()
            .map(|f| format!("F-{} ({}, {})", f.number, f.title, f.severity))
            .collect();
        let (noun, verb) = if names.len() == 1 {
            ("finding", "is")
        } else {
            ("findings", "are")
        };
        refusals.push(format!(
            "Pass is not possible while the blocking {noun} {} {verb} open.",
            names.join(", ")
        ));
    }
    if policy.evidence_required && item.n_evidence == 0 {
        refusals.push("Pass is not possible without evidence. Attach some first.".to_owned());
    }
    if item.n_damaged_evidence > 0 {
        refusals.push(
            "Pass is not possible while a piece of its evidence is damaged. Withdraw it and attach it again."
                .to_owned(),
        );
    }
    if policy.stale_evidence_blocks && item.n_stale_evidence > 0 {
        refusals.push(format!(
            "Pass is not possible while {} of its evidence {} stale.",
            item.n_stale_evidence,
            if item.n_stale_evidence == 1 {
                "is"
            } else {
                "are"
            }
        ));
    }
    refusals
}
