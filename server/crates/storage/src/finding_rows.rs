//! How what a scanner says of findings is written, some hundred findings in one statement.
//!
//! A driver's costs are by value: each is copied, bound and freed. So a column in which none of these findings has anything is
//! left out, and the table's default stands there. What a scanner explains of a rule is stored once.

use std::borrow::Cow;

use holdpoint_domain::{
    FindingId, Millis, ScanId, ScannerState, SeriesId, ServiceId, Severity, SuppressionKind,
};
use serde::{Deserialize, Serialize};
use sqlx::{Database, Encode, Postgres, QueryBuilder, Sqlite, Type};

use crate::{StorageError, Tx, columns::folded, tx::Connection};

/// How many rows go into one statement: below both databases' limits on parameters.
pub const ROWS_PER_STATEMENT: usize = 400;

/// What a scanner says of a finding, ready to be stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScannerFinding<'a> {
    #[serde(borrow)]
    pub title: Cow<'a, str>,
    #[serde(borrow)]
    pub message: Cow<'a, str>,
    /// The id of its [`Explanation`].
    pub explanation: Option<u128>,
    pub severity: Severity,
    #[serde(borrow)]
    pub category: Cow<'a, str>,
    #[serde(borrow)]
    pub rule: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub path: Option<Cow<'a, str>>,
    pub start_line: Option<i64>,
    pub end_line: Option<i64>,
    #[serde(borrow)]
    pub snippet: Option<Cow<'a, str>>,
    /// JSON lists.
    #[serde(borrow)]
    pub cve: Cow<'a, str>,
    #[serde(borrow)]
    pub cwe: Cow<'a, str>,
    #[serde(borrow)]
    pub aliases: Cow<'a, str>,
    #[serde(borrow)]
    pub component: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub component_version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub fixed_version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub fingerprint: Option<Cow<'a, str>>,
    /// The tool that found it, where it is another one than the scan's.
    #[serde(borrow)]
    pub tool: Option<Cow<'a, str>>,
    /// What the scanner says beside that it is there.
    pub scanner_state: Option<ScannerState>,
    pub suppression_kind: Option<SuppressionKind>,
    #[serde(borrow)]
    pub suppression_reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub pointer: Cow<'a, str>,
    /// JSON: other places, code flows, fixes.
    #[serde(borrow)]
    pub details: Option<Cow<'a, str>>,
}

/// What a scanner explains, mostly of a rule: stored once, however many findings share it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation<'a> {
    #[serde(borrow)]
    pub description: Cow<'a, str>,
    #[serde(borrow)]
    pub remediation: Cow<'a, str>,
    #[serde(borrow)]
    pub rule_name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub help_url: Option<Cow<'a, str>>,
}

/// What a finding is recognised by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredIdentity {
    pub identity: String,
    /// Absent where it is the identity.
    pub context: Option<String>,
    pub basis: &'static str,
    pub ordinal: u32,
}

/// A finding to be inserted, or brought up to what a scan says of it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingRow<'a> {
    pub id: FindingId,
    pub identity: StoredIdentity,
    pub scanner_digest: String,
    pub says: ScannerFinding<'a>,
}

/// Where new findings come from.
#[derive(Clone, Debug)]
pub struct NewFindingsOf {
    pub service: ServiceId,
    pub series: SeriesId,
    pub scan: ScanId,
    pub at: Millis,
}

/// 0 for critical to 5 for info: what findings are sorted by.
pub(crate) fn severity_rank(severity: Severity) -> i64 {
    match severity {
        Severity::Critical => 0,
        Severity::High => 1,
        Severity::Unrated => 2,
        Severity::Medium => 3,
        Severity::Low => 4,
        Severity::Info => 5,
    }
}

/// What a column holds where a scanner says nothing, which is also the table's default.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Absent {
    Text(Option<&'static str>),
    Number(Option<i64>),
}

