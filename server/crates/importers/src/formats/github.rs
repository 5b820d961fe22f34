//! Alerts of GitHub, as its API gives them: code scanning, secret scanning, and Dependabot (GraphQL and REST).
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each alert | one finding |
//! | `state` | dismissed: suppressed; fixed, resolved as revoked: fixed; a word that is not known: open, and told |
//! | code scanning | severity by `security_severity_level`, else the rule's `severity`; places of the newest instance |
//! | GraphQL `errors`, `totalCount` above the listed | the scan is incomplete |
//! | secret scanning | open: critical if active or leaked, else high; resolved: info |
//! | Dependabot | severity as it is; package, manifest, advisory |
//! | a list of lists: the pages that `gh api --paginate --slurp` puts together | as one list |
//! | exactly as many alerts as a page of the API has, 30 or 100 | further pages may be missing: the scan is incomplete |
//! | GraphQL `pageInfo.hasNextPage` | the scan is incomplete: further pages are missing |

use std::collections::HashSet;

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, list_with, object_with, vulnerability_title};
use super::tree::Pattern;
use crate::importer::has_lists;
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const GITHUB_SAST: Format = Format {
    name: "github_sast",
    title: "GitHub code scanning alerts",
    tool: "GitHub code scanning",
    detect: |sniff| {
        let is_list = list_with(sniff, &["number", "rule", "most_recent_instance"]);
        certain_if(is_list || are_pages(sniff, "\"most_recent_instance\""))
    },
    lists: &[],
    read: |reading, text| read_list(reading, text, code),
};

pub const GITHUB_SECRETS: Format = Format {
    name: "github_secrets_detection_report",
    title: "GitHub secret scanning alerts",
    tool: "GitHub secret scanning",
    detect: |sniff| {
        let is_list = list_with(sniff, &["number", "secret_type"]);
        certain_if(is_list || are_pages(sniff, "\"secret_type\""))
    },
    lists: &[],
    read: |reading, text| read_list(reading, text, secret),
};

pub const GITHUB_VULNERABILITY: Format = Format {
    name: "github_vulnerability",
    title: "GitHub Dependabot alerts",
    tool: "Dependabot",
    detect: detect_dependabot,
    lists: &[],
    read: read_dependabot,
};

type Make = fn(&mut Reading<'_>, &str, &Loose<'_>) -> Finding;

/// Whether it is the list of lists that `gh api --paginate --slurp` writes.
fn are_pages(sniff: &Sniff<'_>, key: &str) -> bool {
    has_lists(sniff.head) && sniff.text.contains(key)
}

fn read_list(reading: &mut Reading<'_>, text: Body<'_>, make: Make) -> Result<(), ImportError> {
    let is_in_pages = has_lists(text.beginning());
    let pattern: &[Pattern] = if is_in_pages {
        &[&["*", "*"]]
    } else {
        &[&["*"]]
    };
    let mut n_alerts = 0;
    let rest = reading.stream(text, pattern, &mut |reading, pointer, alert| {
        n_alerts += 1;
        let found = make(reading, pointer, alert);
        reading.add(found);
        Ok(())
    })?;
    reading.needs_list(&rest, "")?;
    if !is_in_pages && (n_alerts == 30 || n_alerts == 100) {
        let reason = format!(
            "{n_alerts} alerts are as many as one page of the API has; get all with gh api --paginate --slurp"
        );
        reading.incomplete("", &reason);
    }
    Ok(())
}

/// The states of alerts, of all three kinds.
const STATES: &[&str] = &[
    "open",
    "fixed",
    "dismissed",
    "auto_dismissed",
    "resolved",
    "closed",
];

fn state(reading: &mut Reading<'_>, pointer: &str, alert: &Loose<'_>) -> ScannerStatus {
    reading.known_state(pointer, alert, "state", STATES);
    match (
        alert.text("state").to_ascii_lowercase().as_str(),
        &*alert.text("resolution"),
    ) {
        ("fixed", _) | ("resolved", "revoked") => ScannerStatus::Fixed,
        ("dismissed" | "auto_dismissed" | "resolved" | "closed", _) => ScannerStatus::Suppressed,
        _ => ScannerStatus::Open,
    }
}

