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
        let url = empty_postgres().await?;
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

/// A place for a database of every kind that can be tested here, with nothing in it yet, and a data folder.
pub async fn each_empty() -> Vec<(DatabaseUrl, tempfile::TempDir)> {
    let folder = || tempfile::tempdir().expect("a temporary folder can be made");
    let data = folder();
    let sqlite = DatabaseUrl::Sqlite(data.path().join("holdpoint.db"));
    let mut empty = vec![(sqlite, data)];
    empty.extend(empty_postgres().await.map(|url| (url, folder())));
    empty
}

/// An empty database on the server of `HOLDPOINT_TEST_POSTGRES`, if it names one.
async fn empty_postgres() -> Option<DatabaseUrl> {
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
    Some(DatabaseUrl::Postgres(address))
}

/// What only somebody with the database in their hands, or the machine under it, can do to it.
impl TestDatabase {
    /// Lets the SQLite file have no more than so many pages, as if the disk were full.
    pub async fn limit_pages_for_test(&self, pages: u32) {
        let Database::Sqlite { writer, .. } = &self.database else {
            panic!("only SQLite counts pages");
        };
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "pragma max_page_count = {pages}"
        )))
        .execute(writer)
        .await
        .expect("a limit can be set");
    }

    /// Cuts every other connection to this PostgreSQL database.
    pub async fn cut_connections_for_test(&self) {
        let DatabaseUrl::Postgres(url) = &self.url else {
            panic!("only PostgreSQL has connections to cut");
        };
        let mut connection = PgConnection::connect(url).await.expect("connects");
        sqlx::query(
            "select pg_terminate_backend(pid) from pg_stat_activity \
             where datname = current_database() and pid <> pg_backend_pid()",
        )
        .execute(&mut connection)
        .await
        .expect("the owner may cut connections");
    }

    /// Writes as another program does that has the database in its hands.
    pub async fn write_as_another_for_test(&self, sql: &str) {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        let touched = match &self.url {
            DatabaseUrl::Sqlite(path) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
                let mut connection = sqlx::SqliteConnection::connect_with(&options)
                    .await
                    .expect("connects");
                let done = sqlx::query(sql).execute(&mut connection).await;
                done.expect("writes").rows_affected()
            }
            DatabaseUrl::Postgres(url) => {
                let mut connection = PgConnection::connect(url).await.expect("connects");
                let done = sqlx::query(sql).execute(&mut connection).await;
                done.expect("writes").rows_affected()
            }
        };
        assert!(touched > 0);
    }

    /// Writes down a step of the tables that no version knows.
    pub async fn add_unknown_step_for_test(&self) {
        let mut tx = self.database.write().await.expect("begins");
        let sql = tx.dialect(
            "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
             values (999999, 'of a later version', true, x'00', 1)",
            "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
             values (999999, 'of a later version', true, '\\x00', 1)",
        );
        crate::on_conn!(&mut tx, conn => {
            sqlx::query(sql).execute(conn).await.expect("inserts");
        });
        tx.commit().await.expect("commits");
    }
}

impl crate::StorageError {
    /// What the driver says when nothing answers.
    pub fn away_for_test() -> Self {
        Self::Database(sqlx::Error::PoolTimedOut)
    }
}

impl crate::Tx {
    /// The value of a setting of SQLite's own, as a text.
    pub async fn pragma_for_test(&mut self, pragma: &'static str) -> String {
        let crate::tx::Connection::Sqlite(tx) = self.connection() else {
            panic!("only SQLite has pragmas");
        };
        let value: i64 = sqlx::query_scalar(pragma)
            .fetch_one(&mut **tx)
            .await
            .expect("answers");
        value.to_string()
    }

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
