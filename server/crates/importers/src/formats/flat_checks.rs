//! Tools that check code, configuration and web sites, by the tables of [`super::flat`].
//!
//! | format | findings | severity |
//! |---|---|---|
//! | Bearer | the lists by severity | the list's name |
//! | Brakeman | `warnings`; `ignored_warnings` suppressed | medium: it has a confidence only |
//! | Horusec | `analysisVulnerabilities` | its word |
//! | Terrascan | `results.violations`; `skipped_violations` suppressed | its word |
//! | tfsec | `results` that have not passed; ignored ones suppressed | its word; ERROR high, WARNING medium |
//! | cfn-lint | the list | Error high, Warning medium, Informational info |
//! | kube-hunter | `vulnerabilities` | its word |
//! | TruffleHog3 | the list | its word, in both of its forms |
//! | ggshield | each occurrence's incident; ignored ones suppressed | high: a secret |
//! | StackHawk | `findings` of a scan, each once: a file may repeat them | its word; suppressed where all paths are triaged |
//!
//! A state that is not known leaves the finding open, and is told. Errors that they report, counts above what is listed, and a
//! scan that looked at nothing (no node, no policy, no check, no address) make the scan incomplete. Lists that may be null are
//! Go's slices that were never made: of Horusec, of Terrascan (whose summary counts) and of tfsec.

use holdpoint_domain::Severity;

use super::flat::{EMPTY, Table, by_table, open_unless};
use super::reading::{
    Format, Reading, certain_if, certain_or_empty, is_only, list_with, object_with,
};
use crate::json::Loose;
use crate::{Category, Confidence, ScannerStatus};

pub const BEARER_CLI: Format = by_table!(
    "bearer_cli",
    "Bearer CLI JSON",
    "bearer",
    |sniff| {
        let lists = ["critical", "high", "medium", "low", "warning"];
        certain_if(
            lists.iter().any(|list| sniff.has_key(list))
                && sniff.text.contains("\"full_filename\""),
        )
    },
    Table {
        // By severity, whatever it is called.
        patterns: &[&["*", "*"]],
        lists: &["*"],
        id: &["id"],
        words: &["title"],
        severity: &["@list"],
        link: &["documentation_url"],
        cwe: &["cwe_ids"],
        path: &["full_filename", "filename"],
        lines: [&["line_number"], &["source/end"]],
        snippet: &["snippet", "code_extract"],
        category: Category::Code,
        ..EMPTY
    },
);

pub const BRAKEMAN: Format = by_table!(
    "brakeman",
    "Brakeman JSON",
    "brakeman",
    |sniff| {
        certain_if(
            object_with(sniff, &["scan_info", "warnings"])
                && sniff.text.contains("\"brakeman_version\""),
        )
    },
    Table {
        patterns: &[&["warnings", "*"], &["ignored_warnings", "*"]],
        lists: &[
            "warnings",
            "ignored_warnings",
            "errors",
            "scan_info{}",
            "scan_info/checks_performed?[]",
        ],
        counted: |_, pointer| usize::from(pointer.starts_with("/warnings")),
        whole: |reading, rest, n_warnings| {
            let counted = rest.number("scan_info/security_warnings");
            reading.declared("/scan_info/security_warnings", counted, n_warnings);
            let checks = rest.at("scan_info/checks_performed");
            if checks.is_list() && checks.items().is_empty() {
                reading.nothing_looked_at("/scan_info/checks_performed", "no check was performed");
            }
            Ok(())
        },
        failures: &["errors"],
        id: &["check_name", "warning_type"],
        words: &["message"],
        severity: &[],
        description: &["message"],
        link: &["link"],
        cwe: &["cwe_id"],
        path: &["file"],
        lines: [&["line"], &[]],
        scope: &["location/method", "location/template"],
        snippet: &["code"],
        status: |_, pointer| Some(open_unless(pointer.starts_with("/ignored"))),
        category: Category::Code,
        ..EMPTY
    },
);

