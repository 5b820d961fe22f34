//! Scanners of running sites and hosts, and of Java code, that write XML: one element for each finding. ZAP and testssl.sh have
//! modules of their own.
//!
//! | format | findings | severity |
//! |---|---|---|
//! | Burp Suite | each `issue` | its word, Information info |
//! | Nmap | each open port (info), each CVE that its vulners script names; a failed run, one that does not say that it ended, a host without answer and one without ports that were looked at are incomplete, as is a run without hosts; so is a vulners script without tables | by the score |
//! | Nikto XML and JSON | each `item`, each of `vulnerabilities`; one for all places of a site with the same words; without `scandetails`, of which neither items nor statistics, or an item without words: incomplete | medium where there is a number of OSVDB, else info |
//! | SpotBugs | each `BugInstance` | `priority` 1 high, 2 medium, 3 to 5 low; no classes looked at, or more counted than listed: incomplete |

use holdpoint_domain::Severity;

use super::ratings::score_of;
use super::reading::{Format, Reading, certain_if, list_with, object_with, root_is};
use super::targets::Targets;
use crate::json::Loose;
use crate::{Body, Category, Finding, ImportError};

pub const SPOTBUGS: Format = Format {
    name: "spotbugs",
    title: "SpotBugs XML",
    tool: "spotbugs",
    detect: |sniff| certain_if(root_is(sniff, "BugCollection")),
    lists: &[],
    read: read_spotbugs,
};

pub const BURP: Format = Format {
    name: "burp",
    title: "Burp Suite XML",
    tool: "burp",
    detect: |sniff| {
        certain_if(
            root_is(sniff, "issues")
                && (sniff.text.contains("burpVersion") || sniff.text.contains("<serialNumber>")),
        )
    },
    lists: &[],
    read: read_burp,
};

pub const NMAP: Format = Format {
    name: "nmap",
    title: "Nmap XML",
    tool: "nmap",
    detect: |sniff| certain_if(root_is(sniff, "nmaprun")),
    lists: &[],
    read: read_nmap,
};

pub const NIKTO: Format = Format {
    name: "nikto",
    title: "Nikto XML or JSON",
    tool: "nikto",
    detect: |sniff| {
        let keys = ["host", "banner", "vulnerabilities"];
        certain_if(
            root_is(sniff, "niktoscan") || object_with(sniff, &keys) || list_with(sniff, &keys),
        )
    },
    lists: &[],
    read: read_nikto,
};

fn read_burp(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let each: &[&[&str]] = &[&["issues", "issue"]];
    let mut hosts = Targets::default();
    let issues = reading.xml_stream(text, &["issues"], each, &mut |reading, nth, issue| {
        hosts.add(&issue.text("host"));
        let at = nth.at;
        let pointer = format!("issue {at}");
        let severity = match &*issue.text("severity") {
            "Information" | "False positive" => Severity::Info,
            word => reading.severity(&pointer, word),
        };
        let mut finding = Finding::of(&issue.text("name"), severity, &pointer)
            .with_rule(&issue.text("type"))
            .with_rule_name(&issue.text("name"))
            .with_description(&issue.text("issueBackground"))
            .with_message(&issue.text("issueDetail"))
            .with_remediation(&issue.first_text(&["remediationDetail", "remediationBackground"]))
            .with_ids(&issue.text("vulnerabilityClassifications"))
            .with_scope(&format!(
                "{}{}",
                issue.text("host"),
                issue.first_text(&["location", "path"])
            ))
            .with_category(Category::Web);
        if issue.text("severity") == "False positive" {
            finding.status = crate::ScannerStatus::Suppressed;
        }
        reading.add(finding);
        Ok(())
    })?;
    reading.tool("", &issues.text("burpVersion"));
    reading.scanned_at(&issues.text("exportTime"));
    hosts.tell(reading);
    Ok(())
}

