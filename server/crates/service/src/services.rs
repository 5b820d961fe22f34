//! Services and the people who have a role on them.

use std::collections::BTreeMap;

use holdpoint_domain::{
    InstanceRole, PersonId, ReviewId, ServiceId, ServiceRole,
    person::Action,
    text::{Name, Prose, Slug, WebAddress},
};
use holdpoint_storage::{Found, Listed, Person, Review, ReviewCounts, Service, StorageError};

use crate::{
    Actor, ServiceError, Services,
    accounts::{Confirmed, MAX_FOUND},
    changes::{Changes, Done, refuse_beyond},
};

/// What is needed to make a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewService {
    pub name: Name,
    /// Made from the name when absent.
    pub slug: Option<Slug>,
    pub repository_url: Option<WebAddress>,
    pub description: Option<Prose>,
}

/// A service's fields as they should be, made over the version that the person saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceChange {
    pub version: i64,
    pub name: Name,
    pub slug: Slug,
    pub repository_url: Option<WebAddress>,
    pub description: Option<Prose>,
}

/// A service as its reader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadableService {
    pub service: Service,
    /// Absent for an administrator without a role there.
    pub role: Option<ServiceRole>,
}

/// A review in the list of all that a person may read. Its verdict comes from `review_glances`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortfolioReview {
    pub review: Review,
    pub service: Service,
    pub role: Option<ServiceRole>,
    pub counts: ReviewCounts,
}

/// A part of a list, and where the next part begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T, K> {
    pub entries: Vec<T>,
    /// The key to ask for the next part with; absent at the end.
    pub next: Option<K>,
}

impl<T, K> Page<T, K> {
    /// Cuts a list that was read one entry too far.
    pub(crate) fn cut(mut entries: Vec<T>, limit: usize, key: impl Fn(&T) -> K) -> Self {
        let more = entries.len() > limit;
        entries.truncate(limit);
        let next = if more { entries.last().map(key) } else { None };
        Self { entries, next }
    }
}

/// How long a list's part can be.
pub const MAX_PAGE: usize = 500;

/// One more than asked for, so that it is known whether there is more.
pub(crate) fn limit_of(asked: usize) -> (usize, i64) {
    let limit = asked.clamp(1, MAX_PAGE);
    (limit, i64::try_from(limit + 1).unwrap_or(i64::MAX))
}

impl Services {
    /// Makes a service; whoever makes it is its first manager.
    pub async fn create_service(
        &self,
        actor: &Actor,
        new: NewService,
    ) -> Result<Service, ServiceError> {
        let slug = new
            .slug
            .or_else(|| Slug::from_name(new.name.as_str()))
            .ok_or_else(|| {
                ServiceError::rejected(
                    "slug",
                    "Write a short name in lower-case letters and digits: none can be made from this name.",
                )
            })?;
        let now = self.now();
        let id = ServiceId::parse(&self.ids().uuid(now)).expect("a UUID is an id");
        let service = Service {
            id,
            slug: slug.as_str().to_owned(),
            name: new.name.into(),
            repository_url: new.repository_url.map(|url| url.as_str().to_owned()),
            description: new.description.map(String::from).unwrap_or_default(),
            created_at: now,
            version: 1,
        };
        let mut tx = self.database().write().await?;
        self.allow_instance(&mut tx, actor, Action::Administer)
            .await?;
        refuse_beyond(&mut tx, Listed::Services, "", "services").await?;
        match tx.insert_service(&service).await {
            Err(StorageError::Conflict) => return Err(slug_taken(&service.slug)),
            other => other?,
        }
        tx.set_service_role(&service.id, &actor.id, Some(ServiceRole::Manager))
            .await?;
        let changes = Changes::default()
            .field("name", None, Some(&service.name))
            .field("slug", None, Some(&service.slug))
            .field("repository", None, service.repository_url.as_deref());
        Done {
            action: "service.created",
            subject_kind: "service",
            subject: service.id.as_str(),
            service: Some(service.id.as_str()),
            review: None,
            summary: format!("made the service {}", service.name),
            before: None,
            after: changes.after(),
        }
        .append(&mut tx, actor, now)
        .await?;
        tx.commit().await?;
        Ok(service)
    }

