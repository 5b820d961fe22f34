//! Forms of findings: writing, editing, mapping to items, triage of one and of many, comments.

use leptos::prelude::*;

use super::ActionError;

#[cfg(feature = "ssr")]
use {
    super::{ActionContext, Notice},
    crate::paths,
    holdpoint_domain::{FindingId, ItemId, ReviewId, text::Prose},
    holdpoint_service::{
        CommentOn, ServiceError,
        findings::{FindingFields, FindingRequest, Triage, TriageFields},
    },
};

/// How many findings are triaged at once: as many as a page shows.
pub const MOST_AT_ONCE: usize = 200;

#[cfg(feature = "ssr")]
fn parse_finding(id: &str) -> Result<FindingId, ServiceError> {
    FindingId::parse(id).ok_or(ServiceError::NotFound("This finding"))
}

/// The page of a finding, seen from a review if one is named.
#[cfg(feature = "ssr")]
fn page_of(finding: &str, review: &str) -> String {
    paths::with_query(&paths::finding(finding), &[("review", review)])
}

/// Writes a finding by hand.
#[server(prefix = "/act", endpoint = "findings/write")]
pub async fn write_finding(
    #[server(default)] review: String,
    #[server(default)] title: String,
    #[server(default)] severity: String,
    #[server(default)] category: String,
    #[server(default)] problem: String,
    #[server(default)] remediation: String,
    #[server(default)] path: String,
    #[server(default)] start_line: String,
    #[server(default)] end_line: String,
    #[server(default)] snippet: String,
    #[server(default)] item: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let fields = FindingFields {
        title,
        severity,
        category,
        problem,
        remediation,
        path,
        start_line,
        end_line,
        snippet,
    };
    let outcome = async {
        let id = ReviewId::parse(&review).ok_or(ServiceError::NotFound("This review"))?;
        let request = FindingRequest::parse(&fields)?;
        let items: Vec<_> = match item.as_str() {
            "" => Vec::new(),
            item => vec![ItemId::parse(item).ok_or_else(|| {
                ServiceError::rejected("item", "Choose one of the review's items.")
            })?],
        };
        let finding = cx
            .services
            .write_finding(&cx.person, &id, request, &items)
            .await?;
        Ok::<_, ServiceError>(
            Notice::new("The finding is written.").at(page_of(finding.as_str(), &review)),
        )
    }
    .await;
    let mut typed = typed(&fields).to_vec();
    typed.push(("item", &item));
    cx.answer(outcome, paths::new_finding(&review), &typed)
        .await
}

/// Changes a finding that was written by hand, over the version that the person saw.
#[server(prefix = "/act", endpoint = "findings/edit")]
pub async fn edit_finding(
    #[server(default)] finding: String,
    #[server(default)] version: i64,
    #[server(default)] review: String,
    #[server(default)] title: String,
    #[server(default)] severity: String,
    #[server(default)] category: String,
    #[server(default)] problem: String,
    #[server(default)] remediation: String,
    #[server(default)] path: String,
    #[server(default)] start_line: String,
    #[server(default)] end_line: String,
    #[server(default)] snippet: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let fields = FindingFields {
        title,
        severity,
        category,
        problem,
        remediation,
        path,
        start_line,
        end_line,
        snippet,
    };
    let outcome = async {
        let id = parse_finding(&finding)?;
        let request = FindingRequest::parse(&fields)?;
        cx.services
            .edit_finding(&cx.person, &id, version, request)
            .await?;
        Ok::<_, ServiceError>(Notice::new("The finding is changed.").at(page_of(&finding, &review)))
    }
    .await;
    let back = paths::with_query(&paths::edit_finding(&finding), &[("review", &review)]);
    cx.answer(outcome, back, &typed(&fields)).await
}

