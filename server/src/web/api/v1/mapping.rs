//! Mapping findings to items: rules, suggestions, applying the rules, and scans as evidence.

use axum::{extract::State, response::Response};
use holdpoint_domain::{Digest, MappingRuleId, ReviewId, ScanId};
use holdpoint_service::{
    ServiceError, Services,
    mapping::{MappedItem, MappingPlan, ReviewMapping, RuleFields, RuleRequest, RuleView},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    asked::{self, Id, IfMatch, Json, Key},
    given::{Given, once},
};
use crate::web::{WebError, api_caller::ApiCaller};

/// A rule; what is empty asks nothing. The first rule that fits a finding decides.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MappingRule)]
pub(super) struct Rule {
    id: String,
    /// The item's key in the checklist.
    item_key: String,
    /// The item's id in this review; null where it has no such item.
    item: Option<String>,
    tool: String,
    category: String,
    rule: String,
    path: String,
    severities: Vec<String>,
    /// The links that it has made in this review.
    links: i64,
    version: i64,
}

fn rule(view: &RuleView) -> Rule {
    let of = &view.rule;
    Rule {
        id: of.id.to_string(),
        item_key: of.item_key.clone(),
        item: view.item.as_ref().map(|item| item.item.clone()),
        tool: of.tool.clone(),
        category: of.category.clone(),
        rule: of.rule.clone(),
        path: of.path.clone(),
        severities: of
            .severities
            .iter()
            .map(|severity| severity.as_str().to_owned())
            .collect(),
        links: view.n_links,
        version: of.version,
    }
}

/// A rule that suggests itself from what a tool looks for and the items' words.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SuggestedRule {
    tool: String,
    category: String,
    /// How many findings it would be about.
    findings: i64,
    item: String,
    item_key: String,
    why: String,
}

/// The rules of a review, in their order, and those that suggest themselves.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Mapping {
    rules: Vec<Rule>,
    suggestions: Vec<SuggestedRule>,
    /// Whether imports map into this review: as long as nobody has signed a decision about its release.
    fed_by_imports: bool,
}

/// An item with how many findings are mapped to it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ItemMapping {
    item: String,
    key: String,
    title: String,
    findings: i64,
}

/// What an import links in a review: findings of its series that have no item there, new or not.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScanMapping)]
pub(super) struct Mapped {
    review: String,
    release: String,
    items: Vec<ItemMapping>,
    /// Findings of the series that have no item and that no rule fits.
    unmapped: i64,
    /// Keys of the items that the scan is evidence of, since it is clean.
    evidence: Vec<String>,
}

pub(super) fn mapped(of: ReviewMapping) -> Mapped {
    Mapped {
        review: of.review,
        release: of.release,
        items: of
            .items
            .into_iter()
            .map(|mapped| {
                let MappedItem { item, key, title } = mapped.item;
                ItemMapping {
                    item,
                    key,
                    title,
                    findings: mapped.n,
                }
            })
            .collect(),
        unmapped: of.n_unmapped,
        evidence: of.evidence.into_iter().map(|item| item.key).collect(),
    }
}

/// The mapping of a review.
#[utoipa::path(get, path = "/reviews/{id}/mapping", tag = "Mapping", responses((status = 200, body = Mapping)))]
pub(super) async fn show(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ReviewId>,
) -> Result<Response, WebError> {
    let mapping = services.mapping(&caller, &id).await?;
    let body = Mapping {
        rules: mapping.rules.iter().map(rule).collect(),
        suggestions: mapping
            .suggestions
            .into_iter()
            .map(|one| SuggestedRule {
                tool: one.tool,
                category: one.category,
                findings: one.n,
                item: one.item.item,
                item_key: one.item.key,
                why: one.why,
            })
            .collect(),
        fed_by_imports: mapping.is_fed_by_imports,
    };
    Ok(Given::ok(&body)?.answer())
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewMappingRule)]
pub(super) struct RuleBody {
    /// The item's key in the checklist.
    item_key: String,
    /// Name of the scanner; `*` is any characters. Case does not matter.
    #[serde(default)]
    tool: String,
    /// secret, dependency, code, configuration, container, web, licence, style, documentation or operations.
    #[serde(default)]
    category: String,
    /// The scanner's rule, as a pattern like the tool.
    #[serde(default)]
    rule: String,
    /// A pattern as in a `.gitignore`.
    #[serde(default)]
    path: String,
    /// critical, high, unrated, medium, low, info; none is all.
    #[serde(default)]
    severities: Vec<String>,
}

