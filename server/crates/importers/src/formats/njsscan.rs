//! njsscan, JSON.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `files` of each rule below `nodejs` and `templates` | one finding; a rule without files (something is missing everywhere) one |
//! | a part or the list of errors missing | the scan is incomplete |
//! | `metadata.severity` | ERROR high, WARNING medium, INFO low |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, is_only, likely_if};
use crate::json::{Loose, whole_number};
use crate::{Body, Category, Confidence, Finding, ImportError};

pub const NJSSCAN: Format = Format {
    name: "njsscan",
    title: "njsscan JSON",
    tool: "njsscan",
    detect: |sniff| {
        if is_only(sniff, "{}") {
            return Confidence::Possible;
        }
        let has_part = sniff.has_key("nodejs") || sniff.has_key("templates");
        certain_if(sniff.has_key("njsscan_version")).max(likely_if(has_part))
    },
    lists: &[
        "nodejs{}",
        "templates{}",
        "errors[]",
        "nodejs?/*/files?",
        "templates?/*/files?",
        "nodejs?/*/files?/*/match_lines[]",
        "templates?/*/files?/*/match_lines[]",
    ],
    read,
};

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let patterns: &[&'static [&'static str]] = &[&["nodejs", "*"], &["templates", "*"]];
    let rest = reading.stream(text, patterns, &mut |reading, pointer, rule| {
        let name = pointer.rsplit('/').next().unwrap_or("");
        let severity = match &*rule.text("metadata/severity") {
            "INFO" => Severity::Low,
            word => reading.severity(pointer, word),
        };
        let nothing = [Loose::Null];
        let files = rule.each("files");
        if files.is_empty() {
            // So are what it calls missing controls.
            let said = format!("The rule {name} names no file.");
            reading.problem(pointer, said);
        }
        for (at, file) in (if files.is_empty() { &nothing } else { files })
            .iter()
            .enumerate()
        {
            let line = |at: usize| {
                let number = file.each("match_lines").get(at).and_then(Loose::as_number);
                number.and_then(whole_number).filter(|number| *number > 0)
            };
            let description = rule.text("metadata/description");
            reading.add(
                Finding::of(&description, severity, &format!("{pointer}/files/{at}"))
                    .with_rule(name)
                    .with_description(&description)
                    .with_cwe(rule.at("metadata/cwe"))
                    .with_path(&file.text("file_path"))
                    .with_lines(line(0), line(1))
                    .with_snippet(&file.text("match_string"))
                    .with_category(Category::Code),
            );
        }
        Ok(())
    })?;
    reading.needs_object(&rest, "")?;
    reading.tool("", &rest.text("njsscan_version"));
    for (at, error) in rest.each("errors").iter().enumerate() {
        reading.incomplete(format!("/errors/{at}"), &error.own_texts());
    }
    Ok(())
}
