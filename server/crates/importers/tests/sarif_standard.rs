//! What SARIF 2.1.0 says of defaults, references and absent values, each with the section that says it.

use holdpoint_domain::{ScannerState, Severity, SuppressionKind};
use holdpoint_importers::{Finding, Report, ScannerStatus, read};
use serde_json::{Value, json};

fn report(run: &Value) -> Report {
    let log = json!({"version": "2.1.0", "runs": [run]}).to_string();
    read(log.as_bytes(), None, None).unwrap_or_else(|error| panic!("{error}"))
}

/// What is noted of a report, but that it names no place, as most results here do not.
fn told(report: &Report) -> Vec<&str> {
    let told = report
        .problems
        .iter()
        .map(|problem| problem.message.as_str());
    told.filter(|message| !message.ends_with("no place is named."))
        .collect()
}

/// The one finding of a run with one result, whose tool is given.
fn only_of(driver: &Value, result: &Value) -> Finding {
    let report = report(&json!({"tool": {"driver": driver}, "results": [result]}));
    assert_eq!(told(&report), [""; 0], "{result}");
    assert_eq!(report.findings.len(), 1, "{result}");
    report.findings[0].clone()
}

fn only(result: &Value) -> Finding {
    only_of(&json!({"name": "t"}), result)
}

#[test]
fn minus_one_is_the_index_of_nothing() {
    // 3.27.7, 3.4.5, 3.33.3: the default of an index is -1.
    let finding = only(&json!({
        "ruleIndex": -1,
        "ruleId": "A",
        "message": {"text": "m"},
        "locations": [{
            "physicalLocation": {"artifactLocation": {"uri": "a.c", "index": -1}, "region": {"startLine": 2}},
            "logicalLocations": [{"name": "f", "index": -1, "parentIndex": -1}]
        }]
    }));
    assert_eq!(finding.path.as_deref(), Some("a.c"));
    assert_eq!(finding.scope.as_deref(), Some("f"));
    assert_eq!(finding.rule.as_deref(), Some("A"));
}

#[test]
fn null_stands_for_absent_everywhere() {
    let driver = json!({"name": "t", "version": null, "rules": null, "notifications": null});
    let report = report(&json!({"tool": {"driver": driver}, "results": [
        {
            "ruleId": "A", "ruleIndex": null, "rule": null, "kind": null, "level": null, "rank": null, "baselineState": null,
            "message": {"text": "m", "id": null, "arguments": null}, "locations": null, "relatedLocations": null,
            "codeFlows": null, "fixes": null, "suppressions": null, "taxa": null, "fingerprints": null,
            "partialFingerprints": null, "properties": null, "provenance": null, "analysisTarget": null
        }
    ]}));
    // Where it could hide something it is told.
    assert_eq!(
        told(&report),
        [
            "The level is null.",
            "The baseline state \"null\" is not in the standard.",
            "Of 1 results the list of suppressions or of logical locations is null, which the standard does not know."
        ]
    );
    let finding = &report.findings[0];
    assert_eq!(
        (finding.severity, finding.status),
        (Severity::Medium, ScannerStatus::Open)
    );
}

#[test]
fn a_hierarchical_rule_id_belongs_to_the_rule_that_it_extends() {
    // 3.27.5: a ruleId may have further components behind the rule's id.
    let driver = json!({"name": "t", "rules": [
        {"id": "CA1000", "shortDescription": {"text": "Short"}, "defaultConfiguration": {"level": "error"}}
    ]});
    let finding = only_of(
        &driver,
        &json!({"ruleId": "CA1000/1", "message": {"text": "m"}}),
    );
    assert_eq!(finding.severity, Severity::High);
    assert_eq!(finding.rule.as_deref(), Some("CA1000/1"));
}