impl RuleBody {
    fn request(self) -> Result<RuleRequest, WebError> {
        let fields = RuleFields {
            item: self.item_key,
            tool: self.tool,
            category: self.category,
            rule: self.rule,
            path: self.path,
            severities: self.severities,
        };
        RuleRequest::parse(&fields).map_err(at_key)
    }
}

/// The service names the field of a form; here it is the item's key.
fn at_key(error: ServiceError) -> WebError {
    match error {
        ServiceError::Rejected {
            field: "item",
            message,
        } => WebError::Rejected {
            field: "item_key",
            message,
        },
        error => error.into(),
    }
}

/// Adds a rule behind the others. It holds for every review of the service with this checklist, at imports from now on.
#[utoipa::path(
    post, path = "/reviews/{id}/mapping", tag = "Mapping", request_body = RuleBody, responses((status = 201, body = Mapping))
)]
pub(super) async fn add(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ReviewId>,
    key: Key,
    asked: Json<RuleBody>,
) -> Result<Response, WebError> {
    let request = asked.value.request()?;
    once(&services, &caller, &key, &asked.digest, async |services| {
        let made = services
            .add_mapping_rule(&caller, &id, request.clone())
            .await
            .map_err(at_key)?;
        Given::created(
            format!("/mapping-rules/{made}"),
            &made_rule(&services, &caller, &id, &made).await?,
        )
    })
    .await
}

async fn made_rule(
    services: &Services,
    caller: &ApiCaller,
    review: &ReviewId,
    id: &MappingRuleId,
) -> Result<Rule, WebError> {
    let mapping = services.mapping(caller, review).await?;
    mapping
        .rules
        .iter()
        .find(|view| view.rule.id == *id)
        .map(rule)
        .ok_or(WebError::NotFound("This rule"))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MappingRuleChange)]
pub(super) struct RuleChange {
    /// A review of the rule's service and checklist, whose items the key is looked for in.
    review: String,
    /// The whole rule: what is left out asks nothing.
    rule: RuleBody,
}

/// Changes a rule.
#[utoipa::path(
    patch, path = "/mapping-rules/{id}", tag = "Mapping", request_body = RuleChange, responses((status = 200, body = Rule))
)]
pub(super) async fn change(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<MappingRuleId>,
    IfMatch(version): IfMatch,
    asked: Json<RuleChange>,
) -> Result<Response, WebError> {
    let review = asked::id(&asked.value.review)?;
    let request = asked.value.rule.request()?;
    once(
        &services,
        &caller,
        &Key(None),
        &asked.digest,
        async |services| {
            services
                .change_mapping_rule(&caller, &review, &id, version, request.clone())
                .await
                .map_err(at_key)?;
            let changed = made_rule(&services, &caller, &review, &id).await?;
            let version = changed.version;
            Ok(Given::ok(&changed)?.version(version))
        },
    )
    .await
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MappingRuleRemoval)]
pub(super) struct Removal {
    /// The version that was seen.
    version: i64,
}

/// Nothing more is to be said.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Done {
    done: bool,
}

/// Does once what leaves nothing to be said.
async fn done<F: Future<Output = Result<(), ServiceError>>>(
    services: &Services,
    caller: &ApiCaller,
    key: &Key,
    digest: &Digest,
    work: impl Fn(Services) -> F,
) -> Result<Response, WebError> {
    once(services, caller, key, digest, async |services| {
        work(services).await?;
        Given::ok(&Done { done: true })
    })
    .await
}

/// Takes a rule out. Its links stay until the rules are applied again.
#[utoipa::path(
    post, path = "/mapping-rules/{id}/remove", tag = "Mapping", request_body = Removal, responses((status = 200, body = Done))
)]
pub(super) async fn remove(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<MappingRuleId>,
    key: Key,
    asked: Json<Removal>,
) -> Result<Response, WebError> {
    let work = async |services: Services| {
        services
            .remove_mapping_rule(&caller, &id, asked.value.version)
            .await
    };
    done(&services, &caller, &key, &asked.digest, work).await
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MappingRuleMove)]
pub(super) struct Move {
    /// `up` or `down` by one.
    to: String,
}

/// Moves a rule by one place: the first rule that fits decides.
#[utoipa::path(
    post, path = "/mapping-rules/{id}/move", tag = "Mapping", request_body = Move, responses((status = 200, body = Done))
)]
pub(super) async fn reorder(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<MappingRuleId>,
    key: Key,
    asked: Json<Move>,
) -> Result<Response, WebError> {
    let is_up = match asked.value.to.as_str() {
        "up" => true,
        "down" => false,
        _ => {
            return Err(WebError::Rejected {
                field: "to",
                message: "Choose up or down.".to_owned(),
            });
        }
    };
    let work = async |services: Services| services.move_mapping_rule(&caller, &id, is_up).await;
    done(&services, &caller, &key, &asked.digest, work).await
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MappingDismissal)]
pub(super) struct Dismissal {
    tool: String,
    #[serde(default)]
    category: String,
}

