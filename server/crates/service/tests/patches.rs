//! Patches: submitting, touching, four eyes, being verified by a scan and by nothing else, and the series for `git am`.

mod common;

use std::{fs, path::Path, process::Command};

use common::{MINUTE, is_conflict, is_forbidden, is_not_found, rejected, team::Team};
use holdpoint_domain::{
    FindingId, FindingStatus, ItemState, PatchId, PatchState, Policy, ServiceRole,
    text::{Commit, Name, Reason},
};
use holdpoint_patch::Applies;
use holdpoint_service::{
    Actor, FindingFilter, FindingSort, ImportWatch, ReviewChange, ServiceError,
    patches::{PatchDecision, PatchFields, PatchLink, PatchRequest},
    scans::{ImportOutcome, ScanRequest},
};

const FIX: &str = "diff --git a/src/exec.go b/src/exec.go\nindex 1234abc..5678def 100644\n\
    --- a/src/exec.go\n+++ b/src/exec.go\n@@ -11,3 +11,3 @@\n eleven\n-twelve\n+TWELVE\n thirteen\n";
const OTHER: &str = "--- a/README.md\n+++ b/README.md\n@@ -1 +1,2 @@\n one\n+two\n";

fn reason() -> Reason {
    Reason::parse("It breaks the tests.").expect("a reason")
}

fn commit(text: &str) -> Commit {
    Commit::parse(text).expect("a commit")
}

/// A scanner's file with one result per line of `src/exec.go`.
fn sarif(lines: &[u32]) -> String {
    let results: Vec<_> = lines
        .iter()
        .map(|line| {
            serde_json::json!({
                "ruleId": format!("R{line}"),
                "level": "error",
                "message": { "text": format!("Line {line} is wrong") },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": "src/exec.go" },
                    "region": { "startLine": line }
                }}]
            })
        })
        .collect();
    serde_json::json!({
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "gocheck" } },
            "invocations": [{ "executionSuccessful": true }],
            "results": results
        }]
    })
    .to_string()
}

impl Team {
    async fn submit_as(&self, who: &Actor, request: PatchRequest) -> Result<PatchId, ServiceError> {
        let services = &self.world.services;
        services.submit_patch(who, &self.review.id, request).await
    }

    async fn submit(&self, text: &str, findings: &[FindingId], items: &[&str]) -> PatchId {
        let mut request = PatchRequest {
            bytes: text.as_bytes().to_vec(),
            ..PatchRequest::default()
        };
        for finding in findings {
            request.links.push(PatchLink::Finding(finding.clone()));
        }
        for key in items {
            request.links.push(PatchLink::ItemKey((*key).to_owned()));
        }
        self.submit_as(&self.owner, request)
            .await
            .expect("submits the patch")
    }

    async fn state(&self, id: &PatchId) -> (PatchState, i64) {
        let view = self.world.services.patch(&self.viewer, id).await;
        let patch = view.expect("the patch is there").patch;
        (patch.state, patch.version)
    }

    async fn approve(&self, id: &PatchId) {
        let (_, version) = self.state(id).await;
        self.world
            .services
            .decide_patch(&self.reviewer, id, version, PatchDecision::Approve)
            .await
            .expect("approves");
    }

    async fn apply(&self, id: &PatchId) {
        let (_, version) = self.state(id).await;
        self.world
            .services
            .mark_patch_applied(&self.owner, id, version, commit("abcdef1"))
            .await
            .expect("marks it applied");
    }

    async fn import_lines(&self, lines: &[u32]) -> ImportOutcome {
        let services = &self.world.services;
        self.world.clock.advance(MINUTE);
        // A comment in the JSON's white space keeps the files of two equal scans apart.
        let text = format!("{}{}", sarif(lines), " ".repeat(self.next_file().await));
        let file = services.files().keep(text.as_bytes()).await.expect("kept");
        let request = ScanRequest {
            file,
            file_name: "gocheck.sarif".to_owned(),
            label: None,
            commit: None,
            format: None,
            watch: ImportWatch::default(),
        };
        services
            .import_scan(&self.owner, &self.service.id, request, false)
            .await
            .expect("imports")
    }

