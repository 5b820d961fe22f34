//! What people can do with Holdpoint: one function for each thing, which checks the permission, applies the rule, changes
//! the database in one unit of work and writes the activity entry in the same.
//!
//! Everything that comes from outside comes in through a parameter: who acts ([`Actor`]), what they ask (parsed values),
//! the time ([`Clock`]) and randomness ([`Ids`]). HTTP, pages and files' formats are deliberately absent. Start reading at
//! [`Services`]; each subject has its file.

mod acceptance;
mod access;
mod accounts;
mod attempts;
pub mod backup;
mod changes;
mod clock;
mod comments;
mod deliverables;
mod devices;
mod error;
pub mod evidence;
mod finding_export;
pub mod findings;
mod fixed_report;
pub mod fixes;
mod idempotency;
mod ids;
mod import;
mod invitations;
mod items;
mod kept;
mod key_store;
mod keys;
mod log;
pub mod mapping;
mod mapping_ahead;
mod new_review_mapping;
mod old_sign_offs;
mod other_eyes;
mod password_resets;
mod passwords;
pub mod patches;
mod readiness;
mod reading;
pub mod report;
mod reviews;
mod running;
pub mod sample;
mod saved_filters;
pub mod scans;
mod sealing;
mod search;
mod services;
mod setup;
pub mod sign_off;
pub mod standing;
mod sweeping;
mod templates;
mod tokens;
pub mod triage;
mod undo;
mod uploads;
mod validity;
mod void_decision;
mod watch;

use std::sync::Arc;

pub use access::{Access, Actor, TokenGrant};
pub use accounts::{Confirmed, MAX_FOUND, NewAccount, PasswordChanged};
pub use clock::{Clock, SystemClock, TestClock};
pub use comments::{CommentOn, ListedComment};
pub use deliverables::DeliverableChange;
pub use devices::{Client, DEVICE_LASTS};
pub use error::{Conflict, ServiceError};
pub use finding_export::{ExportForm, FindingExport};
pub use fixed_report::{AsOf, DecidedReport, DecidedReports, ReportStanding};
pub use holdpoint_checklist as checklist;
pub use holdpoint_patch as patch;
pub use holdpoint_storage::{
    ApiToken, ChangeNumbers, Deliverable, Evidence, Finding, FindingCursor, FindingFacets,
    FindingFilter, FindingLine, FindingLines, FindingLink, FindingSeries, FindingSort, Found,
    Invitation, Item, ItemCounts, ItemFigures, ItemFilter, MappingRule, NumberedFinding,
    ObservationView, Person, Review, ReviewCounts, SameIssue, SavedFilter, Scan, ScanChange,
    Section, Service, SeverityCounts, SignOff, SignedInSession, StandingFinding, StoredFile,
    Template, TemplateOwner, TemplateVersion, TriageBatch, UnseenReset, WaitingItem, WaitsFor,
};
use holdpoint_storage::{Database, FileStore};
pub use holdpoint_storage::{Failure, commits};
pub use holdpoint_storage::{Hit, Hits};
pub use holdpoint_storage::{SessionStore, session_keys};
pub use idempotency::{Once, RequestAnswer};
pub use ids::Ids;
pub use invitations::{INVITATION_LASTS, Invite, Invited};
pub use items::{BulkChange, BulkOutcome, ItemChange, ItemPage, ItemText, MAX_BULK, NewItem};
pub use key_store::{KeyStore, KeyStoreError};
pub use keys::KeyView;
pub use log::{ComparedHead, HEAD_LASTS, LogCheck, LogVerification, OutsideHead};
pub use password_resets::{OpenReset, RESET_LASTS, ResetLink};
pub use passwords::{MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS};
pub use readiness::NotReady;
pub use reviews::{
    ActivityLine, ActivityOf, ChecklistPage, ChecklistSection, CreatedReview, ListedDeliverable,
    ListedItem, Named, NewReview, ReviewChange, ReviewHead,
};
pub use running::{ImportState, RunningImport, RunningImports};
pub use saved_filters::MAX_SAVED_FILTERS;
pub use services::{MAX_PAGE, NewService, Page, PortfolioReview, ReadableService, ServiceChange};
pub use sweeping::{PREVIEW_LASTS, UNCLAIMED_LASTS};
pub use templates::{
    ImportedTemplate, ListedTemplate, TemplateDifference, TemplateFor, TemplateHistory,
    TemplateImport, TemplateOwners,
};
pub use tokens::{MadeToken, NewToken, TOKEN_LASTS_AT_MOST, TOKEN_PREFIX, TokenError};
pub use undo::Undone;
pub use uploads::{Upload, UploadBy};
pub use void_decision::VoidDecision;
pub use watch::{ImportProgress, ImportStage, ImportWatch};

