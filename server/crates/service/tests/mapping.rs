//! Mapping findings to items by rules, what clean scans are evidence of, and findings of two tools that are one issue.

mod common;

use common::{MINUTE, is_conflict, rejected, team::Team};
use holdpoint_domain::{Digest, ItemState, ScanId};
use holdpoint_service::{
    Actor, AsOf,
    mapping::{MappingPlan, ReviewMapping, RuleFields, RuleRequest},
    scans::ImportOutcome,
};
use serde_json::{Value, json};

/// The target commit of the team's review.
const TARGET: &str = "c41f0e2";

/// One result of a scanner: rule, level, path.
fn result(rule: &str, level: &str, path: &str) -> Value {
    json!({
        "ruleId": rule,
        "level": level,
        "message": { "text": format!("{rule} is violated in {path}") },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": path }, "region": { "startLine": 3 }
        }}]
    })
}

fn sarif(tool: &str, results: &[Value]) -> Value {
    json!({
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": tool, "version": "8.18" } },
            "invocations": [{ "executionSuccessful": true }],
            "results": results
        }]
    })
}

fn rule(item: &str, tool: &str) -> RuleFields {
    RuleFields {
        item: item.to_owned(),
        tool: tool.to_owned(),
        ..RuleFields::default()
    }
}

impl Team {
    async fn scan(&self, file: &Value, commit: &str, preview: bool) -> ImportOutcome {
        self.world.clock.advance(MINUTE);
        let bytes = file.to_string();
        let request = self.request(bytes.as_bytes(), None, Some(commit)).await;
        self.world
            .services
            .import_scan(&self.owner, &self.service.id, request, preview)
            .await
            .expect("imports")
    }

    async fn rule(&self, fields: RuleFields) -> holdpoint_domain::MappingRuleId {
        self.world
            .services
            .add_mapping_rule(
                &self.owner,
                &self.review.id,
                RuleRequest::parse(&fields).expect("a rule"),
            )
            .await
            .expect("adds the rule")
    }

    /// The keys of each finding's items, by number.
    async fn keys(&self) -> Vec<Vec<String>> {
        self.findings()
            .await
            .into_iter()
            .map(|line| line.items.into_iter().map(|(_, key)| key).collect())
            .collect()
    }

    async fn plan(&self) -> MappingPlan {
        self.world
            .services
            .mapping_plan(&self.viewer, &self.review.id)
            .await
            .expect("plans")
    }

    async fn apply(&self, who: &Actor) -> MappingPlan {
        let digest = self.plan().await.digest;
        self.world
            .services
            .apply_mapping(who, &self.review.id, &digest)
            .await
            .expect("applies")
    }

    /// Kind, title and whether it is stale, of the evidence that counts for an item.
    async fn evidence(&self, key: &str) -> Vec<(String, String, bool)> {
        let item = self.id(key).await;
        self.world
            .services
            .evidence_of(&self.viewer, &item)
            .await
            .expect("lists")
            .into_iter()
            .filter(|view| view.evidence.is_current())
            .map(|view| (view.evidence.kind, view.evidence.title, view.stale))
            .collect()
    }
}

#[tokio::test]
async fn the_first_rule_that_fits_decides_and_the_preview_says_so_before() {
    for team in Team::each().await {
        team.rule(RuleFields {
            path: "deploy/".to_owned(),
            ..rule("2.1.3", "gitleaks")
        })
        .await;
        team.rule(rule("2.4.1", "gitleaks")).await;
        let file = sarif(
            "gitleaks",
            &[
                result("aws-key", "error", "src/a.go"),
                result("aws-key", "error", "deploy/compose.yml"),
                result("jwt", "note", "src/b.go"),
            ],
        );
        let preview = team.scan(&file, TARGET, true).await;
        let counts = |outcome: &ImportOutcome| -> Vec<(String, i64)> {
            let [of] = outcome.mapping.as_slice() else {
                panic!("one review")
            };
            let mut counts: Vec<_> = of
                .items
                .iter()
                .map(|item| (item.item.key.clone(), item.n))
                .collect();
            counts.push(("none".to_owned(), of.n_unmapped));
            counts
        };
        let expected = [("2.1.3", 1), ("2.4.1", 2), ("none", 0)]
            .map(|(key, n): (&str, i64)| (key.to_owned(), n));
        assert_eq!(counts(&preview), expected, "{}", team.on());
        assert!(team.findings().await.is_empty());
        let imported = team.scan(&file, TARGET, false).await;
        assert_eq!(counts(&imported), expected);
        assert_eq!(
            team.keys().await,
            [["2.1.3"], ["2.4.1"], ["2.4.1"]],
            "{}",
            team.on()
        );
        let log = team.world.log().await;
        assert!(log.iter().any(|(action, _)| action == "findings.mapped"));
    }
}

