//! Services, checklists, reviews, items, deliverables and comments, as people work with them.

mod common;

use common::{
    DAY, START, World, is_forbidden, is_not_found, rejected,
    team::{SEED, Team, import, name, new_review, new_service},
};
use holdpoint_domain::{
    FindingId, Gating, ItemId, ItemState, Policy, ServiceId, ServiceRole, TokenId,
    item::Step,
    text::{Commit, Date, Prose},
};
use holdpoint_service::{
    ActivityOf, Actor, BulkChange, CommentOn, DeliverableChange, ItemChange, ItemFilter, ItemPage,
    ItemText, NewItem, Review, ReviewChange, ServiceChange, ServiceError, WaitsFor,
};

fn change_of(page: &ItemPage) -> ItemChange {
    ItemChange {
        version: page.item.version,
        owner: page.item.owner.clone(),
        reviewers: page.item.reviewers.clone(),
        gating: page.item.gating,
        due_on: None,
        quorum: None,
    }
}

#[tokio::test]
async fn the_sample_document_gives_thirteen_items_in_five_sections_and_three_deliverables() {
    for team in Team::each().await {
        let services = &team.world.services;
        let page = services
            .checklist(
                &team.viewer,
                &team.review.id,
                &ItemFilter::default(),
                None,
                500,
            )
            .await
            .expect("shows the checklist");
        let numbers: Vec<_> = page
            .sections
            .iter()
            .map(|of| {
                let section = of.section.as_ref().expect("a section");
                (section.number.as_deref().expect("a number"), of.items.len())
            })
            .collect();
        assert_eq!(
            numbers,
            [("2.1", 3), ("2.2", 3), ("2.3", 3), ("2.4", 2), ("2.5", 2)],
            "{}",
            team.on()
        );
        assert_eq!((page.n_matching, page.head.counts.items.total()), (13, 13));
        assert_eq!(page.head.counts.n_deliverables, 3);
        let deliverables = services
            .deliverables(&team.viewer, &team.review.id)
            .await
            .expect("lists");
        let titles: Vec<_> = deliverables
            .iter()
            .map(|listed| listed.deliverable.title.as_str())
            .collect();
        assert_eq!(
            titles,
            ["Audit Report", "Updated Documentation", "Hardening Patches"]
        );
        let item = team.item("2.5.1").await;
        assert_eq!(item.item.title, "Critical Path Review");
        assert_eq!(
            (item.previous.as_deref(), item.next.as_deref()),
            (Some("2.4.2"), Some("2.5.2"))
        );
        assert_eq!(
            item.head.template.name,
            "Phase 22: Production Readiness Review (PRR)"
        );
        assert_eq!(item.head.template_version.file_name, "prr.md");
    }
}

#[tokio::test]
async fn the_document_comes_back_with_only_the_signed_boxes_ticked() {
    for team in Team::each().await {
        let services = &team.world.services;
        let (_, untouched) = services
            .ticked_document(&team.viewer, &team.review.id)
            .await
            .expect("writes back");
        assert_eq!(untouched, SEED, "{}", team.on());
        let passed = team.id("2.4.1").await;
        team.send_to_review(&passed).await;
        team.decide(&passed, "pass").await;
        let not_applicable = team.id("2.5.2").await;
        team.send_to_review(&not_applicable).await;
        team.decide(&not_applicable, "not_applicable").await;
        let failed = team.id("2.1.1").await;
        team.send_to_review(&failed).await;
        team.decide(&failed, "fail").await;
        let by_hand = NewItem {
            section: None,
            title: name("Not in the document"),
            body: None,
            gating: Gating::Advisory,
        };
        services
            .add_item(&team.manager, &team.review.id, by_hand)
            .await
            .expect("adds an item");
        let ticked = |text: &str| {
            let source = String::from_utf8(SEED.to_vec()).expect("UTF-8");
            text.split('|').fold(source, |source, title| {
                let boxed = format!("- [ ] **{title}**");
                assert!(source.contains(&boxed));
                source.replace(&boxed, &format!("- [x] **{title}**"))
            })
        };
        let (file_name, written) = services
            .ticked_document(&team.viewer, &team.review.id)
            .await
            .expect("writes back");
        assert_eq!(file_name, "prr.md");
        assert_eq!(
            String::from_utf8(written).expect("UTF-8"),
            ticked("Secret Hygiene|Error Handling"),
            "{}",
            team.on()
        );
        // A signature whose ground has changed ticks nothing.
        let page = team.item("2.4.1").await;
        let text = ItemText {
            version: page.item.version,
            title: name("Secret Hygiene"),
            body: Some(Prose::parse("Scan the whole history.").expect("prose")),
        };
        services
            .edit_item(&team.manager, &passed, text)
            .await
            .expect("rewords");
        let (_, written) = services
            .ticked_document(&team.viewer, &team.review.id)
            .await
            .expect("writes back");
        assert_eq!(
            String::from_utf8(written).expect("UTF-8"),
            ticked("Error Handling")
        );
    }
}

