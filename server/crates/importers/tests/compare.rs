//! What a new scan changes, case by case.

mod common;

use common::{Series, numbers};
use holdpoint_domain::{FindingStatus, Severity};
use holdpoint_importers::compare::{Change, compare};
use holdpoint_importers::identity::{Identity, IdentityBasis, identify, version_mark};
use holdpoint_importers::{
    Completeness, Finding, PathNames, Relocation, Report, ScannerStatus, Summary, Tool,
};

fn at(line: u32) -> Finding {
    let mut finding = Finding::new("Hard-coded password", Severity::High);
    finding.rule = Some("S105".into());
    finding.path = Some("src/app.py".into());
    finding.message = Some("Hard-coded password".into());
    finding.start_line = Some(line);
    finding
}

fn with(line: u32, change: impl FnOnce(&mut Finding)) -> Finding {
    let mut finding = at(line);
    change(&mut finding);
    finding
}

fn scan(findings: Vec<Finding>) -> Report {
    let tool = Tool {
        name: "Tool".into(),
        version: None,
    };
    Report {
        summary: Summary {
            tool,
            ..Summary::default()
        },
        findings,
    }
}

fn lines(lines: &[u32]) -> Report {
    scan(lines.iter().copied().map(at).collect())
}

fn one(finding: &Finding) -> Identity {
    identify(std::slice::from_ref(finding)).remove(0)
}

#[test]
fn a_finding_that_moved_is_the_same_and_says_so() {
    let mut series = Series::default();
    series.import(&lines(&[41]));
    let comparison = series.import(&lines(&[57]));
    assert_eq!(comparison.matches[0].change, Change::Moved);
    assert_eq!(
        comparison.matches[0].why,
        "same as F-1: rule, file and message are equal, line moved 41 → 57"
    );
    assert_eq!(numbers(&comparison), [0, 0, 1, 0, 0]);
}

#[test]
fn of_equal_twins_exactly_the_removed_one_is_fixed_and_comes_back() {
    for removed in 0..3 {
        let all = [10, 20, 30];
        let mut series = Series::default();
        series.import(&lines(&all));
        let mut rest = all.to_vec();
        rest.remove(removed);
        let comparison = series.import(&lines(&rest));
        assert_eq!(numbers(&comparison), [0, 2, 0, 0, 1]);
        assert_eq!(comparison.fixed[0], removed);
        assert_eq!(
            comparison.why_fixed[0],
            format!("F-{} is no longer in the complete scan", removed + 1)
        );
        let comparison = series.import(&lines(&all));
        assert_eq!(numbers(&comparison), [0, 2, 0, 1, 0]);
        assert_eq!(comparison.matches[removed].change, Change::Reopened);
        assert!(
            comparison.matches[removed]
                .why
                .ends_with("it had been fixed")
        );
    }
}

#[test]
fn an_incomplete_scan_fixes_nothing() {
    let mut series = Series::default();
    series.import(&lines(&[10, 20]));
    let mut partial = lines(&[10]);
    partial.summary.completeness = Completeness::Incomplete {
        reason: "cut short".into(),
    };
    assert_eq!(numbers(&series.import(&partial)), [0, 1, 0, 0, 0]);
    assert_eq!(numbers(&series.import(&lines(&[10]))), [0, 1, 0, 0, 1]);
}

#[test]
fn what_a_person_decided_is_neither_reopened_nor_fixed_by_a_scan() {
    for status in [
        FindingStatus::FalsePositive,
        FindingStatus::RiskAccepted,
        FindingStatus::Duplicate,
    ] {
        let mut series = Series::default();
        series.import(&lines(&[10]));
        series.known[0].status = status;
        assert_eq!(
            numbers(&series.import(&lines(&[10]))),
            [0, 1, 0, 0, 0],
            "{status}"
        );
        let gone = series.import(&lines(&[]));
        assert_eq!(numbers(&gone), [0; 5], "{status}");
        assert_eq!(gone.no_longer_seen.len(), 1, "{status}");
        let still = series.import(&lines(&[]));
        assert_eq!(still.no_longer_seen.len(), 0, "{status}: once is enough");
        assert_eq!(
            numbers(&series.import(&lines(&[12]))),
            [0, 0, 1, 0, 0],
            "{status}"
        );
        assert_eq!(series.known[0].status, status);
    }
}

