//! SQLite and PostgreSQL behind one SQL text, and the evidence files.
//!
//! A [`Database`] hands out [`Tx`]s. A `Tx` is one unit of work: it reads and writes through methods that live beside
//! their subject (`people.rs`, `items.rs`, …), and nothing of it lasts unless `commit` is called. Permissions, rules and
//! HTTP are deliberately absent: callers have decided before they come here.
//!
//! To add a table: a migration of the same number in `migrations/sqlite` and `migrations/postgres`; a private row type
//! with plain columns; methods on `Tx`; cases in `tests/`, which run on both databases.

mod accounts;
mod activity;
mod answers;
mod columns;
mod comments;
pub mod commits;
mod database;
mod decided;
mod devices;
mod error;
mod evidence;
pub mod files;
mod finding_list;
mod finding_orders;
pub mod finding_rows;
mod findings;
mod fixed_reports;
pub mod imports;
mod interrupt;
mod items;
mod listed;
mod log_tree;
mod mapping;
mod mapping_groups;
mod outgrown;
mod patches;
mod people;
mod policies;
pub mod private;
mod reviews;
mod same_issues;
mod saved_filters;
mod scans;
mod search;
mod services;
pub mod sessions;
mod signing_keys;
mod standing;
pub mod tables;
mod templates;
#[cfg(feature = "testing")]
pub mod testing;
mod text_digests;
mod triage;
mod tx;
mod unit;

pub use accounts::{ApiToken, Invitation, NewApiToken, NewInvitation};
pub use activity::{ActivityFilter, NewActivity, StoredActivity};
pub use answers::KeptAnswer;
pub use comments::Comment;
pub use database::{Database, DatabaseUrl};
pub use decided::DecidedFinding;
pub use error::{Failure, StorageError};
pub use evidence::{Evidence, NewEvidence, ShownEvidence};
pub use files::{FileStore, Receiving, StoredFile, Swept};
pub use finding_list::{FindingCursor, FindingKind, FindingLines, FindingOrder};
pub use findings::{
    Finding, FindingContent, FindingFacets, FindingFilter, FindingLine, FindingLink, FindingSeries,
    FindingSort, NewFinding, SeverityChange,
};
pub use fixed_reports::{KeptReport, NewFixedReport, PackedBytes};
pub use items::{Item, ItemFigures, ItemFilter, WaitingItem, WaitsFor};
pub use listed::Listed;
pub use log_tree::{LogTree, SignedHead};
pub use mapping::{
    FindingToMap, FindingWithComponent, LinkToMake, MappableItem, MappingReview, MappingRule,
    RuleLink, ScanEvidence, ToolOfService,
};
pub use mapping_groups::{FindingGroupToMap, GroupLink};
pub use patches::{NewPatch, Patch, PatchFinding, PatchItem, PatchLinks, VerifiedPatch};
pub use people::{Found, Granted, NewPerson, Person, UnseenReset};
pub use reviews::{Deliverable, ItemCounts, Review, ReviewCounts, Section};
pub use same_issues::{SameIssue, SameIssues};
pub use saved_filters::SavedFilter;
pub use scans::{ChangeNumbers, ObservationView, Scan, ScanChange, SeverityCounts};
pub use search::{Hit, Hits};
pub use services::Service;
pub use sessions::{SessionStore, SignedInSession, keys as session_keys};
pub use signing_keys::StoredKeyList;
pub use standing::{
    BoundSignOffs, ItemPlace, LastEntry, LinkCount, SIGN_OFFS_BOUND, Says, SignOff, SignOffEntry,
    Standing, StandingDeliverable, StandingEvidence, StandingFinding, StandingItem, StandingLink,
    StandingPatch, StandingReview, StandingScan, Summary,
};
pub use templates::{Template, TemplateOwner, TemplateVersion};
pub use text_digests::{KnownTexts, TextDigests};
pub use triage::{
    ChangedSince, FindingToTriage, NewTriageBatch, NumberedFinding, TriageBatch, TriageState,
};
pub use tx::Tx;
pub(crate) use tx::{execute, fetch_all, fetch_each, fetch_optional, for_ids, on_conn};
pub use unit::{RequestKey, Unit};
