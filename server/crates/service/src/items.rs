//! Items: who works on them, where they stand, and whose move it is.
//!
//! Who may change what of an item, besides its decision:
//!
//! | what | who |
//! |---|---|
//! | gating, due date, quorum, title and requirement, adding items | managers |
//! | owner | managers; whoever may contribute can take an item that nobody owns |
//! | reviewers | managers, and the item's owner |
//! | start, request review, back to work, reopen | whoever may contribute |
//! | review again | reviewers and managers |
//! | end a waiver | managers |

use std::collections::BTreeSet;

use holdpoint_domain::{
    Gating, ItemId, ItemState, Millis, PersonId, ReviewId, SectionId, ServiceId,
    item::{self, Step},
    person::Action,
    text::{Date, Name, Prose, Reason},
};
use holdpoint_storage::{Item, ItemFigures, Review, Section, Tx, WaitingItem};

use crate::{
    Actor, Named, Page, ServiceError, Services,
    changes::{Changes, Done, names},
    reviews::{ReviewHead, name_of},
    services::{limit_of, reads_only},
};

/// An item's people and terms as they should be, made over the version that the person saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemChange {
    pub version: i64,
    pub owner: Option<PersonId>,
    pub reviewers: Vec<PersonId>,
    pub gating: Gating,
    pub due_on: Option<Date>,
    /// How many must sign a pass; absent where the policy says it.
    pub quorum: Option<u32>,
}

/// An item's words as they should be, made over the version that the person saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemText {
    pub version: i64,
    pub title: Name,
    pub body: Option<Prose>,
}

/// An item that the document does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewItem {
    pub section: Option<SectionId>,
    pub title: Name,
    pub body: Option<Prose>,
    pub gating: Gating,
}

/// One change of many items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BulkChange {
    Owner(Option<PersonId>),
    /// Adds a reviewer to those the item has.
    Reviewer(PersonId),
    Due(Option<Date>),
    Gating(Gating),
    Step(Step),
}

/// What became of one item in a bulk change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkOutcome {
    pub item: ItemId,
    /// Empty when there is no such item in the review.
    pub key: String,
    pub title: String,
    /// Why this item was left as it was.
    pub refused: Option<String>,
}

/// The item page.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says whether one control is shown"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemPage {
    pub head: ReviewHead,
    pub section: Option<Section>,
    /// Key and title of the item that this is a sub-item of.
    pub parent: Option<(String, String)>,
    pub item: Item,
    /// As of now: a waiver that ran out is in review.
    pub state: ItemState,
    pub is_late: bool,
    pub owner: Option<Named>,
    pub reviewers: Vec<Named>,
    pub review_requested_by: Option<Named>,
    pub figures: ItemFigures,
    /// The keys of the items before and after it in the checklist.
    pub previous: Option<String>,
    pub next: Option<String>,
    /// The moves that are possible now and that this actor may make.
    pub steps: Vec<Step>,
    /// Whether the actor may change people and terms as a manager.
    pub may_manage: bool,
    /// Whether the actor may change the reviewers: managers, and the owner.
    pub may_set_reviewers: bool,
    /// Whether the actor may take the item, since nobody owns it.
    pub may_take: bool,
}

/// An item with the review it belongs to.
pub(crate) struct Found {
    pub(crate) item: Item,
    pub(crate) review: Review,
}

/// How many items one bulk change takes.
pub const MAX_BULK: usize = 500;

impl Services {
    /// An item by its id, with all that its page shows of itself.
    pub async fn item(&self, actor: &Actor, id: &ItemId) -> Result<ItemPage, ServiceError> {
        let mut tx = self.database().read().await?;
        let Found { item, .. } = self.item_to(&mut tx, actor, id, Action::Read).await?;
        drop(tx);
        self.item_page(actor, item).await
    }

    /// An item by its key in a review.
    pub async fn item_by_key(
        &self,
        actor: &Actor,
        review: &ReviewId,
        key: &str,
    ) -> Result<ItemPage, ServiceError> {
        let mut tx = self.database().read().await?;
        self.review_to(&mut tx, actor, review, Action::Read).await?;
        let item = tx.item_by_key(review, key).await?;
        let item = item.ok_or(ServiceError::NotFound("This item"))?;
        drop(tx);
        self.item_page(actor, item).await
    }

