//! A scanner's file, read: what comparing needs of each finding is kept in memory, a hundred bytes for each; everything
//! that is said of it goes to a temporary file, from which it is stored once it is known what is new.

use std::{
    borrow::Cow,
    collections::HashMap,
    io::{BufWriter, Read as _, Seek as _, SeekFrom, Write as _},
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::mpsc,
};

use holdpoint_domain::Severity;
use holdpoint_importers::{
    Finding, ImportError, InputLimits, PathNames, Relocation, Sink, Summary,
    compare::Seen,
    identity::{Identity, Key, Twins},
};
use holdpoint_storage::{
    SeverityCounts, StorageError,
    finding_rows::{Explanation, ScannerFinding},
};
use serde::Serialize;

use crate::{
    ServiceError,
    watch::{ImportWatch, WatchedFile},
};

/// Findings travel from the thread that parses to the one that identifies by so many.
const BATCH: usize = 512;
/// What is said of the findings stays in memory up to here.
const IN_MEMORY_BYTES: usize = 4 * 1024 * 1024;
/// Rows go to the temporary file by so many bytes.
const WRITTEN_AT_ONCE: usize = 64 * 1024;

/// A file to be read.
#[derive(Clone)]
pub(crate) struct Reading {
    pub(crate) path: PathBuf,
    pub(crate) file_name: String,
    /// An importer's name, if a person named one.
    pub(crate) format: Option<String>,
    pub(crate) limits: InputLimits,
    pub(crate) most_findings: usize,
    /// Where temporary files go.
    pub(crate) folder: PathBuf,
    pub(crate) watch: ImportWatch,
}

/// A file that has been read, before anything is compared.
pub(crate) struct ReadScan {
    pub(crate) summary: Summary,
    pub(crate) seen: Seen,
    /// One for each finding, in the same order.
    pub(crate) said: Vec<Said>,
    /// The names of its files; those of its series come to them.
    pub(crate) paths: PathNames,
    pub(crate) counts: SeverityCounts,
    /// Whether any finding is of a component.
    pub(crate) has_components: bool,
    /// Whether most of its files are named by absolute paths, so that the folder that a build runs in belongs to their names.
    pub(crate) names_absolute_paths: bool,
    pub(crate) spool: Spool,
}

/// What a scanner says of a finding, as far as it is kept in memory.
#[derive(Clone, Copy)]
pub(crate) struct Said {
    /// Of everything it says, but not of where in the file it says so.
    pub(crate) digest: Key,
    pub(crate) severity: Severity,
    pub(crate) end_line: Option<NonZeroU32>,
    /// Its place among the spool's explanations, from 1.
    explanation: Option<NonZeroU32>,
    length: u32,
    offset: u64,
}

const _: () = assert!(size_of::<Said>() <= 40);

/// What is put away of an explanation.
#[derive(Clone, Copy)]
pub(crate) struct Explained {
    /// Of what it says.
    id: Key,
    length: u32,
    offset: u64,
}

/// Where in the spool something is.
#[derive(Clone, Copy)]
struct Range {
    offset: u64,
    length: u32,
}

fn refused(error: &ImportError) -> ServiceError {
    ServiceError::rejected("file", error.to_string())
}

impl Reading {
    /// About how many findings the file has, rather too many: memory that is only set aside costs nothing, while a list that
    /// grows leaves holes as large as itself.
    fn expected_findings(&self) -> usize {
        const LEAST_BYTES: u64 = 512;
        const MOST: u64 = 1 << 18;
        let bytes = std::fs::metadata(&self.path).map_or(0, |file| file.len());
        usize::try_from((bytes / LEAST_BYTES).min(MOST)).unwrap_or_default()
    }

    /// Gives out the file's findings in their order.
    fn go_through(&self, sink: Sink<'_>) -> Result<Summary, ServiceError> {
        let source = WatchedFile {
            path: self.path.clone(),
            watch: self.watch.clone(),
        };
        let (name, format) = (Some(&*self.file_name), self.format.as_deref());
        let read = holdpoint_importers::read_source(&source, self.limits, name, format, sink);
        self.watch.check()?;
        read.map_err(|error| refused(&error))
    }
}

