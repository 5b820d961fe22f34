//! My work: what waits for me, and what changed since I signed.

use holdpoint_domain::{ItemId, ItemState, Millis, signoff::ItemContent};
use holdpoint_service::{
    WaitingItem, WaitsFor,
    standing::{SignOffStanding, Validity},
};
use leptos::prelude::*;
use leptos_router::{
    StaticSegment,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::Route,
};

use super::{
    items::{ChangeList, end_of},
    page, query,
};
use crate::{
    parts::{
        Column, Crumb, Empty, Frame, Gate, Inline, Late, PageHead, Pager, Panel, Shown as _, St,
        Table, When,
        controls::{ButtonLink, Weight},
        when::{date, late},
    },
    paths,
    visit::{Visit, services},
};

/// How many items stand on one page.
const PER_PAGE: usize = 100;

/// The routes of one's own work.
#[component(transparent)]
pub fn WorkRoutes() -> AnyNestedRoute {
    view! { <Route path=StaticSegment("inbox") view=WorkPage /> }
        .into_inner()
        .into_any_nested_route()
}

#[component]
fn WorkPage() -> impl IntoView {
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let services = services();
        let after = ItemId::parse(&query("after"));
        let waiting = services
            .waiting_on_me(&person, after.as_ref(), PER_PAGE)
            .await?;
        let n_waiting = services.n_waiting_on_me(&person).await?;
        let changed = services.changed_since_i_signed(&person).await?;
        let not_looked_at =
            usize::try_from(changed.n_reviews).unwrap_or_default() > changed.n_looked_at;
        let not_looked_at = not_looked_at.then_some(changed.n_looked_at);
        let changed = changed
            .changed
            .into_iter()
            .map(|(review, standing)| {
                let name = format!("{} {}", review.service_name, review.release);
                (review.id, name, standing)
            })
            .collect();
        let now = visit.now;
        let next = waiting
            .next
            .as_ref()
            .map(|next| paths::with_query(paths::INBOX, &[("after", next.as_str())]));
        let first = after.map(|_| paths::INBOX.to_owned());
        Ok(view! {
            <Frame title="My work" crumbs=vec![Crumb::here("My work")]>
                <PageHead title="My work" />
                <div class="stack">
                    <Waiting entries=waiting.entries n_waiting next first now />
                    <Changed changed not_looked_at now />
                </div>
            </Frame>
        }
        .into_any())
    })
}

#[component]
fn Waiting(
    entries: Vec<WaitingItem>,
    n_waiting: i64,
    next: Option<String>,
    first: Option<String>,
    now: Millis,
) -> impl IntoView {
    if entries.is_empty() {
        return view! {
            <Panel id="waiting" title="Waiting on me" bare=true>
                <Empty
                    title="Nothing waits for you"
                    text="Items that you own and can move on stand here, and items in review that you are to decide."
                >
                    <ButtonLink words="All reviews" href=paths::HOME weight=Weight::Primary />
                </Empty>
            </Panel>
        }
        .into_any();
    }
    let rows = entries
        .into_iter()
        .map(|waiting| {
            let item = waiting.item;
            let state = item.state_at(now);
            let move_ = match (waiting.waits_for, state) {
                (WaitsFor::Reviewer, _) => "Decide and sign",
                (WaitsFor::Owner, ItemState::Open) => "Start work",
                (WaitsFor::Owner, ItemState::Failed) => "Start again",
                (WaitsFor::Owner, _) => "Finish, then request review",
            };
            let due = match waiting.due_on.as_deref().and_then(end_of) {
                Some(due) if late(due, now).is_some() => view! { <Late due now /> }.into_any(),
                Some(due) => date(due).into_any(),
                None => view! { <span class="zero">"–"</span> }.into_any(),
            };
            let review = format!("{} {}", waiting.service_name, waiting.release);
            view! {
                <tr role="row">
                    <td role="cell" class="full">
                        <a class="ttl" href=paths::item(item.id.as_str())>
                            <span class="faint num light">{item.key}</span>
                            " "
                            <Inline text=item.title />
                        </a>
                        <span class="sub">{review}</span>
                    </td>
                    <td role="cell" data-l=""><St of=state /></td>
                    <td role="cell" data-l=""><Gate gating=item.gating /></td>
                    <td role="cell" data-l="Next">{move_}</td>
                    <td role="cell" data-l="Due" class="n">{due}</td>
                </tr>
            }
            .into_any()
        })
        .collect_view();
    let mut columns = ["Item", "Status", "Gate", "Your move"]
        .map(Column::new)
        .to_vec();
    columns.push(Column::new("Due").figures());
    let head = view! { <span class="count">{n_waiting}</span> }.into_any();
    let summary = format!("{n_waiting} items wait for you");
    let pager = match (first, next) {
        (None, None) => None,
        (Some(first), None) => Some(view! { <Pager summary first /> }.into_any()),
        (None, Some(next)) => Some(view! { <Pager summary next /> }.into_any()),
        (Some(first), Some(next)) => Some(view! { <Pager summary first next /> }.into_any()),
    };
    view! {
        <Panel id="waiting" title="Waiting on me" head=head bare=true>
            <Table caption="Items that wait for you" columns>{rows}</Table>
            {pager}
        </Panel>
    }
    .into_any()
}

#[component]
fn Changed(
    /// Each with its review's id and name.
    changed: Vec<(String, String, SignOffStanding)>,
    /// In how many reviews it was looked, where that is not all in which the person signed.
    not_looked_at: Option<usize>,
    now: Millis,
) -> impl IntoView {
    let not_looked_at = not_looked_at.map(|n| {
        view! { <p class="small muted">{format!("Only the {n} reviews that you signed last are looked at.")}</p> }
    });
    if changed.is_empty() {
        return view! {
            <Panel id="changed" title="Changed since I signed">
                <p class="small muted">"Every signature of yours still holds, or you have not signed anything yet."</p>
                {not_looked_at}
            </Panel>
        }
        .into_any();
    }
    let rows = changed
        .into_iter()
        .map(|(review, name, standing)| {
            let sign_off = standing.sign_off;
            let Validity::Void(changes) = standing.validity else { return ().into_any() };
            // The content that was signed names its item; the page itself says what it is called now.
            let (href, what, word) = match &sign_off.item_id {
                Some(item) => (
                    paths::item(item),
                    item_named(&sign_off.content),
                    sign_off.item_decision().map_or("", |decision| decision.look().word),
                ),
                None => (
                    paths::sign_off(&review),
                    "The release decision".to_owned(),
                    super::sign_off::page::look_of(&sign_off.decision).word,
                ),
            };
            view! {
                <li class="stack-1">
                    <p><a class="strong" href=href>{what}</a> " of " {name}</p>
                    <p class="small muted">{format!("You signed {} ", word.to_lowercase())} <When at=sign_off.signed_at now /> "."</p>
                    <ChangeList changes />
                </li>
            }
            .into_any()
        })
        .collect_view();
    view! {
        <Panel id="changed" title="Changed since I signed">
            <ul class="stack">{rows}</ul>
            {not_looked_at}
        </Panel>
    }
    .into_any()
}

/// Key and title of the item as they were signed.
fn item_named(content: &str) -> String {
    serde_json::from_str::<ItemContent>(content).map_or_else(
        |_| "An item".to_owned(),
        |content| format!("{} {}", content.key, content.title),
    )
}
