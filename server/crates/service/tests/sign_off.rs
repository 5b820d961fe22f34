//! Signing: who may, over what, and what becomes of a signature when its ground changes.

mod common;

use common::{DAY, PASSWORD, is_conflict, is_forbidden, rejected, team::Team};
use holdpoint_domain::{
    ItemId, ItemState, Outcome, Policy, ServiceRole,
    item::Step,
    text::{Commit, Name},
};
use holdpoint_service::{
    Actor, ReviewChange, ServiceError,
    evidence::{EvidenceFields, EvidenceRequest},
    findings::{FindingFields, FindingRequest, Triage, TriageFields},
    sign_off::DecisionRequest,
    standing::{ReleaseDecision, Validity},
};

impl Team {
    async fn state(&self, item: &ItemId) -> (ItemState, u32, Vec<String>) {
        let (_, standing) = self
            .world
            .services
            .item_standing(&self.manager, item)
            .await
            .expect("stands");
        (
            standing.state,
            standing.facts.valid_sign_offs,
            standing.facts.void_because,
        )
    }

    async fn write_critical(&self, item: &ItemId) -> holdpoint_domain::FindingId {
        let fields = FindingFields {
            title: "Retry jitter is fixed at 0.5".into(),
            severity: "critical".into(),
            category: "code".into(),
            problem: "All instances retry at the same moment.".into(),
            ..FindingFields::default()
        };
        let request = FindingRequest::parse(&fields).expect("a finding");
        let items = [item.clone()];
        self.world
            .services
            .write_finding(&self.owner, &self.review.id, request, &items)
            .await
            .expect("writes")
    }

    async fn try_triage(
        &self,
        who: &Actor,
        id: &holdpoint_domain::FindingId,
        fields: TriageFields,
    ) -> Result<(), ServiceError> {
        let version = self
            .world
            .services
            .finding(who, id)
            .await
            .expect("reads")
            .finding
            .version;
        self.world
            .services
            .triage_finding(who, id, version, Triage::parse(&fields)?)
            .await
            .map(drop)
    }
}

fn triage(action: &str, reason: &str, until: &str) -> TriageFields {
    TriageFields {
        action: action.into(),
        reason: reason.into(),
        until: until.into(),
        ..TriageFields::default()
    }
}

#[tokio::test]
async fn whoever_asked_for_review_or_submitted_evidence_cannot_sign() {
    for team in Team::each().await {
        let item = team.id("2.1.1").await;
        team.send_to_review(&item).await;
        let services = &team.world.services;
        services
            .set_role(
                &team.admin,
                &team.service.id,
                &team.owner.id,
                Some(ServiceRole::Reviewer),
            )
            .await
            .expect("promotes");
        let (field, message) = rejected(team.sign(&team.owner, &item, "pass").await);
        assert_eq!(
            (field, message.as_str()),
            (
                "decision",
                "You asked for this review, so someone else must sign it."
            )
        );

        let second = team.id("2.1.2").await;
        team.add_note(&second).await;
        for step in [Step::Start, Step::RequestReview] {
            services
                .step(&team.manager, &second, step, None)
                .await
                .expect("moves");
        }
        let (_, message) = rejected(team.sign(&team.owner, &second, "pass").await);
        assert_eq!(
            message,
            "You submitted evidence for this item, so someone else must sign it."
        );
        assert_eq!(team.state(&second).await.0, ItemState::InReview);
    }
}

#[tokio::test]
async fn a_pass_is_signed_by_another_person_with_the_right_password_only() {
    for team in Team::each().await {
        let item = team.id("2.1.1").await;
        team.send_to_review(&item).await;
        let services = &team.world.services;
        let (review, standing) = services
            .item_standing(&team.reviewer, &item)
            .await
            .expect("stands");
        let access = services
            .access(&team.reviewer, &team.service.id)
            .await
            .expect("reads");
        let basis = services
            .sign_form(&team.reviewer, &access, &review, &standing)
            .await
            .expect("a form")
            .basis;
        let request =
            DecisionRequest::parse("pass", "", "", "", basis.as_str()).expect("a decision");
        let wrong = services
            .decide_item(&team.reviewer, &item, request.clone(), "not the password")
            .await;
        assert_eq!(rejected(wrong).0, "password");
        assert_eq!(team.state(&item).await.0, ItemState::InReview);
        let signed = services
            .decide_item(&team.reviewer, &item, request, PASSWORD)
            .await
            .expect("signs");
        assert_eq!(team.state(&item).await, (ItemState::Passed, 1, vec![]));
        assert_eq!(signed.digest.len(), 64);
        assert!(is_forbidden(&team.sign(&team.viewer, &item, "pass").await));
    }
}

