//! Checklists of the DISA STIG Viewer: CKL (XML, version 2) and CKLB (JSON, version 3).
//!
//! Source: `mitre/heimdall2`, `libs/hdf-converters/src/ckl-mapper`; the JSON schema of CKLB that STIG Viewer 3 comes with.
//!
//! | status | what becomes of it |
//! |---|---|
//! | Open | one finding |
//! | `NotAFinding`, `Not_Applicable` | none |
//! | `Not_Reviewed` | a person is asked to look, and the scan is incomplete |
//!
//! Severity is the rule's, or the override that a person has set with a reason, which is told in the message. `size` (CKLB)
//! above the rules that are listed, and a checklist without rules, make the scan incomplete. Host and benchmark are the identity
//! and the target.

use super::reading::{Format, Reading, certain_if, object_with, root_is};
use super::targets::Targets;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const STIG: Format = Format {
    name: "stig_checklist",
    title: "STIG checklist (CKL or CKLB)",
    tool: "STIG Viewer",
    detect,
    lists: &["stigs", "stigs/*/rules"],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let is_cklb = object_with(sniff, &["stigs"])
        && (sniff.has_key("cklb_version") || sniff.has_key("target_data"));
    certain_if(is_cklb || root_is(sniff, "CHECKLIST") && sniff.text.contains("STIG"))
}

/// One rule of a checklist, whichever form it has.
struct Checked<'v> {
    rule: &'v str,
    group: &'v str,
    title: &'v str,
    severity: &'v str,
    override_to: &'v str,
    override_reason: &'v str,
    status: &'v str,
    details: &'v str,
    comments: &'v str,
    discussion: &'v str,
    fix: &'v str,
}

#[derive(Default)]
struct Scan {
    targets: Targets,
    n: usize,
    not_reviewed: Option<(String, usize)>,
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut scan = Scan::default();
    if text.begins_with('<') {
        read_ckl(reading, text, &mut scan)?;
    } else {
        read_cklb(reading, text, &mut scan)?;
    }
    if let Some((place, n)) = scan.not_reviewed {
        let of = scan.n;
        reading.incomplete(place, &format!("{n} of {of} rules are not reviewed"));
    }
    if scan.n == 0 {
        reading.nothing_looked_at("rules", "no rule");
    }
    scan.targets.tell(reading);
    Ok(())
}

fn read_ckl(reading: &mut Reading<'_>, text: Body<'_>, scan: &mut Scan) -> Result<(), ImportError> {
    let whole = reading.xml(text, "CHECKLIST")?;
    reading.needs_object(&whole, "STIGS")?;
    let host = whole.first_text(&["ASSET/HOST_NAME", "ASSET/HOST_FQDN", "ASSET/HOST_IP"]);
    for stig in whole.each("STIGS/iSTIG") {
        let infos = stig.each("STIG_INFO/SI_DATA");
        let info = |name: &str| {
            let mut infos = infos.iter();
            infos
                .find(|info| info.text("SID_NAME") == name)
                .map_or("".into(), |info| info.text("SID_DATA"))
        };
        let benchmark = info("stigid");
        if stig.each("VULN").is_empty() {
            reading.nothing_looked_at(&format!("iSTIG {benchmark}"), "no rule");
        }
        for (at, vuln) in stig.each("VULN").iter().enumerate() {
            let pointer = format!("iSTIG {benchmark}, VULN {at}");
            reading.needs_object(vuln, "")?;
            let data = vuln.each("STIG_DATA");
            let of = |name: &str| {
                let mut data = data.iter();
                data.find(|one| one.text("VULN_ATTRIBUTE") == name)
                    .map_or("".into(), |one| one.text("ATTRIBUTE_DATA"))
            };
            let checked = Checked {
                rule: &of("Rule_Ver"),
                group: &of("Vuln_Num"),
                title: &of("Rule_Title"),
                severity: &of("Severity"),
                override_to: &vuln.text("SEVERITY_OVERRIDE"),
                override_reason: &vuln.text("SEVERITY_JUSTIFICATION"),
                status: &vuln.text("STATUS"),
                details: &vuln.text("FINDING_DETAILS"),
                comments: &vuln.text("COMMENTS"),
                discussion: &of("Vuln_Discuss"),
                fix: &of("Fix_Text"),
            };
            scan.add(reading, &pointer, &host, &benchmark, &checked);
        }
    }
    Ok(())
}

