//! Results of checks against a benchmark, XCCDF 1.1 and 1.2, also within an Asset Reporting Format (ARF) collection: what
//! `oscap xccdf eval --results` and `--results-arf`, and the SCAP Compliance Checker, write.
//!
//! Source: NIST IR 7275 revision 4 (XCCDF 1.2), section 6.6; NIST IR 7694 (ARF 1.1); `OpenSCAP/openscap`,
//! `src/XCCDF/result.c`.
//!
//! | result of a rule | what becomes of it |
//! |---|---|
//! | fail | one finding |
//! | pass, notapplicable, notselected, informational | none |
//! | fixed | fixed |
//! | notchecked | a person is asked to look |
//! | error, unknown | the same, and the scan is incomplete |
//! | pass that overrides another | suppressed, with its remark |
//!
//! Severity and title are the rule's in the benchmark where the result has none; "unknown", the standard's default, is unrated.
//! No rule that was checked, no end of the test and errors that the tool counts make the scan incomplete. Target and profile are
//! the target of the scan.

use std::collections::HashMap;

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, root_is};
use super::targets::Targets;
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const XCCDF: Format = Format {
    name: "xccdf",
    title: "XCCDF results or ARF",
    tool: "XCCDF",
    detect,
    lists: &[],
    read,
};

/// Groups within groups; a benchmark has a handful of levels.
const MOST_LEVELS: usize = 50;

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let is_xccdf = |sign: &str| sniff.text.contains(sign);
    let is_root = root_is(sniff, "Benchmark")
        || root_is(sniff, "TestResult")
        || root_is(sniff, "asset-report-collection");
    certain_if(is_root && (is_xccdf("/xccdf/") || is_xccdf("asset-reporting-format")))
}

const REQUEST: [&str; 6] = [
    "asset-report-collection",
    "report-requests",
    "report-request",
    "content",
    "data-stream-collection",
    "component",
];

const PATTERNS: [&[&str]; 10] = [
    &["Benchmark", "TestResult"],
    &[
        "asset-report-collection",
        "reports",
        "report",
        "content",
        "TestResult",
    ],
    &["Benchmark", "Group"],
    &["Benchmark", "Rule"],
    &[
        "asset-report-collection",
        "report-requests",
        "report-request",
        "content",
        "Benchmark",
        "Group",
    ],
    &[
        "asset-report-collection",
        "report-requests",
        "report-request",
        "content",
        "Benchmark",
        "Rule",
    ],
    &[
        REQUEST[0],
        REQUEST[1],
        REQUEST[2],
        REQUEST[3],
        REQUEST[4],
        REQUEST[5],
        "Benchmark",
        "Group",
    ],
    &[
        REQUEST[0],
        REQUEST[1],
        REQUEST[2],
        REQUEST[3],
        REQUEST[4],
        REQUEST[5],
        "Benchmark",
        "Rule",
    ],
    // What the checks found in detail, and their definitions, are many times as long as the results.
    &[
        REQUEST[0],
        REQUEST[1],
        REQUEST[2],
        REQUEST[3],
        REQUEST[4],
        REQUEST[5],
        "oval_definitions",
    ],
    &[
        "asset-report-collection",
        "reports",
        "report",
        "content",
        "oval_results",
    ],
];

/// What a benchmark says of a rule.
struct Rule {
    title: String,
    description: String,
    fix: String,
    severity: String,
    version: String,
}

