//! Invitations: a one-time link, shown once to whoever invites, makes an account or gives a role.

use holdpoint_domain::{
    Digest, InstanceRole, Millis, ServiceId, ServiceRole,
    person::Action,
    text::{Email, Name},
};
use holdpoint_storage::{Found, Invitation, Listed, NewActivity, NewInvitation, Person, Tx};
use serde_json::json;

use crate::{
    Actor, ServiceError, Services,
    accounts::{CheckedAccount, MAX_FOUND, NewAccount, in_person, refuse_look_alikes},
    attempts::Key,
    changes::refuse_beyond,
};

/// How long an invitation can be accepted.
pub const INVITATION_LASTS: Millis = 7 * 24 * 60 * 60 * 1_000;

const GONE: &str = "This invitation does not work any more: it was accepted, revoked, replaced or is older than 7 days. Ask for a new one.";

/// Who is invited, and to what.
#[derive(Clone, Copy, Debug)]
pub struct Invite<'a> {
    pub email: &'a str,
    /// May be empty for somebody who has an account.
    pub name: &'a str,
    pub instance_role: InstanceRole,
    pub service: Option<(&'a ServiceId, ServiceRole)>,
}

/// What came of inviting somebody. Not `Debug`: it can hold a secret.
#[derive(Clone)]
pub enum Invited {
    /// Give the person the link with this secret; it cannot be shown again.
    Link {
        invitation: Box<Invitation>,
        secret: String,
        /// How many links for the same address and service end with it.
        replaces: u64,
    },
    /// They have an account already and were given the role.
    Joined(Box<Person>),
}

impl Services {
    /// Invites somebody to the instance (admins), or gives a role on a service to somebody who has an account (its
    /// managers). Managers invite people without an account only where the instance is set so: two accounts of one person
    /// would be two signatures.
    /// `password` is the actor's own: an invitation outlives the session it is made in.
    pub async fn invite(
        &self,
        actor: &Actor,
        invite: Invite<'_>,
        password: &str,
    ) -> Result<Invited, ServiceError> {
        in_person(actor)?;
        let confirmed = self.confirm_password(actor, password).await?;
        let mut tx = self.database().write().await?;
        self.hold_confirmed(&mut tx, actor, &confirmed).await?;
        if let Some((service, _)) = invite.service {
            self.allow(&mut tx, actor, service, Action::Manage).await?;
            if tx.service(service).await?.is_none() {
                return Err(ServiceError::NotFound("This service"));
            }
        }
        if invite.service.is_none() || invite.instance_role == InstanceRole::Admin {
            self.allow_instance(&mut tx, actor, Action::Administer)
                .await?;
        }
        let email = Email::parse(invite.email).map_err(ServiceError::at("email"))?;
        if let Some(person) = tx.person_by_email(email.as_str()).await? {
            let Some((service, role)) = invite.service else {
                return Err(ServiceError::rejected(
                    "email",
                    format!("{} has an account with this address already.", person.name),
                ));
            };
            if person.disabled_at.is_some() {
                return Err(ServiceError::rejected(
                    "email",
                    format!(
                        "The account of {} is disabled. An administrator can enable it again.",
                        person.name
                    ),
                ));
            }
            let before = tx.service_role(service, &person.id).await?;
            if let Some(before) = before.filter(|before| *before != role) {
                return Err(ServiceError::rejected(
                    "email",
                    format!(
                        "{} is {} here already. Change the role in the list of people.",
                        person.name,
                        before.label().to_lowercase()
                    ),
                ));
            }
            if before.is_none() {
                self.join(&mut tx, actor.id.as_str(), &person, service, role)
                    .await?;
                tx.commit().await?;
            }
            return Ok(Invited::Joined(Box::new(person)));
        }
        if !self.managers_invite()
            && (self.allow_instance(&mut tx, actor, Action::Administer))
                .await
                .is_err()
        {
            return Err(ServiceError::rejected(
                "email",
                "Nobody has an account with this address, and only an administrator can make one here. Ask for it, then give \
                 the role.",
            ));
        }
        if invite.name.trim().is_empty() {
            return Err(ServiceError::rejected(
                "name",
                "Nobody has an account with this address: write the person's full name.",
            ));
        }
        let name = Name::parse(invite.name).map_err(ServiceError::at("name"))?;
        refuse_look_alikes(&mut tx, name.as_str(), email.as_str()).await?;
        let (now, secret) = (self.now(), self.ids().secret());
        let id = self.ids().uuid(now);
        let service = invite.service.map(|(service, _)| service);
        let replaces = tx
            .revoke_invitations_to(email.as_str(), service, now)
            .await?;
        tx.insert_invitation(NewInvitation {
            id: &id,
            secret_digest: &Digest::of(secret.as_bytes()),
            email: email.as_str(),
            name: name.as_str(),
            instance_role: invite.instance_role,
            service: invite.service,
            invited_by: &actor.id,
            created_at: now,
            expires_at: now + INVITATION_LASTS,
        })
        .await?;
        let invitation = tx
            .invitation(&id)
            .await?
            .ok_or(ServiceError::NotFound("This invitation"))?;
        tx.append_activity(NewActivity {
            service: service.map(ServiceId::as_str),
            after: Some(
                json!({
                    "email": email,
                    "instance_role": invite.instance_role,
                    "service_role": invite.service.map(|(_, role)| role),
                })
                .to_string(),
            ),
            ..self.about(
                actor.id.as_str(),
                "invitation.made",
                "invitation",
                &id,
                format!("invited {}", name.as_str()),
            )
        })
        .await?;
        tx.commit().await?;
        Ok(Invited::Link {
            invitation: Box::new(invitation),
            secret,
            replaces,
        })
    }

