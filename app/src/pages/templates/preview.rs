//! What a document would give, in each reading, before anything is stored.

use holdpoint_domain::{Digest, Gating, TemplateId};
use holdpoint_service::{
    Actor, ListedTemplate, ServiceError, Services, TemplateFor, TemplateOwners,
    checklist::{self, Difference, Document, Reading},
};
use leptos::prelude::*;
use tower_sessions::Session;

use super::of_whom;
use crate::{
    actions::templates::{PREVIEW_GONE, Previewed},
    flash::FormState,
    pages::{PageError, page, parameter, query},
    parts::{
        Button, ButtonLink, Crumb, Frame, Gate, Ico, Icon, Inline, Notice, PageHead, Panel, Prose,
        SelectField, Sha, TextField, Tone,
        controls::Weight,
        figure::{counted, size},
        panel::Disclosure,
    },
    paths,
    visit::{Visit, services},
};

/// More items than this are counted but not listed: the document itself has them all.
const MAX_LISTED: usize = 500;
/// A longer requirement opens on demand.
const MAX_OPEN_BYTES: usize = 600;

/// The preview of a document that waits in the session.
#[component]
pub(super) fn PreviewPage() -> impl IntoView {
    let (sha256, reading, tier) = (parameter("document"), query("reading"), query("tier"));
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let services = services();
        let crumbs = vec![
            Crumb::to("Reviews", paths::HOME),
            Crumb::to("Checklists", paths::TEMPLATES),
            Crumb::to("Import", paths::TEMPLATE_IMPORT),
            Crumb::here("Preview"),
        ];
        let Some((previewed, bytes)) = waiting(&services, &sha256).await? else {
            return Ok(view! {
                <Frame title="Preview" crumbs>
                    <PageHead title="Preview" />
                    <div class="stack">
                        <Notice tone=Tone::Amber>{PREVIEW_GONE}</Notice>
                        <p class="btn-row"><ButtonLink words="Import a checklist" href=paths::TEMPLATE_IMPORT weight=Weight::Primary /></p>
                    </div>
                </Frame>
            }
            .into_any());
        };
        let chosen = Reading::parse(&reading);
        let asked_tier = Some(tier.clone()).filter(|tier| !tier.is_empty());
        let read = services
            .preview_checklist(&person, bytes.clone(), chosen, asked_tier)
            .await;
        // A reading that gives nothing is said so; the readings that give something stay on offer.
        let (document, refusal) = match read {
            Ok(document) => (document, None),
            Err(ServiceError::Rejected { message, .. }) => {
                let document = services
                    .preview_checklist(&person, bytes, None, None)
                    .await?;
                (document, Some(message))
            }
            Err(error) => return Err(error.into()),
        };
        let owners = services.template_owners(&person).await?;
        // Only what the person may change is on offer.
        let mut templates = services.templates(&person).await?;
        templates.retain(|one| match &one.template.owner {
            None => owners.instance,
            Some(owner) => owners.services.iter().any(|of| of.service == owner.service),
        });
        let target = target_of(&previewed, &document, &templates);
        let against = match &target {
            Some(target) => against(&services, &person, target, &document).await?,
            None => None,
        };
        let form = visit.form("templates/import");
        let meta = view! {
            <span>{previewed.file_name.clone()}</span>
            <span>{size(previewed.size_bytes)}</span>
            <span>"SHA-256 " <Sha digest=previewed.sha256.clone() /></span>
        };
        let refusal = refusal.map(|message| {
            view! { <Notice tone=Tone::Red alert=true>{message}" What follows is the reading that gives most."</Notice> }
        });
        Ok(view! {
            <Frame title="Preview" crumbs>
                <PageHead
                    title=document.title.clone().unwrap_or_else(|| previewed.file_name.clone())
                    meta=meta.into_any()
                />
                <div class="stack">
                    {refusal}
                    <Notice tone=Tone::Blue>
                        {format!("Nothing is stored yet. Read this way, the document gives {}.", summary(&document))}
                    </Notice>
                    {reading_form(&sha256, &document)}
                    {problems(&document)}
                    {against}
                    {confirm(&form, &previewed, &document, &templates, &owners, target.as_ref())}
                    {listing(&document)}
                    {rest(&document)}
                </div>
            </Frame>
        }
        .into_any())
    })
}

