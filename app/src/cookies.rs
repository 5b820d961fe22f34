//! Cookies that Holdpoint sets beside the session's: what a refused form leaves for somebody who is not signed in, what makes a
//! browser known after a sign-in, and what somebody prefers there.

use http::{HeaderMap, HeaderValue, header};

/// A cookie of Holdpoint's own. No script reads it, and no other site makes a browser send it with a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cookie {
    name: &'static str,
    max_age_seconds: i64,
}

/// What the last form left, for somebody who is not signed in: the server keeps nothing for strangers.
pub const FLASH: Cookie = Cookie {
    name: "holdpoint-flash",
    max_age_seconds: 300,
};

/// The secret of a browser in which somebody has signed in.
pub const DEVICE: Cookie = Cookie {
    name: "holdpoint-device",
    max_age_seconds: holdpoint_service::DEVICE_LASTS / 1_000,
};

const A_YEAR_SECONDS: i64 = 31_536_000;

/// Light or dark.
pub const THEME: Cookie = Cookie {
    name: "theme",
    max_age_seconds: A_YEAR_SECONDS,
};

/// Whether single keys are shortcuts.
pub const SHORTCUTS: Cookie = Cookie {
    name: "shortcuts",
    max_age_seconds: A_YEAR_SECONDS,
};

impl Cookie {
    /// Over HTTPS the prefix makes browsers refuse the cookie from anywhere but this very host.
    fn prefix(https: bool) -> &'static str {
        if https { "__Host-" } else { "" }
    }

    /// The header that sets it; `None` for a value that a cookie cannot hold.
    pub fn set(self, value: &str, https: bool) -> Option<HeaderValue> {
        self.header(value, self.max_age_seconds, https)
    }

    /// The header that takes it away.
    pub fn forget(self, https: bool) -> Option<HeaderValue> {
        self.header("", 0, https)
    }

    fn header(self, value: &str, max_age_seconds: i64, https: bool) -> Option<HeaderValue> {
        let is_plain = value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        let header = format!(
            "{}{}={value}; Path=/; Max-Age={max_age_seconds}; SameSite=Lax; HttpOnly{}",
            Self::prefix(https),
            self.name,
            if https { "; Secure" } else { "" }
        );
        HeaderValue::try_from(header).ok().filter(|_| is_plain)
    }

    /// Its value in a request.
    pub fn get(self, headers: &HeaderMap, https: bool) -> Option<&str> {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|cookies| cookies.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(name, _)| name.strip_prefix(Self::prefix(https)) == Some(self.name))
            .map(|(_, value)| value)
            .filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(cookies: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_static(cookies))])
    }

    #[test]
    fn a_cookie_is_for_this_host_and_no_script() {
        assert_eq!(
            DEVICE.set("s3cret", true).unwrap(),
            "__Host-holdpoint-device=s3cret; Path=/; Max-Age=7776000; SameSite=Lax; HttpOnly; Secure"
        );
        assert_eq!(
            FLASH.forget(false).unwrap(),
            "holdpoint-flash=; Path=/; Max-Age=0; SameSite=Lax; HttpOnly"
        );
        for wrong in ["a; Domain=evil.example", "a\r\nset-cookie: b=c", "ä"] {
            assert_eq!(FLASH.set(wrong, true), None, "{wrong}");
        }
    }

    #[test]
    fn over_https_only_the_cookie_that_no_other_host_can_set_counts() {
        let both = sent("holdpoint-device=tossed; __Host-holdpoint-device=own; theme=dark");
        assert_eq!(DEVICE.get(&both, true), Some("own"));
        assert_eq!(DEVICE.get(&both, false), Some("tossed"));
        assert_eq!(DEVICE.get(&sent("holdpoint-device=tossed"), true), None);
        assert_eq!(DEVICE.get(&sent("holdpoint-device="), false), None);
    }
}
