//! Services: the list, a new one, one with its reviews, its settings. Its people have their page with the accounts.

mod edit;
mod list;
mod service;

use leptos::prelude::*;
use leptos_router::{
    ParamSegment, StaticSegment,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::Route,
};

/// The routes of services.
#[component(transparent)]
pub fn ServiceRoutes() -> AnyNestedRoute {
    view! {
        <Route path=StaticSegment("services") view=list::ServicesPage />
        <Route path=(StaticSegment("services"), StaticSegment("new")) view=edit::NewServicePage />
        <Route path=(StaticSegment("services"), ParamSegment("slug")) view=service::ServicePage />
        <Route
            path=(StaticSegment("services"), ParamSegment("slug"), StaticSegment("settings"))
            view=edit::ServiceSettingsPage
        />
    }
    .into_inner()
    .into_any_nested_route()
}
