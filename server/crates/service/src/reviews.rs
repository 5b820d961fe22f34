//! Reviews: made from a checklist for one release of a service.

use std::collections::BTreeMap;

use holdpoint_checklist::{Document, write_back_document};
use holdpoint_domain::{
    DeliverableId, Gating, ItemId, ItemState, Millis, PersonId, Policy, ReviewId, SectionId,
    ServiceId, ServiceRole, TemplateVersionId,
    digest::canonical_json,
    person::Action,
    text::{Commit, Date, Name},
};
use holdpoint_storage::{
    ActivityFilter, Deliverable, Item, ItemCounts, ItemFigures, ItemFilter, Review, ReviewCounts,
    Section, Service, StorageError, Template, TemplateVersion, Tx,
};

use crate::{
    Actor, Page, ServiceError, Services,
    accounts::Confirmed,
    changes::{Changes, Done, names},
    services::limit_of,
    templates::{document_of, person_meant, source_of},
};

/// What is needed to begin a review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReview {
    pub template_version: TemplateVersionId,
    pub title: Name,
    pub release: Name,
    pub commit: Option<Commit>,
    pub due_on: Option<Date>,
    pub policy: Policy,
}

/// A review that was just made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedReview {
    pub review: Review,
    pub n_items: usize,
    /// Owners that the document names and that are nobody on this service: each as written, once.
    pub unknown_owners: Vec<String>,
}

/// A review's fields as they should be, made over the version that the person saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewChange {
    pub version: i64,
    pub title: Name,
    pub release: Name,
    pub commit: Option<Commit>,
    pub due_on: Option<Date>,
    pub policy: Policy,
}

/// What every page of a review shows on top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewHead {
    pub review: Review,
    pub service: Service,
    /// Absent for an administrator without a role there.
    pub role: Option<ServiceRole>,
    pub template: Template,
    pub template_version: TemplateVersion,
    pub counts: ReviewCounts,
}

/// A person as pages name them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    pub id: PersonId,
    pub name: String,
}

/// The checklist page: the sections that have asked-for items, with those.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChecklistPage {
    pub head: ReviewHead,
    /// How many items the filter asks for, on all parts of the list.
    pub n_matching: i64,
    pub sections: Vec<ChecklistSection>,
    /// The key to ask for the next part with.
    pub next: Option<ItemId>,
    /// Whoever owns or reviews an item, for the filters.
    pub people: Vec<Named>,
}

/// A section with its asked-for items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChecklistSection {
    /// Absent for items in no section.
    pub section: Option<Section>,
    /// Of all its items, whatever the filter.
    pub counts: ItemCounts,
    pub items: Vec<ListedItem>,
}

/// An item in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedItem {
    pub item: Item,
    /// As of now: a waiver that ran out is in review.
    pub state: ItemState,
    pub is_late: bool,
    pub owner: Option<Named>,
    pub reviewers: Vec<Named>,
    pub figures: ItemFigures,
}

/// A deliverable with the names of its people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedDeliverable {
    pub deliverable: Deliverable,
    pub owner: Option<Named>,
    pub done_by: Option<Named>,
}

/// Whose activity is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActivityOf {
    Service(ServiceId),
    Review(ReviewId),
    Item(ItemId),
    /// Anything else that belongs to a service: a finding, a scan, a patch.
    Subject {
        service: ServiceId,
        id: String,
    },
}

/// An activity entry with its actor's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityLine {
    pub sequence: i64,
    pub at: Millis,
    /// A person's name, or "Holdpoint".
    pub who: String,
    pub action: String,
    pub subject_kind: String,
    pub subject: String,
    /// A plain sentence without the actor's name: "asked for review".
    pub summary: String,
    /// JSON of what changed.
    pub before: Option<String>,
    pub after: Option<String>,
}

