//! What two people decided about findings that say something else by now: it is taken back.

use holdpoint_domain::{FindingId, Millis, Severity};

use crate::{
    StorageError, Tx, execute, fetch_all,
    finding_rows::severity_rank,
    findings::{is_gone, is_outgrown, says_now, stands_alone},
};

/// What two people made of a finding, other than accepting its risk, as SQL: that ends by itself.
macro_rules! is_decided_by_two {
    () => {
        "(finding.acceptance_requested_by is not null and (finding.status in ('false_positive', 'duplicate') \
         or (finding.status = 'fixed' and finding.created_by is not null)))"
    };
}

/// The findings chosen, and those that are called duplicates of them, as SQL.
macro_rules! with_duplicates {
    ($chosen:literal) => {
        concat!(
            "(finding.id in (",
            $chosen,
            ") or finding.duplicate_of in (",
            $chosen,
            "))"
        )
    };
}

macro_rules! unbound_where {
    ($chosen:literal) => {
        concat!(
            "select finding.id, finding.duplicate_of from finding where finding.accepted_content is null and ",
            is_decided_by_two!(),
            " and ",
            with_duplicates!($chosen)
        )
    };
}

macro_rules! bind_where {
    ($chosen:literal) => {
        concat!(
            "update finding set accepted_content = ",
            says_now!(),
            " where id in (",
            $chosen,
            ")"
        )
    };
}

macro_rules! open_where {
    ($chosen:literal) => {
        concat!(
            "update finding set status = case when ",
            is_gone!(),
            " then 'fixed' else 'open' end, fixed_at = case when ",
            is_gone!(),
            " then cast($2 as bigint) end, status_reason = '', status_by = null, status_at = $2, reopened_at = $2, \
             duplicate_of = null, accepted_content = null, acceptance_requested_by = null, version = finding.version + 1 \
             where finding.accepted_content is not null and ",
            is_decided_by_two!(),
            " and ",
            is_outgrown!(),
            " and not ",
            stands_alone!(),
            " and ",
            with_duplicates!($chosen),
            " returning finding.number"
        )
    };
}

impl Tx {
    /// What two people decided about these findings, or their duplicates, and what is bound to nothing yet since it was
    /// decided before that was kept: the findings, and what they repeat. Note what they say, then
    /// [`Tx::bind_decisions`].
    pub async fn unbound_decisions(
        &mut self,
        ids: &[String],
    ) -> Result<Vec<(String, Option<String>)>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            id: String,
            duplicate_of: Option<String>,
        }
        let sql = self.dialect(
            unbound_where!("select value from json_each($1)"),
            unbound_where!("select jsonb_array_elements_text(cast($1 as jsonb))"),
        );
        let ids = serde_json::to_string(ids).expect("ids are texts");
        let rows = fetch_all!(self, Row, sql, ids);
        Ok(rows
            .into_iter()
            .map(|row| (row.id, row.duplicate_of))
            .collect())
    }

    /// Binds what was decided about these findings to what they say now.
    pub async fn bind_decisions(&mut self, ids: &[String]) -> Result<(), StorageError> {
        let sql = self.dialect(
            bind_where!("select value from json_each($1)"),
            bind_where!("select jsonb_array_elements_text(cast($1 as jsonb))"),
        );
        let ids = serde_json::to_string(ids).expect("ids are texts");
        execute!(self, sql, ids);
        Ok(())
    }

    /// Opens those of these findings, and of their duplicates, that two people took out of *open* and that, or whose
    /// original, does not say any more what it said then; gives their numbers. A duplicate that counts by itself already stays
    /// as it is.
    pub async fn open_outgrown(
        &mut self,
        ids: &[String],
        at: Millis,
    ) -> Result<Vec<i64>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            number: i64,
        }
        let sql = self.dialect(
            open_where!("select value from json_each($1)"),
            open_where!("select jsonb_array_elements_text(cast($1 as jsonb))"),
        );
        let ids = serde_json::to_string(ids).expect("ids are texts");
        let mut numbers: Vec<_> = fetch_all!(self, Row, sql, ids, at)
            .into_iter()
            .map(|row| row.number)
            .collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Makes a finding as severe again as it was before people changed that.
    pub async fn forget_severity_change(
        &mut self,
        id: &FindingId,
        severity: Severity,
    ) -> Result<(), StorageError> {
        execute!(
            self,
            "update finding set severity = $2, severity_rank = $3, severity_was = null, severity_by = null, \
             severity_at = null, severity_reason = null where id = $1",
            id.as_str(),
            severity.as_str(),
            severity_rank(severity),
        );
        Ok(())
    }
}
