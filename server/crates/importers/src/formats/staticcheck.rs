//! staticcheck, JSON lines (`-f json`).
//!
//! The source is dominikh/go-tools, `lintcmd/format.go` and `lintcmd/lint.go`.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each line | one finding: error high, warning medium |
//! | `severity` ignored (`-show-ignored`) | suppressed, unrated |
//! | the code `compile` | what does not compile is not looked at: the scan is incomplete |
//! | a last line without its end | the scan is incomplete |

use holdpoint_domain::{Severity, SuppressionKind};

use super::reading::{Format, Reading, certain_if, list_with, object_with};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const STATICCHECK: Format = Format {
    name: "staticcheck",
    title: "staticcheck JSON lines",
    tool: "staticcheck",
    detect,
    lists: &["related?"],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let keys = ["code", "location", "end", "message"];
    certain_if(object_with(sniff, &keys) || list_with(sniff, &keys))
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    reading.documents(text, &mut |reading, place, problem| {
        if problem.text("code") == "compile" {
            let said = format!(
                "{} does not compile, and is not looked at: {}",
                problem.text("location/file"),
                problem.text("message")
            );
            reading.incomplete(place, &said);
        }
        let found = finding(reading, place, problem);
        reading.add(found);
        Ok(())
    })?;
    if text.begins_with('{') {
        reading.needs_last_line_break(text)?;
    }
    Ok(())
}

fn finding(reading: &mut Reading<'_>, place: &str, problem: &Loose<'_>) -> Finding {
    let word = problem.text("severity");
    let is_ignored = word == "ignored";
    let severity = if is_ignored {
        Severity::Unrated
    } else {
        reading.severity(place, &word)
    };
    let path = problem.text("location/file");
    // The end may lie in no file.
    let end = problem.line("end/line");
    let mut finding = Finding::of(&problem.text("message"), severity, place)
        .with_rule(&problem.text("code"))
        .with_message(&problem.text("message"))
        .with_path(&path)
        .with_lines(problem.line("location/line"), end)
        .with_columns(problem.line("location/column"), problem.line("end/column"))
        .with_category(Category::Code);
    if is_ignored {
        finding.status = ScannerStatus::Suppressed;
        finding.suppression_kind = Some(SuppressionKind::InSource);
    }
    finding
}
