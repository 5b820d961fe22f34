//! Scanner files that a person has uploaded to look at, before they are imported.
//!
//! They are kept in the person's session, so that a confirmation names an upload of this person to this review and
//! nothing else: a digest sent by a browser is never believed.

use holdpoint_domain::{
    Digest, Millis, PersonId,
    text::{Commit, Name},
};
use holdpoint_service::{ImportWatch, PREVIEW_LASTS, StoredFile, scans::ScanRequest};
use serde::{Deserialize, Serialize};
use tower_sessions::{Session, session::Error as SessionError};

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
    pub fn new(person: &PersonId, review: &str, at: Millis) -> Self {
        Self {
            id: String::new(),
            person: person.as_str().to_owned(),
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
    pub async fn keep(mut self, session: &Session) -> Result<String, SessionError> {
        let digests: Vec<_> = self.files.iter().map(|file| file.sha256.as_str()).collect();
        let name = format!("{} {} {}", self.at, self.review, digests.join(" "));
        Digest::of(name.as_bytes()).as_str()[..16].clone_into(&mut self.id);
        let id = self.id.clone();
        let mut all = Self::all(session).await?;
        all.retain(|kept| kept.id != id);
        all.push(self);
        let n_over = all.len().saturating_sub(MOST);
        all.drain(..n_over);
        session.insert(KEY, all).await?;
        Ok(id)
    }

    /// An upload by this person. After [`PREVIEW_LASTS`] it is as if there were none: its files may be deleted then.
    pub async fn find(
        session: &Session,
        person: &PersonId,
        review: &str,
        id: &str,
        now: Millis,
    ) -> Result<Option<Self>, SessionError> {
        let all = Self::all(session).await?;
        Ok(all.into_iter().find(|kept| {
            kept.id == id
                && kept.person == person.as_str()
                && kept.review == review
                && now < kept.at + PREVIEW_LASTS
        }))
    }

    /// Forgets some of an upload's files, by digest; without any left, the upload is forgotten.
    pub async fn forget(
        session: &Session,
        id: &str,
        done: impl Fn(&PendingFile) -> bool,
    ) -> Result<(), SessionError> {
        let mut all = Self::all(session).await?;
        for kept in all.iter_mut().filter(|kept| kept.id == id) {
            kept.files.retain(|file| !done(file));
        }
        all.retain(|kept| !kept.files.is_empty());
        session.insert(KEY, all).await
    }

    async fn all(session: &Session) -> Result<Vec<Self>, SessionError> {
        Ok(session.get(KEY).await?.unwrap_or_default())
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
