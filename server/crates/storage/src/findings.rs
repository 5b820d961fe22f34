//! Findings: lists, details, triage, and their links to items.

use holdpoint_domain::{
    FindingId, FindingStatus, ItemId, Millis, PersonId, ReviewId, ScanId, ScannerClaim,
    ScannerState, SeriesId, ServiceId, Severity, SuppressionKind, TriageBatchId, triage::Request,
};

use crate::{
    StorageError, Tx,
    columns::{folded, parsed},
    execute, fetch_all, fetch_optional,
    finding_rows::severity_rank,
    scans::SeverityCounts,
    triage::request,
    tx::one,
};

/// One problem, from a scanner or written by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub id: FindingId,
    pub service: ServiceId,
    /// Set for findings written by hand within a review.
    pub review: Option<ReviewId>,
    pub series: Option<SeriesId>,
    /// The scanner's name and the series' label; absent for findings written by hand.
    pub tool: Option<String>,
    pub label: Option<String>,
    pub number: i64,
    pub title: String,
    /// Markdown or plain text of a scanner.
    pub description: String,
    pub message: String,
    pub remediation: String,
    pub severity: Severity,
    pub category: String,
    pub rule: Option<String>,
    pub rule_name: Option<String>,
    pub help_url: Option<String>,
    pub path: Option<String>,
    pub start_line: Option<i64>,
    pub end_line: Option<i64>,
    pub snippet: Option<String>,
    pub cve: Vec<String>,
    pub cwe: Vec<i64>,
    pub aliases: Vec<String>,
    pub component: Option<String>,
    pub component_version: Option<String>,
    pub fixed_version: Option<String>,
    /// What the scanner says beside that it is there.
    pub claim: Option<ScannerClaim>,
    /// The place in the file of the scan that last said something new of it.
    pub pointer: Option<String>,
    pub pointer_scan: Option<String>,
    /// What it is recognised by in later scans, and its place among equal ones, from 0; absent for what is written by hand.
    pub identity: Option<(String, u32)>,
    /// JSON: code flows, related places, fixes.
    pub details: Option<String>,
    pub status: FindingStatus,
    pub status_reason: String,
    pub status_by: Option<PersonId>,
    pub status_by_name: Option<String>,
    pub status_at: Option<Millis>,
    pub duplicate_of: Option<i64>,
    pub accepted_until: Option<Millis>,
    /// What somebody asks another to make of it, while nobody has answered: until then it is open.
    pub asked: Option<Request>,
    /// Where another severity is asked for.
    pub asked_severity: Option<Severity>,
    /// Of a severity that a person changed: what it was before, and who made it what it is, when and why.
    pub severity_change: Option<SeverityChange>,
    /// Who asks, or who had asked for what it is now.
    pub acceptance_requested_by: Option<PersonId>,
    pub acceptance_requested_by_name: Option<String>,
    /// The digest of what it said when acceptance of its risk was asked for, and of what it says now: known only where
    /// there is something to compare it with.
    pub accepted_content: Option<String>,
    pub content_digest: Option<String>,
    /// Until when what was decided holds by itself, see [`holdpoint_domain::verdict::is_open`].
    pub holds_until: Option<Millis>,
    /// Whether a complete scan of its series did not have it, and none had it since.
    pub is_gone: bool,
    pub first_seen_at: Millis,
    pub last_seen_at: Millis,
    pub first_scan: Option<String>,
    pub last_scan: Option<String>,
    pub fixed_at: Option<Millis>,
    pub reopened_at: Option<Millis>,
    pub created_by: Option<PersonId>,
    pub created_by_name: Option<String>,
    pub version: i64,
}

/// What a person made of a severity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeverityChange {
    /// Before the first change.
    pub was: Severity,
    pub by_name: Option<String>,
    pub at: Option<Millis>,
    pub reason: String,
}

/// A finding written by a person.
#[derive(Clone, Debug)]
pub struct NewFinding<'a> {
    pub id: &'a FindingId,
    pub service: &'a ServiceId,
    pub review: &'a ReviewId,
    pub number: i64,
    pub title: &'a str,
    pub description: &'a str,
    pub remediation: &'a str,
    pub severity: Severity,
    pub category: &'a str,
    pub path: Option<&'a str>,
    pub start_line: Option<i64>,
    pub end_line: Option<i64>,
    pub snippet: Option<&'a str>,
    pub created_at: Millis,
    pub created_by: &'a PersonId,
}