    async fn next_file(&self) -> usize {
        let scans = self
            .world
            .services
            .scans_of(&self.viewer, &self.service.id, None, 200)
            .await
            .expect("lists");
        scans.len()
    }

    async fn finding_at(&self, line: i64) -> (FindingId, FindingStatus) {
        let page = self
            .world
            .services
            .findings_of_review(
                &self.viewer,
                &self.review.id,
                &FindingFilter::default(),
                FindingSort::Number,
                100,
                None,
            )
            .await
            .expect("lists findings");
        let found = page.lines.into_iter().find(|f| f.start_line == Some(line));
        let found = found.expect("the finding is there");
        (found.id, found.status)
    }

    async fn relax_four_eyes(&self) {
        let services = &self.world.services;
        let review = services
            .review(&self.manager, &self.review.id)
            .await
            .expect("reads")
            .review;
        services
            .update_review(
                &self.manager,
                &review.id,
                ReviewChange {
                    version: review.version,
                    title: Name::parse(&review.title).expect("a name"),
                    release: Name::parse(&review.release).expect("a name"),
                    commit: review.commit.as_deref().map(commit),
                    due_on: None,
                    policy: Policy {
                        four_eyes: false,
                        ..Policy::default()
                    },
                },
            )
            .await
            .expect("relaxes four eyes");
    }
}

#[tokio::test]
async fn a_patch_is_read_numbered_and_linked_and_says_what_it_touches() {
    for team in Team::each().await {
        let services = &team.world.services;
        team.import_lines(&[12, 40]).await;
        let (at_12, _) = team.finding_at(12).await;
        let (at_40, _) = team.finding_at(40).await;
        let one = team
            .submit(FIX, &[at_12.clone(), at_40.clone()], &["2.1.1"])
            .await;
        let two = team.submit(OTHER, std::slice::from_ref(&at_12), &[]).await;

        let view = services.patch(&team.viewer, &one).await.expect("reads");
        assert_eq!(view.patch.number, 1, "{}", team.on());
        assert_eq!(view.patch.title, "Change src/exec.go");
        assert_eq!(view.patch.author_name, "jonas");
        let counts = (view.patch.n_files, view.patch.n_added, view.patch.n_removed);
        assert_eq!(counts, (1, 1, 1));
        let said: Vec<_> = view
            .findings
            .iter()
            .map(|f| (f.finding.id.clone(), f.sentence.clone()))
            .collect();
        assert_eq!(
            said,
            [
                (at_12.clone(), "touches F-1's lines".to_owned()),
                (at_40, "touches F-2's file, not its lines".to_owned()),
            ]
        );
        assert_eq!(view.items[0].key, "2.1.1");
        assert_eq!(
            view.applies,
            Applies::Unknown {
                reason: "No snapshot of commit c41f0e2 has been pushed.".to_owned()
            }
        );
        let content = view.content.expect("reads");
        assert_eq!(content.files[0].path(), "src/exec.go");

        let view = services.patch(&team.viewer, &two).await.expect("reads");
        assert_eq!(view.patch.number, 2);
        assert_eq!(view.findings[0].sentence, "does not touch F-1's file");

        let list = services
            .patches_of(&team.viewer, &team.review.id)
            .await
            .expect("lists");
        let numbers: Vec<_> = list.lines.iter().map(|line| line.patch.number).collect();
        assert_eq!(numbers, [1, 2]);
        assert_eq!((list.n_in(PatchState::Proposed), list.n_series()), (2, 0));
        assert!(list.no_submit.is_some());
        let item = team.id("2.1.1").await;
        let of_item = services
            .patches_of_item(&team.viewer, &item)
            .await
            .expect("lists");
        assert_eq!(of_item.len(), 1);
        let of_finding = services
            .patches_of_finding(&team.viewer, &at_12)
            .await
            .expect("lists");
        assert_eq!(of_finding.len(), 2);
        let (_, bytes) = services
            .patch_file(&team.viewer, &one)
            .await
            .expect("downloads");
        assert_eq!(bytes, FIX.as_bytes());
    }
}

