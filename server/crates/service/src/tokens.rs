//! API tokens: what lets a program act for a person, and at most as far as it was granted.

use holdpoint_domain::{
    Digest, Millis, ServiceId, TokenId,
    person::Action,
    text::{Email, Name},
};
use holdpoint_storage::{ApiToken, Listed, NewActivity, NewApiToken, Person};
use serde_json::json;

use crate::{
    Actor, ServiceError, Services, TokenGrant,
    accounts::{Confirmed, SYSTEM, in_person},
    attempts::Key,
    changes::refuse_beyond,
};

/// Every token begins with this, so that scanners for leaked secrets find it.
pub const TOKEN_PREFIX: &str = "hp_";

const DAY: Millis = 24 * 60 * 60 * 1_000;
/// The longest that a token may work.
pub const TOKEN_LASTS_AT_MOST: Millis = 366 * DAY;
/// That a token was used is written down at most this often.
const NOTED_EVERY: Millis = 60_000;

/// What a token is to be allowed, and for how long.
#[derive(Clone, Debug)]
pub struct NewToken<'a> {
    pub name: &'a str,
    /// Only this service, by its slug; everything that the person may see otherwise.
    pub service: Option<&'a str>,
    /// The words of [`Action`]. Reading belongs to every one of them.
    pub scopes: Vec<&'a str>,
    pub expires_at: Millis,
}

/// A token that was just made. Not `Debug`: it holds the secret.
#[derive(Clone)]
pub struct MadeToken {
    pub token: ApiToken,
    /// What the program sends; it cannot be shown again.
    pub secret: String,
}

