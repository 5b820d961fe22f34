//! What the database and the evidence folder do when the machine under them fails.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use holdpoint_storage::{
    Database, DatabaseUrl, Failure, FileStore, StorageError, commits, testing::TestDatabase,
};

/// A value that no longer fits when a few pages are left.
fn large() -> String {
    "x".repeat(4 * 1024 * 1024)
}

async fn write(database: &Database, value: &str) -> Result<(), StorageError> {
    let mut tx = database.write().await?;
    tx.set_setting("large", value).await?;
    tx.commit().await
}

#[tokio::test]
async fn after_a_full_disk_writing_goes_on_once_there_is_room() {
    let on = TestDatabase::sqlite().await;
    for round in 0..3 {
        // The limit is one connection's, as a full disk is for as long as it is full.
        on.limit_pages_for_test(20).await;
        let error = write(&on.database, &large())
            .await
            .expect_err("there is no room");
        assert_eq!(Failure::of(&error), Failure::Full, "{error:?}");
        // What did not fit left nothing, and there is room again.
        let mut tx = on.database.write().await.expect("begins");
        let kept = tx.setting("large").await.expect("reads");
        assert_eq!(kept.as_deref(), (round > 0).then_some("small"));
        drop(tx);
        write(&on.database, "small").await.expect("there is room");
    }
    write(&on.database, &large()).await.expect("there is room");
}

#[tokio::test]
async fn what_ended_in_a_panic_or_was_given_up_leaves_the_writer_to_others() {
    for on in TestDatabase::each().await {
        let database = on.database.clone();
        let panicked = tokio::spawn(async move {
            let mut tx = database.write().await.expect("begins");
            tx.set_setting("a", "panicked").await.expect("sets");
            panic!("on purpose");
        });
        panicked.await.expect_err("it panicked");
        // Given up at every point at which somebody may hang up.
        for polls in 0..40 {
            let work = async {
                let mut tx = on.database.write().await.expect("begins");
                tx.set_setting("a", "given up").await.expect("sets");
                tx.setting("a").await.expect("reads");
                std::future::pending::<()>().await;
            };
            let mut work = Box::pin(work);
            for _ in 0..polls {
                tokio::select! {
                    biased;
                    () = &mut work => unreachable!("it never ends"),
                    () = tokio::task::yield_now() => {}
                }
            }
        }
        let mut tx = on.database.write().await.expect("begins");
        assert_eq!(tx.setting("a").await.expect("reads"), None, "{}", on.name);
        tx.set_setting("a", "done").await.expect("sets");
        tx.commit().await.expect("commits");
    }
}

#[tokio::test]
async fn a_commit_after_a_failed_statement_never_says_that_it_kept_what_it_did_not() {
    for on in TestDatabase::each().await {
        let mut tx = on.database.write().await.expect("begins");
        tx.set_setting("a", "1").await.expect("sets");
        tx.tamper_with_activity_for_test("insert into setting (key, value) values ('a', null)")
            .await
            .expect_err("the value is missing");
        let committed = tx.commit().await;
        let mut tx = on.database.read().await.expect("reads");
        let kept = tx.setting("a").await.expect("reads").is_some();
        assert_eq!(committed.is_ok(), kept, "{}", on.name);
    }
}

#[tokio::test]
async fn a_connection_that_was_cut_off_is_not_given_out_again() {
    let Some(on) = TestDatabase::postgres().await else {
        return;
    };
    let mut tx = on.database.write().await.expect("begins");
    tx.set_setting("a", "1").await.expect("sets");
    on.cut_connections_for_test().await;
    let error = tx.commit().await.expect_err("the connection is gone");
    assert_eq!(Failure::of(&error), Failure::Away, "{error:?}");
    for _ in 0..12 {
        write(&on.database, "small").await.expect("goes on");
    }
}

#[tokio::test]
async fn whether_something_was_committed_is_known_where_it_was_asked_for() {
    let on = TestDatabase::sqlite().await;
    assert!(!commits::is_certain_that_none(), "nobody watches");
    commits::watch(async {
        let mut tx = on.database.write().await.expect("begins");
        tx.set_setting("a", "1").await.expect("sets");
        drop(tx);
        on.database.probe(1).await.expect("probes");
        assert!(commits::is_certain_that_none());
        write(&on.database, "small").await.expect("writes");
        assert!(!commits::is_certain_that_none());
    })
    .await;
}

