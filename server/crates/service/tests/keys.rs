//! The instance's signing keys: out of the database, changed while everything runs, and refused when they are not its own.

#![cfg(unix)]

mod common;

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use common::{MINUTE, World, rejected};
use holdpoint_domain::KeyPurpose;
use holdpoint_report::{
    AllowedKeys, SigningKey,
    signing::{REPORT_NAMESPACE, verify},
};
use holdpoint_service::{Ids, KeyStore, Limits, Services};
use holdpoint_storage::{Database, FileStore};

fn mode(path: &Path) -> u32 {
    path.metadata().expect("is there").permissions().mode() & 0o777
}

/// The private key files of a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .map(|entries| {
            entries
                .map(|entry| entry.expect("an entry").path())
                .collect()
        })
        .unwrap_or_default();
    files.sort();
    files
}

/// A further node on the world's database, with its own folder for keys.
async fn node(world: &World, keys: &Path) -> Services {
    node_with(world, KeyStore::new(keys.to_owned(), None)).await
}

async fn node_with(world: &World, keys: KeyStore) -> Services {
    Services::new(
        Database::open(&world.on.url).await.expect("opens"),
        FileStore::open(&tempfile::tempdir().expect("a folder").keep())
            .await
            .expect("opens"),
        keys,
        world.clock.clone(),
        Ids::from_system(),
        Limits::default(),
    )
}

async fn fingerprints(services: &Services) -> Vec<(String, bool, bool)> {
    let views = services.signing_keys().await.expect("lists");
    views
        .into_iter()
        .map(|view| (view.key.fingerprint, view.is_current, view.is_here))
        .collect()
}

/// The cause of a failure of the machine, with all that is behind it.
#[track_caller]
fn cause<T>(outcome: Result<T, impl std::error::Error>) -> String {
    let Err(error) = outcome else {
        panic!("expected a failure, but it was done");
    };
    let mut text = error.to_string();
    let mut behind = error.source();
    while let Some(cause) = behind {
        text.push_str(&format!(": {cause}"));
        behind = cause.source();
    }
    text
}

#[tokio::test]
async fn a_key_of_an_older_database_is_moved_into_a_file_and_its_bytes_are_gone() {
    for world in World::each().await {
        let seed = *b"these 32 bytes are secret for us";
        let old = SigningKey::from_seed(&seed, "holdpoint");
        let pem = old.to_openssh().expect("its private half is here");
        let report = old.sign(REPORT_NAMESPACE, b"report").expect("signs");
        let member = world.member("ana").await;
        let mut tx = world.on.database.write().await.expect("writes");
        tx.set_setting("signing_key", &pem).await.expect("is kept");
        // Rows move while the table grows, which leaves copies behind in free space.
        for n in 0..400 {
            tx.set_setting(&format!("a{n}"), &"x".repeat(200))
                .await
                .expect("grows");
        }
        tx.commit().await.expect("commits");

        let folder = tempfile::tempdir().expect("a folder");
        let keys = folder.path().join("deep/keys");
        let services = node(&world, &keys).await;
        let said = services.open_keys().await.expect("opens").expect("says so");
        let [file] = files(&keys).try_into().expect("one file");
        assert!(said.contains(file.to_str().expect("text")), "{said}");
        assert_eq!((mode(&keys), mode(&file)), (0o700, 0o600));
        assert_eq!(std::fs::read_to_string(&file).expect("reads"), pem);

        let mut tx = world.on.database.read().await.expect("reads");
        assert_eq!(tx.setting("signing_key").await.expect("reads"), None);
        drop(tx);
        if let holdpoint_storage::DatabaseUrl::Sqlite(path) = &world.on.url {
            // The file of a private key ends with the public one.
            let public = old.public_key();
            let secrets = pem
                .lines()
                .filter(|line| !line.starts_with("---") && !public.contains(&line[..20]));
            assert!(secrets.clone().count() >= 2);
            for name in ["", "-wal", "-shm"] {
                let path = format!("{}{name}", path.display());
                let bytes = std::fs::read(&path).expect("reads");
                let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
                for part in secrets.clone() {
                    assert!(!holds(&part.as_bytes()[..20]), "{path} still holds {part}");
                }
                assert!(!holds(&seed), "{path}");
            }
        }
        // What it signed counts, it signs on, and nothing is said twice.
        let lines = services.allowed_signers().await.expect("lists");
        let allowed = AllowedKeys::parse(&lines).expect("lines").at(common::START);
        assert_eq!(allowed.fingerprints(), [old.fingerprint()]);
        assert!(verify(REPORT_NAMESPACE, b"report", &report, &allowed).is_ok());
        assert_eq!(services.open_keys().await.expect("opens again"), None);
        assert_eq!(
            services.verify_log().await.expect("verifies").problems,
            [""; 0]
        );
        drop(member);
    }
}

