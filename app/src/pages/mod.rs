//! The pages, one folder or file per subject. Each loads what it shows from the service and hands it to parts.
//!
//! Each subject brings its routes as one transparent component, which is listed in [`AllPages`].

pub mod accounts;
pub mod checklist;
mod discussion;
pub mod errors;
pub mod findings;
pub mod items;
pub mod load;
pub mod mapping;
pub mod patches;
pub mod portfolio;
pub mod readiness;
pub mod report;
pub mod review_bar;
pub mod reviews;
pub mod scans;
pub mod search;
pub mod services;
pub mod sign_off;
pub mod templates;
pub mod work;

use leptos::prelude::*;
use leptos_router::{
    SsrMode, StaticSegment,
    components::{Outlet, ParentRoute, Routes},
};

pub use errors::PageError;
pub use load::page;

/// Every route. Pages are rendered whole before anything is sent, so that status, headers and session can still change.
#[component]
pub fn AllPages() -> impl IntoView {
    view! {
        <Routes fallback=errors::NotFoundPage>
            <ParentRoute path=StaticSegment("") view=Outlet ssr=SsrMode::Async>
                <portfolio::PortfolioRoutes />
                <services::ServiceRoutes />
                <templates::TemplateRoutes />
                <reviews::ReviewRoutes />
                <checklist::ChecklistRoutes />
                <accounts::AccountRoutes />
                <items::ItemRoutes />
                <findings::FindingRoutes />
                <mapping::MappingRoutes />
                <scans::ScanRoutes />
                <patches::PatchRoutes />
                <work::WorkRoutes />
                <search::SearchRoutes />
                <sign_off::SignOffRoutes />
                <readiness::ReadinessRoutes />
                <report::ReportRoutes />
            </ParentRoute>
        </Routes>
    }
}

/// A parameter of the address; empty when it has none of this name.
fn parameter(name: &str) -> String {
    leptos_router::hooks::use_params_map()
        .read_untracked()
        .get(name)
        .unwrap_or_default()
}

/// A value of the address's query.
fn query(name: &str) -> String {
    leptos_router::hooks::use_query_map()
        .read_untracked()
        .get(name)
        .unwrap_or_default()
}
