//! Patches of a review.

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use holdpoint_domain::{FindingId, PatchId, ReviewId, person::Action};
use holdpoint_patch::{Applies, Touch};
use holdpoint_service::{
    Services, UploadBy,
    patches::{PatchFields, PatchRequest, PatchView},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    asked::{self, Id, Json, Key, Query, Target, WhichPart},
    given::{Given, Part, moment, once},
};
use crate::web::{WebError, api_caller::ApiCaller, download::Download};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Patch {
    id: String,
    review: String,
    /// Shown as P-1, P-2, … within the review.
    number: i64,
    title: String,
    /// proposed, rejected, approved, applied or verified.
    state: String,
    file_sha256: String,
    n_files: i64,
    n_added: i64,
    n_removed: i64,
    /// As the patch itself says.
    author: String,
    submitted_by: String,
    submitted_at: String,
    decided_by: Option<String>,
    decided_at: Option<String>,
    decision_reason: String,
    applied_commit: Option<String>,
    verified_by_scan: Option<String>,
    findings: Vec<String>,
    items: Vec<String>,
    version: i64,
}

/// A patch with what Holdpoint found out about it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WholePatch {
    #[serde(flatten)]
    patch: Patch,
    files: Vec<ChangedFile>,
    touches: Vec<TouchedFinding>,
    /// Whether it applies to the review's target commit: yes, no or unknown.
    applies: &'static str,
    applies_because: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChangedFile {
    /// Null for an added file.
    old_path: Option<String>,
    /// Null for a deleted file.
    new_path: Option<String>,
    n_added: usize,
    n_removed: usize,
}

/// What the patch changes of a finding's place. It never says that the finding is remedied.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TouchedFinding {
    finding: String,
    number: i64,
    /// lines, file or no; null when the patch cannot be read.
    touches: Option<&'static str>,
    sentence: String,
}

fn patch(of: &holdpoint_storage::Patch, findings: Vec<String>, items: Vec<String>) -> Patch {
    Patch {
        id: of.id.to_string(),
        review: of.review.to_string(),
        number: of.number,
        title: of.title.clone(),
        state: of.state.as_str().to_owned(),
        file_sha256: of.file_sha256.to_string(),
        n_files: of.n_files,
        n_added: of.n_added,
        n_removed: of.n_removed,
        author: of.author_name.clone(),
        submitted_by: of.submitted_by_name.clone(),
        submitted_at: moment(of.submitted_at),
        decided_by: of.decided_by_name.clone(),
        decided_at: of.decided_at.map(moment),
        decision_reason: of.decision_reason.clone(),
        applied_commit: of.applied_commit.clone(),
        verified_by_scan: of.verified_by_scan.as_ref().map(ToString::to_string),
        findings,
        items,
        version: of.version,
    }
}

fn whole(view: &PatchView) -> WholePatch {
    let findings = view
        .findings
        .iter()
        .map(|touched| touched.finding.id.to_string())
        .collect();
    let items = view.items.iter().map(|item| item.id.to_string()).collect();
    let files = view
        .content
        .as_ref()
        .map(|content| content.files.as_slice())
        .unwrap_or_default();
    let (applies, applies_because) = match &view.applies {
        Applies::Yes => ("yes", None),
        Applies::No {
            path,
            expected,
            found,
        } => (
            "no",
            Some(format!(
                "{path}: the patch was made for {expected}, and there is {found}."
            )),
        ),
        Applies::Nowhere { reason } => ("no", Some(reason.clone())),
        Applies::Unknown { reason } => ("unknown", Some(reason.clone())),
    };
    WholePatch {
        patch: patch(&view.patch, findings, items),
        files: files
            .iter()
            .map(|file| ChangedFile {
                old_path: file.old_path.clone(),
                new_path: file.new_path.clone(),
                n_added: file.n_added(),
                n_removed: file.n_removed(),
            })
            .collect(),
        touches: view
            .findings
            .iter()
            .map(|touched| TouchedFinding {
                finding: touched.finding.id.to_string(),
                number: touched.finding.number,
                touches: touched.touch.as_ref().map(|touch| match touch {
                    Touch::Lines { .. } => "lines",
                    Touch::File { .. } => "file",
                    Touch::No => "no",
                }),
                sentence: touched.sentence.clone(),
            })
            .collect(),
        applies,
        applies_because,
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPatch)]
pub(super) struct New {
    /// From the mail's subject, or the first file, if not given.
    #[serde(default)]
    title: String,
    /// The output of `git diff` or `git format-patch`.
    patch: String,
    /// Ids of findings that it remedies.
    #[serde(default)]
    findings: Vec<String>,
    /// Ids of items that it serves.
    #[serde(default)]
    items: Vec<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// The title, where the patch is the body itself.
    title: Option<String>,
    /// Ids of findings, with commas, where the patch is the body itself.
    findings: Option<String>,
    /// Ids of items, with commas, where the patch is the body itself.
    items: Option<String>,
}

