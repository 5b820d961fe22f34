//! Decisions about findings: what they depend on, making them for many at once, and taking them back.

use std::collections::BTreeSet;

use holdpoint_domain::{
    FindingId, FindingStatus, ItemId, Millis, PersonId, ReviewId, ServiceId, TriageBatchId,
};

use crate::{
    StorageError, Tx,
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
    /// Set for findings written for one review.
    pub review: Option<String>,
    pub is_by_hand: bool,
    pub asked_by: Option<String>,
    pub accepted_until: Option<Millis>,
    pub has_outgrown_acceptance: bool,
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
    review_id: Option<String>,
    is_by_hand: i64,
    asked_by: Option<String>,
    accepted_until: Option<i64>,
    is_outgrown: i64,
    n_duplicates: i64,
    is_gone: i64,
}

impl TryFrom<ToTriageRow> for FindingToTriage {
    type Error = StorageError;

    fn try_from(row: ToTriageRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.id,
            number: row.number,
            version: row.version,
            status: parsed(FindingStatus::parse, &row.status, "finding", "status")?,
            review: row.review_id,
            is_by_hand: row.is_by_hand != 0,
            asked_by: row.asked_by,
            accepted_until: row.accepted_until,
            has_outgrown_acceptance: row.is_outgrown != 0,
            n_duplicates: row.n_duplicates,
            is_gone: row.is_gone != 0,
        })
    }
}

macro_rules! to_triage {
    () => {
        concat!(
            "select finding.id, finding.number, finding.version, finding.status, finding.review_id, \
             cast(case when finding.created_by is null then 0 else 1 end as bigint) as is_by_hand, \
             finding.acceptance_requested_by as asked_by, finding.accepted_until, \
             cast(case when ",
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
    /// Set where acceptance of the risk is asked for, until then.
    pub asked_until: Option<Millis>,
    /// An approval keeps what was asked for: reason, date, who asked, and what it is bound to.
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

impl Tx {
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
                 and finding.id in (select jsonb_array_elements_text(cast($2 as jsonb))) order by finding.number for update"
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
            "insert into triage_change (batch_id, finding_id, status, status_reason, status_by, status_at, duplicate_of, \
             accepted_until, acceptance_requested_by, accepted_content, fixed_at) select $1, id, status, status_reason, \
             status_by, status_at, duplicate_of, accepted_until, acceptance_requested_by, accepted_content, fixed_at \
             from finding where id in (select value from json_each($2))",
            "insert into triage_change (batch_id, finding_id, status, status_reason, status_by, status_at, duplicate_of, \
             accepted_until, acceptance_requested_by, accepted_content, fixed_at) select $1, id, status, status_reason, \
             status_by, status_at, duplicate_of, accepted_until, acceptance_requested_by, accepted_content, fixed_at \
             from finding where id in (select jsonb_array_elements_text(cast($2 as jsonb)))",
        );
        for chunk in ids.chunks(IDS_PER_STATEMENT) {
            let ids = serde_json::to_string(chunk).expect("ids are texts");
            execute!(self, sql, batch.as_str(), ids);
        }
        Ok(())
    }

    /// Gives findings the state that was decided. Where acceptance of their risk is asked for, what they say must be noted:
    /// see [`Tx::note_contents`].
    pub async fn set_triage(
        &mut self,
        ids: &[String],
        state: &TriageState,
    ) -> Result<(), StorageError> {
        let approve = self.dialect(
            "update finding set status = 'risk_accepted', status_by = $2, status_at = $3, version = version + 1 \
             where id in (select value from json_each($1))",
            "update finding set status = 'risk_accepted', status_by = $2, status_at = $3, version = version + 1 \
             where id in (select jsonb_array_elements_text(cast($1 as jsonb)))",
        );
        let decide = self.dialect(
            "update finding set status = $4, status_reason = $5, status_by = $2, status_at = $3, duplicate_of = $6, \
             accepted_until = $7, acceptance_requested_by = case when cast($7 as bigint) is null then null else $2 end, \
             accepted_content = case when cast($7 as bigint) is null then null else content_digest end, \
             fixed_at = case when $4 = 'fixed' then $3 else null end, version = version + 1 \
             where id in (select value from json_each($1))",
            "update finding set status = $4, status_reason = $5, status_by = $2, status_at = $3, duplicate_of = $6, \
             accepted_until = $7, acceptance_requested_by = case when cast($7 as bigint) is null then null else $2 end, \
             accepted_content = case when cast($7 as bigint) is null then null else content_digest end, \
             fixed_at = case when $4 = 'fixed' then cast($3 as bigint) else null end, version = version + 1 \
             where id in (select jsonb_array_elements_text(cast($1 as jsonb)))",
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

    /// Puts back the findings that are still what a decision made of them; says how many. What had been open and is gone
    /// from the scans since is fixed then. What they say must be noted again, see [`Tx::contents_of_batch`].
    pub async fn put_back(&mut self, batch: &TriageBatch, at: Millis) -> Result<u64, StorageError> {
        const SQL: &str = concat!(
            "update finding set status = case when triage_change.status = 'open' and ",
            is_gone!(),
            " then 'fixed' else triage_change.status end, fixed_at = case when triage_change.status = 'open' and ",
            is_gone!(),
            " then cast($4 as bigint) else triage_change.fixed_at end, status_reason = triage_change.status_reason, \
             status_by = triage_change.status_by, status_at = triage_change.status_at, \
             duplicate_of = triage_change.duplicate_of, accepted_until = triage_change.accepted_until, \
             acceptance_requested_by = triage_change.acceptance_requested_by, \
             accepted_content = triage_change.accepted_content, \
             version = finding.version + 1 from triage_change \
             where triage_change.batch_id = $1 and triage_change.finding_id = finding.id and ",
            is_unchanged!()
        );
        Ok(execute!(
            self,
            SQL,
            batch.id.as_str(),
            batch.decided_at,
            batch.decided_by.as_str(),
            at
        ))
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

    /// The findings that people called duplicates of this one.
    pub async fn duplicates_of(
        &mut self,
        finding: &FindingId,
    ) -> Result<Vec<NumberedFinding>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            id: String,
            number: i64,
            title: String,
            tool: Option<String>,
        }
        const SQL: &str = "select finding.id, finding.number, finding.title, \
            coalesce(finding.tool, series.tool) as tool from finding \
            left join series on series.id = finding.series_id where finding.duplicate_of = $1 \
            and finding.status = 'duplicate' order by finding.number limit 200";
        fetch_all!(self, Row, SQL, finding.as_str())
            .into_iter()
            .map(|row| {
                Ok(NumberedFinding {
                    id: parsed(FindingId::parse, &row.id, "finding", "id")?,
                    number: row.number,
                    title: row.title,
                    tool: row.tool,
                })
            })
            .collect()
    }
}
