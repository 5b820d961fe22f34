//! Scanner files that a person has uploaded to look at, before they are imported.
//!
//! They are kept in the person's session, so that a confirmation names an upload of this person to this review and
//! nothing else: a digest sent by a browser is never believed.

use holdpoint_domain::{
    Digest, Millis,
    text::{Commit, Name},
};
use holdpoint_service::{
    Actor, ImportWatch, PREVIEW_LASTS, ServiceError, Services, StoredFile, scans::ScanRequest,
};
use serde::{Deserialize, Serialize};
use tower_sessions::{Session, session::Id};

const KEY: &str = "pending-scans";
/// How many uploads wait in one session; the oldest gives way.
const MOST: usize = 8;

/// One upload of one or several files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingScans {
    pub id: String,
    person: String,
    pub review: String,
    /// As they were typed, checked when the files came.
    pub label: String,
    pub commit: String,
    pub format: String,
    pub at: Millis,
    pub files: Vec<PendingFile>,
    /// Files that could not be read: name, and why. Nothing of them was stored.
    pub refused: Vec<(String, String)>,
}

/// A file that is in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingFile {
    pub sha256: String,
    pub size_bytes: i64,
    pub name: String,
}

impl PendingScans {
    pub fn new(person: &Actor, review: &str, at: Millis) -> Self {
        Self {
            id: String::new(),
            person: person.id.as_str().to_owned(),
            review: review.to_owned(),
            label: String::new(),
            commit: String::new(),
            format: String::new(),
            at,
            files: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// Keeps the upload, and gives it the name under which [`PendingScans::find`] has it.
    pub async fn keep(
        mut self,
        session: &Session,
        services: &Services,
        person: &Actor,
    ) -> Result<String, ServiceError> {
        let id = Id::default().to_string();
        self.id.clone_from(&id);
        let mut all = Self::all(session, services, person).await?;
        all.push(self);
        let n_over = all.len().saturating_sub(MOST);
        all.drain(..n_over);
        Self::store(session, all).await?;
        Ok(id)
    }

    /// An upload by this person. After [`PREVIEW_LASTS`] it is as if there were none: its files may be deleted then.
    pub async fn find(
        session: &Session,
        services: &Services,
        person: &Actor,
        review: &str,
        id: &str,
    ) -> Result<Option<Self>, ServiceError> {
        let now = services.now();
        let all = Self::all(session, services, person).await?;
        Ok(all.into_iter().find(|kept| {
            kept.id == id && kept.is_of(person, review) && now < kept.at + PREVIEW_LASTS
        }))
    }

    fn is_of(&self, person: &Actor, review: &str) -> bool {
        self.person == person.id.as_str() && self.review == review
    }

    /// Forgets an upload.
    pub async fn forget(session: &Session, id: &str) -> Result<(), ServiceError> {
        let mut all = Self::stored(session).await?;
        all.retain(|kept| kept.id != id);
        Self::store(session, all).await
    }

    /// All uploads but the files that were imported since. An upload of which nothing is left is forgotten. What is being
    /// imported is not noted here: on SQLite, whoever writes waits for an import that stores.
    async fn all(
        session: &Session,
        services: &Services,
        person: &Actor,
    ) -> Result<Vec<Self>, ServiceError> {
        let mut all = Self::stored(session).await?;
        let n_files = |all: &[Self]| all.iter().map(|kept| kept.files.len()).sum::<usize>();
        let n_before = n_files(&all);
        for kept in &mut all {
            let imports = services.imports_of_upload(person, &kept.id).await?;
            let is_done = |file: &PendingFile| imports.iter().any(|all| all.has_done(&file.sha256));
            kept.files.retain(|file| !is_done(file));
        }
        all.retain(|kept| !kept.files.is_empty());
        if n_files(&all) != n_before {
            Self::store(session, all.clone()).await?;
        }
        Ok(all)
    }

    async fn stored(session: &Session) -> Result<Vec<Self>, ServiceError> {
        let all = session.get(KEY).await.map_err(ServiceError::unavailable)?;
        Ok(all.unwrap_or_default())
    }

    async fn store(session: &Session, all: Vec<Self>) -> Result<(), ServiceError> {
        let stored = session.insert(KEY, all).await;
        stored.map_err(ServiceError::unavailable)
    }

    /// What the service is asked to import for a file.
    pub fn request(&self, file: &PendingFile) -> Option<ScanRequest> {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Some(ScanRequest {
            file: StoredFile {
                sha256: Digest::parse(&file.sha256)?,
                size_bytes: file.size_bytes,
            },
            file_name: file.name.clone(),
            label: given(&self.label).and_then(|label| Name::parse(&label).ok()),
            commit: given(&self.commit).and_then(|commit| Commit::parse(&commit).ok()),
            format: given(&self.format),
            watch: ImportWatch::default(),
        })
    }
}