impl Absent {
    fn literal(self) -> String {
        match self {
            Self::Text(Some(text)) => format!("'{text}'"),
            Self::Number(Some(number)) => number.to_string(),
            Self::Text(None) | Self::Number(None) => "null".to_owned(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Value<'a> {
    Text(&'a str),
    Number(i64),
    Absent,
}

const NULL: Absent = Absent::Text(None);
const EMPTY: Absent = Absent::Text(Some(""));
const NO_LIST: Absent = Absent::Text(Some("[]"));
const NO_NUMBER: Absent = Absent::Number(None);

/// The columns that a scanner fills, in the order of [`values`].
const COLUMNS: [(&str, Absent); 30] = [
    ("identity", NULL),
    ("identity_context", NULL),
    ("identity_basis", NULL),
    ("ordinal", Absent::Number(Some(0))),
    ("title", EMPTY),
    ("explanation_id", NULL),
    ("message", EMPTY),
    ("severity", EMPTY),
    ("severity_rank", Absent::Number(Some(-1))),
    ("category", EMPTY),
    ("rule", NULL),
    ("path", NULL),
    ("start_line", NO_NUMBER),
    ("end_line", NO_NUMBER),
    ("snippet", NULL),
    ("cve", NO_LIST),
    ("cwe", NO_LIST),
    ("aliases", NO_LIST),
    ("component", NULL),
    ("component_version", NULL),
    ("fixed_version", NULL),
    ("fingerprint", NULL),
    ("tool", NULL),
    ("scanner_state", NULL),
    ("suppression_kind", NULL),
    ("suppression_reason", NULL),
    ("pointer", EMPTY),
    ("details", NULL),
    ("scanner_digest", NULL),
    ("folded", NULL),
];

fn values<'a>(
    finding: &'a FindingRow<'_>,
    explanation: Option<&'a str>,
    folded: Option<&'a str>,
) -> [Value<'a>; COLUMNS.len()] {
    let says = &finding.says;
    let text = |text: &'a str| Value::Text(text);
    let maybe = |text: Option<&'a str>| text.map_or(Value::Absent, Value::Text);
    let number = |number: Option<i64>| number.map_or(Value::Absent, Value::Number);
    [
        text(&finding.identity.identity),
        maybe(finding.identity.context.as_deref()),
        text(finding.identity.basis),
        Value::Number(i64::from(finding.identity.ordinal)),
        text(&says.title),
        maybe(explanation),
        text(&says.message),
        text(says.severity.as_str()),
        Value::Number(severity_rank(says.severity)),
        text(&says.category),
        maybe(says.rule.as_deref()),
        maybe(says.path.as_deref()),
        number(says.start_line),
        number(says.end_line),
        maybe(says.snippet.as_deref()),
        text(&says.cve),
        text(&says.cwe),
        text(&says.aliases),
        maybe(says.component.as_deref()),
        maybe(says.component_version.as_deref()),
        maybe(says.fixed_version.as_deref()),
        maybe(says.fingerprint.as_deref()),
        maybe(says.tool.as_deref()),
        maybe(says.scanner_state.map(ScannerState::as_str)),
        maybe(says.suppression_kind.map(SuppressionKind::as_str)),
        maybe(says.suppression_reason.as_deref()),
        text(&says.pointer),
        maybe(says.details.as_deref()),
        text(&finding.scanner_digest),
        maybe(folded),
    ]
}

/// Findings with their values, and the columns in which one of them has something.
struct Rows<'a> {
    findings: &'a [FindingRow<'a>],
    explanations: Vec<Option<String>>,
    folded: Vec<Option<String>>,
    columns: Vec<usize>,
}

impl<'a> Rows<'a> {
    fn of(findings: &'a [FindingRow<'a>]) -> Self {
        let explanations: Vec<_> = findings
            .iter()
            .map(|finding| finding.says.explanation.map(explanation_id))
            .collect();
        let folded = findings
            .iter()
            .map(|FindingRow { says, .. }| {
                folded([
                    Some(&says.title),
                    says.rule.as_deref(),
                    says.path.as_deref(),
                    says.component.as_deref(),
                ])
            })
            .collect();
        let mut rows = Self {
            findings,
            explanations,
            folded,
            columns: Vec::new(),
        };
        let mut is_used = [false; COLUMNS.len()];
        for at in 0..findings.len() {
            for (column, value) in rows.values(at).into_iter().enumerate() {
                is_used[column] |= match (value, COLUMNS[column].1) {
                    (Value::Absent, _) => false,
                    (Value::Text(text), Absent::Text(absent)) => Some(text) != absent,
                    (Value::Number(number), Absent::Number(absent)) => Some(number) != absent,
                    _ => true,
                };
            }
        }
        rows.columns = (0..COLUMNS.len()).filter(|at| is_used[*at]).collect();
        rows
    }

    fn values(&self, at: usize) -> [Value<'_>; COLUMNS.len()] {
        let (explanation, folded) = (&self.explanations[at], &self.folded[at]);
        values(
            &self.findings[at],
            explanation.as_deref(),
            folded.as_deref(),
        )
    }

