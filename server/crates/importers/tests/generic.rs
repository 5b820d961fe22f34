//! The generic format: the examples of its documentation, what is refused, and that what is printed can be read again.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use holdpoint_domain::SuppressionKind;
use holdpoint_importers::{Category, Completeness, Report, ScannerStatus, read};

fn example(kind: &str) -> String {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../docs/generic-format.md"
    );
    let text = std::fs::read_to_string(path).unwrap();
    let after = text.split_once(&format!("```{kind}\n")).unwrap().1;
    after.split_once("```").unwrap().0.to_owned()
}

fn read_text(text: &str) -> Report {
    let report = read(text.as_bytes(), None, None).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.format, "generic");
    report
}

fn refusal(text: &str) -> String {
    read(text.as_bytes(), None, Some("generic"))
        .expect_err(text)
        .to_string()
}

#[test]
fn the_json_in_the_documentation_is_read_as_it_says() {
    let report = read_text(&example("json"));
    assert_eq!(report.problems, []);
    assert_eq!(report.completeness, Completeness::Complete);
    assert_eq!(
        (report.tool.name.as_str(), report.tool.version.as_deref()),
        ("acme-check", Some("2.3.1"))
    );
    assert_eq!(
        report.commit.as_deref(),
        Some("4b825dc642cb6eb9a060e54bf8d69288fbee4904")
    );
    assert_eq!(
        report.repository.as_deref(),
        Some("https://git.example.com/shop/checkout")
    );
    assert_eq!(report.branch.as_deref(), Some("main"));
    assert_eq!(report.scanned_at.as_deref(), Some("2026-05-04T10:15:00Z"));
    let [injection, vulnerability, page] = report.findings.as_slice() else {
        panic!("{} findings", report.findings.len());
    };
    assert_eq!(injection.severity.as_str(), "high");
    assert_eq!(injection.rule.as_deref(), Some("ACME-101"));
    assert_eq!(injection.rule_name.as_deref(), Some("sql-from-input"));
    assert_eq!(injection.path.as_deref(), Some("src/orders/search.py"));
    assert_eq!(
        (injection.start_line, injection.end_line),
        (Some(41), Some(43))
    );
    assert!(injection.snippet.as_deref().unwrap().starts_with("query ="));
    assert_eq!(injection.scope.as_deref(), Some("orders.search"));
    assert_eq!(injection.cwe, [89]);
    assert!(
        injection
            .description
            .as_deref()
            .unwrap()
            .contains("Statements")
    );
    assert!(injection.message.as_deref().unwrap().contains("request"));
    assert!(injection.remediation.as_deref().unwrap().contains("Bind"));
    assert_eq!(
        injection.help_url.as_deref(),
        Some("https://acme.example.com/rules/ACME-101")
    );
    assert_eq!(
        injection.fingerprint.as_deref(),
        Some("9c1185a5c5e9fc54612808977ee8f548")
    );
    assert!(!injection.fingerprint_is_partial);
    assert_eq!(injection.score, Some(8.1));
    assert_eq!(injection.tags.len(), 2);
    assert_eq!(
        (injection.category, injection.status),
        (Some(Category::Code), ScannerStatus::Open)
    );
    assert_eq!(vulnerability.cve, ["CVE-2024-0001"]);
    assert_eq!(vulnerability.aliases, ["GHSA-aaaa-bbbb-cccc"]);
    assert_eq!(vulnerability.cwe, [79, 89]);
    assert_eq!(vulnerability.component.as_deref(), Some("libexample"));
    assert_eq!(vulnerability.component_version.as_deref(), Some("1.2.0"));
    assert_eq!(vulnerability.fixed_version.as_deref(), Some("1.2.1"));
    assert_eq!(vulnerability.category, Some(Category::Dependency));
    assert_eq!(page.status, ScannerStatus::Suppressed);
}

#[test]
fn the_csv_in_the_documentation_says_the_same_as_the_json() {
    let report = read_text(&example("csv"));
    assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
    assert_eq!(
        report.completeness,
        Completeness::Incomplete {
            reason: "two of nine targets did not answer".to_owned()
        }
    );
    let json = read_text(&example("json"));
    assert_eq!(report.tool, json.tool);
    assert_eq!(report.commit, json.commit);
    assert_eq!(report.scanned_at, json.scanned_at);
    assert_eq!(report.findings.len(), json.findings.len());
    for (row, element) in report.findings.iter().zip(&json.findings) {
        assert_eq!(row.severity, element.severity);
        assert_eq!(row.rule, element.rule);
        assert_eq!(row.path, element.path);
        assert_eq!(
            (row.start_line, row.end_line),
            (element.start_line, element.end_line)
        );
        assert_eq!(
            (&row.cve, &row.cwe, &row.aliases),
            (&element.cve, &element.cwe, &element.aliases)
        );
        assert_eq!(row.component, element.component);
        assert_eq!(row.component_version, element.component_version);
        assert_eq!(row.fixed_version, element.fixed_version);
        assert_eq!(
            (row.status, row.category),
            (element.status, element.category)
        );
    }
    // The line in the file, remarks and heading counted.
    assert_eq!(report.findings[0].pointer, "line 7");
}