#[tokio::test]
async fn a_rotation_is_seen_by_a_server_that_runs_and_the_old_key_vouches_for_the_new() {
    for world in World::each().await {
        let folder = tempfile::tempdir().expect("a folder");
        let (server, beside) = (
            node(&world, folder.path()).await,
            node(&world, folder.path()).await,
        );
        assert_eq!(server.open_keys().await.expect("opens"), None);
        let before = fingerprints(&server).await;
        assert_eq!(
            before.len(),
            KeyPurpose::ALL.len(),
            "a key for each purpose"
        );
        world.clock.advance(MINUTE);
        let made = beside
            .rotate_keys(Some(KeyPurpose::Log), None)
            .await
            .expect("rotates");
        let now = fingerprints(&server).await;
        assert_eq!(
            now[..3].iter().filter(|(_, current, _)| *current).count(),
            2
        );
        assert_eq!(now[3], (made[0].clone(), true, true));
        server.ready().await.expect("signs with the new key");
        assert_eq!(files(folder.path()).len(), 4);
        assert!(files(folder.path()).iter().all(|file| mode(file) == 0o600));

        // All at once; then one that nothing needs any more is retired.
        world.clock.advance(MINUTE);
        assert_eq!(
            beside.rotate_keys(None, None).await.expect("rotates").len(),
            3
        );
        let in_use = &fingerprints(&server).await.pop().expect("a key").0;
        let (_, message) = rejected(beside.retire_key(in_use).await);
        assert!(message.contains("in use"), "{message}");
        beside.retire_key(&before[0].0).await.expect("retires");
        let now = fingerprints(&server).await;
        assert_eq!(now[0], (before[0].0.clone(), false, false));
        assert!(
            rejected(beside.retire_key(&before[0].0).await)
                .1
                .contains("already")
        );
        assert!(
            rejected(beside.retire_key("SHA256:x").await)
                .1
                .contains("no key")
        );
        let lists = server.key_lists().await.expect("lists");
        assert_eq!(lists.len(), 1 + 1 + 3 + 1);
        server.ready().await.expect("is ready");
    }
}

#[tokio::test]
async fn whether_it_can_sign_is_looked_at_once_a_second_however_often_it_is_asked() {
    let world = World::each().await.remove(0);
    let folder = tempfile::tempdir().expect("a folder");
    let node = node(&world, folder.path()).await;
    node.open_keys().await.expect("opens");
    // A machine so slow that the second is over in between shows nothing; it has another try.
    let is_remembered = async || {
        let began = std::time::Instant::now();
        node.ready().await.expect("is ready");
        let aside = tempfile::tempdir().expect("a folder");
        let names: Vec<_> = files(folder.path());
        let other = |file: &std::path::Path| aside.path().join(file.file_name().expect("a name"));
        for file in &names {
            std::fs::rename(file, other(file)).expect("moves");
        }
        let answer = node.ready().await;
        let in_time = began.elapsed() < std::time::Duration::from_millis(900);
        for file in &names {
            std::fs::rename(other(file), file).expect("moves back");
        }
        (in_time, answer.is_ok())
    };
    for _ in 0..20 {
        if let (true, is_ready) = is_remembered().await {
            assert!(is_ready, "the keys were looked for again");
            return;
        }
    }
    panic!("no try was fast enough to say anything");
}