#[test]
fn the_default_level_is_warning_and_that_of_the_rule_comes_first() {
    // 3.27.10, 3.50.3.
    let of = |configuration: Value, result: Value| {
        let driver =
            json!({"name": "t", "rules": [{"id": "A", "defaultConfiguration": configuration}]});
        let mut whole = json!({"ruleId": "A", "message": {"text": "m"}});
        whole
            .as_object_mut()
            .unwrap()
            .extend(result.as_object().unwrap().clone());
        only_of(&driver, &whole).severity
    };
    for (configuration, result, severity) in [
        (json!({}), json!({}), Severity::Medium),
        (json!({"level": "note"}), json!({}), Severity::Info),
        (
            json!({"level": "note"}),
            json!({"level": "error"}),
            Severity::High,
        ),
        (json!({"level": "none"}), json!({}), Severity::Info),
        (
            json!({"level": "error", "rank": 10.0}),
            json!({}),
            Severity::High,
        ),
        (json!({"rank": 95.0}), json!({}), Severity::Critical),
        (
            json!({"rank": -1.0}),
            json!({"rank": -1.0}),
            Severity::Medium,
        ),
        (json!({}), json!({"rank": 20.0}), Severity::Low),
        (json!({}), json!({"rank": 4000.0}), Severity::Medium),
    ] {
        assert_eq!(
            of(configuration.clone(), result.clone()),
            severity,
            "{configuration} {result}"
        );
    }
}

#[test]
fn an_invocation_may_be_configured_to_give_a_rule_another_level_or_rank() {
    // 3.20.5, 3.27.10, 3.27.25: what the result says itself comes first, then the override, then the rule.
    let of = |rule: Value, configuration: Value, result: Value| {
        let mut whole =
            json!({"ruleId": "A", "message": {"text": "m"}, "provenance": {"invocationIndex": 0}});
        whole
            .as_object_mut()
            .unwrap()
            .extend(result.as_object().unwrap().clone());
        let run = json!({
            "tool": {"driver": {"name": "t", "rules": [{"id": "A", "defaultConfiguration": rule}]}},
            "invocations": [{"executionSuccessful": true, "ruleConfigurationOverrides": [
                {"descriptor": {"id": "A"}, "configuration": configuration}]}],
            "results": [whole]
        });
        report(&run).findings[0].severity
    };
    let (level, rank) = (
        |level| json!({"level": level}),
        |rank| json!({"rank": rank}),
    );
    let none = json!({});
    assert_eq!(
        of(level("note"), level("error"), none.clone()),
        Severity::High
    );
    assert_eq!(
        of(none.clone(), level("error"), level("note")),
        Severity::Info
    );
    assert_eq!(of(rank(10.0), rank(95.0), none.clone()), Severity::Critical);
    assert_eq!(of(none.clone(), rank(95.0), rank(10.0)), Severity::Low);
    assert_eq!(of(level("note"), rank(95.0), none), Severity::Info);
}

#[test]
fn security_severity_is_a_score_whoever_writes_it() {
    for (rule, result, severity) in [
        (
            json!({"security-severity": "9.1"}),
            json!({}),
            Severity::Critical,
        ),
        (
            json!({"security-severity": 5}),
            json!({"security-severity": "8.0"}),
            Severity::High,
        ),
        (
            json!({"security-severity": "not a number"}),
            json!({}),
            Severity::Unrated,
        ),
        (
            json!({"security-severity": "-1"}),
            json!({}),
            Severity::Unrated,
        ),
        (
            json!({"security-severity": "1e9"}),
            json!({}),
            Severity::Unrated,
        ),
    ] {
        let driver = json!({"name": "t", "rules": [{"id": "A", "properties": rule}]});
        let result = json!({"ruleId": "A", "message": {"text": "m"}, "properties": result});
        let report = report(&json!({"tool": {"driver": driver}, "results": [result]}));
        let finding = &report.findings[0];
        // What is no score is told, and no rating.
        let is_unrated = severity == Severity::Unrated;
        assert_eq!(told(&report).len(), usize::from(is_unrated), "{rule}");
        assert_eq!(finding.severity, severity, "{rule} {result}");
    }
}

