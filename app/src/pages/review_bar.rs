//! The bar and the way on top of every page of a review.

use std::sync::Arc;

use holdpoint_domain::{FindingStatus, ReviewId, ServiceId, text::Date};
use holdpoint_service::{Access, Actor, FindingFilter, standing::ReviewStanding};

use super::{PageError, findings::review_of_address};
use crate::{
    parts::{Crumb, ReviewBar, Tab},
    paths,
    visit::{Visit, services},
};

/// A review that somebody opened a page of: who it is, where the review stands, and what they may do there.
pub struct OpenReview {
    pub visit: Visit,
    pub person: Actor,
    pub id: ReviewId,
    pub service: ServiceId,
    /// At most a minute old, see [`Services::review_glance`](holdpoint_service::Services::review_glance).
    pub standing: Arc<ReviewStanding>,
    pub access: Access,
}

impl OpenReview {
    pub async fn of_address() -> Result<Self, PageError> {
        let (visit, person) = Visit::signed_in()?;
        let id = review_of_address()?;
        let services = services();
        let standing = services.review_glance(&person, &id).await?;
        let service = ServiceId::parse(&standing.review.service_id)
            .ok_or(PageError::NotFound("This review"))?;
        let access = services.access(&person, &service).await?;
        Ok(Self {
            visit,
            person,
            id,
            service,
            standing,
            access,
        })
    }
}

/// How people call a review: its service and release.
pub fn review_name(standing: &ReviewStanding) -> String {
    format!(
        "{} {}",
        standing.review.service_name, standing.review.release
    )
}

/// The way from all reviews to a page of this one.
pub fn review_crumbs(standing: &ReviewStanding) -> Vec<Crumb> {
    vec![
        Crumb::to("Reviews", paths::HOME),
        Crumb::to(review_name(standing), paths::review(&standing.review.id)),
    ]
}

/// What the bar shows, from where the review stands.
pub async fn review_bar(
    person: &Actor,
    standing: &ReviewStanding,
    here: Tab,
) -> Result<ReviewBar, PageError> {
    let services = services();
    let id = ReviewId::parse(&standing.review.id).ok_or(PageError::NotFound("This review"))?;
    let open = FindingFilter {
        statuses: vec![FindingStatus::Open],
        ..FindingFilter::default()
    };
    let findings = services.finding_facets(person, &id, &open).await?;
    let patches = services.patches_of(person, &id).await?;
    let n_valid = standing
        .release
        .decisions
        .iter()
        .filter(|decision| decision.is_valid())
        .count();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(ReviewBar {
        id: standing.review.id.clone(),
        name: review_name(standing),
        here,
        n_items: count(standing.items.len()),
        n_open_findings: u32::try_from(findings.n).unwrap_or(u32::MAX),
        n_patches: count(patches.lines.len()),
        signatures: (
            count(n_valid),
            count(standing.release.n_needed.max(n_valid)),
        ),
        hold_point: standing
            .review
            .due_on
            .as_deref()
            .and_then(|date| Date::parse(date).ok())
            .map(|date| date.end()),
        outcome: standing.verdict.outcome,
    })
}
