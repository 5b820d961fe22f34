//! OSV-Scanner, JSON.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each group of `results[].packages[]` | one finding: the ids of a group are names of one vulnerability |
//! | a vulnerability in no group | one finding |
//! | `max_severity` of the group | severity; else the vector, else `database_specific.severity`, else unrated |
//! | `aliases`, `upstream`, `UBUNTU-CVE-…` | the CVE is known, whatever the distribution calls it |
//! | each of `license_violations` | one finding, severity medium: the tool gives none |
//! | a group without its vulnerabilities, or the other way round | the scan is incomplete |
//! | no package at all | nothing shows what was looked at (`--all-packages` lists it): the scan is incomplete |
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
    lists: &["results", "results/*/packages"],
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
    let mut n_packages = 0;
    let rest = reading.stream(
        text,
        &[&["results", "*"]],
        &mut |reading, pointer, result| {
            let path = result.text("source/path");
            for (at, package) in result.each("packages").iter().enumerate() {
                n_packages += 1;
                let pointer = format!("{pointer}/packages/{at}");
                reading.needs_object(package, "")?;
                reading.needs_any(&pointer, package, &["package"]);
                read_package(reading, &pointer, package, &path)?;
            }
            Ok(())
        },
    )?;
    if n_packages == 0 && rest.at("results").is_list() {
        let what = "it lists no package; with --all-packages the tool lists what it looked at";
        reading.nothing_looked_at("/results", what);
    }
    Ok(())
}

fn read_package(
    reading: &mut Reading<'_>,
    pointer: &str,
    package: &Loose<'_>,
    path: &str,
) -> Result<(), ImportError> {
    let groups = reading.optional_list(pointer, package, "groups")?;
    let vulnerabilities = reading.optional_list(pointer, package, "vulnerabilities")?;
    let violations = reading.optional_values(pointer, package, "license_violations")?;
    let has_licenses = package.has("licenses") || !violations.is_empty();
    if vulnerabilities.is_empty() != groups.is_empty() {
        let (there, missing) = if groups.is_empty() {
            ("vulnerabilities", "groups")
        } else {
            ("groups", "vulnerabilities")
        };
        let reason = format!("a package has {there} and no {missing}");
        reading.incomplete(pointer, &reason);
    } else if !has_licenses && !package.has("vulnerabilities") && package.has("groups") {
        reading.incomplete(pointer, "a package has no vulnerabilities");
    }
    let is_listed = |id: &str| vulnerabilities.iter().any(|known| known.text("id") == id);
    let mut group_of = HashMap::new();
    for (at, group) in groups.iter().enumerate() {
        let pointer = format!("{pointer}/groups/{at}");
        for id in reading.needed_values(&pointer, group, "ids")? {
            let id = id.own_text();
            if !is_listed(&id) && !vulnerabilities.is_empty() {
                let reason = format!("the vulnerability {id} of a group is not listed");
                reading.incomplete(&pointer, &reason);
            }
            group_of.entry(id).or_insert(at);
        }
        let most = group.text("max_severity");
        if most.parse::<f64>().is_err()
            && group.has("max_severity")
            && (!most.is_empty() || group.at("max_severity").is_null())
        {
            reading.unknown_word(&pointer, "max_severity", &most);
        }
    }
    for violation in violations {
        let license = violation.own_text();
        let (name, version) = (
            package.text("package/name"),
            package.text("package/version"),
        );
        let words = format!("The license {license} is not allowed");
        let found = Finding::of("", Severity::Medium, pointer)
            .with_rule(&format!("license-violation-{license}"))
            .with_message(&words)
            .with_component(&name, &version)
            .with_vulnerability_title("", &words)
            .with_path(path)
            .with_category(Category::Dependency);
        reading.add(found);
    }
    // Each finding with the place of its first name, in the order of the file.
    let mut findings: Vec<(usize, &Loose<'_>, Vec<&Loose<'_>>)> = Vec::new();
    let mut finding_of = HashMap::new();
    let nothing = Loose::Null;
    for (at, vulnerability) in vulnerabilities.iter().enumerate() {
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
        let found = finding(reading, &pointer, package, group, &same).with_path(path);
        reading.add(found);
    }
    Ok(())
}

/// The CVE in the id that a distribution gives to it: `UBUNTU-CVE-2024-1`, `DEBIAN-CVE-2024-1`.
fn cve_within(id: &str) -> &str {
    id.find("-CVE-").map_or("", |at| &id[at + 1..])
}

fn finding(
    reading: &mut Reading<'_>,
    pointer: &str,
    package: &Loose<'_>,
    group: &Loose<'_>,
    same: &[&Loose<'_>],
) -> Finding {
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
    let severity = match (score, worded.min()) {
        (Some(score), _) => Severity::from_cvss_score(score),
        (None, Some(severity)) => severity,
        (None, None) => reading.severity(pointer, &main.text("database_specific/severity")),
    };
    let summary = main.text("summary");
    let mut finding = Finding::of(
        &vulnerability_title(&id, &name, &version, &summary),
        severity,
        pointer,
    )
    .with_rule(&id)
    .with_description(&main.first_text(&["details", "summary"]))
    .with_component(&name, &version)
    .with_score(score)
    .with_category(Category::Dependency);
    let ecosystem = package.text("package/ecosystem");
    let ecosystem = ecosystem.split(':').next().unwrap_or("");
    if !ecosystem.is_empty() {
        let binary = package.text("package/os_package_name");
        finding = finding.with_partial_fingerprint(&format!("{ecosystem}/{name} {binary}"));
    }
    for alias in group.each("aliases") {
        finding = finding
            .with_id(&alias.own_text())
            .with_ids(cve_within(&alias.own_text()));
    }
    for vulnerability in same {
        let id = vulnerability.text("id");
        finding = finding.with_id(&id).with_ids(cve_within(&id));
        let others = ["aliases", "upstream"].map(|key| vulnerability.each(key));
        for alias in others.into_iter().flatten() {
            finding = finding
                .with_id(&alias.own_text())
                .with_ids(cve_within(&alias.own_text()));
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
