//! Small files of each format, written by hand: what they are read as. What damage to them does is in `bad_input.rs`.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::path::PathBuf;

use holdpoint_importers::{IMPORTERS, Report, ScannerStatus, read};
use proptest::prelude::*;

/// Format, file, number of findings, and of the first one title and severity.
const FILES: &[(&str, &str, usize, &str, &str)] = &[
    ("gitleaks", "two.json", 2, "AWS", "high"),
    (
        "trufflehog",
        "two.jsonl",
        2,
        "AWS secret (verified)",
        "critical",
    ),
    ("detect_secrets", "two.json", 2, "Secret Keyword", "high"),
    ("betterleaks", "one.json", 1, "JSON Web Token", "high"),
    ("kingfisher", "one.json", 1, "JSON Web Token", "critical"),
    (
        "trivy",
        "all.json",
        3,
        "CVE-2024-0001 in example.com/lib 1.0.0: Loop without end",
        "high",
    ),
    (
        "anchore_grype",
        "two.json",
        2,
        "GHSA-aaaa-bbbb-cccc in lib 1.0",
        "info",
    ),
    (
        "osv_scanner",
        "group.json",
        1,
        "GHSA-aaaa-bbbb-cccc in example.com/lib 1.0.0: Loop",
        "high",
    ),
    (
        "govulncheck",
        "stream.json",
        1,
        "GO-2024-0005 in example.com/lib v1.0.0: Loop",
        "high",
    ),
    (
        "pip_audit",
        "skipped.json",
        1,
        "PYSEC-2019-179 in flask 0.5",
        "medium",
    ),
    (
        "npm_audit",
        "one.json",
        1,
        "b 1.0.0: Command injection",
        "medium",
    ),
    ("npm_audit_7_plus", "two.json", 2, "b: Loop", "high"),
    (
        "yarn_audit",
        "lines.jsonl",
        1,
        "b 1.0.0: Command injection",
        "medium",
    ),
    (
        "pnpm_audit",
        "versions.json",
        2,
        "b 1.0.0: Command injection",
        "medium",
    ),
    (
        "cargo_audit",
        "two.json",
        2,
        "RUSTSEC-2020-0091 in arc-swap 0.4.7: Dangling reference",
        "high",
    ),
    ("gosec", "two.json", 2, "File inclusion", "high"),
    ("semgrep", "two.json", 2, "Do not do this.", "high"),
    ("semgrep_pro", "one.json", 1, "Do not do this.", "medium"),
    ("bandit", "one.json", 1, "Use of assert detected.", "low"),
    (
        "bandit_csv",
        "one.csv",
        1,
        "Use of assert detected, here.",
        "low",
    ),
    ("ruff", "two.json", 2, "try-except-pass", "medium"),
    (
        "checkov",
        "list.json",
        1,
        "Ensure that HEALTHCHECK is there",
        "medium",
    ),
    ("kics", "one.json", 1, "Passwords in code", "high"),
    ("hadolint", "two.json", 2, "Pin versions", "medium"),
    ("shellcheck", "one.json", 1, "Use $(...)", "info"),
    ("whispers", "one.json", 1, "Password", "high"),
    (
        "github_annotations",
        "one.json",
        1,
        "LT05: Line is too long",
        "medium",
    ),
    (
        "gitlab_code_quality",
        "one.json",
        1,
        "Use WORKDIR",
        "medium",
    ),
    (
        "dodgy",
        "one.json",
        1,
        "Possible hardcoded password",
        "high",
    ),
    ("dockle", "two.json", 2, "Create a user", "medium"),
    ("zizmor", "one.json", 1, "unpinned action reference", "high"),
    (
        "yamllint",
        "two.txt",
        2,
        "missing document start \"---\"",
        "low",
    ),
    (
        "cyclonedx",
        "vex.json",
        2,
        "CVE-2024-0008 in org.example:lib 1.0",
        "high",
    ),
    ("cyclonedx", "inventory.xml", 0, "", ""),
    (
        "spdx",
        "advisory.json",
        1,
        "CVE-2024-0009 in lib 1.0",
        "medium",
    ),
    ("syft", "inventory.json", 0, "", ""),
    (
        "openvex",
        "two.json",
        2,
        "CVE-2024-0010 in alpine/zlib 1.2.11",
        "medium",
    ),
    (
        "csaf",
        "two.json",
        2,
        "CVE-2024-0012 in App 1.0: Loop",
        "critical",
    ),
    (
        "dependency_check",
        "two.xml",
        2,
        "CVE-2024-0013 in lib.jar 1.0",
        "high",
    ),
    ("snyk", "one.json", 1, "b 1.0.0: Loop", "medium"),
    ("sonarqube", "issues.json", 1, "Remove this.", "critical"),
    (
        "sonarqube",
        "page.html",
        1,
        "Credentials should not be hard-coded",
        "critical",
    ),
    ("gitlab_sast", "one.json", 1, "Bad thing", "high"),
    (
        "gitlab_dep_scan",
        "one.json",
        1,
        "X1 in lib 1.0: Bad thing",
        "high",
    ),
    (
        "gitlab_container_scan",
        "one.json",
        1,
        "X1 in apt 1.4: Bad thing",
        "high",
    ),
    ("gitlab_dast", "one.json", 1, "Bad thing", "high"),
    (
        "gitlab_secret_detection_report",
        "one.json",
        1,
        "Bad thing",
        "high",
    ),
    ("github_sast", "one.json", 1, "Clear-text storage", "high"),
    (
        "github_secrets_detection_report",
        "one.json",
        1,
        "AWS key",
        "critical",
    ),
    (
        "github_vulnerability",
        "graph.json",
        1,
        "CVE-2024-0016 in lib: Loop",
        "medium",
    ),
    ("kubelinter", "one.json", 1, "uses latest", "medium"),
    ("kubescape", "one.json", 1, "No root", "high"),
    ("kubebench", "two.json", 2, "Permissions", "medium"),
    ("dockerbench", "two.json", 2, "Separate partition", "high"),
    ("secretlint", "one.json", 1, "found a key", "high"),
    ("eslint", "two.json", 2, "eval can be harmful.", "high"),
    ("sqlfluff", "one.json", 1, "Line is too long", "low"),
    ("checkstyle", "one.xml", 1, "Use <x> & y", "medium"),
    ("junit", "one.xml", 1, "Not there", "medium"),
    (
        "anchore_engine",
        "one.json",
        1,
        "CVE-2011-3389 in gnutls 3.5",
        "medium",
    ),
    (
        "aqua",
        "one.json",
        1,
        "CVE-2018-3745 in atob 2.0.3",
        "critical",
    ),
    (
        "auditjs",
        "one.json",
        1,
        "CVE-2024-47875 in dompurify 2.5.7: [CVE-2024-47875] CWE-79: XSS",
        "medium",
    ),
    (
        "nancy",
        "one.json",
        1,
        "CVE-2024-0017 in example.com/lib 1.0: Loop",
        "high",
    ),
    (
        "clair",
        "one.json",
        1,
        "CVE-2018-20839 in systemd 237",
        "medium",
    ),
    (
        "composer_audit",
        "one.json",
        1,
        "PKSA-1 in a/b: Loop",
        "high",
    ),
    (
        "dependency_track",
        "two.json",
        2,
        "CVE-2024-0018 in lib 1.0",
        "low",
    ),
    (
        "harbor_vulnerability",
        "one.json",
        1,
        "CVE-2024-0020 in lib 1.0",
        "high",
    ),
    (
        "jfrog_xray_unified",
        "one.json",
        1,
        "XRAY-139239 in Jinja2 2.11.2: Slow expression",
        "medium",
    ),
    (
        "retirejs",
        "one.json",
        1,
        "Quoteless attributes in handlebars 3.0.0",
        "medium",
    ),
    ("bearer_cli", "one.json", 1, "Unsanitized input", "high"),
    ("brakeman", "two.json", 2, "Render path", "medium"),
    ("horusec", "one.json", 1, "Hard-coded password", "critical"),
    ("terrascan", "two.json", 2, "Ensure it is private.", "high"),
    ("tfsec", "one.json", 1, "All ports.", "critical"),
    ("cfn_lint", "one.json", 1, "Parameter not used.", "medium"),
    ("conftest", "two.json", 2, "Set a memory limit", "high"),
    ("kubehunter", "one.json", 1, "Read access to a token", "low"),
    ("trufflehog3", "one.json", 1, "High Entropy", "medium"),
    ("ggshield", "one.json", 1, "Django key", "high"),
    ("stackhawk", "one.json", 1, "Anti CSRF", "high"),
    ("generic", "two.json", 2, "One", "high"),
    ("generic", "two.csv", 2, "One", "high"),
    ("njsscan", "one.json", 1, "User data in eval", "high"),
    ("noseyparker", "one.jsonl", 1, "Generic API Key", "high"),
    ("nuclei", "one.jsonl", 1, "Technology (nginx)", "info"),
    ("zap", "one.xml", 1, "Cookie", "low"),
    ("spotbugs", "one.xml", 1, "Query from text", "high"),
    ("burp", "one.xml", 1, "SQL injection", "high"),
    (
        "nmap",
        "one.xml",
        1,
        "Open port 22/tcp ssh OpenSSH 7.4",
        "info",
    ),
    ("nikto", "one.json", 1, "A header is missing.", "info"),
    (
        "testssl",
        "one.csv",
        1,
        "DROWN CVE-2016-0800: vulnerable",
        "high",
    ),
    (
        "sslyze",
        "two.json",
        2,
        "Heartbleed (example.com:443)",
        "high",
    ),
    (
        "sslyze",
        "two.xml",
        2,
        "Problems in certificate deployments (example.com:443)",
        "medium",
    ),
    ("prowler", "two.csv", 2, "Enable it", "low"),
    ("popeye", "one.json", 1, "No limits", "low"),
    ("legitify", "one.json", 1, "Require review", "high"),
    ("trivy_operator", "two.json", 2, "Escalation", "medium"),
];

