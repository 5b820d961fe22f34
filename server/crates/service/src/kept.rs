//! Answers that take long to work out, kept while nothing has happened.
//!
//! Every change appends to the activity log in its own transaction. So an answer about a service holds as long as the
//! service's last entry is the one it was worked out at; asking for that entry is one look into an index, on every node. What
//! the passing of time alone changes (an accepted risk that ends) is seen at the latest after [`LASTS`]. What people rely on
//! (the verdict's own page, the gate, the sign forms, the report) is never kept.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use holdpoint_domain::Millis;

/// How long an answer is kept at most.
pub(crate) const LASTS: Millis = 60_000;
/// From this many answers on, all are dropped: they are worked out again when they are asked for.
const MANY: usize = 256;

#[derive(Debug)]
struct Answer<V> {
    last_entry: i64,
    at: Millis,
    value: Arc<V>,
}

impl<V> Answer<V> {
    fn lasts(&self, now: Millis) -> bool {
        (self.at..self.at + LASTS).contains(&now)
    }
}

#[derive(Debug)]
pub(crate) struct Kept<V>(Mutex<HashMap<String, Answer<V>>>);

impl<V> Default for Kept<V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<V> Kept<V> {
    /// The answer to a question, if the log has not grown since.
    pub(crate) fn get(&self, question: &str, last_entry: i64, now: Millis) -> Option<Arc<V>> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers
            .get(question)
            .filter(|answer| answer.last_entry == last_entry)
            .filter(|answer| answer.lasts(now))
            .map(|answer| answer.value.clone())
    }

    /// Keeps an answer. `last_entry` was read before the answer was worked out, so that it can only be older than it.
    pub(crate) fn keep(&self, question: String, last_entry: i64, now: Millis, value: V) -> Arc<V> {
        let value = Arc::new(value);
        let answer = Answer {
            last_entry,
            at: now,
            value: value.clone(),
        };
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.retain(|_, answer| answer.lasts(now));
        if answers.len() >= MANY {
            answers.clear();
        }
        answers.insert(question, answer);
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_until_something_happens_or_a_minute_is_over() {
        let kept = Kept::default();
        kept.keep("how many".to_owned(), 7, 1_000, 3);
        assert_eq!(kept.get("how many", 7, 1_000).as_deref(), Some(&3));
        assert_eq!(kept.get("how many", 7, 1_000 + LASTS), None);
        assert_eq!(kept.get("how many", 8, 1_000), None);
        assert_eq!(kept.get("how few", 7, 1_000), None);
    }

    #[test]
    fn what_is_kept_does_not_grow_for_ever() {
        let kept = Kept::default();
        for n in 0..10 * MANY {
            kept.keep(n.to_string(), 1, 0, n);
        }
        assert!(kept.0.lock().unwrap().len() <= MANY);
        // What is too old to be given out is not kept either.
        kept.keep("late".to_owned(), 1, LASTS, 0);
        assert_eq!(kept.0.lock().unwrap().len(), 1);
    }
}
