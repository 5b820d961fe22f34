//! How the review came to where it is: items cleared over time, and what the scanners found, as charts and as numbers.

use std::{collections::BTreeMap, sync::Arc};

use holdpoint_domain::{Millis, Severity};
use holdpoint_service::{
    Scan, SeverityCounts,
    standing::{ItemStanding, ReviewStanding, Validity},
};
use leptos::prelude::*;

use crate::{
    pages::items::end_of,
    parts::{Column, Panel, Table, figure::capitalised, panel::Disclosure, when::date},
};

const DAY: Millis = 86_400_000;
/// How many days with scans are shown, the newest.
const N_DAYS: usize = 8;

/// When each cleared item was signed by the last that it needed, the earliest first.
fn cleared_at(items: &[ItemStanding]) -> Vec<Millis> {
    let mut moments: Vec<_> = items
        .iter()
        .filter(|item| item.is_cleared())
        .filter_map(|item| {
            let valid = item
                .sign_offs
                .iter()
                .filter(|one| one.validity == Validity::Valid);
            valid.map(|one| one.sign_off.signed_at).max()
        })
        .collect();
    moments.sort_unstable();
    moments
}

/// What the scanners had found by the end of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ScanDay {
    /// When the day ends.
    end: Millis,
    counts: SeverityCounts,
}

/// For each of the last days on which a scan came: what the newest complete scan of every series had found by then. An
/// incomplete scan says nothing about what is gone, so it changes nothing here.
fn scan_days(scans: &[Scan]) -> Vec<ScanDay> {
    let mut scans: Vec<_> = scans
        .iter()
        .filter(|scan| scan.undone_at.is_none() && scan.incomplete_because.is_none())
        .collect();
    scans.sort_by_key(|scan| (scan.imported_at, scan.sequence));
    let mut newest: BTreeMap<&str, SeverityCounts> = BTreeMap::new();
    let mut days: Vec<ScanDay> = Vec::new();
    for scan in scans {
        newest.insert(scan.series.as_str(), scan.counts);
        let end = (scan.imported_at.div_euclid(DAY) + 1) * DAY;
        let mut counts = SeverityCounts::default();
        for of in newest.values() {
            for severity in Severity::ALL {
                counts.add(*severity, of.of(*severity));
            }
        }
        let day = ScanDay { end, counts };
        match days.last_mut() {
            Some(last) if last.end == end => *last = day,
            _ => days.push(day),
        }
    }
    let n_over = days.len().saturating_sub(N_DAYS);
    days.drain(..n_over);
    days
}

/// The day of a moment without its year: "22 Jan".
fn day(at: Millis) -> String {
    let whole = date(at);
    whole
        .rsplit_once(' ')
        .map_or(whole.clone(), |(day, _)| day.to_owned())
}

/// Both charts. Nothing is shown before there is anything to compare.
#[component]
pub(super) fn Trend(standing: Arc<ReviewStanding>, scans: Vec<Scan>, now: Millis) -> impl IntoView {
    let cleared = cleared_at(&standing.items);
    let days = scan_days(&scans);
    if standing.items.is_empty() || (cleared.is_empty() && days.is_empty()) {
        return ().into_any();
    }
    let up = cleared_chart(&standing, &cleared, now);
    let down = (!days.is_empty()).then(|| found_chart(&days));
    let numbers = numbers(&cleared, &days);
    view! {
        <Panel id="h-trend" title="Trend">
            <div class="fields-2 is-roomy">{up} {down}</div>
            <Disclosure summary="Show the numbers">{numbers}</Disclosure>
        </Panel>
    }
    .into_any()
}

/// Coordinates of a drawing that is 100 wide and 100 high, in hundredths: no float has to be compared or rounded.
#[derive(Clone, Copy)]
struct Scale {
    from: Millis,
    to: Millis,
    most: i64,
}

impl Scale {
    fn x(self, at: Millis) -> String {
        let part = (at - self.from).clamp(0, self.to - self.from);
        hundredths(part * 10_000 / (self.to - self.from).max(1))
    }