    /// Changes a service's name, slug, repository and description.
    pub async fn update_service(
        &self,
        actor: &Actor,
        id: &ServiceId,
        change: ServiceChange,
    ) -> Result<Service, ServiceError> {
        let mut tx = self.database().write().await?;
        tx.lock_policies_of(id).await?;
        self.allow(&mut tx, actor, id, Action::Manage).await?;
        let stored = tx
            .service(id)
            .await?
            .ok_or(ServiceError::NotFound("This service"))?;
        let mut wanted = stored.clone();
        wanted.name = change.name.into();
        wanted.slug = change.slug.as_str().to_owned();
        wanted.repository_url = change.repository_url.map(|url| url.as_str().to_owned());
        wanted.description = change.description.map(String::from).unwrap_or_default();
        let changes = Changes::default()
            .field("name", Some(&stored.name), Some(&wanted.name))
            .field("slug", Some(&stored.slug), Some(&wanted.slug))
            .field(
                "repository",
                stored.repository_url.as_deref(),
                wanted.repository_url.as_deref(),
            )
            .field(
                "description",
                Some(&stored.description),
                Some(&wanted.description),
            );
        if change.version != stored.version {
            return Err(changes
                .conflict(&mut tx, actor, "The service", id.as_str(), stored.version)
                .await?);
        }
        if changes.is_empty() {
            return Ok(stored);
        }
        match tx.update_service(&wanted).await {
            // The version was just compared under the lock, so only the slug can be the cause.
            Err(StorageError::Conflict) => return Err(slug_taken(&wanted.slug)),
            other => other?,
        }
        Done {
            action: "service.changed",
            subject_kind: "service",
            subject: id.as_str(),
            service: Some(id.as_str()),
            review: None,
            summary: format!("changed the service's {}", changes.named()),
            before: changes.before(),
            after: changes.after(),
        }
        .append(&mut tx, actor, self.now())
        .await?;
        tx.commit().await?;
        wanted.version += 1;
        Ok(wanted)
    }

    /// A service by the name it has in URLs.
    pub async fn service_by_slug(
        &self,
        actor: &Actor,
        slug: &str,
    ) -> Result<ReadableService, ServiceError> {
        let mut tx = self.database().read().await?;
        let service = tx
            .service_by_slug(slug)
            .await?
            .ok_or(ServiceError::NotFound("This service"))?;
        let role = self
            .allow(&mut tx, actor, &service.id, Action::Read)
            .await?;
        Ok(ReadableService { service, role })
    }

    /// A service by its id.
    pub async fn service(
        &self,
        actor: &Actor,
        id: &ServiceId,
    ) -> Result<ReadableService, ServiceError> {
        let mut tx = self.database().read().await?;
        let role = self.allow(&mut tx, actor, id, Action::Read).await?;
        let service = tx
            .service(id)
            .await?
            .ok_or(ServiceError::NotFound("This service"))?;
        Ok(ReadableService { service, role })
    }

    /// The services that the actor may read, by name.
    pub async fn services_for(&self, actor: &Actor) -> Result<Vec<ReadableService>, ServiceError> {
        let mut tx = self.database().read().await?;
        let roles: BTreeMap<_, _> = tx.memberships_of(&actor.id).await?.into_iter().collect();
        let services = tx.services(reads_only(actor)).await?;
        Ok(services
            .into_iter()
            .filter(|service| actor.reaches(&service.id))
            .map(|service| ReadableService {
                role: roles.get(&service.id).copied(),
                service,
            })
            .collect())
    }

    /// Everyone with a role on a service, by name.
    pub async fn members(
        &self,
        actor: &Actor,
        service: &ServiceId,
    ) -> Result<Vec<(Person, ServiceRole)>, ServiceError> {
        let mut tx = self.database().read().await?;
        self.allow(&mut tx, actor, service, Action::Read).await?;
        Ok(tx.members(service).await?)
    }

    /// Those with a role on a service whose name or address holds a text: the first [`MAX_FOUND`], by name.
    pub async fn members_found(
        &self,
        actor: &Actor,
        service: &ServiceId,
        text: &str,
    ) -> Result<Found<(Person, ServiceRole)>, ServiceError> {
        let mut tx = self.database().read().await?;
        self.allow(&mut tx, actor, service, Action::Read).await?;
        Ok(tx.members_found(service, text, MAX_FOUND).await?)
    }

    /// As [`Services::set_role`], for somebody at a page, who says again who they are.
    pub async fn change_role(
        &self,
        actor: &Actor,
        service: &ServiceId,
        person: &PersonId,
        role: Option<ServiceRole>,
        password: &str,
    ) -> Result<(), ServiceError> {
        let mut tx = self.database().read().await?;
        self.allow(&mut tx, actor, service, Action::Manage).await?;
        drop(tx);
        let confirmed = self.confirm_password(actor, password).await?;
        self.give_role(actor, service, person, role, Some(&confirmed))
            .await
    }

    /// Gives a person a role on a service instead of any they had, or takes it away. A service keeps a manager.
    pub async fn set_role(
        &self,
        actor: &Actor,
        service: &ServiceId,
        person: &PersonId,
        role: Option<ServiceRole>,
    ) -> Result<(), ServiceError> {
        self.give_role(actor, service, person, role, None).await
    }

