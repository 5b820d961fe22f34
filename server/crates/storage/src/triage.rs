//! Decisions about findings: what they depend on, making them for many at once, and taking them back.

use std::collections::BTreeSet;

use holdpoint_domain::{
    FindingId, FindingStatus, ItemId, Millis, PersonId, ReviewId, ServiceId, Severity,
    TriageBatchId,
    triage::{Blocking, Original, Request},
};

use crate::{
    Found, StorageError, Tx,
    columns::parsed,
    execute, fetch_all, fetch_optional,
    findings::{is_gone, is_outgrown},
    tx::one,
};

/// How many findings one statement changes.
const IDS_PER_STATEMENT: usize = 20_000;

/// A finding as deciding about it needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingToTriage {
    pub id: String,
    pub number: i64,
    pub version: i64,
    pub status: FindingStatus,
    pub severity: Severity,
    /// Set for findings written for one review.
    pub review: Option<String>,
    pub is_by_hand: bool,
    /// What somebody asks another to make of it, while nobody has answered.
    pub asked: Option<Request>,
    pub asked_severity: Option<Severity>,
    /// Who asks, or had asked for what it is now.
    pub asked_by: Option<String>,
    pub accepted_until: Option<Millis>,
    /// Whether it does not say any more what it said when something was asked for it; unknown where that was not noted.
    pub has_outgrown: Option<bool>,
    /// The finding that it is, or is asked to be, a duplicate of.
    pub original: Option<(String, Original)>,
    /// How many findings are duplicates of it.
    pub n_duplicates: i64,
    /// Whether a complete scan of its series did not have it, and none had it since.
    pub is_gone: bool,
}

#[derive(sqlx::FromRow)]
pub(crate) struct ToTriageRow {
    id: String,
    number: i64,
    version: i64,
    status: String,
    severity: String,
    review_id: Option<String>,
    is_by_hand: i64,
    asked_for: Option<String>,
    asked_severity: Option<String>,
    asked_by: Option<String>,
    accepted_until: Option<i64>,
    is_outgrown: Option<i64>,
    original_id: Option<String>,
    original_number: Option<i64>,
    original_severity: Option<String>,
    original_status: Option<String>,
    n_duplicates: i64,
    is_gone: i64,
}

impl TryFrom<ToTriageRow> for FindingToTriage {
    type Error = StorageError;

    fn try_from(row: ToTriageRow) -> Result<Self, StorageError> {
        let severity = |text: &str| parsed(Severity::parse, text, "finding", "severity");
        let original = match (
            row.original_id,
            row.original_number,
            row.original_severity,
            row.original_status,
        ) {
            (Some(id), Some(number), Some(of), Some(status)) => Some((
                id,
                Original {
                    number,
                    severity: severity(&of)?,
                    status: parsed(FindingStatus::parse, &status, "finding", "status")?,
                },
            )),
            _ => None,
        };
        Ok(Self {
            id: row.id,
            number: row.number,
            version: row.version,
            status: parsed(FindingStatus::parse, &row.status, "finding", "status")?,
            severity: severity(&row.severity)?,
            review: row.review_id,
            is_by_hand: row.is_by_hand != 0,
            asked: request(row.asked_for.as_deref())?,
            asked_severity: row.asked_severity.as_deref().map(severity).transpose()?,
            asked_by: row.asked_by,
            accepted_until: row.accepted_until,
            has_outgrown: row.is_outgrown.map(|is| is != 0),
            original,
            n_duplicates: row.n_duplicates,
            is_gone: row.is_gone != 0,
        })
    }
}

/// What is asked for, as its column holds it.
pub(crate) fn request(text: Option<&str>) -> Result<Option<Request>, StorageError> {
    text.map(|text| parsed(Request::parse, text, "finding", "asked_for"))
        .transpose()
}

