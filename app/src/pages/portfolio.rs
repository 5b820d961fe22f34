use leptos::prelude::*;
use leptos_router::{
    MatchNestedRoutes, StaticSegment, any_nested_route::IntoAnyNestedRoute as _, components::Route,
};

use super::page;
use crate::{
    parts::{Crumb, Empty, Frame, PageHead, controls::ButtonLink},
    paths,
    visit::Visit,
};

/// The routes of the portfolio: all services with their reviews.
#[component(transparent)]
pub fn PortfolioRoutes() -> impl MatchNestedRoutes + Clone {
    view! { <Route path=StaticSegment("") view=PortfolioPage /> }
        .into_inner()
        .into_any_nested_route()
}

/// All reviews that the person may see.
#[component]
fn PortfolioPage() -> impl IntoView {
    page(async move {
        let (_, _) = Visit::signed_in()?;
        Ok(view! {
            <Frame title="Reviews" crumbs=vec![Crumb::here("Reviews")]>
                <PageHead title="Reviews" />
                <section class="panel" aria-label="Reviews">
                    <Empty
                        title="No service yet"
                        text="A service is the system under review. Until there is one, nothing can be reviewed or signed."
                    >
                        <ButtonLink words="Add a service" href=paths::NEW_SERVICE />
                    </Empty>
                </section>
            </Frame>
        })
    })
}
