//! Every file of the shared manifests whose format is read, against what the manifests expect of it.
//!
//! The content alone decides the format. What the manifest asserts is compared exactly: numbers, severities, titles, places,
//! ids, components and versions. Where Holdpoint reads a file otherwise on purpose, a table says why, and what holds instead
//! is compared as exactly.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use holdpoint_domain::Severity;
use holdpoint_importers::{Confidence, Finding, IMPORTERS, ImportError, Report, Sniff};
use serde_json::Value;

/// Files whose content says nothing of their tool: a person names the format.
const NAMED_BY_A_PERSON: &[&str] = &[
    "aqua/no_vuln.json",
    "cfn_lint/cfn_lint_no_vuln.json",
    "conftest/inline_empty_report.json",
    "kubelinter/inline_absent_reports_key.json",
    "njsscan/inline_empty_and_absent_sections.json",
    "prowler/prowler_zero_vul.json",
    "secretlint/inline_empty_report_2.json",
    "semgrep_pro/no_vuln.json",
    "tfsec/no_findings.json",
];

/// Where Holdpoint does not merge what DefectDojo merges, or counts by another rule, one file a line: its numbers of critical,
/// high, unrated, medium, low and info, and why. Twins: the tool says it more than once, and equal findings are told apart by
/// their order rather than merged. The manifest's own number holds for every other file.
const OTHER_NUMBERS: &str = "
auditjs/auditjs_many_vul.json | 0 5 2 7 1 0 | send is installed in two versions, and each has to be updated; as with
    pnpm audit, that is two findings; two vulnerabilities have no score, so they are unrated
burp/issue4399.xml | 0 24 0 3 343 71 | one per issue: each is at a place of its own. By type, as the manifest counts,
    different problems would be one: every issue of an extension has the type 134217728
cargo_audit/many_findings.json | 0 0 4 0 0 9 | warnings are findings too, of severity info: RUSTSEC calls unmaintained
    and unsound crates informational. Advisories without a vector are unrated
composer_audit/inline_an_advisory_with_no_severity_takes_the_default.json | 0 0 1 0 0 0 | an advisory that its database did
    not rate is unrated
generic/generic_report1.csv | 0 0 0 0 5 0 | twins
generic/inline_parse_csv_with_duplicates_results_in_single_findings.csv | 0 2 0 0 0 0 | twins
gitlab_sast/gl-sast-report-many-vuln_v15.json | 13 4 266 143 41 0 | each has a line of its own; the old key `cve` is of
    a file and a rule. What the analyzer calls Unknown is unrated
gitleaks/gitleaks8_many.json | 0 4 0 0 0 0 | twins
gitleaks/version_7.5.0.json | 0 8 0 0 0 0 | twins
govulncheck/issue_14642.json | 0 22 0 0 8 10 | an `osv` message only describes; what is found is in `finding` messages
govulncheck/issue_15033_sarif.json | 0 1 0 1 0 1 | SARIF, and recognised as such
govulncheck/many_vulns_new_version.json | 0 1 0 0 0 0 | the trace names a function that is called, so it is high as in
    newer files
npm_audit/many_vuln_npm7.json | 0 1 0 2 12 0 | a report of npm 7, and recognised as such
nuclei/many_findings.json | 0 0 0 1 1 16 | matches at other places of one host are findings of their own
osv_scanner/many_findings.json | 5 20 0 12 0 0 | `groups` says which entries are the same vulnerability by other names
retirejs/latest.json | 0 0 0 24 2 0 | twins
secretlint/inline_severity_map_4.json | 0 0 1 0 0 0 | a word that is not known is no rating
semgrep/repeated_findings.json | 0 0 0 2 0 0 | twins
snyk/snykcode_issue_9270.json | 0 12 0 24 0 3 | SARIF: the level, not the priority of Snyk's own scale
snyk_code/snykcode_issue_9270.json | 0 12 0 24 0 3 | SARIF: the level, not the priority of Snyk's own scale
spotbugs/many_findings.xml | 0 0 0 71 12 0 | SpotBugs numbers twins itself (instanceOccurrenceNum)
sslyze/report_one_target_one_vuln.xml | 0 0 0 2 0 0 | beside its suites its certificate has expired, as every trust
    store in it says
