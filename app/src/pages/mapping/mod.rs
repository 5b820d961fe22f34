//! Mapping: the rules that bring findings to items, those that suggest themselves, and applying them.

mod plan;
mod rule;
mod rules;

use holdpoint_service::mapping::MappedItem;
use leptos::prelude::*;
use leptos_router::{
    ParamSegment, StaticSegment,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::{Outlet, ParentRoute, Route},
};

use crate::paths;

/// The routes of mapping.
#[component(transparent)]
pub fn MappingRoutes() -> AnyNestedRoute {
    view! {
        <ParentRoute path=StaticSegment("") view=Outlet>
            <Route
                path=(StaticSegment("reviews"), ParamSegment("id"), StaticSegment("mapping"))
                view=rules::MappingPage
            />
            <Route
                path=(StaticSegment("reviews"), ParamSegment("id"), StaticSegment("mapping"), StaticSegment("apply"))
                view=plan::PlanPage
            />
            <Route
                path=(
                    StaticSegment("reviews"),
                    ParamSegment("id"),
                    StaticSegment("mapping"),
                    StaticSegment("rules"),
                    ParamSegment("rule"),
                )
                view=rule::RulePage
            />
        </ParentRoute>
    }
    .into_inner()
    .into_any_nested_route()
}

/// An item by its key and title, leading to it.
fn item_link(item: &MappedItem) -> AnyView {
    let words = format!("{} {}", item.key, item.title);
    view! { <a href=paths::item(&item.item)>{words}</a> }.into_any()
}
