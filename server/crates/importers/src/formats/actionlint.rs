//! actionlint, JSON: a list (`-format '{{json .}}'`), or one object a line.
//!
//! The source is rhysd/actionlint, `error.go` (`ErrorTemplateFields`) and `docs/usage.md`.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each error | one finding; it rates nothing: medium |
//! | errors of the kind `syntax-check` that say that a workflow could not be parsed | nothing else was checked in it: the scan is incomplete |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, list_with, numbered_lines, object_with};
use crate::{Body, Category, Confidence, Finding, ImportError, Sniff};

pub const ACTIONLINT: Format = Format {
    name: "actionlint",
    title: "actionlint JSON",
    tool: "actionlint",
    detect,
    lists: &[],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let keys = ["message", "line", "column", "kind", "snippet"];
    certain_if(list_with(sniff, &keys) || object_with(sniff, &keys))
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    reading.documents(text, &mut |reading, pointer, error| {
        let (path, message) = (error.text("filepath"), error.text("message"));
        let kind = error.text("kind");
        if kind == "syntax-check" && message.contains("could not parse") {
            let said = format!("{path} could not be parsed: {message}");
            reading.incomplete(pointer, &said);
        }
        let line = error.line("line");
        reading.add(
            Finding::of(&message, Severity::Medium, pointer)
                .with_rule(&kind)
                .with_message(&message)
                .with_path(&path)
                .with_lines(line, None)
                .with_columns(error.line("column"), error.line("end_column"))
                .with_snippet(&numbered_lines(
                    error.text("snippet").lines().next().unwrap_or(""),
                    line,
                    None,
                ))
                .with_category(Category::Configuration),
        );
        Ok(())
    })
}
