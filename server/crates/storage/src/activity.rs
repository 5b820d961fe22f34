use holdpoint_domain::{Millis, ServiceId, activity::Entry};

use crate::{StorageError, Tx, execute, fetch_all, fetch_optional};

/// An entry to be appended; sequence and chain are the log's own affair.
#[derive(Clone, Debug)]
pub struct NewActivity<'a> {
    pub at: Millis,
    pub actor: &'a str,
    pub action: &'a str,
    pub subject_kind: &'a str,
    pub subject: &'a str,
    pub service: Option<&'a str>,
    pub review: Option<&'a str>,
    pub summary: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// An entry as it is stored, with the digest it was stored under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredActivity {
    pub entry: Entry,
    pub digest: String,
}

/// Which entries are asked for; an absent field asks for all.
#[derive(Clone, Debug, Default)]
pub struct ActivityFilter<'a> {
    pub subject: Option<&'a str>,
    pub review: Option<&'a str>,
    pub service: Option<&'a str>,
    /// Only entries before this sequence, for paging backwards.
    pub before: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct HeadRow {
    sequence: i64,
    digest: String,
}

#[derive(sqlx::FromRow)]
pub(crate) struct ActivityRow {
    pub(crate) sequence: i64,
    at: i64,
    actor: String,
    action: String,
    subject_kind: String,
    subject: String,
    service: Option<String>,
    review: Option<String>,
    summary: String,
    before: Option<String>,
    after: Option<String>,
    previous: String,
    digest: String,
}

impl From<ActivityRow> for StoredActivity {
    fn from(row: ActivityRow) -> Self {
        Self {
            entry: Entry {
                sequence: row.sequence,
                at: row.at,
                actor: row.actor,
                action: row.action,
                subject_kind: row.subject_kind,
                subject: row.subject,
                service: row.service,
                review: row.review,
                summary: row.summary,
                before: row.before,
                after: row.after,
                previous: row.previous,
            },
            digest: row.digest,
        }
    }
}

impl Tx {
    /// Appends to the activity log. On PostgreSQL the head's row is locked until the unit of work ends, so append last.
    pub async fn append_activity(
        &mut self,
        new: NewActivity<'_>,
    ) -> Result<StoredActivity, StorageError> {
        let head_sql = self.dialect(
            "select sequence, digest from activity_head where id = 1",
            "select sequence, digest from activity_head where id = 1 for update",
        );
        let head = fetch_optional!(self, HeadRow, head_sql)
            .ok_or_else(|| StorageError::Damaged("the activity log has no head".to_owned()))?;
        let entry = Entry {
            sequence: head.sequence + 1,
            at: new.at,
            actor: new.actor.to_owned(),
            action: new.action.to_owned(),
            subject_kind: new.subject_kind.to_owned(),
            subject: new.subject.to_owned(),
            service: new.service.map(str::to_owned),
            review: new.review.map(str::to_owned),
            summary: new.summary,
            before: new.before,
            after: new.after,
            previous: head.digest,
        };
        let digest = entry.digest();
        execute!(
            self,
            "insert into activity (sequence, at, actor, action, subject_kind, subject, service, review, summary, before, \
             after, previous, digest) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            entry.sequence,
            entry.at,
            &entry.actor,
            &entry.action,
            &entry.subject_kind,
            &entry.subject,
            &entry.service,
            &entry.review,
            &entry.summary,
            &entry.before,
            &entry.after,
            &entry.previous,
            digest.as_str(),
        );
        execute!(
            self,
            "update activity_head set sequence = $1, digest = $2 where id = 1",
            entry.sequence,
            digest.as_str(),
        );
        Ok(StoredActivity {
            entry,
            digest: digest.into(),
        })
    }

    /// The number of a service's last entry: as long as it stays, nothing about the service has changed.
    pub async fn last_activity_of(&mut self, service: &ServiceId) -> Result<i64, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            sequence: i64,
        }
        let row = fetch_optional!(
            self,
            Row,
            "select sequence from activity where service = $1 order by sequence desc limit 1",
            service.as_str()
        );
        Ok(row.map_or(0, |row| row.sequence))
    }

    /// As [`Tx::last_activity_of`], of the entries before one.
    pub async fn last_activity_before(
        &mut self,
        service: &ServiceId,
        sequence: i64,
    ) -> Result<i64, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            sequence: i64,
        }
        let row = fetch_optional!(
            self,
            Row,
            "select sequence from activity where service = $1 and sequence < $2 order by sequence desc limit 1",
            service.as_str(),
            sequence
        );
        Ok(row.map_or(0, |row| row.sequence))
    }

    /// The log's length and the digest of its last entry.
    pub async fn activity_head(&mut self) -> Result<(i64, String), StorageError> {
        let head = fetch_optional!(
            self,
            HeadRow,
            "select sequence, digest from activity_head where id = 1"
        )
        .ok_or_else(|| StorageError::Damaged("the activity log has no head".to_owned()))?;
        Ok((head.sequence, head.digest))
    }

    /// What the log says of an act on a subject at a moment: the end of "Max …".
    pub async fn act_on(
        &mut self,
        subject_kind: &str,
        subject: &str,
        action: &str,
        at: Millis,
    ) -> Result<Option<String>, StorageError> {
        let row = fetch_optional!(
            self,
            (String,),
            "select summary from activity where subject_kind = $1 and subject = $2 and action = $3 and at = $4 \
             order by sequence desc limit 1",
            subject_kind,
            subject,
            action,
            at,
        );
        Ok(row.map(|(summary,)| summary))
    }

    /// Entries newest first, at most `limit`.
    pub async fn activity(
        &mut self,
        filter: ActivityFilter<'_>,
        limit: i64,
    ) -> Result<Vec<StoredActivity>, StorageError> {
        let rows = fetch_all!(
            self,
            ActivityRow,
            "select sequence, at, actor, action, subject_kind, subject, service, review, summary, before, after, \
             previous, digest from activity where (cast($1 as text) is null or subject = $1) \
             and (cast($2 as text) is null or review = $2) and (cast($3 as text) is null or service = $3) \
             and (cast($4 as bigint) is null or sequence < $4) order by sequence desc limit $5",
            filter.subject,
            filter.review,
            filter.service,
            filter.before,
            limit,
        );
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Entries after a sequence, oldest first, at most `limit`: for verifying the chain piece by piece.
    pub async fn activity_after(
        &mut self,
        sequence: i64,
        limit: i64,
    ) -> Result<Vec<StoredActivity>, StorageError> {
        let rows = fetch_all!(
            self,
            ActivityRow,
            "select sequence, at, actor, action, subject_kind, subject, service, review, summary, before, after, \
             previous, digest from activity where sequence > $1 order by sequence limit $2",
            sequence,
            limit,
        );
        Ok(rows.into_iter().map(Into::into).collect())
    }
}
