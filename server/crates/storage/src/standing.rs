//! Where reviews stand: everything that a verdict, a sign-off's content and the readiness page are computed from, read in
//! a fixed number of queries however many items and reviews there are.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use holdpoint_domain::{
    Decision, Digest, FindingStatus, Gating, ItemId, ItemState, Millis, PatchState, PersonId,
    Policy, ReviewId, ScannerClaim, Severity,
    evidence::Pin,
    four_eyes::is_marked_by_reset,
    triage::{Blocking, Request},
    verdict::{FindingGroup, GroupKey, GroupState},
};

use crate::{
    FindingContent, Found, StorageError, Tx,
    evidence::is_contradicted,
    execute, fetch_all, fetch_each, fetch_optional,
    finding_rows::severity_rank,
    findings::{acceptance_ended, claim, holds_until, stands_alone},
    for_ids,
    text_digests::{AskedText, KnownTexts, ReadText},
    triage::request,
    tx::one,
};

/// Everything of one review that counts for its verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub review: StandingReview,
    /// In the document's order.
    pub items: Vec<StandingItem>,
    /// Evidence that counts.
    pub evidence: Vec<StandingEvidence>,
    /// Findings linked to items.
    pub linked: Vec<StandingLink>,
    /// Open findings, accepted risks and duplicates of fixed findings that count for the review and could hold it or one of
    /// the others back.
    pub findings: Vec<StandingFinding>,
    /// What decisions on the release are compared with, where of `findings` only the first were read.
    pub covered: Option<Vec<StandingFinding>>,
    /// How many more such findings there are, where only the first were read.
    pub more_findings: Vec<FindingGroup>,
    /// Owners of items that the first findings are linked to: the finding's id, and a name.
    pub owners: Vec<(String, String)>,
    /// How many findings are linked to items, where they were counted.
    pub links: Vec<LinkCount>,
    /// How many open findings are linked to the items of a person, by the person's id, where they were counted.
    pub open_of_owners: Vec<(String, i64)>,
    /// Patches linked to items.
    pub patches: Vec<StandingPatch>,
    /// The newest scan of each series of the service.
    pub scans: Vec<StandingScan>,
    pub deliverables: Vec<StandingDeliverable>,
    /// Every sign-off, of items and of the release, in the order of the activity log.
    pub sign_offs: Vec<SignOff>,
}

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StandingReview {
    pub id: String,
    pub service_id: String,
    pub service_slug: String,
    pub service_name: String,
    pub title: String,
    pub release: String,
    pub commit_id: Option<String>,
    pub due_on: Option<String>,
    /// JSON.
    pub policy: String,
    pub created_at: Millis,
    pub version: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingItem {
    pub id: String,
    pub section_id: Option<String>,
    pub key: String,
    pub title: String,
    pub body: String,
    pub gating: Gating,
    /// As stored; see [`ItemState::at`].
    pub state: ItemState,
    pub round: i64,
    pub owner_id: Option<String>,
    pub owner_name: Option<String>,
    pub due_on: Option<String>,
    pub quorum: Option<i64>,
    pub waived_until: Option<Millis>,
    pub review_requested_by: Option<String>,
    pub review_requested_at: Option<Millis>,
    pub version: i64,
    /// Id and name, by name.
    pub reviewers: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingEvidence {
    pub id: String,
    pub item_id: String,
    pub kind: String,
    pub title: String,
    /// As it is read: of a link, a note or a command's output computed now, of files as stored.
    pub sha256: String,
    /// Whether that is not the digest that it was kept under.
    pub is_damaged: bool,
    /// The digest of the words beside a scan's file.
    pub words: Option<String>,
    pub commit_id: Option<String>,
    /// The review's target commit when it was attached.
    pub target_commit: Option<String>,
    /// The path and lines that it is about.
    pub place: Option<String>,
    pub observed_at: Millis,
    pub created_by: String,
    /// Of a scan: who imported it.
    pub imported_by: Option<String>,
    /// It is a clean scan, and a newer scan of its series is not.
    pub is_contradicted: bool,
}

impl StandingEvidence {
    /// Whether it is stale against a review's target: of another commit, or contradicted by a newer scan.
    pub fn is_stale(&self, target: Option<&str>) -> bool {
        let pin = Pin {
            commit: self.commit_id.as_deref(),
            target_then: self.target_commit.as_deref(),
            target,
        };
        self.is_contradicted || pin.is_stale()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingLink {
    pub item_id: String,
    pub finding: StandingFinding,
}

/// How many findings of a severity are linked to an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkCount {
    pub item_id: String,
    pub severity: Severity,
    pub n: i64,
    /// Those that are open.
    pub n_open: i64,
}

/// How much is read of where reviews stand.
#[derive(Clone, Copy, Debug)]
pub struct Summary<'a> {
    pub now: Millis,
    /// So many findings of each kind are read, and the others counted.
    pub most: usize,
    /// The findings linked to this item are all read.
    pub item: Option<&'a ItemId>,
    /// Whether the findings linked to items are counted.
    pub counts_links: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingFinding {
    pub id: String,
    pub number: i64,
    pub title: String,
    pub severity: Severity,
    pub status: FindingStatus,
    /// Until when what was decided holds by itself.
    pub holds_until: Option<Millis>,
    /// The number of the finding that it was called a duplicate of.
    pub duplicate_of: Option<i64>,
    /// What somebody asks another to make of it, and the name of who asks.
    pub asked: Option<(Request, String)>,
    pub first_seen_at: Millis,
    /// What the scanner says beside that it is there.
    pub claim: Option<ScannerClaim>,
    pub rule: Option<String>,
    /// With its version.
    pub component: Option<String>,
    /// Path and lines.
    pub place: Option<String>,
    pub accepted_until: Option<Millis>,
    /// The digest of what explains it and how to mend it.
    pub explanation: Option<String>,
    /// The digest of what it says; absent for an open finding that is linked to no item.
    pub says: Option<String>,
    /// Its category, CVE and CWE, where its digest is.
    pub identifiers: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingPatch {
    pub item_id: String,
    pub id: String,
    pub number: i64,
    pub sha256: String,
    pub state: PatchState,
    pub submitted_by: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingScan {
    pub id: String,
    pub tool: String,
    pub label: String,
    pub commit_id: Option<String>,
    pub complete: bool,
    pub file_sha256: String,
    pub imported_at: Millis,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingDeliverable {
    pub id: String,
    pub title: String,
    pub done: bool,
    pub owner_name: Option<String>,
}

/// A decision that a person signed, on an item or on the release, with the content it was made over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignOff {
    pub id: String,
    pub review_id: String,
    /// Absent for a release decision.
    pub item_id: Option<String>,
    pub round: i64,
    pub person_id: String,
    pub person_name: String,
    /// The address that the person signs in with: two people may have names that look alike.
    pub person_email: String,
    /// Since when the person's account is disabled.
    pub person_disabled_at: Option<Millis>,
    /// When the person's password had been set by a link that somebody else made, if that was within a day before: the activity log
    /// says so.
    pub reset_at: Option<Millis>,
    pub role: String,
    /// A [`Decision`]'s word, or `go` / `no_go` for a release.
    pub decision: String,
    pub statement: String,
    pub risk: Option<String>,
    pub waived_until: Option<Millis>,
    pub digest: String,
    /// The canonical JSON that was signed.
    pub content: String,
    /// Whether four eyes were asked for when it was signed.
    pub four_eyes: bool,
    pub log_sequence: i64,
    pub signed_at: Millis,
    /// What the activity log says at its place; absent where it says nothing there, and before it is stored.
    pub entry: Option<SignOffEntry>,
    /// What the requirement said, for a sign-off under the first version of the normalisation, if that is known.
    pub signed_requirement: Option<String>,
    /// For such a sign-off: what the log says that it was at the upgrade, as a digest.
    pub bound: Option<String>,
}

/// The action of an entry that says what sign-offs were at the upgrade.
pub const SIGN_OFFS_BOUND: &str = "sign_offs.bound";

/// What such an entry says.
#[derive(Clone, Debug, Default, serde::Deserialize, serde::Serialize)]
pub struct BoundSignOffs {
    /// Digests of sign-offs by their ids.
    pub sign_offs: BTreeMap<String, String>,
    /// In the first of them: how many there are, one after the other. Whatever comes later is not of the upgrade.
    #[serde(default)]
    pub entries: i64,
}

impl BoundSignOffs {
    /// Reads what came of an entry; of another one it says nothing.
    pub fn read(after: &str) -> Self {
        serde_json::from_str(after).unwrap_or_default()
    }
}

/// The entry of the activity log that a sign-off names as its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignOffEntry {
    pub actor: String,
    pub action: String,
    pub at: Millis,
    pub after: Option<String>,
}

impl StandingEvidence {
    /// Whoever has shown this: who attached it, and who imported the scan that it is.
    pub fn submitters(&self) -> impl Iterator<Item = &str> {
        [Some(self.created_by.as_str()), self.imported_by.as_deref()]
            .into_iter()
            .flatten()
    }
}

impl SignOff {
    /// The decision on an item; `None` for a release decision.
    pub fn item_decision(&self) -> Option<Decision> {
        Decision::parse(&self.decision)
    }
}

impl StandingPatch {
    /// Whoever has shown this: nobody, once it was rejected, as of evidence that was withdrawn.
    pub fn submitter(&self) -> Option<&str> {
        (self.state != PatchState::Rejected).then_some(self.submitted_by.as_str())
    }
}

/// Where an item is.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ItemPlace {
    pub review_id: String,
    pub service_id: String,
    pub commit_id: Option<String>,
    pub key: String,
}

#[derive(sqlx::FromRow)]
struct ItemRow {
    review_id: String,
    id: String,
    section_id: Option<String>,
    key: String,
    title: String,
    body: String,
    gating: String,
    state: String,
    round: i64,
    owner_id: Option<String>,
    owner_name: Option<String>,
    due_on: Option<String>,
    quorum: Option<i64>,
    waived_until: Option<i64>,
    review_requested_by: Option<String>,
    review_requested_at: Option<i64>,
    version: i64,
}

#[derive(sqlx::FromRow)]
struct ReviewerRow {
    item_id: String,
    person_id: String,
    name: String,
}

#[derive(sqlx::FromRow)]
struct EvidenceRow {
    review_id: String,
    id: String,
    item_id: String,
    kind: String,
    title: String,
    words: String,
    size_bytes: i64,
    stamp: String,
    sha256: String,
    file_sha256: Option<String>,
    commit_id: Option<String>,
    target_commit: Option<String>,
    path: Option<String>,
    start_line: Option<i64>,
    end_line: Option<i64>,
    observed_at: i64,
    created_by: String,
    imported_by: Option<String>,
    is_contradicted: i64,
}

impl EvidenceRow {
    /// Texts are read apart.
    fn asked_text(&self) -> Option<AskedText> {
        self.file_sha256.is_none().then(|| AskedText {
            id: self.id.clone(),
            stamp: self.stamp.clone(),
            n_bytes: self.size_bytes,
        })
    }

    fn evidence(self, texts: &HashMap<String, ReadText>) -> StandingEvidence {
        let row = self;
        let text = texts.get(&row.id).map(|text| text.sha256.as_str());
        // A text that is not there any more is not what was submitted.
        let sha256 = row
            .file_sha256
            .unwrap_or_else(|| text.unwrap_or_default().to_owned());
        StandingEvidence {
            is_damaged: sha256 != row.sha256,
            sha256,
            words: (!row.words.is_empty()).then(|| Digest::of(row.words.as_bytes()).into()),
            place: place(row.path.as_deref(), row.start_line, row.end_line),
            id: row.id,
            item_id: row.item_id,
            kind: row.kind,
            title: row.title,
            commit_id: row.commit_id,
            target_commit: row.target_commit,
            observed_at: row.observed_at,
            created_by: row.created_by,
            imported_by: row.imported_by,
            is_contradicted: row.is_contradicted != 0,
        }
    }
}

/// The evidence that counts of reviews, as SQL without its end. Of a text there is only what says whether its row was written.
macro_rules! standing_evidence {
    ($stamp:literal) => {
        concat!(
            "select item.review_id, evidence.id, evidence.item_id, evidence.kind, evidence.title, \
             case when evidence.file_sha256 is null then '' else evidence.body end as words, evidence.size_bytes, ",
            $stamp,
            " as stamp, evidence.sha256, evidence.file_sha256, \
             evidence.commit_id, evidence.target_commit, evidence.path, evidence.start_line, evidence.end_line, \
             evidence.observed_at, evidence.created_by, \
             (select scan.imported_by from scan where scan.id = evidence.scan_id) as imported_by, ",
            is_contradicted!(),
            " as is_contradicted from evidence join item on item.id = evidence.item_id \
             where evidence.superseded_by is null and evidence.withdrawn_at is null and item.review_id in "
        )
    };
}

/// "main.go:41-57".
fn place(path: Option<&str>, start: Option<i64>, end: Option<i64>) -> Option<String> {
    let path = path?;
    Some(match (start, end) {
        (None, _) => path.to_owned(),
        (Some(start), Some(end)) if end != start => format!("{path}:{start}-{end}"),
        (Some(start), _) => format!("{path}:{start}"),
    })
}

#[derive(sqlx::FromRow)]
struct FindingRow {
    review_id: String,
    item_id: Option<String>,
    id: String,
    number: i64,
    title: String,
    severity: String,
    status: String,
    holds_until: Option<i64>,
    duplicate_of: Option<i64>,
    asked_for: Option<String>,
    asked_by_name: Option<String>,
    first_seen_at: i64,
    scanner_state: Option<String>,
    suppression_kind: Option<String>,
    suppression_reason: Option<String>,
    rule: Option<String>,
    component: Option<String>,
    component_version: Option<String>,
    path: Option<String>,
    start_line: Option<i64>,
    end_line: Option<i64>,
    accepted_until: Option<i64>,
    explanation_id: Option<String>,
    has_texts: i64,
    message: String,
    snippet: Option<String>,
    description: String,
    remediation: String,
    category: String,
    cve: String,
    cwe: String,
}

/// The columns of a finding that counts, as SQL: its texts only where they do.
macro_rules! finding_columns {
    ($has_texts:literal) => {
        concat!(
            "finding.id, finding.number, finding.title, finding.severity, finding.status, ",
            holds_until!(),
            " as holds_until, original.number as duplicate_of, finding.asked_for, \
             (select person.name from person where person.id = finding.acceptance_requested_by) as asked_by_name, \
             finding.first_seen_at, finding.scanner_state, \
             finding.suppression_kind, finding.suppression_reason, finding.rule, finding.component, \
             finding.component_version, finding.path, finding.start_line, finding.end_line, finding.accepted_until, \
             finding.explanation_id, finding.category, finding.cve, finding.cwe, cast(case when ",
            $has_texts,
            " then 1 else 0 end as bigint) as has_texts, case when ",
            $has_texts,
            " then finding.message else '' end as message, case when ",
            $has_texts,
            " then finding.snippet end as snippet, case when ",
            $has_texts,
            // What explains the rule counts only where nothing is said of the place.
            " and trim(finding.message) = '' then coalesce(explanation.description, finding.description) else '' end \
             as description, case when ",
            $has_texts,
            " then finding.remediation else '' end as remediation"
        )
    };
}

/// Computes the digest of what a finding says.
pub type Says = fn(&FindingContent) -> String;

#[derive(sqlx::FromRow)]
struct PatchRow {
    review_id: String,
    item_id: String,
    id: String,
    number: i64,
    sha256: String,
    state: String,
    submitted_by: String,
}

#[derive(sqlx::FromRow)]
struct ScanRow {
    review_id: String,
    id: String,
    tool: String,
    label: String,
    commit_id: Option<String>,
    complete: bool,
    file_sha256: String,
    imported_at: i64,
}

#[derive(sqlx::FromRow)]
struct DeliverableRow {
    review_id: String,
    id: String,
    title: String,
    done: bool,
    owner_name: Option<String>,
}

#[derive(sqlx::FromRow)]
struct SignOffRow {
    id: String,
    review_id: String,
    item_id: Option<String>,
    round: i64,
    person_id: String,
    person_name: String,
    person_email: String,
    person_disabled_at: Option<i64>,
    reset_at: Option<i64>,
    reset_after: Option<String>,
    role: String,
    decision: String,
    statement: String,
    risk: Option<String>,
    waived_until: Option<i64>,
    digest: String,
    content: String,
    four_eyes: bool,
    log_sequence: i64,
    signed_at: i64,
    signed_requirement: Option<String>,
    bound_by: Option<i64>,
    binding_action: Option<String>,
    binding_after: Option<String>,
    first_binding: Option<i64>,
    first_binding_after: Option<String>,
    entry_actor: Option<String>,
    entry_action: Option<String>,
    entry_at: Option<i64>,
    entry_after: Option<String>,
}

macro_rules! select_sign_offs {
    () => {
        "select sign_off.id, sign_off.review_id, sign_off.item_id, sign_off.round, sign_off.person_id, \
         person.name as person_name, person.email as person_email, person.disabled_at as person_disabled_at, \
         sign_off.role, sign_off.decision, sign_off.statement, sign_off.risk, \
         sign_off.waived_until, sign_off.digest, sign_off.content, sign_off.four_eyes, sign_off.log_sequence, \
         sign_off.signed_at, sign_off.signed_requirement, activity.actor as entry_actor, \
         activity.action as entry_action, activity.at as entry_at, activity.after as entry_after, \
         reset.at as reset_at, reset.after as reset_after, \
         sign_off.bound_by, binding.action as binding_action, binding.after as binding_after, \
         first_binding.sequence as first_binding, first_binding.after as first_binding_after \
         from sign_off join person on person.id = sign_off.person_id \
         left join activity on activity.sequence = sign_off.log_sequence \
         left join activity as binding on binding.sequence = sign_off.bound_by \
         left join activity as first_binding on sign_off.bound_by is not null and first_binding.sequence = \
         (select min(sequence) from activity where action = 'sign_offs.bound') \
         left join activity as reset on reset.sequence = (select max(earlier.sequence) from activity as earlier \
         where earlier.subject_kind = 'person' and earlier.subject = sign_off.person_id \
         and earlier.action = 'person.password_reset' and earlier.sequence < sign_off.log_sequence) "
    };
}

/// When a signer's password had been set by somebody else's link, by what the log says of the last such link; `None` where that is
/// more than a day ago.
fn marking_reset(
    person: &str,
    signed_at: Millis,
    reset_at: Millis,
    after: Option<&str>,
) -> Option<Millis> {
    #[derive(serde::Deserialize)]
    struct After {
        link_made_by: Option<String>,
    }
    let after = after.and_then(|after| serde_json::from_str::<After>(after).ok());
    let is_own = after.is_some_and(|after| after.link_made_by.as_deref() == Some(person));
    (!is_own && is_marked_by_reset(signed_at, reset_at)).then_some(reset_at)
}

impl From<SignOffRow> for SignOff {
    fn from(row: SignOffRow) -> Self {
        let reset_at = row.reset_at.and_then(|at| {
            marking_reset(
                &row.person_id,
                row.signed_at,
                at,
                row.reset_after.as_deref(),
            )
        });
        let of_upgrade = (row.first_binding.zip(row.first_binding_after))
            .map(|(first, after)| first..first + BoundSignOffs::read(&after).entries);
        let is_of_upgrade =
            of_upgrade.is_some_and(|of| row.bound_by.is_some_and(|by| of.contains(&by)));
        let binding = row.binding_action.zip(row.binding_after);
        let bound = binding
            .filter(|(action, _)| is_of_upgrade && action == SIGN_OFFS_BOUND)
            .and_then(|(_, after)| BoundSignOffs::read(&after).sign_offs.remove(&row.id));
        Self {
            reset_at,
            bound,
            id: row.id,
            review_id: row.review_id,
            item_id: row.item_id,
            round: row.round,
            person_id: row.person_id,
            person_name: row.person_name,
            person_email: row.person_email,
            person_disabled_at: row.person_disabled_at,
            role: row.role,
            decision: row.decision,
            statement: row.statement,
            risk: row.risk,
            waived_until: row.waived_until,
            digest: row.digest,
            content: row.content,
            four_eyes: row.four_eyes,
            log_sequence: row.log_sequence,
            signed_at: row.signed_at,
            signed_requirement: row.signed_requirement,
            entry: row.entry_actor.zip(row.entry_action).zip(row.entry_at).map(
                |((actor, action), at)| SignOffEntry {
                    actor,
                    action,
                    at,
                    after: row.entry_after,
                },
            ),
        }
    }
}

fn word<T>(
    table: &str,
    column: &str,
    text: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, StorageError> {
    parse(text).ok_or_else(|| StorageError::column(table, column, text))
}

fn finding(row: FindingRow, says: Says) -> Result<StandingFinding, StorageError> {
    let component = row.component.as_ref().map(|component| {
        let version = row.component_version.as_deref();
        version.map_or_else(
            || component.clone(),
            |version| format!("{component} {version}"),
        )
    });
    let explanation = row.explanation_id.or_else(|| {
        (!row.remediation.is_empty()).then(|| Digest::of(row.remediation.as_bytes()).into())
    });
    let lists =
        [&row.cve, &row.cwe].map(|list| serde_json::from_str::<Vec<serde_json::Value>>(list));
    let [cve, cwe] = lists.map(Result::unwrap_or_default);
    let said = |value: serde_json::Value| match value {
        serde_json::Value::String(word) => word,
        value => value.to_string(),
    };
    let cwe = cwe
        .into_iter()
        .map(|number| format!("CWE-{}", said(number)));
    let identifiers: Vec<_> = std::iter::once(row.category)
        .chain(cve.into_iter().map(said))
        .chain(cwe)
        .collect();
    let content = FindingContent {
        id: row.id.clone(),
        title: row.title.clone(),
        severity: row.severity.clone(),
        rule: row.rule.clone(),
        component: row.component,
        component_version: row.component_version,
        message: row.message,
        snippet: row.snippet,
        description: row.description,
    };
    Ok(StandingFinding {
        says: (row.has_texts != 0).then(|| says(&content)),
        identifiers: (row.has_texts != 0).then(|| identifiers.join(", ")),
        rule: row.rule,
        component,
        place: place(row.path.as_deref(), row.start_line, row.end_line),
        accepted_until: row.accepted_until,
        explanation,
        severity: word("finding", "severity", &row.severity, Severity::parse)?,
        status: word("finding", "status", &row.status, FindingStatus::parse)?,
        id: row.id,
        number: row.number,
        title: row.title,
        holds_until: row.holds_until,
        duplicate_of: row.duplicate_of,
        asked: request(row.asked_for.as_deref())?
            .map(|asked| (asked, row.asked_by_name.unwrap_or_default())),
        first_seen_at: row.first_seen_at,
        claim: claim(
            row.scanner_state.as_deref(),
            row.suppression_kind.as_deref(),
            row.suppression_reason,
        )?,
    })
}

/// A review, its service, and the last entry of the activity log about that.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct LastEntry {
    pub review_id: String,
    pub service_id: String,
    pub sequence: i64,
}

impl Tx {
    /// Up to where these reviews' services have come; ids of no review are passed over.
    pub async fn last_entries(
        &mut self,
        reviews: &[&ReviewId],
    ) -> Result<Vec<LastEntry>, StorageError> {
        let ids = serde_json::to_string(reviews).expect("ids are texts");
        let sql = for_ids!(
            self,
            "select review.id as review_id, review.service_id, coalesce((select max(activity.sequence) from activity \
             where activity.service = review.service_id), 0) as sequence from review where review.id in",
            ""
        );
        Ok(fetch_all!(self, LastEntry, sql, &ids))
    }

    /// Where these reviews stand, in no particular order; ids of no review are passed over. Findings are those that can hold
    /// back one of the reviews at a moment, by its policy; none without a moment. Texts are digested as they are read, so
    /// that they need no memory.
    pub async fn standings(
        &mut self,
        reviews: &[&ReviewId],
        findings_at: Option<Millis>,
        says: Says,
    ) -> Result<Vec<Standing>, StorageError> {
        let (ids, mut standings) = self.standings_without_findings(reviews, None).await?;
        self.standing_links(&items_of(&standings), says, &mut standings)
            .await?;
        let asked = findings_at.map_or_else(Vec::new, |now| holding_back(&standings, now));
        self.standing_findings(&ids, &asked, says, &mut standings)
            .await?;
        Ok(standings)
    }

    /// Where these reviews stand, however many findings there are: of those that can hold a review back the first of each
    /// kind and the number of the others; of those linked to items the ones that a sign-off covers, or the asked item's; and
    /// what decisions on the release are compared with, see `covered_findings`.
    pub async fn standing_summaries(
        &mut self,
        reviews: &[&ReviewId],
        summary: Summary<'_>,
        says: Says,
        known: &KnownTexts<'_>,
    ) -> Result<Vec<Standing>, StorageError> {
        let (ids, mut standings) = self
            .standings_without_findings(reviews, Some(known))
            .await?;
        let mut items = Vec::new();
        for standing in &standings {
            let is_covered = |item: &StandingItem| {
                summary.item.is_some_and(|asked| asked.as_str() == item.id)
                    || standing.sign_offs.iter().any(|sign_off| {
                        sign_off.round == item.round
                            && sign_off.item_id.as_deref() == Some(item.id.as_str())
                    })
            };
            let covered = standing.items.iter().filter(|item| is_covered(item));
            items.extend(covered.map(|item| item.id.clone()));
        }
        self.standing_links(&items, says, &mut standings).await?;
        self.covered_findings(says, &mut standings).await?;
        self.first_findings(summary, says, &mut standings).await?;
        self.owners_of_first(&mut standings).await?;
        if summary.counts_links {
            self.count_links(&ids, summary.now, &mut standings).await?;
        }
        Ok(standings)
    }

    async fn standings_without_findings(
        &mut self,
        reviews: &[&ReviewId],
        known: Option<&KnownTexts<'_>>,
    ) -> Result<(String, Vec<Standing>), StorageError> {
        let ids = serde_json::to_string(reviews).expect("ids are texts");
        let sql = for_ids!(
            self,
            "select review.id, review.service_id, service.slug as service_slug, service.name as service_name, \
             review.title, review.release, review.commit_id, review.due_on, review.policy, review.created_at, \
             review.version from review join service on service.id = review.service_id where review.id in",
            ""
        );
        let mut standings: Vec<Standing> = fetch_all!(self, StandingReview, sql, &ids)
            .into_iter()
            .map(|review| Standing {
                review,
                items: Vec::new(),
                evidence: Vec::new(),
                linked: Vec::new(),
                findings: Vec::new(),
                covered: None,
                more_findings: Vec::new(),
                owners: Vec::new(),
                links: Vec::new(),
                open_of_owners: Vec::new(),
                patches: Vec::new(),
                scans: Vec::new(),
                deliverables: Vec::new(),
                sign_offs: Vec::new(),
            })
            .collect();
        self.standing_items(&ids, &mut standings).await?;
        self.standing_evidence(&ids, known, &mut standings).await?;
        let sql = for_ids!(
            self,
            "select item.review_id, patch_item.item_id, patch.id, patch.number, patch.file_sha256 as sha256, patch.state, patch.submitted_by \
             from patch_item join patch on patch.id = patch_item.patch_id join item on item.id = patch_item.item_id \
             where item.review_id in",
            "order by patch.number"
        );
        for row in fetch_all!(self, PatchRow, sql, &ids) {
            let state = word("patch", "state", &row.state, PatchState::parse)?;
            if let Some(standing) = of(&mut standings, &row.review_id) {
                let PatchRow {
                    item_id,
                    id,
                    number,
                    sha256,
                    submitted_by,
                    ..
                } = row;
                standing.patches.push(StandingPatch {
                    item_id,
                    id,
                    number,
                    sha256,
                    state,
                    submitted_by,
                });
            }
        }
        self.standing_rest(&ids, &mut standings).await?;
        Ok((ids, standings))
    }

    /// The evidence that counts. Its texts are digested one by one, and those that are known are not read.
    async fn standing_evidence(
        &mut self,
        ids: &str,
        known: Option<&KnownTexts<'_>>,
        standings: &mut [Standing],
    ) -> Result<(), StorageError> {
        let sql = self.dialect(
            concat!(
                standing_evidence!("''"),
                "(select value from json_each($1)) order by evidence.id"
            ),
            concat!(
                standing_evidence!(
                    "cast(evidence.xmin as text) || ' ' || cast(evidence.ctid as text)"
                ),
                "(select jsonb_array_elements_text(cast($1 as jsonb))) order by evidence.id"
            ),
        );
        let rows = fetch_all!(self, EvidenceRow, sql, ids);
        let asked: Vec<_> = rows.iter().filter_map(EvidenceRow::asked_text).collect();
        let texts = self.read_texts(&asked, 0, known).await?;
        for row in rows {
            if let Some(standing) = of(standings, &row.review_id) {
                standing.evidence.push(row.evidence(&texts));
            }
        }
        Ok(())
    }

    async fn standing_items(
        &mut self,
        ids: &str,
        standings: &mut [Standing],
    ) -> Result<(), StorageError> {
        let sql = for_ids!(
            self,
            "select item.review_id, item.id, item.section_id, item.key, item.title, item.body, item.gating, item.state, \
             item.round, item.owner_id, owner.name as owner_name, item.due_on, item.quorum, item.waived_until, \
             item.review_requested_by, item.review_requested_at, item.version from item \
             left join person as owner on owner.id = item.owner_id where item.review_id in",
            "order by item.review_id, item.position"
        );
        let rows = fetch_all!(self, ItemRow, sql, ids);
        let sql = for_ids!(
            self,
            "select item_reviewer.item_id, person.id as person_id, person.name from item_reviewer \
             join person on person.id = item_reviewer.person_id join item on item.id = item_reviewer.item_id \
             where item.review_id in",
            "order by lower(person.name), person.id"
        );
        let mut reviewers: std::collections::HashMap<String, Vec<(String, String)>> =
            std::collections::HashMap::new();
        for row in fetch_all!(self, ReviewerRow, sql, ids) {
            reviewers
                .entry(row.item_id)
                .or_default()
                .push((row.person_id, row.name));
        }
        for row in rows {
            let item = StandingItem {
                gating: word("item", "gating", &row.gating, Gating::parse)?,
                state: word("item", "state", &row.state, ItemState::parse)?,
                reviewers: reviewers.remove(&row.id).unwrap_or_default(),
                id: row.id,
                section_id: row.section_id,
                key: row.key,
                title: row.title,
                body: row.body,
                round: row.round,
                owner_id: row.owner_id,
                owner_name: row.owner_name,
                due_on: row.due_on,
                quorum: row.quorum,
                waived_until: row.waived_until,
                review_requested_by: row.review_requested_by,
                review_requested_at: row.review_requested_at,
                version: row.version,
            };
            if let Some(standing) = of(standings, &row.review_id) {
                standing.items.push(item);
            }
        }
        Ok(())
    }

    /// The findings that are linked to these items.
    async fn standing_links(
        &mut self,
        items: &[String],
        says: Says,
        standings: &mut [Standing],
    ) -> Result<(), StorageError> {
        let ids = serde_json::to_string(items).expect("ids are texts");
        let sql = for_ids!(
            self,
            concat!(
                "select item.review_id, finding_item.item_id, ",
                finding_columns!("true"),
                " from finding_item join finding on finding.id = finding_item.finding_id \
                 left join finding as original on original.id = finding.duplicate_of \
                 left join explanation on explanation.id = finding.explanation_id \
                 join item on item.id = finding_item.item_id where item.id in"
            ),
            "order by finding.number"
        );
        fetch_each!(self, FindingRow, sql, [ids], |mut row: FindingRow| {
            if let (Some(standing), Some(item_id)) =
                (of(standings, &row.review_id), row.item_id.take())
            {
                standing.linked.push(StandingLink {
                    item_id,
                    finding: finding(row, says)?,
                });
            }
            Ok::<(), StorageError>(())
        });
        Ok(())
    }

    /// The findings that can hold these reviews back.
    async fn standing_findings(
        &mut self,
        ids: &str,
        asked: &[(Severity, Millis)],
        says: Says,
        standings: &mut [Standing],
    ) -> Result<(), StorageError> {
        if asked.is_empty() {
            return Ok(());
        }
        let asked = serde_json::to_string(asked).expect("severities are words");
        let sql = self.dialect(
            concat!(
                "select review.id as review_id, null as item_id, ",
                finding_columns!("finding.status <> 'open'"),
                " from finding left join finding as original on original.id = finding.duplicate_of \
             left join explanation on explanation.id = finding.explanation_id \
             join review on review.service_id = finding.service_id \
             and (finding.review_id is null or finding.review_id = review.id) \
             where finding.status in ('open', 'risk_accepted', 'duplicate') \
             and (finding.status <> 'duplicate' or ",
                holds_until!(),
                " is not null) and exists (select 1 from json_each($2) as asked \
             where asked.value ->> 0 = finding.severity and asked.value ->> 1 > finding.first_seen_at) \
             and review.id in (select value from json_each($1)) order by finding.number"
            ),
            concat!(
                "select review.id as review_id, cast(null as text) as item_id, ",
                finding_columns!("finding.status <> 'open'"),
                " from finding left join finding as original on original.id = finding.duplicate_of \
             left join explanation on explanation.id = finding.explanation_id \
             join review on review.service_id = finding.service_id \
             and (finding.review_id is null or finding.review_id = review.id) \
             where finding.status in ('open', 'risk_accepted', 'duplicate') \
             and (finding.status <> 'duplicate' or ",
                holds_until!(),
                " is not null) and exists (select 1 from jsonb_array_elements(cast($2 as jsonb)) as asked (value) \
             where asked.value ->> 0 = finding.severity and cast(asked.value ->> 1 as bigint) > finding.first_seen_at) \
             and review.id in (select jsonb_array_elements_text(cast($1 as jsonb))) order by finding.number"
            ),
        );
        fetch_each!(self, FindingRow, sql, [ids, asked], |row: FindingRow| {
            if let Some(standing) = of(standings, &row.review_id) {
                standing.findings.push(finding(row, says)?);
            }
            Ok::<(), StorageError>(())
        });
        Ok(())
    }

    /// What decisions on the release are compared with, of the reviews that have any: of the findings that block by the
    /// review's policy those that a decision covers, and of all one more than it covers, by number. If there are that many,
    /// it is void whatever the others are. Reviews of one service with one policy share what is read.
    async fn covered_findings(
        &mut self,
        says: Says,
        standings: &mut [Standing],
    ) -> Result<(), StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            policy: i64,
            of_review: Option<String>,
            #[sqlx(flatten)]
            finding: FindingRow,
        }
        struct Covered {
            service: String,
            blocking: Vec<i64>,
            most: usize,
            numbers: BTreeSet<i64>,
        }
        let mut policies: Vec<Covered> = Vec::new();
        let mut policy_of = Vec::with_capacity(standings.len());
        for standing in standings.iter_mut() {
            let decisions = standing.sign_offs.iter();
            let decisions = decisions.filter(|sign_off| sign_off.item_id.is_none());
            let decisions: Vec<_> = decisions
                .map(|sign_off| covered_numbers(&sign_off.content))
                .collect();
            if decisions.is_empty() {
                policy_of.push(None);
                continue;
            }
            standing.covered = Some(Vec::new());
            let (service, blocking) = (
                &standing.review.service_id,
                blocking(&standing.review.policy),
            );
            let known = policies
                .iter()
                .position(|known| known.service == *service && known.blocking == blocking);
            let at = known.unwrap_or(policies.len());
            if known.is_none() {
                policies.push(Covered {
                    service: service.clone(),
                    blocking,
                    most: 0,
                    numbers: BTreeSet::new(),
                });
            }
            for numbers in decisions {
                policies[at].most = policies[at].most.max(numbers.len() + 1);
                policies[at].numbers.extend(numbers);
            }
            policy_of.push(Some(at));
        }
        let (mut asked, mut named) = (Vec::new(), Vec::new());
        for (at, policy) in policies.iter().enumerate() {
            let severities = policy.blocking.iter();
            asked.extend(severities.map(|rank| (at, &policy.service, rank, policy.most)));
            named.extend(policy.numbers.iter().map(|number| (at, number)));
        }
        if asked.is_empty() {
            return Ok(());
        }
        macro_rules! covered {
            ($asked:literal, $named:literal, $reviews:literal) => {
                concat!(
                    "with asked as (",
                    $asked,
                    "), named as (",
                    $named,
                    "), found as (select asked.policy, asked.most, finding.review_id as of_review, finding.id, \
                     finding.number, row_number() over (partition by asked.policy, finding.review_id \
                     order by finding.number) as place from asked join finding on finding.service_id = asked.service_id \
                     and finding.severity_rank = asked.severity_rank \
                     where finding.status in ('open', 'risk_accepted', 'duplicate') \
                     and (finding.status <> 'duplicate' or ",
                    holds_until!(),
                    " is not null) and (finding.review_id is null or finding.review_id in (",
                    $reviews,
                    "))) select cast(found.policy as bigint) as policy, found.of_review, '' as review_id, \
                     cast(null as text) as item_id, ",
                    finding_columns!("finding.status <> 'open'"),
                    " from found join finding on finding.id = found.id \
                     left join finding as original on original.id = finding.duplicate_of \
                     left join explanation on explanation.id = finding.explanation_id \
                     where found.place <= found.most \
                     or (found.policy, found.number) in (select named.policy, named.number from named) \
                     order by finding.number"
                )
            };
        }
        let sql = self.dialect(
            covered!(
                "select value ->> 0 as policy, value ->> 1 as service_id, value ->> 2 as severity_rank, \
                 value ->> 3 as most from json_each($1)",
                "select value ->> 0 as policy, value ->> 1 as number from json_each($2)",
                "select value from json_each($3)"
            ),
            covered!(
                "select cast(value ->> 0 as bigint) as policy, value ->> 1 as service_id, \
                 cast(value ->> 2 as bigint) as severity_rank, cast(value ->> 3 as bigint) as most \
                 from jsonb_array_elements(cast($1 as jsonb)) as one (value)",
                "select cast(value ->> 0 as bigint) as policy, cast(value ->> 1 as bigint) as number \
                 from jsonb_array_elements(cast($2 as jsonb)) as one (value)",
                "select jsonb_array_elements_text(cast($3 as jsonb))"
            ),
        );
        let reviews: Vec<_> = standings.iter().map(|one| &one.review.id).collect();
        let reviews = serde_json::to_string(&reviews).expect("ids are texts");
        let asked = serde_json::to_string(&asked).expect("numbers and ids");
        let named = serde_json::to_string(&named).expect("numbers");
        fetch_each!(self, Row, sql, [asked, named, reviews], |row: Row| {
            let found = finding(row.finding, says)?;
            for (standing, policy) in standings.iter_mut().zip(&policy_of) {
                let is_of_policy = policy.is_some_and(|at| i64::try_from(at) == Ok(row.policy));
                let of_review = row.of_review.as_deref();
                if is_of_policy
                    && of_review.is_none_or(|of| of == standing.review.id)
                    && let Some(covered) = &mut standing.covered
                {
                    covered.push(found.clone());
                }
            }
            Ok::<(), StorageError>(())
        });
        Ok(())
    }

    /// The first findings of each kind that can hold reviews back, and how many more there are. Reviews of one service with
    /// one policy share them, but for findings that were written for one review, so what is read does not grow with the
    /// reviews.
    async fn first_findings(
        &mut self,
        summary: Summary<'_>,
        says: Says,
        standings: &mut [Standing],
    ) -> Result<(), StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            policy: i64,
            of_review: Option<String>,
            is_ended: i64,
            is_late: i64,
            n: i64,
            #[sqlx(flatten)]
            finding: FindingRow,
        }
        // For each service and what its reviews' policies ask: severity, before when first seen, and late if before when.
        type Asked = Vec<(Severity, Millis, Millis)>;
        let mut policies: Vec<(String, Asked)> = Vec::new();
        let mut policy_of = Vec::with_capacity(standings.len());
        for standing in standings.iter() {
            let asked = asked_of(&standing.review.policy, summary.now);
            let policy = (standing.review.service_id.clone(), asked);
            let at = policies.iter().position(|known| *known == policy);
            policy_of.push(at.unwrap_or(policies.len()));
            if at.is_none() {
                policies.push(policy);
            }
        }
        let asked: Vec<_> = policies
            .iter()
            .enumerate()
            .flat_map(|(at, (service, asked))| {
                asked.iter().map(move |(severity, before, late)| {
                    (at, service, severity_rank(*severity), before, late)
                })
            })
            .collect();
        if asked.is_empty() {
            return Ok(());
        }
        macro_rules! first {
            ($asked:literal, $reviews:literal) => {
                concat!(
                    "with asked as (",
                    $asked,
                    "), found as (select asked.policy, asked.late_before, finding.review_id as of_review, finding.id, \
                     finding.number, finding.severity_rank, finding.status, finding.first_seen_at, ",
                    holds_until!(),
                    " as holds_until from asked join finding on finding.service_id = asked.service_id \
                     and finding.severity_rank = asked.severity_rank and finding.first_seen_at < asked.before \
                     where finding.status in ('open', 'risk_accepted', 'duplicate') \
                     and (finding.review_id is null or finding.review_id in (",
                    $reviews,
                    "))), kinds as (select found.*, \
                     case when status = 'risk_accepted' and (holds_until is null or holds_until < $3) then 1 else 0 end \
                     as is_ended, case when first_seen_at < late_before then 1 else 0 end as is_late from found \
                     where status <> 'duplicate' or holds_until is not null), placed as (select kinds.*, \
                     row_number() over (partition by policy, of_review, severity_rank, status = 'risk_accepted', is_ended, \
                     is_late order by number) as place, count(*) over (partition by policy, of_review, severity_rank, \
                     status = 'risk_accepted', is_ended, is_late) as n from kinds) \
                     select cast(placed.policy as bigint) as policy, placed.of_review, \
                     cast(placed.is_ended as bigint) as is_ended, cast(placed.is_late as bigint) as is_late, placed.n, \
                     '' as review_id, cast(null as text) as item_id, finding.id, finding.number, finding.title, \
                     finding.severity, finding.status, placed.holds_until, original.number as duplicate_of, \
                     finding.asked_for, (select person.name from person \
                     where person.id = finding.acceptance_requested_by) as asked_by_name, \
                     finding.first_seen_at, finding.scanner_state, finding.suppression_kind, finding.suppression_reason, \
                     finding.rule, finding.component, finding.component_version, finding.path, finding.start_line, \
                     finding.end_line, finding.accepted_until, finding.explanation_id, cast(0 as bigint) as has_texts, \
                     '' as message, cast(null as text) as snippet, '' as description, '' as remediation, finding.category, finding.cve, \
                     finding.cwe from placed join finding on finding.id = placed.id \
                     left join finding as original on original.id = finding.duplicate_of \
                     where placed.place <= $4 order by finding.number"
                )
            };
        }
        let sql = self.dialect(
            first!(
                "select value ->> 0 as policy, value ->> 1 as service_id, value ->> 2 as severity_rank, \
                 value ->> 3 as before, value ->> 4 as late_before from json_each($1)",
                "select value from json_each($2)"
            ),
            first!(
                "select cast(value ->> 0 as bigint) as policy, value ->> 1 as service_id, \
                 cast(value ->> 2 as bigint) as severity_rank, cast(value ->> 3 as bigint) as before, \
                 cast(value ->> 4 as bigint) as late_before from jsonb_array_elements(cast($1 as jsonb)) as one (value)",
                "select jsonb_array_elements_text(cast($2 as jsonb))"
            ),
        );
        let asked = serde_json::to_string(&asked).expect("numbers and ids");
        let ids: Vec<_> = standings.iter().map(|one| &one.review.id).collect();
        let ids = serde_json::to_string(&ids).expect("ids are texts");
        let most = i64::try_from(summary.most.max(1)).unwrap_or(i64::MAX);
        let rows = fetch_all!(self, Row, sql, asked, ids, summary.now, most);
        let mut first = Vec::with_capacity(rows.len());
        for row in rows {
            let found = finding(row.finding, says)?;
            let key = GroupKey {
                severity: found.severity,
                state: match (found.status, row.is_ended != 0) {
                    (FindingStatus::RiskAccepted, true) => GroupState::AcceptanceEnded,
                    (FindingStatus::RiskAccepted, false) => GroupState::Accepted,
                    _ => GroupState::Open,
                },
                is_late: row.is_late != 0,
            };
            let n = usize::try_from(row.n).unwrap_or(usize::MAX);
            first.push((row.policy, row.of_review, key, n, found));
        }
        for (standing, policy) in standings.iter_mut().zip(policy_of) {
            // How many of each kind there are in the service and in the review, and how many of those are read.
            let mut groups: BTreeMap<GroupKey, (BTreeMap<bool, usize>, usize)> = BTreeMap::new();
            for (of, of_review, key, n, found) in &first {
                let is_of_review = of_review.is_some();
                if usize::try_from(*of) != Ok(policy)
                    || of_review
                        .as_deref()
                        .is_some_and(|of| of != standing.review.id)
                {
                    continue;
                }
                let (all, read) = groups.entry(*key).or_default();
                all.insert(is_of_review, *n);
                if *read < summary.most.max(1) {
                    *read += 1;
                    standing.findings.push(found.clone());
                }
            }
            for (key, (all, read)) in groups {
                let n = all.values().sum::<usize>() - read;
                if n > 0 {
                    standing.more_findings.push(FindingGroup { key, n });
                }
            }
        }
        Ok(())
    }

    /// Who owns the items that the first findings are linked to.
    async fn owners_of_first(&mut self, standings: &mut [Standing]) -> Result<(), StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            review_id: String,
            finding_id: String,
            name: String,
        }
        let sql = self.dialect(
            "select item.review_id, finding_item.finding_id, owner.name from finding_item \
             join item on item.id = finding_item.item_id join person as owner on owner.id = item.owner_id \
             where finding_item.finding_id in (select value from json_each($1)) \
             and item.review_id in (select value from json_each($2))",
            "select item.review_id, finding_item.finding_id, owner.name from finding_item \
             join item on item.id = finding_item.item_id join person as owner on owner.id = item.owner_id \
             where finding_item.finding_id in (select jsonb_array_elements_text(cast($1 as jsonb))) \
             and item.review_id in (select jsonb_array_elements_text(cast($2 as jsonb)))",
        );
        let (mut findings, mut reviews) = (BTreeSet::new(), Vec::new());
        for standing in standings.iter() {
            findings.extend(standing.findings.iter().map(|finding| finding.id.as_str()));
            reviews.push(standing.review.id.as_str());
        }
        let findings = serde_json::to_string(&findings).expect("ids are texts");
        let reviews = serde_json::to_string(&reviews).expect("ids are texts");
        for row in fetch_all!(self, Row, sql, findings, reviews) {
            if let Some(standing) = of(standings, &row.review_id) {
                standing.owners.push((row.finding_id, row.name));
            }
        }
        Ok(())
    }

    /// How many findings are linked to the items of these reviews.
    async fn count_links(
        &mut self,
        ids: &str,
        now: Millis,
        standings: &mut [Standing],
    ) -> Result<(), StorageError> {
        #[derive(sqlx::FromRow)]
        struct ItemRow {
            review_id: String,
            item_id: String,
            severity: String,
            n: i64,
            n_open: i64,
        }
        #[derive(sqlx::FromRow)]
        struct OwnerRow {
            review_id: String,
            owner_id: String,
            n_open: i64,
        }
        macro_rules! is_open {
            () => {
                concat!(
                    "(finding.status = 'open' or ",
                    acceptance_ended!("$2"),
                    " or ",
                    stands_alone!(),
                    ")"
                )
            };
        }
        let sql = for_ids!(
            self,
            concat!(
                "select item.review_id, finding_item.item_id, finding.severity, count(*) as n, \
                 cast(sum(case when ",
                is_open!(),
                " then 1 else 0 end) as bigint) as n_open from finding_item join finding on finding.id = finding_item.finding_id \
                 join item on item.id = finding_item.item_id where item.review_id in"
            ),
            "group by item.review_id, finding_item.item_id, finding.severity"
        );
        for row in fetch_all!(self, ItemRow, sql, ids, now) {
            if let Some(standing) = of(standings, &row.review_id) {
                standing.links.push(LinkCount {
                    item_id: row.item_id,
                    severity: word("finding", "severity", &row.severity, Severity::parse)?,
                    n: row.n,
                    n_open: row.n_open,
                });
            }
        }
        let sql = for_ids!(
            self,
            concat!(
                "select item.review_id, item.owner_id, count(distinct finding.id) as n_open from finding_item \
                 join finding on finding.id = finding_item.finding_id join item on item.id = finding_item.item_id \
                 where item.owner_id is not null and ",
                is_open!(),
                " and item.review_id in"
            ),
            "group by item.review_id, item.owner_id"
        );
        for row in fetch_all!(self, OwnerRow, sql, ids, now) {
            if let Some(standing) = of(standings, &row.review_id) {
                standing.open_of_owners.push((row.owner_id, row.n_open));
            }
        }
        Ok(())
    }

    async fn standing_rest(
        &mut self,
        ids: &str,
        standings: &mut [Standing],
    ) -> Result<(), StorageError> {
        let sql = for_ids!(
            self,
            "select review.id as review_id, scan.id, scan.tool, series.label, scan.commit_id, scan.complete, \
             scan.file_sha256, scan.imported_at from scan join series on series.id = scan.series_id \
             join review on review.service_id = scan.service_id where scan.undone_at is null \
             and not exists (select 1 from scan as later where later.series_id = scan.series_id \
             and later.sequence > scan.sequence and later.undone_at is null) and review.id in",
            "order by lower(scan.tool), series.label"
        );
        for row in fetch_all!(self, ScanRow, sql, ids) {
            if let Some(standing) = of(standings, &row.review_id) {
                standing.scans.push(StandingScan {
                    id: row.id,
                    tool: row.tool,
                    label: row.label,
                    commit_id: row.commit_id,
                    complete: row.complete,
                    file_sha256: row.file_sha256,
                    imported_at: row.imported_at,
                });
            }
        }
        let sql = for_ids!(
            self,
            "select deliverable.review_id, deliverable.id, deliverable.title, deliverable.done, \
             owner.name as owner_name from deliverable left join person as owner on owner.id = deliverable.owner_id \
             where deliverable.review_id in",
            "order by deliverable.position"
        );
        for row in fetch_all!(self, DeliverableRow, sql, ids) {
            if let Some(standing) = of(standings, &row.review_id) {
                let DeliverableRow {
                    id,
                    title,
                    done,
                    owner_name,
                    ..
                } = row;
                standing.deliverables.push(StandingDeliverable {
                    id,
                    title,
                    done,
                    owner_name,
                });
            }
        }
        let sql = for_ids!(
            self,
            concat!(select_sign_offs!(), "where sign_off.review_id in"),
            "order by sign_off.log_sequence, sign_off.id"
        );
        for row in fetch_all!(self, SignOffRow, sql, ids) {
            if let Some(standing) = of(standings, &row.review_id) {
                standing.sign_offs.push(row.into());
            }
        }
        Ok(())
    }

    /// When the password of somebody who signs now was set by a link that somebody else made, if that was within a day.
    pub async fn reset_before_signing(
        &mut self,
        person: &PersonId,
        now: Millis,
    ) -> Result<Option<Millis>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            at: i64,
            after: Option<String>,
        }
        const SQL: &str = "select at, after from activity where subject_kind = 'person' and subject = $1 \
            and action = 'person.password_reset' order by sequence desc limit 1";
        let row = fetch_optional!(self, Row, SQL, person.as_str());
        Ok(row.and_then(|row| marking_reset(person.as_str(), now, row.at, row.after.as_deref())))
    }

    /// Every sign-off by the number of its entry in the log, and of one entry by its id: those after this one, at most
    /// `limit`.
    pub async fn sign_offs_after(
        &mut self,
        log_sequence: i64,
        id: &str,
        limit: i64,
    ) -> Result<Vec<SignOff>, StorageError> {
        const SQL: &str = concat!(
            select_sign_offs!(),
            "where (sign_off.log_sequence, sign_off.id) > ($1, $2) \
             order by sign_off.log_sequence, sign_off.id limit $3"
        );
        let rows = fetch_all!(self, SignOffRow, SQL, log_sequence, id, limit);
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// How many sign-offs under the first version of the normalisation there are that no entry of the log binds.
    pub async fn n_unbound_sign_offs(&mut self) -> Result<i64, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            n: i64,
        }
        const SQL: &str = "select count(*) as n from sign_off where bound_by is null \
             and content like '%\"normalisation\":1,%'";
        Ok(fetch_optional!(self, Row, SQL).map_or(0, |row| row.n))
    }

    /// Sign-offs under the first version of the normalisation that no entry of the log binds, in the order of their ids.
    pub async fn unbound_sign_offs(&mut self, limit: i64) -> Result<Vec<SignOff>, StorageError> {
        const SQL: &str = concat!(
            select_sign_offs!(),
            "where sign_off.bound_by is null and sign_off.content like '%\"normalisation\":1,%' \
             order by sign_off.id limit $1"
        );
        let rows = fetch_all!(self, SignOffRow, SQL, limit);
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// The first entry of the log that binds sign-offs, if there is one.
    pub async fn first_binding(&mut self) -> Result<Option<i64>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            sequence: Option<i64>,
        }
        const SQL: &str =
            "select min(sequence) as sequence from activity where action = 'sign_offs.bound'";
        Ok(fetch_optional!(self, Row, SQL).and_then(|row| row.sequence))
    }

    /// Notes the entry of the log that binds these sign-offs.
    pub async fn bind_sign_offs(&mut self, ids: &[&str], entry: i64) -> Result<(), StorageError> {
        for id in ids {
            execute!(
                self,
                "update sign_off set bound_by = $2 where id = $1",
                *id,
                entry
            );
        }
        Ok(())
    }

    /// The sign-offs that an entry of the log binds, by what their rows say.
    pub async fn sign_offs_bound_by(&mut self, entry: i64) -> Result<Vec<SignOff>, StorageError> {
        const SQL: &str = concat!(
            select_sign_offs!(),
            "where sign_off.bound_by = $1 order by sign_off.id"
        );
        let rows = fetch_all!(self, SignOffRow, SQL, entry);
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// The review that an item belongs to.
    pub async fn review_of_item(
        &mut self,
        item: &holdpoint_domain::ItemId,
    ) -> Result<Option<ReviewId>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            review_id: String,
        }
        fetch_optional!(
            self,
            Row,
            "select review_id from item where id = $1",
            item.as_str()
        )
        .map(|row| word("item", "review_id", &row.review_id, ReviewId::parse))
        .transpose()
    }

    /// Where an item is: its review, service and the review's target commit.
    pub async fn item_place(
        &mut self,
        item: &holdpoint_domain::ItemId,
    ) -> Result<Option<ItemPlace>, StorageError> {
        const SQL: &str = "select item.review_id, review.service_id, review.commit_id, item.key from item \
            join review on review.id = item.review_id where item.id = $1";
        Ok(fetch_optional!(self, ItemPlace, SQL, item.as_str()))
    }

    /// The service's review that was begun before this one.
    pub async fn review_before(
        &mut self,
        service: &holdpoint_domain::ServiceId,
        review: &ReviewId,
    ) -> Result<Option<ReviewId>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            id: String,
        }
        const SQL: &str =
            "select id from review where service_id = $1 and id < $2 order by id desc limit 1";
        fetch_optional!(self, Row, SQL, service.as_str(), review.as_str())
            .map(|row| word("review", "id", &row.id, ReviewId::parse))
            .transpose()
    }

    /// Reviews with a sign-off of this person: the newest 200 first, and how many there are.
    pub async fn reviews_signed_by(
        &mut self,
        person: &holdpoint_domain::PersonId,
    ) -> Result<Found<ReviewId>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Counted {
            n: i64,
        }
        const COUNT: &str =
            "select count(distinct review_id) as n from sign_off where person_id = $1";
        #[derive(sqlx::FromRow)]
        struct Row {
            review_id: String,
        }
        const SQL: &str = "select review_id from sign_off where person_id = $1 \
            group by review_id order by max(log_sequence) desc limit 200";
        let counted = fetch_optional!(self, Counted, COUNT, person.as_str());
        let entries = fetch_all!(self, Row, SQL, person.as_str())
            .into_iter()
            .map(|row| word("sign_off", "review_id", &row.review_id, ReviewId::parse))
            .collect::<Result<_, _>>()?;
        Ok(Found {
            entries,
            n_matching: counted.map_or(0, |row| row.n),
        })
    }

    pub async fn insert_sign_off(&mut self, new: &SignOff) -> Result<(), StorageError> {
        execute!(
            self,
            "insert into sign_off (id, review_id, item_id, round, person_id, role, decision, statement, risk, \
             waived_until, digest, content, four_eyes, log_sequence, signed_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
            &new.id,
            &new.review_id,
            &new.item_id,
            new.round,
            &new.person_id,
            &new.role,
            &new.decision,
            &new.statement,
            &new.risk,
            new.waived_until,
            &new.digest,
            &new.content,
            new.four_eyes,
            new.log_sequence,
            new.signed_at,
        );
        Ok(())
    }

    /// Puts an item where a sign-off leads; [`StorageError::Conflict`] when it was changed since it was read.
    pub async fn decide_item(
        &mut self,
        item: &str,
        version: i64,
        state: ItemState,
        waived_until: Option<Millis>,
        at: Millis,
    ) -> Result<(), StorageError> {
        let touched = execute!(
            self,
            "update item set state = $3, waived_until = $4, updated_at = $5, version = version + 1 \
             where id = $1 and version = $2",
            item,
            version,
            state.as_str(),
            waived_until,
            at,
        );
        one(touched)
    }
}

