//! Services: the systems under review.

use std::collections::{BTreeMap, BTreeSet};

use holdpoint_domain::{Millis, PersonId, ServiceId, ServiceRole};

use crate::{
    StorageError, Tx, columns::parsed, execute, fetch_all, fetch_optional, reviews::json, tx::one,
};

/// A system under review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    pub id: ServiceId,
    pub slug: String,
    pub name: String,
    pub repository_url: Option<String>,
    /// Markdown; may be empty.
    pub description: String,
    pub created_at: Millis,
    pub version: i64,
}

#[derive(sqlx::FromRow)]
struct ServiceRow {
    id: String,
    slug: String,
    name: String,
    repository_url: Option<String>,
    description: String,
    created_at: i64,
    version: i64,
}

impl TryFrom<ServiceRow> for Service {
    type Error = StorageError;

    fn try_from(row: ServiceRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: parsed(ServiceId::parse, &row.id, "service", "id")?,
            slug: row.slug,
            name: row.name,
            repository_url: row.repository_url,
            description: row.description,
            created_at: row.created_at,
            version: row.version,
        })
    }
}

macro_rules! service_columns {
    ($rest:literal) => {
        concat!(
            "select service.id, service.slug, service.name, service.repository_url, service.description, \
             service.created_at, service.version from service ",
            $rest
        )
    };
}

impl Tx {
    /// Makes a service; [`StorageError::Conflict`] when its slug is taken. Its findings are numbered from 1.
    pub async fn insert_service(&mut self, service: &Service) -> Result<(), StorageError> {
        let touched = execute!(
            self,
            "insert into service (id, slug, name, repository_url, description, next_finding_number, created_at, version) \
             values ($1, $2, $3, $4, $5, 1, $6, $7) on conflict do nothing",
            service.id.as_str(),
            &service.slug,
            &service.name,
            service.repository_url.as_deref(),
            &service.description,
            service.created_at,
            service.version,
        );
        one(touched)
    }

    pub async fn service(&mut self, id: &ServiceId) -> Result<Option<Service>, StorageError> {
        fetch_optional!(
            self,
            ServiceRow,
            service_columns!("where id = $1"),
            id.as_str()
        )
        .map(Service::try_from)
        .transpose()
    }

    pub async fn service_by_slug(&mut self, slug: &str) -> Result<Option<Service>, StorageError> {
        fetch_optional!(self, ServiceRow, service_columns!("where slug = $1"), slug)
            .map(Service::try_from)
            .transpose()
    }

    /// The services on which a person has a role, or with `None` all of them, by name; bounded.
    pub async fn services(&mut self, of: Option<&PersonId>) -> Result<Vec<Service>, StorageError> {
        fetch_all!(
            self,
            ServiceRow,
            service_columns!(
                "where cast($1 as text) is null or exists (select 1 from membership \
                 where membership.service_id = service.id and membership.person_id = $1) \
                 order by lower(service.name), service.id limit 5100"
            ),
            of.map(PersonId::as_str),
        )
        .into_iter()
        .map(Service::try_from)
        .collect()
    }

    /// Stores every field but the id, and counts the version up; [`StorageError::Conflict`] when the stored version is
    /// another than the value's, or the slug is taken.
    pub async fn update_service(&mut self, service: &Service) -> Result<(), StorageError> {
        let touched = execute!(
            self,
            "update service set slug = $3, name = $4, repository_url = $5, description = $6, version = version + 1 \
             where id = $1 and version = $2 and not exists \
             (select 1 from service as other where other.slug = $3 and other.id <> $1)",
            service.id.as_str(),
            service.version,
            &service.slug,
            &service.name,
            service.repository_url.as_deref(),
            &service.description,
        );
        one(touched)
    }

    /// Every service on which a person has a role, with the role.
    pub async fn memberships_of(
        &mut self,
        person: &PersonId,
    ) -> Result<Vec<(ServiceId, ServiceRole)>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            service_id: String,
            role: String,
        }
        const SQL: &str = "select service_id, role from membership where person_id = $1 order by service_id limit 5000";
        fetch_all!(self, Row, SQL, person.as_str())
            .into_iter()
            .map(|row| {
                Ok((
                    parsed(
                        ServiceId::parse,
                        &row.service_id,
                        "membership",
                        "service_id",
                    )?,
                    parsed(ServiceRole::parse, &row.role, "membership", "role")?,
                ))
            })
            .collect()
    }

    /// The names of these people, by their ids; an id that is no person's is left out.
    pub async fn names(
        &mut self,
        people: &BTreeSet<&str>,
    ) -> Result<BTreeMap<String, String>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            id: String,
            name: String,
        }
        let sql = self.dialect(
            "select id, name from person where id in (select value from json_each($1))",
            "select id, name from person where id in (select json_array_elements_text(cast($1 as json)))",
        );
        Ok(fetch_all!(self, Row, sql, json(people)?)
            .into_iter()
            .map(|row| (row.id, row.name))
            .collect())
    }
}
