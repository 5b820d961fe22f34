//! What a signature binds: the text as Markdown reads it, all that a linked finding says, who signed when and as what, the target
//! commit and the rules. And what becomes of it when somebody changes the database behind Holdpoint's back.

mod common;

use common::{
    DAY, PASSWORD,
    team::{Team, import, name, new_review},
};
use holdpoint_domain::{
    Digest, ItemId, ItemState, Outcome, Policy, ReviewId, ServiceRole,
    item::Step,
    signoff::Change,
    text::{Commit, Name, Prose},
    verdict::ReasonKind,
};
use holdpoint_service::{
    Actor, AsOf, ItemText, ReviewChange, ServiceError,
    evidence::{EvidenceFields, EvidenceRequest},
    findings::{FindingFields, FindingRequest},
    standing::{ItemStanding, ReleaseDecision, Validity},
};

/// An item, passed by the reviewer.
const ITEM: &str = "2.1.1";

impl Team {
    async fn standing(&self, item: &ItemId) -> ItemStanding {
        let services = &self.world.services;
        let standing = services.item_standing(&self.manager, item).await;
        standing.expect("stands").1
    }

    /// What has changed since the last signature, or why it is damaged.
    async fn changed(&self, item: &ItemId) -> Vec<Change> {
        let standing = self.standing(item).await;
        match &standing.sign_offs.last().expect("is signed").validity {
            Validity::Void(changes) => changes.clone(),
            Validity::Damaged(why) => panic!("{why:?}"),
            Validity::Valid | Validity::Past => Vec::new(),
        }
    }

    async fn reword(&self, item: &ItemId, body: &str) {
        let services = &self.world.services;
        let stored = services
            .item(&self.manager, item)
            .await
            .expect("reads")
            .item;
        let text = ItemText {
            version: stored.version,
            title: Name::parse(&stored.title).expect("a title"),
            body: Some(Prose::parse(body).expect("a text")),
        };
        services
            .edit_item(&self.manager, item, text)
            .await
            .expect("rewords");
    }

    async fn set_policy(&self, commit: &str, policy: Policy) {
        let services = &self.world.services;
        let stored = services.review(&self.manager, &self.review.id).await;
        let change = ReviewChange {
            version: stored.expect("reads").review.version,
            title: name("Phase 22"),
            release: name("v1.0.0"),
            commit: Some(Commit::parse(commit).expect("a commit")),
            due_on: None,
            policy,
        };
        services
            .update_review(&self.manager, &self.review.id, change)
            .await
            .expect("changes the review");
    }

    /// Does what only somebody with the database in their hands can do.
    async fn tamper(&self, sql: &str) {
        self.world.tamper(sql).await;
    }

    /// As the first start after an upgrade does, whatever was written down before.
    async fn bind_anew(&self) {
        self.tamper("update sign_off set bound_by = null").await;
        let log = self.world.log().await;
        if log.iter().any(|(action, _)| action == "sign_offs.bound") {
            self.tamper("update activity set action = 'x' where action = 'sign_offs.bound'")
                .await;
        }
        let bound = self.world.services.bind_old_sign_offs().await;
        bound.expect("binds");
    }

    /// What verifying the log says of sign-offs that are not what was written down of them.
    async fn edited_sign_offs(&self) -> Vec<String> {
        let verified = self.world.services.verify_log().await.expect("verifies");
        let problems = verified.problems.into_iter();
        problems
            .filter(|problem| problem.contains("at the upgrade"))
            .collect()
    }

    async fn reasons(&self) -> Vec<(ReasonKind, String)> {
        let services = &self.world.services;
        let standing = services
            .review_standing(&self.manager, &self.review.id)
            .await;
        let reasons = standing.expect("stands").verdict.reasons;
        reasons
            .into_iter()
            .map(|reason| (reason.kind, reason.why))
            .collect()
    }

    /// The report as it is read on a page.
    async fn report(&self) -> String {
        let services = &self.world.services;
        let report = services
            .report_preview(&self.manager, &self.review.id, &AsOf::Newest)
            .await;
        report.expect("is written").text
    }

    /// A review of a checklist with one item, which is passed, so that it may go.
    async fn small_review(&self) -> (ReviewId, ItemId) {
        let services = &self.world.services;
        let document = b"# PRR\n\n## 1 All\n\n- [ ] **One**: Do it.\n".to_vec();
        let imported = services
            .import_template(&self.manager, import(Some("Small")), document)
            .await
            .expect("imports");
        let review = services
            .create_review(
                &self.manager,
                &self.service.id,
                new_review(imported.version.id),
            )
            .await
            .expect("begins")
            .review
            .id;
        let item = services
            .item_by_key(&self.manager, &review, "1.1")
            .await
            .expect("is there")
            .item
            .id;
        self.send_to_review(&item).await;
        self.sign(&self.reviewer, &item, "pass")
            .await
            .expect("signs");
        (review, item)
    }