/// Reads a file through. Blocks its thread, and takes a second one.
pub(crate) fn read_scan(reading: &Reading) -> Result<ReadScan, ServiceError> {
    let (sender, receiver) = mpsc::sync_channel::<Vec<Finding>>(1);
    // Memory goes back on the thread that took it: two threads at one heap wait for each other.
    let (give_back, given_back) = mpsc::channel();
    let read = std::thread::scope(|scope| {
        let collecting = scope.spawn(|| collect(receiver, give_back, reading));
        let mut batch = Vec::with_capacity(BATCH);
        let summary = reading.go_through(&mut |finding| {
            batch.push(finding);
            if batch.len() == BATCH {
                let mut empty: Vec<Finding> = given_back
                    .try_recv()
                    .unwrap_or_else(|_| Vec::with_capacity(BATCH));
                empty.clear();
                // When nobody collects any more, the error is with the collector.
                let _ = sender.send(std::mem::replace(&mut batch, empty));
            }
        });
        let _ = sender.send(batch);
        drop(sender);
        let collected = collecting
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (summary, collected)
    });
    let (summary, collected) = read;
    let summary = summary?;
    let Collected {
        mut seen,
        said,
        paths,
        counts,
        has_components,
        n_absolute,
        n_relative,
        spool,
    } = collected?;
    seen.finish();
    Ok(ReadScan {
        summary,
        seen,
        said,
        paths,
        counts,
        has_components,
        names_absolute_paths: n_absolute > n_relative,
        spool,
    })
}

/// Reads a file through once more for the identities that its findings would have if a folder had kept its name. Blocks.
pub(crate) fn identities_before(
    reading: &Reading,
    moved: &Relocation,
) -> Result<Vec<Identity>, ServiceError> {
    let (mut twins, mut identities) = (Twins::default(), Vec::new());
    let sink = &mut |mut finding: Finding| {
        let before = finding.path.as_deref().and_then(|path| moved.before(path));
        finding.path = before.or(finding.path);
        identities.push(twins.add(&finding));
    };
    reading.go_through(sink)?;
    twins.finish(&mut identities);
    Ok(identities)
}

struct Collected {
    seen: Seen,
    said: Vec<Said>,
    paths: PathNames,
    counts: SeverityCounts,
    has_components: bool,
    /// How many findings have absolute paths, and how many others.
    n_absolute: usize,
    n_relative: usize,
    spool: Spool,
}

/// Identifies findings as they come, and puts away what is said of them.
fn collect(
    receiver: mpsc::Receiver<Vec<Finding>>,
    give_back: mpsc::Sender<Vec<Finding>>,
    reading: &Reading,
) -> Result<Collected, ServiceError> {
    let expected = reading.expected_findings();
    let mut collected = Collected {
        seen: Seen::for_about(expected),
        said: Vec::with_capacity(expected),
        paths: PathNames::for_about(expected),
        counts: SeverityCounts::default(),
        has_components: false,
        n_absolute: 0,
        n_relative: 0,
        spool: Spool::new(&reading.folder),
    };
    for batch in receiver {
        for finding in &batch {
            collected.has_components |= finding.component.is_some();
            if finding.path.is_some() {
                let is_absolute = finding.path_is_absolute;
                collected.n_absolute += usize::from(is_absolute);
                collected.n_relative += usize::from(!is_absolute);
            }
            collected.seen.add(finding, &mut collected.paths);
            if finding.status.is_present() {
                collected.counts.add(finding.severity, 1);
            }
            collected.said.push(collected.spool.put(finding)?);
        }
        if collected.said.len() > reading.most_findings {
            let message = format!(
                "The file has more than {} findings, the most that one scan may have. Split the scan, or let the scanner leave \
                 out what is not needed. Nothing of it was stored.",
                reading.most_findings
            );
            return Err(ServiceError::rejected("file", message));
        }
        reading.watch.add_findings(batch.len() as u64);
        // At the end nobody takes it any more.
        let _ = give_back.send(batch);
    }
    Ok(collected)
}

/// What scanners say of the findings of one file, one after the other; what they explain of several is there once.
pub(crate) struct Spool {
    file: BufWriter<tempfile::SpooledTempFile>,
    length: u64,
    row: Vec<u8>,
    explanations: Vec<Explained>,
    /// Which of `explanations` each is, from 1.
    explained: HashMap<Key, NonZeroU32>,
}

fn place(nth: NonZeroU32) -> usize {
    nth.get() as usize - 1
}

fn io(error: std::io::Error) -> ServiceError {
    ServiceError::unavailable(StorageError::from(error))
}