pub const HORUSEC: Format = by_table!(
    "horusec",
    "Horusec JSON",
    "horusec",
    |sniff| {
        certain_if(
            sniff.has_key("analysisVulnerabilities")
                || object_with(sniff, &["version", "repositoryID"]),
        )
    },
    Table {
        patterns: &[&["analysisVulnerabilities", "*"]],
        lists: &["analysisVulnerabilities~"],
        whole: |reading, rest, _| {
            let status = rest.text("status");
            if status != "success" && rest.text("errors").is_empty() {
                reading.incomplete("/status", &format!("its status is {status:?}"));
            }
            reading.target(&rest.text("repositoryName"));
            Ok(())
        },
        state: (
            "vulnerabilities/type",
            &[
                "Vulnerability",
                "False Positive",
                "Risk Accepted",
                "Corrected"
            ],
        ),
        failures: &["errors"],
        id: &["vulnerabilities/rule_id"],
        words: &["vulnerabilities/details"],
        severity: &["vulnerabilities/severity"],
        description: &["vulnerabilities/details"],
        path: &["vulnerabilities/file"],
        lines: [&["vulnerabilities/line"], &[]],
        snippet: &["vulnerabilities/code"],
        status: |finding, _| {
            Some(match &*finding.text("vulnerabilities/type") {
                "False Positive" | "Risk Accepted" => ScannerStatus::Suppressed,
                "Corrected" => ScannerStatus::Fixed,
                _ => ScannerStatus::Open,
            })
        },
        category: Category::Code,
        ..EMPTY
    },
);

pub const TERRASCAN: Format = by_table!(
    "terrascan",
    "Terrascan JSON",
    "terrascan",
    |sniff| {
        certain_if(
            object_with(sniff, &["results"]) && sniff.text.contains("\"policies_validated\""),
        )
    },
    Table {
        patterns: &[
            &["results", "violations", "*"],
            &["results", "skipped_violations", "*"],
        ],
        lists: &[
            "results{}",
            "results/violations~",
            "results/skipped_violations?~",
            "results/scan_errors?~",
            "results/scan_summary{}",
        ],
        counted: |_, pointer| usize::from(pointer.starts_with("/results/violations")),
        whole: |reading, rest, n_violations| {
            let summary = rest.at("results/scan_summary");
            let at = "/results/scan_summary";
            let counted = summary.number("violated_policies");
            reading.declared(&format!("{at}/violated_policies"), counted, n_violations);
            let levels = ["low", "medium", "high"].iter();
            let sum = levels.filter_map(|level| summary.number(level)).sum();
            reading.declared(at, Some(sum), n_violations);
            if summary.number("policies_validated") == Some(0.0) {
                let at = format!("{at}/policies_validated");
                reading.nothing_looked_at(&at, "no policy was validated");
            }
            if rest.at("results/violations").is_null() && counted.is_none() && n_violations == 0 {
                reading.incomplete(
                    "/results/violations",
                    "its list /results/violations is null",
                );
            }
            Ok(())
        },
        id: &["rule_id"],
        words: &["description", "rule_name"],
        name: &["rule_name"],
        path: &["file"],
        lines: [&["line"], &[]],
        scope: &["resource_name"],
        resource: &["resource_type", "resource_name"],
        failures: &["results/scan_errors"],
        tags: &["category"],
        status: |_, pointer| Some(open_unless(pointer.contains("/skipped"))),
        category: Category::Configuration,
        ..EMPTY
    },
);

pub const TFSEC: Format = by_table!(
    "tfsec",
    "tfsec JSON",
    "tfsec",
    |sniff| {
        if is_only(sniff, "{\"results\":null}") {
            return Confidence::Likely;
        }
        let says =
            sniff.text.contains("\"rule_provider\"") || sniff.text.contains("\"legacy_rule_id\"");
        certain_if(object_with(sniff, &["results"]) && says)
    },
    Table {
        patterns: &[&["results", "*"]],
        lists: &["results~"],
        id: &["long_id", "rule_id"],
        words: &["rule_description", "description"],
        description: &["impact"],
        remediation: &["resolution"],
        link: &["links/0", "link"],
        path: &["location/filename"],
        lines: [&["location/start_line"], &["location/end_line"]],
        scope: &["resource", "description"],
        // Words in some versions, numbers in others, and a flag before.
        state: ("status", &["failed", "passed", "ignored", "0", "1", "2"],),
        status: |result, _| match &*result.text("status") {
            "passed" | "1" => None,
            "ignored" | "2" => Some(ScannerStatus::Suppressed),
            "" if result.flag("passed") && !result.has("status") => None,
            _ => Some(ScannerStatus::Open),
        },
        category: Category::Configuration,
        ..EMPTY
    },
);

