//! CloudSploit, JSON and CSV.
//!
//! The source is aquasecurity/cloudsploit, `postprocess/output.js` and `engine.js`.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each result with status FAIL or WARN | one finding; it rates nothing: FAIL high, WARN medium |
//! | OK | no finding |
//! | UNKNOWN: the tool could not look | one finding that asks a person to look, unrated; the scan is incomplete |
//! | any other status | one finding, unrated, which is told |
//! | no result | nothing was looked at: the scan is incomplete |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, list_with};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const CLOUDSPLOIT: Format = Format {
    name: "cloudsploit",
    title: "CloudSploit JSON or CSV",
    tool: "cloudsploit",
    detect,
    lists: &[],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let heading = sniff.head.trim_start().lines().next().unwrap_or("");
    let heading = heading.replace('"', "");
    let is_csv = heading.starts_with("category,title,") && heading.contains(",statusWord,");
    let is_json = list_with(
        sniff,
        &["plugin", "category", "resource", "region", "status"],
    );
    certain_if(is_csv || is_json)
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut n_results = 0_usize;
    if text.begins_with('[') {
        let rest = reading.stream(text, &[&["*"]], &mut |reading, pointer, result| {
            n_results += 1;
            read_result(reading, pointer, result, &result.text("status"));
            Ok(())
        })?;
        reading.needs_list(&rest, "")?;
    } else {
        let needed = ["title", "resource", "statusWord"];
        reading.rows(text, b',', &needed, &mut |reading, pointer, row| {
            n_results += 1;
            read_result(reading, pointer, row, &row.text("statusWord"));
            Ok(())
        })?;
    }
    if n_results == 0 {
        reading.nothing_looked_at("$", "no check was run");
    }
    Ok(())
}

fn read_result(reading: &mut Reading<'_>, pointer: &str, result: &Loose<'_>, word: &str) {
    let (title, message) = (result.text("title"), result.text("message"));
    let (severity, status) = match word {
        "FAIL" => (Severity::High, ScannerStatus::Open),
        "WARN" => (Severity::Medium, ScannerStatus::Open),
        "OK" => {
            reading.not_a_finding();
            return;
        }
        "UNKNOWN" => {
            let said = format!("it could not look at {title}: {message}");
            reading.incomplete(pointer, &said);
            (Severity::Unrated, ScannerStatus::Review)
        }
        word => {
            reading.unknown_word(pointer, "status", word);
            (Severity::Unrated, ScannerStatus::Open)
        }
    };
    let (resource, region) = (result.text("resource"), result.text("region"));
    let scope = match &*resource {
        "N/A" | "" => region,
        _ => resource,
    };
    reading.add(
        Finding::of(&title, severity, pointer)
            // Its CSV has no name of the plugin.
            .with_rule(&result.first_text(&["plugin", "title"]))
            .with_rule_name(&title)
            .with_description(&result.text("description"))
            .with_message(&message)
            .with_scope(&scope)
            .with_tag(&result.text("category"))
            .with_tags(result.at("compliance"))
            .with_status(status)
            .with_category(Category::Configuration),
    );
}
