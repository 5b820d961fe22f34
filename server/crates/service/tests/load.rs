//! What grows with what: rows and queries are counted, not seconds. One test a process, since what the database is asked is
//! heard by a subscriber of the whole process.

mod common;

use std::sync::atomic::{AtomicU64, Ordering};

use common::team::{Team, name, new_review};
use holdpoint_domain::{ReviewId, verdict::ReasonKind};
use holdpoint_service::{
    FindingFilter, FindingSort,
    findings::{FindingFields, FindingRequest},
    mapping::{RuleFields, RuleRequest},
    standing::{ReleaseDecision, ReviewStanding},
    triage::{Bulk, Chosen, Triage, TriageFields},
};
use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing_subscriber::{Layer, layer::SubscriberExt as _};

/// Nine hundred findings come in between. The log's tree and one more scan of each review make a few rows of difference.
const A_FEW: u64 = 20;

static ROWS: AtomicU64 = AtomicU64::new(0);
static QUERIES: AtomicU64 = AtomicU64::new(0);

/// Counts what statements return.
struct Counter;

impl<S: tracing::Subscriber> Layer<S> for Counter {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        #[derive(Default)]
        struct Statement {
            rows: u64,
            is_housekeeping: bool,
        }
        impl Visit for Statement {
            fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
            fn record_u64(&mut self, field: &Field, value: u64) {
                if field.name() == "rows_returned" {
                    self.rows = value;
                }
            }
            fn record_str(&mut self, field: &Field, value: &str) {
                // SQLite folds its log when it comes to it.
                self.is_housekeeping |= field.name() == "summary" && value.starts_with("pragma");
            }
        }
        if event.metadata().target() == "sqlx::query" {
            let mut statement = Statement::default();
            event.record(&mut statement);
            if !statement.is_housekeeping {
                ROWS.fetch_add(statement.rows, Ordering::Relaxed);
                QUERIES.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// What something asks of the database: queries, and the rows that they return.
async fn asked<T>(work: impl Future<Output = T>) -> (T, u64, u64) {
    let (queries, rows) = (
        QUERIES.load(Ordering::Relaxed),
        ROWS.load(Ordering::Relaxed),
    );
    let done = work.await;
    (
        done,
        QUERIES.load(Ordering::Relaxed) - queries,
        ROWS.load(Ordering::Relaxed) - rows,
    )
}

fn sarif(tool: &str, n: usize) -> Value {
    let results: Vec<_> = (0..n)
        .map(|at| {
            json!({
                "ruleId": format!("rule-{at}"), "level": "error", "message": { "text": format!("It is violated {at}") },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": "src/a.go" }, "region": { "startLine": at + 1 }
                } }]
            })
        })
        .collect();
    json!({
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": tool } },
            "invocations": [{ "executionSuccessful": true }], "results": results
        }]
    })
}

impl Team {
    async fn begin_review(&self, release: &str) -> ReviewId {
        let mut new = new_review(self.review.template_version.clone());
        new.release = name(release);
        let services = &self.world.services;
        let begun = services
            .create_review(&self.manager, &self.service.id, new)
            .await
            .expect("begins");
        begun.review.id
    }

    /// How many findings are linked to an item of a review.
    async fn n_linked(&self, review: &ReviewId, key: &str) -> i64 {
        let services = &self.world.services;
        let standing = services.review_standing(&self.viewer, review).await;
        let standing = standing.expect("stands");
        let mut items = standing.items.iter();
        items
            .find(|of| of.item.key == key)
            .map_or(0, |of| of.links.n)
    }

