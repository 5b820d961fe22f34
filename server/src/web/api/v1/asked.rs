//! What comes in: JSON bodies, parameters, versions, keys of repeated requests; each refused where it is wrong.

use std::{convert::Infallible, fmt::Display};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::request::Parts,
};
use holdpoint_domain::{
    Digest,
    text::{Commit, Date},
};
use holdpoint_service::ServiceError;
use http::{HeaderMap, Method, StatusCode, Uri, header};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use utoipa::IntoParams;

use crate::web::WebError;
pub(super) use crate::web::id::{Id, id};

/// The largest part of a list.
pub(super) const MOST_AT_ONCE: usize = 200;
const USUALLY_AT_ONCE: usize = 50;

/// A body of JSON. Unknown fields and wrong types are refused with the field's name.
#[derive(Debug)]
pub(super) struct Json<T> {
    pub(super) value: T,
    /// Over method, address and body: what tells a repeated request from another one.
    pub(super) digest: Digest,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = WebError;

    async fn from_request(request: Request, state: &S) -> Result<Self, WebError> {
        if !is_json(request.headers()) {
            return Err(WebError::UnsupportedMedia(
                "Send JSON, with the header `Content-Type: application/json`.".to_owned(),
            ));
        }
        let target = Target::of(request.method(), request.uri());
        let body = bytes(request, state, super::MAX_JSON_BYTES).await?;
        let value = parse(&body)?;
        Ok(Self {
            value,
            digest: target.with_body(&body),
        })
    }
}

pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let kind = media_type(headers);
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// The body's kind, in lower case and without parameters; empty if nobody says it.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|kind| kind.trim().to_ascii_lowercase())
        .unwrap_or_default()
}

/// A whole body in memory, of at most so many bytes.
pub(super) async fn bytes<S: Send + Sync>(
    request: Request,
    state: &S,
    most: usize,
) -> Result<Bytes, WebError> {
    let too_large = || {
        WebError::TooLarge(format!(
            "The body has more than {most} bytes, which is the most that is taken here. Nothing was stored."
        ))
    };
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > most as u64) {
        return Err(too_large());
    }
    let body = Bytes::from_request(request, state)
        .await
        .map_err(|refused| match refused.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_large(),
            _ => WebError::Malformed("The body broke off. Nothing was stored.".to_owned()),
        })?;
    if body.len() > most {
        return Err(too_large());
    }
    Ok(body)
}

/// Where a request goes. With the digest of its body that tells a repeated request from another one.
#[derive(Debug)]
pub(super) struct Target(String);

impl Target {
    fn of(method: &Method, uri: &Uri) -> Self {
        let address = uri.path_and_query().map_or("", |address| address.as_str());
        Self(format!("{method}\n{address}"))
    }

    pub(super) fn with(&self, body: &Digest) -> Digest {
        Digest::of(format!("{}\n{body}", self.0).as_bytes())
    }

    pub(super) fn with_body(&self, body: &[u8]) -> Digest {
        self.with(&Digest::of(body))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Target {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.method, &parts.uri))
    }
}

/// Reads JSON. What cannot be read as JSON at all is malformed; what does not fit is refused at its field.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, WebError> {
    // A list would pass for an object whose fields come in order.
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(WebError::Field {
            field: String::new(),
            message: "Send one JSON object, in braces.".to_owned(),
        });
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        if error.is_data() {
            let (field, message) = at_field(&path, &without_place(&error.to_string()));
            return WebError::Field { field, message };
        }
        let place = format!("line {}, column {}", error.line(), error.column());
        let what = without_place(&error.to_string());
        WebError::Malformed(format!("This is no JSON: {what} at {place}."))
    })?;
    json.end().map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        WebError::Malformed(format!("There is more after the JSON value, at {place}."))
    })?;
    Ok(value)
}

fn without_place(message: &str) -> String {
    message
        .rsplit_once(" at line ")
        .map_or(message, |(message, _)| message)
        .to_owned()
}

/// The field that a message of serde is about, and the message as a sentence. An unknown, missing or repeated field stands in
/// the message, everything else in the path.
fn at_field(path: &str, message: &str) -> (String, String) {
    let path = if path == "." { "" } else { path };
    let named = ["unknown field `", "missing field `", "duplicate field `"]
        .iter()
        .find_map(|begins| message.strip_prefix(begins)?.split_once('`'))
        .map(|(name, _)| name);
    let field = match (path, named) {
        ("", Some(name)) => name.to_owned(),
        (path, Some(name)) if path == name || path.ends_with(&format!(".{name}")) => {
            path.to_owned()
        }
        (path, Some(name)) => format!("{path}.{name}"),
        (path, None) => path.to_owned(),
    };
    let field: String = field.chars().take(200).collect();
    let message: String = message.chars().take(1_000).collect();
    let message = match named {
        Some(_) if message.starts_with("unknown") => format!("There is an {message}."),
        Some(_) if message.starts_with("missing") => format!("There is a {message}."),
        Some(_) => format!("There is a {message}; send it once."),
        None => format!("This does not fit: {message}."),
    };
    (field, message)
}

/// The parameters of an address. Unknown and repeated ones are refused with their name.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, WebError> {
        let read = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        read.map(|query| Self(query.0)).map_err(|refused| {
            let text = refused.body_text();
            let message = text
                .strip_prefix("Failed to deserialize query string: ")
                .unwrap_or(&text);
            let (path, message) = match message.split_once(": ") {
                Some((path, message)) if !path.contains(' ') => (path, message),
                _ => ("", message),
            };
            let (field, message) = at_field(path, message);
            let message = message.replace("field `", "parameter `");
            WebError::Field { field, message }
        })
    }
}