tfsec/many_findings_current.json | 14 3 0 1 1 0 | twins
trufflehog/v3_git.json | 4 0 0 0 0 0 | twins
trufflehog/v3_github.json | 4 0 0 0 0 0 | twins
trufflehog3/many_vulns_current.json | 0 1 0 2 1 0 | twins
";

/// The numbers decided for a file, in the order of the table.
fn decided_numbers(file: &str) -> Option<Vec<u64>> {
    let line = OTHER_NUMBERS.lines().find(|line| {
        line.split('|')
            .next()
            .is_some_and(|name| name.trim_end() == file)
    })?;
    let numbers = line.split('|').nth(1).unwrap();
    Some(
        numbers
            .split_whitespace()
            .map(|n| n.parse().unwrap())
            .collect(),
    )
}

/// What a finding says where it is something else than the manifest expects.
type Instead = fn(&Finding, &Value) -> bool;

/// Parts of single findings that Holdpoint reads differently: file or format, key, reason, and what holds instead.
const OTHER_PARTS: &[(&str, &str, &str, Instead)] = &[
    (
        "bandit",
        "rule_id",
        "`test_id` is the rule's id; DefectDojo puts `test_name` before it",
        |is, expected| {
            let (name, id) = expected.as_str().unwrap().split_once(':').unwrap();
            is.rule.as_deref() == Some(id) && is.rule_name.as_deref() == Some(name)
        },
    ),
    (
        "cargo_audit/many_findings.json",
        "severity",
        "the advisories of that time have no vector; high is DefectDojo's default",
        |is, expected| is.severity == Severity::Unrated && expected == "High",
    ),
    (
        "csaf/csaf_many_vuln.json",
        "component_contains",
        "the component is what the product tree says is in the product, which is the scope",
        |is, _| {
            is.component.as_deref() == Some("Generic Library")
                && is.component_version.as_deref() == Some("3.4.5")
                && is.scope.as_deref() == Some("Generic App 1.0.0")
        },
    ),
    (
        "csaf/csaf_many_vuln.json",
        "severity",
        "nobody has rated this product; medium is DefectDojo's default",
        |is, expected| is.severity == Severity::Unrated && expected == "Medium",
    ),
    (
        "composer_audit/inline_an_advisory_with_no_severity_takes_the_default.json",
        "severity",
        "DefectDojo's default for what is not rated",
        |is, _| is.severity == Severity::Unrated,
    ),
    (
        "cyclonedx",
        "description",
        "DefectDojo's words for no description",
        |is, _| is.description.is_none(),
    ),
    (
        "dependency_check",
        "cvss_v3_score",
        "the score of another version of CVSS is a score too",
        |is, expected| expected.is_null() && is.score == Some(7.5),
    ),
    (
        "dependency_track",
        "rule_id",
        "the vulnerability's id lasts; the id of its row in one database does not",
        |is, _| is.rule.as_deref() == is.cve.first().map(String::as_str),
    ),
    (
        "detect_secrets",
        "present",
        "a baseline describes nothing; the description is DefectDojo's",
        |is, _| is.description.is_none() && is.rule.is_some(),
    ),
    (
        "govulncheck/many_vulns_new_version.json",
        "present",
        "its impact is DefectDojo's list of versions; the fixed version stands for itself",
        |is, _| is.fixed_version.is_some() && is.description.is_some() && is.help_url.is_some(),
    ),
    (
        "nuclei",
        "present",
        "the template has no description; the one that is expected is DefectDojo's",
        |is, _| is.description.is_none() && is.rule_name.is_some(),
    ),
    (
        "github_secrets_detection_report",
        "rule_id",
        "the number of an alert is no rule; the type of secret is",
        |is, expected| {
            is.help_url
                .as_deref()
                .is_some_and(|url| url.ends_with(expected.as_str().unwrap()))
                && is
                    .rule
                    .as_deref()
                    .is_some_and(|rule| rule.parse::<u64>().is_err())
        },
    ),
    (
        "gitlab_dast/gitlab_dast_one_vul_v14.json",
        "title",
        "it has no name, and its message says more than its random id",
        |is, _| is.title == "PII Disclosure",
    ),
    (
        "jfrog_xray_unified",
        "vulnerability_ids_count",
        OTHER_NAMES,
        is_count_of_cve,
    ),
    (
        "snyk",
        "vulnerability_ids_count",
        OTHER_NAMES,
        is_count_of_cve,
    ),
    (
        "trivy/kubernetes.json",
        "vulnerability_ids_count",
        OTHER_NAMES,
        is_count_of_cve,
    ),
    (
        "legitify",
        "rule_id",
        "policies of a repository and of an organization have equal names; the full name tells them apart",
        |is, expected| {
            let name = format!(".{}", expected.as_str().unwrap());
            is.rule.as_deref().is_some_and(|rule| rule.ends_with(&name))
        },
    ),
    (
        "legitify",
        "fix_available",
        "steps of remediation are no version in which it is fixed",
        |is, _| is.remediation.is_some() && is.fixed_version.is_none(),
    ),
    (
        "openvex",
        "component",
        "the component that the package URL names",
        |is, expected| {
            let component = is.component.as_deref().unwrap();
            expected.as_str().unwrap() == format!("pkg:apk/{component}")
        },
    ),
    (
        "secretlint/inline_severity_map_4.json",
        "severity",
        "a word that is not known is no rating",
        |is, _| is.severity == Severity::Unrated,
    ),
    ("osv_scanner", "cve", NAMED_BY_ALIAS, |is, expected| {
        expected.is_null() && is.cve.len() == 1
    }),
    ("yarn_audit", "cve", NAMED_BY_ALIAS, |is, expected| {
        expected.is_null() && is.cve.len() == 1
    }),
    (
        "snyk/all_containers_target_output.json",
        "tags_include",
        "the file that declares the dependencies is the path",
        |is, expected| {
            let file = expected[0].as_str().unwrap().strip_prefix("target_file:");
            is.path.as_deref() == file
        },
    ),
    (
        "sonarqube/sonar-rule-undefined.html",
        "description",
        "DefectDojo's words for no description",
        |is, _| is.description.is_none(),
    ),
    (
        "trivy/kubernetes.json",
        "vulnerability_ids",
        RULE_IS_NO_VULNERABILITY,
        |is, expected| is.rule.as_deref() == expected[0].as_str() && is.cve.is_empty(),
    ),
    (
        "trivy_operator/cis_benchmark.json",
        "vulnerability_ids_count",
        RULE_IS_NO_VULNERABILITY,
        |is, _| is.rule.is_some() && is.cve.is_empty(),
    ),
];

