//! The checklist of a review: its items by section, what can be done with several at once, and what is handed over.

mod add_item;
mod deliverables;
mod filter;
mod list;
mod rows;

use leptos::prelude::*;
use leptos_router::{
    ParamSegment, StaticSegment,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::Route,
};

/// The routes of the checklist.
#[component(transparent)]
pub fn ChecklistRoutes() -> AnyNestedRoute {
    view! {
        <Route
            path=(StaticSegment("reviews"), ParamSegment("id"), StaticSegment("checklist"))
            view=list::ChecklistPage
        />
        <Route
            path=(StaticSegment("reviews"), ParamSegment("id"), StaticSegment("items"), StaticSegment("new"))
            view=add_item::AddItemPage
        />
    }
    .into_inner()
    .into_any_nested_route()
}
