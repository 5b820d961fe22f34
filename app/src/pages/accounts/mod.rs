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

use crate::{
    one_time::OneTime,
    parts::{Notice, Tone, controls::Copyable},
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
