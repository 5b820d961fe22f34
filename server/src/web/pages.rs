//! Pages and server functions, with what they find in their context.

use axum::Router;
use holdpoint_app::{App, shell};
use http::request::Parts;
use leptos::{nonce::Nonce, prelude::*};
use leptos_axum::{LeptosRoutes as _, generate_route_list, render_app_async_with_context};

use super::AppState;

pub(super) fn routes(state: &AppState) -> Router<AppState> {
    let context = {
        let state = state.clone();
        move || {
            // The layer that sets the policy's header made the nonce; the one that leptos made before is replaced.
            if let Some(nonce) =
                use_context::<Parts>().and_then(|parts| parts.extensions.get::<Nonce>().cloned())
            {
                provide_context(nonce);
            }
            provide_context(state.services.clone());
            provide_context(state.site.clone());
        }
    };
    Router::new()
        .leptos_routes_with_context(state, generate_route_list(App), context.clone(), shell)
        // Addresses that lead nowhere get the same frame, with status 404 from the page itself.
        .fallback(axum::routing::get(render_app_async_with_context(
            context, shell,
        )))
}