/// The version that a change was made over, from `If-Match`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IfMatch(pub(super) i64);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, WebError> {
        let header = parts
            .headers
            .get(header::IF_MATCH)
            .ok_or(WebError::NoVersion)?;
        let text = header.to_str().unwrap_or_default().trim();
        let tag = text.strip_prefix("W/").unwrap_or(text);
        let tag = tag
            .strip_prefix('"')
            .and_then(|tag| tag.strip_suffix('"'))
            .unwrap_or(tag);
        tag.parse()
            .ok()
            .filter(|version| *version > 0)
            .map(Self)
            .ok_or_else(|| WebError::Field {
                field: "If-Match".to_owned(),
                message: "Send the one version that you saw, as the answer's ETag had it: `If-Match: \"3\"`.".to_owned(),
            })
    }
}

/// What the client calls this request, from `Idempotency-Key`, if it wants to be able to repeat it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key(pub(super) Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, WebError> {
        let Some(key) = parts.headers.get("idempotency-key") else {
            return Ok(Self(None));
        };
        // What is no text is refused with the words for a wrong key.
        Ok(Self(Some(key.to_str().unwrap_or_default().to_owned())))
    }
}

/// The part of a list that is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WhichPart {
    /// From 1 to 200; 50 if not given.
    limit: Option<String>,
    /// `next_cursor` of the part before.
    cursor: Option<String>,
}

impl WhichPart {
    /// How many entries, and the one behind which they begin.
    pub(super) fn place<T>(
        &self,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<(usize, Option<T>), WebError> {
        let limit = limit(self.limit.as_deref())?;
        Ok((limit, cursor(self.cursor.as_deref(), parse)?))
    }
}

/// How many entries of a list are asked for.
pub(super) fn limit(text: Option<&str>) -> Result<usize, WebError> {
    let Some(text) = text else {
        return Ok(USUALLY_AT_ONCE);
    };
    text.parse()
        .ok()
        .filter(|limit| (1..=MOST_AT_ONCE).contains(limit))
        .ok_or_else(|| WebError::Rejected {
            field: "limit",
            message: format!("Write a whole number from 1 to {MOST_AT_ONCE}."),
        })
}

pub(super) fn wrong_cursor() -> WebError {
    WebError::Rejected {
        field: "cursor",
        message:
            "Send `next_cursor` of the answer before as it was, or leave it out for the beginning."
                .to_owned(),
    }
}

/// Reads the place where a list goes on.
pub(super) fn cursor<T>(
    text: Option<&str>,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, WebError> {
    text.map(|text| parse(text).ok_or_else(wrong_cursor))
        .transpose()
}

/// A parameter that is `true` or `false`.
pub(super) fn flag(field: &'static str, text: Option<&str>) -> Result<bool, WebError> {
    match text {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(WebError::Rejected {
            field,
            message: "Write true or false.".to_owned(),
        }),
    }
}

/// What may be left out, read at its field.
pub(super) fn optional<T, E: Display>(
    field: &'static str,
    text: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, WebError> {
    let read = text.map(parse).transpose();
    Ok(read.map_err(ServiceError::at(field))?)
}

/// As [`optional`], where an empty text is none.
pub(super) fn filled<T, E: Display>(
    field: &'static str,
    text: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, WebError> {
    optional(field, text.filter(|text| !text.is_empty()), parse)
}

pub(super) fn commit(text: Option<&str>) -> Result<Option<Commit>, WebError> {
    filled("commit", text, Commit::parse)
}

pub(super) fn date(field: &'static str, text: Option<&str>) -> Result<Option<Date>, WebError> {
    optional(field, text, Date::parse)
}

/// Tells a field that is `null` (`Some(None)`) from one that is not there (`None`, by `#[serde(default)]`).
#[expect(
    clippy::option_option,
    reason = "absent and null mean different things in a change"
)]
pub(super) fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Outer {
        n: i64,
        inner: Inner,
        #[serde(deserialize_with = "nullable")]
        owner: Option<Option<String>>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only read in")]
        list: Vec<bool>,
    }

    fn field(body: &str) -> String {
        match parse::<Outer>(body.as_bytes()) {
            Err(WebError::Field { field, message }) => {
                assert!(
                    message.ends_with('.') && !message.contains(" line "),
                    "{message}"
                );
                field
            }
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_at_its_field() {
        assert_eq!(field(r#"{"m": 1}"#), "m");
        assert_eq!(field(r#"{"n": "1"}"#), "n");
        assert_eq!(field(r#"{"n": 1.5}"#), "n");
        assert_eq!(field(r#"{"n": 1, "n": 2}"#), "n");
        assert_eq!(field(r#"{"inner": {}}"#), "inner.list");
        assert_eq!(field(r#"{"inner": {"list": [true, 1]}}"#), "inner.list[1]");
        assert_eq!(field(r#"{"inner": {"list": [], "x": 1}}"#), "inner.x");
        assert_eq!(field("[]"), "");
    }

    #[test]
    fn what_is_no_json_is_malformed_with_its_place() {
        for body in ["", "{", "{\"n\": 1} x", "\u{feff}{}", "{\"n\": 01}"] {
            match parse::<Outer>(body.as_bytes()) {
                Err(WebError::Malformed(message)) => {
                    assert!(message.contains("line "), "{message}");
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(parse::<Outer>(b"\xff").is_err());
    }

    #[test]
    fn null_is_not_the_same_as_absent() {
        let owner = |body: &str| parse::<Outer>(body.as_bytes()).unwrap().owner;
        assert_eq!(owner("{}"), None);
        assert_eq!(owner(r#"{"owner": null}"#), Some(None));
        assert_eq!(owner(r#"{"owner": "ana"}"#), Some(Some("ana".to_owned())));
    }
}
