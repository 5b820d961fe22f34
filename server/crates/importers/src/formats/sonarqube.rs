//! SonarQube, JSON of its API (issues, hotspots) and of the sonar-report tool, and the page that this tool writes.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `issues`, `hotspots` | one finding |
//! | severity | BLOCKER critical, CRITICAL high, MAJOR medium, MINOR low, INFO info; a hotspot by its probability |
//! | status | RESOLVED and CLOSED fixed; TO_REVIEW to be reviewed; SAFE, FALSE-POSITIVE, WONTFIX suppressed |
//! | page: each row of the table "Detail of the Detected Vulnerabilities" | one finding, with the fields that its heading names |
//! | page without its end | it was cut off: the scan is incomplete |
//! | `paging.total` larger than the list | the scan is incomplete: further pages are missing |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, object_with, root_is};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const SONARQUBE: Format = Format {
    name: "sonarqube",
    title: "SonarQube JSON or sonar-report page",
    tool: "sonarqube",
    detect,
    lists: &["issues?", "hotspots?"],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let has_issues = object_with(sniff, &["issues"]) || object_with(sniff, &["hotspots"]);
    let is_api = sniff.has_key("paging") || sniff.has_key("components");
    let is_report = sniff.has_key("sonarBaseURL") || sniff.has_key("sonarComponent");
    let is_page = root_is(sniff, "html") && heading_at(sniff.text, "<h1", PAGE_TITLE).is_some();
    certain_if(has_issues && is_api || is_report || is_page)
}

const PAGE_TITLE: &str = "SonarQube Vulnerability Report";
const DETAIL: &str = "Detail of the Detected Vulnerabilities";

/// Where a heading with these words stands, whatever white space is between them.
fn heading_at(text: &str, element: &str, words: &str) -> Option<usize> {
    let mut headings = text.match_indices(element);
    let heading = headings.find(|(at, _)| {
        let rest = &text[at + element.len()..];
        let inner = rest.split_once('>').map_or("", |(_, inner)| inner);
        let inner = inner.split_once("</").map_or("", |(inner, _)| inner);
        inner.split_whitespace().eq(words.split(' '))
    });
    heading.map(|(at, _)| at)
}

const PAGE_END: &str = "</html>";

/// Only the one table is read, as XML; what stands around it is for people and changes with the page's styling.
fn read_page(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let text = text.whole()?;
    let missing = |what: &str| format!("the page has no {what}.");
    let heading = heading_at(&text, "<h2", DETAIL);
    let heading = heading.ok_or_else(|| {
        reading.broken(
            "$",
            missing("section Detail of the Detected Vulnerabilities"),
        )
    })?;
    let after = &text[heading..];
    let start = after.find("<table").map(|at| heading + at);
    let end = after
        .find("</table>")
        .map(|at| heading + at + "</table>".len());
    let (Some(start), Some(end)) = (start, end.filter(|end| start.is_some_and(|s| s < *end)))
    else {
        return Err(reading.broken("$", missing("whole table of vulnerabilities")));
    };
    // As many empty lines before it as stand there, so that a refusal names the line in the page.
    let n_lines = text[..start].matches('\n').count();
    let table = "\n".repeat(n_lines) + &text[start..end];
    let table = reading.xml(Body::Whole(&table), "table")?;
    let names: Vec<String> = table
        .each("thead/tr/th")
        .iter()
        .map(|name| name.own_text().to_ascii_lowercase())
        .collect();
    for (at, row) in table.each("tbody/tr").iter().enumerate() {
        let cells = row.each("td").iter().map(|cell| {
            // The rule links to its page.
            let text = if cell.has("a") {
                cell.text("a")
            } else {
                cell.own_text()
            };
            Loose::Text(text.into_owned().into())
        });
        let fields = names.iter().cloned().map(Into::into).zip(cells);
        let issue = Loose::Object(fields.collect());
        let found = finding(reading, &format!("table, row {}", at + 1), &issue)
            .with_link(
                &row.each("td")
                    .first()
                    .map_or("".into(), |rule| rule.text("a/href")),
            )
            .with_rule_name(&issue.text("description"))
            .with_title(&issue.first_text(&["description", "message", "rule"]));
        reading.add(Finding {
            description: None,
            ..found
        });
    }
    let page = text.trim_end();
    let last = page.rfind("</").map_or("", |at| &page[at..]);
    let last: String = last.chars().filter(|c| !c.is_whitespace()).collect();
    if !last.eq_ignore_ascii_case(PAGE_END) {
        let line = 1 + page.matches('\n').count();
        let reason = "the page does not end in </html>; it was cut off";
        reading.incomplete(format!("line {line}"), reason);
    }
    Ok(())
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    if text.begins_with('<') {
        return read_page(reading, text);
    }
    let patterns: &[&'static [&'static str]] = &[&["issues", "*"], &["hotspots", "*"]];
    let mut n_read: u32 = 0;
    let rest = reading.stream(text, patterns, &mut |reading, pointer, issue| {
        n_read += 1;
        let found = finding(reading, pointer, issue);
        reading.add(found);
        Ok(())
    })?;
    let list = if rest.has("issues") {
        "issues"
    } else {
        "hotspots"
    };
    reading.needs_list(&rest, list)?;
    let total = rest
        .number("paging/total")
        .or_else(|| rest.number("total"))
        .unwrap_or(0.0);
    if rest.number("paging/total").is_none() && rest.has("paging") {
        reading.incomplete("/paging/total", "it does not say how many there are");
    }
    if total > f64::from(n_read) {
        reading.incomplete(
            "/paging/total",
            &format!("{n_read} of {total} are in this file; further pages are missing"),
        );
    }
    Ok(())
}

