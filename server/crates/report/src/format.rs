//! Times, sizes and places as the report prints them: in English and UTC, wherever it is made.

use holdpoint_domain::{Millis, Severity, text::Date};
use time::{OffsetDateTime, macros::format_description};

use crate::facts::Lines;

/// "Fri 30 Jan 2026, 16:00 UTC".
pub(crate) fn moment(at: Millis) -> String {
    utc(at)
        .and_then(|at| {
            at.format(format_description!(
                "[weekday repr:short] [day] [month repr:short] [year], [hour]:[minute] UTC"
            ))
            .ok()
        })
        .unwrap_or_else(|| format!("{at} ms after 1970"))
}

/// "2026-01-30".
pub(crate) fn date(at: Millis) -> String {
    match utc(at) {
        Some(_) => Date::of(at).as_str().to_owned(),
        None => format!("{at} ms after 1970"),
    }
}

/// "2026-01-30T16:00:00Z", for machines.
pub fn timestamp(at: Millis) -> String {
    utc(at)
        .and_then(|at| {
            at.format(format_description!(
                "[year]-[month]-[day]T[hour]:[minute]:[second]Z"
            ))
            .ok()
        })
        .unwrap_or_default()
}

/// "20260130160000Z", as OpenSSH reads times.
pub(crate) fn compact(at: Millis) -> String {
    zoneless(at) + "Z"
}

/// "20260130160000", as OpenSSH reads times of its own zone: before 9.1 it refuses those of UTC, with a Z.
pub(crate) fn zoneless(at: Millis) -> String {
    timestamp(at).chars().filter(char::is_ascii_digit).collect()
}

fn utc(at: Millis) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(at.div_euclid(1_000)).ok()
}

/// "812 bytes", "1.2 kB", "3.4 MB", in powers of ten, rounded down.
pub(crate) fn size(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1_000 => {
            return if bytes == 1 {
                "1 byte".to_owned()
            } else {
                format!("{bytes} bytes")
            };
        }
        1_000..1_000_000 => (1_000, "kB"),
        1_000_000..1_000_000_000 => (1_000_000, "MB"),
        _ => (1_000_000_000, "GB"),
    };
    format!("{}.{} {name}", bytes / unit, bytes % unit / (unit / 10))
}

/// "1 finding", "2 findings".
pub(crate) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// A path with its lines: "executor.go:88-92".
pub(crate) fn place(path: &str, lines: Option<Lines>) -> String {
    match lines {
        None => path.to_owned(),
        Some(Lines { first, last }) if last <= first => format!("{path}:{first}"),
        Some(Lines { first, last }) => format!("{path}:{first}-{last}"),
    }
}

/// The word of a severity, with a mark that helps to see it and is not needed to read it.
pub(crate) const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "🔴 **CRITICAL**",
        Severity::High => "🟡 **HIGH**",
        Severity::Unrated => "🟣 **UNRATED**",
        Severity::Medium => "🔵 **MEDIUM**",
        Severity::Low => "🟢 **LOW**",
        Severity::Info => "⚪ **INFO**",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_and_english() {
        assert_eq!(moment(1_769_788_800_000), "Fri 30 Jan 2026, 16:00 UTC");
        assert_eq!(date(1_769_788_800_000), "2026-01-30");
        assert_eq!(timestamp(1_769_788_800_000), "2026-01-30T16:00:00Z");
        assert_eq!(moment(-1), "Wed 31 Dec 1969, 23:59 UTC");
        assert_eq!(date(i64::MAX), "9223372036854775807 ms after 1970");
    }

    #[test]
    fn sizes_have_one_decimal() {
        let sizes = [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1_250, "1.2 kB"),
            (3_400_000, "3.4 MB"),
        ];
        for (bytes, printed) in sizes {
            assert_eq!(size(bytes), printed);
        }
        assert_eq!(size(u64::MAX), "18446744073.7 GB");
    }
}
