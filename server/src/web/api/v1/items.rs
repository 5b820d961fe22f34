//! A review's items.

use axum::{extract::State, response::Response};
use holdpoint_domain::{
    Gating, ItemId, ItemState, PersonId, ReviewId,
    item::Step,
    text::{Date, Name, Prose, Reason},
};
use holdpoint_service::{
    Conflict, ItemChange, ItemFigures, ItemFilter, ItemPage, ItemText, ServiceError, Services,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    asked::{self, Id, IfMatch, Json, Key, Query},
    given::{Given, Part, moment, once},
    people::{self, Person},
    sign_off::{SignForm, SignOff, sign_form, sign_off},
};
use crate::web::{WebError, api_caller::ApiCaller};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Item {
    id: String,
    review: String,
    /// Unique within the review, as `2.5.1`.
    key: String,
    section: Option<Section>,
    title: String,
    /// Markdown; may be empty.
    requirement: String,
    /// `blocker` or `advisory`.
    gating: String,
    /// open, in_progress, in_review, passed, failed, not_applicable or waived, as of now.
    state: String,
    is_late: bool,
    owner: Option<Person>,
    reviewers: Vec<Person>,
    /// `YYYY-MM-DD`.
    due_on: Option<String>,
    /// How many must sign a pass; null where the policy says it.
    quorum: Option<i64>,
    waived_until: Option<String>,
    /// The tool whose scans the document names as evidence.
    scan_hint: Option<String>,
    n_evidence: i64,
    n_findings: i64,
    n_open_findings: i64,
    n_patches: i64,
    n_comments: i64,
    updated_at: String,
    version: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Section {
    number: Option<String>,
    title: String,
}

/// An item with what has been signed, what can be done with it now, and the digest to sign.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WholeItem {
    #[serde(flatten)]
    item: Item,
    /// The moves that the caller can make now: send one as `step`.
    steps: Vec<&'static str>,
    sign: SignForm,
    /// Oldest first.
    sign_offs: Vec<SignOff>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct List {
    /// open, in_progress, in_review, passed, failed, not_applicable or waived.
    state: Option<String>,
    /// `blocker` or `advisory`.
    gating: Option<String>,
    /// The owner's id, or `none`.
    owner: Option<String>,
    /// A reviewer's id.
    reviewer: Option<String>,
    /// true: only those past their due date.
    late: Option<String>,
    /// Part of the key, the title or the requirement.
    q: Option<String>,
    /// From 1 to 200; 50 if not given.
    limit: Option<String>,
    /// `next_cursor` of the part before.
    cursor: Option<String>,
}

/// Fields that are not there stay as they are; null takes a value away. One request changes either the words (`title`,
/// `requirement`), or people and terms, or the state by a step.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ItemChange)]
#[expect(
    clippy::option_option,
    reason = "absent and null mean different things in a change"
)]
pub(super) struct Change {
    title: Option<String>,
    /// Markdown.
    requirement: Option<String>,
    /// An id or address.
    #[serde(default, deserialize_with = "asked::nullable")]
    #[schema(value_type = Option<String>)]
    owner: Option<Option<String>>,
    /// Ids or addresses, all of them.
    reviewers: Option<Vec<String>>,
    gating: Option<String>,
    #[serde(default, deserialize_with = "asked::nullable")]
    #[schema(value_type = Option<String>)]
    due_on: Option<Option<String>>,
    #[serde(default, deserialize_with = "asked::nullable")]
    #[schema(value_type = Option<u32>)]
    quorum: Option<Option<u32>>,
    /// start, request_review, back_to_work, reopen, review_again or end_waiver.
    step: Option<String>,
    /// Why, for the steps that ask for a reason.
    note: Option<String>,
}

struct Parts<'a> {
    item: &'a holdpoint_service::Item,
    section: Option<&'a holdpoint_service::Section>,
    state: ItemState,
    is_late: bool,
    owner: Option<&'a holdpoint_service::Named>,
    reviewers: &'a [holdpoint_service::Named],
    figures: ItemFigures,
}

