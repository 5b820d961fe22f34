//! Forms of accounts: sign in and out, set-up, invitations, one's own account, people.

use leptos::prelude::*;

use super::{ActionError, Secret};

#[cfg(feature = "ssr")]
use {
    super::{ActionContext, Notice, context::set_cookie},
    crate::{cookies, one_time, paths, visit::Visit},
    holdpoint_domain::{InstanceRole, PersonId, ServiceRole, TokenId},
    holdpoint_service::{
        Actor, Client, Invite, Invited, NewToken, Person, ServiceError, SessionStore, session_keys,
    },
    http::{header, request::Parts},
    tower_sessions::Session,
};

/// Signs a person in and leads to where they wanted to go, if that is a page of ours.
#[server(prefix = "/act", endpoint = "sign-in")]
pub async fn sign_in(
    #[server(default)] email: String,
    #[server(default)] password: Secret,
    #[server(default)] next: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::open()?;
    let visit = Visit::current();
    let from = Client {
        address: &visit.client,
        device: visit.device.as_deref(),
    };
    let person = cx.services.sign_in(&email, &password, from);
    let outcome = begin_session(&cx, person)
        .await
        .map(|_| Notice::silent(local(&next)));
    let back = paths::sign_in_to(&next);
    cx.answer(outcome, back, &[("email", &email)]).await
}

/// Signs the person out and forgets the session.
#[server(prefix = "/act", endpoint = "sign-out")]
pub async fn sign_out() -> Result<(), ActionError> {
    let cx = ActionContext::open()?;
    let outcome = async {
        if let Some(person) = Visit::current().person {
            cx.services.sign_out(&person).await?;
        }
        cx.session
            .flush()
            .await
            .map_err(ServiceError::unavailable)?;
        // Nor does the browser keep what was typed here and not sent.
        if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
            let storage = http::HeaderValue::from_static("\"storage\"");
            response.insert_header(http::HeaderName::from_static("clear-site-data"), storage);
        }
        Ok::<_, ServiceError>(Notice::new("You are signed out."))
    }
    .await;
    cx.answer(outcome, paths::SIGN_IN, &[]).await
}

/// Makes the first administrator by the one-time link.
#[server(prefix = "/act", endpoint = "set-up")]
pub async fn set_up(
    token: Secret,
    #[server(default)] name: String,
    #[server(default)] email: String,
    #[server(default)] password: Secret,
) -> Result<(), ActionError> {
    let cx = ActionContext::open()?;
    let client = Visit::current().client;
    let person = cx
        .services
        .set_up(&token, &name, &email, &password, &client);
    let outcome = begin_session(&cx, person).await.map(|_| {
        Notice::new("Holdpoint is set up, and you are its administrator.").at(paths::HOME)
    });
    let back = page_of_link(&token, paths::set_up);
    cx.answer(outcome, back, &[("name", &name), ("email", &email)])
        .await
}

/// Makes the account that an invitation is for.
#[server(prefix = "/act", endpoint = "invitations/accept")]
pub async fn accept_invitation(
    token: Secret,
    #[server(default)] name: String,
    #[server(default)] password: Secret,
) -> Result<(), ActionError> {
    let cx = ActionContext::open()?;
    let client = Visit::current().client;
    let person = cx
        .services
        .accept_invitation(&token, &name, &password, &client);
    let outcome = begin_session(&cx, person).await.map(|person| {
        Notice::new(format!("Welcome, {}. Your account is ready.", person.name)).at(paths::HOME)
    });
    let back = page_of_link(&token, paths::invitation);
    cx.answer(outcome, back, &[("name", &name)]).await
}

/// Takes the role of an invitation with the account that one is signed in with.
#[server(prefix = "/act", endpoint = "invitations/join")]
pub async fn join_by_invitation(token: Secret) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let invitation = cx.services.join_by_invitation(&cx.person, &token).await?;
        let text = match invitation.service_name {
            Some(name) => format!("You now have a role on {name}."),
            None => "The invitation is accepted.".to_owned(),
        };
        Ok::<_, ServiceError>(Notice::new(text).at(paths::HOME))
    }
    .await;
    cx.answer(outcome, page_of_link(&token, paths::invitation), &[])
        .await
}

/// Revokes an invitation: `service` is the slug of the service whose page it was on, or empty.
#[server(prefix = "/act", endpoint = "invitations/revoke")]
pub async fn revoke_invitation(
    id: String,
    #[server(default)] service: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = cx
        .services
        .revoke_invitation(&cx.person, &id)
        .await
        .map(|()| "The invitation is revoked: its link does not work any more.");
    cx.answer(outcome, people_page(&service), &[]).await
}