/// A finding as a line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingLine {
    pub id: FindingId,
    pub number: i64,
    pub title: String,
    pub severity: Severity,
    pub category: String,
    pub rule: Option<String>,
    pub tool: Option<String>,
    pub path: Option<String>,
    pub start_line: Option<i64>,
    pub component: Option<String>,
    /// What the scanner says beside that it is there.
    pub claim: Option<ScannerClaim>,
    /// As it was decided; see [`FindingLine::status_at`].
    pub status: FindingStatus,
    pub accepted_until: Option<Millis>,
    /// Until when what was decided holds by itself.
    pub holds_until: Option<Millis>,
    pub duplicate_of: Option<i64>,
    /// What somebody asks another to make of it, while nobody has answered.
    pub asked: Option<Request>,
    pub reopened_at: Option<Millis>,
    pub first_seen_at: Millis,
    pub last_seen_at: Millis,
    /// The keys of the review's items it is linked to, in order.
    pub items: Vec<(String, String)>,
    /// Whether a patch is linked.
    pub has_patch: bool,
    /// How many tools report the same vulnerability in the same component, this one included.
    pub n_sources: i64,
    pub version: i64,
}

/// An item that a finding is linked to.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct FindingLink {
    pub review_id: String,
    pub item_id: String,
    pub key: String,
    pub title: String,
    /// The mapping rule that made the link; absent for a link made by hand.
    pub rule_id: Option<String>,
}

/// Which findings are asked for; an empty field asks for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindingFilter {
    pub severities: Vec<Severity>,
    pub statuses: Vec<FindingStatus>,
    pub tools: Vec<String>,
    /// What the scanner says of them.
    pub scanner_states: Vec<ScannerState>,
    /// Linked to this item.
    pub item: Option<ItemId>,
    /// Linked to no item of the review.
    pub unmapped: bool,
    pub categories: Vec<String>,
    pub series: Vec<SeriesId>,
    pub rule: Option<String>,
    /// What the path begins with.
    pub path: Option<String>,
    /// Linked to an item that this person owns.
    pub owner: Option<PersonId>,
    /// Of which somebody asks another to make something.
    pub asked: bool,
    /// Open and first seen before the moment of its severity; severities that are not named are never late.
    pub late_before: Option<Vec<(Severity, Millis)>>,
    /// In title, rule, path, component or CVE, or the finding's number as in F-12.
    pub text: Option<String>,
    /// Accepted risks that ended by this moment count as open.
    pub as_of: Millis,
}

/// What findings are sorted by; ties by number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FindingSort {
    #[default]
    Severity,
    Number,
    Path,
    Title,
    Newest,
    Oldest,
    /// Seen by the newest scan first.
    LastSeen,
    Status,
    Tool,
    /// Severity the other way round.
    Mildest,
    PathDown,
    TitleDown,
    StatusDown,
    ToolDown,
    LastSeenUp,
    /// What falls due first.
    Limit,
    LimitDown,
    /// By the review's items, in their order.
    Item,
    ItemDown,
}

impl FindingSort {
    /// Every order, with its word in URLs.
    pub const ALL: &'static [(Self, &'static str)] = &[
        (Self::Severity, "severity"),
        (Self::Number, "number"),
        (Self::Path, "path"),
        (Self::Title, "title"),
        (Self::Newest, "newest"),
        (Self::Oldest, "oldest"),
        (Self::LastSeen, "last-seen"),
        (Self::Status, "status"),
        (Self::Tool, "scanner"),
        (Self::Mildest, "mildest"),
        (Self::PathDown, "path-down"),
        (Self::TitleDown, "title-down"),
        (Self::StatusDown, "status-down"),
        (Self::ToolDown, "scanner-down"),
        (Self::LastSeenUp, "last-seen-up"),
        (Self::Limit, "limit"),
        (Self::LimitDown, "limit-down"),
        (Self::Item, "item"),
        (Self::ItemDown, "item-down"),
    ];

    /// The words, for messages.
    pub fn words() -> String {
        let words: Vec<_> = Self::ALL.iter().map(|(_, word)| *word).collect();
        words.join(", ")
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, word)| *word == text)
            .map(|(sort, _)| *sort)
    }
}