impl Spool {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            file: BufWriter::with_capacity(
                WRITTEN_AT_ONCE,
                tempfile::spooled_tempfile_in(IN_MEMORY_BYTES, folder),
            ),
            length: 0,
            row: Vec::new(),
            explanations: Vec::new(),
            explained: HashMap::new(),
        }
    }

    fn put(&mut self, finding: &Finding) -> Result<Said, ServiceError> {
        let explanation = self.put_explanation(finding)?;
        let id = explanation.map(|nth| self.explanations[place(nth)].id);
        let says = scanner_finding(finding, id);
        let mut row = std::mem::take(&mut self.row);
        row.clear();
        row = postcard::to_extend(&says, row).map_err(ServiceError::unavailable)?;
        // The pointer is the last part but one: it is written after what the digest is of.
        let digest = Key::of(&row);
        self.row = postcard::to_extend(&finding.pointer, row).map_err(ServiceError::unavailable)?;
        let Range { offset, length } = self.put_row()?;
        Ok(Said {
            digest,
            severity: finding.severity,
            end_line: finding.end_line.and_then(NonZeroU32::new),
            explanation,
            length,
            offset,
        })
    }

    /// Which explanation the scanner gives, from 1, put away where it is new; `None` where it explains nothing.
    fn put_explanation(&mut self, finding: &Finding) -> Result<Option<NonZeroU32>, ServiceError> {
        let Some(explanation) = explanation(finding) else {
            return Ok(None);
        };
        let mut row = std::mem::take(&mut self.row);
        row.clear();
        self.row = postcard::to_extend(&explanation, row).map_err(ServiceError::unavailable)?;
        let id = Key::of(&self.row);
        if let Some(nth) = self.explained.get(&id) {
            return Ok(Some(*nth));
        }
        let Range { offset, length } = self.put_row()?;
        self.explanations.push(Explained { id, length, offset });
        let nth = u32::try_from(self.explanations.len()).map_err(ServiceError::unavailable)?;
        let nth = NonZeroU32::new(nth).expect("there is one now");
        self.explained.insert(id, nth);
        Ok(Some(nth))
    }

    fn put_row(&mut self) -> Result<Range, ServiceError> {
        self.file.write_all(&self.row).map_err(io)?;
        let length = u32::try_from(self.row.len()).map_err(ServiceError::unavailable)?;
        let offset = self.length;
        self.length += u64::from(length);
        Ok(Range { offset, length })
    }

    /// What the scanner explains of these findings, each once, in the order of their ids.
    pub(crate) fn explanations_of<'a>(
        &self,
        said: impl Iterator<Item = &'a Said>,
    ) -> Vec<Explained> {
        let mut given: Vec<_> = said.filter_map(|said| said.explanation).collect();
        given.sort_unstable();
        given.dedup();
        let mut explained: Vec<_> = given
            .into_iter()
            .map(|nth| self.explanations[place(nth)])
            .collect();
        explained.sort_unstable_by_key(|explained| explained.id);
        explained
    }

    /// The rows of some findings, as bytes. Blocks.
    pub(crate) fn fetch<'a>(
        &mut self,
        said: impl Iterator<Item = &'a Said>,
    ) -> Result<Rows, ServiceError> {
        self.rows(said.map(|said| Range {
            offset: said.offset,
            length: said.length,
        }))
    }

    /// The rows of some explanations, as bytes. Blocks.
    pub(crate) fn fetch_explanations(
        &mut self,
        explained: &[Explained],
    ) -> Result<Rows, ServiceError> {
        self.rows(explained.iter().map(|explained| Range {
            offset: explained.offset,
            length: explained.length,
        }))
    }

    fn rows(&mut self, ranges: impl Iterator<Item = Range>) -> Result<Rows, ServiceError> {
        let mut rows = Rows::default();
        let mut next_offset = None;
        self.file.flush().map_err(io)?;
        let file = self.file.get_mut();
        for Range { offset, length } in ranges {
            // Mostly they stand one after the other.
            if next_offset != Some(offset) {
                file.seek(SeekFrom::Start(offset)).map_err(io)?;
            }
            let start = rows.bytes.len();
            let end = start + length as usize;
            rows.bytes.resize(end, 0);
            file.read_exact(&mut rows.bytes[start..end]).map_err(io)?;
            rows.ranges.push(start..end);
            next_offset = Some(offset + u64::from(length));
        }
        // What is put away next comes after all the rest.
        file.seek(SeekFrom::End(0)).map_err(io)?;
        Ok(rows)
    }
}

/// Some rows of a [`Spool`].
#[derive(Default)]
pub(crate) struct Rows {
    bytes: Vec<u8>,
    ranges: Vec<std::ops::Range<usize>>,
}

impl Rows {
    /// What is said, one for each finding that was asked for.
    pub(crate) fn said(&self) -> Result<Vec<ScannerFinding<'_>>, ServiceError> {
        self.ranges
            .iter()
            .map(|range| {
                let bytes = &self.bytes[range.clone()];
                let (mut says, rest): (ScannerFinding<'_>, _) =
                    postcard::take_from_bytes(bytes).map_err(ServiceError::unavailable)?;
                says.pointer = postcard::from_bytes(rest).map_err(ServiceError::unavailable)?;
                Ok(says)
            })
            .collect()
    }

