//! Forms of evidence that carry no file. Adding it is an upload, since it may bring one.

use leptos::prelude::*;

use super::ActionError;

#[cfg(feature = "ssr")]
use {
    super::{ActionContext, Notice},
    crate::paths,
    holdpoint_domain::{EvidenceId, ItemId},
    holdpoint_service::ServiceError,
};

/// Withdraws a piece of evidence, with a reason. It stays on record.
#[server(prefix = "/act", endpoint = "evidence/withdraw")]
pub async fn withdraw_evidence(
    evidence: String,
    item: String,
    #[server(default)] reason: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    // Only the address to go back to: the service finds the item by itself.
    let back = ItemId::parse(&item)
        .map_or_else(|| paths::HOME.to_owned(), |item| paths::item(item.as_str()));
    let outcome = async {
        let id = EvidenceId::parse(&evidence).ok_or(ServiceError::NotFound("This evidence"))?;
        cx.services
            .withdraw_evidence(&cx.person, &id, &reason)
            .await?;
        Ok::<_, ServiceError>(Notice::new(
            "The evidence is withdrawn. It stays on record.",
        ))
    }
    .await;
    cx.answer(
        outcome,
        back,
        &[("evidence", &evidence), ("reason", &reason)],
    )
    .await
}
