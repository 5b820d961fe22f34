//! Every file of the shared manifests whose format is read, against what the manifests expect of it.
//!
//! The content alone decides the format. A number is right if it is the one that the manifest asserts or one that it calls
//! as defensible; where Holdpoint decides otherwise, the table of exceptions says why.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use holdpoint_domain::Severity;
use holdpoint_importers::{Confidence, Finding, IMPORTERS, Report, Sniff};
use serde_json::Value;

/// Files whose content says nothing of their tool: a person names the format.
const NAMED_BY_A_PERSON: &[&str] = &[
    "aqua/no_vuln.json",
    "cfn_lint/cfn_lint_no_vuln.json",
    "conftest/inline_empty_report.json",
    "kubelinter/inline_absent_reports_key.json",
    "njsscan/inline_empty_and_absent_sections.json",
    "prowler/prowler_zero_vul.json",
];

/// Where Holdpoint's number differs from all of the manifest's: file, number, reason.
const OTHER_NUMBERS: &[(&str, u64, &str)] = &[
    (
        "auditjs/auditjs_many_vul.json",
        15,
        "fifteen different vulnerabilities, none of them twice in one package",
    ),
    (
        "burp/issue4399.xml",
        441,
        "one per issue: each is at a place of its own, and can be repaired alone",
    ),
    (
        "sslyze/report_one_target_one_vuln.xml",
        2,
        "beside its suites its certificate has expired, which every trust store in it says",
    ),
    (
        "stackhawk/stackhawk_many_vul.json",
        12,
        "the file holds each of its findings twice; equal ones are told apart by order",
    ),
];

/// Where Holdpoint's severities are others: file or format, reason.
const OTHER_SEVERITIES: &[(&str, &str)] = &[
    (
        "govulncheck/many_vulns_new_version.json",
        "the trace names a function that is called, so it is high as in newer files",
    ),
    (
        "snyk_code",
        "read as SARIF: the level, not the priority of Snyk's own scale",
    ),
    (
        "snyk/snykcode_issue_9270.json",
        "read as SARIF: the level, not the priority of Snyk's own scale",
    ),
    (
        "cargo_audit",
        "warnings are findings too, of severity info: RUSTSEC calls them informational",
    ),
];

/// Parts of single samples that Holdpoint reads differently: file or format, key, reason.
const OTHER_PARTS: &[(&str, &str, &str)] = &[
    (
        "terrascan",
        "title",
        "its description says what is wrong; category and name of the rule stand beside it",
    ),
    (
        "dependency_track",
        "rule_id",
        "the vulnerability's id lasts; the id of its row in one database does not",
    ),
    (
        "stackhawk",
        "component",
        "the application is what was scanned, not a component of it",
    ),
    (
        "stackhawk",
        "version",
        "an environment (Development) is no version",
    ),
    (
        "terrascan",
        "component",
        "the resource is where the problem is; it is the scope",
    ),
    (
        "kics",
        "component",
        "a platform (Terraform) is no component with a version",
    ),
    (
        "kubelinter",
        "component",
        "the object is where the problem is, not something with versions; it is the scope",
    ),
    (
        "snyk",
        "file",
        "the way through dependencies is no file; the project's manifest is",
    ),
    (
        "gitlab_dast/gitlab_dast_one_vul_v14.json",
        "title",
        "it has no name, and its message says more than its random id",
    ),
    ("dependency_check", "component", COMPONENT_OF_NAME),
    ("dependency_check", "version", COMPONENT_OF_NAME),
];

/// Files that are recognised by their content as another format than the one whose folder they lie in.
const READ_AS: &[(&str, &str, &str)] = &[
    (
        "snyk_code/snykcode_issue_9270.json",
        "sarif",
        "Snyk Code writes SARIF",
    ),
    (
        "snyk/snykcode_issue_9270.json",
        "sarif",
        "Snyk Code writes SARIF",
    ),
    (
        "github_vulnerability/issue_9582.json",
        "github_sast",
        "these are alerts of code scanning, not of Dependabot",
    ),
];

/// Files that are no reports for programs.
const REFUSED: &[(&str, &str)] = &[
    ("sonarqube/sonar-4-findings-3-to-aggregate.html", PAGE),
    ("sonarqube/sonar-rule-undefined.html", PAGE),
    ("sonarqube/sonar-single-finding.html", PAGE),
];

const PAGE: &str =
    "a page for people, whose form changes with its styling; the same tool writes JSON";

