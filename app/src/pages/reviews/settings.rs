use holdpoint_domain::person::Action;
use holdpoint_service::ServiceError;
use leptos::prelude::*;

use super::{
    new::{Fields, fields, managers},
    policy::policy_fields,
    review_of,
};
use crate::{
    pages::{
        page, parameter,
        review_bar::{review_bar, review_crumbs},
    },
    parts::{Button, Crumb, Frame, Notice, PageHead, Tab, TextField, Tone, controls::Weight},
    paths,
    visit::{Visit, services},
};

/// A review's settings and policy.
#[component]
pub(super) fn SettingsPage() -> impl IntoView {
    let id = parameter("id");
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let services = services();
        let id = review_of(&id)?;
        let head = services.review(&person, &id).await?;
        let standing = services.review_glance(&person, &id).await?;
        let bar = review_bar(&person, &standing, Tab::Settings).await?;
        let mut crumbs = review_crumbs(&standing);
        crumbs.push(Crumb::here("Settings"));
        let review = head.review;
        let may = services
            .access(&person, &review.service)
            .await?
            .may(Action::Manage);
        let managers = managers(&person, &review.service).await?;
        let form = visit.form("reviews/change");
        let start = Fields {
            title: review.title.clone(),
            release: review.release.clone(),
            commit: review.commit.clone().unwrap_or_default(),
            due_on: review.due_on.clone().unwrap_or_default(),
        };
        let general = fields(&form, start, false);
        let policy = policy_fields(&form, &review.policy, &managers);
        let password = may.then(|| {
            view! {
                <TextField
                    form=form.clone()
                    name="password"
                    label="Your password"
                    kind="password"
                    autocomplete="current-password"
                    required=false
                    hint="Asked for where you change the policy."
                />
            }
        });
        let who = (!may).then(|| {
            view! {
                <Notice tone=Tone::Neutral id="who-may">"Only a manager of this service can change these settings."</Notice>
            }
        });
        let submit = if may {
            view! { <Button words="Save settings" weight=Weight::Primary /> }.into_any()
        } else {
            view! { <Button words="Save settings" impossible="who-may" /> }.into_any()
        };
        // The checklist may belong to a service that this person has no part in.
        let name = head.template.name.clone();
        let name = match services.template(&person, &head.template.id).await {
            Ok(_) => {
                view! { <a href=paths::template(head.template.id.as_str())>{name}</a> }.into_any()
            }
            Err(ServiceError::NotFound(_)) => name.into_any(),
            Err(error) => return Err(error.into()),
        };
        let checklist = view! {
            <span>
                <span>"Checklist: " {name} {format!(" (version {})", head.template_version.number)}</span>
            </span>
        };
        Ok(view! {
            <Frame title=format!("Settings of {} {}", head.service.name, review.release) crumbs review=bar>
                <PageHead title="Settings" meta=checklist.into_any() />
                <div class="stack">
                    {who}
                    <form class="stack" method="post" action=paths::action("reviews/change")>
                        <input type="hidden" name="review" value=review.id.as_str().to_owned() />
                        <input type="hidden" name="version" value=review.version.to_string() />
                        <section class="panel form-panel" aria-labelledby="h-general">
                            <div class="panel-head"><h2 id="h-general">"Review"</h2></div>
                            <div class="panel-body fields">{general}</div>
                        </section>
                        <section class="panel form-panel" aria-labelledby="h-policy">
                            <div class="panel-head"><h2 id="h-policy">"Policy"</h2></div>
                            <div class="panel-body fields">{policy} {password}</div>
                        </section>
                        <p class="small muted">
                            "The policy is part of what a release decision signs: changing it voids the decision."
                        </p>
                        <div class="btn-row">{submit}</div>
                    </form>
                </div>
            </Frame>
        })
    })
}