/// A review's patches, by number.
#[utoipa::path(get, path = "/reviews/{id}/patches", tag = "Patches", params(WhichPart), responses((status = 200, body = Part<Patch>)))]
pub(super) async fn list(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ReviewId>,
    Query(asked): Query<WhichPart>,
) -> Result<Response, WebError> {
    let (limit, after) = asked.place(|text| text.parse::<i64>().ok())?;
    let after = after.unwrap_or(0);
    let all = services.patches_of(&caller, &id).await?;
    let mut lines = all
        .lines
        .iter()
        .filter(|line| line.patch.number > after)
        .peekable();
    let mut entries = Vec::new();
    while let Some(line) = lines.next_if(|_| entries.len() < limit) {
        let findings = line
            .links
            .findings
            .iter()
            .map(|finding| finding.id.to_string())
            .collect();
        let items = line
            .links
            .items
            .iter()
            .map(|item| item.id.to_string())
            .collect();
        entries.push(patch(&line.patch, findings, items));
    }
    let next_cursor = lines
        .peek()
        .and_then(|_| entries.last())
        .map(|last| last.number.to_string());
    Part {
        entries,
        next_cursor,
    }
    .answer()
}

/// A patch, with what it touches and whether it applies.
#[utoipa::path(get, path = "/patches/{id}", tag = "Patches", responses((status = 200, body = WholePatch)))]
pub(super) async fn show(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<PatchId>,
) -> Result<Response, WebError> {
    let view = services.patch(&caller, &id).await?;
    Ok(Given::ok(&whole(&view))?
        .version(view.patch.version)
        .answer())
}

