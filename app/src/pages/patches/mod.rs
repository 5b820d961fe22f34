//! Patches: the list of a review's, the page of one, the form that submits one.

mod linked;
pub mod list;
pub mod new_patch;
pub mod patch;
mod shown;

use leptos::prelude::*;
use leptos_router::{
    ParamSegment, StaticSegment,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::Route,
};

pub use linked::LinkedPatches;
pub use shown::{shown, shown_files, visible};

/// The routes of patches.
#[component(transparent)]
pub fn PatchRoutes() -> AnyNestedRoute {
    view! {
        <Route
            path=(StaticSegment("reviews"), ParamSegment("id"), StaticSegment("patches"))
            view=list::PatchListPage
        />
        <Route
            path=(
                StaticSegment("reviews"),
                ParamSegment("id"),
                StaticSegment("patches"),
                StaticSegment("new"),
            )
            view=new_patch::NewPatchPage
        />
        <Route path=(StaticSegment("patches"), ParamSegment("id")) view=patch::PatchPage />
    }
    .into_inner()
    .into_any_nested_route()
}
