//! Who has what: the work that is left, by person.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use holdpoint_domain::{ItemState, Millis};
use holdpoint_service::standing::{ItemStanding, ReviewStanding};
use leptos::prelude::*;

use crate::{
    pages::items::end_of,
    parts::{Column, Ico, Icon, Panel, Table, Who, status::Tone},
};

/// What one person has left to do in a review.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Load {
    n_to_do: usize,
    n_to_review: usize,
    n_findings: i64,
    n_late: usize,
}

/// Whether an undecided item is past its due date.
pub(super) fn is_late(item: &ItemStanding, now: Millis) -> Option<Millis> {
    let undecided = matches!(
        item.state,
        ItemState::Open | ItemState::InProgress | ItemState::InReview | ItemState::Failed
    );
    let due = item.item.due_on.as_deref().and_then(end_of)?;
    (undecided && due < now).then_some(due)
}

fn loads(standing: &ReviewStanding, now: Millis) -> BTreeMap<String, Load> {
    let mut loads: BTreeMap<String, Load> = BTreeMap::new();
    let mut counted = BTreeSet::new();
    for item in &standing.items {
        let is_late = is_late(item, now).is_some();
        match item.state {
            ItemState::Open | ItemState::InProgress | ItemState::Failed => {
                if let Some(owner) = &item.item.owner_name {
                    let load = loads.entry(owner.clone()).or_default();
                    load.n_to_do += 1;
                    load.n_late += usize::from(is_late);
                }
            }
            ItemState::InReview => {
                for (_, reviewer) in &item.item.reviewers {
                    let load = loads.entry(reviewer.clone()).or_default();
                    load.n_to_review += 1;
                    load.n_late += usize::from(is_late);
                }
            }
            ItemState::Passed | ItemState::NotApplicable | ItemState::Waived => {}
        }
        if let Some(owner) = &item.item.owner_name {
            let id = item.item.owner_id.as_deref().unwrap_or_default();
            let n = standing.open_of_owners.get(id).copied().unwrap_or_default();
            if n > 0 && counted.insert(id) {
                loads.entry(owner.clone()).or_default().n_findings += n;
            }
        }
    }
    loads
}

/// The table of people.
#[component]
pub(super) fn WhoHasWhat(standing: Arc<ReviewStanding>, now: Millis) -> impl IntoView {
    let mut rows: Vec<_> = loads(&standing, now).into_iter().collect();
    rows.sort_by_key(|(name, load)| {
        (
            std::cmp::Reverse((load.n_late, load.n_to_do + load.n_to_review)),
            name.clone(),
        )
    });
    if rows.is_empty() {
        return view! {
            <Panel id="h-load" title="Who has what">
                <p class="small muted">"No item that is left has an owner or reviewer. Managers name them in the checklist."</p>
            </Panel>
        }
        .into_any();
    }
    let figure = |n: usize| match n {
        0 => view! { <span class="zero">"0"</span> }.into_any(),
        n => n.to_string().into_any(),
    };
    let rows = rows
        .into_iter()
        .map(|(name, load)| {
            let late = match load.n_late {
                0 => figure(0),
                n => view! { <span class="late" data-tone=Tone::Red.as_str()><Ico icon=Icon::Late />{n}<span class="vh">" late"</span></span> }.into_any(),
            };
            view! {
                <tr>
                    <th scope="row"><Who name /></th>
                    <td class="n">{figure(load.n_to_do)}</td>
                    <td class="n">{figure(load.n_to_review)}</td>
                    <td class="n">{figure(usize::try_from(load.n_findings).unwrap_or_default())}</td>
                    <td class="n">{late}</td>
                </tr>
            }
            .into_any()
        })
        .collect_view();
    let mut columns = vec![Column::new("Person")];
    columns
        .extend(["To do", "Review", "Findings", "Late"].map(|title| Column::new(title).figures()));
    view! {
        <Panel id="h-load" title="Who has what" bare=true>
            <Table caption="Work by person" columns class="">{rows}</Table>
        </Panel>
    }
    .into_any()
}