#[tokio::test]
async fn a_signature_over_what_has_changed_since_is_refused() {
    for team in Team::each().await {
        let item = team.id("2.1.1").await;
        team.send_to_review(&item).await;
        let services = &team.world.services;
        let (review, standing) = services
            .item_standing(&team.reviewer, &item)
            .await
            .expect("stands");
        let access = services
            .access(&team.reviewer, &team.service.id)
            .await
            .expect("reads");
        let basis = services
            .sign_form(&team.reviewer, &access, &review, &standing)
            .await
            .expect("a form")
            .basis;
        team.add_note(&item).await;
        let request =
            DecisionRequest::parse("pass", "", "", "", basis.as_str()).expect("a decision");
        assert!(is_conflict(
            &services
                .decide_item(&team.reviewer, &item, request, PASSWORD)
                .await
        ));
        assert_eq!(team.state(&item).await.0, ItemState::InReview);
    }
}

#[tokio::test]
async fn each_meaningful_change_voids_a_signature_and_is_named() {
    for team in Team::each().await {
        let services = &team.world.services;
        let item = team.id("2.1.1").await;
        team.send_to_review(&item).await;
        team.sign(&team.reviewer, &item, "pass")
            .await
            .expect("signs");
        let evidence = services
            .evidence_of(&team.manager, &item)
            .await
            .expect("reads")[0]
            .evidence
            .id
            .clone();
        services
            .withdraw_evidence(&team.owner, &evidence, "Wrong file.")
            .await
            .expect("withdraws");
        let (state, valid, because) = team.state(&item).await;
        assert_eq!((state, valid), (ItemState::Passed, 0), "{}", team.on());
        assert_eq!(because, ["evidence Walkthrough"]);
        let review = services
            .review_standing(&team.manager, &team.review.id)
            .await
            .expect("stands");
        assert_eq!(review.verdict.outcome, Outcome::NoGo);
        let changed = services
            .changed_since_i_signed(&team.reviewer)
            .await
            .expect("lists");
        assert_eq!((changed.n_reviews, changed.n_looked_at), (1, 1));
        let changed = changed.changed;
        assert_eq!(changed.len(), 1);
        assert!(
            matches!(&changed[0].1.validity, Validity::Void(changes) if changes[0].is.is_none())
        );

        services
            .step(&team.reviewer, &item, Step::ReviewAgain, None)
            .await
            .expect("reviews again");
        team.add_note(&item).await;
        team.sign(&team.reviewer, &item, "pass")
            .await
            .expect("signs again");
        assert_eq!(team.state(&item).await, (ItemState::Passed, 1, vec![]));
    }
}

#[tokio::test]
async fn moving_the_target_commit_makes_evidence_stale_and_voids_what_rests_on_it() {
    for team in Team::each().await {
        let services = &team.world.services;
        let item = team.id("2.1.1").await;
        team.send_to_review(&item).await;
        team.sign(&team.reviewer, &item, "pass")
            .await
            .expect("signs");
        let change = ReviewChange {
            version: team.review.version,
            title: Name::parse("Phase 22").expect("a name"),
            release: Name::parse("v1.0.0").expect("a name"),
            commit: Some(Commit::parse("82dd1d2").expect("a commit")),
            due_on: None,
            policy: Policy::default(),
        };
        services
            .update_review(&team.manager, &team.review.id, change)
            .await
            .expect("moves on");
        let (_, valid, because) = team.state(&item).await;
        assert_eq!(
            (valid, because),
            (
                0,
                vec![
                    "evidence Walkthrough".to_owned(),
                    "target commit".to_owned()
                ]
            )
        );
        assert!(
            services
                .evidence_of(&team.viewer, &item)
                .await
                .expect("reads")[0]
                .stale
        );
    }
}