#[test]
fn what_the_scanner_calls_absent_counts_as_gone_and_what_it_suppresses_as_there() {
    let mut series = Series::default();
    series.import(&lines(&[10, 20]));
    let absent = with(10, |f| f.status = ScannerStatus::Absent);
    let suppressed = with(20, |f| f.status = ScannerStatus::Suppressed);
    let comparison = series.import(&scan(vec![absent, suppressed.clone()]));
    assert_eq!(comparison.matches[0].change, Change::NotPresent);
    assert_eq!(numbers(&comparison), [0, 1, 0, 0, 1]);
    series.known[1].status = FindingStatus::Fixed;
    assert_eq!(
        numbers(&series.import(&scan(vec![suppressed]))),
        [0, 0, 0, 1, 0],
        "that the tool hides it now repairs nothing"
    );
}

#[test]
fn a_tools_fingerprint_finds_the_same_finding_in_another_file() {
    let print = |path: &str| {
        with(10, |f| {
            f.path = Some(path.into());
            f.fingerprint = Some("abc123".into());
        })
    };
    let mut series = Series::default();
    series.import(&scan(vec![print("old.py")]));
    let comparison = series.import(&scan(vec![print("new.py")]));
    assert_eq!(
        comparison.matches[0].why,
        "same as F-1: the tool's fingerprint is equal, file moved old.py → new.py"
    );
}

#[test]
fn a_fingerprint_used_for_several_places_does_not_merge_them() {
    let print = |line, rule: &str| {
        with(line, |f| {
            f.rule = Some(rule.into());
            f.fingerprint = Some("same for all".into());
        })
    };
    let findings = [print(1, "A"), print(2, "B"), print(3, "B")];
    let identities = identify(&findings);
    assert!(
        identities
            .iter()
            .all(|identity| identity.basis == IdentityBasis::SharedFingerprint)
    );
    assert_ne!(identities[0].key, identities[1].key);
    assert_eq!(
        (&identities[1].key, identities[2].ordinal),
        (&identities[2].key, 1)
    );
    // Alone in the next scan, the fingerprint is unique again; the finding is still found.
    let mut series = Series::default();
    series.import(&scan(findings[..2].to_vec()));
    assert_eq!(
        numbers(&series.import(&scan(vec![print(9, "B")]))),
        [0, 0, 1, 0, 1]
    );
    assert_eq!(
        numbers(&series.import(&scan(findings[..2].to_vec()))),
        [0, 0, 1, 1, 0]
    );
}

#[test]
fn a_tool_that_begins_to_give_fingerprints_finds_its_findings_again() {
    let printed = |line, print: &str| with(line, |f| f.fingerprint = Some(print.into()));
    let mut series = Series::default();
    series.import(&lines(&[10, 20]));
    let comparison = series.import(&scan(vec![printed(10, "p1"), printed(20, "p2")]));
    assert_eq!(numbers(&comparison), [0, 2, 0, 0, 0]);
    assert!(
        comparison.matches[0]
            .why
            .contains("only the tool's fingerprint is not"),
        "{}",
        comparison.matches[0].why
    );
}

#[test]
fn a_tool_that_stops_to_give_its_own_fingerprints_finds_its_findings_again() {
    let printed = |line, print: &str, is_partial| {
        with(line, |f| {
            f.rule = Some(format!("S{line}").into());
            f.fingerprint = Some(print.into());
            f.fingerprint_is_partial = is_partial;
        })
    };
    let full = |line| printed(line, &format!("full {line}"), false);
    let partial = |line| printed(line, &format!("hash {line}"), true);
    let after = |then: Vec<Finding>| {
        let mut series = Series::default();
        series.import(&scan(vec![full(10), full(20)]));
        numbers(&series.import(&scan(then)))
    };
    assert_eq!(after(vec![partial(10), partial(20)]), [0, 2, 0, 0, 0]);
    // One that keeps its own says that the tool has not stopped.
    assert_eq!(after(vec![partial(10), full(20)]), [1, 1, 0, 0, 1]);
    // Which of two it is cannot be told.
    let mut series = Series::default();
    let twin = with(31, |f| {
        f.rule = Some("S10".into());
        f.fingerprint = Some("full 31".into());
    });
    series.import(&scan(vec![full(10), twin]));
    let comparison = series.import(&scan(vec![partial(10)]));
    assert_eq!(numbers(&comparison), [1, 0, 0, 0, 2]);
}

