//! pip-audit, JSON: the object of today and the list of its first versions.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `vulns` | one finding, severity medium and CWE-1395 (a vulnerable dependency): the tool gives none |
//! | `skip_reason` of a dependency | the dependency was not looked at: the scan is incomplete |
//! | no dependency | nothing was looked at: the scan is incomplete |
//! | `fix_versions`, `aliases` | fixed version, ids |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, list_with, object_with, vulnerability_title};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, Sniff};

pub const PIP_AUDIT: Format = Format {
    name: "pip_audit",
    title: "pip-audit JSON",
    tool: "pip-audit",
    detect,
    lists: &["dependencies"],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let has = |text: &str| sniff.text.contains(text);
    let is_object = object_with(sniff, &["dependencies"])
        && !sniff.has_key("reportSchema")
        && (sniff.has_key("fixes") || has("\"vulns\"") || has("\"skip_reason\""));
    let is_list =
        list_with(sniff, &["name", "vulns"]) || list_with(sniff, &["name", "skip_reason"]);
    certain_if(is_object || is_list)
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let is_list = text.begins_with('[');
    let patterns: &[&'static [&'static str]] = if is_list {
        &[&["*"]]
    } else {
        &[&["dependencies", "*"]]
    };
    let (mut n_skipped, mut n_all, mut first) = (0, 0, None);
    let rest = reading.stream(text, patterns, &mut |reading, pointer, dependency| {
        n_all += 1;
        let reason = dependency.text("skip_reason");
        if !reason.is_empty() {
            n_skipped += 1;
            let message = format!("{} was skipped: {reason}", dependency.text("name"));
            reading.problem(pointer, message);
            first.get_or_insert_with(|| pointer.to_owned());
        }
        let vulnerabilities = if reason.is_empty() {
            reading.needed_list(pointer, dependency, "vulns")?
        } else {
            reading.optional_list(pointer, dependency, "vulns")?
        };
        for (at, vulnerability) in vulnerabilities.iter().enumerate() {
            reading.add(finding(
                &format!("{pointer}/vulns/{at}"),
                dependency,
                vulnerability,
            ));
        }
        Ok(())
    })?;
    reading.needs_list(&rest, if is_list { "" } else { "dependencies" })?;
    if n_all == 0 {
        let place = if is_list { "" } else { "/dependencies" };
        reading.nothing_looked_at(place, "it lists no dependency");
    }
    if let Some(first) = first {
        reading.incomplete(
            first,
            &format!("{n_skipped} of {n_all} dependencies were skipped"),
        );
    }
    Ok(())
}

fn finding(pointer: &str, dependency: &Loose<'_>, vulnerability: &Loose<'_>) -> Finding {
    let id = vulnerability.text("id");
    let (name, version) = (dependency.text("name"), dependency.text("version"));
    let fixed: Vec<_> = vulnerability
        .each("fix_versions")
        .iter()
        .map(|v| v.own_text().into_owned())
        .collect();
    let mut finding = Finding::of(
        &vulnerability_title(&id, &name, &version, ""),
        Severity::Medium,
        pointer,
    )
    .with_rule(&id)
    .with_id(&id)
    .with_description(&vulnerability.text("description"))
    .with_component(&name, &version)
    .with_cwe(&Loose::Number(1395.0))
    .with_fixed_version(&fixed.join(", "))
    .with_category(Category::Dependency);
    for alias in vulnerability.each("aliases") {
        finding = finding.with_id(&alias.own_text());
    }
    finding
}
