//! Checklist templates and their versions, with the documents' own bytes.

use holdpoint_domain::{Digest, Millis, PersonId, TemplateId, TemplateVersionId};

use crate::{StorageError, Tx, columns::parsed, execute, fetch_all, fetch_optional, tx::one};

/// A named checklist document; what it says is in its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pub id: TemplateId,
    pub name: String,
    pub created_at: Millis,
    pub created_by: PersonId,
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
    created_at: i64,
    created_by: String,
}

impl TryFrom<TemplateRow> for Template {
    type Error = StorageError;

    fn try_from(row: TemplateRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: parsed(TemplateId::parse, &row.id, "template", "id")?,
            name: row.name,
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
            "insert into template (id, name, created_at, created_by) values ($1, $2, $3, $4) on conflict do nothing",
            template.id.as_str(),
            &template.name,
            template.created_at,
            template.created_by.as_str(),
        );
        one(touched)
    }

    pub async fn template(&mut self, id: &TemplateId) -> Result<Option<Template>, StorageError> {
        const SQL: &str = "select id, name, created_at, created_by from template where id = $1";
        fetch_optional!(self, TemplateRow, SQL, id.as_str())
            .map(Template::try_from)
            .transpose()
    }

    pub async fn template_by_name(&mut self, name: &str) -> Result<Option<Template>, StorageError> {
        const SQL: &str = "select id, name, created_at, created_by from template where name = $1";
        fetch_optional!(self, TemplateRow, SQL, name)
            .map(Template::try_from)
            .transpose()
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

    /// Every template by name, with its newest version; bounded.
    pub async fn templates(&mut self) -> Result<Vec<(Template, TemplateVersion)>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            name: String,
            template_created_at: i64,
            template_created_by: String,
            #[sqlx(flatten)]
            version: TemplateVersionRow,
        }
        const SQL: &str = "select template.name, template.created_at as template_created_at, \
            template.created_by as template_created_by, v.id, v.template_id, v.number, v.file_name, v.sha256, v.reading, \
            v.tier, v.n_items, v.created_at, v.created_by from template join template_version as v \
            on v.template_id = template.id and v.number = \
            (select max(newest.number) from template_version as newest where newest.template_id = template.id) \
            order by lower(template.name), template.id limit 1100";
        fetch_all!(self, Row, SQL)
            .into_iter()
            .map(|row| {
                let template = TemplateRow {
                    id: row.version.template_id.clone(),
                    name: row.name,
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

    /// The newest version, of any template, that is these bytes read in this way.
    pub async fn template_version_of(
        &mut self,
        sha256: &Digest,
        reading: &str,
        tier: Option<&str>,
    ) -> Result<Option<TemplateVersion>, StorageError> {
        fetch_optional!(
            self,
            TemplateVersionRow,
            version_columns!(
                "where sha256 = $1 and reading = $2 and coalesce(tier, '') = coalesce(cast($3 as text), '') \
                 order by created_at desc, id desc limit 1"
            ),
            sha256.as_str(),
            reading,
            tier
        )
        .map(TemplateVersion::try_from)
        .transpose()
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
