//! People, and what they are to services.

use std::collections::{BTreeMap, BTreeSet};

use holdpoint_domain::{
    InstanceRole, Millis, PersonId, ServiceId, ServiceRole, four_eyes::Account, text::look_of_name,
};

use crate::{
    StorageError, Tx, columns::contains_pattern, execute, fetch_all, fetch_optional, for_ids,
    tx::one,
};

/// A person with an account. Deliberately without the password's hash: see [`Tx::password_hash`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub id: PersonId,
    pub email: String,
    pub name: String,
    pub instance_role: InstanceRole,
    pub has_password: bool,
    pub created_at: Millis,
    /// Whose invitation the account came of: id and name.
    pub made_by: Option<(PersonId, String)>,
    /// Whose link last set the password, and when.
    pub password_reset: Option<(PersonId, String, Millis)>,
    /// A link by somebody else that set the password, which the person has not dismissed yet.
    pub unseen_reset: Option<UnseenReset>,
    pub disabled_at: Option<Millis>,
    pub version: i64,
}

/// A link that somebody else made and by which a person's password was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnseenReset {
    /// The name of who made it; absent for the command line.
    pub by: Option<String>,
    pub at: Millis,
}

/// What a person who is not disabled may do: on the instance, and on one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    pub instance_role: InstanceRole,
    pub role: Option<ServiceRole>,
}

/// What is needed to make an account.
#[derive(Clone, Copy)]
pub struct NewPerson<'a> {
    pub id: &'a PersonId,
    pub email: &'a str,
    pub name: &'a str,
    pub instance_role: InstanceRole,
    pub password_hash: Option<&'a str>,
    /// Whose invitation it comes of.
    pub made_by: Option<&'a PersonId>,
    pub created_at: Millis,
}

#[derive(sqlx::FromRow)]
struct PersonRow {
    id: String,
    email: String,
    name: String,
    instance_role: String,
    has_password: i64,
    created_at: i64,
    made_by: Option<String>,
    made_by_name: Option<String>,
    password_reset_by: Option<String>,
    password_reset_by_name: Option<String>,
    password_reset_at: Option<i64>,
    password_reset_seen_at: Option<i64>,
    disabled_at: Option<i64>,
    version: i64,
}

impl TryFrom<PersonRow> for Person {
    type Error = StorageError;

    fn try_from(row: PersonRow) -> Result<Self, StorageError> {
        let is_seen = |at| row.password_reset_seen_at.is_some_and(|seen| seen >= at);
        let unseen_reset = row
            .password_reset_at
            .filter(|at| !is_seen(*at) && row.password_reset_by.as_deref() != Some(&row.id))
            .map(|at| UnseenReset {
                by: row.password_reset_by_name.clone(),
                at,
            });
        Ok(Self {
            unseen_reset,
            id: PersonId::parse(&row.id)
                .ok_or_else(|| StorageError::column("person", "id", &row.id))?,
            instance_role: InstanceRole::parse(&row.instance_role).ok_or_else(|| {
                StorageError::column("person", "instance_role", &row.instance_role)
            })?,
            email: row.email,
            name: row.name,
            has_password: row.has_password != 0,
            created_at: row.created_at,
            made_by: row
                .made_by
                .as_deref()
                .and_then(PersonId::parse)
                .zip(row.made_by_name),
            password_reset: match (
                row.password_reset_by.as_deref().and_then(PersonId::parse),
                row.password_reset_by_name,
                row.password_reset_at,
            ) {
                (Some(by), Some(name), Some(at)) => Some((by, name, at)),
                _ => None,
            },
            disabled_at: row.disabled_at,
            version: row.version,
        })
    }
}

/// The columns of a person.
macro_rules! of_person {
    () => {
        "person.id, person.email, person.name, person.instance_role, \
         cast(case when person.password_hash is null then 0 else 1 end as bigint) as has_password, \
         person.created_at, person.made_by, \
         (select maker.name from person as maker where maker.id = person.made_by) as made_by_name, \
         person.password_reset_by, \
         (select helper.name from person as helper where helper.id = person.password_reset_by) \
         as password_reset_by_name, person.password_reset_at, person.password_reset_seen_at, person.disabled_at, person.version"
    };
}

macro_rules! person_columns {
    ($rest:literal) => {
        concat!("select ", of_person!(), " from person ", $rest)
    };
}