/// The findings that can hold back one of these reviews: by severity, the moment before which they were first seen. Of a
/// policy that cannot be read all of them, so that nothing is overlooked before the damage is reported.
fn holding_back(standings: &[Standing], now: Millis) -> Vec<(Severity, Millis)> {
    let mut asked = std::collections::BTreeMap::new();
    for standing in standings {
        let of_review = match serde_json::from_str::<Policy>(&standing.review.policy) {
            Ok(policy) => policy.holding_back(now),
            Err(_) => Severity::ALL.iter().map(|of| (*of, None)).collect(),
        };
        for (severity, before) in of_review {
            let latest: &mut Millis = asked.entry(severity).or_insert(Millis::MIN);
            *latest = (*latest).max(before.unwrap_or(Millis::MAX));
        }
    }
    asked.into_iter().collect()
}

/// What a policy asks of findings at a moment: severity, before when first seen, and past its limit if before when. As
/// [`holding_back`] of one review.
fn asked_of(policy: &str, now: Millis) -> Vec<(Severity, Millis, Millis)> {
    let Ok(policy) = serde_json::from_str::<Policy>(policy) else {
        let all = Severity::ALL.iter();
        return all.map(|of| (*of, Millis::MAX, Millis::MIN)).collect();
    };
    policy
        .holding_back(now)
        .into_iter()
        .map(|(severity, before)| {
            let late = policy.days(severity);
            let late = late.map_or(Millis::MIN, |days| now - i64::from(days) * 86_400_000);
            (severity, before.unwrap_or(Millis::MAX), late)
        })
        .collect()
}

/// The severities that block by a policy, as numbers; all where it cannot be read.
fn blocking(policy: &str) -> Vec<i64> {
    let blocking = Blocking::strictest([policy]);
    (blocking.severities().iter().copied())
        .map(severity_rank)
        .collect()
}

/// The numbers of the findings that a decision on the release covers; none where its content cannot be read, which is
/// damage.
fn covered_numbers(content: &str) -> BTreeSet<i64> {
    #[derive(serde::Deserialize)]
    struct Finding {
        number: i64,
    }
    #[derive(serde::Deserialize)]
    struct Content {
        findings: Vec<Finding>,
    }
    serde_json::from_str(content).map_or_else(
        |_| BTreeSet::new(),
        |content: Content| content.findings.iter().map(|of| of.number).collect(),
    )
}

fn items_of(standings: &[Standing]) -> Vec<String> {
    let items = standings.iter().flat_map(|standing| &standing.items);
    items.map(|item| item.id.clone()).collect()
}

fn of<'a>(standings: &'a mut [Standing], review: &str) -> Option<&'a mut Standing> {
    standings
        .iter_mut()
        .find(|standing| standing.review.id == review)
}