/// The one handle to everything that people can do; cheap to clone.
#[derive(Clone, Debug)]
pub struct Services {
    inner: Arc<Inner>,
    managers_invite: bool,
    /// As this handle sees it: the steps of one request share a transaction.
    database: Database,
}

#[derive(Debug)]
struct Inner {
    files: FileStore,
    keys: KeyStore,
    ring: keys::RingCache,
    clock: Arc<dyn Clock>,
    ids: Ids,
    limits: Limits,
    passwords: passwords::Passwords,
    attempts: attempts::Attempts,
    /// Files are read so many at a time, so that many large ones at once do not take all memory.
    reading: tokio::sync::Semaphore,
    /// As many reports are made at a time, since each holds all facts of its review.
    reporting: tokio::sync::Semaphore,
    facets: kept::Kept<FindingFacets>,
    glances: kept::Kept<standing::ReviewStanding>,
    /// The same for lists of reviews, which name less.
    list_glances: kept::Kept<standing::ReviewStanding>,
    running: running::Remembered,
    last_try: readiness::LastTry,
    keys_in_work: idempotency::KeysInWork,
    uploads: uploads::UploadCounts,
    text_digests: holdpoint_storage::TextDigests,
}

/// How many scanner files are read at the same time; others wait.
const MOST_READ_AT_ONCE: usize = 2;

/// How many reports and bundles are made at the same time; others wait.
const MOST_REPORTS_AT_ONCE: usize = 2;

/// Sizes above which an upload is refused, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub evidence_bytes: i64,
    pub scan_bytes: i64,
    /// What a packed scan may unpack to.
    pub unpacked_scan_bytes: i64,
    /// How many findings one scan may bring.
    pub findings_per_scan: usize,
    pub checklist_bytes: i64,
    pub patch_bytes: i64,
    /// How many files, and how many bytes of them, a person, a token and a service may each bring within an hour.
    pub uploads_per_hour: i64,
    pub upload_bytes_per_hour: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            evidence_bytes: 100 * 1024 * 1024,
            scan_bytes: 256 * 1024 * 1024,
            unpacked_scan_bytes: 1024 * 1024 * 1024,
            findings_per_scan: 1_000_000,
            checklist_bytes: 4 * 1024 * 1024,
            patch_bytes: 8 * 1024 * 1024,
            uploads_per_hour: 5_000,
            upload_bytes_per_hour: 20 * 1024 * 1024 * 1024,
        }
    }
}

impl Services {
    pub fn new(
        database: Database,
        files: FileStore,
        keys: KeyStore,
        clock: Arc<dyn Clock>,
        ids: Ids,
        limits: Limits,
    ) -> Self {
        Self {
            database,
            inner: Arc::new(Inner {
                files,
                keys,
                ring: keys::RingCache::default(),
                clock,
                ids,
                limits,
                passwords: passwords::Passwords::default(),
                attempts: attempts::Attempts::default(),
                reading: tokio::sync::Semaphore::new(MOST_READ_AT_ONCE),
                reporting: tokio::sync::Semaphore::new(MOST_REPORTS_AT_ONCE),
                facets: kept::Kept::default(),
                glances: kept::Kept::default(),
                list_glances: kept::Kept::default(),
                running: running::Remembered::default(),
                last_try: readiness::LastTry::default(),
                keys_in_work: idempotency::KeysInWork::default(),
                uploads: uploads::UploadCounts::default(),
                text_digests: holdpoint_storage::TextDigests::default(),
            }),
            managers_invite: false,
        }
    }

    /// Lets managers invite people who have no account yet; else only administrators do.
    #[must_use]
    pub fn with_managers_inviting(mut self, may: bool) -> Self {
        self.managers_invite = may;
        self
    }

    /// Whether managers invite people who have no account yet.
    pub fn managers_invite(&self) -> bool {
        self.managers_invite
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
        &self.database
    }

    /// Where the private halves of the signing keys are.
    pub fn keys(&self) -> &KeyStore {
        &self.inner.keys
    }

    pub(crate) fn ring_cache(&self) -> &keys::RingCache {
        &self.inner.ring
    }

    pub(crate) fn ids(&self) -> &Ids {
        &self.inner.ids
    }

    pub(crate) fn passwords(&self) -> &passwords::Passwords {
        &self.inner.passwords
    }

    pub(crate) fn facets(&self) -> &kept::Kept<FindingFacets> {
        &self.inner.facets
    }

    pub(crate) fn glances(&self) -> &kept::Kept<standing::ReviewStanding> {
        &self.inner.glances
    }

    pub(crate) fn list_glances(&self) -> &kept::Kept<standing::ReviewStanding> {
        &self.inner.list_glances
    }

    /// The digests of evidence's texts that are known in this process.
    pub(crate) fn text_digests(&self) -> &holdpoint_storage::TextDigests {
        &self.inner.text_digests
    }

    pub(crate) fn attempts(&self) -> &attempts::Attempts {
        &self.inner.attempts
    }
}
