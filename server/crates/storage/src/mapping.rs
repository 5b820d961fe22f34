//! Mapping findings to items: rules, what they are applied to, the links they make; and the scans that are evidence.

use std::collections::{BTreeSet, HashMap};

use holdpoint_domain::{
    EvidenceId, FindingStatus, ItemId, ItemState, MappingRuleId, Millis, PersonId, ReviewId,
    ScanId, SeriesId, ServiceId, Severity, TemplateId,
};
use sqlx::{Postgres, QueryBuilder, Sqlite};

use crate::{
    StorageError, Tx,
    columns::parsed,
    execute, fetch_all, fetch_optional,
    tx::{Connection, one},
};

/// How many rules one service and template can have.
const MOST_RULES: i64 = 500;

/// Into how many reviews of a service an import maps: the newest ones that nobody has decided about.
const MOST_REVIEWS: i64 = 20;

/// A rule that maps findings to an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingRule {
    pub id: MappingRuleId,
    pub service: ServiceId,
    pub template: TemplateId,
    /// Counted from 1; the first rule that fits decides.
    pub position: i64,
    pub item_key: String,
    pub item_title: String,
    pub tool: String,
    pub category: String,
    pub rule: String,
    pub path: String,
    pub severities: Vec<Severity>,
    pub created_at: Millis,
    pub created_by: PersonId,
    pub created_by_name: String,
    pub removed_at: Option<Millis>,
    pub version: i64,
}

#[derive(sqlx::FromRow)]
struct RuleRow {
    id: String,
    service_id: String,
    template_id: String,
    position: i64,
    item_key: String,
    item_title: String,
    tool: String,
    category: String,
    rule: String,
    path: String,
    severities: String,
    created_at: i64,
    created_by: String,
    created_by_name: String,
    removed_at: Option<i64>,
    version: i64,
}

impl TryFrom<RuleRow> for MappingRule {
    type Error = StorageError;

    fn try_from(row: RuleRow) -> Result<Self, StorageError> {
        const TABLE: &str = "mapping_rule";
        Ok(Self {
            id: parsed(MappingRuleId::parse, &row.id, TABLE, "id")?,
            service: parsed(ServiceId::parse, &row.service_id, TABLE, "service_id")?,
            template: parsed(TemplateId::parse, &row.template_id, TABLE, "template_id")?,
            position: row.position,
            item_key: row.item_key,
            item_title: row.item_title,
            tool: row.tool,
            category: row.category,
            rule: row.rule,
            path: row.path,
            severities: serde_json::from_str(&row.severities)
                .map_err(|_| StorageError::column(TABLE, "severities", &row.severities))?,
            created_at: row.created_at,
            created_by: parsed(PersonId::parse, &row.created_by, TABLE, "created_by")?,
            created_by_name: row.created_by_name,
            removed_at: row.removed_at,
            version: row.version,
        })
    }
}

macro_rules! rule_where {
    ($rest:literal) => {
        concat!(
            "select mapping_rule.id, mapping_rule.service_id, mapping_rule.template_id, mapping_rule.position, \
             mapping_rule.item_key, mapping_rule.item_title, mapping_rule.tool, mapping_rule.category, \
             mapping_rule.rule, mapping_rule.path, mapping_rule.severities, mapping_rule.created_at, \
             mapping_rule.created_by, person.name as created_by_name, mapping_rule.removed_at, mapping_rule.version \
             from mapping_rule join person on person.id = mapping_rule.created_by ",
            $rest
        )
    };
}

/// A review that findings are mapped in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingReview {
    pub id: ReviewId,
    pub service: ServiceId,
    pub template: TemplateId,
    pub title: String,
    pub release: String,
    pub commit: Option<String>,
}

/// An item as mapping looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappableItem {
    pub id: ItemId,
    pub key: String,
    pub title: String,
    pub body: String,
    pub scan_hint: Option<String>,
    /// As stored.
    pub state: ItemState,
    pub waived_until: Option<Millis>,
}