macro_rules! to_triage {
    () => {
        concat!(
            "select finding.id, finding.number, finding.version, finding.status, finding.severity, finding.review_id, \
             finding.asked_for, finding.asked_severity, finding.duplicate_of as original_id, \
             (select original.number from finding as original where original.id = finding.duplicate_of) \
             as original_number, \
             (select original.severity from finding as original where original.id = finding.duplicate_of) \
             as original_severity, \
             (select original.status from finding as original where original.id = finding.duplicate_of) \
             as original_status, \
             cast(case when finding.created_by is null then 0 else 1 end as bigint) as is_by_hand, \
             finding.acceptance_requested_by as asked_by, finding.accepted_until, \
             cast(case when finding.accepted_content is null then null when ",
            is_outgrown!(),
            " then 1 else 0 end as bigint) as is_outgrown, cast(case when ",
            is_gone!(),
            " then 1 else 0 end as bigint) as is_gone, \
             (select count(*) from finding as copy where copy.duplicate_of = finding.id \
             and copy.status = 'duplicate') as n_duplicates from finding"
        )
    };
}
pub(crate) use to_triage;

/// What findings become by a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriageState {
    pub status: FindingStatus,
    pub reason: String,
    pub by: PersonId,
    pub at: Millis,
    pub duplicate_of: Option<FindingId>,
    /// Set where it is asked for only, and the finding is open until another person has approved.
    pub asked: Option<Request>,
    /// Where acceptance of the risk is asked for: until then.
    pub asked_until: Option<Millis>,
    /// Where another severity is asked for.
    pub asked_severity: Option<Severity>,
    /// An approval makes what was asked for, and keeps reason, date, who asked, and what it is bound to.
    pub is_approval: bool,
}

/// A decision about many findings.
#[derive(Clone, Debug)]
pub struct NewTriageBatch<'a> {
    pub id: &'a TriageBatchId,
    pub service: &'a ServiceId,
    pub review: &'a ReviewId,
    pub action: &'a str,
    pub summary: &'a str,
    pub item: Option<&'a ItemId>,
    pub n_changed: i64,
    pub at: Millis,
    pub by: &'a PersonId,
}

/// A decision about many findings as it was made, and whether it was undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriageBatch {
    pub id: TriageBatchId,
    pub service: ServiceId,
    pub review: ReviewId,
    /// As the API names it; `map` for findings that were mapped to `item`.
    pub action: String,
    pub summary: String,
    pub item: Option<ItemId>,
    pub n_changed: i64,
    pub decided_at: Millis,
    pub decided_by: PersonId,
    pub decided_by_name: String,
    pub undone_at: Option<Millis>,
    pub undone_by_name: Option<String>,
}

#[derive(sqlx::FromRow)]
struct BatchRow {
    id: String,
    service_id: String,
    review_id: String,
    action: String,
    summary: String,
    item_id: Option<String>,
    n_changed: i64,
    decided_at: i64,
    decided_by: String,
    decided_by_name: String,
    undone_at: Option<i64>,
    undone_by_name: Option<String>,
}

impl TryFrom<BatchRow> for TriageBatch {
    type Error = StorageError;

    fn try_from(row: BatchRow) -> Result<Self, StorageError> {
        const TABLE: &str = "triage_batch";
        Ok(Self {
            id: parsed(TriageBatchId::parse, &row.id, TABLE, "id")?,
            service: parsed(ServiceId::parse, &row.service_id, TABLE, "service_id")?,
            review: parsed(ReviewId::parse, &row.review_id, TABLE, "review_id")?,
            action: row.action,
            summary: row.summary,
            item: row.item_id.as_deref().and_then(ItemId::parse),
            n_changed: row.n_changed,
            decided_at: row.decided_at,
            decided_by: parsed(PersonId::parse, &row.decided_by, TABLE, "decided_by")?,
            decided_by_name: row.decided_by_name,
            undone_at: row.undone_at,
            undone_by_name: row.undone_by_name,
        })
    }
}

macro_rules! batch_where {
    ($rest:literal) => {
        concat!(
            "select triage_batch.id, triage_batch.service_id, triage_batch.review_id, triage_batch.action, \
             triage_batch.summary, triage_batch.item_id, triage_batch.n_changed, triage_batch.decided_at, \
             triage_batch.decided_by, decider.name as decided_by_name, triage_batch.undone_at, \
             undoer.name as undone_by_name from triage_batch \
             join person as decider on decider.id = triage_batch.decided_by \
             left join person as undoer on undoer.id = triage_batch.undone_by ",
            $rest
        )
    };
}

