//! A report that was cut off is refused or incomplete, and never evidence that there is nothing to find.
//!
//! Every file of `testdata` and of the shared corpus is cut at many places. A cut is recognisable unless it falls exactly between
//! two records of a format that has no end of its own; those formats are listed here with the reason.

mod common;

use std::collections::BTreeSet;
use std::path::PathBuf;

use holdpoint_importers::{Completeness, ImportError, Report, read};

/// Formats that are written record by record without an end, an envelope or a number of records: nothing in the file tells how
/// many there should be, so that a cut between two records looks like a shorter report.
const WITHOUT_AN_END: &[(&str, &str)] = &[
    ("actionlint", "JSON lines; its list has an end"),
    ("azure_defender", "rows of CSV; its JSON has an end"),
    ("bandit_csv", "rows of CSV"),
    ("generic", "rows of CSV; its JSON has an end"),
    (
        "govulncheck",
        "JSON documents one after another; no last message is required by its protocol",
    ),
    (
        "kingfisher",
        "JSON documents one after another: the findings, and the audit where one was asked for",
    ),
    ("cloudsploit", "rows of CSV; its JSON has an end"),
    (
        "mypy",
        "JSON lines, where the line that sums them up is not kept",
    ),
    ("noseyparker", "JSON lines"),
    ("nuclei", "JSON lines; its list has an end"),
    ("prowler", "rows of CSV; its JSON has an end"),
    ("qualys", "rows of CSV; its XML has an end"),
    ("spdx", "tag-value lines; its JSON has an end"),
    ("staticcheck", "JSON lines"),
    ("testssl", "rows of CSV"),
    (
        "trufflehog",
        "JSON lines; that it has finished is said by its log, which is mostly elsewhere",
    ),
    ("wiz", "rows of CSV; its JSON has an end"),
    ("yamllint", "lines of text"),
    (
        "yarn_audit",
        "JSON lines of Yarn 2 and later; those of Yarn 1 end in a summary",
    ),
];

/// Whether a file that was cut here is a whole number of records of a format without an end.
fn is_between_records(format: &str, whole: &str, at: usize) -> bool {
    if !WITHOUT_AN_END.iter().any(|(name, _)| *name == format) {
        return false;
    }
    let (before, after) = whole.split_at(at);
    if whole.trim_start().starts_with(['{', '[']) {
        let mut documents =
            serde_json::Deserializer::from_str(before).into_iter::<serde_json::Value>();
        return documents.all(|document| document.is_ok());
    }
    before.ends_with('\n') || (before.ends_with('"') && after.starts_with(['\r', '\n']))
}

fn cuts(whole: &str) -> Vec<usize> {
    let n = whole.len();
    // The largest files would take most of the time and say nothing else.
    let parts = if n > 200_000 { 4 } else { 16 };
    let mut cuts: Vec<usize> = (1..parts).map(|part| n * part / parts).collect();
    cuts.extend((1..8).map(|back| n.saturating_sub(back)));
    // Beside the borders of records, wherever those are.
    let lines: Vec<usize> = whole.match_indices('\n').map(|(at, _)| at).collect();
    for part in 1..=parts / 4 {
        if let Some(line) = lines.get(lines.len() * part / (parts / 4 + 1)) {
            cuts.extend([line.saturating_sub(1), *line, line + 1, line + 2]);
        }
    }
    cuts.retain(|at| {
        *at > 0 && whole.is_char_boundary(*at) && whole[..*at].trim_end() != whole.trim_end()
    });
    cuts.sort_unstable();
    cuts.dedup();
    cuts
}

fn is_taken_as_whole(read: &Result<Report, ImportError>) -> bool {
    read.as_ref()
        .is_ok_and(|report| report.completeness.is_complete())
}

#[test]
fn a_report_that_was_cut_off_anywhere_is_refused_or_incomplete() {
    let mut paths = Vec::new();
    let testdata = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata");
    common::files(&testdata, &mut paths);
    let corpus = common::shared("corpus");
    let has_corpus = corpus.is_some();
    if let Some(corpus) = corpus {
        common::files(&corpus, &mut paths);
    }
    paths.sort();
    let (mut n_files, mut n_cuts) = (0, 0);
    let mut between = BTreeSet::new();
    let mut wrong = Vec::new();
    for path in paths {
        let Ok(whole) = String::from_utf8(std::fs::read(&path).unwrap()) else {
            continue;
        };
        let whole = whole.trim_start_matches('\u{feff}');
        let Ok(report) = read(whole.as_bytes(), None, None) else {
            continue;
        };
        n_files += 1;
        for at in cuts(whole) {
            let cut = &whole[..at];
            // By its content, and as a person would import it who knows the format.
            let by_name = read(cut.as_bytes(), None, Some(report.format));
            let by_content = read(cut.as_bytes(), None, None);
            n_cuts += 1;
            if !is_taken_as_whole(&by_name) && !is_taken_as_whole(&by_content) {
                continue;
            }
            if is_between_records(report.format, whole, at) {
                between.insert(report.format);
            } else {
                wrong.push(format!("{} ({}) at {at}", path.display(), report.format));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} taken as whole:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(
        n_files > 90 && n_cuts > 1_000,
        "{n_files} files, {n_cuts} cuts"
    );
    // Most of them are in the corpus, so the list above is not there in vain.
    assert!(!has_corpus || between.len() > 8, "{between:?}");
}

fn csv(text: &str) -> Report {
    read(text.as_bytes(), None, Some("generic")).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn reason(report: &Report) -> &str {
    match &report.completeness {
        Completeness::Complete => "",
        Completeness::Incomplete { reason } => reason,
    }
}

#[test]
fn a_table_that_ends_within_quotes_is_refused_with_the_line_where_they_open() {
    let text = "title,severity,message\none,high,x\ntwo,low,\"begins\nand ends";
    let error = read(text.as_bytes(), None, Some("generic"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("line 3") && error.contains("never closed"),
        "{error}"
    );
}

#[test]
fn a_table_whose_last_row_is_too_short_is_incomplete_and_says_where() {
    let report = csv("title,severity,message\none,high,x\ntwo,lo");
    assert_eq!(
        reason(&report),
        "the last row has fewer fields than the heading; it was cut off"
    );
    assert_eq!(report.problems[0].where_, "line 3");
    // Half a row would be a finding of its own in the next scan.
    assert_eq!(report.findings.len(), 1);
    // With a line break that something put at its end, what is there is read.
    let report = csv("title,severity,message\none,high,x\ntwo,low\n");
    assert!(!report.completeness.is_complete());
    assert_eq!(report.findings.len(), 2);
}

#[test]
fn a_table_without_a_last_line_break_is_whole_only_if_quotation_marks_end_it() {
    let report = csv("title,severity,message\none,high,beg");
    assert!(
        reason(&report).contains("does not end in a line break"),
        "{}",
        reason(&report)
    );
    assert_eq!(report.findings.len(), 1);
    assert!(
        csv("title,severity,message\none,high,\"all of it\"")
            .completeness
            .is_complete()
    );
    assert!(
        csv("title,severity,message\none,high,all of it\r\n")
            .completeness
            .is_complete()
    );
    assert!(!csv("title,severity,mes").completeness.is_complete());
    assert!(csv("title,severity,message\n").completeness.is_complete());
    let error = read(b"title,message,severity\none,x,hi", None, Some("generic")).unwrap_err();
    assert!(
        error.to_string().contains("line 2") && error.to_string().contains("cut off"),
        "{error}"
    );
}