/// Whoever made these accounts, and whoever made those, up to an administrator.
macro_rules! hands {
    ($ids:literal) => {
        concat!(
            "with recursive hand (id, maker) as (select person.id, person.made_by from person \
             where person.made_by is not null and person.id in ",
            $ids,
            " union select hand.id, person.made_by from hand join person on person.id = hand.maker \
             where person.made_by is not null and person.instance_role <> 'admin') \
             select hand.id, hand.maker, person.instance_role from hand join person on person.id = hand.maker"
        )
    };
}

/// Whether a person's name or address holds a text: `$1` in small letters, `$2` as it was typed.
macro_rules! is_found {
    () => {
        "(lower(person.name) like $1 escape '\\' or lower(person.email) like $1 escape '\\' \
         or person.name like $2 escape '\\')"
    };
}

/// The first entries of a list that a search leaves, and how many there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<T> {
    pub entries: Vec<T>,
    pub n_matching: i64,
}

/// The patterns of a search. Letters beyond ASCII are found as they are typed, since the databases make only ASCII's small.
pub(crate) fn found_patterns(text: &str) -> [String; 2] {
    let text = text.trim();
    [
        contains_pattern(&text.to_lowercase()),
        contains_pattern(text),
    ]
}

impl Tx {
    /// Makes an account; [`StorageError::Conflict`] when the address is taken.
    pub async fn insert_person(&mut self, new: NewPerson<'_>) -> Result<(), StorageError> {
        let touched = execute!(
            self,
            "insert into person (id, email, name, name_look, instance_role, password_hash, made_by, created_at, version) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, 1) on conflict do nothing",
            new.id.as_str(),
            new.email,
            new.name,
            look_of_name(new.name),
            new.instance_role.as_str(),
            new.password_hash,
            new.made_by.map(PersonId::as_str),
            new.created_at,
        );
        one(touched)
    }

