//! Where a review stands: the verdict with its reasons, each item with its sign-offs and whether they still hold, and
//! what the release decision needs. Pages, the gate, the pre-flight check before signing and the report all read this.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use holdpoint_checklist::normalise_line;
pub use holdpoint_domain::release::ReleaseDecision;
use holdpoint_domain::{
    Decision, Gating, ItemId, ItemState, Millis, Policy, ReviewId, ServiceId, Verdict, normalise,
    person::Action,
    release,
    signoff::{
        Change, DeliverableContent, EvidenceContent, FindingContent, ItemContent, PatchContent,
        ReviewContent, ReviewItemContent, ReviewScanContent, Signer, patch_standing,
    },
    verdict::{
        DeliverableFacts, FindingFacts, FindingGroup, GroupKey, GroupState, ItemFacts, ReviewState,
        ScanFacts, is_open, pass_refusals, verdict,
    },
};
use holdpoint_storage::{
    SeverityCounts, SignOff, Standing, StandingDeliverable, StandingEvidence, StandingFinding,
    StandingItem, StandingPatch, StandingReview, StandingScan, StorageError, Summary, Tx,
};

use crate::{
    Actor, ServiceError, Services, acceptance,
    import::off_the_async_threads,
    sign_off::gathers,
    validity::{item_validity, release_validity},
    void_decision::{VoidDecision, void_decision},
};

/// A review as of a moment, with everything that follows from its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewStanding {
    pub review: StandingReview,
    pub policy: Policy,
    pub verdict: Verdict,
    /// In the document's order.
    pub items: Vec<ItemStanding>,
    /// Open findings and accepted risks of blocking severities.
    pub findings: Vec<StandingFinding>,
    /// Open findings of other severities that are past their limit, where the policy lets those hold back.
    pub late: Vec<StandingFinding>,
    /// How many more there are of both, where only the first of each kind were read.
    pub more_findings: Vec<FindingGroup>,
    /// How many open findings are linked to the items of a person, by the person's id.
    pub open_of_owners: HashMap<String, i64>,
    pub scans: Vec<StandingScan>,
    pub deliverables: Vec<StandingDeliverable>,
    pub release: ReleaseStanding,
    pub as_of: Millis,
}

/// An item as of a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemStanding {
    pub item: StandingItem,
    /// As it counts now: a waiver that ran out is back in review.
    pub state: ItemState,
    pub facts: ItemFacts,
    /// Evidence that counts, with whether it is stale.
    pub evidence: Vec<(StandingEvidence, bool)>,
    /// Where the whole of the item was asked for; elsewhere there are only `links`.
    pub linked: Vec<StandingFinding>,
    pub links: LinkCounts,
    pub patches: Vec<StandingPatch>,
    /// All of them, oldest first.
    pub sign_offs: Vec<SignOffStanding>,
}

/// How many findings are linked to an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkCounts {
    pub n: i64,
    pub open: SeverityCounts,
}

/// A sign-off and whether it still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignOffStanding {
    /// As stored; of the signer name and address are those that were signed, where they were.
    pub sign_off: SignOff,
    pub validity: Validity,
    /// The version of the normalisation that it was signed under; 0 where its content cannot be read.
    pub normalisation: u32,
}

/// Whether a sign-off counts now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Validity {
    Valid,
    /// Its ground has changed since: which inputs, and how.
    Void(Vec<Change>),
    /// What is stored of it is not what was signed: why, each as one sentence. It counts for nothing.
    Damaged(Vec<String>),
    /// Of an earlier round, or replaced by a later decision: history.
    Past,
}

impl SignOffStanding {
    pub fn is_valid(&self) -> bool {
        self.validity == Validity::Valid
    }

    pub fn is_void(&self) -> bool {
        matches!(self.validity, Validity::Void(_))
    }

    pub fn is_damaged(&self) -> bool {
        matches!(self.validity, Validity::Damaged(_))
    }

    /// Whether it was made under an older normalisation, so that it counts only while the text is the same byte by byte.
    pub fn is_of_old_rules(&self) -> bool {
        (1..normalise::VERSION).contains(&self.normalisation)
    }
}

/// What the people who decide on the release have said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseStanding {
    /// All of them, oldest first.
    pub decisions: Vec<SignOffStanding>,
    /// How many must sign GO.
    pub n_needed: usize,
    /// How many valid signatures say GO.
    pub n_go: usize,
    pub decided: Option<ReleaseDecision>,
    /// What was decided before and is void; absent while a decision stands.
    pub void: Option<VoidDecision>,
}