#[tokio::test]
async fn the_same_bytes_are_one_version_and_changed_bytes_the_next() {
    for team in Team::each().await {
        let services = &team.world.services;
        let again = services
            .import_template(&team.manager, import(None), SEED.to_vec())
            .await
            .expect("imports");
        assert!(!again.is_new, "{}", team.on());
        let changed = String::from_utf8(SEED.to_vec()).expect("UTF-8").replace(
            "pinned, secure versions",
            "pinned versions without known holes",
        );
        let next = services
            .import_template(&team.manager, import(None), changed.into_bytes())
            .await
            .expect("imports");
        assert!(next.is_new);
        assert_eq!(
            (next.version.number, &next.template.id),
            (2, &again.template.id)
        );
        let difference = services
            .template_difference(&team.viewer, &again.version.id, &next.version.id)
            .await
            .expect("compares");
        assert_eq!(difference.difference.reworded.len(), 1);
        assert_eq!(difference.difference.unchanged.len(), 12);
        let named = services
            .import_template(&team.manager, import(Some("Another")), SEED.to_vec())
            .await
            .expect("imports under another name");
        assert!(named.is_new);
        assert_eq!(named.version.number, 1);
        let history = services
            .template(&team.viewer, &next.template.id)
            .await
            .expect("reads");
        let versions: Vec<_> = history
            .versions
            .iter()
            .map(|(version, who)| (version.number, who.as_str()))
            .collect();
        assert_eq!(versions, [(2, "sofia"), (1, "sofia")]);
        let (_, source) = services
            .template_source(&team.viewer, &again.version.id)
            .await
            .expect("reads");
        assert_eq!(source, SEED);
        assert_eq!(
            services.templates(&team.viewer).await.expect("lists").len(),
            2
        );
    }
}

#[tokio::test]
async fn a_document_without_items_is_refused_and_nothing_is_stored() {
    for team in Team::each().await {
        let services = &team.world.services;
        let (field, message) = rejected(
            services
                .import_template(&team.manager, import(None), b"# Notes\n\nNothing.".to_vec())
                .await,
        );
        assert_eq!(field, "document");
        assert!(message.contains("task"), "{message}");
        let huge = vec![b'x'; 5 * 1024 * 1024];
        let (field, _) = rejected(
            services
                .preview_checklist(&team.manager, huge, None, None)
                .await,
        );
        assert_eq!(field, "document");
        assert_eq!(
            services.templates(&team.viewer).await.expect("lists").len(),
            1
        );
        let refused = services
            .import_template(&team.reviewer, import(None), SEED.to_vec())
            .await;
        assert!(is_forbidden(&refused), "{refused:?}");
    }
}

#[tokio::test]
async fn an_item_goes_its_way_and_a_wrong_step_says_why() {
    for team in Team::each().await {
        let services = &team.world.services;
        let id = team.id("2.5.1").await;
        let step = |step| services.step(&team.owner, &id, step, None);
        let (_, message) = rejected(step(Step::RequestReview).await);
        assert_eq!(
            message,
            "This item is open; \"Request review\" is possible only from in progress."
        );
        step(Step::Start).await.expect("starts");
        let (_, message) = rejected(step(Step::RequestReview).await);
        assert!(message.contains("Add evidence"), "{message}");
        team.add_note(&id).await;
        let asked = step(Step::RequestReview).await.expect("asks");
        assert_eq!(asked.state, ItemState::InReview);
        assert_eq!(asked.review_requested_by.as_ref(), Some(&team.owner.id));
        assert_eq!(asked.review_requested_at, Some(START));
        step(Step::BackToWork).await.expect("goes back");
        step(Step::RequestReview).await.expect("asks again");
        team.decide(&id, "pass").await;
        assert_eq!(team.item("2.5.1").await.state, ItemState::Passed);
        let by_owner = services
            .step(&team.owner, &id, Step::ReviewAgain, None)
            .await;
        assert!(is_forbidden(&by_owner), "{by_owner:?}");
        let again = services
            .step(&team.reviewer, &id, Step::ReviewAgain, None)
            .await
            .expect("reviews again");
        assert_eq!((again.state, again.round), (ItemState::InReview, 2));
        assert_eq!(
            again.review_requested_by.as_ref(),
            Some(&team.owner.id),
            "a reviewer who looks again may still sign"
        );
        team.decide(&id, "fail").await;
        let restarted = step(Step::Start).await.expect("starts again");
        assert_eq!(
            (restarted.state, restarted.round),
            (ItemState::InProgress, 3)
        );
        let actions: Vec<_> = services
            .activity_of(&team.viewer, &ActivityOf::Item(id.clone()), None, 50)
            .await
            .expect("reads the log")
            .entries
            .into_iter()
            .map(|line| (line.who, line.action))
            .filter(|(_, action)| action.starts_with("item.review") || action == "item.started")
            .collect();
        let expected = [
            ("jonas", "item.started"),
            ("mira", "item.review_again"),
            ("jonas", "item.review_requested"),
            ("jonas", "item.review_requested"),
            ("jonas", "item.started"),
        ];
        assert_eq!(
            actions,
            expected.map(|(who, action)| (who.to_owned(), action.to_owned())),
            "{}",
            team.on()
        );
        assert_eq!(
            services.verify_log().await.expect("verifies").problems,
            Vec::<String>::new(),
            "{}",
            team.on()
        );
    }
}

