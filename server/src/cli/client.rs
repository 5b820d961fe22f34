//! Asking a server, for the commands that need one.

use std::{fmt, io::Read, time::Duration};

use anyhow::{Context as _, anyhow, bail, ensure};
use holdpoint_domain::ReviewId;
use http::{Response, StatusCode, header};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use ureq::{Agent, Body};

use super::terminal;

/// Which server is asked.
#[derive(Debug, clap::Args)]
pub(super) struct ServerFlags {
    /// The server's address, such as https://prr.example.org [variable HOLDPOINT_URL]. The token comes from HOLDPOINT_TOKEN.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

/// A server, and the token that it is asked with.
pub(super) struct Server {
    agent: Agent,
    url: String,
    token: String,
}

/// The part of a problem document that people read.
#[derive(Default, Deserialize)]
struct Problem {
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
    field: Option<String>,
    preview: Option<Value>,
}

/// A refusal since something else would be imported now than was seen, with what that is.
#[derive(Debug)]
pub(super) struct GroundMoved {
    said: String,
    pub(super) preview: Value,
}

impl fmt::Display for GroundMoved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}

impl std::error::Error for GroundMoved {}

/// What a refusal may hold: the longest has a preview with its lists.
const MAX_PROBLEM_BYTES: u64 = 16 * 1024 * 1024;
/// What an answer may hold that is read whole.
const MAX_ANSWER_BYTES: u64 = 256 * 1024 * 1024;

impl ServerFlags {
    pub(super) fn server(&self) -> anyhow::Result<Server> {
        let variable = |name| {
            std::env::var(name)
                .ok()
                .filter(|value| !value.trim().is_empty())
        };
        let url = self.url.clone().or_else(|| variable("HOLDPOINT_URL")).context(
            "no server is named. Set HOLDPOINT_URL to its address, such as https://prr.example.org, or use --url",
        )?;
        let url = url.trim().trim_end_matches('/').to_owned();
        let parsed = url.parse::<http::Uri>().ok().filter(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some_and(|host| !host.is_empty())
                && uri.query().is_none()
                && uri
                    .authority()
                    .is_some_and(|authority| !authority.as_str().contains('@'))
        });
        ensure!(
            parsed.is_some(),
            "{url:?} is no address of a server. Write one such as https://prr.example.org"
        );
        let token = variable("HOLDPOINT_TOKEN").context(
            "there is no token. Make one on your account page or with `holdpoint token create`, and put it into the variable \
             HOLDPOINT_TOKEN",
        )?;
        let token = token.trim().to_owned();
        ensure!(
            token.bytes().all(|byte| byte.is_ascii_graphic()),
            "variable HOLDPOINT_TOKEN: this is no token. Copy it whole, without line breaks"
        );
        let agent = Agent::config_builder()
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_recv_response(Some(Duration::from_secs(600)))
            .http_status_as_error(false)
            // Whoever redirects an API call is a sign-in page or a wrong address, and must not get the token.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("holdpoint/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        Ok(Server { agent, url, token })
    }
}

impl Server {
    fn address(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let path = format!("{}/api/v1{path}", self.url);
        holdpoint_app::paths::with_query(&path, parameters)
    }

    fn unreachable(&self, error: ureq::Error) -> anyhow::Error {
        anyhow::Error::new(error).context(format!(
            "{} does not answer. Check HOLDPOINT_URL, and that the server runs",
            self.url
        ))
    }

    /// Asks; a refusal is an error in the server's words.
    pub(super) fn get(&self, path: &str) -> anyhow::Result<Response<Body>> {
        let response = self.get_any(path)?;
        if response.status() == StatusCode::OK {
            return Ok(response);
        }
        Err(self.refused(response))
    }

    /// Asks for what may not be there.
    pub(super) fn get_if_there(&self, path: &str) -> anyhow::Result<Option<Response<Body>>> {
        let response = self.get_any(path)?;
        match response.status() {
            StatusCode::OK => Ok(Some(response)),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(self.refused(response)),
        }
    }