    async fn decide_release(&self, review: &ReviewId, decision: ReleaseDecision) {
        let services = &self.world.services;
        let standing = services.whole_review_standing(&self.manager, review).await;
        let basis = standing.expect("stands").basis();
        services
            .decide_release(&self.manager, review, decision, "Seen.", &basis, PASSWORD)
            .await
            .expect("signs");
    }
}

#[tokio::test]
async fn a_requirement_that_reads_otherwise_voids_a_pass() {
    for team in Team::each().await {
        let item = team.id(ITEM).await;
        team.reword(&item, "Start").await;
        team.send_to_review(&item).await;
        for (signed, now, is_same) in [
            (
                "## 99.99 percent availability",
                "## 90 percent availability",
                false,
            ),
            ("As agreed\n3. This", "As agreed\n0. This", false),
            ("```\n- 5\n```", "```\n5\n```", false),
            ("```\n# 3 replicas\n```", "```\n# 1 replicas\n```", false),
            (
                "```\n[x] enforce_tls\n```",
                "```\n[ ] enforce_tls\n```",
                false,
            ),
            (
                "- [ ] Look\n- [x] twice",
                "* [x]  Look\n\n* [ ] twice",
                true,
            ),
        ] {
            team.reword(&item, signed).await;
            team.sign(&team.reviewer, &item, "pass")
                .await
                .expect("signs");
            assert_eq!(team.changed(&item).await, []);
            team.reword(&item, now).await;
            let what: Vec<_> = team
                .changed(&item)
                .await
                .into_iter()
                .map(|change| change.what)
                .collect();
            let expected: &[&str] = if is_same { &[] } else { &["requirement"] };
            assert_eq!(what, expected, "{signed:?} to {now:?}");
            team.world
                .services
                .step(&team.reviewer, &item, Step::ReviewAgain, None)
                .await
                .expect("reviews again");
        }
    }
}

fn low_finding(problem: &str, path: &str) -> FindingRequest {
    FindingRequest::parse(&FindingFields {
        title: "Jitter is fixed".into(),
        severity: "low".into(),
        category: "code".into(),
        problem: problem.into(),
        path: path.into(),
        start_line: "41".into(),
        ..FindingFields::default()
    })
    .expect("a finding")
}

#[tokio::test]
async fn a_linked_finding_is_bound_with_all_that_it_says() {
    for team in Team::each().await {
        let services = &team.world.services;
        let item = team.id(ITEM).await;
        let request = low_finding("All instances retry at once.", "retry.go");
        let finding = services
            .write_finding(
                &team.owner,
                &team.review.id,
                request,
                std::slice::from_ref(&item),
            )
            .await
            .expect("writes");
        team.send_to_review(&item).await;
        team.sign(&team.reviewer, &item, "pass")
            .await
            .expect("signs");
        assert_eq!(team.changed(&item).await, []);
        let request = low_finding("Unauthenticated remote code execution.", "retry.go");
        services
            .edit_finding(&team.owner, &finding, 1, request)
            .await
            .expect("rewrites");
        let changed = team.changed(&item).await;
        assert_eq!(changed.len(), 1);
        assert_eq!(changed[0].what, "finding F-1 Jitter is fixed");
        for side in [&changed[0].was, &changed[0].is] {
            let side = side.as_deref().unwrap_or_default();
            assert!(side.starts_with("digest of its texts "), "{side}");
        }
        let request = low_finding("All instances retry at once.", "retry.go");
        services
            .edit_finding(&team.owner, &finding, 2, request)
            .await
            .expect("puts it back");
        assert_eq!(team.changed(&item).await, []);
        for (sql, back, was, is) in [
            (
                "update finding set cve = '[\"CVE-2026-1\"]', cwe = '[94]'",
                "update finding set cve = '[]', cwe = '[]'",
                "category, CVE and CWE code",
                "category, CVE and CWE code, CVE-2026-1, CWE-94",
            ),
            (
                "update finding set path = 'main.go'",
                "update finding set path = 'retry.go'",
                "place retry.go:41",
                "place main.go:41",
            ),
            (
                "update finding set start_line = 57",
                "update finding set start_line = 41",
                "place retry.go:41",
                "place retry.go:57",
            ),
            (
                "update finding set scanner_state = 'review'",
                "update finding set scanner_state = null",
                "note of its scanner none",
                "note of its scanner the scanner asks a person to look",
            ),
            (
                "update finding set accepted_until = 9",
                "update finding set accepted_until = null",
                "accepted until none",
                "accepted until 1970-01-01 00:00:00.009 UTC",
            ),
            (
                "update finding set duplicate_of = id",
                "update finding set duplicate_of = null",
                "duplicate of none",
                "duplicate of F-1",
            ),
        ] {
            team.tamper(sql).await;
            let changed = team.changed(&item).await;
            assert_eq!(changed.len(), 1, "{sql}");
            assert_eq!(
                (changed[0].was.as_deref(), changed[0].is.as_deref()),
                (Some(was), Some(is)),
                "{sql}"
            );
            team.tamper(back).await;
            assert_eq!(team.changed(&item).await, []);
        }
        // The rule and the component are told by name, and are part of the digest of the texts.
        for (sql, back, named) in [
            (
                "update finding set rule = 'G404'",
                "update finding set rule = null",
                "rule G404, ",
            ),
            (
                "update finding set component = 'log4j', component_version = '2.14'",
                "update finding set component = null, component_version = null",
                "component log4j 2.14, ",
            ),
            (
                "update finding set title = 'Jitter'",
                "update finding set title = 'Jitter is fixed'",
                "title Jitter, ",
            ),
        ] {
            team.tamper(sql).await;
            let changed = team.changed(&item).await;
            let is = changed[0].is.clone().unwrap_or_default();
            assert!(is.starts_with(named), "{is}");
            assert_ne!(changed[0].was, changed[0].is);
            team.tamper(back).await;
        }
        assert_eq!(team.changed(&item).await, []);
    }
}

