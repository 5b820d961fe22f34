//! How often somebody may try a password before they have to wait.
//!
//! The counts are kept in memory, since a pause of minutes need not survive a restart; each node counts for itself. An
//! attempt is counted before the password is compared and given back when it was right, so that many at once gain nothing.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use holdpoint_domain::{Millis, PersonId};

const MINUTE: Millis = 60_000;
/// Failures further apart than this have nothing to do with each other.
const WINDOW: Millis = 15 * MINUTE;
/// How long to wait after too many.
pub(crate) const PAUSE: Millis = 5 * MINUTE;
/// From this many entries on, old ones are looked for and dropped.
const MANY: usize = 20_000;

/// What attempts are counted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// One account from one place: the person who mistypes, or who tries.
    AccountFrom(String, String),
    /// One account from anywhere. Above the limit of a single place, so that a stranger alone cannot lock somebody out.
    Account(String),
    /// Any account from one place, which may be a whole office.
    From(String),
    /// One-time links from one place: whoever tries many is guessing.
    Link(String),
    /// A signed-in person who gives the password again.
    Again(PersonId),
}

impl Key {
    const fn limit(&self) -> u32 {
        match self {
            Self::AccountFrom(..) | Self::Again(_) => 5,
            Self::Account(_) => 30,
            Self::Link(_) => 20,
            Self::From(_) => 100,
        }
    }

    /// The key of whoever comes with a one-time link.
    pub(crate) fn of_link(address: &str) -> Self {
        Self::Link(place(address))
    }

    /// The keys of a sign-in. `account` is the address as typed where it is no e-mail address.
    pub(crate) fn of_sign_in(account: &str, address: &str) -> [Self; 3] {
        let account: String = account.chars().take(254).collect();
        let place = place(address);
        [
            Self::AccountFrom(account.clone(), place.clone()),
            Self::Account(account),
            Self::From(place),
        ]
    }
}

/// Where a network address belongs: itself, or for IPv6 the /64, which is what one customer gets.
fn place(address: &str) -> String {
    match address
        .parse::<IpAddr>()
        .map(|address| address.to_canonical())
    {
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Ok(address) => address.to_string(),
        Err(_) => address.chars().take(64).collect(),
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    failures: u32,
    since: Millis,
    until: Millis,
}

impl Count {
    fn is_over(&self, now: Millis) -> bool {
        if self.until == 0 {
            now - self.since >= WINDOW
        } else {
            self.until <= now
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<HashMap<Key, Count>>);

impl Attempts {
    /// Counts an attempt, and says how many are left if it fails; or how long to wait before there is another.
    pub(crate) fn begin(&self, keys: &[Key], now: Millis) -> Result<u32, Millis> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MANY {
            counts.retain(|_, count| !count.is_over(now));
        }
        let waits = keys
            .iter()
            .filter_map(|key| counts.get(key))
            .map(|count| count.until - now)
            .filter(|wait| *wait > 0);
        if let Some(wait) = waits.max() {
            return Err(wait);
        }
        let mut left = u32::MAX;
        for key in keys {
            let count = counts.entry(key.clone()).or_default();
            if count.is_over(now) {
                *count = Count {
                    since: now,
                    ..Count::default()
                };
            }
            count.failures += 1;
            if count.failures >= key.limit() {
                count.until = now + PAUSE;
            }
            left = left.min(key.limit().saturating_sub(count.failures));
        }
        Ok(left)
    }

    /// Takes an attempt back: the password was right. What others tried against the account from elsewhere still counts.
    pub(crate) fn succeed(&self, keys: &[Key]) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            if matches!(key, Key::AccountFrom(..) | Key::Again(_)) {
                counts.remove(key);
            } else if let Some(count) = counts.get_mut(key) {
                count.failures = count.failures.saturating_sub(1);
                if count.failures < key.limit() {
                    count.until = 0;
                }
                if count.failures == 0 {
                    counts.remove(key);
                }
            }
        }
    }
}

/// A wait in words: "5 minutes", "1 minute", "40 seconds".
pub(crate) fn in_words(wait: Millis) -> String {
    let seconds = (wait + 999) / 1_000;
    match (seconds, (seconds + 59) / 60) {
        (1, _) => "1 second".to_owned(),
        (..=59, _) => format!("{seconds} seconds"),
        (60, _) => "1 minute".to_owned(),
        (_, minutes) => format!("{minutes} minutes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(attempts: &Attempts, account: &str, address: &str, now: Millis) -> Result<u32, Millis> {
        attempts.begin(&Key::of_sign_in(account, address), now)
    }

    #[test]
    fn after_five_failures_there_is_a_pause_and_after_the_pause_there_are_five_again() {
        let attempts = Attempts::default();
        let left: Vec<_> = (0..6)
            .map(|_| fail(&attempts, "ana", "10.0.0.1", 1_000))
            .collect();
        assert_eq!(left, [Ok(4), Ok(3), Ok(2), Ok(1), Ok(0), Err(PAUSE)]);
        assert_eq!(
            fail(&attempts, "ana", "10.0.0.1", 1_000 + PAUSE - 1),
            Err(1)
        );
        assert_eq!(fail(&attempts, "ana", "10.0.0.1", 1_000 + PAUSE), Ok(4));
    }

    #[test]
    fn a_stranger_does_not_lock_the_owner_out_who_comes_from_elsewhere() {
        let attempts = Attempts::default();
        for _ in 0..20 {
            let _ = fail(&attempts, "ana", "10.0.0.1", 0);
        }
        assert_eq!(fail(&attempts, "ana", "10.0.0.2", 0), Ok(4));
    }

    #[test]
    fn an_account_tried_from_many_places_pauses_everywhere() {
        let attempts = Attempts::default();
        for n in 0..30 {
            assert!(
                fail(&attempts, "ana", &format!("10.0.0.{n}"), 0).is_ok(),
                "{n}"
            );
        }
        assert_eq!(fail(&attempts, "ana", "10.0.1.1", 0), Err(PAUSE));
        assert!(fail(&attempts, "bo", "10.0.1.1", 0).is_ok());
    }

    #[test]
    fn one_place_that_tries_many_accounts_pauses() {
        let attempts = Attempts::default();
        for n in 0..100 {
            let address = format!("2001:db8::{n:x}");
            assert!(
                fail(&attempts, &format!("p{n}"), &address, 0).is_ok(),
                "{n}"
            );
        }
        assert_eq!(fail(&attempts, "other", "2001:db8::ffff", 0), Err(PAUSE));
        assert!(fail(&attempts, "other", "2001:db8:0:1::1", 0).is_ok());
    }

    #[test]
    fn a_right_password_gives_its_attempt_back() {
        let attempts = Attempts::default();
        for _ in 0..300 {
            let keys = Key::of_sign_in("ana", "10.0.0.1");
            assert_eq!(attempts.begin(&keys, 0), Ok(4));
            attempts.succeed(&keys);
        }
        assert!(attempts.0.lock().unwrap().is_empty());
    }

    #[test]
    fn failures_of_long_ago_are_forgotten() {
        let attempts = Attempts::default();
        for n in 0..50 {
            assert_eq!(fail(&attempts, "ana", "10.0.0.1", n * WINDOW), Ok(4), "{n}");
        }
    }

    #[test]
    fn a_wait_is_said_in_words() {
        let cases = [
            (1, "1 second"),
            (1_001, "2 seconds"),
            (60_000, "1 minute"),
            (60_001, "2 minutes"),
            (PAUSE, "5 minutes"),
        ];
        for (wait, words) in cases {
            assert_eq!(in_words(wait), words);
        }
    }
}
