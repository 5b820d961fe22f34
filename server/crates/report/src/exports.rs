//! The facts for machines: JSON, SARIF 2.1.0 and CSV.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    io::{self, BufWriter, Write},
};

use holdpoint_domain::{FindingStatus, ScannerClaim, ScannerState, Severity, SuppressionKind};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::{
    facts::{Facts, Finding},
    format::timestamp,
};

/// The version of the JSON form, in its `format` field.
pub const JSON_FORMAT: &str = "holdpoint-report@v1";

const SARIF_SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// All facts as JSON, with every list in the order of the report.
pub fn json(facts: Facts) -> String {
    let facts = facts.sorted();
    in_memory(|out| write_json(&facts, out))
}

/// [`json`] of facts that are in the report's order, without holding it.
pub(crate) fn write_json(facts: &Facts, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Report<'a> {
        format: &'static str,
        draft: bool,
        #[serde(flatten)]
        facts: &'a Facts,
    }
    let report = Report {
        format: JSON_FORMAT,
        draft: facts.is_draft(),
        facts,
    };
    write_pretty(&report, out)
}

/// Many small pieces are written, so they are gathered on the way.
fn write_pretty(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(64 * 1024, out);
    serde_json::to_writer_pretty(&mut out, value)?;
    out.write_all(b"\n")?;
    out.flush()
}

fn in_memory(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
    let mut bytes = Vec::new();
    write(&mut bytes).expect("memory takes whatever is written, and these values always serialise");
    String::from_utf8(bytes).expect("only texts are written")
}

/// The findings as SARIF 2.1.0, one run for each tool that found them.
pub fn sarif(facts: Facts) -> String {
    let facts = counting(facts.sorted());
    in_memory(|out| write_sarif(&facts, out))
}

/// [`sarif`] of [`counting`] facts, without holding it.
pub(crate) fn write_sarif(facts: &Facts, out: &mut dyn Write) -> io::Result<()> {
    let mut of_tool: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in &facts.findings {
        let tool = finding.tool.as_deref().filter(|tool| !tool.is_empty());
        of_tool
            .entry(tool.unwrap_or("Holdpoint"))
            .or_default()
            .push(finding);
    }
    // A log of no runs could mean anything; a run without results says that nothing was found.
    if of_tool.is_empty() {
        of_tool.insert("Holdpoint", Vec::new());
    }
    let log = Log {
        schema: SARIF_SCHEMA,
        runs: of_tool
            .iter()
            .map(|(tool, findings)| Run::of(facts, tool, findings))
            .collect(),
        version: "2.1.0",
    };
    write_pretty(&log, out)
}

/// A log of SARIF, its parts in the order of their names.
#[derive(Serialize)]
struct Log<'f> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    runs: Vec<Run<'f>>,
    version: &'static str,
}

/// As [`Log`].
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'f> {
    column_kind: &'static str,
    original_uri_base_ids: Value,
    results: Results<'f>,
    tool: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_control_provenance: Option<Value>,
}

/// Each made when it is written: a hundred thousand of them as JSON values would take a multiple of the file's memory.
struct Results<'f> {
    findings: &'f [&'f Finding],
    /// The place of each rule among the tool's.
    rules: BTreeMap<String, usize>,
}

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.findings.iter().map(|finding| {
            let id = rule_id(finding);
            result(finding, &id, self.rules[&id])
        }))
    }
}

impl<'f> Run<'f> {
    fn of(facts: &Facts, tool: &str, findings: &'f [&'f Finding]) -> Self {
        let mut rules: Vec<Value> = Vec::new();
        let mut index: BTreeMap<String, usize> = BTreeMap::new();
        for finding in findings {
            if let Entry::Vacant(new) = index.entry(rule_id(finding)) {
                rules.push(rule(finding, new.key()));
                new.insert(rules.len() - 1);
            }
        }
        let mut driver = json!({"name": tool, "rules": rules});
        let versions: Vec<_> = facts
            .scans
            .iter()
            .filter(|scan| scan.tool == tool)
            .filter_map(|scan| scan.version.as_ref())
            .collect();
        if tool == "Holdpoint" {
            driver["version"] = json!(facts.instance.version);
        } else if let Some(version) = versions.last() {
            driver["version"] = json!(version);
        }
        let repository = facts.service.repository.as_deref();
        let repository = repository.filter(|url| url.contains("://"));
        let of_commit = repository.zip(facts.review.target_commit.as_ref());
        Self {
            column_kind: "unicodeCodePoints",
            original_uri_base_ids: json!({"%SRCROOT%": {"description": {"text": "The root of the repository."}}}),
            results: Results {
                findings,
                rules: index,
            },
            tool: json!({ "driver": driver }),
            version_control_provenance: of_commit.map(|(repository, commit)| {
                json!([{"repositoryUri": uri(repository), "revisionId": commit}])
            }),
        }
    }
}