#[tokio::test]
async fn a_sign_off_that_was_edited_in_the_database_is_damaged() {
    for team in Team::each().await {
        let item = team.id(ITEM).await;
        team.send_to_review(&item).await;
        team.sign(&team.reviewer, &item, "pass")
            .await
            .expect("signs");
        let cases = [
            (
                "person_id = (select id from person where email = 'sofia@example.org')",
                "person_id = (select id from person where email = 'mira@example.org')",
                "who signed, its entry in the activity log",
            ),
            ("role = 'manager'", "role = 'reviewer'", "the role"),
            (
                "signed_at = signed_at + 1",
                "signed_at = signed_at - 1",
                "when it was signed, its entry in the activity log",
            ),
            (
                "decision = 'not_applicable'",
                "decision = 'pass'",
                "the decision",
            ),
            (
                "statement = 'Never seen.'",
                "statement = 'Seen.'",
                "the statement, its entry in the activity log",
            ),
            ("risk = 'None'", "risk = null", "the risk"),
            (
                "waived_until = 9",
                "waived_until = null",
                "until when it is waived",
            ),
            (
                "log_sequence = log_sequence - 1",
                "log_sequence = log_sequence + 1",
                "its entry in the activity log",
            ),
            (
                "content = replace(content, 'mira@', 'sofia@')",
                "content = replace(content, 'sofia@', 'mira@')",
                "the digest of its content",
            ),
        ];
        for (sql, back, named) in cases {
            team.tamper(&format!("update sign_off set {sql}")).await;
            let standing = team.standing(&item).await;
            assert_eq!(standing.facts.valid_sign_offs, 0, "{sql}");
            let Validity::Damaged(why) = &standing.sign_offs[0].validity else {
                panic!("{sql}: {:?}", standing.sign_offs[0].validity);
            };
            assert!(
                why[0].ends_with(&format!("not what was signed: {named}.")),
                "{why:?}"
            );
            let reasons = team.reasons().await;
            assert!(
                reasons.contains(&(ReasonKind::SignOffDamaged, why[0].clone())),
                "{reasons:?}"
            );
            assert!(team.report().await.contains("is damaged: "), "{sql}");
            team.tamper(&format!("update sign_off set {back}")).await;
            assert_eq!(team.standing(&item).await.facts.valid_sign_offs, 1);
        }
        // One that was never signed has no entry.
        team.tamper(
            "insert into sign_off (id, review_id, item_id, round, person_id, role, decision, statement, risk, waived_until, \
             digest, content, four_eyes, log_sequence, signed_at) select 'x', review_id, item_id, round, person_id, role, \
             decision, statement, risk, waived_until, digest, content, four_eyes, log_sequence + 1000, signed_at from sign_off",
        )
        .await;
        assert!(team.standing(&item).await.sign_offs[1].is_damaged());
    }
}

#[tokio::test]
async fn a_waiver_ends_when_it_was_signed_to_end_whatever_its_row_says() {
    for team in Team::each().await {
        let item = team.id("2.3.3").await;
        team.send_to_review(&item).await;
        team.sign(&team.manager, &item, "waive")
            .await
            .expect("waives");
        team.tamper("update item set waived_until = 4102444800000 where state = 'waived'")
            .await;
        assert_eq!(team.standing(&item).await.state, ItemState::Waived);
        team.world.clock.advance(40 * DAY);
        assert_eq!(team.standing(&item).await.state, ItemState::InReview);
        team.tamper("update item set waived_until = 1 where state = 'waived'")
            .await;
        team.world.clock.advance(-39 * DAY);
        assert_eq!(team.standing(&item).await.state, ItemState::InReview);
    }
}

