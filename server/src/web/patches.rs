//! Patches come in by one form, pasted or as a file, and go out one by one or as a series.

use axum::{
    Router,
    extract::{DefaultBodyLimit, Multipart, State, multipart::MultipartError},
    response::{Redirect, Response},
    routing::{get, post},
};
use holdpoint_app::{actions::Notice, paths};
use holdpoint_domain::{PatchId, ReviewId, person::Action};
use holdpoint_service::{
    Limits, ServiceError, Services,
    patches::{PatchFields, PatchRequest},
};
use http::StatusCode;

use super::{
    AppState, WebError, answer::FormAnswer, download::Download, id::Id, signed_in::SignedIn,
};

/// The form's name, under which its page asks for what was typed.
const FORM: &str = "patches/submit";
/// Everything of the form but the patch itself.
const AROUND_BYTES: usize = 1024 * 1024;

pub(super) fn routes(limits: Limits) -> Router<AppState> {
    // What is over the limit is read and thrown away, since a browser shows no answer before it has sent all; beyond
    // twice the limit, and as much again for what is pasted, it is cut off.
    let most = usize::try_from(limits.patch_bytes)
        .unwrap_or(usize::MAX)
        .saturating_mul(3)
        .saturating_add(AROUND_BYTES);
    Router::new()
        .route(
            "/reviews/{id}/patches/upload",
            post(submit).layer(DefaultBodyLimit::max(most)),
        )
        .route("/reviews/{id}/patches.mbox", get(series))
        .route("/patches/{id}/file", get(file))
}

/// Submits a patch to a review.
async fn submit(
    State(services): State<Services>,
    person: SignedIn,
    Id(review): Id<ReviewId>,
    answer: FormAnswer,
    form: Multipart,
) -> Result<Redirect, WebError> {
    // Whoever may not submit does not make the server hold a patch.
    let service = services.review(&person, &review).await?.service.id;
    let may = services
        .access(&person, &service)
        .await?
        .may(Action::Contribute);
    let (fields, file) = receive(services.limits().patch_bytes, form, may).await?;
    let has_file = file.as_ref().is_some_and(|file| !file.is_empty());
    let (findings, items) = (fields.findings.join(","), fields.items.join(","));
    let outcome = async {
        let request = PatchRequest::parse(&fields, file)?;
        services.submit_patch(&person, &review, request).await
    }
    .await;
    let outcome = outcome
        .map(|id| Notice::new("The patch is submitted.").at(paths::patch(id.as_str())))
        .map_err(|error| match error {
            // What is wrong with a file is said at the file.
            ServiceError::Rejected {
                field: "patch",
                message,
            } if has_file => ServiceError::rejected("file", message),
            error => error,
        });
    let typed = [
        ("title", fields.title.as_str()),
        ("findings", &findings),
        ("items", &items),
        ("finding_numbers", &fields.finding_numbers),
        ("item_keys", &fields.item_keys),
        // The longest comes last: what a session cannot hold is left out.
        ("patch", &fields.patch),
    ];
    let back = paths::new_patch(review.as_str());
    answer.answer(outcome, FORM, &back, &typed).await
}

/// Reads the form piece by piece, up to the limit and one byte, so that the rule says what is too large.
async fn receive(
    limit: i64,
    mut form: Multipart,
    may: bool,
) -> Result<(PatchFields, Option<Vec<u8>>), WebError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut fields = PatchFields::default();
    let mut file = None;
    let broken = |error: &MultipartError| {
        if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
            WebError::TooLarge(format!(
                "A patch may have at most {limit} bytes. Nothing of it was stored."
            ))
        } else {
            WebError::BadRequest(
                "The form broke off before its end, and nothing was stored. Send it again.",
            )
        }
    };
    while let Some(mut field) = form.next_field().await.map_err(|error| broken(&error))? {
        let name = field.name().unwrap_or_default().to_owned();
        let most = match name.as_str() {
            _ if !may => 0,
            // A pasted patch has a carriage return more in each line than what is taken of it.
            "file" | "patch" => limit.saturating_mul(2),
            _ => 64 * 1024,
        };
        let mut bytes = Vec::new();
        while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
            let room = most.saturating_add(1).saturating_sub(bytes.len());
            bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
        }
        if name == "file" {
            file = Some(bytes).filter(|bytes| !bytes.is_empty());
            continue;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        match name.as_str() {
            "title" => fields.title = text,
            "patch" => fields.patch = text,
            "findings" => fields.findings.push(text),
            "items" => fields.items.push(text),
            "finding_numbers" => fields.finding_numbers = text,
            "item_keys" => fields.item_keys = text,
            _ => {}
        }
    }
    Ok((fields, file))
}

/// A patch as it was submitted, its bytes compared with their digest.
async fn file(
    State(services): State<Services>,
    person: SignedIn,
    Id(id): Id<PatchId>,
) -> Result<Response, WebError> {
    let (patch, bytes) = services.patch_file(&person, &id).await?;
    let name = format!("P-{}.patch", patch.number);
    Ok(Download::new("text/x-diff", &name).of(bytes))
}

/// A review's approved patches as one series that `git am` applies.
async fn series(
    State(services): State<Services>,
    person: SignedIn,
    Id(id): Id<ReviewId>,
) -> Result<Response, WebError> {
    let series = services.series_mbox(&person, &id).await?;
    Ok(Download::new("application/mbox", &series.name).of(series.bytes))
}
