//! What requests with an Idempotency-Key were answered with. The row is written in the transaction of the work itself, so it
//! is there exactly when the work is.

use holdpoint_domain::Millis;

use crate::{StorageError, Tx, execute, fetch_optional, unit::RequestKey};

/// What a request was answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    pub request_digest: String,
    pub status: u16,
    pub body: String,
}

impl Tx {
    /// What is kept under a caller's key since a moment.
    pub async fn kept_answer(
        &mut self,
        caller: &str,
        key: &str,
        since: Millis,
    ) -> Result<Option<KeptAnswer>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            request_digest: String,
            status: i64,
            body: String,
        }
        const SQL: &str = "select request_digest, status, body from idempotent_answer \
            where caller = $1 and key = $2 and created_at >= $3 and status <> 0";
        fetch_optional!(self, Row, SQL, caller, key, since)
            .map(|row| {
                Ok(KeptAnswer {
                    status: u16::try_from(row.status).map_err(|_| {
                        StorageError::column("idempotent_answer", "status", &row.status.to_string())
                    })?,
                    request_digest: row.request_digest,
                    body: row.body,
                })
            })
            .transpose()
    }

    /// Takes a key for the work of this transaction, and says whether it is free: if the same key is being worked on
    /// elsewhere, PostgreSQL waits here for the end of that. A key without an answer is of a version that committed keys before
    /// the work, and of a server that stopped since.
    pub(crate) async fn claim_key(&mut self, request: &RequestKey) -> Result<bool, StorageError> {
        let touched = execute!(
            self,
            "insert into idempotent_answer (caller, key, request_digest, status, body, created_at) \
             values ($1, $2, $3, 0, '', $4) on conflict (caller, key) do update set request_digest = $3, status = 0, \
             body = '', created_at = $4 where idempotent_answer.created_at < $5 or idempotent_answer.status = 0",
            &request.caller,
            &request.key,
            request.digest.as_str(),
            request.at,
            request.kept_since,
        );
        Ok(touched > 0)
    }

    /// Keeps the answer under a key that this transaction took.
    pub(crate) async fn keep_answer(
        &mut self,
        request: &RequestKey,
        status: u16,
        body: &str,
    ) -> Result<(), StorageError> {
        execute!(
            self,
            "update idempotent_answer set status = $3, body = $4 where caller = $1 and key = $2",
            &request.caller,
            &request.key,
            i64::from(status),
            body,
        );
        Ok(())
    }

    /// Forgets answers from before a moment.
    pub async fn forget_answers(&mut self, before: Millis) -> Result<u64, StorageError> {
        Ok(execute!(
            self,
            "delete from idempotent_answer where created_at < $1",
            before
        ))
    }
}
