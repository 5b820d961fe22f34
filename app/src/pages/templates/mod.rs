//! Checklists: the list, one with its versions, what a version changed, import with a preview.

mod difference;
mod import;
mod list;
mod preview;
mod template;

use leptos::prelude::*;
use leptos_router::{
    ParamSegment, StaticSegment,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::Route,
};

/// The routes of checklists.
#[component(transparent)]
pub fn TemplateRoutes() -> AnyNestedRoute {
    view! {
        <Route path=StaticSegment("templates") view=list::TemplatesPage />
        <Route path=(StaticSegment("templates"), StaticSegment("import")) view=import::ImportPage />
        <Route
            path=(StaticSegment("templates"), StaticSegment("preview"), ParamSegment("document"))
            view=preview::PreviewPage
        />
        <Route path=(StaticSegment("templates"), ParamSegment("id")) view=template::TemplatePage />
        <Route
            path=(StaticSegment("templates"), ParamSegment("id"), StaticSegment("difference"))
            view=difference::DifferencePage
        />
    }
    .into_inner()
    .into_any_nested_route()
}

/// Whose a checklist is, in words.
fn of_whom(owner: Option<&holdpoint_service::TemplateOwner>) -> String {
    owner.map_or_else(|| "All services".to_owned(), |owner| owner.name.clone())
}

/// How a document was read, in words: "Task lists", "Tables, tier A".
fn read_as(reading: &str, tier: Option<&str>) -> String {
    let words: Vec<_> = reading
        .split(',')
        .filter_map(holdpoint_service::checklist::Reading::parse)
        .map(holdpoint_service::checklist::Reading::label)
        .collect();
    let words = words.join(" and ");
    match tier {
        Some(tier) => format!("{words}, tier {tier}"),
        None => words,
    }
}
