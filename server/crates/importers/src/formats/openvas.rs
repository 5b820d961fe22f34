//! Greenbone and OpenVAS, XML: a report as GVM exports it, or within the answer to `get_reports`.
//!
//! Source: Greenbone Management Protocol (GMP) reference, `get_reports`: elements `report`, `result`, `result_count`, `errors`.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each `result` | one finding; threat Debug is none |
//! | `severity` and `threat` | the worse of the score's band and the word; Log is info |
//! | threat False Positive | suppressed, with the text of its override |
//! | host and port | part of the identity |
//! | `scan_run_status` other than Done, `progress` below 100, `errors`, a host without an end | the scan is incomplete |
//! | `result_count`: more than listed, or results of a rated severity that the report's filter hides | the scan is incomplete |
//! | no host | nothing was looked at: the scan is incomplete |

use holdpoint_domain::Severity;

use super::ratings::score_of;
use super::reading::{Format, Reading, certain_if, root_is};
use super::targets::Targets;
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const OPENVAS: Format = Format {
    name: "openvas",
    title: "OpenVAS or Greenbone XML",
    tool: "OpenVAS",
    detect,
    lists: &[],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let is_report = root_is(sniff, "report")
        && [
            "<gmp",
            "<omp",
            "<scan_run_status",
            "<result_count",
            "<nvt oid",
        ]
        .iter()
        .any(|sign| sniff.text.contains(sign));
    certain_if(is_report || root_is(sniff, "get_reports_response"))
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let results: &[&[&str]] = &[
        &["report", "report", "results", "result"],
        &["report", "results", "result"],
        &[
            "get_reports_response",
            "report",
            "report",
            "results",
            "result",
        ],
    ];
    let mut n = 0_usize;
    let mut targets = Targets::default();
    let roots = ["report", "get_reports_response"];
    let rest = reading.xml_stream(text, &roots, results, &mut |reading, _, result| {
        let pointer = format!("result {n}");
        n += 1;
        reading.needs_object(result, "")?;
        targets.add(&result.text("host"));
        match finding(reading, &pointer, result) {
            Some(finding) => reading.add(finding),
            None => reading.not_a_finding(),
        }
        Ok(())
    })?;
    let outer = if rest.has("scan_run_status") || !rest.has("report") {
        &rest
    } else {
        rest.at("report")
    };
    let outer = match outer {
        Loose::List(reports) => {
            let message = format!(
                "{} reports in one file are not read; export each.",
                reports.len()
            );
            return Err(reading.broken("report", message));
        }
        outer => outer,
    };
    let report = if outer.has("report") {
        outer.at("report")
    } else {
        outer
    };
    read_state(reading, report, n)?;
    targets.tell(reading);
    Ok(())
}

fn read_state(reading: &mut Reading<'_>, report: &Loose<'_>, n: usize) -> Result<(), ImportError> {
    if !report.is_object() || !report.has("results") && n == 0 {
        return Err(reading.broken("report", "the element results is required here."));
    }
    reading.scanned_at(&report.first_text(&["scan_end", "timestamp"]));
    let status = report.text("scan_run_status");
    if status != "Done" {
        reading.incomplete("scan_run_status", &format!("its status is {status:?}"));
    }
    if let Some(progress) = report
        .number("task/progress")
        .filter(|n| (0.0..100.0).contains(n))
    {
        reading.incomplete("task/progress", &format!("it has come to {progress} %"));
    }
    for error in report.each("errors/error") {
        let (host, said) = (error.text("host"), error.text("description"));
        reading.incomplete("errors/error", &format!("{host}: {said}"));
    }
    let n_errors = report.each("errors/error").len();
    reading.declared("errors/count", report.number("errors/count"), n_errors);
    for host in report.each("host") {
        if host.has("start") && host.text("end").is_empty() {
            let reason = format!("the scan of {} has no end", host.text("ip"));
            reading.incomplete("host", &reason);
        }
    }
    let n_hosts = report.number("hosts/count");
    if n == 0 && n_hosts.is_none_or(|n| n == 0.0) && report.each("host").is_empty() {
        reading.nothing_looked_at("hosts/count", "no host");
    }
    let counts = report.at("result_count");
    reading.declared("result_count/filtered", counts.number("filtered"), n);
    for kind in [
        "critical", "high", "hole", "medium", "warning", "low", "info",
    ] {
        let of = |key| counts.number(&format!("{kind}/{key}")).unwrap_or(0.0);
        let hidden = of("full") - of("filtered");
        if hidden > 0.0 {
            let reason = format!("the report's filter hides {hidden} results ({kind})");
            reading.incomplete(format!("result_count/{kind}"), &reason);
        }
    }
    Ok(())
}

