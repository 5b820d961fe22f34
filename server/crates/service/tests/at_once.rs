//! What happens at the same moment: two people, or a person and the database's own choice of whom to give up.

mod common;

use common::{
    MINUTE, World, scans,
    team::{self, Team},
};
use holdpoint_domain::{
    FindingId, FindingStatus, Gating, ItemId, Policy, Severity, TriageBatchId, triage::Request,
};
use holdpoint_service::{
    Actor, BulkChange, ReviewChange, ServiceError,
    mapping::{RuleFields, RuleRequest},
    triage::{Bulk, BulkTriage, Chosen, Triage, TriageFields},
};

fn triage(action: &str) -> Triage {
    let fields = TriageFields {
        action: action.to_owned(),
        reason: "The code is never built.".to_owned(),
        ..TriageFields::default()
    };
    Triage::parse(&fields).expect("a triage")
}

impl Team {
    async fn all(&self) -> Chosen {
        let lines = self.findings().await;
        Chosen::These(
            lines
                .into_iter()
                .map(|line| (line.id, line.version))
                .collect(),
        )
    }

    async fn bulk(&self, chosen: Chosen, action: &str) -> BulkTriage {
        self.world.clock.advance(MINUTE);
        let services = &self.world.services;
        services
            .triage_findings(
                &self.owner,
                &self.review.id,
                chosen,
                Bulk::Triage(triage(action)),
            )
            .await
            .expect("decides")
    }

    async fn undo(&self, batch: &TriageBatchId) -> Result<BulkTriage, ServiceError> {
        self.world.services.undo_triage(&self.owner, batch).await
    }

    /// Makes other severities block, as the manager does.
    async fn block(&self, blocking: &[Severity]) -> Result<(), ServiceError> {
        let services = &self.world.services;
        let review = services
            .review(&self.manager, &self.review.id)
            .await?
            .review;
        let change = ReviewChange {
            version: review.version,
            title: team::name(&review.title),
            release: team::name(&review.release),
            commit: None,
            due_on: None,
            policy: Policy {
                blocking_severities: blocking.to_vec(),
                ..review.policy
            },
        };
        services
            .update_review(&self.manager, &self.review.id, change)
            .await
            .map(drop)
    }
}