/// A person's sign-offs that do not hold any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedSinceSigned {
    /// Newest first, each with its review.
    pub changed: Vec<(StandingReview, SignOffStanding)>,
    /// In how many reviews the person signed.
    pub n_reviews: i64,
    /// In how many of them it was looked: those signed last.
    pub n_looked_at: usize,
}

/// How far a review is, for lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub n_items: usize,
    pub n_cleared: usize,
    pub n_blockers: usize,
    pub n_blockers_cleared: usize,
}

impl ItemStanding {
    /// Whether the item does not hold the release back any more: decided in its favour, with valid sign-offs.
    pub fn is_cleared(&self) -> bool {
        matches!(
            self.state,
            ItemState::Passed | ItemState::NotApplicable | ItemState::Waived
        ) && self.is_signed()
    }

    /// Whether the decision that the state rests on has all the valid sign-offs it asks for.
    pub fn is_signed(&self) -> bool {
        let quorum = match self.state {
            ItemState::Passed | ItemState::NotApplicable => self.facts.quorum,
            _ => 1,
        };
        self.state.is_decided() && self.facts.valid_sign_offs >= quorum
    }

    /// Whether a sign-off of the current round is void.
    pub fn is_void(&self) -> bool {
        self.state.is_decided() && !self.facts.void_because.is_empty()
    }

    /// Why the item cannot be passed now.
    pub fn pass_refusals(&self, policy: &Policy, now: Millis) -> Vec<String> {
        let linked: Vec<_> = self
            .linked
            .iter()
            .map(|finding| finding_facts(finding, policy, &[]))
            .collect();
        pass_refusals(&self.facts, &linked, policy, now)
    }

    /// The content that is shown before anything was said.
    pub(crate) fn shown(&self, review: &ReviewStanding) -> ItemContent {
        let nothing = Said {
            decision: Decision::Pass,
            statement: "",
            waived_until: None,
            risk: None,
            signer: Signer::default(),
            policy: review.policy.clone(),
        };
        self.content(&review.review, nothing)
    }

    /// The content that is signed by saying this now.
    pub(crate) fn content(&self, review: &StandingReview, said: Said<'_>) -> ItemContent {
        let Self {
            item,
            evidence,
            linked,
            patches,
            ..
        } = self;
        item_content(review, item, evidence, linked, patches, said)
    }
}

impl ReviewStanding {
    pub fn item(&self, id: &ItemId) -> Option<&ItemStanding> {
        self.items.iter().find(|item| item.item.id == id.as_str())
    }

    pub fn progress(&self) -> Progress {
        let blockers = || {
            self.items
                .iter()
                .filter(|item| item.item.gating == Gating::Blocker)
        };
        Progress {
            n_items: self.items.len(),
            n_cleared: self.items.iter().filter(|item| item.is_cleared()).count(),
            n_blockers: blockers().count(),
            n_blockers_cleared: blockers().filter(|item| item.is_cleared()).count(),
        }
    }

    /// How many findings of a severity hold the release back or are accepted, by what they are now.
    pub fn n_findings(&self, fits: impl Fn(&GroupKey) -> bool) -> usize {
        let key = |finding: &StandingFinding| group_key(finding, &self.policy, self.as_of);
        let named = self.findings.iter().chain(&self.late);
        let more = self.more_findings.iter().filter(|more| fits(&more.key));
        named.filter(|finding| fits(&key(finding))).count() + more.map(|more| more.n).sum::<usize>()
    }

    /// The digest of what an approver is shown before they say anything.
    pub fn basis(&self) -> holdpoint_domain::Digest {
        self.content(ReleaseDecision::Go, "", Signer::default())
            .basis()
    }

    /// The content that is signed with this release decision now. Only of a standing that was read whole.
    pub(crate) fn content(
        &self,
        decision: ReleaseDecision,
        statement: &str,
        signer: Signer,
    ) -> ReviewContent {
        review_content(
            &self.review,
            &self.policy,
            &self.items,
            &self.findings,
            &self.scans,
            &self.deliverables,
            decision.as_str(),
            statement,
            signer,
        )
    }
}

/// What a signer says, who they are, and under which policy.
pub(crate) struct Said<'a> {
    pub(crate) decision: Decision,
    pub(crate) statement: &'a str,
    pub(crate) waived_until: Option<Millis>,
    pub(crate) risk: Option<&'a str>,
    pub(crate) signer: Signer,
    pub(crate) policy: Policy,
}

