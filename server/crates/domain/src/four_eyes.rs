//! Four eyes: whose account counts as another pair of eyes on somebody's work.
//!
//! Two accounts are no two people where one person holds both: whoever made an account, or set its password, can sign in
//! with it. So an account does not count on the work of the person who made it, nor of the one who last had its password
//! reset; and whoever had a password reset does not count on the work of that account. Nor do two accounts that the same person
//! made count on each other's work, where that person is no administrator.

use std::collections::BTreeSet;

use crate::Millis;

/// For how long after a password was set by somebody else's link a signature says so: a day.
pub const RESET_MARKS: Millis = 24 * 60 * 60 * 1_000;

/// Whether a signature is marked because the signer's password had been set by somebody else's link. Which of the two came first is
/// for the log to say, since clocks differ.
pub fn is_marked_by_reset(signed_at: Millis, reset_at: Millis) -> bool {
    signed_at.saturating_sub(reset_at) <= RESET_MARKS
}

/// Who stands behind an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    pub person: String,
    /// Whoever made it, and whoever made those, as far as they are no administrators: only these answer for themselves.
    pub made_by: BTreeSet<String>,
    /// Those of them who are no administrators: whoever else one of these made is of the same hand.
    pub hands: BTreeSet<String>,
    /// Whoever made the link by which its password was last set, other than its own person.
    pub reset_by: Option<String>,
    pub is_administrator: bool,
}

/// Why an account is no other pair of eyes on somebody's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameEyes {
    /// It is their own.
    Own,
    /// They made it.
    MadeByThem,
    /// They had its password reset.
    ResetByThem,
    /// It made theirs, and is no administrator's: whoever invites a helper is the helper.
    MadeTheirs,
    /// It had their password reset: whoever can sign in as them may have done their work, too.
    ResetTheirs,
    /// Somebody who is no administrator made both: whoever invites two helpers is both.
    MadeByOne,
}

impl SameEyes {
    /// The end of a sentence about the person whose work it is: "Ana made your account".
    pub fn words(self, name: &str) -> String {
        match self {
            Self::Own => "it is your own".to_owned(),
            Self::MadeByThem => format!("{name} made your account"),
            Self::ResetByThem => format!("{name} had your password reset"),
            Self::MadeTheirs => format!("you made the account of {name}"),
            Self::ResetTheirs => format!("you had the password of {name} reset"),
            Self::MadeByOne => format!("the same person made your account and that of {name}"),
        }
    }
}

impl Account {
    /// Why this account does not count as another pair of eyes on the work of `other`; `None` where it does.
    pub fn same_eyes(&self, other: &Self) -> Option<SameEyes> {
        if self.person == other.person {
            Some(SameEyes::Own)
        } else if self.made_by.contains(&other.person) {
            Some(SameEyes::MadeByThem)
        } else if self.reset_by.as_ref() == Some(&other.person) {
            Some(SameEyes::ResetByThem)
        } else if !self.is_administrator && other.made_by.contains(&self.person) {
            Some(SameEyes::MadeTheirs)
        } else if other.reset_by.as_ref() == Some(&self.person) {
            Some(SameEyes::ResetTheirs)
        } else if !self.hands.is_disjoint(&other.hands) {
            Some(SameEyes::MadeByOne)
        } else {
            None
        }
    }

    /// Why the two do not count as two signatures, whichever of them signs first.
    pub fn same_hand(&self, other: &Self) -> Option<SameEyes> {
        let is_made = other.made_by.contains(&self.person);
        self.same_eyes(other)
            .or(is_made.then_some(SameEyes::MadeTheirs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(person: &str, made_by: &[&str], reset_by: Option<&str>) -> Account {
        Account {
            person: person.to_owned(),
            made_by: made_by.iter().map(ToString::to_string).collect(),
            hands: (made_by.iter())
                .filter(|maker| !maker.starts_with("admin"))
                .map(ToString::to_string)
                .collect(),
            reset_by: reset_by.map(str::to_owned),
            is_administrator: person.starts_with("admin"),
        }
    }

    #[test]
    fn an_account_counts_only_where_nobody_else_holds_it() {
        use SameEyes::{MadeByOne, MadeByThem, MadeTheirs, Own, ResetByThem, ResetTheirs};

        let manager = account("manager", &["admin"], None);
        let admin = account("admin", &[], None);
        let other = account("other", &["admin"], None);
        let invited = account("rex", &["manager", "admin"], None);
        let second_invited = account("ria", &["manager", "admin"], None);
        let reset = account("reset", &["admin"], Some("admin-2"));
        let second = account("admin-2", &["admin"], None);
        let nobody = account("nobody", &[], None);
        for (signer, worker, on_work, two_signatures) in [
            (&manager, &manager, Some(Own), Some(Own)),
            (&other, &manager, None, None),
            // The person that a manager invited, on that manager's work, and the other way round.
            (&invited, &manager, Some(MadeByThem), Some(MadeByThem)),
            (&manager, &invited, Some(MadeTheirs), Some(MadeTheirs)),
            (&invited, &second_invited, Some(MadeByOne), Some(MadeByOne)),
            // An administrator makes everybody's account, so that says nothing of their eyes on others' work.
            (&admin, &manager, None, Some(MadeTheirs)),
            (&manager, &admin, Some(MadeByThem), Some(MadeByThem)),
            (&reset, &second, Some(ResetByThem), Some(ResetByThem)),
            // An administrator invites everybody, and resets the password of few.
            (&second, &reset, Some(ResetTheirs), Some(ResetTheirs)),
            (&reset, &manager, None, None),
            // Made at the command line.
            (&nobody, &admin, None, None),
            (&admin, &nobody, None, None),
        ] {
            let names = (&signer.person, &worker.person);
            assert_eq!(signer.same_eyes(worker), on_work, "{names:?}");
            assert_eq!(signer.same_hand(worker), two_signatures, "{names:?}");
        }
    }

    #[test]
    fn why_is_said_with_the_names_of_both() {
        assert_eq!(SameEyes::MadeByThem.words("Ana"), "Ana made your account");
        assert_eq!(
            SameEyes::MadeTheirs.words("Rex"),
            "you made the account of Rex"
        );
        assert_eq!(
            SameEyes::ResetTheirs.words("Rex"),
            "you had the password of Rex reset"
        );
    }

    #[test]
    fn a_signature_is_marked_for_a_day_after_a_reset() {
        assert!(is_marked_by_reset(RESET_MARKS, 0));
        assert!(!is_marked_by_reset(RESET_MARKS + 1, 0));
        // The log says that the reset came first; another node's clock is ahead.
        assert!(is_marked_by_reset(0, 5));
    }
}
