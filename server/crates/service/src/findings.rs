//! Findings: reading them, writing them by hand, mapping them to items, triage.
//!
//! A finding has one state. Scans set *fixed* and *reopened* for scanner findings; people set the rest, and no scan
//! overwrites what they decided. Accepting a risk is asked for by one person and approved by another, until a date, and
//! holds for the finding as it was then.

use std::{collections::BTreeMap, sync::Arc};

use holdpoint_domain::{
    FindingId, FindingStatus, ItemId, Millis, ReviewId, ServiceId, Severity,
    person::Action,
    text::{Date, Name, Prose, Reason},
};
use holdpoint_storage::{
    Finding, FindingCursor, FindingFacets, FindingFilter, FindingKind, FindingLines, FindingLink,
    FindingSort, NewActivity, NewFinding, ObservationView, StorageError, Tx,
};

use crate::{Actor, Conflict, ServiceError, Services};

/// The categories that a finding written by hand can have.
pub const CATEGORIES: &[(&str, &str)] = &[
    ("code", "Code"),
    ("configuration", "Config"),
    ("documentation", "Docs"),
    ("dependency", "Dependency"),
    ("secret", "Secret"),
    ("container", "Container"),
    ("web", "Web"),
    ("operations", "Operations"),
    ("licence", "Licence"),
    ("style", "Style"),
];

/// How a category is called in pages and reports.
pub fn category_label(category: &str) -> &str {
    CATEGORIES
        .iter()
        .find(|(word, _)| *word == category)
        .map_or(category, |(_, label)| *label)
}

/// The fields of a finding form or API body, as texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct FindingFields {
    pub title: String,
    pub severity: String,
    pub category: String,
    pub problem: String,
    pub remediation: String,
    pub path: String,
    pub start_line: String,
    pub end_line: String,
    pub snippet: String,
}

/// A finding written by a person, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingRequest {
    pub title: Name,
    pub severity: Severity,
    pub category: String,
    pub problem: Prose,
    pub remediation: String,
    pub path: Option<String>,
    pub start_line: Option<i64>,
    pub end_line: Option<i64>,
    pub snippet: Option<String>,
}

impl FindingRequest {
    /// Reads a form's fields; refuses at the field.
    pub fn parse(fields: &FindingFields) -> Result<Self, ServiceError> {
        let title = Name::parse(&fields.title).map_err(ServiceError::at("title"))?;
        let severity = Severity::parse(&fields.severity).ok_or_else(|| {
            ServiceError::rejected(
                "severity",
                "Choose one of critical, high, medium, low or info.",
            )
        })?;
        let category = CATEGORIES
            .iter()
            .find(|(word, _)| *word == fields.category)
            .map(|(word, _)| (*word).to_owned())
            .ok_or_else(|| {
                let words: Vec<_> = CATEGORIES.iter().map(|(word, _)| *word).collect();
                ServiceError::rejected("category", format!("Choose one of {}.", words.join(", ")))
            })?;
        let problem = Prose::parse(&fields.problem).map_err(ServiceError::at("problem"))?;
        let remediation = optional(&fields.remediation)
            .map(Prose::parse)
            .transpose()
            .map_err(ServiceError::at("remediation"))?
            .map(String::from)
            .unwrap_or_default();
        let path = optional(&fields.path)
            .map(Name::parse)
            .transpose()
            .map_err(ServiceError::at("path"))?;
        let path = path.map(|path| {
            path.as_str()
                .replace('\\', "/")
                .trim_start_matches("./")
                .to_owned()
        });
        let line = |field, text: &str| {
            optional(text)
                .map(|text| {
                    text.parse::<i32>()
                        .ok()
                        .filter(|line| *line > 0)
                        .map(i64::from)
                })
                .map(|line| {
                    line.ok_or_else(|| {
                        ServiceError::rejected(field, "Write a line number, counted from 1.")
                    })
                })
                .transpose()
        };
        let start_line = line("start_line", &fields.start_line)?;
        let end_line = line("end_line", &fields.end_line)?;
        if start_line.is_some() && path.is_none() {
            return Err(ServiceError::rejected(
                "path",
                "Lines need the path of the file they are in.",
            ));
        }
        if end_line.is_some_and(|end| start_line.is_none_or(|start| end < start)) {
            return Err(ServiceError::rejected(
                "end_line",
                "The last line must not come before the first.",
            ));
        }
        let snippet = optional(&fields.snippet)
            .map(Prose::parse)
            .transpose()
            .map_err(ServiceError::at("snippet"))?;
        Ok(Self {
            title,
            severity,
            category,
            problem,
            remediation,
            path,
            start_line,
            end_line,
            snippet: snippet.map(String::from),
        })
    }
}

