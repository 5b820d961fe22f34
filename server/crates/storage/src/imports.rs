//! What an import reads and writes, in bulk: the findings of a series as comparing needs them, what a scan says of its
//! findings, and what it changed, so that it can be taken back.
//!
//! An import may have a hundred thousand findings. So rows go in and out by the hundred, and what did not change is not
//! touched: a finding that the newest scan of its series has again keeps no word of it; the series does.

use holdpoint_domain::{
    FindingId, FindingStatus, Millis, PersonId, ScanId, SeriesId, ServiceId, Severity,
};
use sqlx::{Postgres, QueryBuilder, Sqlite};

use crate::{
    StorageError, Tx,
    columns::parsed,
    execute, fetch_all, fetch_optional,
    finding_rows::{ROWS_PER_STATEMENT, StoredIdentity},
    findings::{acceptance_ended, is_gone},
    tx::Connection,
};

/// How many known findings are packed into one row.
const PACKED: i64 = 500;
/// Of so many of the newest scans of a series it is kept what was there before, so that they can be undone. Those that were
/// undone do not count.
pub const UNDOABLE_SCANS: i64 = 10;

/// A finding of a series as comparing needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownFinding<'a> {
    pub id: &'a str,
    pub number: i64,
    /// Hexadecimal keys.
    pub identity: &'a str,
    pub context: &'a str,
    pub basis: &'a str,
    pub ordinal: u32,
    pub path: Option<&'a str>,
    pub start_line: Option<i64>,
    pub end_line: Option<i64>,
    /// Of its component; empty if there is none.
    pub version: &'a str,
    /// As it counts now: an accepted risk that does not hold any more is open.
    pub status: FindingStatus,
    /// Of everything that the scanner says of it.
    pub scanner_digest: &'a str,
    /// Whether the last scan did not have it.
    pub is_unseen: bool,
    /// Whether a complete one did not: known of findings that people have decided about.
    pub is_gone: bool,
}

/// What a scan changed about one finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    pub finding: FindingId,
    /// `new`, `moved`, `reopened`, `fixed` or `no_longer_seen`.
    pub outcome: &'static str,
    pub why: String,
    pub was_path: Option<String>,
    pub was_start_line: Option<i64>,
    pub was_end_line: Option<i64>,
    pub path: Option<String>,
    pub start_line: Option<i64>,
    pub end_line: Option<i64>,
}

/// A series, locked for an import or for taking one back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedSeries {
    pub id: SeriesId,
    /// The newest scan that was not undone.
    pub last_scan: Option<ScanId>,
}

/// Someone who acted on a finding after a scan had changed it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ActedOn {
    /// Of the first of the findings that it was done to.
    pub number: i64,
    /// How many findings.
    pub n: i64,
    /// What was done, for a sentence: "F-3: …".
    pub what: String,
    pub who: Option<String>,
}

/// The columns that a scan may change, in the order in which they are saved before and put back.
macro_rules! changeable {
    () => {
        "identity, identity_context, identity_basis, ordinal, title, explanation_id, message, severity, \
         severity_rank, category, rule, path, start_line, end_line, snippet, cve, cwe, aliases, \
         component, component_version, fixed_version, fingerprint, tool, scanner_state, suppression_kind, \
         suppression_reason, pointer, pointer_scan_id, details, scanner_digest, folded, \
         status, status_reason, status_by, status_at, accepted_until, acceptance_requested_by, accepted_content, \
         asked_for, asked_severity, content_digest, fixed_at, reopened_at, unseen_since, last_seen_at, last_scan_id"
    };
}

