//! Forms of scans: importing what a preview showed, throwing it away, stopping an import and taking it back.

use leptos::{prelude::*, server_fn::codec::GetUrl};

use super::ActionError;

#[cfg(feature = "ssr")]
use {
    super::{ActionContext, Notice},
    crate::{
        pages::{findings::thousands, scans::rows},
        paths,
        pending::PendingScans,
    },
    holdpoint_domain::{Digest, ReviewId, ScanId},
    holdpoint_service::{
        Conflict, ImportState, RunningImports, ServiceError, scans::ImportOutcome,
    },
    std::time::Duration,
};

/// How long a page waits for an import before it shows how far it is.
#[cfg(feature = "ssr")]
const PATIENCE: Duration = Duration::from_secs(2);

/// Imports files of an upload. Each of `files` is a file's digest and the ground that its preview stood on, with a colon
/// between.
#[server(prefix = "/act", endpoint = "scans/import")]
pub async fn import_scans(
    #[server(default)] review: String,
    #[server(default)] preview: String,
    #[server(default)] files: Vec<String>,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let id = ReviewId::parse(&review).ok_or(ServiceError::NotFound("This review"))?;
        let service = cx.services.review(&cx.person, &id).await?.service.id;
        let gone = || {
            ServiceError::rejected(
                "",
                "This preview is gone, and nothing was imported. Upload the files again.",
            )
        };
        let pending = PendingScans::find(&cx.session, &cx.services, &cx.person, &review, &preview)
            .await?
            .ok_or_else(gone)?;
        if files.is_empty() {
            return Err(ServiceError::rejected("files", "Tick the files to import."));
        }
        let mut chosen = Vec::new();
        for file in &files {
            let (sha256, ground) = file.split_once(':').ok_or_else(gone)?;
            // Only a file of this very upload: the digest alone says nothing.
            let file = pending
                .files
                .iter()
                .find(|file| file.sha256 == sha256)
                .ok_or_else(gone)?;
            let request = pending.request(file).ok_or_else(gone)?;
            chosen.push((request, Digest::parse(ground).ok_or_else(gone)?));
        }
        let imports = cx
            .services
            .start_imports(&cx.person, &service, &preview, chosen, PATIENCE)
            .await?;
        if !imports.is_over {
            return Ok(Notice::silent(paths::scans_running(&review, &imports.id)));
        }
        let left = PendingScans::find(&cx.session, &cx.services, &cx.person, &review, &preview);
        came_of(&review, left.await?.as_ref(), imports)
    }
    .await;
    let left = PendingScans::find(&cx.session, &cx.services, &cx.person, &review, &preview).await;
    let back = back_from(&review, left.ok().flatten().as_ref());
    cx.answer(outcome, back, &[]).await
}

/// Where a refused import is told: on the page of what is left of its upload. With nothing left to preview, only the page
/// of scans can say what happened.
#[cfg(feature = "ssr")]
pub fn back_from(review: &str, left: Option<&PendingScans>) -> String {
    match left {
        Some(left) => paths::scan_preview(review, &left.id),
        None => paths::scans(review),
    }
}

