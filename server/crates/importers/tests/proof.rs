//! What a report is, and what of it is told, where content and names say little: file names, bare documents, joined documents,
//! words of severities, places on the web.

mod common;

use common::{Series, numbers};
use holdpoint_domain::Severity;
use holdpoint_importers::{Report, ScannerStatus, read};
use serde_json::{Value, json};

fn sarif(run: &Value) -> Report {
    let log = json!({"version": "2.1.0", "runs": [run]}).to_string();
    read(log.as_bytes(), None, None).unwrap_or_else(|error| panic!("{error}"))
}

fn told(report: &Report) -> String {
    let told = report
        .problems
        .iter()
        .map(|problem| problem.message.as_str());
    told.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_bare_document_is_of_no_tool_unless_whole_words_of_a_name_say_so() {
    for (text, name) in [
        ("[]", None),
        ("[]", Some("gruff.json")),
        ("{}", None),
        (r#"{"findings": []}"#, None),
        (r#"{"findings": []}"#, Some("semgrep.json")),
        (r#"{"warnings": []}"#, None),
        (r#"{"comments": []}"#, Some("out/report.json")),
        ("[[]]", None),
    ] {
        let error = read(text.as_bytes(), name, None).unwrap_err().to_string();
        assert!(
            error.contains("Name the format") || error.contains("let the tool write SARIF"),
            "{text} {name:?}: {error}"
        );
    }
    for (text, name, format) in [
        ("[]", "ruff.json", "ruff"),
        ("[]", "out/Ruff-Report.json", "ruff"),
        ("[]", "trufflehog.json", "trufflehog"),
        ("[]", "trufflehog3.json", "trufflehog3"),
        ("[]", "gl-code-quality-report.json", "gitlab_code_quality"),
        (r#"{"warnings": []}"#, "dodgy.json", "dodgy"),
        (r#"{"comments": []}"#, "shellcheck.json", "shellcheck"),
        (r#"{"results": []}"#, "osv-scanner.json", "osv_scanner"),
    ] {
        let report = read(text.as_bytes(), Some(name), None)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(report.format, format, "{name}");
    }
    // An empty list of TruffleHog is what `jq -s` makes of nothing.
    assert!(
        !read(b"[]", Some("trufflehog.json"), None)
            .unwrap()
            .is_clean()
    );
}

#[test]
fn a_file_of_no_known_format_names_the_nearest_and_what_they_lack() {
    let error = read(br#"{"Issues": [], "Total": 3, "by": "x"}"#, None, None).unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("most like: gosec JSON (gosec: it has Issues; nothing that only"),
        "{error}"
    );
    assert!(error.len() < 700, "{error}");
    let error = read(br#"{"a": 1}"#, Some("bandit.json"), None)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(
            "Bandit JSON (bandit: its name is like it; results, errors, metrics is missing)"
        ),
        "{error}"
    );
}

#[test]
fn an_empty_file_of_a_tool_that_writes_lines_says_how_to_get_evidence() {
    for (name, format) in [(Some("trufflehog.jsonl"), None), (None, Some("trufflehog"))] {
        let error = read(b"\n", name, format).unwrap_err().to_string();
        assert!(error.contains("keep its log too"), "{error}");
    }
}

#[test]
fn documents_that_were_joined_are_read_as_if_they_followed_one_another() {
    let secret = r#"{"SourceMetadata": {"Data": {"Filesystem": {"file": "a", "line": 1}}}, "DetectorName": "AWS", "Raw": "x"}"#;
    let nosey = r#"{"rule_name": "AWS", "num_matches": 1, "matches": [{"provenance": [{"path": "a"}], "match_content": "x"}]}"#;
    let kingfisher = r#"{"rule": {"id": "kingfisher.jwt.1", "name": "jwt"}, "finding": {"path": "a", "validation": {"status": "Not Attempted"}}}"#;
    for (text, format) in [
        (secret, "trufflehog"),
        (nosey, "noseyparker"),
        (kingfisher, "kingfisher"),
    ] {
        let lines = read(format!("{text}\n{text}\n").as_bytes(), None, None).unwrap();
        let list = read(format!("[{text}, {text}]").as_bytes(), None, None).unwrap();
        assert_eq!((lines.format, list.format), (format, format));
        assert_eq!(
            (lines.findings.len(), list.findings.len()),
            (2, 2),
            "{format}"
        );
        assert!(list.completeness.is_complete(), "{format}");
    }
    // Pages of `gh api --slurp`.
    let note =
        r#"{"path": "a.py", "start_line": 1, "annotation_level": "failure", "message": "m"}"#;
    let pages = read(format!("[[{note}], [{note}]]").as_bytes(), None, None).unwrap();
    assert_eq!(
        (pages.format, pages.findings.len()),
        ("github_annotations", 2)
    );
}

#[test]
fn older_versions_of_tools_for_secrets_are_read() {
    let of_2 = r#"{"branch": "main", "commitHash": "abc", "path": "a.env", "reason": "High Entropy", "stringsFound": ["not-a-real-secret"]}"#;
    let report = read(of_2.as_bytes(), None, None).unwrap();
    assert_eq!((report.format, report.findings.len()), ("trufflehog", 1));
    assert_eq!(report.findings[0].path.as_deref(), Some("a.env"));
    let of_4 = r#"[{"line": "k", "offender": "not-a-real-secret", "commit": "abc", "rule": "AWS", "file": "a.env", "severity": "high"}]"#;
    let report = read(of_4.as_bytes(), None, None).unwrap();
    assert_eq!((report.format, report.findings.len()), ("gitleaks", 1));
}

#[test]
fn reports_of_fuzzing_are_not_taken_for_static_analysis() {
    let report = |kind: &str| {
        format!(
            r#"{{"version": "15.0.0", "scan": {{"type": "{kind}", "status": "success", "scanner": {{"name": "x"}}}}, "vulnerabilities": []}}"#
        )
    };
    assert!(read(report("coverage_fuzzing").as_bytes(), None, None).is_err());
    let error = read(
        report("coverage_fuzzing").as_bytes(),
        None,
        Some("gitlab_sast"),
    )
    .unwrap_err();
    assert!(error.to_string().contains("coverage_fuzzing"), "{error}");
    let api = read(report("api_fuzzing").as_bytes(), None, None).unwrap();
    assert_eq!(api.format, "gitlab_dast");
    let error = read(report("dast").as_bytes(), None, Some("gitlab_sast")).unwrap_err();
    assert!(
        error.to_string().contains("its format is gitlab_dast"),
        "{error}"
    );
}

#[test]
fn what_a_tool_has_hidden_is_read_as_suppressed_with_its_reason() {
    let eslint = r#"[{"filePath": "a.js", "messages": [], "suppressedMessages": [{"ruleId": "no-eval", "severity": 2, "message": "m", "line": 1, "suppressions": [{"kind": "directive", "justification": "on purpose"}]}], "errorCount": 0, "warningCount": 0}]"#;
    let gitlab = r#"{"version": "15.0.0", "scan": {"type": "sast", "status": "success", "scanner": {"name": "x"}}, "vulnerabilities": [{"name": "n", "severity": "High", "location": {"file": "a"}, "identifiers": [{"type": "t", "name": "n", "value": "v"}], "flags": [{"type": "flagged-as-likely-false-positive", "origin": "vet", "description": "sanitised"}]}]}"#;
    for (text, reason) in [
        (eslint, "on purpose"),
        (gitlab, "flagged-as-likely-false-positive vet sanitised"),
    ] {
        let report = read(text.as_bytes(), None, None).unwrap();
        let finding = &report.findings[0];
        assert_eq!(finding.status, ScannerStatus::Suppressed);
        assert_eq!(finding.suppression_reason.as_deref(), Some(reason));
    }
}

#[test]
fn a_level_that_was_overridden_for_a_rule_of_an_extension_is_not_the_drivers() {
    let report = sarif(&json!({
        "tool": {
            "driver": {"name": "T", "rules": [{"id": "D", "defaultConfiguration": {"level": "error"}}]},
            "extensions": [{"name": "pack", "rules": [
                {"id": "E", "defaultConfiguration": {"level": "note"}},
                {"id": "F", "defaultConfiguration": {"level": "note"}}
            ]}]
        },
        "invocations": [{"executionSuccessful": true, "ruleConfigurationOverrides": [
            {"descriptor": {"index": 0, "toolComponent": {"index": 0}}, "configuration": {"level": "warning"}},
            {"descriptor": {"id": "F", "toolComponent": {"name": "pack"}}, "configuration": {"level": "error"}}
        ]}],
        "results": [
            {"ruleId": "D", "ruleIndex": 0, "provenance": {"invocationIndex": 0}, "message": {"text": "a"}},
            {"rule": {"index": 0, "toolComponent": {"index": 0}}, "provenance": {"invocationIndex": 0}, "message": {"text": "b"}},
            {"rule": {"index": 1, "toolComponent": {"index": 0}}, "provenance": {"invocationIndex": 0}, "message": {"text": "c"}}
        ]
    }));
    let severities: Vec<Severity> = report
        .findings
        .iter()
        .map(|finding| finding.severity)
        .collect();
    assert_eq!(
        severities,
        [Severity::High, Severity::Medium, Severity::High]
    );
}

#[test]
fn a_word_in_the_place_of_a_score_says_more_than_the_level() {
    for (score, level, severity) in [
        (json!("HIGH"), json!("note"), Severity::High),
        (json!(" 8.1 "), json!("note"), Severity::High),
        (json!("7,5"), json!("note"), Severity::High),
        (json!("undefined"), json!("error"), Severity::High),
        (json!("undefined"), Value::Null, Severity::Unrated),
        (json!("0.0"), json!("error"), Severity::High),
        (json!("0.0"), Value::Null, Severity::Info),
    ] {
        let mut result = json!({"ruleId": "A", "message": {"text": "m"}, "properties": {"security-severity": score}});
        if !level.is_null() {
            result["level"] = level;
        }
        let report = sarif(&json!({"tool": {"driver": {"name": "T"}}, "results": [result]}));
        assert_eq!(report.findings[0].severity, severity, "{result}");
        let is_told = told(&report).contains("security-severity");
        let is_word = result["properties"]["security-severity"]
            .as_str()
            .unwrap()
            .starts_with(['H', 'u']);
        assert_eq!(is_told, is_word, "{result}");
    }
}

#[test]
fn a_score_of_zero_of_a_result_hides_no_score_of_its_rule() {
    for (own, of_rule, severity) in [
        (json!("0.0"), json!("9.8"), Severity::Critical),
        (json!(0), json!("HIGH"), Severity::High),
        (json!("3.9"), json!("9.8"), Severity::Low),
        (json!("0.0"), json!("0.0"), Severity::Info),
    ] {
        let rule = json!({"id": "A", "properties": {"security-severity": of_rule}});
        let report = sarif(&json!({
            "tool": {"driver": {"name": "T", "rules": [rule]}},
            "results": [{"ruleId": "A", "message": {"text": "m"}, "properties": {"security-severity": own}}],
        }));
        assert_eq!(report.findings[0].severity, severity, "{own} {of_rule}");
    }
}

#[test]
fn warnings_that_say_that_something_was_not_looked_at_make_a_scan_incomplete() {
    let with = |id: &str, text: &str| {
        sarif(&json!({
            "tool": {"driver": {"name": "Semgrep OSS"}},
            "invocations": [{"executionSuccessful": true, "toolExecutionNotifications": [
                {"descriptor": {"id": id}, "level": "warning", "message": {"text": text}}
            ]}],
            "results": []
        }))
    };
    let said = serde_json::to_value(&with("Timeout", "slow on a.js").completeness).unwrap();
    assert_eq!(said["reason"], "the tool warned: slow on a.js");
    assert!(!with("Syntax error", "at line b.ts:2").is_clean());
    assert!(with("telemetry", "metrics are on").is_clean());
}

#[test]
fn runs_of_two_categories_are_of_two_targets() {
    for (id, target) in [
        ("/language:javascript/", Some("language:javascript")),
        (
            ".github/workflows/a.yml:analyze/language:go/17",
            Some(".github/workflows/a.yml:analyze/language:go"),
        ),
        ("nightly", Some("nightly")),
        ("build-1234", None),
        ("", None),
    ] {
        let report = sarif(
            &json!({"tool": {"driver": {"name": "T"}}, "automationDetails": {"id": id}, "results": []}),
        );
        assert_eq!(report.target.as_deref(), target, "{id}");
    }
}

#[test]
fn addresses_of_the_web_stay_as_they_are_and_two_sites_are_two_places() {
    let paths = |run: Value| -> Vec<String> {
        let findings = sarif(&run).findings;
        findings
            .into_iter()
            .map(|finding| finding.path.unwrap())
            .collect()
    };
    let result = |uri: &str, base: Value| json!({"ruleId": "A", "message": {"text": "m"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri, "uriBaseId": base}}}]});
    let addresses = [
        "https://shop.example.org/login?next=%2Fcart%3Fa%3D1#top",
        "http://localhost:3333/api/v1/items/",
        "https://shop.example.org",
        "//cdn.example.org/x.js",
    ];
    let results: Vec<Value> = addresses
        .iter()
        .map(|uri| result(uri, Value::Null))
        .collect();
    assert_eq!(
        paths(json!({"tool": {"driver": {"name": "T"}}, "results": results})),
        addresses
    );
    let run = json!({
        "tool": {"driver": {"name": "T"}},
        "originalUriBaseIds": {"A": {"uri": "https://shop.example.org/"}, "B": {"uri": "https://admin.example.org/"}},
        "results": [result("login", json!("A")), result("login", json!("B"))]
    });
    assert_eq!(
        paths(run),
        [
            "https://shop.example.org/login",
            "https://admin.example.org/login"
        ]
    );
    // Folders of a machine change with it, the names of their bases do not.
    let run = json!({
        "tool": {"driver": {"name": "T"}},
        "originalUriBaseIds": {"A": {"uri": "file:///tmp/x1/a/"}, "B": {"uri": "file:///tmp/x2/b/"}},
        "results": [result("m.c", json!("A")), result("m.c", json!("B"))]
    });
    assert_eq!(paths(run), ["A/m.c", "B/m.c"]);
}

#[test]
fn a_result_that_says_nothing_is_refused() {
    let log =
        json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "T"}}, "results": [{}]}]})
            .to_string();
    let error = read(log.as_bytes(), None, None).unwrap_err().to_string();
    assert!(
        error.contains("no message, no rule and no component"),
        "{error}"
    );
}

