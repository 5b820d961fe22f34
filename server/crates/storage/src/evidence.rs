//! Evidence of items, and the files it is made of.

use holdpoint_domain::{
    Digest, EvidenceId, ItemId, Millis, PersonId, ScanId,
    evidence::{EvidenceText, Pin},
};

use crate::{
    KnownTexts, StorageError, StoredFile, Tx, execute, fetch_all, fetch_optional,
    text_digests::AskedText, tx::one,
};

/// One piece of evidence, as it was submitted and what has become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    pub id: EvidenceId,
    pub item: ItemId,
    /// `file`, `link`, `note`, `output` or `scan`.
    pub kind: String,
    pub title: String,
    /// A note's Markdown, a link's address, a command's output; empty for files and scans.
    pub body: String,
    pub command: Option<String>,
    pub exit_code: Option<i64>,
    pub host: Option<String>,
    /// Of the file's bytes, or of the canonical JSON of the other kinds.
    pub sha256: Digest,
    pub file_sha256: Option<Digest>,
    pub file_name: Option<String>,
    pub media_type: Option<String>,
    pub size_bytes: i64,
    pub scan: Option<ScanId>,
    pub commit: Option<String>,
    /// The review's target commit when it was attached.
    pub target_commit: Option<String>,
    pub path: Option<String>,
    pub start_line: Option<i64>,
    pub end_line: Option<i64>,
    pub observed_at: Millis,
    pub created_at: Millis,
    pub created_by: PersonId,
    pub created_by_name: String,
    pub superseded_by: Option<EvidenceId>,
    pub withdrawn_at: Option<Millis>,
    pub withdrawn_by_name: Option<String>,
    pub withdrawn_reason: Option<String>,
    /// It is a clean scan, and a newer scan of its series is not.
    pub is_contradicted: bool,
}

impl Evidence {
    /// Whether it counts: neither withdrawn nor replaced by a newer version.
    pub fn is_current(&self) -> bool {
        self.superseded_by.is_none() && self.withdrawn_at.is_none()
    }

    /// Whether it is stale against a review's target: of another commit, or contradicted by a newer scan.
    pub fn is_stale(&self, target: Option<&str>) -> bool {
        let pin = Pin {
            commit: self.commit.as_deref(),
            target_then: self.target_commit.as_deref(),
            target,
        };
        self.is_current() && (self.is_contradicted || pin.is_stale())
    }

    /// What its digest is made of, where it is no file.
    pub fn text(&self) -> EvidenceText<'_> {
        EvidenceText {
            kind: &self.kind,
            title: &self.title,
            body: &self.body,
            command: self.command.as_deref(),
            exit_code: self.exit_code,
            host: self.host.as_deref(),
            observed_at: self.observed_at,
        }
    }

    /// Whether it does not have the digest any more that it was kept under. Of a file only whether the row names another one: its
    /// bytes are compared when they are read.
    pub fn is_damaged(&self) -> bool {
        match &self.file_sha256 {
            Some(file) => *file != self.sha256,
            None => self.text().digest() != self.sha256,
        }
    }
}

/// A piece of evidence as lists have it: of a long text only the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownEvidence {
    pub evidence: Evidence,
    /// Whether the whole does not have the digest any more that it was kept under.
    pub is_damaged: bool,
    /// Whether there is more of its text.
    pub is_cut: bool,
}

impl From<Evidence> for ShownEvidence {
    fn from(evidence: Evidence) -> Self {
        Self {
            is_damaged: evidence.is_damaged(),
            is_cut: false,
            evidence,
        }
    }
}

/// What is stored of a new piece of evidence.
#[derive(Clone, Debug)]
pub struct NewEvidence<'a> {
    pub id: &'a EvidenceId,
    pub item: &'a ItemId,
    pub kind: &'a str,
    pub title: &'a str,
    pub body: &'a str,
    pub command: Option<&'a str>,
    pub exit_code: Option<i64>,
    pub host: Option<&'a str>,
    pub sha256: &'a Digest,
    pub file_sha256: Option<&'a Digest>,
    pub file_name: Option<&'a str>,
    pub media_type: Option<&'a str>,
    pub size_bytes: i64,
    pub scan: Option<&'a ScanId>,
    pub commit: Option<&'a str>,
    pub path: Option<&'a str>,
    pub start_line: Option<i64>,
    pub end_line: Option<i64>,
    pub observed_at: Millis,
    pub created_at: Millis,
    pub created_by: &'a PersonId,
}

