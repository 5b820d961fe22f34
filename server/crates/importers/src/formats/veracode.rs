//! Veracode, detailed report (XML).
//!
//! Source: Veracode documentation, "Detailed Report XML", `detailedreport.xsd` version 1.5.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each `flaw` (static, dynamic, manual) | one finding; `issueid` is its fingerprint |
//! | each vulnerability of a component | one finding with component, version and place |
//! | `severity` 0 to 5 | info, low (very low), low, medium, high, critical (very high) |
//! | `mitigation_status` accepted | suppressed, with what the last mitigation says |
//! | `remediation_status` | Fixed fixed; Cannot Reproduce asks a person to look; any other open |
//! | `total_flaws` above the listed | the scan is incomplete |
//! | no analysis, no module, one that is not published | nothing, or not all, was looked at: the scan is incomplete |

use holdpoint_domain::Severity;

use super::ratings::score_of;
use super::reading::{Format, Reading, certain_if, root_is};
use crate::json::Loose;
use crate::{Body, Category, Finding, ImportError, ScannerStatus};

pub const VERACODE: Format = Format {
    name: "veracode",
    title: "Veracode detailed XML",
    tool: "Veracode",
    detect: |sniff| certain_if(root_is(sniff, "detailedreport")),
    lists: &[],
    read,
};

/// What the numbers of Veracode's scale mean.
pub(super) fn severity(reading: &mut Reading<'_>, pointer: &str, word: &str) -> Severity {
    match word {
        "5" => Severity::Critical,
        "4" => Severity::High,
        "3" => Severity::Medium,
        "2" | "1" => Severity::Low,
        "0" => Severity::Info,
        word => reading.severity(pointer, word),
    }
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let patterns: &[&[&str]] = &[
        &["detailedreport", "severity"],
        &[
            "detailedreport",
            "software_composition_analysis",
            "vulnerable_components",
            "component",
        ],
    ];
    let (mut n_flaws, mut n_components) = (0_usize, 0_usize);
    let rest = reading.xml_stream(
        text,
        &["detailedreport"],
        patterns,
        &mut |reading, nth, element| {
            if nth.pattern == 1 {
                n_components += 1;
                return read_component(reading, nth.at, element);
            }
            for category in element.each("category") {
                for weakness in category.each("cwe") {
                    n_flaws += read_flaws(reading, n_flaws, category, weakness)?;
                }
            }
            Ok(())
        },
    )?;
    reading.target(&rest.text("app_name"));
    reading.scanned_at(&rest.first_text(&["last_update_time", "generation_date"]));
    reading.declared("total_flaws", rest.number("total_flaws"), n_flaws);
    if rest.number("total_flaws").is_none() {
        reading.incomplete("total_flaws", "it does not say how many flaws there are");
    }
    let analyses = ["static-analysis", "dynamic-analysis", "manual-analysis"];
    let is_there = |key: &&str| rest.at(key).is_object();
    for key in analyses.iter().filter(|key| is_there(key)) {
        let analysis = rest.at(key);
        if analysis.text("published_date").is_empty() {
            reading.incomplete(*key, &format!("the {key} is not published"));
        }
        if key == &"static-analysis" && analysis.each("modules/module").is_empty() {
            reading.nothing_looked_at(key, "no module");
        }
        if super::reading::says_unfinished(&analysis.text("scan_exit_status_desc")) {
            reading.incomplete(*key, &analysis.text("scan_exit_status_desc"));
        }
    }
    let has_components = rest.number("software_composition_analysis/third_party_components");
    let place = "software_composition_analysis/third_party_components";
    reading.declared(place, has_components, n_components);
    if !analyses.iter().any(is_there) && has_components.is_none_or(|n| n == 0.0) {
        reading.nothing_looked_at("detailedreport", "no analysis");
    }
    Ok(())
}

