//! The list of a review's findings: filters, orders, pages by key, and how many there are of each kind.
//!
//! A page is found by the place of its neighbour (sort key and number), never by counting rows from the beginning, and each
//! order walks an index; so a page costs the same wherever it is and however long the list. Conditions that were not asked
//! for are not in the SQL, so that they cannot keep the database from its index. Counts do look at every row: whoever asks
//! for them keeps them (see the service's `kept.rs`).

use std::fmt::Write as _;

use holdpoint_domain::{
    FindingStatus, Millis, ReviewId, ScannerState, SeriesId, ServiceId, Severity, policy::Policy,
};
use serde::{Deserialize, Serialize};

use crate::{
    FindingFilter, FindingLine, FindingSort, StorageError, Tx,
    columns::{contains_pattern, parsed},
    fetch_all,
    finding_rows::severity_rank,
    findings::{FindingSeries, LineRow, holds_until, is_gone, is_outgrown, status_now},
    on_conn,
    triage::{FindingToTriage, ToTriageRow, to_triage},
};

/// Where a page begins: beside the finding with these keys in the list's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingCursor {
    /// What the list is sorted by, without its number; of the kinds that the order has.
    #[serde(rename = "k")]
    pub(crate) keys: Vec<Key>,
    #[serde(rename = "n")]
    pub(crate) number: i64,
    /// The page before it, not after.
    #[serde(rename = "b", default, skip_serializing_if = "std::ops::Not::not")]
    pub backwards: bool,
}

impl FindingCursor {
    /// The same place in a list by number alone.
    pub(crate) fn by_number(&self) -> Self {
        Self {
            keys: Vec::new(),
            ..self.clone()
        }
    }

    /// As it stands in an address.
    pub fn encoded(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers serialise")
    }

    /// Reads what [`FindingCursor::encoded`] wrote for a list in this order.
    pub fn parse(text: &str, sort: FindingSort) -> Option<Self> {
        let cursor: Self = serde_json::from_str(text).ok()?;
        let order = Order::of(sort);
        let fits = cursor.keys.len() == order.keys.len()
            && cursor.keys.iter().zip(order.keys).all(|(key, of)| {
                matches!(key, Key::Text(_)) == matches!(of.kind, Kind::Text)
                    && !matches!(key, Key::Text(text) if text.contains('\0'))
            });
        fits.then_some(cursor)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Key {
    Number(i64),
    Text(String),
}

/// What a list is sorted by.
#[derive(Clone, Copy, Debug)]
pub struct FindingOrder<'a> {
    pub sort: FindingSort,
    /// The days that findings may stay open, for the orders that go by them.
    pub policy: &'a Policy,
}

/// A page of lines with the places of its neighbours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindingLines {
    pub lines: Vec<FindingLine>,
    /// The page before, if there is one.
    pub previous: Option<FindingCursor>,
    pub next: Option<FindingCursor>,
}

/// Findings of one kind, for facets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingKind {
    pub severity: Severity,
    pub status: FindingStatus,
    /// Absent for those written by hand.
    pub series: Option<SeriesId>,
    /// Where it is another one than the series'.
    pub tool: Option<String>,
    pub scanner_state: Option<ScannerState>,
    pub category: String,
    /// Whether they are linked to an item of the review.
    pub is_mapped: bool,
    pub n: i64,
}

/// One column that a list is sorted by, as an index has it.
pub(crate) struct Sorted {
    sqlite: &'static str,
    postgres: &'static str,
    kind: Kind,
}

/// Where a row has what it is sorted by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    /// With what every row says of itself.
    FirstSeen,
}

struct Order {
    keys: &'static [Sorted],
    descending: bool,
}

const fn number_of(column: &'static str) -> Sorted {
    Sorted {
        sqlite: column,
        postgres: column,
        kind: Kind::Number,
    }
}