/// What the manifest asserts of DefectDojo's own layout and model rather than of the report.
const NOT_OF_THE_REPORT: &[&str] = &[
    "static",
    "dynamic",
    "dd_text_fields",
    "occurrences",
    "date",
    "verified",
    "mitigated",
    "out_of_scope",
    "risk_accepted",
    "epss_score",
    "epss_percentile",
    "confidence",
    "scanner_confidence_dd",
    "tags",
    "tags_include",
    "endpoints_count",
    "endpoints_expected",
    "service",
    "impact",
    "cvss_v3_vector",
    "cvss_v4_vector",
    "present",
    "description_count_gt",
    "mitigation_count_gt",
    "severity_justification_count_gt",
    "references_count_gt",
    "fix_available",
    "vulnerability_ids_count",
    "vulnerability_ids_count_ge",
    "description_not_contains",
    "mitigation",
    "mitigation_contains",
    "references",
    "references_contains",
    "description",
    "description_contains",
    "url",
    "source_line",
    "source_file",
    "source_object",
    "tool_unique_id",
    "false_positive",
    "cvss_v3_score",
];

const COMPONENT_OF_NAME: &str =
    "evidence of a name is no identifier; where no package is identified the file's name stands";

fn applies(name: &str, file: &str, format: &str) -> bool {
    name == file || name == format
}

fn reason_of(file: &str) -> &'static str {
    READ_AS
        .iter()
        .find(|(name, ..)| *name == file)
        .map_or("", |(.., reason)| reason)
}

struct Check<'c> {
    file: &'c str,
    format: &'c str,
    raw: &'c str,
    report: &'c Report,
    wrong: Vec<String>,
}

impl Check<'_> {
    fn wrong(&mut self, what: impl Into<String>) {
        self.wrong.push(what.into());
    }

    fn number_and_severities(&mut self, expect: &Value, reference: &Value) {
        let is = self.report.findings.len() as u64;
        let first = expect["findings"]
            .as_u64()
            .or_else(|| reference["findings"].as_u64());
        let alternatives = expect["alternatives"].as_array().into_iter().flatten();
        let numbers: Vec<u64> = first
            .into_iter()
            .chain(alternatives.filter_map(|a| a["findings"].as_u64()))
            .collect();
        let other = OTHER_NUMBERS.iter().find(|(file, ..)| *file == self.file);
        match other {
            Some((_, number, _)) if *number == is => return,
            _ if numbers.contains(&is) => {}
            _ => self.wrong(format!("{is} findings, expected one of {numbers:?}")),
        }
        if first != Some(is)
            || OTHER_SEVERITIES
                .iter()
                .any(|(name, _)| applies(name, self.file, self.format))
        {
            return;
        }
        let asserted = expect["severities"].as_object();
        for (word, number) in asserted.into_iter().flatten() {
            let severity = Severity::from_scanner_word(word).unwrap();
            let is = self.report.counts().of(severity);
            if Some(is) != number.as_u64() {
                self.wrong(format!("{is} of severity {word}, expected {number}"));
            }
        }
    }

    fn samples(&mut self, expect: &Value) {
        let report = self.report;
        for sample in expect["samples"].as_array().into_iter().flatten() {
            let mut best = report
                .findings
                .iter()
                .rev()
                .max_by_key(|finding| agreement(finding, sample));
            let Some(finding) = best.take() else {
                self.wrong("a sample is expected, and there is no finding");
                continue;
            };
            for (key, value) in sample["expect"].as_object().unwrap() {
                let is_other = |(name, part, _): &(&str, &str, &str)| {
                    applies(name, self.file, self.format) && part == key
                };
                if NOT_OF_THE_REPORT.contains(&key.as_str()) || OTHER_PARTS.iter().any(is_other) {
                    continue;
                }
                if let Some(said) = self.part(finding, key, value) {
                    self.wrong(format!(
                        "{:?}: {key}: {said}, expected {value}",
                        finding.title
                    ));
                }
            }
        }
    }

    /// What the finding says instead, if it is not what is expected.
    fn part(&self, finding: &Finding, key: &str, value: &Value) -> Option<String> {
        let all = all_words(finding);
        let text = value.as_str().unwrap_or("");
        let same = |is: &str, is_same: bool| (!is_same).then(|| is.to_owned());
        match key {
            "title" | "title_contains" => same(&finding.title, share_of_words(text, &all) >= 0.5),
            "severity" => {
                let by_file = OTHER_SEVERITIES
                    .iter()
                    .any(|(name, _)| applies(name, self.file, self.format));
                let word = Severity::from_scanner_word(text);
                same(
                    finding.severity.as_str(),
                    by_file || word == Some(finding.severity),
                )
            }
            "file" => {
                let is = finding
                    .path
                    .as_deref()
                    .or(finding.scope.as_deref())
                    .unwrap_or("");
                same(
                    is,
                    value.is_null()
                        || normal(text) == normal(is)
                        || all.contains(&text.to_lowercase()),
                )
            }
            "line" => {
                let is = finding.start_line.map(u64::from);
                let ends = finding.end_line.map(u64::from);
                let expected = value.as_u64().filter(|line| *line > 0);
                same(
                    &format!("{is:?}"),
                    is == expected || (expected.is_some() && ends == expected),
                )
            }
            "rule_id" => {
                // DefectDojo joins a rule's name and id with a colon.
                let lower = text.to_lowercase();
                let is = all.contains(&lower) || lower.split(':').all(|part| all.contains(part));
                same(finding.rule.as_deref().unwrap_or(""), value.is_null() || is)
            }
            "cve" | "vulnerability_ids" | "vulnerability_ids_include" => {
                let ids: Vec<&str> = match value {
                    Value::Array(ids) => ids.iter().filter_map(Value::as_str).collect(),
                    Value::String(id) => vec![id],
                    _ => Vec::new(),
                };
                let missing: Vec<&&str> = ids
                    .iter()
                    .filter(|id| !all.contains(&id.to_lowercase()))
                    .collect();
                same(
                    &format!("{:?} without {missing:?}", finding.cve),
                    missing.is_empty(),
                )
            }
            "cwe" | "cwes" | "cwes_include" => {
                let numbers: Vec<u64> = match value {
                    Value::Array(list) => list.iter().filter_map(number_of).collect(),
                    value => number_of(value).into_iter().collect(),
                };
                // A number that is nowhere in the file is DefectDojo's own constant for the whole format.
                let given = numbers
                    .iter()
                    .filter(|n| **n > 0 && self.raw.contains(&n.to_string()));
                let has = |n: &u64| finding.cwe.iter().any(|cwe| u64::from(*cwe) == *n);
                same(
                    &format!("{:?}", finding.cwe),
                    given.copied().all(|n| has(&n)),
                )
            }
            "component" | "component_contains" => {
                let is = finding.component.as_deref().unwrap_or("");
                let ends = is.rsplit([':', '/']).next().unwrap_or("");
                let fits = is.eq_ignore_ascii_case(text)
                    || is.contains(text)
                    || (!ends.is_empty() && text.ends_with(ends));
                same(is, value.is_null() || fits)
            }
            "version" => {
                let is = finding.component_version.as_deref().unwrap_or("");
                same(is, value.is_null() || is == text)
            }
            "fix_version" => {
                let is = finding.fixed_version.as_deref().unwrap_or("");
                same(is, value.is_null() || is.contains(text))
            }
            "active" => same(
                finding.status.as_str(),
                value.as_bool() == Some(finding.status.is_open()),
            ),
            other => Some(format!(
                "an assertion about {other}, which this test does not know"
            )),
        }
    }
}