#[derive(Default)]
struct Scan {
    rules: HashMap<String, Rule>,
    targets: Targets,
    n_results: usize,
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut scan = Scan::default();
    if let Some(n) = errors_counted(text.beginning()) {
        reading.incomplete("line 1", &format!("the tool counts {n} errors"));
    }
    let roots = ["Benchmark", "TestResult", "asset-report-collection"];
    let is_test = root_is(&Sniff::of_body(text, None), "TestResult");
    let rest = reading.xml_stream(text, &roots, &PATTERNS, &mut |reading, nth, element| {
        match nth.pattern {
            0 | 1 => scan.read_test(reading, element)?,
            2 | 4 | 6 => scan.learn_group(element, 0),
            3 | 5 | 7 => scan.learn(element),
            _ => {}
        }
        Ok(())
    })?;
    if is_test {
        scan.read_test(reading, &rest)?;
    }
    if scan.n_results == 0 {
        let message = "the element TestResult is required here; a benchmark alone says of no test.";
        return Err(reading.broken("line 1", message));
    }
    scan.targets.tell(reading);
    Ok(())
}

/// The text of an element, without its attributes where it has text of its own.
fn said(element: &Loose<'_>) -> String {
    let own = element.own_text();
    if own.is_empty() {
        element.own_texts()
    } else {
        own.into_owned()
    }
}

/// The SCAP Compliance Checker counts its errors in a comment.
fn errors_counted(beginning: &str) -> Option<u64> {
    let (_, rest) = beginning.split_once("FileType:XCCDF Results")?;
    let (_, rest) = rest.split_once("ErrorCount:")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|n| *n > 0)
}

impl Scan {
    fn learn_group(&mut self, group: &Loose<'_>, level: usize) {
        if level > MOST_LEVELS {
            return;
        }
        group.each("Rule").iter().for_each(|rule| self.learn(rule));
        for group in group.each("Group") {
            self.learn_group(group, level + 1);
        }
    }

    fn learn(&mut self, rule: &Loose<'_>) {
        let first = |key: &str| rule.each(key).first().map_or_else(String::new, said);
        let said = Rule {
            title: first("title"),
            description: first("description"),
            fix: first("fixtext"),
            severity: rule.text("severity").into_owned(),
            version: first("version"),
        };
        self.rules.insert(rule.text("id").into_owned(), said);
    }

    fn read_test(
        &mut self,
        reading: &mut Reading<'_>,
        test: &Loose<'_>,
    ) -> Result<(), ImportError> {
        self.n_results += 1;
        reading.needs_object(test, "")?;
        let targets: Vec<String> = test.each("target").iter().map(said).collect();
        let target = targets.join(" ");
        let profile = test.text("profile/idref");
        self.targets.add(&format!("{target} {profile}"));
        reading.scanned_at(&test.first_text(&["end-time", "start-time"]));
        // cpe:/a:redhat:openscap:1.3.5
        let system = test.text("test-system");
        let system: Vec<&str> = system.trim_start_matches("cpe:/a:").split(':').collect();
        match system.as_slice() {
            [_, name, version, ..] => reading.tool(name, version),
            [name] => reading.tool(name, ""),
            _ => {}
        }
        let place = format!("TestResult {}", test.text("id"));
        if test.text("end-time").is_empty() {
            reading.incomplete(&*place, "the test has no end");
        }
        let mut n_checked = 0_usize;
        for (at, result) in test.each("rule-result").iter().enumerate() {
            let pointer = format!("{place}, rule-result {at}");
            reading.needs_object(result, "")?;
            match self.finding(reading, &pointer, &target, result) {
                Some(finding) => {
                    n_checked += usize::from(finding.status != ScannerStatus::Review);
                    reading.add(finding);
                }
                None => {
                    let word = result.text("result");
                    n_checked += usize::from(word.eq_ignore_ascii_case("pass"));
                    reading.not_a_finding();
                }
            }
        }
        if n_checked == 0 {
            reading.nothing_looked_at(&place, "no rule was checked");
        }
        Ok(())
    }

