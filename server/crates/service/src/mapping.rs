//! Mapping findings to items by rules: the rules and those that suggest themselves, applying them at an import and on
//! demand, and what a clean scan is evidence of.
//!
//! The first rule that fits a finding decides. What a person linked or unlinked in a review stays as they left it. An
//! import only adds links, for findings that have none; applying the rules on demand also takes away links that rules made
//! and would not make now, after a preview of how many.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use holdpoint_domain::{
    Digest, EvidenceId, ItemId, MappingRuleId, Millis, PersonId, ReviewId, ScanId, SeriesId,
    ServiceId, Severity,
    issue::issue_keys,
    mapping::{Conditions, ItemWords, Subject, category_of_tool, suggest},
    pattern::{NamePattern, PathPattern},
    person::Action,
    text::Commit,
};
use holdpoint_storage::{
    FindingToMap, LinkToMake, MappableItem, MappingReview, MappingRule, NewEvidence, Scan,
    StorageError, Tx,
};
use serde::Serialize;

use crate::{
    Actor, ServiceError, Services,
    changes::{Changes, Done},
    findings::CATEGORIES,
};

/// How many findings are looked at in one piece.
pub(crate) const PIECE: i64 = 5_000;

/// The fields of a rule's form or API body, as texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct RuleFields {
    /// An item's key.
    pub item: String,
    pub tool: String,
    pub category: String,
    pub rule: String,
    pub path: String,
    pub severities: Vec<String>,
}

/// A rule as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleRequest {
    pub item_key: String,
    pub conditions: Conditions,
}

impl RuleRequest {
    /// Reads a form's fields; refuses at the field.
    pub fn parse(fields: &RuleFields) -> Result<Self, ServiceError> {
        let item_key = fields.item.trim().to_owned();
        if item_key.is_empty() {
            return Err(ServiceError::rejected("item", "Choose an item."));
        }
        if !fields.category.is_empty()
            && !CATEGORIES.iter().any(|(word, _)| *word == fields.category)
        {
            let words: Vec<_> = CATEGORIES.iter().map(|(word, _)| *word).collect();
            return Err(ServiceError::rejected(
                "category",
                format!("Choose one of {}, or none.", words.join(", ")),
            ));
        }
        let mut severities = Vec::new();
        for word in &fields.severities {
            let severity = Severity::parse(word).ok_or_else(|| {
                ServiceError::rejected(
                    "severities",
                    format!("Choose among {}.", Severity::all_names("and")),
                )
            })?;
            if !severities.contains(&severity) {
                severities.push(severity);
            }
        }
        severities.sort();
        let conditions = Conditions {
            tool: NamePattern::parse(&fields.tool).map_err(ServiceError::at("tool"))?,
            category: fields.category.clone(),
            rule: NamePattern::parse(&fields.rule).map_err(ServiceError::at("rule"))?,
            path: PathPattern::parse(&fields.path).map_err(ServiceError::at("path"))?,
            severities,
        };
        if conditions.is_empty() {
            return Err(ServiceError::rejected(
                "tool",
                "Say which findings it is about, by at least one condition. For all of them write * as the scanner.",
            ));
        }
        Ok(Self {
            item_key,
            conditions,
        })
    }
}

/// An item as mapping names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MappedItem {
    pub item: String,
    pub key: String,
    pub title: String,
}

impl From<&MappableItem> for MappedItem {
    fn from(item: &MappableItem) -> Self {
        Self {
            item: item.id.as_str().to_owned(),
            key: item.key.clone(),
            title: item.title.clone(),
        }
    }
}

/// A rule as a review sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleView {
    pub rule: MappingRule,
    /// Absent where the review has no such item, so that the rule does nothing there.
    pub item: Option<MappedItem>,
    /// The links that it has made in the review.
    pub n_links: i64,
}

/// A rule that suggests itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SuggestedRule {
    pub tool: String,
    /// Empty for a tool that has found nothing.
    pub category: String,
    /// How many findings it would be about.
    pub n: i64,
    #[serde(flatten)]
    pub item: MappedItem,
    pub why: String,
}

/// The mapping of a review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingView {
    pub rules: Vec<RuleView>,
    pub suggestions: Vec<SuggestedRule>,
    pub items: Vec<MappedItem>,
    /// Whether imports map into this review: as long as nobody has signed a decision about its release.
    pub is_fed_by_imports: bool,
}

/// Findings mapped to an item, in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ItemMapping {
    #[serde(flatten)]
    pub item: MappedItem,
    pub n: i64,
}

/// What mapping makes of an import in one review: of the findings of its series that have no item there, new or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReviewMapping {
    pub review: String,
    pub release: String,
    /// By item, in the document's order; only items with findings.
    pub items: Vec<ItemMapping>,
    pub n_unmapped: i64,
    /// Items that the scan is evidence of, since it is clean.
    pub evidence: Vec<MappedItem>,
}

/// What applying the rules to a review would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MappingPlan {
    /// By item, in the document's order: how many findings it would gain and lose.
    pub items: Vec<PlannedItem>,
    pub n_link: i64,
    pub n_unlink: i64,
    /// Findings that no rule fits and nobody mapped.
    pub n_unmapped: i64,
    /// Findings that stay as a person left them.
    pub n_by_hand: i64,
    /// Clean scans that would become evidence: of which item, of which tool.
    pub evidence: Vec<PlannedEvidence>,
    /// Tells this plan from another: applying it is refused when it is not the one that was shown.
    pub digest: Digest,
}

