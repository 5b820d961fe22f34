//! Triage: what may be decided about a finding, about many at once, what taking that back does, and what time and scans
//! make of a decision.

mod common;

use common::{DAY, MINUTE, is_conflict, is_forbidden, rejected, team::Team};
use holdpoint_domain::{
    FindingId, FindingStatus, Policy, Severity, TriageBatchId, triage::Request,
};
use holdpoint_service::{
    Actor, Finding, FindingFilter, FindingLine, FindingSort, ReviewChange, ServiceError,
    findings::{FindingFields, FindingRequest, Triage, TriageFields},
    triage::{Bulk, BulkTriage, Chosen},
};
use serde_json::{Value, json};

fn sarif(n: usize, level: &str) -> Value {
    let results: Vec<_> = (0..n)
        .map(|at| {
            json!({
                "ruleId": format!("rule-{at}"), "level": level, "message": { "text": "It is violated" },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": "src/a.go" }, "region": { "startLine": at + 1 }
                } }]
            })
        })
        .collect();
    json!({
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "gocheck" } },
            "invocations": [{ "executionSuccessful": true }], "results": results
        }]
    })
}

fn triage(action: &str) -> Triage {
    of(action, "F-1", "2026-03-01")
}

fn of(action: &str, original: &str, until: &str) -> Triage {
    let fields = TriageFields {
        action: action.to_owned(),
        reason: "The code is never built.".to_owned(),
        until: until.to_owned(),
        duplicate_of: original.to_owned(),
    };
    Triage::parse(&fields).expect("a triage")
}

impl Team {
    async fn lines_of(&self, filter: FindingFilter) -> Vec<FindingLine> {
        self.world
            .services
            .findings_of_review(
                &self.viewer,
                &self.review.id,
                &filter,
                FindingSort::Number,
                500,
                None,
            )
            .await
            .expect("lists")
            .lines
    }

    async fn lines(&self) -> Vec<FindingLine> {
        self.lines_of(FindingFilter::default()).await
    }

    async fn states(&self) -> Vec<FindingStatus> {
        self.lines()
            .await
            .into_iter()
            .map(|line| line.status)
            .collect()
    }

    /// Two scanners find the same, and somebody calls F-2 what it is: F-1 again.
    async fn found_twice(&self) -> [Value; 1] {
        let one = [said("shell", "Anything is run", "run(input)")];
        self.import(&seen_by("ta", &one)).await;
        self.import(&seen_by("tb", &one)).await;
        self.decide_on(&self.owner, 2, of("duplicate", "F-1", ""))
            .await
            .expect("F-2 is F-1 again");
        self.decide_on(&self.manager, 2, triage("approve"))
            .await
            .expect("somebody else sees it too");
        one
    }

    /// Decides about the finding with this number.
    async fn decide_on(
        &self,
        who: &Actor,
        number: i64,
        triage: Triage,
    ) -> Result<(), ServiceError> {
        self.world.clock.advance(MINUTE);
        let line = self
            .lines()
            .await
            .into_iter()
            .find(|line| line.number == number)
            .expect("is there");
        self.world
            .services
            .triage_finding(who, &line.id, line.version, triage)
            .await
            .map(drop)
    }

    async fn bulk(
        &self,
        who: &Actor,
        chosen: Chosen,
        triage: Triage,
    ) -> Result<BulkTriage, ServiceError> {
        self.world.clock.advance(MINUTE);
        self.world
            .services
            .triage_findings(who, &self.review.id, chosen, Bulk::Triage(triage))
            .await
    }

    fn open_ones(n: i64) -> Chosen {
        Chosen::Matching {
            filter: Box::new(FindingFilter {
                statuses: vec![FindingStatus::Open],
                ..FindingFilter::default()
            }),
            n,
        }
    }

    /// These findings, as they are shown now.
    async fn shown(&self, numbers: &[i64]) -> Chosen {
        let lines = self.lines().await.into_iter();
        let lines = lines.filter(|line| numbers.contains(&line.number));
        Chosen::These(lines.map(|line| (line.id, line.version)).collect())
    }

    async fn undo(&self, who: &Actor, batch: &TriageBatchId) -> Result<BulkTriage, ServiceError> {
        self.world.clock.advance(MINUTE);
        self.world.services.undo_triage(who, batch).await
    }
}

use FindingStatus::{Duplicate, FalsePositive, Fixed, Open, RiskAccepted};

#[tokio::test]
async fn every_decision_is_possible_only_from_the_states_that_allow_it() {
    for team in Team::each().await {
        team.import(&sarif(3, "warning")).await;
        let refused = |number, action: &'static str, why: &'static str| {
            let team = &team;
            async move {
                let (_, message) =
                    rejected(team.decide_on(&team.manager, number, triage(action)).await);
                assert!(message.contains(why), "{action}: {message}");
            }
        };
        refused(2, "reopen", "open already").await;
        refused(2, "fixed", "later complete scan").await;
        refused(2, "approve", "Nobody has asked").await;
        refused(2, "decline", "Nobody has asked").await;
        refused(2, "approve_acceptance", "Nobody has asked").await;
        refused(2, "decline_acceptance", "Nobody has asked").await;
        team.decide_on(&team.owner, 2, triage("false_positive"))
            .await
            .expect("decides");
        refused(2, "false_positive", "already").await;
        refused(2, "ask_acceptance", "Only the risk of an open finding").await;
        team.decide_on(&team.owner, 2, triage("duplicate"))
            .await
            .expect("a false positive may turn out a duplicate");
        refused(2, "duplicate", "Reopen it first").await;
        team.import(&sarif(2, "warning")).await;
        assert_eq!(team.states().await, [Open, Duplicate, Fixed]);
        refused(3, "reopen", "only a scan that has it again").await;
        refused(3, "false_positive", "nothing to decide").await;
        refused(3, "duplicate", "nothing to decide").await;
    }
}

#[tokio::test]
async fn duplicates_form_no_chain_and_their_original_names_them() {
    for team in Team::each().await {
        team.import(&sarif(4, "warning")).await;
        team.decide_on(&team.owner, 2, triage("duplicate"))
            .await
            .expect("F-2 is F-1 again");
        let chain = team
            .decide_on(&team.owner, 3, of("duplicate", "F-2", ""))
            .await;
        assert_eq!(rejected(chain).0, "duplicate_of");
        let (field, why) = rejected(
            team.decide_on(&team.owner, 1, of("duplicate", "F-3", ""))
                .await,
        );
        assert!(
            field == "duplicate_of" && why.contains("Another finding is a duplicate"),
            "{why}"
        );
        let itself = team
            .decide_on(&team.owner, 3, of("duplicate", "F-3", ""))
            .await;
        assert_eq!(rejected(itself).0, "duplicate_of");
        let lines = team.lines().await;
        let view = team
            .world
            .services
            .finding(&team.viewer, &lines[0].id)
            .await
            .expect("finding");
        let numbers: Vec<_> = view.duplicates.entries.iter().map(|of| of.number).collect();
        assert_eq!(numbers, [2], "{}", team.on());
    }
}