    fn get_any(&self, path: &str) -> anyhow::Result<Response<Body>> {
        self.agent
            .get(self.address(path, &[]))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::ACCEPT, "application/json, */*;q=0.5")
            .call()
            .map_err(|error| self.unreachable(error))
    }

    /// Sends a file as the body.
    pub(super) fn post_file(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
        file: std::fs::File,
    ) -> anyhow::Result<Response<Body>> {
        let response = self
            .agent
            .post(self.address(path, parameters))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::ACCEPT, "application/json")
            .content_type("application/octet-stream")
            .send(file)
            .map_err(|error| self.unreachable(error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.refused(response))
    }

    /// Reads an answer of JSON.
    pub(super) fn json<T: DeserializeOwned>(&self, response: Response<Body>) -> anyhow::Result<T> {
        let bytes = bytes(response)?;
        serde_json::from_slice(&bytes).map_err(|_| {
            anyhow!(
                "{} answered with something else than Holdpoint's API does. Check HOLDPOINT_URL",
                self.url
            )
        })
    }

    fn refused(&self, response: Response<Body>) -> anyhow::Error {
        let status = response.status();
        let header = |name| {
            let value = response.headers().get(name);
            value
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned()
        };
        if status.is_redirection() {
            let to = header(header::LOCATION);
            return anyhow!(
                "{} leads on to {to:?}. Set HOLDPOINT_URL to where the server itself is",
                self.url
            );
        }
        let is_problem = header(header::CONTENT_TYPE).contains("json");
        let problem = response
            .into_body()
            .with_config()
            .limit(MAX_PROBLEM_BYTES)
            .read_to_vec()
            .ok()
            .filter(|_| is_problem)
            .and_then(|bytes| serde_json::from_slice::<Problem>(&bytes).ok());
        let Some(Problem {
            title,
            detail,
            field,
            preview,
        }) = problem
        else {
            return anyhow!(
                "{} answered {status} and not as Holdpoint's API does. Check HOLDPOINT_URL",
                self.url
            );
        };
        if let Some(preview) = preview {
            let said = format!("{title}. {detail}");
            return GroundMoved { said, preview }.into();
        }
        let field = field.map(|field| format!("{field}: ")).unwrap_or_default();
        match status {
            StatusCode::UNAUTHORIZED => anyhow!(
                "{} does not take the token of HOLDPOINT_TOKEN: {detail}",
                self.url
            ),
            StatusCode::UNPROCESSABLE_ENTITY => anyhow!("{field}{detail}"),
            _ => anyhow!("{title}. {field}{detail}"),
        }
    }
}

/// An answer, read whole.
pub(super) fn bytes(response: Response<Body>) -> anyhow::Result<Vec<u8>> {
    response
        .into_body()
        .with_config()
        .limit(MAX_ANSWER_BYTES)
        .read_to_vec()
        .context("the server's answer broke off")
}

/// An answer to be read piece by piece.
pub(super) fn reader(response: Response<Body>) -> impl Read {
    response
        .into_body()
        .into_with_config()
        .limit(u64::MAX)
        .reader()
}

/// A review by its id, or by the address of one of its pages.
pub(super) fn review(written: &str) -> anyhow::Result<ReviewId> {
    let id = written
        .split_once("/reviews/")
        .map_or(written, |(_, rest)| {
            rest.split(['/', '?', '#']).next().unwrap_or_default()
        });
    match ReviewId::parse(id) {
        Some(id) => Ok(id),
        None => bail!(
            "{:?} is no review. Give its id, or the address of its page",
            terminal::line(written)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_review_is_named_by_its_id_or_its_page() {
        for written in [
            "0198-ab",
            "https://prr.example.org/reviews/0198-ab",
            "/reviews/0198-ab/checklist?x#y",
        ] {
            assert_eq!(review(written).unwrap().as_str(), "0198-ab");
        }
        for wrong in ["", "a/b", "../../etc", "/reviews/", "x y"] {
            assert!(review(wrong).is_err(), "{wrong}");
        }
    }
}
