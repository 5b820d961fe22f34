//! Scans: reading a scanner's file, comparing it with the last of its series, storing what changed.
//!
//! All or nothing: an import is one unit of work. Reading and comparing happen off the async threads. The same file again
//! for the same commit changes nothing, also when two imports of it run at once: the series is locked, and file and commit
//! are unique in it.

use std::path::PathBuf;

use holdpoint_domain::{
    Digest, FindingId, FindingStatus, Millis, ReviewId, ScanId, SeriesId, ServiceId,
    person::Action,
    text::{Commit, Name},
};
use holdpoint_importers::{
    Completeness, Finding as ScannerSays, ImportError, Report, Summary,
    compare::{Change, Comparison, Identified, Known, compare},
    identity::{Identity, IdentityBasis, identify},
};
use holdpoint_storage::{
    ChangeNumbers, KnownFinding, NewActivity, Observation, Scan, ScanChange, ScannerFinding,
    SeverityCounts, StorageError, StoredFile, Tx,
};
use serde::Serialize;

use crate::{Actor, Conflict, ServiceError, Services, mapping::ReviewMapping};

/// How many of an import's changes are listed one by one.
pub const MAX_LISTED: usize = 200;

/// Every format that is read: its name as in [`ScanRequest::format`], and what people call it.
pub fn formats() -> Vec<(&'static str, &'static str)> {
    holdpoint_importers::IMPORTERS
        .iter()
        .map(|importer| (importer.name(), importer.title()))
        .collect()
}

/// A scanner file to be imported. The store has received it already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanRequest {
    pub file: StoredFile,
    pub file_name: String,
    /// The label of the series; the tool's name when nobody gives one.
    pub label: Option<Name>,
    pub commit: Option<Commit>,
    /// An importer's name, when a person corrects the detection.
    pub format: Option<String>,
}

/// What an import did, or would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImportOutcome {
    /// Absent for a preview, unless the file was in already.
    pub scan: Option<ScanId>,
    /// Whether this very file was in already for this commit, so that nothing changed.
    pub repeated: bool,
    pub format: String,
    pub tool: String,
    pub tool_version: Option<String>,
    pub series: String,
    pub commit: Option<String>,
    pub complete: bool,
    pub incomplete_because: Option<String>,
    pub changes: ChangeNumbers,
    pub counts: Counts,
    /// What was odd in the file.
    pub problems: Vec<holdpoint_importers::Problem>,
    /// The new findings by severity.
    pub new: Counts,
    /// For a preview: what would change, the worst first, at most [`MAX_LISTED`] of each kind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub listed: Vec<ScanChange>,
    /// The new findings by the items they are mapped to, in every review that the import maps into.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mapping: Vec<ReviewMapping>,
    /// What the comparison rests on. Another value later means that the preview's ground has moved.
    pub ground: Digest,
}

/// What becomes of a comparison.
#[derive(Clone, Copy, Debug)]
enum Mode<'a> {
    Preview,
    Commit,
    /// Only if the ground is the one that the preview saw.
    CommitOver(&'a Digest),
}

/// Findings by severity, as the API says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub critical: i64,
    pub high: i64,
    pub medium: i64,
    pub low: i64,
    pub info: i64,
}

impl From<SeverityCounts> for Counts {
    fn from(counts: SeverityCounts) -> Self {
        let SeverityCounts {
            critical,
            high,
            medium,
            low,
            info,
        } = counts;
        Self {
            critical,
            high,
            medium,
            low,
            info,
        }
    }
}

/// A file that has been read, before anything is compared.
struct ReadScan {
    summary: Summary,
    findings: Vec<ScannerSays>,
    identities: Vec<Identity>,
    counts: SeverityCounts,
}

/// Everything that an import writes.
struct Changes {
    new: Vec<ScannerFinding>,
    refreshed: Vec<ScannerFinding>,
    observations: Vec<Observation>,
    fixed: Vec<FindingId>,
    reopened: Vec<FindingId>,
    /// Known, not fixed, and not in this scan.
    unseen: Vec<FindingId>,
    numbers: ChangeNumbers,
}

fn refused(error: &ImportError) -> ServiceError {
    ServiceError::rejected("file", error.to_string())
}

