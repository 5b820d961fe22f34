//! People: everyone with an account (for admins), and the people of a service.

use holdpoint_domain::{InstanceRole, Millis, ServiceRole, person::Action};
use holdpoint_service::{Found, Invitation, Person};
use leptos::prelude::*;

use super::{SearchPeople, ShownOnce, parameter, query, rest_of, sign_in::action};
use crate::{
    flash::FormState,
    one_time,
    pages::page,
    parts::{
        Button, Column, Crumb, Frame, PageHead, Panel, RowAct, SelectField, Table, TextField, When,
        Who, controls::Weight, figure::thousands, when::date,
    },
    paths,
    visit::{Visit, services},
};

fn instance_roles() -> Vec<(String, String)> {
    vec![
        ("member".to_owned(), "Member".to_owned()),
        ("admin".to_owned(), "Administrator".to_owned()),
    ]
}

fn service_roles() -> Vec<(String, String)> {
    ServiceRole::ALL
        .iter()
        .map(|role| (role.as_str().to_owned(), role.label().to_owned()))
        .collect()
}

#[component]
pub fn PeoplePage() -> impl IntoView {
    let text = query("q");
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let services = services();
        let people = services.people(&person, &text).await?;
        let invitations = services.invitations(&person, None, &text).await?;
        let shown = one_time::take(paths::PEOPLE).await;
        let title = if text.is_empty() {
            format!("{} with an account", thousands(people.n_matching))
        } else {
            format!(
                "{} with \u{201c}{text}\u{201d} in name or address",
                thousands(people.n_matching)
            )
        };
        let rest = rest_of(&people, "Search by name or address for the others.");
        let form = visit.form_of_any(&[
            "people/set-instance-role",
            "people/set-account",
            "people/reset-password",
        ]);
        let rows = people
            .entries
            .into_iter()
            .map(|person| person_row(person, &form, &text))
            .collect_view();
        let managers = if services.managers_invite() {
            (
                "Managers of a service may invite people who have no account, since ",
                " is on (",
            )
        } else {
            (
                "Only administrators make accounts. Managers give roles to people who have one, since ",
                " is off (",
            )
        };
        let columns = ["Person", "Address", "Since", "Role"].map(Column::new);
        let columns = columns
            .into_iter()
            .chain([Column::new("Account").hidden()])
            .collect();
        Ok(view! {
            <Frame title="People" crumbs=vec![Crumb::here("People")]>
                <PageHead title="People" />
                <div class="stack">
                    <ShownOnce shown />
                    <SearchPeople action=paths::PEOPLE.to_owned() text />
                    <Panel id="people" title bare=true>
                        <Table caption="Everyone with an account" columns>{rows}</Table>
                        {rest}
                    </Panel>
                    <p class="small muted" id="managers-invite">
                        {managers.0} <code>"managers-invite"</code> {managers.1} "in " <code>"holdpoint.toml"</code> ", or "
                        <code>"HOLDPOINT_MANAGERS_INVITE"</code> "). An account alone sees no service: its role on one is given on the service’s own page, "
                        <a href=paths::SERVICES>"Services"</a> ", under People."
                    </p>
                    <InviteForm form=visit.form("people/invite") />
                    <Invitations invitations now=visit.now />
                </div>
            </Frame>
        })
    })
}

/// Asks whoever changes what others may do to say again who they are.
#[component]
fn OwnPassword(form: FormState, row: String) -> impl IntoView {
    view! {
        <TextField
            form
            name="password"
            label="Your password"
            kind="password"
            autocomplete="current-password"
            prefix_owned=row
        />
    }
}