impl MappingPlan {
    /// Whether applying the rules would change nothing.
    pub fn is_empty(&self) -> bool {
        self.n_link == 0 && self.n_unlink == 0 && self.evidence.is_empty()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedItem {
    #[serde(flatten)]
    pub item: MappedItem,
    pub n_link: i64,
    pub n_unlink: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedEvidence {
    #[serde(flatten)]
    pub item: MappedItem,
    pub scan: String,
    pub tool: String,
}

/// A rule that can be applied.
#[derive(Clone, Debug)]
struct Applied {
    id: MappingRuleId,
    version: i64,
    conditions: Conditions,
    /// The item's place in the list.
    item: usize,
}

/// A review with the rules that hold in it.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    review: MappingReview,
    items: Vec<MappableItem>,
    rules: Vec<Applied>,
}

impl Target {
    /// What the rules link here, to be counted finding by finding.
    pub(crate) fn linking(&self) -> Linking<'_> {
        Linking {
            target: self,
            by_item: BTreeMap::new(),
            n_unmapped: 0,
        }
    }

    pub(crate) fn review(&self) -> &ReviewId {
        &self.review.id
    }

    pub(crate) fn service(&self) -> &ServiceId {
        &self.review.service
    }

    pub(crate) fn has_rules(&self) -> bool {
        !self.rules.is_empty()
    }

    /// Whether no rule asks for a finding's own rule or path, so that tool, category and severity decide.
    pub(crate) fn decides_by_group(&self) -> bool {
        let conditions = self.rules.iter().map(|rule| &rule.conditions);
        conditions
            .into_iter()
            .all(|conditions| conditions.rule.is_any() && conditions.path.is_any())
    }

    /// The first rule that fits decides.
    fn rule_for(&self, subject: &Subject<'_>) -> Option<&Applied> {
        self.rules
            .iter()
            .find(|rule| rule.conditions.matches(subject))
    }

    /// The items that a clean scan of a tool and commit is evidence of now: those that nobody has decided, so that no
    /// signature is voided by good news, and only for the review's own commit.
    fn shown_clean_by(&self, tool: &str, commit: Option<&str>, now: Millis) -> Vec<&MappableItem> {
        if let Some(target) = &self.review.commit
            && !commit.is_some_and(|of| Commit::same(of, target))
        {
            return Vec::new();
        }
        let places: BTreeSet<usize> = self
            .rules
            .iter()
            .filter(|rule| rule.conditions.covers_clean_scan(tool))
            .map(|rule| rule.item)
            .collect();
        places
            .into_iter()
            .map(|place| &self.items[place])
            .filter(|item| !item.state.at(item.waived_until, now).is_decided())
            .collect()
    }
}

/// The rules of every review that an import maps into.
#[derive(Clone, Debug)]
pub(crate) struct Mapper {
    pub(crate) targets: Vec<Target>,
}

impl Mapper {
    /// Tells these reviews and rules from others.
    pub(crate) fn digest(&self) -> Digest {
        let mut said = String::new();
        for Target {
            review,
            items,
            rules,
        } in &self.targets
        {
            let commit = review.commit.as_deref().unwrap_or_default();
            said.push_str(&format!("{} {commit}\n", review.id));
            for rule in rules {
                let item = &items[rule.item].id;
                said.push_str(&format!("{} {} {item}\n", rule.id, rule.version));
            }
        }
        Digest::of(said.as_bytes())
    }
}

/// What the rules link in a review, counted finding by finding: what a preview foretells and what an import does.
pub(crate) struct Linking<'a> {
    target: &'a Target,
    by_item: BTreeMap<usize, i64>,
    n_unmapped: i64,
}

impl<'a> Linking<'a> {
    /// Counts a finding that is linked to no item of the review.
    pub(crate) fn add(&mut self, subject: &Subject<'_>) -> Option<LinkedBy<'a>> {
        self.add_group(subject, 1)
    }

    /// Counts so many findings that are alike to every rule.
    pub(crate) fn add_group(&mut self, subject: &Subject<'_>, n: i64) -> Option<LinkedBy<'a>> {
        let Some(rule) = self.target.rule_for(subject) else {
            self.n_unmapped += n;
            return None;
        };
        *self.by_item.entry(rule.item).or_default() += n;
        Some(LinkedBy {
            item: &self.target.items[rule.item].id,
            rule: &rule.id,
        })
    }

    pub(crate) fn target(&self) -> &'a Target {
        self.target
    }

    /// Counts so many that no rule is asked about, since there is none.
    pub(crate) fn add_unmapped(&mut self, n: usize) {
        self.n_unmapped += i64::try_from(n).unwrap_or(i64::MAX);
    }

    /// What it comes to, with the items that the scan is evidence of.
    pub(crate) fn finish(self, evidence: Vec<MappedItem>) -> ReviewMapping {
        let Self {
            target,
            by_item,
            n_unmapped,
        } = self;
        let counted = by_item.into_iter().map(|(place, n)| ItemMapping {
            item: (&target.items[place]).into(),
            n,
        });
        ReviewMapping {
            review: target.review.id.as_str().to_owned(),
            release: target.review.release.clone(),
            items: counted.collect(),
            n_unmapped,
            evidence,
        }
    }
}

/// The item that a finding belongs to by a rule.
pub(crate) struct LinkedBy<'a> {
    pub(crate) item: &'a ItemId,
    pub(crate) rule: &'a MappingRuleId,
}

/// A scan without a finding, stored or not yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CleanScan<'a> {
    pub(crate) tool: &'a str,
    pub(crate) commit: Option<&'a str>,
    /// Absent while it would be the first of its series.
    pub(crate) series: Option<&'a SeriesId>,
}

impl<'a> From<&'a Scan> for CleanScan<'a> {
    fn from(scan: &'a Scan) -> Self {
        Self {
            tool: &scan.tool,
            commit: scan.commit.as_deref(),
            series: Some(&scan.series),
        }
    }
}

/// What an import brought that has to be mapped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WhatChanged {
    /// Findings are new, or say something new, or are back. A repeated scan has nothing to map.
    pub(crate) findings: bool,
    /// Which findings are one issue with others may have changed.
    pub(crate) issues: bool,
}

/// What the rules have done with an import, to be written into the log after everything else.
#[derive(Debug, Default)]
pub(crate) struct Mapped {
    pub(crate) reviews: Vec<ReviewMapping>,
    attached: Vec<Attached>,
}

/// A scan that has become evidence.
#[derive(Debug)]
struct Attached {
    review: ReviewId,
    item: ItemId,
    key: String,
    evidence: EvidenceId,
    title: String,
    replaces: Option<EvidenceId>,
}

