//! Files that go out. Nothing of them ever runs in this origin, whatever a browser makes of them.

use std::fmt::Write as _;

use axum::{body::Body, response::Response};
use holdpoint_domain::Digest;
use holdpoint_service::{ServiceError, Services};
use http::{HeaderValue, header};
use tokio::fs::File;
use tokio_util::io::ReaderStream;

use super::WebError;

/// What is said of a file nobody vouches for.
pub(super) const OCTETS: &str = "application/octet-stream";

/// What is said of what a person wrote or pasted.
pub(super) const TEXT: &str = "text/plain; charset=utf-8";

/// The head of a file that goes out.
#[derive(Debug)]
pub(super) struct Download {
    media: &'static str,
    disposition: HeaderValue,
}

impl Download {
    /// A file to save under its name, never to show.
    pub(super) fn new(media: &'static str, name: &str) -> Self {
        Self {
            media,
            disposition: disposition("attachment", name),
        }
    }

    /// A file that browsers show by themselves and cannot run.
    pub(super) fn shown(media: &'static str, name: &str) -> Self {
        Self {
            media,
            disposition: disposition("inline", name),
        }
    }

    pub(super) fn of(self, body: impl Into<Body>) -> Response {
        let mut response = Response::new(body.into());
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media));
        headers.insert(header::CONTENT_DISPOSITION, self.disposition);
        for (name, value) in [
            (
                header::CONTENT_SECURITY_POLICY,
                "sandbox; default-src 'none'",
            ),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::CACHE_CONTROL, "private, no-store"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }

    /// An open file from its beginning, as a stream.
    pub(super) async fn of_file(self, mut file: File) -> Result<Response, WebError> {
        tokio::io::AsyncSeekExt::rewind(&mut file)
            .await
            .map_err(ServiceError::unavailable)?;
        let about = file.metadata().await.map_err(ServiceError::unavailable)?;
        let pieces = ReaderStream::with_capacity(file, 64 * 1024);
        let mut response = self.of(Body::from_stream(pieces));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LENGTH, about.len().into());
        Ok(response)
    }

    /// A stored file whose digest was just checked.
    pub(super) async fn of_stored(
        self,
        services: &Services,
        sha256: &Digest,
    ) -> Result<Response, WebError> {
        let file = File::open(services.files().path(sha256))
            .await
            .map_err(ServiceError::unavailable)?;
        let mut response = self.of_file(file).await?;
        let tag = HeaderValue::try_from(format!("\"{sha256}\""))
            .expect("a digest in quotes is a header's value");
        response.headers_mut().insert(header::ETAG, tag);
        Ok(response)
    }
}

/// The name without anything that an old client could stumble over; and where that is not all of it, the whole name (RFC 6266).
fn disposition(how: &str, name: &str) -> HeaderValue {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ');
    let plain: String = name
        .chars()
        .map(|c| if fits(c) { c } else { '_' })
        .collect();
    let mut value = format!("{how}; filename=\"{plain}\"");
    if plain != name {
        value.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || b".-_".contains(&byte) {
                value.push(char::from(byte));
            } else {
                write!(value, "%{byte:02X}").expect("a string takes whatever is written");
            }
        }
    }
    HeaderValue::try_from(value).expect("letters, digits and a few signs fit a header")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_name_breaks_out_of_its_header() {
        for (name, expected) in [
            ("race-report.txt", "inline; filename=\"race-report.txt\""),
            (
                "a\"; x=\"b\r\nSet-Cookie: y.txt",
                "inline; filename=\"a__ x__b__Set-Cookie_ y.txt\"; filename*=UTF-8''a%22%3B%20x%3D%22b%0D%0ASet-Cookie%3A%20y.txt",
            ),
            (
                "übersicht.txt",
                "inline; filename=\"_bersicht.txt\"; filename*=UTF-8''%C3%BCbersicht.txt",
            ),
        ] {
            assert_eq!(disposition("inline", name), expected);
        }
    }
}
