//! What goes wrong outside of pages becomes a page or problem JSON (RFC 9457), here and nowhere else.

use std::{any::Any, borrow::Cow};

use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{Html, IntoResponse, Redirect, Response},
};
use holdpoint_app::{
    actions::ActionError,
    pages::errors::{Fault, FaultOfAction, document},
    paths,
    visit::Visit,
};
use holdpoint_service::{Conflict, Failure, ServiceError};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;
use thiserror::Error;

use super::{AppState, log::RequestId};

/// Why a handler could not do what was asked.
#[derive(Debug, Error)]
pub(crate) enum WebError {
    #[error("nobody is signed in")]
    SignedOut,
    /// The API was called without a token.
    #[error("no token was sent")]
    NoToken,
    /// The API was called with a token that is not taken; the text says why.
    #[error("{0}")]
    BadToken(String),
    #[error("{0} was not found")]
    NotFound(&'static str),
    #[error("{0}")]
    Forbidden(String),
    #[error("{message}")]
    Rejected {
        field: &'static str,
        message: String,
    },
    /// As `Rejected`, where the field's name is known only now: a path into a JSON body, a parameter of an address.
    #[error("{message}")]
    Field { field: String, message: String },
    #[error("{message}")]
    TooOften { message: String, seconds: i64 },
    #[error("{}", .0.message)]
    Conflict(Box<Conflict>),
    /// What a preview rested on is not what there is now; with the preview of now.
    #[error("{message}")]
    GroundMoved {
        message: String,
        preview: serde_json::Value,
    },
    /// Two people could collide, and the request does not say which version it is made over.
    #[error("no version was sent")]
    NoVersion,
    /// The body is of a kind that is not taken here; the text says which are.
    #[error("{0}")]
    UnsupportedMedia(String),
    /// The request itself cannot be read; the text says where.
    #[error("{0}")]
    Malformed(String),
    /// The request itself cannot be read.
    #[error("{0}")]
    BadRequest(&'static str),
    /// More than is taken; the text says how much is.
    #[error("{0}")]
    TooLarge(String),
    #[error("Holdpoint cannot do this now")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The same, where the cause is in the log already; with what was typed into the form.
    #[error("Holdpoint cannot do this now")]
    Failed(Failure, Vec<(String, String)>),
}

impl From<ServiceError> for WebError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::NotFound(what) => Self::NotFound(what),
            ServiceError::Forbidden(message) => Self::Forbidden(message),
            ServiceError::Rejected { field, message } => Self::Rejected { field, message },
            ServiceError::TooOften { message, seconds } => Self::TooOften { message, seconds },
            ServiceError::Conflict(conflict) => Self::Conflict(conflict),
            ServiceError::Unavailable(cause) => Self::Unavailable(cause),
        }
    }
}

/// What a response says went wrong, on its way out to the layer that writes it down.
#[derive(Clone, Debug)]
struct Problem {
    /// The stable last part of the problem's type.
    kind: &'static str,
    field: Option<Cow<'static, str>>,
    /// The version that is stored, for conflicts.
    version: Option<i64>,
    /// What would be done now, where something else had been seen.
    preview: Option<serde_json::Value>,
    fault: Fault,
}

/// When what is away or busy is worth another try.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// Which way of proving who one is the API takes (RFC 6750).
const BEARER: HeaderValue = HeaderValue::from_static("Bearer realm=\"Holdpoint\"");
const BEARER_REFUSED: HeaderValue =
    HeaderValue::from_static("Bearer realm=\"Holdpoint\", error=\"invalid_token\"");

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let mut retry_after = None;
        let mut version = None;
        let mut preview = None;
        let mut authenticate = None;
        let (kind, field, fault) = match self {
            Self::NoToken => {
                authenticate = Some(BEARER);
                let text = "Send a token in the header `Authorization: Bearer hp_…`. You make one on your account page, or \
                            with `holdpoint token create`.";
                (
                    "no-token",
                    None,
                    Fault::new(StatusCode::UNAUTHORIZED, "There is no token", text),
                )
            }
            Self::BadToken(message) => {
                authenticate = Some(BEARER_REFUSED);
                (
                    "bad-token",
                    None,
                    Fault::new(StatusCode::UNAUTHORIZED, "This token is not taken", message),
                )
            }
            Self::NoVersion => {
                let text = "Send the version that you saw in the header If-Match, as the answer's ETag had it. So nobody's \
                            change is overwritten.";
                (
                    "no-version",
                    Some("If-Match".into()),
                    Fault::new(
                        StatusCode::PRECONDITION_REQUIRED,
                        "The version is missing",
                        text,
                    ),
                )
            }
            Self::UnsupportedMedia(message) => (
                "unsupported-media-type",
                None,
                Fault::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "This kind of body is not taken here",
                    message,
                ),
            ),
            Self::Malformed(message) => ("bad-request", None, bad_request(&message)),
            Self::Field { field, message } => (
                "rejected",
                Some(field.into()).filter(|field: &Cow<'_, str>| !field.is_empty()),
                rejected(message),
            ),
            Self::SignedOut => ("signed-out", None, signed_out()),
            Self::NotFound(what) => ("not-found", None, Fault::not_found(what)),
            Self::Forbidden(message) => ("forbidden", None, Fault::forbidden(message)),
            Self::Rejected { field, message } => {
                let field = Some(field).filter(|field| !field.is_empty());
                ("rejected", field.map(Cow::Borrowed), rejected(message))
            }
            Self::TooOften { message, seconds } => {
                retry_after = Some(seconds);
                ("too-often", None, Fault::too_often(message))
            }
            Self::Conflict(conflict) => {
                version = Some(conflict.current_version).filter(|version| *version > 0);
                ("conflict", None, Fault::conflict(*conflict))
            }
            Self::GroundMoved {
                message,
                preview: now,
            } => {
                preview = Some(now);
                let title = "Not imported: this would do something else now";
                (
                    "ground-moved",
                    Some("ground".into()),
                    Fault::new(StatusCode::CONFLICT, title, message),
                )
            }
            Self::BadRequest(message) => ("bad-request", None, bad_request(message)),
            Self::TooLarge(message) => (
                "too-large",
                None,
                Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "This is too large", message),
            ),
            Self::Unavailable(cause) => {
                tracing::error!(
                    error = &*cause as &dyn std::error::Error,
                    "a request failed"
                );
                failed(Failure::of(&*cause))
            }
            Self::Failed(failure, typed) => {
                let (kind, field, fault) = failed(failure);
                (kind, field, fault.with_typed(typed))
            }
        };
        let mut response = fault.status.into_response();
        if let Some(seconds) = retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.max(1).into());
        }
        if let Some(value) = authenticate {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, value);
        }
        response.extensions_mut().insert(Problem {
            kind,
            field,
            version,
            preview,
            fault,
        });
        response
    }
}

