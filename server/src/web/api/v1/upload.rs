//! Files that come in: written to the store as they arrive, counted against a limit, their digest made on the way.

use axum::{
    body::Bytes,
    extract::{FromRequest as _, Multipart, Request, multipart::MultipartError},
};
use futures::{Stream, StreamExt as _};
use holdpoint_domain::Digest;
use holdpoint_service::{ServiceError, Services, StoredFile, UploadBy};
use http::{StatusCode, header};

use super::asked;
use crate::web::WebError;

/// What a form's text field may hold.
const MAX_FIELD_BYTES: usize = 2 * 1024 * 1024;

/// A form or a body, received.
#[derive(Debug)]
pub(super) struct Received {
    /// The file and its name as it was sent.
    pub(super) file: Option<(StoredFile, String)>,
    /// A form's other fields, in the order in which they came.
    pub(super) fields: Vec<(String, String)>,
    /// Over all of it.
    pub(super) digest: Digest,
}

fn too_large(most: i64) -> WebError {
    WebError::TooLarge(format!(
        "The file has more than {most} bytes, which is the most that is taken. Nothing was stored."
    ))
}

fn broke_off() -> WebError {
    WebError::Malformed("The upload broke off. Nothing was stored.".to_owned())
}

fn unreadable(error: &MultipartError) -> WebError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return WebError::TooLarge("The form is too large. Nothing was stored.".to_owned());
    }
    WebError::Malformed(format!(
        "The form cannot be read: {}. Nothing was stored.",
        error.body_text().to_lowercase().trim_end_matches('.')
    ))
}

pub(super) fn is_form(request: &Request) -> bool {
    asked::media_type(request.headers()) == "multipart/form-data"
}

/// The body itself as a file.
pub(super) async fn body(
    services: &Services,
    by: UploadBy<'_>,
    request: Request,
    name: String,
    most: i64,
) -> Result<Received, WebError> {
    refuse_announced(&request, most)?;
    let file = store(services, by, request.into_body().into_data_stream(), most).await?;
    Ok(Received {
        digest: file.sha256.clone(),
        file: Some((file, name)),
        fields: Vec::new(),
    })
}

/// A form with at most one file, in its field `file`.
pub(super) async fn form(
    services: &Services,
    by: UploadBy<'_>,
    request: Request,
    most: i64,
) -> Result<Received, WebError> {
    refuse_announced(&request, most.saturating_add(8 * 1024 * 1024))?;
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|refused| {
            WebError::Malformed(format!("The form cannot be read: {}", refused.body_text()))
        })?;
    let mut file = None;
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut n_bytes = 0;
    while let Some(field) = form
        .next_field()
        .await
        .map_err(|error| unreadable(&error))?
    {
        let name = field.name().unwrap_or_default().to_owned();
        let shown: String = name.chars().take(100).collect();
        let is_repeated =
            fields.iter().any(|(known, _)| *known == name) || (name == "file" && file.is_some());
        if is_repeated {
            let message = "This field is in the form twice. Send it once.".to_owned();
            return Err(WebError::Field {
                field: shown,
                message,
            });
        }
        if name == "file" {
            let file_name = field.file_name().unwrap_or_default().to_owned();
            let pieces = field.map(|piece| piece.map_err(|error| unreadable(&error)));
            file = Some((store(services, by, pieces, most).await?, file_name));
            continue;
        }
        let mut bytes = Vec::new();
        let mut field = field;
        while let Some(piece) = field.chunk().await.map_err(|error| unreadable(&error))? {
            n_bytes += piece.len();
            if n_bytes > MAX_FIELD_BYTES {
                return Err(WebError::TooLarge(format!(
                    "The form's texts have more than {MAX_FIELD_BYTES} bytes together. Send long ones as a file."
                )));
            }
            bytes.extend_from_slice(&piece);
        }
        let text = String::from_utf8(bytes).map_err(|_| WebError::Field {
            field: shown,
            message: "This is not UTF-8 text.".to_owned(),
        })?;
        fields.push((name, text));
    }
    let of_file = file
        .as_ref()
        .map(|(file, name): &(StoredFile, String)| (file.sha256.as_str(), name.as_str()));
    let whole = serde_json::to_vec(&(of_file, &fields)).map_err(ServiceError::unavailable)?;
    Ok(Received {
        file,
        digest: Digest::of(&whole),
        fields,
    })
}

fn refuse_announced(request: &Request, most: i64) -> Result<(), WebError> {
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<i64>().ok());
    match announced {
        Some(length) if length > most => Err(too_large(most)),
        _ => Ok(()),
    }
}

async fn store<E>(
    services: &Services,
    by: UploadBy<'_>,
    pieces: impl Stream<Item = Result<Bytes, E>>,
    most: i64,
) -> Result<StoredFile, WebError>
where
    E: IntoWebError,
{
    let mut receiving = services.begin_upload(by).await?;
    let mut pieces = std::pin::pin!(pieces);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(IntoWebError::into_web_error)?;
        let coming = i64::try_from(piece.len()).unwrap_or(i64::MAX);
        if receiving.size_bytes().saturating_add(coming) > most {
            return Err(too_large(most));
        }
        receiving.write(&piece).await?;
    }
    if receiving.size_bytes() == 0 {
        return Err(WebError::Rejected {
            field: "file",
            message: "The file is empty. Choose another.".to_owned(),
        });
    }
    Ok(receiving.keep().await?)
}

trait IntoWebError {
    fn into_web_error(self) -> WebError;
}

impl IntoWebError for WebError {
    fn into_web_error(self) -> WebError {
        self
    }
}

impl IntoWebError for axum::Error {
    fn into_web_error(self) -> WebError {
        broke_off()
    }
}
