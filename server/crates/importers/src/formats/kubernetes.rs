//! Checks of clusters and hosts: KubeLinter, Kubescape, kube-bench, docker-bench-security.
//!
//! | format | findings | severity |
//! |---|---|---|
//! | KubeLinter | each of `Reports` | medium: it has none |
//! | Kubescape | each failed control of each resource; with an exception suppressed | `scoreFactor` as Kubescape bands it: from 9 critical, 7 high, 4 medium, 1 low, else unrated |
//! | kube-bench | FAIL and WARN; a test that is to be done by hand, or that somebody skips, is no finding | FAIL medium, WARN info: not scored |
//! | docker-bench | WARN, INFO and NOTE, unless "(Manual)"; FAIL | FAIL critical, WARN high, INFO low, NOTE info |
//!
//! A state that is none of these is a finding that is not rated, and told. Incomplete is a scan of Kubescape with skipped
//! controls or degraded `scanCoverage`, one of which the tool counts more failures than it lists, and one without checks.
//! KubeLinter's `Reports` are null if there are none (pkg/run/run.go: a slice that is never made), and only if it says that the
//! checks have passed.

use std::collections::HashMap;

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, list_with, object_with};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus};

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
    lists: &["Reports~", "Checks?"],
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
    lists: &[
        "summaryDetails{}",
        "summaryDetails/controls{}",
        "resources",
        "results",
        "results/*/controls",
        "results/*/controls/*/rules?",
        "results/*/controls/*/rules?/*/paths?~[]",
    ],
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
    lists: &[
        "Controls?",
        "Controls?/*/tests",
        "Controls?/*/tests/*/results",
        "#/tests",
        "#/tests/*/results",
    ],
    read: read_kubebench,
};

