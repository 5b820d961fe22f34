//! One's own account: sessions, password, API tokens.

use holdpoint_domain::{InstanceRole, Millis, person::Action};
use holdpoint_service::{ApiToken, Found, ReadableService, SessionStore, SignedInSession};
use http::request::Parts;
use leptos::prelude::*;
use tower_sessions::Session;

use super::{ShownOnce, rest_of, sign_in::action};
use crate::{
    flash::FormState,
    one_time,
    pages::page,
    parts::{
        Button, Column, Crumb, Empty, Frame, PageHead, Panel, SelectField, Table, TextField, When,
        when::date,
    },
    paths,
    visit::{Visit, services},
};

/// What tokens are made for; any other set of scopes is made on the command line.
const GRANTS: [(&str, &str); 4] = [
    ("read,export", "Read and export"),
    (
        "read,export,import_scans",
        "Read, export and import scans (CI)",
    ),
    (
        "read,export,import_scans,contribute",
        "All of that and work items",
    ),
    (
        "read,export,import_scans,contribute,approve_patch,decide,decide_release,manage",
        "Everything I may do on services",
    ),
];

/// What a token may do: in the form's words where it was made there, else its scopes.
fn granted(scopes: &[Action]) -> AnyView {
    let mut of_token: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
    of_token.sort_unstable();
    let same = |grant: &str| {
        let mut of_grant: Vec<_> = grant.split(',').collect();
        of_grant.sort_unstable();
        of_grant == of_token
    };
    match GRANTS.iter().find(|(grant, _)| same(grant)) {
        Some((_, words)) => (*words).into_any(),
        None => view! { <code>{of_token.join(", ")}</code> }.into_any(),
    }
}

#[component]
pub fn AccountPage() -> impl IntoView {
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let here = use_context::<Parts>()
            .and_then(|parts| parts.extensions.get::<Session>().and_then(Session::id))
            .map(|id| SessionStore::stored_id(&id))
            .unwrap_or_default();
        let services = services();
        let sessions = services.sessions(&person).await?;
        let tokens = services.tokens(&person).await?;
        let readable = services.services_for(&person).await?;
        let shown = one_time::take(paths::ACCOUNT).await;
        let role = match person.instance_role {
            InstanceRole::Admin => "Administrator",
            InstanceRole::Member => "Member",
        };
        let meta = view! { <span>{person.email.clone()}</span><span>{role}</span> }.into_any();
        Ok(view! {
            <Frame title="Account" crumbs=vec![Crumb::here("Account")]>
                <PageHead title=person.name.clone() meta=meta />
                <div class="stack">
                    <ShownOnce shown />
                    <Sessions sessions here now=visit.now />
                    <Password form=visit.form("account/change-password") email=person.email.clone() />
                    <Tokens tokens now=visit.now />
                    <NewTokenForm form=visit.form("account/create-token") readable />
                </div>
            </Frame>
        })
    })
}

#[component]
fn Sessions(sessions: Found<SignedInSession>, here: String, now: Millis) -> impl IntoView {
    let has_others = sessions.entries.iter().any(|session| session.id != here);
    let rest = rest_of(&sessions, "End all others where you do not know one.");
    let rows = sessions
        .entries
        .into_iter()
        .map(|session| {
            let is_here = session.id == here;
            let agent = if session.user_agent.is_empty() {
                "Unknown browser".to_owned()
            } else {
                session.user_agent
            };
            let named = agent.clone();
            view! {
                <tr role="row">
                    <td role="cell" data-l="Browser" class="wrap">{agent}</td>
                    <td role="cell" data-l="Address">{session.address}</td>
                    <td role="cell" data-l="Signed in"><When at=session.created_at now /></td>
                    <td role="cell">
                        {if is_here {
                            view! { <span class="muted">"This session"</span> }.into_any()
                        } else {
                            view! {
                                <form method="post" action=action("account/revoke-session")>
                                    <input type="hidden" name="id" value=session.id />
                                    <button class="btn btn-sm" type="submit" aria-label=format!("End the session of {named}")>"End"</button>
                                </form>
                            }
                            .into_any()
                        }}
                    </td>
                </tr>
            }
        })
        .collect_view();
    let all = has_others.then(|| {
        view! {
            <form method="post" action=action("account/revoke-other-sessions")>
                <Button words="End all other sessions" small=true />
            </form>
        }
        .into_any()
    });
    let columns = vec![
        Column::new("Browser"),
        Column::new("Address"),
        Column::new("Signed in"),
        Column::new("End").hidden(),
    ];
    view! {
        <Panel id="sessions" title="Where you are signed in" bare=true head=all.into_any()>
            <Table caption="Your sessions" columns>{rows}</Table>
            {rest}
        </Panel>
    }
}