    /// Decides about so many of the open findings.
    async fn decide_some(&self, who: &holdpoint_service::Actor, action: &str, n: usize) {
        let services = &self.world.services;
        let open = FindingFilter::default();
        let lines = services
            .findings_of_review(who, &self.review.id, &open, FindingSort::Number, 500, None)
            .await
            .expect("lists")
            .lines;
        let chosen = lines[..n].iter();
        let chosen = chosen.map(|line| (line.id.clone(), line.version)).collect();
        let fields = TriageFields {
            action: action.to_owned(),
            reason: "It is known.".to_owned(),
            until: "2026-03-01".to_owned(),
            ..TriageFields::default()
        };
        let triage = Bulk::Triage(Triage::parse(&fields).expect("a triage"));
        services
            .triage_findings(who, &self.review.id, Chosen::These(chosen), triage)
            .await
            .expect("decides");
    }

    /// What is read in parts is what is read whole.
    async fn compare(&self, review: &ReviewId, listed: &ReviewStanding) {
        let services = &self.world.services;
        let whole = services
            .whole_review_standing(&self.viewer, review)
            .await
            .expect("stands");
        let page = services
            .review_standing(&self.viewer, review)
            .await
            .expect("stands");
        for few in [&page, listed] {
            let (few, all) = (&few.verdict, &whole.verdict);
            assert_eq!(few.outcome, all.outcome, "{}", self.on());
            for kind in ReasonKind::ALL {
                assert_eq!(few.n_of(*kind), all.n_of(*kind), "{}: {kind}", self.on());
            }
            assert_eq!(
                few.waivers.len() + few.n_more_waivers(),
                all.waivers.len(),
                "{}",
                self.on()
            );
            for reason in few.reasons.iter().chain(&few.waivers) {
                let is_there = all.reasons.contains(reason) || all.waivers.contains(reason);
                assert!(is_there, "{}: {reason:?}", self.on());
            }
        }
        for (one, other) in page.items.iter().zip(&whole.items) {
            assert_eq!(one.facts, other.facts);
            let n = i64::try_from(other.linked.len()).expect("few");
            assert_eq!(one.links.n, n, "{}: {}", self.on(), one.item.key);
        }
        assert_eq!(page.release.decided, whole.release.decided, "{}", self.on());
    }
}

