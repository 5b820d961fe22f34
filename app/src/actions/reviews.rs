//! Forms of reviews: begin one, change its settings and policy.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{ActionError, Secret};

#[cfg(feature = "ssr")]
use {
    super::{ActionContext, IntoRefusal, Notice, services::optional},
    crate::{flash::Refusal, paths},
    holdpoint_domain::{
        Policy, ReviewId, Severity, TemplateVersionId,
        policy::{Limits, RequiredScan},
        text::{Commit, Date, Name},
    },
    holdpoint_service::{NewReview, Review, ReviewChange, ServiceError},
};

/// A policy as a form sends it: a box that is not ticked sends nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PolicyForm {
    pub four_eyes: String,
    pub evidence_required: String,
    pub stale_evidence_blocks: String,
    pub deliverables_required: String,
    pub late_findings_block: String,
    pub blocks_critical: String,
    pub blocks_high: String,
    pub blocks_medium: String,
    pub blocks_low: String,
    pub blocks_info: String,
    pub unrated_as: String,
    pub limit_critical: String,
    pub limit_high: String,
    pub limit_medium: String,
    pub limit_low: String,
    pub limit_info: String,
    pub required_scans: String,
    pub quorum: String,
    pub approvals: String,
}

#[cfg(feature = "ssr")]
impl PolicyForm {
    /// The form that says this policy.
    pub fn of(policy: &Policy) -> Self {
        let on = |is: bool| if is { "on".to_owned() } else { String::new() };
        let blocks = |severity| on(policy.blocks(severity));
        let days = |severity| {
            policy
                .days(severity)
                .map(|days| days.to_string())
                .unwrap_or_default()
        };
        Self {
            four_eyes: on(policy.four_eyes),
            evidence_required: on(policy.evidence_required),
            stale_evidence_blocks: on(policy.stale_evidence_blocks),
            deliverables_required: on(policy.deliverables_required),
            late_findings_block: on(policy.late_findings_block),
            blocks_critical: blocks(Severity::Critical),
            blocks_high: blocks(Severity::High),
            blocks_medium: blocks(Severity::Medium),
            blocks_low: blocks(Severity::Low),
            blocks_info: blocks(Severity::Info),
            unrated_as: policy.unrated_as.to_string(),
            limit_critical: days(Severity::Critical),
            limit_high: days(Severity::High),
            limit_medium: days(Severity::Medium),
            limit_low: days(Severity::Low),
            limit_info: days(Severity::Info),
            required_scans: policy
                .required_scans
                .iter()
                .map(RequiredScan::to_string)
                .collect::<Vec<_>>()
                .join("\n"),
            quorum: policy.quorum.to_string(),
            approvals: policy.approvals.to_string(),
        }
    }

    /// Every field by its name in the form.
    pub fn fields(&self) -> [(&'static str, &str); 19] {
        [
            ("four_eyes", &self.four_eyes),
            ("evidence_required", &self.evidence_required),
            ("stale_evidence_blocks", &self.stale_evidence_blocks),
            ("deliverables_required", &self.deliverables_required),
            ("late_findings_block", &self.late_findings_block),
            ("blocks_critical", &self.blocks_critical),
            ("blocks_high", &self.blocks_high),
            ("blocks_medium", &self.blocks_medium),
            ("blocks_low", &self.blocks_low),
            ("blocks_info", &self.blocks_info),
            ("unrated_as", &self.unrated_as),
            ("limit_critical", &self.limit_critical),
            ("limit_high", &self.limit_high),
            ("limit_medium", &self.limit_medium),
            ("limit_low", &self.limit_low),
            ("limit_info", &self.limit_info),
            ("required_scans", &self.required_scans),
            ("quorum", &self.quorum),
            ("approvals", &self.approvals),
        ]
    }

    fn parse(&self, approvers: &[String]) -> Result<Policy, ServiceError> {
        let ticked = |text: &str| text == "on";
        let blocking = [
            (Severity::Critical, &self.blocks_critical),
            (Severity::High, &self.blocks_high),
            (Severity::Medium, &self.blocks_medium),
            (Severity::Low, &self.blocks_low),
            (Severity::Info, &self.blocks_info),
        ];
        let days = |field: &'static str, text: &str| match text.trim() {
            "" => Ok(None),
            text => text
                .parse()
                .ok()
                .filter(|days| (1..=3_650).contains(days))
                .map(Some)
                .ok_or_else(|| {
                    ServiceError::rejected(
                        field,
                        "Write a number of days from 1 to 3,650, or leave it empty for no limit.",
                    )
                }),
        };
        let people = |field: &'static str, text: &str| {
            text.trim()
                .parse()
                .map_err(|_| ServiceError::rejected(field, "Write a number from 1 to 20."))
        };
        let unrated_as = match self.unrated_as.as_str() {
            "" => Policy::default().unrated_as,
            text => Severity::parse(text)
                .filter(|severity| *severity != Severity::Unrated)
                .ok_or_else(|| {
                    ServiceError::rejected("unrated_as", "Choose one of the severities.")
                })?,
        };
        Ok(Policy {
            four_eyes: ticked(&self.four_eyes),
            blocking_severities: blocking
                .into_iter()
                .filter(|(_, text)| ticked(text))
                .map(|(severity, _)| severity)
                .collect(),
            unrated_as,
            evidence_required: ticked(&self.evidence_required),
            stale_evidence_blocks: ticked(&self.stale_evidence_blocks),
            required_scans: self
                .required_scans
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .map(RequiredScan::parse)
                .collect::<Result<_, _>>()
                .map_err(ServiceError::at("required_scans"))?,
            quorum: people("quorum", &self.quorum)?,
            approvers: approvers
                .iter()
                .filter(|id| !id.is_empty())
                .cloned()
                .collect(),
            approvals: people("approvals", &self.approvals)?,
            deliverables_required: ticked(&self.deliverables_required),
            late_findings_block: ticked(&self.late_findings_block),
            limits: Limits {
                critical: days("limit_critical", &self.limit_critical)?,
                high: days("limit_high", &self.limit_high)?,
                medium: days("limit_medium", &self.limit_medium)?,
                low: days("limit_low", &self.limit_low)?,
                info: days("limit_info", &self.limit_info)?,
            },
        })
    }
}