/// One person. `form` is what was left of any row's form, `text` what is searched for.
fn person_row(person: Person, form: &FormState, text: &str) -> impl IntoView + use<> {
    let is_admin = person.instance_role == InstanceRole::Admin;
    let id = person.id.as_str().to_owned();
    let version = person.version.to_string();
    let form = form.of_row("person", &id);
    let row = format!("person-{id}");
    let tone = form.was_refused().then_some("red");
    let hidden = {
        let text = text.to_owned();
        move || {
            view! {
                <input type="hidden" name="person" value=id.clone() />
                <input type="hidden" name="version" value=version.clone() />
                <input type="hidden" name="q" value=text.clone() />
            }
        }
    };
    let (role, words) = if is_admin {
        ("member", "Make a member")
    } else {
        ("admin", "Make an administrator")
    };
    let (account, account_words, weight) = match person.disabled_at {
        Some(_) => ("enabled", "Enable account", Weight::Secondary),
        None => ("disabled", "Disable account", Weight::Danger),
    };
    let reset = person.disabled_at.is_none().then(|| {
        let to = action("people/reset-password");
        view! { <Button words="Make a link for a new password" small=true action=to /> }
    });
    view! {
        <tr role="row" data-tone=tone>
            <td role="cell" data-l="Person"><Who name=person.name.clone() /></td>
            <td role="cell" data-l="Address" class="wrap">{person.email}</td>
            <td role="cell" data-l="Since">
                <div>
                    <span class="nowrap">{date(person.created_at)}</span>
                    {person.made_by.map(|(_, name)| view! { <span class="sub">{format!("Invited by {name}")}</span> })}
                    {person.password_reset.map(|(_, name, at)| {
                        view! { <span class="sub">{format!("Password reset by {name}, {}", date(at))}</span> }
                    })}
                </div>
            </td>
            <td role="cell" data-l="Role">
                {if is_admin { "Administrator" } else { "Member" }}
                {person.disabled_at.map(|at| view! { <span class="muted">{format!(", disabled {}", date(at))}</span> })}
            </td>
            <td role="cell" class="full">
                <RowAct words=format!("Change {}", person.name) form=form.clone() id=row.clone() fields=&["password"]>
                    <form method="post" action=action("people/set-instance-role")>
                        {hidden()}
                        // Which of the acts Enter means would be a guess: the first button takes it, and does nothing.
                        <button type="submit" disabled hidden></button>
                        <OwnPassword form row />
                        <div class="btn-row">
                            {reset}
                            <Button words small=true name="instance_role" value=role />
                        </div>
                    </form>
                    <form method="post" action=action("people/set-account")>
                        {hidden()}
                        <div class="btn-row">
                            <Button words=account_words small=true weight name="account" value=account />
                        </div>
                    </form>
                </RowAct>
            </td>
        </tr>
    }
}

#[component]
pub fn ServicePeoplePage() -> impl IntoView {
    let (slug, text) = (parameter("slug"), query("q"));
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let services = services();
        let found = services.service_by_slug(&person, &slug).await?;
        let (service, role) = (found.service, found.role);
        let members = services.members_found(&person, &service.id, &text).await?;
        let may_manage = person.instance_role.may(Action::Manage)
            || role.is_some_and(|role| role.may(Action::Manage));
        let invitations = if may_manage {
            let found = services.invitations(&person, Some(&service.id), &text);
            Some(found.await?)
        } else {
            None
        };
        let here = paths::service_people(&service.slug);
        let shown = one_time::take(&here).await;
        let rest = rest_of(&members, "Search by name or address for the others.");
        let title = if text.is_empty() {
            "Who has a role".to_owned()
        } else {
            format!(
                "{} with \u{201c}{text}\u{201d} in name or address",
                thousands(members.n_matching)
            )
        };
        let form = visit.form("services/set-role");
        let rows = members
            .entries
            .into_iter()
            .map(|(member, role)| member_row(&service.slug, member, role, may_manage, &form, &text))
            .collect_view();
        let mut columns: Vec<_> = ["Person", "Address", "Role"]
            .into_iter()
            .map(Column::new)
            .collect();
        if may_manage {
            columns.push(Column::new("Change").hidden());
        }
        let may_invite = services.managers_invite() || person.instance_role.may(Action::Administer);
        let manage = may_manage.then(|| {
            view! {
                <InviteForm form=visit.form("people/invite") service=service.slug.clone() may_invite />
                {invitations
                    .map(|invitations| view! { <Invitations invitations now=visit.now service=service.slug.clone() /> })}
            }
        });
        let crumbs = vec![
            Crumb::to("Reviews", paths::HOME),
            Crumb::to(service.name.clone(), paths::service(&service.slug)),
            Crumb::here("People"),
        ];
        Ok(view! {
            <Frame title=format!("People of {}", service.name) crumbs>
                <PageHead title=format!("People of {}", service.name) />
                <div class="stack">
                    <ShownOnce shown />
                    <SearchPeople action=here text />
                    <Panel id="people" title bare=true>
                        <Table caption="People of this service" columns>{rows}</Table>
                        {rest}
                    </Panel>
                    {manage}
                </div>
            </Frame>
        })
    })
}

/// One member of a service. `form` is what was left of any row's form, `text` what is searched for.
fn member_row(
    slug: &str,
    member: Person,
    role: ServiceRole,
    may_manage: bool,
    form: &FormState,
    text: &str,
) -> impl IntoView + use<> {
    let id = member.id.as_str().to_owned();
    let form = form.of_row("person", &id);
    let is_refused = form.was_refused();
    let change = may_manage.then(|| {
        let row = format!("member-{id}");
        let (slug, text) = (slug.to_owned(), text.to_owned());
        view! {
            <td role="cell" class="full">
                <RowAct words=format!("Change {}", member.name) form=form.clone() id=row.clone() fields=&["role", "password"]>
                    <form method="post" action=action("services/set-role")>
                        <input type="hidden" name="service" value=slug />
                        <input type="hidden" name="person" value=id />
                        <input type="hidden" name="q" value=text />
                        <SelectField
                            form=form.clone()
                            name="role"
                            label="Role"
                            options=service_roles()
                            value=role.as_str()
                            prefix_owned=row.clone()
                        />
                        <OwnPassword form row />
                        <div class="btn-row">
                            <Button words="Change role" small=true />
                            <Button words="Take the role away" small=true weight=Weight::Danger name="change" value="take-away" />
                        </div>
                    </form>
                </RowAct>
            </td>
        }
    });
    view! {
        <tr role="row" data-tone=is_refused.then_some("red")>
            <td role="cell" data-l="Person"><Who name=member.name.clone() /></td>
            <td role="cell" data-l="Address" class="wrap">{member.email}</td>
            <td role="cell" data-l="Role">
                <div>{role.label()} {member.disabled_at.map(|_| view! { <span class="muted">", disabled"</span> })}</div>
            </td>
            {change}
        </tr>
    }
}