/// A number that no column has: what puts the list together says it.
const WORKED_OUT: Sorted = number_of("null");
const FIRST_SEEN_AT: Sorted = Sorted {
    sqlite: "finding.first_seen_at",
    postgres: "finding.first_seen_at",
    kind: Kind::FirstSeen,
};
const SEVERITY: &[Sorted] = &[number_of("finding.severity_rank"), FIRST_SEEN_AT];
const PATH: &[Sorted] = &[
    Sorted {
        sqlite: "coalesce(finding.path, '')",
        postgres: "coalesce(finding.path, '') collate \"C\"",
        kind: Kind::Text,
    },
    number_of("coalesce(finding.start_line, 0)"),
];
const TITLE: &[Sorted] = &[Sorted {
    sqlite: "finding.title collate nocase",
    postgres: "lower(finding.title) collate \"C\"",
    kind: Kind::Text,
}];
const STATUS: &[Sorted] = &[
    Sorted {
        sqlite: "finding.status",
        postgres: "finding.status",
        kind: Kind::Text,
    },
    number_of("finding.severity_rank"),
];
/// By scanner, the series one after the other: see [`Tx::rows_by_tool`].
const TOOL: &[Sorted] = &[Sorted {
    sqlite: "coalesce(finding.series_id, '')",
    postgres: "coalesce(finding.series_id, '')",
    kind: Kind::Text,
}];
/// What the newest scan of a series has was last seen by it.
const LAST_SEEN_AT: &str = "case when finding.series_id is null or finding.unseen_since is not null \
    then finding.last_seen_at else coalesce(series.last_scan_at, finding.last_seen_at) end";
const LAST_SEEN: &[Sorted] = &[number_of(LAST_SEEN_AT)];
/// Of those that say it themselves.
pub(crate) const LAST_SEEN_ITSELF: &[Sorted] = &[number_of("finding.last_seen_at")];
/// By the end of the time that a finding may stay open, severity by severity: see [`Tx::rows_by_limit`].
const LIMIT: &[Sorted] = &[WORKED_OUT, FIRST_SEEN_AT];
/// Of one severity.
pub(crate) const WITHIN_SEVERITY: &[Sorted] = &[FIRST_SEEN_AT];
/// By item, one after the other: see [`Tx::rows_by_item`].
const ITEM: &[Sorted] = &[WORKED_OUT, OF_LINK];
const OF_LINK: Sorted = Sorted {
    sqlite: "link.finding_id",
    postgres: "link.finding_id",
    kind: Kind::Text,
};
/// Of one item.
pub(crate) const WITHIN_ITEM: &[Sorted] = &[OF_LINK];

impl Order {
    /// Numbers are given in the order in which findings are first seen, so that first seen and number are one order.
    fn of(sort: FindingSort) -> Self {
        use FindingSort as By;
        let (keys, descending): (&'static [Sorted], bool) = match sort {
            By::Severity => (SEVERITY, false),
            By::Mildest => (SEVERITY, true),
            By::Number | By::Oldest => (&[], false),
            By::Newest => (&[], true),
            By::Path => (PATH, false),
            By::PathDown => (PATH, true),
            By::Title => (TITLE, false),
            By::TitleDown => (TITLE, true),
            By::Status => (STATUS, false),
            By::StatusDown => (STATUS, true),
            By::Tool => (TOOL, false),
            By::ToolDown => (TOOL, true),
            By::LastSeen => (LAST_SEEN, true),
            By::LastSeenUp => (LAST_SEEN, false),
            By::Limit => (LIMIT, false),
            By::LimitDown => (LIMIT, true),
            By::Item => (ITEM, false),
            By::ItemDown => (ITEM, true),
        };
        Self { keys, descending }
    }
}

#[derive(Clone, Debug)]
enum Value {
    Text(String),
    Number(i64),
}

/// SQL that is put together from this file's own words; values are only ever bound.
struct Sql<'a> {
    text: String,
    values: Vec<Value>,
    is_sqlite: bool,
    service: &'a ServiceId,
    review: &'a ReviewId,
    /// Part of the list that an index of its own finds; the service must not be what the database goes by then.
    part: Option<&'a Part>,
}

