//! Two people are two people: whose account counts as another pair of eyes, and on whose work.

mod common;

use common::{
    DAY, MINUTE, PASSWORD, rejected,
    scans::{result, sarif},
    team::{Team, name},
};
use holdpoint_domain::{ItemId, ItemState, Policy, ServiceRole, item::Step, text::Reason};
use holdpoint_service::{
    Actor, AsOf, Invite, Invited, NewAccount, ReviewChange, ServiceError,
    evidence::{EvidenceFields, EvidenceRequest},
    findings::{Triage, TriageFields},
    patches::{PatchDecision, PatchLink, PatchRequest},
    sign_off::DecisionRequest,
    standing::ReleaseDecision,
};

fn invitation<'a>(email: &'a str, name: &'a str) -> Invite<'a> {
    Invite {
        email,
        name,
        instance_role: holdpoint_domain::InstanceRole::Member,
        service: None,
    }
}

impl Team {
    /// Somebody who is invited to the service and makes the account.
    async fn invited(&self, by: &Actor, called: &str, role: ServiceRole) -> Actor {
        let services = self.world.services.clone().with_managers_inviting(true);
        let email = format!("{}@example.org", called.to_lowercase());
        let invite = Invite {
            service: Some((&self.service.id, role)),
            ..invitation(&email, called)
        };
        let Invited::Link { secret, .. } = services
            .invite(by, invite, PASSWORD)
            .await
            .expect("invites")
        else {
            panic!("{called} has an account already");
        };
        let person = services
            .accept_invitation(&secret, called, PASSWORD, "10.0.0.1")
            .await
            .expect("accepts");
        Actor::of(&person)
    }

    /// Puts an item into review with evidence, all by one person.
    async fn shown_by(&self, who: &Actor, key: &str) -> ItemId {
        let item = self.id(key).await;
        let services = &self.world.services;
        let fields = EvidenceFields {
            kind: "note".to_owned(),
            title: "Walkthrough".to_owned(),
            text: "Read it twice.".to_owned(),
            commit: "c41f0e2".to_owned(),
            ..EvidenceFields::default()
        };
        let request = EvidenceRequest::parse(&fields, None).expect("a note");
        services
            .add_evidence(who, &item, request)
            .await
            .expect("adds a note");
        for step in [Step::Start, Step::RequestReview] {
            services
                .step(who, &item, step, None)
                .await
                .expect("moves on");
        }
        item
    }

    /// What the form says, and what comes of signing all the same.
    async fn passes(&self, who: &Actor, item: &ItemId) -> Result<(), ServiceError> {
        let services = &self.world.services;
        let (review, standing) = services.item_standing(who, item).await?;
        let access = services.access(who, &self.service.id).await?;
        let form = services.sign_form(who, &access, &review, &standing).await?;
        let request = DecisionRequest::parse("pass", "Seen.", "", "", form.basis.as_str())?;
        let signed = services
            .decide_item(who, item, request, PASSWORD)
            .await
            .map(drop);
        assert_eq!(
            form.refusal.is_some(),
            signed.is_err(),
            "{:?}",
            form.refusal
        );
        signed
    }

    async fn with_policy(&self, change: impl FnOnce(Policy) -> Policy) {
        let services = &self.world.services;
        let review = services
            .review(&self.manager, &self.review.id)
            .await
            .expect("reads")
            .review;
        let change = ReviewChange {
            version: review.version,
            title: name(&review.title),
            release: name(&review.release),
            commit: holdpoint_domain::text::Commit::parse("c41f0e2").ok(),
            due_on: None,
            policy: change(review.policy),
        };
        services
            .update_review(&self.manager, &review.id, change)
            .await
            .expect("changes the policy");
    }
}