#[tokio::test]
async fn what_is_no_patch_is_refused_at_its_line_and_nothing_is_stored() {
    for team in Team::each().await {
        for (text, expected) in [
            ("hello\n", "Line 1: no diff was found."),
            (
                "--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n one\n",
                "Line 5: the hunk of line 3 announces 3 old and 3 new lines",
            ),
            (
                "--- a/../../etc/passwd\n+++ b/../../etc/passwd\n@@ -1 +1 @@\n-a\n+b\n",
                "is not inside a repository",
            ),
        ] {
            let request = PatchRequest {
                bytes: text.as_bytes().to_vec(),
                ..PatchRequest::default()
            };
            let (field, message) = rejected(team.submit_as(&team.owner, request).await);
            assert_eq!(field, "patch");
            assert!(message.contains(expected), "{message}");
        }
        let nothing = FindingId::parse("nothing").expect("an id");
        for (link, expected) in [
            (PatchLink::Finding(nothing), "findings"),
            (PatchLink::FindingNumber(99), "finding_numbers"),
            (PatchLink::ItemKey("9.9.9".to_owned()), "item_keys"),
        ] {
            let foreign = PatchRequest {
                title: None,
                bytes: FIX.as_bytes().to_vec(),
                links: vec![link],
            };
            let (field, _) = rejected(team.submit_as(&team.owner, foreign).await);
            assert_eq!(field, expected);
        }
        let list = team
            .world
            .services
            .patches_of(&team.owner, &team.review.id)
            .await
            .expect("lists");
        assert!(list.lines.is_empty(), "{}", team.on());
        let id = team.submit(FIX, &[], &[]).await;
        let view = team.world.services.patch(&team.owner, &id).await;
        assert_eq!(
            view.expect("reads").patch.number,
            1,
            "refused submissions used up a number"
        );
    }
}

#[tokio::test]
async fn the_same_bytes_are_one_patch_of_a_review() {
    for team in Team::each().await {
        team.submit(FIX, &[], &[]).await;
        let again = PatchRequest {
            title: Name::parse("Another title").ok(),
            bytes: FIX.as_bytes().to_vec(),
            ..PatchRequest::default()
        };
        let (field, message) = rejected(team.submit_as(&team.reviewer, again).await);
        assert_eq!(field, "patch");
        assert!(
            message.starts_with("This is P-1, byte for byte: jonas submitted it already."),
            "{message}"
        );
    }
}

#[tokio::test]
async fn two_submissions_of_the_same_bytes_at_once_make_one_patch() {
    for team in Team::each().await {
        let fields = PatchFields {
            patch: FIX.to_owned(),
            ..PatchFields::default()
        };
        let request = PatchRequest::parse(&fields, None).expect("a patch");
        let (one, other) = tokio::join!(
            team.submit_as(&team.owner, request.clone()),
            team.submit_as(&team.reviewer, request)
        );
        assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
        let list = team
            .world
            .services
            .patches_of(&team.owner, &team.review.id)
            .await
            .expect("lists");
        assert_eq!(list.lines.len(), 1, "{}", team.on());
    }
}