/// A scanner's finding as rules look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingToMap {
    pub id: String,
    pub number: i64,
    pub tool: String,
    pub category: String,
    pub rule: Option<String>,
    pub path: Option<String>,
    pub severity: Severity,
    pub is_fixed: bool,
}

#[derive(sqlx::FromRow)]
struct ToMapRow {
    id: String,
    number: i64,
    tool: String,
    category: String,
    rule: Option<String>,
    path: Option<String>,
    severity: String,
    status: String,
}

impl TryFrom<ToMapRow> for FindingToMap {
    type Error = StorageError;

    fn try_from(row: ToMapRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.id,
            number: row.number,
            tool: row.tool,
            category: row.category,
            rule: row.rule,
            path: row.path,
            severity: parsed(Severity::parse, &row.severity, "finding", "severity")?,
            is_fixed: row.status == FindingStatus::Fixed.as_str(),
        })
    }
}

/// A link that a rule makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkToMake {
    pub finding: String,
    pub item: ItemId,
    pub rule: MappingRuleId,
}

/// A link in a review, as it is: what is there, or what a person took away.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct RuleLink {
    pub finding_id: String,
    pub item_id: String,
    /// Absent for a link that a person made, or took away.
    pub rule_id: Option<String>,
}

/// A tool that scanned a service, with one category of what it found.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ToolOfService {
    pub tool: String,
    /// Empty for a tool that has found nothing.
    pub category: String,
    pub n: i64,
}

macro_rules! insert_links {
    ($database:ty, $conn:expr, $by:expr, $at:expr, $links:expr) => {{
        let mut n = 0;
        for chunk in $links.chunks(1_000) {
            let mut query = QueryBuilder::<$database>::new(
                "insert into finding_item (finding_id, item_id, linked_by, linked_at, rule_id) ",
            );
            query.push_values(chunk, |mut row, link| {
                row.push_bind(link.finding.as_str())
                    .push_bind(link.item.as_str())
                    .push_bind($by)
                    .push_bind($at)
                    .push_bind(link.rule.as_str());
            });
            query.push(" on conflict do nothing");
            n += query.build().execute(&mut *$conn).await?.rows_affected();
        }
        n
    }};
}

macro_rules! insert_issues {
    ($database:ty, $conn:expr, $service:expr, $rows:expr) => {{
        for chunk in $rows.chunks(1_000) {
            let mut query = QueryBuilder::<$database>::new(
                "insert into finding_issue (service_id, issue_key, finding_id) ",
            );
            query.push_values(chunk, |mut row, (finding, key)| {
                row.push_bind($service)
                    .push_bind(key.as_str())
                    .push_bind(finding.as_str());
            });
            query.push(" on conflict do nothing");
            query.build().execute(&mut *$conn).await?;
        }
    }};
}

/// Of the series `$1`, also if fixed where `$2`, without an item of the review `$3`.
macro_rules! to_link {
    () => {
        "finding.series_id = $1 and ($2 or finding.status <> 'fixed') and not exists (select 1 from finding_item \
         join item on item.id = finding_item.item_id where finding_item.finding_id = finding.id \
         and item.review_id = $3) and not exists (select 1 from finding_unlinked \
         join item on item.id = finding_unlinked.item_id where finding_unlinked.finding_id = finding.id \
         and item.review_id = $3)"
    };
}

impl Tx {
    /// The rules of a service for reviews of a template, in their order.
    pub async fn mapping_rules(
        &mut self,
        service: &ServiceId,
        template: &TemplateId,
    ) -> Result<Vec<MappingRule>, StorageError> {
        const SQL: &str = rule_where!(
            "where mapping_rule.service_id = $1 and mapping_rule.template_id = $2 \
             and mapping_rule.removed_at is null order by mapping_rule.position, mapping_rule.id limit $3"
        );
        fetch_all!(
            self,
            RuleRow,
            SQL,
            service.as_str(),
            template.as_str(),
            MOST_RULES
        )
        .into_iter()
        .map(MappingRule::try_from)
        .collect()
    }

