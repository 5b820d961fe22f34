//! TruffleHog 3, JSON lines, also as one list (`jq -s`), and truffleHog 2.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each line with `DetectorName` | one finding; lines of the log are left out, one of level error makes the scan incomplete |
//! | a log alone | no finding, if it says that the scan has finished; else the scan is incomplete |
//! | the log counts more secrets than there are, or no chunks | the scan is incomplete |
//! | an empty list | no evidence of a scan: incomplete |
//! | truffleHog 2: each line with `stringsFound` | one finding, high; only the digest of the strings |
//! | `Verified` | critical: the secret works; else high |
//! | `SourceMetadata.Data.*` | path, line, commit, whatever the kind of source |
//! | `Raw` | only its digest |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, list_with, object_with};
use crate::json::Loose;
use crate::{Body, Confidence, Finding, ImportError, Sniff};

pub const TRUFFLEHOG: Format = Format {
    name: "trufflehog",
    title: "TruffleHog JSON lines",
    tool: "trufflehog",
    detect,
    lists: &["stringsFound?[]"],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let of_any = |keys: &[&str]| object_with(sniff, keys) || list_with(sniff, keys);
    let is_log = object_with(sniff, &["level", "ts"])
        && (sniff.text.contains("\"DetectorName\"") || sniff.text.contains("\"trufflehog\""));
    certain_if(
        of_any(&["SourceMetadata", "DetectorName"])
            || of_any(&["stringsFound", "reason", "path"])
            || is_log,
    )
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let (mut n_results, mut n_log_lines, mut has_finished) = (0, 0, false);
    let mut finished = None;
    reading.documents(text, &mut |reading, place, line| {
        if line.has("DetectorName") || line.has("SourceMetadata") {
            n_results += 1;
            reading.add(finding(place, line));
        } else if line.has("stringsFound") {
            n_results += 1;
            let found = finding_of_2(reading, place, line);
            reading.add(found);
        } else {
            n_log_lines += u32::from(line.has("level") && line.has("msg"));
            if line.text("msg") == "finished scanning" {
                has_finished = true;
                let counts = ["verified_secrets", "unverified_secrets"];
                let n: f64 = counts.iter().filter_map(|key| line.number(key)).sum();
                finished = Some((place.to_owned(), n));
                if line.number("chunks") == Some(0.0) {
                    reading.nothing_looked_at(place, "no chunks of data");
                }
            }
            if line.text("level").starts_with("error") {
                reading.incomplete(place, &line.first_text(&["msg", "error"]));
            }
        }
        Ok(())
    })?;
    if let Some((place, n)) = finished {
        reading.declared(&place, Some(n), n_results);
    }
    if n_results == 0 && n_log_lines == 0 && text.begins_with('[') {
        reading.incomplete(
            "$",
            "an empty list is no evidence of a scan; keep the log too",
        );
        return Ok(());
    }
    if n_log_lines > 0 && !has_finished {
        reading.incomplete("", "its log does not say that the scan has finished");
    } else if n_results == 0 && n_log_lines == 0 {
        return Err(reading.broken("$", "none of the lines has a DetectorName."));
    }
    Ok(())
}

/// Of truffleHog 2, which knows only patterns and entropy.
fn finding_of_2(reading: &mut Reading<'_>, place: &str, secret: &Loose<'_>) -> Finding {
    reading.tool("truffleHog 2", "");
    let reason = secret.text("reason");
    let commit = secret.first_text(&["commitHash", "commit"]);
    Finding::of(&reason, Severity::High, place)
        .with_rule(&reason)
        .with_message(&format!("In commit {commit}."))
        .with_path(&secret.text("path"))
        .with_secret(&secret.texts("stringsFound"))
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