#[tokio::test]
async fn the_signer_is_bound_by_name_address_role_and_factor() {
    for team in Team::each().await {
        let item = team.id(ITEM).await;
        team.send_to_review(&item).await;
        team.sign(&team.reviewer, &item, "pass")
            .await
            .expect("signs");
        let standing = team.standing(&item).await;
        let content: serde_json::Value =
            serde_json::from_str(&standing.sign_offs[0].sign_off.content).expect("JSON");
        assert_eq!(
            content["signer"],
            serde_json::json!({
                "person": team.reviewer.id.as_str(), "name": "mira", "address": "mira@example.org", "role": "reviewer",
                "factor": "password", "at": common::START
            })
        );
        assert_eq!(content["commit"], "c41f0e2");
        assert_eq!(content["policy"]["four_eyes"], true);
        // Whoever is called otherwise later was called this when they signed.
        team.tamper("update person set name = 'Somebody else' where email = 'mira@example.org'")
            .await;
        let standing = team.standing(&item).await;
        assert!(standing.sign_offs[0].is_valid());
        assert_eq!(standing.sign_offs[0].sign_off.person_name, "mira");
        assert_eq!(
            standing.sign_offs[0].sign_off.person_email,
            "mira@example.org"
        );
    }
}

#[tokio::test]
async fn a_no_go_by_a_clock_that_is_behind_comes_after_the_go_and_holds_back() {
    for team in Team::each().await {
        let services = &team.world.services;
        let (review, _) = team.small_review().await;
        team.decide_release(&review, ReleaseDecision::Go).await;
        let standing = services.review_standing(&team.manager, &review).await;
        let standing = standing.expect("stands");
        assert_eq!(standing.release.decided, Some(ReleaseDecision::Go));
        assert_eq!(standing.verdict.outcome, Outcome::Go);
        team.world.clock.advance(-3_000);
        team.decide_release(&review, ReleaseDecision::NoGo).await;
        let standing = services.review_standing(&team.manager, &review).await;
        let standing = standing.expect("stands");
        assert_eq!(standing.release.decided, Some(ReleaseDecision::NoGo));
        let reasons = &standing.verdict.reasons;
        assert_eq!(reasons.len(), 1, "{reasons:?}");
        assert_eq!(reasons[0].kind, ReasonKind::ReleaseNoGo);
        assert_eq!(reasons[0].why, "sofia has signed NO-GO.");
        // Whoever said so can take it back.
        team.decide_release(&review, ReleaseDecision::Go).await;
        let standing = services.review_standing(&team.manager, &review).await;
        assert_eq!(standing.expect("stands").verdict.outcome, Outcome::Go);
        team.tamper("update sign_off set decision = 'go' where decision = 'no_go'")
            .await;
        let standing = services.review_standing(&team.manager, &review).await;
        let reasons = standing.expect("stands").verdict.reasons;
        assert_eq!(reasons[0].kind, ReasonKind::SignOffDamaged);
    }
}

#[tokio::test]
async fn evidence_that_was_edited_in_the_database_is_damaged_and_not_served() {
    for team in Team::each().await {
        let services = &team.world.services;
        let item = team.id(ITEM).await;
        team.send_to_review(&item).await;
        team.sign(&team.reviewer, &item, "pass")
            .await
            .expect("signs");
        assert!(team.report().await.contains("Read it twice."));
        team.tamper("update evidence set body = 'Read it thrice.'")
            .await;
        let changed = team.changed(&item).await;
        assert_eq!(changed[0].what, "evidence Walkthrough");
        let reasons = team.reasons().await;
        assert!(
            reasons.contains(&(
                ReasonKind::EvidenceDamaged,
                "1 piece of its evidence is damaged: it is not what was submitted.".to_owned()
            )),
            "{reasons:?}"
        );
        let shown = services
            .evidence_of(&team.viewer, &item)
            .await
            .expect("reads");
        assert!(shown[0].damaged);
        assert_eq!(shown[0].evidence.body, "");
        let report = team.report().await;
        assert!(report.contains("**damaged**"));
        assert!(!report.contains("thrice"));
        // With the digest put right too, it is still not what was signed.
        let view = &shown[0].evidence;
        let digest = holdpoint_domain::evidence::EvidenceText {
            body: "Read it thrice.",
            ..view.text()
        }
        .digest();
        team.tamper(&format!("update evidence set sha256 = '{digest}'"))
            .await;
        let changed = team.changed(&item).await;
        assert_eq!(changed.len(), 1);
        assert!(
            changed[0]
                .is
                .as_deref()
                .is_some_and(|is| is == format!("SHA-256 {digest}"))
        );
    }
}