#[tokio::test]
async fn the_second_save_of_one_version_gets_both_and_changes_nothing() {
    for team in Team::each().await {
        let services = &team.world.services;
        let page = team.item("2.1.1").await;
        let mut first = change_of(&page);
        first.owner = Some(team.owner.id.clone());
        first.due_on = Some(Date::parse("2026-02-01").expect("a date"));
        services
            .update_item(&team.manager, &page.item.id, first)
            .await
            .expect("the first save");
        let mut second = change_of(&page);
        second.owner = Some(team.reviewer.id.clone());
        let Err(ServiceError::Conflict(conflict)) = services
            .update_item(&team.admin, &page.item.id, second)
            .await
        else {
            panic!("the second save is a conflict");
        };
        assert_eq!(conflict.current_version, page.item.version + 1);
        let owned = |field: (&str, &str, &str)| {
            (field.0.to_owned(), field.1.to_owned(), field.2.to_owned())
        };
        assert_eq!(
            conflict.fields,
            [
                owned(("owner", "mira", "jonas")),
                owned(("due date", "", "2026-02-01"))
            ]
        );
        assert!(
            conflict.message.contains("sofia changed it"),
            "{conflict:?}"
        );
        let now = team.item("2.1.1").await;
        assert_eq!(
            now.item.owner.as_ref(),
            Some(&team.owner.id),
            "{}",
            team.on()
        );
        // Two tabs of one person are no different.
        let mut stale = change_of(&page);
        stale.gating = Gating::Advisory;
        let Err(ServiceError::Conflict(conflict)) = services
            .update_item(&team.manager, &page.item.id, stale)
            .await
        else {
            panic!("a stale tab is a conflict");
        };
        assert!(conflict.message.contains("yourself"), "{conflict:?}");
    }
}

#[tokio::test]
async fn of_many_saves_of_one_version_at_once_exactly_one_stands() {
    for team in Team::each().await {
        let page = team.item("2.1.2").await;
        let mut tasks = tokio::task::JoinSet::new();
        for quorum in 1..=8 {
            let services = team.world.services.clone();
            let (manager, id) = (team.manager.clone(), page.item.id.clone());
            let mut change = change_of(&page);
            change.quorum = Some(quorum);
            tasks.spawn(async move {
                match services.update_item(&manager, &id, change).await {
                    Ok(item) => item.quorum,
                    Err(ServiceError::Conflict(conflict)) => {
                        assert_eq!(conflict.fields.len(), 1, "{conflict:?}");
                        None
                    }
                    Err(other) => panic!("{other:?}"),
                }
            });
        }
        let mut saved = Vec::new();
        while let Some(done) = tasks.join_next().await {
            saved.extend(done.expect("no task panics"));
        }
        assert_eq!(saved.len(), 1, "{}", team.on());
        assert_eq!(team.item("2.1.2").await.item.quorum, Some(saved[0]));
    }
}

#[tokio::test]
async fn reviews_services_deliverables_and_words_refuse_stale_saves_too() {
    for team in Team::each().await {
        let services = &team.world.services;
        let change = |version, title: &str, commit: &str| ReviewChange {
            version,
            title: name(title),
            release: name("v1.0.0"),
            commit: Some(Commit::parse(commit).expect("a commit")),
            due_on: None,
            policy: Policy::default(),
        };
        let changed = services
            .update_review(&team.manager, &team.review.id, change(1, "PRR", "d00df00"))
            .await
            .expect("changes");
        assert_eq!(
            (changed.version, changed.commit.as_deref()),
            (2, Some("d00df00"))
        );
        let stale = services
            .update_review(
                &team.manager,
                &team.review.id,
                change(1, "Other", "d00df00"),
            )
            .await;
        let Err(ServiceError::Conflict(conflict)) = stale else {
            panic!("{stale:?}")
        };
        assert_eq!(
            conflict.fields,
            [("title".to_owned(), "Other".to_owned(), "PRR".to_owned())]
        );
        let log = team.world.log().await;
        assert!(
            log.iter()
                .any(|(action, entry)| action == "review.commit_moved"
                    && entry.contains("c41f0e2")
                    && entry.contains("d00df00"))
        );

        let of_service = |version, called: &str| ServiceChange {
            version,
            name: name(called),
            slug: holdpoint_domain::text::Slug::parse("maker").expect("a slug"),
            repository_url: None,
            description: None,
        };
        services
            .update_service(&team.manager, &team.service.id, of_service(1, "Maker"))
            .await
            .expect("changes");
        let stale = services
            .update_service(&team.manager, &team.service.id, of_service(1, "Taker"))
            .await;
        assert!(matches!(stale, Err(ServiceError::Conflict(_))), "{stale:?}");

        let deliverable = services
            .deliverables(&team.owner, &team.review.id)
            .await
            .expect("lists")
            .remove(0)
            .deliverable;
        let done = |version, done| DeliverableChange {
            version,
            done,
            note: Some(Prose::parse("See `docs/`.").expect("prose")),
        };
        let finished = services
            .set_done(&team.owner, &deliverable.id, done(1, true))
            .await
            .expect("finishes");
        assert_eq!(finished.done_by.as_ref(), Some(&team.owner.id));
        let stale = services
            .set_done(&team.owner, &deliverable.id, done(1, false))
            .await;
        assert!(matches!(stale, Err(ServiceError::Conflict(_))), "{stale:?}");
        let undone = services
            .set_done(&team.owner, &deliverable.id, done(2, false))
            .await
            .expect("reopens");
        assert_eq!(
            (undone.done, undone.done_by, undone.done_at),
            (false, None, None)
        );

        let id = team.id("2.1.1").await;
        let text = |version| ItemText {
            version,
            title: name("Config Audit"),
            body: None,
        };
        services
            .edit_item(&team.manager, &id, text(1))
            .await
            .expect("rewords");
        let stale = services.edit_item(&team.manager, &id, text(1)).await;
        assert!(matches!(stale, Err(ServiceError::Conflict(_))), "{stale:?}");
    }
}

