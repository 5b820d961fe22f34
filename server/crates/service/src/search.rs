//! Search: what a person may see, by what people call it.

use holdpoint_storage::Hits;

use crate::{Actor, ServiceError, Services};

/// How many of each kind are shown.
const MOST_HITS: i64 = 25;

impl Services {
    /// Reviews, items and findings that a text names or occurs in, among the services that the actor may read. An empty text
    /// finds nothing.
    pub async fn search(&self, actor: &Actor, text: &str) -> Result<Hits, ServiceError> {
        let text: String = text.trim().chars().take(200).collect();
        if text.is_empty() {
            return Ok(Hits::default());
        }
        let services: Vec<_> = self
            .services_for(actor)
            .await?
            .into_iter()
            .map(|readable| readable.service.id)
            .collect();
        let mut tx = self.database().read().await?;
        Ok(tx.search(&services, &text, MOST_HITS).await?)
    }
}