/// Changes one's own password.
#[server(prefix = "/act", endpoint = "account/change-password")]
pub async fn change_password(
    #[server(default)] current_password: Secret,
    #[server(default)] new_password: Secret,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let kept = this_session(&cx.session);
        let changed = cx
            .services
            .change_password(
                &cx.person,
                &current_password,
                &new_password,
                &kept,
                Visit::current().device.as_deref(),
            )
            .await?;
        cx.session
            .cycle_id()
            .await
            .map_err(ServiceError::unavailable)?;
        let counted = |n: u64, one: &str| match n {
            0 => None,
            1 => Some(format!("1 {one}")),
            n => Some(format!("{n} {one}s")),
        };
        let ended: Vec<_> = [
            counted(changed.n_sessions, "other session"),
            counted(changed.n_tokens, "API token"),
        ]
        .into_iter()
        .flatten()
        .collect();
        Ok::<_, ServiceError>(if ended.is_empty() {
            "Your password is changed.".to_owned()
        } else {
            format!(
                "Your password is changed. Ended with it: {}.",
                ended.join(", ")
            )
        })
    }
    .await;
    cx.answer(outcome, paths::ACCOUNT, &[]).await
}

/// Dismisses the notice that somebody else's link has set one's password, and leads back to the page that it was on.
#[server(prefix = "/act", endpoint = "account/dismiss-reset")]
pub async fn dismiss_reset(at: i64, #[server(default)] next: String) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let back = local(&next);
    let outcome = cx
        .services
        .dismiss_reset(&cx.person, at)
        .await
        .map(|()| Notice::silent(back));
    cx.answer(outcome, back, &[]).await
}

/// Ends one of one's own sessions.
#[server(prefix = "/act", endpoint = "account/revoke-session")]
pub async fn revoke_session(id: String) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = cx
        .services
        .revoke_session(&cx.person, &id)
        .await
        .map(|()| "The session is ended.");
    cx.answer(outcome, paths::ACCOUNT, &[]).await
}

/// Ends all of one's own sessions but this one.
#[server(prefix = "/act", endpoint = "account/revoke-other-sessions")]
pub async fn revoke_other_sessions() -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = cx
        .services
        .revoke_other_sessions(&cx.person, &this_session(&cx.session))
        .await
        .map(|_| "Your other sessions are ended.");
    cx.answer(outcome, paths::ACCOUNT, &[]).await
}

/// Makes an API token. `scopes` are words with commas between them, `service` a slug or empty, `expires` a number of days.
#[server(prefix = "/act", endpoint = "account/create-token")]
pub async fn create_token(
    #[server(default)] name: String,
    #[server(default)] service: String,
    #[server(default)] scopes: String,
    #[server(default)] expires: String,
    #[server(default)] password: Secret,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let days: i64 = expires
            .parse()
            .ok()
            .filter(|days| (1..=366).contains(days))
            .ok_or_else(|| {
                ServiceError::rejected("expires", "Choose a number of days from 1 to 366.")
            })?;
        let new = NewToken {
            name: &name,
            service: Some(service.as_str()).filter(|slug| !slug.is_empty()),
            scopes: scopes
                .split(',')
                .map(str::trim)
                .filter(|word| !word.is_empty())
                .collect(),
            expires_at: cx.now + days * 86_400_000,
        };
        let made = cx.services.create_token(&cx.person, new, &password).await?;
        show_once(
            &cx,
            paths::ACCOUNT,
            &format!("Token {}", made.token.name),
            &made.secret,
        )
        .await?;
        Ok::<_, ServiceError>("The token is made. Copy it now: it is shown this once.")
    }
    .await;
    let typed = [
        ("name", name.as_str()),
        ("service", &service),
        ("scopes", &scopes),
        ("expires", &expires),
    ];
    cx.answer(outcome, paths::ACCOUNT, &typed).await
}

/// Revokes one of one's own API tokens.
#[server(prefix = "/act", endpoint = "account/revoke-token")]
pub async fn revoke_token(id: String) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let id = TokenId::parse(&id).ok_or(ServiceError::NotFound("This token"))?;
        cx.services
            .revoke_token(&cx.person, &id)
            .await
            .map(|()| "The token is revoked: it does not work any more.")
    }
    .await;
    cx.answer(outcome, paths::ACCOUNT, &[]).await
}

