//! The gate: the verdict with its reasons, for CI jobs, and as a badge.

use std::{collections::BTreeMap, fmt::Write as _};

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use holdpoint_app::paths;
use holdpoint_domain::{
    Outcome, ReviewId,
    verdict::{Reason, ReasonKind, Verdict},
};
use holdpoint_service::{Services, standing::ReviewStanding};
use http::header;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    asked::Id,
    given::{Given, moment},
    reviews::VoidRelease,
};
use crate::web::{AppState, WebError, api_caller::ApiCaller};

/// May the release go? Computed from what is stored now, with nothing kept in between.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Gate {
    review: Reviewed,
    /// go, go_with_waivers or no_go.
    outcome: String,
    /// Whether it may go, with waivers or without.
    go: bool,
    /// Why not; empty exactly when it may go. Of each kind at most the first 50: `n_reasons` counts all.
    reasons: Vec<GateReason>,
    /// How many reasons there are of each kind.
    n_reasons: BTreeMap<String, usize>,
    /// What a release with waivers goes on without, at most the first 50 of each kind.
    waivers: Vec<GateReason>,
    /// How many of those there are of each kind.
    n_waivers: BTreeMap<String, usize>,
    /// Findings beside those: how many, and the list that has every one of them, page by page.
    more: Vec<More>,
    /// What its approvers have signed: go or no_go; null while they have not.
    release_decision: Option<String>,
    /// What they had signed before, if that is void since the review has changed; null while a decision stands.
    void_decision: Option<VoidRelease>,
    as_of: String,
    /// The newest signed head of the activity log, a C2SP checkpoint; null while none was signed. Keep it:
    /// `holdpoint log verify --against` shows later whether the log was cut or rewritten.
    checkpoint: Option<String>,
}

/// The verdict as a badge: what a badge service (shields.io, "endpoint") takes, and the log's newest head.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Badge {
    /// Always 1.
    schema_version: u32,
    label: String,
    /// GO, GO WITH WAIVERS or NO-GO.
    message: String,
    color: String,
    /// The newest signed head of the activity log, a C2SP checkpoint; null while none was signed.
    checkpoint: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GateReview)]
