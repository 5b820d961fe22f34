//! gosec, JSON.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `Issues` | one finding, severity as it is |
//! | `nosec`, `suppressions` | suppressed |
//! | `Stats` | more found than listed, or no files looked at: the scan is incomplete |
//! | `Golang errors` | packages that could not be read: the scan is incomplete |

use super::reading::{Format, Reading, certain_if, numbered_lines, object_with};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const GOSEC: Format = Format {
    name: "gosec",
    title: "gosec JSON",
    tool: "gosec",
    detect,
    lists: &[
        "Issues",
        "Issues/*/suppressions?~",
        "Golang errors?/*",
        "Stats?{}",
    ],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let has_more =
        sniff.has_key("Stats") || sniff.has_key("Golang errors") || sniff.has_key("GosecVersion");
    certain_if(object_with(sniff, &["Issues"]) && (has_more || sniff.text.contains("\"rule_id\"")))
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut n_open = 0;
    let rest = reading.stream(text, &[&["Issues", "*"]], &mut |reading, pointer, issue| {
        let found = finding(reading, pointer, issue);
        n_open += usize::from(found.status.is_open());
        reading.add(found);
        Ok(())
    })?;
    // It counts what is not suppressed.
    reading.declared("/Stats/found", rest.number("Stats/found"), n_open);
    if rest.number("Stats/files") == Some(0.0) {
        reading.nothing_looked_at("/Stats/files", "no files");
    }
    reading.tool("", &rest.text("GosecVersion"));
    if let Some((file, errors)) = rest.entries("Golang errors").first() {
        let said = errors
            .items()
            .first()
            .map_or("".into(), |error| error.text("error"));
        reading.incomplete(
            "/Golang errors",
            &format!("{file} could not be read: {said}"),
        );
    }
    Ok(())
}

fn finding(reading: &mut Reading<'_>, pointer: &str, issue: &Loose<'_>) -> Finding {
    let severity = reading.severity(pointer, &issue.text("severity"));
    let line = issue.text("line");
    let mut lines = line.split('-').map(|line| line.trim().parse().ok());
    let (start, end) = (lines.next().flatten(), lines.next().flatten());
    let is_suppressed = issue.flag("nosec") || !issue.each("suppressions").is_empty();
    let status = if is_suppressed {
        ScannerStatus::Suppressed
    } else {
        ScannerStatus::Open
    };
    let details = issue.text("details");
    let rule = issue.text("rule_id");
    // The tool's own page of the rule, where no weakness is named.
    let page = format!(
        "https://securego.io/docs/rules/{}.html",
        rule.to_ascii_lowercase()
    );
    Finding::of(&details, severity, pointer)
        .with_rule(&rule)
        .with_message(&details)
        .with_cwe(issue.at("cwe/id"))
        .with_link(&issue.text("cwe/url"))
        .with_link(if rule.is_empty() { "" } else { &page })
        .with_path(&issue.text("file"))
        .with_lines(start, end)
        .with_columns(issue.line("column"), None)
        .with_snippet(&numbered_lines(&issue.text("code"), start, end))
        .with_status(status)
        .with_category(Category::Code)
}