impl Services {
    /// Begins a review: sections, items and deliverables are copied from the checklist, so that later versions of it
    /// change nothing here. Every item begins open, whatever its box says: only a signature decides.
    pub async fn create_review(
        &self,
        actor: &Actor,
        service: &ServiceId,
        new: NewReview,
    ) -> Result<CreatedReview, ServiceError> {
        let mut tx = self.database().read().await?;
        self.allow(&mut tx, actor, service, Action::Manage).await?;
        let (version, source) = self
            .readable_source(&mut tx, actor, &new.template_version)
            .await?;
        drop(tx);
        check_policy(&new.policy)?;
        let document = document_of(&version, source).await?;
        let now = self.now();
        let review = Review {
            id: ReviewId::parse(&self.ids().uuid(now)).expect("a UUID is an id"),
            service: service.clone(),
            template_version: version.id.clone(),
            title: new.title.into(),
            release: new.release.into(),
            commit: new.commit.map(|commit| commit.as_str().to_owned()),
            due_on: new.due_on.map(|date| date.as_str().to_owned()),
            policy: new.policy,
            created_at: now,
            created_by: actor.id.clone(),
            version: 1,
        };

        let mut tx = self.database().write().await?;
        tx.lock_policies_of(service).await?;
        self.allow(&mut tx, actor, service, Action::Manage).await?;
        let members: Vec<_> = tx
            .members(service)
            .await?
            .into_iter()
            .filter(|(person, role)| role.may(Action::Contribute) && person.disabled_at.is_none())
            .map(|(person, _)| (person.id, person.name, person.email))
            .collect();
        self.check_approvers(&mut tx, &review).await?;
        let copied = self.copy_of(&review, &document, &members, now);
        tx.insert_review(&review).await?;
        tx.insert_sections(&copied.sections).await?;
        tx.insert_items(&copied.items).await?;
        tx.insert_deliverables(&copied.deliverables).await?;
        let n_items = copied.items.len();
        let items = n_items.to_string();
        let changes = Changes::default()
            .field("title", None, Some(&review.title))
            .field("release", None, Some(&review.release))
            .field("commit", None, review.commit.as_deref())
            .field("due date", None, review.due_on.as_deref())
            .field("policy", None, Some(&canonical_json(&review.policy)))
            .field("checklist", None, Some(version.sha256.as_str()))
            .field("items", None, Some(&items));
        Done {
            action: "review.created",
            subject_kind: "review",
            subject: review.id.as_str(),
            service: Some(service.as_str()),
            review: Some(review.id.as_str()),
            summary: format!("began the review {} of {}", review.title, review.release),
            before: None,
            after: changes.after(),
        }
        .append(&mut tx, actor, now)
        .await?;
        self.map_new_review(&mut tx, actor, &review.id, now).await?;
        self.ask_for_second_person(&mut tx, actor, service, now)
            .await?;
        tx.commit().await?;
        Ok(CreatedReview {
            review,
            n_items,
            unknown_owners: copied.unknown_owners,
        })
    }

    /// As [`Services::update_review`], for somebody at a page, who says again who they are where the policy changes: it decides
    /// which signatures count.
    pub async fn change_review(
        &self,
        actor: &Actor,
        id: &ReviewId,
        change: ReviewChange,
        password: &str,
    ) -> Result<Review, ServiceError> {
        let mut tx = self.database().read().await?;
        let (stored, _) = self.review_to(&mut tx, actor, id, Action::Manage).await?;
        drop(tx);
        // A change that was made over another version is refused, so what is compared here is what will be changed.
        let confirmed = if change.version == stored.version && change.policy != stored.policy {
            Some(self.confirm_password(actor, password).await?)
        } else {
            None
        };
        self.set_review(actor, id, change, confirmed.as_ref()).await
    }

    /// Changes a review's title, release, target commit, due date and policy. When the commit moves, evidence of other
    /// commits is stale from then on, so that is an activity of its own.
    pub async fn update_review(
        &self,
        actor: &Actor,
        id: &ReviewId,
        change: ReviewChange,
    ) -> Result<Review, ServiceError> {
        self.set_review(actor, id, change, None).await
    }

