use std::{collections::HashMap, sync::Arc};

use holdpoint_domain::{ReviewId, ServiceRole, person::Action};
use holdpoint_service::{Review, standing::ReviewStanding};
use leptos::prelude::*;

use crate::{
    pages::{page, parameter, portfolio::hold_point, query},
    parts::{
        ButtonLink, Column, Crumb, Empty, Frame, Icon, MiniCells, PageHead, Panel, Prose, St,
        Table, controls::Weight, figure::counted, table::pages,
    },
    paths,
    visit::{Visit, services},
};

const PAGE: usize = 50;

/// A service with its reviews.
#[component]
pub(super) fn ServicePage() -> impl IntoView {
    let (slug, before) = (parameter("slug"), query("before"));
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let services = services();
        let found = services.service_by_slug(&person, &slug).await?;
        let (service, role) = (found.service, found.role);
        let access = services.access(&person, &service.id).await?;
        let may_manage = access.may(Action::Manage);
        let n_people = services
            .members_found(&person, &service.id, "")
            .await?
            .n_matching;
        let before = ReviewId::parse(&before);
        let reviews = services
            .reviews_of(&person, &service.id, before.as_ref(), PAGE)
            .await?;
        let ids: Vec<_> = reviews
            .entries
            .iter()
            .map(|(review, _)| &review.id)
            .collect();
        let mut standings: HashMap<String, Arc<ReviewStanding>> = services
            .review_glances(&person, &ids)
            .await?
            .into_iter()
            .map(|standing| (standing.review.id.clone(), standing))
            .collect();
        let rows: Vec<_> = reviews
            .entries
            .iter()
            .filter_map(|(review, _)| {
                let standing = standings.remove(review.id.as_str())?;
                Some(row(review, &standing, visit.now))
            })
            .collect();
        let here = paths::service(&service.slug);
        let pager = (reviews.next.is_some() || before.is_some()).then(|| {
            pages(
                format!("{} reviews on this page, newest first", rows.len()),
                before.is_some().then(|| here.clone()),
                None,
                reviews
                    .next
                    .as_ref()
                    .map(|next| paths::with_query(&here, &[("before", next.as_str())])),
            )
        });
        let table = if rows.is_empty() {
            let begin = may_manage.then(|| {
                view! {
                    <ButtonLink
                        words="Begin a review"
                        href=paths::new_review(&service.slug)
                        weight=Weight::Primary
                    />
                }
            });
            view! {
                <Empty
                    title="No review yet"
                    text="A review takes one release of this service to its hold point. Managers of the service begin one from a checklist."
                >
                    {begin}
                </Empty>
            }
            .into_any()
        } else {
            let columns = vec![
                Column::new("Release"),
                Column::new("Verdict"),
                Column::new("Items cleared"),
                Column::new("Hold point"),
                Column::new("Release decision"),
            ];
            view! { <Table caption="Reviews of this service" columns class="roomy stackable">{rows}</Table> }.into_any()
        };
        let new = (may_manage && !reviews.entries.is_empty()).then(|| {
            view! {
                <ButtonLink
                    words="New review"
                    icon=Icon::Plus
                    href=paths::new_review(&service.slug)
                    weight=Weight::Primary
                />
            }
        });
        let actions = view! {
            <ButtonLink words="People" icon=Icon::User href=paths::service_people(&service.slug) />
            <ButtonLink words="Settings" href=paths::service_settings(&service.slug) />
            {new}
        };
        let repository = service.repository_url.clone().map(|url| {
            let href = url.clone();
            view! { <a href=href rel="nofollow noopener noreferrer" class="wrap-any">{url}</a> }
        });
        let role = role.map_or("Administrator", ServiceRole::label);
        let meta = view! {
            {repository}
            <span>{counted(n_people, "person", "people")}</span>
            <span>{format!("You are here as: {}", role.to_lowercase())}</span>
        };
        let about = (!service.description.is_empty()).then(|| {
            view! { <Panel id="h-about" title="About"><Prose text=service.description.clone() /></Panel> }
        });
        let crumbs = vec![
            Crumb::to("Reviews", paths::HOME),
            Crumb::to("Services", paths::SERVICES),
            Crumb::here(service.name.clone()),
        ];
        Ok(view! {
            <Frame title=service.name.clone() crumbs>
                <PageHead title=service.name.clone() meta=meta.into_any() actions=actions.into_any() />
                <div class="stack">
                    {about}
                    <Panel id="h-reviews" title="Reviews" bare=true>{table}{pager}</Panel>
                </div>
            </Frame>
        })
    })
}

fn row(review: &Review, standing: &ReviewStanding, now: i64) -> impl IntoView + use<> {
    let progress = standing.progress();
    let states = standing.items.iter().map(|item| item.state).collect();
    let decision = standing.release.decided.map_or_else(
        || {
            format!(
                "{} of {} signed",
                standing.release.n_go, standing.release.n_needed
            )
        },
        |decided| decided.label().to_owned(),
    );
    view! {
        <tr role="row">
            <th role="rowheader" scope="row" class="full">
                <a class="ttl" href=paths::review(review.id.as_str())>{review.release.clone()}</a>
                " "
                <span class="muted">{review.title.clone()}</span>
            </th>
            <td role="cell" data-l=""><St of=standing.verdict.outcome /></td>
            <td role="cell" data-l="">
                <span class="row one-line">
                    <MiniCells states bar=true />
                    <span class="nowrap">
                        <b class="strong">{progress.n_cleared}</b>
                        " "
                        <span class="muted">{format!("of {}", progress.n_items)}</span>
                    </span>
                </span>
            </td>
            <td role="cell" data-l="Hold point">{hold_point(review.due_on.as_deref(), now)}</td>
            <td role="cell" data-l="Decision">{decision}</td>
        </tr>
    }
}