fn rule(finding: &Finding, id: &str) -> Value {
    let mut rule = json!({"id": id, "shortDescription": {"text": non_empty(&finding.title)}});
    let url = finding.help_url.as_deref();
    if let Some(url) = url.filter(|url| url.starts_with("http")) {
        rule["helpUri"] = json!(uri(url));
    }
    rule
}

/// Findings as SARIF 2.1.0, piece by piece, for a list that is too long to be held. The findings of one tool come together,
/// and make one run. What is held is one entry for each rule of a run.
#[derive(Debug, Default)]
pub struct SarifPieces {
    tool: Option<String>,
    rules: Vec<Value>,
    index: BTreeMap<String, usize>,
    n_results: usize,
}

impl SarifPieces {
    /// What stands before the first finding.
    pub fn begin(&self) -> String {
        let schema = json!(SARIF_SCHEMA);
        format!("{{\"$schema\":{schema},\"version\":\"2.1.0\",\"runs\":[")
    }

    /// The next findings.
    pub fn more(&mut self, findings: &[Finding]) -> String {
        let mut text = String::new();
        for finding in findings {
            let tool = finding.tool.as_deref().filter(|tool| !tool.is_empty());
            let tool = tool.unwrap_or("Holdpoint");
            if self.tool.as_deref() != Some(tool) {
                if self.tool.is_some() {
                    text.push_str(&self.end_of_run());
                    text.push(',');
                }
                self.tool = Some(tool.to_owned());
                text.push_str("{\"columnKind\":\"unicodeCodePoints\",\"results\":[");
            }
            let id = rule_id(finding);
            let at = match self.index.get(&id) {
                Some(at) => *at,
                None => {
                    self.rules.push(rule(finding, &id));
                    self.index.insert(id.clone(), self.rules.len() - 1);
                    self.rules.len() - 1
                }
            };
            if self.n_results > 0 {
                text.push(',');
            }
            self.n_results += 1;
            text.push_str(&result(finding, &id, at).to_string());
        }
        text
    }

    /// What stands after the last finding. A log of no runs could mean anything; a run without results says that nothing
    /// was found.
    pub fn end(mut self) -> String {
        let mut text = String::new();
        if self.tool.is_none() {
            self.tool = Some("Holdpoint".to_owned());
            text.push_str("{\"columnKind\":\"unicodeCodePoints\",\"results\":[");
        }
        text + &self.end_of_run() + "]}\n"
    }

    fn end_of_run(&mut self) -> String {
        let driver = json!({"driver": {"name": self.tool, "rules": self.rules}});
        self.rules.clear();
        self.index.clear();
        self.n_results = 0;
        format!("],\"tool\":{driver}}}")
    }
}

fn rule_id(finding: &Finding) -> String {
    match finding.rule.as_deref().map(str::trim) {
        None | Some("") => format!("F-{}", finding.number),
        Some(rule) => rule.to_owned(),
    }
}