impl Attached {
    async fn record(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        service: &ServiceId,
        scan: &Scan,
        now: Millis,
    ) -> Result<(), ServiceError> {
        let summary = match &self.replaces {
            Some(_) => format!("replaced evidence by \"{}\" on {}", self.title, self.key),
            None => format!("added evidence \"{}\" to {}", self.title, self.key),
        };
        let after = serde_json::json!({
            "evidence": self.evidence, "kind": "scan", "scan": scan.id, "sha256": scan.file_sha256,
            "replaces": self.replaces
        });
        Done {
            action: "evidence.added",
            subject_kind: "item",
            subject: self.item.as_str(),
            service: Some(service.as_str()),
            review: Some(self.review.as_str()),
            summary,
            before: None,
            after: Some(after.to_string()),
        }
        .append(tx, actor, now)
        .await
    }
}

impl Mapped {
    /// Appends the activity entries: call it after the import's own.
    pub(crate) async fn record(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        scan: &Scan,
        now: Millis,
    ) -> Result<(), ServiceError> {
        for of in self.reviews.iter().filter(|of| !of.items.is_empty()) {
            let by_item: Vec<_> = of
                .items
                .iter()
                .map(|item| format!("{} to {}", item.n, item.item.key))
                .collect();
            Done {
                action: "findings.mapped",
                subject_kind: "scan",
                subject: scan.id.as_str(),
                service: Some(scan.service.as_str()),
                review: Some(&of.review),
                summary: format!(
                    "mapped findings of {} by rules: {}",
                    scan.label,
                    by_item.join(", ")
                ),
                before: None,
                after: Some(serde_json::json!({ "items": of.items }).to_string()),
            }
            .append(tx, actor, now)
            .await?;
        }
        for attached in &self.attached {
            attached.record(tx, actor, &scan.service, scan, now).await?;
        }
        Ok(())
    }
}

/// The item that a rule means in a review: the one of its title, since keys move when a checklist gets new items; else the
/// one of its key.
fn place_of(rule: &MappingRule, items: &[MappableItem]) -> Option<usize> {
    let is_key = |item: &MappableItem| item.key == rule.item_key;
    let is_title = |item: &MappableItem| item.title.trim() == rule.item_title.trim();
    items
        .iter()
        .position(|item| is_key(item) && is_title(item))
        .or_else(|| {
            let mut titled = items.iter().enumerate().filter(|(_, item)| is_title(item));
            match (titled.next(), titled.next()) {
                (Some((place, _)), None) => Some(place),
                _ => None,
            }
        })
        .or_else(|| items.iter().position(is_key))
}

fn conditions_of(rule: &MappingRule) -> Result<Conditions, StorageError> {
    let damaged = |_| StorageError::Damaged(format!("mapping_rule {} has a bad pattern", rule.id));
    Ok(Conditions {
        tool: NamePattern::parse(&rule.tool).map_err(damaged)?,
        category: rule.category.clone(),
        rule: NamePattern::parse(&rule.rule).map_err(damaged)?,
        path: PathPattern::parse(&rule.path).map_err(damaged)?,
        severities: rule.severities.clone(),
    })
}

pub(crate) async fn target_of(tx: &mut Tx, review: MappingReview) -> Result<Target, ServiceError> {
    let rules = tx.mapping_rules(&review.service, &review.template).await?;
    let items = if rules.is_empty() {
        Vec::new()
    } else {
        tx.mappable_items(&review.id).await?
    };
    let mut applied = Vec::new();
    for rule in &rules {
        if let Some(item) = place_of(rule, &items) {
            applied.push(Applied {
                id: rule.id.clone(),
                version: rule.version,
                conditions: conditions_of(rule)?,
                item,
            });
        }
    }
    Ok(Target {
        review,
        items,
        rules: applied,
    })
}

pub(crate) fn subject(finding: &FindingToMap) -> Subject<'_> {
    Subject {
        tool: &finding.tool,
        category: &finding.category,
        rule: finding.rule.as_deref(),
        path: finding.path.as_deref(),
        severity: finding.severity,
    }
}

/// Everything that applying the rules to a review does.
pub(crate) struct Plan {
    pub(crate) target: Target,
    pub(crate) link: Vec<LinkToMake>,
    /// Finding and item.
    pub(crate) unlink: Vec<(String, String)>,
    pub(crate) evidence: Vec<(ItemId, Scan)>,
    pub(crate) shown: MappingPlan,
}

