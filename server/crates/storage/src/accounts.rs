//! What accounts are made and kept with: invitations, API tokens, changes of a person.

use holdpoint_domain::{
    Digest, InstanceRole, Millis, PersonId, ServiceId, ServiceRole, TokenId, person::Action,
};

use crate::{
    Found, Person, StorageError, Tx, execute, fetch_all, fetch_optional, people::found_patterns,
    tx::one,
};

/// What is needed to invite somebody. The link's secret is never stored, only its digest.
#[derive(Clone, Copy, Debug)]
pub struct NewInvitation<'a> {
    pub id: &'a str,
    pub secret_digest: &'a Digest,
    pub email: &'a str,
    pub name: &'a str,
    pub instance_role: InstanceRole,
    pub service: Option<(&'a ServiceId, ServiceRole)>,
    pub invited_by: &'a PersonId,
    pub created_at: Millis,
    pub expires_at: Millis,
}

/// An invitation as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    pub id: String,
    pub email: String,
    pub name: String,
    pub instance_role: InstanceRole,
    pub service: Option<(ServiceId, ServiceRole)>,
    /// The service's name, for showing.
    pub service_name: Option<String>,
    pub invited_by: PersonId,
    pub inviter_name: String,
    pub created_at: Millis,
    pub expires_at: Millis,
    pub accepted_at: Option<Millis>,
    pub revoked_at: Option<Millis>,
}

impl Invitation {
    /// Whether it can still be accepted.
    pub fn is_open(&self, now: Millis) -> bool {
        self.accepted_at.is_none() && self.revoked_at.is_none() && self.expires_at > now
    }
}

/// What is needed to keep an API token. The secret is never stored, only its digest.
#[derive(Clone, Copy, Debug)]
pub struct NewApiToken<'a> {
    pub id: &'a TokenId,
    pub secret_digest: &'a Digest,
    pub name: &'a str,
    pub person: &'a PersonId,
    pub service: Option<&'a ServiceId>,
    pub scopes: &'a [Action],
    pub created_at: Millis,
    pub expires_at: Millis,
}

/// An API token as its owner sees it in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    pub id: TokenId,
    pub name: String,
    pub person: PersonId,
    pub service: Option<ServiceId>,
    /// The service's name, for showing.
    pub service_name: Option<String>,
    pub scopes: Vec<Action>,
    pub created_at: Millis,
    pub expires_at: Millis,
    pub last_used_at: Option<Millis>,
    pub revoked_at: Option<Millis>,
}

#[derive(sqlx::FromRow)]
struct InvitationRow {
    id: String,
    email: String,
    name: String,
    instance_role: String,
    service_id: Option<String>,
    service_role: Option<String>,
    service_name: Option<String>,
    invited_by: String,
    inviter_name: String,
    created_at: i64,
    expires_at: i64,
    accepted_at: Option<i64>,
    revoked_at: Option<i64>,
}

impl TryFrom<InvitationRow> for Invitation {
    type Error = StorageError;

    fn try_from(row: InvitationRow) -> Result<Self, StorageError> {
        let column = |name, value: &str| StorageError::column("invitation", name, value);
        let service = match (row.service_id, row.service_role) {
            (Some(id), Some(role)) => Some((
                ServiceId::parse(&id).ok_or_else(|| column("service_id", &id))?,
                ServiceRole::parse(&role).ok_or_else(|| column("service_role", &role))?,
            )),
            _ => None,
        };
        Ok(Self {
            instance_role: InstanceRole::parse(&row.instance_role)
                .ok_or_else(|| column("instance_role", &row.instance_role))?,
            invited_by: PersonId::parse(&row.invited_by)
                .ok_or_else(|| column("invited_by", &row.invited_by))?,
            id: row.id,
            email: row.email,
            name: row.name,
            service,
            service_name: row.service_name,
            inviter_name: row.inviter_name,
            created_at: row.created_at,
            expires_at: row.expires_at,
            accepted_at: row.accepted_at,
            revoked_at: row.revoked_at,
        })
    }
}