/// Previews, imports over that preview, and says what both say of mapping.
async fn foretold(team: &Team, file: &Value, commit: &str, on: &str) -> Vec<ReviewMapping> {
    team.world.clock.advance(MINUTE);
    let services = &team.world.services;
    let bytes = file.to_string();
    let request = team.request(bytes.as_bytes(), None, Some(commit)).await;
    let preview = services
        .import_scan(&team.owner, &team.service.id, request.clone(), true)
        .await
        .expect("previews");
    let done = services
        .import_previewed_scan(&team.owner, &team.service.id, request, &preview.ground)
        .await
        .expect("imports");
    assert_eq!(preview.mapping, done.mapping, "{on} on {}", team.on());
    assert_eq!(preview.changes, done.changes, "{on} on {}", team.on());
    done.mapping
}

fn figures(mapping: &[ReviewMapping]) -> (Vec<(&str, i64)>, i64, Vec<&str>) {
    let of = &mapping[0];
    (
        of.items
            .iter()
            .map(|one| (one.item.key.as_str(), one.n))
            .collect(),
        of.n_unmapped,
        of.evidence.iter().map(|item| item.key.as_str()).collect(),
    )
}

#[tokio::test]
async fn a_preview_says_of_mapping_what_the_import_then_does() {
    for team in Team::each().await {
        let services = &team.world.services;
        let old = [
            result("aws-key", "error", "src/1.go"),
            result("aws-key", "error", "src/2.go"),
            result("jwt", "note", "src/3.go"),
            result("gone", "error", "src/4.go"),
        ];
        let first = foretold(&team, &sarif("gitleaks", &old), TARGET, "before any rule").await;
        assert_eq!(figures(&first), (vec![], 4, vec![]));
        // Findings that were there before the rule are linked with the next import that changes any.
        team.rule(RuleFields {
            severities: vec!["high".to_owned()],
            ..rule("2.4.1", "gitleaks")
        })
        .await;
        let mut next = old[..3].to_vec();
        next.push(result("new", "error", "src/5.go"));
        // One that is known is rated anew, so that the rule fits it; one is gone.
        next[2] = result("jwt", "error", "src/3.go");
        let linked = foretold(&team, &sarif("gitleaks", &next), TARGET, "one is new").await;
        assert_eq!(figures(&linked), (vec![("2.4.1", 4)], 0, vec![]));
        let same = foretold(&team, &sarif("gitleaks", &next), "abcdef1", "no change").await;
        assert_eq!(figures(&same), (vec![], 0, vec![]));
        // What had been fixed before the rule came is linked once it is back; what a person took away is not.
        let lines = team.findings().await;
        let item = team.id("2.4.1").await;
        services
            .map_finding(&team.owner, &lines[0].id, &item, false)
            .await
            .expect("unlinks");
        let back = foretold(&team, &sarif("gitleaks", &old), TARGET, "one is back").await;
        assert_eq!(figures(&back), (vec![("2.4.1", 1)], 0, vec![]));
        // A clean scan is evidence of a commit once.
        let clean = sarif("gitleaks", &[]);
        let shown = foretold(&team, &clean, TARGET, "clean").await;
        assert_eq!(figures(&shown), (vec![], 0, vec!["2.4.1"]));
        let mut other = clean.clone();
        other["runs"][0]["tool"]["driver"]["version"] = json!("8.19");
        let shown = foretold(&team, &other, TARGET, "clean again").await;
        assert_eq!(figures(&shown), (vec![], 0, vec![]));
        assert_eq!(team.evidence("2.4.1").await.len(), 1);
    }
}

