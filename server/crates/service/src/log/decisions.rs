//! What the activity log says of decisions about findings, to be compared with what the findings are.

use std::collections::HashMap;

use holdpoint_domain::{FindingStatus, activity::Entry};
use holdpoint_storage::DecidedFinding;
use serde_json::{Map, Value};

/// More findings than a service has, so that no text of an entry makes a list without end.
const MOST_IN_RANGE: i64 = 10_000_000;

/// How approvals of accepted risks were written before every request had the same words.
const APPROVED_ONCE: &str = "approve_acceptance";

/// What leaves a finding open.
const OPENS: [&str; 3] = ["reopen", "decline", "decline_acceptance"];

/// What an entry makes of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Exactly(FindingStatus),
    /// What was asked for before; the entry about many that was the newest then, if there was one.
    Approved {
        before: Option<(i64, Option<FindingStatus>)>,
    },
    /// What it was before a decision that was taken back, or what an older log does not say.
    Untold,
}

/// What the newest entry of a kind says of a finding.
#[derive(Clone, Copy, Debug)]
struct Noted {
    entry: i64,
    outcome: Outcome,
    /// What it asks a second person for.
    asked: Option<FindingStatus>,
}

/// A decision about many: its service, its entry, and the numbers of the findings as ranges.
type Batch = (u32, i64, Vec<(i64, i64)>);

/// By finding, what its newest entries say.
#[derive(Debug, Default)]
pub(super) struct LoggedDecisions {
    services: HashMap<String, u32>,
    /// Of decisions about one finding, by its id.
    of_one: HashMap<String, Noted>,
    /// Of decisions about many, by service and number.
    of_many: HashMap<(u32, i64), Noted>,
    /// Decisions about many, should one be taken back.
    batches: HashMap<String, Batch>,
    /// Services with a decision about many of which an older log does not say which findings it is about: its newest entry.
    unnamed: HashMap<u32, i64>,
}

/// How a finding compares with the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compared {
    Same,
    /// The log does not say enough.
    Unknown,
    /// No entry is about it.
    Undecided,
    /// This entry made something else of it.
    Otherwise(i64),
}

impl LoggedDecisions {
    pub(super) fn take(&mut self, entry: &Entry, after: &Map<String, Value>) {
        let said = |name: &str| after.get(name).and_then(Value::as_str);
        let status_said = |name: &str| said(name).and_then(FindingStatus::parse);
        let sequence = entry.sequence;
        match entry.action.as_str() {
            "finding.triaged" => {
                let outcome = status_said("status").map_or(Outcome::Untold, Outcome::Exactly);
                let noted = Noted {
                    entry: sequence,
                    outcome,
                    asked: status_said("asked_for"),
                };
                self.of_one.insert(entry.subject.clone(), noted);
            }
            "findings.triaged" if said("action") != Some("map") => {
                let service = self.service(entry.service.as_deref().unwrap_or_default());
                let Some(ranges) = said("findings").and_then(ranges) else {
                    self.unnamed.insert(service, sequence);
                    return;
                };
                let n: i64 = ranges.iter().map(|(first, last)| last - first + 1).sum();
                let n_asked = after.get("asked").and_then(Value::as_i64);
                let target = match said("action") {
                    Some("ask_acceptance" | APPROVED_ONCE) => Some(FindingStatus::RiskAccepted),
                    Some(action) => FindingStatus::parse(action),
                    None => None,
                };
                let is_approval = said("action") == Some("approve");
                self.note(service, &ranges, |before| {
                    let (outcome, asked) = match (target, n_asked) {
                        _ if is_approval => {
                            let before = before.map(|of| (of.entry, of.asked));
                            (Outcome::Approved { before }, None)
                        }
                        (Some(target), _) if said("action") == Some(APPROVED_ONCE) => {
                            (Outcome::Exactly(target), None)
                        }
                        (Some(target), Some(0)) => (Outcome::Exactly(target), None),
                        // Some may have been decided alone, where not all were asked for.
                        (Some(target), Some(asked)) if asked < n => {
                            (Outcome::Exactly(target), Some(target))
                        }
                        (Some(target), Some(_)) => {
                            (Outcome::Exactly(FindingStatus::Open), Some(target))
                        }
                        (None, _) if said("action").is_some_and(|word| OPENS.contains(&word)) => {
                            (Outcome::Exactly(FindingStatus::Open), None)
                        }
                        (_, _) => (Outcome::Untold, None),
                    };
                    Noted {
                        entry: sequence,
                        outcome,
                        asked,
                    }
                });
                if let Some(batch) = said("batch") {
                    let made = (service, sequence, ranges);
                    self.batches.insert(batch.to_owned(), made);
                }
            }
            "findings.triage_undone" => {
                let batch = said("batch").and_then(|batch| self.batches.remove(batch));
                if let Some((service, made_at, ranges)) = batch {
                    // What was decided about since stayed as it was.
                    self.note(service, &ranges, |newest| match newest {
                        Some(later) if later.entry > made_at => *later,
                        _ => Noted {
                            entry: made_at,
                            outcome: Outcome::Untold,
                            asked: None,
                        },
                    });
                }
            }
            _ => {}
        }
    }

