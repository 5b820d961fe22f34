//! Kingfisher, JSON: two documents in one file, the findings and a summary; also a list, or a line for each finding.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `findings` | one finding: critical if its validation says that the secret is active, else high; an unknown word of it is told |
//! | `finding.fingerprint` | the tool's fingerprint |
//! | the summary counts more findings than are listed, or nothing looked at | the scan is incomplete |
//! | `audit.summary` | a repository that was fetched or scanned in part or not at all makes the scan incomplete |
//! | `metadata.kingfisher_version` | tool |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, list_with, object_with};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, Sniff};

pub const KINGFISHER: Format = Format {
    name: "kingfisher",
    title: "Kingfisher JSON",
    tool: "kingfisher",
    detect,
    lists: &[],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let says_so = sniff.text.contains("\"kingfisher_version\"")
        || sniff.text.contains("kingfisher.repository-audit");
    let keys = ["rule", "finding"];
    let is_one = object_with(sniff, &keys) || list_with(sniff, &keys);
    let is_envelope = object_with(sniff, &["findings"]) || list_with(sniff, &["findings"]);
    certain_if(is_envelope && says_so || is_one && sniff.text.contains("\"kingfisher."))
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let (mut has_findings, mut n_listed, mut n_counted) = (false, 0_usize, None);
    reading.documents(text, &mut |reading, place, document| {
        if document.has("finding") && document.has("rule") {
            has_findings = true;
            n_listed += 1;
            let found = finding(reading, place, document);
            reading.add(found);
        } else if let Some(n) = document.number("findings") {
            // The summary.
            n_counted = Some((place.to_owned(), n));
            for key in ["bytes_scanned", "blobs_scanned", "rules_applied"] {
                if document.number(key) == Some(0.0) {
                    reading.nothing_looked_at(place, &format!("its {key} is 0"));
                }
            }
        } else if document.has("findings") {
            has_findings = true;
            let findings = reading.needs_list(document, "findings")?;
            n_listed += findings.len();
            for (at, found) in findings.iter().enumerate() {
                reading.needs_object(found, "")?;
                let found = finding(reading, &format!("/findings/{at}"), found);
                reading.add(found);
            }
        }
        reading.tool("", &document.text("metadata/kingfisher_version"));
        reading.scanned_at(&document.text("metadata/scan_timestamp"));
        if let Some(repository) = document.each("audit/repositories").first() {
            reading.commit(&repository.text("git/tip_sha"));
        }
        for part in ["fetch_failed", "scan_partial", "scan_failed", "pending"] {
            let n = document
                .number(&format!("audit/summary/{part}"))
                .unwrap_or(0.0);
            if n > 0.0 {
                reading.incomplete(
                    place,
                    &format!("the tool counts {n} repositories as {part}"),
                );
            }
        }
        Ok(())
    })?;
    if let Some((place, n)) = n_counted {
        reading.declared(&place, Some(n), n_listed);
    }
    if has_findings {
        Ok(())
    } else {
        Err(reading.broken("$.findings", "a list is required here, and there is none."))
    }
}

/// What its validation says of secrets that do not work, or that it did not try.
const NOT_ACTIVE: [&str; 6] = [
    "inactive",
    "not attempted",
    "not_attempted",
    "invalid",
    "none",
    "skipped",
];

fn finding(reading: &mut Reading<'_>, pointer: &str, found: &Loose<'_>) -> Finding {
    let state = found.first_text(&["finding/validation/status", "finding/validation/outcome"]);
    let is_active =
        state.to_ascii_lowercase().starts_with("active") || state.eq_ignore_ascii_case("valid");
    let lower = state.to_ascii_lowercase();
    if !is_active && !NOT_ACTIVE.iter().any(|word| lower.starts_with(word)) {
        reading.unknown_word(pointer, "validation status", &state);
    }
    let severity = if is_active {
        Severity::Critical
    } else {
        Severity::High
    };
    let rule = found.first_text(&["rule/id", "rule/name"]);
    let words = found.first_text(&["rule/description", "rule/title", "rule/name"]);
    Finding::of(&words, severity, pointer)
        .with_rule(&rule)
        .with_rule_name(&found.text("rule/name"))
        .with_description(&found.text("rule/description"))
        .with_message(&format!("Validation: {state}."))
        .with_path(&found.text("finding/path"))
        .with_lines(found.line("finding/line"), None)
        .with_columns(
            found.line("finding/column_start"),
            found.line("finding/column_end"),
        )
        .with_fingerprint(&found.text("finding/fingerprint"))
        .with_category(Category::Secret)
}
