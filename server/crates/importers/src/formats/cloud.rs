//! Checks of organizations and clusters: Popeye, Legitify, Trivy Operator.
//!
//! | format | findings | severity |
//! |---|---|---|
//! | Popeye | issues of level 1 and above | level 3 high, 2 low, 1 info, as its error, warning and info |
//! | Legitify | violations with status FAILED, in each of its schemes | of the policy |
//! | Trivy Operator | vulnerabilities, secrets, checks without success; of a summary the controls that fail | its word, of a compliance check without one that of the control |
//!
//! A state or level that is none of these is a finding, and told. Incomplete is a scan that lists no check at all, one whose tool
//! counts more than it lists, one of Legitify with SKIPPED policies, and a report of Trivy Operator that is an inventory.

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, list_with, object_with, vulnerability_title};
use super::tree::pointer_step;
use crate::json::Loose;
use crate::{Body, Category, Finding, ImportError};

pub const POPEYE: Format = Format {
    name: "popeye",
    title: "Popeye JSON",
    tool: "popeye",
    detect: |sniff| certain_if(object_with(sniff, &["popeye"])),
    lists: &[
        "popeye{}",
        "popeye/sanitizers?",
        "popeye/sanitizers?/*/issues?{}",
        "popeye/sanitizers?/*/issues?/*",
        "popeye/sections?",
        "popeye/sections?/*/issues?{}",
        "popeye/sections?/*/issues?/*",
        "popeye/errors?[]",
    ],
    read: read_popeye,
};

pub const LEGITIFY: Format = Format {
    name: "legitify",
    title: "Legitify JSON",
    tool: "legitify",
    detect: |sniff| {
        certain_if(
            object_with(sniff, &["content"]) && sniff.text.contains("\"fullyQualifiedPolicyName\""),
        )
    },
    lists: &["content{}"],
    read: read_legitify,
};

pub const TRIVY_OPERATOR: Format = Format {
    name: "trivy_operator",
    title: "Trivy Operator reports",
    tool: "trivy-operator",
    detect: |sniff| {
        let is_object = object_with(sniff, &["apiVersion"]) || list_with(sniff, &["apiVersion"]);
        certain_if(is_object && sniff.text.contains("aquasecurity.github.io/"))
    },
    lists: &[],
    read: read_operator,
};

fn read_popeye(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let patterns: &[&'static [&'static str]] =
        &[&["popeye", "sanitizers", "*"], &["popeye", "sections", "*"]];
    let mut n_sections = 0;
    let rest = reading.stream(text, patterns, &mut |reading, pointer, section| {
        n_sections += 1;
        reading.needs_any(pointer, section, &["sanitizer", "linter"]);
        // How many resources have what as their worst, as the tally counts them.
        let mut worst = [0_usize; 4];
        for (resource, issues) in section.entries("issues") {
            let key = pointer_step(resource);
            let levels = issues.items().iter();
            let levels = levels.filter_map(|issue| issue.number("level"));
            match levels.fold(0.0, f64::max) {
                3.0 => worst[3] += 1,
                2.0 => worst[2] += 1,
                1.0 => worst[1] += 1,
                _ => {}
            }
            for (at, issue) in issues.items().iter().enumerate() {
                let pointer = format!("{pointer}/issues/{key}/{at}");
                let severity = match issue.number("level") {
                    Some(3.0) => Severity::High,
                    Some(2.0) => Severity::Low,
                    Some(1.0) => Severity::Info,
                    Some(0.0) => {
                        reading.not_a_finding();
                        continue;
                    }
                    _ => reading.severity(&pointer, &format!("level {}", issue.text("level"))),
                };
                // `[POP-106] No resources requests/limits defined`
                let message = issue.text("message");
                let (code, words) = message
                    .strip_prefix('[')
                    .and_then(|rest| rest.split_once("] "))
                    .unwrap_or(("", &message));
                let kind = section.first_text(&["sanitizer", "linter"]);
                reading.add(
                    Finding::of(words, severity, &pointer)
                        .with_rule(code)
                        .with_message(&message)
                        .with_scope(
                            format!("{kind} {resource} {}", issue.text("group"))
                                .trim_end_matches(" __root__"),
                        )
                        .with_category(Category::Configuration),
                );
            }
        }
        for (level, n_listed) in [
            ("info", worst[1]),
            ("warning", worst[2]),
            ("error", worst[3]),
        ] {
            let counted = section.number(&format!("tally/{level}"));
            reading.declared(&format!("{pointer}/tally/{level}"), counted, n_listed);
        }
        Ok(())
    })?;
    for (at, error) in rest.each("popeye/errors").iter().enumerate() {
        // Go writes an error without fields as `{}`.
        let said = error.own_texts();
        let reason = if said.is_empty() {
            "it reports an error without words"
        } else {
            &said
        };
        reading.incomplete(format!("/popeye/errors/{at}"), reason);
    }
    if n_sections == 0 {
        reading.nothing_looked_at("/popeye", "it has no sections");
    }
    reading.target(&rest.first_text(&["ClusterName", "popeye/ClusterName"]));
    Ok(())
}

