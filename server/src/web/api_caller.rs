use axum::{extract::FromRequestParts, http::request::Parts};
use holdpoint_service::{Actor, TokenError};
use http::header;

use super::{AppState, WebError, address};

/// Who calls the API: the person whose token came in `Authorization: Bearer …`, with what it was granted. Cookies do not
/// count here, so no other site can make a browser call it.
#[derive(Clone, Debug)]
pub(crate) struct ApiCaller(pub(crate) Actor);

impl FromRequestParts<AppState> for ApiCaller {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, WebError> {
        let header = parts
            .headers
            .get(header::AUTHORIZATION)
            .ok_or(WebError::NoToken)?;
        let token = header.to_str().ok().and_then(bearer).ok_or_else(|| {
            WebError::BadToken("Send the token as `Authorization: Bearer hp_…`.".to_owned())
        })?;
        let client = address::of(parts, &state.settings.trusted_proxies).to_string();
        match state.services.actor_of_token(token, &client).await {
            Ok(actor) => Ok(Self(actor)),
            Err(TokenError::Service(error)) => Err(error.into()),
            Err(refused) => Err(WebError::BadToken(refused.to_string())),
        }
    }
}

impl std::ops::Deref for ApiCaller {
    type Target = Actor;

    fn deref(&self) -> &Actor {
        &self.0
    }
}

/// The token of a header's value. The scheme's case does not matter (RFC 9110).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim())
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_follows_the_scheme_whatever_its_case() {
        assert_eq!(bearer("Bearer hp_x"), Some("hp_x"));
        assert_eq!(bearer("bearer  hp_x "), Some("hp_x"));
        for wrong in ["hp_x", "Basic hp_x", "Bearer", "Bearer ", ""] {
            assert_eq!(bearer(wrong), None, "{wrong}");
        }
    }
}
