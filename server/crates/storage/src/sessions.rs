//! Sessions of tower-sessions, kept in the database so that they can be listed and revoked.

use std::{fmt, sync::Arc};

use holdpoint_domain::{Digest, Millis, PersonId};
use tower_sessions::{
    SessionStore as TowerSessionStore,
    cookie::time::OffsetDateTime,
    session::{Id, Record},
    session_store,
};

use crate::{Database, Failure, Found, StorageError, Tx, execute, fetch_all, fetch_optional};

/// The keys of a session's data that have a column of their own.
pub mod keys {
    /// The signed-in person's id.
    pub const PERSON: &str = "person";
    /// When they signed in, Unix milliseconds.
    pub const CREATED_AT: &str = "created_at";
    pub const USER_AGENT: &str = "user_agent";
    pub const ADDRESS: &str = "address";
}

/// However much it is used, no session lasts longer than this from its sign-in: the longest that `session-hours` may be.
const LASTS_AT_MOST: Millis = 30 * 24 * 60 * 60 * 1_000;

/// Keeps sessions in the database. The cookie's value is never stored, only its SHA-256: a copy of the database signs
/// nobody in.
#[derive(Clone)]
pub struct SessionStore {
    database: Database,
    now: Arc<dyn Fn() -> Millis + Send + Sync>,
}

/// A session as its owner sees it in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedInSession {
    /// The stored id: the digest of the cookie's value.
    pub id: String,
    pub created_at: Millis,
    pub last_seen_at: Millis,
    pub user_agent: String,
    pub address: String,
}

impl fmt::Debug for SessionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionStore").finish_non_exhaustive()
    }
}

impl SessionStore {
    pub fn new(database: Database, now: impl Fn() -> Millis + Send + Sync + 'static) -> Self {
        Self {
            database,
            now: Arc::new(now),
        }
    }

    /// The id under which a session with this cookie value is stored.
    pub fn stored_id(cookie: &Id) -> String {
        Digest::of(cookie.to_string().as_bytes()).into()
    }

    async fn write(&self, record: &Record, make: bool) -> Result<bool, StorageError> {
        let id = Self::stored_id(&record.id);
        let data = serde_json::to_string(&record.data)
            .map_err(|error| StorageError::Damaged(error.to_string()))?;
        let text = |key: &str| {
            record
                .data
                .get(key)
                .and_then(|value| value.as_str())
                .unwrap_or_default()
        };
        let person = Some(text(keys::PERSON)).filter(|person| !person.is_empty());
        let now = (self.now)();
        let created_at = record
            .data
            .get(keys::CREATED_AT)
            .and_then(serde_json::Value::as_i64)
            .unwrap_or(now);
        let expires_at = millis(record.expiry_date);
        let mut tx = self.database.write().await?;
        let touched = if make {
            execute!(
                &mut tx,
                "insert into session (id, record, person_id, created_at, last_seen_at, expires_at, user_agent, address) \
                 values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (id) do nothing",
                &id,
                &data,
                person,
                created_at,
                now,
                expires_at,
                text(keys::USER_AGENT),
                text(keys::ADDRESS),
            )
        } else {
            // Only an update: a request that was running when its session was revoked must not bring it back.
            execute!(
                &mut tx,
                "update session set record = $2, person_id = $3, created_at = $4, last_seen_at = $5, expires_at = $6, \
                 user_agent = $7, address = $8 where id = $1",
                &id,
                &data,
                person,
                created_at,
                now,
                expires_at,
                text(keys::USER_AGENT),
                text(keys::ADDRESS),
            )
        };
        tx.commit_beside().await?;
        Ok(touched > 0)
    }

    async fn read(&self, id: &Id) -> Result<Option<Record>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            record: String,
            expires_at: i64,
        }
        let mut tx = self.database.read().await?;
        let row = fetch_optional!(
            &mut tx,
            Row,
            "select record, expires_at from session where id = $1 and expires_at > $2 and created_at > $3",
            Self::stored_id(id),
            (self.now)(),
            (self.now)() - LASTS_AT_MOST,
        );
        row.map(|row| {
            let data = serde_json::from_str(&row.record)
                .map_err(|error| StorageError::Damaged(error.to_string()))?;
            let expiry_date =
                OffsetDateTime::from_unix_timestamp_nanos(i128::from(row.expires_at) * 1_000_000)
                    .map_err(|error| StorageError::Damaged(error.to_string()))?;
            Ok(Record {
                id: *id,
                data,
                expiry_date,
            })
        })
        .transpose()
    }

    async fn remove(&self, id: &Id) -> Result<(), StorageError> {
        let mut tx = self.database.write().await?;
        execute!(
            &mut tx,
            "delete from session where id = $1",
            Self::stored_id(id)
        );
        tx.commit_beside().await
    }

    /// Deletes what has expired and says how many sessions that were.
    pub async fn delete_expired(&self) -> Result<u64, StorageError> {
        let mut tx = self.database.write().await?;
        let deleted = execute!(
            &mut tx,
            "delete from session where expires_at <= $1 or created_at <= $2",
            (self.now)(),
            (self.now)() - LASTS_AT_MOST,
        );
        tx.commit_beside().await?;
        Ok(deleted)
    }
}

fn millis(moment: OffsetDateTime) -> Millis {
    i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

impl Tx {
    /// A person's sessions that have not expired, those used last first, and how many there are.
    pub async fn sessions_of(
        &mut self,
        person: &PersonId,
        now: Millis,
        limit: i64,
    ) -> Result<Found<SignedInSession>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            id: String,
            created_at: i64,
            last_seen_at: i64,
            user_agent: String,
            address: String,
            n_matching: i64,
        }
        let rows = fetch_all!(
            self,
            Row,
            "select id, created_at, last_seen_at, user_agent, address, count(*) over () as n_matching from session \
             where person_id = $1 and expires_at > $2 and created_at > $3 order by last_seen_at desc, id limit $4",
            person.as_str(),
            now,
            now - LASTS_AT_MOST,
            limit,
        );
        let n_matching = rows.first().map_or(0, |row| row.n_matching);
        let entries = rows
            .into_iter()
            .map(|row| SignedInSession {
                id: row.id,
                created_at: row.created_at,
                last_seen_at: row.last_seen_at,
                user_agent: row.user_agent,
                address: row.address,
            })
            .collect();
        Ok(Found {
            entries,
            n_matching,
        })
    }

    /// Ends one of a person's sessions; says whether there was one.
    pub async fn revoke_session(
        &mut self,
        person: &PersonId,
        id: &str,
    ) -> Result<bool, StorageError> {
        Ok(execute!(
            self,
            "delete from session where id = $1 and person_id = $2",
            id,
            person.as_str()
        ) > 0)
    }

    /// Ends all of a person's sessions but the one kept; says how many.
    pub async fn revoke_other_sessions(
        &mut self,
        person: &PersonId,
        keep: &str,
    ) -> Result<u64, StorageError> {
        Ok(execute!(
            self,
            "delete from session where person_id = $1 and id <> $2",
            person.as_str(),
            keep
        ))
    }
}

fn backend(error: StorageError) -> session_store::Error {
    tracing::error!(
        error = &error as &dyn std::error::Error,
        "the session store failed"
    );
    session_store::Error::Backend(Failure::of(&error).word().to_owned())
}

#[async_trait::async_trait]
impl TowerSessionStore for SessionStore {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        while !self.write(record, true).await.map_err(backend)? {
            record.id = Id::default();
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        self.write(record, false).await.map(|_| ()).map_err(backend)
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        self.read(id).await.map_err(backend)
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        self.remove(id).await.map_err(backend)
    }
}
