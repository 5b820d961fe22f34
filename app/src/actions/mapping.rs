//! Forms of mapping: rules, suggestions, applying the rules, using a scan as evidence.

use leptos::prelude::*;

use super::ActionError;

#[cfg(feature = "ssr")]
use {
    super::{ActionContext, Notice},
    crate::paths,
    holdpoint_domain::{Digest, ItemId, MappingRuleId, ReviewId, ScanId},
    holdpoint_service::{
        ServiceError,
        mapping::{RuleFields, RuleRequest},
    },
};

#[cfg(feature = "ssr")]
fn parse_review(id: &str) -> Result<ReviewId, ServiceError> {
    ReviewId::parse(id).ok_or(ServiceError::NotFound("This review"))
}

#[cfg(feature = "ssr")]
fn parse_rule(id: &str) -> Result<MappingRuleId, ServiceError> {
    MappingRuleId::parse(id).ok_or(ServiceError::NotFound("This rule"))
}

/// Adds a rule behind the others; also how a suggestion is taken.
#[server(prefix = "/act", endpoint = "mapping/add")]
pub async fn add_mapping_rule(
    #[server(default)] review: String,
    #[server(default)] item: String,
    #[server(default)] tool: String,
    #[server(default)] category: String,
    #[server(default)] rule: String,
    #[server(default)] path: String,
    #[server(default)] severities: Vec<String>,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let fields = RuleFields {
        item,
        tool,
        category,
        rule,
        path,
        severities,
    };
    let outcome = async {
        let request = RuleRequest::parse(&fields)?;
        let id = parse_review(&review)?;
        cx.services
            .add_mapping_rule(&cx.person, &id, request)
            .await?;
        Ok::<_, ServiceError>(
            "The rule holds for imports from now on. Apply the rules to map what is there already.",
        )
    }
    .await;
    answer(cx, outcome, paths::mapping(&review), &fields).await
}

/// Changes a rule, over the version that the person saw.
#[server(prefix = "/act", endpoint = "mapping/change")]
pub async fn change_mapping_rule(
    #[server(default)] review: String,
    #[server(default)] id: String,
    #[server(default)] version: i64,
    #[server(default)] item: String,
    #[server(default)] tool: String,
    #[server(default)] category: String,
    #[server(default)] rule: String,
    #[server(default)] path: String,
    #[server(default)] severities: Vec<String>,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let fields = RuleFields {
        item,
        tool,
        category,
        rule,
        path,
        severities,
    };
    let outcome = async {
        let request = RuleRequest::parse(&fields)?;
        let (of, rule) = (parse_review(&review)?, parse_rule(&id)?);
        cx.services
            .change_mapping_rule(&cx.person, &of, &rule, version, request)
            .await?;
        Ok::<_, ServiceError>(Notice::new("The rule is changed.").at(paths::mapping(&review)))
    }
    .await;
    let back = paths::edit_mapping_rule(&review, &id);
    answer(cx, outcome, back, &fields).await
}

/// Answers with what was typed into a rule's form.
#[cfg(feature = "ssr")]
async fn answer(
    cx: ActionContext,
    outcome: Result<impl Into<Notice>, ServiceError>,
    back: String,
    fields: &RuleFields,
) -> Result<(), ActionError> {
    let severities = fields.severities.join(",");
    let typed = [
        ("item", fields.item.as_str()),
        ("tool", &fields.tool),
        ("category", &fields.category),
        ("rule", &fields.rule),
        ("path", &fields.path),
        ("severities", &severities),
    ];
    cx.answer(outcome, back, &typed).await
}

/// Takes a rule out.
#[server(prefix = "/act", endpoint = "mapping/remove")]
pub async fn remove_mapping_rule(
    #[server(default)] review: String,
    #[server(default)] id: String,
    #[server(default)] version: i64,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        cx.services
            .remove_mapping_rule(&cx.person, &parse_rule(&id)?, version)
            .await?;
        Ok::<_, ServiceError>(
            "The rule is removed. Its links stay until the rules are applied again.",
        )
    }
    .await;
    cx.answer(outcome, paths::mapping(&review), &[("id", &id)])
        .await
}

/// Puts a rule before the one above it or after the one below it: `to` is `up` or `down`.
#[server(prefix = "/act", endpoint = "mapping/move")]
pub async fn move_mapping_rule(
    #[server(default)] review: String,
    #[server(default)] id: String,
    #[server(default)] to: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        cx.services
            .move_mapping_rule(&cx.person, &parse_rule(&id)?, to == "up")
            .await?;
        Ok::<_, ServiceError>("The order of the rules is changed.")
    }
    .await;
    cx.answer(outcome, paths::mapping(&review), &[("id", &id)])
        .await
}

/// Does not want a suggestion.
#[server(prefix = "/act", endpoint = "mapping/dismiss")]
pub async fn dismiss_mapping(
    #[server(default)] review: String,
    #[server(default)] tool: String,
    #[server(default)] category: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let id = parse_review(&review)?;
        cx.services
            .dismiss_mapping(&cx.person, &id, &tool, &category)
            .await?;
        Ok::<_, ServiceError>("The suggestion is dismissed and will not be made again.")
    }
    .await;
    cx.answer(outcome, paths::mapping(&review), &[]).await
}

/// Applies the rules as the plan with this digest showed it.
#[server(prefix = "/act", endpoint = "mapping/apply")]
pub async fn apply_mapping(
    #[server(default)] review: String,
    #[server(default)] plan: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let id = parse_review(&review)?;
        let shown = Digest::parse(&plan).ok_or_else(|| {
            ServiceError::rejected("", "Look at what would change first, then apply the rules.")
        })?;
        let done = cx.services.apply_mapping(&cx.person, &id, &shown).await?;
        let mut said = format!(
            "The rules are applied: {} linked, {} unlinked.",
            done.n_link, done.n_unlink
        );
        if !done.evidence.is_empty() {
            said.push_str(" Clean scans became evidence.");
        }
        Ok::<_, ServiceError>(Notice::new(said).at(paths::mapping(&review)))
    }
    .await;
    cx.answer(outcome, paths::mapping_plan(&review), &[]).await
}

/// Makes a scan evidence of an item.
#[server(prefix = "/act", endpoint = "scans/evidence")]
pub async fn use_scan_as_evidence(
    #[server(default)] scan: String,
    #[server(default)] review: String,
    #[server(default)] item: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let id = ScanId::parse(&scan).ok_or(ServiceError::NotFound("This scan"))?;
        let of = ItemId::parse(&item)
            .ok_or_else(|| ServiceError::rejected("item", "Choose one of the review's items."))?;
        cx.services
            .use_scan_as_evidence(&cx.person, &id, &of)
            .await?;
        Ok::<_, ServiceError>(Notice::new("The scan is evidence now.").at(paths::item(&item)))
    }
    .await;
    let back = paths::with_query(&paths::scan(&scan), &[("review", &review)]);
    cx.answer(outcome, back, &[("item", &item)]).await
}