#[tokio::test]
async fn whoever_submitted_or_wrote_a_patch_cannot_decide_on_it() {
    for team in Team::each().await {
        let services = &team.world.services;
        let fields = PatchFields {
            patch: FIX.to_owned(),
            ..PatchFields::default()
        };
        let request = PatchRequest::parse(&fields, None).expect("a patch");
        let id = team
            .submit_as(&team.reviewer, request)
            .await
            .expect("submits");
        let view = services.patch(&team.reviewer, &id).await.expect("reads");
        let words = "You submitted this patch, so someone else must approve it.";
        assert_eq!(view.possible.no_approve.as_deref(), Some(words));
        let version = view.patch.version;
        let refused = services
            .decide_patch(&team.reviewer, &id, version, PatchDecision::Approve)
            .await;
        assert!(matches!(refused, Err(ServiceError::Forbidden(message)) if message == words));
        assert_eq!(team.state(&id).await.0, PatchState::Proposed);

        let mail = format!(
            "From 1111111111111111111111111111111111111111 Mon Sep 17 00:00:00 2001\n\
             From: Mira <MIRA@example.org>\nDate: Wed, 28 Jan 2026 10:00:00 +0000\n\
             Subject: [PATCH] Say twelve aloud\n\n---\n{FIX}-- \n2.40\n"
        );
        let mailed = team.submit(&mail, &[], &[]).await;
        let view = services
            .patch(&team.reviewer, &mailed)
            .await
            .expect("reads");
        assert_eq!(view.patch.title, "Say twelve aloud");
        assert_eq!(view.patch.author_name, "Mira");
        let refused = services
            .decide_patch(
                &team.reviewer,
                &mailed,
                view.patch.version,
                PatchDecision::Reject(reason()),
            )
            .await;
        assert!(
            matches!(&refused, Err(ServiceError::Forbidden(message))
                if message == "You are the author of this patch, so someone else must reject it."),
            "{refused:?}"
        );
        services
            .decide_patch(
                &team.manager,
                &mailed,
                view.patch.version,
                PatchDecision::Approve,
            )
            .await
            .expect("somebody else approves");

        team.relax_four_eyes().await;
        services
            .decide_patch(&team.reviewer, &id, version, PatchDecision::Approve)
            .await
            .expect("the policy relaxes it");
        assert_eq!(
            team.state(&id).await.0,
            PatchState::Approved,
            "{}",
            team.on()
        );
    }
}

#[tokio::test]
async fn each_role_does_with_patches_what_it_may_and_no_more() {
    for team in Team::each().await {
        let services = &team.world.services;
        let auditor = team.world.member("otto").await;
        services
            .set_role(
                &team.admin,
                &team.service.id,
                &auditor.id,
                Some(ServiceRole::Auditor),
            )
            .await
            .expect("gives a role");
        let id = team.submit(OTHER, &[], &[]).await;
        let item = team.id("2.1.1").await;
        let request = |n: u32| PatchRequest {
            title: None,
            bytes: format!("--- a/f{n}\n+++ b/f{n}\n@@ -1 +1 @@\n-a\n+b\n").into_bytes(),
            ..PatchRequest::default()
        };
        for (n, who) in [&team.viewer, &auditor].into_iter().enumerate() {
            let n = u32::try_from(n).expect("small");
            assert!(is_forbidden(&team.submit_as(who, request(n)).await));
            let link = PatchLink::Item(item.clone());
            assert!(is_forbidden(
                &services.link_patch(who, &id, 1, link.clone(), true).await
            ));
            assert!(is_forbidden(
                &services
                    .mark_patch_applied(who, &id, 1, commit("abcdef1"))
                    .await
            ));
            assert!(is_forbidden(
                &services
                    .decide_patch(who, &id, 1, PatchDecision::Approve)
                    .await
            ));
            let view = services.patch(who, &id).await.expect("reads");
            assert!(view.possible.no_approve.is_some() && view.possible.no_link.is_some());
            assert!(services.patch_file(who, &id).await.is_ok());
            let nothing = services.series_mbox(who, &team.review.id).await;
            let (field, message) = rejected(nothing);
            assert_eq!(field, "");
            assert!(message.contains("No patch of this review is approved yet"));
        }
        assert!(is_forbidden(
            &services
                .decide_patch(&team.owner, &id, 1, PatchDecision::Approve)
                .await
        ));
        // Running the machine does not make a person the reviewer.
        let operator = team.world.admin("root").await;
        assert!(is_forbidden(
            &services
                .decide_patch(&operator, &id, 1, PatchDecision::Approve)
                .await
        ));
        let stranger = &team.stranger;
        assert!(is_not_found(&services.patch(stranger, &id).await));
        assert!(is_not_found(&services.patch_file(stranger, &id).await));
        assert!(is_not_found(
            &services.patches_of(stranger, &team.review.id).await
        ));
        assert!(is_not_found(
            &services.patches_of_item(stranger, &item).await
        ));
        assert!(is_not_found(
            &services.series_mbox(stranger, &team.review.id).await
        ));
        assert!(is_not_found(&team.submit_as(stranger, request(9)).await));
        assert!(is_not_found(
            &services
                .decide_patch(stranger, &id, 1, PatchDecision::Approve)
                .await
        ));
        let link = PatchLink::Item(item.clone());
        assert!(is_not_found(
            &services
                .link_patch(stranger, &id, 1, link.clone(), true)
                .await
        ));
        assert!(is_not_found(
            &services
                .mark_patch_applied(stranger, &id, 1, commit("abcdef1"))
                .await
        ));
        for (n, who) in [&team.owner, &team.reviewer, &team.manager]
            .into_iter()
            .enumerate()
        {
            let n = u32::try_from(n).expect("small") + 10;
            team.submit_as(who, request(n)).await.expect("may submit");
        }
    }
}

