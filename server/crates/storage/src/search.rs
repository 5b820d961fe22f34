//! Finding things by what people call them, over the services that somebody may read.

use holdpoint_domain::ServiceId;

use crate::{StorageError, Tx, columns::contains_pattern, fetch_all};

/// Something found: enough for a line that leads to it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Hit {
    pub id: String,
    /// What people call it: `2.5.1`, `F-12`, `v1.0.0`.
    pub label: String,
    pub title: String,
    /// The service's name, and the release where there is one.
    pub place: String,
}

/// What was found of each kind, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hits {
    pub reviews: Vec<Hit>,
    pub items: Vec<Hit>,
    pub findings: Vec<Hit>,
}

impl Tx {
    /// Reviews, items and findings of these services that a text names or occurs in, at most `limit` of each.
    pub async fn search(
        &mut self,
        services: &[ServiceId],
        text: &str,
        limit: i64,
    ) -> Result<Hits, StorageError> {
        let services = serde_json::to_string(services).expect("ids are texts");
        // Letters beyond ASCII are found as they are typed, since the databases make only ASCII's small.
        let typed = contains_pattern(text);
        let text = text.to_lowercase();
        let pattern = contains_pattern(&text);
        let number: Option<i64> = text.strip_prefix("f-").unwrap_or(&text).parse().ok();
        let sql = self.dialect(
            "select review.id, review.release as label, review.title, service.name as place from review \
             join service on service.id = review.service_id \
             where review.service_id in (select value from json_each($1)) \
             and (lower(review.title) like $2 escape '\\' or lower(review.release) like $2 escape '\\' \
             or lower(service.name) like $2 escape '\\' or review.title like $4 escape '\\' \
             or service.name like $4 escape '\\') order by review.id desc limit $3",
            "select review.id, review.release as label, review.title, service.name as place from review \
             join service on service.id = review.service_id \
             where review.service_id in (select jsonb_array_elements_text(cast($1 as jsonb))) \
             and (lower(review.title) like $2 escape '\\' or lower(review.release) like $2 escape '\\' \
             or lower(service.name) like $2 escape '\\' or review.title like $4 escape '\\' \
             or service.name like $4 escape '\\') order by review.id desc limit $3",
        );
        let reviews = fetch_all!(self, Hit, sql, &services, &pattern, limit, &typed);
        let sql = self.dialect(
            "select item.id, item.key as label, item.title, service.name || ' ' || review.release as place from item \
             join review on review.id = item.review_id join service on service.id = review.service_id \
             where review.service_id in (select value from json_each($1)) and (item.key = $4 \
             or lower(item.title) like $2 escape '\\' or lower(item.body) like $2 escape '\\' \
             or item.title like $5 escape '\\' or item.body like $5 escape '\\') \
             order by review.id desc, item.position limit $3",
            "select item.id, item.key as label, item.title, service.name || ' ' || review.release as place from item \
             join review on review.id = item.review_id join service on service.id = review.service_id \
             where review.service_id in (select jsonb_array_elements_text(cast($1 as jsonb))) and (item.key = $4 \
             or lower(item.title) like $2 escape '\\' or lower(item.body) like $2 escape '\\' \
             or item.title like $5 escape '\\' or item.body like $5 escape '\\') \
             order by review.id desc, item.position limit $3",
        );
        let items = fetch_all!(self, Hit, sql, &services, &pattern, limit, &text, &typed);
        let sql = self.dialect(
            "select finding.id, 'F-' || finding.number as label, finding.title, service.name as place from finding \
             join service on service.id = finding.service_id \
             where finding.service_id in (select value from json_each($1)) and (finding.number = $4 \
             or lower(finding.title) like $2 escape '\\' or lower(coalesce(finding.path, '')) like $2 escape '\\' \
             or lower(finding.cve) like $2 escape '\\' or finding.folded like $2 escape '\\') \
             order by finding.severity_rank, finding.number limit $3",
            "select finding.id, 'F-' || finding.number as label, finding.title, service.name as place from finding \
             join service on service.id = finding.service_id \
             where finding.service_id in (select jsonb_array_elements_text(cast($1 as jsonb))) and (finding.number = $4 \
             or lower(finding.title) like $2 escape '\\' or lower(coalesce(finding.path, '')) like $2 escape '\\' \
             or lower(finding.cve) like $2 escape '\\' or finding.folded like $2 escape '\\') \
             order by finding.severity_rank, finding.number limit $3",
        );
        let findings = fetch_all!(self, Hit, sql, &services, &pattern, limit, number);
        Ok(Hits {
            reviews,
            items,
            findings,
        })
    }
}
