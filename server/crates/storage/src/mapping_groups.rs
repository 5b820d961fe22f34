//! Findings that no rule without a name or a path can tell apart, so that they are counted and linked by the database and
//! none of them is read.

use holdpoint_domain::{ItemId, MappingRuleId, Millis, PersonId, ServiceId, Severity};
use serde::Serialize;

use crate::{StorageError, Tx, columns::parsed, execute, fetch_all};

/// What such findings have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingGroupToMap {
    pub tool: String,
    pub category: String,
    pub severity: Severity,
    pub n: i64,
}

/// The item that a rule links a group to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupLink<'a> {
    pub tool: &'a str,
    pub category: &'a str,
    pub severity: Severity,
    pub item: &'a ItemId,
    pub rule: &'a MappingRuleId,
}

impl Tx {
    /// The scanner findings of a service that are not fixed, counted by tool, category and severity.
    pub async fn finding_groups_to_map(
        &mut self,
        service: &ServiceId,
    ) -> Result<Vec<FindingGroupToMap>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            tool: String,
            category: String,
            severity: String,
            n: i64,
        }
        const SQL: &str = "select coalesce(finding.tool, series.tool) as tool, finding.category, finding.severity, \
            count(*) as n from finding join series on series.id = finding.series_id \
            where finding.service_id = $1 and finding.status <> 'fixed' \
            group by coalesce(finding.tool, series.tool), finding.category, finding.severity order by 1, 2, 3";
        fetch_all!(self, Row, SQL, service.as_str())
            .into_iter()
            .map(|row| {
                Ok(FindingGroupToMap {
                    tool: row.tool,
                    category: row.category,
                    severity: parsed(Severity::parse, &row.severity, "finding", "severity")?,
                    n: row.n,
                })
            })
            .collect()
    }

    /// Links the findings of groups in the name of rules; those that are linked already stay as they are.
    pub async fn link_groups_by_rules(
        &mut self,
        service: &ServiceId,
        links: &[GroupLink<'_>],
        by: &PersonId,
        at: Millis,
    ) -> Result<u64, StorageError> {
        macro_rules! sql {
            ($elements:literal) => {
                concat!(
                    "insert into finding_item (finding_id, item_id, linked_by, linked_at, rule_id) \
                     select finding.id, link.value ->> 'item', $3, $4, link.value ->> 'rule' from finding \
                     join series on series.id = finding.series_id join ",
                    $elements,
                    " as link on link.value ->> 'tool' = coalesce(finding.tool, series.tool) \
                     and link.value ->> 'category' = finding.category and link.value ->> 'severity' = finding.severity \
                     where finding.service_id = $1 and finding.status <> 'fixed' on conflict do nothing"
                )
            };
        }
        let sql = self.dialect(
            sql!("json_each($2)"),
            sql!("jsonb_array_elements(cast($2 as jsonb))"),
        );
        let links = serde_json::to_string(links).expect("texts become JSON");
        Ok(execute!(
            self,
            sql,
            service.as_str(),
            links,
            by.as_str(),
            at
        ))
    }
}