#[tokio::test]
async fn a_preview_is_refused_once_rules_or_links_make_something_else_of_it() {
    for team in Team::each().await {
        let services = &team.world.services;
        let bytes = sarif("gitleaks", &[result("old", "error", "src/0.go")]).to_string();
        let request = team.request(bytes.as_bytes(), None, Some(TARGET)).await;
        services
            .import_scan(&team.owner, &team.service.id, request, false)
            .await
            .expect("imports");
        let next = [
            result("old", "error", "src/0.go"),
            result("new", "error", "src/1.go"),
        ];
        let bytes = sarif("gitleaks", &next).to_string();
        let request = team.request(bytes.as_bytes(), None, Some(TARGET)).await;
        let preview = || async {
            services
                .import_scan(&team.owner, &team.service.id, request.clone(), true)
                .await
                .expect("previews")
        };
        let over = async |seen: Digest| {
            services
                .import_previewed_scan(&team.owner, &team.service.id, request.clone(), &seen)
                .await
        };
        let no_rule = preview().await;
        assert_eq!(figures(&no_rule.mapping), (vec![], 2, vec![]));
        let id = team.rule(rule("2.4.1", "gitleaks")).await;
        assert!(is_conflict(&over(no_rule.ground).await), "{}", team.on());
        let by_rule = preview().await;
        assert_eq!(figures(&by_rule.mapping), (vec![("2.4.1", 2)], 0, vec![]));
        // Another item, with the same numbers.
        let other = RuleRequest::parse(&rule("2.4.1", "git*")).expect("a rule");
        services
            .change_mapping_rule(&team.owner, &team.review.id, &id, 1, other)
            .await
            .expect("changes");
        assert!(is_conflict(&over(by_rule.ground).await), "{}", team.on());
        let by_other = preview().await;
        assert_eq!(by_other.mapping, by_rule.mapping);
        // A person links one that the preview counts.
        let lines = team.findings().await;
        let item = team.id("2.5.1").await;
        services
            .map_finding(&team.owner, &lines[0].id, &item, true)
            .await
            .expect("links");
        assert!(is_conflict(&over(by_other.ground).await), "{}", team.on());
        let linked = preview().await;
        assert_eq!(figures(&linked.mapping), (vec![("2.4.1", 1)], 0, vec![]));
        // A ground is of one file and commit.
        let bytes = sarif("gitleaks", &next[1..]).to_string();
        let file = team.request(bytes.as_bytes(), None, Some(TARGET)).await;
        let mut commit = request.clone();
        commit.commit = None;
        for request in [file, commit] {
            let refused = services
                .import_previewed_scan(&team.owner, &team.service.id, request, &linked.ground)
                .await;
            assert!(is_conflict(&refused), "{}", team.on());
        }
        assert_eq!(team.n_scans().await, 1);
        let done = over(linked.ground).await.expect("imports");
        assert_eq!(done.mapping, linked.mapping);
        // A review that begins takes part in the mapping, so what was shown is not all.
        let next = [result("third", "error", "src/2.go")];
        let bytes = sarif("gitleaks", &next).to_string();
        let request = team.request(bytes.as_bytes(), None, Some(TARGET)).await;
        let before = services
            .import_scan(&team.owner, &team.service.id, request.clone(), true)
            .await
            .expect("previews");
        let new = common::team::new_review(team.review.template_version.clone());
        services
            .create_review(&team.manager, &team.service.id, new)
            .await
            .expect("begins");
        let refused = services
            .import_previewed_scan(&team.owner, &team.service.id, request, &before.ground)
            .await;
        assert!(is_conflict(&refused), "{}", team.on());
    }
}

#[tokio::test]
async fn what_people_linked_and_unlinked_stays_whatever_rules_say() {
    for team in Team::each().await {
        let services = &team.world.services;
        let file = |n: usize| {
            let results: Vec<_> = (0..n)
                .map(|at| result("aws-key", "error", &format!("src/{at}.go")))
                .collect();
            sarif("gitleaks", &results)
        };
        team.rule(rule("2.4.1", "gitleaks")).await;
        team.scan(&file(2), TARGET, false).await;
        let lines = team.findings().await;
        let (by_rule, other) = (team.id("2.4.1").await, team.id("2.5.1").await);
        services
            .map_finding(&team.owner, &lines[0].id, &by_rule, false)
            .await
            .expect("unlinks");
        services
            .map_finding(&team.owner, &lines[1].id, &other, true)
            .await
            .expect("links");
        team.scan(&file(3), TARGET, false).await;
        assert_eq!(
            team.keys().await,
            [vec![], vec!["2.4.1", "2.5.1"], vec!["2.4.1"]],
            "{}",
            team.on()
        );
        let view = services
            .finding(&team.viewer, &lines[1].id)
            .await
            .expect("finding");
        let made_by: Vec<_> = view
            .items
            .iter()
            .map(|link| (link.key.as_str(), link.rule_id.is_some()))
            .collect();
        assert_eq!(made_by, [("2.4.1", true), ("2.5.1", false)]);
        // The rule moves on to another item: only links that are the rules' own follow.
        let rules = services
            .mapping(&team.viewer, &team.review.id)
            .await
            .expect("rules")
            .rules;
        let request = RuleRequest::parse(&rule("2.1.1", "gitleaks")).expect("a rule");
        services
            .change_mapping_rule(&team.owner, &team.review.id, &rules[0].rule.id, 1, request)
            .await
            .expect("changes");
        let plan = team.plan().await;
        assert_eq!((plan.n_link, plan.n_unlink, plan.n_by_hand), (1, 1, 2));
        team.apply(&team.owner).await;
        assert_eq!(
            team.keys().await,
            [vec![], vec!["2.4.1", "2.5.1"], vec!["2.1.1"]]
        );
        assert!(team.plan().await.is_empty());
    }
}

