//! The report and its other forms, for people who are signed in, and as programs take them from the API.

use axum::{
    Router,
    body::Body,
    extract::{Query, RawQuery, State, rejection::QueryRejection},
    response::Response,
    routing::{MethodRouter, get},
};
use futures::StreamExt as _;
use holdpoint_domain::ReviewId;
use holdpoint_service::{
    Actor, AsOf, ExportForm, FindingExport, ReportStanding, ServiceError, Services,
    report::ReportFile,
};
use http::HeaderValue;
use serde::Deserialize;

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

/// Which report of a review a page's link asks for.
#[derive(Debug, Deserialize)]
struct Which {
    as_of: Option<String>,
}

fn report(form: ReportForm) -> MethodRouter<AppState> {
    get(
        async move |State(services): State<Services>,
                    person: SignedIn,
                    Id(review): Id<ReviewId>,
                    which: Result<Query<Which>, QueryRejection>|
                    -> Result<Response, WebError> {
            let which = which.map_err(|_| ServiceError::rejected("as_of", "Give `as_of` once."))?;
            let as_of = AsOf::parse(which.0.as_of.as_deref())?;
            send(&services, &person, &review, &as_of, form).await
        },
    )
}

/// Says which report it is that goes out, since its bytes cannot.
const STANDING: &str = "holdpoint-report";

fn standing_header(standing: &ReportStanding) -> HeaderValue {
    let text = match standing {
        ReportStanding::Decided { sign_off, .. } => format!("decided; sign-off={sign_off}"),
        ReportStanding::Computed => "decided; computed".to_owned(),
        ReportStanding::Draft => "draft".to_owned(),
        ReportStanding::DraftBeside { .. } => "draft; beside-decided".to_owned(),
    };
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("decided"))
}

pub(super) async fn send(
    services: &Services,
    person: &Actor,
    review: &ReviewId,
    as_of: &AsOf,
    form: ReportForm,
) -> Result<Response, WebError> {
    let (media, file) = match form {
        ReportForm::Markdown => (
            "text/markdown; charset=utf-8",
            services.report_markdown(person, review, as_of).await?,
        ),
        ReportForm::Signature => (
            "text/plain; charset=utf-8",
            services
                .report_signature(person, review, as_of)
                .await?
                .ok_or(WebError::NotFound(
                    "A signature of this report, which is a draft,",
                ))?,
        ),
        ReportForm::Json => (
            "application/json",
            services.report_json(person, review, as_of).await?,
        ),
        ReportForm::Sarif => (
            "application/sarif+json",
            services.report_sarif(person, review, as_of).await?,
        ),
        ReportForm::Csv => (
            "text/csv; charset=utf-8",
            services.report_csv(person, review, as_of).await?,
        ),
        ReportForm::Bundle => {
            // On the disk and not in memory: evidence may be large. The file has no name, so it is gone when it is closed.
            let out = tokio::task::spawn_blocking(tempfile::tempfile)
                .await
                .map_err(ServiceError::unavailable)?
                .map_err(ServiceError::unavailable)?;
            let (out, name, standing) = services.report_bundle(person, review, as_of, out).await?;
            let out = tokio::fs::File::from_std(out);
            let mut response = Download::new("application/zip", &name).of_file(out).await?;
            let headers = response.headers_mut();
            headers.insert(STANDING, standing_header(&standing));
            return Ok(response);
        }
    };
    let ReportFile {
        file_name,
        bytes,
        standing,
        ..
    } = file;
    let mut response = Download::new(media, &file_name).of(bytes);
    let headers = response.headers_mut();
    headers.insert(STANDING, standing_header(&standing));
    Ok(response)
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
