use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use sqlx::{
    ConnectOptions as _, Connection as _, PgPool, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{StorageError, Tx};

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
}

impl Database {
    /// Opens the database, makes it if it is a SQLite file that is not there, and brings its tables up to date.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, StorageError> {
        match url {
            DatabaseUrl::Sqlite(path) => Self::open_sqlite(path).await,
            DatabaseUrl::Postgres(url) => Self::open_postgres(url).await,
        }
    }

    async fn open_sqlite(path: &Path) -> Result<Self, StorageError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
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
            .connect_with(writing.create_if_missing(true))
            .await?;
        sqlx::migrate!("../../../migrations/sqlite")
            .run(&writer)
            .await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(8)
            .idle_timeout(None)
            .max_lifetime(None)
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
        sqlx::migrate!("../../../migrations/postgres")
            .run(&pool)
            .await?;
        Ok(Self::Postgres(pool))
    }

    /// A unit of work that only reads, and sees one moment of the database throughout.
    pub async fn read(&self) -> Result<Tx, StorageError> {
        Ok(match self {
            Self::Sqlite { readers, .. } => Tx::Sqlite(readers.begin().await?),
            Self::Postgres(pool) => Tx::Postgres(
                pool.begin_with("begin transaction isolation level repeatable read read only")
                    .await?,
            ),
        })
    }

    /// A unit of work that may write.
    pub async fn write(&self) -> Result<Tx, StorageError> {
        Ok(match self {
            Self::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with("begin immediate").await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// Commits a unit of work that wrote much. SQLite then keeps it in its write-ahead log, and folds that into the file
    /// beside everything else, so that nobody waits for it.
    pub async fn commit_large(&self, mut tx: Tx) -> Result<(), StorageError> {
        if let Tx::Sqlite(tx) = &mut tx {
            sqlx::query("pragma wal_autocheckpoint = 0")
                .execute(&mut **tx)
                .await?;
        }
        let committed = tx.commit().await;
        self.fold_log();
        committed
    }

    /// If it fails, a later commit folds that too.
    fn fold_log(&self) {
        let Self::Sqlite {
            writer, options, ..
        } = self.clone()
        else {
            return;
        };
        tokio::spawn(async move {
            sqlx::query("pragma wal_autocheckpoint = 1000")
                .execute(&writer)
                .await?;
            let mut connection = options.connect().await?;
            sqlx::query("pragma wal_checkpoint(passive)")
                .execute(&mut connection)
                .await?;
            connection.close().await
        });
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
        }
        Ok(())
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
        }
    }
}
