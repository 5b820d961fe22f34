//! SPDX 3, JSON-LD, with the security profile: vulnerabilities, what they affect, and how they are assessed.
//!
//! Source: SPDX specification 3.0.1 and 3.1, model/Security (`Vulnerability`, `Cvss…VulnAssessmentRelationship`,
//! `Vex…VulnAssessmentRelationship`) and model/Core (`Relationship`).
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | a VEX relationship, `hasAssociatedVulnerability`, `affects` | one finding for each vulnerability and package (the assessed element, else the product) |
//! | `VexNotAffected…`, `VexFixed…`, `VexUnderInvestigation…` | not affected with its reason, fixed, a person is asked to look |
//! | `Cvss…` | the severity that says most of those of the vulnerability: its word, else its score or vector; none: unrated |
//! | a vulnerability that is linked to nothing | one finding without a package, and the scan is incomplete |
//! | no vulnerability | an inventory: nobody has looked, so the scan is incomplete |
//! | version other than 3 | refused |

use std::collections::{BTreeMap, HashMap, HashSet};

use holdpoint_domain::Severity;

use super::ratings::score_of;
use super::reading::{Format, Reading, certain_if, object_with};
use crate::json::Loose;
use crate::{Body, Category, Confidence, Finding, ImportError, ScannerStatus, Sniff};

pub const SPDX3: Format = Format {
    name: "spdx3",
    title: "SPDX 3 JSON-LD",
    tool: "SPDX",
    detect,
    lists: &["@graph"],
    read,
};

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let has_context =
        || sniff.text.contains("spdx.org/rdf/3") || sniff.text.contains("spdx-context");
    certain_if(object_with(sniff, &["@context", "@graph"]) && has_context())
}

/// What is said of a vulnerability in a package.
struct Said<'v> {
    pointer: String,
    status: ScannerStatus,
    reason: String,
    action: String,
    product: Option<&'v str>,
}

/// Milder states say less than worse ones.
const fn rank(status: ScannerStatus) -> u8 {
    match status {
        ScannerStatus::Open => 1,
        ScannerStatus::Review => 2,
        _ => 3,
    }
}

/// The type of an element without its namespace.
fn kind_of<'v>(element: &'v Loose<'_>) -> std::borrow::Cow<'v, str> {
    let kind = element.first_text(&["type", "@type"]);
    match kind.rsplit_once(['_', '/', ':']) {
        Some((_, kind)) => kind.to_owned().into(),
        None => kind,
    }
}

fn id_of<'v>(element: &'v Loose<'_>) -> std::borrow::Cow<'v, str> {
    element.first_text(&["spdxId", "@id"])
}

/// A property of the security profile, with or without its namespace.
fn own<'v>(element: &'v Loose<'_>, name: &str) -> std::borrow::Cow<'v, str> {
    element.first_text(&[&format!("security_{name}"), name])
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let whole = reading.json(text)?;
    let graph = reading.needs_list(&whole, "@graph")?;
    let by_id: HashMap<String, &Loose<'_>> = graph
        .iter()
        .map(|element| (id_of(element).into_owned(), element))
        .collect();
    for element in graph {
        if kind_of(element) == "CreationInfo" {
            let version = element.text("specVersion");
            if !version.starts_with("3.") {
                let message = format!("version {version:?} of SPDX is not read here; 3 is.");
                return Err(reading.broken("$.@graph", message));
            }
            reading.scanned_at(&element.text("created"));
        }
        if kind_of(element) == "SpdxDocument" {
            let roots = element.each("rootElement");
            if let [root] = roots {
                let root = root.own_text();
                let named = by_id.get(&*root).map(|root| root.text("name"));
                reading.target(&named.unwrap_or_default());
            }
        }
    }
    let (ratings, mut said) = assessed(reading, graph)?;
    let linked: HashSet<String> = said.keys().map(|(id, _)| id.clone()).collect();
    for (at, element) in graph.iter().enumerate() {
        let id = id_of(element).into_owned();
        if kind_of(element) == "Vulnerability" && !linked.contains(&id) {
            let pointer = format!("/@graph/{at}");
            reading.incomplete(&*pointer, "a vulnerability is linked to no package");
            let alone = Said {
                pointer,
                status: ScannerStatus::Open,
                reason: String::new(),
                action: String::new(),
                product: None,
            };
            said.insert((id, String::new()), alone);
        }
    }
    if said.is_empty() {
        let reason = "this is an inventory; nobody has looked for vulnerabilities";
        reading.incomplete("/@graph", reason);
    }
    for ((vulnerability, package), said) in said {
        let finding = finding(reading, &by_id, &ratings, &vulnerability, &package, said)?;
        reading.add(finding);
    }
    Ok(())
}

type Ratings = HashMap<String, (Severity, Option<f64>)>;
type Statements<'v> = BTreeMap<(String, String), Said<'v>>;

