//! Passwords: which are accepted, how they are hashed and compared.

use std::{fmt, sync::Arc};

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version,
    password_hash::SaltString,
};
use holdpoint_domain::text::{Email, Name};
use tokio::sync::Semaphore;

use crate::{Ids, ServiceError};

/// The fewest characters of a password.
pub const MIN_PASSWORD_CHARS: usize = 12;
/// The most characters of a password: beyond, hashing would only cost time.
pub const MAX_PASSWORD_CHARS: usize = 1_000;

/// How many passwords are hashed at once; each takes 19 MiB and about 30 ms of one core.
const AT_ONCE: usize = 4;
/// How many more wait for their turn: about half a second. Whoever comes beyond is asked to try again.
const MOST_WAITING: usize = 64;

/// How many guesses a password must be worth: more than somebody can try who has its hash and much time. `zxcvbn` knows
/// lists of leaked passwords, words, names, dates, keyboard patterns and repeats.
const ENOUGH: zxcvbn::Score = zxcvbn::Score::Three;

/// A password that may be used: long enough, and not to be guessed by somebody who knows its person.
#[derive(Clone)]
pub(crate) struct NewPassword(String);

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword")
    }
}

impl NewPassword {
    pub(crate) fn parse(text: &str, email: &Email, name: &Name) -> Result<Self, String> {
        let chars = text.chars().count();
        if chars < MIN_PASSWORD_CHARS {
            return Err(format!(
                "{chars} characters. Use at least {MIN_PASSWORD_CHARS}: a sentence of four words works well."
            ));
        }
        if chars > MAX_PASSWORD_CHARS {
            return Err(format!(
                "{chars} characters. Use at most {MAX_PASSWORD_CHARS}."
            ));
        }
        let local = email
            .as_str()
            .rsplit_once('@')
            .map_or("", |(local, _)| local);
        let mut own = vec![email.as_str(), local, name.as_str()];
        own.extend(name.as_str().split_whitespace());
        own.extend(email.as_str().split(['.', '-', '_', '+', '@']));
        if is_hardly_more_than(text, &own) {
            return Err(
                "This is hardly more than your name or address. Use something that nobody can look up."
                    .to_owned(),
            );
        }
        // Among them the example of a good password that everybody knows.
        let famous = "correcthorsebatterystaple";
        let mut known = vec![email.as_str(), local, name.as_str(), "holdpoint", famous];
        known.extend(name.as_str().split_whitespace());
        known.extend(local.split(['.', '-', '_', '+']));
        known.retain(|word| !word.is_empty());
        // A long text is judged by its beginning, so this takes as long for any of them.
        let strength = zxcvbn::zxcvbn(text, &known);
        if strength.score() < ENOUGH {
            let why = strength
                .feedback()
                .and_then(zxcvbn::feedback::Feedback::warning)
                .map_or_else(String::new, |warning| format!("{warning} "));
            return Err(format!(
                "This could be guessed. {why}Use another one: a sentence that nobody has said before works well."
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Whether a text is made of these words and a few characters more, however often they come.
fn is_hardly_more_than(text: &str, words: &[&str]) -> bool {
    let letters = |text: &str| -> String {
        text.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    };
    let whole = letters(text);
    let mut rest = whole.clone();
    let mut words: Vec<_> = words.iter().map(|word| letters(word)).collect();
    // The longest first, so that none is cut by a shorter one within it.
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    for word in words {
        // An initial stands in any text.
        if word.chars().count() > 1 {
            rest = rest.replace(&word, "");
        }
    }
    rest.len() < whole.len() && rest.chars().count() < 6
}

/// What came of comparing a password with what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Wrong,
    Right,
    /// Right, and stored by older parameters: this is the hash by today's.
    RightAndRehashed(String),
}

/// Hashes and compares passwords, off the asynchronous threads and only a few at once.
#[derive(Debug)]
pub(crate) struct Passwords {
    /// Places in the queue, those at work included.
    places: Arc<Semaphore>,
    permits: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(AT_ONCE + MOST_WAITING)),
            permits: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Passwords {
    /// The hash to store (argon2id, PHC text).
    pub(crate) async fn hash(
        &self,
        password: NewPassword,
        ids: &Ids,
    ) -> Result<String, ServiceError> {
        let mut salt = [0; 16];
        ids.fill(&mut salt);
        self.work(move || hash(&password.0, &salt)).await?
    }

    /// Compares a password with a stored hash. With nothing stored it takes as long and says that it was wrong, so that
    /// the time tells nobody which addresses have an account.
    pub(crate) async fn compare(
        &self,
        password: &str,
        stored: Option<String>,
        ids: &Ids,
    ) -> Result<Comparison, ServiceError> {
        let fits = password.chars().count() <= MAX_PASSWORD_CHARS;
        let password = if fits {
            password.to_owned()
        } else {
            String::new()
        };
        let stored = stored.filter(|_| fits);
        let mut salt = [0; 16];
        ids.fill(&mut salt);
        self.work(move || {
            let Some(stored) = stored else {
                hash(&password, &salt)?;
                return Ok(Comparison::Wrong);
            };
            let parsed = PasswordHash::new(&stored).map_err(|error| {
                ServiceError::unavailable(format!("a stored password hash: {error}"))
            })?;
            match argon2().verify_password(password.as_bytes(), &parsed) {
                Err(argon2::password_hash::Error::Password) => Ok(Comparison::Wrong),
                Err(error) => Err(ServiceError::unavailable(format!(
                    "comparing a password: {error}"
                ))),
                Ok(()) if is_current(&parsed) => Ok(Comparison::Right),
                Ok(()) => hash(&password, &salt).map(Comparison::RightAndRehashed),
            }
        })
        .await?
    }

    /// The permit goes with the work: a request that is given up does not let another one start beside it.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        let place =
            Arc::clone(&self.places)
                .try_acquire_owned()
                .map_err(|_| {
                    ServiceError::TooOften {
                message:
                    "Too many people give a password at this moment. Try again in a few seconds."
                        .to_owned(),
                seconds: 5,
            }
                })?;
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(ServiceError::unavailable)?;
        tokio::task::spawn_blocking(move || {
            let _held = (place, permit);
            work()
        })
        .await
        .map_err(ServiceError::unavailable)
    }
}

fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

fn hash(password: &str, salt: &[u8]) -> Result<String, ServiceError> {
    let failed = |error| ServiceError::unavailable(format!("hashing a password: {error}"));
    let salt = SaltString::encode_b64(salt).map_err(failed)?;
    argon2()
        .hash_password(password.as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(failed)
}

fn is_current(stored: &PasswordHash<'_>) -> bool {
    let params = Params::try_from(stored).ok();
    let same = params.is_some_and(|params| {
        (params.m_cost(), params.t_cost(), params.p_cost())
            == (
                Params::DEFAULT.m_cost(),
                Params::DEFAULT.t_cost(),
                Params::DEFAULT.p_cost(),
            )
    });
    stored.algorithm == Algorithm::Argon2id.ident()
        && stored.version == Some(Version::V0x13.into())
        && same
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_so_many_wait_for_a_comparison_and_the_others_are_asked_to_come_again() {
        let passwords = Passwords::default();
        let ids = Ids::seeded(1);
        let guesses = (0..2 * MOST_WAITING).map(|_| passwords.compare("a guess", None, &ids));
        let compared = futures::future::join_all(guesses).await;
        let n_compared = compared.iter().filter(|compared| compared.is_ok()).count();
        assert_eq!(n_compared, AT_ONCE + MOST_WAITING);
        let later = compared.iter().find_map(|compared| compared.as_ref().err());
        assert!(
            matches!(later, Some(ServiceError::TooOften { .. })),
            "{later:?}"
        );
        assert!(passwords.compare("a guess", None, &ids).await.is_ok());
    }

    fn parse(text: &str) -> Result<NewPassword, String> {
        let email = Email::parse("ana.novak@example.org").unwrap();
        NewPassword::parse(text, &email, &Name::parse("Ana Novak").unwrap())
    }

    #[test]
    fn a_password_that_anybody_would_try_is_refused() {
        let refused = [
            "",
            "elevenchars",
            "password1234",
            "Password 1234",
            "aaaaaaaaaaaa",
            "123456789012",
            "210987654321",
            "ana.novak@example.org",
            "Ana Novak Ana Novak",
            "ana.novak1234",
            "P@ssw0rd!2024",
            "correcthorsebatterystaple",
            "qwertyuiopasdf",
            "holdpointholdpoint",
            &"long enough ".repeat(100),
        ];
        for text in refused {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn short_names_and_the_addresss_domain_are_known_to_everybody_too() {
        for (text, email, name) in [
            ("ada root example 2026", "ada@example.org", "Ada Root"),
            ("max manager example", "max@example.org", "Max Manager"),
            ("example org li wu", "li.wu@example.org", "Li Wu"),
        ] {
            let (email, name) = (Email::parse(email).unwrap(), Name::parse(name).unwrap());
            assert!(NewPassword::parse(text, &email, &name).is_err(), "{text}");
            let sentence = "the example of ada root is followed by max";
            assert!(NewPassword::parse(sentence, &email, &name).is_ok());
        }
    }

    #[test]
    fn a_sentence_is_accepted_in_any_script() {
        let longest = "Zürich ist schön. ".repeat(55);
        for text in [
            "four words work well",
            "ana has 3 brown dogs",
            "жили-были дед да баба",
            &longest,
        ] {
            assert!(parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn debug_output_does_not_show_a_password() {
        let password = parse("four words work well").unwrap();
        assert_eq!(format!("{password:?}"), "NewPassword");
    }

    #[tokio::test]
    async fn a_hash_by_older_parameters_is_replaced_once_it_was_right() {
        let (passwords, ids) = (Passwords::default(), Ids::seeded(1));
        let older = Argon2::new(
            Algorithm::Argon2id,
            Version::V0x13,
            Params::new(8, 1, 1, None).unwrap(),
        );
        let salt = SaltString::encode_b64(&[7; 16]).unwrap();
        let stored = older
            .hash_password(b"four words work well", &salt)
            .unwrap()
            .to_string();
        let compare = |password: &'static str, stored: &str| {
            let stored = stored.to_owned();
            let (passwords, ids) = (&passwords, &ids);
            async move {
                passwords
                    .compare(password, Some(stored), ids)
                    .await
                    .unwrap()
            }
        };
        assert_eq!(
            compare("four words work wrong", &stored).await,
            Comparison::Wrong
        );
        let Comparison::RightAndRehashed(newer) = compare("four words work well", &stored).await
        else {
            panic!("the older hash was not replaced");
        };
        assert!(
            newer.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{newer}"
        );
        assert_eq!(
            compare("four words work well", &newer).await,
            Comparison::Right
        );
    }

    #[tokio::test]
    async fn where_nothing_is_stored_every_password_is_wrong() {
        let (passwords, ids) = (Passwords::default(), Ids::seeded(1));
        assert_eq!(
            passwords.compare("", None, &ids).await.unwrap(),
            Comparison::Wrong
        );
        let stored = passwords
            .hash(parse("four words work well").unwrap(), &ids)
            .await
            .unwrap();
        let huge = "x".repeat(MAX_PASSWORD_CHARS + 1);
        assert_eq!(
            passwords.compare(&huge, Some(stored), &ids).await.unwrap(),
            Comparison::Wrong
        );
    }
}
