//! CycloneDX, JSON and XML: bills of materials with vulnerabilities, and vulnerability reports (VEX).
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each of `vulnerabilities` and each component that it affects | one finding |
//! | XML 1.2 and 1.3: vulnerabilities within a component | one finding |
//! | `ratings` | the most severe that has a word or a CVSS 3 or 4 score; a score of CVSS 2 only where there is no other; else unrated |
//! | `analysis.state` | resolved: fixed; not_affected; false_positive: suppressed; in_triage: to be reviewed; a word that is not known: open, and told |
//! | `affects[].ref`, XML 1.2 and 1.3 `ref` | the component by its reference, by a BOM-Link (`urn:cdx:…/1#ref`), or by the package URL that it is |
//! | `affects[].versions` | the version where the component has none; all unaffected: not affected |
//! | no list of vulnerabilities, or an empty one | an inventory: nobody has looked for any, so the scan is incomplete; Grype writes its list only after it has looked |

use std::collections::HashMap;

use holdpoint_domain::Severity;

use super::ratings::score_of;
use super::reading::{Format, Reading, certain_if, root_is};
use super::tree::{self, Nth, Pattern};
use crate::json::Loose;
use crate::text::{percent_decode, title};
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

#[derive(Clone, Default)]
struct Component {
    url: String,
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

    // Scanners that write the list of vulnerabilities only after they have looked for them.
    let has_looked = reading.summary.tool.name.eq_ignore_ascii_case("grype");
    let vulnerabilities = bom.at("vulnerabilities");
    if vulnerabilities.is_null() && (n_within == 0 || bom.has("vulnerabilities")) {
        reading.incomplete(
            "/vulnerabilities",
            "this is an inventory; nobody has looked for vulnerabilities",
        );
        return Ok(());
    }
    if !is_xml && !vulnerabilities.is_null() {
        reading.needs_list(&bom, "vulnerabilities")?;
    }
    let mut n_listed = 0;
    each_of(
        reading,
        text,
        ("vulnerabilities", "vulnerability"),
        &mut |reading, pointer, vulnerability| {
            reading.needs_object(vulnerability, "")?;
            n_listed += 1;
            let affected = list(vulnerability, "affects", "target");
            let affected = if affected.is_empty() && vulnerability.has("ref") {
                std::slice::from_ref(vulnerability)
            } else {
                affected
            };
            for target in affected {
                let reference = target.text("ref");
                let component = component_of(reading, pointer, &components, &reference);
                let mut found = finding(reading, pointer, vulnerability, Some(&component));
                affected_versions(reading, pointer, target, &mut found);
                reading.add(found.with_vulnerability_title_of_id());
            }
            if affected.is_empty() {
                let message = "The vulnerability names no component that it affects.";
                reading.problem(pointer, message);
                let found = finding(reading, pointer, vulnerability, None);
                reading.add(found.with_vulnerability_title_of_id());
            }
            Ok(())
        },
    )?;
    if n_listed == 0 && n_within == 0 && !has_looked {
        reading.incomplete(
            "/vulnerabilities",
            "its list of vulnerabilities is empty, as in an inventory; nobody says that somebody has looked for any",
        );
    }
    Ok(())
}

/// The component that a reference means: one of this file, one by a BOM-Link to this or another file, or what the package URL
/// says that the reference is.
fn component_of(
    reading: &mut Reading<'_>,
    pointer: &str,
    components: &Components,
    reference: &str,
) -> Component {
    let within = reference
        .strip_prefix("urn:cdx:")
        .and_then(|link| link.split_once('#'))
        .map_or(reference, |(_, within)| within);
    let decoded = percent_decode(within);
    let mut known = [reference, within, &decoded]
        .into_iter()
        .filter_map(|reference| components.get(reference));
    if let Some(known) = known.next() {
        return known.clone();
    }
    let message = format!("No component has the reference {}.", title(reference));
    reading.problem(pointer, message);
    let url = [within, &*decoded]
        .into_iter()
        .find(|text| text.starts_with("pkg:"));
    Component {
        url: url.unwrap_or("").to_owned(),
        name: if url.is_some() {
            String::new()
        } else {
            within.to_owned()
        },
        ..Component::default()
    }
}

