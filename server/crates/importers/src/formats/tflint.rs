//! TFLint, JSON.
//!
//! The source is terraform-linters/tflint, `formatter/json.go`.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `issues` | one finding: error high, warning medium, notice (info before) low |
//! | `errors` | what could not be looked at: the scan is incomplete |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, likely_if, object_with};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, Shape, Sniff};

pub const TFLINT: Format = Format {
    name: "tflint",
    title: "TFLint JSON",
    tool: "tflint",
    detect,
    lists: &["issues", "issues/*/callers?", "errors"],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let has_no_more = matches!(&sniff.shape, Shape::Object { keys } if keys.len() == 2);
    let has_its_words = ["\"range\"", "\"callers\""]
        .iter()
        .any(|key| sniff.text.contains(key));
    let is_possible = has_no_more && object_with(sniff, &["issues", "errors"]);
    if has_its_words {
        certain_if(is_possible)
    } else {
        likely_if(is_possible && sniff.text.contains("\"message\""))
    }
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let rest = reading.stream(text, &[&["issues", "*"]], &mut |reading, pointer, issue| {
        let found = finding(reading, pointer, issue);
        reading.add(found);
        Ok(())
    })?;
    for (at, error) in rest.each("errors").iter().enumerate() {
        let said = error.first_text(&["message", "summary"]);
        let said = format!("it could not look at all: {said}");
        reading.incomplete(format!("/errors/{at}"), &said);
    }
    Ok(())
}

fn finding(reading: &mut Reading<'_>, pointer: &str, issue: &Loose<'_>) -> Finding {
    let severity = match &*issue.text("rule/severity").to_ascii_lowercase() {
        "notice" | "info" => Severity::Low,
        word => reading.severity(pointer, word),
    };
    let line = |of: &str| issue.line(&format!("range/{of}/line"));
    let column = |of: &str| issue.line(&format!("range/{of}/column"));
    Finding::of(&issue.text("message"), severity, pointer)
        .with_rule(&issue.text("rule/name"))
        .with_message(&issue.text("message"))
        .with_link(&issue.text("rule/link"))
        .with_path(&issue.text("range/filename"))
        .with_lines(line("start"), line("end"))
        .with_columns(column("start"), column("end"))
        .with_category(Category::Configuration)
}
