//! What the modules of single formats share: a format as data, and the report that is being made.

use std::collections::BTreeMap;
use std::rc::Rc;

use holdpoint_domain::{Digest, Severity};

use super::lists::{ListPath, Wrong};
use super::ratings::rate_malicious;
use super::sarif::{Ids, push_new};
use super::tree::{self, Each, Nth, Pattern};
use crate::importer::has_lists;
use crate::json::Loose;
use crate::text::{clean, clean_line, is_absolute_path, is_url, normal_path, shortened, title};
use crate::{
    Body, Category, Confidence, Finding, ImportError, Importer, Problem, ScannerStatus, Shape,
    Shared, Sink, Sniff, Summary,
};

/// CWE-798.
const HARD_CODED_CREDENTIALS: u32 = 798;

/// Reports of no findings that say nothing of their tool, and the formats that have such: only a person who names the format
/// makes them reports of it.
const BARE: &[(&str, &[&str])] = &[
    (
        "[]",
        &[
            "actionlint",
            "auditjs",
            "github_annotations",
            "github_sast",
            "github_secrets_detection_report",
            "github_vulnerability",
            "nuclei",
            "pylint",
            "shellcheck",
            "sqlfluff",
            "trufflehog",
            "trufflehog3",
            "whispers",
        ],
    ),
    ("{\"results\":[]}", &["osv_scanner", "semgrep"]),
    ("{\"results\":[],\"errors\":[]}", &["semgrep"]),
    ("{\"errors\":[],\"results\":[]}", &["semgrep"]),
    ("{\"advisories\":[]}", &["composer_audit"]),
    ("{\"issues\":[],\"errors\":[]}", &["tflint"]),
    ("{\"findings\":[]}", &["aws_inspector2", "generic"]),
    ("{\"Findings\":[]}", &["asff"]),
    ("null", &["secretlint"]),
];

/// What files are called by convention, where that is not the name of their format.
const FILE_NAMES: &[(&str, &[&str])] = &[
    ("detect_secrets", &[".secrets.baseline"]),
    ("gitlab_code_quality", &["gl-code-quality-report.json"]),
    (
        "gitlab_container_scan",
        &["gl-container-scanning-report.json"],
    ),
    ("gitlab_dast", &["gl-dast-report.json"]),
    ("gitlab_dep_scan", &["gl-dependency-scanning-report.json"]),
    ("gitlab_sast", &["gl-sast-report.json"]),
    (
        "gitlab_secret_detection_report",
        &["gl-secret-detection-report.json"],
    ),
];

/// The key that a path of a list begins with, unless it may be left out.
fn first_key(path: &'static str) -> Option<&'static str> {
    let path = path.trim_end_matches(['{', '}', '[', ']']);
    let mut steps = path.split('/').skip_while(|step| *step == "*");
    let step = steps.next()?;
    (!step.is_empty() && !step.contains('?')).then(|| step.trim_end_matches('~'))
}

/// Of one kind of trouble in a file so many are told one by one.
const MOST_PROBLEMS: usize = 100;

/// A scanner format: how it is recognised and how it is read.
#[derive(Debug)]
pub struct Format {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// The tool's name where the file does not say it.
    pub(super) tool: &'static str,
    pub(super) detect: fn(&Sniff<'_>) -> Confidence,
    /// The lists that the tool always writes, see [`super::lists`]. Without one that is here a scan is incomplete.
    pub(super) lists: &'static [&'static str],
    pub(super) read: fn(&mut Reading<'_>, Body<'_>) -> Result<(), ImportError>,
}

impl Importer for Format {
    fn name(&self) -> &'static str {
        self.name
    }

    fn title(&self) -> &'static str {
        self.title
    }

    fn file_names(&self) -> &'static [&'static str] {
        let own = FILE_NAMES.iter().find(|(name, _)| *name == self.name);
        own.map_or(&[], |(_, ends)| *ends)
    }

    fn keys(&self) -> Vec<&'static str> {
        let mut keys = Vec::new();
        for key in self.lists.iter().filter_map(|path| first_key(path)) {
            push_new(&mut keys, key);
        }
        keys
    }

    fn detect(&self, sniff: &Sniff<'_>) -> Confidence {
        let is_bare = BARE
            .iter()
            .any(|(bare, formats)| formats.contains(&self.name) && is_only(sniff, bare));
        let possible = if is_bare {
            Confidence::Possible
        } else {
            Confidence::No
        };
        (self.detect)(sniff).max(possible)
    }

    fn read(&self, body: Body<'_>, sink: Sink<'_>) -> Result<Summary, ImportError> {
        let mut reading = Reading {
            format: self.name,
            summary: Summary {
                format: self.name,
                ..Summary::default()
            },
            sink,
            n_findings: 0,
            n_problems: 0,
            lists: self
                .lists
                .iter()
                .map(|path| ListPath::parse(path))
                .collect(),
            unknown_words: BTreeMap::new(),
            nameless: None,
            has_malicious: false,
        };
        self.tool.clone_into(&mut reading.summary.tool.name);
        (self.read)(&mut reading, body)?;
        if let Some(pointer) = reading.nameless.take() {
            let message = format!(
                "what is here says no rule, no title and no component, so it is nothing that {} reports.",
                self.tool
            );
            return Err(reading.broken(&pointer, message));
        }
        // A person can name the format of any file. What has no finding and is not recognised either is perhaps an error message,
        // and no evidence that there is nothing to find.
        let is_other = reading.summary.format != self.name;
        if reading.n_findings == 0
            && !is_other
            && self.detect(&Sniff::of_body(body, None)) == Confidence::No
        {
            let message = format!(
                "nothing in it is of a {} report. Is it another format, or an error in the place of a report?",
                self.title
            );
            return Err(reading.broken("$", message));
        }
        Ok(reading.finish())
    }
}