fn result(finding: &Finding, rule: &str, rule_index: usize) -> Value {
    let level = match finding.severity {
        Severity::Critical | Severity::High | Severity::Unrated => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    };
    let score = match finding.severity {
        Severity::Critical => Some("9.5"),
        Severity::High => Some("8.0"),
        // No number says that it is not known.
        Severity::Unrated => None,
        Severity::Medium => Some("5.5"),
        Severity::Low => Some("2.0"),
        Severity::Info => Some("0.0"),
    };
    let message = if finding.problem.trim().is_empty() {
        finding.title.clone()
    } else {
        format!("{}\n\n{}", finding.title, finding.problem.trim())
    };
    let mut result = json!({
        "ruleId": rule,
        "ruleIndex": rule_index,
        "level": level,
        "message": {"text": non_empty(&message)},
        "guid": guid(&finding.id),
        "properties": {
            "number": finding.number,
            "title": finding.title,
            "severity": finding.severity.as_str(),
            "status": finding.status.as_str(),
            "category": finding.category,
            "remediation": finding.remediation,
            "cve": finding.cve,
            "cwe": finding.cwe,
            "component": finding.component,
            "componentVersion": finding.component_version,
            "fixedVersion": finding.fixed_version,
            "items": finding.item_keys,
            "duplicateOf": finding.duplicate_of,
        },
    });
    if result["guid"].is_null() {
        result.as_object_mut().map(|fields| fields.remove("guid"));
    }
    if let Some(score) = score {
        result["properties"]["security-severity"] = score.into();
    }
    if let Some(path) = &finding.path {
        let mut physical =
            json!({"artifactLocation": {"uri": relative_uri(path), "uriBaseId": "%SRCROOT%"}});
        let mut region = Map::new();
        if let Some(lines) = finding.lines.filter(|lines| lines.first > 0) {
            region.insert("startLine".to_owned(), json!(lines.first));
            region.insert("endLine".to_owned(), json!(lines.last.max(lines.first)));
            if let Some(snippet) = &finding.snippet {
                region.insert("snippet".to_owned(), json!({"text": snippet.text}));
            }
        }
        if !region.is_empty() {
            physical["region"] = Value::Object(region);
        }
        result["locations"] = json!([{"physicalLocation": physical}]);
    }
    if let Some(fingerprint) = &finding.fingerprint {
        result["partialFingerprints"] = json!({"holdpoint/v1": fingerprint});
    }
    let triage = finding.triage.as_ref().map(|triage| triage.reason.clone());
    if let Some(claim) = &finding.scanner {
        result["properties"]["scannerState"] = json!(claim.state);
        match claim.state {
            // Its scanner's suppression, which people have not decided about.
            ScannerState::Suppressed => result["suppressions"] = json!([claimed(claim)]),
            // 3.27.10: what is no failure has no level.
            ScannerState::Review => {
                result["kind"] = json!("review");
                result["level"] = json!("none");
            }
        }
    }
    match finding.status {
        FindingStatus::Open => {}
        FindingStatus::Fixed => result["baselineState"] = json!("absent"),
        FindingStatus::RiskAccepted => {
            let reason = finding
                .acceptance
                .as_ref()
                .map(|acceptance| acceptance.reason.clone());
            result["suppressions"] = suppression(reason.or(triage));
        }
        FindingStatus::FalsePositive => result["suppressions"] = suppression(triage),
        FindingStatus::Duplicate => {
            let of = finding
                .duplicate_of
                .map(|number| format!("Duplicate of F-{number}."));
            result["suppressions"] = suppression(of.or(triage));
        }
    }
    result
}

fn claimed(claim: &ScannerClaim) -> Value {
    let kind = match claim.kind {
        Some(SuppressionKind::InSource) => "inSource",
        Some(SuppressionKind::External) | None => "external",
    };
    let mut suppression = json!({"kind": kind, "status": "accepted"});
    if let Some(reason) = &claim.reason {
        suppression["justification"] = json!(reason);
    }
    suppression
}

fn suppression(why: Option<String>) -> Value {
    match why {
        Some(why) => json!([{"kind": "external", "status": "accepted", "justification": why}]),
        None => json!([{"kind": "external", "status": "accepted"}]),
    }
}

fn non_empty(text: &str) -> &str {
    if text.trim().is_empty() {
        "(no text)"
    } else {
        text
    }
}

/// SARIF lets only UUIDs through.
fn guid(id: &str) -> Option<&str> {
    let fits = id.len() == 36
        && id.char_indices().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_hexdigit(),
        });
    fits.then_some(id)
}

fn uri(text: &str) -> String {
    percent(text, "-._~:/?#[]@!$&'()*+,;=%")
}

fn relative_uri(path: &str) -> String {
    percent(path.trim_start_matches('/'), "-._~/")
}