#[tokio::test]
async fn whoever_has_no_role_finds_nothing() {
    for team in Team::each().await {
        let services = &team.world.services;
        let eve = &team.stranger;
        let item = team.item("2.1.1").await;
        let id = item.item.id.clone();
        let review = &team.review.id;
        let deliverable = services
            .deliverables(&team.owner, review)
            .await
            .expect("lists")[0]
            .deliverable
            .id
            .clone();
        assert!(is_not_found(&services.service(eve, &team.service.id).await));
        assert!(is_not_found(
            &services.service_by_slug(eve, &team.service.slug).await
        ));
        assert!(is_not_found(&services.review(eve, review).await));
        assert!(is_not_found(
            &services
                .checklist(eve, review, &ItemFilter::default(), None, 10)
                .await
        ));
        assert!(is_not_found(&services.ticked_document(eve, review).await));
        assert!(is_not_found(
            &services.item_by_key(eve, review, "2.1.1").await
        ));
        assert!(is_not_found(
            &services.update_item(eve, &id, change_of(&item)).await
        ));
        assert!(is_not_found(&services.take_item(eve, &id).await));
        let outcome = services
            .change_items(
                eve,
                review,
                std::slice::from_ref(&id),
                &BulkChange::Step(Step::Start),
            )
            .await;
        assert!(is_not_found(&outcome), "{outcome:?}");
        let done = DeliverableChange {
            version: 1,
            done: true,
            note: None,
        };
        assert!(is_not_found(
            &services.set_done(eve, &deliverable, done).await
        ));
        assert!(is_not_found(
            &services
                .activity_of(eve, &ActivityOf::Review(review.clone()), None, 10)
                .await
        ));
        // What is foreign and what is not there are refused in the same words.
        let foreign = services
            .item(eve, &id)
            .await
            .expect_err("refused")
            .to_string();
        let absent = services
            .item(eve, &ItemId::parse("none").expect("an id"))
            .await
            .expect_err("refused")
            .to_string();
        assert_eq!(foreign, absent);
        let on = CommentOn::Item(id);
        assert!(is_not_found(&services.comments(eve, &on, None).await));
        assert!(services.services_for(eve).await.expect("lists").is_empty());
        assert!(
            services
                .portfolio(eve, None, 10)
                .await
                .expect("lists")
                .entries
                .is_empty()
        );
        assert_eq!(services.n_waiting_on_me(eve).await.expect("counts"), 0);
    }
}

#[tokio::test]
async fn a_role_allows_what_it_says_and_no_more() {
    for team in Team::each().await {
        let services = &team.world.services;
        let page = team.item("2.1.1").await;
        let id = &page.item.id;
        let comment = || Prose::parse("Hello").expect("prose");
        let on = CommentOn::Item(id.clone());
        assert!(is_forbidden(
            &services.step(&team.viewer, id, Step::Start, None).await
        ));
        assert!(is_forbidden(
            &services.add_comment(&team.viewer, &on, comment()).await
        ));
        assert!(is_forbidden(&services.take_item(&team.viewer, id).await));
        assert!(is_forbidden(
            &services
                .update_item(&team.viewer, id, change_of(&page))
                .await
        ));
        assert!(is_forbidden(
            &services
                .create_service(&team.manager, new_service("Mine"))
                .await
        ));
        assert!(is_forbidden(
            &services
                .set_role(&team.reviewer, &team.service.id, &team.viewer.id, None)
                .await
        ));
        // Running the machine is not working on the item.
        services
            .set_role(&team.manager, &team.service.id, &team.admin.id, None)
            .await
            .expect("the admin leaves");
        assert!(is_forbidden(
            &services.step(&team.admin, id, Step::Start, None).await
        ));

        // A contributor takes what nobody owns, then chooses its reviewers, and nothing else.
        services.take_item(&team.owner, id).await.expect("takes");
        let (_, message) = rejected(services.take_item(&team.reviewer, id).await);
        assert!(message.contains("jonas owns"), "{message}");
        let mut change = change_of(&team.item("2.1.1").await);
        change.reviewers = vec![team.reviewer.id.clone()];
        services
            .update_item(&team.owner, id, change)
            .await
            .expect("the owner chooses reviewers");
        let page = team.item("2.1.1").await;
        let mut change = change_of(&page);
        change.gating = Gating::Advisory;
        assert!(is_forbidden(
            &services.update_item(&team.owner, id, change).await
        ));
        let mut change = change_of(&page);
        change.owner = Some(team.reviewer.id.clone());
        assert!(is_forbidden(
            &services.update_item(&team.owner, id, change).await
        ));
        let mut change = change_of(&page);
        change.reviewers = Vec::new();
        assert!(is_forbidden(
            &services.update_item(&team.reviewer, id, change).await
        ));
        // Nobody is made owner or reviewer who could not act as such.
        let mut change = change_of(&page);
        change.owner = Some(team.viewer.id.clone());
        let (field, message) = rejected(services.update_item(&team.manager, id, change).await);
        assert_eq!(field, "owner", "{message}");
        let mut change = change_of(&page);
        change.reviewers = vec![team.owner.id.clone()];
        let (field, message) = rejected(services.update_item(&team.manager, id, change).await);
        assert_eq!(field, "reviewers", "{message}");
        assert!(message.starts_with("jonas cannot sign"), "{message}");
    }
}

