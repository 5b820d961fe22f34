//! What people decide about findings is in the activity log, so that whoever makes another decision of it in the database is found
//! out.

mod common;

use common::{
    scans::{result, sarif, triage},
    team::Team,
};
use holdpoint_domain::{FindingId, FindingStatus};
use holdpoint_service::{
    Actor,
    findings::{FindingFields, FindingRequest, Triage, TriageFields},
    triage::{Bulk, Chosen},
};
use serde_json::Value;

impl Team {
    async fn problems(&self) -> Vec<String> {
        let log = self.world.services.verify_log().await.expect("checks");
        assert_eq!(log.n_unknown_decisions, 0, "{}", self.on());
        log.problems
    }

    async fn ids(&self) -> Vec<FindingId> {
        let findings = self.findings().await.into_iter();
        findings.map(|line| line.id).collect()
    }

    /// Decides about one finding, on nobody's behalf.
    async fn decide_about(&self, who: &Actor, id: &FindingId, what: Triage) {
        let services = &self.world.services;
        let finding = services.finding(who, id).await.expect("reads").finding;
        let decided = services
            .triage_finding(who, id, finding.version, what)
            .await;
        decided.expect("decides");
    }

    async fn decide_about_many(&self, who: &Actor, ids: &[FindingId], what: Triage) {
        let services = &self.world.services;
        let of_them = self.findings().await.into_iter();
        let of_them = of_them.filter(|line| ids.contains(&line.id));
        let chosen = Chosen::These(of_them.map(|line| (line.id, line.version)).collect());
        let decided = services
            .triage_findings(who, &self.review.id, chosen, Bulk::Triage(what))
            .await
            .expect("decides");
        assert_eq!(decided.refused.len(), 0, "{:?}", decided.refused);
    }
}

fn approve() -> Triage {
    Triage::Approve { only: None }
}

fn reopen() -> Triage {
    Triage::parse(&TriageFields {
        action: "reopen".to_owned(),
        reason: "It is there after all.".to_owned(),
        ..TriageFields::default()
    })
    .expect("a triage")
}

/// Twelve findings of which every other one blocks.
fn twelve() -> Value {
    let results: Vec<_> = (1..=12)
        .map(|line| {
            let level = if line % 2 == 0 { "error" } else { "note" };
            result(&format!("R{line}"), level, line)
        })
        .collect();
    sarif(&results)
}

#[tokio::test]
async fn each_way_to_decide_about_a_finding_is_in_the_log() {
    for team in Team::each().await {
        team.import(&twelve()).await;
        let ids = team.ids().await;
        // One by one: alone, and by two.
        team.triage(&team.owner, &ids[2], triage("false_positive"))
            .await;
        team.triage(&team.owner, &ids[3], triage("false_positive"))
            .await;
        team.triage(&team.owner, &ids[4], triage("duplicate")).await;
        team.decide_about(&team.owner, &ids[5], triage("ask_acceptance"))
            .await;
        team.decide_about(&team.manager, &ids[5], approve()).await;
        // Many at once, approved at once, and taken back.
        team.decide_about_many(&team.owner, &ids[6..9], triage("false_positive"))
            .await;
        assert_eq!(team.problems().await, [""; 0], "{}", team.on());
        let waiting: Vec<_> = team
            .findings()
            .await
            .into_iter()
            .filter(|line| line.status == FindingStatus::Open && ids[6..9].contains(&line.id))
            .map(|line| line.id)
            .collect();
        team.decide_about_many(&team.manager, &waiting, approve())
            .await;
        team.decide_about(&team.owner, &ids[6], reopen()).await;
        // By hand.
        let fields = FindingFields {
            title: "The cache is slow".to_owned(),
            severity: "low".to_owned(),
            category: "code".to_owned(),
            problem: "It is wrong.".to_owned(),
            ..FindingFields::default()
        };
        let request = FindingRequest::parse(&fields).expect("a finding");
        let services = &team.world.services;
        let by_hand = services
            .write_finding(&team.owner, &team.review.id, request, &[])
            .await
            .expect("writes");
        team.triage(&team.owner, &by_hand, triage("fixed")).await;
        let log = services.verify_log().await.expect("checks");
        assert_eq!(log.problems, [""; 0], "{}", team.on());
        assert_eq!((log.n_decisions, log.n_unknown_decisions), (7, 0));
        // A scan that has none of it any more, and one that has all of it again, decide nothing.
        team.import(&sarif(&[])).await;
        team.import(&twelve()).await;
        let log = services.verify_log().await.expect("checks");
        assert_eq!(log.problems, [""; 0], "{}", team.on());
    }
}

#[tokio::test]
async fn a_decision_that_was_made_in_the_database_is_named() {
    for team in Team::each().await {
        team.import(&twelve()).await;
        let ids = team.ids().await;
        team.triage(&team.owner, &ids[2], triage("false_positive"))
            .await;
        team.decide_about(&team.owner, &ids[2], reopen()).await;
        team.decide_about(&team.owner, &ids[3], triage("ask_acceptance"))
            .await;
        team.decide_about_many(&team.owner, &[ids[4].clone()], triage("false_positive"))
            .await;
        team.decide_about_many(&team.manager, &[ids[4].clone()], approve())
            .await;
        team.decide_about_many(&team.owner, &[ids[4].clone()], reopen())
            .await;
        assert_eq!(team.problems().await, [""; 0], "{}", team.on());
        for (at, status) in [
            // Never decided about, asked for only, and opened again by one and by many.
            (0, "false_positive"),
            (1, "risk_accepted"),
            (1, "duplicate"),
            (3, "risk_accepted"),
            (2, "false_positive"),
            (4, "false_positive"),
        ] {
            let set = |status: &str| {
                format!(
                    "update finding set status = '{status}' where id = '{}'",
                    ids[at]
                )
            };
            team.world.tamper(&set(status)).await;
            let problems = team.problems().await;
            assert_eq!(problems.len(), 1, "{at} on {}: {problems:?}", team.on());
            let named = format!("The finding F-{} of service", at + 1);
            assert!(problems[0].starts_with(&named), "{}", problems[0]);
            assert!(problems[0].contains(status), "{}", problems[0]);
            team.world.tamper(&set("open")).await;
        }
        // Another decision than the one that was made.
        team.triage(&team.owner, &ids[6], triage("false_positive"))
            .await;
        let id = &ids[6];
        let other = format!("update finding set status = 'risk_accepted' where id = '{id}'");
        team.world.tamper(&other).await;
        let problems = team.problems().await;
        assert!(problems[0].contains("says otherwise"), "{problems:?}");
    }
}
