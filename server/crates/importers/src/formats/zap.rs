//! OWASP ZAP, XML and JSON (traditional and traditional plus).
//!
//! The JSON is that of zaproxy/zap-extensions, addOns/reports, `traditional-json` and `traditional-json-plus`; older versions wrote
//! one site as an object.
//!
//! | in the file | what becomes of it |
//! |---|---|
//! | each alert of each `site` | one finding; its instances are places of it |
//! | `riskcode` | 3 high, 2 medium, 1 low, 0 info; another one: the word of `riskdesc`, which is told |
//! | `confidence` 0 | suppressed: somebody has called it a false positive |
//! | no site, a site without `alerts` | nothing was looked at: the scan is incomplete |
//! | a `count` above the listed instances, where there is one site only | the scan is incomplete; of several sites older versions counted all of them |
//! | `afPlanErrors`, steps of `sequences` that did not pass, warnings that say so | the scan is incomplete |

use holdpoint_domain::Severity;

use super::reading::{Format, Reading, certain_if, object_with, root_is, says_unfinished};
use crate::json::Loose;
use crate::text::{clean_line, is_url, normal_path};
use crate::{Body, Category, Confidence, Finding, ImportError, Place, ScannerStatus, Sniff};

pub const ZAP: Format = Format {
    name: "zap",
    title: "OWASP ZAP XML or JSON",
    tool: "zap",
    detect,
    lists: &[
        "sequences?",
        "sequences?/*/steps",
        "afPlanErrors?[]",
        "afPlanWarns?[]",
    ],
    read,
};

/// So many places of one alert are kept.
const MOST_PLACES: usize = 100;

fn detect(sniff: &Sniff<'_>) -> Confidence {
    let is_json =
        object_with(sniff, &["@version", "site"]) || object_with(sniff, &["@programName", "site"]);
    // GitLab's report of DAST keeps what ZAP has written beside its own lists.
    let is_json = is_json && !sniff.has_key("vulnerabilities");
    certain_if(is_json || root_is(sniff, "OWASPZAPReport"))
}

fn read(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    if text.begins_with('<') {
        read_xml(reading, text)
    } else {
        read_json(reading, text)
    }
}

fn read_xml(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let report = reading.xml(text, "OWASPZAPReport")?;
    reading.tool("", &report.text("version"));
    reading.scanned_at(&report.text("generated"));
    let sites = report.each("site");
    for site in sites {
        let host = site.text("name");
        reading.needs_any(&format!("site {host}"), site, &["alerts"]);
        for (at, alert) in site.each("alerts/alertitem").iter().enumerate() {
            let pointer = format!("site {host}, alertitem {at}");
            let instances = alert.each("instances/instance");
            let found = finding(reading, &pointer, &host, alert, instances);
            reading.add(found);
        }
    }
    tell_sites(reading, sites, "name");
    Ok(())
}

fn read_json(reading: &mut Reading<'_>, text: Body<'_>) -> Result<(), ImportError> {
    let report = reading.json(text)?;
    reading.tool("", &report.text("@version"));
    reading.scanned_at(&report.first_text(&["created", "@generated"]));
    let is_one = report.at("site").has("@name");
    let sites = if is_one {
        report.each("site")
    } else {
        reading.needed_list("", &report, "site")?
    };
    for (s, site) in sites.iter().enumerate() {
        let place = if is_one {
            "/site".to_owned()
        } else {
            format!("/site/{s}")
        };
        reading.needs_object(site, "")?;
        let host = site.text("@name");
        for (at, alert) in reading
            .needed_list(&place, site, "alerts")?
            .iter()
            .enumerate()
        {
            let pointer = format!("{place}/alerts/{at}");
            reading.needs_object(alert, "")?;
            let instances = reading.needed_list(&pointer, alert, "instances")?;
            if let [_] = sites {
                reading.declared(&pointer, alert.number("count"), instances.len());
            }
            let found = finding(reading, &pointer, &host, alert, instances);
            reading.add(found);
        }
    }
    tell_sites(reading, sites, "@name");
    for error in report.each("afPlanErrors") {
        reading.incomplete("/afPlanErrors", &error.own_texts());
    }
    for warning in report.each("afPlanWarns") {
        let words = warning.own_texts();
        if says_unfinished(&words) {
            reading.incomplete("/afPlanWarns", &words);
        } else {
            reading.problem("/afPlanWarns", words);
        }
    }
    for sequence in report.each("sequences") {
        let steps = sequence.each("steps").iter();
        if let Some(step) = steps.into_iter().find(|step| !step.flag("pass")) {
            let said = format!(
                "a step of the sequence {} did not pass: {}",
                sequence.text("name"),
                step.text("resultDetails")
            );
            reading.incomplete("/sequences", &said);
        }
    }
    Ok(())
}

fn tell_sites(reading: &mut Reading<'_>, sites: &[Loose<'_>], name: &str) {
    match sites {
        [] => reading.nothing_looked_at("site", "no site"),
        [site] => reading.target(&site.text(name)),
        _ => {}
    }
}

fn finding(
    reading: &mut Reading<'_>,
    pointer: &str,
    host: &str,
    alert: &Loose<'_>,
    instances: &[Loose<'_>],
) -> Finding {
    let severity = match &*alert.text("riskcode") {
        "3" => Severity::High,
        "2" => Severity::Medium,
        "1" => Severity::Low,
        "0" => Severity::Info,
        // `High (Medium)`: the risk, and how sure it is.
        word => {
            let said = alert.text("riskdesc");
            let said = said.split(' ').next().unwrap_or("");
            reading.unknown_word(pointer, "riskcode", word);
            reading.severity(pointer, said)
        }
    };
    let places = instances.iter().take(MOST_PLACES).map(|instance| Place {
        path: address(&instance.text("uri")),
        message: Some(clean_line(&format!(
            "{} {}",
            instance.text("method"),
            instance.text("param")
        ))),
        ..Place::default()
    });
    let mut finding = Finding::of(
        &plain(&alert.first_text(&["alert", "name"])),
        severity,
        pointer,
    )
    .with_rule(&alert.first_text(&["alertRef", "pluginid"]))
    .with_rule_name(&alert.text("name"))
    .with_description(&plain(&alert.text("desc")))
    .with_remediation(&plain(&alert.text("solution")))
    .with_cwe(alert.at("cweid"))
    .with_scope(host)
    .with_category(Category::Web);
    let links = plain(&alert.text("reference"));
    finding = links.split_whitespace().fold(finding, Finding::with_link);
    if alert.text("confidence") == "0" {
        // "False positive", as somebody has said in ZAP.
        finding.status = ScannerStatus::Suppressed;
    }
    finding.related = places.collect();
    finding
}

/// An address of the web as it is; anything else can only be a path.
fn address(text: &str) -> Option<String> {
    let text = clean_line(text);
    let address = if is_url(&text) {
        text
    } else {
        normal_path(&text, None)
    };
    (!address.is_empty()).then_some(address)
}

/// ZAP writes paragraphs as HTML.
fn plain(text: &str) -> String {
    text.replace("<p>", "").replace("</p>", "\n")
}
