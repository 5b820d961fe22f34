//! The form that submits a patch, pasted or as a file.

use std::collections::BTreeSet;

use holdpoint_domain::{FindingStatus, ReviewId};
use holdpoint_service::{
    FindingFilter, FindingLine, FindingSort, patches::PatchList, standing::ItemStanding,
};
use leptos::prelude::*;

use crate::{
    flash::FormState,
    pages::{
        PageError, page, parameter, query,
        review_bar::{review_bar, review_crumbs},
    },
    parts::{
        Button, Crumb, FieldNote, FileField, Frame, Notice, PageHead, Panel, Tab, TextArea,
        TextField,
        controls::{ButtonLink, Weight},
        status::Tone,
    },
    paths,
    visit::{Visit, services},
};

/// So many can be ticked; more are named by number or key.
const MOST_TICKED: usize = 60;

#[component]
pub fn NewPatchPage() -> impl IntoView {
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let services = services();
        let id = ReviewId::parse(&parameter("id")).ok_or(PageError::NotFound("This review"))?;
        let chosen = (query("finding"), query("item"));
        let list = services.patches_of(&person, &id).await?;
        let standing = services.review_glance(&person, &id).await?;
        let open = FindingFilter {
            statuses: vec![FindingStatus::Open],
            ..FindingFilter::default()
        };
        let findings = services
            .findings_of_review(
                &person,
                &id,
                &open,
                FindingSort::Severity,
                MOST_TICKED,
                None,
            )
            .await?
            .lines;
        let bar = review_bar(&person, &standing, Tab::Patches).await?;
        let mut crumbs = review_crumbs(&standing);
        crumbs.push(Crumb::to("Patches", paths::patches(id.as_str())));
        crumbs.push(Crumb::here("Submit"));
        let form = visit.form("patches/submit");
        let limit = services.limits().patch_bytes;
        Ok(view! {
            <Frame title="Submit a patch" crumbs review=bar>
                <PageHead title="Submit a patch" />
                <SubmitForm list findings items=standing.items.clone() chosen limit form />
            </Frame>
        }
        .into_any())
    })
}

#[component]
fn SubmitForm(
    list: PatchList,
    findings: Vec<FindingLine>,
    items: Vec<ItemStanding>,
    /// A finding and an item that are ticked to begin with.
    chosen: (String, String),
    limit: i64,
    form: FormState,
) -> impl IntoView {
    let review = list.review.id.as_str().to_owned();
    let no = list.no_submit.clone();
    let ticked = |field: &str, first: &str| -> BTreeSet<String> {
        let typed = form.typed(field).unwrap_or(first);
        typed
            .split(',')
            .map(str::to_owned)
            .filter(|id| !id.is_empty())
            .collect()
    };
    let (ticked_findings, ticked_items) =
        (ticked("findings", &chosen.0), ticked("items", &chosen.1));
    let findings = findings
        .into_iter()
        .map(|finding| {
            let place = finding.path.map(|path| {
                let line = finding.start_line.map(|line| format!(":{line}"));
                format!(", {path}{}", line.unwrap_or_default())
            });
            let words = format!(
                "F-{} {}{}",
                finding.number,
                finding.title,
                place.unwrap_or_default()
            );
            (finding.id.as_str().to_owned(), words)
        })
        .collect::<Vec<_>>();
    let n_items = items.len();
    let items = items
        .into_iter()
        .take(MOST_TICKED)
        .map(|item| {
            (
                item.item.id,
                format!("{} {}", item.item.key, item.item.title),
            )
        })
        .collect::<Vec<_>>();
    let findings = ticks(
        &form,
        "findings",
        "Findings that it remedies",
        findings,
        &ticked_findings,
    );
    let ticked_items = ticks(&form, "items", "Items that it serves", items, &ticked_items);
    let more_items = (n_items > MOST_TICKED).then(|| {
        view! {
            <TextField
                form=form.clone()
                name="item_keys"
                label="Other items"
                hint="By key, as in 2.5.1, with commas between."
                required=false
                mono=true
            />
        }
    });
    let megabytes = limit / 1024 / 1024;
    let button = if no.is_none() {
        view! { <Button words="Submit patch" weight=Weight::Primary /> }.into_any()
    } else {
        view! { <Button words="Submit patch" weight=Weight::Primary impossible="no-submit" /> }
            .into_any()
    };
    view! {
        <div class="stack">
            {no.map(|why| view! { <Notice tone=Tone::Neutral id="no-submit">{why}</Notice> })}
            <Panel id="h-submit" title="Patch">
                <form
                    class="fields"
                    method="post"
                    enctype="multipart/form-data"
                    action=paths::patch_upload(&review)
                >
                    <FileField
                        form=form.clone()
                        name="file"
                        label="Patch file"
                        accept=".patch,.diff,.mbox,.eml,text/plain"
                        required=false
                        hint=format!("The output of `git format-patch` or `git diff`, at most {megabytes} MiB.")
                    />
                    <TextArea
                        form=form.clone()
                        name="patch"
                        label="Or paste it"
                        required=false
                        rows=10
                        mono=true
                        hint="A file with Windows line ends changes when it is pasted: upload such a patch."
                    />
                    <TextField
                        form=form.clone()
                        name="title"
                        label="Title"
                        required=false
                        max_length=200
                        hint="Without one, the commit's subject or the first file's name is taken."
                    />
                    {findings}
                    <TextField
                        form=form.clone()
                        name="finding_numbers"
                        label="Other findings"
                        hint="By number, as in F-12, with commas between."
                        required=false
                        mono=true
                    />
                    {ticked_items}
                    {more_items}
                    <div class="btn-row">
                        {button}
                        <ButtonLink
                            words="Cancel"
                            href=paths::patches(&review)
                            weight=Weight::Quiet
                        />
                    </div>
                </form>
            </Panel>
        </div>
    }
    .into_any()
}

/// A list of boxes to tick, all sent under one name.
fn ticks(
    form: &FormState,
    name: &'static str,
    legend: &'static str,
    choices: Vec<(String, String)>,
    ticked: &BTreeSet<String>,
) -> Option<AnyView> {
    if choices.is_empty() {
        return None;
    }
    let error = form.error(name);
    let described = error.as_ref().map(|_| format!("{name}-error"));
    let boxes = choices
        .into_iter()
        .map(|(id, words)| {
            let checked = ticked.contains(&id);
            view! {
                <label class="check">
                    <input type="checkbox" name=name value=id checked=checked />
                    <span class="wrap-any">{words}</span>
                </label>
            }
        })
        .collect_view();
    Some(
        view! {
            <fieldset class="field ticks" aria-describedby=described>
                <legend>{legend} " " <span class="optional">"(optional)"</span></legend>
                <FieldNote id=name.to_owned() error hint=None />
                <div class="ticks-list" tabindex="0" role="group" aria-label=legend>{boxes}</div>
            </fieldset>
        }
        .into_any(),
    )
}
