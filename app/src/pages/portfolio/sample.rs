//! The people of the sample, shown once with their passwords.

use holdpoint_domain::ReviewId;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    one_time,
    pages::{PageError, page},
    parts::{
        ButtonLink, Column, Crumb, Frame, Notice, PageHead, Panel, Table, Tone, Who,
        controls::Weight,
    },
    paths,
    visit::Visit,
};

/// A person of the sample, as the page shows them.
#[derive(Clone, Serialize, Deserialize)]
pub struct ShownPerson {
    pub name: String,
    pub email: String,
    /// In words: "Reviewer".
    pub part: String,
    pub password: String,
}

#[derive(Serialize, Deserialize)]
struct Shown {
    review: String,
    people: Vec<ShownPerson>,
}

/// What waits for the page, as one text.
pub fn shown_as(people: &[ShownPerson], review: &ReviewId) -> String {
    let shown = Shown {
        review: review.as_str().to_owned(),
        people: people.to_vec(),
    };
    serde_json::to_string(&shown).unwrap_or_default()
}

#[component]
pub(super) fn SamplePage() -> impl IntoView {
    page(async move {
        let (_, _) = Visit::signed_in()?;
        let shown = one_time::take(paths::SAMPLE).await;
        let shown = shown.and_then(|shown| serde_json::from_str::<Shown>(&shown.secret).ok());
        let crumbs = vec![
            Crumb::to("Reviews", paths::HOME),
            Crumb::here("Sample review"),
        ];
        let content = match shown {
            None => view! {
                <PageHead title="Sample review" />
                <div class="stack">
                <Notice tone=Tone::Amber>
                    "The passwords were shown once and are not kept. An administrator can give each of these accounts a link for a new one, under "
                    <a href=paths::PEOPLE>"People"</a> "."
                </Notice>
                <p class="btn-row"><ButtonLink words="All reviews" href=paths::HOME /></p>
                </div>
            }
            .into_any(),
            Some(shown) => loaded(shown).into_any(),
        };
        Ok::<_, PageError>(view! {
            <Frame title="Sample review" crumbs>
                {content}
            </Frame>
        })
    })
}

fn loaded(Shown { review, people }: Shown) -> impl IntoView {
    let rows = people
        .into_iter()
        .map(|person| {
            let named = format!("Password of {}", person.name);
            let address = format!("Address of {}", person.name);
            view! {
                <tr role="row">
                    <td role="cell" class="full"><Who name=person.name.clone() /></td>
                    <td role="cell" data-l="Part">{person.part}</td>
                    <td role="cell" class="full"><input class="mono copyable" readonly value=person.email aria-label=address /></td>
                    <td role="cell" class="full"><input class="mono copyable" readonly value=person.password aria-label=named /></td>
                </tr>
            }
        })
        .collect_view();
    let columns = ["Person", "Part", "E-mail address", "Password"]
        .map(Column::new)
        .to_vec();
    let actions = view! { <ButtonLink words="Open the sample review" href=paths::review(&review) weight=Weight::Primary /> };
    view! {
        <PageHead title="Sample review" actions=actions.into_any() />
        <div class="stack">
        <Notice tone=Tone::Amber>
            "These passwords are shown this once. Copy them before you leave this page."
        </Notice>
        <Panel id="h-people" title="Sign in as each of them" bare=true>
            <Table caption="People of the sample with their passwords" columns>{rows}</Table>
        </Panel>
        <p class="muted">
            "Open a private window for each person, so that all of them are signed in at once: the owner adds evidence and "
            "asks for review, the reviewer signs, the manager decides on the release."
        </p>
        </div>
    }
}
