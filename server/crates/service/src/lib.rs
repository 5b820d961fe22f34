//! What people can do with Holdpoint: one function for each thing, which checks the permission, applies the rule, changes
//! the database in one unit of work and writes the activity entry in the same.
//!
//! Everything that comes from outside comes in through a parameter: who acts ([`Actor`]), what they ask (parsed values),
//! the time ([`Clock`]) and randomness ([`Ids`]). HTTP, pages and files' formats are deliberately absent. Start reading at
//! [`Services`]; each subject has its file.

mod access;
mod clock;
mod error;
mod ids;

use std::sync::Arc;

pub use access::{Actor, TokenGrant};
pub use clock::{Clock, SystemClock, TestClock};
pub use error::{Conflict, ServiceError};
use holdpoint_storage::{Database, FileStore};
pub use ids::Ids;

/// The one handle to everything that people can do; cheap to clone.
#[derive(Clone, Debug)]
pub struct Services {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    database: Database,
    files: FileStore,
    clock: Arc<dyn Clock>,
    ids: Ids,
    limits: Limits,
}

/// Sizes above which an upload is refused, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub evidence_bytes: i64,
    pub scan_bytes: i64,
    pub checklist_bytes: i64,
    pub patch_bytes: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            evidence_bytes: 100 * 1024 * 1024,
            scan_bytes: 256 * 1024 * 1024,
            checklist_bytes: 4 * 1024 * 1024,
            patch_bytes: 8 * 1024 * 1024,
        }
    }
}

impl Services {
    pub fn new(
        database: Database,
        files: FileStore,
        clock: Arc<dyn Clock>,
        ids: Ids,
        limits: Limits,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                database,
                files,
                clock,
                ids,
                limits,
            }),
        }
    }

    /// The time that every rule goes by.
    pub fn now(&self) -> holdpoint_domain::Millis {
        self.inner.clock.now()
    }

    pub fn limits(&self) -> Limits {
        self.inner.limits
    }

    /// Where uploads are received and evidence is kept.
    pub fn files(&self) -> &FileStore {
        &self.inner.files
    }

    /// For the wiring only (sessions, shutdown): what people do goes through this type's other functions.
    pub fn database(&self) -> &Database {
        &self.inner.database
    }

    /// Whether the service can work now: the database answers.
    pub async fn ready(&self) -> Result<(), ServiceError> {
        Ok(self.inner.database.ping().await?)
    }

    pub(crate) fn ids(&self) -> &Ids {
        &self.inner.ids
    }
}
