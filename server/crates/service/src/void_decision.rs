//! The release decision that was taken and does not stand any more, since what it was signed over has changed.

use holdpoint_domain::{Digest, Millis, release, signoff::ReviewContent};

use crate::standing::{ReleaseDecision, SignOffStanding, Validity};

/// A release decision that is void.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoidDecision {
    pub decision: ReleaseDecision,
    /// When the signature came with which it was decided.
    pub at: Millis,
    /// Who had signed it.
    pub by: Vec<String>,
    /// The sign-off with which it was decided: its report is kept.
    pub sign_off: String,
}

/// What was decided last over one state of the review, of which a signature is void now. Signatures are oldest first.
pub(crate) fn void_decision(signatures: &[SignOffStanding]) -> Option<VoidDecision> {
    // Those over one state follow each other, since none counts beside a later state.
    let mut states: Vec<(Digest, ReviewContent, Vec<&SignOffStanding>)> = Vec::new();
    for signature in signatures.iter().filter(|of| !of.is_damaged()) {
        let Ok(content) = serde_json::from_str::<ReviewContent>(&signature.sign_off.content) else {
            continue;
        };
        let basis = content.basis();
        match states.last_mut() {
            Some((last, _, all)) if *last == basis => all.push(signature),
            _ => states.push((basis, content, vec![signature])),
        }
    }
    states
        .iter()
        .rev()
        .filter(|(_, _, all)| {
            all.iter()
                .any(|of| matches!(of.validity, Validity::Void(_)))
        })
        .find_map(|(_, content, all)| of_one_state(content, all))
}

fn of_one_state(content: &ReviewContent, all: &[&SignOffStanding]) -> Option<VoidDecision> {
    let policy = &content.policy;
    let mut said: Vec<(&SignOffStanding, ReleaseDecision)> = Vec::new();
    for of in all {
        let decision = ReleaseDecision::parse(&of.sign_off.decision)?;
        // What somebody says again is in the place of what they said.
        said.retain(|(before, _)| before.sign_off.person_id != of.sign_off.person_id);
        said.push((of, decision));
    }
    let words = said
        .iter()
        .map(|(of, decision)| (of.sign_off.person_id.as_str(), *decision));
    let decision = release::decided(policy, words)?;
    let signed: Vec<_> = (said.iter())
        .filter(|(of, said)| *said == decision && policy.is_approver(&of.sign_off.person_id))
        .map(|(of, _)| of)
        .collect();
    let last = signed.last()?;
    Some(VoidDecision {
        decision,
        at: last.sign_off.signed_at,
        by: signed
            .iter()
            .map(|of| of.sign_off.person_name.clone())
            .collect(),
        sign_off: last.sign_off.id.clone(),
    })
}