fn optional(text: &str) -> Option<&str> {
    Some(text.trim_matches(['\r', '\n'])).filter(|text| !text.trim().is_empty())
}

/// What a person decides about a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Triage {
    /// Open again, whatever it was.
    Reopen {
        reason: Reason,
    },
    FalsePositive {
        reason: Reason,
    },
    /// The number of the finding that it repeats.
    Duplicate {
        of: i64,
        reason: String,
    },
    /// Asks for its risk to be accepted until a date: someone else approves.
    AskAcceptance {
        until: Date,
        reason: Reason,
    },
    ApproveAcceptance,
    DeclineAcceptance {
        reason: Reason,
    },
    /// Only for findings written by hand: no scan will say so.
    Fixed {
        reason: Reason,
    },
}

/// The fields of a triage form or API body, as texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct TriageFields {
    pub action: String,
    pub reason: String,
    pub until: String,
    pub duplicate_of: String,
}

impl Triage {
    /// Reads a form's fields; refuses at the field.
    pub fn parse(fields: &TriageFields) -> Result<Self, ServiceError> {
        let reason = || Reason::parse(&fields.reason).map_err(ServiceError::at("reason"));
        Ok(match fields.action.as_str() {
            "reopen" => Self::Reopen { reason: reason()? },
            "false_positive" => Self::FalsePositive { reason: reason()? },
            "duplicate" => Self::Duplicate {
                of: fields
                    .duplicate_of
                    .trim()
                    .trim_start_matches(['F', 'f'])
                    .trim_start_matches('-')
                    .parse()
                    .map_err(|_| {
                        ServiceError::rejected(
                            "duplicate_of",
                            "Write the finding's number, as in F-12.",
                        )
                    })?,
                reason: optional(&fields.reason)
                    .map(Reason::parse)
                    .transpose()
                    .map_err(ServiceError::at("reason"))?
                    .map(String::from)
                    .unwrap_or_default(),
            },
            "ask_acceptance" => Self::AskAcceptance {
                until: Date::parse(&fields.until).map_err(ServiceError::at("until"))?,
                reason: reason()?,
            },
            "approve_acceptance" => Self::ApproveAcceptance,
            "decline_acceptance" => Self::DeclineAcceptance { reason: reason()? },
            "fixed" => Self::Fixed { reason: reason()? },
            _ => {
                return Err(ServiceError::rejected(
                    "action",
                    "Choose one of reopen, false_positive, duplicate, ask_acceptance, approve_acceptance, \
                     decline_acceptance or fixed.",
                ));
            }
        })
    }
}

/// A finding with everything its page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingView {
    pub finding: Finding,
    pub service_slug: String,
    pub service_name: String,
    /// Reviews' items that it is linked to.
    pub items: Vec<FindingLink>,
    pub history: Vec<ObservationView>,
}

impl Services {
    /// One page of the findings that count for a review: the first, or the one beside a place that another page named.
    pub async fn findings_of_review(
        &self,
        actor: &Actor,
        review: &ReviewId,
        filter: &FindingFilter,
        sort: FindingSort,
        limit: usize,
        from: Option<&FindingCursor>,
    ) -> Result<FindingLines, ServiceError> {
        let mut tx = self.database().read().await?;
        let service = self
            .service_of_review(&mut tx, actor, review, Action::Read)
            .await?;
        let filter = &FindingFilter {
            as_of: self.now(),
            ..filter.clone()
        };
        Ok(tx
            .finding_page(&service, review, filter, sort, limit.clamp(1, 500), from)
            .await?)
    }

