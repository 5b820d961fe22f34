//! Checkmarx One, JSON: what `cx results show --report-format json` and the results of its API say, and the improved scan report.
//!
//! Source: `Checkmarx/ast-cli`, `internal/wrappers/results-json.go`; Checkmarx One documentation, "Improved scan reports".
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `results`; each vulnerability of `scanResults` and `iacScanResults` | one finding |
//! | `severity` | as it is |
//! | `state` NOT_EXPLOITABLE | suppressed; PROPOSED_NOT_EXPLOITABLE, TO_VERIFY and states of a site's own are open |
//! | `status` | FIXED fixed; NEW, RECURRENT and any other open |
//! | `type` | code, dependency, configuration, container or secret |
//! | `similarityId` | part of the identity |
//! | `totalCount`, `totalResults` above the listed, an engine that is not completed, a part that is not read | the scan is incomplete |

use super::ratings::score_of;
use super::reading::{Format, Reading, certain_if, object_with};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const CHECKMARX_ONE: Format = Format {
    name: "checkmarx_one",
    title: "Checkmarx One JSON",
    tool: "Checkmarx One",
    detect,
    lists: &[
        "results?",
        "scanResults?/resultsList",
        "scanResults?/resultsList/*/vulnerabilities",
        "iacScanResults?~/technology",
        "iacScanResults?~/technology/*/queries",
        "iacScanResults?~/technology/*/queries/*/resultsList",
        "scanInformation?/scannerStatus?",
    ],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let is_results = object_with(sniff, &["results", "totalCount"])
        && (sniff.has_key("scanID") || sniff.text.contains("\"similarityId\""));
    let is_report = object_with(sniff, &["reportHeader", "scanResults"]);
    certain_if(is_results || is_report)
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut n = 0_usize;
    let rest = reading.stream(
        text,
        &[&["results", "*"]],
        &mut |reading, pointer, result| {
            n += 1;
            let finding = of_result(reading, pointer, result)?;
            reading.add(finding);
            Ok(())
        },
    )?;
    if rest.has("scanResults") {
        return read_report(reading, &rest);
    }
    reading.needs_list(&rest, "results")?;
    if rest.number("totalCount").is_none() {
        reading.incomplete("/totalCount", "it does not say how many results there are");
    }
    reading.declared("/totalCount", rest.number("totalCount"), n);
    Ok(())
}

fn status(reading: &mut Reading<'_>, pointer: &str, result: &Loose<'_>) -> ScannerStatus {
    let plain = |key: &str| result.text(key).to_ascii_uppercase().replace(' ', "_");
    let mut status = match &*plain("status") {
        "FIXED" => ScannerStatus::Fixed,
        "NEW" | "RECURRENT" => ScannerStatus::Open,
        word => {
            reading.unknown_word(pointer, "status", word);
            ScannerStatus::Open
        }
    };
    match &*plain("state") {
        "NOT_EXPLOITABLE" => status = ScannerStatus::Suppressed,
        "TO_VERIFY" | "PROPOSED_NOT_EXPLOITABLE" | "CONFIRMED" | "URGENT" => {}
        word => reading.unknown_word(pointer, "state", word),
    }
    status
}

fn category(kind: &str) -> Category {
    match kind {
        "sca" => Category::Dependency,
        "kics" => Category::Configuration,
        "containers" | "sca-container" => Category::Container,
        kind if kind.contains("secret") => Category::Secret,
        _ => Category::Code,
    }
}

fn of_result(
    reading: &mut Reading<'_>,
    pointer: &str,
    result: &Loose<'_>,
) -> Result<Finding, ImportError> {
    let kind = result.text("type");
    let data = result.at("data");
    let details = result.at("vulnerabilityDetails");
    let score = score_of(details.at("cvssScore"));
    let severity = reading.rated(pointer, &result.text("severity"), score);
    let nodes = if kind == "sast" {
        reading.needed_list(&format!("{pointer}/data"), data, "nodes")?
    } else {
        &[]
    };
    let place = nodes.last().unwrap_or(data);
    let path = place.first_text(&["fileName", "filename"]);
    // Npm-bluebird-3.7.2
    let identifier = data.text("packageIdentifier");
    let mut parts = identifier
        .split_once('-')
        .map_or("", |(_, rest)| rest)
        .rsplitn(2, '-');
    let (version, name) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let name = first(&[&data.text("packageName"), name]).to_owned();
    let version = first(&[&data.text("packageVersion"), version]).to_owned();
    let query = data
        .first_text(&["queryName", "ruleName"])
        .replace('_', " ");
    let id = result.text("id");
    let is_package = !name.is_empty();
    let rule = if is_package {
        id.clone()
    } else {
        data.first_text(&["queryName", "ruleName"])
    };
    let words = if is_package {
        super::reading::vulnerability_title(&id, &name, &version, "")
    } else {
        query
    };
    let said = if kind == "kics" {
        data.text("value")
    } else {
        result.text("description")
    };
    let finding = Finding::of(&words, severity, pointer)
        .with_rule(&rule)
        .with_rule_name(&data.text("group"))
        .with_description(&result.text("description"))
        .with_message(&said)
        .with_remediation(&data.text("expectedValue"))
        .with_path(&path)
        .with_lines(place.line("line"), None)
        .with_columns(place.line("column"), None)
        .with_scope(&place.first_text(&["method", "imageName"]))
        .with_cwe(details.at("cweId"))
        .with_ids(&details.text("cveName"))
        .with_component(&name, &version)
        .with_fixed_version(&data.text("recommendedVersion"))
        .with_partial_fingerprint(&result.text("similarityId"))
        .with_score(score)
        .with_tag(&kind);
    let status = status(reading, pointer, result);
    Ok(finding.with_status(status).with_category(category(&kind)))
}

