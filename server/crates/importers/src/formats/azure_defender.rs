//! Recommendations of Microsoft Defender for Cloud: assessments as `az security assessment list`, its REST API and a query of the
//! Azure Resource Graph answer them (JSON), and the CSV that the portal exports.
//!
//! Source: Microsoft Defender for Cloud REST API, `Assessments - List`; Azure portal, "Download CSV report"
//! (`DefectDojo/django-DefectDojo`, `dojo/tools/azure_security_center_recommendations`).
//!
//! | state | what becomes of it |
//! |---|---|
//! | Unhealthy | one finding |
//! | Healthy, `NotApplicable` | none; with the cause Exempt suppressed |
//!
//! Severity is `metadata.severity`, else `status.severity` (of subassessments) or `risk.level`; `az security assessment list` leaves the metadata out: unrated. Rule and
//! resource are the identity, the subscription is the target, where it is one. `nextLink`, a token, a count above the listed and a list
//! without anything that was checked make the scan incomplete.

use super::reading::{Format, Reading, certain_if, list_with, object_with};
use super::targets::Targets;
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const AZURE_DEFENDER: Format = Format {
    name: "azure_defender",
    title: "Microsoft Defender for Cloud JSON or CSV",
    tool: "Defender for Cloud",
    detect,
    lists: &["value?", "data?"],
    read,
};

const COLUMNS: [&str; 3] = ["resourceId", "recommendationDisplayName", "state"];

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let is_assessment =
        || sniff.text.contains("/assessments/") && sniff.text.contains("Microsoft.Security");
    let is_answer = object_with(sniff, &["value"])
        || object_with(sniff, &["data"])
        || list_with(sniff, &["id", "status"])
        || list_with(sniff, &["id", "properties"]);
    let heading = sniff.head.lines().next().unwrap_or("");
    let is_csv = COLUMNS.iter().all(|column| heading.contains(column))
        && heading.contains("recommendationId");
    certain_if(is_csv || is_answer && is_assessment())
}

#[derive(Default)]
struct Scan {
    n: usize,
    n_checked: usize,
    targets: Targets,
}

/// One assessment, whichever form it has.
struct Assessment<'v> {
    id: &'v str,
    rule: &'v str,
    title: &'v str,
    state: &'v str,
    cause: &'v str,
    why: &'v str,
    resource: &'v str,
    severity: &'v str,
    description: &'v str,
    remediation: &'v str,
    link: &'v str,
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut scan = Scan::default();
    if text.begins_with('[') {
        let rest = reading.stream(text, &[&["*"]], &mut |reading, pointer, one| {
            scan.add_json(reading, pointer, one)
        })?;
        reading.needs_list(&rest, "")?;
    } else if text.begins_with('{') {
        let patterns: &[&[&str]] = &[&["value", "*"], &["data", "*"]];
        let rest = reading.stream(text, patterns, &mut |reading, pointer, one| {
            scan.add_json(reading, pointer, one)
        })?;
        if !rest.has("data") {
            reading.needs_list(&rest, "value")?;
        }
        reading.is_last_page("", &rest, &["nextLink", "skip_token", "$skipToken"]);
        for key in ["totalRecords", "total_records"] {
            reading.declared(&format!("/{key}"), rest.number(key), scan.n);
        }
    } else {
        reading.rows(text, b',', &COLUMNS, &mut |reading, pointer, row| {
            reading.scanned_at(&row.text("exportedTimestamp"));
            scan.add(
                reading,
                pointer,
                &Assessment {
                    id: &row.text("recommendationId"),
                    rule: &row.text("recommendationName"),
                    title: &row.text("recommendationDisplayName"),
                    state: &row.text("state"),
                    cause: &row.text("notApplicableReason"),
                    why: "",
                    resource: &row.text("resourceId"),
                    severity: &row.first_text(&["severity", "riskLevel"]),
                    description: &row.text("description"),
                    remediation: &row.text("remediationSteps"),
                    link: &row.text("azurePortalRecommendationLink"),
                },
            );
            Ok(())
        })?;
    }
    if scan.n_checked == 0 {
        reading.nothing_looked_at("$", "no resource was assessed");
    }
    scan.targets.tell(reading);
    Ok(())
}

impl Scan {
    fn add_json(
        &mut self,
        reading: &mut Reading<'_>,
        pointer: &str,
        one: &Loose<'_>,
    ) -> Result<(), ImportError> {
        let own = if one.at("properties").is_object() {
            one.at("properties")
        } else {
            one
        };
        reading.needs_object(own, "status")?;
        let metadata = own.at("metadata");
        let details = own.at("resourceDetails");
        self.add(
            reading,
            pointer,
            &Assessment {
                id: &one.text("id"),
                rule: &one.text("name"),
                title: &own.first_text(&["displayName", "metadata/displayName"]),
                state: &own.text("status/code"),
                cause: &own.text("status/cause"),
                why: &own.text("status/description"),
                resource: &details.first_text(&["id", "Id", "ResourceId"]),
                severity: &own.first_text(&["metadata/severity", "status/severity", "risk/level"]),
                description: &metadata.text("description"),
                remediation: &metadata.text("remediationDescription"),
                link: &own.text("links/azurePortal"),
            },
        );
        Ok(())
    }

    fn add(&mut self, reading: &mut Reading<'_>, pointer: &str, one: &Assessment<'_>) {
        self.n += 1;
        // /subscriptions/ID/…
        let of = if one.resource.is_empty() {
            one.id
        } else {
            one.resource
        };
        self.targets.add(of.split('/').nth(2).unwrap_or(""));
        let is_exempt = one.cause.eq_ignore_ascii_case("exempt");
        let status = match &*one.state.to_ascii_lowercase() {
            "unhealthy" => ScannerStatus::Open,
            "healthy" => {
                self.n_checked += 1;
                reading.not_a_finding();
                return;
            }
            "notapplicable" | "not applicable" if is_exempt => ScannerStatus::Suppressed,
            "notapplicable" | "not applicable" => {
                reading.not_a_finding();
                return;
            }
            _ => {
                reading.unknown_word(pointer, "state", one.state);
                ScannerStatus::Open
            }
        };
        // What is exempt was not looked at.
        self.n_checked += usize::from(status == ScannerStatus::Open);
        let severity = reading.severity(pointer, one.severity);
        let resource = of.to_ascii_lowercase();
        let link = if one.link.starts_with("portal.") {
            format!("https://{}", one.link)
        } else {
            one.link.to_owned()
        };
        let mut finding = Finding::of(one.title, severity, pointer)
            .with_rule(one.rule)
            .with_message(one.why)
            .with_description(one.description)
            .with_remediation(one.remediation)
            .with_link(&link)
            .with_scope(of)
            .with_partial_fingerprint(&resource)
            .with_status(status)
            .with_category(Category::Configuration);
        if status == ScannerStatus::Suppressed {
            let reason = if one.why.is_empty() {
                one.cause
            } else {
                one.why
            };
            finding = finding.with_suppression_reason(reason);
        }
        reading.add(finding);
    }
}