fn number_of(value: &Value) -> Option<u64> {
    value
        .as_u64()
        .or_else(|| value.as_str()?.trim_start_matches("CWE-").parse().ok())
}

fn normal(path: &str) -> String {
    holdpoint_importers::text::normal_path(path, None)
}

/// Everything that a finding says, in lower case.
fn all_words(finding: &Finding) -> String {
    serde_json::to_string(finding).unwrap().to_lowercase()
}

/// Which part of an expected title's words a finding has somewhere.
fn share_of_words(expected: &str, all: &str) -> f64 {
    let lower = expected.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.len() > 2)
        .collect();
    if words.is_empty() {
        return 1.0;
    }
    let n = words.iter().filter(|word| all.contains(**word)).count();
    f64::from(u32::try_from(n).unwrap()) / f64::from(u32::try_from(words.len()).unwrap())
}

/// How much a finding has in common with a sample.
fn agreement(finding: &Finding, sample: &Value) -> u32 {
    let place = &sample["where"];
    let all = all_words(finding);
    let has = |key: &str| {
        place[key]
            .as_str()
            .is_some_and(|text| !text.is_empty() && all.contains(&text.to_lowercase()))
    };
    let ids = place["vulnerability_ids"].as_array().into_iter().flatten();
    let n_ids = ids
        .filter_map(Value::as_str)
        .filter(|id| all.contains(&id.to_lowercase()))
        .count();
    let is_line = place["line"]
        .as_u64()
        .is_some_and(|line| finding.start_line.map(u64::from) == Some(line));
    let mut points = u32::try_from(n_ids).unwrap() * 3 + u32::from(is_line) * 3;
    points +=
        u32::from(place["file"].as_str().map(normal).as_deref() == finding.path.as_deref()) * 3;
    points += u32::from(place["component"].as_str() == finding.component.as_deref()) * 2;
    points += u32::from(place["version"].as_str() == finding.component_version.as_deref());
    points += u32::from(has("rule_id")) * 2 + u32::from(has("file")) * 2;
    // The sample's own expectation tells twins apart.
    let expected = |key: &str| sample["expect"][key].as_str();
    points += u32::from(place["title"].as_str() == Some(&finding.title)) * 4;
    let is_active = sample["expect"]["active"].as_bool();
    points += u32::from(is_active == Some(finding.status.is_open()));
    points += u32::from(
        expected("severity").and_then(Severity::from_scanner_word) == Some(finding.severity),
    );
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share between 0 and 1"
    )]
    let by_title = (share_of_words(place["title"].as_str().unwrap_or("x x"), &all) * 4.0) as u32;
    points + by_title
}

