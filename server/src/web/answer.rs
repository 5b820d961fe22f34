use axum::{extract::FromRequestParts, http::request::Parts, response::Redirect};
use holdpoint_app::{
    actions::{IntoRefusal, Notice, Settled, settle},
    visit::Visit,
};
use tower_sessions::Session;

use super::WebError;

/// How an axum handler of a form answers, exactly as an action does: it always redirects, and leaves a notice or a refusal
/// with what was typed.
#[derive(Clone, Debug)]
pub(crate) struct FormAnswer {
    session: Session,
    request_id: String,
}

impl<S: Send + Sync> FromRequestParts<S> for FormAnswer {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, WebError> {
        let session = parts.extensions.get::<Session>().cloned();
        let session =
            session.ok_or_else(|| WebError::Unavailable("the session layer is missing".into()))?;
        let request_id = parts
            .extensions
            .get::<Visit>()
            .map(|visit| visit.request_id.clone())
            .unwrap_or_default();
        Ok(Self {
            session,
            request_id,
        })
    }
}

impl FormAnswer {
    /// `form` is the name under which the page asks for the form's state; `back` is the page that shows it.
    pub(crate) async fn answer<T, E>(
        self,
        outcome: Result<T, E>,
        form: &str,
        back: &str,
        typed: &[(&str, &str)],
    ) -> Result<Redirect, WebError>
    where
        T: Into<Notice>,
        E: IntoRefusal,
    {
        let (address, flash) = match settle(outcome, form, back, typed, &self.request_id) {
            Settled::Lead(address, flash) => (address, flash),
            Settled::Failed(failure, typed) => return Err(WebError::Failed(failure, typed)),
        };
        if let Some(flash) = flash {
            flash
                .keep(&self.session)
                .await
                .map_err(|error| WebError::Unavailable(Box::new(error)))?;
        }
        Ok(Redirect::to(&address))
    }
}
