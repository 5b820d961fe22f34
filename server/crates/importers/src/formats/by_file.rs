//! Linters that group by file: one reader, a table of the names of their fields.
//!
//! | format | files | messages | severity |
//! |---|---|---|---|
//! | secretlint | the list; `null` says of no scan: incomplete | `messages` | error high, warning medium, info info |
//! | ESLint | the list; an empty one says that no file was linted | `messages`, `suppressedMessages`; `fatal: true` and more counted than listed make the scan incomplete | 2 high, 1 medium |
//! | SQLFluff | the list | `violations`; PRS (not parsed) makes the scan incomplete | low: the form of code; `warning: true` info |
//! | Checkstyle XML | `file` | `error` | error high, warning medium, info low |
//! | JUnit XML | `testsuite` | `testcase` with `failure` or `error`, each of them; a suite that failed before its first case, counts more than it lists or has no case is incomplete | the failure's type, else medium |

use holdpoint_domain::{Severity, SuppressionKind};

use super::reading::{Format, Reading, certain_if, certain_or_empty, list_with, root_is};
use crate::json::Loose;
use crate::text::shortened;
use crate::{Body, Category, Finding, ImportError, ScannerStatus, Sniff};

pub const SECRETLINT: Format = Format {
    name: "secretlint",
    title: "secretlint JSON",
    tool: "secretlint",
    detect: |sniff| {
        certain_or_empty(
            sniff,
            list_with(sniff, &["filePath", "messages"]) && list_with(sniff, &["sourceContentType"]),
        )
    },
    lists: &["*/messages"],
    read: read_secretlint,
};

pub const ESLINT: Format = Format {
    name: "eslint",
    title: "ESLint JSON",
    tool: "eslint",
    detect: |sniff| {
        certain_or_empty(
            sniff,
            list_with(sniff, &["filePath", "messages", "errorCount"]),
        )
    },
    lists: &["*/messages", "*/suppressedMessages?"],
    read: read_eslint,
};

pub const SQLFLUFF: Format = Format {
    name: "sqlfluff",
    title: "SQLFluff JSON",
    tool: "sqlfluff",
    detect: |sniff| certain_if(list_with(sniff, &["filepath", "violations"])),
    lists: &["*/violations"],
    read: read_sqlfluff,
};

pub const CHECKSTYLE: Format = Format {
    name: "checkstyle",
    title: "Checkstyle XML",
    tool: "checkstyle",
    detect: |sniff: &Sniff<'_>| certain_if(root_is(sniff, "checkstyle")),
    lists: &[],
    read: read_checkstyle,
};

pub const JUNIT: Format = Format {
    name: "junit",
    title: "JUnit XML",
    tool: "junit",
    detect: |sniff| certain_if(root_is(sniff, "testsuites") || root_is(sniff, "testsuite")),
    lists: &[],
    read: read_junit,
};

type Make = fn(&mut Reading<'_>, &str, &str, &Loose<'_>) -> Finding;

fn read_files(
    reading: &mut Reading<'_>,
    text: Body<'_>,
    path: &str,
    list: &str,
    make: Make,
) -> Result<(), ImportError> {
    let rest = reading.stream(text, &[&["*"]], &mut |reading, pointer, file| {
        let path = file.text(path);
        for (at, message) in file.each(list).iter().enumerate() {
            reading.needs_object(message, "")?;
            let found = make(reading, &format!("{pointer}/{list}/{at}"), &path, message);
            reading.add(found);
        }
        Ok(())
    })?;
    // Whatever asks JSON for something that is not there writes it.
    if rest.is_null() {
        reading.incomplete("$", "the report is null, which says of no scan");
        return Ok(());
    }
    reading.needs_list(&rest, "").map(|_| ())
}

