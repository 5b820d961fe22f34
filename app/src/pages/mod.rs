//! The pages, one folder or file per subject. Each loads what it shows from the service and hands it to parts.
//!
//! Each subject brings its routes as one transparent component, which is listed in [`AllPages`].

pub mod accounts;
pub mod errors;
pub mod load;
pub mod portfolio;

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
                <accounts::AccountRoutes />
            </ParentRoute>
        </Routes>
    }
}
