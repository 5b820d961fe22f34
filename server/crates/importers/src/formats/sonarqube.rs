//! SonarQube, JSON of its API (issues, hotspots) and of the sonar-report tool.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `issues`, `hotspots` | one finding |
//! | severity | BLOCKER critical, CRITICAL high, MAJOR medium, MINOR low, INFO info; a hotspot by its probability |
//! | status | RESOLVED and CLOSED fixed; TO_REVIEW to be reviewed; SAFE, FALSE-POSITIVE, WONTFIX suppressed |
//! | `paging.total` larger than the list | the scan is incomplete: further pages are missing |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, object_with};
use crate::json::Loose;
use crate::{Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const SONARQUBE: Format = Format {
    name: "sonarqube",
    title: "SonarQube JSON",
    tool: "sonarqube",
    detect,
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let has_issues = object_with(sniff, &["issues"]) || object_with(sniff, &["hotspots"]);
    let is_api = sniff.has_key("paging") || sniff.has_key("components");
    let is_report = sniff.has_key("sonarBaseURL") || sniff.has_key("sonarComponent");
    certain_if(has_issues && is_api || is_report)
}

fn read(reading: &mut Reading<'_>, text: &str) -> Result<(), ImportError> {
    let patterns: &[&'static [&'static str]] = &[&["issues", "*"], &["hotspots", "*"]];
    let mut n_read: u32 = 0;
    let rest = reading.stream(text, patterns, &mut |reading, pointer, issue| {
        n_read += 1;
        let found = finding(reading, pointer, issue);
        reading.add(found);
        Ok(())
    })?;
    let list = if rest.has("issues") {
        "issues"
    } else {
        "hotspots"
    };
    reading.needs_list(&rest, list)?;
    let total = rest
        .number("paging/total")
        .or_else(|| rest.number("total"))
        .unwrap_or(0.0);
    if total > f64::from(n_read) {
        reading.incomplete(
            "/paging/total",
            &format!("{n_read} of {total} are in this file; further pages are missing"),
        );
    }
    Ok(())
}

fn finding(reading: &mut Reading<'_>, pointer: &str, issue: &Loose<'_>) -> Finding {
    let word = issue.first_text(&["severity", "vulnerabilityProbability"]);
    let severity = match &*word {
        "BLOCKER" => Severity::Critical,
        "CRITICAL" => Severity::High,
        "MAJOR" => Severity::Medium,
        "MINOR" => Severity::Low,
        word => reading.severity(pointer, word, Severity::Medium),
    };
    let resolution = issue.text("resolution");
    let status = match (&*issue.first_text(&["status", "issueStatus"]), &*resolution) {
        (_, "SAFE" | "ACKNOWLEDGED" | "FALSE-POSITIVE" | "WONTFIX")
        | ("FALSE_POSITIVE" | "ACCEPTED", _) => ScannerStatus::Suppressed,
        ("RESOLVED" | "CLOSED" | "FIXED" | "REVIEWED", _) => ScannerStatus::Fixed,
        ("TO_REVIEW", _) => ScannerStatus::Review,
        _ => ScannerStatus::Open,
    };
    let component = issue.text("component");
    // `project:folder/file`; a project alone is no file.
    let path = match component.split_once(':') {
        Some((_, path)) => path,
        None if component == issue.text("project") => "",
        None => &component,
    };
    let message = issue.text("message");
    let rule = issue.first_text(&["rule", "ruleKey"]);
    let line = issue
        .line("line")
        .or_else(|| issue.line("textRange/startLine"));
    let mut finding = Finding::of(
        if message.is_empty() { &rule } else { &message },
        severity,
        pointer,
    )
    .with_rule(&rule)
    .with_message(&message)
    .with_description(&issue.text("description"))
    .with_path(path)
    .with_lines(line, issue.line("textRange/endLine"))
    .with_fingerprint(&issue.text("key"))
    .with_status(status)
    .with_tags(issue.at("tags"))
    .with_category(Category::Code);
    if rule.contains("UsingComponentWithKnownVulnerability") {
        // Its tag cwe-937 is a category of a list of 2013; the weakness itself is in the message.
        return known_vulnerability(finding, &message);
    }
    for tag in issue.each("tags") {
        let tag = tag.own_text();
        if tag.to_ascii_lowercase().starts_with("cwe-") {
            finding = finding.with_ids(&tag);
        }
    }
    finding
}

/// The Dependency-Check plugin puts everything into the message: `Filename: name:1.2 | Reference: CVE-… | CVSS Score: 9.8 | …`.
fn known_vulnerability(finding: Finding, message: &str) -> Finding {
    let mut finding = finding
        .with_ids(message)
        .with_category(Category::Dependency);
    for part in message.split('|') {
        if let Some((key, value)) = part.split_once(':')
            && key.trim() == "Filename"
        {
            let (name, version) = value.trim().rsplit_once(':').unwrap_or((value.trim(), ""));
            finding = finding.with_component(name, version);
        }
    }
    finding
}
