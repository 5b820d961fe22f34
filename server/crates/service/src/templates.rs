//! Checklist templates: documents that reviews are made from.

use holdpoint_checklist::{
    Difference, Document, Reading, difference, parse_checklist, parse_mixed,
};
use std::collections::BTreeSet;

use holdpoint_domain::{
    Digest, PersonId, ServiceId, TemplateId, TemplateVersionId,
    person::Action,
    text::{Name, is_invisible, shown_line},
};
use holdpoint_storage::{Listed, StorageError, Template, TemplateOwner, TemplateVersion, Tx};

use crate::{
    Actor, ServiceError, Services,
    access::{disabled, not_granted},
    changes::{Changes, Done, names, refuse_beyond},
    import::off_the_async_threads,
    services::reads_only,
};

/// What is needed to import a checklist document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateImport {
    /// The template that this is a new version of. If absent, the name says it.
    pub template: Option<TemplateId>,
    /// The template's name; if absent, the document's title, else the file's name. A name that is known means that template.
    pub name: Option<Name>,
    /// Whose it is to be; of a template that is there already, whose it is.
    pub owner: TemplateFor,
    pub file_name: String,
    /// The reading chosen by the person; absent for the one that fits.
    pub reading: Option<Reading>,
    pub tier: Option<String>,
}

/// Whose template is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TemplateFor {
    /// Whichever of the name or the same document the actor may change; else the instance for an administrator, and the only
    /// service that they manage for anybody else.
    #[default]
    Unsaid,
    Instance,
    Service(ServiceId),
}

impl TemplateFor {
    /// What is said in the place of a service's slug for a checklist that belongs to all services; no slug looks like it.
    pub const ALL_SERVICES: &str = "*";

    fn is(&self, template: &Template) -> bool {
        match self {
            Self::Unsaid => true,
            Self::Instance => template.owner.is_none(),
            Self::Service(service) => owner_of(template) == Some(service),
        }
    }
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
    /// Whether the actor may add one.
    pub may_change: bool,
}