/// A part of the list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Written by hand, for this review.
    ByHand,
    /// Those of a series that its own tool found, or another one.
    OfTool(String, Option<String>),
    /// Those of a series that its newest scan has.
    Seen(String),
    /// What the newest scan of its series does not have.
    Unseen,
    /// Of a severity: all of them, the open ones, or the others.
    OfSeverity { rank: i64, is_open: Option<bool> },
    /// Linked to an item and to none that stands before it in the review.
    OfItem { id: String, position: i64 },
    /// Linked to no item of the review.
    OfNoItem,
}

impl<'a> Sql<'a> {
    fn new(tx: &Tx, service: &'a ServiceId, review: &'a ReviewId) -> Self {
        Self {
            text: String::new(),
            values: Vec::new(),
            is_sqlite: tx.is_sqlite(),
            service,
            review,
            part: None,
        }
    }

    fn push(&mut self, words: &str) {
        self.text.push_str(words);
    }

    fn value(&mut self, value: Value) -> String {
        let cast = match &value {
            Value::Text(_) => "text",
            Value::Number(_) => "bigint",
        };
        self.values.push(value);
        let n = self.values.len();
        if self.is_sqlite {
            format!("${n}")
        } else {
            format!("cast(${n} as {cast})")
        }
    }

    fn text_value(&mut self, text: &str) -> String {
        self.value(Value::Text(text.to_owned()))
    }

    /// ` and COLUMN in (…)`
    fn is_one_of(&mut self, column: &str, words: &[&str]) {
        let words: Vec<_> = words.iter().map(|word| self.text_value(word)).collect();
        write!(self.text, " and {column} in ({})", words.join(", ")).expect("a String takes all");
    }

    fn status(&mut self, as_of: Millis) -> String {
        let as_of = self.value(Value::Number(as_of));
        status_now!("$9").replace("$9", &as_of)
    }

    /// The conditions; with `of_facets` also those that a facet shows its choices of.
    fn conditions(&mut self, filter: &FindingFilter, of_facets: bool) {
        let (service, review) = (self.service.as_str(), self.review.as_str());
        let service = self.text_value(service);
        let review = self.text_value(review);
        let of_service = match self.part {
            None | Some(Part::Unseen | Part::OfSeverity { .. } | Part::OfNoItem) => {
                "finding.service_id"
            }
            Some(_) => "finding.service_id || ''",
        };
        write!(self.text, " where {of_service} = {service}").expect("a String takes all");
        self.part_conditions(&review, filter.as_of);
        if of_facets {
            self.facet_conditions(filter, &review);
        }
        if let Some(item) = &filter.item {
            let item = self.text_value(item.as_str());
            write!(
                self.text,
                " and exists (select 1 from finding_item where finding_item.finding_id = finding.id \
                 and finding_item.item_id = {item})"
            )
            .expect("a String takes all");
        }
        if let Some(owner) = &filter.owner {
            let owner = self.text_value(owner.as_str());
            write!(
                self.text,
                " and exists (select 1 from finding_item join item on item.id = finding_item.item_id \
                 where finding_item.finding_id = finding.id and item.review_id = {review} and item.owner_id = {owner})"
            )
            .expect("a String takes all");
        }
        if filter.asked {
            self.push(" and finding.asked_for is not null");
        }
        if let Some(rule) = &filter.rule {
            let rule = self.text_value(rule);
            write!(self.text, " and finding.rule = {rule}").expect("a String takes all");
        }
        if let Some(prefix) = &filter.path {
            // Not `like`, which minds case on PostgreSQL only.
            let n = prefix.chars().count();
            let prefix = self.text_value(prefix);
            write!(self.text, " and substr(finding.path, 1, {n}) = {prefix}")
                .expect("a String takes all");
        }
        if let Some(late_before) = &filter.late_before {
            // Where no severity has a limit, nothing is ever late.
            let mut any = vec!["1 = 0".to_owned()];
            for (severity, before) in late_before {
                let before = self.value(Value::Number(*before));
                any.push(format!(
                    "finding.severity_rank = {} and finding.first_seen_at < {before}",
                    severity_rank(*severity)
                ));
            }
            let open = self.status(filter.as_of);
            write!(self.text, " and {open} = 'open' and ({})", any.join(" or "))
                .expect("a String takes all");
        }
        if let Some(text) = &filter.text {
            let pattern = self.text_value(&contains_pattern(&text.to_lowercase()));
            let columns: &[&str] = if text.is_ascii() {
                &[
                    "lower(finding.title)",
                    "lower(coalesce(finding.rule, ''))",
                    "lower(coalesce(finding.path, ''))",
                    "lower(coalesce(finding.component, ''))",
                    "lower(finding.cve)",
                    "'f-' || cast(finding.number as text)",
                ]
            } else {
                // Only what goes beyond ASCII itself can have it.
                &["finding.folded"]
            };
            let any: Vec<_> = columns
                .iter()
                .map(|column| format!("{column} like {pattern} escape '\\'"))
                .collect();
            write!(self.text, " and ({})", any.join(" or ")).expect("a String takes all");
        }
    }

