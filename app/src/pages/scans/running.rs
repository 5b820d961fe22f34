//! How far imports are that a person has begun, and what came of them. The page asks for itself again until they are over.

use holdpoint_service::{ImportProgress, ImportStage, ImportState, RunningImport};
use leptos::prelude::*;
use leptos_meta::Meta;

use crate::{
    pages::{
        findings::{framed, review_of_address, thousands},
        page, parameter,
        review_bar::{review_bar, review_crumbs},
    },
    parts::{
        Button, ButtonLink, Icon, PageHead, St, Tab,
        controls::Weight,
        status::{Look, Tone},
    },
    paths::{self, action},
    visit::{Visit, services},
};

const WAITING: Look = Look {
    icon: Icon::None,
    tone: Tone::Neutral,
    word: "Waiting",
};
const IMPORTED: Look = Look {
    icon: Icon::Pass,
    tone: Tone::Green,
    word: "Imported",
};
const NOT_IMPORTED: Look = Look {
    icon: Icon::Fail,
    tone: Tone::Red,
    word: "Not imported",
};

#[component]
pub(super) fn RunningPage() -> impl IntoView {
    page(async move {
        let (_, person) = Visit::signed_in()?;
        let review = review_of_address()?;
        let services = services();
        let standing = services.review_standing(&person, &review).await?;
        let imports = services.running_imports(&person, &parameter("running"))?;
        let bar = review_bar(&person, &standing, Tab::Scans).await?;
        let review = review.as_str().to_owned();
        let title = if imports.is_over {
            "Import"
        } else {
            "Importing"
        };
        let back = view! { <a class="muted" href=paths::scans(&review)>"Scans"</a> }.into_any();
        let rows = imports
            .files
            .into_iter()
            .map(|file| row(file, &review))
            .collect_view();
        let actions = if imports.is_over {
            view! { <ButtonLink words="To the scans" href=paths::scans(&review) /> }.into_any()
        } else {
            view! {
                <form method="post" action=action("scans/cancel")>
                    <input type="hidden" name="review" value=review.clone() />
                    <input type="hidden" name="imports" value=imports.id.clone() />
                    <Button words="Cancel the import" weight=Weight::Danger />
                </form>
            }
            .into_any()
        };
        let again = (!imports.is_over).then(|| view! { <Meta http_equiv="refresh" content="3" /> });
        let note = if imports.is_over {
            "Undo is on each scan's page, while nobody has acted on its findings."
        } else {
            "You may leave this page: the import goes on. Nothing of a file is stored before all of it is."
        };
        let content = view! {
            {again}
            <PageHead title=title.to_owned() over=back actions />
            <section class="panel" aria-labelledby="h-run">
                <div class="panel-head"><h2 id="h-run">"Files"</h2></div>
                <div role="status"><ul class="rows">{rows}</ul></div>
                <p class="panel-foot">{note}</p>
            </section>
        }
        .into_any();
        Ok(framed(
            title.to_owned(),
            review_crumbs(&standing),
            Some(bar),
            content,
        ))
    })
}

fn row(file: RunningImport, review: &str) -> AnyView {
    let name = file.file_name;
    let state = match file.state {
        ImportState::Waiting => view! { <St of=WAITING /> }.into_any(),
        ImportState::Running => running(&file.progress),
        ImportState::Refused { why, .. } => view! {
            <St of=NOT_IMPORTED />
            <p class="small wrap-any">{why}</p>
        }
        .into_any(),
        ImportState::Done(outcome) => {
            let changes = &outcome.changes;
            let says = format!(
                "{} new, {} unchanged, {} moved, {} reopened, {} fixed",
                thousands(changes.new),
                thousands(changes.unchanged),
                thousands(changes.moved),
                thousands(changes.reopened),
                thousands(changes.fixed)
            );
            let says = if outcome.repeated {
                "It had been imported before, so nothing changed.".to_owned()
            } else {
                says
            };
            let scan = outcome.scan.as_ref().map(|scan| {
                let href = paths::with_query(&paths::scan(scan.as_str()), &[("review", review)]);
                view! { <a href=href>"The scan"</a> }
            });
            view! { <St of=IMPORTED /> <p class="small">{says} " " {scan}</p> }.into_any()
        }
    };
    view! { <li><div class="grow stack-2"><strong class="wrap-any">{name}</strong> {state}</div></li> }
        .into_any()
}

fn running(progress: &ImportProgress) -> AnyView {
    let percent = progress.percent();
    let findings = i64::try_from(progress.findings).unwrap_or(i64::MAX);
    let says = match progress.stage {
        ImportStage::Reading | ImportStage::Storing => format!(
            "{}: {percent} %, {} findings",
            progress.stage.label(),
            thousands(findings)
        ),
        stage => format!("{}, {} findings", stage.label(), thousands(findings)),
    };
    view! {
        <progress max="100" value=percent.to_string() aria-label=progress.stage.label()></progress>
        <p class="small muted">{says}</p>
    }
    .into_any()
}
