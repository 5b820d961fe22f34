//! A limit of processor time for each input. libFuzzer's own limit is of time as it passes, so that on a machine with other work
//! it would call an input slow that only had to wait; it is left as the limit for what never ends.

use std::sync::atomic::{AtomicU64, Ordering};

/// One second, in the ticks of Linux.
const MOST_TICKS: u64 = 100;

static BEFORE: AtomicU64 = AtomicU64::new(0);

/// Panics if more than a second of processor time has gone since it was called last.
pub(crate) fn check() {
    let now = ticks().unwrap_or(0);
    let before = BEFORE.swap(now, Ordering::Relaxed);
    assert!(
        before == 0 || now.saturating_sub(before) <= MOST_TICKS,
        "the last input took {} ms",
        (now - before) * 10
    );
}

/// What this process has used of the processor; `None` where that cannot be asked.
fn ticks() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the name, in parentheses; user and system time are the fields 14 and 15.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}
