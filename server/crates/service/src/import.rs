//! Importing a scanner's file: read it, compare it with what its series knows, store what changed.
//!
//! All or nothing: an import is one unit of work, and what was not committed was never there. Reading and comparing happen
//! off the async threads, reading outside of the unit of work. The newest scan of a series again, the same bytes for the
//! same commit, changes nothing, also when two imports of it run at once: the series is locked, and looked at then. Bytes
//! that others came after are a scan like any other, since findings may have been fixed and be back. Memory grows by some
//! hundred bytes for each finding, not with the file.

use std::{collections::HashMap, num::NonZeroU32, ops::Range};

use holdpoint_domain::{
    Digest, FindingId, FindingStatus, Millis, ScanId, SeriesId, ServiceId,
    person::Action,
    policy::{default_label, is_default_label},
    text::{Commit, Name, ScanCommit, shown_line},
};
use holdpoint_importers::{
    Completeness, InputLimits, PathName, PathNames, Problem, Relocation,
    compare::{Change, Comparison, Known, compare},
    identity::{Identity, IdentityBasis, Key, version_mark},
};
use holdpoint_storage::{
    ChangeNumbers, FindingToMap, NewActivity, Scan, ScanChange, SeverityCounts, StorageError, Tx,
    finding_rows::{
        Backend, FindingRow, FindingsWrite, NewFindingsOf, ROWS_PER_STATEMENT, StoredIdentity,
    },
    imports::{KnownFinding, LockedSeries, Observation},
};
use sha2::{Digest as _, Sha256};

use crate::{
    Actor, Conflict, ServiceError, Services, Upload, UploadBy,
    acceptance::{bind_decisions, note_contents, open_outgrown},
    mapping::WhatChanged,
    mapping_ahead::digest_of,
    reading::{ReadScan, Reading, Said, Spool, identities_before, read_scan},
    scans::{Counts, ImportOutcome, MAX_LISTED, ScanRequest},
    watch::{ImportStage, ImportWatch},
};

/// What becomes of a comparison.
#[derive(Clone, Copy, Debug)]
enum Mode<'a> {
    Preview,
    Commit,
    /// Only if the file seems to be of what its series is of, or the series was named: nobody has looked at a preview.
    CommitIfExpected,
    /// Only if the ground is the one that the preview saw.
    CommitOver(&'a Digest),
}

/// What a series knows, in the order of its findings' numbers.
#[derive(Default)]
struct Series {
    known: Vec<Known>,
    /// One for each known finding.
    stored: Vec<Stored>,
    ground: Sha256,
}

/// What storing needs of a known finding beside what comparing needs.
struct Stored {
    id: u128,
    digest: Option<Key>,
    end_line: Option<NonZeroU32>,
    is_unseen: bool,
}

impl Stored {
    fn id(&self) -> FindingId {
        finding_id(self.id)
    }
}

fn finding_id(id: u128) -> FindingId {
    let text = uuid::Uuid::from_u128(id).hyphenated().to_string();
    FindingId::parse(&text).expect("a UUID is a well-formed id")
}

/// Everything that an import writes, by places in the scan and in the series.
#[derive(Default)]
pub(crate) struct Changes {
    /// In the order of their numbers: see [`sort_as_numbered`].
    pub(crate) new: Vec<usize>,
    /// New ones that say why they were not merged with a known one.
    ambiguous: Vec<usize>,
    /// Of the scan and of the series.
    refreshed: Vec<(usize, usize)>,
    reidentified: Vec<(usize, usize)>,
    moved: Vec<(usize, usize)>,
    reopened: Vec<(usize, usize)>,
    fixed: Vec<usize>,
    no_longer_seen: Vec<usize>,
    /// Seen by the last scan and not by this one, and the other way round.
    unseen: Vec<usize>,
    seen_again: Vec<usize>,
    numbers: ChangeNumbers,
}

impl Changes {
    /// Every known finding whose row will be written, each once.
    fn touched(&self, series: &Series) -> Vec<FindingId> {
        let mut places: Vec<usize> = self
            .refreshed
            .iter()
            .chain(&self.reidentified)
            .chain(&self.reopened)
            .map(|(_, known)| *known)
            .chain(self.fixed.iter().copied())
            .chain(self.unseen.iter().copied())
            .chain(self.seen_again.iter().copied())
            .collect();
        places.sort_unstable();
        places.dedup();
        ids_of(series, places.into_iter())
    }
}

fn ids_of(series: &Series, places: impl Iterator<Item = usize>) -> Vec<FindingId> {
    places.map(|at| series.stored[at].id()).collect()
}

pub(crate) async fn off_the_async_threads<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ServiceError> + Send + 'static,
) -> Result<T, ServiceError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(ServiceError::unavailable)?
}

impl Series {
    async fn load(
        tx: &mut Tx,
        series: &SeriesId,
        now: Millis,
        paths: &mut PathNames,
    ) -> Result<Self, ServiceError> {
        let mut loaded = Self::default();
        tx.known_findings(series, now, &mut |finding| loaded.add(finding, paths))
            .await?;
        Ok(loaded)
    }