#[test]
fn an_ambiguous_match_is_not_merged() {
    let printed = |line, print: &str| with(line, |f| f.fingerprint = Some(print.into()));
    let mut series = Series::default();
    series.import(&lines(&[10, 20]));
    // Two were there without fingerprints; which of them is the one with a fingerprint cannot be told.
    let comparison = series.import(&scan(vec![printed(15, "p1")]));
    assert_eq!(numbers(&comparison), [1, 0, 0, 0, 2]);
    assert!(
        comparison.matches[0].why.starts_with("not merged with F-1"),
        "{}",
        comparison.matches[0].why
    );
}

#[test]
fn an_ambiguous_match_is_not_taken_for_a_fixed_finding_either() {
    let mut series = Series::default();
    series.import(&lines(&[10, 20, 30]));
    series.known[2].status = FindingStatus::Fixed;
    let printed = with(15, |f| f.fingerprint = Some("p1".into()));
    assert_eq!(
        numbers(&series.import(&scan(vec![printed]))),
        [1, 0, 0, 0, 2]
    );
}

#[test]
fn another_secret_on_the_same_masked_line_is_another_finding() {
    let secret = |print: &str| with(10, |f| f.fingerprint = Some(print.into()));
    let mut series = Series::default();
    series.import(&scan(vec![secret("hash of the first")]));
    series.known[0].status = FindingStatus::FalsePositive;
    let comparison = series.import(&scan(vec![secret("hash of the second")]));
    assert_eq!(comparison.counts().new, 1);
}

#[test]
fn the_same_finding_has_the_same_identity_however_it_is_written() {
    let same: [fn(&mut Finding); 9] = [
        |f| f.path = Some("./src/app.py".into()),
        |f| f.path = Some("src\\app.py".into()),
        |f| f.path = Some("/src//app.py".into()),
        |f| f.path = Some("src/%61pp.py".into()),
        |f| f.start_line = Some(999),
        |f| f.start_column = Some(7),
        |f| f.severity = Severity::Low,
        |f| f.message = Some("Hard-coded  password\n".into()),
        |f| f.fingerprint = Some("requires login".into()),
    ];
    for (n, change) in same.into_iter().enumerate() {
        assert_eq!(one(&with(10, change)).key, one(&at(10)).key, "change {n}");
    }
    let other: [fn(&mut Finding); 5] = [
        |f| f.path = Some("src/other.py".into()),
        |f| f.rule = Some("S106".into()),
        |f| f.message = Some("Hard-coded token".into()),
        |f| f.component = Some("openssl".into()),
        |f| f.snippet = Some("password = 'x'".into()),
    ];
    for (n, change) in other.into_iter().enumerate() {
        assert_ne!(one(&with(10, change)).key, one(&at(10)).key, "change {n}");
    }
    let of = |tool: &str| one(&with(10, |f| f.tool = Some(tool.into())));
    assert_ne!(of("Other tool"), of("Tool"));
    assert_eq!(of(" TOOL "), of("Tool"));
}

fn dependency(version: &str) -> Finding {
    with(1, |f| {
        f.start_line = None;
        f.component = Some("parsekit".into());
        f.component_version = Some(version.into());
        f.message = Some(format!("parsekit {version} is vulnerable"));
    })
}