    fn service(&mut self, id: &str) -> u32 {
        let next = u32::try_from(self.services.len()).unwrap_or(u32::MAX);
        *self.services.entry(id.to_owned()).or_insert(next)
    }

    fn note(
        &mut self,
        service: u32,
        ranges: &[(i64, i64)],
        noted: impl Fn(Option<&Noted>) -> Noted,
    ) {
        for (first, last) in ranges {
            for number in *first..=*last {
                let key = (service, number);
                let now = noted(self.of_many.get(&key));
                self.of_many.insert(key, now);
            }
        }
    }

    pub(super) fn compare(&self, finding: &DecidedFinding) -> Compared {
        let service = self.services.get(&finding.service);
        let of_one = self.of_one.get(&finding.id);
        let of_many = service.and_then(|service| self.of_many.get(&(*service, finding.number)));
        let newest = of_one.into_iter().chain(of_many).max_by_key(|of| of.entry);
        let unnamed = service.and_then(|service| self.unnamed.get(service));
        if unnamed > newest.map(|of| &of.entry) {
            return Compared::Unknown;
        }
        let Some(newest) = newest else {
            return Compared::Undecided;
        };
        let made = match newest.outcome {
            Outcome::Exactly(status) => Some(status),
            Outcome::Approved { before } => {
                // What was asked for by whichever came right before.
                let of_one = of_one.map(|of| (of.entry, of.asked));
                let asked = of_one.into_iter().chain(before);
                asked
                    .max_by_key(|(entry, _)| *entry)
                    .and_then(|(_, asked)| asked)
            }
            Outcome::Untold => None,
        };
        match made {
            Some(status) if status == finding.status => Compared::Same,
            Some(_) => Compared::Otherwise(newest.entry),
            None => Compared::Unknown,
        }
    }
}

/// Reads numbers that are written as ranges.
fn ranges(text: &str) -> Option<Vec<(i64, i64)>> {
    text.split(", ")
        .map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last) = (first.parse::<i64>().ok()?, last.parse::<i64>().ok()?);
            (0..MOST_IN_RANGE)
                .contains(&last.checked_sub(first)?)
                .then_some((first, last))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The log of these entries about F-1 and F-2: action and what it says.
    fn logged(entries: &[(&str, &str)]) -> LoggedDecisions {
        let mut logged = LoggedDecisions::default();
        for (sequence, (action, after)) in (1..).zip(entries) {
            let entry = Entry {
                sequence,
                at: 0,
                actor: "ana".to_owned(),
                action: (*action).to_owned(),
                subject_kind: "finding".to_owned(),
                subject: "one".to_owned(),
                service: Some("executor".to_owned()),
                review: None,
                summary: String::new(),
                before: None,
                after: None,
                previous: String::new(),
            };
            logged.take(&entry, &serde_json::from_str(after).expect("an object"));
        }
        logged
    }

    fn compared(logged: &LoggedDecisions, status: FindingStatus) -> Compared {
        logged.compare(&DecidedFinding {
            id: "one".to_owned(),
            service: "executor".to_owned(),
            number: 1,
            status,
        })
    }

    #[test]
    fn what_older_logs_say_is_understood_and_what_nobody_knows_accuses_nobody() {
        let accepted = logged(&[(
            "findings.triaged",
            r#"{"action": "approve_acceptance", "findings": "1-2"}"#,
        )]);
        assert_eq!(
            compared(&accepted, FindingStatus::RiskAccepted),
            Compared::Same
        );
        assert_eq!(
            compared(&accepted, FindingStatus::FalsePositive),
            Compared::Otherwise(1)
        );
        let unheard = logged(&[(
            "findings.triaged",
            r#"{"action": "something", "findings": "1-2"}"#,
        )]);
        assert_eq!(
            compared(&unheard, FindingStatus::Duplicate),
            Compared::Unknown
        );
        let opened = logged(&[(
            "findings.triaged",
            r#"{"action": "reopen", "findings": "1-2"}"#,
        )]);
        assert_eq!(
            compared(&opened, FindingStatus::Duplicate),
            Compared::Otherwise(1)
        );
    }

    #[test]
    fn taking_a_decision_back_hides_nothing_that_was_decided_since() {
        let many = (
            "findings.triaged",
            r#"{"action": "false_positive", "findings": "1-2", "asked": 0, "batch": "b"}"#,
        );
        let one = ("finding.triaged", r#"{"status": "duplicate"}"#);
        let undone = ("findings.triage_undone", r#"{"batch": "b"}"#);
        let logged_since = logged(&[many, one, undone]);
        assert_eq!(
            compared(&logged_since, FindingStatus::Duplicate),
            Compared::Same
        );
        assert_eq!(
            compared(&logged_since, FindingStatus::RiskAccepted),
            Compared::Otherwise(2)
        );
        let logged_before = logged(&[one, many, undone]);
        assert_eq!(
            compared(&logged_before, FindingStatus::Duplicate),
            Compared::Unknown
        );
    }
}
