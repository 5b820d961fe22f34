use thiserror::Error;

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
    #[error("the evidence folder could not be used")]
    Io(#[from] std::io::Error),
}

impl StorageError {
    /// An unknown word or malformed id in a column.
    pub(crate) fn column(table: &str, column: &str, value: &str) -> Self {
        Self::Damaged(format!("{table}.{column} holds {value:?}"))
    }
}