fn item(parts: &Parts<'_>) -> Item {
    let Parts { item, figures, .. } = parts;
    Item {
        id: item.id.to_string(),
        review: item.review.to_string(),
        key: item.key.clone(),
        section: parts.section.map(|section| Section {
            number: section.number.clone(),
            title: section.title.clone(),
        }),
        title: item.title.clone(),
        requirement: item.body.clone(),
        gating: item.gating.as_str().to_owned(),
        state: parts.state.as_str().to_owned(),
        is_late: parts.is_late,
        owner: parts.owner.map(Person::from),
        reviewers: parts.reviewers.iter().map(Person::from).collect(),
        due_on: item.due_on.clone(),
        quorum: item.quorum,
        waived_until: item.waived_until.map(moment),
        scan_hint: item.scan_hint.clone(),
        n_evidence: figures.n_evidence,
        n_findings: figures.n_findings,
        n_open_findings: figures.n_open_findings,
        n_patches: figures.n_patches,
        n_comments: figures.n_comments,
        updated_at: moment(item.updated_at),
        version: item.version,
    }
}

fn of_page(page: &ItemPage) -> Item {
    item(&Parts {
        item: &page.item,
        section: page.section.as_ref(),
        state: page.state,
        is_late: page.is_late,
        owner: page.owner.as_ref(),
        reviewers: &page.reviewers,
        figures: page.figures,
    })
}

fn one_of<T>(
    field: &'static str,
    text: Option<&str>,
    parse: impl Fn(&str) -> Option<T>,
    known: &[&str],
) -> Result<Option<T>, WebError> {
    text.map(|text| {
        parse(text).ok_or_else(|| WebError::Rejected {
            field,
            message: format!("Choose one of {}.", known.join(", ")),
        })
    })
    .transpose()
}

fn states() -> Vec<&'static str> {
    ItemState::ALL.iter().map(|state| state.as_str()).collect()
}

const GATINGS: [&str; 2] = ["blocker", "advisory"];

/// A review's items in the document's order.
#[utoipa::path(get, path = "/reviews/{id}/items", tag = "Items", params(List), responses((status = 200, body = Part<Item>)))]
pub(super) async fn list(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ReviewId>,
    Query(asked): Query<List>,
) -> Result<Response, WebError> {
    let limit = asked::limit(asked.limit.as_deref())?;
    let after = asked::cursor(asked.cursor.as_deref(), ItemId::parse)?;
    let person = |field, text: Option<&str>| -> Result<Option<PersonId>, WebError> {
        let unknown = || WebError::Rejected {
            field,
            message: "This is no person's id.".to_owned(),
        };
        text.map(|text| PersonId::parse(text).ok_or_else(unknown))
            .transpose()
    };
    let no_owner = asked.owner.as_deref() == Some("none");
    let filter = ItemFilter {
        state: one_of("state", asked.state.as_deref(), ItemState::parse, &states())?,
        gating: one_of("gating", asked.gating.as_deref(), Gating::parse, &GATINGS)?,
        owner: person("owner", asked.owner.as_deref().filter(|_| !no_owner))?,
        reviewer: person("reviewer", asked.reviewer.as_deref())?,
        no_owner,
        late: asked::flag("late", asked.late.as_deref())?,
        text: asked.q.filter(|text| !text.trim().is_empty()),
        ..ItemFilter::default()
    };
    let page = services
        .checklist(&caller, &id, &filter, after.as_ref(), limit)
        .await?;
    let mut entries = Vec::new();
    for section in &page.sections {
        entries.extend(section.items.iter().map(|listed| {
            item(&Parts {
                item: &listed.item,
                section: section.section.as_ref(),
                state: listed.state,
                is_late: listed.is_late,
                owner: listed.owner.as_ref(),
                reviewers: &listed.reviewers,
                figures: listed.figures,
            })
        }));
    }
    let next_cursor = page.next.map(|id| id.to_string());
    Part {
        entries,
        next_cursor,
    }
    .answer()
}

/// An item, with its signatures and the digest to sign.
#[utoipa::path(get, path = "/items/{id}", tag = "Items", responses((status = 200, body = WholeItem)))]
pub(super) async fn show(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ItemId>,
) -> Result<Response, WebError> {
    let page = services.item(&caller, &id).await?;
    let (review, standing) = services.item_standing(&caller, &id).await?;
    let access = services.access(&caller, &page.head.service.id).await?;
    let form = services
        .sign_form(&caller, &access, &review, &standing)
        .await?;
    let out = WholeItem {
        item: of_page(&page),
        steps: page.steps.iter().map(|step| step.as_str()).collect(),
        sign: sign_form(form),
        sign_offs: standing.sign_offs.iter().map(sign_off).collect(),
    };
    Ok(Given::ok(&out)?.version(page.item.version).answer())
}