/// How many findings there are under a filter, and how many there would be with each other choice: every cut counts under
/// the choices made in all the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindingFacets {
    /// Under the whole filter.
    pub n: i64,
    pub severities: SeverityCounts,
    pub statuses: Vec<(FindingStatus, i64)>,
    /// An empty name stands for findings written by hand.
    pub tools: Vec<(String, i64)>,
    /// Those of which the scanner says something; the others are in no choice.
    pub scanner_states: Vec<(ScannerState, i64)>,
    pub categories: Vec<(String, i64)>,
    /// Every series of the service, also those that have none, by scanner and label.
    pub series: Vec<(FindingSeries, i64)>,
    /// Linked to an item of the review, and linked to none.
    pub mapped: (i64, i64),
}

/// A series that findings are of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingSeries {
    pub id: SeriesId,
    pub tool: String,
    pub label: String,
}

#[derive(sqlx::FromRow)]
struct FindingRow {
    id: String,
    service_id: String,
    review_id: Option<String>,
    series_id: Option<String>,
    tool: Option<String>,
    label: Option<String>,
    number: i64,
    title: String,
    description: String,
    message: String,
    remediation: String,
    severity: String,
    category: String,
    rule: Option<String>,
    rule_name: Option<String>,
    help_url: Option<String>,
    path: Option<String>,
    start_line: Option<i64>,
    end_line: Option<i64>,
    snippet: Option<String>,
    cve: String,
    cwe: String,
    aliases: String,
    component: Option<String>,
    component_version: Option<String>,
    fixed_version: Option<String>,
    scanner_state: Option<String>,
    suppression_kind: Option<String>,
    suppression_reason: Option<String>,
    pointer: Option<String>,
    pointer_scan_id: Option<String>,
    identity_basis: Option<String>,
    ordinal: Option<i64>,
    details: Option<String>,
    status: String,
    status_reason: String,
    status_by: Option<String>,
    status_by_name: Option<String>,
    status_at: Option<i64>,
    duplicate_of: Option<i64>,
    accepted_until: Option<i64>,
    asked_for: Option<String>,
    asked_severity: Option<String>,
    severity_was: Option<String>,
    severity_by_name: Option<String>,
    severity_at: Option<i64>,
    severity_reason: Option<String>,
    acceptance_requested_by: Option<String>,
    acceptance_requested_by_name: Option<String>,
    accepted_content: Option<String>,
    content_digest: Option<String>,
    holds_until: Option<i64>,
    is_gone: i64,
    first_seen_at: i64,
    last_seen_at: i64,
    first_scan_id: Option<String>,
    last_scan_id: Option<String>,
    fixed_at: Option<i64>,
    reopened_at: Option<i64>,
    created_by: Option<String>,
    created_by_name: Option<String>,
    version: i64,
}

fn list<T: serde::de::DeserializeOwned>(text: &str, column: &str) -> Result<Vec<T>, StorageError> {
    serde_json::from_str(text).map_err(|_| StorageError::column("finding", column, text))
}

impl TryFrom<FindingRow> for Finding {
    type Error = StorageError;