fn read_scan(
    path: &PathBuf,
    file_name: &str,
    format: Option<&str>,
) -> Result<ReadScan, ServiceError> {
    let bytes = std::fs::read(path)
        .map_err(|error| ServiceError::unavailable(StorageError::from(error)))?;
    let Report { summary, findings } = holdpoint_importers::read(&bytes, Some(file_name), format)
        .map_err(|error| refused(&error))?;
    drop(bytes);
    let identities = identify(&findings, &summary.tool.name);
    let mut counts = SeverityCounts::default();
    for finding in findings
        .iter()
        .filter(|finding| finding.status.is_present())
    {
        counts.add(finding.severity, 1);
    }
    Ok(ReadScan {
        summary,
        findings,
        identities,
        counts,
    })
}

/// Everything that the scanner says of a finding, for telling whether it says something new.
fn scanner_digest(finding: &ScannerSays) -> String {
    let bytes = serde_json::to_vec(finding).unwrap_or_default();
    Digest::of(&bytes).into()
}

#[derive(Serialize)]
struct Details<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    other_places: &'a [holdpoint_importers::Place],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    related: &'a [holdpoint_importers::Place],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    code_flows: &'a [holdpoint_importers::CodeFlow],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    fixes: &'a [holdpoint_importers::Fix],
}

fn scanner_finding(
    id: FindingId,
    finding: &ScannerSays,
    identity: &Identity,
    digest: String,
) -> ScannerFinding {
    let details = Details {
        other_places: &finding.other_places,
        related: &finding.related,
        code_flows: &finding.code_flows,
        fixes: &finding.fixes,
    };
    let has_details = !(details.other_places.is_empty()
        && details.related.is_empty()
        && details.code_flows.is_empty()
        && details.fixes.is_empty());
    let text = |text: &Option<holdpoint_importers::Shared>| text.as_deref().map(str::to_owned);
    ScannerFinding {
        id,
        identity: identity.key.clone(),
        context: identity.context.clone(),
        basis: identity.basis.as_str(),
        ordinal: i64::from(identity.ordinal),
        title: finding.title.clone(),
        description: text(&finding.description).unwrap_or_default(),
        message: finding.message.clone().unwrap_or_default(),
        remediation: text(&finding.remediation).unwrap_or_default(),
        severity: finding.severity,
        category: finding
            .category
            .map_or("code", holdpoint_importers::Category::as_str)
            .to_owned(),
        rule: text(&finding.rule),
        rule_name: text(&finding.rule_name),
        help_url: text(&finding.help_url),
        path: finding.path.clone(),
        start_line: finding.start_line.map(i64::from),
        end_line: finding.end_line.map(i64::from),
        snippet: finding.snippet.clone(),
        cve: finding.cve.json(),
        cwe: finding.cwe.json(),
        aliases: finding.aliases.json(),
        component: finding.component.clone(),
        component_version: finding.component_version.clone(),
        fixed_version: finding.fixed_version.clone(),
        fingerprint: finding.fingerprint.clone(),
        pointer: finding.pointer.clone(),
        details: has_details.then(|| details.json()),
        scanner_digest: digest,
    }
}

/// JSON texts of values that always serialise.
mod erased {
    pub(super) trait Json {
        fn json(&self) -> String;
    }

    impl<T: serde::Serialize> Json for T {
        fn json(&self) -> String {
            serde_json::to_string(self).expect("lists of texts, numbers and places serialise")
        }
    }
}
use erased::Json as _;

fn known(finding: &KnownFinding) -> Result<Known, ServiceError> {
    let line = finding.start_line.and_then(|line| u32::try_from(line).ok());
    Ok(Known {
        id: finding.id.clone(),
        number: finding.number,
        key: finding.identity.clone(),
        context: finding.context.clone(),
        basis: IdentityBasis::parse(&finding.basis).ok_or_else(|| {
            StorageError::Damaged(format!("finding.identity_basis holds {:?}", finding.basis))
        })?,
        ordinal: u32::try_from(finding.ordinal).unwrap_or(u32::MAX),
        path: finding.path.clone(),
        line,
        status: finding.status,
    })
}

