//! From a file's bytes to a report.

use std::io::Read;

use crate::importer::most_certain;
use crate::text::decode;
use crate::{Finding, ImportError, Importer, Problem, Report, Sniff, Summary, importer};

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
    most_certain(&Sniff::of(&decode(bytes).text, file_name))
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

/// Reads a file and hands on each finding as soon as it is complete. After an error none of them may be kept.
pub fn read_into(
    bytes: &[u8],
    file_name: Option<&str>,
    format: Option<&str>,
    sink: &mut dyn FnMut(Finding),
) -> Result<Summary, ImportError> {
    let decoded = decode(bytes);
    if decoded.text.trim_start().is_empty() {
        return Err(ImportError::Empty);
    }
    let importer = match format {
        Some(name) => importer(name)?,
        None => most_certain(&Sniff::of(&decoded.text, file_name))?,
    };
    let mut summary = importer.read(&decoded.text, sink)?;
    summary.format = importer.name();
    if let Some(line) = decoded.damaged_line {
        let problem = Problem {
            where_: format!("line {line}"),
            message: "This line (and perhaps later ones) has bytes that are no text; they are shown as \u{fffd}.".to_owned(),
        };
        summary.problems.insert(0, problem);
    }
    Ok(summary)
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