#[tokio::test]
async fn a_manager_gives_roles_and_makes_no_account_unless_the_instance_lets_them() {
    for team in Team::each().await {
        let services = &team.world.services;
        let to_service = |email, name| Invite {
            service: Some((&team.service.id, ServiceRole::Reviewer)),
            ..invitation(email, name)
        };
        let unknown = services
            .invite(
                &team.manager,
                to_service("rex@example.org", "Rex Reviewer"),
                PASSWORD,
            )
            .await;
        let (field, message) = rejected(unknown);
        assert_eq!(field, "email");
        assert!(message.contains("only an administrator"), "{message}");
        assert!(
            services
                .invitations(&team.manager, Some(&team.service.id), "")
                .await
                .expect("lists")
                .entries
                .is_empty()
        );
        let known = services
            .invite(&team.manager, to_service("eve@example.org", ""), PASSWORD)
            .await
            .expect("gives a role");
        assert!(matches!(known, Invited::Joined(_)), "{}", team.on());
        let by_admin = services
            .invite(
                &team.admin,
                to_service("rex@example.org", "Rex Reviewer"),
                PASSWORD,
            )
            .await
            .expect("an administrator invites");
        assert!(matches!(by_admin, Invited::Link { .. }));
        let lets = services.clone().with_managers_inviting(true);
        let by_manager = lets
            .invite(
                &team.manager,
                to_service("rex@example.org", "Rex Reviewer"),
                PASSWORD,
            )
            .await
            .expect("invites where it is set so");
        assert!(matches!(by_manager, Invited::Link { .. }));
    }
}

#[tokio::test]
async fn an_account_that_somebody_made_does_not_sign_their_work() {
    for team in Team::each().await {
        let rex = team
            .invited(&team.manager, "Rex", ServiceRole::Manager)
            .await;
        // One more hand between the two changes nothing.
        let further = team.invited(&rex, "Fay", ServiceRole::Reviewer).await;
        let item = team.shown_by(&team.manager, "2.1.1").await;
        for own in [&rex, &further] {
            let (field, message) = rejected(team.passes(own, &item).await);
            assert_eq!(field, "decision");
            assert_eq!(
                message,
                "sofia asked for this review, and sofia made your account, so someone else must sign it."
            );
        }
        team.passes(&team.reviewer, &item)
            .await
            .expect("somebody else signs");
        // The helper shows, and who made the helper signs: one person again.
        let item = team.shown_by(&rex, "2.1.2").await;
        let (_, message) = rejected(team.passes(&team.manager, &item).await);
        assert!(message.contains("you made the account of Rex"), "{message}");
        team.passes(&team.reviewer, &item)
            .await
            .expect("somebody else signs");
        // On others' work both have eyes of their own.
        let item = team.shown_by(&team.owner, "2.1.3").await;
        team.passes(&further, &item)
            .await
            .expect("signs the owner's work");
        let person = team
            .world
            .services
            .person_signed_in(&rex.id)
            .await
            .expect("reads")
            .expect("is there");
        assert_eq!(
            person.made_by,
            Some((team.manager.id.clone(), "sofia".to_owned())),
            "{}",
            team.on()
        );
    }
}

#[tokio::test]
async fn an_account_that_somebody_made_is_no_second_signature_of_a_quorum() {
    let team = Team::in_world(common::World::sqlite().await).await;
    team.with_policy(|policy| Policy {
        quorum: 2,
        approvals: 2,
        ..policy
    })
    .await;
    let rex = team
        .invited(&team.manager, "Rex", ServiceRole::Manager)
        .await;
    let item = team.shown_by(&team.owner, "2.1.1").await;
    team.passes(&team.manager, &item)
        .await
        .expect("the first signature");
    let (_, message) = rejected(team.passes(&rex, &item).await);
    assert!(message.contains("do not count as two people"), "{message}");
    team.passes(&team.reviewer, &item)
        .await
        .expect("the second signature");
    let (_, standing) = team
        .world
        .services
        .item_standing(&team.viewer, &item)
        .await
        .expect("stands");
    assert_eq!(standing.state, ItemState::Passed);
}

