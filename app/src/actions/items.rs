//! Forms of an item: its moves, its people and terms, its words, what people say about it.

use leptos::prelude::*;

use super::ActionError;

#[cfg(feature = "ssr")]
use {
    super::ActionContext,
    crate::paths,
    holdpoint_domain::{
        Gating, ItemId, PersonId,
        item::Step,
        text::{Date, Name, Prose, Reason},
    },
    holdpoint_service::{CommentOn, ItemChange, ItemText, ServiceError},
};

/// Makes one of the moves that nobody signs.
#[server(prefix = "/act", endpoint = "items/step")]
pub async fn step_item(
    item: String,
    step: String,
    #[server(default)] note: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let id = parse_item(&item)?;
        let step = Step::parse(&step)
            .ok_or_else(|| ServiceError::rejected("", "This is not a move of an item."))?;
        let note = match note.trim() {
            "" => None,
            note => Some(Reason::parse(note).map_err(ServiceError::at("note"))?),
        };
        let item = cx
            .services
            .step(&cx.person, &id, step, note.as_ref())
            .await?;
        Ok::<_, ServiceError>(format!(
            "{} is now {}.",
            item.key,
            item.state.label().to_lowercase()
        ))
    }
    .await;
    cx.answer(outcome, paths::item(&item), &[("note", &note)])
        .await
}

/// Makes the person the owner of an item that nobody owns.
#[server(prefix = "/act", endpoint = "items/take")]
pub async fn take_item(item: String) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let taken = cx
            .services
            .take_item(&cx.person, &parse_item(&item)?)
            .await?;
        Ok::<_, ServiceError>(format!("You own {} now.", taken.key))
    }
    .await;
    cx.answer(outcome, paths::item(&item), &[]).await
}

/// Changes an item's people and terms, over the version that the person saw.
#[server(prefix = "/act", endpoint = "items/change")]
pub async fn change_item(
    item: String,
    version: i64,
    #[server(default)] owner_id: String,
    #[server(default)] reviewer_ids: Vec<String>,
    #[server(default)] gating: String,
    #[server(default)] due_on: String,
    #[server(default)] quorum: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let id = parse_item(&item)?;
        let person = |field, text: &str| {
            PersonId::parse(text)
                .ok_or_else(|| ServiceError::rejected(field, "Choose a person of the list."))
        };
        let change = ItemChange {
            version,
            owner: if owner_id.is_empty() {
                None
            } else {
                Some(person("owner_id", &owner_id)?)
            },
            reviewers: reviewer_ids
                .iter()
                .map(|text| person("reviewers", text))
                .collect::<Result<_, _>>()?,
            gating: Gating::parse(&gating).ok_or_else(|| {
                ServiceError::rejected("gating", "An item is a blocker or advisory.")
            })?,
            due_on: if due_on.trim().is_empty() {
                None
            } else {
                Some(Date::parse(&due_on).map_err(ServiceError::at("due_on"))?)
            },
            quorum: if quorum.trim().is_empty() {
                None
            } else {
                Some(quorum.trim().parse().map_err(|_| {
                    ServiceError::rejected(
                        "quorum",
                        "Write a number from 1 to 20, or leave it empty.",
                    )
                })?)
            },
        };
        cx.services.update_item(&cx.person, &id, change).await
    }
    .await
    .map_err(|error| match error {
        // The field in the form carries an id, the rule speaks of the owner.
        ServiceError::Rejected {
            field: "owner",
            message,
        } => ServiceError::Rejected {
            field: "owner_id",
            message,
        },
        error => error,
    });
    let ids = reviewer_ids.join(" ");
    let typed = [
        ("owner_id", owner_id.as_str()),
        ("reviewer_ids", ids.as_str()),
        ("gating", gating.as_str()),
        ("due_on", &due_on),
        ("quorum", &quorum),
    ];
    let changed = outcome.map(|changed| {
        super::Notice::new(format!("{} is saved.", changed.key)).at(paths::item(&item))
    });
    cx.answer(changed, paths::edit_item(&item), &typed).await
}

/// Changes an item's words in this review, over the version that the person saw.
#[server(prefix = "/act", endpoint = "items/reword")]
pub async fn reword_item(
    item: String,
    version: i64,
    #[server(default)] title: String,
    #[server(default)] requirement: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let text = ItemText {
            version,
            title: Name::parse(&title).map_err(ServiceError::at("title"))?,
            body: if requirement.trim().is_empty() {
                None
            } else {
                Some(Prose::parse(&requirement).map_err(ServiceError::at("requirement"))?)
            },
        };
        let changed = cx
            .services
            .edit_item(&cx.person, &parse_item(&item)?, text)
            .await?;
        Ok::<_, ServiceError>(
            super::Notice::new(format!("{} is saved.", changed.key)).at(paths::item(&item)),
        )
    }
    .await;
    let typed = [
        ("title", title.as_str()),
        ("requirement", requirement.as_str()),
    ];
    cx.answer(outcome, paths::edit_item(&item), &typed).await
}

/// Says something about an item.
#[server(prefix = "/act", endpoint = "items/comment")]
pub async fn comment_on_item(
    item: String,
    #[server(default)] body: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let body = Prose::parse(&body).map_err(ServiceError::at("body"))?;
        let comment = cx
            .services
            .add_comment(&cx.person, &CommentOn::Item(parse_item(&item)?), body)
            .await?;
        Ok::<_, ServiceError>(super::Notice::silent(format!(
            "{}#comment-{comment}",
            paths::item(&item)
        )))
    }
    .await;
    cx.answer(outcome, paths::item(&item), &[("body", &body)])
        .await
}

#[cfg(feature = "ssr")]
pub(super) fn parse_item(text: &str) -> Result<ItemId, ServiceError> {
    ItemId::parse(text).ok_or(ServiceError::NotFound("This item"))
}