#[tokio::test]
async fn an_accepted_risk_lapses_when_the_finding_says_something_else() {
    for team in Team::each().await {
        team.import(&sarif(1, "warning")).await;
        team.decide_on(&team.owner, 1, triage("ask_acceptance"))
            .await
            .expect("asks");
        team.decide_on(&team.manager, 1, triage("approve_acceptance"))
            .await
            .expect("approves");
        let open = || {
            team.lines_of(FindingFilter {
                statuses: vec![Open],
                ..FindingFilter::default()
            })
        };
        assert!(open().await.is_empty(), "{}", team.on());
        let mut moved = sarif(1, "warning");
        moved["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"] =
            json!({ "startLine": 90 });
        team.import(&moved).await;
        assert!(open().await.is_empty(), "it only moved");
        team.import(&sarif(1, "error")).await;
        assert_eq!(open().await.len(), 1, "it is worse than what was accepted");
        let standing = team
            .world
            .services
            .review_standing(&team.viewer, &team.review.id)
            .await
            .expect("stands");
        let reasons: Vec<_> = standing
            .verdict
            .reasons
            .iter()
            .map(|reason| reason.kind.as_str())
            .collect();
        assert!(reasons.contains(&"acceptance_expired"), "{reasons:?}");
        // Extending asks again, and somebody else approves again.
        team.decide_on(&team.owner, 1, of("ask_acceptance", "", "2026-04-01"))
            .await
            .expect("asks again");
        assert_eq!(team.states().await, [Open]);
        let own = team
            .decide_on(&team.owner, 1, triage("approve_acceptance"))
            .await;
        assert!(is_forbidden(&own));
        team.decide_on(&team.manager, 1, triage("approve_acceptance"))
            .await
            .expect("approves again");
        assert!(open().await.is_empty());
        team.world.clock.advance(90 * DAY);
        assert_eq!(open().await.len(), 1, "its time is over");
    }
}

#[tokio::test]
async fn a_decision_about_all_that_match_is_one_entry_and_can_be_put_back() {
    for team in Team::each().await {
        team.import(&sarif(5, "warning")).await;
        team.decide_on(&team.owner, 5, triage("duplicate"))
            .await
            .expect("decides");
        let outdated = team
            .bulk(&team.owner, Team::open_ones(5), triage("false_positive"))
            .await;
        assert_eq!(rejected(outdated).0, "chosen", "{}", team.on());
        let before = team.world.log().await.len();
        let done = team
            .bulk(&team.owner, Team::open_ones(4), triage("false_positive"))
            .await
            .expect("decides");
        assert_eq!((done.n_done, done.n_refused), (4, 0));
        let log = team.world.log().await;
        assert_eq!(log.len(), before + 1, "one entry");
        assert!(log[before].1.contains("1-4"), "{}", log[before].1);
        assert_eq!(
            team.states().await,
            [
                FalsePositive,
                FalsePositive,
                FalsePositive,
                FalsePositive,
                Duplicate
            ]
        );
        // One is decided about again: it stays as it is now, and the undoing says who did it.
        team.decide_on(&team.manager, 2, triage("reopen"))
            .await
            .expect("reopens");
        let batch = done.batch.expect("can be undone");
        let undone = team.undo(&team.owner, &batch).await.expect("undoes");
        assert_eq!((undone.n_done, undone.n_refused), (3, 1));
        assert_eq!(undone.refused[0].number, 2);
        assert_eq!(undone.refused[0].why, "sofia made it open since.");
        assert_eq!(team.states().await, [Open, Open, Open, Open, Duplicate]);
        let (_, why) = rejected(team.undo(&team.owner, &batch).await);
        assert_eq!(why, "jonas undid this already.");
    }
}

#[tokio::test]
async fn what_a_scan_says_anew_does_not_stand_in_the_way_of_undoing() {
    for team in Team::each().await {
        team.import(&sarif(2, "warning")).await;
        let done = team
            .bulk(&team.owner, Team::open_ones(2), triage("false_positive"))
            .await
            .expect("decides");
        team.import(&sarif(2, "error")).await;
        // They block now, so what one person decided waits for a second.
        assert_eq!(team.states().await, [Open; 2]);
        let undone = team
            .undo(&team.owner, &done.batch.expect("a batch"))
            .await
            .expect("undoes");
        assert_eq!((undone.n_done, undone.n_refused), (2, 0), "{}", team.on());
        assert_eq!(team.states().await, [Open; 2]);
    }
}

#[tokio::test]
async fn many_go_by_the_same_rules_as_one() {
    for team in Team::each().await {
        team.import(&sarif(4, "warning")).await;
        let lines = team.lines().await;
        let these = |lines: &[FindingLine]| {
            Chosen::These(
                lines
                    .iter()
                    .map(|line| (line.id.clone(), line.version))
                    .collect(),
            )
        };
        // The original is among those that are ticked.
        let done = team
            .bulk(&team.owner, these(&lines[..3]), of("duplicate", "F-1", ""))
            .await
            .expect("decides");
        assert_eq!((done.n_done, done.n_refused), (2, 1), "{}", team.on());
        assert_eq!(done.refused[0].why, "A finding cannot repeat itself.");
        // What changed since it was shown is refused by itself.
        let stale = team
            .bulk(&team.owner, these(&lines[2..]), triage("false_positive"))
            .await
            .expect("decides");
        assert_eq!((stale.n_done, stale.n_refused), (1, 1));
        assert_eq!(
            team.states().await,
            [Open, Duplicate, Duplicate, FalsePositive]
        );
        // Asking and approving: not by the same person, and not below a manager.
        team.bulk(&team.manager, Team::open_ones(1), triage("ask_acceptance"))
            .await
            .expect("asks");
        let own = team
            .bulk(
                &team.manager,
                Team::open_ones(1),
                triage("approve_acceptance"),
            )
            .await
            .expect("answers");
        assert_eq!((own.n_done, own.n_refused), (0, 1));
        assert!(own.batch.is_none() && own.refused[0].why.contains("You asked"));
        let below = team
            .bulk(
                &team.owner,
                Team::open_ones(1),
                triage("approve_acceptance"),
            )
            .await;
        assert!(is_forbidden(&below));
    }
}

#[tokio::test]
async fn undoing_an_approval_leaves_what_was_asked_for() {
    for team in Team::each().await {
        team.import(&sarif(2, "error")).await;
        team.bulk(&team.owner, Team::open_ones(2), triage("ask_acceptance"))
            .await
            .expect("asks");
        let done = team
            .bulk(
                &team.manager,
                team.shown(&[1, 2]).await,
                triage("approve_acceptance"),
            )
            .await
            .expect("approves");
        assert_eq!(team.states().await, [RiskAccepted; 2]);
        team.undo(&team.manager, &done.batch.expect("a batch"))
            .await
            .expect("undoes");
        assert_eq!(team.states().await, [Open; 2]);
        let again = team
            .bulk(
                &team.manager,
                team.shown(&[1, 2]).await,
                triage("approve_acceptance"),
            )
            .await
            .expect("approves again");
        assert_eq!(again.n_done, 2, "{}", team.on());
    }
}

