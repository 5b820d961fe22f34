//! Checks of accounts and clusters: Prowler, Popeye, Legitify, Trivy Operator.
//!
//! | format | findings | severity |
//! |---|---|---|
//! | Prowler CSV and OCSF JSON | rows with status FAIL; muted ones suppressed; MANUAL ones ask a person to look | its word |
//! | Popeye | issues of level 1 and above | level 3 high, 2 low, 1 info, as its error, warning and info |
//! | Legitify | violations with status FAILED | of the policy |
//! | Trivy Operator | vulnerabilities, secrets, checks without success; of a summary the controls that fail | its word, of a compliance check without one that of the control |

use holdpoint_domain::Severity;

use super::reading::{
    Format, Reading, certain_if, is_empty_list, list_with, object_with, vulnerability_title,
};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const PROWLER: Format = Format {
    name: "prowler",
    title: "Prowler CSV or OCSF JSON",
    tool: "prowler",
    detect: detect_prowler,
    lists: &[],
    read: read_prowler,
};

pub const POPEYE: Format = Format {
    name: "popeye",
    title: "Popeye JSON",
    tool: "popeye",
    detect: |sniff| certain_if(object_with(sniff, &["popeye"])),
    lists: &[],
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
    lists: &[],
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

fn detect_prowler(sniff: &Sniff<'_>) -> Confidence {
    if is_empty_list(sniff) {
        return Confidence::Possible;
    }
    let is_csv =
        sniff.head.trim_start().starts_with("AUTH_METHOD;") || sniff.head.contains(";CHECK_ID;");
    certain_if(is_csv || list_with(sniff, &["finding_info", "status_code"]))
}

fn read_prowler(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    if text.begins_with('[') {
        let rest = reading.stream(text, &[&["*"]], &mut |reading, pointer, check| {
            prowler(
                reading,
                pointer,
                check,
                &Names {
                    status: "status_code",
                    muted: "muted",
                    id: "metadata/event_code",
                    title: "finding_info/title",
                    message: "status_detail",
                    severity: "severity",
                    description: "finding_info/desc",
                    remediation: "remediation/desc",
                    link: "remediation/references",
                    scope: "finding_info/uid",
                    compliance: "unmapped/compliance",
                    version: "metadata/product/version",
                },
            );
            Ok(())
        })?;
        return reading.needs_list(&rest, "").map(|_| ());
    }
    reading.rows(
        text,
        b';',
        &["CHECK_ID", "STATUS", "SEVERITY"],
        &mut |reading, pointer, row| {
            prowler(
                reading,
                pointer,
                row,
                &Names {
                    status: "STATUS",
                    muted: "MUTED",
                    id: "CHECK_ID",
                    title: "CHECK_TITLE",
                    message: "STATUS_EXTENDED",
                    severity: "SEVERITY",
                    description: "RISK",
                    remediation: "REMEDIATION_RECOMMENDATION_TEXT",
                    link: "REMEDIATION_RECOMMENDATION_URL",
                    scope: "RESOURCE_UID",
                    compliance: "COMPLIANCE",
                    version: "PROWLER_VERSION",
                },
            );
            Ok(())
        },
    )
}

struct Names {
    status: &'static str,
    muted: &'static str,
    id: &'static str,
    title: &'static str,
    message: &'static str,
    severity: &'static str,
    description: &'static str,
    remediation: &'static str,
    link: &'static str,
    scope: &'static str,
    compliance: &'static str,
    version: &'static str,
}

fn prowler(reading: &mut Reading<'_>, pointer: &str, check: &Loose<'_>, names: &Names) {
    reading.tool("", &check.text(names.version));
    let is_muted = check.text(names.muted).eq_ignore_ascii_case("true");
    let status = match &*check.text(names.status) {
        "FAIL" if is_muted => ScannerStatus::Suppressed,
        "FAIL" => ScannerStatus::Open,
        "MANUAL" => ScannerStatus::Review,
        _ => {
            reading.not_a_finding();
            return;
        }
    };
    let severity = reading.severity(pointer, &check.text(names.severity));
    let links = check
        .each(names.link)
        .first()
        .map_or("".into(), Loose::own_text);
    reading.add(
        Finding::of(
            &check.first_text(&[names.title, names.message]),
            severity,
            pointer,
        )
        .with_rule(&check.text(names.id))
        .with_message(&check.text(names.message))
        .with_description(&check.text(names.description))
        .with_remediation(&check.text(names.remediation))
        .with_link(&links)
        .with_scope(&check.text(names.scope))
        .with_requirements(check.at(names.compliance))
        .with_status(status)
        .with_category(Category::Configuration),
    );
}

impl Finding {
    /// The requirements that a check belongs to: `CIS-2.0: 1.1 | ENS-RD2022: op.acc.1`, or lists by the name of the standard.
    fn with_requirements(mut self, requirements: &Loose<'_>) -> Self {
        for (standard, list) in requirements.own_entries() {
            for requirement in list.items() {
                self = self.with_tag(&format!("{standard}: {}", requirement.own_text()));
            }
        }
        let text = requirements.own_text();
        text.split('|').take(50).fold(self, Finding::with_tag)
    }
}

fn read_popeye(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let patterns: &[&'static [&'static str]] =
        &[&["popeye", "sanitizers", "*"], &["popeye", "sections", "*"]];
    let rest = reading.stream(text, patterns, &mut |reading, pointer, section| {
        for (resource, issues) in section.entries("issues") {
            for (at, issue) in issues.items().iter().enumerate() {
                let severity = match issue.number("level") {
                    Some(3.0) => Severity::High,
                    Some(2.0) => Severity::Low,
                    Some(1.0) => Severity::Info,
                    _ => {
                        reading.not_a_finding();
                        continue;
                    }
                };
                // `[POP-106] No resources requests/limits defined`
                let message = issue.text("message");
                let (code, words) = message
                    .strip_prefix('[')
                    .and_then(|rest| rest.split_once("] "))
                    .unwrap_or(("", &message));
                let kind = section.first_text(&["sanitizer", "linter"]);
                reading.add(
                    Finding::of(words, severity, &format!("{pointer}/issues/{at}"))
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
        Ok(())
    })?;
    if let Some(error) = rest.each("popeye/errors").first() {
        let said = error.first_text(&["message", "error"]);
        let said = if said.is_empty() {
            error.own_text()
        } else {
            said
        };
        reading.incomplete("/popeye/errors/0", &said);
    }
    reading.needs_object(&rest, "popeye")
}

fn read_legitify(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let rest = reading.stream(
        text,
        &[&["content", "*"]],
        &mut |reading, pointer, policy| {
            let info = policy.at("policyInfo");
            let severity = reading.severity(pointer, &info.text("severity"));
            for (at, violation) in policy.each("violations").iter().enumerate() {
                if violation.text("status") != "FAILED" {
                    reading.not_a_finding();
                    continue;
                }
                let steps: Vec<_> = info
                    .each("remediationSteps")
                    .iter()
                    .map(|step| step.own_text().into_owned())
                    .collect();
                reading.add(
                    Finding::of(
                        &info.text("title"),
                        severity,
                        &format!("{pointer}/violations/{at}"),
                    )
                    .with_rule(&info.first_text(&["fullyQualifiedPolicyName", "policyName"]))
                    .with_description(&info.text("description"))
                    .with_message(&info.texts("threat"))
                    .with_remediation(&steps.join("\n"))
                    .with_link(&violation.text("canonicalLink"))
                    .with_scope(&violation.text("canonicalLink"))
                    .with_category(Category::Configuration),
                );
            }
            Ok(())
        },
    )?;
    reading.needs_object(&rest, "content")
}

fn read_operator(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let whole = reading.json(text)?;
    let (resources, base) = match whole.at("items") {
        Loose::List(items) => (items.as_slice(), "/items"),
        _ => (whole.items(), ""),
    };
    for (at, resource) in resources.iter().enumerate() {
        reading.needs_object(resource, "")?;
        let pointer = if whole.is_list() || !base.is_empty() {
            format!("{base}/{at}")
        } else {
            String::new()
        };
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
        for (list, make) in [
            ("vulnerabilities", vulnerability as Make),
            ("checks", check),
            ("secrets", secret),
        ] {
            for (n, value) in report.each(list).iter().enumerate() {
                make(
                    reading,
                    &format!("{pointer}/report/{list}/{n}"),
                    value,
                    &scope,
                    &Control::default(),
                );
            }
        }
        let status = resource.at("status");
        let results = status.each("detailReport/results");
        for (r, result) in results.iter().enumerate() {
            for (n, value) in result.each("checks").iter().enumerate() {
                let pointer = format!("{pointer}/status/detailReport/results/{r}/checks/{n}");
                let control = Control {
                    id: &result.text("id"),
                    severity: &result.text("severity"),
                };
                let target = value.text("target");
                check(reading, &pointer, value, &target, &control);
            }
        }
        if results.is_empty() {
            for (n, control) in status.each("summaryReport/controlCheck").iter().enumerate() {
                summary(
                    reading,
                    &format!("{pointer}/status/summaryReport/controlCheck/{n}"),
                    control,
                );
            }
        }
    }
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
    let severity = reading.severity(pointer, &value.text("severity"));
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
    let severity = reading.severity(
        pointer,
        if word.is_empty() {
            control.severity
        } else {
            &word
        },
    );
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