    async fn set_review(
        &self,
        actor: &Actor,
        id: &ReviewId,
        change: ReviewChange,
        confirmed: Option<&Confirmed>,
    ) -> Result<Review, ServiceError> {
        let mut tx = self.database().write().await?;
        tx.lock_policies_of_review(id).await?;
        tx.lock_review(id).await?;
        let (stored, _) = self.review_to(&mut tx, actor, id, Action::Manage).await?;
        if let Some(confirmed) = confirmed {
            self.hold_confirmed(&mut tx, actor, confirmed).await?;
        }
        check_policy(&change.policy)?;
        let mut wanted = stored.clone();
        wanted.title = change.title.into();
        wanted.release = change.release.into();
        wanted.commit = change.commit.map(|commit| commit.as_str().to_owned());
        wanted.due_on = change.due_on.map(|date| date.as_str().to_owned());
        wanted.policy = change.policy;
        let about = || {
            Changes::default()
                .field("title", Some(&stored.title), Some(&wanted.title))
                .field("release", Some(&stored.release), Some(&wanted.release))
                .field(
                    "due date",
                    stored.due_on.as_deref(),
                    wanted.due_on.as_deref(),
                )
                .field(
                    "policy",
                    Some(&canonical_json(&stored.policy)),
                    Some(&canonical_json(&wanted.policy)),
                )
        };
        let commit = (stored.commit.as_deref(), wanted.commit.as_deref());
        if change.version != stored.version {
            return Err(about()
                .field("commit", commit.0, commit.1)
                .conflict(&mut tx, actor, "The review", id.as_str(), stored.version)
                .await?);
        }
        let moved = Changes::default().field("commit", commit.0, commit.1);
        let rest = about();
        if moved.is_empty() && rest.is_empty() {
            return Ok(stored);
        }
        if stored.policy.approvers != wanted.policy.approvers {
            self.check_approvers(&mut tx, &wanted).await?;
        }
        tx.update_review(&wanted).await?;
        let now = self.now();
        let done = |action, summary, changes: &Changes| Done {
            action,
            subject_kind: "review",
            subject: id.as_str(),
            service: Some(stored.service.as_str()),
            review: Some(id.as_str()),
            summary,
            before: changes.before(),
            after: changes.after(),
        };
        if !rest.is_empty() {
            let summary = format!("changed the review's {}", rest.named());
            done("review.changed", summary, &rest)
                .append(&mut tx, actor, now)
                .await?;
        }
        if stored.policy != wanted.policy {
            self.ask_for_second_person(&mut tx, actor, &stored.service, now)
                .await?;
        }
        if !moved.is_empty() {
            let summary = match &wanted.commit {
                Some(commit) => format!("moved the target commit to {commit}"),
                None => "took the target commit away".to_owned(),
            };
            done("review.commit_moved", summary, &moved)
                .append(&mut tx, actor, now)
                .await?;
        }
        tx.commit().await?;
        wanted.version += 1;
        Ok(wanted)
    }

    /// What every page of a review shows on top.
    pub async fn review(&self, actor: &Actor, id: &ReviewId) -> Result<ReviewHead, ServiceError> {
        let mut tx = self.database().read().await?;
        self.review_head(&mut tx, actor, id).await
    }

    /// A service's reviews, newest first.
    pub async fn reviews_of(
        &self,
        actor: &Actor,
        service: &ServiceId,
        before: Option<&ReviewId>,
        limit: usize,
    ) -> Result<Page<(Review, ReviewCounts), ReviewId>, ServiceError> {
        let (limit, read) = limit_of(limit);
        let mut tx = self.database().read().await?;
        self.allow(&mut tx, actor, service, Action::Read).await?;
        let reviews = tx.reviews_of(service, before, read).await?;
        let page = Page::cut(reviews, limit, |review| review.id.clone());
        let ids: Vec<_> = page
            .entries
            .iter()
            .map(|review| review.id.clone())
            .collect();
        let counts = tx.review_counts(&ids, self.now()).await?;
        Ok(Page {
            entries: page.entries.into_iter().zip(counts).collect(),
            next: page.next,
        })
    }