#[tokio::test]
async fn mapping_many_can_be_put_back_but_not_what_was_mapped_before() {
    for team in Team::each().await {
        let services = &team.world.services;
        team.import(&sarif(3, "warning")).await;
        let item = team.id("2.5.1").await;
        let lines = team.lines().await;
        services
            .map_finding(&team.manager, &lines[0].id, &item, true)
            .await
            .expect("maps");
        let chosen = Team::open_ones(3);
        let done = services
            .triage_findings(
                &team.owner,
                &team.review.id,
                chosen,
                Bulk::Map(item.clone()),
            )
            .await
            .expect("maps");
        assert_eq!(done.n_done, 2);
        let n_mapped = || async {
            let filter = FindingFilter {
                item: Some(item.clone()),
                ..FindingFilter::default()
            };
            team.lines_of(filter).await.len()
        };
        assert_eq!(n_mapped().await, 3, "{}", team.on());
        let undone = team
            .undo(&team.owner, &done.batch.expect("a batch"))
            .await
            .expect("undoes");
        assert_eq!((undone.n_done, undone.n_refused), (2, 0));
        assert_eq!(n_mapped().await, 1);
    }
}

#[tokio::test]
async fn late_findings_hold_back_where_the_policy_says_so() {
    for team in Team::each().await {
        let services = &team.world.services;
        team.import(&sarif(1, "warning")).await;
        let reasons = || async {
            services
                .review_standing(&team.viewer, &team.review.id)
                .await
                .expect("stands")
                .verdict
                .reasons
                .into_iter()
                .filter(|reason| reason.subject_kind == "finding")
                .map(|reason| (reason.kind.as_str(), reason.why))
                .collect::<Vec<_>>()
        };
        let team = &team;
        let policy = |block| async move {
            let review = services
                .review(&team.manager, &team.review.id)
                .await
                .expect("review")
                .review;
            let change = ReviewChange {
                version: review.version,
                title: common::team::name(&review.title),
                release: common::team::name(&review.release),
                commit: None,
                due_on: None,
                policy: Policy {
                    late_findings_block: block,
                    ..review.policy
                },
            };
            services
                .update_review(&team.manager, &review.id, change)
                .await
                .expect("changes");
        };
        policy(true).await;
        assert!(reasons().await.is_empty(), "medium, and in time");
        team.world.clock.advance(31 * DAY);
        let late = reasons().await;
        assert_eq!(late.len(), 1, "{}", team.on());
        assert_eq!(late[0].0, "finding_late");
        assert!(late[0].1.contains("past its limit"), "{}", late[0].1);
        policy(false).await;
        assert!(reasons().await.is_empty());
    }
}

#[tokio::test]
async fn a_finding_written_by_hand_is_fixed_and_reopened_by_people() {
    for team in Team::each().await {
        let fields = FindingFields {
            title: "No limit".into(),
            severity: Severity::Low.as_str().into(),
            category: "code".into(),
            problem: "It is wrong.".into(),
            ..FindingFields::default()
        };
        let id: FindingId = team
            .world
            .services
            .write_finding(
                &team.owner,
                &team.review.id,
                FindingRequest::parse(&fields).expect("a finding"),
                &[],
            )
            .await
            .expect("writes");
        team.decide_on(&team.owner, 1, triage("fixed"))
            .await
            .expect("fixes");
        let finding = team
            .world
            .services
            .finding(&team.viewer, &id)
            .await
            .expect("finding")
            .finding;
        assert!(finding.fixed_at.is_some() && finding.status == Fixed);
        team.decide_on(&team.owner, 1, triage("reopen"))
            .await
            .expect("reopens");
        assert_eq!(team.states().await, [Open], "{}", team.on());
    }
}

/// One result of a tool, as others see it too.
fn seen_by(tool: &str, results: &[Value]) -> Value {
    let mut scan = sarif(0, "error");
    scan["runs"][0]["tool"]["driver"]["name"] = tool.into();
    scan["runs"][0]["results"] = results.into();
    scan
}

fn said(rule: &str, message: &str, snippet: &str) -> Value {
    json!({
        "ruleId": rule, "level": "error", "message": { "text": message },
        "partialFingerprints": { "primaryLocationLineHash": format!("{rule}:1") },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": "src/a.go" },
            "region": { "startLine": 7, "snippet": { "text": snippet } }
        } }]
    })
}

/// The same of a severity that does not block, so that one person decides about it alone.
fn mild(rule: &str, message: &str, snippet: &str) -> Value {
    let mut result = said(rule, message, snippet);
    result["level"] = "warning".into();
    result
}

impl Team {
    /// Why the verdict holds back, of findings only: number and sentence.
    async fn held_back_by(&self) -> Vec<(String, String)> {
        let standing = self
            .world
            .services
            .review_standing(&self.viewer, &self.review.id)
            .await
            .expect("stands");
        (standing.verdict.reasons.into_iter())
            .filter(|reason| reason.subject_kind == "finding")
            .map(|reason| {
                let number = reason.title.split(' ').next().unwrap_or_default();
                (number.to_owned(), reason.why)
            })
            .collect()
    }

    async fn open_numbers(&self) -> Vec<i64> {
        let open = FindingFilter {
            statuses: vec![Open],
            ..FindingFilter::default()
        };
        let lines = self.lines_of(open.clone()).await;
        let numbers: Vec<_> = lines.iter().map(|line| line.number).collect();
        let facets = self
            .world
            .services
            .finding_facets(&self.viewer, &self.review.id, &open)
            .await
            .expect("counts");
        assert_eq!(
            usize::try_from(facets.n).expect("few"),
            numbers.len(),
            "{}",
            self.on()
        );
        numbers
    }

    async fn accept(&self, number: i64, until: &str) {
        self.decide_on(&self.owner, number, of("ask_acceptance", "", until))
            .await
            .expect("asks");
        self.decide_on(&self.manager, number, triage("approve_acceptance"))
            .await
            .expect("approves");
    }
}

