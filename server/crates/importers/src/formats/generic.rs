//! The generic format, for tools that have none here: JSON `{"findings": [{…}]}`, or CSV with a heading.
//!
//! | JSON | CSV | what becomes of it |
//! |---|---|---|
//! | `title`, required | `Title` | title |
//! | `severity`, required | `Severity` | critical, high, medium, low, info; another word is told and is info |
//! | `description`, required in JSON | `Description` | description |
//! | `mitigation`, `impact`, `references` | `Mitigation`, `Impact`, `References` | remediation, message, link |
//! | `file_path`, `line` | `FilePath`, `Line` | place |
//! | `cve`, `vulnerability_ids`, `cwe`, `cwes` | `CVE`, `CweId`, `CweIds` | ids |
//! | `component_name`, `component_version`, `fix_version` | `ComponentName`, `ComponentVersion` | component |
//! | `vuln_id_from_tool`, `unique_id_from_tool` | `VulnIdFromTool` | rule, fingerprint |
//! | `cvssv3`, `cvssv3_score` | `CVSSV3`, `CVSSV3_score` | score |
//! | `active`, `false_p`, `is_mitigated`, `out_of_scope`, `risk_accepted` | `Active`, `FalsePositive` | fixed or suppressed |
//!
//! Names are compared without regard to case and `_`; other fields are left alone.

use holdpoint_domain::Severity;

use super::cvss::base_score;
use super::reading::{Format, Reading, is_only, likely_if, object_with};
use super::tree;
use crate::json::{Loose, whole_number};
use crate::{Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const GENERIC: Format = Format {
    name: "generic",
    title: "Generic CSV or JSON",
    tool: "generic",
    detect,
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let start = sniff.head.trim_start();
    if start.starts_with(['{', '[', '<']) {
        // Other tools write `findings` too, and have more to show for it.
        let is_one = object_with(sniff, &["findings"]) && !is_only(sniff, "{\"findings\":[]}");
        return if is_one {
            Confidence::Possible
        } else {
            Confidence::No
        };
    }
    let heading = start.lines().next().unwrap_or("").to_ascii_lowercase();
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

fn read(reading: &mut Reading<'_>, text: &str) -> Result<(), ImportError> {
    if text.trim_start().starts_with('{') {
        let rest = reading.stream(
            text,
            &[&["findings", "*"]],
            &mut |reading, pointer, value| {
                let missing = ["title", "severity", "description"]
                    .into_iter()
                    .filter(|key| value.text(key).is_empty());
                let missing: Vec<&str> = missing.collect();
                if !missing.is_empty() {
                    return Err(reading.broken(
                        pointer,
                        format!("required and not there: {}.", missing.join(", ")),
                    ));
                }
                let found = finding(reading, pointer, value);
                reading.add(found);
                Ok(())
            },
        )?;
        reading.needs_list(&rest, "findings")?;
        reading.tool(
            &rest.first_text(&["tool", "name", "type"]),
            &rest.text("version"),
        );
        return Ok(());
    }
    let format = reading.format;
    tree::rows(
        format,
        text,
        b',',
        &["title", "severity"],
        &mut |line, row| {
            let found = finding(reading, &format!("line {line}"), row);
            reading.add(found);
            Ok(())
        },
    )
}

/// A field by its name, whatever its case and underscores.
fn field<'v, 'a>(value: &'v Loose<'a>, name: &str) -> &'v Loose<'a> {
    let Loose::Object(entries) = value else {
        return value;
    };
    let same = |key: &str| {
        let plain = key
            .bytes()
            .filter(|b| *b != b'_' && *b != b' ')
            .map(|b| b.to_ascii_lowercase());
        plain.eq(name.bytes())
    };
    // A field that is not there is looked up under a name that no field has.
    entries
        .iter()
        .find(|(key, _)| same(key))
        .map_or_else(|| value.at("\u{0}"), |(_, value)| value)
}

fn finding(reading: &mut Reading<'_>, pointer: &str, value: &Loose<'_>) -> Finding {
    let text = |name: &str| field(value, name).own_text();
    let severity = reading.severity(pointer, &text("severity"), Severity::Info);
    let is = |name: &str, wanted: &str| text(name).eq_ignore_ascii_case(wanted);
    let status = if is("ismitigated", "true") {
        ScannerStatus::Fixed
    } else if is("falsep", "true")
        || is("falsepositive", "true")
        || is("riskaccepted", "true")
        || is("outofscope", "true")
        || is("active", "false")
    {
        ScannerStatus::Suppressed
    } else {
        ScannerStatus::Open
    };
    let number = |name: &str| text(name).parse::<f64>().ok();
    let line = number("line")
        .and_then(whole_number)
        .filter(|line| *line > 0);
    let score = number("cvssv3score").or_else(|| base_score(&text("cvssv3")));
    let component = text("componentname");
    let category = if component.is_empty() {
        Category::Code
    } else {
        Category::Dependency
    };
    let mut finding = Finding::of(&text("title"), severity, pointer)
        .with_rule(&text("vulnidfromtool"))
        .with_description(&text("description"))
        .with_message(&text("impact"))
        .with_remediation(&text("mitigation"))
        .with_path(&text("filepath"))
        .with_lines(line, None)
        .with_component(&component, &text("componentversion"))
        .with_fixed_version(&text("fixversion"))
        .with_fingerprint(&text("uniqueidfromtool"))
        .with_score(score)
        .with_status(status)
        .with_category(category);
    for name in ["references", "url"] {
        finding = text(name)
            .split_whitespace()
            .fold(finding, Finding::with_link);
    }
    for name in ["cve", "vulnerabilityids", "vulnerabilityid"] {
        for id in field(value, name).items() {
            finding = id
                .own_text()
                .split([',', ' '])
                .filter(|id| !id.is_empty())
                .fold(finding, Finding::with_id);
        }
    }
    for name in ["cweid", "cwe", "cweids", "cwes"] {
        for cwe in field(value, name).items() {
            for number in cwe.own_text().split([',', ' ']) {
                finding = finding.with_cwe(&Loose::Text(number.into()));
            }
        }
    }
    finding.with_tags(field(value, "tags"))
}
