//! Trivy, JSON: schema 2, its predecessor (a list), and reports of clusters.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | `Vulnerabilities`, `Misconfigurations`, `Secrets`, `Licenses` of all `Results` | one finding each |
//! | `Misconfigurations` with `Status` PASS | no finding; EXCEPTION: suppressed |
//! | `Severity` | as it is; of one that is not known the CVSS score of a vulnerability, else unrated |
//! | `Status` of a vulnerability | `not_affected` and `under_investigation` are told; `fixed` means that a fixed version exists, so it is open |
//! | `Target` | the path, except for packages of an operating system and files of a cluster, where it is a name |
//! | `ExperimentalModifiedFindings` | by their `Status`: ignored: suppressed; not_affected, fixed and under_investigation as they say; else open |
//! | `Error` of an object of a cluster | it was not looked at: the scan is incomplete |
//! | no `Results`, of a cluster none of its lists | nothing was looked at: the scan is incomplete |
//! | `EOSL` of an operating system | there are no data for it any more: the scan is incomplete |
//! | `MisconfSummary` with more failures than are listed | the scan is incomplete |
//! | `ArtifactName` without tag and digest, `ClusterName` | what was looked at |
//!
//! Its lists are left out where they are empty (`omitempty`, pkg/types/report.go and pkg/k8s/report/report.go), and are null only
//! in the list that it wrote before schema 2 (pkg/report/writer.go).

use super::ratings::score_of;
use super::reading::{Format, Reading, certain_if, list_with, vulnerability_title};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const TRIVY: Format = Format {
    name: "trivy",
    title: "Trivy JSON",
    tool: "trivy",
    detect,
    lists: &[
        "Results?",
        "Resources?",
        "Vulnerabilities?",
        "Misconfigurations?",
        "Findings?",
        "Resources?/*/Results?",
        "Vulnerabilities?/*/Results?",
        "Misconfigurations?/*/Results?",
        "Findings?/*/Results?",
        "#/Vulnerabilities?~",
    ],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let has = |key| sniff.has_key(key);
    let is_report =
        has("SchemaVersion") && (has("ArtifactName") || has("ArtifactType") || has("Results"));
    let parts = [
        "Resources",
        "Vulnerabilities",
        "Misconfigurations",
        "Findings",
    ];
    let is_cluster = has("ClusterName") && parts.iter().any(|part| has(part));
    let is_old = list_with(sniff, &["Target"])
        && (list_with(sniff, &["Type"]) || list_with(sniff, &["Vulnerabilities"]));
    certain_if(is_report || is_cluster || is_old)
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let is_list = text.begins_with('[');
    let patterns: &[&'static [&'static str]] = if is_list {
        &[&["*"]]
    } else {
        &[
            &["Results", "*"],
            &["Resources", "*"],
            &["Vulnerabilities", "*"],
            &["Misconfigurations", "*"],
            &["Findings", "*"],
        ]
    };
    let mut n_parts = 0_usize;
    let rest = reading.stream(text, patterns, &mut |reading, pointer, part| {
        n_parts += 1;
        if part.has("Target") {
            return read_result(reading, pointer, part, "");
        }
        let error = part.text("Error");
        if !error.is_empty() {
            let name = part.text("Name");
            reading.incomplete(format!("{pointer}/Error"), &format!("{name}: {error}"));
        }
        for metadata in part.each("Metadata") {
            ended(reading, &format!("{pointer}/Metadata"), metadata);
        }
        let object = format!("{}/{}", part.text("Kind"), part.text("Name"));
        if !part.has("Results") && error.is_empty() {
            reading.nothing_looked_at(pointer, &format!("{object} has no results"));
        }
        let results = reading.optional_list(pointer, part, "Results")?;
        for (at, result) in results.iter().enumerate() {
            let pointer = format!("{pointer}/Results/{at}");
            reading.needs_any(&pointer, result, &["Target"]);
            read_result(reading, &pointer, result, &object)?;
        }
        Ok(())
    })?;
    if n_parts == 0 {
        reading.nothing_looked_at("/Results", "there are no results");
    }
    if is_list {
        return Ok(());
    }
    let cluster = rest.text("ClusterName");
    ended(reading, "/Metadata", rest.at("Metadata"));
    if cluster.is_empty() {
        reading.image(&rest.text("ArtifactName"));
    } else {
        reading.target(&cluster);
    }
    reading.tool("", &rest.text("Trivy/Version"));
    reading.scanned_at(&rest.text("CreatedAt"));
    reading.commit(&rest.text("Metadata/Commit"));
    Ok(())
}