    /// How many findings there are under a filter, and under each other choice of its facets.
    pub async fn finding_facets(
        &self,
        actor: &Actor,
        review: &ReviewId,
        filter: &FindingFilter,
    ) -> Result<Arc<FindingFacets>, ServiceError> {
        let mut tx = self.database().read().await?;
        let service = self
            .service_of_review(&mut tx, actor, review, Action::Read)
            .await?;
        let now = self.now();
        let question = format!("{review} {filter:?}");
        let last_entry = tx.last_activity_of(&service).await?;
        if let Some(facets) = self.facets().get(&question, last_entry, now) {
            return Ok(facets);
        }
        let as_of = FindingFilter {
            as_of: now,
            ..filter.clone()
        };
        let kinds = tx.finding_kinds(&service, review, &as_of).await?;
        Ok(self
            .facets()
            .keep(question, last_entry, now, facets(&kinds, filter)))
    }

    /// A finding with its links and history.
    pub async fn finding(
        &self,
        actor: &Actor,
        id: &FindingId,
    ) -> Result<FindingView, ServiceError> {
        let mut tx = self.database().read().await?;
        let finding = self
            .readable_finding(&mut tx, actor, id, Action::Read)
            .await?;
        let service = tx
            .service(&finding.service)
            .await?
            .ok_or_else(|| StorageError::Damaged("finding.service_id".to_owned()))?;
        let items = tx.links_of_finding(id).await?;
        let history = tx.observations_of(id).await?;
        Ok(FindingView {
            finding,
            service_slug: service.slug,
            service_name: service.name,
            items,
            history,
        })
    }