async fn plan(tx: &mut Tx, review: MappingReview, now: Millis) -> Result<Plan, ServiceError> {
    let target = target_of(tx, review).await?;
    let items = tx.mappable_items(&target.review.id).await?;
    let place: HashMap<&str, usize> = items
        .iter()
        .enumerate()
        .map(|(place, item)| (item.id.as_str(), place))
        .collect();
    let mut counts: BTreeMap<usize, (i64, i64)> = BTreeMap::new();
    let (mut link, mut unlink) = (Vec::new(), Vec::new());
    let (mut n_unmapped, mut n_by_hand) = (0, 0);
    let mut after = 0;
    loop {
        let piece = tx
            .findings_to_map(&target.review.service, after, PIECE)
            .await?;
        let (Some(first), Some(last)) = (piece.first(), piece.last()) else {
            break;
        };
        after = last.number;
        let (linked, unlinked) = tx
            .links_between(
                &target.review.service,
                &target.review.id,
                first.number,
                last.number,
            )
            .await?;
        let mut links: HashMap<&str, Vec<&holdpoint_storage::RuleLink>> = HashMap::new();
        for is in linked.iter().chain(&unlinked) {
            links.entry(&is.finding_id).or_default().push(is);
        }
        for finding in &piece {
            let links = links.remove(finding.id.as_str()).unwrap_or_default();
            if links.iter().any(|link| link.rule_id.is_none()) {
                n_by_hand += 1;
                continue;
            }
            let wanted = target.rule_for(&subject(finding));
            let wanted_item = wanted.map(|rule| &target.items[rule.item].id);
            for is in &links {
                if wanted_item.is_none_or(|item| item.as_str() != is.item_id) {
                    if let Some(place) = place.get(is.item_id.as_str()) {
                        counts.entry(*place).or_default().1 += 1;
                    }
                    unlink.push((is.finding_id.clone(), is.item_id.clone()));
                }
            }
            match (wanted, wanted_item) {
                (Some(rule), Some(item)) => {
                    if !links.iter().any(|is| is.item_id == item.as_str()) {
                        counts.entry(rule.item).or_default().0 += 1;
                        link.push(LinkToMake {
                            finding: finding.id.clone(),
                            item: item.clone(),
                            rule: rule.id.clone(),
                        });
                    }
                }
                _ => n_unmapped += 1,
            }
        }
    }
    let (planned, evidence) = evidence_to_attach(tx, &target, now).await?;
    let mut said = String::new();
    for made in &link {
        said.push_str(&format!("+{} {} {}\n", made.finding, made.item, made.rule));
    }
    for (finding, item) in &unlink {
        said.push_str(&format!("-{finding} {item}\n"));
    }
    for (item, scan) in &evidence {
        said.push_str(&format!("={item} {}\n", scan.id));
    }
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let shown = MappingPlan {
        items: counts
            .into_iter()
            .map(|(place, (n_link, n_unlink))| PlannedItem {
                item: (&items[place]).into(),
                n_link,
                n_unlink,
            })
            .collect(),
        n_link: count(link.len()),
        n_unlink: count(unlink.len()),
        n_unmapped,
        n_by_hand,
        evidence: planned,
        digest: Digest::of(said.as_bytes()),
    };
    Ok(Plan {
        target,
        link,
        unlink,
        evidence,
        shown,
    })
}

/// What clean scans of a review's service become evidence of, as it is shown and as it is done.
pub(crate) async fn evidence_to_attach(
    tx: &mut Tx,
    target: &Target,
    now: Millis,
) -> Result<(Vec<PlannedEvidence>, Vec<(ItemId, Scan)>), ServiceError> {
    let (mut planned, mut evidence) = (Vec::new(), Vec::new());
    for scan in tx.clean_scans(&target.review.service).await? {
        for item in to_attach(tx, target, (&scan).into(), now).await? {
            planned.push(PlannedEvidence {
                item: item.into(),
                scan: scan.id.as_str().to_owned(),
                tool: scan.tool.clone(),
            });
            evidence.push((item.id.clone(), scan.clone()));
        }
    }
    Ok((planned, evidence))
}

/// The items that a clean scan should become evidence of: not where a scan of the series stands for the commit already.
pub(crate) async fn to_attach<'a>(
    tx: &mut Tx,
    target: &'a Target,
    scan: CleanScan<'_>,
    now: Millis,
) -> Result<Vec<&'a MappableItem>, ServiceError> {
    let items = target.shown_clean_by(scan.tool, scan.commit, now);
    let Some(series) = scan.series.filter(|_| !items.is_empty()) else {
        return Ok(items);
    };
    let ids: Vec<_> = items.iter().map(|item| &item.id).collect();
    let there = tx.scan_evidence(&ids, series).await?;
    Ok(items
        .into_iter()
        .filter(|item| {
            !there.iter().any(|old| {
                old.item_id == item.id.as_str()
                    && match (old.commit_id.as_deref(), scan.commit) {
                        (Some(old), Some(new)) => Commit::same(old, new),
                        (old, new) => old == new,
                    }
            })
        })
        .collect())
}

/// What a scan is called as evidence: "Clean gitleaks 8.18.2 scan".
fn evidence_title(scan: &Scan) -> String {
    let tool = match &scan.tool_version {
        Some(version) => format!("{} {version}", scan.tool),
        None => scan.tool.clone(),
    };
    let title = match scan.counts.total() {
        0 => format!("Clean {tool} scan"),
        1 => format!("{tool} scan with 1 finding"),
        n => format!("{tool} scan with {n} findings"),
    };
    title.chars().take(200).collect()
}

impl Services {
    /// Makes a scan evidence of an item, in the place of older scans of its series.
    async fn attach_scan(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        review: &ReviewId,
        item: &ItemId,
        key: &str,
        scan: &Scan,
        now: Millis,
    ) -> Result<Attached, ServiceError> {
        let evidence = self.new_id(EvidenceId::parse, now);
        let title = evidence_title(scan);
        let version = scan
            .tool_version
            .as_deref()
            .map(|version| format!(" {version}"))
            .unwrap_or_default();
        let at = scan
            .commit
            .as_deref()
            .map_or_else(|| "no commit named".to_owned(), |at| format!("commit {at}"));
        let body = format!(
            "{}{version}, series {}, scan {}: complete, {} findings, {at}. File {} with SHA-256 {}.",
            scan.tool,
            scan.label,
            scan.sequence,
            scan.counts.total(),
            scan.file_name,
            scan.file_sha256,
        );
        let older = tx.scan_evidence(&[item], &scan.series).await?;
        tx.insert_evidence(&NewEvidence {
            id: &evidence,
            item,
            kind: "scan",
            title: &title,
            body: &body,
            command: None,
            exit_code: None,
            host: None,
            sha256: &scan.file_sha256,
            file_sha256: Some(&scan.file_sha256),
            file_name: Some(&scan.file_name),
            media_type: crate::evidence::safe_media_type(&scan.file_name),
            size_bytes: scan.file_bytes,
            scan: Some(&scan.id),
            commit: scan.commit.as_deref(),
            path: None,
            start_line: None,
            end_line: None,
            observed_at: scan.imported_at,
            created_at: now,
            created_by: &actor.id,
        })
        .await?;
        let mut replaces = None;
        for old in older {
            // At most one counts, unless people attached several by hand.
            if let Some(old) = old.evidence() {
                tx.supersede_evidence(&old, &evidence).await?;
                replaces = Some(old);
            }
        }
        Ok(Attached {
            review: review.clone(),
            item: item.clone(),
            key: key.to_owned(),
            evidence,
            title,
            replaces,
        })
    }