/// Whose templates somebody may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateOwners {
    pub services: Vec<TemplateOwner>,
    /// Also those that belong to no service.
    pub instance: bool,
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
        Importer::of(&mut tx, actor).await?.allow_any()?;
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
        Importer::of(&mut tx, actor).await?.allow_any()?;
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
        let importer = Importer::of(&mut tx, actor).await?;
        importer.allow_any()?;
        let name = import.name.map(String::from);
        let known = match (&import.template, &name) {
            (Some(id), _) => {
                let template = self.readable_template(&mut tx, actor, id).await?;
                if !import.owner.is(&template) {
                    return Err(ServiceError::rejected(
                        "service",
                        format!("The checklist {} is not of this service.", template.name),
                    ));
                }
                Some(template)
            }
            (None, Some(name)) => {
                let named = tx.templates_named(name).await?;
                importer.only_one(named, &import.owner)?
            }
            (None, None) => {
                let tier = document.tier.as_deref();
                let same = tx.templates_with(&sha256, &reading, tier).await?;
                match importer.only_one(same, &import.owner)? {
                    Some(template) => Some(template),
                    None => {
                        let named = tx
                            .templates_named(&suggested_name(&document, &file_name))
                            .await?;
                        importer.only_one(named, &import.owner)?
                    }
                }
            }
        };
        let service = match &known {
            Some(template) => owner_of(template).cloned(),
            None => importer.owner_of_new(&import.owner)?,
        };
        match &service {
            Some(service) => {
                self.allow(&mut tx, actor, service, Action::Manage).await?;
            }
            None => importer.allow_instance()?,
        }
        let template = if let Some(template) = known {
            tx.lock_template(&template.id).await?;
            template
        } else {
            refuse_beyond(&mut tx, Listed::Templates, "name", "checklists").await?;
            let owner = match service {
                None => None,
                Some(id) => tx.service(&id).await?.map(|service| TemplateOwner {
                    service: service.id,
                    slug: service.slug,
                    name: service.name,
                }),
            };
            let template = Template {
                id: TemplateId::parse(&self.ids().uuid(now)).expect("a UUID is an id"),
                name: name.unwrap_or_else(|| suggested_name(&document, &file_name)),
                owner,
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
            .field("service", None, owner_of(&template).map(ServiceId::as_str))
            .field("file", None, Some(&version.file_name))
            .field("sha256", None, Some(version.sha256.as_str()))
            .field("reading", None, Some(&version.reading))
            .field("tier", None, version.tier.as_deref())
            .field("items", None, Some(&items));
        Done {
            action: "template.imported",
            subject_kind: "template",
            subject: template.id.as_str(),
            service: owner_of(&template).map(ServiceId::as_str),
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

    /// The templates that the actor may read, by name, each with its newest version: those of the services on which they have a
    /// role, and, for whoever has one, those of the instance. Administrators read all.
    pub async fn templates(&self, actor: &Actor) -> Result<Vec<ListedTemplate>, ServiceError> {
        let mut tx = self.database().read().await?;
        let reader = TemplateReader::of(&mut tx, actor).await?;
        if !reader.reads_any() {
            return Ok(Vec::new());
        }
        let by = (!reader.is_administrator).then_some(&actor.id);
        let templates = tx.templates(by).await?;
        Ok(templates
            .into_iter()
            .filter(|(template, _)| reader.reads(template))
            .map(|(template, newest)| ListedTemplate { template, newest })
            .collect())
    }

    /// Whose checklist is meant by a service's slug, by [`TemplateFor::ALL_SERVICES`] or by nothing.
    pub async fn template_for(
        &self,
        actor: &Actor,
        said: &str,
    ) -> Result<TemplateFor, ServiceError> {
        Ok(match said {
            "" => TemplateFor::Unsaid,
            TemplateFor::ALL_SERVICES => TemplateFor::Instance,
            slug => TemplateFor::Service(self.service_by_slug(actor, slug).await?.service.id),
        })
    }

    /// Of which services the actor may import checklists, by name, and whether of the instance, too: what a form offers.
    pub async fn template_owners(&self, actor: &Actor) -> Result<TemplateOwners, ServiceError> {
        let mut tx = self.database().read().await?;
        let importer = Importer::of(&mut tx, actor).await?;
        let services = tx.services(reads_only(actor)).await?;
        let services = services
            .into_iter()
            .filter(|service| importer.may_change(Some(&service.id)))
            .map(|service| TemplateOwner {
                service: service.id,
                slug: service.slug,
                name: service.name,
            })
            .collect();
        Ok(TemplateOwners {
            services,
            instance: importer.may_change(None),
        })
    }

    /// A template and all its versions.
    pub async fn template(
        &self,
        actor: &Actor,
        id: &TemplateId,
    ) -> Result<TemplateHistory, ServiceError> {
        let mut tx = self.database().read().await?;
        let template = self.readable_template(&mut tx, actor, id).await?;
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
        let may_change = Importer::of(&mut tx, actor)
            .await?
            .may_change(owner_of(&template));
        Ok(TemplateHistory {
            template,
            versions,
            may_change,
        })
    }

    /// A version with its document's bytes, as they were imported.
    pub async fn template_source(
        &self,
        actor: &Actor,
        id: &TemplateVersionId,
    ) -> Result<(TemplateVersion, Vec<u8>), ServiceError> {
        let mut tx = self.database().read().await?;
        self.readable_source(&mut tx, actor, id).await
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
        off_the_async_threads(move || {
            let difference = difference(&old, &new);
            Ok(TemplateDifference {
                old,
                new,
                difference,
            })
        })
        .await
    }

    /// A template, for whoever may read it.
    async fn readable_template(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        id: &TemplateId,
    ) -> Result<Template, ServiceError> {
        let reader = TemplateReader::of(tx, actor).await?;
        tx.template(id)
            .await?
            .filter(|template| reader.reads(template))
            .ok_or(ServiceError::NotFound("This checklist"))
    }

    /// A version with its bytes, for whoever may read its template.
    pub(crate) async fn readable_source(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        id: &TemplateVersionId,
    ) -> Result<(TemplateVersion, Vec<u8>), ServiceError> {
        let version = tx.template_version(id).await?;
        let version = version.ok_or(ServiceError::NotFound("This checklist"))?;
        self.readable_template(tx, actor, &version.template).await?;
        source_of(tx, id).await
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
        off_the_async_threads(move || {
            let document = parse_checklist(&bytes, reading, tier.as_deref())
                .map_err(ServiceError::at("document"))?;
            refuse_hidden_titles(&document)?;
            Ok((bytes, document))
        })
        .await
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

fn owner_of(template: &Template) -> Option<&ServiceId> {
    template.owner.as_ref().map(|owner| &owner.service)
}

/// What of templates somebody may read.
struct TemplateReader<'a> {
    actor: &'a Actor,
    is_administrator: bool,
    services: BTreeSet<ServiceId>,
}

impl<'a> TemplateReader<'a> {
    async fn of(tx: &mut Tx, actor: &'a Actor) -> Result<Self, ServiceError> {
        let role = tx.instance_role(&actor.id).await?.ok_or_else(disabled)?;
        // Reading belongs to every grant.
        let granted = (actor.token.as_ref()).is_none_or(|token| !token.actions.is_empty());
        if !granted {
            return Err(not_granted(Action::Read));
        }
        let services = tx.memberships_of(&actor.id).await?;
        Ok(Self {
            actor,
            is_administrator: role.may(Action::Administer),
            services: services.into_iter().map(|(service, _)| service).collect(),
        })
    }

    /// Whoever has no role on any service reads no template.
    fn reads_any(&self) -> bool {
        self.is_administrator || !self.services.is_empty()
    }

    fn reads(&self, template: &Template) -> bool {
        match owner_of(template) {
            None => self.reads_any(),
            Some(service) => {
                let only = (self.actor.token.as_ref()).and_then(|token| token.service.as_ref());
                (self.is_administrator || self.services.contains(service))
                    && only.is_none_or(|only| only == service)
            }
        }
    }
}

/// What of templates somebody may change.
struct Importer<'a> {
    actor: &'a Actor,
    is_administrator: bool,
    manages: BTreeSet<ServiceId>,
}

impl<'a> Importer<'a> {
    /// In a unit of work that writes, nobody stops being an administrator before it ends.
    async fn of(tx: &mut Tx, actor: &'a Actor) -> Result<Self, ServiceError> {
        let role = tx.instance_role(&actor.id).await?.ok_or_else(disabled)?;
        let roles = tx.memberships_of(&actor.id).await?;
        Ok(Self {
            actor,
            is_administrator: role.may(Action::Administer),
            manages: roles
                .into_iter()
                .filter(|(_, role)| role.may(Action::Manage))
                .map(|(service, _)| service)
                .collect(),
        })
    }

    fn is_granted(&self, service: Option<&ServiceId>) -> bool {
        self.actor.token.as_ref().is_none_or(|token| {
            token.covers(service, Action::Manage)
                || (service.is_none() && token.covers(None, Action::Administer))
        })
    }

    fn may_change(&self, owner: Option<&ServiceId>) -> bool {
        let may = self.is_administrator || owner.is_some_and(|of| self.manages.contains(of));
        may && self.is_granted(owner)
    }

    /// Refuses whoever may change no template at all.
    fn allow_any(&self) -> Result<(), ServiceError> {
        if !self.is_administrator && self.manages.is_empty() {
            return Err(ServiceError::Forbidden(
                "Only an administrator or a manager of a service can import checklists.".to_owned(),
            ));
        }
        let granted = match (self.actor.token.as_ref()).and_then(|token| token.service.as_ref()) {
            Some(only) => self.may_change(Some(only)),
            None => self.is_granted(None),
        };
        if granted {
            Ok(())
        } else {
            Err(ServiceError::Forbidden(
                "This token was not granted `manage` where its person may import checklists. Make one that was."
                    .to_owned(),
            ))
        }
    }

    fn allow_instance(&self) -> Result<(), ServiceError> {
        if !self.is_administrator {
            return Err(ServiceError::Forbidden(
                "Only an administrator can change a checklist of all services. Import it as one of your service's own."
                    .to_owned(),
            ));
        }
        if !self.is_granted(None) {
            return Err(not_granted(Action::Administer));
        }
        Ok(())
    }

    /// The one of these that is meant and that the actor may change; `None` where there is none.
    fn only_one(
        &self,
        templates: Vec<Template>,
        owner: &TemplateFor,
    ) -> Result<Option<Template>, ServiceError> {
        let meant: Vec<_> = templates
            .into_iter()
            .filter(|template| owner.is(template) && self.may_change(owner_of(template)))
            .collect();
        let owners: BTreeSet<_> = meant.iter().map(owner_words).collect();
        if owners.len() > 1 && *owner == TemplateFor::Unsaid {
            let owners: Vec<_> = owners.into_iter().collect();
            return Err(ServiceError::rejected(
                "service",
                format!(
                    "There are several checklists that this could be: of {}. Say whose it is.",
                    owners.join(", ")
                ),
            ));
        }
        Ok(meant.into_iter().next())
    }

    /// Whose a new template is.
    fn owner_of_new(&self, owner: &TemplateFor) -> Result<Option<ServiceId>, ServiceError> {
        let token = self.actor.token.as_ref();
        match owner {
            TemplateFor::Instance => Ok(None),
            TemplateFor::Service(service) => Ok(Some(service.clone())),
            TemplateFor::Unsaid => {
                let only = token.and_then(|token| token.service.clone());
                let mut manages = self.manages.iter();
                match (only, manages.next(), manages.next()) {
                    (Some(only), ..) => Ok(Some(only)),
                    (None, ..) if self.is_administrator => Ok(None),
                    (None, Some(service), None) => Ok(Some(service.clone())),
                    _ => Err(ServiceError::rejected(
                        "service",
                        "You manage several services. Say whose checklist it is.",
                    )),
                }
            }
        }
    }
}

/// Whose a template is, for a sentence.
fn owner_words(template: &Template) -> String {
    (template.owner.as_ref()).map_or_else(
        || "all services".to_owned(),
        |owner| format!("`{}`", owner.slug),
    )
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
    off_the_async_threads(move || {
        let text = holdpoint_checklist::decode(&source).map_err(ServiceError::unavailable)?;
        Ok(parse_mixed(text, &readings, tier.as_deref()))
    })
    .await
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
