//! The report and the other exports. The token needs the scope `export`.

use axum::{extract::State, response::Response};
use holdpoint_domain::ReviewId;
use holdpoint_service::Services;

use super::asked::Id;
use crate::web::{
    WebError,
    api_caller::ApiCaller,
    reports::{ReportForm, send},
};

/// Whose report it is and who asks for it.
type Asked = (State<Services>, ApiCaller, Id<ReviewId>);

/// The report as Markdown; a draft until the release decision is signed.
#[utoipa::path(
    get, path = "/reviews/{id}/report.md", tag = "Report",
    responses((status = 200, body = String, content_type = "text/markdown"))
)]
pub(super) async fn markdown(
    (State(services), caller, Id(id)): Asked,
) -> Result<Response, WebError> {
    send(&services, &caller, &id, ReportForm::Markdown).await
}

/// The report's SSH signature. A draft has none (404).
#[utoipa::path(
    get, path = "/reviews/{id}/report.md.sig", tag = "Report",
    responses((status = 200, body = String, content_type = "text/plain"))
)]
pub(super) async fn signature(
    (State(services), caller, Id(id)): Asked,
) -> Result<Response, WebError> {
    send(&services, &caller, &id, ReportForm::Signature).await
}

/// Everything in the report, as JSON.
#[utoipa::path(get, path = "/reviews/{id}/report.json", tag = "Report", responses((status = 200, body = Object)))]
pub(super) async fn json((State(services), caller, Id(id)): Asked) -> Result<Response, WebError> {
    send(&services, &caller, &id, ReportForm::Json).await
}

/// The review's findings as SARIF 2.1.0.
#[utoipa::path(
    get, path = "/reviews/{id}/findings.sarif", tag = "Report",
    responses((status = 200, body = Object, content_type = "application/sarif+json"))
)]
pub(super) async fn sarif((State(services), caller, Id(id)): Asked) -> Result<Response, WebError> {
    send(&services, &caller, &id, ReportForm::Sarif).await
}

/// The review's findings as CSV.
#[utoipa::path(
    get, path = "/reviews/{id}/findings.csv", tag = "Report",
    responses((status = 200, body = String, content_type = "text/csv"))
)]
pub(super) async fn csv((State(services), caller, Id(id)): Asked) -> Result<Response, WebError> {
    send(&services, &caller, &id, ReportForm::Csv).await
}

/// Report, signature, evidence, patches, manifest and public key as one file. A draft has none.
#[utoipa::path(
    get, path = "/reviews/{id}/bundle.zip", tag = "Report",
    responses((status = 200, body = Vec<u8>, content_type = "application/zip"))
)]
pub(super) async fn bundle((State(services), caller, Id(id)): Asked) -> Result<Response, WebError> {
    send(&services, &caller, &id, ReportForm::Bundle).await
}