#[tokio::test]
async fn lists_pages_and_the_gate_do_not_grow_with_the_findings() {
    let subscriber = tracing_subscriber::registry().with(Counter);
    tracing::subscriber::set_global_default(subscriber).expect("the only one");
    for team in Team::each().await {
        let services = &team.world.services;
        team.import(&sarif("one", 400)).await;
        // Some of every kind: accepted for a time, accepted for too short, not a problem, written for one review.
        team.decide_some(&team.owner, "ask_acceptance", 300).await;
        team.decide_some(&team.manager, "approve_acceptance", 300)
            .await;
        let fields = FindingFields {
            title: "Written by hand".to_owned(),
            severity: "critical".to_owned(),
            category: "code".to_owned(),
            problem: "It is one.".to_owned(),
            ..FindingFields::default()
        };
        let request = FindingRequest::parse(&fields).expect("a finding");
        services
            .write_finding(&team.owner, &team.review.id, request, &[])
            .await
            .expect("writes");
        let mut reviews = vec![team.review.id.clone()];
        for n in 0..5 {
            reviews.push(team.begin_review(&format!("v2.{n}")).await);
        }
        let signed = team.id("2.1.1").await;
        team.send_to_review(&signed).await;
        team.decide(&signed, "pass").await;

        // Two decisions, on reviews with one policy; they cover what holds back now.
        for review in &reviews[..2] {
            let shown = services
                .whole_review_standing(&team.manager, review)
                .await
                .expect("stands");
            services
                .decide_release(
                    &team.manager,
                    review,
                    ReleaseDecision::NoGo,
                    "Not yet.",
                    &shown.basis(),
                    common::PASSWORD,
                )
                .await
                .expect("decides");
        }
        let void = async |review: &ReviewId| {
            let stands = services.review_standing(&team.viewer, review).await;
            stands.expect("stands").release.decisions[0].is_void()
        };
        assert!(!void(&reviews[0]).await && !void(&reviews[1]).await);

        let list = async |n: usize| {
            let ids: Vec<_> = reviews[..n].iter().collect();
            // What is kept from before is of another minute.
            team.world.clock.advance(common::MINUTE);
            asked(services.review_glances(&team.viewer, &ids)).await
        };
        let gate = async || asked(services.review_standing(&team.viewer, &reviews[0])).await;
        let (few, _, rows_of_three) = list(3).await;
        let (all, queries, rows) = list(6).await;
        assert!(rows_of_three > 0, "the rows are counted");
        let (_, gate_queries, gate_rows) = gate().await;
        for listed in few.expect("lists").iter().chain(&all.expect("lists")) {
            let id = ReviewId::parse(&listed.review.id).expect("an id");
            team.compare(&id, listed).await;
        }

        let begin = async |release| asked(team.begin_review(release)).await;
        let (_, begun_queries, begun_rows) = begin("v3.0").await;
        team.import(&sarif("two", 900)).await;
        let (_, queries_now, rows_now) = begin("v3.1").await;
        assert!(
            queries_now <= begun_queries + A_FEW && rows_now <= begun_rows + A_FEW,
            "{}: a review is begun with {queries_now} queries and {rows_now} rows",
            team.on()
        );
        assert!(void(&reviews[0]).await && void(&reviews[1]).await);
        let (all, queries_of_more, rows_of_more) = list(6).await;
        assert!(
            queries_of_more <= queries + A_FEW && rows_of_more <= rows + A_FEW,
            "{}: the list asks {queries_of_more} queries for {rows_of_more} rows",
            team.on()
        );
        for listed in &all.expect("lists") {
            let id = ReviewId::parse(&listed.review.id).expect("an id");
            team.compare(&id, listed).await;
        }
        // The new findings fill up the open ones that are named, and no more than a hundred are.
        let (_, queries, rows) = gate().await;
        assert!(
            queries <= gate_queries + A_FEW && rows <= gate_rows + A_FEW,
            "{}: the gate asks {queries} queries for {rows} rows",
            team.on()
        );

        // A rule by what a scanner is links them in the database.
        let fields = RuleFields {
            item: "2.4.1".to_owned(),
            tool: "t*".to_owned(),
            ..RuleFields::default()
        };
        let rule = RuleRequest::parse(&fields).expect("a rule");
        services
            .add_mapping_rule(&team.manager, &team.review.id, rule)
            .await
            .expect("adds a rule");
        let (id, few_queries, few_rows) = begin("v4.0").await;
        assert_eq!(team.n_linked(&id, "2.4.1").await, 900, "{}", team.on());
        team.import(&sarif("three", 1_800)).await;
        let (id, queries, rows) = begin("v4.1").await;
        assert_eq!(team.n_linked(&id, "2.4.1").await, 2_700, "{}", team.on());
        assert!(
            queries <= few_queries + A_FEW && rows <= few_rows + A_FEW,
            "{}: a review with a rule is begun with {queries} queries and {rows} rows",
            team.on()
        );
        // One that asks for a path is asked finding by finding, and says the same.
        let fields = RuleFields {
            item: "2.4.2".to_owned(),
            path: "src/".to_owned(),
            ..RuleFields::default()
        };
        let rule = RuleRequest::parse(&fields).expect("a rule");
        services
            .add_mapping_rule(&team.manager, &team.review.id, rule)
            .await
            .expect("adds a rule");
        let id = team.begin_review("v4.2").await;
        assert_eq!(team.n_linked(&id, "2.4.1").await, 2_700, "{}", team.on());
        assert_eq!(team.n_linked(&id, "2.4.2").await, 400, "{}", team.on());

        // When the accepted time is over, all of them hold back, and are counted as that.
        team.world.clock.advance(60 * common::DAY);
        let (all, ..) = list(6).await;
        for listed in &all.expect("lists") {
            let id = ReviewId::parse(&listed.review.id).expect("an id");
            team.compare(&id, listed).await;
            assert_eq!(listed.verdict.n_of(ReasonKind::AcceptanceExpired), 300);
        }
    }
}
