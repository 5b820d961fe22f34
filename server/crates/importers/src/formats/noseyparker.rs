//! Nosey Parker, JSON lines, or a list of them.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `matches` of each line, at each place in a file | one finding, severity high |
//! | `num_matches` | more than are listed (it lists 3 of each unless told otherwise): the scan is incomplete |
//! | `statuses`: only reject | suppressed: somebody has looked at it |
//! | `match_content` | only its digest |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, list_with, object_with};
use crate::{Body, Finding, ImportError, ScannerStatus};

pub const NOSEYPARKER: Format = Format {
    name: "noseyparker",
    title: "Nosey Parker JSON lines",
    tool: "noseyparker",
    detect: |sniff| {
        let keys = ["rule_name", "matches"];
        certain_if(object_with(sniff, &keys) || list_with(sniff, &keys))
    },
    lists: &["matches", "matches/*/provenance"],
    read,
};

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    reading.documents(text, &mut |reading, place, line| {
        let rule = line.text("rule_name");
        let n_listed = reading.needs_list(line, "matches")?.len();
        reading.declared(
            &format!("{place}, num_matches"),
            line.number("num_matches"),
            n_listed,
        );
        let statuses = line.each("statuses");
        let is_rejected = !statuses.is_empty()
            && statuses
                .iter()
                .all(|status| status.own_text().eq_ignore_ascii_case("reject"));
        let status = if is_rejected {
            ScannerStatus::Suppressed
        } else {
            ScannerStatus::Open
        };
        for found in line.each("matches") {
            let provenance = found.each("provenance");
            let path = provenance.iter().map(|p| {
                p.first_text(&[
                    "path",
                    "commit_provenance/blob_path",
                    "first_commit/blob_path",
                ])
            });
            let path = path
                .into_iter()
                .find(|path| !path.is_empty())
                .unwrap_or_default();
            let commits = provenance.iter().map(|p| {
                p.first_text(&[
                    "commit_provenance/commit_metadata/commit_id",
                    "first_commit/commit_metadata/commit_id",
                ])
            });
            let commit = commits.into_iter().find(|commit| !commit.is_empty());
            let message = commit.map_or(String::new(), |commit| format!("In commit {commit}."));
            reading.add(
                Finding::of(&rule, Severity::High, place)
                    .with_rule(&line.first_text(&["rule_text_id", "rule_name"]))
                    .with_rule_name(&rule)
                    .with_message(&message)
                    .with_status(status)
                    .with_path(&path)
                    .with_lines(
                        found.line("location/source_span/start/line"),
                        found.line("location/source_span/end/line"),
                    )
                    .with_secret(&found.first_text(&["match_content", "snippet/matching"])),
            );
        }
        Ok(())
    })
}