#[tokio::test]
async fn a_pass_without_four_eyes_does_not_count_where_they_are_asked_for() {
    for team in Team::each().await {
        let relaxed = Policy {
            four_eyes: false,
            ..Policy::default()
        };
        let item = team.id(ITEM).await;
        team.set_policy("c41f0e2", relaxed.clone()).await;
        team.send_to_review(&item).await;
        team.sign(&team.manager, &item, "pass")
            .await
            .expect("signs");
        assert_eq!(team.standing(&item).await.facts.valid_sign_offs, 1);
        let mark = "signed while four eyes were not asked for";
        assert!(team.report().await.contains(mark));
        team.set_policy("c41f0e2", Policy::default()).await;
        let standing = team.standing(&item).await;
        assert_eq!(standing.facts.valid_sign_offs, 0);
        assert_eq!(standing.facts.void_because, ["policy rule four eyes"]);
        assert!(team.report().await.contains(mark));
        // A rule that the signature does meet voids nothing.
        team.set_policy("c41f0e2", relaxed).await;
        let strict = Policy {
            four_eyes: false,
            quorum: 1,
            late_findings_block: true,
            ..Policy::default()
        };
        team.set_policy("c41f0e2", strict).await;
        assert_eq!(team.standing(&item).await.facts.valid_sign_offs, 1);
    }
}

#[tokio::test]
async fn evidence_that_names_no_commit_is_stale_once_the_target_has_moved() {
    for team in Team::each().await {
        let services = &team.world.services;
        let item = team.id(ITEM).await;
        let fields = EvidenceFields {
            kind: "note".to_owned(),
            text: "Read it.".to_owned(),
            ..EvidenceFields::default()
        };
        let request = EvidenceRequest::parse(&fields, None).expect("a note");
        services
            .add_evidence(&team.owner, &item, request)
            .await
            .expect("adds");
        for step in [Step::Start, Step::RequestReview] {
            services
                .step(&team.owner, &item, step, None)
                .await
                .expect("moves on");
        }
        team.sign(&team.reviewer, &item, "pass")
            .await
            .expect("signs");
        assert_eq!(team.standing(&item).await.facts.n_stale_evidence, 0);
        team.set_policy("82dd1d2", Policy::default()).await;
        let standing = team.standing(&item).await;
        assert_eq!(standing.facts.n_stale_evidence, 1);
        assert_eq!(standing.facts.valid_sign_offs, 0);
        assert_eq!(
            standing.facts.void_because,
            ["evidence Read it.", "target commit"]
        );
        let report = team.report().await;
        assert!(report.contains("unpinned: it names no commit"));
        assert!(report.contains("the target has moved since it was attached"));
        team.set_policy("c41f0e2", Policy::default()).await;
        assert_eq!(team.standing(&item).await.facts.valid_sign_offs, 1);
    }
}

/// A signature as the first version stored it, in the place of the one that is there.
async fn as_of_version_1(team: &Team, item: &ItemId, requirement: &str) {
    let signed = team.standing(item).await;
    let evidence = &signed.evidence[0].0;
    let content = format!(
        "{{\"decision\":\"pass\",\"evidence\":[{{\"commit\":\"c41f0e2\",\"id\":\"{}\",\"kind\":\"note\",\"sha256\":\"{}\",\"stale\":false,\
         \"title\":\"Walkthrough\"}}],\"findings\":[],\"gating\":\"blocker\",\"key\":\"{ITEM}\",\"normalisation\":1,\"patches\":[],\
         \"requirement\":\"{requirement}\",\"review\":\"{}\",\"risk\":null,\"statement\":\"Seen.\",\"title\":\"{}\",\
         \"waived_until\":null}}",
        evidence.id, evidence.sha256, team.review.id, signed.item.title
    );
    let digest = Digest::of(content.as_bytes());
    let old = &signed.sign_offs[0].sign_off.digest;
    team.tamper(&format!(
        "update sign_off set content = '{content}', digest = '{digest}'"
    ))
    .await;
    team.tamper(&format!(
        "update activity set after = replace(after, '{old}', '{digest}') where action = 'item.signed'"
    ))
    .await;
    // The chain as it would have been.
    let mut tx = team.world.on.database.read().await.expect("reads");
    let entries = tx.activity_after(0, 1_000).await.expect("reads the log");
    drop(tx);
    let mut previous = None;
    for stored in entries {
        let mut entry = stored.entry;
        entry.previous = previous.unwrap_or(entry.previous);
        let digest = entry.digest();
        team.tamper(&format!(
            "update activity set previous = '{}', digest = '{digest}' where sequence = {}",
            entry.previous, entry.sequence
        ))
        .await;
        previous = Some(digest.into());
    }
    let head = previous.expect("has entries");
    team.tamper(&format!("update activity_head set digest = '{head}'"))
        .await;
}