    fn part_conditions(&mut self, review: &str, as_of: Millis) {
        let conditions = match self.part {
            None => format!(" and (finding.review_id is null or finding.review_id = {review})"),
            Some(Part::ByHand) => format!(" and finding.review_id = {review}"),
            Some(Part::Unseen) => " and finding.unseen_since is not null".to_owned(),
            Some(Part::Seen(series)) => {
                let series = self.text_value(series);
                format!(" and finding.series_id = {series} and finding.unseen_since is null")
            }
            Some(Part::OfTool(series, tool)) => {
                let series = self.text_value(series);
                let tool = match tool {
                    Some(tool) => format!("= {}", self.text_value(tool)),
                    None => "is null".to_owned(),
                };
                format!(" and finding.series_id = {series} and finding.tool {tool}")
            }
            Some(Part::OfSeverity { rank, is_open }) => {
                let mut conditions = format!(
                    " and finding.severity_rank = {rank} \
                     and (finding.review_id is null or finding.review_id = {review})"
                );
                if let Some(is_open) = is_open {
                    let is = if *is_open { "=" } else { "<>" };
                    let status = self.status(as_of);
                    write!(conditions, " and {status} {is} 'open'").expect("a String takes all");
                }
                conditions
            }
            Some(Part::OfItem { id, position }) => {
                let id = self.text_value(id);
                format!(
                    " and link.item_id = {id} \
                     and (finding.review_id is null or finding.review_id = {review}) \
                     and not exists (select 1 from finding_item as other join item on item.id = other.item_id \
                     where other.finding_id = finding.id and item.review_id = {review} and item.position < {position})"
                )
            }
            Some(Part::OfNoItem) => format!(
                " and (finding.review_id is null or finding.review_id = {review}) \
                 and not exists (select 1 from finding_item join item on item.id = finding_item.item_id \
                 where finding_item.finding_id = finding.id and item.review_id = {review})"
            ),
        };
        self.push(&conditions);
    }

    fn facet_conditions(&mut self, filter: &FindingFilter, review: &str) {
        if !filter.severities.is_empty() {
            let ranks: Vec<_> = filter
                .severities
                .iter()
                .map(|severity| severity_rank(*severity).to_string())
                .collect();
            write!(
                self.text,
                " and finding.severity_rank in ({})",
                ranks.join(", ")
            )
            .expect("a String takes all");
        }
        if !filter.statuses.is_empty() {
            let status = self.status(filter.as_of);
            let words: Vec<_> = filter
                .statuses
                .iter()
                .map(|status| status.as_str())
                .collect();
            self.is_one_of(&status, &words);
        }
        if !filter.tools.is_empty() {
            let words: Vec<_> = filter.tools.iter().map(String::as_str).collect();
            self.is_one_of("coalesce(finding.tool, series.tool, '')", &words);
        }
        if !filter.scanner_states.is_empty() {
            let states = filter.scanner_states.iter();
            let words: Vec<_> = states.map(|state| state.as_str()).collect();
            self.is_one_of("finding.scanner_state", &words);
        }
        if !filter.categories.is_empty() {
            let words: Vec<_> = filter.categories.iter().map(String::as_str).collect();
            self.is_one_of("finding.category", &words);
        }
        if !filter.series.is_empty() {
            let ids: Vec<_> = filter.series.iter().map(SeriesId::as_str).collect();
            self.is_one_of("finding.series_id", &ids);
        }
        if filter.unmapped {
            write!(
                self.text,
                " and not exists (select 1 from finding_item join item on item.id = finding_item.item_id \
                 where finding_item.finding_id = finding.id and item.review_id = {review})"
            )
            .expect("a String takes all");
        }
    }

