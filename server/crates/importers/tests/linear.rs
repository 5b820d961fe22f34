//! Reading takes time in proportion to the file, whatever is in it: the results of a SARIF file may all point to the last of the
//! many things that it lists.
//!
//! Nothing is timed. The sizes are such that a reading which goes through a list for each result takes many minutes, and one that
//! looks things up takes a second.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write as _;

use holdpoint_domain::Severity;
use holdpoint_importers::{Finding, read_into};

const MANY: usize = 30_000;

/// A run of so many results, each with these parts, and what stands beside them.
fn log(beside: &str, n: usize, result: impl Fn(usize) -> String) -> String {
    let mut text = format!(r#"{{"version": "2.1.0", "runs": [{{{beside}, "results": ["#);
    for at in 0..n {
        let comma = if at == 0 { "" } else { "," };
        write!(text, "{comma}{{{}}}", result(at)).unwrap();
    }
    text.push_str("]}]}");
    text
}

fn listed(n: usize, entry: impl Fn(usize) -> String) -> String {
    (0..n).map(entry).collect::<Vec<_>>().join(",")
}

/// The last finding, and how many there were.
fn last(text: &str) -> (Finding, usize) {
    let (mut last, mut n) = (None, 0);
    read_into(text.as_bytes(), None, Some("sarif"), &mut |finding| {
        n += 1;
        last = Some(finding);
    })
    .unwrap();
    (last.unwrap(), n)
}

const TOOL: &str = r#""tool": {"driver": {"name": "t"}}"#;

#[test]
fn lines_of_an_embedded_file_are_found_without_counting_from_its_start() {
    let file = r"x\n".repeat(500_000);
    let beside = format!(
        r#"{TOOL}, "artifacts": [{{"location": {{"uri": "a.c"}}, "contents": {{"text": "{file}"}}}}]"#
    );
    let n = 4_000;
    let text = log(&beside, n, |at| {
        format!(
            r#""message": {{"text": "m"}}, "locations": [{{"physicalLocation": {{"artifactLocation": {{"index": 0}}, "region": {{"startLine": {}}}}}}}],
            "fixes": [{{"artifactChanges": [{{"artifactLocation": {{"uri": "a.c"}}, "replacements": [{{"deletedRegion": {{"startLine": 499000}}}}]}}]}}]"#,
            490_000 + at % 10_000
        )
    });
    let (finding, n_read) = last(&text);
    assert_eq!((finding.snippet.as_deref(), n_read), (Some("x"), n));
    let lines: Vec<u32> = finding.fixes[0].changes[0]
        .lines
        .iter()
        .map(|line| line.line)
        .collect();
    assert_eq!(lines, (498_997..=499_003).collect::<Vec<_>>());
}

#[test]
fn a_result_repeats_only_so_much_of_what_all_results_share() {
    let file = r"x\n".repeat(500_000);
    let beside = format!(
        r#"{TOOL}, "artifacts": [{{"location": {{"uri": "a.c"}}, "contents": {{"text": "{file}"}}}}],
        "threadFlowLocations": [{{"location": {{"physicalLocation": {{"region": {{"startLine": 1, "snippet": {{"text": "{file}"}}}}}}, "message": {{"text": "{file}"}}}}}}]"#
    );
    let whole = r#""message": {"text": "m"}, "locations": [{"physicalLocation": {"artifactLocation": {"index": 0}, "region": {"startLine": 1, "endLine": 500000}}}]"#;
    let steps = listed(100, |_| r#"{"index": 0}"#.to_owned());
    let text = log(&beside, 500, |_| {
        format!(r#"{whole}, "codeFlows": [{{"threadFlows": [{{"locations": [{steps}]}}]}}]"#)
    });
    let (finding, _) = last(&text);
    let n_bytes = finding.snippet.as_deref().map_or(0, str::len);
    assert!((60_000..=65_536).contains(&n_bytes), "{n_bytes}");
    assert_eq!(finding.code_flows[0].steps.len(), 100);
    assert_eq!(finding.code_flows[0].steps[99].snippet, None);

    let long = format!(r"{}\n", "x".repeat(999)).repeat(400);
    let beside = format!(
        r#"{TOOL}, "artifacts": [{{"location": {{"uri": "a.c"}}, "contents": {{"text": "{long}"}}}}]"#
    );
    let changes = listed(4, |at| {
        format!(
            r#"{{"artifactLocation": {{"uri": "a.c"}}, "replacements": [{{"deletedRegion": {{"startLine": {}, "endLine": {}}}}}]}}"#,
            at * 100 + 1,
            at * 100 + 60
        )
    });
    let (finding, _) = last(&log(&beside, 1, |_| {
        format!(r#""message": {{"text": "m"}}, "fixes": [{{"artifactChanges": [{changes}]}}]"#)
    }));
    let lines = finding.fixes[0]
        .changes
        .iter()
        .flat_map(|change| &change.lines);
    let n_bytes: usize = lines.map(|line| line.text.len()).sum();
    assert!((60_000..=65_536).contains(&n_bytes), "{n_bytes}");
}

#[test]
fn levels_that_an_invocation_overrides_are_looked_up() {
    let overrides = listed(MANY, |at| {
        format!(
            r#"{{"descriptor": {{"id": "R{at}"}}, "configuration": {{"level": "error"}}}},
            {{"descriptor": {{"index": {at}}}, "configuration": {{"level": "note"}}}}"#
        )
    });
    let beside =
        format!(r#"{TOOL}, "invocations": [{{"ruleConfigurationOverrides": [{overrides}]}}]"#);
    let last_rule = MANY - 1;
    let by_id = format!(
        r#""ruleId": "R{last_rule}", "message": {{"text": "m"}}, "provenance": {{"invocationIndex": 0}}"#
    );
    let (finding, n) = last(&log(&beside, MANY, |_| by_id.clone()));
    assert_eq!((finding.severity, n), (Severity::High, MANY));
    // Of two that fit the first counts, and an index of -1 is none.
    let (finding, _) = last(&log(&beside, 1, |_| format!(r#"{by_id}, "ruleIndex": 0"#)));
    assert_eq!(finding.severity, Severity::Info);
    let (finding, _) = last(&log(&beside, 1, |_| format!(r#"{by_id}, "ruleIndex": -1"#)));
    assert_eq!(finding.severity, Severity::High);
}

#[test]
fn components_rules_taxa_and_shared_messages_are_looked_up() {
    let extensions = listed(MANY, |at| {
        format!(
            r#"{{"name": "e{at}", "guid": "g{at}", "rules": [{{"id": "R{at}"}}], "globalMessageStrings": {{"m{at}": {{"text": "said {at}"}}}}}}"#
        )
    });
    let taxonomies = listed(MANY, |at| format!(r#"{{"name": "CWE{at}"}}"#));
    let taxa = listed(MANY, |at| {
        format!(r#"{{"id": "{}", "guid": "t{at}"}}"#, at + 1)
    });
    let beside = format!(
        r#""tool": {{"driver": {{"name": "t"}}, "extensions": [{extensions}]}},
        "taxonomies": [{taxonomies}, {{"name": "CWE", "taxa": [{taxa}]}}]"#
    );
    let at = MANY - 1;
    let text = log(&beside, MANY, |_| {
        format!(
            r#""ruleId": "R{at}/sub", "rule": {{"toolComponent": {{"name": "e{at}"}}}}, "message": {{"id": "m{at}"}},
            "taxa": [{{"guid": "t{at}", "toolComponent": {{"name": "CWE"}}}}, {{"id": "79", "toolComponent": {{"name": "CWE{at}"}}}}]"#
        )
    });
    let (finding, n) = last(&text);
    assert_eq!(finding.message, Some(format!("said {at}")));
    assert_eq!(finding.cwe, [u32::try_from(MANY).unwrap(), 79]);
    assert_eq!(n, MANY);
    // Without a component the rule is searched for in all of them.
    let (finding, _) = last(&log(&beside, MANY, |_| {
        format!(r#""ruleId": "R{at}/sub", "message": {{"id": "m0"}}"#)
    }));
    assert_eq!(finding.message.as_deref(), Some("said 0"));
}

#[test]
fn one_result_of_megabytes_is_gone_through_once() {
    let n = 400_000;
    let slashes = "a/".repeat(n);
    let brackets = "[".repeat(n * 10);
    let tags = listed(n, |at| format!("\"{at}\""));
    let text = log(TOOL, 1, |_| {
        format!(
            r#""ruleId": "{slashes}", "message": {{"text": "{brackets}]("}}, "properties": {{"tags": [{tags}]}}"#
        )
    });
    let (finding, _) = last(&text);
    assert!(finding.message.unwrap().ends_with("]("));

    let places = listed(40_000, |at| {
        format!(
            r#"{{"physicalLocation": {{"artifactLocation": {{"uri": "a.c"}}, "region": {{"startLine": {}, "snippet": {{"text": "x"}}}}}}}}"#,
            at + 1
        )
    });
    let changes = listed(40_000, |at| {
        format!(
            r#"{{"artifactLocation": {{"uri": "a.c"}}, "replacements": [{{"deletedRegion": {{"startLine": {}}}}}]}}"#,
            at + 1
        )
    });
    let text = log(TOOL, 1, |_| {
        format!(
            r#""message": {{"text": "m"}}, "locations": [{places}], "fixes": [{{"artifactChanges": [{changes}]}}]"#
        )
    });
    let (finding, _) = last(&text);
    let changes = &finding.fixes[0].changes;
    assert_eq!(changes.len(), 40_000);
    assert_eq!(changes[100].lines.len(), 7);

    let replacements = listed(40_000, |at| {
        format!(
            r#"{{"deletedRegion": {{"startLine": {}, "snippet": {{"text": "x"}}}}}}"#,
            at * 10 + 10
        )
    });
    let text = log(TOOL, 1, |_| {
        format!(
            r#""message": {{"text": "m"}}, "fixes": [{{"artifactChanges": [{{"artifactLocation": {{"uri": "a.c"}}, "replacements": [{replacements}]}}]}}]"#
        )
    });
    let (finding, _) = last(&text);
    assert_eq!(finding.fixes[0].changes[0].lines.len(), 1_000);
}

#[test]
fn bases_that_build_on_a_long_one_do_not_repeat_it() {
    let long = "x/".repeat(500_000);
    let bases = listed(MANY, |at| {
        format!(r#""b{at}": {{"uri": "y/", "uriBaseId": "long"}}"#)
    });
    let beside = format!(
        r#"{TOOL}, "originalUriBaseIds": {{"long": {{"uri": "file:///{long}"}}, {bases}}}"#
    );
    let (finding, _) = last(&log(&beside, MANY, |at| {
        format!(
            r#""message": {{"text": "m"}}, "locations": [{{"physicalLocation": {{"artifactLocation": {{"uri": "a.c", "uriBaseId": "b{at}"}}}}}}]"#
        )
    }));
    assert_eq!(finding.path.as_deref(), Some("a.c"));
}
