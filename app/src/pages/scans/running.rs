//! How far imports are that a person has begun. Once they are over, their page leads to what came of them.

use holdpoint_service::{ImportProgress, ImportStage, ImportState, RunningImport, ServiceError};
use http::request::Parts;
use leptos::prelude::*;
use tower_sessions::Session;

use crate::{
    actions::{
        Settled,
        scans::{back_from, came_of},
        settle,
    },
    islands::ImportWatcher,
    pages::{
        PageError,
        findings::{framed, review_of_address, thousands},
        page, parameter,
        review_bar::{review_bar, review_crumbs},
    },
    parts::{
        Button, Icon, PageHead, St, Tab,
        controls::Weight,
        status::{Look, Tone},
    },
    paths::{self, action},
    pending::PendingScans,
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
        let (visit, person) = Visit::signed_in()?;
        let review = review_of_address()?;
        let session = use_context::<Parts>()
            .and_then(|parts| parts.extensions.get::<Session>().cloned())
            .ok_or_else(|| PageError::Unavailable("the session layer is missing".into()))?;
        let asked = parameter("running");
        let services = services();
        let standing = services.review_glance(&person, &review).await?;
        let review = review.as_str().to_owned();
        let imports = services.running_imports(&person, &asked).await?;
        if imports.is_over {
            let upload = &imports.upload;
            let left = PendingScans::find(&session, &services, &person, &review, upload).await?;
            let back = back_from(&review, left.as_ref());
            let outcome = came_of(&review, left.as_ref(), imports);
            let settled = settle(outcome, "scans/import", &back, &[], &visit.request_id);
            let (address, flash) = match settled {
                Settled::Lead(address, flash) => (address, flash),
                Settled::Failed(failure, _) => return Err(PageError::Failed(failure)),
            };
            if let Some(flash) = flash {
                let kept = flash.keep(&session).await;
                kept.map_err(ServiceError::unavailable)?;
            }
            return Err(PageError::Elsewhere(address));
        }
        let bar = review_bar(&person, &standing, Tab::Scans).await?;
        let title = "Importing".to_owned();
        let back = view! { <a class="muted" href=paths::scans(&review)>"Scans"</a> }.into_any();
        let of = [("review", review.as_str()), ("imports", &imports.id)];
        let progress = paths::with_query(&action("scans/progress"), &of);
        let address = paths::scans_running(&review, &imports.id);
        let stage = imports.files.iter().find_map(stage_of);
        let is_stopping = |file: &RunningImport| file.progress.stage == ImportStage::Stopping;
        let cancel = (!imports.files.iter().any(is_stopping)).then(|| {
            view! {
                <form method="post" action=action("scans/cancel")>
                    <input type="hidden" name="review" value=review.clone() />
                    <input type="hidden" name="imports" value=imports.id.clone() />
                    <Button words="Cancel the import" weight=Weight::Danger />
                </form>
            }
        });
        let actions = cancel.into_any();
        let rows = rows(imports.files, &review);
        let content = view! {
            <PageHead title=title.clone() over=back actions />
            <section class="panel" aria-labelledby="h-run">
                <div class="panel-head"><h2 id="h-run">"Files"</h2></div>
                <ImportWatcher rows=progress>
                    {rows}
                    <p class="vh" role="status">{stage}</p>
                    <p class="panel-foot">
                        "You may leave this page: the import goes on. Nothing of a file is stored before all of it is. "
                        <a href=address data-again="">"Look again"</a>
                    </p>
                </ImportWatcher>
            </section>
        }
        .into_any();
        Ok(framed(title, review_crumbs(&standing), Some(bar), content))
    })
}

/// How far each file is.
pub(crate) fn rows(files: Vec<RunningImport>, review: &str) -> AnyView {
    let rows = files.into_iter().map(|file| row(file, review));
    view! { <ul class="rows">{rows.collect_view()}</ul> }.into_any()
}

/// What is read out when it begins: which stage of which file.
fn stage_of(file: &RunningImport) -> Option<String> {
    let running = matches!(file.state, ImportState::Running);
    running.then(|| format!("{} {}", file.progress.stage.label(), file.file_name))
}

fn row(file: RunningImport, review: &str) -> AnyView {
    let stage = stage_of(&file);
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
            let says = if outcome.repeated {
                "It had been imported before, so nothing changed.".to_owned()
            } else {
                format!(
                    "{} new, {} unchanged, {} moved, {} reopened, {} fixed",
                    thousands(changes.new),
                    thousands(changes.unchanged),
                    thousands(changes.moved),
                    thousands(changes.reopened),
                    thousands(changes.fixed)
                )
            };
            let scan = outcome.scan.as_ref().map(|scan| {
                let href = paths::with_query(&paths::scan(scan.as_str()), &[("review", review)]);
                view! { <a href=href>"The scan"</a> }
            });
            view! { <St of=IMPORTED /> <p class="small">{says} " " {scan}</p> }.into_any()
        }
    };
    view! {
        <li data-stage=stage><div class="grow stack-2"><strong class="wrap-any">{name}</strong> {state}</div></li>
    }
    .into_any()
}

fn running(progress: &ImportProgress) -> AnyView {
    let percent = progress.percent();
    let findings = thousands(progress.findings);
    let stage = progress.stage.label();
    let says = match progress.stage {
        ImportStage::Reading | ImportStage::Storing => {
            format!("{stage}: {percent} %, {findings} findings")
        }
        ImportStage::Waiting | ImportStage::Comparing | ImportStage::Stopping => {
            format!("{stage}, {findings} findings")
        }
    };
    view! {
        <progress max="100" value=percent.to_string() aria-label=stage></progress>
        <p class="small muted">{says}</p>
    }
    .into_any()
}