fn read_cklb(
    reading: &mut Reading<'_>,
    text: Body<'_>,
    scan: &mut Scan,
) -> Result<(), ImportError> {
    let whole = reading.json(text)?;
    let stigs = reading.needs_list(&whole, "stigs")?;
    let target = whole.at("target_data");
    let host = target.first_text(&["host_name", "hostname", "fqdn", "ip_address"]);
    for (s, stig) in stigs.iter().enumerate() {
        let benchmark = stig.first_text(&["stig_id", "stig_name", "display_name"]);
        let place = format!("/stigs/{s}");
        let rules = reading.optional_list(&place, stig, "rules")?;
        reading.declared(&format!("{place}/size"), stig.number("size"), rules.len());
        if rules.is_empty() {
            reading.nothing_looked_at(&format!("{place}/rules"), "no rule");
        }
        for (at, rule) in rules.iter().enumerate() {
            reading.needs_object(rule, "")?;
            let checked = Checked {
                rule: &rule.text("rule_version"),
                group: &rule.first_text(&["group_id", "group_id_src"]),
                title: &rule.text("rule_title"),
                severity: &rule.text("severity"),
                override_to: &rule.text("overrides/severity/severity"),
                override_reason: &rule.text("overrides/severity/reason"),
                status: &rule.text("status"),
                details: &rule.text("finding_details"),
                comments: &rule.text("comments"),
                discussion: &rule.text("discussion"),
                fix: &rule.text("fix_text"),
            };
            scan.add(
                reading,
                &format!("{place}/rules/{at}"),
                &host,
                &benchmark,
                &checked,
            );
        }
    }
    Ok(())
}

impl Scan {
    fn add(
        &mut self,
        reading: &mut Reading<'_>,
        pointer: &str,
        host: &str,
        benchmark: &str,
        checked: &Checked<'_>,
    ) {
        self.n += 1;
        self.targets.add(&format!("{host} {benchmark}"));
        let word = checked.status.to_ascii_lowercase().replace(['_', ' '], "");
        let status = match &*word {
            "notafinding" | "notapplicable" => {
                reading.not_a_finding();
                return;
            }
            "open" => ScannerStatus::Open,
            "notreviewed" => {
                let (_, n) = self.not_reviewed.get_or_insert((pointer.to_owned(), 0));
                *n += 1;
                ScannerStatus::Review
            }
            _ => {
                reading.unknown_word(pointer, "status", checked.status);
                ScannerStatus::Open
            }
        };
        let is_overridden = !checked.override_to.is_empty() && !checked.override_reason.is_empty();
        let word = if is_overridden {
            checked.override_to
        } else {
            checked.severity
        };
        if !is_overridden
            && (!checked.override_to.is_empty() || !checked.override_reason.is_empty())
        {
            reading.unknown_word(pointer, "override of the severity", "");
        }
        let severity = reading.severity(pointer, word);
        let mut said = [checked.details, checked.comments]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join("\n");
        if is_overridden {
            let (from, why) = (checked.severity, checked.override_reason);
            said = format!("Its severity {from} was overridden: {why}\n{said}");
        }
        let place = format!("{host} {benchmark}");
        reading.add(
            Finding::of(checked.title, severity, pointer)
                .with_rule(checked.group)
                .with_rule_name(checked.rule)
                .with_description(checked.discussion)
                .with_message(said.trim_end())
                .with_remediation(checked.fix)
                .with_scope(place.trim())
                .with_partial_fingerprint(place.trim())
                .with_status(status)
                .with_category(Category::Configuration),
        );
    }
}