fn is_rejected(error: &ServiceError) -> bool {
    matches!(error, ServiceError::Rejected { .. })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_put_back_once_however_many_undo_it() {
    for team in Team::each().await {
        let results: Vec<_> = (1..=30).map(|n| scans::result("r", "warning", n)).collect();
        team.import(&scans::sarif(&results)).await;
        for round in 0..6 {
            let batch = team.bulk(team.all().await, "false_positive").await.batch;
            let batch = batch.expect("a batch");
            team.world.clock.advance(MINUTE);
            // One undoes, the other undoes too, or decides about one of them at that moment.
            let line = team.findings().await.remove(0);
            let services = &team.world.services;
            let other = async {
                if round % 2 == 0 {
                    team.undo(&batch).await.map(|done| done.n_done)
                } else {
                    services
                        .triage_finding(&team.manager, &line.id, line.version, triage("reopen"))
                        .await
                        .map(|_| 1)
                }
            };
            let (one, other) = tokio::join!(team.undo(&batch), other);
            let one = one.map(|done| (done.n_done, done.n_refused));
            // Whoever is later is told.
            let is_told = match (&one, &other) {
                (Ok((30, 0)), Err(error)) if round % 2 == 0 => is_rejected(error),
                (Err(error), Ok(30)) if round % 2 == 0 => is_rejected(error),
                (Ok((30, 0)), Err(error)) => matches!(error, ServiceError::Conflict(_)),
                (Ok(undone), Ok(1)) => *undone == (29, 1),
                _ => false,
            };
            assert!(is_told, "{}: round {round}: {one:?}, {other:?}", team.on());
            let lines = team.findings().await;
            assert!(
                lines.iter().all(|line| line.status == FindingStatus::Open),
                "{}: round {round}",
                team.on()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_person_decides_while_the_policy_gets_stricter_takes_two() {
    for team in Team::each().await {
        team.import(&scans::sarif(&[scans::result("r", "warning", 1)]))
            .await;
        let services = &team.world.services;
        for round in 0..20 {
            team.block(&[Severity::Critical]).await.expect("relaxes");
            team.world.clock.advance(MINUTE);
            let line = team.findings().await.remove(0);
            let decide = async {
                // Each is first now and then.
                tokio::time::sleep(std::time::Duration::from_micros(300 * (round % 10))).await;
                services
                    .triage_finding(
                        &team.owner,
                        &line.id,
                        line.version,
                        triage("false_positive"),
                    )
                    .await
            };
            let (stricter, decided) = tokio::join!(team.block(Severity::ALL), decide);
            stricter.expect("is made stricter");
            let now = team.findings().await.remove(0);
            assert_eq!(
                now.status,
                FindingStatus::Open,
                "{}: {round}: {decided:?}",
                team.on()
            );
            let id: FindingId = now.id.clone();
            let page = services.finding(&team.viewer, &id).await.expect("reads");
            if decided.is_ok() {
                assert_eq!(
                    page.finding.asked,
                    Some(Request::FalsePositive),
                    "{}",
                    team.on()
                );
                services
                    .triage_finding(&team.manager, &id, now.version, triage("decline"))
                    .await
                    .expect("declines");
            }
        }
    }
}

/// Lets PostgreSQL give up the first unit of work that writes to a table, as it does when two are in each other's way.
async fn give_up_once(world: &World, table: &'static str, when: &'static str) {
    let sql = [
        "create sequence given_up".to_owned(),
        "create function give_up() returns trigger language plpgsql as $$ begin \
         if nextval('given_up') = 1 then raise exception 'given up' using errcode = '40P01'; end if; \
         return null; end $$"
            .to_owned(),
        format!("create trigger give_up after {when} on {table} for each statement execute function give_up()"),
    ];
    for sql in sql {
        let mut tx = world.on.database.write().await.expect("begins");
        tx.tamper_with_activity_for_test(sql.leak())
            .await
            .expect("is made");
        tx.commit().await.expect("commits");
    }
}

#[tokio::test]
async fn imports_bulk_changes_and_mapping_are_begun_again_where_the_database_gave_them_up() {
    for table in ["scan", "item", "finding_item"] {
        let Some(on) = holdpoint_storage::testing::TestDatabase::postgres().await else {
            return;
        };
        let team = Team::in_world(World::on(on).await).await;
        let services = &team.world.services;
        let results = [scans::result("r", "warning", 1)];
        let ids: Vec<ItemId> = vec![team.id("2.1.1").await, team.id("2.1.2").await];
        match table {
            "scan" => {
                give_up_once(&team.world, "scan", "insert").await;
                team.import(&scans::sarif(&results)).await;
                assert_eq!(team.findings().await.len(), 1);
            }
            "item" => {
                give_up_once(&team.world, "item", "update").await;
                let change = BulkChange::Gating(Gating::Advisory);
                let done = services
                    .change_items(&team.manager, &team.review.id, &ids, &change)
                    .await
                    .expect("changes");
                assert!(done.iter().all(|of| of.refused.is_none()), "{done:?}");
                assert_eq!(team.item("2.1.1").await.item.gating, Gating::Advisory);
            }
            _ => {
                team.import(&scans::sarif(&results)).await;
                add_rule(&team, &team.manager, "2.1.1").await;
                let plan = services
                    .mapping_plan(&team.manager, &team.review.id)
                    .await
                    .expect("plans");
                assert_eq!(plan.n_link, 1);
                give_up_once(&team.world, "finding_item", "insert").await;
                services
                    .apply_mapping(&team.manager, &team.review.id, &plan.digest)
                    .await
                    .expect("applies");
            }
        }
    }
}

async fn add_rule(team: &Team, who: &Actor, item: &str) {
    let fields = RuleFields {
        item: item.to_owned(),
        rule: "r".to_owned(),
        ..RuleFields::default()
    };
    let request = RuleRequest::parse(&fields).expect("a rule");
    let services = &team.world.services;
    services
        .add_mapping_rule(who, &team.review.id, request)
        .await
        .expect("adds a rule");
}