#[tokio::test]
async fn whoever_had_a_password_reset_has_no_other_eyes_in_that_account() {
    for team in Team::each().await {
        let services = &team.world.services;
        services
            .set_role(
                &team.admin,
                &team.service.id,
                &team.admin.id,
                Some(ServiceRole::Contributor),
            )
            .await
            .expect("gives a role");
        let reset_by = async |admin: &Actor| {
            let link = services
                .make_reset_link(admin, &team.reviewer.id, PASSWORD)
                .await
                .expect("makes a link");
            services
                .reset_password(&link.secret, PASSWORD, "192.0.2.1")
                .await
                .expect("sets a password");
        };
        let item = team.shown_by(&team.admin, "2.1.1").await;
        reset_by(&team.admin).await;
        let (_, message) = rejected(team.passes(&team.reviewer, &item).await);
        assert!(message.contains("ada had your password reset"), "{message}");
        // Another one made the newest link, so that nobody else knows the password any more.
        let second = team.world.admin("bea").await;
        reset_by(&second).await;
        team.passes(&team.reviewer, &item).await.expect("signs");
        let person = services
            .person_signed_in(&team.reviewer.id)
            .await
            .expect("reads")
            .expect("is there");
        let (by, called, _) = person.password_reset.expect("is noted");
        assert_eq!((by, called.as_str()), (second.id, "bea"), "{}", team.on());
    }
}

#[tokio::test]
async fn whoever_had_a_password_reset_does_not_decide_about_what_that_account_does() {
    for team in Team::each().await {
        let services = &team.world.services;
        // An administrator who invited somebody may sign that one's work: in a small team nobody else could.
        let helper = team
            .invited(&team.admin, "Helga", ServiceRole::Contributor)
            .await;
        let reset_by = async |admin: &Actor| {
            let link = services
                .make_reset_link(admin, &helper.id, PASSWORD)
                .await
                .expect("makes a link");
            services
                .reset_password(&link.secret, PASSWORD, "192.0.2.1")
                .await
                .expect("sets a password");
        };
        let item = team.shown_by(&helper, "2.1.1").await;
        team.passes(&team.admin, &item).await.expect("signs");

        team.import(&sarif(&[result("SEC001", "error", 3)])).await;
        let finding = team.findings().await[0].id.clone();
        let decide = async |who: &Actor, action: &str| {
            let fields = TriageFields {
                action: action.to_owned(),
                reason: "The code is never built.".to_owned(),
                ..TriageFields::default()
            };
            let version = services
                .finding(&team.manager, &finding)
                .await
                .expect("reads")
                .finding
                .version;
            services
                .triage_finding(
                    who,
                    &finding,
                    version,
                    Triage::parse(&fields).expect("a triage"),
                )
                .await
                .map(drop)
        };
        decide(&helper, "false_positive").await.expect("asks");

        reset_by(&team.admin).await;
        let item = team.shown_by(&helper, "2.1.2").await;
        let (_, message) = rejected(team.passes(&team.admin, &item).await);
        assert!(
            message.contains("you had the password of Helga reset"),
            "{message}"
        );
        let (_, message) = rejected(decide(&team.admin, "approve").await);
        assert!(message.contains("Helga asked for this"), "{message}");
        // A link that was made on the server, or by somebody else, ends it.
        let link = services
            .make_reset_link_for(&helper.email)
            .await
            .expect("makes a link");
        services
            .reset_password(&link.secret, PASSWORD, "192.0.2.1")
            .await
            .expect("sets a password");
        team.passes(&team.admin, &item).await.expect("signs");
        decide(&team.admin, "approve").await.expect("approves");
    }
}

#[tokio::test]
async fn whoever_imported_a_scan_that_is_evidence_does_not_sign_the_item() {
    for team in Team::each().await {
        let services = &team.world.services;
        // Imported by the reviewer's token, made evidence by the owner.
        let outcome = team
            .try_import(&team.reviewer, sarif(&[]).to_string().as_bytes(), false)
            .await
            .expect("imports");
        let item = team.id("2.1.1").await;
        services
            .use_scan_as_evidence(&team.owner, &outcome.scan.expect("a scan"), &item)
            .await
            .expect("attaches");
        for step in [Step::Start, Step::RequestReview] {
            services
                .step(&team.owner, &item, step, None)
                .await
                .expect("moves on");
        }
        let (_, message) = rejected(team.passes(&team.reviewer, &item).await);
        assert_eq!(
            message,
            "You imported a scan that is evidence of this item, so someone else must sign it.",
            "{}",
            team.on()
        );
    }
}

