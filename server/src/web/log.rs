//! One line in the log for each request, under a number that its error pages show too.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::Arc,
    time::Instant,
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use holdpoint_service::commits;
use http::HeaderValue;
use tracing::Instrument as _;

use super::AppState;

/// The number of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestId(pub(crate) Arc<str>);

const HEADER: &str = "x-request-id";

/// Numbers the request, logs its end, and tells the client the number.
pub(super) async fn request(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let given = request
        .headers()
        .get(HEADER)
        .filter(|_| state.settings.trusted_proxies.sent(request.extensions()))
        .and_then(|id| id.to_str().ok());
    let id: Arc<str> = given
        .filter(|id| is_plain(id))
        .map_or_else(new_id, ToOwned::to_owned)
        .into();
    let span = tracing::info_span!("request", id = &*id, method = %request.method(), path = shown_path(request.uri().path()));
    request.extensions_mut().insert(RequestId(id.clone()));
    async move {
        let started = Instant::now();
        let mut response = commits::watch(next.run(request)).await;
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(HEADER, value);
        }
        let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            status = response.status().as_u16(),
            milliseconds,
            "answered"
        );
        response
    }
    .instrument(span)
    .await
}

/// Numbers of requests need to differ, not to be secret.
fn new_id() -> String {
    let random = RandomState::new().build_hasher().finish();
    format!("hp-{:010x}", random & 0xff_ffff_ffff)
}

fn is_plain(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The path without the secrets that one-time links carry. The query is never logged.
fn shown_path(path: &str) -> String {
    for folder in ["/set-up/", "/invitations/", "/reset-password/"] {
        if path.starts_with(folder) {
            return format!("{folder}…");
        }
    }
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_time_links_are_not_logged() {
        assert_eq!(shown_path("/set-up/s3cret"), "/set-up/…");
        assert_eq!(shown_path("/invitations/s3cret/x"), "/invitations/…");
        assert_eq!(shown_path("/reset-password/s3cret"), "/reset-password/…");
        assert_eq!(shown_path("/reviews/1"), "/reviews/1");
    }

    #[test]
    fn numbers_differ_and_can_be_read_out() {
        let (one, two) = (new_id(), new_id());
        assert_ne!(one, two);
        assert!(is_plain(&one) && one.len() == 13, "{one}");
        assert!(!is_plain("a\nb") && !is_plain(""));
    }
}
