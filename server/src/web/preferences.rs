//! Theme and shortcuts: cookies of this browser, set by a plain form.

use axum::{
    Form, Router,
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
    routing::post,
};
use holdpoint_app::{cookies, paths, visit::Theme};
use http::header;
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
async fn choose(
    State(state): State<AppState>,
    Form(choice): Form<Choice>,
) -> Result<Response, WebError> {
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
    let chosen = [
        (cookies::THEME, theme.map(Theme::as_str)),
        (cookies::SHORTCUTS, shortcuts.as_deref()),
    ];
    let https = state.settings.https;
    for header in chosen
        .into_iter()
        .filter_map(|(cookie, value)| cookie.set(value?, https))
    {
        response.headers_mut().append(header::SET_COOKIE, header);
    }
    Ok(response)
}