#[tokio::test]
async fn whoever_submitted_a_patch_does_not_sign_its_item_unless_it_was_rejected() {
    for team in Team::each().await {
        let services = &team.world.services;
        let item = team.shown_by(&team.owner, "2.1.1").await;
        let patch = PatchRequest {
            bytes: b"--- a/README.md\n+++ b/README.md\n@@ -1 +1,2 @@\n one\n+two\n".to_vec(),
            links: vec![PatchLink::ItemKey("2.1.1".to_owned())],
            ..PatchRequest::default()
        };
        let patch = services
            .submit_patch(&team.reviewer, &team.review.id, patch)
            .await
            .expect("submits");
        let (_, message) = rejected(team.passes(&team.reviewer, &item).await);
        assert_eq!(
            message,
            "You submitted a patch of this item, so someone else must sign it.",
            "{}",
            team.on()
        );
        let access = services.access(&team.reviewer, &team.service.id).await;
        let (review, standing) = services
            .item_standing(&team.reviewer, &item)
            .await
            .expect("stands");
        let form = services
            .sign_form(
                &team.reviewer,
                &access.expect("has a role"),
                &review,
                &standing,
            )
            .await
            .expect("is shown");
        assert_eq!(form.refusal, Some(message));
        let reason = PatchDecision::Reject(Reason::parse("It says nothing.").expect("a reason"));
        services
            .decide_patch(&team.manager, &patch, 1, reason)
            .await
            .expect("rejects");
        team.passes(&team.reviewer, &item).await.expect("signs");
    }
}

#[tokio::test]
async fn addresses_that_look_alike_are_refused_and_those_that_are_there_go_on() {
    for team in Team::each().await {
        let services = &team.world.services;
        let account = |name, email| NewAccount {
            email,
            name,
            password: PASSWORD,
            instance_role: holdpoint_domain::InstanceRole::Member,
        };
        for (email, words) in [
            // Cyrillic letters in a Latin word, and in the host.
            ("m\u{456}ra@example.org", "several alphabets"),
            ("other@ex\u{430}mple.org", "several alphabets"),
            // A word of other letters alone, and a zero for an O.
            ("\u{455}\u{43e}fia@example.org", "several alphabets"),
            ("\u{435}\u{475}\u{435}@example.org", "look alike"),
            ("s0fia@example.org", "look alike"),
        ] {
            let added = services.add_person(account("Somebody Else", email)).await;
            let (field, message) = rejected(added);
            assert_eq!(field, "email", "{email} on {}", team.on());
            assert!(message.contains(words), "{email}: {message}");
            let invited = services
                .invite(&team.admin, invitation(email, "Somebody Else"), PASSWORD)
                .await;
            assert_eq!(rejected(invited).0, "email", "{email}");
        }
        // Whoever has such an address from before signs in with it, and is given a role.
        let old = services
            .add_person(account("Old Account", "old@example.org"))
            .await
            .expect("is added");
        let odd = "\u{43e}ld@example.org";
        team.world
            .tamper(&format!(
                "update person set email = '{odd}' where id = '{}'",
                old.id
            ))
            .await;
        let signed_in = services.sign_in(odd, PASSWORD, "192.0.2.1").await;
        assert_eq!(signed_in.expect("signs in").id, old.id);
    }
}

#[tokio::test]
async fn names_that_look_alike_are_refused_and_the_address_tells_signers_apart() {
    for team in Team::each().await {
        let services = &team.world.services;
        let account = |name, email| NewAccount {
            email,
            name,
            password: PASSWORD,
            instance_role: holdpoint_domain::InstanceRole::Member,
        };
        services
            .add_person(account("Rex Reviewer", "rex@example.org"))
            .await
            .expect("the first");
        for name in [
            "Rex Reviewer",
            "rex reviewer",
            "Rех Rеviеwеr",
            "Ｒｅｘ Reviewer",
            "Rex  Reviewer",
        ] {
            let (field, message) = rejected(
                services
                    .add_person(account(name, "other@example.org"))
                    .await,
            );
            assert_eq!(field, "name", "{name}");
            assert!(message.contains("Rex Reviewer"), "{message}");
            let invited = services
                .invite(&team.admin, invitation("other@example.org", name), PASSWORD)
                .await;
            assert_eq!(rejected(invited).0, "name", "{name}");
        }
        let hidden = services
            .add_person(account("Rex\u{200b} Reviewer", "other@example.org"))
            .await;
        assert_eq!(rejected(hidden).0, "name");
        services
            .add_person(account("Rex A. Reviewer", "other@example.org"))
            .await
            .expect("another name");

        let item = team.shown_by(&team.owner, "2.1.1").await;
        team.passes(&team.reviewer, &item).await.expect("signs");
        let signed = async || {
            let (_, standing) = services
                .item_standing(&team.viewer, &item)
                .await
                .expect("stands");
            standing.sign_offs[0].sign_off.clone()
        };
        let sign_off = signed().await;
        assert_eq!(sign_off.person_email, "mira@example.org", "{}", team.on());
        assert_eq!(sign_off.person_disabled_at, None);
        services
            .disable_person(&team.admin, &team.reviewer.id, 1)
            .await
            .expect("disables");
        assert!(signed().await.person_disabled_at.is_some());
        let report = services
            .report_markdown(
                &team.manager,
                &team.review.id,
                &holdpoint_service::AsOf::Newest,
            )
            .await
            .expect("a report");
        let text = String::from_utf8(report.bytes).expect("UTF-8");
        assert!(
            text.contains("mira, mira@example.org (account disabled since "),
            "{text}"
        );
    }
}

