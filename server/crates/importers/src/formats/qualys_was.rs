//! Qualys Web Application Scanning, XML: scan reports and reports of web applications.
//!
//! Source: Qualys WAS API user guide, reports in XML (`WAS_SCAN_REPORT`, `WAS_WEBAPP_REPORT`).
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each vulnerability and sensitive content | one finding; severity 1 to 5 of the glossary is info, low, medium, high, critical |
//! | information that was gathered | info |
//! | information that says that the scan was blocked, had errors or reached a limit | the scan is incomplete too |
//! | `STATUS` FIXED, `IGNORED` | fixed; suppressed |
//! | `POTENTIAL` | a person is asked to look |
//! | QID, address and parameter | the identity |
//! | more counted in the summary than listed, a scan that is not finished, an authentication that failed | the scan is incomplete |
//! | no result of any kind | nothing was looked at: the scan is incomplete |

use std::collections::HashMap;

use holdpoint_domain::Severity;

use super::qualys::severity;
use super::reading::{Format, Reading, certain_if, root_is};
use super::targets::Targets;
use crate::json::Loose;
use crate::{Body, Category, Finding, ImportError, ScannerStatus};

pub const QUALYS_WAS: Format = Format {
    name: "qualys_was",
    title: "Qualys WAS XML",
    tool: "Qualys WAS",
    detect: |sniff| certain_if(ROOTS.iter().any(|root| root_is(sniff, root))),
    lists: &[],
    read,
};

const ROOTS: [&str; 2] = ["WAS_SCAN_REPORT", "WAS_WEBAPP_REPORT"];

/// Lists of results, their elements, and what the summary counts them by.
const KINDS: [(&str, &str); 3] = [
    ("VULNERABILITY_LIST", "VULNERABILITY"),
    ("SENSITIVE_CONTENT_LIST", "SENSITIVE_CONTENT"),
    ("INFORMATION_GATHERED_LIST", "INFORMATION_GATHERED"),
];

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let report = reading.xml_stream(text, &ROOTS, &[], &mut |_, _, _| Ok(()))?;
    reading.needs_object(&report, "RESULTS")?;
    let known: HashMap<String, &Loose<'_>> = report
        .each("GLOSSARY/QID_LIST/QID")
        .iter()
        .map(|entry| (entry.text("QID").into_owned(), entry))
        .collect();
    let mut targets = Targets::default();
    for scan in report.each("APPENDIX/SCAN_LIST/SCAN") {
        targets.add(&scan.text("WEB_APPLICATION"));
        reading.scanned_at(&scan.text("END_DATE"));
        let (name, status) = (scan.text("NAME"), scan.text("STATUS"));
        if status != "Finished" {
            reading.incomplete("SCAN_LIST/SCAN", &format!("{name} is {status:?}"));
        }
        let authentication = scan.text("AUTHENTICATION_STATUS");
        let is_known = [
            "",
            "none",
            "no authentication specified",
            "not used",
            "successful",
        ];
        if !is_known.contains(&&*authentication.to_ascii_lowercase()) {
            reading.incomplete("SCAN_LIST/SCAN", &format!("{name}: {authentication}"));
        }
    }
    let results = report.at("RESULTS");
    let applications = results.each("WEB_APPLICATION");
    for application in applications {
        targets.add(&application.text("NAME"));
    }
    let holders = if applications.is_empty() {
        results.items()
    } else {
        applications
    };
    let mut n = [0_usize; KINDS.len()];
    for holder in holders {
        for (kind, (list, name)) in KINDS.iter().enumerate() {
            for found in holder.at(list).each(name) {
                let pointer = format!("{name} {}", n[kind]);
                n[kind] += 1;
                reading.needs_object(found, "")?;
                let finding = finding(reading, &pointer, name, &known, found);
                reading.add(finding);
            }
        }
    }
    let summary = report.at("SUMMARY/GLOBAL_SUMMARY");
    for ((_, name), n) in KINDS.iter().zip(n) {
        reading.declared(&format!("GLOBAL_SUMMARY/{name}"), summary.number(name), n);
    }
    if !summary.has("VULNERABILITY") {
        reading.incomplete(
            "SUMMARY",
            "it does not say how many vulnerabilities there are",
        );
    }
    if n == [0; KINDS.len()] {
        reading.nothing_looked_at("RESULTS", "no result of any kind");
    }
    targets.tell(reading);
    Ok(())
}

/// Whether what was gathered says that the scan did not see everything.
fn says_cut(title: &str) -> bool {
    let words = title.to_ascii_lowercase();
    let signs = [
        "error occurred",
        "may be blocked",
        "maximum number of links",
    ];
    super::reading::says_unfinished(title) || signs.iter().any(|sign| words.contains(sign))
}

fn finding(
    reading: &mut Reading<'_>,
    pointer: &str,
    kind: &str,
    known: &HashMap<String, &Loose<'_>>,
    found: &Loose<'_>,
) -> Finding {
    let qid = found.text("QID");
    let entry = known.get(&*qid).copied().unwrap_or(&Loose::Null);
    let is_information = kind == "INFORMATION_GATHERED";
    let severity = if is_information {
        Severity::Info
    } else {
        severity(reading, pointer, &entry.text("SEVERITY"), None)
    };
    let mut status = match &*found.text("STATUS").to_ascii_uppercase() {
        "" | "NEW" | "ACTIVE" | "REOPENED" | "PROTECTED" | "RETESTED" => ScannerStatus::Open,
        "FIXED" => ScannerStatus::Fixed,
        word => {
            reading.unknown_word(pointer, "status", word);
            ScannerStatus::Open
        }
    };
    if status == ScannerStatus::Open && found.flag("POTENTIAL") {
        status = ScannerStatus::Review;
    }
    let is_ignored = found.flag("IGNORED") || found.at("IGNORED").is_object();
    if is_ignored && status != ScannerStatus::Fixed {
        status = ScannerStatus::Suppressed;
    }
    let (address, parameter) = (found.text("URL"), found.text("PARAM"));
    let place = format!("{address} {parameter}");
    let named = format!("QID {qid}");
    let title = entry.text("TITLE");
    if is_information && says_cut(&title) {
        reading.incomplete(pointer, &title);
    }
    let mut finding = Finding::of(
        if title.is_empty() { &named } else { &title },
        severity,
        pointer,
    )
    .with_rule(&qid)
    .with_description(&entry.text("DESCRIPTION"))
    .with_remediation(&entry.text("SOLUTION"))
    .with_scope(place.trim())
    .with_partial_fingerprint(place.trim())
    .with_tag(&entry.text("CATEGORY"))
    .with_cwe(entry.at("CWE"))
    .with_status(status)
    .with_category(Category::Web);
    if status == ScannerStatus::Suppressed {
        let reason = found.first_text(&["IGNORE_COMMENTS", "IGNORED/COMMENT", "IGNORE_REASON"]);
        finding = finding.with_suppression_reason(&reason);
    }
    finding
}