#[test]
fn the_baseline_says_what_is_new_and_what_is_gone() {
    // 3.27.24.
    for (state, status) in [
        ("new", ScannerStatus::Open),
        ("unchanged", ScannerStatus::Open),
        ("updated", ScannerStatus::Open),
        ("absent", ScannerStatus::Absent),
    ] {
        let finding = only(&json!({"message": {"text": "m"}, "baselineState": state}));
        assert_eq!(finding.status, status, "{state}");
    }
}

#[test]
fn an_empty_list_of_suppressions_suppresses_nothing() {
    // 3.27.23: empty says that suppressions were looked for and that there are none.
    for (suppressions, status) in [
        (json!([]), ScannerStatus::Open),
        (json!([{"kind": "external"}]), ScannerStatus::Suppressed),
        (
            json!([{"kind": "inSource", "status": "accepted"}]),
            ScannerStatus::Suppressed,
        ),
        (
            json!([{"kind": "inSource"}, {"kind": "external", "status": "underReview"}]),
            ScannerStatus::Open,
        ),
        (
            json!([{"kind": "external", "status": "rejected"}]),
            ScannerStatus::Open,
        ),
    ] {
        let finding = only(&json!({"message": {"text": "m"}, "suppressions": suppressions}));
        assert_eq!(finding.status, status, "{suppressions}");
    }
}

#[test]
fn a_suppression_says_where_it_was_made_and_why() {
    // 3.35.2, 3.35.4: of several the first that gives a reason.
    let (in_source, external) = (
        Some(SuppressionKind::InSource),
        Some(SuppressionKind::External),
    );
    for (suppressions, kind, reason) in [
        (json!([{"kind": "inSource"}]), in_source, None),
        (
            json!([{"kind": "inSource", "justification": " "}, {"kind": "external", "justification": "only\ntests"}]),
            external,
            Some("only tests"),
        ),
        (
            json!([{"kind": "external", "justification": "one"}, {"kind": "inSource", "justification": "two"}]),
            external,
            Some("one"),
        ),
        (
            json!([{"kind": "elsewhere"}, {"kind": "inSource"}]),
            None,
            None,
        ),
    ] {
        let finding = only(&json!({"message": {"text": "m"}, "suppressions": suppressions}));
        assert_eq!(finding.suppression_kind, kind, "{suppressions}");
        assert_eq!(
            finding.suppression_reason.as_deref(),
            reason,
            "{suppressions}"
        );
        let claim = finding.claim().unwrap();
        assert_eq!((claim.kind, claim.reason.as_deref()), (kind, reason));
    }
    let refused = json!([{"kind": "inSource", "justification": "x", "status": "rejected"}]);
    let finding = only(&json!({"message": {"text": "m"}, "suppressions": refused}));
    assert_eq!((finding.claim(), finding.suppression_reason), (None, None));
    let asks = only(&json!({"message": {"text": "m"}, "kind": "review"}));
    assert_eq!(
        asks.claim().map(|claim| claim.state),
        Some(ScannerState::Review)
    );
}

