//! The small inputs beside the checkout that users of other tools reported, each with the right reading. Inputs of the same kinds
//! are in the other tests, so that they are tried without that folder too.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Series, numbers};
use holdpoint_domain::FindingStatus;
use holdpoint_importers::{Finding, Relocation, Report, read};

fn bytes(file: &str) -> Option<Vec<u8>> {
    let folder = common::shared("cases")?;
    let path = folder.join(file);
    Some(std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

fn case(file: &str) -> Option<Report> {
    let report = read(&bytes(file)?, Some(file), None);
    Some(report.unwrap_or_else(|error| panic!("{file}: {error}")))
}

fn all_of<T>(report: &Report, what: impl Fn(&Finding) -> T) -> Vec<T> {
    report.findings.iter().map(what).collect()
}

fn severities(report: &Report) -> Vec<&'static str> {
    all_of(report, |finding| finding.severity.as_str())
}

fn component(finding: &Finding) -> (String, String) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    (text(&finding.component), text(&finding.component_version))
}

fn reason(report: &Report) -> String {
    let said = serde_json::to_value(&report.completeness).unwrap();
    said["reason"].as_str().unwrap_or("complete").to_owned()
}

/// Imports the first file, calls a finding of it a false positive, and imports the second.
fn then(first: &str, decided: usize, second: &str) -> Option<(Series, common::Imported)> {
    let mut series = Series::default();
    series.import(&case(first)?);
    series.known[decided].status = FindingStatus::FalsePositive;
    let imported = series.import(&case(second)?);
    Some((series, imported))
}

#[test]
fn a_decision_about_one_version_site_or_group_stays_with_it() {
    for (first, second) in [
        ("55-two-versions-a.json", "55-two-versions-b.json"),
        ("36-fpf-two-groups-a.json", "36-fpf-two-groups-b.json"),
        ("43b-web-two-sites.sarif", "43b-web-two-sites-b.sarif"),
    ] {
        let Some((series, imported)) = then(first, 0, second) else {
            return;
        };
        assert_eq!(numbers(&imported), [0, 1, 0, 0, 0], "{second}");
        assert_eq!(imported.matches[0].known, Some(1), "{second}");
        assert_eq!(imported.no_longer_seen, [0], "{second}");
        assert_eq!(series.known[1].status, FindingStatus::Open, "{second}");
    }
    let (_, third) = then("55-two-versions-a.json", 0, "55-two-versions-c.json").unwrap();
    assert_eq!(third.counts().new, 1);
    assert!(
        third
            .matches
            .iter()
            .all(|entry| entry.known.is_none_or(|at| at < 2))
    );
}

#[test]
fn an_equal_file_in_another_folder_is_another_place() {
    let Some((series, imported)) = then(
        "54-copied-elsewhere-d.sarif",
        0,
        "54-copied-elsewhere-e.sarif",
    ) else {
        return;
    };
    assert_eq!(numbers(&imported), [1, 0, 0, 0, 0]);
    assert_eq!(imported.no_longer_seen, [0]);
    assert_eq!(series.known[1].status, FindingStatus::Open);
    let path = |file: &str| case(file).unwrap().findings[0].path.clone().unwrap();
    let (known, seen) = (
        path("54-copied-elsewhere-d.sarif"),
        path("54-copied-elsewhere-e.sarif"),
    );
    assert_eq!(Relocation::between([&*known], [&*seen], false), None);
}

#[test]
fn what_was_looked_at_names_the_series() {
    for (file, target) in [
        ("38-category-javascript.sarif", "language:javascript"),
        ("38-category-python.sarif", "language:python"),
        ("38-image-api.json", "shop/api"),
        ("38-image-worker.json", "shop/worker"),
    ] {
        let Some(report) = case(file) else {
            return;
        };
        assert_eq!(report.target.as_deref(), Some(target), "{file}");
    }
}

#[test]
fn what_was_not_looked_at_is_told_in_the_tools_words() {
    for (file, words) in [
        ("30-semgrep-timeouts-only.json", "imeout"),
        ("30c-semgrep-timeouts.sarif", "imeout"),
        ("44-trivy-end-of-life.json", "end of"),
        ("44b-grype-end-of-life.json", "end-of-life"),
    ] {
        let Some(report) = case(file) else {
            return;
        };
        assert!(!report.completeness.is_complete(), "{file}");
        assert!(
            reason(&report).contains(words),
            "{file}: {}",
            reason(&report)
        );
    }
}

#[test]
fn ratings_are_read_where_they_stand() {
    let Some(report) = case("23b-override-of-extension-rule.sarif") else {
        return;
    };
    assert_eq!(severities(&report), ["high", "info", "high"]);
    let report = case("24-severity-word-in-number-field.sarif").unwrap();
    let rated = ["high", "high", "unrated", "high", "high", "high"];
    assert_eq!(severities(&report), rated);
    assert!(!report.problems.is_empty());
    let report = case("27-osv-empty-max-severity.json").unwrap();
    assert!(
        severities(&report).contains(&"critical"),
        "{:?}",
        severities(&report)
    );
    let report = case("35-fpf-unassigned-with-score.json").unwrap();
    assert_eq!(severities(&report), ["critical", "critical", "unrated"]);
    assert!(report.tool.version.is_some() && report.scanned_at.is_some());
    let report = case("41-cdx-first-rating-unknown.cdx.json").unwrap();
    assert_eq!(
        severities(&report),
        ["critical", "critical", "high", "critical", "high"]
    );
}

#[test]
fn ids_components_and_addresses_are_what_they_are() {
    let Some(report) = case("40-osv-distro-ids.json") else {
        return;
    };
    assert!(
        all_of(&report, |finding| finding.cve.is_empty())
            .iter()
            .all(|none| !none)
    );
    let report = case("42-cdx-bom-link.cdx.json").unwrap();
    let named = all_of(&report, component);
    assert_eq!(named[0], ("bash".into(), "5.1-2+deb11u1".into()));
    assert_eq!(named[1], ("@acme/uidkit".into(), "8.3.2".into()));
    assert_eq!(named[2], ("other".into(), "1.0.0".into()));
    let report = case("43-web-addresses.sarif").unwrap();
    let paths = all_of(&report, |finding| finding.path.clone().unwrap_or_default());
    assert_eq!(
        paths[..5],
        [
            "https://shop.example.org/login?next=%2Fcart%3Fa%3D1#top",
            "http://localhost:3333/api/v1/items/",
            "https://shop.example.org/",
            "https://shop.example.org",
            "//cdn.example.org/x.js",
        ]
    );
}
