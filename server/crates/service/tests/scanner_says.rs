//! What scanners say beside that a finding is there: suppressions and requests to look are kept and shown, and decide nothing.
//! And which tool found it, where one file holds the results of several.

mod common;

use common::{
    scans::{numbers, result, triage},
    team::Team,
};
use holdpoint_domain::{FindingStatus, ScannerClaim, ScannerState, SuppressionKind};
use holdpoint_importers::{ScannerStatus, read};
use holdpoint_service::{
    ExportForm, FindingFilter, FindingSort,
    mapping::{RuleFields, RuleRequest},
};
use serde_json::{Value, json};

fn run(tool: &str, results: &[Value]) -> Value {
    json!({"tool": {"driver": {"name": tool}}, "results": results})
}

fn log(runs: &[Value]) -> Value {
    json!({"version": "2.1.0", "runs": runs})
}

/// Of the scanner `t`.
fn sarif(results: &[Value]) -> Value {
    log(&[run("t", results)])
}

fn suppressed(rule: &str) -> Value {
    let mut result = result(rule, "error", 3);
    result["suppressions"] = json!([
        {"kind": "inSource", "status": "accepted", "justification": "Test data, never deployed."}
    ]);
    result
}

fn to_be_looked_at(rule: &str) -> Value {
    let mut result = result(rule, "none", 9);
    result["kind"] = json!("review");
    result
}

fn claim() -> ScannerClaim {
    ScannerClaim {
        state: ScannerState::Suppressed,
        kind: Some(SuppressionKind::InSource),
        reason: Some("Test data, never deployed.".to_owned()),
    }
}

fn saying(state: ScannerState) -> FindingFilter {
    FindingFilter {
        scanner_states: vec![state],
        ..FindingFilter::default()
    }
}

async fn rules(team: &Team, filter: &FindingFilter) -> Vec<String> {
    let page = team.page(filter, FindingSort::Number, None).await;
    page.lines
        .into_iter()
        .filter_map(|line| line.rule)
        .collect()
}

async fn export(team: &Team, form: ExportForm) -> String {
    let services = &team.world.services;
    let (all, by) = (FindingFilter::default(), FindingSort::Number);
    let export = services.export_findings(&team.owner, &team.review.id, all, by, form);
    let mut export = export.await.expect("may export");
    let mut text = String::new();
    while let Some(piece) = export.next_piece().await.expect("goes on") {
        text.push_str(&piece);
    }
    text
}

#[tokio::test]
async fn a_suppression_is_shown_wherever_the_finding_is_and_opens_no_gate() {
    for team in Team::each().await {
        let services = &team.world.services;
        let file = sarif(&[
            suppressed("S"),
            result("P", "error", 5),
            to_be_looked_at("R"),
        ]);
        let outcome = team.import(&file).await;
        assert_eq!(outcome.counts.high, 2, "a suppressed one counts");
        let lines = team.findings().await;
        let of = |rule: &str| lines.iter().find(|line| line.rule.as_deref() == Some(rule));
        let of = |rule: &str| of(rule).expect("is listed");
        assert_eq!(of("S").claim, Some(claim()), "{}", team.on());
        assert_eq!(of("S").status, FindingStatus::Open);
        assert_eq!(of("P").claim, None);
        assert_eq!(
            of("R").claim.as_ref().map(|of| of.state),
            Some(ScannerState::Review)
        );

        assert_eq!(rules(&team, &saying(ScannerState::Suppressed)).await, ["S"]);
        assert_eq!(rules(&team, &saying(ScannerState::Review)).await, ["R"]);
        let facets = team.facets(&saying(ScannerState::Review)).await;
        let expected = [(ScannerState::Suppressed, 1), (ScannerState::Review, 1)];
        assert_eq!((facets.n, &facets.scanner_states[..]), (1, &expected[..]));

        let view = services
            .finding(&team.viewer, &of("S").id)
            .await
            .expect("reads");
        assert_eq!(view.finding.claim, Some(claim()));
        let standing = services
            .review_standing(&team.viewer, &team.review.id)
            .await;
        let standing = standing.expect("stands");
        let reason = standing
            .verdict
            .reasons
            .iter()
            .find(|reason| reason.subject == of("S").id.as_str());
        assert_eq!(
            reason.expect("holds the release back").why,
            "High, open; suppressed in the scanner, in the source: Test data, never deployed."
        );

        let csv = export(&team, ExportForm::Csv).await;
        assert!(
            csv.contains(",suppressed,in_source,\"Test data, never deployed.\""),
            "{csv}"
        );
        // What is exported reads as what was imported.
        let again = read(
            export(&team, ExportForm::Sarif).await.as_bytes(),
            None,
            None,
        );
        let again = again.expect("reads").findings;
        let said: Vec<_> = again
            .iter()
            .map(|finding| {
                (
                    finding.rule.as_deref().unwrap_or(""),
                    finding.status,
                    finding.claim(),
                )
            })
            .collect();
        let review = ScannerClaim {
            state: ScannerState::Review,
            kind: None,
            reason: None,
        };
        for expected in [
            ("S", ScannerStatus::Suppressed, Some(claim())),
            ("P", ScannerStatus::Open, None),
            ("R", ScannerStatus::Review, Some(review)),
        ] {
            assert!(said.contains(&expected), "{expected:?} in {said:?}");
        }
    }
}