fn compare_with(
    read: &ReadScan,
    stored: &[KnownFinding],
    mut next_id: impl FnMut() -> FindingId,
) -> Result<Changes, ServiceError> {
    let previous = stored.iter().map(known).collect::<Result<Vec<_>, _>>()?;
    let seen: Vec<_> = read
        .findings
        .iter()
        .zip(&read.identities)
        .map(|(finding, identity)| Identified::new(identity.clone(), finding))
        .collect();
    let comparison: Comparison = compare(&previous, &seen, &read.summary.completeness);
    let counts = comparison.counts();
    let n = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let mut changes = Changes {
        new: Vec::new(),
        refreshed: Vec::new(),
        observations: Vec::new(),
        fixed: comparison
            .fixed
            .iter()
            .map(|gone| gone.id.clone())
            .collect(),
        reopened: Vec::new(),
        unseen: Vec::new(),
        numbers: ChangeNumbers {
            new: n(counts.new),
            unchanged: n(counts.unchanged),
            moved: n(counts.moved),
            reopened: n(counts.reopened),
            fixed: n(counts.fixed),
        },
    };
    let mut is_seen = vec![false; stored.len()];
    for ((finding, identity), entry) in read
        .findings
        .iter()
        .zip(&read.identities)
        .zip(&comparison.matches)
    {
        let observe = |id: &FindingId, outcome, before: Option<&KnownFinding>| Observation {
            finding: id.clone(),
            outcome,
            why: entry.why.clone(),
            was_path: before.and_then(|before| before.path.clone()),
            was_start_line: before.and_then(|before| before.start_line),
            was_end_line: before.and_then(|before| before.end_line),
            path: finding.path.clone(),
            start_line: finding.start_line.map(i64::from),
            end_line: finding.end_line.map(i64::from),
        };
        let digest = scanner_digest(finding);
        let Some(at) = entry.known else {
            if entry.change == Change::New {
                let id = next_id();
                // The first scan speaks for itself; a finding that could not be told from others says so.
                if entry.why != "not in the last scan of the series" {
                    changes.observations.push(observe(&id, "new", None));
                }
                changes
                    .new
                    .push(scanner_finding(id, finding, identity, digest));
            }
            continue;
        };
        let before = &stored[at];
        is_seen[at] = true;
        match &entry.change {
            Change::Moved { .. } => {
                changes
                    .observations
                    .push(observe(&before.id, "moved", Some(before)));
            }
            Change::Reopened { .. } => {
                changes.reopened.push(before.id.clone());
                changes
                    .observations
                    .push(observe(&before.id, "reopened", Some(before)));
            }
            _ => {}
        }
        let same_identity = before.identity == identity.key
            && before.basis == identity.basis.as_str()
            && before.ordinal == i64::from(identity.ordinal);
        if !same_identity || before.scanner_digest.as_deref() != Some(&digest) {
            changes.refreshed.push(scanner_finding(
                before.id.clone(),
                finding,
                identity,
                digest,
            ));
        }
    }
    let gone = comparison.fixed.iter().map(|gone| (gone, "fixed"));
    for (gone, outcome) in gone.chain(
        comparison
            .no_longer_seen
            .iter()
            .map(|gone| (gone, "no_longer_seen")),
    ) {
        let before = &stored[gone.known];
        changes.observations.push(Observation {
            finding: gone.id.clone(),
            outcome,
            why: gone.why.clone(),
            was_path: before.path.clone(),
            was_start_line: before.start_line,
            was_end_line: before.end_line,
            path: None,
            start_line: None,
            end_line: None,
        });
    }
    changes.unseen = stored
        .iter()
        .zip(&is_seen)
        .filter(|(finding, seen)| !**seen && finding.status != FindingStatus::Fixed)
        .map(|(finding, _)| finding.id.clone())
        .collect();
    Ok(changes)
}

/// What a comparison rests on: every finding of the series, as the comparison sees it.
fn ground(stored: &[KnownFinding]) -> Digest {
    let mut text = String::new();
    for finding in stored {
        for part in [
            finding.id.as_str(),
            finding.status.as_str(),
            finding.identity.as_str(),
            finding.scanner_digest.as_deref().unwrap_or_default(),
        ] {
            text.push_str(part);
            text.push(' ');
        }
    }
    Digest::of(text.as_bytes())
}

