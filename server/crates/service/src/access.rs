//! Who acts, and whether they may.

use holdpoint_domain::{InstanceRole, PersonId, ServiceId, ServiceRole, TokenId, person::Action};
use holdpoint_storage::{Granted, Tx};

use crate::{ServiceError, Services};

/// The person who acts, as established by a session, a token or the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub id: PersonId,
    pub name: String,
    pub email: String,
    pub instance_role: InstanceRole,
    /// Set when a token acts for the person: it can do at most what it was granted.
    pub token: Option<TokenGrant>,
}

/// What an API token was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenGrant {
    pub id: TokenId,
    /// Only this service, when set.
    pub service: Option<ServiceId>,
    pub actions: Vec<Action>,
}

impl TokenGrant {
    pub(crate) fn covers(&self, service: Option<&ServiceId>, action: Action) -> bool {
        let here = match (&self.service, service) {
            (None, _) => true,
            (Some(granted), Some(asked)) => granted == asked,
            (Some(_), None) => false,
        };
        // Reading belongs to every grant: nothing can be done with what cannot be seen.
        here && (action == Action::Read || self.actions.contains(&action))
    }
}

/// What an actor may do with one service, for pages that show or leave out what is possible. Doing it is checked again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    pub role: Option<ServiceRole>,
    actor: Actor,
    service: ServiceId,
}

impl Access {
    pub fn may(&self, action: Action) -> bool {
        let granted = self
            .actor
            .token
            .as_ref()
            .is_none_or(|token| token.covers(Some(&self.service), action));
        granted
            && (self.actor.instance_role.may(action)
                || self.role.is_some_and(|role| role.may(action)))
    }
}

impl Services {
    /// What the actor may do with a service; it is "not found" for whoever may not even read it.
    pub async fn access(&self, actor: &Actor, service: &ServiceId) -> Result<Access, ServiceError> {
        let mut tx = self.database().read().await?;
        let role = self.allow(&mut tx, actor, service, Action::Read).await?;
        Ok(Access {
            role,
            actor: actor.clone(),
            service: service.clone(),
        })
    }

    /// Lets the actor do something with a service, or says why not. Whoever may not even read the service is told that
    /// it was not found. In a unit of work that writes, nobody takes away what they may do until it ends. Returns the actor's
    /// role there, if they have one.
    pub(crate) async fn allow(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        service: &ServiceId,
        action: Action,
    ) -> Result<Option<ServiceRole>, ServiceError> {
        let granted = tx.granted(service, &actor.id).await?;
        allowed(granted, actor, service, action)
    }

    /// Lets the actor do something with the instance itself, or says why not; kept as [`Services::allow`] keeps it.
    pub(crate) async fn allow_instance(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        action: Action,
    ) -> Result<(), ServiceError> {
        let stored = tx.instance_role(&actor.id).await?;
        allowed_on_instance(stored, actor, action)
    }
}

pub(crate) fn disabled() -> ServiceError {
    ServiceError::Forbidden("Your account is disabled. An administrator can enable it.".to_owned())
}

/// As [`allowed`], of the instance itself.
fn allowed_on_instance(
    stored: Option<InstanceRole>,
    actor: &Actor,
    action: Action,
) -> Result<(), ServiceError> {
    let role = stored.ok_or_else(disabled)?;
    let granted = actor
        .token
        .as_ref()
        .is_none_or(|token| token.covers(None, action));
    if !role.may(action) {
        return Err(ServiceError::Forbidden(who_may(action).to_owned()));
    }
    if !granted {
        return Err(not_granted(action));
    }
    Ok(())
}

pub(crate) fn not_granted(action: Action) -> ServiceError {
    ServiceError::Forbidden(format!(
        "This token was not granted `{action}`. Make one that was."
    ))
}

/// Holds what is asked for against what is stored of the person now, and against the token. What was known of the person when the
/// request came may be old.
fn allowed(
    stored: Option<Granted>,
    actor: &Actor,
    service: &ServiceId,
    action: Action,
) -> Result<Option<ServiceRole>, ServiceError> {
    let Some(Granted {
        instance_role,
        role,
    }) = stored
    else {
        return Err(disabled());
    };
    let may = |asked| instance_role.may(asked) || role.is_some_and(|role| role.may(asked));
    let granted = |asked| {
        actor
            .token
            .as_ref()
            .is_none_or(|token| token.covers(Some(service), asked))
    };
    if !may(Action::Read) || !(granted(Action::Read) || granted(action)) {
        return Err(ServiceError::NotFound("This service"));
    }
    if !may(action) {
        return Err(ServiceError::Forbidden(who_may(action).to_owned()));
    }
    if !granted(action) {
        return Err(not_granted(action));
    }
    Ok(role)
}

fn who_may(action: Action) -> &'static str {
    match action {
        Action::Administer => "Only an administrator of this instance can do this.",
        Action::Manage => "Only a manager of this service can do this.",
        Action::Decide => "Only a reviewer or manager of this service can sign an item.",
        Action::DecideRelease => "Only a manager of this service can sign the release decision.",
        Action::ApprovePatch => "Only a reviewer or manager of this service can decide on a patch.",
        Action::Contribute => {
            "Only a contributor, reviewer or manager of this service can do this."
        }
        Action::ImportScans => {
            "Only a contributor, reviewer or manager of this service can import scans."
        }
        Action::Read | Action::Export => "Only people with a role on this service can see it.",
    }
}
