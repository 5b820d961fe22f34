//! Linters whose JSON is a flat list: one reader, a table of the names of their fields.
//!
//! | format | list | rule | severity |
//! |---|---|---|---|
//! | hadolint | the file | `code` | `level`: error high, warning medium, info low, style info |
//! | shellcheck | the file, or `comments` | `code`, as SC1234 | `level`, as hadolint |
//! | whispers | the file | `rule_id` | `severity` |
//! | GitHub annotations | the file | `title` | `annotation_level`: failure high, warning medium, notice low |
//! | GitLab code quality | the file | `check_name` | `severity`: blocker, critical, major, minor, info |
//! | dodgy | `warnings` | `code` | high |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, certain_or_empty, list_with, object_with};
use crate::json::Loose;
use crate::{Body, Category, Finding, ImportError, Sniff};

/// The names that a format gives to the same things, each the first that is there.
struct Names {
    rule: &'static [&'static str],
    message: &'static [&'static str],
    severity: &'static [&'static str],
    path: &'static [&'static str],
    lines: [&'static str; 2],
    columns: [&'static str; 2],
    fingerprint: &'static str,
    category: Category,
}

const LEVELS: Names = Names {
    rule: &["code"],
    message: &["message"],
    severity: &["level"],
    path: &["file"],
    lines: ["line", "endLine"],
    columns: ["column", "endColumn"],
    fingerprint: "",
    category: Category::Code,
};

pub const HADOLINT: Format = Format {
    name: "hadolint",
    title: "hadolint JSON",
    tool: "hadolint",
    detect: |sniff| {
        certain_or_empty(
            sniff,
            list_with(sniff, &["code", "level", "file"]) && !list_with(sniff, &["endLine"]),
        )
    },
    lists: &[],
    read: |reading, text| {
        read(
            reading,
            text,
            "",
            &Names {
                category: Category::Container,
                ..LEVELS
            },
        )
    },
};

pub const SHELLCHECK: Format = Format {
    name: "shellcheck",
    title: "ShellCheck JSON",
    tool: "shellcheck",
    detect: |sniff| {
        let is_old = list_with(sniff, &["code", "level", "file", "endLine"]);
        certain_if(is_old || object_with(sniff, &["comments"]) && has_only(sniff, "\"endLine\""))
    },
    lists: &["comments"],
    read: |reading, text| {
        read(
            reading,
            text,
            if is_list(text) { "" } else { "comments" },
            &LEVELS,
        )
    },
};

pub const WHISPERS: Format = Format {
    name: "whispers",
    title: "Whispers JSON",
    tool: "whispers",
    detect: |sniff| certain_if(list_with(sniff, &["key", "value", "file", "rule_id"])),
    lists: &[],
    read: |reading, text| {
        let names = Names {
            rule: &["rule_id"],
            severity: &["severity"],
            category: Category::Secret,
            ..LEVELS
        };
        read(reading, text, "", &names)
    },
};

pub const GITHUB_ANNOTATIONS: Format = Format {
    name: "github_annotations",
    title: "GitHub annotations JSON",
    tool: "annotations",
    detect: |sniff| certain_if(list_with(sniff, &["annotation_level", "message"])),
    lists: &[],
    read: |reading, text| {
        let names = Names {
            rule: &["rule"],
            severity: &["annotation_level"],
            path: &["file", "path"],
            lines: ["start_line", "end_line"],
            columns: ["start_column", "end_column"],
            ..LEVELS
        };
        read(reading, text, "", &names)
    },
};

pub const GITLAB_CODE_QUALITY: Format = Format {
    name: "gitlab_code_quality",
    title: "GitLab code quality JSON",
    tool: "code quality",
    detect: |sniff| {
        certain_or_empty(
            sniff,
            list_with(sniff, &["description", "fingerprint", "location"]),
        )
    },
    lists: &[],
    read: |reading, text| {
        let names = Names {
            rule: &["check_name"],
            message: &["description"],
            severity: &["severity"],
            path: &["location/path"],
            lines: ["location/lines/begin", "location/lines/end"],
            fingerprint: "fingerprint",
            ..LEVELS
        };
        read(reading, text, "", &names)
    },
};

pub const DODGY: Format = Format {
    name: "dodgy",
    title: "dodgy JSON",
    tool: "dodgy",
    detect: |sniff| certain_if(object_with(sniff, &["warnings"]) && has_only(sniff, "\"path\"")),
    lists: &["warnings"],
    read: |reading, text| {
        let names = Names {
            path: &["path"],
            severity: &[],
            category: Category::Secret,
            ..LEVELS
        };
        read(reading, text, "warnings", &names)
    },
};

/// A small object with one list: the list is empty, or its elements have this.
fn has_only(sniff: &Sniff<'_>, mark: &str) -> bool {
    let is_alone = matches!(&sniff.shape, crate::Shape::Object { keys } if keys.len() == 1);
    let text: String = sniff
        .text
        .chars()
        .take(200)
        .filter(|c| !c.is_whitespace())
        .collect();
    is_alone && (text.ends_with(":[]}") || sniff.text.contains(mark))
}

fn is_list(text: Body<'_>) -> bool {
    text.begins_with('[')
}

fn read(
    reading: &mut Reading<'_>,
    text: Body<'_>,
    list: &'static str,
    names: &Names,
) -> Result<(), ImportError> {
    let pattern: &'static [&'static str] = match list {
        "" => &["*"],
        "comments" => &["comments", "*"],
        _ => &["warnings", "*"],
    };
    let rest = reading.stream(text, &[pattern], &mut |reading, pointer, value| {
        // After a file that cannot be parsed these two say nothing more of it.
        let code = value.text("code");
        if (reading.format == "hadolint" && code == "DL1000")
            || (reading.format == "shellcheck" && matches!(&*code, "1072" | "1073"))
        {
            let path = value.first_text(names.path);
            reading.incomplete(pointer, &format!("{path} could not be parsed"));
        }
        let found = finding(reading, pointer, value, names);
        reading.add(found);
        Ok(())
    })?;
    reading.needs_list(&rest, list).map(|_| ())
}

