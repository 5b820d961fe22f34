use std::{collections::HashMap, sync::Arc};

use holdpoint_domain::{ItemState, Millis, Outcome, ReviewId, Severity, text::Date};
use holdpoint_service::{
    Actor, PortfolioReview,
    standing::{ReleaseDecision, ReviewStanding},
};
use leptos::prelude::*;

use super::begin::Begin;
use crate::{
    pages::{items::end_of, page, query},
    parts::{
        ButtonLink, Column, Crumb, Empty, Frame, Ico, Icon, MiniCells, PageHead, Shown as _, St,
        Table, Tone,
        controls::Weight,
        table::pages,
        when::{ahead, date_value, late, moment},
    },
    paths,
    visit::{Visit, services},
};

const PAGE: usize = 100;
const DAY: Millis = 86_400_000;

/// One review of the list, with what follows from its state.
#[derive(Clone)]
struct Row {
    review: PortfolioReview,
    standing: Arc<ReviewStanding>,
}

impl Row {
    fn is_released(&self) -> bool {
        self.standing.release.decided == Some(ReleaseDecision::Go)
    }

    fn is_late(&self, now: Millis) -> bool {
        !self.is_released()
            && (self.review.counts.n_late > 0 || self.due().is_some_and(|due| due < now))
    }

    fn is_of(&self, person: &Actor) -> bool {
        let id = person.id.as_str();
        self.standing.items.iter().any(|item| {
            item.item.owner_id.as_deref() == Some(id)
                || item
                    .item
                    .reviewers
                    .iter()
                    .any(|(reviewer, _)| reviewer == id)
        })
    }

    fn due(&self) -> Option<Millis> {
        self.review.review.due_on.as_deref().and_then(end_of)
    }

    fn name(&self) -> String {
        format!(
            "{} {}",
            self.review.service.name, self.review.review.release
        )
    }
}

/// All reviews that the person may see.
#[component]
pub(super) fn PortfolioPage() -> impl IntoView {
    let (view, q, after) = (query("view"), query("q"), query("after"));
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let services = services();
        let after = ReviewId::parse(&after);
        let listed = services.portfolio(&person, after.as_ref(), PAGE).await?;
        if listed.entries.is_empty() && after.is_none() {
            let mine = services.services_for(&person).await?;
            return Ok(view! {
                <Frame title="Reviews" crumbs=vec![Crumb::here("Reviews")]>
                    <PageHead title="Reviews" actions=actions().into_any() />
                    <div class="stack"><Begin person services=mine /></div>
                </Frame>
            }
            .into_any());
        }
        let ids: Vec<_> = listed.entries.iter().map(|one| &one.review.id).collect();
        let mut standings: HashMap<String, Arc<ReviewStanding>> = services
            .review_glances(&person, &ids)
            .await?
            .into_iter()
            .map(|standing| (standing.review.id.clone(), standing))
            .collect();
        let rows: Vec<Row> = listed
            .entries
            .into_iter()
            .filter_map(|review| {
                let standing = standings.remove(review.review.id.as_str())?;
                Some(Row { review, standing })
            })
            .collect();
        Ok(found(
            &visit,
            &person,
            &rows,
            &view,
            &q,
            listed.next,
            after.is_some(),
        )
        .into_any())
    })
}

fn actions() -> impl IntoView {
    view! {
        <ButtonLink words="Checklists" icon=Icon::Book href=paths::TEMPLATES />
        <ButtonLink words="Services" icon=Icon::Box href=paths::SERVICES />
    }
}