macro_rules! insert_observations {
    ($database:ty, $conn:expr, $scan:expr, $rows:expr) => {{
        for chunk in $rows.chunks(ROWS_PER_STATEMENT) {
            let mut query = QueryBuilder::<$database>::new(
                "insert into observation (scan_id, finding_id, outcome, why, was_path, was_start_line, was_end_line, path, \
                 start_line, end_line) ",
            );
            query.push_values(chunk, |mut row, seen: &Observation| {
                row.push_bind($scan.as_str())
                    .push_bind(seen.finding.as_str())
                    .push_bind(seen.outcome)
                    .push_bind(seen.why.as_str())
                    .push_bind(seen.was_path.as_deref())
                    .push_bind(seen.was_start_line)
                    .push_bind(seen.was_end_line)
                    .push_bind(seen.path.as_deref())
                    .push_bind(seen.start_line)
                    .push_bind(seen.end_line);
            });
            query.build().execute(&mut *$conn).await?;
        }
    }};
}

fn json_ids(ids: &[FindingId]) -> String {
    let ids: Vec<_> = ids.iter().map(FindingId::as_str).collect();
    serde_json::to_string(&ids).expect("ids are texts")
}

/// How many ids go into one statement as a JSON list.
const IDS_PER_STATEMENT: usize = 5_000;

impl Tx {
    /// The series of this tool and label, made if it is new, and locked until the unit of work ends, so that two imports
    /// into one series come one after the other.
    pub async fn series_for_import(
        &mut self,
        id: &SeriesId,
        service: &ServiceId,
        tool: &str,
        label: &str,
    ) -> Result<LockedSeries, StorageError> {
        execute!(
            self,
            "insert into series (id, service_id, tool, label) values ($1, $2, $3, $4) \
             on conflict (service_id, tool, label) do nothing",
            id.as_str(),
            service.as_str(),
            tool,
            label,
        );
        let sql = self.dialect(
            "select id, last_scan_id from series where service_id = $1 and tool = $2 and label = $3",
            "select id, last_scan_id from series where service_id = $1 and tool = $2 and label = $3 for update",
        );
        self.one_series(sql, service.as_str(), tool, label)
            .await?
            .ok_or_else(|| StorageError::Damaged("a series vanished".to_owned()))
    }

    /// The series of this tool and label, if there is one; nothing is locked.
    pub async fn series_named(
        &mut self,
        service: &ServiceId,
        tool: &str,
        label: &str,
    ) -> Result<Option<LockedSeries>, StorageError> {
        const SQL: &str = "select id, last_scan_id from series where service_id = $1 and tool = $2 and label = $3";
        self.one_series(SQL, service.as_str(), tool, label).await
    }

    async fn one_series(
        &mut self,
        sql: &'static str,
        service: &str,
        tool: &str,
        label: &str,
    ) -> Result<Option<LockedSeries>, StorageError> {
        fetch_optional!(self, SeriesRow, sql, service, tool, label)
            .map(LockedSeries::try_from)
            .transpose()
    }

    /// Locks a scan's series, as an import does.
    pub async fn lock_series(&mut self, id: &SeriesId) -> Result<LockedSeries, StorageError> {
        let sql = self.dialect(
            "select id, last_scan_id from series where id = $1",
            "select id, last_scan_id from series where id = $1 for update",
        );
        self.series_by_id(sql, id).await
    }

    /// A series as it is now; nothing is locked.
    pub async fn series(&mut self, id: &SeriesId) -> Result<LockedSeries, StorageError> {
        self.series_by_id("select id, last_scan_id from series where id = $1", id)
            .await
    }

    async fn series_by_id(
        &mut self,
        sql: &'static str,
        id: &SeriesId,
    ) -> Result<LockedSeries, StorageError> {
        fetch_optional!(self, SeriesRow, sql, id.as_str())
            .ok_or_else(|| StorageError::Damaged("a series vanished".to_owned()))?
            .try_into()
    }

