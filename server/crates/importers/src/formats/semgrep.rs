//! Semgrep, JSON of the command line, and of the platform's API.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `results`, `vulns` | one finding |
//! | `extra.severity` | CRITICAL; ERROR and HIGH high; WARNING and MEDIUM medium; INFO and LOW low, as its documentation equates them |
//! | `extra.is_ignored` | suppressed (`nosemgrep`) |
//! | `extra.fingerprint` | the tool's fingerprint, unless it says "requires login" |
//! | `errors` of any level, `skipped_rules`, `paths.skipped` for what nobody asked for | the scan is incomplete |
//! | `paths.scanned` empty, or no `paths` and no results | nothing was looked at: the scan is incomplete |
//! | API: `findings` | one finding; `state` fixed and removed: fixed; muted and ignored: suppressed |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, adding, certain_if, is_only, object_with};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const SEMGREP: Format = Format {
    name: "semgrep",
    title: "Semgrep JSON",
    tool: "semgrep",
    detect,
    lists: &[
        "errors?",
        "paths?/scanned[]",
        "paths?/skipped?",
        "skipped_rules?[]",
    ],
    read,
};

pub const SEMGREP_PRO: Format = Format {
    name: "semgrep_pro",
    title: "Semgrep platform JSON",
    tool: "semgrep",
    detect: detect_platform,
    lists: &["findings"],
    read: read_platform,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let says = |text: &str| sniff.text.contains(text);
    let is_results = object_with(sniff, &["results", "errors"])
        && (sniff.has_key("skipped_rules") || sniff.has_key("paths") || says("\"check_id\""))
        && !sniff.has_key("metrics");
    let is_vulns = sniff.has_key("vulns") && says("\"advisory\"");
    certain_if(is_results || is_vulns)
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let patterns: &[&'static [&'static str]] = &[&["results", "*"], &["vulns", "*"]];
    let mut n_results = 0;
    let rest = reading.stream(text, patterns, &mut |reading, pointer, result| {
        n_results += 1;
        let found = if pointer.starts_with("/vulns") {
            dependency(reading, pointer, result)
        } else {
            finding(reading, pointer, result)
        };
        reading.add(found);
        Ok(())
    })?;
    if rest.has("vulns") {
        reading.needs_list(&rest, "vulns")?;
    } else {
        reading.needs_list(&rest, "results")?;
        if !rest.has("errors") {
            reading.incomplete("/errors", "its list of errors is missing");
        }
    }
    reading.tool("", &rest.text("version"));
    for (at, error) in rest.each("errors").iter().enumerate() {
        let said = error.first_text(&["message", "long_msg", "type"]);
        let said = if said.is_empty() {
            "an error without words".into()
        } else {
            said
        };
        reading.incomplete(format!("/errors/{at}"), &said);
    }
    for (at, skipped) in rest.each("paths/skipped").iter().enumerate() {
        let reason = skipped.text("reason");
        if !MEANT.contains(&&*reason) {
            let said = format!("{} was skipped: {reason}", skipped.text("path"));
            reading.incomplete(format!("/paths/skipped/{at}"), &said);
        }
    }
    for (at, rule) in rest.each("skipped_rules").iter().enumerate() {
        let said = format!("the rule {} was skipped", rule.text("rule_id"));
        reading.incomplete(format!("/skipped_rules/{at}"), &said);
    }
    if !rest.has("vulns") {
        let scanned = rest.at("paths/scanned");
        if scanned.is_list() && scanned.items().is_empty() || n_results == 0 && !rest.has("paths") {
            reading.nothing_looked_at("/paths/scanned", "it names no scanned files");
        }
    }
    Ok(())
}

/// Reasons for skipping a file that somebody has asked for, as by patterns of `.semgrepignore` and of the command line, or that
/// no rule is about.
const MEANT: [&str; 11] = [
    "always_skipped",
    "binary",
    "cli_exclude_flags_match",
    "cli_include_flags_do_not_match",
    "dotfile",
    "excluded_by_config",
    "gitignore_patterns_match",
    "irrelevant_rule",
    "minified",
    "semgrepignore_patterns_match",
    "wrong_language",
];

