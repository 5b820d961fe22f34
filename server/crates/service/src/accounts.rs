//! Accounts: signing in, sessions, passwords, and what an admin does with people.

use holdpoint_domain::{
    Digest, InstanceRole, Millis, PersonId,
    person::Action,
    text::{Email, Name, look_alike, mixes_scripts, shown_line},
};
use holdpoint_storage::{Found, NewActivity, NewPerson, Person, SignedInSession, StorageError, Tx};
use serde_json::json;

use crate::{
    Actor, Conflict, ServiceError, Services,
    access::disabled,
    attempts::{self, Key, Wait},
    devices::Client,
    passwords::{Comparison, NewPassword},
};

/// Who acts when nobody is signed in: the command line, or the instance itself.
pub(crate) const SYSTEM: &str = "system";

/// How many people, invitations or sessions are listed at once. A search finds the others.
pub const MAX_FOUND: i64 = 200;

/// One refusal for an unknown address, a wrong password and a disabled account, so that none can be told from another.
const WRONG: &str = "Address or password is wrong.";

/// What a new account is made of. Not `Debug`: it holds a password.
#[derive(Clone, Copy)]
pub struct NewAccount<'a> {
    pub email: &'a str,
    pub name: &'a str,
    pub password: &'a str,
    pub instance_role: InstanceRole,
}

/// An account whose fields were checked, with its password still to be hashed.
pub(crate) struct CheckedAccount {
    pub(crate) email: Email,
    pub(crate) name: Name,
    pub(crate) password: NewPassword,
    pub(crate) instance_role: InstanceRole,
}

impl CheckedAccount {
    pub(crate) fn of(new: NewAccount<'_>) -> Result<Self, ServiceError> {
        let name = Name::parse(new.name).map_err(ServiceError::at("name"))?;
        let email = Email::parse(new.email).map_err(ServiceError::at("email"))?;
        let password = NewPassword::parse(new.password, &email, &name)
            .map_err(ServiceError::at("password"))?;
        Ok(Self {
            email,
            name,
            password,
            instance_role: new.instance_role,
        })
    }
}

impl Actor {
    /// The person acting for themselves.
    pub fn of(person: &Person) -> Self {
        Self {
            id: person.id.clone(),
            name: person.name.clone(),
            email: person.email.clone(),
            instance_role: person.instance_role,
            token: None,
        }
    }
}

/// That somebody's password was compared, for the unit of work that it was asked for: see [`Services::confirm_password`].
/// Not `Debug`: it holds the stored hash.
#[must_use = "the unit of work that the password was asked for looks at it again"]
pub struct Confirmed {
    stored: Option<String>,
}

impl Services {
    /// Makes an account from the command line.
    pub async fn add_person(&self, new: NewAccount<'_>) -> Result<Person, ServiceError> {
        let account = CheckedAccount::of(new)?;
        self.make_account(account, SYSTEM, None, async |_, _| Ok(()))
            .await
    }

    /// The person behind an address and a password. `from` is the network address that the request came from, and the device that
    /// it names.
    pub async fn sign_in(
        &self,
        email: &str,
        password: &str,
        from: impl Into<Client<'_>>,
    ) -> Result<Person, ServiceError> {
        let Client { address, device } = from.into();
        let typed = Email::parse(email).map(|email| email.as_str().to_owned());
        let account = typed.as_deref().unwrap_or(email.trim());
        let known = match (&typed, device) {
            (Ok(email), Some(device)) => self.known_device(email, device).await?,
            _ => None,
        };
        let keys = match known {
            Some(device) => vec![Key::of_device(account, device)],
            None => Key::of_sign_in(account, address).to_vec(),
        };
        let left = self.begin_attempt(&keys)?;
        let mut tx = self.database().read().await?;
        let person = match &typed {
            Ok(email) => tx.person_by_email(email).await?,
            Err(_) => None,
        };
        let person = person.filter(|person| person.disabled_at.is_none());
        let stored = match &person {
            Some(person) => tx.password_hash(&person.id).await?,
            None => None,
        };
        drop(tx);
        let compared = self
            .passwords()
            .compare(password, stored.clone(), self.ids())
            .await
            .inspect_err(|_| self.attempts().give_back(&keys))?;
        let Some(person) = person.filter(|_| compared != Comparison::Wrong) else {
            let account = account_digest(account);
            tracing::warn!(address, account, left, "a sign-in was refused");
            return Err(ServiceError::rejected("password", tries_left(WRONG, left)));
        };
        let mut tx = self.database().write().await?;
        let still = tx
            .person(&person.id)
            .await?
            .filter(|person| person.disabled_at.is_none());
        let (Some(person), true) = (still, tx.password_hash(&person.id).await? == stored) else {
            return Err(ServiceError::rejected("password", tries_left(WRONG, left)));
        };
        if let Comparison::RightAndRehashed(newer) = compared {
            tx.replace_password_hash(&person.id, stored.as_deref(), &newer)
                .await?;
        }
        self.note_person(
            &mut tx,
            person.id.as_str(),
            "person.signed_in",
            &person.id,
            "signed in",
        )
        .await?;
        tx.commit().await?;
        self.attempts().succeed(&keys);
        Ok(person)
    }

