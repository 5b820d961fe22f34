//! Checklist documents come in here, to be previewed, and go out again: as they were imported, or with boxes ticked.

use axum::{
    Router,
    extract::{
        DefaultBodyLimit, Multipart, State,
        multipart::{Field, MultipartError},
    },
    response::{Redirect, Response},
    routing::{get, post},
};
use holdpoint_app::{
    actions::{Notice, templates::Previewed},
    paths,
};
use holdpoint_domain::{ReviewId, TemplateId, TemplateVersionId};
use holdpoint_service::{Actor, Limits, ServiceError, Services};
use http::StatusCode;
use tower_sessions::Session;

use super::{
    AppState, WebError, answer::FormAnswer, download::Download, id::Id, signed_in::SignedIn,
};

/// The other fields of the form and what stands between them.
const AROUND_BYTES: usize = 64 * 1024;

pub(super) fn routes(limits: Limits) -> Router<AppState> {
    // A document over the limit is read to its end and thrown away, since a browser shows no answer before it has sent
    // all; beyond four times the limit it is cut off.
    let most = most_bytes(limits)
        .saturating_mul(4)
        .saturating_add(AROUND_BYTES);
    Router::new()
        .route(
            paths::TEMPLATE_UPLOAD,
            post(upload).layer(DefaultBodyLimit::max(most)),
        )
        .route("/templates/versions/{id}/source", get(source))
        .route("/reviews/{id}/checklist.md", get(ticked))
}

fn most_bytes(limits: Limits) -> usize {
    usize::try_from(limits.checklist_bytes).unwrap_or(usize::MAX)
}

/// What the form brought.
#[derive(Default)]
struct Arrived {
    /// The checklist that a new version is meant for.
    template: String,
    document: Vec<u8>,
    /// Absent where the text was pasted.
    file_name: Option<String>,
    is_too_large: bool,
}

impl Arrived {
    /// The form's name: a page has one for files and one for pasted text.
    fn form(&self) -> &'static str {
        if self.file_name.is_some() {
            "templates/upload"
        } else {
            "templates/paste"
        }
    }
}

/// Takes a document and leads to its preview, or back with the reason why it is refused.
async fn upload(
    State(services): State<Services>,
    person: SignedIn,
    session: Session,
    answer: FormAnswer,
    form: Multipart,
) -> Result<Redirect, WebError> {
    let limits = services.limits();
    let arrived = receive(form, limits).await?;
    let form = arrived.form();
    let template = arrived.template.clone();
    let typed = if arrived.file_name.is_none() {
        String::from_utf8_lossy(&arrived.document).into_owned()
    } else {
        String::new()
    };
    let outcome = preview(&services, &person, &session, arrived).await;
    let back = paths::import_version(&template);
    answer
        .answer(outcome, form, &back, &[("document", &typed)])
        .await
}

/// Reads the document once, so that one in which nothing can be read as an item is refused here, and keeps it for the
/// preview.
async fn preview(
    services: &Services,
    person: &Actor,
    session: &Session,
    arrived: Arrived,
) -> Result<Notice, ServiceError> {
    let limit = services.limits().checklist_bytes;
    if arrived.is_too_large {
        return Err(ServiceError::rejected(
            "document",
            format!(
                "The document is larger than {limit} bytes, which is the most that is taken. Split it."
            ),
        ));
    }
    if arrived.document.is_empty() {
        let text = if arrived.file_name.is_some() {
            "Choose a file: this one is empty or none was chosen."
        } else {
            "Paste the checklist's text here."
        };
        return Err(ServiceError::rejected("document", text));
    }
    let bytes = arrived.document;
    services
        .preview_checklist(person, bytes.clone(), None, None)
        .await?;
    let kept = services.files().keep(&bytes).await?;
    let sha256 = kept.sha256.as_str().to_owned();
    let previewed = Previewed {
        sha256: sha256.clone(),
        file_name: arrived
            .file_name
            .unwrap_or_else(|| "checklist.md".to_owned()),
        size_bytes: bytes.len(),
        template: TemplateId::parse(&arrived.template).map(|id| id.as_str().to_owned()),
    };
    previewed
        .keep(session)
        .await
        .map_err(ServiceError::unavailable)?;
    Ok(Notice::silent(paths::template_preview(&sha256)))
}

async fn receive(mut form: Multipart, limits: Limits) -> Result<Arrived, WebError> {
    let mut arrived = Arrived::default();
    while let Some(mut field) = form
        .next_field()
        .await
        .map_err(|error| broken(&error, limits))?
    {
        match field.name() {
            Some("template") => {
                let (bytes, _) = read(&mut field, 100, limits).await?;
                arrived.template = String::from_utf8_lossy(&bytes).into_owned();
            }
            Some("document") => {
                arrived.file_name = field.file_name().map(str::to_owned);
                let (bytes, is_whole) = read(&mut field, most_bytes(limits), limits).await?;
                arrived.is_too_large = !is_whole;
                arrived.document = if arrived.file_name.is_some() {
                    bytes
                } else {
                    // Browsers end each line of a text field with CR LF, whatever was typed.
                    String::from_utf8_lossy(&bytes)
                        .replace("\r\n", "\n")
                        .into_bytes()
                };
            }
            _ => {}
        }
    }
    Ok(arrived)
}

/// A field's bytes, as many as fit, and whether these are all.
async fn read(
    field: &mut Field<'_>,
    most: usize,
    limits: Limits,
) -> Result<(Vec<u8>, bool), WebError> {
    let mut bytes = Vec::new();
    let mut is_whole = true;
    while let Some(chunk) = field
        .chunk()
        .await
        .map_err(|error| broken(&error, limits))?
    {
        is_whole &= bytes.len() + chunk.len() <= most;
        if is_whole {
            bytes.extend_from_slice(&chunk);
        }
    }
    Ok((bytes, is_whole))
}

fn broken(error: &MultipartError, limits: Limits) -> WebError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return WebError::TooLarge(format!(
            "The document is larger than {} bytes, which is the most that is taken. Nothing was stored.",
            limits.checklist_bytes
        ));
    }
    tracing::debug!(%error, "an upload broke off");
    WebError::Malformed(
        "The upload broke off or is no form. Nothing was stored; send it again.".to_owned(),
    )
}

/// A version's document, byte for byte as it was imported.
async fn source(
    State(services): State<Services>,
    person: SignedIn,
    Id(id): Id<TemplateVersionId>,
) -> Result<Response, WebError> {
    let (version, bytes) = services.template_source(&person, &id).await?;
    Ok(markdown(&version.file_name, bytes))
}

/// The review's document with exactly the boxes ticked that are passed or not applicable.
async fn ticked(
    State(services): State<Services>,
    person: SignedIn,
    Id(id): Id<ReviewId>,
) -> Result<Response, WebError> {
    let (file_name, bytes) = services.ticked_document(&person, &id).await?;
    Ok(markdown(&file_name, bytes))
}

/// A document to save, never to show: a browser would run what some Markdown holds.
fn markdown(file_name: &str, bytes: Vec<u8>) -> Response {
    Download::new("text/markdown; charset=utf-8", file_name).of(bytes)
}
