//! The pages before an account: sign in, set-up, accept an invitation.

use leptos::prelude::*;

use super::{parameter, query};
use crate::{
    pages::{PageError, page},
    parts::{Button, ButtonLink, Notice, SoloFrame, TextField, Tone, When, controls::Weight},
    paths,
    visit::{Visit, services},
};

const PASSWORD_HINT: &str = "At least 12 characters. You type it again for every signature. A sentence of four words works well.";

#[component]
pub fn SignInPage() -> impl IntoView {
    let next = query("next");
    page(async move {
        let visit = Visit::current();
        let next = if paths::is_local(&next) {
            next
        } else {
            String::new()
        };
        if visit.person.is_some() {
            let to = if next.is_empty() { paths::HOME } else { &next };
            leptos_axum::redirect(to);
        }
        let is_set_up = services().is_set_up().await?;
        let form = visit.form("sign-in");
        let unfinished = (!is_set_up).then(|| {
            view! {
                <Notice tone=Tone::Amber>
                    "This server has no administrator yet. Open the one-time set-up link from its log; each start makes a new one."
                </Notice>
            }
        });
        Ok(view! {
            <SoloFrame title="Sign in">
                {unfinished}
                <section class="panel" aria-labelledby="h">
                    <form class="panel-body fields" method="post" action=action("sign-in")>
                        <h1 id="h">"Sign in"</h1>
                        <input type="hidden" name="next" value=next />
                        <TextField form=form.clone() name="email" label="Email" kind="email" autocomplete="username" autofocus=true />
                        <TextField form name="password" label="Password" kind="password" autocomplete="current-password" />
                        <Button words="Sign in" weight=Weight::Primary />
                    </form>
                    <p class="panel-foot">
                        "No account, or your password lost? Ask your administrator. To check a report you need none: "
                        <a href=paths::VERIFY>"verify a report"</a>
                    </p>
                </section>
                <p class="tiny faint">"Signing always asks for your password again."</p>
            </SoloFrame>
        })
    })
}

#[component]
pub fn SetUpPage() -> impl IntoView {
    let token = parameter("token");
    page(async move {
        let visit = Visit::current();
        let form = visit.form("set-up");
        if !services().is_setup_link(&token, &visit.client).await? {
            return Ok(gone(
                "This set-up link does not work",
                "A set-up link works once, and each start of the server makes a new one. Look for the newest in its log. If \
                 the server is set up already, sign in.",
            )
            .into_any());
        }
        Ok(view! {
            <SoloFrame title="Set up" wide=true>
                <div class="stack-2">
                    <h1>"Set up this server"</h1>
                    <p class="muted">"One step: the account of its first administrator. Everything else can wait."</p>
                </div>
                <form class="steps" method="post" action=action("set-up")>
                    <Notice tone=Tone::Green>"You came by the one-time link from the server log. It works once."</Notice>
                    <input type="hidden" name="token" value=token />
                    <fieldset class="step">
                        <legend>"Your administrator account"</legend>
                        <div class="fields-2">
                            <TextField form=form.clone() name="name" label="Full name" autocomplete="name" max_length=200 autofocus=true />
                            <TextField form=form.clone() name="email" label="Email" kind="email" autocomplete="username" max_length=254 />
                        </div>
                        <TextField
                            form
                            name="password"
                            label="Password"
                            kind="password"
                            autocomplete="new-password"
                            min_length=12
                            hint=PASSWORD_HINT
                        />
                    </fieldset>
                    <div class="btn-row at-end">
                        <Button words="Finish set-up" weight=Weight::Primary />
                    </div>
                </form>
            </SoloFrame>
        }
        .into_any())
    })
}