/// The document with its bytes, if this session sent it.
async fn waiting(
    services: &Services,
    sha256: &str,
) -> Result<Option<(Previewed, Vec<u8>)>, PageError> {
    let session = use_context::<http::request::Parts>()
        .and_then(|parts| parts.extensions.get::<Session>().cloned());
    let (Some(session), Some(digest)) = (session, Digest::parse(sha256)) else {
        return Ok(None);
    };
    let found = Previewed::find(&session, sha256)
        .await
        .map_err(ServiceError::unavailable)?;
    let Some(previewed) = found else {
        return Ok(None);
    };
    let bytes = services
        .files()
        .read(&digest)
        .await
        .map_err(ServiceError::from)?;
    Ok(bytes.map(|bytes| (previewed, bytes)))
}

fn summary(document: &Document) -> String {
    let n_sections = document.sections_with_items().len();
    format!(
        "{} in {} and {}",
        counted(document.items.len(), "item", "items"),
        counted(n_sections, "section", "sections"),
        counted(document.deliverables.len(), "deliverable", "deliverables"),
    )
}

/// The checklist that the document is probably a new version of.
fn target_of(
    previewed: &Previewed,
    document: &Document,
    templates: &[ListedTemplate],
) -> Option<ListedTemplate> {
    let meant = previewed.template.as_deref();
    templates
        .iter()
        .find(|one| Some(one.template.id.as_str()) == meant)
        .or_else(|| {
            let title = document.title.as_deref()?;
            templates.iter().find(|one| one.template.name == title)
        })
        .cloned()
}

/// How the document could be read: a card for each reading, with what it gives.
fn reading_form(sha256: &str, document: &Document) -> impl IntoView + use<> {
    let chosen = match document.read_as.as_slice() {
        [one] => Some(*one),
        _ => None,
    };
    let mut tiers: Vec<String> = Vec::new();
    let cards = document
        .readings
        .iter()
        .map(|preview| {
            let reading = preview.reading;
            for tier in &preview.tiers {
                if !tiers.contains(&tier.name) {
                    tiers.push(tier.name.clone());
                }
            }
            let id = format!("reading-{}", reading.as_str());
            let nothing = preview.n_items == 0;
            let what = if nothing {
                format!("The document has no {}.", shape(reading))
            } else {
                let more = preview.n_items > preview.first_titles.len();
                format!(
                    "{}{}",
                    preview.first_titles.join(" · "),
                    if more { " …" } else { "" }
                )
            };
            let label = id.clone();
            view! {
                <div class="choice">
                    <input
                        type="radio"
                        id=id
                        name="reading"
                        value=reading.as_str()
                        checked=chosen == Some(reading)
                        disabled=nothing
                    />
                    <label class="t" for=label>
                        {reading.label()}
                        <span class="muted light">{counted(preview.n_items, "item", "items")}</span>
                    </label>
                    <span class="d wrap-any">{what}</span>
                </div>
            }
        })
        .collect_view();
    let tier = (!tiers.is_empty()).then(|| {
        let options = tiers
            .into_iter()
            .map(|tier| {
                let selected = document.tier.as_deref() == Some(tier.as_str());
                let words = format!("Only tier {tier}");
                view! { <option value=tier selected=selected>{words}</option> }
            })
            .collect_view();
        view! {
            <div class="field">
                <label for="tier">"Tier"</label>
                <select id="tier" name="tier">
                    <option value="">"All rows"</option>
                    {options}
                </select>
            </div>
        }
    });
    view! {
        <section class="panel" aria-labelledby="h-read">
            <div class="panel-head"><h2 id="h-read">"How to read it"</h2></div>
            <form class="panel-body fields" method="get" action=paths::template_preview(sha256)>
                <fieldset class="choices">
                    <legend class="vh">"Reading"</legend>
                    {cards}
                </fieldset>
                {tier}
                <div class="btn-row"><Button words="Show this reading" icon=Icon::Review /></div>
            </form>
        </section>
    }
    .into_any()
}

const fn shape(reading: Reading) -> &'static str {
    match reading {
        Reading::Tasks => "task lines (`- [ ]`)",
        Reading::Tables => "tables",
        Reading::Questionnaires => "headings that ask a question",
        Reading::Bullets => "bullets under a heading that says checklist",
    }
}

fn problems(document: &Document) -> Option<AnyView> {
    let n = document.problems.len();
    (n > 0).then(|| {
        let rows = document
            .problems
            .iter()
            .take(MAX_LISTED)
            .map(|problem| view! { <li>{problem.to_string()}</li> })
            .collect_view();
        view! {
            <Notice tone=Tone::Amber>
                <Disclosure summary=counted(n, "place looks wrong and is read all the same", "places look wrong and are read all the same") open=n < 6>
                    <ul class="prose small">{rows}</ul>
                </Disclosure>
            </Notice>
        }
        .into_any()
    })
}

