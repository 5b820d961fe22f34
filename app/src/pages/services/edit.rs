use holdpoint_domain::person::Action;
use leptos::prelude::*;

use crate::{
    flash::FormState,
    pages::{PageError, page, parameter},
    parts::{Button, Crumb, Frame, Notice, PageHead, TextArea, TextField, Tone, controls::Weight},
    paths,
    visit::{Visit, services},
};

/// What a service's form starts with.
#[derive(Default)]
struct Fields {
    name: String,
    slug: String,
    repository_url: String,
    description: String,
}

/// The fields of a service.
fn fields(form: &FormState, fields: Fields, is_new: bool) -> AnyView {
    let slug_hint = if is_new {
        "Lower-case letters, digits and hyphens. Left empty, it is made from the name."
    } else {
        "Lower-case letters, digits and hyphens. Links with the old short name stop working."
    };
    view! {
        <TextField form=form.clone() name="name" label="Name" value=fields.name max_length=200 autofocus=is_new />
        <TextField
            form=form.clone()
            name="slug"
            label="Short name in addresses"
            value=fields.slug
            hint=slug_hint
            max_length=60
            required=!is_new
            mono=true
        />
        <TextField
            form=form.clone()
            name="repository_url"
            label="Repository"
            value=fields.repository_url
            hint="Where the source code is, as a web address."
            kind="url"
            max_length=2_000
            required=false
        />
        <TextArea
            form=form.clone()
            name="description"
            label="What it does"
            value=fields.description
            hint="Markdown. Reviewers read it to know what is at stake."
            required=false
            rows=6
        />
    }
    .into_any()
}

/// Makes a service.
#[component]
pub(super) fn NewServicePage() -> impl IntoView {
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let may = person.instance_role.may(Action::Administer);
        let form = visit.form("services/create");
        let crumbs = vec![
            Crumb::to("Reviews", paths::HOME),
            Crumb::to("Services", paths::SERVICES),
            Crumb::here("New"),
        ];
        let submit = if may {
            view! { <Button words="Create service" weight=Weight::Primary /> }.into_any()
        } else {
            view! {
                <Button words="Create service" impossible="who-may" />
                <p class="small muted" id="who-may">"An administrator of this instance can create services."</p>
            }
            .into_any()
        };
        Ok::<_, PageError>(view! {
            <Frame title="New service" crumbs>
                <PageHead title="New service" />
                <section class="panel form-panel" aria-label="New service">
                    <form class="panel-body fields" method="post" action=paths::action("services/create")>
                        {fields(&form, Fields::default(), true)}
                        <div class="btn-row">{submit}</div>
                    </form>
                </section>
            </Frame>
        })
    })
}

/// Changes a service.
#[component]
pub(super) fn ServiceSettingsPage() -> impl IntoView {
    let slug = parameter("slug");
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let services = services();
        let service = services.service_by_slug(&person, &slug).await?.service;
        let may = services
            .access(&person, &service.id)
            .await?
            .may(Action::Manage);
        let form = visit.form("services/change");
        let start = Fields {
            name: service.name.clone(),
            slug: service.slug.clone(),
            repository_url: service.repository_url.clone().unwrap_or_default(),
            description: service.description.clone(),
        };
        let submit = if may {
            view! { <Button words="Save settings" weight=Weight::Primary /> }.into_any()
        } else {
            view! { <Button words="Save settings" impossible="who-may" /> }.into_any()
        };
        let who = (!may).then(|| {
            view! {
                <Notice tone=Tone::Neutral id="who-may">"Only a manager of this service can change its settings."</Notice>
            }
        });
        let crumbs = vec![
            Crumb::to("Reviews", paths::HOME),
            Crumb::to(service.name.clone(), paths::service(&service.slug)),
            Crumb::here("Settings"),
        ];
        Ok(view! {
            <Frame title=format!("Settings of {}", service.name) crumbs>
                <PageHead title=format!("Settings of {}", service.name) />
                <div class="stack">
                    {who}
                    <section class="panel form-panel" aria-label="Settings">
                        <form class="panel-body fields" method="post" action=paths::action("services/change")>
                            <input type="hidden" name="service" value=service.id.as_str().to_owned() />
                            <input type="hidden" name="version" value=service.version.to_string() />
                            {fields(&form, start, false)}
                            <div class="btn-row">{submit}</div>
                        </form>
                    </section>
                </div>
            </Frame>
        })
    })
}
