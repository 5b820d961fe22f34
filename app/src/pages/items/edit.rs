//! The forms that change an item: its people and terms, and its words. Both carry the version that was shown, so that
//! nobody overwrites what somebody else has saved.

use holdpoint_domain::{Gating, person::Action};
use holdpoint_service::{ItemPage as Page, Named};
use leptos::prelude::*;

use super::item_of_address;
use crate::{
    flash::FormState,
    pages::{
        page,
        review_bar::{review_bar, review_crumbs},
    },
    parts::{
        Button, Crumb, FieldNote, Frame, PageHead, Panel, SelectField, Tab, TextArea, TextField,
        controls::{ButtonLink, Weight},
    },
    paths::{self, action},
    visit::{Visit, services},
};

#[component]
pub(super) fn EditItemPage() -> impl IntoView {
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let id = item_of_address()?;
        let services = services();
        let page = services.item(&person, &id).await?;
        let (review, _) = services.item_standing(&person, &id).await?;
        let members = services.members(&person, &page.head.service.id).await?;
        let able = |what: Action| -> Vec<Named> {
            members
                .iter()
                .filter(|(member, role)| role.may(what) && member.disabled_at.is_none())
                .map(|(member, _)| Named {
                    id: member.id.clone(),
                    name: member.name.clone(),
                })
                .collect()
        };
        let owners = able(Action::Contribute);
        let reviewers = able(Action::Decide);
        let bar = review_bar(&person, &review, Tab::Checklist).await?;
        let title = format!("Change {} {}", page.item.key, page.item.title);
        let mut crumbs = review_crumbs(&review);
        crumbs.push(Crumb::to(page.item.key.clone(), paths::item(id.as_str())));
        crumbs.push(Crumb::here("Change"));
        Ok(view! {
            <Frame title=title.clone() crumbs review=bar>
                <PageHead title />
                <div class="stack">
                    <Terms page=page.clone() owners reviewers form=visit.form("items/change") />
                    <Words page=page.clone() form=visit.form("items/reword") />
                </div>
            </Frame>
        }
        .into_any())
    })
}

fn option(value: &str, words: &str) -> (String, String) {
    (value.to_owned(), words.to_owned())
}

#[component]
fn Terms(page: Page, owners: Vec<Named>, reviewers: Vec<Named>, form: FormState) -> impl IntoView {
    let item = page.item.clone();
    let owner_now = item
        .owner
        .as_ref()
        .map(|id| id.as_str().to_owned())
        .unwrap_or_default();
    let mut of = vec![option("", "Nobody")];
    of.extend(
        owners
            .iter()
            .map(|named| option(named.id.as_str(), &named.name)),
    );
    // Whoever owns it now stays in the list, also without the role that new owners need.
    if let Some(owner) = page
        .owner
        .as_ref()
        .filter(|owner| owners.iter().all(|one| one.id != owner.id))
    {
        of.push(option(owner.id.as_str(), &owner.name));
    }
    let mut able = reviewers;
    for named in &page.reviewers {
        if able.iter().all(|one| one.id != named.id) {
            able.push(named.clone());
        }
    }
    let chosen: Vec<String> = match form.typed("reviewer_ids") {
        Some(typed) => typed.split(' ').map(str::to_owned).collect(),
        None => item
            .reviewers
            .iter()
            .map(|id| id.as_str().to_owned())
            .collect(),
    };
    let wrong = form.error("reviewers");
    let described = wrong.as_ref().map(|_| "reviewers-error");
    let tone = wrong.as_ref().map(|_| "red");
    let none = able.is_empty();
    let boxes = able
        .into_iter()
        .map(|named| {
            let ticked = chosen.iter().any(|id| id == named.id.as_str());
            view! {
                <label class="check">
                    <input type="checkbox" name="reviewer_ids[]" value=named.id.as_str().to_owned() checked=ticked />
                    <span>{named.name}</span>
                </label>
            }
        })
        .collect_view();
    let gates = vec![
        option(Gating::Blocker.as_str(), "Blocker: holds the release back"),
        option(Gating::Advisory.as_str(), "Advisory: is recorded only"),
    ];
    let back = paths::item(item.id.as_str());
    let limits = (!page.may_manage).then(|| {
        view! { <p class="small muted">"As the item's owner you choose reviewers; the rest is a manager's to change."</p> }
    });
    view! {
        <Panel id="terms" title="People and terms">
            <form class="fields" method="post" action=action("items/change")>
                <input type="hidden" name="item" value=item.id.as_str().to_owned() />
                <input type="hidden" name="version" value=item.version.to_string() />
                {limits}
                <div class="fields-2">
                    <SelectField form=form.clone() name="owner_id" label="Owner" options=of value=owner_now required=false />
                    <SelectField form=form.clone() name="gating" label="Gate" options=gates value=item.gating.as_str() />
                    <TextField
                        form=form.clone()
                        name="due_on"
                        label="Due"
                        kind="date"
                        value=item.due_on.clone().unwrap_or_default()
                        required=false
                        hint="Without a date it is due with the review."
                    />
                    <TextField
                        form=form.clone()
                        name="quorum"
                        label="Signatures for a pass"
                        value=item.quorum.map(|quorum| quorum.to_string()).unwrap_or_default()
                        required=false
                        hint="A number from 1 to 20. Empty: as many as the review's policy asks for."
                    />
                </div>
                <fieldset class="choices" aria-describedby=described data-tone=tone>
                    <legend class="label">"Reviewers"</legend>
                    {boxes}
                    {none.then(|| view! { <p class="hint">"Nobody on this service is a reviewer or manager yet."</p> })}
                    <p class="hint">"Without one, every reviewer of the service can decide."</p>
                    <div class="field"><FieldNote id="reviewers".to_owned() error=wrong hint=None /></div>
                </fieldset>
                <div class="btn-row">
                    <Button words="Save people and terms" weight=Weight::Primary />
                    <ButtonLink words="Back to the item" href=back weight=Weight::Quiet />
                </div>
            </form>
        </Panel>
    }
    .into_any()
}

#[component]
fn Words(page: Page, form: FormState) -> impl IntoView {
    let item = page.item.clone();
    if !page.may_manage {
        return view! {
            <Panel id="words" title="Words">
                <p class="small muted" id="no-words">"Only a manager of this service can reword an item."</p>
                <Button words="Save words" impossible="no-words" />
            </Panel>
        }
        .into_any();
    }
    view! {
        <Panel id="words" title="Words">
            <form class="fields" method="post" action=action("items/reword")>
                <input type="hidden" name="item" value=item.id.as_str().to_owned() />
                <input type="hidden" name="version" value=item.version.to_string() />
                <TextField form=form.clone() name="title" label="Title" value=item.title.clone() max_length=200 />
                <TextArea
                    form
                    name="requirement"
                    label="Requirement"
                    value=item.body.clone()
                    required=false
                    rows=8
                    hint="Markdown. Changed here for this review only: the checklist keeps its own. A signature over the old words becomes void."
                />
                <div class="btn-row"><Button words="Save words" /></div>
            </form>
        </Panel>
    }
    .into_any()
}
