//! Checkmarx SAST (CxSAST), XML report.
//!
//! Source: Checkmarx SAST documentation, "Scan results: XML report"; `checkmarx-ltd/cx-flow`,
//! `src/main/java/com/checkmarx/sdk/dto/cx/xml`.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each `Result` of a `Query` | one finding, where its path ends; the severity is the result's |
//! | `FalsePositive`, state 1 (not exploitable) | suppressed, with the remark |
//! | `Status` Fixed | fixed; New, Recurrent and any other open |
//! | `SimilarityId` | part of the identity |
//! | `FilesScanned` or `LinesOfCodeScanned` 0 or missing | nothing was looked at: the scan is incomplete |

use super::reading::{Format, Reading, certain_if, root_is};
use crate::json::Loose;
use crate::text::{clean_line, normal_path};
use crate::{Body, Category, Finding, ImportError, Place, ScannerStatus};

pub const CHECKMARX: Format = Format {
    name: "checkmarx",
    title: "Checkmarx SAST XML",
    tool: "Checkmarx SAST",
    detect: |sniff| certain_if(root_is(sniff, "CxXMLResults")),
    lists: &[],
    read,
};

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let queries: &[&[&str]] = &[&["CxXMLResults", "Query"]];
    let rest = reading.xml_stream(
        text,
        &["CxXMLResults"],
        queries,
        &mut |reading, nth, query| {
            let results = query.each("Result");
            if results.is_empty() {
                let name = query.text("name");
                reading.incomplete(
                    format!("Query {}", nth.at),
                    &format!("{name} has no results"),
                );
            }
            for (at, result) in results.iter().enumerate() {
                let pointer = format!("Query {}, Result {at}", nth.at);
                reading.needs_object(result, "")?;
                let finding = finding(reading, &pointer, query, result);
                reading.add(finding);
            }
            Ok(())
        },
    )?;
    reading.tool("", &rest.text("CheckmarxVersion"));
    reading.scanned_at(&rest.text("ScanStart"));
    reading.target(&rest.text("ProjectName"));
    for key in ["FilesScanned", "LinesOfCodeScanned"] {
        if rest.number(key).is_none_or(|n| n <= 0.0) {
            reading.nothing_looked_at(key, &format!("{key} is {:?}", rest.text(key)));
        }
    }
    Ok(())
}

/// What Checkmarx calls its states, by number; those of a site's own begin after them.
fn is_not_exploitable(reading: &mut Reading<'_>, pointer: &str, state: &str) -> bool {
    let number = state.parse::<u32>();
    if number.is_err() {
        reading.unknown_word(pointer, "state", state);
    }
    number == Ok(1)
}

fn finding(
    reading: &mut Reading<'_>,
    pointer: &str,
    query: &Loose<'_>,
    result: &Loose<'_>,
) -> Finding {
    let word = result.text("Severity");
    let severity = reading.severity(pointer, &word);
    let mut status = match &*result.text("Status") {
        "New" | "Recurrent" | "Reoccured" => ScannerStatus::Open,
        "Fixed" | "Resolved" => ScannerStatus::Fixed,
        word => {
            reading.unknown_word(pointer, "status", word);
            ScannerStatus::Open
        }
    };
    let is_suppressed = is_not_exploitable(reading, pointer, &result.text("state"));
    if is_suppressed || result.flag("FalsePositive") {
        status = ScannerStatus::Suppressed;
    }
    let name = query.text("name").replace('_', " ");
    let nodes = result.each("Path/PathNode");
    let end = nodes.last();
    let path = end.map_or("".into(), |node| node.text("FileName"));
    let path = if path.is_empty() {
        result.text("FileName")
    } else {
        path
    };
    let line = end
        .and_then(|node| node.line("Line"))
        .or_else(|| result.line("Line"));
    let snippet = end.map_or("".into(), |node| node.text("Snippet/Line/Code"));
    let mut finding = Finding::of(&name, severity, pointer)
        .with_rule(&query.text("name"))
        .with_rule_name(&query.text("QueryPath"))
        .with_description(&query.text("Language"))
        .with_cwe(query.at("cweId"))
        .with_link(&result.text("DeepLink"))
        .with_path(&path)
        .with_lines(line, None)
        .with_columns(end.and_then(|node| node.line("Column")), None)
        .with_snippet(&snippet)
        .with_scope(&end.map_or("".into(), |node| node.text("Name")))
        .with_partial_fingerprint(&result.text("Path/SimilarityId"))
        .with_tag(&query.text("group"))
        .with_status(status)
        .with_category(Category::Code);
    if let Some(first) = nodes.first().filter(|_| nodes.len() > 1) {
        let path = normal_path(&first.text("FileName"), None);
        finding.related.push(Place {
            path: (!path.is_empty()).then_some(path),
            start_line: first.line("Line"),
            message: Some(clean_line(&first.text("Name"))),
            ..Place::default()
        });
    }
    if status == ScannerStatus::Suppressed {
        finding = finding.with_suppression_reason(&result.text("Remark"));
    }
    finding
}
