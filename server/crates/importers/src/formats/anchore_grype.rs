//! Grype, JSON.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `matches` | one finding |
//! | each of `ignoredMatches` | one finding, suppressed |
//! | `vulnerability.severity` | as it is, Negligible is info; else the best CVSS score; else unrated |
//! | `alertsByPackage` | a distribution at its end of life has no data any more: the scan is incomplete |
//! | `descriptor.name` of another tool | refused |
//! | `relatedVulnerabilities` | further ids: the CVE of a GHSA |
//! | `descriptor.db` with an error | the scan is incomplete |
//! | `artifact` | component, version and the first of its places |

use super::ratings::score_of;
use super::reading::{Format, Reading, certain_if, object_with, vulnerability_title};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const ANCHORE_GRYPE: Format = Format {
    name: "anchore_grype",
    title: "Grype JSON",
    tool: "grype",
    detect,
    lists: &[
        "matches",
        "matches/*/artifact/locations",
        "ignoredMatches?",
        "ignoredMatches?/*/artifact/locations",
        "alertsByPackage?",
    ],
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
    let tool = rest.text("descriptor/name");
    if !tool.is_empty() && tool != "grype" {
        let message = format!("this is a report of {tool}, which is not Grype.");
        return Err(reading.broken("$.descriptor.name", message));
    }
    reading.tool("", &rest.text("descriptor/version"));
    for alert in rest
        .each("alertsByPackage")
        .iter()
        .flat_map(|of| of.each("alerts"))
    {
        reading.incomplete("/alertsByPackage", &alert.first_text(&["message", "type"]));
    }
    reading.scanned_at(&rest.text("descriptor/timestamp"));
    if rest.text("source/type") == "image" {
        reading.image(&rest.text("source/target/userInput"));
    }
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
    let mut scores = vulnerability.each("cvss").iter().filter_map(|cvss| {
        let score = score_of(cvss.at("metrics/baseScore"));
        score.or_else(|| score_of(cvss.at("vector")))
    });
    let best = scores.clone().reduce(f64::max);
    let severity = reading.rated(pointer, &vulnerability.text("severity"), best);
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
    .with_score(scores.next_back())
    .with_package_kind(&matched.text("artifact/purl"))
    .with_category(Category::Dependency);
    for related in related {
        finding = finding.with_id(&related.text("id"));
    }
    finding
}
