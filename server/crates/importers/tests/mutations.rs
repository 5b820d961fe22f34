//! No scan is clean, and no finding mild, without proof: every accepted report is changed in the ways in which reports go wrong,
//! and each changed one has to be refused, call itself incomplete, have a note more, or say the same as before.
//!
//! | change | where |
//! |---|---|
//! | removed, `null`, `{}`, a text | each list, the first of its kind alone and all of them |
//! | a word that no tool writes, "Unknown", `null` | each severity, level, status and the like: JSON, XML and CSV |
//! | one more | each number that the format's table calls a count of what is listed |
//! | emptied | each list that the format's table says tells what was looked at |
//! | `null`, `{}`, `[]`, a text | the first element of each list, and all of them: only that no finding goes without a word |
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use holdpoint_importers::{IMPORTERS, Report, read};
use serde_json::{Value, json};

/// Larger reports are of the same shapes as smaller ones of their format.
const MAX_BYTES: usize = 120_000;

/// A word that no tool writes.
const STRANGE_WORD: &str = "frobnicated";

/// What may be done to a report without anything of it showing, one exception a line: format, changes (`*` for any), place (keys
/// with `/`, `*` for an element or a name that the report chooses; of XML and CSV a name alone), and where the format itself says that it is right.
const EXCEPTIONS: &str = include_str!("mutations/exceptions.txt");

/// The numbers in which a tool counts what it lists, one a line: format and place.
const COUNTS: &str = include_str!("mutations/counts.txt");

/// What tells how much a tool has looked at (a list, an object or a number), one a line: format and place.
const LOOKED_AT: &str = include_str!("mutations/looked_at.txt");

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Removed,
    Null,
    Object,
    Text,
    StrangeWord,
    UnknownWord,
    NullWord,
    NullElement,
    ObjectElement,
    ListElement,
    TextElement,
}

impl Change {
    const OF_LISTS: [Self; 4] = [Self::Removed, Self::Null, Self::Object, Self::Text];
    const OF_WORDS: [Self; 3] = [Self::StrangeWord, Self::UnknownWord, Self::NullWord];
    const OF_ELEMENTS: [Self; 4] = [
        Self::NullElement,
        Self::ObjectElement,
        Self::ListElement,
        Self::TextElement,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Null | Self::NullWord => "null",
            Self::Object => "object",
            Self::Text => "text",
            Self::StrangeWord => "strange",
            Self::UnknownWord => "unknown",
            Self::NullElement => "null-element",
            Self::ObjectElement => "object-element",
            Self::ListElement => "list-element",
            Self::TextElement => "text-element",
        }
    }

    fn value(self) -> Option<Value> {
        match self {
            Self::Removed => None,
            Self::Null | Self::NullWord | Self::NullElement => Some(Value::Null),
            Self::Object | Self::ObjectElement => Some(json!({})),
            Self::ListElement => Some(json!([])),
            Self::Text | Self::TextElement => Some(json!("a text")),
            Self::StrangeWord => Some(json!(STRANGE_WORD)),
            Self::UnknownWord => Some(json!("Unknown")),
        }
    }
}

/// The format of a file of the folders with real data: the one its folder is called after, or else whatever it is taken for.
fn format_of(path: &Path, bytes: &[u8]) -> Option<&'static str> {
    let folder = path.parent()?.file_name()?.to_str()?;
    let named = IMPORTERS.iter().find(|importer| importer.name() == folder);
    if let Ok(report) = read(bytes, None, None) {
        return Some(report.summary.format);
    }
    let named = named?.name();
    read(bytes, None, Some(named)).is_ok().then_some(named)
}

fn small_reports() -> Vec<(String, &'static str, String)> {
    let mut found = Vec::new();
    for path in common::reports() {
        let bytes = std::fs::read(&path).unwrap();
        if bytes.len() > MAX_BYTES {
            continue;
        }
        let Some(format) = format_of(&path, &bytes) else {
            continue;
        };
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        let names: Vec<_> = path.iter().rev().take(2).collect();
        let name = format!(
            "{}/{}",
            names[1].to_string_lossy(),
            names[0].to_string_lossy()
        );
        found.push((name, format, text));
    }
    assert!(found.len() > 200, "{}", found.len());
    found
}

