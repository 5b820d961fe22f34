//! Deliverables: what a review has to hand over.

use holdpoint_domain::{DeliverableId, PersonId, ReviewId, person::Action, text::Prose};
use holdpoint_storage::{Deliverable, Review, Tx};

use crate::{
    Actor, ListedDeliverable, ServiceError, Services,
    changes::{Changes, Done, names},
    items::{check_can_work, person_name},
    reviews::name_of,
};

/// A deliverable as it should be, made over the version that the person saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliverableChange {
    pub version: i64,
    pub done: bool,
    /// Where it is or what was done: Markdown, with links.
    pub note: Option<Prose>,
}

impl Services {
    /// A review's deliverables, in the document's order.
    pub async fn deliverables(
        &self,
        actor: &Actor,
        review: &ReviewId,
    ) -> Result<Vec<ListedDeliverable>, ServiceError> {
        let mut tx = self.database().read().await?;
        self.review_to(&mut tx, actor, review, Action::Read).await?;
        let deliverables = tx.deliverables(review).await?;
        let involved = deliverables
            .iter()
            .flat_map(|deliverable| [&deliverable.owner, &deliverable.done_by])
            .flatten();
        let people = names(&mut tx, involved.collect()).await?;
        Ok(deliverables
            .into_iter()
            .map(|deliverable| ListedDeliverable {
                owner: deliverable.owner.as_ref().map(|id| name_of(id, &people)),
                done_by: deliverable.done_by.as_ref().map(|id| name_of(id, &people)),
                deliverable,
            })
            .collect())
    }

    /// Says that a deliverable is done, or is not after all, with a note.
    pub async fn set_done(
        &self,
        actor: &Actor,
        id: &DeliverableId,
        change: DeliverableChange,
    ) -> Result<Deliverable, ServiceError> {
        let mut tx = self.database().write().await?;
        let (stored, review) = self
            .deliverable_to(&mut tx, actor, id, Action::Contribute)
            .await?;
        let now = self.now();
        let mut wanted = stored.clone();
        wanted.note = change.note.map(String::from).unwrap_or_default();
        if change.done != stored.done {
            wanted.done = change.done;
            wanted.done_by = change.done.then(|| actor.id.clone());
            wanted.done_at = change.done.then_some(now);
        }
        let word = |done| Some(if done { "done" } else { "open" });
        let changes = Changes::default()
            .field("state", word(stored.done), word(wanted.done))
            .field("note", Some(&stored.note), Some(&wanted.note));
        if change.version != stored.version {
            return Err(changes
                .conflict(
                    &mut tx,
                    actor,
                    "The deliverable",
                    id.as_str(),
                    stored.version,
                )
                .await?);
        }
        if changes.is_empty() {
            return Ok(stored);
        }
        let summary = match (stored.done, wanted.done) {
            (false, true) => format!("finished the deliverable {}", stored.title),
            (true, false) => format!("reopened the deliverable {}", stored.title),
            _ => format!("changed the note of the deliverable {}", stored.title),
        };
        let action = match (stored.done, wanted.done) {
            (false, true) => "deliverable.done",
            (true, false) => "deliverable.reopened",
            _ => "deliverable.changed",
        };
        self.store_deliverable(tx, actor, &review, wanted, action, summary, &changes)
            .await
    }

    /// Names who hands a deliverable over, or nobody.
    pub async fn set_deliverable_owner(
        &self,
        actor: &Actor,
        id: &DeliverableId,
        version: i64,
        owner: Option<&PersonId>,
    ) -> Result<Deliverable, ServiceError> {
        let mut tx = self.database().write().await?;
        let (stored, review) = self
            .deliverable_to(&mut tx, actor, id, Action::Manage)
            .await?;
        let mut wanted = stored.clone();
        wanted.owner = owner.cloned();
        let before = person_name(&mut tx, stored.owner.as_ref()).await?;
        let after = person_name(&mut tx, owner).await?;
        let changes = Changes::default().field("owner", before.as_deref(), after.as_deref());
        if version != stored.version {
            return Err(changes
                .conflict(
                    &mut tx,
                    actor,
                    "The deliverable",
                    id.as_str(),
                    stored.version,
                )
                .await?);
        }
        if wanted.owner == stored.owner {
            return Ok(stored);
        }
        if let Some(owner) = owner {
            check_can_work(&mut tx, &review.service, owner, "owner").await?;
        }
        let summary = match &after {
            Some(name) => format!("made {name} the owner of the deliverable {}", stored.title),
            None => format!("took the owner of the deliverable {} away", stored.title),
        };
        self.store_deliverable(
            tx,
            actor,
            &review,
            wanted,
            "deliverable.changed",
            summary,
            &changes,
        )
        .await
    }

    async fn deliverable_to(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        id: &DeliverableId,
        action: Action,
    ) -> Result<(Deliverable, Review), ServiceError> {
        let not_found = || ServiceError::NotFound("This deliverable");
        tx.lock_deliverable(id).await?;
        let stored = tx.deliverable(id).await?.ok_or_else(not_found)?;
        let found = self.review_to(tx, actor, &stored.review, action).await;
        let (review, _) = found.map_err(|error| match error {
            ServiceError::NotFound(_) => not_found(),
            error => error,
        })?;
        Ok((stored, review))
    }

    async fn store_deliverable(
        &self,
        mut tx: Tx,
        actor: &Actor,
        review: &Review,
        mut wanted: Deliverable,
        action: &str,
        summary: String,
        changes: &Changes,
    ) -> Result<Deliverable, ServiceError> {
        tx.update_deliverable(&wanted).await?;
        Done {
            action,
            subject_kind: "deliverable",
            subject: wanted.id.as_str(),
            service: Some(review.service.as_str()),
            review: Some(review.id.as_str()),
            summary,
            before: changes.before(),
            after: changes.after(),
        }
        .append(&mut tx, actor, self.now())
        .await?;
        tx.commit().await?;
        wanted.version += 1;
        Ok(wanted)
    }
}
