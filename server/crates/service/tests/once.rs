//! Requests that are sent again: the work and its answer are there together or not at all, whenever the server is killed, the
//! request is given up, or the database goes away.
//!
//! The test's own program is the server that is killed: started again with the names of a database and a key in its
//! environment, it does one request and says so.

mod common;

use std::{
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    time::{Duration, Instant},
};

use common::{DAY, World, rejected, team};
use holdpoint_domain::{Digest, PersonId};
use holdpoint_service::{
    Actor, Ids, KeyStore, Limits, Once, RequestAnswer, ServiceError, Services, SystemClock,
};
use holdpoint_storage::{Database, DatabaseUrl, FileStore};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use sqlx::{Connection as _, PgConnection};

const DATABASE: &str = "HOLDPOINT_ONCE_DATABASE";
const FOLDER: &str = "HOLDPOINT_ONCE_FOLDER";
const PERSON: &str = "HOLDPOINT_ONCE_PERSON";
const KEY: &str = "HOLDPOINT_ONCE_KEY";

fn answer(body: impl Into<String>) -> RequestAnswer {
    RequestAnswer {
        status: 201,
        body: body.into(),
    }
}

/// One request as the API makes it: the work, what is read for the answer, and the answer.
async fn make_service(
    services: &Services,
    actor: &Actor,
    key: &str,
    name: &str,
) -> Result<Once, ServiceError> {
    let work = async |services: Services| {
        let made = services
            .create_service(actor, team::new_service(name))
            .await?;
        let read = services.service(actor, &made.id).await?;
        Ok(answer(read.service.id.as_str()))
    };
    let digest = Digest::of(name.as_bytes());
    services.once(actor, Some((key, &digest)), work).await
}

async fn n_named(services: &Services, actor: &Actor, name: &str) -> usize {
    let all = services.services_for(actor).await.expect("lists");
    all.iter().filter(|one| one.service.name == name).count()
}

#[tokio::test]
async fn the_same_key_gets_the_same_answer_and_another_request_is_refused() {
    for world in World::each().await {
        let services = &world.services;
        let (ana, bo) = (world.admin("ana").await, world.admin("bo").await);
        let first = make_service(services, &ana, "k", "One").await.unwrap();
        let Once::Now(first) = first else {
            panic!("{first:?}");
        };
        let again = make_service(services, &ana, "k", "One").await.unwrap();
        assert_eq!(again, Once::Again(first.clone()));
        let other = make_service(services, &ana, "k", "Another").await;
        assert_eq!(rejected(other).0, "Idempotency-Key");
        // Another caller's key is another key.
        let of_bo = make_service(services, &bo, "k", "Another").await.unwrap();
        assert!(matches!(of_bo, Once::Now(_)));
        // A refusal keeps no key: the request may be mended.
        rejected(make_service(services, &bo, "l", "One").await);
        let mended = make_service(services, &bo, "l", "Mended").await.unwrap();
        assert!(matches!(mended, Once::Now(_)));
        for bad in ["", "a b", "ä", &"k".repeat(201)] {
            rejected(make_service(services, &ana, bad, "Bad").await);
        }
        // After a day a key is new, whether old answers were swept away or not.
        world.clock.advance(DAY + 1);
        let new = make_service(services, &ana, "k", "Much later").await;
        assert!(matches!(new, Ok(Once::Now(_))), "{new:?}");
        world.clock.advance(DAY + 1);
        assert_eq!(services.forget_old_answers().await.unwrap(), 3);
    }
}

#[tokio::test]
async fn a_request_is_not_worked_on_twice_at_once() {
    let world = World::sqlite().await;
    let ana = world.admin("ana").await;
    let digest = Digest::of(b"");
    let work = async |_| {
        let again = async |_| Ok::<_, ServiceError>(answer("inner"));
        let again = world.services.once(&ana, Some(("k", &digest)), again).await;
        assert!(matches!(again, Err(ServiceError::TooOften { .. })));
        Ok::<_, ServiceError>(answer("outer"))
    };
    let done = world.services.once(&ana, Some(("k", &digest)), work).await;
    assert_eq!(done.unwrap(), Once::Now(answer("outer")));
}

#[tokio::test]
async fn two_nodes_with_one_request_do_its_work_once() {
    for world in World::each().await {
        let ana = world.admin("ana").await;
        let database = Database::open(&world.on.url).await.unwrap();
        let node = Services::new(
            database,
            world.services.files().clone(),
            world.services.keys().clone(),
            world.clock.clone(),
            Ids::seeded(8),
            Limits::default(),
        );
        for n in 0..10 {
            let (key, name) = (format!("k{n}"), format!("Service {n}"));
            let (one, other) = tokio::join!(
                make_service(&world.services, &ana, &key, &name),
                make_service(&node, &ana, &key, &name)
            );
            let (one, other) = (one.unwrap(), other.unwrap());
            let text = |once: &Once| match once {
                Once::Now(answer) | Once::Again(answer) => answer.body.clone(),
            };
            assert_eq!(text(&one), text(&other), "{one:?} {other:?}");
            assert_eq!(n_named(&node, &ana, &name).await, 1);
        }
    }
}