    /// The checklist page: the items that a filter asks for, in the document's order, from behind the item `after` on.
    pub async fn checklist(
        &self,
        actor: &Actor,
        id: &ReviewId,
        filter: &ItemFilter,
        after: Option<&ItemId>,
        limit: usize,
    ) -> Result<ChecklistPage, ServiceError> {
        let now = self.now();
        let (limit, read) = limit_of(limit);
        let mut tx = self.database().read().await?;
        let head = self.review_head(&mut tx, actor, id).await?;
        let items = tx.items_where(id, filter, now, after, read).await?;
        let n_matching = if after.is_none() && items.len() <= limit {
            i64::try_from(items.len()).unwrap_or(i64::MAX)
        } else {
            tx.n_items_where(id, filter, now).await?
        };
        let page = Page::cut(items, limit, |item| item.id.clone());
        let involved = tx.people_of_items(id).await?;
        let people = names(&mut tx, involved.iter().collect()).await?;
        let listed = list_items(&mut tx, page.entries, &people, now).await?;
        let mut counts: BTreeMap<_, _> = tx.section_counts(id, now).await?.into_iter().collect();
        let sections: BTreeMap<_, _> = tx
            .sections(id)
            .await?
            .into_iter()
            .map(|section| (section.id.clone(), section))
            .collect();
        let mut shown: Vec<ChecklistSection> = Vec::new();
        for item in listed {
            let of = item.item.section.as_ref();
            let same = shown
                .last()
                .is_some_and(|last| last.section.as_ref().map(|section| &section.id) == of);
            if !same {
                shown.push(ChecklistSection {
                    section: of.and_then(|id| sections.get(id).cloned()),
                    counts: counts.remove(&of.cloned()).unwrap_or_default(),
                    items: Vec::new(),
                });
            }
            if let Some(last) = shown.last_mut() {
                last.items.push(item);
            }
        }
        let mut people: Vec<_> = people
            .iter()
            .filter_map(|(id, name)| named(id, name))
            .collect();
        people.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        Ok(ChecklistPage {
            head,
            n_matching,
            sections: shown,
            next: page.next,
            people,
        })
    }

    /// Every section of a review, those without items too, in the document's order.
    pub async fn sections(
        &self,
        actor: &Actor,
        id: &ReviewId,
    ) -> Result<Vec<Section>, ServiceError> {
        let mut tx = self.database().read().await?;
        self.review_to(&mut tx, actor, id, Action::Read).await?;
        Ok(tx.sections(id).await?)
    }

    /// The review's checklist document as it was imported, with exactly the boxes ticked of items that are passed or not
    /// applicable by a valid signature. All other bytes are the document's own.
    pub async fn ticked_document(
        &self,
        actor: &Actor,
        id: &ReviewId,
    ) -> Result<(String, Vec<u8>), ServiceError> {
        let standing = self.review_standing(actor, id).await?;
        let mut tx = self.database().read().await?;
        let (review, _) = self.review_to(&mut tx, actor, id, Action::Export).await?;
        let (version, source) = source_of(&mut tx, &review.template_version).await?;
        drop(tx);
        let cleared: std::collections::HashSet<String> = standing
            .items
            .iter()
            .filter(|item| item.state.ticks_the_box() && item.is_signed())
            .map(|item| item.item.key.clone())
            .collect();
        let document = document_of(&version, source.clone()).await?;
        let text = holdpoint_checklist::decode(&source).map_err(ServiceError::unavailable)?;
        let written = write_back_document(text, &document, |item| cleared.contains(&item.key));
        Ok((version.file_name, written.into_bytes()))
    }

