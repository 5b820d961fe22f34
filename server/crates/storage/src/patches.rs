//! Patches: what was submitted, what it is linked to, and how far it has come.

use std::collections::HashMap;

use holdpoint_domain::{
    Digest, FindingId, FindingStatus, ItemId, Millis, PatchId, PatchState, PersonId, ReviewId,
    ScanId, SeriesId, Severity,
};

use crate::{
    StorageError, Tx,
    columns::{parsed, parsed_if},
    execute, fetch_all, fetch_optional,
    tx::one,
};

/// A patch as it was submitted, and what has become of it. Its text is in the file store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    pub id: PatchId,
    pub review: ReviewId,
    /// Shown as P-1, P-2, … within the review.
    pub number: i64,
    pub title: String,
    pub file_sha256: Digest,
    pub file_bytes: i64,
    pub state: PatchState,
    pub n_files: i64,
    pub n_added: i64,
    pub n_removed: i64,
    /// Who made it, as the patch itself says; who submitted it where it says nothing.
    pub author_name: String,
    pub submitted_by: PersonId,
    pub submitted_by_name: String,
    pub submitted_at: Millis,
    pub decided_by: Option<PersonId>,
    pub decided_by_name: Option<String>,
    pub decided_at: Option<Millis>,
    /// Why it was rejected; empty otherwise.
    pub decision_reason: String,
    pub applied_commit: Option<String>,
    pub applied_at: Option<Millis>,
    pub verified_by_scan: Option<ScanId>,
    pub version: i64,
}

/// What is stored of a new patch.
#[derive(Clone, Debug)]
pub struct NewPatch<'a> {
    pub id: &'a PatchId,
    pub review: &'a ReviewId,
    pub number: i64,
    pub title: &'a str,
    pub file_sha256: &'a Digest,
    pub n_files: i64,
    pub n_added: i64,
    pub n_removed: i64,
    pub author_name: &'a str,
    pub submitted_by: &'a PersonId,
    pub submitted_at: Millis,
}

/// A finding that a patch is linked to: as much of it as tells whether the patch touches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchFinding {
    pub id: FindingId,
    pub number: i64,
    pub title: String,
    pub severity: Severity,
    pub status: FindingStatus,
    pub path: Option<String>,
    pub start_line: Option<i64>,
    pub end_line: Option<i64>,
}

/// An item that a patch is linked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchItem {
    pub id: ItemId,
    pub key: String,
    pub title: String,
}

/// What a patch is linked to: findings by number, items in the checklist's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatchLinks {
    pub findings: Vec<PatchFinding>,
    pub items: Vec<PatchItem>,
}

/// A patch that a scan has verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedPatch {
    pub id: PatchId,
    pub review: ReviewId,
    pub number: i64,
}

#[derive(sqlx::FromRow)]
struct PatchRow {
    id: String,
    review_id: String,
    number: i64,
    title: String,
    file_sha256: String,
    file_bytes: i64,
    state: String,
    n_files: i64,
    n_added: i64,
    n_removed: i64,
    author_name: String,
    submitted_by: String,
    submitted_by_name: String,
    submitted_at: i64,
    decided_by: Option<String>,
    decided_by_name: Option<String>,
    decided_at: Option<i64>,
    decision_reason: String,
    applied_commit: Option<String>,
    applied_at: Option<i64>,
    verified_by_scan: Option<String>,
    version: i64,
}

const TABLE: &str = "patch";

impl TryFrom<PatchRow> for Patch {
    type Error = StorageError;

    fn try_from(row: PatchRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: parsed(PatchId::parse, &row.id, TABLE, "id")?,
            review: parsed(ReviewId::parse, &row.review_id, TABLE, "review_id")?,
            file_sha256: parsed(Digest::parse, &row.file_sha256, TABLE, "file_sha256")?,
            state: parsed(PatchState::parse, &row.state, TABLE, "state")?,
            submitted_by: parsed(PersonId::parse, &row.submitted_by, TABLE, "submitted_by")?,
            decided_by: parsed_if(
                PersonId::parse,
                row.decided_by.as_deref(),
                TABLE,
                "decided_by",
            )?,
            verified_by_scan: parsed_if(
                ScanId::parse,
                row.verified_by_scan.as_deref(),
                TABLE,
                "verified_by_scan",
            )?,
            number: row.number,
            title: row.title,
            file_bytes: row.file_bytes,
            n_files: row.n_files,
            n_added: row.n_added,
            n_removed: row.n_removed,
            author_name: row.author_name,
            submitted_by_name: row.submitted_by_name,
            submitted_at: row.submitted_at,
            decided_by_name: row.decided_by_name,
            decided_at: row.decided_at,
            decision_reason: row.decision_reason,
            applied_commit: row.applied_commit,
            applied_at: row.applied_at,
            version: row.version,
        })
    }
}

