//! How much comes in: files are counted as they arrive, whether they are kept, refused or only previewed, by the person, the
//! token and the service. Whoever has brought more in an hour than is allowed waits for the next.
//!
//! The counts are in memory: what they guard is this server's disk, and an import that holds SQLite's one writer must not make
//! uploads wait. Each node counts for itself.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Mutex, PoisonError},
};

use holdpoint_domain::{Millis, PersonId, ServiceId, TokenId};
use holdpoint_storage::{Receiving, StoredFile};

use crate::{Actor, ImportWatch, ServiceError, Services};

/// How long a window is.
const WINDOW: Millis = 60 * 60 * 1_000;
/// From this many counts on, those of windows that are over are dropped. There are no more than people, tokens and services.
const MANY: usize = 10_000;

/// What uploads are counted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Person(PersonId),
    Token(TokenId),
    Service(ServiceId),
}

impl Key {
    const fn words(&self) -> &'static str {
        match self {
            Self::Person(_) => "You have",
            Self::Token(_) => "This token has",
            Self::Service(_) => "This service has",
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    since: Millis,
    files: i64,
    bytes: i64,
}

#[derive(Debug, Default)]
pub(crate) struct UploadCounts(Mutex<HashMap<Key, Count>>);

/// Who brings a file, and to which service if that is known.
#[derive(Clone, Copy, Debug)]
pub struct UploadBy<'a> {
    pub actor: &'a Actor,
    pub service: Option<&'a ServiceId>,
}

/// A file that arrives, and is counted.
#[derive(Debug)]
pub struct Upload {
    receiving: Receiving,
    services: Services,
    keys: Vec<Key>,
}

impl Services {
    /// Begins to receive a file. Refused where too much has come in already.
    pub async fn begin_upload(&self, by: UploadBy<'_>) -> Result<Upload, ServiceError> {
        let keys = keys(by);
        self.count_upload(&keys, 1, 0)?;
        Ok(Upload {
            receiving: self.files().receive().await?,
            services: self.clone(),
            keys,
        })
    }

    /// Counts a file that arrived in memory.
    pub fn count_small_upload(&self, by: UploadBy<'_>, bytes: usize) -> Result<(), ServiceError> {
        self.count_upload(&keys(by), 1, i64::try_from(bytes).unwrap_or(i64::MAX))
    }

    /// Counts what a packed file became beyond its own bytes, whenever it is unpacked.
    pub(crate) fn count_unpacked(
        &self,
        by: UploadBy<'_>,
        packed_bytes: i64,
        watch: &ImportWatch,
    ) -> Result<(), ServiceError> {
        self.count_upload(&keys(by), 0, beyond(packed_bytes, watch))
    }

    fn count_upload(&self, keys: &[Key], files: i64, bytes: i64) -> Result<(), ServiceError> {
        let (now, limits) = (self.now(), self.limits());
        let counts = &self.inner.uploads.0;
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MANY {
            counts.retain(|_, count| now - count.since < WINDOW);
        }
        for key in keys {
            let count = counts.entry(key.clone()).or_default();
            if now - count.since >= WINDOW {
                *count = Count {
                    since: now,
                    ..Count::default()
                };
            }
            let too_many = count.files + files > limits.uploads_per_hour;
            if too_many || count.bytes.saturating_add(bytes) > limits.upload_bytes_per_hour {
                let seconds = (count.since + WINDOW - now).div_euclid(1_000) + 1;
                let brought = if too_many {
                    format!("{} files", limits.uploads_per_hour)
                } else {
                    format!("{} bytes", limits.upload_bytes_per_hour)
                };
                return Err(ServiceError::TooOften {
                    message: format!(
                        "{} uploaded {brought} within an hour, which is the most that is taken. Nothing of this was \
                         stored. Go on in {} minutes, or ask your administrator for more.",
                        key.words(),
                        seconds.div_euclid(60) + 1
                    ),
                    seconds,
                });
            }
        }
        for key in keys {
            let count = counts.entry(key.clone()).or_default();
            count.files += files;
            count.bytes = count.bytes.saturating_add(bytes);
        }
        Ok(())
    }
}

fn beyond(packed_bytes: i64, watch: &ImportWatch) -> i64 {
    let unpacked = i64::try_from(watch.take_unpacked_bytes()).unwrap_or(i64::MAX);
    (unpacked - packed_bytes).max(0)
}

fn keys(by: UploadBy<'_>) -> Vec<Key> {
    let token = by.actor.token.as_ref();
    let mut keys = vec![Key::Person(by.actor.id.clone())];
    keys.extend(token.map(|token| Key::Token(token.id.clone())));
    keys.extend(by.service.cloned().map(Key::Service));
    keys
}

impl Upload {
    /// Takes some more of it.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), ServiceError> {
        let n = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        self.services.count_upload(&self.keys, 0, n)?;
        Ok(self.receiving.write(bytes).await?)
    }

    pub fn size_bytes(&self) -> i64 {
        self.receiving.size_bytes()
    }

    /// Counts what it became beyond its own bytes when it was unpacked.
    pub(crate) fn count_unpacked(&self, watch: &ImportWatch) -> Result<(), ServiceError> {
        let beyond = beyond(self.size_bytes(), watch);
        self.services.count_upload(&self.keys, 0, beyond)
    }

    /// Brings what has arrived to where it can be read.
    pub async fn flush(&mut self) -> Result<(), ServiceError> {
        Ok(self.receiving.flush().await?)
    }

    /// Where it is for now.
    pub fn path(&self) -> &Path {
        self.receiving.path()
    }

    /// Gives it its place in the store.
    pub async fn keep(self) -> Result<StoredFile, ServiceError> {
        Ok(self.receiving.keep().await?)
    }
}
