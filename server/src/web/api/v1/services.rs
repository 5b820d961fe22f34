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
use utoipa::{IntoParams, ToSchema};

use super::{
    asked::{self, Json, Key, Query},
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

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct List {
    /// From 1 to 200; 50 if not given.
    limit: Option<String>,
    /// `next_cursor` of the part before.
    cursor: Option<String>,
}

/// The services that the caller may read, by name.
#[utoipa::path(get, path = "/services", tag = "Services", params(List), responses((status = 200, body = Part<Service>)))]
pub(super) async fn list(
    State(services): State<Services>,
    caller: ApiCaller,
    Query(asked): Query<List>,
) -> Result<Response, WebError> {
    let limit = asked::limit(asked.limit.as_deref())?;
    let after = asked::cursor(asked.cursor.as_deref(), ServiceId::parse)?;
    let mut all = services.services_for(&caller).await?;
    if let Some(after) = &after {
        let at = all
            .iter()
            .position(|readable| readable.service.id == *after);
        all.drain(..=at.ok_or_else(asked::wrong_cursor)?);
    }
    let more = all.len() > limit;
    all.truncate(limit);
    let next_cursor = all
        .last()
        .filter(|_| more)
        .map(|last| last.service.id.to_string());
    let entries: Vec<Service> = all.into_iter().map(Service::from).collect();
    Ok(Given::ok(&Part {
        entries,
        next_cursor,
    })?
    .answer())
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
        slug: slug
            .as_deref()
            .map(Slug::parse)
            .transpose()
            .map_err(ServiceError::at("slug"))?,
        repository_url: repository_url
            .as_deref()
            .filter(|text| !text.is_empty())
            .map(WebAddress::parse)
            .transpose()
            .map_err(ServiceError::at("repository_url"))?,
        description: description
            .as_deref()
            .filter(|text| !text.is_empty())
            .map(Prose::parse)
            .transpose()
            .map_err(ServiceError::at("description"))?,
    };
    once(&services, &caller, &key, &asked.digest, async {
        let made = services.create_service(&caller, new).await?;
        let readable = services.service(&caller, &made.id).await?;
        let service = Service::from(readable);
        let given = Given::created(format!("/services/{}", service.slug), &service)?;
        Ok(given.version(service.version))
    })
    .await
}
