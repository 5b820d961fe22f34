//! Checkov, JSON: one report, or a list of one for each kind of file.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `failed_checks` | one finding |
//! | `severity` | as it is; null (without an account every one is) is medium |
//! | `passed_checks`, `skipped_checks` | no findings |
//! | `parsing_errors`; no file of a kind that it knows | the scan is incomplete |
//! | `repo_file_path`, `file_line_range`, `resource` | place |

use super::reading::{Format, Reading, certain_if, list_with, object_with};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, Sniff};

pub const CHECKOV: Format = Format {
    name: "checkov",
    title: "Checkov JSON",
    tool: "checkov",
    detect,
    lists: &[],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let is_report = object_with(sniff, &["check_type", "results"])
        || list_with(sniff, &["check_type", "results"]);
    // Where no file was of any kind that it knows, there are only counts.
    let is_bare = object_with(sniff, &["passed", "failed", "checkov_version"]);
    certain_if(is_report || is_bare)
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let is_list = text.begins_with('[');
    let patterns: &[&'static [&'static str]] = if is_list {
        &[&["*", "results", "*", "*"]]
    } else {
        &[&["results", "*", "*"]]
    };
    let format = reading.format;
    let rest = super::tree::stream(format, text, patterns, &mut |pointer, check| {
        let list = pointer.rsplit('/').nth(1).unwrap_or("");
        match list {
            "failed_checks" => {
                reading.needs_object(check, "")?;
                let found = finding(reading, pointer, check);
                reading.add(found);
            }
            "parsing_errors" => reading.incomplete(
                pointer,
                &format!("{} could not be parsed", check.own_text()),
            ),
            _ => reading.not_a_finding(),
        }
        Ok(())
    })?;
    for report in rest.items() {
        let results = report.at("results");
        if !results.is_object() && !report.has("checkov_version") {
            return Err(reading.broken(
                "$.results",
                "an object with failed_checks is required here.",
            ));
        }
        reading.tool(
            "",
            &report.first_text(&["summary/checkov_version", "checkov_version"]),
        );
        let n_errors = report
            .number("summary/parsing_errors")
            .or(report.number("parsing_errors"));
        if n_errors.is_some_and(|n| n > 0.0) {
            reading.incomplete("/summary/parsing_errors", "files could not be parsed");
        }
        if !results.is_object() && report.number("resource_count") == Some(0.0) {
            let reason = "it has found no file of a kind that it knows";
            reading.incomplete("/resource_count", reason);
        }
    }
    Ok(())
}

fn finding(reading: &mut Reading<'_>, pointer: &str, check: &Loose<'_>) -> Finding {
    let severity = reading.severity(pointer, &check.text("severity"));
    let number = |at: usize| {
        let number = check
            .each("file_line_range")
            .get(at)
            .and_then(Loose::as_number);
        number
            .and_then(crate::json::whole_number)
            .filter(|number| *number > 0)
    };
    let code = check.each("code_block").iter();
    let code: Vec<_> = code
        .map(|line| {
            line.items()
                .get(1)
                .map_or("".into(), |text| text.own_text())
        })
        .collect();
    let name = check.text("check_name");
    Finding::of(&name, severity, pointer)
        .with_rule(&check.text("check_id"))
        .with_message(&name)
        .with_description(&check.first_text(&["description", "short_description"]))
        .with_link(&check.text("guideline"))
        .with_path(&check.first_text(&["repo_file_path", "file_path"]))
        .with_lines(number(0), number(1))
        .with_scope(&check.text("resource"))
        .with_snippet(&code.join("\n"))
        .with_category(Category::Configuration)
}