    /// `(select … from (values …)) as said` with the columns `id`, `nth` (their order) and those that are used.
    fn push<DB: Database>(&self, dialect: Dialect, query: &mut QueryBuilder<DB>)
    where
        for<'q> &'q str: Encode<'q, DB> + Type<DB>,
        for<'q> Option<&'q str>: Encode<'q, DB> + Type<DB>,
        for<'q> Option<i64>: Encode<'q, DB> + Type<DB>,
    {
        let names = ["id", "nth"]
            .into_iter()
            .chain(self.columns.iter().map(|column| COLUMNS[*column].0));
        match dialect.backend {
            Backend::Sqlite => {
                query.push("(select ");
                for (at, name) in names.enumerate() {
                    let comma = if at == 0 { "" } else { ", " };
                    query.push(format_args!("{comma}column{} as {name}", at + 1));
                }
                query.push(" from (values ");
            }
            Backend::Postgres => {
                query.push("(values ");
            }
        }
        for (at, finding) in self.findings.iter().enumerate() {
            query.push(if at == 0 { "(" } else { ", (" });
            query.push_bind(finding.id.as_str());
            query.push(format_args!(", {at}"));
            let values = self.values(at);
            for column in &self.columns {
                query.push(", ");
                match (values[*column], COLUMNS[*column].1) {
                    (Value::Text(text), _) => query.push_bind(text),
                    (Value::Absent, Absent::Text(absent)) => query.push_bind(absent),
                    (Value::Number(number), _) => {
                        query.push_bind(Some(number)).push(dialect.number)
                    }
                    (Value::Absent, Absent::Number(absent)) => {
                        query.push_bind(absent).push(dialect.number)
                    }
                };
            }
            query.push(")");
        }
        match dialect.backend {
            Backend::Sqlite => query.push(")) as said"),
            Backend::Postgres => {
                query.push(") as said (id, nth");
                for column in &self.columns {
                    query.push(format_args!(", {}", COLUMNS[*column].0));
                }
                query.push(")")
            }
        };
    }
}

/// The two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

#[derive(Clone, Copy)]
struct Dialect {
    backend: Backend,
    /// PostgreSQL takes parameters in a list of values for texts.
    number: &'static str,
    /// A unit of work with a statement that fails is given up as a whole. Where SQLite knows that, it keeps no journal of
    /// the statement, which would copy every page that it touches.
    or_give_up: &'static str,
    /// With a plus SQLite looks each finding up, rather than going through all of them each time.
    same_finding: &'static str,
}

const SQLITE: Dialect = Dialect {
    backend: Backend::Sqlite,
    number: "",
    or_give_up: "or rollback ",
    same_finding: "finding.id = +said.id",
};
const POSTGRES: Dialect = Dialect {
    backend: Backend::Postgres,
    number: "::bigint",
    or_give_up: "",
    same_finding: "finding.id = said.id",
};

/// A statement with its values, at most [`ROWS_PER_STATEMENT`] rows in it. Putting it together takes time, so it is made
/// beside the unit of work, while another is written.
pub enum FindingsWrite {
    Sqlite(QueryBuilder<Sqlite>),
    Postgres(QueryBuilder<Postgres>),
}

/// One text for both databases, made by a function that is generic over them.
macro_rules! statement {
    ($backend:expr, $make:ident($($argument:expr),* $(,)?)) => {
        match $backend {
            Backend::Sqlite => FindingsWrite::Sqlite($make::<Sqlite>(SQLITE, $($argument),*)),
            Backend::Postgres => FindingsWrite::Postgres($make::<Postgres>(POSTGRES, $($argument),*)),
        }
    };
}

