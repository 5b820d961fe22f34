use holdpoint_domain::Millis;
use holdpoint_service::{Actor, Failure, ServiceError, Services, session_keys};
use http::request::Parts;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use tower_sessions::{Session, session::Error as SessionError};

use super::ActionError;
use crate::{
    cookies::{self, Cookie},
    flash::{Flash, Refusal, shown_again},
    pages::errors::{Fault, FaultOfAction},
    paths,
    visit::Visit,
};

/// What an action knows of its request, and how it answers: who acts, the service, the session for the flash.
pub struct ActionContext<P = Actor> {
    pub services: Services,
    pub person: P,
    /// When the request arrived.
    pub now: Millis,
    pub session: Session,
    /// The form, named by the action's endpoint.
    form: String,
    /// The number that leads an administrator to the log.
    pub request_id: String,
}

/// What happened, as one sentence, and where to read on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    text: Option<String>,
    next: Option<String>,
}

impl Notice {
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: Some(text.into()),
            next: None,
        }
    }

    /// Leads to another page than the form's own.
    #[must_use]
    pub fn at(mut self, address: impl Into<String>) -> Self {
        self.next = Some(address.into());
        self
    }

    /// No words, only another page.
    pub fn silent(address: impl Into<String>) -> Self {
        Self {
            text: None,
            next: Some(address.into()),
        }
    }
}

impl From<()> for Notice {
    fn from((): ()) -> Self {
        Self::default()
    }
}

impl From<&str> for Notice {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Notice {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl ActionContext {
    /// The action's request, with the person who is signed in. Anybody else is led to sign in.
    #[expect(
        clippy::unused_async,
        reason = "actions await it as they await the service; asking who acts may need the database"
    )]
    pub async fn from_request() -> Result<Self, ActionError> {
        let ActionContext {
            services,
            now,
            session,
            form,
            request_id,
            person: (),
        } = ActionContext::<()>::open()?;
        match Visit::current().person {
            Some(person) => Ok(Self {
                services,
                person,
                now,
                session,
                form,
                request_id,
            }),
            None => {
                let back = referer().unwrap_or_else(|| paths::HOME.to_owned());
                leptos_axum::redirect(&paths::sign_in_to(&back));
                Err(ActionError::SignedOut)
            }
        }
    }
}

impl ActionContext<()> {
    /// The request of an action that needs no account: sign in, set up, accept an invitation.
    pub fn open() -> Result<Self, ActionError> {
        let parts = use_context::<Parts>().ok_or(ActionError::Unavailable)?;
        let visit = Visit::current();
        Ok(Self {
            services: use_context().ok_or(ActionError::Unavailable)?,
            person: (),
            now: visit.now,
            session: parts
                .extensions
                .get::<Session>()
                .cloned()
                .ok_or(ActionError::Unavailable)?,
            form: parts
                .uri
                .path()
                .trim_start_matches(paths::ACTIONS)
                .trim_matches('/')
                .to_owned(),
            request_id: visit.request_id,
        })
    }
}

impl<P> ActionContext<P> {
    /// Answers with a redirect: on success to `back` (or where the notice leads) with the notice, on refusal to `back`,
    /// the page with the form, with the message at its field and what the person typed.
    pub async fn answer<T, E>(
        self,
        outcome: Result<T, E>,
        back: impl AsRef<str>,
        typed: &[(&str, &str)],
    ) -> Result<(), ActionError>
    where
        T: Into<Notice>,
        E: IntoRefusal,
    {
        let back = back.as_ref();
        match settle(outcome, &self.form, back, typed, &self.request_id) {
            Settled::Lead(address, flash) => self.lead(&address, flash).await,
            Settled::Failed(failure, typed) => {
                put_fault(failure, typed);
                Err(ActionError::Unavailable)
            }
        }
    }

    /// Leads to the page that asks for the rest of a form, with what was typed so far. Nothing is refused.
    pub async fn ask_more(self, page: &str, typed: &[(&str, &str)]) -> Result<(), ActionError> {
        let begun = Flash::begun(page, &self.form, typed);
        self.lead(page, Some(begun)).await
    }

    async fn lead(self, address: &str, flash: Option<Flash>) -> Result<(), ActionError> {
        if let Some(flash) = flash
            && let Err(error) = self.leave(flash.clone()).await
        {
            tracing::error!(%error, "a flash could not be kept");
            put_fault(Failure::of(&error), flash.into_typed());
            return Err(ActionError::Unavailable);
        }
        leptos_axum::redirect(address);
        Ok(())
    }