pub(super) struct Reviewed {
    id: String,
    service: String,
    title: String,
    release: String,
    commit: Option<String>,
    /// Its readiness page.
    url: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GateReason {
    /// no_items, release_no_go, commit_unknown, finding_open, finding_late, acceptance_expired, item_failed, waiver_expired,
    /// sign_off_damaged, sign_off_void, sign_off_missing, item_undecided, evidence_damaged, evidence_missing, evidence_stale,
    /// scan_missing, scan_incomplete or deliverable_open.
    kind: String,
    /// item, finding, scan, deliverable or review.
    subject_kind: String,
    /// Its id; of a missing scan the series asked for.
    subject: String,
    title: String,
    why: String,
    /// Who can clear it.
    who: Vec<String>,
    /// The page where it can be cleared.
    url: String,
}

/// Findings that are reasons or waivers too, and are not named one by one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GateMore)]
pub(super) struct More {
    /// As a reason's.
    kind: String,
    /// Whether these are waivers.
    is_waiver: bool,
    n: usize,
    /// The first page of a list that holds them, those above and others of the review included; it goes on by its `next_cursor`.
    next: String,
}

/// What of findings is not named, and where it is listed.
fn more(standing: &ReviewStanding, address: &str) -> Vec<More> {
    let (review, verdict) = (&standing.review.id, &standing.verdict);
    let severities: Vec<_> = standing
        .policy
        .blocking()
        .iter()
        .map(|severity| severity.as_str())
        .collect();
    let blocking = format!("&severity={}", severities.join(","));
    let kinds = [
        (ReasonKind::FindingOpen, false, "open", blocking.as_str()),
        (ReasonKind::FindingLate, false, "open", "&late=true"),
        (ReasonKind::AcceptanceExpired, false, "open", &blocking),
        (ReasonKind::FindingOpen, true, "risk_accepted", &blocking),
    ];
    kinds
        .into_iter()
        .filter_map(|(kind, is_waiver, status, filter)| {
            let (all, given) = if is_waiver {
                (verdict.n_more_waivers(), &verdict.waivers)
            } else {
                (verdict.n_more_of(kind), &verdict.reasons)
            };
            let is_of_kind =
                |reason: &&Reason| reason.kind == kind && reason.subject_kind == "finding";
            let n_given = given.iter().filter(is_of_kind).count();
            let n_named = first_of_each_kind(given).filter(is_of_kind).count();
            let n = all + n_given - n_named;
            (n > 0).then(|| More {
                kind: kind.as_str().to_owned(),
                is_waiver,
                n,
                next: format!(
                    "{address}{}/reviews/{review}/findings?status={status}{filter}",
                    super::ROOT
                ),
            })
        })
        .collect()
}

fn reason(reason: &Reason, review: &str, address: &str) -> GateReason {
    let page = match reason.subject_kind.as_str() {
        "item" => paths::item(&reason.subject),
        "finding" => paths::finding(&reason.subject),
        "scan" => paths::scans(review),
        _ => paths::review(review),
    };
    GateReason {
        kind: reason.kind.as_str().to_owned(),
        subject_kind: reason.subject_kind.clone(),
        subject: reason.subject.clone(),
        title: reason.title.clone(),
        why: reason.why.clone(),
        who: reason.who.clone(),
        url: format!("{address}{page}"),
    }
}

/// As many reasons of one kind are named: a hundred thousand findings may hold a release back, and a pipeline waits for the answer.
const MOST_OF_A_KIND: usize = 50;

fn first_of_each_kind(reasons: &[Reason]) -> impl Iterator<Item = &Reason> {
    let mut n_of_kind: BTreeMap<&str, usize> = BTreeMap::new();
    reasons.iter().filter(move |reason| {
        let n = n_of_kind.entry(reason.kind.as_str()).or_default();
        *n += 1;
        *n <= MOST_OF_A_KIND
    })
}

/// How many of each kind there are, named or not.
fn counts(verdict: &Verdict, of: &[Reason], are_waivers: bool) -> BTreeMap<String, usize> {
    let mut n_of_kind = BTreeMap::new();
    let named = of.iter().map(|reason| (reason.kind, 1));
    let more = verdict.more.iter();
    let more = more.filter(|more| more.is_waiver == are_waivers);
    for (kind, n) in named.chain(more.map(|more| (more.kind, more.n))) {
        *n_of_kind.entry(kind.as_str().to_owned()).or_default() += n;
    }
    n_of_kind
}

/// The verdict on a review, with its reasons.
#[utoipa::path(get, path = "/reviews/{id}/gate", tag = "Gate", responses((status = 200, body = Gate)))]
pub(super) async fn gate(
    State(state): State<AppState>,
    caller: ApiCaller,
    Id(id): Id<ReviewId>,
) -> Result<Response, WebError> {
    let standing = state.services.review_standing(&caller, &id).await?;
    let (review, verdict, address) = (&standing.review, &standing.verdict, state.address());
    let reasons = |of: &[Reason]| {
        first_of_each_kind(of)
            .map(|one| reason(one, &review.id, &address))
            .collect()
    };
    let gate = Gate {
        review: Reviewed {
            id: review.id.clone(),
            service: review.service_slug.clone(),
            title: review.title.clone(),
            release: review.release.clone(),
            commit: review.commit_id.clone(),
            url: format!("{address}{}", paths::review(&review.id)),
        },
        outcome: verdict.outcome.as_str().to_owned(),
        go: verdict.outcome != Outcome::NoGo,
        reasons: reasons(&verdict.reasons),
        n_reasons: counts(verdict, &verdict.reasons, false),
        waivers: reasons(&verdict.waivers),
        n_waivers: counts(verdict, &verdict.waivers, true),
        more: more(&standing, &address),
        release_decision: standing
            .release
            .decided
            .map(|decided| decided.as_str().to_owned()),
        void_decision: standing.release.void.as_ref().map(VoidRelease::of),
        as_of: moment(standing.as_of),
        checkpoint: state.services.log_checkpoint().await?,
    };
    Ok(Given::ok(&gate)?.answer())
}

/// The verdict as a picture.
#[utoipa::path(
    get, path = "/reviews/{id}/badge.svg", tag = "Gate",
    responses((status = 200, body = String, content_type = "image/svg+xml"))
)]
pub(super) async fn badge(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ReviewId>,
) -> Result<Response, WebError> {
    let standing = services.review_standing(&caller, &id).await?;
    let svg = svg(standing.verdict.outcome);
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], svg).into_response())
}

