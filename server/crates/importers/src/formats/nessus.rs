//! Nessus, its own export (`.nessus`, version 2), of Nessus, Tenable.sc and Tenable Vulnerability Management.
//!
//! Source: Tenable, "Nessus v2 File Format"; elements as Nessus 5 to 10 writes them.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each `ReportItem` | one finding, also of severity 0: info |
//! | `severity` 0 to 4 | info, low, medium, high, critical; another: by `risk_factor`, else by the CVSS score |
//! | `compliance-result` | PASSED is none; FAILED open; WARNING asks a person to look; ERROR too, and the scan is incomplete |
//! | host, port, protocol | part of the identity |
//! | a host without `HOST_END`, without items, or with a plugin's word that it could not log in or read all | the scan is incomplete |
//! | no host | nothing was looked at: the scan is incomplete |
//! | version 1 of the format | refused |

use holdpoint_domain::Severity;

use super::ratings::score_of;
use super::reading::{Format, Reading, certain_if, root_is};
use super::targets::Targets;
use crate::json::Loose;
use crate::text::is_url;
use crate::{Body, Category, Finding, ImportError, ScannerStatus};

pub const NESSUS: Format = Format {
    name: "nessus",
    title: "Nessus (.nessus)",
    tool: "Nessus",
    detect: |sniff| certain_if(root_is(sniff, ROOT) || root_is(sniff, "NessusClientData")),
    lists: &[],
    read,
};

const ROOT: &str = "NessusClientData_v2";

/// Plugins that say that a host could not be looked at as it was asked for.
const NOT_ALL_SEEN: [&str; 8] = [
    "21745",  // Authentication failure: local checks not run.
    "24786",  // Windows scan not performed with administrator's rights.
    "26917",  // The registry cannot be accessed.
    "10919",  // A port that closed while the scan ran.
    "104410", // Failure for provided credentials.
    "110385", // Insufficient privilege.
    "117885", // Intermittent authentication failure.
    "117530", // Errors in nessusd.dump.
];

/// Whether the host answered at all.
const PING: &str = "10180";

/// What each host is told with: its version, times and settings.
const SCAN_INFORMATION: &str = "19506";

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let hosts: &[&[&str]] = &[&[ROOT, "Report", "ReportHost"]];
    let (mut n_hosts, mut targets) = (0_usize, Targets::default());
    let roots = [ROOT, "NessusClientData"];
    let rest = reading.xml_stream(text, &roots, hosts, &mut |reading, _, host| {
        n_hosts += 1;
        let name = host.text("name").into_owned();
        targets.add(&name);
        read_host(reading, &name, host)
    })?;
    if !rest.has("Report") {
        let message =
            "the element Report of version 2 (.nessus) is required here; version 1 is not read.";
        return Err(reading.broken("line 1", message));
    }
    if n_hosts == 0 {
        reading.nothing_looked_at("Report", "no host");
    }
    targets.tell(reading);
    Ok(())
}

fn read_host(reading: &mut Reading<'_>, name: &str, host: &Loose<'_>) -> Result<(), ImportError> {
    let place = format!("host {name}");
    let tags = host.each("HostProperties/tag");
    let tag = |wanted: &str| {
        let mut tags = tags.iter();
        tags.find(|tag| tag.text("name") == wanted)
            .map_or("".into(), Loose::own_text)
    };
    reading.scanned_at(&tag("HOST_END"));
    if tag("HOST_END").is_empty() {
        reading.incomplete(&*place, &format!("the scan of {name} has no end"));
    }
    let items = host.each("ReportItem");
    if items.is_empty() {
        reading.incomplete(&*place, &format!("nothing is said of the host {name}"));
    }
    for (at, item) in items.iter().enumerate() {
        let pointer = format!("{place}, item {at}");
        reading.needs_object(item, "")?;
        let plugin = item.text("pluginID");
        if NOT_ALL_SEEN.contains(&&*plugin) {
            let reason = format!("{} on {name}", item.text("pluginName"));
            reading.incomplete(&*pointer, &reason);
        }
        if plugin == PING && item.text("plugin_output").contains("considered as dead") {
            let reason = format!("{name} did not answer and was not scanned");
            reading.incomplete(&*pointer, &reason);
        }
        if plugin == SCAN_INFORMATION {
            let said = item.text("plugin_output");
            let version = said.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                (key.trim() == "Nessus version").then(|| value.trim())
            });
            reading.tool("", version.unwrap_or(""));
        }
        match finding(reading, &pointer, name, item) {
            Some(finding) => reading.add(finding),
            None => reading.not_a_finding(),
        }
    }
    Ok(())
}