fn documents(text: &str) -> Option<Vec<Value>> {
    let documents =
        serde_json::Deserializer::from_str(text.trim_start_matches('\u{feff}')).into_iter();
    let documents: Vec<Value> = documents.collect::<Result<_, _>>().ok()?;
    let is_json = documents
        .iter()
        .all(|value| value.is_object() || value.is_array());
    (is_json && !documents.is_empty()).then_some(documents)
}

fn joined(documents: &[Value]) -> String {
    let mut text = String::new();
    for document in documents {
        writeln!(text, "{document}").unwrap();
    }
    text
}

/// What of a report may not change without a word.
fn said(report: &Report) -> BTreeMap<String, usize> {
    let mut said = BTreeMap::new();
    for finding in &report.findings {
        let key = format!(
            "{:?}",
            (
                (
                    &finding.title,
                    finding.severity,
                    finding.status,
                    &finding.rule
                ),
                (&finding.path, finding.start_line, &finding.scope),
                (
                    &finding.component,
                    &finding.component_version,
                    &finding.tool
                ),
            )
        );
        *said.entry(key).or_default() += 1;
    }
    said
}

/// What the changed report hides from its reader; nothing if it is refused, incomplete, noted or the same.
fn hides(before: &Report, format: &'static str, text: &str) -> Option<String> {
    let after = read(text.as_bytes(), None, Some(format)).ok()?;
    let is_told = |problem| !before.problems.contains(problem);
    if !after.completeness.is_complete() && before.completeness.is_complete()
        || after.problems.iter().any(is_told)
    {
        return None;
    }
    let (before_says, after_says) = (said(before), said(&after));
    if before_says == after_says {
        return None;
    }
    let gone = before_says
        .keys()
        .find(|key| !after_says.contains_key(*key));
    let new = after_says
        .keys()
        .find(|key| !before_says.contains_key(*key));
    Some(format!(
        "{} -> {} findings; was {} is {}",
        before.findings.len(),
        after.findings.len(),
        gone.map_or("-", String::as_str),
        new.map_or("-", String::as_str)
    ))
}

/// A key of the format's own, or `*` for a name that a report chooses.
fn step(key: &str) -> &str {
    let is_chosen = key.contains(['/', '.', '@', ' ']) && !key.contains("Golang")
        || key.len() > 3 && key.chars().any(|c| c.is_ascii_digit())
        || key.is_empty();
    if is_chosen { "*" } else { key }
}

fn go_through(value: &mut Value, place: &mut String, see: &mut dyn FnMut(&str, &mut Value)) {
    let length = place.len();
    match value {
        Value::Array(list) => {
            for element in list {
                place.push_str("/*");
                go_through(element, place, see);
                place.truncate(length);
            }
        }
        Value::Object(entries) => {
            for (key, value) in entries {
                place.push('/');
                place.push_str(step(key));
                go_through(value, place, see);
                place.truncate(length);
            }
        }
        _ => {}
    }
    see(place, value);
}

/// The documents with something else at the first place of this kind, or at all of them; without a value the key is taken out.
fn changed(
    documents: &[Value],
    wanted: &str,
    is_wanted: fn(&Value) -> bool,
    to: &dyn Fn(&Value) -> Option<Value>,
    all: bool,
) -> Vec<Value> {
    const GONE: &str = "\u{1}gone";
    let mut documents = documents.to_vec();
    let mut n_done = 0;
    for document in &mut documents {
        go_through(document, &mut String::new(), &mut |place, value| {
            if place == wanted && is_wanted(value) && (all || n_done == 0) {
                n_done += 1;
                *value = to(value).unwrap_or(json!(GONE));
            }
        });
    }
    for document in &mut documents {
        go_through(document, &mut String::new(), &mut |_, value| match value {
            Value::Array(list) => list.retain(|value| value != GONE),
            Value::Object(entries) => entries.retain(|_, value| value != GONE),
            _ => {}
        });
    }
    documents.retain(|document| document != GONE);
    documents
}

