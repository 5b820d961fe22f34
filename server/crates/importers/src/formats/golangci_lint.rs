//! golangci-lint, JSON of versions 1 and 2.
//!
//! The source is golangci/golangci-lint, `pkg/printers/json.go`, `pkg/result/issue.go` and `pkg/report/data.go`.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `Issues` | one finding; its rule is the linter, with the linter's own code where the text begins with one (`gosec/G104`) |
//! | `Severity` | its word; empty, where no severities are configured: medium |
//! | issues of `typecheck` | what does not compile is not looked at: the scan is incomplete |
//! | `Report`: `Error`, warnings that say so | the scan is incomplete |
//! | lines of statistics behind the JSON (`3 issues:`), which go to the same output | more than are listed: the scan is incomplete |
//! | 50 issues of one linter, or three of one text | its lists end there unless it is told otherwise: the scan is incomplete |
//! | `Report/Linters` without one that is enabled | nothing was looked at: the scan is incomplete |

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, object_with, says_unfinished};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, Sniff};

pub const GOLANGCI_LINT: Format = Format {
    name: "golangci_lint",
    title: "golangci-lint JSON",
    tool: "golangci-lint",
    detect,
    lists: &[
        "Issues",
        "Issues/*/SourceLines?~[]",
        "Report?{}",
        "Report?/Linters?",
        "Report?/Warnings?",
    ],
    read,
};

/// So many of one linter, and of one text, it lists where nobody has set `max-issues-per-linter` and `max-same-issues`.
const CAPS: [usize; 2] = [50, 3];

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let is_its = object_with(sniff, &["Issues", "Report"])
        || object_with(sniff, &["Issues"]) && sniff.text.contains("\"FromLinter\"");
    certain_if(is_its)
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let (text, statistics) = without_statistics(text);
    let mut n_issues = 0;
    let mut n_alike: HashMap<(usize, u64), usize> = HashMap::new();
    let rest = reading.stream(text, &[&["Issues", "*"]], &mut |reading, pointer, issue| {
        n_issues += 1;
        for (kind, key) in ["FromLinter", "Text"].iter().enumerate() {
            let mut hasher = DefaultHasher::new();
            issue.text(key).hash(&mut hasher);
            *n_alike.entry((kind, hasher.finish())).or_default() += 1;
        }
        if issue.text("FromLinter") == "typecheck" {
            let said = format!(
                "what does not compile is not looked at: {}",
                issue.text("Text")
            );
            reading.incomplete(pointer, &said);
        }
        let found = finding(reading, pointer, issue);
        reading.add(found);
        Ok(())
    })?;
    if let Some(line) = statistics {
        let n = line.split(' ').next().and_then(|n| n.parse().ok());
        reading.declared("its statistics", n, n_issues);
    }
    for (kind, of, setting) in [
        (0, "linter", "max-issues-per-linter"),
        (1, "text", "max-same-issues"),
    ] {
        let mut counts = n_alike.iter();
        if counts.any(|((of, _), n)| *of == kind && *n == CAPS[kind]) {
            let said = format!(
                "it lists at most {} issues of one {of}, and has so many of one; set {setting} to 0",
                CAPS[kind]
            );
            reading.incomplete("/Issues", &said);
        }
    }
    let report = rest.at("Report");
    let error = report.text("Error");
    if !error.is_empty() {
        reading.incomplete("/Report/Error", &error);
    }
    for warning in report.each("Warnings") {
        let words = warning.text("Text");
        if says_unfinished(&words) {
            reading.incomplete("/Report/Warnings", &words);
        } else {
            reading.problem("/Report/Warnings", words);
        }
    }
    let linters = report.each("Linters");
    if rest.has("Report") && !linters.iter().any(|linter| linter.flag("Enabled")) {
        reading.nothing_looked_at("/Report/Linters", "no linter is enabled");
    }
    Ok(())
}

/// The JSON, which is one line, and the first line of the statistics behind it.
fn without_statistics(text: Body<'_>) -> (Body<'_>, Option<&str>) {
    let Body::Whole(whole) = text else {
        return (text, None);
    };
    let is_count = |line: &str| {
        let (n, rest) = line.split_once(' ').unwrap_or(("", ""));
        n.parse::<u32>().is_ok() && matches!(rest.trim(), "issues." | "issues:")
    };
    let start = whole.len() - whole.trim_start().len();
    match whole[start..].split_once('\n') {
        Some((json, rest)) if rest.lines().next().is_some_and(is_count) => (
            Body::Whole(&whole[..start + json.len()]),
            rest.lines().next(),
        ),
        _ => (text, None),
    }
}

/// The code that some linters put before their words: `G104: Errors unhandled`, `SA1019: x is deprecated`.
fn code_of(words: &str) -> Option<&str> {
    let (code, _) = words.split_once(": ")?;
    let letters = code.find(|c: char| !c.is_ascii_uppercase())?;
    let is_number = |digits: &str| digits.len() >= 3 && digits.bytes().all(|b| b.is_ascii_digit());
    ((1..=3).contains(&letters) && is_number(&code[letters..])).then_some(code)
}

fn finding(reading: &mut Reading<'_>, pointer: &str, issue: &Loose<'_>) -> Finding {
    let severity = match issue.at("Severity") {
        // It rates only where it is told how to.
        Loose::Text(word) if word.trim().is_empty() => Severity::Medium,
        _ if !issue.has("Severity") => Severity::Medium,
        word => reading.severity(pointer, &word.own_text()),
    };
    let (linter, words) = (issue.text("FromLinter"), issue.text("Text"));
    let rule = match code_of(&words) {
        Some(code) => format!("{linter}/{code}"),
        None => linter.clone().into_owned(),
    };
    let lines = issue.each("SourceLines").iter().map(Loose::own_text);
    let lines: Vec<_> = lines.collect();
    let line = issue.line("Pos/Line");
    let (from, to) = (issue.line("LineRange/From"), issue.line("LineRange/To"));
    Finding::of(&words, severity, pointer)
        .with_rule(&rule)
        .with_rule_name(&linter)
        .with_message(&words)
        .with_path(&issue.text("Pos/Filename"))
        .with_lines(line.or(from), to)
        .with_columns(issue.line("Pos/Column"), None)
        .with_snippet(&lines.join("\n"))
        .with_category(Category::Code)
}

#[cfg(test)]
mod tests {
    use super::code_of;

    #[test]
    fn only_codes_of_linters_are_codes() {
        for (words, code) in [
            ("G104: Errors unhandled.", Some("G104")),
            ("SA1019: x is deprecated", Some("SA1019")),
            ("HTTP: no such thing", None),
            ("Error return value is not checked", None),
            ("G: x", None),
        ] {
            assert_eq!(code_of(words), code, "{words}");
        }
    }
}
