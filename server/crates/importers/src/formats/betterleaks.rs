//! Betterleaks 2, JSON with a `scan` section.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `findings` | one finding; severity of the tool (unknown and none are unrated), high where it gives none: a secret |
//! | `scan.state` | anything but `complete` makes the scan incomplete |
//! | `scan.betterleaks_version`, `scan.finished` | tool, time |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, adding, certain_if, object_with};
use crate::json::Loose;
use crate::{Body, Confidence, Finding, ImportError, Sniff};

pub const BETTERLEAKS: Format = Format {
    name: "betterleaks",
    title: "Betterleaks JSON",
    tool: "betterleaks",
    detect,
    lists: &["findings", "scan{}"],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    certain_if(
        object_with(sniff, &["findings", "scan"]) && sniff.text.contains("\"betterleaks_version\""),
    )
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let rest = reading.stream(text, &[&["findings", "*"]], &mut adding(finding))?;
    reading.needs_list(&rest, "findings")?;
    reading.tool("", &rest.text("scan/betterleaks_version"));
    reading.scanned_at(&rest.first_text(&["scan/finished", "scan/started"]));
    let state = rest.text("scan/state");
    if state != "complete" {
        reading.incomplete("/scan/state", &format!("its state is {state:?}"));
    }
    Ok(())
}

fn finding(reading: &mut Reading<'_>, pointer: &str, leak: &Loose<'_>) -> Finding {
    let rule = leak.first_text(&["rule_id", "RuleID", "rule/id"]);
    let words = leak.first_text(&["description", "Description", "rule/description"]);
    let words = if words.is_empty() {
        rule.clone()
    } else {
        words
    };
    let word = leak.first_text(&["severity", "Severity"]);
    // The tool's "none" says that it did not judge, not that the secret is harmless.
    let severity = match &*word {
        "" if !leak.has("severity") && !leak.has("Severity") => Severity::High,
        "none" => reading.severity(pointer, "unknown"),
        word => reading.severity(pointer, word),
    };
    let line = |names: [&str; 3]| names.iter().find_map(|name| leak.line(name));
    Finding::of(&words, severity, pointer)
        .with_rule(&rule)
        .with_path(&leak.first_text(&["file", "File", "path", "location/path"]))
        .with_lines(
            line(["start_line", "StartLine", "location/start_line"]),
            line(["end_line", "EndLine", "location/end_line"]),
        )
        .with_secret(&leak.first_text(&["secret", "Secret"]))
}