fn item_content(
    review: &StandingReview,
    item: &StandingItem,
    evidence: &[(StandingEvidence, bool)],
    linked: &[StandingFinding],
    patches: &[StandingPatch],
    said: Said<'_>,
) -> ItemContent {
    ItemContent {
        normalisation: normalise::VERSION,
        review: review.id.clone(),
        item: item.id.clone(),
        round: item.round,
        key: item.key.clone(),
        title: normalise_line(&item.title),
        requirement: holdpoint_checklist::normalise(&item.body, Some(&item.key)),
        gating: item.gating,
        commit: review.commit_id.clone(),
        requested_by: item.review_requested_by.clone(),
        evidence: evidence
            .iter()
            .map(|(evidence, stale)| EvidenceContent {
                id: evidence.id.clone(),
                kind: evidence.kind.clone(),
                title: evidence.title.clone(),
                sha256: evidence.sha256.clone(),
                words: evidence.words.clone(),
                commit: evidence.commit_id.clone(),
                target: evidence
                    .target_commit
                    .clone()
                    .filter(|_| evidence.commit_id.is_none()),
                place: evidence.place.clone(),
                observed_at: evidence.observed_at,
                by: evidence.created_by.clone(),
                stale: *stale,
            })
            .collect(),
        findings: linked.iter().map(finding_content).collect(),
        patches: patches.iter().map(patch_content).collect(),
        decision: said.decision,
        statement: said.statement.to_owned(),
        waived_until: said.waived_until,
        risk: said.risk.map(str::to_owned),
        signer: said.signer,
        policy: said.policy,
    }
}

pub(crate) fn patch_content(patch: &StandingPatch) -> PatchContent {
    PatchContent {
        number: patch.number,
        sha256: patch.sha256.clone(),
        standing: patch_standing(patch.state).to_owned(),
    }
}

fn finding_content(finding: &StandingFinding) -> FindingContent {
    FindingContent {
        number: finding.number,
        title: normalise_line(&finding.title),
        severity: finding.severity,
        status: finding.status,
        says: finding.says.clone(),
        identifiers: finding.identifiers.clone(),
        rule: finding.rule.clone(),
        component: finding.component.clone(),
        place: finding.place.clone(),
        explanation: finding.explanation.clone(),
        claim: finding.claim.clone(),
        accepted_until: finding.accepted_until,
        duplicate_of: finding.duplicate_of,
    }
}

pub(crate) fn review_items(
    items: &[ItemStanding],
    normalised: fn(&str) -> String,
) -> Vec<ReviewItemContent> {
    let mut items: Vec<_> = items
        .iter()
        .map(|item| {
            let mut sign_offs: Vec<_> = item
                .sign_offs
                .iter()
                .filter(|standing| standing.is_valid())
                .map(|standing| standing.sign_off.digest.clone())
                .collect();
            sign_offs.sort();
            ReviewItemContent {
                key: item.item.key.clone(),
                title: normalised(&item.item.title),
                gating: item.item.gating,
                state: item.state,
                sign_offs,
            }
        })
        .collect();
    items.sort_by(|one, other| one.key.cmp(&other.key));
    items
}

pub(crate) fn review_scans(scans: &[StandingScan]) -> Vec<ReviewScanContent> {
    let mut scans: Vec<_> = scans
        .iter()
        .map(|scan| ReviewScanContent {
            series: format!("{} {}", scan.tool, scan.label),
            sha256: scan.file_sha256.clone(),
            commit: scan.commit_id.clone(),
            complete: scan.complete,
        })
        .collect();
    scans.sort_by(|one, other| one.series.cmp(&other.series));
    scans
}

fn review_content(
    review: &StandingReview,
    policy: &Policy,
    items: &[ItemStanding],
    findings: &[StandingFinding],
    scans: &[StandingScan],
    deliverables: &[StandingDeliverable],
    decision: &str,
    statement: &str,
    signer: Signer,
) -> ReviewContent {
    ReviewContent {
        normalisation: normalise::VERSION,
        service: review.service_slug.clone(),
        review: review.id.clone(),
        title: review.title.clone(),
        release: review.release.clone(),
        commit: review.commit_id.clone(),
        policy: policy.clone(),
        items: review_items(items, normalise_line),
        findings: findings.iter().map(finding_content).collect(),
        scans: review_scans(scans),
        deliverables: deliverables
            .iter()
            .map(|deliverable| DeliverableContent {
                title: normalise_line(&deliverable.title),
                done: deliverable.done,
            })
            .collect(),
        decision: decision.to_owned(),
        statement: statement.to_owned(),
        signer,
    }
}

