//! Forms of what a review has to hand over.

use leptos::prelude::*;

use super::ActionError;

#[cfg(feature = "ssr")]
use {
    super::{ActionContext, services::optional},
    crate::paths,
    holdpoint_domain::{DeliverableId, text::Prose},
    holdpoint_service::{DeliverableChange, ServiceError},
};

/// Says that a deliverable is done (`state` is `done`) or open, with a note, over the version that the person saw.
#[server(prefix = "/act", endpoint = "deliverables/set")]
pub async fn set_deliverable(
    review: String,
    deliverable: String,
    version: i64,
    #[server(default)] state: String,
    #[server(default)] note: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let id =
            DeliverableId::parse(&deliverable).ok_or(ServiceError::NotFound("This deliverable"))?;
        let change = DeliverableChange {
            version,
            done: match state.as_str() {
                "done" => true,
                "open" => false,
                _ => {
                    return Err(ServiceError::rejected(
                        "state",
                        "A deliverable is done or open.",
                    ));
                }
            },
            note: optional("note", &note, Prose::parse)?,
        };
        let set = cx.services.set_done(&cx.person, &id, change).await?;
        Ok(if set.done {
            format!("“{}” is done.", set.title)
        } else {
            format!("“{}” is open.", set.title)
        })
    }
    .await;
    let typed = [
        ("deliverable", deliverable.as_str()),
        ("state", &state),
        ("note", &note),
    ];
    let back = format!("{}#deliverables", paths::checklist(&review));
    cx.answer(outcome, back, &typed).await
}