fn read_secretlint(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    read_files(
        reading,
        text,
        "filePath",
        "messages",
        |reading, pointer, path, message| {
            let severity = reading.severity(pointer, &message.text("severity"));
            Finding::of(&message.text("message"), severity, pointer)
                .with_rule(&message.text("ruleId"))
                .with_rule_name(&message.text("messageId"))
                .with_message(&message.text("message"))
                .with_link(&message.text("docsUrl"))
                .with_path(path)
                .with_lines(message.line("loc/start/line"), message.line("loc/end/line"))
                .with_category(Category::Secret)
        },
    )
}

fn read_eslint(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut n_files = 0_usize;
    let rest = reading.stream(text, &[&["*"]], &mut |reading, pointer, file| {
        n_files += 1;
        let path = file.text("filePath");
        for (at, message) in file.each("messages").iter().enumerate() {
            reading.needs_object(message, "")?;
            let pointer = format!("{pointer}/messages/{at}");
            if message.flag("fatal") {
                reading.incomplete(&*pointer, &format!("{path} could not be parsed"));
            }
            let found = eslint_finding(reading, &pointer, &path, message);
            reading.add(found);
        }
        for (at, message) in file.each("suppressedMessages").iter().enumerate() {
            reading.needs_object(message, "")?;
            let pointer = format!("{pointer}/suppressedMessages/{at}");
            let mut found = eslint_finding(reading, &pointer, &path, message)
                .with_status(ScannerStatus::Suppressed);
            let first = message.each("suppressions").first();
            let reason = first.map(|first| first.text("justification").into_owned());
            found.suppression_kind = Some(SuppressionKind::InSource);
            found.suppression_reason = reason
                .map(|reason| shortened(&reason, MOST_REASON_CHARS))
                .filter(|reason| !reason.is_empty());
            reading.add(found);
        }
        let counts = ["errorCount", "warningCount"];
        let n = counts.iter().filter_map(|key| file.number(key)).sum();
        reading.declared(pointer, Some(n), file.each("messages").len());
        Ok(())
    })?;
    reading.needs_list(&rest, "")?;
    // Each file that it linted is in the list.
    if n_files == 0 {
        reading.nothing_looked_at("$", "no file was linted");
    }
    Ok(())
}

/// A reason stands in one line of a page.
const MOST_REASON_CHARS: usize = 500;

fn eslint_finding(
    reading: &mut Reading<'_>,
    pointer: &str,
    path: &str,
    message: &Loose<'_>,
) -> Finding {
    let severity = match &*message.text("severity") {
        "2" => Severity::High,
        "1" => Severity::Medium,
        // Its words for the numbers are no part of a report.
        word => {
            reading.unknown_word(pointer, "severity", word);
            Severity::Unrated
        }
    };
    Finding::of(&message.text("message"), severity, pointer)
        .with_rule(&message.text("ruleId"))
        .with_message(&message.text("message"))
        .with_path(path)
        .with_lines(message.line("line"), message.line("endLine"))
        .with_columns(message.line("column"), message.line("endColumn"))
        .with_snippet(&message.text("source"))
        .with_category(Category::Code)
}

fn read_sqlfluff(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    read_files(
        reading,
        text,
        "filepath",
        "violations",
        |reading, pointer, path, violation| {
            if violation.text("code") == "PRS" {
                reading.incomplete(pointer, &format!("{path} could not be parsed"));
            }
            let severity = if violation.flag("warning") {
                Severity::Info
            } else {
                Severity::Low
            };
            let line = violation
                .line("start_line_no")
                .or_else(|| violation.line("line_no"));
            let column = violation
                .line("start_line_pos")
                .or_else(|| violation.line("line_pos"));
            Finding::of(&violation.text("description"), severity, pointer)
                .with_rule(&violation.text("code"))
                .with_rule_name(&violation.text("name"))
                .with_message(&violation.text("description"))
                .with_path(path)
                .with_lines(line, violation.line("end_line_no"))
                .with_columns(column, violation.line("end_line_pos"))
                .with_category(Category::Style)
        },
    )
}