fn failed(failure: Failure) -> (&'static str, Option<Cow<'static, str>>, Fault) {
    (kind_of(failure), None, Fault::failed(failure))
}

/// By the last part of the problem's type, scripts tell what they can do about it.
const fn kind_of(failure: Failure) -> &'static str {
    match failure {
        Failure::Away => "database-away",
        Failure::Busy => "busy",
        Failure::Full => "disk-full",
        Failure::Damaged => "damaged",
        Failure::Unanswered => "unanswered",
        Failure::Other => "unavailable",
    }
}

fn rejected(message: String) -> Fault {
    Fault::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "This cannot be done as it stands",
        message,
    )
}

fn bad_request(message: &str) -> Fault {
    Fault::new(
        StatusCode::BAD_REQUEST,
        "This request cannot be read",
        message,
    )
}

/// What is left of a handler that panicked. The panic's own words are for the log.
pub(super) fn panicked(cause: Box<dyn Any + Send>) -> Response {
    let words = cause
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without words");
    WebError::Unavailable(format!("panicked: {words}").into()).into_response()
}

/// Writes down what went wrong, for people or for machines; bare statuses that layers and extractors gave too.
pub(super) async fn dress(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let for_machines = wants_json(request.uri().path(), request.headers());
    let is_get = request.method() == http::Method::GET;
    let address = request
        .uri()
        .path_and_query()
        .map(ToString::to_string)
        .unwrap_or_default();
    let request_id = request
        .extensions()
        .get::<RequestId>()
        .map(|id| id.0.to_string())
        .unwrap_or_default();
    let is_action = request.uri().path().starts_with(paths::ACTIONS);
    let of_action = FaultOfAction::default();
    request.extensions_mut().insert(of_action.clone());
    let visit = Visit {
        address: address.clone(),
        request_id,
        ..Visit::default()
    };

    let mut response = next.run(request).await;
    let status = response.status();
    let problem = response.extensions_mut().remove::<Problem>();
    // A form that could not even be read is sent back by leptos to the page before, with the reason in the address.
    let unreadable = is_action
        && !for_machines
        && status.is_redirection()
        && response
            .headers()
            .get(header::LOCATION)
            .is_some_and(|to| to.as_bytes().windows(6).any(|at| at == b"__err="));
    let problem = match (problem, of_action.take()) {
        (_, Some((failure, fault))) => Problem {
            kind: kind_of(failure),
            field: None,
            version: None,
            preview: None,
            fault,
        },
        (Some(problem), None) => problem,
        (None, None) if is_action && status == StatusCode::INTERNAL_SERVER_ERROR => {
            let body = std::mem::take(response.body_mut());
            let body = axum::body::to_bytes(body, 64 * 1024).await;
            of_action_error(&body.unwrap_or_default())
        }
        (None, None) if unreadable => Problem {
            kind: "bad-request",
            field: None,
            version: None,
            preview: None,
            fault: bad_request(
                "The form was not complete or too large, and nothing was changed. Go back and send it again.",
            ),
        },
        (None, None) if is_bare(&response, for_machines) => bare(status, is_get),
        (None, None) => return with_retry(response),
    };
    if problem.kind == "signed-out" && !for_machines {
        // The action knows the page that its form was on.
        let to = response.headers().get(header::LOCATION);
        let to = to.and_then(|to| to.to_str().ok()).map(str::to_owned);
        if let Some(to) = is_get.then(|| paths::sign_in_to(&address)).or(to) {
            return Redirect::to(&to).into_response();
        }
    }
    let status = problem.fault.status;
    let mut dressed = if for_machines {
        machine(problem, &visit.request_id).into_response()
    } else {
        Html(document(problem.fault, state.site.clone(), visit)).into_response()
    };
    *dressed.status_mut() = status;
    if for_machines {
        dressed.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
    }
    // What else was said stays: Allow, Retry-After, cookies.
    for (name, value) in response.headers() {
        if ![
            header::CONTENT_TYPE,
            header::CONTENT_LENGTH,
            header::LOCATION,
            header::CONTENT_ENCODING,
        ]
        .contains(name)
        {
            dressed.headers_mut().append(name.clone(), value.clone());
        }
    }
    with_retry(dressed)
}