#[derive(sqlx::FromRow)]
struct ApiTokenRow {
    id: String,
    name: String,
    person_id: String,
    service_id: Option<String>,
    service_name: Option<String>,
    scopes: String,
    created_at: i64,
    expires_at: i64,
    last_used_at: Option<i64>,
    revoked_at: Option<i64>,
}

impl TryFrom<ApiTokenRow> for ApiToken {
    type Error = StorageError;

    fn try_from(row: ApiTokenRow) -> Result<Self, StorageError> {
        let column = |name, value: &str| StorageError::column("api_token", name, value);
        let service = row
            .service_id
            .map(|id| ServiceId::parse(&id).ok_or_else(|| column("service_id", &id)))
            .transpose()?;
        Ok(Self {
            id: TokenId::parse(&row.id).ok_or_else(|| column("id", &row.id))?,
            person: PersonId::parse(&row.person_id)
                .ok_or_else(|| column("person_id", &row.person_id))?,
            scopes: serde_json::from_str(&row.scopes).map_err(|_| column("scopes", &row.scopes))?,
            name: row.name,
            service,
            service_name: row.service_name,
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
        })
    }
}

macro_rules! invitation_columns {
    ($rest:literal) => {
        concat!(
            "select invitation.id, invitation.email, invitation.name, invitation.instance_role, \
             invitation.service_id, invitation.service_role, service.name as service_name, invitation.invited_by, \
             person.name as inviter_name, invitation.created_at, invitation.expires_at, invitation.accepted_at, \
             invitation.revoked_at from invitation join person on person.id = invitation.invited_by \
             left join service on service.id = invitation.service_id ",
            $rest
        )
    };
}

macro_rules! token_columns {
    ($rest:literal) => {
        concat!(
            "select api_token.id, api_token.name, api_token.person_id, api_token.service_id, \
             service.name as service_name, api_token.scopes, api_token.created_at, api_token.expires_at, \
             api_token.last_used_at, api_token.revoked_at from api_token \
             left join service on service.id = api_token.service_id ",
            $rest
        )
    };
}

/// People.
impl Tx {
    /// The accounts that administer the instance and are not disabled. In a writing unit of work the rows stay locked to
    /// its end, so that of two admins who demote each other at once the second sees what the first did.
    pub async fn active_admins(&mut self) -> Result<Vec<PersonId>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            id: String,
        }
        let sql = self.dialect(
            "select id from person where instance_role = 'admin' and disabled_at is null order by id",
            "select id from person where instance_role = 'admin' and disabled_at is null order by id \
             for no key update",
        );
        fetch_all!(self, Row, sql)
            .into_iter()
            .map(|row| {
                PersonId::parse(&row.id)
                    .ok_or_else(|| StorageError::column("person", "id", &row.id))
            })
            .collect()
    }

    /// Whether anybody administers the instance: as long as nobody does, it waits for its set-up.
    pub async fn has_admin(&mut self) -> Result<bool, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            n: i64,
        }
        let row = fetch_optional!(
            self,
            Row,
            "select count(*) as n from person where instance_role = 'admin' and disabled_at is null"
        );
        Ok(row.is_some_and(|row| row.n > 0))
    }

    /// Changes what a person is to the instance; [`StorageError::Conflict`] unless they are at this version.
    pub async fn set_instance_role(
        &mut self,
        person: &PersonId,
        role: InstanceRole,
        version: i64,
    ) -> Result<(), StorageError> {
        let touched = execute!(
            self,
            "update person set instance_role = $3, version = version + 1 where id = $1 and version = $2",
            person.as_str(),
            version,
            role.as_str(),
        );
        one(touched)
    }

    /// Disables a person's account from a moment on, or enables it again; [`StorageError::Conflict`] unless the person is
    /// at this version.
    pub async fn set_disabled(
        &mut self,
        person: &PersonId,
        since: Option<Millis>,
        version: i64,
    ) -> Result<(), StorageError> {
        let touched = execute!(
            self,
            "update person set disabled_at = $3, version = version + 1 where id = $1 and version = $2",
            person.as_str(),
            version,
            since,
        );
        one(touched)
    }

    /// Replaces one stored hash by another; says `false` when the stored one was not `old` any more.
    pub async fn replace_password_hash(
        &mut self,
        person: &PersonId,
        old: Option<&str>,
        new: &str,
    ) -> Result<bool, StorageError> {
        let touched = execute!(
            self,
            "update person set password_hash = $3 where id = $1 \
             and (password_hash = $2 or (password_hash is null and cast($2 as text) is null))",
            person.as_str(),
            old,
            new,
        );
        Ok(touched > 0)
    }

    /// Ends all of a person's sessions; says how many.
    pub async fn revoke_all_sessions(&mut self, person: &PersonId) -> Result<u64, StorageError> {
        Ok(execute!(
            self,
            "delete from session where person_id = $1",
            person.as_str()
        ))
    }

    /// Removes a setting only when it holds this value: of two who use the same one-time secret at once, one succeeds.
    pub async fn take_setting(&mut self, key: &str, value: &str) -> Result<bool, StorageError> {
        let touched = execute!(
            self,
            "delete from setting where key = $1 and value = $2",
            key,
            value
        );
        Ok(touched > 0)
    }
}