fn found(
    visit: &Visit,
    person: &Actor,
    rows: &[Row],
    chosen: &str,
    q: &str,
    next: Option<ReviewId>,
    is_later_page: bool,
) -> impl IntoView + use<> {
    let now = visit.now;
    let open: Vec<_> = rows.iter().filter(|row| !row.is_released()).collect();
    let fits = |row: &Row, view: &str| match view {
        "mine" => row.is_of(person),
        "late" => row.is_late(now),
        "released" => row.is_released(),
        "all" => true,
        _ => !row.is_released(),
    };
    let views = [
        ("", "Open"),
        ("mine", "Mine"),
        ("late", "Late"),
        ("released", "Released"),
        ("all", "All"),
    ]
    .map(|(value, words)| {
        let n = rows.iter().filter(|row| fits(row, value)).count();
        let here = value == chosen;
        view! {
            <a
                href=paths::with_query(paths::HOME, &[("view", value), ("q", q)])
                aria-current=here.then_some("true")
            >
                {words}
                <span class="count">{n}</span>
            </a>
        }
    });
    let needle = q.trim().to_lowercase();
    let shown: Vec<_> = rows
        .iter()
        .filter(|row| fits(row, chosen))
        .filter(|row| {
            needle.is_empty()
                || row.name().to_lowercase().contains(&needle)
                || row.review.review.title.to_lowercase().contains(&needle)
        })
        .collect();
    let n_shown = shown.len();
    let table = if shown.is_empty() {
        view! {
            <Empty title="No review matches" text="No review of this list fits the filter.">
                <ButtonLink words="Clear filters" href=paths::with_query(paths::HOME, &[("view", "all")]) />
            </Empty>
        }
        .into_any()
    } else {
        let columns = vec![
            Column::new("Service and release"),
            Column::new("Verdict"),
            Column::new("Items cleared"),
            Column::new("Blocking findings"),
            Column::new("Blockers left").figures(),
            Column::new("Late").figures(),
            Column::new("Hold point"),
            Column::new("Signatures").figures(),
        ];
        let rows = shown
            .into_iter()
            .map(|row| table_row(row, now))
            .collect_view();
        view! { <Table caption="Reviews, next hold point first" columns class="roomy stackable">{rows}</Table> }
            .into_any()
    };
    let outcomes = [Outcome::Go, Outcome::GoWithWaivers, Outcome::NoGo]
        .into_iter()
        .filter_map(|outcome| {
            let n = open
                .iter()
                .filter(|row| row.standing.verdict.outcome == outcome)
                .count();
            let look = outcome.look();
            (n > 0).then(|| {
                view! {
                    <span class="st" data-tone=look.tone.as_str()>
                        <Ico icon=look.icon />
                        {format!("{n} {}", look.word.to_lowercase())}
                    </span>
                }
            })
        })
        .collect_view();
    let meta = view! { <span>{format!("{} open", open.len())}</span> {outcomes} };
    let fortnight = (!is_later_page).then(|| fortnight(&open, now));
    let pager = (next.is_some() || is_later_page).then(|| {
        let first =
            is_later_page.then(|| paths::with_query(paths::HOME, &[("view", chosen), ("q", q)]));
        let next = next.map(|next| {
            paths::with_query(
                paths::HOME,
                &[("view", chosen), ("q", q), ("after", next.as_str())],
            )
        });
        pages(format!("{n_shown} reviews on this page"), first, None, next)
    });
    let (chosen, q) = (chosen.to_owned(), q.to_owned());
    view! {
        <Frame title="Reviews" crumbs=vec![Crumb::here("Reviews")]>
            <PageHead
                title="Reviews"
                meta=meta.into_any()
                actions=view! {
                    {actions()}
                    <ButtonLink words="New review" icon=Icon::Plus href=paths::SERVICES weight=Weight::Primary />
                }.into_any()
            />
            <div class="stack">
                {fortnight}
                <section class="stack-2" aria-labelledby="h-all">
                    <h2 class="vh" id="h-all">"All reviews"</h2>
                    <div class="row-between">
                        <nav class="views" aria-label="Filters">{views}</nav>
                        <form class="filterbar" method="get" action=paths::HOME role="search" aria-label="These reviews">
                            <input type="hidden" name="view" value=chosen />
                            <div class="search">
                                <label class="vh" for="q">"Search services and releases"</label>
                                <Ico icon=Icon::Search />
                                <input type="search" id="q" name="q" value=q placeholder="Service or release" />
                            </div>
                        </form>
                    </div>
                    <div class="panel">{table}{pager}</div>
                </section>
            </div>
        </Frame>
    }
}