#[tokio::test]
async fn a_duplicate_that_its_scanner_still_has_counts_once_its_original_is_fixed() {
    for team in Team::each().await {
        let one = team.found_twice().await;
        assert_eq!(team.open_numbers().await, [1]);
        assert_eq!(team.held_back_by().await.len(), 1, "the original alone");

        team.import(&seen_by("ta", &[])).await;
        assert_eq!(team.states().await, [Fixed, Duplicate], "as decided");
        assert_eq!(team.open_numbers().await, [2], "{}", team.on());
        let reasons = team.held_back_by().await;
        assert_eq!(reasons.len(), 1, "{reasons:?}");
        assert_eq!(reasons[0].0, "F-2");
        assert!(
            reasons[0].1.contains("duplicate of F-1, which is fixed"),
            "{reasons:?}"
        );

        // An incomplete scan that does not have it shows nothing; a complete one does.
        let mut incomplete = seen_by("tb", &[]);
        incomplete["runs"][0]["invocations"][0]["executionSuccessful"] = false.into();
        team.import(&incomplete).await;
        assert_eq!(team.held_back_by().await.len(), 1, "{}", team.on());
        let mut clean = seen_by("tb", &[]);
        clean["runs"][0]["tool"]["driver"]["version"] = "2".into();
        team.import(&clean).await;
        assert_eq!(team.open_numbers().await, [0; 0]);
        assert_eq!(team.held_back_by().await, [], "{}", team.on());

        // It is back in its own scan alone.
        let mut back = seen_by("tb", &one);
        back["runs"][0]["tool"]["driver"]["version"] = "3".into();
        team.import(&back).await;
        assert_eq!(team.held_back_by().await.len(), 1, "{}", team.on());
        // And the original too: it stands for both again.
        let mut back = seen_by("ta", &one);
        back["runs"][0]["tool"]["driver"]["version"] = "3".into();
        team.import(&back).await;
        assert_eq!(team.open_numbers().await, [1]);
    }
}

#[tokio::test]
async fn a_duplicate_stays_silent_while_its_original_is_decided() {
    for team in Team::each().await {
        team.found_twice().await;
        team.decide_on(&team.owner, 1, triage("false_positive"))
            .await
            .expect("decides");
        team.decide_on(&team.manager, 1, triage("approve"))
            .await
            .expect("approves");
        assert_eq!(team.held_back_by().await, [], "{}", team.on());
        team.decide_on(&team.owner, 1, triage("reopen"))
            .await
            .expect("reopens");
        team.accept(1, "2026-03-01").await;
        assert_eq!(team.held_back_by().await, [], "{}", team.on());
        team.world.clock.advance(400 * DAY);
        let reasons = team.held_back_by().await;
        assert_eq!((reasons.len(), reasons[0].0.as_str()), (1, "F-1"));
    }
}

#[tokio::test]
async fn a_scanners_finding_is_no_duplicate_of_one_that_counts_for_one_review_only() {
    for team in Team::each().await {
        team.import(&sarif(1, "warning")).await;
        let fields = FindingFields {
            title: "No limit".into(),
            severity: "low".into(),
            category: "code".into(),
            problem: "It is wrong.".into(),
            ..FindingFields::default()
        };
        let request = FindingRequest::parse(&fields).expect("a finding");
        team.world
            .services
            .write_finding(&team.owner, &team.review.id, request, &[])
            .await
            .expect("writes");
        let (field, why) = rejected(
            team.decide_on(&team.owner, 1, of("duplicate", "F-2", ""))
                .await,
        );
        assert_eq!(field, "duplicate_of");
        assert!(why.contains("Call F-2 a duplicate of this one"), "{why}");
        team.decide_on(&team.owner, 2, of("duplicate", "F-1", ""))
            .await
            .expect("the other way round");
    }
}

#[tokio::test]
async fn an_acceptance_that_ended_is_open_to_the_next_scan() {
    for team in Team::each().await {
        let first = [
            said("late", "Slow", "wait()"),
            said("other", "Harmless", "a()"),
            said("held", "Known", "b()"),
        ];
        team.import(&seen_by("ta", &first)).await;
        team.accept(1, "2026-02-20").await;
        team.accept(2, "2026-12-30").await;
        team.accept(3, "2026-12-30").await;
        team.world.clock.advance(60 * DAY);
        let changed = [
            said("late", "Slow", "wait()"),
            said("other", "Remote code execution", "system(input)"),
            said("held", "Known", "b()"),
        ];
        team.import(&seen_by("ta", &changed)).await;
        assert_eq!(team.states().await, [RiskAccepted; 3]);
        assert_eq!(team.open_numbers().await, [1, 2], "{}", team.on());
        let reasons = team.held_back_by().await;
        assert_eq!(reasons.len(), 2, "{reasons:?}");
        assert!(reasons[0].1.contains("time"), "{reasons:?}");
        assert!(
            reasons[1].1.contains("does not say any more"),
            "{reasons:?}"
        );

        let before = team.lines().await;
        let outcome = team.import(&seen_by("ta", &[])).await;
        assert_eq!(outcome.changes.fixed, 2, "{}", team.on());
        assert_eq!(team.states().await, [Fixed, Fixed, RiskAccepted]);
        assert_eq!(team.held_back_by().await, []);

        // Undone, they are accepted as they were, and that has ended as it had.
        team.world
            .services
            .undo_scan(&team.owner, outcome.scan.as_ref().expect("a scan"))
            .await
            .expect("undoes");
        assert_eq!(team.states().await, [RiskAccepted; 3]);
        assert_eq!(team.open_numbers().await, [1, 2], "{}", team.on());
        let there = team.lines().await;
        for (there, before) in there.iter().zip(&before) {
            assert_eq!(there.accepted_until, before.accepted_until);
        }

        // What is fixed and comes back is open, and nobody has asked for anything.
        team.import(&seen_by("ta", &[])).await;
        let mut back = seen_by("ta", &changed);
        back["runs"][0]["tool"]["driver"]["version"] = "2".into();
        let outcome = team.import(&back).await;
        assert_eq!(outcome.changes.reopened, 2, "{}", team.on());
        assert_eq!(team.states().await, [Open, Open, RiskAccepted]);
        let lines = team.lines().await;
        let services = &team.world.services;
        let view = services.finding(&team.viewer, &lines[0].id).await;
        let finding = view.expect("reads").finding;
        assert!(finding.acceptance_requested_by.is_none() && finding.accepted_until.is_none());
    }
}

#[tokio::test]
async fn an_accepted_risk_is_bound_to_what_the_scanner_says_of_the_place() {
    for team in Team::each().await {
        let scan = |message: &str, snippet: &str| seen_by("ta", &[said("x", message, snippet)]);
        team.import(&scan("Harmless, see line 12", "a()")).await;
        team.accept(1, "2026-12-30").await;
        team.import(&scan("Harmless, see line 90", "  a()\n")).await;
        assert_eq!(team.open_numbers().await, [0; 0], "only places changed");
        team.import(&scan("Remote code execution", "a()")).await;
        assert_eq!(team.open_numbers().await, [1], "{}", team.on());
        // What is said is again what was accepted.
        team.import(&scan("Harmless, see line 7", "a()")).await;
        assert_eq!(team.open_numbers().await, [0; 0], "{}", team.on());
        let outcome = team
            .import(&scan("Harmless, see line 7", "system(input)"))
            .await;
        assert_eq!(team.open_numbers().await, [1], "{}", team.on());
        team.world
            .services
            .undo_scan(&team.owner, outcome.scan.as_ref().expect("a scan"))
            .await
            .expect("undoes");
        assert_eq!(team.open_numbers().await, [0; 0], "{}", team.on());
    }
}

