//! govulncheck, JSON: a stream of messages (protocol 1), one after another or in a list.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | `finding` messages | one finding for each vulnerability and module: an `osv` message alone only says that it exists |
//! | `trace` | severity by what is reached: symbol high, package low, module info; place of the call |
//! | `scan_level` | what the level does not look for is unrated: a package of a scan of packages, a module of one of modules |
//! | `osv` messages | summary, ids, links |
//! | `config` | tool and version |
//! | no `progress` that comes to checking the code, and no finding of code | the stream was cut off: the scan is incomplete |
//! | `SBOM` without modules | nothing was looked at: the scan is incomplete |

use std::collections::HashMap;

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, list_with, object_with};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, Sniff};

pub const GOVULNCHECK: Format = Format {
    name: "govulncheck",
    title: "govulncheck JSON",
    tool: "govulncheck",
    detect,
    lists: &[],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let is_config = object_with(sniff, &["config"]) || list_with(sniff, &["config"]);
    certain_if(is_config && sniff.text.contains("\"protocol_version\""))
}

/// What is known of one vulnerability in one module.
struct Reached {
    pointer: String,
    severity: Severity,
    version: String,
    fixed: String,
    path: String,
    line: Option<u32>,
    symbol: String,
}

#[derive(Default)]
struct Seen {
    /// In the order of the file.
    order: Vec<(String, String)>,
    reached: HashMap<(String, String), Reached>,
    described: HashMap<String, Finding>,
    /// Whether the tool says what it is doing, and whether it got to comparing the code.
    has_progress: bool,
    has_compared: bool,
    /// How deep the scan looked; symbols are the default.
    level: String,
    is_level_told: bool,
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut seen = Seen::default();
    if text.begins_with('[') {
        reading.stream(text, &[&["*"]], &mut |reading, pointer, message| {
            see(reading, &mut seen, pointer, message)
        })?;
    } else {
        reading.documents(text, &mut |reading, place, message| {
            see(reading, &mut seen, place, message)
        })?;
    }
    if !seen.has_compared && (seen.has_progress || seen.order.is_empty()) {
        reading.incomplete(
            "",
            "it ended before the code was compared with the vulnerabilities",
        );
    }
    for key in seen.order {
        let Some(reached) = seen.reached.remove(&key) else {
            continue;
        };
        let (id, module) = &key;
        let described = seen.described.get(id).cloned();
        let mut finding = described.unwrap_or_else(|| Finding::of(id, reached.severity, ""));
        let summary = std::mem::take(&mut finding.title);
        finding.severity = reached.severity;
        finding.pointer.clone_from(&reached.pointer);
        let finding = finding
            .with_rule(id)
            .with_id(id)
            .with_component(module, &reached.version)
            .with_vulnerability_title(id, &summary)
            .with_fixed_version(&reached.fixed)
            .with_path(&reached.path)
            .with_lines(reached.line, None)
            .with_scope(&reached.symbol)
            .with_category(Category::Dependency);
        reading.add(finding);
    }
    Ok(())
}

fn see(
    reading: &mut Reading<'_>,
    seen: &mut Seen,
    pointer: &str,
    message: &Loose<'_>,
) -> Result<(), ImportError> {
    if message.has("config") {
        reading.tool(
            &message.text("config/scanner_name"),
            &message.text("config/scanner_version"),
        );
        seen.level = message.text("config/scan_level").into_owned();
        reading.known_state(
            pointer,
            message,
            "config/scan_level",
            &["module", "package", "symbol"],
        );
    } else if message.at("SBOM").is_object() {
        if message.each("SBOM/modules").is_empty() {
            reading.nothing_looked_at(pointer, "its list of modules is empty");
        }
    } else if message.has("progress") {
        let said = message.text("progress/message");
        seen.has_progress = true;
        seen.has_compared |= said.starts_with("Checking") || said.starts_with("Scanning");
    } else if message.has("osv") {
        let osv = message.at("osv");
        let mut finding = Finding::of(
            &osv.first_text(&["summary", "details", "id"]),
            Severity::Info,
            "",
        )
        .with_description(&osv.text("details"))
        .with_link(&osv.text("database_specific/url"));
        for alias in osv.each("aliases") {
            finding = finding.with_id(&alias.own_text());
        }
        seen.described.insert(osv.text("id").into_owned(), finding);
    } else if message.has("finding") {
        let found = message.at("finding");
        let trace = reading.needed_list(pointer, found, "trace")?;
        if let Some(first) = trace.first() {
            reading.needs_any(&format!("{pointer}/finding/trace/0"), first, &["module"]);
        }
        let nothing = Loose::Null;
        // The first frame is the vulnerable place, the last one the code that reaches it.
        let (first, last) = (
            trace.first().unwrap_or(&nothing),
            trace.last().unwrap_or(&nothing),
        );
        let severity = if !first.text("function").is_empty() {
            Severity::High
        } else if !first.text("package").is_empty() {
            // Whether its functions are called is asked at the level of symbols only.
            if seen.level == "package" {
                Severity::Unrated
            } else {
                Severity::Low
            }
        } else if seen.level == "module" {
            Severity::Unrated
        } else {
            Severity::Info
        };
        if severity == Severity::Unrated {
            let message = format!(
                "The scan looked at the level {} only, so what it found is unrated.",
                seen.level
            );
            if !seen.is_level_told {
                reading.problem(pointer, message);
                seen.is_level_told = true;
            }
        }
        let key = (
            found.text("osv").into_owned(),
            first.text("module").into_owned(),
        );
        let reached = Reached {
            pointer: pointer.to_owned(),
            severity,
            version: first.text("version").into_owned(),
            fixed: found.text("fixed_version").into_owned(),
            path: last.text("position/filename").into_owned(),
            line: last.line("position/line"),
            symbol: first.text("function").into_owned(),
        };
        match seen.reached.get_mut(&key) {
            None => {
                seen.order.push(key.clone());
                seen.reached.insert(key, reached);
            }
            // Severities are declared from critical down.
            Some(known) if reached.severity < known.severity => *known = reached,
            Some(_) => {}
        }
    }
    Ok(())
}
