//! Scans, the series they are compared in, and what each changed.

use crate::{
    Found, StorageError, Tx, columns::parsed, execute, fetch_all, fetch_optional, tx::one,
};
use holdpoint_domain::{
    Digest, FindingId, Millis, PersonId, ScanId, SeriesId, ServiceId, Severity,
};

/// One imported scanner result file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    pub id: ScanId,
    pub service: ServiceId,
    pub series: SeriesId,
    /// The series' label; [`holdpoint_domain::policy::default_label`] if nobody gave another.
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
    /// What was looked at, where the file says it.
    pub target: Option<String>,
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
    pub unrated: i64,
    pub medium: i64,
    pub low: i64,
    pub info: i64,
}

impl SeverityCounts {
    pub fn total(&self) -> i64 {
        self.critical + self.high + self.unrated + self.medium + self.low + self.info
    }

    /// Of the severities that are told by themselves where there is room for the worst only.
    pub fn serious(&self) -> i64 {
        let severities = Severity::ALL.iter();
        severities
            .filter(|severity| severity.is_serious())
            .map(|severity| self.of(*severity))
            .sum()
    }

    pub fn of(&self, severity: Severity) -> i64 {
        match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Unrated => self.unrated,
            Severity::Medium => self.medium,
            Severity::Low => self.low,
            Severity::Info => self.info,
        }
    }

    pub fn add(&mut self, severity: Severity, n: i64) {
        *match severity {
            Severity::Critical => &mut self.critical,
            Severity::High => &mut self.high,
            Severity::Unrated => &mut self.unrated,
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
    /// `new`, `moved`, `reopened`, `fixed` or `no_longer_seen`; of a preview also `unchanged`.
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
    target: Option<String>,
    incomplete_reason: Option<String>,
    n_critical: i64,
    n_high: i64,
    n_unrated: i64,
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
            target: row.target,
            incomplete_because: row.incomplete_reason,
            counts: SeverityCounts {
                critical: row.n_critical,
                high: row.n_high,
                unrated: row.n_unrated,
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
             scan.target, scan.incomplete_reason, scan.n_critical, scan.n_high, scan.n_unrated, scan.n_medium, scan.n_low, scan.n_info, scan.n_new, \
             scan.n_unchanged, scan.n_moved, scan.n_reopened, scan.n_fixed, scan.problems, scan.imported_at, \
             scan.imported_by, person.name as imported_by_name, scan.undone_at from scan \
             join series on series.id = scan.series_id join file on file.sha256 = scan.file_sha256 \
             join person on person.id = scan.imported_by ",
            $rest
        )
    };
}

impl Tx {
    /// The newest scans of a service's series that are of this very file. Scans of it that others came after are not
    /// among them: the same bytes again are then another scan.
    pub async fn newest_scans_of_file(
        &mut self,
        service: &ServiceId,
        file: &Digest,
    ) -> Result<Vec<Scan>, StorageError> {
        const SQL: &str = scan_where!(
            "where scan.service_id = $1 and scan.file_sha256 = $2 and series.last_scan_id = scan.id \
             order by scan.id desc limit 50"
        );
        fetch_all!(self, ScanRow, SQL, service.as_str(), file.as_str())
            .into_iter()
            .map(Scan::try_from)
            .collect()
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
             and scan.n_critical + scan.n_high + scan.n_unrated + scan.n_medium + scan.n_low + scan.n_info = 0 \
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
             commit_id, target, complete, incomplete_reason, n_critical, n_high, n_unrated, n_medium, n_low, n_info, n_new, n_unchanged, \
             n_moved, n_reopened, n_fixed, problems, imported_at, imported_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, \
             $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27) on conflict do nothing",
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
            &scan.target,
            scan.incomplete_because.is_none(),
            &scan.incomplete_because,
            scan.counts.critical,
            scan.counts.high,
            scan.counts.unrated,
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
        one(touched)
    }

    /// What scans changed about a finding: the newest 500 first, and how many there are.
    pub async fn observations_of(
        &mut self,
        finding: &FindingId,
    ) -> Result<Found<ObservationView>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            n: i64,
        }
        const COUNT: &str = "select count(*) as n from observation where finding_id = $1";
        const SQL: &str = "select observation.scan_id, scan.tool, series.label, scan.commit_id, scan.imported_at, \
            observation.outcome, observation.why, observation.was_path, observation.was_start_line, observation.path, \
            observation.start_line from observation join scan on scan.id = observation.scan_id \
            join series on series.id = scan.series_id where observation.finding_id = $1 \
            order by scan.imported_at desc, scan.id desc limit 500";
        let counted = fetch_optional!(self, Row, COUNT, finding.as_str());
        Ok(Found {
            entries: fetch_all!(self, ObservationView, SQL, finding.as_str()),
            n_matching: counted.map_or(0, |row| row.n),
        })
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
