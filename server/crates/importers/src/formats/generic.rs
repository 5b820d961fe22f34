//! The generic format, for tools that have none here: JSON `{"findings": [{…}]}`, or CSV with a heading.
//!
//! `docs/generic-format.md` describes it for people who write it, and a test reads the examples there. Fields have the names
//! that `holdpoint scan inspect --json` gives them, so that what it prints can be read again. DefectDojo's generic format is read
//! too, by its own names:
//!
//! | field | DefectDojo's name | what becomes of it |
//! |---|---|---|
//! | `title`, required | `title` | title |
//! | `severity`, required | `severity` | critical, high, medium, low, info, unrated; another word is refused (DefectDojo's `Severity`: told, and unrated) |
//! | `description`, `message`, `remediation`, `help_url` | `description`, `impact`, `mitigation`, `references`, `url` | the same |
//! | `path`, `start_line`, `end_line`, `snippet`, `scope` | `file_path`, `line` | place |
//! | `cve`, `cwe`, `aliases` | `vulnerability_ids`, `cwes` | ids |
//! | `component`, `component_version`, `fixed_version` | `component_name`, `fix_version` | component |
//! | `rule`, `fingerprint` | `vuln_id_from_tool`, `unique_id_from_tool` | rule, fingerprint |
//! | `score` | `cvssv3`, `cvssv3_score` | score |
//! | `status` | `active`, `false_p`, `is_mitigated`, `out_of_scope`, `risk_accepted` | what the tool says of it |
//! | `category`, `tags`, `tool` | `tags` | the same |
//!
//! Names are compared without regard to case and `_`; a field of another name is told, and left out.

use std::borrow::Cow;
use std::collections::HashSet;

use holdpoint_domain::{Severity, SuppressionKind};

use super::cvss::base_score;
use super::reading::{Format, Reading, is_only, likely_if, object_with};
use crate::json::{Loose, whole_number};
use crate::text::shortened;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const GENERIC: Format = Format {
    name: "generic",
    title: "Generic CSV or JSON",
    tool: "generic",
    detect,
    lists: &["findings"],
    read,
};

/// The key that names this format, with its version.
const MARK: &str = "holdpoint";
const VERSION: f64 = 1.0;
/// A reason stands in one line of a page.
const MOST_REASON_CHARS: usize = 500;

fn detect(sniff: &Sniff<'_>) -> Confidence {
    if sniff.text.trim_start().starts_with(['{', '[', '<']) {
        if object_with(sniff, &[MARK]) {
            return Confidence::Certain;
        }
        // Other tools write `findings` too, and have more to show for it.
        let is_one = object_with(sniff, &["findings"]) && !is_only(sniff, "{\"findings\":[]}");
        return if is_one {
            Confidence::Possible
        } else {
            Confidence::No
        };
    }
    let mut lines = sniff.head.lines().skip_while(|line| is_remark(line));
    let heading = lines.next().unwrap_or("").to_ascii_lowercase();
    let names: Vec<&str> = heading
        .split(',')
        .map(|name| name.trim().trim_matches('"'))
        .collect();
    likely_if(
        ["title", "severity"]
            .iter()
            .all(|name| names.contains(name)),
    )
}

/// A line before a CSV's heading that says something of the whole scan, or nothing.
fn is_remark(line: &str) -> bool {
    line.starts_with('#') || line.trim().is_empty()
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    if text.begins_with('{') {
        read_json(reading, text)
    } else {
        read_csv(reading, text)
    }
}

fn read_json(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut told = HashSet::new();
    let rest = reading.stream(
        text,
        &[&["findings", "*"]],
        &mut |reading, pointer, value| {
            let found = finding(reading, pointer, value, &mut told)?;
            reading.add(found);
            Ok(())
        },
    )?;
    if rest.has(MARK) && rest.number(MARK) != Some(VERSION) {
        return Err(reading.broken(
            "$.holdpoint",
            format!("version {VERSION} of the generic format is the only one."),
        ));
    }
    reading.needs_list(&rest, "findings")?;
    reading.tool(
        &rest.first_text(&["tool/name", "tool", "name", "type"]),
        &rest.first_text(&["tool/version", "version"]),
    );
    reading.commit(&rest.text("commit"));
    reading.repository(&rest.text("repository"));
    reading.branch(&rest.text("branch"));
    reading.scanned_at(&rest.text("scanned_at"));
    let reason = rest.first_text(&["incomplete_reason", "completeness/reason"]);
    let is_incomplete = match rest.at("complete") {
        Loose::Null => rest.text("completeness/state") == "incomplete" || !reason.is_empty(),
        complete => !is_yes(reading, "$.complete", &complete.own_text())?,
    };
    if is_incomplete {
        incomplete(reading, "/complete", &reason);
    }
    Ok(())
}

