//! What goes out: JSON with its version, parts of lists, files, moments; and the answers of repeated requests.

use std::future::Future;

use axum::{
    Json,
    body::Body,
    response::{IntoResponse as _, Response},
};
use holdpoint_domain::{Digest, Millis};
use holdpoint_service::{Repeat, ServiceError, Services};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio_util::io::ReaderStream;
use utoipa::ToSchema;

use super::asked::Key;
use crate::web::{WebError, api_caller::ApiCaller};

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Part<T> {
    pub(super) entries: Vec<T>,
    /// To be sent as `cursor` for the next part; null at the end.
    pub(super) next_cursor: Option<String>,
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

/// Bytes under a file name, to be saved rather than shown.
pub(super) fn bytes(media_type: &'static str, name: &str, bytes: Vec<u8>) -> Response {
    attachment(media_type, name, Body::from(bytes))
}

/// A stored file whose digest was just checked, as a stream.
pub(super) async fn stored_file(
    services: &Services,
    sha256: &Digest,
    name: &str,
) -> Result<Response, WebError> {
    let file = tokio::fs::File::open(services.files().path(sha256))
        .await
        .map_err(ServiceError::unavailable)?;
    stream(file, "application/octet-stream", name, Some(sha256)).await
}

/// An open file as a stream.
pub(super) async fn stream(
    file: tokio::fs::File,
    media_type: &'static str,
    name: &str,
    sha256: Option<&Digest>,
) -> Result<Response, WebError> {
    let size = file
        .metadata()
        .await
        .map_err(ServiceError::unavailable)?
        .len();
    let body = Body::from_stream(ReaderStream::with_capacity(file, 64 * 1024));
    let mut response = attachment(media_type, name, body);
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, size.into());
    if let Some(sha256) = sha256 {
        let tag = HeaderValue::try_from(format!("\"{sha256}\""))
            .expect("a digest in quotes is a header's value");
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

fn attachment(media_type: &'static str, name: &str, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CONTENT_DISPOSITION, disposition(name));
    // Nothing of a file runs in the application's origin, whatever a browser makes of it.
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    );
    response
}

/// The name for old clients without anything that they could stumble over, and the whole name (RFC 6266).
fn disposition(name: &str) -> HeaderValue {
    let plain: String = name
        .chars()
        .map(|c| {
            let fits = c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ');
            if fits { c } else { '_' }
        })
        .collect();
    let mut value = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_".contains(&byte) {
            value.push(char::from(byte));
        } else {
            value.push_str(&format!("%{byte:02X}"));
        }
    }
    HeaderValue::try_from(value).expect("letters, digits, and percent signs fit a header")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_cannot_leave_its_header() {
        let value = disposition("a\"; evil=\"\r\nX: ü.md");
        assert_eq!(
            value.to_str().unwrap(),
            "attachment; filename=\"a__ evil____X_ _.md\"; filename*=UTF-8''a%22%3B%20evil%3D%22%0D%0AX%3A%20%C3%BC.md"
        );
    }

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