    fn try_from(row: FindingRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: parsed(FindingId::parse, &row.id, "finding", "id")?,
            service: parsed(ServiceId::parse, &row.service_id, "finding", "service_id")?,
            review: row.review_id.as_deref().and_then(ReviewId::parse),
            series: row.series_id.as_deref().and_then(SeriesId::parse),
            tool: row.tool,
            label: row.label,
            number: row.number,
            title: row.title,
            // A scanner that explains nothing of the rule: its message is all there is.
            description: if row.description.is_empty() && row.series_id.is_some() {
                row.message.clone()
            } else {
                row.description
            },
            message: row.message,
            remediation: row.remediation,
            severity: parsed(Severity::parse, &row.severity, "finding", "severity")?,
            category: row.category,
            rule: row.rule,
            rule_name: row.rule_name,
            help_url: row.help_url,
            path: row.path,
            start_line: row.start_line,
            end_line: row.end_line,
            snippet: row.snippet,
            cve: list(&row.cve, "cve")?,
            cwe: list(&row.cwe, "cwe")?,
            aliases: list(&row.aliases, "aliases")?,
            component: row.component,
            component_version: row.component_version,
            fixed_version: row.fixed_version,
            claim: claim(
                row.scanner_state.as_deref(),
                row.suppression_kind.as_deref(),
                row.suppression_reason,
            )?,
            pointer: row.pointer,
            pointer_scan: row.pointer_scan_id,
            identity: row
                .identity_basis
                .zip(row.ordinal.and_then(|ordinal| u32::try_from(ordinal).ok())),
            details: row.details,
            status: parsed(FindingStatus::parse, &row.status, "finding", "status")?,
            status_reason: row.status_reason,
            status_by: row.status_by.as_deref().and_then(PersonId::parse),
            status_by_name: row.status_by_name,
            status_at: row.status_at,
            duplicate_of: row.duplicate_of,
            accepted_until: row.accepted_until,
            asked: request(row.asked_for.as_deref())?,
            asked_severity: (row.asked_severity.as_deref())
                .map(|text| parsed(Severity::parse, text, "finding", "asked_severity"))
                .transpose()?,
            severity_change: match row.severity_was {
                None => None,
                Some(was) => Some(SeverityChange {
                    was: parsed(Severity::parse, &was, "finding", "severity_was")?,
                    by_name: row.severity_by_name,
                    at: row.severity_at,
                    reason: row.severity_reason.unwrap_or_default(),
                }),
            },
            acceptance_requested_by: row
                .acceptance_requested_by
                .as_deref()
                .and_then(PersonId::parse),
            acceptance_requested_by_name: row.acceptance_requested_by_name,
            accepted_content: row.accepted_content,
            content_digest: row.content_digest,
            holds_until: row.holds_until,
            is_gone: row.is_gone != 0,
            first_seen_at: row.first_seen_at,
            last_seen_at: row.last_seen_at,
            first_scan: row.first_scan_id,
            last_scan: row.last_scan_id,
            fixed_at: row.fixed_at,
            reopened_at: row.reopened_at,
            created_by: row.created_by.as_deref().and_then(PersonId::parse),
            created_by_name: row.created_by_name,
            version: row.version,
        })
    }
}

/// What a scanner says of a finding, as its columns hold it.
pub(crate) fn claim(
    state: Option<&str>,
    kind: Option<&str>,
    reason: Option<String>,
) -> Result<Option<ScannerClaim>, StorageError> {
    let Some(state) = state else { return Ok(None) };
    let kind = kind.map(|kind| parsed(SuppressionKind::parse, kind, "finding", "suppression_kind"));
    Ok(Some(ScannerClaim {
        state: parsed(ScannerState::parse, state, "finding", "scanner_state")?,
        kind: kind.transpose()?,
        reason,
    }))
}

/// Whether a complete scan of its series did not have a finding, and none had it since, as SQL. An incomplete scan shows
/// nothing.
macro_rules! is_gone {
    () => {
        "exists (select 1 from scan as missed join scan as later on later.series_id = missed.series_id \
         and later.sequence >= missed.sequence where missed.id = finding.unseen_since and later.complete \
         and later.undone_at is null)"
    };
}

/// What a finding says now, and what it repeats, as what people decide about it is bound to it, as SQL.
macro_rules! says_now {
    () => {
        "(coalesce(finding.content_digest, '-') || case when finding.duplicate_of is null then '' else ':' \
         || coalesce((select repeated.content_digest from finding as repeated where repeated.id = finding.duplicate_of), \
         '-') end)"
    };
}

/// Whether a finding, or what it repeats, does not say what it said when something was asked for it, as SQL.
macro_rules! is_outgrown {
    () => {
        concat!(
            "coalesce(finding.accepted_content, '') <> ",
            $crate::findings::says_now!()
        )
    };
}

/// Whether an accepted risk does not hold any more at a moment, as SQL: its time is over, or the finding says something
/// else than what was accepted.
macro_rules! acceptance_ended {
    ($now:literal) => {
        concat!(
            "(finding.status = 'risk_accepted' and (coalesce(finding.accepted_until, 0) < ",
            $now,
            " or ",
            $crate::findings::is_outgrown!(),
            "))"
        )
    };
}

/// Whether what a scanner's finding repeats is fixed, as SQL.
macro_rules! repeats_fixed {
    () => {
        "(finding.series_id is not null \
         and not exists (select 1 from finding as repeated where repeated.id = finding.duplicate_of \
         and repeated.status <> 'fixed'))"
    };
}

/// Whether a duplicate counts by itself, as SQL: what it repeats is fixed or is milder than it by now, so that it does not
/// stand for it, and its own scanner still has it.
macro_rules! stands_alone {
    () => {
        concat!(
            "(finding.status = 'duplicate' and (",
            $crate::findings::repeats_fixed!(),
            " or exists (select 1 from finding as repeated where repeated.id = finding.duplicate_of \
             and repeated.severity_rank > finding.severity_rank)) and not ",
            $crate::findings::is_gone!(),
            ")"
        )
    };
}