fn read_csv(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut table = text.beginning();
    let mut n_remarks = 0;
    while let Some((line, rest)) = table.split_once('\n')
        && is_remark(line)
    {
        n_remarks += 1;
        let about = line.trim_start_matches('#').split_once(':');
        if let Some((name, value)) = about {
            remark(reading, n_remarks, name.trim(), value.trim())?;
        }
        table = rest;
    }
    let remarks = text.beginning().len() - table.len();
    let mut told = HashSet::new();
    reading.rows_after(
        remarks,
        text,
        b',',
        &["title", "severity"],
        &mut |reading, pointer, row| {
            let found = finding(reading, pointer, row, &mut told)?;
            reading.add(found);
            Ok(())
        },
    )
}

/// `# tool: name`, `# version: 1.2`, `# commit: …`, `# complete: no, its reason` before the heading.
fn remark(
    reading: &mut Reading<'_>,
    line: usize,
    name: &str,
    value: &str,
) -> Result<(), ImportError> {
    match name.to_ascii_lowercase().as_str() {
        "tool" => reading.tool(value, ""),
        "version" => reading.tool("", value),
        "commit" => reading.commit(value),
        "repository" => reading.repository(value),
        "branch" => reading.branch(value),
        "scanned_at" => reading.scanned_at(value),
        "complete" => {
            let (word, reason) = value.split_once(',').unwrap_or((value, ""));
            if !is_yes(reading, &format!("line {line}"), word.trim())? {
                incomplete(reading, &format!("line {line}"), reason.trim());
            }
        }
        _ => {}
    }
    Ok(())
}

fn is_yes(reading: &Reading<'_>, at: &str, word: &str) -> Result<bool, ImportError> {
    match word.to_ascii_lowercase().as_str() {
        "true" | "yes" => Ok(true),
        "false" | "no" => Ok(false),
        _ => Err(reading.broken(
            at,
            format!("complete is {word:?}; true (or yes) and false (or no) are the only values."),
        )),
    }
}

fn incomplete(reading: &mut Reading<'_>, at: &str, reason: &str) {
    let reason = if reason.is_empty() {
        "the report says so"
    } else {
        reason
    };
    reading.incomplete(at, reason);
}

/// Every field that is read, as its names are compared. The first of each line is ours.
const FIELDS: &[&[&str]] = &[
    &["title"],
    &["severity"],
    &["description"],
    &["message", "impact"],
    &["remediation", "mitigation"],
    &["helpurl", "references", "url"],
    &["path", "filepath"],
    &["startline", "line"],
    &["endline"],
    &["snippet"],
    &["scope"],
    &["cve", "cves", "vulnerabilityids", "vulnerabilityid"],
    &["cwe", "cweid", "cweids", "cwes"],
    &["aliases"],
    &["component", "componentname"],
    &["componentversion"],
    &["fixedversion", "fixversion"],
    &["rule", "vulnidfromtool"],
    &["rulename"],
    &["fingerprint", "uniqueidfromtool"],
    &["score", "cvssv3score"],
    &["cvssv3"],
    &["status"],
    &["suppressionkind"],
    &["suppressionreason"],
    &["category"],
    &["tags"],
    &["tool"],
    &["active"],
    &["falsep", "falsepositive"],
    &["ismitigated"],
    &["outofscope"],
    &["riskaccepted"],
];

/// What DefectDojo and `scan inspect` write besides, which says nothing here.
const LEFT_OUT: &[&str] = &[
    "codeflows",
    "cvssv4",
    "cvssv4score",
    "date",
    "duplicate",
    "endcolumn",
    "endpoints",
    "fingerprintispartial",
    "fixavailable",
    "fixes",
    "kevdate",
    "knownexploited",
    "mitigateddate",
    "otherplaces",
    "pointer",
    "ransomwareused",
    "related",
    "startcolumn",
    "verified",
];

