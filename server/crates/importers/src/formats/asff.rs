//! Findings of AWS Security Hub in its finding format (ASFF): what `aws securityhub get-findings` answers, pages of it, and
//! bare lists, as Prowler, Trivy and other tools write them.
//!
//! Source: AWS Security Hub API reference, pages `API_AwsSecurityFinding`, `API_Compliance`, `API_Workflow`, `API_Severity`.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each finding | one finding; its packages beyond the first are told in its message |
//! | `Compliance.Status` | PASSED is none; FAILED is open; WARNING asks a person to look; NOT_AVAILABLE too, and the scan is incomplete |
//! | `Severity.Label` | the severity; else from `Normalized`, else the best CVSS score |
//! | `RecordState` ARCHIVED, `Workflow.Status` SUPPRESSED | suppressed, with the note; NOT_AVAILABLE and archived is a check that does not apply |
//! | `Workflow.Status` RESOLVED | fixed; where its check still fails, suppressed |
//! | `Types` of a CVE | the lists of vulnerabilities and packages are required |
//! | `Resources`, without digests of images | part of the identity, and the scope |
//! | account and region | the target, where it is one |
//! | `NextToken` | further pages are missing: the scan is incomplete |
//! | no finding, not even a passed one | nothing says that anything was looked at: the scan is incomplete |

use holdpoint_domain::Severity;

use super::ratings::score_of;
use super::reading::{Format, Reading, certain_if, list_with, object_with};
use super::targets::Targets;
use crate::json::Loose;
use crate::text::shortened;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const ASFF: Format = Format {
    name: "asff",
    title: "AWS Security Hub findings (ASFF)",
    tool: "AWS Security Hub",
    detect,
    lists: &["Findings?", "findings?"],
    read,
};

/// So much of the names of many resources is shown.
const MOST_SCOPE_CHARS: usize = 500;

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let is_finding = list_with(sniff, &["SchemaVersion", "ProductArn", "GeneratorId"]);
    let is_answer = (object_with(sniff, &["Findings"])
        || object_with(sniff, &["findings"])
        || list_with(sniff, &["Findings"]))
        && sniff.text.contains("\"SchemaVersion\"")
        && sniff.text.contains("\"ProductArn\"");
    certain_if(is_finding || is_answer)
}

#[derive(Default)]
struct Scan {
    targets: Targets,
    n: usize,
}

/// What leads to a further page, as the other services of AWS write it too.
const NEXT_PAGE: [&str; 2] = ["NextToken", "nextToken"];

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut scan = Scan::default();
    if text.begins_with('[') {
        let rest = reading.stream(text, &[&["*"]], &mut |reading, pointer, element| {
            let key = if element.has("Findings") {
                "Findings"
            } else {
                "findings"
            };
            if !element.has(key) {
                return scan.add(reading, pointer, element);
            }
            reading.is_last_page(pointer, element, &NEXT_PAGE);
            let page = reading.needed_list(pointer, element, key)?;
            let mut page = page.iter().enumerate();
            page.try_for_each(|(at, found)| {
                let pointer = format!("{pointer}/{key}/{at}");
                reading.needs_object(found, "")?;
                scan.add(reading, &pointer, found)
            })
        })?;
        reading.needs_list(&rest, "")?;
    } else {
        let patterns: &[&[&str]] = &[&["Findings", "*"], &["findings", "*"]];
        let rest = reading.stream(text, patterns, &mut |reading, pointer, found| {
            scan.add(reading, pointer, found)
        })?;
        reading.is_last_page("", &rest, &NEXT_PAGE);
        // Some write its key as the other services of AWS do.
        if !rest.has("Findings") {
            reading.needs_list(&rest, "findings")?;
        }
    }
    if scan.n == 0 {
        reading.nothing_looked_at(
            "/Findings",
            "no finding of any state, not even a passed check",
        );
    }
    scan.targets.tell(reading);
    Ok(())
}

/// The name of a resource without the digest of an image, which changes with each build.
pub(super) fn lasting_name(resource: &str) -> &str {
    let end = resource.find("sha256:").unwrap_or(resource.len());
    resource[..end].trim_end_matches(['/', '@'])
}

