//! Statements on whether products are affected: OpenVEX, and CSAF 2.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | OpenVEX: each product of each statement, or each of its `subcomponents` | one finding; the product is the scope of a subcomponent |
//! | OpenVEX: a statement without products | one finding, and a note |
//! | CSAF: each product in each list of a vulnerability's `product_status` | one finding |
//! | CSAF: a vulnerability without such | one finding, and a note |
//! | CSAF: `product_tree` | component and version from the package URL, else from the branches; of a relationship the component, whose product is the scope |
//! | affected | open; OpenVEX severity medium (it never rates), CSAF from the best score or word of that product, else unrated |
//! | under investigation, CSAF 2.1 `unknown` | to be reviewed |
//! | not affected, fixed | kept, with that status; OpenVEX severity info |
//! | a status that is not known | open, and told |
//! | CSAF: another version than 2 | refused |

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use holdpoint_domain::Severity;

use super::ratings::{package_without_version, score_of};
use super::reading::{Format, Reading, certain_if, object_with, vulnerability_title};
use crate::json::Loose;
use crate::text::title;
use crate::{Body, Category, Finding, ImportError, ScannerStatus};

pub const OPENVEX: Format = Format {
    name: "openvex",
    title: "OpenVEX JSON",
    tool: "OpenVEX",
    detect: |sniff| certain_if(object_with(sniff, &["@context", "statements"])),
    lists: &["statements"],
    read: read_openvex,
};

pub const CSAF: Format = Format {
    name: "csaf",
    title: "CSAF 2 JSON",
    tool: "CSAF",
    detect: |sniff| {
        certain_if(object_with(sniff, &["document"]) && sniff.text.contains("\"csaf_version\""))
    },
    lists: &[
        "vulnerabilities",
        "vulnerabilities/*/scores?",
        "vulnerabilities/*/scores?/*/products[]",
        "vulnerabilities/*/metrics?",
        "vulnerabilities/*/metrics?/*/products[]",
        "product_tree?/relationships?",
    ],
    read: read_csaf,
};

/// The statuses of OpenVEX.
const STATUSES: &[&str] = &["affected", "not_affected", "fixed", "under_investigation"];

/// What identifies a product or a part of one; without anything that does the scan is incomplete.
fn identifier<'v>(
    reading: &mut Reading<'_>,
    pointer: &str,
    product: &'v Loose<'_>,
) -> Cow<'v, str> {
    let names = [
        "@id",
        "identifiers/purl",
        "identifiers/cpe23",
        "identifiers/cpe22",
    ];
    // Texts in version 0.0.1.
    let mut id = product.own_text();
    if id.is_empty() {
        id = product.first_text(&names);
    }
    if id.is_empty()
        && let Some((algorithm, hash)) = product.entries("hashes").first()
    {
        id = format!("{algorithm}:{}", hash.own_text()).into();
    }
    if id.is_empty() {
        reading.incomplete(pointer, "a product or a part of one has no identifier");
    }
    id
}

impl Finding {
    /// The component that an identifier names.
    fn with_identified(self, id: &str) -> Self {
        let finding = self.with_package_url(id).with_package_kind(id);
        if finding.component.is_none() {
            finding.with_component(id, "")
        } else {
            finding
        }
    }
}

