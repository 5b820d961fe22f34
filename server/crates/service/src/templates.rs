//! Checklist templates: documents that reviews are made from.

use holdpoint_checklist::{
    Difference, Document, Reading, difference, parse_checklist, parse_mixed,
};
use holdpoint_domain::{
    Digest, PersonId, TemplateId, TemplateVersionId,
    person::Action,
    text::{Name, is_invisible, shown_line},
};
use holdpoint_storage::{Listed, StorageError, Template, TemplateVersion, Tx};

use crate::{
    Actor, ServiceError, Services,
    changes::{Changes, Done, names, refuse_beyond},
};

/// What is needed to import a checklist document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateImport {
    /// The template that this is a new version of. If absent, the name says it.
    pub template: Option<TemplateId>,
    /// The template's name; if absent, the document's title, else the file's name. A name that is known means that template.
    pub name: Option<Name>,
    pub file_name: String,
    /// The reading chosen by the person; absent for the one that fits.
    pub reading: Option<Reading>,
    pub tier: Option<String>,
}

/// What came of an import.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedTemplate {
    pub template: Template,
    pub version: TemplateVersion,
    /// False when the same bytes, read the same way, were there already: nothing was stored.
    pub is_new: bool,
    pub document: Document,
}

/// A template in the list of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedTemplate {
    pub template: Template,
    pub newest: TemplateVersion,
}

/// A template with its versions, newest first, each with the name of who imported it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateHistory {
    pub template: Template,
    pub versions: Vec<(TemplateVersion, String)>,
}

/// What a version changed against the one before it, or another one.
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateDifference {
    pub old: Document,
    pub new: Document,
    /// Indices into the items of `old` and `new`.
    pub difference: Difference,
}

impl Services {
    /// What a checklist document would give, in each reading, without storing anything.
    pub async fn preview_checklist(
        &self,
        actor: &Actor,
        bytes: Vec<u8>,
        reading: Option<Reading>,
        tier: Option<String>,
    ) -> Result<Document, ServiceError> {
        let mut tx = self.database().read().await?;
        self.allow_templates(&mut tx, actor).await?;
        drop(tx);
        Ok(self.read_checklist(bytes, reading, tier).await?.1)
    }

    /// Stores a checklist document as a new template, or as a new version of the one it belongs to. The same bytes read
    /// the same way are not stored twice.
    pub async fn import_template(
        &self,
        actor: &Actor,
        import: TemplateImport,
        bytes: Vec<u8>,
    ) -> Result<ImportedTemplate, ServiceError> {
        let mut tx = self.database().read().await?;
        self.allow_templates(&mut tx, actor).await?;
        drop(tx);
        let file_name = file_name_of(&import.file_name);
        let (bytes, document) = self
            .read_checklist(bytes, import.reading, import.tier)
            .await?;
        let sha256 = Digest::of(&bytes);
        let reading = reading_words(&document.read_as);
        let now = self.now();

        let mut tx = self.database().write().await?;
        // Asked again within the unit of work: reading a large document takes a while.
        self.allow_templates(&mut tx, actor).await?;
        let known = match (&import.template, &import.name) {
            (Some(id), _) => Some(
                tx.template(id)
                    .await?
                    .ok_or(ServiceError::NotFound("This checklist"))?,
            ),
            (None, Some(name)) => tx.template_by_name(name.as_str()).await?,
            (None, None) => {
                let same = tx
                    .template_version_of(&sha256, &reading, document.tier.as_deref())
                    .await?;
                let name = suggested_name(&document, &file_name);
                match same {
                    Some(version) => tx.template(&version.template).await?,
                    None => tx.template_by_name(&name).await?,
                }
            }
        };
        let template = if let Some(template) = known {
            tx.lock_template(&template.id).await?;
            template
        } else {
            refuse_beyond(&mut tx, Listed::Templates, "name", "checklists").await?;
            let template = Template {
                id: TemplateId::parse(&self.ids().uuid(now)).expect("a UUID is an id"),
                name: import
                    .name
                    .map_or_else(|| suggested_name(&document, &file_name), String::from),
                created_at: now,
                created_by: actor.id.clone(),
            };
            tx.insert_template(&template).await?;
            template
        };
        let versions = tx.template_versions(&template.id).await?;
        let same = versions.iter().find(|version| {
            version.sha256 == sha256 && version.reading == reading && version.tier == document.tier
        });
        if let Some(version) = same {
            return Ok(ImportedTemplate {
                version: version.clone(),
                template,
                is_new: false,
                document,
            });
        }
        let listed = Listed::VersionsOf(&template.id);
        refuse_beyond(&mut tx, listed, "", "versions of this checklist").await?;
        let number = versions.first().map_or(0, |newest| newest.number) + 1;
        let version = TemplateVersion {
            id: TemplateVersionId::parse(&self.ids().uuid(now)).expect("a UUID is an id"),
            template: template.id.clone(),
            number,
            file_name,
            sha256,
            reading,
            tier: document.tier.clone(),
            n_items: i64::try_from(document.items.len()).unwrap_or(i64::MAX),
            created_at: now,
            created_by: actor.id.clone(),
        };
        tx.insert_template_version(&version, &bytes).await?;
        let items = version.n_items.to_string();
        let changes = Changes::default()
            .field("name", None, Some(&template.name))
            .field("file", None, Some(&version.file_name))
            .field("sha256", None, Some(version.sha256.as_str()))
            .field("reading", None, Some(&version.reading))
            .field("tier", None, version.tier.as_deref())
            .field("items", None, Some(&items));
        Done {
            action: "template.imported",
            subject_kind: "template",
            subject: template.id.as_str(),
            service: None,
            review: None,
            summary: format!(
                "imported version {number} of the checklist {}",
                template.name
            ),
            before: None,
            after: changes.after(),
        }
        .append(&mut tx, actor, now)
        .await?;
        tx.commit().await?;
        Ok(ImportedTemplate {
            template,
            version,
            is_new: true,
            document,
        })
    }

