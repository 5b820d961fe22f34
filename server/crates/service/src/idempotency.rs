//! Requests as one unit of work each, and requests that are sent again: the same key and the same request get the same
//! answer, and the work is done once.
//!
//! The key is taken and the answer kept in the transaction of the work. So they are there exactly when the work is: a server
//! that is killed, or a database that goes away, leaves both or neither, and whoever sends the request again with its key
//! finds out which.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use holdpoint_domain::{Digest, Millis};
use holdpoint_storage::{KeptAnswer, RequestKey, StorageError, Unit};

use crate::{Actor, ServiceError, Services};

/// How long an answer is kept.
const KEPT_FOR: Millis = 24 * 60 * 60 * 1_000;

/// How often work is begun again that the database gave up, because it was in the way of other work.
const MOST_TRIES: u32 = 5;

/// What a request was answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestAnswer {
    pub status: u16,
    pub body: String,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Once {
    /// It was worked on now.
    Now(RequestAnswer),
    /// It was answered before, with this.
    Again(RequestAnswer),
}

/// The keys of requests that this server works on.
pub(crate) type KeysInWork = Mutex<HashSet<(String, String)>>;

/// Gives a key free, however the work on its request ends.
struct InWork<'a> {
    keys: &'a KeysInWork,
    key: (String, String),
}

impl<'a> InWork<'a> {
    fn begin(keys: &'a KeysInWork, request: &RequestKey) -> Option<Self> {
        let key = (request.caller.clone(), request.key.clone());
        let mut in_work = keys.lock().unwrap_or_else(PoisonError::into_inner);
        in_work.insert(key.clone()).then(|| Self { keys, key })
    }
}

impl Drop for InWork<'_> {
    fn drop(&mut self) {
        let mut in_work = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        in_work.remove(&self.key);
    }
}

impl Services {
    /// Does what a request asks for and keeps its answer, all in one transaction: `work` is given these services as the steps
    /// of that, and may be begun again where the database gave it up. With a key (and the digest of everything that was
    /// asked) the same request is worked on once and answered alike; a refusal is not kept, so it may be mended and sent
    /// again.
    pub async fn once<E, F>(
        &self,
        actor: &Actor,
        key: Option<(&str, &Digest)>,
        work: impl Fn(Self) -> F,
    ) -> Result<Once, E>
    where
        E: From<ServiceError> + std::error::Error + 'static,
        F: Future<Output = Result<RequestAnswer, E>>,
    {
        let request = key.map(|(key, digest)| self.request_key(actor, key, digest));
        let request = request.transpose()?;
        let _in_work = match &request {
            Some(request) => Some(
                InWork::begin(&self.inner.keys_in_work, request).ok_or_else(|| {
                    ServiceError::TooOften {
                        message: "The first request with this key is still being worked on. Send it again in a moment.".to_owned(),
                        seconds: 1,
                    }
                })?,
            ),
            None => None,
        };
        if let Some(request) = &request
            && let Some(answer) = self.answer_to(request).await?
        {
            return Ok(Once::Again(answer));
        }
        let mut tries = Tries::default();
        loop {
            let unit = Unit::new(request.clone());
            let done = match work(self.within(&unit)).await {
                Ok(answer) => unit
                    .commit(&self.database, answer.status, &answer.body)
                    .await
                    .map(|()| Once::Now(answer))
                    .map_err(|error| ServiceError::from(error).into()),
                Err(error) => Err(error),
            };
            // Another node may have worked on the same request meanwhile.
            if let (Some(request), true) = (&request, unit.is_answered())
                && let Some(answer) = self.answer_to(request).await?
            {
                return Ok(Once::Again(answer));
            }
            match done {
                Err(error) if tries.are_left_after(&error) => tries.pause().await,
                done => return done,
            }
        }
    }

    /// Does work that changes many rows, again where the database gave it up because other work was in its way.
    pub(crate) async fn retrying<T, F>(&self, work: impl Fn() -> F) -> Result<T, ServiceError>
    where
        F: Future<Output = Result<T, ServiceError>>,
    {
        let mut tries = Tries::default();
        loop {
            match work().await {
                // Within a unit all of it has to begin again, which is for whoever began it.
                Err(error) if !self.database.is_within() && tries.are_left_after(&error) => {
                    tries.pause().await;
                }
                done => return done,
            }
        }
    }

    fn within(&self, unit: &Arc<Unit>) -> Self {
        Self {
            database: self.database.within(unit.clone()),
            ..self.clone()
        }
    }

    fn request_key(
        &self,
        actor: &Actor,
        key: &str,
        digest: &Digest,
    ) -> Result<RequestKey, ServiceError> {
        if key.is_empty() || key.len() > 200 || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ServiceError::rejected(
                "Idempotency-Key",
                "A key has 1 to 200 printable ASCII characters and no space. A UUID works well.",
            ));
        }
        let at = self.now();
        Ok(RequestKey {
            // What a token may see is its own: another one of the same person asks anew.
            caller: match &actor.token {
                Some(token) => format!("{}/{}", actor.id.as_str(), token.id.as_str()),
                None => actor.id.as_str().to_owned(),
            },
            key: key.to_owned(),
            digest: digest.clone(),
            at,
            kept_since: at - KEPT_FOR,
        })
    }

    async fn answer_to(&self, request: &RequestKey) -> Result<Option<RequestAnswer>, ServiceError> {
        let mut tx = self.database.read().await?;
        let kept = tx
            .kept_answer(&request.caller, &request.key, request.kept_since)
            .await?;
        match kept {
            Some(kept) if kept.request_digest != request.digest.as_str() => {
                Err(ServiceError::rejected(
                    "Idempotency-Key",
                    "This key was sent with a different request before. Use a new key for each request.",
                ))
            }
            kept => Ok(kept.map(|KeptAnswer { status, body, .. }| RequestAnswer { status, body })),
        }
    }

    /// Forgets the answers that are older than a repeated request can be. Done by the server itself now and then.
    pub async fn forget_old_answers(&self) -> Result<u64, ServiceError> {
        let mut tx = self.database.write().await?;
        let n = tx.forget_answers(self.now() - KEPT_FOR).await?;
        tx.commit().await?;
        Ok(n)
    }
}

/// How often work was begun.
#[derive(Default)]
struct Tries(u32);

impl Tries {
    /// Whether work that failed so is to be begun again: the database gave it up, so nothing of it is stored.
    fn are_left_after(&mut self, error: &(dyn std::error::Error + 'static)) -> bool {
        self.0 += 1;
        let is_given_up = std::iter::successors(Some(error), |error| error.source()).any(|error| {
            error
                .downcast_ref::<StorageError>()
                .is_some_and(StorageError::is_deadlock)
        });
        is_given_up && self.0 < MOST_TRIES
    }

    /// A little longer each time.
    async fn pause(&self) {
        tracing::warn!(
            tries = self.0,
            "work was in the way of other work and is begun again"
        );
        tokio::time::sleep(Duration::from_millis(u64::from(10 * self.0 * self.0))).await;
    }
}