/// What would change, with the words that people know it by.
async fn listed(tx: &mut Tx, changes: &Changes) -> Result<Vec<ScanChange>, ServiceError> {
    let mut new: Vec<_> = changes.new.iter().collect();
    new.sort_by_key(|finding| finding.severity);
    let mut listed: Vec<_> = new
        .into_iter()
        .take(MAX_LISTED)
        .map(|finding| ScanChange {
            change: "new".to_owned(),
            finding: None,
            number: None,
            title: finding.title.clone(),
            severity: finding.severity,
            path: finding.path.clone(),
            line: finding.start_line,
            was_line: None,
            why: String::new(),
        })
        .collect();
    for kind in ["reopened", "fixed", "no_longer_seen", "moved"] {
        let of_kind: Vec<_> = changes
            .observations
            .iter()
            .filter(|observation| observation.outcome == kind)
            .take(MAX_LISTED)
            .collect();
        let ids: Vec<_> = of_kind
            .iter()
            .map(|observation| observation.finding.as_str())
            .collect();
        let known = tx.titles_of_findings(&ids).await?;
        let start = listed.len();
        for observation in of_kind {
            let Some((number, title, severity)) = known.get(observation.finding.as_str()) else {
                continue;
            };
            listed.push(ScanChange {
                change: kind.to_owned(),
                finding: Some(observation.finding.as_str().to_owned()),
                number: Some(*number),
                title: title.clone(),
                severity: *severity,
                path: observation
                    .path
                    .clone()
                    .or_else(|| observation.was_path.clone()),
                line: observation.start_line.or(observation.was_start_line),
                was_line: observation.was_start_line,
                why: observation.why.clone(),
            });
        }
        listed[start..].sort_by_key(|change| (change.severity, change.number));
    }
    Ok(listed)
}

async fn off_the_async_threads<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ServiceError> + Send + 'static,
) -> Result<T, ServiceError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(ServiceError::unavailable)?
}

impl Services {
    /// Reads a scanner's file through, wherever it is, and stores nothing: what cannot be read is refused before its bytes
    /// are kept.
    pub async fn check_scan_file(
        &self,
        path: &std::path::Path,
        file_name: &str,
        format: Option<&str>,
    ) -> Result<(), ServiceError> {
        let path = path.to_owned();
        let (name, format) = (file_name.to_owned(), format.map(str::to_owned));
        off_the_async_threads(move || read_scan(&path, &name, format.as_deref()).map(|_| ())).await
    }

    /// Imports a scanner's file into a series of a service; with `preview`, says what that would do and stores nothing.
    pub async fn import_scan(
        &self,
        actor: &Actor,
        service: &ServiceId,
        request: ScanRequest,
        preview: bool,
    ) -> Result<ImportOutcome, ServiceError> {
        let mode = if preview { Mode::Preview } else { Mode::Commit };
        self.import(actor, service, request, mode).await
    }

    /// Imports what a person has seen in a preview; refused when the series has changed since, so that what happens is
    /// what they saw.
    pub async fn import_previewed_scan(
        &self,
        actor: &Actor,
        service: &ServiceId,
        request: ScanRequest,
        ground: &Digest,
    ) -> Result<ImportOutcome, ServiceError> {
        self.import(actor, service, request, Mode::CommitOver(ground))
            .await
    }