/// Why a token was not taken.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error(
        "This token is not known here. Check that it was copied whole, and that it was made on this server."
    )]
    Unknown,
    #[error("This token has expired. Make a new one on your account page.")]
    Expired,
    #[error("This token was revoked. Make a new one on your account page.")]
    Revoked,
    #[error("The account of this token is disabled.")]
    Disabled,
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl Services {
    /// Makes a token that acts for the actor, who says again who they are: a token outlives the session it is made in.
    pub async fn create_token(
        &self,
        actor: &Actor,
        new: NewToken<'_>,
        password: &str,
    ) -> Result<MadeToken, ServiceError> {
        in_person(actor)?;
        let confirmed = self.confirm_password(actor, password).await?;
        self.make_token(actor, actor.id.as_str(), new, Some(&confirmed))
            .await
    }

    /// Makes a token that acts for the person with this address, from the command line.
    pub async fn create_token_for(
        &self,
        email: &str,
        new: NewToken<'_>,
    ) -> Result<MadeToken, ServiceError> {
        let email = Email::parse(email).map_err(ServiceError::at("email"))?;
        let mut tx = self.database().read().await?;
        let person: Option<Person> = tx.person_by_email(email.as_str()).await?;
        drop(tx);
        let person = person.ok_or_else(|| {
            ServiceError::rejected(
                "email",
                format!("Nobody here has the address {}.", email.as_str()),
            )
        })?;
        if person.disabled_at.is_some() {
            return Err(ServiceError::rejected(
                "email",
                format!("The account of {} is disabled.", person.name),
            ));
        }
        self.make_token(&Actor::of(&person), SYSTEM, new, None)
            .await
    }

    async fn make_token(
        &self,
        owner: &Actor,
        by: &str,
        new: NewToken<'_>,
        confirmed: Option<&Confirmed>,
    ) -> Result<MadeToken, ServiceError> {
        let now = self.now();
        let name = Name::parse(new.name).map_err(ServiceError::at("name"))?;
        let scopes = scopes(&new.scopes)?;
        if new.expires_at <= now {
            return Err(ServiceError::rejected(
                "expires",
                "This moment is past. Choose a later one.",
            ));
        }
        if new.expires_at > now + TOKEN_LASTS_AT_MOST {
            return Err(ServiceError::rejected(
                "expires",
                "A token works for a year at most. Choose an earlier date.",
            ));
        }
        let mut tx = self.database().write().await?;
        if let Some(confirmed) = confirmed {
            self.hold_confirmed(&mut tx, owner, confirmed).await?;
        }
        let listed = Listed::TokensOf(&owner.id);
        refuse_beyond(&mut tx, listed, "name", "tokens of this account").await?;
        let service: Option<ServiceId> = match new.service {
            None => None,
            Some(slug) => {
                let unknown = || {
                    ServiceError::rejected(
                        "service",
                        format!("There is no service `{slug}` that you can see."),
                    )
                };
                let service = tx.service_by_slug(slug).await?.ok_or_else(unknown)?;
                match self.allow(&mut tx, owner, &service.id, Action::Read).await {
                    Err(ServiceError::NotFound(_)) => return Err(unknown()),
                    other => other?,
                };
                Some(service.id)
            }
        };
        if service.is_some() && scopes.contains(&Action::Administer) {
            return Err(ServiceError::rejected(
                "scopes",
                "`administer` concerns the whole instance: leave it out, or the service.",
            ));
        }
        let secret = format!("{TOKEN_PREFIX}{}", self.ids().secret());
        let id = TokenId::parse(&self.ids().uuid(now)).expect("a UUID is a well-formed id");
        tx.insert_api_token(NewApiToken {
            id: &id,
            secret_digest: &Digest::of(secret.as_bytes()),
            name: name.as_str(),
            person: &owner.id,
            service: service.as_ref(),
            scopes: &scopes,
            created_at: now,
            expires_at: new.expires_at,
        })
        .await?;
        let token = tx
            .api_tokens_of(&owner.id)
            .await?
            .into_iter()
            .find(|token| token.id == id)
            .ok_or_else(|| {
                ServiceError::rejected("", "You have too many tokens. Revoke some first.")
            })?;
        tx.append_activity(NewActivity {
            service: service.as_ref().map(ServiceId::as_str),
            after: Some(
                json!({"name": name, "person": owner.id, "scopes": scopes, "expires_at": new.expires_at}).to_string(),
            ),
            ..self.about(by, "token.made", "token", id.as_str(), format!("made the token {}", name.as_str()))
        })
        .await?;
        tx.commit().await?;
        Ok(MadeToken { token, secret })
    }

    /// The actor's tokens that were not revoked, newest first.
    pub async fn tokens(&self, actor: &Actor) -> Result<Vec<ApiToken>, ServiceError> {
        in_person(actor)?;
        let mut tx = self.database().read().await?;
        Ok(tx.api_tokens_of(&actor.id).await?)
    }

    /// Revokes one of the actor's tokens.
    pub async fn revoke_token(&self, actor: &Actor, id: &TokenId) -> Result<(), ServiceError> {
        in_person(actor)?;
        let mut tx = self.database().write().await?;
        let name = tx
            .revoke_api_token(&actor.id, id, self.now())
            .await?
            .ok_or(ServiceError::NotFound("This token"))?;
        let entry = self.about(
            actor.id.as_str(),
            "token.revoked",
            "token",
            id.as_str(),
            format!("revoked the token {name}"),
        );
        tx.append_activity(entry).await?;
        Ok(tx.commit().await?)
    }

    /// Who acts by a token. `address` is the network address that it comes from: one that sends many which are not taken is made to
    /// wait, while those that were taken not long ago go on.
    pub async fn actor_of_token(&self, secret: &str, address: &str) -> Result<Actor, TokenError> {
        let digest = Digest::of(secret.as_bytes());
        let keys = [Key::of_token(address)];
        let was_good = self.attempts().was_good_token(&digest);
        if !was_good {
            self.begin_attempt(&keys)?;
        }
        let actor = self.actor_of_digest(secret, &digest).await;
        match &actor {
            Ok(_) | Err(TokenError::Service(_)) if !was_good => self.attempts().succeed(&keys),
            _ => {}
        }
        match &actor {
            Ok(_) => self.attempts().token_is_good(digest),
            Err(TokenError::Service(_)) => {}
            Err(_) => self.attempts().token_is_bad(&digest),
        }
        actor
    }

    async fn actor_of_digest(&self, secret: &str, digest: &Digest) -> Result<Actor, TokenError> {
        if !secret.starts_with(TOKEN_PREFIX) || secret.len() > 200 {
            return Err(TokenError::Unknown);
        }
        let now = self.now();
        let mut tx = self.database().read().await.map_err(ServiceError::from)?;
        let found = tx
            .api_token_by_secret(digest)
            .await
            .map_err(ServiceError::from)?;
        drop(tx);
        let (token, person) = found.ok_or(TokenError::Unknown)?;
        if person.disabled_at.is_some() {
            return Err(TokenError::Disabled);
        }
        if token.revoked_at.is_some() {
            return Err(TokenError::Revoked);
        }
        if token.expires_at <= now {
            return Err(TokenError::Expired);
        }
        if token
            .last_used_at
            .is_none_or(|used| used + NOTED_EVERY <= now)
        {
            self.note_use(&token.id, now).await;
        }
        let grant = TokenGrant {
            id: token.id,
            service: token.service,
            actions: token.scopes,
        };
        Ok(Actor {
            token: Some(grant),
            ..Actor::of(&person)
        })
    }

    /// Whoever comes with a token is not turned away because its use could not be written down.
    async fn note_use(&self, id: &TokenId, now: Millis) {
        let noted = async {
            let mut tx = self.database().write().await?;
            tx.touch_api_token(id, now).await?;
            tx.commit().await
        };
        if let Err(error) = noted.await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the use of a token could not be noted"
            );
        }
    }
}

fn scopes(words: &[&str]) -> Result<Vec<Action>, ServiceError> {
    let mut scopes = words
        .iter()
        .map(|word| {
            Action::parse(word).ok_or_else(|| {
                let known: Vec<_> = Action::ALL.iter().map(|action| action.as_str()).collect();
                ServiceError::rejected(
                    "scopes",
                    format!("`{word}` is no scope. Choose from: {}.", known.join(", ")),
                )
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    if scopes.is_empty() {
        return Err(ServiceError::rejected(
            "scopes",
            "Choose at least one thing that the token may do.",
        ));
    }
    scopes.sort_unstable();
    scopes.dedup();
    Ok(scopes)
}