fn finding_facts(finding: &StandingFinding, policy: &Policy, owners: &[String]) -> FindingFacts {
    FindingFacts {
        id: finding.id.clone(),
        number: finding.number,
        title: finding.title.clone(),
        severity: finding.severity,
        status: finding.status,
        holds_until: finding.holds_until,
        duplicate_of: finding.duplicate_of,
        asked: finding.asked.clone(),
        due: policy.due(finding.severity, finding.first_seen_at),
        claim: finding.claim.clone(),
        owners: owners.to_vec(),
    }
}

/// What a finding counts as, among others like it.
fn group_key(finding: &StandingFinding, policy: &Policy, now: Millis) -> GroupKey {
    let due = policy.due(finding.severity, finding.first_seen_at);
    GroupKey {
        severity: finding.severity,
        state: GroupState::at(finding.status, finding.holds_until, now),
        is_late: due.is_some_and(|due| due < now),
    }
}

/// Keeps the first findings of each kind, and adds how many others there are to what is known of more.
fn keep_first(
    findings: &mut Vec<StandingFinding>,
    more: &mut Vec<FindingGroup>,
    most: usize,
    policy: &Policy,
    now: Millis,
) {
    let mut seen: HashMap<GroupKey, usize> = HashMap::new();
    findings.retain(|finding| {
        let n = seen.entry(group_key(finding, policy, now)).or_default();
        *n += 1;
        *n <= most
    });
    let left = seen.into_iter().filter(|(_, n)| *n > most);
    for (key, n) in left {
        more.push(FindingGroup { key, n: n - most });
    }
    more.sort_by_key(|more| more.key);
}

/// What belongs to items, by item.
#[derive(Default)]
struct ByItem {
    links: HashMap<String, LinkCounts>,
    evidence: HashMap<String, Vec<StandingEvidence>>,
    linked: HashMap<String, Vec<StandingFinding>>,
    patches: HashMap<String, Vec<StandingPatch>>,
    sign_offs: HashMap<String, Vec<SignOff>>,
}

impl ByItem {
    fn take(standing: &mut Standing) -> Self {
        let mut by_item = Self::default();
        for count in std::mem::take(&mut standing.links) {
            let links = by_item.links.entry(count.item_id).or_default();
            links.n += count.n;
            links.open.add(count.severity, count.n_open);
        }
        for evidence in std::mem::take(&mut standing.evidence) {
            by_item
                .evidence
                .entry(evidence.item_id.clone())
                .or_default()
                .push(evidence);
        }
        for link in std::mem::take(&mut standing.linked) {
            by_item
                .linked
                .entry(link.item_id)
                .or_default()
                .push(link.finding);
        }
        for patch in std::mem::take(&mut standing.patches) {
            by_item
                .patches
                .entry(patch.item_id.clone())
                .or_default()
                .push(patch);
        }
        for sign_off in std::mem::take(&mut standing.sign_offs) {
            match sign_off.item_id.clone() {
                Some(item) => by_item.sign_offs.entry(item).or_default().push(sign_off),
                None => standing.sign_offs.push(sign_off),
            }
        }
        by_item
    }
}

