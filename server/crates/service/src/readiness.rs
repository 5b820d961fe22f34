//! Whether the service can work now, found out by doing a little of each thing that work needs.

use std::time::{Duration, Instant};

use holdpoint_storage::{Failure, StorageError};
use thiserror::Error;

use crate::{ServiceError, Services};

/// Whoever asks gets an answer within a second.
const PATIENCE: Duration = Duration::from_millis(900);
/// Signing and writing are tried at most so often, however often it is asked: anybody may ask.
const TRIED_EVERY: Duration = Duration::from_secs(1);

/// Why the service cannot work now.
#[derive(Debug, Error)]
pub enum NotReady {
    #[error("the database does not answer")]
    Database(#[source] Option<StorageError>),
    #[error("the database cannot be written: {}", reason(.0))]
    Writing(#[source] StorageError),
    #[error("the evidence folder cannot be written: {}", .0.as_ref().map_or("it does not answer", reason))]
    Files(#[source] Option<StorageError>),
    #[error("this machine cannot sign, since a signing key is not here: the log says which")]
    Keys(#[source] Option<ServiceError>),
}

fn reason(error: &StorageError) -> &'static str {
    match Failure::of(error) {
        Failure::Full => "the disk is full",
        Failure::Damaged => "it is damaged",
        Failure::Away => "it does not take writes",
        Failure::Busy | Failure::Unanswered | Failure::Other => "the log says why",
    }
}

/// When signing and writing were tried last, and went well.
#[derive(Debug, Default)]
pub(crate) struct LastTry(tokio::sync::Mutex<Option<Instant>>);

impl Services {
    /// Whether the service can work now: the database answers and takes a write, and so does the evidence folder, and this
    /// machine can sign.
    pub async fn ready(&self) -> Result<(), NotReady> {
        let until = tokio::time::Instant::now() + PATIENCE;
        match tokio::time::timeout_at(until, self.database().ping()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(NotReady::Database(Some(error))),
            Err(_) => return Err(NotReady::Database(None)),
        }
        // Only what went well is remembered: who waits for a fault to end hears of its end at once.
        let last = tokio::time::timeout_at(until, self.inner.last_try.0.lock()).await;
        // Whoever asked before tries still: what it waits for is what this one would wait for.
        let Ok(mut last) = last else {
            return if self.database().is_writing() {
                Ok(())
            } else {
                Err(NotReady::Database(None))
            };
        };
        if last.is_some_and(|at| at.elapsed() < TRIED_EVERY) {
            return Ok(());
        }
        *last = None;
        match tokio::time::timeout_at(until, self.check_private_keys()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(NotReady::Keys(Some(error))),
            Err(_) => return Err(NotReady::Keys(None)),
        }
        let (written, kept) = tokio::join!(
            tokio::time::timeout_at(until, self.database().probe(self.now())),
            tokio::time::timeout_at(until, self.files().probe()),
        );
        match written {
            Ok(Ok(()) | Err(StorageError::Busy)) => {}
            Ok(Err(error)) => return Err(NotReady::Writing(error)),
            // A large import has its turn. Reading goes on, and so does the waiting of who writes.
            Err(_) if self.database().is_writing() => {}
            Err(_) => return Err(NotReady::Database(None)),
        }
        match kept {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(NotReady::Files(Some(error))),
            Err(_) => return Err(NotReady::Files(None)),
        }
        *last = Some(Instant::now());
        Ok(())
    }
}
