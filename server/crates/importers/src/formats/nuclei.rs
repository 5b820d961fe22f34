//! Nuclei, JSON lines or a list.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each match | one finding; several matches of one template on one host in other places are others |
//! | `info.severity` | as it is; unknown is unrated |
//! | `matched-at`, `host` | scope |

use super::reading::{Format, Reading, adding, certain_if, list_with, object_with};
use crate::json::Loose;
use crate::{Body, Category, Finding, ImportError};

pub const NUCLEI: Format = Format {
    name: "nuclei",
    title: "Nuclei JSON",
    tool: "nuclei",
    detect: |sniff| {
        let keys = [["template-id", "info"], ["templateID", "info"]];
        certain_if(
            keys.iter()
                .any(|keys| object_with(sniff, keys) || list_with(sniff, keys)),
        )
    },
    lists: &["info{}"],
    read,
};

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    if text.begins_with('[') {
        let rest = reading.stream(text, &[&["*"]], &mut adding(finding))?;
        return reading.needs_list(&rest, "").map(|_| ());
    }
    reading.documents(text, &mut adding(finding))
}

fn finding(reading: &mut Reading<'_>, pointer: &str, found: &Loose<'_>) -> Finding {
    let info = found.at("info");
    let severity = reading.severity(pointer, &info.text("severity"));
    let matcher = found.first_text(&["matcher-name", "matcher_name"]);
    let name = info.text("name");
    let words = if matcher.is_empty() {
        name.into_owned()
    } else {
        format!("{name} ({matcher})")
    };
    let mut finding = Finding::of(&words, severity, pointer)
        .with_rule(&found.first_text(&["template-id", "templateID"]))
        .with_rule_name(&info.text("name"))
        .with_message(&found.texts("extracted-results"))
        .with_description(&info.text("description"))
        .with_remediation(&info.text("remediation"))
        .with_cwe(info.at("classification/cwe-id"))
        .with_scope(&found.first_text(&["matched-at", "matched", "host"]))
        .with_tags(info.at("tags"))
        .with_score(info.number("classification/cvss-score"))
        .with_category(Category::Web);
    // A list, or one text with an address in each line.
    for reference in info.each("reference") {
        let text = reference.own_text();
        finding = text.split_whitespace().fold(finding, Finding::with_link);
    }
    for cve in info.each("classification/cve-id") {
        finding = finding.with_ids(&cve.own_text());
    }
    finding
}
