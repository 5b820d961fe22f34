//! OSV-Scanner, JSON.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each group of `results[].packages[]` | one finding: the ids of a group are names of one vulnerability |
//! | a vulnerability in no group | one finding |
//! | `max_severity` of the group | severity; else `database_specific.severity`, else the vector, else low |
//! | `experimental_analysis.*.called: false` | not affected: the vulnerable function is never called |
//! | `affected[].ranges[].events[].fixed` | fixed version |

use std::collections::HashMap;

use holdpoint_domain::Severity;

use super::cvss::base_score;
use super::reading::{Format, Reading, certain_if, object_with, vulnerability_title};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const OSV_SCANNER: Format = Format {
    name: "osv_scanner",
    title: "OSV-Scanner JSON",
    tool: "osv-scanner",
    detect,
    lists: &[],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let has = |text: &str| sniff.text.contains(text);
    let has_packages = has("\"packages\"") && has("\"ecosystem\"");
    certain_if(
        object_with(sniff, &["results"]) && (has_packages || sniff.has_key("experimental_config")),
    )
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let rest = reading.stream(
        text,
        &[&["results", "*"]],
        &mut |reading, pointer, result| {
            let path = result.text("source/path");
            for (at, package) in result.each("packages").iter().enumerate() {
                read_package(reading, &format!("{pointer}/packages/{at}"), package, &path);
            }
            Ok(())
        },
    )?;
    reading.needs_list(&rest, "results").map(|_| ())
}

fn read_package(reading: &mut Reading<'_>, pointer: &str, package: &Loose<'_>, path: &str) {
    let groups = package.each("groups");
    let mut group_of = HashMap::new();
    for (at, group) in groups.iter().enumerate() {
        for id in group.each("ids") {
            group_of.entry(id.own_text()).or_insert(at);
        }
    }
    // Each finding with the place of its first name, in the order of the file.
    let mut findings: Vec<(usize, &Loose<'_>, Vec<&Loose<'_>>)> = Vec::new();
    let mut finding_of = HashMap::new();
    let nothing = Loose::Null;
    for (at, vulnerability) in package.each("vulnerabilities").iter().enumerate() {
        let group = group_of.get(&vulnerability.text("id")).copied();
        match group.and_then(|group| finding_of.get(&group).copied()) {
            Some(known) => {
                let (.., same): &mut (_, _, Vec<_>) = &mut findings[known];
                same.push(vulnerability);
            }
            None => {
                if let Some(group) = group {
                    finding_of.insert(group, findings.len());
                }
                let group = group.map_or(&nothing, |group| &groups[group]);
                findings.push((at, group, vec![vulnerability]));
            }
        }
    }
    for (at, group, same) in findings {
        let pointer = format!("{pointer}/vulnerabilities/{at}");
        let found = finding(&pointer, package, group, &same).with_path(path);
        reading.add(found);
    }
}

fn finding(pointer: &str, package: &Loose<'_>, group: &Loose<'_>, same: &[&Loose<'_>]) -> Finding {
    let main = same[0];
    let id = main.text("id");
    let (name, version) = (
        package.text("package/name"),
        package.text("package/version"),
    );
    let vector = |v: &&Loose<'_>| {
        v.each("severity")
            .iter()
            .filter_map(|s| base_score(&s.text("score")))
            .reduce(f64::max)
    };
    let score = group.number("max_severity").filter(|score| *score > 0.0);
    let score = score.or_else(|| same.iter().filter_map(vector).reduce(f64::max));
    let worded = same
        .iter()
        .filter_map(|v| Severity::from_scanner_word(&v.text("database_specific/severity")));
    // Severities are declared from critical down.
    let severity = score
        .map(Severity::from_cvss_score)
        .or_else(|| worded.min());
    let summary = main.text("summary");
    let mut finding = Finding::of(
        &vulnerability_title(&id, &name, &version, &summary),
        severity.unwrap_or(Severity::Low),
        pointer,
    )
    .with_rule(&id)
    .with_description(&main.first_text(&["details", "summary"]))
    .with_component(&name, &version)
    .with_score(score)
    .with_category(Category::Dependency);
    for vulnerability in same {
        finding = finding.with_id(&vulnerability.text("id"));
        for alias in vulnerability.each("aliases") {
            finding = finding.with_id(&alias.own_text());
        }
        finding = finding
            .with_cwe(vulnerability.at("database_specific/cwe_ids"))
            .with_link(
                &vulnerability
                    .each("references")
                    .first()
                    .map_or("".into(), |r| r.text("url")),
            );
        for affected in vulnerability.each("affected") {
            finding = finding.with_cwe(affected.at("database_specific/cwes"));
            let is_this = affected.text("package/name") == name;
            let events = affected
                .each("ranges")
                .iter()
                .flat_map(|range| range.each("events"));
            let fixed = events
                .map(|event| event.text("fixed"))
                .find(|fixed| !fixed.is_empty());
            if let Some(fixed) = fixed.filter(|_| is_this && finding.fixed_version.is_none()) {
                finding = finding.with_fixed_version(&fixed);
            }
        }
    }
    let analysis = group
        .entries("experimentalAnalysis")
        .iter()
        .chain(group.entries("experimental_analysis"));
    let mut called = analysis
        .map(|(_, analysis)| analysis.at("called"))
        .peekable();
    if called.peek().is_some() && called.all(|called| matches!(called, Loose::Bool(false))) {
        finding.status = ScannerStatus::NotAffected;
    }
    finding
}
