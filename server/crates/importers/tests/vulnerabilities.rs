//! Reports of vulnerable packages: no rating is lost, no package is mistaken for another, and nothing is clean without a look.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::path::PathBuf;

use common::Series;
use holdpoint_importers::compare::Change;
use holdpoint_importers::{Finding, Report, read};

fn report(format: &str, file: &str) -> Report {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let bytes = std::fs::read(folder.join(format).join(file)).unwrap();
    read(&bytes, None, None).unwrap_or_else(|error| panic!("{format}/{file}: {error}"))
}

fn rated(report: &Report) -> Vec<(&str, &str)> {
    let findings = report.findings.iter();
    findings
        .map(|finding| (finding.rule.as_deref().unwrap(), finding.severity.as_str()))
        .collect()
}

fn component(finding: &Finding) -> (&str, &str) {
    (
        finding.component.as_deref().unwrap_or(""),
        finding.component_version.as_deref().unwrap_or(""),
    )
}

fn is_noted(report: &Report, words: &str) -> bool {
    let mut problems = report.problems.iter();
    problems.any(|problem| problem.message.contains(words))
}

#[test]
fn osv_rates_malicious_packages_and_those_with_a_vector_of_version_4_only() {
    let report = report("osv_scanner", "unscored.json");
    assert_eq!(
        rated(&report),
        [
            ("MAL-2024-0001", "critical"),
            ("GHSA-vvvv-wwww-xxxx", "critical"),
            ("GHSA-qqqq-rrrr-ssss", "low"),
            ("license-violation-AGPL-3.0", "medium"),
            ("GHSA-jjjj-mmmm-pppp", "unrated"),
        ]
    );
    assert_eq!(report.findings[1].score, Some(9.3));
    assert!(is_noted(&report, "The severity is missing"), "{report:?}");
}

#[test]
fn osv_knows_the_cve_by_whatever_name_a_distribution_gives_it() {
    let report = report("osv_scanner", "distributions.json");
    let cve: Vec<_> = report.findings.iter().map(|f| f.cve.clone()).collect();
    assert_eq!(cve[0], ["CVE-2024-0022"]);
    assert_eq!(cve[1], ["CVE-2024-0022", "CVE-2024-0023"]);
}

#[test]
fn dependency_track_rates_what_is_unassigned_by_its_best_score() {
    let report = report("dependency_track", "unassigned.json");
    assert_eq!(
        rated(&report),
        [
            ("CVE-2024-0024", "critical"),
            ("CVE-2024-0025", "critical"),
            ("CVE-2024-0026", "unrated"),
        ]
    );
    assert_eq!(report.tool.version.as_deref(), Some("4.13.2"));
    assert_eq!(report.scanned_at.as_deref(), Some("2026-03-01T10:00:00Z"));
    assert!(is_noted(&report, "UNASSIGNED"));
}

#[test]
fn packages_of_another_group_or_kind_are_others() {
    let all = report("dependency_track", "groups.json");
    let names: Vec<_> = all.findings.iter().map(|f| component(f).0).collect();
    assert_eq!(names, ["forms", "@shop/forms", "forms"]);
    for kept in 0..3 {
        let mut series = Series::default();
        series.import(&all);
        let mut one = all.clone();
        one.findings = vec![all.findings[kept].clone()];
        let imported = series.import(&one);
        assert_eq!(imported.matches[0].known, Some(kept));
        assert_eq!(imported.matches[0].change, Change::Unchanged);
        assert_eq!(imported.fixed.len(), 2, "{:?}", imported.why_fixed);
    }
    // One that was not there before is new.
    let mut series = Series::default();
    let mut one = all.clone();
    one.findings.truncate(1);
    series.import(&one);
    one.findings = vec![all.findings[2].clone()];
    let imported = series.import(&one);
    assert_eq!(imported.matches[0].change, Change::New);
    assert_eq!(imported.fixed, [0]);
}

#[test]
fn no_rating_of_cyclonedx_hides_a_better_one() {
    let report = report("cyclonedx", "ratings.json");
    assert_eq!(
        rated(&report),
        [
            ("CVE-2024-0031", "critical"),
            ("CVE-2024-0032", "high"),
            ("CVE-2024-0033", "medium"),
            ("CVE-2024-0034", "critical"),
            ("CVE-2024-0035", "high"),
            ("CVE-2024-0036", "unrated"),
        ]
    );
    assert_eq!(report.findings[0].score, Some(9.3));
}