const OTHER_NAMES: &str =
    "the ids that the vendor gives to the same problem are kept beside the CVE, as its other names";
const NAMED_BY_ALIAS: &str = "the report names the CVE among the aliases, and it is one";
const RULE_IS_NO_VULNERABILITY: &str =
    "the id of a check is its rule, and no vulnerability that other tools know by this id";

fn is_count_of_cve(is: &Finding, expected: &Value) -> bool {
    Some(is.cve.len() as u64) == expected.as_u64() && !is.aliases.is_empty()
}

/// Words that DefectDojo puts into titles and advice of its own accord, and that no report has.
const DEFECTDOJOS_WORDS: &[(&str, &[&str])] = &[
    ("cyclonedx", &["none"]),
    (
        "dependency_check",
        &[
            "update",
            "to",
            "at",
            "least",
            "the",
            "version",
            "recommended",
            "in",
            "description",
        ],
    ),
    ("ggshield", &["hard", "coded", "found", "in"]),
    (
        "github_secrets_detection_report",
        &["exposed", "secret", "detected"],
    ),
    ("gitlab_sast", &["none", "severity"]),
    ("gitleaks", &["hard", "coded", "found", "in"]),
    ("pnpm_audit", &["upgrade"]),
    ("trivy_operator", &["secret", "detected", "in"]),
    ("trufflehog3", &["found", "in"]),
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

/// What the manifest asserts of DefectDojo's own layout and model (its long texts, its dates and flags, what it computes
/// itself) rather than of the report.
const NOT_OF_THE_REPORT: &[&str] = &[
    "static",
    "dynamic",
    "dd_text_fields",
    "occurrences",
    "date",
    "verified",
    "mitigated",
    "out_of_scope",
    "epss_score",
    "epss_percentile",
    "confidence",
    "scanner_confidence_dd",
    "tags",
    "endpoints_count",
    "endpoints_expected",
    "service",
    "cvss_v3_vector",
    "cvss_v4_vector",
    "description_count_gt",
    "mitigation_count_gt",
    "severity_justification_count_gt",
    "references_count_gt",
    "description_not_contains",
    "mitigation_contains",
    "references_contains",
    "description_contains",
    "tool_unique_id",
];

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
    report: &'c Report,
    wrong: Vec<String>,
    /// The exceptions that were needed, by name and key.
    used: Vec<(&'static str, &'static str)>,
}

