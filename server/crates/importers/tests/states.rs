//! What tools say of a check beside that it is there: states that hide it, states that nobody knows, and what was looked at.

mod common;

use common::{Series, numbers};
use holdpoint_domain::{FindingStatus, Severity};
use holdpoint_importers::{Report, ScannerStatus, read};

fn report(format: &str, text: &str) -> Report {
    read(text.as_bytes(), None, Some(format)).unwrap_or_else(|error| panic!("{format}: {error}"))
}

/// Reports of one check that is in a state which no version of the tool has.
const IN_A_STRANGE_STATE: &[(&str, &str)] = &[
    (
        "kube_score",
        r#"[{"object_name": "a", "type_meta": {"kind": "Pod"}, "object_meta": {"name": "p"}, "checks": [{"check": {"id": "a", "name": "A"}, "grade": "SHELVED", "skipped": false, "comments": []}]}]"#,
    ),
    (
        "cloudsploit",
        r#"[{"plugin": "a", "category": "S3", "title": "A", "resource": "N/A", "region": "global", "status": "SHELVED", "message": "m"}]"#,
    ),
    (
        "scorecard",
        r#"{"repo": {"name": "r"}, "scorecard": {"version": "v5"}, "checks": [{"name": "A", "score": "SHELVED", "reason": "", "details": null}]}"#,
    ),
    (
        "prowler",
        r#"[{"CheckID": "a", "CheckTitle": "A", "Status": "SHELVED", "StatusExtended": "m", "Severity": "high"}]"#,
    ),
    (
        "dockle",
        r#"{"summary": {"fatal": 0}, "details": [{"code": "CIS-1", "title": "A", "level": "SHELVED", "alerts": []}]}"#,
    ),
    (
        "dockerbench",
        r#"{"dockerbenchsecurity": "1", "tests": [{"id": "1", "results": [{"id": "1.1", "desc": "A", "result": "SHELVED"}]}]}"#,
    ),
    (
        "kubebench",
        r#"{"Controls": [{"id": "1", "node_type": "node", "tests": [{"section": "1", "results": [{"test_number": "1.1", "test_desc": "A", "status": "SHELVED"}]}]}]}"#,
    ),
    (
        "kubescape",
        r#"{"summaryDetails": {"controls": {"C-1": {"scoreFactor": 7, "status": "failed"}}}, "resources": [{"resourceID": "r"}], "results": [{"resourceID": "r", "controls": [{"controlID": "C-1", "name": "A", "status": {"status": "SHELVED"}}]}]}"#,
    ),
    (
        "legitify",
        r#"{"content": {"data.x": {"policyInfo": {"title": "A", "fullyQualifiedPolicyName": "data.x", "severity": "HIGH"}, "violations": [{"canonicalLink": "https://example.com", "status": "SHELVED"}]}}}"#,
    ),
    (
        "prowler",
        r#"[{"finding_info": {"title": "A", "uid": "u"}, "status_code": "SHELVED", "severity": "High", "metadata": {"event_code": "c"}}]"#,
    ),
    (
        "prowler",
        "AUTH_METHOD;CHECK_ID;CHECK_TITLE;STATUS;SEVERITY\nx;c1;A;SHELVED;high\n",
    ),
    (
        "popeye",
        r#"{"popeye": {"sections": [{"linter": "pods", "tally": {}, "issues": {"a": [{"level": "SHELVED", "group": "__root__", "message": "[POP-1] A"}]}}]}}"#,
    ),
    (
        "tfsec",
        r#"{"results": [{"rule_id": "a", "rule_provider": "aws", "rule_description": "A", "severity": "HIGH", "status": "SHELVED", "location": {}}]}"#,
    ),
    (
        "stackhawk",
        r#"{"scanCompleted": {"scan": {"status": "COMPLETED"}, "findings": [{"pluginId": "1", "pluginName": "A", "severity": "High", "host": "h", "paths": [{"path": "/", "status": "SHELVED"}]}]}}"#,
    ),
    (
        "horusec",
        r#"{"version": "2", "status": "success", "analysisVulnerabilities": [{"vulnerabilities": {"details": "A", "severity": "HIGH", "file": "a.go", "type": "SHELVED"}}]}"#,
    ),
    (
        "trivy",
        r#"{"SchemaVersion": 2, "ArtifactName": ".", "Results": [{"Target": "a.tf", "Class": "config", "Misconfigurations": [{"ID": "A1", "Title": "A", "Severity": "HIGH", "Status": "SHELVED"}]}]}"#,
    ),
    (
        "trivy",
        r#"{"SchemaVersion": 2, "ArtifactName": ".", "Results": [{"Target": "go.mod", "Class": "lang-pkgs", "ExperimentalModifiedFindings": [{"Type": "secret", "Status": "SHELVED", "Finding": {"RuleID": "r", "Title": "A", "Severity": "HIGH"}}]}]}"#,
    ),
    (
        "gitlab_sast",
        r#"{"version": "15.0.0", "vulnerabilities": [{"id": "1", "name": "A", "severity": "High", "identifiers": [{"type": "x", "name": "X", "value": "X"}], "location": {"file": "a.c"}, "flags": [{"type": "SHELVED", "origin": "x", "description": "y"}]}], "scan": {"scanner": {"id": "x"}, "type": "sast", "status": "success"}}"#,
    ),
];

