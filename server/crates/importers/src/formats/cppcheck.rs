//! cppcheck, XML of versions 2 and 3.
//!
//! The source is danmar/cppcheck, `lib/errorlogger.cpp`, `lib/cppcheck.cpp` and `man/manual.md`.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each `error` | one finding; its first `location` is the place, others are related |
//! | `severity` | error high, warning medium, style, performance and portability low, information, debug and none info |
//! | `inconclusive` | a person is asked to look |
//! | the ids that end the analysis of a file (`syntaxError`, `internalError`, …), `toomanyconfigs`, the report of checkers where it says so | the scan is incomplete |
//! | the report of checkers else | no finding |
//! | no `errors` | the scan is incomplete |
//! | XML of version 1 | refused with its version |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, root_is};
use crate::json::Loose;
use crate::text::{clean_line, normal_path};
use crate::{Body, Category, Confidence, Finding, ImportError, Place, ScannerStatus, Sniff};

pub const CPPCHECK: Format = Format {
    name: "cppcheck",
    title: "cppcheck XML",
    tool: "cppcheck",
    detect,
    lists: &[],
    read,
};

/// After these a file is not looked at any further.
const CRITICAL: [&str; 13] = [
    "cppcheckError",
    "cppcheckLimit",
    "instantiationError",
    "internalAstError",
    "internalError",
    "noValidConfiguration",
    "premium-internalError",
    "premium-invalidArgument",
    "premium-invalidLicense",
    "preprocessorErrorDirective",
    "syntaxError",
    "toomanyconfigs",
    "unknownMacro",
];

const MOST_PLACES: usize = 100;

fn detect(sniff: &Sniff<'_>) -> Confidence {
    certain_if(root_is(sniff, "results") && sniff.text.contains("<cppcheck"))
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let errors: &[&[&str]] = &[&["results", "errors", "error"]];
    let results = reading.xml_stream(text, &["results"], errors, &mut |reading, nth, error| {
        read_error(reading, &format!("error {}", nth.at), error);
        Ok(())
    })?;
    let version = results.text("version");
    if !matches!(&*version, "2" | "3") {
        let found = if version.is_empty() { "1" } else { &version };
        return Err(ImportError::UnsupportedVersion {
            format: reading.format,
            found: found.to_owned(),
            supported: "versions 2 and 3 (--xml --xml-version=2)",
        });
    }
    reading.tool("", &results.text("cppcheck/version"));
    if !results.has("errors") {
        reading.incomplete("results", "it has no list of errors");
    }
    Ok(())
}

fn read_error(reading: &mut Reading<'_>, pointer: &str, error: &Loose<'_>) {
    let (id, words) = (error.text("id"), error.text("msg"));
    if id == "checkersReport" {
        // "Active checkers: There was critical errors (use --checkers-report=<filename> to see details)"
        if words.contains("critical error") {
            reading.incomplete(pointer, &words);
        }
        reading.not_a_finding();
        return;
    }
    let locations = error.each("location");
    let nothing = Loose::Null;
    let first = locations.first().unwrap_or(&nothing);
    let path = match &*first.text("file") {
        "" => error.text("file0").into_owned(),
        path => path.to_owned(),
    };
    if CRITICAL.contains(&&*id) {
        let said = format!("{path} was not looked at in full: {words}");
        reading.incomplete(pointer, &said);
    }
    let severity = match &*error.text("severity") {
        "performance" | "portability" => Severity::Low,
        "debug" => Severity::Info,
        word => reading.severity(pointer, word),
    };
    let mut finding = Finding::of(&words, severity, pointer)
        .with_rule(&id)
        .with_message(&error.text("verbose"))
        .with_cwe(error.at("cwe"))
        .with_path(&path)
        .with_lines(first.line("line"), None)
        .with_columns(first.line("column"), None)
        .with_scope(&error.text("symbol"))
        .with_tag(&error.text("guideline"))
        .with_category(Category::Code);
    if error.flag("inconclusive") {
        finding.status = ScannerStatus::Review;
    }
    let others = locations.iter().skip(1).take(MOST_PLACES);
    finding.related = others
        .map(|place| Place {
            path: Some(normal_path(&place.text("file"), None)).filter(|path| !path.is_empty()),
            start_line: place.line("line"),
            start_column: place.line("column"),
            message: Some(clean_line(&place.text("info"))).filter(|info| !info.is_empty()),
            ..Place::default()
        })
        .collect();
    reading.add(finding);
}
