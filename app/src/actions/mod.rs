//! What people do through forms: server functions, one file per subject.
//!
//! Each parses, calls one service function and answers through `ActionContext::answer`, which always redirects.

pub mod accounts;
pub mod error;
pub mod secret;

#[cfg(feature = "ssr")]
pub mod context;

#[cfg(feature = "ssr")]
pub use context::{ActionContext, IntoRefusal, Notice, settle};
pub use error::ActionError;
pub use secret::Secret;