#[test]
fn a_decision_about_one_version_of_a_component_says_nothing_of_another() {
    type Change = fn(&mut Finding);
    let kinds: [Change; 3] = [
        |_| {},
        // Whatever the tool calls the same.
        |f| f.fingerprint = Some("of the tool".into()),
        |f| {
            f.fingerprint = Some("of the tool".into());
            f.fingerprint_is_partial = true;
        },
    ];
    for (n, kind) in kinds.into_iter().enumerate() {
        let of = |version: &str| {
            let mut finding = dependency(version);
            kind(&mut finding);
            finding
        };
        let mut series = Series::default();
        series.import(&scan(vec![of("3.1.0"), of("4.0.0")]));
        series.known[0].status = FindingStatus::FalsePositive;
        // The one that was decided about is gone.
        let gone = series.import(&scan(vec![of("4.0.0")]));
        assert_eq!(numbers(&gone), [0, 1, 0, 0, 0], "{n}");
        assert_eq!(gone.no_longer_seen, [0], "{n}");
        assert_eq!(series.known[1].status, FindingStatus::Open, "{n}");
        // A third version is a third finding, alone or beside the others, in whatever order.
        let third = series.import(&scan(vec![of("5.0.0"), of("4.0.0"), of("3.1.0")]));
        assert_eq!(numbers(&third), [1, 2, 0, 0, 0], "{n}");
        assert_eq!(series.known[2].status, FindingStatus::Open, "{n}");
        let alone = series.import(&scan(vec![of("6.0.0")]));
        assert_eq!(numbers(&alone), [1, 0, 0, 0, 2], "{n}");
    }
    assert_eq!(
        one(&dependency("1.1.1")).explanation(),
        "Recognised by rule, file, component and version."
    );
}

#[test]
fn what_is_stored_by_a_key_without_its_version_is_found_again_in_that_version_only() {
    let unversioned = |version: &str| {
        let mut finding = dependency(version);
        finding.component_version = None;
        finding
    };
    let mut series = Series::default();
    series.import(&scan(vec![unversioned("3.1.0"), unversioned("4.0.0")]));
    for (known, version) in series.known.iter_mut().zip(["3.1.0", "4.0.0"]) {
        known.version = version_mark(version);
    }
    series.known[0].status = FindingStatus::RiskAccepted;
    let next = series.import(&scan(vec![dependency("5.0.0"), dependency("4.0.0")]));
    let of = |at: usize| next.matches[at].known;
    assert_eq!((of(0), of(1)), (None, Some(1)));
    assert_eq!(next.no_longer_seen, [0]);
}

#[test]
fn what_is_stored_without_a_version_in_its_key_is_found_again_by_a_format_that_gives_prints_now() {
    let printed = |version: &str| {
        let mut finding = dependency(version);
        finding.fingerprint = Some("pkg:npm/parsekit".into());
        finding.fingerprint_is_partial = true;
        finding
    };
    let unversioned = |version: &str| {
        let mut finding = dependency(version);
        finding.component_version = None;
        finding
    };
    let stored = || {
        let mut series = Series::default();
        series.import(&scan(vec![unversioned("3.1.0"), unversioned("4.0.0")]));
        for (known, version) in series.known.iter_mut().zip(["3.1.0", "4.0.0"]) {
            known.version = version_mark(version);
        }
        series.known[0].status = FindingStatus::RiskAccepted;
        series
    };
    let mut series = stored();
    let next = series.import(&scan(vec![printed("4.0.0"), printed("3.1.0")]));
    let of = |at: usize| next.matches[at].known;
    assert_eq!((of(0), of(1)), (Some(1), Some(0)));
    assert_eq!(numbers(&next), [0, 2, 0, 0, 0]);
    // Only in its version, and only where it is certain which one is meant.
    let next = stored().import(&scan(vec![printed("5.0.0"), printed("4.0.0")]));
    assert_eq!(
        (next.matches[0].known, next.matches[1].known),
        (None, Some(1))
    );
    let next = stored().import(&scan(vec![printed("3.1.0"), printed("3.1.0")]));
    assert_eq!((next.matches[0].known, next.matches[1].known), (None, None));
}

