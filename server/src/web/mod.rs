//! The server's outside: router, layers, everything around pages, the API.
//!
//! [`router`] is the whole of it, as a function of its state, so that a test has exactly what people get.

pub(crate) mod address;
mod answer;
mod api;
pub(crate) mod api_caller;
mod assets;
pub(crate) mod connections;
mod csrf;
mod download;
mod error;
mod evidence;
mod health;
mod id;
mod log;
mod pages;
mod patches;
mod preferences;
mod reports;
mod scans;
mod security;
pub(crate) mod shutdown;
mod signed_in;
mod state;
mod templates;
mod upload;
mod visit;

#[cfg(test)]
mod accounts_tests;
#[cfg(test)]
mod checklist_tests;
#[cfg(test)]
mod findings_tests;
#[cfg(test)]
mod items_tests;
#[cfg(test)]
mod patches_tests;
#[cfg(test)]
mod rows_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use axum::{Router, extract::DefaultBodyLimit, middleware};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer, compression::CompressionLayer, timeout::TimeoutLayer,
};
use tower_sessions::{
    Expiry, SessionManagerLayer, SessionStore,
    cookie::{SameSite, time::Duration},
};

pub(crate) use error::WebError;
pub(crate) use state::AppState;

/// What a form or an API call without an upload may send. A pasted checklist is the largest.
const MAX_FORM_BYTES: usize = 6 * 1024 * 1024;

/// Everything that is served, with every layer.
///
/// `more` are routes beside the pages, inside every layer: tests bring their own, the server none.
pub(crate) fn router(
    state: AppState,
    sessions: impl SessionStore + Clone,
    more: Router<AppState>,
) -> Router {
    let cookie = SessionManagerLayer::new(sessions)
        .with_name(state.cookie_name())
        .with_secure(state.settings.https)
        // Not Strict: links from mail and chat would arrive signed out.
        .with_same_site(SameSite::Lax)
        .with_expiry(Expiry::OnInactivity(Duration::hours(i64::from(
            state.settings.session_hours,
        ))));

    // A page or form is quick or something is wrong; an upload takes the time it takes.
    let quick = pages::routes(&state)
        .merge(preferences::routes())
        .merge(more)
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
        .layer(TimeoutLayer::with_status_code(
            http::StatusCode::SERVICE_UNAVAILABLE,
            state.settings.request_timeout,
        ));
    let known = ServiceBuilder::new()
        .layer(cookie)
        .layer(middleware::from_fn_with_state(
            state.clone(),
            csrf::refuse_foreign,
        ))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            visit::establish,
        ));
    let dynamic = quick.merge(uploads_and_downloads(&state)).layer(known);

    // The first layer of the list is the outermost.
    let around = ServiceBuilder::new()
        .layer(middleware::from_fn_with_state(state.clone(), log::request))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            security::headers,
        ))
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn_with_state(state.clone(), error::dress))
        .layer(CatchPanicLayer::custom(error::panicked));
    dynamic
        .merge(api::v1::routes(&state))
        .merge(health::routes())
        .merge(assets::routes(&state))
        .layer(around)
        .with_state(state)
}

/// Handlers that stream: each sets its own `DefaultBodyLimit::max`, and none is given up after the time of a page.
fn uploads_and_downloads(state: &AppState) -> Router<AppState> {
    Router::new()
        .merge(evidence::routes(state.services.limits()))
        .merge(scans::routes(state.services.limits()))
        .merge(patches::routes(state.services.limits()))
        .merge(templates::routes(state.services.limits()))
        .merge(reports::routes())
}
