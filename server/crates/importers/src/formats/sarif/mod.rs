//! SARIF 2.1.0 (OASIS), which many tools write.
//!
//! | part of the standard | what becomes of it |
//! |---|---|
//! | `result` | one finding, however many `locations` it has: by 3.27.12 they are one problem, to be changed at all of them |
//! | `kind` | absent or `fail`: a finding; `open`, `review`: a finding that asks a person to look, severity info; `pass`, `notApplicable`, `informational`: no finding (3.27.9) |
//! | severity | `security-severity` of result or rule, else `level` of result, override, rule; else their `rank`; else `warning` |
//! | `level` | error high, warning medium, note and none info |
//! | `suppressions` | suppressed, unless one of them is `underReview` or `rejected` (3.27.23, 3.35.3), with kind and justification |
//! | `baselineState` | `absent`: not there any more |
//! | rules | driver and extensions, by index, guid, id or hierarchical id; taxa, the tool's own too, and tags for CWE |
//! | messages | text, or id with arguments; links within the text as their words |
//! | places | artifacts by index, nested base ids, relative to the repository; regions, snippets, embedded file contents |
//! | `codeFlows`, `relatedLocations` | kept for showing |
//! | `fixes` | kept, with the lines near them that the report shows whole, so that a diff can be made of them |
//! | `invocations` | failed runs and notifications of level error make the scan incomplete, as do absent results |
//! | `versionControlProvenance` | repository, commit, branch |
//!
//! The file is gone through twice: first for everything but the results, since rules may stand after them, then for the
//! results, one by one, so that memory does not grow with their number.

mod fixes;
mod lines;
mod messages;
mod paths;
mod rules;
mod schema;

use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;

use holdpoint_domain::{Severity, SuppressionKind};
use serde::Deserialize;

use self::lines::Lines;
use self::messages::{with_arguments, without_links};
use self::paths::Paths;
pub(in crate::formats) use self::rules::{Ids, push_new};
use self::rules::{Rule, Rules, Scored, score_of};
use self::schema::{
    Configuration, Location, Message, PhysicalLocation, Region, RunHead, SarifResult, Worded,
    index_of, text_of,
};
use super::ratings::rate_malicious;
use super::reading::{image_name, says_unfinished};
use crate::cut::{self, CutError, Element, Step};
use crate::json::{self, Loose, Text};
use crate::text::{clean, clean_line, percent_decode, shortened, title};
use crate::{
    Body, Category, CodeFlow, Confidence, Finding, FormerFingerprint, ImportError, Importer, Input,
    InputLimits, Place, Problem, ScannerStatus, Shape, Shared, Sink, Sniff, StreamingImporter,
    Summary, Tool,
};

const NAME: &str = "sarif";

/// Of one kind of trouble in a file so many are told one by one.
const MOST_PROBLEMS: usize = 100;
/// Code flows are for showing; a person follows a few, not thousands.
const MOST_FLOWS: usize = 10;
const MOST_STEPS: usize = 100;
const MOST_PLACES: usize = 100;
/// A justification stands in one line of a page.
const MOST_REASON_CHARS: usize = 500;
/// What results take out of texts that all of them can point to (embedded files, listed places, message strings) is bounded for
/// each: a few bytes of a result could name megabytes.
const MOST_SHARED_BYTES: usize = 64 * 1024;

/// SARIF 2.1.0.
#[derive(Debug)]
pub struct Sarif;

impl Importer for Sarif {
    fn name(&self) -> &'static str {
        NAME
    }

    fn title(&self) -> &'static str {
        "SARIF 2.1.0"
    }

    fn file_names(&self) -> &'static [&'static str] {
        &[".sarif", ".sarif.json"]
    }

    fn keys(&self) -> Vec<&'static str> {
        vec!["version", "runs"]
    }

    fn detect(&self, sniff: &Sniff<'_>) -> Confidence {
        let Shape::Object { keys } = &sniff.shape else {
            return Confidence::No;
        };
        let names_itself = sniff.head.to_ascii_lowercase().contains("sarif");
        let has_runs = sniff.has_key("runs");
        let is_named = sniff.has_key("$schema") && names_itself;
        if has_runs && (is_named || sniff.head.contains("\"2.1.0\"")) {
            Confidence::Certain
        } else if has_runs
            && (sniff.head.contains("\"driver\"") || sniff.head.contains("\"results\""))
            || is_named
        {
            Confidence::Likely
        } else if has_runs || keys == &["version"] && sniff.text.contains("\"2.1.0\"") {
            Confidence::Possible
        } else {
            Confidence::No
        }
    }

    fn read(&self, body: Body<'_>, sink: Sink<'_>) -> Result<Summary, ImportError> {
        match body {
            Body::Whole(text) => {
                let bytes = text.as_bytes();
                self.read_input(&Input::of(&bytes, InputLimits::default())?, sink)
            }
            Body::Pieces(pieces) => self.read_input(pieces.input, sink),
        }
    }

    fn streaming(&self) -> Option<&dyn StreamingImporter> {
        Some(self)
    }
}

/// Where the results are.
const RESULTS: &[Step] = &[
    Step::Key("runs"),
    Step::Each,
    Step::Key("results"),
    Step::Each,
];

impl StreamingImporter for Sarif {
    fn read_input(&self, input: &Input<'_>, sink: Sink<'_>) -> Result<Summary, ImportError> {
        let mut first_damage = None;
        let around =
            cut::around(input.open()?, RESULTS).map_err(|error| cut_error(input, error))?;
        let text = text_of_piece(&around.bytes, &mut first_damage, |offset| {
            around.original_offset(offset)
        });
        if text.trim_start().is_empty() {
            return Err(ImportError::Empty);
        }
        let heads = read_heads(&text).map_err(|error| match error {
            HeadError::Json(error) => {
                let offset = around.original_offset(json::offset_of(&text, &error));
                broken_at(input, offset, &text, &error, "$")
            }
            HeadError::Import(error) => error,
        })?;
        let mut reading = Reading::of(&heads);
        let mut run: Option<Run<'_>> = None;
        let mut see = |element: Element<'_>| {
            let [run_at, at] = *element.indices else {
                return Ok(());
            };
            let run = match &mut run {
                Some(run) if run.at == run_at => run,
                other => {
                    let Some(head) = heads.get(run_at) else {
                        return Ok(());
                    };
                    other.insert(Run::of(run_at, head, &reading.summary.tool))
                }
            };
            let text = text_of_piece(element.bytes, &mut first_damage, |offset| {
                element.offset + offset as u64
            });
            let result: SarifResult<'_> = serde_json::from_str(&text).map_err(|error| {
                let offset = element.offset + json::offset_of(&text, &error) as u64;
                let base = format!("$.runs[{run_at}].results[{at}]");
                broken_at(input, offset, &text, &error, &base)
            })?;
            match run.finding(at, &result, &mut reading)? {
                Some(finding) => sink(finding),
                None => reading.summary.n_not_findings += 1,
            }
            Ok(())
        };
        cut::elements(input.open()?, RESULTS, &mut see).map_err(|error| cut_error(input, error))?;
        let mut summary = reading.finish();
        if let Some(offset) = first_damage {
            let (line, _) = input.line_and_column(offset)?;
            summary.problems.insert(0, crate::read::damaged(line));
        }
        Ok(summary)
    }
}

