//! Writing a finding by hand, and changing one that was.

use holdpoint_domain::{Severity, person::Action};
use holdpoint_service::{Finding, findings::CATEGORIES};
use leptos::prelude::*;

use super::{finding_of_address, item_options};
use crate::{
    flash::FormState,
    pages::{
        PageError, page, query,
        review_bar::{OpenReview, review_bar, review_crumbs, review_name},
    },
    parts::{
        Button, ButtonLink, Crumb, Frame, PageHead, SelectField, Tab, TextArea, TextField,
        controls::Weight,
    },
    paths::{self, action},
    visit::{Visit, services},
};

#[component]
pub(super) fn NewFindingPage() -> impl IntoView {
    page(async move {
        let item = query("item");
        let open = OpenReview::of_address().await?;
        if !open.access.may(Action::Contribute) {
            return Err(PageError::Forbidden(
                "Only a contributor, reviewer or manager of this service can write findings."
                    .to_owned(),
            ));
        }
        let bar = review_bar(&open.person, &open.standing, Tab::Findings).await?;
        let form = open.visit.form("findings/write");
        let review = open.id.as_str().to_owned();
        let title = format!("Write a finding: {}", review_name(&open.standing));
        let options = item_options(&open.standing, "No item yet");
        let hidden =
            view! { <input type="hidden" name="review" value=review.clone() /> }.into_any();
        let item = view! {
            <SelectField
                form=form.clone()
                name="item"
                label="Item"
                options
                value=item
                required=false
                hint="A blocking finding holds back the item it belongs to."
            />
        }
        .into_any();
        let cancel = paths::findings(&review);
        Ok(view! {
            <Frame title crumbs=review_crumbs(&open.standing) review=bar>
                <PageHead title="Write a finding" />
                <FindingForm to=action("findings/write") hidden form finding=None item cancel words="Write the finding" />
            </Frame>
        }
        .into_any())
    })
}

#[component]
pub(super) fn EditFindingPage() -> impl IntoView {
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let id = finding_of_address()?;
        let review = query("review");
        let finding = services().finding(&person, &id).await?.finding;
        if finding.created_by.is_none() {
            return Err(PageError::Rejected(
                "A scanner's finding is as the scanner says. Triage it, or write your own."
                    .to_owned(),
            ));
        }
        let form = visit.form("findings/edit");
        let back = paths::with_query(&paths::finding(id.as_str()), &[("review", &review)]);
        let name = format!("F-{}", finding.number);
        let crumbs = vec![
            Crumb::to("Reviews", paths::HOME),
            Crumb::to(name.clone(), back.clone()),
            Crumb::here("Edit"),
        ];
        let hidden = view! {
            <input type="hidden" name="finding" value=id.as_str().to_owned() />
            <input type="hidden" name="version" value=finding.version.to_string() />
            <input type="hidden" name="review" value=review />
        }
        .into_any();
        Ok(view! {
            <Frame title=format!("Edit {name}") crumbs>
                <PageHead title=format!("Edit {name}") />
                <FindingForm
                    to=action("findings/edit")
                    hidden
                    form
                    finding=Some(finding)
                    item=().into_any()
                    cancel=back
                    words="Save the finding"
                />
            </Frame>
        }
        .into_any())
    })
}

#[component]
fn FindingForm(
    to: String,
    hidden: AnyView,
    form: FormState,
    finding: Option<Finding>,
    item: AnyView,
    cancel: String,
    words: &'static str,
) -> impl IntoView {
    let severities = std::iter::once((String::new(), "Choose how severe it is".to_owned()))
        .chain(
            Severity::ALL
                .iter()
                .map(|severity| (severity.as_str().to_owned(), severity.label().to_owned())),
        )
        .collect();
    let categories = CATEGORIES
        .iter()
        .map(|(word, label)| ((*word).to_owned(), (*label).to_owned()))
        .collect();
    let text = |of: fn(&Finding) -> String| finding.as_ref().map(of).unwrap_or_default();
    let number = |line: Option<i64>| line.map(|line| line.to_string()).unwrap_or_default();
    let title = text(|finding| finding.title.clone());
    let severity = text(|finding| finding.severity.as_str().to_owned());
    let category = finding
        .as_ref()
        .map_or("code".to_owned(), |finding| finding.category.clone());
    let severity_reason = finding.is_some().then(|| {
        view! {
            <TextField
                form=form.clone()
                name="severity_reason"
                label="Why the severity is another one"
                max_length=4000
                required=false
                hint="Needed where you change it. What it was is kept. Below one that blocks, another person approves."
            />
        }
    });
    let problem = text(|finding| finding.description.clone());
    let remediation = text(|finding| finding.remediation.clone());
    let path = text(|finding| finding.path.clone().unwrap_or_default());
    let snippet = text(|finding| finding.snippet.clone().unwrap_or_default());
    let start_line = number(finding.as_ref().and_then(|finding| finding.start_line));
    let end_line = number(finding.as_ref().and_then(|finding| finding.end_line));
    view! {
        <form class="panel" method="post" action=to>
            {hidden}
            <div class="panel-body fields">
                <TextField
                    form=form.clone()
                    name="title"
                    label="Title"
                    value=title
                    max_length=200
                    autofocus=true
                    hint="What is wrong, in one line: \"Retry jitter is fixed at 0.5\""
                />
                <div class="fields-2">
                    <SelectField form=form.clone() name="severity" label="Severity" options=severities value=severity />
                    <SelectField form=form.clone() name="category" label="Category" options=categories value=category />
                </div>
                {severity_reason}
                {item}
                <TextArea
                    form=form.clone()
                    name="problem"
                    label="Why it matters"
                    value=problem
                    rows=5
                    max_length=20000
                    hint="Markdown."
                />
                <TextArea
                    form=form.clone()
                    name="remediation"
                    label="How to fix it"
                    value=remediation
                    rows=4
                    max_length=20000
                    required=false
                    hint="Markdown."
                />
                <TextField
                    form=form.clone()
                    name="path"
                    label="File"
                    value=path
                    max_length=1000
                    required=false
                    mono=true
                    hint="From the repository's root, with slashes."
                />
                <div class="fields-2">
                    <TextField form=form.clone() name="start_line" label="First line" value=start_line max_length=9 required=false />
                    <TextField form=form.clone() name="end_line" label="Last line" value=end_line max_length=9 required=false />
                </div>
                <TextArea
                    form
                    name="snippet"
                    label="The code there"
                    value=snippet
                    rows=5
                    max_length=20000
                    required=false
                    mono=true
                />
                <div class="btn-row">
                    <Button words weight=Weight::Primary />
                    <ButtonLink words="Cancel" href=cancel weight=Weight::Quiet />
                </div>
            </div>
        </form>
    }
    .into_any()
}
