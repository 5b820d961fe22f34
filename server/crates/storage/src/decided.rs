//! Findings that people decided about, to be compared with what the activity log says of them.

use holdpoint_domain::FindingStatus;

use crate::{StorageError, Tx, fetch_all};

/// A finding as somebody decided it to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecidedFinding {
    pub id: String,
    pub service: String,
    pub number: i64,
    pub status: FindingStatus,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    service_id: String,
    number: i64,
    status: String,
}

impl Tx {
    /// The findings that only a person makes what they are, in the order of their ids: scans do nothing but fix what scanners
    /// found.
    pub async fn decided_findings_after(
        &mut self,
        id: &str,
        limit: i64,
    ) -> Result<Vec<DecidedFinding>, StorageError> {
        const SQL: &str = "select id, service_id, number, status from finding where id > $1 \
            and (status in ('false_positive', 'risk_accepted', 'duplicate') \
            or (status = 'fixed' and created_by is not null)) order by id limit $2";
        fetch_all!(self, Row, SQL, id, limit)
            .into_iter()
            .map(|row| {
                let status = FindingStatus::parse(&row.status)
                    .ok_or_else(|| StorageError::column("finding", "status", &row.status))?;
                Ok(DecidedFinding {
                    id: row.id,
                    service: row.service_id,
                    number: row.number,
                    status,
                })
            })
            .collect()
    }
}
