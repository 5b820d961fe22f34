//! Databases for tests: the same suite runs on a SQLite file and, where `HOLDPOINT_TEST_POSTGRES` names a server, on a
//! PostgreSQL database of its own.

use std::{
    env,
    sync::atomic::{AtomicU32, Ordering},
};

use sqlx::{Connection, PgConnection};

use crate::{Database, DatabaseUrl};

/// A fresh database with its tables. A SQLite file goes with the value; a PostgreSQL database goes with its server,
/// which the test run starts for itself.
#[derive(Debug)]
pub struct TestDatabase {
    pub database: Database,
    pub url: DatabaseUrl,
    /// `sqlite` or `postgres`, for messages.
    pub name: &'static str,
    _folder: tempfile::TempDir,
}

impl TestDatabase {
    /// A fresh SQLite file.
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let url = DatabaseUrl::Sqlite(folder.path().join("holdpoint.db"));
        let database = Database::open(&url)
            .await
            .expect("a fresh SQLite file opens");
        Self {
            database,
            url,
            name: "sqlite",
            _folder: folder,
        }
    }

    /// A fresh PostgreSQL database, or `None` with a line on stderr where no server is named. With `CI` set, a missing
    /// server is a failure.
    pub async fn postgres() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let Ok(server) = env::var("HOLDPOINT_TEST_POSTGRES") else {
            assert!(
                env::var_os("CI").is_none(),
                "HOLDPOINT_TEST_POSTGRES must name a server in CI"
            );
            report_absence();
            return None;
        };
        let name = format!(
            "holdpoint_test_{}_{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let mut connection = PgConnection::connect(&server)
            .await
            .expect("the server of HOLDPOINT_TEST_POSTGRES answers");
        let make = format!("create database {name} template template0");
        sqlx::query(sqlx::AssertSqlSafe(make))
            .execute(&mut connection)
            .await
            .expect("a database can be made");
        connection.close().await.expect("the connection closes");
        let (address, query) = server
            .split_once('?')
            .map_or((server.as_str(), None), |(a, q)| (a, Some(q)));
        let base = match address.split_once("://") {
            Some((scheme, rest)) => {
                format!("{scheme}://{}", rest.split('/').next().unwrap_or_default())
            }
            None => address.to_owned(),
        };
        let address = match query {
            Some(query) => format!("{base}/{name}?{query}"),
            None => format!("{base}/{name}"),
        };
        let url = DatabaseUrl::Postgres(address);
        let database = Database::open(&url)
            .await
            .expect("a fresh PostgreSQL database opens");
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        Some(Self {
            database,
            url,
            name: "postgres",
            _folder: folder,
        })
    }

    /// Every kind of database that can be tested here.
    pub async fn each() -> Vec<Self> {
        let mut databases = vec![Self::sqlite().await];
        databases.extend(Self::postgres().await);
        databases
    }
}

impl crate::Tx {
    /// Does to the activity log what only somebody with the database in their hands can do, so that tests can show that
    /// it is found out.
    pub async fn tamper_with_activity_for_test(
        &mut self,
        sql: &'static str,
    ) -> Result<u64, crate::StorageError> {
        Ok(crate::execute!(self, sql))
    }
}

#[expect(
    clippy::print_stderr,
    reason = "a test says on stderr what it could not run"
)]
fn report_absence() {
    eprintln!("not run on PostgreSQL: HOLDPOINT_TEST_POSTGRES names no server");
}
