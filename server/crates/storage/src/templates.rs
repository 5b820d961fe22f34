//! Checklist templates and their versions, with the documents' own bytes.

use holdpoint_domain::{Digest, Millis, PersonId, ServiceId, TemplateId, TemplateVersionId};

use crate::{StorageError, Tx, columns::parsed, execute, fetch_all, fetch_optional, tx::one};

/// A named checklist document; what it says is in its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pub id: TemplateId,
    pub name: String,
    /// Whose it is; absent for one of the instance.
    pub owner: Option<TemplateOwner>,
    pub created_at: Millis,
    pub created_by: PersonId,
}

/// The service that a template belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateOwner {
    pub service: ServiceId,
    pub slug: String,
    pub name: String,
}

/// One version of a checklist document. Its bytes are asked for apart, see [`Tx::template_source`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateVersion {
    pub id: TemplateVersionId,
    pub template: TemplateId,
    /// From 1, without gaps.
    pub number: i64,
    pub file_name: String,
    pub sha256: Digest,
    /// How the document is read: the readings' words, separated by commas.
    pub reading: String,
    pub tier: Option<String>,
    pub n_items: i64,
    pub created_at: Millis,
    pub created_by: PersonId,
}

#[derive(sqlx::FromRow)]
struct TemplateRow {
    id: String,
    name: String,
    service_id: Option<String>,
    service_slug: Option<String>,
    service_name: Option<String>,
    created_at: i64,
    created_by: String,
}

impl TryFrom<TemplateRow> for Template {
    type Error = StorageError;

    fn try_from(row: TemplateRow) -> Result<Self, StorageError> {
        let owner = match (row.service_id, row.service_slug, row.service_name) {
            (Some(id), Some(slug), Some(name)) => Some(TemplateOwner {
                service: parsed(ServiceId::parse, &id, "template", "service_id")?,
                slug,
                name,
            }),
            _ => None,
        };
        Ok(Self {
            id: parsed(TemplateId::parse, &row.id, "template", "id")?,
            name: row.name,
            owner,
            created_at: row.created_at,
            created_by: parsed(PersonId::parse, &row.created_by, "template", "created_by")?,
        })
    }
}

#[derive(sqlx::FromRow)]
struct TemplateVersionRow {
    id: String,
    template_id: String,
    number: i64,
    file_name: String,
    sha256: String,
    reading: String,
    tier: Option<String>,
    n_items: i64,
    created_at: i64,
    created_by: String,
}

impl TryFrom<TemplateVersionRow> for TemplateVersion {
    type Error = StorageError;

    fn try_from(row: TemplateVersionRow) -> Result<Self, StorageError> {
        const TABLE: &str = "template_version";
        Ok(Self {
            id: parsed(TemplateVersionId::parse, &row.id, TABLE, "id")?,
            template: parsed(TemplateId::parse, &row.template_id, TABLE, "template_id")?,
            number: row.number,
            file_name: row.file_name,
            sha256: parsed(Digest::parse, &row.sha256, TABLE, "sha256")?,
            reading: row.reading,
            tier: row.tier,
            n_items: row.n_items,
            created_at: row.created_at,
            created_by: parsed(PersonId::parse, &row.created_by, TABLE, "created_by")?,
        })
    }
}

macro_rules! template_columns {
    ($rest:literal) => {
        concat!(
            "select template.id, template.name, template.service_id, service.slug as service_slug, \
             service.name as service_name, template.created_at, template.created_by from template \
             left join service on service.id = template.service_id ",
            $rest
        )
    };
}

macro_rules! version_columns {
    ($rest:literal) => {
        concat!(
            "select id, template_id, number, file_name, sha256, reading, tier, n_items, created_at, created_by \
             from template_version ",
            $rest
        )
    };
}

impl Tx {
    /// Makes a template; [`StorageError::Conflict`] when its name is taken.
    pub async fn insert_template(&mut self, template: &Template) -> Result<(), StorageError> {
        let touched = execute!(
            self,
            "insert into template (id, service_id, name, created_at, created_by) values ($1, $2, $3, $4, $5) \
             on conflict do nothing",
            template.id.as_str(),
            template.owner.as_ref().map(|owner| owner.service.as_str()),
            &template.name,
            template.created_at,
            template.created_by.as_str(),
        );
        one(touched)
    }

    pub async fn template(&mut self, id: &TemplateId) -> Result<Option<Template>, StorageError> {
        let sql = template_columns!("where template.id = $1");
        fetch_optional!(self, TemplateRow, sql, id.as_str())
            .map(Template::try_from)
            .transpose()
    }

