//! Every SARIF file of the shared corpus, against the corpus' manifest.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use holdpoint_importers::{Finding, Report, ScannerStatus};
use serde_json::Value;

/// Where Holdpoint decides otherwise than the manifest's first choice, by the format's own specification.
fn expected_number(file: &str, manifest: Option<u64>) -> Option<u64> {
    match file {
        // SARIF 3.27.12: several locations of one result are one problem that must be changed at all of them, never
        // distinct occurrences. So the two results are two findings (the manifest names this as an alternative).
        "sarif/njsscan.sarif" => Some(2),
        // Not asserted there: suppressed results are kept, with their scanner status.
        "sarif/suppression_test.sarif" => Some(5),
        _ => manifest,
    }
}

/// SARIF says where the repository lies (`mappedTo` PROJECTROOT, with SRCROOT `src/` below it), so the path from the
/// repository's root has the folder too.
fn expected_path<'m>(file: &str, manifest: &'m str) -> &'m str {
    match (file, manifest) {
        ("sarif/appendix_k.sarif", "collections/list.h") => "src/collections/list.h",
        // The rest are relative in Holdpoint: without scheme, drive and leading slashes.
        (_, path) => path
            .strip_prefix("file:")
            .unwrap_or(path)
            .trim_start_matches('/'),
    }
}

fn check(file: &str, entry: &Value, report: &Report) {
    let expect = &entry["expect"];
    if let Some(number) = expected_number(file, expect["findings"].as_u64()) {
        assert_eq!(
            report.findings.len() as u64,
            number,
            "{file}: number of findings"
        );
    }
    // 3.27.10 calls a note "a minor problem or an opportunity to improve", which leaves low and info open; tools that have
    // a word "info" of their own write it as note (Semgrep: 43 INFO in its JSON, 43 note in its SARIF), so it is info.
    for (severity, number) in expect["severities"].as_object().into_iter().flatten() {
        let is = report
            .findings
            .iter()
            .filter(|f| f.severity.as_str() == severity)
            .count();
        assert_eq!(is as u64, number.as_u64().unwrap(), "{file}: {severity}");
    }
    for sample in expect["samples"].as_array().into_iter().flatten() {
        let finding = sampled(file, report, &sample["where"]);
        check_sample(file, finding, &sample["expect"]);
    }
}

/// The finding that a sample means: the one with the most in common with it.
fn sampled<'r>(file: &str, report: &'r Report, place: &Value) -> &'r Finding {
    let agrees = |finding: &Finding| {
        let path = place["file"].as_str().map(|path| expected_path(file, path));
        let line = place["line"].as_u64();
        let is = [
            place["rule_id"].as_str() == finding.rule.as_deref(),
            path == finding.path.as_deref(),
            line == finding.start_line.map(u64::from),
            place["title"].as_str() == Some(&finding.title),
        ];
        is.into_iter().filter(|is| *is).count()
    };
    report
        .findings
        .iter()
        .rev()
        .max_by_key(|finding| agrees(finding))
        .unwrap()
}

fn check_sample(file: &str, finding: &Finding, expect: &Value) {
    let about = format!("{file}: {}", finding.title);
    for (key, value) in expect.as_object().unwrap() {
        match key.as_str() {
            "title" => assert_eq!(value, finding.title.as_str(), "{about}"),
            "severity" => {
                assert_eq!(
                    value.as_str().unwrap().to_lowercase(),
                    finding.severity.as_str(),
                    "{about}"
                );
            }
            "file" => {
                let path = expected_path(file, value.as_str().unwrap());
                assert_eq!(finding.path.as_deref(), Some(path), "{about}");
            }
            "line" => assert_eq!(finding.start_line.map(u64::from), value.as_u64(), "{about}"),
            "rule_id" => assert_eq!(value.as_str(), finding.rule.as_deref(), "{about}"),
            "tool_unique_id" => {
                assert_eq!(value.as_str(), finding.fingerprint.as_deref(), "{about}");
            }
            "references" => assert_eq!(value.as_str(), finding.help_url.as_deref(), "{about}"),
            "cwe" => assert_eq!(
                value.as_u64(),
                finding.cwe.first().copied().map(u64::from),
                "{about}"
            ),
            "vulnerability_ids" => assert!(value.is_null() && finding.cve.is_empty(), "{about}"),
            "vulnerability_ids_count" => {
                assert_eq!(value.as_u64(), Some(finding.cve.len() as u64), "{about}");
            }
            "vulnerability_ids_include" => {
                for id in value.as_array().unwrap() {
                    assert!(
                        finding.cve.iter().any(|cve| id == cve.as_str()),
                        "{about}: {id}"
                    );
                }
            }
            "active" => assert_eq!(value, finding.status.is_open(), "{about}"),
            // What DefectDojo calls a false positive is here what the scanner says: suppressed.
            "false_positive" => assert_eq!(
                value,
                finding.status == ScannerStatus::Suppressed,
                "{about}"
            ),
            // Of a whole scan rather than of a finding, or DefectDojo's own layout.
            "date" | "static" | "dynamic" | "dd_text_fields" => {}
            other => panic!("{about}: the manifest asserts {other}, which this test does not know"),
        }
    }
}

#[test]
fn every_sarif_file_of_the_corpus_gives_what_its_manifest_expects() {
    let Some(corpus) = common::shared("corpus") else {
        return;
    };
    let manifest: Value =
        serde_json::from_slice(&std::fs::read(corpus.join("manifest.json")).unwrap()).unwrap();
    let mut n_checked = 0;
    for entry in manifest["files"].as_array().unwrap() {
        let format = entry["format"].as_str().unwrap();
        // The other formats are tested beside this, in manifest.rs.
        if format != "sarif" {
            continue;
        }
        let file = entry["file"].as_str().unwrap();
        let bytes = std::fs::read(corpus.join(file)).unwrap();
        // The name is left out, so that the content alone decides.
        let read = holdpoint_importers::read(&bytes, None, None);
        if entry["expect"]["outcome"] == "error" {
            assert!(read.is_err(), "{file} must be refused");
        } else {
            let report = read.unwrap_or_else(|error| panic!("{file}: {error}"));
            assert_eq!(report.format, format, "{file}");
            if entry["expect"]["outcome"] == "unasserted" {
                assert_eq!(
                    report.findings.len() as u64,
                    entry["reference"]["findings"],
                    "{file}"
                );
            }
            check(file, entry, &report);
        }
        n_checked += 1;
    }
    assert!(
        n_checked >= 14,
        "only {n_checked} files of the corpus were read"
    );
}