#[cfg(feature = "ssr")]
fn typed(fields: &FindingFields) -> [(&'static str, &str); 9] {
    [
        ("title", &fields.title),
        ("severity", &fields.severity),
        ("category", &fields.category),
        ("problem", &fields.problem),
        ("remediation", &fields.remediation),
        ("path", &fields.path),
        ("start_line", &fields.start_line),
        ("end_line", &fields.end_line),
        ("snippet", &fields.snippet),
    ]
}

/// Decides about a finding, over the version that the person saw.
#[server(prefix = "/act", endpoint = "findings/triage")]
pub async fn triage_finding(
    #[server(default)] finding: String,
    #[server(default)] version: i64,
    #[server(default)] review: String,
    #[server(default)] action: String,
    #[server(default)] reason: String,
    #[server(default)] until: String,
    #[server(default)] duplicate_of: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let fields = TriageFields {
        action,
        reason,
        until,
        duplicate_of,
    };
    let outcome = async {
        let id = parse_finding(&finding)?;
        let triage = Triage::parse(&fields)?;
        let said = match &triage {
            Triage::AskAcceptance { .. } => {
                "A manager is asked to accept the risk. Until then the finding is open."
            }
            Triage::ApproveAcceptance => "The risk is accepted until the date asked for.",
            Triage::DeclineAcceptance { .. } => "The risk is not accepted. The finding stays open.",
            Triage::Reopen { .. } => "The finding is open again.",
            Triage::FalsePositive { .. } => {
                "The finding is a false positive. Scans will not reopen it."
            }
            Triage::Duplicate { .. } => "The finding is a duplicate. Scans will not reopen it.",
            Triage::Fixed { .. } => "The finding is fixed.",
        };
        cx.services
            .triage_finding(&cx.person, &id, version, triage)
            .await?;
        Ok::<_, ServiceError>(said)
    }
    .await;
    let back = page_of(&finding, &review);
    let typed = [
        ("action", fields.action.as_str()),
        ("reason", &fields.reason),
        ("until", &fields.until),
        ("duplicate_of", &fields.duplicate_of),
    ];
    cx.answer(outcome, back, &typed).await
}

/// Links a finding to an item, or takes the link away: `linked` is `yes` or `no`.
#[server(prefix = "/act", endpoint = "findings/map")]
pub async fn map_finding(
    #[server(default)] finding: String,
    #[server(default)] review: String,
    #[server(default)] item: String,
    #[server(default)] linked: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let id = parse_finding(&finding)?;
        let item = ItemId::parse(&item)
            .ok_or_else(|| ServiceError::rejected("item", "Choose one of the review's items."))?;
        let is_linked = linked == "yes";
        cx.services
            .map_finding(&cx.person, &id, &item, is_linked)
            .await?;
        Ok::<_, ServiceError>(if is_linked {
            "The finding belongs to the item now."
        } else {
            "The finding does not belong to the item any more."
        })
    }
    .await;
    let back = page_of(&finding, &review);
    cx.answer(outcome, back, &[("item", &item)]).await
}

/// Says something about a finding.
#[server(prefix = "/act", endpoint = "findings/comment")]
pub async fn comment_on_finding(
    #[server(default)] finding: String,
    #[server(default)] review: String,
    #[server(default)] body: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let id = parse_finding(&finding)?;
        let body = Prose::parse(&body).map_err(ServiceError::at("body"))?;
        cx.services
            .add_comment(&cx.person, &CommentOn::Finding(id), body)
            .await?;
        Ok::<_, ServiceError>("The comment is added.")
    }
    .await;
    let back = page_of(&finding, &review);
    cx.answer(outcome, back, &[("body", &body)]).await
}

