//! Fortify Static Code Analyzer: a project result (`.fpr`, a zip file by design) or the `audit.fvdl` within it.
//!
//! Source: `mitre/heimdall2`, `libs/hdf-converters/src/fortify-mapper.ts`; Fortify documentation, "Fortify Priority Order". Of the
//! zip file `audit.xml`, where people's decisions are, and `audit.fvdl` are read, one after the other.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each `Vulnerability` | one finding; `InstanceID` is its fingerprint |
//! | impact of the rule; its accuracy, its probability and the confidence (the likelihood) | critical, high, medium and low, in Fortify's own order; unrated where one is missing |
//! | `suppressed` in `audit.xml`, an analysis "Not an Issue" | suppressed, with the last comment |
//! | `Errors` of the engine | the scan is incomplete |
//! | `NumberFiles` 0 or missing | nothing was looked at: the scan is incomplete |

use std::collections::HashMap;

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, root_is};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const FORTIFY: Format = Format {
    name: "fortify",
    title: "Fortify FPR or FVDL",
    tool: "Fortify",
    detect,
    lists: &[],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let is_audit = root_is(sniff, "Audit") && sniff.text.contains("fortify");
    certain_if(root_is(sniff, "FVDL") || is_audit)
}

/// What the engine knows of a rule.
#[derive(Default)]
struct Rule {
    impact: Option<f64>,
    accuracy: Option<f64>,
    probability: Option<f64>,
    weaknesses: String,
}

/// What people have decided of an issue.
struct Decision {
    is_suppressed: bool,
    reason: String,
}

#[derive(Default)]
struct Known {
    rules: HashMap<String, Rule>,
    descriptions: HashMap<String, [String; 2]>,
    decisions: HashMap<String, Decision>,
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut known = Known::default();
    // What the rules say stands behind what they have found.
    let patterns: &[&[&str]] = &[
        &["FVDL", "EngineData", "RuleInfo", "Rule"],
        &["FVDL", "Description"],
        &["Audit", "IssueList", "Issue"],
        &["FVDL", "Vulnerabilities", "Vulnerability"],
        &["FVDL", "Snippets", "Snippet"],
        &["FVDL", "UnifiedNodePool", "Node"],
    ];
    let rest = reading.xml_stream(text, &["FVDL"], patterns, &mut |_, nth, element| {
        match nth.pattern {
            0 => known.learn_rule(element),
            1 => known.learn_description(element),
            2 => known.learn_decision(element),
            _ => {}
        }
        Ok(())
    })?;
    if !rest.has("Vulnerabilities") {
        let message = "the element Vulnerabilities is required here.";
        return Err(reading.broken("FVDL", message));
    }
    reading.xml_stream(text, &["FVDL"], patterns, &mut |reading, nth, element| {
        if nth.pattern == 3 {
            let pointer = format!("Vulnerability {}", nth.at);
            reading.needs_object(element, "")?;
            let finding = known.finding(reading, &pointer, element);
            reading.add(finding);
        }
        Ok(())
    })?;
    reading.tool("", &rest.text("EngineData/EngineVersion"));
    let date = rest.text("CreatedTS/date");
    let time = rest.text("CreatedTS/time");
    reading.scanned_at(&format!("{date}T{time}"));
    reading.target(&rest.first_text(&["Build/Project", "Build/BuildID"]));
    if rest.number("Build/NumberFiles").is_none_or(|n| n <= 0.0) {
        reading.nothing_looked_at("Build/NumberFiles", "no file");
    }
    for error in rest.each("EngineData/Errors/Error") {
        let said = error.own_texts();
        reading.incomplete("EngineData/Errors", &said);
    }
    Ok(())
}

impl Known {
    fn learn_rule(&mut self, rule: &Loose<'_>) {
        let mut known = Rule::default();
        for group in rule.each("MetaInfo/Group") {
            let number = || group.own_text().parse().ok();
            match &*group.text("name") {
                "Impact" => known.impact = number(),
                "Accuracy" => known.accuracy = number(),
                "Probability" => known.probability = number(),
                // CWE ID 615
                "altcategoryCWE" => known.weaknesses = group.own_text().replace("CWE ID ", "CWE-"),
                _ => {}
            }
        }
        self.rules.insert(rule.text("id").into_owned(), known);
    }

    fn learn_description(&mut self, description: &Loose<'_>) {
        let texts = ["Abstract", "Recommendations"].map(|key| description.text(key).into_owned());
        self.descriptions
            .insert(description.text("classID").into_owned(), texts);
    }