#[tokio::test]
async fn rules_are_applied_on_demand_only_as_they_were_shown() {
    for team in Team::each().await {
        let services = &team.world.services;
        let file = sarif(
            "semgrep",
            &[
                result("go.sql", "error", "a.go"),
                result("go.race", "warning", "b.go"),
            ],
        );
        team.scan(&file, TARGET, false).await;
        assert_eq!(team.keys().await, [vec![""; 0], vec![]]);
        team.rule(RuleFields {
            rule: "go.*".to_owned(),
            severities: vec!["high".to_owned(), "critical".to_owned()],
            ..rule("2.5.1", "")
        })
        .await;
        let shown = team.plan().await;
        assert_eq!((shown.n_link, shown.n_unmapped), (1, 1), "{}", team.on());
        let id = team.rule(rule("2.5.2", "semgrep")).await;
        let refused = services
            .apply_mapping(&team.owner, &team.review.id, &shown.digest)
            .await;
        assert!(is_conflict(&refused));
        assert_eq!(team.keys().await, [vec![""; 0], vec![]]);
        team.apply(&team.owner).await;
        assert_eq!(team.keys().await, [["2.5.1"], ["2.5.2"]]);
        services
            .move_mapping_rule(&team.owner, &id, true)
            .await
            .expect("moves up");
        let plan = team.apply(&team.owner).await;
        assert_eq!((plan.n_link, plan.n_unlink), (1, 1));
        assert_eq!(team.keys().await, [["2.5.2"], ["2.5.2"]]);
        services
            .remove_mapping_rule(&team.owner, &id, 1)
            .await
            .expect("removes");
        // The links of a rule that is gone stay until the rules are applied.
        assert_eq!(team.keys().await, [["2.5.2"], ["2.5.2"]]);
        team.apply(&team.owner).await;
        assert_eq!(team.keys().await, [vec!["2.5.1"], vec![]]);
    }
}

#[tokio::test]
async fn rules_carry_over_to_the_next_review_of_the_same_checklist() {
    for team in Team::each().await {
        let services = &team.world.services;
        team.rule(rule("2.4.1", "gitleaks")).await;
        team.scan(
            &sarif("gitleaks", &[result("k", "error", "a")]),
            TARGET,
            false,
        )
        .await;
        let next = common::team::new_review(team.review.template_version.clone());
        let next = services
            .create_review(&team.manager, &team.service.id, next)
            .await
            .expect("begins")
            .review;
        let view = services
            .finding(&team.viewer, &team.findings().await[0].id)
            .await
            .expect("finding");
        let reviews: Vec<_> = view
            .items
            .iter()
            .map(|link| link.review_id.as_str())
            .collect();
        assert_eq!(
            reviews,
            [next.id.as_str(), team.review.id.as_str()],
            "{}",
            team.on()
        );
        let mapping = services
            .mapping(&team.viewer, &next.id)
            .await
            .expect("rules");
        assert_eq!(
            (mapping.rules.len(), mapping.rules[0].n_links),
            (1, 1),
            "the rule is the same for both"
        );
    }
}