fn read_openvex(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let rest = reading.stream(
        text,
        &[&["statements", "*"]],
        &mut |reading, pointer, statement| {
            let (status, severity) = match &*statement.text("status") {
                "not_affected" => (ScannerStatus::NotAffected, Severity::Info),
                "fixed" => (ScannerStatus::Fixed, Severity::Info),
                "under_investigation" => (ScannerStatus::Review, Severity::Info),
                _ => (ScannerStatus::Open, Severity::Medium),
            };
            let id =
                statement.first_text(&["vulnerability/name", "vulnerability/@id", "vulnerability"]);
            reading.known_state(pointer, statement, "status", STATUSES);
            if !statement.has("status") {
                reading.unknown_word(pointer, "state", "");
            }
            let mut about = Finding::of("", severity, pointer)
                .with_rule(&id)
                .with_id(&id)
                .with_description(&statement.text("vulnerability/description"))
                .with_message(&statement.first_text(&[
                    "impact_statement",
                    "justification",
                    "status_notes",
                ]))
                .with_remediation(&statement.text("action_statement"))
                .with_status(status)
                .with_category(Category::Dependency);
            for alias in statement.each("vulnerability/aliases") {
                about = about.with_id(&alias.own_text());
            }
            let products = reading.optional_values(pointer, statement, "products")?;
            if products.is_empty() {
                let message = "The statement names no product.";
                reading.problem(pointer, message);
                reading.add(about.clone().with_vulnerability_title(&id, ""));
            }
            // In version 0.0.1 they belong to the statement.
            let common = reading.optional_values(pointer, statement, "subcomponents")?;
            for product in products {
                let own = if product.is_object() {
                    reading.optional_values(pointer, product, "subcomponents")?
                } else {
                    &[]
                };
                let product = identifier(reading, pointer, product);
                let parts: Vec<_> = own.iter().chain(common).collect();
                if parts.is_empty() {
                    let found = about.clone().with_identified(&product);
                    reading.add(found.with_vulnerability_title(&id, ""));
                }
                for part in parts {
                    let part = identifier(reading, pointer, part);
                    let found = about.clone().with_identified(&part).with_scope(&product);
                    let found = found.with_partial_fingerprint(&format!(
                        "{} in {}",
                        package_without_version(&part),
                        package_without_version(&product)
                    ));
                    reading.add(found.with_vulnerability_title(&id, ""));
                }
            }
            Ok(())
        },
    )?;
    reading.needs_list(&rest, "statements")?;
    reading.tool(&rest.first_text(&["tooling", "author"]), "");
    reading.scanned_at(&rest.first_text(&["last_updated", "timestamp"]));
    Ok(())
}

fn read_csaf(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let document = reading.json(text)?;
    let version = document.text("document/csaf_version");
    if !version.starts_with("2.") {
        return Err(ImportError::UnsupportedVersion {
            format: CSAF.name,
            found: crate::text::title(&version),
            supported: "2.0 and 2.1",
        });
    }
    let mut products = Products::new();
    let tree = document.at("product_tree");
    name_products(
        reading,
        "/product_tree",
        tree,
        &Named::default(),
        &mut products,
    )?;
    relate_products(tree, &mut products);
    reading.scanned_at(&document.text("document/tracking/current_release_date"));
    for (at, vulnerability) in document.each("vulnerabilities").iter().enumerate() {
        reading.needs_object(vulnerability, "")?;
        let pointer = format!("/vulnerabilities/{at}");
        let about = About::of(vulnerability, &pointer);
        let mut told = HashSet::new();
        let mut with_status = HashSet::new();
        for (list, _) in vulnerability.entries("product_status") {
            let status = match PRODUCT_LISTS.iter().find(|(name, _)| name == list) {
                Some((_, status)) => *status,
                None => {
                    reading.unknown_word(&pointer, "list of products", list);
                    Some(ScannerStatus::Open)
                }
            };
            let of = vulnerability.at("product_status");
            let place = format!("{pointer}/product_status");
            for product in reading.optional_values(&place, of, list)? {
                let id = product.own_text().into_owned();
                with_status.insert(id.clone());
                let Some(status) = status else {
                    continue;
                };
                // A product can be in `known_affected` and `last_affected` alike.
                if told.insert((id.clone(), status)) {
                    if !products.contains_key(&id) {
                        let message = format!("The product {} has no name.", title(&id));
                        reading.problem(&*pointer, message);
                    }
                    let found = about.finding(reading, &id, products.get(&id), status);
                    reading.add(found);
                }
            }
        }
        if with_status.is_empty() {
            let message = "The vulnerability says of no product whether it is affected.";
            reading.problem(&*pointer, message);
            let found = about.finding(reading, "", None, ScannerStatus::Open);
            reading.add(found);
        }
        let rated = about.scores_of.keys().chain(about.fixes_of.keys());
        let left_out = rated
            .filter(|id| !with_status.contains(&***id))
            .min()
            .filter(|_| !with_status.is_empty());
        if let Some(id) = left_out {
            let message = format!(
                "The product {} is rated, and nobody says whether it is affected.",
                title(id)
            );
            reading.problem(&*pointer, message);
        }
    }
    Ok(())
}

/// The lists of products that CSAF 2.0 and 2.1 have, in the order of meaning; what is recommended says nothing of a vulnerability.
const PRODUCT_LISTS: &[(&str, Option<ScannerStatus>)] = &[
    ("known_affected", Some(ScannerStatus::Open)),
    ("first_affected", Some(ScannerStatus::Open)),
    ("last_affected", Some(ScannerStatus::Open)),
    ("under_investigation", Some(ScannerStatus::Review)),
    ("unknown", Some(ScannerStatus::Review)),
    ("known_not_affected", Some(ScannerStatus::NotAffected)),
    ("fixed", Some(ScannerStatus::Fixed)),
    ("first_fixed", Some(ScannerStatus::Fixed)),
    ("recommended", None),
];

