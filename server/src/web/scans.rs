//! Scanner files come in to be looked at, and go out again as they came.

use axum::{
    Router,
    extract::{Multipart, State},
    response::{Redirect, Response},
    routing::{get, post},
};
use holdpoint_app::{
    actions::Notice,
    paths,
    pending::{PendingFile, PendingScans},
};
use holdpoint_domain::{
    ReviewId, ScanId,
    person::Action,
    text::{Commit, Name, shown_line},
};
use holdpoint_service::{Actor, Limits, ServiceError, Services, Upload, UploadBy};
use tower_sessions::Session;

use super::{
    AppState, WebError,
    answer::FormAnswer,
    download::{Download, OCTETS},
    id::Id,
    signed_in::SignedIn,
    upload::{self, UploadField, UploadForm},
};

/// Texts of the form are short names.
const MAX_TEXT_BYTES: usize = 4 * 1024;
/// How many files one upload may have.
const MOST_FILES: usize = 20;
/// Texts and boundaries around the files.
const AROUND_BYTES: usize = 1024 * 1024;

pub(super) fn routes(limits: Limits) -> Router<AppState> {
    let most = upload::most(limits.scan_bytes, 2, AROUND_BYTES);
    Router::new()
        .route("/reviews/{id}/scans/upload", post(take_in).layer(most))
        .route("/scans/{id}/file", get(file))
}

/// What the form brought. A file that is dropped here leaves nothing behind.
#[derive(Default)]
struct Arrived {
    label: String,
    commit: String,
    format: String,
    files: Vec<(Upload, String)>,
    refused: Vec<(String, String)>,
}

/// Takes in scanner files and leads to what importing them would change. Nothing is imported.
async fn take_in(
    State(services): State<Services>,
    person: SignedIn,
    Id(review): Id<ReviewId>,
    session: Session,
    answer: FormAnswer,
    form: Multipart,
) -> Result<Redirect, WebError> {
    let service = services.review(&person, &review).await?.service.id;
    // Whoever may not import does not get a byte onto the disk.
    let may = services
        .access(&person, &service)
        .await?
        .may(Action::ImportScans);
    let by = UploadBy {
        actor: &person,
        service: Some(&service),
    };
    let arrived = receive(&services, form, may.then_some(by)).await?;
    let (label, commit, format) = (
        arrived.label.clone(),
        arrived.commit.clone(),
        arrived.format.clone(),
    );
    let outcome = if may {
        keep(&services, &person, &review, &session, arrived).await
    } else {
        let message = "Only a contributor, reviewer or manager of this service can import scans.";
        Err(ServiceError::Forbidden(message.to_owned()))
    };
    let outcome =
        outcome.map(|preview| Notice::silent(paths::scan_preview(review.as_str(), &preview)));
    let typed = [
        ("label", label.as_str()),
        ("commit", &commit),
        ("format", &format),
    ];
    answer
        .answer(
            outcome,
            "scans/upload",
            &paths::scans(review.as_str()),
            &typed,
        )
        .await
}

/// Reads the form piece by piece; files go to the disk as they come.
async fn receive(
    services: &Services,
    form: Multipart,
    by: Option<UploadBy<'_>>,
) -> Result<Arrived, WebError> {
    let limit = services.limits().scan_bytes;
    let too_large = format!("Scans may have at most {limit} bytes each. Nothing was stored.");
    let mut form = UploadForm::new(form, too_large);
    let mut arrived = Arrived::default();
    while let Some(field) = form.next().await? {
        let text = match field.name() {
            "label" => &mut arrived.label,
            "commit" => &mut arrived.commit,
            "format" => &mut arrived.format,
            "files" => {
                receive_file(services, field, &mut arrived, by).await?;
                continue;
            }
            _ => continue,
        };
        field.text(MAX_TEXT_BYTES).await?.trim().clone_into(text);
    }
    Ok(arrived)
}

async fn receive_file(
    services: &Services,
    field: UploadField<'_>,
    arrived: &mut Arrived,
    by: Option<UploadBy<'_>>,
) -> Result<(), WebError> {
    let limit = services.limits().scan_bytes;
    // Some browsers send folders; only the last part is the file's name.
    let sent = field.file_name().unwrap_or_default();
    let name = shown_line(sent.rsplit(['/', '\\']).next().unwrap_or_default());
    let is_one_more = arrived.files.len() + arrived.refused.len() < MOST_FILES;
    let arriving = field
        .file(services, limit, by.filter(|_| is_one_more))
        .await?;
    // A browser sends a part without name and bytes where no file was chosen.
    if name.is_empty() && arriving.file.is_none() {
        return Ok(());
    }
    let name = if name.is_empty() {
        "file".to_owned()
    } else {
        name
    };
    match arriving.file {
        _ if arriving.is_too_large => {
            let why = format!(
                "The file is larger than {limit} bytes, the limit for scans. Split the scan."
            );
            arrived.refused.push((name, why));
        }
        _ if !is_one_more => {
            let why = format!("At most {MOST_FILES} files are taken at once. Upload it by itself.");
            arrived.refused.push((name, why));
        }
        Some(receiving) => arrived.files.push((receiving, name)),
        None if by.is_some() => {
            let why = "The file is empty. Run the scanner again and upload its report.";
            arrived.refused.push((name, why.to_owned()));
        }
        None => {}
    }
    Ok(())
}

/// Keeps the files that can be read, and notes them in the session. Of the others nothing stays.
async fn keep(
    services: &Services,
    person: &Actor,
    review: &ReviewId,
    session: &Session,
    arrived: Arrived,
) -> Result<String, ServiceError> {
    let Arrived {
        label,
        commit,
        format,
        files,
        refused,
    } = arrived;
    if !label.is_empty() {
        Name::parse(&label).map_err(ServiceError::at("label"))?;
    }
    if !commit.is_empty() {
        Commit::parse(&commit).map_err(ServiceError::at("commit"))?;
    }
    let mut pending = PendingScans::new(person, review.as_str(), services.now());
    pending.refused = refused;
    let given = Some(format.as_str()).filter(|format| !format.is_empty());
    for (mut receiving, name) in files {
        receiving.flush().await?;
        match services.check_scan_file(&receiving, &name, given).await {
            Ok(()) => {
                let stored = receiving.keep().await?;
                let sha256 = String::from(stored.sha256);
                // The same file twice in one upload is one file.
                if !pending.files.iter().any(|file| file.sha256 == sha256) {
                    pending.files.push(PendingFile {
                        sha256,
                        size_bytes: stored.size_bytes,
                        name,
                    });
                }
            }
            Err(ServiceError::Rejected { message, .. }) => pending.refused.push((name, message)),
            Err(error) => return Err(error),
        }
    }
    if pending.files.is_empty() {
        let sentences: Vec<_> = match pending.refused.as_slice() {
            [] => vec!["Choose one or more scanner reports.".to_owned()],
            refused => refused
                .iter()
                .map(|(name, why)| format!("{name}: {why}"))
                .collect(),
        };
        return Err(ServiceError::rejected("files", sentences.join(" ")));
    }
    pending.label = label;
    pending.commit = commit;
    pending.format = format;
    pending.keep(session, services, person).await
}

/// Serves a scanner's own file after comparing it with its digest: always a download, whatever it is called.
async fn file(
    State(services): State<Services>,
    person: SignedIn,
    Id(id): Id<ScanId>,
) -> Result<Response, WebError> {
    let scan = services.scan_file(&person, &id).await?;
    Download::new(OCTETS, &scan.file_name)
        .of_stored(&services, &scan.file_sha256)
        .await
}
