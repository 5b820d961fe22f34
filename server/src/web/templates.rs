//! Checklist documents come in here, to be previewed, and go out again: as they were imported, or with boxes ticked.

use axum::{
    Router,
    extract::{Multipart, State},
    response::{Redirect, Response},
    routing::{get, post},
};
use holdpoint_app::{
    actions::{Notice, templates::Previewed},
    paths,
};
use holdpoint_domain::{ReviewId, TemplateId, TemplateVersionId};
use holdpoint_service::{Actor, Limits, ServiceError, Services, UploadBy};
use tower_sessions::Session;

use super::{
    AppState, WebError,
    answer::FormAnswer,
    download::Download,
    id::Id,
    signed_in::SignedIn,
    upload::{self, UploadForm},
};

/// The other fields of the form and what stands between them.
const AROUND_BYTES: usize = 64 * 1024;

pub(super) fn routes(limits: Limits) -> Router<AppState> {
    let most = upload::most(limits.checklist_bytes, 4, AROUND_BYTES);
    Router::new()
        .route(paths::TEMPLATE_UPLOAD, post(take_in).layer(most))
        .route("/templates/versions/{id}/source", get(source))
        .route("/reviews/{id}/checklist.md", get(ticked))
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
async fn take_in(
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
    let by = UploadBy {
        actor: person,
        service: None,
    };
    services.count_small_upload(by, bytes.len())?;
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

async fn receive(form: Multipart, limits: Limits) -> Result<Arrived, WebError> {
    let limit = limits.checklist_bytes;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let too_large = format!(
        "The document is larger than {limit} bytes, which is the most that is taken. Nothing was stored."
    );
    let mut form = UploadForm::new(form, too_large);
    let mut arrived = Arrived::default();
    while let Some(field) = form.next().await? {
        match field.name() {
            "template" => arrived.template = field.text(100).await?,
            "document" => {
                arrived.file_name = field.file_name().map(str::to_owned);
                let mut bytes = field.bytes(most.saturating_add(1)).await?;
                arrived.is_too_large = bytes.len() > most;
                bytes.truncate(most);
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
