//! Findings: reading them, writing them by hand, mapping them to items.

use std::{collections::BTreeMap, sync::Arc};

use holdpoint_domain::{
    FindingId, FindingStatus, ItemId, ReviewId, SeriesId, ServiceId, Severity,
    person::Action,
    text::{Name, Prose, Reason},
    triage::Request,
};
use holdpoint_importers::identity::IdentityBasis;
pub use holdpoint_importers::{CodeFlow, Fix, Place};
use holdpoint_storage::{
    Finding, FindingCursor, FindingFacets, FindingFilter, FindingKind, FindingLines, FindingLink,
    FindingOrder, FindingSeries, FindingSort, Found, NewFinding, NumberedFinding, ObservationView,
    SameIssue, StorageError, TriageBatch, TriageState, Tx,
};

pub use crate::triage::{Triage, TriageFields};
use crate::{
    Actor, Conflict, ServiceError, Services,
    acceptance::{bind_decisions, digest, note_contents_of, open_outgrown},
    changes::Done,
    mapping::in_words,
    triage::decide,
};

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
    /// Why the severity is another one than before.
    pub severity_reason: String,
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
    pub severity_reason: Option<Reason>,
}

impl FindingRequest {
    /// Reads a form's fields; refuses at the field.
    pub fn parse(fields: &FindingFields) -> Result<Self, ServiceError> {
        let title = Name::parse(&fields.title).map_err(ServiceError::at("title"))?;
        let severity = Severity::parse(&fields.severity).ok_or_else(|| {
            ServiceError::rejected(
                "severity",
                format!("Choose one of {}.", Severity::all_names("or")),
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
        let severity_reason = optional(&fields.severity_reason)
            .map(Reason::parse)
            .transpose()
            .map_err(ServiceError::at("severity_reason"))?;
        Ok(Self {
            title,
            severity,
            severity_reason,
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

/// The digest of what a finding says, as if it had this severity.
async fn content_as(
    tx: &mut Tx,
    this: &[String],
    severity: Severity,
) -> Result<Option<String>, ServiceError> {
    let content = tx.contents_of(this).await?.pop();
    Ok(content.map(|mut content| {
        content.severity = severity.to_string();
        digest(&content)
    }))
}

pub(crate) fn optional(text: &str) -> Option<&str> {
    Some(text.trim_matches(['\r', '\n'])).filter(|text| !text.trim().is_empty())
}

/// What a scanner says of a finding beside the finding itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct ScannerDetails {
    /// Where the same problem has to be mended too.
    pub other_places: Vec<Place>,
    pub related: Vec<Place>,
    pub code_flows: Vec<CodeFlow>,
    pub fixes: Vec<Fix>,
}

impl ScannerDetails {
    pub fn of(finding: &Finding) -> Self {
        finding
            .details
            .as_deref()
            .and_then(|json| serde_json::from_str(json).ok())
            .unwrap_or_default()
    }
}

/// What a scanner's finding is recognised by in later scans, as a sentence.
pub fn recognised_by(finding: &Finding) -> Option<String> {
    let (basis, ordinal) = finding.identity.as_ref()?;
    Some(IdentityBasis::parse(basis)?.explanation(*ordinal))
}

/// A finding with everything its page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingView {
    pub finding: Finding,
    pub service_slug: String,
    pub service_name: String,
    /// Reviews' items that it is linked to.
    pub items: Vec<FindingLink>,
    /// What scans changed about it, newest first.
    pub history: Found<ObservationView>,
    /// Findings that people called duplicates of this one.
    pub duplicates: Found<NumberedFinding>,
    /// Findings of other tools that are the same vulnerability in the same component.
    pub same_issue: Vec<SameIssue>,
    /// Rules that made links, by their ids, in words.
    pub rules: BTreeMap<String, String>,
    /// The decisions about many findings that this one was among, newest first.
    pub batches: Vec<TriageBatch>,
    /// What the log says of the act that made its status what it is, as the end of "Max …"; absent where it was one of many.
    pub last_act: Option<String>,
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
        let (of, _) = self.review_to(&mut tx, actor, review, Action::Read).await?;
        self.check_filter(&mut tx, &of.service, review, filter)
            .await?;
        let filter = &FindingFilter {
            as_of: self.now(),
            ..filter.clone()
        };
        let by = FindingOrder {
            sort,
            policy: &of.policy,
        };
        Ok(tx
            .finding_page(&of.service, review, filter, by, limit.clamp(1, 500), from)
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
        self.check_filter(&mut tx, &service, review, filter).await?;
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
        let series = tx.finding_series(&service).await?;
        Ok(self
            .facets()
            .keep(question, last_entry, now, facets(&kinds, series, filter)))
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
        let duplicates = tx.duplicates_of(id).await?;
        let same_issues = tx.same_issues(&[id.as_str()]).await?;
        let of_others = |same: &&SameIssue| Some(&same.tool) != finding.tool.as_ref();
        let same_issue = same_issues.of(id.as_str()).into_iter().filter(of_others);
        let same_issue = same_issue.cloned().collect();
        let made_by = items.iter().filter_map(|link| link.rule_id.as_deref());
        let rules = tx
            .mapping_rules_by_id(&made_by.collect())
            .await?
            .into_iter()
            .map(|rule| (rule.id.as_str().to_owned(), in_words(&rule)))
            .collect();
        let batches = tx.batches_of_finding(id).await?;
        let last_act = match finding.status_at {
            Some(at) => {
                tx.act_on("finding", id.as_str(), "finding.triaged", at)
                    .await?
            }
            None => None,
        };
        Ok(FindingView {
            last_act,
            duplicates,
            same_issue,
            rules,
            batches,
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
        // It takes a number of the service, which locks the same.
        tx.lock_policies_of_review(review).await?;
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
            if place.review != review.as_str() {
                return Err(ServiceError::rejected(
                    "item",
                    "This item is of another review.",
                ));
            }
            tx.link_finding(&id, item, &actor.id, now).await?;
        }
        let after = serde_json::json!({ "number": number, "severity": request.severity, "title": request.title, "items": items });
        let summary = format!("wrote finding F-{number} {}", request.title.as_str());
        done(
            &id,
            &service,
            Some(review.as_str()),
            "finding.written",
            summary,
        )
        .with(None, Some(after.to_string()))
        .append(&mut tx, actor, now)
        .await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Changes a finding written by hand; `version` is the one that was shown. Another severity needs a reason, and one that
    /// is milder than a blocking one is only asked for: until another person has approved it, the finding is as severe as
    /// it was. Returns whether that is so.
    pub async fn edit_finding(
        &self,
        actor: &Actor,
        id: &FindingId,
        version: i64,
        request: FindingRequest,
    ) -> Result<bool, ServiceError> {
        let now = self.now();
        let mut tx = self.database().write().await?;
        tx.keep_policies_of_finding(id).await?;
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
        let (was, wanted) = (finding.severity, request.severity);
        let severity_reason = match (&request.severity_reason, was == wanted) {
            (_, true) => "",
            (Some(reason), false) => reason.as_str(),
            (None, false) => {
                return Err(ServiceError::rejected(
                    "severity_reason",
                    "Say why the severity is another one: it is kept with what it was before.",
                ));
            }
        };
        let blocking = self.blocking(&mut tx, &finding.service).await?;
        let this = [finding.id.to_string()];
        bind_decisions(&mut tx, &this).await?;
        let said = content_as(&mut tx, &this, wanted).await?;
        let is_asked = blocking.lowering_takes_two(was, wanted);
        if is_asked && finding.status != FindingStatus::Open {
            return Err(ServiceError::rejected(
                "severity",
                format!(
                    "This finding is {}. Reopen it before its severity is lowered.",
                    finding.status.label().to_lowercase()
                ),
            ));
        }
        let before = serde_json::json!({ "title": finding.title, "severity": was, "problem": finding.description, "remediation": finding.remediation });
        finding.title = request.title.into();
        finding.severity = if is_asked { was } else { wanted };
        finding.category = request.category;
        finding.description = request.problem.into();
        finding.remediation = request.remediation;
        finding.path = request.path;
        finding.start_line = request.start_line;
        finding.end_line = request.end_line;
        finding.snippet = request.snippet;
        tx.update_finding_text(&finding).await?;
        // A severity that two people lowered was approved of what it said then.
        let before_lowering = (finding.severity_change.as_ref())
            .map(|change| change.was)
            .filter(|of| blocking.lowering_takes_two(*of, wanted));
        let is_rated_again = match before_lowering {
            Some(_) => said != content_as(&mut tx, &this, wanted).await?,
            None => false,
        };
        let is_asked = is_asked || is_rated_again;
        let (was, severity_reason) = match before_lowering {
            Some(of) if is_rated_again => {
                tx.forget_severity_change(id, of).await?;
                finding.severity = of;
                let unasked = "It says something else than when this severity was approved.";
                (
                    of,
                    Some(severity_reason)
                        .filter(|reason| !reason.is_empty())
                        .unwrap_or(unasked),
                )
            }
            _ => (was, severity_reason),
        };
        note_contents_of(&mut tx, &this).await?;
        open_outgrown(&mut tx, actor, &finding.service, &this, now).await?;
        if is_asked {
            let state = TriageState {
                status: FindingStatus::Open,
                reason: severity_reason.to_owned(),
                by: actor.id.clone(),
                at: now,
                duplicate_of: None,
                asked: Some(Request::Severity),
                asked_until: None,
                asked_severity: Some(wanted),
                is_approval: false,
            };
            decide(&mut tx, &this, &state).await?;
        } else if was != wanted {
            tx.note_severity_change(id, was, &actor.id, now, severity_reason)
                .await?;
        }
        let after = serde_json::json!({
            "title": finding.title, "severity": finding.severity, "problem": finding.description,
            "remediation": finding.remediation, "severity_reason": severity_reason,
            "severity_asked_for": is_asked.then_some(wanted)
        });
        let mut summary = format!("edited finding F-{}", finding.number);
        if is_asked {
            summary.push_str(&format!(", and asked to make it {wanted} instead of {was}"));
        } else if was != wanted {
            summary.push_str(&format!(", and made it {wanted} instead of {was}"));
        }
        let review = finding.review.as_ref().map(ReviewId::as_str);
        done(id, &finding.service, review, "finding.edited", summary)
            .with(Some(before.to_string()), Some(after.to_string()))
            .append(&mut tx, actor, now)
            .await?;
        // What one person alone decided about it at a milder severity may not be enough any more.
        self.ask_for_second_person(&mut tx, actor, &finding.service, now)
            .await?;
        tx.commit().await?;
        Ok(is_asked)
    }

    /// Links a finding to an item, or takes the link away.
    pub async fn map_finding(
        &self,
        actor: &Actor,
        id: &FindingId,
        item: &ItemId,
        linked: bool,
    ) -> Result<(), ServiceError> {
        self.change_links(actor, id, None, &[(item, linked)]).await
    }

    /// Links a finding to items and takes it off others, all or nothing; `version` is the one that was shown.
    pub async fn map_finding_to(
        &self,
        actor: &Actor,
        id: &FindingId,
        version: i64,
        link: &[ItemId],
        unlink: &[ItemId],
    ) -> Result<(), ServiceError> {
        let on = link.iter().map(|item| (item, true));
        let off = unlink.iter().map(|item| (item, false));
        let changes: Vec<_> = on.chain(off).collect();
        self.change_links(actor, id, Some(version), &changes).await
    }

    async fn change_links(
        &self,
        actor: &Actor,
        id: &FindingId,
        version: Option<i64>,
        changes: &[(&ItemId, bool)],
    ) -> Result<(), ServiceError> {
        let now = self.now();
        let mut tx = self.database().write().await?;
        let finding = self
            .readable_finding(&mut tx, actor, id, Action::Contribute)
            .await?;
        if let Some(version) = version.filter(|version| *version != finding.version) {
            let fields = vec![(
                "version".to_owned(),
                version.to_string(),
                finding.version.to_string(),
            )];
            return Err(stale(finding.version, fields));
        }
        for (item, linked) in changes {
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
            let changed = if *linked {
                tx.link_finding(id, item, &actor.id, now).await?
            } else {
                tx.unlink_finding(id, item, &actor.id, now).await?
            };
            if !changed {
                continue;
            }
            let (action, verb) = if *linked {
                ("finding.mapped", "mapped")
            } else {
                ("finding.unmapped", "unmapped")
            };
            let to = if *linked { "to" } else { "from" };
            let summary = format!("{verb} F-{} {to} {}", finding.number, place.key);
            let after = serde_json::json!({ "item": item });
            done(id, &place.service, Some(&place.review), action, summary)
                .with(None, Some(after.to_string()))
                .append(&mut tx, actor, now)
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Refuses a filter that names what the review does not have: an empty list would look like an answer.
    pub(crate) async fn check_filter(
        &self,
        tx: &mut Tx,
        service: &ServiceId,
        review: &ReviewId,
        filter: &FindingFilter,
    ) -> Result<(), ServiceError> {
        if let Some(item) = &filter.item {
            let place = tx.item_place(item).await?;
            if place.is_none_or(|place| place.review_id != review.as_str()) {
                let message = "This is no item of this review. Write the id of one of its items.";
                return Err(ServiceError::rejected("item", message));
            }
        }
        if let Some(owner) = &filter.owner
            && tx.person(owner).await?.is_none()
        {
            let message = "There is no person of this id.";
            return Err(ServiceError::rejected("owner", message));
        }
        if !filter.series.is_empty() {
            let there = tx.finding_series(service).await?;
            let is_there = |id: &SeriesId| there.iter().any(|series| series.id == *id);
            if let Some(unknown) = filter.series.iter().find(|id| !is_there(id)) {
                let message = format!(
                    "{unknown} is no series of this service. Write ids of series that scans were imported into."
                );
                return Err(ServiceError::rejected("series", message));
            }
        }
        Ok(())
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

pub(crate) fn stale(version: i64, fields: Vec<(String, String, String)>) -> ServiceError {
    ServiceError::Conflict(Box::new(Conflict {
        message: "Someone else changed this finding since you opened it. Nothing was saved."
            .to_owned(),
        current_version: version,
        fields,
    }))
}

/// An entry about a finding.
pub(crate) fn done<'a>(
    finding: &'a FindingId,
    service: &'a ServiceId,
    review: Option<&'a str>,
    action: &'a str,
    summary: String,
) -> Done<'a> {
    Done {
        action,
        subject_kind: "finding",
        subject: finding.as_str(),
        service: Some(service.as_str()),
        review,
        summary,
        before: None,
        after: None,
    }
}

/// Each facet counts under the choices that were made in all the others.
fn facets(
    kinds: &[FindingKind],
    series: Vec<FindingSeries>,
    filter: &FindingFilter,
) -> FindingFacets {
    let mut facets = FindingFacets::default();
    let tool_of: BTreeMap<_, _> = series
        .iter()
        .map(|series| (&series.id, series.tool.as_str()))
        .collect();
    let mut of_series: BTreeMap<&SeriesId, i64> = BTreeMap::new();
    let mut statuses = BTreeMap::new();
    let mut tools = BTreeMap::new();
    let mut scanner_states = BTreeMap::new();
    let mut categories = BTreeMap::new();
    for kind in kinds {
        // Findings written by hand have no scanner, which an empty name stands for.
        let own = kind.series.as_ref().and_then(|series| tool_of.get(series));
        let tool = kind.tool.as_deref().or(own.copied());
        let tool = tool.unwrap_or_default();
        let in_series = |series| filter.series.contains(series);
        let chosen = [
            filter.severities.is_empty() || filter.severities.contains(&kind.severity),
            filter.statuses.is_empty() || filter.statuses.contains(&kind.status),
            filter.tools.is_empty() || filter.tools.iter().any(|of| of == tool),
            filter.categories.is_empty() || filter.categories.contains(&kind.category),
            !filter.unmapped || !kind.is_mapped,
            filter.series.is_empty() || kind.series.as_ref().is_some_and(in_series),
            filter.scanner_states.is_empty()
                || (kind.scanner_state).is_some_and(|state| filter.scanner_states.contains(&state)),
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
            *tools.entry(tool.to_owned()).or_insert(0) += kind.n;
        }
        if by_all_but(3) {
            *categories.entry(kind.category.clone()).or_insert(0) += kind.n;
        }
        if by_all_but(4) {
            let (mapped, unmapped) = &mut facets.mapped;
            *(if kind.is_mapped { mapped } else { unmapped }) += kind.n;
        }
        if by_all_but(5)
            && let Some(series) = &kind.series
        {
            *of_series.entry(series).or_insert(0) += kind.n;
        }
        if by_all_but(6)
            && let Some(state) = kind.scanner_state
        {
            *scanner_states.entry(state).or_insert(0) += kind.n;
        }
        if chosen.iter().all(|is_chosen| *is_chosen) {
            facets.n += kind.n;
        }
    }
    facets.statuses = statuses.into_iter().collect();
    facets.tools = tools.into_iter().collect();
    facets.scanner_states = scanner_states.into_iter().collect();
    facets.categories = categories.into_iter().collect();
    let counts: Vec<_> = series
        .iter()
        .map(|series| of_series.get(&series.id).copied().unwrap_or(0))
        .collect();
    facets.series = series.into_iter().zip(counts).collect();
    facets
}