/// A finding that is not any more what a decision made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedSince {
    pub id: String,
    pub number: i64,
    pub status: FindingStatus,
    /// Absent for what a scan did.
    pub by: Option<String>,
    /// It is as it was decided, but what it was a duplicate of before cannot be repeated any more.
    pub has_no_original: bool,
}

/// Another finding, as a link to it needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberedFinding {
    pub id: FindingId,
    pub number: i64,
    pub title: String,
    pub tool: Option<String>,
}

/// Whether a finding is still what the decision `$1`, made at `$2` by `$3`, made of it, and can go back: not where what it
/// would be a duplicate of has become a duplicate itself, or is gone.
macro_rules! is_unchanged {
    () => {
        "(finding.status_at = $2 and finding.status_by = $3 and (triage_change.status <> 'duplicate' \
         or exists (select 1 from finding as original where original.id = triage_change.duplicate_of \
         and original.status <> 'duplicate')))"
    };
}

/// Whether a decision, now taken back, had lowered a finding's severity, which is still the one that it made.
macro_rules! was_lowered {
    () => {
        "triage_change.asked_for = 'severity' and triage_change.severity is not null \
         and finding.severity = triage_change.asked_severity"
    };
}

macro_rules! remember_where {
    ($chosen:literal) => {
        concat!(
            "insert into triage_change (batch_id, finding_id, status, status_reason, status_by, status_at, duplicate_of, \
             accepted_until, acceptance_requested_by, accepted_content, fixed_at, asked_for, asked_severity, severity, \
             severity_rank, severity_was, severity_by, severity_at, severity_reason) \
             select $1, id, status, status_reason, status_by, status_at, duplicate_of, \
             accepted_until, acceptance_requested_by, accepted_content, fixed_at, asked_for, asked_severity, severity, \
             severity_rank, severity_was, severity_by, severity_at, severity_reason from finding where id ",
            $chosen
        )
    };
}

/// An approval by `$2` at `$3`. Whoever asked for another severity is its author.
macro_rules! approve_where {
    ($chosen:literal) => {
        concat!(
            "update finding set status = case when asked_for = 'severity' then 'open' else asked_for end, \
             status_by = $2, status_at = $3, fixed_at = case when asked_for = 'fixed' then cast($3 as bigint) end, \
             accepted_content = case when asked_for <> 'severity' then accepted_content end, \
             severity_was = case when asked_severity is null then severity_was else coalesce(severity_was, severity) end, \
             severity_by = case when asked_severity is null then severity_by else acceptance_requested_by end, \
             severity_at = case when asked_severity is null then severity_at else cast($3 as bigint) end, \
             severity_reason = case when asked_severity is null then severity_reason else status_reason end, \
             severity = coalesce(asked_severity, severity), severity_rank = case asked_severity when 'critical' then 0 \
             when 'high' then 1 when 'unrated' then 2 when 'medium' then 3 when 'low' then 4 when 'info' then 5 \
             else severity_rank end, \
             asked_for = null, asked_severity = null, version = version + 1 where asked_for is not null and id ",
            $chosen
        )
    };
}

/// A decision by `$2` at `$3`, or a request where `$8` says what is asked for.
macro_rules! decide_where {
    ($chosen:literal) => {
        concat!(
            "update finding set status = $4, status_reason = $5, status_by = $2, status_at = $3, duplicate_of = $6, \
             accepted_until = $7, acceptance_requested_by = case when cast($8 as text) is null then null else $2 end, \
             accepted_content = case when cast($8 as text) is null then null else coalesce(content_digest, '-') \
             || case when cast($6 as text) is null then '' else ':' || coalesce((select repeated.content_digest \
             from finding as repeated where repeated.id = $6), '-') end end, \
             asked_for = $8, asked_severity = $9, \
             fixed_at = case when $4 = 'fixed' then cast($3 as bigint) else null end, version = version + 1 where id ",
            $chosen
        )
    };
}

/// What findings are becomes what is asked for. When and by whom it was decided stays, so that it is known still.
macro_rules! ask_where {
    ($by:literal, $which:literal) => {
        concat!(
            "update finding set asked_for = status, ",
            $by,
            ", status = 'open', fixed_at = null, version = version + 1 where ",
            $which
        )
    };
}

