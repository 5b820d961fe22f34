//! Real scanners over three commits of one repository: what each file holds, and what changes from commit to commit.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::BTreeMap;

use common::{Series, numbers, shared};
use holdpoint_importers::Report;
use serde_json::Value;

fn sarif(commit: &str, tool: &str) -> Option<Report> {
    let path = shared("opensqt/scans")?
        .join(commit)
        .join(format!("{tool}.sarif"));
    Some(common::read(&std::fs::read(path).unwrap()))
}

#[test]
fn every_sarif_file_has_the_findings_rules_and_levels_that_were_counted() {
    let Some(scans) = shared("opensqt/scans") else {
        return;
    };
    let manifest: Value =
        serde_json::from_slice(&std::fs::read(scans.join("manifest.json")).unwrap()).unwrap();
    let mut n_checked = 0;
    for entry in manifest["files"].as_array().unwrap() {
        if entry["format"] != "sarif" {
            continue;
        }
        let file = entry["file"].as_str().unwrap();
        let report =
            holdpoint_importers::read(&std::fs::read(scans.join(file)).unwrap(), None, None)
                .unwrap();
        let expect = &entry["expect"];
        assert_eq!(report.findings.len() as u64, expect["findings"], "{file}");
        let mut rules: BTreeMap<&str, u64> = BTreeMap::new();
        let mut paths: Vec<&str> = Vec::new();
        for finding in &report.findings {
            *rules.entry(finding.rule.as_deref().unwrap()).or_default() += 1;
            paths.extend(finding.path.as_deref());
            assert!(finding.start_line.is_some(), "{file}: {}", finding.title);
        }
        assert_eq!(
            serde_json::to_value(&rules).unwrap(),
            expect["rules"],
            "{file}"
        );
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len() as u64, expect["files_with_findings"], "{file}");
        let counts = report.counts();
        for (level, number) in expect["severities_native"].as_object().unwrap() {
            let is = match level.as_str() {
                "error" => counts.high,
                "warning" => counts.medium,
                "note" => counts.info,
                other => panic!("{file}: level {other}"),
            };
            assert_eq!(is, number.as_u64().unwrap(), "{file}: {level}");
        }
        assert!(
            report.completeness.is_complete() && report.problems.is_empty(),
            "{file}: {:?}",
            report.problems
        );
        assert_eq!(report.is_clean(), report.findings.is_empty(), "{file}");
        n_checked += 1;
    }
    assert_eq!(n_checked, 24);
}

/// The numbers are new, unchanged, moved, reopened, fixed: for the first commit, from it to the second, from the second
/// to the third, then for the first commit again. Between the first two commits the connector's folder was renamed, so
/// that nothing below it can be recognised by its path.
#[test]
fn the_three_commits_change_exactly_these_findings() {
    let table: &[(&str, [[u64; 5]; 4])] = &[
        (
            "bandit",
            [
                [22, 0, 0, 0, 0],
                [49, 0, 0, 0, 22],
                [0, 49, 0, 0, 0],
                [0, 0, 0, 22, 49],
            ],
        ),
        (
            "checkov",
            [
                [3, 0, 0, 0, 0],
                [6, 1, 0, 0, 2],
                [0, 7, 0, 0, 0],
                [0, 1, 0, 2, 6],
            ],
        ),
        (
            "hadolint",
            [
                [0, 0, 0, 0, 0],
                [6, 0, 0, 0, 0],
                [0, 6, 0, 0, 0],
                [0, 0, 0, 0, 6],
            ],
        ),
        ("kingfisher", [[0; 5]; 4]),
        (
            "ruff",
            [
                [71, 0, 0, 0, 0],
                [175, 0, 0, 0, 71],
                [0, 175, 0, 0, 0],
                [0, 0, 0, 71, 175],
            ],
        ),
        ("secretlint", [[0; 5]; 4]),
        (
            "semgrep",
            [
                [60, 0, 0, 0, 0],
                [59, 42, 0, 0, 18],
                [2, 96, 5, 0, 0],
                [0, 42, 0, 18, 61],
            ],
        ),
        ("zizmor", [[0; 5], [0; 5], [1, 0, 0, 0, 0], [0, 0, 0, 0, 1]]),
    ];
    for (tool, expected) in table {
        let mut series = Series::default();
        for (commit, expected) in ["8b57779", "c3a3cc8", "82dd1d2", "8b57779"]
            .into_iter()
            .zip(expected)
        {
            let Some(report) = sarif(commit, tool) else {
                return;
            };
            let comparison = series.import(&report);
            assert_eq!(&numbers(&comparison), expected, "{tool} at {commit}");
            let again = series.import(&report);
            let n = report.findings.len() as u64;
            assert_eq!(
                numbers(&again),
                [0, n, 0, 0, 0],
                "{tool} at {commit}, the same file again"
            );
        }
    }
}

#[test]
fn a_moved_finding_says_from_where_to_where() {
    let (Some(before), Some(after)) = (sarif("c3a3cc8", "semgrep"), sarif("82dd1d2", "semgrep"))
    else {
        return;
    };
    let mut series = Series::default();
    series.import(&before);
    let comparison = series.import(&after);
    let moved: Vec<&str> = comparison
        .matches
        .iter()
        .map(|m| m.why.as_str())
        .filter(|why| why.contains("moved"))
        .collect();
    assert_eq!(moved.len(), 5);
    for why in moved {
        assert!(
            why.starts_with("same as F-") && why.contains("message are equal, line moved "),
            "{why}"
        );
    }
}