#[test]
fn every_field_of_the_documentation_is_one_that_is_read() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../docs/generic-format.md"
    );
    let text = std::fs::read_to_string(path).unwrap();
    let table = text.split_once("## Fields of a finding").unwrap().1;
    let table = table.split_once("\n\n").unwrap().1;
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    let mut n_fields = 0;
    for row in rows.skip(2) {
        let names = row.split('|').nth(1).unwrap();
        for name in names.split('`').skip(1).step_by(2) {
            n_fields += 1;
            let text = format!(
                "{{\"holdpoint\": 1, \"findings\": [{{\"title\": \"t\", \"severity\": \"low\", \"{name}\": null}}]}}"
            );
            let problems = match read(text.as_bytes(), None, None) {
                Ok(report) => report.summary.problems,
                // A required one cannot be null.
                Err(error) => {
                    assert!(error.to_string().contains("there"), "{name}: {error}");
                    continue;
                }
            };
            assert_eq!(problems, [], "{name}");
        }
    }
    assert!(n_fields > 20, "{n_fields}");
}

#[test]
fn what_is_wrong_is_refused_with_its_place() {
    let json = |fields: &str| {
        let valid = r#"{"title": "t", "severity": "low"}"#;
        refusal(&format!(
            "{{\"holdpoint\": 1, \"findings\": [{valid}, {{{fields}}}]}}"
        ))
    };
    for (fields, said) in [
        (
            r#""title": "t", "severity": "catastrophic""#,
            "the severity \"catastrophic\" is not known; write critical, high, medium, low, info or unrated.",
        ),
        (r#""title": "t""#, "required and not there: severity."),
        (r#""severity": "low""#, "required and not there: title."),
        (
            r#""title": "t", "severity": "low", "start_line": "x""#,
            "start_line is \"x\"; a whole number from 1 on is required.",
        ),
        (
            r#""title": "t", "severity": "low", "start_line": -3"#,
            "start_line is \"-3\"",
        ),
        (
            r#""title": "t", "severity": "low", "end_line": 1.5"#,
            "end_line is \"1.5\"",
        ),
        (
            r#""title": "t", "severity": "low", "status": "maybe""#,
            "the status \"maybe\" is not known; write open, review, suppressed, not_affected, fixed, absent.",
        ),
        (
            r#""title": "t", "severity": "low", "category": "magic""#,
            "the category \"magic\" is not known",
        ),
        (
            r#""title": "t", "severity": "low", "cwe": ["x"]"#,
            "cwe \"x\" is no weakness",
        ),
    ] {
        let error = json(fields);
        assert!(
            error.contains(said) && error.contains("/findings/1"),
            "{fields}: {error}"
        );
    }
    let csv = refusal("# tool: x\n\ntitle,severity\nok,low\n\"bad\none\",huge\n");
    assert!(
        csv.contains("line 5") && csv.contains("\"huge\" is not known"),
        "{csv}"
    );
    let remark = refusal("# complete: perhaps\ntitle,severity\n");
    assert!(remark.contains("line 1"), "{remark}");
    let heading = refusal("# tool: x\ntitle,severty\nt,low\n");
    assert!(heading.contains("no column severity"), "{heading}");
    let version = refusal(r#"{"holdpoint": 2, "findings": []}"#);
    assert!(version.contains("$.holdpoint"), "{version}");
}

#[test]
fn a_suppression_says_where_it_was_made_and_why() {
    let json = r#"{"holdpoint": 1, "findings": [{"title": "t", "severity": "low", "status": "suppressed", "suppression_kind": "in_source", "suppression_reason": "only\ntests"}]}"#;
    let csv = "title,severity,status,suppression_kind,suppression_reason\nt,low,suppressed,in_source,only  tests\n";
    for text in [json, csv] {
        let claim = read(text.as_bytes(), None, Some("generic"))
            .unwrap()
            .findings[0]
            .claim()
            .unwrap();
        assert_eq!(claim.kind, Some(SuppressionKind::InSource), "{text}");
        assert_eq!(claim.reason.as_deref(), Some("only tests"), "{text}");
    }
    let error = refusal(&json.replace("in_source", "somewhere"));
    assert!(
        error.contains("\"somewhere\" is not known; write in_source, external."),
        "{error}"
    );
    let open = read_text(&json.replace("suppressed", "open"));
    assert_eq!(open.findings[0].claim(), None);
}

#[test]
fn a_field_of_another_name_is_told_once() {
    let text = r#"{"holdpoint": 1, "findings": [{"title": "t", "severity": "low", "colour": 1}, {"title": "u", "severity": "low", "colour": 2}]}"#;
    let report = read_text(text);
    let [problem] = report.problems.as_slice() else {
        panic!("{:?}", report.problems);
    };
    assert_eq!(problem.where_, "/findings/0");
    assert!(problem.message.contains("\"colour\""), "{problem:?}");
}

#[test]
fn what_inspect_prints_can_be_read_again() {
    let first = read_text(&example("json"));
    let printed = serde_json::to_string(&first).unwrap();
    let second = read(printed.as_bytes(), None, Some("generic")).unwrap();
    assert_eq!(second.problems, []);
    assert_eq!(second.findings, first.findings);
    assert_eq!(
        (&second.tool, &second.commit, &second.scanned_at),
        (&first.tool, &first.commit, &first.scanned_at)
    );
    let incomplete = read_text(&example("csv"));
    let printed = serde_json::to_string(&incomplete).unwrap();
    let again = read(printed.as_bytes(), None, Some("generic")).unwrap();
    assert_eq!(again.completeness, incomplete.completeness);
}

#[test]
fn an_empty_list_with_the_mark_is_a_clean_scan() {
    assert!(read_text(r#"{"holdpoint": 1, "tool": {"name": "x"}, "findings": []}"#).is_clean());
    let said =
        r#"{"holdpoint": 1, "complete": false, "incomplete_reason": "no network", "findings": []}"#;
    assert!(!read_text(said).is_clean());
}
