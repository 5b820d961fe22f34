//! Findings of Amazon Inspector: what `aws inspector2 list-findings` answers, and the JSON of its exported reports.
//!
//! Source: Amazon Inspector API reference, pages `API_Finding`, `API_PackageVulnerabilityDetails`, `API_VulnerablePackage`,
//! `API_CodeVulnerabilityDetails`, `API_NetworkReachabilityDetails`.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each finding | one finding; its packages beyond the first are told in its message |
//! | `severity` | as it is; UNTRIAGED is unrated, or by `inspectorScore` |
//! | `status` | SUPPRESSED suppressed, CLOSED fixed; any other open |
//! | `type` | which of the three details are required; another is told |
//! | `resources`, without digests of images | part of the identity, and the scope |
//! | account and region | the target, where it is one |
//! | `nextToken`, `errorCode` | further pages are missing, a report that failed: the scan is incomplete |
//! | no finding at all | incomplete: an account in which Inspector is off has none either |

use super::asff::lasting_name;
use super::ratings::score_of;
use super::reading::{Format, Reading, certain_if, list_with, object_with, vulnerability_title};
use super::targets::Targets;
use crate::json::Loose;
use crate::text::shortened;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const AWS_INSPECTOR2: Format = Format {
    name: "aws_inspector2",
    title: "Amazon Inspector JSON",
    tool: "Amazon Inspector",
    detect,
    lists: &["findings"],
    read,
};

const MOST_SCOPE_CHARS: usize = 500;

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let is_list = list_with(sniff, &["findingArn", "awsAccountId"]);
    let is_answer = (object_with(sniff, &["findings"]) || list_with(sniff, &["findings"]))
        && sniff.text.contains("\"findingArn\"")
        && sniff.text.contains(":inspector2:");
    certain_if(is_list || is_answer)
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut n = 0_usize;
    let mut targets = Targets::default();
    let mut add = |reading: &mut Reading<'_>, pointer: &str, found: &Loose<'_>| {
        n += 1;
        reading.needed_list(pointer, found, "resources")?;
        let (account, arn) = (found.text("awsAccountId"), found.text("findingArn"));
        // arn:aws:inspector2:REGION:…
        let region = arn.split(':').nth(3).unwrap_or("");
        targets.add(&format!("{account}/{region}"));
        reading.scanned_at(&found.first_text(&["updatedAt", "lastObservedAt"]));
        let finding = finding(reading, pointer, found)?;
        reading.add(finding);
        Ok(())
    };
    if text.begins_with('[') {
        let rest = reading.stream(text, &[&["*"]], &mut |reading, pointer, element| {
            if !element.has("findings") {
                return add(reading, pointer, element);
            }
            is_cut(reading, pointer, element);
            let page = reading.needed_list(pointer, element, "findings")?;
            let mut page = page.iter().enumerate();
            page.try_for_each(|(at, found)| {
                let pointer = format!("{pointer}/findings/{at}");
                reading.needs_object(found, "")?;
                add(reading, &pointer, found)
            })
        })?;
        reading.needs_list(&rest, "")?;
    } else {
        let rest = reading.stream(text, &[&["findings", "*"]], &mut add)?;
        is_cut(reading, "", &rest);
    }
    if n == 0 {
        let what = "no finding of any state, as of an account in which Inspector is off";
        reading.nothing_looked_at("/findings", what);
    }
    targets.tell(reading);
    Ok(())
}

fn is_cut(reading: &mut Reading<'_>, pointer: &str, page: &Loose<'_>) {
    reading.is_last_page(pointer, page, &["nextToken"]);
    let error = page.first_text(&["errorMessage", "errorCode"]);
    if !error.is_empty() {
        reading.incomplete(format!("{pointer}/errorCode"), &error);
    }
}

