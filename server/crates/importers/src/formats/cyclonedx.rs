//! CycloneDX, JSON and XML: bills of materials with vulnerabilities, and vulnerability reports (VEX).
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `vulnerabilities` and each component that it affects | one finding |
//! | XML 1.2 and 1.3: vulnerabilities within a component | one finding |
//! | `ratings` | severity of a CVSS 3 or 4 rating, else of the first; else its score or vector; else medium |
//! | `analysis.state` | resolved: fixed; not_affected; false_positive: suppressed; in_triage: to be reviewed |
//! | no list of vulnerabilities | an inventory: nobody has looked for any, so the scan is incomplete |

use std::collections::HashMap;

use holdpoint_domain::Severity;

use super::cvss::base_score;
use super::reading::{Format, Reading, certain_if, root_is};
use super::tree::{self, Nth, Pattern};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const CYCLONEDX: Format = Format {
    name: "cyclonedx",
    title: "CycloneDX JSON or XML",
    tool: "CycloneDX",
    detect,
    lists: &[],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let is_xml = root_is(sniff, "bom") && sniff.text.contains("cyclonedx");
    certain_if(sniff.has_key("bomFormat") || is_xml)
}

struct Component {
    name: String,
    version: String,
    path: String,
}

/// Components by their reference.
type Components = HashMap<String, Component>;

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let is_xml = text.begins_with('<');
    let mut components = Components::new();
    let mut n_within = 0_usize;
    // Vulnerabilities name the components that they affect, and may stand before them: so the file is gone through twice.
    let bom = each_of(
        reading,
        text,
        ("components", "component"),
        &mut |reading, pointer, component| {
            n_within += collect(reading, component, pointer, &mut components, 0);
            Ok(())
        },
    )?;
    let whole = bom.at("metadata/component");
    n_within += collect(reading, whole, "/metadata/component", &mut components, 0);
    let tools = bom.at("metadata/tools");
    let tool = list(tools, "components", "component").first();
    let tool = tool.or_else(|| list(bom.at("metadata"), "tools", "tool").first());
    if let Some(tool) = tool {
        reading.tool(&tool.text("name"), &tool.text("version"));
    }
    reading.scanned_at(&bom.text("metadata/timestamp"));

    let vulnerabilities = bom.at("vulnerabilities");
    if vulnerabilities.is_null() && n_within == 0 {
        reading.incomplete(
            "/vulnerabilities",
            "this is an inventory; nobody has looked for vulnerabilities",
        );
        return Ok(());
    }
    if !is_xml && !vulnerabilities.is_null() {
        reading.needs_list(&bom, "vulnerabilities")?;
    }
    each_of(
        reading,
        text,
        ("vulnerabilities", "vulnerability"),
        &mut |reading, pointer, vulnerability| {
            reading.needs_object(vulnerability, "")?;
            let affected = list(vulnerability, "affects", "target");
            for target in affected {
                let reference = target.text("ref");
                let component = components.get(&*reference);
                let found = finding(reading, pointer, vulnerability, component, &reference);
                reading.add(found);
            }
            if affected.is_empty() {
                let found = finding(reading, pointer, vulnerability, None, "");
                reading.add(found);
            }
            Ok(())
        },
    )?;
    Ok(())
}

/// Goes through the file, hands out each element of one of its two lists, called `many` and `one` (see [`list`]), with its
/// pointer, and returns what stands around both.
fn each_of<'a>(
    reading: &mut Reading<'_>,
    text: Body<'a>,
    (many, one): (&'static str, &'static str),
    each: &mut dyn FnMut(&mut Reading<'_>, &str, &Loose<'_>) -> Result<(), ImportError>,
) -> Result<Loose<'a>, ImportError> {
    let format = reading.format;
    if text.begins_with('<') {
        let patterns: &[&[&str]] = &[
            &["bom", "components", "component"],
            &["bom", "vulnerabilities", "vulnerability"],
        ];
        let wanted = patterns.iter().position(|steps| steps.ends_with(&[one]));
        let see = &mut |reading: &mut Reading<'_>, nth: Nth, element: &Loose<'_>| {
            if Some(nth.pattern) == wanted {
                each(reading, &format!("/{many}/{}", nth.at), element)?;
            }
            Ok(())
        };
        let rest = reading.xml_stream(text, &["bom"], patterns, see)?;
        reading.needs_object(&rest, "")?;
        return Ok(rest);
    }
    let patterns: &[Pattern] = &[&["components", "*"], &["vulnerabilities", "*"]];
    let rest = tree::stream(format, text, patterns, &mut |pointer, element| {
        let list = pointer.split('/').nth(1);
        if list == Some(many) {
            each(reading, pointer, element)?;
        }
        Ok(())
    })?;
    reading.needs_object(&rest, "")?;
    Ok(rest)
}

