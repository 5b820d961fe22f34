//! Audits of Node packages in the form of npm 6: npm itself, yarn and pnpm. They differ in what stands around an advisory.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | npm 6: each of `advisories` | one finding |
//! | pnpm: each version in an advisory's `findings` | one finding |
//! | yarn 1: each advisory, however many lines `auditAdvisory` (one for each dependency path) it has; yarn 2 and later: as npm 6, or one line for each package | one finding |
//! | `severity` | as it is: critical, high, moderate, low, info |
//! | `error`, lines of type `error` | the file is refused: nothing was audited |
//! | yarn 1: no `auditSummary` | the report was cut off: the scan is incomplete |
//! | `metadata.vulnerabilities`, of yarn `auditSummary`: more paths than are listed | the scan is incomplete |
//! | `totalDependencies` 0, "No lockfile found." | nothing was looked at: the scan is incomplete |

use super::reading::{Format, Reading, certain_if, likely_if, object_with, vulnerability_title};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, Sniff};

pub const NPM_AUDIT: Format = Format {
    name: "npm_audit",
    title: "npm audit JSON (npm 6)",
    tool: "npm audit",
    detect: detect_npm,
    lists: &["advisories{}", "advisories/*/findings"],
    read: read_npm,
};

pub const PNPM_AUDIT: Format = Format {
    name: "pnpm_audit",
    title: "pnpm audit JSON",
    tool: "pnpm audit",
    detect: detect_pnpm,
    lists: &["advisories{}", "advisories/*/findings"],
    read: read_pnpm,
};

pub const YARN_AUDIT: Format = Format {
    name: "yarn_audit",
    title: "yarn audit JSON",
    tool: "yarn audit",
    detect: detect_yarn,
    lists: &["advisories?{}", "advisories?/*/findings"],
    read: read_yarn,
};

#[derive(PartialEq)]
enum Kind {
    Npm,
    Pnpm,
    Yarn,
    None,
}

/// All three write `advisories`; what else they write tells them apart.
fn kind(sniff: &Sniff<'_>) -> Kind {
    // An object of advisories by number; composer audit has one by package, and lists below.
    if !object_with(sniff, &["advisories"]) || sniff.has_key("abandoned") {
        return Kind::None;
    }
    let has_paths = |start: &str| {
        let without_space: String = sniff.head.chars().filter(|c| !c.is_whitespace()).collect();
        without_space.contains(&format!("\"paths\":[\"{start}"))
    };
    let has_npm = sniff.has_key("actions") && sniff.has_key("muted");
    let is_empty = !sniff.text.contains("\"module_name\"");
    if sniff.has_key("runId") {
        Kind::Npm
    } else if has_paths(".>") || has_paths(".\"") || !has_npm {
        if is_empty && !sniff.has_key("metadata") {
            Kind::None
        } else {
            Kind::Pnpm
        }
    } else if is_empty {
        Kind::Npm
    } else {
        Kind::Yarn
    }
}

fn is_npm_error(sniff: &Sniff<'_>) -> bool {
    object_with(sniff, &["error"])
        && sniff.text.contains("\"summary\"")
        && sniff.text.contains("\"code\"")
}

fn detect_npm(sniff: &Sniff<'_>) -> Confidence {
    certain_if(kind(sniff) == Kind::Npm).max(likely_if(is_npm_error(sniff)))
}

fn detect_pnpm(sniff: &Sniff<'_>) -> Confidence {
    certain_if(kind(sniff) == Kind::Pnpm)
}

fn detect_yarn(sniff: &Sniff<'_>) -> Confidence {
    let is_lines = object_with(sniff, &["type", "data"])
        && [
            "auditAdvisory",
            "auditSummary",
            "\"info\"",
            "\"warning\"",
            "\"error\"",
        ]
        .iter()
        .any(|kind| sniff.text.contains(kind));
    let is_berry = object_with(sniff, &["value", "children"])
        && sniff.text.contains("\"Vulnerable Versions\"");
    certain_if(kind(sniff) == Kind::Yarn || is_lines || is_berry)
}

fn read_npm(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    read_advisories(reading, text, false)
}

fn read_pnpm(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    read_advisories(reading, text, true)
}

fn read_advisories(
    reading: &mut Reading<'_>,
    text: Body<'_>,
    by_version: bool,
) -> Result<(), ImportError> {
    let mut n_paths = 0;
    let rest = reading.stream(
        text,
        &[&["advisories", "*"]],
        &mut |reading, pointer, advisory| {
            n_paths += (advisory.each("findings").iter())
                .map(|found| found.each("paths").len().max(1))
                .sum::<usize>();
            let mut versions: Vec<_> = advisory
                .each("findings")
                .iter()
                .map(|f| f.text("version"))
                .collect();
            if !by_version || versions.is_empty() {
                versions.truncate(1);
                versions.resize_with(1, Default::default);
            }
            for version in versions {
                let found = finding(reading, pointer, advisory, &version);
                reading.add(found);
            }
            Ok(())
        },
    )?;
    if rest.has("auditReportVersion") {
        return Err(reading.broken(
            "$.auditReportVersion",
            "this is a report of npm 7 or later; name the format npm_audit_7_plus.",
        ));
    }
    if rest.has("error") {
        let said = rest
            .first_text(&["error/summary", "error/detail", "error/code", "error"])
            .into_owned();
        return Err(reading.broken(
            "$.error",
            format!("the audit failed and looked at nothing: {said}"),
        ));
    }
    if !rest.at("advisories").is_null() {
        reading.needs_object(&rest, "advisories")?;
    }
    counted(reading, rest.at("metadata"), "/metadata", n_paths);
    Ok(())
}