#[tokio::test]
async fn an_account_that_somebody_made_does_not_approve_their_patch() {
    let team = Team::in_world(common::World::sqlite().await).await;
    let rex = team
        .invited(&team.manager, "Rex", ServiceRole::Reviewer)
        .await;
    let services = &team.world.services;
    let patch = "--- a/src/a.go\n+++ b/src/a.go\n@@ -1 +1 @@\n-a\n+b\n";
    let request = PatchRequest {
        title: None,
        bytes: patch.as_bytes().to_vec(),
        links: Vec::new(),
    };
    let id = services
        .submit_patch(&team.manager, &team.review.id, request)
        .await
        .expect("submits");
    let view = services.patch(&team.viewer, &id).await.expect("reads");
    let refused = services
        .decide_patch(&rex, &id, view.patch.version, PatchDecision::Approve)
        .await;
    let Err(ServiceError::Forbidden(message)) = refused else {
        panic!("{refused:?}");
    };
    assert!(message.contains("sofia made your account"), "{message}");
    let reason = Reason::parse("No.").expect("a reason");
    services
        .decide_patch(
            &team.reviewer,
            &id,
            view.patch.version,
            PatchDecision::Reject(reason),
        )
        .await
        .expect("somebody else decides");
}

#[tokio::test]
async fn what_is_signed_within_a_day_after_a_reset_says_so_whatever_the_account_says() {
    for team in Team::each().await {
        let services = &team.world.services;
        let link = services
            .make_reset_link(&team.admin, &team.reviewer.id, PASSWORD)
            .await
            .expect("makes a link");
        let reset_at = services.now();
        services
            .reset_password(&link.secret, PASSWORD, "192.0.2.1")
            .await
            .expect("sets a password");
        team.world.clock.advance(MINUTE);
        let first = team.shown_by(&team.owner, "2.1.1").await;
        team.passes(&team.reviewer, &first).await.expect("signs");
        team.world.clock.advance(DAY);
        let second = team.shown_by(&team.owner, "2.1.2").await;
        team.passes(&team.reviewer, &second).await.expect("signs");
        // It comes of the log, so that no column hides it.
        team.world
            .tamper("update person set password_reset_at = null, password_reset_by = null, password_reset_seen_at = null")
            .await;
        let reset_of = async |item: &ItemId| {
            let (_, standing) = services
                .item_standing(&team.viewer, item)
                .await
                .expect("reads");
            standing.sign_offs[0].sign_off.reset_at
        };
        assert_eq!(reset_of(&first).await, Some(reset_at), "{}", team.on());
        assert_eq!(reset_of(&second).await, None);
        let report = services
            .report_preview(&team.viewer, &team.review.id, &AsOf::Newest)
            .await
            .expect("reports");
        let marked = report.text.matches("set by somebody else's link").count();
        // In the table of signatures and at the item.
        assert_eq!(marked, 2, "{}", report.text);
    }
}