fn manifest(folder: &std::path::Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap()
}

#[test]
#[expect(
    clippy::print_stderr,
    reason = "what is not read yet and what was matched is for people"
)]
fn every_file_of_the_corpus_is_read_as_its_manifest_expects() {
    let Some(corpus) = common::shared("corpus") else {
        return;
    };
    let mut wrong = String::new();
    let mut table: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    let mut missing: BTreeMap<String, u32> = BTreeMap::new();
    for entry in manifest(&corpus)["files"].as_array().unwrap() {
        let (file, format) = (
            entry["file"].as_str().unwrap(),
            entry["format"].as_str().unwrap(),
        );
        if holdpoint_importers::importer(format).is_err() {
            *missing.entry(format.to_owned()).or_default() += 1;
            continue;
        }
        // SARIF has a test of its own.
        if format == "sarif" {
            continue;
        }
        let bytes = std::fs::read(corpus.join(file)).unwrap();
        let raw = String::from_utf8_lossy(&bytes);
        let named = NAMED_BY_A_PERSON.contains(&file).then_some(format);
        let read = holdpoint_importers::read(&bytes, None, named);
        let expect = &entry["expect"];
        let alternatives = expect["alternatives"].as_array().into_iter().flatten();
        let may = |outcome: &str| {
            expect["outcome"] == outcome || alternatives.clone().any(|a| a["outcome"] == outcome)
        };
        let counts = table.entry(format.to_owned()).or_default();
        counts.0 += 1;
        let mut said = Vec::new();
        match &read {
            Err(error) if may("error") => assert!(!error.to_string().is_empty(), "{file}"),
            Err(error)
                if expect["outcome"] == "unasserted"
                    && entry["reference"]["findings"].is_null() =>
            {
                assert!(!error.to_string().is_empty(), "{file}");
            }
            Err(error) if REFUSED.iter().any(|(name, _)| *name == file) => {
                assert!(!error.to_string().is_empty());
            }
            Err(error) => said.push(error.to_string()),
            Ok(report) if expect["outcome"] == "error" && !may("findings") => {
                said.push(format!(
                    "must be refused, and was read as {}",
                    report.format
                ));
            }
            Ok(report)
                if report.format != format
                    && !READ_AS.contains(&(file, report.format, reason_of(file)))
                    && !(expect["outcome"] == "error" && may("findings")) =>
            {
                said.push(format!("was read as {}", report.format));
            }
            Ok(report) => {
                let mut check = Check {
                    file,
                    format,
                    raw: &raw,
                    report,
                    wrong: Vec::new(),
                };
                check.number_and_severities(expect, &entry["reference"]);
                check.samples(expect);
                said = check.wrong;
            }
        }
        counts.1 += u32::from(said.is_empty());
        for said in said {
            writeln!(wrong, "{file}: {said}").unwrap();
        }
    }
    eprintln!("not read yet: {missing:?}");
    eprintln!("format: files, matched: {table:?}");
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
#[expect(clippy::print_stderr, reason = "what is not read yet is for people")]
fn every_scan_of_the_seed_repository_is_read_as_it_was_counted() {
    let Some(scans) = common::shared("opensqt/scans") else {
        return;
    };
    let mut wrong = String::new();
    let mut missing: BTreeMap<String, u32> = BTreeMap::new();
    for entry in manifest(&scans)["files"].as_array().unwrap() {
        let (file, format) = (
            entry["file"].as_str().unwrap(),
            entry["format"].as_str().unwrap(),
        );
        if holdpoint_importers::importer(format).is_err() {
            *missing.entry(format.to_owned()).or_default() += 1;
            continue;
        }
        let bytes = std::fs::read(scans.join(file)).unwrap();
        let raw = String::from_utf8_lossy(&bytes);
        let report = match holdpoint_importers::read(&bytes, None, None) {
            Ok(report) => report,
            // Ruff and hadolint write `[]` when they have found nothing; the file's name tells them apart then.
            Err(_) if raw.trim() == "[]" => {
                holdpoint_importers::read(&bytes, Some(file), None).unwrap()
            }
            Err(error) => {
                writeln!(wrong, "{file}: {error}").unwrap();
                continue;
            }
        };
        let expect = &entry["expect"];
        if report.format != format && raw.trim() != "[]" {
            writeln!(wrong, "{file}: was read as {}", report.format).unwrap();
            continue;
        }
        let is = report.findings.len() as u64;
        if expect["findings"]
            .as_u64()
            .is_some_and(|number| number != is)
        {
            writeln!(
                wrong,
                "{file}: {is} findings, expected {}",
                expect["findings"]
            )
            .unwrap();
        }
        if let Some(rules) = expect["rules"].as_object() {
            let mut is: BTreeMap<&str, u64> = BTreeMap::new();
            for finding in &report.findings {
                *is.entry(finding.rule.as_deref().unwrap_or("")).or_default() += 1;
                // Checkov's JUnit has rule and title in one name.
                if let Some(name) = finding
                    .rule_name
                    .as_deref()
                    .filter(|name| rules.contains_key(*name))
                {
                    *is.entry(name).or_default() +=
                        u64::from(finding.rule.as_deref() != Some(name));
                }
            }
            // The manifest names the most frequent ones.
            for (rule, number) in rules {
                if is.get(rule.as_str()).copied() != number.as_u64() {
                    writeln!(
                        wrong,
                        "{file}: rule {rule}: {:?}, expected {number}",
                        is.get(rule.as_str())
                    )
                    .unwrap();
                }
            }
        }
        if let Some(number) = expect["files_with_findings"].as_u64() {
            let mut paths: Vec<&str> = report
                .findings
                .iter()
                .filter_map(|f| f.path.as_deref())
                .collect();
            paths.sort_unstable();
            paths.dedup();
            if paths.len() as u64 != number {
                writeln!(wrong, "{file}: {} files, expected {number}", paths.len()).unwrap();
            }
        }
        // Words of the tool, each of which stands for one severity (ruff's only word does not).
        for (word, number) in expect["severities_native"]
            .as_object()
            .into_iter()
            .flatten()
        {
            let fits = report.counts();
            let any = [fits.critical, fits.high, fits.medium, fits.low, fits.info];
            if !any.contains(&number.as_u64().unwrap()) && format != "ruff" && number != 0 {
                writeln!(
                    wrong,
                    "{file}: no severity has the {number} of {word}: {any:?}"
                )
                .unwrap();
            }
        }
        // An inventory without vulnerabilities: nobody has looked for them.
        let is_inventory = ["cyclonedx", "spdx", "syft"].contains(&format);
        let is_skipped = expect["outcome"] == "incomplete"
            || is_inventory
            || file.ends_with("pip-audit.json")
            || file.ends_with("betterleaks-git.json")
            || file.ends_with("bandit-with-venv.json");
        if report.completeness.is_complete() == is_skipped {
            writeln!(wrong, "{file}: {:?}", report.completeness).unwrap();
        }
        if report.is_clean() && (is > 0 || is_skipped) {
            writeln!(wrong, "{file}: is no clean scan").unwrap();
        }
    }
    eprintln!("not read yet: {missing:?}");
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_content_of_every_file_speaks_for_one_format_most() {
    let mut wrong = String::new();
    for folder in ["corpus", "opensqt/scans"] {
        let Some(folder) = common::shared(folder) else {
            return;
        };
        for entry in manifest(&folder)["files"].as_array().unwrap() {
            let file = entry["file"].as_str().unwrap();
            let bytes = std::fs::read(folder.join(file)).unwrap();
            let decoded = holdpoint_importers::text::decode(&bytes);
            let sniff = Sniff::of(&decoded.text, None);
            let mut judged: Vec<(Confidence, &str)> = IMPORTERS
                .iter()
                .map(|importer| (importer.detect(&sniff), importer.name()))
                .filter(|(confidence, _)| *confidence > Confidence::No)
                .collect();
            judged.sort();
            let best = judged.last().map(|(confidence, _)| *confidence);
            let equal = judged
                .iter()
                .filter(|(confidence, _)| Some(*confidence) == best)
                .count();
            // What could be of many tools is said to be so, rather than guessed.
            if equal > 1 && best > Some(Confidence::Possible) {
                writeln!(wrong, "{file}: {judged:?}").unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
