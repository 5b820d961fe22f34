//! Decisions about many findings: the last one beside the list, all of them on a page, and taking one back.

use holdpoint_domain::{Millis, person::Action};
use holdpoint_service::TriageBatch;
use leptos::prelude::*;

use crate::{
    flash::FormState,
    pages::{
        page,
        review_bar::{OpenReview, review_bar, review_crumbs, review_name},
    },
    parts::{
        ButtonLink, Column, Empty, Frame, PageHead, RowRefusal, Tab, Table, When, Who,
        controls::Weight, figure::capitalised, status::Tone,
    },
    paths::{self, action},
    visit::services,
};

/// How many decisions stand on the page.
const MOST: i64 = 100;
/// How long the list offers to take back what the reader just did.
const OFFERED: Millis = 60 * 60_000;

/// What the reader decided about many findings a moment ago, with the button that takes it back.
#[component]
pub(super) fn LastDecision(
    batch: TriageBatch,
    review: String,
    /// The query of the list.
    back: String,
    now: Millis,
) -> impl IntoView {
    let all = paths::decisions(&review);
    view! {
        <div class="notice" data-tone=Tone::Neutral.as_str() role="group" aria-label="Your last decision about several findings">
            <crate::parts::Ico icon=crate::parts::Icon::Reopened />
            <div class="row grow">
                <span>"You " {batch.summary.clone()} ", " <When at=batch.decided_at now /> "."</span>
                {undo_form(&batch, &review, Some(&back))}
                <a href=all>"All such decisions"</a>
            </div>
        </div>
    }
    .into_any()
}

/// Whether the list offers to take a decision back: it is the reader's own and from just now.
pub(super) fn is_offered(
    batch: &TriageBatch,
    me: &holdpoint_domain::PersonId,
    now: Millis,
) -> bool {
    batch.undone_at.is_none() && batch.decided_by == *me && now - batch.decided_at < OFFERED
}

/// `back` is the query of the list, where the form stands beside it.
fn undo_form(batch: &TriageBatch, review: &str, back: Option<&str>) -> AnyView {
    let words = format!(": {}", batch.summary);
    view! {
        <form method="post" action=action("findings/undo-many")>
            <input type="hidden" name="batch" value=batch.id.as_str().to_owned() />
            <input type="hidden" name="review" value=review.to_owned() />
            {back
                .map(|back| {
                    view! {
                        <input type="hidden" name="from" value="list" />
                        <input type="hidden" name="back" value=back.to_owned() />
                    }
                })}
            <button class="btn btn-sm" type="submit">"Undo" <span class="vh">{words}</span></button>
        </form>
    }
    .into_any()
}

#[component]
pub(super) fn DecisionsPage() -> impl IntoView {
    page(async move {
        let services = services();
        let open = OpenReview::of_address().await?;
        let may = open.access.may(Action::Contribute);
        let batches = services
            .triage_batches(&open.person, &open.id, MOST)
            .await?;
        let bar = review_bar(&open.person, &open.standing, Tab::Findings).await?;
        let review = open.id.as_str().to_owned();
        let list = paths::findings(&review);
        let body = if batches.is_empty() {
            view! {
                <section class="panel" aria-label="Decisions">
                    <Empty
                        title="No decision about several findings yet"
                        text="Tick findings in the list, or filter it, and decide about all of them at once. Such a decision can be taken back here."
                    >
                        <ButtonLink words="Back to the list" href=list weight=Weight::Primary />
                    </Empty>
                </section>
            }
            .into_any()
        } else {
            let form = open.visit.form("findings/undo-many");
            let rows = batches
                .into_iter()
                .map(|batch| row(&batch, &review, may, &form, open.visit.now))
                .collect_view();
            let columns = vec![
                Column::new("Decision"),
                Column::new("By"),
                Column::new("When"),
                Column::new("Undo"),
            ];
            view! {
                <section class="panel" aria-label="Decisions">
                    <Table caption="Decisions about several findings, newest first" columns>{rows}</Table>
                </section>
                <p class="small muted">
                    "Undoing puts each finding back to what it was before. Findings that somebody decided about since stay as they are."
                </p>
            }
            .into_any()
        };
        Ok(view! {
            <Frame title=format!("Decisions about findings: {}", review_name(&open.standing)) crumbs=review_crumbs(&open.standing) review=bar>
                <PageHead
                    title="Decisions about several findings"
                    actions=view! { <ButtonLink words="Findings" href=paths::findings(&review) /> }.into_any()
                />
                <div class="stack-2">{body}</div>
            </Frame>
        }
        .into_any())
    })
}

fn row(batch: &TriageBatch, review: &str, may: bool, form: &FormState, now: Millis) -> AnyView {
    let id = batch.id.as_str().to_owned();
    let message = form.of_row("batch", &id).message_beside(&[]);
    let tone = message.as_ref().map(|_| "red");
    let undo = match (&batch.undone_by_name, batch.undone_at) {
        (Some(name), Some(at)) => {
            view! { <span class="muted">"Undone by " {name.clone()} ", " <When at now /></span> }
                .into_any()
        }
        _ if may => undo_form(batch, review, None),
        _ => ().into_any(),
    };
    let words = capitalised(&batch.summary);
    view! {
        <tr role="row" data-tone=tone>
            <th role="rowheader" scope="row" class="full">{words}</th>
            <td role="cell" data-l="By"><Who name=batch.decided_by_name.clone() /></td>
            <td role="cell" data-l=""><When at=batch.decided_at now /></td>
            <td role="cell" data-l=""><RowRefusal id message /> {undo}</td>
        </tr>
    }
    .into_any()
}
