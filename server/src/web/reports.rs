//! The report and its other forms, for people who are signed in, and as programs take them from the API.

use axum::{
    Router,
    body::Body,
    extract::{RawQuery, State},
    response::Response,
    routing::{MethodRouter, get},
};
use futures::StreamExt as _;
use holdpoint_domain::ReviewId;
use holdpoint_service::{
    Actor, ExportForm, FindingExport, ServiceError, Services, report::ReportFile,
};

use super::{AppState, WebError, download::Download, id::Id, signed_in::SignedIn};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/reviews/{id}/report.md", report(ReportForm::Markdown))
        .route("/reviews/{id}/report.md.sig", report(ReportForm::Signature))
        .route("/reviews/{id}/report.json", report(ReportForm::Json))
        .route("/reviews/{id}/findings.sarif", report(ReportForm::Sarif))
        .route("/reviews/{id}/findings.csv", report(ReportForm::Csv))
        .route("/reviews/{id}/findings/export.csv", list(ExportForm::Csv))
        .route(
            "/reviews/{id}/findings/export.sarif",
            list(ExportForm::Sarif),
        )
        .route("/reviews/{id}/bundle.zip", report(ReportForm::Bundle))
}

/// What of a review's report is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum ReportForm {
    Markdown,
    Signature,
    Json,
    Sarif,
    Csv,
    Bundle,
}

fn report(form: ReportForm) -> MethodRouter<AppState> {
    get(
        move |State(services): State<Services>, person: SignedIn, Id(review): Id<ReviewId>| async move {
            send(&services, &person, &review, form).await
        },
    )
}

pub(super) async fn send(
    services: &Services,
    person: &Actor,
    review: &ReviewId,
    form: ReportForm,
) -> Result<Response, WebError> {
    let (
        media,
        ReportFile {
            file_name, bytes, ..
        },
    ) = match form {
        ReportForm::Markdown => (
            "text/markdown; charset=utf-8",
            services.report_markdown(person, review).await?,
        ),
        ReportForm::Signature => {
            let report = services.report_markdown(person, review).await?;
            let signature = report.signature.ok_or(WebError::NotFound(
                "A signature of this report, which is a draft until the release decision is signed,",
            ))?;
            let name = format!("{}.sig", report.file_name);
            return Ok(Download::new("text/plain; charset=utf-8", &name).of(signature));
        }
        ReportForm::Json => (
            "application/json",
            services.report_json(person, review).await?,
        ),
        ReportForm::Sarif => (
            "application/sarif+json",
            services.report_sarif(person, review).await?,
        ),
        ReportForm::Csv => (
            "text/csv; charset=utf-8",
            services.report_csv(person, review).await?,
        ),
        ReportForm::Bundle => {
            // On the disk and not in memory: evidence may be large. The file has no name, so it is gone when it is closed.
            let out = tokio::task::spawn_blocking(tempfile::tempfile)
                .await
                .map_err(ServiceError::unavailable)?
                .map_err(ServiceError::unavailable)?;
            let (out, name) = services.report_bundle(person, review, out).await?;
            let out = tokio::fs::File::from_std(out);
            return Download::new("application/zip", &name).of_file(out).await;
        }
    };
    Ok(Download::new(media, &file_name).of(bytes))
}

/// Exactly what the page of this query lists, on all its pages.
fn list(form: ExportForm) -> MethodRouter<AppState> {
    get(
        async move |State(services): State<Services>,
                    person: SignedIn,
                    Id(review): Id<ReviewId>,
                    RawQuery(query): RawQuery|
                    -> Result<Response, WebError> {
            let policy = services
                .review_glance(&person, &review)
                .await?
                .policy
                .clone();
            let query = query.unwrap_or_default();
            let (filter, sort) = holdpoint_app::pages::findings::filter_of(
                &query,
                &person.id,
                &policy,
                services.now(),
            );
            let export = services
                .export_findings(&person, &review, filter, sort, form)
                .await?;
            Ok(written(export))
        },
    )
}

/// A list of findings that is made while it is sent. A failure on the way breaks the download off, so that nobody takes a
/// part for the whole.
pub(super) fn written(export: FindingExport) -> Response {
    let head = Download::new(export.media_type, &export.file_name);
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
    // Compression asks again after the end, which the bare stream answers with a panic.
    head.of(Body::from_stream(pieces.fuse()))
}
