//! GitLab's security reports, versions 2 to 15: five formats of one schema.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `vulnerabilities` | one finding, no merging: several without id can be of one rule and file |
//! | `severity` | as it is; Unknown and Undefined are unrated |
//! | `flags` | `flagged-as-likely-false-positive`: suppressed, with what the analyzer says; any other: open, and told |
//! | `dependency_files`, `scan.scanned_resources` empty | nothing was looked at: the scan is incomplete |
//! | `scan.type`, else `category`, else the places | which of the five it is; fuzzing of an API is DAST, of code it is refused |
//! | `identifiers` | rule, CVE, CWE, others |
//! | `id` | no part of the identity: many analysers make a new one in each run |
//! | `scan.status` other than success, `scan.messages` of level fatal or error, warnings that say so | the scan is incomplete |

use super::reading::{
    Format, Reading, adding, certain_if, likely_if, object_with, says_unfinished,
    vulnerability_title,
};
use crate::json::Loose;
use crate::text::shortened;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

const fn format(
    name: &'static str,
    title: &'static str,
    detect: fn(&Sniff<'_>) -> Confidence,
) -> Format {
    Format {
        name,
        title,
        tool: "gitlab",
        detect,
        lists: &[
            "vulnerabilities",
            "vulnerabilities/*/identifiers",
            "vulnerabilities/*/flags?",
            "scan?/messages?",
            "scan?/scanned_resources?",
            "dependency_files?",
        ],
        read,
    }
}

pub const GITLAB_SAST: Format = format("gitlab_sast", "GitLab SAST report", |sniff| {
    detect(sniff, Kind::Sast)
});
pub const GITLAB_DEP_SCAN: Format = format(
    "gitlab_dep_scan",
    "GitLab dependency scanning report",
    |sniff| detect(sniff, Kind::Dependency),
);
pub const GITLAB_CONTAINER_SCAN: Format = format(
    "gitlab_container_scan",
    "GitLab container scanning report",
    |sniff| detect(sniff, Kind::Container),
);
pub const GITLAB_DAST: Format = format("gitlab_dast", "GitLab DAST report", |sniff| {
    detect(sniff, Kind::Dast)
});
pub const GITLAB_SECRET_DETECTION_REPORT: Format = format(
    "gitlab_secret_detection_report",
    "GitLab secret detection report",
    |sniff| detect(sniff, Kind::Secret),
);

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Sast,
    Dependency,
    Container,
    Dast,
    Secret,
    /// None of the five.
    Fuzzing,
}

fn detect(sniff: &Sniff<'_>, kind: Kind) -> Confidence {
    if !object_with(sniff, &["vulnerabilities"]) {
        return Confidence::No;
    }
    let has = |key| sniff.has_key(key);
    let has_version = has("version")
        && (has("remediations") || has("scan") || has("dependency_files") || has("schema"));
    let is_scan = has("scan") && sniff.text.contains("\"scanner\"");
    // Cut out of a report, as GitLab's own examples are.
    let is_bare = has("__comment__")
        || sniff.text.contains("\"identifiers\"") && sniff.text.contains("\"location\"");
    let said = kind_of(sniff.text);
    let is_ours = said.unwrap_or(Kind::Sast) == kind;
    // An empty report of the older versions does not say which kind it is.
    let could_be = if said.is_none() && has_version {
        Confidence::Possible
    } else {
        Confidence::No
    };
    certain_if((has_version || is_scan) && is_ours)
        .max(likely_if(is_bare && is_ours))
        .max(could_be)
}

/// The only flag that hides a finding.
const FALSE_POSITIVE: &str = "flagged-as-likely-false-positive";

/// A reason stands in one line of a page.
const MOST_REASON_CHARS: usize = 500;