    fn y(self, n: i64) -> String {
        hundredths(10_000 - n * 10_000 / self.most.max(1))
    }
}

fn hundredths(n: i64) -> String {
    format!("{}.{:02}", n / 100, n % 100)
}

fn cleared_chart(standing: &ReviewStanding, cleared: &[Millis], now: Millis) -> AnyView {
    let n_items = i64::try_from(standing.items.len()).unwrap_or(i64::MAX);
    let n_cleared = i64::try_from(cleared.len()).unwrap_or(i64::MAX);
    let due = standing.review.due_on.as_deref().and_then(end_of);
    let from = standing.review.created_at;
    let to = due.unwrap_or(now).max(now).max(from + 1);
    let scale = Scale {
        from,
        to,
        most: n_items,
    };
    let mut line = "M0 100".to_owned();
    for (at, n) in cleared.iter().zip(1..) {
        line = format!("{line} H{} V{}", scale.x(*at), scale.y(n));
    }
    let today = scale.x(now);
    line = format!("{line} H{today}");
    let area = format!("{line} V100 H0Z");
    let top = scale.y(n_cleared);
    let pace = due.map(|due| {
        view! { <path class="c-pace" d=format!("M0 100 L{} 0", scale.x(due)) /> }
    });
    let gate = due.map(|due| {
        let x = scale.x(due);
        view! { <path class="c-gate" d=format!("M{x} -3V103") /> }
    });
    let end = day(to);
    let end_text = (to > now).then(|| {
        view! { <text x="100%" y="100%" dy="1.5em" text-anchor="end">{end.clone()}</text> }
    });
    let legend = due.map(|_| {
        view! {
            <span><svg viewBox="0 0 20 10" aria-hidden="true"><line class="c-pace" x1="0" y1="5" x2="20" y2="5" /></svg>"Pace needed"</span>
            <span><svg viewBox="0 0 20 10" aria-hidden="true"><line class="c-gate" x1="10" y1="-1" x2="10" y2="11" /></svg>"Hold point"</span>
        }
    });
    let mut label = format!(
        "Items cleared, {} to today: {n_cleared} of {n_items}.",
        day(from)
    );
    if let Some(due) = due {
        let part = (now.min(due) - from).max(0);
        let needed = part * n_items / (due - from).max(1);
        label = format!("{label} The pace needed was {needed} by today.");
    }
    view! {
        <figure aria-labelledby="c-up">
            <figcaption id="c-up" class="row-between small">
                <b class="strong">"Items cleared"</b>
                <span class="muted">{format!("{n_cleared} of {n_items}")}</span>
            </figcaption>
            <div class="chart">
                <svg role="img" aria-label=label>
                    <svg viewBox="0 0 100 100" preserveAspectRatio="none">
                        <path class="c-grid" d="M0 50H100" />
                        <path class="c-axis" d="M0 100H100" />
                        <g data-tone="green"><path class="c-area" d=area /></g>
                        <path class="c-scope" d="M0 0H100" />
                        {pace}
                        <path class="c-now" d=format!("M{today} 0V100") />
                        <g data-tone="green">
                            <path class="c-line" d=line />
                            <path class="c-dot" d=format!("M{today} {top}h.001") />
                        </g>
                        {gate}
                    </svg>
                    <g class="c-text">
                        <text x="0" y="0" dx="-.6em" dy=".35em" text-anchor="end">{n_items}</text>
                        <text x="0" y="100%" dx="-.6em" dy=".35em" text-anchor="end">"0"</text>
                        <text x="0" y="100%" dy="1.5em">{day(from)}</text>
                        {end_text}
                    </g>
                </svg>
            </div>
            <p class="legend">
                <span data-tone="green"><svg viewBox="0 0 20 10" aria-hidden="true"><line class="c-line" x1="0" y1="5" x2="20" y2="5" /></svg>"Cleared"</span>
                {legend}
            </p>
        </figure>
    }
    .into_any()
}