    async fn fetch<Row>(self, tx: &mut Tx) -> Result<Vec<Row>, StorageError>
    where
        Row: Send
            + Unpin
            + for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow>
            + for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow>,
    {
        let Self { text, values, .. } = self;
        Ok(on_conn!(tx, conn => {
            let mut query = sqlx::query_as::<_, Row>(sqlx::AssertSqlSafe(text));
            for value in values {
                query = match value {
                    Value::Text(text) => query.bind(text),
                    Value::Number(number) => query.bind(number),
                };
            }
            query.fetch_all(conn).await?
        }))
    }
}

#[derive(sqlx::FromRow)]
pub(crate) struct PlacedRow {
    #[sqlx(flatten)]
    pub(crate) line: LineRow,
    pub(crate) key_text: Option<String>,
    pub(crate) key_number: Option<i64>,
}

impl PlacedRow {
    /// With the key of the stretch of the list that it was walked in.
    pub(crate) fn placed(mut self, key: &Key) -> Self {
        match key {
            Key::Text(text) => self.key_text = Some(text.clone()),
            Key::Number(number) => self.key_number = Some(*number),
        }
        self
    }

    fn place(&self, order: &Order, backwards: bool) -> FindingCursor {
        let keys = order.keys.iter().map(|key| match key.kind {
            Kind::Text => Key::Text(self.key_text.clone().unwrap_or_default()),
            Kind::Number => Key::Number(self.key_number.unwrap_or_default()),
            Kind::FirstSeen => Key::Number(self.line.first_seen_at),
        });
        FindingCursor {
            keys: keys.collect(),
            number: self.line.number,
            backwards,
        }
    }
}

/// A way through the list.
#[derive(Clone, Copy)]
pub(crate) struct Walk<'a> {
    pub(crate) service: &'a ServiceId,
    pub(crate) review: &'a ReviewId,
    pub(crate) filter: &'a FindingFilter,
    pub(crate) keys: &'static [Sorted],
    pub(crate) descending: bool,
    /// The list is walked from its end.
    pub(crate) backwards: bool,
}

impl<'a> Walk<'a> {
    pub(crate) fn by_number(self) -> Self {
        Self { keys: &[], ..self }
    }

