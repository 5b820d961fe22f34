//! Kingfisher, JSON: two documents in one file, the findings and a summary.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `findings` | one finding: critical if its validation says that the secret is active, else high |
//! | `finding.fingerprint` | the tool's fingerprint |
//! | `audit.summary` | a repository that was fetched or scanned in part or not at all makes the scan incomplete |
//! | `metadata.kingfisher_version` | tool |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, object_with};
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
    certain_if(object_with(sniff, &["findings"]) && says_so)
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut has_findings = false;
    reading.documents(text, &mut |reading, place, document| {
        if let Loose::List(findings) = document.at("findings") {
            has_findings = true;
            for (at, found) in findings.iter().enumerate() {
                reading.needs_object(found, "")?;
                reading.add(finding(&format!("/findings/{at}"), found));
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
    if has_findings {
        Ok(())
    } else {
        Err(reading.broken("$.findings", "a list is required here, and there is none."))
    }
}

fn finding(pointer: &str, found: &Loose<'_>) -> Finding {
    let state = found.first_text(&["finding/validation/status", "finding/validation/outcome"]);
    let is_active =
        state.to_ascii_lowercase().starts_with("active") || state.eq_ignore_ascii_case("valid");
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
