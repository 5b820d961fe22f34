//! The readiness page: the verdict and its reasons first, then everything that leads to it.

pub mod page;
pub mod people;
mod trend;
pub mod verdict;

use leptos::prelude::*;
use leptos_router::{
    ParamSegment, StaticSegment,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::Route,
};

/// The routes of readiness.
#[component(transparent)]
pub fn ReadinessRoutes() -> AnyNestedRoute {
    view! { <Route path=(StaticSegment("reviews"), ParamSegment("id")) view=page::ReadinessPage /> }
        .into_inner()
        .into_any_nested_route()
}
