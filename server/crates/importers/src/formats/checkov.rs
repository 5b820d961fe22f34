//! Checkov, JSON: one report, or a list of one for each kind of file.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `failed_checks` | one finding |
//! | `severity` | as it is; null is medium where its platform said nothing of any check, else unrated |
//! | `passed_checks` | no findings |
//! | `skipped_checks` | suppressed, with the comment that says why |
//! | `parsing_errors`; no file of a kind that it knows; no check at all; more in `summary` than is listed | the scan is incomplete |
//! | `repo_file_path`, `file_line_range`, `resource` | place |

use std::collections::HashMap;

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, list_with, object_with};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const CHECKOV: Format = Format {
    name: "checkov",
    title: "Checkov JSON",
    tool: "checkov",
    detect,
    lists: &[
        "results?/failed_checks",
        "results?/failed_checks/*/file_line_range[]",
        "results?/skipped_checks?",
        "results?/skipped_checks?/*/file_line_range[]",
        "results?/passed_checks?",
        "results?/parsing_errors?[]",
        "#/results/failed_checks",
        "#/results/failed_checks/*/file_line_range[]",
        "#/results/skipped_checks?",
        "#/results/skipped_checks?/*/file_line_range[]",
        "#/results/passed_checks?",
        "#/results/parsing_errors?[]",
    ],
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
        &[
            &["*", "results", "failed_checks", "*"],
            &["*", "results", "skipped_checks", "*"],
            &["*", "results", "passed_checks", "*"],
        ]
    } else {
        &[
            &["results", "failed_checks", "*"],
            &["results", "skipped_checks", "*"],
            &["results", "passed_checks", "*"],
        ]
    };
    // By report: how many are listed as failed, skipped and passed.
    let mut listed: HashMap<String, [usize; 3]> = HashMap::new();
    let mut is_rated = false;
    let mut without_rating = Vec::new();
    reading
        .stream(text, patterns, &mut |reading, pointer, check| {
            let (report, list) = match pointer.split_once("/results/") {
                Some((report, rest)) => (report, rest),
                None => ("", pointer),
            };
            let kind = usize::from(list.starts_with("skipped"))
                + 2 * usize::from(list.starts_with("passed"));
            listed.entry(report.to_owned()).or_default()[kind] += 1;
            if kind == 2 {
                reading.not_a_finding();
                return Ok(());
            }
            // What only its platform says, as it does the severity.
            is_rated |= ["severity", "bc_category", "benchmarks"]
                .iter()
                .any(|key| !check.at(key).is_null());
            let mut found = finding(pointer, check);
            if kind == 1 {
                let why = check.text("check_result/suppress_comment");
                found = found.with_status(ScannerStatus::Suppressed);
                if !why.is_empty() {
                    found = found.with_message(&format!("Skipped: {why}"));
                }
            }
            let word = check.text("severity");
            if word.is_empty() {
                without_rating.push(found);
            } else {
                found.severity = reading.severity(pointer, &word);
                reading.add(found);
            }
            Ok(())
        })
        .and_then(|rest| read_reports(reading, &rest, is_list, &listed))?;
    for mut found in without_rating {
        if is_rated {
            found.severity = reading.severity(&found.pointer, "");
        }
        reading.add(found);
    }
    Ok(())
}

/// What each report says beside its checks.
fn read_reports(
    reading: &mut Reading<'_>,
    rest: &Loose<'_>,
    is_list: bool,
    listed: &HashMap<String, [usize; 3]>,
) -> Result<(), ImportError> {
    if rest.items().is_empty() {
        reading.nothing_looked_at("", "the list of reports is empty");
    }
    for (at, report) in rest.items().iter().enumerate() {
        let pointer = if is_list {
            format!("/{at}")
        } else {
            String::new()
        };
        let results = report.at("results");
        let is_bare = !report.has("results") && report.has("checkov_version");
        if !results.is_object() && !is_bare {
            return Err(reading.broken(
                "$.results",
                "an object with failed_checks is required here.",
            ));
        }
        reading.tool(
            "",
            &report.first_text(&["summary/checkov_version", "checkov_version"]),
        );
        let number = |name: &str| {
            let within = report.number(&format!("summary/{name}"));
            within.or(report.number(name))
        };
        let listed = listed.get(&pointer).copied().unwrap_or_default();
        let errors = report.each("results/parsing_errors");
        for error in errors {
            let reason = format!("{} could not be parsed", error.own_text());
            reading.incomplete(format!("{pointer}/results/parsing_errors"), &reason);
        }
        if errors.is_empty() && number("parsing_errors").is_some_and(|n| n > 0.0) {
            let pointer = format!("{pointer}/summary/parsing_errors");
            reading.incomplete(pointer, "files could not be parsed");
        }
        // `--quiet` leaves all lists out but that of failed checks.
        let is_quiet = !results.has("skipped_checks") && !results.has("passed_checks");
        for (name, n_listed) in [("failed", listed[0]), ("skipped", listed[1])] {
            if name == "failed" || !is_quiet {
                let pointer = format!("{pointer}/summary/{name}");
                reading.declared(&pointer, number(name), n_listed);
            }
        }
        let counted = ["passed", "failed", "skipped"]
            .iter()
            .filter_map(|name| number(name));
        let n_checks = counted.sum::<f64>();
        if is_bare && number("resource_count") == Some(0.0) {
            let reason = "it has found no file of a kind that it knows";
            reading.incomplete("/resource_count", reason);
        } else if n_checks <= 0.0 && listed == [0; 3] {
            reading.nothing_looked_at(&format!("{pointer}/results"), "no check was run");
        } else if number("resource_count") == Some(0.0) {
            let pointer = format!("{pointer}/summary/resource_count");
            reading.nothing_looked_at(&pointer, "it counts no resource");
        }
    }
    Ok(())
}

/// A check, with the severity of one that is not rated.
fn finding(pointer: &str, check: &Loose<'_>) -> Finding {
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
    Finding::of(&name, Severity::Medium, pointer)
        .with_rule(&check.text("check_id"))
        .with_message(&name)
        .with_description(&check.first_text(&["description", "short_description"]))
        .with_link(&check.text("guideline"))
        .with_path(&check.first_text(&["repo_file_path", "file_path"]))
        .with_lines(number(0), number(1))
        .with_scope(&check.text("resource"))
        .with_component(
            &check.text("vulnerability_details/package_name"),
            &check.text("vulnerability_details/package_version"),
        )
        .with_snippet(&code.join("\n"))
        .with_category(Category::Configuration)
}