#[test]
fn weaknesses_come_from_taxa_relationships_and_tags() {
    // 3.27.8, 3.49.15.
    let run = |result: Value, rule: Value| {
        json!({
            "tool": {
                "driver": {"name": "t", "rules": [rule], "taxa": [{"id": "CWE-20", "guid": "own"}], "supportedTaxonomies": [{"name": "CWE", "guid": "1a567403-868f-405e-92cf-771a9ecb03a1"}]},
                "extensions": [{"name": "Our CWE", "taxa": [{"id": "21"}]}]
            },
            "taxonomies": [{"name": "CWE", "guid": "1a567403-868f-405e-92cf-771a9ecb03a1", "taxa": [{"id": "22", "guid": "33333333-868f-405e-92cf-771a9ecb03a1"}, {"id": "CWE-79"}]}],
            "results": [result]
        })
    };
    let plain = json!({"ruleId": "A", "message": {"text": "m"}});
    for (taxon, cwe) in [
        (json!({"id": "22", "toolComponent": {"name": "CWE"}}), 22),
        (json!({"index": 1, "toolComponent": {"index": 0}}), 79),
        (
            json!({"index": 0, "toolComponent": {"guid": "1a567403-868f-405e-92cf-771a9ecb03a1"}}),
            22,
        ),
        (
            json!({"guid": "33333333-868f-405e-92cf-771a9ecb03a1", "toolComponent": {"index": 0}}),
            22,
        ),
        (json!({"id": "CWE-400"}), 400),
        // 3.19.25: the tool's own.
        (json!({"index": 0}), 20),
        (json!({"guid": "own"}), 20),
        (
            json!({"index": 0, "toolComponent": {"name": "Our CWE"}}),
            21,
        ),
    ] {
        let mut result = plain.clone();
        result["taxa"] = json!([taxon]);
        let by_result = report(&run(result, json!({"id": "A"})));
        assert_eq!(by_result.findings[0].cwe, [cwe], "{taxon}");
        let rule = json!({"id": "A", "relationships": [{"target": taxon, "kinds": ["relevant"]}]});
        let by_rule = report(&run(plain.clone(), rule));
        assert_eq!(by_rule.findings[0].cwe, [cwe], "{taxon}");
    }
    let tagged =
        json!({"id": "A", "properties": {"tags": ["external/cwe/cwe-089", "CWE-564: Hibernate"]}});
    assert_eq!(report(&run(plain, tagged)).findings[0].cwe, [89, 564]);
}

#[test]
fn base_addresses_are_put_together_and_those_without_an_address_are_left_out() {
    // 3.14.14, 3.4.4.
    let run = json!({
        "tool": {"driver": {"name": "t"}},
        "originalUriBaseIds": {
            "ROOT": {"uri": "file:///srv/checkout/"},
            "SRC": {"uri": "src/", "uriBaseId": "ROOT"},
            "UNKNOWN": {"description": {"text": "wherever it was"}},
            "LOOP": {"uri": "x/", "uriBaseId": "LOOP"}
        },
        "results": [
            {"message": {"text": "m"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.c", "uriBaseId": "SRC"}}}]},
            {"message": {"text": "m"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.c", "uriBaseId": "ROOT"}}}]},
            {"message": {"text": "m"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "b.c", "uriBaseId": "UNKNOWN"}}}]},
            {"message": {"text": "m"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "c.c", "uriBaseId": "MISSING"}}}]},
            {"message": {"text": "m"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "d.c", "uriBaseId": "LOOP"}}}]}
        ]
    });
    let paths: Vec<_> = report(&run)
        .findings
        .into_iter()
        .map(|finding| finding.path.unwrap())
        .collect();
    assert_eq!(paths[..4], ["src/a.c", "a.c", "b.c", "c.c"]);
    assert!(paths[4].ends_with("d.c"), "{paths:?}");
}

#[test]
fn messages_of_rules_extensions_and_the_tool_are_found_by_their_id() {
    // 3.11.7: the rule's messageStrings, then the component's globalMessageStrings; 3.11.5: placeholders.
    let run = json!({
        "tool": {
            "driver": {"name": "t", "globalMessageStrings": {"g": {"text": "Global {0}"}},
                "rules": [{"id": "A", "messageStrings": {"own": {"text": "Own {1} and {0}"}}}]},
            "extensions": [{"name": "x", "rules": [{"id": "B", "messageStrings": {"own": {"markdown": "**b**", "text": "Extension {0}"}}}]}]
        },
        "results": [
            {"ruleId": "A", "ruleIndex": 0, "message": {"id": "own", "arguments": ["first", "second"]}},
            {"ruleId": "A", "ruleIndex": 0, "message": {"id": "g", "arguments": ["x"]}},
            {"rule": {"index": 0, "toolComponent": {"index": 0}}, "message": {"id": "own", "arguments": ["y"]}},
            {"ruleId": "A", "ruleIndex": 0, "message": {"id": "nowhere"}}
        ]
    });
    let report = report(&run);
    let said: Vec<_> = report
        .findings
        .iter()
        .map(|finding| finding.message.as_deref().unwrap_or(""))
        .collect();
    assert_eq!(
        said,
        ["Own second and first", "Global x", "Extension y", ""]
    );
    assert_eq!(report.findings[2].rule.as_deref(), Some("B"));
}