#[tokio::test]
async fn a_service_keeps_a_manager() {
    for team in Team::each().await {
        let services = &team.world.services;
        let set = |person: &Actor, role| {
            let (person, team) = (person.id.clone(), &team);
            async move {
                services
                    .set_role(&team.admin, &team.service.id, &person, role)
                    .await
            }
        };
        set(&team.admin, None)
            .await
            .expect("one of two managers leaves");
        let (field, message) = rejected(set(&team.manager, Some(ServiceRole::Viewer)).await);
        assert_eq!(field, "role");
        assert!(message.contains("last manager"), "{message}");
        set(&team.reviewer, Some(ServiceRole::Manager))
            .await
            .expect("another manager");
        set(&team.manager, None)
            .await
            .expect("now the first may go");
        let members = services
            .members(&team.admin, &team.service.id)
            .await
            .expect("lists");
        assert!(
            members
                .iter()
                .all(|(person, _)| person.id != team.manager.id)
        );
    }
}

#[tokio::test]
async fn a_taken_slug_is_refused_at_its_field() {
    for team in Team::each().await {
        let services = &team.world.services;
        let (field, _) = rejected(
            services
                .create_service(&team.admin, new_service("OpenSQT market-maker"))
                .await,
        );
        assert_eq!(field, "slug");
        let (field, _) = rejected(services.create_service(&team.admin, new_service("Я")).await);
        assert_eq!(field, "slug");
    }
}

#[tokio::test]
async fn hints_in_the_document_set_owner_gating_and_scan() {
    const HINTED: &str = "# Release\n\n\
        - [ ] Scan for secrets. <!-- holdpoint: owner=jonas; scan=gitleaks -->\n\
        - [x] Nice to have. <!-- holdpoint: advisory; owner=MIRA@example.org -->\n\
        - [ ] Read it. <!-- holdpoint: owner=nobody -->\n\
        \x20   - [ ] Read it aloud.\n";
    for team in Team::each().await {
        let services = &team.world.services;
        let imported = services
            .import_template(
                &team.manager,
                import(Some("Hints")),
                HINTED.as_bytes().to_vec(),
            )
            .await
            .expect("imports");
        let created = services
            .create_review(
                &team.manager,
                &team.service.id,
                new_review(imported.version.id),
            )
            .await
            .expect("begins");
        assert_eq!(created.unknown_owners, ["nobody"]);
        let page = services
            .checklist(
                &team.manager,
                &created.review.id,
                &ItemFilter::default(),
                None,
                50,
            )
            .await
            .expect("shows");
        let items: Vec<_> = page.sections.iter().flat_map(|of| &of.items).collect();
        let owners: Vec<_> = items
            .iter()
            .map(|item| item.owner.as_ref().map(|owner| owner.name.as_str()))
            .collect();
        assert_eq!(owners, [Some("jonas"), Some("mira"), None, None]);
        assert_eq!(items[0].item.scan_hint.as_deref(), Some("gitleaks"));
        assert_eq!(items[1].item.gating, Gating::Advisory);
        assert_eq!(items[1].state, ItemState::Open, "a box is no decision");
        assert_eq!(items[3].item.parent.as_ref(), Some(&items[2].item.id));
        // The box that somebody ticked by hand does not come back as a decision.
        let (_, written) = services
            .ticked_document(&team.manager, &created.review.id)
            .await
            .expect("writes back");
        let expected = HINTED.replace("[x]", "[ ]");
        assert_eq!(String::from_utf8(written).expect("UTF-8"), expected);
    }
}

#[tokio::test]
async fn a_bulk_change_says_for_each_item_what_became_of_it() {
    for team in Team::each().await {
        let services = &team.world.services;
        let (one, two) = (team.id("2.1.1").await, team.id("2.1.2").await);
        let unknown = ItemId::parse("elsewhere").expect("an id");
        services
            .step(&team.owner, &two, Step::Start, None)
            .await
            .expect("starts");
        team.add_note(&two).await;
        let ids = [two.clone(), one.clone(), unknown];
        let outcomes = services
            .change_items(
                &team.owner,
                &team.review.id,
                &ids,
                &BulkChange::Step(Step::RequestReview),
            )
            .await
            .expect("changes");
        let refused: Vec<_> = outcomes
            .iter()
            .map(|outcome| (outcome.key.as_str(), outcome.refused.is_some()))
            .collect();
        assert_eq!(
            refused,
            [("2.1.1", true), ("2.1.2", false), ("", true)],
            "{}",
            team.on()
        );
        assert_eq!(team.item("2.1.2").await.state, ItemState::InReview);
        let due = Date::parse("2026-01-27").expect("a date");
        for change in [
            BulkChange::Owner(Some(team.owner.id.clone())),
            BulkChange::Reviewer(team.reviewer.id.clone()),
            BulkChange::Due(Some(due)),
            BulkChange::Gating(Gating::Advisory),
        ] {
            let outcomes = services
                .change_items(&team.manager, &team.review.id, &ids[..2], &change)
                .await
                .expect("changes");
            assert!(
                outcomes.iter().all(|outcome| outcome.refused.is_none()),
                "{outcomes:?}"
            );
        }
        let item = team.item("2.1.1").await;
        assert_eq!(item.owner.as_ref().expect("an owner").name, "jonas");
        assert_eq!(item.reviewers.len(), 1);
        assert!(item.is_late);
        assert_eq!(item.head.counts.n_late, 2);
        let forbidden = services
            .change_items(
                &team.owner,
                &team.review.id,
                &ids[..1],
                &BulkChange::Due(None),
            )
            .await;
        assert!(is_forbidden(&forbidden), "{forbidden:?}");
        assert_eq!(
            services.verify_log().await.expect("verifies").problems,
            Vec::<String>::new()
        );
    }
}