#[test]
fn cyclonedx_finds_components_by_links_urls_and_versions() {
    let report = report("cyclonedx", "links.json");
    let components: Vec<_> = report.findings.iter().map(component).collect();
    assert_eq!(
        components,
        [
            ("tar", "1.34+dfsg"),
            ("@shop/forms", "2.0.0"),
            ("other", "1.0.0"),
            ("nowhere", ""),
            ("open", "2.1"),
            ("open", ""),
            ("", ""),
        ]
    );
    assert_eq!(report.findings[5].status.as_str(), "not_affected");
    assert!(is_noted(&report, "No component has the reference nowhere"));
    assert!(is_noted(&report, "names no component"));
    let report = self::report("cyclonedx", "extension.xml");
    assert_eq!(component(&report.findings[0]), ("org.example:lib", "1.0"));
    assert_eq!(rated(&report), [("CVE-2024-0043", "critical")]);
}

#[test]
fn an_empty_list_of_vulnerabilities_shows_that_somebody_has_looked_only_where_the_tool_says_so() {
    let bom = |tool: &str| {
        let text = format!(
            r#"{{"bomFormat": "CycloneDX", "specVersion": "1.5", "metadata": {{"tools": [{{"name": "{tool}"}}]}}, "vulnerabilities": []}}"#
        );
        read(text.as_bytes(), None, None).unwrap()
    };
    assert!(!bom("trivy").completeness.is_complete());
    assert!(bom("grype").is_clean());
}

#[test]
fn openvex_speaks_of_parts_of_products() {
    let report = report("openvex", "parts.json");
    let parts: Vec<_> = report
        .findings
        .iter()
        .map(|f| (component(f), f.scope.as_deref().unwrap_or("")))
        .collect();
    assert_eq!(
        parts,
        [
            (("debian/tar", "1.34+dfsg"), "pkg:oci/till@sha256%3Aabc"),
            (("@shop/forms", "2.0.0"), "pkg:oci/till@sha256%3Aabc"),
            (("@shop/forms", "2.0.0"), "pkg:oci/desk@sha256%3Adef"),
            (("", ""), ""),
        ]
    );
    assert!(is_noted(&report, "names no product"));
}

