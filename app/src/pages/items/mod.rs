//! One item: its page, the forms that change it, and the form that adds evidence.

pub mod decide;
pub mod edit;
pub mod evidence;
pub mod flow;
pub mod history;
pub mod item;
pub mod new_evidence;

use leptos::prelude::*;
use leptos_router::{
    ParamSegment, StaticSegment,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::Route,
};

pub(super) use history::ChangeList;

use super::PageError;
use holdpoint_domain::{ItemId, Millis, text::Date};

/// The routes of items.
#[component(transparent)]
pub fn ItemRoutes() -> AnyNestedRoute {
    view! {
        <Route path=(StaticSegment("items"), ParamSegment("id")) view=item::ItemPage />
        <Route path=(StaticSegment("items"), ParamSegment("id"), StaticSegment("edit")) view=edit::EditItemPage />
        <Route
            path=(StaticSegment("items"), ParamSegment("id"), StaticSegment("evidence"), StaticSegment("new"))
            view=new_evidence::NewEvidencePage
        />
    }
    .into_inner()
    .into_any_nested_route()
}

/// The item that the address names.
fn item_of_address() -> Result<ItemId, PageError> {
    ItemId::parse(&super::parameter("id")).ok_or(PageError::NotFound("This item"))
}

/// The last moment of a stored due date.
pub(super) fn end_of(date: &str) -> Option<Millis> {
    Date::parse(date).ok().map(|date| date.end())
}
