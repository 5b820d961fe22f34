//! Grype, JSON.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `matches` | one finding |
//! | each of `ignoredMatches` | one finding, suppressed |
//! | `vulnerability.severity` | as it is; Negligible and Unknown are info |
//! | `relatedVulnerabilities` | further ids: the CVE of a GHSA |
//! | `descriptor.db` with an error | the scan is incomplete |
//! | `artifact` | component, version and the first of its places |

use super::reading::{Format, Reading, certain_if, object_with, vulnerability_title};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const ANCHORE_GRYPE: Format = Format {
    name: "anchore_grype",
    title: "Grype JSON",
    tool: "grype",
    detect,
    lists: &[],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let has_other = sniff.has_key("descriptor") || sniff.has_key("source");
    let names_itself =
        || sniff.text.contains("\"grype\"") || sniff.text.contains("\"matchDetails\"");
    certain_if(object_with(sniff, &["matches"]) && (has_other || names_itself()))
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let patterns: &[&'static [&'static str]] = &[&["matches", "*"], &["ignoredMatches", "*"]];
    let rest = reading.stream(text, patterns, &mut |reading, pointer, matched| {
        let mut found = finding(reading, pointer, matched);
        if pointer.starts_with("/ignored") {
            found.status = ScannerStatus::Suppressed;
        }
        reading.add(found);
        Ok(())
    })?;
    reading.needs_list(&rest, "matches")?;
    reading.tool("", &rest.text("descriptor/version"));
    reading.scanned_at(&rest.text("descriptor/timestamp"));
    let database = rest.at("descriptor/db");
    let error = database.first_text(&["status/error", "error"]);
    if !error.is_empty() {
        let reason = format!("its database of vulnerabilities is not usable: {error}");
        reading.incomplete("/descriptor/db", &reason);
    }
    Ok(())
}

fn finding(reading: &mut Reading<'_>, pointer: &str, matched: &Loose<'_>) -> Finding {
    let vulnerability = matched.at("vulnerability");
    let severity = reading.severity(pointer, &vulnerability.text("severity"));
    let id = vulnerability.text("id");
    let (name, version) = (
        matched.text("artifact/name"),
        matched.text("artifact/version"),
    );
    let related = matched.each("relatedVulnerabilities");
    let described = related.iter().map(|related| related.text("description"));
    let description = std::iter::once(vulnerability.text("description")).chain(described);
    let description = description
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or_default();
    let place = matched
        .each("artifact/locations")
        .first()
        .map(|place| place.text("path"));
    let mut score = vulnerability
        .each("cvss")
        .iter()
        .filter_map(|cvss| cvss.number("metrics/baseScore"));
    let fixed: Vec<_> = vulnerability
        .each("fix/versions")
        .iter()
        .map(|v| v.own_text().into_owned())
        .collect();
    let mut finding = Finding::of(
        &vulnerability_title(&id, &name, &version, ""),
        severity,
        pointer,
    )
    .with_rule(&id)
    .with_id(&id)
    .with_description(&description)
    .with_link(&vulnerability.text("dataSource"))
    .with_component(&name, &version)
    .with_fixed_version(&fixed.join(", "))
    .with_path(&place.unwrap_or_default())
    .with_score(score.next_back())
    .with_category(Category::Dependency);
    for related in related {
        finding = finding.with_id(&related.text("id"));
    }
    finding
}