#[component]
pub fn InvitationPage() -> impl IntoView {
    let token = parameter("token");
    page(async move {
        let visit = Visit::current();
        let invitation = match services().open_invitation(&token, &visit.client).await {
            Err(holdpoint_service::ServiceError::Rejected { message, .. }) => {
                return Ok(gone("This invitation does not work any more", message).into_any());
            }
            other => other.map_err(PageError::from)?,
        };
        let to = match (&invitation.service, &invitation.service_name) {
            (Some((_, role)), Some(name)) => {
                format!("to {name}, as {}", role.label().to_lowercase())
            }
            _ => "to Holdpoint".to_owned(),
        };
        let head = view! {
            <div class="stack-2">
                <h1>"You are invited"</h1>
                <p class="muted">
                    {format!("{} invites {} {to}. The link works until ", invitation.inviter_name, invitation.email)}
                    <When at=invitation.expires_at now=visit.now />
                    ", once."
                </p>
            </div>
        };
        if let Some(person) = &visit.person {
            let form = view! {
                <form class="panel-body fields" method="post" action=action("invitations/join")>
                    <input type="hidden" name="token" value=token />
                    <p>{format!("You are signed in as {}.", person.email)}</p>
                    <Button words="Accept the invitation" weight=Weight::Primary />
                </form>
            };
            return Ok(view! { <SoloFrame title="Invitation">{head}<section class="panel" aria-label="Accept">{form}</section></SoloFrame> }
                .into_any());
        }
        let form = visit.form("invitations/accept");
        let here = paths::sign_in_to(&paths::invitation(&token));
        Ok(view! {
            <SoloFrame title="Invitation">
                {head}
                <section class="panel" aria-label="Your account">
                    <form class="panel-body fields" method="post" action=action("invitations/accept")>
                        <input type="hidden" name="token" value=token />
                        <input type="text" name="email" value=invitation.email.clone() autocomplete="username" readonly hidden />
                        <TextField
                            form=form.clone()
                            name="name"
                            label="Full name"
                            value=invitation.name
                            autocomplete="name"
                            max_length=200
                            hint="As it will stand under what you sign."
                        />
                        <TextField
                            form
                            name="password"
                            label="Password"
                            kind="password"
                            autocomplete="new-password"
                            min_length=12
                            hint=PASSWORD_HINT
                        />
                        <Button words="Make my account" weight=Weight::Primary />
                    </form>
                    <p class="panel-foot">"Do you have an account with this address? " <a href=here>"Sign in first"</a></p>
                </section>
            </SoloFrame>
        }
        .into_any())
    })
}

#[component]
pub fn ResetPasswordPage() -> impl IntoView {
    let token = parameter("token");
    page(async move {
        let visit = Visit::current();
        let open = match services().open_reset(&token, &visit.client).await {
            Err(holdpoint_service::ServiceError::Rejected { message, .. }) => {
                return Ok(gone("This link does not work any more", message).into_any());
            }
            other => other.map_err(PageError::from)?,
        };
        let form = visit.form("password-resets/use");
        Ok(view! {
            <SoloFrame title="Choose a new password">
                <div class="stack-2">
                    <h1>"Choose a new password"</h1>
                    <p class="muted">
                        {format!("For {}, {}. The link works until ", open.person.name, open.person.email)}
                        <When at=open.expires_at now=visit.now />
                        ", once."
                    </p>
                </div>
                <section class="panel" aria-label="New password">
                    <form class="panel-body fields" method="post" action=action("password-resets/use")>
                        <input type="hidden" name="token" value=token />
                        <input type="text" name="email" value=open.person.email autocomplete="username" readonly hidden />
                        <TextField
                            form
                            name="new_password"
                            label="New password"
                            kind="password"
                            autocomplete="new-password"
                            min_length=12
                            hint=PASSWORD_HINT
                            autofocus=true
                        />
                        <Button words="Set the password and sign in" weight=Weight::Primary />
                    </form>
                    <p class="panel-foot">"Every session and every API token of this account ends."</p>
                </section>
            </SoloFrame>
        }
        .into_any())
    })
}

/// A one-time link that is of no use any more.
fn gone(title: &'static str, text: impl Into<String>) -> impl IntoView {
    let text = text.into();
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::GONE);
    }
    view! {
        <SoloFrame title=title wide=true>
            <h1>{title}</h1>
            <Notice tone=Tone::Amber>{text}</Notice>
            <p class="btn-row">
                <ButtonLink words="Sign in" href=paths::SIGN_IN weight=Weight::Primary />
            </p>
        </SoloFrame>
    }
}

/// Where a form of this name posts to.
pub(super) fn action(form: &str) -> String {
    format!("{}/{form}", paths::ACTIONS)
}
