//! Scans: bringing files in, seeing what they would change, the scans that were imported.

mod list;
mod preview;
mod running;
mod scan;

pub(crate) use running::rows;

use holdpoint_domain::Severity;
use holdpoint_service::{ScanChange, scans::Counts};
use leptos::prelude::*;
use leptos_router::{
    ParamSegment, StaticSegment,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::{Outlet, ParentRoute, Route},
};

use super::findings::{change_look, place, thousands};
use crate::{
    parts::{Column, Ico, Inline, Look, St, Table, status::Tone},
    paths,
};

/// The routes of scans.
#[component(transparent)]
pub fn ScanRoutes() -> AnyNestedRoute {
    view! {
        <ParentRoute path=StaticSegment("") view=Outlet>
            <Route path=(StaticSegment("reviews"), ParamSegment("id"), StaticSegment("scans")) view=list::ScansPage />
            <Route
                path=(
                    StaticSegment("reviews"),
                    ParamSegment("id"),
                    StaticSegment("scans"),
                    StaticSegment("preview"),
                    ParamSegment("preview"),
                )
                view=preview::PreviewPage
            />
            <Route
                path=(
                    StaticSegment("reviews"),
                    ParamSegment("id"),
                    StaticSegment("scans"),
                    StaticSegment("running"),
                    ParamSegment("running"),
                )
                view=running::RunningPage
            />
            <Route path=(StaticSegment("scans"), ParamSegment("id")) view=scan::ScanPage />
        </ParentRoute>
    }
    .into_inner()
    .into_any_nested_route()
}

/// What people call a format.
fn format_title(name: &str) -> String {
    holdpoint_service::scans::formats()
        .into_iter()
        .find(|(of, _)| *of == name)
        .map_or(name, |(_, title)| title)
        .to_owned()
}

fn n_of(counts: &Counts, severity: Severity) -> i64 {
    match severity {
        Severity::Critical => counts.critical,
        Severity::High => counts.high,
        Severity::Unrated => counts.unrated,
        Severity::Medium => counts.medium,
        Severity::Low => counts.low,
        Severity::Info => counts.info,
    }
}

/// How much a scanner reported in all.
fn n_results(counts: &Counts) -> i64 {
    Severity::ALL
        .iter()
        .map(|severity| n_of(counts, *severity))
        .sum()
}

/// "1 high, 2 medium": nothing for none.
fn by_severity(counts: &Counts) -> String {
    let of = |severity: Severity| n_of(counts, severity);
    let words: Vec<_> = Severity::ALL
        .iter()
        .filter(|severity| of(**severity) > 0)
        .map(|severity| format!("{} {}", thousands(of(*severity)), severity.as_str()))
        .collect();
    words.join(", ")
}

/// One kind of change with its number.
struct Figure {
    n: i64,
    look: Look,
    note: String,
}

/// What a scan changes, in figures.
fn figures(changes: holdpoint_service::ChangeNumbers, new: &str, is_complete: bool) -> AnyView {
    let figure = |n, change: &str, note: &str| Figure {
        n,
        look: change_look(change),
        note: note.to_owned(),
    };
    let fixed = if is_complete {
        "gone from a complete scan"
    } else {
        "an incomplete scan fixes nothing"
    };
    [
        figure(changes.new, "new", new),
        figure(changes.unchanged, "unchanged", "still there"),
        figure(changes.moved, "moved", "same rule and code, elsewhere"),
        figure(changes.reopened, "reopened", "had been fixed"),
        figure(changes.fixed, "fixed", fixed),
    ]
    .into_iter()
    .map(|Figure { n, look, note }| {
        view! {
            <div class="fig">
                <span class="v">{thousands(n)}</span>
                <span class="k"><St of=look /></span>
                <span class="tiny muted">{note}</span>
            </div>
        }
    })
    .collect_view()
    .into_any()
}

/// The changes one by one.
fn change_table(caption: String, listed: Vec<ScanChange>, review: &str) -> AnyView {
    let rows = listed
        .into_iter()
        .map(|change| {
            let here = place(change.path.as_deref(), change.line, None);
            let moved = (change.change == "moved" && change.was_line != change.line)
                .then(|| change.was_line.map(|line| format!(", was line {line}")))
                .flatten();
            let title = match &change.finding {
                Some(id) => {
                    let address = paths::with_query(&paths::finding(id), &[("review", review)]);
                    view! { <a class="ttl" href=address><Inline text=change.title /></a> }.into_any()
                }
                None => view! { <b class="strong"><Inline text=change.title /></b> }.into_any(),
            };
            let why = (!change.why.is_empty())
                .then(|| view! { <span class="sub wrap-any">{change.why.clone()}</span> });
            view! {
                <tr role="row">
                    <td role="cell" data-l="" class="fit"><St of=change_look(&change.change) /></td>
                    <td role="cell" data-l="" class="fit"><St of=change.severity /></td>
                    <td role="cell" class="full clip">
                        <span>
                            {change.number.map(|number| view! { <span class="faint num">{format!("F-{number}")}</span> " " })}
                            {title}
                        </span>
                        {why}
                    </td>
                    <td role="cell" data-l="" class="mono muted wrap-any">{here} {moved}</td>
                </tr>
            }
            .into_any()
        })
        .collect_view();
    let columns = ["Change", "Severity", "Finding", "Location"]
        .map(Column::new)
        .into();
    view! { <Table caption columns>{rows}</Table> }.into_any()
}

/// That a scan shows nothing about what it did not look at.
#[component]
fn IncompleteNote(because: String) -> impl IntoView {
    view! {
        <div class="notice" data-tone=Tone::Amber.as_str()>
            <Ico icon=crate::parts::Icon::Warn />
            <div class="stack-1">
                <p>
                    <b>"This scan is incomplete."</b> " "
                    <span class="wrap-any">{because}</span>
                </p>
                <p>"It fixes no finding, and it is no evidence of cleanness."</p>
            </div>
        </div>
    }
    .into_any()
}