    fn learn_decision(&mut self, issue: &Loose<'_>) {
        let comments = issue.each("ThreadedComments/Comment");
        let values: Vec<String> = issue
            .each("Tag")
            .iter()
            .map(|tag| tag.text("Value").into_owned())
            .collect();
        let no_issue = values
            .iter()
            .find(|value| value.eq_ignore_ascii_case("Not an Issue"));
        let comment = comments
            .last()
            .map_or("".into(), |last| last.text("Content"));
        let decision = Decision {
            is_suppressed: issue.flag("suppressed") || no_issue.is_some(),
            reason: if comment.is_empty() {
                no_issue.cloned().unwrap_or_default()
            } else {
                comment.into_owned()
            },
        };
        self.decisions
            .insert(issue.text("instanceId").into_owned(), decision);
    }

    fn finding(&self, reading: &mut Reading<'_>, pointer: &str, found: &Loose<'_>) -> Finding {
        let (class, instance) = (found.at("ClassInfo"), found.at("InstanceInfo"));
        let id = class.text("ClassID");
        let entries = found.each("AnalysisInfo/Unified/Trace/Primary/Entry");
        let reasons = entries
            .iter()
            .map(|entry| entry.text("Node/Reason/Rule/ruleID"));
        let rule = std::iter::once(id.clone())
            .chain(reasons)
            .find_map(|id| self.rules.get(&*id));
        let severity = rating(rule, instance).unwrap_or_else(|| reading.severity(pointer, ""));
        let node = entries
            .iter()
            .rfind(|entry| entry.at("Node").flag("isDefault"));
        let node = node
            .or(entries.last())
            .map_or(&Loose::Null, |entry| entry.at("Node"));
        let place = node.at("SourceLocation");
        let place = if place.is_object() {
            place
        } else {
            // A trace that refers to a pool of nodes.
            found.at("AnalysisInfo/Unified/ReplacementDefinitions/LocationDef")
        };
        let place = place.items().first().unwrap_or(&Loose::Null);
        let (kind, sub) = (class.text("Type"), class.text("Subtype"));
        let words = if sub.is_empty() {
            kind.into_owned()
        } else {
            format!("{kind}: {sub}")
        };
        let fingerprint = instance.text("InstanceID");
        let [description, remediation] = self.descriptions.get(&*id).cloned().unwrap_or_default();
        let is_secret = words.contains("Password") || words.contains("Hardcoded");
        let mut finding = Finding::of(&words, severity, pointer)
            .with_rule(&id)
            .with_rule_name(&words)
            .with_description(&description)
            .with_remediation(&remediation)
            .with_path(&place.text("path"))
            .with_lines(place.line("line"), place.line("lineEnd"))
            .with_columns(place.line("colStart"), None)
            .with_scope(&found.text("AnalysisInfo/Unified/Context/Function/name"))
            .with_ids(rule.map_or("", |rule| rule.weaknesses.as_str()))
            .with_fingerprint(&fingerprint)
            .with_tag(&class.text("Kingdom"))
            .with_category(if is_secret {
                Category::Secret
            } else {
                Category::Code
            });
        if let Some(decision) = self.decisions.get(&*fingerprint)
            && decision.is_suppressed
        {
            finding.status = ScannerStatus::Suppressed;
            finding = finding.with_suppression_reason(&decision.reason);
        }
        finding
    }
}

/// The Fortify Priority Order.
fn rating(rule: Option<&Rule>, instance: &Loose<'_>) -> Option<Severity> {
    let rule = rule?;
    let confidence = instance.number("Confidence")?;
    let own = |name: &str| {
        let mut groups = instance.each("MetaInfo/Group").iter();
        groups
            .find(|group| group.text("name") == name)
            .and_then(|group| group.own_text().parse::<f64>().ok())
    };
    let impact = own("Impact").or(rule.impact)?;
    let accuracy = own("Accuracy").or(rule.accuracy)?;
    let probability = own("Probability").or(rule.probability)?;
    let likelihood = accuracy * confidence * probability / 25.0;
    // As the tool rounds it.
    let likelihood = (likelihood * 10.0).round() / 10.0;
    Some(match (impact >= 2.5, likelihood >= 2.5) {
        (true, true) => Severity::Critical,
        (true, false) => Severity::High,
        (false, true) => Severity::Medium,
        (false, false) => Severity::Low,
    })
}