/// A name as it is compared.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| !matches!(c, '_' | ' '));
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

/// One finding's fields, found by their names.
struct Fields<'v, 'a> {
    entries: Vec<(String, &'v str, &'v Loose<'a>)>,
}

impl<'v, 'a> Fields<'v, 'a> {
    fn of(value: &'v Loose<'a>) -> Self {
        let entries = value.own_entries().iter();
        let entries = entries.map(|(name, value)| (plain(name), &**name, value));
        Self {
            entries: entries.collect(),
        }
    }

    /// The values of a field under all of its names.
    fn all(&self, name: &str) -> impl Iterator<Item = &'v Loose<'a>> {
        let names = FIELDS.iter().find(|names| names[0] == name);
        let names = names.map_or(&[][..], |names| *names);
        let of_name = move |(plain, ..): &&(String, &str, &Loose<'a>)| names.contains(&&**plain);
        self.entries
            .iter()
            .filter(of_name)
            .map(|(_, _, value)| *value)
    }

    fn text(&self, name: &str) -> Cow<'v, str> {
        let mut texts = self.all(name).map(Loose::own_text);
        texts.find(|text| !text.is_empty()).unwrap_or_default()
    }

    /// The parts of a field that holds several: a list, or a text with spaces, commas or semicolons between them.
    fn parts(&self, name: &str) -> Vec<String> {
        let texts = self.all(name).flat_map(Loose::items).map(Loose::own_text);
        let mut parts = Vec::new();
        for text in texts {
            let split = text.split([',', ';', ' ', '\n']).filter(|p| !p.is_empty());
            parts.extend(split.map(str::to_owned));
        }
        parts
    }