impl Scan {
    fn add(
        &mut self,
        reading: &mut Reading<'_>,
        pointer: &str,
        found: &Loose<'_>,
    ) -> Result<(), ImportError> {
        self.n += 1;
        reading.needed_list(pointer, found, "Resources")?;
        let (account, product) = (found.text("AwsAccountId"), found.text("ProductArn"));
        // arn:aws:securityhub:REGION:…
        let region = product.split(':').nth(3).unwrap_or("");
        self.targets.add(&format!("{account}/{region}"));
        reading.scanned_at(&found.text("UpdatedAt"));
        let Some(status) = status(reading, pointer, found) else {
            reading.not_a_finding();
            return Ok(());
        };
        let finding = finding(reading, pointer, found, status)?;
        reading.add(finding);
        Ok(())
    }
}

/// `None` for a check that passed, or that does not apply.
fn status(reading: &mut Reading<'_>, pointer: &str, found: &Loose<'_>) -> Option<ScannerStatus> {
    let record = found.text("RecordState").to_ascii_uppercase();
    let is_archived = record == "ARCHIVED";
    if !is_archived && record != "ACTIVE" && found.has("RecordState") {
        reading.unknown_word(pointer, "state", &record);
    }
    let mut status = ScannerStatus::Open;
    let has_compliance = found.has("Compliance") && !found.at("Compliance").is_null();
    let compliance = found.text("Compliance/Status").to_ascii_uppercase();
    match &*compliance {
        "PASSED" => return None,
        "FAILED" => {}
        "WARNING" => status = ScannerStatus::Review,
        // A check of resources that are not there.
        "NOT_AVAILABLE" if is_archived => return None,
        "NOT_AVAILABLE" => {
            let why = found.first_text(&["Compliance/StatusReasons/Description", "Title"]);
            reading.incomplete(pointer, &format!("a check could not be made: {why}"));
            status = ScannerStatus::Review;
        }
        word if has_compliance => reading.unknown_word(pointer, "status", word),
        _ => {}
    }
    let workflow = found.text("Workflow/Status").to_ascii_uppercase();
    Some(match &*workflow {
        _ if is_archived => ScannerStatus::Suppressed,
        "SUPPRESSED" => ScannerStatus::Suppressed,
        "RESOLVED" if has_compliance => ScannerStatus::Suppressed,
        "RESOLVED" => ScannerStatus::Fixed,
        "NEW" | "NOTIFIED" => status,
        word => {
            if found.at("Workflow").has("Status") {
                reading.unknown_word(pointer, "state", word);
            }
            status
        }
    })
}

/// What its scale of 0 to 100 says in Security Hub's own words.
fn normalized(number: f64) -> Option<Severity> {
    (0.0..=100.0).contains(&number).then_some(match number {
        n if n >= 90.0 => Severity::Critical,
        n if n >= 70.0 => Severity::High,
        n if n >= 40.0 => Severity::Medium,
        n if n >= 1.0 => Severity::Low,
        _ => Severity::Info,
    })
}

fn severity(
    reading: &mut Reading<'_>,
    pointer: &str,
    found: &Loose<'_>,
    score: Option<f64>,
) -> Severity {
    let label = found.first_text(&["Severity/Label", "FindingProviderFields/Severity/Label"]);
    if let Some(severity) = Severity::from_scanner_word(&label) {
        return severity;
    }
    let number = found
        .number("Severity/Normalized")
        .filter(|number| *number > 0.0);
    match number.and_then(normalized) {
        Some(severity) => {
            reading.unknown_word(pointer, "rating", &label);
            severity
        }
        None => reading.rated(pointer, &label, score),
    }
}