#[tokio::test]
async fn a_tool_suggests_its_item_until_somebody_takes_or_dismisses_it() {
    for team in Team::each().await {
        let services = &team.world.services;
        let suggested = || async {
            let mapping = services
                .mapping(&team.viewer, &team.review.id)
                .await
                .expect("mapping");
            mapping
                .suggestions
                .into_iter()
                .map(|one| (one.tool, one.category, one.n, one.item.key))
                .collect::<Vec<_>>()
        };
        assert!(suggested().await.is_empty());
        team.scan(&sarif("gitleaks", &[]), TARGET, false).await;
        team.scan(
            &sarif("hadolint", &[result("DL3008", "warning", "Dockerfile")]),
            TARGET,
            false,
        )
        .await;
        let found = suggested().await;
        let items: Vec<_> = found
            .iter()
            .map(|(tool, _, n, key)| (tool.as_str(), *n, key.as_str()))
            .collect();
        assert_eq!(
            items,
            [("gitleaks", 0, "2.4.1"), ("hadolint", 1, "2.1.3")],
            "{}",
            team.on()
        );
        let (tool, category, ..) = &found[1];
        services
            .dismiss_mapping(&team.owner, &team.review.id, tool, category)
            .await
            .expect("dismisses");
        team.rule(rule("2.4.1", "gitleaks")).await;
        assert!(suggested().await.is_empty());
        let unknown = services
            .dismiss_mapping(&team.owner, &team.review.id, "nobody", "")
            .await;
        assert!(common::is_not_found(&unknown));
    }
}

#[tokio::test]
async fn a_rule_needs_a_condition_an_item_and_not_to_be_there_already() {
    for team in Team::each().await {
        let add = |fields: RuleFields| {
            let team = &team;
            async move {
                let request = RuleRequest::parse(&fields)?;
                team.world
                    .services
                    .add_mapping_rule(&team.owner, &team.review.id, request)
                    .await
            }
        };
        assert_eq!(rejected(add(rule("2.4.1", "")).await).0, "tool");
        assert_eq!(rejected(add(rule("9.9", "gitleaks")).await).0, "item");
        assert_eq!(rejected(add(rule("", "gitleaks")).await).0, "item");
        let long = RuleFields {
            path: "x".repeat(201),
            ..rule("2.4.1", "gitleaks")
        };
        assert_eq!(rejected(add(long).await).0, "path");
        add(rule("2.4.1", "gitleaks")).await.expect("adds");
        let (_, why) = rejected(add(rule("2.1.1", "gitleaks")).await);
        assert!(why.contains("2.4.1"), "{why}");
    }
}

#[tokio::test]
async fn a_clean_scan_of_the_target_is_evidence_until_a_newer_one_finds_something() {
    for team in Team::each().await {
        team.rule(rule("2.4.1", "gitleaks")).await;
        let clean = sarif("gitleaks", &[]);
        let preview = team.scan(&clean, TARGET, true).await;
        assert_eq!(preview.mapping[0].evidence[0].key, "2.4.1");
        assert!(team.evidence("2.4.1").await.is_empty());
        team.scan(&clean, "8b57779", false).await;
        assert!(
            team.evidence("2.4.1").await.is_empty(),
            "of another commit, {}",
            team.on()
        );
        let mut incomplete = clean.clone();
        incomplete["runs"][0]["invocations"][0]["executionSuccessful"] = json!(false);
        team.scan(&incomplete, TARGET, false).await;
        assert!(team.evidence("2.4.1").await.is_empty(), "incomplete");
        team.scan(&clean, TARGET, false).await;
        let title = "Clean gitleaks 8.18 scan".to_owned();
        let shown = [("scan".to_owned(), title.clone(), false)];
        assert_eq!(team.evidence("2.4.1").await, shown, "{}", team.on());
        let dirty = sarif("gitleaks", &[result("k", "error", "a")]);
        team.scan(&dirty, TARGET, false).await;
        assert_eq!(
            team.evidence("2.4.1").await,
            [("scan".to_owned(), title, true)],
            "it stays, and says that it is not so any more"
        );
        let (_, standing) = team
            .world
            .services
            .item_standing(&team.viewer, &team.id("2.4.1").await)
            .await
            .expect("stands");
        assert_eq!(standing.facts.n_stale_evidence, 1);
        let mut cleaner = clean.clone();
        cleaner["runs"][0]["tool"]["driver"]["version"] = json!("8.19");
        team.scan(&cleaner, TARGET, false).await;
        assert_eq!(
            team.evidence("2.4.1").await,
            shown,
            "the newest says what the evidence says"
        );
    }
}

