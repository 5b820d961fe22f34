//! Notes and outputs of commands that are long: what of them is shown, that they count as uploads, and that an edit in the
//! database is found however often they were read before.

mod common;

use common::{World, team::Team};
use holdpoint_domain::{EvidenceId, ItemId};
use holdpoint_service::{
    Actor, ServiceError, UploadBy,
    evidence::{EvidenceFields, EvidenceRequest, MAX_LISTED_TEXT},
};
use holdpoint_storage::TextDigests;

const ITEM: &str = "2.1.1";
/// Long enough for what is known of texts to be asked for.
const LONG: usize = 100 * 1024;

fn output(mark: &str, n_bytes: usize) -> EvidenceRequest {
    let fields = EvidenceFields {
        kind: "output".to_owned(),
        command: "make soak".to_owned(),
        exit_code: "0".to_owned(),
        output: format!("{mark}{}", " ".repeat(n_bytes - mark.len())),
        ..EvidenceFields::default()
    };
    EvidenceRequest::parse(&fields, None).expect("an output")
}

impl Team {
    async fn add_outputs(&self, item: &ItemId) -> Vec<EvidenceId> {
        let mut added = Vec::new();
        for mark in ["one", "two", "three"] {
            let request = output(mark, LONG);
            let services = &self.world.services;
            let id = services.add_evidence(&self.owner, item, request).await;
            added.push(id.expect("is added"));
        }
        added
    }

    async fn n_damaged(&self, item: &ItemId) -> u32 {
        let services = &self.world.services;
        let standing = services.item_standing(&self.viewer, item).await;
        standing.expect("stands").1.facts.n_damaged_evidence
    }
}