/// What the document changes against the newest version of the checklist it belongs to.
async fn against(
    services: &Services,
    person: &Actor,
    target: &ListedTemplate,
    document: &Document,
) -> Result<Option<AnyView>, PageError> {
    let (version, old) = services
        .template_document(person, &target.newest.id)
        .await?;
    let new = document.clone();
    let found = tokio::task::spawn_blocking(move || {
        let difference = checklist::difference(&old, &new);
        (old, new, difference)
    })
    .await
    .map_err(ServiceError::unavailable)?;
    let (old, new, difference) = found;
    let text = format!(
        "Against version {} of {}: {}.",
        version.number,
        target.template.name,
        difference_words(&difference)
    );
    let body = super::difference::changes(&old, &new, &difference);
    Ok(Some(
        view! {
            <Panel id="h-against" title="What it changes">
                <p>{text}</p>
                {body}
            </Panel>
        }
        .into_any(),
    ))
}

pub(super) fn difference_words(difference: &Difference) -> String {
    if difference.is_empty() {
        return "no item is added, removed, reworded or moved".to_owned();
    }
    let parts = [
        (difference.added.len(), "added"),
        (difference.removed.len(), "removed"),
        (difference.reworded.len(), "reworded"),
        (difference.moved.len(), "moved"),
        (difference.unchanged.len(), "unchanged"),
    ];
    let words: Vec<_> = parts
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{n} {word}"))
        .collect();
    words.join(", ")
}

/// The form that imports it as it is shown.
fn confirm(
    form: &FormState,
    previewed: &Previewed,
    document: &Document,
    templates: &[ListedTemplate],
    owners: &TemplateOwners,
    target: Option<&ListedTemplate>,
) -> impl IntoView + use<> {
    let reading = match document.read_as.as_slice() {
        [one] => one.as_str(),
        _ => "",
    };
    // Not empty: a browser takes an empty value for one that was not chosen yet.
    let mut options = vec![("new".to_owned(), "A new checklist".to_owned())];
    options.extend(templates.iter().map(|one| {
        (
            one.template.id.as_str().to_owned(),
            format!(
                "Version {} of {} ({})",
                one.newest.number + 1,
                one.template.name,
                of_whom(one.template.owner.as_ref())
            ),
        )
    }));
    let all = owners
        .instance
        .then(|| (TemplateFor::ALL_SERVICES.to_owned(), of_whom(None)));
    let of: Vec<_> = all
        .into_iter()
        .chain(
            owners
                .services
                .iter()
                .map(|owner| (owner.slug.clone(), owner.name.clone())),
        )
        .collect();
    let first = of
        .first()
        .map(|(value, _)| value.clone())
        .unwrap_or_default();
    let n_items = document.items.len();
    let chosen = target.map(|one| one.template.id.as_str().to_owned());
    let name = document.title.clone().unwrap_or_else(|| {
        previewed
            .file_name
            .rsplit_once('.')
            .map_or(previewed.file_name.as_str(), |(stem, _)| stem)
            .to_owned()
    });
    let name: String = name.chars().take(200).collect();
    view! {
        <section class="panel" aria-labelledby="h-import">
            <div class="panel-head"><h2 id="h-import">"Import it"</h2></div>
            <form class="panel-body fields" method="post" action=paths::action("templates/import")>
                <input type="hidden" name="document" value=previewed.sha256.clone() />
                <input type="hidden" name="reading" value=reading />
                <input type="hidden" name="tier" value=document.tier.clone().unwrap_or_default() />
                <div class="fields-2">
                    <SelectField form=form.clone() name="template" label="As" options value=chosen.unwrap_or_else(|| "new".to_owned()) />
                    <TextField
                        form=form.clone()
                        name="name"
                        label="Name of a new checklist"
                        value=name
                        max_length=200
                        required=false
                        hint="A name that is taken there already makes a new version of that checklist."
                    />
                    <SelectField
                        form=form.clone()
                        name="service"
                        label="A new checklist belongs to"
                        options=of
                        value=first
                        hint="Those with a role there can use it; its managers add versions. Only administrators change one of all services."
                    />
                </div>
                <div class="btn-row">
                    <Button words=format!("Import {}", counted(n_items, "item", "items")) weight=Weight::Primary />
                    <ButtonLink words="Choose another document" href=paths::TEMPLATE_IMPORT weight=Weight::Quiet />
                </div>
            </form>
        </section>
    }
    .into_any()
}

