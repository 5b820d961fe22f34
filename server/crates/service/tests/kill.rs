//! Imports in processes of their own: killed at random moments, and two at once. What is not there wholly is not there.
//!
//! The test's own program is the process: started again with the names of a database and a file in its environment, it
//! imports that file and says so.

mod common;

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use common::{scans::result, team};
use holdpoint_domain::{InstanceRole, PersonId, ServiceId};
use holdpoint_service::{
    Actor, Ids, ImportWatch, KeyStore, Limits, NewAccount, Services, SystemClock,
    scans::ScanRequest,
};
use holdpoint_storage::{Database, DatabaseUrl, FileStore, testing::TestDatabase};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;

const DATABASE: &str = "HOLDPOINT_KILL_DATABASE";
const FOLDER: &str = "HOLDPOINT_KILL_FOLDER";
const FILE: &str = "HOLDPOINT_KILL_FILE";
const SERVICE: &str = "HOLDPOINT_KILL_SERVICE";
const PERSON: &str = "HOLDPOINT_KILL_PERSON";
const FINDINGS: usize = 1_500;
const KILLS: usize = 100;

fn services(database: Database, files: FileStore, folder: &Path) -> Services {
    Services::new(
        database,
        files,
        KeyStore::new(folder.join("keys"), None),
        std::sync::Arc::new(SystemClock),
        Ids::from_system(),
        Limits::default(),
    )
}

/// A database on the disk, with a service and somebody who imports into it.
struct Ground {
    url: DatabaseUrl,
    folder: tempfile::TempDir,
    services: Services,
    actor: Actor,
    service: ServiceId,
    _database: Option<TestDatabase>,
}

impl Ground {
    async fn on(url: Option<TestDatabase>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (url, kept) = match url {
            Some(fresh) => (fresh.url.clone(), Some(fresh)),
            None => (
                DatabaseUrl::Sqlite(folder.path().join("holdpoint.db")),
                None,
            ),
        };
        let database = Database::open(&url).await.expect("opens");
        let files = FileStore::open(&folder.path().join("files"))
            .await
            .expect("opens");
        let services = services(database, files, folder.path());
        let new = NewAccount {
            email: "kim@example.org",
            name: "Kim",
            password: common::PASSWORD,
            instance_role: InstanceRole::Admin,
        };
        let actor = Actor::of(&services.add_person(new).await.expect("an account"));
        let service = services
            .create_service(&actor, team::new_service("Killed"))
            .await
            .expect("a service")
            .id;
        Self {
            url,
            folder,
            services,
            actor,
            service,
            _database: kept,
        }
    }

    /// Starts the import of a file in a process of its own; what it prints tells how far it is.
    fn start(&self, file: &str) -> (Child, mpsc::Receiver<String>) {
        let url = match &self.url {
            DatabaseUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
            DatabaseUrl::Postgres(url) => url.clone(),
        };
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args([
                "--exact",
                "a_process_of_its_own_imports_a_file",
                "--nocapture",
            ])
            .env(DATABASE, url)
            .env(FOLDER, self.folder.path().join("files"))
            .env(FILE, file)
            .env(SERVICE, self.service.as_str())
            .env(PERSON, self.actor.id.as_str())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let stdout = child.stdout.take().expect("a pipe");
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        (child, receiver)
    }

    /// Scans, findings, and whether the log's chain holds.
    async fn state(&self) -> (usize, usize, bool) {
        let scans = self
            .services
            .scans_of(&self.actor, &self.service, None, 200)
            .await
            .expect("lists");
        let mut found = 0;
        if let Some(scan) = scans.first() {
            let mut tx = self.services.database().read().await.expect("reads");
            tx.known_findings(&scan.series, 0, &mut |_| {
                found += 1;
                Ok(())
            })
            .await
            .expect("reads");
        }
        let verified = self.services.verify_log().await.expect("verifies");
        (scans.len(), found, verified.problems.is_empty())
    }

    fn write(&self, name: &str, mark: &str) -> String {
        let results: Vec<_> = (0..FINDINGS)
            .map(|n| {
                let line = u32::try_from(n).expect("few") + 1;
                result(&format!("R{n}-{mark}"), "error", line)
            })
            .collect();
        let log = json!({
            "version": "2.1.0",
            "runs": [{ "tool": { "driver": { "name": "killed" } }, "results": results }],
        });
        let path = self.folder.path().join(name);
        std::fs::write(&path, log.to_string()).expect("writes");
        path.to_str().expect("text").to_owned()
    }
}

/// What SQLite says of its file and every index in it.
fn checked(path: &Path) -> String {
    let database = rusqlite::Connection::open(path).expect("opens");
    database
        .query_row("pragma integrity_check", [], |row| row.get(0))
        .expect("checks")
}

