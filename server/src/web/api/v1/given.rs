//! What goes out: JSON with its version, parts of lists, moments; and the answers of repeated requests.

use axum::{
    Json,
    response::{IntoResponse as _, Response},
};
use holdpoint_domain::{Digest, Millis};
use holdpoint_service::{Once, RequestAnswer, ServiceError, Services};
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

/// Does what was asked as one unit of work, with the services that `work` is given, and once, however often the same request
/// comes with the same key: it is answered alike each time. A refusal is not kept: the request may be mended and sent again.
pub(super) async fn once<F>(
    services: &Services,
    caller: &ApiCaller,
    Key(key): &Key,
    digest: &Digest,
    work: impl Fn(Services) -> F,
) -> Result<Response, WebError>
where
    F: Future<Output = Result<Given, WebError>>,
{
    let key = key.as_deref().map(|key| (key, digest));
    let work = |services| {
        let work = work(services);
        async {
            let given = work.await?;
            Ok::<_, WebError>(RequestAnswer {
                status: given.status.as_u16(),
                body: serde_json::to_string(&given).map_err(ServiceError::unavailable)?,
            })
        }
    };
    let (answer, is_replayed) = match services.once(caller, key, work).await? {
        Once::Now(answer) => (answer, false),
        Once::Again(answer) => (answer, true),
    };
    let given: Given = serde_json::from_str(&answer.body).map_err(ServiceError::unavailable)?;
    let status = StatusCode::from_u16(answer.status).map_err(ServiceError::unavailable)?;
    let mut response = Given { status, ..given }.answer();
    if is_replayed {
        let headers = response.headers_mut();
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
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