#[test]
fn the_code_is_the_regions_own_snippet_else_that_of_the_context_or_the_contents() {
    // 3.30.13, 3.29.5, 3.24.8.
    let region = |physical: Value| {
        let run = json!({
            "tool": {"driver": {"name": "t"}},
            "artifacts": [{"location": {"uri": "a.c"}, "contents": {"text": "one\ntwo\nthree\n"}}],
            "results": [{"message": {"text": "m"}, "locations": [{"physicalLocation": physical}]}]
        });
        report(&run).findings[0].snippet.clone()
    };
    let at = json!({"uri": "a.c", "index": 0});
    let cases = [
        (
            json!({"artifactLocation": at, "region": {"startLine": 2, "snippet": {"text": "own"}}}),
            "own",
        ),
        (
            json!({"artifactLocation": at, "region": {"startLine": 2}, "contextRegion": {"startLine": 1, "snippet": {"text": "x\ny\nz"}}}),
            "y",
        ),
        (
            json!({"artifactLocation": at, "region": {"startLine": 2, "endLine": 3}}),
            "two\nthree",
        ),
    ];
    for (physical, code) in cases {
        assert_eq!(
            region(physical.clone()).as_deref(),
            Some(code),
            "{physical}"
        );
    }
}

#[test]
fn code_flows_related_places_and_fixes_are_kept() {
    let place = |line: u32| json!({"physicalLocation": {"artifactLocation": {"uri": "a.c"}, "region": {"startLine": line}}, "message": {"text": "here"}});
    let finding = only(&json!({
        "message": {"text": "m"},
        "locations": [place(1), place(5)],
        "relatedLocations": [place(2)],
        "codeFlows": [{"threadFlows": [{"locations": [{"location": place(3)}, {"location": place(4)}]}]}],
        "fixes": [{"description": {"text": "Do"}, "artifactChanges": [{"artifactLocation": {"uri": "a.c"}, "replacements": [
            {"deletedRegion": {"startLine": 1, "startColumn": 1, "endColumn": 4}, "insertedContent": {"text": "new"}}]}]}]
    }));
    assert_eq!(finding.other_places.len(), 1);
    assert_eq!(finding.related[0].start_line, Some(2));
    let flow = serde_json::to_value(&finding.code_flows)
        .unwrap()
        .to_string();
    assert!(
        flow.contains("\"start_line\":3") && flow.contains("\"start_line\":4"),
        "{flow}"
    );
    let fixes = serde_json::to_value(&finding.fixes).unwrap().to_string();
    assert!(fixes.contains("new") && fixes.contains("a.c"), "{fixes}");
}

/// The lines kept with a fix of line 3, from what a result says of its place.
fn lines_near(physical: &Value, deleted: &Value, artifacts: &Value) -> Vec<(u32, String)> {
    let mut physical = physical.clone();
    physical["artifactLocation"] = json!({"uri": "a.c"});
    let run = json!({
        "tool": {"driver": {"name": "t"}},
        "artifacts": artifacts,
        "results": [{
            "message": {"text": "m"},
            "locations": [{"physicalLocation": physical}],
            "fixes": [{"artifactChanges": [{"artifactLocation": {"uri": "a.c"}, "replacements": [
                {"deletedRegion": deleted, "insertedContent": {"text": "new"}}]}]}]
        }]
    });
    let lines = &report(&run).findings[0].fixes[0].changes[0].lines;
    lines
        .iter()
        .map(|line| (line.line, line.text.clone()))
        .collect()
}