    async fn item_page(&self, actor: &Actor, item: Item) -> Result<ItemPage, ServiceError> {
        let now = self.now();
        let head = self.review(actor, &item.review).await?;
        let access = self.access(actor, &head.service.id).await?;
        let mut tx = self.database().read().await?;
        let section = match &item.section {
            Some(id) => tx.section(id).await?,
            None => None,
        };
        let parent = match &item.parent {
            Some(id) => tx.item(id).await?.map(|parent| (parent.key, parent.title)),
            None => None,
        };
        let involved = item
            .owner
            .iter()
            .chain(&item.reviewers)
            .chain(&item.review_requested_by);
        let people = names(&mut tx, involved.collect()).await?;
        let figures = tx
            .item_figures(std::slice::from_ref(&item.id), now)
            .await?
            .pop()
            .unwrap_or_default();
        let (previous, next) = tx.item_neighbours(&item.id).await?;
        let may_manage = access.may(Action::Manage);
        let may_contribute = access.may(Action::Contribute);
        let state = item.state_at(now);
        let steps = Step::ALL
            .iter()
            .copied()
            .filter(|step| item::step(state, *step).is_ok() && access.may(step_needs(*step)))
            .collect();
        let mut reviewers: Vec<_> = item
            .reviewers
            .iter()
            .map(|id| name_of(id, &people))
            .collect();
        reviewers.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        Ok(ItemPage {
            section,
            parent,
            state,
            is_late: item.is_late(now),
            owner: item.owner.as_ref().map(|id| name_of(id, &people)),
            reviewers,
            review_requested_by: item
                .review_requested_by
                .as_ref()
                .map(|id| name_of(id, &people)),
            figures,
            previous,
            next,
            steps,
            may_manage,
            may_set_reviewers: may_manage
                || (may_contribute && item.owner.as_ref() == Some(&actor.id)),
            may_take: may_contribute && item.owner.is_none(),
            head,
            item,
        })
    }

    /// Changes an item's people and terms. See the top of this file for who may change what.
    pub async fn update_item(
        &self,
        actor: &Actor,
        id: &ItemId,
        change: ItemChange,
    ) -> Result<Item, ServiceError> {
        let mut tx = self.database().write().await?;
        let found = self
            .item_to_change(&mut tx, actor, id, Action::Read)
            .await?;
        let stored = &found.item;
        let quorum = change
            .quorum
            .map(|quorum| {
                if (1..=20).contains(&quorum) {
                    Ok(i64::from(quorum))
                } else {
                    Err(ServiceError::rejected(
                        "quorum",
                        "Between 1 and 20 people must sign an item.",
                    ))
                }
            })
            .transpose()?;
        let mut wanted = stored.clone();
        wanted.owner = change.owner;
        wanted.reviewers = change.reviewers;
        wanted.reviewers.sort();
        wanted.reviewers.dedup();
        wanted.gating = change.gating;
        wanted.due_on = change.due_on.map(|date| date.as_str().to_owned());
        wanted.quorum = quorum;
        let changes = people_and_terms(&mut tx, stored, &wanted).await?;
        if change.version != stored.version {
            // Over another version nobody can say which fields this person meant to change.
            self.allow_some_change(&mut tx, actor, &found).await?;
            return Err(changes
                .conflict(&mut tx, actor, "The item", id.as_str(), stored.version)
                .await?);
        }
        self.allow_item_change(&mut tx, actor, &found, &wanted)
            .await?;
        check_people(&mut tx, &found, &wanted).await?;
        if changes.is_empty() {
            return Ok(wanted);
        }
        let now = self.now();
        wanted.updated_at = now;
        let summary = format!("changed the {} of {}", changes.named(), stored.key);
        store(&mut tx, stored, &wanted).await?;
        done(&found, "item.changed", summary, &changes)
            .append(&mut tx, actor, now)
            .await?;
        tx.commit().await?;
        wanted.version += 1;
        Ok(wanted)
    }

