use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::request::Parts,
};

use super::{AppState, WebError};

/// Where a request comes from, for rate limits and the list of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

impl FromRequestParts<AppState> for ClientAddress {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, WebError> {
        Ok(Self(of(parts, state.settings.trust_proxy)))
    }
}

/// The peer; or, behind a proxy that is trusted, the last address of its header: earlier ones are what the client claims.
fn of(parts: &Parts, trust_proxy: bool) -> IpAddr {
    let peer = parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|info| info.0.ip());
    let forwarded = || {
        let header = parts
            .headers
            .get_all("x-forwarded-for")
            .iter()
            .next_back()?
            .to_str()
            .ok()?;
        header.rsplit(',').next()?.trim().parse().ok()
    };
    let address = if trust_proxy {
        forwarded().or(peer)
    } else {
        peer
    };
    address.unwrap_or(IpAddr::from([0, 0, 0, 0]))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_its_own_word() {
        let (mut parts, ()) = Request::builder()
            .header("x-forwarded-for", "198.51.100.1, 203.0.113.7")
            .body(())
            .unwrap()
            .into_parts();
        parts
            .extensions
            .insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 5))));
        assert_eq!(of(&parts, false), IpAddr::from([192, 0, 2, 1]));
        assert_eq!(of(&parts, true), IpAddr::from([203, 0, 113, 7]));
        parts
            .headers
            .insert("x-forwarded-for", "nonsense".parse().unwrap());
        assert_eq!(of(&parts, true), IpAddr::from([192, 0, 2, 1]));
    }
}