impl Check<'_> {
    fn wrong(&mut self, what: impl Into<String>) {
        self.wrong.push(what.into());
    }

    fn number_and_severities(&mut self, expect: &Value, reference: &Value) {
        let counts = self.report.counts();
        let is = [
            counts.critical,
            counts.high,
            counts.unrated,
            counts.medium,
            counts.low,
            counts.info,
        ];
        if let Some(other) = decided_numbers(self.file) {
            if is != other[..] {
                self.wrong(format!("{is:?} by severity, decided to be {other:?}"));
            }
            return;
        }
        let number = expect["findings"]
            .as_u64()
            .or_else(|| reference["findings"].as_u64());
        let n_findings = self.report.findings.len() as u64;
        if number != Some(n_findings) {
            self.wrong(format!("{n_findings} findings, expected {number:?}"));
        }
        for (word, number) in expect["severities"].as_object().into_iter().flatten() {
            let severity = Severity::from_scanner_word(word).unwrap();
            let is = counts.of(severity);
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
                if NOT_OF_THE_REPORT.contains(&key.as_str()) {
                    continue;
                }
                let other = OTHER_PARTS
                    .iter()
                    .find(|(name, part, ..)| applies(name, self.file, self.format) && part == key);
                if let Some((name, part, reason, holds)) = other
                    && self.part(finding, key, value).is_some()
                {
                    self.used.push((*name, *part));
                    if !holds(finding, value) {
                        self.wrong(format!("{:?}: {key}: not so: {reason}", finding.title));
                    }
                    continue;
                }
                // Where both are given, `cwes` holds those beside `cwe`.
                let both = match (key.as_str(), number_of(&sample["expect"]["cwe"])) {
                    ("cwes", Some(cwe)) => {
                        let mut both = vec![Value::from(cwe)];
                        both.extend(value.as_array().into_iter().flatten().cloned());
                        Value::from(both)
                    }
                    _ => value.clone(),
                };
                let value = &both;
                if let Some(said) = self.part(finding, key, value) {
                    self.wrong(format!(
                        "{:?}: {key}: {said}, expected {value}",
                        finding.title
                    ));
                }
            }
        }
    }

    /// Whether the finding has every word of a text somewhere, apart from those of DefectDojo's own.
    fn has_words(&self, finding: &Finding, text: &str) -> bool {
        let all = all_words(finding);
        let own = DEFECTDOJOS_WORDS
            .iter()
            .find(|(format, _)| *format == self.format);
        let own = own.map_or(&[][..], |(_, words)| words);
        words_of(text).all(|word| own.contains(&word.as_str()) || all.contains(&word))
    }

    /// What the finding says instead, if it is not what is expected.
    fn part(&self, finding: &Finding, key: &str, value: &Value) -> Option<String> {
        let text = value.as_str().unwrap_or("");
        let said = |is: &str, is_same: bool| (!is_same).then(|| is.to_owned());
        let is_text = |is: Option<&str>| said(is.unwrap_or("nothing"), is.unwrap_or("") == text);
        let ids = || finding.cve.iter().chain(&finding.aliases);
        match key {
            "title" => said(
                &finding.title,
                finding.title == holdpoint_importers::text::title(text)
                    || self.has_words(finding, text),
            ),
            "title_contains" => {
                let parts = strings(value);
                let all = all_words(finding);
                said(
                    &finding.title,
                    parts.iter().all(|part| {
                        all.contains(&part.trim().to_lowercase()) || self.has_words(finding, part)
                    }),
                )
            }
            "severity" => {
                let word = Severity::from_scanner_word(text);
                said(finding.severity.as_str(), word == Some(finding.severity))
            }
            "file" => said(
                finding.path.as_deref().unwrap_or("nothing"),
                normal(text) == finding.path.as_deref().unwrap_or(""),
            ),
            "line" => {
                let is = finding.start_line.map(u64::from);
                // DefectDojo writes 0 and -1 for no line.
                let expected = number_of(value).filter(|line| *line > 0);
                said(&format!("{is:?}"), is == expected)
            }
            "rule_id" => is_text(finding.rule.as_deref()),
            "cve" => said(
                &format!("{:?}", finding.cve),
                finding.cve.first().map_or("", String::as_str) == text,
            ),
            "vulnerability_ids" => {
                let is: BTreeSet<&str> = ids().map(String::as_str).collect();
                let expected = strings(value);
                said(
                    &format!("{is:?}"),
                    is == expected.iter().map(String::as_str).collect(),
                )
            }
            "vulnerability_ids_include" => {
                let missing: Vec<String> = strings(value)
                    .into_iter()
                    .filter(|wanted| !ids().any(|id| id == wanted))
                    .collect();
                said(
                    &format!("{:?} without {missing:?}", ids().collect::<Vec<_>>()),
                    missing.is_empty(),
                )
            }
            "vulnerability_ids_count" => said(
                &format!("{:?}", ids().collect::<Vec<_>>()),
                Some(ids().count() as u64) == value.as_u64(),
            ),
            "vulnerability_ids_count_ge" => said(
                &format!("{:?}", ids().collect::<Vec<_>>()),
                Some(ids().count() as u64) >= value.as_u64(),
            ),
            "cwe" => {
                // 0 stands for none.
                let expected = number_of(value).filter(|number| *number > 0);
                said(
                    &format!("{:?}", finding.cwe),
                    finding.cwe.first().copied().map(u64::from) == expected,
                )
            }
            "cwes" => {
                let expected: BTreeSet<u64> = value
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(number_of)
                    .filter(|number| *number > 0)
                    .collect();
                let is = finding.cwe.iter().copied().map(u64::from).collect();
                said(&format!("{:?}", finding.cwe), expected == is)
            }
            "component" => is_text(finding.component.as_deref()),
            "component_contains" => {
                let is = finding.component.as_deref().unwrap_or("nothing");
                said(is, strings(value).iter().all(|part| is.contains(part)))
            }
            "version" => is_text(finding.component_version.as_deref()),
            "fix_version" => is_text(finding.fixed_version.as_deref()),
            "fix_available" => said(
                finding.fixed_version.as_deref().unwrap_or("nothing"),
                value.as_bool().unwrap_or(false) == finding.fixed_version.is_some(),
            ),
            "active" => said(
                finding.status.as_str(),
                value.as_bool() == Some(finding.status.is_open()),
            ),
            // DefectDojo's reasons for not being active; here what the scanner says of it.
            "false_positive" | "risk_accepted" => said(
                finding.status.as_str(),
                value.as_bool() != Some(true) || !finding.status.is_open(),
            ),
            "cvss_v3_score" => said(
                &format!("{:?}", finding.score),
                finding.score == value.as_f64(),
            ),
            "url" => is_text(finding.help_url.as_deref()),
            "source_object" => is_text(finding.scope.as_deref()),
            "source_line" => said(
                &format!("{:?}", finding.start_line),
                finding.start_line.map(u64::from) == value.as_u64(),
            ),
            "source_file" => is_text(finding.path.as_deref()),
            "present" => {
                let missing: Vec<String> = strings(value)
                    .into_iter()
                    .filter(|part| !has_part(finding, part))
                    .collect();
                said(&format!("no {missing:?}"), missing.is_empty())
            }
            "description" | "mitigation" | "references" | "impact" => {
                said("nothing of the kind", self.has_words(finding, text))
            }
            "tags_include" => {
                let missing: Vec<String> = strings(value)
                    .into_iter()
                    .filter(|tag| !finding.tags.iter().any(|is| **is == **tag))
                    .collect();
                said(
                    &format!("{:?} without {missing:?}", finding.tags),
                    missing.is_empty(),
                )
            }
            other => Some(format!(
                "an assertion about {other}, which this test does not know"
            )),
        }
    }
}