#[tokio::test]
async fn what_fails_after_its_work_was_done_leaves_nothing() {
    for world in World::each().await {
        let services = &world.services;
        let ana = world.admin("ana").await;
        let digest = Digest::of(b"");
        let log = world.log().await.len();
        let work = async |services: Services| {
            services
                .create_service(&ana, team::new_service("Half"))
                .await?;
            Err::<RequestAnswer, _>(ServiceError::unavailable("the answer could not be written"))
        };
        for key in [None, Some(("k", &digest))] {
            services.once(&ana, key, work).await.unwrap_err();
            assert_eq!(n_named(services, &ana, "Half").await, 0);
            assert_eq!(world.log().await.len(), log);
        }
        // Given up in the middle, as when whoever asked goes away: the key is free at once.
        let never = async |services: Services| {
            services
                .create_service(&ana, team::new_service("Half"))
                .await?;
            std::future::pending::<Result<RequestAnswer, ServiceError>>().await
        };
        let given_up = services.once(&ana, Some(("k", &digest)), never);
        let soon = Duration::from_millis(100);
        assert!(tokio::time::timeout(soon, given_up).await.is_err());
        assert_eq!(n_named(services, &ana, "Half").await, 0);
        make_service(services, &ana, "k", "Half").await.unwrap();
    }
}

#[tokio::test]
async fn a_step_that_is_left_takes_nothing_of_the_steps_before_it_away() {
    for world in World::each().await {
        let ana = world.admin("ana").await;
        let work = async |services: Services| {
            let kept = team::new_service("Kept");
            services.create_service(&ana, kept).await?;
            // The slug is taken: refused after it was written, on PostgreSQL by the database.
            let same = team::new_service("Kept");
            rejected(services.create_service(&ana, same).await);
            let after = team::new_service("After");
            services.create_service(&ana, after).await?;
            Ok::<_, ServiceError>(answer("done"))
        };
        world.services.once(&ana, None, work).await.unwrap();
        for name in ["Kept", "After"] {
            assert_eq!(n_named(&world.services, &ana, name).await, 1, "{name}");
        }
        let log = world.services.verify_log().await.unwrap();
        assert!(log.problems.is_empty(), "{log:?}");
    }
}

// A server that is killed

/// With a database in its environment this is the server that is killed.
#[tokio::test]
async fn a_server_of_its_own_does_one_request() {
    let Ok(url) = std::env::var(DATABASE) else {
        return;
    };
    let given = |name: &str| std::env::var(name).expect("is given");
    let (services, actor) = server(&url.parse().unwrap(), &given(FOLDER), &given(PERSON)).await;
    say("begun");
    let key = given(KEY);
    let name = format!("Service {key}");
    make_service(&services, &actor, &key, &name).await.unwrap();
    say("done");
}

#[expect(clippy::print_stdout, reason = "the other process reads it")]
fn say(text: &str) {
    println!("\n{text}");
}

