//! Evidence comes in by one form, with or without a file, and its files go out again safely.

use axum::{
    Router,
    extract::{Multipart, State},
    response::{Redirect, Response},
    routing::{get, post},
};
use holdpoint_app::{actions::Notice, paths};
use holdpoint_domain::{Digest, EvidenceId, ItemId, person::Action};
use holdpoint_service::{
    Actor, Evidence, Limits, ServiceError, Services, StoredFile, Upload, UploadBy,
    evidence::{EvidenceBody, EvidenceFields, EvidenceRequest, MAX_OUTPUT_BYTES, safe_media_type},
};

use super::{
    AppState, WebError,
    answer::FormAnswer,
    download::{Download, OCTETS, TEXT},
    id::Id,
    signed_in::SignedIn,
    upload::{self, UploadForm},
};

/// One text of the form may be this long; more than any rule takes, so that the rule says what is wrong.
const MAX_TEXT_BYTES: usize = MAX_OUTPUT_BYTES + 1024;
/// Texts and boundaries around the file.
const AROUND_BYTES: usize = 8 * 1024 * 1024;

pub(super) fn routes(limits: Limits) -> Router<AppState> {
    let most = upload::most(limits.evidence_bytes, 2, AROUND_BYTES);
    Router::new()
        .route("/items/{id}/evidence/upload", post(add).layer(most))
        .route("/evidence/{id}/file", get(file))
        .route("/evidence/{id}/text", get(text))
}

/// What the form brought. A file that is dropped here leaves nothing behind.
#[derive(Default)]
struct Arrived {
    fields: EvidenceFields,
    file: Option<(Upload, String)>,
    is_too_large: bool,
}

/// Attaches evidence of any kind to an item.
async fn add(
    State(services): State<Services>,
    person: SignedIn,
    Id(item): Id<ItemId>,
    answer: FormAnswer,
    form: Multipart,
) -> Result<Redirect, WebError> {
    let service = services.item(&person, &item).await?.head.service.id;
    // Whoever may not add evidence does not get a byte onto the disk.
    let may = services
        .access(&person, &service)
        .await?
        .may(Action::Contribute);
    let by = UploadBy {
        actor: &person,
        service: Some(&service),
    };
    let arrived = receive(&services, form, may.then_some(by)).await?;
    let fields = arrived.fields.clone();
    let outcome = keep(&services, &person, &item, arrived).await;
    let back = if fields.replaces.is_empty() {
        paths::new_evidence(item.as_str())
    } else {
        paths::replace_evidence(item.as_str(), &fields.replaces)
    };
    let typed = [
        ("kind", fields.kind.as_str()),
        ("title", &fields.title),
        ("address", &fields.address),
        ("text", &fields.text),
        ("command", &fields.command),
        ("exit_code", &fields.exit_code),
        ("output", &fields.output),
        ("host", &fields.host),
        ("commit", &fields.commit),
        ("path", &fields.path),
        ("start_line", &fields.start_line),
        ("end_line", &fields.end_line),
        ("observed_at", &fields.observed_at),
    ];
    let outcome = outcome.map(|()| {
        let text = if fields.replaces.is_empty() {
            "The evidence is added."
        } else {
            "The evidence is replaced by the newer version."
        };
        Notice::new(text).at(paths::item(item.as_str()))
    });
    answer.answer(outcome, "evidence/add", &back, &typed).await
}

/// Reads the form piece by piece; the file goes to the disk as it comes.
async fn receive(
    services: &Services,
    form: Multipart,
    by: Option<UploadBy<'_>>,
) -> Result<Arrived, WebError> {
    let limit = services.limits().evidence_bytes;
    let too_large = format!("Evidence may have at most {limit} bytes. Nothing of it was stored.");
    let mut form = UploadForm::new(form, too_large);
    let mut arrived = Arrived::default();
    while let Some(field) = form.next().await? {
        let name = field.name().to_owned();
        if name != "file" {
            // As browsers send it: with CRLF line ends.
            let text = field.text(MAX_TEXT_BYTES).await?.replace("\r\n", "\n");
            if let Some(place) = arrived.fields.place(&name) {
                *place = text;
            }
            continue;
        }
        let file_name = field.file_name().unwrap_or_default().to_owned();
        let mut arriving = field.file(services, limit, by).await?;
        arrived.is_too_large |= arriving.is_too_large;
        // A browser sends a part without name and bytes where no file was chosen. A chosen file without bytes is received
        // all the same, so that the rule says that it is empty.
        if let (None, Some(by), false) = (&arriving.file, by, file_name.is_empty()) {
            arriving.file = Some(services.begin_upload(by).await?);
        }
        arrived.file = arriving.file.map(|receiving| (receiving, file_name));
    }
    Ok(arrived)
}

/// Attaches what arrived. The file takes its place in the store only when everything else is in order.
async fn keep(
    services: &Services,
    person: &Actor,
    item: &ItemId,
    arrived: Arrived,
) -> Result<(), ServiceError> {
    let Arrived {
        fields,
        file,
        is_too_large,
    } = arrived;
    if is_too_large && fields.kind == "file" {
        let limit = services.limits().evidence_bytes;
        let message = format!(
            "This file is larger than {limit} bytes, the limit for evidence. Nothing of it was stored."
        );
        return Err(ServiceError::rejected("file", message));
    }
    let not_yet = file.as_ref().map(|(receiving, name)| {
        let size_bytes = receiving.size_bytes();
        (
            StoredFile {
                sha256: Digest::of(b""),
                size_bytes,
            },
            name.clone(),
        )
    });
    let mut request = EvidenceRequest::parse(&fields, not_yet)?;
    if let (EvidenceBody::File { file: stored, .. }, Some((receiving, _))) =
        (&mut request.body, file)
    {
        *stored = receiving.keep().await?;
    }
    services.add_evidence(person, item, request).await?;
    Ok(())
}

/// Serves a file's bytes after comparing them with their digest. Nothing of it ever runs in this origin: what browsers
/// show by themselves and cannot run is shown, in a sandbox; everything else is a download.
async fn file(
    State(services): State<Services>,
    person: SignedIn,
    Id(id): Id<EvidenceId>,
) -> Result<Response, WebError> {
    let evidence = services.evidence_file(&person, &id).await?;
    let sha256 = evidence
        .file_sha256
        .ok_or(WebError::NotFound("A file of this evidence"))?;
    let name = evidence.file_name.as_deref().unwrap_or("file");
    let download = match safe_media_type(name) {
        // Browsers show a PDF by a plug-in, which a sandbox forbids: an empty page would be all.
        Some(media @ "application/pdf") => Download::new(media, name),
        Some(media) => Download::shown(media, name),
        None => Download::new(OCTETS, name),
    };
    download.of_stored(&services, &sha256).await
}

/// Serves the whole of a note or a command's output as it was submitted, after comparing it with its digest.
async fn text(
    State(services): State<Services>,
    person: SignedIn,
    Id(id): Id<EvidenceId>,
) -> Result<Response, WebError> {
    let evidence = services.evidence_text(&person, &id).await?;
    Ok(Download::shown(TEXT, &text_name(&evidence)).of(evidence.body))
}

/// What the whole text of a note or a command's output is called as a file.
pub(super) fn text_name(evidence: &Evidence) -> String {
    let extension = if evidence.kind == "note" { "md" } else { "txt" };
    format!("{}-{}.{extension}", evidence.kind, evidence.id)
}
