//! Qualys VM and VMDR: the asset data report and the detections of its API (XML), and the CSV of reports and of VMDR lists.
//!
//! Source: Qualys documentation, `asset_data_report.dtd`, `host_list_vm_detection_output.dtd`, "VM/PC API user guide"; columns as
//! `DefectDojo/django-DefectDojo`, `dojo/tools/qualys` and `qualys_vmdr`, has them.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each `VULN_INFO`, `DETECTION` or row | one finding; information that was gathered is info |
//! | severity 1 to 5 | info, low, medium, high, critical |
//! | potential (Practice) | a person is asked to look |
//! | Fixed; ignored, disabled | fixed; suppressed |
//! | QID, host, port, protocol | the identity |
//! | an authentication that failed (QID 105015, 105053) | the scan is incomplete |
//! | `WARNING` (a cut list), a count above the listed, a vulnerability that the glossary does not explain | the scan is incomplete, or unrated |
//! | no host | nothing was looked at: the scan is incomplete |

use std::collections::HashMap;

use holdpoint_domain::Severity;

use super::ratings::score_of;
use super::reading::{Format, Reading, certain_if, root_is};
use super::targets::Targets;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const QUALYS: Format = Format {
    name: "qualys",
    title: "Qualys VM or VMDR, XML or CSV",
    tool: "Qualys",
    detect,
    lists: &[],
    read,
};

/// Columns of a report, and of a list of VMDR.
const OF_REPORT: [&str; 5] = ["IP", "QID", "Title", "Type", "Severity"];
const OF_LIST: [&str; 5] = ["QID", "Title", "Severity", "Type Detected", "Status"];
/// What stands before the heading of a table.
const MOST_LINES_BEFORE: usize = 12;

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let is_xml =
        root_is(sniff, "ASSET_DATA_REPORT") || root_is(sniff, "HOST_LIST_VM_DETECTION_OUTPUT");
    certain_if(is_xml || heading(sniff.head).is_some())
}

/// What says that a host was not looked at from within: authentication failed on Windows, and on Unix.
const NOT_LOGGED_IN: [&str; 2] = ["105015", "105053"];

/// Where the heading of a table begins, and its columns.
fn heading(head: &str) -> Option<(usize, &'static [&'static str])> {
    let mut at = 0;
    for line in head.split_inclusive('\n').take(MOST_LINES_BEFORE) {
        let names: Vec<&str> = line
            .split(',')
            .map(|name| name.trim().trim_matches('"'))
            .collect();
        let has = |columns: &[&str]| columns.iter().all(|column| names.contains(column));
        if has(&OF_LIST) {
            return Some((at, &OF_LIST));
        }
        if has(&OF_REPORT) && names.contains(&"Vuln Status") {
            return Some((at, &OF_REPORT));
        }
        at += line.len();
    }
    None
}

/// One detection, whichever form it has.
struct Detection<'v> {
    qid: &'v str,
    host: &'v str,
    port: &'v str,
    protocol: &'v str,
    kind: &'v str,
    status: &'v str,
    severity: &'v str,
    title: &'v str,
    result: &'v str,
    is_hidden: bool,
}

/// What the glossary says of a QID.
#[derive(Default)]
struct Explained {
    title: String,
    severity: String,
    threat: String,
    solution: String,
    cves: String,
    score: Option<f64>,
}

#[derive(Default)]
struct Scan {
    targets: Targets,
    n: usize,
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut scan = Scan::default();
    if !text.begins_with('<') {
        read_table(reading, text, &mut scan)?;
    } else if root_is(&Sniff::of_body(text, None), "ASSET_DATA_REPORT") {
        read_report(reading, text, &mut scan)?;
    } else {
        read_detections(reading, text, &mut scan)?;
    }
    scan.targets.tell(reading);
    Ok(())
}