#[derive(sqlx::FromRow)]
struct EvidenceRow {
    id: String,
    item_id: String,
    kind: String,
    title: String,
    body: String,
    /// What says whether the row was written, where its text is read apart.
    stamp: String,
    command: Option<String>,
    exit_code: Option<i64>,
    host: Option<String>,
    sha256: String,
    file_sha256: Option<String>,
    file_name: Option<String>,
    media_type: Option<String>,
    size_bytes: i64,
    scan_id: Option<String>,
    commit_id: Option<String>,
    target_commit: Option<String>,
    path: Option<String>,
    start_line: Option<i64>,
    end_line: Option<i64>,
    observed_at: i64,
    created_at: i64,
    created_by: String,
    created_by_name: String,
    superseded_by: Option<String>,
    withdrawn_at: Option<i64>,
    withdrawn_by_name: Option<String>,
    withdrawn_reason: Option<String>,
    is_contradicted: i64,
}

fn digest(column: &str, text: &str) -> Result<Digest, StorageError> {
    Digest::parse(text).ok_or_else(|| StorageError::column("evidence", column, text))
}

impl TryFrom<EvidenceRow> for Evidence {
    type Error = StorageError;

    fn try_from(row: EvidenceRow) -> Result<Self, StorageError> {
        let bad =
            |column: &'static str| move |text: &str| StorageError::column("evidence", column, text);
        Ok(Self {
            id: EvidenceId::parse(&row.id).ok_or_else(|| bad("id")(&row.id))?,
            item: ItemId::parse(&row.item_id).ok_or_else(|| bad("item_id")(&row.item_id))?,
            sha256: digest("sha256", &row.sha256)?,
            file_sha256: row
                .file_sha256
                .as_deref()
                .map(|text| digest("file_sha256", text))
                .transpose()?,
            scan: row.scan_id.as_deref().and_then(ScanId::parse),
            created_by: PersonId::parse(&row.created_by)
                .ok_or_else(|| bad("created_by")(&row.created_by))?,
            superseded_by: row.superseded_by.as_deref().and_then(EvidenceId::parse),
            kind: row.kind,
            title: row.title,
            body: row.body,
            command: row.command,
            exit_code: row.exit_code,
            host: row.host,
            file_name: row.file_name,
            media_type: row.media_type,
            size_bytes: row.size_bytes,
            commit: row.commit_id,
            target_commit: row.target_commit,
            path: row.path,
            start_line: row.start_line,
            end_line: row.end_line,
            observed_at: row.observed_at,
            created_at: row.created_at,
            created_by_name: row.created_by_name,
            withdrawn_at: row.withdrawn_at,
            withdrawn_by_name: row.withdrawn_by_name,
            withdrawn_reason: row.withdrawn_reason,
            is_contradicted: row.is_contradicted != 0,
        })
    }
}

/// Whether evidence is a clean scan that a newer scan of its series contradicts, as SQL: 1 where the newest scan that
/// says anything has findings. An incomplete scan without findings says nothing.
macro_rules! is_contradicted {
    () => {
        "cast(case when evidence.scan_id is not null and exists (select 1 from scan as own join scan as newer \
         on newer.series_id = own.series_id and newer.sequence > own.sequence and newer.undone_at is null \
         where own.id = evidence.scan_id \
         and own.n_critical + own.n_high + own.n_unrated + own.n_medium + own.n_low + own.n_info = 0 \
         and newer.n_critical + newer.n_high + newer.n_unrated + newer.n_medium + newer.n_low + newer.n_info > 0 \
         and not exists (select 1 from scan as last where last.series_id = newer.series_id \
         and last.sequence > newer.sequence and last.undone_at is null and last.complete \
         and last.n_critical + last.n_high + last.n_unrated + last.n_medium + last.n_low + last.n_info = 0)) \
         then 1 else 0 end as bigint)"
    };
}
pub(crate) use is_contradicted;

