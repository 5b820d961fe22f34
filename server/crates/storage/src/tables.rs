//! Every row of every table, whatever the tables are: for backups, which go from either database to either.
//!
//! The tables' and columns' names come from the database's own catalogue and never from a backup; a backup's are only
//! compared with them.

use std::borrow::Cow;

use futures::TryStreamExt as _;
use holdpoint_domain::digest::hex;
use serde::{Deserialize, Serialize};
use sqlx::{
    AssertSqlSafe, Postgres, QueryBuilder, Row as _, Sqlite, SqlitePool,
    migrate::Migrator,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

use crate::{
    Database, DatabaseUrl, StorageError, Tx,
    database::{POSTGRES_STEPS, SQLITE_STEPS, schema},
    fetch_all, private,
    tx::Connection,
};

/// Tables of which a backup has no rows: who is signed in, and answers that are kept for a while in case a request comes
/// twice. After a restore people sign in again.
pub const LEFT_OUT: [&str; 2] = ["session", "idempotent_answer"];

/// So many values go into one statement; SQLite takes no more than 32,766.
const VALUES_AT_ONCE: usize = 8_192;

/// A table and its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    pub columns: Vec<Column>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    kind: ColumnKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ColumnKind {
    Text,
    Integer,
    /// A flag of PostgreSQL; 0 or 1 in SQLite.
    Flag,
    Bytes,
}

/// A value of a row, the same from either database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    Null(()),
    Integer(i64),
    Text(String),
    Bytes { hex: String },
}

impl ColumnKind {
    fn parse(declared: &str) -> Option<Self> {
        Some(match declared.to_ascii_lowercase().as_str() {
            "text" => Self::Text,
            "integer" | "int" | "bigint" | "smallint" => Self::Integer,
            "boolean" => Self::Flag,
            "blob" | "bytea" => Self::Bytes,
            _ => return None,
        })
    }
}

impl Table {
    fn name_in_sql(&self) -> String {
        quoted(&self.name)
    }

    fn columns_in_sql(&self) -> String {
        let names: Vec<_> = self
            .columns
            .iter()
            .map(|column| quoted(&column.name))
            .collect();
        names.join(", ")
    }

