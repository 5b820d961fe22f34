//! Backups are whole whatever goes on meanwhile, and are restored into either database, also those of an older version.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::{
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use common::World;
use holdpoint_domain::Digest;
use holdpoint_service::{
    Actor, Ids, KeyStore, Limits, Services, SystemClock,
    backup::{BackupError, BackupManifest, back_up, restore, verify_backup, verify_files},
};
use holdpoint_storage::{
    Database, DatabaseUrl, FileStore, NewActivity, StorageError,
    testing::{TestDatabase, each_empty},
};

/// Made with `holdpoint sample` and `holdpoint backup` when the first step of the tables was the only one.
const OF_SCHEMA_1: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/testdata/sample-of-schema-0001.holdpoint"
);

async fn back_up_into(
    database: &Database,
    files: &FileStore,
    keys: &Path,
    out: &Path,
) -> Result<BackupManifest, BackupError> {
    let out = std::fs::File::create(out).expect("a file");
    back_up(database, files, keys, out, 1).await
}

async fn restore_into(
    backup: &Path,
    url: &DatabaseUrl,
    data: &Path,
) -> Result<BackupManifest, BackupError> {
    restore(backup, url, data, &data.join("keys")).await
}

async fn open(url: &DatabaseUrl, data: &Path) -> Services {
    Services::new(
        Database::open(url).await.expect("opens"),
        FileStore::open(&data.join("evidence"))
            .await
            .expect("opens"),
        KeyStore::new(data.join("keys"), None),
        Arc::new(SystemClock),
        Ids::from_system(),
        Limits::default(),
    )
}