    fn add(
        &mut self,
        finding: KnownFinding<'_>,
        paths: &mut PathNames,
    ) -> Result<(), StorageError> {
        let damaged =
            |what: &str| StorageError::Damaged(format!("finding {} has no {what}", finding.number));
        let line = |line: Option<i64>| {
            (line.and_then(|line| u32::try_from(line).ok())).and_then(NonZeroU32::new)
        };
        let id = uuid::Uuid::parse_str(finding.id)
            .map_err(|_| damaged("id"))?
            .as_u128();
        let key = Key::parse(finding.identity).ok_or_else(|| damaged("identity"))?;
        let digest = Key::parse(finding.scanner_digest);
        // What the ground is made of: every finding, as the comparison sees it.
        self.ground.update(id.to_be_bytes());
        self.ground.update(key.as_bytes());
        self.ground
            .update(digest.as_ref().map_or(&[0; 16], Key::as_bytes));
        self.ground.update(finding.status.as_str());
        self.ground.update([u8::from(finding.is_unseen)]);
        self.known.push(Known {
            number: finding.number,
            key,
            context: Key::parse(finding.context).ok_or_else(|| damaged("context"))?,
            basis: IdentityBasis::parse(finding.basis).ok_or_else(|| damaged("basis"))?,
            ordinal: finding.ordinal,
            path: finding.path.map(|path| paths.name(path)),
            line: line(finding.start_line),
            version: if finding.version.is_empty() {
                0
            } else {
                version_mark(finding.version)
            },
            status: finding.status,
            is_gone: finding.is_gone,
        });
        self.stored.push(Stored {
            id,
            digest,
            end_line: line(finding.end_line),
            is_unseen: finding.is_unseen,
        });
        Ok(())
    }
}

fn changes_of(read: &ReadScan, series: &Series, comparison: &Comparison<'_>) -> Changes {
    let counts = comparison.counts();
    let n = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let mut changes = Changes {
        fixed: comparison.fixed.clone(),
        no_longer_seen: comparison.no_longer_seen.clone(),
        new: Vec::with_capacity(usize::try_from(counts.new).unwrap_or_default()),
        numbers: ChangeNumbers {
            new: n(counts.new),
            unchanged: n(counts.unchanged),
            moved: n(counts.moved),
            reopened: n(counts.reopened),
            fixed: n(counts.fixed),
        },
        ..Changes::default()
    };
    let mut is_seen = vec![false; series.known.len()];
    for (at, entry) in comparison.matches.iter().enumerate() {
        let Some(known_at) = entry.known() else {
            if entry.change == Change::New {
                changes.new.push(at);
                if comparison.is_ambiguous(at) {
                    changes.ambiguous.push(at);
                }
            }
            continue;
        };
        is_seen[known_at] = true;
        let (known, stored) = (&series.known[known_at], &series.stored[known_at]);
        match entry.change {
            Change::Moved => changes.moved.push((at, known_at)),
            Change::Reopened => changes.reopened.push((at, known_at)),
            _ => {}
        }
        let Identity {
            key,
            context,
            ordinal,
            basis,
        } = read.seen.findings[at].identity;
        if stored.digest != Some(read.said[at].digest) {
            changes.refreshed.push((at, known_at));
        } else if (key, context, ordinal, basis)
            != (known.key, known.context, known.ordinal, known.basis)
        {
            changes.reidentified.push((at, known_at));
        }
        if stored.is_unseen {
            changes.seen_again.push(known_at);
        }
    }
    changes.unseen = (0..series.known.len())
        .filter(|at| !is_seen[*at] && !series.stored[*at].is_unseen)
        .collect();
    sort_as_numbered(read, &mut changes.new);
    // Rows are written in the order in which they are stored.
    for list in [
        &mut changes.refreshed,
        &mut changes.reidentified,
        &mut changes.moved,
        &mut changes.reopened,
    ] {
        list.sort_unstable_by_key(|(_, known)| *known);
    }
    changes
}

/// New findings in the order of their numbers: the severe ones first, then by place. So they get the same numbers in
/// whatever order a scanner writes its results; and what lists show together is stored together.
fn sort_as_numbered(read: &ReadScan, new: &mut [usize]) {
    new.sort_unstable_by_key(|at| {
        let finding = &read.seen.findings[*at];
        let Identity { key, ordinal, .. } = finding.identity;
        let path = finding.path.map(|path| read.paths.path(path));
        (read.said[*at].severity, path, finding.line, key, ordinal)
    });
}

fn stored_identity(identity: &Identity) -> StoredIdentity {
    StoredIdentity {
        identity: identity.key.to_string(),
        context: (identity.context != identity.key).then(|| identity.context.to_string()),
        basis: identity.basis.as_str(),
        ordinal: identity.ordinal,
    }
}

