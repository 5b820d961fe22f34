//! TruffleHog 3, JSON lines.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each line with `DetectorName` | one finding; lines of the log are left out, one of level error makes the scan incomplete |
//! | a log alone | no finding, if it says that the scan has finished; else the scan is incomplete |
//! | `Verified` | critical: the secret works; else high |
//! | `SourceMetadata.Data.*` | path, line, commit, whatever the kind of source |
//! | `Raw` | only its digest |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, object_with};
use crate::json::Loose;
use crate::{Body, Confidence, Finding, ImportError, Sniff};

pub const TRUFFLEHOG: Format = Format {
    name: "trufflehog",
    title: "TruffleHog JSON lines",
    tool: "trufflehog",
    detect,
    lists: &[],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let is_log = object_with(sniff, &["level", "ts"])
        && (sniff.text.contains("\"DetectorName\"") || sniff.text.contains("\"trufflehog\""));
    certain_if(object_with(sniff, &["SourceMetadata", "DetectorName"]) || is_log)
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let (mut n_results, mut n_log_lines, mut has_finished) = (0, 0, false);
    reading.documents(text, &mut |reading, place, line| {
        if line.has("DetectorName") || line.has("SourceMetadata") {
            n_results += 1;
            reading.add(finding(place, line));
        } else {
            n_log_lines += u32::from(line.has("level") && line.has("msg"));
            has_finished |= line.text("msg") == "finished scanning";
            if line.text("level").starts_with("error") {
                reading.incomplete(place, &line.first_text(&["msg", "error"]));
            }
        }
        Ok(())
    })?;
    if n_log_lines > 0 && !has_finished {
        reading.incomplete("", "its log does not say that the scan has finished");
    } else if n_results == 0 && n_log_lines == 0 {
        return Err(reading.broken("$", "none of the lines has a DetectorName."));
    }
    Ok(())
}

fn finding(place: &str, secret: &Loose<'_>) -> Finding {
    let nothing = Loose::Null;
    let source = secret
        .entries("SourceMetadata/Data")
        .first()
        .map_or(&nothing, |(_, source)| source);
    let is_verified = secret.flag("Verified");
    let detector = secret.text("DetectorName");
    let state = if is_verified {
        "verified"
    } else {
        "unverified"
    };
    let severity = if is_verified {
        Severity::Critical
    } else {
        Severity::High
    };
    let commit = source.text("commit");
    let message = if commit.is_empty() {
        String::new()
    } else {
        format!("In commit {commit}.")
    };
    Finding::of(&format!("{detector} secret ({state})"), severity, place)
        .with_rule(&detector)
        .with_description(&secret.text("DetectorDescription"))
        .with_message(&message)
        .with_path(&source.first_text(&["file", "path", "filename"]))
        .with_lines(source.line("line"), None)
        .with_link(&source.text("link"))
        .with_secret(&secret.first_text(&["Raw", "RawV2"]))
}
