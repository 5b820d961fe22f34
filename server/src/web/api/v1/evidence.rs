//! Evidence of an item.

use axum::{
    extract::{Request, State},
    response::Response,
};
use holdpoint_domain::{EvidenceId, ItemId, person::Action};
use holdpoint_service::{
    ServiceError, Services, UploadBy,
    evidence::{EvidenceFields, EvidenceRequest, EvidenceView},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    asked::{self, Id, Json, Key, Query, Target, WhichPart},
    given::{Given, Part, moment, once, parse_moment},
    upload::{self, Received},
};
use crate::web::{
    WebError,
    api_caller::ApiCaller,
    download::{Download, OCTETS, TEXT},
    evidence::text_name,
};

#[derive(Debug, Serialize, ToSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own on the wire"
)]
pub(super) struct Evidence {
    id: String,
    item: String,
    /// file, link, note, output or scan.
    kind: String,
    title: String,
    /// A note's Markdown, a link's address, a command's output. Lists have the first 20 KiB of it.
    body: String,
    /// Whether there is more of it, at `/evidence/{id}/text`.
    is_body_cut: bool,
    command: Option<String>,
    exit_code: Option<i64>,
    host: Option<String>,
    /// Of the file, or of the piece's canonical JSON.
    sha256: String,
    file_name: Option<String>,
    size_bytes: i64,
    commit: Option<String>,
    path: Option<String>,
    start_line: Option<i64>,
    end_line: Option<i64>,
    observed_at: String,
    created_at: String,
    created_by: String,
    /// Whether it was taken at another commit than the review's target, or names none while the target has moved, or a newer scan
    /// contradicts it.
    is_stale: bool,
    /// Whether it names no commit.
    is_unpinned: bool,
    /// Whether what is stored is not what was submitted. It is not served then: body, command, exit code and host are empty.
    is_damaged: bool,
    superseded_by: Option<String>,
    withdrawn_at: Option<String>,
    withdrawn_reason: Option<String>,
}

fn evidence(view: &EvidenceView) -> Evidence {
    let of = &view.evidence;
    Evidence {
        id: of.id.to_string(),
        item: of.item.to_string(),
        kind: of.kind.clone(),
        title: of.title.clone(),
        body: of.body.clone(),
        is_body_cut: view.is_cut,
        command: of.command.clone(),
        exit_code: of.exit_code,
        host: of.host.clone(),
        sha256: of.sha256.to_string(),
        file_name: of.file_name.clone(),
        size_bytes: of.size_bytes,
        commit: of.commit.clone(),
        path: of.path.clone(),
        start_line: of.start_line,
        end_line: of.end_line,
        observed_at: moment(of.observed_at),
        created_at: moment(of.created_at),
        created_by: of.created_by_name.clone(),
        is_stale: view.stale,
        is_unpinned: of.commit.is_none(),
        is_damaged: view.damaged,
        superseded_by: of.superseded_by.as_ref().map(ToString::to_string),
        withdrawn_at: of.withdrawn_at.map(moment),
        withdrawn_reason: of.withdrawn_reason.clone(),
    }
}

/// A link, a note or a command's output. Files come as a form with the same fields and the file as `file`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewEvidence)]
pub(super) struct New {
    /// link, note or output.
    kind: String,
    title: Option<String>,
    /// Of a link.
    address: Option<String>,
    /// Of a note, as Markdown.
    text: Option<String>,
    /// Of an output.
    command: Option<String>,
    exit_code: Option<i32>,
    output: Option<String>,
    host: Option<String>,
    commit: Option<String>,
    path: Option<String>,
    start_line: Option<u32>,
    end_line: Option<u32>,
    /// When it was true: RFC 3339, or a date. Now, if not given.
    observed_at: Option<String>,
    /// The evidence that this is a newer version of.
    replaces: Option<String>,
}

/// A form: the fields of `NewEvidence`, and the file.
#[derive(ToSchema)]
#[schema(as = EvidenceForm)]
#[expect(dead_code, reason = "describes a form that is read piece by piece")]
pub(super) struct Form {
    /// file, link, note or output; file if there is one.
    kind: Option<String>,
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Withdrawal {
    reason: String,
}

fn fields_of(new: New) -> EvidenceFields {
    let text = |text: Option<String>| text.unwrap_or_default();
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    EvidenceFields {
        kind: new.kind,
        title: text(new.title),
        address: text(new.address),
        text: text(new.text),
        command: text(new.command),
        exit_code: new
            .exit_code
            .map(|code| code.to_string())
            .unwrap_or_default(),
        output: text(new.output),
        host: text(new.host),
        commit: text(new.commit),
        path: text(new.path),
        start_line: number(new.start_line),
        end_line: number(new.end_line),
        observed_at: text(new.observed_at),
        replaces: text(new.replaces),
    }
}

fn fields_of_form(form: &[(String, String)], has_file: bool) -> Result<EvidenceFields, WebError> {
    let mut fields = EvidenceFields::default();
    for (name, value) in form {
        let field = fields.place(name).ok_or_else(|| {
            let field: String = name.chars().take(100).collect();
            let message = format!("There is an unknown field `{field}`.");
            WebError::Field { field, message }
        })?;
        field.clone_from(value);
    }
    if fields.kind.is_empty() && has_file {
        "file".clone_into(&mut fields.kind);
    }
    Ok(fields)
}

/// Everything ever submitted for an item, oldest first, withdrawn and superseded pieces included. Long texts are cut.
#[utoipa::path(
    get, path = "/items/{id}/evidence", tag = "Evidence", params(WhichPart), responses((status = 200, body = Part<Evidence>))
)]
pub(super) async fn list(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ItemId>,
    Query(asked): Query<WhichPart>,
) -> Result<Response, WebError> {
    let (limit, after) = asked.place(EvidenceId::parse)?;
    let page = services
        .evidence_page(&caller, &id, after.as_ref(), limit)
        .await?;
    let part = Part {
        entries: page.entries.iter().map(evidence).collect(),
        next_cursor: page.next.map(|next| next.to_string()),
    };
    part.answer()
}