    /// Every template by name, with its newest version. Templates belong to the instance: whoever has an account reads them.
    pub async fn templates(&self, actor: &Actor) -> Result<Vec<ListedTemplate>, ServiceError> {
        allow_reading_templates(actor)?;
        let mut tx = self.database().read().await?;
        let templates = tx.templates().await?;
        Ok(templates
            .into_iter()
            .map(|(template, newest)| ListedTemplate { template, newest })
            .collect())
    }

    /// A template and all its versions.
    pub async fn template(
        &self,
        actor: &Actor,
        id: &TemplateId,
    ) -> Result<TemplateHistory, ServiceError> {
        allow_reading_templates(actor)?;
        let mut tx = self.database().read().await?;
        let template = tx
            .template(id)
            .await?
            .ok_or(ServiceError::NotFound("This checklist"))?;
        let versions = tx.template_versions(id).await?;
        let by_id = names(
            &mut tx,
            versions.iter().map(|version| &version.created_by).collect(),
        )
        .await?;
        let versions = versions
            .into_iter()
            .map(|version| {
                let who = by_id.get(version.created_by.as_str()).cloned();
                (version, who.unwrap_or_default())
            })
            .collect();
        Ok(TemplateHistory { template, versions })
    }

    /// A version with its document's bytes, as they were imported.
    pub async fn template_source(
        &self,
        actor: &Actor,
        id: &TemplateVersionId,
    ) -> Result<(TemplateVersion, Vec<u8>), ServiceError> {
        allow_reading_templates(actor)?;
        let mut tx = self.database().read().await?;
        source_of(&mut tx, id).await
    }

    /// A version's document, read as it was imported.
    pub async fn template_document(
        &self,
        actor: &Actor,
        id: &TemplateVersionId,
    ) -> Result<(TemplateVersion, Document), ServiceError> {
        let (version, source) = self.template_source(actor, id).await?;
        let document = document_of(&version, source).await?;
        Ok((version, document))
    }

    /// What changed from one version to another.
    pub async fn template_difference(
        &self,
        actor: &Actor,
        old: &TemplateVersionId,
        new: &TemplateVersionId,
    ) -> Result<TemplateDifference, ServiceError> {
        let (_, old) = self.template_document(actor, old).await?;
        let (_, new) = self.template_document(actor, new).await?;
        let compared = tokio::task::spawn_blocking(move || {
            let difference = difference(&old, &new);
            TemplateDifference {
                old,
                new,
                difference,
            }
        });
        compared.await.map_err(ServiceError::unavailable)
    }

    /// Whoever administers the instance or manages any service may import checklists.
    async fn allow_templates(&self, tx: &mut Tx, actor: &Actor) -> Result<(), ServiceError> {
        if actor.instance_role.may(Action::Administer) {
            return token_grants_templates(actor);
        }
        let manages = tx
            .memberships_of(&actor.id)
            .await?
            .into_iter()
            .any(|(_, role)| role.may(Action::Manage));
        if !manages {
            return Err(ServiceError::Forbidden(
                "Only an administrator or a manager of a service can import checklists.".to_owned(),
            ));
        }
        token_grants_templates(actor)
    }

    /// Reads a document away from the async threads: a large one takes tens of milliseconds.
    async fn read_checklist(
        &self,
        bytes: Vec<u8>,
        reading: Option<Reading>,
        tier: Option<String>,
    ) -> Result<(Vec<u8>, Document), ServiceError> {
        let most = self.limits().checklist_bytes;
        if i64::try_from(bytes.len()).is_ok_and(|size| size > most) {
            return Err(ServiceError::rejected(
                "document",
                format!(
                    "The document has {} bytes; at most {most} are taken. Split it.",
                    bytes.len()
                ),
            ));
        }
        tokio::task::spawn_blocking(move || {
            let document = parse_checklist(&bytes, reading, tier.as_deref())
                .map_err(ServiceError::at("document"))?;
            refuse_hidden_titles(&document)?;
            Ok((bytes, document))
        })
        .await
        .map_err(ServiceError::unavailable)?
    }
}