/// Changes an item: its words, its people and terms, or its state.
#[utoipa::path(patch, path = "/items/{id}", tag = "Items", request_body = Change, responses((status = 200, body = Item)))]
pub(super) async fn change(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ItemId>,
    IfMatch(version): IfMatch,
    asked: Json<Change>,
) -> Result<Response, WebError> {
    once(&services, &caller, &Key(None), &asked.digest, async |services| {
    let page = services.item(&caller, &id).await?;
    let change = &asked.value;
    let words = change.title.is_some() || change.requirement.is_some();
    let terms = change.owner.is_some()
        || change.reviewers.is_some()
        || change.gating.is_some()
        || change.due_on.is_some()
        || change.quorum.is_some();
    match (words, terms, &change.step) {
        (true, false, None) => reword(&services, &caller, &page, version, change).await?,
        (false, true, None) => set_terms(&services, &caller, &page, version, change).await?,
        (false, false, Some(step)) => {
            let steps: Vec<_> = Step::ALL.iter().map(|step| step.as_str()).collect();
            let step = one_of("step", Some(step), Step::parse, &steps)?.expect("a step was sent");
            check_version(&page, version, step.as_str())?;
            let note = asked::optional("note", change.note.as_deref(), Reason::parse)?;
            services.step(&caller, &id, step, note.as_ref()).await?;
        }
        (false, false, None) => {
            let message =
                "There is nothing to change. Send the fields that should be different.".to_owned();
            return Err(WebError::Rejected { field: "", message });
        }
        _ => {
            let message = "Change the words, the people and terms, and the state each by a request of its own.".to_owned();
            let field = if change.step.is_some() {
                "step"
            } else {
                "title"
            };
            return Err(WebError::Rejected { field, message });
        }
    }
    let page = services.item(&caller, &id).await?;
    Ok(Given::ok(&of_page(&page))?.version(page.item.version))
    })
    .await
}

/// A step has no version of its own below: whether it is possible depends on the state alone. Whoever saw another version did
/// not see this state.
fn check_version(page: &ItemPage, version: i64, sent: &str) -> Result<(), WebError> {
    if page.item.version == version {
        return Ok(());
    }
    Err(WebError::Conflict(Box::new(Conflict {
        message: "The item has changed since you saw it, and nothing was done. Look at it again."
            .to_owned(),
        current_version: page.item.version,
        fields: vec![(
            "state".to_owned(),
            sent.to_owned(),
            page.state.as_str().to_owned(),
        )],
    })))
}

async fn reword(
    services: &Services,
    caller: &ApiCaller,
    page: &ItemPage,
    version: i64,
    change: &Change,
) -> Result<(), WebError> {
    let title = change.title.as_deref().unwrap_or(&page.item.title);
    let body = change.requirement.as_deref().unwrap_or(&page.item.body);
    let text = ItemText {
        version,
        title: Name::parse(title).map_err(ServiceError::at("title"))?,
        body: asked::optional(
            "requirement",
            Some(body).filter(|body| !body.trim().is_empty()),
            Prose::parse,
        )?,
    };
    services.edit_item(caller, &page.item.id, text).await?;
    Ok(())
}

async fn set_terms(
    services: &Services,
    caller: &ApiCaller,
    page: &ItemPage,
    version: i64,
    change: &Change,
) -> Result<(), WebError> {
    let stored = &page.item;
    let service = &page.head.service.id;
    let find = async |field, written: &[&str]| {
        people::find(services, caller, service, field, written).await
    };
    let owner = match &change.owner {
        None => stored.owner.clone(),
        Some(None) => None,
        Some(Some(owner)) => find("owner", &[owner]).await?.pop(),
    };
    let reviewers = match &change.reviewers {
        None => stored.reviewers.clone(),
        Some(reviewers) => {
            let written: Vec<_> = reviewers.iter().map(String::as_str).collect();
            find("reviewers", &written).await?
        }
    };
    let change = ItemChange {
        version,
        owner,
        reviewers,
        gating: one_of("gating", change.gating.as_deref(), Gating::parse, &GATINGS)?
            .unwrap_or(stored.gating),
        due_on: match &change.due_on {
            Some(date) => asked::date("due_on", date.as_deref())?,
            None => stored
                .due_on
                .as_deref()
                .and_then(|date| Date::parse(date).ok()),
        },
        quorum: change
            .quorum
            .unwrap_or_else(|| stored.quorum.and_then(|quorum| u32::try_from(quorum).ok())),
    };
    services.update_item(caller, &stored.id, change).await?;
    Ok(())
}