    /// A rule, a removed one too.
    pub async fn mapping_rule(
        &mut self,
        id: &MappingRuleId,
    ) -> Result<Option<MappingRule>, StorageError> {
        fetch_optional!(
            self,
            RuleRow,
            rule_where!("where mapping_rule.id = $1"),
            id.as_str()
        )
        .map(MappingRule::try_from)
        .transpose()
    }

    /// Rules by their ids, removed ones too.
    pub async fn mapping_rules_by_id(
        &mut self,
        ids: &BTreeSet<&str>,
    ) -> Result<Vec<MappingRule>, StorageError> {
        let sql = self.dialect(
            rule_where!("where mapping_rule.id in (select value from json_each($1))"),
            rule_where!(
                "where mapping_rule.id in (select jsonb_array_elements_text(cast($1 as jsonb)))"
            ),
        );
        let ids = serde_json::to_string(ids).expect("ids are texts");
        fetch_all!(self, RuleRow, sql, ids)
            .into_iter()
            .map(MappingRule::try_from)
            .collect()
    }

    pub async fn insert_mapping_rule(&mut self, rule: &MappingRule) -> Result<(), StorageError> {
        execute!(
            self,
            "insert into mapping_rule (id, service_id, template_id, position, item_key, item_title, tool, category, rule, \
             path, severities, created_at, created_by, version) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1)",
            rule.id.as_str(),
            rule.service.as_str(),
            rule.template.as_str(),
            rule.position,
            &rule.item_key,
            &rule.item_title,
            &rule.tool,
            &rule.category,
            &rule.rule,
            &rule.path,
            severities(rule),
            rule.created_at,
            rule.created_by.as_str(),
        );
        Ok(())
    }

    /// Changes a rule's item and conditions; [`StorageError::Conflict`] when the version is not the one given.
    pub async fn update_mapping_rule(&mut self, rule: &MappingRule) -> Result<(), StorageError> {
        let touched = execute!(
            self,
            "update mapping_rule set item_key = $3, item_title = $4, tool = $5, category = $6, rule = $7, path = $8, \
             severities = $9, version = version + 1 where id = $1 and version = $2 and removed_at is null",
            rule.id.as_str(),
            rule.version,
            &rule.item_key,
            &rule.item_title,
            &rule.tool,
            &rule.category,
            &rule.rule,
            &rule.path,
            severities(rule),
        );
        one(touched)
    }

    /// Takes a rule out; the links that it made stay until the rules are applied again.
    pub async fn remove_mapping_rule(
        &mut self,
        id: &MappingRuleId,
        version: i64,
        at: Millis,
    ) -> Result<(), StorageError> {
        let touched = execute!(
            self,
            "update mapping_rule set removed_at = $3, version = version + 1 \
             where id = $1 and version = $2 and removed_at is null",
            id.as_str(),
            version,
            at,
        );
        one(touched)
    }

    /// Puts rules into this order. There are never more than a few hundred.
    pub async fn order_mapping_rules(
        &mut self,
        ids: &[&MappingRuleId],
    ) -> Result<(), StorageError> {
        let sql = self.dialect(
            "update mapping_rule set position = (select key + 1 from json_each($1) where value = mapping_rule.id) \
             where id in (select value from json_each($1))",
            "update mapping_rule set position = list.n from jsonb_array_elements_text(cast($1 as jsonb)) \
             with ordinality as list (id, n) where mapping_rule.id = list.id",
        );
        let ids: Vec<_> = ids.iter().map(|id| id.as_str()).collect();
        execute!(
            self,
            sql,
            serde_json::to_string(&ids).expect("ids are texts")
        );
        Ok(())
    }