/// New, open before, fixed before, decided before: what it says is the same, and what people decided stays.
#[tokio::test]
async fn a_suppression_does_not_depend_on_what_was_before() {
    for team in Team::each().await {
        let plain = |rules: &[&str]| -> Vec<Value> {
            rules.iter().map(|rule| result(rule, "error", 3)).collect()
        };
        team.import(&sarif(&plain(&["fixed", "open", "false"])))
            .await;
        let id = team
            .findings()
            .await
            .into_iter()
            .find(|line| line.rule.as_deref() == Some("false"));
        let id = id.expect("is there").id;
        team.triage(&team.owner, &id, triage("false_positive"))
            .await;
        team.import(&sarif(&plain(&["open", "false"]))).await;

        let all = ["fixed", "open", "false", "new"].map(suppressed);
        let hidden = team.import(&sarif(&all)).await;
        assert_eq!(numbers(&hidden), [1, 2, 0, 1, 0], "{}", team.on());
        for line in team.findings().await {
            let status = match line.rule.as_deref() {
                Some("false") => FindingStatus::FalsePositive,
                _ => FindingStatus::Open,
            };
            assert_eq!(
                (line.claim, line.status),
                (Some(claim()), status),
                "{:?}",
                line.rule
            );
        }
        // Unchanged, it changes nothing; taken back, nothing of it is left.
        let services = &team.world.services;
        let undone = hidden.scan.expect("a scan");
        services
            .undo_scan(&team.owner, &undone)
            .await
            .expect("undoes");
        assert!(
            team.findings()
                .await
                .iter()
                .all(|line| line.claim.is_none())
        );
        team.import(&sarif(&all)).await;
        let shown = team
            .import(&sarif(&plain(&["fixed", "open", "false", "new"])))
            .await;
        assert_eq!(numbers(&shown), [0, 4, 0, 0, 0]);
        assert!(
            team.findings()
                .await
                .iter()
                .all(|line| line.claim.is_none())
        );
    }
}

fn of_two_tools() -> Value {
    log(&[
        run("full", &[result("a", "error", 1), result("b", "note", 2)]),
        run("second", &[result("c", "error", 3), result("d", "note", 4)]),
    ])
}

