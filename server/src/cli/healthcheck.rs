use std::time::Duration;

use anyhow::Context as _;

use super::{
    Answer,
    config::{Config, Flags},
};

/// Asks `/healthz` of a running server.
#[derive(Debug, clap::Args)]
pub(super) struct Healthcheck {
    /// The server's address; by default the one this configuration listens on.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

impl Healthcheck {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        let base = match self.url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => {
                let mut listen = Config::of_process(&Flags::default())?.listen;
                // A server that listens everywhere is asked here.
                if listen.ip().is_unspecified() {
                    listen.set_ip(if listen.is_ipv4() {
                        [127, 0, 0, 1].into()
                    } else {
                        std::net::Ipv6Addr::LOCALHOST.into()
                    });
                }
                format!("http://{listen}")
            }
        };
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(5)))
            .http_status_as_error(false)
            .build()
            .into();
        let address = format!("{base}/healthz");
        let response = agent
            .get(&address)
            .call()
            .with_context(|| format!("{address} does not answer"))?;
        if response.status().is_success() {
            Ok(Answer::Done)
        } else {
            super::complain(&format!("{address} answers {}", response.status()));
            Ok(Answer::No)
        }
    }
}
