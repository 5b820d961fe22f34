//! Decisions about many findings, and taking one back.

use axum::{extract::State, response::Response};
use holdpoint_domain::{ReviewId, TriageBatchId};
use holdpoint_service::{
    ServiceError, Services,
    findings::Triage,
    triage::{Bulk, BulkTriage, Chosen},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    asked::{self, Id, Json, Key, Target},
    findings::{Decision, in_triage},
    given::{Given, Part, moment, once},
    wanted::Wanted,
};
use crate::web::{WebError, api_caller::ApiCaller};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SeenFinding {
    id: String,
    /// The version that was seen.
    version: i64,
}

/// Which findings: by the list's parameters, those that take several words as lists of them. What is asked for findings that
/// block is not approved in this way: name those by `findings`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MatchingFindings {
    /// critical, high, unrated, medium, low, info.
    #[serde(default)]
    severity: Vec<String>,
    /// open, fixed, false_positive, risk_accepted, duplicate.
    #[serde(default)]
    status: Vec<String>,
    /// Names of tools.
    #[serde(default)]
    tool: Vec<String>,
    /// What the scanner says: suppressed, review.
    #[serde(default)]
    scanner_state: Vec<String>,
    /// An item's id; `none` for findings linked to no item.
    item: Option<String>,
    /// code, dependency, secret, …
    #[serde(default)]
    category: Vec<String>,
    /// A rule's id, exactly.
    rule: Option<String>,
    /// What the path begins with.
    path: Option<String>,
    /// Ids of series.
    #[serde(default)]
    series: Vec<String>,
    /// A person's id, for those linked to an item of the review that the person owns.
    owner: Option<String>,
    /// Only open ones that are past the limit of their severity.
    #[serde(default)]
    late: bool,
    /// Only those of which somebody asks another to make something.
    #[serde(default)]
    asked: bool,
    /// Part of the title, rule, path, component or CVE.
    q: Option<String>,
    /// How many there were when it was looked at; with another number nothing is done.
    count: i64,
}

/// A decision about many findings: one of `findings` and `matching`, one of `triage` and `link`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Many {
    findings: Option<Vec<SeenFinding>>,
    matching: Option<MatchingFindings>,
    triage: Option<Decision>,
    /// The id of the item to link them to.
    link: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RefusedFinding {
    finding: String,
    number: i64,
    why: String,
}

/// What was done with many findings.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ManyDone {
    /// By which it can be taken back; null when nothing was done.
    batch: Option<String>,
    done: i64,
    /// Of those, how many are only asked for: they are open until another person has approved.
    asked: i64,
    refused: i64,
    /// The first of those that were refused.
    refusals: Vec<RefusedFinding>,
}

fn many_done(done: BulkTriage) -> ManyDone {
    ManyDone {
        batch: done.batch.map(|id| id.to_string()),
        done: done.n_done,
        asked: done.n_asked,
        refused: done.n_refused,
        refusals: done
            .refused
            .into_iter()
            .map(|refused| RefusedFinding {
                finding: refused.finding,
                number: refused.number,
                why: refused.why,
            })
            .collect(),
    }
}

async fn chosen(
    services: &Services,
    caller: &ApiCaller,
    review: &ReviewId,
    findings: Option<Vec<SeenFinding>>,
    matching: Option<MatchingFindings>,
) -> Result<Chosen, WebError> {
    match (findings, matching) {
        (Some(findings), None) => {
            if findings.is_empty() || findings.len() > 1_000 {
                return Err(WebError::Rejected {
                    field: "findings",
                    message: "Name 1 to 1,000 findings, or use `matching`.".to_owned(),
                });
            }
            let these = findings
                .iter()
                .map(|seen| {
                    let id = asked::id(&seen.id)?;
                    Ok((id, seen.version))
                })
                .collect::<Result<_, WebError>>()?;
            Ok(Chosen::These(these))
        }
        (None, Some(matching)) => {
            let wanted = Wanted {
                severity: matching.severity,
                status: matching.status,
                tool: matching.tool,
                scanner_state: matching.scanner_state,
                item: matching.item,
                category: matching.category,
                rule: matching.rule,
                path: matching.path,
                series: matching.series,
                owner: matching.owner,
                late: matching.late,
                asked: matching.asked,
                q: matching.q,
            };
            let filter = wanted.filter(services, caller, review, "matching.").await?;
            Ok(Chosen::Matching {
                filter: Box::new(filter),
                n: matching.count,
            })
        }
        _ => Err(WebError::Rejected {
            field: "findings",
            message: "Say which findings: by `findings` or by `matching`, one of them.".to_owned(),
        }),
    }
}