    /// How many rows go into one statement.
    fn rows_at_once(&self) -> usize {
        (VALUES_AT_ONCE / self.columns.len().max(1)).max(1)
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

fn unfit(table: &Table, column: &Column) -> StorageError {
    StorageError::Damaged(format!(
        "a row of {} has another kind of value than {} takes",
        table.name, column.name
    ))
}

/// Reads a row of either database into cells.
macro_rules! cells {
    ($row:expr, $table:expr) => {{
        let mut cells = Vec::with_capacity($table.columns.len());
        for (at, column) in $table.columns.iter().enumerate() {
            cells.push(match column.kind {
                ColumnKind::Text => $row
                    .try_get::<Option<String>, _>(at)?
                    .map_or(Cell::Null(()), Cell::Text),
                ColumnKind::Integer => $row
                    .try_get::<Option<i64>, _>(at)?
                    .map_or(Cell::Null(()), Cell::Integer),
                ColumnKind::Flag => $row
                    .try_get::<Option<bool>, _>(at)?
                    .map_or(Cell::Null(()), |flag| Cell::Integer(flag.into())),
                ColumnKind::Bytes => $row
                    .try_get::<Option<Vec<u8>>, _>(at)?
                    .map_or(Cell::Null(()), |bytes| Cell::Bytes { hex: hex(&bytes) }),
            });
        }
        cells
    }};
}

/// Writes rows, all of the same columns, in one statement.
macro_rules! insert {
    ($database:ty, $conn:expr, $table:expr, $rows:expr) => {{
        let mut query = QueryBuilder::<$database>::new(format!(
            "insert into {} ({}) ",
            $table.name_in_sql(),
            $table.columns_in_sql()
        ));
        let mut error = None;
        query.push_values($rows, |mut values, row: &Vec<Cell>| {
            for (column, cell) in $table.columns.iter().zip(row) {
                match (column.kind, cell) {
                    (ColumnKind::Text, Cell::Null(())) => values.push_bind(None::<String>),
                    (ColumnKind::Integer, Cell::Null(())) => values.push_bind(None::<i64>),
                    (ColumnKind::Flag, Cell::Null(())) => values.push_bind(None::<bool>),
                    (ColumnKind::Bytes, Cell::Null(())) => values.push_bind(None::<Vec<u8>>),
                    (ColumnKind::Text, Cell::Text(text)) => values.push_bind(text.clone()),
                    (ColumnKind::Integer, Cell::Integer(number)) => values.push_bind(*number),
                    (ColumnKind::Flag, Cell::Integer(flag @ (0 | 1))) => {
                        values.push_bind(*flag == 1)
                    }
                    (ColumnKind::Bytes, Cell::Bytes { hex }) if from_hex(hex).is_some() => {
                        values.push_bind(from_hex(hex))
                    }
                    _ => {
                        error = Some(unfit($table, column));
                        values.push_bind(None::<String>)
                    }
                };
            }
        });
        match error {
            Some(error) => return Err(error),
            None => query.build().execute($conn).await?,
        };
    }};
}

impl Tx {
    /// The tables, by name; without the list of steps that made them.
    pub async fn tables(&mut self) -> Result<Vec<Table>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            table_name: String,
            column_name: String,
            declared: String,
        }
        let sql = self.dialect(
            "select t.name as table_name, c.name as column_name, c.type as declared \
             from sqlite_schema t join pragma_table_info(t.name) c \
             where t.type = 'table' and t.name not like 'sqlite\\_%' escape '\\' and t.name <> '_sqlx_migrations' \
             order by t.name, c.cid",
            "select cast(c.table_name as text) as table_name, cast(c.column_name as text) as column_name, \
             cast(c.data_type as text) as declared \
             from information_schema.columns c join information_schema.tables t \
             on t.table_schema = c.table_schema and t.table_name = c.table_name \
             where c.table_schema = current_schema() and t.table_type = 'BASE TABLE' \
             and c.table_name <> '_sqlx_migrations' and c.is_generated = 'NEVER' \
             order by cast(c.table_name as text) collate \"C\", c.ordinal_position",
        );
        let mut tables: Vec<Table> = Vec::new();
        for row in fetch_all!(self, Row, sql) {
            let kind = ColumnKind::parse(&row.declared).ok_or_else(|| {
                StorageError::Damaged(format!(
                    "the column {}.{} is of a kind that Holdpoint does not use: {}",
                    row.table_name, row.column_name, row.declared
                ))
            })?;
            if tables.last().is_none_or(|last| last.name != row.table_name) {
                tables.push(Table {
                    name: row.table_name,
                    columns: Vec::new(),
                });
            }
            let table = tables.last_mut().expect("one was just pushed");
            table.columns.push(Column {
                name: row.column_name,
                kind,
            });
        }
        Ok(tables)
    }