    /// Whether a field is written as our own format writes it, so that what is wrong in it is refused.
    fn is_ours(&self, name: &str) -> bool {
        self.entries.iter().any(|(_, written, _)| *written == name)
    }
}

fn finding(
    reading: &mut Reading<'_>,
    pointer: &str,
    value: &Loose<'_>,
    told: &mut HashSet<String>,
) -> Result<Finding, ImportError> {
    let fields = Fields::of(value);
    let missing = ["title", "severity"].into_iter();
    let missing: Vec<&str> = missing
        .filter(|name| fields.text(name).is_empty())
        .collect();
    if !missing.is_empty() {
        let message = format!("required and not there: {}.", missing.join(", "));
        return Err(reading.broken(pointer, message));
    }
    for (name, written, _) in &fields.entries {
        let is_known = FIELDS.iter().any(|names| names.contains(&&**name))
            || LEFT_OUT.contains(&&**name)
            || name.is_empty();
        if !is_known && told.len() < 50 && told.insert(name.clone()) {
            let written = crate::text::title(written);
            reading.problem(
                pointer,
                format!("The field {written:?} is not known, and is left out."),
            );
        }
    }
    let text = |name: &str| fields.text(name);
    let severity = severity(reading, pointer, &fields)?;
    let status = status(reading, pointer, &fields)?;
    let component = text("component");
    let category = match &*text("category") {
        "" if component.is_empty() => Category::Code,
        "" => Category::Dependency,
        word => one_of(reading, pointer, "category", word, Category::ALL)?,
    };
    let start = line(reading, pointer, &fields, "start_line")?;
    let end = line(reading, pointer, &fields, "end_line")?;
    let score = text("score")
        .parse()
        .ok()
        .or_else(|| base_score(&text("cvssv3")));
    let mut finding = Finding::of(&text("title"), severity, pointer)
        .with_rule(&text("rule"))
        .with_rule_name(&text("rulename"))
        .with_description(&text("description"))
        .with_message(&text("message"))
        .with_remediation(&text("remediation"))
        .with_path(&text("path"))
        .with_lines(start, end)
        .with_snippet(&text("snippet"))
        .with_scope(&text("scope"))
        .with_component(&component, &text("componentversion"))
        .with_fixed_version(&text("fixedversion"))
        .with_fingerprint(&text("fingerprint"))
        .with_score(score)
        .with_status(status)
        .with_tool(&text("tool"));
    if status == ScannerStatus::Suppressed {
        finding.suppression_kind = match &*text("suppressionkind") {
            "" => None,
            word => Some(one_of(
                reading,
                pointer,
                "suppression_kind",
                word,
                SuppressionKind::ALL,
            )?),
        };
        let reason = shortened(&text("suppressionreason"), MOST_REASON_CHARS);
        finding.suppression_reason = Some(reason).filter(|reason| !reason.is_empty());
    }
    for link in fields.all("helpurl") {
        let link = link.own_text();
        finding = link.split_whitespace().fold(finding, Finding::with_link);
    }
    for id in fields.parts("cve").iter().chain(&fields.parts("aliases")) {
        finding = finding.with_id(id);
    }
    // What people write where there is none.
    let is_none = |word: &str| {
        matches!(
            word.to_ascii_lowercase().as_str(),
            "n/a" | "na" | "none" | "-"
        )
    };
    let numbers = fields.parts("cwe").into_iter();
    for number in numbers.filter(|number| !is_none(number)) {
        let n_known = finding.cwe.len();
        finding = finding.with_cwe(&Loose::Text(number.as_str().into()));
        let is_number = number.trim_start_matches("CWE-").parse::<u32>().is_ok();
        if finding.cwe.len() == n_known && !is_number && fields.is_ours("cwe") {
            let number = crate::text::title(&number);
            let message = format!("cwe {number:?} is no weakness; write 79 or CWE-79.");
            return Err(reading.broken(pointer, message));
        }
    }
    for tags in fields.all("tags") {
        finding = finding.with_tags(tags);
    }
    Ok(finding.with_category(category))
}

fn severity(
    reading: &mut Reading<'_>,
    pointer: &str,
    fields: &Fields<'_, '_>,
) -> Result<Severity, ImportError> {
    let word = fields.text("severity");
    if word.eq_ignore_ascii_case(Severity::Unrated.as_str()) {
        return Ok(Severity::Unrated);
    }
    if fields.is_ours("severity") && Severity::from_scanner_word(&word).is_none() {
        let message = format!(
            "the severity {:?} is not known; write critical, high, medium, low, info or unrated.",
            crate::text::title(&word)
        );
        return Err(reading.broken(pointer, message));
    }
    Ok(reading.severity(pointer, &word))
}

fn status(
    reading: &mut Reading<'_>,
    pointer: &str,
    fields: &Fields<'_, '_>,
) -> Result<ScannerStatus, ImportError> {
    let word = fields.text("status");
    if !word.is_empty() {
        return one_of(reading, pointer, "status", &word, ScannerStatus::ALL);
    }
    let is = |name: &str, wanted: &str| fields.text(name).eq_ignore_ascii_case(wanted);
    let hidden = ["falsep", "riskaccepted", "outofscope"];
    Ok(if is("ismitigated", "true") {
        ScannerStatus::Fixed
    } else if hidden.iter().any(|name| is(name, "true")) || is("active", "false") {
        ScannerStatus::Suppressed
    } else {
        ScannerStatus::Open
    })
}

/// The value that a word of a closed set stands for, or a refusal that names the set.
fn one_of<T: Copy + std::fmt::Display>(
    reading: &Reading<'_>,
    pointer: &str,
    field: &str,
    word: &str,
    all: &[T],
) -> Result<T, ImportError> {
    let found = all.iter().find(|value| value.to_string() == word);
    found.copied().ok_or_else(|| {
        let all: Vec<String> = all.iter().map(ToString::to_string).collect();
        let word = crate::text::title(word);
        let message = format!(
            "the {field} {word:?} is not known; write {}.",
            all.join(", ")
        );
        reading.broken(pointer, message)
    })
}

/// A line; where it is written by our own name, anything but a whole number from 1 on is refused.
fn line(
    reading: &Reading<'_>,
    pointer: &str,
    fields: &Fields<'_, '_>,
    name: &str,
) -> Result<Option<u32>, ImportError> {
    let text = fields.text(&plain(name));
    let number = text.parse::<f64>().ok().and_then(whole_number);
    let number = number.filter(|number| *number > 0);
    if number.is_none() && !text.is_empty() && fields.is_ours(name) {
        let text = crate::text::title(&text);
        let message = format!("{name} is {text:?}; a whole number from 1 on is required.");
        return Err(reading.broken(pointer, message));
    }
    Ok(number)
}
