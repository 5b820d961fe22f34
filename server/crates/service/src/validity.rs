//! Whether a stored sign-off counts now: it is what was signed, what it was made over is the same still, and the rules of now would
//! take it.
//!
//! What is stored of a sign-off stands three times: in its row, in the content that was digested and in its entry of the activity
//! log. Where these do not agree, somebody has changed the database behind Holdpoint's back, and it counts for nothing.

use std::collections::HashSet;

use holdpoint_domain::{
    Digest, Millis, Policy,
    normalise::{self, version_1 as normalised_1},
    signoff::{
        Change, DeliverableContent, FindingContent, ItemContent, ReviewContent, Signer, changes,
        review_changes, unmet_rules, version_1, version_of,
    },
};
use holdpoint_storage::{SignOff, SignOffEntry, StandingFinding};

use crate::old_sign_offs::bound_digest;
use crate::standing::{
    Current, CurrentReview, Said, SignOffStanding, Validity, patch_content, review_items,
    review_scans,
};

/// What of a stored sign-off is not what was signed, named for a sentence.
type Damage = Vec<&'static str>;

/// A sign-off of an item, and whether it counts.
pub(crate) fn item_validity(sign_off: SignOff, current: &Current<'_>) -> SignOffStanding {
    let is_past = sign_off.round != current.item.round;
    let (damage, differs, signer) = match version_of(&sign_off.content) {
        Some(version_1::NORMALISATION) => item_of_version_1(&sign_off, current),
        Some(normalise::VERSION) => item_of_now(&sign_off, current),
        _ => (vec!["the version of its content"], Vec::new(), None),
    };
    standing(sign_off, "item.signed", is_past, damage, differs, signer)
}

/// A release decision, and whether it counts.
pub(crate) fn release_validity(
    sign_off: SignOff,
    is_replaced: bool,
    current: &CurrentReview<'_>,
) -> SignOffStanding {
    let (damage, differs, signer) = match version_of(&sign_off.content) {
        Some(version_1::NORMALISATION) => release_of_version_1(&sign_off, current),
        Some(normalise::VERSION) => release_of_now(&sign_off, current),
        _ => (vec!["the version of its content"], Vec::new(), None),
    };
    standing(
        sign_off,
        "release.signed",
        is_replaced,
        damage,
        differs,
        signer,
    )
}

fn standing(
    mut sign_off: SignOff,
    action: &str,
    is_past: bool,
    mut damage: Damage,
    differs: Vec<Change>,
    signer: Option<Signer>,
) -> SignOffStanding {
    let normalisation = version_of(&sign_off.content).unwrap_or_default();
    if Digest::of(sign_off.content.as_bytes()).as_str() != sign_off.digest {
        damage.push("the digest of its content");
    }
    if !is_logged(&sign_off, action) {
        damage.push("its entry in the activity log");
    }
    if normalisation == version_1::NORMALISATION
        && sign_off.bound.as_deref() != Some(bound_digest(&sign_off).as_str())
    {
        damage.push("what the log says that it was at the upgrade");
    }
    let validity = if !damage.is_empty() {
        Validity::Damaged(vec![format!(
            "The sign-off stored as that of {} is not what was signed: {}.",
            sign_off.person_name,
            damage.join(", ")
        )])
    } else if is_past {
        Validity::Past
    } else if differs.is_empty() {
        Validity::Valid
    } else {
        Validity::Void(differs)
    };
    if let Some(signer) = signer.filter(|_| damage.is_empty()) {
        sign_off.person_name = signer.name;
        sign_off.person_email = signer.address;
    }
    SignOffStanding {
        sign_off,
        validity,
        normalisation,
    }
}

/// Whether the activity log says at the sign-off's place that this person signed just this then.
fn is_logged(sign_off: &SignOff, action: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct After {
        sign_off: String,
        digest: String,
        statement: String,
    }
    let Some(SignOffEntry {
        actor,
        action: logged,
        at,
        after: Some(after),
    }) = &sign_off.entry
    else {
        return false;
    };
    serde_json::from_str::<After>(after).is_ok_and(|after| {
        logged == action
            && *actor == sign_off.person_id
            && *at == sign_off.signed_at
            && after.sign_off == sign_off.id
            && after.digest == sign_off.digest
            && after.statement == sign_off.statement
    })
}

