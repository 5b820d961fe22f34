//! Conftest, JSON.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `failures` | one finding, severity high: the policy denies |
//! | each of `warnings` | one finding, severity medium |
//! | `exceptions` | suppressed: the policy makes an exception |
//! | `successes` | no findings |
//! | no file, or no result of any kind | nothing was looked at: the scan is incomplete |
//!
//! It leaves its lists out where they are empty (output/result.go: `omitempty`).

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_or_empty, list_with};
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const CONFTEST: Format = Format {
    name: "conftest",
    title: "Conftest JSON",
    tool: "conftest",
    detect,
    lists: &["#/failures?", "#/warnings?", "#/exceptions?", "#/skipped?"],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    certain_or_empty(
        sniff,
        list_with(sniff, &["filename", "namespace"])
            || list_with(sniff, &["filename", "successes"]),
    )
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut n_results = 0.0;
    let rest = reading.stream(text, &[&["*"]], &mut |reading, pointer, file| {
        reading.needs_any(pointer, file, &["filename"]);
        n_results += file.number("successes").unwrap_or(0.0);
        for (list, severity, status) in [
            ("failures", Severity::High, ScannerStatus::Open),
            ("warnings", Severity::Medium, ScannerStatus::Open),
            ("exceptions", Severity::High, ScannerStatus::Suppressed),
        ] {
            for (at, result) in file.each(list).iter().enumerate() {
                n_results += 1.0;
                let message = result.text("msg");
                reading.add(
                    Finding::of(&message, severity, &format!("{pointer}/{list}/{at}"))
                        .with_rule(&result.first_text(&[
                            "metadata/code",
                            "metadata/id",
                            "metadata/query",
                        ]))
                        .with_message(&message)
                        .with_path(&file.text("filename"))
                        .with_scope(&file.text("namespace"))
                        .with_status(status)
                        .with_category(Category::Configuration),
                );
            }
        }
        Ok(())
    })?;
    reading.needs_list(&rest, "")?;
    if n_results <= 0.0 {
        reading.nothing_looked_at("", "no rule was tried on any file");
    }
    Ok(())
}
