//! What two people decided about a finding is bound to what it says, and to what it repeats.

mod common;

use common::{
    MINUTE,
    scans::{result, sarif},
    team::Team,
};
use holdpoint_domain::{
    FindingId,
    FindingStatus::{self, Duplicate, FalsePositive, Fixed, Open},
    Severity,
    triage::Request,
};
use holdpoint_service::{
    Actor, Finding, FindingFilter, FindingLine, FindingSort,
    findings::{FindingFields, FindingRequest, Triage, TriageFields},
};
use serde_json::Value;

fn written(severity: Severity, problem: &str, why: &str) -> FindingRequest {
    FindingRequest::parse(&FindingFields {
        title: "No limit".into(),
        severity: severity.as_str().into(),
        category: "code".into(),
        problem: problem.into(),
        severity_reason: why.into(),
        ..FindingFields::default()
    })
    .expect("a finding")
}

fn triage(action: &str) -> Triage {
    Triage::parse(&TriageFields {
        action: action.to_owned(),
        reason: "The code is never built.".to_owned(),
        duplicate_of: "F-1".to_owned(),
        ..TriageFields::default()
    })
    .expect("a triage")
}

fn says(rule: &str, level: &str, line: u32, message: &str) -> Value {
    let mut one = result(rule, level, line);
    one["fingerprints"] = serde_json::json!({ "id/v1": rule });
    one["message"] = serde_json::json!({ "text": message });
    one
}

impl Team {
    async fn written(&self) -> FindingId {
        let request = written(Severity::Critical, "It is wrong.", "");
        let services = &self.world.services;
        let id = services
            .write_finding(&self.owner, &self.review.id, request, &[])
            .await;
        id.expect("writes")
    }

    async fn finding(&self, id: &FindingId) -> Finding {
        let view = self.world.services.finding(&self.viewer, id).await;
        view.expect("a finding").finding
    }

    async fn edit(&self, id: &FindingId, request: FindingRequest) -> bool {
        self.world.clock.advance(MINUTE);
        let version = self.finding(id).await.version;
        let services = &self.world.services;
        let edited = services
            .edit_finding(&self.owner, id, version, request)
            .await;
        edited.expect("edits")
    }

    async fn decide_on(&self, who: &Actor, id: &FindingId, what: Triage) {
        self.world.clock.advance(MINUTE);
        let version = self.finding(id).await.version;
        let services = &self.world.services;
        let decided = services.triage_finding(who, id, version, what).await;
        decided.expect("decides");
    }

    /// One asks, another approves.
    async fn by_two(&self, id: &FindingId, what: &str) {
        self.decide_on(&self.owner, id, triage(what)).await;
        self.decide_on(&self.manager, id, triage("approve")).await;
    }

    async fn lines(&self) -> Vec<FindingLine> {
        let services = &self.world.services;
        let filter = FindingFilter::default();
        let (who, review) = (&self.viewer, &self.review.id);
        let page =
            services.findings_of_review(who, review, &filter, FindingSort::Number, 500, None);
        page.await.expect("lists").lines
    }

    async fn states(&self) -> Vec<FindingStatus> {
        let lines = self.lines().await;
        lines.iter().map(|line| line.status).collect()
    }

    async fn n_blocking(&self) -> usize {
        let services = &self.world.services;
        let standing = services.review_standing(&self.viewer, &self.review.id);
        let reasons = standing.await.expect("stands").verdict.reasons;
        let of_findings = reasons.iter().filter(|of| of.subject_kind == "finding");
        of_findings.count()
    }
}

#[tokio::test]
async fn what_two_decided_is_open_again_once_the_finding_is_rewritten() {
    for team in Team::each().await {
        let original = team.written().await;
        for (what, becomes) in [
            ("false_positive", FalsePositive),
            ("fixed", Fixed),
            ("duplicate", Duplicate),
        ] {
            let id = team.written().await;
            team.by_two(&id, what).await;
            assert_eq!(team.finding(&id).await.status, becomes, "{}", team.on());
            assert_eq!(team.n_blocking().await, 1, "the original alone");
            // Only spaces are others.
            team.edit(&id, written(Severity::Critical, "It  is wrong. ", ""))
                .await;
            assert_eq!(team.finding(&id).await.status, becomes, "{what}");
            let worse = written(Severity::Critical, "Anybody runs commands.", "");
            team.edit(&id, worse).await;
            let finding = team.finding(&id).await;
            assert_eq!((finding.status, finding.asked), (Open, None), "{what}");
            assert_eq!(team.n_blocking().await, 2, "{what} on {}", team.on());
            // And can be decided again, about what it says now.
            team.by_two(&id, what).await;
            assert_eq!(team.finding(&id).await.status, becomes, "{what}");
        }
        // What the original says is what the duplicate repeats.
        let worse = written(Severity::Critical, "Anybody runs commands.", "");
        team.edit(&original, worse).await;
        assert_eq!(team.states().await, [Open, FalsePositive, Fixed, Open]);
        assert_eq!(team.n_blocking().await, 2, "{}", team.on());
    }
}

