//! Dockle, JSON.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `details` | one finding, with its alerts in the message |
//! | `level` | FATAL high, WARN medium, INFO low; SKIP, IGNORE and PASS are no findings; another is unrated |
//! | `summary` with more than is listed, or with nothing | the scan is incomplete |
//! | `image` without tag and digest | what was looked at |

use std::collections::BTreeMap;

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, object_with};
use crate::{Body, Category, Confidence, Finding, ImportError, Sniff};

pub const DOCKLE: Format = Format {
    name: "dockle",
    title: "Dockle JSON",
    tool: "dockle",
    detect,
    lists: &["details", "details/*/alerts[]", "summary{}"],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    certain_if(object_with(sniff, &["summary", "details"]) && sniff.text.contains("\"fatal\""))
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut n_of: BTreeMap<String, usize> = BTreeMap::new();
    let rest = reading.stream(
        text,
        &[&["details", "*"]],
        &mut |reading, pointer, detail| {
            *n_of.entry(detail.text("level").to_lowercase()).or_default() += 1;
            let severity = match &*detail.text("level") {
                "FATAL" => Severity::High,
                "WARN" => Severity::Medium,
                "INFO" => Severity::Low,
                "SKIP" | "IGNORE" | "PASS" => {
                    reading.not_a_finding();
                    return Ok(());
                }
                word => {
                    reading.unknown_word(pointer, "severity", word);
                    Severity::Unrated
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
    for level in ["fatal", "warn", "info"] {
        let counted = rest.number(&format!("summary/{level}"));
        let listed = n_of.get(level).copied().unwrap_or_default();
        reading.declared(&format!("/summary/{level}"), counted, listed);
    }
    let counts = rest.entries("summary").iter();
    let sum: f64 = counts.filter_map(|(_, count)| count.as_number()).sum();
    if sum <= 0.0 && n_of.is_empty() {
        reading.nothing_looked_at("/summary", "it counts no check");
    }
    reading.image(&rest.text("image"));
    Ok(())
}
