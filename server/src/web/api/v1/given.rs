//! What goes out: JSON with its version, parts of lists, moments; and the answers of repeated requests.

use std::future::Future;

use axum::{
    Json,
    response::{IntoResponse as _, Response},
};
use holdpoint_domain::{Digest, Millis};
use holdpoint_service::{Repeat, ServiceError, Services};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use utoipa::ToSchema;

use super::asked::{self, Key};
use crate::web::{WebError, api_caller::ApiCaller};

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Part<T> {
    pub(super) entries: Vec<T>,
    /// To be sent as `cursor` for the next part; null at the end.
    pub(super) next_cursor: Option<String>,
}

impl<T: Serialize> Part<T> {
    /// All entries of a list that is never long.
    pub(super) fn whole(entries: Vec<T>) -> Self {
        Self {
            entries,
            next_cursor: None,
        }
    }

    /// So many of all entries, after the one with this id.
    pub(super) fn of<Entry, Id: PartialEq + ToString>(
        mut all: Vec<Entry>,
        (limit, after): (usize, Option<Id>),
        id: impl Fn(&Entry) -> &Id,
        show: impl FnMut(Entry) -> T,
    ) -> Result<Self, WebError> {
        if let Some(after) = after {
            let at = all.iter().position(|entry| *id(entry) == after);
            all.drain(..=at.ok_or_else(asked::wrong_cursor)?);
        }
        let more = all.len() > limit;
        all.truncate(limit);
        let last = all.last().filter(|_| more);
        Ok(Self {
            next_cursor: last.map(|last| id(last).to_string()),
            entries: all.into_iter().map(show).collect(),
        })
    }

    pub(super) fn answer(&self) -> Result<Response, WebError> {
        Ok(Given::ok(self)?.answer())
    }
}

/// A moment as RFC 3339 writes it, in UTC with milliseconds.
pub(super) fn moment(millis: Millis) -> String {
    let nanos = i128::from(millis) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .ok()
        .and_then(|moment| moment.format(&Rfc3339).ok())
        .unwrap_or_default()
}

/// Reads a moment that was written so.
pub(super) fn parse_moment(text: &str) -> Option<Millis> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    Millis::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok()
}

/// An answer of JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Given {
    #[serde(skip)]
    status: StatusCode,
    location: Option<String>,
    version: Option<i64>,
    body: Value,
}

impl Given {
    pub(super) fn ok(body: &impl Serialize) -> Result<Self, WebError> {
        let body = serde_json::to_value(body).map_err(ServiceError::unavailable)?;
        Ok(Self {
            status: StatusCode::OK,
            location: None,
            version: None,
            body,
        })
    }

    /// Something was made; it is at this path below the API's root.
    pub(super) fn created(path: String, body: &impl Serialize) -> Result<Self, WebError> {
        Ok(Self {
            status: StatusCode::CREATED,
            location: Some(format!("{}{path}", super::ROOT)),
            ..Self::ok(body)?
        })
    }

    /// The version that a change of this has to name.
    pub(super) fn version(self, version: i64) -> Self {
        Self {
            version: Some(version),
            ..self
        }
    }

    pub(super) fn answer(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        let headers = response.headers_mut();
        let location = self.location.and_then(|to| HeaderValue::try_from(to).ok());
        if let Some(location) = location {
            headers.insert(header::LOCATION, location);
        }
        if let Some(version) = self.version {
            headers.insert(header::ETAG, etag(version));
        }
        response
    }
}

fn etag(version: i64) -> HeaderValue {
    HeaderValue::try_from(format!("\"{version}\"")).expect("a number in quotes is a header's value")
}

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Does what was asked once, however often the same request comes with the same key, and answers alike each time. A refusal
/// is not kept: the request may be mended and sent again.
pub(super) async fn once(
    services: &Services,
    caller: &ApiCaller,
    Key(key): &Key,
    digest: &Digest,
    work: impl Future<Output = Result<Given, WebError>>,
) -> Result<Response, WebError> {
    let Some(key) = key else {
        return Ok(work.await?.answer());
    };
    match services.claim_key(caller, key, digest).await? {
        Repeat::Again { status, body } => {
            let given: Given = serde_json::from_str(&body).map_err(ServiceError::unavailable)?;
            let status = StatusCode::from_u16(status).map_err(ServiceError::unavailable)?;
            let mut response = Given { status, ..given }.answer();
            let headers = response.headers_mut();
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
            Ok(response)
        }
        Repeat::First => match work.await {
            Ok(given) => {
                let kept = serde_json::to_string(&given).map_err(ServiceError::unavailable)?;
                // The work is done: that its answer could not be kept must not make it look undone.
                if let Err(error) = services
                    .keep_answer(caller, key, given.status.as_u16(), &kept)
                    .await
                {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "an answer was not kept"
                    );
                }
                Ok(given.answer())
            }
            Err(refused) => {
                if let Err(error) = services.release_key(caller, key).await {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "a key was not released"
                    );
                }
                Err(refused)
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_as_it_was_written() {
        assert_eq!(moment(1_769_610_660_123), "2026-01-28T14:31:00.123Z");
        assert_eq!(
            parse_moment(&moment(1_769_610_660_123)),
            Some(1_769_610_660_123)
        );
        assert_eq!(parse_moment("2026-01-28"), None);
    }
}
