//! Secrets that are shown once: the link of an invitation, a new API token.
//!
//! A form answers with a redirect, so the secret has to wait in the session for the next page. It waits sealed with the
//! cookie's value, of which the server stores only a digest: whoever reads the database reads no secret.

use holdpoint_service::Services;
use http::request::Parts;
use leptos::prelude::use_context;
use serde::{Deserialize, Serialize};
use tower_sessions::{Session, session::Error as SessionError};

use crate::visit::services;

const KEY: &str = "one_time";

#[derive(Serialize, Deserialize)]
struct Kept {
    page: String,
    label: String,
    sealed: Vec<u8>,
}

/// A secret for a page to show, and what it is.
#[derive(Clone)]
pub struct OneTime {
    pub label: String,
    pub secret: String,
}

/// Leaves a secret for the page at a path, which shows it once.
pub async fn keep(
    services: &Services,
    session: &Session,
    page: &str,
    label: &str,
    secret: &str,
) -> Result<(), SessionError> {
    if session.id().is_none() {
        // The id is what the secret is sealed with.
        session.save().await?;
    }
    let kept = Kept {
        page: page.to_owned(),
        label: label.to_owned(),
        sealed: services.seal(&cookie(session), page, secret),
    };
    session.insert(KEY, kept).await
}

/// Takes what was left for the page at this path; the next time there is nothing.
pub async fn take(page: &str) -> Option<OneTime> {
    let session = use_context::<Parts>()?.extensions.get::<Session>()?.clone();
    let kept: Kept = session.get(KEY).await.ok()??;
    if kept.page != page {
        return None;
    }
    session.remove::<Kept>(KEY).await.ok()?;
    let secret = services().unseal(&cookie(&session), page, &kept.sealed)?;
    Some(OneTime {
        label: kept.label,
        secret,
    })
}

fn cookie(session: &Session) -> String {
    session.id().map(|id| id.to_string()).unwrap_or_default()
}
