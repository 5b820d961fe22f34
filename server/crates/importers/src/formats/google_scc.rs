//! Findings of Google Security Command Center: what `gcloud scc findings list --format=json` and the API's `findings.list` answer,
//! and notifications of them.
//!
//! Source: Security Command Center API reference v1 and v2, `organizations.sources.findings` (Finding, `ListFindingsResponse`).
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each finding | one finding; its name is its fingerprint |
//! | `severity` | as it is; `SEVERITY_UNSPECIFIED` is unrated, or by the CVSS score |
//! | `state` INACTIVE, `mute` MUTED | fixed; suppressed |
//! | `findingClass` `SCC_ERROR` that is active | a service could not look: the scan is incomplete |
//! | `vulnerability` | CVE, score, package and fixed version |
//! | a category of vulnerabilities without `vulnerability` | the scan is incomplete |
//! | organization, folder or project in the name | the target, where it is one |
//! | `totalSize` above the listed, `nextPageToken` | the scan is incomplete |
//! | no finding at all | nothing says that anything was looked at: the scan is incomplete |

use super::ratings::score_of;
use super::reading::{Format, Reading, certain_if, list_with, object_with};
use super::targets::Targets;
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const GOOGLE_SCC: Format = Format {
    name: "google_scc",
    title: "Google Security Command Center JSON",
    tool: "Security Command Center",
    detect,
    lists: &["listFindingsResults?"],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let is_shaped = object_with(sniff, &["listFindingsResults"])
        || list_with(sniff, &["finding"])
        || list_with(sniff, &["listFindingsResults"])
        || object_with(sniff, &["finding", "notificationConfigName"])
        || object_with(sniff, &["finding", "resource"]);
    certain_if(is_shaped && sniff.text.contains("/findings/"))
}

#[derive(Default)]
struct Scan {
    n: usize,
    targets: Targets,
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut scan = Scan::default();
    if text.begins_with('[') {
        let rest = reading.stream(text, &[&["*"]], &mut |reading, pointer, element| {
            if !element.has("listFindingsResults") {
                return scan.add(reading, pointer, element);
            }
            let key = "listFindingsResults";
            reading.is_last_page(pointer, element, &["nextPageToken"]);
            let page = reading.needed_list(pointer, element, key)?;
            let mut listed = page.iter().enumerate();
            listed
                .try_for_each(|(at, one)| scan.add(reading, &format!("{pointer}/{key}/{at}"), one))
        })?;
        reading.needs_list(&rest, "")?;
    } else {
        reading.documents(text, &mut |reading, pointer, document| {
            if document.has("finding") {
                return scan.add(reading, pointer, document);
            }
            let page = reading.needs_list(document, "listFindingsResults")?;
            for (at, one) in page.iter().enumerate() {
                scan.add(reading, &format!("/listFindingsResults/{at}"), one)?;
            }
            reading.declared("/totalSize", document.number("totalSize"), page.len());
            reading.is_last_page("", document, &["nextPageToken"]);
            Ok(())
        })?;
    }
    if scan.n == 0 {
        reading.nothing_looked_at("/listFindingsResults", "no finding of any state");
    }
    scan.targets.tell(reading);
    Ok(())
}

impl Scan {
    fn add(
        &mut self,
        reading: &mut Reading<'_>,
        pointer: &str,
        result: &Loose<'_>,
    ) -> Result<(), ImportError> {
        self.n += 1;
        reading.needs_object(result, "finding")?;
        let found = result.at("finding");
        let name = found.first_text(&["name", "canonicalName"]);
        self.targets
            .add(name.split("/sources/").next().unwrap_or(""));
        reading.scanned_at(&found.text("eventTime"));
        let finding = finding(reading, pointer, result, found, &name);
        reading.add(finding);
        Ok(())
    }
}

fn finding(
    reading: &mut Reading<'_>,
    pointer: &str,
    result: &Loose<'_>,
    found: &Loose<'_>,
    name: &str,
) -> Finding {
    let vulnerability = found.at("vulnerability");
    let score = score_of(vulnerability.at("cve/cvssv3/baseScore"));
    let severity = reading.rated(pointer, &found.text("severity"), score);
    let mut status = match &*found.text("state") {
        "ACTIVE" => ScannerStatus::Open,
        "INACTIVE" => ScannerStatus::Fixed,
        word => {
            reading.unknown_word(pointer, "state", word);
            ScannerStatus::Open
        }
    };
    match &*found.text("mute") {
        "MUTED" if status == ScannerStatus::Open => status = ScannerStatus::Suppressed,
        "MUTED" | "UNMUTED" | "UNDEFINED" | "MUTE_UNSPECIFIED" | "" => {}
        word => reading.unknown_word(pointer, "state", word),
    }
    let class = found.text("findingClass");
    let kind = found.text("category");
    let resource = found.text("resourceName");
    if class == "SCC_ERROR" && status != ScannerStatus::Fixed {
        let reason = format!("a service could not look: {kind} ({resource})");
        reading.incomplete(pointer, &reason);
    }
    if kind.ends_with("_VULNERABILITY") && !vulnerability.is_object() {
        let reason = format!("a vulnerability ({kind}) says nothing of itself");
        reading.incomplete(pointer, &reason);
    }
    let package = vulnerability.at("offendingPackage");
    let id = vulnerability.text("cve/id");
    let category = if package.is_object() || !id.is_empty() {
        Category::Dependency
    } else if kind.starts_with("XSS") || kind.contains("WEB") {
        Category::Web
    } else {
        Category::Configuration
    };
    let words = kind.replace('_', " ");
    let title = if id.is_empty() {
        words
    } else {
        format!("{id}: {words}")
    };
    let mut finding = Finding::of(&title, severity, pointer)
        .with_rule(if id.is_empty() { &kind } else { &id })
        .with_rule_name(&kind)
        .with_message(&found.text("description"))
        .with_description(&found.text("sourceProperties/Explanation"))
        .with_remediation(&found.first_text(&["nextSteps", "sourceProperties/Recommendation"]))
        .with_link(&found.text("externalUri"))
        .with_scope(&resource)
        .with_component(
            &package.text("packageName"),
            &package.text("packageVersion"),
        )
        .with_fixed_version(&vulnerability.text("fixedPackage/packageVersion"))
        .with_fingerprint(name)
        .with_score(score)
        .with_tag(&class)
        .with_tag(&result.first_text(&[
            "resource/projectDisplayName",
            "resource/gcpMetadata/projectDisplayName",
        ]))
        .with_status(status)
        .with_category(category);
    if status == ScannerStatus::Suppressed {
        finding = finding.with_suppression_reason(&found.text("muteInitiator"));
    }
    finding
}
