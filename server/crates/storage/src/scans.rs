//! Scans, the series they are compared in, and what each changed.

use holdpoint_domain::{
    Digest, FindingId, FindingStatus, Millis, PersonId, ScanId, SeriesId, ServiceId, Severity,
};
use sqlx::{Postgres, QueryBuilder, Sqlite};

use crate::{StorageError, Tx, columns::parsed, execute, fetch_all, fetch_optional, on_conn};

/// One imported scanner result file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    pub id: ScanId,
    pub service: ServiceId,
    pub series: SeriesId,
    /// The series' label; the tool's name if nobody gave another.
    pub label: String,
    /// Position within the series, from 1.
    pub sequence: i64,
    pub file_sha256: Digest,
    pub file_name: String,
    pub file_bytes: i64,
    pub format: String,
    pub tool: String,
    pub tool_version: Option<String>,
    pub commit: Option<String>,
    /// Absent when the scan was complete.
    pub incomplete_because: Option<String>,
    pub counts: SeverityCounts,
    pub changes: ChangeNumbers,
    /// JSON list of what was odd in the file.
    pub problems: String,
    pub imported_at: Millis,
    pub imported_by: PersonId,
    pub imported_by_name: String,
    pub undone_at: Option<Millis>,
}

/// Findings by severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeverityCounts {
    pub critical: i64,
    pub high: i64,
    pub medium: i64,
    pub low: i64,
    pub info: i64,
}

impl SeverityCounts {
    pub fn total(&self) -> i64 {
        self.critical + self.high + self.medium + self.low + self.info
    }

    pub fn of(&self, severity: Severity) -> i64 {
        match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Medium => self.medium,
            Severity::Low => self.low,
            Severity::Info => self.info,
        }
    }

    pub fn add(&mut self, severity: Severity, n: i64) {
        *match severity {
            Severity::Critical => &mut self.critical,
            Severity::High => &mut self.high,
            Severity::Medium => &mut self.medium,
            Severity::Low => &mut self.low,
            Severity::Info => &mut self.info,
        } += n;
    }
}

/// What a scan changed against the one before in its series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct ChangeNumbers {
    pub new: i64,
    pub unchanged: i64,
    pub moved: i64,
    pub reopened: i64,
    pub fixed: i64,
}

/// A finding of a series as comparing needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFinding {
    pub id: FindingId,
    pub number: i64,
    pub identity: Digest,
    pub context: Digest,
    pub basis: String,
    pub ordinal: i64,
    pub path: Option<String>,
    pub start_line: Option<i64>,
    pub end_line: Option<i64>,
    pub status: FindingStatus,
    pub scanner_digest: Option<String>,
}

/// A finding as a scanner reports it, ready to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScannerFinding {
    pub id: FindingId,
    pub identity: Digest,
    pub context: Digest,
    pub basis: &'static str,
    pub ordinal: i64,
    pub title: String,
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
    /// JSON lists.
    pub cve: String,
    pub cwe: String,
    pub aliases: String,
    pub component: Option<String>,
    pub component_version: Option<String>,
    pub fixed_version: Option<String>,
    pub fingerprint: Option<String>,
    pub pointer: String,
    pub details: Option<String>,
    pub scanner_digest: String,
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

/// What a finding's history says of one scan.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ObservationView {
    pub scan_id: String,
    pub tool: String,
    pub label: String,
    pub commit_id: Option<String>,
    pub imported_at: Millis,
    pub outcome: String,
    pub why: String,
    pub was_path: Option<String>,
    pub was_start_line: Option<i64>,
    pub path: Option<String>,
    pub start_line: Option<i64>,
}

/// One change that a scan made, or would make.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ScanChange {
    /// `new`, `moved`, `reopened`, `fixed` or `no_longer_seen`.
    pub change: String,
    /// Absent for what is not stored yet.
    pub finding: Option<String>,
    pub number: Option<i64>,
    pub title: String,
    pub severity: Severity,
    pub path: Option<String>,
    pub line: Option<i64>,
    /// Where it was before, if it moved.
    pub was_line: Option<i64>,
    pub why: String,
}