    /// Every finding of a series as comparing needs it at a moment, in the order of their numbers.
    pub async fn known_findings(
        &mut self,
        series: &SeriesId,
        now: Millis,
        see: &mut (dyn FnMut(KnownFinding<'_>) -> Result<(), StorageError> + Send),
    ) -> Result<(), StorageError> {
        // A driver's costs are by row and column: so several hundred findings come as one text, their parts divided by
        // characters that no cleaned text has.
        macro_rules! packed {
            ($join:literal, $unit:literal) => {
                concat!(
                    "select ", $join, " as packed, count(*) as n, max(number) as last from (select number, concat_ws(", $unit,
                    ", id, number, identity, \
                     coalesce(identity_context, ''), identity_basis, ordinal, coalesce(path, ''), \
                     coalesce(cast(start_line as text), ''), coalesce(cast(end_line as text), ''), \
                     coalesce(component_version, ''), case when ",
                    acceptance_ended!("$4"), " then 'open' else status end, coalesce(scanner_digest, ''), \
                     case when unseen_since is null then '' else '1' end, \
                     case when status in ('false_positive', 'risk_accepted', 'duplicate') and unseen_since is not null and ",
                    is_gone!(), " then '1' else '' end) as line \
                     from finding where series_id = $1 and number > $2 order by number limit $3) as lines"
                )
            };
        }
        let sql = self.dialect(
            packed!("group_concat(line, char(30))", "char(31)"),
            packed!("string_agg(line, chr(30) order by number)", "chr(31)"),
        );
        let mut next_after = Some(-1_i64);
        let mut fetched = String::new();
        while next_after.is_some() || !fetched.is_empty() {
            let next = async {
                let Some(after) = next_after else {
                    return Ok(None);
                };
                let row =
                    fetch_optional!(self, PackedRow, sql, series.as_str(), after, PACKED, now);
                Ok::<_, StorageError>(row)
            };
            // While the database puts the next ones together, those before are looked at.
            let looked_at = async {
                let mut lines = fetched.split_terminator('\u{1e}');
                lines.try_for_each(|line| see(known_finding(line)?))
            };
            let (next, looked_at) = tokio::join!(biased; next, looked_at);
            looked_at?;
            let next = next?;
            next_after = (next.as_ref())
                .filter(|row| row.n == PACKED)
                .and_then(|row| row.last);
            fetched = next.and_then(|row| row.packed).unwrap_or_default();
        }
        Ok(())
    }

    /// Takes so many numbers for findings of a service, and says the first. Call it last: other imports wait for it.
    pub async fn take_finding_numbers(
        &mut self,
        service: &ServiceId,
        n: i64,
    ) -> Result<i64, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            next_finding_number: i64,
        }
        const SQL: &str = "update service set next_finding_number = next_finding_number + $2 where id = $1 \
            returning next_finding_number";
        fetch_optional!(self, Row, SQL, service.as_str(), n)
            .map(|row| row.next_finding_number - n)
            .ok_or_else(|| StorageError::Damaged("a service vanished".to_owned()))
    }

    /// Notes what a scan changed about findings.
    pub async fn insert_observations(
        &mut self,
        scan: &ScanId,
        seen: &[Observation],
    ) -> Result<(), StorageError> {
        match self.connection() {
            Connection::Sqlite(tx) => insert_observations!(Sqlite, &mut **tx, scan, seen),
            Connection::Postgres(tx) => insert_observations!(Postgres, &mut **tx, scan, seen),
        }
        Ok(())
    }

    /// Keeps what findings were before a scan changes them, so that it can be undone. Call it before anything else is
    /// written of them.
    pub async fn keep_findings_before(
        &mut self,
        scan: &ScanId,
        ids: &[FindingId],
    ) -> Result<(), StorageError> {
        let sql = self.dialect(
            concat!(
                "insert into finding_before (scan_id, finding_id, ",
                changeable!(),
                ") \
                 select $1, id, ",
                changeable!(),
                " from finding where id in (select value from json_each($2))"
            ),
            concat!(
                "insert into finding_before (scan_id, finding_id, ",
                changeable!(),
                ") \
                 select $1, id, ",
                changeable!(),
                " from finding where id in (select jsonb_array_elements_text(cast($2 as jsonb)))"
            ),
        );
        for ids in ids.chunks(IDS_PER_STATEMENT) {
            execute!(self, sql, scan.as_str(), json_ids(ids));
        }
        Ok(())
    }