/// Invites to the instance, or to a service when its slug is given.
#[component]
fn InviteForm(
    form: FormState,
    #[prop(optional, into)] service: String,
    /// Whether also somebody without an account can be invited.
    #[prop(default = true)]
    may_invite: bool,
) -> impl IntoView {
    let to_service = !service.is_empty();
    let role = if to_service {
        view! { <SelectField form=form.clone() name="role" label="Role here" options=service_roles() value="contributor" prefix="invite" /> }
            .into_any()
    } else {
        view! { <SelectField form=form.clone() name="instance_role" label="Role" options=instance_roles() value="member" prefix="invite" /> }
            .into_any()
    };
    let password = view! {
        <TextField
            form=form.clone()
            name="password"
            label="Your password"
            kind="password"
            autocomplete="current-password"
            hint="Asked for whenever somebody is let in."
            prefix="invite"
        />
    };
    let name_hint = to_service.then(|| "Not needed for somebody who has an account.".to_owned());
    if !may_invite {
        return view! {
            <Panel id="invite" title="Give somebody a role">
                <form class="fields" method="post" action=action("people/invite")>
                    <input type="hidden" name="service" value=service />
                    <div class="fields-2">
                        <TextField
                            form=form.clone()
                            name="email"
                            label="Email"
                            kind="email"
                            max_length=254
                            hint="Of somebody who has an account. Only an administrator can make one."
                            prefix="invite"
                        />
                        {role}
                        {password}
                    </div>
                    <div class="btn-row"><Button words="Give the role" weight=Weight::Primary /></div>
                </form>
            </Panel>
        }
        .into_any();
    }
    view! {
        <Panel id="invite" title="Invite somebody">
            <form class="fields" method="post" action=action("people/invite")>
                <input type="hidden" name="service" value=service />
                <div class="fields-2">
                    <TextField form=form.clone() name="email" label="Email" kind="email" max_length=254 prefix="invite" />
                    <TextField
                        form=form.clone()
                        name="name"
                        label="Full name"
                        max_length=200
                        required=!to_service
                        hint=name_hint.unwrap_or_else(|| "As it will stand under what they sign.".to_owned())
                        prefix="invite"
                    />
                    {role}
                    {password}
                </div>
                <div class="btn-row"><Button words="Make invitation" weight=Weight::Primary /></div>
            </form>
        </Panel>
    }
    .into_any()
}

#[component]
fn Invitations(
    invitations: Found<Invitation>,
    now: Millis,
    #[prop(optional, into)] service: String,
) -> impl IntoView {
    (!invitations.entries.is_empty()).then(|| {
        let rest = rest_of(&invitations, "Search by name or address for the others.");
        let rows = invitations
            .entries
            .into_iter()
            .map(|invitation| {
                let to = match (&invitation.service, &invitation.service_name) {
                    (Some((_, role)), Some(name)) => format!("{name}, {}", role.label().to_lowercase()),
                    _ if invitation.instance_role == InstanceRole::Admin => "Holdpoint, administrator".to_owned(),
                    _ => "Holdpoint".to_owned(),
                };
                view! {
                    <tr role="row">
                        <td role="cell" data-l="Person">{invitation.name.clone()}</td>
                        <td role="cell" data-l="Address" class="wrap">{invitation.email}</td>
                        <td role="cell" data-l="To">{to}</td>
                        <td role="cell" data-l="By">{invitation.inviter_name}</td>
                        <td role="cell" data-l="Works until"><When at=invitation.expires_at now /></td>
                        <td role="cell">
                            <form method="post" action=action("invitations/revoke")>
                                <input type="hidden" name="id" value=invitation.id />
                                <input type="hidden" name="service" value=service.clone() />
                                <button class="btn btn-sm" type="submit" aria-label=format!("Revoke the invitation of {}", invitation.name)>
                                    "Revoke"
                                </button>
                            </form>
                        </td>
                    </tr>
                }
            })
            .collect_view();
        let columns = ["Person", "Address", "To", "By", "Works until"].map(Column::new);
        let columns = columns.into_iter().chain([Column::new("Revoke").hidden()]).collect();
        view! {
            <Panel id="invitations" title="Open invitations" bare=true>
                <Table caption="Invitations that can still be accepted" columns>{rows}</Table>
                {rest}
            </Panel>
        }
    })
}
