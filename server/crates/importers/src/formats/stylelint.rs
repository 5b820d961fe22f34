//! Stylelint, JSON.
//!
//! The source is stylelint/stylelint, `lib/formatters/jsonFormatter.mjs` and `docs/developer-guide/formatters.md`.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of a file's `warnings` | one finding: error high, warning medium |
//! | `CssSyntaxError`, `parseErrors` | the file could not be parsed: the scan is incomplete |
//! | `invalidOptionWarnings` | a rule did not run: the scan is incomplete |
//! | `errored` without any warning | the tool counts more than is listed: the scan is incomplete |
//! | no file, or only ones that are `ignored` | nothing was looked at: the scan is incomplete |

use super::reading::{Format, Reading, certain_or_empty, list_with};
use crate::{Body, Category, Confidence, Finding, ImportError, Sniff};

pub const STYLELINT: Format = Format {
    name: "stylelint",
    title: "Stylelint JSON",
    tool: "stylelint",
    detect,
    lists: &[
        "*/warnings",
        "*/invalidOptionWarnings?",
        "*/parseErrors?",
        "*/deprecations?",
    ],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let is_its = list_with(sniff, &["source", "warnings", "errored"])
        || list_with(sniff, &["source", "warnings", "invalidOptionWarnings"]);
    certain_or_empty(sniff, is_its)
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut n_files = 0_usize;
    let rest = reading.stream(text, &[&["*"]], &mut |reading, pointer, file| {
        n_files += usize::from(!file.flag("ignored"));
        let path = file.text("source");
        for list in ["invalidOptionWarnings", "parseErrors"] {
            if let Some(first) = file.each(list).first() {
                let said = format!("{path} was not looked at in full: {}", first.text("text"));
                reading.incomplete(format!("{pointer}/{list}"), &said);
            }
        }
        let warnings = file.each("warnings");
        if file.flag("errored") && warnings.is_empty() {
            let said = format!("it calls {path} wrong, and lists nothing");
            reading.incomplete(pointer, &said);
        }
        for (at, warning) in warnings.iter().enumerate() {
            let pointer = format!("{pointer}/warnings/{at}");
            reading.needs_object(warning, "")?;
            let rule = warning.text("rule");
            if rule == "CssSyntaxError" {
                reading.incomplete(&*pointer, &format!("{path} could not be parsed"));
            }
            let severity = reading.severity(&pointer, &warning.text("severity"));
            let words = warning.text("text");
            // It puts the rule behind the words.
            let end = format!(" ({rule})");
            reading.add(
                Finding::of(
                    words.strip_suffix(&*end).unwrap_or(&words),
                    severity,
                    &pointer,
                )
                .with_rule(&rule)
                .with_message(&words)
                .with_link(&warning.text("url"))
                .with_path(&path)
                .with_lines(warning.line("line"), warning.line("endLine"))
                .with_columns(warning.line("column"), warning.line("endColumn"))
                .with_category(Category::Style),
            );
        }
        Ok(())
    })?;
    reading.needs_list(&rest, "")?;
    if n_files == 0 {
        reading.nothing_looked_at("$", "no file was linted");
    }
    Ok(())
}
