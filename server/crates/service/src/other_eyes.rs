//! Who counts as another pair of eyes on an item, a release or a patch: see [`holdpoint_domain::four_eyes`].

use std::collections::{BTreeMap, BTreeSet};

use holdpoint_domain::four_eyes::{Account, SameEyes};
use holdpoint_storage::{StandingPatch, Tx};

use crate::{
    Actor, ServiceError,
    sign_off::gathers,
    standing::{ItemStanding, ReleaseDecision, ReviewStanding},
};

/// The accounts of somebody who wants to sign and of those whose work it is, with their names.
pub(crate) struct Eyes {
    me: String,
    accounts: BTreeMap<String, (Account, String)>,
}

impl Eyes {
    pub(crate) async fn of<'a>(
        tx: &mut Tx,
        actor: &Actor,
        others: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, ServiceError> {
        let mut ids: BTreeSet<&str> = others.into_iter().collect();
        ids.insert(actor.id.as_str());
        Ok(Self {
            me: actor.id.as_str().to_owned(),
            accounts: tx.accounts(&ids.into_iter().collect::<Vec<_>>()).await?,
        })
    }

    /// With the accounts of everybody whose work an item is.
    pub(crate) async fn on_item(
        tx: &mut Tx,
        actor: &Actor,
        item: &ItemStanding,
    ) -> Result<Self, ServiceError> {
        let evidence = item.evidence.iter();
        let workers = evidence
            .flat_map(|(evidence, _)| evidence.submitters())
            .chain(item.patches.iter().filter_map(StandingPatch::submitter))
            .chain(item.item.review_requested_by.as_deref())
            .chain(
                item.sign_offs
                    .iter()
                    .map(|standing| standing.sign_off.person_id.as_str()),
            );
        Self::of(tx, actor, workers).await
    }

    /// With the accounts of everybody who has signed a release.
    pub(crate) async fn on_release(
        tx: &mut Tx,
        actor: &Actor,
        review: &ReviewStanding,
    ) -> Result<Self, ServiceError> {
        let decisions = review.release.decisions.iter();
        let signers = decisions.map(|standing| standing.sign_off.person_id.as_str());
        Self::of(tx, actor, signers).await
    }

    /// Why the signer's eyes are no others on this person's work. An account that is not known might be anybody's.
    fn same(
        &self,
        other: &str,
        compare: fn(&Account, &Account) -> Option<SameEyes>,
    ) -> Option<(SameEyes, &str)> {
        match (self.accounts.get(&self.me), self.accounts.get(other)) {
            (Some((me, _)), Some((them, name))) => {
                compare(me, them).map(|same| (same, name.as_str()))
            }
            _ => Some((SameEyes::Own, "")),
        }
    }

    /// The sentence that refuses a signature on somebody's work: who did what, and what somebody else must do with it.
    pub(crate) fn refusal(&self, other: &str, did: &str, verb: &str) -> Option<String> {
        let (same, name) = self.same(other, Account::same_eyes)?;
        Some(match same {
            SameEyes::Own => format!("You {did}, so someone else must {verb} it."),
            same => format!(
                "{name} {did}, and {}, so someone else must {verb} it.",
                same.words(name)
            ),
        })
    }

    /// Why four eyes keep the signer from this item.
    pub(crate) fn item_refusal(&self, item: &ItemStanding) -> Option<String> {
        let asked = item.item.review_requested_by.as_deref();
        let asked = asked.and_then(|by| self.refusal(by, "asked for this review", "sign"));
        let shown = || {
            item.evidence.iter().find_map(|(evidence, _)| {
                let imported = evidence.imported_by.as_deref().and_then(|by| {
                    self.refusal(by, "imported a scan that is evidence of this item", "sign")
                });
                let submitted = "submitted evidence for this item";
                self.refusal(&evidence.created_by, submitted, "sign")
                    .or(imported)
            })
        };
        let patched = || {
            let mut submitters = item.patches.iter().filter_map(StandingPatch::submitter);
            submitters.find_map(|by| self.refusal(by, "submitted a patch of this item", "sign"))
        };
        asked.or_else(shown).or_else(patched)
    }

    /// Why the signer is no further person beside those who have signed for an item's quorum already.
    pub(crate) fn quorum_refusal(&self, item: &ItemStanding) -> Option<String> {
        let passes = item.sign_offs.iter();
        let signers = passes
            .filter(|standing| standing.is_valid() && gathers(&standing.sign_off))
            .map(|standing| standing.sign_off.person_id.as_str())
            .filter(|signer| *signer != self.me);
        self.further(signers)
    }

    /// Why the signer is no further person beside those who have signed GO. Where the policy names who signs, it counts
    /// those.
    pub(crate) fn release_refusal(&self, review: &ReviewStanding) -> Option<String> {
        if review.release.n_needed < 2 || !review.policy.approvers.is_empty() {
            return None;
        }
        let decisions = review.release.decisions.iter();
        let signers = decisions
            .filter(|standing| {
                standing.is_valid() && standing.sign_off.decision == ReleaseDecision::Go.as_str()
            })
            .map(|standing| standing.sign_off.person_id.as_str())
            .filter(|signer| *signer != self.me);
        self.further(signers)
    }

    fn further<'a>(&self, mut signers: impl Iterator<Item = &'a str>) -> Option<String> {
        let (same, name) = signers.find_map(|signer| self.same(signer, Account::same_hand))?;
        Some(format!(
            "{name} has signed already, and {}, so the two of you do not count as two people.",
            same.words(name)
        ))
    }
}