#[tokio::test]
async fn a_decision_within_a_day_after_a_reset_says_so_in_the_report_that_is_kept() {
    for team in Team::each().await {
        let services = &team.world.services;
        // From the command line, which is nobody's own either.
        let link = services
            .make_reset_link_for(&team.manager.email)
            .await
            .expect("makes a link");
        services
            .reset_password(&link.secret, PASSWORD, "192.0.2.1")
            .await
            .expect("sets a password");
        let basis = services
            .review_standing(&team.manager, &team.review.id)
            .await
            .expect("stands")
            .basis();
        let signed = services
            .decide_release(
                &team.manager,
                &team.review.id,
                ReleaseDecision::NoGo,
                "Not yet.",
                &basis,
                PASSWORD,
            )
            .await
            .expect("signs");
        assert!(signed.reset_at.is_some());
        team.world.clock.advance(10 * DAY);
        let kept = services
            .report_preview(&team.viewer, &team.review.id, &AsOf::Newest)
            .await
            .expect("is kept");
        assert!(
            kept.text
                .contains("within a day after the password was set by somebody else's link"),
            "{}: {}",
            team.on(),
            kept.text
        );
    }
}

#[tokio::test]
async fn a_reset_is_told_until_it_is_dismissed_and_a_later_one_anew() {
    for team in Team::each().await {
        let services = &team.world.services;
        let told = async || {
            services
                .person_signed_in(&team.reviewer.id)
                .await
                .expect("reads")
                .expect("is there")
                .unseen_reset
        };
        assert_eq!(told().await, None, "{}", team.on());
        let reset = async |link: holdpoint_service::ResetLink| {
            services
                .reset_password(&link.secret, PASSWORD, "192.0.2.1")
                .await
                .expect("sets a password");
        };
        reset(
            services
                .make_reset_link(&team.admin, &team.reviewer.id, PASSWORD)
                .await
                .expect("makes a link"),
        )
        .await;
        let first = told().await.expect("is told");
        assert_eq!(
            (first.by.as_deref(), first.at),
            (Some("ada"), services.now())
        );
        team.world.clock.advance(MINUTE);
        reset(
            services
                .make_reset_link_for(&team.reviewer.email)
                .await
                .expect("makes a link"),
        )
        .await;
        // What an older page dismisses is not the later one.
        services
            .dismiss_reset(&team.reviewer, first.at)
            .await
            .expect("dismisses nothing");
        let second = told().await.expect("is told");
        assert_eq!((second.by, second.at), (None, services.now()));
        services
            .dismiss_reset(&team.reviewer, second.at)
            .await
            .expect("dismisses");
        assert_eq!(told().await, None);
    }
}

#[tokio::test]
async fn accounts_of_one_maker_are_one_hand_however_long_the_chain_is() {
    for team in Team::each().await {
        let rex = team
            .invited(&team.manager, "Rex", ServiceRole::Contributor)
            .await;
        let fay = team
            .invited(&team.manager, "Fay", ServiceRole::Reviewer)
            .await;
        let item = team.shown_by(&rex, "2.1.1").await;
        let (_, message) = rejected(team.passes(&fay, &item).await);
        assert!(
            message.contains("the same person made your account and that of Rex"),
            "{message}"
        );
        // Those whom an administrator invited are people of their own.
        team.passes(&team.reviewer, &item).await.expect("signs");

        // A helper's helper's helper, very often.
        let mut tx = team.world.on.database.write().await.expect("writes");
        let mut maker = team.manager.id.clone();
        for n in 0..40 {
            let id = holdpoint_domain::PersonId::parse(&format!("01900000-0000-7000-8000-{n:012}"))
                .expect("an id");
            tx.insert_person(holdpoint_storage::NewPerson {
                id: &id,
                email: &format!("n{n}@example.org"),
                name: &format!("Number {n}"),
                instance_role: holdpoint_domain::InstanceRole::Member,
                password_hash: None,
                made_by: Some(&maker),
                created_at: 0,
            })
            .await
            .expect("is made");
            maker = id;
        }
        let accounts = tx
            .accounts(&[maker.as_str(), team.manager.id.as_str()])
            .await
            .expect("reads");
        let (last, root) = (
            &accounts[maker.as_str()].0,
            &accounts[team.manager.id.as_str()].0,
        );
        assert!(last.same_eyes(root).is_some(), "on {}", team.on());
    }
}