/// A comparison with everything it was made of.
pub(crate) struct Compared {
    pub(crate) read: ReadScan,
    series: Series,
    pub(crate) changes: Changes,
    /// Why the known findings that moved, were reopened or are gone, and the new ones that were not merged, are so.
    observations: Vec<(ObservedOf, &'static str, String)>,
    /// For a preview: the worst of those that did not change, and why each is the same.
    unchanged: Vec<(ObservedOf, &'static str, String)>,
}

#[derive(Clone, Copy)]
enum ObservedOf {
    New { at: usize },
    Known { at: usize, known: usize },
    Gone { known: usize },
}

fn compared(
    read: ReadScan,
    series: Series,
    reading: &Reading,
    is_preview: bool,
) -> Result<Compared, ServiceError> {
    let live = series.known.iter();
    let live = live.filter(|known| known.status != FindingStatus::Fixed);
    let path = |name| read.paths.path(name);
    let moved = Relocation::between(
        live.filter_map(|known| known.path.map(path)),
        read.seen
            .findings
            .iter()
            .filter_map(|seen| seen.path.map(path)),
        read.names_absolute_paths,
    );
    let before = match moved {
        Some(moved) => identities_before(reading, &moved)?,
        None => Vec::new(),
    };
    let comparison = compare(
        &read.paths,
        &series.known,
        &read.seen,
        &before,
        &read.summary.completeness,
    );
    let changes = changes_of(&read, &series, &comparison);
    let mut observations = Vec::new();
    for at in &changes.ambiguous {
        observations.push((ObservedOf::New { at: *at }, "new", comparison.why(*at)));
    }
    for (kind, list) in [("reopened", &changes.reopened), ("moved", &changes.moved)] {
        for (at, known) in list {
            let of = ObservedOf::Known {
                at: *at,
                known: *known,
            };
            observations.push((of, kind, comparison.why(*at)));
        }
    }
    let gone = [
        ("fixed", &changes.fixed),
        ("no_longer_seen", &changes.no_longer_seen),
    ];
    for (kind, list) in gone {
        for known in list {
            let why = comparison.why_gone(*known);
            observations.push((ObservedOf::Gone { known: *known }, kind, why));
        }
    }
    let unchanged = if is_preview {
        worst_unchanged(&read, &comparison)
    } else {
        Vec::new()
    };
    drop(comparison);
    Ok(Compared {
        read,
        series,
        changes,
        observations,
        unchanged,
    })
}

fn worst_unchanged(
    read: &ReadScan,
    comparison: &Comparison<'_>,
) -> Vec<(ObservedOf, &'static str, String)> {
    let mut unchanged: Vec<_> = comparison
        .matches
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.change == Change::Unchanged)
        .filter_map(|(at, entry)| {
            entry
                .known()
                .map(|known| (read.said[at].severity, known, at))
        })
        .collect();
    unchanged.sort_unstable();
    unchanged.truncate(MAX_LISTED);
    unchanged
        .into_iter()
        .map(|(_, known, at)| {
            let of = ObservedOf::Known { at, known };
            (of, "unchanged", comparison.why(at))
        })
        .collect()
}

impl Compared {
    /// Whether findings are new, say something new, or are back: only then is there something to map.
    pub(crate) fn changes_findings(&self) -> bool {
        let changes = &self.changes;
        !(changes.new.is_empty() && changes.refreshed.is_empty() && changes.reopened.is_empty())
    }

    fn known_at(&self, number: i64) -> Option<usize> {
        let known = &self.series.known;
        known
            .binary_search_by_key(&number, |known| known.number)
            .ok()
    }

    /// Whether a finding of the series is one that is not fixed, once the scan is stored.
    pub(crate) fn will_be_open(&self, finding: &FindingToMap) -> bool {
        let changes = &self.changes;
        let Some(known) = self.known_at(finding.number) else {
            return !finding.is_fixed;
        };
        if finding.is_fixed {
            let reopened = &changes.reopened;
            reopened
                .binary_search_by_key(&known, |(_, known)| *known)
                .is_ok()
        } else {
            changes.fixed.binary_search(&known).is_err()
        }
    }

    /// The place in the scan of what it now says otherwise of a known finding.
    pub(crate) fn refreshed_as(&self, number: i64) -> Option<usize> {
        let known = self.known_at(number)?;
        let refreshed = &self.changes.refreshed;
        let place = refreshed.binary_search_by_key(&known, |(_, known)| *known);
        place.ok().map(|place| refreshed[place].0)
    }

    /// What is noted of a finding that changed; `new` has the ids of the new ones that something is noted of, by their places
    /// in the scan.
    fn observation(
        &self,
        of: ObservedOf,
        outcome: &'static str,
        why: &str,
        new: &HashMap<usize, u128>,
    ) -> Observation {
        let known_id = |known: usize| self.series.stored[known].id();
        let number = |line: NonZeroU32| i64::from(line.get());
        let path = |name: Option<PathName>| name.map(|name| self.read.paths.path(name).to_owned());
        let (finding, seen_at, known_at) = match of {
            ObservedOf::New { at } => {
                let id = new.get(&at).expect("a new finding was given an id");
                (finding_id(*id), Some(at), None)
            }
            ObservedOf::Known { at, known } => (known_id(known), Some(at), Some(known)),
            ObservedOf::Gone { known } => (known_id(known), None, Some(known)),
        };
        let known = known_at.map(|at| (&self.series.known[at], &self.series.stored[at]));
        let seen = seen_at.map(|at| (&self.read.seen.findings[at], &self.read.said[at]));
        Observation {
            finding,
            outcome,
            why: why.to_owned(),
            was_path: known.and_then(|(known, _)| path(known.path)),
            was_start_line: known.and_then(|(known, _)| known.line).map(number),
            was_end_line: known.and_then(|(_, stored)| stored.end_line).map(number),
            path: seen.and_then(|(seen, _)| path(seen.path)),
            start_line: seen.and_then(|(seen, _)| seen.line).map(number),
            end_line: seen.and_then(|(_, said)| said.end_line).map(number),
        }
    }
}

impl Services {
    /// Reads a scanner's file through, wherever it is, and stores nothing: what cannot be read is refused before its bytes
    /// are kept.
    pub async fn check_scan_file(
        &self,
        upload: &Upload,
        file_name: &str,
        format: Option<&str>,
    ) -> Result<(), ServiceError> {
        let watch = ImportWatch::default();
        let reading = self.reading(upload.path().to_owned(), file_name, format, &watch);
        let read = self.read_scan(reading).await;
        upload.count_unpacked(&watch)?;
        read.map(|_| ())
    }

