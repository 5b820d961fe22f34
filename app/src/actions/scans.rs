//! Forms of scans: importing what a preview showed, throwing it away, stopping an import and taking it back.

use leptos::prelude::*;

use super::ActionError;

#[cfg(feature = "ssr")]
use {
    super::{ActionContext, Notice},
    crate::{paths, pending::PendingScans},
    holdpoint_domain::{Digest, ReviewId, ScanId},
    holdpoint_service::{Conflict, ImportState, ServiceError, scans::ImportOutcome},
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
        let pending = PendingScans::find(&cx.session, &cx.person.id, &review, &preview, cx.now)
            .await
            .map_err(ServiceError::unavailable)?
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
            .start_imports(&cx.person, &service, chosen, PATIENCE)
            .await?;
        if !imports.is_over {
            return Ok(Notice::silent(paths::scans_running(&review, &imports.id)));
        }
        let mut done: Vec<(String, ImportOutcome)> = Vec::new();
        for file in imports.files {
            match file.state {
                ImportState::Done(imported) => {
                    PendingScans::forget(&cx.session, &preview, |kept| {
                        kept.sha256 == file.file.as_str()
                    })
                    .await
                    .map_err(ServiceError::unavailable)?;
                    done.push((file.file_name, *imported));
                }
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
        Ok(said(
            &review,
            &preview,
            pending.files.len() > done.len(),
            &done,
        ))
    }
    .await;
    // With nothing left to preview, only the page of scans can say what happened.
    let is_kept = PendingScans::find(&cx.session, &cx.person.id, &review, &preview, cx.now)
        .await
        .is_ok_and(|kept| kept.is_some());
    let back = if is_kept {
        paths::scan_preview(&review, &preview)
    } else {
        paths::scans(&review)
    };
    cx.answer(outcome, back, &[]).await
}

/// What an import did, and where to read on.
#[cfg(feature = "ssr")]
fn said(review: &str, preview: &str, is_more: bool, done: &[(String, ImportOutcome)]) -> Notice {
    let sentences: Vec<_> = done
        .iter()
        .map(|(name, outcome)| {
            if outcome.repeated {
                return format!("{name} had been imported before, so nothing changed.");
            }
            let changes = &outcome.changes;
            format!(
                "Imported {name}: {} new, {} unchanged, {} moved, {} reopened, {} fixed.",
                changes.new, changes.unchanged, changes.moved, changes.reopened, changes.fixed
            )
        })
        .collect();
    let next = match done {
        _ if is_more => paths::scan_preview(review, preview),
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
    Notice::new(sentences.join(" ")).at(next)
}

/// Forgets an upload.
#[server(prefix = "/act", endpoint = "scans/discard")]
pub async fn discard_scans(
    #[server(default)] review: String,
    #[server(default)] preview: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let found = PendingScans::find(&cx.session, &cx.person.id, &review, &preview, cx.now).await;
        if found.map_err(ServiceError::unavailable)?.is_some() {
            PendingScans::forget(&cx.session, &preview, |_| true)
                .await
                .map_err(ServiceError::unavailable)?;
        }
        Ok::<_, ServiceError>("The preview is thrown away. Nothing was imported.")
    }
    .await;
    cx.answer(outcome, paths::scans(&review), &[]).await
}

/// Stops imports that this person has begun. Of the file that is being imported nothing stays.
#[server(prefix = "/act", endpoint = "scans/cancel")]
pub async fn cancel_imports(
    #[server(default)] review: String,
    #[server(default)] imports: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = cx
        .services
        .cancel_imports(&cx.person, &imports)
        .map(|()| "The import stops before its next step; nothing of that file is stored.");
    cx.answer(outcome, paths::scans_running(&review, &imports), &[])
        .await
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
