//! cargo audit, JSON.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `vulnerabilities.list` | one finding; severity from the CVSS vector, else unrated |
//! | each of `warnings.*` | one finding, severity info: unmaintained and yanked crates, unsound ones low |
//! | `vulnerabilities.count` above the listed | the scan is incomplete |
//! | `lockfile.dependency-count` 0 | nothing was looked at: the scan is incomplete |

use holdpoint_domain::Severity;

use super::cvss::base_score;
use super::reading::{Format, Reading, certain_if, object_with, vulnerability_title};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, Sniff};

pub const CARGO_AUDIT: Format = Format {
    name: "cargo_audit",
    title: "cargo audit JSON",
    tool: "cargo-audit",
    detect,
    lists: &["vulnerabilities/list", "warnings{}", "warnings/*"],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    certain_if(object_with(
        sniff,
        &["database", "lockfile", "vulnerabilities"],
    ))
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let patterns: &[&'static [&'static str]] =
        &[&["vulnerabilities", "list", "*"], &["warnings", "*", "*"]];
    let mut n_listed = 0;
    let rest = reading.stream(text, patterns, &mut |reading, pointer, entry| {
        n_listed += usize::from(pointer.starts_with("/vulnerabilities"));
        let found = finding(reading, pointer, entry);
        reading.add(found);
        Ok(())
    })?;
    reading.needs_list(&rest, "vulnerabilities/list")?;
    let count = rest.number("vulnerabilities/count");
    reading.declared("/vulnerabilities/count", count, n_listed);
    if rest.number("lockfile/dependency-count") == Some(0.0) {
        let what = "the lock file has no dependencies";
        reading.nothing_looked_at("/lockfile/dependency-count", what);
    }
    Ok(())
}

fn finding(reading: &mut Reading<'_>, pointer: &str, entry: &Loose<'_>) -> Finding {
    let advisory = entry.at("advisory");
    let kind = entry.text("kind");
    let vector = base_score(&advisory.text("cvss"));
    let id = advisory.text("id");
    let severity = match &*kind {
        "unsound" => Severity::Low,
        "unmaintained" | "yanked" | "notice" | "informational" => Severity::Info,
        "" => match vector {
            Some(score) => Severity::from_cvss_score(score),
            None => reading.severity(pointer, ""),
        },
        kind => {
            reading.unknown_word(pointer, "kind of warning", kind);
            Severity::Unrated
        }
    };
    let (name, version) = (entry.text("package/name"), entry.text("package/version"));
    let words = if advisory.is_null() {
        kind.clone()
    } else {
        advisory.text("title")
    };
    let patched: Vec<_> = entry
        .each("versions/patched")
        .iter()
        .map(|v| v.own_text().into_owned())
        .collect();
    let mut finding = Finding::of(
        &vulnerability_title(&id, &name, &version, &words),
        severity,
        pointer,
    )
    .with_rule(if id.is_empty() { &kind } else { &id })
    .with_rule_name(&kind)
    .with_ids(&id)
    .with_description(&advisory.text("description"))
    .with_link(&advisory.text("url"))
    .with_component(&name, &version)
    .with_fixed_version(&patched.join(", "))
    .with_score(vector)
    .with_category(Category::Dependency);
    for alias in advisory.each("aliases") {
        finding = finding.with_id(&alias.own_text());
    }
    if !id.is_empty() {
        finding = finding.with_link(&format!("https://rustsec.org/advisories/{id}.html"));
    }
    finding
}