fn finding(reading: &mut Reading<'_>, pointer: &str, result: &Loose<'_>) -> Finding {
    let extra = result.at("extra");
    let severity = severity(reading, pointer, &extra.text("severity"));
    let message = extra.text("message");
    let rule = result.text("check_id");
    let words = if message.is_empty() {
        rule.clone()
    } else {
        message.clone()
    };
    let lines = extra.text("lines");
    let print = extra.text("fingerprint");
    let status = if extra.flag("is_ignored") {
        ScannerStatus::Suppressed
    } else {
        ScannerStatus::Open
    };
    let metadata = extra.at("metadata");
    let link = metadata.first_text(&["source", "shortlink", "source-rule-url"]);
    let link = if link.starts_with("http") {
        link
    } else {
        metadata
            .each("references")
            .first()
            .map_or("".into(), Loose::own_text)
    };
    Finding::of(&words, severity, pointer)
        .with_rule(&rule)
        .with_message(&message)
        .with_remediation(&extra.first_text(&["fix", "metadata/fix"]))
        .with_link(&link)
        .with_cwe(metadata.at("cwe"))
        .with_path(&result.text("path"))
        .with_lines(result.line("start/line"), result.line("end/line"))
        .with_columns(result.line("start/col"), result.line("end/col"))
        .with_snippet(if lines == "requires login" {
            ""
        } else {
            &lines
        })
        .with_fingerprint(if print == "requires login" {
            ""
        } else {
            &print
        })
        .with_status(status)
        .with_category(Category::Code)
}

fn dependency(reading: &mut Reading<'_>, pointer: &str, result: &Loose<'_>) -> Finding {
    let advisory = result.at("advisory");
    let severity = severity(reading, pointer, &advisory.text("severity"));
    let package = result
        .each("dependencyFileLocation")
        .first()
        .map_or("".into(), |place| place.text("path"));
    let name = result.first_text(&["dependency/name", "package", "advisory/affectedPackage"]);
    Finding::of(
        &advisory.first_text(&["title", "ruleId"]),
        severity,
        pointer,
    )
    .with_rule(&advisory.text("ruleId"))
    .with_description(&advisory.text("description"))
    .with_ids(&advisory.texts("references"))
    .with_cwe(advisory.at("references/cweIds"))
    .with_component(
        &name,
        &result.first_text(&["dependency/version", "version"]),
    )
    .with_path(&if package.is_empty() {
        result.text("dependencyFileLocation/path")
    } else {
        package
    })
    .with_lines(result.line("dependencyFileLocation/startLine"), None)
    .with_category(Category::Dependency)
}

fn severity(reading: &mut Reading<'_>, pointer: &str, word: &str) -> Severity {
    match word.to_ascii_uppercase().as_str() {
        // Its documentation: "The older levels ERROR, WARNING and INFO match High, Medium and Low."
        "INFO" => Severity::Low,
        "INVENTORY" | "EXPERIMENT" => Severity::Info,
        _ => reading.severity(pointer, word),
    }
}

fn detect_platform(sniff: &Sniff<'_>) -> Confidence {
    if is_only(sniff, "{\"findings\":[]}") {
        return Confidence::Possible;
    }
    certain_if(object_with(sniff, &["findings"]) && sniff.text.contains("\"match_based_id\""))
}

fn read_platform(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let rest = reading.stream(text, &[&["findings", "*"]], &mut adding(platform_finding))?;
    reading.needs_list(&rest, "findings").map(|_| ())
}

fn platform_finding(reading: &mut Reading<'_>, pointer: &str, found: &Loose<'_>) -> Finding {
    let severity = severity(reading, pointer, &found.text("severity"));
    let word = found.first_text(&["status", "state"]);
    let status = match &*word {
        "fixed" | "removed" => ScannerStatus::Fixed,
        "ignored" | "muted" | "provisionally_ignored" => ScannerStatus::Suppressed,
        "reviewing" => ScannerStatus::Review,
        "open" | "fixing" | "unresolved" => ScannerStatus::Open,
        word => {
            reading.unknown_word(pointer, "status", word);
            ScannerStatus::Open
        }
    };
    let message = found.first_text(&["rule_message", "rule/message"]);
    let rule = found.first_text(&["rule_name", "rule/name"]);
    let words = if message.is_empty() {
        rule.clone()
    } else {
        message.clone()
    };
    Finding::of(&words, severity, pointer)
        .with_rule(&rule)
        .with_message(&message)
        .with_cwe(found.at("rule/cwe_names"))
        .with_link(&found.text("line_of_code_url"))
        .with_path(&found.text("location/file_path"))
        .with_lines(found.line("location/line"), found.line("location/end_line"))
        .with_columns(
            found.line("location/column"),
            found.line("location/end_column"),
        )
        .with_fingerprint(&found.text("match_based_id"))
        .with_status(status)
        .with_category(Category::Code)
}
