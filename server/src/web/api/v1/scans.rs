//! Scans: importing a scanner's file, and what came of it.

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use holdpoint_domain::{Digest, ScanId, ServiceId, person::Action, text::Name};
use holdpoint_service::{
    ImportWatch, ServiceError, Services, UploadBy,
    scans::{Counts, ImportOutcome, ScanRequest},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{
    asked::{self, Id, Key, Query, Target, WhichPart},
    document,
    given::{Given, Part, moment, once},
    mapping::{Mapped, mapped},
    upload,
};
use crate::web::{
    WebError,
    api_caller::ApiCaller,
    download::{Download, OCTETS},
};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Tool {
    name: String,
    version: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BySeverity {
    critical: i64,
    high: i64,
    unrated: i64,
    medium: i64,
    low: i64,
    info: i64,
}

impl From<Counts> for BySeverity {
    fn from(counts: Counts) -> Self {
        let Counts {
            critical,
            high,
            unrated,
            medium,
            low,
            info,
        } = counts;
        Self {
            critical,
            high,
            unrated,
            medium,
            low,
            info,
        }
    }
}

/// Against the last scan of the series.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScanChanges)]
pub(super) struct Changes {
    new: i64,
    unchanged: i64,
    /// The same findings at another line.
    moved: i64,
    reopened: i64,
    fixed: i64,
}

impl From<holdpoint_service::ChangeNumbers> for Changes {
    fn from(numbers: holdpoint_service::ChangeNumbers) -> Self {
        let holdpoint_service::ChangeNumbers {
            new,
            unchanged,
            moved,
            reopened,
            fixed,
        } = numbers;
        Self {
            new,
            unchanged,
            moved,
            reopened,
            fixed,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScanProblem)]
pub(super) struct Problem {
    r#where: String,
    message: String,
}

/// What an import did, or would do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScanImport)]
pub(super) struct Import {
    /// The scan's id; null for a preview.
    scan: Option<String>,
    /// Whether this very file is the newest scan of the series already, for this commit, so that nothing changed.
    repeated: bool,
    /// Whether nothing was stored, since only the preview was asked for.
    preview: bool,
    format: String,
    tool: Tool,
    series: String,
    commit: Option<String>,
    /// What was looked at, where the file says it: an image without its tag, a category.
    target: Option<String>,
    /// Only a complete scan fixes findings or shows that there are none.
    complete: bool,
    incomplete_because: Option<String>,
    /// What hints at a file of something else than its series is of. Such a file is imported only over the `ground` of its
    /// preview, or into a series that is named.
    warnings: Vec<String>,
    changes: Changes,
    counts: BySeverity,
    /// For a preview: what it rests on. Sent back as `ground`, the import does what was shown here or is refused.
    ground: Option<String>,
    /// What the rules link, in every review that it maps into: findings of the series, new or not, that have no item there.
    mapping: Vec<Mapped>,
    /// What was odd in the file, which was read all the same.
    problems: Vec<Problem>,
    /// For a preview: what would change, and what would not, the worst first, at most 200 of each kind.
    listed: Vec<Listed>,
}

/// What an import would make of one finding.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScanListedChange)]
pub(super) struct Listed {
    /// new, moved, reopened, fixed, no_longer_seen or unchanged
    change: String,
    /// Null for what is not stored yet.
    finding: Option<String>,
    number: Option<i64>,
    title: String,
    severity: String,
    path: Option<String>,
    line: Option<i64>,
    was_line: Option<i64>,
    /// Why it is recognised, or is gone.
    why: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Scan {
    id: String,
    /// The label of its series.
    series: String,
    /// What findings of the series are filtered by.
    series_id: String,
    /// Its place in the series, from 1.
    sequence: i64,
    format: String,
    tool: Tool,
    commit: Option<String>,
    complete: bool,
    incomplete_because: Option<String>,
    changes: Changes,
    counts: BySeverity,
    /// As in an import: where, message.
    #[schema(value_type = Vec<Object>)]
    problems: Value,
    file_name: String,
    file_sha256: String,
    file_bytes: i64,
    imported_at: String,
    imported_by: String,
    undone_at: Option<String>,
}

fn scan(scan: &holdpoint_service::Scan) -> Scan {
    Scan {
        id: scan.id.to_string(),
        series: scan.label.clone(),
        series_id: scan.series.to_string(),
        sequence: scan.sequence,
        format: scan.format.clone(),
        tool: Tool {
            name: scan.tool.clone(),
            version: scan.tool_version.clone(),
        },
        commit: scan.commit.clone(),
        complete: scan.incomplete_because.is_none(),
        incomplete_because: scan.incomplete_because.clone(),
        changes: scan.changes.into(),
        counts: Counts::from(scan.counts).into(),
        problems: serde_json::from_str(&scan.problems).unwrap_or_else(|_| Value::Array(Vec::new())),
        file_name: scan.file_name.clone(),
        file_sha256: scan.file_sha256.to_string(),
        file_bytes: scan.file_bytes,
        imported_at: moment(scan.imported_at),
        imported_by: scan.imported_by_name.clone(),
        undone_at: scan.undone_at.map(moment),
    }
}

fn import_of(outcome: ImportOutcome, preview: bool) -> Import {
    let preview = preview && !outcome.repeated;
    Import {
        scan: outcome.scan.map(|id| id.to_string()),
        repeated: outcome.repeated,
        preview,
        ground: preview.then(|| outcome.ground.to_string()),
        format: outcome.format,
        tool: Tool {
            name: outcome.tool,
            version: outcome.tool_version,
        },
        series: outcome.series,
        commit: outcome.commit,
        target: outcome.target,
        complete: outcome.complete,
        incomplete_because: outcome.incomplete_because,
        warnings: outcome.warnings,
        changes: outcome.changes.into(),
        counts: outcome.counts.into(),
        mapping: outcome.mapping.into_iter().map(mapped).collect(),
        problems: outcome
            .problems
            .into_iter()
            .map(|problem| Problem {
                r#where: problem.where_,
                message: problem.message,
            })
            .collect(),
        listed: outcome
            .listed
            .into_iter()
            .map(|change| Listed {
                change: change.change,
                finding: change.finding,
                number: change.number,
                title: change.title,
                severity: change.severity.as_str().to_owned(),
                path: change.path,
                line: change.line,
                was_line: change.was_line,
                why: change.why,
            })
            .collect(),
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// The label of the series; if not given, the tool's name with what the tool looked at where the file says so.
    series: Option<String>,
    /// The commit that was scanned; what the file says if not given.
    commit: Option<String>,
    /// true: say what importing would change, and store nothing.
    preview: Option<String>,
    /// The `ground` of a preview of this file, for this series and commit: import only if that is still what would happen.
    /// Otherwise nothing is stored, and the problem has the preview of now.
    ground: Option<String>,
    /// The format's name, to correct the detection.
    format: Option<String>,
    /// What the file is called, where it is the body itself.
    file_name: Option<String>,
}

/// The scanner's file in a form.
#[derive(ToSchema)]
#[schema(as = ScanForm)]
#[expect(dead_code, reason = "describes a form that is read piece by piece")]
pub(super) struct Form {
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: String,
}

/// Imports a scanner's file, all or nothing. The newest scan of a series again changes nothing; a file that others came after
/// is compared with the newest one like any other.
#[utoipa::path(
    post, path = "/services/{slug}/scans", tag = "Scans", params(Asked),
    request_body(content((Vec<u8> = "application/octet-stream"), (Form = "multipart/form-data"))),
    responses(
        (status = 201, body = Import),
        (status = 200, description = "The file is the newest scan of its series already, or it was a preview: nothing was stored.", body = Import),
        (
            status = 409, content_type = "application/problem+json",
            description = "What the preview with this ground rested on has changed: nothing was stored. `preview` is what would happen now.",
            body = document::Problem
        )
    )
)]
pub(super) async fn import(
    State(services): State<Services>,
    caller: ApiCaller,
    Path(slug): Path<String>,
    Query(asked): Query<Asked>,
    key: Key,
    target: Target,
    request: Request,
) -> Result<Response, WebError> {
    // Asked before anything is received: whoever may not import it need not send it.
    let service = services.service_by_slug(&caller, &slug).await?.service;
    if !services
        .access(&caller, &service.id)
        .await?
        .may(Action::ImportScans)
    {
        let message = "Only a contributor, reviewer or manager of this service can import scans, with a token that was granted `import_scans`.";
        return Err(WebError::Forbidden(message.to_owned()));
    }
    let label = asked::optional("series", asked.series.as_deref(), Name::parse)?;
    let commit = asked::commit(asked.commit.as_deref())?;
    let preview = asked::flag("preview", asked.preview.as_deref())?;
    let ground = asked.ground.as_deref().map(|text| {
        Digest::parse(text).ok_or_else(|| {
            let message =
                "This is no ground: write the 64 hexadecimal digits that the preview's answer has.";
            ServiceError::rejected("ground", message)
        })
    });
    let ground = ground.transpose()?;
    if preview && ground.is_some() {
        let message = "Send either `preview=true` or the `ground` of a preview that was seen.";
        return Err(ServiceError::rejected("ground", message).into());
    }
    let most = services.limits().scan_bytes;
    let by = UploadBy {
        actor: &caller,
        service: Some(&service.id),
    };
    let received = if upload::is_form(&request) {
        let received = upload::form(&services, by, request, most).await?;
        if let Some((name, _)) = received.fields.first() {
            let field: String = name.chars().take(100).collect();
            let message = "The form has only the field `file`; everything else is a parameter of the address.".to_owned();
            return Err(WebError::Field { field, message });
        }
        received
    } else {
        upload::body(
            &services,
            by,
            request,
            asked.file_name.clone().unwrap_or_default(),
            most,
        )
        .await?
    };
    let (file, file_name) = received.file.ok_or_else(|| {
        ServiceError::rejected(
            "file",
            "The form has no field `file` with the scanner's file.",
        )
    })?;
    let file_name = Some(file_name)
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "scan".to_owned());
    let request = ScanRequest {
        file,
        file_name,
        label,
        commit,
        format: asked.format,
        watch: ImportWatch::default(),
    };
    let digest = target.with(&received.digest);
    once(&services, &caller, &key, &digest, async |services| {
        let outcome = import_or_preview(
            &services,
            &caller,
            &service.id,
            request.clone(),
            ground.as_ref(),
            preview,
        )
        .await?;
        let is_stored = !outcome.repeated && !preview;
        let out = import_of(outcome, preview);
        match (&out.scan, is_stored) {
            (Some(id), true) => Given::created(format!("/scans/{id}"), &out),
            _ => Given::ok(&out),
        }
    })
    .await
}

/// Imports a scan, over the ground of a preview where one is given; where that is not what would happen now, or where nobody
/// has looked at a file that seems to be of something else, the refusal has the preview of now.
async fn import_or_preview(
    services: &Services,
    caller: &ApiCaller,
    service: &ServiceId,
    request: ScanRequest,
    ground: Option<&Digest>,
    preview: bool,
) -> Result<ImportOutcome, WebError> {
    let outcome = match ground {
        Some(seen) => {
            services
                .import_previewed_scan(caller, service, request.clone(), seen)
                .await
        }
        None if preview => {
            services
                .import_scan(caller, service, request.clone(), true)
                .await
        }
        None => {
            services
                .import_expected_scan(caller, service, request.clone())
                .await
        }
    };
    match outcome {
        Err(ServiceError::Conflict(conflict)) => {
            let now = services.import_scan(caller, service, request, true).await?;
            let preview =
                serde_json::to_value(import_of(now, true)).map_err(ServiceError::unavailable)?;
            Err(WebError::GroundMoved {
                message: conflict.message,
                preview,
            })
        }
        outcome => Ok(outcome?),
    }
}

/// A service's scans, newest first.
#[utoipa::path(get, path = "/services/{slug}/scans", tag = "Scans", params(WhichPart), responses((status = 200, body = Part<Scan>)))]
pub(super) async fn list(
    State(services): State<Services>,
    caller: ApiCaller,
    Path(slug): Path<String>,
    Query(asked): Query<WhichPart>,
) -> Result<Response, WebError> {
    let (limit, before) = asked.place(ScanId::parse)?;
    let service = services.service_by_slug(&caller, &slug).await?.service;
    let read = i64::try_from(limit).unwrap_or(i64::MAX);
    let scans = services
        .scans_of(&caller, &service.id, before.as_ref(), read)
        .await?;
    // A part that is full may be the last; the next one is then empty.
    let next_cursor = (scans.len() == limit)
        .then(|| scans.last().map(|last| last.id.to_string()))
        .flatten();
    let entries = scans.iter().map(scan).collect();
    Part {
        entries,
        next_cursor,
    }
    .answer()
}

/// A scan and what it changed.
#[utoipa::path(get, path = "/scans/{id}", tag = "Scans", responses((status = 200, body = Scan)))]
pub(super) async fn show(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ScanId>,
) -> Result<Response, WebError> {
    let found = services.scan(&caller, &id).await?;
    Ok(Given::ok(&scan(&found))?.answer())
}

/// What undoing an import did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScanUndone)]
pub(super) struct UndoneScan {
    scan: Scan,
    /// Findings that are gone, since only this scan had brought them.
    removed: u64,
    /// Findings that are as they were before.
    put_back: u64,
}

/// Takes an import back with all its effects. Refused, with who did what, once somebody has acted on its findings, and
/// once a later scan of the series was compared with it.
#[utoipa::path(
    post, path = "/scans/{id}/undo", tag = "Scans",
    responses((status = 200, body = UndoneScan), (status = 422, description = "It stays; the problem says why."))
)]
pub(super) async fn undo(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ScanId>,
    key: Key,
    target: Target,
) -> Result<Response, WebError> {
    once(
        &services,
        &caller,
        &key,
        &target.with_body(b""),
        async |services| {
            let undone = services.undo_scan(&caller, &id).await?;
            let now = services.scan(&caller, &id).await?;
            Given::ok(&UndoneScan {
                scan: scan(&now),
                removed: undone.removed,
                put_back: undone.put_back,
            })
        },
    )
    .await
}

/// The scanner's own file, its digest checked before it is served.
#[utoipa::path(
    get, path = "/scans/{id}/file", tag = "Scans",
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"))
)]
pub(super) async fn file(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ScanId>,
) -> Result<Response, WebError> {
    let scan = services.scan_file(&caller, &id).await?;
    Download::new(OCTETS, &scan.file_name)
        .of_stored(&services, &scan.file_sha256)
        .await
}