    /// Forgets what findings were before the scans of a series that are too old to be undone.
    pub async fn forget_old_findings_before(
        &mut self,
        series: &SeriesId,
    ) -> Result<(), StorageError> {
        execute!(
            self,
            "update series set forgotten_sequence = too_old.sequence from (select sequence from scan where series_id = $1 \
             and undone_at is null order by sequence desc limit 1 offset $2) as too_old \
             where series.id = $1 and series.forgotten_sequence < too_old.sequence",
            series.as_str(),
            UNDOABLE_SCANS,
        );
        execute!(
            self,
            "delete from finding_before where scan_id in (select scan.id from scan join series on series.id = scan.series_id \
             where series.id = $1 and scan.sequence <= series.forgotten_sequence)",
            series.as_str(),
        );
        Ok(())
    }

    /// Findings of which only what they are recognised by has changed.
    pub async fn refresh_identity(
        &mut self,
        id: &FindingId,
        identity: &StoredIdentity,
    ) -> Result<(), StorageError> {
        execute!(
            self,
            "update finding set identity = $2, identity_context = $3, identity_basis = $4, ordinal = $5, \
             version = version + 1 where id = $1",
            id.as_str(),
            &identity.identity,
            identity.context.as_deref(),
            identity.basis,
            i64::from(identity.ordinal),
        );
        Ok(())
    }

    /// Findings that a complete scan no longer has. What was asked for or accepted of their risk ends with that.
    pub async fn fix_findings(
        &mut self,
        ids: &[FindingId],
        at: Millis,
    ) -> Result<(), StorageError> {
        let sql = self.dialect(
            concat!(
                "update finding set status = 'fixed', status_reason = '', status_by = null, status_at = $2, fixed_at = $2, \
                 accepted_until = null, acceptance_requested_by = null, accepted_content = null, asked_for = null, \
                 asked_severity = null, version = version + 1 \
                 where id in (select value from json_each($1)) and (status = 'open' or ",
                acceptance_ended!("$2"),
                ")"
            ),
            concat!(
                "update finding set status = 'fixed', status_reason = '', status_by = null, status_at = $2, fixed_at = $2, \
                 accepted_until = null, acceptance_requested_by = null, accepted_content = null, asked_for = null, \
                 asked_severity = null, version = version + 1 \
                 where id in (select jsonb_array_elements_text(cast($1 as jsonb))) and (status = 'open' or ",
                acceptance_ended!("$2"),
                ")"
            ),
        );
        for ids in ids.chunks(IDS_PER_STATEMENT) {
            execute!(self, sql, json_ids(ids), at);
        }
        Ok(())
    }

    /// Findings that had been fixed and are back.
    pub async fn reopen_findings(
        &mut self,
        ids: &[FindingId],
        at: Millis,
    ) -> Result<(), StorageError> {
        let sql = self.dialect(
            "update finding set status = 'open', status_by = null, status_reason = '', status_at = $2, reopened_at = $2, \
             fixed_at = null, version = version + 1 where id in (select value from json_each($1)) and status = 'fixed'",
            "update finding set status = 'open', status_by = null, status_reason = '', status_at = $2, reopened_at = $2, \
             fixed_at = null, version = version + 1 \
             where id in (select jsonb_array_elements_text(cast($1 as jsonb))) and status = 'fixed'",
        );
        for ids in ids.chunks(IDS_PER_STATEMENT) {
            execute!(self, sql, json_ids(ids), at);
        }
        Ok(())
    }

