//! Veracode Pipeline Scan, `results.json` and `filtered_results.json`.
//!
//! Source: Veracode documentation, "Pipeline Scan: results"; `veracode/veracode-pipeline-scan-results-to-sarif`,
//! `pipeline_result_schema`.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `findings` | one finding; severity 0 to 5 is info, low (very low), low, medium, high, critical |
//! | `flaw_match` | part of the identity |
//! | `scan_status` other than SUCCESS | the scan is incomplete |
//! | `modules` empty | nothing was looked at: the scan is incomplete |

use super::reading::{Format, Reading, certain_if, object_with};
use super::veracode::severity;
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, Sniff};

pub const VERACODE_PIPELINE: Format = Format {
    name: "veracode_pipeline",
    title: "Veracode Pipeline Scan JSON",
    tool: "Veracode Pipeline Scan",
    detect,
    lists: &["findings", "modules[]"],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let is_scan = object_with(sniff, &["findings", "scan_id", "scan_status"]);
    certain_if(is_scan || object_with(sniff, &["findings", "pipeline_scan"]))
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let rest = reading.stream(
        text,
        &[&["findings", "*"]],
        &mut |reading, pointer, found| {
            let finding = finding(reading, pointer, found)?;
            reading.add(finding);
            Ok(())
        },
    )?;
    reading.needs_list(&rest, "findings")?;
    reading.tool("", &rest.text("pipeline_scan"));
    reading.target(&rest.text("project_name"));
    reading.commit(&rest.text("project_ref_hash"));
    let status = rest.text("scan_status");
    if status != "SUCCESS" {
        let said = rest.text("message");
        reading.incomplete("/scan_status", &format!("its status is {status:?}: {said}"));
    }
    let modules = rest.each("modules").len();
    reading.declared("/modules_count", rest.number("modules_count"), modules);
    if rest.at("modules").is_list() && modules == 0 {
        reading.nothing_looked_at("/modules", "no module");
    }
    Ok(())
}

fn finding(
    reading: &mut Reading<'_>,
    pointer: &str,
    found: &Loose<'_>,
) -> Result<Finding, ImportError> {
    let severity = severity(reading, pointer, &found.text("severity"));
    reading.needs_object(found, "files/source_file")?;
    let place = found.at("files/source_file");
    let print = ["procedure_hash", "flaw_hash", "flaw_hash_ordinal"]
        .map(|key| found.at("flaw_match").text(key).into_owned());
    let has_print = !found.text("flaw_match/flaw_hash").is_empty();
    let page = format!(
        "https://cwe.mitre.org/data/definitions/{}.html",
        found.text("cwe_id")
    );
    Ok(Finding::of(&found.text("issue_type"), severity, pointer)
        .with_rule(&found.first_text(&["issue_type_id", "cwe_id"]))
        .with_rule_name(&found.text("issue_type"))
        .with_message(&plain(&found.text("display_text")))
        .with_cwe(found.at("cwe_id"))
        .with_link(&page)
        .with_path(&place.text("file"))
        .with_lines(place.line("line"), None)
        .with_scope(&place.first_text(&["qualified_function_name", "function_name", "scope"]))
        .with_partial_fingerprint(&if has_print {
            print.join("/")
        } else {
            String::new()
        })
        .with_category(Category::Code))
}

/// Its texts are pieces of a web page.
fn plain(page: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for c in page.chars() {
        match c {
            '<' => is_tag = true,
            '>' if is_tag => is_tag = false,
            c if !is_tag => text.push(c),
            _ => {}
        }
    }
    text
}
