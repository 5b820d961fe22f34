//! Ruff, JSON.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each element | one finding |
//! | severity | the tool calls everything an error, so the rule decides: security (`S`) and certain errors (`F`, `E9`, `PLE`) medium, code that cannot be parsed high, the rest low |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_or_empty, list_with};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, Sniff};

pub const RUFF: Format = Format {
    name: "ruff",
    title: "Ruff JSON",
    tool: "ruff",
    detect,
    lists: &[],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    certain_or_empty(
        sniff,
        list_with(sniff, &["code", "filename", "location", "message"]),
    )
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let rest = reading.stream(text, &[&["*"]], &mut |reading, pointer, result| {
        reading.add(finding(pointer, result));
        Ok(())
    })?;
    reading.needs_list(&rest, "").map(|_| ())
}

fn finding(pointer: &str, result: &Loose<'_>) -> Finding {
    let code = result.text("code");
    let is_of = |kind: &str| {
        code.strip_prefix(kind)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let (severity, category) = match &*code {
        "" | "invalid-syntax" => (Severity::High, Category::Code),
        _ if is_of("S") => (Severity::Medium, Category::Code),
        _ if is_of("F") || is_of("PLE") || code.starts_with("E9") => {
            (Severity::Medium, Category::Code)
        }
        _ => (Severity::Low, Category::Style),
    };
    let message = result.text("message");
    Finding::of(&message, severity, pointer)
        .with_rule(&code)
        .with_rule_name(&result.text("name"))
        .with_message(&message)
        .with_remediation(&result.text("fix/message"))
        .with_link(&result.text("url"))
        .with_path(&result.text("filename"))
        .with_lines(result.line("location/row"), result.line("end_location/row"))
        .with_columns(
            result.line("location/column"),
            result.line("end_location/column"),
        )
        .with_category(category)
}
