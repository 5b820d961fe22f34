//! Reviews of a service.

use axum::{
    extract::{Path, State},
    response::Response,
};
use holdpoint_domain::{
    Policy, ReviewId, TemplateId, TemplateVersionId,
    text::{Commit, Date, Name},
};
use holdpoint_service::{NewReview, ReviewChange, ServiceError, Services, VoidDecision};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    asked::{self, Id, IfMatch, Json, Key, Query, WhichPart},
    given::{Given, Part, moment, once},
};
use crate::web::{WebError, api_caller::ApiCaller};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Review {
    id: String,
    service: String,
    title: String,
    release: String,
    /// The target commit.
    commit: Option<String>,
    /// `YYYY-MM-DD`.
    due_on: Option<String>,
    created_at: String,
    version: i64,
    template_version: String,
    #[schema(value_type = Object)]
    policy: Policy,
    n_items: i64,
    /// Items that are passed, not applicable or waived, as their states say; the verdict also asks for valid signatures.
    n_items_cleared: i64,
    n_items_late: i64,
    n_deliverables: i64,
    n_deliverables_done: i64,
}

fn review(
    review: &holdpoint_service::Review,
    service: &str,
    counts: &holdpoint_service::ReviewCounts,
) -> Review {
    Review {
        id: review.id.to_string(),
        service: service.to_owned(),
        title: review.title.clone(),
        release: review.release.clone(),
        commit: review.commit.clone(),
        due_on: review.due_on.clone(),
        created_at: moment(review.created_at),
        version: review.version,
        template_version: review.template_version.to_string(),
        policy: review.policy.clone(),
        n_items: counts.items.total(),
        n_items_cleared: counts.items.cleared(),
        n_items_late: counts.n_late,
        n_deliverables: counts.n_deliverables,
        n_deliverables_done: counts.n_deliverables_done,
    }
}

/// A review with what is signed for its release.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WholeReview {
    #[serde(flatten)]
    review: Review,
    template: NamedTemplate,
    release_decision: Release,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NamedTemplate {
    id: String,
    name: String,
    /// The version's number.
    number: i64,
}

/// A release decision that does not stand any more.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VoidRelease {
    /// `go` or `no_go`.
    decision: String,
    /// When it was decided.
    at: String,
    /// Who had signed it.
    by: Vec<String>,
    /// The sign-off with which it was decided: `as_of` of its kept report.
    sign_off: String,
}

impl VoidRelease {
    pub(super) fn of(void: &VoidDecision) -> Self {
        Self {
            decision: void.decision.as_str().to_owned(),
            at: moment(void.at),
            by: void.by.clone(),
            sign_off: void.sign_off.clone(),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReleaseDecisionForm)]
pub(super) struct Release {
    /// `go` or `no_go`; null while no decision stands.
    decided: Option<String>,
    /// What was decided before and is void, since the review has changed; null while a decision stands.
    void: Option<VoidRelease>,
    n_needed: usize,
    n_go: usize,
    /// The digest of what is to be signed now: send it as `basis`.
    basis: String,
    /// Why the caller cannot sign; null when they can.
    refusal: Option<String>,
    /// Why a GO is not possible; null when it is.
    go_refusal: Option<String>,
    warnings: Vec<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewReview)]
pub(super) struct New {
    /// The template, for its newest version.
    template: Option<String>,
    /// Or one of its versions.
    template_version: Option<String>,
    title: String,
    release: String,
    commit: Option<String>,
    /// `YYYY-MM-DD`.
    due_on: Option<String>,
    /// What differs from the default policy.
    #[schema(value_type = Option<Object>)]
    policy: Option<Policy>,
}

/// What is created, and what of the document meant nobody.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Created {
    #[serde(flatten)]
    review: Review,
    /// Owners that the document names and that are nobody on this service.
    unknown_owners: Vec<String>,
}

/// Fields that are not there stay as they are; null takes a value away.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReviewChange)]
#[expect(
    clippy::option_option,
    reason = "absent and null mean different things in a change"
)]
pub(super) struct Change {
    title: Option<String>,
    release: Option<String>,
    #[serde(default, deserialize_with = "asked::nullable")]
    #[schema(value_type = Option<String>)]
    commit: Option<Option<String>>,
    #[serde(default, deserialize_with = "asked::nullable")]
    #[schema(value_type = Option<String>)]
    due_on: Option<Option<String>>,
    /// The whole policy; a rule that is not there has its default.
    #[schema(value_type = Option<Object>)]
    policy: Option<Policy>,
}

/// A service's reviews, newest first.
#[utoipa::path(get, path = "/services/{slug}/reviews", tag = "Reviews", params(WhichPart), responses((status = 200, body = Part<Review>)))]
pub(super) async fn list(
    State(services): State<Services>,
    caller: ApiCaller,
    Path(slug): Path<String>,
    Query(asked): Query<WhichPart>,
) -> Result<Response, WebError> {
    let (limit, before) = asked.place(ReviewId::parse)?;
    let service = services.service_by_slug(&caller, &slug).await?.service;
    let page = services
        .reviews_of(&caller, &service.id, before.as_ref(), limit)
        .await?;
    let part = Part {
        entries: page
            .entries
            .iter()
            .map(|(of, counts)| review(of, &service.slug, counts))
            .collect(),
        next_cursor: page.next.map(|id| id.to_string()),
    };
    part.answer()
}