/// The hold points of the next two weeks, day by day.
fn fortnight(open: &[&Row], now: Millis) -> impl IntoView + use<> {
    let days = (0..14)
        .map(|n| {
            let day = now + n * DAY;
            let value = date_value(day);
            // "Fri 30 Jan 2026, 16:00 UTC": the first two words name the day.
            let whole = moment(day);
            let mut words = whole.split(' ');
            let (weekday, number) = (
                words.next().unwrap_or_default(),
                words.next().unwrap_or_default(),
            );
            let points: Vec<_> = open
                .iter()
                .filter(|row| row.review.review.due_on.as_deref() == Some(value.as_str()))
                .map(|row| {
                    view! {
                        <a class="hp" href=paths::review(row.review.review.id.as_str())>
                            <span class="nm">{row.name()}</span>
                            <St of=row.standing.verdict.outcome />
                        </a>
                    }
                })
                .collect();
            let mut class = Vec::new();
            if n == 0 {
                class.push("is-today");
            } else if matches!(weekday, "Sat" | "Sun") {
                class.push("is-off");
            }
            if !points.is_empty() {
                class.push("has");
            }
            let today = (n == 0).then_some(", today");
            view! {
                <li class=class.join(" ")>
                    <span class="day"><time datetime=value>{format!("{weekday} {number}")}</time>{today}</span>
                    {points}
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="panel" aria-labelledby="h-next">
            <div class="panel-head"><h2 id="h-next">"Hold points in the next two weeks"</h2></div>
            <ol class="fortnight">{days}</ol>
        </section>
    }
    .into_any()
}

fn table_row(row: &Row, now: Millis) -> impl IntoView + use<> {
    let review = &row.review.review;
    let standing = &row.standing;
    let progress = standing.progress();
    let states: Vec<ItemState> = standing.items.iter().map(|item| item.state).collect();
    let blockers_left = progress.n_blockers - progress.n_blockers_cleared;
    let n_late = row.review.counts.n_late;
    let severities = Severity::ALL
        .iter()
        .copied()
        .filter_map(|severity| {
            let n = standing
                .findings
                .iter()
                .filter(|finding| {
                    finding.severity == severity
                        && holdpoint_domain::verdict::is_open(
                            finding.status,
                            finding.holds_until,
                            now,
                        )
                })
                .count();
            let look = severity.look();
            (n > 0).then(|| {
                view! {
                    <span class="st" data-tone=look.tone.as_str()>
                        <Ico icon=look.icon />
                        {n}
                        <span class="vh">{format!(" {}", look.word.to_lowercase())}</span>
                    </span>
                }
            })
        })
        .collect::<Vec<_>>();
    let severities = if severities.is_empty() {
        zero().into_any()
    } else {
        severities.collect_view().into_any()
    };
    let n_go = standing.release.n_go;
    let n_needed = standing.release.n_needed.max(n_go);
    view! {
        <tr role="row">
            <th role="rowheader" scope="row" class="full">
                <a class="ttl" href=paths::review(review.id.as_str())>{row.review.service.name.clone()}</a>
                " "
                <span class="muted num">{review.release.clone()}</span>
                <span class="sub">{review.title.clone()}</span>
            </th>
            <td role="cell" data-l=""><St of=standing.verdict.outcome /></td>
            <td role="cell" data-l="">
                <span class="row one-line">
                    <MiniCells states bar=true />
                    <span class="nowrap">
                        <b class="strong">{progress.n_cleared}</b>
                        " "
                        <span class="muted">{format!("of {}", progress.n_items)}</span>
                    </span>
                </span>
            </td>
            <td role="cell" data-l="" class="fit"><span class="row one-line gap-3">{severities}</span></td>
            <td role="cell" data-l="Blockers" class="n">{figure(blockers_left)}</td>
            <td role="cell" data-l="Late" class="n">
                {if n_late > 0 {
                    view! {
                        <span class="late" data-tone=Tone::Red.as_str()>
                            <Ico icon=Icon::Late />
                            {n_late}
                            <span class="vh">" late"</span>
                        </span>
                    }.into_any()
                } else {
                    zero().into_any()
                }}
            </td>
            <td role="cell" data-l="Hold point">{hold_point(review.due_on.as_deref(), now)}</td>
            <td role="cell" data-l="Signed" class="n">{format!("{n_go} of {n_needed}")}</td>
        </tr>
    }
}

fn zero() -> impl IntoView {
    view! { <span class="zero">"0"</span> }
}

fn figure(n: usize) -> AnyView {
    if n == 0 {
        zero().into_any()
    } else {
        n.into_any()
    }
}

/// A due date with how far off it is.
pub(in crate::pages) fn hold_point(due_on: Option<&str>, now: Millis) -> impl IntoView + use<> {
    let Some(date) = due_on.and_then(|date| Date::parse(date).ok()) else {
        return view! { <span class="muted">"Not set"</span> }.into_any();
    };
    let end = date.end();
    // "Fri 30 Jan 2026, 23:59 UTC", without the year and the time of day.
    let whole = moment(end);
    let day: Vec<_> = whole.split(' ').take(3).collect();
    let today = Date::of(now) == date;
    let sub = match late(end, now) {
        Some(late) => {
            view! { <span class="sub late" data-tone=Tone::Red.as_str()>{late}</span> }.into_any()
        }
        None if today => view! { <span class="sub">"today"</span> }.into_any(),
        None => view! { <span class="sub">{ahead(end, now)}</span> }.into_any(),
    };
    view! { <time datetime=date.as_str().to_owned() title=whole.clone()>{day.join(" ")}</time> {sub} }.into_any()
}