/// Notes an operating system that gets no updates any more: its vulnerabilities are in no database.
fn ended(reading: &mut Reading<'_>, pointer: &str, metadata: &Loose<'_>) {
    let system = metadata.at("OS");
    if system.flag("EOSL") {
        let (family, name) = (system.text("Family"), system.text("Name"));
        let reason = format!(
            "{family} {name} is at its end of life (EOSL): what is found since then is in no database"
        );
        reading.incomplete(format!("{pointer}/OS/EOSL"), &reason);
    }
}

fn read_result(
    reading: &mut Reading<'_>,
    pointer: &str,
    result: &Loose<'_>,
    object: &str,
) -> Result<(), ImportError> {
    type Make = fn(&mut Reading<'_>, &str, &Loose<'_>) -> Option<Finding>;
    let kinds: [(&str, Make); 4] = [
        ("Vulnerabilities", |reading, pointer, value| {
            Some(vulnerability(reading, pointer, value))
        }),
        ("Misconfigurations", misconfiguration),
        ("Secrets", |reading, pointer, value| {
            Some(secret(reading, pointer, value))
        }),
        ("Licenses", |reading, pointer, value| {
            Some(licence(reading, pointer, value))
        }),
    ];
    let target = result.text("Target");
    let is_name = result.text("Class") == "os-pkgs" || !object.is_empty() || target.contains(" (");
    let is_old = object.is_empty() && !pointer.starts_with("/Results");
    let place = |mut finding: Finding| {
        if finding.path.is_none() && !is_name {
            finding = finding.with_path(&target);
        }
        if is_name && finding.scope.is_none() {
            finding = finding.with_scope(format!("{object} {target}").trim());
        }
        finding
    };
    for (key, make) in kinds {
        if is_old && result.at(key).is_null() {
            continue;
        }
        for (at, value) in reading
            .optional_list(pointer, result, key)?
            .iter()
            .enumerate()
        {
            match make(reading, &format!("{pointer}/{key}/{at}"), value) {
                Some(finding) => reading.add(place(finding)),
                None => reading.not_a_finding(),
            }
        }
    }
    let failures = result.each("Misconfigurations").iter();
    let failures = failures.filter(|found| found.text("Status") == "FAIL");
    reading.declared(
        &format!("{pointer}/MisconfSummary/Failures"),
        result.number("MisconfSummary/Failures"),
        failures.count(),
    );
    let modified = reading.optional_list(pointer, result, "ExperimentalModifiedFindings")?;
    for (at, modified) in modified.iter().enumerate() {
        let value = modified.at("Finding");
        let make: Make = match &*modified.text("Type") {
            "vulnerability" => kinds[0].1,
            "misconfiguration" => kinds[1].1,
            "secret" => kinds[2].1,
            _ => kinds[3].1,
        };
        let pointer = format!("{pointer}/ExperimentalModifiedFindings/{at}/Finding");
        if let Some(finding) = make(reading, &pointer, value) {
            reading.known_state(&pointer, modified, "Status", MODIFIED);
            let status = match &*modified.text("Status") {
                "not_affected" => ScannerStatus::NotAffected,
                "fixed" => ScannerStatus::Fixed,
                "ignored" => ScannerStatus::Suppressed,
                "under_investigation" => ScannerStatus::Review,
                _ => ScannerStatus::Open,
            };
            reading.add(place(finding).with_status(status));
        }
    }
    Ok(())
}

/// What a person or a VEX document made of a finding.
const MODIFIED: &[&str] = &[
    "ignored",
    "not_affected",
    "affected",
    "fixed",
    "under_investigation",
];

const STATUSES: &[&str] = &[
    "not_affected",
    "affected",
    "fixed",
    "under_investigation",
    "will_not_fix",
    "fix_deferred",
    "end_of_life",
];

