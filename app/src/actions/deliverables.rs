//! Forms of what a review has to hand over.

use leptos::prelude::*;

use super::ActionError;

#[cfg(feature = "ssr")]
use {
    super::{ActionContext, services::optional},
    crate::paths,
    holdpoint_domain::{DeliverableId, PersonId, text::Prose},
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

/// Names who hands a deliverable over; an empty `owner` is nobody.
#[server(prefix = "/act", endpoint = "deliverables/set-owner")]
pub async fn set_deliverable_owner(
    #[server(default)] review: String,
    #[server(default)] deliverable: String,
    #[server(default)] version: i64,
    #[server(default)] owner: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let id =
            DeliverableId::parse(&deliverable).ok_or(ServiceError::NotFound("This deliverable"))?;
        let person = match owner.as_str() {
            "" => None,
            id => Some(PersonId::parse(id).ok_or_else(|| {
                ServiceError::rejected("owner", "Choose somebody of this service, or nobody.")
            })?),
        };
        let set = cx
            .services
            .set_deliverable_owner(&cx.person, &id, version, person.as_ref())
            .await?;
        Ok::<_, ServiceError>(if set.owner.is_some() {
            format!("“{}” has its owner.", set.title)
        } else {
            format!("“{}” has no owner.", set.title)
        })
    }
    .await;
    let typed = [("deliverable", deliverable.as_str()), ("owner", &owner)];
    let back = format!("{}#deliverables", paths::checklist(&review));
    cx.answer(outcome, back, &typed).await
}