fn read_legitify(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut n_policies = 0;
    reading.stream(text, &[&["content", "*"]], &mut |reading, pointer, part| {
        read_policies(reading, pointer, part, &mut n_policies, 0)
    })?;
    if n_policies == 0 {
        reading.nothing_looked_at("/content", "it lists no policy");
    }
    Ok(())
}

/// A policy, or in the schemes that group them (by namespace, severity or resource) an object of policies by name.
fn read_policies(
    reading: &mut Reading<'_>,
    pointer: &str,
    part: &Loose<'_>,
    n_policies: &mut usize,
    depth: usize,
) -> Result<(), ImportError> {
    if !part.has("policyInfo") && !part.has("violations") && depth < 3 {
        for (name, inner) in part.own_entries() {
            if !inner.is_object() {
                return Err(reading.broken(
                    &format!("${}.{name}", pointer.replace('/', ".")),
                    "a policy is required here.",
                ));
            }
            let name = pointer_step(name);
            read_policies(
                reading,
                &format!("{pointer}/{name}"),
                inner,
                n_policies,
                depth + 1,
            )?;
        }
        return Ok(());
    }
    *n_policies += 1;
    let info = part.at("policyInfo");
    let policy = info.first_text(&["fullyQualifiedPolicyName", "policyName"]);
    let violations = reading.needed_list(pointer, part, "violations")?;
    for (at, violation) in violations.iter().enumerate() {
        let pointer = format!("{pointer}/violations/{at}");
        match &*violation.text("status") {
            "FAILED" => {}
            "PASSED" => {
                reading.not_a_finding();
                continue;
            }
            "SKIPPED" => {
                let of = violation.first_text(&["aux/entityName", "canonicalLink"]);
                let reason = format!("the policy {policy} was SKIPPED for {of}");
                reading.incomplete(pointer, &reason);
                continue;
            }
            word => reading.unknown_word(&pointer, "status", word),
        }
        let severity = reading.severity(&pointer, &info.text("severity"));
        let steps: Vec<_> = info
            .each("remediationSteps")
            .iter()
            .map(|step| step.own_text().into_owned())
            .collect();
        reading.add(
            Finding::of(&info.text("title"), severity, &pointer)
                .with_rule(&policy)
                .with_description(&info.text("description"))
                .with_message(&info.texts("threat"))
                .with_remediation(&steps.join("\n"))
                .with_link(&violation.text("canonicalLink"))
                .with_scope(&violation.text("canonicalLink"))
                .with_category(Category::Configuration),
        );
    }
    Ok(())
}

fn read_operator(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let whole = reading.json(text)?;
    let (resources, base) = match whole.at("items") {
        Loose::Null => (whole.items(), ""),
        _ => (reading.optional_list("", &whole, "items")?, "/items"),
    };
    if resources.is_empty() {
        reading.nothing_looked_at(base, "there is no report");
    }
    for (at, resource) in resources.iter().enumerate() {
        reading.needs_object(resource, "")?;
        let pointer = if whole.is_list() || !base.is_empty() {
            format!("{base}/{at}")
        } else {
            String::new()
        };
        let kind = resource.text("kind");
        if resource.has("report") || !kind.contains("Compliance") {
            read_report(reading, &pointer, resource, &kind)?;
        }
        if resource.has("status") || kind.contains("Compliance") {
            read_compliance(reading, &pointer, resource.at("status"))?;
        }
        let report = resource.at("report");
        let image = report.text("artifact/repository");
        if resources.len() == 1 && !image.is_empty() {
            let registry = report.text("registry/server");
            reading.image(format!("{registry}/{image}").trim_start_matches('/'));
        }
    }
    Ok(())
}