/// What came of imports that are over, and where to read on. `left` is what still waits of the upload they are of.
#[cfg(feature = "ssr")]
pub fn came_of(
    review: &str,
    left: Option<&PendingScans>,
    imports: RunningImports,
) -> Result<Notice, ServiceError> {
    let mut done: Vec<(String, ImportOutcome)> = Vec::new();
    for file in imports.files {
        match file.state {
            ImportState::Done(imported) => done.push((file.file_name, *imported)),
            ImportState::Refused {
                why,
                is_conflict: true,
            } if done.is_empty() => {
                return Err(ServiceError::Conflict(Box::new(Conflict {
                    message: why,
                    ..Conflict::default()
                })));
            }
            ImportState::Refused { why, .. } if done.is_empty() => {
                return Err(ServiceError::rejected("", why));
            }
            ImportState::Refused { why, .. } => {
                let names: Vec<_> = done.iter().map(|(name, _)| name.as_str()).collect();
                let message = format!(
                    "{} is imported, {} is not: {why}",
                    names.join(", "),
                    file.file_name
                );
                return Err(ServiceError::rejected("", message));
            }
            ImportState::Waiting | ImportState::Running => {}
        }
    }
    let sentences: Vec<_> = done
        .iter()
        .map(|(name, outcome)| {
            if outcome.repeated {
                return format!("{name} had been imported before, so nothing changed.");
            }
            let changes = &outcome.changes;
            format!(
                "Imported {name}: {} new, {} unchanged, {} moved, {} reopened, {} fixed.",
                thousands(changes.new),
                thousands(changes.unchanged),
                thousands(changes.moved),
                thousands(changes.reopened),
                thousands(changes.fixed)
            )
        })
        .collect();
    let next = match done.as_slice() {
        _ if left.is_some() => back_from(review, left),
        [
            (
                _,
                ImportOutcome {
                    scan: Some(scan), ..
                },
            ),
        ] => paths::with_query(&paths::scan(scan.as_str()), &[("review", review)]),
        _ => paths::scans(review),
    };
    Ok(Notice::new(sentences.join(" ")).at(next))
}

/// Forgets an upload.
#[server(prefix = "/act", endpoint = "scans/discard")]
pub async fn discard_scans(
    #[server(default)] review: String,
    #[server(default)] preview: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let found = PendingScans::find(&cx.session, &cx.services, &cx.person, &review, &preview);
        if found.await?.is_some() {
            PendingScans::forget(&cx.session, &preview).await?;
        }
        Ok::<_, ServiceError>("The preview is thrown away. Nothing was imported.")
    }
    .await;
    cx.answer(outcome, paths::scans(&review), &[]).await
}

/// How far imports are that this person has begun: the rows of their page, as HTML. Nothing once they are over, which the
/// page itself tells.
#[server(prefix = "/act", endpoint = "scans/progress", input = GetUrl)]
pub async fn import_progress(
    #[server(default)] review: String,
    #[server(default)] imports: String,
) -> Result<Option<String>, ActionError> {
    let cx = ActionContext::from_request().await?;
    match cx.services.running_imports(&cx.person, &imports).await {
        Ok(imports) if !imports.is_over => Ok(Some(rows(imports.files, &review).to_html())),
        Err(ServiceError::Unavailable(cause)) => {
            tracing::error!(
                request_id = cx.request_id,
                error = &*cause as &dyn std::error::Error,
                "the progress of an import could not be read"
            );
            Err(ActionError::Unavailable)
        }
        Ok(_) | Err(_) => Ok(None),
    }
}

/// Stops imports that this person has begun. Of the file that is being imported nothing stays.
#[server(prefix = "/act", endpoint = "scans/cancel")]
pub async fn cancel_imports(
    #[server(default)] review: String,
    #[server(default)] imports: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let page = paths::scans_running(&review, &imports);
    let outcome = cx
        .services
        .cancel_imports(&cx.person, &imports)
        .map(|()| Notice::silent(page.clone()));
    cx.answer(outcome, page, &[]).await
}

/// Takes an import back, with all its effects.
#[server(prefix = "/act", endpoint = "scans/undo")]
pub async fn undo_scan(
    #[server(default)] review: String,
    #[server(default)] scan: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let id = ScanId::parse(&scan).ok_or(ServiceError::NotFound("This scan"))?;
        let undone = cx.services.undo_scan(&cx.person, &id).await?;
        let n = |n: u64, verb: &str| match n {
            1 => format!("1 finding {verb}"),
            n => format!("{n} findings {verb}"),
        };
        Ok::<_, ServiceError>(format!(
            "The import of {} is undone: {}, {}.",
            undone.scan.label,
            n(undone.removed, "removed"),
            n(undone.put_back, "put back")
        ))
    }
    .await;
    let page = paths::with_query(&paths::scan(&scan), &[("review", &review)]);
    cx.answer(outcome, page, &[]).await
}