pub const CFN_LINT: Format = by_table!(
    "cfn_lint",
    "cfn-lint JSON",
    "cfn-lint",
    |sniff| certain_or_empty(sniff, list_with(sniff, &["Level", "Rule"])),
    Table {
        patterns: &[&["*"]],
        look: |reading, found, pointer| {
            // The template could not be read, or a rule has failed.
            if matches!(&*found.text("Rule/Id"), "E0000" | "E0002") {
                let (file, said) = (found.text("Filename"), found.text("Message"));
                reading.incomplete(pointer, &format!("{file} could not be checked: {said}"));
            }
        },
        id: &["Rule/Id"],
        words: &["Message", "Rule/ShortDescription", "Rule/Id"],
        name: &["Rule/ShortDescription"],
        severity: &["Level"],
        description: &["Rule/Description"],
        link: &["Rule/Source"],
        path: &["Filename"],
        lines: [&["Location/Start/LineNumber"], &["Location/End/LineNumber"]],
        category: Category::Configuration,
        ..EMPTY
    },
);

pub const KUBEHUNTER: Format = by_table!(
    "kubehunter",
    "kube-hunter JSON",
    "kube-hunter",
    |sniff| {
        certain_if(object_with(
            sniff,
            &["nodes", "services", "vulnerabilities"],
        ))
    },
    Table {
        patterns: &[&["vulnerabilities", "*"]],
        lists: &["nodes", "services", "vulnerabilities"],
        whole: |reading, rest, _| {
            if rest.each("nodes").is_empty() {
                reading.nothing_looked_at("/nodes", "it found no node");
            }
            Ok(())
        },
        id: &["vid"],
        words: &["vulnerability"],
        link: &["avd_reference"],
        scope: &["location"],
        category: Category::Configuration,
        ..EMPTY
    },
);

pub const TRUFFLEHOG3: Format = by_table!(
    "trufflehog3",
    "TruffleHog3 JSON",
    "trufflehog3",
    |sniff| certain_if(list_with(sniff, &["rule", "path", "secret"])),
    Table {
        patterns: &[&["*"]],
        id: &["rule/id"],
        words: &["rule/message"],
        severity: &["rule/severity"],
        description: &[],
        path: &["path"],
        lines: [&["line"], &[]],
        secret: &["secret"],
        category: Category::Secret,
        ..EMPTY
    },
);

pub const GGSHIELD: Format = by_table!(
    "ggshield",
    "GitGuardian ggshield JSON",
    "ggshield",
    |sniff| {
        certain_if(
            object_with(sniff, &["total_incidents"])
                || object_with(sniff, &["scans"])
                    && sniff.text.contains("\"entities_with_incidents\""),
        )
    },
    Table {
        patterns: &[&["scans", "*"], &["entities_with_incidents", "*"]],
        lists: &[
            "scans?",
            "scans?/*/entities_with_incidents?",
            "scans?/*/entities_with_incidents?/*/incidents",
            "scans?/*/entities_with_incidents?/*/incidents/*/occurrences",
            "entities_with_incidents?",
            "entities_with_incidents?/*/incidents",
            "entities_with_incidents?/*/incidents/*/occurrences",
            "errors?[]",
        ],
        counted: |element, _| incidents(element),
        look: ggshield_counts,
        whole: |reading, rest, n_incidents| {
            let counted = rest.number("total_incidents");
            reading.declared("/total_incidents", counted, n_incidents);
            // Lists without elements are left out, and the total is not.
            if counted.is_none() && n_incidents == 0 {
                let reason = "neither incidents nor their total are there";
                reading.incomplete("/total_incidents", reason);
            }
            Ok(())
        },
        failures: &["errors"],
        status: |incident, _| Some(open_unless(!incident.at("ignore_reason").is_null())),
        inner: &["entities_with_incidents", "incidents"],
        id: &["type"],
        words: &["type"],
        severity: &[],
        otherwise: Severity::High,
        description: &["policy"],
        path: &["^filename"],
        lines: [&["occurrences/0/line_start"], &["occurrences/0/line_end"]],
        secret: &["ignore_sha"],
        category: Category::Secret,
        ..EMPTY
    },
);