/// Decides about many findings, or maps them to an item. Each of `chosen` is a finding's id and the version that was
/// shown, with a colon between. `back` is the query of the list that they were ticked in.
#[server(prefix = "/act", endpoint = "findings/triage-many")]
pub async fn triage_findings(
    #[server(default)] review: String,
    #[server(default)] chosen: Vec<String>,
    #[server(default)] action: String,
    #[server(default)] reason: String,
    #[server(default)] until: String,
    #[server(default)] duplicate_of: String,
    #[server(default)] item: String,
    #[server(default)] back: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let list = list_address(&review, &back);
    let fields = TriageFields {
        action: action.clone(),
        reason: reason.clone(),
        until: until.clone(),
        duplicate_of: duplicate_of.clone(),
    };
    // What was not done stays chosen on the page that the refusal leads to.
    let mut left = chosen.clone();
    let outcome = async {
        if chosen.is_empty() {
            return Err(ServiceError::rejected(
                "chosen",
                "Tick at least one finding in the list.",
            ));
        }
        if chosen.len() > MOST_AT_ONCE {
            let message =
                format!("At most {MOST_AT_ONCE} findings are triaged at once. Tick fewer.");
            return Err(ServiceError::rejected("chosen", message));
        }
        let decide = if action == "map" {
            let item = ItemId::parse(&item).ok_or_else(|| {
                ServiceError::rejected("item", "Choose one of the review's items.")
            })?;
            Err(item)
        } else {
            Ok(Triage::parse(&fields)?)
        };
        let mut refusals = Vec::new();
        let mut kept = Vec::new();
        for entry in &chosen {
            let Some((id, version)) = entry
                .split_once(':')
                .and_then(|(id, version)| Some((FindingId::parse(id)?, version.parse().ok()?)))
            else {
                continue;
            };
            let done = match &decide {
                Ok(triage) => {
                    cx.services
                        .triage_finding(&cx.person, &id, version, triage.clone())
                        .await
                }
                Err(item) => cx.services.map_finding(&cx.person, &id, item, true).await,
            };
            let why = match done {
                Ok(()) => continue,
                Err(ServiceError::Rejected { message, .. } | ServiceError::Forbidden(message)) => {
                    message
                }
                Err(ServiceError::Conflict(conflict)) => conflict.message,
                Err(ServiceError::NotFound(_)) => "It was not found.".to_owned(),
                Err(error) => return Err(error),
            };
            // The number is what people know it by.
            let number = match cx.services.finding(&cx.person, &id).await {
                Ok(view) => {
                    kept.push(format!("{id}:{}", view.finding.version));
                    format!("F-{}", view.finding.number)
                }
                Err(_) => "One finding".to_owned(),
            };
            refusals.push(format!("{number}: {why}"));
        }
        let n_done = chosen.len() - refusals.len();
        left = kept;
        if refusals.is_empty() {
            let noun = if n_done == 1 {
                "finding is"
            } else {
                "findings are"
            };
            let verb = match action.as_str() {
                "map" => "mapped",
                "false_positive" => "called false positives",
                "duplicate" => "called duplicates",
                "ask_acceptance" => "waiting for somebody to accept their risk",
                "approve_acceptance" => "accepted",
                "decline_acceptance" => "open: their risk is not accepted",
                "fixed" => "called fixed",
                _ => "open again",
            };
            return Ok(Notice::new(format!("{n_done} {noun} {verb}.")).at(list.clone()));
        }
        let message = format!(
            "{n_done} of {} are done. Not done: {}",
            chosen.len(),
            refusals.join(" ")
        );
        Err(ServiceError::rejected("", message))
    }
    .await;
    let left = left.join(" ");
    let typed = [
        ("chosen", left.as_str()),
        ("action", &action),
        ("reason", &reason),
        ("until", &until),
        ("duplicate_of", &duplicate_of),
        ("item", &item),
        ("back", &back),
    ];
    cx.answer(outcome, paths::triage_many(&review), &typed)
        .await
}

/// The list with the filter that a form came from; only ever that list.
#[cfg(feature = "ssr")]
fn list_address(review: &str, query: &str) -> String {
    let address = format!("{}?{query}", paths::findings(review));
    if query.is_empty() || !paths::is_local(&address) {
        paths::findings(review)
    } else {
        address
    }
}
