use holdpoint_domain::TemplateVersionId;
use holdpoint_service::checklist::{Difference, Document, Item};
use leptos::prelude::*;

use super::preview::{difference_words, template_of};
use crate::{
    pages::{PageError, page, parameter, query},
    parts::{Button, Crumb, Frame, Ico, Icon, Inline, PageHead, Panel, Prose, Tone},
    paths,
    visit::{Visit, services},
};

/// More changes of a kind than this are counted but not listed.
const MAX_LISTED: usize = 300;

/// What one version of a checklist changed against another.
#[component]
pub(super) fn DifferencePage() -> impl IntoView {
    let (id, old, new) = (parameter("id"), query("old"), query("new"));
    page(async move {
        let (_, person) = Visit::signed_in()?;
        let services = services();
        let id = template_of(&id)?;
        let history = services.template(&person, &id).await?;
        let version = |asked: &str| {
            let asked = TemplateVersionId::parse(asked);
            history
                .versions
                .iter()
                .map(|(version, _)| version)
                .find(|version| Some(&version.id) == asked.as_ref())
                .cloned()
                .ok_or(PageError::NotFound("This version"))
        };
        let (old, new) = (version(&old)?, version(&new)?);
        let found = services
            .template_difference(&person, &old.id, &new.id)
            .await?;
        let options = |chosen: &TemplateVersionId| {
            history
                .versions
                .iter()
                .map(|(version, _)| {
                    let selected = version.id == *chosen;
                    view! { <option value=version.id.as_str().to_owned() selected=selected>{format!("Version {}", version.number)}</option> }
                })
                .collect_view()
        };
        let (from, to) = (options(&old.id), options(&new.id));
        let name = history.template.name.clone();
        let title = format!("Version {} to {}", old.number, new.number);
        let crumbs = vec![
            Crumb::to("Reviews", paths::HOME),
            Crumb::to("Checklists", paths::TEMPLATES),
            Crumb::to(name, paths::template(id.as_str())),
            Crumb::here(title.clone()),
        ];
        let words = difference_words(&found.difference);
        let address = paths::template_difference(id.as_str(), "", "");
        let listed = changes(&found.old, &found.new, &found.difference);
        Ok(view! {
            <Frame title=title.clone() crumbs>
                <PageHead title meta=view! { <span>{words}</span> }.into_any() />
                <div class="stack">
                    <form class="filterbar" method="get" action=address>
                        <label for="old">"From"</label>
                        <select id="old" name="old">{from}</select>
                        <label for="new">"to"</label>
                        <select id="new" name="new">{to}</select>
                        <Button words="Compare" />
                    </form>
                    <Panel id="h-changes" title="Changes">
                        {listed}
                    </Panel>
                </div>
            </Frame>
        })
    })
}

/// Added, removed, reworded and moved items, each with its words.
pub(super) fn changes(old: &Document, new: &Document, difference: &Difference) -> AnyView {
    if difference.is_empty() {
        return view! { <p class="muted">"Both ask for the same, in the same sections."</p> }
            .into_any();
    }
    let of = |document: &Document, at: usize| document.items.get(at).cloned();
    let added = difference
        .added
        .iter()
        .take(MAX_LISTED)
        .filter_map(|at| of(new, *at))
        .map(|item| one(&item, None))
        .collect::<Vec<_>>();
    let removed = difference
        .removed
        .iter()
        .take(MAX_LISTED)
        .filter_map(|at| of(old, *at))
        .map(|item| one(&item, None))
        .collect::<Vec<_>>();
    let reworded = difference
        .reworded
        .iter()
        .take(MAX_LISTED)
        .filter_map(|pair| Some((of(new, pair.new)?, of(old, pair.old)?)))
        .map(|(item, before)| one(&item, Some(&before)))
        .collect::<Vec<_>>();
    let moved = difference
        .moved
        .iter()
        .take(MAX_LISTED)
        .filter_map(|pair| {
            let (after, before) = (of(new, pair.new)?, of(old, pair.old)?);
            let from = old.sections.get(before.section)?.title.clone();
            let to = new.sections.get(after.section)?.title.clone();
            Some(view! {
                <li>
                    <span class="strong wrap-any"><Inline text=format!("{} {}", after.key, after.title) /></span>
                    <span class="muted">{format!(" from {} ({from}) to {} ({to})", before.key, after.key)}</span>
                </li>
            }
            .into_any())
        })
        .collect::<Vec<_>>();
    let group = |words: &'static str, icon: Icon, tone: Tone, n: usize, rows: Vec<AnyView>| {
        (n > 0).then(|| {
            let more = (n > rows.len())
                .then(|| view! { <p class="muted">{format!("{} more are not listed.", n - rows.len())}</p> });
            view! {
                <section class="stack-2">
                    <h3 class="st" data-tone=tone.as_str()><Ico icon />{format!("{n} {words}")}</h3>
                    <ul class="stack-2">{rows}</ul>
                    {more}
                </section>
            }
        })
    };
    view! {
        <div class="stack">
            {group("added", Icon::Plus, Tone::Green, difference.added.len(), added)}
            {group("removed", Icon::Close, Tone::Red, difference.removed.len(), removed)}
            {group("reworded", Icon::Note, Tone::Amber, difference.reworded.len(), reworded)}
            {group("moved", Icon::Right, Tone::Blue, difference.moved.len(), moved)}
        </div>
    }
    .into_any()
}

fn one(item: &Item, before: Option<&Item>) -> AnyView {
    let text = |item: &Item| {
        view! {
            <p class="strong wrap-any"><Inline text=item.title.clone() /></p>
            {(!item.body.is_empty()).then(|| view! { <Prose text=item.body.clone() /> })}
        }
        .into_any()
    };
    let key = item.key.clone();
    match before {
        None => view! {
            <li class="keyed"><span class="faint num">{key}</span><div class="stack-1">{text(item)}</div></li>
        }
        .into_any(),
        Some(before) => view! {
            <li class="stack-1">
                <span class="faint num">{key}</span>
                <div class="fields-2">
                    <div class="stack-1"><span class="label">"Before"</span>{text(before)}</div>
                    <div class="stack-1"><span class="label">"Now"</span>{text(item)}</div>
                </div>
            </li>
        }
        .into_any(),
    }
}