/// Until when what was decided about a finding holds by itself, as SQL: a moment long past where it does not, so that
/// everything that goes by the time goes by that too. The moments are [`holdpoint_domain::verdict::HOLDS_NO_MORE`] and
/// [`holdpoint_domain::verdict::REPEATS_MILDER`].
macro_rules! holds_until {
    () => {
        concat!(
            "case when finding.status = 'risk_accepted' then case when ",
            $crate::findings::is_outgrown!(),
            " then 0 else finding.accepted_until end when ",
            $crate::findings::stands_alone!(),
            " then case when ",
            $crate::findings::repeats_fixed!(),
            " then 0 else -1 end end"
        )
    };
}

/// The status as it counts at a moment: what was decided and does not hold any more is open.
macro_rules! status_now {
    ($now:literal) => {
        concat!(
            "case when ",
            $crate::findings::acceptance_ended!($now),
            " or ",
            $crate::findings::stands_alone!(),
            " then 'open' else finding.status end"
        )
    };
}
pub(crate) use {
    acceptance_ended, holds_until, is_gone, is_outgrown, repeats_fixed, says_now, stands_alone,
    status_now,
};

/// What an acceptance of a finding's risk is bound to. Not where it has moved within its file.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct FindingContent {
    pub id: String,
    pub title: String,
    pub severity: String,
    pub rule: Option<String>,
    pub component: Option<String>,
    pub component_version: Option<String>,
    pub message: String,
    pub snippet: Option<String>,
    pub description: String,
}

macro_rules! content_of {
    ($rest:literal) => {
        concat!(
            "select finding.id, finding.title, finding.severity, finding.rule, finding.component, \
             finding.component_version, finding.message, finding.snippet, \
             coalesce(explanation.description, finding.description) as description from finding \
             left join explanation on explanation.id = finding.explanation_id ",
            $rest
        )
    };
}

impl Finding {
    /// Whether it does not say any more what it said when what is decided or asked about it was.
    pub fn has_outgrown_acceptance(&self) -> bool {
        // What is bound to a duplicate is of two findings, and that is opened when either says something else.
        self.duplicate_of.is_none()
            && self.accepted_content.is_some()
            && self.accepted_content != self.content_digest
    }

    /// The status as it counts at a moment.
    pub fn status_at(&self, now: Millis) -> FindingStatus {
        self.status.at(self.holds_until, now)
    }
}

impl FindingLine {
    /// The status as it counts at a moment.
    pub fn status_at(&self, now: Millis) -> FindingStatus {
        self.status.at(self.holds_until, now)
    }
}

macro_rules! finding_where {
    ($rest:literal) => {
        concat!(
            "select finding.id, finding.service_id, finding.review_id, finding.series_id, \
             coalesce(finding.tool, series.tool) as tool, series.label, \
             finding.number, finding.title, coalesce(explanation.description, finding.description) as description, \
             finding.message, coalesce(explanation.remediation, finding.remediation) as remediation, finding.severity, \
             finding.category, finding.rule, explanation.rule_name, explanation.help_url, finding.path, \
             finding.start_line, finding.end_line, finding.snippet, finding.cve, finding.cwe, finding.aliases, \
             finding.component, finding.component_version, finding.fixed_version, finding.scanner_state, \
             finding.suppression_kind, finding.suppression_reason, finding.pointer, finding.pointer_scan_id, \
             finding.identity_basis, finding.ordinal, finding.details, finding.status, finding.status_reason, \
             finding.status_by, decider.name as status_by_name, \
             finding.status_at, original.number as duplicate_of, finding.accepted_until, \
             finding.asked_for, finding.asked_severity, finding.severity_was, \
             rater.name as severity_by_name, finding.severity_at, finding.severity_reason, \
             finding.acceptance_requested_by, asker.name as acceptance_requested_by_name, finding.accepted_content, \
             finding.content_digest, ",
            holds_until!(),
            " as holds_until, cast(case when ",
            is_gone!(),
            " then 1 else 0 end as bigint) as is_gone, finding.first_seen_at, \
             case when finding.series_id is null or finding.unseen_since is not null \
             then finding.last_seen_at else coalesce(series.last_scan_at, finding.last_seen_at) end as last_seen_at, \
             finding.first_scan_id, \
             case when finding.series_id is null or finding.unseen_since is not null \
             then finding.last_scan_id else series.last_scan_id end as last_scan_id, \
             finding.fixed_at, finding.reopened_at, finding.created_by, author.name as created_by_name, \
             finding.version from finding left join series on series.id = finding.series_id \
             left join explanation on explanation.id = finding.explanation_id \
             left join person as decider on decider.id = finding.status_by \
             left join person as asker on asker.id = finding.acceptance_requested_by \
             left join person as rater on rater.id = finding.severity_by \
             left join person as author on author.id = finding.created_by \
             left join finding as original on original.id = finding.duplicate_of ",
            $rest
        )
    };
}

