//! The mapping rules in a review that has just begun: how much it costs does not grow with what it links where the rules
//! allow that, and its memory never does.

use holdpoint_domain::{Digest, Millis, PersonId, ReviewId, mapping::Subject};
use holdpoint_storage::{GroupLink, Tx};

use crate::{
    Actor, ServiceError, Services,
    mapping::{
        LinkedBy, Linking, MappingPlan, PIECE, Plan, PlannedItem, evidence_to_attach, link_piece,
        target_of,
    },
};

impl Services {
    /// Maps what a service's scans have found so far in a review that has just begun, so that rules carry over.
    pub(crate) async fn map_new_review(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        review: &ReviewId,
        now: Millis,
    ) -> Result<(), ServiceError> {
        let Some(review) = tx.review_to_map(review).await? else {
            return Ok(());
        };
        let target = target_of(tx, review).await?;
        let mut linking = target.linking();
        // It has no links yet, so without a rule there is nothing to look for.
        if target.has_rules() && target.decides_by_group() {
            link_groups(tx, &actor.id, &mut linking, now).await?;
        } else if target.has_rules() {
            link_one_by_one(tx, &actor.id, &mut linking, now).await?;
        }
        let linked = linking.finish(Vec::new());
        let (planned, evidence) = evidence_to_attach(tx, &target, now).await?;
        let mut said = String::new();
        for of in &linked.items {
            said.push_str(&format!("+{} {}\n", of.item.item, of.n));
        }
        for (item, scan) in &evidence {
            said.push_str(&format!("={item} {}\n", scan.id));
        }
        let shown = MappingPlan {
            n_link: linked.items.iter().map(|of| of.n).sum(),
            n_unlink: 0,
            n_unmapped: linked.n_unmapped,
            n_by_hand: 0,
            items: linked
                .items
                .into_iter()
                .map(|of| PlannedItem {
                    item: of.item,
                    n_link: of.n,
                    n_unlink: 0,
                })
                .collect(),
            evidence: planned,
            digest: Digest::of(said.as_bytes()),
        };
        let plan = Plan {
            target,
            link: Vec::new(),
            unlink: Vec::new(),
            evidence,
            shown,
        };
        self.carry_out(tx, actor, plan, now).await
    }
}

/// The database links what tool, category and severity decide.
async fn link_groups(
    tx: &mut Tx,
    by: &PersonId,
    linking: &mut Linking<'_>,
    now: Millis,
) -> Result<(), ServiceError> {
    let service = linking.target().service().clone();
    let groups = tx.finding_groups_to_map(&service).await?;
    let mut links = Vec::new();
    for group in &groups {
        let subject = Subject {
            tool: &group.tool,
            category: &group.category,
            rule: None,
            path: None,
            severity: group.severity,
        };
        if let Some(LinkedBy { item, rule }) = linking.add_group(&subject, group.n) {
            links.push(GroupLink {
                tool: &group.tool,
                category: &group.category,
                severity: group.severity,
                item,
                rule,
            });
        }
    }
    tx.link_groups_by_rules(&service, &links, by, now).await?;
    Ok(())
}

/// Rules that ask for a finding's own rule or path are asked about each; what is read is linked before more is read.
async fn link_one_by_one(
    tx: &mut Tx,
    by: &PersonId,
    linking: &mut Linking<'_>,
    now: Millis,
) -> Result<(), ServiceError> {
    let service = linking.target().service().clone();
    let mut after = 0;
    loop {
        let piece = tx.findings_to_map(&service, after, PIECE).await?;
        let Some(last) = piece.last() else {
            return Ok(());
        };
        after = last.number;
        link_piece(tx, by, linking, &piece, now).await?;
    }
}
