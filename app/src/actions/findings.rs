//! Forms of findings: writing, editing, mapping to items, triage of one and of many, comments.

use leptos::prelude::*;

use super::ActionError;

#[cfg(feature = "ssr")]
use {
    super::{ActionContext, Notice},
    crate::{
        pages::findings::{n_findings, query::Query},
        paths,
    },
    holdpoint_domain::{FindingId, ItemId, ReviewId, TriageBatchId, text::Prose, triage::Request},
    holdpoint_service::{
        CommentOn, ServiceError,
        findings::{FindingFields, FindingRequest, Triage, TriageFields},
        triage::{Bulk, Chosen},
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
        severity_reason: String::new(),
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
    #[server(default)] severity_reason: String,
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
        severity_reason,
    };
    let outcome = async {
        let id = parse_finding(&finding)?;
        let request = FindingRequest::parse(&fields)?;
        let is_asked = cx
            .services
            .edit_finding(&cx.person, &id, version, request)
            .await?;
        let said = if is_asked {
            "The finding is changed, but for its severity: that waits for another person."
        } else {
            "The finding is changed."
        };
        Ok::<_, ServiceError>(Notice::new(said).at(page_of(&finding, &review)))
    }
    .await;
    let back = paths::with_query(&paths::edit_finding(&finding), &[("review", &review)]);
    cx.answer(outcome, back, &typed(&fields)).await
}