#[tokio::test]
async fn an_acceptance_that_is_put_back_is_compared_with_what_is_said_now() {
    for team in Team::each().await {
        let scan = |message: &str| seen_by("ta", &[said("x", message, "a()")]);
        team.import(&scan("Harmless")).await;
        team.accept(1, "2026-12-30").await;
        let matching = Chosen::Matching {
            filter: Box::new(FindingFilter::default()),
            n: 1,
        };
        let done = team
            .bulk(&team.owner, matching, triage("false_positive"))
            .await
            .expect("decides");
        team.import(&scan("Remote code execution")).await;
        team.undo(&team.owner, &done.batch.expect("a batch"))
            .await
            .expect("undoes");
        assert_eq!(team.states().await, [RiskAccepted]);
        assert_eq!(team.open_numbers().await, [1], "{}", team.on());
    }
}

#[tokio::test]
async fn what_was_written_by_hand_and_accepted_is_bound_to_its_problem() {
    for team in Team::each().await {
        let services = &team.world.services;
        let fields = |problem: &str, remediation: &str| {
            FindingRequest::parse(&FindingFields {
                title: "No limit".into(),
                severity: "high".into(),
                category: "code".into(),
                problem: problem.into(),
                remediation: remediation.into(),
                ..FindingFields::default()
            })
            .expect("a finding")
        };
        let id = services
            .write_finding(&team.owner, &team.review.id, fields("It is slow.", ""), &[])
            .await
            .expect("writes");
        team.accept(1, "2026-12-30").await;
        let edit = async |request| {
            let view = services.finding(&team.owner, &id).await.expect("reads");
            services
                .edit_finding(&team.owner, &id, view.finding.version, request)
                .await
                .expect("edits");
        };
        edit(fields("It is slow.", "Set a limit.")).await;
        assert_eq!(team.open_numbers().await, [0; 0], "{}", team.on());
        edit(fields("It can be brought down.", "Set a limit.")).await;
        assert_eq!(team.open_numbers().await, [1], "{}", team.on());
    }
}

#[tokio::test]
async fn what_no_scan_has_any_more_is_fixed_when_its_decision_is_taken_back() {
    for team in Team::each().await {
        let all = [
            mild("a", "One", "a()"),
            mild("b", "Two", "b()"),
            mild("c", "Three", "c()"),
        ];
        team.import(&seen_by("ta", &all)).await;
        team.decide_on(&team.owner, 1, triage("false_positive"))
            .await
            .expect("decides");
        let done = team
            .bulk(&team.owner, Team::open_ones(2), triage("false_positive"))
            .await
            .expect("decides");
        team.import(&seen_by("ta", &all[2..])).await;
        team.decide_on(&team.owner, 1, triage("reopen"))
            .await
            .expect("reopens");
        assert_eq!(team.states().await[0], Fixed, "{}", team.on());
        assert!(
            team.world
                .log()
                .await
                .last()
                .expect("an entry")
                .1
                .contains("which is fixed")
        );
        team.undo(&team.owner, &done.batch.expect("a batch"))
            .await
            .expect("undoes");
        assert_eq!(team.states().await, [Fixed, Fixed, Open], "{}", team.on());
        // A scan that has it again reopens it as any other.
        let mut back = seen_by("ta", &all);
        back["runs"][0]["tool"]["driver"]["version"] = "2".into();
        let outcome = team.import(&back).await;
        assert_eq!(outcome.changes.reopened, 2);
        assert_eq!(team.states().await, [Open; 3]);
    }
}

#[tokio::test]
async fn many_that_are_reopened_are_open_or_fixed_as_the_scans_have_them() {
    for team in Team::each().await {
        let all = [mild("a", "One", "a()"), mild("b", "Two", "b()")];
        team.import(&seen_by("ta", &all)).await;
        team.bulk(&team.owner, Team::open_ones(2), triage("false_positive"))
            .await
            .expect("decides");
        team.import(&seen_by("ta", &all[1..])).await;
        let matching = Chosen::Matching {
            filter: Box::new(FindingFilter::default()),
            n: 2,
        };
        let done = team
            .bulk(&team.owner, matching, triage("reopen"))
            .await
            .expect("reopens");
        assert_eq!((done.n_done, done.n_refused), (2, 0));
        assert_eq!(team.states().await, [Fixed, Open], "{}", team.on());
        team.undo(&team.owner, &done.batch.expect("a batch"))
            .await
            .expect("undoes");
        assert_eq!(team.states().await, [FalsePositive; 2]);
    }
}

#[tokio::test]
async fn a_decided_finding_that_is_gone_is_told_once() {
    for team in Team::each().await {
        let scan = |version: &str, results: &[Value]| {
            let mut scan = seen_by("ta", results);
            scan["runs"][0]["tool"]["driver"]["version"] = version.into();
            scan
        };
        let one = [mild("a", "One", "a()")];
        team.import(&scan("1", &one)).await;
        team.decide_on(&team.owner, 1, triage("false_positive"))
            .await
            .expect("decides");
        // An incomplete scan that does not have it says nothing, and a complete one does after it.
        let mut incomplete = scan("2", &[]);
        incomplete["runs"][0]["invocations"][0]["executionSuccessful"] = false.into();
        team.import(&incomplete).await;
        let told = async || {
            let id = team.lines().await[0].id.clone();
            let view = team.world.services.finding(&team.viewer, &id).await;
            let history = view.expect("reads").history.entries;
            history
                .iter()
                .filter(|seen| seen.outcome == "no_longer_seen")
                .count()
        };
        assert_eq!(told().await, 0, "{}", team.on());
        team.import(&scan("3", &[])).await;
        assert_eq!(told().await, 1, "{}", team.on());
        team.import(&scan("4", &[])).await;
        assert_eq!(told().await, 1, "{}", team.on());
        team.import(&scan("5", &one)).await;
        team.import(&scan("6", &[])).await;
        assert_eq!(told().await, 2, "gone again, on {}", team.on());
    }
}

/// A finding of a severity, written by hand by the owner.
impl Team {
    async fn written(&self, severity: Severity) -> FindingId {
        let id = self
            .world
            .services
            .write_finding(&self.owner, &self.review.id, written(severity, ""), &[])
            .await;
        id.expect("writes")
    }

    async fn finding(&self, id: &FindingId) -> Finding {
        let view = self.world.services.finding(&self.viewer, id).await;
        view.expect("a finding").finding
    }

    async fn edit(
        &self,
        who: &Actor,
        id: &FindingId,
        to: Severity,
        why: &str,
    ) -> Result<bool, ServiceError> {
        self.world.clock.advance(MINUTE);
        let version = self.finding(id).await.version;
        let request = written(to, why);
        self.world
            .services
            .edit_finding(who, id, version, request)
            .await
    }