fn of_word(reading: &mut Reading<'_>, pointer: &str, word: &str) -> Severity {
    match word {
        "BLOCKER" => Severity::Critical,
        "CRITICAL" => Severity::High,
        "MAJOR" => Severity::Medium,
        "MINOR" => Severity::Low,
        word => reading.severity(pointer, word),
    }
}

fn finding(reading: &mut Reading<'_>, pointer: &str, issue: &Loose<'_>) -> Finding {
    let word = issue.first_text(&["severity", "vulnerabilityProbability"]);
    // In its newer mode a rule has no severity of its own, but one for each quality that it touches.
    let impacts = issue.each("impacts").iter();
    let impact = impacts
        .filter_map(|impact| Severity::from_scanner_word(&impact.text("severity")))
        .min();
    let severity = match (&*word, impact) {
        ("", Some(impact)) => impact,
        (word, _) => of_word(reading, pointer, word),
    };
    let resolution = issue.text("resolution");
    let word = issue.first_text(&["status", "issueStatus"]);
    let status = match (&*word, &*resolution) {
        (_, "SAFE" | "ACKNOWLEDGED" | "FALSE-POSITIVE" | "WONTFIX")
        | ("FALSE_POSITIVE" | "ACCEPTED", _) => ScannerStatus::Suppressed,
        ("RESOLVED" | "CLOSED" | "FIXED" | "REVIEWED", _) => ScannerStatus::Fixed,
        ("TO_REVIEW" | "IN_REVIEW", _) => ScannerStatus::Review,
        ("OPEN" | "CONFIRMED" | "REOPENED" | "IN_SANDBOX", _) => ScannerStatus::Open,
        (word, _) => {
            // The page has no such column.
            if issue.has("status") || issue.has("issueStatus") {
                reading.unknown_word(pointer, "status", word);
            }
            ScannerStatus::Open
        }
    };
    let component = issue.text("component");
    // `project:folder/file`; a project alone is no file.
    let path = match component.split_once(':') {
        Some((_, path)) => path,
        None if component == issue.text("project") => "",
        None => &component,
    };
    let message = issue.text("message");
    let rule = issue.first_text(&["rule", "ruleKey"]);
    let line = issue
        .line("line")
        .or_else(|| issue.line("textRange/startLine"));
    let mut finding = Finding::of(
        if message.is_empty() { &rule } else { &message },
        severity,
        pointer,
    )
    .with_rule(&rule)
    .with_message(&message)
    .with_description(&issue.text("description"))
    .with_path(path)
    .with_lines(line, issue.line("textRange/endLine"))
    .with_fingerprint(&issue.text("key"))
    .with_status(status)
    .with_tags(issue.at("tags"))
    .with_category(Category::Code);
    if rule.contains("UsingComponentWithKnownVulnerability") {
        // Its tag cwe-937 is a category of a list of 2013; the weakness itself is in the message.
        return known_vulnerability(finding, &message);
    }
    for tag in issue.each("tags") {
        let tag = tag.own_text();
        if tag.to_ascii_lowercase().starts_with("cwe-") {
            finding = finding.with_ids(&tag);
        }
    }
    finding
}

/// The Dependency-Check plugin puts everything into the message: `Filename: name:1.2 | Reference: CVE-… | CVSS Score: 9.8 | …`.
fn known_vulnerability(finding: Finding, message: &str) -> Finding {
    let mut finding = finding
        .with_ids(message)
        .with_category(Category::Dependency);
    for part in message.split('|') {
        if let Some((key, value)) = part.split_once(':')
            && key.trim() == "Filename"
        {
            let (name, version) = value.trim().rsplit_once(':').unwrap_or((value.trim(), ""));
            finding = finding.with_component(name, version);
        }
    }
    finding
}
