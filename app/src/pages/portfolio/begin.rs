//! What a portfolio without reviews offers.

use holdpoint_domain::{InstanceRole, ServiceRole};
use holdpoint_service::{Actor, ReadableService};
use leptos::prelude::*;

use crate::{
    parts::{Button, ButtonLink, Empty, Icon, controls::Weight},
    paths,
};

/// No review yet: what belongs here, and the ways to begin.
#[component]
pub(super) fn Begin(person: Actor, services: Vec<ReadableService>) -> impl IntoView {
    let is_admin = person.instance_role == InstanceRole::Admin;
    let manages = services
        .iter()
        .any(|one| is_admin || one.role == Some(ServiceRole::Manager));
    let (title, text) = if services.is_empty() && !is_admin {
        (
            "You have no role on a service yet",
            "Reviews are shown to the people of their service. A manager of the service gives you a role there, by the address \
             that you sign in with; then its reviews are here.",
        )
    } else if services.is_empty() {
        (
            "No review yet",
            "A review takes one release of a service to its hold point: a checklist that people work through, sign, and can \
             prove later. Until there is one, nothing can be signed.",
        )
    } else {
        (
            "No review of your services yet",
            "A review takes one release to its hold point. Choose a service and begin one.",
        )
    };
    let sample_why = (!is_admin).then_some("sample-why");
    let import_why = (!is_admin && !manages).then_some("import-why");
    let service_why = (!is_admin).then_some("service-why");
    let begin = (!services.is_empty()).then(|| {
        let rows = services
            .into_iter()
            .map(|ReadableService { service, role }| {
                let may = is_admin || role == Some(ServiceRole::Manager);
                let act = if may {
                    view! {
                        <ButtonLink
                            words="Begin a review"
                            href=paths::new_review(&service.slug)
                            weight=Weight::Primary
                            small=true
                        />
                    }
                    .into_any()
                } else {
                    view! { <span class="small muted">"A manager begins its reviews."</span> }
                        .into_any()
                };
                view! {
                    <li>
                        <a class="grow strong" href=paths::service(&service.slug)>{service.name}</a>
                        {act}
                    </li>
                }
            })
            .collect_view();
        view! {
            <section class="panel" aria-labelledby="h-services">
                <div class="panel-head"><h2 id="h-services">"Services"</h2></div>
                <ul class="rows">{rows}</ul>
            </section>
        }
    });
    let why = |id: Option<&'static str>, text: &'static str| {
        id.map(|id| view! { <p class="tiny muted" id=id>{text}</p> })
    };
    let weight = if begin.is_some() {
        Weight::Secondary
    } else {
        Weight::Primary
    };
    view! {
        {begin}
        <section class="panel" aria-label="Begin">
            <Empty title text />
            <div class="fields-2 starts">
                <form class="start" method="post" action=paths::action("sample/load")>
                    <h3>"See a whole review"</h3>
                    <p class="small muted">
                        "A real checklist with scans and findings, and three people whose sides you can try."
                    </p>
                    <div class="stack-1">
                        {match sample_why {
                            None => view! { <Button words="Load the sample review" weight /> }.into_any(),
                            Some(why) => view! { <Button words="Load the sample review" impossible=why /> }.into_any(),
                        }}
                        {why(sample_why, "An administrator can load it.")}
                    </div>
                </form>
                <div class="start">
                    <h3>"Bring your checklist"</h3>
                    <p class="small muted">
                        "Any Markdown document: task lists, tables, questionnaires or plain bullets. You see how it reads first."
                    </p>
                    <div class="stack-1">
                        {match import_why {
                            None => view! { <ButtonLink words="Import a checklist" icon=Icon::Upload href=paths::TEMPLATE_IMPORT /> }.into_any(),
                            Some(why) => view! { <Button words="Import a checklist" impossible=why /> }.into_any(),
                        }}
                        {why(import_why, "An administrator or a manager of a service can import one.")}
                    </div>
                </div>
                <div class="start">
                    <h3>"Name your service"</h3>
                    <p class="small muted">
                        "The system under review, with its people and their roles."
                    </p>
                    <div class="stack-1">
                        {match service_why {
                            None => view! { <ButtonLink words="Create a service" icon=Icon::Plus href=paths::NEW_SERVICE /> }.into_any(),
                            Some(why) => view! { <Button words="Create a service" impossible=why /> }.into_any(),
                        }}
                        {why(service_why, "An administrator can create one.")}
                    </div>
                </div>
            </div>
        </section>
    }
    .into_any()
}