#[derive(sqlx::FromRow)]
struct ScanRow {
    id: String,
    service_id: String,
    series_id: String,
    label: String,
    sequence: i64,
    file_sha256: String,
    file_name: String,
    file_bytes: i64,
    format: String,
    tool: String,
    tool_version: Option<String>,
    commit_id: Option<String>,
    incomplete_reason: Option<String>,
    n_critical: i64,
    n_high: i64,
    n_medium: i64,
    n_low: i64,
    n_info: i64,
    n_new: i64,
    n_unchanged: i64,
    n_moved: i64,
    n_reopened: i64,
    n_fixed: i64,
    problems: String,
    imported_at: i64,
    imported_by: String,
    imported_by_name: String,
    undone_at: Option<i64>,
}

impl TryFrom<ScanRow> for Scan {
    type Error = StorageError;

    fn try_from(row: ScanRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: parsed(ScanId::parse, &row.id, "scan", "id")?,
            service: parsed(ServiceId::parse, &row.service_id, "scan", "service_id")?,
            series: parsed(SeriesId::parse, &row.series_id, "scan", "series_id")?,
            label: row.label,
            sequence: row.sequence,
            file_sha256: parsed(Digest::parse, &row.file_sha256, "scan", "file_sha256")?,
            file_name: row.file_name,
            file_bytes: row.file_bytes,
            format: row.format,
            tool: row.tool,
            tool_version: row.tool_version,
            commit: row.commit_id,
            incomplete_because: row.incomplete_reason,
            counts: SeverityCounts {
                critical: row.n_critical,
                high: row.n_high,
                medium: row.n_medium,
                low: row.n_low,
                info: row.n_info,
            },
            changes: ChangeNumbers {
                new: row.n_new,
                unchanged: row.n_unchanged,
                moved: row.n_moved,
                reopened: row.n_reopened,
                fixed: row.n_fixed,
            },
            problems: row.problems,
            imported_at: row.imported_at,
            imported_by: parsed(PersonId::parse, &row.imported_by, "scan", "imported_by")?,
            imported_by_name: row.imported_by_name,
            undone_at: row.undone_at,
        })
    }
}

macro_rules! scan_where {
    ($rest:literal) => {
        concat!(
            "select scan.id, scan.service_id, scan.series_id, series.label, scan.sequence, scan.file_sha256, \
             scan.file_name, file.size_bytes as file_bytes, scan.format, scan.tool, scan.tool_version, scan.commit_id, \
             scan.incomplete_reason, scan.n_critical, scan.n_high, scan.n_medium, scan.n_low, scan.n_info, scan.n_new, \
             scan.n_unchanged, scan.n_moved, scan.n_reopened, scan.n_fixed, scan.problems, scan.imported_at, \
             scan.imported_by, person.name as imported_by_name, scan.undone_at from scan \
             join series on series.id = scan.series_id join file on file.sha256 = scan.file_sha256 \
             join person on person.id = scan.imported_by ",
            $rest
        )
    };
}

/// How many rows go into one statement: below both databases' limits on parameters.
const ROWS_PER_STATEMENT: usize = 400;

macro_rules! insert_findings {
    ($database:ty, $conn:expr, $service:expr, $series:expr, $scan:expr, $at:expr, $first_number:expr, $rows:expr) => {{
        let mut number = $first_number;
        for chunk in $rows.chunks(ROWS_PER_STATEMENT) {
            let mut query = QueryBuilder::<$database>::new(
                "insert into finding (id, service_id, series_id, number, identity, identity_context, identity_basis, \
                 ordinal, title, description, message, remediation, severity, severity_rank, category, rule, rule_name, \
                 help_url, path, start_line, end_line, snippet, cve, cwe, aliases, component, component_version, \
                 fixed_version, fingerprint, pointer, details, scanner_digest, status, status_reason, first_seen_at, \
                 last_seen_at, first_scan_id, last_scan_id, version) ",
            );
            query.push_values(chunk, |mut row, finding| {
                row.push_bind(finding.id.as_str())
                    .push_bind($service)
                    .push_bind($series)
                    .push_bind(number)
                    .push_bind(finding.identity.as_str())
                    .push_bind(finding.context.as_str())
                    .push_bind(finding.basis)
                    .push_bind(finding.ordinal)
                    .push_bind(finding.title.as_str())
                    .push_bind(finding.description.as_str())
                    .push_bind(finding.message.as_str())
                    .push_bind(finding.remediation.as_str())
                    .push_bind(finding.severity.as_str())
                    .push_bind(severity_rank(finding.severity))
                    .push_bind(finding.category.as_str())
                    .push_bind(finding.rule.as_deref())
                    .push_bind(finding.rule_name.as_deref())
                    .push_bind(finding.help_url.as_deref())
                    .push_bind(finding.path.as_deref())
                    .push_bind(finding.start_line)
                    .push_bind(finding.end_line)
                    .push_bind(finding.snippet.as_deref())
                    .push_bind(finding.cve.as_str())
                    .push_bind(finding.cwe.as_str())
                    .push_bind(finding.aliases.as_str())
                    .push_bind(finding.component.as_deref())
                    .push_bind(finding.component_version.as_deref())
                    .push_bind(finding.fixed_version.as_deref())
                    .push_bind(finding.fingerprint.as_deref())
                    .push_bind(finding.pointer.as_str())
                    .push_bind(finding.details.as_deref())
                    .push_bind(finding.scanner_digest.as_str())
                    .push("'open', ''")
                    .push_bind($at)
                    .push_bind($at)
                    .push_bind($scan)
                    .push_bind($scan)
                    .push("1");
                number += 1;
            });
            query.build().execute(&mut *$conn).await?;
        }
    }};
}