fn read_flaws(
    reading: &mut Reading<'_>,
    before: usize,
    category: &Loose<'_>,
    weakness: &Loose<'_>,
) -> Result<usize, ImportError> {
    let mut n = 0;
    for kind in ["staticflaws", "dynamicflaws", "manualflaws"] {
        for flaw in weakness.at(kind).each("flaw") {
            let pointer = format!("flaw {}", before + n);
            n += 1;
            reading.needs_object(flaw, "")?;
            let severity = severity(reading, &pointer, &flaw.text("severity"));
            let status = status(reading, &pointer, flaw);
            let file = flaw.text("sourcefile");
            let path = format!("{}{file}", flaw.text("sourcefilepath"));
            let is_static = kind == "staticflaws";
            let recommended: Vec<String> = category
                .each("recommendations/para")
                .iter()
                .map(|para| para.text("text").into_owned())
                .collect();
            let words = flaw.first_text(&["categoryname", "type"]);
            let mut finding = Finding::of(&words, severity, &pointer)
                .with_rule(&format!("CWE-{}", flaw.text("cweid")))
                .with_rule_name(&weakness.text("cwename"))
                .with_message(&flaw.text("description"))
                .with_remediation(&recommended.join("\n"))
                .with_path(if file.is_empty() { "" } else { &path })
                .with_lines(flaw.line("line"), None)
                .with_scope(&flaw.first_text(&["url", "functionprototype", "scope", "module"]))
                .with_fingerprint(&flaw.text("issueid"))
                .with_status(status)
                .with_category(if is_static {
                    Category::Code
                } else {
                    Category::Web
                });
            if status == ScannerStatus::Suppressed {
                let last = flaw.each("mitigations/mitigation").last();
                if let Some(last) = last {
                    let said = format!("{}: {}", last.text("action"), last.text("description"));
                    finding = finding.with_suppression_reason(&said);
                }
            }
            reading.add(finding);
        }
    }
    Ok(n)
}

fn status(reading: &mut Reading<'_>, pointer: &str, flaw: &Loose<'_>) -> ScannerStatus {
    let remediation = flaw.text("remediation_status").to_ascii_lowercase();
    let status = match &*remediation {
        "fixed" => ScannerStatus::Fixed,
        "cannot reproduce" => ScannerStatus::Review,
        "new" | "open" | "re-open" | "reopened" | "mitigated" | "potential false positive" => {
            ScannerStatus::Open
        }
        word => {
            reading.unknown_word(pointer, "status", word);
            ScannerStatus::Open
        }
    };
    match &*flaw.text("mitigation_status").to_ascii_lowercase() {
        "accepted" if status != ScannerStatus::Fixed => ScannerStatus::Suppressed,
        "accepted" | "proposed" | "rejected" | "none" | "deferred" => status,
        word => {
            if flaw.has("mitigation_status") {
                reading.unknown_word(pointer, "status", word);
            }
            status
        }
    }
}

fn read_component(
    reading: &mut Reading<'_>,
    at: usize,
    component: &Loose<'_>,
) -> Result<(), ImportError> {
    // The attribute that counts them is called as the element that holds them.
    let both = component.each("vulnerabilities");
    let held = both.iter().find(|one| one.is_object());
    let found = held.map_or(&[][..], |held| held.each("vulnerability"));
    let counted = both.iter().find_map(|one| one.own_text().parse().ok());
    let place = format!("component {at}");
    let (vendor, library) = (component.text("vendor"), component.text("library"));
    let name = if vendor.is_empty() || vendor == library {
        library.into_owned()
    } else {
        format!("{vendor}:{library}")
    };
    let path = component.first_text(&["file_paths/file_path/value", "file_name"]);
    reading.declared(&place, counted, found.len());
    if counted.is_none() {
        reading.incomplete(
            &*place,
            &format!("it does not say what was found in {name}"),
        );
    }
    for (v, vulnerability) in found.iter().enumerate() {
        let pointer = format!("{place}, vulnerability {v}");
        reading.needs_object(vulnerability, "")?;
        let severity = severity(reading, &pointer, &vulnerability.text("severity"));
        let is_mitigated = vulnerability.flag("mitigation");
        let id = vulnerability.text("cve_id");
        let mut finding = Finding::of("", severity, &pointer)
            .with_rule(&id)
            .with_message(&vulnerability.text("cve_summary"))
            .with_cwe(vulnerability.at("cwe_id"))
            .with_component(&name, &component.text("version"))
            .with_vulnerability_title(&id, "")
            .with_path(&path)
            .with_score(score_of(vulnerability.at("cvss_score")))
            .with_category(Category::Dependency);
        if is_mitigated {
            finding.status = ScannerStatus::Suppressed;
            let last = vulnerability.each("mitigations/mitigation").last();
            if let Some(last) = last {
                finding = finding.with_suppression_reason(&last.text("description"));
            }
        }
        reading.add(finding);
    }
    Ok(())
}