fn code(reading: &mut Reading<'_>, pointer: &str, alert: &Loose<'_>) -> Finding {
    let rule = alert.at("rule");
    // Without a level the alert is about the quality of code, of which the rule's own word speaks.
    let level = rule.text("security_severity_level");
    if !level.is_empty() && Severity::from_scanner_word(&level).is_none() {
        reading.unknown_word(pointer, "security_severity_level", &level);
    }
    let severity = Severity::from_scanner_word(&level)
        .unwrap_or_else(|| reading.severity(pointer, &rule.text("severity")));
    let status = state(reading, pointer, alert);
    let instance = alert.at("most_recent_instance");
    let place = instance.at("location");
    Finding::of(
        &rule.first_text(&["description", "name", "id"]),
        severity,
        pointer,
    )
    .with_rule(&rule.text("id"))
    .with_message(&instance.text("message/text"))
    .with_description(&rule.first_text(&["full_description", "description"]))
    .with_remediation(&rule.text("help"))
    .with_link(&alert.text("html_url"))
    .with_ids(&rule.texts("tags"))
    .with_cwe(&Loose::Text(
        rule.texts("tags")
            .replace("cwe/cwe-", "CWE-")
            .replace('/', " ")
            .into(),
    ))
    .with_path(&place.text("path"))
    .with_lines(place.line("start_line"), place.line("end_line"))
    .with_columns(place.line("start_column"), place.line("end_column"))
    .with_status(status)
    .with_tool(&alert.text("tool/name"))
    .with_category(Category::Code)
}

fn secret(reading: &mut Reading<'_>, pointer: &str, alert: &Loose<'_>) -> Finding {
    let status = state(reading, pointer, alert);
    let severity = if !status.is_open() {
        Severity::Info
    } else if alert.text("validity") == "active" || alert.flag("publicly_leaked") {
        Severity::Critical
    } else {
        Severity::High
    };
    let place = alert.at("first_location_detected");
    Finding::of(
        &alert.first_text(&["secret_type_display_name", "secret_type"]),
        severity,
        pointer,
    )
    .with_rule(&alert.text("secret_type"))
    .with_message(&alert.text("resolution_comment"))
    .with_link(&alert.text("html_url"))
    .with_path(&place.text("path"))
    .with_lines(place.line("start_line"), place.line("end_line"))
    .with_secret(&alert.text("secret"))
    .with_status(status)
}

fn detect_dependabot(sniff: &Sniff<'_>) -> Confidence {
    let is_graph = object_with(sniff, &["data"]) && sniff.text.contains("\"vulnerabilityAlerts\"");
    let is_list = list_with(sniff, &["number", "security_advisory"]);
    certain_if(is_graph || is_list || are_pages(sniff, "\"security_advisory\""))
}

fn read_dependabot(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    if text.begins_with('[') {
        return read_list(reading, text, dependency);
    }
    let whole = reading.json(text)?;
    for (at, error) in whole.each("errors").iter().enumerate() {
        let said = error.first_text(&["message", "type"]);
        let reason = format!("the answer of the API has an error: {said}");
        reading.incomplete(format!("/errors/{at}"), &reason);
    }
    let mut graph = Graph::default();
    graph.read(reading, whole.at("data"), "/data", 0)?;
    if !graph.has_alerts {
        let reason = "it has no vulnerabilityAlerts, neither of a repository nor of a search";
        reading.incomplete("/data", reason);
    }
    Ok(())
}

/// An answer of the GraphQL API. Alerts lie below a search, an organisation or a repository, wherever `vulnerabilityAlerts` is.
#[derive(Default)]
struct Graph {
    /// An alert can be on two pages that were put together.
    known: HashSet<String>,
    has_alerts: bool,
}