/// Invitations.
impl Tx {
    pub async fn insert_invitation(&mut self, new: NewInvitation<'_>) -> Result<(), StorageError> {
        execute!(
            self,
            "insert into invitation (id, token_hash, email, name, instance_role, service_id, service_role, invited_by, \
             created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            new.id,
            new.secret_digest.as_str(),
            new.email,
            new.name,
            new.instance_role.as_str(),
            new.service.map(|(id, _)| id.as_str()),
            new.service.map(|(_, role)| role.as_str()),
            new.invited_by.as_str(),
            new.created_at,
            new.expires_at,
        );
        Ok(())
    }

    pub async fn invitation(&mut self, id: &str) -> Result<Option<Invitation>, StorageError> {
        fetch_optional!(
            self,
            InvitationRow,
            invitation_columns!("where invitation.id = $1"),
            id
        )
        .map(Invitation::try_from)
        .transpose()
    }

    pub async fn invitation_by_secret(
        &mut self,
        digest: &Digest,
    ) -> Result<Option<Invitation>, StorageError> {
        fetch_optional!(
            self,
            InvitationRow,
            invitation_columns!("where invitation.token_hash = $1"),
            digest.as_str()
        )
        .map(Invitation::try_from)
        .transpose()
    }

    /// The newest invitations that can still be accepted and whose name or address holds a text, and how many there are: of all of
    /// them, or of those to one service.
    pub async fn open_invitations(
        &mut self,
        service: Option<&ServiceId>,
        text: &str,
        now: Millis,
        limit: i64,
    ) -> Result<Found<Invitation>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            n: i64,
        }
        const OPEN: &str = "select count(*) as n from invitation \
            where invitation.accepted_at is null and invitation.revoked_at is null and invitation.expires_at > $2 \
            and (cast($1 as text) is null or invitation.service_id = $1) \
            and (lower(invitation.name) like $3 escape '\\' or lower(invitation.email) like $3 escape '\\' \
            or invitation.name like $4 escape '\\')";
        let [small, typed] = found_patterns(text);
        let service = service.map(ServiceId::as_str);
        let counted = fetch_optional!(self, Row, OPEN, service, now, &small, &typed);
        let rows = fetch_all!(
            self,
            InvitationRow,
            invitation_columns!(
                "where invitation.accepted_at is null and invitation.revoked_at is null and invitation.expires_at > $2 \
                 and (cast($1 as text) is null or invitation.service_id = $1) \
                 and (lower(invitation.name) like $3 escape '\\' or lower(invitation.email) like $3 escape '\\' \
                 or invitation.name like $4 escape '\\') \
                 order by invitation.created_at desc, invitation.id limit $5"
            ),
            service,
            now,
            &small,
            &typed,
            limit,
        );
        Ok(Found {
            entries: (rows.into_iter().map(Invitation::try_from)).collect::<Result<_, _>>()?,
            n_matching: counted.map_or(0, |row| row.n),
        })
    }

    /// Marks an invitation as accepted; says `false` when it was accepted, revoked or out of date already.
    pub async fn accept_invitation(&mut self, id: &str, now: Millis) -> Result<bool, StorageError> {
        let touched = execute!(
            self,
            "update invitation set accepted_at = $2 where id = $1 and accepted_at is null and revoked_at is null \
             and expires_at > $2",
            id,
            now,
        );
        Ok(touched > 0)
    }

    /// Revokes an invitation; says `false` when nothing was left to revoke.
    pub async fn revoke_invitation(&mut self, id: &str, now: Millis) -> Result<bool, StorageError> {
        let touched = execute!(
            self,
            "update invitation set revoked_at = $2 where id = $1 and accepted_at is null and revoked_at is null",
            id,
            now,
        );
        Ok(touched > 0)
    }

    /// Revokes the open invitations of an address to the same service, or to none: a new link replaces the old one.
    pub async fn revoke_invitations_to(
        &mut self,
        email: &str,
        service: Option<&ServiceId>,
        now: Millis,
    ) -> Result<u64, StorageError> {
        Ok(execute!(
            self,
            "update invitation set revoked_at = $3 where email = $1 and accepted_at is null and revoked_at is null \
             and (service_id = $2 or (service_id is null and cast($2 as text) is null))",
            email,
            service.map(ServiceId::as_str),
            now,
        ))
    }

    /// Revokes what a person invited to, of one service or all, and nobody has accepted yet.
    pub async fn revoke_invitations_by(
        &mut self,
        person: &PersonId,
        service: Option<&ServiceId>,
        now: Millis,
    ) -> Result<u64, StorageError> {
        Ok(execute!(
            self,
            "update invitation set revoked_at = $3 where invited_by = $1 and accepted_at is null and revoked_at is null \
             and (service_id = $2 or cast($2 as text) is null)",
            person.as_str(),
            service.map(ServiceId::as_str),
            now,
        ))
    }
}

