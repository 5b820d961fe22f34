//! Scans: what is asked of an import and what it answers, and what scans there are. Importing itself is in `import.rs`,
//! taking it back in `undo.rs`.

use holdpoint_domain::{
    Digest, Millis, ReviewId, ScanId, ServiceId,
    person::Action,
    text::{Commit, Name},
};
use holdpoint_storage::{
    ChangeNumbers, Scan, ScanChange, SeverityCounts, StorageError, StoredFile, Tx,
};
use serde::Serialize;

use crate::{Actor, ServiceError, Services, mapping::ReviewMapping, watch::ImportWatch};

/// How many of an import's changes are listed one by one.
pub const MAX_LISTED: usize = 200;

/// Every format that is read: its name as in [`ScanRequest::format`], and what people call it.
pub fn formats() -> Vec<(&'static str, &'static str)> {
    holdpoint_importers::IMPORTERS
        .iter()
        .map(|importer| (importer.name(), importer.title()))
        .collect()
}

/// A scanner file to be imported. The store has received it already.
#[derive(Clone, Debug)]
pub struct ScanRequest {
    pub file: StoredFile,
    pub file_name: String,
    /// The label of the series; [`holdpoint_domain::policy::default_label`] when nobody gives one.
    pub label: Option<Name>,
    pub commit: Option<Commit>,
    /// An importer's name, when a person corrects the detection.
    pub format: Option<String>,
    /// Where the import says how far it is, and hears that it shall stop.
    pub watch: ImportWatch,
}

/// What an import did, or would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImportOutcome {
    /// Absent for a preview, unless the file was in already.
    pub scan: Option<ScanId>,
    /// Whether this very file is the newest scan of its series already, for this commit, so that nothing changed.
    pub repeated: bool,
    pub format: String,
    pub tool: String,
    pub tool_version: Option<String>,
    pub series: String,
    pub commit: Option<String>,
    /// What was looked at, where the file says it.
    pub target: Option<String>,
    pub complete: bool,
    pub incomplete_because: Option<String>,
    /// What a person should look at before this file goes into this series, each as a sentence: perhaps it is of something else.
    pub warnings: Vec<String>,
    pub changes: ChangeNumbers,
    pub counts: Counts,
    /// What was odd in the file.
    pub problems: Vec<holdpoint_importers::Problem>,
    /// The new findings by severity.
    pub new: Counts,
    /// For a preview: what would change, and what would not, the worst first, at most [`MAX_LISTED`] of each kind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub listed: Vec<ScanChange>,
    /// What the rules link, in every review that the import maps into: findings of the series that have no item there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mapping: Vec<ReviewMapping>,
    /// For a preview: what it rests on. Another value later means that its ground has moved.
    pub ground: Digest,
}

/// Findings by severity, as the API says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub critical: i64,
    pub high: i64,
    pub unrated: i64,
    pub medium: i64,
    pub low: i64,
    pub info: i64,
}

impl From<SeverityCounts> for Counts {
    fn from(counts: SeverityCounts) -> Self {
        let SeverityCounts {
            critical,
            high,
            unrated,
            medium,
            low,
            info,
        } = counts;
        Self {
            critical,
            high,
            unrated,
            medium,
            low,
            info,
        }
    }
}

impl Services {
    /// A service's scans, newest first.
    pub async fn scans_of(
        &self,
        actor: &Actor,
        service: &ServiceId,
        before: Option<&ScanId>,
        limit: i64,
    ) -> Result<Vec<Scan>, ServiceError> {
        let mut tx = self.database().read().await?;
        self.allow(&mut tx, actor, service, Action::Read).await?;
        Ok(tx.scans_of(service, before, limit.clamp(1, 200)).await?)
    }

    /// What a scan changed, at most `limit` of it.
    pub async fn changes_of_scan(
        &self,
        actor: &Actor,
        id: &ScanId,
        limit: i64,
    ) -> Result<Vec<ScanChange>, ServiceError> {
        self.scan(actor, id).await?;
        let mut tx = self.database().read().await?;
        Ok(tx.changes_of_scan(id, limit.clamp(1, 500)).await?)
    }

    pub async fn scan(&self, actor: &Actor, id: &ScanId) -> Result<Scan, ServiceError> {
        let not_found = || ServiceError::NotFound("This scan");
        let mut tx = self.database().read().await?;
        let scan = tx.scan(id).await?.ok_or_else(not_found)?;
        self.allow(&mut tx, actor, &scan.service, Action::Read)
            .await
            .map_err(|error| match error {
                ServiceError::NotFound(_) => not_found(),
                error => error,
            })?;
        Ok(scan)
    }

    /// A scan whose original file is about to be served, its bytes compared with their digest.
    pub async fn scan_file(&self, actor: &Actor, id: &ScanId) -> Result<Scan, ServiceError> {
        let scan = self.scan(actor, id).await?;
        if self.files().verify(&scan.file_sha256).await? {
            Ok(scan)
        } else {
            Err(StorageError::Damaged(format!(
                "the file with SHA-256 {} is missing",
                scan.file_sha256
            ))
            .into())
        }
    }

    /// A review's service, for those who may read it.
    pub(crate) async fn service_of_review(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        review: &ReviewId,
        action: Action,
    ) -> Result<ServiceId, ServiceError> {
        let (review, _) = self.review_to(tx, actor, review, action).await?;
        Ok(review.service)
    }

    pub(crate) fn new_id<T>(&self, parse: fn(&str) -> Option<T>, now: Millis) -> T {
        parse(&self.ids().uuid(now)).expect("a UUID is a well-formed id")
    }
}