/// Attaches evidence to an item: JSON for a link, a note or a command's output, a form for a file.
#[utoipa::path(
    post, path = "/items/{id}/evidence", tag = "Evidence",
    request_body(content((New = "application/json"), (Form = "multipart/form-data"))),
    responses((status = 201, body = Evidence))
)]
pub(super) async fn add(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(item): Id<ItemId>,
    key: Key,
    target: Target,
    request: Request,
) -> Result<Response, WebError> {
    // Asked before anything is received: whoever may not attach it need not send it.
    let page = services.item(&caller, &item).await?;
    let access = services.access(&caller, &page.head.service.id).await?;
    if !access.may(Action::Contribute) {
        let message = "Only a contributor, reviewer or manager of this service can do this, with a token that was granted `contribute`.";
        return Err(WebError::Forbidden(message.to_owned()));
    }
    let (mut fields, file, digest) = if upload::is_form(&request) {
        let most = services.limits().evidence_bytes;
        let by = UploadBy {
            actor: &caller,
            service: Some(&page.head.service.id),
        };
        let Received {
            file,
            fields,
            digest,
        } = upload::form(&services, by, request, most).await?;
        (fields_of_form(&fields, file.is_some())?, file, digest)
    } else if asked::is_json(request.headers()) {
        let body = asked::bytes(request, &(), super::MAX_JSON_BYTES).await?;
        let digest = holdpoint_domain::Digest::of(&body);
        (fields_of(asked::parse(&body)?), None, digest)
    } else {
        return Err(WebError::UnsupportedMedia(
            "Send JSON, or a form (`multipart/form-data`) with the file in its field `file`."
                .to_owned(),
        ));
    };
    if let Some(millis) = parse_moment(&fields.observed_at) {
        fields.observed_at = millis.to_string();
    } else if fields.observed_at.bytes().all(|byte| byte.is_ascii_digit())
        && !fields.observed_at.is_empty()
    {
        let message = "Write a moment as 2026-01-28T14:31:00Z, or a date.";
        return Err(ServiceError::rejected("observed_at", message).into());
    }
    if file.is_some() && fields.kind != "file" {
        let message = "There is a file, so the kind is file.";
        return Err(ServiceError::rejected("kind", message).into());
    }
    let request = EvidenceRequest::parse(&fields, file)?;
    let digest = target.with(&digest);
    once(&services, &caller, &key, &digest, async |services| {
        let id = services
            .add_evidence(&caller, &item, request.clone())
            .await?;
        let made = one(&services, &caller, &item, &id).await?;
        Given::created(format!("/items/{item}/evidence"), &made)
    })
    .await
}

async fn one(
    services: &Services,
    caller: &ApiCaller,
    item: &ItemId,
    id: &EvidenceId,
) -> Result<Evidence, WebError> {
    Ok(evidence(&services.evidence_view(caller, item, id).await?))
}

/// Withdraws a piece of evidence, with a reason. It stays on record.
#[utoipa::path(
    post, path = "/evidence/{id}/withdraw", tag = "Evidence", request_body = Withdrawal,
    responses((status = 200, body = Evidence))
)]
pub(super) async fn withdraw(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<EvidenceId>,
    key: Key,
    asked: Json<Withdrawal>,
) -> Result<Response, WebError> {
    once(&services, &caller, &key, &asked.digest, async |services| {
        let item = services
            .withdraw_evidence(&caller, &id, &asked.value.reason)
            .await?;
        Given::ok(&one(&services, &caller, &item, &id).await?)
    })
    .await
}

/// The file of a piece of evidence, its digest checked before it is served.
#[utoipa::path(
    get, path = "/evidence/{id}/file", tag = "Evidence",
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"))
)]
pub(super) async fn file(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<EvidenceId>,
) -> Result<Response, WebError> {
    let evidence = services.evidence_file(&caller, &id).await?;
    let sha256 = evidence
        .file_sha256
        .ok_or(WebError::NotFound("A file of this evidence"))?;
    let name = evidence.file_name.as_deref().unwrap_or("file");
    Download::new(OCTETS, name)
        .of_stored(&services, &sha256)
        .await
}

/// The whole text of a note or a command's output, its digest checked before it is served.
#[utoipa::path(
    get, path = "/evidence/{id}/text", tag = "Evidence",
    responses((status = 200, body = String, content_type = "text/plain"))
)]
pub(super) async fn text(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<EvidenceId>,
) -> Result<Response, WebError> {
    let evidence = services.evidence_text(&caller, &id).await?;
    Ok(Download::new(TEXT, &text_name(&evidence)).of(evidence.body))
}
