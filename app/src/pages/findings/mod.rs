//! Findings: the list of a review, one finding, the forms that write one, deciding about many.

mod decisions;
mod finding;
mod history;
mod list;
mod many;
pub(crate) mod query;
mod triage;
mod write;

use holdpoint_domain::{
    FindingId, FindingStatus, Millis, Policy, ReviewId, Severity,
    triage::Request,
    verdict::{REPEATS_MILDER, is_open},
};
use holdpoint_service::standing::ReviewStanding;
use leptos::prelude::*;
use leptos_router::{
    ParamSegment, StaticSegment,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::{Outlet, ParentRoute, Route},
};

pub(super) use history::change_look;

pub(crate) use crate::parts::figure::thousands;

use super::PageError;
use crate::parts::{
    Crumb, Frame, Late, Look, ReviewBar, Shown as _, St,
    figure::counted,
    status::{FIX_PROPOSED, REOPENED},
    when::{ahead, date, machine, moment},
};

/// The routes of findings.
#[component(transparent)]
pub fn FindingRoutes() -> AnyNestedRoute {
    view! {
        <ParentRoute path=StaticSegment("") view=Outlet>
            <Route
                path=(StaticSegment("reviews"), ParamSegment("id"), StaticSegment("findings"))
                view=list::FindingsPage
            />
            <Route
                path=(StaticSegment("reviews"), ParamSegment("id"), StaticSegment("findings"), StaticSegment("new"))
                view=write::NewFindingPage
            />
            <Route
                path=(StaticSegment("reviews"), ParamSegment("id"), StaticSegment("findings"), StaticSegment("triage"))
                view=many::TriageManyPage
            />
            <Route
                path=(StaticSegment("reviews"), ParamSegment("id"), StaticSegment("findings"), StaticSegment("decisions"))
                view=decisions::DecisionsPage
            />
            <Route path=(StaticSegment("findings"), ParamSegment("id")) view=finding::FindingPage />
            <Route
                path=(StaticSegment("findings"), ParamSegment("id"), StaticSegment("edit"))
                view=write::EditFindingPage
            />
        </ParentRoute>
    }
    .into_inner()
    .into_any_nested_route()
}

/// The address of a review's list for a query that a form brought: only what the list understands is in it.
pub fn address_of(review: &str, query: &str) -> String {
    query::Query::of_text(query).address(review)
}

/// What a query asks for, for whoever makes a file of it.
pub fn filter_of(
    query: &str,
    me: &holdpoint_domain::PersonId,
    policy: &Policy,
    now: Millis,
) -> (
    holdpoint_service::FindingFilter,
    holdpoint_service::FindingSort,
) {
    let query = query::Query::of_text(query);
    (query.filter(me, policy, now), query.sort)
}

/// A page of what belongs to a service, seen from one of its reviews if there is one.
pub(super) fn framed(
    title: String,
    crumbs: Vec<Crumb>,
    bar: Option<ReviewBar>,
    content: AnyView,
) -> AnyView {
    match bar {
        Some(bar) => view! { <Frame title crumbs review=bar>{content}</Frame> }.into_any(),
        None => view! { <Frame title crumbs>{content}</Frame> }.into_any(),
    }
}

/// The review that the address names.
pub(super) fn review_of_address() -> Result<ReviewId, PageError> {
    ReviewId::parse(&super::parameter("id")).ok_or(PageError::NotFound("This review"))
}

fn finding_of_address() -> Result<FindingId, PageError> {
    FindingId::parse(&super::parameter("id")).ok_or(PageError::NotFound("This finding"))
}

/// What a finding's status depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub status: FindingStatus,
    /// Until when what was decided holds by itself.
    pub holds_until: Option<Millis>,
    pub duplicate_of: Option<i64>,
    /// What somebody asks another to make of it.
    pub asked: Option<Request>,
    pub is_reopened: bool,
    pub has_patch: bool,
}