    /// Notes that a person ended their session; the session itself is ended by whoever keeps the cookie.
    pub async fn sign_out(&self, actor: &Actor) -> Result<(), ServiceError> {
        let mut tx = self.database().write().await?;
        self.note_person(
            &mut tx,
            actor.id.as_str(),
            "person.signed_out",
            &actor.id,
            "signed out",
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// The person whose session it is; `None` once the account is disabled or gone.
    pub async fn person_signed_in(&self, id: &PersonId) -> Result<Option<Person>, ServiceError> {
        let mut tx = self.database().read().await?;
        Ok(tx
            .person(id)
            .await?
            .filter(|person| person.disabled_at.is_none()))
    }

    /// Makes sure that it is the person who acts, by their password; asked before every signature. Comparing takes a while,
    /// so the unit of work that it was asked for looks at it again.
    pub async fn confirm_password(
        &self,
        actor: &Actor,
        password: &str,
    ) -> Result<Confirmed, ServiceError> {
        let stored = self.confirm(actor, "password", password).await?;
        Ok(Confirmed { stored })
    }

    /// Refuses, in the unit of work that a password was asked for, where somebody has changed the password or disabled the
    /// account since it was compared; neither happens before that unit ends.
    pub(crate) async fn hold_confirmed(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        confirmed: &Confirmed,
    ) -> Result<(), ServiceError> {
        match tx.password_hash_until_done(&actor.id).await? {
            None => Err(disabled()),
            Some(stored) if stored == confirmed.stored => Ok(()),
            Some(_) => Err(ServiceError::rejected(
                "password",
                "Your password was changed meanwhile, and nothing was done. Type the new one.",
            )),
        }
    }

    /// Compares the actor's password, and returns the stored hash that it was compared with.
    async fn confirm(
        &self,
        actor: &Actor,
        field: &'static str,
        password: &str,
    ) -> Result<Option<String>, ServiceError> {
        if password.is_empty() {
            return Err(ServiceError::rejected(field, "Type your password."));
        }
        let keys = [match actor.token {
            None => Key::Again(actor.id.clone()),
            Some(_) => Key::AgainByToken(actor.id.clone()),
        }];
        let left = self.begin_attempt(&keys)?;
        let mut tx = self.database().read().await?;
        let stored = tx.password_hash(&actor.id).await?;
        drop(tx);
        match self
            .passwords()
            .compare(password, stored.clone(), self.ids())
            .await
            .inspect_err(|_| self.attempts().give_back(&keys))?
        {
            Comparison::Wrong => {
                tracing::warn!(
                    person = actor.id.as_str(),
                    left,
                    "a password was not confirmed"
                );
                Err(ServiceError::rejected(
                    field,
                    tries_left("This is not your password.", left),
                ))
            }
            Comparison::Right | Comparison::RightAndRehashed(_) => {
                self.attempts().succeed(&keys);
                Ok(stored)
            }
        }
    }

    /// Counts a question that anybody may ask without an account, and refuses it where one network address asks without end.
    pub fn ask_openly(&self, address: &str) -> Result<(), ServiceError> {
        self.begin_attempt(&[Key::of_open(address)]).map(|_| ())
    }

    pub(crate) fn begin_attempt(&self, keys: &[Key]) -> Result<u32, ServiceError> {
        self.attempts().begin(keys, self.now()).map_err(|wait| {
            let Wait { millis, because } = wait;
            tracing::warn!(millis, because, "an attempt was refused");
            ServiceError::TooOften {
                message: format!("{because} Try again in {}.", attempts::in_words(millis)),
                seconds: (millis + 999) / 1_000,
            }
        })
    }

    /// Stores an account and what comes with it, in one unit of work. `made_by` is whose invitation it comes of: the
    /// account is not another pair of eyes on that person's work.
    pub(crate) async fn make_account(
        &self,
        account: CheckedAccount,
        by: &str,
        made_by: Option<&PersonId>,
        and: impl AsyncFnOnce(&mut Tx, &Person) -> Result<(), ServiceError>,
    ) -> Result<Person, ServiceError> {
        let hash = self.passwords().hash(account.password, self.ids()).await?;
        let now = self.now();
        let id = self.new_person_id();
        let mut tx = self.database().write().await?;
        refuse_look_alikes(&mut tx, account.name.as_str(), account.email.as_str()).await?;
        let new = NewPerson {
            made_by,
            id: &id,
            email: account.email.as_str(),
            name: account.name.as_str(),
            instance_role: account.instance_role,
            password_hash: Some(&hash),
            created_at: now,
        };
        match tx.insert_person(new).await {
            Err(StorageError::Conflict) => {
                // The address is taken, or of two names that look alike the other was first by a moment.
                return Err(ServiceError::rejected(
                    "email",
                    "There is already an account with this address or name. Sign in with it, or write the name in full.",
                ));
            }
            other => other?,
        }
        let person = tx
            .person(&id)
            .await?
            .ok_or(ServiceError::NotFound("This person"))?;
        and(&mut tx, &person).await?;
        let by = if by.is_empty() { id.as_str() } else { by };
        tx.append_activity(NewActivity {
            after: Some(
                json!({
                    "email": person.email, "name": person.name, "instance_role": person.instance_role,
                    "made_by": made_by
                })
                    .to_string(),
            ),
            ..self.about(by, "person.added", "person", id.as_str(), format!("added {}", person.name))
        })
        .await?;
        tx.commit().await?;
        Ok(person)
    }

    fn new_person_id(&self) -> PersonId {
        PersonId::parse(&self.ids().uuid(self.now())).expect("a UUID is a well-formed id")
    }

    /// An activity entry about no service and no review.
    pub(crate) fn about<'a>(
        &self,
        actor: &'a str,
        action: &'a str,
        subject_kind: &'a str,
        subject: &'a str,
        summary: impl Into<String>,
    ) -> NewActivity<'a> {
        NewActivity {
            at: self.now(),
            actor,
            action,
            subject_kind,
            subject,
            service: None,
            review: None,
            summary: summary.into(),
            before: None,
            after: None,
        }
    }