    /// How many links of a review each rule has made.
    pub async fn links_by_rule(
        &mut self,
        review: &ReviewId,
    ) -> Result<HashMap<String, i64>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            rule_id: String,
            n: i64,
        }
        const SQL: &str = "select finding_item.rule_id, count(*) as n from item \
            join finding_item on finding_item.item_id = item.id where item.review_id = $1 \
            and finding_item.rule_id is not null group by finding_item.rule_id";
        let rows = fetch_all!(self, Row, SQL, review.as_str());
        Ok(rows.into_iter().map(|row| (row.rule_id, row.n)).collect())
    }

    /// The suggestions that somebody dismissed: tool and category.
    pub async fn dismissed_mappings(
        &mut self,
        service: &ServiceId,
        template: &TemplateId,
    ) -> Result<BTreeSet<(String, String)>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            tool: String,
            category: String,
        }
        const SQL: &str = "select tool, category from mapping_dismissed where service_id = $1 and template_id = $2";
        let rows = fetch_all!(self, Row, SQL, service.as_str(), template.as_str());
        Ok(rows
            .into_iter()
            .map(|row| (row.tool, row.category))
            .collect())
    }

    /// Notes that somebody does not want a suggestion; says whether that is new.
    pub async fn dismiss_mapping(
        &mut self,
        service: &ServiceId,
        template: &TemplateId,
        tool: &str,
        category: &str,
        by: &PersonId,
        at: Millis,
    ) -> Result<bool, StorageError> {
        let touched = execute!(
            self,
            "insert into mapping_dismissed (service_id, template_id, tool, category, dismissed_by, dismissed_at) \
             values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
            service.as_str(),
            template.as_str(),
            tool,
            category,
            by.as_str(),
            at,
        );
        Ok(touched > 0)
    }

    /// What tools have scanned a service, and what they have found that is not fixed, by category.
    pub async fn tools_of_service(
        &mut self,
        service: &ServiceId,
    ) -> Result<Vec<ToolOfService>, StorageError> {
        const SQL: &str = "select coalesce(found.tool, series.tool) as tool, coalesce(found.category, '') as category, \
            cast(coalesce(sum(found.n), 0) as bigint) as n from series left join \
            (select series_id, tool, category, count(*) as n from finding where service_id = $1 and status <> 'fixed' \
            and series_id is not null group by series_id, tool, category) as found on found.series_id = series.id \
            where series.service_id = $1 group by coalesce(found.tool, series.tool), coalesce(found.category, '') \
            order by lower(coalesce(found.tool, series.tool)), 2 limit 500";
        Ok(fetch_all!(self, ToolOfService, SQL, service.as_str()))
    }

    /// The reviews of a service that imports map into: those whose release nobody has signed a decision about, the newest
    /// first. Into others findings are mapped only when a person asks for it.
    pub async fn reviews_to_map(
        &mut self,
        service: &ServiceId,
    ) -> Result<Vec<MappingReview>, StorageError> {
        const SQL: &str = "select review.id, review.service_id, template_version.template_id, review.title, \
            review.release, review.commit_id from review \
            join template_version on template_version.id = review.template_version_id where review.service_id = $1 \
            and not exists (select 1 from sign_off where sign_off.review_id = review.id and sign_off.item_id is null) \
            order by review.id desc limit $2";
        fetch_all!(self, ReviewRow, SQL, service.as_str(), MOST_REVIEWS)
            .into_iter()
            .map(MappingReview::try_from)
            .collect()
    }

    /// One review as mapping looks at it.
    pub async fn review_to_map(
        &mut self,
        review: &ReviewId,
    ) -> Result<Option<MappingReview>, StorageError> {
        const SQL: &str = "select review.id, review.service_id, template_version.template_id, review.title, \
            review.release, review.commit_id from review \
            join template_version on template_version.id = review.template_version_id where review.id = $1";
        fetch_optional!(self, ReviewRow, SQL, review.as_str())
            .map(MappingReview::try_from)
            .transpose()
    }

    /// The items of a review, in the document's order.
    pub async fn mappable_items(
        &mut self,
        review: &ReviewId,
    ) -> Result<Vec<MappableItem>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            id: String,
            key: String,
            title: String,
            body: String,
            scan_hint: Option<String>,
            state: String,
            waived_until: Option<i64>,
        }
        const SQL: &str = "select id, key, title, body, scan_hint, state, waived_until from item \
            where review_id = $1 order by position";
        fetch_all!(self, Row, SQL, review.as_str())
            .into_iter()
            .map(|row| {
                Ok(MappableItem {
                    id: parsed(ItemId::parse, &row.id, "item", "id")?,
                    key: row.key,
                    title: row.title,
                    body: row.body,
                    scan_hint: row.scan_hint,
                    state: parsed(ItemState::parse, &row.state, "item", "state")?,
                    waived_until: row.waived_until,
                })
            })
            .collect()
    }

    /// How many findings of a series are not fixed, linked to no item of a review and unlinked there by nobody.
    pub async fn n_findings_to_link(
        &mut self,
        series: &SeriesId,
        review: &ReviewId,
    ) -> Result<usize, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            n: i64,
        }
        const SQL: &str = concat!("select count(*) as n from finding where ", to_link!());
        let row = fetch_optional!(self, Row, SQL, series.as_str(), false, review.as_str());
        Ok(row.map_or(0, |row| usize::try_from(row.n).unwrap_or_default()))
    }

    /// The findings of a series that are linked to no item of a review, and that nobody has unlinked there: at most `limit`
    /// after a number; those that are fixed only if asked for.
    pub async fn findings_to_link(
        &mut self,
        series: &SeriesId,
        review: &ReviewId,
        and_fixed: bool,
        after: i64,
        limit: i64,
    ) -> Result<Vec<FindingToMap>, StorageError> {
        const SQL: &str = concat!(
            "select finding.id, finding.number, coalesce(finding.tool, series.tool) as tool, finding.category, \
             finding.rule, finding.path, finding.severity, finding.status from finding \
             join series on series.id = finding.series_id where ",
            to_link!(),
            " and finding.number > $4 order by finding.number limit $5"
        );
        fetch_all!(
            self,
            ToMapRow,
            SQL,
            series.as_str(),
            and_fixed,
            review.as_str(),
            after,
            limit
        )
        .into_iter()
        .map(FindingToMap::try_from)
        .collect()
    }

    /// Scanner findings of a service that are not fixed: at most `limit` after a number.
    pub async fn findings_to_map(
        &mut self,
        service: &ServiceId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<FindingToMap>, StorageError> {
        const SQL: &str = "select finding.id, finding.number, coalesce(finding.tool, series.tool) as tool, \
            finding.category, finding.rule, finding.path, \
            finding.severity, finding.status from finding join series on series.id = finding.series_id \
            where finding.service_id = $1 and finding.number > $2 and finding.status <> 'fixed' \
            order by finding.number limit $3";
        fetch_all!(self, ToMapRow, SQL, service.as_str(), after, limit)
            .into_iter()
            .map(FindingToMap::try_from)
            .collect()
    }

    /// The links of a review's items to findings with these numbers, and those that people took away.
    pub async fn links_between(
        &mut self,
        service: &ServiceId,
        review: &ReviewId,
        first: i64,
        last: i64,
    ) -> Result<(Vec<RuleLink>, Vec<RuleLink>), StorageError> {
        const LINKED: &str = "select finding_item.finding_id, finding_item.item_id, finding_item.rule_id from finding \
            join finding_item on finding_item.finding_id = finding.id join item on item.id = finding_item.item_id \
            where finding.service_id = $1 and finding.number between $3 and $4 and item.review_id = $2";
        const UNLINKED: &str = "select finding_unlinked.finding_id, finding_unlinked.item_id, \
            cast(null as text) as rule_id from finding \
            join finding_unlinked on finding_unlinked.finding_id = finding.id \
            join item on item.id = finding_unlinked.item_id \
            where finding.service_id = $1 and finding.number between $3 and $4 and item.review_id = $2";
        let (service, review) = (service.as_str(), review.as_str());
        let linked = fetch_all!(self, RuleLink, LINKED, service, review, first, last);
        let unlinked = fetch_all!(self, RuleLink, UNLINKED, service, review, first, last);
        Ok((linked, unlinked))
    }

    /// Makes links in the name of rules; those that are there already stay as they are. Says how many are new.
    pub async fn link_by_rules(
        &mut self,
        links: &[LinkToMake],
        by: &PersonId,
        at: Millis,
    ) -> Result<u64, StorageError> {
        let by = by.as_str();
        Ok(match self.connection() {
            Connection::Sqlite(tx) => insert_links!(Sqlite, &mut **tx, by, at, links),
            Connection::Postgres(tx) => insert_links!(Postgres, &mut **tx, by, at, links),
        })
    }

    /// Takes away links that rules made: pairs of finding and item. A link made by hand stays.
    pub async fn unlink_by_rules(
        &mut self,
        links: &[(String, String)],
    ) -> Result<u64, StorageError> {
        let sql = self.dialect(
            "delete from finding_item where rule_id is not null and (finding_id, item_id) in \
             (select value ->> 0, value ->> 1 from json_each($1))",
            "delete from finding_item where rule_id is not null and (finding_id, item_id) in \
             (select value ->> 0, value ->> 1 from jsonb_array_elements(cast($1 as jsonb)))",
        );
        let mut n = 0;
        for chunk in links.chunks(10_000) {
            let pairs = serde_json::to_string(chunk).expect("ids are texts");
            n += execute!(self, sql, pairs);
        }
        Ok(n)
    }

    /// Findings of a series that name a component, with their ids of vulnerabilities: at most `limit` after a number.
    pub async fn findings_with_component(
        &mut self,
        service: &ServiceId,
        series: &SeriesId,
        after: i64,
        limit: i64,
    ) -> Result<Vec<FindingWithComponent>, StorageError> {
        const SQL: &str = "select id, number, rule, cve, aliases, component from finding where service_id = $1 \
            and number > $3 and series_id = $2 and component is not null and status <> 'fixed' \
            order by number limit $4";
        Ok(fetch_all!(
            self,
            FindingWithComponent,
            SQL,
            service.as_str(),
            series.as_str(),
            after,
            limit
        ))
    }

    /// The issue keys of a series' findings with these numbers, by finding.
    pub async fn issue_keys_between(
        &mut self,
        service: &ServiceId,
        first: i64,
        last: i64,
    ) -> Result<HashMap<String, BTreeSet<String>>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            finding_id: String,
            issue_key: String,
        }
        const SQL: &str = "select finding_issue.finding_id, finding_issue.issue_key from finding \
            join finding_issue on finding_issue.finding_id = finding.id \
            where finding.service_id = $1 and finding.number between $2 and $3";
        let mut keys: HashMap<String, BTreeSet<String>> = HashMap::new();
        for row in fetch_all!(self, Row, SQL, service.as_str(), first, last) {
            keys.entry(row.finding_id)
                .or_default()
                .insert(row.issue_key);
        }
        Ok(keys)
    }

    /// Whether any finding of a service has an issue key.
    pub async fn has_issues(&mut self, service: &ServiceId) -> Result<bool, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            n: i64,
        }
        const SQL: &str = "select cast(count(*) as bigint) as n from \
            (select 1 from finding_issue where service_id = $1 limit 1) as one";
        let row = fetch_optional!(self, Row, SQL, service.as_str());
        Ok(row.is_some_and(|row| row.n > 0))
    }

    /// Replaces the issue keys of findings: `changed` had others before, `rows` are finding and key.
    pub async fn set_issue_keys(
        &mut self,
        service: &ServiceId,
        changed: &[String],
        rows: &[(String, String)],
    ) -> Result<(), StorageError> {
        if !changed.is_empty() {
            let sql = self.dialect(
                "delete from finding_issue where finding_id in (select value from json_each($1))",
                "delete from finding_issue \
                 where finding_id in (select jsonb_array_elements_text(cast($1 as jsonb)))",
            );
            let ids = serde_json::to_string(changed).expect("ids are texts");
            execute!(self, sql, ids);
        }
        let service = service.as_str();
        match self.connection() {
            Connection::Sqlite(tx) => insert_issues!(Sqlite, &mut **tx, service, rows),
            Connection::Postgres(tx) => insert_issues!(Postgres, &mut **tx, service, rows),
        }
        Ok(())
    }

    /// The evidence of an item that is a scan of this series and counts.
    pub async fn scan_evidence(
        &mut self,
        items: &[&ItemId],
        series: &SeriesId,
    ) -> Result<Vec<ScanEvidence>, StorageError> {
        let sql = self.dialect(
            "select evidence.id, evidence.item_id, evidence.scan_id, evidence.commit_id from evidence \
             join scan on scan.id = evidence.scan_id where evidence.item_id in (select value from json_each($1)) \
             and scan.series_id = $2 and evidence.superseded_by is null and evidence.withdrawn_at is null \
             order by evidence.id",
            "select evidence.id, evidence.item_id, evidence.scan_id, evidence.commit_id from evidence \
             join scan on scan.id = evidence.scan_id \
             where evidence.item_id in (select jsonb_array_elements_text(cast($1 as jsonb))) \
             and scan.series_id = $2 and evidence.superseded_by is null and evidence.withdrawn_at is null \
             order by evidence.id",
        );
        let ids: Vec<_> = items.iter().map(|item| item.as_str()).collect();
        let ids = serde_json::to_string(&ids).expect("ids are texts");
        Ok(fetch_all!(self, ScanEvidence, sql, ids, series.as_str()))
    }

    /// For undoing an import: withdraws what the scan was evidence of, with this reason, and lets the evidence count again
    /// that it had taken the place of. Says which items lost it.
    pub async fn withdraw_evidence_of_scan(
        &mut self,
        scan: &ScanId,
        by: &PersonId,
        at: Millis,
        reason: &str,
    ) -> Result<BTreeSet<ItemId>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            item_id: String,
        }
        const OF_SCAN: &str = "select item_id from evidence where scan_id = $1 and withdrawn_at is null \
            and superseded_by is null";
        let items = fetch_all!(self, Row, OF_SCAN, scan.as_str());
        execute!(
            self,
            "update evidence set superseded_by = null where superseded_by in (select newer.id from evidence as newer \
             where newer.scan_id = $1 and newer.withdrawn_at is null and newer.superseded_by is null)",
            scan.as_str(),
        );
        execute!(
            self,
            "update evidence set withdrawn_at = $2, withdrawn_by = $3, withdrawn_reason = $4 \
             where scan_id = $1 and withdrawn_at is null and superseded_by is null",
            scan.as_str(),
            at,
            by.as_str(),
            reason,
        );
        items
            .into_iter()
            .map(|row| parsed(ItemId::parse, &row.item_id, "evidence", "item_id"))
            .collect()
    }
}

