//! Many pieces of evidence on one item, and other lists that are long: none is out of reach, and none is cut in silence.

mod common;

use std::collections::BTreeSet;

use common::{DAY, START, World, is_not_found, rejected, team::Team};
use holdpoint_domain::{Digest, EvidenceId, text::Reason};
use holdpoint_service::NewToken;
use holdpoint_storage::NewEvidence;

const MANY: usize = 2_005;

fn id(n: usize) -> EvidenceId {
    let at = common::START + i64::try_from(n).expect("few");
    let time = format!("{at:012x}");
    let text = format!("{}-{}-7000-8000-{n:012x}", &time[..8], &time[8..]);
    EvidenceId::parse(&text).expect("an id")
}

#[tokio::test]
async fn the_two_thousand_and_first_piece_of_evidence_is_found_listed_and_withdrawn() {
    for team in Team::each().await {
        let services = &team.world.services;
        let item = team.id("2.1.1").await;
        let mut tx = team.world.on.database.write().await.expect("writes");
        for n in 0..MANY {
            tx.insert_evidence(&NewEvidence {
                id: &id(n),
                item: &item,
                kind: "note",
                title: &format!("Note {n}"),
                body: "Read.",
                command: None,
                exit_code: None,
                host: None,
                sha256: &Digest::of(b"Read."),
                file_sha256: None,
                file_name: None,
                media_type: None,
                size_bytes: 5,
                scan: None,
                commit: None,
                path: None,
                start_line: None,
                end_line: None,
                observed_at: common::START,
                created_at: common::START + i64::try_from(n).expect("few"),
                created_by: &team.owner.id,
            })
            .await
            .expect("inserts");
        }
        tx.commit().await.expect("commits");
        // Page by page all of them, each once, in the order of time.
        let (mut listed, mut after) = (Vec::new(), None);
        loop {
            let page = services
                .evidence_page(&team.viewer, &item, after.as_ref(), 200)
                .await
                .expect("lists");
            listed.extend(page.entries.into_iter().map(|view| view.evidence.title));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let expected: Vec<_> = (0..MANY).map(|n| format!("Note {n}")).collect();
        assert_eq!(listed, expected, "{}", team.on());
        // The item's page shows the newest.
        let shown = services
            .evidence_of(&team.viewer, &item)
            .await
            .expect("lists");
        let titles: BTreeSet<_> = shown.iter().map(|view| &*view.evidence.title).collect();
        assert_eq!(titles.len(), holdpoint_service::MAX_PAGE);
        assert!(titles.contains("Note 2004"));
        let last = id(MANY - 1);
        let view = services
            .evidence_view(&team.viewer, &item, &last)
            .await
            .expect("is there");
        assert_eq!(view.evidence.title, "Note 2004");
        let reason = Reason::parse("It was of another release.").expect("a reason");
        services
            .withdraw_evidence(&team.owner, &last, reason.as_str())
            .await
            .expect("withdraws");
        let other = team.id("2.1.2").await;
        let elsewhere = services.evidence_view(&team.viewer, &other, &last).await;
        assert!(is_not_found(&elsewhere), "{}", team.on());
    }
}

#[tokio::test]
async fn a_list_that_is_read_whole_takes_no_more_than_it_shows() {
    let world = World::sqlite().await;
    let ana = world.member("ana").await;
    let services = &world.services;
    let make = async || {
        let new = NewToken {
            name: "ci",
            service: None,
            scopes: vec!["read"],
            expires_at: START + 30 * DAY,
        };
        services.create_token_for("ana@example.org", new).await
    };
    for _ in 0..500 {
        make().await.expect("makes one");
    }
    let (field, message) = rejected(make().await);
    assert_eq!(field, "name");
    assert!(message.contains("500 tokens"), "{message}");
    assert_eq!(services.tokens(&ana).await.expect("lists").len(), 500);
}