#[tokio::test]
async fn nobody_decides_over_another_version_than_they_saw() {
    for team in Team::each().await {
        let services = &team.world.services;
        let id = team.submit(FIX, &[], &[]).await;
        let (_, seen) = team.state(&id).await;
        let link = PatchLink::Item(team.id("2.1.1").await);
        services
            .link_patch(&team.owner, &id, seen, link.clone(), true)
            .await
            .expect("links");
        let stale = services
            .decide_patch(&team.reviewer, &id, seen, PatchDecision::Approve)
            .await;
        let Err(ServiceError::Conflict(conflict)) = stale else {
            panic!("{stale:?}");
        };
        assert!(
            conflict.message.contains("jonas changed it"),
            "{}",
            conflict.message
        );
        assert_eq!(conflict.current_version, seen + 1);
        assert_eq!(
            conflict.fields,
            [(
                "state".to_owned(),
                "approved".to_owned(),
                "proposed".to_owned()
            )]
        );
        services
            .link_patch(&team.owner, &id, seen, link.clone(), true)
            .await
            .expect("what is so already is done");
        assert!(is_conflict(
            &services
                .link_patch(&team.owner, &id, seen, link.clone(), false)
                .await
        ));
        team.approve(&id).await;
        assert!(is_conflict(
            &services
                .mark_patch_applied(&team.owner, &id, seen, commit("abcdef1"))
                .await
        ));
    }
}

#[tokio::test]
async fn a_patch_goes_its_way_step_by_step() {
    for team in Team::each().await {
        let services = &team.world.services;
        let id = team.submit(FIX, &[], &[]).await;
        let version = |of: &PatchId| {
            let of = of.clone();
            let team = &team;
            async move { team.state(&of).await.1 }
        };
        let early = services
            .mark_patch_applied(&team.owner, &id, version(&id).await, commit("abcdef1"))
            .await;
        assert_eq!(
            rejected(early).1,
            "Only an approved patch can be marked as applied."
        );
        services
            .decide_patch(
                &team.reviewer,
                &id,
                version(&id).await,
                PatchDecision::Reject(reason()),
            )
            .await
            .expect("rejects");
        let patch = services.patch(&team.owner, &id).await.expect("reads").patch;
        assert_eq!(patch.state, PatchState::Rejected);
        assert_eq!(patch.decision_reason, "It breaks the tests.");
        assert_eq!(patch.decided_by_name.as_deref(), Some("mira"));
        // Another look may come to another decision.
        team.approve(&id).await;
        let patch = services.patch(&team.owner, &id).await.expect("reads").patch;
        assert_eq!(
            (patch.state, patch.decision_reason.as_str()),
            (PatchState::Approved, "")
        );
        team.apply(&id).await;
        let late = services
            .decide_patch(
                &team.reviewer,
                &id,
                version(&id).await,
                PatchDecision::Reject(reason()),
            )
            .await;
        assert!(rejected(late).1.contains("applied already"));
        let actions: Vec<_> = team
            .world
            .log()
            .await
            .into_iter()
            .map(|(action, _)| action)
            .filter(|action| action.starts_with("patch."))
            .collect();
        assert_eq!(
            actions,
            [
                "patch.submitted",
                "patch.rejected",
                "patch.approved",
                "patch.applied"
            ],
            "{}",
            team.on()
        );
    }
}

