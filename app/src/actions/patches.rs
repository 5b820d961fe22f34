//! Forms of a patch: deciding on it, marking it applied, linking it. Submitting one is an upload, since it may bring a file.

use leptos::prelude::*;

use super::ActionError;

#[cfg(feature = "ssr")]
use {
    super::{ActionContext, Notice},
    crate::paths,
    holdpoint_domain::{FindingId, ItemId, PatchId, text::Commit},
    holdpoint_service::{
        ServiceError,
        patches::{PatchDecision, PatchLink},
    },
};

/// Approves or rejects a patch.
#[server(prefix = "/act", endpoint = "patches/decide")]
pub async fn decide_patch(
    #[server(default)] patch: String,
    #[server(default)] version: i64,
    #[server(default)] decision: String,
    #[server(default)] reason: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let id = parse_patch(&patch)?;
        let decided = PatchDecision::parse(&decision, &reason)?;
        let notice = match decided {
            PatchDecision::Approve => "The patch is approved.",
            PatchDecision::Reject(_) => "The patch is rejected.",
        };
        cx.services
            .decide_patch(&cx.person, &id, version, decided)
            .await?;
        Ok::<_, ServiceError>(notice)
    }
    .await;
    let typed = [("decision", decision.as_str()), ("reason", &reason)];
    cx.answer(outcome, paths::patch(&patch), &typed).await
}

/// Marks an approved patch as applied, or corrects the commit.
#[server(prefix = "/act", endpoint = "patches/apply")]
pub async fn mark_patch_applied(
    #[server(default)] patch: String,
    #[server(default)] version: i64,
    #[server(default)] commit: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let id = parse_patch(&patch)?;
        let commit = Commit::parse(&commit).map_err(ServiceError::at("commit"))?;
        cx.services
            .mark_patch_applied(&cx.person, &id, version, commit)
            .await?;
        Ok::<_, ServiceError>(
            "The patch is marked as applied. A later complete scan without its findings verifies it.",
        )
    }
    .await;
    cx.answer(outcome, paths::patch(&patch), &[("commit", &commit)])
        .await
}

/// Links a patch to the finding or the item that is named.
#[server(prefix = "/act", endpoint = "patches/link")]
pub async fn link_patch(
    #[server(default)] patch: String,
    #[server(default)] version: i64,
    #[server(default)] finding_numbers: String,
    #[server(default)] item_keys: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let (number, key) = (finding_numbers.trim(), item_keys.trim());
    let outcome = async {
        let id = parse_patch(&patch)?;
        let link = match (number.is_empty(), key.is_empty()) {
            (false, true) => PatchLink::finding_number(number)?,
            (true, false) => PatchLink::ItemKey(key.to_owned()),
            (true, true) => {
                return Err(ServiceError::rejected(
                    "finding_numbers",
                    "Write a finding's number or an item's key.",
                ));
            }
            (false, false) => {
                return Err(ServiceError::rejected(
                    "item_keys",
                    "Link a finding or an item, one at a time.",
                ));
            }
        };
        cx.services
            .link_patch(&cx.person, &id, version, link, true)
            .await?;
        Ok(Notice::new("The patch is linked."))
    }
    .await;
    let typed = [("finding_numbers", number), ("item_keys", key)];
    cx.answer(outcome, paths::patch(&patch), &typed).await
}

/// Takes a patch off a finding or an item.
#[server(prefix = "/act", endpoint = "patches/unlink")]
pub async fn unlink_patch(
    #[server(default)] patch: String,
    #[server(default)] version: i64,
    #[server(default)] finding: String,
    #[server(default)] item: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let id = parse_patch(&patch)?;
        let link = if finding.is_empty() {
            PatchLink::Item(ItemId::parse(&item).ok_or(ServiceError::NotFound("This item"))?)
        } else {
            let finding = FindingId::parse(&finding);
            PatchLink::Finding(finding.ok_or(ServiceError::NotFound("This finding"))?)
        };
        cx.services
            .link_patch(&cx.person, &id, version, link, false)
            .await?;
        Ok::<_, ServiceError>("The link is taken away.")
    }
    .await;
    cx.answer(outcome, paths::patch(&patch), &[]).await
}

#[cfg(feature = "ssr")]
fn parse_patch(text: &str) -> Result<PatchId, ServiceError> {
    PatchId::parse(text).ok_or(ServiceError::NotFound("This patch"))
}
