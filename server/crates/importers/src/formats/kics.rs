//! KICS, JSON.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each file of `queries` | one finding; `severity` as it is, TRACE is info |
//! | `similarity_id` | the tool's fingerprint, which does not depend on the line |
//! | `files_failed_to_scan`, `queries_failed_to_execute`; no files or queries; more in `total_counter` or `severity_counters` than is listed | the scan is incomplete |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, object_with};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, Sniff};

pub const KICS: Format = Format {
    name: "kics",
    title: "KICS JSON",
    tool: "kics",
    detect,
    lists: &["queries", "queries/*/files"],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    certain_if(object_with(sniff, &["queries_total"]) || object_with(sniff, &["kics_version"]))
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut n_listed = 0;
    let rest = reading.stream(
        text,
        &[&["queries", "*"]],
        &mut |reading, pointer, query| {
            n_listed += query.each("files").len();
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
    reading.declared("/total_counter", rest.number("total_counter"), n_listed);
    let counters = rest.entries("severity_counters").iter();
    let sum = counters.filter_map(|(_, count)| count.as_number()).sum();
    reading.declared("/severity_counters", Some(sum), n_listed);
    for (part, what) in [("files_scanned", "files"), ("queries_total", "queries")] {
        if rest.number(part) == Some(0.0) {
            reading.nothing_looked_at(&format!("/{part}"), &format!("it counts no {what}"));
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