/// A report while its file is read.
pub(super) struct Reading<'s> {
    pub(super) format: &'static str,
    pub(super) summary: Summary,
    sink: Sink<'s>,
    n_findings: usize,
    n_problems: usize,
    lists: Rc<[ListPath]>,
    /// Words that are not known, by what they are of and themselves: where the first stands, and how many there are.
    unknown_words: BTreeMap<(&'static str, String), (String, usize)>,
    /// Where the first element is that says nothing of what it is.
    nameless: Option<String>,
    has_malicious: bool,
}

impl Reading<'_> {
    pub(super) fn add(&mut self, mut finding: Finding) {
        self.n_findings += 1;
        if finding.title.is_empty() {
            let named = finding.rule_name.as_deref().or(finding.rule.as_deref());
            let named = named
                .or(finding.message.as_deref())
                .or(finding.component.as_deref());
            match named {
                Some(named) => finding.title = title(named),
                None if self.nameless.is_none() => self.nameless = Some(finding.pointer.clone()),
                None => {}
            }
        }
        self.has_malicious |= rate_malicious(&mut finding);
        (self.sink)(finding);
    }

    pub(super) fn not_a_finding(&mut self) {
        self.summary.n_not_findings += 1;
    }

    pub(super) fn problem(&mut self, where_: impl Into<String>, message: impl Into<String>) {
        self.n_problems += 1;
        if self.n_problems <= MOST_PROBLEMS {
            self.summary.problems.push(Problem {
                where_: where_.into(),
                message: message.into(),
            });
        }
    }

    /// Notes that the scan did not see everything, and where the file says so.
    pub(super) fn incomplete(&mut self, where_: impl Into<String>, reason: &str) {
        let reason = title(reason);
        self.problem(where_, format!("The scan is incomplete: {reason}."));
        self.summary.completeness.note(reason);
    }

    pub(super) fn tool(&mut self, name: &str, version: &str) {
        let (name, version) = (clean_line(name), clean_line(version));
        if !name.is_empty() {
            self.summary.tool.name = name;
        }
        if !version.is_empty() {
            self.summary.tool.version = Some(version);
        }
    }

    pub(super) fn scanned_at(&mut self, text: &str) {
        self.summary.scanned_at = shown_line(text).or(self.summary.scanned_at.take());
    }

    pub(super) fn commit(&mut self, text: &str) {
        if let Some(commit) = shown_line(text) {
            self.summary.add_commit(commit);
        }
    }

    pub(super) fn repository(&mut self, text: &str) {
        self.summary.repository = shown_line(text).or(self.summary.repository.take());
    }

    /// See [`Summary::target`]; of several in one file none is the scan's.
    pub(super) fn target(&mut self, text: &str) {
        self.summary.target = shown_line(text).or(self.summary.target.take());
    }

    /// As [`Self::target`], of an image: without tag and digest, which change with each build.
    pub(super) fn image(&mut self, reference: &str) {
        self.target(image_name(reference));
    }

    pub(super) fn branch(&mut self, text: &str) {
        self.summary.branch = shown_line(text).or(self.summary.branch.take());
    }

    /// The severity that a word of the tool stands for. No word, and one that is not known, is no rating: that is told.
    pub(super) fn severity(&mut self, where_: &str, word: &str) -> Severity {
        Severity::from_scanner_word(word).unwrap_or_else(|| {
            self.unknown_word(where_, "severity", word);
            Severity::Unrated
        })
    }

    /// Notes a word of the file that is not known, or that is missing; it is told once, with how often it is there.
    pub(super) fn unknown_word(&mut self, where_: &str, of: &'static str, word: &str) {
        const MOST_WORDS: usize = 100;
        let key = (of, title(word));
        if let Some((_, n)) = self.unknown_words.get_mut(&key) {
            *n += 1;
        } else if self.unknown_words.len() < MOST_WORDS {
            self.unknown_words.insert(key, (where_.to_owned(), 1));
        } else {
            self.problem(where_, format!("Further words of {of} are not known."));
        }
    }

    /// Notes that the tool counts more than the file lists.
    pub(super) fn declared(&mut self, where_: &str, declared: Option<f64>, n_listed: usize) {
        #[expect(clippy::cast_precision_loss, reason = "no file has so many elements")]
        let n = n_listed as f64;
        if let Some(declared) = declared.filter(|declared| *declared > n) {
            let reason = format!("the tool counts {declared}, and {n_listed} are listed");
            self.incomplete(where_, &reason);
        }
    }

    /// Notes that the tool has looked at nothing.
    pub(super) fn nothing_looked_at(&mut self, where_: &str, what: &str) {
        self.incomplete(where_, &format!("nothing was looked at: {what}"));
    }

    /// Looks whether the lists that the tool always writes are in a part of the file, which lies at a JSON pointer below the
    /// page that it is on: a list of pages is as one list.
    fn look_for_lists(
        &mut self,
        page: &str,
        pointer: &str,
        part: &Loose<'_>,
        streamed: &[Pattern],
    ) -> Result<(), ImportError> {
        let mut wrong = Vec::new();
        for path in &*Rc::clone(&self.lists) {
            path.look(pointer, part, streamed, &mut wrong);
        }
        let mut wrong = wrong.into_iter();
        wrong.try_for_each(|wrong| self.not_as_written(wrong.on_page(page)))
    }

    /// Refuses the file, or notes that the scan is incomplete, for a list that is not as the tool writes it.
    fn not_as_written(&mut self, wrong: Wrong) -> Result<(), ImportError> {
        let name = |is_object| if is_object { "object" } else { "list" };
        match wrong {
            Wrong::OtherType { at, is_object } => {
                let article = if is_object { "an" } else { "a" };
                let message = format!("{article} {} is required here.", name(is_object));
                return Err(self.broken(&format!("${}", at.replace('/', ".")), message));
            }
            Wrong::Missing { at, is_object } => {
                let tool = &self.summary.tool.name;
                let reason = format!(
                    "its {} {at} is missing, which {tool} always writes",
                    name(is_object)
                );
                self.incomplete(at, &reason);
            }
            Wrong::Null { at, is_object } => {
                let reason = format!("its {} {at} is null", name(is_object));
                self.incomplete(at, &reason);
            }
        }
        Ok(())
    }

    /// The objects in a list that an element always has; without it the scan is incomplete.
    pub(super) fn needed_list<'v, 'a>(
        &mut self,
        pointer: &str,
        element: &'v Loose<'a>,
        key: &str,
    ) -> Result<&'v [Loose<'a>], ImportError> {
        self.note_missing(pointer, element, key)?;
        self.optional_list(pointer, element, key)
    }

    /// As [`Self::needed_list`], of whatever elements.
    pub(super) fn needed_values<'v, 'a>(
        &mut self,
        pointer: &str,
        element: &'v Loose<'a>,
        key: &str,
    ) -> Result<&'v [Loose<'a>], ImportError> {
        self.note_missing(pointer, element, key)?;
        self.optional_values(pointer, element, key)
    }

    /// The objects in a list that an element may have.
    pub(super) fn optional_list<'v, 'a>(
        &mut self,
        pointer: &str,
        element: &'v Loose<'a>,
        key: &str,
    ) -> Result<&'v [Loose<'a>], ImportError> {
        let list = self.optional_values(pointer, element, key)?;
        if let Some(odd) = list.iter().position(|element| !element.is_object()) {
            let (at, is_object) = (format!("{pointer}/{key}/{odd}"), true);
            self.not_as_written(Wrong::OtherType { at, is_object })?;
        }
        Ok(list)
    }

    /// As [`Self::optional_list`], of whatever elements.
    pub(super) fn optional_values<'v, 'a>(
        &mut self,
        pointer: &str,
        element: &'v Loose<'a>,
        key: &str,
    ) -> Result<&'v [Loose<'a>], ImportError> {
        let (at, is_object) = (format!("{pointer}/{key}"), false);
        match element.at(key) {
            Loose::List(list) => return Ok(list),
            Loose::Null if element.has(key) => {
                self.not_as_written(Wrong::Null { at, is_object })?;
            }
            Loose::Null => {}
            _ => self.not_as_written(Wrong::OtherType { at, is_object })?,
        }
        Ok(&[])
    }

    /// Notes that the scan is incomplete where none of these keys is there, one of which an element always has: it says nothing then.
    pub(super) fn needs_any(&mut self, pointer: &str, element: &Loose<'_>, keys: &[&str]) {
        if !keys.iter().any(|key| element.has(key)) {
            let (key, tool) = (keys.join(" or "), &self.summary.tool.name);
            let reason = format!("{pointer} has no {key}, which {tool} always writes");
            self.incomplete(pointer, &reason);
        }
    }

    /// The page is the last one: none of these keys leads to a further one. Otherwise the scan is incomplete.
    pub(super) fn is_last_page(&mut self, pointer: &str, page: &Loose<'_>, keys: &[&str]) {
        if let Some(key) = keys.iter().find(|key| !page.text(key).is_empty()) {
            self.incomplete(format!("{pointer}/{key}"), "further pages are missing");
        }
    }

    fn note_missing(
        &mut self,
        pointer: &str,
        element: &Loose<'_>,
        key: &str,
    ) -> Result<(), ImportError> {
        if element.has(key) {
            return Ok(());
        }
        let (at, is_object) = (format!("{pointer}/{key}"), false);
        self.not_as_written(Wrong::Missing { at, is_object })
    }

    /// A refusal of the file.
    pub(super) fn broken(&self, at: &str, message: impl Into<String>) -> ImportError {
        ImportError::broken(self.format, at, &message.into())
    }

    /// A list, or a refusal of the file.
    pub(super) fn needs_list<'v, 'a>(
        &self,
        value: &'v Loose<'a>,
        path: &str,
    ) -> Result<&'v [Loose<'a>], ImportError> {
        let at = if path.is_empty() {
            value
        } else {
            value.at(path)
        };
        match at {
            Loose::List(list) => Ok(list),
            Loose::Null => Err(self.broken(
                &json_path(path),
                "a list is required here, and there is none.",
            )),
            _ => Err(self.broken(&json_path(path), "a list is required here.")),
        }
    }

    /// Reads the file as SARIF.
    pub(super) fn sarif(&mut self, text: Body<'_>) -> Result<(), ImportError> {
        let (n_findings, sink) = (&mut self.n_findings, &mut *self.sink);
        self.summary = super::sarif::Sarif.read(text, &mut |finding| {
            *n_findings += 1;
            sink(finding);
        })?;
        Ok(())
    }

    /// The whole of an XML text, whose first element has to have this name.
    pub(super) fn xml(
        &mut self,
        text: Body<'_>,
        root: &str,
    ) -> Result<Loose<'static>, ImportError> {
        self.xml_stream(text, &[root], &[], &mut |_, _, _| Ok(()))
    }

    /// As [`tree::xml`], whose first element has to have one of these names; the rest of that.
    pub(super) fn xml_stream(
        &mut self,
        text: Body<'_>,
        roots: &[&str],
        patterns: &[&[&str]],
        each: &mut dyn FnMut(&mut Self, Nth, &Loose<'_>) -> Result<(), ImportError>,
    ) -> Result<Loose<'static>, ImportError> {
        let format = self.format;
        let entries = match tree::xml(format, text, patterns, &mut |nth, element| {
            each(self, nth, element)
        })? {
            Loose::Object(entries) => entries,
            _ => Vec::new(),
        };
        let found = entries
            .into_iter()
            .find(|(name, _)| roots.contains(&&**name));
        match found {
            Some((_, value)) => Ok(value),
            None => {
                let roots = roots.join(" or ");
                Err(self.broken("line 1", format!("the element {roots} is required here.")))
            }
        }
    }

    pub(super) fn needs_object(&self, value: &Loose<'_>, path: &str) -> Result<(), ImportError> {
        let at = if path.is_empty() {
            value
        } else {
            value.at(path)
        };
        if at.is_object() {
            return Ok(());
        }
        Err(self.broken(&json_path(path), "an object is required here."))
    }

    /// As [`tree::stream`], where every element has to be an object.
    pub(super) fn stream<'a>(
        &mut self,
        text: Body<'a>,
        patterns: &[Pattern],
        each: &mut dyn FnMut(&mut Self, &str, &Loose<'_>) -> Result<(), ImportError>,
    ) -> Result<Loose<'a>, ImportError> {
        let format = self.format;
        let mut one = |page: &str, at: &str, element: &Loose<'_>| {
            let pointer = format!("{page}{at}");
            if !element.is_object() {
                return Err(ImportError::broken(
                    format,
                    &pointer,
                    "an object is required here.",
                ));
            }
            self.look_for_lists(page, at, element, &[])?;
            each(self, &pointer, element)
        };
        let is_list_of_pages = patterns == [&["*"]] && has_lists(text.beginning());
        let see: Each<'_> = &mut |pointer, element| match element {
            // Pages that were put into one list.
            Loose::List(page) if is_list_of_pages => {
                let mut page = page.iter().enumerate();
                page.try_for_each(|(at, element)| one(pointer, &format!("/{at}"), element))
            }
            _ if is_list_of_pages => Err(ImportError::broken(
                format,
                pointer,
                "a list is required here, as before.",
            )),
            element => one("", pointer, element),
        };
        let rest = tree::stream(format, text, patterns, see)?;
        self.look_for_lists("", "", &rest, patterns)?;
        Ok(rest)
    }

    /// The whole of a JSON text.
    pub(super) fn json<'a>(&mut self, text: Body<'a>) -> Result<Loose<'a>, ImportError> {
        let whole = tree::stream(self.format, text, &[], &mut |_, _| Ok(()))?;
        self.look_for_lists("", "", &whole, &[])?;
        Ok(whole)
    }

    /// As [`tree::documents`].
    pub(super) fn documents(
        &mut self,
        text: Body<'_>,
        each: &mut dyn FnMut(&mut Self, &str, &Loose<'_>) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let format = self.format;
        let mut one = |place: &str, value: &Loose<'_>| {
            if !value.is_object() {
                return Err(ImportError::broken(
                    format,
                    place,
                    "an object is required here.",
                ));
            }
            self.look_for_lists("", "", value, &[])?;
            each(self, place, value)
        };
        if text.begins_with('[') {
            // Documents that were put into one list, as `jq -s` does.
            tree::stream(format, text, &[&["*"]], &mut one)?;
            return Ok(());
        }
        tree::documents(format, text, &mut |line, value| {
            one(&format!("line {line}"), &value)
        })
    }

    /// As [`tree::rows`] of the whole file.
    pub(super) fn rows(
        &mut self,
        text: Body<'_>,
        delimiter: u8,
        needed: &[&str],
        each: &mut dyn FnMut(&mut Self, &str, &Loose<'_>) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        self.rows_after(0, text, delimiter, needed, each)
    }

    /// As [`tree::rows`], after so many bytes; a table that was cut off makes the scan incomplete.
    pub(super) fn rows_after(
        &mut self,
        before: usize,
        text: Body<'_>,
        delimiter: u8,
        needed: &[&str],
        each: &mut dyn FnMut(&mut Self, &str, &Loose<'_>) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let format = self.format;
        let cut_off = tree::rows(format, before, text, delimiter, needed, &mut |line, row| {
            each(self, &format!("line {line}"), row)
        })?;
        if let Some(cut) = cut_off {
            self.incomplete(format!("line {}", cut.line), cut.reason);
        }
        Ok(())
    }

    /// Notes that the scan is incomplete where the text of a tool that writes line by line ends within a line.
    pub(super) fn needs_last_line_break(&mut self, text: Body<'_>) -> Result<(), ImportError> {
        if let Some(line) = tree::unfinished_line(text)? {
            let reason = "the last line does not end in a line break; it may have been cut off";
            self.incomplete(format!("line {line}"), reason);
        }
        Ok(())
    }

    fn finish(mut self) -> Summary {
        for ((of, word), (where_, n)) in std::mem::take(&mut self.unknown_words) {
            let times = if n == 1 {
                String::new()
            } else {
                format!(" ({n} times)")
            };
            let meaning = match of {
                "severity" if self.has_malicious => {
                    "; what has it is unrated, but for malicious packages"
                }
                "severity" => "; what has it is unrated",
                "rating" => "; the score says more",
                _ => "",
            };
            let message = if word.is_empty() {
                format!("The {of} is missing{times}{meaning}.")
            } else {
                format!("The {of} {word:?} is not known{times}{meaning}.")
            };
            self.problem(where_, message);
        }
        if self.n_problems > MOST_PROBLEMS {
            self.summary.problems.push(Problem {
                where_: String::new(),
                message: format!(
                    "{} more problems of these kinds.",
                    self.n_problems - MOST_PROBLEMS
                ),
            });
        }
        self.summary
    }
}

/// For [`Reading::stream`] and [`Reading::documents`], where each element is one finding.
pub(super) fn adding(
    make: fn(&mut Reading<'_>, &str, &Loose<'_>) -> Finding,
) -> impl FnMut(&mut Reading<'_>, &str, &Loose<'_>) -> Result<(), ImportError> {
    move |reading, pointer, element| {
        let found = make(reading, pointer, element);
        reading.add(found);
        Ok(())
    }
}

fn json_path(path: &str) -> String {
    if path.is_empty() {
        "$".to_owned()
    } else {
        format!("$.{}", path.replace('/', "."))
    }
}

/// Whether the file is a JSON object with all these keys at its top.
pub(super) fn object_with(sniff: &Sniff<'_>, wanted: &[&str]) -> bool {
    matches!(&sniff.shape, Shape::Object { keys } if has_all(keys, wanted))
}

/// Whether the file is a JSON list whose first element is an object with all these keys.
pub(super) fn list_with(sniff: &Sniff<'_>, wanted: &[&str]) -> bool {
    matches!(&sniff.shape, Shape::List { keys } if has_all(keys, wanted))
}

fn has_all(keys: &[String], wanted: &[&str]) -> bool {
    wanted.iter().all(|key| keys.iter().any(|k| k == key))
}

/// Whether the file is XML whose first element is this one.
pub(super) fn root_is(sniff: &Sniff<'_>, name: &str) -> bool {
    matches!(&sniff.shape, Shape::Markup { root } if root.rsplit(':').next() == Some(name))
}

/// Whether the words of a warning say that something was not looked at, or not to its end.
pub(super) fn says_unfinished(words: &str) -> bool {
    const SIGNS: [&str; 32] = [
        "abort",
        "cancel",
        "can't",
        "cannot",
        "could not",
        "couldn't",
        "crash",
        "did not",
        "exceed",
        "fail",
        "fatal",
        "ignored file",
        "incomplete",
        "interrupt",
        "killed",
        "lexical",
        "memory",
        "not analy",
        "not scanned",
        "not supported",
        "overflow",
        "parse error",
        "parsing",
        "partial",
        "skip",
        "syntax",
        "terminated",
        "time out",
        "timed out",
        "timeout",
        "too ",
        "unable",
    ];
    let words = words.to_lowercase();
    SIGNS.iter().any(|sign| words.contains(sign))
}

/// An empty JSON list: the report of many tools that have found nothing.
pub(super) fn is_empty_list(sniff: &Sniff<'_>) -> bool {
    is_only(sniff, "[]")
}

/// Whether the file holds these few characters and white space, nothing else.
pub(super) fn is_only(sniff: &Sniff<'_>, wanted: &str) -> bool {
    let text = sniff.text.trim();
    text.len() < 64 && text.split_whitespace().collect::<String>() == wanted
}

pub(super) fn certain_if(is: bool) -> Confidence {
    if is {
        Confidence::Certain
    } else {
        Confidence::No
    }
}

/// As [`certain_if`]; an empty list is the report of many tools that have found nothing, so it is possible.
pub(super) fn certain_or_empty(sniff: &Sniff<'_>, is: bool) -> Confidence {
    if is_empty_list(sniff) {
        Confidence::Possible
    } else {
        certain_if(is)
    }
}

pub(super) fn likely_if(is: bool) -> Confidence {
    if is {
        Confidence::Likely
    } else {
        Confidence::No
    }
}

fn shown(text: &str) -> Option<String> {
    let text = clean(text.trim());
    (!text.is_empty()).then(|| text.into_owned())
}

fn shown_line(text: &str) -> Option<String> {
    let text = clean_line(text);
    (!text.is_empty()).then_some(text)
}

/// What a format's module says about a finding; empty texts are as if they had not been given.
impl Finding {
    /// A finding whose title may still be empty: [`Reading::add`] calls it after its rule, message or component then.
    pub(super) fn of(words: &str, severity: Severity, pointer: &str) -> Self {
        let mut finding = Self::new(String::new(), severity).with_title(words);
        pointer.clone_into(&mut finding.pointer);
        finding
    }

    pub(super) fn with_title(mut self, words: &str) -> Self {
        self.title = title(words);
        self
    }

    /// As [`vulnerability_title`], with the finding's own component and version.
    pub(super) fn with_vulnerability_title(self, id: &str, summary: &str) -> Self {
        let name = self.component.as_deref().unwrap_or("");
        let version = self.component_version.as_deref().unwrap_or("");
        let words = vulnerability_title(id, name, version, summary);
        self.with_title(&words)
    }

    pub(super) fn with_rule(mut self, id: &str) -> Self {
        self.rule = shown_line(id).map(Shared::from);
        self.with_ids(id)
    }

    pub(super) fn with_rule_name(mut self, name: &str) -> Self {
        self.rule_name = shown_line(name).map(Shared::from);
        self
    }

    pub(super) fn with_description(mut self, text: &str) -> Self {
        self.description = shown(text).map(Shared::from).or(self.description);
        self
    }

    pub(super) fn with_message(mut self, text: &str) -> Self {
        self.message = shown(text).or(self.message);
        self
    }

    pub(super) fn with_remediation(mut self, text: &str) -> Self {
        self.remediation = shown(text).map(Shared::from).or(self.remediation);
        self
    }

    /// Only addresses of the web are links.
    pub(super) fn with_link(mut self, url: &str) -> Self {
        let url = url.trim();
        if is_url(url) && self.help_url.is_none() {
            self.help_url = Some(Shared::from(clean_line(url)));
        }
        self
    }

    pub(super) fn with_path(mut self, path: &str) -> Self {
        if is_url(path.trim()) {
            self.path = shown_line(path);
            self.path_is_absolute = false;
            return self;
        }
        self.path_is_absolute = is_absolute_path(path);
        let path = normal_path(path, None);
        self.path = (!path.is_empty()).then_some(path);
        self
    }

    pub(super) fn with_lines(mut self, start: Option<u32>, end: Option<u32>) -> Self {
        let start = start.filter(|line| *line > 0);
        self.start_line = start;
        self.end_line = end
            .filter(|end| start.is_some_and(|start| *end >= start))
            .or(start);
        self
    }

    pub(super) fn with_columns(mut self, start: Option<u32>, end: Option<u32>) -> Self {
        self.start_column = start;
        self.end_column = end;
        self
    }

    pub(super) fn with_snippet(mut self, text: &str) -> Self {
        let text = clean(text.trim_end());
        self.snippet = (!text.trim().is_empty()).then(|| text.into_owned());
        self
    }

    pub(super) fn with_scope(mut self, name: &str) -> Self {
        self.scope = shown_line(name);
        self
    }

    /// Takes every CVE, CWE and other known id out of a text.
    pub(super) fn with_ids(mut self, text: &str) -> Self {
        let mut ids = Ids::default();
        ids.add_from(text);
        ids.cve
            .into_iter()
            .for_each(|id| push_new(&mut self.cve, id));
        ids.cwe
            .into_iter()
            .for_each(|id| push_new(&mut self.cwe, id));
        ids.aliases
            .into_iter()
            .for_each(|id| push_new(&mut self.aliases, id));
        self
    }

    /// An id of the problem: a CVE, or by any other name.
    pub(super) fn with_id(mut self, id: &str) -> Self {
        let known = |finding: &Self| (finding.cve.len(), finding.cwe.len(), finding.aliases.len());
        let before = known(&self);
        let is_there = |f: &Self| {
            f.cve
                .iter()
                .chain(&f.aliases)
                .any(|known| known == id.trim())
        };
        if is_there(&self) {
            return self;
        }
        self = self.with_ids(id);
        if known(&self) == before
            && let Some(id) = shown_line(id)
            && !self.cve.contains(&id)
        {
            push_new(&mut self.aliases, id);
        }
        self
    }

    /// Weaknesses, as numbers (`79`) or names (`CWE-79: …`) at any depth.
    pub(super) fn with_cwe(mut self, value: &Loose<'_>) -> Self {
        let mut ids = Ids::default();
        value.each_text(&mut |text| {
            let text = text.trim();
            if text.starts_with(|c: char| c.is_ascii_digit()) {
                ids.add_cwe(text);
            } else {
                ids.add_from(text);
            }
        });
        ids.cwe
            .into_iter()
            .for_each(|id| push_new(&mut self.cwe, id));
        self
    }

    pub(super) fn with_component(mut self, name: &str, version: &str) -> Self {
        self.component = shown_line(name);
        self.component_version = shown_line(version);
        self
    }

    pub(super) fn with_fixed_version(mut self, version: &str) -> Self {
        self.fixed_version = shown_line(version);
        self
    }

    pub(super) fn with_fingerprint(mut self, print: &str) -> Self {
        self.fingerprint = shown_line(print);
        self
    }

    pub(super) fn with_category(mut self, category: Category) -> Self {
        self.category = Some(category);
        // What scanners of secrets look for is one weakness by its definition, also where they do not name it.
        if category == Category::Secret && self.cwe.is_empty() {
            self.cwe.push(HARD_CODED_CREDENTIALS);
        }
        self
    }

    pub(super) fn with_status(mut self, status: ScannerStatus) -> Self {
        self.status = status;
        self
    }

    /// Why it is suppressed, or does not count, as far as the file says it.
    pub(super) fn with_suppression_reason(mut self, reason: &str) -> Self {
        /// A reason stands in one line of a page.
        const MOST_CHARS: usize = 500;
        let reason = shortened(reason.trim(), MOST_CHARS);
        self.suppression_reason = (!reason.is_empty()).then_some(reason);
        self
    }

    pub(super) fn with_score(mut self, score: Option<f64>) -> Self {
        self.score = score.filter(|score| (0.0..=10.0).contains(score));
        self
    }

    /// A list, or one text with commas between the tags.
    pub(super) fn with_tags(mut self, tags: &Loose<'_>) -> Self {
        for tag in tags.items() {
            let text = tag.own_text();
            let tags = text.split(',').filter_map(shown_line).map(Shared::from);
            self.tags.extend(tags.take(50));
        }
        self.tags.truncate(50);
        self
    }

    pub(super) fn with_tag(mut self, tag: &str) -> Self {
        self.tags.extend(shown_line(tag).map(Shared::from));
        self
    }

    /// The component that a package URL names.
    pub(super) fn with_package_url(mut self, url: &str) -> Self {
        if let Some((mut name, version)) = super::sarif::package_url(url.trim()) {
            // Maven itself writes group and artifact with a colon.
            if url.trim().starts_with("pkg:maven/")
                && let Some((group, artifact)) = name.rsplit_once('/')
            {
                name = format!("{group}:{artifact}");
            }
            if self.component.is_none() {
                self.component = shown_line(&name);
            }
            if self.component_version.is_none() {
                self.component_version = version.as_deref().and_then(shown_line);
            }
        }
        self
    }

    /// The tool, in a file with results of several.
    pub(super) fn with_tool(mut self, name: &str) -> Self {
        self.tool = shown_line(name).map(Shared::from);
        self
    }
}

impl Finding {
    /// A secret: only its digest is kept, as a part of the identity that does not depend on the line.
    pub(super) fn with_secret(mut self, secret: &str) -> Self {
        let secret = secret.trim();
        let is_masked = secret.to_ascii_lowercase().contains("redacted") || secret.contains("***");
        if !secret.is_empty() && !is_masked {
            self.fingerprint = Some(Digest::of(secret.as_bytes()).as_str().to_owned());
            self.fingerprint_is_partial = true;
        }
        self.with_category(Category::Secret)
    }

    /// A fingerprint that holds for one rule and file only.
    pub(super) fn with_partial_fingerprint(mut self, print: &str) -> Self {
        self.fingerprint = shown_line(print);
        self.fingerprint_is_partial = self.fingerprint.is_some();
        self
    }
}

/// `CVE-2024-1 in openssl 1.1: what it is`, as far as the parts are there.
pub(super) fn vulnerability_title(
    id: &str,
    component: &str,
    version: &str,
    summary: &str,
) -> String {
    let mut words = id.trim().to_owned();
    if !component.is_empty() {
        words.push_str(if words.is_empty() { "" } else { " in " });
        words.push_str(component.trim());
        if !version.is_empty() {
            words.push(' ');
            words.push_str(version.trim());
        }
    }
    let summary = summary.trim();
    if !summary.is_empty() && summary != id.trim() {
        words.push_str(if words.is_empty() { "" } else { ": " });
        words.push_str(summary);
    }
    words
}

/// The name of an image without its tag and digest: `registry:5000/team/app` of `registry:5000/team/app:1.2@sha256:…`.
pub(super) fn image_name(reference: &str) -> &str {
    let reference = reference.trim();
    let name = reference
        .split_once('@')
        .map_or(reference, |(name, _)| name);
    match name.rsplit_once(':') {
        // What comes before the last slash is a port.
        Some((before, tag)) if !tag.contains('/') && !before.is_empty() => before,
        _ => name,
    }
}

/// Code that a tool shows with line numbers before each line (`41 code`, `41: code`): only the lines that are meant, and
/// without their numbers, which change when code moves. Code without numbers stays as it is.
pub(super) fn numbered_lines(code: &str, start: Option<u32>, end: Option<u32>) -> String {
    let split = |line: &str| {
        let rest = line.trim_start();
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let number: u32 = rest[..digits].parse().ok()?;
        let after = rest[digits..].strip_prefix(':').unwrap_or(&rest[digits..]);
        let is_numbered = after.is_empty() || after.starts_with([' ', '\t']);
        is_numbered.then(|| (number, after.strip_prefix(' ').unwrap_or(after).to_owned()))
    };
    let lines: Option<Vec<(u32, String)>> = code.lines().map(split).collect();
    let Some(lines) = lines else {
        return code.to_owned();
    };
    let (from, to) = (start.unwrap_or(0), end.or(start).unwrap_or(u32::MAX));
    let meant = lines
        .into_iter()
        .filter(|(number, _)| (from..=to).contains(number));
    meant.map(|(_, line)| line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::image_name;

    #[test]
    fn an_image_is_the_same_whatever_its_tag_and_digest() {
        for (reference, name) in [
            ("alpine:3.19", "alpine"),
            (
                "registry.example.com/team/app:1.2.3",
                "registry.example.com/team/app",
            ),
            ("registry:5000/team/app", "registry:5000/team/app"),
            (
                "registry:5000/team/app:1@sha256:00",
                "registry:5000/team/app",
            ),
            ("app@sha256:00", "app"),
            ("./image.tar", "./image.tar"),
        ] {
            assert_eq!(image_name(reference), name, "{reference}");
        }
    }
}