fn read_nmap(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let hosts: &[&[&str]] = &[&["nmaprun", "host"]];
    let (mut n_hosts, mut looked_at) = (0_usize, Targets::default());
    let run = reading.xml_stream(text, &["nmaprun"], hosts, &mut |reading, nth, host| {
        let h = nth.at;
        n_hosts += 1;
        if host.flag("timedout") {
            reading.incomplete(format!("host {h}"), "a host did not answer in time");
        }
        let name = host
            .each("hostnames/hostname")
            .first()
            .or(host.each("address").first());
        let name = name.map_or(String::new(), |name| {
            name.first_text(&["name", "addr"]).into_owned()
        });
        looked_at.add(&name);
        if host.text("status/state") != "down" {
            let ports = host.at("ports");
            reading.needs_any(&format!("host {h}"), ports, &["port", "extraports"]);
        }
        for (p, port) in host.each("ports/port").iter().enumerate() {
            let pointer = format!("host {h}, port {p}");
            match &*port.text("state/state") {
                "open" => {}
                "closed" | "filtered" | "unfiltered" | "open|filtered" | "closed|filtered" => {
                    reading.not_a_finding();
                    continue;
                }
                word => reading.unknown_word(&pointer, "state", word),
            }
            let (number, protocol) = (port.text("portid"), port.text("protocol"));
            let service = port.at("service");
            let product = [
                service.text("name"),
                service.text("product"),
                service.text("version"),
            ]
            .join(" ");
            reading.add(
                Finding::of(
                    &format!("Open port {number}/{protocol} {product}"),
                    Severity::Info,
                    &pointer,
                )
                .with_rule(&format!("{number}/{protocol}"))
                .with_scope(&name)
                .with_category(Category::Web),
            );
            let scripts = port
                .each("script")
                .iter()
                .filter(|script| script.text("id") == "vulners");
            for script in scripts.clone() {
                let tables = script.each("table").iter();
                let n_entries: usize = tables.map(|table| table.each("table").len()).sum();
                if n_entries == 0 {
                    reading.incomplete(&*pointer, "its vulners script lists nothing in tables");
                }
            }
            for (at, entry) in scripts
                .flat_map(|script| script.each("table"))
                .flat_map(|table| table.each("table"))
                .enumerate()
            {
                let value = |key: &str| {
                    let found = entry
                        .each("elem")
                        .iter()
                        .find(|elem| elem.text("key") == key);
                    found.map_or(String::new(), |elem| elem.own_text().into_owned())
                };
                let (id, score) = (value("id"), score_of(&Loose::Text(value("cvss").into())));
                let severity = match score {
                    Some(score) => Severity::from_cvss_score(score),
                    None => reading.severity(&pointer, &value("cvss")),
                };
                reading.add(
                    Finding::of(
                        &format!("{id} in {product}"),
                        severity,
                        &format!("{pointer}, vulners {at}"),
                    )
                    .with_rule(&id)
                    .with_id(if cve_in(&id).is_empty() {
                        &id
                    } else {
                        cve_in(&id)
                    })
                    .with_component(&product_of(service), &service.text("version"))
                    .with_scope(&format!("{name}:{number}"))
                    .with_score(score)
                    .with_category(Category::Web),
                );
            }
        }
        Ok(())
    })?;
    reading.tool("", &run.text("version"));
    looked_at.tell(reading);
    let finished = run.at("runstats/finished");
    if finished.text("exit") == "error" {
        let said = format!("it failed: {}", finished.text("errormsg"));
        reading.incomplete("runstats", &said);
    } else if finished.is_null() {
        reading.incomplete("runstats", "it does not say that it ended");
    } else if n_hosts == 0 {
        reading.nothing_looked_at("host", "no host answered");
    }
    Ok(())
}

/// The product as its CPE names it (`cpe:/a:openbsd:openssh:7.4`), else as the service shows itself.
fn product_of(service: &Loose<'_>) -> String {
    let cpe = service.each("cpe").first().map(Loose::own_text);
    let product = cpe.as_deref().and_then(|cpe| cpe.split(':').nth(3));
    match product {
        Some(product) if !product.is_empty() => product.to_owned(),
        _ => service.first_text(&["product", "name"]).into_owned(),
    }
}

/// The CVE in names such as `MSF:ILITIES/UBUNTU-CVE-2019-6111/`.
fn cve_in(id: &str) -> &str {
    id.find("CVE-")
        .map_or("", |at| id[at..].trim_end_matches('/'))
}

