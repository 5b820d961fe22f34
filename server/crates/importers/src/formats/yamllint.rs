//! yamllint, `--format parsable`: `file:line:column: [level] message (rule)`.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each line | one finding |
//! | a last line without a line break | it was cut off: the scan is incomplete |
//! | level | error medium, warning low: it is about the form of files; `syntax error` high |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if};
use crate::{Body, Category, Confidence, Finding, ImportError, Sniff};

pub const YAMLLINT: Format = Format {
    name: "yamllint",
    title: "yamllint parsable text",
    tool: "yamllint",
    detect,
    lists: &[],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    certain_if(
        sniff
            .head
            .lines()
            .find(|line| !line.trim().is_empty())
            .is_some_and(|line| parts(line).is_some()),
    )
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    text.lines(&mut |number, line| {
        let place = format!("line {number}");
        if line.trim().is_empty() {
            return Ok(());
        }
        let Some(parts) = parts(line) else {
            let message = "expected file:line:column: [level] message (rule). Run yamllint with --format parsable.";
            return Err(reading.broken(&place, message));
        };
        let severity = match parts.level {
            _ if parts.message.starts_with("syntax error") => Severity::High,
            "error" => Severity::Medium,
            _ => Severity::Low,
        };
        reading.add(
            Finding::of(parts.message, severity, &place)
                .with_rule(parts.rule)
                .with_message(parts.message)
                .with_path(parts.path)
                .with_lines(Some(parts.line), None)
                .with_columns(Some(parts.column), None)
                .with_category(Category::Style),
        );
        Ok(())
    })?;
    reading.needs_last_line_break(text)
}

struct Parts<'a> {
    path: &'a str,
    line: u32,
    column: u32,
    level: &'a str,
    message: &'a str,
    rule: &'a str,
}

fn parts(line: &str) -> Option<Parts<'_>> {
    let (place, rest) = line.trim_end().split_once(": [")?;
    let (level, message) = rest.split_once("] ")?;
    if !matches!(level, "error" | "warning") {
        return None;
    }
    let (place, column) = place.rsplit_once(':')?;
    let (path, number) = place.rsplit_once(':')?;
    let rule = message
        .strip_suffix(')')
        .and_then(|rest| rest.rsplit_once(" ("))
        .map_or("", |(_, rule)| rule);
    let message = if rule.is_empty() {
        message
    } else {
        message
            .strip_suffix(')')?
            .strip_suffix(rule)?
            .strip_suffix(" (")?
    };
    Some(Parts {
        path,
        line: number.parse().ok()?,
        column: column.parse().ok()?,
        level,
        message,
        rule,
    })
}
