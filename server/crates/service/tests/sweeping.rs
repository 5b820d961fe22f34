//! Which uploaded files a sweep deletes, on both databases.

mod common;

use std::{
    fs::{File, FileTimes},
    path::Path,
    time::{Duration, SystemTime},
};

use common::{MINUTE, START, World};
use holdpoint_domain::Digest;
use holdpoint_service::UNCLAIMED_LASTS;
use holdpoint_storage::{StoredFile, Swept};

/// Makes a file as old as if it had come at a moment.
fn came_at(path: &Path, moment: i64) {
    let moment =
        SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(moment).expect("after 1970"));
    File::options()
        .write(true)
        .open(path)
        .and_then(|file| file.set_times(FileTimes::new().set_modified(moment)))
        .expect("its time can be set");
}

async fn file(world: &World, bytes: &[u8], at: i64) -> StoredFile {
    let kept = world.services.files().keep(bytes).await.expect("is kept");
    came_at(&world.services.files().path(&kept.sha256), at);
    kept
}

fn is_there(world: &World, sha256: &Digest) -> bool {
    world.services.files().path(sha256).exists()
}

const OLD: i64 = START - UNCLAIMED_LASTS - MINUTE;
const YOUNG: i64 = START - UNCLAIMED_LASTS + MINUTE;

#[tokio::test]
async fn a_sweep_deletes_old_files_that_nothing_names_and_no_others() {
    for world in World::each().await {
        let named = file(&world, b"named", OLD).await;
        let old = file(&world, b"old", OLD).await;
        let young = file(&world, b"young", YOUNG).await;
        let mut tx = world.on.database.write().await.unwrap();
        tx.keep_file(&named, START).await.unwrap();
        tx.commit().await.unwrap();
        let swept = world.services.sweep_files().await.unwrap();
        assert_eq!(
            swept,
            Swept {
                n_unclaimed: 1,
                n_incoming: 0
            },
            "{}",
            world.on.name
        );
        assert!(is_there(&world, &named.sha256));
        assert!(is_there(&world, &young.sha256));
        assert!(!is_there(&world, &old.sha256));
    }
}

#[tokio::test]
async fn a_file_that_arrives_again_during_a_sweep_stays() {
    let world = World::sqlite().await;
    let files = world.services.files();
    let old = file(&world, b"again", OLD).await;
    let before = START - UNCLAIMED_LASTS;
    let folder = u8::from_str_radix(&old.sha256.as_str()[..2], 16).unwrap();
    let listed = files.files_before(folder, before).await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&old.sha256));
    // Between the list and the deletion the same bytes are uploaded again.
    file(&world, b"again", START).await;
    assert!(!files.discard(&old.sha256, before).await.unwrap());
    assert_eq!(
        files.read(&old.sha256).await.unwrap().as_deref(),
        Some(&b"again"[..])
    );
    came_at(&files.path(&old.sha256), OLD);
    assert!(files.discard(&old.sha256, before).await.unwrap());
    assert!(!files.discard(&old.sha256, before).await.unwrap());
}

#[tokio::test]
async fn what_a_broken_upload_left_is_deleted_and_a_running_upload_goes_on() {
    let world = World::sqlite().await;
    let files = world.services.files();
    let mut running = files.receive().await.unwrap();
    running.write(b"half").await.unwrap();
    came_at(running.path(), YOUNG);
    let left = running.path().with_file_name("left-by-a-crash");
    std::fs::write(&left, b"half").unwrap();
    came_at(&left, OLD);
    let swept = world.services.sweep_files().await.unwrap();
    assert_eq!((swept.n_unclaimed, swept.n_incoming), (0, 1));
    assert!(!left.exists());
    running.write(b" and the rest").await.unwrap();
    let kept = running.keep().await.unwrap();
    assert_eq!(
        files.read(&kept.sha256).await.unwrap().as_deref(),
        Some(&b"half and the rest"[..])
    );
}