/// Read by the importer of another format, or tested elsewhere.
const WITHOUT_A_FILE: &[&str] = &["sarif", "snyk_code"];

fn bytes(format: &str, file: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata");
    std::fs::read(folder.join(format).join(file)).unwrap()
}

fn report(format: &str, file: &str) -> Report {
    read(&bytes(format, file), None, None)
        .unwrap_or_else(|error| panic!("{format}/{file}: {error}"))
}

#[test]
fn every_format_is_recognised_and_read() {
    for (format, file, number, title, severity) in FILES {
        let report = report(format, file);
        let about = format!("{format}/{file}");
        assert_eq!(report.format, *format, "{about}");
        assert_eq!(report.findings.len(), *number, "{about}");
        if let Some(first) = report.findings.first() {
            assert_eq!(
                (first.title.as_str(), first.severity.as_str()),
                (*title, *severity),
                "{about}"
            );
            assert!(first.category.is_some(), "{about}");
        }
        for finding in &report.findings {
            assert!(
                !finding.pointer.is_empty() && !finding.title.is_empty(),
                "{about}"
            );
            assert!(
                finding
                    .path
                    .as_deref()
                    .is_none_or(|path| !path.starts_with('/')),
                "{about}"
            );
        }
    }
}

#[test]
fn every_format_has_a_file_of_its_own_here() {
    for importer in IMPORTERS {
        let name = importer.name();
        let has_one = FILES.iter().any(|(format, ..)| *format == name);
        assert!(has_one != WITHOUT_A_FILE.contains(&name), "{name}");
    }
}

