//! Requests that another site makes a browser send are refused: one rule for every address.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, Method, header};

use super::{AppState, WebError};

/// Refuses a request that changes something unless the browser says that one of our own pages sent it.
pub(super) async fn refuse_foreign(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    let ours = |origin: &str| is_ours(origin, &state, request.headers());
    if may_pass(
        request.method(),
        request.headers(),
        state.cookie_name(),
        ours,
    ) {
        next.run(request).await
    } else {
        tracing::warn!("refused a request that another site made");
        WebError::Forbidden(
            "This request did not come from one of Holdpoint's own pages, so nothing was changed. Open the page and send \
             the form again."
                .to_owned(),
        )
        .into_response()
    }
}

/// Only reading may come from anywhere. What a token vouches for needs no browser's word, as long as no cookie comes with
/// it; without either, only a browser that says "same origin", or no browser at all, may pass.
fn may_pass(
    method: &Method,
    headers: &HeaderMap,
    cookie: &str,
    ours: impl Fn(&str) -> bool,
) -> bool {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return true;
    }
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let has_cookie = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .any(|pair| pair.trim().split('=').next() == Some(cookie));
    let has_token = text(header::AUTHORIZATION).is_some_and(|value| value.starts_with("Bearer "));
    if has_token && !has_cookie {
        return true;
    }
    match (headers.get("sec-fetch-site"), headers.get(header::ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin.to_str().is_ok_and(ours),
        // Neither: not a browser of the last years. Without the cookie it can do nothing in anyone's name.
        (None, None) => !has_cookie,
    }
}

fn is_ours(origin: &str, state: &AppState, headers: &HeaderMap) -> bool {
    match &state.settings.authority {
        Some(_) => origin.eq_ignore_ascii_case(&state.address()),
        None => {
            let host = headers
                .get(header::HOST)
                .and_then(|host| host.to_str().ok());
            origin.split_once("://").is_some_and(|(_, authority)| {
                host.is_some_and(|host| host.eq_ignore_ascii_case(authority))
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn only_our_own_pages_and_tokens_may_change_something() {
        /// Method, headers, whether it passes.
        type Case<'a> = (&'a str, &'a [(&'static str, &'static str)], bool);
        let cookie = ("cookie", "theme=dark; holdpoint=abc");
        let bearer = ("authorization", "Bearer hp_x");
        let cases: &[Case<'_>] = &[
            ("GET", &[cookie, ("sec-fetch-site", "cross-site")], true),
            ("HEAD", &[cookie, ("sec-fetch-site", "cross-site")], true),
            ("POST", &[cookie, ("sec-fetch-site", "same-origin")], true),
            ("POST", &[cookie, ("sec-fetch-site", "same-site")], false),
            ("POST", &[cookie, ("sec-fetch-site", "cross-site")], false),
            ("POST", &[cookie, ("sec-fetch-site", "none")], false),
            // Fetch Metadata speaks first: a page cannot forge it, whatever the origin looks like.
            (
                "POST",
                &[
                    cookie,
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "https://ours.example"),
                ],
                false,
            ),
            ("POST", &[cookie, ("origin", "https://ours.example")], true),
            ("POST", &[cookie, ("origin", "https://evil.example")], false),
            ("POST", &[cookie, ("origin", "null")], false),
            ("POST", &[cookie], false),
            ("PUT", &[cookie], false),
            ("DELETE", &[cookie, ("sec-fetch-site", "cross-site")], false),
            // Signing somebody in to the attacker's account needs no cookie.
            ("POST", &[("sec-fetch-site", "cross-site")], false),
            ("POST", &[("origin", "https://evil.example")], false),
            ("POST", &[], true),
            ("POST", &[bearer], true),
            ("POST", &[bearer, ("sec-fetch-site", "cross-site")], true),
            ("POST", &[bearer, cookie], false),
            ("POST", &[("cookie", "other=1"), bearer], true),
            ("POST", &[("cookie", "notholdpoint=1")], true),
        ];
        for (method, headers, passes) in cases {
            let mut map = HeaderMap::new();
            for (name, value) in *headers {
                map.append(
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                );
            }
            let method = method.parse().unwrap();
            let passed = may_pass(&method, &map, "holdpoint", |origin| {
                origin == "https://ours.example"
            });
            assert_eq!(passed, *passes, "{method} {headers:?}");
        }
    }
}
