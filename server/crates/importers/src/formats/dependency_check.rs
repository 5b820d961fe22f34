//! OWASP Dependency-Check, XML and JSON.
//!
//! The JSON is that of dependency-check/DependencyCheck, `core/src/main/resources/templates/jsonReport.vsl`.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each `vulnerability` of a `dependency` | one finding |
//! | `suppressedVulnerability`, `suppressedVulnerabilities` | one finding, suppressed |
//! | `relatedDependencies` | no further findings: the same file under other names |
//! | severity | of `cvssV4`, `cvssV3`, else `severity`, else from the scores, which is told |
//! | no `dependency` | nothing was looked at: the scan is incomplete |
//! | a `dependency` without `fileName`, `vulnerabilities` without any, a `cvssV3` without words | the scan is incomplete |
//! | `analysisExceptions` | the scan is incomplete |

use holdpoint_domain::Severity;

use super::ratings::score_of;
use super::reading::{Format, Reading, certain_if, object_with, root_is, vulnerability_title};
use super::tree::Nth;
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const DEPENDENCY_CHECK: Format = Format {
    name: "dependency_check",
    title: "OWASP Dependency-Check XML or JSON",
    tool: "dependency-check",
    detect,
    lists: &[
        "scanInfo?/analysisExceptions?",
        "dependencies",
        "dependencies/*/packages?",
        "dependencies/*/vulnerabilities?",
        "dependencies/*/vulnerabilities?/*/cwes?[]",
        "dependencies/*/suppressedVulnerabilities?",
        "dependencies/*/suppressedVulnerabilities?/*/cwes?[]",
    ],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let is_xml = root_is(sniff, "analysis")
        && (sniff.text.contains("dependency-check") || sniff.text.contains("<dependencies"));
    certain_if(is_xml || object_with(sniff, &["reportSchema", "scanInfo", "dependencies"]))
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    if text.begins_with('{') {
        return read_json(reading, text);
    }
    let dependencies: &[&[&str]] = &[&["analysis", "dependencies", "dependency"]];
    let mut n_dependencies = 0;
    let see = &mut |reading: &mut Reading<'_>, nth: Nth, dependency: &Loose<'_>| {
        let at = nth.at;
        n_dependencies += 1;
        let place = format!("dependency {at}");
        reading.needs_any(&place, dependency, &["fileName"]);
        if dependency.has("vulnerabilities") {
            let kinds = ["vulnerability", "suppressedVulnerability"];
            reading.needs_any(&place, dependency.at("vulnerabilities"), &kinds);
        }
        for (kind, status) in [
            ("vulnerability", ScannerStatus::Open),
            ("suppressedVulnerability", ScannerStatus::Suppressed),
        ] {
            let vulnerabilities = dependency.each(&format!("vulnerabilities/{kind}"));
            for (n, vulnerability) in vulnerabilities.iter().enumerate() {
                let pointer = format!("dependency {at}, {kind} {n}");
                let found =
                    finding(reading, &pointer, dependency, vulnerability).with_status(status);
                reading.add(found);
            }
        }
        Ok(())
    };
    let analysis = reading.xml_stream(text, &["analysis"], dependencies, see)?;
    reading.tool("", &analysis.text("scanInfo/engineVersion"));
    reading.scanned_at(&analysis.text("projectInfo/reportDate"));
    let exceptions = analysis.each("scanInfo/analysisExceptions/analysisException");
    tell(reading, n_dependencies, exceptions.first(), "exception");
    Ok(())
}

fn read_json(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let mut n_dependencies = 0;
    let pattern = &["dependencies", "*"];
    let analysis = reading.stream(text, &[pattern], &mut |reading, pointer, dependency| {
        n_dependencies += 1;
        reading.needs_any(pointer, dependency, &["fileName"]);
        for (list, status) in [
            ("vulnerabilities", ScannerStatus::Open),
            ("suppressedVulnerabilities", ScannerStatus::Suppressed),
        ] {
            for (n, vulnerability) in dependency.each(list).iter().enumerate() {
                let pointer = format!("{pointer}/{list}/{n}");
                reading.needs_object(vulnerability, "")?;
                // Without one it is called after its file.
                if dependency.each("packages").is_empty() {
                    reading.unknown_word(&pointer, "package", "");
                }
                let found = finding(reading, &pointer, dependency, vulnerability);
                reading.add(found.with_status(status));
            }
        }
        Ok(())
    })?;
    reading.tool("", &analysis.text("scanInfo/engineVersion"));
    reading.scanned_at(&analysis.text("projectInfo/reportDate"));
    let exceptions = analysis.each("scanInfo/analysisExceptions");
    tell(
        reading,
        n_dependencies,
        exceptions.first(),
        "exception/message",
    );
    Ok(())
}

/// Tells what the analysis did not look at.
fn tell(
    reading: &mut Reading<'_>,
    n_dependencies: usize,
    exception: Option<&Loose<'_>>,
    words: &str,
) {
    if let Some(exception) = exception {
        let said = format!("the analysis failed in part: {}", exception.texts(words));
        reading.incomplete("scanInfo/analysisExceptions", &said);
    }
    if n_dependencies == 0 {
        reading.nothing_looked_at("dependencies", "it lists no dependency");
    }
}