    /// The invitations that can still be accepted and whose name or address holds a text: of all (admins), or of those to one
    /// service (its managers). The newest [`MAX_FOUND`].
    pub async fn invitations(
        &self,
        actor: &Actor,
        service: Option<&ServiceId>,
        text: &str,
    ) -> Result<Found<Invitation>, ServiceError> {
        let mut tx = self.database().read().await?;
        match service {
            Some(service) => {
                self.allow(&mut tx, actor, service, Action::Manage).await?;
            }
            None => {
                self.allow_instance(&mut tx, actor, Action::Administer)
                    .await?;
            }
        }
        Ok(tx
            .open_invitations(service, text, self.now(), MAX_FOUND)
            .await?)
    }

    /// Revokes an invitation that nobody has accepted yet.
    pub async fn revoke_invitation(&self, actor: &Actor, id: &str) -> Result<(), ServiceError> {
        const UNKNOWN: ServiceError = ServiceError::NotFound("This invitation");
        in_person(actor)?;
        let mut tx = self.database().write().await?;
        let invitation = tx.invitation(id).await?;
        let service = invitation
            .as_ref()
            .and_then(|invitation| invitation.service.as_ref());
        match service {
            Some((service, _)) => {
                self.allow(&mut tx, actor, service, Action::Manage)
                    .await
                    .map_err(|error| match error {
                        ServiceError::NotFound(_) => UNKNOWN,
                        error => error,
                    })?;
            }
            None => {
                self.allow_instance(&mut tx, actor, Action::Administer)
                    .await?;
            }
        }
        let invitation = invitation.ok_or(UNKNOWN)?;
        if !tx.revoke_invitation(id, self.now()).await? {
            return Err(ServiceError::rejected(
                "",
                "This invitation was accepted or revoked already.",
            ));
        }
        tx.append_activity(NewActivity {
            service: invitation
                .service
                .as_ref()
                .map(|(service, _)| service.as_str()),
            ..self.about(
                actor.id.as_str(),
                "invitation.revoked",
                "invitation",
                id,
                format!("revoked the invitation of {}", invitation.name),
            )
        })
        .await?;
        Ok(tx.commit().await?)
    }

    /// The invitation behind a link, so that its page shows the form; a rejection once it does not work any more. `address` is the
    /// network address that asks: one that guesses is made to wait.
    pub async fn open_invitation(
        &self,
        secret: &str,
        address: &str,
    ) -> Result<Invitation, ServiceError> {
        let keys = [Key::of_link(address)];
        self.begin_attempt(&keys)?;
        let mut tx = self.database().read().await?;
        let invitation = self.invitation_behind(&mut tx, secret).await?;
        self.attempts().succeed(&keys);
        Ok(invitation)
    }