async fn server(url: &DatabaseUrl, folder: &str, person: &str) -> (Services, Actor) {
    let database = Database::open(url).await.expect("opens");
    let files = FileStore::open(folder.as_ref()).await.expect("opens");
    let (clock, ids) = (std::sync::Arc::new(SystemClock), Ids::from_system());
    let keys = KeyStore::new(std::path::Path::new(folder).join("keys"), None);
    let services = Services::new(database, files, keys, clock, ids, Limits::default());
    let person = PersonId::parse(person).expect("an id");
    let person = services.person_signed_in(&person).await.expect("reads");
    (services, Actor::of(&person.expect("is there")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_frees_its_keys_and_does_nothing_twice() {
    use std::io::{BufRead as _, BufReader};

    for world in World::each().await {
        let ana = world.admin("ana").await;
        let folder = tempfile::tempdir().unwrap();
        let url = match &world.on.url {
            DatabaseUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
            DatabaseUrl::Postgres(url) => url.clone(),
        };
        let mut random = StdRng::seed_from_u64(5);
        let (services, actor) = server(
            &world.on.url,
            folder.path().to_str().unwrap(),
            ana.id.as_str(),
        )
        .await;
        // How long one takes; then some are killed within that.
        let mut takes = Duration::ZERO;
        let mut n_killed = 0;
        for n in 0..30 {
            let key = format!("k{n}");
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "a_server_of_its_own_does_one_request",
                    "--nocapture",
                ])
                .env(DATABASE, &url)
                .env(FOLDER, folder.path())
                .env(PERSON, ana.id.as_str())
                .env(KEY, &key)
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("starts");
            let (sender, words) = std::sync::mpsc::channel();
            let stdout = child.stdout.take().unwrap();
            std::thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
            let wait_for = |word: &str, within: Duration| {
                let until = Instant::now() + within;
                while let Some(left) = until.checked_duration_since(Instant::now()) {
                    match words.recv_timeout(left) {
                        Ok(said) if said == word => return true,
                        Ok(_) => {}
                        Err(_) => return false,
                    }
                }
                false
            };
            assert!(wait_for("begun", Duration::from_secs(60)));
            let begun = Instant::now();
            let was_done = if n == 0 {
                let done = wait_for("done", Duration::from_secs(60));
                takes = begun.elapsed();
                done
            } else {
                wait_for("done", takes.mul_f64(random.random_range(0.0..1.2)))
            };
            child.kill().expect("is killed");
            child.wait().expect("ends");
            n_killed += usize::from(!was_done);
            // The next server needs no patience, and does it exactly if that is left to do.
            let name = format!("Service {key}");
            let is_there = n_named(&services, &actor, &name).await == 1;
            assert!(is_there || !was_done, "what was answered is there");
            let again = make_service(&services, &actor, &key, &name).await.unwrap();
            assert_eq!(matches!(again, Once::Again(_)), is_there, "{again:?}");
            assert_eq!(n_named(&services, &actor, &name).await, 1);
        }
        assert!(n_killed > 5, "only {n_killed} were killed in time");
    }
}

// A database that goes away

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_ended_at_any_moment_loses_nothing_and_does_nothing_twice() {
    for world in World::each().await {
        let DatabaseUrl::Postgres(url) = &world.on.url else {
            continue;
        };
        let services = &world.services;
        let ana = world.admin("ana").await;
        let mut enemy = PgConnection::connect(url).await.unwrap();
        let mut random = StdRng::seed_from_u64(6);
        let begun = Instant::now();
        make_service(services, &ana, "first", "First")
            .await
            .unwrap();
        let takes = begun.elapsed();
        let mut n_failed = 0;
        for n in 0..60 {
            let (key, name) = (format!("k{n}"), format!("Service {n}"));
            let after = takes.mul_f64(random.random_range(0.0..1.2));
            let end = async {
                const SQL: &str = "select pg_terminate_backend(pid) from pg_stat_activity \
                    where datname = current_database() and pid <> pg_backend_pid()";
                tokio::time::sleep(after).await;
                sqlx::query(SQL).execute(&mut enemy).await.unwrap();
            };
            let (done, ()) = tokio::join!(make_service(services, &ana, &key, &name), end);
            // Ended connections are in the pool until they are tried.
            let is_there = until_it_answers(async || {
                let all = services.services_for(&ana).await?;
                Ok(all.iter().any(|one| one.service.name == name))
            })
            .await;
            if let Err(error) = &done {
                n_failed += 1;
                // That nothing was changed is said only where it is so.
                let is_unsettled = unsettled(error);
                assert!(!is_there || is_unsettled, "{error:?}");
            } else {
                assert!(is_there, "what was answered is there");
            }
            let again =
                until_it_answers(async || make_service(services, &ana, &key, &name).await).await;
            assert_eq!(matches!(again, Once::Again(_)), is_there, "{again:?}");
            assert_eq!(n_named(services, &ana, &name).await, 1);
        }
        assert!(n_failed > 10, "only {n_failed} were ended in time");
    }
}

/// Asks as a client does, again where the database has gone away.
async fn until_it_answers<T>(ask: impl AsyncFn() -> Result<T, ServiceError>) -> T {
    let mut tries = 0;
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(ServiceError::Unavailable(_)) if tries < 30 => tries += 1,
            Err(error) => panic!("{error:?}"),
        }
    }
}

fn unsettled(error: &ServiceError) -> bool {
    use holdpoint_storage::StorageError;

    let ServiceError::Unavailable(cause) = error else {
        return false;
    };
    matches!(
        cause.downcast_ref::<StorageError>(),
        Some(StorageError::Unanswered(_))
    )
}

// Two that are in each other's way

#[tokio::test(flavor = "multi_thread")]
async fn work_that_the_database_gave_up_is_begun_again() {
    for world in World::each().await {
        if !matches!(world.on.url, DatabaseUrl::Postgres(_)) {
            continue;
        }
        let team = team::Team::in_world(world).await;
        let items = [team.id("2.1.1").await, team.id("2.1.2").await];
        let both_have_one = tokio::sync::Barrier::new(2);
        let tries = AtomicU32::new(0);
        let lock = async |first: usize, second: usize| {
            let is_first_try = AtomicBool::new(true);
            let work = async |services: Services| {
                tries.fetch_add(1, Ordering::Relaxed);
                let mut tx = services.database().write().await?;
                tx.lock_items(&items[first..=first]).await?;
                if is_first_try.swap(false, Ordering::Relaxed) {
                    both_have_one.wait().await;
                }
                tx.lock_items(&items[second..=second]).await?;
                tx.commit().await?;
                Ok::<_, ServiceError>(answer("locked"))
            };
            team.world.services.once(&team.owner, None, work).await
        };
        let (one, other) = tokio::join!(lock(0, 1), lock(1, 0));
        for done in [one, other] {
            assert_eq!(done.unwrap(), Once::Now(answer("locked")));
        }
        assert_eq!(
            tries.load(Ordering::Relaxed),
            3,
            "one of them had to begin again"
        );
    }
}