    /// Makes the actor the owner of an item that nobody owns.
    pub async fn take_item(&self, actor: &Actor, id: &ItemId) -> Result<Item, ServiceError> {
        let mut tx = self.database().write().await?;
        let found = self
            .item_to_change(&mut tx, actor, id, Action::Contribute)
            .await?;
        if let Some(owner) = &found.item.owner {
            let people = names(&mut tx, vec![owner]).await?;
            let name = name_of(owner, &people).name;
            return Err(ServiceError::rejected(
                "",
                format!("{name} owns this item already. A manager can hand it over."),
            ));
        }
        let mut wanted = found.item.clone();
        wanted.owner = Some(actor.id.clone());
        let now = self.now();
        wanted.updated_at = now;
        let changes = people_and_terms(&mut tx, &found.item, &wanted).await?;
        store(&mut tx, &found.item, &wanted).await?;
        let summary = format!("took {}", found.item.key);
        done(&found, "item.changed", summary, &changes)
            .append(&mut tx, actor, now)
            .await?;
        tx.commit().await?;
        wanted.version += 1;
        Ok(wanted)
    }

    /// Changes an item's words in this review; the template keeps its own. What was signed over the old words is then void.
    pub async fn edit_item(
        &self,
        actor: &Actor,
        id: &ItemId,
        text: ItemText,
    ) -> Result<Item, ServiceError> {
        let mut tx = self.database().write().await?;
        let found = self
            .item_to_change(&mut tx, actor, id, Action::Manage)
            .await?;
        let stored = &found.item;
        let mut wanted = stored.clone();
        wanted.title = text.title.into();
        wanted.body = text.body.map(String::from).unwrap_or_default();
        let changes = Changes::default()
            .field("title", Some(&stored.title), Some(&wanted.title))
            .field("requirement", Some(&stored.body), Some(&wanted.body));
        if text.version != stored.version {
            return Err(changes
                .conflict(&mut tx, actor, "The item", id.as_str(), stored.version)
                .await?);
        }
        if changes.is_empty() {
            return Ok(wanted);
        }
        let now = self.now();
        wanted.updated_at = now;
        store(&mut tx, stored, &wanted).await?;
        let summary = format!("reworded the {} of {}", changes.named(), stored.key);
        done(&found, "item.reworded", summary, &changes)
            .append(&mut tx, actor, now)
            .await?;
        tx.commit().await?;
        wanted.version += 1;
        Ok(wanted)
    }

    /// Makes one of the moves that nobody signs.
    pub async fn step(
        &self,
        actor: &Actor,
        id: &ItemId,
        step: Step,
        note: Option<&Reason>,
    ) -> Result<Item, ServiceError> {
        let mut tx = self.database().write().await?;
        let found = self
            .item_to_change(&mut tx, actor, id, step_needs(step))
            .await?;
        let now = self.now();
        let item = make_step(&mut tx, actor, &found, step, note, now).await?;
        tx.commit().await?;
        Ok(item)
    }