    /// `None` for what passed, or was not asked for.
    fn finding(
        &self,
        reading: &mut Reading<'_>,
        pointer: &str,
        target: &str,
        result: &Loose<'_>,
    ) -> Option<Finding> {
        let id = result.text("idref");
        let rule = self.rules.get(&*id);
        let title = rule.map_or("", |rule| rule.title.as_str());
        let named = if title.is_empty() { &*id } else { title };
        let word = result.text("result").to_ascii_lowercase();
        let over = result.each("override").last();
        let mut status = ScannerStatus::Open;
        match &*word {
            "pass" | "notapplicable" | "notselected" | "informational" => {
                let before = over?.text("old-result");
                match &*before {
                    "pass" | "notapplicable" | "notselected" | "informational" | "fixed" => {
                        return None;
                    }
                    "fail" | "error" | "unknown" | "notchecked" => {}
                    word => reading.unknown_word(pointer, "result", word),
                }
                status = ScannerStatus::Suppressed;
            }
            "fail" => {}
            "fixed" => status = ScannerStatus::Fixed,
            "notchecked" => status = ScannerStatus::Review,
            "error" | "unknown" => {
                reading.incomplete(pointer, &format!("{named}: {word}"));
                status = ScannerStatus::Review;
            }
            word => reading.unknown_word(pointer, "result", word),
        }
        let severity = result.text("severity");
        let severity = if severity.is_empty() {
            rule.map_or("", |rule| rule.severity.as_str())
        } else {
            &*severity
        };
        let severity: Severity = reading.severity(pointer, severity);
        let messages: Vec<String> = result.each("message").iter().map(said).collect();
        let instances: Vec<String> = result.each("instance").iter().map(said).collect();
        let version = result.text("version");
        let version = if version.is_empty() {
            rule.map_or("", |rule| rule.version.as_str())
        } else {
            &*version
        };
        let mut finding = Finding::of(named, severity, pointer)
            .with_rule(lasting_rule(&id))
            .with_rule_name(version)
            .with_message(&messages.join("\n"))
            .with_scope(format!("{target} {}", instances.join(" ")).trim())
            .with_partial_fingerprint(format!("{target} {}", instances.join(" ")).trim())
            .with_status(status)
            .with_category(Category::Configuration);
        if let Some(rule) = rule {
            finding = finding
                .with_description(&rule.description)
                .with_remediation(&rule.fix);
        }
        for ident in result.each("ident") {
            let text = ident.own_text();
            if text.starts_with("CVE-") {
                finding.category = Some(Category::Dependency);
                finding = finding.with_ids(&text);
            } else {
                finding = finding.with_tag(&text);
            }
        }
        finding.tags.truncate(50);
        if status == ScannerStatus::Suppressed
            && let Some(over) = over
        {
            let remark = over.each("remark").first().map_or_else(String::new, said);
            finding = finding.with_suppression_reason(&remark);
        }
        Some(finding)
    }
}

/// The name of a rule without what changes with each release of its benchmark: `SV-230221` of
/// `xccdf_mil.disa.stig_rule_SV-230221r743913_rule`.
fn lasting_rule(id: &str) -> &str {
    let id = id
        .strip_prefix("xccdf_")
        .and_then(|rest| rest.split_once("_rule_"))
        .map_or(id, |(_, rule)| rule);
    let number = id.strip_prefix("SV-").unwrap_or("");
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0 && number[digits..].starts_with('r') {
        &id[.."SV-".len() + digits]
    } else {
        id
    }
}

#[cfg(test)]
mod tests {
    use super::lasting_rule;

    #[test]
    fn a_rule_is_the_same_in_the_next_release() {
        for (id, rule) in [
            (
                "xccdf_mil.disa.stig_rule_SV-230221r743913_rule",
                "SV-230221",
            ),
            ("SV-230221r743913_rule", "SV-230221"),
            ("xccdf_org.ssgproject.content_rule_no_root", "no_root"),
            (
                "oval-com.redhat.rhsa-def-20060015",
                "oval-com.redhat.rhsa-def-20060015",
            ),
            ("SV-x", "SV-x"),
        ] {
            assert_eq!(lasting_rule(id), rule);
        }
    }
}