#[tokio::test]
async fn filters_ask_for_exactly_what_they_say() {
    for team in Team::each().await {
        let services = &team.world.services;
        let id = team.id("2.5.1").await;
        team.send_to_review(&id).await;
        let due = Some(Date::parse("2026-01-27").expect("a date"));
        let both = [team.id("2.5.1").await, team.id("2.4.2").await];
        for change in [
            BulkChange::Due(due),
            BulkChange::Owner(Some(team.owner.id.clone())),
        ] {
            services
                .change_items(&team.manager, &team.review.id, &both, &change)
                .await
                .expect("changes");
        }
        let keys = async |filter: ItemFilter| -> Vec<String> {
            let page = services
                .checklist(&team.viewer, &team.review.id, &filter, None, 50)
                .await
                .expect("lists");
            let items = page.sections.iter().flat_map(|of| &of.items);
            let keys: Vec<_> = items.map(|item| item.item.key.clone()).collect();
            assert_eq!(page.n_matching, i64::try_from(keys.len()).expect("few"));
            keys
        };
        let all = ItemFilter::default;
        let state = Some(ItemState::InReview);
        assert_eq!(keys(ItemFilter { state, ..all() }).await, ["2.5.1"]);
        let owner = Some(team.owner.id.clone());
        assert_eq!(
            keys(ItemFilter { owner, ..all() }).await,
            ["2.4.2", "2.5.1"]
        );
        let gating = Some(Gating::Advisory);
        assert!(keys(ItemFilter { gating, ..all() }).await.is_empty());
        assert_eq!(
            keys(ItemFilter {
                late: true,
                ..all()
            })
            .await,
            ["2.4.2", "2.5.1"]
        );
        assert_eq!(
            keys(ItemFilter {
                no_owner: true,
                ..all()
            })
            .await
            .len(),
            11
        );
        assert_eq!(
            keys(ItemFilter {
                no_evidence: true,
                ..all()
            })
            .await
            .len(),
            12
        );
        assert_eq!(
            keys(ItemFilter {
                left: true,
                ..all()
            })
            .await
            .len(),
            13
        );
        let due_by = Some("2026-01-26".to_owned());
        assert!(keys(ItemFilter { due_by, ..all() }).await.is_empty());
        let text = |text: &str| ItemFilter {
            text: Some(text.to_owned()),
            ..all()
        };
        assert_eq!(keys(text("EXECUTOR")).await, ["2.5.1"]);
        assert_eq!(keys(text("_ = func")).await, ["2.5.2"]);
        assert!(
            keys(text("_ % func")).await.is_empty(),
            "no wildcard gets through"
        );
        assert_eq!(keys(text("2.4.")).await, ["2.4.1", "2.4.2"]);
    }
}

#[tokio::test]
async fn what_waits_for_a_person_is_what_they_can_move_on() {
    for team in Team::each().await {
        let services = &team.world.services;
        let waiting = async |actor: &Actor| -> Vec<(String, WaitsFor)> {
            let list = services
                .waiting_on_me(actor, None, 50)
                .await
                .expect("lists")
                .entries;
            let n = services.n_waiting_on_me(actor).await.expect("counts");
            assert_eq!(n, i64::try_from(list.len()).expect("few"));
            list.into_iter()
                .map(|waiting| (waiting.item.key, waiting.waits_for))
                .collect()
        };
        let id = team.id("2.5.1").await;
        services.take_item(&team.owner, &id).await.expect("takes");
        let mine = vec![("2.5.1".to_owned(), WaitsFor::Owner)];
        assert_eq!(waiting(&team.owner).await, mine, "{}", team.on());
        team.send_to_review(&id).await;
        assert!(waiting(&team.owner).await.is_empty());
        let to_decide = vec![("2.5.1".to_owned(), WaitsFor::Reviewer)];
        assert_eq!(
            waiting(&team.reviewer).await,
            to_decide,
            "nobody is named: all reviewers"
        );
        assert_eq!(waiting(&team.manager).await, to_decide);
        assert!(waiting(&team.viewer).await.is_empty());
        let change = BulkChange::Reviewer(team.reviewer.id.clone());
        services
            .change_items(&team.manager, &team.review.id, &[id], &change)
            .await
            .expect("names a reviewer");
        assert!(waiting(&team.manager).await.is_empty());
        assert_eq!(waiting(&team.reviewer).await, to_decide);
        services
            .set_role(&team.manager, &team.service.id, &team.reviewer.id, None)
            .await
            .expect("takes the role away");
        assert!(waiting(&team.reviewer).await.is_empty(), "{}", team.on());
    }
}

