//! People as the API names them: by id and name going out, by id or address coming in.

use holdpoint_domain::{PersonId, ServiceId};
use holdpoint_service::{Actor, Services};
use serde::Serialize;
use utoipa::ToSchema;

use crate::web::WebError;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Person {
    id: String,
    name: String,
}

impl From<&holdpoint_service::Named> for Person {
    fn from(named: &holdpoint_service::Named) -> Self {
        Self {
            id: named.id.to_string(),
            name: named.name.clone(),
        }
    }
}

/// Finds people by their id or their e-mail address among those who have a role on a service. Whether each may have the
/// part that they are meant for is decided later.
pub(super) async fn find(
    services: &Services,
    caller: &Actor,
    service: &ServiceId,
    field: &'static str,
    written: &[&str],
) -> Result<Vec<PersonId>, WebError> {
    if written.is_empty() {
        return Ok(Vec::new());
    }
    let members = services.members(caller, service).await?;
    let found = written.iter().map(|text| {
        let text = text.trim();
        members
            .iter()
            .map(|(person, _)| person)
            .find(|person| person.id.as_str() == text || person.email.eq_ignore_ascii_case(text))
            .map(|person| person.id.clone())
            .ok_or_else(|| {
                let shown: String = text.chars().take(100).collect();
                WebError::Rejected {
                    field,
                    message: format!(
                        "Nobody with a role on this service has the id or address {shown:?}."
                    ),
                }
            })
    });
    found.collect()
}
