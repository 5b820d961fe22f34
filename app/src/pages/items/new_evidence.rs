//! The form that adds evidence, or a newer version of a piece.

use holdpoint_domain::{EvidenceId, person::Action};
use holdpoint_service::{Evidence, ServiceError};
use leptos::prelude::*;

use super::item_of_address;
use crate::{
    flash::FormState,
    islands::DraftKeeper,
    pages::{
        page, query,
        review_bar::{review_bar, review_crumbs},
    },
    parts::{
        Button, Choice, Choices, Crumb, FileField, Frame, Ico, Icon, Notice, PageHead, Panel, Tab,
        TextArea, TextField,
        controls::{ButtonLink, Weight},
        figure::size,
        panel::Disclosure,
        status::Tone,
    },
    paths,
    visit::{Visit, services},
};

#[component]
pub(super) fn NewEvidencePage() -> impl IntoView {
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let id = item_of_address()?;
        let services = services();
        let page = services.item(&person, &id).await?;
        let (review, _) = services.item_standing(&person, &id).await?;
        let access = services.access(&person, &page.head.service.id).await?;
        let replace = query("replace");
        let replaced = if replace.is_empty() {
            None
        } else {
            let found = match EvidenceId::parse(&replace) {
                Some(replaced) => services.evidence_view(&person, &id, &replaced).await,
                None => Err(ServiceError::NotFound("This evidence")),
            };
            match found {
                Err(ServiceError::NotFound(_)) => None,
                found => Some(found?.evidence).filter(Evidence::is_current),
            }
        };
        let gone = !replace.is_empty() && replaced.is_none();
        let bar = review_bar(&person, &review, Tab::Checklist).await?;
        let key = page.item.key.clone();
        let title = match &replaced {
            Some(old) => format!("Replace {} on {key}", old.title),
            None => format!("Add evidence to {key}"),
        };
        let mut crumbs = review_crumbs(&review);
        crumbs.push(Crumb::to(key.clone(), paths::item(id.as_str())));
        crumbs.push(Crumb::here("Evidence"));
        let limit = services.limits().evidence_bytes;
        let no = (!access.may(Action::Contribute)).then(|| {
            "Only a contributor, reviewer or manager of this service can add evidence.".to_owned()
        });
        let over = view! { {page.item.title.clone()} }.into_any();
        Ok(view! {
            <Frame title=title.clone() crumbs review=bar>
                <PageHead title over=over />
                <div class="stack">
                    {gone
                        .then(|| {
                            view! {
                                <Notice tone=Tone::Amber>
                                    "The piece to replace was withdrawn or replaced already. What you send now is added beside the others."
                                </Notice>
                            }
                        })}
                    {no.clone().map(|no| view! { <Notice tone=Tone::Neutral id="no-evidence">{no}</Notice> })}
                    <Form
                        item=id.as_str().to_owned()
                        replaced
                        commit=page.head.review.commit.clone().unwrap_or_default()
                        limit
                        possible=no.is_none()
                        form=visit.form("evidence/add")
                    />
                </div>
            </Frame>
        }
        .into_any())
    })
}