/// Links with which somebody chooses a new password.
impl Tx {
    /// Stores a link by its secret's digest.
    pub async fn insert_password_reset(
        &mut self,
        id: &str,
        secret_digest: &Digest,
        person: &PersonId,
        made_by: Option<&PersonId>,
        created_at: Millis,
        expires_at: Millis,
    ) -> Result<(), StorageError> {
        execute!(
            self,
            "insert into password_reset (id, token_hash, person_id, made_by, created_at, expires_at) \
             values ($1, $2, $3, $4, $5, $6)",
            id,
            secret_digest.as_str(),
            person.as_str(),
            made_by.map(PersonId::as_str),
            created_at,
            expires_at,
        );
        Ok(())
    }

    /// The link behind a secret while it works: its id, whose it is, who made it, and until when.
    pub async fn open_password_reset(
        &mut self,
        secret_digest: &Digest,
        now: Millis,
    ) -> Result<Option<(String, PersonId, Option<PersonId>, Millis)>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            id: String,
            person_id: String,
            made_by: Option<String>,
            expires_at: i64,
        }
        let row = fetch_optional!(
            self,
            Row,
            "select id, person_id, made_by, expires_at from password_reset where token_hash = $1 and used_at is null \
             and revoked_at is null and expires_at > $2",
            secret_digest.as_str(),
            now
        );
        row.map(|row| {
            let person = PersonId::parse(&row.person_id).ok_or_else(|| {
                StorageError::column("password_reset", "person_id", &row.person_id)
            })?;
            let made_by = row.made_by.as_deref().and_then(PersonId::parse);
            Ok((row.id, person, made_by, row.expires_at))
        })
        .transpose()
    }

    /// Marks a link as used; says `false` when it was used, revoked or out of date already.
    pub async fn use_password_reset(
        &mut self,
        id: &str,
        now: Millis,
    ) -> Result<bool, StorageError> {
        let touched = execute!(
            self,
            "update password_reset set used_at = $2 where id = $1 and used_at is null and revoked_at is null \
             and expires_at > $2",
            id,
            now
        );
        Ok(touched > 0)
    }

    /// Revokes the open links of a person; says how many.
    pub async fn revoke_password_resets(
        &mut self,
        person: &PersonId,
        now: Millis,
    ) -> Result<u64, StorageError> {
        Ok(execute!(
            self,
            "update password_reset set revoked_at = $2 where person_id = $1 and used_at is null and revoked_at is null",
            person.as_str(),
            now
        ))
    }

    /// Revokes the open links that a person made for others; says how many.
    pub async fn revoke_password_resets_by(
        &mut self,
        person: &PersonId,
        now: Millis,
    ) -> Result<u64, StorageError> {
        Ok(execute!(
            self,
            "update password_reset set revoked_at = $2 where made_by = $1 and used_at is null and revoked_at is null",
            person.as_str(),
            now
        ))
    }
}