#[tokio::test]
async fn a_pass_is_refused_by_name_while_a_linked_blocking_finding_is_open() {
    for team in Team::each().await {
        let item = team.id("2.5.1").await;
        let finding = team.write_critical(&item).await;
        team.send_to_review(&item).await;
        let (field, message) = rejected(team.sign(&team.reviewer, &item, "pass").await);
        assert_eq!(field, "decision");
        assert!(
            message.contains("F-1") && message.contains("Retry jitter"),
            "{message}"
        );
        team.sign(&team.reviewer, &item, "fail")
            .await
            .expect("a failure can be signed");
        team.try_triage(
            &team.owner,
            &finding,
            triage("fixed", "Uses math/rand now.", ""),
        )
        .await
        .expect("asked");
        assert_eq!(
            team.state(&item).await.1,
            1,
            "it is open until another approves"
        );
        team.try_triage(&team.manager, &finding, triage("approve", "", ""))
            .await
            .expect("fixed");
        let (state, valid, because) = team.state(&item).await;
        assert_eq!((state, valid), (ItemState::Failed, 0));
        assert_eq!(because, ["finding F-1 Retry jitter is fixed at 0.5"]);
    }
}

#[tokio::test]
async fn a_waiver_needs_a_manager_and_ends_by_itself() {
    for team in Team::each().await {
        let item = team.id("2.3.3").await;
        team.send_to_review(&item).await;
        assert!(is_forbidden(
            &team.sign(&team.reviewer, &item, "waive").await
        ));
        team.sign(&team.manager, &item, "waive")
            .await
            .expect("a manager waives");
        assert_eq!(team.state(&item).await.0, ItemState::Waived);
        team.world.clock.advance(40 * DAY);
        assert_eq!(team.state(&item).await.0, ItemState::InReview);
        let review = team
            .world
            .services
            .review_standing(&team.manager, &team.review.id)
            .await
            .expect("stands");
        assert!(
            review
                .verdict
                .reasons
                .iter()
                .any(|reason| reason.why == "Its waiver has run out.")
        );
    }
}

#[tokio::test]
async fn a_quorum_of_two_needs_two_people() {
    for team in Team::each().await {
        let services = &team.world.services;
        let change = ReviewChange {
            version: team.review.version,
            title: Name::parse("Phase 22").expect("a name"),
            release: Name::parse("v1.0.0").expect("a name"),
            commit: Some(Commit::parse("c41f0e2").expect("a commit")),
            due_on: None,
            policy: Policy {
                quorum: 2,
                ..Policy::default()
            },
        };
        services
            .update_review(&team.manager, &team.review.id, change)
            .await
            .expect("changes the policy");
        let item = team.id("2.1.1").await;
        team.send_to_review(&item).await;
        team.sign(&team.reviewer, &item, "pass")
            .await
            .expect("the first");
        assert_eq!(team.state(&item).await.0, ItemState::InReview);
        let (_, message) = rejected(team.sign(&team.reviewer, &item, "pass").await);
        assert!(message.contains("another reviewer"), "{message}");
        team.sign(&team.manager, &item, "pass")
            .await
            .expect("the second");
        assert_eq!(team.state(&item).await, (ItemState::Passed, 2, vec![]));
        // That it does not apply takes as many, and who passes is none of them.
        let item = team.id("2.1.2").await;
        team.send_to_review(&item).await;
        team.sign(&team.admin, &item, "pass").await.expect("passes");
        team.sign(&team.reviewer, &item, "not_applicable")
            .await
            .expect("the first");
        assert_eq!(team.state(&item).await.0, ItemState::InReview);
        let (_, message) = rejected(team.sign(&team.reviewer, &item, "not_applicable").await);
        assert!(message.contains("another reviewer"), "{message}");
        team.sign(&team.manager, &item, "not_applicable")
            .await
            .expect("the second");
        let state = team.state(&item).await;
        assert_eq!(state, (ItemState::NotApplicable, 2, vec![]));
    }
}