fn first<'t>(texts: &[&'t str]) -> &'t str {
    texts.iter().find(|text| !text.is_empty()).unwrap_or(&"")
}

fn read_report(reading: &mut Reading<'_>, report: &Loose<'_>) -> Result<(), ImportError> {
    let header = report.at("reportHeader");
    reading.target(&header.text("projectName"));
    reading.branch(&header.first_text(&["branchName", "scannedBranchName"]));
    reading.scanned_at(&header.text("scanDate"));
    for engine in report.each("scanInformation/scannerStatus") {
        let (name, status) = (engine.text("name"), engine.text("status"));
        if status != "Completed" {
            reading.incomplete(
                "/scanInformation/scannerStatus",
                &format!("{name} is {status}"),
            );
        }
    }
    let mut n = 0_usize;
    for (q, query) in report.each("scanResults/resultsList").iter().enumerate() {
        for (at, found) in query.each("vulnerabilities").iter().enumerate() {
            n += 1;
            let pointer = format!("/scanResults/resultsList/{q}/vulnerabilities/{at}");
            reading.needs_object(found, "")?;
            let severity = reading.severity(&pointer, &found.text("severity"));
            let status = status(reading, &pointer, found);
            let name = query.text("queryName");
            let finding = Finding::of(&name.replace('_', " "), severity, &pointer)
                .with_rule(&name)
                .with_rule_name(&query.text("queryPath"))
                .with_description(&query.text("description"))
                .with_cwe(query.at("cweId"))
                .with_path(&found.first_text(&["destinationFileName", "sourceFileName"]))
                .with_lines(found.line("destinationLine"), None)
                .with_partial_fingerprint(&found.text("similarityId"))
                .with_tag("sast")
                .with_status(status)
                .with_category(Category::Code);
            reading.add(finding);
        }
    }
    reading.declared(
        "/scanResults/totalResults",
        report.number("scanResults/totalResults"),
        n,
    );
    let mut n = 0_usize;
    for (t, technology) in report.each("iacScanResults/technology").iter().enumerate() {
        for (q, query) in technology.each("queries").iter().enumerate() {
            for (at, found) in query.each("resultsList").iter().enumerate() {
                n += 1;
                let pointer =
                    format!("/iacScanResults/technology/{t}/queries/{q}/resultsList/{at}");
                reading.needs_object(found, "")?;
                let severity = reading.severity(&pointer, &found.text("severity"));
                let status = status(reading, &pointer, found);
                let name = query.text("queryName");
                let finding = Finding::of(&name, severity, &pointer)
                    .with_rule(&name)
                    .with_description(&query.text("description"))
                    .with_message(&found.text("actualValue"))
                    .with_remediation(&found.text("expectedValue"))
                    .with_link(&found.text("resultViewerLink"))
                    .with_path(&found.text("fileName"))
                    .with_tag("kics")
                    .with_status(status)
                    .with_category(Category::Configuration);
                reading.add(finding);
            }
        }
    }
    let total = report.number("iacScanResults/totalResults");
    reading.declared("/iacScanResults/totalResults", total, n);
    for part in [
        "scaScanResults",
        "containerScanResults",
        "apiSecScanResults",
    ] {
        if let Some(n) = report
            .number(&format!("{part}/totalResults"))
            .filter(|n| *n > 0.0)
        {
            let reason = format!(
                "its {n} results of {part} are not read; take the results as JSON (cx results show)"
            );
            reading.incomplete(format!("/{part}"), &reason);
        }
    }
    Ok(())
}