/// A finding that names a component, for telling its issue.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct FindingWithComponent {
    pub id: String,
    pub number: i64,
    pub rule: Option<String>,
    /// JSON lists.
    pub cve: String,
    pub aliases: String,
    pub component: String,
}

/// A scan that is evidence of an item.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ScanEvidence {
    pub id: String,
    pub item_id: String,
    pub scan_id: String,
    pub commit_id: Option<String>,
}

impl ScanEvidence {
    pub fn evidence(&self) -> Option<EvidenceId> {
        EvidenceId::parse(&self.id)
    }
}

#[derive(sqlx::FromRow)]
struct ReviewRow {
    id: String,
    service_id: String,
    template_id: String,
    title: String,
    release: String,
    commit_id: Option<String>,
}

impl TryFrom<ReviewRow> for MappingReview {
    type Error = StorageError;

    fn try_from(row: ReviewRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: parsed(ReviewId::parse, &row.id, "review", "id")?,
            service: parsed(ServiceId::parse, &row.service_id, "review", "service_id")?,
            template: parsed(
                TemplateId::parse,
                &row.template_id,
                "template_version",
                "template_id",
            )?,
            title: row.title,
            release: row.release,
            commit: row.commit_id,
        })
    }
}

fn severities(rule: &MappingRule) -> String {
    serde_json::to_string(&rule.severities).expect("severities are words")
}