#[test]
fn a_state_that_nobody_knows_does_not_pass_and_is_told() {
    for (format, text) in IN_A_STRANGE_STATE {
        let report = report(format, text);
        let titles: Vec<_> = report.findings.iter().map(|f| &*f.title).collect();
        assert_eq!(titles, ["A"], "{format}");
        assert_eq!(report.findings[0].status, ScannerStatus::Open, "{format}");
        let severity = report.findings[0].severity;
        assert!(
            !matches!(severity, Severity::Low | Severity::Info),
            "{format}"
        );
        let is_told = |problem: &holdpoint_importers::Problem| problem.message.contains("SHELVED");
        assert!(
            report.problems.iter().any(is_told),
            "{format}: {:?}",
            report.problems
        );
    }
}

#[test]
fn what_a_tool_hides_is_kept_as_hidden() {
    for (format, text) in [
        (
            "kube_score",
            r#"[{"object_name": "a", "type_meta": {"kind": "Pod"}, "object_meta": {"name": "p"}, "checks": [{"check": {"id": "a", "name": "A"}, "grade": 1, "skipped": true, "comments": [{"summary": "Skipped because a is ignored"}]}]}]"#,
        ),
        (
            "pmd",
            r#"<pmd version="7"><suppressedviolation filename="A.java" suppressiontype="nopmd" msg="A" usermsg="x"/></pmd>"#,
        ),
        (
            "staticcheck",
            "{\"code\": \"U1000\", \"severity\": \"ignored\", \"location\": {\"file\": \"a.go\", \"line\": 1}, \"end\": {}, \"message\": \"A\"}\n",
        ),
        (
            "prowler",
            r#"[{"CheckID": "a", "CheckTitle": "A", "Status": "MUTED", "StatusExtended": "m", "Severity": "high"}]"#,
        ),
        (
            "tfsec",
            r#"{"results": [{"rule_id": "a", "rule_provider": "aws", "rule_description": "A", "severity": "HIGH", "status": 2, "location": {}}]}"#,
        ),
        (
            "checkov",
            r#"{"check_type": "terraform", "results": {"passed_checks": [], "failed_checks": [], "skipped_checks": [{"check_id": "C", "check_name": "A", "file_line_range": [1, 2], "check_result": {"suppress_comment": "a test"}}]}, "summary": {"skipped": 1, "checkov_version": "3"}}"#,
        ),
        (
            "kubescape",
            r#"{"summaryDetails": {"controls": {"C-1": {"scoreFactor": 7, "status": "passed"}}}, "resources": [{"resourceID": "r"}], "results": [{"resourceID": "r", "controls": [{"controlID": "C-1", "name": "A", "status": {"status": "passed", "subStatus": "w/exceptions"}}]}]}"#,
        ),
        (
            "conftest",
            r#"[{"filename": "a.yaml", "namespace": "main", "successes": 0, "exceptions": [{"msg": "A"}]}]"#,
        ),
        (
            "ggshield",
            r#"{"id": "x", "total_incidents": 1, "entities_with_incidents": [{"filename": "a.py", "incidents": [{"type": "A", "ignore_sha": "06", "ignore_reason": {"kind": "ignored_path"}, "occurrences": []}]}]}"#,
        ),
        (
            "prowler",
            r#"[{"finding_info": {"title": "A", "uid": "u"}, "status": "Suppressed", "status_code": "FAIL", "severity": "High", "metadata": {"event_code": "c"}}]"#,
        ),
        (
            "trivy",
            r#"{"SchemaVersion": 2, "ArtifactName": ".", "Results": [{"Target": "go.mod", "Class": "lang-pkgs", "ExperimentalModifiedFindings": [{"Type": "secret", "Status": "ignored", "Finding": {"RuleID": "r", "Title": "A", "Severity": "HIGH"}}]}]}"#,
        ),
        (
            "gitlab_sast",
            r#"{"version": "15.0.0", "vulnerabilities": [{"id": "1", "name": "A", "severity": "High", "identifiers": [{"type": "x", "name": "X", "value": "X"}], "location": {"file": "a.c"}, "flags": [{"type": "flagged-as-likely-false-positive", "origin": "x", "description": "y"}]}], "scan": {"scanner": {"id": "x"}, "type": "sast", "status": "success"}}"#,
        ),
    ] {
        let report = report(format, text);
        let titles: Vec<_> = report.findings.iter().map(|f| &*f.title).collect();
        assert_eq!(titles, ["A"], "{format}");
        assert_eq!(
            report.findings[0].status,
            ScannerStatus::Suppressed,
            "{format}"
        );
        assert!(
            report.completeness.is_complete(),
            "{format}: {:?}",
            report.completeness
        );
    }
}