/// Decides about many findings of a review, or links them to an item, by the same rules as about one. What the rules refuse
/// stays as it is.
#[utoipa::path(
    post, path = "/reviews/{id}/triage", tag = "Findings", request_body = Many, responses((status = 200, body = ManyDone))
)]
pub(super) async fn decide(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ReviewId>,
    key: Key,
    asked: Json<Many>,
) -> Result<Response, WebError> {
    let Many {
        findings,
        matching,
        triage,
        link,
    } = asked.value;
    let chosen = chosen(&services, &caller, &id, findings, matching).await?;
    let bulk = match (triage, link) {
        (Some(decision), None) => {
            Bulk::Triage(Triage::parse(&decision.fields()).map_err(in_triage)?)
        }
        (None, Some(item)) => Bulk::Map(asked::id(&item)?),
        _ => {
            return Err(WebError::Rejected {
                field: "triage",
                message: "Say what to do: by `triage` or by `link`, one of them.".to_owned(),
            });
        }
    };
    let of_chosen = match &chosen {
        Chosen::Matching { .. } => "matching.count",
        Chosen::These(_) => "findings",
    };
    once(&services, &caller, &key, &asked.digest, async |services| {
        let done = services
            .triage_findings(&caller, &id, chosen.clone(), bulk.clone())
            .await;
        Given::ok(&many_done(
            done.map_err(|error| in_request(error, of_chosen))?,
        ))
    })
    .await
}

/// A refusal at the field of the request that it is about; `of_chosen` says which findings.
fn in_request(error: ServiceError, of_chosen: &str) -> WebError {
    let ServiceError::Rejected { field, message } = error else {
        return error.into();
    };
    let field = match field {
        "chosen" => of_chosen,
        "matching.item" | "matching.owner" | "matching.series" => field,
        "item" => "link",
        _ => return in_triage(ServiceError::Rejected { field, message }),
    };
    WebError::Field {
        field: field.to_owned(),
        message,
    }
}

/// A decision about many findings.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TriageBatch)]
pub(super) struct Batch {
    id: String,
    /// reopen, false_positive, duplicate, ask_acceptance, approve, decline, fixed or map; in old ones also
    /// approve_acceptance and decline_acceptance.
    action: String,
    summary: String,
    findings: i64,
    decided_at: String,
    decided_by: String,
    undone_at: Option<String>,
    undone_by: Option<String>,
}

/// The newest decisions about many findings of a review, at most 200.
#[utoipa::path(get, path = "/reviews/{id}/triage", tag = "Findings", responses((status = 200, body = Part<Batch>)))]
pub(super) async fn list(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ReviewId>,
) -> Result<Response, WebError> {
    let entries = services
        .triage_batches(&caller, &id, 200)
        .await?
        .into_iter()
        .map(|batch| Batch {
            id: batch.id.to_string(),
            action: batch.action,
            summary: batch.summary,
            findings: batch.n_changed,
            decided_at: moment(batch.decided_at),
            decided_by: batch.decided_by_name,
            undone_at: batch.undone_at.map(moment),
            undone_by: batch.undone_by_name,
        })
        .collect();
    Part::whole(entries).answer()
}

/// Puts every finding of a decision back to what it was before, but for those that were decided about since.
#[utoipa::path(post, path = "/triage/{id}/undo", tag = "Findings", responses((status = 200, body = ManyDone)))]
pub(super) async fn undo(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<TriageBatchId>,
    key: Key,
    target: Target,
) -> Result<Response, WebError> {
    once(
        &services,
        &caller,
        &key,
        &target.with_body(b""),
        async |services| Given::ok(&many_done(services.undo_triage(&caller, &id).await?)),
    )
    .await
}