impl Tx {
    /// Keeps others from changing these findings until this unit of work ends, always in the order of their numbers. What is
    /// read before may be outdated, so lock first.
    pub async fn lock_findings(
        &mut self,
        ids: &[&str],
        original: Option<i64>,
    ) -> Result<(), StorageError> {
        if !self.is_sqlite() {
            let ids = serde_json::to_string(ids).expect("ids are texts");
            execute!(
                self,
                "with asked as (select jsonb_array_elements_text(cast($1 as jsonb)) as id) \
                 select id from finding where id in (select id from asked) or id in (select duplicate_of from finding \
                 where id in (select id from asked)) or number = $2 and service_id in (select service_id from finding \
                 where id in (select id from asked)) order by service_id, number for update",
                ids,
                original,
            );
        }
        Ok(())
    }

    /// As [`Tx::lock_findings`], for those that a decision was made about.
    pub async fn lock_findings_of_batch(&mut self, id: &TriageBatchId) -> Result<(), StorageError> {
        if !self.is_sqlite() {
            execute!(
                self,
                "select id from finding where id in (select finding_id from triage_change where batch_id = $1) \
                 order by service_id, number for update",
                id.as_str(),
            );
        }
        Ok(())
    }

    /// These findings of a service, by number; those of another service are passed over.
    pub async fn findings_to_triage(
        &mut self,
        service: &ServiceId,
        ids: &[&FindingId],
    ) -> Result<Vec<FindingToTriage>, StorageError> {
        let sql = self.dialect(
            concat!(
                to_triage!(),
                " where finding.service_id = $1 and finding.id in (select value from json_each($2)) \
                 order by finding.number"
            ),
            concat!(
                to_triage!(),
                " where finding.service_id = $1 \
                 and finding.id in (select jsonb_array_elements_text(cast($2 as jsonb))) order by finding.number"
            ),
        );
        let ids = serde_json::to_string(ids).expect("ids are texts");
        fetch_all!(self, ToTriageRow, sql, service.as_str(), ids)
            .into_iter()
            .map(FindingToTriage::try_from)
            .collect()
    }

    pub async fn insert_triage_batch(
        &mut self,
        new: &NewTriageBatch<'_>,
    ) -> Result<(), StorageError> {
        execute!(
            self,
            "insert into triage_batch (id, service_id, review_id, action, summary, item_id, n_changed, decided_at, \
             decided_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            new.id.as_str(),
            new.service.as_str(),
            new.review.as_str(),
            new.action,
            new.summary,
            new.item.map(ItemId::as_str),
            new.n_changed,
            new.at,
            new.by.as_str(),
        );
        Ok(())
    }

    /// Keeps what findings are before a decision changes them.
    pub async fn remember_before(
        &mut self,
        batch: &TriageBatchId,
        ids: &[String],
    ) -> Result<(), StorageError> {
        let sql = self.dialect(
            remember_where!("in (select value from json_each($2))"),
            remember_where!("in (select jsonb_array_elements_text(cast($2 as jsonb)))"),
        );
        for chunk in ids.chunks(IDS_PER_STATEMENT) {
            let ids = serde_json::to_string(chunk).expect("ids are texts");
            execute!(self, sql, batch.as_str(), ids);
        }
        Ok(())
    }

    /// Gives findings the state that was decided. Where something is asked for, what they say must be noted: see
    /// [`Tx::note_contents`].
    pub async fn set_triage(
        &mut self,
        ids: &[String],
        state: &TriageState,
    ) -> Result<(), StorageError> {
        let approve = self.dialect(
            approve_where!("in (select value from json_each($1))"),
            approve_where!("in (select jsonb_array_elements_text(cast($1 as jsonb)))"),
        );
        let decide = self.dialect(
            decide_where!("in (select value from json_each($1))"),
            decide_where!("in (select jsonb_array_elements_text(cast($1 as jsonb)))"),
        );
        for chunk in ids.chunks(IDS_PER_STATEMENT) {
            let ids = serde_json::to_string(chunk).expect("ids are texts");
            if state.is_approval {
                execute!(self, approve, ids, state.by.as_str(), state.at);
            } else {
                execute!(
                    self,
                    decide,
                    ids,
                    state.by.as_str(),
                    state.at,
                    state.status.as_str(),
                    &state.reason,
                    state.duplicate_of.as_ref().map(FindingId::as_str),
                    state.asked_until,
                    state.asked.map(Request::as_str),
                    state.asked_severity.map(Severity::as_str),
                );
            }
        }
        Ok(())
    }