fn read_checkstyle(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let files: &[&[&str]] = &[&["checkstyle", "file"]];
    reading.xml_stream(text, &["checkstyle"], files, &mut |reading, _, file| {
        let path = file.text("name");
        for (at, error) in file.each("error").iter().enumerate() {
            let pointer = format!("file {path}, error {at}");
            let severity = match &*error.text("severity") {
                "info" => Severity::Low,
                word => reading.severity(&pointer, word),
            };
            // Shellcheck writes `ShellCheck.SC2001`.
            let source = error.text("source");
            reading.add(
                Finding::of(&error.text("message"), severity, &pointer)
                    .with_rule(&source)
                    .with_message(&error.text("message"))
                    .with_path(&path)
                    .with_lines(error.line("line"), None)
                    .with_columns(error.line("column"), None)
                    .with_category(Category::Code),
            );
        }
        Ok(())
    })?;
    Ok(())
}

fn read_junit(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let roots = ["testsuites", "testsuite"];
    let suites: &[&[&str]] = &[
        &["testsuites", "testsuite"],
        // One that lies in the only one, which a few tools write.
        &["testsuite", "testsuite"],
    ];
    let (mut n_suites, mut n_cases) = (0_usize, 0_usize);
    let whole = reading.xml_stream(text, &roots, suites, &mut |reading, _, suite| {
        n_suites += 1;
        n_cases += read_suite(reading, suite);
        Ok(())
    })?;
    if n_suites == 0 {
        n_cases += read_suite(reading, &whole);
    }
    if n_cases == 0 {
        reading.nothing_looked_at("testsuites", "no test case");
    }
    Ok(())
}

/// How many cases it has.
fn read_suite(reading: &mut Reading<'_>, suite: &Loose<'_>) -> usize {
    let cases = suite.each("testcase");
    let place = format!("testsuite {}", suite.text("name"));
    let counted = ["errors", "failures"].map(|key| suite.number(key).unwrap_or(0.0));
    let counted: f64 = counted.iter().sum();
    if cases.is_empty() && counted > 0.0 {
        let reason = format!("the suite {} failed as a whole", suite.text("name"));
        reading.incomplete(&*place, &reason);
    }
    let mut n_listed = 0;
    for (at, case) in cases.iter().enumerate() {
        let failures: Vec<_> = case
            .each("failure")
            .iter()
            .chain(case.each("error"))
            .collect();
        if failures.is_empty() {
            reading.not_a_finding();
        }
        n_listed += failures.len();
        let name = case.text("name");
        for failure in failures {
            let pointer = format!("testcase {at} of {}", suite.text("name"));
            let word = failure.text("type");
            // What tests are for is not rated: medium.
            let severity = match Severity::from_scanner_word(&word) {
                Some(_) if word == "INFO" => Severity::Low,
                Some(severity) => severity,
                None => Severity::Medium,
            };
            let message = failure.first_text(&["message", "#text"]);
            let message = if message.is_empty() {
                failure.own_text()
            } else {
                message
            };
            reading.add(junit_finding(&name, &message, severity, &pointer, case));
        }
    }
    if !cases.is_empty() {
        reading.declared(&place, Some(counted), n_listed);
        reading.declared(&place, suite.number("tests"), cases.len());
    }
    cases.len()
}

/// Checkov's names are `[HIGH][CKV_X_1] what it checks`, and its class `/Dockerfile.resource`; Semgrep's name is the rule.
fn junit_finding(
    name: &str,
    message: &str,
    severity: Severity,
    pointer: &str,
    case: &Loose<'_>,
) -> Finding {
    let parts = name
        .split(['[', ']'])
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let code = parts
        .into_iter()
        .find(|part| part.contains('_') && !part.contains(' '));
    let rule = code.filter(|_| name.starts_with('[')).unwrap_or(name);
    Finding::of(message, severity, pointer)
        .with_rule(rule)
        .with_rule_name(name)
        .with_message(message)
        .with_path(&case.text("file"))
        .with_lines(case.line("line"), None)
        .with_scope(&case.text("classname"))
        .with_category(Category::Code)
}
