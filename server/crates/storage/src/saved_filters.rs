//! Filters that people save by name, each for themselves and for one service.

use holdpoint_domain::{Millis, PersonId, ServiceId};

use crate::{StorageError, Tx, execute, fetch_all, fetch_optional};

/// A list of findings that a person wants to find again.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SavedFilter {
    pub id: String,
    pub service_id: String,
    pub name: String,
    /// As the address of the list says it.
    pub query: String,
}

impl Tx {
    /// A person's filters for a service, by name.
    pub async fn saved_filters(
        &mut self,
        person: &PersonId,
        service: &ServiceId,
    ) -> Result<Vec<SavedFilter>, StorageError> {
        Ok(fetch_all!(
            self,
            SavedFilter,
            "select id, service_id, name, query from saved_filter where person_id = $1 and service_id = $2 \
             order by lower(name), name",
            person.as_str(),
            service.as_str()
        ))
    }

    /// One of a person's filters.
    pub async fn saved_filter(
        &mut self,
        person: &PersonId,
        id: &str,
    ) -> Result<Option<SavedFilter>, StorageError> {
        Ok(fetch_optional!(
            self,
            SavedFilter,
            "select id, service_id, name, query from saved_filter where person_id = $1 and id = $2",
            person.as_str(),
            id
        ))
    }

    /// Saves a filter; says `false` when the person has one of this name already.
    pub async fn insert_saved_filter(
        &mut self,
        person: &PersonId,
        filter: &SavedFilter,
        at: Millis,
    ) -> Result<bool, StorageError> {
        let touched = execute!(
            self,
            "insert into saved_filter (id, person_id, service_id, name, query, created_at) \
             values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
            &filter.id,
            person.as_str(),
            &filter.service_id,
            &filter.name,
            &filter.query,
            at
        );
        Ok(touched > 0)
    }

    /// Renames a filter; says `false` when another has this name already.
    pub async fn rename_saved_filter(
        &mut self,
        filter: &SavedFilter,
        person: &PersonId,
        name: &str,
    ) -> Result<bool, StorageError> {
        let touched = execute!(
            self,
            "update saved_filter set name = $3 where id = $1 and person_id = $2 and not exists \
             (select 1 from saved_filter as other where other.person_id = $2 and other.service_id = $4 \
             and other.name = $3 and other.id <> $1)",
            &filter.id,
            person.as_str(),
            name,
            &filter.service_id
        );
        Ok(touched > 0)
    }

    pub async fn delete_saved_filter(
        &mut self,
        person: &PersonId,
        id: &str,
    ) -> Result<bool, StorageError> {
        let touched = execute!(
            self,
            "delete from saved_filter where person_id = $1 and id = $2",
            person.as_str(),
            id
        );
        Ok(touched > 0)
    }
}