    /// Keeps a flash in the session of somebody who is signed in, else in a cookie.
    async fn leave(&self, flash: Flash) -> Result<(), SessionError> {
        let person: Option<String> = self.session.get(session_keys::PERSON).await?;
        if person.is_some() {
            return flash.keep(&self.session).await;
        }
        if let Some(value) = flash.to_cookie() {
            set_cookie(cookies::FLASH, &value);
        }
        Ok(())
    }
}

/// Has the failure shown instead of the action's answer, with what was typed.
fn put_fault(failure: Failure, typed: Vec<(String, String)>) {
    let shown =
        use_context::<Parts>().and_then(|parts| parts.extensions.get::<FaultOfAction>().cloned());
    if let Some(shown) = shown {
        shown.put(failure, typed);
    }
}

/// Sets a cookie with the answer to the request.
pub(super) fn set_cookie(cookie: Cookie, value: &str) {
    let header = cookie.set(value, Visit::current().https);
    if let (Some(header), Some(response)) = (header, use_context::<ResponseOptions>()) {
        response.append_header(http::header::SET_COOKIE, header);
    }
}

/// What a form comes to.
pub enum Settled {
    /// It leads to an address, with what is left for the page there.
    Lead(String, Option<Flash>),
    /// It failed in a way in which nothing can be left anywhere; with what was typed and may be shown again.
    Failed(Failure, Vec<(String, String)>),
}

/// Where an outcome leads, and what is left for the page there. Axum handlers of forms answer by it too.
pub fn settle<T, E>(
    outcome: Result<T, E>,
    form: &str,
    back: &str,
    typed: &[(&str, &str)],
    request_id: &str,
) -> Settled
where
    T: Into<Notice>,
    E: IntoRefusal,
{
    match outcome.map(Into::into) {
        Ok(Notice { text, next }) => {
            let address = next.unwrap_or_else(|| back.to_owned());
            let flash = text.map(|text| Flash::notice(&address, text));
            Settled::Lead(address, flash)
        }
        Err(error) => match error.failure(request_id) {
            Some(failure) => Settled::Failed(failure, shown_again(typed)),
            None => {
                let flash = Flash::refusal(back, form, error.into_refusal(request_id), typed);
                Settled::Lead(back.to_owned(), Some(flash))
            }
        },
    }
}

/// What a service's error says to the person at the form.
pub trait IntoRefusal {
    /// The failure of what sessions are kept in, if that is what it was. Written to the log here.
    fn failure(&self, _request_id: &str) -> Option<Failure> {
        None
    }

    /// `request_id` is for errors whose cause is only in the log.
    fn into_refusal(self, request_id: &str) -> Refusal;
}

impl IntoRefusal for Refusal {
    fn into_refusal(self, _: &str) -> Refusal {
        self
    }
}

impl IntoRefusal for ServiceError {
    fn failure(&self, request_id: &str) -> Option<Failure> {
        let Self::Unavailable(cause) = self else {
            return None;
        };
        let failure = Failure::of(&**cause);
        match failure {
            Failure::Damaged | Failure::Other => None,
            Failure::Away | Failure::Busy | Failure::Full | Failure::Unanswered => {
                log(&**cause, request_id);
                Some(failure)
            }
        }
    }

    fn into_refusal(self, request_id: &str) -> Refusal {
        match self {
            Self::NotFound(what) => Refusal::Page {
                message: format!("{what} was not found. It may be gone, or you may not see it."),
            },
            Self::Forbidden(message)
            | Self::Rejected { field: "", message }
            | Self::TooOften { message, .. } => Refusal::Page { message },
            Self::Rejected { field, message } => Refusal::Field {
                field: field.to_owned(),
                message,
            },
            Self::Conflict(conflict) => Refusal::Conflict {
                message: conflict.message,
                fields: conflict.fields,
            },
            Self::Unavailable(cause) => {
                log(&*cause, request_id);
                let Fault { title, text, .. } = Fault::failed(Failure::of(&*cause));
                Refusal::Page {
                    message: format!(
                        "{title}. {text} If it keeps happening, tell your administrator this number: {request_id}"
                    ),
                }
            }
        }
    }
}

fn log(cause: &(dyn std::error::Error + Send + Sync + 'static), request_id: &str) {
    tracing::error!(
        request_id,
        error = cause as &dyn std::error::Error,
        "an action failed"
    );
}

/// The page that the form was on: only its path and query, and only of this site.
fn referer() -> Option<String> {
    let parts = use_context::<Parts>()?;
    let referer = parts.headers.get(http::header::REFERER)?.to_str().ok()?;
    let uri: http::Uri = referer.parse().ok()?;
    let host = parts.headers.get(http::header::HOST)?.to_str().ok()?;
    (uri.authority()?.as_str() == host)
        .then(|| uri.path_and_query().map(ToString::to_string))
        .flatten()
}