    fn columns(self, is_sqlite: bool) -> Vec<&'static str> {
        let of = |key: &Sorted| if is_sqlite { key.sqlite } else { key.postgres };
        self.keys.iter().map(of).collect()
    }

    /// The first rows of the list, or of a part of it, from a place on.
    pub(crate) async fn rows(
        self,
        tx: &mut Tx,
        part: Option<&Part>,
        from: Option<&FindingCursor>,
        most: usize,
    ) -> Result<Vec<PlacedRow>, StorageError> {
        let mut sql = self.begin(tx, part);
        self.go_on_from(&mut sql, from);
        self.end(&mut sql, most);
        sql.fetch(tx).await
    }

    fn begin<'p>(self, tx: &Tx, part: Option<&'p Part>) -> Sql<'p>
    where
        'a: 'p,
    {
        let mut sql = Sql {
            part,
            ..Sql::new(tx, self.service, self.review)
        };
        let columns = self.columns(sql.is_sqlite);
        let key = |kind: Kind, none: &'static str| {
            let mut keys = self.keys.iter().zip(&columns);
            keys.find(|(key, _)| key.kind == kind)
                .map_or(none, |(_, column)| *column)
        };
        let (text, number) = (
            key(Kind::Text, "cast(null as text)"),
            key(Kind::Number, "cast(null as bigint)"),
        );
        // An item's links are in order already, and fewer than its service's findings.
        let from = match part {
            Some(Part::OfItem { .. }) => {
                "finding_item as link join finding on finding.id = link.finding_id"
            }
            _ => "finding",
        };
        sql.push(
            "select finding.id, finding.number, finding.title, finding.severity, finding.category, finding.rule, \
             coalesce(finding.tool, series.tool) as tool, finding.path, finding.start_line, finding.component, \
             finding.scanner_state, finding.suppression_kind, finding.suppression_reason, finding.status, \
             finding.accepted_until, ",
        );
        sql.push(holds_until!());
        write!(
            sql.text,
            " as holds_until, original.number as duplicate_of, finding.asked_for, finding.reopened_at, \
             finding.first_seen_at, \
             {LAST_SEEN_AT} as last_seen_at, cast(case when exists (select 1 from patch_finding \
             where patch_finding.finding_id = finding.id) then 1 else 0 end as bigint) as has_patch, finding.version, \
             {text} as key_text, {number} as key_number from {from} \
             left join series on series.id = finding.series_id \
             left join finding as original on original.id = finding.duplicate_of"
        )
        .expect("a String takes all");
        sql.conditions(self.filter, true);
        sql
    }

    fn go_on_from(self, sql: &mut Sql<'_>, from: Option<&FindingCursor>) {
        let Some(from) = from else { return };
        let mut places: Vec<String> = Vec::new();
        for key in &from.keys {
            let place = match key {
                Key::Number(number) => sql.value(Value::Number(*number)),
                Key::Text(text) => sql.text_value(text),
            };
            places.push(place);
        }
        places.push(sql.value(Value::Number(from.number)));
        let mut columns = self.columns(sql.is_sqlite);
        columns.push("finding.number");
        let than = if self.descending { "<" } else { ">" };
        // SQLite looks the place up in an index by the first key only where that is compared by itself.
        let (first, first_place) = (columns[0], &places[0]);
        write!(
            sql.text,
            " and {first} {than}= {first_place} and ({}) {than} ({})",
            columns.join(", "),
            places.join(", ")
        )
        .expect("a String takes all");
    }

    fn end(self, sql: &mut Sql<'_>, most: usize) {
        let direction = if self.descending { " desc" } else { "" };
        sql.push(" order by ");
        for column in self.columns(sql.is_sqlite) {
            write!(sql.text, "{column}{direction}, ").expect("a String takes all");
        }
        write!(sql.text, "finding.number{direction} limit {most}").expect("a String takes all");
    }
}

impl Tx {
    /// One page of a review's findings: after or before a place, else the first.
    pub async fn finding_page(
        &mut self,
        service: &ServiceId,
        review: &ReviewId,
        filter: &FindingFilter,
        by: FindingOrder<'_>,
        limit: usize,
        from: Option<&FindingCursor>,
    ) -> Result<FindingLines, StorageError> {
        use FindingSort as By;
        let order = Order::of(by.sort);
        let backwards = from.is_some_and(|from| from.backwards);
        // One more than the page has tells whether another follows.
        let most = limit.saturating_add(1);
        let walk = Walk {
            service,
            review,
            filter,
            keys: order.keys,
            // Walked backwards, the list is the other way round.
            descending: order.descending != backwards,
            backwards,
        };
        let mut rows = match by.sort {
            By::Tool | By::ToolDown => self.rows_by_tool(walk, most, from).await?,
            By::LastSeen | By::LastSeenUp => self.rows_by_last_seen(walk, most, from).await?,
            By::Limit | By::LimitDown => self.rows_by_limit(walk, by.policy, most, from).await?,
            By::Item | By::ItemDown => self.rows_by_item(walk, most, from).await?,
            _ => walk.rows(self, None, from, most).await?,
        };
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        if backwards {
            rows.reverse();
        }
        // Going forwards from a place, there is something before it, and the other way round.
        let has_previous = if backwards { has_more } else { from.is_some() };
        let has_next = if backwards { from.is_some() } else { has_more };
        let place = |row: &PlacedRow, backwards| row.place(&order, backwards);
        let previous = rows
            .first()
            .filter(|_| has_previous)
            .map(|row| place(row, true));
        let next = rows
            .last()
            .filter(|_| has_next)
            .map(|row| place(row, false));
        let lines = rows.into_iter().map(|row| row.line).collect();
        Ok(FindingLines {
            lines: self.finding_lines_of(review, lines).await?,
            previous,
            next,
        })
    }

