use std::io::ErrorKind;

use sqlx::sqlite::SqliteError;
use thiserror::Error;
use tower_sessions::{session, session_store};

/// Why the database or the file store did not do what was asked.
#[derive(Debug, Error)]
pub enum StorageError {
    /// The row was changed by someone else since it was read, or a unique value is taken.
    #[error("changed by someone else in the meantime")]
    Conflict,
    /// What is stored cannot be what was written: a damaged file, an unknown word in a column.
    #[error("stored data is damaged: {0}")]
    Damaged(String),
    /// The address of a database is not one that Holdpoint can open.
    #[error("{0}")]
    Address(String),
    #[error("the database did not answer as expected")]
    Database(#[from] sqlx::Error),
    #[error("the database could not be brought to this version's tables")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error(
        "its tables are of a newer version of Holdpoint: their step {step} is not known here. Start that version, or restore a \
         backup that was made before the upgrade"
    )]
    NewerSchema { step: i64 },
    #[error("the evidence folder could not be used")]
    Io(#[from] std::io::Error),
    /// Somebody else has been writing for as long as one waits.
    #[error("others are writing, and it was not this one's turn in time")]
    Busy,
    /// The database was lost between being asked to keep a unit of work and saying that it did.
    #[error("it is not known whether the database kept this")]
    Unanswered(#[source] sqlx::Error),
}

/// The disk under SQLite failed: what it had written by then may or may not be found there.
fn is_sqlite_io(error: &dyn sqlx::error::DatabaseError) -> bool {
    let code = error.code().and_then(|code| code.parse::<i32>().ok());
    error.try_downcast_ref::<SqliteError>().is_some() && code.is_some_and(|code| code & 0xff == 10)
}

/// What kind of failure an error is, as far as those who meet it can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The database cannot be reached, or does not take writes.
    Away,
    /// Others are writing.
    Busy,
    /// There is no room: on the database's disk, or on that of the files.
    Full,
    /// What is stored is not what was written.
    Damaged,
    /// The unit of work may have been kept, or not.
    Unanswered,
    Other,
}

impl Failure {
    /// Looks through an error and its causes.
    pub fn of(error: &(dyn std::error::Error + 'static)) -> Self {
        std::iter::successors(Some(error), |error| error.source())
            .map(Self::of_one)
            .find(|failure| *failure != Self::Other)
            .unwrap_or(Self::Other)
    }

    fn of_one(error: &(dyn std::error::Error + 'static)) -> Self {
        if let Some(error) = error.downcast_ref::<StorageError>() {
            return match error {
                StorageError::Busy => Self::Busy,
                StorageError::Damaged(_) => Self::Damaged,
                StorageError::Unanswered(_) => Self::Unanswered,
                _ => Self::Other,
            };
        }
        if let Some(error) = error.downcast_ref::<sqlx::Error>() {
            return Self::of_database(error);
        }
        // It does not name what lies under it as its cause.
        if let Some(session::Error::Store(session_store::Error::Backend(word))) =
            error.downcast_ref()
        {
            return Self::from_word(word);
        }
        match error.downcast_ref::<std::io::Error>() {
            Some(error) => Self::of_io(error),
            None => Self::Other,
        }
    }

    /// What sessions are kept in says in a text what failed.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Away => "the database is away",
            Self::Busy => "the database is busy",
            Self::Full => "the disk is full",
            Self::Damaged => "the database is damaged",
            Self::Unanswered => "the database was lost at the commit",
            Self::Other => "the database failed",
        }
    }

    fn from_word(word: &str) -> Self {
        [
            Self::Away,
            Self::Busy,
            Self::Full,
            Self::Damaged,
            Self::Unanswered,
        ]
        .into_iter()
        .find(|failure| failure.word() == word)
        .unwrap_or(Self::Other)
    }

    fn of_io(error: &std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                Self::Full
            }
            _ => Self::Other,
        }
    }

    fn of_database(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Away,
            sqlx::Error::Database(error) => {
                let code = error.code().unwrap_or_default();
                if error.try_downcast_ref::<SqliteError>().is_some() {
                    Self::of_sqlite(&code)
                } else {
                    Self::of_postgres(&code)
                }
            }
            _ => Self::Other,
        }
    }

    /// By the result code; the lower byte of an extended one.
    fn of_sqlite(code: &str) -> Self {
        // SQLITE_IOERR_SHMSIZE: the file of shared memory could not be made larger.
        const NO_ROOM_FOR_SHARED_MEMORY: i32 = 4874;
        match code.parse::<i32>() {
            Ok(NO_ROOM_FOR_SHARED_MEMORY) => Self::Full,
            Ok(code) => match code & 0xff {
                5 | 6 => Self::Busy,
                8 | 14 => Self::Away,
                11 | 26 => Self::Damaged,
                13 => Self::Full,
                _ => Self::Other,
            },
            Err(_) => Self::Other,
        }
    }

    /// By SQLSTATE.
    fn of_postgres(code: &str) -> Self {
        match code {
            "53100" => Self::Full,
            // The last: a question that took longer than a request waits.
            "40001" | "40P01" | "55P03" | "57014" => Self::Busy,
            // Too many connections, no memory, a server that stops or only reads, a transaction that it ended itself.
            "53200" | "53300" | "57P01" | "57P02" | "57P03" | "25006" | "25P03" | "25P04" => {
                Self::Away
            }
            "XX001" | "XX002" => Self::Damaged,
            other if other.starts_with("08") => Self::Away,
            _ => Self::Other,
        }
    }
}

impl StorageError {
    /// What came of asking the database to keep a unit of work. When it refused, nothing was kept; when it was lost over
    /// that, nobody knows: a server that is being stopped may have kept it before it said so.
    pub(crate) fn at_commit(error: sqlx::Error) -> Self {
        let is_refused = match &error {
            sqlx::Error::Database(refusal) => {
                let is_stopping = refusal.code().is_some_and(|code| code.starts_with("57P"));
                !is_stopping && !is_sqlite_io(&**refusal)
            }
            _ => false,
        };
        if is_refused {
            Self::Database(error)
        } else {
            Self::Unanswered(error)
        }
    }

    /// Whether two units of work got into each other's way, and the database gave this one up: nothing of it is stored, and
    /// it can be done again.
    pub fn is_deadlock(&self) -> bool {
        let Self::Database(error) = self else {
            return false;
        };
        let code = error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code);
        matches!(code.as_deref(), Some("40P01" | "40001"))
    }

    /// An unknown word or malformed id in a column.
    pub(crate) fn column(table: &str, column: &str, value: &str) -> Self {
        Self::Damaged(format!("{table}.{column} holds {value:?}"))
    }
}