    /// Findings that the scan does not have, and the one before it had: it is the last that saw them.
    pub async fn findings_unseen(
        &mut self,
        series: &SeriesId,
        scan: &ScanId,
        ids: &[FindingId],
    ) -> Result<(), StorageError> {
        let sql = self.dialect(
            "update finding set unseen_since = $2, last_scan_id = series.last_scan_id, \
             last_seen_at = coalesce(series.last_scan_at, finding.last_seen_at) from series \
             where series.id = $1 and finding.id in (select value from json_each($3))",
            "update finding set unseen_since = $2, last_scan_id = series.last_scan_id, \
             last_seen_at = coalesce(series.last_scan_at, finding.last_seen_at) from series \
             where series.id = $1 and finding.id in (select jsonb_array_elements_text(cast($3 as jsonb)))",
        );
        for ids in ids.chunks(IDS_PER_STATEMENT) {
            execute!(self, sql, series.as_str(), scan.as_str(), json_ids(ids));
        }
        Ok(())
    }

    /// Findings that the last scan did not have and this one has.
    pub async fn findings_seen_again(&mut self, ids: &[FindingId]) -> Result<(), StorageError> {
        let sql = self.dialect(
            "update finding set unseen_since = null, last_scan_id = null \
             where id in (select value from json_each($1))",
            "update finding set unseen_since = null, last_scan_id = null \
             where id in (select jsonb_array_elements_text(cast($1 as jsonb)))",
        );
        for ids in ids.chunks(IDS_PER_STATEMENT) {
            execute!(self, sql, json_ids(ids));
        }
        Ok(())
    }

    /// Notes the newest scan of a series, which has seen all of its findings that are not marked as unseen.
    pub async fn series_scanned(
        &mut self,
        series: &SeriesId,
        scan: &ScanId,
        at: Millis,
    ) -> Result<(), StorageError> {
        execute!(
            self,
            "update series set last_scan_id = $2, last_scan_at = $3 where id = $1",
            series.as_str(),
            scan.as_str(),
            at,
        );
        Ok(())
    }

