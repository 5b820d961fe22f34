//! Findings: reading them, writing them by hand, triage, mapping to items.

use axum::{extract::State, response::Response};
use holdpoint_domain::{FindingId, FindingStatus, ItemId, Millis, ReviewId, ScannerClaim};
use holdpoint_service::{
    ExportForm, FindingCursor, FindingLine, FindingSort, ServiceError, Services,
    findings::{
        self, FindingFields, FindingRequest, FindingView, ScannerDetails, Triage, TriageFields,
        recognised_by,
    },
    fixes::fixes_of,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    asked::{self, Id, IfMatch, Json, Key, Query},
    given::{Given, Part, moment, once},
    wanted::{Wanted, between_commas},
};
use crate::web::{WebError, api_caller::ApiCaller, reports};

/// A finding in a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FindingLine)]
pub(super) struct Line {
    id: String,
    /// Shown as F-1, F-2, … within the service.
    number: i64,
    title: String,
    /// critical, high, unrated, medium, low or info.
    severity: String,
    category: String,
    rule: Option<String>,
    /// Null for a finding written by hand.
    tool: Option<String>,
    path: Option<String>,
    start_line: Option<i64>,
    component: Option<String>,
    #[serde(flatten)]
    scanner: Claim,
    /// As it counts now: open, fixed, false_positive, risk_accepted or duplicate.
    status: String,
    /// What was decided and does not hold any more, so that it is open: risk_accepted or duplicate; else null.
    ended: Option<String>,
    /// The end of the time for which its risk was accepted, or is asked to be.
    accepted_until: Option<String>,
    /// The number of the finding that it repeats.
    duplicate_of: Option<i64>,
    /// What one person asks another to make of it: risk_accepted, false_positive, duplicate, fixed or severity; it is open
    /// until that is answered.
    asked_for: Option<String>,
    first_seen_at: String,
    last_seen_at: String,
    items: Vec<Linked>,
    has_patch: bool,
    /// How many tools report the same vulnerability in the same component, this one included.
    sources: i64,
}

/// What the scanner says of a finding beside that it is there. It decides nothing: `status` is what people decided.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FindingScannerClaim)]
pub(super) struct Claim {
    /// suppressed (hidden in the scanner) or review (the scanner asks a person to look); null if it says nothing.
    scanner_state: Option<String>,
    /// Of a suppression: in_source or external.
    suppression_kind: Option<String>,
    /// The justification of a suppression.
    suppression_reason: Option<String>,
}

