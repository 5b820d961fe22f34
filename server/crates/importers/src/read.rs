//! From a file's bytes to a report.

use std::io::Read;

use crate::importer::{most_certain, streaming_and_certain};
use crate::{
    Body, Finding, ImportError, Importer, Input, InputLimits, Pieces, Problem, Report, Sniff,
    Source, Summary, importer,
};

/// Takes in a whole file, of at most so many bytes.
pub fn read_bytes(source: impl Read, most_bytes: u64) -> Result<Vec<u8>, ImportError> {
    let mut bytes = Vec::new();
    let mut limited = source.take(most_bytes.saturating_add(1));
    let unreadable = |error: std::io::Error| ImportError::Unreadable {
        message: error.to_string(),
    };
    let length = limited.read_to_end(&mut bytes).map_err(unreadable)?;
    if length as u64 > most_bytes {
        return Err(ImportError::TooLarge { most_bytes });
    }
    Ok(bytes)
}

/// Which format this is, from its content; the file's name only breaks ties.
pub fn detect(bytes: &[u8], file_name: Option<&str>) -> Result<&'static dyn Importer, ImportError> {
    let decoded = Input::of(&bytes, InputLimits::default())?.whole()?;
    most_certain(&Sniff::of(&decoded.text, file_name))
}

/// Reads a file whole. `format` is an importer's name, if a person named one.
pub fn read(
    bytes: &[u8],
    file_name: Option<&str>,
    format: Option<&str>,
) -> Result<Report, ImportError> {
    let mut findings = Vec::new();
    let summary = read_into(bytes, file_name, format, &mut |finding| {
        findings.push(finding);
    })?;
    Ok(Report { summary, findings })
}

/// Reads a file that is in memory and hands on each finding as soon as it is complete. After an error none of them may be
/// kept.
pub fn read_into(
    bytes: &[u8],
    file_name: Option<&str>,
    format: Option<&str>,
    sink: &mut dyn FnMut(Finding),
) -> Result<Summary, ImportError> {
    read_source(&bytes, InputLimits::default(), file_name, format, sink)
}

/// Reads a file from wherever it is, packed or not, and hands on each finding as soon as it is complete; memory does not
/// grow with a file whose format is read piece by piece. After an error none of the findings may be kept.
pub fn read_source(
    source: &dyn Source,
    limits: InputLimits,
    file_name: Option<&str>,
    format: Option<&str>,
    sink: &mut dyn FnMut(Finding),
) -> Result<Summary, ImportError> {
    let input = Input::of(source, limits)?;
    let named = format.map(importer).transpose()?;
    let head_bytes = Sniff::HEAD_BYTES as u64;
    let streaming = match named {
        Some(importer) => importer.streaming().map(|_| importer),
        None => streaming_and_certain(&input.beginning(head_bytes)?, file_name),
    };
    if let Some(importer) = streaming
        && let Some(reader) = importer.streaming()
    {
        let mut summary = reader.read_input(&input, sink)?;
        summary.format = importer.name();
        return Ok(summary);
    }
    let (mut summary, damaged_line) = match input.whole_if_short()? {
        Some(decoded) => {
            let summary = read_body(Body::Whole(&decoded.text), named, file_name, sink)?;
            (summary, decoded.damaged_line)
        }
        None => {
            let pieces = Pieces::of(&input)?;
            let summary = read_body(Body::Pieces(&pieces), named, file_name, sink)?;
            (summary, pieces.damaged_line())
        }
    };
    if let Some(line) = damaged_line {
        summary.problems.insert(0, damaged(line));
    }
    Ok(summary)
}

fn read_body(
    body: Body<'_>,
    named: Option<&'static dyn Importer>,
    file_name: Option<&str>,
    sink: &mut dyn FnMut(Finding),
) -> Result<Summary, ImportError> {
    if body.beginning().trim_start().is_empty() {
        return Err(empty(named, file_name));
    }
    let importer = match named {
        Some(importer) => importer,
        None => most_certain(&Sniff::of_body(body, file_name))?,
    };
    let mut summary = importer.read(body, sink)?;
    summary.format = importer.name();
    Ok(summary)
}

/// Tools that write one line for each finding, and how they leave evidence of a scan that has found nothing.
const LINE_WRITERS: &[(&str, &str)] = &[
    (
        "trufflehog",
        "keep its log too, whose last line says that it has finished (trufflehog … --json > report.jsonl 2>&1).",
    ),
    (
        "nuclei",
        "let it write a list (-json-export report.json), or say so in a report of the generic format.",
    ),
    ("noseyparker", "say so in a report of the generic format."),
    (
        "kingfisher",
        "let it write --format json, whose last document counts what was looked at.",
    ),
    ("yamllint", "say so in a report of the generic format."),
    (
        "actionlint",
        "let it write a list (-format '{{json .}}'), which is [] then.",
    ),
    (
        "cargo_deny",
        "keep its error output, whose last line is the summary (cargo deny --format json check 2> deny.json).",
    ),
    (
        "mypy",
        "keep the line of text that says so (without --no-error-summary), or let it write its JUnit XML.",
    ),
    (
        "staticcheck",
        "let it write SARIF (-f sarif), which says what was looked at.",
    ),
];

/// What is said of an empty file, whose format a person or its name says.
fn empty(named: Option<&'static dyn Importer>, file_name: Option<&str>) -> ImportError {
    let sniff = Sniff::of("", file_name);
    let is_meant = |name: &str| match named {
        Some(importer) => importer.name() == name,
        None => importer(name).is_ok_and(|importer| sniff.has_file_name_of(importer)),
    };
    let writer = LINE_WRITERS.iter().find(|(name, _)| is_meant(name));
    match writer.and_then(|(name, advice)| Some((importer(name).ok()?, *advice))) {
        Some((importer, advice)) => ImportError::EmptyLines {
            title: importer.title(),
            advice,
        },
        None => ImportError::Empty,
    }
}

/// What is said of a file with bytes that are no text.
pub(crate) fn damaged(line: usize) -> Problem {
    Problem {
        where_: format!("line {line}"),
        message: "This line (and perhaps later ones) has bytes that are no text; they are shown as \u{fffd}.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_taken_in_up_to_its_limit_and_not_beyond() {
        assert_eq!(read_bytes(&b"12345"[..], 5).unwrap(), b"12345");
        let refused = read_bytes(&b"123456"[..], 5);
        assert_eq!(refused, Err(ImportError::TooLarge { most_bytes: 5 }));
        assert!(read_bytes(std::io::repeat(b' '), 1_000).is_err());
    }
}