    async fn note_person(
        &self,
        tx: &mut Tx,
        actor: &str,
        action: &str,
        person: &PersonId,
        summary: &str,
    ) -> Result<(), ServiceError> {
        tx.append_activity(self.about(actor, action, "person", person.as_str(), summary))
            .await?;
        Ok(())
    }
}

/// What ended with a changed password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordChanged {
    /// Other sessions than the one it was changed in.
    pub n_sessions: u64,
    pub n_tokens: u64,
}

/// One's own account.
impl Services {
    /// The actor's sessions that have not expired: the first [`MAX_FOUND`], those used last first.
    pub async fn sessions(&self, actor: &Actor) -> Result<Found<SignedInSession>, ServiceError> {
        in_person(actor)?;
        let mut tx = self.database().read().await?;
        Ok(tx.sessions_of(&actor.id, self.now(), MAX_FOUND).await?)
    }

    /// Ends one of the actor's sessions.
    pub async fn revoke_session(&self, actor: &Actor, session: &str) -> Result<(), ServiceError> {
        in_person(actor)?;
        let mut tx = self.database().write().await?;
        if !tx.revoke_session(&actor.id, session).await? {
            return Err(ServiceError::NotFound("This session"));
        }
        self.note_person(
            &mut tx,
            actor.id.as_str(),
            "session.revoked",
            &actor.id,
            "ended a session",
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// Ends all of the actor's sessions but the one they use now (by its stored id); says how many.
    pub async fn revoke_other_sessions(
        &self,
        actor: &Actor,
        keep: &str,
    ) -> Result<u64, ServiceError> {
        in_person(actor)?;
        let mut tx = self.database().write().await?;
        let n_ended = tx.revoke_other_sessions(&actor.id, keep).await?;
        if n_ended > 0 {
            let summary = format!("ended {}", n_sessions(n_ended));
            self.note_person(
                &mut tx,
                actor.id.as_str(),
                "session.revoked",
                &actor.id,
                &summary,
            )
            .await?;
            tx.commit().await?;
        }
        Ok(n_ended)
    }

    /// Changes the actor's password and ends their other sessions and all of their tokens; says how many those were.
    pub async fn change_password(
        &self,
        actor: &Actor,
        current: &str,
        new: &str,
        keep_session: &str,
        keep_device: Option<&str>,
    ) -> Result<PasswordChanged, ServiceError> {
        in_person(actor)?;
        let (email, name) = stored_names(&actor.email, &actor.name)?;
        let password =
            NewPassword::parse(new, &email, &name).map_err(ServiceError::at("new_password"))?;
        let stored = self.confirm(actor, "current_password", current).await?;
        if current == new {
            return Err(ServiceError::rejected(
                "new_password",
                "This is the password you have now. Choose another one.",
            ));
        }
        let hash = self.passwords().hash(password, self.ids()).await?;
        let mut tx = self.database().write().await?;
        if !tx
            .replace_password_hash(&actor.id, stored.as_deref(), &hash)
            .await?
        {
            return Err(StorageError::Conflict.into());
        }
        let changed = PasswordChanged {
            n_sessions: tx.revoke_other_sessions(&actor.id, keep_session).await?,
            n_tokens: tx.revoke_api_tokens_of(&actor.id, self.now()).await?,
        };
        let device = keep_device.map(|secret| Digest::of(secret.as_bytes()));
        tx.forget_devices(&actor.id, device.as_ref()).await?;
        tx.revoke_password_resets(&actor.id, self.now()).await?;
        self.note_person(
            &mut tx,
            actor.id.as_str(),
            "person.password_changed",
            &actor.id,
            "changed the password",
        )
        .await?;
        tx.commit().await?;
        Ok(changed)
    }
}

/// What a person is told of their own account.
impl Services {
    /// Notes that the actor has seen who had their password reset at that moment. A later reset is told anew.
    pub async fn dismiss_reset(&self, actor: &Actor, at: Millis) -> Result<(), ServiceError> {
        in_person(actor)?;
        let mut tx = self.database().write().await?;
        if tx.see_password_reset(&actor.id, at).await? {
            self.note_person(
                &mut tx,
                actor.id.as_str(),
                "person.reset_seen",
                &actor.id,
                "saw that somebody else's link had set the password",
            )
            .await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

/// What an admin does with people.
impl Services {
    /// Those with an account whose name or address holds a text: the first [`MAX_FOUND`], by name.
    pub async fn people(&self, actor: &Actor, text: &str) -> Result<Found<Person>, ServiceError> {
        let mut tx = self.database().read().await?;
        self.allow_instance(&mut tx, actor, Action::Administer)
            .await?;
        Ok(tx.people_found(text, MAX_FOUND).await?)
    }

    /// Changes what a person is to the instance. `version` is the one that the actor saw, `password` the actor's own.
    pub async fn set_instance_role(
        &self,
        actor: &Actor,
        person: &PersonId,
        role: InstanceRole,
        version: i64,
        password: &str,
    ) -> Result<(), ServiceError> {
        let confirmed = self.confirm_administrator(actor, password).await?;
        let mut tx = self.database().write().await?;
        let (admins, before) = self.admins_and_person(&mut tx, actor, person).await?;
        self.hold_confirmed(&mut tx, actor, &confirmed).await?;
        at_version(
            &before,
            version,
            (
                "instance_role",
                role.as_str(),
                before.instance_role.as_str(),
            ),
        )?;
        if before.instance_role == role {
            return Ok(());
        }
        if role != InstanceRole::Admin {
            keep_an_admin(&admins, person)?;
        }
        tx.set_instance_role(person, role, version).await?;
        if role != InstanceRole::Admin {
            // What only an administrator can hand out does not outlive the role.
            let now = self.now();
            tx.revoke_invitations_by(person, None, now).await?;
            tx.revoke_password_resets_by(person, now).await?;
        }
        let summary = match role {
            InstanceRole::Admin => format!("made {} an administrator", before.name),
            InstanceRole::Member => format!("made {} a member", before.name),
        };
        tx.append_activity(NewActivity {
            before: Some(json!({"instance_role": before.instance_role}).to_string()),
            after: Some(json!({"instance_role": role}).to_string()),
            ..self.about(
                actor.id.as_str(),
                "person.role_changed",
                "person",
                person.as_str(),
                summary,
            )
        })
        .await?;
        Ok(tx.commit().await?)
    }

    /// Disables an account: its sessions end, its tokens are revoked, the invitations it made can no longer be accepted,
    /// nor a link used that sets its password.
    /// What the person did stays theirs.
    pub async fn disable_person(
        &self,
        actor: &Actor,
        person: &PersonId,
        version: i64,
    ) -> Result<(), ServiceError> {
        let mut tx = self.database().write().await?;
        let (admins, before) = self.admins_and_person(&mut tx, actor, person).await?;
        at_version(&before, version, ("account", "disabled", standing(&before)))?;
        if before.disabled_at.is_some() {
            return Ok(());
        }
        keep_an_admin(&admins, person)?;
        let now = self.now();
        tx.set_disabled(person, Some(now), version).await?;
        tx.revoke_all_sessions(person).await?;
        tx.forget_devices(person, None).await?;
        tx.revoke_api_tokens_of(person, now).await?;
        tx.revoke_invitations_by(person, None, now).await?;
        tx.revoke_password_resets(person, now).await?;
        tx.revoke_password_resets_by(person, now).await?;
        let summary = format!("disabled {}", before.name);
        self.note_person(
            &mut tx,
            actor.id.as_str(),
            "person.disabled",
            person,
            &summary,
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// Lets a disabled account sign in again.
    pub async fn enable_person(
        &self,
        actor: &Actor,
        person: &PersonId,
        version: i64,
    ) -> Result<(), ServiceError> {
        let mut tx = self.database().write().await?;
        let (_, before) = self.admins_and_person(&mut tx, actor, person).await?;
        at_version(&before, version, ("account", "enabled", standing(&before)))?;
        if before.disabled_at.is_none() {
            return Ok(());
        }
        tx.set_disabled(person, None, version).await?;
        let summary = format!("enabled {}", before.name);
        self.note_person(
            &mut tx,
            actor.id.as_str(),
            "person.enabled",
            person,
            &summary,
        )
        .await?;
        Ok(tx.commit().await?)
    }
}

impl Services {
    /// Makes sure that it is an administrator who acts, by their password, before the unit of work that asks for the role again: a
    /// password is not compared for whoever could do nothing with it.
    pub(crate) async fn confirm_administrator(
        &self,
        actor: &Actor,
        password: &str,
    ) -> Result<Confirmed, ServiceError> {
        let mut tx = self.database().read().await?;
        self.allow_instance(&mut tx, actor, Action::Administer)
            .await?;
        drop(tx);
        self.confirm_password(actor, password).await
    }

    /// The admins, locked first and in one order whoever is changed, then the person as they are now. The actor must be one of the
    /// admins.
    async fn admins_and_person(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        person: &PersonId,
    ) -> Result<(Vec<PersonId>, Person), ServiceError> {
        let admins = tx.active_admins().await?;
        self.allow_instance(tx, actor, Action::Administer).await?;
        let person = tx
            .person(person)
            .await?
            .ok_or(ServiceError::NotFound("This person"))?;
        Ok((admins, person))
    }
}

/// What a stored account is called, by the rule of now: one that is older may hold what is refused since.
pub(crate) fn stored_names(email: &str, name: &str) -> Result<(Email, Name), ServiceError> {
    let malformed = |_| ServiceError::unavailable("a stored person has no valid name or address");
    Ok((
        Email::parse(&shown_line(email)).map_err(malformed)?,
        Name::parse(&shown_line(name)).map_err(malformed)?,
    ))
}

/// Refuses a new account whose name or address people would take for somebody else's. An account of the same address is refused
/// for that.
pub(crate) async fn refuse_look_alikes(
    tx: &mut Tx,
    name: &str,
    email: &str,
) -> Result<(), ServiceError> {
    if mixes_scripts(email) {
        return Err(ServiceError::rejected(
            "email",
            "This address mixes letters of several alphabets, some of which look alike. Write it in the letters of one.",
        ));
    }
    let people = tx.names_of_people().await?;
    let mut others = people.iter().filter(|(_, address)| address != email);
    let found = others.find_map(|(other, address)| {
        if look_alike(address, email) {
            let message = format!(
                "There is an account with the address {address}, and these addresses look alike. Use an address that nobody \
                 takes for that one."
            );
            return Some(ServiceError::rejected("email", message));
        }
        look_alike(other, name).then(|| {
            let message = format!(
                "There is somebody called {other}, and these names look alike. Add what tells the two apart, such as a middle \
                 name or a team."
            );
            ServiceError::rejected("name", message)
        })
    });
    found.map_or(Ok(()), Err)
}

/// Refuses a token: who keeps an account must be there in person.
pub(crate) fn in_person(actor: &Actor) -> Result<(), ServiceError> {
    if actor.token.is_some() {
        return Err(ServiceError::Forbidden(
            "A token cannot do this. Sign in and do it yourself.".to_owned(),
        ));
    }
    Ok(())
}

fn keep_an_admin(admins: &[PersonId], person: &PersonId) -> Result<(), ServiceError> {
    if admins == std::slice::from_ref(person) {
        return Err(ServiceError::rejected(
            "",
            "This is the last administrator. Make somebody else an administrator first.",
        ));
    }
    Ok(())
}

fn standing(person: &Person) -> &'static str {
    if person.disabled_at.is_some() {
        "disabled"
    } else {
        "enabled"
    }
}

/// Refuses a change by somebody who saw another version; `field` is the name, what was sent, what is stored.
fn at_version(
    person: &Person,
    version: i64,
    field: (&str, &str, &str),
) -> Result<(), ServiceError> {
    if person.version == version {
        return Ok(());
    }
    Err(ServiceError::Conflict(Box::new(Conflict {
        message: format!(
            "Someone else changed {} in the meantime. Look again, then repeat what you did.",
            person.name
        ),
        current_version: person.version,
        fields: vec![(field.0.to_owned(), field.1.to_owned(), field.2.to_owned())],
    })))
}

/// What the log says of an account that nobody signed in to: enough to see which tries belong together, and not the address,
/// where people now and then type their password.
fn account_digest(account: &str) -> String {
    let digest = Digest::of(account.trim().to_lowercase().as_bytes());
    digest.as_str()[..12].to_owned()
}

fn tries_left(what: &str, left: u32) -> String {
    let pause = attempts::in_words(attempts::PAUSE);
    match left {
        0 => format!("{what} That was the last try for now: wait {pause}."),
        1 => format!("{what} 1 try left, then a pause of {pause}."),
        n => format!("{what} {n} tries left, then a pause of {pause}."),
    }
}

fn n_sessions(n: u64) -> String {
    if n == 1 {
        "1 other session".to_owned()
    } else {
        format!("{n} other sessions")
    }
}

#[cfg(test)]
mod tests {
    use super::account_digest;

    #[test]
    fn an_account_that_was_tried_is_told_by_a_digest() {
        let digest = account_digest("ana@example.org");
        assert_eq!(digest, account_digest(" Ana@Example.org "));
        assert_ne!(digest, account_digest("bo@example.org"));
        assert_eq!(digest.len(), 12);
        assert!(digest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