/// What the product tree says of a product.
#[derive(Clone, Default)]
struct Named {
    /// The whole name.
    name: String,
    url: String,
    /// Of the branches around.
    component: String,
    version: String,
    /// What a component is in.
    scope: String,
}

/// Products by their id.
type Products = HashMap<String, Named>;

/// Names products by their id, from branches at any depth (of which a file has at most [`crate::json::MOST_LEVELS`]) and the
/// flat list.
fn name_products(
    reading: &mut Reading<'_>,
    pointer: &str,
    value: &Loose<'_>,
    around: &Named,
    products: &mut Products,
) -> Result<(), ImportError> {
    let mut around = around.clone();
    let name = value.text("name").into_owned();
    match &*value.text("category") {
        "product_name" => around.component = name,
        "product_version" => around.version = name,
        _ => {}
    }
    let listed = reading.optional_list(pointer, value, "full_product_names")?;
    let listed = listed.iter().enumerate();
    let listed = listed.map(|(at, product)| (format!("/full_product_names/{at}"), product));
    let own = ("/product".to_owned(), value.at("product"));
    for (place, product) in std::iter::once(own).chain(listed) {
        let id = product.text("product_id");
        if id.is_empty() {
            continue;
        }
        let helper = product.at("product_identification_helper");
        let place = format!("{pointer}{place}/product_identification_helper");
        // Version 2.1 has several package URLs, of one package.
        let urls = reading.optional_values(&place, helper, "purls")?;
        let url = std::iter::once(helper.text("purl"))
            .chain(urls.iter().map(Loose::own_text))
            .find(|url| !url.is_empty());
        let named = Named {
            name: product.text("name").into_owned(),
            url: url.unwrap_or_default().into_owned(),
            ..around.clone()
        };
        products.insert(id.into_owned(), named);
    }
    let branches = reading.optional_list(pointer, value, "branches")?;
    for (at, branch) in branches.iter().enumerate() {
        let pointer = format!("{pointer}/branches/{at}");
        name_products(reading, &pointer, branch, &around, products)?;
    }
    Ok(())
}

/// Names the products that are one in another: the component is the first, and its scope the second.
fn relate_products(tree: &Loose<'_>, products: &mut Products) {
    for relationship in tree.each("relationships") {
        let product = relationship.at("full_product_name");
        let id = product.text("product_id");
        if id.is_empty() {
            continue;
        }
        let component = products.get(&*relationship.text("product_reference"));
        let whole = products.get(&*relationship.text("relates_to_product_reference"));
        let mut named = component.cloned().unwrap_or_default();
        named.scope = whole.map_or_else(String::new, |whole| whole.name.clone());
        // Without branches or package URL the component's own whole name says which it is.
        if named.component.is_empty() {
            named.component = std::mem::take(&mut named.name);
        }
        named.name = product.text("name").into_owned();
        products.insert(id.into_owned(), named);
    }
}

/// A vulnerability of a CSAF document, looked through once: it can be of thousands of products.
struct About<'v, 'a> {
    id: Cow<'v, str>,
    title: Cow<'v, str>,
    /// What holds for all products.
    finding: Finding,
    scores_of: HashMap<Cow<'v, str>, Vec<&'v Loose<'a>>>,
    /// Words of the impact, by product; the empty one holds for all.
    words_of: HashMap<Cow<'v, str>, Cow<'v, str>>,
    fixes_of: HashMap<Cow<'v, str>, Vec<Cow<'v, str>>>,
}