    /// The rules of every review that imports into a service map into.
    pub(crate) async fn mapper(
        &self,
        tx: &mut Tx,
        service: &ServiceId,
    ) -> Result<Mapper, ServiceError> {
        let mut targets = Vec::new();
        for review in tx.reviews_to_map(service).await? {
            targets.push(target_of(tx, review).await?);
        }
        Ok(Mapper { targets })
    }

    /// Maps what a scan has brought, inside the import's unit of work and after all its findings are written: tells which
    /// findings are one issue with others, links findings that have no item by the rules, and makes a clean scan evidence.
    /// In a fixed number of queries for every few thousand findings. `mapping_ahead` foretells it.
    pub(crate) async fn map_findings(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        mapper: &Mapper,
        scan: &Scan,
        changed: WhatChanged,
        now: Millis,
    ) -> Result<Mapped, ServiceError> {
        let mut mapped = Mapped::default();
        if changed.findings && changed.issues {
            tell_issues(tx, scan).await?;
        }
        let is_clean = scan.incomplete_because.is_none() && scan.counts.total() == 0;
        for target in &mapper.targets {
            let mut linking = target.linking();
            if changed.findings {
                link_series(tx, actor, &mut linking, scan, now).await?;
            }
            let mut evidence = Vec::new();
            if is_clean {
                for item in to_attach(tx, target, scan.into(), now).await? {
                    let attached = self
                        .attach_scan(tx, actor, &target.review.id, &item.id, &item.key, scan, now)
                        .await?;
                    mapped.attached.push(attached);
                    evidence.push(item.into());
                }
            }
            mapped.reviews.push(linking.finish(evidence));
        }
        Ok(mapped)
    }

    pub(crate) async fn carry_out(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        plan: Plan,
        now: Millis,
    ) -> Result<(), ServiceError> {
        if plan.shown.is_empty() {
            return Ok(());
        }
        let Plan {
            target,
            link,
            unlink,
            evidence,
            shown,
        } = plan;
        tx.unlink_by_rules(&unlink).await?;
        tx.link_by_rules(&link, &actor.id, now).await?;
        let mut attached = Vec::new();
        for (item, scan) in &evidence {
            let key = target
                .items
                .iter()
                .find(|of| of.id == *item)
                .map(|of| of.key.as_str())
                .unwrap_or_default();
            let one = self
                .attach_scan(tx, actor, &target.review.id, item, key, scan, now)
                .await?;
            attached.push((one, scan));
        }
        let count = |n: i64| {
            if n == 1 {
                "1 finding".to_owned()
            } else {
                format!("{n} findings")
            }
        };
        Done {
            action: "mapping.applied",
            subject_kind: "review",
            subject: target.review.id.as_str(),
            service: Some(target.review.service.as_str()),
            review: Some(target.review.id.as_str()),
            summary: format!(
                "applied the mapping rules: {} linked, {} unlinked",
                count(shown.n_link),
                count(shown.n_unlink)
            ),
            before: None,
            after: Some(
                serde_json::json!({ "items": shown.items, "plan": shown.digest }).to_string(),
            ),
        }
        .append(tx, actor, now)
        .await?;
        for (one, scan) in &attached {
            one.record(tx, actor, &target.review.service, scan, now)
                .await?;
        }
        Ok(())
    }

    /// The review, for those who may do this with its service.
    async fn review_for_mapping(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        review: &ReviewId,
        action: Action,
    ) -> Result<MappingReview, ServiceError> {
        self.service_of_review(tx, actor, review, action).await?;
        tx.review_to_map(review)
            .await?
            .ok_or(ServiceError::NotFound("This review"))
    }

    /// The rules of a review, and those that suggest themselves.
    pub async fn mapping(
        &self,
        actor: &Actor,
        review: &ReviewId,
    ) -> Result<MappingView, ServiceError> {
        let mut tx = self.database().read().await?;
        let review = self
            .review_for_mapping(&mut tx, actor, review, Action::Read)
            .await?;
        let rules = tx.mapping_rules(&review.service, &review.template).await?;
        let items = tx.mappable_items(&review.id).await?;
        let mut n_links = tx.links_by_rule(&review.id).await?;
        let suggestions = suggestions(&mut tx, &review, &rules, &items).await?;
        let is_fed_by_imports = tx
            .reviews_to_map(&review.service)
            .await?
            .iter()
            .any(|fed| fed.id == review.id);
        Ok(MappingView {
            rules: rules
                .into_iter()
                .map(|rule| RuleView {
                    item: place_of(&rule, &items).map(|place| (&items[place]).into()),
                    n_links: n_links.remove(rule.id.as_str()).unwrap_or(0),
                    rule,
                })
                .collect(),
            suggestions,
            items: items.iter().map(MappedItem::from).collect(),
            is_fed_by_imports,
        })
    }

    /// A rule, seen from a review; removed ones are not found.
    pub async fn mapping_rule(
        &self,
        actor: &Actor,
        id: &MappingRuleId,
    ) -> Result<MappingRule, ServiceError> {
        let mut tx = self.database().read().await?;
        self.rule_to(&mut tx, actor, id, Action::Read).await
    }

    async fn rule_to(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        id: &MappingRuleId,
        action: Action,
    ) -> Result<MappingRule, ServiceError> {
        let not_found = || ServiceError::NotFound("This rule");
        let rule = tx
            .mapping_rule(id)
            .await?
            .filter(|rule| rule.removed_at.is_none())
            .ok_or_else(not_found)?;
        self.allow(tx, actor, &rule.service, action)
            .await
            .map_err(|error| match error {
                ServiceError::NotFound(_) => not_found(),
                error => error,
            })?;
        Ok(rule)
    }