    /// The templates of this name: of the instance and of any service; bounded, as all of them are.
    pub async fn templates_named(&mut self, name: &str) -> Result<Vec<Template>, StorageError> {
        let sql = template_columns!("where template.name = $1 order by template.id limit 1100");
        fetch_all!(self, TemplateRow, sql, name)
            .into_iter()
            .map(Template::try_from)
            .collect()
    }

    /// The templates that have these bytes, read in this way, as one of their versions.
    pub async fn templates_with(
        &mut self,
        sha256: &Digest,
        reading: &str,
        tier: Option<&str>,
    ) -> Result<Vec<Template>, StorageError> {
        let sql = template_columns!(
            "where exists (select 1 from template_version as v where v.template_id = template.id and v.sha256 = $1 \
             and v.reading = $2 and coalesce(v.tier, '') = coalesce(cast($3 as text), '')) \
             order by template.id limit 1100"
        );
        fetch_all!(self, TemplateRow, sql, sha256.as_str(), reading, tier)
            .into_iter()
            .map(Template::try_from)
            .collect()
    }

    /// Keeps others from adding a version to the template until this unit of work ends.
    pub async fn lock_template(&mut self, id: &TemplateId) -> Result<(), StorageError> {
        if !self.is_sqlite() {
            execute!(
                self,
                "select id from template where id = $1 for update",
                id.as_str()
            );
        }
        Ok(())
    }

    /// Templates by name, each with its newest version; bounded. `read_by` leaves only those of the instance and of services on
    /// which this person has a role.
    pub async fn templates(
        &mut self,
        read_by: Option<&PersonId>,
    ) -> Result<Vec<(Template, TemplateVersion)>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            name: String,
            owner_id: Option<String>,
            owner_slug: Option<String>,
            owner_name: Option<String>,
            template_created_at: i64,
            template_created_by: String,
            #[sqlx(flatten)]
            version: TemplateVersionRow,
        }
        const SQL: &str = "select template.name, template.service_id as owner_id, service.slug as owner_slug, \
            service.name as owner_name, template.created_at as template_created_at, \
            template.created_by as template_created_by, v.id, v.template_id, v.number, v.file_name, v.sha256, v.reading, \
            v.tier, v.n_items, v.created_at, v.created_by from template \
            left join service on service.id = template.service_id join template_version as v \
            on v.template_id = template.id and v.number = \
            (select max(newest.number) from template_version as newest where newest.template_id = template.id) \
            where cast($1 as text) is null or template.service_id is null or template.service_id in \
            (select service_id from membership where person_id = $1) \
            order by lower(template.name), template.id limit 1100";
        fetch_all!(self, Row, SQL, read_by.map(PersonId::as_str))
            .into_iter()
            .map(|row| {
                let template = TemplateRow {
                    id: row.version.template_id.clone(),
                    name: row.name,
                    service_id: row.owner_id,
                    service_slug: row.owner_slug,
                    service_name: row.owner_name,
                    created_at: row.template_created_at,
                    created_by: row.template_created_by,
                };
                Ok((template.try_into()?, row.version.try_into()?))
            })
            .collect()
    }

    /// Adds a version with its bytes; [`StorageError::Conflict`] when the number is taken.
    pub async fn insert_template_version(
        &mut self,
        version: &TemplateVersion,
        source: &[u8],
    ) -> Result<(), StorageError> {
        let touched = execute!(
            self,
            "insert into template_version (id, template_id, number, file_name, source, sha256, reading, tier, n_items, \
             created_at, created_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing",
            version.id.as_str(),
            version.template.as_str(),
            version.number,
            &version.file_name,
            source,
            version.sha256.as_str(),
            &version.reading,
            version.tier.as_deref(),
            version.n_items,
            version.created_at,
            version.created_by.as_str(),
        );
        one(touched)
    }

    pub async fn template_version(
        &mut self,
        id: &TemplateVersionId,
    ) -> Result<Option<TemplateVersion>, StorageError> {
        fetch_optional!(
            self,
            TemplateVersionRow,
            version_columns!("where id = $1"),
            id.as_str()
        )
        .map(TemplateVersion::try_from)
        .transpose()
    }

    /// A template's versions, newest first; bounded.
    pub async fn template_versions(
        &mut self,
        template: &TemplateId,
    ) -> Result<Vec<TemplateVersion>, StorageError> {
        fetch_all!(
            self,
            TemplateVersionRow,
            version_columns!("where template_id = $1 order by number desc limit 1100"),
            template.as_str()
        )
        .into_iter()
        .map(TemplateVersion::try_from)
        .collect()
    }

    /// The document's bytes, as they were imported.
    pub async fn template_source(
        &mut self,
        id: &TemplateVersionId,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            source: Vec<u8>,
        }
        const SQL: &str = "select source from template_version where id = $1";
        Ok(fetch_optional!(self, Row, SQL, id.as_str()).map(|row| row.source))
    }
}