#[cfg(feature = "ssr")]
fn typed(fields: &FindingFields) -> [(&'static str, &str); 10] {
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
        ("severity_reason", &fields.severity_reason),
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
            Triage::Approve {
                only: Some(Request::RiskAccepted),
            } => "The risk is accepted until the date asked for.",
            Triage::Decline {
                only: Some(Request::RiskAccepted),
                ..
            } => "The risk is not accepted. The finding stays open.",
            Triage::Approve { .. } => "What was asked for is approved.",
            Triage::Decline { .. } => "What was asked for is declined. The finding stays open.",
            Triage::Withdraw { .. } => "What you asked for is withdrawn. The finding is open.",
            Triage::Reopen { .. } => "The finding is open again.",
            Triage::FalsePositive { .. } => {
                "The finding is a false positive. Scans will not reopen it."
            }
            Triage::Duplicate { .. } => "The finding is a duplicate. Scans will not reopen it.",
            Triage::Fixed { .. } => "The finding is fixed.",
        };
        let is_acceptance = matches!(triage, Triage::AskAcceptance { .. });
        let is_asked = cx
            .services
            .triage_finding(&cx.person, &id, version, triage)
            .await?;
        Ok::<_, ServiceError>(if is_asked && !is_acceptance {
            "A manager is asked to approve it, since the finding blocks. Until then it is open."
        } else {
            said
        })
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

/// Makes a patch of what the finding's scanner proposes; `fix` is its number, from 1.
#[server(prefix = "/act", endpoint = "findings/propose-fix")]
pub async fn propose_fix(
    #[server(default)] finding: String,
    #[server(default)] review: String,
    #[server(default)] fix: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let id = parse_finding(&finding)?;
        let of = ReviewId::parse(&review).ok_or(ServiceError::NotFound("This review"))?;
        let number = fix.parse().unwrap_or(0);
        let patch = cx
            .services
            .propose_fix(&cx.person, &of, &id, number)
            .await?;
        let notice = Notice::new("The fix is proposed as a patch.");
        Ok::<_, ServiceError>(notice.at(paths::patch(patch.as_str())))
    }
    .await;
    cx.answer(outcome, page_of(&finding, &review), &[]).await
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
/// shown, with a colon between; with `which` as `all` it is all that match the filter, of which there were `n`. `back` is
/// the query of the list. With `from` as `list` the form stood below the list, where not every field is; one that is empty
/// is then asked for on the page that follows, and not refused.
#[server(prefix = "/act", endpoint = "findings/triage-many")]
pub async fn triage_findings(
    #[server(default)] review: String,
    #[server(default)] chosen: Vec<String>,
    #[server(default)] which: String,
    #[server(default)] n: String,
    #[server(default)] action: String,
    #[server(default)] reason: String,
    #[server(default)] until: String,
    #[server(default)] duplicate_of: String,
    #[server(default)] item: String,
    #[server(default)] back: String,
    #[server(default)] from: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let list = list_address(&review, &back);
    let fields = TriageFields {
        action: action.clone(),
        reason: reason.clone(),
        until: until.clone(),
        duplicate_of: duplicate_of.clone(),
    };
    // What was not done stays chosen on the page that the refusal leads to, and is not all that match any more.
    let (mut left, mut left_of) = (chosen.clone(), which.clone());
    // What others ask is looked at, with who asks and why, before it is answered.
    let is_unseen = from == "list" && matches!(action.as_str(), "approve" | "decline");
    let outcome = async {
        let id = ReviewId::parse(&review).ok_or(ServiceError::NotFound("This review"))?;
        let asked = if which == "all" {
            let policy = cx.services.review(&cx.person, &id).await?.review.policy;
            Chosen::Matching {
                filter: Box::new(Query::of_text(&back).filter(&cx.person.id, &policy, cx.now)),
                n: n.parse().map_err(|_| {
                    ServiceError::rejected(
                        "chosen",
                        "Open the list again, then decide about all of it.",
                    )
                })?,
            }
        } else {
            these(&chosen)?
        };
        if is_unseen {
            return Err(ServiceError::rejected("action", ""));
        }
        let bulk = if action == "map" {
            Bulk::Map(ItemId::parse(&item).ok_or_else(|| {
                ServiceError::rejected("item", "Choose one of the review's items.")
            })?)
        } else {
            Bulk::Triage(Triage::parse(&fields)?)
        };
        let done = cx
            .services
            .triage_findings(&cx.person, &id, asked, bulk)
            .await?;
        if done.n_refused == 0 {
            let waits = match done.n_asked {
                n if n == 0 || action == "ask_acceptance" => String::new(),
                1 => " 1 of them blocks: it waits for another person and is open until then."
                    .to_owned(),
                n => format!(
                    " {n} of them block: they wait for another person and are open until then."
                ),
            };
            let said = format!("{}.{waits}", told(&action, done.n_done));
            return Ok(Notice::new(said).at(list.clone()));
        }
        let mut kept = Vec::new();
        for refused in &done.refused {
            let finding = parse_finding(&refused.finding)?;
            let view = cx.services.finding(&cx.person, &finding).await?;
            kept.push(format!("{finding}:{}", view.finding.version));
        }
        (left, left_of) = (kept, String::new());
        let mut sentences: Vec<_> = done
            .refused
            .iter()
            .map(|refused| format!("F-{}: {}", refused.number, refused.why))
            .collect();
        let n_more = done.n_refused - i64::try_from(done.refused.len()).unwrap_or(0);
        if n_more > 0 {
            sentences.push(format!("And {n_more} more."));
        }
        Err(ServiceError::rejected(
            "",
            format!(
                "Done: {} of {}. Not done: {}",
                done.n_done,
                done.n_done + done.n_refused,
                sentences.join(" ")
            ),
        ))
    }
    .await;
    let left = left.join(" ");
    let mut typed = vec![
        ("chosen", left.as_str()),
        ("which", &left_of),
        ("n", &n),
        ("action", &action),
        ("reason", &reason),
        ("until", &until),
        ("duplicate_of", &duplicate_of),
        ("item", &item),
        ("back", &back),
    ];
    // The list asks for no date; the page that follows proposes one.
    typed.retain(|(name, value)| *name != "until" || !value.is_empty());
    let page = paths::triage_many(&review);
    let is_empty = |field: &str| {
        let filled = |(name, value): &(&str, &str)| *name == field && !value.trim().is_empty();
        !field.is_empty() && !typed.iter().any(filled)
    };
    match outcome {
        Err(ServiceError::Rejected { field, .. })
            if is_unseen || (from == "list" && is_empty(field)) =>
        {
            cx.ask_more(&page, &typed).await
        }
        outcome => cx.answer(outcome, page, &typed).await,
    }
}

#[cfg(feature = "ssr")]
fn these(chosen: &[String]) -> Result<Chosen, ServiceError> {
    if chosen.is_empty() {
        return Err(ServiceError::rejected(
            "chosen",
            "Tick at least one finding in the list.",
        ));
    }
    if chosen.len() > MOST_AT_ONCE {
        let message = format!("At most {MOST_AT_ONCE} findings are ticked at once. Tick fewer.");
        return Err(ServiceError::rejected("chosen", message));
    }
    let these = chosen
        .iter()
        .filter_map(|entry| {
            let (id, version) = entry.split_once(':')?;
            Some((FindingId::parse(id)?, version.parse().ok()?))
        })
        .collect();
    Ok(Chosen::These(these))
}

#[cfg(feature = "ssr")]
fn told(action: &str, n: i64) -> String {
    if action == "approve" {
        let noun = if n == 1 { "finding" } else { "findings" };
        return format!("What was asked for is approved for {n} {noun}");
    }
    let noun = if n == 1 { "finding is" } else { "findings are" };
    let verb = match action {
        "map" => "mapped",
        "false_positive" => "called false positives",
        "duplicate" => "called duplicates",
        "ask_acceptance" => "waiting for somebody to accept their risk",
        "decline" => "open: what was asked for is declined",
        "fixed" => "called fixed",
        _ => "open again",
    };
    format!("{n} {noun} {verb}")
}

/// Takes a decision about many findings back. With `from` as `list` the form stood beside the list, of which `back` is the
/// query.
#[server(prefix = "/act", endpoint = "findings/undo-many")]
pub async fn undo_triage(
    #[server(default)] review: String,
    #[server(default)] batch: String,
    #[server(default)] from: String,
    #[server(default)] back: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let id = TriageBatchId::parse(&batch).ok_or(ServiceError::NotFound("This decision"))?;
        let done = cx.services.undo_triage(&cx.person, &id).await?;
        let mut said = format!("{} put back.", n_findings(done.n_done));
        if done.n_asked > 0 {
            said.push_str(&format!(
                " {} of that waits for another person and is open until then.",
                n_findings(done.n_asked)
            ));
        }
        if done.n_refused > 0 {
            let told: Vec<_> = done
                .refused
                .iter()
                .map(|refused| format!("F-{}: {}", refused.number, refused.why))
                .collect();
            let stay = match done.n_refused {
                1 => "1 finding changed since stays as it is.".to_owned(),
                n => format!("{n} findings changed since stay as they are."),
            };
            said.push_str(&format!(" {stay} {}", told.join(" ")));
        }
        Ok::<_, ServiceError>(said)
    }
    .await;
    let page = if from == "list" {
        list_address(&review, &back)
    } else {
        paths::decisions(&review)
    };
    cx.answer(outcome, page, &[("batch", &batch)]).await
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
