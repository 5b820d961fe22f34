//! Forms of checklist documents. The upload itself is the server's; it leaves the document for a preview, and only the
//! form of the preview imports it.

use leptos::prelude::*;

use super::ActionError;

#[cfg(feature = "ssr")]
use {
    super::{ActionContext, Notice, services::optional},
    crate::paths,
    holdpoint_domain::{Digest, TemplateId, text::Name},
    holdpoint_service::{ServiceError, TemplateImport, checklist::Reading},
    serde::{Deserialize, Serialize},
    tower_sessions::{Session, session::Error as SessionError},
};

#[cfg(feature = "ssr")]
const KEY: &str = "checklist_previews";
/// How many documents may wait at once in one session: two tabs do not disturb each other.
#[cfg(feature = "ssr")]
const MAX_WAITING: usize = 5;

/// A document that waits for its import: its bytes are in the file store, under their digest.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previewed {
    pub sha256: String,
    pub file_name: String,
    pub size_bytes: usize,
    /// The checklist that a new version was meant for.
    pub template: Option<String>,
}

#[cfg(feature = "ssr")]
impl Previewed {
    /// Leaves the document in the session of whoever sent it: nobody else can preview or import it.
    pub async fn keep(self, session: &Session) -> Result<(), SessionError> {
        let mut waiting = Self::waiting(session).await?;
        waiting.retain(|other| other.sha256 != self.sha256);
        waiting.insert(0, self);
        waiting.truncate(MAX_WAITING);
        session.insert(KEY, waiting).await
    }

    /// The document with this digest, if this session sent it.
    pub async fn find(session: &Session, sha256: &str) -> Result<Option<Self>, SessionError> {
        let waiting = Self::waiting(session).await?;
        Ok(waiting.into_iter().find(|one| one.sha256 == sha256))
    }

    async fn forget(session: &Session, sha256: &str) -> Result<(), SessionError> {
        let mut waiting = Self::waiting(session).await?;
        waiting.retain(|other| other.sha256 != sha256);
        session.insert(KEY, waiting).await
    }

    async fn waiting(session: &Session) -> Result<Vec<Self>, SessionError> {
        Ok(session.get(KEY).await?.unwrap_or_default())
    }
}

/// What is said of a document whose preview has gone.
#[cfg(feature = "ssr")]
pub const PREVIEW_GONE: &str =
    "This preview is gone: nothing was imported. Choose the document again.";

/// Imports a document that was previewed, read as the preview showed it.
#[server(prefix = "/act", endpoint = "templates/import")]
pub async fn import_template(
    document: String,
    #[server(default)] reading: String,
    #[server(default)] tier: String,
    #[server(default)] template: String,
    #[server(default)] name: String,
    #[server(default)] service: String,
) -> Result<(), ActionError> {
    let cx = ActionContext::from_request().await?;
    let found = Previewed::find(&cx.session, &document)
        .await
        .map_err(ServiceError::unavailable);
    let back = match &found {
        Ok(Some(_)) => paths::with_query(
            &paths::template_preview(&document),
            &[("reading", &reading), ("tier", &tier)],
        ),
        _ => paths::TEMPLATE_IMPORT.to_owned(),
    };
    let outcome = async {
        let gone = || ServiceError::rejected("document", PREVIEW_GONE);
        let previewed = found?.ok_or_else(gone)?;
        let digest = Digest::parse(&previewed.sha256).ok_or_else(gone)?;
        let bytes = cx.services.files().read(&digest).await?.ok_or_else(gone)?;
        let template = match template.as_str() {
            "" | "new" => None,
            id => Some(TemplateId::parse(id).ok_or_else(|| {
                ServiceError::rejected("template", "Choose a checklist of the list.")
            })?),
        };
        // Of a checklist that is there already nothing else is asked.
        let said = template.as_ref().map_or(service.as_str(), |_| "");
        let owner = cx.services.template_for(&cx.person, said).await?;
        let import = TemplateImport {
            owner,
            name: match template {
                Some(_) => None,
                None => optional("name", &name, Name::parse)?,
            },
            template,
            file_name: previewed.file_name,
            reading: Reading::parse(&reading),
            tier: Some(tier.clone()).filter(|tier| !tier.is_empty()),
        };
        let imported = cx
            .services
            .import_template(&cx.person, import, bytes)
            .await?;
        Previewed::forget(&cx.session, &document)
            .await
            .map_err(ServiceError::unavailable)?;
        let number = imported.version.number;
        let text = if imported.is_new {
            format!(
                "Version {number} of {} is imported with {} items.",
                imported.template.name, imported.version.n_items
            )
        } else {
            format!(
                "Nothing was stored: this document, read this way, is version {number} of {} already.",
                imported.template.name
            )
        };
        Ok::<_, ServiceError>(
            Notice::new(text).at(paths::template(imported.template.id.as_str())),
        )
    }
    .await;
    let typed = [
        ("template", template.as_str()),
        ("name", &name),
        ("service", &service),
    ];
    cx.answer(outcome, back, &typed).await
}