/// What differs between a row and what was signed.
fn differing(parts: &[(&'static str, bool)]) -> Damage {
    parts
        .iter()
        .filter(|(_, is_equal)| !is_equal)
        .map(|(name, _)| *name)
        .collect()
}

fn signer_differs(sign_off: &SignOff, signer: &Signer, policy: &Policy) -> Damage {
    differing(&[
        ("who signed", sign_off.person_id == signer.person),
        ("the role", sign_off.role == signer.role),
        ("when it was signed", sign_off.signed_at == signer.at),
        (
            "whether four eyes were asked for",
            sign_off.four_eyes == policy.four_eyes,
        ),
    ])
}

type Outcome = (Damage, Vec<Change>, Option<Signer>);

fn unreadable() -> Outcome {
    (vec!["its content"], Vec::new(), None)
}

fn item_of_now(sign_off: &SignOff, current: &Current<'_>) -> Outcome {
    let Ok(signed) = serde_json::from_str::<ItemContent>(&sign_off.content) else {
        return unreadable();
    };
    let mut damage = differing(&[
        ("the review", sign_off.review_id == signed.review),
        (
            "the item",
            sign_off.item_id.as_deref() == Some(signed.item.as_str()),
        ),
        ("the round", sign_off.round == signed.round),
        (
            "the decision",
            sign_off.decision == signed.decision.as_str(),
        ),
        ("the statement", sign_off.statement == signed.statement),
        ("the risk", sign_off.risk == signed.risk),
        (
            "until when it is waived",
            sign_off.waived_until == signed.waived_until,
        ),
    ]);
    damage.extend(signer_differs(sign_off, &signed.signer, &signed.policy));
    let mut now = current.content(Said {
        decision: signed.decision,
        statement: &signed.statement,
        waived_until: signed.waived_until,
        risk: signed.risk.as_deref(),
        signer: signed.signer.clone(),
        policy: signed.policy.clone(),
    });
    leave_out_unsigned(&signed.findings, &mut now.findings);
    let mut differs = named(&signed, &now, changes);
    differs.extend(unmet_rules(&signed.signed_under(), current.policy));
    (damage, differs, Some(signed.signer))
}

fn release_of_now(sign_off: &SignOff, current: &CurrentReview<'_>) -> Outcome {
    let Ok(signed) = serde_json::from_str::<ReviewContent>(&sign_off.content) else {
        return unreadable();
    };
    let mut damage = differing(&[
        ("the review", sign_off.review_id == signed.review),
        ("what it is about", sign_off.item_id.is_none()),
        ("the decision", sign_off.decision == signed.decision),
        ("the statement", sign_off.statement == signed.statement),
    ]);
    damage.extend(signer_differs(sign_off, &signed.signer, &signed.policy));
    let mut now = current.content(&signed.decision, &signed.statement, signed.signer.clone());
    leave_out_unsigned(&signed.findings, &mut now.findings);
    let differs = named(&signed, &now, |signed, now| {
        review_changes(signed, now, &|digest| signer_of(current, digest))
    });
    (damage, differs, Some(signed.signer))
}

/// What moved, where a content is another than the signed one: always something, since the contents decide and not the names of
/// what moved.
fn named<T: PartialEq>(signed: &T, now: &T, name: impl Fn(&T, &T) -> Vec<Change>) -> Vec<Change> {
    if now == signed {
        return Vec::new();
    }
    let mut changes = name(signed, now);
    if changes.is_empty() {
        changes.push(Change {
            what: "content".to_owned(),
            was: None,
            is: None,
        });
    }
    changes
}

/// Takes out of what findings are now what signatures did not have yet when these findings were signed.
fn leave_out_unsigned(signed: &[FindingContent], now: &mut [FindingContent]) {
    let without: HashSet<i64> = signed
        .iter()
        .filter(|finding| finding.identifiers.is_none())
        .map(|finding| finding.number)
        .collect();
    for finding in now
        .iter_mut()
        .filter(|finding| without.contains(&finding.number))
    {
        finding.identifiers = None;
    }
}

/// Who made the sign-off of an item that has this digest.
fn signer_of(current: &CurrentReview<'_>, digest: &str) -> Option<String> {
    let mut sign_offs = current.items.iter().flat_map(|item| &item.sign_offs);
    sign_offs
        .find(|standing| standing.sign_off.digest == digest)
        .map(|standing| standing.sign_off.person_name.clone())
}

/// The first version of the normalisation took numbers, marks and boxes away that may mean something, so a signature under it counts
/// only while every text is the same byte by byte: as what was signed, or as what the requirement is known to have said then.
fn item_of_version_1(sign_off: &SignOff, current: &Current<'_>) -> Outcome {
    let Ok(signed) = serde_json::from_str::<version_1::ItemContent>(&sign_off.content) else {
        return unreadable();
    };
    let damage = differing(&[
        ("the review", sign_off.review_id == signed.review),
        (
            "the decision",
            sign_off.decision == signed.decision.as_str(),
        ),
        (
            "the statement",
            normalised_1(&sign_off.statement) == signed.statement,
        ),
        (
            "the risk",
            sign_off.risk.as_deref().map(normalised_1) == signed.risk,
        ),
        (
            "until when it is waived",
            sign_off.waived_until == signed.waived_until,
        ),
    ]);
    let item = current.item;
    let is_same_text =
        item.body == signed.requirement || sign_off.signed_requirement.as_ref() == Some(&item.body);
    let now = version_1::ItemContent {
        normalisation: version_1::NORMALISATION,
        review: current.review.id.clone(),
        key: item.key.clone(),
        title: item.title.clone(),
        requirement: if is_same_text {
            normalised_1(&item.body)
        } else {
            item.body.clone()
        },
        gating: item.gating,
        evidence: current
            .evidence
            .iter()
            .map(|(evidence, stale)| version_1::EvidenceContent {
                id: evidence.id.clone(),
                kind: evidence.kind.clone(),
                title: evidence.title.clone(),
                sha256: evidence.sha256.clone(),
                commit: evidence.commit_id.clone(),
                // Evidence without a commit was never stale then.
                stale: evidence.is_contradicted || (evidence.commit_id.is_some() && *stale),
            })
            .collect(),
        findings: current.linked.iter().map(finding_of_version_1).collect(),
        patches: current.patches.iter().map(patch_content).collect(),
        decision: signed.decision,
        statement: signed.statement.clone(),
        waived_until: signed.waived_until,
        risk: signed.risk.clone(),
    };
    let rules = unmet_rules(&signed.signed_under(sign_off.four_eyes), current.policy);
    let mut differs = if now == signed {
        Vec::new()
    } else {
        named(&signed.into(), &now.into(), changes)
    };
    differs.extend(rules);
    (damage, differs, None)
}

fn finding_of_version_1(finding: &StandingFinding) -> version_1::FindingContent {
    version_1::FindingContent {
        number: finding.number,
        title: finding.title.clone(),
        severity: finding.severity,
        status: finding.status,
    }
}

fn release_of_version_1(sign_off: &SignOff, current: &CurrentReview<'_>) -> Outcome {
    let Ok(signed) = serde_json::from_str::<version_1::ReviewContent>(&sign_off.content) else {
        return unreadable();
    };
    let damage = differing(&[
        ("the review", sign_off.review_id == signed.review),
        ("what it is about", sign_off.item_id.is_none()),
        ("the decision", sign_off.decision == signed.decision),
        (
            "the statement",
            normalised_1(&sign_off.statement) == signed.statement,
        ),
    ]);
    let review = current.review;
    let now = version_1::ReviewContent {
        normalisation: version_1::NORMALISATION,
        service: review.service_slug.clone(),
        review: review.id.clone(),
        release: review.release.clone(),
        commit: review.commit_id.clone(),
        policy: current.policy.clone(),
        items: review_items(current.items, str::to_owned),
        findings: current.findings.iter().map(finding_of_version_1).collect(),
        scans: review_scans(current.scans),
        deliverables: current
            .deliverables
            .iter()
            .map(|deliverable| DeliverableContent {
                title: deliverable.title.clone(),
                done: deliverable.done,
            })
            .collect(),
        decision: signed.decision.clone(),
        statement: signed.statement.clone(),
    };
    let differs = if now == signed {
        Vec::new()
    } else {
        named(&signed.into(), &now.into(), |signed, now| {
            review_changes(signed, now, &|digest| signer_of(current, digest))
        })
    };
    (damage, differs, None)
}

/// Who signs now, as what and by what.
pub(crate) fn signer(actor: &crate::Actor, role: &str, at: Millis) -> Signer {
    Signer {
        person: actor.id.as_str().to_owned(),
        name: actor.name.clone(),
        address: actor.email.clone(),
        role: role.to_owned(),
        factor: holdpoint_domain::signoff::Factor::Password,
        at,
    }
}
