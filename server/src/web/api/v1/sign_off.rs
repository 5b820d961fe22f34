//! Signing an item's decision and the release decision.

use axum::{extract::State, response::Response};
use holdpoint_domain::{Digest, ItemId, ReviewId};
use holdpoint_service::{
    ServiceError, Services,
    sign_off::DecisionRequest,
    standing::{ReleaseDecision, SignOffStanding, Validity},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    asked::{Id, Json, Key},
    given::{Given, moment, once},
};
use crate::web::{WebError, api_caller::ApiCaller};

/// What the caller can sign now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SignForm {
    /// The digest of what is to be signed now: send it as `basis`.
    basis: String,
    /// Why the caller cannot sign; null when they can.
    refusal: Option<String>,
    /// Why a pass is not possible; empty when it is.
    pass_refusals: Vec<String>,
    may_waive: bool,
    quorum: u32,
    n_signed: u32,
}

pub(super) fn sign_form(form: holdpoint_service::sign_off::SignForm) -> SignForm {
    SignForm {
        basis: form.basis.to_string(),
        refusal: form.refusal,
        pass_refusals: form.pass_refusals,
        may_waive: form.may_waive,
        quorum: form.quorum,
        n_signed: form.n_signed,
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SignOff {
    id: String,
    /// pass, fail, not_applicable or waive; of a release go or no_go.
    decision: String,
    statement: String,
    risk: Option<String>,
    waived_until: Option<String>,
    person: String,
    /// Name and address as they were signed.
    person_name: String,
    /// The address that the person signs in with: names may look alike.
    person_email: String,
    /// Since when the person's account is disabled; null while it is not.
    person_disabled_at: Option<String>,
    /// When the person's password had been set by a link that somebody else made, if that was within a day before signing.
    person_reset_at: Option<String>,
    role: String,
    signed_at: String,
    /// Of exactly what was signed.
    digest: String,
    /// Whether the policy let nobody sign who had submitted.
    four_eyes: bool,
    /// Made under an older rule for texts: it counts only while they are the same byte by byte.
    is_of_old_rules: bool,
    /// `valid`; `void`, since what was signed has changed or the policy asks for more now; `damaged`, since what is stored is not
    /// what was signed; or `past`, of an earlier round.
    standing: &'static str,
    /// What is wrong with a damaged one.
    damage: Vec<String>,
    /// What has changed since, of a void one.
    changes: Vec<Changed>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Changed {
    what: String,
    was: Option<String>,
    is: Option<String>,
}

pub(super) fn sign_off(of: &SignOffStanding) -> SignOff {
    let (standing, changes) = match &of.validity {
        Validity::Valid => ("valid", &[][..]),
        Validity::Void(changes) => ("void", &changes[..]),
        Validity::Damaged(_) => ("damaged", &[][..]),
        Validity::Past => ("past", &[][..]),
    };
    let damage = match &of.validity {
        Validity::Damaged(why) => why.clone(),
        _ => Vec::new(),
    };
    let changes = changes
        .iter()
        .map(|change| Changed {
            what: change.what.clone(),
            was: change.was.clone(),
            is: change.is.clone(),
        })
        .collect();
    SignOff {
        changes,
        standing,
        damage,
        is_of_old_rules: of.is_of_old_rules(),
        ..plain(&of.sign_off)
    }
}

/// As it is right after signing.
fn plain(of: &holdpoint_service::SignOff) -> SignOff {
    SignOff {
        id: of.id.clone(),
        decision: of.decision.clone(),
        statement: of.statement.clone(),
        risk: of.risk.clone(),
        waived_until: of.waived_until.map(moment),
        person: of.person_id.clone(),
        person_name: of.person_name.clone(),
        person_email: of.person_email.clone(),
        person_disabled_at: of.person_disabled_at.map(moment),
        person_reset_at: of.reset_at.map(moment),
        role: of.role.clone(),
        signed_at: moment(of.signed_at),
        digest: of.digest.clone(),
        four_eyes: of.four_eyes,
        is_of_old_rules: false,
        standing: "valid",
        damage: Vec::new(),
        changes: Vec::new(),
    }
}

/// A decision on an item. Not `Debug`: it holds a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ItemDecision)]
pub(super) struct Decision {
    /// pass, fail, not_applicable or waive.
    decision: String,
    /// The reason; a pass needs none.
    #[serde(default)]
    statement: String,
    /// For a waiver: the risk that is taken.
    #[serde(default)]
    risk: String,
    /// For a waiver: the last day it holds, `YYYY-MM-DD`.
    #[serde(default)]
    waived_until: String,
    /// `sign.basis` of the item as you saw it. If the item has changed since, nothing is signed (409).
    basis: String,
    /// The password of the person for whom the token acts: a token alone signs nothing.
    #[schema(format = Password)]
    password: String,
}

/// A decision on a release. Not `Debug`: it holds a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReleaseDecision)]
pub(super) struct Release {
    /// go or no_go.
    decision: String,
    /// The reason; a GO needs none.
    #[serde(default)]
    statement: String,
    /// `release_decision.basis` of the review as you saw it. If the review has changed since, nothing is signed (409).
    basis: String,
    /// The password of the person for whom the token acts: a token alone signs nothing.
    #[schema(format = Password)]
    password: String,
}

/// A repeated request is told by everything but its password, which is kept nowhere, not even as a digest.
fn digest(parts: &[&str]) -> Result<Digest, WebError> {
    let bytes = serde_json::to_vec(parts).map_err(ServiceError::unavailable)?;
    Ok(Digest::of(&bytes))
}

/// Signs a decision on an item, over exactly what `basis` names. The token needs the scope `decide`, and for a waiver `manage`
/// too. Whoever asked for the review, or submitted evidence or a patch, cannot sign where the policy asks for four eyes.
#[utoipa::path(
    post, path = "/items/{id}/decision", tag = "Sign-off", request_body = Decision, responses((status = 201, body = SignOff))
)]
pub(super) async fn decide_item(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(item): Id<ItemId>,
    key: Key,
    asked: Json<Decision>,
) -> Result<Response, WebError> {
    let Decision {
        decision,
        statement,
        risk,
        waived_until,
        basis,
        password,
    } = asked.value;
    let request = DecisionRequest::parse(&decision, &statement, &risk, &waived_until, &basis)?;
    let digest = digest(&[
        "item",
        item.as_str(),
        &decision,
        &statement,
        &risk,
        &waived_until,
        &basis,
    ])?;
    once(&services, &caller, &key, &digest, async |services| {
        let signed = services
            .decide_item(&caller, &item, request.clone(), &password)
            .await?;
        Given::created(format!("/items/{item}"), &plain(&signed))
    })
    .await
}

/// Signs the release decision, over exactly what `basis` names. The token needs the scope `decide_release`.
#[utoipa::path(
    post, path = "/reviews/{id}/decision", tag = "Sign-off", request_body = Release, responses((status = 201, body = SignOff))
)]
pub(super) async fn decide_release(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(review): Id<ReviewId>,
    key: Key,
    asked: Json<Release>,
) -> Result<Response, WebError> {
    let Release {
        decision,
        statement,
        basis,
        password,
    } = asked.value;
    let digest = digest(&["review", review.as_str(), &decision, &statement, &basis])?;
    let decision = ReleaseDecision::parse(&decision).ok_or_else(|| WebError::Rejected {
        field: "decision",
        message: "Choose go or no_go.".to_owned(),
    })?;
    let basis = Digest::parse(basis.trim()).ok_or_else(|| WebError::Rejected {
        field: "basis",
        message: "Send `release_decision.basis` of the review as you saw it.".to_owned(),
    })?;
    once(&services, &caller, &key, &digest, async |services| {
        let signed = services
            .decide_release(&caller, &review, decision, &statement, &basis, &password)
            .await?;
        Given::created(format!("/reviews/{review}"), &plain(&signed))
    })
    .await
}