#[test]
fn lines_near_a_fix_are_kept_where_the_report_shows_them_whole() {
    // 3.30.13: a snippet is the text between a region's points, so that columns may cut lines off.
    let line_3 = json!({"startLine": 3, "startColumn": 5, "endColumn": 8});
    let nothing: &[(u32, &str)] = &[];
    for (physical, expected) in [
        (
            json!({"region": {"startLine": 3, "snippet": {"text": "    old(x);"}}}),
            &[(3, "    old(x);\n")][..],
        ),
        (
            json!({"region": {"startLine": 3, "startColumn": 5, "endColumn": 8, "snippet": {"text": "old"}}}),
            nothing,
        ),
        (
            json!({"region": {"startLine": 3, "startColumn": 1, "endColumn": 12, "snippet": {"text": "    old(x);"}}}),
            nothing,
        ),
        // From the region's start to the end of the line.
        (
            json!({"region": {"startLine": 3, "startColumn": 5, "endColumn": 8, "snippet": {"text": "old(x); // y"}}}),
            nothing,
        ),
        // Semgrep: the lines that the region lies in.
        (
            json!({"region": {"startLine": 3, "startColumn": 9, "endColumn": 10, "snippet": {"text": "    old(x);"}}}),
            &[(3, "    old(x);\n")][..],
        ),
        (
            json!({"region": {"startLine": 3, "startColumn": 1, "endColumn": 4, "snippet": {"text": "old(x);"}}}),
            &[(3, "old(x);\n")][..],
        ),
        (
            json!({"region": {"startLine": 3, "startColumn": 1, "endLine": 4, "endColumn": 1, "snippet": {"text": "old(x);\r\n"}}}),
            &[(3, "old(x);\r\n")][..],
        ),
        (
            json!({"region": {"startLine": 2, "startColumn": 4, "endLine": 4, "endColumn": 3, "snippet": {"text": "wo\nthree\nfo"}}}),
            &[(3, "three\n")][..],
        ),
        // The text has not as many lines as its region.
        (
            json!({"region": {"startLine": 3, "endLine": 5, "snippet": {"text": "three\nfour"}}}),
            nothing,
        ),
        (
            json!({"region": line_3, "contextRegion": {"startLine": 2, "endLine": 4, "snippet": {"text": "two\r\nthree\r\nfour"}}}),
            &[(2, "two\r\n"), (3, "three\r\n"), (4, "four\r\n")][..],
        ),
        // Two parts of the report that do not agree.
        (
            json!({"region": {"startLine": 3, "snippet": {"text": "other"}}, "contextRegion": {"startLine": 2, "endLine": 3, "snippet": {"text": "two\nthree"}}}),
            &[(2, "two\n")][..],
        ),
    ] {
        let lines = lines_near(&physical, &line_3, &json!([]));
        let lines: Vec<_> = lines
            .iter()
            .map(|(line, text)| (*line, text.as_str()))
            .collect();
        assert_eq!(lines, expected, "{physical}");
    }
}

#[test]
fn a_fix_that_inserts_bytes_is_no_deletion() {
    // 3.3.3: content is text, or binary where it is none.
    let fixes = |content: Value| {
        let change = |path: &str, content: &Value| {
            json!({"artifactLocation": {"uri": path}, "replacements": [
                {"deletedRegion": {"startLine": 3}, "insertedContent": content}]})
        };
        let text = change("a.c", &json!({"text": "new"}));
        let fix = json!({"artifactChanges": [text, change("b.c", &content)]});
        only(&json!({"message": {"text": "m"}, "fixes": [fix]})).fixes
    };
    assert_eq!(fixes(json!({"binary": "AAE="})), []);
    let inserted = |content: Value| {
        fixes(content)[0].changes[1].replacements[0]
            .inserted
            .clone()
    };
    assert_eq!(
        inserted(json!({"text": "x", "binary": "eA=="})).as_deref(),
        Some("x")
    );
    assert_eq!(inserted(json!({"text": ""})).as_deref(), Some(""));
    assert_eq!(inserted(json!(null)), None);
}