    /// Adds an item that the document does not have, at the end of its section. It is never written back.
    pub async fn add_item(
        &self,
        actor: &Actor,
        review: &ReviewId,
        new: NewItem,
    ) -> Result<Item, ServiceError> {
        let mut tx = self.database().write().await?;
        tx.lock_review(review).await?;
        let (review, _) = self
            .review_to(&mut tx, actor, review, Action::Manage)
            .await?;
        let section = match &new.section {
            Some(id) => {
                let section = tx.section(id).await?;
                let section = section.filter(|section| section.review == review.id);
                Some(section.ok_or_else(|| {
                    ServiceError::rejected("section", "Choose a section of this review.")
                })?)
            }
            None => None,
        };
        let taken = tx.item_keys(&review.id).await?;
        let prefix = section
            .as_ref()
            .and_then(|section| section.number.as_deref())
            .map(|number| format!("{number}."))
            .unwrap_or_default();
        let key = (1..=u32::MAX)
            .map(|n| format!("{prefix}{n}"))
            .find(|key| !taken.contains(key))
            .expect("a review has fewer items than there are numbers");
        let now = self.now();
        let item = Item {
            id: ItemId::parse(&self.ids().uuid(now)).expect("a UUID is an id"),
            review: review.id.clone(),
            section: new.section,
            parent: None,
            position: tx.last_item_position(&review.id).await? + 1,
            key,
            title: new.title.into(),
            body: new.body.map(String::from).unwrap_or_default(),
            source_line: 0,
            gating: new.gating,
            state: ItemState::Open,
            round: 1,
            owner: None,
            reviewers: Vec::new(),
            due_on: None,
            quorum: None,
            scan_hint: None,
            review_requested_by: None,
            review_requested_at: None,
            waived_until: None,
            updated_at: now,
            version: 1,
        };
        tx.insert_items(std::slice::from_ref(&item)).await?;
        let changes = Changes::default()
            .field("key", None, Some(&item.key))
            .field("title", None, Some(&item.title))
            .field("requirement", None, Some(&item.body))
            .field("gating", None, Some(item.gating.as_str()));
        let summary = format!("added the item {} {}", item.key, item.title);
        let found = Found { item, review };
        done(&found, "item.added", summary, &Changes::default())
            .with(None, changes.after())
            .append(&mut tx, actor, now)
            .await?;
        tx.commit().await?;
        Ok(found.item)
    }

    /// Makes one change to many items of a review. Each item is changed or refused by itself, and says which.
    pub async fn change_items(
        &self,
        actor: &Actor,
        review: &ReviewId,
        items: &[ItemId],
        change: &BulkChange,
    ) -> Result<Vec<BulkOutcome>, ServiceError> {
        self.retrying(|| self.change_items_once(actor, review, items, change))
            .await
    }

    async fn change_items_once(
        &self,
        actor: &Actor,
        review: &ReviewId,
        items: &[ItemId],
        change: &BulkChange,
    ) -> Result<Vec<BulkOutcome>, ServiceError> {
        let mut tx = self.database().write().await?;
        let needs = match change {
            BulkChange::Owner(_) | BulkChange::Reviewer(_) => Action::Contribute,
            BulkChange::Due(_) | BulkChange::Gating(_) => Action::Manage,
            BulkChange::Step(step) => step_needs(*step),
        };
        let (review, _) = match self.review_to(&mut tx, actor, review, needs).await {
            // An administrator manages without contributing.
            Err(ServiceError::Forbidden(_))
                if needs == Action::Contribute && !matches!(change, BulkChange::Step(_)) =>
            {
                self.review_to(&mut tx, actor, review, Action::Manage)
                    .await?
            }
            other => other?,
        };
        if items.is_empty() {
            return Err(ServiceError::rejected("items", "Tick at least one item."));
        }
        if items.len() > MAX_BULK {
            return Err(ServiceError::rejected(
                "items",
                format!(
                    "{} items are ticked; at most {MAX_BULK} are changed at once.",
                    items.len()
                ),
            ));
        }
        tx.lock_items(items).await?;
        let found = tx.items_by_id(items).await?;
        let now = self.now();
        let mut outcomes = Vec::with_capacity(items.len());
        let mut seen = BTreeSet::new();
        for item in found {
            if item.review != review.id {
                continue;
            }
            seen.insert(item.id.clone());
            let found = Found {
                item,
                review: review.clone(),
            };
            let result = self.change_one(&mut tx, actor, &found, change, now).await;
            let refused = match result {
                Ok(()) => None,
                // These are said before anything of the item is written.
                Err(ServiceError::Forbidden(message) | ServiceError::Rejected { message, .. }) => {
                    Some(message)
                }
                Err(other) => return Err(other),
            };
            outcomes.push(BulkOutcome {
                item: found.item.id,
                key: found.item.key,
                title: found.item.title,
                refused,
            });
        }
        for id in items.iter().filter(|id| !seen.contains(id)) {
            if outcomes.iter().any(|outcome| outcome.item == *id) {
                continue;
            }
            outcomes.push(BulkOutcome {
                item: id.clone(),
                key: String::new(),
                title: String::new(),
                refused: Some("This item is not in this review.".to_owned()),
            });
        }
        tx.commit().await?;
        Ok(outcomes)
    }