#[test]
fn what_trivy_says_of_a_modified_finding_is_its_state() {
    for (said, status) in [
        ("ignored", ScannerStatus::Suppressed),
        ("not_affected", ScannerStatus::NotAffected),
        ("fixed", ScannerStatus::Fixed),
        ("under_investigation", ScannerStatus::Review),
        ("affected", ScannerStatus::Open),
    ] {
        let text = format!(
            r#"{{"SchemaVersion": 2, "ArtifactName": ".", "Results": [{{"Target": "go.mod", "Class": "lang-pkgs", "ExperimentalModifiedFindings": [{{"Type": "vulnerability", "Status": "{said}", "Finding": {{"VulnerabilityID": "CVE-2026-1", "PkgName": "a", "InstalledVersion": "1", "Severity": "HIGH"}}}}]}}]}}"#
        );
        let report = report("trivy", &text);
        assert_eq!(report.findings[0].status, status, "{said}");
        assert!(report.problems.is_empty(), "{said}: {:?}", report.problems);
    }
}

#[test]
fn a_component_of_cyclonedx_is_unaffected_only_where_all_its_versions_say_so() {
    for (versions, status, n_problems) in [
        (
            r#"[{"version": "1", "status": "unaffected"}]"#,
            ScannerStatus::NotAffected,
            0,
        ),
        (
            r#"[{"version": "1", "status": "unaffected"}, {"version": "2", "status": "affected"}]"#,
            ScannerStatus::Open,
            0,
        ),
        (r#"["1", "2"]"#, ScannerStatus::Open, 2),
        (
            r#"[{"version": "1", "status": "unaffected"}, null]"#,
            ScannerStatus::Open,
            1,
        ),
        (
            r#"[{"version": "1", "status": "unaffected"}, "2"]"#,
            ScannerStatus::Open,
            1,
        ),
        ("[[]]", ScannerStatus::Open, 1),
    ] {
        let text = format!(
            r#"{{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [{{"bom-ref": "c", "name": "a"}}], "vulnerabilities": [{{"id": "CVE-2026-1", "ratings": [{{"severity": "high"}}], "affects": [{{"ref": "c", "versions": {versions}}}]}}]}}"#
        );
        let report = report("cyclonedx", &text);
        assert_eq!(report.findings[0].status, status, "{versions}");
        assert_eq!(
            report.problems.len(),
            n_problems,
            "{versions}: {:?}",
            report.problems
        );
    }
}

#[test]
fn a_check_of_tfsec_that_has_passed_is_no_finding() {
    for passed in [
        r#""status": "passed""#,
        r#""status": 1"#,
        r#""passed": true"#,
    ] {
        let text = format!(
            r#"{{"results": [{{"rule_id": "a", "rule_provider": "aws", "severity": "HIGH", {passed}, "location": {{}}}}]}}"#
        );
        assert_eq!(report("tfsec", &text).findings.len(), 0, "{passed}");
    }
}

#[test]
fn a_check_that_its_tool_never_rates_is_medium_and_one_that_it_left_out_is_unrated() {
    let check = |rest: &str| {
        format!(
            r#"{{"check_id": "C", "check_name": "A", "file_line_range": [1, 2], "severity": null{rest}}}"#
        )
    };
    let text = |checks: &str| {
        format!(
            r#"{{"check_type": "terraform", "results": {{"failed_checks": [{checks}]}}, "summary": {{"failed": 1, "checkov_version": "3"}}}}"#
        )
    };
    let never = report("checkov", &text(&check("")));
    assert_eq!(never.findings[0].severity, Severity::Medium);
    assert!(never.problems.is_empty(), "{:?}", never.problems);
    let left_out = report("checkov", &text(&check(r#", "bc_category": "IAM""#)));
    assert_eq!(left_out.findings[0].severity, Severity::Unrated);
    assert_eq!(left_out.problems.len(), 1);
}

#[test]
fn a_score_says_more_than_a_word_that_is_no_rating() {
    let text = r#"{"SchemaVersion": 2, "ArtifactName": ".", "Results": [{"Target": "go.sum", "Class": "lang-pkgs", "Vulnerabilities": [
        {"VulnerabilityID": "CVE-2026-1", "PkgName": "a", "InstalledVersion": "1", "Severity": "UNKNOWN", "CVSS": {"nvd": {"V3Score": 9.8}}},
        {"VulnerabilityID": "CVE-2026-2", "PkgName": "a", "InstalledVersion": "1", "Severity": "UNKNOWN"}]}]}"#;
    let report = report("trivy", text);
    let severities: Vec<_> = report.findings.iter().map(|f| f.severity).collect();
    assert_eq!(severities, [Severity::Critical, Severity::Unrated]);
    assert_eq!(report.problems.len(), 2, "{:?}", report.problems);
}