    /// The findings that a filter finds, by number, at most `limit`, as deciding about them needs them.
    pub async fn findings_matching(
        &mut self,
        service: &ServiceId,
        review: &ReviewId,
        filter: &FindingFilter,
        limit: i64,
    ) -> Result<Vec<FindingToTriage>, StorageError> {
        let mut sql = Sql::new(self, service, review);
        sql.push(to_triage!());
        sql.push(" left join series on series.id = finding.series_id");
        sql.conditions(filter, true);
        let most = sql.value(Value::Number(limit));
        write!(sql.text, " order by finding.number limit {most}").expect("a String takes all");
        let rows: Vec<ToTriageRow> = sql.fetch(self).await?;
        rows.into_iter().map(FindingToTriage::try_from).collect()
    }

    /// The series of a service, by scanner and label.
    pub async fn finding_series(
        &mut self,
        service: &ServiceId,
    ) -> Result<Vec<FindingSeries>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            id: String,
            tool: String,
            label: String,
        }
        const SQL: &str = "select id, tool, label from series where service_id = $1 order by lower(tool), tool, label, id";
        fetch_all!(self, Row, SQL, service.as_str())
            .into_iter()
            .map(|row| {
                Ok(FindingSeries {
                    id: parsed(SeriesId::parse, &row.id, "series", "id")?,
                    tool: row.tool,
                    label: row.label,
                })
            })
            .collect()
    }

    /// How many findings of each kind there are, whatever facets are ticked. Looks at every finding of the service.
    pub async fn finding_kinds(
        &mut self,
        service: &ServiceId,
        review: &ReviewId,
        filter: &FindingFilter,
    ) -> Result<Vec<FindingKind>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            severity_rank: i64,
            status: String,
            series_id: Option<String>,
            tool: Option<String>,
            scanner_state: Option<String>,
            category: String,
            mapped: i64,
            n: i64,
        }
        let mut sql = Sql::new(self, service, review);
        sql.push(
            "select severity_rank, status, series_id, tool, scanner_state, category, mapped, count(*) as n \
             from (select finding.severity_rank, ",
        );
        let status = sql.status(filter.as_of);
        let mapped = sql.text_value(review.as_str());
        write!(
            sql.text,
            "{status} as status, finding.series_id, finding.tool, finding.scanner_state, finding.category, cast(case when exists (select 1 from finding_item \
             join item on item.id = finding_item.item_id where finding_item.finding_id = finding.id \
             and item.review_id = {mapped}) then 1 else 0 end as bigint) as mapped from finding"
        )
        .expect("a String takes all");
        sql.conditions(filter, false);
        sql.push(") as kinds group by severity_rank, status, series_id, tool, scanner_state, category, mapped");
        let rows: Vec<Row> = sql.fetch(self).await?;
        rows.into_iter()
            .map(|row| {
                let severity = Severity::ALL
                    .iter()
                    .copied()
                    .find(|severity| severity_rank(*severity) == row.severity_rank);
                Ok(FindingKind {
                    severity: severity.ok_or_else(|| {
                        StorageError::column(
                            "finding",
                            "severity_rank",
                            &row.severity_rank.to_string(),
                        )
                    })?,
                    status: parsed(FindingStatus::parse, &row.status, "finding", "status")?,
                    series: row.series_id.as_deref().and_then(SeriesId::parse),
                    tool: row.tool,
                    scanner_state: row
                        .scanner_state
                        .as_deref()
                        .map(|state| parsed(ScannerState::parse, state, "finding", "scanner_state"))
                        .transpose()?,
                    category: row.category,
                    is_mapped: row.mapped != 0,
                    n: row.n,
                })
            })
            .collect()
    }
}