#[tokio::test]
async fn people_wait_for_the_disk_and_imports_do_not() {
    let on = TestDatabase::sqlite().await;
    let full = "2";
    let mut tx = on.database.write().await.expect("begins");
    assert_eq!(tx.pragma_for_test("pragma synchronous").await, full);
    drop(tx);
    let mut tx = on.database.write_repeatable().await.expect("begins");
    assert_eq!(tx.pragma_for_test("pragma synchronous").await, "1");
    tx.set_setting("a", "1").await.expect("sets");
    on.database.commit_large(tx).await.expect("commits");
    let mut tx = on.database.write().await.expect("begins");
    assert_eq!(tx.pragma_for_test("pragma synchronous").await, full);
    assert_eq!(
        tx.pragma_for_test("pragma wal_autocheckpoint").await,
        "1000"
    );
    assert_eq!(tx.setting("a").await.expect("reads").as_deref(), Some("1"));
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path)
        .expect("is there")
        .permissions()
        .mode()
        & 0o7777
}

#[tokio::test]
async fn the_files_are_their_owners_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    holdpoint_storage::private::make_folder(&data).expect("makes");
    let file = data.join("holdpoint.db");
    let database = Database::open(&DatabaseUrl::Sqlite(file.clone()))
        .await
        .expect("opens");
    write(&database, "small").await.expect("writes");
    let store = FileStore::open(&data.join("evidence"))
        .await
        .expect("opens");
    let kept = store.keep(b"evidence").await.expect("keeps");
    let mut receiving = store.receive().await.expect("receives");
    receiving.write(b"half").await.expect("writes");
    for beside in ["holdpoint.db", "holdpoint.db-wal", "holdpoint.db-shm"] {
        assert_eq!(mode(&data.join(beside)), 0o600, "{beside}");
    }
    assert_eq!(mode(&store.path(&kept.sha256)), 0o600);
    assert_eq!(mode(receiving.path()), 0o600);
    let kept_in: PathBuf = store.path(&kept.sha256).parent().expect("a folder").into();
    for folder in [&data, &data.join("evidence"), &store.incoming(), &kept_in] {
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
    }
    let open = || holdpoint_storage::private::open_to_others(&data).expect("looks");
    assert_eq!(open(), []);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("sets");
    assert_eq!(open(), [(file, 0o640)]);
    drop(receiving);
    database.close().await;
}

#[tokio::test]
async fn tables_of_a_newer_version_are_refused_with_a_sentence() {
    for on in TestDatabase::each().await {
        on.add_unknown_step_for_test().await;
        let error = Database::open(&on.url).await.expect_err("it is newer");
        assert_eq!(
            error.to_string(),
            "its tables are of a newer version of Holdpoint: their step 999999 is not known here. Start that version, or \
             restore a backup that was made before the upgrade",
            "{}",
            on.name
        );
    }
}

#[tokio::test]
async fn a_question_that_nobody_waits_for_any_more_ends() {
    let on = TestDatabase::sqlite().await;
    // As many as there are connections that read; each would be counted for ever.
    let endless =
        "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n";
    for _ in 0..8 {
        let mut tx = on.database.read().await.expect("begins");
        let asked = async move { tx.tamper_with_activity_for_test(endless).await };
        let soon = std::time::Duration::from_millis(20);
        tokio::time::timeout(soon, asked)
            .await
            .expect_err("it has no end");
    }
    for _ in 0..16 {
        let soon = std::time::Duration::from_secs(5);
        let read = async {
            let mut tx = on.database.read().await.expect("begins");
            tx.setting("a").await
        };
        let read = tokio::time::timeout(soon, read).await;
        read.expect("the connections are free again")
            .expect("reads");
    }
}

#[tokio::test]
async fn postgresql_gives_no_question_of_a_request_longer_than_the_request() {
    let Some(on) = TestDatabase::postgres().await else {
        return;
    };
    let limited = "select 1 where current_setting('statement_timeout') = '30s'";
    let mut tx = on.database.read().await.expect("begins");
    let n = tx.tamper_with_activity_for_test(limited).await;
    assert_eq!(n.expect("answers"), 1);
    drop(tx);
    // It is of that one unit of work.
    for mut tx in [
        on.database.read_at_leisure().await.expect("begins"),
        on.database.write().await.expect("begins"),
    ] {
        let n = tx.tamper_with_activity_for_test(limited).await;
        assert_eq!(n.expect("answers"), 0);
    }
}