    /// What is explained, one for each explanation that was asked for, with its id.
    pub(crate) fn explanations(
        &self,
        explained: &[Explained],
    ) -> Result<Vec<(u128, Explanation<'_>)>, ServiceError> {
        explained
            .iter()
            .zip(&self.ranges)
            .map(|(explained, range)| {
                let explanation = postcard::from_bytes(&self.bytes[range.clone()])
                    .map_err(ServiceError::unavailable)?;
                Ok((explained.id.as_number(), explanation))
            })
            .collect()
    }
}

/// What the scanner explains; `None` where it explains nothing that its message does not say.
fn explanation(finding: &Finding) -> Option<Explanation<'_>> {
    let description = text(finding.description.as_ref())
        .filter(|description| Some(&**description) != finding.message.as_deref());
    let explanation = Explanation {
        description: description.unwrap_or_default(),
        remediation: text(finding.remediation.as_ref()).unwrap_or_default(),
        rule_name: text(finding.rule_name.as_ref()),
        help_url: text(finding.help_url.as_ref()),
    };
    let says_nothing = explanation.description.is_empty()
        && explanation.remediation.is_empty()
        && explanation.rule_name.is_none()
        && explanation.help_url.is_none();
    (!says_nothing).then_some(explanation)
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

/// A list as JSON text; most are empty.
fn json<T: Serialize>(list: &[T]) -> Cow<'static, str> {
    if list.is_empty() {
        return Cow::Borrowed("[]");
    }
    Cow::Owned(serde_json::to_string(list).expect("lists of texts and numbers serialise"))
}

fn text<T: std::ops::Deref<Target = str>>(text: Option<&T>) -> Option<Cow<'_, str>> {
    text.map(|text| Cow::Borrowed(&**text))
}

/// Without its pointer, which a row has by itself.
fn scanner_finding(finding: &Finding, explanation: Option<Key>) -> ScannerFinding<'_> {
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
    let claim = finding.claim();
    ScannerFinding {
        title: Cow::Borrowed(&finding.title),
        message: text(finding.message.as_ref()).unwrap_or_default(),
        explanation: explanation.as_ref().map(Key::as_number),
        severity: finding.severity,
        category: Cow::Borrowed(
            finding
                .category
                .map_or("code", holdpoint_importers::Category::as_str),
        ),
        rule: text(finding.rule.as_ref()),
        path: text(finding.path.as_ref()),
        start_line: finding.start_line.map(i64::from),
        end_line: finding.end_line.map(i64::from),
        snippet: text(finding.snippet.as_ref()),
        cve: json(&finding.cve),
        cwe: json(&finding.cwe),
        aliases: json(&finding.aliases),
        component: text(finding.component.as_ref()),
        component_version: text(finding.component_version.as_ref()),
        fixed_version: text(finding.fixed_version.as_ref()),
        fingerprint: text(finding.fingerprint.as_ref()),
        tool: text(finding.tool.as_ref()),
        scanner_state: claim.as_ref().map(|claim| claim.state),
        suppression_kind: claim.as_ref().and_then(|claim| claim.kind),
        suppression_reason: claim.and_then(|claim| claim.reason).map(Cow::Owned),
        pointer: Cow::Borrowed(""),
        details: has_details.then(|| {
            Cow::Owned(serde_json::to_string(&details).expect("places and texts serialise"))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_away_comes_back_in_any_order_and_its_pointer_is_not_in_its_digest() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(folder.path());
        let mut finding = Finding::new("A title", Severity::High);
        finding.message = Some("x".repeat(IN_MEMORY_BYTES / 3));
        let said: Vec<_> = (0..5)
            .map(|n| {
                finding.pointer = format!("/runs/0/results/{n}");
                spool.put(&finding).unwrap()
            })
            .collect();
        assert!(said.iter().all(|one| one.digest == said[0].digest));
        let rows = spool
            .fetch([3, 0, 1].map(|at| &said[at]).into_iter())
            .unwrap();
        let pointers: Vec<_> = rows
            .said()
            .unwrap()
            .iter()
            .map(|says| says.pointer.to_string())
            .collect();
        assert_eq!(
            pointers,
            [
                "/runs/0/results/3",
                "/runs/0/results/0",
                "/runs/0/results/1"
            ]
        );
        finding.severity = Severity::Low;
        finding.pointer = "/last".to_owned();
        let last = spool.put(&finding).unwrap();
        assert_ne!(last.digest, said[0].digest);
        let rows = spool.fetch([&last, &said[4]].into_iter()).unwrap();
        let said = rows.said().unwrap();
        assert_eq!(
            (&*said[0].pointer, said[0].severity),
            ("/last", Severity::Low)
        );
        assert_eq!(&*said[1].pointer, "/runs/0/results/4");
    }
}
