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

/// Ready means that the database answers and nobody has asked the server to stop.
async fn ready(
    State(state): State<AppState>,
    State(services): State<Services>,
) -> impl IntoResponse {
    if state.stopping.is_cancelled() {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            Extension(Plain),
            "stopping\n",
        );
    }
    match services.ready().await {
        Ok(()) => (StatusCode::OK, Extension(Plain), "ready\n"),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "not ready");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                Extension(Plain),
                "the database does not answer\n",
            )
        }
    }
}
