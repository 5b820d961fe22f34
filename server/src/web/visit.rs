//! Who asks, and what the last form left for them: established once for every page, form and handler.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use holdpoint_app::{
    cookies,
    flash::{Flash, MAX_TYPED_BYTES, shown_again_of_body},
    visit::{Preferences, Theme, Visit},
};
use holdpoint_domain::PersonId;
use holdpoint_service::{Actor, Failure, Person, ServiceError, Services, session_keys};
use http::{HeaderMap, Method, header};
use tower_sessions::Session;

use super::{AppState, WebError, address::ClientAddress, log::RequestId};

/// Puts a [`Visit`] into the request.
pub(super) async fn establish(
    State(state): State<AppState>,
    session: Session,
    ClientAddress(client): ClientAddress,
    mut request: Request,
    next: Next,
) -> Response {
    let mut visit = Visit {
        preferences: preferences(request.headers(), state.settings.https),
        address: request
            .uri()
            .path_and_query()
            .map(ToString::to_string)
            .unwrap_or_default(),
        request_id: request
            .extensions()
            .get::<RequestId>()
            .map(|id| id.0.to_string())
            .unwrap_or_default(),
        origin: origin(&state, request.headers()),
        client: client.to_string(),
        device: cookies::DEVICE
            .get(request.headers(), state.settings.https)
            .map(ToOwned::to_owned),
        https: state.settings.https,
        now: state.services.now(),
        ..Visit::default()
    };
    match person(&state.services, &session).await {
        Ok(person) => {
            visit.person = person.as_ref().map(Actor::of);
            visit.unseen_reset = person.and_then(|person| person.unseen_reset);
        }
        Err(error) => return failed_form(error, request).await,
    }
    if let Some(person) = visit
        .person
        .as_ref()
        .filter(|_| request.method() == Method::GET)
    {
        // The header's count is no reason to refuse a page: it is left out when it cannot be had.
        let n_waiting = state
            .services
            .n_waiting_on_me(person)
            .await
            .unwrap_or_default();
        visit.n_waiting = u32::try_from(n_waiting).unwrap_or(u32::MAX);
    }
    let mut shown = None;
    if request.method() == Method::GET {
        let path = request.uri().path();
        if visit.person.is_some() {
            match Flash::take(&session, path).await {
                Ok(flash) => visit.flash = flash.map(Arc::new),
                Err(error) => return WebError::Unavailable(Box::new(error)).into_response(),
            }
        } else if let Some(flash) = cookies::FLASH
            .get(request.headers(), visit.https)
            .and_then(|value| Flash::from_cookie(value, path))
        {
            visit.flash = Some(Arc::new(flash));
            shown = cookies::FLASH.forget(visit.https);
        }
    }
    request.extensions_mut().insert(visit);
    let mut response = next.run(request).await;
    if let Some(shown) = shown {
        response.headers_mut().append(header::SET_COOKIE, shown);
    }
    response
}

/// The failure, with what was typed where the request is a form: nobody else reads it.
async fn failed_form(error: ServiceError, request: Request) -> Response {
    let failure = match &error {
        ServiceError::Unavailable(cause) => Failure::of(&**cause),
        _ => return WebError::from(error).into_response(),
    };
    let is_form = request
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| {
            kind.as_bytes()
                .starts_with(b"application/x-www-form-urlencoded")
        });
    if !is_form {
        return WebError::from(error).into_response();
    }
    tracing::error!(
        error = &error as &dyn std::error::Error,
        "a form's request failed"
    );
    // Encoded, a byte may be three.
    let body = axum::body::to_bytes(request.into_body(), 3 * MAX_TYPED_BYTES).await;
    WebError::Failed(failure, shown_again_of_body(&body.unwrap_or_default())).into_response()
}

/// Where people reach the server: as configured, else as this request did.
fn origin(state: &AppState, headers: &HeaderMap) -> String {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    match (&state.settings.authority, host) {
        (None, Some(host)) => format!(
            "{}://{host}",
            if state.settings.https {
                "https"
            } else {
                "http"
            }
        ),
        _ => state.address(),
    }
}

/// The person of a session, as they are now: whoever was disabled since is nobody.
async fn person(services: &Services, session: &Session) -> Result<Option<Person>, ServiceError> {
    let id: Option<String> = session
        .get(session_keys::PERSON)
        .await
        .map_err(ServiceError::unavailable)?;
    let Some(id) = id.as_deref().and_then(PersonId::parse) else {
        return Ok(None);
    };
    services.person_signed_in(&id).await
}

fn preferences(headers: &HeaderMap, https: bool) -> Preferences {
    Preferences {
        theme: cookies::THEME
            .get(headers, https)
            .and_then(Theme::parse)
            .unwrap_or_default(),
        shortcuts: cookies::SHORTCUTS.get(headers, https) != Some("off"),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn preferences_are_those_of_the_cookies_and_nonsense_is_the_default() {
        let of = |cookies: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_static(cookies));
            preferences(&headers, false)
        };
        assert_eq!(
            of("theme=dark; shortcuts=off"),
            Preferences {
                theme: Theme::Dark,
                shortcuts: false
            }
        );
        assert_eq!(of("theme=\"><script>"), Preferences::default());
        assert_eq!(of(""), Preferences::default());
    }
}