#[tokio::test]
async fn findings_of_a_further_tool_in_a_file_are_found_by_its_name() {
    for team in Team::each().await {
        team.import(&of_two_tools()).await;
        team.import(&sarif(&[result("e", "warning", 5)])).await;
        let of = |tool: &str| FindingFilter {
            tools: vec![tool.to_owned()],
            ..FindingFilter::default()
        };
        assert_eq!(
            rules(&team, &of("second")).await,
            ["c", "d"],
            "{}",
            team.on()
        );
        assert_eq!(rules(&team, &of("full")).await, ["a", "b"]);
        let facets = team.facets(&FindingFilter::default()).await;
        let tools: Vec<_> = facets
            .tools
            .iter()
            .map(|(tool, n)| (tool.as_str(), *n))
            .collect();
        assert_eq!(tools, [("full", 2), ("second", 2), ("t", 1)]);
        let lines = team.findings().await;
        let view = lines
            .iter()
            .find(|line| line.rule.as_deref() == Some("c"))
            .expect("is listed");
        assert_eq!(view.tool.as_deref(), Some("second"));
        let view = team
            .world
            .services
            .finding(&team.viewer, &view.id)
            .await
            .expect("reads");
        assert_eq!(view.finding.tool.as_deref(), Some("second"));

        // By scanner, one finding a page, forwards and back.
        let services = &team.world.services;
        for (sort, expected) in [
            (FindingSort::Tool, ["a", "b", "c", "d", "e"]),
            (FindingSort::ToolDown, ["e", "d", "c", "b", "a"]),
        ] {
            let mut seen = Vec::new();
            let mut from = None;
            let mut last = None;
            loop {
                let page = services
                    .findings_of_review(
                        &team.viewer,
                        &team.review.id,
                        &FindingFilter::default(),
                        sort,
                        1,
                        from.as_ref(),
                    )
                    .await
                    .expect("lists");
                seen.extend(page.lines.into_iter().filter_map(|line| line.rule));
                from = page.next;
                last = page.previous.or(last);
                if from.is_none() {
                    break;
                }
            }
            assert_eq!(seen, expected, "{sort:?}");
            let before = team
                .page(&FindingFilter::default(), sort, last.as_ref())
                .await;
            let before: Vec<_> = before
                .lines
                .into_iter()
                .filter_map(|line| line.rule)
                .collect();
            assert_eq!(before, expected[..4], "{sort:?}");
        }
        let text = export(&team, ExportForm::Sarif).await;
        let runs: Value = serde_json::from_str(&text).expect("is JSON");
        let tools: Vec<_> = runs["runs"]
            .as_array()
            .expect("runs")
            .iter()
            .map(|run| run["tool"]["driver"]["name"].as_str().expect("a name"))
            .collect();
        assert_eq!(tools, ["full", "second", "t"]);
    }
}

#[tokio::test]
async fn a_mapping_rule_for_a_further_tool_of_a_file_fits_its_findings() {
    for team in Team::each().await {
        let services = &team.world.services;
        let rule = RuleFields {
            item: "2.4.1".to_owned(),
            tool: "second".to_owned(),
            ..RuleFields::default()
        };
        let rule = RuleRequest::parse(&rule).expect("a rule");
        services
            .add_mapping_rule(&team.owner, &team.review.id, rule)
            .await
            .expect("adds");
        let bytes = of_two_tools().to_string();
        let preview = team
            .try_import(&team.owner, bytes.as_bytes(), true)
            .await
            .expect("previews");
        assert_eq!(preview.mapping[0].items[0].n, 2, "{}", team.on());
        team.import(&of_two_tools()).await;
        let keys: Vec<_> = team
            .findings()
            .await
            .into_iter()
            .map(|line| (line.rule.unwrap_or_default(), line.items.len()))
            .collect();
        let expected = [("a", 0), ("c", 1), ("b", 0), ("d", 1)];
        assert_eq!(keys, expected.map(|(rule, n)| (rule.to_owned(), n)));
        let plan = services
            .mapping_plan(&team.viewer, &team.review.id)
            .await
            .expect("plans");
        assert_eq!((plan.n_link, plan.n_unlink), (0, 0));
    }
}
