//! People, and what they are to services.

use holdpoint_domain::{InstanceRole, Millis, PersonId, ServiceId, ServiceRole};

use crate::{StorageError, Tx, execute, fetch_all, fetch_optional, tx::one};

/// A person with an account. Deliberately without the password's hash: see [`Tx::password_hash`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub id: PersonId,
    pub email: String,
    pub name: String,
    pub instance_role: InstanceRole,
    pub has_password: bool,
    pub created_at: Millis,
    pub disabled_at: Option<Millis>,
    pub version: i64,
}

/// What is needed to make an account.
#[derive(Clone, Copy)]
pub struct NewPerson<'a> {
    pub id: &'a PersonId,
    pub email: &'a str,
    pub name: &'a str,
    pub instance_role: InstanceRole,
    pub password_hash: Option<&'a str>,
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
    disabled_at: Option<i64>,
    version: i64,
}

impl TryFrom<PersonRow> for Person {
    type Error = StorageError;

    fn try_from(row: PersonRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: PersonId::parse(&row.id)
                .ok_or_else(|| StorageError::column("person", "id", &row.id))?,
            instance_role: InstanceRole::parse(&row.instance_role).ok_or_else(|| {
                StorageError::column("person", "instance_role", &row.instance_role)
            })?,
            email: row.email,
            name: row.name,
            has_password: row.has_password != 0,
            created_at: row.created_at,
            disabled_at: row.disabled_at,
            version: row.version,
        })
    }
}

macro_rules! person_columns {
    ($rest:literal) => {
        concat!(
            "select person.id, person.email, person.name, person.instance_role, \
             cast(case when person.password_hash is null then 0 else 1 end as bigint) as has_password, \
             person.created_at, person.disabled_at, person.version from person ",
            $rest
        )
    };
}

impl Tx {
    /// Makes an account; [`StorageError::Conflict`] when the address is taken.
    pub async fn insert_person(&mut self, new: NewPerson<'_>) -> Result<(), StorageError> {
        let touched = execute!(
            self,
            "insert into person (id, email, name, instance_role, password_hash, created_at, version) \
             values ($1, $2, $3, $4, $5, $6, 1) on conflict do nothing",
            new.id.as_str(),
            new.email,
            new.name,
            new.instance_role.as_str(),
            new.password_hash,
            new.created_at,
        );
        one(touched)
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

    /// Everyone with an account, by name; bounded, since an instance serves an organisation, not the public.
    pub async fn people(&mut self) -> Result<Vec<Person>, StorageError> {
        fetch_all!(
            self,
            PersonRow,
            person_columns!("order by lower(name), id limit 5000")
        )
        .into_iter()
        .map(Person::try_from)
        .collect()
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

    /// Everyone with a role on a service, by name.
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
        const SQL: &str = "select person.id, person.email, person.name, person.instance_role, \
            cast(case when person.password_hash is null then 0 else 1 end as bigint) as has_password, \
            person.created_at, person.disabled_at, person.version, membership.role from membership \
            join person on person.id = membership.person_id where membership.service_id = $1 \
            order by lower(person.name), person.id limit 5000";
        fetch_all!(self, Row, SQL, service.as_str())
            .into_iter()
            .map(|row| {
                let role = ServiceRole::parse(&row.role)
                    .ok_or_else(|| StorageError::column("membership", "role", &row.role))?;
                Ok((row.person.try_into()?, role))
            })
            .collect()
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

    /// Sets a value only when there is none, and says which one holds now: two nodes that start at once agree.
    pub async fn setting_or_insert(
        &mut self,
        key: &str,
        value: &str,
    ) -> Result<String, StorageError> {
        execute!(
            self,
            "insert into setting (key, value) values ($1, $2) on conflict (key) do nothing",
            key,
            value
        );
        self.setting(key)
            .await?
            .ok_or_else(|| StorageError::Damaged(format!("setting {key} vanished")))
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