impl Standing {
    /// How it looks now, and what follows the word. What was decided and does not hold any more is open.
    fn look(self, now: Millis) -> (Look, String) {
        let is_open = is_open(self.status, self.holds_until, now);
        match self.status {
            FindingStatus::RiskAccepted if is_open => {
                (FindingStatus::Open.look(), "(acceptance ended)".to_owned())
            }
            FindingStatus::Duplicate if is_open => {
                let why = match self.holds_until {
                    Some(REPEATS_MILDER) => "is milder",
                    _ => "is fixed",
                };
                let of = self
                    .duplicate_of
                    .map(|number| format!("(F-{number} {why})"));
                (FindingStatus::Open.look(), of.unwrap_or_default())
            }
            FindingStatus::RiskAccepted => {
                let until = self.holds_until.map(date).unwrap_or_default();
                (self.status.look(), format!("until {until}"))
            }
            FindingStatus::Duplicate => {
                let of = self.duplicate_of.map(|number| format!("of F-{number}"));
                (self.status.look(), of.unwrap_or_default())
            }
            FindingStatus::Open if self.asked.is_some() => {
                let what = match self.asked {
                    Some(Request::RiskAccepted) => "accept the risk",
                    Some(Request::FalsePositive) => "false positive",
                    Some(Request::Duplicate) => "duplicate",
                    Some(Request::Fixed) => "fixed",
                    Some(Request::Severity) => "lower severity",
                    None => "",
                };
                // It is open until somebody answers, as its mark says; the words are short, since they stand in lists.
                let look = Look {
                    word: "Asked:",
                    ..FindingStatus::Open.look()
                };
                (look, what.to_owned())
            }
            FindingStatus::Open if self.has_patch => (FIX_PROPOSED, String::new()),
            FindingStatus::Open if self.is_reopened => (REOPENED, String::new()),
            status => (status.look(), String::new()),
        }
    }
}

#[component]
fn StatusOf(of: Standing, now: Millis) -> impl IntoView {
    let (look, more) = of.look(now);
    view! { <St of=look more /> }
}

/// When a finding is over its limit; nothing for what is not open or has none.
fn limit_of(
    policy: &Policy,
    severity: Severity,
    first_seen_at: Millis,
    of: Standing,
    now: Millis,
) -> Option<Millis> {
    policy
        .due(severity, first_seen_at)
        .filter(|_| is_open(of.status, of.holds_until, now))
}

/// How long a finding may stay open, or how late it is.
#[component]
fn LimitOf(due: Option<Millis>, now: Millis) -> impl IntoView {
    match due {
        Some(due) if due < now => view! { <Late due now /> }.into_any(),
        Some(due) => {
            view! { <time datetime=machine(due) title=moment(due)>{ahead(due, now)}</time> }
                .into_any()
        }
        None => view! { <span class="zero">"none"</span> }.into_any(),
    }
}

/// "executor.go:391", or the component where there is no file.
pub(super) fn place(path: Option<&str>, line: Option<i64>, component: Option<&str>) -> String {
    match (path, line, component) {
        (Some(path), Some(line), _) => format!("{path}:{line}"),
        (Some(path), None, _) => path.to_owned(),
        (None, _, Some(component)) => component.to_owned(),
        _ => String::new(),
    }
}

/// The review's items as the options of a select: key and title.
pub(super) fn item_options(standing: &ReviewStanding, first: &str) -> Vec<(String, String)> {
    std::iter::once((String::new(), first.to_owned()))
        .chain(standing.items.iter().map(|item| {
            let words = format!("{} {}", item.item.key, item.item.title);
            (item.item.id.clone(), words.chars().take(90).collect())
        }))
        .collect()
}

/// "1 finding", "1,204 findings".
pub(crate) fn n_findings(n: i64) -> String {
    counted(n, "finding", "findings")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accepted_risk_whose_time_is_over_looks_open() {
        let accepted = Standing {
            status: FindingStatus::RiskAccepted,
            holds_until: Some(1_000),
            duplicate_of: None,
            asked: None,
            is_reopened: false,
            has_patch: false,
        };
        assert_eq!(accepted.look(1_000).0.word, "Risk accepted");
        let (look, more) = accepted.look(1_001);
        assert_eq!((look.word, more.as_str()), ("Open", "(acceptance ended)"));
    }

    #[test]
    fn a_duplicate_that_stands_alone_looks_open_and_names_what_is_fixed() {
        let duplicate = Standing {
            status: FindingStatus::Duplicate,
            holds_until: None,
            duplicate_of: Some(3),
            asked: None,
            is_reopened: false,
            has_patch: false,
        };
        assert_eq!(duplicate.look(1_000).0.word, "Duplicate");
        let alone = Standing {
            holds_until: Some(0),
            ..duplicate
        };
        let (look, more) = alone.look(1_000);
        assert_eq!((look.word, more.as_str()), ("Open", "(F-3 is fixed)"));
    }
}