#[tokio::test]
async fn a_signature_of_the_first_version_counts_while_its_text_is_the_same_byte_by_byte() {
    for team in Team::each().await {
        let item = team.id(ITEM).await;
        team.reword(&item, "Wait 5 s.\n- and again").await;
        team.send_to_review(&item).await;
        team.sign(&team.reviewer, &item, "pass")
            .await
            .expect("signs");
        as_of_version_1(&team, &item, "Wait 5 s. and again").await;
        team.bind_anew().await;
        let standing = team.standing(&item).await;
        assert!(standing.sign_offs[0].is_of_old_rules());
        assert_eq!(
            standing.facts.void_because,
            ["requirement"],
            "what it said when it was signed is not known"
        );
        // The migration kept what it said then.
        team.tamper("update sign_off set signed_requirement = (select body from item where item.id = sign_off.item_id)")
            .await;
        team.bind_anew().await;
        let standing = team.standing(&item).await;
        assert_eq!(standing.facts.valid_sign_offs, 1);
        assert!(
            team.report()
                .await
                .contains("made under an older rule for texts")
        );
        // The first version took these for the same.
        team.reword(&item, "Wait 5 s.\n1. and again").await;
        assert_eq!(team.changed(&item).await[0].what, "requirement");
        // A text that is what was signed needs no record.
        team.tamper("update sign_off set signed_requirement = null")
            .await;
        team.bind_anew().await;
        team.reword(&item, "Wait 5 s. and again").await;
        assert_eq!(team.standing(&item).await.facts.valid_sign_offs, 1);
        team.tamper("update sign_off set statement = 'Seen!'").await;
        assert!(team.standing(&item).await.sign_offs[0].is_damaged());
    }
}

#[tokio::test]
async fn an_item_that_was_set_back_to_an_earlier_round_is_found_out() {
    for team in Team::each().await {
        let services = &team.world.services;
        let item = team.id(ITEM).await;
        team.send_to_review(&item).await;
        team.sign(&team.reviewer, &item, "pass")
            .await
            .expect("signs");
        services
            .step(&team.manager, &item, Step::Reopen, None)
            .await
            .expect("reopens");
        let problems = async || services.verify_log().await.expect("verifies").problems;
        assert_eq!(problems().await, [""; 0]);
        team.tamper("update item set round = 1, state = 'passed' where round = 2")
            .await;
        let told = problems().await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].contains("is in round 1, and the log has it in round 2"),
            "{told:?}"
        );
    }
}

#[tokio::test]
async fn what_a_signature_of_the_first_version_left_out_is_written_down_at_the_upgrade() {
    for team in Team::each().await {
        let item = team.id(ITEM).await;
        team.reword(&item, "Wait 5 s.").await;
        team.send_to_review(&item).await;
        let services = &team.world.services;
        team.sign(&team.reviewer, &item, "pass")
            .await
            .expect("signs");
        as_of_version_1(&team, &item, "Wait 5 s.").await;
        team.tamper("update sign_off set signed_requirement = (select body from item where item.id = sign_off.item_id)")
            .await;
        assert!(
            team.standing(&item).await.sign_offs[0].is_damaged(),
            "nothing says that it was there at the upgrade"
        );
        for _ in 0..2 {
            services.bind_old_sign_offs().await.expect("binds");
        }
        let n_bound = team.world.log().await;
        let n_bound = n_bound
            .iter()
            .filter(|(action, _)| action == "sign_offs.bound");
        assert_eq!(n_bound.count(), 1, "once");
        assert_eq!(team.standing(&item).await.facts.valid_sign_offs, 1);
        assert_eq!(team.edited_sign_offs().await, Vec::<String>::new());
        for (edit, undo) in [
            (
                "update sign_off set signed_requirement = 'Anything goes.'",
                "update sign_off set signed_requirement = (select body from item where item.id = sign_off.item_id)",
            ),
            (
                "update sign_off set four_eyes = not four_eyes",
                "update sign_off set four_eyes = not four_eyes",
            ),
            (
                "update sign_off set bound_by = null",
                "update sign_off set bound_by = (select min(sequence) from activity where action = 'sign_offs.bound')",
            ),
        ] {
            team.tamper(edit).await;
            // Nor does starting again write down what it is now.
            services.bind_old_sign_offs().await.expect("does nothing");
            assert!(
                team.standing(&item).await.sign_offs[0].is_damaged(),
                "{edit}"
            );
            assert!(!team.edited_sign_offs().await.is_empty(), "{edit}");
            team.tamper(undo).await;
            assert_eq!(
                team.standing(&item).await.facts.valid_sign_offs,
                1,
                "{undo}"
            );
        }
    }
}

