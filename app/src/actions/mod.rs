//! What people do through forms: server functions, one file per subject.
//!
//! Each parses, calls one service function and answers through `ActionContext::answer`, which always redirects.

pub mod accounts;
pub mod checklist;
pub mod deliverables;
pub mod error;
pub mod evidence;
pub mod findings;
pub mod items;
pub mod mapping;
pub mod patches;
pub mod reviews;
pub mod saved_filters;
pub mod scans;
pub mod secret;
pub mod services;
pub mod sign_off;
pub mod templates;

#[cfg(feature = "ssr")]
pub mod context;

#[cfg(feature = "ssr")]
pub use context::{ActionContext, IntoRefusal, Notice, Settled, settle};
pub use error::ActionError;
pub use secret::Secret;