    async fn give_role(
        &self,
        actor: &Actor,
        service: &ServiceId,
        person: &PersonId,
        role: Option<ServiceRole>,
        confirmed: Option<&Confirmed>,
    ) -> Result<(), ServiceError> {
        let mut tx = self.database().write().await?;
        tx.lock_policies_of(service).await?;
        self.allow(&mut tx, actor, service, Action::Manage).await?;
        if let Some(confirmed) = confirmed {
            self.hold_confirmed(&mut tx, actor, confirmed).await?;
        }
        let of = tx
            .person(person)
            .await?
            .ok_or(ServiceError::NotFound("This person"))?;
        let before = tx.service_role(service, person).await?;
        if before == role {
            return Ok(());
        }
        if before.is_none() && of.disabled_at.is_some() {
            return Err(ServiceError::rejected(
                "person",
                "This account is disabled. Enable it before giving it a role.",
            ));
        }
        if before.is_none() {
            let listed = Listed::MembersOf(service);
            refuse_beyond(&mut tx, listed, "role", "people with a role here").await?;
        }
        if before == Some(ServiceRole::Manager) {
            let another = tx.members(service).await?.into_iter().any(|(other, held)| {
                held == ServiceRole::Manager && other.id != *person && other.disabled_at.is_none()
            });
            if !another {
                return Err(ServiceError::rejected(
                    "role",
                    format!(
                        "{} is the last manager of this service. Make somebody else a manager first.",
                        of.name
                    ),
                ));
            }
        }
        tx.set_service_role(service, person, role).await?;
        if before == Some(ServiceRole::Manager) && of.instance_role != InstanceRole::Admin {
            // What only a manager can hand out does not outlive the role.
            tx.revoke_invitations_by(person, Some(service), self.now())
                .await?;
        }
        let changes = Changes::default().field(
            "role",
            before.map(ServiceRole::as_str),
            role.map(ServiceRole::as_str),
        );
        let summary = match role {
            Some(role) => format!("made {} a {}", of.name, role.label().to_lowercase()),
            None => format!("took {}'s role away", of.name),
        };
        Done {
            action: "service.role_changed",
            subject_kind: "person",
            subject: person.as_str(),
            service: Some(service.as_str()),
            review: None,
            summary,
            before: changes.before(),
            after: changes.after(),
        }
        .append(&mut tx, actor, self.now())
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// The reviews that the actor may read, the next due first, with the figures that a list shows.
    pub async fn portfolio(
        &self,
        actor: &Actor,
        after: Option<&ReviewId>,
        limit: usize,
    ) -> Result<Page<PortfolioReview, ReviewId>, ServiceError> {
        let (limit, read) = limit_of(limit);
        let mut tx = self.database().read().await?;
        let roles: BTreeMap<_, _> = tx.memberships_of(&actor.id).await?.into_iter().collect();
        let services: BTreeMap<_, _> = tx
            .services(reads_only(actor))
            .await?
            .into_iter()
            .filter(|service| actor.reaches(&service.id))
            .map(|service| (service.id.clone(), service))
            .collect();
        let only = actor
            .token
            .as_ref()
            .and_then(|token| token.service.as_ref());
        let reviews = tx.portfolio(reads_only(actor), only, after, read).await?;
        let page = Page::cut(reviews, limit, |review| review.id.clone());
        let ids: Vec<_> = page
            .entries
            .iter()
            .map(|review| review.id.clone())
            .collect();
        let counts = tx.review_counts(&ids, self.now()).await?;
        let entries = page
            .entries
            .into_iter()
            .zip(counts)
            .filter_map(|(review, counts)| {
                Some(PortfolioReview {
                    service: services.get(&review.service)?.clone(),
                    role: roles.get(&review.service).copied(),
                    review,
                    counts,
                })
            })
            .collect();
        Ok(Page {
            entries,
            next: page.next,
        })
    }
}

/// Whose roles limit what the actor can list: `None` for an administrator, who reads everything.
pub(crate) fn reads_only(actor: &Actor) -> Option<&PersonId> {
    (actor.instance_role != InstanceRole::Admin).then_some(&actor.id)
}

impl Actor {
    /// Whether a token, if one acts, can read this service at all. Whether the person can is another question.
    pub(crate) fn reaches(&self, service: &ServiceId) -> bool {
        self.token.as_ref().is_none_or(|token| {
            token.actions.contains(&Action::Read)
                && token.service.as_ref().is_none_or(|only| only == service)
        })
    }
}

fn slug_taken(slug: &str) -> ServiceError {
    ServiceError::rejected(
        "slug",
        format!("Another service is called `{slug}` in addresses. Choose another short name."),
    )
}