fn insert<DB: Database>(
    dialect: Dialect,
    of: &NewFindingsOf,
    first_number: i64,
    findings: &[FindingRow<'_>],
) -> QueryBuilder<DB>
where
    for<'q> &'q str: Encode<'q, DB> + Type<DB>,
    for<'q> Option<&'q str>: Encode<'q, DB> + Type<DB>,
    for<'q> Option<i64>: Encode<'q, DB> + Type<DB>,
{
    let rows = Rows::of(findings);
    let mut query = QueryBuilder::<DB>::new("insert ");
    query.push(dialect.or_give_up).push(
        "into finding (service_id, series_id, status, status_reason, first_seen_at, last_seen_at, first_scan_id, \
         pointer_scan_id, version, id, number",
    );
    for column in &rows.columns {
        query.push(format_args!(", {}", COLUMNS[*column].0));
    }
    query.push(") select ");
    query.push_bind(of.service.as_str()).push(", ");
    query.push_bind(of.series.as_str()).push(", 'open', '', ");
    for _ in ["first_seen_at", "last_seen_at"] {
        query.push_bind(Some(of.at)).push(dialect.number).push(", ");
    }
    for _ in ["first_scan_id", "pointer_scan_id"] {
        query.push_bind(of.scan.as_str()).push(", ");
    }
    query.push("1, said.id, said.nth + ");
    query.push_bind(Some(first_number)).push(dialect.number);
    for column in &rows.columns {
        query.push(format_args!(", said.{}", COLUMNS[*column].0));
    }
    query.push(" from ");
    rows.push(dialect, &mut query);
    query
}

fn refresh<DB: Database>(
    dialect: Dialect,
    scan: &ScanId,
    findings: &[FindingRow<'_>],
) -> QueryBuilder<DB>
where
    for<'q> &'q str: Encode<'q, DB> + Type<DB>,
    for<'q> Option<&'q str>: Encode<'q, DB> + Type<DB>,
    for<'q> Option<i64>: Encode<'q, DB> + Type<DB>,
{
    let rows = Rows::of(findings);
    let mut query = QueryBuilder::<DB>::new("update ");
    query
        .push(dialect.or_give_up)
        .push("finding set version = finding.version + 1, pointer_scan_id = ");
    query.push_bind(scan.as_str());
    for (at, (name, absent)) in COLUMNS.iter().enumerate() {
        if rows.columns.contains(&at) {
            query.push(format_args!(", {name} = said.{name}"));
        } else {
            query.push(format_args!(", {name} = {}", absent.literal()));
        }
    }
    query.push(" from ");
    rows.push(dialect, &mut query);
    query.push(format_args!(" where {}", dialect.same_finding));
    query
}

fn explanation_id(id: u128) -> String {
    format!("{id:032x}")
}

fn insert_explanations<DB: Database>(
    _: Dialect,
    explanations: &[(u128, Explanation<'_>)],
) -> QueryBuilder<DB>
where
    for<'q> &'q str: Encode<'q, DB> + Type<DB>,
    for<'q> Option<&'q str>: Encode<'q, DB> + Type<DB>,
    String: for<'q> Encode<'q, DB> + Type<DB>,
{
    let mut query = QueryBuilder::<DB>::new(
        "insert into explanation (id, description, remediation, rule_name, help_url) ",
    );
    query.push_values(explanations, |mut row, (id, explanation)| {
        row.push_bind(explanation_id(*id))
            .push_bind(&*explanation.description)
            .push_bind(&*explanation.remediation)
            .push_bind(explanation.rule_name.as_deref())
            .push_bind(explanation.help_url.as_deref());
    });
    query.push(" on conflict (id) do nothing");
    query
}

impl FindingsWrite {
    /// Findings that the series did not have, numbered from `first_number` in their order. Their explanations must be
    /// there.
    pub fn insert(
        backend: Backend,
        of: &NewFindingsOf,
        first_number: i64,
        findings: &[FindingRow<'_>],
    ) -> Self {
        statement!(backend, insert(of, first_number, findings))
    }

    /// Brings findings that a scan has again, and of which it says something new, up to what it says: place, wording,
    /// severity, identity. What people decided stays.
    pub fn refresh(backend: Backend, scan: &ScanId, findings: &[FindingRow<'_>]) -> Self {
        statement!(backend, refresh(scan, findings))
    }

    /// Explanations by their ids, as far as they are not there. Units of work wait for one another where they bring the
    /// same one, so all of an import come in the order of their ids.
    pub fn explanations(backend: Backend, explanations: &[(u128, Explanation<'_>)]) -> Self {
        statement!(backend, insert_explanations(explanations))
    }
}

impl Tx {
    /// Writes findings as a [`FindingsWrite`] says.
    pub async fn write_findings(&mut self, write: FindingsWrite) -> Result<(), StorageError> {
        match (self.connection(), write) {
            (Connection::Sqlite(tx), FindingsWrite::Sqlite(mut query)) => {
                query.build().execute(&mut **tx).await?;
            }
            (Connection::Postgres(tx), FindingsWrite::Postgres(mut query)) => {
                query.build().execute(&mut **tx).await?;
            }
            _ => {
                let message = "a write for one database was given to the other";
                return Err(StorageError::Damaged(message.to_owned()));
            }
        }
        Ok(())
    }

    /// Which database this is, for what is made before it is written.
    pub fn backend(&self) -> Backend {
        if self.is_sqlite() {
            Backend::Sqlite
        } else {
            Backend::Postgres
        }
    }
}