#[tokio::test]
async fn good_news_voids_no_signature() {
    for team in Team::each().await {
        team.rule(rule("2.4.1", "gitleaks")).await;
        let item = team.id("2.4.1").await;
        team.send_to_review(&item).await;
        team.decide(&item, "pass").await;
        team.scan(&sarif("gitleaks", &[]), TARGET, false).await;
        let (_, standing) = team
            .world
            .services
            .item_standing(&team.viewer, &item)
            .await
            .expect("stands");
        assert_eq!(standing.state, ItemState::Passed);
        assert!(!standing.is_void(), "{}", team.on());
        assert_eq!(standing.evidence.len(), 1);
    }
}

#[tokio::test]
async fn a_newer_clean_scan_takes_the_place_of_the_older_and_undoing_gives_it_back() {
    for team in Team::each().await {
        let services = &team.world.services;
        let item = team.id("2.4.1").await;
        let old = team.scan(&sarif("gitleaks", &[]), "8b57779", false).await;
        services
            .use_scan_as_evidence(&team.owner, old.scan.as_ref().expect("stored"), &item)
            .await
            .expect("is evidence by hand");
        let again = services
            .use_scan_as_evidence(&team.owner, old.scan.as_ref().expect("stored"), &item)
            .await;
        assert_eq!(rejected(again).0, "item");
        team.rule(rule("2.4.1", "gitleaks")).await;
        let new = team.scan(&sarif("gitleaks", &[]), TARGET, false).await;
        let current = |all: Vec<holdpoint_service::evidence::EvidenceView>| -> Vec<Option<ScanId>> {
            all.into_iter()
                .filter(|view| view.evidence.is_current())
                .map(|view| view.evidence.scan)
                .collect()
        };
        let all = services
            .evidence_of(&team.viewer, &item)
            .await
            .expect("lists");
        assert_eq!(
            current(all),
            std::slice::from_ref(&new.scan),
            "{}",
            team.on()
        );
        let mut tx = team.world.on.database.write().await.expect("writes");
        let lost = tx
            .withdraw_evidence_of_scan(
                new.scan.as_ref().expect("stored"),
                &team.owner.id,
                services.now(),
                "The import was undone.",
            )
            .await
            .expect("withdraws");
        tx.commit().await.expect("commits");
        assert!(lost.contains(&item) && lost.len() == 1);
        let all = services
            .evidence_of(&team.viewer, &item)
            .await
            .expect("lists");
        assert_eq!(current(all), [old.scan]);
    }
}

#[tokio::test]
async fn a_scan_that_shows_nothing_is_no_evidence_by_hand_either() {
    for team in Team::each().await {
        let mut incomplete = sarif("gitleaks", &[]);
        incomplete["runs"][0]["invocations"][0]["executionSuccessful"] = json!(false);
        let scan = team.scan(&incomplete, TARGET, false).await.scan;
        let (_, why) = rejected(
            team.world
                .services
                .use_scan_as_evidence(&team.owner, &scan.expect("stored"), &team.id("2.4.1").await)
                .await,
        );
        assert!(why.contains("incomplete"), "{why}");
    }
}

#[tokio::test]
async fn applying_rules_makes_an_earlier_clean_scan_evidence_too() {
    for team in Team::each().await {
        team.scan(&sarif("gitleaks", &[]), TARGET, false).await;
        team.rule(rule("2.4.1", "gitleaks")).await;
        let plan = team.plan().await;
        assert_eq!(plan.evidence.len(), 1, "{}", team.on());
        assert!(!plan.is_empty());
        team.apply(&team.owner).await;
        assert_eq!(team.evidence("2.4.1").await.len(), 1);
        assert!(team.plan().await.is_empty());
    }
}

#[tokio::test]
async fn imports_leave_a_review_alone_whose_release_is_decided() {
    for team in Team::each().await {
        let services = &team.world.services;
        team.rule(rule("2.4.1", "gitleaks")).await;
        let standing = services
            .review_standing(&team.manager, &team.review.id)
            .await
            .expect("stands");
        let no_go = holdpoint_service::standing::ReleaseDecision::NoGo;
        let basis = standing.basis();
        services
            .decide_release(
                &team.manager,
                &team.review.id,
                no_go,
                "Not yet.",
                &basis,
                common::PASSWORD,
            )
            .await
            .expect("signs");
        let file = sarif("gitleaks", &[result("k", "error", "a")]);
        let outcome = team.scan(&file, TARGET, false).await;
        assert!(outcome.mapping.is_empty(), "{}", team.on());
        assert_eq!(team.keys().await, [vec![""; 0]]);
        team.apply(&team.owner).await;
        assert_eq!(team.keys().await, [["2.4.1"]], "a person may ask for it");
    }
}