#[derive(sqlx::FromRow)]
pub(crate) struct LineRow {
    id: String,
    pub(crate) number: i64,
    title: String,
    severity: String,
    category: String,
    rule: Option<String>,
    tool: Option<String>,
    path: Option<String>,
    start_line: Option<i64>,
    component: Option<String>,
    scanner_state: Option<String>,
    suppression_kind: Option<String>,
    suppression_reason: Option<String>,
    status: String,
    accepted_until: Option<i64>,
    holds_until: Option<i64>,
    duplicate_of: Option<i64>,
    asked_for: Option<String>,
    reopened_at: Option<i64>,
    pub(crate) first_seen_at: i64,
    last_seen_at: i64,
    has_patch: i64,
    version: i64,
}

impl Tx {
    pub async fn finding(&mut self, id: &FindingId) -> Result<Option<Finding>, StorageError> {
        fetch_optional!(
            self,
            FindingRow,
            finding_where!("where finding.id = $1"),
            id.as_str()
        )
        .map(Finding::try_from)
        .transpose()
    }

    pub async fn finding_by_number(
        &mut self,
        service: &ServiceId,
        number: i64,
    ) -> Result<Option<Finding>, StorageError> {
        const SQL: &str = finding_where!("where finding.service_id = $1 and finding.number = $2");
        fetch_optional!(self, FindingRow, SQL, service.as_str(), number)
            .map(Finding::try_from)
            .transpose()
    }

    /// Every finding that counts for a review and is not of a kind that only fills pages: those written by hand, those
    /// linked to its items, and those of these severities. For the report.
    pub async fn findings_for_report(
        &mut self,
        service: &ServiceId,
        review: &ReviewId,
        most: i64,
    ) -> Result<Vec<Finding>, StorageError> {
        const SQL: &str = finding_where!(
            "where finding.service_id = $1 and (finding.review_id is null or finding.review_id = $2) \
             order by finding.severity_rank, finding.number limit $3"
        );
        fetch_all!(
            self,
            FindingRow,
            SQL,
            service.as_str(),
            review.as_str(),
            most
        )
        .into_iter()
        .map(Finding::try_from)
        .collect()
    }

    /// Findings by id, in no order.
    pub async fn findings_by_id(&mut self, ids: &[&str]) -> Result<Vec<Finding>, StorageError> {
        let sql = self.dialect(
            finding_where!("where finding.id in (select value from json_each($1))"),
            finding_where!(
                "where finding.id in (select jsonb_array_elements_text(cast($1 as jsonb)))"
            ),
        );
        let ids = serde_json::to_string(ids).expect("ids are texts");
        fetch_all!(self, FindingRow, sql, ids)
            .into_iter()
            .map(Finding::try_from)
            .collect()
    }

    /// Lines with the items that they are linked to.
    pub(crate) async fn finding_lines_of(
        &mut self,
        review: &ReviewId,
        rows: Vec<LineRow>,
    ) -> Result<Vec<FindingLine>, StorageError> {
        let ids: Vec<_> = rows.iter().map(|row| row.id.as_str()).collect();
        let mut items = self.items_of_findings(review, &ids).await?;
        let sources = self.sources_of_findings(&ids).await?;
        rows.into_iter()
            .map(|row| {
                Ok(FindingLine {
                    n_sources: sources.get(&row.id).copied().unwrap_or(1),
                    items: items.remove(&row.id).unwrap_or_default(),
                    id: parsed(FindingId::parse, &row.id, "finding", "id")?,
                    number: row.number,
                    title: row.title,
                    severity: parsed(Severity::parse, &row.severity, "finding", "severity")?,
                    category: row.category,
                    rule: row.rule,
                    tool: row.tool,
                    path: row.path,
                    start_line: row.start_line,
                    component: row.component,
                    claim: claim(
                        row.scanner_state.as_deref(),
                        row.suppression_kind.as_deref(),
                        row.suppression_reason,
                    )?,
                    status: parsed(FindingStatus::parse, &row.status, "finding", "status")?,
                    accepted_until: row.accepted_until,
                    holds_until: row.holds_until,
                    duplicate_of: row.duplicate_of,
                    asked: request(row.asked_for.as_deref())?,
                    reopened_at: row.reopened_at,
                    first_seen_at: row.first_seen_at,
                    last_seen_at: row.last_seen_at,
                    has_patch: row.has_patch != 0,
                    version: row.version,
                })
            })
            .collect()
    }