#[test]
fn the_page_of_sonar_report_is_read_whatever_white_space_it_has() {
    let page = include_str!("../testdata/sonarqube/page.html");
    let spaced = page
        .replace(
            "SonarQube Vulnerability Report",
            "\n  SonarQube\n Vulnerability  Report\n",
        )
        .replace("Detail of the Detected", "Detail  of the\n Detected")
        .replace("</html>", "</html\n>");
    assert_ne!(page, spaced);
    let report = read(spaced.as_bytes(), None, None).unwrap();
    assert_eq!((report.format, report.findings.len()), ("sonarqube", 1));
    assert!(report.completeness.is_complete());
}

#[test]
fn a_weakness_that_is_not_there_may_be_said_so() {
    let report = read(
        br#"{"holdpoint": 1, "findings": [{"title": "t", "severity": "unrated", "cwe": "N/A"}]}"#,
        None,
        None,
    )
    .unwrap();
    assert_eq!(report.findings[0].severity, Severity::Unrated);
    assert!(report.findings[0].cwe.is_empty());
}

fn placed(places: &[(&str, Value)]) -> Report {
    let results: Vec<Value> = places
        .iter()
        .map(|(uri, base)| {
            json!({"ruleId": "A", "message": {"text": "m"}, "locations": [{"physicalLocation": {
                "artifactLocation": {"uri": uri, "uriBaseId": base}, "region": {"startLine": 1, "snippet": {"text": "x = 1"}}
            }}]})
        })
        .collect();
    sarif(&json!({
        "tool": {"driver": {"name": "T"}},
        "originalUriBaseIds": {"A": {"uri": "https://shop.example.org/"}, "B": {"uri": "https://admin.example.org/"}},
        "results": results
    }))
}