#[tokio::test]
async fn lists_are_paged_without_gaps_or_repeats() {
    for team in Team::each().await {
        let services = &team.world.services;
        let version = team.review.template_version.clone();
        for _ in 0..4 {
            team.world.clock.advance(1);
            services
                .create_review(&team.manager, &team.service.id, new_review(version.clone()))
                .await
                .expect("begins");
        }
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = services
                .checklist(
                    &team.viewer,
                    &team.review.id,
                    &ItemFilter::default(),
                    after.as_ref(),
                    4,
                )
                .await
                .expect("lists");
            assert_eq!(page.n_matching, 13);
            let items = page.sections.into_iter().flat_map(|of| of.items);
            seen.extend(items.map(|item| item.item.position));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, (1..=13).collect::<Vec<_>>(), "{}", team.on());

        let first = services
            .reviews_of(&team.viewer, &team.service.id, None, 3)
            .await
            .expect("lists");
        let rest = services
            .reviews_of(&team.viewer, &team.service.id, first.next.as_ref(), 3)
            .await
            .expect("lists");
        let ids = |entries: &[(Review, _)]| -> Vec<_> {
            entries
                .iter()
                .map(|(review, _)| review.created_at)
                .collect()
        };
        let times = [ids(&first.entries), ids(&rest.entries)].concat();
        assert_eq!(times, [START + 4, START + 3, START + 2, START + 1, START]);
        assert_eq!(rest.next, None);
        let first = services
            .portfolio(&team.viewer, None, 3)
            .await
            .expect("lists");
        let rest = services
            .portfolio(&team.viewer, first.next.as_ref(), 3)
            .await
            .expect("lists");
        assert_eq!((first.entries.len(), rest.entries.len()), (3, 2));
        assert_eq!(first.entries[0].counts.items.blockers_left(), 13);
        assert_eq!(first.entries[0].role, Some(ServiceRole::Viewer));

        let of = ActivityOf::Service(team.service.id.clone());
        let first = services
            .activity_of(&team.viewer, &of, None, 6)
            .await
            .expect("lists");
        let rest = services
            .activity_of(&team.viewer, &of, first.next, 6)
            .await
            .expect("lists");
        let last = first.entries.last().expect("six entries").sequence;
        assert!(rest.entries[0].sequence < last);
        assert_eq!(rest.next, None);
    }
}

#[tokio::test]
async fn an_item_added_by_hand_stands_at_the_end_of_its_section() {
    for team in Team::each().await {
        let services = &team.world.services;
        let section = team.item("2.1.1").await.item.section;
        let new = NewItem {
            section,
            title: name("Feature flags"),
            body: Some(Prose::parse("List them.").expect("prose")),
            gating: Gating::Blocker,
        };
        let added = services
            .add_item(&team.manager, &team.review.id, new.clone())
            .await
            .expect("adds");
        assert_eq!((added.key.as_str(), added.source_line), ("2.1.4", 0));
        let before = team.item("2.1.4").await;
        assert_eq!(before.previous.as_deref(), Some("2.1.3"), "{}", team.on());
        assert_eq!(before.next.as_deref(), Some("2.2.1"));
        assert!(is_forbidden(
            &services
                .add_item(&team.owner, &team.review.id, new.clone())
                .await
        ));
        let elsewhere = NewItem {
            section: holdpoint_domain::SectionId::parse("elsewhere"),
            ..new
        };
        let (field, _) = rejected(
            services
                .add_item(&team.manager, &team.review.id, elsewhere)
                .await,
        );
        assert_eq!(field, "section");
    }
}

#[tokio::test]
async fn comments_stand_in_order_with_their_authors() {
    for team in Team::each().await {
        let services = &team.world.services;
        let on = CommentOn::Item(team.id("2.1.1").await);
        for (who, text) in [(&team.owner, "Ready."), (&team.reviewer, "Looking.")] {
            team.world.clock.advance(1);
            services
                .add_comment(who, &on, Prose::parse(text).expect("prose"))
                .await
                .expect("comments");
        }
        let said: Vec<_> = services
            .comments(&team.viewer, &on, None)
            .await
            .expect("lists")
            .entries
            .into_iter()
            .map(|comment| (comment.author.name, comment.body))
            .collect();
        let expected = [("jonas", "Ready."), ("mira", "Looking.")];
        assert_eq!(
            said,
            expected.map(|(who, text)| (who.to_owned(), text.to_owned()))
        );
        let absent = CommentOn::Finding(FindingId::parse("none").expect("an id"));
        assert!(is_not_found(
            &services.comments(&team.owner, &absent, None).await
        ));
        assert_eq!(team.item("2.1.1").await.figures.n_comments, 2);
    }
}

