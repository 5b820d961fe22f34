use holdpoint_domain::{Policy, ServiceId, ServiceRole, TemplateId, person::Action};
use holdpoint_service::{Actor, Named, ServiceError};
use leptos::prelude::*;

use super::policy::policy_fields;
use crate::{
    pages::{page, parameter, query},
    parts::{
        Button, ButtonLink, Crumb, Empty, Frame, Icon, PageHead, SelectField, TextField,
        controls::Weight, panel::Disclosure,
    },
    paths,
    visit::{Visit, services},
};

/// Begins a review of a service.
#[component]
pub(super) fn NewReviewPage() -> impl IntoView {
    let (slug, template) = (parameter("slug"), query("template"));
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let services = services();
        let service = services.service_by_slug(&person, &slug).await?.service;
        let may = services
            .access(&person, &service.id)
            .await?
            .may(Action::Manage);
        let crumbs = vec![
            Crumb::to("Reviews", paths::HOME),
            Crumb::to(service.name.clone(), paths::service(&service.slug)),
            Crumb::here("New review"),
        ];
        let title = format!("New review of {}", service.name);
        let mut listed = services.templates(&person).await?;
        // The service's own come first, then those of all services.
        listed.sort_by_key(|one| match &one.template.owner {
            Some(owner) if owner.service == service.id => 0,
            None => 1,
            Some(_) => 2,
        });
        if listed.is_empty() {
            return Ok(view! {
                <Frame title=title.clone() crumbs>
                    <PageHead title />
                    <section class="panel" aria-label="No checklist">
                        <Empty
                            title="There is no checklist yet"
                            text="A review is made from a checklist: a Markdown document whose items are worked through and signed. Import one first."
                        >
                            <ButtonLink words="Import a checklist" icon=Icon::Upload href=paths::TEMPLATE_IMPORT weight=Weight::Primary />
                        </Empty>
                    </section>
                </Frame>
            }
            .into_any());
        }
        let mut options = Vec::new();
        for one in &listed {
            options.push((
                one.newest.id.as_str().to_owned(),
                format!(
                    "{}, version {} ({} items){}",
                    one.template.name,
                    one.newest.number,
                    one.newest.n_items,
                    match &one.template.owner {
                        Some(owner) if owner.service != service.id =>
                            format!(", of {}", owner.name),
                        _ => String::new(),
                    }
                ),
            ));
        }
        // Older versions are offered of the checklist that was asked for, so that the list stays short.
        if let Some(id) = TemplateId::parse(&template) {
            let history = services.template(&person, &id).await?;
            for (version, _) in history.versions.iter().skip(1) {
                options.push((
                    version.id.as_str().to_owned(),
                    format!(
                        "{}, older version {} ({} items)",
                        history.template.name, version.number, version.n_items
                    ),
                ));
            }
        }
        let first = listed
            .iter()
            .find(|one| one.template.id.as_str() == template)
            .or(listed.first())
            .map(|one| one.newest.id.as_str().to_owned())
            .unwrap_or_default();
        let managers = managers(&person, &service.id).await?;
        let form = visit.form("reviews/create");
        let policy = policy_fields(&form, &Policy::default(), &managers);
        let open = form.was_refused();
        let submit = if may {
            view! { <Button words="Begin the review" weight=Weight::Primary /> }.into_any()
        } else {
            view! {
                <Button words="Begin the review" impossible="who-may" />
                <p class="small muted" id="who-may">"Only a manager of this service can begin a review."</p>
            }
            .into_any()
        };
        Ok(view! {
            <Frame title=title.clone() crumbs>
                <PageHead title />
                <section class="panel form-panel" aria-label="New review">
                    <form class="panel-body fields" method="post" action=paths::action("reviews/create")>
                        <input type="hidden" name="service" value=service.slug.clone() />
                        <SelectField
                            form=form.clone()
                            name="template_version"
                            label="Checklist"
                            options
                            value=first
                            hint="Its sections, items and deliverables are copied: later versions of it change nothing in this review."
                        />
                        {fields(&form, Fields::default(), true)}
                        <Disclosure summary="Policy: four eyes, evidence, blocking findings, signatures" open=open>
                            <div class="fields space-top">{policy}</div>
                        </Disclosure>
                        <div class="btn-row">{submit}</div>
                    </form>
                </section>
            </Frame>
        }
        .into_any())
    })
}

/// What a review's form starts with.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) title: String,
    pub(super) release: String,
    pub(super) commit: String,
    pub(super) due_on: String,
}

/// Title, release, commit and due date.
pub(super) fn fields(form: &crate::flash::FormState, start: Fields, is_new: bool) -> AnyView {
    view! {
        <TextField
            form=form.clone()
            name="title"
            label="Title"
            value=start.title
            max_length=200
            placeholder="Production readiness review"
            autofocus=is_new
        />
        <div class="fields-2">
            <TextField
                form=form.clone()
                name="release"
                label="Release"
                value=start.release
                max_length=200
                placeholder="v1.0.0"
            />
            <TextField
                form=form.clone()
                name="due_on"
                label="Hold point"
                value=start.due_on
                kind="date"
                required=false
                hint="The day, in UTC, by whose end the release decision is due."
            />
        </div>
        <TextField
            form=form.clone()
            name="commit"
            label="Target commit"
            value=start.commit
            required=false
            mono=true
            max_length=64
            hint="7 to 64 hexadecimal digits. Evidence and scans are checked against it; when it moves on, those of other commits are stale."
        />
    }
    .into_any()
}

/// Those who can sign the release decision, by name.
pub(super) async fn managers(
    person: &Actor,
    service: &ServiceId,
) -> Result<Vec<Named>, ServiceError> {
    let members = services().members(person, service).await?;
    Ok(members
        .into_iter()
        .filter(|(member, role)| *role == ServiceRole::Manager && member.disabled_at.is_none())
        .map(|(member, _)| Named {
            id: member.id,
            name: member.name,
        })
        .collect())
}
