//! cargo-deny, JSON lines (`cargo deny --format json check`, which it writes to its error output).
//!
//! The source is EmbarkStudios/cargo-deny, `src/diag.rs`, `src/diag/grapher.rs`, `src/advisories/diags.rs`,
//! `src/cargo-deny/stats.rs` and `docs/src/checks`.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each line of type `diagnostic` | one finding, but for what its checks have allowed |
//! | `severity` | the CVSS vector of the advisory; else its word: error high, warning medium, note low, help info; malicious packages as in every format |
//! | an advisory of severity note or help, `advisory-ignored`, `yanked-ignored` | suppressed: the configuration allows it |
//! | the crate of `graphs`, else none, which is told | component and version |
//! | `index-failure`; lines of type `log` of level ERROR, and of WARN that say so | the scan is incomplete |
//! | no line of type `summary`, one without checks, more errors and warnings counted than listed | the scan is incomplete |

use holdpoint_domain::Severity;

use super::ratings::score_of;
use super::reading::{Format, Reading, certain_if, list_with, object_with, says_unfinished};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const CARGO_DENY: Format = Format {
    name: "cargo_deny",
    title: "cargo-deny JSON lines",
    tool: "cargo-deny",
    detect,
    lists: &[
        "fields{}",
        "fields/labels?",
        "fields/notes?[]",
        "fields/graphs?",
    ],
    read,
};

/// What is there because the checks allow it.
const ALLOWED: [&str; 11] = [
    "accepted",
    "allowed",
    "allowed-by-organization",
    "allowed-by-wrapper",
    "allowed-source",
    "checksum-match",
    "features-enabled",
    "path-bypassed",
    "path-bypassed-by-glob",
    "skipped",
    "skipped-private-workspace-crate",
];

const LICENCE_CODES: [&str; 9] = [
    "rejected",
    "unlicensed",
    "license-not-encountered",
    "license-exception-not-encountered",
    "missing-clarification-file",
    "parse-error",
    "empty-license-field",
    "no-license-field",
    "gather-failure",
];

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let keys = ["type", "fields"];
    let is_its = ["\"diagnostic\"", "\"summary\"", "\"log\""]
        .iter()
        .any(|kind| sniff.text.contains(kind));
    certain_if(is_its && (object_with(sniff, &keys) || list_with(sniff, &keys)))
}

/// What the file counts, and what it lists.
#[derive(Default)]
struct Seen {
    n_grave: usize,
    has_summary: bool,
    /// Where it is said how many errors and warnings there are.
    declared: Option<(String, f64)>,
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut seen = Seen::default();
    reading.documents(text, &mut |reading, place, line| {
        let fields = line.at("fields");
        match &*line.text("type") {
            "log" => read_log(reading, place, fields),
            "summary" => read_summary(reading, place, fields, &mut seen),
            "diagnostic" => read_diagnostic(reading, place, fields, &mut seen),
            word => {
                reading.unknown_word(place, "type of a line", word);
                read_diagnostic(reading, place, fields, &mut seen);
            }
        }
        Ok(())
    })?;
    if let Some((place, n)) = seen.declared {
        reading.declared(&place, Some(n), seen.n_grave);
    }
    if !seen.has_summary {
        reading.incomplete("", "it has no summary, so it does not say that it ended");
    }
    Ok(())
}

fn read_log(reading: &mut Reading<'_>, place: &str, fields: &Loose<'_>) {
    let words = fields.text("message");
    match &*fields.text("level").to_ascii_uppercase() {
        "ERROR" => reading.incomplete(place, &words),
        // Its own defaults do as well.
        "WARN" if words.contains("default config") => {}
        "WARN" | "WARNING" if says_unfinished(&words) => reading.incomplete(place, &words),
        "WARN" | "WARNING" | "INFO" | "DEBUG" | "TRACE" => {}
        word => reading.unknown_word(place, "level", word),
    }
}

fn read_summary(reading: &mut Reading<'_>, place: &str, fields: &Loose<'_>, seen: &mut Seen) {
    seen.has_summary = true;
    let checks = fields.own_entries();
    if checks.is_empty() {
        reading.nothing_looked_at(place, "no check was run");
    }
    let counts = checks
        .iter()
        .flat_map(|(_, counts)| ["errors", "warnings"].map(|key| counts.number(key)));
    let n: f64 = counts.flatten().sum();
    let before = seen.declared.take().map_or(0.0, |(_, n)| n);
    seen.declared = Some((place.to_owned(), before + n));
}

fn read_diagnostic(reading: &mut Reading<'_>, place: &str, fields: &Loose<'_>, seen: &mut Seen) {
    let (code, word) = (fields.text("code"), fields.text("severity"));
    let is_allowed = matches!(&*word, "note" | "help");
    seen.n_grave += usize::from(!is_allowed);
    if is_allowed && ALLOWED.contains(&&*code) {
        reading.not_a_finding();
        return;
    }
    if code == "index-failure" || code == "A006" {
        reading.incomplete(place, &fields.text("message"));
    }
    let found = finding(reading, place, fields, is_allowed);
    reading.add(found);
}

fn finding(
    reading: &mut Reading<'_>,
    place: &str,
    fields: &Loose<'_>,
    is_allowed: bool,
) -> Finding {
    let (code, word) = (fields.text("code"), fields.text("severity"));
    let advisory = fields.at("advisory");
    let score = score_of(advisory.at("cvss"));
    let severity = match (&*word, score) {
        ("error" | "warning" | "note" | "help", Some(score)) => Severity::from_cvss_score(score),
        ("help", None) => Severity::Info,
        ("bug", None) => Severity::High,
        (word, score) => reading.rated(place, word, score),
    };
    let graph = fields.each("graphs").first();
    if !fields.has("graphs") {
        reading.unknown_word(place, "graph, which names the crate,", "");
    }
    let nothing = Loose::Null;
    let graph = graph.unwrap_or(&nothing);
    let (name, version) = (
        graph.first_text(&["Krate/name", "name"]),
        graph.first_text(&["Krate/version", "version"]),
    );
    let is_of_advisory = advisory.is_object();
    let id = advisory.text("id");
    let category = if LICENCE_CODES.contains(&&*code) {
        Category::Licence
    } else {
        Category::Dependency
    };
    let labels = fields.each("labels").iter();
    let labels: Vec<_> = labels.map(|label| label.text("message")).collect();
    let is_suppressed = matches!(&*code, "advisory-ignored" | "yanked-ignored")
        || is_allowed && (is_of_advisory || code == "yanked");
    let status = if is_suppressed {
        ScannerStatus::Suppressed
    } else {
        ScannerStatus::Open
    };
    let message = fields.text("message");
    let mut finding = Finding::of(&message, severity, place)
        .with_rule(if id.is_empty() { &code } else { &id })
        .with_rule_name(&code)
        .with_description(&advisory.text("description"))
        .with_message(&labels.join(" "))
        .with_link(&advisory.text("url"))
        .with_component(&name, &version)
        .with_score(score)
        .with_status(status)
        .with_category(category);
    if is_of_advisory {
        finding = finding.with_id(&id).with_vulnerability_title(&id, &message);
        for alias in advisory.each("aliases") {
            finding = finding.with_id(&alias.own_text());
        }
    }
    for note in fields.each("notes") {
        let note = note.own_text();
        if let Some(solution) = note.strip_prefix("Solution: ") {
            finding = finding.with_remediation(solution);
        }
    }
    finding
}