#[tokio::test]
async fn a_node_without_the_private_keys_says_so_and_makes_none() {
    for world in World::each().await {
        let (one, other) = (
            tempfile::tempdir().expect("a folder"),
            tempfile::tempdir().expect("a folder"),
        );
        node(&world, one.path())
            .await
            .open_keys()
            .await
            .expect("opens");
        let second = node(&world, other.path()).await;
        for said in [cause(second.open_keys().await), cause(second.ready().await)] {
            assert!(
                said.contains("report key SHA256:") && said.contains("Copy its file"),
                "{said}"
            );
        }
        assert!(files(other.path()).is_empty(), "no new key");
        for file in files(one.path()) {
            std::fs::copy(&file, other.path().join(file.file_name().expect("a name")))
                .expect("copies");
        }
        second.open_keys().await.expect("has them now");
        second.ready().await.expect("is ready");
    }
}

#[tokio::test]
async fn nodes_that_start_at_once_agree_on_the_keys() {
    for world in World::each().await {
        let folders: Vec<_> = (0..4)
            .map(|_| tempfile::tempdir().expect("a folder"))
            .collect();
        let mut starting = tokio::task::JoinSet::new();
        for folder in &folders {
            let node = node(&world, folder.path()).await;
            starting.spawn(async move { node.open_keys().await.is_ok() });
        }
        let started = starting.join_all().await;
        assert_eq!(
            started.iter().filter(|started| **started).count(),
            1,
            "{started:?}"
        );
        let n_files: Vec<_> = folders
            .iter()
            .map(|folder| files(folder.path()).len())
            .collect();
        assert_eq!(n_files.iter().sum::<usize>(), 3, "{n_files:?}");
    }
}

#[tokio::test]
async fn a_private_key_of_somebody_else_is_refused() {
    let world = World::sqlite().await;
    let folder = tempfile::tempdir().expect("a folder");
    let services = node(&world, folder.path()).await;
    services.open_keys().await.expect("opens");
    let strange = SigningKey::from_seed(&[3; 32], "strange");
    let file = folder.path().join("strange");
    std::fs::write(&file, strange.to_openssh().expect("text")).expect("writes");
    let said = cause(services.open_keys().await);
    assert!(
        said.contains("strange") && said.contains(&strange.fingerprint()),
        "{said}"
    );
    std::fs::write(&file, "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n").expect("writes");
    assert!(cause(services.open_keys().await).contains("strange"));
    // What is no key at all is nobody's business.
    std::fs::write(&file, "ssh-ed25519 AAAA\n").expect("writes");
    services.open_keys().await.expect("opens");
}

#[tokio::test]
async fn whoever_writes_into_the_database_makes_no_key_the_instances() {
    let world = World::sqlite().await;
    let folder = tempfile::tempdir().expect("a folder");
    let services = node(&world, folder.path()).await;
    services.open_keys().await.expect("opens");
    let strange = SigningKey::from_seed(&[3; 32], "strange");

    // A list of one's own after the first.
    let ring = holdpoint_report::KeyRing::read(&services.key_lists().await.expect("lists"))
        .expect("reads");
    let forged =
        holdpoint_report::KeyRing::first(&[(&strange, KeyPurpose::ALL)], 1, 1).expect("signs");
    let mut tx = world.on.database.write().await.expect("writes");
    let list = holdpoint_storage::StoredKeyList {
        statement: forged.statement.clone(),
        signature: forged.signature.clone(),
    };
    tx.insert_signing_key_list(1, &list, 1)
        .await
        .expect("inserts");
    tx.commit().await.expect("commits");
    assert!(cause(services.ready().await).contains("list 1"));
    assert!(
        services.allowed_signers().await.is_err(),
        "nothing is published"
    );

    // A list of one's own instead of the first.
    let mut tx = world.on.database.write().await.expect("writes");
    tx.tamper_with_activity_for_test("delete from signing_key_list")
        .await
        .expect("deletes");
    tx.insert_signing_key_list(0, &list, 1)
        .await
        .expect("inserts");
    tx.commit().await.expect("commits");
    assert!(cause(services.ready().await).contains("private half"));
    let again = node(&world, folder.path()).await;
    assert!(cause(again.open_keys().await).contains("none of this Holdpoint's"));
    assert_eq!(ring.keys().len(), 3);
}