pub const STACKHAWK: Format = by_table!(
    "stackhawk",
    "StackHawk JSON",
    "stackhawk",
    |sniff| certain_if(object_with(sniff, &["scanCompleted"])),
    Table {
        patterns: &[&["scanCompleted", "findings", "*"]],
        lists: &[
            "scanCompleted{}",
            "scanCompleted/findings",
            "scanCompleted/findings/*/paths",
        ],
        counted: |finding, _| finding.each("paths").len(),
        look: stackhawk_finding,
        whole: |reading, rest, n_paths| {
            stackhawk_scan(reading, rest, n_paths);
            Ok(())
        },
        id: &["pluginId"],
        words: &["pluginName"],
        description: &["category"],
        link: &["findingURL"],
        scope: &["host"],
        once: &["pluginId", "pluginName", "host"],
        status: |finding, _| {
            let paths = finding.each("paths");
            let is_triaged = |path: &Loose<'_>| {
                matches!(&*path.text("status"), "RISK_ACCEPTED" | "FALSE_POSITIVE")
            };
            Some(open_unless(
                !paths.is_empty() && paths.iter().all(is_triaged),
            ))
        },
        category: Category::Web,
        ..EMPTY
    },
);

/// How many incidents an entity has, or all entities of a scan.
fn incidents(element: &Loose<'_>) -> usize {
    let entities = element.each("entities_with_incidents").iter();
    let within: usize = entities.map(|entity| entity.each("incidents").len()).sum();
    within + element.each("incidents").len()
}

/// What ggshield counts in a scan and in each of its entities.
fn ggshield_counts(reading: &mut Reading<'_>, element: &Loose<'_>, pointer: &str) {
    let counted = element.number("total_incidents");
    reading.declared(
        &format!("{pointer}/total_incidents"),
        counted,
        incidents(element),
    );
    for incident in element.each("incidents") {
        let n_listed = incident.each("occurrences").len();
        let counted = incident.number("total_occurrences");
        reading.declared(&format!("{pointer}/incidents"), counted, n_listed);
    }
    for (at, entity) in element.each("entities_with_incidents").iter().enumerate() {
        let pointer = format!("{pointer}/entities_with_incidents/{at}");
        ggshield_counts(reading, entity, &pointer);
    }
}

/// The states of a finding's places, and how many there are.
fn stackhawk_finding(reading: &mut Reading<'_>, finding: &Loose<'_>, pointer: &str) {
    let paths = finding.each("paths");
    for (at, path) in paths.iter().enumerate() {
        let known = [
            "NEW",
            "PROMOTED",
            "ASSIGNED",
            "RISK_ACCEPTED",
            "FALSE_POSITIVE",
        ];
        reading.known_state(&format!("{pointer}/paths/{at}"), path, "status", &known);
    }
    let counted = finding.number("totalCount");
    reading.declared(&format!("{pointer}/totalCount"), counted, paths.len());
}

/// Whether a scan of StackHawk came to its end, and what it counts.
fn stackhawk_scan(reading: &mut Reading<'_>, rest: &Loose<'_>, n_paths: usize) {
    let scan = rest.at("scanCompleted/scan");
    let status = scan.text("status");
    if status != "COMPLETED" {
        let reason = format!("its status is {status:?}");
        reading.incomplete("/scanCompleted/scan/status", &reason);
    }
    let stats = rest.at("scanCompleted/completedScanStats");
    let at = "/scanCompleted/completedScanStats";
    let counted = stats.number("scanResultsStats/totalCount");
    reading.declared(
        &format!("{at}/scanResultsStats/totalCount"),
        counted,
        n_paths,
    );
    if stats.number("urlsCount") == Some(0.0) {
        reading.nothing_looked_at(&format!("{at}/urlsCount"), "it found no address");
    }
    reading.tool("", &scan.text("hawkscanVersion"));
    let target = format!("{} {}", scan.text("application"), scan.text("env"));
    reading.target(&target);
}
