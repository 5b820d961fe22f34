use holdpoint_domain::Millis;
use holdpoint_service::ListedDeliverable;
use leptos::prelude::*;

use crate::{
    flash::FormState,
    parts::{Button, Ico, Icon, Prose, TextArea, Tone, When, controls::Weight, panel::Disclosure},
    paths,
};

/// What the review has to hand over: done or not, with a note.
#[component]
pub(super) fn Deliverables(
    review: String,
    deliverables: Vec<ListedDeliverable>,
    may_contribute: bool,
    form: FormState,
    now: Millis,
) -> impl IntoView {
    if deliverables.is_empty() {
        return ().into_any();
    }
    let n = deliverables.len();
    let n_done = deliverables
        .iter()
        .filter(|one| one.deliverable.done)
        .count();
    let rows = deliverables
        .into_iter()
        .map(|one| row(&review, one, may_contribute, &form, now))
        .collect_view();
    view! {
        <section class="panel" aria-labelledby="deliverables" id="deliverables-panel">
            <div class="panel-head">
                <h2 id="deliverables">"Deliverables"</h2>
                <p class="push small muted">{format!("{n_done} of {n} done")}</p>
            </div>
            <ul class="rows tall">{rows}</ul>
        </section>
    }
    .into_any()
}

fn row(
    review: &str,
    ListedDeliverable {
        deliverable,
        owner,
        done_by,
    }: ListedDeliverable,
    may_contribute: bool,
    form: &FormState,
    now: Millis,
) -> impl IntoView + use<> {
    let id = deliverable.id.as_str().to_owned();
    // One page has this form for each deliverable; what was typed belongs to one of them.
    let is_this = form.typed("deliverable") == Some(id.as_str());
    let form = if is_this {
        form.clone()
    } else {
        FormState::default()
    };
    let (icon, tone, word) = if deliverable.done {
        (Icon::Pass, Tone::Green, "Done")
    } else {
        (Icon::None, Tone::Neutral, "Open")
    };
    let body =
        (!deliverable.body.is_empty()).then(|| view! { <Prose text=deliverable.body.clone() /> });
    let note =
        (!deliverable.note.is_empty()).then(|| view! { <Prose text=deliverable.note.clone() /> });
    let by = deliverable.done_at.map(|at| {
        let who = done_by.map(|who| who.name).unwrap_or_default();
        view! { <span>{format!("by {who}, ")}<When at now /></span> }
    });
    let owner = owner.map(|owner| view! { <span>{format!("Owner: {}", owner.name)}</span> });
    let (state, words, weight) = if deliverable.done {
        ("open", "Open again", Weight::Secondary)
    } else {
        ("done", "Mark as done", Weight::Primary)
    };
    let keep = if deliverable.done { "done" } else { "open" };
    let act = if may_contribute {
        let summary = if deliverable.done {
            format!("Change “{}”", deliverable.title)
        } else {
            format!("Finish “{}”", deliverable.title)
        };
        let review = review.to_owned();
        view! {
            <Disclosure summary open=is_this>
                <form class="fields space-top" method="post" action=paths::action("deliverables/set")>
                    <input type="hidden" name="review" value=review />
                    <input type="hidden" name="deliverable" value=id.clone() />
                    <input type="hidden" name="version" value=deliverable.version.to_string() />
                    <TextArea
                        form=form
                        name="note"
                        prefix_owned=id
                        label="Note"
                        value=deliverable.note.clone()
                        hint="Where it is, or what was done. Markdown."
                        required=false
                        rows=3
                    />
                    <div class="btn-row">
                        <Button words small=true weight name="state" value=state />
                        <Button words="Save the note only" small=true weight=Weight::Quiet name="state" value=keep />
                    </div>
                </form>
            </Disclosure>
        }
        .into_any()
    } else {
        view! { <p class="tiny muted">"A contributor, reviewer or manager of this service can finish it."</p> }.into_any()
    };
    view! {
        <li>
            <div class="grow stack-1">
                <p class="row">
                    <span class="strong wrap-any">{deliverable.title.clone()}</span>
                    <span class="st" data-tone=tone.as_str()><Ico icon />{word}</span>
                    <span class="small muted">{by}</span>
                    <span class="small muted">{owner}</span>
                </p>
                {body}
                {note}
                {act}
            </div>
        </li>
    }
}