macro_rules! patch_where {
    ($rest:literal) => {
        concat!(
            "select patch.id, patch.review_id, patch.number, patch.title, patch.file_sha256, \
             file.size_bytes as file_bytes, patch.state, patch.n_files, patch.n_added, patch.n_removed, \
             patch.author_name, patch.submitted_by, submitter.name as submitted_by_name, patch.submitted_at, \
             patch.decided_by, decider.name as decided_by_name, patch.decided_at, patch.decision_reason, \
             patch.applied_commit, patch.applied_at, patch.verified_by_scan, patch.version from patch \
             join file on file.sha256 = patch.file_sha256 \
             join person as submitter on submitter.id = patch.submitted_by \
             left join person as decider on decider.id = patch.decided_by ",
            $rest
        )
    };
}

#[derive(sqlx::FromRow)]
struct FindingRow {
    patch_id: String,
    id: String,
    number: i64,
    title: String,
    severity: String,
    status: String,
    path: Option<String>,
    start_line: Option<i64>,
    end_line: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct ItemRow {
    patch_id: String,
    id: String,
    key: String,
    title: String,
}

impl Tx {
    /// The numbers of a review's patches that are linked to findings, by finding.
    pub async fn patch_numbers_of_findings(
        &mut self,
        review: &ReviewId,
        findings: &[&str],
    ) -> Result<std::collections::HashMap<String, Vec<i64>>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            finding_id: String,
            number: i64,
        }
        let sql = self.dialect(
            "select patch_finding.finding_id, patch.number from patch_finding \
             join patch on patch.id = patch_finding.patch_id where patch.review_id = $1 \
             and patch_finding.finding_id in (select value from json_each($2)) order by patch.number",
            "select patch_finding.finding_id, patch.number from patch_finding \
             join patch on patch.id = patch_finding.patch_id where patch.review_id = $1 \
             and patch_finding.finding_id in (select jsonb_array_elements_text(cast($2 as jsonb))) order by patch.number",
        );
        let ids = serde_json::to_string(findings).expect("ids are texts");
        let mut numbers: std::collections::HashMap<String, Vec<i64>> =
            std::collections::HashMap::new();
        for row in fetch_all!(self, Row, sql, review.as_str(), ids) {
            numbers.entry(row.finding_id).or_default().push(row.number);
        }
        Ok(numbers)
    }

    /// Takes the next number for a patch of a review. Other submissions to the review wait until this one is through, so
    /// that [`Tx::patch_of_file`] cannot miss one that runs at the same time.
    pub async fn take_patch_number(&mut self, review: &ReviewId) -> Result<i64, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            next_patch_number: i64,
        }
        const SQL: &str = "update review set next_patch_number = next_patch_number + 1 where id = $1 \
            returning next_patch_number";
        fetch_optional!(self, Row, SQL, review.as_str())
            .map(|row| row.next_patch_number - 1)
            .ok_or_else(|| StorageError::Damaged("a review vanished".to_owned()))
    }

    /// The patch of a review that is made of these very bytes.
    pub async fn patch_of_file(
        &mut self,
        review: &ReviewId,
        file: &Digest,
    ) -> Result<Option<Patch>, StorageError> {
        const SQL: &str = patch_where!(
            "where patch.review_id = $1 and patch.file_sha256 = $2 order by patch.number limit 1"
        );
        fetch_optional!(self, PatchRow, SQL, review.as_str(), file.as_str())
            .map(Patch::try_from)
            .transpose()
    }

    /// Stores a proposed patch. Its file must have been kept: see [`Tx::keep_file`].
    pub async fn insert_patch(&mut self, new: &NewPatch<'_>) -> Result<(), StorageError> {
        execute!(
            self,
            "insert into patch (id, review_id, number, title, file_sha256, state, n_files, n_added, n_removed, \
             author_name, submitted_by, submitted_at, decision_reason, version) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', 1)",
            new.id.as_str(),
            new.review.as_str(),
            new.number,
            new.title,
            new.file_sha256.as_str(),
            PatchState::Proposed.as_str(),
            new.n_files,
            new.n_added,
            new.n_removed,
            new.author_name,
            new.submitted_by.as_str(),
            new.submitted_at,
        );
        Ok(())
    }

    pub async fn patch(&mut self, id: &PatchId) -> Result<Option<Patch>, StorageError> {
        const SQL: &str = patch_where!("where patch.id = $1");
        fetch_optional!(self, PatchRow, SQL, id.as_str())
            .map(Patch::try_from)
            .transpose()
    }

    /// Keeps a patch's row, and with it its links, from being changed by others until the unit of work ends. On SQLite a
    /// writer is alone anyway.
    pub async fn lock_patch(&mut self, id: &PatchId) -> Result<(), StorageError> {
        if !self.is_sqlite() {
            execute!(
                self,
                "select id from patch where id = $1 for update",
                id.as_str()
            );
        }
        Ok(())
    }

    /// A review's patches in the order of their numbers.
    pub async fn patches_of_review(
        &mut self,
        review: &ReviewId,
    ) -> Result<Vec<Patch>, StorageError> {
        const SQL: &str =
            patch_where!("where patch.review_id = $1 order by patch.number limit 5100");
        fetch_all!(self, PatchRow, SQL, review.as_str())
            .into_iter()
            .map(Patch::try_from)
            .collect()
    }

    /// The patches linked to an item, in the order of their numbers.
    pub async fn patches_of_item(&mut self, item: &ItemId) -> Result<Vec<Patch>, StorageError> {
        const SQL: &str = patch_where!(
            "join patch_item on patch_item.patch_id = patch.id where patch_item.item_id = $1 \
             order by patch.number limit 5100"
        );
        fetch_all!(self, PatchRow, SQL, item.as_str())
            .into_iter()
            .map(Patch::try_from)
            .collect()
    }

    /// The patches linked to a finding, those of the newest review first, then in the order of their numbers.
    pub async fn patches_of_finding(
        &mut self,
        finding: &FindingId,
    ) -> Result<Vec<Patch>, StorageError> {
        const SQL: &str = patch_where!(
            "join patch_finding on patch_finding.patch_id = patch.id where patch_finding.finding_id = $1 \
             order by patch.review_id desc, patch.number limit 5100"
        );
        fetch_all!(self, PatchRow, SQL, finding.as_str())
            .into_iter()
            .map(Patch::try_from)
            .collect()
    }

    /// What each of these patches is linked to; one without links is left out.
    pub async fn patch_links(
        &mut self,
        patches: &[&PatchId],
    ) -> Result<HashMap<PatchId, PatchLinks>, StorageError> {
        let ids = serde_json::to_string(patches).expect("ids are texts");
        let mut links: HashMap<PatchId, PatchLinks> = HashMap::new();
        let sql = self.dialect(
            "select patch_finding.patch_id, finding.id, finding.number, finding.title, finding.severity, \
             finding.status, finding.path, finding.start_line, finding.end_line from patch_finding \
             join finding on finding.id = patch_finding.finding_id \
             where patch_finding.patch_id in (select value from json_each($1)) order by finding.number",
            "select patch_finding.patch_id, finding.id, finding.number, finding.title, finding.severity, \
             finding.status, finding.path, finding.start_line, finding.end_line from patch_finding \
             join finding on finding.id = patch_finding.finding_id where patch_finding.patch_id in \
             (select jsonb_array_elements_text(cast($1 as jsonb))) order by finding.number",
        );
        for row in fetch_all!(self, FindingRow, sql, &ids) {
            let patch = parsed(PatchId::parse, &row.patch_id, "patch_finding", "patch_id")?;
            links.entry(patch).or_default().findings.push(PatchFinding {
                id: parsed(FindingId::parse, &row.id, "finding", "id")?,
                severity: parsed(Severity::parse, &row.severity, "finding", "severity")?,
                status: parsed(FindingStatus::parse, &row.status, "finding", "status")?,
                number: row.number,
                title: row.title,
                path: row.path,
                start_line: row.start_line,
                end_line: row.end_line,
            });
        }
        let sql = self.dialect(
            "select patch_item.patch_id, item.id, item.key, item.title from patch_item \
             join item on item.id = patch_item.item_id \
             where patch_item.patch_id in (select value from json_each($1)) order by item.position",
            "select patch_item.patch_id, item.id, item.key, item.title from patch_item \
             join item on item.id = patch_item.item_id where patch_item.patch_id in \
             (select jsonb_array_elements_text(cast($1 as jsonb))) order by item.position",
        );
        for row in fetch_all!(self, ItemRow, sql, &ids) {
            let patch = parsed(PatchId::parse, &row.patch_id, "patch_item", "patch_id")?;
            links.entry(patch).or_default().items.push(PatchItem {
                id: parsed(ItemId::parse, &row.id, "item", "id")?,
                key: row.key,
                title: row.title,
            });
        }
        Ok(links)
    }

    /// Links a patch to a finding; says whether the link is new.
    pub async fn link_patch_to_finding(
        &mut self,
        patch: &PatchId,
        finding: &FindingId,
    ) -> Result<bool, StorageError> {
        const SQL: &str = "insert into patch_finding (patch_id, finding_id) values ($1, $2) on conflict do nothing";
        Ok(execute!(self, SQL, patch.as_str(), finding.as_str()) > 0)
    }

    /// Takes a link to a finding away; says whether there was one.
    pub async fn unlink_patch_from_finding(
        &mut self,
        patch: &PatchId,
        finding: &FindingId,
    ) -> Result<bool, StorageError> {
        const SQL: &str = "delete from patch_finding where patch_id = $1 and finding_id = $2";
        Ok(execute!(self, SQL, patch.as_str(), finding.as_str()) > 0)
    }

    /// Links a patch to an item; says whether the link is new.
    pub async fn link_patch_to_item(
        &mut self,
        patch: &PatchId,
        item: &ItemId,
    ) -> Result<bool, StorageError> {
        const SQL: &str =
            "insert into patch_item (patch_id, item_id) values ($1, $2) on conflict do nothing";
        Ok(execute!(self, SQL, patch.as_str(), item.as_str()) > 0)
    }

    /// Takes a link to an item away; says whether there was one.
    pub async fn unlink_patch_from_item(
        &mut self,
        patch: &PatchId,
        item: &ItemId,
    ) -> Result<bool, StorageError> {
        const SQL: &str = "delete from patch_item where patch_id = $1 and item_id = $2";
        Ok(execute!(self, SQL, patch.as_str(), item.as_str()) > 0)
    }

    /// Stores state, decision and applied commit as they stand in the value, and counts the version up;
    /// [`StorageError::Conflict`] when the stored version is not the one given. Also used after a change of links alone,
    /// so that nobody approves a patch with other links than they saw.
    pub async fn update_patch(&mut self, patch: &Patch) -> Result<(), StorageError> {
        let touched = execute!(
            self,
            "update patch set state = $3, decided_by = $4, decided_at = $5, decision_reason = $6, applied_commit = $7, \
             applied_at = $8, version = version + 1 where id = $1 and version = $2",
            patch.id.as_str(),
            patch.version,
            patch.state.as_str(),
            patch.decided_by.as_ref().map(PersonId::as_str),
            patch.decided_at,
            &patch.decision_reason,
            &patch.applied_commit,
            patch.applied_at,
        );
        one(touched)
    }

    /// Verifies the patches that were applied before this scan and whose linked findings of the series are all fixed: at
    /// least one of them, and no linked finding of any kind still open. In the order of review and number.
    pub async fn verify_patches(
        &mut self,
        series: &SeriesId,
        scan: &ScanId,
        imported_at: Millis,
    ) -> Result<Vec<VerifiedPatch>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            id: String,
            review_id: String,
            number: i64,
        }
        // Begun with the patches, which are few: every import asks this.
        const SQL: &str = "update patch set state = 'verified', verified_by_scan = $2, version = version + 1 \
            where state = 'applied' and applied_at < $3 \
            and exists (select 1 from patch_finding join finding on finding.id = patch_finding.finding_id \
            where patch_finding.patch_id = patch.id and finding.series_id = $1 and finding.status = 'fixed') \
            and not exists (select 1 from patch_finding join finding on finding.id = patch_finding.finding_id \
            where patch_finding.patch_id = patch.id \
            and (finding.status = 'open' or (finding.series_id = $1 and finding.status <> 'fixed'))) \
            returning id, review_id, number";
        let mut verified = fetch_all!(self, Row, SQL, series.as_str(), scan.as_str(), imported_at)
            .into_iter()
            .map(|row| {
                Ok(VerifiedPatch {
                    id: parsed(PatchId::parse, &row.id, TABLE, "id")?,
                    review: parsed(ReviewId::parse, &row.review_id, TABLE, "review_id")?,
                    number: row.number,
                })
            })
            .collect::<Result<Vec<_>, StorageError>>()?;
        verified
            .sort_by(|one, other| (&one.review, one.number).cmp(&(&other.review, other.number)));
        Ok(verified)
    }
}