    async fn change_one(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        found: &Found,
        change: &BulkChange,
        now: Millis,
    ) -> Result<(), ServiceError> {
        let stored = &found.item;
        let mut wanted = stored.clone();
        match change {
            BulkChange::Step(step) => {
                make_step(tx, actor, found, *step, None, now).await?;
                return Ok(());
            }
            BulkChange::Owner(owner) => wanted.owner.clone_from(owner),
            BulkChange::Reviewer(reviewer) => {
                wanted.reviewers.push(reviewer.clone());
                wanted.reviewers.sort();
                wanted.reviewers.dedup();
            }
            BulkChange::Due(date) => {
                wanted.due_on = date.as_ref().map(|date| date.as_str().to_owned());
            }
            BulkChange::Gating(gating) => wanted.gating = *gating,
        }
        self.allow_item_change(tx, actor, found, &wanted).await?;
        check_people(tx, found, &wanted).await?;
        let changes = people_and_terms(tx, stored, &wanted).await?;
        if changes.is_empty() {
            return Ok(());
        }
        wanted.updated_at = now;
        store(tx, stored, &wanted).await?;
        let summary = format!("changed the {} of {}", changes.named(), stored.key);
        done(found, "item.changed", summary, &changes)
            .append(tx, actor, now)
            .await
    }

    /// The items that wait for the actor, the next due first: those they own and can move on, and those in review that they
    /// are to decide. An item in review that names no reviewer waits for every reviewer of its service.
    pub async fn waiting_on_me(
        &self,
        actor: &Actor,
        after: Option<&ItemId>,
        limit: usize,
    ) -> Result<Page<WaitingItem, ItemId>, ServiceError> {
        let (limit, read) = limit_of(limit);
        let everywhere = reads_only(actor).is_none();
        let mut tx = self.database().read().await?;
        let waiting = tx
            .waiting_on(&actor.id, everywhere, self.now(), after, read)
            .await?;
        let mut page = Page::cut(waiting, limit, |waiting| waiting.item.id.clone());
        page.entries
            .retain(|waiting| actor.reaches(&waiting.service));
        Ok(page)
    }

    /// How many items wait for the actor, for the header of every page.
    pub async fn n_waiting_on_me(&self, actor: &Actor) -> Result<i64, ServiceError> {
        let everywhere = reads_only(actor).is_none();
        let mut tx = self.database().read().await?;
        Ok(tx.n_waiting_on(&actor.id, everywhere, self.now()).await?)
    }

    /// An item, if the actor may do this with it. Whoever may not read it is told that it was not found.
    pub(crate) async fn item_to(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        id: &ItemId,
        action: Action,
    ) -> Result<Found, ServiceError> {
        let not_found = || ServiceError::NotFound("This item");
        let item = tx.item(id).await?.ok_or_else(not_found)?;
        let allowed = self.review_to(tx, actor, &item.review, action).await;
        let (review, _) = allowed.map_err(|error| match error {
            ServiceError::NotFound(_) => not_found(),
            error => error,
        })?;
        Ok(Found { item, review })
    }

    /// As [`Services::item_to`], and nobody else changes the item until this unit of work ends.
    pub(crate) async fn item_to_change(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        id: &ItemId,
        action: Action,
    ) -> Result<Found, ServiceError> {
        tx.lock_items(std::slice::from_ref(id)).await?;
        self.item_to(tx, actor, id, action).await
    }

    /// Lets the actor change anything of an item at all, or says who may.
    async fn allow_some_change(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        found: &Found,
    ) -> Result<(), ServiceError> {
        let service = &found.review.service;
        if self
            .allow(tx, actor, service, Action::Manage)
            .await
            .is_err()
        {
            self.allow(tx, actor, service, Action::Contribute).await?;
        }
        Ok(())
    }