/// A real ssh-agent, which ends with the value.
struct Agent {
    child: Child,
    socket: PathBuf,
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Agent {
    fn start(folder: &Path) -> Self {
        let socket = folder.join("agent");
        let child = Command::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .expect("ssh-agent is not here: install the package openssh-client");
        let agent = Self { child, socket };
        let answers = |_: &usize| agent.run("ssh-add", &["-l"]).code() != Some(2);
        assert!((0..1_000).any(|n| {
            let up = answers(&n);
            if !up {
                std::thread::yield_now();
            }
            up
        }));
        agent
    }

    fn run(&self, command: &str, arguments: &[&str]) -> std::process::ExitStatus {
        Command::new(command)
            .args(arguments)
            .env("SSH_AUTH_SOCK", &self.socket)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("runs")
    }
}

#[tokio::test]
async fn a_key_may_stay_in_an_ssh_agent() {
    let world = World::sqlite().await;
    let folder = tempfile::tempdir().expect("a folder");
    let keys = folder.path().join("keys");
    let agent = Agent::start(folder.path());
    let store = KeyStore::new(keys.clone(), Some(agent.socket.clone()));
    let services = node_with(&world, store).await;
    services.open_keys().await.expect("opens");

    let held = SigningKey::from_seed(&[5; 32], "held");
    let public = held.public_key();
    let (field, message) = rejected(
        services
            .rotate_keys(Some(KeyPurpose::Report), Some(&public))
            .await,
    );
    assert_eq!(field, "to");
    assert!(message.contains("ssh-agent"), "{message}");
    assert_eq!(
        rejected(services.rotate_keys(None, Some(&public)).await).0,
        "purpose"
    );
    assert_eq!(
        rejected(services.rotate_keys(Some(KeyPurpose::Log), Some("x")).await).0,
        "to"
    );

    let file = folder.path().join("held");
    std::fs::write(&file, held.to_openssh().expect("text")).expect("writes");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("sets");
    assert!(
        agent
            .run("ssh-add", &[file.to_str().expect("text")])
            .success()
    );
    std::fs::remove_file(&file).expect("removes");
    world.clock.advance(MINUTE);
    services
        .rotate_keys(Some(KeyPurpose::Log), Some(&public))
        .await
        .expect("rotates");
    assert_eq!(files(&keys).len(), 3, "no file of it");
    services.ready().await.expect("the agent answers");
    // The next rotation is signed by the key in the agent.
    world.clock.advance(MINUTE);
    services
        .rotate_keys(Some(KeyPurpose::Log), None)
        .await
        .expect("the agent signs");
    services.ready().await.expect("is ready");
    drop(agent);
    assert!(services.signing_keys().await.is_err(), "the agent is gone");
}

#[tokio::test]
async fn private_halves_stay_where_nobody_knows_whether_their_list_was_kept() {
    for world in World::each().await {
        if !matches!(world.on.url, holdpoint_storage::DatabaseUrl::Postgres(_)) {
            continue;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let services = node(&world, folder.path()).await;
        services.open_keys().await.expect("opens");
        let mut tx = world.on.database.write().await.expect("writes");
        for sql in [
            "create function lose() returns trigger language plpgsql as \
             $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$",
            "create constraint trigger lost after insert on signing_key_list deferrable initially deferred \
             for each row execute function lose()",
        ] {
            tx.tamper_with_activity_for_test(sql)
                .await
                .expect("is made");
        }
        tx.commit().await.expect("commits");
        world.clock.advance(MINUTE);
        let lost = services.rotate_keys(Some(KeyPurpose::Log), None).await;
        assert!(lost.is_err(), "the answer is lost");
        assert_eq!(
            files(folder.path()).len(),
            4,
            "the new one may be the instance's"
        );

        let mut tx = world.on.database.write().await.expect("writes");
        tx.tamper_with_activity_for_test("drop trigger lost on signing_key_list")
            .await
            .expect("is dropped");
        tx.commit().await.expect("commits");
        services
            .rotate_keys(Some(KeyPurpose::Log), None)
            .await
            .expect("rotates");
        services.ready().await.expect("signs");
    }
}

#[tokio::test]
async fn a_key_that_has_ended_signs_no_head_that_is_accepted() {
    let world = World::sqlite().await;
    let folder = tempfile::tempdir().expect("a folder");
    let services = node(&world, folder.path()).await;
    services.open_keys().await.expect("opens");
    world.member("ana").await;
    let old = files(folder.path())
        .iter()
        .filter(|file| file.to_string_lossy().contains("log-"))
        .map(|file| std::fs::read_to_string(file).expect("reads"))
        .map(|text| SigningKey::from_openssh(&text).expect("is a key"))
        .next()
        .expect("signs the log");
    world.clock.advance(MINUTE);
    services
        .rotate_keys(Some(KeyPurpose::Log), None)
        .await
        .expect("rotates");
    services
        .retire_key(&old.fingerprint())
        .await
        .expect("retires");
    world.clock.advance(holdpoint_service::HEAD_LASTS + MINUTE);
    assert!(services.sign_due_log_head().await.expect("signs"));
    assert_eq!(
        services.verify_log().await.expect("checks").problems,
        [""; 0]
    );
    // The same head by the key that was retired, which somebody has kept.
    let mut tx = world.on.database.read().await.expect("reads");
    let head = tx
        .newest_checkpoint()
        .await
        .expect("reads")
        .expect("is there");
    drop(tx);
    let note = head.checkpoint.expect("is a checkpoint");
    let read = holdpoint_report::log::LogHead::parse(&note).expect("is one");
    let forged = holdpoint_report::log::LogHead::sign(&old, &read.origin, read.size, read.root)
        .expect("signs");
    world
        .tamper(&format!(
            "update signed_head set checkpoint = '{}'",
            forged.as_str()
        ))
        .await;
    let problems = services.verify_log().await.expect("checks").problems;
    assert!(
        problems
            .iter()
            .any(|problem| problem.contains("is not accepted")),
        "{problems:?}"
    );
}

#[tokio::test]
async fn a_rotation_while_somebody_signs_leaves_no_head_of_the_old_key() {
    let team = common::team::Team::in_world(World::sqlite().await).await;
    let services = &team.world.services;
    let item = team.id("2.1.1").await;
    team.send_to_review(&item).await;
    services.open_keys().await.expect("makes the keys");
    team.world.clock.advance(MINUTE);
    // One writer: the rotation waits for it first, then the signature, which has chosen its key by then.
    let held = team.world.on.database.write().await.expect("writes");
    let short = std::time::Duration::from_millis(700);
    let sign = async {
        tokio::time::sleep(short).await;
        // Further than the zones of the world are apart, which the list of keys leaves room for.
        team.world.clock.advance(2 * common::DAY);
        team.sign(&team.reviewer, &item, "pass").await
    };
    let release = async {
        tokio::time::sleep(6 * short).await;
        drop(held);
    };
    let (rotated, signed, ()) = tokio::join!(services.rotate_keys(None, None), sign, release);
    rotated.expect("rotates");
    signed.expect("signs");
    let lines = services.allowed_signers().await.expect("lists");
    let check = holdpoint_service::LogCheck {
        keys: Some(AllowedKeys::parse(&lines).expect("lines")),
        ..holdpoint_service::LogCheck::default()
    };
    let checked = services.verify_log_against(check).await.expect("checks");
    assert_eq!(checked.problems, [""; 0]);
    assert!(checked.n_signed_heads > 0);
}