fn item_standing(
    review: &StandingReview,
    by_item: &mut ByItem,
    mut item: StandingItem,
    policy: &Policy,
    now: Millis,
) -> ItemStanding {
    let target = review.commit_id.as_deref();
    let evidence: Vec<_> = by_item
        .evidence
        .remove(&item.id)
        .unwrap_or_default()
        .into_iter()
        .map(|evidence| {
            let stale = evidence.is_stale(target);
            (evidence, stale)
        })
        .collect();
    let linked = by_item.linked.remove(&item.id).unwrap_or_default();
    let patches = by_item.patches.remove(&item.id).unwrap_or_default();
    let sign_offs: Vec<_> = by_item
        .sign_offs
        .remove(&item.id)
        .unwrap_or_default()
        .into_iter()
        .map(|sign_off| {
            item_validity(
                sign_off,
                &Current {
                    review,
                    item: &item,
                    evidence: &evidence,
                    linked: &linked,
                    patches: &patches,
                    policy,
                },
            )
        })
        .collect();
    // Until when a waiver holds is what was signed; the item's row can only shorten it.
    let waiver = sign_offs.iter().rev().find(|standing| {
        matches!(standing.validity, Validity::Valid | Validity::Void(_))
            && standing.sign_off.item_decision() == Some(Decision::Waive)
    });
    item.waived_until = waiver
        .and_then(|standing| standing.sign_off.waived_until)
        .min(item.waived_until);
    let state = item.state.at(item.waived_until, now);
    // While a quorum gathers, the item is in review and what its newest signature decides counts already.
    let gathering = (sign_offs.iter().rev())
        .filter(|standing| standing.is_valid() && gathers(&standing.sign_off))
        .find_map(|standing| standing.sign_off.item_decision())
        .unwrap_or(Decision::Pass);
    let supporting = |standing: &&SignOffStanding| {
        standing.sign_off.item_decision().is_some_and(|decision| {
            decision.state() == item.state
                || (item.state == ItemState::InReview && decision == gathering)
        })
    };
    let signers: BTreeSet<_> = sign_offs
        .iter()
        .filter(supporting)
        .filter(|standing| standing.is_valid())
        .map(|standing| &standing.sign_off.person_id)
        .collect();
    let mut void_because: Vec<String> = sign_offs
        .iter()
        .filter(supporting)
        .filter_map(|standing| match &standing.validity {
            Validity::Void(changes) => Some(changes.iter().map(|change| change.what.clone())),
            _ => None,
        })
        .flatten()
        .collect();
    void_because.sort();
    void_because.dedup();
    let mut damage: Vec<String> = sign_offs
        .iter()
        .filter(|standing| standing.sign_off.round == item.round)
        .filter_map(|standing| match &standing.validity {
            Validity::Damaged(why) => Some(why.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    damage.sort();
    damage.dedup();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let facts = ItemFacts {
        id: item.id.clone(),
        key: item.key.clone(),
        title: item.title.clone(),
        gating: item.gating,
        state: item.state,
        waived_until: item.waived_until,
        valid_sign_offs: count(signers.len()),
        quorum: item
            .quorum
            .and_then(|quorum| u32::try_from(quorum).ok())
            .unwrap_or(policy.quorum)
            .max(1),
        void_because,
        damage,
        n_evidence: count(evidence.len()),
        n_stale_evidence: count(evidence.iter().filter(|(_, stale)| *stale).count()),
        n_damaged_evidence: count(evidence.iter().filter(|(of, _)| of.is_damaged).count()),
        owner: item.owner_name.clone(),
        reviewers: item
            .reviewers
            .iter()
            .map(|(_, name)| name.clone())
            .collect(),
    };
    let links = by_item.links.remove(&item.id).unwrap_or_default();
    ItemStanding {
        item,
        state,
        facts,
        evidence,
        linked,
        links,
        patches,
        sign_offs,
    }
}

/// What an item is made of now.
pub(crate) struct Current<'a> {
    pub(crate) review: &'a StandingReview,
    pub(crate) item: &'a StandingItem,
    pub(crate) evidence: &'a [(StandingEvidence, bool)],
    pub(crate) linked: &'a [StandingFinding],
    pub(crate) patches: &'a [StandingPatch],
    pub(crate) policy: &'a Policy,
}

impl Current<'_> {
    /// The content that would be signed now by saying this.
    pub(crate) fn content(&self, said: Said<'_>) -> ItemContent {
        let Self {
            review,
            item,
            evidence,
            linked,
            patches,
            ..
        } = self;
        item_content(review, item, evidence, linked, patches, said)
    }
}

/// What a release decision is made over now.
pub(crate) struct CurrentReview<'a> {
    pub(crate) review: &'a StandingReview,
    pub(crate) policy: &'a Policy,
    pub(crate) items: &'a [ItemStanding],
    pub(crate) findings: &'a [StandingFinding],
    pub(crate) scans: &'a [StandingScan],
    pub(crate) deliverables: &'a [StandingDeliverable],
}

impl CurrentReview<'_> {
    /// The content that would be signed now with this decision.
    pub(crate) fn content(&self, decision: &str, statement: &str, signer: Signer) -> ReviewContent {
        review_content(
            self.review,
            self.policy,
            self.items,
            self.findings,
            self.scans,
            self.deliverables,
            decision,
            statement,
            signer,
        )
    }
}

/// How many findings of each kind a page or the gate names; the others are counted.
pub const MOST_NAMED: usize = 100;

/// The same for lists of reviews, which name none.
const MOST_NAMED_IN_LISTS: usize = 3;

/// How many reviews of a list are read at once, so that what their sign-offs cover is not in memory of all of them.
const READ_AT_ONCE: usize = 25;

/// Where these reviews stand, with what findings say digested as acceptances are.
pub(crate) async fn read_standings(
    tx: &mut Tx,
    reviews: &[&ReviewId],
    findings_at: Option<Millis>,
) -> Result<Vec<Standing>, StorageError> {
    tx.standings(reviews, findings_at, acceptance::digest).await
}