fn finding(
    reading: &mut Reading<'_>,
    pointer: &str,
    found: &Loose<'_>,
    status: ScannerStatus,
) -> Result<Finding, ImportError> {
    let types = found.texts("Types");
    let is_of_cve = types.contains("/Vulnerabilities/CVE");
    let vulnerabilities = if is_of_cve {
        reading.needed_list(pointer, found, "Vulnerabilities")?
    } else {
        reading.optional_list(pointer, found, "Vulnerabilities")?
    };
    let first = vulnerabilities.first().unwrap_or(&Loose::Null);
    let at = format!("{pointer}/Vulnerabilities/0");
    let code = reading.optional_list(&at, first, "CodeVulnerabilities")?;
    let packages = if is_of_cve && code.is_empty() {
        reading.needed_list(&at, first, "VulnerablePackages")?
    } else {
        reading.optional_list(&at, first, "VulnerablePackages")?
    };
    let package = packages.first().unwrap_or(&Loose::Null);
    let scores = first.each("Cvss").iter();
    let scores = scores.filter(|cvss| !cvss.text("Version").starts_with('2'));
    let score = scores
        .filter_map(|cvss| {
            score_of(cvss.at("BaseScore")).or_else(|| score_of(cvss.at("BaseVector")))
        })
        .reduce(f64::max);
    let severity = severity(reading, pointer, found, score);

    let resources: Vec<_> = found.each("Resources").iter().collect();
    let names: Vec<String> = resources
        .iter()
        .map(|resource| lasting_name(&resource.text("Id")).to_owned())
        .collect();
    let is_image = resources
        .iter()
        .any(|resource| resource.text("Type").contains("Container"));
    let id = first.text("Id");
    let title = found.text("Title");
    let rule = if id.is_empty() {
        let has_check = found.has("Compliance");
        let own = found.first_text(&["Compliance/SecurityControlId", "ProductFields/ControlId"]);
        let kind = found
            .each("Types")
            .first()
            .map_or("".into(), Loose::own_text);
        let generator = found.text("GeneratorId");
        let rule = if has_check {
            [own, generator]
        } else {
            [kind, generator]
        };
        let mut rule = rule.into_iter().filter(|rule| !rule.is_empty());
        rule.next().unwrap_or_default()
    } else {
        id.clone()
    };
    let place = code
        .first()
        .map_or(&Loose::Null, |code| code.at("FilePath"));
    let path = place.first_text(&["FilePath", "FileName"]);
    let path = if path.is_empty() {
        package.text("FilePath")
    } else {
        path
    };
    let others = packages.iter().skip(1).map(|package| {
        let fixed = package.text("FixedInVersion");
        let fixed = if fixed.is_empty() {
            String::new()
        } else {
            format!(" (fixed in {fixed})")
        };
        format!(
            "{} {}{fixed}",
            package.text("Name"),
            package.text("Version")
        )
    });
    let others: Vec<String> = others.take(100).collect();
    let message = if others.is_empty() {
        String::new()
    } else {
        format!("Also in {}.", others.join(", "))
    };
    let category = if !code.is_empty() {
        Category::Code
    } else if is_image {
        Category::Container
    } else if vulnerabilities.is_empty() {
        Category::Configuration
    } else {
        Category::Dependency
    };
    let print = if id.is_empty() {
        format!("{} {title}", names.join(" "))
    } else {
        names.join(" ")
    };
    let product = found.first_text(&["ProductName", "ProductFields/aws/securityhub/ProductName"]);
    let product = if product.is_empty() {
        let arn = found.text("ProductArn");
        arn.rsplit('/').next().unwrap_or("").to_owned()
    } else {
        product.into_owned()
    };
    let mut finding = Finding::of(&title, severity, pointer)
        .with_rule(&rule)
        .with_rule_name(&found.text("GeneratorId"))
        .with_message(&message)
        .with_description(&found.text("Description"))
        .with_remediation(&found.text("Remediation/Recommendation/Text"))
        .with_link(&found.text("Remediation/Recommendation/Url"))
        .with_link(&found.text("SourceUrl"))
        .with_path(&path)
        .with_lines(place.line("StartLine"), place.line("EndLine"))
        .with_scope(&shortened(&names.join(", "), MOST_SCOPE_CHARS))
        .with_component(&package.text("Name"), &package.text("Version"))
        .with_fixed_version(&package.text("FixedInVersion"))
        .with_partial_fingerprint(&print)
        .with_score(score)
        .with_tags(found.at("Types"))
        .with_tool(&product)
        .with_status(status)
        .with_category(category);
    for vulnerability in vulnerabilities {
        finding = finding.with_id(&vulnerability.text("Id"));
        for related in vulnerability.each("RelatedVulnerabilities") {
            finding = finding.with_id(&related.own_text());
        }
    }
    for code in code {
        finding = finding.with_cwe(code.at("Cwes"));
    }
    if finding.status == ScannerStatus::Suppressed {
        let reason = found.first_text(&["Note/Text", "Workflow/Status", "RecordState"]);
        finding = finding.with_suppression_reason(&reason);
    }
    Ok(finding)
}
