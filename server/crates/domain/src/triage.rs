//! Triage: what may become of a finding, and what takes a second person.
//!
//! A finding of a severity that a policy calls blocking leaves *open* only when one person asks for it and another approves;
//! until then it is open. That holds for whatever takes it out of the verdict: accepting its risk (of any severity), calling
//! it a false positive, a duplicate or fixed, and lowering its severity.

use crate::{FindingStatus, Policy, Severity, words};

words! {
    /// What one person asks another to make of a finding.
    Request {
        RiskAccepted => "risk_accepted",
        FalsePositive => "false_positive",
        Duplicate => "duplicate",
        Fixed => "fixed",
        Severity => "severity",
    }
}

impl Request {
    /// What the finding is once it is approved.
    pub const fn status(self) -> FindingStatus {
        match self {
            Self::RiskAccepted => FindingStatus::RiskAccepted,
            Self::FalsePositive => FindingStatus::FalsePositive,
            Self::Duplicate => FindingStatus::Duplicate,
            Self::Fixed => FindingStatus::Fixed,
            Self::Severity => FindingStatus::Open,
        }
    }

    /// As the end of "Ana asks …".
    pub const fn words(self) -> &'static str {
        match self {
            Self::RiskAccepted => "to accept its risk",
            Self::FalsePositive => "to call it a false positive",
            Self::Duplicate => "to call it a duplicate",
            Self::Fixed => "to call it fixed",
            Self::Severity => "to lower its severity",
        }
    }
}

/// The severities that any of some policies calls blocking: what leaving *open* is measured by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocking(Vec<Severity>);

impl Blocking {
    /// Of the strictest of these policies, each as it is stored; the default where there is none. One that cannot be read
    /// might call anything blocking.
    pub fn strictest<'a>(policies: impl IntoIterator<Item = &'a str>) -> Self {
        let mut policies = policies
            .into_iter()
            .map(|policy| serde_json::from_str(policy).ok())
            .peekable();
        if policies.peek().is_none() {
            return Self(Policy::default().blocking());
        }
        let mut blocking = Vec::new();
        for policy in policies {
            let of_policy = policy.map_or_else(
                || Severity::ALL.to_vec(),
                |policy: Policy| policy.blocking(),
            );
            blocking.extend(of_policy);
        }
        blocking.sort_unstable();
        blocking.dedup();
        Self(blocking)
    }

    pub fn severities(&self) -> &[Severity] {
        &self.0
    }

    pub fn blocks(&self, severity: Severity) -> bool {
        self.0.contains(&severity)
    }

    /// Whether taking a finding of this severity out of *open* in this way takes a second person.
    pub fn takes_two(&self, severity: Severity, request: Request) -> bool {
        request == Request::RiskAccepted || self.blocks(severity)
    }

    /// Whether changing a severity takes a second person: making a blocking one milder.
    pub fn lowering_takes_two(&self, from: Severity, to: Severity) -> bool {
        to > from && self.takes_two(from, Request::Severity)
    }
}

/// A finding that another one is said to repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Original {
    pub number: i64,
    pub severity: Severity,
    pub status: FindingStatus,
}