    fn reading(
        &self,
        path: std::path::PathBuf,
        file_name: &str,
        format: Option<&str>,
        watch: &ImportWatch,
    ) -> Reading {
        let limits = self.limits();
        let bytes = |n: i64| u64::try_from(n).unwrap_or_default();
        Reading {
            path,
            file_name: file_name.to_owned(),
            format: format.map(str::to_owned),
            limits: InputLimits {
                unpacked_bytes: bytes(limits.unpacked_scan_bytes),
                ..InputLimits::default()
            },
            most_findings: limits.findings_per_scan,
            folder: self.files().incoming(),
            watch: watch.clone(),
        }
    }

    async fn read_scan(&self, reading: Reading) -> Result<ReadScan, ServiceError> {
        let _permit = self
            .inner
            .reading
            .acquire()
            .await
            .map_err(ServiceError::unavailable)?;
        off_the_async_threads(move || read_scan(&reading)).await
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
        self.import_in(actor, service, request, mode).await
    }

    /// Imports a scanner's file of which nobody has seen a preview, from a machine: refused where it seems to be of something else
    /// than the series that it would go into, unless that was named.
    pub async fn import_expected_scan(
        &self,
        actor: &Actor,
        service: &ServiceId,
        request: ScanRequest,
    ) -> Result<ImportOutcome, ServiceError> {
        let mode = Mode::CommitIfExpected;
        self.import_in(actor, service, request, mode).await
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
        let mode = Mode::CommitOver(ground);
        self.import_in(actor, service, request, mode).await
    }

    async fn import_in(
        &self,
        actor: &Actor,
        service: &ServiceId,
        request: ScanRequest,
        mode: Mode<'_>,
    ) -> Result<ImportOutcome, ServiceError> {
        self.retrying(|| self.import(actor, service, request.clone(), mode))
            .await
    }

