//! Signing: an item's decision and the release decision.

use leptos::prelude::*;

use super::{ActionError, Secret};

#[cfg(feature = "ssr")]
use {
    super::{ActionContext, items::parse_item},
    crate::paths,
    holdpoint_domain::{Digest, ReviewId},
    holdpoint_service::{ServiceError, sign_off::DecisionRequest, standing::ReleaseDecision},
};

/// Signs an item's decision with the person's password.
#[server(prefix = "/act", endpoint = "items/sign")]
pub async fn sign_item(
    item: String,
    #[server(default)] decision: String,
    #[server(default)] statement: String,
    #[server(default)] risk: String,
    #[server(default)] waived_until: String,
    #[server(default)] basis: String,
    #[server(default)] password: Secret,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let id = parse_item(&item)?;
        let request = DecisionRequest::parse(&decision, &statement, &risk, &waived_until, &basis)?;
        let label = request.decision.label();
        cx.services
            .decide_item(&cx.person, &id, request, &password)
            .await?;
        Ok::<_, ServiceError>(format!(
            "Signed: {label}. The signature and its digest are on record."
        ))
    }
    .await;
    let typed = [
        ("decision", decision.as_str()),
        ("statement", &statement),
        ("risk", &risk),
        ("waived_until", &waived_until),
        ("digest", &basis),
    ];
    cx.answer(outcome, paths::item(&item), &typed).await
}

/// Signs the release decision over the whole review with the person's password.
#[server(prefix = "/act", endpoint = "reviews/sign")]
pub async fn sign_release(
    review: String,
    #[server(default)] decision: String,
    #[server(default)] statement: String,
    #[server(default)] basis: String,
    #[server(default)] password: Secret,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let id = ReviewId::parse(&review).ok_or(ServiceError::NotFound("This review"))?;
        let said = ReleaseDecision::parse(&decision)
            .ok_or_else(|| ServiceError::rejected("decision", "Choose GO or NO-GO."))?;
        let basis = Digest::parse(basis.trim()).ok_or_else(|| {
            ServiceError::rejected(
                "decision",
                "The form does not say what was signed. Open the page again.",
            )
        })?;
        cx.services
            .decide_release(&cx.person, &id, said, &statement, &basis, &password)
            .await?;
        Ok::<_, ServiceError>(format!(
            "Signed: {}. The signature and its digest are on record.",
            said.label()
        ))
    }
    .await;
    let typed = [
        ("decision", decision.as_str()),
        ("statement", &statement),
        ("digest", &basis),
    ];
    cx.answer(outcome, paths::sign_off(&review), &typed).await
}
