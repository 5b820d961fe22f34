//! How often somebody may try a password, a link or a token before they have to wait.
//!
//! The counts are kept in memory, since a pause of minutes need not survive a restart; each node counts for itself. An
//! attempt is counted before the password is compared and given back when it was right, so that many at once gain nothing.
//! However many accounts and addresses are tried, no more than [`MOST`] counts of each kind are kept.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use holdpoint_domain::{Digest, Millis, PersonId};

const MINUTE: Millis = 60_000;
/// Failures further apart than this have nothing to do with each other.
const WINDOW: Millis = 15 * MINUTE;
/// How long to wait after too many.
pub(crate) const PAUSE: Millis = 5 * MINUTE;
/// The most counts that are kept. Who is tried now is among the newer half; to push a count out, somebody has to fail from as many
/// places as there are in that half, each time at the price of a password's comparison.
const MOST: usize = 40_000;
/// The most tokens that are remembered as good, so that their callers go on while others at the same address guess.
const MOST_GOOD_TOKENS: usize = 10_000;

/// What attempts are counted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// One account from one place: the person who mistypes, or who tries.
    AccountFrom(String, String),
    /// One account from anywhere. Above the limit of a single place, so that a stranger alone cannot lock somebody out.
    Account(String),
    /// Any account from one place, which may be a whole office.
    From(String),
    /// One account from a browser in which it was signed in before, and nothing else: what strangers try does not count there.
    Device(String, Digest),
    /// One-time links from one place: whoever tries many is guessing.
    Link(String),
    /// API tokens that are not taken, from one place.
    Token(String),
    /// Questions that anybody may ask without an account, from one place.
    Open(String),
    /// A signed-in person who gives the password again.
    Again(PersonId),
    /// The same by an API token: whoever has stolen one does not keep its owner from signing.
    AgainByToken(PersonId),
}

impl Key {
    const fn limit(&self) -> u32 {
        match self {
            Self::AccountFrom(..) | Self::Again(_) | Self::AgainByToken(_) => 5,
            Self::Device(..) => 10,
            Self::Link(_) => 20,
            Self::Account(_) => 30,
            Self::From(_) => 100,
            Self::Token(_) => 500,
            Self::Open(_) => 1_000,
        }
    }

    /// Whether an attempt costs next to nothing, since no password is compared.
    const fn is_cheap(&self) -> bool {
        matches!(self, Self::Link(_) | Self::Token(_) | Self::Open(_))
    }

    /// What was tried too often, as a sentence.
    const fn too_many(&self) -> &'static str {
        match self {
            Self::Link(_) => "Too many links were tried that do not work.",
            Self::Token(_) => "Too many tokens were tried that are not taken.",
            Self::Open(_) => "This was asked too often.",
            _ => "There were too many wrong passwords.",
        }
    }

    /// The key of whoever comes with a one-time link.
    pub(crate) fn of_link(address: &str) -> Self {
        Self::Link(place(address))
    }

    /// The key of whoever comes with a token.
    pub(crate) fn of_token(address: &str) -> Self {
        Self::Token(place(address))
    }

    /// The key of whoever asks what needs no account.
    pub(crate) fn of_open(address: &str) -> Self {
        Self::Open(place(address))
    }

    /// The keys of a sign-in. `account` is the address as typed where it is no e-mail address.
    pub(crate) fn of_sign_in(account: &str, address: &str) -> [Self; 3] {
        let account = short(account);
        let place = place(address);
        [
            Self::AccountFrom(account.clone(), place.clone()),
            Self::Account(account),
            Self::From(place),
        ]
    }

    /// The key of a sign-in from a device that the account is known on.
    pub(crate) fn of_device(account: &str, device: Digest) -> Self {
        Self::Device(short(account), device)
    }
}