#[component]
fn Form(
    item: String,
    replaced: Option<Evidence>,
    /// The review's target commit, to begin with.
    commit: String,
    limit: i64,
    possible: bool,
    form: FormState,
) -> impl IntoView {
    let old = |field: fn(&Evidence) -> Option<String>| {
        replaced.as_ref().and_then(field).unwrap_or_default()
    };
    let kind = replaced
        .as_ref()
        .map_or("file".to_owned(), |old| old.kind.clone());
    let replaces = old(|evidence| Some(evidence.id.as_str().to_owned()));
    let title = old(|evidence| {
        Some(evidence.title.clone()).filter(|title| Some(title) != evidence.file_name.as_ref())
    });
    let command = old(|evidence| evidence.command.clone());
    let host = old(|evidence| evidence.host.clone());
    let path = old(|evidence| evidence.path.clone());
    let line = |line: Option<i64>| line.map(|line| line.to_string());
    let start_line = replaced
        .as_ref()
        .and_then(|old| line(old.start_line))
        .unwrap_or_default();
    let end_line = replaced
        .as_ref()
        .and_then(|old| line(old.end_line))
        .unwrap_or_default();
    let address = replaced
        .as_ref()
        .filter(|old| old.kind == "link")
        .map(|old| old.body.clone())
        .unwrap_or_default();
    let is_detailed = !path.is_empty()
        || ["path", "start_line", "end_line", "observed_at", "title"]
            .iter()
            .any(|field| {
                form.error(field).is_some()
                    || form.typed(field).is_some_and(|typed| !typed.is_empty())
            });
    let choices = choices(&form, limit, &command, &host, &address);
    let back = paths::item(&item);
    let button = if possible {
        view! { <Button words="Add evidence" weight=Weight::Primary /> }.into_any()
    } else {
        view! { <Button words="Add evidence" weight=Weight::Primary impossible="no-evidence" /> }
            .into_any()
    };
    let to = paths::evidence_upload(&item);
    let draft = format!("evidence/{item}");
    view! {
        <Panel id="evidence" title="Evidence">
            <DraftKeeper draft>
            <form method="post" action=to enctype="multipart/form-data">
                <div class="fields">
                    <input type="hidden" name="replaces" value=replaces />
                    <Choices form=form.clone() name="kind" legend="Kind" choices value=kind />
                    <TextField
                        form=form.clone()
                        name="commit"
                        label="Pinned to commit"
                        value=commit
                        required=false
                        mono=true
                        max_length=64
                        hint="The commit at which it was taken. It becomes stale when the review's commit is another."
                    />
                    <Disclosure summary="Title, place and time" open=is_detailed>
                        <div class="fields-2 space-top">
                            <TextField
                                form=form.clone()
                                name="title"
                                label="Title"
                                value=title
                                required=false
                                max_length=200
                                hint="Else the file's name, the address, the command or the first line."
                            />
                            <TextField
                                form=form.clone()
                                name="observed_at"
                                label="Observed on"
                                kind="date"
                                required=false
                                hint="When it was true, if not now."
                            />
                            <TextField form=form.clone() name="path" label="Path in the repository" value=path required=false mono=true max_length=200 />
                            <div class="fields-2">
                                <TextField form=form.clone() name="start_line" label="First line" value=start_line required=false />
                                <TextField form name="end_line" label="Last line" value=end_line required=false />
                            </div>
                        </div>
                    </Disclosure>
                    <div class="btn-row">
                        {button}
                        <ButtonLink words="Back to the item" href=back weight=Weight::Quiet />
                    </div>
                </div>
            </form>
            </DraftKeeper>
        </Panel>
    }
    .into_any()
}

fn choices(form: &FormState, limit: i64, command: &str, host: &str, address: &str) -> Vec<Choice> {
    let title =
        |icon: Icon, words: &'static str| view! { <span class="st"><Ico icon />{words}</span> };
    let file = view! {
        <FileField
            form=form.clone()
            name="file"
            label="File"
            with_choice=true
            hint=format!("At most {}. Its bytes are stored under their SHA-256.", size(limit))
        />
    };
    let link = view! {
        <TextField form=form.clone() name="address" label="Address" kind="url" value=address.to_owned() with_choice=true hint="http:// or https://. Only the address is kept, not the page behind it." />
    };
    let note = view! { <TextArea form=form.clone() name="text" label="Note" rows=8 with_choice=true hint="Markdown." /> };
    let output = view! {
        <TextField form=form.clone() name="command" label="Command" value=command.to_owned() mono=true max_length=200 with_choice=true />
        <div class="fields-2">
            <TextField form=form.clone() name="exit_code" label="Exit code" with_choice=true />
            <TextField form=form.clone() name="host" label="Host" value=host.to_owned() required=false max_length=200 />
        </div>
        <TextArea form=form.clone() name="output" label="Output" rows=8 mono=true with_choice=true />
    };
    vec![
        Choice::new("file", title(Icon::File, "File"))
            .text("Any type, stored with its SHA-256")
            .more(file),
        Choice::new("link", title(Icon::Link, "Link"))
            .text("A page somewhere else")
            .more(link),
        Choice::new("note", title(Icon::Note, "Note"))
            .text("Markdown")
            .more(note),
        Choice::new("output", title(Icon::Terminal, "Command output"))
            .text("Pasted, with the command and its exit code")
            .more(output),
    ]
}