#[tokio::test]
async fn an_accepted_risk_is_asked_for_by_one_and_approved_by_another_and_lapses() {
    for team in Team::each().await {
        let item = team.id("2.5.1").await;
        let finding = team.write_critical(&item).await;
        let ask = triage("ask_acceptance", "Retries are rare.", "2026-02-10");
        team.try_triage(&team.manager, &finding, ask)
            .await
            .expect("asks");
        let own = team
            .try_triage(
                &team.manager,
                &finding,
                triage("approve_acceptance", "", ""),
            )
            .await;
        assert!(rejected(own).1.contains("someone else must approve"));
        assert!(is_forbidden(
            &team
                .try_triage(
                    &team.reviewer,
                    &finding,
                    triage("approve_acceptance", "", "")
                )
                .await
        ));
        team.try_triage(&team.admin, &finding, triage("approve_acceptance", "", ""))
            .await
            .expect("approves");
        let critical = |review: &holdpoint_service::standing::ReviewStanding| {
            review
                .verdict
                .reasons
                .iter()
                .filter(|reason| reason.subject_kind == "finding")
                .count()
        };
        let services = &team.world.services;
        let review = services
            .review_standing(&team.manager, &team.review.id)
            .await
            .expect("stands");
        assert_eq!((critical(&review), review.verdict.waivers.len()), (0, 1));
        team.world.clock.advance(20 * DAY);
        let review = services
            .review_standing(&team.manager, &team.review.id)
            .await
            .expect("stands");
        assert_eq!(critical(&review), 1, "the acceptance has lapsed");
    }
}

#[tokio::test]
async fn go_is_refused_while_the_verdict_is_no_go_and_a_no_go_can_be_signed() {
    for team in Team::each().await {
        let services = &team.world.services;
        let review = services
            .review_standing(&team.manager, &team.review.id)
            .await
            .expect("stands");
        let basis = review.basis();
        let go = services
            .decide_release(
                &team.manager,
                &team.review.id,
                ReleaseDecision::Go,
                "",
                &basis,
                PASSWORD,
            )
            .await;
        assert_eq!(rejected(go).0, "decision");
        let forbidden = services
            .decide_release(
                &team.reviewer,
                &team.review.id,
                ReleaseDecision::NoGo,
                "No.",
                &basis,
                PASSWORD,
            )
            .await;
        assert!(is_forbidden(&forbidden));
        services
            .decide_release(
                &team.manager,
                &team.review.id,
                ReleaseDecision::NoGo,
                "Not ready.",
                &basis,
                PASSWORD,
            )
            .await
            .expect("signs NO-GO");
        let review = services
            .review_standing(&team.manager, &team.review.id)
            .await
            .expect("stands");
        assert_eq!(review.release.decided, Some(ReleaseDecision::NoGo));
        let item = team.id("2.1.1").await;
        team.send_to_review(&item).await;
        let review = services
            .review_standing(&team.manager, &team.review.id)
            .await
            .expect("stands");
        assert_eq!(
            review.release.decided, None,
            "an item moved on, so the decision is void"
        );
        assert!(review.release.decisions[0].is_void());
        let void = review.release.void.expect("what was decided is still told");
        assert_eq!(void.decision, ReleaseDecision::NoGo);
        assert_eq!(void.by, [team.manager.name.as_str()]);
        assert_eq!(void.sign_off, review.release.decisions[0].sign_off.id);
        let kept = services
            .decided_reports(&team.manager, &team.review.id)
            .await
            .expect("lists");
        assert_eq!(kept.reports[0].sign_off, void.sign_off);
    }
}