#[tokio::test]
async fn a_signature_of_the_first_version_that_was_not_there_at_the_upgrade_does_not_count() {
    for team in Team::each().await {
        let services = &team.world.services;
        for _ in 0..2 {
            services.bind_old_sign_offs().await.expect("finds none");
        }
        let log = team.world.log().await;
        let bound = log.iter().filter(|(action, _)| action == "sign_offs.bound");
        assert_eq!(bound.count(), 1, "that there are none is written down, too");
        let item = team.id(ITEM).await;
        team.reword(&item, "Wait 5 s.").await;
        team.send_to_review(&item).await;
        team.sign(&team.reviewer, &item, "pass")
            .await
            .expect("signs");
        as_of_version_1(&team, &item, "Wait 5 s.").await;
        team.tamper("update sign_off set signed_requirement = (select body from item where item.id = sign_off.item_id)")
            .await;
        services.bind_old_sign_offs().await.expect("does nothing");
        assert!(team.standing(&item).await.sign_offs[0].is_damaged());
        assert!(!team.edited_sign_offs().await.is_empty());
        // Nor where it names what was written down.
        team.tamper("update sign_off set bound_by = (select min(sequence) from activity where action = 'sign_offs.bound')")
            .await;
        assert!(team.standing(&item).await.sign_offs[0].is_damaged());
        assert!(!team.edited_sign_offs().await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_signs_once_their_role_or_account_is_taken_away() {
    for team in Team::each().await {
        let services = team.world.services.clone();
        let mut items = Vec::new();
        for key in [
            "2.1.1", "2.1.2", "2.1.3", "2.2.1", "2.2.2", "2.3.1", "2.3.2", "2.4.1", "2.4.2",
            "2.5.1",
        ] {
            let Ok(page) = services
                .item_by_key(&team.manager, &team.review.id, key)
                .await
            else {
                continue;
            };
            let id = page.item.id;
            team.send_to_review(&id).await;
            items.push(id);
        }
        assert!(items.len() >= 6);
        let team = std::sync::Arc::new(team);
        let signing: Vec<_> = items
            .iter()
            .cloned()
            .map(|item| {
                let team = team.clone();
                tokio::spawn(async move { team.sign(&team.reviewer, &item, "pass").await })
            })
            .collect();
        // Each compares the password first; the first that is done has the role taken while the others do.
        let mut signing = signing.into_iter();
        let first = signing.next().expect("one signs").await.expect("runs");
        services
            .set_role(&team.admin, &team.service.id, &team.reviewer.id, None)
            .await
            .expect("takes the role");
        let mut n_refused = 0;
        for outcome in signing {
            n_refused += u32::from(outcome.await.expect("runs").is_err());
        }
        let log = team.world.log().await;
        let taken = log
            .iter()
            .rposition(|(action, _)| action == "service.role_changed")
            .expect("is in the log");
        let after: Vec<_> = log[taken..]
            .iter()
            .filter(|(action, _)| action == "item.signed")
            .collect();
        assert!(after.is_empty(), "{}: {after:?}", team.on());
        assert!(first.is_ok() || n_refused > 0);
    }
}

async fn sign_after(
    team: &Team,
    item: &ItemId,
    sql: &str,
    signer: &Actor,
) -> Result<(), ServiceError> {
    team.tamper(sql).await;
    team.sign(signer, item, "pass").await
}

#[tokio::test]
async fn what_was_known_of_a_person_when_their_request_came_lets_nobody_sign() {
    for team in Team::each().await {
        let item = team.id(ITEM).await;
        team.send_to_review(&item).await;
        let disable = "update person set disabled_at = 1 where email = 'mira@example.org'";
        let refused = sign_after(&team, &item, disable, &team.reviewer).await;
        assert!(
            matches!(refused, Err(ServiceError::Forbidden(_))),
            "{refused:?}"
        );
        // Whoever makes a service is its manager.
        team.tamper("delete from membership where person_id = (select id from person where email = 'ada@example.org')")
            .await;
        // The administrator's request began before they were made a member.
        let demote = "update person set instance_role = 'member' where email = 'ada@example.org'";
        let refused = sign_after(&team, &item, demote, &team.admin).await;
        assert!(
            matches!(refused, Err(ServiceError::NotFound(_))),
            "{refused:?}"
        );
        let set = team
            .world
            .services
            .set_role(
                &team.admin,
                &team.service.id,
                &team.viewer.id,
                Some(ServiceRole::Manager),
            )
            .await;
        assert!(set.is_err());
    }
}

/// A database with data, as the first schema has it.
const OF_THE_FIRST_SCHEMA: &str = "
    pragma foreign_keys = off;
    insert into review (id, service_id, template_version_id, title, release, commit_id, policy, next_patch_number, created_at, created_by,
        version) values ('r1', 's', 't', 'One', 'v1', 'c41f0e2', '{}', 1, 1, 'p', 1), ('r2', 's', 't', 'Two', 'v2', '82dd1d2', '{}', 1, 1, 'p', 1);
    insert into item (id, review_id, position, key, title, body, source_line, gating, state, round, updated_at, version) values
        ('i1', 'r1', 1, '1', 'a', 'Wait.', 1, 'blocker', 'passed', 1, 1, 1), ('i2', 'r2', 1, '1', 'a', 'Look.', 1, 'blocker', 'passed', 1, 1, 1);
    insert into evidence (id, item_id, kind, title, body, sha256, size_bytes, observed_at, created_at, created_by) values
        ('e1', 'i1', 'note', 'n', 'b', 'd', 1, 10, 10, 'p'), ('e2', 'i2', 'note', 'n', 'b', 'd', 1, 10, 10, 'p'),
        ('e3', 'i2', 'note', 'n', 'b', 'd', 1, 30, 30, 'p');
    insert into sign_off (id, review_id, item_id, round, person_id, role, decision, statement, digest, content, four_eyes, log_sequence,
        signed_at) values ('s1', 'r1', 'i1', 1, 'p', 'reviewer', 'pass', '', 'd', '{}', 1, 5, 15), ('s2', 'r2', 'i2', 1, 'p', 'reviewer', 'pass',
        '', 'd', '{}', 1, 6, 16), ('s3', 'r2', 'i2', 1, 'p', 'reviewer', 'pass', '', 'd', '{}', 1, 9, 25),
        ('s4', 'r2', null, 0, 'p', 'manager', 'go', '', 'd', '{}', 1, 10, 26);
    insert into activity (sequence, at, actor, action, subject_kind, subject, review, summary, previous, digest) values
        (4, 4, 'p', 'item.reworded', 'item', 'i1', 'r1', 's', 'x', 'x'), (7, 17, 'p', 'item.reworded', 'item', 'i2', 'r2', 's', 'x', 'x'),
        (8, 20, 'p', 'review.commit_moved', 'review', 'r2', 'r2', 's', 'x', 'x');
";

#[test]
fn a_database_of_the_first_schema_keeps_what_the_log_shows_unchanged() {
    let connection = rusqlite::Connection::open_in_memory().expect("opens");
    for sql in [
        include_str!("../../../../migrations/sqlite/0001_start.sql"),
        OF_THE_FIRST_SCHEMA,
        include_str!("../../../../migrations/sqlite/0002_what_is_signed.sql"),
    ] {
        connection.execute_batch(sql).expect("runs");
    }
    let column = |sql: &str| -> Vec<Option<String>> {
        let mut statement = connection.prepare(sql).expect("prepares");
        let rows = statement.query_map([], |row| row.get(0)).expect("asks");
        rows.map(|row| row.expect("reads")).collect()
    };
    assert_eq!(
        column("select target_commit from evidence order by id"),
        [Some("c41f0e2".to_owned()), None, Some("82dd1d2".to_owned())],
        "the second was attached before the target moved"
    );
    assert_eq!(
        column("select signed_requirement from sign_off order by id"),
        [
            Some("Wait.".to_owned()),
            None,
            Some("Look.".to_owned()),
            None
        ],
        "the second was signed before the item was reworded"
    );
}

#[tokio::test]
async fn damaged_output_is_printed_nowhere_and_its_command_is_not_either() {
    for team in Team::each().await {
        let item = team.id(ITEM).await;
        let fields = EvidenceFields {
            kind: "output".to_owned(),
            title: "Race detector".to_owned(),
            command: "go test -race".to_owned(),
            exit_code: "0".to_owned(),
            output: "ok".to_owned(),
            ..EvidenceFields::default()
        };
        let request = EvidenceRequest::parse(&fields, None).expect("an output");
        team.world
            .services
            .add_evidence(&team.owner, &item, request)
            .await
            .expect("adds it");
        assert!(team.report().await.contains("go test -race"));
        team.tamper("update evidence set command = 'rm -rf /srv', exit_code = 77")
            .await;
        let report = team.report().await;
        assert!(report.contains("**damaged**"), "on {}", team.on());
        assert!(
            !report.contains("rm -rf") && !report.contains("exit code"),
            "{report}"
        );
    }
}