    /// Adds a rule behind the others. It holds for every review of the service with this review's checklist, at imports
    /// from now on; what is there already is mapped by [`Services::apply_mapping`].
    pub async fn add_mapping_rule(
        &self,
        actor: &Actor,
        review: &ReviewId,
        request: RuleRequest,
    ) -> Result<MappingRuleId, ServiceError> {
        let now = self.now();
        let mut tx = self.database().write().await?;
        tx.lock_review(review).await?;
        let review = self
            .review_for_mapping(&mut tx, actor, review, Action::Contribute)
            .await?;
        let items = tx.mappable_items(&review.id).await?;
        let item = item_of(&items, &request.item_key)?;
        let rules = tx.mapping_rules(&review.service, &review.template).await?;
        if rules.len() >= 200 {
            return Err(ServiceError::rejected(
                "",
                "There are 200 rules already; more cannot be overlooked. Remove some first.",
            ));
        }
        let Conditions {
            tool,
            category,
            rule,
            path,
            severities,
        } = request.conditions;
        let rule = MappingRule {
            id: self.new_id(MappingRuleId::parse, now),
            service: review.service.clone(),
            template: review.template.clone(),
            position: rules.last().map_or(1, |last| last.position + 1),
            item_key: item.key.clone(),
            item_title: item.title.clone(),
            tool: tool.as_str().to_owned(),
            category,
            rule: rule.as_str().to_owned(),
            path: path.as_str().to_owned(),
            severities,
            created_at: now,
            created_by: actor.id.clone(),
            created_by_name: actor.name.clone(),
            removed_at: None,
            version: 1,
        };
        if let Some(same) = rules.iter().find(|other| is_same(other, &rule)) {
            return Err(ServiceError::rejected(
                "",
                format!(
                    "There is a rule with these conditions already, for {}. Change that one.",
                    same.item_key
                ),
            ));
        }
        tx.insert_mapping_rule(&rule).await?;
        let summary = format!("added a mapping rule: {} to {}", in_words(&rule), item.key);
        let changes = rule_changes(None, &rule);
        done(
            &rule,
            Some(&review.id),
            "mapping.rule_added",
            summary,
            &changes,
        )
        .commit(tx, actor, now)
        .await?;
        Ok(rule.id)
    }

    /// Changes a rule; `version` is the one that was shown.
    pub async fn change_mapping_rule(
        &self,
        actor: &Actor,
        review: &ReviewId,
        id: &MappingRuleId,
        version: i64,
        request: RuleRequest,
    ) -> Result<(), ServiceError> {
        let now = self.now();
        let mut tx = self.database().write().await?;
        let stored = self.rule_to(&mut tx, actor, id, Action::Contribute).await?;
        let review = self
            .review_for_mapping(&mut tx, actor, review, Action::Contribute)
            .await?;
        if review.service != stored.service || review.template != stored.template {
            return Err(ServiceError::NotFound("This rule"));
        }
        let items = tx.mappable_items(&review.id).await?;
        let item = item_of(&items, &request.item_key)?;
        let mut wanted = stored.clone();
        wanted.item_key.clone_from(&item.key);
        wanted.item_title.clone_from(&item.title);
        wanted.tool = request.conditions.tool.as_str().to_owned();
        wanted.category = request.conditions.category;
        wanted.rule = request.conditions.rule.as_str().to_owned();
        wanted.path = request.conditions.path.as_str().to_owned();
        wanted.severities = request.conditions.severities;
        let changes = rule_changes(Some(&stored), &wanted);
        if stored.version != version {
            return Err(changes
                .conflict(&mut tx, actor, "The rule", id.as_str(), stored.version)
                .await?);
        }
        if changes.is_empty() {
            return Ok(());
        }
        tx.update_mapping_rule(&wanted).await?;
        let summary = format!(
            "changed a mapping rule: {} to {}",
            in_words(&wanted),
            wanted.item_key
        );
        done(
            &wanted,
            Some(&review.id),
            "mapping.rule_changed",
            summary,
            &changes,
        )
        .commit(tx, actor, now)
        .await
    }

    /// Takes a rule out. Its links stay until the rules are applied again.
    pub async fn remove_mapping_rule(
        &self,
        actor: &Actor,
        id: &MappingRuleId,
        version: i64,
    ) -> Result<(), ServiceError> {
        let now = self.now();
        let mut tx = self.database().write().await?;
        let rule = self.rule_to(&mut tx, actor, id, Action::Contribute).await?;
        if rule.version != version {
            return Err(Changes::default()
                .conflict(&mut tx, actor, "The rule", id.as_str(), rule.version)
                .await?);
        }
        tx.remove_mapping_rule(id, version, now).await?;
        let summary = format!(
            "removed a mapping rule: {} to {}",
            in_words(&rule),
            rule.item_key
        );
        let changes = Changes::default().field("rule", Some(&in_words(&rule)), None);
        done(&rule, None, "mapping.rule_removed", summary, &changes)
            .commit(tx, actor, now)
            .await
    }

    /// Puts a rule before the one above it, or after the one below it: the first rule that fits decides.
    pub async fn move_mapping_rule(
        &self,
        actor: &Actor,
        id: &MappingRuleId,
        up: bool,
    ) -> Result<(), ServiceError> {
        let now = self.now();
        let mut tx = self.database().write().await?;
        let rule = self.rule_to(&mut tx, actor, id, Action::Contribute).await?;
        let rules = tx.mapping_rules(&rule.service, &rule.template).await?;
        let mut ids: Vec<_> = rules.iter().map(|rule| &rule.id).collect();
        let place = ids.iter().position(|of| *of == id);
        let other = place.and_then(|place| {
            if up {
                place.checked_sub(1)
            } else {
                Some(place + 1).filter(|next| *next < ids.len())
            }
        });
        let (Some(place), Some(other)) = (place, other) else {
            return Ok(());
        };
        ids.swap(place, other);
        tx.order_mapping_rules(&ids).await?;
        let summary = format!(
            "put the mapping rule for {} {} the one for {}",
            rule.item_key,
            if up { "before" } else { "after" },
            rules[other].item_key
        );
        let changes = Changes::default().field(
            "position",
            Some(&(place + 1).to_string()),
            Some(&(other + 1).to_string()),
        );
        done(&rule, None, "mapping.rule_moved", summary, &changes)
            .commit(tx, actor, now)
            .await
    }