fn found_chart(days: &[ScanDay]) -> AnyView {
    let serious = |day: &ScanDay| day.counts.serious();
    let most = days
        .iter()
        .map(|day| day.counts.total())
        .max()
        .unwrap_or(0)
        .max(1);
    let scale = Scale {
        from: 0,
        to: 1,
        most,
    };
    // Bars of equal width in as many slots as there are days, but never wider than a fifth.
    let slot = 10_000 / i64::try_from(days.len().max(5)).unwrap_or(5);
    let width = slot * 7 / 10;
    let bars = days
        .iter()
        .zip(0_i64..)
        .map(|(day, at)| {
            let left = hundredths(at * slot + slot / 7);
            let across = hundredths(width);
            let (low, high) = (scale.y(serious(day)), scale.y(day.counts.total()));
            let upper = format!("M{left} {high}h{across}V{low}h-{across}z");
            let lower = format!("M{left} {low}h{across}V100h-{across}z");
            view! {
                <g data-tone="neutral"><path class="c-fill c-soft" d=upper /></g>
                <g data-tone="red"><path class="c-fill" d=lower /></g>
            }
        })
        .collect_view();
    let labels = days
        .iter()
        .zip(0_i64..)
        .filter(|(_, at)| *at == 0 || usize::try_from(*at + 1) == Ok(days.len()))
        .map(|(of, at)| {
            let middle = format!("{}%", hundredths(at * slot + slot / 7 + width / 2));
            let high = format!("{}%", scale.y(of.counts.total()));
            view! {
                <text x=middle.clone() y=high dy="-.45em" text-anchor="middle">{of.counts.total()}</text>
                <text x=middle y="100%" dy="1.5em" text-anchor="middle">{day(of.end - 1)}</text>
            }
        })
        .collect_view();
    let (first, last) = (days[0], days[days.len() - 1]);
    let label = format!(
        "Findings in the newest complete scans, {} to {}: from {} to {}, {} ones from {} to {}.",
        day(first.end - 1),
        day(last.end - 1),
        first.counts.total(),
        last.counts.total(),
        Severity::serious_names("and"),
        serious(&first),
        serious(&last)
    );
    view! {
        <figure aria-labelledby="c-dn">
            <figcaption id="c-dn" class="row-between small">
                <b class="strong">"Found by scans"</b>
                <span class="muted">{format!("{}, {} {}", last.counts.total(), serious(&last), Severity::serious_names("or"))}</span>
            </figcaption>
            <div class="chart">
                <svg role="img" aria-label=label>
                    <svg viewBox="0 0 100 100" preserveAspectRatio="none">
                        <path class="c-grid" d="M0 0H100M0 50H100" />
                        <path class="c-axis" d="M0 100H100" />
                        {bars}
                    </svg>
                    <g class="c-text">
                        <text x="0" y="0" dx="-.6em" dy=".35em" text-anchor="end">{most}</text>
                        <text x="0" y="100%" dx="-.6em" dy=".35em" text-anchor="end">"0"</text>
                        {labels}
                    </g>
                </svg>
            </div>
            <p class="legend">
                <span data-tone="red"><svg viewBox="0 0 20 10" aria-hidden="true"><rect class="c-fill" width="14" height="10" /></svg>{capitalised(&Severity::serious_names("and"))}</span>
                <span data-tone="neutral"><svg viewBox="0 0 20 10" aria-hidden="true"><rect class="c-fill c-soft" width="14" height="10" /></svg>{capitalised(&Severity::mild_names("and"))}</span>
            </p>
        </figure>
    }
    .into_any()
}

