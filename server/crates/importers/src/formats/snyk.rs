//! Snyk, JSON of `snyk test` (one project or a list of them) and `snyk container test`; Snyk Code writes SARIF.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `vulnerabilities` (one for each dependency path) | one finding |
//! | `applications` of a container | further projects |
//! | severity | from `cvssScore`, else the word, as Snyk's own bands differ from those of CVSS; `malicious` critical |
//! | `filtered.ignore` | one finding, suppressed, with the reason |
//! | `uniqueCount` above the different ids that are listed | the scan is incomplete |
//! | `dependencyCount` 0 | nothing was looked at: the scan is incomplete |
//! | `error` | the scan is incomplete; a file with nothing else is refused |

use std::collections::HashSet;

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, list_with, object_with, vulnerability_title};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const SNYK: Format = Format {
    name: "snyk",
    title: "Snyk JSON",
    tool: "snyk",
    detect,
    lists: &[],
    read,
};

/// Its content is SARIF, as which it is recognised; here only for people who name it.
pub const SNYK_CODE: Format = Format {
    name: "snyk_code",
    title: "Snyk Code SARIF",
    tool: "SnykCode",
    detect: |_| Confidence::No,
    lists: &[],
    read: |reading, text| reading.sarif(text),
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let is_project = object_with(sniff, &["vulnerabilities"])
        && (object_with(sniff, &["dependencyCount"])
            || object_with(sniff, &["packageManager"])
            || sniff.text.contains("\"dependencyCount\""));
    let is_list = list_with(sniff, &["vulnerabilities"])
        && (list_with(sniff, &["packageManager"]) || sniff.text.contains("\"dependencyCount\""));
    let is_error = object_with(sniff, &["ok", "error", "path"]);
    certain_if(is_project || is_list || is_error)
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    // What several projects have in common stands behind their findings, so a project is read as a whole.
    let whole = reading.json(text)?;
    for (at, project) in whole.items().iter().enumerate() {
        let pointer = if whole.is_list() {
            format!("/{at}")
        } else {
            String::new()
        };
        reading.needs_object(project, "")?;
        let said = project.first_text(&["error", "message"]);
        if project.has("error") && !project.has("vulnerabilities") {
            if !whole.is_list() {
                return Err(reading.broken("$.error", format!("the test failed: {said}")));
            }
            reading.incomplete(format!("{pointer}/error"), &said);
            continue;
        }
        reading.needs_list(project, "vulnerabilities")?;
        read_project(reading, &pointer, project)?;
        let path = project.first_text(&["displayTargetFile", "targetFile"]);
        let ignored = if project.at("filtered").is_object() {
            let pointer = format!("{pointer}/filtered");
            reading.needed_list(&pointer, project.at("filtered"), "ignore")?
        } else {
            &[]
        };
        for (n, ignored) in ignored.iter().enumerate() {
            let pointer = format!("{pointer}/filtered/ignore/{n}");
            reading.needed_values(&pointer, ignored, "from")?;
            let mut found = finding(reading, &pointer, ignored).with_path(&path);
            found.status = ScannerStatus::Suppressed;
            let reasons = ignored.each("filtered/ignored").iter();
            let reasons: Vec<_> = reasons.map(|of| of.text("reason")).collect();
            let reason = crate::text::clean_line(&reasons.join(", "));
            found.suppression_reason = (!reason.is_empty()).then_some(reason);
            reading.add(found);
        }
        for (n, application) in project.each("applications").iter().enumerate() {
            read_project(reading, &format!("{pointer}/applications/{n}"), application)?;
        }
    }
    Ok(())
}

fn read_project(
    reading: &mut Reading<'_>,
    pointer: &str,
    project: &Loose<'_>,
) -> Result<(), ImportError> {
    let listed = project.each("vulnerabilities").iter();
    let ids: HashSet<_> = listed.map(|listed| listed.text("id")).collect();
    let place = format!("{pointer}/uniqueCount");
    reading.declared(&place, project.number("uniqueCount"), ids.len());
    if project.number("dependencyCount") == Some(0.0) {
        let place = format!("{pointer}/dependencyCount");
        reading.nothing_looked_at(&place, "the project has no dependencies");
    }
    let path = project.first_text(&["displayTargetFile", "targetFile"]);
    let listed = reading.needed_list(pointer, project, "vulnerabilities")?;
    for (at, vulnerability) in listed.iter().enumerate() {
        let pointer = format!("{pointer}/vulnerabilities/{at}");
        // The dependencies that lead to it tell equal ones apart.
        reading.needed_values(&pointer, vulnerability, "from")?;
        let found = finding(reading, &pointer, vulnerability).with_path(&path);
        reading.add(found);
    }
    Ok(())
}

fn finding(reading: &mut Reading<'_>, pointer: &str, vulnerability: &Loose<'_>) -> Finding {
    let score = vulnerability
        .number("cvssScore")
        .filter(|score| *score > 0.0);
    let severity = match score {
        _ if vulnerability.flag("malicious") => Severity::Critical,
        Some(score) => Severity::from_cvss_score(score),
        None => reading.severity(pointer, &vulnerability.text("severity")),
    };
    let id = vulnerability.text("id");
    let name = vulnerability.first_text(&["packageName", "moduleName", "name"]);
    let version = vulnerability.text("version");
    let from: Vec<_> = vulnerability
        .each("from")
        .iter()
        .map(|part| part.own_text().into_owned())
        .collect();
    let fixed: Vec<_> = vulnerability
        .each("fixedIn")
        .iter()
        .map(|v| v.own_text().into_owned())
        .collect();
    let mut finding = Finding::of(
        &vulnerability_title("", &name, &version, &vulnerability.text("title")),
        severity,
        pointer,
    )
    .with_rule(&id)
    .with_id(&id)
    .with_description(&vulnerability.text("description"))
    .with_message(&from.join(" > "))
    .with_link(&format!("https://security.snyk.io/vuln/{id}"))
    .with_cwe(vulnerability.at("identifiers/CWE"))
    .with_component(&name, &version)
    .with_fixed_version(&fixed.join(", "))
    .with_scope(&from.join(" > "))
    .with_score(score)
    .with_category(Category::Dependency);
    for known in ["CVE", "GHSA"] {
        for id in vulnerability.each(&format!("identifiers/{known}")) {
            finding = finding.with_id(&id.own_text());
        }
    }
    finding
}
