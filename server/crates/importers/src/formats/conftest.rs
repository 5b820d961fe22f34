//! Conftest, JSON.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `failures` | one finding, severity high: the policy denies |
//! | each of `warnings` | one finding, severity medium |
//! | `successes`, `exceptions` | no findings |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_or_empty, list_with};
use crate::{Body, Category, Confidence, Finding, ImportError, Sniff};

pub const CONFTEST: Format = Format {
    name: "conftest",
    title: "Conftest JSON",
    tool: "conftest",
    detect,
    lists: &[],
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
    let rest = reading.stream(text, &[&["*"]], &mut |reading, pointer, file| {
        for (list, severity) in [("failures", Severity::High), ("warnings", Severity::Medium)] {
            for (at, result) in file.each(list).iter().enumerate() {
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
                        .with_category(Category::Configuration),
                );
            }
        }
        Ok(())
    })?;
    reading.needs_list(&rest, "").map(|_| ())
}