/// The same as a table: one row for each day on which something changed.
fn numbers(cleared: &[Millis], days: &[ScanDay]) -> AnyView {
    let mut rows: BTreeMap<Millis, (i64, Option<SeverityCounts>)> = BTreeMap::new();
    for (at, n) in cleared.iter().zip(1..) {
        let end = (at.div_euclid(DAY) + 1) * DAY;
        rows.entry(end).or_default().0 = n;
    }
    for day in days {
        rows.entry(day.end).or_default().1 = Some(day.counts);
    }
    let (mut n_cleared, mut counts) = (0, None);
    let rows = rows
        .into_iter()
        .map(|(end, (cleared, found))| {
            n_cleared = n_cleared.max(cleared);
            counts = found.or(counts);
            let figures = Severity::ALL
                .iter()
                .map(|severity| {
                    let n = counts.map_or_else(
                        || "–".to_owned(),
                        |counts: SeverityCounts| counts.of(*severity).to_string(),
                    );
                    view! { <td role="cell" class="n" data-l=severity.label()>{n}</td> }
                })
                .collect_view();
            view! {
                <tr role="row">
                    <th role="rowheader" scope="row">{date(end - 1)}</th>
                    <td role="cell" class="n" data-l="Items cleared">{n_cleared}</td>
                    {figures}
                </tr>
            }
            .into_any()
        })
        .collect_view();
    let columns = [
        Column::new("By the end of"),
        Column::new("Items cleared").figures(),
    ];
    let columns = columns
        .into_iter()
        .chain(
            Severity::ALL
                .iter()
                .map(|severity| Column::new(severity.label()).figures()),
        )
        .collect();
    view! {
        <Table caption="Items cleared, and findings in the newest complete scans, by day" columns>{rows}</Table>
        <p class="small muted">"An item counts from the day of its last valid signature. Of each series only its newest complete scan counts, with all it found, also what people have decided about since."</p>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdpoint_domain::{Digest, PersonId, ScanId, SeriesId, ServiceId};
    use leptos::reactive::owner::Owner;

    fn scan(series: &str, sequence: i64, at: Millis, high: i64, is_complete: bool) -> Scan {
        Scan {
            id: ScanId::parse(&format!("{series}-{sequence}")).unwrap(),
            service: ServiceId::parse("s").unwrap(),
            series: SeriesId::parse(series).unwrap(),
            label: series.to_owned(),
            sequence,
            file_sha256: Digest::of(b""),
            file_name: String::new(),
            file_bytes: 0,
            format: "sarif".to_owned(),
            tool: series.to_owned(),
            tool_version: None,
            commit: None,
            target: None,
            incomplete_because: (!is_complete).then(|| "cut off".to_owned()),
            counts: SeverityCounts {
                high,
                ..SeverityCounts::default()
            },
            changes: holdpoint_service::ChangeNumbers::default(),
            problems: "[]".to_owned(),
            imported_at: at,
            imported_by: PersonId::parse("p").unwrap(),
            imported_by_name: String::new(),
            undone_at: None,
        }
    }

    #[test]
    fn a_day_counts_the_newest_complete_scan_of_every_series() {
        let scans = [
            scan("b", 2, 2 * DAY + 5, 1, true),
            scan("a", 3, 2 * DAY + 4, 0, false),
            scan("b", 1, DAY + 1, 7, true),
            scan("a", 2, 20, 2, true),
            scan("a", 1, 10, 9, true),
        ];
        let days: Vec<_> = scan_days(&scans)
            .iter()
            .map(|day| (day.end / DAY, day.counts.high))
            .collect();
        assert_eq!(days, [(1, 2), (2, 9), (3, 3)]);
    }

    #[test]
    fn what_nobody_rated_stands_among_the_serious_in_the_chart() {
        let unrated = SeverityCounts {
            high: 1,
            unrated: 4,
            low: 2,
            ..SeverityCounts::default()
        };
        let days = [ScanDay {
            end: DAY,
            counts: unrated,
        }];
        let html = Owner::new().with(|| found_chart(&days).to_html());
        for words in [
            "7, 5 critical, high or unrated",
            "critical, high and unrated ones from 5 to 5.",
            "Critical, high and unrated<",
            "Medium, low and info<",
        ] {
            assert!(html.contains(words), "{words} in {html}");
        }
    }

    #[test]
    fn nothing_is_drawn_outside_of_its_chart() {
        let scale = Scale {
            from: 100,
            to: 200,
            most: 3,
        };
        assert_eq!(scale.x(0), "0.00");
        assert_eq!(scale.x(150), "50.00");
        assert_eq!(scale.x(1_000), "100.00");
        assert_eq!(
            (scale.y(0), scale.y(1), scale.y(3)),
            ("100.00".to_owned(), "66.67".to_owned(), "0.00".to_owned())
        );
    }
}