fn percent(text: &str, kept: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if byte.is_ascii_alphanumeric() || kept.contains(c) {
            out.push(c);
        } else {
            write!(out, "%{byte:02X}").expect("writing to a String cannot fail");
        }
    }
    out
}

/// The findings as CSV (RFC 4180), one line each. A cell that a spreadsheet would take for a formula begins with an
/// apostrophe.
pub fn csv(facts: Facts) -> String {
    let facts = counting(facts.sorted());
    in_memory(|out| write_csv(&facts, out))
}

/// [`csv`] of [`counting`] facts, without holding it.
pub(crate) fn write_csv(facts: &Facts, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(csv_head().as_bytes())?;
    for some in facts.findings.chunks(500) {
        out.write_all(csv_lines(some).as_bytes())?;
    }
    Ok(())
}

/// Sorted facts, each finding with the status that counts at the report's moment: whoever reads it by a program must
/// not take an acceptance for one that holds because its end stands elsewhere.
pub(crate) fn counting(mut facts: Facts) -> Facts {
    let are_open: Vec<bool> = (facts.findings.iter())
        .map(|finding| facts.is_open(finding))
        .collect();
    for (finding, is_open) in facts.findings.iter_mut().zip(are_open) {
        if is_open {
            finding.status = FindingStatus::Open;
        }
    }
    facts
}

/// The first line of [`csv`], for a list that is too long to be held: [`csv_lines`] gives the others piece by piece.
pub fn csv_head() -> String {
    let head = [
        "number",
        "severity",
        "status",
        "category",
        "title",
        "tool",
        "rule",
        "path",
        "start_line",
        "end_line",
        "cve",
        "cwe",
        "component",
        "component_version",
        "fixed_version",
        "items",
        "owners",
        "patches",
        "first_seen",
        "due",
        "accepted_until",
        "duplicate_of",
        "problem",
        "remediation",
        "scanner_state",
        "suppression_kind",
        "suppression_reason",
    ];
    format!("{}\r\n", head.join(","))
}

/// Lines of [`csv`], one for each finding.
pub fn csv_lines(findings: &[Finding]) -> String {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for finding in findings {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let word = |word: Option<&str>| word.unwrap_or_default().to_owned();
        let claim = finding.scanner.as_ref();
        let time = |at: Option<i64>| at.map(timestamp).unwrap_or_default();
        let patches: Vec<_> = finding
            .patches
            .iter()
            .map(|number| format!("P-{number}"))
            .collect();
        let cells = [
            format!("F-{}", finding.number),
            finding.severity.as_str().to_owned(),
            finding.status.as_str().to_owned(),
            text(&finding.category),
            finding.title.clone(),
            text(&finding.tool),
            text(&finding.rule),
            text(&finding.path),
            finding
                .lines
                .map(|lines| lines.first.to_string())
                .unwrap_or_default(),
            finding
                .lines
                .map(|lines| lines.last.to_string())
                .unwrap_or_default(),
            finding.cve.join(" "),
            finding.cwe.join(" "),
            text(&finding.component),
            text(&finding.component_version),
            text(&finding.fixed_version),
            finding.item_keys.join(" "),
            finding.owners.join(", "),
            patches.join(" "),
            timestamp(finding.first_seen),
            time(finding.due),
            time(
                finding
                    .acceptance
                    .as_ref()
                    .map(|acceptance| acceptance.until),
            ),
            finding
                .duplicate_of
                .map(|number| format!("F-{number}"))
                .unwrap_or_default(),
            finding.problem.clone(),
            finding.remediation.clone(),
            word(claim.map(|claim| claim.state.as_str())),
            word(
                claim
                    .and_then(|claim| claim.kind)
                    .map(SuppressionKind::as_str),
            ),
            word(claim.and_then(|claim| claim.reason.as_deref())),
        ];
        writer
            .write_record(cells.iter().map(|cell| harmless(cell)))
            .expect("writing to memory cannot fail, and each line has as many cells as the first");
    }
    let bytes = writer.into_inner().expect("writing to memory cannot fail");
    String::from_utf8(bytes).expect("only texts were written")
}

/// Spreadsheets run what begins like this, the full-width forms too.
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}