fn finding(reading: &mut Reading<'_>, pointer: &str, value: &Loose<'_>, names: &Names) -> Finding {
    let severity = match value
        .first_text(names.severity)
        .to_ascii_lowercase()
        .as_str()
    {
        "error" | "failure" => Severity::High,
        // Below "info" on the scale of these tools.
        "style" if reading.format != "gitlab_code_quality" => Severity::Info,
        "info" if names.severity == ["level"] => Severity::Low,
        "notice" => Severity::Low,
        "critical" if reading.format == "gitlab_code_quality" => Severity::High,
        "major" => Severity::Medium,
        // Dodgy rates nothing, and finds secrets.
        _ if names.severity.is_empty() => Severity::High,
        word => reading.severity(pointer, word),
    };
    let rule = value.first_text(names.rule);
    // An annotation has no field for the rule; linters put it before the message (`LT05: Line is too long`).
    let before = || {
        value
            .first_text(names.message)
            .split_once(": ")
            .map(|(rule, _)| rule.to_owned())
    };
    let is_code = |rule: &String| {
        rule.len() < 12
            && rule.bytes().all(|b| b.is_ascii_alphanumeric())
            && rule.ends_with(|c: char| c.is_ascii_digit())
    };
    let rule = match before().filter(is_code) {
        Some(code) if rule.is_empty() => code.into(),
        _ => rule,
    };
    let rule = if reading.format == "shellcheck" {
        format!("SC{rule}").into()
    } else {
        rule
    };
    let message = value.first_text(names.message);
    let line = |names: [&str; 2]| (value.line(names[0]), value.line(names[1]));
    let (start, end) = line(names.lines);
    let (start, end) = (
        start.or_else(|| value.line("location/positions/begin/line")),
        end.or_else(|| value.line("location/positions/end/line")),
    );
    let (from, to) = line(names.columns);
    let finding = Finding::of(
        if message.is_empty() { &rule } else { &message },
        severity,
        pointer,
    )
    .with_rule(&rule)
    .with_message(&message)
    .with_path(&value.first_text(names.path))
    .with_lines(start, end)
    .with_columns(from, to)
    .with_category(names.category);
    let finding = if value.has("key") {
        finding.with_scope(&value.text("key"))
    } else {
        finding
    };
    if names.fingerprint.is_empty() {
        finding
    } else {
        finding.with_partial_fingerprint(&value.text(names.fingerprint))
    }
}