#[tokio::test]
async fn a_review_whose_every_item_is_cleared_goes_and_every_signature_is_in_the_log() {
    for team in Team::each().await {
        let services = &team.world.services;
        let standing = services
            .review_standing(&team.manager, &team.review.id)
            .await
            .expect("stands");
        for item in &standing.items {
            let id = ItemId::parse(&item.item.id).expect("an id");
            team.send_to_review(&id).await;
            team.sign(&team.reviewer, &id, "pass").await.expect("signs");
        }
        for deliverable in services
            .deliverables(&team.manager, &team.review.id)
            .await
            .expect("lists")
        {
            let change = holdpoint_service::DeliverableChange {
                version: deliverable.deliverable.version,
                done: true,
                note: None,
            };
            services
                .set_done(&team.owner, &deliverable.deliverable.id, change)
                .await
                .expect("is done");
        }
        let review = services
            .review_standing(&team.manager, &team.review.id)
            .await
            .expect("stands");
        assert_eq!(
            review.verdict.outcome,
            Outcome::Go,
            "{:?}",
            review.verdict.reasons
        );
        let basis = review.basis();
        services
            .decide_release(
                &team.manager,
                &team.review.id,
                ReleaseDecision::Go,
                "",
                &basis,
                PASSWORD,
            )
            .await
            .expect("signs GO");
        let review = services
            .review_standing(&team.manager, &team.review.id)
            .await
            .expect("stands");
        assert_eq!(review.release.decided, Some(ReleaseDecision::Go));
        let log = services.verify_log().await.expect("verifies");
        assert_eq!((log.problems.as_slice(), log.n_signed_heads), (&[][..], 14));
    }
}

#[tokio::test]
async fn a_log_that_was_rewritten_or_cut_does_not_verify() {
    for team in Team::each().await {
        let item = team.id("2.1.1").await;
        team.send_to_review(&item).await;
        team.sign(&team.reviewer, &item, "pass")
            .await
            .expect("signs");
        let length = team
            .world
            .services
            .verify_log()
            .await
            .expect("verifies")
            .length;
        let mut tx = team.world.on.database.write().await.expect("writes");
        tx.tamper_with_activity_for_test(
            "delete from activity where sequence = (select max(sequence) from activity)",
        )
        .await
        .expect("cuts");
        tx.commit().await.expect("commits");
        let cut = team.world.services.verify_log().await.expect("checks");
        assert_eq!(cut.length, length - 1);
        assert!(cut.problems[0].contains("missing"), "{:?}", cut.problems);
        let mut tx = team.world.on.database.write().await.expect("writes");
        tx.tamper_with_activity_for_test(
            "update activity set summary = 'did nothing' where sequence = 3",
        )
        .await
        .expect("rewrites");
        tx.commit().await.expect("commits");
        let changed = team.world.services.verify_log().await.expect("checks");
        assert!(
            changed.problems[0].contains("entry 3"),
            "{:?}",
            changed.problems
        );
    }
}

#[tokio::test]
async fn evidence_is_refused_at_the_field_that_is_wrong() {
    let file = |size_bytes| {
        let sha256 = holdpoint_domain::Digest::of(b"x");
        Some((
            holdpoint_service::StoredFile { sha256, size_bytes },
            "a.txt".to_owned(),
        ))
    };
    let fields = |kind: &str| EvidenceFields {
        kind: kind.into(),
        ..EvidenceFields::default()
    };
    let with = |kind: &str, change: fn(&mut EvidenceFields)| {
        let mut fields = fields(kind);
        change(&mut fields);
        fields
    };
    let cases = [
        (fields(""), None, "kind"),
        (fields("file"), None, "file"),
        (fields("file"), file(0), "file"),
        (
            with("link", |f| f.address = "javascript:alert(1)".into()),
            None,
            "address",
        ),
        (fields("note"), None, "text"),
        (fields("output"), None, "command"),
        (
            with("output", |f| {
                f.command = "go test".into();
                f.exit_code = "zero".into();
            }),
            None,
            "exit_code",
        ),
        (
            with("note", |f| {
                f.text = "x".into();
                f.commit = "main".into();
            }),
            None,
            "commit",
        ),
        (
            with("note", |f| {
                f.text = "x".into();
                f.start_line = "3".into();
            }),
            None,
            "path",
        ),
        (
            with("note", |f| {
                f.text = "x".into();
                f.path = "a".into();
                f.start_line = "3".into();
                f.end_line = "2".into();
            }),
            None,
            "end_line",
        ),
        (
            with("note", |f| {
                f.text = "x".into();
                f.observed_at = "yesterday".into();
            }),
            None,
            "observed_at",
        ),
    ];
    for (fields, file, expected) in cases {
        assert_eq!(
            rejected(EvidenceRequest::parse(&fields, file)).0,
            expected,
            "{fields:?}"
        );
    }
}