/// A piece as text; notes the first place where bytes are none.
fn text_of_piece<'a>(
    bytes: &'a [u8],
    first_damage: &mut Option<u64>,
    place: impl FnOnce(usize) -> u64,
) -> Cow<'a, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(error) => {
            let place = place(error.valid_up_to());
            *first_damage = Some(first_damage.map_or(place, |first| first.min(place)));
            String::from_utf8_lossy(bytes)
        }
    }
}

fn broken_at(
    input: &Input<'_>,
    offset: u64,
    piece: &str,
    error: &serde_json::Error,
    base: &str,
) -> ImportError {
    match input.line_and_column(offset.saturating_sub(1)) {
        Ok(place) => json::broken_piece(NAME, piece, error, base, place),
        Err(error) => error,
    }
}

fn cut_error(input: &Input<'_>, error: CutError) -> ImportError {
    let (offset, message) = match error {
        CutError::Import(error) => return error,
        CutError::Syntax { offset, message } => (offset, message),
    };
    match input.line_and_column(offset) {
        Ok((line, column)) => {
            // The way there is only told of files that fit into memory.
            let path = input.whole().map_or_else(
                |_| "$".to_owned(),
                |whole| json::path_at(&whole.text, line, column),
            );
            let at = format!("{path} (line {line}, column {column})");
            ImportError::broken(NAME, &at, message)
        }
        Err(error) => error,
    }
}

/// A log without its results.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LogHead<'a> {
    #[serde(borrow)]
    version: Option<Loose<'a>>,
    runs: Option<Vec<RunHead<'a>>>,
}

enum HeadError {
    Json(serde_json::Error),
    Import(ImportError),
}

