//! JSON, SARIF and CSV of the sample review.

use crate::sample::{audited, released};
use holdpoint_report::{Facts, csv, json, sarif};
use serde_json::Value;

#[test]
fn the_json_gives_back_the_facts() {
    for facts in [audited(), released()] {
        let text = json(&facts);
        let back: Facts = serde_json::from_str(&text).unwrap();
        assert_eq!(back, facts.sorted());
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["format"], "holdpoint-report@v1");
        assert_eq!(value["draft"], facts.is_draft());
    }
}

#[test]
fn the_sarif_holds_every_finding_with_its_rule_place_and_state() {
    let log: Value = serde_json::from_str(&sarif(&released())).unwrap();
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
    let log: Value = serde_json::from_str(&sarif(&facts)).unwrap();
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%20b/%C3%BC%23%3F.go");
}

#[test]
fn the_sarif_of_no_findings_is_a_run_without_results() {
    let mut facts = audited();
    facts.findings.clear();
    let log: Value = serde_json::from_str(&sarif(&facts)).unwrap();
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
    let text = csv(&facts);
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
