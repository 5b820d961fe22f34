//! Bandit, JSON and CSV.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `results`, each row | one finding |
//! | `issue_severity` | as it is; UNDEFINED is unrated |
//! | `metrics._totals` | more counted than listed (as with `-l` and `-i`), or no lines looked at: the scan is incomplete |
//! | `code` | the lines that are meant, without their numbers |
//! | `errors` | files that could not be read: the scan is incomplete |

use super::reading::{Format, Reading, adding, certain_if, numbered_lines, object_with};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, Sniff};

pub const BANDIT: Format = Format {
    name: "bandit",
    title: "Bandit JSON",
    tool: "bandit",
    detect,
    lists: &["results", "errors", "results/*/line_range?[]", "metrics{}"],
    read,
};

pub const BANDIT_CSV: Format = Format {
    name: "bandit_csv",
    title: "Bandit CSV",
    tool: "bandit",
    detect: detect_csv,
    lists: &[],
    read: read_csv,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    certain_if(
        object_with(sniff, &["metrics", "generated_at"])
            || object_with(sniff, &["results", "metrics"]),
    )
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut n_listed = 0;
    let rest = reading.stream(
        text,
        &[&["results", "*"]],
        &mut |reading, pointer, result| {
            n_listed += 1;
            let found = finding(reading, pointer, result);
            reading.add(found);
            Ok(())
        },
    )?;
    reading.needs_list(&rest, "results")?;
    let totals = rest.at("metrics").at("_totals");
    for kind in ["SEVERITY.", "CONFIDENCE."] {
        let counts = totals.own_entries().iter();
        let counts = counts.filter(|(key, _)| key.starts_with(kind));
        let n = counts.filter_map(|(_, count)| count.as_number()).sum();
        reading.declared("/metrics/_totals", Some(n), n_listed);
    }
    if totals.number("loc") == Some(0.0) {
        reading.nothing_looked_at("/metrics/_totals/loc", "no lines of code");
    }
    reading.scanned_at(&rest.text("generated_at"));
    for (at, error) in rest.each("errors").iter().enumerate() {
        let said = format!(
            "{} was not scanned: {}",
            error.text("filename"),
            error.text("reason")
        );
        reading.incomplete(format!("/errors/{at}"), &said);
    }
    Ok(())
}

fn detect_csv(sniff: &Sniff<'_>) -> Confidence {
    certain_if(
        sniff
            .head
            .trim_start()
            .starts_with("filename,test_name,test_id,issue_severity"),
    )
}

fn read_csv(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    reading.rows(
        text,
        b',',
        &["test_id", "issue_severity", "filename"],
        &mut adding(finding),
    )
}

fn finding(reading: &mut Reading<'_>, pointer: &str, result: &Loose<'_>) -> Finding {
    let severity = reading.severity(pointer, &result.text("issue_severity"));
    let start = result.line("line_number");
    let range = result
        .each("line_range")
        .iter()
        .filter_map(Loose::as_number);
    let end = range.filter_map(crate::json::whole_number).max();
    let words = result.text("issue_text");
    Finding::of(&words, severity, pointer)
        .with_rule(&result.text("test_id"))
        .with_rule_name(&result.text("test_name"))
        .with_message(&words)
        .with_link(&result.text("more_info"))
        .with_cwe(result.at("issue_cwe/id"))
        .with_cwe(&Loose::Text(cwe_of_link(&result.text("issue_cwe")).into()))
        .with_path(&result.text("filename"))
        .with_lines(start, end)
        .with_snippet(&numbered_lines(&result.text("code"), start, end))
        .with_category(Category::Code)
}

/// The CSV has the address of the weakness only: `https://cwe.mitre.org/data/definitions/703.html`.
fn cwe_of_link(link: &str) -> String {
    let name = link.rsplit('/').next().unwrap_or("");
    name.trim_end_matches(".html").to_owned()
}
