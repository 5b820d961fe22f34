//! Requests that are sent again: the same key and the same request get the same answer, and the work is done once.

use holdpoint_domain::{Digest, Millis};

use crate::{Actor, ServiceError, Services};

/// How long an answer is kept.
const KEPT_FOR: Millis = 24 * 60 * 60 * 1_000;
/// How long a request may be worked on before its key is free again: its server must have stopped.
const WORKED_ON_FOR: Millis = 10 * 60 * 1_000;

/// What is to be done with a request that carries a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It is the first of its key: do the work, then [`Services::keep_answer`] or [`Services::release_key`].
    First,
    /// It was answered already: with this status and this body.
    Again { status: u16, body: String },
}

impl Services {
    /// Claims a key for a request, or finds what the same request was answered with. `request_digest` is over method,
    /// path and body.
    pub async fn claim_key(
        &self,
        actor: &Actor,
        key: &str,
        request_digest: &Digest,
    ) -> Result<Repeat, ServiceError> {
        if key.is_empty() || key.len() > 200 || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ServiceError::rejected(
                "Idempotency-Key",
                "A key has 1 to 200 printable ASCII characters and no space. A UUID works well.",
            ));
        }
        let now = self.now();
        let mut tx = self.database().write().await?;
        tx.forget_answers(now - KEPT_FOR, now - WORKED_ON_FOR)
            .await?;
        let kept = tx
            .claim_answer(actor.id.as_str(), key, request_digest, now)
            .await?;
        tx.commit().await?;
        match kept {
            None => Ok(Repeat::First),
            Some(kept) if kept.request_digest != request_digest.as_str() => Err(ServiceError::rejected(
                "Idempotency-Key",
                "This key was sent with a different request before. Use a new key for each request.",
            )),
            Some(kept) => match kept.answer {
                Some((status, body)) => Ok(Repeat::Again { status, body }),
                None => Err(ServiceError::TooOften {
                    message: "The first request with this key is still being worked on. Send it again in a moment.".to_owned(),
                    seconds: 1,
                }),
            },
        }
    }

    /// Keeps the answer of a request whose key was claimed.
    pub async fn keep_answer(
        &self,
        actor: &Actor,
        key: &str,
        status: u16,
        body: &str,
    ) -> Result<(), ServiceError> {
        let mut tx = self.database().write().await?;
        tx.keep_answer(actor.id.as_str(), key, status, body).await?;
        Ok(tx.commit().await?)
    }

    /// Gives a claimed key back, so that the request can be sent again: it failed for a reason of ours.
    pub async fn release_key(&self, actor: &Actor, key: &str) -> Result<(), ServiceError> {
        let mut tx = self.database().write().await?;
        tx.release_answer(actor.id.as_str(), key).await?;
        Ok(tx.commit().await?)
    }
}