    async fn import(
        &self,
        actor: &Actor,
        service: &ServiceId,
        request: ScanRequest,
        mode: Mode<'_>,
    ) -> Result<ImportOutcome, ServiceError> {
        let mut tx = self.database().read().await?;
        self.allow(&mut tx, actor, service, Action::ImportScans)
            .await?;
        drop(tx);
        let path = self.files().path(&request.file.sha256);
        let (name, format) = (request.file_name.clone(), request.format.clone());
        let read =
            off_the_async_threads(move || read_scan(&path, &name, format.as_deref())).await?;
        let now = self.now();
        let label = request.label.as_ref().map_or_else(
            || read.summary.tool.name.clone(),
            |label| label.as_str().to_owned(),
        );
        let commit = request
            .commit
            .as_ref()
            .map(|commit| commit.as_str().to_owned())
            .or_else(|| {
                read.summary
                    .commit
                    .as_deref()
                    .and_then(|commit| Commit::parse(commit).ok())
                    .map(|commit| commit.as_str().to_owned())
            });
        let mut outcome = ImportOutcome {
            scan: None,
            repeated: false,
            format: read.summary.format.to_owned(),
            tool: read.summary.tool.name.clone(),
            tool_version: read.summary.tool.version.clone(),
            series: label.clone(),
            commit: commit.clone(),
            complete: read.summary.completeness.is_complete(),
            incomplete_because: match &read.summary.completeness {
                Completeness::Complete => None,
                Completeness::Incomplete { reason } => Some(reason.clone()),
            },
            changes: ChangeNumbers::default(),
            counts: read.counts.into(),
            problems: read.summary.problems.clone(),
            new: Counts::default(),
            listed: Vec::new(),
            mapping: Vec::new(),
            ground: request.file.sha256.clone(),
        };

        let mut tx = self.database().write().await?;
        let series = self.new_id(SeriesId::parse, now);
        let series = tx
            .series_for_import(&series, service, &outcome.tool, &label)
            .await?;
        if let Some(earlier) = tx
            .scan_of_file(&series, &request.file.sha256, commit.as_deref())
            .await?
        {
            outcome.repeated = true;
            outcome.commit = earlier.commit;
            outcome.changes = ChangeNumbers {
                unchanged: earlier.counts.total(),
                ..ChangeNumbers::default()
            };
            outcome.scan = Some(earlier.id);
            return Ok(outcome);
        }
        let stored = tx.known_findings(&series).await?;
        outcome.ground = ground(&stored);
        if let Mode::CommitOver(seen) = mode
            && *seen != outcome.ground
        {
            return Err(ServiceError::Conflict(Box::new(Conflict {
                message: format!(
                    "The findings of {label} have changed since this preview was made, so it may not be what would \
                     happen now. Nothing was imported. Look at the preview again."
                ),
                current_version: 0,
                fields: Vec::new(),
            })));
        }
        let ids: Vec<_> = {
            let services = self.clone();
            let n = read.findings.len();
            (0..n)
                .map(|_| services.new_id(FindingId::parse, now))
                .collect()
        };
        let (read, changes) = off_the_async_threads(move || {
            let mut ids = ids.into_iter();
            let changes = compare_with(&read, &stored, || {
                ids.next().expect("there is an id for every finding")
            })?;
            Ok((read, changes))
        })
        .await?;
        outcome.changes = changes.numbers;
        let mut new = SeverityCounts::default();
        for finding in &changes.new {
            new.add(finding.severity, 1);
        }
        outcome.new = new.into();
        if matches!(mode, Mode::Preview) {
            outcome.listed = listed(&mut tx, &changes).await?;
            let clean = outcome.complete && read.counts.total() == 0;
            let clean = clean.then_some((outcome.tool.as_str(), commit.as_deref()));
            outcome.mapping = self
                .preview_mapping(&mut tx, service, &outcome.tool, &changes.new, clean, now)
                .await?;
            return Ok(outcome);
        }
        let id = self.new_id(ScanId::parse, now);
        let problems = serde_json::to_string(&read.summary.problems).expect("problems are texts");
        tx.keep_file(&request.file, now).await?;
        let sequence = tx.next_scan_sequence(&series).await?;
        let scan = Scan {
            id: id.clone(),
            service: service.clone(),
            series: series.clone(),
            label: label.clone(),
            sequence,
            file_sha256: request.file.sha256.clone(),
            file_name: request
                .file_name
                .chars()
                .filter(|c| !c.is_control())
                .take(200)
                .collect(),
            file_bytes: request.file.size_bytes,
            format: outcome.format.clone(),
            tool: outcome.tool.clone(),
            tool_version: outcome.tool_version.clone(),
            commit: commit.clone(),
            incomplete_because: outcome.incomplete_because.clone(),
            counts: read.counts,
            changes: changes.numbers,
            problems,
            imported_at: now,
            imported_by: actor.id.clone(),
            imported_by_name: actor.name.clone(),
            undone_at: None,
        };
        tx.insert_scan(&scan).await?;
        tx.fix_findings(changes.fixed.iter(), now).await?;
        tx.reopen_findings(changes.reopened.iter(), now).await?;
        tx.refresh_findings(&changes.refreshed).await?;
        tx.findings_seen(&series, &id, now, changes.unseen.iter())
            .await?;
        if !changes.new.is_empty() {
            let n = i64::try_from(changes.new.len()).unwrap_or(i64::MAX);
            let first = tx.take_finding_numbers(service, n).await?;
            tx.insert_scanner_findings(service, &series, &id, now, first, &changes.new)
                .await?;
        }
        tx.insert_observations(&id, &changes.observations).await?;
        if outcome.complete {
            self.verify_patches(&mut tx, service, &series, &id, now)
                .await?;
        }
        let is_changed = !(changes.new.is_empty()
            && changes.refreshed.is_empty()
            && changes.reopened.is_empty());
        let mapped = self
            .map_findings(&mut tx, actor, &scan, is_changed, now)
            .await?;
        let ChangeNumbers {
            new,
            unchanged,
            moved,
            reopened,
            fixed,
        } = changes.numbers;
        let state = if outcome.complete {
            ""
        } else {
            " (incomplete)"
        };
        tx.append_activity(NewActivity {
            at: now,
            actor: actor.id.as_str(),
            action: "scan.imported",
            subject_kind: "scan",
            subject: id.as_str(),
            service: Some(service.as_str()),
            review: None,
            summary: format!(
                "imported a scan of {label}{state}: {new} new, {} unchanged, {reopened} reopened, {fixed} fixed",
                unchanged + moved
            ),
            before: None,
            after: Some(
                serde_json::json!({ "file": request.file.sha256, "series": label, "commit": commit, "changes": changes.numbers })
                    .to_string(),
            ),
        })
        .await?;
        mapped.record(&mut tx, actor, &scan, now).await?;
        tx.commit().await?;
        outcome.mapping = mapped.reviews;
        outcome.scan = Some(id);
        Ok(outcome)
    }

