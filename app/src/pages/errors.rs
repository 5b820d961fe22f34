//! What went wrong, what was kept, what to do: pages in the frame of the others.

use std::sync::{Arc, Mutex, PoisonError};

use holdpoint_domain::ReviewId;
use holdpoint_service::{Conflict, Failure, ServiceError, commits};
use http::StatusCode;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use thiserror::Error;

use crate::{
    document::Site,
    parts::{
        Frame, Inline, Notice, PageHead, SoloFrame,
        controls::{ButtonLink, Weight},
        status::Tone,
    },
    paths,
    visit::Visit,
};

/// Why a page cannot be shown.
#[derive(Debug, Error)]
pub enum PageError {
    #[error("nobody is signed in")]
    SignedOut,
    /// What was asked for stands at another address now.
    #[error("it is at {0}")]
    Elsewhere(String),
    #[error("{0} was not found")]
    NotFound(&'static str),
    #[error("{0}")]
    Forbidden(String),
    /// The address asks for something that cannot be.
    #[error("{0}")]
    Rejected(String),
    #[error("{0}")]
    TooOften(String),
    #[error("{}", .0.message)]
    Conflict(Box<Conflict>),
    #[error("Holdpoint cannot do this now")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The same, where the cause is in the log already.
    #[error("Holdpoint cannot do this now")]
    Failed(Failure),
}

impl From<ServiceError> for PageError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::NotFound(what) => Self::NotFound(what),
            ServiceError::Forbidden(message) => Self::Forbidden(message),
            ServiceError::Rejected { message, .. } => Self::Rejected(message),
            ServiceError::TooOften { message, .. } => Self::TooOften(message),
            ServiceError::Conflict(conflict) => Self::Conflict(conflict),
            ServiceError::Unavailable(cause) => Self::Unavailable(cause),
        }
    }
}

impl PageError {
    /// The page that says so, with its status set. Somebody who is signed out is led to sign in.
    pub fn page(self) -> impl IntoView {
        let visit = Visit::current();
        let fault = match self {
            Self::SignedOut => {
                let address = paths::sign_in_to(&visit.address);
                leptos_axum::redirect(&address);
                return view! {
                    <SoloFrame title="Sign in">
                        <h1>"Sign in first"</h1>
                        <p><a href=address>"Sign in"</a></p>
                    </SoloFrame>
                }
                .into_any();
            }
            Self::Elsewhere(address) => {
                leptos_axum::redirect(&address);
                return view! {
                    <SoloFrame title="Go on">
                        <h1>"Read on elsewhere"</h1>
                        <p><a href=address>"Go on"</a></p>
                    </SoloFrame>
                }
                .into_any();
            }
            Self::NotFound(what) => Fault::not_found(what),
            Self::Forbidden(message) => Fault::forbidden(message),
            Self::Rejected(message) => Fault::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "This address cannot be shown",
                message,
            ),
            Self::TooOften(message) => Fault::too_often(message),
            Self::Conflict(conflict) => Fault::conflict(*conflict),
            Self::Unavailable(cause) => {
                let request_id = visit.request_id.as_str();
                tracing::error!(
                    request_id,
                    error = &*cause as &dyn std::error::Error,
                    "a page failed"
                );
                Fault::failed(Failure::of(&*cause))
            }
            Self::Failed(failure) => Fault::failed(failure),
        };
        if let Some(response) = use_context::<ResponseOptions>() {
            response.set_status(fault.status);
        }
        fault.page().into_any()
    }
}

/// What an error page says, whatever it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub status: StatusCode,
    /// What did not happen.
    pub title: String,
    /// What was kept, what changed, what to do.
    pub text: String,
    /// Field, what was sent, what is stored now: for conflicts.
    pub versions: Vec<(String, String, String)>,
    /// The fields of a form that no page can show again, with what was typed there.
    pub typed: Vec<(String, String)>,
}