fn read_report(
    reading: &mut Reading<'_>,
    text: Body<'_>,
    scan: &mut Scan,
) -> Result<(), ImportError> {
    let patterns: &[&[&str]] = &[
        &[
            "ASSET_DATA_REPORT",
            "GLOSSARY",
            "VULN_DETAILS_LIST",
            "VULN_DETAILS",
        ],
        &["ASSET_DATA_REPORT", "HOST_LIST", "HOST"],
    ];
    let mut known: HashMap<String, Explained> = HashMap::new();
    // The glossary stands behind what it explains.
    let roots = ["ASSET_DATA_REPORT"];
    let rest = reading.xml_stream(text, &roots, patterns, &mut |_, nth, details| {
        if nth.pattern == 0 {
            let cves: Vec<String> = details
                .each("CVE_ID_LIST/CVE_ID")
                .iter()
                .map(|cve| cve.text("ID").into_owned())
                .collect();
            let score = ["CVSS3_SCORE/CVSS3_BASE", "CVSS_SCORE/CVSS_BASE"];
            let explained = Explained {
                title: details.text("TITLE").into_owned(),
                severity: details.text("SEVERITY").into_owned(),
                threat: details.text("THREAT").into_owned(),
                solution: details.text("SOLUTION").into_owned(),
                cves: cves.join(" "),
                score: score.iter().find_map(|path| score_of(details.at(path))),
            };
            known.insert(details.text("QID").into_owned(), explained);
        }
        Ok(())
    })?;
    let mut n_hosts = 0_usize;
    reading.xml_stream(text, &roots, patterns, &mut |reading, nth, host| {
        if nth.pattern != 1 {
            return Ok(());
        }
        n_hosts += 1;
        let name = host.first_text(&["DNS", "IP"]);
        let address = host.first_text(&["IP", "DNS"]);
        scan.targets.add(&name);
        let place = format!("host {address}");
        reading.needs_any(&place, host, &["VULN_INFO_LIST"]);
        let listed = host.at("VULN_INFO_LIST");
        if host.has("VULN_INFO_LIST") {
            reading.needs_any(&place, listed, &["VULN_INFO"]);
        }
        for (at, found) in listed.each("VULN_INFO").iter().enumerate() {
            let pointer = format!("{place}, VULN_INFO {at}");
            reading.needs_object(found, "")?;
            let qid = found.text("QID");
            let explained = known.get(&*qid);
            scan.add(
                reading,
                &pointer,
                explained,
                &Detection {
                    qid: &qid,
                    host: &address,
                    port: &found.text("PORT"),
                    protocol: &found.text("PROTOCOL"),
                    kind: &found.text("TYPE"),
                    status: &found.text("VULN_STATUS"),
                    severity: explained.map_or("", |known| known.severity.as_str()),
                    title: explained.map_or("", |known| known.title.as_str()),
                    result: &found.text("RESULT"),
                    is_hidden: false,
                },
            );
        }
        Ok(())
    })?;
    if n_hosts == 0 {
        reading.nothing_looked_at("HOST_LIST", "no host");
    }
    let place = "RISK_SCORE_SUMMARY/TOTAL_VULNERABILITIES";
    let total = rest.number("HEADER/RISK_SCORE_SUMMARY/TOTAL_VULNERABILITIES");
    reading.declared(place, total, scan.n);
    reading.scanned_at(&rest.text("HEADER/GENERATION_DATETIME"));
    Ok(())
}

fn read_detections(
    reading: &mut Reading<'_>,
    text: Body<'_>,
    scan: &mut Scan,
) -> Result<(), ImportError> {
    const ROOT: &str = "HOST_LIST_VM_DETECTION_OUTPUT";
    let hosts: &[&[&str]] = &[&[ROOT, "RESPONSE", "HOST_LIST", "HOST"]];
    let mut n_hosts = 0_usize;
    let rest = reading.xml_stream(text, &[ROOT], hosts, &mut |reading, _, host| {
        n_hosts += 1;
        let name = host.first_text(&["DNS", "IP", "ID"]);
        scan.targets.add(&name);
        let place = format!("host {name}");
        reading.needs_any(&place, host, &["DETECTION_LIST"]);
        let listed = host.at("DETECTION_LIST");
        if host.has("DETECTION_LIST") {
            reading.needs_any(&place, listed, &["DETECTION"]);
        }
        for (at, found) in listed.each("DETECTION").iter().enumerate() {
            let pointer = format!("{place}, DETECTION {at}");
            reading.needs_object(found, "")?;
            scan.add(
                reading,
                &pointer,
                None,
                &Detection {
                    qid: &found.text("QID"),
                    host: &name,
                    port: &found.text("PORT"),
                    protocol: &found.text("PROTOCOL"),
                    kind: &found.text("TYPE"),
                    status: &found.text("STATUS"),
                    severity: &found.text("SEVERITY"),
                    title: "",
                    result: &found.text("RESULTS"),
                    is_hidden: ["IS_IGNORED", "IS_DISABLED"]
                        .iter()
                        .any(|key| found.text(key) == "1"),
                },
            );
        }
        Ok(())
    })?;
    reading.needs_object(&rest, "RESPONSE")?;
    reading.scanned_at(&rest.text("RESPONSE/DATETIME"));
    if rest.at("RESPONSE").has("WARNING") {
        let said = rest.at("RESPONSE/WARNING").text("TEXT");
        reading.incomplete("RESPONSE/WARNING", &format!("the list was cut: {said}"));
    }
    if n_hosts == 0 {
        reading.nothing_looked_at("HOST_LIST", "no host");
    }
    Ok(())
}