#[tokio::test]
async fn a_checklist_of_ten_thousand_items_becomes_a_review() {
    let mut lines = vec!["# Long".to_owned()];
    for section in 1..=100 {
        lines.push(format!("\n## Section {section}\n"));
        let items = (1..=100).map(|n| format!("- [ ] **Item {section}/{n}**: Show that it holds."));
        lines.extend(items);
    }
    let source = lines.join("\n");
    for world in World::each().await {
        let admin = world.admin("ada").await;
        let services = &world.services;
        let service = services
            .create_service(&admin, new_service("Long"))
            .await
            .expect("makes a service");
        let imported = services
            .import_template(&admin, import(None), source.clone().into_bytes())
            .await
            .expect("imports");
        let created = services
            .create_review(&admin, &service.id, new_review(imported.version.id))
            .await
            .expect("begins");
        assert_eq!(created.n_items, 10_000);
        let page = services
            .checklist(
                &admin,
                &created.review.id,
                &ItemFilter::default(),
                None,
                500,
            )
            .await
            .expect("shows");
        assert_eq!(page.n_matching, 10_000);
        assert_eq!(page.head.counts.items.total(), 10_000, "{}", world.on.name);
        assert_eq!(page.sections.len(), 5);
    }
}

#[tokio::test]
async fn a_waiver_that_ran_out_counts_as_in_review_everywhere() {
    for team in Team::each().await {
        let services = &team.world.services;
        let item = team.id("2.1.1").await;
        team.send_to_review(&item).await;
        team.sign(&team.manager, &item, "waive")
            .await
            .expect("waives");
        let mut tx = team.world.on.database.write().await.expect("writes");
        tx.set_reviewers(&item, std::slice::from_ref(&team.reviewer.id))
            .await
            .expect("stores");
        tx.commit().await.expect("commits");
        assert_eq!(team.item("2.1.1").await.state, ItemState::Waived);
        assert_eq!(team.item("2.1.1").await.head.counts.items.cleared(), 1);
        team.world.clock.advance(40 * DAY);
        let page = team.item("2.1.1").await;
        assert_eq!(page.state, ItemState::InReview, "{}", team.on());
        assert_eq!(page.head.counts.items.cleared(), 0);
        assert_eq!(page.head.counts.items.in_state(ItemState::InReview), 1);
        assert_eq!(
            services
                .n_waiting_on_me(&team.reviewer)
                .await
                .expect("counts"),
            1
        );
        let back = services
            .step(&team.owner, &page.item.id, Step::BackToWork, None)
            .await
            .expect("is worked on again");
        assert_eq!(
            (back.state, back.round, back.waived_until),
            (ItemState::InProgress, 2, None)
        );
    }
}

#[tokio::test]
async fn a_token_for_one_service_sees_only_that() {
    for team in Team::each().await {
        let services = &team.world.services;
        let other = services
            .create_service(&team.admin, new_service("Other"))
            .await
            .expect("makes a service");
        let mut token = team.admin.clone();
        token.token = Some(holdpoint_service::TokenGrant {
            id: TokenId::parse("none").expect("an id"),
            service: Some(other.id.clone()),
            actions: vec![holdpoint_domain::person::Action::Read],
        });
        let seen: Vec<ServiceId> = services
            .services_for(&token)
            .await
            .expect("lists")
            .into_iter()
            .map(|readable| readable.service.id)
            .collect();
        assert_eq!(seen, [other.id], "{}", team.on());
        assert!(
            services
                .portfolio(&token, None, 10)
                .await
                .expect("lists")
                .entries
                .is_empty()
        );
        assert!(is_not_found(
            &services.review(&token, &team.review.id).await
        ));
        let import = services
            .import_template(&token, import(None), SEED.to_vec())
            .await;
        assert!(is_forbidden(&import), "{import:?}");
    }
}

#[tokio::test]
async fn titles_that_hold_what_cannot_be_seen_are_refused_in_documents() {
    let team = Team::in_world(World::sqlite().await).await;
    for (document, line) in [
        (
            "# PRR\n\n## Access\n\n- [ ] **Pass\u{202e}word**: rotated\n",
            5,
        ),
        (
            "# PRR\n\n## Acc\u{200b}ess\n\n- [ ] **Password**: rotated\n",
            3,
        ),
        (
            "# PRR\n\n## Access\n\n- [ ] **Password**: rotated\n\n## Deliverables\n\n1. **Re\u{2066}port**\n",
            9,
        ),
    ] {
        let refused = team.world.services.import_template(
            &team.manager,
            import(None),
            document.as_bytes().to_vec(),
        );
        let (field, message) = rejected(refused.await);
        assert_eq!(field, "document");
        assert!(message.starts_with(&format!("Line {line}: ")), "{message}");
    }
}

#[tokio::test]
async fn a_long_talk_is_read_part_by_part_to_its_beginning() {
    for team in Team::each().await {
        let services = &team.world.services;
        let on = CommentOn::Item(team.id("2.1.1").await);
        for n in 0..230 {
            // Several are of the same moment.
            team.world.clock.advance(i64::from(n % 3 == 0));
            let text = Prose::parse(&n.to_string()).expect("prose");
            services
                .add_comment(&team.owner, &on, text)
                .await
                .expect("comments");
        }
        let mut said = Vec::new();
        let mut sizes = Vec::new();
        let mut before = None;
        loop {
            let part = services
                .comments(&team.viewer, &on, before.as_ref())
                .await
                .expect("lists");
            sizes.push(part.entries.len());
            let numbers = part.entries.into_iter();
            let numbers = numbers.map(|comment| comment.body.parse::<u32>().expect("a number"));
            said.splice(0..0, numbers);
            before = part.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(sizes, [100, 100, 30], "{}", team.on());
        assert!(said.is_sorted_by_key(|n| n / 3), "{}: {said:?}", team.on());
        said.sort_unstable();
        assert!(said.into_iter().eq(0..230), "{}", team.on());
    }
}
