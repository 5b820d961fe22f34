//! Wiz: its reports of issues and of vulnerabilities (CSV), and issues as its API answers them (JSON).
//!
//! Source: Wiz documentation, "Reports: Issues, Vulnerabilities", "API: Issues query"
//! (`DefectDojo/django-DefectDojo`, `dojo/tools/wiz/parser.py`).
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each row or node | one finding |
//! | severity | as it is; of a vulnerability the worse of Wiz's and the CVSS's |
//! | OPEN, `IN_PROGRESS` | open |
//! | RESOLVED | fixed; where the control was switched off or changed, suppressed |
//! | REJECTED, IGNORED | suppressed, with the note |
//! | control or vulnerability, and resource | the identity |
//! | `hasNextPage`, `totalCount` above the listed, `errors` of a query | the scan is incomplete |
//! | no row at all | nothing says that anything was looked at: the scan is incomplete |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, object_with};
use super::targets::Targets;
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const WIZ: Format = Format {
    name: "wiz",
    title: "Wiz issues or vulnerabilities, CSV or JSON",
    tool: "Wiz",
    detect,
    lists: &[
        "data?/issues?/nodes",
        "data?/issuesV2?/nodes",
        "issues?/nodes",
        "data?/issues?/nodes/*/sourceRules?~",
        "data?/issuesV2?/nodes/*/sourceRules?~",
        "data?/issues?/nodes/*/notes?~",
        "data?/issuesV2?/nodes/*/notes?~",
        "issues?/nodes/*/notes?~",
        "errors?[]",
    ],
    read,
};

const ISSUES: [&str; 4] = ["Title", "Severity", "Status", "Control ID"];
const VULNERABILITIES: [&str; 4] = ["Name", "FindingStatus", "DetailedName", "Version"];

fn has_columns(head: &str, columns: &[&str]) -> bool {
    let heading = head.lines().next().unwrap_or("");
    let names: Vec<&str> = heading
        .split(',')
        .map(|name| name.trim().trim_matches('"'))
        .collect();
    columns.iter().all(|column| names.contains(column))
}

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let is_issues = has_columns(sniff.head, &ISSUES) && has_columns(sniff.head, &["Issue ID"]);
    let is_vulnerabilities =
        has_columns(sniff.head, &VULNERABILITIES) && has_columns(sniff.head, &["WizURL"]);
    let is_answer = (object_with(sniff, &["data"]) || object_with(sniff, &["issues"]))
        && sniff.text.contains("\"entitySnapshot\"");
    certain_if(is_issues || is_vulnerabilities || is_answer)
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut scan = Scan::default();
    if text.begins_with('{') {
        read_answer(reading, text, &mut scan)?;
    } else if has_columns(text.beginning(), &VULNERABILITIES) {
        reading.rows(
            text,
            b',',
            &VULNERABILITIES,
            &mut |reading, pointer, row| {
                scan.add_vulnerability(reading, pointer, row);
                Ok(())
            },
        )?;
    } else {
        reading.rows(text, b',', &ISSUES, &mut |reading, pointer, row| {
            scan.add_issue(
                reading,
                pointer,
                &Issue {
                    rule: &row.text("Control ID"),
                    title: &row.text("Title"),
                    severity: &row.text("Severity"),
                    status: &row.text("Status"),
                    resolution: &row.text("Resolution"),
                    note: &row.text("Note"),
                    resource: &row.first_text(&["Resource external ID", "Resource vertex ID"]),
                    name: &row.text("Resource Name"),
                    subscription: &row.text("Subscription ID"),
                    description: &row.text("Description"),
                    remediation: &row.text("Remediation Recommendation"),
                    link: &row.text("Wiz URL"),
                },
            );
            Ok(())
        })?;
    }
    if scan.n == 0 {
        reading.nothing_looked_at("$", "no row of any state");
    }
    scan.targets.tell(reading);
    Ok(())
}

