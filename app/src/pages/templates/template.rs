use holdpoint_service::TemplateVersion;
use leptos::prelude::*;

use super::{
    of_whom,
    preview::{listing, rest, template_of},
    read_as,
};
use crate::{
    pages::{page, parameter, query},
    parts::{
        ButtonLink, Column, Crumb, Frame, Icon, PageHead, Panel, Sha, Table, When, controls::Weight,
    },
    paths,
    visit::{Visit, services},
};

/// A checklist: its versions, and the items of one of them.
#[component]
pub(super) fn TemplatePage() -> impl IntoView {
    let (id, asked) = (parameter("id"), query("version"));
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let services = services();
        let id = template_of(&id)?;
        let history = services.template(&person, &id).await?;
        let versions: Vec<_> = history
            .versions
            .iter()
            .map(|(version, _)| version.clone())
            .collect();
        let shown = asked
            .parse()
            .ok()
            .and_then(|number: i64| versions.iter().find(|version| version.number == number))
            .or(versions.first())
            .cloned();
        let document = match &shown {
            Some(shown) => Some(services.template_document(&person, &shown.id).await?.1),
            None => None,
        };
        let name = history.template.name.clone();
        let here = paths::template(id.as_str());
        let now = visit.now;
        let rows = history
            .versions
            .into_iter()
            .map(|(version, who)| {
                let older = versions
                    .iter()
                    .find(|older| older.number == version.number - 1);
                let is_shown = shown.as_ref().is_some_and(|shown| shown.id == version.id);
                row(id.as_str(), &here, &version, who, older, is_shown, now)
            })
            .collect_view();
        let columns = vec![
            Column::new("Version"),
            Column::new("Items").figures(),
            Column::new("Read as"),
            Column::new("Document"),
            Column::new("Imported"),
            Column::new("Acts").hidden(),
        ];
        let source = shown.as_ref().map(|shown| {
            view! {
                <ButtonLink
                    words=format!("Download version {}", shown.number)
                    icon=Icon::Download
                    href=paths::template_source(shown.id.as_str())
                    download=true
                />
            }
        });
        let import = history.may_change.then(|| {
            view! {
                <ButtonLink
                    words="Import a new version"
                    icon=Icon::Upload
                    href=paths::import_version(id.as_str())
                    weight=Weight::Primary
                />
            }
        });
        let actions = view! { {source} {import} };
        let owner = history.template.owner.as_ref();
        let changed_by = match (history.may_change, owner) {
            (true, _) => None,
            (false, Some(_)) => Some("Its managers add versions."),
            (false, None) => Some("Administrators add versions."),
        };
        let belongs_to = format!("Belongs to: {}", of_whom(owner));
        let content = document.map(|document| view! { {listing(&document)} {rest(&document)} });
        let crumbs = vec![
            Crumb::to("Reviews", paths::HOME),
            Crumb::to("Checklists", paths::TEMPLATES),
            Crumb::here(name.clone()),
        ];
        let meta = view! {
            <span>{belongs_to} {changed_by.map(|words| format!(". {words}"))}</span>
            {shown.map(|shown| view! { <span>{format!("Version {} is shown", shown.number)}</span> })}
        };
        Ok(view! {
            <Frame title=name.clone() crumbs>
                <PageHead title=name meta=meta.into_any() actions=actions.into_any() />
                <div class="stack">
                    <Panel id="h-versions" title="Versions" bare=true>
                        <Table caption="Versions, newest first" columns>{rows}</Table>
                    </Panel>
                    {content}
                </div>
            </Frame>
        })
    })
}

fn row(
    template: &str,
    here: &str,
    version: &TemplateVersion,
    who: String,
    older: Option<&TemplateVersion>,
    is_shown: bool,
    now: i64,
) -> impl IntoView + use<> {
    let number = version.number.to_string();
    let changes = older.map(|older| {
        let href = paths::template_difference(template, older.id.as_str(), version.id.as_str());
        view! { <ButtonLink words=format!("Changes since {}", older.number) href small=true /> }
    });
    view! {
        <tr role="row" class=is_shown.then_some("is-cursor")>
            <th role="rowheader" scope="row" class="full">
                <a class="ttl" href=paths::with_query(here, &[("version", &number)]) aria-current=is_shown.then_some("true")>
                    {format!("Version {number}")}
                </a>
            </th>
            <td role="cell" data-l="Items" class="n">{version.n_items}</td>
            <td role="cell" data-l="Read as">{read_as(&version.reading, version.tier.as_deref())}</td>
            <td role="cell" data-l="Document" class="wrap-any">
                <a href=paths::template_source(version.id.as_str()) download="">{version.file_name.clone()}</a>
                " "
                <Sha digest=version.sha256.as_str() />
            </td>
            <td role="cell" data-l="Imported"><When at=version.created_at now /> {format!(" by {who}")}</td>
            <td role="cell" data-l="" class="fit">{changes}</td>
        </tr>
    }
}
