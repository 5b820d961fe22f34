//! Checklist templates and their versions.

use axum::{
    extract::{Request, State},
    response::Response,
};
use holdpoint_domain::{TemplateId, text::Name};
use holdpoint_service::{
    ListedTemplate, ServiceError, Services, TemplateImport, TemplateVersion, UploadBy,
    checklist::Reading,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    asked::{self, Id, Key, Query, Target, WhichPart},
    given::{Given, Part, moment, once},
};
use crate::web::{WebError, api_caller::ApiCaller};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Template {
    id: String,
    name: String,
    /// The service that it belongs to, by its slug; absent for one of all services.
    service: Option<String>,
    /// Newest first.
    versions: Vec<Version>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Version {
    id: String,
    /// From 1, without gaps.
    number: i64,
    file_name: String,
    sha256: String,
    /// How the document is read: tasks, tables, questionnaires, bullets, with commas between several.
    reading: String,
    tier: Option<String>,
    n_items: i64,
    imported_at: String,
    imported_by: Option<String>,
}

/// What came of an import.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Imported {
    template: Template,
    /// Whether this document, read this way, was not there yet.
    is_new: bool,
    n_sections: usize,
    n_items: usize,
    n_deliverables: usize,
    /// What looks wrong in the document, which was read all the same.
    problems: Vec<Problem>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChecklistProblem)]
pub(super) struct Problem {
    line: usize,
    message: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Import {
    /// The template that this is a new version of, by its id.
    template: Option<String>,
    /// The template's name; by default the document's title. A name that is known means that template.
    name: Option<String>,
    /// The service that a new template belongs to, by its slug, or `*` for one of all services, which only administrators make. By
    /// default the template that the name or the document means; else all services for an administrator, and the only service that
    /// they manage for anybody else.
    service: Option<String>,
    /// What the document's file is called.
    file_name: Option<String>,
    /// tasks, tables, questionnaires or bullets; by default the one that fits.
    reading: Option<String>,
    /// Only the rows of this tier.
    tier: Option<String>,
}

fn version(version: &TemplateVersion, by: Option<String>) -> Version {
    Version {
        id: version.id.to_string(),
        number: version.number,
        file_name: version.file_name.clone(),
        sha256: version.sha256.to_string(),
        reading: version.reading.clone(),
        tier: version.tier.clone(),
        n_items: version.n_items,
        imported_at: moment(version.created_at),
        imported_by: by,
    }
}

/// The templates that you may read, by name, each with its newest version: those of services on which you have a role, and those of
/// all services.
#[utoipa::path(get, path = "/templates", tag = "Templates", params(WhichPart), responses((status = 200, body = Part<Template>)))]
pub(super) async fn list(
    State(services): State<Services>,
    caller: ApiCaller,
    Query(asked): Query<WhichPart>,
) -> Result<Response, WebError> {
    let place = asked.place(TemplateId::parse)?;
    let all = services.templates(&caller).await?;
    let show = |listed: ListedTemplate| Template {
        id: listed.template.id.to_string(),
        name: listed.template.name,
        service: listed.template.owner.map(|owner| owner.slug),
        versions: vec![version(&listed.newest, None)],
    };
    Part::of(all, place, |listed| &listed.template.id, show)?.answer()
}

/// A template with all its versions.
#[utoipa::path(get, path = "/templates/{id}", tag = "Templates", responses((status = 200, body = Template)))]
pub(super) async fn show(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<TemplateId>,
) -> Result<Response, WebError> {
    let history = services.template(&caller, &id).await?;
    let template = Template {
        id: history.template.id.to_string(),
        name: history.template.name,
        service: history.template.owner.map(|owner| owner.slug),
        versions: history
            .versions
            .iter()
            .map(|(of, by)| version(of, Some(by.clone())))
            .collect(),
    };
    Ok(Given::ok(&template)?.answer())
}

/// Imports a Markdown document as a new template, or as a new version of one. The same document again changes nothing. Managers
/// import for their services, administrators for all.
#[utoipa::path(
    post, path = "/templates", tag = "Templates", params(Import),
    request_body(content = String, content_type = "text/markdown"),
    responses((status = 201, body = Imported), (status = 200, description = "It was there already.", body = Imported))
)]
pub(super) async fn import(
    State(services): State<Services>,
    caller: ApiCaller,
    key: Key,
    Query(asked): Query<Import>,
    target: Target,
    request: Request,
) -> Result<Response, WebError> {
    if !["text/markdown", "text/x-markdown", "text/plain"]
        .contains(&asked::media_type(request.headers()).as_str())
    {
        return Err(WebError::UnsupportedMedia(
            "Send the document itself, with the header `Content-Type: text/markdown`.".to_owned(),
        ));
    }
    let most = usize::try_from(services.limits().checklist_bytes).unwrap_or(usize::MAX);
    let document = asked::bytes(request, &(), most).await?;
    let said = asked.service.as_deref().unwrap_or_default();
    let owner = services.template_for(&caller, said).await?;
    let import = TemplateImport {
        owner,
        template: match &asked.template {
            Some(id) => Some(asked::id(id)?),
            None => None,
        },
        name: asked::optional("name", asked.name.as_deref(), Name::parse)?,
        file_name: asked.file_name.unwrap_or_default(),
        reading: asked
            .reading
            .map(|word| {
                Reading::parse(&word).ok_or_else(|| {
                    let words: Vec<_> = Reading::ALL
                        .iter()
                        .map(|reading| reading.as_str())
                        .collect();
                    ServiceError::rejected(
                        "reading",
                        format!("Choose one of {}.", words.join(", ")),
                    )
                })
            })
            .transpose()?,
        tier: asked.tier,
    };
    let digest = target.with_body(&document);
    let by = UploadBy {
        actor: &caller,
        service: None,
    };
    services.count_small_upload(by, document.len())?;
    once(&services, &caller, &key, &digest, async |services| {
        let imported = services
            .import_template(&caller, import.clone(), document.to_vec())
            .await?;
        let document = imported.document;
        let by = (imported.version.created_by == caller.id).then(|| caller.name.clone());
        let out = Imported {
            template: Template {
                id: imported.template.id.to_string(),
                name: imported.template.name,
                service: imported.template.owner.map(|owner| owner.slug),
                versions: vec![version(&imported.version, by)],
            },
            is_new: imported.is_new,
            n_sections: document.sections_with_items().len(),
            n_items: document.items.len(),
            n_deliverables: document.deliverables.len(),
            problems: document
                .problems
                .into_iter()
                .map(|problem| Problem {
                    line: problem.line,
                    message: problem.message,
                })
                .collect(),
        };
        if out.is_new {
            Given::created(format!("/templates/{}", out.template.id), &out)
        } else {
            Given::ok(&out)
        }
    })
    .await
}
