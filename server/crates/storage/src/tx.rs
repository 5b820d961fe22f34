use sqlx::{Postgres, Sqlite, Transaction};

use crate::{StorageError, commits};

/// One unit of work on either database. Dropped without [`Tx::commit`], it rolls back.
#[derive(Debug)]
pub enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    /// Makes everything done in this unit of work last.
    pub async fn commit(self) -> Result<(), StorageError> {
        let committed = self.commit_beside().await;
        if matches!(committed, Ok(()) | Err(StorageError::Unanswered(_))) {
            commits::note();
        }
        committed
    }

    /// The same for what is kept beside that which people do: sessions, probes.
    pub(crate) async fn commit_beside(self) -> Result<(), StorageError> {
        let committed = match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(mut tx) => {
                // After a failed statement PostgreSQL answers `commit` as if all were well, and keeps nothing.
                sqlx::query("select 1").execute(&mut *tx).await?;
                tx.commit().await
            }
        };
        committed.map_err(StorageError::at_commit)
    }

    /// The text for the dialect at hand, where the two must differ. Both stand side by side at the place of use.
    pub(crate) fn dialect(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self {
            Self::Sqlite(_) => sqlite,
            Self::Postgres(_) => postgres,
        }
    }
}

/// A change names the version that it was made over: when that is not the stored one, no row is touched.
pub(crate) fn one(touched: u64) -> Result<(), StorageError> {
    if touched == 0 {
        Err(StorageError::Conflict)
    } else {
        Ok(())
    }
}

/// Runs one expression on whichever typed connection the unit of work holds.
macro_rules! on_conn {
    ($tx:expr, $conn:ident => $body:expr) => {
        match $tx {
            $crate::Tx::Sqlite(tx) => {
                let $conn = &mut **tx;
                $body
            }
            $crate::Tx::Postgres(tx) => {
                let $conn = &mut **tx;
                $body
            }
        }
    };
}
pub(crate) use on_conn;

/// `fetch_all!(tx, RowType, SQL, value, value, …)`: every row.
macro_rules! fetch_all {
    ($tx:expr, $row:ty, $sql:expr $(, $value:expr)* $(,)?) => {{
        let sql: &'static str = $sql;
        let rows: Vec<$row> = $crate::on_conn!($tx, conn => {
            sqlx::query_as::<_, $row>(sql)$(.bind($value))*.fetch_all(conn).await?
        });
        rows
    }};
}
pub(crate) use fetch_all;

/// `fetch_optional!(tx, RowType, SQL, value, …)`: the first row, if any.
macro_rules! fetch_optional {
    ($tx:expr, $row:ty, $sql:expr $(, $value:expr)* $(,)?) => {{
        let sql: &'static str = $sql;
        let row: Option<$row> = $crate::on_conn!($tx, conn => {
            sqlx::query_as::<_, $row>(sql)$(.bind($value))*.fetch_optional(conn).await?
        });
        row
    }};
}
pub(crate) use fetch_optional;

/// `execute!(tx, SQL, value, …)`: how many rows were touched.
macro_rules! execute {
    ($tx:expr, $sql:expr $(, $value:expr)* $(,)?) => {{
        let sql: &'static str = $sql;
        let touched: u64 = $crate::on_conn!($tx, conn => {
            sqlx::query(sql)$(.bind($value))*.execute(conn).await?.rows_affected()
        });
        touched
    }};
}
pub(crate) use execute;

/// One text with `$1` as a JSON list of ids, in both dialects: `select … where x in` + the list + the rest.
macro_rules! for_ids {
    ($tx:expr, $before:expr, $after:expr) => {
        $tx.dialect(
            concat!($before, " (select value from json_each($1)) ", $after),
            concat!(
                $before,
                " (select jsonb_array_elements_text(cast($1 as jsonb))) ",
                $after
            ),
        )
    };
}
pub(crate) use for_ids;