macro_rules! evidence_where {
    ($rest:literal) => {
        evidence_where!("evidence.body", "''", $rest)
    };
    ($body:literal, $stamp:literal, $rest:literal) => {
        concat!(
            "select evidence.id, evidence.item_id, evidence.kind, evidence.title, ",
            $body,
            " as body, ",
            $stamp,
            " as stamp, evidence.command, \
             evidence.exit_code, evidence.host, evidence.sha256, evidence.file_sha256, evidence.file_name, \
             evidence.media_type, evidence.size_bytes, evidence.scan_id, evidence.commit_id, evidence.target_commit, \
             evidence.path, \
             evidence.start_line, evidence.end_line, evidence.observed_at, evidence.created_at, evidence.created_by, \
             author.name as created_by_name, evidence.superseded_by, evidence.withdrawn_at, \
             withdrawer.name as withdrawn_by_name, evidence.withdrawn_reason, ",
            is_contradicted!(),
            " as is_contradicted from evidence \
             join person as author on author.id = evidence.created_by \
             left join person as withdrawer on withdrawer.id = evidence.withdrawn_by ",
            $rest
        )
    };
}

/// The same without the texts, which are read apart.
macro_rules! light_evidence_where {
    ($tx:expr, $rest:literal) => {
        $tx.dialect(
            evidence_where!(
                "case when evidence.file_sha256 is null then '' else evidence.body end",
                "''",
                $rest
            ),
            evidence_where!(
                "case when evidence.file_sha256 is null then '' else evidence.body end",
                "cast(evidence.xmin as text) || ' ' || cast(evidence.ctid as text)",
                $rest
            ),
        )
    };
}

impl Tx {
    /// Notes that the file store has a file; the same file twice is one row.
    pub async fn keep_file(&mut self, file: &StoredFile, at: Millis) -> Result<(), StorageError> {
        execute!(
            self,
            "insert into file (sha256, size_bytes, created_at) values ($1, $2, $3) on conflict (sha256) do nothing",
            file.sha256.as_str(),
            file.size_bytes,
            at,
        );
        Ok(())
    }

    /// Stores it with the review's target commit of now.
    pub async fn insert_evidence(&mut self, new: &NewEvidence<'_>) -> Result<(), StorageError> {
        execute!(
            self,
            "insert into evidence (id, item_id, kind, title, body, command, exit_code, host, sha256, file_sha256, \
             file_name, media_type, size_bytes, scan_id, commit_id, target_commit, path, start_line, end_line, \
             observed_at, created_at, created_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, \
             $15, (select review.commit_id from item join review on review.id = item.review_id where item.id = $2), $16, \
             $17, $18, $19, $20, $21)",
            new.id.as_str(),
            new.item.as_str(),
            new.kind,
            new.title,
            new.body,
            new.command,
            new.exit_code,
            new.host,
            new.sha256.as_str(),
            new.file_sha256.map(Digest::as_str),
            new.file_name,
            new.media_type,
            new.size_bytes,
            new.scan.map(ScanId::as_str),
            new.commit,
            new.path,
            new.start_line,
            new.end_line,
            new.observed_at,
            new.created_at,
            new.created_by.as_str(),
        );
        Ok(())
    }

    pub async fn evidence(&mut self, id: &EvidenceId) -> Result<Option<Evidence>, StorageError> {
        fetch_optional!(
            self,
            EvidenceRow,
            evidence_where!("where evidence.id = $1"),
            id.as_str()
        )
        .map(Evidence::try_from)
        .transpose()
    }

    /// What was submitted for an item after one of its pieces, oldest first. Ids are in the order of the clocks of the nodes
    /// that gave them: what a node submits whose clock is behind may come before the piece that a reader has got to.
    pub async fn evidence_after(
        &mut self,
        item: &ItemId,
        after: Option<&EvidenceId>,
        limit: i64,
        text_bytes: usize,
        known: &KnownTexts<'_>,
    ) -> Result<Vec<ShownEvidence>, StorageError> {
        let sql = light_evidence_where!(
            self,
            "where evidence.item_id = $1 and (cast($2 as text) is null or evidence.id > $2) \
             order by evidence.id limit $3"
        );
        let after = after.map(EvidenceId::as_str);
        let rows = fetch_all!(self, EvidenceRow, sql, item.as_str(), after, limit);
        self.with_texts(rows, text_bytes, known).await
    }

