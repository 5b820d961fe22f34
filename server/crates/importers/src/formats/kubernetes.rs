//! Checks of clusters and hosts: KubeLinter, Kubescape, kube-bench, docker-bench-security.
//!
//! | format | findings | severity |
//! |---|---|---|
//! | KubeLinter | each of `Reports` (null is none) | medium: it has none |
//! | Kubescape | each failed control of each resource | `scoreFactor` as Kubescape bands it: from 9 critical, 7 high, 4 medium, 1 low |
//! | kube-bench | FAIL and WARN; a test that is to be done by hand is no finding | FAIL medium, WARN info: not scored |
//! | docker-bench | WARN, INFO and NOTE, unless "(Manual)"; FAIL | FAIL critical, WARN high, INFO low, NOTE info |

use std::collections::HashMap;

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, list_with, object_with};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError};

pub const KUBELINTER: Format = Format {
    name: "kubelinter",
    title: "KubeLinter JSON",
    tool: "kube-linter",
    detect: |sniff| {
        let has_more = sniff.has_key("Checks")
            || sniff.has_key("Summary")
            || sniff.text.contains("\"Diagnostic\"");
        certain_if(
            object_with(sniff, &["Reports"]) && has_more
                || object_with(sniff, &["Checks", "Summary"]),
        )
        .max(if super::reading::is_only(sniff, "{}") {
            Confidence::Possible
        } else {
            Confidence::No
        })
    },
    lists: &[],
    read: read_kubelinter,
};

pub const KUBESCAPE: Format = Format {
    name: "kubescape",
    title: "Kubescape JSON",
    tool: "kubescape",
    detect: |sniff| {
        certain_if(
            object_with(sniff, &["summaryDetails"])
                || object_with(sniff, &["customerGUID", "results"]),
        )
    },
    lists: &[],
    read: read_kubescape,
};

pub const KUBEBENCH: Format = Format {
    name: "kubebench",
    title: "kube-bench JSON",
    tool: "kube-bench",
    detect: |sniff| {
        let is_list = list_with(sniff, &["id", "tests", "node_type"]);
        let is_object =
            object_with(sniff, &["Controls"]) || object_with(sniff, &["tests", "node_type"]);
        certain_if(is_list || is_object && sniff.text.contains("\"test_number\""))
    },
    lists: &[],
    read: read_kubebench,
};

pub const DOCKERBENCH: Format = Format {
    name: "dockerbench",
    title: "docker-bench-security JSON",
    tool: "docker-bench-security",
    detect: |sniff| certain_if(object_with(sniff, &["dockerbenchsecurity"])),
    lists: &[],
    read: read_dockerbench,
};

fn read_kubelinter(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut found = Vec::new();
    let rest = reading.stream(text, &[&["Reports", "*"]], &mut |_, pointer, report| {
        let object = report.at("Object/K8sObject");
        let check = report.text("Check");
        let message = report.text("Diagnostic/Message");
        let names = [
            object.text("Namespace"),
            object.text("GroupVersionKind/Kind"),
            object.text("Name"),
        ];
        let names: Vec<&str> = names
            .iter()
            .map(|name| &**name)
            .filter(|name| !name.is_empty())
            .collect();
        let finding = Finding::of(
            if message.is_empty() { &check } else { &message },
            Severity::Medium,
            pointer,
        )
        .with_rule(&check)
        .with_message(&message)
        .with_remediation(&report.text("Remediation"))
        .with_path(&report.text("Object/Metadata/FilePath"))
        .with_scope(&names.join("/"))
        .with_component(&names.join("/"), "")
        .with_category(Category::Configuration);
        found.push(finding);
        Ok(())
    })?;
    reading.needs_object(&rest, "")?;
    if !rest.at("Reports").is_null() {
        reading.needs_list(&rest, "Reports")?;
    }
    reading.tool("", &rest.text("Summary/KubeLinterVersion"));
    reading.scanned_at(&rest.text("Summary/CheckEndTime"));
    // The register of checks may stand after the reports.
    let checks: HashMap<_, _> = rest
        .each("Checks")
        .iter()
        .map(|check| (check.text("name"), check))
        .collect();
    for finding in found {
        let check = finding.rule.as_deref().and_then(|rule| checks.get(rule));
        let described = check.map_or("".into(), |check| check.text("description"));
        reading.add(finding.with_description(&described));
    }
    Ok(())
}

