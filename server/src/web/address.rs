use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, request::Parts},
};
use ipnet::IpNet;

use super::{AppState, WebError};

/// The proxies whose word about a request is believed: addresses and networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// What is expected of the setting.
    pub(crate) const EXPECTED: &'static str = "the addresses or networks of the proxies in front, such as `127.0.0.1, \
        10.0.0.0/8, 2001:db8::/32`, or none. What was `true` before has to name them: whoever else reaches the server could \
        claim any address";

    /// Addresses and networks with commas between them. `none` is nobody, and so is `false`, as it was before.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if ["", "none", "false"].contains(&text) {
            return Some(Self::default());
        }
        let network = |part: &str| {
            let part = part.trim();
            part.parse()
                .ok()
                .or_else(|| part.parse::<IpAddr>().ok().map(IpNet::from))
        };
        text.split(',')
            .map(network)
            .collect::<Option<_>>()
            .map(Self)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn has(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether a request comes straight from one of them.
    pub(crate) fn sent(&self, extensions: &http::Extensions) -> bool {
        peer(extensions).is_some_and(|peer| self.has(peer))
    }
}

/// Where a request comes from, for rate limits and the list of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

impl FromRequestParts<AppState> for ClientAddress {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, WebError> {
        Ok(Self(of(parts, &state.settings.trusted_proxies)))
    }
}

fn peer(extensions: &http::Extensions) -> Option<IpAddr> {
    let connected = extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(connected.0.ip().to_canonical())
}

/// The peer; or, behind proxies that are trusted, the address nearest to them in their header that is not one of them: what
/// stands before it is what the client claims.
pub(super) fn of(parts: &Parts, trusted: &TrustedProxies) -> IpAddr {
    let Some(peer) = peer(&parts.extensions) else {
        return IpAddr::from([0, 0, 0, 0]);
    };
    let mut nearest = peer;
    for address in forwarded(&parts.headers) {
        if !trusted.has(nearest) {
            break;
        }
        match address {
            Some(address) => nearest = address,
            // A proxy that is trusted and writes no address: nothing before it can be believed.
            None => break,
        }
    }
    nearest
}

/// What proxies wrote down, the nearest first.
fn forwarded(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let values: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
    values
        .into_iter()
        .rev()
        .flat_map(|value| value.to_str().unwrap_or_default().rsplit(','))
        .map(|part| {
            let part = part.trim();
            let address = part.parse().ok();
            let with_port = || Some(part.parse::<SocketAddr>().ok()?.ip());
            address
                .or_else(with_port)
                .map(|address: IpAddr| address.to_canonical())
        })
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    const PEER: [u8; 4] = [192, 0, 2, 1];

    fn from(peer: IpAddr, headers: &[&str], trusted: &str) -> String {
        let mut request = Request::builder();
        for header in headers {
            request = request.header("x-forwarded-for", *header);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let connected = ConnectInfo(SocketAddr::from((peer, 5)));
        parts.extensions.insert(connected);
        of(&parts, &TrustedProxies::parse(trusted).unwrap()).to_string()
    }

    #[test]
    fn the_client_is_the_nearest_address_that_no_trusted_proxy_has() {
        let cases: &[(&[&str], &str, &str)] = &[
            // Nobody is trusted: the header is what the client claims.
            (&["198.51.100.1"], "none", "192.0.2.1"),
            (&[], "192.0.2.1", "192.0.2.1"),
            (&["198.51.100.1, 203.0.113.7"], "192.0.2.1", "203.0.113.7"),
            (
                &["198.51.100.1", "203.0.113.7"],
                "192.0.2.0/24",
                "203.0.113.7",
            ),
            // Two proxies in a row, and what the client claimed before the first.
            (
                &["6.6.6.6, 203.0.113.7, 10.0.0.2"],
                "192.0.2.1, 10.0.0.0/8",
                "203.0.113.7",
            ),
            (
                &["6.6.6.6, 203.0.113.7", "10.0.0.2"],
                "192.0.2.1,10.0.0.0/8",
                "203.0.113.7",
            ),
            // Another peer claims to be a proxy.
            (&["203.0.113.7"], "10.0.0.0/8", "192.0.2.1"),
            (&["nonsense"], "192.0.2.1", "192.0.2.1"),
            (&["203.0.113.7, nonsense"], "192.0.2.1", "192.0.2.1"),
            (
                &["203.0.113.7, nonsense, 10.0.0.2"],
                "192.0.2.1, 10.0.0.0/8",
                "10.0.0.2",
            ),
            (&["10.0.0.3, 10.0.0.2"], "192.0.2.1, 10.0.0.0/8", "10.0.0.3"),
            (&["203.0.113.7:4711"], "192.0.2.1", "203.0.113.7"),
            (&["[2001:db8::7]:4711"], "192.0.2.1", "2001:db8::7"),
            (&["2001:db8::7"], "192.0.2.1", "2001:db8::7"),
        ];
        for (headers, trusted, client) in cases {
            assert_eq!(
                &from(PEER.into(), headers, trusted),
                client,
                "{headers:?} {trusted}"
            );
        }
        let mapped = "::ffff:192.0.2.1".parse().unwrap();
        assert_eq!(from(mapped, &["203.0.113.7"], "192.0.2.1"), "203.0.113.7");
    }

    #[test]
    fn proxies_are_named_and_true_is_refused() {
        for nobody in ["", "none", "false"] {
            assert!(
                TrustedProxies::parse(nobody).unwrap().is_empty(),
                "{nobody}"
            );
        }
        for wrong in [
            "true",
            "yes",
            "10.0.0.0/33",
            "proxy.example",
            "127.0.0.1,",
            "10.0.0.0/8; ::1",
        ] {
            assert_eq!(TrustedProxies::parse(wrong), None, "{wrong}");
        }
    }
}