#[tokio::test]
async fn what_two_decided_is_open_again_once_a_scan_says_something_else() {
    for team in Team::each().await {
        let first = says("A", "error", 3, "A test key is in the code");
        team.import(&sarif(&[first.clone(), says("B", "error", 9, "Twice")]))
            .await;
        let (a, b) = {
            let lines = team.lines().await;
            (lines[0].id.clone(), lines[1].id.clone())
        };
        team.by_two(&a, "false_positive").await;
        assert_eq!(team.states().await, [FalsePositive, Open], "{}", team.on());
        let moved = says("A", "error", 44, "A test key is in the code");
        team.import(&sarif(&[moved.clone(), says("B", "error", 9, "Twice")]))
            .await;
        assert_eq!(team.states().await, [FalsePositive, Open], "it only moved");
        let other = says("A", "error", 44, "The key of production is in the code");
        team.import(&sarif(&[other.clone(), says("B", "error", 9, "Twice")]))
            .await;
        assert_eq!(team.states().await, [Open, Open], "{}", team.on());
        team.by_two(&b, "duplicate").await;
        assert_eq!(team.states().await, [Open, Duplicate], "{}", team.on());
        team.import(&sarif(&[first, says("B", "error", 9, "Twice")]))
            .await;
        assert_eq!(
            team.states().await,
            [Open, Open],
            "its original says another thing"
        );
    }
}

#[tokio::test]
async fn what_two_decided_before_it_was_bound_is_bound_when_it_is_rewritten() {
    for team in Team::each().await {
        let id = team.written().await;
        team.by_two(&id, "false_positive").await;
        let forget = "update finding set accepted_content = null, content_digest = null";
        team.world.tamper(forget).await;
        let worse = written(Severity::Critical, "Anybody runs commands.", "");
        team.edit(&id, worse).await;
        assert_eq!(team.finding(&id).await.status, Open, "{}", team.on());
    }
}

#[tokio::test]
async fn a_lowered_severity_is_asked_for_again_once_the_finding_is_rewritten() {
    for team in Team::each().await {
        let id = team.written().await;
        let asked = team
            .edit(
                &id,
                written(Severity::Low, "It is wrong.", "Only in tests."),
            )
            .await;
        assert!(asked);
        team.decide_on(&team.manager, &id, triage("approve")).await;
        assert_eq!(team.finding(&id).await.severity, Severity::Low);
        assert!(
            !team
                .edit(&id, written(Severity::Low, "It is  wrong.", ""))
                .await
        );
        assert_eq!(
            team.finding(&id).await.severity,
            Severity::Low,
            "{}",
            team.on()
        );
        // Nor is another severity in the same breath a way around, be it one that blocks nothing in the place of another.
        let mut problem = String::from("Anybody runs commands.");
        for asked in [
            Severity::Low,
            Severity::Medium,
            Severity::Info,
            Severity::High,
            Severity::Low,
        ] {
            problem.push('!');
            let worse = written(asked, &problem, "Only in tests.");
            assert!(team.edit(&id, worse).await, "{asked} is only asked for");
            let finding = team.finding(&id).await;
            assert_eq!(finding.severity, Severity::Critical, "{}", team.on());
            assert_eq!(finding.asked, Some(Request::Severity));
            assert_eq!(finding.asked_severity, Some(asked));
            assert_eq!(team.n_blocking().await, 1);
            team.decide_on(&team.manager, &id, triage("approve")).await;
            let finding = team.finding(&id).await;
            assert_eq!(finding.severity, asked);
            let change = finding.severity_change.expect("is kept");
            assert_eq!(change.was, Severity::Critical);
        }
    }
}
