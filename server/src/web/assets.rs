//! The built site: files whose names carry their digest are kept by browsers for ever, the others for an hour.

use std::path::Path;

use anyhow::{Context as _, bail};
use axum::Router;
use holdpoint_app::Site;
use http::{HeaderValue, header};
use tower::ServiceBuilder;
use tower_http::{
    services::{ServeDir, ServeFile},
    set_header::SetResponseHeaderLayer,
};

use super::AppState;

/// What the build called the style sheet and the module.
pub(crate) fn read_site(folder: &Path, name: &str) -> anyhow::Result<Site> {
    let hash_file = std::path::absolute(folder.join("hash.txt"))?;
    let hashes = std::fs::read_to_string(&hash_file)
        .with_context(|| format!("{} cannot be read", hash_file.display()))?;
    let hash = |kind: &str| {
        hashes
            .lines()
            .find_map(|line| Some(line.split_once(':')?).filter(|(of, _)| *of == kind))
            .map(|(_, hash)| hash.trim())
    };
    let (Some(css), Some(_), Some(_)) = (hash("css"), hash("js"), hash("wasm")) else {
        bail!("{} names no css, js and wasm", hash_file.display());
    };
    Ok(Site {
        style: format!("/pkg/holdpoint.{css}.css").into(),
        hash_file: Some(
            hash_file
                .to_str()
                .context("the site's path is not UTF-8")?
                .into(),
        ),
        name: name.into(),
    })
}

pub(super) fn routes(state: &AppState) -> Router<AppState> {
    let folder = &state.settings.site_folder;
    let cached = |how: &'static str| {
        ServiceBuilder::new().layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static(how),
        ))
    };
    let file = |name: &str| {
        cached("public, max-age=3600").service(
            ServeFile::new(folder.join(name))
                .precompressed_br()
                .precompressed_gzip(),
        )
    };
    let package = ServeDir::new(folder.join("pkg"))
        .append_index_html_on_directories(false)
        .precompressed_br()
        .precompressed_gzip();
    Router::new()
        .nest_service(
            "/pkg",
            cached("public, max-age=31536000, immutable").service(package),
        )
        .route_service("/favicon.svg", file("favicon.svg"))
        .route_service("/favicon.ico", file("favicon.svg"))
        .route_service("/robots.txt", file("robots.txt"))
}