    /// Those of these findings that a person has linked to an item already.
    pub async fn linked_by_hand(
        &mut self,
        item: &ItemId,
        ids: &[&str],
    ) -> Result<BTreeSet<String>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            finding_id: String,
        }
        let sql = self.dialect(
            "select finding_id from finding_item where item_id = $1 and rule_id is null \
             and finding_id in (select value from json_each($2))",
            "select finding_id from finding_item where item_id = $1 and rule_id is null \
             and finding_id in (select jsonb_array_elements_text(cast($2 as jsonb)))",
        );
        let ids = serde_json::to_string(ids).expect("ids are texts");
        Ok(fetch_all!(self, Row, sql, item.as_str(), ids)
            .into_iter()
            .map(|row| row.finding_id)
            .collect())
    }

    /// Links findings to an item by hand, as [`Tx::link_finding`] does one.
    pub async fn link_findings(
        &mut self,
        ids: &[String],
        item: &ItemId,
        by: &PersonId,
        at: Millis,
    ) -> Result<(), StorageError> {
        let forget = self.dialect(
            "delete from finding_unlinked where item_id = $2 and finding_id in (select value from json_each($1))",
            "delete from finding_unlinked where item_id = $2 \
             and finding_id in (select jsonb_array_elements_text(cast($1 as jsonb)))",
        );
        let link = self.dialect(
            "insert into finding_item (finding_id, item_id, linked_by, linked_at) select value, $2, $3, $4 \
             from json_each($1) where true on conflict (finding_id, item_id) \
             do update set linked_by = $3, linked_at = $4, rule_id = null where finding_item.rule_id is not null",
            "insert into finding_item (finding_id, item_id, linked_by, linked_at) select one.id, $2, $3, $4 \
             from jsonb_array_elements_text(cast($1 as jsonb)) as one (id) on conflict (finding_id, item_id) \
             do update set linked_by = $3, linked_at = $4, rule_id = null where finding_item.rule_id is not null",
        );
        for chunk in ids.chunks(IDS_PER_STATEMENT) {
            let ids = serde_json::to_string(chunk).expect("ids are texts");
            execute!(self, forget, &ids, item.as_str());
            execute!(self, link, &ids, item.as_str(), by.as_str(), at);
        }
        Ok(())
    }

    pub async fn triage_batch(
        &mut self,
        id: &TriageBatchId,
    ) -> Result<Option<TriageBatch>, StorageError> {
        fetch_optional!(
            self,
            BatchRow,
            batch_where!("where triage_batch.id = $1"),
            id.as_str()
        )
        .map(TriageBatch::try_from)
        .transpose()
    }

    /// The newest decisions about many findings of a review.
    pub async fn triage_batches(
        &mut self,
        review: &ReviewId,
        limit: i64,
    ) -> Result<Vec<TriageBatch>, StorageError> {
        const SQL: &str = batch_where!(
            "where triage_batch.review_id = $1 order by triage_batch.decided_at desc, triage_batch.id desc limit $2"
        );
        fetch_all!(self, BatchRow, SQL, review.as_str(), limit)
            .into_iter()
            .map(TriageBatch::try_from)
            .collect()
    }

    /// The decisions about many findings that one was among, newest first.
    pub async fn batches_of_finding(
        &mut self,
        finding: &FindingId,
    ) -> Result<Vec<TriageBatch>, StorageError> {
        const SQL: &str = batch_where!(
            "join triage_change on triage_change.batch_id = triage_batch.id \
             where triage_change.finding_id = $1 order by triage_batch.decided_at desc, triage_batch.id desc limit 20"
        );
        fetch_all!(self, BatchRow, SQL, finding.as_str())
            .into_iter()
            .map(TriageBatch::try_from)
            .collect()
    }

    /// The findings that are not any more what a decision made of them, at most `limit`.
    pub async fn changed_since(
        &mut self,
        batch: &TriageBatch,
        limit: i64,
    ) -> Result<Vec<ChangedSince>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            id: String,
            number: i64,
            status: String,
            name: Option<String>,
            is_decided: i64,
        }
        const SQL: &str = concat!(
            "select finding.id, finding.number, finding.status, person.name, cast(case when finding.status_at = $2 \
             and finding.status_by = $3 then 1 else 0 end as bigint) as is_decided from triage_change \
             join finding on finding.id = triage_change.finding_id left join person on person.id = finding.status_by \
             where triage_change.batch_id = $1 and not coalesce(",
            is_unchanged!(),
            ", false) order by finding.number limit $4"
        );
        fetch_all!(
            self,
            Row,
            SQL,
            batch.id.as_str(),
            batch.decided_at,
            batch.decided_by.as_str(),
            limit
        )
        .into_iter()
        .map(|row| {
            Ok(ChangedSince {
                id: row.id,
                number: row.number,
                status: parsed(FindingStatus::parse, &row.status, "finding", "status")?,
                by: row.name,
                has_no_original: row.is_decided != 0,
            })
        })
        .collect()
    }

    /// Puts back the findings that are still what a decision made of them; says which. What had been open and is gone
    /// from the scans since is fixed then. What they say must be noted again, see [`Tx::contents_of_batch`].
    pub async fn put_back(
        &mut self,
        batch: &TriageBatch,
        at: Millis,
    ) -> Result<Vec<String>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            finding_id: String,
        }
        const SQL: &str = concat!(
            "update finding set status = case when triage_change.status = 'open' and ",
            is_gone!(),
            " then 'fixed' else triage_change.status end, fixed_at = case when triage_change.status = 'open' and ",
            is_gone!(),
            " then cast($4 as bigint) else triage_change.fixed_at end, status_reason = triage_change.status_reason, \
             status_by = triage_change.status_by, status_at = triage_change.status_at, \
             duplicate_of = triage_change.duplicate_of, accepted_until = triage_change.accepted_until, \
             acceptance_requested_by = triage_change.acceptance_requested_by, \
             accepted_content = triage_change.accepted_content, asked_for = case when triage_change.status = 'open' and ",
            is_gone!(),
            " then null else triage_change.asked_for end, asked_severity = case when triage_change.status = 'open' and ",
            is_gone!(),
            " then null else triage_change.asked_severity end, severity = case when ",
            was_lowered!(),
            " then triage_change.severity else finding.severity end, severity_rank = case when ",
            was_lowered!(),
            " then triage_change.severity_rank else finding.severity_rank end, severity_was = case when ",
            was_lowered!(),
            " then triage_change.severity_was else finding.severity_was end, severity_by = case when ",
            was_lowered!(),
            " then triage_change.severity_by else finding.severity_by end, severity_at = case when ",
            was_lowered!(),
            " then triage_change.severity_at else finding.severity_at end, severity_reason = case when ",
            was_lowered!(),
            " then triage_change.severity_reason else finding.severity_reason end, \
             version = finding.version + 1 from triage_change \
             where triage_change.batch_id = $1 and triage_change.finding_id = finding.id and ",
            is_unchanged!(),
            " returning id as finding_id"
        );
        let rows = fetch_all!(
            self,
            Row,
            SQL,
            batch.id.as_str(),
            batch.decided_at,
            batch.decided_by.as_str(),
            at
        );
        Ok(rows.into_iter().map(|row| row.finding_id).collect())
    }

    /// Makes requests of what one person alone made of findings that block: whoever decided it has asked for it, and they
    /// are open until another has approved. Says how many there were.
    pub async fn ask_of_lone_decisions(
        &mut self,
        service: &ServiceId,
        blocking: &Blocking,
    ) -> Result<u64, StorageError> {
        let sql = self.dialect(
            ask_where!(
                "acceptance_requested_by = status_by",
                "service_id = $1 and severity in (select value from json_each($2)) \
                 and acceptance_requested_by is null and status_by is not null and (status in ('false_positive', 'duplicate') \
                 or (status = 'fixed' and created_by is not null))"
            ),
            ask_where!(
                "acceptance_requested_by = status_by",
                "service_id = $1 and severity in (select jsonb_array_elements_text(cast($2 as jsonb))) \
                 and acceptance_requested_by is null and status_by is not null and (status in ('false_positive', 'duplicate') \
                 or (status = 'fixed' and created_by is not null))"
            ),
        );
        let severities =
            serde_json::to_string(blocking.severities()).expect("severities are words");
        Ok(execute!(self, sql, service.as_str(), severities))
    }

    /// Makes requests by a person of what these findings are, where that takes two people. What is bound to what they said
    /// stays so.
    pub async fn ask_again(
        &mut self,
        ids: &[String],
        by: &PersonId,
        blocking: &Blocking,
    ) -> Result<u64, StorageError> {
        let sql = self.dialect(
            ask_where!(
                "acceptance_requested_by = $2",
                "id in (select value from json_each($1)) and (status = 'risk_accepted' \
                 or ((status in ('false_positive', 'duplicate') or (status = 'fixed' and created_by is not null)) \
                 and severity in (select value from json_each($3))))"
            ),
            ask_where!(
                "acceptance_requested_by = $2",
                "id in (select jsonb_array_elements_text(cast($1 as jsonb))) and (status = 'risk_accepted' \
                 or ((status in ('false_positive', 'duplicate') or (status = 'fixed' and created_by is not null)) \
                 and severity in (select jsonb_array_elements_text(cast($3 as jsonb)))))"
            ),
        );
        let severities =
            serde_json::to_string(blocking.severities()).expect("severities are words");
        let mut n = 0;
        for chunk in ids.chunks(IDS_PER_STATEMENT) {
            let ids = serde_json::to_string(chunk).expect("ids are texts");
            n += execute!(self, sql, ids, by.as_str(), &severities);
        }
        Ok(n)
    }

    /// Every policy that a service's reviews have, as they are stored.
    pub async fn policies_of(&mut self, service: &ServiceId) -> Result<Vec<String>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            policy: String,
        }
        const SQL: &str = "select distinct policy from review where service_id = $1";
        let rows = fetch_all!(self, Row, SQL, service.as_str());
        Ok(rows.into_iter().map(|row| row.policy).collect())
    }

    /// Takes away the links that a decision made and that are still as it made them; says how many.
    pub async fn unlink_batch(
        &mut self,
        batch: &TriageBatch,
        item: &ItemId,
    ) -> Result<u64, StorageError> {
        const SQL: &str = "delete from finding_item where item_id = $2 and rule_id is null and linked_at = $3 \
            and linked_by = $4 and finding_id in (select finding_id from triage_change where batch_id = $1)";
        Ok(execute!(
            self,
            SQL,
            batch.id.as_str(),
            item.as_str(),
            batch.decided_at,
            batch.decided_by.as_str()
        ))
    }

    /// Notes that a decision was undone.
    pub async fn close_batch(
        &mut self,
        id: &TriageBatchId,
        by: &PersonId,
        at: Millis,
    ) -> Result<(), StorageError> {
        let touched = execute!(
            self,
            "update triage_batch set undone_at = $2, undone_by = $3 where id = $1 and undone_at is null",
            id.as_str(),
            at,
            by.as_str(),
        );
        one(touched)
    }

    /// The findings that people called duplicates of this one: the first 200, and how many there are.
    pub async fn duplicates_of(
        &mut self,
        finding: &FindingId,
    ) -> Result<Found<NumberedFinding>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            id: String,
            number: i64,
            title: String,
            tool: Option<String>,
        }
        #[derive(sqlx::FromRow)]
        struct Counted {
            n: i64,
        }
        const COUNT: &str =
            "select count(*) as n from finding where duplicate_of = $1 and status = 'duplicate'";
        const SQL: &str = "select finding.id, finding.number, finding.title, \
            coalesce(finding.tool, series.tool) as tool from finding \
            left join series on series.id = finding.series_id where finding.duplicate_of = $1 \
            and finding.status = 'duplicate' order by finding.number limit 200";
        let counted = fetch_optional!(self, Counted, COUNT, finding.as_str());
        let entries = fetch_all!(self, Row, SQL, finding.as_str())
            .into_iter()
            .map(|row| {
                Ok(NumberedFinding {
                    id: parsed(FindingId::parse, &row.id, "finding", "id")?,
                    number: row.number,
                    title: row.title,
                    tool: row.tool,
                })
            })
            .collect::<Result<_, StorageError>>()?;
        Ok(Found {
            entries,
            n_matching: counted.map_or(0, |row| row.n),
        })
    }
}