fn is_word_key(place: &str) -> bool {
    let key = place.rsplit('/').find(|step| *step != "*").unwrap_or("");
    let key = key.to_ascii_lowercase();
    [
        "severity", "level", "status", "priority", "risk", "state", "result",
    ]
    .iter()
    .any(|word| key == *word || key.ends_with(word) || key.starts_with("severity"))
}

fn places(documents: &mut [Value], is_wanted: fn(&Value) -> bool) -> BTreeSet<String> {
    let mut places = BTreeSet::new();
    for document in documents {
        go_through(document, &mut String::new(), &mut |place, value| {
            if is_wanted(value) {
                places.insert(place.to_owned());
            }
        });
    }
    places
}

/// What a test changes.
#[derive(Clone, Copy, PartialEq)]
enum Of {
    /// Lists and words of JSON.
    Lists,
    /// Elements of lists of JSON.
    Elements,
    /// Words of XML and CSV.
    Text,
}

/// The exceptions of one test, and which of them were needed.
struct Exceptions(Vec<([&'static str; 4], bool)>);

impl Exceptions {
    fn of(kind: Of) -> Self {
        let lines = EXCEPTIONS
            .lines()
            .filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        let rows = lines.map(|line| {
            let parts: Vec<&str> = line.splitn(4, '|').map(str::trim).collect();
            let row: Result<[&str; 4], _> = parts.try_into();
            row.unwrap_or_else(|_| panic!("four parts in {line:?}"))
        });
        let rows = rows.filter(|[_, changes, place, _]| {
            let is = if changes.ends_with("-element") {
                Of::Elements
            } else if place.is_empty() || place.starts_with('/') {
                Of::Lists
            } else {
                Of::Text
            };
            is == kind
        });
        Self(rows.map(|row| (row, false)).collect())
    }

    fn allow(&mut self, format: &str, change: Change, place: &str) -> bool {
        let fits = |[of, changes, at, _]: &[&str; 4]| {
            let has_change =
                *changes == "*" || changes.split(' ').any(|name| name == change.name());
            *of == format && has_change && *at == place
        };
        let found = self.0.iter_mut().find(|(row, _)| fits(row));
        found.is_some_and(|(_, is_used)| {
            *is_used = true;
            true
        })
    }

    /// Fails where one is not needed.
    fn check_all_used(&self) {
        let unused = self.0.iter().filter(|(_, is_used)| !is_used);
        let unused: Vec<_> = unused.map(|(row, _)| row).collect();
        if common::shared("corpus").is_some() {
            assert!(
                unused.is_empty(),
                "exceptions that are not needed: {unused:?}"
            );
        }
    }
}

#[test]
fn what_is_changed_in_a_report_is_refused_or_told() {
    let mut exceptions = Exceptions::of(Of::Lists);
    let mut hidden: BTreeMap<String, String> = BTreeMap::new();
    let (mut n_changes, mut n_hidden) = (0, 0);
    for (name, format, text) in small_reports() {
        let Some(mut documents) = documents(&text) else {
            continue;
        };
        let Ok(before) = read(joined(&documents).as_bytes(), None, Some(format)) else {
            continue;
        };
        let unchanged = documents.clone();
        let lists = places(&mut documents, Value::is_array);
        let is_word: fn(&Value) -> bool =
            |value| value.is_string() || value.is_number() || value.is_boolean();
        let words: BTreeSet<String> = places(&mut documents, is_word)
            .into_iter()
            .filter(|place| is_word_key(place))
            .collect();
        let mut check = |place: &str, change: Change, is_wanted| {
            for all in [false, true] {
                let changed = changed(&unchanged, place, is_wanted, &|_| change.value(), all);
                n_changes += 1;
                let Some(what) = hides(&before, format, &joined(&changed)) else {
                    continue;
                };
                if exceptions.allow(format, change, place) {
                    continue;
                }
                n_hidden += 1;
                let key = format!("{format} | {} | {place}", change.name());
                hidden
                    .entry(key)
                    .or_insert_with(|| format!("{name}: {what}"));
            }
        };
        for place in &lists {
            for change in Change::OF_LISTS {
                check(place, change, Value::is_array);
            }
        }
        for place in &words {
            for change in Change::OF_WORDS {
                check(place, change, is_word);
            }
        }
    }
    let lines: Vec<String> = hidden
        .iter()
        .map(|(key, what)| format!("{key} | {what}"))
        .collect();
    assert!(
        hidden.is_empty(),
        "{n_hidden} of {n_changes} changes are hidden:\n{}",
        lines.join("\n")
    );
    exceptions.check_all_used();
}

/// What stands in a list in the place of an element that is none of it takes no finding away without a word.
#[test]
fn elements_that_are_none_of_their_list_take_no_finding_away() {
    let mut exceptions = Exceptions::of(Of::Elements);
    let mut hidden: BTreeSet<String> = BTreeSet::new();
    let mut n_changes = 0;
    for (name, format, text) in small_reports() {
        let Some(mut documents) = documents(&text) else {
            continue;
        };
        let Ok(before) = read(joined(&documents).as_bytes(), None, Some(format)) else {
            continue;
        };
        let unchanged = documents.clone();
        for place in places(&mut documents, Value::is_array) {
            for change in Change::OF_ELEMENTS {
                for all in [false, true] {
                    let to = |value: &Value| {
                        let mut list = value.as_array().unwrap().clone();
                        let n = if all { list.len() } else { 1 };
                        for old in list.iter_mut().take(n) {
                            *old = change.value().unwrap();
                        }
                        Some(json!(list))
                    };
                    let changed = changed(&unchanged, &place, Value::is_array, &to, all);
                    n_changes += 1;
                    let Some(what) = hides(&before, format, &joined(&changed)) else {
                        continue;
                    };
                    let after = read(joined(&changed).as_bytes(), None, Some(format)).unwrap();
                    if after.findings.len() < before.findings.len()
                        && !exceptions.allow(format, change, &place)
                    {
                        let change = change.name();
                        hidden.insert(format!("{format} | {change} | {place} | {name}: {what}"));
                    }
                }
            }
        }
    }
    let lines: Vec<_> = hidden.into_iter().collect();
    assert!(
        lines.is_empty(),
        "{} of {n_changes} changes are hidden:\n{}",
        lines.len(),
        lines.join("\n")
    );
    exceptions.check_all_used();
}

/// Format and place of each line of a table.
fn table(text: &'static str) -> Vec<(&'static str, &'static str)> {
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let (format, place) = line.split_once('|').expect("two parts");
            (format.trim(), place.trim())
        })
        .collect()
}

/// Changes every number or list that a table names, in every report that has it, and asks for an incomplete scan or a refusal.
fn asks_for_incomplete(text: &'static str, to: &dyn Fn(&Value) -> Option<Value>) {
    let rows = table(text);
    let mut seen = vec![false; rows.len()];
    let mut wrong = BTreeSet::new();
    for (name, format, text) in small_reports() {
        let Some(mut documents) = documents(&text) else {
            continue;
        };
        // One that is incomplete anyway says nothing of the change.
        let before = read(joined(&documents).as_bytes(), None, Some(format));
        if !before.is_ok_and(|report| report.completeness.is_complete()) {
            continue;
        }
        for ((_, place), seen) in rows
            .iter()
            .zip(&mut seen)
            .filter(|((of, _), _)| *of == format)
        {
            if !places(&mut documents, |_| true).contains(*place) {
                continue;
            }
            *seen = true;
            let changed = changed(&documents, place, |_| true, to, true);
            let after = read(joined(&changed).as_bytes(), None, Some(format));
            if after.is_ok_and(|report| report.completeness.is_complete()) {
                wrong.insert(format!("{format} | {place} | {name}"));
            }
        }
    }
    let wrong: Vec<_> = wrong.into_iter().collect();
    assert!(wrong.is_empty(), "still complete:\n{}", wrong.join("\n"));
    if common::shared("corpus").is_some() {
        let unseen: Vec<_> = rows.iter().zip(seen).filter(|(_, seen)| !seen).collect();
        assert!(unseen.is_empty(), "no report has it: {unseen:?}");
    }
}

#[test]
fn a_tool_that_counts_more_than_it_lists_has_not_said_everything() {
    asks_for_incomplete(COUNTS, &|value| {
        let number = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
        Some(json!(number + 1_000.0))
    });
}

#[test]
fn a_tool_that_has_looked_at_nothing_shows_nothing() {
    asks_for_incomplete(LOOKED_AT, &|value| {
        Some(match value {
            Value::Array(_) => json!([]),
            Value::Object(_) => json!({}),
            _ => json!(0),
        })
    });
}

/// The reports that are XML or CSV, with each value of a rating or a state replaced in their text.
#[test]
fn words_of_xml_and_csv_that_nobody_knows_are_told() {
    let mut exceptions = Exceptions::of(Of::Text);
    let mut hidden = BTreeSet::new();
    let mut n_changes = 0;
    for (name, format, text) in small_reports() {
        if documents(&text).is_some() {
            continue;
        }
        let Ok(before) = read(text.as_bytes(), None, Some(format)) else {
            continue;
        };
        for (place, start, end) in words_in_text(&text) {
            for change in Change::OF_WORDS {
                let word = change.value().unwrap();
                let word = word.as_str().unwrap_or("");
                let changed = format!("{}{word}{}", &text[..start], &text[end..]);
                n_changes += 1;
                if let Some(what) = hides(&before, format, &changed)
                    && !exceptions.allow(format, change, &place)
                {
                    hidden.insert(format!("{format} | {word:?} | {place} | {name}: {what}"));
                }
            }
        }
    }
    let lines: Vec<_> = hidden.into_iter().collect();
    assert!(
        lines.is_empty(),
        "{} of {n_changes} changes are hidden:\n{}",
        lines.len(),
        lines.join("\n")
    );
    exceptions.check_all_used();
}

/// The first value of each attribute, element and column that is called as ratings and states are: its name and its bytes.
fn words_in_text(text: &str) -> Vec<(String, usize, usize)> {
    let mut found: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    if text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with('<')
    {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':' | '.');
        for (at, _) in text.match_indices("=\"") {
            let key = text[..at].rsplit(|c: char| !is_name(c)).next().unwrap();
            let start = at + 2;
            if let Some(length) = text[start..].find('"') {
                found
                    .entry(key.to_owned())
                    .or_insert((start, start + length));
            }
        }
        for (at, _) in text.match_indices('<') {
            let key: String = text[at + 1..].chars().take_while(|c| is_name(*c)).collect();
            let Some(open) = text[at..].find('>').map(|end| at + end + 1) else {
                continue;
            };
            let length = text[open..].find('<').unwrap_or(0);
            let is_closed = text[open + length..].starts_with(&format!("</{key}"));
            if !key.is_empty() && length > 0 && is_closed {
                found.entry(key).or_insert((open, open + length));
            }
        }
    } else if let Some((heading, rest)) = text.split_once('\n') {
        let delimiter = if heading.contains(';') { ';' } else { ',' };
        let row = rest.lines().next().unwrap_or("");
        if !row.contains('"') {
            let mut start = heading.len() + 1;
            for (key, cell) in heading
                .trim_end()
                .split(delimiter)
                .zip(row.split(delimiter))
            {
                found.insert(key.to_owned(), (start, start + cell.trim_end().len()));
                start += cell.len() + 1;
            }
        }
    }
    let words = found
        .into_iter()
        .filter(|(key, _)| is_word_key(&format!("/{key}")));
    words.map(|(key, (start, end))| (key, start, end)).collect()
}