/// Computes everything that follows from what is stored, from standings that were read whole.
pub(crate) fn stand(standing: Standing, now: Millis) -> Result<ReviewStanding, ServiceError> {
    stand_with(standing, now, usize::MAX)
}

/// As [`stand`], naming so many findings of each kind. What is computed is the same.
fn stand_with(
    mut standing: Standing,
    now: Millis,
    most: usize,
) -> Result<ReviewStanding, ServiceError> {
    let policy: Policy = serde_json::from_str(&standing.review.policy)
        .map_err(|error| StorageError::Damaged(format!("review.policy: {error}")))?;
    let mut by_item = ByItem::take(&mut standing);
    let items: Vec<_> = std::mem::take(&mut standing.items)
        .into_iter()
        .map(|item| item_standing(&standing.review, &mut by_item, item, &policy, now))
        .collect();
    let mut findings: Vec<_> = standing
        .findings
        .iter()
        .filter(|finding| policy.blocks(finding.severity))
        .cloned()
        .collect();
    // What the decisions on the release cover is compared before anything is only counted.
    let covered: Option<Vec<_>> = standing.covered.take().map(|covered| {
        let blocking = covered.into_iter();
        blocking
            .filter(|finding| policy.blocks(finding.severity))
            .collect()
    });
    let covered = covered.as_ref().unwrap_or(&findings);
    let release = release_standing(&standing, &policy, &items, covered);
    let mut late: Vec<_> = standing
        .findings
        .iter()
        .filter(|finding| {
            let due = policy.due(finding.severity, finding.first_seen_at);
            policy.late_findings_block
                && !policy.blocks(finding.severity)
                && is_open(finding.status, finding.holds_until, now)
                && due.is_some_and(|due| due < now)
        })
        .cloned()
        .collect();
    let mut more_findings = std::mem::take(&mut standing.more_findings);
    keep_first(&mut findings, &mut more_findings, most, &policy, now);
    keep_first(&mut late, &mut more_findings, most, &policy, now);
    let named_owners = std::mem::take(&mut standing.owners);
    let mut owners: HashMap<&str, Vec<String>> = HashMap::new();
    for (finding, owner) in &named_owners {
        owners.entry(finding).or_default().push(owner.clone());
    }
    for item in &items {
        for finding in &item.linked {
            owners
                .entry(&finding.id)
                .or_default()
                .extend(item.item.owner_name.clone());
        }
    }
    let owners_of = |finding: &StandingFinding| {
        owners
            .get(finding.id.as_str())
            .map_or(&[][..], Vec::as_slice)
    };
    let state = ReviewState {
        review: standing.review.id.clone(),
        title: standing.review.title.clone(),
        commit: standing.review.commit_id.clone(),
        items: items.iter().map(|item| item.facts.clone()).collect(),
        findings: findings
            .iter()
            .chain(&late)
            .map(|finding| finding_facts(finding, &policy, owners_of(finding)))
            .collect(),
        more_findings: more_findings.clone(),
        scans: standing
            .scans
            .iter()
            .map(|scan| ScanFacts {
                id: scan.id.clone(),
                tool: scan.tool.clone(),
                label: scan.label.clone(),
                commit: scan.commit_id.clone(),
                complete: scan.complete,
            })
            .collect(),
        deliverables: standing
            .deliverables
            .iter()
            .map(|deliverable| DeliverableFacts {
                id: deliverable.id.clone(),
                title: deliverable.title.clone(),
                done: deliverable.done,
                owner: deliverable.owner_name.clone(),
            })
            .collect(),
        no_go: release
            .decisions
            .iter()
            .filter(|of| of.is_valid() && of.sign_off.decision == ReleaseDecision::NoGo.as_str())
            .map(|of| of.sign_off.person_name.clone())
            .collect(),
        damaged_decisions: release
            .decisions
            .iter()
            .filter_map(|of| match &of.validity {
                Validity::Damaged(why) => Some(why.join(" ")),
                _ => None,
            })
            .collect(),
    };
    let verdict = verdict(&state, &policy, now);
    Ok(ReviewStanding {
        review: standing.review,
        policy,
        verdict,
        items,
        findings,
        late,
        more_findings,
        open_of_owners: standing.open_of_owners.into_iter().collect(),
        scans: standing.scans,
        deliverables: standing.deliverables,
        release,
        as_of: now,
    })
}

/// The same off the async threads: where a hundred thousand findings hold a review back, it takes its time.
pub(crate) async fn stand_aside(
    standing: Standing,
    now: Millis,
) -> Result<ReviewStanding, ServiceError> {
    off_the_async_threads(move || stand(standing, now)).await
}

