//! Filters that people save by name, each for themselves: the same list of findings again, in any review of the service.

use holdpoint_domain::{ServiceId, person::Action, text::Name};
use holdpoint_storage::{NewActivity, SavedFilter, Tx};

use crate::{Actor, ServiceError, Services, accounts::in_person};

/// How many filters a person can have for one service.
pub const MAX_SAVED_FILTERS: usize = 50;
/// How long a filter's address can be.
const MAX_QUERY: usize = 4_000;

const NOT_FOUND: ServiceError = ServiceError::NotFound("This filter");

fn taken(name: &Name) -> ServiceError {
    ServiceError::rejected(
        "name",
        format!("You have a filter named “{}” already.", name.as_str()),
    )
}

impl Services {
    /// The actor's filters for a service, by name.
    pub async fn saved_filters(
        &self,
        actor: &Actor,
        service: &ServiceId,
    ) -> Result<Vec<SavedFilter>, ServiceError> {
        let mut tx = self.database().read().await?;
        self.allow(&mut tx, actor, service, Action::Read).await?;
        Ok(tx.saved_filters(&actor.id, service).await?)
    }

    /// Saves a list for the actor: `query` is what its address says.
    pub async fn save_filter(
        &self,
        actor: &Actor,
        service: &ServiceId,
        name: &str,
        query: &str,
    ) -> Result<SavedFilter, ServiceError> {
        in_person(actor)?;
        let mut tx = self.database().write().await?;
        self.allow(&mut tx, actor, service, Action::Read).await?;
        let name = Name::parse(name).map_err(ServiceError::at("name"))?;
        if query.len() > MAX_QUERY {
            return Err(ServiceError::rejected(
                "name",
                "This filter is too long to be saved. Take some of it away.",
            ));
        }
        if tx.saved_filters(&actor.id, service).await?.len() >= MAX_SAVED_FILTERS {
            return Err(ServiceError::rejected(
                "name",
                format!("You have {MAX_SAVED_FILTERS} filters here. Delete one first."),
            ));
        }
        let now = self.now();
        let filter = SavedFilter {
            id: self.ids().uuid(now),
            service_id: service.as_str().to_owned(),
            name: name.as_str().to_owned(),
            query: query.to_owned(),
        };
        if !tx.insert_saved_filter(&actor.id, &filter, now).await? {
            return Err(taken(&name));
        }
        let summary = format!("saved the filter {}", filter.name);
        self.note_filter(&mut tx, actor, "filter.saved", &filter, summary)
            .await?;
        tx.commit().await?;
        Ok(filter)
    }

    /// Gives one of the actor's filters another name.
    pub async fn rename_filter(
        &self,
        actor: &Actor,
        id: &str,
        name: &str,
    ) -> Result<(), ServiceError> {
        in_person(actor)?;
        let mut tx = self.database().write().await?;
        let filter = tx.saved_filter(&actor.id, id).await?.ok_or(NOT_FOUND)?;
        let name = Name::parse(name).map_err(ServiceError::at("name"))?;
        if name.as_str() == filter.name {
            return Ok(());
        }
        if !tx
            .rename_saved_filter(&filter, &actor.id, name.as_str())
            .await?
        {
            return Err(taken(&name));
        }
        let summary = format!("renamed the filter {} to {}", filter.name, name.as_str());
        self.note_filter(&mut tx, actor, "filter.renamed", &filter, summary)
            .await?;
        Ok(tx.commit().await?)
    }

    /// Deletes one of the actor's filters.
    pub async fn delete_filter(&self, actor: &Actor, id: &str) -> Result<(), ServiceError> {
        in_person(actor)?;
        let mut tx = self.database().write().await?;
        let filter = tx.saved_filter(&actor.id, id).await?.ok_or(NOT_FOUND)?;
        tx.delete_saved_filter(&actor.id, id).await?;
        let summary = format!("deleted the filter {}", filter.name);
        self.note_filter(&mut tx, actor, "filter.deleted", &filter, summary)
            .await?;
        Ok(tx.commit().await?)
    }

    /// In the log of the person, not of the service: nobody else sees a filter.
    async fn note_filter(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        action: &str,
        filter: &SavedFilter,
        summary: String,
    ) -> Result<(), ServiceError> {
        let entry: NewActivity<'_> =
            self.about(actor.id.as_str(), action, "filter", &filter.id, summary);
        tx.append_activity(entry).await?;
        Ok(())
    }
}