/// Takes the version from the versions of an affected component, where the component has none; all of them may be unaffected.
fn affected_versions(
    reading: &mut Reading<'_>,
    pointer: &str,
    target: &Loose<'_>,
    found: &mut Finding,
) {
    let versions = list(target, "versions", "version");
    if versions.is_empty() && target.has("versions") {
        let message = "The list of the versions of an affected component is empty.";
        reading.problem(pointer, message);
    }
    let mut affected = Vec::new();
    let mut n_unaffected = 0;
    for version in versions {
        if !version.is_object() {
            let message = "A version of an affected component is no object.";
            reading.problem(pointer, message);
            continue;
        }
        reading.known_state(pointer, version, "status", &["affected", "unaffected"]);
        if version.text("status") == "unaffected" {
            n_unaffected += 1;
        } else {
            affected.push(version.first_text(&["version", "range"]).into_owned());
        }
    }
    let are_all_unaffected = !versions.is_empty() && n_unaffected == versions.len();
    if are_all_unaffected && found.status == ScannerStatus::Open {
        found.status = ScannerStatus::NotAffected;
    }
    if found.component_version.is_none() && !affected.is_empty() {
        let name = found.component.clone().unwrap_or_default();
        let named = std::mem::replace(found, Finding::of("", found.severity, ""));
        *found = named.with_component(&name, &affected.join(", "));
    }
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
    let place = list(value.at("evidence"), "occurrences", "occurrence").first();
    let component = Component {
        url: value.text("purl").into_owned(),
        name: if group.is_empty() {
            name.into_owned()
        } else if group.starts_with('@') {
            format!("{group}/{name}")
        } else {
            format!("{group}:{name}")
        },
        version: value.text("version").into_owned(),
        path: place.map_or_else(String::new, |place| place.text("location").into_owned()),
    };
    let within = list(value, "vulnerabilities", "vulnerability");
    for (at, vulnerability) in within.iter().enumerate() {
        let pointer = format!("{pointer}/vulnerabilities/{at}");
        let found = finding(reading, &pointer, vulnerability, Some(&component));
        reading.add(found.with_vulnerability_title_of_id());
    }
    let mut n_within = within.len();
    // What refers to it may have the reference in another spelling, or the package URL in its place.
    let url = value.text("purl");
    let reference = value.first_text(&["bom-ref", "purl"]);
    for other in [
        percent_decode(&reference),
        percent_decode(&url),
        url.into_owned(),
    ] {
        if !other.is_empty() && other != reference {
            components.entry(other).or_insert_with(|| component.clone());
        }
    }
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
) -> Finding {
    let id = vulnerability.text("id");
    let (severity, score) = severity(reading, pointer, list(vulnerability, "ratings", "rating"));
    reading.known_state(pointer, vulnerability, "analysis/state", STATES);
    let status = match &*vulnerability.text("analysis/state") {
        "resolved" | "resolved_with_pedigree" => ScannerStatus::Fixed,
        "not_affected" => ScannerStatus::NotAffected,
        "false_positive" => ScannerStatus::Suppressed,
        "in_triage" => ScannerStatus::Review,
        _ => ScannerStatus::Open,
    };
    let nothing = Component::default();
    let component = component.unwrap_or(&nothing);
    let mut finding = Finding::of("", severity, pointer)
        .with_rule(&id)
        .with_id(&id)
        .with_description(&vulnerability.first_text(&["description", "detail"]))
        .with_message(&vulnerability.text("analysis/detail"))
        .with_remediation(&vulnerability.text("recommendation"))
        .with_component(&component.name, &component.version)
        .with_package_url(&component.url)
        .with_package_kind(&component.url)
        .with_path(&component.path)
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
    finding
}

impl Finding {
    /// The title by the id; by the CVE where the id says nothing to a person.
    fn with_vulnerability_title_of_id(self) -> Self {
        let id = self.rule.as_deref().unwrap_or("").to_owned();
        let is_uuid = id.len() == 36 && id.matches('-').count() == 4;
        let shown = match self.cve.first() {
            Some(cve) if is_uuid || id.is_empty() => cve.clone(),
            _ => id,
        };
        self.with_vulnerability_title(&shown, "")
    }
}

/// The states of an analysis.
const STATES: &[&str] = &[
    "resolved",
    "resolved_with_pedigree",
    "exploitable",
    "in_triage",
    "false_positive",
    "not_affected",
];

/// The severity of the best rating, and the score that is shown: of CVSS 3 or 4, else of the first that has one.
fn severity(
    reading: &mut Reading<'_>,
    pointer: &str,
    ratings: &[Loose<'_>],
) -> (Severity, Option<f64>) {
    let is_newer = |rating: &Loose<'_>| {
        let method = rating.text("method");
        let vector = rating.text("vector");
        let is_named = |text: &str, names: &[&str]| names.iter().any(|name| text.starts_with(name));
        is_named(&method, &["CVSSv3", "CVSSv4"]) || is_named(&vector, &["CVSS:3", "CVSS:4"])
    };
    let score_of = |rating: &Loose<'_>| {
        let scores = ["score", "score/base", "vector"].map(|key| score_of(rating.at(key)));
        scores.into_iter().flatten().next()
    };
    let newer = ratings.iter().filter(|rating| is_newer(rating));
    let best_newer = newer.filter_map(score_of).reduce(f64::max);
    let score = best_newer.or_else(|| ratings.iter().find_map(score_of));
    let mut worded = None;
    let mut first_odd = None;
    for rating in ratings {
        let word = rating.text("severity");
        match Severity::from_scanner_word(&word) {
            // Severities are declared from critical down.
            Some(severity) => {
                worded = Some(worded.map_or(severity, |known: Severity| known.min(severity)));
            }
            None if rating.has("severity") => {
                first_odd.get_or_insert_with(|| word.into_owned());
            }
            None => {}
        }
    }
    let of_newer = best_newer.map(Severity::from_cvss_score);
    let best = worded.into_iter().chain(of_newer).min();
    let best = best.or_else(|| score.map(Severity::from_cvss_score));
    let severity = match (best, first_odd) {
        (Some(best), odd) => {
            if let Some(odd) = odd {
                reading.unknown_word(pointer, "rating", &odd);
            }
            best
        }
        (None, odd) => reading.severity(pointer, odd.as_deref().unwrap_or("")),
    };
    (severity, score)
}