fn read_heads(text: &str) -> Result<Vec<RunHead<'_>>, HeadError> {
    let head: LogHead<'_> = serde_json::from_str(text).map_err(HeadError::Json)?;
    let version = match &head.version {
        Some(Loose::Text(version)) => version.to_string(),
        Some(Loose::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    if !version.is_empty() && !version.starts_with("2.1") {
        return Err(HeadError::Import(ImportError::UnsupportedVersion {
            format: NAME,
            found: title(&version),
            supported: "2.1.0",
        }));
    }
    let no_runs = || {
        HeadError::Import(ImportError::Broken {
            format: NAME,
            at: "$.runs".to_owned(),
            message: "a list of runs is required here, and there is none. Let the scanner write the report again.".to_owned(),
        })
    };
    head.runs.ok_or_else(no_runs)
}

/// What is learned while reading.
struct Reading {
    summary: Summary,
    n_problems: usize,
    /// Results that say less than they should, by what is said of them.
    n_vague: [usize; VAGUE.len()],
}

/// Ways in which a result does not say where it is.
#[derive(Clone, Copy)]
enum Vague {
    NoPlace,
    Lost,
    Absolute,
    NullList,
}

const VAGUE: [(Vague, &str); 4] = [
    (Vague::NoPlace, "no place is named"),
    (
        Vague::Lost,
        "a place or a part of the message is named by a number of something that the file does not list",
    ),
    (
        Vague::Absolute,
        "the path is absolute, and nothing says where the repository lies",
    ),
    (
        Vague::NullList,
        "the list of suppressions or of logical locations is null, which the standard does not know",
    ),
];

impl Reading {
    fn of(heads: &[RunHead<'_>]) -> Self {
        let mut reading = Self {
            summary: Summary {
                format: NAME,
                ..Summary::default()
            },
            n_problems: 0,
            n_vague: [0; VAGUE.len()],
        };
        let mut targets: Vec<_> = heads.iter().map(target_of).collect();
        targets.dedup();
        // Of several none is the scan's.
        if let [target] = targets.as_mut_slice() {
            reading.summary.target = target.take();
        }
        if let Some(first) = heads.first() {
            reading.summary.tool = tool_of(first);
        } else {
            reading.summary.completeness.note("the file has no runs");
        }
        for (at, head) in heads.iter().enumerate() {
            reading.look_at(at, head);
        }
        reading
    }

    fn look_at(&mut self, at: usize, head: &RunHead<'_>) {
        let place = format!("/runs/{at}");
        let name = head.tool.driver.name.as_deref().unwrap_or("").trim();
        if name.is_empty() {
            self.problem(
                format!("{place}/tool/driver/name"),
                "The run does not say which tool it is of.",
            );
        }
        let is_elsewhere = |files: &schema::ExternalFiles| {
            files
                .results
                .and_then(|skipped| skipped.0)
                .is_some_and(|n| n > 0)
        };
        if head
            .external_property_file_references
            .as_ref()
            .is_some_and(is_elsewhere)
        {
            let message = "Results of this run lie in other files, which are not read: the scan counts as incomplete.";
            self.problem(
                format!("{place}/externalPropertyFileReferences/results"),
                message,
            );
            self.summary
                .completeness
                .note("results of a run lie in other files");
        } else if head.results.and_then(|skipped| skipped.0).is_none() {
            // 3.14.23: absent results say that there was no scan, an empty list says that it found nothing.
            self.problem(
                format!("{place}/results"),
                "The run has no list of results: its scan did not get that far.",
            );
            self.summary
                .completeness
                .note("a run has no list of results");
        }
        for (n, invocation) in head.invocations.iter().enumerate() {
            self.look_at_invocation(&format!("{place}/invocations/{n}"), invocation);
        }
        let text = |text: &Option<Text<'_>>| {
            text.as_deref()
                .map(clean_line)
                .filter(|text| !text.is_empty())
        };
        for vcs in &*head.version_control_provenance {
            let summary = &mut self.summary;
            let repository = text(&vcs.repository_uri);
            // A run may name the repositories of its submodules too: the first one is the scan's.
            let is_of_scan = summary.repository.is_none()
                || repository.is_none()
                || summary.repository == repository;
            if let Some(commit) = text(&vcs.revision_id).filter(|_| is_of_scan) {
                summary.add_commit(commit);
            }
            summary.repository = summary.repository.take().or(repository);
            summary.branch = summary.branch.take().or_else(|| text(&vcs.branch));
        }
        let ended = head
            .invocations
            .iter()
            .rev()
            .find_map(|i| text(&i.end_time_utc).or_else(|| text(&i.start_time_utc)));
        self.summary.scanned_at = self.summary.scanned_at.take().or(ended);
    }

    fn look_at_invocation(&mut self, place: &str, invocation: &schema::Invocation<'_>) {
        if invocation.execution_successful == Some(false) {
            let mut said = vec!["the tool says that its run failed".to_owned()];
            said.extend(
                invocation
                    .exit_code
                    .as_ref()
                    .and_then(Loose::as_number)
                    .map(|code| format!("exit code {code}")),
            );
            let texts = [
                &invocation.exit_code_description,
                &invocation.exit_signal_name,
                &invocation.process_start_failure_message,
            ];
            said.extend(texts.into_iter().flatten().map(|text| title(text)));
            let reason = said.join(", ");
            self.problem(format!("{place}/executionSuccessful"), format!("{reason}."));
            self.summary.completeness.note(reason);
        }
        let lists = [
            (
                "toolExecutionNotifications",
                &invocation.tool_execution_notifications,
            ),
            (
                "toolConfigurationNotifications",
                &invocation.tool_configuration_notifications,
            ),
        ];
        for (list, notifications) in lists {
            for (n, notification) in notifications.iter().enumerate() {
                let descriptor = notification
                    .descriptor
                    .as_ref()
                    .and_then(|d| d.id.as_deref());
                let said = notification
                    .message
                    .plain()
                    .or(descriptor)
                    .unwrap_or("an error");
                let said = title(said);
                let level = notification
                    .level
                    .text()
                    .unwrap_or("warning")
                    .to_ascii_lowercase();
                match level.as_str() {
                    "error" => {}
                    "note" | "none" => continue,
                    level => {
                        let at_level = || format!("{place}/{list}/{n}/level");
                        if notification.level.is_null() {
                            self.problem(at_level(), "The level is null.");
                        } else if level != "warning" {
                            let level = title(level);
                            let message = format!("The level {level:?} is not in the standard.");
                            self.problem(at_level(), message);
                        }
                        // A warning is of many things; one that says that something was not looked at is meant.
                        let words = format!("{} {said}", descriptor.unwrap_or(""));
                        if says_unfinished(&words) {
                            self.problem(
                                format!("{place}/{list}/{n}"),
                                format!("The scan is incomplete: the tool warned: {said}"),
                            );
                            let reason = format!("the tool warned: {said}");
                            self.summary.completeness.note(reason);
                        }
                        continue;
                    }
                }
                self.summary
                    .completeness
                    .note(format!("the tool reported an error: {said}"));
                self.problem(
                    format!("{place}/{list}/{n}"),
                    format!("The tool reported an error: {said}"),
                );
            }
        }
    }

    fn problem(&mut self, where_: String, message: impl Into<String>) {
        self.n_problems += 1;
        if self.n_problems <= MOST_PROBLEMS {
            self.summary.problems.push(Problem {
                where_,
                message: message.into(),
            });
        }
    }

    fn vague(&mut self, how: Vague) {
        self.n_vague[how as usize] += 1;
    }

    fn finish(mut self) -> Summary {
        for (how, words) in VAGUE {
            let n = self.n_vague[how as usize];
            if n > 0 {
                self.problem("/runs".to_owned(), format!("Of {n} results {words}."));
            }
        }
        if self.n_problems > MOST_PROBLEMS {
            self.summary.problems.push(Problem {
                where_: "/runs".to_owned(),
                message: format!(
                    "{} more problems of these kinds.",
                    self.n_problems - MOST_PROBLEMS
                ),
            });
        }
        self.summary
    }
}

/// What was looked at: GitHub's category, which is the id of the run's automation without its last part; or an image.
fn target_of(head: &RunHead<'_>) -> Option<String> {
    let id = head
        .automation_details
        .as_ref()
        .and_then(|details| details.id.as_deref());
    let id = id.map(clean_line).unwrap_or_default();
    let category = match id.rsplit_once('/') {
        Some((category, _)) => category.trim_matches('/'),
        // It may be of this one run.
        None if id.bytes().any(|b| b.is_ascii_digit()) => "",
        None => &id,
    };
    if !category.is_empty() {
        return Some(category.to_owned());
    }
    let image = head.properties.as_ref()?.image_name.as_deref()?;
    Some(clean_line(image_name(image))).filter(|name| !name.is_empty())
}

fn tool_of(head: &RunHead<'_>) -> Tool {
    let driver = &head.tool.driver;
    let text = |text: &Option<Text<'_>>| {
        text.as_deref()
            .map(clean_line)
            .filter(|text| !text.is_empty())
    };
    let version = text(&driver.version).or_else(|| text(&driver.semantic_version));
    Tool {
        name: text(&driver.name).unwrap_or_else(|| "unnamed tool".to_owned()),
        version: version.or_else(|| text(&driver.dotted_quad_file_version)),
    }
}

/// A run while its results are read.
struct Run<'h> {
    at: usize,
    head: &'h RunHead<'h>,
    /// The tool, if it is another one than that of the file's first run.
    tool: Option<Shared>,
    tool_kind: Option<Category>,
    rules: Rules<'h>,
    paths: Paths<'h>,
    /// The files that the report holds whole, beside its list of artifacts.
    contents: Vec<Option<Lines<'h>>>,
    /// Their places there, by path.
    content_of: HashMap<String, usize>,
    /// Where in its context each listed place of a code flow is, as bytes.
    flow_contexts: RefCell<HashMap<usize, Option<(usize, usize)>>>,
    /// The levels and ranks that each invocation was configured to give to rules.
    overrides: Vec<OnceCell<Overrides<'h>>>,
    /// What the result that is being read may still take out of shared texts.
    shared_left: Cell<usize>,
    /// Rule ids that no rule describes.
    ids: HashMap<String, Shared>,
}