/// `yargs-parser:5.0.0`, as the names of packages that are no files are written.
fn name_and_version(file: &str) -> (&str, &str) {
    match file.rsplit_once(':') {
        Some((name, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => {
            (name, version)
        }
        _ => (file, ""),
    }
}

/// Whether the name of a vulnerability says which it is: not the number of an advisory alone, nor the name of a weakness.
fn is_id(name: &str) -> bool {
    !name.starts_with("CWE-") && !name.bytes().all(|byte| byte.is_ascii_digit())
}

fn finding(
    reading: &mut Reading<'_>,
    pointer: &str,
    dependency: &Loose<'_>,
    vulnerability: &Loose<'_>,
) -> Finding {
    let number = |paths: &[&str]| paths.iter().find_map(|path| vulnerability.number(path));
    let score = number(&[
        "cvssV4/baseScore",
        "cvssv4/baseScore",
        "cvssV3/baseScore",
        "cvssv3/baseScore",
        "cvssV2/score",
        "cvssv2/score",
        "cvssScore",
    ]);
    let score = score.or_else(|| score_of(vulnerability.at("cvssv4/vectorString")));
    // Some versions of the JSON have a stray character in a key.
    let places = [
        ("cvssV4", "baseSeverity"),
        ("cvssv4", "baseSeverity"),
        ("cvssV3", "baseSeverity"),
        ("cvssv3", "baseSeverity"),
        ("cvssv3", "baseSeverity>"),
        ("", "severity"),
        ("cvssV2", "severity"),
        ("cvssv2", "severity"),
    ];
    for rating in ["cvssV4", "cvssV3"] {
        if vulnerability.has(rating) {
            let place = format!("{pointer}, {rating}");
            reading.needs_any(&place, vulnerability.at(rating), &["baseSeverity"]);
        }
    }
    let words = places.map(|(around, key)| {
        let around = if around.is_empty() {
            vulnerability
        } else {
            vulnerability.at(around)
        };
        (around.has(key), around.text(key))
    });
    let mut known = words
        .iter()
        .map(|(_, word)| word)
        .filter(|word| Severity::from_scanner_word(word).is_some());
    // What is odd in any of them is told, and that none is there.
    let odd = words
        .iter()
        .find(|(is_there, word)| *is_there && Severity::from_scanner_word(word).is_none());
    let word = known.next().map_or("", |word| word);
    let severity = match (word, odd) {
        ("", odd) => reading.rated(pointer, odd.map_or("", |(_, word)| word), score),
        (word, odd) => {
            if let Some((_, odd)) = odd {
                reading.unknown_word(pointer, "further rating", odd);
            }
            reading.severity(pointer, word)
        }
    };
    let file = dependency.text("fileName");
    let identifiers = dependency.each("identifiers").first();
    let inner = identifiers.and_then(|list| list.each("identifiers").first());
    let package = [inner, identifiers]
        .into_iter()
        .flatten()
        .find_map(|list| list.each("package").first())
        .or_else(|| dependency.each("packages").first())
        .map_or("".into(), |package| package.text("id"));
    let maven = dependency
        .each("identifiers/identifier")
        .iter()
        .find(|identifier| identifier.text("type") != "cpe");
    let maven = maven.map_or("".into(), |identifier| identifier.text("name"));
    let evidence = |kind: &str| {
        let named = dependency.each("evidenceCollected/evidence").iter();
        let mut named = named.filter(|evidence| {
            evidence.text("type") == kind
                && evidence.text("source") == "file"
                && evidence.text("name") == "name"
        });
        named
            .next()
            .map_or("".into(), |evidence| evidence.text("value"))
    };
    let of_evidence = (evidence("product"), evidence("version"));
    let in_name = name_and_version(&file);
    let id = vulnerability.text("name");
    let mut finding = Finding::of("", severity, pointer)
        .with_rule(&id)
        .with_id(if is_id(&id) { &id } else { "" })
        .with_description(&vulnerability.text("description"))
        .with_message(&vulnerability.text("notes"))
        // The path is one on the machine that has built it; the name of the file is the same everywhere.
        .with_path(&file)
        .with_scope(&dependency.text("filePath"))
        .with_package_url(&package)
        .with_score(score)
        .with_category(Category::Dependency);
    if finding.component.is_none() {
        let (name, version) = match maven.rsplit_once(':') {
            Some(identified) => identified,
            None if in_name.1.is_empty() && !of_evidence.0.is_empty() => {
                (&*of_evidence.0, &*of_evidence.1)
            }
            None => in_name,
        };
        finding = finding.with_component(name, version);
    }
    for cwe in vulnerability
        .each("cwes/cwe")
        .iter()
        .chain(vulnerability.each("cwe"))
        .chain(vulnerability.each("cwes"))
    {
        finding = finding.with_ids(&cwe.own_text());
    }
    for reference in vulnerability
        .each("references/reference")
        .iter()
        .chain(vulnerability.each("references"))
    {
        finding = finding.with_link(&reference.text("url"));
    }
    if vulnerability.has("knownExploitedVulnerability") {
        finding = finding.with_tag("known exploited");
    }
    let version = finding.component_version.clone().unwrap_or_default();
    finding.with_title(&vulnerability_title(&id, &file, &version, ""))
}