    /// Writes a finding by hand, and links it to items if any are named.
    pub async fn write_finding(
        &self,
        actor: &Actor,
        review: &ReviewId,
        request: FindingRequest,
        items: &[ItemId],
    ) -> Result<FindingId, ServiceError> {
        let now = self.now();
        let id = self.new_id(FindingId::parse, now);
        let mut tx = self.database().write().await?;
        let service = self
            .service_of_review(&mut tx, actor, review, Action::Contribute)
            .await?;
        let number = tx.take_finding_numbers(&service, 1).await?;
        tx.insert_finding(&NewFinding {
            id: &id,
            service: &service,
            review,
            number,
            title: request.title.as_str(),
            description: request.problem.as_str(),
            remediation: &request.remediation,
            severity: request.severity,
            category: &request.category,
            path: request.path.as_deref(),
            start_line: request.start_line,
            end_line: request.end_line,
            snippet: request.snippet.as_deref(),
            created_at: now,
            created_by: &actor.id,
        })
        .await?;
        for item in items {
            let place = self.place_of_item(&mut tx, item).await?;
            if place.service != service {
                return Err(ServiceError::rejected(
                    "item",
                    "This item is of another service.",
                ));
            }
            tx.link_finding(&id, item, &actor.id, now).await?;
        }
        let after = serde_json::json!({ "number": number, "severity": request.severity, "title": request.title, "items": items });
        let what = Done {
            action: "finding.written",
            summary: format!("wrote finding F-{number} {}", request.title.as_str()),
            before: None,
            after: Some(after.to_string()),
        };
        record(
            &mut tx,
            actor,
            now,
            &service,
            Some(review.as_str()),
            &id,
            what,
        )
        .await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Changes a finding written by hand; `version` is the one that was shown.
    pub async fn edit_finding(
        &self,
        actor: &Actor,
        id: &FindingId,
        version: i64,
        request: FindingRequest,
    ) -> Result<(), ServiceError> {
        let now = self.now();
        let mut tx = self.database().write().await?;
        let mut finding = self
            .readable_finding(&mut tx, actor, id, Action::Contribute)
            .await?;
        if finding.created_by.is_none() {
            return Err(ServiceError::rejected(
                "",
                "A scanner's finding is as the scanner says. Triage it, or write your own.",
            ));
        }
        if finding.version != version {
            let fields = vec![
                (
                    "title".to_owned(),
                    request.title.as_str().to_owned(),
                    finding.title.clone(),
                ),
                (
                    "severity".to_owned(),
                    request.severity.to_string(),
                    finding.severity.to_string(),
                ),
                (
                    "problem".to_owned(),
                    request.problem.as_str().to_owned(),
                    finding.description.clone(),
                ),
                (
                    "remediation".to_owned(),
                    request.remediation.clone(),
                    finding.remediation.clone(),
                ),
            ];
            return Err(stale(finding.version, fields));
        }
        let before = serde_json::json!({ "title": finding.title, "severity": finding.severity, "problem": finding.description, "remediation": finding.remediation });
        finding.title = request.title.into();
        finding.severity = request.severity;
        finding.category = request.category;
        finding.description = request.problem.into();
        finding.remediation = request.remediation;
        finding.path = request.path;
        finding.start_line = request.start_line;
        finding.end_line = request.end_line;
        finding.snippet = request.snippet;
        tx.update_finding_text(&finding).await?;
        let after = serde_json::json!({ "title": finding.title, "severity": finding.severity, "problem": finding.description, "remediation": finding.remediation });
        let what = Done {
            action: "finding.edited",
            summary: format!("edited finding F-{}", finding.number),
            before: Some(before.to_string()),
            after: Some(after.to_string()),
        };
        let review = finding.review.as_ref().map(ReviewId::as_str);
        record(&mut tx, actor, now, &finding.service, review, id, what).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Links a finding to an item, or takes the link away.
    pub async fn map_finding(
        &self,
        actor: &Actor,
        id: &FindingId,
        item: &ItemId,
        linked: bool,
    ) -> Result<(), ServiceError> {
        let now = self.now();
        let mut tx = self.database().write().await?;
        let finding = self
            .readable_finding(&mut tx, actor, id, Action::Contribute)
            .await?;
        let place = self.place_of_item(&mut tx, item).await?;
        let is_of_review = finding
            .review
            .as_ref()
            .is_none_or(|review| review.as_str() == place.review);
        if place.service != finding.service || !is_of_review {
            return Err(ServiceError::rejected(
                "item",
                "This item is of another service or review.",
            ));
        }
        let changed = if linked {
            tx.link_finding(id, item, &actor.id, now).await?
        } else {
            tx.unlink_finding(id, item, &actor.id, now).await?
        };
        if !changed {
            return Ok(());
        }
        let verb = if linked { "mapped" } else { "unmapped" };
        let to = if linked { "to" } else { "from" };
        let what = Done {
            action: if linked {
                "finding.mapped"
            } else {
                "finding.unmapped"
            },
            summary: format!("{verb} F-{} {to} {}", finding.number, place.key),
            before: None,
            after: Some(serde_json::json!({ "item": item }).to_string()),
        };
        record(
            &mut tx,
            actor,
            now,
            &place.service,
            Some(&place.review),
            id,
            what,
        )
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Decides about a finding; `version` is the one that was shown.
    pub async fn triage_finding(
        &self,
        actor: &Actor,
        id: &FindingId,
        version: i64,
        triage: Triage,
    ) -> Result<(), ServiceError> {
        let now = self.now();
        let mut tx = self.database().write().await?;
        let action = match triage {
            Triage::ApproveAcceptance | Triage::DeclineAcceptance { .. } => Action::Manage,
            _ => Action::Contribute,
        };
        let mut finding = self.readable_finding(&mut tx, actor, id, action).await?;
        if finding.version != version {
            let fields = vec![(
                "status".to_owned(),
                triage.label().to_owned(),
                finding.status.label().to_owned(),
            )];
            return Err(stale(finding.version, fields));
        }
        let before = serde_json::json!({ "status": finding.status, "reason": finding.status_reason, "until": finding.accepted_until });
        let duplicate_of = self
            .apply_triage(&mut tx, actor, &mut finding, &triage, now)
            .await?;
        finding.status_at = Some(now);
        tx.update_triage(&finding, duplicate_of.as_ref()).await?;
        let after = serde_json::json!({ "status": finding.status, "reason": finding.status_reason, "until": finding.accepted_until });
        let what = Done {
            action: "finding.triaged",
            summary: format!("{} F-{}", triage.verb(), finding.number),
            before: Some(before.to_string()),
            after: Some(after.to_string()),
        };
        let review = finding.review.as_ref().map(ReviewId::as_str);
        record(&mut tx, actor, now, &finding.service, review, id, what).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn apply_triage(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        finding: &mut Finding,
        triage: &Triage,
        now: Millis,
    ) -> Result<Option<FindingId>, ServiceError> {
        let decided = |finding: &mut Finding, status, reason: &str| {
            finding.status = status;
            reason.clone_into(&mut finding.status_reason);
            finding.status_by = Some(actor.id.clone());
            finding.accepted_until = None;
            finding.acceptance_requested_by = None;
            finding.accepted_content = None;
        };
        match triage {
            Triage::Reopen { reason } => {
                if finding.status == FindingStatus::Open {
                    return Err(ServiceError::rejected(
                        "action",
                        "This finding is open already.",
                    ));
                }
                if finding.status == FindingStatus::Fixed && finding.created_by.is_none() {
                    return Err(ServiceError::rejected(
                        "action",
                        "A scan found this fixed; only a scan that has it again reopens it.",
                    ));
                }
                decided(finding, FindingStatus::Open, reason.as_str());
                finding.fixed_at = None;
            }
            Triage::FalsePositive { reason } => {
                decided(finding, FindingStatus::FalsePositive, reason.as_str());
            }
            Triage::Duplicate { of, reason } => {
                let original = tx
                    .finding_by_number(&finding.service, *of)
                    .await?
                    .ok_or_else(|| {
                        ServiceError::rejected(
                            "duplicate_of",
                            format!("There is no finding F-{of}."),
                        )
                    })?;
                if original.id == finding.id {
                    return Err(ServiceError::rejected(
                        "duplicate_of",
                        "A finding cannot repeat itself.",
                    ));
                }
                if original.status == FindingStatus::Duplicate {
                    let message =
                        format!("F-{of} is itself a duplicate. Name the finding that it repeats.");
                    return Err(ServiceError::rejected("duplicate_of", message));
                }
                decided(finding, FindingStatus::Duplicate, reason);
                return Ok(Some(original.id));
            }
            Triage::AskAcceptance { until, reason } => {
                if finding.status != FindingStatus::Open
                    && finding.status != FindingStatus::RiskAccepted
                {
                    return Err(ServiceError::rejected(
                        "action",
                        "Only the risk of an open finding can be accepted.",
                    ));
                }
                if until.end() <= now {
                    return Err(ServiceError::rejected("until", "Choose a date to come."));
                }
                decided(finding, FindingStatus::Open, reason.as_str());
                finding.accepted_until = Some(until.end());
                finding.acceptance_requested_by = Some(actor.id.clone());
                finding.accepted_content = Some(finding.says());
            }
            Triage::ApproveAcceptance => {
                let asked_by = finding.acceptance_requested_by.clone();
                let (Some(asked_by), FindingStatus::Open) = (asked_by, finding.status) else {
                    return Err(ServiceError::rejected(
                        "action",
                        "Nobody has asked for this risk to be accepted.",
                    ));
                };
                if asked_by == actor.id {
                    return Err(ServiceError::rejected(
                        "action",
                        "You asked for this risk to be accepted, so someone else must approve it.",
                    ));
                }
                if finding.accepted_until.is_none_or(|until| until <= now) {
                    return Err(ServiceError::rejected(
                        "action",
                        "The date asked for has passed. Ask again.",
                    ));
                }
                if finding.has_outgrown_acceptance() {
                    return Err(ServiceError::rejected(
                        "action",
                        "The finding has changed since acceptance was asked for. Ask again.",
                    ));
                }
                finding.status = FindingStatus::RiskAccepted;
                finding.status_by = Some(actor.id.clone());
            }
            Triage::DeclineAcceptance { reason } => {
                if finding.acceptance_requested_by.is_none() {
                    return Err(ServiceError::rejected(
                        "action",
                        "Nobody has asked for this risk to be accepted.",
                    ));
                }
                decided(finding, FindingStatus::Open, reason.as_str());
            }
            Triage::Fixed { reason } => {
                if finding.created_by.is_none() {
                    return Err(ServiceError::rejected(
                        "action",
                        "A scanner's finding is fixed when a later complete scan no longer has it.",
                    ));
                }
                decided(finding, FindingStatus::Fixed, reason.as_str());
                finding.fixed_at = Some(now);
            }
        }
        Ok(None)
    }

    pub(crate) async fn readable_finding(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        id: &FindingId,
        action: Action,
    ) -> Result<Finding, ServiceError> {
        let not_found = || ServiceError::NotFound("This finding");
        let finding = tx.finding(id).await?.ok_or_else(not_found)?;
        self.allow(tx, actor, &finding.service, action)
            .await
            .map_err(|error| match error {
                ServiceError::NotFound(_) => not_found(),
                error => error,
            })?;
        Ok(finding)
    }
}

impl Triage {
    const fn label(&self) -> &'static str {
        match self {
            Self::Reopen { .. } | Self::DeclineAcceptance { .. } => FindingStatus::Open.label(),
            Self::FalsePositive { .. } => FindingStatus::FalsePositive.label(),
            Self::Duplicate { .. } => FindingStatus::Duplicate.label(),
            Self::AskAcceptance { .. } | Self::ApproveAcceptance => {
                FindingStatus::RiskAccepted.label()
            }
            Self::Fixed { .. } => FindingStatus::Fixed.label(),
        }
    }

    const fn verb(&self) -> &'static str {
        match self {
            Self::Reopen { .. } => "reopened",
            Self::FalsePositive { .. } => "called a false positive",
            Self::Duplicate { .. } => "called a duplicate",
            Self::AskAcceptance { .. } => "asked to accept the risk of",
            Self::ApproveAcceptance => "accepted the risk of",
            Self::DeclineAcceptance { .. } => "declined to accept the risk of",
            Self::Fixed { .. } => "called fixed",
        }
    }
}

fn stale(version: i64, fields: Vec<(String, String, String)>) -> ServiceError {
    ServiceError::Conflict(Box::new(Conflict {
        message: "Someone else changed this finding since you opened it. Nothing was saved."
            .to_owned(),
        current_version: version,
        fields,
    }))
}

struct Done {
    action: &'static str,
    summary: String,
    before: Option<String>,
    after: Option<String>,
}

async fn record(
    tx: &mut Tx,
    actor: &Actor,
    at: Millis,
    service: &ServiceId,
    review: Option<&str>,
    finding: &FindingId,
    done: Done,
) -> Result<(), ServiceError> {
    tx.append_activity(NewActivity {
        at,
        actor: actor.id.as_str(),
        action: done.action,
        subject_kind: "finding",
        subject: finding.as_str(),
        service: Some(service.as_str()),
        review,
        summary: done.summary,
        before: done.before,
        after: done.after,
    })
    .await?;
    Ok(())
}

/// Each facet counts under the choices that were made in all the others.
fn facets(kinds: &[FindingKind], filter: &FindingFilter) -> FindingFacets {
    let mut facets = FindingFacets::default();
    let mut statuses = BTreeMap::new();
    let mut tools = BTreeMap::new();
    let mut categories = BTreeMap::new();
    for kind in kinds {
        let chosen = [
            filter.severities.is_empty() || filter.severities.contains(&kind.severity),
            filter.statuses.is_empty() || filter.statuses.contains(&kind.status),
            filter.tools.is_empty() || filter.tools.contains(&kind.tool),
            filter.categories.is_empty() || filter.categories.contains(&kind.category),
            !filter.unmapped || !kind.is_mapped,
        ];
        let by_all_but = |facet: usize| {
            let mut others = chosen.iter().enumerate().filter(|(of, _)| *of != facet);
            others.all(|(_, is_chosen)| *is_chosen)
        };
        if by_all_but(0) {
            facets.severities.add(kind.severity, kind.n);
        }
        if by_all_but(1) {
            *statuses.entry(kind.status).or_insert(0) += kind.n;
        }
        if by_all_but(2) {
            *tools.entry(kind.tool.clone()).or_insert(0) += kind.n;
        }
        if by_all_but(3) {
            *categories.entry(kind.category.clone()).or_insert(0) += kind.n;
        }
        if by_all_but(4) {
            let (mapped, unmapped) = &mut facets.mapped;
            *(if kind.is_mapped { mapped } else { unmapped }) += kind.n;
        }
        if chosen.iter().all(|is_chosen| *is_chosen) {
            facets.n += kind.n;
        }
    }
    facets.statuses = statuses.into_iter().collect();
    facets.tools = tools.into_iter().collect();
    facets.categories = categories.into_iter().collect();
    facets
}
