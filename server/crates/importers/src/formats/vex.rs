//! Statements on whether products are affected: OpenVEX, and CSAF 2.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | OpenVEX: each product of each statement | one finding |
//! | CSAF: each product in each list of a vulnerability's `product_status` | one finding |
//! | affected | open; OpenVEX severity medium (it has none), CSAF from the score of that product, else medium |
//! | under investigation | to be reviewed |
//! | not affected, fixed | kept, with that status; OpenVEX severity info |
//! | CSAF: another version than 2 | refused |

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use holdpoint_domain::Severity;

use super::cvss::base_score;
use super::reading::{Format, Reading, certain_if, object_with, vulnerability_title};
use crate::json::Loose;
use crate::{Body, Category, Finding, ImportError, ScannerStatus};

pub const OPENVEX: Format = Format {
    name: "openvex",
    title: "OpenVEX JSON",
    tool: "OpenVEX",
    detect: |sniff| certain_if(object_with(sniff, &["@context", "statements"])),
    lists: &[],
    read: read_openvex,
};

pub const CSAF: Format = Format {
    name: "csaf",
    title: "CSAF 2 JSON",
    tool: "CSAF",
    detect: |sniff| {
        certain_if(object_with(sniff, &["document"]) && sniff.text.contains("\"csaf_version\""))
    },
    lists: &[],
    read: read_csaf,
};

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
            for product in statement.each("products") {
                let product_id = product.first_text(&["@id", "identifiers/purl"]);
                let product_id = if product_id.is_empty() {
                    product.own_text()
                } else {
                    product_id
                };
                let mut finding = Finding::of("", severity, pointer)
                    .with_rule(&id)
                    .with_id(&id)
                    .with_description(&statement.text("vulnerability/description"))
                    .with_message(&statement.first_text(&[
                        "impact_statement",
                        "justification",
                        "status_notes",
                    ]))
                    .with_remediation(&statement.text("action_statement"))
                    .with_package_url(&product_id)
                    .with_status(status)
                    .with_category(Category::Dependency);
                if finding.component.is_none() {
                    finding = finding.with_component(&product_id, "");
                }
                for alias in statement.each("vulnerability/aliases") {
                    finding = finding.with_id(&alias.own_text());
                }
                reading.add(finding.with_vulnerability_title(&id, ""));
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
    let mut products = HashMap::new();
    name_products(document.at("product_tree"), &mut products, 0);
    reading.scanned_at(&document.text("document/tracking/current_release_date"));
    let lists = [
        ("known_affected", ScannerStatus::Open),
        ("first_affected", ScannerStatus::Open),
        ("last_affected", ScannerStatus::Open),
        ("under_investigation", ScannerStatus::Review),
        ("known_not_affected", ScannerStatus::NotAffected),
        ("fixed", ScannerStatus::Fixed),
        ("first_fixed", ScannerStatus::Fixed),
    ];
    for (at, vulnerability) in document.each("vulnerabilities").iter().enumerate() {
        reading.needs_object(vulnerability, "")?;
        let about = About::of(vulnerability, &format!("/vulnerabilities/{at}"));
        let mut told = HashSet::new();
        for (list, status) in lists {
            for product in vulnerability
                .each("product_status")
                .iter()
                .flat_map(|s| s.each(list))
            {
                let id = product.own_text().into_owned();
                // A product can be in `known_affected` and `last_affected` alike.
                if told.insert((id.clone(), status)) {
                    let name = products.get(&id).unwrap_or(&id);
                    reading.add(about.finding(&id, name, status));
                }
            }
        }
    }
    Ok(())
}

/// Names of products by their id, from branches at any depth, relationships and the flat list.
fn name_products(value: &Loose<'_>, products: &mut HashMap<String, String>, depth: usize) {
    if depth > crate::json::MOST_LEVELS {
        return;
    }
    let mut add = |product: &Loose<'_>| {
        let id = product.text("product_id");
        if !id.is_empty() {
            products.insert(id.into_owned(), product.text("name").into_owned());
        }
    };
    add(value.at("product"));
    value.each("full_product_names").iter().for_each(&mut add);
    value
        .each("relationships")
        .iter()
        .for_each(|relationship| add(relationship.at("full_product_name")));
    for branch in value.each("branches") {
        name_products(branch, products, depth + 1);
    }
}

/// A vulnerability of a CSAF document, looked through once: it can be of thousands of products.
struct About<'v, 'a> {
    id: Cow<'v, str>,
    title: Cow<'v, str>,
    /// What holds for all products.
    finding: Finding,
    score_of: HashMap<Cow<'v, str>, &'v Loose<'a>>,
    fixes_of: HashMap<Cow<'v, str>, Vec<Cow<'v, str>>>,
}

impl<'v, 'a> About<'v, 'a> {
    fn of(vulnerability: &'v Loose<'a>, pointer: &str) -> Self {
        let mut score_of = HashMap::new();
        for score in vulnerability.each("scores") {
            for product in score.each("products") {
                score_of.entry(product.own_text()).or_insert(score);
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
            score_of,
            fixes_of,
        }
    }

    fn finding(&self, product: &str, name: &str, status: ScannerStatus) -> Finding {
        let nothing = Loose::Null;
        let scores = self.score_of.get(product).copied().unwrap_or(&nothing);
        let score = scores
            .number("cvss_v4/baseScore")
            .or_else(|| scores.number("cvss_v3/baseScore"))
            .or_else(|| base_score(&scores.text("cvss_v3/vectorString")));
        let word = scores.first_text(&["cvss_v4/baseSeverity", "cvss_v3/baseSeverity"]);
        let severity =
            Severity::from_scanner_word(&word).or_else(|| score.map(Severity::from_cvss_score));
        let fixes = self.fixes_of.get(product).map_or(&[][..], Vec::as_slice);
        let mut finding = self.finding.clone();
        finding.severity = severity.unwrap_or(Severity::Medium);
        finding
            .with_title(&vulnerability_title(&self.id, name, "", &self.title))
            .with_remediation(&fixes.join("\n"))
            .with_component(name, "")
            .with_status(status)
            .with_score(score)
    }
}
