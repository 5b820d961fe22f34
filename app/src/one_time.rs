//! Secrets that are shown once: the link of an invitation, a new API token.
//!
//! A form answers with a redirect, so the secret has to wait in the session for the next page. It waits sealed with the
//! cookie's value, of which the server stores only a digest: whoever reads the database reads no secret.

use holdpoint_domain::{Digest, Millis};
use http::request::Parts;
use leptos::prelude::use_context;
use serde::{Deserialize, Serialize};
use tower_sessions::{Session, session::Error as SessionError};

const KEY: &str = "one_time";

#[derive(Serialize, Deserialize)]
struct Kept {
    page: String,
    label: String,
    sealed: Vec<u8>,
    salt: String,
}

/// A secret for a page to show, and what it is.
#[derive(Clone)]
pub struct OneTime {
    pub label: String,
    pub secret: String,
}

/// Leaves a secret for the page at a path, which shows it once.
pub async fn keep(
    session: &Session,
    page: &str,
    label: &str,
    secret: &str,
    now: Millis,
) -> Result<(), SessionError> {
    let salt = format!("{now} {page}");
    let kept = Kept {
        page: page.to_owned(),
        label: label.to_owned(),
        sealed: sealed(session, &salt, secret.as_bytes()),
        salt,
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
    let secret = String::from_utf8(sealed(&session, &kept.salt, &kept.sealed)).ok()?;
    Some(OneTime {
        label: kept.label,
        secret,
    })
}

/// Adds a stream of bytes that only the cookie's value gives; doing it twice gives the bytes back. The salt differs for
/// each secret, so no stream is used for two.
fn sealed(session: &Session, salt: &str, bytes: &[u8]) -> Vec<u8> {
    let cookie = session.id().map(|id| id.to_string()).unwrap_or_default();
    bytes
        .chunks(32)
        .enumerate()
        .flat_map(|(block, chunk)| {
            let stream = Digest::of(format!("one-time {block} {salt} {cookie}").as_bytes());
            let stream: Vec<u8> = (0..64)
                .step_by(2)
                .map(|at| u8::from_str_radix(&stream.as_str()[at..at + 2], 16).unwrap_or_default())
                .collect();
            chunk
                .iter()
                .zip(stream)
                .map(|(byte, with)| byte ^ with)
                .collect::<Vec<_>>()
        })
        .collect()
}