impl Fault {
    pub fn new(status: StatusCode, title: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            status,
            title: title.into(),
            text: text.into(),
            versions: Vec::new(),
            typed: Vec::new(),
        }
    }

    /// With what was typed, so that nobody has to write it again.
    #[must_use]
    pub fn with_typed(mut self, typed: Vec<(String, String)>) -> Self {
        self.typed = typed;
        self
    }

    pub fn not_found(what: &str) -> Self {
        let text = "The address may be mistyped, the thing may be gone, or you may have no role on its service. A manager \
                    of the service can give you one.";
        Self::new(StatusCode::NOT_FOUND, format!("{what} was not found"), text)
    }

    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "You may not do this", message)
    }

    pub fn too_often(message: impl Into<String>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "Too many tries", message)
    }

    pub fn conflict(conflict: Conflict) -> Self {
        let mut fault = Self::new(
            StatusCode::CONFLICT,
            "Not saved: it changed in the meantime",
            conflict.message,
        );
        fault.versions = conflict.fields;
        fault
    }

    /// What Holdpoint itself could not do: what kind of failure it was, what is known of what was done, what to do.
    pub fn failed(failure: Failure) -> Self {
        let (status, title, advice) = match failure {
            Failure::Away => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Holdpoint cannot reach its database",
                "Try again in a moment.",
            ),
            Failure::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Holdpoint is busy",
                "Something large is being written, an import for instance. Try again in a moment.",
            ),
            Failure::Full => (
                StatusCode::INSUFFICIENT_STORAGE,
                "There is no room on the server's disk",
                "An administrator has to make room on it. Then send this again.",
            ),
            Failure::Damaged => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "What is stored here is damaged",
                "A file or a row is not what was stored, so it is not used. An administrator finds out which with `holdpoint \
                 doctor` and can restore it from a backup.",
            ),
            Failure::Unanswered => (
                StatusCode::SERVICE_UNAVAILABLE,
                "It is not known whether this was done",
                "The database was lost while it kept the change. Look whether the change is there before you send it again.",
            ),
            Failure::Other => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Holdpoint could not do this",
                "Try again in a moment.",
            ),
        };
        let known = match failure {
            Failure::Unanswered => "",
            _ if !commits::is_certain_that_none() => {
                "A part of it may have been done: look before you send it again. "
            }
            Failure::Away | Failure::Busy | Failure::Full => "Nothing was changed. ",
            Failure::Damaged | Failure::Other => "",
        };
        Self::new(status, title, format!("{known}{advice}"))
    }

    /// The page in the frame: with menus for someone signed in, alone otherwise.
    pub fn page(self) -> impl IntoView {
        let visit = Visit::current();
        let title = self.title.clone();
        if visit.person.is_some() {
            let head = view! { <PageHead title=title.clone() /> };
            view! { <Frame title>{head} {self.body(&visit)}</Frame> }.into_any()
        } else {
            view! { <SoloFrame title=title.clone() wide=true><h1>{title}</h1>{self.body(&visit)}</SoloFrame> }.into_any()
        }
    }

    fn body(self, visit: &Visit) -> impl IntoView + use<> {
        let Self {
            status,
            text,
            versions,
            typed,
            ..
        } = self;
        let tone = if status.is_server_error() {
            Tone::Red
        } else {
            Tone::Amber
        };
        let number = (!visit.request_id.is_empty()).then(|| {
            view! {
                <p class="small muted">
                    "If this keeps happening, tell your administrator this number: "
                    <code>{visit.request_id.clone()}</code>
                </p>
            }
        });
        let versions = (!versions.is_empty()).then(|| {
            let rows = versions
                .into_iter()
                .map(|(field, sent, stored)| view! { <tr><th scope="row">{field}</th><td>{sent}</td><td>{stored}</td></tr> })
                .collect_view();
            view! {
                <div class="tbl-wrap" tabindex="0" role="region" aria-label="Both versions">
                    <table class="tbl">
                        <caption>"Both versions"</caption>
                        <thead>
                            <tr>
                                <th scope="col">"Field"</th>
                                <th scope="col">"You sent"</th>
                                <th scope="col">"Saved now"</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            }
        });
        view! {
            <div class="stack">
                <Notice tone alert=true><p><Inline text /></p></Notice>
                {versions}
                {what_was_typed(typed)}
                <p class="btn-row">
                    {report_of(&visit.address).map(|href| view! { <ButtonLink words="The report and its versions" href /> })}
                    <ButtonLink words="All reviews" href=paths::HOME weight=Weight::Secondary />
                </p>
                {number}
            </div>
        }
    }
}