#[tokio::test]
async fn another_plan_than_the_one_shown_is_refused() {
    for team in Team::each().await {
        let refused = team
            .world
            .services
            .apply_mapping(&team.owner, &team.review.id, &Digest::of(b"something else"))
            .await;
        assert!(is_conflict(&refused));
    }
}

/// A dependency finding as a tool's generic JSON.
async fn import_dependency(team: &Team, file: &Value) {
    let outcome = team.scan(file, TARGET, false).await;
    assert_eq!(outcome.changes.new, 1, "{:?}", outcome.problems);
}

#[tokio::test]
async fn the_same_vulnerability_from_two_tools_is_one_issue_with_two_sources() {
    for team in Team::each().await {
        // What pip-audit and OSV-Scanner write: other ids, another spelling of the package.
        let pip_audit = json!({ "dependencies": [{
            "name": "Zope_Interface", "version": "5.0.0",
            "vulns": [{ "id": "GHSA-abcd-efgh-2345", "fix_versions": ["5.1"], "aliases": [], "description": "Bad." }]
        }], "fixes": [] });
        let osv = json!({ "results": [{
            "source": { "path": "requirements.txt", "type": "lockfile" },
            "packages": [{
                "package": { "name": "zope.interface", "version": "5.0.0", "ecosystem": "PyPI" },
                "vulnerabilities": [{ "id": "PYSEC-2024-1", "aliases": ["CVE-2024-1234", "GHSA-abcd-efgh-2345"], "summary": "Bad." }],
                "groups": [{ "ids": ["PYSEC-2024-1"], "aliases": ["CVE-2024-1234"] }]
            }]
        }]});
        import_dependency(&team, &pip_audit).await;
        assert_eq!(team.findings().await[0].n_sources, 1);
        import_dependency(&team, &osv).await;
        let lines = team.findings().await;
        let sources: Vec<_> = lines.iter().map(|line| line.n_sources).collect();
        assert_eq!(sources, [2, 2], "{}", team.on());
        let view = team
            .world
            .services
            .finding(&team.viewer, &lines[0].id)
            .await
            .expect("finding");
        let others: Vec<_> = view.same_issue.iter().map(|same| same.number).collect();
        assert_eq!(others, [2]);
        let report = team
            .world
            .services
            .report_preview(&team.viewer, &team.review.id, &AsOf::Newest)
            .await
            .expect("a draft");
        let text = format!("{report:?}");
        assert!(text.contains("Also reported by"), "{text}");
    }
}

/// A repository may have the same dependency in thousands of lock files.
#[tokio::test]
async fn of_an_issue_with_many_findings_each_tool_is_counted_and_the_first_are_named() {
    for team in Team::each().await {
        let file = |tool: &str, n: usize| {
            let finding = |at: usize| {
                json!({
                    "title": format!("libx in {at}"), "severity": "high", "rule": "CVE-2024-1234",
                    "cve": ["CVE-2024-1234"], "component": "libx", "path": format!("app{at:02}/package-lock.json")
                })
            };
            let findings: Vec<_> = (0..n).map(finding).collect();
            json!({ "format": "holdpoint-findings", "tool": { "name": tool }, "complete": true, "findings": findings })
        };
        for (tool, n) in [("one", 3), ("two", 25), ("three", 1)] {
            let outcome = team.scan(&file(tool, n), TARGET, false).await;
            assert_eq!(outcome.changes.new, i64::try_from(n).expect("few"));
        }
        let lines = team.findings().await;
        assert_eq!(lines.len(), 29);
        assert!(
            lines.iter().all(|line| line.n_sources == 3),
            "{}",
            team.on()
        );
        let others = async |number: i64| {
            let line = lines.iter().find(|line| line.number == number);
            let services = &team.world.services;
            let view = services.finding(&team.viewer, &line.expect("is there").id);
            let view = view.await.expect("reads");
            let numbers = view.same_issue.iter().map(|same| same.number);
            numbers.collect::<Vec<_>>()
        };
        // Of the second tool twenty, from number 4 on; of the third its one.
        assert_eq!(others(2).await, (4..24).chain([29]).collect::<Vec<_>>());
        assert_eq!(others(28).await, [1, 2, 3, 29], "{}", team.on());
    }
}