/// `None` for a check that passed.
fn finding(
    reading: &mut Reading<'_>,
    pointer: &str,
    host: &str,
    item: &Loose<'_>,
) -> Option<Finding> {
    let mut status = ScannerStatus::Open;
    let family = item.text("pluginFamily");
    let is_check =
        item.flag("compliance") || item.has("compliance-result") || family == "Policy Compliance";
    if is_check {
        let result = item.text("compliance-result").to_ascii_uppercase();
        match &*result {
            "PASSED" => return None,
            "FAILED" => {}
            "WARNING" => status = ScannerStatus::Review,
            "ERROR" | "SKIPPED" => {
                let check = item.first_text(&["compliance-check-name", "pluginName"]);
                reading.incomplete(pointer, &format!("{check} could not be checked on {host}"));
                status = ScannerStatus::Review;
            }
            word => reading.unknown_word(pointer, "result", word),
        }
    }
    let scores = ["cvss4_base_score", "cvss3_base_score", "cvss_base_score"];
    let score = scores.iter().find_map(|key| score_of(item.at(key)));
    let severity = match &*item.text("severity") {
        "0" => Severity::Info,
        "1" => Severity::Low,
        "2" => Severity::Medium,
        "3" => Severity::High,
        "4" => Severity::Critical,
        word => {
            reading.unknown_word(pointer, "severity", word);
            let risk = Severity::from_scanner_word(&item.text("risk_factor"));
            risk.or_else(|| score.map(Severity::from_cvss_score))
                .unwrap_or(Severity::Unrated)
        }
    };
    let name = item.first_text(&["compliance-check-name", "pluginName", "plugin_name"]);
    let check = item.first_text(&["compliance-check-id", "compliance-check-name"]);
    let place = format!("{host} {}/{}", item.text("port"), item.text("protocol"));
    let print = if is_check {
        format!("{place} {check}")
    } else {
        place.clone()
    };
    let category = if is_check {
        Category::Configuration
    } else if family.contains("Web") || family.contains("CGI") || is_url(host) {
        Category::Web
    } else if family.contains("Local Security Checks") || item.has("cve") {
        Category::Dependency
    } else {
        Category::Configuration
    };
    let mut finding = Finding::of(&name, severity, pointer)
        .with_rule(&item.text("pluginID"))
        .with_rule_name(&item.first_text(&["pluginName", "plugin_name"]))
        .with_description(&item.first_text(&["compliance-info", "description", "synopsis"]))
        .with_message(&item.first_text(&["plugin_output", "compliance-actual-value", "synopsis"]))
        .with_remediation(&item.first_text(&["compliance-solution", "solution"]))
        .with_scope(&place)
        .with_partial_fingerprint(&print)
        .with_score(score)
        .with_tag(&family)
        .with_status(status)
        .with_category(category)
        .with_cwe(item.at("cwe"));
    for cve in item.each("cve") {
        finding = finding.with_ids(&cve.own_text());
    }
    for links in item.each("see_also") {
        let text = links.own_text();
        finding = text.split_whitespace().fold(finding, Finding::with_link);
    }
    Some(finding)
}
