//! What a form leaves for the next page: a notice, or a refusal with what the person typed.
//!
//! It is kept in the session for one page. Server functions leave it through `ActionContext::answer`, axum handlers
//! through [`Flash::keep`]. For somebody who is not signed in it is kept in a cookie, and at most a few hundred bytes of it:
//! strangers make the server store nothing.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use tower_sessions::{Session, session::Error as SessionError};

const KEY: &str = "flash";
/// What one form may leave behind, in bytes; longer texts belong in an upload.
pub const MAX_TYPED_BYTES: usize = 512 * 1024;

/// What a form of somebody who is not signed in may leave behind: an address and a name.
const MAX_STRANGERS_TYPED_BYTES: usize = 600;
/// The longest value of the cookie that keeps it; browsers refuse a cookie of more than 4,096 bytes.
const MAX_COOKIE_BYTES: usize = 3_000;

/// What a form leaves for the page it leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    /// The path of the page that is to show it.
    page: String,
    /// What happened, as one sentence.
    pub notice: Option<String>,
    /// The form that was refused, named by its action: `items/request-review`.
    form: String,
    pub refusal: Option<Refusal>,
    typed: Vec<(String, String)>,
}

/// Why a form was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// One field is wrong.
    Field { field: String, message: String },
    /// It is not possible now, or not for this person; nothing in the form is wrong.
    Page { message: String },
    /// Someone else saved in the meantime.
    Conflict {
        message: String,
        /// A field's name, what the person asked for as people read it (empty: as it was typed), and what is saved now.
        fields: Vec<(String, String, String)>,
    },
}

impl Refusal {
    pub fn message(&self) -> &str {
        match self {
            Self::Field { message, .. }
            | Self::Page { message }
            | Self::Conflict { message, .. } => message,
        }
    }
}

impl Flash {
    /// A notice for the page at an address.
    pub fn notice(address: &str, text: impl Into<String>) -> Self {
        Self {
            page: path_of(address),
            notice: Some(text.into()),
            ..Self::default()
        }
    }

    /// A refusal for the page at an address that shows the form, with what was typed. Passwords are never kept.
    pub fn refusal(
        address: &str,
        form: &str,
        mut refusal: Refusal,
        typed: &[(&str, &str)],
    ) -> Self {
        let begun = Self::begun(address, form, typed);
        if let Refusal::Conflict { fields, .. } = &mut refusal {
            let n_typed: usize = begun.typed.iter().map(|(_, value)| value.len()).sum();
            let mut left = MAX_TYPED_BYTES - n_typed;
            for (name, yours, _) in fields {
                // What was typed is kept already.
                let is_typed = |(of, value): &(String, String)| of == name && value == yours;
                if yours.len() > left || begun.typed.iter().any(is_typed) {
                    yours.clear();
                }
                left -= yours.len();
            }
        }
        Self {
            refusal: Some(refusal),
            ..begun
        }
    }

    /// What was typed so far, for the page at an address that shows all of the form. Nothing is refused yet.
    pub fn begun(address: &str, form: &str, typed: &[(&str, &str)]) -> Self {
        Self {
            page: path_of(address),
            notice: None,
            form: form.to_owned(),
            refusal: None,
            typed: shown_again(typed),
        }
    }

    /// What was typed, where no page with the form can show it.
    pub fn into_typed(self) -> Vec<(String, String)> {
        self.typed
    }

    /// Leaves it for the next page.
    pub async fn keep(self, session: &Session) -> Result<(), SessionError> {
        session.insert(KEY, self).await
    }

    /// What is left in a cookie for the next page of somebody who is not signed in; `None` where that is more than a cookie holds.
    pub fn to_cookie(mut self) -> Option<String> {
        let mut left = MAX_STRANGERS_TYPED_BYTES;
        self.typed.retain(|(name, value)| {
            let size = name.len() + value.len();
            let fits = size <= left;
            left -= if fits { size } else { 0 };
            fits
        });
        let json = serde_json::to_vec(&self).ok()?;
        Some(URL_SAFE_NO_PAD.encode(json)).filter(|value| value.len() <= MAX_COOKIE_BYTES)
    }

    /// Reads what a cookie keeps for the page at this path.
    pub fn from_cookie(value: &str, path: &str) -> Option<Self> {
        let json = URL_SAFE_NO_PAD
            .decode(Some(value).filter(|value| value.len() <= MAX_COOKIE_BYTES)?)
            .ok()?;
        let flash: Self = serde_json::from_slice(&json).ok()?;
        Some(flash).filter(|flash| flash.page == path)
    }