    /// Lets the actor change these of an item's people and terms, or says who may.
    async fn allow_item_change(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        found: &Found,
        wanted: &Item,
    ) -> Result<(), ServiceError> {
        let stored = &found.item;
        let service = &found.review.service;
        let manages = self.allow(tx, actor, service, Action::Manage).await;
        if manages.is_ok() {
            return Ok(());
        }
        self.allow(tx, actor, service, Action::Contribute).await?;
        if stored.gating != wanted.gating
            || stored.due_on != wanted.due_on
            || stored.quorum != wanted.quorum
        {
            return manages.map(|_| ());
        }
        let takes = stored.owner.is_none() && wanted.owner.as_ref() == Some(&actor.id);
        if stored.owner != wanted.owner && !takes {
            return Err(ServiceError::Forbidden(
                "Only a manager of this service can hand an item over.".to_owned(),
            ));
        }
        let owns = takes || stored.owner.as_ref() == Some(&actor.id);
        if stored.reviewers != wanted.reviewers && !owns {
            return Err(ServiceError::Forbidden(
                "Only the item's owner or a manager of this service can choose its reviewers."
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

/// What a move asks for.
pub(crate) const fn step_needs(step: Step) -> Action {
    match step {
        Step::Start | Step::RequestReview | Step::BackToWork | Step::Reopen => Action::Contribute,
        Step::ReviewAgain => Action::Decide,
        Step::EndWaiver => Action::Manage,
    }
}

async fn make_step(
    tx: &mut Tx,
    actor: &Actor,
    found: &Found,
    step: Step,
    note: Option<&Reason>,
    now: Millis,
) -> Result<Item, ServiceError> {
    let stored = &found.item;
    let state = stored.state_at(now);
    let next = item::step(state, step).map_err(ServiceError::at(""))?;
    let mut wanted = stored.clone();
    wanted.state = next;
    wanted.updated_at = now;
    // Whoever takes decided work up again begins a new round: what was signed before is history. A waiver that ran out was
    // decided work too.
    if stored.state.is_decided() {
        wanted.round += 1;
        wanted.waived_until = None;
    }
    match step {
        Step::RequestReview => {
            if found.review.policy.evidence_required && tx.n_evidence(&stored.id).await? == 0 {
                return Err(ServiceError::rejected(
                    "",
                    "There is no evidence yet, and this review asks for some. Add evidence, then request the review.",
                ));
            }
            wanted.review_requested_by = Some(actor.id.clone());
            wanted.review_requested_at = Some(now);
        }
        // Whoever asked for the review first stays the one who asked: a reviewer who looks again may still sign.
        Step::ReviewAgain | Step::EndWaiver => wanted.review_requested_at = Some(now),
        Step::Start | Step::BackToWork | Step::Reopen => {}
    }
    let round = (stored.round.to_string(), wanted.round.to_string());
    let changes = Changes::default()
        .field("state", Some(state.as_str()), Some(next.as_str()))
        .field("round", Some(&round.0), Some(&round.1))
        .field("note", None, note.map(Reason::as_str));
    let key = &stored.key;
    let (action, summary) = match step {
        Step::Start => ("item.started", format!("began work on {key}")),
        Step::RequestReview => (
            "item.review_requested",
            format!("asked for review of {key}"),
        ),
        Step::BackToWork => ("item.sent_back", format!("sent {key} back to work")),
        Step::Reopen => ("item.reopened", format!("reopened {key}")),
        Step::ReviewAgain => ("item.review_again", format!("put {key} in review again")),
        Step::EndWaiver => ("item.waiver_ended", format!("ended the waiver of {key}")),
    };
    store(tx, stored, &wanted).await?;
    done(found, action, summary, &changes)
        .append(tx, actor, now)
        .await?;
    wanted.version += 1;
    Ok(wanted)
}

async fn store(tx: &mut Tx, stored: &Item, wanted: &Item) -> Result<(), ServiceError> {
    tx.update_item(wanted).await?;
    if stored.reviewers != wanted.reviewers {
        tx.set_reviewers(&wanted.id, &wanted.reviewers).await?;
    }
    Ok(())
}

fn done<'a>(found: &'a Found, action: &'a str, summary: String, changes: &Changes) -> Done<'a> {
    Done {
        action,
        subject_kind: "item",
        subject: found.item.id.as_str(),
        service: Some(found.review.service.as_str()),
        review: Some(found.review.id.as_str()),
        summary,
        before: changes.before(),
        after: changes.after(),
    }
}

/// What differs in people and terms, with people by their names.
async fn people_and_terms(
    tx: &mut Tx,
    stored: &Item,
    wanted: &Item,
) -> Result<Changes, ServiceError> {
    let involved = [stored, wanted]
        .into_iter()
        .flat_map(|item| item.owner.iter().chain(&item.reviewers));
    let people = names(tx, involved.collect()).await?;
    let owner = |item: &Item| item.owner.as_ref().map(|id| name_of(id, &people).name);
    let reviewers = |item: &Item| {
        let mut names: Vec<_> = item
            .reviewers
            .iter()
            .map(|id| name_of(id, &people).name)
            .collect();
        names.sort();
        (!names.is_empty()).then(|| names.join(", "))
    };
    let quorum = |item: &Item| item.quorum.map(|quorum| quorum.to_string());
    let mut changes = Changes::default();
    // Two people of one name are still two: the ids decide whether something changed, the names only say what.
    if stored.owner != wanted.owner {
        changes = changes.changed("owner", owner(stored), owner(wanted));
    }
    if stored.reviewers != wanted.reviewers {
        changes = changes.changed("reviewers", reviewers(stored), reviewers(wanted));
    }
    Ok(changes
        .field(
            "gating",
            Some(stored.gating.as_str()),
            Some(wanted.gating.as_str()),
        )
        .field(
            "due date",
            stored.due_on.as_deref(),
            wanted.due_on.as_deref(),
        )
        .field(
            "quorum",
            quorum(stored).as_deref(),
            quorum(wanted).as_deref(),
        ))
}

/// New owners must be able to work on the service, new reviewers to decide there.
async fn check_people(tx: &mut Tx, found: &Found, wanted: &Item) -> Result<(), ServiceError> {
    let stored = &found.item;
    let service = &found.review.service;
    if let Some(owner) = &wanted.owner
        && stored.owner.as_ref() != Some(owner)
    {
        check_can_work(tx, service, owner, "owner").await?;
    }
    let new: Vec<_> = wanted
        .reviewers
        .iter()
        .filter(|reviewer| !stored.reviewers.contains(reviewer))
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    if wanted.reviewers.len() > 50 {
        return Err(ServiceError::rejected(
            "reviewers",
            "An item has at most 50 reviewers.",
        ));
    }
    let members = tx.members(service).await?;
    for reviewer in new {
        let member = members.iter().find(|(person, _)| person.id == *reviewer);
        let may = member
            .is_some_and(|(person, role)| role.may(Action::Decide) && person.disabled_at.is_none());
        if !may {
            let name = member.map_or("This person", |(person, _)| person.name.as_str());
            return Err(ServiceError::rejected(
                "reviewers",
                format!(
                    "{name} cannot sign items of this service. Choose a reviewer or manager of it, or have the role changed."
                ),
            ));
        }
    }
    Ok(())
}

/// Refuses an owner who cannot work on the service.
pub(crate) async fn check_can_work(
    tx: &mut Tx,
    service: &ServiceId,
    person: &PersonId,
    field: &'static str,
) -> Result<(), ServiceError> {
    let role = tx.service_role(service, person).await?;
    let account = tx.person(person).await?;
    let enabled = account
        .as_ref()
        .is_some_and(|account| account.disabled_at.is_none());
    if enabled && role.is_some_and(|role| role.may(Action::Contribute)) {
        return Ok(());
    }
    let name = account.map_or_else(|| "This person".to_owned(), |account| account.name);
    Err(ServiceError::rejected(
        field,
        format!(
            "{name} cannot work on this service. Choose a contributor, reviewer or manager of it, or have the role changed."
        ),
    ))
}

/// A person's name, if there is one.
pub(crate) async fn person_name(
    tx: &mut Tx,
    person: Option<&PersonId>,
) -> Result<Option<String>, ServiceError> {
    let people = names(tx, person.into_iter().collect()).await?;
    Ok(person.map(|id| name_of(id, &people).name))
}
