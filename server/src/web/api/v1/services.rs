//! Services.

use axum::{
    extract::{Path, State},
    response::Response,
};
use holdpoint_domain::{
    ServiceId,
    text::{Name, Prose, Slug, WebAddress},
};
use holdpoint_service::{NewService, ReadableService, ServiceError, Services};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    asked::{self, Json, Key, Query, WhichPart},
    given::{Given, Part, moment, once},
};
use crate::web::{WebError, api_caller::ApiCaller};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Service {
    id: String,
    slug: String,
    name: String,
    repository_url: Option<String>,
    /// Markdown.
    description: String,
    /// The caller's role there; null for an administrator without one.
    role: Option<String>,
    created_at: String,
    version: i64,
}

impl From<ReadableService> for Service {
    fn from(readable: ReadableService) -> Self {
        let service = readable.service;
        Self {
            id: service.id.to_string(),
            slug: service.slug,
            name: service.name,
            repository_url: service.repository_url,
            description: service.description,
            role: readable.role.map(|role| role.as_str().to_owned()),
            created_at: moment(service.created_at),
            version: service.version,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewService)]
pub(super) struct New {
    name: String,
    /// Made from the name if not given.
    slug: Option<String>,
    repository_url: Option<String>,
    /// Markdown.
    description: Option<String>,
}

/// The services that the caller may read, by name.
#[utoipa::path(get, path = "/services", tag = "Services", params(WhichPart), responses((status = 200, body = Part<Service>)))]
pub(super) async fn list(
    State(services): State<Services>,
    caller: ApiCaller,
    Query(asked): Query<WhichPart>,
) -> Result<Response, WebError> {
    let place = asked.place(ServiceId::parse)?;
    let all = services.services_for(&caller).await?;
    Part::of(all, place, |readable| &readable.service.id, Service::from)?.answer()
}

/// One service.
#[utoipa::path(get, path = "/services/{slug}", tag = "Services", responses((status = 200, body = Service)))]
pub(super) async fn show(
    State(services): State<Services>,
    caller: ApiCaller,
    Path(slug): Path<String>,
) -> Result<Response, WebError> {
    let service = Service::from(services.service_by_slug(&caller, &slug).await?);
    Ok(Given::ok(&service)?.version(service.version).answer())
}

/// Makes a service. Whoever makes it is its first manager.
#[utoipa::path(post, path = "/services", tag = "Services", request_body = New, responses((status = 201, body = Service)))]
pub(super) async fn create(
    State(services): State<Services>,
    caller: ApiCaller,
    key: Key,
    asked: Json<New>,
) -> Result<Response, WebError> {
    let New {
        name,
        slug,
        repository_url,
        description,
    } = asked.value;
    let new = NewService {
        name: Name::parse(&name).map_err(ServiceError::at("name"))?,
        slug: asked::optional("slug", slug.as_deref(), Slug::parse)?,
        repository_url: asked::filled(
            "repository_url",
            repository_url.as_deref(),
            WebAddress::parse,
        )?,
        description: asked::filled("description", description.as_deref(), Prose::parse)?,
    };
    once(&services, &caller, &key, &asked.digest, async |services| {
        let made = services.create_service(&caller, new.clone()).await?;
        let readable = services.service(&caller, &made.id).await?;
        let service = Service::from(readable);
        let given = Given::created(format!("/services/{}", service.slug), &service)?;
        Ok(given.version(service.version))
    })
    .await
}