fn read_kubescape(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let whole = reading.json(text)?;
    let results = reading.needs_list(&whole, "results")?;
    let nothing = Loose::Null;
    let sources: HashMap<_, _> = whole
        .each("resources")
        .iter()
        .map(|resource| {
            let path =
                resource.first_text(&["source/relativePath", "source/path", "object/sourcePath"]);
            (resource.text("resourceID"), path)
        })
        .collect();
    let summaries: HashMap<_, _> = whole
        .entries("summaryDetails/controls")
        .iter()
        .map(|(id, summary)| (&**id, summary))
        .collect();
    for (at, result) in results.iter().enumerate() {
        reading.needs_object(result, "")?;
        let resource = result.text("resourceID");
        for (n, control) in result.each("controls").iter().enumerate() {
            if control.first_text(&["status/status", "status"]) != "failed" {
                reading.not_a_finding();
                continue;
            }
            let id = control.text("controlID");
            let summary = summaries.get(&*id).copied().unwrap_or(&nothing);
            let severity = match summary.number("scoreFactor") {
                Some(factor) if factor >= 9.0 => Severity::Critical,
                Some(factor) if factor >= 7.0 => Severity::High,
                Some(factor) if factor >= 4.0 => Severity::Medium,
                Some(factor) if factor >= 1.0 => Severity::Low,
                _ => Severity::Info,
            };
            let path = sources.get(&resource).map_or("", |path| &**path);
            // `nginx.yaml:0`
            let (path, line) = path
                .rsplit_once(':')
                .map_or((path, None), |(path, line)| (path, line.parse().ok()));
            let failed = control
                .each("rules")
                .iter()
                .flat_map(|rule| rule.each("paths"));
            let failed: Vec<_> = failed
                .map(|path| {
                    path.first_text(&["failedPath", "fixPath/path", "reviewPath"])
                        .into_owned()
                })
                .collect();
            reading.add(
                Finding::of(
                    &control.text("name"),
                    severity,
                    &format!("/results/{at}/controls/{n}"),
                )
                .with_rule(&id)
                .with_rule_name(&control.text("name"))
                .with_message(&failed.join("\n"))
                .with_link(&format!(
                    "https://hub.armosec.io/docs/{}",
                    id.to_ascii_lowercase()
                ))
                .with_path(path)
                .with_lines(line.filter(|line| *line > 0), None)
                .with_scope(&resource)
                .with_category(Category::Configuration),
            );
        }
    }
    reading.scanned_at(&whole.text("generationTime"));
    Ok(())
}

fn read_kubebench(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let whole = reading.json(text)?;
    let (controls, base) = match whole.at("Controls") {
        Loose::Null => (whole.items(), if whole.is_list() { "" } else { "/." }),
        controls => (controls.items(), "/Controls"),
    };
    for (at, control) in controls.iter().enumerate() {
        reading.needs_object(control, "")?;
        for (n, test) in control.each("tests").iter().enumerate() {
            for (r, result) in test.each("results").iter().enumerate() {
                let by_hand = result.text("reason") == "Test marked as a manual test"
                    || result.text("type") == "manual";
                let severity = match &*result.text("status") {
                    "FAIL" => Severity::Medium,
                    "WARN" if !by_hand => Severity::Info,
                    _ => {
                        reading.not_a_finding();
                        continue;
                    }
                };
                let message = result.first_text(&["reason", "actual_value"]);
                reading.add(
                    Finding::of(
                        &result.text("test_desc"),
                        severity,
                        &format!("{base}/{at}/tests/{n}/results/{r}"),
                    )
                    .with_rule(&result.text("test_number"))
                    .with_message(&message)
                    .with_description(&result.text("audit"))
                    .with_remediation(&result.text("remediation"))
                    .with_scope(&control.text("node_type"))
                    .with_category(Category::Configuration),
                );
            }
        }
    }
    Ok(())
}

fn read_dockerbench(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let rest = reading.stream(
        text,
        &[&["tests", "*"]],
        &mut |reading, pointer, section| {
            for (at, result) in section.each("results").iter().enumerate() {
                let description = result.text("desc");
                let by_hand = description.contains("(Manual)");
                let severity = match &*result.text("result") {
                    "FAIL" => Severity::Critical,
                    "WARN" if !by_hand => Severity::High,
                    "INFO" if !by_hand => Severity::Low,
                    "NOTE" if !by_hand => Severity::Info,
                    _ => {
                        reading.not_a_finding();
                        continue;
                    }
                };
                reading.add(
                    Finding::of(&description, severity, &format!("{pointer}/results/{at}"))
                        .with_rule(&result.text("id"))
                        .with_message(&result.text("details"))
                        .with_remediation(&result.text("remediation"))
                        .with_category(Category::Container),
                );
            }
            Ok(())
        },
    )?;
    reading.needs_list(&rest, "tests")?;
    reading.tool("", &rest.text("dockerbenchsecurity"));
    Ok(())
}
