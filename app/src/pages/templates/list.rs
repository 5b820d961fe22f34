use leptos::prelude::*;

use super::{of_whom, read_as};
use crate::{
    pages::page,
    parts::{
        ButtonLink, Column, Crumb, Empty, Frame, Icon, PageHead, Table, When, controls::Weight,
    },
    paths,
    visit::{Visit, services},
};

/// Every checklist, with its newest version.
#[component]
pub(super) fn TemplatesPage() -> impl IntoView {
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let services = services();
        let listed = services.templates(&person).await?;
        let owners = services.template_owners(&person).await?;
        let may_import = owners.instance || !owners.services.is_empty();
        let import = move || {
            may_import.then(|| {
                view! {
                    <ButtonLink words="Import a checklist" icon=Icon::Upload href=paths::TEMPLATE_IMPORT weight=Weight::Primary />
                }
            })
        };
        let now = visit.now;
        let content = if listed.is_empty() {
            view! {
                <Empty
                    title="No checklist yet"
                    text="A checklist is a Markdown document that says what must be proved before a release may go. You see those of the services on which you have a role, and those of all services once you have one. Managers of a service and administrators import them."
                >
                    {import()}
                </Empty>
            }
            .into_any()
        } else {
            let rows = listed
                .into_iter()
                .map(|one| {
                    let id = one.template.id.as_str().to_owned();
                    let newest = one.newest;
                    view! {
                        <tr role="row">
                            <th role="rowheader" scope="row" class="full">
                                <a class="ttl" href=paths::template(&id)>{one.template.name}</a>
                            </th>
                            <td role="cell" data-l="Belongs to">{of_whom(one.template.owner.as_ref())}</td>
                            <td role="cell" data-l="Items" class="n">{newest.n_items}</td>
                            <td role="cell" data-l="Read as">{read_as(&newest.reading, newest.tier.as_deref())}</td>
                            <td role="cell" data-l="Version" class="n">{newest.number}</td>
                            <td role="cell" data-l="Imported"><When at=newest.created_at now /></td>
                        </tr>
                    }
                })
                .collect_view();
            let columns = vec![
                Column::new("Checklist"),
                Column::new("Belongs to"),
                Column::new("Items").figures(),
                Column::new("Read as"),
                Column::new("Newest version").figures(),
                Column::new("Imported"),
            ];
            view! { <Table caption="Checklists with their newest versions" columns>{rows}</Table> }
                .into_any()
        };
        Ok(view! {
            <Frame title="Checklists" crumbs=vec![Crumb::to("Reviews", paths::HOME), Crumb::here("Checklists")]>
                <PageHead title="Checklists" actions=import().into_any() />
                <section class="panel" aria-label="Checklists">{content}</section>
            </Frame>
        })
    })
}