macro_rules! insert_observations {
    ($database:ty, $conn:expr, $scan:expr, $rows:expr) => {{
        for chunk in $rows.chunks(ROWS_PER_STATEMENT) {
            let mut query = QueryBuilder::<$database>::new(
                "insert into observation (scan_id, finding_id, outcome, why, was_path, was_start_line, was_end_line, path, \
                 start_line, end_line) ",
            );
            query.push_values(chunk, |mut row, seen| {
                row.push_bind($scan)
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

/// 0 for critical to 4 for info: what findings are sorted by.
pub(crate) fn severity_rank(severity: Severity) -> i64 {
    match severity {
        Severity::Critical => 0,
        Severity::High => 1,
        Severity::Medium => 2,
        Severity::Low => 3,
        Severity::Info => 4,
    }
}

fn json_ids<'a>(ids: impl Iterator<Item = &'a FindingId>) -> String {
    let ids: Vec<_> = ids.map(FindingId::as_str).collect();
    serde_json::to_string(&ids).expect("ids are texts")
}

impl Tx {
    /// The series of this tool and label, made if it is new, and locked until the unit of work ends, so that two imports
    /// into one series come one after the other.
    pub async fn series_for_import(
        &mut self,
        id: &SeriesId,
        service: &ServiceId,
        tool: &str,
        label: &str,
    ) -> Result<SeriesId, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            id: String,
        }
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
            "select id from series where service_id = $1 and tool = $2 and label = $3",
            "select id from series where service_id = $1 and tool = $2 and label = $3 for update",
        );
        let row = fetch_optional!(self, Row, sql, service.as_str(), tool, label)
            .ok_or_else(|| StorageError::Damaged("a series vanished".to_owned()))?;
        parsed(SeriesId::parse, &row.id, "series", "id")
    }

    /// The import of this very file, as a scan of this commit, into a series, unless it was undone. The same bytes for
    /// another commit are another scan: a scanner that finds nothing writes nothing new.
    pub async fn scan_of_file(
        &mut self,
        series: &SeriesId,
        file: &Digest,
        commit: Option<&str>,
    ) -> Result<Option<Scan>, StorageError> {
        const SQL: &str = scan_where!(
            "where scan.series_id = $1 and scan.file_sha256 = $2 and coalesce(scan.commit_id, '') = $3 \
             and scan.undone_at is null"
        );
        let commit = commit.unwrap_or_default();
        fetch_optional!(self, ScanRow, SQL, series.as_str(), file.as_str(), commit)
            .map(Scan::try_from)
            .transpose()
    }

    pub async fn scan(&mut self, id: &ScanId) -> Result<Option<Scan>, StorageError> {
        fetch_optional!(
            self,
            ScanRow,
            scan_where!("where scan.id = $1"),
            id.as_str()
        )
        .map(Scan::try_from)
        .transpose()
    }

    /// A service's scans, newest first, before a moment for paging.
    pub async fn scans_of(
        &mut self,
        service: &ServiceId,
        before: Option<&ScanId>,
        limit: i64,
    ) -> Result<Vec<Scan>, StorageError> {
        const SQL: &str = scan_where!(
            "where scan.service_id = $1 and (cast($2 as text) is null or scan.id < $2) order by scan.id desc limit $3"
        );
        fetch_all!(
            self,
            ScanRow,
            SQL,
            service.as_str(),
            before.map(ScanId::as_str),
            limit
        )
        .into_iter()
        .map(Scan::try_from)
        .collect()
    }

    /// The newest scan of each series of a service, where it is complete and has no findings.
    pub async fn clean_scans(&mut self, service: &ServiceId) -> Result<Vec<Scan>, StorageError> {
        const SQL: &str = scan_where!(
            "where scan.service_id = $1 and scan.undone_at is null and scan.complete \
             and scan.n_critical + scan.n_high + scan.n_medium + scan.n_low + scan.n_info = 0 \
             and not exists (select 1 from scan as later where later.series_id = scan.series_id \
             and later.sequence > scan.sequence and later.undone_at is null) order by scan.id limit 500"
        );
        fetch_all!(self, ScanRow, SQL, service.as_str())
            .into_iter()
            .map(Scan::try_from)
            .collect()
    }

    /// The next position in a series.
    pub async fn next_scan_sequence(&mut self, series: &SeriesId) -> Result<i64, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            n: i64,
        }
        const SQL: &str =
            "select coalesce(max(sequence), 0) + 1 as n from scan where series_id = $1";
        Ok(fetch_optional!(self, Row, SQL, series.as_str()).map_or(1, |row| row.n))
    }

    pub async fn insert_scan(&mut self, scan: &Scan) -> Result<(), StorageError> {
        let touched = execute!(
            self,
            "insert into scan (id, service_id, series_id, sequence, file_sha256, file_name, format, tool, tool_version, \
             commit_id, complete, incomplete_reason, n_critical, n_high, n_medium, n_low, n_info, n_new, n_unchanged, \
             n_moved, n_reopened, n_fixed, problems, imported_at, imported_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, \
             $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25) on conflict do nothing",
            scan.id.as_str(),
            scan.service.as_str(),
            scan.series.as_str(),
            scan.sequence,
            scan.file_sha256.as_str(),
            &scan.file_name,
            &scan.format,
            &scan.tool,
            &scan.tool_version,
            &scan.commit,
            scan.incomplete_because.is_none(),
            &scan.incomplete_because,
            scan.counts.critical,
            scan.counts.high,
            scan.counts.medium,
            scan.counts.low,
            scan.counts.info,
            scan.changes.new,
            scan.changes.unchanged,
            scan.changes.moved,
            scan.changes.reopened,
            scan.changes.fixed,
            &scan.problems,
            scan.imported_at,
            scan.imported_by.as_str(),
        );
        if touched == 0 {
            Err(StorageError::Conflict)
        } else {
            Ok(())
        }
    }

    /// Every finding of a series as comparing needs it.
    pub async fn known_findings(
        &mut self,
        series: &SeriesId,
    ) -> Result<Vec<KnownFinding>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            id: String,
            number: i64,
            identity: String,
            identity_context: String,
            identity_basis: String,
            ordinal: i64,
            path: Option<String>,
            start_line: Option<i64>,
            end_line: Option<i64>,
            status: String,
            scanner_digest: Option<String>,
        }
        const SQL: &str = "select id, number, identity, identity_context, identity_basis, ordinal, path, start_line, \
            end_line, status, scanner_digest from finding where series_id = $1 order by number";
        fetch_all!(self, Row, SQL, series.as_str())
            .into_iter()
            .map(|row| {
                Ok(KnownFinding {
                    id: parsed(FindingId::parse, &row.id, "finding", "id")?,
                    number: row.number,
                    identity: parsed(Digest::parse, &row.identity, "finding", "identity")?,
                    context: parsed(
                        Digest::parse,
                        &row.identity_context,
                        "finding",
                        "identity_context",
                    )?,
                    basis: row.identity_basis,
                    ordinal: row.ordinal,
                    path: row.path,
                    start_line: row.start_line,
                    end_line: row.end_line,
                    status: parsed(FindingStatus::parse, &row.status, "finding", "status")?,
                    scanner_digest: row.scanner_digest,
                })
            })
            .collect()
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

    /// Stores findings that the series did not have, numbered from `first_number` in their order.
    pub async fn insert_scanner_findings(
        &mut self,
        service: &ServiceId,
        series: &SeriesId,
        scan: &ScanId,
        at: Millis,
        first_number: i64,
        findings: &[ScannerFinding],
    ) -> Result<(), StorageError> {
        let (service, series, scan) = (service.as_str(), series.as_str(), scan.as_str());
        match self {
            Self::Sqlite(tx) => {
                insert_findings!(
                    Sqlite,
                    &mut **tx,
                    service,
                    series,
                    scan,
                    at,
                    first_number,
                    findings
                );
            }
            Self::Postgres(tx) => {
                insert_findings!(
                    Postgres,
                    &mut **tx,
                    service,
                    series,
                    scan,
                    at,
                    first_number,
                    findings
                );
            }
        }
        Ok(())
    }

    /// Notes what a scan changed about findings.
    pub async fn insert_observations(
        &mut self,
        scan: &ScanId,
        seen: &[Observation],
    ) -> Result<(), StorageError> {
        let scan = scan.as_str();
        match self {
            Self::Sqlite(tx) => insert_observations!(Sqlite, &mut **tx, scan, seen),
            Self::Postgres(tx) => insert_observations!(Postgres, &mut **tx, scan, seen),
        }
        Ok(())
    }

    /// Brings findings that a scan has again, and of which it says something new, up to what it says: place, wording,
    /// severity, identity. What people decided stays.
    pub async fn refresh_findings(
        &mut self,
        findings: &[ScannerFinding],
    ) -> Result<(), StorageError> {
        const SQL: &str = "update finding set identity = $2, identity_context = $3, identity_basis = $4, ordinal = $5, \
            title = $6, description = $7, message = $8, remediation = $9, severity = $10, severity_rank = $11, \
            category = $12, rule = $13, rule_name = $14, help_url = $15, path = $16, start_line = $17, end_line = $18, \
            snippet = $19, cve = $20, cwe = $21, aliases = $22, component = $23, component_version = $24, \
            fixed_version = $25, fingerprint = $26, pointer = $27, details = $28, scanner_digest = $29, \
            version = version + 1 where id = $1";
        for finding in findings {
            on_conn!(self, conn => {
                sqlx::query(SQL)
                    .bind(finding.id.as_str())
                    .bind(finding.identity.as_str())
                    .bind(finding.context.as_str())
                    .bind(finding.basis)
                    .bind(finding.ordinal)
                    .bind(&finding.title)
                    .bind(&finding.description)
                    .bind(&finding.message)
                    .bind(&finding.remediation)
                    .bind(finding.severity.as_str())
                    .bind(severity_rank(finding.severity))
                    .bind(&finding.category)
                    .bind(&finding.rule)
                    .bind(&finding.rule_name)
                    .bind(&finding.help_url)
                    .bind(&finding.path)
                    .bind(finding.start_line)
                    .bind(finding.end_line)
                    .bind(&finding.snippet)
                    .bind(&finding.cve)
                    .bind(&finding.cwe)
                    .bind(&finding.aliases)
                    .bind(&finding.component)
                    .bind(&finding.component_version)
                    .bind(&finding.fixed_version)
                    .bind(&finding.fingerprint)
                    .bind(&finding.pointer)
                    .bind(&finding.details)
                    .bind(&finding.scanner_digest)
                    .execute(conn)
                    .await?;
            });
        }
        Ok(())
    }

    /// Findings that a complete scan no longer has.
    pub async fn fix_findings<'a>(
        &mut self,
        ids: impl Iterator<Item = &'a FindingId>,
        at: Millis,
    ) -> Result<(), StorageError> {
        let sql = self.dialect(
            "update finding set status = 'fixed', status_by = null, status_at = $2, fixed_at = $2, \
             version = version + 1 where id in (select value from json_each($1)) and status = 'open'",
            "update finding set status = 'fixed', status_by = null, status_at = $2, fixed_at = $2, \
             version = version + 1 where id in (select jsonb_array_elements_text(cast($1 as jsonb))) and status = 'open'",
        );
        execute!(self, sql, json_ids(ids), at);
        Ok(())
    }

    /// Findings that had been fixed and are back.
    pub async fn reopen_findings<'a>(
        &mut self,
        ids: impl Iterator<Item = &'a FindingId>,
        at: Millis,
    ) -> Result<(), StorageError> {
        let sql = self.dialect(
            "update finding set status = 'open', status_by = null, status_reason = '', status_at = $2, reopened_at = $2, \
             fixed_at = null, version = version + 1 where id in (select value from json_each($1)) and status = 'fixed'",
            "update finding set status = 'open', status_by = null, status_reason = '', status_at = $2, reopened_at = $2, \
             fixed_at = null, version = version + 1 \
             where id in (select jsonb_array_elements_text(cast($1 as jsonb))) and status = 'fixed'",
        );
        execute!(self, sql, json_ids(ids), at);
        Ok(())
    }

    /// Notes that a scan has seen every finding of its series but those that are fixed or named.
    pub async fn findings_seen<'a>(
        &mut self,
        series: &SeriesId,
        scan: &ScanId,
        at: Millis,
        but: impl Iterator<Item = &'a FindingId>,
    ) -> Result<(), StorageError> {
        let sql = self.dialect(
            "update finding set last_seen_at = $2, last_scan_id = $3 where series_id = $1 and status <> 'fixed' \
             and id not in (select value from json_each($4))",
            "update finding set last_seen_at = $2, last_scan_id = $3 where series_id = $1 and status <> 'fixed' \
             and id not in (select jsonb_array_elements_text(cast($4 as jsonb)))",
        );
        execute!(self, sql, series.as_str(), at, scan.as_str(), json_ids(but));
        Ok(())
    }

    /// What scans changed about a finding, newest first.
    pub async fn observations_of(
        &mut self,
        finding: &FindingId,
    ) -> Result<Vec<ObservationView>, StorageError> {
        const SQL: &str = "select observation.scan_id, scan.tool, series.label, scan.commit_id, scan.imported_at, \
            observation.outcome, observation.why, observation.was_path, observation.was_start_line, observation.path, \
            observation.start_line from observation join scan on scan.id = observation.scan_id \
            join series on series.id = scan.series_id where observation.finding_id = $1 \
            order by scan.imported_at desc, scan.id desc limit 500";
        Ok(fetch_all!(self, ObservationView, SQL, finding.as_str()))
    }

    /// What a scan changed, worst first; unchanged findings are not among it.
    pub async fn changes_of_scan(
        &mut self,
        scan: &ScanId,
        limit: i64,
    ) -> Result<Vec<ScanChange>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            change: String,
            id: String,
            number: i64,
            title: String,
            severity: String,
            path: Option<String>,
            line: Option<i64>,
            was_line: Option<i64>,
            why: String,
        }
        // A finding that was simply new has no observation: the scan it was first in says it.
        const SQL: &str = "select change, id, number, title, severity, path, line, was_line, why from ( \
            select observation.outcome as change, finding.id, finding.number, finding.title, finding.severity, \
            finding.severity_rank, coalesce(observation.path, observation.was_path) as path, \
            coalesce(observation.start_line, observation.was_start_line) as line, \
            observation.was_start_line as was_line, observation.why from observation \
            join finding on finding.id = observation.finding_id where observation.scan_id = $1 \
            union all select 'new', finding.id, finding.number, finding.title, finding.severity, finding.severity_rank, \
            finding.path, finding.start_line, cast(null as bigint), '' from finding \
            where finding.series_id = (select series_id from scan where id = $1) and finding.first_scan_id = $1 \
            and not exists (select 1 from observation where observation.scan_id = $1 \
            and observation.finding_id = finding.id)) as changed \
            order by case change when 'new' then 0 when 'reopened' then 1 when 'fixed' then 2 \
            when 'no_longer_seen' then 3 else 4 end, severity_rank, number limit $2";
        fetch_all!(self, Row, SQL, scan.as_str(), limit)
            .into_iter()
            .map(|row| {
                Ok(ScanChange {
                    change: row.change,
                    finding: Some(row.id),
                    number: Some(row.number),
                    title: row.title,
                    severity: parsed(Severity::parse, &row.severity, "finding", "severity")?,
                    path: row.path,
                    line: row.line,
                    was_line: row.was_line,
                    why: row.why,
                })
            })
            .collect()
    }

    /// Number, title and severity of findings, by id.
    pub async fn titles_of_findings(
        &mut self,
        ids: &[&str],
    ) -> Result<std::collections::HashMap<String, (i64, String, Severity)>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            id: String,
            number: i64,
            title: String,
            severity: String,
        }
        let sql = self.dialect(
            "select id, number, title, severity from finding where id in (select value from json_each($1))",
            "select id, number, title, severity from finding \
             where id in (select jsonb_array_elements_text(cast($1 as jsonb)))",
        );
        let ids = serde_json::to_string(ids).expect("ids are texts");
        fetch_all!(self, Row, sql, ids)
            .into_iter()
            .map(|row| {
                let severity = parsed(Severity::parse, &row.severity, "finding", "severity")?;
                Ok((row.id, (row.number, row.title, severity)))
            })
            .collect()
    }
}