#[test]
fn every_format_is_in_the_documentation() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/formats.md");
    let text = std::fs::read_to_string(path).unwrap();
    let rows: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    let expected: Vec<String> = IMPORTERS
        .iter()
        .map(|importer| format!("| `{}` | {} |", importer.name(), importer.title()))
        .collect();
    assert_eq!(rows, expected);
}

#[test]
fn line_ends_of_windows_and_a_byte_order_mark_change_nothing() {
    for (format, file, ..) in FILES {
        let whole = report(format, file);
        let text = String::from_utf8(bytes(format, file))
            .unwrap()
            .replace('\n', "\r\n");
        let again = read(format!("\u{feff}{text}").as_bytes(), None, None).unwrap();
        assert_eq!(again.findings, whole.findings, "{format}/{file}");
    }
}

#[test]
fn scans_that_did_not_see_everything_are_no_clean_scans() {
    for (format, file, reason) in [
        (
            "pip_audit",
            "skipped.json",
            "1 of 2 dependencies were skipped",
        ),
        ("betterleaks", "one.json", "its state is \"incomplete\""),
        (
            "bandit",
            "one.json",
            "b.py was not scanned: syntax error while parsing AST",
        ),
        ("checkov", "list.json", "/bad.tf could not be parsed"),
        (
            "trufflehog",
            "two.jsonl",
            "one repository could not be cloned",
        ),
        (
            "cyclonedx",
            "inventory.xml",
            "this is an inventory; nobody has looked for vulnerabilities",
        ),
        (
            "syft",
            "inventory.json",
            "this is an inventory; nobody has looked for vulnerabilities",
        ),
        (
            "sonarqube",
            "issues.json",
            "1 of 2 are in this file; further pages are missing",
        ),
        (
            "github_vulnerability",
            "graph.json",
            "further pages of alerts are missing",
        ),
        (
            "sslyze",
            "two.json",
            "robot failed on example.com:443: CONNECTIVITY_ISSUE",
        ),
    ] {
        let report = report(format, file);
        let said = serde_json::to_value(&report.completeness).unwrap();
        assert_eq!(said["reason"], reason, "{format}");
        assert!(!report.is_clean(), "{format}");
    }
}

