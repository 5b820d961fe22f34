//! Moments as people read them. Everything is UTC and says so; now is an argument, so that a page is of one moment.

use holdpoint_domain::Millis;
use leptos::prelude::*;
use time::{OffsetDateTime, macros::format_description};

use super::{
    icon::{Ico, Icon},
    status::Tone,
};

const DAY: i64 = 86_400_000;

fn utc(at: Millis) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// "Fri 30 Jan 2026, 16:00 UTC"
pub fn moment(at: Millis) -> String {
    let format = format_description!(
        "[weekday repr:short] [day padding:none] [month repr:short] [year], [hour]:[minute] UTC"
    );
    utc(at)
        .format(format)
        .expect("a UTC moment has all that the format names")
}

/// "30 Jan 2026"
pub fn date(at: Millis) -> String {
    let format = format_description!("[day padding:none] [month repr:short] [year]");
    utc(at)
        .format(format)
        .expect("a UTC moment has all that the format names")
}

/// `2026-01-30`, as a date field wants it.
pub fn date_value(at: Millis) -> String {
    utc(at)
        .format(format_description!("[year]-[month]-[day]"))
        .expect("a UTC moment has all that the format names")
}

/// `2026-01-30T16:00:00Z`, for `<time datetime>`.
pub fn machine(at: Millis) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    utc(at)
        .format(format)
        .expect("a UTC moment has all that the format names")
}

/// What a date field sent, as the end of that day: a due date lasts until midnight.
pub fn end_of_day(value: &str) -> Option<Millis> {
    let date = time::Date::parse(value.trim(), format_description!("[year]-[month]-[day]")).ok()?;
    let end = date.with_hms_milli(23, 59, 59, 999).ok()?.assume_utc();
    i64::try_from(end.unix_timestamp_nanos() / 1_000_000).ok()
}

/// Near moments by day, far ones by date: "today, 09:12", "yesterday, 09:12", "28 Jan, 09:12", "28 Jan 2025, 09:12".
pub fn near(at: Millis, now: Millis) -> String {
    let (then, today) = (utc(at), utc(now));
    let clock = then
        .format(format_description!("[hour]:[minute]"))
        .expect("a UTC moment has all that the format names");
    match (today.date() - then.date()).whole_days() {
        0 => format!("today, {clock}"),
        1 => format!("yesterday, {clock}"),
        -1 => format!("tomorrow, {clock}"),
        _ if then.year() == today.year() => {
            let day = then
                .format(format_description!("[day padding:none] [month repr:short]"))
                .expect("a UTC moment has all that the format names");
            format!("{day}, {clock}")
        }
        _ => format!("{}, {clock}", date(at)),
    }
}

/// How late something is, or `None` when it is not: "2 days late", "3 hours late".
pub fn late(due: Millis, now: Millis) -> Option<String> {
    let behind = now.checked_sub(due).filter(|behind| *behind > 0)?;
    let (n, unit) = match behind {
        DAY.. => (behind / DAY, "day"),
        3_600_000.. => (behind / 3_600_000, "hour"),
        _ => ((behind / 60_000).max(1), "minute"),
    };
    Some(format!("{n} {unit}{} late", if n == 1 { "" } else { "s" }))
}

/// How far off something is: "in 2 days", "in 5 hours", "now".
pub fn ahead(at: Millis, now: Millis) -> String {
    let left = at.saturating_sub(now);
    let (n, unit) = match left {
        ..60_000 => return "now".to_owned(),
        60_000..3_600_000 => (left / 60_000, "minute"),
        3_600_000..DAY => (left / 3_600_000, "hour"),
        // The nearest: of three days that just began, three are left.
        _ => ((left + DAY / 2) / DAY, "day"),
    };
    format!("in {n} {unit}{}", if n == 1 { "" } else { "s" })
}

/// The whole moment.
#[component]
pub fn Moment(at: Millis) -> impl IntoView {
    view! { <time datetime=machine(at)>{moment(at)}</time> }
}

