//! What those who sign the release say together.

use crate::Policy;

crate::words! {
    /// What a person signs about a release.
    ReleaseDecision {
        Go => "go",
        NoGo => "no_go",
    }
}

impl ReleaseDecision {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Go => "GO",
            Self::NoGo => "NO-GO",
        }
    }
}

impl Policy {
    /// How many have to sign GO for the release to be decided.
    pub fn n_approvals(&self) -> usize {
        match self.approvers.len() {
            0 => usize::try_from(self.approvals.max(1)).unwrap_or(usize::MAX),
            named => named,
        }
    }

    /// Whether this person's signature of the release counts: anybody's who may decide, unless the policy names people.
    pub fn is_approver(&self, person: &str) -> bool {
        self.approvers.is_empty() || self.approvers.iter().any(|named| named == person)
    }
}

/// What is decided by a policy where this was said last by each who signed; signatures that do not count are not among them.
/// One NO-GO of somebody who decides is enough.
pub fn decided<'a>(
    policy: &Policy,
    said: impl IntoIterator<Item = (&'a str, ReleaseDecision)>,
) -> Option<ReleaseDecision> {
    let (mut n_go, mut n_no_go) = (0_usize, 0_usize);
    for (_, decision) in said
        .into_iter()
        .filter(|(person, _)| policy.is_approver(person))
    {
        match decision {
            ReleaseDecision::Go => n_go += 1,
            ReleaseDecision::NoGo => n_no_go += 1,
        }
    }
    match (n_no_go, n_go >= policy.n_approvals()) {
        (1.., _) => Some(ReleaseDecision::NoGo),
        (0, true) => Some(ReleaseDecision::Go),
        (0, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ReleaseDecision::{Go, NoGo};

    #[test]
    fn as_many_as_the_policy_asks_for_say_go_and_one_says_no() {
        let two = Policy {
            approvals: 2,
            ..Policy::default()
        };
        assert_eq!(decided(&two, []), None);
        assert_eq!(decided(&two, [("ana", Go)]), None);
        assert_eq!(decided(&two, [("ana", Go), ("bo", Go)]), Some(Go));
        let one_says_no = [("ana", Go), ("bo", Go), ("cy", NoGo)];
        assert_eq!(decided(&two, one_says_no), Some(NoGo));
        let named = Policy {
            approvers: vec!["ana".into(), "bo".into()],
            ..Policy::default()
        };
        assert_eq!(decided(&named, [("ana", Go), ("cy", Go)]), None);
        assert_eq!(decided(&named, [("ana", Go), ("bo", Go)]), Some(Go));
        let by_another = [("ana", Go), ("bo", Go), ("cy", NoGo)];
        assert_eq!(decided(&named, by_another), Some(Go));
        let none = Policy {
            approvals: 0,
            ..Policy::default()
        };
        assert_eq!(decided(&none, []), None, "somebody has to say it");
    }
}