    /// What happened, newest first, from before a sequence on.
    pub async fn activity_of(
        &self,
        actor: &Actor,
        of: &ActivityOf,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Page<ActivityLine, i64>, ServiceError> {
        let (limit, read) = limit_of(limit);
        let mut tx = self.database().read().await?;
        let filter = match of {
            ActivityOf::Service(id) => {
                self.allow(&mut tx, actor, id, Action::Export).await?;
                ActivityFilter {
                    service: Some(id.as_str()),
                    ..ActivityFilter::default()
                }
            }
            ActivityOf::Review(id) => {
                self.review_to(&mut tx, actor, id, Action::Export).await?;
                ActivityFilter {
                    review: Some(id.as_str()),
                    ..ActivityFilter::default()
                }
            }
            ActivityOf::Item(id) => {
                self.item_to(&mut tx, actor, id, Action::Export).await?;
                ActivityFilter {
                    subject: Some(id.as_str()),
                    ..ActivityFilter::default()
                }
            }
            ActivityOf::Subject { service, id } => {
                self.allow(&mut tx, actor, service, Action::Export).await?;
                ActivityFilter {
                    subject: Some(id),
                    service: Some(service.as_str()),
                    ..ActivityFilter::default()
                }
            }
        };
        let filter = ActivityFilter { before, ..filter };
        let entries = tx.activity(filter, read).await?;
        let actors = entries
            .iter()
            .map(|stored| stored.entry.actor.as_str())
            .collect();
        let people = tx.names(&actors).await?;
        let lines = entries
            .into_iter()
            .map(|stored| {
                let entry = stored.entry;
                let who = people.get(&entry.actor).cloned();
                ActivityLine {
                    who: who.unwrap_or_else(|| "Holdpoint".to_owned()),
                    sequence: entry.sequence,
                    at: entry.at,
                    action: entry.action,
                    subject_kind: entry.subject_kind,
                    subject: entry.subject,
                    summary: entry.summary,
                    before: entry.before,
                    after: entry.after,
                }
            })
            .collect();
        Ok(Page::cut(lines, limit, |line| line.sequence))
    }

    /// A review, if the actor may do this with it. Whoever may not read it is told that it was not found.
    pub(crate) async fn review_to(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        id: &ReviewId,
        action: Action,
    ) -> Result<(Review, Option<ServiceRole>), ServiceError> {
        let review = tx.review(id).await?;
        let review = review.ok_or(ServiceError::NotFound("This review"))?;
        let role = self
            .allow(tx, actor, &review.service, action)
            .await
            .map_err(|error| match error {
                ServiceError::NotFound(_) => ServiceError::NotFound("This review"),
                error => error,
            })?;
        Ok((review, role))
    }

    async fn review_head(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        id: &ReviewId,
    ) -> Result<ReviewHead, ServiceError> {
        let (review, role) = self.review_to(tx, actor, id, Action::Read).await?;
        let missing = |what: &str| StorageError::Damaged(format!("review {id} has no {what}"));
        let service = tx.service(&review.service).await?;
        let service = service.ok_or_else(|| missing("service"))?;
        let template_version = tx.template_version(&review.template_version).await?;
        let template_version = template_version.ok_or_else(|| missing("template version"))?;
        let template = tx.template(&template_version.template).await?;
        let template = template.ok_or_else(|| missing("template"))?;
        let counts = tx
            .review_counts(std::slice::from_ref(id), self.now())
            .await?
            .pop()
            .unwrap_or_default();
        Ok(ReviewHead {
            review,
            service,
            role,
            template,
            template_version,
            counts,
        })
    }

    /// Named approvers must be people who can sign the release decision.
    async fn check_approvers(&self, tx: &mut Tx, review: &Review) -> Result<(), ServiceError> {
        if review.policy.approvers.is_empty() {
            return Ok(());
        }
        let members = tx.members(&review.service).await?;
        for approver in &review.policy.approvers {
            let may = members.iter().any(|(person, role)| {
                person.id.as_str() == approver && role.may(Action::DecideRelease)
            });
            if !may {
                let name = members
                    .iter()
                    .find(|(person, _)| person.id.as_str() == approver)
                    .map_or("An approver named here", |(person, _)| person.name.as_str());
                return Err(ServiceError::rejected(
                    "approvers",
                    format!(
                        "{name} is no manager of this service, so cannot sign the release decision."
                    ),
                ));
            }
        }
        Ok(())
    }

    fn copy_of(
        &self,
        review: &Review,
        document: &Document,
        members: &[(PersonId, String, String)],
        now: Millis,
    ) -> Copied {
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let section_ids: Vec<_> = document
            .sections
            .iter()
            .map(|_| SectionId::parse(&self.ids().uuid(now)).expect("a UUID is an id"))
            .collect();
        let sections = document
            .sections
            .iter()
            .enumerate()
            .map(|(at, section)| Section {
                id: section_ids[at].clone(),
                review: review.id.clone(),
                parent: section
                    .parent
                    .and_then(|parent| section_ids.get(parent).cloned()),
                position: number(at + 1),
                level: i64::from(section.level),
                number: Some(section.key.clone()).filter(|key| !key.is_empty()),
                title: section.title.clone(),
                prose: section.prose.clone(),
            })
            .collect();
        let item_ids: Vec<_> = document
            .items
            .iter()
            .map(|_| ItemId::parse(&self.ids().uuid(now)).expect("a UUID is an id"))
            .collect();
        let mut unknown_owners = Vec::new();
        let items = document
            .items
            .iter()
            .enumerate()
            .map(|(at, item)| {
                let owner = item.owner.as_deref().and_then(|hint| {
                    let meant = person_meant(hint, members).cloned();
                    if meant.is_none() && !unknown_owners.iter().any(|known| known == hint) {
                        unknown_owners.push(hint.to_owned());
                    }
                    meant
                });
                Item {
                    id: item_ids[at].clone(),
                    review: review.id.clone(),
                    section: section_ids.get(item.section).cloned(),
                    parent: item.parent.and_then(|parent| item_ids.get(parent).cloned()),
                    position: number(at + 1),
                    key: item.key.clone(),
                    title: item.title.clone(),
                    body: item.body.clone(),
                    source_line: number(item.line),
                    gating: item.gating.unwrap_or(Gating::Blocker),
                    state: ItemState::Open,
                    round: 1,
                    owner,
                    reviewers: Vec::new(),
                    due_on: None,
                    quorum: None,
                    scan_hint: item.scan.clone(),
                    review_requested_by: None,
                    review_requested_at: None,
                    waived_until: None,
                    updated_at: now,
                    version: 1,
                }
            })
            .collect();
        let deliverables = document
            .deliverables
            .iter()
            .enumerate()
            .map(|(at, deliverable)| Deliverable {
                id: DeliverableId::parse(&self.ids().uuid(now)).expect("a UUID is an id"),
                review: review.id.clone(),
                position: number(at + 1),
                title: deliverable.title.clone(),
                body: deliverable.body.clone(),
                done: false,
                note: String::new(),
                owner: None,
                done_by: None,
                done_at: None,
                version: 1,
            })
            .collect();
        Copied {
            sections,
            items,
            deliverables,
            unknown_owners,
        }
    }
}

/// A document as a review's own rows.
struct Copied {
    sections: Vec<Section>,
    items: Vec<Item>,
    deliverables: Vec<Deliverable>,
    unknown_owners: Vec<String>,
}

/// A policy that asks for nothing signed would be no hold point.
fn check_policy(policy: &Policy) -> Result<(), ServiceError> {
    if !(1..=20).contains(&policy.quorum) {
        return Err(ServiceError::rejected(
            "quorum",
            "Between 1 and 20 people must sign an item.",
        ));
    }
    if !(1..=20).contains(&policy.approvals) {
        return Err(ServiceError::rejected(
            "approvals",
            "Between 1 and 20 people must sign the release decision.",
        ));
    }
    if policy.required_scans.len() > 100
        || policy
            .required_scans
            .iter()
            .any(|scan| scan.check().is_err())
    {
        return Err(ServiceError::rejected(
            "required_scans",
            "Name each required scan on a line of its own, as `tool` or `tool: label`; at most 100.",
        ));
    }
    Ok(())
}

pub(crate) fn named(id: &str, name: &str) -> Option<Named> {
    Some(Named {
        id: PersonId::parse(id)?,
        name: name.to_owned(),
    })
}

/// Gives a person their name; someone whose account is gone keeps the id.
pub(crate) fn name_of(id: &PersonId, people: &BTreeMap<String, String>) -> Named {
    Named {
        id: id.clone(),
        name: people
            .get(id.as_str())
            .cloned()
            .unwrap_or_else(|| id.to_string()),
    }
}

/// Puts beside each item what a list shows of it.
pub(crate) async fn list_items(
    tx: &mut Tx,
    items: Vec<Item>,
    people: &BTreeMap<String, String>,
    now: Millis,
) -> Result<Vec<ListedItem>, ServiceError> {
    let ids: Vec<_> = items.iter().map(|item| item.id.clone()).collect();
    let figures = tx.item_figures(&ids, now).await?;
    Ok(items
        .into_iter()
        .zip(figures)
        .map(|(item, figures)| {
            let mut reviewers: Vec<_> = item
                .reviewers
                .iter()
                .map(|id| name_of(id, people))
                .collect();
            reviewers.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
            ListedItem {
                state: item.state_at(now),
                is_late: item.is_late(now),
                owner: item.owner.as_ref().map(|id| name_of(id, people)),
                reviewers,
                figures,
                item,
            }
        })
        .collect())
}