/// Whether a finding has what DefectDojo has in this field.
fn has_part(finding: &Finding, part: &str) -> bool {
    match part {
        "description" => finding.description.is_some() || finding.message.is_some(),
        "mitigation" => finding.remediation.is_some() || finding.fixed_version.is_some(),
        "references" => finding.help_url.is_some(),
        "impact" | "severity_justification" => finding.message.is_some() || finding.score.is_some(),
        // Computed by DefectDojo itself, or of no use to a review.
        _ => true,
    }
}

fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        Value::String(text) => vec![text.clone()],
        _ => Vec::new(),
    }
}

/// The words of a text, in lower case.
fn words_of(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect::<Vec<_>>()
        .into_iter()
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
    reason = "how many files were matched is for people"
)]
fn every_file_of_the_corpus_is_read_as_its_manifest_expects() {
    let Some(corpus) = common::shared("corpus") else {
        return;
    };
    let mut wrong = String::new();
    let mut table: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    let mut used = BTreeSet::new();
    for entry in manifest(&corpus)["files"].as_array().unwrap() {
        let (file, format) = (
            entry["file"].as_str().unwrap(),
            entry["format"].as_str().unwrap(),
        );
        // SARIF has a test of its own.
        if format == "sarif" {
            continue;
        }
        let bytes = std::fs::read(corpus.join(file)).unwrap();
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
                    report,
                    wrong: Vec::new(),
                    used: Vec::new(),
                };
                check.number_and_severities(expect, &entry["reference"]);
                check.samples(expect);
                said = check.wrong;
                used.extend(check.used);
            }
        }
        counts.1 += u32::from(said.is_empty());
        for said in said {
            writeln!(wrong, "{file}: {said}").unwrap();
        }
    }
    // An exception that nothing needs any more would hide the next mistake.
    for (name, key, ..) in OTHER_PARTS {
        if !used.contains(&(*name, *key)) {
            writeln!(wrong, "{name}: {key} needs no exception any more").unwrap();
        }
    }
    eprintln!("format: files, matched: {table:?}");
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_scan_of_the_seed_repository_is_read_as_it_was_counted() {
    let Some(scans) = common::shared("opensqt/scans") else {
        return;
    };
    let mut wrong = String::new();
    for entry in manifest(&scans)["files"].as_array().unwrap() {
        let (file, format) = (
            entry["file"].as_str().unwrap(),
            entry["format"].as_str().unwrap(),
        );
        let bytes = std::fs::read(scans.join(file)).unwrap();
        let raw = String::from_utf8_lossy(&bytes);
        let report = match holdpoint_importers::read(&bytes, None, None) {
            Ok(report) => report,
            // Many tools write such an empty list when they have found nothing; the file's name tells them apart then.
            Err(ImportError::Ambiguous { .. }) => {
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
            let any = [
                fits.critical,
                fits.high,
                fits.unrated,
                fits.medium,
                fits.low,
                fits.info,
            ];
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