    /// The answer for a file that is the newest scan of its series already, for this label and commit, without reading it
    /// again. A format named by a person may read it differently.
    async fn import_of_same_file(
        &self,
        tx: &mut Tx,
        service: &ServiceId,
        request: &ScanRequest,
    ) -> Result<Option<ImportOutcome>, ServiceError> {
        let scans = tx
            .newest_scans_of_file(service, &request.file.sha256)
            .await?;
        let is_same = |scan: &Scan| {
            let label = request.label.as_ref().map(Name::as_str);
            let commit = request.commit.as_ref().map(Commit::as_str);
            // Without a label it went where its own content says, which is the same.
            label.map_or_else(|| is_default_label(&scan.tool, &scan.label), |label| label == scan.label)
                && commit.is_none_or(|commit| scan.commit.as_deref() == Some(commit))
                // A commit that only the file names is read from it again.
                && (commit.is_some() || scan.commit.is_none())
                && request.format.as_ref().is_none_or(|format| *format == scan.format)
        };
        Ok(scans.into_iter().find(is_same).map(|scan| {
            ImportOutcome {
                scan: None,
                repeated: false,
                format: scan.format.clone(),
                tool: scan.tool.clone(),
                tool_version: scan.tool_version.clone(),
                series: scan.label.clone(),
                commit: scan.commit.clone(),
                target: scan.target.clone(),
                warnings: Vec::new(),
                complete: scan.incomplete_because.is_none(),
                incomplete_because: scan.incomplete_because.clone(),
                changes: ChangeNumbers::default(),
                counts: scan.counts.into(),
                problems: serde_json::from_str(&scan.problems).unwrap_or_default(),
                new: Counts::default(),
                listed: Vec::new(),
                mapping: Vec::new(),
                ground: request.file.sha256.clone(),
            }
            .repeated_of(scan)
        }))
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
        let repeated = self.import_of_same_file(&mut tx, service, &request).await?;
        drop(tx);
        if let Some(outcome) = repeated {
            return Ok(outcome);
        }
        let watch = request.watch.clone();
        let path = self.files().path(&request.file.sha256);
        let format = request.format.as_deref();
        let reading = self.reading(path, &request.file_name, format, &watch);
        let read = self.read_scan(reading.clone()).await;
        let by = UploadBy {
            actor,
            service: Some(service),
        };
        self.count_unpacked(by, request.file.size_bytes, &watch)?;
        let mut read = read?;
        let commit = commit_of(&mut read, &request)?;
        let now = self.now();
        let mut outcome = outcome_of(&read, &request, commit);

        let mut tx = match mode {
            Mode::Preview => self.database().read().await?,
            _ => {
                // On SQLite one writes at a time.
                watch.begin(ImportStage::Waiting, 0);
                let mut tx = self.database().write_repeatable().await?;
                // It takes numbers of the service later on, which locks the same.
                tx.lock_policies_of(service).await?;
                // Reading the file took its time: the role may be gone since.
                self.allow(&mut tx, actor, service, Action::ImportScans)
                    .await?;
                tx
            }
        };
        let locked = match mode {
            Mode::Preview => {
                tx.series_named(service, &outcome.tool, &outcome.series)
                    .await?
            }
            _ => {
                let id = self.new_id(SeriesId::parse, now);
                let locked = tx
                    .series_for_import(&id, service, &outcome.tool, &outcome.series)
                    .await?;
                Some(locked)
            }
        };
        let series = match &locked {
            Some(locked) => {
                let newest = match &locked.last_scan {
                    Some(newest) => tx.scan(newest).await?,
                    None => None,
                };
                if let Some(newest) = newest.filter(|newest| outcome.is_repeat_of(newest, &request))
                {
                    return Ok(outcome.repeated_of(newest));
                }
                watch.begin(ImportStage::Comparing, 0);
                Series::load(&mut tx, &locked.id, now, &mut read.paths).await?
            }
            None => Series::default(),
        };
        let is_preview = matches!(mode, Mode::Preview);
        let mut compared =
            off_the_async_threads(move || compared(read, series, &reading, is_preview)).await?;
        watch.check()?;
        let mut rules = None;
        if !matches!(mode, Mode::Commit | Mode::CommitIfExpected) {
            let mapper = self.mapper(&mut tx, service).await?;
            let series = locked.as_ref().map(|locked| &locked.id);
            outcome.mapping = self
                .mapping_ahead(&mut tx, &mapper, series, &mut compared, &outcome, now)
                .await?;
            let digest = mapper.digest();
            outcome.ground = ground_of(&outcome, &request, &compared.series, &digest);
            rules = Some(digest);
        }
        if let Mode::CommitOver(seen) = mode
            && *seen != outcome.ground
        {
            return Err(ground_has_moved(&outcome.series));
        }
        outcome.changes = compared.changes.numbers;
        let last = match locked.as_ref().and_then(|locked| locked.last_scan.as_ref()) {
            Some(last) => tx.scan(last).await?,
            None => None,
        };
        outcome.warnings = warnings_of(&outcome, last.as_ref(), &compared);
        if matches!(mode, Mode::CommitIfExpected)
            && request.label.is_none()
            && let Some(warning) = outcome.warnings.first()
        {
            return Err(not_expected(warning));
        }
        let mut new = SeverityCounts::default();
        for at in &compared.changes.new {
            new.add(compared.read.said[*at].severity, 1);
        }
        outcome.new = new.into();
        match (mode, locked) {
            (Mode::Preview, _) | (_, None) => {
                outcome.listed = listed(&mut tx, &mut compared).await?;
                Ok(outcome)
            }
            (_, Some(locked)) => {
                let import = Import {
                    services: self,
                    actor,
                    service,
                    request: &request,
                    locked: &locked,
                    rules,
                    now,
                };
                import.store(tx, compared, outcome).await
            }
        }
    }
}

/// What an import rests on: what is imported, what the series knows, and what the rules make of it.
fn ground_of(
    outcome: &ImportOutcome,
    request: &ScanRequest,
    series: &Series,
    rules: &Digest,
) -> Digest {
    let findings = Digest::finish(series.ground.clone());
    let mapping = digest_of(&outcome.mapping);
    Digest::of_canonical(&serde_json::json!({
        "file": request.file.sha256,
        "format": outcome.format,
        "tool": outcome.tool,
        "series": outcome.series,
        "commit": outcome.commit,
        "findings": findings,
        "rules": rules,
        "mapping": mapping,
    }))
}

/// What hints at a file of something else than the series is of.
fn warnings_of(outcome: &ImportOutcome, last: Option<&Scan>, compared: &Compared) -> Vec<String> {
    let mut warnings = Vec::new();
    let was = last.and_then(|last| last.target.as_deref());
    if let (Some(was), Some(is)) = (was, outcome.target.as_deref())
        && was != is
    {
        warnings.push(format!(
            "The file is of {is}, and the last scan of {} was of {was}.",
            outcome.series
        ));
    }
    let known = compared.series.known.iter();
    let is_there = |known: &&Known| known.status != FindingStatus::Fixed && !known.is_gone;
    let n_there = known.filter(is_there).count();
    let n_gone = compared.changes.fixed.len() + compared.changes.no_longer_seen.len();
    // That the last one of a few is gone is the daily work.
    if n_gone >= 2 && n_gone * 2 > n_there {
        warnings.push(format!(
            "{n_gone} of the {n_there} findings of {} are not in it any more.",
            outcome.series
        ));
    }
    warnings
}

fn not_expected(warning: &str) -> ServiceError {
    ServiceError::Conflict(Box::new(Conflict {
        message: format!(
            "{warning} Perhaps it is a scan of something else, so nothing was imported. Look at the preview; then send its \
             `ground`, or name the series that the scan belongs to."
        ),
        current_version: 0,
        fields: Vec::new(),
    }))
}

fn ground_has_moved(label: &str) -> ServiceError {
    ServiceError::Conflict(Box::new(Conflict {
        message: format!(
            "The findings of {label}, or the rules and reviews that they are mapped by, have changed since this preview \
             was made, or it was made of another file or commit. So it may not be what would happen now. Nothing was \
             imported. Look at the preview again."
        ),
        current_version: 0,
        fields: Vec::new(),
    }))
}

impl ImportOutcome {
    /// Whether the newest scan of the series is this very file, for the same commit and read in the same way.
    fn is_repeat_of(&self, newest: &Scan, request: &ScanRequest) -> bool {
        newest.file_sha256 == request.file.sha256
            && newest.commit == self.commit
            && newest.format == self.format
    }

