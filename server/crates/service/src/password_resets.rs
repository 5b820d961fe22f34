//! A new password for somebody who has lost theirs: a one-time link, shown once to the administrator who makes it.
//!
//! Holdpoint sends no mail, so the administrator gives the link to the person. Whoever has it can sign as that person
//! afterwards; therefore it works once and for a day, and the log says who made it and when it was used.

use holdpoint_domain::{Digest, Millis, PersonId, person::Action, text::Email};
use holdpoint_storage::{NewActivity, Person, Tx};

use crate::{
    Actor, ServiceError, Services,
    accounts::{SYSTEM, in_person, stored_names},
    attempts::Key,
    passwords::NewPassword,
};

/// How long a link works.
pub const RESET_LASTS: Millis = 24 * 60 * 60 * 1_000;

const GONE: &str = "This link does not work any more: it was used, replaced or is older than a day, or the account is \
    disabled. Ask an administrator for a new one.";

/// A link that was just made. Not `Debug`: it holds a secret.
#[derive(Clone)]
pub struct ResetLink {
    pub person: Person,
    pub secret: String,
    pub expires_at: Millis,
}

/// Whose password a link sets.
#[derive(Clone, Debug)]
pub struct OpenReset {
    pub person: Person,
    pub expires_at: Millis,
    id: String,
    /// Absent for a link that the command line made.
    made_by: Option<PersonId>,
}

impl Services {
    /// Makes a link with which somebody chooses a new password. An older one stops working. `password` is the actor's own.
    pub async fn make_reset_link(
        &self,
        actor: &Actor,
        person: &PersonId,
        password: &str,
    ) -> Result<ResetLink, ServiceError> {
        in_person(actor)?;
        let confirmed = self.confirm_administrator(actor, password).await?;
        let mut tx = self.database().write().await?;
        self.allow_instance(&mut tx, actor, Action::Administer)
            .await?;
        self.hold_confirmed(&mut tx, actor, &confirmed).await?;
        let person = tx
            .person(person)
            .await?
            .ok_or(ServiceError::NotFound("This person"))?;
        self.reset_link(tx, Some(&actor.id), person).await
    }

    /// The same from the command line, where nobody can sign in any more.
    pub async fn make_reset_link_for(&self, email: &str) -> Result<ResetLink, ServiceError> {
        let email = Email::parse(email).map_err(ServiceError::at("email"))?;
        let mut tx = self.database().write().await?;
        let person = tx.person_by_email(email.as_str()).await?.ok_or_else(|| {
            ServiceError::rejected("email", "There is no account with this address.")
        })?;
        self.reset_link(tx, None, person).await
    }

    async fn reset_link(
        &self,
        mut tx: Tx,
        by: Option<&PersonId>,
        person: Person,
    ) -> Result<ResetLink, ServiceError> {
        if person.disabled_at.is_some() {
            return Err(ServiceError::rejected(
                "email",
                format!(
                    "The account of {} is disabled. Enable it first.",
                    person.name
                ),
            ));
        }
        let (now, secret) = (self.now(), self.ids().secret());
        let id = self.ids().uuid(now);
        let expires_at = now + RESET_LASTS;
        tx.revoke_password_resets(&person.id, now).await?;
        tx.insert_password_reset(
            &id,
            &Digest::of(secret.as_bytes()),
            &person.id,
            by,
            now,
            expires_at,
        )
        .await?;
        tx.append_activity(self.about(
            by.map_or(SYSTEM, PersonId::as_str),
            "person.reset_link_made",
            "person",
            person.id.as_str(),
            format!(
                "made a link with which {} can choose a new password",
                person.name
            ),
        ))
        .await?;
        tx.commit().await?;
        Ok(ResetLink {
            person,
            secret,
            expires_at,
        })
    }

    /// Whose password a link sets, so that its page shows the form; a rejection once it does not work any more. `address`
    /// is the network address that asks: one that guesses is made to wait.
    pub async fn open_reset(&self, secret: &str, address: &str) -> Result<OpenReset, ServiceError> {
        let keys = [Key::of_link(address)];
        self.begin_attempt(&keys)?;
        let mut tx = self.database().read().await?;
        let open = self.reset_behind(&mut tx, secret).await?;
        self.attempts().succeed(&keys);
        Ok(open)
    }

    /// Sets the password that the person behind a link has chosen, and ends all of their sessions and tokens. Of two who use the link
    /// at once, one succeeds.
    pub async fn reset_password(
        &self,
        secret: &str,
        password: &str,
        address: &str,
    ) -> Result<Person, ServiceError> {
        let OpenReset {
            person,
            id,
            made_by,
            ..
        } = self.open_reset(secret, address).await?;
        let (email, name) = stored_names(&person.email, &person.name)?;
        let password = NewPassword::parse(password, &email, &name)
            .map_err(ServiceError::at("new_password"))?;
        let hash = self.passwords().hash(password, self.ids()).await?;
        let mut tx = self.database().write().await?;
        let now = self.now();
        let is_enabled = tx
            .person(&person.id)
            .await?
            .is_some_and(|person| person.disabled_at.is_none());
        if !is_enabled || !tx.use_password_reset(&id, now).await? {
            return Err(ServiceError::rejected("", GONE));
        }
        tx.set_password_hash(&person.id, &hash).await?;
        // Whoever made the link could have used it, so the account is not another pair of eyes on their work.
        tx.note_password_reset(&person.id, made_by.as_ref(), now)
            .await?;
        let n_ended = tx.revoke_all_sessions(&person.id).await?;
        tx.forget_devices(&person.id, None).await?;
        let n_tokens = tx.revoke_api_tokens_of(&person.id, now).await?;
        tx.append_activity(NewActivity {
            after: Some(
                serde_json::json!({
                    "sessions_ended": n_ended,
                    "tokens_ended": n_tokens,
                    "link_made_by": made_by,
                })
                .to_string(),
            ),
            ..self.about(
                person.id.as_str(),
                "person.password_reset",
                "person",
                person.id.as_str(),
                "chose a new password by a one-time link",
            )
        })
        .await?;
        tx.commit().await?;
        Ok(person)
    }

    async fn reset_behind(&self, tx: &mut Tx, secret: &str) -> Result<OpenReset, ServiceError> {
        let gone = || ServiceError::rejected("", GONE);
        let (id, person, made_by, expires_at) = tx
            .open_password_reset(&Digest::of(secret.as_bytes()), self.now())
            .await?
            .ok_or_else(gone)?;
        let person = tx
            .person(&person)
            .await?
            .filter(|person| person.disabled_at.is_none())
            .ok_or_else(gone)?;
        Ok(OpenReset {
            person,
            expires_at,
            id,
            made_by,
        })
    }
}