/// Does not want a suggestion, which is not made again.
#[utoipa::path(
    post, path = "/reviews/{id}/mapping/dismiss", tag = "Mapping", request_body = Dismissal,
    responses((status = 200, body = Done))
)]
pub(super) async fn dismiss(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ReviewId>,
    key: Key,
    asked: Json<Dismissal>,
) -> Result<Response, WebError> {
    let Dismissal { tool, category } = &asked.value;
    let work =
        async |services: Services| services.dismiss_mapping(&caller, &id, tool, category).await;
    done(&services, &caller, &key, &asked.digest, work).await
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PlannedItem {
    item: String,
    key: String,
    title: String,
    link: i64,
    unlink: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PlannedEvidence {
    item_key: String,
    scan: String,
    tool: String,
}

/// What applying the rules changes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MappingPlan)]
pub(super) struct Plan {
    items: Vec<PlannedItem>,
    link: i64,
    unlink: i64,
    /// Findings that no rule fits and nobody mapped.
    unmapped: i64,
    /// Findings that stay as people mapped them.
    by_hand: i64,
    evidence: Vec<PlannedEvidence>,
    /// To be sent back to apply just this.
    digest: String,
}

fn plan(plan: MappingPlan) -> Plan {
    Plan {
        items: plan
            .items
            .into_iter()
            .map(|planned| PlannedItem {
                item: planned.item.item,
                key: planned.item.key,
                title: planned.item.title,
                link: planned.n_link,
                unlink: planned.n_unlink,
            })
            .collect(),
        link: plan.n_link,
        unlink: plan.n_unlink,
        unmapped: plan.n_unmapped,
        by_hand: plan.n_by_hand,
        evidence: plan
            .evidence
            .into_iter()
            .map(|planned| PlannedEvidence {
                item_key: planned.item.key,
                scan: planned.scan,
                tool: planned.tool,
            })
            .collect(),
        digest: plan.digest.into(),
    }
}

/// What applying the rules to a review would change.
#[utoipa::path(get, path = "/reviews/{id}/mapping/plan", tag = "Mapping", responses((status = 200, body = Plan)))]
pub(super) async fn planned(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ReviewId>,
) -> Result<Response, WebError> {
    Ok(Given::ok(&plan(services.mapping_plan(&caller, &id).await?))?.answer())
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MappingApplication)]
pub(super) struct Application {
    /// The digest of the plan that was seen.
    digest: String,
}

/// Applies the rules as the plan showed it; 409 where something else would happen now.
#[utoipa::path(
    post, path = "/reviews/{id}/mapping/apply", tag = "Mapping", request_body = Application,
    responses((status = 200, body = Plan))
)]
pub(super) async fn apply(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ReviewId>,
    key: Key,
    asked: Json<Application>,
) -> Result<Response, WebError> {
    let digest = Digest::parse(&asked.value.digest).ok_or_else(|| WebError::Rejected {
        field: "digest",
        message: "This is no digest of a plan. Ask for the plan first.".to_owned(),
    })?;
    once(&services, &caller, &key, &asked.digest, async |services| {
        Given::ok(&plan(services.apply_mapping(&caller, &id, &digest).await?))
    })
    .await
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ScanAsEvidence)]
pub(super) struct EvidenceOf {
    /// An item's id.
    item: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScanEvidence)]
pub(super) struct AsEvidence {
    /// The evidence's id.
    evidence: String,
}

/// Makes a complete scan evidence of an item.
#[utoipa::path(
    post, path = "/scans/{id}/evidence", tag = "Mapping", request_body = EvidenceOf,
    responses((status = 201, body = AsEvidence))
)]
pub(super) async fn use_scan(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ScanId>,
    key: Key,
    asked: Json<EvidenceOf>,
) -> Result<Response, WebError> {
    let item = asked::id(&asked.value.item)?;
    once(&services, &caller, &key, &asked.digest, async |services| {
        let made = services.use_scan_as_evidence(&caller, &id, &item).await?;
        let body = AsEvidence {
            evidence: made.to_string(),
        };
        Given::created(format!("/evidence/{made}/file"), &body)
    })
    .await
}
