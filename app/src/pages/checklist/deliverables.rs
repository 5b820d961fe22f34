use holdpoint_domain::Millis;
use holdpoint_service::{ListedDeliverable, Named};
use leptos::prelude::*;

use crate::{
    flash::FormState,
    parts::{
        Button, Ico, Icon, Inline, Late, Nobody, Prose, SelectField, TextArea, Tone, When, Who,
        controls::Weight, panel::Disclosure, when::date,
    },
    paths,
};

/// What the review has to hand over: done or not, with a note.
#[component]
pub(super) fn Deliverables(
    review: String,
    deliverables: Vec<ListedDeliverable>,
    /// When the review is due, and its deliverables with it.
    due: Option<Millis>,
    /// Who can own one; empty for whoever may not choose.
    owners: Vec<Named>,
    may_contribute: bool,
    form: FormState,
    owner_form: FormState,
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
        .map(|one| {
            row(
                &review,
                one,
                due,
                &owners,
                may_contribute,
                [&form, &owner_form],
                now,
            )
        })
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
    due: Option<Millis>,
    owners: &[Named],
    may_contribute: bool,
    [form, owner_form]: [&FormState; 2],
    now: Millis,
) -> impl IntoView + use<> {
    let id = deliverable.id.as_str().to_owned();
    // One page has this form for each deliverable; what was typed belongs to one of them.
    let of_this =
        |form: &FormState| (form.typed("deliverable") == Some(id.as_str())).then(|| form.clone());
    let (form, owner_form) = (of_this(form), of_this(owner_form));
    let is_this = form.is_some();
    let form = form.unwrap_or_default();
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
    let due = due.filter(|_| !deliverable.done).map(|due| {
        if due < now {
            view! { <Late due now /> }.into_any()
        } else {
            view! { <span class="small muted">"Due with the review, " {date(due)}</span> }
                .into_any()
        }
    });
    let (review, chosen) = (review.to_owned(), id.clone());
    let here = review.clone();
    let choose = (!owners.is_empty()).then(|| {
        let id = chosen;
        let named = deliverable.title.clone();
        let is_open = owner_form.is_some();
        let mut options = vec![(String::new(), "Nobody".to_owned())];
        options.extend(owners.iter().map(|one| (one.id.as_str().to_owned(), one.name.clone())));
        // Whoever owns it now stays in the list, also without the role that new owners need.
        if let Some(owner) = owner.as_ref().filter(|owner| owners.iter().all(|one| one.id != owner.id)) {
            options.push((owner.id.as_str().to_owned(), owner.name.clone()));
        }
        let owned_now = owner.as_ref().map(|owner| owner.id.as_str().to_owned()).unwrap_or_default();
        view! {
            <Disclosure summary=format!("Owner of “{named}”") open=is_open>
                <form class="fields space-top" method="post" action=paths::action("deliverables/set-owner")>
                    <input type="hidden" name="review" value=here />
                    <input type="hidden" name="deliverable" value=id.clone() />
                    <input type="hidden" name="version" value=deliverable.version.to_string() />
                    <SelectField
                        form=owner_form.unwrap_or_default()
                        name="owner"
                        prefix_owned=id.clone()
                        label="Owner"
                        options
                        value=owned_now
                        required=false
                        hint="Who hands it over."
                    />
                    <div class="btn-row"><Button words="Save the owner" small=true /></div>
                </form>
            </Disclosure>
        }
        .into_any()
    });
    let owner = match &owner {
        Some(owner) => view! { <Who name=owner.name.clone() /> }.into_any(),
        None => view! { <Nobody /> }.into_any(),
    };
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
                    <span class="strong wrap-any"><Inline text=deliverable.title.clone() /></span>
                    <span class="st" data-tone=tone.as_str()><Ico icon />{word}</span>
                    <span class="small muted">{by}</span>
                    <span class="small">{owner}</span>
                    {due}
                </p>
                {body}
                {note}
                {act}
                {choose}
            </div>
        </li>
    }
}