/// Begins a review of a service, from a version of a checklist.
#[server(prefix = "/act", endpoint = "reviews/create")]
pub async fn create_review(
    service: String,
    #[server(default)] template_version: String,
    #[server(default)] title: String,
    #[server(default)] release: String,
    #[server(default)] commit: String,
    #[server(default)] due_on: String,
    #[server(default)] approvers: Vec<String>,
    #[server(flatten)] policy: PolicyForm,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let of = cx
            .services
            .service_by_slug(&cx.person, &service)
            .await?
            .service;
        let new = NewReview {
            template_version: TemplateVersionId::parse(&template_version).ok_or_else(|| {
                ServiceError::rejected("template_version", "Choose a checklist.")
            })?,
            title: Name::parse(&title).map_err(ServiceError::at("title"))?,
            release: Name::parse(&release).map_err(ServiceError::at("release"))?,
            commit: optional("commit", &commit, Commit::parse)?,
            due_on: optional("due_on", &due_on, Date::parse)?,
            policy: policy.parse(&approvers)?,
        };
        let created = cx.services.create_review(&cx.person, &of.id, new).await?;
        let mut text = format!("The review has begun with {} items.", created.n_items);
        if !created.unknown_owners.is_empty() {
            text.push_str(" The document names owners who have no role on this service, so their items have none: ");
            text.push_str(&created.unknown_owners.join(", "));
            text.push('.');
        }
        Ok::<_, ServiceError>(
            Notice::new(text).at(paths::checklist(created.review.id.as_str())),
        )
    }
    .await;
    let approvers = approvers.join(",");
    let mut typed = vec![
        ("template_version", template_version.as_str()),
        ("title", &title),
        ("release", &release),
        ("commit", &commit),
        ("due_on", &due_on),
        ("approvers", &approvers),
    ];
    typed.extend(policy.fields());
    cx.answer(outcome, paths::new_review(&service), &typed)
        .await
}

/// Changes a review's settings and policy, over the version that the person saw. A changed policy asks for the password.
#[server(prefix = "/act", endpoint = "reviews/change")]
pub async fn change_review(
    review: String,
    version: i64,
    #[server(default)] title: String,
    #[server(default)] release: String,
    #[server(default)] commit: String,
    #[server(default)] due_on: String,
    #[server(default)] approvers: Vec<String>,
    #[server(default)] password: Secret,
    #[server(flatten)] policy: PolicyForm,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let id = ReviewId::parse(&review).ok_or(ServiceError::NotFound("This review"))?;
        let change = ReviewChange {
            version,
            title: Name::parse(&title).map_err(ServiceError::at("title"))?,
            release: Name::parse(&release).map_err(ServiceError::at("release"))?,
            commit: optional("commit", &commit, Commit::parse)?,
            due_on: optional("due_on", &due_on, Date::parse)?,
            policy: policy.parse(&approvers)?,
        };
        cx.services
            .change_review(&cx.person, &id, change, &password)
            .await?;
        Ok::<_, ServiceError>("The review's settings are saved.")
    }
    .await;
    let approvers = approvers.join(",");
    let mut typed = vec![
        ("title", title.as_str()),
        ("release", &release),
        ("commit", &commit),
        ("due_on", &due_on),
        ("approvers", &approvers),
    ];
    typed.extend(policy.fields());
    let outcome = match outcome {
        Err(ServiceError::Conflict(conflict)) => {
            // Two policies as two texts of JSON are hard to compare: show field by field what is saved now.
            let stored = match ReviewId::parse(&review) {
                Some(id) => cx.services.review(&cx.person, &id).await.ok(),
                None => None,
            };
            Err(Refusal::Conflict {
                message: conflict.message.clone(),
                fields: stored
                    .map(|head| stored_fields(&head.review, &typed))
                    .unwrap_or_default()
                    .into_iter()
                    .map(|(name, saved)| (name, String::new(), saved))
                    .collect(),
            })
        }
        Err(error) => Err(error.into_refusal(&cx.request_id)),
        Ok(words) => Ok(words),
    };
    cx.answer(outcome, paths::settings(&review), &typed).await
}

/// The fields in which what is stored differs from what was typed.
#[cfg(feature = "ssr")]
fn stored_fields(review: &Review, typed: &[(&str, &str)]) -> Vec<(String, String)> {
    let policy = PolicyForm::of(&review.policy);
    let approvers = review.policy.approvers.join(",");
    let mut stored = vec![
        ("title", review.title.as_str()),
        ("release", &review.release),
        ("commit", review.commit.as_deref().unwrap_or_default()),
        ("due_on", review.due_on.as_deref().unwrap_or_default()),
        ("approvers", &approvers),
    ];
    stored.extend(policy.fields());
    let same = |name: &str, value: &str| {
        typed
            .iter()
            .any(|(typed, text)| *typed == name && text.replace("\r\n", "\n").trim() == value)
    };
    stored
        .into_iter()
        .filter(|(name, value)| !same(name, value))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