#[component]
fn Password(form: FormState, email: String) -> impl IntoView {
    view! {
        <Panel id="password" title="Password">
            <form class="fields" method="post" action=action("account/change-password")>
                <input type="text" name="email" value=email autocomplete="username" readonly hidden />
                <TextField
                    form=form.clone()
                    name="current_password"
                    label="Password now"
                    kind="password"
                    autocomplete="current-password"
                />
                <TextField
                    form
                    name="new_password"
                    label="New password"
                    kind="password"
                    autocomplete="new-password"
                    min_length=12
                    hint="At least 12 characters. Your other sessions end when it changes."
                />
                <div class="btn-row"><Button words="Change password" /></div>
            </form>
        </Panel>
    }
}

#[component]
fn Tokens(tokens: Vec<ApiToken>, now: Millis) -> impl IntoView {
    if tokens.is_empty() {
        return view! {
            <Panel id="tokens" title="API tokens" bare=true>
                <Empty title="No token yet" text="A token lets a program act for you: a CI job that pushes scans or asks the gate." />
            </Panel>
        }
        .into_any();
    }
    let rows = tokens
        .into_iter()
        .map(|token| {
            let is_over = token.expires_at <= now;
            view! {
                <tr role="row">
                    <td role="cell" data-l="Name" class="wrap">{token.name.clone()}</td>
                    <td role="cell" data-l="Service">{token.service_name.unwrap_or_else(|| "All services".to_owned())}</td>
                    <td role="cell" data-l="May" class="wrap">{granted(&token.scopes)}</td>
                    <td role="cell" data-l="Last used">
                        {match token.last_used_at {
                            Some(at) => view! { <When at now /> }.into_any(),
                            None => "Never".into_any(),
                        }}
                    </td>
                    <td role="cell" data-l="Expires">{if is_over { format!("Expired {}", date(token.expires_at)) } else { date(token.expires_at) }}</td>
                    <td role="cell">
                        <form method="post" action=action("account/revoke-token")>
                            <input type="hidden" name="id" value=token.id.as_str().to_owned() />
                            <button class="btn btn-sm" type="submit" aria-label=format!("Revoke {}", token.name)>"Revoke"</button>
                        </form>
                    </td>
                </tr>
            }
        })
        .collect_view();
    let columns = ["Name", "Service", "May", "Last used", "Expires"].map(Column::new);
    let columns = columns
        .into_iter()
        .chain([Column::new("Revoke").hidden()])
        .collect();
    view! {
        <Panel id="tokens" title="API tokens" bare=true>
            <Table caption="Your API tokens" columns>{rows}</Table>
        </Panel>
    }
    .into_any()
}

#[component]
fn NewTokenForm(form: FormState, readable: Vec<ReadableService>) -> impl IntoView {
    let mut of = vec![(String::new(), "All services".to_owned())];
    of.extend(
        readable
            .into_iter()
            .map(|readable| (readable.service.slug, readable.service.name)),
    );
    let grants = GRANTS
        .map(|(scopes, words)| (scopes.to_owned(), words.to_owned()))
        .to_vec();
    let days = [("30", "30 days"), ("90", "90 days"), ("365", "1 year")];
    let days = days
        .map(|(days, words)| (days.to_owned(), words.to_owned()))
        .to_vec();
    view! {
        <Panel id="new-token" title="New token">
            <form class="fields" method="post" action=action("account/create-token")>
                <div class="fields-2">
                    <TextField
                        form=form.clone()
                        name="name"
                        label="Name"
                        max_length=200
                        hint="What uses it: CI of the executor."
                        prefix="token"
                    />
                    <SelectField form=form.clone() name="service" label="Service" options=of required=false prefix="token" />
                    <SelectField form=form.clone() name="scopes" label="What it may do" options=grants value=GRANTS[1].0 prefix="token" />
                    <SelectField form=form.clone() name="expires" label="Works for" options=days value="90" prefix="token" />
                    <TextField
                        form
                        name="password"
                        label="Your password"
                        kind="password"
                        autocomplete="current-password"
                        hint="A token ends when you change your password."
                        prefix="token"
                    />
                </div>
                <div class="btn-row"><Button words="Make token" /></div>
            </form>
        </Panel>
    }
}
