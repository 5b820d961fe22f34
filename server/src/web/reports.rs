//! The report and its other forms, for people who are signed in. Programs take them from the API.

use axum::{
    Router,
    body::Body,
    extract::{RawQuery, State},
    response::{IntoResponse as _, Response},
    routing::get,
};
use holdpoint_domain::ReviewId;
use holdpoint_service::{ExportForm, FindingExport, ServiceError, Services, report::ReportFile};
use tokio_util::io::ReaderStream;

use super::{AppState, WebError, id::Id, patches::download, signed_in::SignedIn};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/reviews/{id}/report.md", get(markdown))
        .route("/reviews/{id}/report.md.sig", get(signature))
        .route("/reviews/{id}/report.json", get(json))
        .route("/reviews/{id}/findings.sarif", get(sarif))
        .route("/reviews/{id}/findings.csv", get(csv))
        .route("/reviews/{id}/findings/export.csv", get(list_as_csv))
        .route("/reviews/{id}/findings/export.sarif", get(list_as_sarif))
        .route("/reviews/{id}/bundle.zip", get(bundle))
}

fn file(media: &'static str, file: ReportFile) -> Response {
    (download(media, &file.file_name), file.bytes).into_response()
}

async fn markdown(
    State(services): State<Services>,
    person: SignedIn,
    Id(id): Id<ReviewId>,
) -> Result<Response, WebError> {
    let report = services.report_markdown(&person, &id).await?;
    Ok(file("text/markdown; charset=utf-8", report))
}

async fn signature(
    State(services): State<Services>,
    person: SignedIn,
    Id(id): Id<ReviewId>,
) -> Result<Response, WebError> {
    let report = services.report_markdown(&person, &id).await?;
    let signature = report.signature.ok_or(WebError::NotFound(
        "A signature of this report, which is a draft until the release decision is signed,",
    ))?;
    let name = format!("{}.sig", report.file_name);
    Ok((download("text/plain; charset=utf-8", &name), signature).into_response())
}

async fn json(
    State(services): State<Services>,
    person: SignedIn,
    Id(id): Id<ReviewId>,
) -> Result<Response, WebError> {
    let report = services.report_json(&person, &id).await?;
    Ok(file("application/json", report))
}

async fn sarif(
    State(services): State<Services>,
    person: SignedIn,
    Id(id): Id<ReviewId>,
) -> Result<Response, WebError> {
    let report = services.report_sarif(&person, &id).await?;
    Ok(file("application/sarif+json", report))
}

async fn csv(
    State(services): State<Services>,
    person: SignedIn,
    Id(id): Id<ReviewId>,
) -> Result<Response, WebError> {
    let report = services.report_csv(&person, &id).await?;
    Ok(file("text/csv; charset=utf-8", report))
}

async fn bundle(
    State(services): State<Services>,
    person: SignedIn,
    Id(id): Id<ReviewId>,
) -> Result<Response, WebError> {
    // On the disk and not in memory: evidence may be large. The file has no name, so it is gone when it is closed.
    let out = tokio::task::spawn_blocking(tempfile::tempfile)
        .await
        .map_err(ServiceError::unavailable)?
        .map_err(ServiceError::unavailable)?;
    let (out, name) = services.report_bundle(&person, &id, out).await?;
    let mut out = tokio::fs::File::from_std(out);
    tokio::io::AsyncSeekExt::rewind(&mut out)
        .await
        .map_err(ServiceError::unavailable)?;
    let body = Body::from_stream(ReaderStream::new(out));
    Ok((download("application/zip", &name), body).into_response())
}

async fn list_as_csv(
    State(services): State<Services>,
    person: SignedIn,
    Id(id): Id<ReviewId>,
    RawQuery(query): RawQuery,
) -> Result<Response, WebError> {
    list(&services, &person, &id, query, ExportForm::Csv).await
}

async fn list_as_sarif(
    State(services): State<Services>,
    person: SignedIn,
    Id(id): Id<ReviewId>,
    RawQuery(query): RawQuery,
) -> Result<Response, WebError> {
    list(&services, &person, &id, query, ExportForm::Sarif).await
}

/// Exactly what the page of this query lists, on all its pages.
async fn list(
    services: &Services,
    person: &SignedIn,
    review: &ReviewId,
    query: Option<String>,
    form: ExportForm,
) -> Result<Response, WebError> {
    let policy = services.review_glance(person, review).await?.policy.clone();
    let query = query.unwrap_or_default();
    let (filter, sort) =
        holdpoint_app::pages::findings::filter_of(&query, &person.id, &policy, services.now());
    let export = services
        .export_findings(person, review, filter, sort, form)
        .await?;
    Ok(written(export))
}

/// A list of findings that is made while it is sent. A failure on the way breaks the download off, so that nobody takes a
/// part for the whole.
pub(super) fn written(export: FindingExport) -> Response {
    let head = download(export.media_type, &export.file_name);
    let pieces = futures::stream::unfold(export, async |mut export| {
        let piece = export.next_piece().await.transpose()?;
        if let Err(error) = &piece {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "an export of findings was broken off"
            );
        }
        Some((piece, export))
    });
    (head, Body::from_stream(pieces)).into_response()
}