/// Stores a file and says so in the log, as one unit of work.
async fn store(database: &Database, files: &FileStore, n: u32) {
    let kept = files
        .keep(format!("file {n}").as_bytes())
        .await
        .expect("keeps");
    let mut tx = database.write().await.expect("begins");
    tx.keep_file(&kept, 1).await.expect("inserts");
    tx.append_activity(NewActivity {
        at: 1,
        actor: "system",
        action: "file.stored",
        subject_kind: "file",
        subject: kept.sha256.as_str(),
        service: None,
        review: None,
        summary: format!("Stored file {n}"),
        before: None,
        after: None,
    })
    .await
    .expect("appends");
    tx.commit().await.expect("commits");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_while_others_write_is_one_moment_with_all_its_files() {
    for on in TestDatabase::each().await {
        let from = tempfile::tempdir().unwrap();
        let files = FileStore::open(&from.path().join("evidence"))
            .await
            .unwrap();
        let keys = from.path().join("keys");
        std::fs::create_dir(&keys).unwrap();
        std::fs::write(keys.join("report-1"), "a key").unwrap();
        for n in 0..50 {
            store(&on.database, &files, n).await;
        }
        let is_over = Arc::new(AtomicBool::new(false));
        let writer = tokio::spawn({
            let (database, files, is_over) = (on.database.clone(), files.clone(), is_over.clone());
            async move {
                let mut n = 50;
                while !is_over.load(Ordering::Relaxed) {
                    store(&database, &files, n).await;
                    n += 1;
                }
                n
            }
        });
        let mut backups = Vec::new();
        for n in 0..5 {
            let out = from.path().join(format!("backup-{n}"));
            let made = back_up_into(&on.database, &files, &keys, &out)
                .await
                .unwrap();
            assert_eq!(made.missing, [], "{}", on.name);
            assert_eq!(verify_backup(&out).unwrap(), made);
            backups.push((out, made));
        }
        is_over.store(true, Ordering::Relaxed);
        let n_stored = writer.await.unwrap();
        assert!(n_stored > 50, "it wrote meanwhile");
        for (out, made) in &backups[3..] {
            for (url, data) in each_empty().await {
                restore_into(out, &url, data.path()).await.unwrap();
                let services = open(&url, data.path()).await;
                let mut tx = services.database().read().await.unwrap();
                let (length, head) = tx.activity_head().await.unwrap();
                drop(tx);
                assert_eq!((length, &head), (made.log.length, &made.log.head));
                // An instance without a key makes one for this, and says so in the log.
                let log = services.verify_log().await.unwrap();
                assert_eq!(log.problems, Vec::<String>::new());
                let checked = verify_files(services.database(), services.files())
                    .await
                    .unwrap();
                assert_eq!(checked.missing, []);
                // Each entry came with its file.
                assert_eq!(i64::try_from(checked.n_files).unwrap(), length, "{url}");
                let key = std::fs::read_to_string(data.path().join("keys/report-1")).unwrap();
                assert_eq!(key, "a key");
                services.database().close().await;
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_had_is_named_and_the_rest_is_in_the_backup() {
    let world = World::sqlite().await;
    let (database, files) = (&world.on.database, world.services.files());
    for n in 0..3 {
        store(database, files, n).await;
    }
    let digest = |n: u32| Digest::of(format!("file {n}").as_bytes());
    std::fs::write(files.path(&digest(0)), "file X").unwrap();
    std::fs::remove_file(files.path(&digest(1))).unwrap();
    let checked = verify_files(database, files).await.unwrap();
    let found = |sha256: &Digest| {
        let missing = checked.missing.iter();
        missing
            .clone()
            .find(|missing| missing.sha256 == sha256.as_str())
            .map(|missing| missing.is_damaged)
    };
    assert_eq!(
        (found(&digest(0)), found(&digest(1)), found(&digest(2))),
        (Some(true), Some(false), None)
    );
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("backup");
    let made = back_up_into(database, files, folder.path(), &out)
        .await
        .unwrap();
    assert_eq!(made.missing, checked.missing);
    assert_eq!(made.files.len(), 1);
    assert_eq!(verify_backup(&out).unwrap(), made);
}

#[tokio::test]
async fn a_backup_in_which_a_byte_is_other_is_not_restored() {
    let world = World::sqlite().await;
    store(&world.on.database, world.services.files(), 1).await;
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("backup");
    back_up_into(
        &world.on.database,
        world.services.files(),
        &folder.path().join("keys"),
        &out,
    )
    .await
    .unwrap();
    let whole = std::fs::read(&out).unwrap();
    let changed = folder.path().join("changed");
    let refuses = |bytes: &[u8], what: &str| {
        std::fs::write(&changed, bytes).unwrap();
        let refused = verify_backup(&changed);
        assert!(refused.is_err(), "{what}: {refused:?}");
    };
    refuses(&whole[..whole.len() / 2], "cut");
    refuses(b"PK", "no archive");
    // Behind a part's name and the rest of its head is its content; that of a stored file is there as it is.
    for (what, behind) in [
        (&b"tables/activity.jsonl"[..], 90),
        (b"file 1", 0),
        (b"manifest.json", 90),
    ] {
        let at = whole
            .windows(what.len())
            .position(|window| window == what)
            .unwrap();
        let mut bytes = whole.clone();
        bytes[at + behind] ^= 1;
        refuses(&bytes, &String::from_utf8_lossy(what));
    }
    // An archive that is whole, with a part that its list does not name.
    let added = folder.path().join("added");
    std::fs::copy(&out, &added).unwrap();
    let file = std::fs::File::options()
        .read(true)
        .write(true)
        .open(&added)
        .unwrap();
    let mut zip = zip::ZipWriter::new_append(file).unwrap();
    zip.start_file("keys/evil", zip::write::SimpleFileOptions::default())
        .unwrap();
    zip.write_all(b"x").unwrap();
    zip.finish().unwrap();
    refuses(&std::fs::read(&added).unwrap(), "a part more");
    // Nothing of a refused backup is left anywhere.
    let (url, data) = each_empty().await.remove(0);
    restore_into(&changed, &url, data.path()).await.unwrap_err();
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_list_that_leads_elsewhere_is_refused() {
    let world = World::sqlite().await;
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("backup");
    let keys = folder.path().join("keys");
    std::fs::create_dir(&keys).unwrap();
    std::fs::write(keys.join("plain"), "a key").unwrap();
    back_up_into(&world.on.database, world.services.files(), &keys, &out)
        .await
        .unwrap();
    for (from, to) in [
        ("keys/plain", "keys/../x"),
        ("tables/person.jsonl", "tables/../../p.json"),
        ("holdpoint-backup@v1", "holdpoint-backup@v9"),
    ] {
        let changed = folder.path().join("changed");
        rewrite(&out, &changed, from, to);
        let error = verify_backup(&changed).unwrap_err();
        assert!(
            matches!(error, BackupError::Damaged(_) | BackupError::NotABackup(_)),
            "{to}: {error}"
        );
    }
}

/// The same archive with one word for another, in names and in the list.
fn rewrite(from: &Path, to: &Path, word: &str, by: &str) {
    let mut old = zip::ZipArchive::new(std::fs::File::open(from).unwrap()).unwrap();
    let mut new = zip::ZipWriter::new(std::fs::File::create(to).unwrap());
    for at in 0..old.len() {
        let mut part = old.by_index(at).unwrap();
        let name = part.name().replace(word, by);
        let mut bytes = Vec::new();
        part.read_to_end(&mut bytes).unwrap();
        if name == "manifest.json" {
            bytes = String::from_utf8(bytes)
                .unwrap()
                .replace(word, by)
                .into_bytes();
        }
        new.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        new.write_all(&bytes).unwrap();
    }
    new.finish().unwrap();
}

#[tokio::test]
async fn nothing_is_restored_over_what_is_there() {
    for on in TestDatabase::each().await {
        let data = tempfile::tempdir().unwrap();
        let error = restore_into(Path::new(OF_SCHEMA_1), &on.url, data.path())
            .await
            .unwrap_err();
        assert!(error.to_string().contains("not empty"), "{error}");
    }
    for (url, data) in each_empty().await {
        let store = FileStore::open(&data.path().join("evidence"))
            .await
            .unwrap();
        store.keep(b"somebody's").await.unwrap();
        let error = restore_into(Path::new(OF_SCHEMA_1), &url, data.path())
            .await
            .unwrap_err();
        assert!(matches!(error, BackupError::NotEmpty(_)), "{error}");
    }
}

#[tokio::test]
async fn the_first_tables_with_data_come_up_to_date_and_work() {
    for (url, data) in each_empty().await {
        let made = restore_into(Path::new(OF_SCHEMA_1), &url, data.path())
            .await
            .unwrap();
        assert_eq!(made.steps, [1]);
        let services = open(&url, data.path()).await;
        let mut tx = services.database().read().await.unwrap();
        assert_eq!(tx.steps().await.unwrap(), services.database().known_steps());
        drop(tx);
        // As opening the instance does.
        services.bind_old_sign_offs().await.unwrap();
        let log = services.verify_log().await.unwrap();
        assert_eq!(log.problems, Vec::<String>::new(), "{url}");
        assert_eq!(
            verify_files(services.database(), services.files())
                .await
                .unwrap()
                .missing,
            []
        );
        let manager = services
            .sign_in(
                "priya.raman@example.org",
                "rzhhy-8pkem-v2kut-c66ax",
                "192.0.2.1",
            )
            .await
            .unwrap();
        let manager = Actor::of(&manager);
        let reviews = services.portfolio(&manager, None, 10).await.unwrap();
        assert_eq!(reviews.entries.len(), 1, "{url}");
        let review = reviews.entries[0].review.id.clone();
        services.review_standing(&manager, &review).await.unwrap();
        let report = services
            .report_preview(&manager, &review, &holdpoint_service::AsOf::Newest)
            .await
            .unwrap();
        assert!(report.text.contains("Phase 22"), "{}", report.text);
        // A checklist whose reviews are all of one service is that service's.
        let templates = services.templates(&manager).await.unwrap();
        let owner = templates[0].template.owner.as_ref();
        assert_eq!(
            owner.map(|owner| owner.slug.as_str()),
            Some(reviews.entries[0].service.slug.as_str()),
            "{url}"
        );
        services.database().close().await;
    }
}

#[tokio::test]
async fn every_column_is_of_a_kind_that_backups_know() {
    for on in TestDatabase::each().await {
        let tables = on.database.read().await.unwrap().tables().await.unwrap();
        assert!(tables.len() > 30, "{}", tables.len());
        let names: Vec<_> = tables.iter().map(|table| table.name.as_str()).collect();
        for left_out in holdpoint_storage::tables::LEFT_OUT {
            assert!(names.contains(&left_out), "{left_out} is no table any more");
        }
    }
}

#[tokio::test]
async fn a_database_is_looked_at_without_being_made_or_changed() {
    let folder = tempfile::tempdir().unwrap();
    let file: PathBuf = folder.path().join("none.db");
    let error = Database::open_as_it_is(&DatabaseUrl::Sqlite(file.clone()))
        .await
        .unwrap_err();
    assert!(matches!(error, StorageError::Address(_)), "{error}");
    assert!(!file.exists());
    for on in TestDatabase::each().await {
        let as_it_is = Database::open_as_it_is(&on.url).await.unwrap();
        on.add_unknown_step_for_test().await;
        assert!(
            as_it_is
                .read()
                .await
                .unwrap()
                .steps()
                .await
                .unwrap()
                .contains(&999_999)
        );
        as_it_is.close().await;
    }
}