/// The levels and ranks that an invocation was configured to give to rules: of several for one rule the first counts. A rule is
/// known by its place in memory, since rules of the driver and of its extensions can have one id and one index.
#[derive(Default)]
struct Overrides<'h> {
    by_rule: HashMap<(*const Rule<'h>, &'h str), usize>,
    /// Of the driver, by an index for which it lists no rule.
    by_index: HashMap<usize, usize>,
}

impl<'h> Run<'h> {
    fn of(at: usize, head: &'h RunHead<'h>, first_tool: &Tool) -> Self {
        let tool = tool_of(head);
        let tool_kind = kind_of_tool(&tool.name);
        let paths = Paths::of(head);
        let mut content_of = HashMap::new();
        let contents = head.artifacts.iter().enumerate().map(|(at, artifact)| {
            let text = artifact.contents.as_ref()?.text.as_deref()?;
            if let Some(path) = paths.path(artifact.location.as_ref()) {
                content_of.insert(path, at);
            }
            Some(Lines::of(text))
        });
        let contents = contents.collect();
        Self {
            at,
            head,
            tool: (tool.name != first_tool.name).then(|| Shared::from(tool.name)),
            tool_kind,
            rules: Rules::of(head),
            paths,
            contents,
            content_of,
            flow_contexts: RefCell::default(),
            overrides: head.invocations.iter().map(|_| OnceCell::new()).collect(),
            shared_left: Cell::new(0),
            ids: HashMap::new(),
        }
    }