    /// Makes the account that a link invites to. Of two who use it at once, one succeeds.
    pub async fn accept_invitation(
        &self,
        secret: &str,
        name: &str,
        password: &str,
        address: &str,
    ) -> Result<Person, ServiceError> {
        let invitation = self.open_invitation(secret, address).await?;
        let mut tx = self.database().read().await?;
        if tx.person_by_email(&invitation.email).await?.is_some() {
            return Err(ServiceError::rejected(
                "",
                "There is an account with this address already. Sign in with it, then open this link again.",
            ));
        }
        drop(tx);
        let account = CheckedAccount::of(NewAccount {
            email: &invitation.email,
            name,
            password,
            instance_role: invitation.instance_role,
        })?;
        let made_by = Some(&invitation.invited_by);
        self.make_account(account, "", made_by, async |tx, person| {
            if !tx.accept_invitation(&invitation.id, self.now()).await? {
                return Err(ServiceError::rejected("", GONE));
            }
            if let Some((service, role)) = &invitation.service {
                self.join(tx, person.id.as_str(), person, service, *role)
                    .await?;
            }
            Ok(())
        })
        .await
    }

    /// Takes the role that a link invites to, with the account that the actor has already. It must be the invited one.
    pub async fn join_by_invitation(
        &self,
        actor: &Actor,
        secret: &str,
    ) -> Result<Invitation, ServiceError> {
        in_person(actor)?;
        // A guess does not get as far as the one writer.
        self.invitation_behind(&mut self.database().read().await?, secret)
            .await?;
        let mut tx = self.database().write().await?;
        let invitation = self.invitation_behind(&mut tx, secret).await?;
        if invitation.email != actor.email {
            return Err(ServiceError::Forbidden(format!(
                "This invitation is for {}, and you are signed in as {}.",
                invitation.email, actor.email
            )));
        }
        let person = tx
            .person(&actor.id)
            .await?
            .ok_or(ServiceError::NotFound("This person"))?;
        if !tx.accept_invitation(&invitation.id, self.now()).await? {
            return Err(ServiceError::rejected("", GONE));
        }
        match &invitation.service {
            // A role that was given since then is not lowered by an older link.
            Some((service, role)) if tx.service_role(service, &person.id).await?.is_none() => {
                self.join(&mut tx, person.id.as_str(), &person, service, *role)
                    .await?;
            }
            _ => {
                let entry = self.about(
                    person.id.as_str(),
                    "invitation.accepted",
                    "invitation",
                    &invitation.id,
                    "accepted an invitation",
                );
                tx.append_activity(entry).await?;
            }
        }
        tx.commit().await?;
        Ok(invitation)
    }

    async fn invitation_behind(
        &self,
        tx: &mut Tx,
        secret: &str,
    ) -> Result<Invitation, ServiceError> {
        tx.invitation_by_secret(&Digest::of(secret.as_bytes()))
            .await?
            .filter(|invitation| invitation.is_open(self.now()))
            .ok_or_else(|| ServiceError::rejected("", GONE))
    }

    /// Gives somebody their first role on a service.
    async fn join(
        &self,
        tx: &mut Tx,
        by: &str,
        person: &Person,
        service: &ServiceId,
        role: ServiceRole,
    ) -> Result<(), ServiceError> {
        let listed = Listed::MembersOf(service);
        refuse_beyond(tx, listed, "role", "people with a role here").await?;
        tx.set_service_role(service, &person.id, Some(role)).await?;
        tx.append_activity(NewActivity {
            service: Some(service.as_str()),
            after: Some(json!({"role": role}).to_string()),
            ..self.about(
                by,
                "member.added",
                "person",
                person.id.as_str(),
                format!(
                    "made {} {} of the service",
                    person.name,
                    role.label().to_lowercase()
                ),
            )
        })
        .await?;
        Ok(())
    }
}