    /// The newest that was submitted for an item, newest first.
    pub async fn newest_evidence(
        &mut self,
        item: &ItemId,
        limit: i64,
        text_bytes: usize,
        known: &KnownTexts<'_>,
    ) -> Result<Vec<ShownEvidence>, StorageError> {
        let sql = light_evidence_where!(
            self,
            "where evidence.item_id = $1 order by evidence.id desc limit $2"
        );
        let rows = fetch_all!(self, EvidenceRow, sql, item.as_str(), limit);
        self.with_texts(rows, text_bytes, known).await
    }

    /// Reads the texts of rows that were read without them, so many bytes of each.
    async fn with_texts(
        &mut self,
        rows: Vec<EvidenceRow>,
        text_bytes: usize,
        known: &KnownTexts<'_>,
    ) -> Result<Vec<ShownEvidence>, StorageError> {
        let texts = rows.iter().filter(|row| row.file_sha256.is_none());
        let asked: Vec<_> = texts
            .map(|row| AskedText {
                id: row.id.clone(),
                stamp: row.stamp.clone(),
                n_bytes: row.size_bytes,
            })
            .collect();
        let mut texts = self.read_texts(&asked, text_bytes, Some(known)).await?;
        let rows = rows.into_iter();
        rows.map(|row| {
            let text = texts.remove(&row.id);
            let mut evidence = Evidence::try_from(row)?;
            let Some(text) = text else {
                return Ok(evidence.into());
            };
            evidence.body = text.beginning;
            Ok(ShownEvidence {
                is_damaged: text.sha256 != evidence.sha256,
                is_cut: text.is_cut,
                evidence,
            })
        })
        .collect()
    }

    /// Everything ever submitted for a review's items, oldest first. A report that leaves some out would say something else.
    pub async fn evidence_of_review(
        &mut self,
        review: &holdpoint_domain::ReviewId,
    ) -> Result<Vec<Evidence>, StorageError> {
        const SQL: &str = evidence_where!(
            "join item on item.id = evidence.item_id where item.review_id = $1 \
             order by evidence.created_at, evidence.id"
        );
        fetch_all!(self, EvidenceRow, SQL, review.as_str())
            .into_iter()
            .map(Evidence::try_from)
            .collect()
    }

    /// How many pieces of evidence count for an item.
    pub async fn n_evidence(&mut self, item: &ItemId) -> Result<i64, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            n: i64,
        }
        const SQL: &str = "select count(*) as n from evidence \
            where item_id = $1 and superseded_by is null and withdrawn_at is null";
        Ok(fetch_optional!(self, Row, SQL, item.as_str()).map_or(0, |row| row.n))
    }

    /// Withdraws a piece that counts; [`StorageError::Conflict`] when it does not count any more.
    pub async fn withdraw_evidence(
        &mut self,
        id: &EvidenceId,
        by: &PersonId,
        at: Millis,
        reason: &str,
    ) -> Result<(), StorageError> {
        let touched = execute!(
            self,
            "update evidence set withdrawn_at = $2, withdrawn_by = $3, withdrawn_reason = $4 \
             where id = $1 and withdrawn_at is null and superseded_by is null",
            id.as_str(),
            at,
            by.as_str(),
            reason,
        );
        one(touched)
    }

    /// Lets a newer version take a piece's place; [`StorageError::Conflict`] when it does not count any more.
    pub async fn supersede_evidence(
        &mut self,
        old: &EvidenceId,
        new: &EvidenceId,
    ) -> Result<(), StorageError> {
        let touched = execute!(
            self,
            "update evidence set superseded_by = $2 where id = $1 and withdrawn_at is null and superseded_by is null",
            old.as_str(),
            new.as_str(),
        );
        one(touched)
    }
}