#[tokio::test]
async fn only_a_later_complete_scan_without_the_finding_verifies_an_applied_patch() {
    for team in Team::each().await {
        let services = &team.world.services;
        team.import_lines(&[12, 40]).await;
        let (at_12, _) = team.finding_at(12).await;
        let (at_40, _) = team.finding_at(40).await;
        let applied = team.submit(FIX, std::slice::from_ref(&at_12), &[]).await;
        let both = team
            .submit(OTHER, &[at_12.clone(), at_40.clone()], &[])
            .await;
        let approved = team
            .submit(
                "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n",
                std::slice::from_ref(&at_12),
                &[],
            )
            .await;
        let unlinked = team
            .submit("--- a/g\n+++ b/g\n@@ -1 +1 @@\n-a\n+b\n", &[], &[])
            .await;
        for id in [&applied, &both, &approved, &unlinked] {
            team.approve(id).await;
        }
        for id in [&applied, &both, &unlinked] {
            team.apply(id).await;
        }

        team.import_lines(&[12, 40]).await;
        assert_eq!(team.state(&applied).await.0, PatchState::Applied);

        let outcome = team.import_lines(&[40]).await;
        assert_eq!(outcome.changes.fixed, 1, "{}", team.on());
        assert_eq!(team.finding_at(12).await.1, FindingStatus::Fixed);
        let view = services.patch(&team.viewer, &applied).await.expect("reads");
        assert_eq!(view.patch.state, PatchState::Verified);
        assert_eq!(view.patch.verified_by_scan, outcome.scan);
        assert_eq!(
            team.state(&both).await.0,
            PatchState::Applied,
            "one of its findings is still open"
        );
        assert_eq!(team.state(&approved).await.0, PatchState::Approved);
        assert_eq!(team.state(&unlinked).await.0, PatchState::Applied);
        let verified: Vec<_> = team
            .world
            .log()
            .await
            .into_iter()
            .filter(|(action, _)| action == "patch.verified")
            .collect();
        assert_eq!(verified.len(), 1);
        assert!(
            verified[0].1.contains("actor: \"system\""),
            "{}",
            verified[0].1
        );

        let (_, version) = team.state(&applied).await;
        let link = PatchLink::Finding(at_40.clone());
        let more = services
            .link_patch(&team.owner, &applied, version, link.clone(), true)
            .await;
        assert!(rejected(more).1.contains("verified"));

        team.import_lines(&[]).await;
        assert_eq!(team.state(&both).await.0, PatchState::Verified);
        assert_eq!(team.state(&unlinked).await.0, PatchState::Applied);
    }
}

#[tokio::test]
async fn a_patch_applied_after_the_scan_waits_for_the_next_one() {
    for team in Team::each().await {
        team.import_lines(&[12, 40]).await;
        let (at_12, _) = team.finding_at(12).await;
        let id = team.submit(FIX, &[at_12], &[]).await;
        team.approve(&id).await;
        team.import_lines(&[40]).await;
        team.apply(&id).await;
        assert_eq!(team.state(&id).await.0, PatchState::Applied);
        team.import_lines(&[40]).await;
        assert_eq!(
            team.state(&id).await.0,
            PatchState::Verified,
            "{}",
            team.on()
        );
    }
}

#[tokio::test]
async fn attaching_a_patch_to_a_signed_item_voids_the_sign_off() {
    for team in Team::each().await {
        let services = &team.world.services;
        let item = team.id("2.1.1").await;
        team.send_to_review(&item).await;
        team.decide(&item, "pass").await;
        let standing = |team: &Team| {
            let (services, reader, item) = (
                team.world.services.clone(),
                team.viewer.clone(),
                item.clone(),
            );
            async move {
                let (_, standing) = services
                    .item_standing(&reader, &item)
                    .await
                    .expect("stands");
                standing
            }
        };
        let before = standing(&team).await;
        assert_eq!(before.state, ItemState::Passed);
        assert_eq!(before.facts.valid_sign_offs, 1);
        let id = team.submit(FIX, &[], &["2.1.1"]).await;
        let after = standing(&team).await;
        assert_eq!(after.facts.valid_sign_offs, 0, "{}", team.on());
        assert!(
            after
                .facts
                .void_because
                .iter()
                .any(|why| why.contains("P-1")),
            "{:?}",
            after.facts.void_because
        );
        let (_, version) = team.state(&id).await;
        services
            .link_patch(
                &team.owner,
                &id,
                version,
                PatchLink::Item(item.clone()),
                false,
            )
            .await
            .expect("unlinks");
        assert_eq!(standing(&team).await.facts.valid_sign_offs, 1);
    }
}

fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CEILING_DIRECTORIES", folder)
        .env_remove("GIT_DIR")
        .env_remove("GIT_INDEX_FILE")
        .env("GIT_AUTHOR_NAME", "Base")
        .env("GIT_AUTHOR_EMAIL", "base@example.org")
        .env("GIT_COMMITTER_NAME", "Base")
        .env("GIT_COMMITTER_EMAIL", "base@example.org")
        .output()
        .expect("git is a base tool of these tests; install it");
    assert!(
        output.status.success(),
        "git {args:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn the_approved_patches_apply_with_git_am_in_the_order_of_their_numbers() {
    for team in Team::each().await {
        let services = &team.world.services;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = folder.path();
        git(at, &["init", "-q", "-b", "main", "."]);
        fs::write(at.join("a.txt"), "one\ntwo\nthree\n").expect("writes");
        git(at, &["add", "."]);
        git(at, &["commit", "-q", "-m", "Base"]);

        // A plain diff, then a mail made on top of it, and between them one that is not approved.
        fs::write(at.join("a.txt"), "one\nTWO\nthree\n").expect("writes");
        let plain = git(at, &["diff"]);
        git(at, &["commit", "-q", "-a", "-m", "Two"]);
        fs::write(at.join("a.txt"), "one\nTWO\nTHREE\n").expect("writes");
        git(
            at,
            &["commit", "-q", "-a", "-m", "Shout three\n\nAs asked."],
        );
        let mail = git(at, &["format-patch", "-1", "--stdout"]);
        git(at, &["reset", "-q", "--hard", "HEAD~2"]);

        let first = team.submit(&plain, &[], &[]).await;
        let proposed = team.submit(OTHER, &[], &[]).await;
        let third = team.submit(&mail, &[], &[]).await;
        for id in [&third, &first] {
            team.approve(id).await;
        }
        team.apply(&first).await;
        assert_eq!(team.state(&proposed).await.0, PatchState::Proposed);

        let series = services
            .series_mbox(&team.viewer, &team.review.id)
            .await
            .expect("writes the series");
        assert_eq!(series.n_patches, 2);
        assert_eq!(series.name, "opensqt-market-maker-v1.0.0-patches.mbox");
        let again = services
            .series_mbox(&team.owner, &team.review.id)
            .await
            .expect("writes it again");
        assert_eq!(
            again.bytes, series.bytes,
            "the same state gives the same bytes"
        );
        fs::write(at.join("series.mbox"), &series.bytes).expect("writes");
        git(at, &["am", "-q", "series.mbox"]);
        assert_eq!(
            fs::read_to_string(at.join("a.txt")).expect("reads"),
            "one\nTWO\nTHREE\n"
        );
        let log = git(at, &["log", "--reverse", "--format=%an <%ae> %s"]);
        assert_eq!(
            log,
            "Base <base@example.org> Base\njonas <jonas@example.org> Change a.txt\n\
             Base <base@example.org> Shout three\n",
            "{}",
            team.on()
        );
    }
}

#[tokio::test]
async fn a_damaged_file_is_said_and_not_served() {
    for team in Team::each().await {
        let services = &team.world.services;
        let id = team.submit(FIX, &[], &[]).await;
        let patch = services.patch(&team.owner, &id).await.expect("reads").patch;
        fs::write(services.files().path(&patch.file_sha256), OTHER).expect("writes");
        let view = services.patch(&team.owner, &id).await.expect("reads");
        let said = view.content.expect_err("it is damaged");
        assert!(said.contains("damaged"), "{said}");
        assert!(matches!(
            services.patch_file(&team.owner, &id).await,
            Err(ServiceError::Unavailable(_))
        ));
        assert!(matches!(
            services
                .decide_patch(&team.reviewer, &id, patch.version, PatchDecision::Approve)
                .await,
            Err(ServiceError::Unavailable(_))
        ));
    }
}