    fn repeated_of(mut self, earlier: Scan) -> Self {
        self.repeated = true;
        self.commit = earlier.commit;
        self.changes = ChangeNumbers {
            unchanged: earlier.counts.total(),
            ..ChangeNumbers::default()
        };
        self.scan = Some(earlier.id);
        self
    }
}

/// The commit that a scan is of. A file that names another one than it is said to be of is refused; what cannot be compared
/// makes the scan incomplete.
fn commit_of(read: &mut ReadScan, request: &ScanRequest) -> Result<Option<Commit>, ServiceError> {
    let summary = &mut read.summary;
    match ScanCommit::of(request.commit.as_ref(), &summary.commits) {
        ScanCommit::Agreed(commit) => Ok(commit),
        ScanCommit::Unclear(commit, reason) => {
            summary.problems.push(Problem {
                where_: String::new(),
                message: format!("The scan is incomplete: {reason}."),
            });
            summary.completeness.note(reason);
            Ok(commit)
        }
        ScanCommit::Contradicted(named) => Err(ServiceError::rejected(
            "commit",
            format!(
                "The file says that it is of commit {}, and it was sent as a scan of {}. Nothing was imported. Leave the \
                 commit out, or send the file of that commit.",
                named.as_str(),
                request.commit.as_ref().map_or("", Commit::as_str),
            ),
        )),
    }
}

/// What is known of an import once its file has been read.
fn outcome_of(read: &ReadScan, request: &ScanRequest, commit: Option<Commit>) -> ImportOutcome {
    let summary = &read.summary;
    let label = request.label.as_ref().map_or_else(
        || default_label(&summary.tool.name, summary.target.as_deref()),
        |label| label.as_str().to_owned(),
    );
    ImportOutcome {
        scan: None,
        repeated: false,
        format: summary.format.to_owned(),
        tool: summary.tool.name.clone(),
        tool_version: summary.tool.version.clone(),
        series: label,
        commit: commit.map(|commit| commit.as_str().to_owned()),
        target: summary.target.as_deref().map(shown_line),
        warnings: Vec::new(),
        complete: summary.completeness.is_complete(),
        incomplete_because: match &summary.completeness {
            Completeness::Complete => None,
            Completeness::Incomplete { reason } => Some(reason.clone()),
        },
        changes: ChangeNumbers::default(),
        counts: read.counts.into(),
        problems: summary.problems.clone(),
        new: Counts::default(),
        listed: Vec::new(),
        mapping: Vec::new(),
        ground: request.file.sha256.clone(),
    }
}

/// What would change, with the words that people know it by.
async fn listed(tx: &mut Tx, compared: &mut Compared) -> Result<Vec<ScanChange>, ServiceError> {
    let new = compared.changes.new.iter().take(MAX_LISTED).copied();
    let new: Vec<_> = new.collect();
    let ReadScan { spool, said, .. } = &mut compared.read;
    let rows = spool.fetch(new.iter().map(|at| &said[*at]))?;
    let ambiguous: HashMap<usize, &str> = compared
        .observations
        .iter()
        .filter_map(|(of, _, why)| match of {
            ObservedOf::New { at } => Some((*at, why.as_str())),
            _ => None,
        })
        .collect();
    let why = |at: &usize| ambiguous.get(at).copied().unwrap_or_default().to_owned();
    let mut listed: Vec<_> = rows
        .said()?
        .into_iter()
        .zip(&new)
        .map(|(says, at)| ScanChange {
            change: "new".to_owned(),
            finding: None,
            number: None,
            title: says.title.into_owned(),
            severity: says.severity,
            path: says.path.map(std::borrow::Cow::into_owned),
            line: says.start_line,
            was_line: None,
            why: why(at),
        })
        .collect();
    for kind in ["reopened", "fixed", "no_longer_seen", "moved", "unchanged"] {
        let of_kind: Vec<_> = compared
            .observations
            .iter()
            .chain(&compared.unchanged)
            .filter(|(_, outcome, _)| *outcome == kind)
            .take(MAX_LISTED)
            .map(|(of, outcome, why)| compared.observation(*of, outcome, why, &HashMap::new()))
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
                path: observation.path.or(observation.was_path),
                line: observation.start_line.or(observation.was_start_line),
                was_line: observation.was_start_line,
                why: observation.why,
            });
        }
        listed[start..].sort_by_key(|change| (change.severity, change.number));
    }
    Ok(listed)
}

/// What is written of findings, and where.
#[derive(Clone)]
enum How {
    Refresh(ScanId),
    Insert {
        of: NewFindingsOf,
        first_number: i64,
    },
}

/// A finding to be written.
struct Written {
    id: u128,
    identity: Identity,
    said: Said,
}

/// The statement that writes findings, made of what a spool says of them. Blocks.
fn statement(
    spool: &mut Spool,
    backend: Backend,
    how: &How,
    findings: &[Written],
) -> Result<FindingsWrite, ServiceError> {
    let fetched = spool.fetch(findings.iter().map(|finding| &finding.said))?;
    let rows: Vec<_> = fetched
        .said()?
        .into_iter()
        .zip(findings)
        .map(|(says, finding)| FindingRow {
            id: finding_id(finding.id),
            identity: stored_identity(&finding.identity),
            scanner_digest: finding.said.digest.to_string(),
            says,
        })
        .collect();
    Ok(match how {
        How::Refresh(scan) => FindingsWrite::refresh(backend, scan, &rows),
        How::Insert { of, first_number } => {
            FindingsWrite::insert(backend, of, *first_number, &rows)
        }
    })
}

/// An import that is being stored.
struct Import<'a> {
    services: &'a Services,
    actor: &'a Actor,
    service: &'a ServiceId,
    request: &'a ScanRequest,
    locked: &'a LockedSeries,
    /// The digest of the rules that a person has seen the mapping by.
    rules: Option<Digest>,
    now: Millis,
}