/// Refuses a document whose titles hold what cannot be seen: people sign what they read.
fn refuse_hidden_titles(document: &Document) -> Result<(), ServiceError> {
    let items = document.items.iter();
    let sections = document.sections.iter();
    let deliverables = document.deliverables.iter();
    let titles = (items.map(|item| (item.line, &item.title)))
        .chain(sections.map(|section| (section.line, &section.title)))
        .chain(deliverables.map(|deliverable| (deliverable.line, &deliverable.title)));
    let hidden = titles
        .filter_map(|(line, title)| Some((line, title.chars().find(|c| is_invisible(*c))?)))
        .min();
    match hidden {
        None => Ok(()),
        Some((line, c)) => Err(ServiceError::rejected(
            "document",
            format!(
                "Line {line}: the title holds the invisible character U+{:04X}, which can make it look like another one. \
                 Take it out of the document.",
                u32::from(c)
            ),
        )),
    }
}

fn token_grants_templates(actor: &Actor) -> Result<(), ServiceError> {
    let granted = actor.token.as_ref().is_none_or(|token| {
        token.service.is_none()
            && (token.actions.contains(&Action::Administer)
                || token.actions.contains(&Action::Manage))
    });
    if granted {
        Ok(())
    } else {
        Err(ServiceError::Forbidden(
            "This token was not granted `manage` on all services. Make one that was.".to_owned(),
        ))
    }
}

fn allow_reading_templates(actor: &Actor) -> Result<(), ServiceError> {
    // Reading belongs to every grant.
    let granted = actor
        .token
        .as_ref()
        .is_none_or(|token| !token.actions.is_empty());
    if granted {
        Ok(())
    } else {
        Err(ServiceError::Forbidden(
            "This token was not granted `read`. Make one that was.".to_owned(),
        ))
    }
}

pub(crate) async fn source_of(
    tx: &mut Tx,
    id: &TemplateVersionId,
) -> Result<(TemplateVersion, Vec<u8>), ServiceError> {
    let version = tx.template_version(id).await?;
    let version = version.ok_or(ServiceError::NotFound("This checklist"))?;
    let source = tx.template_source(id).await?;
    let source = source.ok_or(ServiceError::NotFound("This checklist"))?;
    if Digest::of(&source) != version.sha256 {
        return Err(StorageError::Damaged(format!(
            "the source of template version {} has another digest than at its import",
            version.id
        ))
        .into());
    }
    Ok((version, source))
}

/// Reads a stored document again, as it was read at its import.
pub(crate) async fn document_of(
    version: &TemplateVersion,
    source: Vec<u8>,
) -> Result<Document, ServiceError> {
    let readings = readings_of(version)?;
    let tier = version.tier.clone();
    let read = tokio::task::spawn_blocking(move || {
        let text = holdpoint_checklist::decode(&source)?;
        Ok(parse_mixed(text, &readings, tier.as_deref()))
    });
    read.await
        .map_err(ServiceError::unavailable)?
        .map_err(|error: holdpoint_checklist::ChecklistError| ServiceError::unavailable(error))
}

pub(crate) fn readings_of(version: &TemplateVersion) -> Result<Vec<Reading>, ServiceError> {
    version
        .reading
        .split(',')
        .map(|word| {
            Reading::parse(word).ok_or_else(|| {
                StorageError::Damaged(format!("template_version.reading holds {word:?}")).into()
            })
        })
        .collect()
}

fn reading_words(readings: &[Reading]) -> String {
    let words: Vec<_> = readings.iter().map(|reading| reading.as_str()).collect();
    words.join(",")
}

/// A template's name where the person gave none: the document's title, else the file's name.
fn suggested_name(document: &Document, file_name: &str) -> String {
    let stem = file_name
        .rsplit_once('.')
        .map_or(file_name, |(stem, _)| stem);
    [document.title.as_deref(), Some(stem)]
        .into_iter()
        .flatten()
        .find_map(|text| Name::parse(&shown_line(text)).ok())
        .map_or_else(|| "Checklist".to_owned(), String::from)
}

/// The last part of whatever path a browser or a client sent, cut to what can be shown.
fn file_name_of(sent: &str) -> String {
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    match shown_line(last) {
        name if name.is_empty() => "checklist.md".to_owned(),
        name => name,
    }
}

/// Finds the person that a document's `owner=…` means, among those who can be owners: by address, by the part of it
/// before the `@`, by name, or by first name where only one has it.
pub(crate) fn person_meant<'a>(
    hint: &str,
    people: &'a [(PersonId, String, String)],
) -> Option<&'a PersonId> {
    let hint = hint.trim().trim_start_matches('@').to_lowercase();
    let only = |fits: &dyn Fn(&str, &str) -> bool| {
        let mut fitting = people
            .iter()
            .filter(|(_, name, email)| fits(&name.to_lowercase(), &email.to_lowercase()));
        match (fitting.next(), fitting.next()) {
            (Some((id, ..)), None) => Some(id),
            _ => None,
        }
    };
    only(&|_, email| email == hint)
        .or_else(|| only(&|name, _| name == hint))
        .or_else(|| only(&|_, email| email.split('@').next() == Some(hint.as_str())))
        .or_else(|| only(&|name, _| name.split_whitespace().next() == Some(hint.as_str())))
}
