//! SARIF by its specification, part by part, and what is refused.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use holdpoint_domain::Severity;
use holdpoint_importers::{
    Completeness, Confidence, Finding, IMPORTERS, ImportError, Report, ScannerStatus, Sniff, read,
};
use serde_json::{Value, json};

const EVERYTHING: &str = include_str!("../testdata/sarif/everything.sarif");

fn log(run: &Value) -> Vec<u8> {
    json!({"version": "2.1.0", "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "runs": [run]}).to_string().into_bytes()
}

fn run_of(results: &Value) -> Value {
    json!({"tool": {"driver": {"name": "T"}}, "results": results})
}

fn report(run: &Value) -> Report {
    common::read(&log(run))
}

fn only(result: &Value) -> Finding {
    let mut findings = report(&run_of(&json!([result]))).findings;
    assert_eq!(findings.len(), 1);
    findings.remove(0)
}

fn refusal(bytes: &[u8]) -> String {
    read(bytes, Some("x.sarif"), None)
        .map(|report| report.findings)
        .unwrap_err()
        .to_string()
}

#[test]
fn a_report_with_every_part_of_the_standard_reads_as_it_did() {
    let report = common::read(EVERYTHING.as_bytes());
    insta::assert_json_snapshot!("everything", report);
}

#[test]
fn byte_order_marks_utf16_and_line_ends_change_nothing() {
    let expected = common::read(EVERYTHING.as_bytes());
    let crlf = EVERYTHING.replace('\n', "\r\n");
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(EVERYTHING.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    for bytes in [
        [b"\xef\xbb\xbf", EVERYTHING.as_bytes()].concat(),
        utf16,
        crlf.into_bytes(),
        format!("\n\n  {EVERYTHING}\n\n").into_bytes(),
    ] {
        assert_eq!(common::read(&bytes), expected);
    }
}

#[test]
fn a_file_cut_off_anywhere_is_refused() {
    let text = EVERYTHING.trim_end();
    for end in 1..text.len() {
        assert!(
            read(&text.as_bytes()[..end], None, Some("sarif")).is_err(),
            "cut at {end}"
        );
    }
}

/// By 3.27.9 only `fail` says that there is a problem. `review` and `open` say that a person has to decide whether there
/// is one, so they are kept, and by 3.27.10 their level is none. `pass`, `notApplicable` and `informational` say that
/// there is nothing to repair.
#[test]
fn the_kind_decides_whether_a_result_is_a_finding() {
    let table = [
        (None, Some((ScannerStatus::Open, Severity::High))),
        (Some("fail"), Some((ScannerStatus::Open, Severity::High))),
        (
            Some("review"),
            Some((ScannerStatus::Review, Severity::Info)),
        ),
        (Some("open"), Some((ScannerStatus::Review, Severity::Info))),
        (Some("pass"), None),
        (Some("notApplicable"), None),
        (Some("informational"), None),
    ];
    for (kind, expected) in table {
        let report = report(&run_of(
            &json!([{"message": {"text": "m"}, "kind": kind, "level": "error"}]),
        ));
        let is = report
            .findings
            .first()
            .map(|finding| (finding.status, finding.severity));
        assert_eq!(is, expected, "{kind:?}");
        assert_eq!(
            report.n_not_findings,
            u64::from(expected.is_none()),
            "{kind:?}"
        );
    }
}

#[test]
fn severity_comes_from_the_nearest_word_about_it() {
    let run = |result: Value, rule: Value| {
        let mut result = result;
        result["message"] = json!({"text": "m"});
        result["ruleId"] = json!("R");
        let mut rule = rule;
        rule["id"] = json!("R");
        let invocation = json!({
            "executionSuccessful": true,
            "ruleConfigurationOverrides": [{"descriptor": {"id": "R"}, "configuration": {"level": "note"}}],
        });
        let run = json!({
            "tool": {"driver": {"name": "T", "rules": [rule]}}, "results": [result], "invocations": [invocation],
        });
        report(&run).findings[0].severity
    };
    let by_rule = json!({"defaultConfiguration": {"level": "error", "rank": 1.0}});
    let score = json!({"properties": {"security-severity": "9.1"}, "defaultConfiguration": {"level": "note"}});
    assert_eq!(
        run(json!({}), json!({})),
        Severity::Medium,
        "warning is the default"
    );
    assert_eq!(run(json!({}), by_rule.clone()), Severity::High);
    assert_eq!(
        run(json!({"level": "none"}), by_rule.clone()),
        Severity::Info
    );
    assert_eq!(
        run(json!({"level": "note"}), by_rule.clone()),
        Severity::Info
    );
    assert_eq!(
        run(json!({"provenance": {"invocationIndex": 0}}), by_rule),
        Severity::Info,
        "overridden"
    );
    assert_eq!(
        run(json!({"level": "note"}), score.clone()),
        Severity::Critical
    );
    assert_eq!(
        run(
            json!({"properties": {"security-severity": 3.9}}),
            score.clone()
        ),
        Severity::Low
    );
    assert_eq!(
        run(json!({"properties": {"security-severity": 11}}), score),
        Severity::Critical,
        "no such score"
    );
    assert_eq!(run(json!({"rank": 70.0}), json!({})), Severity::High);
    assert_eq!(
        run(json!({"rank": -1.0}), json!({})),
        Severity::Medium,
        "-1 is no rank"
    );
}

/// GitHub's and GitLab's reading of 3.27.23 and 3.35.3 is the same: undecided or refused suppressions do not suppress.
#[test]
fn a_suppression_under_review_or_rejected_does_not_suppress() {
    let table = [
        (json!([{"kind": "external"}]), ScannerStatus::Suppressed),
        (
            json!([{"kind": "inSource", "status": "accepted"}]),
            ScannerStatus::Suppressed,
        ),
        (
            json!([{"kind": "external", "status": "underReview"}]),
            ScannerStatus::Open,
        ),
        (
            json!([{"kind": "external", "status": "rejected"}]),
            ScannerStatus::Open,
        ),
        (
            json!([{"kind": "inSource"}, {"kind": "external", "status": "rejected"}]),
            ScannerStatus::Open,
        ),
        (json!([]), ScannerStatus::Open),
        (json!(null), ScannerStatus::Open),
    ];
    for (suppressions, expected) in table {
        let finding = only(&json!({"message": {"text": "m"}, "suppressions": suppressions}));
        assert_eq!(finding.status, expected, "{suppressions}");
    }
}

#[test]
fn a_run_that_failed_or_has_no_results_is_incomplete_and_never_clean() {
    let with = |invocation: Value| {
        let mut run = run_of(&json!([]));
        run["invocations"] = json!([invocation]);
        report(&run)
    };
    assert!(with(json!({"executionSuccessful": true})).is_clean());
    let notified = |level: &str| {
        let notification = json!({"level": level, "message": {"text": "Rule X crashed"}});
        with(json!({"executionSuccessful": true, "toolExecutionNotifications": [notification]}))
    };
    assert!(notified("note").is_clean());
    // Warnings are of many things; this one says that a rule was not run.
    assert_eq!(
        notified("warning").completeness,
        Completeness::Incomplete {
            reason: "the tool warned: Rule X crashed".into()
        }
    );
    let crashed = notified("error");
    assert_eq!(
        crashed.completeness,
        Completeness::Incomplete {
            reason: "the tool reported an error: Rule X crashed".into()
        }
    );
    for run in [
        json!({"tool": {"driver": {"name": "T"}}}),
        json!({"tool": {"driver": {"name": "T"}}, "results": null}),
        json!({"tool": {"driver": {"name": "T"}}, "results": [], "invocations": [{"executionSuccessful": false}]}),
        json!({"tool": {"driver": {"name": "T"}}, "externalPropertyFileReferences": {"results": [{"itemCount": 5}]}}),
    ] {
        let report = report(&run);
        assert!(
            !report.is_clean() && !report.completeness.is_complete(),
            "{run}"
        );
        assert!(!report.problems.is_empty(), "{run}");
    }
    let no_runs = common::read(br#"{"version": "2.1.0", "runs": []}"#);
    assert!(!no_runs.is_clean());
}

#[test]
fn rules_are_found_by_index_guid_id_and_in_extensions() {
    let tool = json!({
        "driver": {"name": "T", "guid": "g0", "rules": [{"id": "A", "name": "first"}, {"id": "B", "guid": "gb", "name": "second"}]},
        "extensions": [{"name": "E", "guid": "g1", "rules": [{"id": "A", "name": "extended"}, {"id": "C", "name": "third"}]}],
    });
    let table = [
        (json!({"ruleIndex": 1}), Some("second"), Some("B")),
        (json!({"ruleId": "B"}), Some("second"), Some("B")),
        (
            json!({"ruleId": "B/sub/part"}),
            Some("second"),
            Some("B/sub/part"),
        ),
        (json!({"ruleId": "C"}), Some("third"), Some("C")),
        (json!({"rule": {"guid": "gb"}}), Some("second"), Some("B")),
        (
            json!({"rule": {"index": 0, "toolComponent": {"index": 0}}}),
            Some("extended"),
            Some("A"),
        ),
        (
            json!({"ruleId": "A", "rule": {"toolComponent": {"guid": "g1"}}}),
            Some("extended"),
            Some("A"),
        ),
        (
            json!({"ruleId": "A", "rule": {"toolComponent": {"name": "E"}}}),
            Some("extended"),
            Some("A"),
        ),
        (
            json!({"ruleId": "B", "ruleIndex": 0}),
            Some("second"),
            Some("B"),
        ),
        (
            json!({"ruleId": "B", "ruleIndex": -1}),
            Some("second"),
            Some("B"),
        ),
        (json!({"ruleId": "Z"}), None, Some("Z")),
        (json!({}), None, None),
    ];
    for (result, name, id) in table {
        let mut result = result;
        result["message"] = json!({"text": "m"});
        let report = report(&json!({"tool": tool, "results": [result]}));
        let finding = &report.findings[0];
        assert_eq!(
            (finding.rule_name.as_deref(), finding.rule.as_deref()),
            (name, id),
            "{result}"
        );
        let told = report
            .problems
            .iter()
            .map(|problem| problem.message.as_str());
        assert_eq!(
            told.collect::<Vec<_>>(),
            ["Of 1 results no place is named."],
            "{result}"
        );
    }
}

#[test]
fn a_rule_index_out_of_range_is_a_problem_and_the_result_is_kept() {
    for index in [json!(7), json!(-5), json!(1e300)] {
        let report = report(&run_of(
            &json!([{"message": {"text": "m"}, "ruleId": "R", "ruleIndex": index}]),
        ));
        assert_eq!(report.findings.len(), 1);
        assert_eq!(
            report.problems[0].where_, "/runs/0/results/0/ruleIndex",
            "{index}"
        );
    }
}

#[test]
fn impossible_lines_are_left_out() {
    for line in [
        json!(0),
        json!(-4),
        json!(1.5),
        json!(99_999_999_999_u64),
        json!("x"),
        json!(null),
        json!([]),
    ] {
        let place = json!({"physicalLocation": {"artifactLocation": {"uri": "a.c"}, "region": {"startLine": line, "endLine": 3}}});
        let finding = only(&json!({"message": {"text": "m"}, "locations": [place]}));
        assert_eq!(
            (finding.start_line, finding.end_line),
            (None, None),
            "{line}"
        );
    }
}

#[test]
fn paths_are_relative_to_the_repository() {
    let path = |bases: Value, location: Value, extra: Value| {
        let mut run = run_of(
            &json!([{"message": {"text": "m"}, "locations": [{"physicalLocation": {"artifactLocation": location}}]}]),
        );
        run["originalUriBaseIds"] = bases;
        for (key, value) in extra.as_object().unwrap() {
            run[key] = value.clone();
        }
        report(&run).findings[0].path.clone().unwrap_or_default()
    };
    let none = json!({});
    let root = json!({"SRCROOT": {"uri": "file:///home/ci/repo/"}});
    assert_eq!(
        path(
            root.clone(),
            json!({"uri": "a/b.c", "uriBaseId": "SRCROOT"}),
            none.clone()
        ),
        "a/b.c"
    );
    assert_eq!(
        path(
            root.clone(),
            json!({"uri": "file:///home/ci/repo/a/b.c"}),
            none.clone()
        ),
        "a/b.c"
    );
    assert_eq!(
        path(root, json!({"uri": "/home/ci/repo/./a//b.c"}), none.clone()),
        "a/b.c"
    );
    let nested =
        json!({"SRCROOT": {"uri": "src/", "uriBaseId": "REPO"}, "REPO": {"uri": "file:///r/"}});
    assert_eq!(
        path(
            nested,
            json!({"uri": "b.c", "uriBaseId": "SRCROOT"}),
            none.clone()
        ),
        "src/b.c"
    );
    let symbolic = json!({"SRCROOT": {"description": {"text": "the root"}}});
    assert_eq!(
        path(
            symbolic,
            json!({"uri": "b.c", "uriBaseId": "SRCROOT"}),
            none.clone()
        ),
        "b.c"
    );
    let circle =
        json!({"A": {"uri": "a/", "uriBaseId": "B"}, "B": {"uri": "b/", "uriBaseId": "A"}});
    assert!(
        path(
            circle,
            json!({"uri": "x.c", "uriBaseId": "A"}),
            none.clone()
        )
        .ends_with("a/x.c")
    );
    let worked = json!({"invocations": [{"executionSuccessful": true, "workingDirectory": {"uri": "file:///w/d"}}]});
    assert_eq!(
        path(json!(null), json!({"uri": "file:///w/d/x.c"}), worked),
        "x.c"
    );
    assert_eq!(
        path(
            json!(null),
            json!({"uri": "..\\..\\etc\\passwd"}),
            none.clone()
        ),
        "etc/passwd"
    );
    assert_eq!(
        path(json!(null), json!({"uri": "C:\\repo\\x.c"}), none),
        "repo/x.c"
    );
}

#[test]
fn hostile_text_reaches_nothing_but_the_text() {
    let finding = only(&json!({
        "ruleId": "R\u{0}\u{1b}[31m",
        "message": {"text": "<script>alert(1)</script> \u{1b}[2J\u{202e}gnp.exe\nsecond line\u{0}"},
    }));
    assert_eq!(
        finding.title,
        "<script>alert(1)</script> gnp.exe second line"
    );
    assert_eq!(
        finding.message.as_deref(),
        Some("<script>alert(1)</script> gnp.exe\nsecond line")
    );
    assert_eq!(finding.rule.as_deref(), Some("R"));
}

#[test]
fn what_is_no_report_is_refused_with_what_was_expected_and_where_it_broke() {
    assert_eq!(read(b"", None, None).unwrap_err(), ImportError::Empty);
    assert_eq!(
        read(b" \n ", None, Some("sarif")).unwrap_err(),
        ImportError::Empty
    );
    assert!(refusal(b"<!DOCTYPE html><html><body>Sign in</body></html>").contains("web page"));
    assert!(refusal(b"hello").contains("let the tool write SARIF 2.1.0"));
    assert!(refusal(b"\x00\x01\x02PK").contains("let the tool write SARIF 2.1.0"));
    assert!(matches!(
        read(b"{}", None, Some("nonesuch")),
        Err(ImportError::NoSuchFormat { .. })
    ));
    let table: [(&[u8], &str); 7] = [
        (br#"{"version": "2.1.0"}"#, "at $.runs"),
        (br#"{"version": "2.1.0", "runs": null}"#, "at $.runs"),
        (br#"{"version": "2.1.0", "runs": {}}"#, "at $.runs (line 1, column"),
        (br#"{"version": "1.0.0", "runs": []}"#, "has version \"1.0.0\""),
        (
            b"{\"version\": \"2.1.0\", \"runs\": [{\"tool\": {\"driver\": {\"name\": \"T\"}},\n \"results\": [{\"ruleId\": \"A\"}, {\"locations\": 5}]}]}",
            "at $.runs[0].results[1].locations (line 2, column",
        ),
        (
            br#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "T"}}, "results": [{"rank": NaN}]}]}"#,
            "at $.runs[0].results[0].rank (line 1, column",
        ),
        (br#"{"version": "2.1.0", "runs": [{"tool": "#, "cut off"),
    ];
    for (bytes, expected) in table {
        let message = refusal(bytes);
        assert!(
            message.contains(expected),
            "{message}\nshould contain {expected}"
        );
    }
}

#[test]
fn deep_nesting_is_refused_or_skipped_and_never_overflows() {
    let deep = format!("{}1{}", "[".repeat(200_000), "]".repeat(200_000));
    let of = |key: &str| {
        format!(
            r#"{{"version": "2.1.0", "runs": [{{"tool": {{"driver": {{"name": "T"}}}}, "results": [{{"message": {{"text": "m"}}, "{key}": {deep}}}]}}]}}"#
        )
    };
    assert!(matches!(
        read(of("fingerprints").as_bytes(), None, None),
        Err(ImportError::TooDeep { line: 1, .. })
    ));
    assert_eq!(
        read(of("unknown").as_bytes(), None, None)
            .unwrap()
            .findings
            .len(),
        1
    );
}

#[test]
fn unreadable_bytes_in_a_snippet_do_not_cost_the_report() {
    let mut bytes = log(&run_of(&json!([{"message": {"text": "caf_"}}])));
    let at = bytes
        .windows(4)
        .position(|window| window == b"caf_")
        .unwrap()
        + 3;
    bytes[at] = 0xe9;
    let report = common::read(&bytes);
    assert_eq!(report.findings[0].title, "caf\u{fffd}");
    assert_eq!(report.problems[0].where_, "line 1");
}

#[test]
fn a_file_is_recognised_by_its_content_and_not_by_its_name() {
    let confidence = |text: &str| IMPORTERS[0].detect(&Sniff::of(text, Some("report.xml")));
    assert_eq!(confidence(EVERYTHING), Confidence::Certain);
    assert_eq!(
        confidence(r#"{"runs": [{"tool": {"driver": {}}}]}"#),
        Confidence::Likely
    );
    assert_eq!(
        confidence(r#"{"results": [{"runs": 1, "x": "sarif 2.1.0"}]}"#),
        Confidence::No
    );
    assert_eq!(confidence("runs: sarif"), Confidence::No);
}

#[test]
fn memory_for_shared_rule_texts_is_shared() {
    let rule = json!({"id": "R", "fullDescription": {"text": "long"}});
    let result = json!({"ruleId": "R", "message": {"text": "m"}});
    let report = report(
        &json!({"tool": {"driver": {"name": "T", "rules": [rule]}}, "results": [result, result]}),
    );
    let texts: Vec<*const u8> = report
        .findings
        .iter()
        .map(|f| f.description.as_deref().unwrap().as_ptr())
        .collect();
    assert_eq!(texts[0], texts[1]);
}
