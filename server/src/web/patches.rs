//! Patches come in by one form, pasted or as a file, and go out one by one or as a series.

use axum::{
    Router,
    extract::{Multipart, State},
    response::{Redirect, Response},
    routing::{get, post},
};
use holdpoint_app::{actions::Notice, paths};
use holdpoint_domain::{PatchId, ReviewId, person::Action};
use holdpoint_service::{
    Limits, ServiceError, Services, UploadBy,
    patches::{PatchFields, PatchRequest},
};

use super::{
    AppState, WebError,
    answer::FormAnswer,
    download::Download,
    id::Id,
    signed_in::SignedIn,
    upload::{self, UploadForm},
};

/// The form's name, under which its page asks for what was typed.
const FORM: &str = "patches/submit";
/// Everything of the form but the patch itself.
const AROUND_BYTES: usize = 1024 * 1024;

pub(super) fn routes(limits: Limits) -> Router<AppState> {
    // As much again for what is pasted.
    let most = upload::most(limits.patch_bytes, 3, AROUND_BYTES);
    Router::new()
        .route("/reviews/{id}/patches/upload", post(submit).layer(most))
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
        let by = UploadBy {
            actor: &person,
            service: may.then_some(&service),
        };
        services.count_small_upload(by, request.bytes.len())?;
        let id = services.submit_patch(&person, &review, request).await?;
        let view = services.patch(&person, &id).await?;
        Ok::<_, ServiceError>((id, view.obstacle().map(str::to_owned)))
    }
    .await;
    let outcome = outcome
        .map(|(id, obstacle)| {
            let words = match obstacle {
                Some(why) => {
                    format!("The patch is submitted, but `git am` does not apply it. {why}")
                }
                None => "The patch is submitted.".to_owned(),
            };
            Notice::new(words).at(paths::patch(id.as_str()))
        })
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
    form: Multipart,
    may: bool,
) -> Result<(PatchFields, Option<Vec<u8>>), WebError> {
    let too_large = format!("A patch may have at most {limit} bytes. Nothing of it was stored.");
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut form = UploadForm::new(form, too_large);
    let mut fields = PatchFields::default();
    let mut file = None;
    while let Some(field) = form.next().await? {
        let name = field.name().to_owned();
        let most = match name.as_str() {
            _ if !may => 0,
            // A pasted patch has a carriage return more in each line than what is taken of it.
            "file" | "patch" => limit.saturating_mul(2),
            _ => 64 * 1024,
        };
        let bytes = field.bytes(most.saturating_add(1)).await?;
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