/// Off the async threads, naming so many findings of each kind.
async fn summed_up(
    standing: Standing,
    now: Millis,
    most: usize,
    item: Option<&ItemId>,
) -> Result<ReviewStanding, ServiceError> {
    let asked = item.cloned();
    off_the_async_threads(move || {
        let mut summed_up = stand_with(standing, now, most)?;
        // What sign-offs cover was compared, and is not kept.
        for decision in &mut summed_up.release.decisions {
            decision.sign_off.content = String::new();
        }
        for item in &mut summed_up.items {
            if asked.as_ref().map(ItemId::as_str) != Some(&*item.item.id) {
                item.linked = Vec::new();
            }
        }
        Ok(summed_up)
    })
    .await
}

fn release_standing(
    standing: &Standing,
    policy: &Policy,
    items: &[ItemStanding],
    findings: &[StandingFinding],
) -> ReleaseStanding {
    let current = CurrentReview {
        review: &standing.review,
        policy,
        items,
        findings,
        scans: &standing.scans,
        deliverables: &standing.deliverables,
    };
    let signed = &standing.sign_offs;
    let decisions: Vec<_> = signed
        .iter()
        .enumerate()
        .map(|(at, sign_off)| {
            let is_replaced = signed[at + 1..]
                .iter()
                .any(|later| later.person_id == sign_off.person_id);
            release_validity(sign_off.clone(), is_replaced, &current)
        })
        .collect();
    let counting: Vec<_> = (decisions.iter().filter(|standing| standing.is_valid()))
        .filter_map(|standing| {
            let sign_off = &standing.sign_off;
            let decision = ReleaseDecision::parse(&sign_off.decision)?;
            Some((sign_off.person_id.as_str(), decision))
        })
        .collect();
    let n_needed = policy.n_approvals();
    let approvals = counting.iter().filter(|(person, decision)| {
        *decision == ReleaseDecision::Go && policy.is_approver(person)
    });
    let n_go = approvals.count();
    let decided = release::decided(policy, counting);
    let void = match decided {
        Some(_) => None,
        None => void_decision(&decisions),
    };
    ReleaseStanding {
        void,
        decisions,
        n_needed,
        n_go,
        decided,
    }
}

fn service_of(stored: &str) -> Result<ServiceId, StorageError> {
    ServiceId::parse(stored).ok_or_else(|| StorageError::Damaged("review.service_id".to_owned()))
}

impl Services {
    /// Where a review stands now: the verdict, with the first findings of each kind and the number of the others. The
    /// verdict's own page, the forms of items and the gate go by this.
    pub async fn review_standing(
        &self,
        actor: &Actor,
        review: &ReviewId,
    ) -> Result<ReviewStanding, ServiceError> {
        self.summary_of(actor, review, None).await
    }

    /// As [`Services::review_standing`], with every finding linked to one item.
    async fn summary_of(
        &self,
        actor: &Actor,
        review: &ReviewId,
        item: Option<&ItemId>,
    ) -> Result<ReviewStanding, ServiceError> {
        let now = self.now();
        let known = self.text_digests().known(self.database());
        let mut tx = self.database().read().await?;
        let service = self
            .service_of_review(&mut tx, actor, review, Action::Read)
            .await?;
        let summary = Summary {
            now,
            most: MOST_NAMED,
            item,
            counts_links: true,
        };
        let standing = tx
            .standing_summaries(&[review], summary, acceptance::digest, &known)
            .await?
            .pop();
        let standing = standing.ok_or(ServiceError::NotFound("This review"))?;
        drop((tx, service));
        summed_up(standing, now, MOST_NAMED, item).await
    }

    /// Where a review stands now, with every finding that counts. The form of the release decision needs it, whose basis is
    /// all of them.
    pub async fn whole_review_standing(
        &self,
        actor: &Actor,
        review: &ReviewId,
    ) -> Result<ReviewStanding, ServiceError> {
        let mut tx = self.database().read().await?;
        let standing = read_standings(&mut tx, &[review], Some(self.now()))
            .await?
            .pop()
            .ok_or(ServiceError::NotFound("This review"))?;
        let service = service_of(&standing.review.service_id)?;
        self.allow(&mut tx, actor, &service, Action::Read)
            .await
            .map_err(|error| match error {
                ServiceError::NotFound(_) => ServiceError::NotFound("This review"),
                error => error,
            })?;
        stand_aside(standing, self.now()).await
    }