#[test]
fn what_a_tool_says_of_a_finding_is_kept() {
    let of = |format, file| report(format, file).findings;
    let trivy = of("trivy", "all.json");
    assert_eq!(
        (trivy[0].path.as_deref(), trivy[0].fixed_version.as_deref()),
        (Some("go.mod"), Some("1.0.1"))
    );
    assert_eq!(
        (trivy[0].cve.as_slice(), trivy[0].cwe.as_slice()),
        (&["CVE-2024-0001".to_owned()][..], &[835][..])
    );
    assert_eq!(of("anchore_grype", "two.json")[0].cve, ["CVE-2024-0002"]);
    assert_eq!(
        of("osv_scanner", "group.json")[0].aliases,
        ["GHSA-aaaa-bbbb-cccc", "GO-2024-0004"]
    );
    assert_eq!(of("zizmor", "one.json")[0].start_line, Some(9));
    assert_eq!(
        of("cyclonedx", "vex.json")[1].component.as_deref(),
        Some("other")
    );
    let yamllint = of("yamllint", "two.txt");
    assert_eq!(
        (yamllint[1].title.as_str(), yamllint[1].rule.as_deref()),
        ("too many spaces (inside) brackets", Some("brackets"))
    );
    for (format, file, at, status) in [
        ("detect_secrets", "two.json", 1, ScannerStatus::Suppressed),
        ("anchore_grype", "two.json", 1, ScannerStatus::Suppressed),
        ("gosec", "two.json", 1, ScannerStatus::Suppressed),
        ("semgrep", "two.json", 1, ScannerStatus::Suppressed),
        ("cyclonedx", "vex.json", 0, ScannerStatus::NotAffected),
        ("openvex", "two.json", 1, ScannerStatus::NotAffected),
        ("csaf", "two.json", 1, ScannerStatus::Fixed),
        ("dependency_check", "two.xml", 1, ScannerStatus::Suppressed),
        ("github_sast", "one.json", 0, ScannerStatus::Suppressed),
    ] {
        assert_eq!(of(format, file)[at].status, status, "{format}");
    }
}

#[test]
fn code_is_kept_without_the_numbers_of_its_lines() {
    for (format, file, code) in [
        ("bandit", "one.json", "assert False"),
        ("gosec", "two.json", "os.Open(p)"),
    ] {
        assert_eq!(
            report(format, file).findings[0].snippet.as_deref(),
            Some(code),
            "{format}"
        );
    }
}

#[test]
fn secrets_themselves_are_not_kept() {
    for (format, file, ..) in FILES {
        let said = serde_json::to_string(&report(format, file)).unwrap();
        assert!(!said.contains("not-a-real-secret"), "{format}/{file}");
    }
}

#[test]
fn an_empty_list_is_of_many_tools_until_a_name_tells() {
    let error = read(b"[]", None, None).unwrap_err().to_string();
    assert!(
        error.contains("gitleaks, ruff") && error.contains("Name the format"),
        "{error}"
    );
    assert_eq!(
        read(b"[]", Some("out/ruff.json"), None).unwrap().format,
        "ruff"
    );
    assert_eq!(
        read(b"[]", None, Some("gitleaks")).unwrap().findings.len(),
        0
    );
}

#[test]
fn results_and_script_in_titles_stay_text() {
    let text = r#"[{"code": "E501", "filename": "a.py", "location": {"row": -3, "column": 1e99}, "message": "<script>\u001b[31m\u202e x"}]"#;
    let report = read(text.as_bytes(), None, None).unwrap();
    assert_eq!(
        (
            report.findings[0].title.as_str(),
            report.findings[0].start_line
        ),
        ("<script> x", None)
    );
}

proptest! {
    #![proptest_config(common::cases(48))]

    #[test]
    fn no_bytes_make_any_importer_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes, None, None);
        for importer in IMPORTERS {
            let _ = read(&bytes, None, Some(importer.name()));
        }
    }

    #[test]
    fn no_damage_to_any_report_makes_its_importer_panic(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..5),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        for (format, file, ..) in FILES {
            let mut bytes = bytes(format, file);
            for (at, byte) in &damage {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            if let Some(cut) = &cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            let _ = read(&bytes, None, None);
            let _ = read(&bytes, None, Some(format));
        }
    }
}