impl Import<'_> {
    async fn store(
        &self,
        mut tx: Tx,
        compared: Compared,
        mut outcome: ImportOutcome,
    ) -> Result<ImportOutcome, ServiceError> {
        let id = self.services.new_id(ScanId::parse, self.now);
        let watch = &self.request.watch;
        let written = compared.changes.new.len() + compared.changes.refreshed.len();
        watch.begin(ImportStage::Storing, written as u64);
        tx.keep_file(&self.request.file, self.now).await?;
        let scan = self.scan(&mut tx, &id, &compared, &outcome).await?;
        tx.insert_scan(&scan).await?;
        let (compared, new) = self.write_findings(&mut tx, &id, compared).await?;
        for chunk in compared.observations.chunks(ROWS_PER_STATEMENT) {
            let seen: Vec<_> = chunk
                .iter()
                .map(|(of, outcome, why)| compared.observation(*of, outcome, why, &new))
                .collect();
            tx.insert_observations(&id, &seen).await?;
        }
        tx.series_scanned(&self.locked.id, &id, self.now).await?;
        tx.forget_old_findings_before(&self.locked.id).await?;
        if outcome.complete {
            self.services
                .verify_patches(&mut tx, self.service, &self.locked.id, &id, self.now)
                .await?;
        }
        let changed = WhatChanged {
            findings: compared.changes_findings(),
            // Only what has a component is one issue with others: no word of a component, and none known, no issue.
            issues: compared.read.has_components || tx.has_issues(self.service).await?,
        };
        let mapper = self.services.mapper(&mut tx, self.service).await?;
        // On PostgreSQL rules may have changed while findings were written.
        if self
            .rules
            .as_ref()
            .is_some_and(|seen| *seen != mapper.digest())
        {
            return Err(ground_has_moved(&outcome.series));
        }
        let mapped = self
            .services
            .map_findings(&mut tx, self.actor, &mapper, &scan, changed, self.now)
            .await?;
        self.append_activity(&mut tx, &id, &outcome).await?;
        mapped.record(&mut tx, self.actor, &scan, self.now).await?;
        self.services
            .ask_for_second_person(&mut tx, self.actor, self.service, self.now)
            .await?;
        watch.check()?;
        self.services.database().commit_large(tx).await?;
        outcome.mapping = mapped.reviews;
        outcome.scan = Some(id);
        Ok(outcome)
    }

    async fn scan(
        &self,
        tx: &mut Tx,
        id: &ScanId,
        compared: &Compared,
        outcome: &ImportOutcome,
    ) -> Result<Scan, ServiceError> {
        let problems =
            serde_json::to_string(&compared.read.summary.problems).expect("problems are texts");
        Ok(Scan {
            id: id.clone(),
            service: self.service.clone(),
            series: self.locked.id.clone(),
            label: outcome.series.clone(),
            sequence: tx.next_scan_sequence(&self.locked.id).await?,
            file_sha256: self.request.file.sha256.clone(),
            file_name: shown_line(&self.request.file_name),
            file_bytes: self.request.file.size_bytes,
            format: outcome.format.clone(),
            tool: outcome.tool.clone(),
            tool_version: outcome.tool_version.clone(),
            commit: outcome.commit.clone(),
            target: outcome.target.clone(),
            incomplete_because: outcome.incomplete_because.clone(),
            counts: compared.read.counts,
            changes: compared.changes.numbers,
            problems,
            imported_at: self.now,
            imported_by: self.actor.id.clone(),
            imported_by_name: self.actor.name.clone(),
            undone_at: None,
        })
    }

    /// Brings the series' findings up to the scan, and says which ids those new ones got that something is noted of.
    async fn write_findings(
        &self,
        tx: &mut Tx,
        scan: &ScanId,
        mut compared: Compared,
    ) -> Result<(Compared, HashMap<usize, u128>), ServiceError> {
        let Compared {
            read,
            series,
            changes,
            ..
        } = &mut compared;
        tx.keep_findings_before(scan, &changes.touched(series))
            .await?;
        let refreshed = changes.refreshed.iter().map(|(_, known)| *known);
        let refreshed: Vec<_> = (ids_of(series, refreshed).iter())
            .map(ToString::to_string)
            .collect();
        bind_decisions(tx, &refreshed).await?;
        tx.fix_findings(&ids_of(series, changes.fixed.iter().copied()), self.now)
            .await?;
        let reopened = changes.reopened.iter().map(|(_, known)| *known);
        tx.reopen_findings(&ids_of(series, reopened), self.now)
            .await?;
        let unseen = ids_of(series, changes.unseen.iter().copied());
        tx.findings_unseen(&self.locked.id, scan, &unseen).await?;
        let again = ids_of(series, changes.seen_again.iter().copied());
        tx.findings_seen_again(&again).await?;
        for (at, known) in &changes.reidentified {
            let identity = stored_identity(&read.seen.findings[*at].identity);
            tx.refresh_identity(&series.stored[*known].id(), &identity)
                .await?;
        }
        let written = changes.new.iter();
        let written = written.chain(changes.refreshed.iter().map(|(at, _)| at));
        self.write_explanations(tx, read, written).await?;
        let refreshed = |place: usize| {
            let (at, known) = changes.refreshed[place];
            (at, series.stored[known].id)
        };
        let n = changes.refreshed.len();
        self.write_rows(tx, read, n, &refreshed, How::Refresh(scan.clone()))
            .await?;
        if n > 0 {
            let changed = tx.contents_changed_by(&self.locked.id, scan).await?;
            note_contents(tx, &changed).await?;
            let changed: Vec<_> = changed.into_iter().map(|content| content.id).collect();
            open_outgrown(tx, self.actor, self.service, &changed, self.now).await?;
        }
        let n = changes.new.len();
        let mut noted = HashMap::new();
        if n > 0 {
            let numbers = i64::try_from(n).unwrap_or(i64::MAX);
            let first_number = tx.take_finding_numbers(self.service, numbers).await?;
            let ids = self.services.ids().uuids_in_a_row(self.now);
            let new = |place: usize| (changes.new[place], ids.nth(place));
            let is_noted = |(at, _): &(usize, u128)| changes.ambiguous.binary_search(at).is_ok();
            noted.extend((0..n).map(new).filter(is_noted));
            let of = NewFindingsOf {
                service: self.service.clone(),
                series: self.locked.id.clone(),
                scan: scan.clone(),
                at: self.now,
            };
            self.write_rows(tx, read, n, &new, How::Insert { of, first_number })
                .await?;
        }
        Ok((compared, noted))
    }

    /// Writes what the scanner explains of these findings.
    async fn write_explanations(
        &self,
        tx: &mut Tx,
        read: &mut ReadScan,
        findings: impl Iterator<Item = &usize>,
    ) -> Result<(), ServiceError> {
        let backend = tx.backend();
        let explained = (read.spool).explanations_of(findings.map(|at| &read.said[*at]));
        for chunk in explained.chunks(ROWS_PER_STATEMENT) {
            let chunk = chunk.to_vec();
            let mut spool = self.take(&mut read.spool);
            let made = off_the_async_threads(move || {
                let rows = spool.fetch_explanations(&chunk)?;
                let made = FindingsWrite::explanations(backend, &rows.explanations(&chunk)?);
                Ok((spool, made))
            });
            let (spool, made) = made.await?;
            read.spool = spool;
            tx.write_findings(made).await?;
        }
        Ok(())
    }

    /// The spool, for work off the async threads; an empty one stands in its place.
    fn take(&self, spool: &mut Spool) -> Spool {
        std::mem::replace(spool, Spool::new(&self.services.files().incoming()))
    }

    /// Writes what the scanner says of `n` findings, some hundred at a time: while these are stored, the next are made
    /// ready. `finding` tells where in the scan each is, and its id.
    async fn write_rows(
        &self,
        tx: &mut Tx,
        read: &mut ReadScan,
        n: usize,
        finding: &(dyn Fn(usize) -> (usize, u128) + Sync),
        mut how: How,
    ) -> Result<(), ServiceError> {
        let backend = tx.backend();
        let make = |mut spool: Spool, chunk: Range<usize>, how: How| {
            let written: Vec<Written> = chunk
                .map(|place| {
                    let (at, id) = finding(place);
                    Written {
                        id,
                        identity: read.seen.findings[at].identity,
                        said: read.said[at],
                    }
                })
                .collect();
            tokio::spawn(off_the_async_threads(move || {
                let made = statement(&mut spool, backend, &how, &written)?;
                Ok((spool, made))
            }))
        };
        let mut chunks = (0..n)
            .step_by(ROWS_PER_STATEMENT)
            .map(|start| start..n.min(start + ROWS_PER_STATEMENT));
        let Some(mut chunk) = chunks.next() else {
            return Ok(());
        };
        let spool = self.take(&mut read.spool);
        let mut making = make(spool, chunk.clone(), how.clone());
        loop {
            let (spool, made) = making.await.map_err(ServiceError::unavailable)??;
            let n_made = chunk.len();
            let Some(next) = chunks.next() else {
                read.spool = spool;
                tx.write_findings(made).await?;
                return self.stored(n_made);
            };
            if let How::Insert { first_number, .. } = &mut how {
                *first_number += i64::try_from(n_made).unwrap_or_default();
            }
            chunk = next;
            making = make(spool, chunk.clone(), how.clone());
            tx.write_findings(made).await?;
            self.stored(n_made)?;
        }
    }

    fn stored(&self, n: usize) -> Result<(), ServiceError> {
        self.request.watch.add_done(n as u64);
        self.request.watch.check()
    }

    async fn append_activity(
        &self,
        tx: &mut Tx,
        scan: &ScanId,
        outcome: &ImportOutcome,
    ) -> Result<(), ServiceError> {
        let ChangeNumbers {
            new,
            unchanged,
            moved,
            reopened,
            fixed,
        } = outcome.changes;
        let label = &outcome.series;
        let state = if outcome.complete {
            ""
        } else {
            " (incomplete)"
        };
        tx.append_activity(NewActivity {
            at: self.now,
            actor: self.actor.id.as_str(),
            action: "scan.imported",
            subject_kind: "scan",
            subject: scan.as_str(),
            service: Some(self.service.as_str()),
            review: None,
            summary: format!(
                "imported a scan of {label}{state}: {new} new, {} unchanged, {reopened} reopened, {fixed} fixed",
                unchanged + moved
            ),
            before: None,
            after: Some(
                serde_json::json!({
                    "file": self.request.file.sha256,
                    "series": label,
                    "commit": outcome.commit,
                    "changes": outcome.changes,
                })
                .to_string(),
            ),
        })
        .await?;
        Ok(())
    }
}