/// With a database in its environment this is the process that imports; by itself it tries one.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_of_its_own_imports_a_file() {
    let Ok(url) = std::env::var(DATABASE) else {
        let ground = Ground::on(None).await;
        let (mut child, words) = ground.start(&ground.write("one.sarif", "one"));
        next_word(&words, &["imported"], LONG).expect("imports");
        assert!(child.wait().expect("ends").success());
        assert_eq!(ground.state().await, (1, FINDINGS, true));
        return;
    };
    let given = |name: &str| std::env::var(name).expect("is given");
    let database = Database::open(&url.parse().expect("an address"))
        .await
        .expect("opens");
    let files = FileStore::open(Path::new(&given(FOLDER)))
        .await
        .expect("opens");
    let services = services(database, files, Path::new(&given(FOLDER)));
    let person = services
        .person_signed_in(&PersonId::parse(&given(PERSON)).expect("an id"))
        .await
        .expect("reads")
        .expect("is there");
    let bytes = std::fs::read(given(FILE)).expect("reads");
    say("begun");
    let request = ScanRequest {
        file: services.files().keep(&bytes).await.expect("keeps"),
        file_name: "killed.sarif".to_owned(),
        label: None,
        commit: None,
        format: None,
        watch: ImportWatch::default(),
    };
    let service = ServiceId::parse(&given(SERVICE)).expect("an id");
    let outcome = services
        .import_scan(&Actor::of(&person), &service, request, false)
        .await
        .expect("imports");
    say(if outcome.repeated {
        "repeated"
    } else {
        "imported"
    });
}

#[expect(clippy::print_stdout, reason = "the other process reads it")]
fn say(text: &str) {
    println!("\n{text}");
}

/// The process's next word of these.
fn next_word(words: &mpsc::Receiver<String>, wanted: &[&str], within: Duration) -> Option<String> {
    let until = Instant::now() + within;
    loop {
        let left = until.checked_duration_since(Instant::now())?;
        let word = words.recv_timeout(left).ok()?;
        if wanted.contains(&word.as_str()) {
            return Some(word);
        }
    }
}

const LONG: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_killed_at_any_moment_leaves_all_of_it_or_nothing() {
    let ground = Ground::on(None).await;
    // How long one takes from its first word to its last.
    let whole = ground.write("whole.sarif", "whole");
    let (mut child, words) = ground.start(&whole);
    next_word(&words, &["begun"], LONG).expect("begins");
    let begun = Instant::now();
    next_word(&words, &["imported"], LONG).expect("imports");
    let takes = begun.elapsed();
    child.wait().expect("ends");
    let (mut scans, mut found, _) = ground.state().await;
    assert_eq!(scans, 1);

    let mut random = StdRng::seed_from_u64(3);
    let (mut n_killed, mut n_done) = (0, 0);
    for n in 0..KILLS {
        let file = ground.write("next.sarif", &n.to_string());
        let (mut child, words) = ground.start(&file);
        next_word(&words, &["begun"], LONG).expect("begins");
        let after = takes.mul_f64(random.random_range(0.0..1.1));
        let word = next_word(&words, &["imported"], after);
        child.kill().expect("is killed");
        child.wait().expect("ends");
        let (scans_now, found_now, holds) = ground.state().await;
        assert!(holds, "kill {n}: the log's chain");
        let is_there = scans_now == scans + 1;
        assert!(is_there || scans_now == scans, "kill {n}");
        // What was said to be there is; what is not said may be there, wholly.
        assert!(is_there || word.is_none(), "kill {n}: an import was lost");
        let new = if is_there { FINDINGS } else { 0 };
        assert_eq!(found_now - found, new, "kill {n}");
        (scans, found) = (scans_now, found_now);
        if is_there {
            n_done += 1;
        } else {
            n_killed += 1;
        }
    }
    assert_eq!(n_killed + n_done, KILLS);
    assert!(n_killed > KILLS / 4, "only {n_killed} were killed in time");
    if let DatabaseUrl::Sqlite(path) = &ground.url {
        assert_eq!(checked(path), "ok", "the file itself is damaged");
    }
    // Nothing that was begun is in the way of the next one.
    let (mut child, words) = ground.start(&ground.write("last.sarif", "last"));
    next_word(&words, &["imported"], LONG).expect("imports");
    child.wait().expect("ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_that_import_one_file_at_once_make_one_scan() {
    let mut grounds = vec![Ground::on(None).await];
    if let Some(fresh) = TestDatabase::postgres().await {
        grounds.push(Ground::on(Some(fresh)).await);
    }
    for ground in grounds {
        let file = ground.write("both.sarif", "both");
        let mut both = [ground.start(&file), ground.start(&file)];
        let mut words: Vec<_> = both
            .iter()
            .map(|(_, words)| next_word(words, &["imported", "repeated"], LONG).expect("ends"))
            .collect();
        words.sort();
        assert_eq!(words, ["imported", "repeated"]);
        for (child, _) in &mut both {
            assert!(child.wait().expect("ends").success());
        }
        assert_eq!(ground.state().await, (1, FINDINGS, true));
    }
}