/// The elements of a list that JSON writes as `many: []` and XML as `<many><one/></many>`.
fn list<'v, 'a>(value: &'v Loose<'a>, many: &str, one: &str) -> &'v [Loose<'a>] {
    match value.at(many) {
        Loose::List(list) => list,
        other => other.each(one),
    }
}

/// Notes a component, and those within it at any depth, by their references. The vulnerabilities that lie within them are
/// findings; so many.
fn collect(
    reading: &mut Reading<'_>,
    value: &Loose<'_>,
    pointer: &str,
    components: &mut Components,
    depth: usize,
) -> usize {
    if !value.is_object() || depth > crate::json::MOST_LEVELS {
        return 0;
    }
    let (group, name) = (value.text("group"), value.text("name"));
    let component = Component {
        name: if group.is_empty() {
            name.into_owned()
        } else {
            format!("{group}:{name}")
        },
        version: value.text("version").into_owned(),
        path: value.text("evidence/occurrences/location").into_owned(),
    };
    let within = list(value, "vulnerabilities", "vulnerability");
    for (at, vulnerability) in within.iter().enumerate() {
        let pointer = format!("{pointer}/vulnerabilities/{at}");
        let found = finding(reading, &pointer, vulnerability, Some(&component), "");
        reading.add(found);
    }
    let mut n_within = within.len();
    let reference = value.first_text(&["bom-ref", "purl"]);
    if !reference.is_empty() {
        components.insert(reference.into_owned(), component);
    }
    for (at, inner) in list(value, "components", "component").iter().enumerate() {
        let pointer = format!("{pointer}/components/{at}");
        n_within += collect(reading, inner, &pointer, components, depth + 1);
    }
    n_within
}

fn finding(
    reading: &mut Reading<'_>,
    pointer: &str,
    vulnerability: &Loose<'_>,
    component: Option<&Component>,
    reference: &str,
) -> Finding {
    let id = vulnerability.text("id");
    let (severity, score) = severity(reading, pointer, list(vulnerability, "ratings", "rating"));
    let status = match &*vulnerability.text("analysis/state") {
        "resolved" | "resolved_with_pedigree" => ScannerStatus::Fixed,
        "not_affected" => ScannerStatus::NotAffected,
        "false_positive" => ScannerStatus::Suppressed,
        "in_triage" => ScannerStatus::Review,
        _ => ScannerStatus::Open,
    };
    let (name, version, path) = component.map_or(("", "", ""), |c| (&c.name, &c.version, &c.path));
    let mut finding = Finding::of("", severity, pointer)
        .with_rule(&id)
        .with_id(&id)
        .with_description(&vulnerability.first_text(&["description", "detail"]))
        .with_message(&vulnerability.text("analysis/detail"))
        .with_remediation(&vulnerability.text("recommendation"))
        .with_component(name, version)
        .with_package_url(reference)
        .with_path(path)
        .with_status(status)
        .with_score(score)
        .with_category(Category::Dependency);
    for cwe in list(vulnerability, "cwes", "cwe") {
        finding = finding.with_cwe(cwe);
    }
    for known in list(vulnerability, "references", "reference") {
        finding = finding.with_id(&known.text("id"));
    }
    for advisory in list(vulnerability, "advisories", "advisory") {
        finding = finding.with_link(&advisory.first_text(&["url", "#text"]));
    }
    finding = finding.with_link(&vulnerability.text("source/url"));
    // Some tools give an id of their own, and the CVE in the words only.
    if finding.cve.is_empty() {
        let first_line = vulnerability.text("description");
        finding = finding.with_ids(
            first_line
                .lines()
                .next()
                .unwrap_or("")
                .get(..24)
                .unwrap_or(""),
        );
    }
    let shown = finding
        .cve
        .first()
        .cloned()
        .unwrap_or_else(|| id.clone().into_owned());
    finding.with_vulnerability_title(&shown, "")
}

fn severity(
    reading: &mut Reading<'_>,
    pointer: &str,
    ratings: &[Loose<'_>],
) -> (Severity, Option<f64>) {
    let is_newer = |rating: &&Loose<'_>| {
        let method = rating.text("method");
        method.starts_with("CVSSv3")
            || method.starts_with("CVSSv4")
            || method.starts_with("CVSSv31")
    };
    let score_of = |rating: &Loose<'_>| {
        let score = rating
            .number("score")
            .or_else(|| rating.number("score/base"));
        score.or_else(|| base_score(&rating.text("vector")))
    };
    let newer = ratings.iter().find(is_newer);
    let score = newer.or(ratings.first()).and_then(score_of);
    let worded = newer
        .into_iter()
        .chain(ratings)
        .map(|rating| rating.text("severity"));
    let word = worded.into_iter().find(|word| !word.is_empty());
    let severity = match word {
        Some(word) => reading.severity(pointer, &word),
        None => score.map_or(Severity::Medium, Severity::from_cvss_score),
    };
    (severity, score)
}