/// A review, with what is signed for its release and the digest to sign.
#[utoipa::path(get, path = "/reviews/{id}", tag = "Reviews", responses((status = 200, body = WholeReview)))]
pub(super) async fn show(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ReviewId>,
) -> Result<Response, WebError> {
    let head = services.review(&caller, &id).await?;
    let standing = services.whole_review_standing(&caller, &id).await?;
    let access = services.access(&caller, &head.service.id).await?;
    let form = services.release_form(&caller, &access, &standing).await?;
    let out = WholeReview {
        review: review(&head.review, &head.service.slug, &head.counts),
        template: NamedTemplate {
            id: head.template.id.to_string(),
            name: head.template.name,
            number: head.template_version.number,
        },
        release_decision: Release {
            decided: standing
                .release
                .decided
                .map(|decided| decided.as_str().to_owned()),
            void: standing.release.void.as_ref().map(VoidRelease::of),
            n_needed: standing.release.n_needed,
            n_go: standing.release.n_go,
            basis: form.basis.to_string(),
            refusal: form.refusal,
            go_refusal: form.go_refusal,
            warnings: form.warnings,
        },
    };
    Ok(Given::ok(&out)?.version(head.review.version).answer())
}

/// Begins a review of a service's release, from a checklist.
#[utoipa::path(
    post, path = "/services/{slug}/reviews", tag = "Reviews", request_body = New, responses((status = 201, body = Created))
)]
pub(super) async fn create(
    State(services): State<Services>,
    caller: ApiCaller,
    Path(slug): Path<String>,
    key: Key,
    asked: Json<New>,
) -> Result<Response, WebError> {
    let New {
        template,
        template_version,
        title,
        release,
        commit,
        due_on,
        policy,
    } = asked.value;
    let service = services.service_by_slug(&caller, &slug).await?.service;
    let unknown = |field| WebError::Rejected {
        field,
        message: "There is no such checklist here.".to_owned(),
    };
    let template_version = match (template, template_version) {
        (None, Some(id)) => {
            TemplateVersionId::parse(&id).ok_or_else(|| unknown("template_version"))?
        }
        (Some(id), None) => {
            let id = TemplateId::parse(&id).ok_or_else(|| unknown("template"))?;
            let history = match services.template(&caller, &id).await {
                Err(ServiceError::NotFound(_)) => return Err(unknown("template")),
                other => other?,
            };
            let newest = history.versions.into_iter().next();
            newest
                .map(|(version, _)| version.id)
                .ok_or_else(|| unknown("template"))?
        }
        _ => {
            return Err(WebError::Rejected {
                field: "template",
                message: "Name the checklist: either `template`, for its newest version, or `template_version`.".to_owned(),
            });
        }
    };
    let new = NewReview {
        template_version,
        title: Name::parse(&title).map_err(ServiceError::at("title"))?,
        release: Name::parse(&release).map_err(ServiceError::at("release"))?,
        commit: asked::commit(commit.as_deref())?,
        due_on: asked::date("due_on", due_on.as_deref())?,
        policy: policy.unwrap_or_default(),
    };
    once(&services, &caller, &key, &asked.digest, async |services| {
        let created = services
            .create_review(&caller, &service.id, new.clone())
            .await?;
        let head = services.review(&caller, &created.review.id).await?;
        let out = Created {
            review: review(&head.review, &service.slug, &head.counts),
            unknown_owners: created.unknown_owners,
        };
        let given = Given::created(format!("/reviews/{}", out.review.id), &out)?;
        Ok(given.version(out.review.version))
    })
    .await
}

/// Changes a review, for example its target commit. Evidence of another commit is stale from then on.
#[utoipa::path(patch, path = "/reviews/{id}", tag = "Reviews", request_body = Change, responses((status = 200, body = Review)))]
pub(super) async fn change(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ReviewId>,
    IfMatch(version): IfMatch,
    asked: Json<Change>,
) -> Result<Response, WebError> {
    once(
        &services,
        &caller,
        &Key(None),
        &asked.digest,
        async |services| {
            let head = services.review(&caller, &id).await?;
            let (stored, change) = (head.review, asked.value.clone());
            let kept_commit =
                |stored: Option<&str>| stored.map(Commit::parse).transpose().ok().flatten();
            let kept_date =
                |stored: Option<&str>| stored.map(Date::parse).transpose().ok().flatten();
            let change = ReviewChange {
                version,
                title: Name::parse(change.title.as_deref().unwrap_or(&stored.title))
                    .map_err(ServiceError::at("title"))?,
                release: Name::parse(change.release.as_deref().unwrap_or(&stored.release))
                    .map_err(ServiceError::at("release"))?,
                commit: match &change.commit {
                    Some(commit) => asked::commit(commit.as_deref())?,
                    None => kept_commit(stored.commit.as_deref()),
                },
                due_on: match &change.due_on {
                    Some(date) => asked::date("due_on", date.as_deref())?,
                    None => kept_date(stored.due_on.as_deref()),
                },
                policy: change.policy.unwrap_or(stored.policy),
            };
            services.update_review(&caller, &id, change).await?;
            let head = services.review(&caller, &id).await?;
            let out = review(&head.review, &head.service.slug, &head.counts);
            Ok(Given::ok(&out)?.version(out.version))
        },
    )
    .await
}