fn read_nikto(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let is_xml = text.begins_with('<');
    let whole = if is_xml {
        reading.xml(text, "niktoscan")?
    } else {
        reading.json(text)?
    };
    let mut items = Vec::new();
    for scan in whole.items().iter().chain(whole.each("niktoscan")) {
        reading.tool("", &scan.text("version"));
        if is_xml {
            // Those of several hosts are in one.
            reading.needs_any("niktoscan", scan, &["scandetails", "niktoscan"]);
        }
        for details in scan.each("scandetails") {
            reading.needs_any("scandetails", details, &["statistics", "item"]);
            let statistics = details.at("statistics");
            reading.declared(
                "statistics",
                statistics.number("itemsfound"),
                details.each("item").len(),
            );
            // Older versions name the number of tests otherwise.
            if statistics.number("itemstested") == Some(0.0) {
                reading.nothing_looked_at("statistics", "no items were tested");
            }
            items.extend(
                details
                    .each("item")
                    .iter()
                    .map(|item| (details.text("sitename"), item)),
            );
        }
        if !is_xml {
            reading.needs_list(scan, "vulnerabilities")?;
        }
        items.extend(
            scan.each("vulnerabilities")
                .iter()
                .map(|item| (scan.text("host"), item)),
        );
    }
    let mut known = std::collections::HashSet::new();
    for (at, (site, item)) in items.into_iter().enumerate() {
        reading.needs_object(item, "")?;
        let place = format!("item {at}");
        reading.needs_any(&place, item, &["description", "msg"]);
        let words = item.first_text(&["description", "msg"]);
        if !known.insert((site.clone(), words.clone().into_owned())) {
            continue;
        }
        let number = item.first_text(&["osvdbid", "OSVDB"]);
        let severity = if number.is_empty() || number == "0" {
            Severity::Info
        } else {
            Severity::Medium
        };
        reading.add(
            Finding::of(&words, severity, &place)
                .with_rule(&item.text("id"))
                .with_message(&words)
                .with_link(&item.text("references"))
                .with_scope(&format!("{site} {}", item.first_text(&["uri", "url"])))
                .with_category(Category::Web),
        );
    }
    Ok(())
}

fn read_spotbugs(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let roots = ["BugCollection"];
    let bugs: &[&[&str]] = &[&["BugCollection", "BugInstance"]];
    // What the kinds of bugs are stands behind the bugs.
    let report = reading.xml_stream(text, &roots, bugs, &mut |_, _, _| Ok(()))?;
    reading.tool("", &report.text("version"));
    let patterns: std::collections::HashMap<_, _> = report
        .each("BugPattern")
        .iter()
        .map(|pattern| (pattern.text("type"), pattern))
        .collect();
    let mut n_bugs = 0;
    reading.xml_stream(text, &roots, bugs, &mut |reading, nth, bug| {
        let at = nth.at;
        n_bugs += 1;
        let severity = match &*bug.text("priority") {
            "1" => Severity::High,
            "2" => Severity::Medium,
            "3" | "4" | "5" => Severity::Low,
            word => {
                let pointer = format!("BugInstance {at}");
                reading.unknown_word(&pointer, "severity", word);
                Severity::Unrated
            }
        };
        let kind = bug.text("type");
        let nothing = Loose::Null;
        let pattern = patterns.get(&kind).copied().unwrap_or(&nothing);
        let lines = bug.each("SourceLine");
        let line = lines
            .iter()
            .find(|line| line.flag("primary"))
            .or(lines.first())
            .unwrap_or(&nothing);
        let class = bug.each("Class").first().unwrap_or(&nothing);
        let path = line.first_text(&["sourcepath"]);
        let path = if path.is_empty() {
            class.text("SourceLine/sourcepath")
        } else {
            path
        };
        let words = bug.first_text(&["ShortMessage", "LongMessage", "type"]);
        reading.add(
            Finding::of(&words, severity, &format!("BugInstance {at}"))
                .with_rule(&kind)
                .with_message(&bug.text("LongMessage"))
                .with_description(&pattern.text("Details"))
                .with_cwe(bug.at("cweid"))
                .with_path(&path)
                .with_lines(line.line("start"), line.line("end"))
                .with_scope(&class.text("classname"))
                .with_partial_fingerprint(&bug.text("instanceHash"))
                .with_category(Category::Code),
        );
        Ok(())
    })?;
    if report.number("Errors/errors").is_some_and(|n| n > 0.0) {
        reading.incomplete("Errors", "the tool reports errors");
    }
    if let Some(n) = report.number("Errors/missingClasses").filter(|n| *n > 0.0) {
        let said = format!("{n} classes that the code uses were not there to be looked at.");
        reading.problem("Errors", said);
    }
    let summary = report.at("FindBugsSummary");
    reading.declared("FindBugsSummary", summary.number("total_bugs"), n_bugs);
    if summary.number("total_classes") == Some(0.0) {
        reading.nothing_looked_at("FindBugsSummary", "no classes");
    }
    reading.target(&report.text("Project/projectName"));
    Ok(())
}