fn read_table(
    reading: &mut Reading<'_>,
    text: Body<'_>,
    scan: &mut Scan,
) -> Result<(), ImportError> {
    let (before, columns) = heading(text.beginning()).unwrap_or((0, &OF_REPORT));
    reading.rows_after(before, text, b',', columns, &mut |reading, pointer, row| {
        let qid = row.text("QID");
        if qid.is_empty() {
            reading.incomplete(pointer, "a row has no QID");
            return Ok(());
        }
        let host = row.first_text(&["IP", "Asset IPV4", "Asset Name", "DNS"]);
        scan.targets.add(&host);
        let port = row.text("Port");
        let protocol = row.text("Protocol");
        let explained = Explained {
            title: row.text("Title").into_owned(),
            severity: row.text("Severity").into_owned(),
            threat: row.text("Threat").into_owned(),
            solution: row.text("Solution").into_owned(),
            cves: row.first_text(&["CVE ID", "CVE", "CVEID"]).into_owned(),
            // 8.1 (AV:N/AC:H/…)
            score: row
                .first_text(&["CVSS3 Base", "CVSSv3.1 Base (nvd)", "CVSS Base"])
                .split_whitespace()
                .next()
                .and_then(|score| score.parse().ok())
                .filter(|score| *score > 0.0),
        };
        let is_yes = |key: &str| row.text(key).eq_ignore_ascii_case("yes");
        scan.add(
            reading,
            pointer,
            Some(&explained),
            &Detection {
                qid: &qid,
                host: &host,
                port: if port == "0" { "" } else { &port },
                protocol: protocol.trim_matches(['\'', '-']),
                kind: &row.first_text(&["Type Detected", "Type"]),
                status: &row.first_text(&["Vuln Status", "Status"]),
                severity: &explained.severity,
                title: &explained.title,
                result: &row.text("Results"),
                is_hidden: is_yes("Ignored") || is_yes("Disabled"),
            },
        );
        Ok(())
    })?;
    if scan.n == 0 {
        reading.nothing_looked_at("$", "no row");
    }
    Ok(())
}

/// What the numbers of Qualys' scale mean.
pub(super) fn severity(
    reading: &mut Reading<'_>,
    pointer: &str,
    word: &str,
    score: Option<f64>,
) -> Severity {
    match word {
        "5" => Severity::Critical,
        "4" => Severity::High,
        "3" => Severity::Medium,
        "2" => Severity::Low,
        "1" => Severity::Info,
        word => reading.rated(pointer, word, score),
    }
}

impl Scan {
    fn add(
        &mut self,
        reading: &mut Reading<'_>,
        pointer: &str,
        explained: Option<&Explained>,
        found: &Detection<'_>,
    ) {
        self.n += 1;
        let score = explained.and_then(|known| known.score);
        let mut status = match &*found.status.to_ascii_lowercase() {
            "new" | "active" | "re-opened" | "reopened" => ScannerStatus::Open,
            "fixed" => ScannerStatus::Fixed,
            // What was gathered has no state.
            "" if is_information(found.kind) => ScannerStatus::Open,
            _ => {
                reading.unknown_word(pointer, "status", found.status);
                ScannerStatus::Open
            }
        };
        let severity = match &*found.kind.to_ascii_lowercase() {
            kind if is_information(kind) => Severity::Info,
            "vuln" | "confirmed" => severity(reading, pointer, found.severity, score),
            "practice" | "potential" => {
                if status == ScannerStatus::Open {
                    status = ScannerStatus::Review;
                }
                severity(reading, pointer, found.severity, score)
            }
            _ => {
                reading.unknown_word(pointer, "type", found.kind);
                severity(reading, pointer, found.severity, score)
            }
        };
        if found.is_hidden && status != ScannerStatus::Fixed {
            status = ScannerStatus::Suppressed;
        }
        if NOT_LOGGED_IN.contains(&found.qid) || found.title.contains("Authentication Failed") {
            reading.incomplete(
                pointer,
                &format!("no login on {}: QID {}", found.host, found.qid),
            );
        }
        let place = [found.host, found.port, found.protocol];
        let place = place.map(str::trim).join(" ");
        let named = format!("QID {}", found.qid);
        let title = if found.title.is_empty() {
            &named
        } else {
            found.title
        };
        let mut finding = Finding::of(title, severity, pointer)
            .with_rule(found.qid)
            .with_message(found.result)
            .with_scope(place.trim())
            .with_partial_fingerprint(place.trim())
            .with_score(score)
            .with_status(status)
            .with_category(Category::Configuration);
        if let Some(known) = explained {
            finding = finding
                .with_description(&known.threat)
                .with_remediation(&known.solution)
                .with_ids(&known.cves);
        }
        if !finding.cve.is_empty() {
            finding.category = Some(Category::Dependency);
        }
        reading.add(finding);
    }
}

fn is_information(kind: &str) -> bool {
    ["ig", "info", "information", "information gathered"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(kind))
}