#[test]
fn a_finding_stays_with_its_site_and_its_folder() {
    let mut series = Series::default();
    series.import(&placed(&[("login", json!("A")), ("login", json!("B"))]));
    // Of the two the second is left: unchanged 1, fixed 1.
    let left = series.import(&placed(&[("login", json!("B"))]));
    assert_eq!(numbers(&left), [0, 1, 0, 0, 1]);
    assert!(
        left.matches[0].why.contains("same as F-2"),
        "{}",
        left.matches[0].why
    );
    let mut series = Series::default();
    series.import(&placed(&[("tests/app/settings.py", Value::Null)]));
    let elsewhere = series.import(&placed(&[("services/app/settings.py", Value::Null)]));
    assert_eq!(numbers(&elsewhere), [1, 0, 0, 0, 1]);
}

#[test]
fn the_elements_of_pages_need_their_lists_too() {
    let file = r#"{"filePath": "a.js", "messages": null, "errorCount": 0, "warningCount": 0}"#;
    let whole = file.replace("null", "[]");
    for (text, place) in [
        (format!("[{file}]"), "/0/messages"),
        (format!("[[{whole}], [{file}]]"), "/1/0/messages"),
    ] {
        let report = read(text.as_bytes(), None, Some("eslint")).unwrap();
        assert!(!report.completeness.is_complete(), "{text}");
        assert!(
            told(&report).contains(&format!("its list {place} is null")),
            "{}",
            told(&report)
        );
    }
    let wrong = r#"[[{"filePath": "a.js", "messages": "x", "errorCount": 0}]]"#;
    let error = read(wrong.as_bytes(), None, Some("eslint")).unwrap_err();
    assert!(
        error.to_string().contains("a list is required here"),
        "{error}"
    );
}