#[test]
fn a_decision_goes_to_no_twin_that_was_merely_counted_out() {
    let decided = |lines_before: &[u32]| {
        let mut series = Series::default();
        series.import(&lines(lines_before));
        series.known[0].status = FindingStatus::FalsePositive;
        series
    };
    // The one that was decided about is gone, or the other one: nothing tells.
    let mut series = decided(&[10, 20]);
    let moved = series.import(&lines(&[17]));
    assert_eq!(numbers(&moved), [1, 0, 0, 0, 1]);
    assert_eq!(moved.no_longer_seen, [0]);
    assert!(
        moved.matches[0].why.starts_with("not merged with F-1"),
        "{}",
        moved.matches[0].why
    );
    // What lies where it lay is the same, whatever comes and goes beside it.
    for (now, known) in [
        (vec![10], vec![Some(0)]),
        (vec![20], vec![Some(1)]),
        (vec![5, 10, 20], vec![None, Some(0), Some(1)]),
        (vec![10, 15, 20], vec![Some(0), None, Some(1)]),
        (vec![10, 25, 30], vec![Some(0), Some(1), None]),
        (vec![12, 22], vec![Some(0), Some(1)]),
        // As many as before, but the one at line 20 is the other one.
        (vec![20, 30], vec![Some(1), None]),
        (vec![5, 10], vec![Some(1), Some(0)]),
    ] {
        let mut series = decided(&[10, 20]);
        let next = series.import(&lines(&now));
        let found: Vec<_> = next.matches.iter().map(|entry| entry.known).collect();
        assert_eq!(found, known, "{now:?}");
    }
    // Without lines only their number tells.
    let nowhere = |n: usize| scan((0..n).map(|_| with(0, |f| f.start_line = None)).collect());
    for n in [1, 3] {
        let mut series = Series::default();
        series.import(&nowhere(2));
        series.known[0].status = FindingStatus::FalsePositive;
        let next = series.import(&nowhere(n));
        assert!(
            next.matches.iter().all(|entry| entry.known.is_none()),
            "{n}"
        );
    }
    // Nobody has decided about any of them: no decision can slide.
    let mut series = Series::default();
    series.import(&lines(&[10, 20]));
    assert_eq!(numbers(&series.import(&lines(&[17]))), [0, 0, 1, 0, 1]);
}

/// Nothing is timed: a comparison that goes through all twins for each of them takes many minutes.
#[test]
fn many_twins_that_somebody_has_decided_about_are_paired_without_going_through_all_for_each() {
    let many = 60_000;
    let lines_from = |first: u32| lines(&(first..first + many).collect::<Vec<_>>());
    let mut series = Series::default();
    series.import(&lines_from(1));
    series.known[0].status = FindingStatus::FalsePositive;
    let next = series.import(&lines_from(2));
    assert_eq!(numbers(&next), [1, u64::from(many) - 1, 0, 0, 0]);
    assert_eq!(next.no_longer_seen, [0]);
}

#[test]
fn equal_ones_in_two_scopes_keep_their_own_decisions() {
    let within = |scope: &str| {
        let mut finding = dependency("1.8.2");
        finding.scope = Some(scope.into());
        finding
    };
    let both = || vec![within("leader"), within("follower")];
    let decided = || {
        let mut series = Series::default();
        series.import(&scan(both()));
        series.known[0].status = FindingStatus::FalsePositive;
        series
    };
    for (now, known) in [
        (vec![within("follower")], vec![Some(1)]),
        (vec![within("leader")], vec![Some(0)]),
        (
            vec![within("follower"), within("leader")],
            vec![Some(1), Some(0)],
        ),
        (
            vec![within("follower"), within("third")],
            vec![Some(1), None],
        ),
        // Another build calls both otherwise: nothing tells.
        (vec![within("a:2"), within("b:2")], vec![None, None]),
    ] {
        let next = decided().import(&scan(now));
        let found: Vec<_> = next.matches.iter().map(|entry| entry.known).collect();
        assert_eq!(found, known);
    }
    // One that is gone, and is back beside the other.
    let mut series = decided();
    series.import(&scan(vec![within("follower")]));
    let back = series.import(&scan(both()));
    assert_eq!(back.matches[0].known, Some(0));
    // Alone it is the same whatever it is in: an image has another tag at each build.
    let mut series = Series::default();
    series.import(&scan(vec![within("app:1")]));
    series.known[0].status = FindingStatus::FalsePositive;
    let next = series.import(&scan(vec![within("app:2")]));
    assert_eq!(next.matches[0].known, Some(0));
    // What was stored before scopes told them apart is as many as before.
    let mut series = decided();
    for known in &mut series.known {
        known.context = known.key;
    }
    let next = series.import(&scan(both()));
    assert_eq!(
        next.matches
            .iter()
            .filter(|entry| entry.known.is_some())
            .count(),
        2
    );
}