#[test]
fn a_score_of_zero_is_no_score() {
    let trivy = |cvss: &str| {
        let text = format!(
            r#"{{"SchemaVersion": 2, "ArtifactName": ".", "Results": [{{"Target": "go.sum", "Class": "lang-pkgs", "Vulnerabilities": [
            {{"VulnerabilityID": "CVE-2026-1", "PkgName": "a", "InstalledVersion": "1", "Severity": "UNKNOWN", "CVSS": {{"nvd": {{{cvss}}}}}}}]}}]}}"#
        );
        report("trivy", &text).findings.remove(0)
    };
    let (v3, v4) = (
        r#""V3Vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H""#,
        r#""V40Vector": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N""#,
    );
    for (cvss, score, severity) in [
        (r#""V3Score": 0"#.to_owned(), None, Severity::Unrated),
        (
            format!(r#""V3Score": 0, {v3}"#),
            Some(9.8),
            Severity::Critical,
        ),
        (
            format!(r#""V3Score": 0, "V40Score": 8.1, {v4}"#),
            Some(8.1),
            Severity::High,
        ),
        (format!("{v3}, {v4}"), Some(9.3), Severity::Critical),
    ] {
        let found = trivy(&cvss);
        assert_eq!((found.score, found.severity), (score, severity), "{cvss}");
    }

    let nmap = |cvss: &str| {
        let text = format!(
            r#"<nmaprun version="7.94"><host><address addr="192.0.2.1"/><ports><port protocol="tcp" portid="22"><state state="open"/><service name="ssh" product="OpenSSH"/>
            <script id="vulners" output=""><table key="cpe:/a:openbsd:openssh"><table><elem key="id">CVE-2026-2</elem><elem key="cvss">{cvss}</elem></table></table></script>
            </port></ports></host><runstats><finished exit="success"/></runstats></nmaprun>"#
        );
        let report = report("nmap", &text);
        let found = &report.findings[1];
        (found.score, found.severity, report.problems.len())
    };
    assert_eq!(nmap("0.0"), (None, Severity::Unrated, 1));
    assert_eq!(nmap("7.8"), (Some(7.8), Severity::High, 0));
}

#[test]
fn what_testssl_makes_of_the_whole_server_is_no_finding() {
    let text = r#""id","fqdn/ip","port","severity","finding","cve","cwe"
"DROWN","a/1","443","HIGH","vulnerable","CVE-2016-0800","CWE-310"
"rating_spec","a/1","443","INFO","SSL Labs's 'SSL Server Rating Guide'","",""
"protocol_support_score_weighted","a/1","443","INFO","28","",""
"overall_grade","a/1","443","CRITICAL","F","",""
"grade_cap_reason_1","a/1","443","INFO","Grade capped to F","",""
"#;
    let report = report("testssl", text);
    let rules: Vec<_> = report.findings.iter().map(|f| f.rule.as_deref()).collect();
    assert_eq!(rules, [Some("DROWN")]);
    assert_eq!(report.n_not_findings, 4);
}

#[test]
fn each_scheme_of_legitify_has_the_same_policies() {
    let policy = r#"{"policyInfo": {"title": "A", "fullyQualifiedPolicyName": "data.x", "severity": "HIGH"}, "violations": [{"canonicalLink": "https://example.com", "status": "FAILED"}]}"#;
    for content in [
        format!(r#"{{"data.x": {policy}}}"#),
        format!(r#"{{"repository": {{"data.x": {policy}}}}}"#),
        format!(r#"{{"https://example.com": {{"data.x": {policy}}}}}"#),
    ] {
        let report = report(
            "legitify",
            &format!(r#"{{"type": "t", "content": {content}}}"#),
        );
        assert_eq!(report.findings.len(), 1, "{content}");
        assert!(report.completeness.is_complete(), "{content}");
    }
}

#[test]
fn a_list_of_bearer_by_a_severity_that_nobody_knows_is_read_and_told() {
    let text =
        r#"{"extreme": [{"id": "js", "title": "A", "full_filename": "a.js", "line_number": 1}]}"#;
    let report = report("bearer_cli", text);
    assert_eq!(report.findings[0].severity, Severity::Unrated);
    assert_eq!(report.problems.len(), 1);
}

#[test]
fn a_report_names_what_was_looked_at() {
    let image = |name: &str| {
        format!(
            r#"{{"SchemaVersion": 2, "ArtifactName": "{name}", "ArtifactType": "container_image", "Results": [{{"Target": "{name} (debian 12.9)", "Class": "os-pkgs"}}]}}"#
        )
    };
    for (format, text, target) in [
        ("trivy", image("shop/api:1.4"), Some("shop/api")),
        ("trivy", image("shop/worker:1.4"), Some("shop/worker")),
        ("trivy", image("shop/api:1.5"), Some("shop/api")),
        (
            "trivy",
            r#"{"ClusterName": "shop", "Resources": []}"#.to_owned(),
            Some("shop"),
        ),
        (
            "dockle",
            r#"{"image": "shop/api:1.4", "summary": {"fatal": 0, "pass": 9}, "details": []}"#.to_owned(),
            Some("shop/api"),
        ),
        (
            "popeye",
            r#"{"popeye": {"sections": []}, "ClusterName": "shop"}"#.to_owned(),
            Some("shop"),
        ),
        (
            "stackhawk",
            r#"{"scanCompleted": {"scan": {"status": "COMPLETED", "application": "Shop", "env": "Test"}, "findings": []}}"#.to_owned(),
            Some("Shop Test"),
        ),
        (
            "trivy_operator",
            r#"{"apiVersion": "aquasecurity.github.io/v1alpha1", "kind": "VulnerabilityReport", "report": {"registry": {"server": "registry.example.com"}, "artifact": {"repository": "shop/api", "tag": "1.4"}, "vulnerabilities": []}}"#.to_owned(),
            Some("registry.example.com/shop/api"),
        ),
        (
            "prowler",
            "AUTH_METHOD;ACCOUNT_UID;CHECK_ID;STATUS;SEVERITY\nx;1234;c1;PASS;high\nx;1234;c2;PASS;high\n".to_owned(),
            Some("1234"),
        ),
        // Of several accounts none is the scan's.
        (
            "prowler",
            "AUTH_METHOD;ACCOUNT_UID;CHECK_ID;STATUS;SEVERITY\nx;1234;c1;PASS;high\nx;5678;c2;PASS;high\n".to_owned(),
            None,
        ),
    ] {
        assert_eq!(report(format, &text).target.as_deref(), target, "{format}: {text}");
    }
}

#[test]
fn two_versions_of_a_package_in_one_lockfile_are_two_findings_of_trivy() {
    let scan = |versions: &[&str]| {
        let found: Vec<_> = versions
            .iter()
            .map(|version| {
                format!(
                    r#"{{"VulnerabilityID": "CVE-2026-5", "PkgID": "queue@{version}", "PkgName": "queue", "InstalledVersion": "{version}", "Severity": "HIGH", "Status": "fixed", "Title": "Loop"}}"#
                )
            })
            .collect();
        let text = format!(
            r#"{{"SchemaVersion": 2, "ArtifactName": ".", "ArtifactType": "filesystem", "Results": [{{"Target": "yarn.lock", "Class": "lang-pkgs", "Type": "yarn", "Vulnerabilities": [{}]}}]}}"#,
            found.join(", ")
        );
        report("trivy", &text)
    };
    let mut series = Series::default();
    series.import(&scan(&["1.2.0", "2.0.1"]));
    series.known[0].status = FindingStatus::FalsePositive;
    let one_left = series.import(&scan(&["2.0.1"]));
    assert_eq!(numbers(&one_left), [0, 1, 0, 0, 0]);
    assert_eq!(one_left.no_longer_seen, [0]);
    assert_eq!(series.known[1].status, FindingStatus::Open);
    let third = series.import(&scan(&["0.9.0", "1.2.0", "2.0.1"]));
    assert_eq!(numbers(&third), [1, 2, 0, 0, 0]);
}
