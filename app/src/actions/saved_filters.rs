//! Forms of the filters that people save for themselves.

use leptos::prelude::*;

use super::ActionError;

#[cfg(feature = "ssr")]
use {
    super::ActionContext, crate::paths, holdpoint_domain::ReviewId, holdpoint_service::ServiceError,
};

/// Saves the list that `query` asks for under a name.
#[server(prefix = "/act", endpoint = "filters/save")]
pub async fn save_filter(
    #[server(default)] review: String,
    #[server(default)] query: String,
    #[server(default)] name: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let id = ReviewId::parse(&review).ok_or(ServiceError::NotFound("This review"))?;
        let service = cx.services.review(&cx.person, &id).await?.service.id;
        // Only what the list understands is kept of it.
        let query = paths::query_of(&crate::pages::findings::address_of(&review, &query));
        let saved = cx
            .services
            .save_filter(&cx.person, &service, &name, &query)
            .await?;
        Ok::<_, ServiceError>(format!("The filter “{}” is saved.", saved.name))
    }
    .await;
    let back = crate::pages::findings::address_of(&review, &query);
    cx.answer(outcome, back, &[("name", &name)]).await
}

/// Renames a filter, or with `delete` deletes it.
#[server(prefix = "/act", endpoint = "filters/change")]
pub async fn change_filter(
    #[server(default)] review: String,
    #[server(default)] query: String,
    #[server(default)] filter: String,
    #[server(default)] name: String,
    #[server(default)] change: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        if change == "delete" {
            cx.services.delete_filter(&cx.person, &filter).await?;
            return Ok::<_, ServiceError>("The filter is deleted.");
        }
        cx.services
            .rename_filter(&cx.person, &filter, &name)
            .await?;
        Ok("The filter is renamed.")
    }
    .await;
    let back = crate::pages::findings::address_of(&review, &query);
    cx.answer(outcome, back, &[("filter", &filter), ("name", &name)])
        .await
}