    /// How many findings of a series are open and of these severities.
    pub async fn n_open_of_series(
        &mut self,
        series: &SeriesId,
        severities: &[Severity],
    ) -> Result<i64, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            n: i64,
        }
        let sql = self.dialect(
            "select count(*) as n from finding where series_id = $1 and status = 'open' \
             and severity in (select value from json_each($2))",
            "select count(*) as n from finding where series_id = $1 and status = 'open' \
             and severity in (select jsonb_array_elements_text(cast($2 as jsonb)))",
        );
        let severities = serde_json::to_string(severities).expect("words");
        Ok(fetch_optional!(self, Row, sql, series.as_str(), severities).map_or(0, |row| row.n))
    }

    /// Who did what since to findings that a scan brought or changed, at most so many.
    pub async fn acted_on_since(
        &mut self,
        scan: &ScanId,
        limit: i64,
    ) -> Result<Vec<ActedOn>, StorageError> {
        // Findings that only this scan brought go with it, whenever it was that somebody referred to them. A decision about
        // many that was made and taken back since left them as they were; one that was made before and taken back since
        // did not.
        const SQL: &str = "with scanned as (select id, series_id, imported_at, (select min(sequence) from activity \
            where subject_kind = 'scan' and subject = $1) as sequence from scan where id = $1), \
            touched as (select finding.id, finding.number, finding.status_by, finding.status_at, 1 as is_new \
            from scanned join finding on finding.series_id = scanned.series_id and finding.first_scan_id = scanned.id \
            union all select finding.id, finding.number, finding.status_by, finding.status_at, 0 from finding_before \
            join finding on finding.id = finding_before.finding_id where finding_before.scan_id = $1) \
            select min(number) as number, count(distinct number) as n, what, who from ( \
            select touched.number, activity.summary as what, coalesce(person.name, activity.actor) as who from touched \
            join activity on activity.subject_kind = 'finding' and activity.subject = touched.id \
            and activity.sequence > (select sequence from scanned) \
            left join person on person.id = activity.actor \
            union all select touched.number, coalesce((select max(triage_batch.summary) from triage_change \
            join triage_batch on triage_batch.id = triage_change.batch_id where triage_change.finding_id = touched.id \
            and triage_batch.decided_at = touched.status_at and triage_batch.decided_by = touched.status_by), \
            'changed its status'), person.name from touched join person on person.id = touched.status_by \
            where touched.status_at >= (select imported_at from scanned) \
            and not exists (select 1 from activity where activity.subject_kind = 'finding' \
            and activity.subject = touched.id and activity.sequence > (select sequence from scanned)) \
            union all select touched.number, 'undid: ' || triage_batch.summary, person.name from touched \
            join triage_change on triage_change.finding_id = touched.id \
            join triage_batch on triage_batch.id = triage_change.batch_id \
            left join person on person.id = triage_batch.undone_by \
            where triage_batch.item_id is null and triage_batch.decided_at < (select imported_at from scanned) \
            and triage_batch.undone_at >= (select imported_at from scanned) \
            and coalesce(touched.status_at, 0) <= triage_batch.decided_at \
            union all select touched.number, 'called F-' || cast(copy.number as text) || ' a duplicate of F-' || \
            cast(touched.number as text), person.name from touched join finding as copy on copy.duplicate_of = touched.id \
            left join person on person.id = copy.status_by \
            where (touched.is_new = 1 or copy.status_at >= (select imported_at from scanned)) \
            and not exists (select 1 from touched as other where other.id = copy.id) \
            union all select touched.number, 'commented on it', person.name from touched \
            join comment on comment.finding_id = touched.id left join person on person.id = comment.author_id \
            where touched.is_new = 1 or comment.created_at >= (select imported_at from scanned) \
            union all select touched.number, 'linked it to an item', person.name from touched \
            join finding_item on finding_item.finding_id = touched.id \
            left join person on person.id = finding_item.linked_by where finding_item.rule_id is null \
            and (touched.is_new = 1 or finding_item.linked_at >= (select imported_at from scanned)) \
            ) as acts group by what, who order by 1, 3 limit $2";
        Ok(fetch_all!(self, ActedOn, SQL, scan.as_str(), limit))
    }

    /// Takes back everything that a scan brought and changed. Nobody may have acted on it: see
    /// [`Tx::acted_on_since`]. Says how many findings were put back and how many are gone.
    pub async fn undo_scan(
        &mut self,
        scan: &ScanId,
        series: &SeriesId,
        by: &PersonId,
        at: Millis,
    ) -> Result<(u64, u64), StorageError> {
        // What was verified by this scan is as it was.
        execute!(
            self,
            "update patch set state = 'applied', verified_by_scan = null, version = version + 1 \
             where verified_by_scan = $1",
            scan.as_str(),
        );
        execute!(
            self,
            "delete from observation where scan_id = $1",
            scan.as_str()
        );
        let put_back = execute!(
            self,
            "update finding set identity = was.identity, identity_context = was.identity_context, \
             identity_basis = was.identity_basis, ordinal = was.ordinal, title = was.title, \
             explanation_id = was.explanation_id, message = was.message, \
             severity = was.severity, severity_rank = was.severity_rank, category = was.category, rule = was.rule, \
             path = was.path, start_line = was.start_line, \
             end_line = was.end_line, snippet = was.snippet, cve = was.cve, cwe = was.cwe, aliases = was.aliases, \
             component = was.component, component_version = was.component_version, \
             fixed_version = was.fixed_version, fingerprint = was.fingerprint, tool = was.tool, \
             scanner_state = was.scanner_state, suppression_kind = was.suppression_kind, \
             suppression_reason = was.suppression_reason, pointer = was.pointer, \
             pointer_scan_id = was.pointer_scan_id, details = was.details, scanner_digest = was.scanner_digest, \
             folded = was.folded, status = was.status, \
             status_reason = was.status_reason, status_by = was.status_by, status_at = was.status_at, \
             accepted_until = was.accepted_until, acceptance_requested_by = was.acceptance_requested_by, \
             accepted_content = was.accepted_content, asked_for = was.asked_for, \
             asked_severity = was.asked_severity, content_digest = was.content_digest, fixed_at = was.fixed_at, reopened_at = was.reopened_at, unseen_since = was.unseen_since, \
             last_seen_at = was.last_seen_at, last_scan_id = was.last_scan_id, version = finding.version + 1 \
             from finding_before as was where was.finding_id = finding.id and was.scan_id = $1",
            scan.as_str(),
        );
        execute!(
            self,
            "delete from finding_before where scan_id = $1",
            scan.as_str()
        );
        // Of its new findings every link goes; of the others those that rules made in this import.
        execute!(
            self,
            "delete from finding_item where finding_id in (select id from finding where series_id = $2 \
             and (first_scan_id = $1 or finding_item.rule_id is not null \
             and finding_item.linked_at = (select imported_at from scan where id = $1)))",
            scan.as_str(),
            series.as_str(),
        );
        let gone = execute!(
            self,
            "delete from finding where series_id = $2 and first_scan_id = $1",
            scan.as_str(),
            series.as_str(),
        );
        execute!(
            self,
            "update scan set undone_at = $2, undone_by = $3 where id = $1",
            scan.as_str(),
            at,
            by.as_str(),
        );
        execute!(
            self,
            "update series set \
             last_scan_id = (select id from scan where series_id = $1 and undone_at is null order by sequence desc limit 1), \
             last_scan_at = (select imported_at from scan where series_id = $1 and undone_at is null \
             order by sequence desc limit 1) where id = $1",
            series.as_str(),
        );
        Ok((put_back, gone))
    }

    /// Whether it is still known what was there before a scan.
    pub async fn can_be_undone(&mut self, scan: &ScanId) -> Result<bool, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            is_recent: i64,
        }
        const SQL: &str = "select cast(case when scan.sequence > series.forgotten_sequence then 1 else 0 end as bigint) \
            as is_recent from scan join series on series.id = scan.series_id where scan.id = $1";
        let row = fetch_optional!(self, Row, SQL, scan.as_str());
        Ok(row.is_some_and(|row| row.is_recent == 1))
    }
}

