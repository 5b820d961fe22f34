//! `/api/v1`: JSON for programs that send a bearer token. A session's cookie is not taken here, so no page can be made to
//! call it in somebody's name.
//!
//! One file for each subject, and in it what goes in, what comes out and the handlers, which only parse, call one service
//! function and answer. [`Doors`] is the list of all of them; [`document`] describes the same in OpenAPI, and a test
//! compares the two.

mod activity;
mod asked;
mod document;
mod evidence;
mod findings;
mod gate;
mod given;
mod items;
mod keys;
mod mapping;
mod patches;
mod people;
mod reports;
mod reviews;
mod scans;
mod services;
mod sign_off;
mod templates;
mod triage;
mod upload;
mod wanted;

#[cfg(test)]
mod tests;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    handler::Handler,
    response::{IntoResponse as _, Response},
    routing::{MethodFilter, get, on},
};
use tower_http::timeout::TimeoutLayer;

use crate::web::{AppState, WebError};

/// Where the API is.
const ROOT: &str = "/api/v1";

/// What a body without a file may hold. Patches and checklists set their own limits.
const MAX_JSON_BYTES: usize = 2 * 1024 * 1024;

/// The API's routes, and the same as a list.
struct Doors {
    router: Router<AppState>,
    list: Vec<(&'static str, &'static str)>,
}

impl Doors {
    fn new() -> Self {
        Self {
            router: Router::new(),
            list: Vec::new(),
        }
    }

    fn open<T: 'static>(
        mut self,
        method: &'static str,
        path: &'static str,
        handler: impl Handler<T, AppState>,
    ) -> Self {
        let filter = match method {
            "get" => MethodFilter::GET,
            "post" => MethodFilter::POST,
            "patch" => MethodFilter::PATCH,
            _ => unreachable!("the methods of the API are named in this file"),
        };
        self.router = self.router.route(path, on(filter, handler));
        self.list.push((method, path));
        self
    }

    fn get<T: 'static>(self, path: &'static str, handler: impl Handler<T, AppState>) -> Self {
        self.open("get", path, handler)
    }

    fn post<T: 'static>(self, path: &'static str, handler: impl Handler<T, AppState>) -> Self {
        self.open("post", path, handler)
    }

    fn patch<T: 'static>(self, path: &'static str, handler: impl Handler<T, AppState>) -> Self {
        self.open("patch", path, handler)
    }
}

/// What is answered quickly or not at all.
fn quick() -> Doors {
    Doors::new()
        .get("/templates", templates::list)
        .get("/templates/{id}", templates::show)
        .post("/templates", templates::import)
        .get("/services", services::list)
        .post("/services", services::create)
        .get("/services/{slug}", services::show)
        .get("/services/{slug}/reviews", reviews::list)
        .post("/services/{slug}/reviews", reviews::create)
        .get("/reviews/{id}", reviews::show)
        .patch("/reviews/{id}", reviews::change)
        .get("/reviews/{id}/items", items::list)
        .get("/items/{id}", items::show)
        .patch("/items/{id}", items::change)
        .get("/items/{id}/evidence", evidence::list)
        .post("/evidence/{id}/withdraw", evidence::withdraw)
        .post("/items/{id}/decision", sign_off::decide_item)
        .post("/reviews/{id}/decision", sign_off::decide_release)
        .get("/services/{slug}/scans", scans::list)
        .get("/scans/{id}", scans::show)
        .post("/scans/{id}/undo", scans::undo)
        .get("/reviews/{id}/findings", findings::list)
        .post("/findings", findings::write)
        .get("/findings/{id}", findings::show)
        .patch("/findings/{id}", findings::change)
        .post("/findings/{id}/fixes/{n}/patch", patches::propose_fix)
        .get("/reviews/{id}/triage", triage::list)
        .post("/reviews/{id}/triage", triage::decide)
        .post("/triage/{id}/undo", triage::undo)
        .get("/reviews/{id}/mapping", mapping::show)
        .post("/reviews/{id}/mapping", mapping::add)
        .post("/reviews/{id}/mapping/dismiss", mapping::dismiss)
        .get("/reviews/{id}/mapping/plan", mapping::planned)
        .post("/reviews/{id}/mapping/apply", mapping::apply)
        .patch("/mapping-rules/{id}", mapping::change)
        .post("/mapping-rules/{id}/move", mapping::reorder)
        .post("/mapping-rules/{id}/remove", mapping::remove)
        .post("/scans/{id}/evidence", mapping::use_scan)
        .get("/reviews/{id}/patches", patches::list)
        .post("/reviews/{id}/patches", patches::submit)
        .get("/patches/{id}", patches::show)
        .get("/reviews/{id}/gate", gate::gate)
        .get("/reviews/{id}/badge.svg", gate::badge)
        .get("/reviews/{id}/badge.json", gate::badge_json)
        .get("/reviews/{id}/activity", activity::of_review)
}

/// What carries files, and takes the time it takes.
fn slow() -> Doors {
    Doors::new()
        .post("/services/{slug}/scans", scans::import)
        .post("/items/{id}/evidence", evidence::add)
        .get("/scans/{id}/file", scans::file)
        .get("/evidence/{id}/file", evidence::file)
        .get("/evidence/{id}/text", evidence::text)
        .get("/patches/{id}/file", patches::file)
        .get("/reviews/{id}/patches.mbox", patches::series)
        .get("/reviews/{id}/reports", reports::decided)
        .get("/reviews/{id}/report.md", reports::markdown)
        .get("/reviews/{id}/report.md.sig", reports::signature)
        .get("/reviews/{id}/report.json", reports::json)
        .get("/reviews/{id}/findings.sarif", reports::sarif)
        .get("/reviews/{id}/findings.csv", reports::csv)
        .get("/reviews/{id}/bundle.zip", reports::bundle)
}

/// The API with the instance's public keys, which anybody may read.
pub(in crate::web) fn routes(state: &AppState) -> Router<AppState> {
    let most_in_memory = [
        state.services.limits().checklist_bytes,
        state.services.limits().patch_bytes,
    ];
    let most_in_memory = most_in_memory
        .into_iter()
        .filter_map(|most| usize::try_from(most).ok())
        .fold(MAX_JSON_BYTES, usize::max);
    let quick = quick()
        .router
        // A patch inside JSON is longer than it is alone. Each handler holds to its own limit below this one.
        .layer(DefaultBodyLimit::max(
            most_in_memory.saturating_mul(2).saturating_add(64 * 1024),
        ))
        .layer(TimeoutLayer::with_status_code(
            http::StatusCode::SERVICE_UNAVAILABLE,
            state.settings.request_timeout,
        ));
    // These count what they receive against the service's limits.
    let slow = slow().router.layer(DefaultBodyLimit::disable());
    let api = quick
        .merge(slow)
        .route("/openapi.json", get(document::serve))
        .fallback(nothing_here);
    Router::new()
        .nest(ROOT, api)
        .route("/.well-known/holdpoint-signing-keys", get(keys::public))
        .route(
            "/.well-known/holdpoint-signing-keys.pem",
            get(keys::public_pem),
        )
        .route(
            "/.well-known/holdpoint-signing-keys.json",
            get(keys::public_lists),
        )
}

async fn nothing_here() -> Response {
    WebError::NotFound("This address").into_response()
}
