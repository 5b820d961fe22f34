//! Prowler, CSV and JSON of version 3, CSV and OCSF JSON of version 4 and later.
//!
//! The source is prowler-cloud/prowler, `prowler/lib/outputs` and, of version 3, `prowler/lib/outputs/models.py` and
//! `prowler/providers/*/lib/allowlist`.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each check with status FAIL (Failure in the OCSF of version 3) | one finding; muted ones are suppressed |
//! | MUTED, and in version 3 WARNING (Other), which it gives to what its allowlist has | suppressed |
//! | MANUAL, and INFO before | a person is asked to look |
//! | PASS (Success) | no finding |
//! | any other status | one finding, which is told |
//! | severity | its word, else its `severity_id` |
//! | no check | nothing was looked at: the scan is incomplete |
//! | CSV of version 2 | refused with its version |

use std::collections::BTreeSet;

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, is_empty_list, list_with};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const PROWLER: Format = Format {
    name: "prowler",
    title: "Prowler CSV or JSON",
    tool: "prowler",
    detect,
    lists: &[],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    if is_empty_list(sniff) {
        return Confidence::Possible;
    }
    let heading = sniff.head.lines().next().unwrap_or("");
    let is_of = |columns: [&str; 2]| columns.iter().all(|column| heading.contains(column));
    let is_csv = heading.trim_start().starts_with("AUTH_METHOD;")
        || heading.contains(";CHECK_ID;")
        || is_of([";check_id;", ";status_extended;"])
        || is_of(["TITLE_ID", "CHECK_RESULT"]);
    certain_if(
        is_csv
            || list_with(sniff, &["finding_info", "status_code"])
            || list_with(sniff, &["CheckID", "CheckTitle", "StatusExtended"])
            || list_with(sniff, &["finding", "status_detail", "class_uid"])
                && sniff.text.contains("Prowler"),
    )
}

/// Version 4 and later, OCSF.
const OCSF: Names = Names {
    status: "status_code",
    muted: "muted",
    id: "metadata/event_code",
    title: "finding_info/title",
    message: "status_detail",
    severity: "severity",
    description: "finding_info/desc",
    remediation: "remediation/desc",
    link: "remediation/references",
    scope: "finding_info/uid",
    compliance: "unmapped/compliance",
    version: "metadata/product/version",
    account: "cloud/account/uid",
    time: "finding_info/created_time_dt",
};

/// Version 3, OCSF.
const OCSF_3: Names = Names {
    status: "status",
    muted: "",
    id: "metadata/product/feature/uid",
    title: "finding/title",
    message: "status_detail",
    severity: "severity",
    description: "finding/desc",
    remediation: "finding/remediation/desc",
    link: "finding/remediation/kb_articles",
    scope: "finding/uid",
    compliance: "compliance/requirements",
    version: "metadata/product/version",
    account: "cloud/account/uid",
    time: "metadata/original_time",
};

/// Version 3, its own JSON.
const JSON_3: Names = Names {
    status: "Status",
    muted: "",
    id: "CheckID",
    title: "CheckTitle",
    message: "StatusExtended",
    severity: "Severity",
    description: "Risk",
    remediation: "Remediation/Recommendation/Text",
    link: "Remediation/Recommendation/Url",
    scope: "FindingUniqueId",
    compliance: "Compliance",
    version: "",
    account: "AccountId",
    time: "AssessmentStartTime",
};

const CSV: Names = Names {
    status: "STATUS",
    muted: "MUTED",
    id: "CHECK_ID",
    title: "CHECK_TITLE",
    message: "STATUS_EXTENDED",
    severity: "SEVERITY",
    description: "RISK",
    remediation: "REMEDIATION_RECOMMENDATION_TEXT",
    link: "REMEDIATION_RECOMMENDATION_URL",
    scope: "RESOURCE_UID",
    compliance: "COMPLIANCE",
    version: "PROWLER_VERSION",
    account: "ACCOUNT_UID",
    time: "TIMESTAMP",
};

/// Version 3.
const CSV_3: Names = Names {
    status: "status",
    muted: "",
    id: "check_id",
    title: "check_title",
    message: "status_extended",
    severity: "severity",
    description: "risk",
    remediation: "remediation_recommendation_text",
    link: "remediation_recommendation_url",
    scope: "finding_unique_id",
    compliance: "compliance",
    version: "",
    account: "account_id",
    time: "assessment_start_time",
};

/// What a version calls the same things.
struct Names {
    status: &'static str,
    muted: &'static str,
    id: &'static str,
    title: &'static str,
    message: &'static str,
    severity: &'static str,
    description: &'static str,
    remediation: &'static str,
    link: &'static str,
    scope: &'static str,
    compliance: &'static str,
    version: &'static str,
    account: &'static str,
    time: &'static str,
}