#[derive(sqlx::FromRow)]
struct SeriesRow {
    id: String,
    last_scan_id: Option<String>,
}

impl TryFrom<SeriesRow> for LockedSeries {
    type Error = StorageError;

    fn try_from(row: SeriesRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: parsed(SeriesId::parse, &row.id, "series", "id")?,
            last_scan: row
                .last_scan_id
                .map(|id| parsed(ScanId::parse, &id, "series", "last_scan_id"))
                .transpose()?,
        })
    }
}

#[derive(sqlx::FromRow)]
struct PackedRow {
    packed: Option<String>,
    n: i64,
    /// The number of the last of them.
    last: Option<i64>,
}

fn known_finding(line: &str) -> Result<KnownFinding<'_>, StorageError> {
    let damaged = || StorageError::Damaged("a finding's row cannot be read".to_owned());
    let mut parts = line.split('\u{1f}');
    let mut next = || parts.next().ok_or_else(damaged);
    let line_number = |text: &str| {
        if text.is_empty() {
            Ok(None)
        } else {
            text.parse().map(Some).map_err(|_| damaged())
        }
    };
    let (id, number, identity) = (next()?, next()?, next()?);
    Ok(KnownFinding {
        id,
        number: number.parse().map_err(|_| damaged())?,
        identity,
        context: Some(next()?)
            .filter(|context| !context.is_empty())
            .unwrap_or(identity),
        basis: next()?,
        ordinal: next()?.parse().map_err(|_| damaged())?,
        path: Some(next()?).filter(|path| !path.is_empty()),
        start_line: line_number(next()?)?,
        end_line: line_number(next()?)?,
        version: next()?,
        status: parsed(FindingStatus::parse, next()?, "finding", "status")?,
        scanner_digest: next()?,
        is_unseen: next()? == "1",
        is_gone: next()? == "1",
    })
}
