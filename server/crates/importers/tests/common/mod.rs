//! What several tests need: the shared data, and a series that remembers its findings as storage would.
#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "each test file uses a part of it, and a test may panic"
)]

use std::path::{Path, PathBuf};

use holdpoint_domain::FindingStatus;
use holdpoint_importers::compare::{Change, ChangeCounts, Identified, Known, Seen, compare};
use holdpoint_importers::{PathNames, Report};

/// The folder with real data beside the checkout; `None` (and a note) where it is not.
pub(crate) fn shared(folder: &str) -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../../shared")
        .join(folder);
    if root.is_dir() {
        return Some(root);
    }
    let is_required = std::env::var_os("CI").is_some()
        && std::env::var("HOLDPOINT_CORPUS").is_ok_and(|value| value == "required");
    assert!(!is_required, "../shared/{folder} is required and not here");
    println!("not run: ../shared is not here");
    None
}

pub(crate) fn read(bytes: &[u8]) -> Report {
    holdpoint_importers::read(bytes, Some("report.sarif"), None).unwrap()
}

/// A series of scans, kept in memory.
#[derive(Default)]
pub(crate) struct Series {
    pub(crate) known: Vec<Known>,
    pub(crate) paths: PathNames,
}

/// What an import into a [`Series`] did.
pub(crate) struct Imported {
    pub(crate) matches: Vec<Entry>,
    /// Places of known findings.
    pub(crate) fixed: Vec<usize>,
    pub(crate) why_fixed: Vec<String>,
    pub(crate) no_longer_seen: Vec<usize>,
    counts: ChangeCounts,
}

pub(crate) struct Entry {
    pub(crate) known: Option<usize>,
    pub(crate) change: Change,
    pub(crate) why: String,
}

/// Every file below a folder.
pub(crate) fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// All reports there are: the crate's own, and those beside the checkout.
pub(crate) fn reports() -> Vec<PathBuf> {
    let mut found = Vec::new();
    files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata"),
        &mut found,
    );
    if let Some(corpus) = shared("corpus") {
        files(&corpus, &mut found);
    }
    found
}

impl Imported {
    pub(crate) fn counts(&self) -> ChangeCounts {
        self.counts
    }
}

impl Series {
    /// Imports a report, as an import would: matched findings take their newest place.
    pub(crate) fn import(&mut self, report: &Report) -> Imported {
        let new = seen(report, &mut self.paths);
        let before = self.known.clone();
        let comparison = compare(&self.paths, &before, &new, &[], &report.completeness);
        for (entry, seen) in comparison.matches.iter().zip(&new.findings) {
            match (entry.known(), entry.change) {
                (Some(at), change) => {
                    let known = &mut self.known[at];
                    known.key = seen.identity.key;
                    known.context = seen.identity.context;
                    known.basis = seen.identity.basis;
                    known.ordinal = seen.identity.ordinal;
                    known.path = seen.path;
                    known.line = seen.line;
                    known.is_gone = false;
                    if change == Change::Reopened {
                        known.status = FindingStatus::Open;
                    }
                }
                (None, Change::New) => {
                    let number = i64::try_from(self.known.len()).unwrap() + 1;
                    self.known.push(known(number, seen));
                }
                (None, _) => {}
            }
        }
        for gone in &comparison.fixed {
            self.known[*gone].status = FindingStatus::Fixed;
        }
        for gone in &comparison.no_longer_seen {
            self.known[*gone].is_gone = true;
        }
        let why = |at| comparison.why(at);
        Imported {
            matches: (comparison.matches.iter().enumerate())
                .map(|(at, entry)| Entry {
                    known: entry.known(),
                    change: entry.change,
                    why: why(at),
                })
                .collect(),
            fixed: comparison.fixed.clone(),
            why_fixed: comparison
                .fixed
                .iter()
                .map(|at| comparison.why_gone(*at))
                .collect(),
            no_longer_seen: comparison.no_longer_seen.clone(),
            counts: comparison.counts(),
        }
    }
}

pub(crate) fn seen(report: &Report, paths: &mut PathNames) -> Seen {
    let mut seen = Seen::default();
    for finding in &report.findings {
        seen.add(finding, paths);
    }
    seen.finish();
    seen
}

pub(crate) fn known(number: i64, seen: &Identified) -> Known {
    Known {
        number,
        key: seen.identity.key,
        context: seen.identity.context,
        basis: seen.identity.basis,
        ordinal: seen.identity.ordinal,
        path: seen.path,
        line: seen.line,
        version: 0,
        status: FindingStatus::Open,
        is_gone: false,
    }
}

/// New, unchanged, moved, reopened, fixed.
pub(crate) fn numbers(comparison: &Imported) -> [u64; 5] {
    let counts = comparison.counts();
    [
        counts.new,
        counts.unchanged,
        counts.moved,
        counts.reopened,
        counts.fixed,
    ]
}

/// So many generated inputs for each property; `PROPTEST_CASES` (of `make fuzz`) names another number.
pub(crate) fn cases(number: u32) -> proptest::test_runner::Config {
    let asked = std::env::var("PROPTEST_CASES").ok();
    let asked = asked.and_then(|number| number.parse().ok());
    proptest::test_runner::Config::with_cases(asked.unwrap_or(number))
}
