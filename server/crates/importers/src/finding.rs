//! What a scanner file says, in Holdpoint's words: a [`Report`] of [`Finding`]s.

use std::sync::Arc;

use holdpoint_domain::{ScannerClaim, ScannerState, Severity, SuppressionKind};
use serde::{Deserialize, Serialize, Serializer};

/// A text that many findings share, such as the description of their rule: stored once, however many findings have it.
pub type Shared = Arc<str>;

pub(crate) use holdpoint_domain::words;

words! {
    /// What the scanner itself says about a finding; a person's decision is kept elsewhere and is never overwritten by it.
    ScannerStatus {
        Open => "open",
        /// The scanner could not decide and asks a person to look.
        Review => "review",
        /// Found, and hidden by a suppression that is in effect (a comment in the code, a baseline, an ignore file).
        Suppressed => "suppressed",
        /// The component is there, but the problem does not reach it (VEX).
        NotAffected => "not_affected",
        /// The scanner says it is repaired.
        Fixed => "fixed",
        /// Was in the scanner's own baseline and is gone now.
        Absent => "absent",
    }
}

impl ScannerStatus {
    /// Whether the scanner still sees the problem, suppressed or not.
    pub const fn is_present(self) -> bool {
        matches!(self, Self::Open | Self::Review | Self::Suppressed)
    }

    /// Whether the scanner asks somebody to act.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Review)
    }
}

words! {
    /// What kind of problem a finding is, for suggesting the item it belongs to.
    Category {
        Secret => "secret",
        Dependency => "dependency",
        Code => "code",
        Configuration => "configuration",
        Container => "container",
        Web => "web",
        Licence => "licence",
        Style => "style",
    }
}

/// The program that wrote a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Tool {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Something odd in a file that could still be read: where it is, and what it means for the result.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Problem {
    /// A JSON pointer, a line, or a part of the file.
    #[serde(rename = "where")]
    pub where_: String,
    pub message: String,
}

/// Whether the scan looked at everything it was asked to look at. Only a complete scan can fix findings or be clean.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Completeness {
    #[default]
    Complete,
    Incomplete {
        reason: String,
    },
}

impl Completeness {
    pub const fn is_complete(&self) -> bool {
        matches!(self, Self::Complete)
    }

    /// Notes that the scan is incomplete; the first reason stays.
    pub fn note(&mut self, reason: impl Into<String>) {
        if self.is_complete() {
            *self = Self::Incomplete {
                reason: reason.into(),
            };
        }
    }
}

/// How many findings there are of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Counts {
    pub critical: u64,
    pub high: u64,
    pub unrated: u64,
    pub medium: u64,
    pub low: u64,
    pub info: u64,
}

impl Counts {
    pub fn add(&mut self, severity: Severity) {
        *self.of_mut(severity) += 1;
    }

    pub fn of(&self, severity: Severity) -> u64 {
        match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Unrated => self.unrated,
            Severity::Medium => self.medium,
            Severity::Low => self.low,
            Severity::Info => self.info,
        }
    }

    pub fn total(&self) -> u64 {
        self.critical + self.high + self.unrated + self.medium + self.low + self.info
    }

    fn of_mut(&mut self, severity: Severity) -> &mut u64 {
        match severity {
            Severity::Critical => &mut self.critical,
            Severity::High => &mut self.high,
            Severity::Unrated => &mut self.unrated,
            Severity::Medium => &mut self.medium,
            Severity::Low => &mut self.low,
            Severity::Info => &mut self.info,
        }
    }
}

/// How many different commits of one file are kept: two say already that they are several.
const MOST_COMMITS: usize = 20;

/// What a file says apart from its findings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The name of the importer that read it.
    pub format: &'static str,
    pub tool: Tool,
    pub completeness: Completeness,
    /// The commit that was scanned, if the file says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Every commit of that repository that the file says was scanned, the first of them included.
    #[serde(skip)]
    pub commits: Vec<String>,
    /// The repository that was scanned, if the file says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// What was looked at, by a name that the next scan of the same thing has too: an image without tag and digest, a category of
    /// the tool, a host. What scans of two of them say does not tell of each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// When the scan ended (or began), in the file's own spelling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scanned_at: Option<String>,
    /// Results that the file states and that are no findings: checks that passed, did not apply, or only inform.
    pub n_not_findings: u64,
    pub problems: Vec<Problem>,
}

/// A scanner file, read: what `holdpoint scan inspect --json` prints.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    pub summary: Summary,
    pub findings: Vec<Finding>,
}

impl Summary {
    /// Takes a commit that the file names as the one that was scanned; the first stands for the scan.
    pub(crate) fn add_commit(&mut self, commit: String) {
        if !self.commits.contains(&commit) && self.commits.len() < MOST_COMMITS {
            self.commits.push(commit);
        }
        self.commit = self.commits.first().cloned();
    }
}

impl std::ops::Deref for Report {
    type Target = Summary;

    fn deref(&self) -> &Summary {
        &self.summary
    }
}