#[test]
fn a_product_of_openvex_is_known_by_its_hash_and_one_without_anything_is_told() {
    let document = |product: &str| {
        let text = format!(
            r#"{{"@context": "https://openvex.dev/ns/v0.2.0", "statements": [{{"vulnerability": {{"name": "CVE-2026-1"}}, "status": "affected", "products": [{product}]}}]}}"#
        );
        read(text.as_bytes(), None, None).unwrap()
    };
    let hashed = document(r#"{"hashes": {"sha-256": "ab12"}}"#);
    assert_eq!(component(&hashed.findings[0]), ("sha-256:ab12", ""));
    assert!(hashed.completeness.is_complete());
    let nothing = document("{}");
    assert!(!nothing.completeness.is_complete());
    assert!(is_noted(&nothing, "has no identifier"), "{nothing:?}");
}

#[test]
fn csaf_names_components_with_versions_in_their_products() {
    let report = report("csaf", "parts.json");
    let said: Vec<_> = report
        .findings
        .iter()
        .map(|f| {
            let scope = f.scope.as_deref().unwrap_or("");
            (component(f), scope, f.severity.as_str(), f.status.as_str())
        })
        .collect();
    assert_eq!(
        said,
        [
            (
                ("@shop/forms", "2.0.0"),
                "Shop Till 2.0",
                "critical",
                "open"
            ),
            (("Till", "2.1"), "", "critical", "fixed"),
            (("Till", "2.0"), "", "critical", "review"),
            (("", ""), "", "unrated", "open"),
        ]
    );
    assert_eq!(report.findings[0].cwe, [79]);
    assert!(is_noted(&report, "says of no product"));
}

#[test]
fn grype_without_data_for_the_distribution_has_not_looked() {
    let report = report("anchore_grype", "end_of_life.json");
    let said = serde_json::to_value(&report.completeness).unwrap();
    let reason = "the package is from the end-of-life distribution debian 9";
    assert_eq!(said["reason"], reason);
    assert_eq!(report.target.as_deref(), Some("shop/till"));
    let other =
        br#"{"matches": [], "source": {}, "descriptor": {"name": "xeol", "version": "0.10"}}"#;
    let error = read(other, None, Some("anchore_grype")).unwrap_err();
    assert!(error.to_string().contains("xeol"), "{error}");
}

#[test]
fn what_snyk_was_told_to_ignore_is_suppressed_with_its_reason() {
    let report = report("snyk", "ignored.json");
    assert_eq!(
        rated(&report),
        [("SNYK-JS-C-2", "critical"), ("SNYK-JS-B-1", "high")]
    );
    let ignored = &report.findings[1];
    assert_eq!(ignored.status.as_str(), "suppressed");
    assert_eq!(ignored.suppression_reason.as_deref(), Some("Not reachable"));
}

#[test]
fn snyk_code_is_read_as_the_sarif_that_it_writes() {
    let text = br#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "SnykCode", "rules": []}}, "results": [{"ruleId": "js/x", "level": "error", "message": {"text": "Bad"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.js"}, "region": {"startLine": 1}}}]}]}]}"#;
    let report = read(text, None, Some("snyk_code")).unwrap();
    assert_eq!(report.format, "snyk_code");
    assert_eq!(rated(&report), [("js/x", "high")]);
    let none = br#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "SnykCode", "rules": []}}, "results": []}]}"#;
    assert!(read(none, None, Some("snyk_code")).unwrap().is_clean());
}

#[test]
fn a_scan_of_modules_does_not_say_that_nothing_is_called() {
    let report = report("govulncheck", "modules.json");
    assert_eq!(rated(&report), [("GO-2024-0007", "unrated")]);
    assert!(is_noted(&report, "the level module only"));
}

/// Format, report, a part of the reason.
const INCOMPLETE: &[(&str, &str, &str)] = &[
    (
        "nancy",
        r#"{"audited": [{"Coordinates": "pkg:golang/a@1", "Vulnerabilities": [{"Id": "x", "Excluded": false}]}], "num_audited": 1, "num_vulnerable": 0, "vulnerable": []}"#,
        "1 of the audited packages have vulnerabilities, and 0 are listed",
    ),
    (
        "harbor_vulnerability",
        r#"{"application/vnd.security.vulnerability.report; version=1.1": {"scanner": {"name": "Trivy"}, "severity": "High", "vulnerabilities": []}}"#,
        "the worst severity is High",
    ),
    (
        "clair",
        r#"{"image": "a:1", "unapproved": ["CVE-2024-0001"], "vulnerabilities": []}"#,
        "1 are not approved, and 0 are listed",
    ),
    (
        "github_vulnerability",
        r#"{"data": {"repository": {"vulnerabilityAlerts": {"totalCount": 0, "nodes": []}}}, "errors": [{"type": "FORBIDDEN", "message": "Resource not accessible"}]}"#,
        "Resource not accessible",
    ),
    (
        "github_vulnerability",
        r#"{"data": {"repository": {"vulnerabilityAlerts": {"totalCount": 7, "nodes": []}}}}"#,
        "counts 7, and 0 are listed",
    ),
    (
        "osv_scanner",
        r#"{"results": [], "experimental_config": {}}"#,
        "--all-packages",
    ),
    (
        "pip_audit",
        r#"{"dependencies": [], "fixes": []}"#,
        "no dependency",
    ),
    (
        "govulncheck",
        r#"{"config": {"protocol_version": "v1.0.0"}}"#,
        "before the code was compared",
    ),
    (
        "dependency_check",
        "<analysis xmlns=\"dependency-check\"><dependencies/></analysis>\n",
        "it lists no dependency",
    ),
    (
        "csaf",
        r#"{"document": {"csaf_version": "2.0"}}"#,
        "/vulnerabilities is missing",
    ),
];

#[test]
fn a_tool_that_looked_at_nothing_or_contradicts_itself_is_not_clean() {
    for (format, text, reason) in INCOMPLETE {
        let report = read(text.as_bytes(), None, Some(format)).unwrap();
        let said = serde_json::to_value(&report.completeness).unwrap();
        let said = said["reason"].as_str().unwrap_or("complete");
        assert!(said.contains(reason), "{format}: {said}");
    }
}

#[test]
fn what_dependabot_and_code_scanning_do_not_say_is_told() {
    let text = br#"[{"number": 1, "state": "snoozed", "rule": {"id": "a", "severity": "error", "security_severity_level": null}, "most_recent_instance": {"location": {"path": "a.py"}}}]"#;
    let report = read(text, None, None).unwrap();
    assert_eq!(rated(&report), [("a", "high")]);
    assert_eq!(report.findings[0].status.as_str(), "open");
    assert!(is_noted(&report, "\"snoozed\" is not known"));
}

#[test]
fn pages_of_alerts_are_one_list_and_one_page_alone_is_not_all() {
    let alert = |number: usize| {
        format!(
            r#"{{"number": {number}, "state": "open", "rule": {{"id": "r{number}", "severity": "note"}}, "most_recent_instance": {{"location": {{"path": "a.py"}}}}}}"#
        )
    };
    let page = |numbers: std::ops::Range<usize>| {
        let alerts: Vec<_> = numbers.map(alert).collect();
        format!("[{}]", alerts.join(", "))
    };
    let first = read(page(0..30).as_bytes(), None, None).unwrap();
    assert!(!first.completeness.is_complete());
    let both = format!("[{}, {}]", page(0..30), page(30..31));
    let both = read(both.as_bytes(), None, None).unwrap();
    assert_eq!(both.format, "github_sast");
    assert_eq!(both.findings.len(), 31);
    assert!(both.completeness.is_complete());
    assert!(
        read(page(0..29).as_bytes(), None, None)
            .unwrap()
            .completeness
            .is_complete()
    );
}

#[test]
fn a_malicious_package_is_critical_whatever_its_tool_says() {
    for (format, text) in [
        (
            "trivy",
            r#"{"SchemaVersion": 2, "ArtifactName": ".", "Results": [{"Target": "a", "Class": "lang-pkgs", "Vulnerabilities": [{"VulnerabilityID": "MAL-2024-0001", "PkgName": "a", "InstalledVersion": "1", "Severity": "LOW"}]}]}"#,
        ),
        (
            "anchore_grype",
            r#"{"matches": [{"vulnerability": {"id": "MAL-2024-0001", "severity": "Unknown"}, "artifact": {"name": "a", "version": "1"}}], "descriptor": {"name": "grype"}, "source": {"type": "directory"}}"#,
        ),
        (
            "pip_audit",
            r#"{"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "GHSA-aaaa-bbbb-cccc", "aliases": ["MAL-2024-0001"], "fix_versions": [], "description": "d"}]}], "fixes": []}"#,
        ),
        (
            "gitlab_dep_scan",
            r#"{"version": "15.0.0", "vulnerabilities": [{"id": "1", "name": "A", "severity": "Low", "identifiers": [{"type": "osv", "name": "MAL-2024-0001", "value": "MAL-2024-0001"}], "location": {"file": "a.lock", "dependency": {"package": {"name": "a"}, "version": "1"}}}], "scan": {"scanner": {"id": "x"}, "type": "dependency_scanning", "status": "success"}}"#,
        ),
        (
            "sarif",
            r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "T"}}, "results": [{"ruleId": "MAL-2024-0001", "level": "note", "message": {"text": "m"}}]}]}"#,
        ),
        (
            "sarif",
            r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "T", "rules": [{"id": "R", "properties": {"tags": ["MAL-2024-0001"]}}]}}, "results": [{"ruleId": "R", "level": "note", "message": {"text": "m"}}]}]}"#,
        ),
    ] {
        let report = read(text.as_bytes(), None, Some(format)).unwrap();
        assert_eq!(
            report.findings[0].severity.as_str(),
            "critical",
            "{format}: {text}"
        );
    }
}