    async fn with_blocking(&self, blocking: &[Severity]) {
        let services = &self.world.services;
        let review = services
            .review(&self.manager, &self.review.id)
            .await
            .expect("reads")
            .review;
        let change = ReviewChange {
            version: review.version,
            title: common::team::name(&review.title),
            release: common::team::name(&review.release),
            commit: None,
            due_on: None,
            policy: Policy {
                blocking_severities: blocking.to_vec(),
                ..review.policy
            },
        };
        services
            .update_review(&self.manager, &review.id, change)
            .await
            .expect("changes the policy");
    }
}

fn written(severity: Severity, severity_reason: &str) -> FindingRequest {
    FindingRequest::parse(&FindingFields {
        title: "No limit".into(),
        severity: severity.as_str().into(),
        category: "code".into(),
        problem: "It is wrong.".into(),
        severity_reason: severity_reason.into(),
        ..FindingFields::default()
    })
    .expect("a finding")
}

#[tokio::test]
async fn a_blocking_finding_leaves_open_only_when_a_second_person_approves() {
    for team in Team::each().await {
        // F-1 stays open: F-4 is said to repeat it.
        for _ in 0..4 {
            team.written(Severity::Critical).await;
        }
        for (number, what, request, becomes) in [
            (
                2,
                triage("false_positive"),
                Request::FalsePositive,
                FalsePositive,
            ),
            (3, triage("fixed"), Request::Fixed, Fixed),
            (4, triage("duplicate"), Request::Duplicate, Duplicate),
        ] {
            // Not even a manager alone.
            team.decide_on(&team.manager, number, what)
                .await
                .expect("asks");
            let line = team
                .lines()
                .await
                .remove(usize::try_from(number - 1).expect("few"));
            assert_eq!(
                (line.status, line.asked),
                (Open, Some(request)),
                "{}",
                team.on()
            );
            let held_back = team.held_back_by().await;
            let (_, why) = held_back
                .iter()
                .find(|(of, _)| *of == format!("F-{number}"))
                .expect("holds back");
            assert!(
                why.contains(&format!(
                    "sofia asks {}, which waits for another person",
                    request.words()
                )),
                "{why}"
            );
            assert!(team.open_numbers().await.contains(&number));
            let (_, own) = rejected(
                team.decide_on(&team.manager, number, triage("approve"))
                    .await,
            );
            assert!(own.contains("You asked for this"), "{own}");
            assert!(is_forbidden(
                &team.decide_on(&team.owner, number, triage("approve")).await
            ));
            let (_, other) = rejected(
                team.decide_on(&team.admin, number, triage("approve_acceptance"))
                    .await,
            );
            assert!(other.contains("Nobody has asked for this risk"), "{other}");
            team.decide_on(&team.admin, number, triage("approve"))
                .await
                .expect("approves");
            let finding = team.finding(&line.id).await;
            assert_eq!((finding.status, finding.asked), (becomes, None));
            assert_eq!(
                finding.acceptance_requested_by_name.as_deref(),
                Some("sofia")
            );
            assert_eq!(finding.status_by_name.as_deref(), Some("ada"));
            assert!(!team.open_numbers().await.contains(&number));
        }
        // A decline leaves it open.
        team.decide_on(&team.owner, 1, triage("false_positive"))
            .await
            .expect("asks");
        team.decide_on(&team.manager, 1, triage("decline"))
            .await
            .expect("declines");
        let line = team.lines().await.remove(0);
        assert_eq!((line.status, line.asked), (Open, None));
    }
}

#[tokio::test]
async fn only_who_asked_withdraws_it_and_then_nobody_can_approve_it() {
    for team in Team::each().await {
        let id = team.written(Severity::Critical).await;
        let nobody = team.decide_on(&team.owner, 1, triage("withdraw")).await;
        assert!(rejected(nobody).1.starts_with("Nobody has asked"));
        for what in ["false_positive", "fixed", "ask_acceptance"] {
            team.decide_on(&team.owner, 1, triage(what))
                .await
                .expect("asks");
            // Not even a manager takes it back in the name of whoever asked.
            let (field, why) = rejected(team.decide_on(&team.manager, 1, triage("withdraw")).await);
            assert_eq!(field, "action");
            assert!(why.starts_with("jonas asked for this"), "{why}");
            let of_many = team
                .world
                .services
                .triage_findings(
                    &team.owner,
                    &team.review.id,
                    Chosen::These(vec![(id.clone(), team.finding(&id).await.version)]),
                    Bulk::Triage(triage("withdraw")),
                )
                .await;
            assert!(rejected(of_many).1.contains("one finding at a time"));
            assert!(team.finding(&id).await.asked.is_some());
            team.decide_on(&team.owner, 1, triage("withdraw"))
                .await
                .expect("withdraws");
            let finding = team.finding(&id).await;
            assert_eq!(
                (
                    finding.status,
                    finding.asked,
                    finding.acceptance_requested_by
                ),
                (Open, None, None),
                "{what}, {}",
                team.on()
            );
            let late = team.decide_on(&team.manager, 1, triage("approve")).await;
            assert!(rejected(late).1.starts_with("Nobody has asked"));
        }
        let view = team.world.services.finding(&team.viewer, &id).await;
        assert_eq!(
            view.expect("reads").last_act.as_deref(),
            Some("withdrew the request to accept the risk of F-1")
        );
    }
}

#[tokio::test]
async fn a_severity_is_lowered_by_two_and_what_it_was_is_kept() {
    for team in Team::each().await {
        let id = team.written(Severity::Critical).await;
        let (field, _) = rejected(team.edit(&team.owner, &id, Severity::Low, "").await);
        assert_eq!(field, "severity_reason");
        let is_asked = team
            .edit(&team.owner, &id, Severity::Low, "Only in tests.")
            .await;
        assert!(is_asked.expect("asks"));
        let finding = team.finding(&id).await;
        assert_eq!(
            (finding.severity, finding.asked, finding.asked_severity),
            (
                Severity::Critical,
                Some(Request::Severity),
                Some(Severity::Low)
            ),
            "{}",
            team.on()
        );
        let own = team.decide_on(&team.owner, 1, triage("approve")).await;
        assert!(is_forbidden(&own));
        team.decide_on(&team.manager, 1, triage("approve"))
            .await
            .expect("approves");
        let finding = team.finding(&id).await;
        let change = finding.severity_change.expect("is kept");
        assert_eq!(
            (finding.severity, finding.status, finding.asked),
            (Severity::Low, Open, None)
        );
        assert_eq!(
            (
                change.was,
                change.by_name.as_deref(),
                change.reason.as_str()
            ),
            (Severity::Critical, Some("jonas"), "Only in tests.")
        );
        assert!(team.held_back_by().await.is_empty());
        // Raising needs nobody else; the first severity stays known.
        let is_asked = team
            .edit(&team.reviewer, &id, Severity::High, "It is exposed.")
            .await;
        assert!(!is_asked.expect("changes"));
        let change = team.finding(&id).await.severity_change.expect("is kept");
        assert_eq!(
            (change.was, change.by_name.as_deref()),
            (Severity::Critical, Some("mira"))
        );
    }
}