fn claim(claim: Option<&ScannerClaim>) -> Claim {
    Claim {
        scanner_state: claim.map(|claim| claim.state.as_str().to_owned()),
        suppression_kind: claim
            .and_then(|claim| claim.kind)
            .map(|kind| kind.as_str().to_owned()),
        suppression_reason: claim.and_then(|claim| claim.reason.clone()),
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Linked {
    item: String,
    key: String,
}

/// The status as it counts now, and what was decided where that does not hold any more.
fn status(decided: FindingStatus, now: FindingStatus) -> (String, Option<String>) {
    let ended = (decided != now).then(|| decided.as_str().to_owned());
    (now.as_str().to_owned(), ended)
}

fn line(line: &FindingLine, now: Millis) -> Line {
    let (status, ended) = status(line.status, line.status_at(now));
    Line {
        id: line.id.to_string(),
        number: line.number,
        title: line.title.clone(),
        severity: line.severity.as_str().to_owned(),
        category: line.category.clone(),
        rule: line.rule.clone(),
        tool: line.tool.clone(),
        path: line.path.clone(),
        start_line: line.start_line,
        component: line.component.clone(),
        scanner: claim(line.claim.as_ref()),
        status,
        ended,
        accepted_until: line.accepted_until.map(moment),
        duplicate_of: line.duplicate_of,
        asked_for: line.asked.map(|asked| asked.as_str().to_owned()),
        first_seen_at: moment(line.first_seen_at),
        last_seen_at: moment(line.last_seen_at),
        items: line
            .items
            .iter()
            .map(|(item, key)| Linked {
                item: item.clone(),
                key: key.clone(),
            })
            .collect(),
        has_patch: line.has_patch,
        sources: line.n_sources,
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Finding {
    id: String,
    number: i64,
    service: String,
    /// The review that it was written for; null for a scanner's.
    review: Option<String>,
    title: String,
    /// Markdown.
    description: String,
    /// What the tool says about this very place.
    message: String,
    /// Markdown.
    remediation: String,
    severity: String,
    category: String,
    rule: Option<String>,
    rule_name: Option<String>,
    help_url: Option<String>,
    path: Option<String>,
    start_line: Option<i64>,
    end_line: Option<i64>,
    snippet: Option<String>,
    cve: Vec<String>,
    cwe: Vec<i64>,
    aliases: Vec<String>,
    component: Option<String>,
    component_version: Option<String>,
    fixed_version: Option<String>,
    #[serde(flatten)]
    scanner: Claim,
    /// As it counts now.
    status: String,
    /// What was decided and does not hold any more, so that it is open: risk_accepted or duplicate; else null.
    ended: Option<String>,
    status_reason: String,
    status_by: Option<String>,
    status_at: Option<String>,
    duplicate_of: Option<i64>,
    /// The numbers of the findings that are duplicates of this one, at most 200.
    duplicates: Vec<i64>,
    /// The same vulnerability in the same component, as other tools report it: of each the first twenty.
    same_issue: Vec<SameIssue>,
    accepted_until: Option<String>,
    /// Whether the finding says something else than what was accepted, so that the acceptance does not hold.
    acceptance_outgrown: bool,
    /// Who had asked for it to be accepted, or asks for what `asked_for` says.
    acceptance_requested_by: Option<String>,
    /// What one person asks another to make of it: risk_accepted, false_positive, duplicate, fixed or severity. Until
    /// somebody approves or declines, the finding is open. Null where nobody asks.
    asked_for: Option<String>,
    /// Where another severity is asked for.
    asked_severity: Option<String>,
    /// Of a severity that a person changed: what it was before the first change.
    severity_was: Option<String>,
    severity_by: Option<String>,
    severity_reason: Option<String>,
    first_seen_at: String,
    last_seen_at: String,
    fixed_at: Option<String>,
    written_by: Option<String>,
    items: Vec<LinkedItem>,
    /// What the scanner proposes to change.
    fixes: Vec<Fix>,
    /// Null for a finding written by hand.
    tool: Option<String>,
    /// The label of its series, and its id.
    series: Option<String>,
    series_id: Option<String>,
    /// The scans that had it first and last.
    first_scan: Option<String>,
    last_scan: Option<String>,
    /// The scan that last said something new of it, and the place in that scan's file.
    pointer_scan: Option<String>,
    pointer: Option<String>,
    /// What it is recognised by in later scans, as a sentence.
    recognised_by: Option<String>,
    /// Where the same problem has to be mended too.
    other_places: Vec<Place>,
    related: Vec<Place>,
    /// The ways on which the problem comes about.
    code_flows: Vec<CodeFlow>,
    /// What scans changed about it, the newest first, at most 500.
    history: Vec<Observation>,
    version: i64,
}

/// A place in a file, with what the scanner says about it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FindingPlace)]
pub(super) struct Place {
    path: Option<String>,
    start_line: Option<u32>,
    end_line: Option<u32>,
    start_column: Option<u32>,
    message: Option<String>,
    snippet: Option<String>,
}

fn places(places: Vec<findings::Place>) -> Vec<Place> {
    let shown = places.into_iter().map(|place| {
        let findings::Place {
            path,
            start_line,
            end_line,
            start_column,
            message,
            snippet,
        } = place;
        Place {
            path,
            start_line,
            end_line,
            start_column,
            message,
            snippet,
        }
    });
    shown.collect()
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FindingCodeFlow)]
pub(super) struct CodeFlow {
    message: Option<String>,
    steps: Vec<Place>,
}

/// What one scan changed about a finding. Scans that saw it unchanged are not listed, nor the one that was simply its first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FindingObservation)]
pub(super) struct Observation {
    scan: String,
    at: String,
    tool: String,
    series: String,
    commit: Option<String>,
    /// new, moved, reopened, fixed or no_longer_seen
    change: String,
    /// Why it was recognised, or is gone, as a sentence.
    why: String,
    was_path: Option<String>,
    was_line: Option<i64>,
    path: Option<String>,
    line: Option<i64>,
}

/// A change that the scanner proposes. `POST /findings/{id}/fixes/{n}/patch` makes a patch of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FindingFix)]
pub(super) struct Fix {
    /// From 1.
    number: usize,
    description: Option<String>,
    /// As a unified diff; null where the report does not show the lines that change.
    diff: Option<String>,
    /// Why there is no diff.
    no_diff_because: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SameIssue {
    finding: String,
    number: i64,
    tool: String,
    status: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LinkedItem {
    review: String,
    item: String,
    key: String,
    title: String,
    /// The mapping rule that made the link; null for a link made by hand.
    rule: Option<String>,
}

fn finding(view: &FindingView, now: Millis) -> Finding {
    let of = &view.finding;
    let said = ScannerDetails::of(of);
    let (status, ended) = status(of.status, of.status_at(now));
    Finding {
        id: of.id.to_string(),
        number: of.number,
        service: view.service_slug.clone(),
        review: of.review.as_ref().map(ToString::to_string),
        title: of.title.clone(),
        description: of.description.clone(),
        message: of.message.clone(),
        remediation: of.remediation.clone(),
        severity: of.severity.as_str().to_owned(),
        category: of.category.clone(),
        rule: of.rule.clone(),
        rule_name: of.rule_name.clone(),
        help_url: of.help_url.clone(),
        path: of.path.clone(),
        start_line: of.start_line,
        end_line: of.end_line,
        snippet: of.snippet.clone(),
        cve: of.cve.clone(),
        cwe: of.cwe.clone(),
        aliases: of.aliases.clone(),
        component: of.component.clone(),
        component_version: of.component_version.clone(),
        fixed_version: of.fixed_version.clone(),
        scanner: claim(of.claim.as_ref()),
        status,
        ended,
        status_reason: of.status_reason.clone(),
        status_by: of.status_by_name.clone(),
        status_at: of.status_at.map(moment),
        duplicate_of: of.duplicate_of,
        duplicates: view.duplicates.entries.iter().map(|of| of.number).collect(),
        same_issue: view
            .same_issue
            .iter()
            .map(|same| SameIssue {
                finding: same.id.to_string(),
                number: same.number,
                tool: same.tool.clone(),
                status: same.status.as_str().to_owned(),
            })
            .collect(),
        accepted_until: of.accepted_until.map(moment),
        acceptance_outgrown: of.has_outgrown_acceptance(),
        acceptance_requested_by: of.acceptance_requested_by_name.clone(),
        asked_for: of.asked.map(|asked| asked.as_str().to_owned()),
        asked_severity: of
            .asked_severity
            .map(|severity| severity.as_str().to_owned()),
        severity_was: (of.severity_change.as_ref()).map(|change| change.was.as_str().to_owned()),
        severity_by: (of.severity_change.as_ref()).and_then(|change| change.by_name.clone()),
        severity_reason: (of.severity_change.as_ref()).map(|change| change.reason.clone()),
        first_seen_at: moment(of.first_seen_at),
        last_seen_at: moment(of.last_seen_at),
        fixed_at: of.fixed_at.map(moment),
        written_by: of.created_by_name.clone(),
        items: view
            .items
            .iter()
            .map(|linked| LinkedItem {
                review: linked.review_id.clone(),
                item: linked.item_id.clone(),
                key: linked.key.clone(),
                title: linked.title.clone(),
                rule: linked.rule_id.clone(),
            })
            .collect(),
        fixes: fixes_of(of, "", &[])
            .into_iter()
            .map(|offered| Fix {
                number: offered.number,
                description: offered.fix.description,
                no_diff_because: offered.diff.as_ref().err().cloned(),
                diff: offered.diff.ok().map(|diff| diff.text),
            })
            .collect(),
        tool: of.tool.clone(),
        series: of.label.clone(),
        series_id: of.series.as_ref().map(ToString::to_string),
        first_scan: of.first_scan.clone(),
        last_scan: of.last_scan.clone(),
        pointer_scan: of.pointer_scan.clone(),
        pointer: of.pointer.clone().filter(|pointer| !pointer.is_empty()),
        recognised_by: recognised_by(of),
        other_places: places(said.other_places),
        related: places(said.related),
        code_flows: said
            .code_flows
            .into_iter()
            .map(|flow| CodeFlow {
                message: flow.message,
                steps: places(flow.steps),
            })
            .collect(),
        history: view
            .history
            .entries
            .iter()
            .map(|seen| Observation {
                scan: seen.scan_id.clone(),
                at: moment(seen.imported_at),
                tool: seen.tool.clone(),
                series: seen.label.clone(),
                commit: seen.commit_id.clone(),
                change: seen.outcome.clone(),
                why: seen.why.clone(),
                was_path: seen.was_path.clone(),
                was_line: seen.was_start_line,
                path: seen.path.clone(),
                line: seen.start_line,
            })
            .collect(),
        version: of.version,
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct List {
    /// critical, high, unrated, medium, low, info; several with commas.
    severity: Option<String>,
    /// open, fixed, false_positive, risk_accepted, duplicate; several with commas.
    status: Option<String>,
    /// Names of tools, with commas between them.
    tool: Option<String>,
    /// What the scanner says: suppressed, review; both with a comma.
    scanner_state: Option<String>,
    /// An item's id, for those linked to it; `none` for those linked to no item.
    item: Option<String>,
    /// code, dependency, secret, …; several with commas.
    category: Option<String>,
    /// A rule's id, exactly.
    rule: Option<String>,
    /// What the path begins with.
    path: Option<String>,
    /// Ids of series, with commas between them.
    series: Option<String>,
    /// A person's id, for those linked to an item of the review that the person owns.
    owner: Option<String>,
    /// true: only open ones that are past the limit of their severity.
    late: Option<String>,
    /// true: only those of which somebody asks another to make something.
    asked: Option<String>,
    /// Part of the title, rule, path, component or CVE.
    q: Option<String>,
    /// severity (the default), number, path, title, newest, oldest, last-seen, status, scanner, mildest, limit, item; path-down,
    /// title-down, status-down, scanner-down, last-seen-up, limit-down and item-down for the other way round.
    sort: Option<String>,
    /// `csv` or `sarif`: everything that fits as one file, instead of a part of it as JSON. `limit` and `cursor` do not count.
    format: Option<String>,
    /// From 1 to 200; 50 if not given.
    limit: Option<String>,
    /// `next_cursor` of the part before.
    cursor: Option<String>,
}

/// The findings that count for a review: those of its service's scans, and those written for it.
#[utoipa::path(
    get, path = "/reviews/{id}/findings", tag = "Findings", params(List), responses((status = 200, body = Part<Line>))
)]
pub(super) async fn list(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ReviewId>,
    Query(asked): Query<List>,
) -> Result<Response, WebError> {
    let limit = asked::limit(asked.limit.as_deref())?;
    let filter = Wanted {
        severity: between_commas(asked.severity.as_deref()),
        status: between_commas(asked.status.as_deref()),
        tool: between_commas(asked.tool.as_deref()),
        scanner_state: between_commas(asked.scanner_state.as_deref()),
        item: asked.item,
        category: between_commas(asked.category.as_deref()),
        rule: asked.rule,
        path: asked.path,
        series: between_commas(asked.series.as_deref()),
        owner: asked.owner,
        late: asked::flag("late", asked.late.as_deref())?,
        asked: asked::flag("asked", asked.asked.as_deref())?,
        q: asked.q,
    };
    let filter = filter.filter(&services, &caller, &id, "").await?;
    let sort = match asked.sort.as_deref() {
        None => FindingSort::default(),
        Some(text) => FindingSort::parse(text).ok_or_else(|| WebError::Rejected {
            field: "sort",
            message: format!("Choose one of {}.", FindingSort::words()),
        })?,
    };
    if let Some(format) = asked.format.as_deref() {
        let form = match format {
            "csv" => ExportForm::Csv,
            "sarif" => ExportForm::Sarif,
            _ => {
                return Err(WebError::Rejected {
                    field: "format",
                    message: "Choose csv or sarif.".to_owned(),
                });
            }
        };
        let export = services
            .export_findings(&caller, &id, filter, sort, form)
            .await?;
        return Ok(reports::written(export));
    }
    let from = asked::cursor(asked.cursor.as_deref(), |text| {
        FindingCursor::parse(text, sort)
    })?;
    let page = services
        .findings_of_review(&caller, &id, &filter, sort, limit, from.as_ref())
        .await?;
    let now = services.now();
    let part = Part {
        entries: page.lines.iter().map(|of| line(of, now)).collect(),
        next_cursor: page.next.map(|next| next.encoded()),
    };
    part.answer()
}

/// A finding with its links, what its scanner says beside it, and what scans changed about it.
#[utoipa::path(get, path = "/findings/{id}", tag = "Findings", responses((status = 200, body = Finding)))]
pub(super) async fn show(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<FindingId>,
) -> Result<Response, WebError> {
    Ok(answer(&services, &caller, &id).await?.answer())
}

async fn answer(
    services: &Services,
    caller: &ApiCaller,
    id: &FindingId,
) -> Result<Given, WebError> {
    let view = services.finding(caller, id).await?;
    let given = Given::ok(&finding(&view, services.now()))?;
    Ok(given.version(view.finding.version))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewFinding)]
pub(super) struct New {
    review: String,
    title: String,
    /// critical, high, unrated, medium, low or info.
    severity: String,
    /// code, configuration, documentation, dependency, secret, container, web, operations, licence or style.
    category: String,
    /// Markdown.
    problem: String,
    /// Markdown.
    #[serde(default)]
    remediation: String,
    #[serde(default)]
    path: String,
    start_line: Option<u32>,
    end_line: Option<u32>,
    #[serde(default)]
    snippet: String,
    /// The ids of the items that it is linked to.
    #[serde(default)]
    items: Vec<String>,
}

/// A finding written by hand.
#[utoipa::path(post, path = "/findings", tag = "Findings", request_body = New, responses((status = 201, body = Finding)))]
pub(super) async fn write(
    State(services): State<Services>,
    caller: ApiCaller,
    key: Key,
    asked: Json<New>,
) -> Result<Response, WebError> {
    let new = asked.value;
    let review = ReviewId::parse(&new.review).ok_or(WebError::NotFound("This review"))?;
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    let fields = FindingFields {
        title: new.title,
        severity: new.severity,
        category: new.category,
        problem: new.problem,
        remediation: new.remediation,
        path: new.path,
        start_line: number(new.start_line),
        end_line: number(new.end_line),
        snippet: new.snippet,
        severity_reason: String::new(),
    };
    let request = FindingRequest::parse(&fields)?;
    let items = items_of("items", &new.items)?;
    once(&services, &caller, &key, &asked.digest, async |services| {
        let id = services
            .write_finding(&caller, &review, request.clone(), &items)
            .await?;
        let view = services.finding(&caller, &id).await?;
        Ok(
            Given::created(format!("/findings/{id}"), &finding(&view, services.now()))?
                .version(view.finding.version),
        )
    })
    .await
}

fn items_of(field: &'static str, ids: &[String]) -> Result<Vec<ItemId>, WebError> {
    if ids.len() > asked::MOST_AT_ONCE {
        let message = format!("At most {} items at once.", asked::MOST_AT_ONCE);
        return Err(WebError::Rejected { field, message });
    }
    let unknown = || WebError::Rejected {
        field,
        message: "This is no item's id.".to_owned(),
    };
    ids.iter()
        .map(|id| ItemId::parse(id).ok_or_else(unknown))
        .collect()
}

/// Either a decision about the finding, or links to items and their removal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FindingChange)]
pub(super) struct Change {
    triage: Option<Decision>,
    /// Ids of items to link it to.
    #[serde(default)]
    link: Vec<String>,
    /// Ids of items to take it off.
    #[serde(default)]
    unlink: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Triage)]
pub(super) struct Decision {
    /// reopen, false_positive, duplicate, ask_acceptance, approve, decline, withdraw or fixed. Where the finding is of a severity
    /// that blocks, false_positive, duplicate and fixed only ask for it, until another person approves; ask_acceptance always
    /// does. Whoever asked can withdraw it, one finding at a time. approve_acceptance and decline_acceptance answer only who
    /// asked for the risk to be accepted.
    action: String,
    #[serde(default)]
    reason: String,
    /// For ask_acceptance: the last day, `YYYY-MM-DD`.
    #[serde(default)]
    until: String,
    /// For duplicate: the number of the finding that it repeats.
    duplicate_of: Option<i64>,
}

impl Decision {
    pub(super) fn fields(self) -> TriageFields {
        TriageFields {
            action: self.action,
            reason: self.reason,
            until: self.until,
            duplicate_of: self
                .duplicate_of
                .map(|number| number.to_string())
                .unwrap_or_default(),
        }
    }
}

/// Decides about a finding, or maps it to items.
#[utoipa::path(
    patch, path = "/findings/{id}", tag = "Findings", request_body = Change, responses((status = 200, body = Finding))
)]
pub(super) async fn change(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<FindingId>,
    IfMatch(version): IfMatch,
    asked: Json<Change>,
) -> Result<Response, WebError> {
    let change = &asked.value;
    let (link, unlink) = (
        items_of("link", &change.link)?,
        items_of("unlink", &change.unlink)?,
    );
    once(
        &services,
        &caller,
        &Key(None),
        &asked.digest,
        async |services| {
            match (&change.triage, link.is_empty() && unlink.is_empty()) {
                (Some(decision), true) => {
                    let triage = Triage::parse(&decision.clone().fields()).map_err(in_triage)?;
                    services
                        .triage_finding(&caller, &id, version, triage)
                        .await
                        .map_err(in_triage)?;
                }
                (None, false) => {
                    services
                        .map_finding_to(&caller, &id, version, &link, &unlink)
                        .await?;
                }
                (None, true) => {
                    let message =
                        "There is nothing to change. Send `triage`, `link` or `unlink`.".to_owned();
                    return Err(WebError::Rejected { field: "", message });
                }
                (Some(_), false) => {
                    let message =
                        "Triage and links change by a request of their own each.".to_owned();
                    return Err(WebError::Rejected {
                        field: "triage",
                        message,
                    });
                }
            }
            answer(&services, &caller, &id).await
        },
    )
    .await
}

/// The service names the fields of a form; here they are inside `triage`.
pub(super) fn in_triage(error: ServiceError) -> WebError {
    match error {
        ServiceError::Rejected { field, message } if !field.is_empty() => WebError::Field {
            field: format!("triage.{field}"),
            message,
        },
        error => error.into(),
    }
}
