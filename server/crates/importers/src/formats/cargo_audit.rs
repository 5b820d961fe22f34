//! cargo audit, JSON.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `vulnerabilities.list` | one finding; severity from the CVSS vector, else high |
//! | each of `warnings.*` | one finding, severity info: unmaintained and yanked crates, unsound ones low |

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
    lists: &[],
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
    let rest = reading.stream(text, patterns, &mut |reading, pointer, entry| {
        reading.add(finding(pointer, entry));
        Ok(())
    })?;
    reading.needs_list(&rest, "vulnerabilities/list")?;
    Ok(())
}

fn finding(pointer: &str, entry: &Loose<'_>) -> Finding {
    let advisory = entry.at("advisory");
    let kind = entry.text("kind");
    let vector = base_score(&advisory.text("cvss"));
    let severity = match &*kind {
        "unsound" => Severity::Low,
        "" => vector.map_or(Severity::High, Severity::from_cvss_score),
        _ => Severity::Info,
    };
    let id = advisory.text("id");
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