    /// The review's items that findings are linked to: id and key, by finding.
    pub async fn items_of_findings(
        &mut self,
        review: &ReviewId,
        findings: &[&str],
    ) -> Result<std::collections::HashMap<String, Vec<(String, String)>>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            finding_id: String,
            item_id: String,
            key: String,
        }
        let sql = self.dialect(
            "select finding_item.finding_id, item.id as item_id, item.key from finding_item \
             join item on item.id = finding_item.item_id where item.review_id = $1 \
             and finding_item.finding_id in (select value from json_each($2)) order by item.position",
            "select finding_item.finding_id, item.id as item_id, item.key from finding_item \
             join item on item.id = finding_item.item_id where item.review_id = $1 \
             and finding_item.finding_id in (select jsonb_array_elements_text(cast($2 as jsonb))) order by item.position",
        );
        let ids = serde_json::to_string(findings).expect("ids are texts");
        let mut items: std::collections::HashMap<String, Vec<(String, String)>> =
            std::collections::HashMap::new();
        for row in fetch_all!(self, Row, sql, review.as_str(), ids) {
            items
                .entry(row.finding_id)
                .or_default()
                .push((row.item_id, row.key));
        }
        Ok(items)
    }

    /// Every item that a finding is linked to.
    pub async fn links_of_finding(
        &mut self,
        finding: &FindingId,
    ) -> Result<Vec<FindingLink>, StorageError> {
        const SQL: &str = "select item.review_id, item.id as item_id, item.key, item.title, finding_item.rule_id \
            from finding_item join item on item.id = finding_item.item_id where finding_item.finding_id = $1 \
            order by item.review_id desc, item.position limit 500";
        Ok(fetch_all!(self, FindingLink, SQL, finding.as_str()))
    }

    pub async fn insert_finding(&mut self, new: &NewFinding<'_>) -> Result<(), StorageError> {
        execute!(
            self,
            "insert into finding (id, service_id, review_id, number, ordinal, title, description, message, remediation, \
             severity, severity_rank, category, path, start_line, end_line, snippet, cve, cwe, aliases, status, \
             status_reason, first_seen_at, last_seen_at, created_by, folded, version) values ($1, $2, $3, $4, 0, $5, $6, \
             '', $7, $8, $9, $10, $11, $12, $13, $14, '[]', '[]', '[]', 'open', '', $15, $15, $16, $17, 1)",
            new.id.as_str(),
            new.service.as_str(),
            new.review.as_str(),
            new.number,
            new.title,
            new.description,
            new.remediation,
            new.severity.as_str(),
            severity_rank(new.severity),
            new.category,
            new.path,
            new.start_line,
            new.end_line,
            new.snippet,
            new.created_at,
            new.created_by.as_str(),
            folded([Some(new.title), None, new.path, None]),
        );
        Ok(())
    }

    /// Changes what a person wrote; [`StorageError::Conflict`] when the version is not the one given.
    pub async fn update_finding_text(&mut self, finding: &Finding) -> Result<(), StorageError> {
        let touched = execute!(
            self,
            "update finding set title = $3, description = $4, remediation = $5, severity = $6, severity_rank = $7, \
             category = $8, path = $9, start_line = $10, end_line = $11, snippet = $12, folded = $13, \
             version = version + 1 where id = $1 and version = $2",
            finding.id.as_str(),
            finding.version,
            &finding.title,
            &finding.description,
            &finding.remediation,
            finding.severity.as_str(),
            severity_rank(finding.severity),
            &finding.category,
            &finding.path,
            finding.start_line,
            finding.end_line,
            &finding.snippet,
            folded([Some(&finding.title), None, finding.path.as_deref(), None]),
        );
        one(touched)
    }

    /// Notes that a person changed a finding's severity, which it has already: from what, and why.
    pub async fn note_severity_change(
        &mut self,
        id: &FindingId,
        was: Severity,
        by: &PersonId,
        at: Millis,
        reason: &str,
    ) -> Result<(), StorageError> {
        execute!(
            self,
            "update finding set severity_was = coalesce(severity_was, $2), severity_by = $3, severity_at = $4, \
             severity_reason = $5 where id = $1",
            id.as_str(),
            was.as_str(),
            by.as_str(),
            at,
            reason,
        );
        Ok(())
    }

    /// What these findings say.
    pub async fn contents_of(
        &mut self,
        ids: &[String],
    ) -> Result<Vec<FindingContent>, StorageError> {
        let sql = self.dialect(
            content_of!("where finding.id in (select value from json_each($1))"),
            content_of!(
                "where finding.id in (select jsonb_array_elements_text(cast($1 as jsonb)))"
            ),
        );
        let ids = serde_json::to_string(ids).expect("ids are texts");
        Ok(fetch_all!(self, FindingContent, sql, ids))
    }

    /// What those findings say of which a scan says something new, and about which, or about whose duplicates, something is
    /// decided or asked that is bound to it.
    pub async fn contents_changed_by(
        &mut self,
        series: &SeriesId,
        scan: &ScanId,
    ) -> Result<Vec<FindingContent>, StorageError> {
        const SQL: &str = content_of!(
            "where finding.series_id = $1 and finding.pointer_scan_id = $2 and (finding.accepted_content is not null \
             or exists (select 1 from finding as copy where copy.duplicate_of = finding.id))"
        );
        Ok(fetch_all!(
            self,
            FindingContent,
            SQL,
            series.as_str(),
            scan.as_str()
        ))
    }

    /// What those findings say that a decision was about, and whose risk somebody has accepted or asked to.
    pub async fn contents_of_batch(
        &mut self,
        batch: &TriageBatchId,
    ) -> Result<Vec<FindingContent>, StorageError> {
        const SQL: &str = content_of!(
            "where finding.accepted_content is not null \
             and finding.id in (select finding_id from triage_change where batch_id = $1)"
        );
        Ok(fetch_all!(self, FindingContent, SQL, batch.as_str()))
    }

    /// Notes the digests of what findings say now, by their ids.
    pub async fn note_contents(&mut self, digests: &[(&str, String)]) -> Result<(), StorageError> {
        let sql = self.dialect(
            "update finding set content_digest = said.value ->> 1 from json_each($1) as said \
             where finding.id = said.value ->> 0",
            "update finding set content_digest = said.value ->> 1 from jsonb_array_elements(cast($1 as jsonb)) \
             as said (value) where finding.id = said.value ->> 0",
        );
        let digests = serde_json::to_string(digests).expect("digests are texts");
        execute!(self, sql, digests);
        Ok(())
    }

    /// Links a finding to an item by hand; says whether that is new. A link that a rule made becomes one made by hand.
    pub async fn link_finding(
        &mut self,
        finding: &FindingId,
        item: &ItemId,
        by: &PersonId,
        at: Millis,
    ) -> Result<bool, StorageError> {
        execute!(
            self,
            "delete from finding_unlinked where finding_id = $1 and item_id = $2",
            finding.as_str(),
            item.as_str(),
        );
        let touched = execute!(
            self,
            "insert into finding_item (finding_id, item_id, linked_by, linked_at) values ($1, $2, $3, $4) \
             on conflict (finding_id, item_id) do update set linked_by = $3, linked_at = $4, rule_id = null \
             where finding_item.rule_id is not null",
            finding.as_str(),
            item.as_str(),
            by.as_str(),
            at,
        );
        Ok(touched > 0)
    }

    /// Unlinks by hand, so that no rule links the two again; says whether there was a link.
    pub async fn unlink_finding(
        &mut self,
        finding: &FindingId,
        item: &ItemId,
        by: &PersonId,
        at: Millis,
    ) -> Result<bool, StorageError> {
        const SQL: &str = "delete from finding_item where finding_id = $1 and item_id = $2";
        if execute!(self, SQL, finding.as_str(), item.as_str()) == 0 {
            return Ok(false);
        }
        execute!(
            self,
            "insert into finding_unlinked (finding_id, item_id, unlinked_by, unlinked_at) values ($1, $2, $3, $4) \
             on conflict do nothing",
            finding.as_str(),
            item.as_str(),
            by.as_str(),
            at,
        );
        Ok(true)
    }
}