fn read_answer(
    reading: &mut Reading<'_>,
    text: Body<'_>,
    scan: &mut Scan,
) -> Result<(), ImportError> {
    let patterns: &[&[&str]] = &[
        &["data", "issues", "nodes", "*"],
        &["data", "issuesV2", "nodes", "*"],
        &["issues", "nodes", "*"],
    ];
    let rest = reading.stream(text, patterns, &mut |reading, pointer, node| {
        let entity = node.at("entitySnapshot");
        reading.needs_object(node, "entitySnapshot")?;
        // Older answers have one rule, or call it a control.
        let rules = ["sourceRules", "sourceRule", "control"];
        let mut rules = rules.iter().filter_map(|key| node.each(key).first());
        let rule = rules.next().unwrap_or(&Loose::Null);
        let notes: Vec<String> = node
            .each("notes")
            .iter()
            .map(|note| note.text("text").into_owned())
            .collect();
        scan.add_issue(
            reading,
            pointer,
            &Issue {
                rule: &rule.text("id"),
                title: &rule.text("name"),
                severity: &node.text("severity"),
                status: &node.text("status"),
                resolution: &node.first_text(&["resolutionReason", "resolution"]),
                note: &notes.join("; "),
                resource: &entity.first_text(&["providerId", "externalId", "id"]),
                name: &entity.text("name"),
                subscription: &entity.text("subscriptionExternalId"),
                description: &rule.first_text(&["controlDescription", "description"]),
                remediation: &rule.text("resolutionRecommendation"),
                link: &entity.text("cloudProviderURL"),
            },
        );
        Ok(())
    })?;
    let data = if rest.at("data").is_object() {
        rest.at("data")
    } else {
        &rest
    };
    let key = if data.has("issuesV2") {
        "issuesV2"
    } else {
        "issues"
    };
    reading.needs_object(data, key)?;
    let issues = data.at(key);
    if issues.flag("pageInfo/hasNextPage") {
        reading.incomplete(format!("/{key}/pageInfo"), "further pages are missing");
    }
    reading.declared(
        &format!("/{key}/totalCount"),
        issues.number("totalCount"),
        scan.n,
    );
    if let Some(error) = rest.each("errors").first() {
        let said = error.first_text(&["message"]);
        reading.incomplete("/errors", &format!("the query failed: {said}"));
    }
    Ok(())
}

/// An issue, of a row or of a node.
struct Issue<'v> {
    rule: &'v str,
    title: &'v str,
    severity: &'v str,
    status: &'v str,
    resolution: &'v str,
    note: &'v str,
    resource: &'v str,
    name: &'v str,
    subscription: &'v str,
    description: &'v str,
    remediation: &'v str,
    link: &'v str,
}

#[derive(Default)]
struct Scan {
    n: usize,
    targets: Targets,
}

fn status(reading: &mut Reading<'_>, pointer: &str, word: &str, resolution: &str) -> ScannerStatus {
    let resolution = resolution.to_ascii_uppercase();
    match &*word.to_ascii_uppercase() {
        "OPEN" | "IN_PROGRESS" | "IN PROGRESS" => ScannerStatus::Open,
        "RESOLVED" if matches!(&*resolution, "" | "ISSUE_FIXED" | "OBJECT_DELETED") => {
            ScannerStatus::Fixed
        }
        // Resolved in another way, the problem may be there as before.
        "RESOLVED" | "REJECTED" | "IGNORED" => ScannerStatus::Suppressed,
        _ => {
            reading.unknown_word(pointer, "status", word);
            ScannerStatus::Open
        }
    }
}

impl Scan {
    fn add_issue(&mut self, reading: &mut Reading<'_>, pointer: &str, issue: &Issue<'_>) {
        self.n += 1;
        self.targets.add(issue.subscription);
        let severity = reading.severity(pointer, issue.severity);
        let status = status(reading, pointer, issue.status, issue.resolution);
        let scope = if issue.name.is_empty() {
            issue.resource
        } else {
            issue.name
        };
        let mut finding = Finding::of(issue.title, severity, pointer)
            .with_rule(issue.rule)
            .with_description(issue.description)
            .with_remediation(issue.remediation)
            .with_link(issue.link)
            .with_scope(scope)
            .with_partial_fingerprint(issue.resource)
            .with_status(status)
            .with_category(Category::Configuration);
        if status == ScannerStatus::Suppressed {
            let reason = if issue.note.is_empty() {
                issue.resolution
            } else {
                issue.note
            };
            finding = finding.with_suppression_reason(reason);
        }
        reading.add(finding);
    }

    fn add_vulnerability(&mut self, reading: &mut Reading<'_>, pointer: &str, row: &Loose<'_>) {
        self.n += 1;
        self.targets.add(&row.text("SubscriptionExternalId"));
        let words = ["VendorSeverity", "CVSSSeverity"].map(|key| row.text(key));
        let known = words
            .iter()
            .filter_map(|word| Severity::from_scanner_word(word));
        for word in &words {
            if Severity::from_scanner_word(word).is_none() {
                reading.unknown_word(pointer, "rating", word);
            }
        }
        // The worst is first in order.
        let severity = match known.min() {
            Some(severity) => severity,
            None => reading.severity(pointer, &words[0]),
        };
        let status = status(
            reading,
            pointer,
            &row.text("FindingStatus"),
            &row.text("ResolutionReason"),
        );
        let id = row.text("Name");
        let finding = Finding::of("", severity, pointer)
            .with_rule(&id)
            .with_message(&row.text("AssetName"))
            .with_remediation(&row.text("Remediation"))
            .with_link(&row.text("Link"))
            .with_path(&row.text("LocationPath"))
            .with_scope(&row.text("AssetName"))
            .with_component(&row.text("DetailedName"), &row.text("Version"))
            .with_vulnerability_title(&id, "")
            .with_fixed_version(&row.text("FixedVersion"))
            .with_partial_fingerprint(&row.first_text(&["ProviderUniqueId", "AssetID"]))
            .with_tag(&row.text("DetectionMethod"))
            .with_status(status)
            .with_category(Category::Dependency);
        reading.add(finding);
    }
}