#[test]
fn the_branches_of_a_csaf_document_are_lists_at_any_depth() {
    let document = |innermost: &str| {
        let mut branch = format!(
            r#"{{"category": "product_version", "name": "1.0", "product": {{"product_id": "P", "name": "queue 1.0"}}{innermost}}}"#
        );
        for depth in 0..9 {
            let category = if depth == 0 { "product_name" } else { "vendor" };
            branch =
                format!(r#"{{"category": "{category}", "name": "queue", "branches": [{branch}]}}"#);
        }
        format!(
            r#"{{"document": {{"csaf_version": "2.0"}}, "product_tree": {{"branches": [{branch}]}}, "vulnerabilities": [{{"cve": "CVE-2026-1", "product_status": {{"known_affected": ["P"]}}}}]}}"#
        )
    };
    let whole = read(document("").as_bytes(), None, None).unwrap();
    assert!(whole.completeness.is_complete(), "{whole:?}");
    assert_eq!(component(&whole.findings[0]), ("queue", "1.0"));
    let null = read(document(r#", "branches": null"#).as_bytes(), None, None).unwrap();
    assert!(!null.completeness.is_complete());
    assert!(is_noted(&null, "branches is null"), "{null:?}");
    let wrong = read(document(r#", "branches": {}"#).as_bytes(), None, None).unwrap_err();
    assert!(wrong.to_string().contains("a list is required"), "{wrong}");
}