/// The ratings of vulnerabilities, and what is said of them in packages.
fn assessed<'v>(
    reading: &mut Reading<'_>,
    graph: &'v [Loose<'_>],
) -> Result<(Ratings, Statements<'v>), ImportError> {
    let mut ratings: Ratings = HashMap::new();
    let mut statements: Statements<'v> = BTreeMap::new();
    for (at, element) in graph.iter().enumerate() {
        let pointer = format!("/@graph/{at}");
        let kind = kind_of(element).into_owned();
        let from = element.text("from").into_owned();
        if kind.starts_with("Cvss") {
            let word = own(element, "severity");
            let score = [own(element, "score"), own(element, "vectorString")];
            let score = score
                .iter()
                .find_map(|text| score_of(&Loose::Text(text.as_ref().into())));
            let severity = reading.rated(&pointer, &word, score);
            let known = ratings.entry(from).or_insert((severity, score));
            // The worst is first in order.
            known.0 = known.0.min(severity);
            known.1 = known.1.or(score);
            continue;
        }
        let status = match kind.as_str() {
            "VexAffectedVulnAssessmentRelationship" => ScannerStatus::Open,
            "VexNotAffectedVulnAssessmentRelationship" => ScannerStatus::NotAffected,
            "VexFixedVulnAssessmentRelationship" => ScannerStatus::Fixed,
            "VexUnderInvestigationVulnAssessmentRelationship" => ScannerStatus::Review,
            "Relationship" => match &*element.text("relationshipType") {
                "hasAssociatedVulnerability" | "affects" => ScannerStatus::Open,
                "doesNotAffect" => ScannerStatus::NotAffected,
                "fixedIn" => ScannerStatus::Fixed,
                _ => continue,
            },
            kind if kind.starts_with("Vex") => {
                reading.unknown_word(&pointer, "type", kind);
                ScannerStatus::Open
            }
            _ => continue,
        };
        let to = reading.needed_values(&pointer, element, "to")?;
        let is_from_package = element.text("relationshipType") == "hasAssociatedVulnerability";
        let assessed = own(element, "assessedElement");
        for end in to {
            let end_text = match end {
                Loose::Text(text) => text.as_ref(),
                _ => return Err(reading.broken(&pointer, "a text is required here.")),
            };
            let (vulnerability, package) = match () {
                () if is_from_package => (end_text.to_owned(), from.clone()),
                () if assessed.is_empty() => (from.clone(), end_text.to_owned()),
                () => (from.clone(), assessed.to_string()),
            };
            let is_product = !is_from_package && !assessed.is_empty();
            let new = Said {
                pointer: pointer.clone(),
                status,
                reason: [
                    own(element, "justificationType"),
                    own(element, "impactStatement"),
                ]
                .iter()
                .filter(|text| !text.is_empty())
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(": "),
                action: own(element, "actionStatement").into_owned(),
                product: is_product.then_some(end_text),
            };
            let is_vex = kind.starts_with("Vex");
            match statements.entry((vulnerability, package)) {
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert(new);
                }
                // A statement of VEX says more than that there is a link; of two of them the worse counts.
                std::collections::btree_map::Entry::Occupied(mut entry) => {
                    let before = entry.get();
                    let was_link = before.action.is_empty()
                        && before.product.is_none()
                        && before.reason.is_empty()
                        && kind_of(&graph[index_of(&before.pointer)]) == "Relationship";
                    if is_vex && (was_link || rank(new.status) < rank(before.status)) {
                        entry.insert(new);
                    }
                }
            }
        }
    }
    Ok((ratings, statements))
}

/// The number of an element of the graph in its pointer.
fn index_of(pointer: &str) -> usize {
    let number = pointer.rsplit('/').next();
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn finding(
    reading: &mut Reading<'_>,
    by_id: &HashMap<String, &Loose<'_>>,
    ratings: &Ratings,
    vulnerability: &str,
    package: &str,
    said: Said<'_>,
) -> Result<Finding, ImportError> {
    let null = &Loose::Null;
    let about = by_id.get(vulnerability).copied().unwrap_or(null);
    let identifiers = reading.optional_list(&said.pointer, about, "externalIdentifier")?;
    let cve = identifiers
        .iter()
        .find(|one| one.text("externalIdentifierType").contains("cve"))
        .or(identifiers.first());
    let id = cve.map_or("".into(), |one| one.text("identifier"));
    let id = if id.is_empty() {
        about.text("name")
    } else {
        id
    };
    let id = if id.is_empty() {
        reading.unknown_word(&said.pointer, "name of a vulnerability", "");
        vulnerability.into()
    } else {
        id
    };
    let (severity, score) = match ratings.get(vulnerability) {
        Some(rating) => *rating,
        None => (reading.severity(&said.pointer, ""), None),
    };
    let holder = by_id.get(package).copied().unwrap_or(null);
    let version = holder.first_text(&["software_packageVersion", "packageVersion"]);
    let url = holder.first_text(&["software_packageUrl", "packageUrl"]);
    let name = holder.text("name");
    let product = said.product.map(|product| {
        by_id
            .get(product)
            .map_or(product.into(), |product| product.text("name"))
    });
    let mut finding = Finding::of("", severity, &said.pointer)
        .with_rule(&id)
        .with_component(if name.is_empty() { package } else { &name }, &version)
        .with_package_url(&url)
        .with_vulnerability_title(&id, &about.text("summary"))
        .with_description(&about.text("description"))
        .with_remediation(&said.action)
        .with_scope(&product.unwrap_or_default())
        .with_package_kind(&url)
        .with_score(score)
        .with_status(said.status)
        .with_category(Category::Dependency);
    for identifier in identifiers {
        finding = finding.with_id(&identifier.text("identifier"));
    }
    for reference in about.each("externalRef") {
        for locator in reference.each("locator") {
            finding = finding.with_link(&locator.own_text());
        }
    }
    if said.status == ScannerStatus::NotAffected {
        finding = finding.with_suppression_reason(&said.reason);
    }
    Ok(finding)
}