    /// A service's scans, newest first.
    pub async fn scans_of(
        &self,
        actor: &Actor,
        service: &ServiceId,
        before: Option<&ScanId>,
        limit: i64,
    ) -> Result<Vec<Scan>, ServiceError> {
        let mut tx = self.database().read().await?;
        self.allow(&mut tx, actor, service, Action::Read).await?;
        Ok(tx.scans_of(service, before, limit.clamp(1, 200)).await?)
    }

    /// What a scan changed, at most `limit` of it.
    pub async fn changes_of_scan(
        &self,
        actor: &Actor,
        id: &ScanId,
        limit: i64,
    ) -> Result<Vec<ScanChange>, ServiceError> {
        self.scan(actor, id).await?;
        let mut tx = self.database().read().await?;
        Ok(tx.changes_of_scan(id, limit.clamp(1, 500)).await?)
    }

    pub async fn scan(&self, actor: &Actor, id: &ScanId) -> Result<Scan, ServiceError> {
        let not_found = || ServiceError::NotFound("This scan");
        let mut tx = self.database().read().await?;
        let scan = tx.scan(id).await?.ok_or_else(not_found)?;
        self.allow(&mut tx, actor, &scan.service, Action::Read)
            .await
            .map_err(|error| match error {
                ServiceError::NotFound(_) => not_found(),
                error => error,
            })?;
        Ok(scan)
    }

    /// A scan whose original file is about to be served, its bytes compared with their digest.
    pub async fn scan_file(&self, actor: &Actor, id: &ScanId) -> Result<Scan, ServiceError> {
        let scan = self.scan(actor, id).await?;
        if self.files().verify(&scan.file_sha256).await? {
            Ok(scan)
        } else {
            Err(StorageError::Damaged(format!(
                "the file with SHA-256 {} is missing",
                scan.file_sha256
            ))
            .into())
        }
    }

    /// A review's service, for those who may read it.
    pub(crate) async fn service_of_review(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        review: &ReviewId,
        action: Action,
    ) -> Result<ServiceId, ServiceError> {
        let not_found = || ServiceError::NotFound("This review");
        let review = tx.review(review).await?.ok_or_else(not_found)?;
        self.allow(tx, actor, &review.service, action)
            .await
            .map_err(|error| match error {
                ServiceError::NotFound(_) => not_found(),
                error => error,
            })?;
        Ok(review.service)
    }

    pub(crate) fn new_id<T>(&self, parse: fn(&str) -> Option<T>, now: Millis) -> T {
        parse(&self.ids().uuid(now)).expect("a UUID is a well-formed id")
    }
}