/// What is lost beyond the first of a list's elements is told by name.
fn also(others: impl Iterator<Item = String>) -> String {
    let others: Vec<String> = others.take(100).collect();
    if others.is_empty() {
        return String::new();
    }
    format!("Also in {}.", others.join(", "))
}

fn finding(
    reading: &mut Reading<'_>,
    pointer: &str,
    found: &Loose<'_>,
) -> Result<Finding, ImportError> {
    let score = score_of(found.at("inspectorScore"));
    let severity = reading.rated(pointer, &found.text("severity"), score);
    let word = found.text("status").to_ascii_uppercase();
    let status = match &*word {
        "SUPPRESSED" => ScannerStatus::Suppressed,
        "CLOSED" => ScannerStatus::Fixed,
        "ACTIVE" => ScannerStatus::Open,
        word => {
            reading.unknown_word(pointer, "status", word);
            ScannerStatus::Open
        }
    };
    let resources = found.each("resources");
    let names: Vec<String> = resources
        .iter()
        .map(|resource| lasting_name(&resource.text("id")).to_owned())
        .collect();
    let is_image = resources
        .iter()
        .any(|resource| resource.text("type").contains("CONTAINER"));
    let title = found.text("title");
    let finding = Finding::of(&title, severity, pointer)
        .with_description(&found.text("description"))
        .with_remediation(&found.text("remediation/recommendation/text"))
        .with_link(&found.text("remediation/recommendation/Url"))
        .with_scope(&shortened(&names.join(", "), MOST_SCOPE_CHARS))
        .with_score(score)
        .with_status(status);
    let print = names.join(" ");
    Ok(match &*found.text("type") {
        "PACKAGE_VULNERABILITY" => {
            reading.needs_object(found, "packageVulnerabilityDetails")?;
            let details = found.at("packageVulnerabilityDetails");
            let at = format!("{pointer}/packageVulnerabilityDetails");
            let packages = reading.needed_list(&at, details, "vulnerablePackages")?;
            let package = packages.first().unwrap_or(&Loose::Null);
            let id = details.text("vulnerabilityId");
            let version = package.text("version");
            let name = package.text("name");
            let message =
                also(packages.iter().skip(1).map(|package| {
                    format!("{} {}", package.text("name"), package.text("version"))
                }));
            let words = vulnerability_title(&id, &name, &version, "");
            let mut finding = finding
                .with_title(if title.is_empty() { &words } else { &title })
                .with_rule(&id)
                .with_message(&message)
                .with_link(&details.text("sourceUrl"))
                .with_path(&package.text("filePath"))
                .with_component(&name, &version)
                .with_fixed_version(&package.text("fixedInVersion"))
                .with_remediation(&package.text("remediation"))
                .with_partial_fingerprint(&print)
                .with_category(if is_image {
                    Category::Container
                } else {
                    Category::Dependency
                });
            for related in details.each("relatedVulnerabilities") {
                finding = finding.with_id(&related.own_text());
            }
            finding.with_cwe(details.at("cwes"))
        }
        "CODE_VULNERABILITY" => {
            reading.needs_object(found, "codeVulnerabilityDetails/filePath")?;
            let details = found.at("codeVulnerabilityDetails");
            let place = details.at("filePath");
            finding
                .with_rule(&details.first_text(&["ruleId", "detectorId"]))
                .with_rule_name(&details.text("detectorName"))
                .with_path(&place.first_text(&["filePath", "fileName"]))
                .with_lines(place.line("startLine"), place.line("endLine"))
                .with_cwe(details.at("cwes"))
                .with_tags(details.at("detectorTags"))
                .with_partial_fingerprint(&print)
                .with_category(Category::Code)
        }
        kind => {
            let kind = kind.to_owned();
            if kind != "NETWORK_REACHABILITY" {
                reading.unknown_word(pointer, "type", &kind);
            }
            finding
                .with_rule(&kind)
                .with_partial_fingerprint(&format!("{print} {title}"))
                .with_category(Category::Configuration)
        }
    })
}