impl<'v, 'a> About<'v, 'a> {
    fn of(vulnerability: &'v Loose<'a>, pointer: &str) -> Self {
        let mut scores_of: HashMap<_, Vec<_>> = HashMap::new();
        for score in vulnerability.each("scores") {
            for product in score.each("products") {
                scores_of.entry(product.own_text()).or_default().push(score);
            }
        }
        for metric in vulnerability.each("metrics") {
            for product in metric.each("products") {
                let scores = scores_of.entry(product.own_text()).or_default();
                scores.push(metric.at("content"));
            }
        }
        let mut words_of = HashMap::new();
        for threat in vulnerability.each("threats") {
            if threat.text("category") == "impact" {
                let words = threat.text("details");
                for product in threat.each("product_ids") {
                    words_of.insert(product.own_text(), words.clone());
                }
                if !threat.has("product_ids") {
                    words_of.insert("".into(), words);
                }
            }
        }
        let mut fixes_of: HashMap<_, Vec<_>> = HashMap::new();
        for fix in vulnerability.each("remediations") {
            for product in fix.each("product_ids") {
                let fixes = fixes_of.entry(product.own_text()).or_default();
                fixes.push(fix.text("details"));
            }
        }
        let notes = vulnerability.each("notes").iter();
        let notes: Vec<_> = notes.map(|note| note.text("text")).collect();
        let id = vulnerability.first_text(&["cve", "title"]);
        let mut finding = Finding::of(&id, Severity::Medium, pointer)
            .with_rule(&id)
            .with_description(&notes.join("\n"))
            .with_cwe(vulnerability.at("cwe/id"))
            .with_category(Category::Dependency);
        // Version 2.1 has several.
        for cwe in vulnerability.each("cwes") {
            finding = finding.with_cwe(cwe.at("id"));
        }
        for known in vulnerability.each("ids") {
            finding = finding.with_id(&known.text("text"));
        }
        for reference in vulnerability.each("references") {
            finding = finding.with_link(&reference.text("url"));
        }
        Self {
            id,
            title: vulnerability.text("title"),
            finding,
            scores_of,
            words_of,
            fixes_of,
        }
    }

    fn finding(
        &self,
        reading: &mut Reading<'_>,
        product: &str,
        named: Option<&Named>,
        status: ScannerStatus,
    ) -> Finding {
        let scores = self.scores_of.get(product).map_or(&[][..], Vec::as_slice);
        let of = |keys: &[&str]| {
            let values = scores
                .iter()
                .flat_map(|score| keys.iter().map(|key| score.at(key)));
            let numbers = values.filter_map(|cvss| {
                let score = score_of(cvss.at("baseScore"));
                score.or_else(|| score_of(cvss.at("vectorString")))
            });
            numbers.reduce(f64::max)
        };
        let score = of(&["cvss_v4", "cvss_v3"]).or_else(|| of(&["cvss_v2"]));
        let keys = [
            "cvss_v4/baseSeverity",
            "cvss_v3/baseSeverity",
            "qualitative_severity_rating",
        ];
        let words = scores.iter().flat_map(|of| keys.map(|key| of.text(key)));
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        let known = words
            .iter()
            .filter_map(|word| Severity::from_scanner_word(word));
        // Severities are declared from critical down.
        let known = known.min();
        let is_odd = |word: &&Cow<'_, str>| Severity::from_scanner_word(word).is_none();
        let odd = words.iter().find(is_odd);
        let impact = [product, ""].iter().find_map(|id| self.words_of.get(*id));
        let impact = impact.and_then(|word| Severity::from_scanner_word(word));
        let pointer = self.finding.pointer.clone();
        let severity = match (known, odd, score) {
            (Some(known), odd, _) => {
                if let Some(odd) = odd {
                    reading.unknown_word(&pointer, "rating", odd);
                }
                known
            }
            (None, odd, Some(score)) => {
                // A vector of version 2 has no word.
                if let Some(odd) = odd {
                    reading.unknown_word(&pointer, "rating", odd);
                } else if of(&["cvss_v4", "cvss_v3"]).is_some() {
                    reading.unknown_word(&pointer, "rating", "");
                }
                Severity::from_cvss_score(score)
            }
            (None, odd, None) => match impact {
                Some(impact) => {
                    let message = "There is no score; the word of its impact counts.";
                    reading.problem(&*pointer, message);
                    impact
                }
                None => reading.severity(&pointer, odd.map_or("", |odd| odd)),
            },
        };
        let fixes = self.fixes_of.get(product).map_or(&[][..], Vec::as_slice);
        let mut finding = self.finding.clone();
        finding.severity = severity;
        let unnamed = Named::default();
        let named = named.unwrap_or(&unnamed);
        let name = if named.name.is_empty() {
            product
        } else {
            &named.name
        };
        let mut finding = finding
            .with_title(&vulnerability_title(&self.id, name, "", &self.title))
            .with_remediation(&fixes.join("\n"))
            .with_package_url(&named.url)
            .with_scope(&named.scope)
            .with_status(status)
            .with_score(score);
        if finding.component.is_none() {
            finding = if named.component.is_empty() {
                finding.with_component(name, "")
            } else {
                finding.with_component(&named.component, &named.version)
            };
        }
        // One component can be in several products, and of several platforms.
        finding.with_partial_fingerprint(name)
    }
}