    /// The numbers of the steps that made the tables; none where nothing made any.
    pub async fn steps(&mut self) -> Result<Vec<i64>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            version: i64,
        }
        #[derive(sqlx::FromRow)]
        struct Count {
            n: i64,
        }
        let sql = self.dialect(
            "select count(*) as n from sqlite_schema where type = 'table' and name = '_sqlx_migrations'",
            "select count(*) as n from information_schema.tables \
             where table_schema = current_schema() and table_name = '_sqlx_migrations'",
        );
        if fetch_all!(self, Count, sql)
            .iter()
            .all(|count| count.n == 0)
        {
            return Ok(Vec::new());
        }
        let rows = fetch_all!(
            self,
            Row,
            "select version from _sqlx_migrations where success order by version"
        );
        Ok(rows.into_iter().map(|row| row.version).collect())
    }

    /// Gives out every row of a table, one by one.
    pub async fn each_row(
        &mut self,
        table: &Table,
        mut take: impl FnMut(Vec<Cell>) -> std::io::Result<()>,
    ) -> Result<(), StorageError> {
        let sql = format!(
            "select {} from {}",
            table.columns_in_sql(),
            table.name_in_sql()
        );
        match self.connection() {
            Connection::Sqlite(tx) => {
                let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut **tx);
                while let Some(row) = rows.try_next().await? {
                    take(cells!(row, table))?;
                }
            }
            Connection::Postgres(tx) => {
                let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut **tx);
                while let Some(row) = rows.try_next().await? {
                    take(cells!(row, table))?;
                }
            }
        }
        Ok(())
    }

    /// Writes rows of all the table's columns.
    pub async fn insert_rows(
        &mut self,
        table: &Table,
        rows: &[Vec<Cell>],
    ) -> Result<(), StorageError> {
        if rows.iter().any(|row| row.len() != table.columns.len()) {
            return Err(StorageError::Damaged(format!(
                "a row of {} has not as many values as the table has columns",
                table.name
            )));
        }
        for some in rows.chunks(table.rows_at_once()) {
            match self.connection() {
                Connection::Sqlite(tx) => insert!(Sqlite, &mut **tx, table, some),
                Connection::Postgres(tx) => insert!(Postgres, &mut **tx, table, some),
            }
        }
        Ok(())
    }

    /// Takes what the steps themselves put into a table.
    pub async fn clear(&mut self, table: &Table) -> Result<(), StorageError> {
        let sql = format!("delete from {}", table.name_in_sql());
        crate::on_conn!(self, conn => sqlx::query(AssertSqlSafe(sql)).execute(conn).await?.rows_affected());
        Ok(())
    }

    /// Lets rows be written in any order; gives what [`Tx::demand_references`] needs.
    pub async fn suspend_references(&mut self) -> Result<Vec<String>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            table_name: String,
            name: String,
            definition: String,
        }
        let Connection::Postgres(tx) = self.connection() else {
            // The connection was opened without them.
            return Ok(Vec::new());
        };
        let rows: Vec<Row> = sqlx::query_as(
            "select cast(cast(conrelid as regclass) as text) as table_name, quote_ident(conname) as name, \
             pg_get_constraintdef(oid) as definition from pg_constraint \
             where contype = 'f' and connamespace = cast(current_schema() as regnamespace) order by conname",
        )
        .fetch_all(&mut **tx)
        .await?;
        let mut again = Vec::with_capacity(rows.len());
        for row in rows {
            let drop = format!(
                "alter table {} drop constraint {}",
                row.table_name, row.name
            );
            sqlx::query(AssertSqlSafe(drop)).execute(&mut **tx).await?;
            again.push(format!(
                "alter table {} add constraint {} {}",
                row.table_name, row.name, row.definition
            ));
        }
        Ok(again)
    }

    /// Checks that every row that another names is there, from now on too.
    pub async fn demand_references(&mut self, suspended: Vec<String>) -> Result<(), StorageError> {
        match self.connection() {
            Connection::Sqlite(tx) => {
                let broken: Vec<(String,)> =
                    sqlx::query_as("select \"table\" from pragma_foreign_key_check limit 1")
                        .fetch_all(&mut **tx)
                        .await?;
                if let Some((table,)) = broken.into_iter().next() {
                    return Err(StorageError::Damaged(format!(
                        "a row of {table} names one that is not there"
                    )));
                }
            }
            Connection::Postgres(tx) => {
                for sql in suspended {
                    sqlx::query(AssertSqlSafe(sql)).execute(&mut **tx).await?;
                }
            }
        }
        Ok(())
    }
}

impl Database {
    /// Opens a database that is there as it is, only to read it: it is not made, and its tables are not brought up to date.
    pub async fn open_as_it_is(url: &DatabaseUrl) -> Result<Self, StorageError> {
        match url {
            DatabaseUrl::Sqlite(path) => {
                if !path.is_file() {
                    return Err(StorageError::Address(
                        "there is no database file".to_owned(),
                    ));
                }
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .read_only(true)
                    .foreign_keys(true);
                let pool = || {
                    SqlitePoolOptions::new()
                        .max_connections(2)
                        .connect_with(options.clone())
                };
                Ok(Self::Sqlite {
                    writer: pool().await?,
                    readers: pool().await?,
                    options: Box::new(options.clone()),
                })
            }
            DatabaseUrl::Postgres(url) => Ok(Self::Postgres(
                PgPoolOptions::new()
                    .max_connections(2)
                    .acquire_timeout(std::time::Duration::from_secs(10))
                    .connect(url)
                    .await?,
            )),
        }
    }

