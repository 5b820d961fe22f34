use holdpoint_domain::{Gating, person::Action};
use leptos::prelude::*;

use crate::{
    pages::{
        page, parameter,
        review_bar::{review_bar, review_crumbs},
        reviews::review_of,
    },
    parts::{
        Button, Choice, Choices, Crumb, Frame, Gate, PageHead, SelectField, Tab, TextArea,
        TextField, controls::Weight,
    },
    paths,
    visit::{Visit, services},
};

/// Adds an item that the document does not have.
#[component]
pub(super) fn AddItemPage() -> impl IntoView {
    let id = parameter("id");
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let services = services();
        let id = review_of(&id)?;
        let head = services.review(&person, &id).await?;
        let standing = services.review_glance(&person, &id).await?;
        let bar = review_bar(&person, &standing, Tab::Checklist).await?;
        let mut crumbs = review_crumbs(&standing);
        crumbs.push(Crumb::to("Checklist", paths::checklist(id.as_str())));
        crumbs.push(Crumb::here("Add item"));
        let may = services
            .access(&person, &head.review.service)
            .await?
            .may(Action::Manage);
        let mut options: Vec<_> = services
            .sections(&person, &id)
            .await?
            .into_iter()
            .map(|section| {
                let number = section
                    .number
                    .map(|number| format!("{number} "))
                    .unwrap_or_default();
                (
                    section.id.as_str().to_owned(),
                    format!("{number}{}", section.title),
                )
            })
            .collect();
        options.push((String::new(), "No section".to_owned()));
        let form = visit.form("checklist/add-item");
        let gates = Gating::ALL
            .iter()
            .copied()
            .map(|gating| {
                let text = match gating {
                    Gating::Blocker => "Holds the release back until it is cleared.",
                    Gating::Advisory => "Is worked on and reported, and holds nothing back.",
                };
                Choice::new(gating.as_str(), view! { <Gate gating /> }).text(text)
            })
            .collect();
        let submit = if may {
            view! { <Button words="Add item" weight=Weight::Primary /> }.into_any()
        } else {
            view! {
                <Button words="Add item" impossible="who-may" />
                <p class="small muted" id="who-may">"Only a manager of this service can add an item."</p>
            }
            .into_any()
        };
        Ok(view! {
            <Frame title="Add item" crumbs review=bar>
                <PageHead title="Add item" />
                <section class="panel form-panel" aria-label="Add item">
                    <form class="panel-body fields" method="post" action=paths::action("checklist/add-item")>
                        <input type="hidden" name="review" value=id.as_str().to_owned() />
                        <TextField form=form.clone() name="title" label="Title" max_length=200 autofocus=true placeholder="Rollback Plan" />
                        <TextArea
                            form=form.clone()
                            name="body"
                            label="Requirement"
                            required=false
                            rows=6
                            hint="Markdown: what must be shown before this can pass."
                        />
                        <SelectField form=form.clone() name="section" label="Section" options required=false hint="It stands at its end." />
                        <Choices form=form.clone() name="gating" legend="Gate" choices=gates value=Gating::Blocker.as_str() />
                        <p class="small muted">
                            "The item belongs to this review only. It is in the report, and not in the checklist document when its boxes are ticked."
                        </p>
                        <div class="btn-row">{submit}</div>
                    </form>
                </section>
            </Frame>
        })
    })
}
