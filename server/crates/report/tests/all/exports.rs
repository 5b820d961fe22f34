//! JSON, SARIF and CSV of the sample review.

use crate::sample::{audited, released};
use holdpoint_domain::{FindingStatus, ScannerClaim, ScannerState, SuppressionKind};
use holdpoint_report::facts::{Acceptance, Triage};
use holdpoint_report::{Facts, csv, json, markdown, sarif};
use serde_json::{Value, json as value};

#[test]
fn the_json_gives_back_the_facts() {
    for facts in [audited(), released()] {
        let text = json(facts.clone());
        let back: Facts = serde_json::from_str(&text).unwrap();
        assert_eq!(back, facts.clone().sorted());
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["format"], "holdpoint-report@v1");
        assert_eq!(value["draft"], facts.is_draft());
    }
}

#[test]
fn the_sarif_holds_every_finding_with_its_rule_place_and_state() {
    let log: Value = serde_json::from_str(&sarif(released())).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let runs = log["runs"].as_array().unwrap();
    let mut numbers = Vec::new();
    for run in runs {
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        for result in run["results"].as_array().unwrap() {
            let at = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[at]["id"], result["ruleId"]);
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
            assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
            numbers.push(result["properties"]["number"].as_i64().unwrap());
            match result["properties"]["status"].as_str().unwrap() {
                "fixed" => assert_eq!(result["baselineState"], "absent"),
                "open" => assert!(result["suppressions"].is_null()),
                _ => assert_eq!(result["suppressions"][0]["kind"], "external"),
            }
        }
    }
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8]);
    let gosec = runs
        .iter()
        .find(|run| run["tool"]["driver"]["name"] == "gosec")
        .unwrap();
    assert_eq!(gosec["tool"]["driver"]["version"], "2.22.0");
    let place = &gosec["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(
        place["artifactLocation"]["uri"],
        "internal/executor/executor.go"
    );
    assert_eq!(place["region"]["startLine"], 214);
    assert_eq!(gosec["results"][0]["ruleId"], "G404");
}

#[test]
fn a_path_in_sarif_is_a_uri() {
    let mut facts = audited();
    facts.findings[0].path = Some("a b/ü#?.go".into());
    let log: Value = serde_json::from_str(&sarif(facts.clone())).unwrap();
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%20b/%C3%BC%23%3F.go");
}

#[test]
fn the_sarif_of_no_findings_is_a_run_without_results() {
    let mut facts = audited();
    facts.findings.clear();
    let log: Value = serde_json::from_str(&sarif(facts.clone())).unwrap();
    assert_eq!(log["runs"][0]["results"], Value::Array(vec![]));
}

#[test]
fn the_csv_has_a_line_for_each_finding_and_no_cell_is_a_formula() {
    let mut facts = released();
    let texts = [
        "=HYPERLINK(\"x\")",
        "+1",
        "-1",
        "@sum",
        "\tx",
        "\rx",
        "a,\"b\"\r\nc",
        "＝1",
    ];
    for (finding, text) in facts.findings.iter_mut().zip(texts) {
        finding.title = text.into();
        finding.remediation = text.into();
    }
    let text = csv(facts.clone());
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let head = reader.headers().unwrap().clone();
    assert_eq!(&head[0], "number");
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 8);
    for (row, text) in rows.iter().zip(texts) {
        let title = &row[4];
        assert_eq!(
            title.strip_prefix('\'').unwrap_or(title),
            text,
            "no text is lost"
        );
        for cell in row {
            assert!(
                !cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝']),
                "{cell:?}"
            );
        }
    }
}

