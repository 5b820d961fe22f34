use axum::{extract::FromRequestParts, http::request::Parts};
use holdpoint_app::visit::Visit;
use holdpoint_service::Actor;

use super::WebError;

/// The person who is signed in. A handler with this in its signature is not reached by anybody else: pages lead to the
/// sign-in page, everything else is refused.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn(pub(crate) Actor);

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, WebError> {
        let person = parts
            .extensions
            .get::<Visit>()
            .and_then(|visit| visit.person.clone());
        person.map(Self).ok_or(WebError::SignedOut)
    }
}

impl std::ops::Deref for SignedIn {
    type Target = Actor;

    fn deref(&self) -> &Actor {
        &self.0
    }
}