#[tokio::test]
async fn what_one_person_decided_is_open_again_once_it_blocks() {
    for team in Team::each().await {
        // Another policy.
        let id = team.written(Severity::Medium).await;
        team.decide_on(&team.owner, 1, triage("false_positive"))
            .await
            .expect("decides alone");
        assert_eq!(team.states().await, [FalsePositive], "{}", team.on());
        team.with_blocking(&[Severity::Critical, Severity::Medium])
            .await;
        let finding = team.finding(&id).await;
        assert_eq!(
            (finding.status, finding.asked),
            (Open, Some(Request::FalsePositive))
        );
        assert_eq!(
            finding.acceptance_requested_by_name.as_deref(),
            Some("jonas")
        );
        team.decide_on(&team.manager, 1, triage("approve"))
            .await
            .expect("approves");
        // What two decided stays, whatever the policy.
        team.with_blocking(&Severity::ALL[..5]).await;
        assert_eq!(team.states().await, [FalsePositive]);
        // Another severity.
        let other = team.written(Severity::Info).await;
        team.decide_on(&team.owner, 2, triage("fixed"))
            .await
            .expect("decides alone");
        team.edit(&team.owner, &other, Severity::Low, "It counts.")
            .await
            .expect("raises");
        let finding = team.finding(&other).await;
        assert_eq!(
            (finding.status, finding.asked),
            (Open, Some(Request::Fixed))
        );
    }
}

#[tokio::test]
async fn a_scan_that_rates_it_higher_opens_what_one_person_decided() {
    for team in Team::each().await {
        team.import(&sarif(2, "warning")).await;
        team.decide_on(&team.owner, 1, triage("false_positive"))
            .await
            .expect("decides alone");
        team.decide_on(&team.owner, 2, triage("duplicate"))
            .await
            .expect_err("F-1 is not open");
        team.import(&sarif(2, "error")).await;
        let lines = team.lines().await;
        assert_eq!(
            (lines[0].status, lines[0].asked),
            (Open, Some(Request::FalsePositive)),
            "{}",
            team.on()
        );
        assert_eq!(team.held_back_by().await.len(), 2);
    }
}

#[tokio::test]
async fn a_duplicate_needs_an_original_that_is_open_and_as_severe() {
    for team in Team::each().await {
        for severity in [Severity::Low, Severity::Critical, Severity::Critical] {
            team.written(severity).await;
        }
        let (field, why) = rejected(
            team.decide_on(&team.owner, 2, of("duplicate", "F-1", ""))
                .await,
        );
        assert!(
            field == "duplicate_of" && why.contains("at least as severe"),
            "{why}"
        );
        // Two that repeat each other: of both requests only one can be approved, also in one step.
        team.decide_on(&team.owner, 2, of("duplicate", "F-3", ""))
            .await
            .expect("asks");
        team.decide_on(&team.owner, 3, of("duplicate", "F-2", ""))
            .await
            .expect("asks");
        let asked = team.shown(&[2, 3]).await;
        let both = team
            .bulk(&team.manager, asked, triage("approve"))
            .await
            .expect("answers");
        assert_eq!((both.n_done, both.n_refused), (0, 2), "{}", team.on());
        team.decide_on(&team.manager, 2, triage("approve"))
            .await
            .expect("approves one");
        let (_, why) = rejected(team.decide_on(&team.manager, 3, triage("approve")).await);
        assert!(why.contains("itself a duplicate"), "{why}");
        assert_eq!(team.open_numbers().await, [1, 3]);
    }
}

#[tokio::test]
async fn many_that_block_wait_for_a_second_person_and_undoing_asks_again() {
    for team in Team::each().await {
        team.import(&sarif(2, "error")).await;
        team.import(&seen_by("mild", &[json!({
            "ruleId": "w", "level": "warning", "message": { "text": "It is odd" },
            "locations": [{ "physicalLocation": { "artifactLocation": { "uri": "src/b.go" }, "region": { "startLine": 1 } } }]
        })]))
        .await;
        let done = team
            .bulk(&team.owner, Team::open_ones(3), triage("false_positive"))
            .await
            .expect("decides");
        assert_eq!((done.n_done, done.n_asked), (3, 2), "{}", team.on());
        assert_eq!(team.states().await, [Open, Open, FalsePositive]);
        let log = team.world.log().await;
        let last = &log.last().expect("an entry").1;
        assert!(
            last.contains("of which 2 wait for another person"),
            "{last}"
        );
        // Another two may match by now: what blocks is approved as it was seen.
        let unseen = team
            .bulk(&team.manager, Team::open_ones(2), triage("approve"))
            .await;
        let (field, why) = rejected(unseen);
        assert_eq!(field, "chosen");
        assert!(why.contains("Some of these findings block"), "{why}");
        assert_eq!(team.states().await, [Open, Open, FalsePositive]);
        let shown = team.shown(&[1, 2]).await;
        let approved = team
            .bulk(&team.manager, shown, triage("approve"))
            .await
            .expect("approves");
        assert_eq!((approved.n_done, approved.n_asked), (2, 0));
        assert_eq!(team.states().await, [FalsePositive; 3]);
        // The manager opens them again; taking that back is not the owner's alone.
        let all = || Chosen::Matching {
            filter: Box::new(FindingFilter::default()),
            n: 3,
        };
        let reopened = team
            .bulk(&team.manager, all(), triage("reopen"))
            .await
            .expect("reopens");
        let undone = team
            .undo(&team.owner, &reopened.batch.expect("a batch"))
            .await
            .expect("puts back");
        assert_eq!((undone.n_done, undone.n_asked), (3, 2));
        assert_eq!(team.states().await, [Open, Open, FalsePositive]);
        let shown = team.shown(&[1, 2]).await;
        let again = team
            .bulk(&team.manager, shown, triage("approve"))
            .await
            .expect("approves again");
        assert_eq!(again.n_done, 2);
        // Whoever reopened takes it back alone: two people had decided it.
        let reopened = team
            .bulk(&team.owner, all(), triage("reopen"))
            .await
            .expect("reopens");
        let undone = team
            .undo(&team.owner, &reopened.batch.expect("a batch"))
            .await
            .expect("puts back");
        assert_eq!(undone.n_asked, 0);
        assert_eq!(team.states().await, [FalsePositive; 3]);
    }
}