/// What the report says of its kind.
fn kind_of(text: &str) -> Option<Kind> {
    // The scan's section stands at the beginning or the end; the vulnerabilities between them can be many.
    const PART_BYTES: usize = 64 * 1024;
    let cut = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (head, tail) = (
        &text[..cut(text.len().min(PART_BYTES))],
        &text[cut(text.len().saturating_sub(PART_BYTES))..],
    );
    let dense: String = head
        .chars()
        .chain(tail.chars())
        .filter(|c| !c.is_whitespace())
        .collect();
    let says = |word: &str| {
        dense.contains(&format!("\"type\":\"{word}\""))
            || dense.contains(&format!("\"category\":\"{word}\""))
    };
    let words = [
        ("dependency_scanning", Kind::Dependency),
        ("container_scanning", Kind::Container),
        ("secret_detection", Kind::Secret),
        ("sast", Kind::Sast),
        ("dast", Kind::Dast),
        ("api_fuzzing", Kind::Dast),
        ("coverage_fuzzing", Kind::Fuzzing),
        ("cluster_image_scanning", Kind::Container),
    ];
    if let Some((_, kind)) = words.iter().find(|(word, _)| says(word)) {
        return Some(*kind);
    }
    let has = |text: &str| dense.contains(text);
    if has("\"hostname\":") || has("test_api_scan") {
        Some(Kind::Dast)
    } else if has("\"operating_system\":") {
        Some(Kind::Container)
    } else if has("\"package\":{\"name\"") || has("\"dependency_files\":") {
        Some(Kind::Dependency)
    } else if has("\"raw_source_code_extract\":") {
        Some(Kind::Secret)
    } else {
        None
    }
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let rest = reading.stream(text, &[&["vulnerabilities", "*"]], &mut adding(finding))?;
    reading.needs_list(&rest, "vulnerabilities")?;
    let scan = rest.at("scan");
    let kind = scan.first_text(&["type"]);
    let of_kind = match &*kind {
        "sast" => "gitlab_sast",
        "dependency_scanning" => "gitlab_dep_scan",
        "container_scanning" | "cluster_image_scanning" => "gitlab_container_scan",
        "dast" | "api_fuzzing" => "gitlab_dast",
        "secret_detection" => "gitlab_secret_detection_report",
        "" => reading.format,
        _ => "",
    };
    if of_kind != reading.format {
        let said = if of_kind.is_empty() {
            format!("a report of {kind:?}, which is not read.")
        } else {
            format!("a report of {kind:?}; its format is {of_kind}.")
        };
        return Err(reading.broken("$.scan.type", said));
    }
    let analyzer = scan.first_text(&["analyzer/id", "analyzer/name", "scanner/id"]);
    if !analyzer.is_empty() {
        reading.target(&format!("{analyzer} {kind}"));
    }
    for (key, list) in [
        ("/dependency_files", rest.at("dependency_files")),
        ("/scan/scanned_resources", scan.at("scanned_resources")),
    ] {
        if list.is_list() && list.items().is_empty() {
            reading.nothing_looked_at(key, "the list is empty");
        }
    }
    reading.tool(
        &scan.first_text(&["scanner/name", "analyzer/name"]),
        &scan.first_text(&["scanner/version", "analyzer/version"]),
    );
    reading.scanned_at(&scan.first_text(&["end_time", "start_time"]));
    for (at, message) in scan.each("messages").iter().enumerate() {
        let said = message.text("value");
        let is_told = match &*message.text("level") {
            "info" | "debug" => false,
            "warn" | "warning" => says_unfinished(&said),
            _ => true,
        };
        if is_told {
            reading.incomplete(format!("/scan/messages/{at}"), &said);
        }
    }
    let status = scan.text("status");
    if status != "success" && (!status.is_empty() || scan.has("status")) {
        reading.incomplete("/scan/status", &format!("its status is {status:?}"));
    }
    Ok(())
}

fn finding(reading: &mut Reading<'_>, pointer: &str, vulnerability: &Loose<'_>) -> Finding {
    let severity = reading.severity(pointer, &vulnerability.text("severity"));
    let place = vulnerability.at("location");
    let identifiers = vulnerability.each("identifiers");
    let is_weakness = |id: &&Loose<'_>| {
        matches!(
            id.text("type").to_ascii_lowercase().as_str(),
            "cwe" | "owasp"
        )
    };
    let main = identifiers
        .iter()
        .find(|id| !is_weakness(id))
        .or(identifiers.first());
    let rule = main.map_or("".into(), |id| id.first_text(&["value", "name"]));
    let (name, version) = (
        place.text("dependency/package/name"),
        place.text("dependency/version"),
    );
    let message = vulnerability.first_text(&["message", "name", "description"]);
    let words = vulnerability.first_text(&["name", "message", "description"]);
    let words = if name.is_empty() {
        words.into_owned()
    } else {
        vulnerability_title(&rule, &name, &version, &words)
    };
    let category = match reading.format {
        "gitlab_sast" => Category::Code,
        "gitlab_dast" => Category::Web,
        "gitlab_secret_detection_report" => Category::Secret,
        "gitlab_container_scan" => Category::Container,
        _ => Category::Dependency,
    };
    let url = |path: &str| format!("{}{}", place.text("hostname"), place.text(path));
    let mut finding = Finding::of(&words, severity, pointer)
        .with_rule(&rule)
        .with_message(&message)
        .with_description(&vulnerability.text("description"))
        .with_remediation(&vulnerability.text("solution"))
        .with_path(&place.text("file"))
        .with_lines(place.line("start_line"), place.line("end_line"))
        .with_scope(&[place.text("class"), place.text("method")].join(" "))
        .with_component(&name, &version);
    finding = match category {
        Category::Secret => finding.with_secret(&vulnerability.text("raw_source_code_extract")),
        Category::Web => finding.with_scope(&format!(
            "{} {} {}",
            place.text("method"),
            url("path"),
            place.text("param")
        )),
        Category::Container if !place.text("image").is_empty() => {
            finding.with_scope(&place.text("image"))
        }
        _ => finding,
    };
    for id in identifiers {
        let (kind, value) = (id.text("type").to_ascii_lowercase(), id.text("value"));
        finding = match kind.as_str() {
            "cwe" => finding.with_cwe(id.at("value")),
            "cve" | "ghsa" | "osvdb" | "usn" | "rhsa" | "elsa" => finding.with_id(&value),
            _ => finding.with_ids(&id.text("name")),
        };
        finding = finding.with_link(&id.text("url"));
    }
    for link in vulnerability.each("links") {
        finding = finding.with_link(&link.text("url"));
    }
    for flag in vulnerability.each("flags") {
        let kind = flag.text("type");
        if kind != FALSE_POSITIVE {
            reading.unknown_word(pointer, "flag", &kind);
        } else if finding.status == ScannerStatus::Open {
            let said = ["type", "origin", "description"].map(|key| flag.text(key).into_owned());
            finding.status = ScannerStatus::Suppressed;
            finding.suppression_reason = Some(shortened(&said.join(" "), MOST_REASON_CHARS));
        }
    }
    if !vulnerability.text("scanner/name").is_empty() {
        finding = finding.with_tool(&vulnerability.text("scanner/name"));
    }
    finding.with_category(category)
}