/// Submits a patch: as JSON, or as the body itself with everything else in the address.
#[utoipa::path(
    post, path = "/reviews/{id}/patches", tag = "Patches", params(Asked),
    request_body(content((New = "application/json"), (String = "text/x-patch"))),
    responses((status = 201, body = WholePatch))
)]
pub(super) async fn submit(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(review): Id<ReviewId>,
    Query(asked): Query<Asked>,
    key: Key,
    target: Target,
    request: Request,
) -> Result<Response, WebError> {
    let service = services.review(&caller, &review).await?.service.id;
    let access = services.access(&caller, &service).await?;
    let most = usize::try_from(services.limits().patch_bytes).unwrap_or(usize::MAX);
    let list = |text: Option<String>| -> Vec<String> {
        let ids = text
            .as_deref()
            .unwrap_or_default()
            .split(',')
            .map(str::trim);
        ids.filter(|id| !id.is_empty()).map(str::to_owned).collect()
    };
    let is_json = asked::is_json(request.headers());
    let kind = asked::media_type(request.headers());
    if !is_json
        && ![
            "text/x-patch",
            "text/x-diff",
            "text/plain",
            "application/mbox",
            "application/octet-stream",
        ]
        .contains(&kind.as_str())
    {
        return Err(WebError::UnsupportedMedia(
            "Send the patch itself, with the header `Content-Type: text/x-patch`, or JSON."
                .to_owned(),
        ));
    }
    let body = asked::bytes(
        request,
        &(),
        if is_json {
            most.saturating_mul(2)
        } else {
            most
        },
    )
    .await?;
    let digest = target.with_body(&body);
    let request = if is_json {
        if asked.title.is_some() || asked.findings.is_some() || asked.items.is_some() {
            let message = "With JSON these stand in the body, not in the address.".to_owned();
            return Err(WebError::Rejected {
                field: "title",
                message,
            });
        }
        let New {
            title,
            patch,
            findings,
            items,
        } = asked::parse(&body)?;
        PatchRequest::parse(
            &PatchFields {
                title,
                findings,
                items,
                ..PatchFields::default()
            },
            Some(patch.into_bytes()),
        )?
    } else {
        let fields = PatchFields {
            title: asked.title.unwrap_or_default(),
            findings: list(asked.findings),
            items: list(asked.items),
            ..PatchFields::default()
        };
        PatchRequest::parse(&fields, Some(body.to_vec()))?
    };
    let by = UploadBy {
        actor: &caller,
        // Whoever may not submit uses up nothing but their own.
        service: access.may(Action::Contribute).then_some(&service),
    };
    services.count_small_upload(by, body.len())?;
    once(&services, &caller, &key, &digest, async |services| {
        let id = services
            .submit_patch(&caller, &review, request.clone())
            .await?;
        let view = services.patch(&caller, &id).await?;
        Ok(Given::created(format!("/patches/{id}"), &whole(&view))?.version(view.patch.version))
    })
    .await
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FixTaken)]
pub(super) struct Taken {
    /// The review whose patch it becomes.
    review: String,
}

/// Makes a patch of what a finding's scanner proposes, linked to the finding. Refused, with the reason, where the report does
/// not show the lines that change.
#[utoipa::path(
    post, path = "/findings/{id}/fixes/{n}/patch", tag = "Patches", request_body = Taken,
    responses((status = 201, body = WholePatch))
)]
pub(super) async fn propose_fix(
    State(services): State<Services>,
    caller: ApiCaller,
    Path((id, n)): Path<(String, String)>,
    key: Key,
    asked: Json<Taken>,
) -> Result<Response, WebError> {
    let finding: FindingId = asked::id(&id)?;
    let number = n.parse().map_err(|_| WebError::NotFound("This fix"))?;
    let review: ReviewId = asked::id(&asked.value.review)?;
    once(&services, &caller, &key, &asked.digest, async |services| {
        let id = services
            .propose_fix(&caller, &review, &finding, number)
            .await?;
        let view = services.patch(&caller, &id).await?;
        Ok(Given::created(format!("/patches/{id}"), &whole(&view))?.version(view.patch.version))
    })
    .await
}

/// The patch as it was submitted.
#[utoipa::path(
    get, path = "/patches/{id}/file", tag = "Patches",
    responses((status = 200, body = Vec<u8>, content_type = "text/x-patch"))
)]
pub(super) async fn file(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<PatchId>,
) -> Result<Response, WebError> {
    let (patch, bytes) = services.patch_file(&caller, &id).await?;
    let name = format!("P-{}.patch", patch.number);
    Ok(Download::new("text/x-patch", &name).of(bytes))
}

/// A review's approved patches as one series that `git am` applies.
#[utoipa::path(
    get, path = "/reviews/{id}/patches.mbox", tag = "Patches",
    responses((status = 200, body = Vec<u8>, content_type = "application/mbox"))
)]
pub(super) async fn series(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ReviewId>,
) -> Result<Response, WebError> {
    let series = services.series_mbox(&caller, &id).await?;
    Ok(Download::new("application/mbox", &series.name).of(series.bytes))
}