/// The report of one image or object; its kind says which list it has.
fn read_report(
    reading: &mut Reading<'_>,
    pointer: &str,
    resource: &Loose<'_>,
    kind: &str,
) -> Result<(), ImportError> {
    let labels = resource.at("metadata/labels");
    let label = |name: &str| labels_text(labels, name);
    let parts = [
        label("resource.namespace"),
        label("resource.kind"),
        label("resource.name"),
        label("container.name"),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let scope = parts.join("/");
    let report = resource.at("report");
    reading.tool("", &report.text("scanner/version"));
    if kind.contains("Sbom") {
        reading.nothing_looked_at(pointer, "this is an inventory, in which nobody has looked");
        return Ok(());
    }
    let pointer = format!("{pointer}/report");
    let own = match kind {
        kind if kind.contains("Vulnerability") => Some("vulnerabilities"),
        kind if kind.contains("Secret") => Some("secrets"),
        kind if kind.contains("Audit") || kind.contains("Assessment") => Some("checks"),
        _ => None,
    };
    let lists = [
        ("vulnerabilities", vulnerability as Make),
        ("checks", check),
        ("secrets", secret),
    ];
    if own.is_none() && !lists.iter().any(|(list, _)| report.has(list)) {
        reading.nothing_looked_at(&pointer, &format!("there is no list in a report of {kind}"));
    }
    let mut n_listed = 0;
    for (list, make) in lists {
        let values = if own == Some(list) {
            reading.needed_list(&pointer, report, list)?
        } else {
            reading.optional_list(&pointer, report, list)?
        };
        for (n, value) in values.iter().enumerate() {
            n_listed += usize::from(!value.flag("success"));
            make(
                reading,
                &format!("{pointer}/{list}/{n}"),
                value,
                &scope,
                &Control::default(),
            );
        }
    }
    let counts = report.entries("summary").iter();
    let counts = counts.filter(|(name, _)| name.ends_with("Count"));
    let sum = counts.filter_map(|(_, count)| count.as_number()).sum();
    reading.declared(&format!("{pointer}/summary"), Some(sum), n_listed);
    Ok(())
}

/// The state of a benchmark: with its checks, or only how many fail of each control.
fn read_compliance(
    reading: &mut Reading<'_>,
    pointer: &str,
    status: &Loose<'_>,
) -> Result<(), ImportError> {
    let pointer = format!("{pointer}/status");
    let mut n_failed = 0;
    let details = status.at("detailReport");
    let at = format!("{pointer}/detailReport");
    let results = reading.optional_list(&at, details, "results")?;
    for (r, result) in results.iter().enumerate() {
        let at = format!("{at}/results/{r}");
        let checks = reading.needed_list(&at, result, "checks")?;
        n_failed += checks.iter().filter(|check| !check.flag("success")).count();
        for (n, value) in checks.iter().enumerate() {
            let control = Control {
                id: &result.text("id"),
                severity: &result.text("severity"),
            };
            let target = value.text("target");
            check(
                reading,
                &format!("{at}/checks/{n}"),
                value,
                &target,
                &control,
            );
        }
    }
    let at = format!("{pointer}/summaryReport");
    let controls = reading.optional_list(&at, status.at("summaryReport"), "controlCheck")?;
    if results.is_empty() {
        for (n, control) in controls.iter().enumerate() {
            n_failed += usize::from(control.number("totalFail").unwrap_or(0.0) > 0.0);
            summary(reading, &format!("{at}/controlCheck/{n}"), control);
        }
    }
    if results.is_empty() && controls.is_empty() {
        reading.nothing_looked_at(&pointer, "the benchmark has no results yet");
    }
    let counted = status.number("summary/failCount");
    reading.declared(&format!("{pointer}/summary/failCount"), counted, n_failed);
    Ok(())
}

type Make = fn(&mut Reading<'_>, &str, &Loose<'_>, &str, &Control<'_>);

/// The requirement of a benchmark that a check belongs to, if any.
#[derive(Default)]
struct Control<'a> {
    id: &'a str,
    severity: &'a str,
}

/// Keys of labels have a `/`: `trivy-operator.resource.name`, and no path can lead to those with one.
fn labels_text(labels: &Loose<'_>, end: &str) -> String {
    let Loose::Object(entries) = labels else {
        return String::new();
    };
    let found = entries.iter().find(|(key, _)| {
        key.strip_prefix("trivy-operator.")
            .is_some_and(|rest| rest == end)
    });
    found.map_or(String::new(), |(_, value)| value.own_text().into_owned())
}

fn vulnerability(
    reading: &mut Reading<'_>,
    pointer: &str,
    value: &Loose<'_>,
    scope: &str,
    _: &Control<'_>,
) {
    let score = value.number("score").filter(|score| *score > 0.0);
    let severity = reading.rated(pointer, &value.text("severity"), score);
    let (id, name, version) = (
        value.text("vulnerabilityID"),
        value.text("resource"),
        value.text("installedVersion"),
    );
    reading.add(
        Finding::of(
            &vulnerability_title(&id, &name, &version, &value.text("title")),
            severity,
            pointer,
        )
        .with_rule(&id)
        .with_id(&id)
        .with_description(&value.first_text(&["description", "title"]))
        .with_link(&value.text("primaryLink"))
        .with_component(&name, &version)
        .with_fixed_version(&value.text("fixedVersion"))
        .with_path(&value.first_text(&["pkgPath", "packagePath"]))
        .with_scope(format!("{scope} {}", value.text("target")).trim())
        .with_score(value.number("score"))
        .with_category(Category::Container),
    );
}

fn check(
    reading: &mut Reading<'_>,
    pointer: &str,
    value: &Loose<'_>,
    scope: &str,
    control: &Control<'_>,
) {
    if value.flag("success") {
        reading.not_a_finding();
        return;
    }
    let word = value.text("severity");
    let severity = match (
        Severity::from_scanner_word(&word),
        Severity::from_scanner_word(control.severity),
    ) {
        (Some(severity), _) => severity,
        (None, Some(severity)) => {
            // An empty text is what it writes where the check has none of its own.
            if !matches!(value.at("severity"), Loose::Text(text) if text.is_empty()) {
                reading.unknown_word(pointer, "rating", &word);
            }
            severity
        }
        (None, None) => reading.severity(pointer, &word),
    };
    reading.add(
        Finding::of(
            &value.first_text(&["title", "description", "checkID"]),
            severity,
            pointer,
        )
        .with_rule(&value.text("checkID"))
        .with_message(&value.texts("messages"))
        .with_description(&value.text("description"))
        .with_remediation(&value.text("remediation"))
        .with_scope(scope)
        .with_tag(control.id)
        .with_category(Category::Configuration),
    );
}

fn secret(
    reading: &mut Reading<'_>,
    pointer: &str,
    value: &Loose<'_>,
    scope: &str,
    _: &Control<'_>,
) {
    let severity = reading.severity(pointer, &value.text("severity"));
    reading.add(
        Finding::of(&value.first_text(&["title", "ruleID"]), severity, pointer)
            .with_rule(&value.text("ruleID"))
            .with_path(&value.text("target"))
            .with_scope(scope)
            .with_secret(&value.text("match")),
    );
}

fn summary(reading: &mut Reading<'_>, pointer: &str, control: &Loose<'_>) {
    if control.number("totalFail").unwrap_or(0.0) <= 0.0 {
        reading.not_a_finding();
        return;
    }
    let severity = reading.severity(pointer, &control.text("severity"));
    reading.add(
        Finding::of(&control.text("name"), severity, pointer)
            .with_rule(&control.text("id"))
            .with_message(&format!("{} resources fail.", control.text("totalFail")))
            .with_category(Category::Configuration),
    );
}