#[tokio::test]
async fn an_approval_of_another_severity_can_be_taken_back() {
    for team in Team::each().await {
        let id = team.written(Severity::High).await;
        team.edit(&team.owner, &id, Severity::Info, "Only in tests.")
            .await
            .expect("asks");
        let done = team
            .bulk(&team.manager, team.shown(&[1]).await, triage("approve"))
            .await
            .expect("approves");
        assert_eq!(
            team.finding(&id).await.severity,
            Severity::Info,
            "{}",
            team.on()
        );
        team.undo(&team.manager, &done.batch.expect("a batch"))
            .await
            .expect("puts back");
        let finding = team.finding(&id).await;
        assert_eq!(
            (finding.severity, finding.asked, finding.severity_change),
            (Severity::High, Some(Request::Severity), None)
        );
    }
}

/// Two people decide about the same findings at once: each finding has one of the two decisions, and what is kept of the time
/// before is what was there.
#[tokio::test(flavor = "multi_thread")]
async fn two_decisions_at_once_are_made_one_after_the_other() {
    for team in Team::each().await {
        team.import(&sarif(30, "warning")).await;
        for round in 0..8 {
            team.world.clock.advance(MINUTE);
            let chosen = || async {
                let lines = team.lines().await;
                let shown = lines.iter().map(|line| (line.id.clone(), line.version));
                Chosen::These(shown.collect())
            };
            let (first, second) = if round % 2 == 0 {
                (Team::open_ones(30), Team::open_ones(30))
            } else {
                (chosen().await, chosen().await)
            };
            let (one, other) = tokio::join!(
                team.bulk(&team.owner, first, triage("false_positive")),
                team.bulk(&team.manager, second, triage("false_positive"))
            );
            // The later one is told: as a conflict, by the number that is left, or finding by finding.
            let mut batches = Vec::new();
            for done in [one, other] {
                match done {
                    Ok(done) if done.n_done == 30 => batches.push(done.batch.expect("a batch")),
                    Ok(done) => assert_eq!((done.n_done, done.n_refused), (0, 30), "{}", team.on()),
                    Err(ServiceError::Conflict(_) | ServiceError::Rejected { .. }) => {}
                    Err(error) => panic!("{}: {error:?}", team.on()),
                }
            }
            assert_eq!(batches.len(), 1, "{}: round {round}", team.on());
            for batch in batches {
                let undone = team.undo(&team.manager, &batch).await.expect("undoes");
                assert_eq!((undone.n_done, undone.n_refused), (30, 0), "{}", team.on());
            }
            assert_eq!(
                team.states().await,
                [Open; 30],
                "{}: round {round}",
                team.on()
            );
        }
    }
}

/// One person's decision about one finding is not made over another's that was made at the same moment.
#[tokio::test(flavor = "multi_thread")]
async fn two_decisions_about_one_finding_at_once_do_not_overwrite_each_other() {
    for team in Team::each().await {
        team.import(&sarif(1, "warning")).await;
        for _ in 0..10 {
            team.world.clock.advance(MINUTE);
            let line = team.lines().await.remove(0);
            let services = &team.world.services;
            let decide = |who, action| {
                let (id, version) = (line.id.clone(), line.version);
                async move {
                    services
                        .triage_finding(who, &id, version, triage(action))
                        .await
                }
            };
            let action = if line.status == Open {
                "false_positive"
            } else {
                "reopen"
            };
            let (one, other) =
                tokio::join!(decide(&team.owner, action), decide(&team.manager, action));
            assert_eq!(
                usize::from(one.is_ok()) + usize::from(other.is_ok()),
                1,
                "{}",
                team.on()
            );
            for done in [one, other] {
                assert!(
                    done.is_ok() || is_conflict(&done),
                    "{}: {done:?}",
                    team.on()
                );
            }
        }
    }
}

#[tokio::test]
async fn two_that_repeat_each_other_are_not_both_approved_at_the_same_moment() {
    for team in Team::each().await {
        for _ in 0..2 {
            team.written(Severity::Critical).await;
        }
        for (number, original) in [(1, "F-2"), (2, "F-1")] {
            team.decide_on(&team.owner, number, of("duplicate", original, ""))
                .await
                .expect("asks");
        }
        // Whoever writes the log holds both back at their last step.
        let mut held = team.world.on.database.write().await.expect("writes");
        let is_sqlite = matches!(team.world.on.url, holdpoint_storage::DatabaseUrl::Sqlite(_));
        if !is_sqlite {
            held.append_activity(holdpoint_storage::NewActivity {
                at: common::START,
                actor: "system",
                action: "test.noted",
                subject_kind: "instance",
                subject: "instance",
                service: None,
                review: None,
                summary: "noted".to_owned(),
                before: None,
                after: None,
            })
            .await
            .expect("appends");
        }
        let release = async {
            tokio::time::sleep(std::time::Duration::from_millis(700)).await;
            held.commit().await.expect("commits");
        };
        let (one, other, ()) = tokio::join!(
            team.decide_on(&team.manager, 1, triage("approve")),
            team.decide_on(&team.manager, 2, triage("approve")),
            release
        );
        assert!(
            one.is_ok() != other.is_ok(),
            "{one:?}, {other:?} on {}",
            team.on()
        );
        assert_eq!(team.open_numbers().await.len(), 1, "on {}", team.on());
    }
}

#[tokio::test]
async fn a_duplicate_counts_by_itself_once_its_original_is_milder() {
    for team in Team::each().await {
        let [mut one] = team.found_twice().await;
        assert_eq!(team.open_numbers().await, [1]);
        one["level"] = "note".into();
        let mut rated_down = seen_by("ta", &[one]);
        rated_down["runs"][0]["tool"]["driver"]["version"] = "2".into();
        team.import(&rated_down).await;
        assert_eq!(team.open_numbers().await, [1, 2], "on {}", team.on());
        let reasons = team.held_back_by().await;
        let [(number, why)] = reasons.as_slice() else {
            panic!("{reasons:?} on {}", team.on());
        };
        assert_eq!(number, "F-2");
        assert!(why.contains("a duplicate of F-1, which is milder"), "{why}");
    }
}

#[tokio::test]
async fn a_written_finding_is_linked_to_no_item_of_another_review() {
    for team in Team::each().await {
        let services = &team.world.services;
        let other = services
            .create_review(
                &team.manager,
                &team.service.id,
                common::team::new_review(team.review.template_version.clone()),
            )
            .await
            .expect("begins")
            .review;
        let item = services
            .item_by_key(&team.manager, &other.id, "2.1.1")
            .await
            .expect("is there")
            .item
            .id;
        let fields = FindingFields {
            title: "No limit".into(),
            severity: "low".into(),
            category: "code".into(),
            problem: "It is wrong.".into(),
            ..FindingFields::default()
        };
        let request = FindingRequest::parse(&fields).expect("a finding");
        let (field, _) = rejected(
            services
                .write_finding(&team.owner, &team.review.id, request, &[item])
                .await,
        );
        assert_eq!(field, "item", "on {}", team.on());
    }
}