/// API tokens.
impl Tx {
    pub async fn insert_api_token(&mut self, new: NewApiToken<'_>) -> Result<(), StorageError> {
        let scopes = serde_json::to_string(new.scopes)
            .map_err(|error| StorageError::Damaged(error.to_string()))?;
        execute!(
            self,
            "insert into api_token (id, token_hash, name, person_id, service_id, scopes, created_at, expires_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
            new.id.as_str(),
            new.secret_digest.as_str(),
            new.name,
            new.person.as_str(),
            new.service.map(ServiceId::as_str),
            scopes,
            new.created_at,
            new.expires_at,
        );
        Ok(())
    }

    /// The token with this secret, and the person it acts for.
    pub async fn api_token_by_secret(
        &mut self,
        digest: &Digest,
    ) -> Result<Option<(ApiToken, Person)>, StorageError> {
        let row = fetch_optional!(
            self,
            ApiTokenRow,
            token_columns!("where api_token.token_hash = $1"),
            digest.as_str()
        );
        let Some(row) = row else { return Ok(None) };
        let token = ApiToken::try_from(row)?;
        let person = self
            .person(&token.person)
            .await?
            .ok_or_else(|| StorageError::column("api_token", "person_id", token.person.as_str()))?;
        Ok(Some((token, person)))
    }

    /// A person's tokens that were not revoked, newest first; those out of date stay in the list.
    pub async fn api_tokens_of(
        &mut self,
        person: &PersonId,
    ) -> Result<Vec<ApiToken>, StorageError> {
        fetch_all!(
            self,
            ApiTokenRow,
            token_columns!(
                "where api_token.person_id = $1 and api_token.revoked_at is null \
                 order by api_token.created_at desc, api_token.id limit 600"
            ),
            person.as_str()
        )
        .into_iter()
        .map(ApiToken::try_from)
        .collect()
    }

    /// Revokes one of a person's tokens; returns its name, or `None` when there is no such token in use.
    pub async fn revoke_api_token(
        &mut self,
        person: &PersonId,
        id: &TokenId,
        now: Millis,
    ) -> Result<Option<String>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            name: String,
        }
        let row = fetch_optional!(
            self,
            Row,
            "update api_token set revoked_at = $3 where id = $1 and person_id = $2 and revoked_at is null \
             returning name",
            id.as_str(),
            person.as_str(),
            now,
        );
        Ok(row.map(|row| row.name))
    }

    /// Revokes all of a person's tokens, and says how many those were.
    pub async fn revoke_api_tokens_of(
        &mut self,
        person: &PersonId,
        now: Millis,
    ) -> Result<u64, StorageError> {
        Ok(execute!(
            self,
            "update api_token set revoked_at = $2 where person_id = $1 and revoked_at is null",
            person.as_str(),
            now,
        ))
    }

    /// Notes that a token was used.
    pub async fn touch_api_token(&mut self, id: &TokenId, now: Millis) -> Result<(), StorageError> {
        execute!(
            self,
            "update api_token set last_used_at = $2 where id = $1 and (last_used_at is null or last_used_at < $2)",
            id.as_str(),
            now
        );
        Ok(())
    }
}