#[test]
fn comparing_with_nothing_calls_everything_new() {
    let report = lines(&[1, 2]);
    let mut paths = PathNames::default();
    let seen = common::seen(&report, &mut paths);
    let comparison = compare(&paths, &[], &seen, &[], &Completeness::Complete);
    assert_eq!(comparison.counts().new, 2);
    assert_eq!(comparison.why(0), "not in the last scan of the series");
}

#[test]
fn findings_are_found_again_where_only_the_name_of_a_folder_is_another() {
    let under = |folder: &str, lines: [u32; 2]| -> Vec<Finding> {
        let files = ["src/a.c", "src/b.c"].iter().zip(lines);
        let found =
            files.map(|(file, line)| with(line, |f| f.path = Some(format!("{folder}/{file}"))));
        found.collect()
    };
    let mut series = Series::default();
    series.import(&scan(under("builds/17", [1, 2])));
    // The same path is the same finding first; what a folder is called only counts for the others.
    let new = under("builds/18", [5, 2]);
    let paths = |findings: &[Finding]| -> Vec<String> {
        findings.iter().filter_map(|f| f.path.clone()).collect()
    };
    let (known, seen) = (paths(&under("builds/17", [1, 2])), paths(&new));
    let moved = Relocation::between(
        known.iter().map(String::as_str),
        seen.iter().map(String::as_str),
        true,
    )
    .expect("every path has another beginning");
    let as_before: Vec<Finding> = new
        .iter()
        .map(|finding| Finding {
            path: finding.path.as_deref().and_then(|path| moved.before(path)),
            ..finding.clone()
        })
        .collect();
    let (new, before) = (
        common::seen(&scan(new), &mut series.paths),
        identify(&as_before),
    );
    let compared = |before: &[Identity]| {
        let comparison = compare(
            &series.paths,
            &series.known,
            &new,
            before,
            &Completeness::Complete,
        );
        let found = comparison
            .matches
            .iter()
            .map(|found| found.known())
            .collect();
        let found: Vec<Option<usize>> = found;
        (found, comparison.fixed.len(), comparison.why(0))
    };
    assert_eq!(compared(&[]).0, [None, None]);
    let (found, n_fixed, why) = compared(&before);
    assert_eq!((found, n_fixed), (vec![Some(0), Some(1)], 0));
    assert!(why.contains("but the name of the folder"), "{why}");
}

fn printed(line: u32, kind: &str, prints: &serde_json::Value) -> Finding {
    read_result(&printed_result(line, kind, prints))
}

fn printed_result(line: u32, kind: &str, prints: &serde_json::Value) -> serde_json::Value {
    serde_json::json!({
        "ruleId": "R",
        "message": {"text": "The same words at every place"},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": "a.c"}, "region": {"startLine": line}
        }}],
        kind: prints,
    })
}

fn read_result(result: &serde_json::Value) -> Finding {
    let log = serde_json::json!({
        "version": "2.1.0",
        "runs": [{"tool": {"driver": {"name": "Tool"}}, "results": [result]}],
    });
    common::read(log.to_string().as_bytes()).findings.remove(0)
}

#[test]
fn a_further_version_of_a_fingerprint_finds_the_same_finding() {
    for kind in ["partialFingerprints", "fingerprints"] {
        let of = |line, prints: serde_json::Value| printed(line, kind, &prints);
        let mut series = Series::default();
        // Twins by their context: only the fingerprints tell them apart.
        let old = [(1, "x"), (9, "z")].map(|(at, v1)| of(at, serde_json::json!({"ctx/v1": v1})));
        series.import(&scan(old.to_vec()));
        let both = [(30, "z", "zz"), (20, "x", "xx")]
            .map(|(at, v1, v2)| of(at, serde_json::json!({"ctx/v1": v1, "ctx/v2": v2})));
        let comparison = series.import(&scan(both.to_vec()));
        assert_eq!(numbers(&comparison), [0, 0, 2, 0, 0], "{kind}");
        assert_eq!(comparison.matches[0].known, Some(1), "{kind}");
        assert!(
            comparison.matches[0]
                .why
                .contains("that the tool gave before"),
            "{}",
            comparison.matches[0].why
        );
        // The older version goes one day.
        let new =
            [(20, "xx"), (30, "zz")].map(|(at, v2)| of(at, serde_json::json!({"ctx/v2": v2})));
        let comparison = series.import(&scan(new.to_vec()));
        assert_eq!(numbers(&comparison), [0, 2, 0, 0, 0], "{kind}");
    }
}