/// `None` for what is only said for debugging.
fn finding(reading: &mut Reading<'_>, pointer: &str, result: &Loose<'_>) -> Option<Finding> {
    let threat = result.text("threat");
    let nvt = result.at("nvt");
    let own = result.number("severity");
    if own.is_none() {
        reading.unknown_word(pointer, "number of a severity", &result.text("severity"));
    }
    let score = own.filter(|score| *score > 0.0).or_else(|| {
        let paths = ["severities/score", "cvss_base"];
        paths.iter().find_map(|path| score_of(nvt.at(path)))
    });
    let of_score = score.map(Severity::from_cvss_score);
    let mut status = ScannerStatus::Open;
    let of_word = match &*threat {
        "Debug" => return None,
        "False Positive" => {
            status = ScannerStatus::Suppressed;
            Severity::from_scanner_word(&result.text("original_threat"))
        }
        "Log" => Some(Severity::Info),
        word => Severity::from_scanner_word(word),
    };
    // Before there was a threat Critical, High went up to a score of 10; the worse of the two is first in order.
    let severity = match (of_word, of_score) {
        (Some(word), Some(score)) => word.min(score),
        (Some(word), None) => word,
        (None, _) if threat == "False Positive" => of_score.unwrap_or(Severity::Unrated),
        (None, _) => reading.rated(pointer, &threat, score),
    };
    let host = result.at("host").own_text();
    let port = result.text("port");
    let place = format!("{host} {port}");
    let tags = nvt.text("tags");
    let tag = |wanted: &str| {
        let mut tags = tags.split('|').filter_map(|tag| tag.split_once('='));
        tags.find(|(key, _)| *key == wanted)
            .map_or("", |(_, value)| value)
    };
    let name = result.first_text(&["name", "nvt/name"]);
    let mut finding = Finding::of(&name, severity, pointer)
        .with_rule(&nvt.text("oid"))
        .with_rule_name(&nvt.text("name"))
        .with_description(tag("summary"))
        .with_message(&result.text("description"))
        .with_remediation(&nvt.text("solution"))
        .with_remediation(tag("solution"))
        .with_scope(place.trim())
        .with_partial_fingerprint(&place)
        .with_score(score)
        .with_tag(&nvt.text("family"))
        .with_ids(&nvt.text("cve"))
        .with_status(status)
        .with_category(Category::Configuration);
    for reference in nvt.each("refs/ref") {
        let id = reference.text("id");
        finding = match &*reference.text("type") {
            "cve" | "cve_id" => finding.with_ids(&id),
            "url" => finding.with_link(&id),
            _ => finding,
        };
    }
    if !finding.cve.is_empty() {
        finding.category = Some(Category::Dependency);
    }
    let details = result.each("detection/result/details/detail");
    let product = details
        .iter()
        .find(|detail| detail.text("name") == "product");
    if let Some(product) = product {
        // cpe:/a:vendor:product:version
        let cpe = product.text("value").into_owned();
        let parts: Vec<&str> = cpe.split(':').collect();
        if let [_, _, _, name, rest @ ..] = parts.as_slice() {
            finding = finding.with_component(name, rest.first().unwrap_or(&""));
        }
    }
    if status == ScannerStatus::Suppressed {
        let reason = result.first_text(&["overrides/override/text", "notes/note/text"]);
        finding = finding.with_suppression_reason(&reason);
    }
    Some(finding)
}