#[test]
fn lines_near_a_fix_come_from_its_own_region_and_from_the_files_contents_too() {
    let deleted = json!({"startLine": 3, "endLine": 3, "snippet": {"text": "three"}});
    let elsewhere = json!({"region": {"startLine": 90}});
    assert_eq!(
        lines_near(&elsewhere, &deleted, &json!([])),
        [(3, "three\n".to_owned())]
    );
    let text: String = (1..=9).map(|n| format!("line {n}\n")).collect();
    let artifacts = json!([{"location": {"uri": "a.c"}, "contents": {"text": text.trim_end()}}]);
    let region = json!({"startLine": 6, "startColumn": 2, "endColumn": 3});
    let lines = lines_near(&elsewhere, &region, &artifacts);
    assert_eq!(lines.first(), Some(&(3, "line 3\n".to_owned())));
    // Here the file is known to end without a line end.
    assert_eq!(lines.last(), Some(&(9, "line 9".to_owned())));
    let last = json!({"startLine": 4_294_967_295_u32, "snippet": {"text": "a"}});
    assert_eq!(
        lines_near(&elsewhere, &last, &artifacts),
        [(u32::MAX, "a\n".to_owned())]
    );
    let odd = json!({"startLine": 4_294_967_295_u32, "endLine": 1, "endColumn": 0, "snippet": {"text": "a\nb"}});
    assert_eq!(lines_near(&elsewhere, &odd, &artifacts), []);
}

#[test]
fn results_in_another_file_make_the_scan_incomplete() {
    // 3.14.2: a run may keep its results in external property files.
    let report = report(&json!({
        "tool": {"driver": {"name": "t"}},
        "externalPropertyFileReferences": {"results": [{"location": {"uri": "results.sarif-external-properties"}, "itemCount": 40}]},
        "results": []
    }));
    assert!(!report.is_clean(), "{:?}", report.completeness);
}

#[test]
fn each_run_is_read_with_its_own_tool_and_rules() {
    let run = |tool: &str, level: &str| {
        json!({"tool": {"driver": {"name": tool, "rules": [{"id": "A", "defaultConfiguration": {"level": level}}]}},
            "results": [{"ruleId": "A", "ruleIndex": 0, "message": {"text": "m"}}]})
    };
    let log = json!({"version": "2.1.0", "runs": [run("one", "error"), run("two", "note"), {"tool": {"driver": {"name": "three"}}, "results": []}]});
    let report = read(log.to_string().as_bytes(), None, None).unwrap();
    let said: Vec<_> = report
        .findings
        .iter()
        .map(|f| (f.tool.as_deref(), f.severity))
        .collect();
    assert_eq!(
        said,
        [(None, Severity::High), (Some("two"), Severity::Info)]
    );
    assert_eq!(report.tool.name, "one");
}

#[test]
fn the_order_of_properties_does_not_matter() {
    // JSON objects have no order: results may stand before the tool, runs before the version.
    let text = r#"{"runs": [{"results": [{"message": {"text": "m"}, "ruleIndex": 0}],
        "tool": {"driver": {"rules": [{"defaultConfiguration": {"level": "error"}, "id": "A"}], "name": "t"}}}], "version": "2.1.0"}"#;
    let report = read(text.as_bytes(), None, None).unwrap();
    assert_eq!(report.tool.name, "t");
    assert_eq!(report.findings[0].severity, Severity::High);
}