/// The items by section, as the review would have them.
pub(super) fn listing(document: &Document) -> impl IntoView + use<> {
    let mut left = MAX_LISTED;
    let sections = document
        .sections_with_items()
        .into_iter()
        .filter_map(|(section, items)| {
            if left == 0 {
                return None;
            }
            let n = items.len();
            let shown: Vec<_> = items.into_iter().take(left).collect();
            left -= shown.len();
            let rows = shown
                .into_iter()
                .map(|item| {
                    let body = Some(item.body.clone()).filter(|body| !body.is_empty());
                    let body = body.map(|text| {
                        if text.len() <= MAX_OPEN_BYTES {
                            view! { <div class="small muted"><Prose text /></div> }.into_any()
                        } else {
                            view! { <Disclosure summary="Requirement"><Prose text /></Disclosure> }
                                .into_any()
                        }
                    });
                    let hints: Vec<_> = [
                        item.owner.as_ref().map(|owner| format!("owner: {owner}")),
                        item.scan.as_ref().map(|scan| format!("scan: {scan}")),
                        (!item.tiers.is_empty())
                            .then(|| format!("tiers: {}", item.tiers.join(", "))),
                    ]
                    .into_iter()
                    .flatten()
                    .collect();
                    let hints = (!hints.is_empty())
                        .then(|| view! { <span class="muted small">{hints.join(" · ")}</span> });
                    let advisory = (item.gating == Some(Gating::Advisory))
                        .then(|| view! { <Gate gating=Gating::Advisory /> });
                    view! {
                        <li>
                            <div class="grow stack-1">
                                <p class="row">
                                    <span class="faint num">{item.key.clone()}</span>
                                    <span class="strong wrap-any"><Inline text=item.title.clone() /></span>
                                    {advisory}
                                    {hints}
                                </p>
                                {body}
                            </div>
                            <span class="tiny faint nowrap">{format!("line {}", item.line)}</span>
                        </li>
                    }
                })
                .collect_view();
            let number = Some(section.key.clone()).filter(|key| !key.is_empty());
            let title = [number, Some(section.title.clone())]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" ");
            Some(view! {
                <section class="panel">
                    <div class="panel-head">
                        <h3 class="wrap-any"><Inline text=title /></h3>
                        <p class="push small muted">{counted(n, "item", "items")}</p>
                    </div>
                    <ul class="rows tall">{rows}</ul>
                </section>
            })
        })
        .collect_view();
    let n = document.items.len();
    let more = (n > MAX_LISTED).then(|| {
        view! {
            <p class="muted">{format!("The first {MAX_LISTED} of {n} items are listed; all of them are imported.")}</p>
        }
    });
    view! {
        <section class="section" aria-labelledby="h-items">
            <div class="section-head"><h2 id="h-items">{counted(n, "item", "items")}</h2></div>
            {more}
            {sections}
        </section>
    }
    .into_any()
}

/// Deliverables and metadata.
pub(super) fn rest(document: &Document) -> impl IntoView + use<> {
    let deliverables = (!document.deliverables.is_empty()).then(|| {
        let rows = document
            .deliverables
            .iter()
            .map(|deliverable| {
                let body = (!deliverable.body.is_empty())
                    .then(|| view! { <Prose text=deliverable.body.clone() /> });
                view! {
                    <li>
                        <Ico icon=Icon::Box />
                        <div class="grow stack-1"><span class="strong wrap-any"><Inline text=deliverable.title.clone() /></span>{body}</div>
                        <span class="tiny faint nowrap">{format!("line {}", deliverable.line)}</span>
                    </li>
                }
            })
            .collect_view();
        let n = document.deliverables.len();
        view! {
            <section class="panel" aria-labelledby="h-del">
                <div class="panel-head"><h2 id="h-del">{counted(n, "deliverable", "deliverables")}</h2></div>
                <ul class="rows tall">{rows}</ul>
            </section>
        }
    });
    let metadata = (!document.metadata.is_empty()).then(|| {
        let rows = document
            .metadata
            .iter()
            .map(|(key, value)| {
                view! { <dt class="wrap-any">{key.clone()}</dt> <dd><Prose text=value.clone() /></dd> }
            })
            .collect_view();
        view! { <Panel id="h-meta" title="Metadata"><dl class="dl">{rows}</dl></Panel> }
    });
    view! { {deliverables} {metadata} }.into_any()
}

/// The checklist of an address.
pub(super) fn template_of(id: &str) -> Result<TemplateId, PageError> {
    TemplateId::parse(id).ok_or(PageError::NotFound("This checklist"))
}