#[tokio::test]
async fn a_long_text_that_somebody_edits_in_the_database_is_found_however_often_it_was_read() {
    for team in Team::each().await {
        let services = &team.world.services;
        let item = team.id(ITEM).await;
        let added = team.add_outputs(&item).await;
        for _ in 0..4 {
            assert_eq!(team.n_damaged(&item).await, 0, "{}", team.on());
            let listed = services.evidence_of(&team.viewer, &item).await;
            assert!(listed.expect("reads").iter().all(|view| !view.damaged));
        }
        let edit = |id: &EvidenceId| {
            format!("update evidence set body = 'x' || substr(body, 2) where id = '{id}'")
        };
        for (n, id) in (1..).zip(&added[..2]) {
            let another = &team.world.on;
            another.write_as_another_for_test(&edit(id)).await;
            for _ in 0..3 {
                assert_eq!(team.n_damaged(&item).await, n, "{}", team.on());
                let listed = services.evidence_of(&team.viewer, &item).await;
                let listed = listed.expect("reads");
                let of_it = listed.iter().find(|view| view.evidence.id == *id);
                let of_it = of_it.expect("is listed");
                assert!(of_it.damaged && of_it.evidence.body.is_empty());
            }
            let text = services.evidence_text(&team.viewer, id).await;
            assert!(
                matches!(text, Err(ServiceError::Unavailable(_))),
                "{text:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_text_is_digested_once_until_somebody_else_writes() {
    for team in Team::each().await {
        let database = &team.world.on.database;
        let item = team.id(ITEM).await;
        let added = team.add_outputs(&item).await;
        let memory = TextDigests::default();
        let read = async || {
            let known = memory.known(database);
            let mut tx = database.read().await.expect("reads");
            tx.item_place(&item).await.expect("reads");
            let read = tx.newest_evidence(&item, 10, 8, &known).await;
            read.expect("reads")
        };
        // The first look begins, the second keeps.
        for _ in 0..3 {
            assert!(read().await.iter().all(|shown| !shown.is_damaged));
        }
        assert_eq!(memory.len(), 3, "{}", team.on());
        // What is known is gone by: of a known text only the beginning is read.
        let known = read().await;
        for shown in known {
            assert_eq!((shown.evidence.body.len(), shown.is_cut), (8, true));
        }
        // This process writes, which it never does to a text.
        let note = EvidenceFields {
            kind: "note".to_owned(),
            text: "Read.".to_owned(),
            ..EvidenceFields::default()
        };
        let note = EvidenceRequest::parse(&note, None).expect("a note");
        let services = &team.world.services;
        let added_note = services.add_evidence(&team.owner, &item, note).await;
        added_note.expect("is added");
        read().await;
        assert_eq!(memory.len(), 4, "{}", team.on());
        let edit = format!(
            "update evidence set title = 'Another' where id = '{}'",
            added[0]
        );
        team.world.on.write_as_another_for_test(&edit).await;
        let damaged = |shown: &[holdpoint_storage::ShownEvidence]| {
            shown.iter().filter(|shown| shown.is_damaged).count()
        };
        assert_eq!(damaged(&read().await), 1, "{}", team.on());
        assert_eq!(damaged(&read().await), 1, "{}", team.on());
        assert_eq!(damaged(&read().await), 1, "{}", team.on());
    }
}

#[tokio::test]
async fn what_was_read_before_somebody_wrote_is_not_kept_as_what_is_there_now() {
    for team in Team::each().await {
        let database = &team.world.on.database;
        let item = team.id(ITEM).await;
        let added = team.add_outputs(&item).await;
        let memory = TextDigests::default();
        let read = async |known| {
            let mut tx = database.read().await.expect("reads");
            tx.item_place(&item).await.expect("reads");
            let read = tx.newest_evidence(&item, 10, 8, &known).await;
            read.expect("reads")
        };
        read(memory.known(database)).await;
        // One begins, another program writes, and only then the first goes on.
        let known = memory.known(database);
        let mut tx = database.read().await.expect("reads");
        tx.item_place(&item).await.expect("reads");
        let edit = format!(
            "update evidence set title = 'Another' where id = '{}'",
            added[0]
        );
        team.world.on.write_as_another_for_test(&edit).await;
        let before = tx.newest_evidence(&item, 10, 8, &known).await;
        let before = before.expect("reads");
        drop(tx);
        assert!(
            before.iter().all(|shown| !shown.is_damaged),
            "{}",
            team.on()
        );
        for _ in 0..3 {
            let now = read(memory.known(database)).await;
            assert_eq!(now.iter().filter(|shown| shown.is_damaged).count(), 1);
        }
    }
}

#[tokio::test]
async fn lists_have_the_beginnings_of_texts_and_a_page_no_more_than_a_mebibyte() {
    for team in Team::each().await {
        let services = &team.world.services;
        let item = team.id(ITEM).await;
        let n = 60;
        for _ in 0..n {
            let added = services
                .add_evidence(&team.owner, &item, output("ü", 30 * 1024))
                .await;
            added.expect("is added");
        }
        let shown = services.evidence_of(&team.viewer, &item).await;
        let shown = shown.expect("reads");
        assert!(shown.iter().all(|view| view.is_cut && !view.damaged));
        let bytes: usize = shown.iter().map(|view| view.evidence.body.len()).sum();
        assert!(
            (900 * 1024..=1024 * 1024).contains(&bytes),
            "{bytes} on {}",
            team.on()
        );
        // The newest are those that are shown.
        assert_eq!(shown[n - 1].evidence.body.len(), MAX_LISTED_TEXT);
        assert!(shown[0].evidence.body.is_empty());
        let page = services
            .evidence_page(&team.viewer, &item, None, 5)
            .await
            .expect("lists");
        let lengths = page.entries.iter().map(|view| view.evidence.body.len());
        assert_eq!(lengths.collect::<Vec<_>>(), [MAX_LISTED_TEXT; 5]);
        let whole = services
            .evidence_text(&team.viewer, &shown[0].evidence.id)
            .await
            .expect("reads");
        assert_eq!(
            whole.body.len(),
            usize::try_from(whole.size_bytes).expect("few")
        );
    }
}

#[tokio::test]
async fn texts_count_as_uploads_as_files_do() {
    let team = Team::in_world(World::sqlite().await).await;
    let services = &team.world.services;
    let item = team.id(ITEM).await;
    let most = usize::try_from(services.limits().upload_bytes_per_hour).expect("fits");
    let by = |actor| UploadBy {
        actor,
        service: Some(&team.service.id),
    };
    services
        .count_small_upload(by(&team.manager), most - 1_500)
        .expect("fits");
    let add = async |who: &Actor| {
        services
            .add_evidence(who, &item, output("soak", 1_000))
            .await
    };
    // Whoever may not add any does not use up what the service may.
    for _ in 0..3 {
        assert!(matches!(
            add(&team.viewer).await,
            Err(ServiceError::Forbidden(_))
        ));
    }
    add(&team.owner).await.expect("fits");
    let refused = add(&team.owner).await;
    let Err(ServiceError::TooOften { message, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert!(
        message.starts_with("This service has uploaded"),
        "{message}"
    );
    let stored = services.evidence_of(&team.viewer, &item).await;
    assert_eq!(stored.expect("reads").len(), 1);
}