pub const DOCKERBENCH: Format = Format {
    name: "dockerbench",
    title: "docker-bench-security JSON",
    tool: "docker-bench-security",
    detect: |sniff| certain_if(object_with(sniff, &["dockerbenchsecurity"])),
    lists: &["tests", "tests/*/results"],
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
    reading.tool("", &rest.text("Summary/KubeLinterVersion"));
    reading.scanned_at(&rest.text("Summary/CheckEndTime"));
    let status = rest.text("Summary/ChecksStatus");
    if found.is_empty() && status != "Passed" {
        let reason = if status.is_empty() {
            "nothing says that the checks have passed".to_owned()
        } else {
            format!("nothing is reported, and the status of the checks is {status:?}")
        };
        reading.incomplete("/Summary/ChecksStatus", &reason);
    }
    if rest.has("Checks") && rest.each("Checks").is_empty() {
        reading.nothing_looked_at("/Checks", "it had no checks");
    }
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
    if whole.each("results").is_empty() || summaries.is_empty() {
        reading.nothing_looked_at("/results", "no control was checked on any resource");
    }
    // By control: how many resources are listed as failed.
    let mut failed: HashMap<String, usize> = HashMap::new();
    for (at, result) in whole.each("results").iter().enumerate() {
        reading.needs_object(result, "")?;
        let resource = result.text("resourceID");
        for (n, control) in result.each("controls").iter().enumerate() {
            let pointer = format!("/results/{at}/controls/{n}");
            let id = control.text("controlID");
            let word = control.first_text(&["status/status", "status"]);
            let below = control.text("status/subStatus");
            let status = match &*word {
                "failed" => ScannerStatus::Open,
                "excluded" => ScannerStatus::Suppressed,
                "passed" if below == "w/exceptions" => ScannerStatus::Suppressed,
                "passed" | "irrelevant" => {
                    reading.not_a_finding();
                    continue;
                }
                "skipped" => {
                    let info = control.first_text(&["status/info", "status/subStatus"]);
                    skipped(reading, &pointer, &id, &info);
                    continue;
                }
                word => {
                    reading.unknown_word(&pointer, "status", word);
                    ScannerStatus::Open
                }
            };
            if status == ScannerStatus::Open {
                *failed.entry(id.clone().into_owned()).or_default() += 1;
            }
            let summary = summaries.get(&*id).copied().unwrap_or(&nothing);
            let severity = match summary.number("scoreFactor") {
                Some(factor) if factor >= 9.0 => Severity::Critical,
                Some(factor) if factor >= 7.0 => Severity::High,
                Some(factor) if factor >= 4.0 => Severity::Medium,
                Some(factor) if factor >= 1.0 => Severity::Low,
                _ => reading.severity(&pointer, &summary.text("scoreFactor")),
            };
            let path = sources.get(&resource).map_or("", |path| &**path);
            // `nginx.yaml:0`
            let (path, line) = path
                .rsplit_once(':')
                .map_or((path, None), |(path, line)| (path, line.parse().ok()));
            let paths = control
                .each("rules")
                .iter()
                .flat_map(|rule| rule.each("paths"));
            let paths: Vec<_> = paths
                .map(|path| {
                    path.first_text(&["failedPath", "fixPath/path", "reviewPath"])
                        .into_owned()
                })
                .collect();
            reading.add(
                Finding::of(&control.text("name"), severity, &pointer)
                    .with_rule(&id)
                    .with_rule_name(&control.text("name"))
                    .with_message(&paths.join("\n"))
                    .with_link(&format!(
                        "https://hub.armosec.io/docs/{}",
                        id.to_ascii_lowercase()
                    ))
                    .with_path(path)
                    .with_lines(line.filter(|line| *line > 0), None)
                    .with_scope(&resource)
                    .with_status(status)
                    .with_category(Category::Configuration),
            );
        }
    }
    for (id, summary) in whole.entries("summaryDetails/controls") {
        let pointer = format!("/summaryDetails/controls/{id}");
        let word = summary.first_text(&["statusInfo/status", "status"]);
        if word == "skipped" {
            let info = summary.first_text(&["statusInfo/info", "statusInfo/subStatus"]);
            skipped(reading, &pointer, id, &info);
        }
        for part in ["status", "statusInfo/status"] {
            reading.known_state(
                &pointer,
                summary,
                part,
                &["passed", "failed", "skipped", "excluded", "irrelevant"],
            );
        }
        let counted = summary.number("ResourceCounters/failedResources");
        let listed = failed.get(&**id).copied().unwrap_or_default();
        reading.declared(
            &format!("{pointer}/ResourceCounters/failedResources"),
            counted,
            listed,
        );
    }
    let resources = whole.each("results").iter();
    let resources = resources.filter(|result| result.each("controls").iter().any(is_failed));
    let at = "summaryDetails/ResourceCounters/failedResources";
    reading.declared(&format!("/{at}"), whole.number(at), resources.count());
    let counters = whole
        .entries("summaryDetails/controlsSeverityCounters")
        .iter();
    let sum = counters.filter_map(|(_, count)| count.as_number()).sum();
    reading.declared(
        "/summaryDetails/controlsSeverityCounters",
        Some(sum),
        failed.len(),
    );
    for at in [
        "scanCoverage",
        "summaryDetails/scanCoverage",
        "metadata/scanCoverage",
    ] {
        let coverage = whole.at(at);
        if coverage.flag("degraded") {
            let said = coverage.own_texts();
            let reason = format!("its coverage of the cluster is degraded: {said}");
            reading.incomplete(format!("/{at}"), reason.trim_end_matches([' ', ':']));
        }
    }
    reading.target(&whole.text("clusterName"));
    reading.scanned_at(&whole.text("generationTime"));
    Ok(())
}

fn is_failed(control: &Loose<'_>) -> bool {
    control.first_text(&["status/status", "status"]) == "failed"
}

fn skipped(reading: &mut Reading<'_>, pointer: &str, control: &str, info: &str) {
    let reason = format!("the control {control} was skipped: {info}");
    reading.incomplete(pointer, reason.trim_end_matches([' ', ':']));
}