/// A moment as it is near to now; the whole of it on hover.
#[component]
pub fn When(at: Millis, now: Millis) -> impl IntoView {
    view! { <time datetime=machine(at) title=moment(at)>{near(at, now)}</time> }
}

/// A due date, with how late it is.
#[component]
pub fn Late(due: Millis, now: Millis) -> impl IntoView {
    match late(due, now) {
        Some(text) => view! {
            <span class="late" data-tone=Tone::Red.as_str() title=format!("Was due {}", moment(due))>
                <Ico icon=Icon::Late />
                {text}
            </span>
        }
        .into_any(),
        None => view! { <time datetime=machine(due) title=moment(due)>{date(due)}</time> }.into_any(),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn at(moment: OffsetDateTime) -> Millis {
        moment.unix_timestamp() * 1000
    }

    #[test]
    fn a_moment_is_written_as_the_design_writes_it() {
        let hold_point = at(datetime!(2026-01-30 16:00 UTC));
        assert_eq!(moment(hold_point), "Fri 30 Jan 2026, 16:00 UTC");
        assert_eq!(machine(hold_point), "2026-01-30T16:00:00Z");
        assert_eq!(date(hold_point), "30 Jan 2026");
        assert_eq!(date_value(hold_point), "2026-01-30");
    }

    #[test]
    fn near_moments_are_named_by_their_day() {
        let now = at(datetime!(2026-01-28 14:31 UTC));
        let cases = [
            (datetime!(2026-01-28 09:12 UTC), "today, 09:12"),
            (datetime!(2026-01-27 23:59 UTC), "yesterday, 23:59"),
            (datetime!(2026-01-29 00:00 UTC), "tomorrow, 00:00"),
            (datetime!(2026-01-02 10:31 UTC), "2 Jan, 10:31"),
            (datetime!(2025-12-31 10:31 UTC), "31 Dec 2025, 10:31"),
        ];
        for (then, expected) in cases {
            assert_eq!(near(at(then), now), expected);
        }
    }

    #[test]
    fn lateness_counts_whole_units_and_begins_after_the_due_moment() {
        let due = at(datetime!(2026-01-28 00:00 UTC));
        assert_eq!(late(due, due), None);
        assert_eq!(late(due, due - 1), None);
        assert_eq!(late(due, due + 1).as_deref(), Some("1 minute late"));
        assert_eq!(
            late(due, due + 3 * 3_600_000).as_deref(),
            Some("3 hours late")
        );
        assert_eq!(late(due, due + DAY).as_deref(), Some("1 day late"));
        assert_eq!(late(due, due + 2 * DAY + 5).as_deref(), Some("2 days late"));
        assert_eq!(
            late(i64::MIN, i64::MAX),
            None,
            "an impossible span is not lateness"
        );
    }

    #[test]
    fn what_is_ahead_is_counted_the_same_way() {
        assert_eq!(ahead(0, 0), "now");
        assert_eq!(ahead(120_000, 0), "in 2 minutes");
        assert_eq!(ahead(2 * DAY, 0), "in 2 days");
        assert_eq!(ahead(3 * DAY, 1_000), "in 3 days");
        assert_eq!(ahead(DAY + 1_000, 0), "in 1 day");
    }

    #[test]
    fn a_date_field_gives_the_end_of_its_day() {
        assert_eq!(
            end_of_day("2026-01-30"),
            Some(at(datetime!(2026-01-30 23:59:59 UTC)) + 999)
        );
        for wrong in ["", "30.1.2026", "2026-02-30", "2026-1-1", "9999999-01-01"] {
            assert_eq!(end_of_day(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn no_moment_is_too_far_to_be_written() {
        for extreme in [i64::MIN, -1, 0, i64::MAX] {
            assert!(moment(extreme).ends_with("UTC"));
        }
    }
}
