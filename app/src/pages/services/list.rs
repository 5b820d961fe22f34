use holdpoint_domain::{InstanceRole, ServiceRole};
use holdpoint_service::ReadableService;
use leptos::prelude::*;

use crate::{
    pages::page,
    parts::{
        Button, ButtonLink, Column, Crumb, Empty, Frame, Icon, PageHead, Table, controls::Weight,
    },
    paths,
    visit::{Visit, services},
};

/// Every service that the person may see.
#[component]
pub(super) fn ServicesPage() -> impl IntoView {
    page(async move {
        let (_, person) = Visit::signed_in()?;
        let listed = services().services_for(&person).await?;
        let is_admin = person.instance_role == InstanceRole::Admin;
        let n = listed.len();
        let new = if is_admin {
            view! { <ButtonLink words="New service" icon=Icon::Plus href=paths::NEW_SERVICE weight=Weight::Primary /> }
                .into_any()
        } else {
            view! {
                <Button words="New service" icon=Icon::Plus impossible="who-may" />
                <p class="tiny muted" id="who-may">"An administrator can make one."</p>
            }
            .into_any()
        };
        let content = if listed.is_empty() {
            view! {
                <Empty
                    title="No service yet"
                    text="A service is the system under review. Until there is one that you have a role on, there is nothing to review."
                />
            }
            .into_any()
        } else {
            let rows = listed
                .into_iter()
                .map(|one| row(one, is_admin))
                .collect_view();
            let columns = vec![
                Column::new("Service"),
                Column::new("Repository"),
                Column::new("Your role"),
                Column::new("Begin").hidden(),
            ];
            view! { <Table caption="Services" columns>{rows}</Table> }.into_any()
        };
        let meta = view! { <span>{format!("{n} that you can see")}</span> };
        Ok(view! {
            <Frame title="Services" crumbs=vec![Crumb::to("Reviews", paths::HOME), Crumb::here("Services")]>
                <PageHead title="Services" meta=meta.into_any() actions=new />
                <section class="panel" aria-label="List of services">{content}</section>
            </Frame>
        })
    })
}

fn row(ReadableService { service, role }: ReadableService, is_admin: bool) -> impl IntoView {
    let may = is_admin || role == Some(ServiceRole::Manager);
    let begin = if may {
        view! { <ButtonLink words="New review" href=paths::new_review(&service.slug) small=true /> }
            .into_any()
    } else {
        view! { <span class="small muted">"Managers begin reviews"</span> }.into_any()
    };
    view! {
        <tr role="row">
            <th role="rowheader" scope="row" class="full">
                <a class="ttl" href=paths::service(&service.slug)>{service.name}</a>
            </th>
            <td role="cell" data-l="Repository" class="wrap wrap-any">
                {match service.repository_url {
                    Some(url) => {
                        let href = url.clone();
                        view! { <a href=href rel="nofollow noopener noreferrer">{url}</a> }.into_any()
                    }
                    None => view! { <span class="muted">"Not named"</span> }.into_any(),
                }}
            </td>
            <td role="cell" data-l="Your role">{role.map_or("Administrator", ServiceRole::label)}</td>
            <td role="cell" data-l="" class="fit">{begin}</td>
        </tr>
    }
}