fn read_kubebench(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let whole = reading.json(text)?;
    let (controls, base) = match whole.at("Controls") {
        Loose::Null => (whole.items(), if whole.is_list() { "" } else { "/." }),
        controls => (controls.items(), "/Controls"),
    };
    if controls.is_empty() {
        reading.nothing_looked_at(base, "no control was checked");
    }
    let mut n_results = 0;
    for (at, control) in controls.iter().enumerate() {
        reading.needs_object(control, "")?;
        let before = n_results;
        let pointer = format!("{base}/{at}");
        if control.each("tests").is_empty() {
            reading.nothing_looked_at(&format!("{pointer}/tests"), "a control has no tests");
        }
        for (n, test) in control.each("tests").iter().enumerate() {
            let results = test.each("results");
            n_results += results.len();
            let sum = sum_of(test, ["pass", "fail", "warn", "info"]);
            reading.declared(&format!("{pointer}/tests/{n}"), Some(sum), results.len());
            for (r, result) in results.iter().enumerate() {
                let pointer = format!("{pointer}/tests/{n}/results/{r}");
                let by_hand = result.text("reason") == "Test marked as a manual test"
                    || result.text("type") == "manual";
                let severity = match &*result.text("status") {
                    "FAIL" => Severity::Medium,
                    "WARN" if !by_hand => Severity::Info,
                    "PASS" | "WARN" | "INFO" => {
                        reading.not_a_finding();
                        continue;
                    }
                    word => {
                        reading.unknown_word(&pointer, "status", word);
                        Severity::Unrated
                    }
                };
                let message = result.first_text(&["reason", "actual_value"]);
                reading.add(
                    Finding::of(&result.text("test_desc"), severity, &pointer)
                        .with_rule(&result.text("test_number"))
                        .with_message(&message)
                        .with_description(&result.text("audit"))
                        .with_remediation(&result.text("remediation"))
                        .with_scope(&control.text("node_type"))
                        .with_category(Category::Configuration),
                );
            }
        }
        let sum = sum_of(control, TOTALS);
        reading.declared(&pointer, Some(sum), n_results - before);
    }
    let sum = sum_of(whole.at("Totals"), TOTALS);
    reading.declared("/Totals", Some(sum), n_results);
    Ok(())
}

const TOTALS: [&str; 4] = ["total_pass", "total_fail", "total_warn", "total_info"];

fn sum_of(counts: &Loose<'_>, names: [&str; 4]) -> f64 {
    let counts = names.iter().filter_map(|name| counts.number(name));
    counts.sum()
}

fn read_dockerbench(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut n_results = 0;
    let rest = reading.stream(
        text,
        &[&["tests", "*"]],
        &mut |reading, pointer, section| {
            for (at, result) in section.each("results").iter().enumerate() {
                n_results += 1;
                let pointer = format!("{pointer}/results/{at}");
                let description = result.text("desc");
                let by_hand = description.contains("(Manual)");
                let severity = match &*result.text("result") {
                    "PASS" | "WARN" | "INFO" | "NOTE" if by_hand => {
                        reading.not_a_finding();
                        continue;
                    }
                    "PASS" => {
                        reading.not_a_finding();
                        continue;
                    }
                    "FAIL" => Severity::Critical,
                    "WARN" => Severity::High,
                    "INFO" => Severity::Low,
                    "NOTE" => Severity::Info,
                    word => {
                        reading.unknown_word(&pointer, "result", word);
                        Severity::Unrated
                    }
                };
                reading.add(
                    Finding::of(&description, severity, &pointer)
                        .with_rule(&result.text("id"))
                        .with_message(&result.text("details"))
                        .with_remediation(&result.text("remediation"))
                        .with_category(Category::Container),
                );
            }
            Ok(())
        },
    )?;
    if n_results == 0 {
        reading.nothing_looked_at("/tests", "no check was run");
    }
    reading.declared("/checks", rest.number("checks"), n_results);
    reading.tool("", &rest.text("dockerbenchsecurity"));
    Ok(())
}