    /// As much of a text that many results can point to as this one may still take.
    fn shared<'t>(&self, text: &'t str) -> &'t str {
        let text = &text[..text.floor_char_boundary(self.shared_left.get())];
        self.shared_left.set(self.shared_left.get() - text.len());
        text
    }

    /// The finding that a result is; `None` if it is none.
    fn finding(
        &mut self,
        at: usize,
        result: &SarifResult<'_>,
        reading: &mut Reading,
    ) -> Result<Option<Finding>, ImportError> {
        self.shared_left.set(MOST_SHARED_BYTES);
        let kind = result.kind.as_deref().unwrap_or("fail");
        if matches!(kind, "pass" | "notApplicable" | "informational") {
            return Ok(None);
        }
        let pointer = format!("/runs/{}/results/{at}", self.at);
        let asks_for_review = matches!(kind, "open" | "review");
        if !asks_for_review && kind != "fail" {
            reading.problem(
                format!("{pointer}/kind"),
                "This kind is not in the standard; it is taken as fail.",
            );
        }
        let index = result.rule_index.as_ref().and_then(Loose::as_number);
        let (rule, problem) =
            self.rules
                .find(result.rule_id.as_deref(), index, result.rule.as_ref());
        if let Some(problem) = problem {
            reading.problem(format!("{pointer}/ruleIndex"), problem);
        }

        let message = result
            .message
            .as_ref()
            .and_then(|message| self.worded(message, rule));
        let message = message
            .map(|text| clean(text.trim()).into_owned())
            .filter(|text| !text.is_empty());
        let (score, severity) = if asks_for_review {
            (None, Severity::Info)
        } else {
            self.severity(result, rule, &pointer, reading)
        };
        let mut finding = Finding::new(title_of(result, rule, message.as_deref()), severity);
        finding.score = score;
        finding.status = status_of(result, asks_for_review);
        let state = result.baseline_state.text();
        let is_known = |state| matches!(state, "new" | "unchanged" | "updated" | "absent");
        if result.baseline_state.is_null() || state.is_some_and(|state| !is_known(state)) {
            let state = title(state.unwrap_or("null"));
            let message = format!("The baseline state {state:?} is not in the standard.");
            reading.problem(format!("{pointer}/baselineState"), message);
        }
        add_suppression(result, &mut finding);
        finding.pointer = pointer;
        finding.tool.clone_from(&self.tool);

        let mut ids = Ids::default();
        if let Some(rule) = rule {
            finding.rule_name = rule.name.clone().or_else(|| rule.short.clone());
            finding.description.clone_from(&rule.description);
            finding.remediation.clone_from(&rule.help);
            finding.help_url.clone_from(&rule.help_url);
            finding.tags.clone_from(&rule.tags);
            ids.add_all(&rule.ids);
        }
        let rule_id = result
            .rule_id
            .as_deref()
            .or_else(|| result.rule.as_ref()?.id.as_deref());
        let own_id = rule.and_then(|rule| rule.id.clone());
        finding.rule = match rule_id.map(str::trim) {
            Some(id) if !id.is_empty() && own_id.as_deref() != Some(id) => {
                ids.add_from(id);
                Some(shared_id(&mut self.ids, id))
            }
            _ => own_id,
        };
        result
            .taxa
            .iter()
            .for_each(|taxon| self.rules.add_taxon(taxon, &mut ids));
        add_properties(result, &mut finding, &mut ids);
        finding.cve = ids.cve;
        finding.cwe = ids.cwe;
        finding.aliases = ids.aliases;
        rate_malicious(&mut finding);

        self.add_places(result, &mut finding);
        self.note_places(result, &finding, reading);
        add_package(&mut finding, message.as_deref());
        if finding.description.is_none() {
            finding.description = message.as_deref().map(Shared::from);
        }
        finding.message = message;
        if let Some(print) = fingerprint(result) {
            finding.fingerprint = Some(print.text);
            finding.fingerprint_is_partial = print.is_partial;
            finding.former_fingerprints = print.former;
        }
        finding.category = Some(self.category(&finding));
        finding.code_flows = self.code_flows(result, rule);
        finding.fixes = self.fixes(result, rule);
        if finding.title.is_empty() {
            let Some(component) = finding.component.as_deref() else {
                let message = "this result has no message, no rule and no component, so it says nothing. Let the scanner write the report again.";
                let at = format!("${}", finding.pointer.replace('/', "."));
                return Err(ImportError::broken(NAME, &at, message));
            };
            finding.title = title(component);
        }
        Ok(Some(finding))
    }

    /// Notes where a result does not say where it is, or names what the file does not list.
    fn note_places(&self, result: &SarifResult<'_>, finding: &Finding, reading: &mut Reading) {
        let first = result.locations.first();
        let says_nothing = finding.path.is_none() && finding.scope.is_none();
        if first.is_none() || says_nothing && finding.component.is_none() {
            reading.vague(Vague::NoPlace);
        }
        let physical = first.and_then(|first| first.physical_location.as_ref());
        let logical = first.map_or(&[][..], |first| first.logical_locations.list());
        let is_lost = |logical: &schema::LogicalLocation<'_>| {
            let at = index_of(logical.index.as_ref());
            at.is_some_and(|at| self.head.logical_locations.get(at).is_none())
        };
        let message = result.message.as_ref();
        if self
            .paths
            .is_lost(physical.and_then(|place| place.artifact_location.as_ref()))
            || logical.iter().any(is_lost)
            || message.is_some_and(|message| self.lacks_arguments(message, result))
        {
            reading.vague(Vague::Lost);
        }
        if result.suppressions.is_null()
            || first.is_some_and(|first| first.logical_locations.is_null())
        {
            reading.vague(Vague::NullList);
        }
        if finding.path_is_absolute && self.paths.has_no_root() {
            reading.vague(Vague::Absolute);
        }
    }

    /// Whether a message names a string with places for arguments, and has none.
    fn lacks_arguments(&self, message: &Message<'_>, result: &SarifResult<'_>) -> bool {
        let Some(id) = message.id.as_deref() else {
            return false;
        };
        if !message.arguments.is_empty() || message.plain().is_some() {
            return false;
        }
        let index = result.rule_index.as_ref().and_then(Loose::as_number);
        let (rule, _) = self
            .rules
            .find(result.rule_id.as_deref(), index, result.rule.as_ref());
        let text = self.rules.message(rule, id);
        text.is_some_and(|text| text.contains("{0}"))
    }

    fn severity(
        &self,
        result: &SarifResult<'_>,
        rule: Option<&Rule<'h>>,
        pointer: &str,
        reading: &mut Reading,
    ) -> (Option<f64>, Severity) {
        let own_score = result.properties.as_ref().map_or(Scored::Absent, score_of);
        let of_rule = rule.map_or(&Scored::Absent, |rule| &rule.security_severity);
        let place = || format!("{pointer}/properties/security-severity");
        // One that says nothing is told, and the rule's counts.
        let score = match (&own_score, of_rule) {
            (Scored::Absent, _) => of_rule,
            // Zero stands for a score that is not known.
            (Scored::Score(own), Scored::Score(_) | Scored::Word(_)) if *own <= 0.0 => of_rule,
            (Scored::Unknown(word), Scored::Score(_) | Scored::Word(_)) => {
                let message = format!("The security-severity {word:?} is no score.");
                reading.problem(place(), message);
                of_rule
            }
            _ => &own_score,
        };
        match score {
            // Tools write zero where they do not know; a level says more then.
            Scored::Score(score) if *score > 0.0 => {
                return (Some(*score), Severity::from_cvss_score(*score));
            }
            Scored::Word(severity) => {
                let message = "The security-severity is a word and no number; the word counts.";
                reading.problem(place(), message);
                return (None, *severity);
            }
            Scored::Unknown(word) => {
                let message = format!("The security-severity {word:?} is no score.");
                reading.problem(place(), message);
            }
            Scored::Score(_) | Scored::Absent => {}
        }
        let overridden = || self.overridden(result, rule);
        let given = [
            Some(&result.level),
            overridden().map(|configuration| &configuration.level),
            rule.map(|rule| rule.level),
        ];
        if given.iter().flatten().any(|level| level.is_null()) {
            reading.problem(format!("{pointer}/level"), "The level is null.");
        }
        let level = given.into_iter().flatten().find_map(|level| level.text());
        if let Some(level) = level {
            let severity = match level {
                "error" => Some(Severity::High),
                "warning" => Some(Severity::Medium),
                // 3.27.10: a minor problem or an opportunity to improve. Tools with words of their own (Semgrep) write
                // their "info" as note.
                "note" | "none" => Some(Severity::Info),
                other => Severity::from_scanner_word(other),
            };
            if let Some(severity) = severity {
                return (None, severity);
            }
            let message = format!(
                "The level {:?} is not in the standard; what has it is unrated.",
                title(level)
            );
            reading.problem(format!("{pointer}/level"), message);
            return (None, Severity::Unrated);
        }
        match score {
            Scored::Score(score) => return (Some(*score), Severity::from_cvss_score(*score)),
            Scored::Unknown(_) => return (None, Severity::Unrated),
            Scored::Word(_) | Scored::Absent => {}
        }
        let rank_of = |rank: &Option<Loose<'_>>| rank.as_ref().and_then(Loose::as_number);
        let rank = rank_of(&result.rank)
            .or_else(|| rank_of(&overridden()?.rank))
            .or_else(|| rule?.rank);
        match rank.filter(|rank| (0.0..=100.0).contains(rank)) {
            Some(rank) => (None, Severity::from_cvss_score(rank / 10.0)),
            None => (None, Severity::Medium),
        }
    }

    /// The level and rank that the invocation which produced the result was configured to give its rule (3.27.10, 3.27.25).
    fn overridden(
        &self,
        result: &SarifResult<'_>,
        rule: Option<&Rule<'h>>,
    ) -> Option<&'h Configuration<'h>> {
        let invocation = index_of(result.provenance.as_ref()?.invocation_index.as_ref())?;
        let overrides = &self
            .head
            .invocations
            .get(invocation)?
            .rule_configuration_overrides;
        let address = |rule: Option<&Rule<'h>>| rule.map_or(std::ptr::null(), std::ptr::from_ref);
        let index = self.overrides.get(invocation)?.get_or_init(|| {
            let mut index = Overrides::default();
            for (at, entry) in overrides.iter().enumerate().rev() {
                let named = &entry.descriptor;
                let number = named.index.as_ref().and_then(Loose::as_number);
                let (rule, _) = self.rules.find(named.id.as_deref(), number, Some(named));
                index
                    .by_rule
                    .insert((address(rule), named.id.as_deref().unwrap_or("")), at);
                if let Some(number) = index_of(named.index.as_ref())
                    && rule.is_none()
                    && named.tool_component.is_none()
                {
                    index.by_index.insert(number, at);
                }
            }
            index
        });
        // By the id of the result, which may be a part of the rule's, by the rule's own, or by the rule alone.
        let ids = [
            result.rule_id.as_deref(),
            rule.and_then(|rule| rule.id.as_deref()),
            rule.map(|_| ""),
        ];
        let by_rule = ids
            .into_iter()
            .flatten()
            .filter_map(|id| index.by_rule.get(&(address(rule), id)));
        let number = index_of(result.rule_index.as_ref()).filter(|_| rule.is_none());
        let by_index = number.and_then(|number| index.by_index.get(&number));
        let first = by_rule.chain(by_index).min()?;
        Some(&overrides[*first].configuration)
    }

    /// A message's words: its text, or the string it names, with its arguments put in.
    fn worded<'m>(&self, message: &'m Message<'_>, rule: Option<&Rule<'h>>) -> Option<Worded<'m>>
    where
        'h: 'm,
    {
        let by_id = || Some(self.shared(self.rules.message(rule, message.id.as_deref()?)?));
        let text: &'m str = message.plain().or_else(by_id)?;
        Some(without_links(with_arguments(text, &message.arguments)))
    }

    /// As [`Self::worded`], of a message that many results share.
    fn worded_shared(&self, message: &Message<'_>, rule: Option<&Rule<'h>>) -> Option<String> {
        let own = message.plain().map(|text| self.shared(text));
        let text = own.or_else(|| {
            let text = self.rules.message(rule, message.id.as_deref()?)?;
            Some(self.shared(text))
        })?;
        Some(without_links(with_arguments(text, &message.arguments)).into_owned())
    }

    fn add_places(&self, result: &SarifResult<'_>, finding: &mut Finding) {
        if let Some(first) = result.locations.first() {
            let (place, end_column) = self.place(first, None, None);
            finding.path = place.path;
            let physical = first.physical_location.as_ref();
            let artifact = physical.and_then(|physical| physical.artifact_location.as_ref());
            finding.path_is_absolute = self.paths.is_absolute(artifact);
            finding.start_line = place.start_line;
            finding.end_line = place.end_line;
            finding.start_column = place.start_column;
            finding.end_column = end_column;
            finding.snippet = place.snippet;
            self.add_logical(first, finding);
        }
        if finding.path.is_none() {
            let target = result.analysis_target.as_ref();
            finding.path = self.paths.path(target);
            finding.path_is_absolute = self.paths.is_absolute(target);
        }
        let rest = |locations: &[Location<'_>], skip: usize| {
            let places = locations.iter().skip(skip).take(MOST_PLACES);
            places
                .map(|location| self.place(location, None, None).0)
                .collect::<Vec<_>>()
        };
        finding.other_places = rest(&result.locations, 1);
        finding.related = rest(&result.related_locations, 0);
    }

    fn add_logical(&self, location: &Location<'_>, finding: &mut Finding) {
        for logical in location.logical_locations.list() {
            let listed =
                index_of(logical.index.as_ref()).and_then(|at| self.head.logical_locations.get(at));
            let name = logical
                .fully_qualified_name
                .as_deref()
                .or(logical.name.as_deref());
            let listed =
                listed.and_then(|l| l.fully_qualified_name.as_deref().or(l.name.as_deref()));
            let Some(name) = name
                .or_else(|| listed.map(|name| self.shared(name)))
                .map(clean_line)
                .filter(|name| !name.is_empty())
            else {
                continue;
            };
            if let Some((component, version)) = package_url(&name) {
                finding.component.get_or_insert(component);
                if finding.component_version.is_none() {
                    finding.component_version = version;
                }
            }
            finding.scope.get_or_insert(name);
        }
    }

    /// What the report shows of a region: as it says itself, or out of the lines around it, or of the whole file.
    fn snippet<'r>(
        &self,
        physical: &'r PhysicalLocation<'_>,
        region: &'r Region<'_>,
        listed: Option<usize>,
    ) -> Option<&'r str>
    where
        'h: 'r,
    {
        let bounded = |text: &'r str| match listed {
            Some(_) => self.shared(text),
            None => text,
        };
        let lines = region_lines(region);
        let in_context = || {
            let context = physical.context_region.as_ref()?;
            let text = snippet(context)?;
            let (first, last) = lines?;
            let before = context.start_line.0?.checked_sub(1)?;
            let find = || {
                let found = Lines::of(text).get(first.checked_sub(before)?, last - before)?;
                let from = found.as_ptr() as usize - text.as_ptr() as usize;
                Some((from, from + found.len()))
            };
            let (from, to) = match listed {
                // Steps of many results may lead there.
                Some(at) => *self
                    .flow_contexts
                    .borrow_mut()
                    .entry(at)
                    .or_insert_with(find),
                None => find(),
            }?;
            text.get(from..to).map(bounded)
        };
        let in_file = || {
            let at = index_of(physical.artifact_location.as_ref()?.index.as_ref())?;
            let (first, last) = lines?;
            let text = self.contents.get(at)?.as_ref()?.get(first, last)?;
            Some(self.shared(text))
        };
        snippet(region)
            .map(bounded)
            .or_else(in_context)
            .or_else(in_file)
    }

    /// A place, and its end column. `listed` is its number among the places that code flows of all results share.
    fn place(
        &self,
        location: &Location<'_>,
        rule: Option<&Rule<'h>>,
        listed: Option<usize>,
    ) -> (Place, Option<u32>) {
        let mut place = Place::default();
        let mut end_column = None;
        if let Some(physical) = &location.physical_location {
            let artifact = physical.artifact_location.as_ref();
            place.path = self.paths.path(artifact);
            if let Some(region) = &physical.region {
                place.start_line = region.start_line.0;
                place.start_column = region.start_column.0;
                end_column = region.end_column.0;
                // 3.30.7: absent, it is the start line; it cannot lie before it.
                place.end_line = region
                    .end_line
                    .0
                    .max(place.start_line)
                    .filter(|_| place.start_line.is_some());
                place.snippet = self
                    .snippet(physical, region, listed)
                    .map(|text| clean(text.trim_end()).into_owned())
                    .filter(|text| !text.is_empty());
            }
        }
        let message = location.message.as_ref().and_then(|message| match listed {
            Some(_) => self.worded_shared(message, rule).map(Cow::Owned),
            None => self.worded(message, rule),
        });
        place.message = message
            .map(|text| clean_line(&text))
            .filter(|text| !text.is_empty());
        (place, end_column)
    }

    fn code_flows(&self, result: &SarifResult<'_>, rule: Option<&Rule<'h>>) -> Vec<CodeFlow> {
        let mut flows = Vec::new();
        for flow in &*result.code_flows {
            for thread in &*flow.thread_flows {
                if flows.len() == MOST_FLOWS {
                    return flows;
                }
                let steps = thread.locations.iter().take(MOST_STEPS).filter_map(|step| {
                    if let Some(location) = &step.location {
                        return Some(self.place(location, rule, None).0);
                    }
                    let at = index_of(step.index.as_ref())?;
                    let listed = self.head.thread_flow_locations.get(at)?;
                    Some(self.place(listed.location.as_ref()?, rule, Some(at)).0)
                });
                let message = thread.message.as_ref().or(flow.message.as_ref());
                flows.push(CodeFlow {
                    message: message
                        .and_then(|message| self.worded(message, rule))
                        .map(|text| clean_line(&text)),
                    steps: steps.collect(),
                });
            }
        }
        flows
    }

    fn category(&self, finding: &Finding) -> Category {
        let is_tagged = |words: &[&str]| {
            finding
                .tags
                .iter()
                .any(|tag| words.iter().any(|word| tag.eq_ignore_ascii_case(word)))
        };
        if is_tagged(&["secret", "secrets", "hardcoded-secret"]) {
            return Category::Secret;
        }
        let has_component = finding.component.is_some() || !finding.cve.is_empty();
        match self.tool_kind {
            Some(Category::Configuration | Category::Container) | None if has_component => {
                Category::Dependency
            }
            Some(kind) => kind,
            None if is_tagged(&["misconfiguration", "iac"]) => Category::Configuration,
            None => Category::Code,
        }
    }
}