impl Original {
    /// Why a finding of this severity cannot be called its duplicate: nothing may count for less because of that.
    pub fn refusal(&self, severity: Severity) -> Option<String> {
        let of = self.number;
        match self.status {
            FindingStatus::Open => {}
            FindingStatus::Duplicate => {
                return Some(format!(
                    "F-{of} is itself a duplicate. Name the finding that it repeats."
                ));
            }
            status => {
                return Some(format!(
                    "F-{of} is {}, so it does not stand for a finding that is open. Name one that is open.",
                    status.label().to_lowercase()
                ));
            }
        }
        (self.severity > severity).then(|| {
            format!(
                "F-{of} is {}, and this finding is {severity}: what it repeats must be at least as severe.",
                self.severity
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(blocking: &[Severity]) -> String {
        let policy = Policy {
            blocking_severities: blocking.to_vec(),
            ..Policy::default()
        };
        serde_json::to_string(&policy).expect("a policy serialises")
    }

    #[test]
    fn the_strictest_policy_says_what_is_blocking() {
        use Severity::{Critical, High, Info, Low, Medium, Unrated};

        let (mild, strict, odd) = (policy(&[Critical]), policy(&[High, Medium]), policy(&[Low]));
        for (policies, blocking) in [
            (&[][..], &[Critical, High, Unrated][..]),
            (&[mild.as_str()], &[Critical]),
            (
                &[mild.as_str(), &strict, &odd],
                &[Critical, High, Unrated, Medium, Low],
            ),
            (
                &[mild.as_str(), "{\"four_eye\":true}"],
                &[Critical, High, Unrated, Medium, Low, Info],
            ),
            (
                &["no policy"],
                &[Critical, High, Unrated, Medium, Low, Info],
            ),
        ] {
            let strictest = Blocking::strictest(policies.iter().copied());
            assert_eq!(strictest.severities(), blocking, "{policies:?}");
        }
    }

    #[test]
    fn what_takes_a_blocking_finding_out_of_the_verdict_takes_two() {
        use Severity::{Critical, High, Info, Low, Medium};

        let blocking = Blocking::strictest([]);
        for request in Request::ALL {
            for severity in [Critical, High] {
                assert!(
                    blocking.takes_two(severity, *request),
                    "{severity} {request}"
                );
            }
            for severity in [Medium, Low, Info] {
                let is_acceptance = *request == Request::RiskAccepted;
                assert_eq!(
                    blocking.takes_two(severity, *request),
                    is_acceptance,
                    "{severity} {request}"
                );
            }
        }
        for (from, to, takes_two) in [
            (Critical, High, true),
            (Critical, Info, true),
            (High, Medium, true),
            (High, Severity::Unrated, true),
            (Severity::Unrated, Medium, true),
            (Severity::Unrated, High, false),
            (High, High, false),
            (High, Critical, false),
            (Medium, Low, false),
            (Low, Critical, false),
        ] {
            assert_eq!(
                blocking.lowering_takes_two(from, to),
                takes_two,
                "{from} {to}"
            );
        }
    }

    #[test]
    fn an_original_is_open_and_as_severe() {
        use Severity::{Critical, High, Low};

        let original = |severity, status| Original {
            number: 1,
            severity,
            status,
        };
        for (of, severity, refused) in [
            (original(Critical, FindingStatus::Open), Critical, None),
            (original(Critical, FindingStatus::Open), Low, None),
            (
                original(Low, FindingStatus::Open),
                Critical,
                Some("at least as severe"),
            ),
            (
                original(High, FindingStatus::Open),
                Critical,
                Some("at least as severe"),
            ),
            (
                original(Critical, FindingStatus::Fixed),
                Low,
                Some("F-1 is fixed"),
            ),
            (
                original(Critical, FindingStatus::FalsePositive),
                Low,
                Some("F-1 is false positive"),
            ),
            (
                original(Critical, FindingStatus::RiskAccepted),
                Low,
                Some("F-1 is risk accepted"),
            ),
            (
                original(Critical, FindingStatus::Duplicate),
                Low,
                Some("itself a duplicate"),
            ),
        ] {
            let why = of.refusal(severity);
            match refused {
                None => assert_eq!(why, None, "{of:?}"),
                Some(part) => assert!(
                    why.as_ref().is_some_and(|why| why.contains(part)),
                    "{why:?}"
                ),
            }
        }
    }

    #[test]
    fn an_approval_makes_what_was_asked_for() {
        for request in Request::ALL {
            let status = request.status();
            assert_eq!(
                status.as_str() == request.as_str(),
                *request != Request::Severity
            );
        }
    }
}
