use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use holdpoint_domain::Millis;
use sqlx::{
    ConnectOptions as _, Connection as _, PgPool, SqlSafeStr as _, SqlitePool, Transaction,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{
        SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions,
        SqliteSynchronous,
    },
};

use crate::{StorageError, Tx, interrupt::InterruptOnDrop, private, tx::Connection, unit::Unit};

pub(crate) static SQLITE_STEPS: Migrator = sqlx::migrate!("../../../migrations/sqlite");
pub(crate) static POSTGRES_STEPS: Migrator = sqlx::migrate!("../../../migrations/postgres");

/// Where the database is. Its `Debug` and `Display` never show a password.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A SQLite file, made when it is not there.
    Sqlite(PathBuf),
    /// A `postgres://` address.
    Postgres(String),
}

impl FromStr for DatabaseUrl {
    type Err = StorageError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            PgConnectOptions::from_str(text)
                .map_err(|_| StorageError::Address("this postgres:// address cannot be read: write postgres://USER:PASSWORD@HOST:PORT/DATABASE".to_owned()))?;
            return Ok(Self::Postgres(text.to_owned()));
        }
        match text
            .strip_prefix("sqlite://")
            .or_else(|| text.strip_prefix("sqlite:"))
        {
            Some("") | None => Err(StorageError::Address(
                "a database is sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE"
                    .to_owned(),
            )),
            Some(path) => Ok(Self::Sqlite(PathBuf::from(path))),
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => {
                let after = url.rsplit_once('@').map_or_else(
                    || url.split_once("//").map_or("", |(_, rest)| rest),
                    |(_, rest)| rest,
                );
                let address = after.split('?').next().unwrap_or_default();
                write!(f, "postgres://{address}")
            }
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An open database, with its tables at this version.
#[derive(Clone, Debug)]
pub enum Database {
    /// One connection writes, the others only read: SQLite has one writer at a time, and a queue in the pool waits
    /// politely where the file's lock would refuse.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
        /// How a connection is opened beside the pools.
        options: Box<SqliteConnectOptions>,
    },
    Postgres(PgPool),
    /// The same, as the steps of one request see it: see [`Unit`].
    Within {
        database: Box<Self>,
        unit: Arc<Unit>,
    },
}

impl Database {
    /// This database as the steps of one unit see it.
    pub fn within(&self, unit: Arc<Unit>) -> Self {
        Self::Within {
            database: Box::new(self.clone()),
            unit,
        }
    }

    /// Whether this is the database as the steps of one unit see it.
    pub const fn is_within(&self) -> bool {
        matches!(self, Self::Within { .. })
    }