fn title_of(result: &SarifResult<'_>, rule: Option<&Rule<'_>>, message: Option<&str>) -> String {
    // Trivy's message is a list of fields, one a line, with the package first.
    let message = message.filter(|text| !text.starts_with("Package: "));
    let of_rule = || {
        rule.and_then(|rule| {
            rule.short
                .as_deref()
                .or(rule.name.as_deref())
                .or(rule.id.as_deref())
        })
    };
    let text = message
        .or_else(of_rule)
        .or(result.rule_id.as_deref())
        .unwrap_or("");
    title(text)
}

fn add_properties(result: &SarifResult<'_>, finding: &mut Finding, ids: &mut Ids) {
    let Some(properties) = &result.properties else {
        return;
    };
    ids.add_properties(properties);
    finding.component = text_of(properties.component.as_ref());
    finding.component_version = text_of(properties.component_version.as_ref());
    finding.fixed_version = text_of(properties.fixed_version.as_ref());
    if let Some(tags) = &properties.tags {
        tags.each_text(&mut |tag| {
            push_new(&mut finding.tags, Shared::from(clean_line(tag)));
        });
    }
}

fn shared_id(ids: &mut HashMap<String, Shared>, id: &str) -> Shared {
    if let Some(known) = ids.get(id) {
        return known.clone();
    }
    let shared = Shared::from(clean_line(id));
    ids.insert(id.to_owned(), shared.clone());
    shared
}

