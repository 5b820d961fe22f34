//! Accounts: sign in, set-up, invitations, one's own account, people.

pub mod account;
pub mod people;
pub mod sign_in;

use leptos::prelude::*;
use leptos_router::{
    ParamSegment, StaticSegment,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::Route,
};

use holdpoint_service::Found;

use crate::{
    one_time::OneTime,
    parts::{Ico, Icon, Notice, Tone, controls::Copyable, figure::thousands},
};

/// The routes of everything about accounts.
#[component(transparent)]
pub fn AccountRoutes() -> AnyNestedRoute {
    view! {
        <Route path=StaticSegment("sign-in") view=sign_in::SignInPage />
        <Route path=(StaticSegment("set-up"), ParamSegment("token")) view=sign_in::SetUpPage />
        <Route path=(StaticSegment("invitations"), ParamSegment("token")) view=sign_in::InvitationPage />
        <Route path=(StaticSegment("reset-password"), ParamSegment("token")) view=sign_in::ResetPasswordPage />
        <Route path=StaticSegment("account") view=account::AccountPage />
        <Route path=StaticSegment("people") view=people::PeoplePage />
        <Route path=(StaticSegment("services"), ParamSegment("slug"), StaticSegment("people")) view=people::ServicePeoplePage />
    }
    .into_inner()
    .into_any_nested_route()
}

/// A secret that was just made, to be copied now.
#[component]
fn ShownOnce(shown: Option<OneTime>) -> impl IntoView {
    shown.map(|OneTime { label, secret }| {
        let named = label.clone();
        view! {
            <section class="panel" aria-label=named>
                <div class="panel-body fields">
                    <Copyable label id="shown-once" value=secret />
                    <Notice tone=Tone::Amber>"Copy it now. Holdpoint keeps only its digest and cannot show it again."</Notice>
                </div>
            </section>
        }
    })
}

/// Says that a list is longer than what is shown of it, and what to do; nothing where it is whole.
fn rest_of<T>(found: &Found<T>, what: &'static str) -> Option<AnyView> {
    let n_shown = i64::try_from(found.entries.len()).unwrap_or(i64::MAX);
    (n_shown < found.n_matching).then(|| {
        let words = format!(
            "The first {} of {} are shown. {what}",
            thousands(n_shown),
            thousands(found.n_matching)
        );
        view! { <p class="panel-body small muted rest-of">{words}</p> }.into_any()
    })
}

/// Finds people by name or address on a page that lists them.
#[component]
fn SearchPeople(action: String, text: String) -> impl IntoView {
    view! {
        <form class="filterbar" method="get" action=action role="search" aria-label="These people">
            <div class="search">
                <label class="vh" for="find">"Search by name or address"</label>
                <Ico icon=Icon::Search />
                <input type="search" id="find" name="q" value=text placeholder="Name or address" />
            </div>
        </form>
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
