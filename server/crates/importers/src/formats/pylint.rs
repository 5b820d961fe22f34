//! Pylint, JSON (`json` and `json2`).
//!
//! The source is pylint-dev/pylint, `pylint/reporters/json_reporter.py`.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each message | one finding |
//! | `type` | fatal and error high, warning medium, refactor and convention low, info info |
//! | fatal messages, `syntax-error`, `parse-error` | what could not be parsed is not looked at: the scan is incomplete |
//! | more in `messageTypeCount` than is listed, no `modulesLinted` | the scan is incomplete |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, list_with, object_with};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, Sniff};

pub const PYLINT: Format = Format {
    name: "pylint",
    title: "Pylint JSON",
    tool: "pylint",
    detect,
    lists: &["messages", "statistics{}", "statistics/messageTypeCount{}"],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let is_list = list_with(sniff, &["type", "symbol", "message-id", "path"]);
    let is_object =
        object_with(sniff, &["messages", "statistics"]) && sniff.text.contains("\"modulesLinted\"");
    certain_if(is_list || is_object)
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut n_messages = 0;
    let mut each = |reading: &mut Reading<'_>, pointer: &str, message: &Loose<'_>| {
        n_messages += 1;
        let found = finding(reading, pointer, message);
        reading.add(found);
        Ok(())
    };
    if text.begins_with('[') {
        let rest = reading.stream(text, &[&["*"]], &mut each)?;
        return reading.needs_list(&rest, "").map(|_| ());
    }
    let rest = reading.stream(text, &[&["messages", "*"]], &mut each)?;
    let counts = rest.entries("statistics/messageTypeCount").iter();
    let n = counts.filter_map(|(_, count)| count.as_number()).sum();
    reading.declared("/statistics/messageTypeCount", Some(n), n_messages);
    if rest.number("statistics/modulesLinted") == Some(0.0) {
        reading.nothing_looked_at("/statistics/modulesLinted", "no module was linted");
    }
    Ok(())
}

fn finding(reading: &mut Reading<'_>, pointer: &str, message: &Loose<'_>) -> Finding {
    let (kind, symbol) = (message.text("type"), message.text("symbol"));
    let path = message.text("path");
    let words = message.text("message");
    let is_unparsed = matches!(
        &*symbol,
        "syntax-error" | "parse-error" | "astroid-error" | "no-files-found"
    );
    if kind == "fatal" || is_unparsed {
        reading.incomplete(pointer, &format!("{path} was not looked at: {words}"));
    }
    let (severity, category) = match &*kind {
        "fatal" | "error" => (Severity::High, Category::Code),
        "warning" => (Severity::Medium, Category::Code),
        "refactor" | "convention" => (Severity::Low, Category::Style),
        "info" => (Severity::Info, Category::Style),
        word => {
            reading.unknown_word(pointer, "severity", word);
            (Severity::Unrated, Category::Code)
        }
    };
    Finding::of(&words, severity, pointer)
        .with_rule(&message.first_text(&["messageId", "message-id"]))
        .with_rule_name(&symbol)
        .with_message(&words)
        .with_path(&path)
        .with_lines(message.line("line"), message.line("endLine"))
        .with_scope(&message.text("obj"))
        .with_category(category)
}