fn status_of(result: &SarifResult<'_>, asks_for_review: bool) -> ScannerStatus {
    if result.baseline_state.text() == Some("absent") {
        return ScannerStatus::Absent;
    }
    let is_undecided = |suppression: &schema::Suppression<'_>| {
        let status = suppression
            .status
            .as_deref()
            .or(suppression.state.as_deref());
        matches!(status, Some("underReview" | "rejected"))
    };
    let suppressions = result.suppressions.list();
    if !suppressions.is_empty() && !suppressions.iter().any(is_undecided) {
        ScannerStatus::Suppressed
    } else if asks_for_review {
        ScannerStatus::Review
    } else {
        ScannerStatus::Open
    }
}

/// Where and why it was suppressed: the first that says why, else the first.
fn add_suppression(result: &SarifResult<'_>, finding: &mut Finding) {
    if finding.status != ScannerStatus::Suppressed {
        return;
    }
    let reason = |suppression: &schema::Suppression<'_>| {
        let said = suppression.justification.as_deref()?;
        Some(shortened(said, MOST_REASON_CHARS)).filter(|said| !said.is_empty())
    };
    let mut all = result.suppressions.list().iter();
    let told = all
        .clone()
        .find(|suppression| reason(suppression).is_some());
    if let Some(suppression) = told.or_else(|| all.next()) {
        finding.suppression_kind = match suppression.kind.as_deref() {
            Some("inSource" | "suppressedInSource") => Some(SuppressionKind::InSource),
            Some("external" | "suppressedExternally") => Some(SuppressionKind::External),
            _ => None,
        };
        finding.suppression_reason = reason(suppression);
    }
}

/// A result's fingerprint.
struct Print {
    text: String,
    is_partial: bool,
    former: Vec<FormerFingerprint>,
}

/// The result's fingerprint.
///
/// Full fingerprints come first, then the correlation id (3.27.5), then partial ones. Of several the hash of the line is
/// taken if it is there, else all of them together. GitHub's hash ends in the number of the twin (`:2`), which would
/// change when another twin goes; twins are told apart by our own order, so it is left out.
///
/// Of one fingerprint in several versions (`ctx/v1`, `ctx/v2`) the newest supersedes the others (3.27.16, 3.27.17): a tool
/// gives both for a while and stops to give the older one. While it gives both, the older one finds what was stored by it,
/// and so does each other kind.
fn fingerprint(result: &SarifResult<'_>) -> Option<Print> {
    let full = prints_of(result.fingerprints.as_ref()).map(|prints| joined(prints, false));
    let guid = result.correlation_guid.as_deref().map(str::trim);
    let correlated = guid.filter(|guid| !guid.is_empty()).map(|guid| Print {
        text: clean_line(guid),
        is_partial: false,
        former: Vec::new(),
    });
    let partial =
        prints_of(result.partial_fingerprints.as_ref()).map(|prints| joined(prints, true));
    let mut given = [full, correlated, partial].into_iter().flatten();
    let mut print = given.next()?;
    // A tool that begins to give a better kind gave only the others before.
    for other in given {
        print.former.push(FormerFingerprint {
            text: other.text,
            is_partial: other.is_partial,
        });
        print.former.extend(other.former);
    }
    Some(print)
}

/// The named fingerprints that say something.
fn prints_of<'p>(prints: Option<&'p Loose<'_>>) -> Option<Vec<(&'p str, String)>> {
    let Some(Loose::Object(entries)) = prints else {
        return None;
    };
    let mut prints = Vec::new();
    for (name, value) in entries {
        value.each_text(&mut |text| {
            let text = text.trim();
            if text.is_empty() || text.eq_ignore_ascii_case("requires login") {
                return;
            }
            let hash = text
                .rsplit_once(':')
                .filter(|(_, n)| is_line_hash(name) && n.bytes().all(|b| b.is_ascii_digit()));
            let text = hash.map_or(text, |(hash, _)| hash);
            prints.push((&**name, clean_line(text)));
        });
    }
    (!prints.is_empty()).then_some(prints)
}