    /// The names and addresses of all accounts, for what must not look like one of them.
    pub async fn names_of_people(&mut self) -> Result<Vec<(String, String)>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            name: String,
            email: String,
        }
        let rows = fetch_all!(self, Row, "select name, email from person order by id");
        Ok(rows.into_iter().map(|row| (row.name, row.email)).collect())
    }

    /// Who stands behind accounts, with the names of their people; ids of nobody are passed over.
    pub async fn accounts(
        &mut self,
        ids: &[&str],
    ) -> Result<BTreeMap<String, (Account, String)>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            id: String,
            name: String,
            instance_role: String,
            password_reset_by: Option<String>,
        }
        #[derive(sqlx::FromRow)]
        struct Hand {
            id: String,
            maker: String,
            instance_role: String,
        }
        let ids = serde_json::to_string(ids).expect("ids are texts");
        let sql = for_ids!(
            self,
            "select id, name, instance_role, password_reset_by from person where id in",
            ""
        );
        let rows = fetch_all!(self, Row, sql, &ids);
        // An administrator answers for themselves; whom somebody else invited, their invitations lead back to that one. What
        // was found is not followed twice, so that this ends.
        let sql = self.dialect(
            concat!(
                hands!("(select value from json_each($1))"),
                " order by hand.id"
            ),
            concat!(
                hands!("(select jsonb_array_elements_text(cast($1 as jsonb)))"),
                " order by hand.id"
            ),
        );
        let mut made_by: BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
        for hand in fetch_all!(self, Hand, sql, &ids) {
            let (makers, hands) = made_by.entry(hand.id).or_default();
            if hand.instance_role != InstanceRole::Admin.as_str() {
                hands.insert(hand.maker.clone());
            }
            makers.insert(hand.maker);
        }
        let accounts = rows.into_iter().map(|row| {
            let (makers, hands) = made_by.remove(&row.id).unwrap_or_default();
            let account = Account {
                made_by: makers,
                hands,
                reset_by: row.password_reset_by.filter(|by| *by != row.id),
                is_administrator: row.instance_role == InstanceRole::Admin.as_str(),
                person: row.id.clone(),
            };
            (row.id, (account, row.name))
        });
        Ok(accounts.collect())
    }

    pub async fn person(&mut self, id: &PersonId) -> Result<Option<Person>, StorageError> {
        fetch_optional!(
            self,
            PersonRow,
            person_columns!("where id = $1"),
            id.as_str()
        )
        .map(Person::try_from)
        .transpose()
    }

    pub async fn person_by_email(&mut self, email: &str) -> Result<Option<Person>, StorageError> {
        fetch_optional!(self, PersonRow, person_columns!("where email = $1"), email)
            .map(Person::try_from)
            .transpose()
    }

    /// The first accounts whose name or address holds a text, by name, and how many there are.
    pub async fn people_found(
        &mut self,
        text: &str,
        limit: i64,
    ) -> Result<Found<Person>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            #[sqlx(flatten)]
            person: PersonRow,
            n_matching: i64,
        }
        const SQL: &str = concat!(
            "select ",
            of_person!(),
            ", count(*) over () as n_matching from person where ",
            is_found!(),
            " order by lower(person.name), person.id limit $3"
        );
        let [small, typed] = found_patterns(text);
        let rows = fetch_all!(self, Row, SQL, small, typed, limit);
        Ok(Found {
            n_matching: rows.first().map_or(0, |row| row.n_matching),
            entries: (rows.into_iter().map(|row| row.person.try_into()))
                .collect::<Result<_, _>>()?,
        })
    }

    /// How many accounts there are: none means that the instance waits for its set-up.
    pub async fn n_people(&mut self) -> Result<i64, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            n: i64,
        }
        Ok(fetch_optional!(self, Row, "select count(*) as n from person").map_or(0, |row| row.n))
    }

    /// The stored argon2id hash (PHC text) of a person's password.
    pub async fn password_hash(&mut self, id: &PersonId) -> Result<Option<String>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            password_hash: Option<String>,
        }
        let row = fetch_optional!(
            self,
            Row,
            "select password_hash from person where id = $1",
            id.as_str()
        );
        Ok(row.and_then(|row| row.password_hash))
    }

    /// The stored hash of a person's password, which nobody changes until this unit of work ends; `None` where there is no
    /// such account or it is disabled.
    pub async fn password_hash_until_done(
        &mut self,
        id: &PersonId,
    ) -> Result<Option<Option<String>>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            password_hash: Option<String>,
        }
        let sql = self.dialect(
            "select password_hash from person where id = $1 and disabled_at is null",
            "select password_hash from person where id = $1 and disabled_at is null for share",
        );
        let row = fetch_optional!(self, Row, sql, id.as_str());
        Ok(row.map(|row| row.password_hash))
    }

    pub async fn set_password_hash(
        &mut self,
        id: &PersonId,
        hash: &str,
    ) -> Result<(), StorageError> {
        execute!(
            self,
            "update person set password_hash = $2 where id = $1",
            id.as_str(),
            hash
        );
        Ok(())
    }

    /// Notes whose link set a person's password; absent for one that the command line made.
    pub async fn note_password_reset(
        &mut self,
        id: &PersonId,
        by: Option<&PersonId>,
        at: Millis,
    ) -> Result<(), StorageError> {
        execute!(
            self,
            "update person set password_reset_by = $2, password_reset_at = $3 where id = $1",
            id.as_str(),
            by.map(PersonId::as_str),
            at,
        );
        Ok(())
    }

    /// Notes that a person has seen who had their password reset until then; says whether they had not before.
    pub async fn see_password_reset(
        &mut self,
        id: &PersonId,
        at: Millis,
    ) -> Result<bool, StorageError> {
        let touched = execute!(
            self,
            "update person set password_reset_seen_at = $2 where id = $1 and password_reset_at <= $2 \
             and (password_reset_seen_at is null or password_reset_seen_at < password_reset_at)",
            id.as_str(),
            at,
        );
        Ok(touched > 0)
    }

    /// What a person may do here, as it is stored now: their instance role unless the account is disabled, and their role on the
    /// service. `None` where there is no such account or it is disabled.
    pub async fn granted(
        &mut self,
        service: &ServiceId,
        person: &PersonId,
    ) -> Result<Option<Granted>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            instance_role: String,
            role: Option<String>,
        }
        const SQL: &str = "select person.instance_role, membership.role from person \
            left join membership on membership.person_id = person.id and membership.service_id = $1 \
            where person.id = $2 and person.disabled_at is null";
        if self.keeps_by_locks() {
            execute!(
                self,
                "select 1 from person where id = $1 for share",
                person.as_str()
            );
            execute!(
                self,
                "select 1 from membership where service_id = $1 and person_id = $2 for share",
                service.as_str(),
                person.as_str()
            );
        }
        fetch_optional!(self, Row, SQL, service.as_str(), person.as_str())
            .map(|row| {
                let instance_role = InstanceRole::parse(&row.instance_role).ok_or_else(|| {
                    StorageError::column("person", "instance_role", &row.instance_role)
                })?;
                let role = row
                    .role
                    .map(|role| {
                        ServiceRole::parse(&role)
                            .ok_or_else(|| StorageError::column("membership", "role", &role))
                    })
                    .transpose()?;
                Ok(Granted {
                    instance_role,
                    role,
                })
            })
            .transpose()
    }

    /// What a person is to the instance, as it is stored now; `None` where there is no such account or it is disabled.
    pub async fn instance_role(
        &mut self,
        person: &PersonId,
    ) -> Result<Option<InstanceRole>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            instance_role: String,
        }
        const SQL: &str = "select instance_role from person where id = $1 and disabled_at is null";
        if self.keeps_by_locks() {
            execute!(
                self,
                "select 1 from person where id = $1 for share",
                person.as_str()
            );
        }
        fetch_optional!(self, Row, SQL, person.as_str())
            .map(|row| {
                InstanceRole::parse(&row.instance_role).ok_or_else(|| {
                    StorageError::column("person", "instance_role", &row.instance_role)
                })
            })
            .transpose()
    }

    /// What a person is to a service.
    pub async fn service_role(
        &mut self,
        service: &ServiceId,
        person: &PersonId,
    ) -> Result<Option<ServiceRole>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            role: String,
        }
        const SQL: &str = "select role from membership where service_id = $1 and person_id = $2";
        fetch_optional!(self, Row, SQL, service.as_str(), person.as_str())
            .map(|row| {
                ServiceRole::parse(&row.role)
                    .ok_or_else(|| StorageError::column("membership", "role", &row.role))
            })
            .transpose()
    }

    /// Everyone with a role on a service, by name. How many that can be is bounded, see [`crate::Listed::MembersOf`].
    pub async fn members(
        &mut self,
        service: &ServiceId,
    ) -> Result<Vec<(Person, ServiceRole)>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            #[sqlx(flatten)]
            person: PersonRow,
            role: String,
        }
        const SQL: &str = concat!(
            "select ",
            of_person!(),
            ", membership.role from membership \
             join person on person.id = membership.person_id where membership.service_id = $1 \
             order by lower(person.name), person.id limit 5100"
        );
        fetch_all!(self, Row, SQL, service.as_str())
            .into_iter()
            .map(|row| {
                let role = ServiceRole::parse(&row.role)
                    .ok_or_else(|| StorageError::column("membership", "role", &row.role))?;
                Ok((row.person.try_into()?, role))
            })
            .collect()
    }

    /// The first of those with a role on a service whose name or address holds a text, by name, and how many there are.
    pub async fn members_found(
        &mut self,
        service: &ServiceId,
        text: &str,
        limit: i64,
    ) -> Result<Found<(Person, ServiceRole)>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            #[sqlx(flatten)]
            person: PersonRow,
            role: String,
            n_matching: i64,
        }
        const SQL: &str = concat!(
            "select ",
            of_person!(),
            ", membership.role, count(*) over () as n_matching from membership \
             join person on person.id = membership.person_id where membership.service_id = $4 and ",
            is_found!(),
            " order by lower(person.name), person.id limit $3"
        );
        let [small, typed] = found_patterns(text);
        let rows = fetch_all!(self, Row, SQL, small, typed, limit, service.as_str());
        let n_matching = rows.first().map_or(0, |row| row.n_matching);
        let entries = rows.into_iter().map(|row| {
            let role = ServiceRole::parse(&row.role)
                .ok_or_else(|| StorageError::column("membership", "role", &row.role))?;
            Ok((row.person.try_into()?, role))
        });
        Ok(Found {
            entries: entries.collect::<Result<_, StorageError>>()?,
            n_matching,
        })
    }

    /// Gives a person a role on a service, instead of any they had; `None` takes it away.
    pub async fn set_service_role(
        &mut self,
        service: &ServiceId,
        person: &PersonId,
        role: Option<ServiceRole>,
    ) -> Result<(), StorageError> {
        match role {
            Some(role) => execute!(
                self,
                "insert into membership (service_id, person_id, role) values ($1, $2, $3) \
                 on conflict (service_id, person_id) do update set role = excluded.role",
                service.as_str(),
                person.as_str(),
                role.as_str(),
            ),
            None => execute!(
                self,
                "delete from membership where service_id = $1 and person_id = $2",
                service.as_str(),
                person.as_str(),
            ),
        };
        Ok(())
    }

    /// A value of the instance itself, such as its signing key.
    pub async fn setting(&mut self, key: &str) -> Result<Option<String>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            value: String,
        }
        Ok(
            fetch_optional!(self, Row, "select value from setting where key = $1", key)
                .map(|row| row.value),
        )
    }

    pub async fn set_setting(&mut self, key: &str, value: &str) -> Result<(), StorageError> {
        execute!(
            self,
            "insert into setting (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value",
            key,
            value,
        );
        Ok(())
    }

    pub async fn delete_setting(&mut self, key: &str) -> Result<bool, StorageError> {
        Ok(execute!(self, "delete from setting where key = $1", key) > 0)
    }
}
