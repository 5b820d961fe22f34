//! The report and the other exports. The token needs the scope `export`.

use axum::{extract::State, response::Response};
use holdpoint_domain::ReviewId;
use holdpoint_service::{AsOf, Services};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    asked::{Id, Query},
    given::{Given, moment},
};
use crate::web::{
    WebError,
    api_caller::ApiCaller,
    reports::{ReportForm, send},
};

/// Whose report it is and who asks for it.
type Asked = (State<Services>, ApiCaller, Id<ReviewId>, Query<WhichReport>);

/// Which report of the review is meant.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WhichReport {
    /// `now` for a draft of now, the id of a release decision's sign-off, or the number of an export in the log. If not given, the
    /// report of the newest decision, and a draft while there is none. The header `Holdpoint-Report` of the answer says which it is.
    as_of: Option<String>,
}

/// The reports of a review's release decisions, each fixed when it was signed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DecidedReports {
    /// Oldest first. What came after the last is in the draft, `as_of=now`.
    reports: Vec<DecidedReport>,
    /// Whether the newest one's decision holds now.
    stands: bool,
    /// What has become since of the evidence behind the newest one: withdrawn, gone or damaged. A sentence each.
    evidence_since: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DecidedReport {
    /// For `as_of`: the sign-off that completed the decision.
    sign_off: String,
    /// go or no_go.
    decision: String,
    by: String,
    at: String,
    /// Of the decision in the log.
    log_sequence: i64,
    /// Of report.md.
    report_sha256: String,
}

/// The reports that decisions fixed.
#[utoipa::path(get, path = "/reviews/{id}/reports", tag = "Report", responses((status = 200, body = DecidedReports)))]
pub(super) async fn decided(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ReviewId>,
) -> Result<Response, WebError> {
    let decided = services.decided_reports(&caller, &id).await?;
    let reports = decided.reports.into_iter().map(|report| DecidedReport {
        sign_off: report.sign_off,
        decision: report.decision.as_str().to_owned(),
        by: report.by,
        at: moment(report.at),
        log_sequence: report.log_sequence,
        report_sha256: report.report_sha256,
    });
    let answer = DecidedReports {
        reports: reports.collect(),
        stands: decided.stands,
        evidence_since: decided.evidence_since,
    };
    Ok(Given::ok(&answer)?.answer())
}

async fn sent(
    (State(services), caller, Id(id), Query(which)): Asked,
    form: ReportForm,
) -> Result<Response, WebError> {
    let as_of = AsOf::parse(which.as_of.as_deref())?;
    send(&services, &caller, &id, &as_of, form).await
}

/// The report as Markdown: of the newest release decision, fixed when that was signed, or a draft.
#[utoipa::path(
    get, path = "/reviews/{id}/report.md", tag = "Report", params(WhichReport),
    responses((status = 200, body = String, content_type = "text/markdown"))
)]
pub(super) async fn markdown(asked: Asked) -> Result<Response, WebError> {
    sent(asked, ReportForm::Markdown).await
}

/// The report's SSH signature. A draft has none (404).
#[utoipa::path(
    get, path = "/reviews/{id}/report.md.sig", tag = "Report", params(WhichReport),
    responses((status = 200, body = String, content_type = "text/plain"))
)]
pub(super) async fn signature(asked: Asked) -> Result<Response, WebError> {
    sent(asked, ReportForm::Signature).await
}

/// Everything in the report, as JSON.
#[utoipa::path(get, path = "/reviews/{id}/report.json", tag = "Report", params(WhichReport), responses((status = 200, body = Object)))]
pub(super) async fn json(asked: Asked) -> Result<Response, WebError> {
    sent(asked, ReportForm::Json).await
}

/// The review's findings as SARIF 2.1.0.
#[utoipa::path(
    get, path = "/reviews/{id}/findings.sarif", tag = "Report", params(WhichReport),
    responses((status = 200, body = Object, content_type = "application/sarif+json"))
)]
pub(super) async fn sarif(asked: Asked) -> Result<Response, WebError> {
    sent(asked, ReportForm::Sarif).await
}

/// The review's findings as CSV.
#[utoipa::path(
    get, path = "/reviews/{id}/findings.csv", tag = "Report", params(WhichReport),
    responses((status = 200, body = String, content_type = "text/csv"))
)]
pub(super) async fn csv(asked: Asked) -> Result<Response, WebError> {
    sent(asked, ReportForm::Csv).await
}

/// Report, signature, evidence, patches, manifest and public key as one file. A draft has none.
#[utoipa::path(
    get, path = "/reviews/{id}/bundle.zip", tag = "Report", params(WhichReport),
    responses((status = 200, body = Vec<u8>, content_type = "application/zip"))
)]
pub(super) async fn bundle(asked: Asked) -> Result<Response, WebError> {
    sent(asked, ReportForm::Bundle).await
}