/// The verdict as a badge, for programs that draw it themselves.
#[utoipa::path(get, path = "/reviews/{id}/badge.json", tag = "Gate", responses((status = 200, body = Badge)))]
pub(super) async fn badge_json(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ReviewId>,
) -> Result<Response, WebError> {
    let outcome = services
        .review_standing(&caller, &id)
        .await?
        .verdict
        .outcome;
    let badge = Badge {
        schema_version: 1,
        label: "Holdpoint".to_owned(),
        message: outcome.label().to_owned(),
        color: colour(outcome).to_owned(),
        checkpoint: services.log_checkpoint().await?,
    };
    Ok(Given::ok(&badge)?.answer())
}

const fn colour(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Go => "#1a7f37",
        Outcome::GoWithWaivers => "#8a5a00",
        Outcome::NoGo => "#b3261e",
    }
}

/// Word and colour both say it; the text's width is given, so that it fits whatever font is there.
fn svg(outcome: Outcome) -> String {
    const LEFT: usize = 70;
    let label = outcome.label();
    let colour = colour(outcome);
    let text = label.len() * 7;
    let right = text + 16;
    let width = LEFT + right;
    let mut svg = String::new();
    write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"20\" role=\"img\" aria-label=\"Holdpoint: {label}\">\
         <title>Holdpoint: {label}</title>\
         <rect width=\"{LEFT}\" height=\"20\" fill=\"#3b4048\"/><rect x=\"{LEFT}\" width=\"{right}\" height=\"20\" fill=\"{colour}\"/>\
         <g fill=\"#fff\" font-family=\"Verdana, DejaVu Sans, sans-serif\" font-size=\"11\">\
         <text x=\"8\" y=\"14\" textLength=\"54\">Holdpoint</text>\
         <text x=\"{at}\" y=\"14\" textLength=\"{text}\" font-weight=\"bold\">{label}</text></g></svg>",
        at = LEFT + 8,
    )
    .expect("a string takes whatever is written");
    svg
}

#[cfg(test)]
mod tests {
    use holdpoint_domain::{Severity, verdict::MoreReasons};

    use super::*;

    #[test]
    fn a_hundred_thousand_reasons_are_counted_and_the_first_named() {
        let reason = |kind, n: usize| Reason {
            kind,
            subject_kind: "finding".to_owned(),
            subject: n.to_string(),
            title: format!("F-{n}"),
            why: "Critical, open.".to_owned(),
            who: Vec::new(),
        };
        let mut reasons: Vec<_> = (0..100_000)
            .map(|n| reason(ReasonKind::FindingOpen, n))
            .collect();
        reasons.push(reason(ReasonKind::ItemUndecided, 0));
        let named: Vec<_> = first_of_each_kind(&reasons).collect();
        assert_eq!(named.len(), MOST_OF_A_KIND + 1);
        assert_eq!(named[MOST_OF_A_KIND].kind, ReasonKind::ItemUndecided);
        let verdict = Verdict {
            outcome: Outcome::NoGo,
            reasons,
            waivers: Vec::new(),
            more: vec![MoreReasons {
                kind: ReasonKind::FindingOpen,
                is_waiver: false,
                severity: Severity::High,
                n: 23,
            }],
        };
        let counts = counts(&verdict, &verdict.reasons, false);
        assert_eq!(counts["finding_open"], 100_023);
        assert_eq!(counts["item_undecided"], 1);
    }

    #[test]
    fn a_badge_says_its_verdict_in_words() {
        for outcome in [Outcome::Go, Outcome::GoWithWaivers, Outcome::NoGo] {
            let svg = svg(outcome);
            let shown = format!(">{}</text>", outcome.label());
            assert!(svg.contains(&shown) && svg.ends_with("</svg>"), "{svg}");
        }
    }
}
