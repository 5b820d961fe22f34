//! Forms with files. What is over a limit is read to its end and thrown away, since a browser shows no answer before it has
//! sent all; what is far beyond it is cut off.

use axum::{
    body::Bytes,
    extract::{
        DefaultBodyLimit, Multipart,
        multipart::{Field, MultipartError},
    },
};
use holdpoint_service::{Services, Upload, UploadBy};
use http::StatusCode;

use super::WebError;

/// Where a body is cut off: so many times a file's limit, and what stands around the files.
pub(super) fn most(file_bytes: i64, times: usize, around_bytes: usize) -> DefaultBodyLimit {
    let bytes = usize::try_from(file_bytes).unwrap_or(usize::MAX);
    DefaultBodyLimit::max(bytes.saturating_mul(times).saturating_add(around_bytes))
}

/// A form that comes in field by field.
#[derive(Debug)]
pub(super) struct UploadForm {
    form: Multipart,
    too_large: String,
}

/// A field that comes in piece by piece.
#[derive(Debug)]
pub(super) struct UploadField<'a> {
    field: Field<'a>,
    too_large: &'a str,
}

/// What came of a file. Dropped, it leaves nothing behind.
#[derive(Debug, Default)]
pub(super) struct Arriving {
    /// Its beginning, where it is too large; absent without a single byte.
    pub(super) file: Option<Upload>,
    pub(super) is_too_large: bool,
}

impl UploadForm {
    /// The words are for a form that is cut off.
    pub(super) fn new(form: Multipart, too_large: String) -> Self {
        Self { form, too_large }
    }

    pub(super) async fn next(&mut self) -> Result<Option<UploadField<'_>>, WebError> {
        let too_large = self.too_large.as_str();
        let field = self.form.next_field().await;
        let field = field.map_err(|error| broken(&error, too_large))?;
        Ok(field.map(|field| UploadField { field, too_large }))
    }
}

impl UploadField<'_> {
    pub(super) fn name(&self) -> &str {
        self.field.name().unwrap_or_default()
    }

    /// Absent where a text was typed.
    pub(super) fn file_name(&self) -> Option<&str> {
        self.field.file_name()
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, WebError> {
        let piece = self.field.chunk().await;
        piece.map_err(|error| broken(&error, self.too_large))
    }

    /// The first bytes, at most so many.
    pub(super) async fn bytes(mut self, most: usize) -> Result<Vec<u8>, WebError> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.piece().await? {
            let room = most.saturating_sub(bytes.len());
            bytes.extend_from_slice(&piece[..piece.len().min(room)]);
        }
        Ok(bytes)
    }

    /// The same as text.
    pub(super) async fn text(self, most_bytes: usize) -> Result<String, WebError> {
        Ok(String::from_utf8_lossy(&self.bytes(most_bytes).await?).into_owned())
    }

    /// Writes a file to the disk as it comes, up to the limit and only where it may be taken.
    pub(super) async fn file(
        mut self,
        services: &Services,
        most_bytes: i64,
        by: Option<UploadBy<'_>>,
    ) -> Result<Arriving, WebError> {
        let mut arriving = Arriving::default();
        while let Some(piece) = self.piece().await? {
            let Some(by) = by else { continue };
            if piece.is_empty() || arriving.is_too_large {
                continue;
            }
            let file = match &mut arriving.file {
                Some(file) => file,
                none => none.insert(services.begin_upload(by).await?),
            };
            let size = file.size_bytes() + i64::try_from(piece.len()).unwrap_or(i64::MAX);
            if size > most_bytes {
                arriving.is_too_large = true;
            } else {
                file.write(&piece).await?;
            }
        }
        Ok(arriving)
    }
}

fn broken(error: &MultipartError, too_large: &str) -> WebError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return WebError::TooLarge(too_large.to_owned());
    }
    tracing::debug!(%error, "an upload broke off");
    WebError::BadRequest(
        "The form broke off before its end, and nothing was stored. Send it again.",
    )
}
