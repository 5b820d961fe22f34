//! What a page knows of its request: who asks, what the last form left, preferences, the time.

use std::sync::Arc;

use holdpoint_domain::Millis;
use holdpoint_service::{Actor, Services, UnseenReset};
use http::request::Parts;
use leptos::prelude::*;

use crate::{
    flash::{Flash, FormState},
    pages::errors::PageError,
};

/// Light, dark, or as the reader's system says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::System => "Same as system",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == text)
    }
}

/// What a reader chose for this browser, kept in cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preferences {
    pub theme: Theme,
    /// Whether single keys are shortcuts (WCAG 2.1.4 asks for a way to switch them off).
    pub shortcuts: bool,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            theme: Theme::System,
            shortcuts: true,
        }
    }
}

/// One request for a page. The server's layers make it; pages and actions read it.
#[derive(Clone, Debug, Default)]
pub struct Visit {
    /// Who is signed in.
    pub person: Option<Actor>,
    /// Whose link set the person's password, until they have dismissed it.
    pub unseen_reset: Option<UnseenReset>,
    pub flash: Option<Arc<Flash>>,
    pub preferences: Preferences,
    /// The path with its query, to come back to.
    pub address: String,
    /// Where people reach the server: scheme, host, port; for links that are sent by hand.
    pub origin: String,
    /// The network address that the request came from, for rate limits and the list of sessions.
    pub client: String,
    /// The secret that this browser keeps since somebody signed in with it.
    pub device: Option<String>,
    /// People reach the server by HTTPS.
    pub https: bool,
    /// The number that leads an administrator to the log.
    pub request_id: String,
    /// When the request arrived. Everything on one page is of one moment.
    pub now: Millis,
    /// How many things wait for the person.
    pub n_waiting: u32,
}

impl Visit {
    /// The request that is being answered; an empty one where nobody asked, as when routes are listed at the start.
    pub fn current() -> Self {
        use_context::<Parts>()
            .and_then(|parts| parts.extensions.get::<Self>().cloned())
            .unwrap_or_default()
    }

    /// The request with the person who is signed in; anybody else is led to sign in first.
    pub fn signed_in() -> Result<(Self, Actor), PageError> {
        let visit = Self::current();
        match visit.person.clone() {
            Some(person) => Ok((visit, person)),
            None => Err(PageError::SignedOut),
        }
    }

    /// What a form of this page shows again after a refusal.
    pub fn form(&self, form: &str) -> FormState {
        FormState::of(form, self.flash.as_ref())
    }

    /// As [`Visit::form`], of forms that share their fields.
    pub fn form_of_any(&self, forms: &[&str]) -> FormState {
        FormState::of_any(forms, self.flash.as_ref())
    }
}

/// The service, for a page that reads.
pub fn services() -> Services {
    expect_context()
}