impl Graph {
    fn read(
        &mut self,
        reading: &mut Reading<'_>,
        value: &Loose<'_>,
        pointer: &str,
        depth: usize,
    ) -> Result<(), ImportError> {
        if depth > crate::json::MOST_LEVELS {
            return Ok(());
        }
        let is_nodes = pointer.ends_with("/nodes");
        if value.flag("pageInfo/hasNextPage") {
            reading.incomplete(
                format!("{pointer}/pageInfo"),
                "further pages of alerts are missing",
            );
        }
        match value {
            Loose::Object(entries) => {
                for (key, inner) in entries {
                    let pointer = format!("{pointer}/{key}");
                    if key == "vulnerabilityAlerts" {
                        self.has_alerts = true;
                        let alerts = reading.needed_list(&pointer, inner, "nodes")?;
                        let total = inner.number("totalCount");
                        reading.declared(&format!("{pointer}/totalCount"), total, alerts.len());
                        for (at, alert) in alerts.iter().enumerate() {
                            reading.needs_object(alert, "")?;
                            let id = alert.text("id");
                            if id.is_empty() || self.known.insert(id.into_owned()) {
                                let found =
                                    dependency(reading, &format!("{pointer}/nodes/{at}"), alert);
                                reading.add(found);
                            }
                        }
                    }
                    if key != "nodes" || inner.is_list() {
                        self.read(reading, inner, &pointer, depth + 1)?;
                    }
                }
            }
            Loose::List(list) => {
                for (at, inner) in list.iter().enumerate() {
                    let pointer = format!("{pointer}/{at}");
                    // What the token may not see is null.
                    if is_nodes && inner.own_entries().is_empty() {
                        reading.incomplete(&*pointer, "a node of the answer is not there");
                    }
                    self.read(reading, inner, &pointer, depth + 1)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn dependency(reading: &mut Reading<'_>, pointer: &str, alert: &Loose<'_>) -> Finding {
    let nothing = Loose::Null;
    let vulnerability = [
        alert.at("securityVulnerability"),
        alert.at("security_vulnerability"),
    ];
    let vulnerability = vulnerability
        .into_iter()
        .find(|v| v.is_object())
        .unwrap_or(&nothing);
    let advisory = [
        vulnerability.at("advisory"),
        alert.at("securityAdvisory"),
        alert.at("security_advisory"),
    ];
    let advisory = advisory
        .into_iter()
        .find(|v| v.is_object())
        .unwrap_or(&nothing);
    let word = vulnerability.text("severity");
    let word = if word.is_empty() {
        advisory.text("severity")
    } else {
        word
    };
    let severity = reading.severity(pointer, &word);
    let name = vulnerability.text("package/name");
    let name = if name.is_empty() {
        alert.text("dependency/package/name")
    } else {
        name
    };
    let version = alert.text("vulnerableRequirements");
    let version = version.trim_start_matches(['=', ' ']);
    let identifiers = match advisory.at("identifiers") {
        Loose::List(list) => list.as_slice(),
        _ => {
            let message = "The advisory has no list of identifiers: its CVE is not known.";
            reading.problem(pointer, message);
            &[]
        }
    };
    let id = identifiers
        .iter()
        .map(|id| id.text("value"))
        .find(|id| id.starts_with("CVE"));
    let id = id
        .or_else(|| identifiers.first().map(|id| id.text("value")))
        .unwrap_or_default();
    let dismissed = alert.first_text(&["dismissedAt", "dismissed_at"]);
    let fixed = alert.first_text(&["fixedAt", "fixed_at"]);
    let status = match state(reading, pointer, alert) {
        ScannerStatus::Open if !fixed.is_empty() => ScannerStatus::Fixed,
        ScannerStatus::Open if !dismissed.is_empty() => ScannerStatus::Suppressed,
        status => status,
    };
    let cwes = [advisory.at("cwes/nodes"), advisory.at("cwes")];
    let mut finding = Finding::of(
        &vulnerability_title(&id, &name, version, &advisory.text("summary")),
        severity,
        pointer,
    )
    .with_rule(&id)
    .with_description(&advisory.text("description"))
    .with_link(&alert.text("html_url"))
    .with_component(&name, version)
    .with_fixed_version(&vulnerability.first_text(&[
        "firstPatchedVersion/identifier",
        "first_patched_version/identifier",
    ]))
    .with_path(&alert.first_text(&["vulnerableManifestPath", "dependency/manifest_path"]))
    .with_score(advisory.number("cvss/score").filter(|score| *score > 0.0))
    .with_status(status)
    .with_category(Category::Dependency);
    for id in identifiers {
        finding = finding.with_id(&id.text("value"));
    }
    for cwe in cwes.iter().flat_map(|list| list.items()) {
        finding = finding.with_cwe(cwe.at("cweId")).with_cwe(cwe.at("cwe_id"));
    }
    for reference in advisory.each("references") {
        finding = finding.with_link(&reference.text("url"));
    }
    finding
}
