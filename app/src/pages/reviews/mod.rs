//! A review's own pages besides its work: beginning one, its settings, what happened.

mod activity;
mod new;
mod policy;
mod settings;

use leptos::prelude::*;
use leptos_router::{
    ParamSegment, StaticSegment,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::Route,
};

use super::PageError;
use holdpoint_domain::ReviewId;

/// The routes of reviews.
#[component(transparent)]
pub fn ReviewRoutes() -> AnyNestedRoute {
    view! {
        <Route
            path=(StaticSegment("services"), ParamSegment("slug"), StaticSegment("new-review"))
            view=new::NewReviewPage
        />
        <Route
            path=(StaticSegment("reviews"), ParamSegment("id"), StaticSegment("settings"))
            view=settings::SettingsPage
        />
        <Route
            path=(StaticSegment("reviews"), ParamSegment("id"), StaticSegment("activity"))
            view=activity::ActivityPage
        />
    }
    .into_inner()
    .into_any_nested_route()
}

/// The review that the address names.
pub(super) fn review_of(id: &str) -> Result<ReviewId, PageError> {
    ReviewId::parse(id).ok_or(PageError::NotFound("This review"))
}
