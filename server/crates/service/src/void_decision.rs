//! The release decision that was taken and does not stand any more, since what it was signed over has changed.

use holdpoint_domain::{Digest, Millis, signoff::ReviewContent};

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
    let n_needed = match policy.approvers.len() {
        0 => usize::try_from(policy.approvals.max(1)).unwrap_or(usize::MAX),
        n => n,
    };
    let said = |decision: ReleaseDecision| -> Vec<&SignOffStanding> {
        let last_of = |person: &str| all.iter().rfind(|of| of.sign_off.person_id == person);
        all.iter()
            .copied()
            .filter(|of| of.sign_off.decision == decision.as_str())
            .filter(|of| {
                last_of(&of.sign_off.person_id)
                    .is_some_and(|last| last.sign_off.id == of.sign_off.id)
            })
            .filter(|of| {
                policy.approvers.is_empty() || policy.approvers.contains(&of.sign_off.person_id)
            })
            .collect()
    };
    let (go, no_go) = (said(ReleaseDecision::Go), said(ReleaseDecision::NoGo));
    let (decision, signed) = if !no_go.is_empty() {
        (ReleaseDecision::NoGo, no_go)
    } else if go.len() >= n_needed {
        (ReleaseDecision::Go, go)
    } else {
        return None;
    };
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
