//! The portfolio: all reviews that a person may see, and what to begin with while there is none.

mod begin;
mod list;
pub mod sample;

pub(super) use list::hold_point;

use leptos::prelude::*;
use leptos_router::{
    StaticSegment,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::Route,
};

/// The routes of the portfolio.
#[component(transparent)]
pub fn PortfolioRoutes() -> AnyNestedRoute {
    view! {
        <Route path=StaticSegment("") view=list::PortfolioPage />
        <Route path=StaticSegment("sample") view=sample::SamplePage />
    }
    .into_inner()
    .into_any_nested_route()
}