fn short(account: &str) -> String {
    account.chars().take(254).collect()
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

/// So many of the newest entries, and at most as many older ones. What is not asked for any more is forgotten.
#[derive(Debug)]
struct Newest<K, V> {
    newer: HashMap<K, V>,
    older: HashMap<K, V>,
    most: usize,
}

impl<K: Clone + Eq + std::hash::Hash, V> Newest<K, V> {
    fn new(most: usize) -> Self {
        Self {
            newer: HashMap::new(),
            older: HashMap::new(),
            most,
        }
    }

    /// The entry of a key, which is among the newest from now on.
    fn get(&mut self, key: &K) -> Option<&mut V> {
        if let Some(value) = self.older.remove(key) {
            self.insert(key.clone(), value);
        }
        self.newer.get_mut(key)
    }

    fn insert(&mut self, key: K, value: V) {
        if self.newer.len() >= self.most / 2 && !self.newer.contains_key(&key) {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(key, value);
    }

    fn remove(&mut self, key: &K) {
        self.newer.remove(key);
        self.older.remove(key);
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.newer.len() + self.older.len()
    }
}

impl Newest<Key, Count> {
    fn give_back(&mut self, key: &Key) {
        match self.get(key) {
            Some(count) if count.failures > 1 => {
                count.failures -= 1;
                if count.failures < key.limit() {
                    count.until = 0;
                }
            }
            _ => self.remove(key),
        }
    }
}

/// A wait that is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) millis: Millis,
    /// What was tried too often, as a sentence.
    pub(crate) because: &'static str,
}

#[derive(Debug)]
pub(crate) struct Attempts {
    counts: Mutex<Newest<Key, Count>>,
    /// Of what costs no comparison of a password: kept apart, so that it pushes none of the others out.
    cheap: Mutex<Newest<Key, Count>>,
    good_tokens: Mutex<Newest<Digest, ()>>,
}

impl Default for Attempts {
    fn default() -> Self {
        Self {
            counts: Mutex::new(Newest::new(MOST)),
            cheap: Mutex::new(Newest::new(MOST)),
            good_tokens: Mutex::new(Newest::new(MOST_GOOD_TOKENS)),
        }
    }
}

impl Attempts {
    /// The counts that these keys are among. Nobody is counted by both kinds at once.
    fn counts_of(&self, keys: &[Key]) -> std::sync::MutexGuard<'_, Newest<Key, Count>> {
        let counts = if keys.iter().all(Key::is_cheap) {
            &self.cheap
        } else {
            &self.counts
        };
        counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an attempt, and says how many are left if it fails; or how long to wait before there is another.
    pub(crate) fn begin(&self, keys: &[Key], now: Millis) -> Result<u32, Wait> {
        let mut counts = self.counts_of(keys);
        let waits = keys.iter().filter_map(|key| {
            let millis = counts.get(key)?.until - now;
            (millis > 0).then_some(Wait {
                millis,
                because: key.too_many(),
            })
        });
        if let Some(wait) = waits.max_by_key(|wait| wait.millis) {
            return Err(wait);
        }
        let mut left = u32::MAX;
        for key in keys {
            let mut count = counts
                .get(key)
                .copied()
                .filter(|count| !count.is_over(now))
                .unwrap_or(Count {
                    since: now,
                    ..Count::default()
                });
            count.failures += 1;
            if count.failures >= key.limit() {
                count.until = now + PAUSE;
            }
            left = left.min(key.limit().saturating_sub(count.failures));
            counts.insert(key.clone(), count);
        }
        Ok(left)
    }

    /// Takes an attempt back: the password was right. What others tried against the account from elsewhere still counts.
    pub(crate) fn succeed(&self, keys: &[Key]) {
        let mut counts = self.counts_of(keys);
        for key in keys {
            let is_own = matches!(
                key,
                Key::AccountFrom(..) | Key::Device(..) | Key::Again(_) | Key::AgainByToken(_)
            );
            if is_own {
                counts.remove(key);
            } else {
                counts.give_back(key);
            }
        }
    }

    /// Takes an attempt back that was never made.
    pub(crate) fn give_back(&self, keys: &[Key]) {
        let mut counts = self.counts_of(keys);
        for key in keys {
            counts.give_back(key);
        }
    }

    /// Remembers that a token was taken.
    pub(crate) fn token_is_good(&self, token: Digest) {
        let mut good = self
            .good_tokens
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        good.insert(token, ());
    }

    /// Forgets that a token was taken: it was revoked since, or has expired.
    pub(crate) fn token_is_bad(&self, token: &Digest) {
        let mut good = self
            .good_tokens
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        good.remove(token);
    }

    /// Whether a token was taken not long ago.
    pub(crate) fn was_good_token(&self, token: &Digest) -> bool {
        let mut good = self
            .good_tokens
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        good.get(token).is_some()
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
        let begun = attempts.begin(&Key::of_sign_in(account, address), now);
        begun.map_err(|wait| wait.millis)
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
        assert_eq!(attempts.counts.lock().unwrap().len(), 0);
    }

    #[test]
    fn failures_of_long_ago_are_forgotten() {
        let attempts = Attempts::default();
        for n in 0..50 {
            assert_eq!(fail(&attempts, "ana", "10.0.0.1", n * WINDOW), Ok(4), "{n}");
        }
    }

    #[test]
    fn however_many_are_tried_the_memory_is_bounded_and_who_is_tried_now_still_waits() {
        let attempts = Attempts::default();
        let n = i64::try_from(MOST).unwrap();
        for n in 0..n {
            if n % 5_000 == 0 {
                let _ = fail(&attempts, "ana", "10.0.0.1", n);
            }
            let address = format!("2001:db8:{:x}:{:x}::1", n >> 16, n & 0xffff);
            let _ = fail(&attempts, &format!("p{n}"), &address, n);
        }
        assert!(attempts.counts.lock().unwrap().len() <= MOST);
        assert!(fail(&attempts, "ana", "10.0.0.1", n).is_err());
        for n in 0..MOST_GOOD_TOKENS * 2 {
            attempts.token_is_good(Digest::of(&n.to_le_bytes()));
        }
        assert!(attempts.good_tokens.lock().unwrap().len() <= MOST_GOOD_TOKENS);
    }

    #[test]
    fn each_thing_that_is_tried_too_often_has_a_sentence_of_its_own() {
        let attempts = Attempts::default();
        for (key, words) in [
            (Key::of_link("10.0.0.1"), "links"),
            (Key::of_token("10.0.0.1"), "tokens"),
            (Key::of_open("10.0.0.1"), "asked"),
        ] {
            let keys = [key];
            let wait = (0..2_000).find_map(|_| attempts.begin(&keys, 0).err());
            assert!(
                wait.is_some_and(|wait| wait.because.contains(words)),
                "{words}"
            );
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

    #[test]
    fn what_costs_nothing_pushes_no_wrong_password_out() {
        let attempts = Attempts::default();
        for _ in 0..5 {
            fail(&attempts, "ana", "10.0.0.1", 1_000).expect("tries");
        }
        for n in 0..2 * MOST {
            let key = Key::of_open(&format!("2001:db8:{:x}:{:x}::1", n >> 16, n & 0xffff));
            attempts.begin(&[key], 1_000).expect("asks");
        }
        assert!(fail(&attempts, "ana", "10.0.0.1", 1_000).is_err());
    }
}
