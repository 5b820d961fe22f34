//! Dockle, JSON.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `details` | one finding, with its alerts in the message |
//! | `level` | FATAL high, WARN medium, INFO low; SKIP, IGNORE and PASS are no findings |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, object_with};
use crate::{Body, Category, Confidence, Finding, ImportError, Sniff};

pub const DOCKLE: Format = Format {
    name: "dockle",
    title: "Dockle JSON",
    tool: "dockle",
    detect,
    lists: &[],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    certain_if(object_with(sniff, &["summary", "details"]) && sniff.text.contains("\"fatal\""))
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let rest = reading.stream(
        text,
        &[&["details", "*"]],
        &mut |reading, pointer, detail| {
            let severity = match &*detail.text("level") {
                "FATAL" => Severity::High,
                "WARN" => Severity::Medium,
                "INFO" => Severity::Low,
                _ => {
                    reading.not_a_finding();
                    return Ok(());
                }
            };
            let code = detail.text("code");
            let alerts: Vec<_> = detail
                .each("alerts")
                .iter()
                .map(|alert| alert.own_text().into_owned())
                .collect();
            reading.add(
                Finding::of(&detail.text("title"), severity, pointer)
                    .with_rule(&code)
                    .with_message(&alerts.join("\n"))
                    .with_category(Category::Container),
            );
            Ok(())
        },
    )?;
    if !rest.at("details").is_null() {
        reading.needs_list(&rest, "details")?;
    }
    Ok(())
}
