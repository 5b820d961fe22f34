//! Theme and shortcuts: cookies of this browser, set by a plain form.

use axum::{
    Form, Router,
    response::{IntoResponse as _, Redirect, Response},
    routing::post,
};
use holdpoint_app::{paths, visit::Theme};
use http::{HeaderValue, header};
use serde::Deserialize;

use super::{AppState, WebError};

pub(super) fn routes() -> Router<AppState> {
    Router::new().route(paths::PREFERENCES, post(choose))
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    theme: String,
    #[serde(default)]
    shortcuts: String,
    #[serde(default)]
    back: String,
}

/// Keeps a choice for a year and leads back to where it was made.
async fn choose(Form(choice): Form<Choice>) -> Result<Response, WebError> {
    let theme = match choice.theme.as_str() {
        "" => None,
        theme => Some(
            Theme::parse(theme).ok_or(WebError::BadRequest("A theme is system, light or dark."))?,
        ),
    };
    let shortcuts = match choice.shortcuts.as_str() {
        "" => None,
        shortcuts @ ("on" | "off") => Some(shortcuts.to_owned()),
        _ => return Err(WebError::BadRequest("Shortcuts are on or off.")),
    };
    let back = if paths::is_local(&choice.back) {
        choice.back.as_str()
    } else {
        paths::HOME
    };
    let mut response = Redirect::to(back).into_response();
    let cookies = [
        ("theme", theme.map(|theme| theme.as_str().to_owned())),
        ("shortcuts", shortcuts),
    ];
    for (name, value) in cookies
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    {
        let cookie = format!("{name}={value}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly");
        let cookie = HeaderValue::try_from(cookie).expect("both values are from closed lists");
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