impl Report {
    /// All findings by severity, suppressed ones included.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for finding in &self.findings {
            counts.add(finding.severity);
        }
        counts
    }

    /// Whether this scan shows that there is nothing to find: complete, and no finding that the scanner still sees.
    pub fn is_clean(&self) -> bool {
        self.summary.completeness.is_complete()
            && !self.findings.iter().any(|f| f.status.is_present())
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shape<'a> {
            #[serde(flatten)]
            summary: &'a Summary,
            counts: Counts,
            findings: &'a [Finding],
        }
        Shape {
            summary: &self.summary,
            counts: self.counts(),
            findings: &self.findings,
        }
        .serialize(serializer)
    }
}

/// One problem that a scanner reports.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// One line, without control characters.
    pub title: String,
    pub severity: Severity,
    pub status: ScannerStatus,
    /// Where it was suppressed, and why, as far as the file says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppression_kind: Option<SuppressionKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppression_reason: Option<String>,
    /// The rule's stable id, as the tool writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Shared>,
    /// What the rule is called by people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_name: Option<Shared>,
    /// What the rule is about, and why it matters: the same for all findings of the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Shared>,
    /// What the tool says about this very place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How to repair it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remediation: Option<Shared>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help_url: Option<Shared>,
    /// Relative to the repository, with `/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Whether the tool named it by an absolute path, whose folder outside of the repository could not be told.
    #[serde(skip)]
    pub path_is_absolute: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_column: Option<u32>,
    /// The code (or other text) at that place, as the tool shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snippet: Option<String>,
    /// The function, class or resource it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    pub cve: Vec<String>,
    /// Numbers of the Common Weakness Enumeration.
    pub cwe: Vec<u32>,
    /// Other ids of the same problem: GHSA, RUSTSEC, GO-…
    pub aliases: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed_version: Option<String>,
    /// The tool's own fingerprint, if it gives one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Whether the fingerprint only contributes to the identity, so that rule and path belong to it too.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub fingerprint_is_partial: bool,
    /// What the fingerprint would be if the tool gave only some of its parts, as it may have before: the most parts first.
    #[serde(skip)]
    pub former_fingerprints: Vec<FormerFingerprint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// The place in the original file, as a JSON pointer (or `line N`).
    pub pointer: String,
    /// Set where one file holds the results of several tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<Shared>,
    /// CVSS base score, or what the tool gives in its place (0 to 10).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The same problem at further places, all of which have to change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub other_places: Vec<Place>,
    /// Places that help to understand the problem.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Place>,
    /// How data or control gets to the problem.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub code_flows: Vec<CodeFlow>,
    /// Changes that the tool proposes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fixes: Vec<Fix>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Shared>,
}

impl Finding {
    /// A finding of which only this much is known yet.
    pub fn new(title: impl Into<String>, severity: Severity) -> Self {
        Self {
            title: title.into(),
            severity,
            status: ScannerStatus::Open,
            suppression_kind: None,
            suppression_reason: None,
            rule: None,
            rule_name: None,
            description: None,
            message: None,
            remediation: None,
            help_url: None,
            path: None,
            path_is_absolute: false,
            start_line: None,
            end_line: None,
            start_column: None,
            end_column: None,
            snippet: None,
            scope: None,
            cve: Vec::new(),
            cwe: Vec::new(),
            aliases: Vec::new(),
            component: None,
            component_version: None,
            fixed_version: None,
            fingerprint: None,
            fingerprint_is_partial: false,
            former_fingerprints: Vec::new(),
            category: None,
            pointer: String::new(),
            tool: None,
            score: None,
            other_places: Vec::new(),
            related: Vec::new(),
            code_flows: Vec::new(),
            fixes: Vec::new(),
            tags: Vec::new(),
        }
    }

    /// What the scanner says of it beside that it is there.
    pub fn claim(&self) -> Option<ScannerClaim> {
        let state = match self.status {
            ScannerStatus::Suppressed => ScannerState::Suppressed,
            ScannerStatus::Review => ScannerState::Review,
            _ => return None,
        };
        let is_suppressed = state == ScannerState::Suppressed;
        Some(ScannerClaim {
            state,
            kind: self.suppression_kind.filter(|_| is_suppressed),
            reason: self.suppression_reason.clone().filter(|_| is_suppressed),
        })
    }
}

/// A fingerprint that a finding may have had before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerFingerprint {
    pub text: String,
    /// See [`Finding::fingerprint_is_partial`].
    pub is_partial: bool,
}

/// A place in a file, with what the tool says about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Place {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snippet: Option<String>,
}

/// A sequence of places through which a problem comes about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct CodeFlow {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    pub steps: Vec<Place>,
}

/// A change that the tool proposes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Fix {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub changes: Vec<FileChange>,
}

/// The part of a fix that lies in one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct FileChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    pub replacements: Vec<Replacement>,
    /// The lines near them that the report shows whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<SourceLine>,
}

/// A line of a file with its line end; without one where the file ends so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct SourceLine {
    pub line: u32,
    pub text: String,
}

/// The text between two points gives way to another; columns count from one, and `end_column` is the one after the last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Replacement {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_column: Option<u32>,
    /// Absent where the fix only deletes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inserted: Option<String>,
}
