//! `make bench`, first part: what an import costs against a floor measured in the same run, and how much memory it takes.
//! Prints a table; nothing here passes or fails.
//!
//! The floor is what any importer has to do: a typed parse of everything in the same SARIF file, and prepared inserts of it into
//! one plain table in one transaction.

#![allow(
    clippy::allow_attributes,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program that prints measurements and may stop at the first surprise"
)]

use std::{
    env,
    io::Write as _,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use holdpoint_domain::{InstanceRole, ServiceId, text::Name};
use holdpoint_service::{
    Actor, Ids, ImportWatch, KeyStore, Limits, NewAccount, NewService, Services, StoredFile,
    SystemClock,
    scans::{ImportOutcome, ScanRequest},
};
use holdpoint_storage::{
    ChangeNumbers, Database, DatabaseUrl, FileStore, NewActivity, finding_rows::Backend,
    testing::TestDatabase,
};
use serde::Deserialize;

mod generated;

use generated::sarif;

/// The parts of a result, each by its type.
#[derive(Deserialize)]
struct FloorLog {
    runs: Vec<FloorRun>,
}

#[derive(Deserialize)]
struct FloorRun {
    results: Vec<FloorResult>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FloorResult {
    rule_id: String,
    rule_index: i64,
    level: String,
    message: FloorText,
    locations: Vec<FloorLocation>,
    properties: FloorProperties,
}

#[derive(Deserialize)]
struct FloorProperties {
    confidence: String,
    likelihood: String,
    note: String,
}

#[derive(Deserialize)]
struct FloorText {
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FloorLocation {
    physical_location: FloorPlace,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FloorPlace {
    artifact_location: FloorFile,
    region: FloorRegion,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FloorFile {
    uri: String,
    uri_base_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FloorRegion {
    start_line: i64,
    start_column: i64,
    end_line: i64,
    end_column: i64,
    snippet: FloorText,
}

fn floor(folder: &Path, bytes: &[u8]) -> Duration {
    let path = folder.join("floor.db");
    let _ = std::fs::remove_file(&path);
    let mut connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "pragma journal_mode = wal; pragma synchronous = normal;
             create table finding (id text primary key, rule text, rule_index integer, level text, message text, path text,
             base text, start_line integer, start_column integer, end_line integer, end_column integer, snippet text,
             confidence text, likelihood text, note text) strict;",
        )
        .unwrap();
    let begun = Instant::now();
    let log: FloorLog = serde_json::from_slice(bytes).unwrap();
    let tx = connection.transaction().unwrap();
    {
        let mut insert = tx
            .prepare("insert into finding values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .unwrap();
        for (at, result) in (0_u128..).zip(log.runs.iter().flat_map(|run| &run.results)) {
            let place = &result.locations[0].physical_location;
            let region = &place.region;
            insert
                .execute(rusqlite::params![
                    uuid::Uuid::from_u128(at).to_string(),
                    result.rule_id,
                    result.rule_index,
                    result.level,
                    result.message.text,
                    place.artifact_location.uri,
                    place.artifact_location.uri_base_id,
                    region.start_line,
                    region.start_column,
                    region.end_line,
                    region.end_column,
                    region.snippet.text,
                    result.properties.confidence,
                    result.properties.likelihood,
                    result.properties.note,
                ])
                .unwrap();
        }
    }
    tx.commit().unwrap();
    begun.elapsed()
}

struct Bench {
    services: Services,
    actor: Actor,
    service: ServiceId,
    _folder: tempfile::TempDir,
}

impl Bench {
    /// On a new database; `None` where there is no server. The second is what keeps a database of PostgreSQL.
    async fn fresh(backend: Backend) -> Option<(Self, Option<TestDatabase>)> {
        let folder = tempfile::tempdir().unwrap();
        Some(match backend {
            Backend::Sqlite => {
                let url = DatabaseUrl::Sqlite(folder.path().join("holdpoint.db"));
                (Self::on(url, folder).await, None)
            }
            Backend::Postgres => {
                let database = TestDatabase::postgres().await?;
                (Self::on(database.url.clone(), folder).await, Some(database))
            }
        })
    }

    async fn on(url: DatabaseUrl, folder: tempfile::TempDir) -> Self {
        let database = Database::open(&url).await.unwrap();
        let files = FileStore::open(&folder.path().join("files")).await.unwrap();
        let services = Services::new(
            database,
            files,
            KeyStore::new(folder.path().join("keys"), None),
            Arc::new(SystemClock),
            Ids::from_system(),
            Limits::default(),
        );
        let email = format!("bench-{}@example.org", std::process::id());
        let new = NewAccount {
            email: &email,
            name: "Bench",
            password: "four words work well",
            instance_role: InstanceRole::Admin,
        };
        let actor = Actor::of(&services.add_person(new).await.unwrap());
        let new = NewService {
            name: Name::parse(&format!("Bench {}", std::process::id())).unwrap(),
            slug: None,
            repository_url: None,
            description: None,
        };
        let service = services.create_service(&actor, new).await.unwrap().id;
        Self {
            services,
            actor,
            service,
            _folder: folder,
        }
    }

    /// Receives a file, as an upload does: its digest, its bytes on the disk.
    async fn receive(&self, bytes: &[u8]) -> (Duration, StoredFile) {
        let begun = Instant::now();
        let mut receiving = self.services.files().receive().await.unwrap();
        for chunk in bytes.chunks(64 * 1024) {
            receiving.write(chunk).await.unwrap();
        }
        let file = receiving.keep().await.unwrap();
        (begun.elapsed(), file)
    }

    async fn import(&self, file: &StoredFile) -> (Duration, ImportOutcome) {
        let begun = Instant::now();
        let file = file.clone();
        let watch = ImportWatch::default();
        let stages = tokio::spawn(stages(watch.clone()));
        let request = ScanRequest {
            file,
            file_name: "bench.sarif".into(),
            label: None,
            commit: None,
            format: None,
            watch,
        };
        let outcome = self
            .services
            .import_scan(&self.actor, &self.service, request, false)
            .await
            .unwrap();
        let took = begun.elapsed();
        stages.abort();
        (took, outcome)
    }
}

/// Says on standard error when each stage of an import begins: where the time goes.
async fn stages(watch: ImportWatch) {
    let begun = Instant::now();
    let mut last = watch.progress().stage;
    loop {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let stage = watch.progress().stage;
        if stage != last {
            eprintln!(
                "  {} from {}, {:.0} MiB then",
                stage.label(),
                seconds(begun.elapsed()),
                memory_mib("VmRSS:")
            );
            last = stage;
        }
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.3} s", duration.as_secs_f64())
}

fn line(what: &str, took: Duration, floor: Duration) {
    println!(
        "{what:<58} {:>9}  {:>5.2} x floor",
        seconds(took),
        took.as_secs_f64() / floor.as_secs_f64()
    );
}

/// The most memory that this process has held, in MiB.
fn peak_mib() -> f64 {
    memory_mib("VmHWM:")
}

fn memory_mib(line_of_status: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix(line_of_status))
        .and_then(|rest| rest.trim().split(' ').next()?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}

/// How often each is measured; the best counts, as for the floor: what else the machine does is no matter of an import.
const ROUNDS: usize = 3;

async fn imports(backend: Backend, n: usize) {
    let folder = tempfile::tempdir().unwrap();
    let first = sarif(n, 0, 0, 0);
    let floor = (0..5).map(|_| floor(folder.path(), &first)).min().unwrap();
    let name = match backend {
        Backend::Sqlite => "SQLite",
        Backend::Postgres => "PostgreSQL",
    };
    println!("\n{n} findings, {:.1} MB, {name}", first.len() as f64 / 1e6);
    line(
        "floor: typed parse + prepared inserts (SQLite)",
        floor,
        floor,
    );
    let mut times = Vec::new();
    let mut last = None;
    // A first import is one into a database that has nothing yet.
    for _ in 0..ROUNDS {
        drop(last.take());
        let Some((bench, database)) = Bench::fresh(backend).await else {
            return;
        };
        let (received, file) = bench.receive(&first).await;
        let (took, outcome) = bench.import(&file).await;
        assert_eq!(outcome.changes.new as usize, n);
        times.push((took, received));
        last = Some((bench, database));
    }
    let (bench, _database) = last.unwrap();
    line(
        "receiving the file: digest, disk (not in the imports)",
        times.iter().map(|(_, received)| *received).min().unwrap(),
        floor,
    );
    line("first import", times.iter().min().unwrap().0, floor);
    let (mut unchanged, mut repeated) = (Vec::new(), Vec::new());
    let mut again = first;
    for _ in 0..ROUNDS {
        again.push(b'\n');
        let (_, file) = bench.receive(&again).await;
        let (took, outcome) = bench.import(&file).await;
        assert_eq!(outcome.changes.unchanged as usize, n);
        unchanged.push(took);
        let (took, outcome) = bench.import(&file).await;
        assert!(outcome.repeated);
        repeated.push(took);
    }
    drop(again);
    line(
        "import again, nothing changed",
        *unchanged.iter().min().unwrap(),
        floor,
    );
    line("the very same file", *repeated.iter().min().unwrap(), floor);
    let (_, file) = bench.receive(&sarif(n, 3, n / 10, n / 10)).await;
    let (mut moved, mut undone) = (Vec::new(), Vec::new());
    let mut changes = String::new();
    for _ in 0..ROUNDS {
        let (took, outcome) = bench.import(&file).await;
        moved.push(took);
        let ChangeNumbers {
            new, moved, fixed, ..
        } = outcome.changes;
        changes = format!("({new} new, {moved} moved, {fixed} fixed)");
        let begun = Instant::now();
        let outcome = bench
            .services
            .undo_scan(&bench.actor, &outcome.scan.unwrap())
            .await
            .unwrap();
        undone.push(begun.elapsed());
        assert_eq!(outcome.removed as usize, n / 10);
    }
    line(
        "a tenth gone, a tenth new, the rest moved by 3 lines",
        *moved.iter().min().unwrap(),
        floor,
    );
    println!("  {changes}");
    line("undoing that", *undone.iter().min().unwrap(), floor);
}

/// The middle one of some imports, each in a process of its own, so that its peak is its own: at the peak, and before.
fn memory_of_import(n: usize) -> (f64, f64) {
    let measure = |_| {
        let output = Command::new(env::current_exe().unwrap())
            .args(["import-alone", &n.to_string()])
            .output()
            .unwrap();
        let output = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut numbers = output.split_whitespace().map(|n| n.parse().unwrap());
        (numbers.next().unwrap(), numbers.next().unwrap())
    };
    let mut measured: Vec<(f64, f64)> = (0..ROUNDS).map(measure).collect();
    measured.sort_by(|one, other| one.0.total_cmp(&other.0));
    measured[ROUNDS / 2]
}

/// Checking a log of so many entries: the seconds that it takes, and the memory at the peak and before.
async fn log_alone(n: usize) {
    let (bench, _) = Bench::fresh(Backend::Sqlite).await.unwrap();
    let mut tx = bench.services.database().write().await.unwrap();
    for at in 0..i64::try_from(n).unwrap() {
        let entry = NewActivity {
            at,
            actor: bench.actor.id.as_str(),
            action: "finding.triaged",
            subject_kind: "finding",
            subject: "0190b2a0-0000-7000-8000-000000000000",
            service: Some(bench.service.as_str()),
            review: None,
            summary: format!("decided about finding F-{at}"),
            before: Some(r#"{"status":"open"}"#.to_owned()),
            after: Some(r#"{"status":"false_positive","reason":"Only in tests."}"#.to_owned()),
        };
        tx.append_activity(entry).await.unwrap();
    }
    tx.commit().await.unwrap();
    let before = peak_mib();
    let begun = Instant::now();
    let verified = bench.services.verify_log().await.unwrap();
    assert!(verified.problems.is_empty());
    println!(
        "{:.2} {:.1} {before:.1}",
        begun.elapsed().as_secs_f64(),
        peak_mib()
    );
}

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    if let [_, mode, n, ..] = arguments.as_slice()
        && mode == "import-alone"
    {
        let n = n.parse().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bench.sarif");
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(&sarif(n, 0, 0, 0)).unwrap();
        // What is left to be written would slow the import down, which more threads then share.
        file.sync_all().unwrap();
        // The generator's own peak would hide the import's: begin again from the file.
        let output = Command::new(env::current_exe().unwrap())
            .args(["import-file", path.to_str().unwrap()])
            .output()
            .unwrap();
        println!("{}", String::from_utf8_lossy(&output.stdout).trim());
        return;
    }
    if let [_, mode, n, ..] = arguments.as_slice()
        && mode == "log-alone"
    {
        return runtime.block_on(log_alone(n.parse().unwrap()));
    }
    if let [_, mode, path, ..] = arguments.as_slice()
        && mode == "import-file"
    {
        runtime.block_on(async {
            let (bench, _) = Bench::fresh(Backend::Sqlite).await.unwrap();
            let before = peak_mib();
            let mut receiving = bench.services.files().receive().await.unwrap();
            let mut file = std::fs::File::open(path).unwrap();
            let mut chunk = vec![0; 64 * 1024];
            loop {
                let n = std::io::Read::read(&mut file, &mut chunk).unwrap();
                if n == 0 {
                    break;
                }
                receiving.write(&chunk[..n]).await.unwrap();
            }
            let file = receiving.keep().await.unwrap();
            bench.import(&file).await;
            println!("{:.1} {before:.1}", peak_mib());
        });
        return;
    }
    let sizes: Vec<usize> = match arguments.get(1).and_then(|n| n.parse().ok()) {
        Some(n) => vec![n],
        None => vec![10_000, 100_000],
    };
    runtime.block_on(async {
        for n in &sizes {
            imports(Backend::Sqlite, *n).await;
            imports(Backend::Postgres, *n).await;
        }
    });
    println!("\nmemory of one first import (SQLite)");
    for n in sizes {
        let (peak, before) = memory_of_import(n);
        let what = format!("{n} findings");
        println!("{what:<58} {peak:.0} MiB at the peak, {before:.0} MiB before");
    }
    println!("\nchecking the activity log (SQLite)");
    for n in [10_000, 100_000] {
        let output = Command::new(env::current_exe().unwrap())
            .args(["log-alone", &n.to_string()])
            .output()
            .unwrap();
        let output = String::from_utf8_lossy(&output.stdout).into_owned();
        let numbers: Vec<f64> = output
            .split_whitespace()
            .map(|n| n.parse().unwrap())
            .collect();
        let what = format!("{n} entries");
        println!(
            "{what:<58} {:.2} s, {:.0} MiB at the peak, {:.0} MiB before",
            numbers[0], numbers[1], numbers[2]
        );
    }
}