/// What the tool counts: each path to a vulnerable package, and the dependencies that it has looked at.
fn counted(reading: &mut Reading<'_>, counts: &Loose<'_>, pointer: &str, n_paths: usize) {
    let levels = ["info", "low", "moderate", "high", "critical"];
    let counted = levels
        .iter()
        .filter_map(|level| counts.number(&format!("vulnerabilities/{level}")));
    let sum = counted.sum();
    reading.declared(&format!("{pointer}/vulnerabilities"), Some(sum), n_paths);
    if counts.number("totalDependencies") == Some(0.0) {
        let pointer = format!("{pointer}/totalDependencies");
        reading.nothing_looked_at(&pointer, "the project has no dependencies");
    }
}

fn read_yarn(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut whole = None;
    let mut known = std::collections::HashSet::new();
    let mut failed = None;
    let (mut is_yarn_1, mut has_summary) = (false, false);
    // Each path has a line; the summary comes last.
    let mut n_paths = 0;
    reading.documents(text, &mut |reading, place, line| {
        match &*line.text("type") {
            "auditAdvisory" => {
                is_yarn_1 = true;
                n_paths += 1;
                let advisory = line.at("data/advisory");
                reading.needs_object(line, "data/advisory")?;
                let versions = reading.needed_list(place, advisory, "findings")?;
                let id = advisory.first_text(&["id", "github_advisory_id"]);
                if !id.is_empty() && !known.insert(format!("{id} {}", advisory.text("module_name")))
                {
                    return Ok(());
                }
                let path = line.text("data/resolution/path");
                let is_path = |f: &&Loose<'_>| f.each("paths").iter().any(|p| p.own_text() == path);
                let version = versions.iter().find(is_path).or(versions.first());
                let version = version.map_or("".into(), |f| f.text("version"));
                let found = finding(reading, place, advisory, &version).with_scope(&path);
                reading.add(found);
            }
            "auditSummary" => {
                has_summary = true;
                counted(reading, line.at("data"), place, n_paths);
            }
            "info" if line.text("data").starts_with("No lockfile") => {
                reading.nothing_looked_at(place, "there is no lockfile");
            }
            "error" => {
                failed.get_or_insert_with(|| (place.to_owned(), line.texts("data")));
            }
            _ if line.has("advisories") => whole = Some(place.to_owned()),
            _ if line.has("children") => {
                let found = berry(reading, place, line);
                reading.add(found);
            }
            _ => {}
        }
        Ok(())
    })?;
    if let Some((place, said)) = failed {
        return Err(reading.broken(&place, format!("the audit failed: {said}")));
    }
    if is_yarn_1 && !has_summary {
        reading.incomplete("", "its last line, the summary, is missing; it was cut off");
    }
    if whole.is_some() {
        return read_advisories(reading, text, false);
    }
    Ok(())
}

/// `yarn npm audit --json` of yarn 4: one line for each package and advisory.
fn berry(reading: &mut Reading<'_>, place: &str, line: &Loose<'_>) -> Finding {
    let name = line.text("value");
    let parts = line.at("children");
    let severity = reading.severity(place, &parts.text("Severity"));
    let version = parts.texts("Tree Versions");
    let url = parts.text("URL");
    Finding::of(
        &vulnerability_title("", &name, &version, &parts.text("Issue")),
        severity,
        place,
    )
    .with_rule(&parts.text("ID"))
    .with_ids(&url)
    .with_link(&url)
    .with_component(&name, &version)
    .with_category(Category::Dependency)
}

fn finding(
    reading: &mut Reading<'_>,
    pointer: &str,
    advisory: &Loose<'_>,
    version: &str,
) -> Finding {
    let severity = reading.severity(pointer, &advisory.text("severity"));
    let name = advisory.text("module_name");
    let title = advisory.text("title");
    let url = advisory.text("url");
    let id = advisory.first_text(&["github_advisory_id", "id"]);
    let patched = advisory.text("patched_versions");
    let mut finding = Finding::of(
        &vulnerability_title("", &name, version, &title),
        severity,
        pointer,
    )
    .with_rule(&id)
    .with_ids(&url)
    .with_description(&advisory.text("overview"))
    .with_remediation(&advisory.text("recommendation"))
    .with_link(&url)
    .with_cwe(advisory.at("cwe"))
    .with_component(&name, version)
    .with_fixed_version(if patched == "<0.0.0" { "" } else { &patched })
    .with_score(advisory.number("cvss/score").filter(|score| *score > 0.0))
    .with_category(Category::Dependency);
    for cve in advisory.each("cves") {
        finding = finding.with_id(&cve.own_text());
    }
    finding
}