    /// Opens an empty database, makes the tables of some steps in it, and lets rows be written in any order. One that has
    /// tables already is refused.
    pub async fn open_empty(url: &DatabaseUrl, steps: &[i64]) -> Result<Self, StorageError> {
        match url {
            DatabaseUrl::Sqlite(path) => {
                let only = only(&SQLITE_STEPS, steps)?;
                if path.exists() {
                    return Err(not_empty());
                }
                let file = path.clone();
                private::in_background(move || private::make_file(&file)).await?;
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .foreign_keys(false)
                    .page_size(8192);
                let pool = SqlitePoolOptions::new()
                    .max_connections(1)
                    .connect_with(options.clone())
                    .await?;
                only.run(&pool).await.map_err(schema)?;
                Ok(Self::Sqlite {
                    writer: pool.clone(),
                    readers: pool,
                    options: Box::new(options),
                })
            }
            DatabaseUrl::Postgres(url) => {
                let only = only(&POSTGRES_STEPS, steps)?;
                let pool = PgPoolOptions::new().max_connections(2).connect(url).await?;
                let database = Self::Postgres(pool.clone());
                let mut tx = database.read().await?;
                if !tx.tables().await?.is_empty() || !tx.steps().await?.is_empty() {
                    return Err(not_empty());
                }
                drop(tx);
                only.run(&pool).await.map_err(schema)?;
                Ok(database)
            }
        }
    }

    /// The steps that this version knows.
    pub fn known_steps(&self) -> Vec<i64> {
        let steps = match self {
            Self::Sqlite { .. } => &SQLITE_STEPS,
            Self::Postgres(_) => &POSTGRES_STEPS,
            Self::Within { database, .. } => return database.known_steps(),
        };
        steps.iter().map(|step| step.version).collect()
    }

    /// What SQLite finds wrong with its file, read through; PostgreSQL looks after its own.
    pub async fn wrong_with_file(&self) -> Result<Vec<String>, StorageError> {
        match self {
            Self::Sqlite { readers, .. } => wrong_with(readers).await,
            Self::Postgres(_) => Ok(Vec::new()),
            Self::Within { database, .. } => Box::pin(database.wrong_with_file()).await,
        }
    }

    /// Settings of PostgreSQL under which what was answered may be lost with the power.
    pub async fn forgetful_settings(&self) -> Result<Vec<String>, StorageError> {
        let Self::Postgres(pool) = self else {
            return Ok(Vec::new());
        };
        let rows: Vec<(String, String)> = sqlx::query_as(
            "select name, setting from pg_settings \
             where name in ('fsync', 'synchronous_commit', 'full_page_writes') and setting = 'off' order by name",
        )
        .fetch_all(pool)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(name, value)| format!("{name} = {value}"))
            .collect())
    }

    /// The time of the database's machine; SQLite is on this one.
    pub async fn time(&self) -> Result<Option<holdpoint_domain::Millis>, StorageError> {
        let Self::Postgres(pool) = self else {
            return Ok(None);
        };
        let (time,): (i64,) =
            sqlx::query_as("select cast(extract(epoch from clock_timestamp()) * 1000 as bigint)")
                .fetch_one(pool)
                .await?;
        Ok(Some(time))
    }
}

async fn wrong_with(pool: &SqlitePool) -> Result<Vec<String>, StorageError> {
    let mut found: Vec<(String,)> = sqlx::query_as("pragma integrity_check(10)")
        .fetch_all(pool)
        .await?;
    found.retain(|(text,)| text != "ok");
    let broken: Vec<(String,)> =
        sqlx::query_as("select distinct \"table\" from pragma_foreign_key_check limit 10")
            .fetch_all(pool)
            .await?;
    let broken = broken
        .into_iter()
        .map(|(table,)| format!("a row of {table} names one that is not there"));
    Ok(found
        .into_iter()
        .map(|(text,)| text)
        .chain(broken)
        .collect())
}

/// Some steps of all.
fn only(all: &Migrator, steps: &[i64]) -> Result<Migrator, StorageError> {
    if let Some(step) = steps
        .iter()
        .find(|step| !all.iter().any(|known| known.version == **step))
    {
        return Err(StorageError::NewerSchema { step: *step });
    }
    let some: Vec<_> = all
        .iter()
        .filter(|known| steps.contains(&known.version))
        .cloned()
        .collect();
    Ok(Migrator {
        migrations: Cow::Owned(some),
        ..Migrator::DEFAULT
    })
}

fn not_empty() -> StorageError {
    StorageError::Address(
        "it is not empty: name another data folder or database, or empty this one first".to_owned(),
    )
}
