//! Forms of services, and of the sample.

use leptos::prelude::*;

use super::ActionError;

#[cfg(feature = "ssr")]
use {
    super::{ActionContext, Notice},
    crate::{
        one_time,
        pages::portfolio::sample::{ShownPerson, shown_as},
        paths,
    },
    holdpoint_domain::{
        ServiceId,
        text::{Name, Prose, Slug, WebAddress},
    },
    holdpoint_service::{NewService, ServiceChange, ServiceError},
};

/// Makes a service; whoever makes it is its first manager.
#[server(prefix = "/act", endpoint = "services/create")]
pub async fn create_service(
    #[server(default)] name: String,
    #[server(default)] slug: String,
    #[server(default)] repository_url: String,
    #[server(default)] description: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let new = NewService {
            name: Name::parse(&name).map_err(ServiceError::at("name"))?,
            slug: optional("slug", &slug, Slug::parse)?,
            repository_url: optional("repository_url", &repository_url, WebAddress::parse)?,
            description: optional("description", &description, Prose::parse)?,
        };
        let service = cx.services.create_service(&cx.person, new).await?;
        Ok::<_, ServiceError>(
            Notice::new(format!(
                "{} is made, and you are its manager. Give its people their roles, then begin a review.",
                service.name
            ))
            .at(paths::service(&service.slug)),
        )
    }
    .await;
    let typed = [
        ("name", name.as_str()),
        ("slug", &slug),
        ("repository_url", &repository_url),
        ("description", &description),
    ];
    cx.answer(outcome, paths::NEW_SERVICE, &typed).await
}

/// Changes a service, over the version that the person saw.
#[server(prefix = "/act", endpoint = "services/change")]
pub async fn change_service(
    service: String,
    version: i64,
    #[server(default)] name: String,
    #[server(default)] slug: String,
    #[server(default)] repository_url: String,
    #[server(default)] description: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let mut back = paths::SERVICES.to_owned();
    let outcome = async {
        let id = ServiceId::parse(&service).ok_or(ServiceError::NotFound("This service"))?;
        let stored = cx.services.service(&cx.person, &id).await?.service;
        back = paths::service_settings(&stored.slug);
        let change = ServiceChange {
            version,
            name: Name::parse(&name).map_err(ServiceError::at("name"))?,
            slug: Slug::parse(&slug).map_err(ServiceError::at("slug"))?,
            repository_url: optional("repository_url", &repository_url, WebAddress::parse)?,
            description: optional("description", &description, Prose::parse)?,
        };
        let changed = cx.services.update_service(&cx.person, &id, change).await?;
        Ok::<_, ServiceError>(
            Notice::new("The service's settings are saved.")
                .at(paths::service_settings(&changed.slug)),
        )
    }
    .await;
    let typed = [
        ("name", name.as_str()),
        ("slug", &slug),
        ("repository_url", &repository_url),
        ("description", &description),
    ];
    cx.answer(outcome, back, &typed).await
}

/// Loads the sample review; its people's passwords are shown on the next page, once.
#[server(prefix = "/act", endpoint = "sample/load")]
pub async fn load_sample() -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let outcome = async {
        let loaded = cx.services.load_sample(Some(&cx.person)).await?;
        let people: Vec<_> = loaded
            .people
            .iter()
            .map(|person| ShownPerson {
                name: person.name.clone(),
                email: person.email.clone(),
                part: person.part.to_owned(),
                password: person.password.clone(),
            })
            .collect();
        let shown = shown_as(&people, &loaded.review);
        one_time::keep(&cx.services, &cx.session, paths::SAMPLE, "sample", &shown)
            .await
            .map_err(ServiceError::unavailable)?;
        Ok::<_, ServiceError>(Notice::new("The sample review is loaded.").at(paths::SAMPLE))
    }
    .await;
    cx.answer(outcome, paths::HOME, &[]).await
}

/// Reads a field that may be left empty.
#[cfg(feature = "ssr")]
pub(super) fn optional<T, E: std::fmt::Display>(
    field: &'static str,
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, ServiceError> {
    match text.trim() {
        "" => Ok(None),
        text => parse(text).map(Some).map_err(ServiceError::at(field)),
    }
}