    /// Does not want a suggestion, which is not made again for this service and checklist.
    pub async fn dismiss_mapping(
        &self,
        actor: &Actor,
        review: &ReviewId,
        tool: &str,
        category: &str,
    ) -> Result<(), ServiceError> {
        let now = self.now();
        let mut tx = self.database().write().await?;
        let review = self
            .review_for_mapping(&mut tx, actor, review, Action::Contribute)
            .await?;
        let is_known = tx
            .tools_of_service(&review.service)
            .await?
            .iter()
            .any(|known| known.tool == tool && known.category == category);
        if !is_known {
            return Err(ServiceError::NotFound("This suggestion"));
        }
        let is_new = tx
            .dismiss_mapping(
                &review.service,
                &review.template,
                tool,
                category,
                &actor.id,
                now,
            )
            .await?;
        if !is_new {
            return Ok(());
        }
        Done {
            action: "mapping.suggestion_dismissed",
            subject_kind: "review",
            subject: review.id.as_str(),
            service: Some(review.service.as_str()),
            review: Some(review.id.as_str()),
            summary: format!(
                "dismissed the suggested mapping of {}",
                of_tool(tool, category)
            ),
            before: None,
            after: Some(serde_json::json!({ "tool": tool, "category": category }).to_string()),
        }
        .append(&mut tx, actor, now)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// What applying the rules to a review would change.
    pub async fn mapping_plan(
        &self,
        actor: &Actor,
        review: &ReviewId,
    ) -> Result<MappingPlan, ServiceError> {
        let now = self.now();
        let mut tx = self.database().read().await?;
        let review = self
            .review_for_mapping(&mut tx, actor, review, Action::Read)
            .await?;
        Ok(plan(&mut tx, review, now).await?.shown)
    }

    /// Applies the rules to what scans have found so far, as the plan with this digest showed it; refused when something
    /// else would happen now.
    pub async fn apply_mapping(
        &self,
        actor: &Actor,
        review: &ReviewId,
        shown: &Digest,
    ) -> Result<MappingPlan, ServiceError> {
        self.retrying(|| self.apply_mapping_once(actor, review, shown))
            .await
    }

    async fn apply_mapping_once(
        &self,
        actor: &Actor,
        review: &ReviewId,
        shown: &Digest,
    ) -> Result<MappingPlan, ServiceError> {
        let now = self.now();
        let mut tx = self.database().write().await?;
        tx.lock_review(review).await?;
        let review = self
            .review_for_mapping(&mut tx, actor, review, Action::Contribute)
            .await?;
        let plan = plan(&mut tx, review, now).await?;
        if plan.shown.digest != *shown {
            return Err(ServiceError::Conflict(Box::new(crate::Conflict {
                message: "The rules or the findings have changed since this was shown, so something else would happen \
                          now. Nothing was changed. Look at it again."
                    .to_owned(),
                ..crate::Conflict::default()
            })));
        }
        let done = plan.shown.clone();
        self.carry_out(&mut tx, actor, plan, now).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Makes a complete scan evidence of an item by hand, also one with findings: it says how many.
    pub async fn use_scan_as_evidence(
        &self,
        actor: &Actor,
        scan: &ScanId,
        item: &ItemId,
    ) -> Result<EvidenceId, ServiceError> {
        let now = self.now();
        let mut tx = self.database().write().await?;
        let not_found = || ServiceError::NotFound("This scan");
        let scan = tx.scan(scan).await?.ok_or_else(not_found)?;
        self.allow(&mut tx, actor, &scan.service, Action::Contribute)
            .await
            .map_err(|error| match error {
                ServiceError::NotFound(_) => not_found(),
                error => error,
            })?;
        let place = self.place_of_item(&mut tx, item).await?;
        if place.service != scan.service {
            return Err(ServiceError::rejected(
                "item",
                "This item is of another service.",
            ));
        }
        if scan.incomplete_because.is_some() {
            return Err(ServiceError::rejected(
                "item",
                "An incomplete scan shows nothing, so it is no evidence. Run it again, completely.",
            ));
        }
        if scan.undone_at.is_some() {
            return Err(ServiceError::rejected(
                "item",
                "The import of this scan was undone. Import it again first.",
            ));
        }
        let there = tx.scan_evidence(&[item], &scan.series).await?;
        if there.iter().any(|old| old.scan_id == scan.id.as_str()) {
            return Err(ServiceError::rejected(
                "item",
                format!("This scan is evidence of {} already.", place.key),
            ));
        }
        let review = ReviewId::parse(&place.review)
            .ok_or_else(|| StorageError::Damaged("item.review_id".to_owned()))?;
        let attached = self
            .attach_scan(&mut tx, actor, &review, item, &place.key, &scan, now)
            .await?;
        attached
            .record(&mut tx, actor, &scan.service, &scan, now)
            .await?;
        tx.commit().await?;
        Ok(attached.evidence)
    }
}

/// Links the findings of a scan's series that have no item in a review; counts them by item, and those that no rule fits.
async fn link_series(
    tx: &mut Tx,
    actor: &Actor,
    linking: &mut Linking<'_>,
    scan: &Scan,
    now: Millis,
) -> Result<(), ServiceError> {
    let review = linking.target.review();
    if !linking.target.has_rules() {
        linking.add_unmapped(tx.n_findings_to_link(&scan.series, review).await?);
        return Ok(());
    }
    let mut after = 0;
    loop {
        let piece = tx
            .findings_to_link(&scan.series, review, false, after, PIECE)
            .await?;
        let Some(last) = piece.last() else {
            return Ok(());
        };
        after = last.number;
        link_piece(tx, &actor.id, linking, &piece, now).await?;
    }
}

/// Links the findings of one piece that a rule fits.
pub(crate) async fn link_piece(
    tx: &mut Tx,
    by: &PersonId,
    linking: &mut Linking<'_>,
    piece: &[FindingToMap],
    now: Millis,
) -> Result<(), ServiceError> {
    let mut links = Vec::new();
    for finding in piece {
        if let Some(LinkedBy { item, rule }) = linking.add(&subject(finding)) {
            links.push(LinkToMake {
                finding: finding.id.clone(),
                item: item.clone(),
                rule: rule.clone(),
            });
        }
    }
    tx.link_by_rules(&links, by, now).await?;
    Ok(())
}

/// Writes down which issues the findings of a scan's series are, where that is not what is written already.
async fn tell_issues(tx: &mut Tx, scan: &Scan) -> Result<(), ServiceError> {
    let mut after = 0;
    loop {
        let piece = tx
            .findings_with_component(&scan.service, &scan.series, after, PIECE)
            .await?;
        let (Some(first), Some(last)) = (piece.first(), piece.last()) else {
            return Ok(());
        };
        after = last.number;
        let mut stored = tx
            .issue_keys_between(&scan.service, first.number, last.number)
            .await?;
        let (mut changed, mut rows) = (Vec::new(), Vec::new());
        for finding in piece {
            let list = |text: &str| serde_json::from_str::<Vec<String>>(text).unwrap_or_default();
            let (cve, aliases) = (list(&finding.cve), list(&finding.aliases));
            let ids = cve.iter().chain(&aliases).chain(&finding.rule);
            let keys = issue_keys(Some(&finding.component), ids.map(String::as_str));
            let before = stored.remove(&finding.id).unwrap_or_default();
            if keys == before {
                continue;
            }
            if !before.is_empty() {
                changed.push(finding.id.clone());
            }
            rows.extend(keys.into_iter().map(|key| (finding.id.clone(), key)));
        }
        tx.set_issue_keys(&scan.service, &changed, &rows).await?;
    }
}

async fn suggestions(
    tx: &mut Tx,
    review: &MappingReview,
    rules: &[MappingRule],
    items: &[MappableItem],
) -> Result<Vec<SuggestedRule>, ServiceError> {
    let dismissed = tx
        .dismissed_mappings(&review.service, &review.template)
        .await?;
    let compiled = rules
        .iter()
        .map(conditions_of)
        .collect::<Result<Vec<_>, _>>()?;
    let words: Vec<_> = items
        .iter()
        .map(|item| ItemWords {
            key: &item.key,
            title: &item.title,
            body: &item.body,
            scan_hint: item.scan_hint.as_deref(),
        })
        .collect();
    let mut suggestions = Vec::new();
    for found in tx.tools_of_service(&review.service).await? {
        // A rule that is about the tool as such, whatever else it asks, is what somebody decided about it.
        let is_covered = compiled.iter().any(|rule| {
            let of_category = rule.category.is_empty() || rule.category == found.category;
            let of_tool = !rule.tool.is_any() && rule.tool.matches(Some(&found.tool));
            if found.category.is_empty() {
                rule.covers_clean_scan(&found.tool)
            } else {
                of_category && (of_tool || (rule.tool.is_any() && !rule.category.is_empty()))
            }
        });
        let key = (found.tool.clone(), found.category.clone());
        if is_covered || dismissed.contains(&key) {
            continue;
        }
        let category = if found.category.is_empty() {
            category_of_tool(&found.tool).unwrap_or_default()
        } else {
            &found.category
        };
        if let Some(suggestion) = suggest(&found.tool, category, &words) {
            suggestions.push(SuggestedRule {
                item: (&items[suggestion.item]).into(),
                why: suggestion.why,
                tool: found.tool,
                category: found.category,
                n: found.n,
            });
        }
    }
    Ok(suggestions)
}

fn item_of<'a>(items: &'a [MappableItem], key: &str) -> Result<&'a MappableItem, ServiceError> {
    items
        .iter()
        .find(|item| item.key == key)
        .ok_or_else(|| ServiceError::rejected("item", "Choose one of the review's items."))
}