/// Invites somebody: to a service by its slug with a role there, or to the instance with a role there.
#[server(prefix = "/act", endpoint = "people/invite")]
pub async fn invite_person(
    #[server(default)] email: String,
    #[server(default)] name: String,
    #[server(default)] instance_role: String,
    #[server(default)] service: String,
    #[server(default)] role: String,
    #[server(default)] password: Secret,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let back = people_page(&service);
    let outcome = async {
        let to = if service.is_empty() {
            None
        } else {
            let found = cx.services.service_by_slug(&cx.person, &service).await?;
            Some((found.service.id, parse_role(&role)?))
        };
        let instance_role = if instance_role.is_empty() {
            InstanceRole::Member
        } else {
            parse_instance_role(&instance_role)?
        };
        let service = to.as_ref().map(|(id, role)| (id, *role));
        let invited = cx
            .services
            .invite(&cx.person, Invite { email: &email, name: &name, instance_role, service }, &password)
            .await?;
        Ok::<_, ServiceError>(match invited {
            Invited::Joined(person) => format!("{} has an account here and has the role now.", person.name),
            Invited::Link { invitation, secret, replaces } => {
                let link = format!("{}{}", Visit::current().origin, paths::invitation(&secret));
                show_once(&cx, &back, &format!("Link for {}", invitation.name), &link).await?;
                let earlier = match replaces {
                    0 => "",
                    _ => " The link that was made before for this address does not work any more.",
                };
                format!("The link is made. Send it yourself: it is shown this once, works once and for 7 days.{earlier}")
            }
        })
    }
    .await;
    let typed = [
        ("email", email.as_str()),
        ("name", &name),
        ("instance_role", &instance_role),
        ("role", &role),
    ];
    cx.answer(outcome, back, &typed).await
}

/// Changes what a person is to the instance.
#[server(prefix = "/act", endpoint = "people/set-instance-role")]
pub async fn set_instance_role(
    person: String,
    instance_role: String,
    version: i64,
    #[server(default)] password: Secret,
    #[server(default)] q: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let (person, role) = (parse_person(&person)?, parse_instance_role(&instance_role)?);
        cx.services
            .set_instance_role(&cx.person, &person, role, version, &password)
            .await
            .map(|()| "The role is changed.")
    }
    .await;
    let typed = [
        ("person", person.as_str()),
        ("instance_role", &instance_role),
    ];
    cx.answer(outcome, searched(paths::PEOPLE, &q), &typed)
        .await
}

/// Disables or enables an account.
#[server(prefix = "/act", endpoint = "people/set-account")]
pub async fn set_account(
    person: String,
    account: String,
    version: i64,
    #[server(default)] q: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let person = parse_person(&person)?;
        match account.as_str() {
            "disabled" => cx
                .services
                .disable_person(&cx.person, &person, version)
                .await
                .map(|()| "The account is disabled."),
            "enabled" => cx
                .services
                .enable_person(&cx.person, &person, version)
                .await
                .map(|()| "The account is enabled."),
            _ => Err(ServiceError::rejected(
                "account",
                "An account is enabled or disabled.",
            )),
        }
    }
    .await;
    let typed = [("person", person.as_str()), ("account", &account)];
    cx.answer(outcome, searched(paths::PEOPLE, &q), &typed)
        .await
}

/// Makes a one-time link with which somebody chooses a new password.
#[server(prefix = "/act", endpoint = "people/reset-password")]
pub async fn make_reset_link(
    #[server(default)] person: String,
    #[server(default)] password: Secret,
    #[server(default)] q: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let person = parse_person(&person)?;
        let link = cx
            .services
            .make_reset_link(&cx.person, &person, &password)
            .await?;
        let address = format!(
            "{}{}",
            Visit::current().origin,
            paths::password_reset(&link.secret)
        );
        let label = format!("Link by which {} sets a new password", link.person.name);
        show_once(&cx, paths::PEOPLE, &label, &address).await?;
        Ok::<_, ServiceError>(
            "The link is made. Give it to the person yourself: it is shown this once, works once and for a day.",
        )
    }
    .await;
    let back = searched(paths::PEOPLE, &q);
    cx.answer(outcome, back, &[("person", &person)]).await
}

/// Sets the password that somebody chose by a one-time link, and signs them in.
#[server(prefix = "/act", endpoint = "password-resets/use")]
pub async fn use_reset_link(
    #[server(default)] token: Secret,
    #[server(default)] new_password: Secret,
) -> Result<(), ActionError> {
    let cx = ActionContext::open()?;
    let visit = Visit::current();
    let person = cx
        .services
        .reset_password(&token, &new_password, &visit.client);
    let outcome = begin_session(&cx, person).await.map(|_| {
        Notice::new("Your new password is set, and your other sessions are ended.").at(paths::HOME)
    });
    cx.answer(outcome, page_of_link(&token, paths::password_reset), &[])
        .await
}

