//! The release decision: who signs, who has, what a GO needs, and the form that signs.

pub mod page;
pub mod signers;

use leptos::prelude::*;
use leptos_router::{
    ParamSegment, StaticSegment,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::Route,
};

/// The routes of the release decision.
#[component(transparent)]
pub fn SignOffRoutes() -> AnyNestedRoute {
    view! {
        <Route path=(StaticSegment("reviews"), ParamSegment("id"), StaticSegment("sign-off")) view=page::SignOffPage />
    }
    .into_inner()
    .into_any_nested_route()
}
