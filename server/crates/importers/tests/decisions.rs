//! No decision changes its subject, whatever the format: of every accepted report each finding is decided about in turn, and then
//! goes, comes back and finds others beside it, in another order.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::Series;
use holdpoint_domain::FindingStatus;
use holdpoint_importers::{Finding, Report, ScannerStatus, read};

/// Larger reports are of the same shapes as smaller ones of their format.
const MAX_BYTES: usize = 120_000;
const MAX_FINDINGS: usize = 60;

fn small_reports() -> Vec<(String, Report)> {
    let mut found = Vec::new();
    for path in common::reports() {
        let bytes = std::fs::read(&path).unwrap();
        let folder = path.parent().unwrap().file_name().unwrap();
        let folder = folder.to_string_lossy().into_owned();
        let report = read(&bytes, None, None).or_else(|_| read(&bytes, None, Some(&folder)));
        let (false, Ok(mut report)) = (bytes.len() > MAX_BYTES, report) else {
            continue;
        };
        // What is not there is no finding of a series.
        report
            .findings
            .retain(|finding| finding.status.is_present());
        report.summary.completeness = holdpoint_importers::Completeness::Complete;
        if (1..=MAX_FINDINGS).contains(&report.findings.len()) {
            let name = path.file_name().unwrap().to_string_lossy();
            found.push((format!("{folder}/{name}"), report));
        }
    }
    assert!(found.len() > 150, "{}", found.len());
    found
}

/// All that tells a finding from another one for a person who looks at both.
fn subject(finding: &Finding) -> String {
    let Finding {
        rule,
        title,
        message,
        path,
        scope,
        component,
        component_version,
        start_line,
        start_column,
        fingerprint,
        snippet,
        ..
    } = finding;
    format!(
        "{:?}",
        (
            (rule, title, message, path, scope),
            (component, component_version, start_line, start_column),
            (fingerprint, snippet)
        )
    )
}

fn of(report: &Report, findings: Vec<Finding>) -> Report {
    Report {
        summary: report.summary.clone(),
        findings,
    }
}

/// A series that has imported a report, and whose `nth` finding somebody has called a false positive.
fn decided(report: &Report, nth: usize) -> Series {
    let mut series = Series::default();
    series.import(report);
    assert_eq!(series.known.len(), report.findings.len());
    series.known[nth].status = FindingStatus::FalsePositive;
    series
}

#[test]
fn what_goes_takes_its_decision_along_and_what_stays_keeps_its_own() {
    for (name, report) in small_reports() {
        let all = &report.findings;
        for (nth, gone) in all.iter().enumerate() {
            let mut series = decided(&report, nth);
            let mut rest = all.clone();
            rest.remove(nth);
            rest.reverse();
            let imported = series.import(&of(&report, rest.clone()));
            for (entry, finding) in imported.matches.iter().zip(&rest) {
                assert!(
                    entry.known != Some(nth) || subject(finding) == subject(gone),
                    "{name}: the decision about {} went over to {}",
                    subject(gone),
                    subject(finding)
                );
            }
            // It is back: the decision is still its own.
            let mut back = all.clone();
            back.rotate_left(nth);
            let imported = series.import(&of(&report, back.clone()));
            for (entry, finding) in imported.matches.iter().zip(&back) {
                assert!(
                    entry.known != Some(nth) || subject(finding) == subject(gone),
                    "{name}: the decision about {} went over to {}",
                    subject(gone),
                    subject(finding)
                );
            }
        }
    }
}

/// Whether it could be changed.
type ChangeIt = fn(&mut Finding) -> bool;

/// Changes that make another finding of one.
const ELSEWHERE: &[(&str, ChangeIt)] = &[
    ("another version", |finding| {
        let has = finding.component_version.is_some();
        finding.component_version = Some("99.99.99".to_owned());
        has
    }),
    ("another component", |finding| {
        let has = finding.component.is_some() && finding.fingerprint.is_none();
        finding.component = Some("another-component".to_owned());
        has
    }),
    ("another folder", |finding| {
        let print = finding.fingerprint.is_none() || finding.fingerprint_is_partial;
        let path = finding.path.as_mut().filter(|path| !path.contains("://"));
        let Some(path) = path.filter(|_| print) else {
            return false;
        };
        *path = format!("another/folder/{path}");
        true
    }),
];

#[test]
fn an_equal_finding_elsewhere_is_new_and_open() {
    for (name, report) in small_reports() {
        for (nth, finding) in report.findings.iter().enumerate() {
            for (what, change) in ELSEWHERE {
                let mut other = finding.clone();
                other.status = ScannerStatus::Open;
                if !change(&mut other) {
                    continue;
                }
                let mut series = decided(&report, nth);
                let mut findings = report.findings.clone();
                findings.insert(0, other.clone());
                let beside = series.import(&of(&report, findings));
                assert_eq!(
                    beside.matches[0].known,
                    None,
                    "{name}: {what} of {}",
                    subject(finding)
                );
                let mut series = decided(&report, nth);
                let mut findings = report.findings.clone();
                findings[nth] = other;
                let instead = series.import(&of(&report, findings));
                assert_eq!(
                    instead.matches[nth].known,
                    None,
                    "{name}: {what} instead of {}",
                    subject(finding)
                );
            }
        }
    }
}
