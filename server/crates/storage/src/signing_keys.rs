use holdpoint_domain::Millis;

use crate::{Database, StorageError, Tx, execute, fetch_all, fetch_optional, tx::Connection};

/// A signed list of the instance's public keys, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredKeyList {
    pub statement: String,
    pub signature: String,
}

impl Tx {
    /// Every list of signing keys, from the first.
    pub async fn signing_key_lists(&mut self) -> Result<Vec<StoredKeyList>, StorageError> {
        Ok(fetch_all!(
            self,
            StoredKeyList,
            "select statement, signature from signing_key_list order by sequence"
        ))
    }

    /// Keeps the next list; `false` when somebody else kept one under this number first.
    pub async fn insert_signing_key_list(
        &mut self,
        sequence: i64,
        list: &StoredKeyList,
        signed_at: Millis,
    ) -> Result<bool, StorageError> {
        Ok(execute!(
            self,
            "insert into signing_key_list (sequence, statement, signature, signed_at) values ($1, $2, $3, $4) \
             on conflict (sequence) do nothing",
            sequence,
            &list.statement,
            &list.signature,
            signed_at,
        ) > 0)
    }

    /// Deletes a setting that held a secret: its bytes are overwritten first. [`Database::erase_deleted`] then makes sure
    /// that no copy of them is left in the file.
    pub async fn erase_setting(&mut self, key: &str) -> Result<(), StorageError> {
        if let Connection::Sqlite(tx) = self.connection() {
            sqlx::query("pragma secure_delete = on")
                .execute(&mut **tx)
                .await?;
        }
        execute!(
            self,
            self.dialect(
                "update setting set value = hex(zeroblob(length(value) / 2)) where key = $1",
                "update setting set value = repeat('0', length(value)) where key = $1",
            ),
            key
        );
        self.delete_setting(key).await?;
        Ok(())
    }

    /// When the activity log begins.
    pub async fn first_activity_at(&mut self) -> Result<Option<Millis>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            at: i64,
        }
        let row = fetch_optional!(
            self,
            Row,
            "select at from activity order by sequence limit 1"
        );
        Ok(row.map(|row| row.at))
    }
}

impl Database {
    /// Writes the file anew without what was deleted (SQLite), so that not even its free space holds it; likewise the table
    /// of settings (PostgreSQL). Backups and replicas keep what they have.
    pub async fn erase_deleted(&self) -> Result<(), StorageError> {
        match self {
            Self::Sqlite { options, .. } => {
                use sqlx::{ConnectOptions as _, Connection as _};
                let mut connection = options.connect().await?;
                // The copy may be larger than memory.
                for sql in [
                    "pragma temp_store = file",
                    "pragma secure_delete = on",
                    "vacuum",
                ] {
                    sqlx::query(sql).execute(&mut connection).await?;
                }
                let (busy, _, _): (i64, i64, i64) =
                    sqlx::query_as("pragma wal_checkpoint(truncate)")
                        .fetch_one(&mut connection)
                        .await?;
                connection.close().await?;
                if busy != 0 {
                    return Err(StorageError::Busy);
                }
            }
            Self::Postgres(pool) => {
                sqlx::query("vacuum full setting").execute(pool).await?;
            }
            Self::Within { database, .. } => Box::pin(database.erase_deleted()).await?,
        }
        Ok(())
    }
}