    /// Where a review stands, for pages that show it beside something else: at most a minute old, see `kept.rs`.
    pub async fn review_glance(
        &self,
        actor: &Actor,
        review: &ReviewId,
    ) -> Result<Arc<ReviewStanding>, ServiceError> {
        let mut tx = self.database().read().await?;
        let service = self
            .service_of_review(&mut tx, actor, review, Action::Read)
            .await?;
        let last_entry = tx.last_activity_of(&service).await?;
        drop(tx);
        let now = self.now();
        if let Some(standing) = self.glances().get(review.as_str(), last_entry, now) {
            return Ok(standing);
        }
        let standing = self.review_standing(actor, review).await?;
        Ok(self
            .glances()
            .keep(review.as_str().to_owned(), last_entry, now, standing))
    }

    /// Where an item stands now, within its review.
    pub async fn item_standing(
        &self,
        actor: &Actor,
        item: &ItemId,
    ) -> Result<(ReviewStanding, ItemStanding), ServiceError> {
        let not_found = || ServiceError::NotFound("This item");
        let mut tx = self.database().read().await?;
        let review = tx.review_of_item(item).await?.ok_or_else(not_found)?;
        drop(tx);
        let standing = self
            .summary_of(actor, &review, Some(item))
            .await
            .map_err(|error| match error {
                ServiceError::NotFound(_) => not_found(),
                error => error,
            })?;
        let of_item = standing.item(item).cloned().ok_or_else(not_found)?;
        Ok((standing, of_item))
    }

    /// Where several reviews stand, for lists: at most a minute old, see `kept.rs`. Reviews that the actor may not see are
    /// left out.
    pub async fn review_glances(
        &self,
        actor: &Actor,
        reviews: &[&ReviewId],
    ) -> Result<Vec<Arc<ReviewStanding>>, ServiceError> {
        let now = self.now();
        let known = self.text_digests().known(self.database());
        let mut tx = self.database().read().await?;
        let mut allowed: HashMap<String, bool> = HashMap::new();
        let mut glances = Vec::with_capacity(reviews.len());
        let mut outdated: HashMap<String, i64> = HashMap::new();
        for last in tx.last_entries(reviews).await? {
            let may = match allowed.get(&last.service_id) {
                Some(may) => *may,
                None => {
                    let service = service_of(&last.service_id)?;
                    let may = self.allow(&mut tx, actor, &service, Action::Read).await;
                    *allowed.entry(last.service_id).or_insert(may.is_ok())
                }
            };
            if !may {
                continue;
            }
            match self.list_glances().get(&last.review_id, last.sequence, now) {
                Some(glance) => glances.push(glance),
                None => {
                    outdated.insert(last.review_id, last.sequence);
                }
            }
        }
        if outdated.is_empty() {
            return Ok(glances);
        }
        let ids = reviews.iter().copied();
        let ids: Vec<_> = ids
            .filter(|id| outdated.contains_key(id.as_str()))
            .collect();
        let summary = Summary {
            now,
            most: MOST_NAMED_IN_LISTS,
            item: None,
            counts_links: false,
        };
        for some in ids.chunks(READ_AT_ONCE) {
            for standing in tx
                .standing_summaries(some, summary, acceptance::digest, &known)
                .await?
            {
                let standing = summed_up(standing, now, MOST_NAMED_IN_LISTS, None).await?;
                let id = standing.review.id.clone();
                let last_entry = outdated.get(&id).copied().unwrap_or_default();
                glances.push(self.list_glances().keep(id, last_entry, now, standing));
            }
        }
        Ok(glances)
    }

    /// The actor's own sign-offs that do not hold any more, newest first, each with its review's title.
    pub async fn changed_since_i_signed(
        &self,
        actor: &Actor,
    ) -> Result<ChangedSinceSigned, ServiceError> {
        let mut tx = self.database().read().await?;
        let found = tx.reviews_signed_by(&actor.id).await?;
        drop(tx);
        let reviews: Vec<_> = found.entries.iter().collect();
        let mut changed = Vec::new();
        for standing in self.review_glances(actor, &reviews).await? {
            let of_items = standing.items.iter().flat_map(|item| &item.sign_offs);
            for sign_off in of_items.chain(&standing.release.decisions) {
                if sign_off.is_void() && sign_off.sign_off.person_id == actor.id.as_str() {
                    changed.push((standing.review.clone(), sign_off.clone()));
                }
            }
        }
        changed.sort_by_key(|(_, standing)| std::cmp::Reverse(standing.sign_off.log_sequence));
        Ok(ChangedSinceSigned {
            changed,
            n_reviews: found.n_matching,
            n_looked_at: reviews.len(),
        })
    }
}