fn vulnerability(reading: &mut Reading<'_>, pointer: &str, value: &Loose<'_>) -> Finding {
    let (id, name, version) = (
        value.text("VulnerabilityID"),
        value.text("PkgName"),
        value.text("InstalledVersion"),
    );
    reading.known_state(pointer, value, "Status", STATUSES);
    let status = match &*value.text("Status") {
        "not_affected" => ScannerStatus::NotAffected,
        "under_investigation" => ScannerStatus::Review,
        _ => ScannerStatus::Open,
    };
    // The severity is of one source, and so is the score; without one, the highest.
    let source = value.text("SeveritySource");
    let scores = value.entries("CVSS").iter().filter_map(|(name, cvss)| {
        let given = ["V40Score", "V3Score", "V40Vector", "V3Vector"].map(|key| cvss.at(key));
        let score = given.into_iter().find_map(score_of);
        Some((*name == source, score?))
    });
    let score = scores.reduce(|a, b| if (b.0, b.1) > (a.0, a.1) { b } else { a });
    let score = score.map(|(_, score)| score);
    let severity = reading.rated(pointer, &value.text("Severity"), score);
    let path = value.text("PkgPath");
    let mut finding = Finding::of(
        &vulnerability_title(&id, &name, &version, &value.text("Title")),
        severity,
        pointer,
    )
    .with_rule(&id)
    .with_id(&id)
    .with_description(&value.first_text(&["Description", "Title"]))
    .with_link(&value.text("PrimaryURL"))
    .with_cwe(value.at("CweIDs"))
    .with_component(&name, &version)
    .with_fixed_version(&value.text("FixedVersion"))
    .with_path(&path)
    .with_status(status)
    .with_score(score)
    .with_category(Category::Dependency);
    for id in value.each("VendorIDs") {
        finding = finding.with_id(&id.own_text());
    }
    finding
}

fn misconfiguration(
    reading: &mut Reading<'_>,
    pointer: &str,
    value: &Loose<'_>,
) -> Option<Finding> {
    reading.known_state(pointer, value, "Status", &["PASS", "FAIL", "EXCEPTION"]);
    let status = match &*value.text("Status") {
        "PASS" => return None,
        "EXCEPTION" => ScannerStatus::Suppressed,
        _ => ScannerStatus::Open,
    };
    let severity = reading.severity(pointer, &value.text("Severity"));
    let cause = value.at("CauseMetadata");
    let lines = cause
        .each("Code/Lines")
        .iter()
        .filter(|line| line.flag("IsCause"));
    let snippet: Vec<_> = lines
        .map(|line| line.text("Content").into_owned())
        .collect();
    let id = value.first_text(&["AVDID", "ID"]);
    Some(
        Finding::of(
            &value.first_text(&["Title", "Message", "ID"]),
            severity,
            pointer,
        )
        .with_rule(&value.first_text(&["ID", "AVDID"]))
        .with_rule_name(&id)
        .with_description(&value.text("Description"))
        .with_message(&value.text("Message"))
        .with_remediation(&value.text("Resolution"))
        .with_link(&value.text("PrimaryURL"))
        .with_lines(cause.line("StartLine"), cause.line("EndLine"))
        .with_scope(&cause.text("Resource"))
        .with_snippet(&snippet.join("\n"))
        .with_status(status)
        .with_category(Category::Configuration),
    )
}

fn secret(reading: &mut Reading<'_>, pointer: &str, value: &Loose<'_>) -> Finding {
    let severity = reading.severity(pointer, &value.text("Severity"));
    Finding::of(&value.first_text(&["Title", "RuleID"]), severity, pointer)
        .with_rule(&value.text("RuleID"))
        .with_lines(value.line("StartLine"), value.line("EndLine"))
        .with_secret(&value.text("Match"))
}

fn licence(reading: &mut Reading<'_>, pointer: &str, value: &Loose<'_>) -> Finding {
    let severity = reading.severity(pointer, &value.text("Severity"));
    let (licence, package) = (value.text("Name"), value.text("PkgName"));
    let category = value.text("Category");
    let words = format!("Licence {licence} ({category}): {package}");
    Finding::of(words.trim_end_matches([' ', ':']), severity, pointer)
        .with_rule(&licence)
        .with_component(&package, "")
        .with_path(&value.text("FilePath"))
        .with_link(&value.text("Link"))
        .with_category(Category::Licence)
}
