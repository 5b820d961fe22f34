//! Imports that go on by themselves: how far they are, what came of them, and how they are stopped.

mod common;

use std::time::Duration;

use common::{
    is_not_found,
    scans::{result, sarif},
    team::Team,
};
use holdpoint_domain::Digest;
use holdpoint_service::{ImportState, scans::ScanRequest};

impl Team {
    /// A request with the ground of its preview.
    async fn previewed(&self, rule: &str) -> (ScanRequest, Digest) {
        let file = sarif(&[result(rule, "error", 3)]).to_string();
        let mut request = self.request(file.as_bytes(), Some(rule), None).await;
        request.file_name = format!("{rule}.sarif");
        let services = &self.world.services;
        let preview = services
            .import_scan(&self.owner, &self.service.id, request.clone(), true)
            .await
            .expect("previews");
        (request, preview.ground)
    }
}

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn several_files_are_imported_one_after_the_other_and_their_end_is_told() {
    for team in Team::each().await {
        let services = &team.world.services;
        let files = vec![team.previewed("A").await, team.previewed("B").await];
        let imports = services
            .start_imports(&team.owner, &team.service.id, "upload", files, LONG)
            .await
            .expect("starts");
        assert!(imports.is_over);
        let done = imports
            .files
            .iter()
            .filter(|file| matches!(&file.state, ImportState::Done(outcome) if outcome.changes.new == 1))
            .count();
        assert_eq!(done, 2, "{imports:?}");
        // Who did not begin it is told nothing of it.
        let watched = services.running_imports(&team.owner, &imports.id).await;
        assert!(watched.is_ok(), "{watched:?}");
        assert!(is_not_found(
            &services.running_imports(&team.manager, &imports.id).await
        ));
        assert!(is_not_found(
            &services.cancel_imports(&team.manager, &imports.id)
        ));
    }
}

#[tokio::test]
async fn a_refusal_ends_it_and_what_was_imported_before_stays() {
    for team in Team::each().await {
        let services = &team.world.services;
        let (request, _) = team.previewed("B").await;
        let files = vec![
            team.previewed("A").await,
            (request, Digest::of(b"another ground")),
            team.previewed("C").await,
        ];
        let imports = services
            .start_imports(&team.owner, &team.service.id, "upload", files, LONG)
            .await
            .expect("starts");
        let states: Vec<_> = imports.files.into_iter().map(|file| file.state).collect();
        assert!(
            matches!(
                states.as_slice(),
                [ImportState::Done(_), ImportState::Refused { why, is_conflict: true }, ImportState::Waiting]
                if why.contains("changed since this preview")
            ),
            "{states:?}"
        );
        assert_eq!(team.n_scans().await, 1);
    }
}

#[tokio::test]
async fn a_cancelled_import_stores_nothing_and_says_so() {
    for team in Team::each().await {
        let services = &team.world.services;
        let (request, ground) = team.previewed("A").await;
        request.watch.cancel();
        let log = team.world.log().await.len();
        let imports = services
            .start_imports(
                &team.owner,
                &team.service.id,
                "upload",
                vec![(request, ground)],
                LONG,
            )
            .await
            .expect("starts");
        let [file] = imports.files.as_slice() else {
            panic!("one file");
        };
        assert!(
            matches!(&file.state, ImportState::Refused { why, .. } if why.contains("cancelled")),
            "{file:?}"
        );
        assert_eq!(
            (team.n_scans().await, team.world.log().await.len()),
            (0, log)
        );
        assert!(team.findings().await.is_empty());
    }
}

/// Cancels at its own moment of the import: while it reads, while it compares, while it stores.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_cancelled_while_it_runs_stores_all_or_nothing() {
    for team in Team::each().await {
        let services = &team.world.services;
        for n in 0..20_u32 {
            let results: Vec<_> = (0..600)
                .map(|line| result(&format!("R{n}-{line}"), "error", line + 1))
                .collect();
            let file = sarif(&results).to_string();
            let request = team.request(file.as_bytes(), None, None).await;
            let watch = request.watch.clone();
            let before = team.n_scans().await;
            let importing = services.import_scan(&team.owner, &team.service.id, request, false);
            let cancelling = async {
                // Other work gets its turn between any two steps: the more turns, the later.
                for _ in 0..n * 3 {
                    tokio::task::yield_now().await;
                }
                watch.cancel();
            };
            let (outcome, ()) = tokio::join!(importing, cancelling);
            let stored = team.n_scans().await - before;
            assert_eq!(stored, usize::from(outcome.is_ok()), "{outcome:?}");
        }
    }
}