    /// Takes what was left for the page at this path. What was left for another page stays.
    pub async fn take(session: &Session, path: &str) -> Result<Option<Self>, SessionError> {
        let kept: Option<Self> = session.get(KEY).await?;
        match kept {
            Some(flash) if flash.page == path => session.remove(KEY).await,
            _ => Ok(None),
        }
    }

    pub fn is_conflict(&self) -> bool {
        matches!(self.refusal, Some(Refusal::Conflict { .. }))
    }

    /// Field by field: what was typed, and what is saved now. Empty unless it is a conflict.
    pub fn both_versions(&self) -> Vec<(String, String, String)> {
        let Some(Refusal::Conflict { fields, .. }) = &self.refusal else {
            return Vec::new();
        };
        let mut versions = fields.clone();
        for (name, yours, _) in versions.iter_mut().filter(|(_, yours, _)| yours.is_empty()) {
            if let Some((_, typed)) = self.typed.iter().find(|(typed, _)| typed == name) {
                yours.clone_from(typed);
            }
        }
        versions
    }
}

/// Of what was typed, what may be shown again: never passwords and tokens, and no more than one form may leave behind.
pub fn shown_again(typed: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut left = MAX_TYPED_BYTES;
    typed
        .iter()
        .filter(|(name, _)| !name.contains("password") && !name.contains("token"))
        .filter(|(_, value)| {
            let fits = value.len() <= left;
            left -= if fits { value.len() } else { 0 };
            fits
        })
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// As [`shown_again`], of a form as it was sent.
pub fn shown_again_of_body(body: &[u8]) -> Vec<(String, String)> {
    let fields: Vec<_> = url::form_urlencoded::parse(body).collect();
    let typed: Vec<_> = fields
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    shown_again(&typed)
}

fn path_of(address: &str) -> String {
    address
        .split(['?', '#'])
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// What one form shows again after a refusal: its values and the message at a field.
#[derive(Clone, Debug, Default)]
pub struct FormState(Option<Arc<Flash>>);

impl FormState {
    /// The state of a form, from what was left for this page; empty when that concerned another form.
    pub fn of(form: &str, flash: Option<&Arc<Flash>>) -> Self {
        Self(flash.filter(|flash| flash.form == form).cloned())
    }

    /// The state of whichever of these forms was sent: for several that share their fields.
    pub fn of_any(forms: &[&str], flash: Option<&Arc<Flash>>) -> Self {
        Self(
            flash
                .filter(|flash| forms.contains(&flash.form.as_str()))
                .cloned(),
        )
    }

    /// The state of a form that stands in every row of a list: empty unless it was sent from this row, whose id is what `field`
    /// was sent with.
    #[must_use]
    pub fn of_row(&self, field: &str, id: &str) -> Self {
        if self.typed(field) == Some(id) {
            self.clone()
        } else {
            Self::default()
        }
    }

    /// What was typed in a field, or what it starts with.
    pub fn value(&self, field: &str, otherwise: &str) -> String {
        self.typed(field).unwrap_or(otherwise).to_owned()
    }

    pub fn typed(&self, field: &str) -> Option<&str> {
        let flash = self.0.as_deref()?;
        flash
            .typed
            .iter()
            .find(|(name, _)| name == field)
            .map(|(_, value)| value.as_str())
    }

    /// Whether a choice was made, or is made to begin with.
    pub fn chosen(&self, field: &str, value: &str, otherwise: &str) -> bool {
        self.typed(field).unwrap_or(otherwise) == value
    }

    /// What is wrong with a field.
    pub fn error(&self, field: &str) -> Option<String> {
        match self.0.as_deref()?.refusal.as_ref()? {
            Refusal::Field {
                field: wrong,
                message,
            } if wrong == field => Some(message.clone()),
            _ => None,
        }
    }

    /// Why it was refused, where none of the fields that it shows says so.
    pub fn message_beside(&self, shown: &[&str]) -> Option<String> {
        match self.0.as_deref()?.refusal.as_ref()? {
            Refusal::Field { field, .. } if shown.contains(&field.as_str()) => None,
            refusal => Some(refusal.message().to_owned()),
        }
    }

    pub fn was_refused(&self) -> bool {
        self.0
            .as_deref()
            .is_some_and(|flash| flash.refusal.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> Arc<Flash> {
        let refusal = Refusal::Field {
            field: "note".to_owned(),
            message: "Write why.".to_owned(),
        };
        let typed = [
            ("note", "x"),
            ("password", "secret"),
            ("current_password", "secret"),
        ];
        Arc::new(Flash::refusal(
            "/items/1?a=b#form",
            "items/fail",
            refusal,
            &typed,
        ))
    }

    #[test]
    fn a_refused_form_keeps_what_was_typed_but_never_a_password() {
        let form = FormState::of("items/fail", Some(&refused()));
        assert_eq!(form.value("note", ""), "x");
        assert_eq!(form.error("note").as_deref(), Some("Write why."));
        assert_eq!(form.error("other"), None);
        assert_eq!(form.typed("password"), None);
        assert_eq!(form.typed("current_password"), None);
    }

    #[test]
    fn another_form_of_the_same_page_starts_as_usual() {
        let form = FormState::of("items/comment", Some(&refused()));
        assert_eq!(form.value("note", "begin"), "begin");
        assert_eq!(form.error("note"), None);
        assert!(!form.was_refused());
    }

    #[test]
    fn a_flash_is_for_the_path_whatever_query_or_place_in_the_page() {
        assert_eq!(refused().page, "/items/1");
    }

    #[test]
    fn more_than_a_session_should_hold_is_left_out_and_the_rest_kept() {
        let long = "x".repeat(MAX_TYPED_BYTES + 1);
        let refusal = Refusal::Page {
            message: "No.".to_owned(),
        };
        let flash = Flash::refusal("/", "f", refusal, &[("long", &long), ("short", "kept")]);
        assert_eq!(flash.typed, [("short".to_owned(), "kept".to_owned())]);
        let refusal = Refusal::Conflict {
            message: "Ana saved in the meantime.".to_owned(),
            fields: vec![("long".to_owned(), long.clone(), "hers".to_owned())],
        };
        let flash = Flash::refusal("/", "f", refusal, &[("long", &long)]);
        assert_eq!(flash.both_versions()[0].1, "");
    }

    #[test]
    fn a_cookie_keeps_what_a_short_form_left_and_never_more_than_a_browser_takes() {
        let refusal = || Refusal::Field {
            field: "password".to_owned(),
            message: "Address or password is wrong.".to_owned(),
        };
        let flash = Flash::refusal(
            "/sign-in",
            "sign-in",
            refusal(),
            &[("email", "ana@example.org")],
        );
        let cookie = flash.clone().to_cookie().unwrap();
        assert_eq!(Flash::from_cookie(&cookie, "/sign-in"), Some(flash));
        assert_eq!(Flash::from_cookie(&cookie, "/set-up/x"), None);
        for nonsense in ["", "%%%", "bm9uc2Vuc2U", &"A".repeat(100_000)] {
            assert_eq!(Flash::from_cookie(nonsense, "/sign-in"), None);
        }
        let long = "x".repeat(100_000);
        let flash = Flash::refusal(
            "/sign-in",
            "sign-in",
            refusal(),
            &[("email", &long), ("name", "Ana")],
        );
        let cookie = flash.to_cookie().unwrap();
        let kept = Flash::from_cookie(&cookie, "/sign-in").unwrap();
        assert_eq!(kept.typed, [("name".to_owned(), "Ana".to_owned())]);
        let page = format!("/set-up/{long}");
        assert_eq!(
            Flash::refusal(&page, "set-up", refusal(), &[]).to_cookie(),
            None
        );
    }

    #[test]
    fn a_conflict_shows_both_versions_of_each_field() {
        let refusal = Refusal::Conflict {
            message: "Ana saved in the meantime.".to_owned(),
            fields: [("title", "", "hers"), ("owner", "Ben", "Ana")]
                .map(|(name, yours, saved)| (name.to_owned(), yours.to_owned(), saved.to_owned()))
                .into(),
        };
        let typed = [("title", "mine"), ("owner", "0199aa00")];
        let flash = Flash::refusal("/items/1", "items/edit", refusal, &typed);
        assert!(flash.is_conflict());
        let shown = flash.both_versions();
        let shown: Vec<_> = shown
            .iter()
            .map(|(_, yours, saved)| (yours.as_str(), saved.as_str()))
            .collect();
        assert_eq!(shown, [("mine", "hers"), ("Ben", "Ana")]);
    }
}
