//! The document around every page, and the routes.

use std::sync::Arc;

use leptos::{config::LeptosOptions, hydration::HydrationScripts, prelude::*};
use leptos_meta::{MetaTags, provide_meta_context};
use leptos_router::components::Router;

use crate::{
    pages,
    parts::icon::SPRITE,
    visit::{Theme, Visit},
};

/// What the server knows of its own files and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The address of the stylesheet.
    pub style: Arc<str>,
    /// The file that says what the script and its module are called in `/pkg`. `None` leaves islands out.
    pub hash_file: Option<Arc<str>>,
    /// How people call this server: the host of its address.
    pub name: Arc<str>,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            style: "/pkg/holdpoint.css".into(),
            hash_file: None,
            name: "localhost".into(),
        }
    }
}

/// The whole document: head, page, icons.
pub fn shell() -> impl IntoView {
    let site = use_context::<Site>().unwrap_or_default();
    let theme = match Visit::current().preferences.theme {
        Theme::System => None,
        theme => Some(theme.as_str()),
    };
    let scripts = site.hash_file.map(|hash_file| {
        let options = LeptosOptions::builder()
            .output_name("holdpoint")
            .site_pkg_dir("pkg")
            .hash_files(true)
            .hash_file(hash_file)
            .build();
        view! { <HydrationScripts options islands=true /> }
    });
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <link rel="stylesheet" href=site.style.to_string() />
                {scripts}
                <MetaTags />
            </head>
            <body>
                <a class="skip" href="#main">"Skip to content"</a>
                <App />
                <Sprite />
            </body>
        </html>
    }
    .into_any()
}

/// The routes. Each folder of pages brings its own.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <pages::AllPages />
        </Router>
    }
    .into_any()
}

/// The icons that pages refer to by `<use>`.
#[component]
fn Sprite() -> impl IntoView {
    view! { <svg class="sprite" aria-hidden="true" inner_html=SPRITE></svg> }
}
