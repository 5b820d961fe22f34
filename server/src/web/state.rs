use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::extract::FromRef;
use holdpoint_app::Site;
use holdpoint_service::Services;
use leptos::config::LeptosOptions;
use tokio_util::sync::CancellationToken;

use super::{address::TrustedProxies, assets};
use crate::cli::config::Config;

/// What every handler can reach.
#[derive(Clone, Debug)]
pub(crate) struct AppState {
    pub(crate) services: Services,
    pub(crate) site: Site,
    pub(crate) settings: Arc<Settings>,
    /// Cancelled when the server is told to stop: a live stream ends on it, or shutdown would wait for it.
    pub(crate) stopping: CancellationToken,
}

/// The part of the configuration that the web side goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) site_folder: std::path::PathBuf,
    /// People reach the server by HTTPS, by itself or through a proxy.
    pub(crate) https: bool,
    /// Host and port that people type; `None` believes the request's own `Host`.
    pub(crate) authority: Option<String>,
    pub(crate) listening: SocketAddr,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) request_timeout: Duration,
    pub(crate) session_hours: u32,
}

impl AppState {
    pub(crate) fn new(
        services: Services,
        config: &Config,
        listening: SocketAddr,
        stopping: CancellationToken,
    ) -> anyhow::Result<Self> {
        let settings = Settings {
            site_folder: config.site.clone(),
            https: config.base_url.as_ref().is_some_and(|url| url.https),
            authority: config.base_url.as_ref().map(|url| url.authority.clone()),
            listening,
            trusted_proxies: config.trusted_proxies.clone(),
            request_timeout: config.request_timeout,
            session_hours: config.session_hours,
        };
        let name = settings
            .authority
            .clone()
            .unwrap_or_else(|| listening.to_string());
        let site = assets::read_site(&config.site, &name).with_context(|| {
            format!(
                "{} holds no built site. Build it with `make site`, or name its folder with --site",
                config.site.display()
            )
        })?;
        Ok(Self {
            services,
            site,
            settings: Arc::new(settings),
            stopping,
        })
    }

    /// Where people reach the server: scheme, host, port.
    pub(crate) fn address(&self) -> String {
        let scheme = if self.settings.https { "https" } else { "http" };
        let authority = self
            .settings
            .authority
            .clone()
            .unwrap_or_else(|| self.settings.listening.to_string());
        format!("{scheme}://{authority}")
    }

    /// Over HTTPS the prefix makes browsers refuse the cookie from anywhere but this very host.
    pub(crate) fn cookie_name(&self) -> &'static str {
        if self.settings.https {
            "__Host-holdpoint"
        } else {
            "holdpoint"
        }
    }
}

impl FromRef<AppState> for Services {
    fn from_ref(state: &AppState) -> Self {
        state.services.clone()
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(_: &AppState) -> Self {
        LeptosOptions::builder().output_name("holdpoint").build()
    }
}
