//! PMD, XML and JSON.
//!
//! The source is pmd/pmd, `pmd-core`: `renderers/XMLRenderer.java`, `renderers/JsonRenderer.java`, `renderers/SarifLog` and
//! `report_2_0_0.xsd`.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each `violation` of a file | one finding |
//! | a file of the XML without `violation` | the scan is incomplete |
//! | `priority` | 1 and 2 high, 3 medium, 4 and 5 low, as in its SARIF |
//! | `suppressedviolation`, `suppressedViolations` | suppressed, with what the comment says; the XML does not rate it: unrated |
//! | `error`, `processingErrors`: a file that was not looked at; `configerror`, `configurationErrors`: a rule that did not run | the scan is incomplete |
//! | JSON of another `formatVersion` than 0 | refused with its version |

use holdpoint_domain::{Severity, SuppressionKind};

use super::reading::{Format, Reading, certain_if, object_with, root_is};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const PMD: Format = Format {
    name: "pmd",
    title: "PMD XML or JSON",
    tool: "pmd",
    detect,
    lists: &[
        "files",
        "files/*/violations",
        "suppressedViolations",
        "suppressedViolations/*/violations",
        "processingErrors",
        "configurationErrors",
    ],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let is_json = object_with(sniff, &["formatVersion", "pmdVersion", "files"]);
    certain_if(is_json || root_is(sniff, "pmd"))
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    if text.begins_with('<') {
        read_xml(reading, text)
    } else {
        read_json(reading, text)
    }
}

fn read_xml(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let files: &[&[&str]] = &[&["pmd", "file"]];
    let report = reading.xml_stream(text, &["pmd"], files, &mut |reading, _, file| {
        let path = file.text("name");
        reading.needs_any(&format!("file {path}"), file, &["violation"]);
        for (at, violation) in file.each("violation").iter().enumerate() {
            let pointer = format!("file {path}, violation {at}");
            let words = violation.own_text();
            let found = finding(reading, &pointer, &path, &words, violation);
            reading.add(found);
        }
        Ok(())
    })?;
    reading.tool("", &report.text("version"));
    reading.scanned_at(&report.text("timestamp"));
    for (at, suppressed) in report.each("suppressedviolation").iter().enumerate() {
        let pointer = format!("suppressedviolation {at}");
        let path = suppressed.text("filename");
        let found = finding(
            reading,
            &pointer,
            &path,
            &suppressed.text("msg"),
            suppressed,
        );
        reading.add(as_suppressed(found, suppressed));
    }
    for error in report.each("error") {
        let said = format!(
            "{} was not looked at: {}",
            error.text("filename"),
            error.text("msg")
        );
        reading.incomplete("error", &said);
    }
    for error in report.each("configerror") {
        let said = format!(
            "the rule {} did not run: {}",
            error.text("rule"),
            error.text("msg")
        );
        reading.incomplete("configerror", &said);
    }
    Ok(())
}

fn read_json(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let patterns: &[&'static [&'static str]] = &[&["files", "*"], &["suppressedViolations", "*"]];
    let report = reading.stream(text, patterns, &mut |reading, pointer, file| {
        let is_suppressed = pointer.starts_with("/suppressedViolations");
        let path = file.text("filename");
        for (at, violation) in file.each("violations").iter().enumerate() {
            let pointer = format!("{pointer}/violations/{at}");
            reading.needs_object(violation, "")?;
            let words = violation.text("description");
            let mut found = finding(reading, &pointer, &path, &words, violation);
            if is_suppressed {
                found = as_suppressed(found, violation);
            }
            reading.add(found);
        }
        Ok(())
    })?;
    let version = report.text("formatVersion");
    if report.has("formatVersion") && version != "0" {
        return Err(ImportError::UnsupportedVersion {
            format: reading.format,
            found: version.into_owned(),
            supported: "version 0 of its JSON",
        });
    }
    reading.tool("", &report.text("pmdVersion"));
    reading.scanned_at(&report.text("timestamp"));
    for error in report.each("processingErrors") {
        let said = format!(
            "{} was not looked at: {}",
            error.text("filename"),
            error.text("message")
        );
        reading.incomplete("/processingErrors", &said);
    }
    for error in report.each("configurationErrors") {
        let said = format!(
            "the rule {} did not run: {}",
            error.text("rule"),
            error.text("message")
        );
        reading.incomplete("/configurationErrors", &said);
    }
    Ok(())
}

fn as_suppressed(mut finding: Finding, violation: &Loose<'_>) -> Finding {
    finding.suppression_kind = Some(SuppressionKind::InSource);
    finding
        .with_status(ScannerStatus::Suppressed)
        .with_suppression_reason(&violation.text("usermsg"))
}

fn finding(
    reading: &mut Reading<'_>,
    pointer: &str,
    path: &str,
    words: &str,
    violation: &Loose<'_>,
) -> Finding {
    let severity = match &*violation.text("priority") {
        "1" | "2" => Severity::High,
        "3" => Severity::Medium,
        "4" | "5" => Severity::Low,
        word => {
            reading.unknown_word(pointer, "severity", word);
            Severity::Unrated
        }
    };
    let scope = ["package", "class", "method"].map(|key| violation.text(key).into_owned());
    let scope: Vec<_> = scope.into_iter().filter(|part| !part.is_empty()).collect();
    Finding::of(words, severity, pointer)
        .with_rule(&violation.text("rule"))
        .with_message(words)
        .with_link(&violation.text("externalInfoUrl"))
        .with_path(path)
        .with_lines(violation.line("beginline"), violation.line("endline"))
        .with_columns(violation.line("begincolumn"), violation.line("endcolumn"))
        .with_scope(&scope.join("."))
        .with_tag(&violation.text("ruleset"))
        .with_category(Category::Code)
}
