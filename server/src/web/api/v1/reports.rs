//! The report and the other exports. The token needs the scope `export`.

use axum::{extract::State, response::Response};
use holdpoint_domain::ReviewId;
use holdpoint_service::{ServiceError, Services, report::ReportFile};

use super::{asked::Id, given};
use crate::web::{WebError, api_caller::ApiCaller};

fn file(media_type: &'static str, file: ReportFile) -> Response {
    given::bytes(media_type, &file.file_name, file.bytes)
}

/// The report as Markdown; a draft until the release decision is signed.
#[utoipa::path(
    get, path = "/reviews/{id}/report.md", tag = "Report",
    responses((status = 200, body = String, content_type = "text/markdown"))
)]
pub(super) async fn markdown(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ReviewId>,
) -> Result<Response, WebError> {
    let report = services.report_markdown(&caller, &id).await?;
    Ok(file("text/markdown; charset=utf-8", report))
}

/// The report's SSH signature. A draft has none (404).
#[utoipa::path(
    get, path = "/reviews/{id}/report.md.sig", tag = "Report",
    responses((status = 200, body = String, content_type = "text/plain"))
)]
pub(super) async fn signature(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ReviewId>,
) -> Result<Response, WebError> {
    let report = services.report_markdown(&caller, &id).await?;
    let signature = report.signature.ok_or(WebError::NotFound(
        "A signature of this report, which is a draft until the release decision is signed,",
    ))?;
    let name = format!("{}.sig", report.file_name);
    Ok(given::bytes(
        "text/plain; charset=utf-8",
        &name,
        signature.into_bytes(),
    ))
}

/// Everything in the report, as JSON.
#[utoipa::path(get, path = "/reviews/{id}/report.json", tag = "Report", responses((status = 200, body = Object)))]
pub(super) async fn json(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ReviewId>,
) -> Result<Response, WebError> {
    Ok(file(
        "application/json",
        services.report_json(&caller, &id).await?,
    ))
}

/// The review's findings as SARIF 2.1.0.
#[utoipa::path(
    get, path = "/reviews/{id}/findings.sarif", tag = "Report",
    responses((status = 200, body = Object, content_type = "application/sarif+json"))
)]
pub(super) async fn sarif(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ReviewId>,
) -> Result<Response, WebError> {
    Ok(file(
        "application/sarif+json",
        services.report_sarif(&caller, &id).await?,
    ))
}

/// The review's findings as CSV.
#[utoipa::path(
    get, path = "/reviews/{id}/findings.csv", tag = "Report",
    responses((status = 200, body = String, content_type = "text/csv"))
)]
pub(super) async fn csv(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ReviewId>,
) -> Result<Response, WebError> {
    Ok(file(
        "text/csv; charset=utf-8",
        services.report_csv(&caller, &id).await?,
    ))
}

/// Report, signature, evidence, patches, manifest and public key as one file. A draft has none.
#[utoipa::path(
    get, path = "/reviews/{id}/bundle.zip", tag = "Report",
    responses((status = 200, body = Vec<u8>, content_type = "application/zip"))
)]
pub(super) async fn bundle(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ReviewId>,
) -> Result<Response, WebError> {
    // On the disk and not in memory: evidence may be large. The file has no name, so it is gone when it is closed.
    let out = tokio::task::spawn_blocking(tempfile::tempfile)
        .await
        .map_err(ServiceError::unavailable)?
        .map_err(ServiceError::unavailable)?;
    let (out, name) = services.report_bundle(&caller, &id, out).await?;
    let mut out = tokio::fs::File::from_std(out);
    tokio::io::AsyncSeekExt::rewind(&mut out)
        .await
        .map_err(ServiceError::unavailable)?;
    given::stream(out, "application/zip", &name, None).await
}
