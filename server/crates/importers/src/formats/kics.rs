//! KICS, JSON.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each file of `queries` | one finding; `severity` as it is, TRACE is info |
//! | `similarity_id` | the tool's fingerprint, which does not depend on the line |
//! | `files_failed_to_scan`, `queries_failed_to_execute` | the scan is incomplete |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, object_with};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, Sniff};

pub const KICS: Format = Format {
    name: "kics",
    title: "KICS JSON",
    tool: "kics",
    detect,
    lists: &[],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    certain_if(object_with(sniff, &["queries_total"]) || object_with(sniff, &["kics_version"]))
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let rest = reading.stream(
        text,
        &[&["queries", "*"]],
        &mut |reading, pointer, query| {
            let severity = match &*query.text("severity") {
                "TRACE" => Severity::Info,
                word => reading.severity(pointer, word),
            };
            for (at, file) in query.each("files").iter().enumerate() {
                reading.add(finding(
                    &format!("{pointer}/files/{at}"),
                    query,
                    file,
                    severity,
                ));
            }
            Ok(())
        },
    )?;
    reading.needs_list(&rest, "queries")?;
    reading.tool("", &rest.text("kics_version"));
    reading.scanned_at(&rest.text("end"));
    for part in ["files_failed_to_scan", "queries_failed_to_execute"] {
        let n = rest.number(part).unwrap_or(0.0);
        if n > 0.0 {
            reading.incomplete(
                format!("/{part}"),
                &format!("{n} {}", part.replace('_', " ")),
            );
        }
    }
    Ok(())
}

fn finding(pointer: &str, query: &Loose<'_>, file: &Loose<'_>, severity: Severity) -> Finding {
    let (expected, actual) = (file.text("expected_value"), file.text("actual_value"));
    Finding::of(&query.text("query_name"), severity, pointer)
        .with_rule(&query.text("query_id"))
        .with_rule_name(&query.text("query_name"))
        .with_description(&query.text("description"))
        .with_message(format!("Expected: {expected} Actual: {actual}").trim())
        .with_link(&query.text("query_url"))
        .with_cwe(query.at("cwe"))
        .with_path(&file.text("file_name"))
        .with_lines(file.line("line"), None)
        .with_scope(&file.first_text(&["resource_name", "search_key"]))
        .with_component(&query.text("platform"), "")
        .with_tags(query.at("platform"))
        .with_tag(&query.text("category"))
        .with_partial_fingerprint(&file.text("similarity_id"))
        .with_category(Category::Configuration)
}
