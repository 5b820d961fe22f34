//! Gitleaks, JSON of versions 2 to 8.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each element of the list | one finding, severity high: a secret in the open needs action, whatever its kind |
//! | `RuleID`, `Description` (7: `rule`) | rule, title |
//! | `File`, `StartLine` … (7: `file`, `lineNumber`) | place |
//! | `Secret` (7: `offender`) | only its digest, as part of the identity; `Fingerprint` has the line in it and would not last |
//! | `Commit`, `Author`, `Date` | message |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_or_empty, list_with};
use crate::json::Loose;
use crate::{Body, Confidence, Finding, ImportError, Sniff};

pub const GITLEAKS: Format = Format {
    name: "gitleaks",
    title: "Gitleaks JSON",
    tool: "gitleaks",
    detect,
    lists: &[],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    certain_or_empty(
        sniff,
        list_with(sniff, &["RuleID", "File", "Secret"])
            || list_with(sniff, &["offender", "rule", "file"]),
    )
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let rest = reading.stream(text, &[&["*"]], &mut |reading, pointer, leak| {
        reading.add(finding(pointer, leak));
        Ok(())
    })?;
    reading.needs_list(&rest, "").map(|_| ())
}

fn finding(pointer: &str, leak: &Loose<'_>) -> Finding {
    let rule = leak.first_text(&["RuleID", "rule"]);
    let words = leak.first_text(&["Description", "rule", "RuleID"]);
    let line = leak.line("StartLine").or_else(|| leak.line("lineNumber"));
    Finding::of(&words, Severity::High, pointer)
        .with_rule(&rule)
        .with_message(&commit(leak))
        .with_path(&leak.first_text(&["File", "file"]))
        .with_lines(line, leak.line("EndLine"))
        .with_columns(leak.line("StartColumn"), leak.line("EndColumn"))
        .with_secret(&leak.first_text(&["Secret", "offender"]))
        .with_tags(leak.at("Tags"))
        .with_tags(leak.at("tags"))
}

/// Where in the history it is.
fn commit(leak: &Loose<'_>) -> String {
    let commit = leak.first_text(&["Commit", "commit"]);
    if commit.is_empty() {
        return String::new();
    }
    let author = leak.first_text(&["Author", "author"]);
    let date = leak.first_text(&["Date", "date"]);
    format!("In commit {commit} by {author} of {date}.")
}