impl Names {
    fn is_of_3(&self) -> bool {
        self.muted.is_empty()
    }
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut accounts = BTreeSet::new();
    let mut n_checks = 0_usize;
    if text.begins_with('[') {
        let rest = reading.stream(text, &[&["*"]], &mut |reading, pointer, check| {
            n_checks += 1;
            let names = if check.has("CheckID") {
                &JSON_3
            } else if check.has("finding") && !check.has("finding_info") {
                &OCSF_3
            } else {
                &OCSF
            };
            accounts.insert(check.text(names.account).into_owned());
            read_check(reading, pointer, check, names);
            Ok(())
        })?;
        reading.needs_list(&rest, "")?;
    } else {
        let heading = text.beginning().lines().next().unwrap_or("");
        if heading.contains("CHECK_RESULT") {
            return Err(ImportError::UnsupportedVersion {
                format: reading.format,
                found: "2".to_owned(),
                supported: "versions 3 and later",
            });
        }
        let names = if heading.contains("check_id") {
            &CSV_3
        } else {
            &CSV
        };
        let needed = ["CHECK_ID", "STATUS", "SEVERITY"];
        reading.rows(text, b';', &needed, &mut |reading, pointer, row| {
            n_checks += 1;
            accounts.insert(row.text(names.account).into_owned());
            read_check(reading, pointer, row, names);
            Ok(())
        })?;
    }
    if n_checks == 0 {
        reading.nothing_looked_at("", "no check was run");
    }
    // Of several accounts none is the scan's.
    if let (Some(account), 1) = (accounts.first(), accounts.len()) {
        reading.target(account);
    }
    Ok(())
}

fn read_check(reading: &mut Reading<'_>, pointer: &str, check: &Loose<'_>, names: &Names) {
    reading.tool("", &check.text(names.version));
    reading.scanned_at(&check.text(names.time));
    let is_muted = check.text(names.muted).eq_ignore_ascii_case("true")
        || check.text("status") == "Suppressed";
    let status = match &*check.text(names.status) {
        "FAIL" if is_muted => ScannerStatus::Suppressed,
        "FAIL" => ScannerStatus::Open,
        "MUTED" => ScannerStatus::Suppressed,
        "MANUAL" | "INFO" => ScannerStatus::Review,
        "PASS" => {
            reading.not_a_finding();
            return;
        }
        "Failure" if names.is_of_3() => ScannerStatus::Open,
        "WARNING" | "Other" if names.is_of_3() => ScannerStatus::Suppressed,
        "Success" if names.is_of_3() => {
            reading.not_a_finding();
            return;
        }
        word => {
            reading.unknown_word(pointer, "status", word);
            ScannerStatus::Open
        }
    };
    let word = check.text(names.severity);
    let severity = Severity::from_scanner_word(&word).unwrap_or_else(|| {
        // The same scale in numbers, in OCSF.
        let severity = match check.number("severity_id") {
            Some(5.0 | 6.0) => Severity::Critical,
            Some(4.0) => Severity::High,
            Some(3.0) => Severity::Medium,
            Some(2.0) => Severity::Low,
            Some(1.0) => Severity::Info,
            _ => return reading.severity(pointer, &word),
        };
        reading.unknown_word(pointer, "rating", &word);
        severity
    });
    let links = check
        .each(names.link)
        .first()
        .map_or("".into(), Loose::own_text);
    reading.add(
        Finding::of(
            &check.first_text(&[names.title, names.message]),
            severity,
            pointer,
        )
        .with_rule(&check.text(names.id))
        .with_message(&check.text(names.message))
        .with_description(&check.text(names.description))
        .with_remediation(&check.text(names.remediation))
        .with_link(&links)
        .with_scope(&check.text(names.scope))
        .with_requirements(check.at(names.compliance))
        .with_status(status)
        .with_category(Category::Configuration),
    );
}

impl Finding {
    /// The requirements that a check belongs to: `CIS-2.0: 1.1 | ENS-RD2022: op.acc.1`, or lists by the name of the standard.
    fn with_requirements(mut self, requirements: &Loose<'_>) -> Self {
        for (standard, list) in requirements.own_entries() {
            for requirement in list.items() {
                self = self.with_tag(&format!("{standard}: {}", requirement.own_text()));
            }
        }
        if requirements.is_list() {
            return self.with_tags(requirements);
        }
        let text = requirements.own_text();
        text.split('|').take(50).fold(self, Finding::with_tag)
    }
}