fn is_same(one: &MappingRule, other: &MappingRule) -> bool {
    one.tool == other.tool
        && one.category == other.category
        && one.rule == other.rule
        && one.path == other.path
        && one.severities == other.severities
}

fn of_tool(tool: &str, category: &str) -> String {
    if category.is_empty() {
        tool.to_owned()
    } else {
        format!("{tool}, {category}")
    }
}

/// A rule's conditions as people read them: "gitleaks, secret, in config/".
pub fn in_words(rule: &MappingRule) -> String {
    let mut words = Vec::new();
    if !rule.tool.is_empty() {
        words.push(rule.tool.clone());
    }
    if !rule.category.is_empty() {
        words.push(crate::findings::category_label(&rule.category).to_lowercase());
    }
    if !rule.rule.is_empty() {
        words.push(format!("rule {}", rule.rule));
    }
    if !rule.path.is_empty() {
        words.push(format!("in {}", rule.path));
    }
    if !rule.severities.is_empty() {
        let severities: Vec<_> = rule.severities.iter().map(|of| of.as_str()).collect();
        words.push(severities.join(" or "));
    }
    words.join(", ")
}

fn rule_changes(before: Option<&MappingRule>, after: &MappingRule) -> Changes {
    let words = |rule: &MappingRule| {
        let severities: Vec<_> = rule.severities.iter().map(|of| of.as_str()).collect();
        severities.join(", ")
    };
    let was = before.map(words).unwrap_or_default();
    let is = words(after);
    let old = |field: fn(&MappingRule) -> &String| before.map(|rule| field(rule).as_str());
    Changes::default()
        .field("item", old(|rule| &rule.item_key), Some(&after.item_key))
        .field("tool", old(|rule| &rule.tool), Some(&after.tool))
        .field(
            "category",
            old(|rule| &rule.category),
            Some(&after.category),
        )
        .field("rule", old(|rule| &rule.rule), Some(&after.rule))
        .field("path", old(|rule| &rule.path), Some(&after.path))
        .field("severities", before.map(|_| was.as_str()), Some(&is))
}

fn done<'a>(
    rule: &'a MappingRule,
    review: Option<&'a ReviewId>,
    action: &'a str,
    summary: String,
    changes: &Changes,
) -> Done<'a> {
    Done {
        action,
        subject_kind: "mapping_rule",
        subject: rule.id.as_str(),
        service: Some(rule.service.as_str()),
        review: review.map(ReviewId::as_str),
        summary,
        before: changes.before(),
        after: changes.after(),
    }
}
