//! What the tests of the service stand on: a fresh database with a clock that is turned by hand and seeded randomness.

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test file uses its own part of this"
)]

pub(crate) mod scans;
pub(crate) mod team;

use std::sync::Arc;

use holdpoint_domain::InstanceRole;
use holdpoint_service::{
    Actor, Ids, KeyStore, Limits, NewAccount, ServiceError, Services, TestClock,
};
use holdpoint_storage::{FileStore, testing::TestDatabase};

/// Wed 28 Jan 2026, 14:40 UTC.
pub(crate) const START: i64 = 1_769_611_200_000;
pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const DAY: i64 = 24 * 60 * MINUTE;
pub(crate) const PASSWORD: &str = "four words work well";

/// The service on one database.
pub(crate) struct World {
    pub(crate) services: Services,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) on: TestDatabase,
    _folder: tempfile::TempDir,
}

impl World {
    /// The service on every kind of database that can be tested here.
    pub(crate) async fn each() -> Vec<Self> {
        let mut worlds = Vec::new();
        for on in TestDatabase::each().await {
            worlds.push(Self::on(on).await);
        }
        worlds
    }

    /// The service on SQLite alone, for what no database has a part in.
    pub(crate) async fn sqlite() -> Self {
        Self::on(TestDatabase::sqlite().await).await
    }

    pub(crate) async fn on(on: TestDatabase) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let files = FileStore::open(folder.path())
            .await
            .expect("a file store opens");
        let clock = Arc::new(TestClock::at(START));
        let services = Services::new(
            on.database.clone(),
            files,
            KeyStore::new(folder.path().join("keys"), None),
            clock.clone(),
            Ids::seeded(7),
            Limits::default(),
        );
        Self {
            services,
            clock,
            on,
            _folder: folder,
        }
    }

    /// A member with the password [`PASSWORD`] and the address `name@example.org`.
    pub(crate) async fn member(&self, name: &str) -> Actor {
        self.person(name, InstanceRole::Member).await
    }

    /// An administrator, otherwise as [`World::member`].
    pub(crate) async fn admin(&self, name: &str) -> Actor {
        self.person(name, InstanceRole::Admin).await
    }

    async fn person(&self, name: &str, instance_role: InstanceRole) -> Actor {
        let email = format!("{name}@example.org");
        let new = NewAccount {
            email: &email,
            name,
            password: PASSWORD,
            instance_role,
        };
        Actor::of(
            &self
                .services
                .add_person(new)
                .await
                .expect("the account is made"),
        )
    }

    /// Writes in the database behind the service's back.
    pub(crate) async fn tamper(&self, sql: &str) {
        let mut tx = self.on.database.write().await.expect("writes");
        let touched = tx
            .tamper_with_activity_for_test(Box::leak(sql.to_owned().into_boxed_str()))
            .await
            .expect("is done");
        tx.commit().await.expect("commits");
        assert!(touched > 0, "{sql} on {}", self.on.name);
    }

    /// Everything in the activity log, oldest first: action and the rest as one text.
    pub(crate) async fn log(&self) -> Vec<(String, String)> {
        let mut tx = self.on.database.read().await.expect("reads");
        tx.activity_after(0, 10_000)
            .await
            .expect("reads the log")
            .into_iter()
            .map(|stored| (stored.entry.action.clone(), format!("{:?}", stored.entry)))
            .collect()
    }
}

/// The field and message of a rejection.
pub(crate) fn rejected<T>(outcome: Result<T, ServiceError>) -> (&'static str, String) {
    match outcome {
        Err(ServiceError::Rejected { field, message }) => (field, message),
        Err(other) => panic!("expected a rejection, not {other:?}"),
        Ok(_) => panic!("expected a rejection, but it was done"),
    }
}

pub(crate) fn is_forbidden<T>(outcome: &Result<T, ServiceError>) -> bool {
    matches!(outcome, Err(ServiceError::Forbidden(_)))
}

pub(crate) fn is_not_found<T>(outcome: &Result<T, ServiceError>) -> bool {
    matches!(outcome, Err(ServiceError::NotFound(_)))
}

pub(crate) fn is_conflict<T>(outcome: &Result<T, ServiceError>) -> bool {
    matches!(outcome, Err(ServiceError::Conflict(_)))
}
