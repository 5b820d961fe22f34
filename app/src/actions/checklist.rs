//! Forms of a review's checklist: one change of many items, an item added by hand.

use leptos::prelude::*;

use super::ActionError;

#[cfg(feature = "ssr")]
use {
    super::{ActionContext, IntoRefusal, Notice, services::optional},
    crate::{flash::Refusal, paths},
    holdpoint_domain::{
        Gating, ItemId, PersonId, ReviewId, SectionId,
        item::Step,
        text::{Date, Name, Prose},
    },
    holdpoint_service::{BulkChange, NewItem, ServiceError},
};

/// Changes the ticked items. `change` is what and, after a colon, which: `owner:ID`, `gate:advisory`, `step:start`; `due`
/// takes the date from `due_on`. `filter` is the query of the list, to come back to it.
#[server(prefix = "/act", endpoint = "checklist/change")]
pub async fn change_items(
    review: String,
    #[server(default)] items: Vec<String>,
    #[server(default)] change: String,
    #[server(default)] due_on: String,
    #[server(default)] filter: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let mut typed = vec![
        ("change".to_owned(), change.clone()),
        ("due_on".to_owned(), due_on.clone()),
    ];
    let outcome = async {
        let id = ReviewId::parse(&review).ok_or(ServiceError::NotFound("This review"))?;
        let asked = parse_change(&change, &due_on)?;
        let ticked: Vec<_> = items
            .iter()
            .filter_map(|item| ItemId::parse(item))
            .collect();
        cx.services
            .change_items(&cx.person, &id, &ticked, &asked)
            .await
    }
    .await;
    let outcome = match outcome {
        Ok(outcomes) => {
            let n = outcomes.len();
            let refused: Vec<_> = outcomes
                .into_iter()
                .filter(|outcome| outcome.refused.is_some())
                .collect();
            if refused.is_empty() {
                Ok(Notice::new(match n {
                    1 => "1 item is changed.".to_owned(),
                    n => format!("{n} items are changed."),
                }))
            } else {
                let ids: Vec<_> = refused
                    .iter()
                    .map(|outcome| outcome.item.as_str())
                    .collect();
                typed.push(("items".to_owned(), ids.join(",")));
                let lines: Vec<_> = refused
                    .iter()
                    .map(|outcome| {
                        let why = outcome.refused.as_deref().unwrap_or_default();
                        format!("{}\t{}\t{why}", outcome.key, outcome.title)
                    })
                    .collect();
                typed.push(("left".to_owned(), lines.join("\n")));
                Err(Refusal::Page {
                    message: format!(
                        "{} of {n} items are changed. {} left as {}; the list below says why.",
                        n - refused.len(),
                        match refused.len() {
                            1 => "1 item is".to_owned(),
                            left => format!("{left} items are"),
                        },
                        if refused.len() == 1 {
                            "it was"
                        } else {
                            "they were"
                        },
                    ),
                })
            }
        }
        Err(error) => {
            typed.push(("items".to_owned(), items.join(",")));
            Err(error.into_refusal(&cx.request_id))
        }
    };
    let mut back = paths::checklist(&review);
    if !filter.is_empty()
        && filter
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'#')
    {
        back = format!("{back}?{filter}");
    }
    let typed: Vec<_> = typed
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    cx.answer(outcome, back, &typed).await
}

#[cfg(feature = "ssr")]
fn parse_change(change: &str, due_on: &str) -> Result<BulkChange, ServiceError> {
    let wrong = || ServiceError::rejected("change", "Choose what to do with the ticked items.");
    let (what, which) = change.split_once(':').unwrap_or((change, ""));
    Ok(match what {
        "owner" if which.is_empty() => BulkChange::Owner(None),
        "owner" => BulkChange::Owner(Some(PersonId::parse(which).ok_or_else(wrong)?)),
        "reviewer" => BulkChange::Reviewer(PersonId::parse(which).ok_or_else(wrong)?),
        "due" if which == "none" => BulkChange::Due(None),
        "due" => BulkChange::Due(Some(
            Date::parse(due_on).map_err(ServiceError::at("due_on"))?,
        )),
        "gate" => BulkChange::Gating(Gating::parse(which).ok_or_else(wrong)?),
        "step" => BulkChange::Step(Step::parse(which).ok_or_else(wrong)?),
        _ => return Err(wrong()),
    })
}

/// Adds an item that the document does not have.
#[server(prefix = "/act", endpoint = "checklist/add-item")]
pub async fn add_item(
    review: String,
    #[server(default)] section: String,
    #[server(default)] title: String,
    #[server(default)] body: String,
    #[server(default)] gating: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let id = ReviewId::parse(&review).ok_or(ServiceError::NotFound("This review"))?;
        let new = NewItem {
            section: match section.as_str() {
                "" => None,
                text => Some(SectionId::parse(text).ok_or_else(|| {
                    ServiceError::rejected("section", "Choose a section of this review.")
                })?),
            },
            title: Name::parse(&title).map_err(ServiceError::at("title"))?,
            body: optional("body", &body, Prose::parse)?,
            gating: Gating::parse(&gating).ok_or_else(|| {
                ServiceError::rejected("gating", "An item is a blocker or advisory.")
            })?,
        };
        let item = cx.services.add_item(&cx.person, &id, new).await?;
        Ok::<_, ServiceError>(
            Notice::new(format!("{} {} is added.", item.key, item.title))
                .at(paths::item(item.id.as_str())),
        )
    }
    .await;
    let typed = [
        ("section", section.as_str()),
        ("title", &title),
        ("body", &body),
        ("gating", &gating),
    ];
    cx.answer(outcome, paths::new_item(&review), &typed).await
}
