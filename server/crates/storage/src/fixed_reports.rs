//! The reports of release decisions, as they were when those were signed.

use holdpoint_domain::{Digest, Millis, ReviewId};

use crate::{
    StorageError, StoredFile, Tx,
    columns::{parsed, parsed_if},
    execute, fetch_all, fetch_optional,
};

/// A report to be kept with the sign-off that it belongs to.
#[derive(Clone, Debug)]
pub struct NewFixedReport {
    pub sha256: Digest,
    pub report_sha256: Digest,
    pub signature: String,
    pub allowed_signers: String,
    pub packed: PackedBytes,
}

/// Where the packed document is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PackedBytes {
    Here(Vec<u8>),
    File(StoredFile),
}

/// What is known of a kept report without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptReport {
    pub sign_off: String,
    /// `go` or `no_go`.
    pub decision: String,
    pub person_name: String,
    pub signed_at: Millis,
    pub log_sequence: i64,
    pub sha256: Digest,
    pub report_sha256: Digest,
    pub signature: String,
    pub allowed_signers: String,
    /// The file of a document that is not in the database.
    pub file: Option<Digest>,
    /// Whether the log's entry of the decision names just these digests.
    pub is_logged: bool,
}

#[derive(sqlx::FromRow)]
struct KeptRow {
    sign_off_id: String,
    decision: String,
    person_name: String,
    signed_at: i64,
    log_sequence: i64,
    sha256: String,
    report_sha256: String,
    signature: String,
    allowed_signers: String,
    file_sha256: Option<String>,
    entry_after: Option<String>,
}

impl KeptRow {
    fn is_logged(&self) -> bool {
        #[derive(serde::Deserialize)]
        struct After {
            sign_off: String,
            fixed_report_sha256: String,
            report_sha256: String,
        }
        let after = self.entry_after.as_deref();
        after
            .and_then(|after| serde_json::from_str::<After>(after).ok())
            .is_some_and(|after| {
                after.sign_off == self.sign_off_id
                    && after.fixed_report_sha256 == self.sha256
                    && after.report_sha256 == self.report_sha256
            })
    }
}

impl TryFrom<KeptRow> for KeptReport {
    type Error = StorageError;

    fn try_from(row: KeptRow) -> Result<Self, StorageError> {
        const TABLE: &str = "fixed_report";
        Ok(Self {
            is_logged: row.is_logged(),
            sha256: parsed(Digest::parse, &row.sha256, TABLE, "sha256")?,
            report_sha256: parsed(Digest::parse, &row.report_sha256, TABLE, "report_sha256")?,
            file: parsed_if(
                Digest::parse,
                row.file_sha256.as_deref(),
                TABLE,
                "file_sha256",
            )?,
            sign_off: row.sign_off_id,
            decision: row.decision,
            person_name: row.person_name,
            signed_at: row.signed_at,
            log_sequence: row.log_sequence,
            signature: row.signature,
            allowed_signers: row.allowed_signers,
        })
    }
}

impl Tx {
    /// Keeps a report with the sign-off of this unit of work.
    pub async fn insert_fixed_report(
        &mut self,
        sign_off: &str,
        review: &str,
        log_sequence: i64,
        new: &NewFixedReport,
        at: Millis,
    ) -> Result<(), StorageError> {
        let (packed, file) = match &new.packed {
            PackedBytes::Here(bytes) => (Some(bytes.as_slice()), None),
            PackedBytes::File(file) => {
                self.keep_file(file, at).await?;
                (None, Some(file.sha256.as_str()))
            }
        };
        execute!(
            self,
            "insert into fixed_report (sign_off_id, review_id, log_sequence, sha256, report_sha256, signature, \
             allowed_signers, packed, file_sha256) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            sign_off,
            review,
            log_sequence,
            new.sha256.as_str(),
            new.report_sha256.as_str(),
            &new.signature,
            &new.allowed_signers,
            packed,
            file,
        );
        Ok(())
    }

    /// The kept reports of a review, in the order in which the log has their decisions.
    pub async fn kept_reports(
        &mut self,
        review: &ReviewId,
    ) -> Result<Vec<KeptReport>, StorageError> {
        fetch_all!(
            self,
            KeptRow,
            "select fixed_report.sign_off_id, sign_off.decision, person.name as person_name, sign_off.signed_at, \
             fixed_report.log_sequence, fixed_report.sha256, fixed_report.report_sha256, fixed_report.signature, \
             fixed_report.allowed_signers, fixed_report.file_sha256, activity.after as entry_after from fixed_report \
             join sign_off on sign_off.id = fixed_report.sign_off_id join person on person.id = sign_off.person_id \
             left join activity on activity.sequence = sign_off.log_sequence and activity.action = 'release.signed' \
             where fixed_report.review_id = $1 order by fixed_report.log_sequence",
            review.as_str()
        )
        .into_iter()
        .map(KeptReport::try_from)
        .collect()
    }

    /// The newest decision of a review whose report was kept, by what the log says, if the report is not there any more.
    pub async fn lost_report(&mut self, review: &ReviewId) -> Result<Option<String>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            id: String,
            kept: Option<String>,
        }
        const SQL: &str = "select sign_off.id, fixed_report.sign_off_id as kept from sign_off \
             join activity on activity.sequence = sign_off.log_sequence \
             left join fixed_report on fixed_report.sign_off_id = sign_off.id \
             where sign_off.review_id = $1 and activity.action = 'release.signed' \
             and activity.after like '%\"fixed_report_sha256\":%' \
             order by sign_off.log_sequence desc limit 1";
        Ok(fetch_optional!(self, Row, SQL, review.as_str())
            .filter(|row| row.kept.is_none())
            .map(|row| row.id))
    }

    /// The digests that are stored of the report kept with a sign-off: of its document, and of its text.
    pub async fn kept_digests(
        &mut self,
        sign_off: &str,
    ) -> Result<Option<(String, String)>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            sha256: String,
            report_sha256: String,
        }
        const SQL: &str = "select sha256, report_sha256 from fixed_report where sign_off_id = $1";
        Ok(fetch_optional!(self, Row, SQL, sign_off).map(|row| (row.sha256, row.report_sha256)))
    }

    /// The packed document of a kept report that is in the database.
    pub async fn packed_report(&mut self, sign_off: &str) -> Result<Option<Vec<u8>>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            packed: Option<Vec<u8>>,
        }
        const SQL: &str = "select packed from fixed_report where sign_off_id = $1";
        Ok(fetch_optional!(self, Row, SQL, sign_off).and_then(|row| row.packed))
    }

    /// Whether a sign-off is one of this review.
    pub async fn is_signed_off_by(
        &mut self,
        review: &ReviewId,
        sign_off: &str,
    ) -> Result<bool, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            #[expect(dead_code, reason = "only whether there is one is asked")]
            id: String,
        }
        const SQL: &str = "select id from sign_off where id = $1 and review_id = $2";
        Ok(fetch_optional!(self, Row, SQL, sign_off, review.as_str()).is_some())
    }
}
