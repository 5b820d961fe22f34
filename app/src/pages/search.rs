//! Search results, and how a report is verified.

use holdpoint_service::Hit;
use leptos::prelude::*;
use leptos_router::{
    StaticSegment,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::{Outlet, ParentRoute, Route},
};

use super::{page, query};
use crate::{
    parts::{
        Crumb, Empty, Frame, Inline, PageHead, Panel, SoloFrame,
        controls::{ButtonLink, Weight},
    },
    paths,
    visit::{Visit, services},
};

/// The routes that lead from a word to a thing, and from a report to its proof.
#[component(transparent)]
pub fn SearchRoutes() -> AnyNestedRoute {
    view! {
        <ParentRoute path=StaticSegment("") view=Outlet>
            <Route path=StaticSegment("search") view=SearchPage />
            <Route path=StaticSegment("verify") view=VerifyPage />
        </ParentRoute>
    }
    .into_inner()
    .into_any_nested_route()
}

#[component]
fn SearchPage() -> impl IntoView {
    page(async move {
        let (_, person) = Visit::signed_in()?;
        let text = query("q");
        let hits = services().search(&person, &text).await?;
        let is_empty = hits.reviews.is_empty() && hits.items.is_empty() && hits.findings.is_empty();
        let title = if text.trim().is_empty() {
            "Search".to_owned()
        } else {
            format!("Search: {}", text.trim())
        };
        let found = if is_empty {
            let words = if text.trim().is_empty() {
                "Type an item's key (2.5.1), a finding's number (F-12), or words of a title, requirement, path or CVE."
            } else {
                "No review, item or finding that you may see is called that or says that. Try fewer letters."
            };
            view! {
                <Panel id="found" title="Results" bare=true>
                    <Empty title="Nothing found" text=words>
                        <ButtonLink words="All reviews" href=paths::HOME weight=Weight::Primary />
                    </Empty>
                </Panel>
            }
            .into_any()
        } else {
            view! {
                <HitList id="reviews" title="Reviews" hits=hits.reviews address=|id| paths::review(id) />
                <HitList id="items" title="Items" hits=hits.items address=|id| paths::item(id) />
                <HitList id="findings" title="Findings" hits=hits.findings address=|id| paths::finding(id) />
            }
            .into_any()
        };
        Ok(view! {
            <Frame title=title.clone() crumbs=vec![Crumb::here("Search")]>
                <PageHead title />
                <div class="stack">{found}</div>
            </Frame>
        }
        .into_any())
    })
}

#[component]
fn HitList(
    id: &'static str,
    title: &'static str,
    hits: Vec<Hit>,
    address: fn(&str) -> String,
) -> impl IntoView {
    if hits.is_empty() {
        return ().into_any();
    }
    let rows = hits
        .into_iter()
        .map(|hit| {
            view! {
                <li>
                    <a class="ttl" href=address(&hit.id)>
                        <span class="faint num light">{hit.label}</span>
                        " "
                        <Inline text=hit.title />
                    </a>
                    " "
                    <span class="faint">{hit.place}</span>
                </li>
            }
        })
        .collect_view();
    view! {
        <Panel id=id title=title>
            <ul class="hits">{rows}</ul>
        </Panel>
    }
    .into_any()
}

#[component]
fn VerifyPage() -> impl IntoView {
    page(async move {
        let keys = services().allowed_signers().await?;
        let check = "ssh-keygen -Y verify -Overify-time=TIME -f allowed_signers -I holdpoint \\\n    -n holdpoint-report@v1 -s report.md.sig < report.md";
        let own = "holdpoint verify report.md --signature report.md.sig --key allowed_signers\nholdpoint verify bundle.zip --key allowed_signers";
        Ok(view! {
            <SoloFrame title="Verify a report" wide=true>
                <PageHead title="Verify a report" />
                <div class="prose wraps">
                <p>
                    "A signed report proves itself without this server: its signature is checked with OpenSSH on any machine. "
                    "A draft is not signed, so there is nothing to verify."
                </p>
                <ol>
                    <li>"Have the report " <code>"report.md"</code> " and its signature " <code>"report.md.sig"</code> "."</li>
                    <li>
                        "Have this instance's public keys in a file " <code>"allowed_signers"</code> ", best from a source other than the report's. They are "
                        <a href="/.well-known/holdpoint-signing-keys">"these lines"</a> ":"
                        <pre aria-label="Public keys">{keys}</pre>
                    </li>
                    <li>
                        "Check: "
                        <pre aria-label="OpenSSH command">{check}</pre>
                        "With the report's own time in place of " <code>"TIME"</code>
                        ", since keys are replaced: its last section has the whole command."
                    </li>
                </ol>
                <p>"Holdpoint's own program says the same, and checks a bundle with all its files:"</p>
                <pre aria-label="Holdpoint command">{own}</pre>
                {Visit::signed_in().is_ok().then(|| view! { <p><a href=paths::HOME>"All reviews"</a></p> })}
            </div>
            </SoloFrame>
        }
        .into_any())
    })
}
