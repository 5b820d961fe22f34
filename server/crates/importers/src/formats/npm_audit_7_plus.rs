//! npm audit, JSON of npm 7 and later.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `vulnerabilities` | one finding for the package, with the advisories of `via` in it; a package is what can be updated |
//! | `severity` | as it is |
//! | `metadata.vulnerabilities.total` above the listed packages | the scan is incomplete |
//! | `metadata.dependencies.total` 0 | nothing was looked at: the scan is incomplete |
//! | another `auditReportVersion` than 2 | refused |
//! | `fixAvailable` | fixed version, where it names one for this very package |

use super::reading::{Format, Reading, certain_if, object_with, vulnerability_title};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, Sniff};

pub const NPM_AUDIT_7_PLUS: Format = Format {
    name: "npm_audit_7_plus",
    title: "npm audit JSON (npm 7 and later)",
    tool: "npm audit",
    detect,
    lists: &["vulnerabilities{}", "vulnerabilities/*/via[]"],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    certain_if(object_with(sniff, &["auditReportVersion"]))
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut n_packages = 0;
    let rest = reading.stream(
        text,
        &[&["vulnerabilities", "*"]],
        &mut |reading, pointer, package| {
            n_packages += 1;
            let found = finding(reading, pointer, package);
            reading.add(found);
            Ok(())
        },
    )?;
    let version = rest.text("auditReportVersion");
    if !version.is_empty() && version != "2" {
        return Err(ImportError::UnsupportedVersion {
            format: NPM_AUDIT_7_PLUS.name,
            found: crate::text::title(&version),
            supported: "auditReportVersion 2",
        });
    }
    reading.needs_object(&rest, "vulnerabilities")?;
    let total = rest.number("metadata/vulnerabilities/total");
    reading.declared("/metadata/vulnerabilities/total", total, n_packages);
    if rest.number("metadata/dependencies/total") == Some(0.0) {
        let what = "the project has no dependencies";
        reading.nothing_looked_at("/metadata/dependencies/total", what);
    }
    Ok(())
}

fn finding(reading: &mut Reading<'_>, pointer: &str, package: &Loose<'_>) -> Finding {
    let severity = reading.severity(pointer, &package.text("severity"));
    let name = package.text("name");
    let advisories = package.each("via").iter().filter(|via| via.is_object());
    let titles: Vec<_> = advisories
        .clone()
        .map(|via| via.text("title").into_owned())
        .collect();
    let through: Vec<_> = package
        .each("via")
        .iter()
        .filter_map(Loose::as_str)
        .collect();
    let words = match (titles.first(), through.is_empty()) {
        (Some(first), _) if titles.len() == 1 => first.clone(),
        (Some(first), _) => format!("{first} and {} more", titles.len() - 1),
        (None, false) => format!("vulnerable through {}", through.join(", ")),
        (None, true) => String::new(),
    };
    let mut described = titles.join("\n");
    if !through.is_empty() {
        described = format!("{described}\nThrough {}.", through.join(", "));
    }
    let fix = package.at("fixAvailable");
    let fixed = if fix.text("name") == name {
        fix.text("version")
    } else {
        "".into()
    };
    let remediation = match fix {
        Loose::Object(_) => format!("Update {} to {}.", fix.text("name"), fix.text("version")),
        Loose::Bool(true) => "Run npm audit fix.".to_owned(),
        _ => String::new(),
    };
    let mut finding = Finding::of(
        &vulnerability_title("", &name, "", &words),
        severity,
        pointer,
    )
    .with_rule(&name)
    .with_description(&described)
    .with_message(&format!("Versions {}.", package.text("range")))
    .with_remediation(&remediation)
    .with_component(&name, "")
    .with_fixed_version(&fixed)
    .with_category(Category::Dependency);
    let mut score: Option<f64> = None;
    for via in advisories {
        let url = via.text("url");
        finding = finding
            .with_ids(&url)
            .with_link(&url)
            .with_cwe(via.at("cwe"));
        score = via
            .number("cvss/score")
            .into_iter()
            .chain(score)
            .reduce(f64::max);
    }
    finding.with_score(score.filter(|score| *score > 0.0))
}