/// The results of the report's SARIF by their number, and its rows of CSV as column and cell.
fn exported(facts: &Facts, number: i64) -> (Value, Vec<(String, String)>) {
    let log: Value = serde_json::from_str(&sarif(facts.clone())).unwrap();
    let runs = log["runs"].as_array().unwrap();
    let mut results = runs
        .iter()
        .flat_map(|run| run["results"].as_array().unwrap());
    let result = results.find(|result| result["properties"]["number"] == number);
    let text = csv(facts.clone());
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let head = reader.headers().unwrap().clone();
    let mut rows = reader.records().map(Result::unwrap);
    let row = rows.find(|row| row[0] == format!("F-{number}"));
    let cells = head.iter().zip(row.as_ref().unwrap());
    let cells = cells.map(|(name, cell)| (name.to_owned(), cell.to_owned()));
    (result.unwrap().clone(), cells.collect())
}

fn cell<'c>(cells: &'c [(String, String)], name: &str) -> &'c str {
    &cells.iter().find(|(column, _)| column == name).unwrap().1
}

#[test]
fn what_the_scanner_hides_is_said_everywhere_and_stays_open() {
    let mut facts = audited();
    facts.findings[0].scanner = Some(ScannerClaim {
        state: ScannerState::Suppressed,
        kind: Some(SuppressionKind::InSource),
        reason: Some("only *test* data".into()),
    });
    facts.findings[1].scanner = Some(ScannerClaim {
        state: ScannerState::Review,
        kind: None,
        reason: None,
    });
    let (one, two) = (facts.findings[0].number, facts.findings[1].number);
    let (result, cells) = exported(&facts, one);
    assert_eq!(
        result["suppressions"],
        value!([{"kind": "inSource", "status": "accepted", "justification": "only *test* data"}])
    );
    assert_eq!(result["properties"]["status"], "open");
    let said = [
        "status",
        "scanner_state",
        "suppression_kind",
        "suppression_reason",
    ]
    .map(|name| cell(&cells, name));
    assert_eq!(
        said,
        ["open", "suppressed", "in_source", "only *test* data"]
    );
    // 3.27.9 and 3.27.10: what a person has to look at is no failure, and has no level.
    let (result, cells) = exported(&facts, two);
    assert_eq!(
        (&result["kind"], &result["level"]),
        (&value!("review"), &value!("none"))
    );
    assert!(result["suppressions"].is_null());
    assert_eq!(cell(&cells, "scanner_state"), "review");
    let report = markdown(facts.clone());
    assert!(
        report.contains(r"suppressed in the scanner, in the source: only \*test\* data"),
        "{report}"
    );
    assert!(report.contains("the scanner asks a person to look"));
    // What people decided is written in its place.
    facts.findings[0].status = FindingStatus::FalsePositive;
    facts.findings[0].triage = Some(Triage {
        by: "Ana Lima".into(),
        asked_by: None,
        at: facts.review.as_of,
        reason: "looked at it".into(),
    });
    let (result, cells) = exported(&facts, one);
    assert_eq!(result["suppressions"][0]["justification"], "looked at it");
    assert_eq!(cell(&cells, "scanner_state"), "suppressed");
}

#[test]
fn an_acceptance_that_is_over_is_exported_as_open() {
    let mut facts = audited();
    let now = facts.review.as_of;
    let number = facts.findings[0].number;
    facts.findings[0].status = FindingStatus::RiskAccepted;
    for (until, status) in [(now, "risk_accepted"), (now - 1, "open")] {
        facts.findings[0].acceptance = Some(Acceptance {
            until,
            asked_by: "Jonas".into(),
            approved_by: "Ana Lima".into(),
            at: now - 10,
            reason: "small".into(),
        });
        let (result, cells) = exported(&facts, number);
        assert_eq!(result["properties"]["status"], status);
        assert_eq!(result["suppressions"].is_null(), status == "open");
        assert_eq!(cell(&cells, "status"), status);
        // The facts themselves say what was decided.
        let facts: Value = serde_json::from_str(&json(facts.clone())).unwrap();
        let decided = facts["findings"].as_array().unwrap().iter();
        let mut decided = decided.filter(|finding| finding["number"] == number);
        assert_eq!(decided.next().unwrap()["status"], "risk_accepted");
    }
}