#[test]
fn a_fingerprint_of_a_further_name_finds_the_same_finding_and_another_value_does_not() {
    let of = |prints: serde_json::Value| printed(1, "partialFingerprints", &prints);
    let mut series = Series::default();
    series.import(&scan(vec![of(serde_json::json!({"a": "x"}))]));
    let comparison = series.import(&scan(vec![of(serde_json::json!({"a": "x", "b": "y"}))]));
    assert_eq!(numbers(&comparison), [0, 1, 0, 0, 0]);
    let comparison = series.import(&scan(vec![of(serde_json::json!({"a": "other", "b": "y"}))]));
    assert_eq!(
        numbers(&comparison),
        [1, 0, 0, 0, 1],
        "another value of the same name"
    );
    // Two that had one fingerprint, and now have one more each: it cannot be told which is which.
    let mut series = Series::default();
    series.import(&scan(vec![of(serde_json::json!({"a": "x"})); 2]));
    let three = ["1", "2", "3"].map(|b| of(serde_json::json!({"a": "x", "b": b})));
    let comparison = series.import(&scan(three.to_vec()));
    assert_eq!(
        comparison.counts().new,
        3,
        "an ambiguous match is not merged"
    );
}

#[test]
fn a_better_kind_of_fingerprint_finds_the_same_finding() {
    let of = |line, full: serde_json::Value, partial: serde_json::Value| {
        let mut result = printed_result(line, "partialFingerprints", &partial);
        result["fingerprints"] = full;
        read_result(&result)
    };
    let none = serde_json::json!(null);
    // Twins by their context: only the fingerprints tell them apart.
    let old = [(1, "x"), (9, "z")].map(|(at, a)| of(at, none.clone(), serde_json::json!({"a": a})));
    let both = [(30, "z", "zz"), (20, "x", "xx")].map(|(at, a, full)| {
        let (full, partial) = (serde_json::json!({"f": full}), serde_json::json!({"a": a}));
        of(at, full, partial)
    });
    let mut series = Series::default();
    series.import(&scan(old.to_vec()));
    let comparison = series.import(&scan(both.to_vec()));
    assert_eq!(numbers(&comparison), [0, 0, 2, 0, 0]);
    assert_eq!(comparison.matches[0].known, Some(1));
    let full =
        [(30, "zz"), (20, "xx")].map(|(at, f)| of(at, serde_json::json!({"f": f}), none.clone()));
    let comparison = series.import(&scan(full.to_vec()));
    assert_eq!(numbers(&comparison), [0, 2, 0, 0, 0]);
}

#[test]
fn which_of_several_had_a_fingerprint_before_does_not_depend_on_what_else_they_have() {
    let of = |line, prints: serde_json::Value| printed(line, "partialFingerprints", &prints);
    // The further fingerprint stands once before and once after the old one, in whatever order they are looked up.
    let both = [("x", "y"), ("x", "w")]
        .map(|(a, b)| of(1, serde_json::json!({"a": a, "b": b})))
        .to_vec();
    let mut series = Series::default();
    series.import(&scan(vec![of(1, serde_json::json!({"a": "x"}))]));
    let comparison = series.import(&scan(both.clone()));
    assert_eq!(
        numbers(&comparison),
        [2, 0, 0, 0, 1],
        "one of two: ambiguous"
    );
    assert!(
        comparison.matches[0].why.contains("F-"),
        "{}",
        comparison.matches[0].why
    );
    let mut series = Series::default();
    series.import(&scan(vec![of(1, serde_json::json!({"a": "x"})); 2]));
    let comparison = series.import(&scan(both));
    assert_eq!(numbers(&comparison), [0, 2, 0, 0, 0], "as many as before");
}
