use sqlx::{Postgres, Sqlite, Transaction};

use crate::{StorageError, commits, interrupt::InterruptOnDrop, unit::Lending};

/// One unit of work on either database. Dropped without [`Tx::commit`], it rolls back. Where it is a step of a
/// [`Unit`](crate::Unit), what it committed lasts when that is committed.
#[derive(Debug)]
pub struct Tx {
    /// Absent only while it ends.
    connection: Option<Connection>,
    lending: Option<Lending>,
    /// Whether it may write: what it is decided by is then kept as it is to its end.
    writes: bool,
    /// What is asked of SQLite ends with a unit of work that only reads.
    _interrupt: Option<InterruptOnDrop>,
}

/// The transaction that a unit of work is.
#[derive(Debug)]
pub(crate) enum Connection {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Connection {
    pub(crate) async fn commit(self) -> Result<(), StorageError> {
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
}

impl Tx {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            connection: Some(connection),
            lending: None,
            writes: true,
            _interrupt: None,
        }
    }

    /// One that only reads; `interrupt` ends what SQLite is asked once nobody waits for it.
    pub(crate) fn reading(connection: Connection, interrupt: Option<InterruptOnDrop>) -> Self {
        Self {
            connection: Some(connection),
            lending: None,
            writes: false,
            _interrupt: interrupt,
        }
    }

    pub(crate) fn lent(connection: Connection, lending: Lending) -> Self {
        Self {
            connection: Some(connection),
            lending: Some(lending),
            writes: true,
            _interrupt: None,
        }
    }

    /// Makes everything done in this unit of work last.
    pub async fn commit(mut self) -> Result<(), StorageError> {
        let connection = self.connection.take().expect("it has not ended");
        match self.lending.take() {
            Some(lending) => lending.commit(connection).await,
            None => {
                let committed = connection.commit().await;
                if matches!(committed, Ok(()) | Err(StorageError::Unanswered(_))) {
                    commits::note();
                }
                committed
            }
        }
    }

    /// The same for what is kept beside that which people do: sessions, probes.
    pub(crate) async fn commit_beside(mut self) -> Result<(), StorageError> {
        let connection = self.connection.take().expect("it has not ended");
        match self.lending.take() {
            Some(lending) => lending.commit(connection).await,
            None => connection.commit().await,
        }
    }

    /// The transaction alone, to be gone on with.
    pub(crate) fn into_connection(mut self) -> Option<Connection> {
        self.lending = None;
        self.connection.take()
    }

    pub(crate) fn connection(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("it has not ended")
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.connection, Some(Connection::Sqlite(_)))
    }

    /// Whether rows have to be locked for what was read of them to stay so until this unit of work ends: on SQLite nobody else
    /// writes meanwhile, and one that only reads sees one moment.
    pub(crate) fn keeps_by_locks(&self) -> bool {
        self.writes && !self.is_sqlite()
    }

    /// The text for the dialect at hand, where the two must differ. Both stand side by side at the place of use.
    pub(crate) fn dialect(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        if self.is_sqlite() { sqlite } else { postgres }
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        if let (Some(connection), Some(lending)) = (self.connection.take(), self.lending.take()) {
            lending.leave(connection);
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
        match $tx.connection() {
            $crate::tx::Connection::Sqlite(tx) => {
                let $conn = &mut **tx;
                $body
            }
            $crate::tx::Connection::Postgres(tx) => {
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

/// `fetch_each!(tx, RowType, SQL, [value, value, …], |row| …)`: every row as it comes, so that what is not kept needs no memory.
macro_rules! fetch_each {
    ($tx:expr, $row:ty, $sql:expr, [$($value:expr),*], $each:expr) => {{
        let sql: &'static str = $sql;
        let mut each = $each;
        $crate::on_conn!($tx, conn => {
            let mut rows = sqlx::query_as::<_, $row>(sql)$(.bind($value))*.fetch(conn);
            while let Some(row) = futures::TryStreamExt::try_next(&mut rows).await? {
                each(row)?;
            }
        });
    }};
}
pub(crate) use fetch_each;

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