/// Says when to try again, wherever that is worth it: pages too.
fn with_retry(mut response: Response) -> Response {
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response
            .headers_mut()
            .entry(header::RETRY_AFTER)
            .or_insert(RETRY_AFTER_SECONDS);
    }
    response
}

/// What a form's action said where it led nowhere: every error of one is a 500, whatever it is about.
fn of_action_error(body: &[u8]) -> Problem {
    let (kind, fault) = match serde_json::from_slice(body) {
        Ok(ActionError::SignedOut) => ("signed-out", signed_out()),
        Ok(ActionError::Request(_)) => (
            "bad-request",
            bad_request("The form was not complete or too large, and nothing was changed."),
        ),
        Ok(ActionError::Unavailable) | Err(_) => {
            (kind_of(Failure::Other), Fault::failed(Failure::Other))
        }
    };
    Problem {
        kind,
        field: None,
        version: None,
        preview: None,
        fault,
    }
}

fn signed_out() -> Fault {
    let text = "Sign in, or send a token in the Authorization header.";
    Fault::new(StatusCode::UNAUTHORIZED, "You are not signed in", text)
}

/// Machines are told apart by address, or by what they accept.
fn wants_json(path: &str, headers: &HeaderMap) -> bool {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    path.starts_with("/api/") || (accept.contains("json") && !accept.contains("text/html"))
}

/// An error without words of its own: a status from a layer, plain text from an extractor, a page where a machine asked.
fn is_bare(response: &Response<Body>, for_machines: bool) -> bool {
    let status = response.status();
    let content = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let is_error = status.is_client_error() || status.is_server_error();
    let is_meant = response.extensions().get::<Plain>().is_some();
    is_error
        && !is_meant
        && !content.contains("json")
        && (for_machines || !content.contains("html"))
}

/// Marks an error in plain text as meant: health checks are read by programs that want nothing else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plain;

fn bare(status: StatusCode, is_get: bool) -> Problem {
    let (kind, title, text) = match status {
        StatusCode::NOT_FOUND => {
            return Problem {
                kind: "not-found",
                field: None,
                version: None,
                preview: None,
                fault: Fault::not_found("This page"),
            };
        }
        StatusCode::METHOD_NOT_ALLOWED => (
            "method-not-allowed",
            "This address does not take that",
            "Open the page and use its form. What the API takes is in /api/v1/openapi.json.",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => (
            "too-large",
            "This is too large",
            "Nothing was stored. Send less at once, or upload it as a file.",
        ),
        StatusCode::TOO_MANY_REQUESTS => (
            "too-often",
            "Too many tries",
            "Wait a few minutes, then try again.",
        ),
        StatusCode::REQUEST_TIMEOUT
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => (
            "too-slow",
            "This took too long",
            if is_get {
                "It was given up. Try again in a moment."
            } else {
                "It was given up, and it is not known how far it came. Look whether it was done before you send it again."
            },
        ),
        status if status.is_server_error() => {
            return Problem {
                kind: "unavailable",
                field: None,
                version: None,
                preview: None,
                fault: Fault {
                    status,
                    ..Fault::failed(Failure::Other)
                },
            };
        }
        _ => (
            "bad-request",
            "This request cannot be read",
            "Nothing was changed. Go back and try again.",
        ),
    };
    Problem {
        kind,
        field: None,
        version: None,
        preview: None,
        fault: Fault::new(status, title, text),
    }
}

fn machine(problem: Problem, request_id: &str) -> Json<serde_json::Value> {
    let Problem {
        kind,
        field,
        version,
        preview,
        fault,
    } = problem;
    let mut problem = json!({
        "type": format!("/problems/{kind}"),
        "title": fault.title,
        "status": fault.status.as_u16(),
        "detail": fault.text,
        "instance": request_id,
    });
    if let Some(field) = field {
        problem["field"] = json!(field);
    }
    if let Some(version) = version {
        problem["version"] = json!(version);
    }
    if !fault.versions.is_empty() {
        let versions = fault
            .versions
            .iter()
            .map(|(field, sent, stored)| json!({"field": field, "sent": sent, "stored": stored}));
        problem["versions"] = versions.collect();
    }
    if let Some(preview) = preview {
        problem["preview"] = preview;
    }
    Json(problem)
}
