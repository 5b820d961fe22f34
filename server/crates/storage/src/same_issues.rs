//! Findings that are one issue: the same vulnerability in the same component, whichever tool reports it.
//!
//! One lock file has it twice, a repository with thousands of them thousands of times. So issues are read, not pairs of
//! findings, and of each tool the first of an issue.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use holdpoint_domain::{FindingId, FindingStatus};

use crate::{StorageError, Tx, columns::parsed, fetch_all, for_ids};

/// So many findings of an issue are named for each tool.
const MOST_OF_A_TOOL: i64 = 20;

/// Another finding of the same issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SameIssue {
    pub id: FindingId,
    pub number: i64,
    pub tool: String,
    pub status: FindingStatus,
}

/// The issues of some findings of one service.
#[derive(Clone, Debug, Default)]
pub struct SameIssues {
    keys: HashMap<String, Vec<String>>,
    members: HashMap<String, Vec<SameIssue>>,
}

impl SameIssues {
    /// The findings that are one issue with this one, by number: of each tool the first twenty.
    pub fn of(&self, finding: &str) -> Vec<&SameIssue> {
        let keys = self.keys.get(finding).map_or(&[][..], Vec::as_slice);
        let members = keys.iter().filter_map(|key| self.members.get(key));
        let others: BTreeMap<i64, &SameIssue> = members
            .flatten()
            .filter(|member| member.id.as_str() != finding)
            .map(|member| (member.number, member))
            .collect();
        others.into_values().collect()
    }
}

#[derive(sqlx::FromRow)]
struct KeyRow {
    finding_id: String,
    issue_key: String,
}

/// What all findings have that are of an issue (`issue`) of those of `$1` (each a `member`).
macro_rules! of_issues {
    ($tx:expr, $before:literal, $after:literal) => {
        for_ids!(
            $tx,
            "with issue as (select distinct service_id, issue_key from finding_issue where finding_id in",
            concat!(
                ") ",
                $before,
                " from issue join finding_issue as member on member.service_id = issue.service_id \
                 and member.issue_key = issue.issue_key join finding on finding.id = member.finding_id \
                 join series on series.id = finding.series_id ",
                $after
            )
        )
    };
}

impl Tx {
    async fn issue_keys(&mut self, ids: &str) -> Result<Vec<KeyRow>, StorageError> {
        let sql = for_ids!(
            self,
            "select finding_id, issue_key from finding_issue where finding_id in",
            ""
        );
        Ok(fetch_all!(self, KeyRow, sql, ids))
    }

    /// How many tools report the same issue as each of these findings of one service; those that no other tool reports are
    /// left out.
    pub(crate) async fn sources_of_findings(
        &mut self,
        findings: &[&str],
    ) -> Result<HashMap<String, i64>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            issue_key: String,
            tool: String,
        }
        let ids = serde_json::to_string(findings).expect("ids are texts");
        let sql = of_issues!(
            self,
            "select distinct issue.issue_key, coalesce(finding.tool, series.tool) as tool",
            ""
        );
        let rows = fetch_all!(self, Row, sql, &ids);
        let mut tools: HashMap<&str, Vec<&str>> = HashMap::new();
        for row in &rows {
            tools.entry(&row.issue_key).or_default().push(&row.tool);
        }
        let mut sources: HashMap<String, BTreeSet<&str>> = HashMap::new();
        for row in self.issue_keys(&ids).await? {
            let of_key = tools.get(row.issue_key.as_str()).into_iter().flatten();
            sources.entry(row.finding_id).or_default().extend(of_key);
        }
        Ok(sources
            .into_iter()
            .filter(|(_, tools)| tools.len() > 1)
            .map(|(finding, tools)| (finding, i64::try_from(tools.len()).unwrap_or(i64::MAX)))
            .collect())
    }

    /// The findings that are one issue with these of one service, of other tools or the same.
    pub async fn same_issues(&mut self, findings: &[&str]) -> Result<SameIssues, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            issue_key: String,
            id: String,
            number: i64,
            tool: String,
            status: String,
        }
        let ids = serde_json::to_string(findings).expect("ids are texts");
        let sql = of_issues!(
            self,
            "select issue_key, id, number, tool, status from (select issue.issue_key, finding.id, finding.number, \
             coalesce(finding.tool, series.tool) as tool, finding.status, row_number() over \
             (partition by issue.issue_key, coalesce(finding.tool, series.tool) order by finding.number) as nth",
            ") as member where nth <= $2"
        );
        let mut same = SameIssues::default();
        for row in fetch_all!(self, Row, sql, &ids, MOST_OF_A_TOOL) {
            same.members
                .entry(row.issue_key)
                .or_default()
                .push(SameIssue {
                    id: parsed(FindingId::parse, &row.id, "finding", "id")?,
                    number: row.number,
                    tool: row.tool,
                    status: parsed(FindingStatus::parse, &row.status, "finding", "status")?,
                });
        }
        for row in self.issue_keys(&ids).await? {
            same.keys
                .entry(row.finding_id)
                .or_default()
                .push(row.issue_key);
        }
        Ok(same)
    }
}