    /// Opens the database, makes it if it is a SQLite file that is not there, and brings its tables up to date.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, StorageError> {
        match url {
            DatabaseUrl::Sqlite(path) => Self::open_sqlite(path).await,
            DatabaseUrl::Postgres(url) => Self::open_postgres(url).await,
        }
    }

    async fn open_sqlite(path: &Path) -> Result<Self, StorageError> {
        // SQLite gives the files beside it the same permissions.
        let file = path.to_owned();
        private::in_background(move || private::make_file(&file)).await?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            // A new file's: an import moves fewer of them than of the usual 4 KiB.
            .page_size(8192)
            .pragma("cache_size", "-10000")
            .pragma("temp_store", "memory");
        // There is one, and a large import goes to and fro between the pages of the index of titles.
        let writing = options.clone().pragma("cache_size", "-16000");
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_release(|connection, _| Box::pin(make_fit(connection)))
            .connect_with(writing.create_if_missing(true))
            .await?;
        SQLITE_STEPS.run(&writer).await.map_err(schema)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(8)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_release(|connection, _| Box::pin(has_ended(connection)))
            .connect_with(options.clone().read_only(true))
            .await?;
        Ok(Self::Sqlite {
            writer,
            readers,
            options: Box::new(options),
        })
    }

    async fn open_postgres(url: &str) -> Result<Self, StorageError> {
        let pool = PgPoolOptions::new()
            .max_connections(10)
            .acquire_timeout(Duration::from_secs(10))
            .connect(url)
            .await?;
        POSTGRES_STEPS.run(&pool).await.map_err(schema)?;
        Ok(Self::Postgres(pool))
    }

    /// A unit of work that only reads, and sees one moment of the database throughout. What it asks ends with it: SQLite
    /// stops when it is dropped, PostgreSQL gives each question 30 seconds, as long as a request has.
    pub async fn read(&self) -> Result<Tx, StorageError> {
        match self {
            Self::Sqlite { readers, .. } => {
                let mut tx = readers.begin().await?;
                let interrupt = InterruptOnDrop::watch(&mut tx).await?;
                Ok(Tx::reading(Connection::Sqlite(tx), Some(interrupt)))
            }
            Self::Postgres(pool) => {
                const BEGIN: &str = "begin transaction isolation level repeatable read read only; \
                    set local statement_timeout = '30s'";
                Ok(Tx::reading(
                    Connection::Postgres(pool.begin_with(BEGIN).await?),
                    None,
                ))
            }
            Self::Within { database, unit } => match unit.read().await? {
                Some(tx) => Ok(tx),
                None => Box::pin(database.read()).await,
            },
        }
    }

    /// As [`Database::read`], for what no request waits for: a backup reads whole tables, however long one takes.
    pub async fn read_at_leisure(&self) -> Result<Tx, StorageError> {
        match self {
            Self::Postgres(pool) => {
                const BEGIN: &str = "begin transaction isolation level repeatable read read only";
                Ok(Tx::reading(
                    Connection::Postgres(pool.begin_with(BEGIN).await?),
                    None,
                ))
            }
            Self::Sqlite { .. } | Self::Within { .. } => self.read().await,
        }
    }

    /// A unit of work that may write.
    pub async fn write(&self) -> Result<Tx, StorageError> {
        if let Self::Within { database, unit } = self {
            return Box::pin(unit.write(database)).await;
        }
        Ok(Tx::new(self.begin_writing().await?))
    }

    /// The transaction of a unit of work that may write.
    pub(crate) async fn begin_writing(&self) -> Result<Connection, StorageError> {
        Ok(match self {
            Self::Sqlite { writer, .. } => Connection::Sqlite(
                writer
                    .begin_with("begin immediate")
                    .await
                    .map_err(of_turn)?,
            ),
            Self::Postgres(pool) => Connection::Postgres(pool.begin().await?),
            Self::Within { database, .. } => Box::pin(database.begin_writing()).await?,
        })
    }

    /// A unit of work for what can be done again as it was: it is never torn, but if the power fails within the moments
    /// after its commit, SQLite may be without it. What people decide goes through [`Database::write`];
    /// so does this on PostgreSQL, and in the unit of a request, whose answer is kept with it.
    pub async fn write_repeatable(&self) -> Result<Tx, StorageError> {
        let Self::Sqlite { writer, .. } = self else {
            return self.write().await;
        };
        let mut connection = writer.acquire().await.map_err(of_turn)?;
        sqlx::query("pragma synchronous = normal")
            .execute(&mut *connection)
            .await?;
        let begin = Some("begin immediate".into_sql_str());
        let begun = Transaction::begin(connection, begin).await?;
        Ok(Tx::new(Connection::Sqlite(begun)))
    }

    /// Commits a unit of work that wrote much. SQLite then keeps it in its write-ahead log, and folds that into the file
    /// beside everything else, so that nobody waits for it.
    pub async fn commit_large(&self, mut tx: Tx) -> Result<(), StorageError> {
        if let Connection::Sqlite(tx) = tx.connection() {
            sqlx::query("pragma wal_autocheckpoint = 0")
                .execute(&mut **tx)
                .await?;
        }
        let committed = tx.commit().await;
        match self {
            // Only the request's own commit writes anything.
            Self::Within { unit, .. } => unit.wrote_much(),
            Self::Sqlite { .. } | Self::Postgres(_) => self.fold_log(),
        }
        committed
    }

    /// If it fails, a later commit folds that too.
    pub(crate) fn fold_log(&self) {
        let options = match self {
            Self::Sqlite { options, .. } => options.clone(),
            Self::Postgres(_) => return,
            Self::Within { database, .. } => return database.fold_log(),
        };
        tokio::spawn(async move {
            let mut connection = options.connect().await?;
            sqlx::query("pragma wal_checkpoint(passive)")
                .execute(&mut connection)
                .await?;
            connection.close().await
        });
    }

    /// `sqlite` or `postgres`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "sqlite",
            Self::Postgres(_) => "postgres",
            Self::Within { database, .. } => database.kind(),
        }
    }

    /// Whether the database answers now.
    pub async fn ping(&self) -> Result<(), StorageError> {
        match self {
            Self::Sqlite { readers, .. } => {
                sqlx::query("select 1").execute(readers).await?;
            }
            Self::Postgres(pool) => {
                sqlx::query("select 1").execute(pool).await?;
            }
            Self::Within { database, .. } => Box::pin(database.ping()).await?,
        }
        Ok(())
    }

    /// Writes something that nobody reads, and keeps it: whether the database takes writes can be known in no other way.
    pub async fn probe(&self, now: Millis) -> Result<(), StorageError> {
        let mut tx = self.write().await?;
        tx.set_setting("probed_at", &now.to_string()).await?;
        tx.commit_beside().await
    }

    /// Whether the one writer of SQLite is at work. It then takes no other write, and that is no fault.
    pub fn is_writing(&self) -> bool {
        match self {
            Self::Sqlite { writer, .. } => writer.num_idle() == 0 && writer.size() > 0,
            Self::Postgres(_) => false,
            Self::Within { database, .. } => database.is_writing(),
        }
    }

    /// Closes every connection; SQLite then folds its write-ahead log into the file.
    pub async fn close(&self) {
        match self {
            Self::Sqlite {
                writer, readers, ..
            } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
            Self::Within { database, .. } => Box::pin(database.close()).await,
        }
    }
}

/// Whether a connection can be given to the next one. After a full disk SQLite has ended the transaction by itself, the
/// pool's own end of it fails, and every later beginning would.
async fn has_ended(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // The end of a transaction that was dropped is only begun: this waits for it.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// The same for the writer, which also gets back what [`Database::write_repeatable`] and [`Database::commit_large`] took.
async fn make_fit(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if !has_ended(connection).await? {
        tracing::warn!(
            "a transaction ended badly, on a full disk for instance: its connection is closed and another opened"
        );
        return Ok(false);
    }
    sqlx::raw_sql("pragma synchronous = full; pragma wal_autocheckpoint = 1000")
        .execute(connection)
        .await?;
    Ok(true)
}

/// Who waits for the one writer in vain waits for somebody else's work.
fn of_turn(error: sqlx::Error) -> StorageError {
    match error {
        sqlx::Error::PoolTimedOut => StorageError::Busy,
        error => error.into(),
    }
}

/// Says what it means that the tables are not those of this version.
pub(crate) fn schema(error: MigrateError) -> StorageError {
    match error {
        MigrateError::VersionMissing(step) => StorageError::NewerSchema { step },
        error => error.into(),
    }
}