fn is_line_hash(name: &str) -> bool {
    name.starts_with("primaryLocationLineHash")
}

/// Of more fingerprints than these not every choice of some is looked up, but each by itself.
const MOST_CHOSEN_FROM: usize = 4;

fn joined(prints: Vec<(&str, String)>, is_partial: bool) -> Print {
    let join = |prints: &mut dyn Iterator<Item = &str>| {
        let mut parts: Vec<&str> = prints.collect();
        parts.sort_unstable();
        parts.dedup();
        parts.join(" ")
    };
    let mut newest: HashMap<&str, u64> = HashMap::new();
    for (name, _) in &prints {
        let (base, version) = versioned(name);
        let known = newest.entry(base).or_default();
        *known = version.max(*known);
    }
    let is_newest = |name: &str| {
        let (base, version) = versioned(name);
        newest.get(base) == Some(&version)
    };
    let has_line_hash = prints.iter().any(|(name, _)| is_line_hash(name));
    let counts = |name: &str| is_newest(name) && (!has_line_hash || is_line_hash(name));
    let text = join(
        &mut prints
            .iter()
            .filter(|(name, _)| counts(name))
            .map(|(_, text)| &**text),
    );
    // Every choice of some of them, as the bits of a number.
    let chosen: Vec<u32> = match prints.len() {
        n @ 2..=MOST_CHOSEN_FROM => (1..1 << n).collect(),
        n => (0..n.min(16)).filter(|_| n > 1).map(|at| 1 << at).collect(),
    };
    let mut former: Vec<(u32, String)> = chosen
        .into_iter()
        .map(|bits| {
            let chosen = prints
                .iter()
                .enumerate()
                .filter(|(at, _)| bits & (1 << at) != 0);
            (
                bits.count_ones(),
                join(&mut chosen.map(|(_, (_, text))| &**text)),
            )
        })
        .filter(|(_, former)| *former != text)
        .collect();
    former.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
    former.dedup();
    Print {
        text,
        is_partial,
        former: former
            .into_iter()
            .map(|(_, text)| FormerFingerprint { text, is_partial })
            .collect(),
    }
}

/// The name without its version, and the version: `ctx/v2` is `ctx` in version 2.
fn versioned(name: &str) -> (&str, u64) {
    let split = name.rsplit_once("/v");
    split
        .and_then(|(base, version)| Some((base, version.parse().ok()?)))
        .unwrap_or((name, 0))
}

fn snippet<'r>(region: &'r Region<'_>) -> Option<&'r str> {
    region.snippet.as_ref().and_then(Message::plain)
}

/// The first and the last line of a region.
fn region_lines(region: &Region<'_>) -> Option<(u32, u32)> {
    let start = region.start_line.0?;
    Some((start, region.end_line.0.unwrap_or(start).max(start)))
}

/// Package and versions, where the tool only tells them in its message: Trivy, Grype and OSV-Scanner.
fn add_package(finding: &mut Finding, message: Option<&str>) {
    let Some(message) = message.filter(|_| {
        finding.component.is_none() && !(finding.cve.is_empty() && finding.aliases.is_empty())
    }) else {
        return;
    };
    let field = |name: &str| {
        let lines = message
            .lines()
            .filter_map(|line| line.trim().strip_prefix(name));
        lines.map(clean_line).find(|value| !value.is_empty())
    };
    if let Some(package) = field("Package: ") {
        finding.component_version = field("Installed Version: ");
        finding.fixed_version = field("Fixed Version: ");
        let id = finding
            .cve
            .first()
            .or(finding.aliases.first())
            .map_or("", String::as_str);
        let version = finding.component_version.as_deref().unwrap_or("");
        let about = if finding.title.contains(id) {
            ""
        } else {
            &finding.title
        };
        let parts = [id, "in", &package, version, about];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        finding.title = title(&parts.join(" "));
        finding.component = Some(package);
    } else if let Some((_, rest)) = message.split_once(" package: ")
        && let Some((package, rest)) = rest.split_once(", version ")
    {
        finding.component = Some(clean_line(package));
        finding.component_version = rest.split_whitespace().next().map(str::to_owned);
    } else if let Some((_, rest)) = message.split_once("Package '")
        && let Some((package, _)) = rest.split_once("' is vulnerable")
    {
        let (name, version) = package.rsplit_once('@').unwrap_or((package, ""));
        finding.component = Some(clean_line(name));
        finding.component_version = Some(clean_line(version)).filter(|version| !version.is_empty());
    }
}

/// Name and version of a package URL (`pkg:npm/%40scope/name@1.2.3`).
pub(in crate::formats) fn package_url(text: &str) -> Option<(String, Option<String>)> {
    let rest = text.strip_prefix("pkg:")?;
    let rest = rest.split(['?', '#']).next()?;
    let (_, name) = rest.split_once('/')?;
    let (name, version) = match name.rsplit_once('@') {
        Some((name, version)) if !name.is_empty() => (name, Some(version.to_owned())),
        _ => (name, None),
    };
    Some((percent_decode(name), version.map(|v| percent_decode(&v))))
}

/// What a tool is known to look for.
fn kind_of_tool(name: &str) -> Option<Category> {
    let name = name.to_ascii_lowercase();
    let is_any = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if is_any(&[
        "gitleaks",
        "trufflehog",
        "detect-secrets",
        "kingfisher",
        "secretlint",
        "betterleaks",
        "ggshield",
        "noseyparker",
        "whispers",
    ]) {
        Some(Category::Secret)
    } else if is_any(&[
        "grype",
        "osv-scanner",
        "dependency-check",
        "govulncheck",
        "cargo-audit",
        "pip-audit",
        "npm audit",
        "snyk open source",
    ]) {
        Some(Category::Dependency)
    } else if is_any(&["hadolint", "dockle", "docker-bench"]) {
        Some(Category::Container)
    } else if is_any(&[
        "checkov",
        "kics",
        "tfsec",
        "terrascan",
        "trivy",
        "kube-linter",
        "kubescape",
        "kubesec",
        "zizmor",
        "actionlint",
        "cfn-lint",
    ]) {
        Some(Category::Configuration)
    } else if is_any(&["zap", "nuclei", "nikto", "burp"]) {
        Some(Category::Web)
    } else if is_any(&[
        "ruff",
        "yamllint",
        "eslint",
        "pylint",
        "flake8",
        "shellcheck",
        "sqlfluff",
        "markdownlint",
    ]) {
        Some(Category::Style)
    } else {
        None
    }
}
