//! Whether the process lives, and whether it can work.

use axum::{
    Extension, Router, extract::State, http::StatusCode, response::IntoResponse, routing::get,
};
use holdpoint_service::Services;

use super::{AppState, error::Plain};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
}

/// Ready means that the database answers and takes a write, that the evidence folder does, that this machine can sign, and that nobody has asked the
/// server to stop.
async fn ready(
    State(state): State<AppState>,
    State(services): State<Services>,
) -> impl IntoResponse {
    let (status, text) = if state.stopping.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned())
    } else {
        match services.ready().await {
            Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "not ready");
                (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n"))
            }
        }
    };
    (status, Extension(Plain), text)
}