/// The page of the report, for an address that asks for a version of it: that one may not be there.
fn report_of(address: &str) -> Option<String> {
    let (path, query) = address.split_once('?')?;
    let review = path.strip_prefix("/reviews/")?.split('/').next()?;
    let review = ReviewId::parse(review)?;
    (query.split('&').any(|pair| pair.starts_with("as_of=")))
        .then(|| paths::report(review.as_str()))
}

/// What somebody typed into a form, to be copied from; nothing where they typed nothing.
fn what_was_typed(typed: Vec<(String, String)>) -> Option<impl IntoView> {
    /// Ids and versions come along with a form, and nobody typed them.
    fn is_of_the_form(name: &str, value: &str) -> bool {
        let is_id = value.len() == 36
            && value
                .bytes()
                .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        is_id || name == "version" || value.trim().is_empty()
    }
    let fields: Vec<_> = typed
        .into_iter()
        .filter(|(name, value)| !is_of_the_form(name, value))
        .map(|(name, value)| {
            let name = name.replace(['_', '-'], " ");
            view! { <dt>{name}</dt><dd class="wrap-any as-typed">{value}</dd> }
        })
        .collect();
    (!fields.is_empty()).then(|| {
        view! {
            <section class="stack-2" aria-labelledby="typed">
                <h2 id="typed">"What you typed"</h2>
                <p class="small muted">"It was not kept. Copy what you need before you leave this page; passwords are not shown."</p>
                <dl class="dl">{fields}</dl>
            </section>
        }
    })
}

/// What an action puts here is shown instead of its own answer. A redirect would leave the words in the session, which is in
/// the database that just failed.
#[derive(Clone, Debug, Default)]
pub struct FaultOfAction(Arc<Mutex<Option<(Failure, Fault)>>>);

impl FaultOfAction {
    pub fn put(&self, failure: Failure, typed: Vec<(String, String)>) {
        // What is known of commits is known here, where the action ran.
        let fault = Fault::failed(failure).with_typed(typed);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((failure, fault));
    }

    pub fn take(&self) -> Option<(Failure, Fault)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The page for an address that leads nowhere.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    if let Some(response) = use_context::<ResponseOptions>() {
        response.set_status(StatusCode::NOT_FOUND);
    }
    Fault::not_found("This page").page()
}

/// A fault as a whole document, for what goes wrong outside of pages: refused requests, panics, timeouts. It has no
/// scripts, so it needs no nonce.
pub fn document(fault: Fault, site: Site, visit: Visit) -> String {
    use leptos::prelude::RenderHtml as _;
    use leptos::reactive::owner::Owner;

    let owner = Owner::new();
    owner.with(|| {
        let theme = visit.preferences.theme.as_str();
        let title = html_escape::encode_text(&fault.title);
        let title = format!("{title} · Holdpoint");
        let heading = fault.title.clone();
        let body = fault.body(&visit);
        let document = view! {
            <html lang="en" data-theme=theme>
                <head>
                    <meta charset="utf-8" />
                    <meta name="viewport" content="width=device-width, initial-scale=1" />
                    <meta name="color-scheme" content="light dark" />
                    <title inner_html=title></title>
                    <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                    <link rel="stylesheet" href=site.style.to_string() />
                </head>
                <body>
                    <main id="main" class="solo" tabindex="-1">
                        <div class="solo-card is-wide">
                            <p class="solo-brand">
                                <crate::parts::Mark />
                                "Holdpoint"
                            </p>
                            <h1>{heading}</h1>
                            {body}
                        </div>
                    </main>
                    <svg class="sprite" aria-hidden="true" inner_html=crate::parts::icon::SPRITE></svg>
                </body>
            </html>
        };
        format!("<!doctype html>{}", document.to_html())
    })
}