/// Changes what a person is to a service; with `change` as `take-away`, or an empty role, it is taken away.
#[server(prefix = "/act", endpoint = "services/set-role")]
pub async fn set_service_role(
    service: String,
    person: String,
    #[server(default)] role: String,
    #[server(default)] change: String,
    #[server(default)] password: Secret,
    #[server(default)] q: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let found = cx.services.service_by_slug(&cx.person, &service).await?;
        let role = if role.is_empty() || change == "take-away" {
            None
        } else {
            Some(parse_role(&role)?)
        };
        cx.services
            .change_role(
                &cx.person,
                &found.service.id,
                &parse_person(&person)?,
                role,
                &password,
            )
            .await?;
        Ok::<_, ServiceError>(if role.is_some() {
            "The role is changed."
        } else {
            "The role is taken away."
        })
    }
    .await;
    let back = searched(&paths::service_people(&service), &q);
    let typed = [("person", person.as_str()), ("role", &role)];
    cx.answer(outcome, back, &typed).await
}

/// Makes the session the person's. It gets a new id, so that an id from before the sign-in is worth nothing, and forgets
/// what was in it.
#[cfg(feature = "ssr")]
async fn begin_session<P>(
    cx: &ActionContext<P>,
    person: impl Future<Output = Result<Person, ServiceError>>,
) -> Result<Person, ServiceError> {
    let person = person.await?;
    let session = &cx.session;
    let agent: String = use_context::<Parts>()
        .and_then(|parts| {
            Some(
                parts
                    .headers
                    .get(header::USER_AGENT)?
                    .to_str()
                    .ok()?
                    .chars()
                    .take(300)
                    .collect(),
            )
        })
        .unwrap_or_default();
    session.clear().await;
    let begin = async {
        session.cycle_id().await?;
        session
            .insert(session_keys::PERSON, person.id.as_str())
            .await?;
        session.insert(session_keys::CREATED_AT, cx.now).await?;
        session.insert(session_keys::USER_AGENT, agent).await?;
        session
            .insert(session_keys::ADDRESS, Visit::current().client)
            .await
    };
    begin.await.map_err(ServiceError::unavailable)?;
    let device = Visit::current().device;
    match cx
        .services
        .remember_device(&person.id, device.as_deref())
        .await
    {
        Ok(secret) => set_cookie(cookies::DEVICE, &secret),
        // Nobody is turned away because the browser could not be remembered.
        Err(error) => tracing::warn!(
            error = &error as &dyn std::error::Error,
            "a device was not remembered"
        ),
    }
    Ok(person)
}

/// The page of a one-time link, to lead back to. What is longer than any link leads nowhere.
#[cfg(feature = "ssr")]
fn page_of_link(secret: &str, page: fn(&str) -> String) -> String {
    const MAX_SECRET_BYTES: usize = 200;
    if secret.len() <= MAX_SECRET_BYTES {
        page(secret)
    } else {
        paths::SIGN_IN.to_owned()
    }
}

/// The stored id of the session that the request came with.
#[cfg(feature = "ssr")]
fn this_session(session: &Session) -> String {
    session
        .id()
        .map(|id| SessionStore::stored_id(&id))
        .unwrap_or_default()
}

#[cfg(feature = "ssr")]
async fn show_once(
    cx: &ActionContext<Actor>,
    page: &str,
    label: &str,
    secret: &str,
) -> Result<(), ServiceError> {
    one_time::keep(&cx.services, &cx.session, page, label, secret)
        .await
        .map_err(ServiceError::unavailable)
}

#[cfg(feature = "ssr")]
fn local(next: &str) -> &str {
    if paths::is_local(next) {
        next
    } else {
        paths::HOME
    }
}

#[cfg(feature = "ssr")]
fn people_page(service: &str) -> String {
    if service.is_empty() {
        paths::PEOPLE.to_owned()
    } else {
        paths::service_people(service)
    }
}

/// A page of people with what was searched for on it.
#[cfg(feature = "ssr")]
fn searched(page: &str, text: &str) -> String {
    let address = paths::with_query(page, &[("q", text)]);
    if paths::is_local(&address) {
        address
    } else {
        page.to_owned()
    }
}

#[cfg(feature = "ssr")]
fn parse_person(text: &str) -> Result<PersonId, ServiceError> {
    PersonId::parse(text).ok_or(ServiceError::NotFound("This person"))
}

#[cfg(feature = "ssr")]
fn parse_role(text: &str) -> Result<ServiceRole, ServiceError> {
    ServiceRole::parse(text).ok_or_else(|| {
        ServiceError::rejected(
            "role",
            "Choose manager, reviewer, contributor, viewer or auditor.",
        )
    })
}

#[cfg(feature = "ssr")]
fn parse_instance_role(text: &str) -> Result<InstanceRole, ServiceError> {
    InstanceRole::parse(text)
        .ok_or_else(|| ServiceError::rejected("instance_role", "Choose admin or member."))
}
