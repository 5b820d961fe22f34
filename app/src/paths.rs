//! Every address of the interface, so that a link and its route cannot drift apart.
//!
//! Ids and slugs go in as text: they are made of letters, digits and hyphens only, and anything else is percent-encoded,
//! so that no value can lead out of its segment.

use std::fmt::Write as _;

/// All services with their reviews.
pub const HOME: &str = "/";
pub const SIGN_IN: &str = "/sign-in";
pub const ACCOUNT: &str = "/account";
pub const PEOPLE: &str = "/people";
pub const TEMPLATES: &str = "/templates";
pub const INBOX: &str = "/inbox";
pub const SEARCH: &str = "/search";
pub const VERIFY: &str = "/verify";
/// Where theme and shortcuts are chosen (a form posts here).
pub const PREFERENCES: &str = "/preferences";
/// Where all server functions live.
pub const ACTIONS: &str = "/act";

pub fn service(slug: &str) -> String {
    under("/services", slug, "")
}
pub fn service_people(slug: &str) -> String {
    under("/services", slug, "/people")
}
pub fn new_review(slug: &str) -> String {
    under("/services", slug, "/new-review")
}
pub const NEW_SERVICE: &str = "/services/new";
pub const SERVICES: &str = "/services";
pub fn service_settings(slug: &str) -> String {
    under("/services", slug, "/settings")
}
/// Where the people of the sample and their passwords are shown once.
pub const SAMPLE: &str = "/sample";

/// Where a form is sent to, by its name: `items/step`.
pub fn action(form: &str) -> String {
    format!("{ACTIONS}/{form}")
}

/// A review opens with its readiness: the verdict and its reasons.
pub fn review(id: &str) -> String {
    under("/reviews", id, "")
}
pub fn checklist(review: &str) -> String {
    under("/reviews", review, "/checklist")
}
pub fn findings(review: &str) -> String {
    under("/reviews", review, "/findings")
}
/// The list as a file: `csv` or `sarif`, of what the query asks for.
pub fn findings_file(review: &str, form: &str, query: &str) -> String {
    let path = under("/reviews", review, &format!("/findings/export.{form}"));
    if query.is_empty() {
        path
    } else {
        format!("{path}?{query}")
    }
}
/// What follows the question mark of an address.
pub fn query_of(address: &str) -> String {
    let after = address.split_once('?').map(|(_, query)| query);
    after.unwrap_or_default().to_owned()
}
pub fn new_finding(review: &str) -> String {
    under("/reviews", review, "/findings/new")
}
/// Deciding about several ticked findings at once.
pub fn triage_many(review: &str) -> String {
    under("/reviews", review, "/findings/triage")
}
/// Decisions about several findings, and taking one back.
pub fn decisions(review: &str) -> String {
    under("/reviews", review, "/findings/decisions")
}
/// The rules that map findings to items.
pub fn mapping(review: &str) -> String {
    under("/reviews", review, "/mapping")
}
/// What applying the mapping rules would change.
pub fn mapping_plan(review: &str) -> String {
    under("/reviews", review, "/mapping/apply")
}
/// The form that changes a mapping rule.
pub fn edit_mapping_rule(review: &str, rule: &str) -> String {
    format!(
        "{}/{}",
        under("/reviews", review, "/mapping/rules"),
        segment(rule)
    )
}
pub fn scans(review: &str) -> String {
    under("/reviews", review, "/scans")
}
/// Where scanner files are posted to, to see what importing them would change.
pub fn scan_upload(review: &str) -> String {
    under("/reviews", review, "/scans/upload")
}
/// How far imports are that a person has begun.
pub fn scans_running(review: &str, id: &str) -> String {
    format!(
        "{}/{}",
        under("/reviews", review, "/scans/running"),
        segment(id)
    )
}
/// What importing an uploaded file would change, before it is saved.
pub fn scan_preview(review: &str, preview: &str) -> String {
    format!(
        "{}/{}",
        under("/reviews", review, "/scans/preview"),
        segment(preview)
    )
}
pub fn patches(review: &str) -> String {
    under("/reviews", review, "/patches")
}
/// The form that submits a patch.
pub fn new_patch(review: &str) -> String {
    under("/reviews", review, "/patches/new")
}
/// The same form with a finding chosen already.
pub fn new_patch_for_finding(review: &str, finding: &str) -> String {
    with_query(&new_patch(review), &[("finding", finding)])
}
/// The same form with an item chosen already.
pub fn new_patch_for_item(review: &str, item: &str) -> String {
    with_query(&new_patch(review), &[("item", item)])
}
/// Where a patch, pasted or as a file, is posted to.
pub fn patch_upload(review: &str) -> String {
    under("/reviews", review, "/patches/upload")
}
/// The approved patches as one series that `git am` applies.
pub fn patch_series(review: &str) -> String {
    under("/reviews", review, "/patches.mbox")
}
pub fn sign_off(review: &str) -> String {
    under("/reviews", review, "/sign-off")
}
pub fn report(review: &str) -> String {
    under("/reviews", review, "/report")
}
/// An export of the review: `report.md`, `report.md.sig`, `report.json`, `findings.sarif`, `findings.csv`, `bundle.zip`.
pub fn report_file(review: &str, file: &str, as_of: Option<&str>) -> String {
    let path = under("/reviews", review, &format!("/{file}"));
    with_query(&path, &[("as_of", as_of.unwrap_or_default())])
}
pub fn activity(review: &str) -> String {
    under("/reviews", review, "/activity")
}
pub fn settings(review: &str) -> String {
    under("/reviews", review, "/settings")
}
/// The form that adds an item by hand.
pub fn new_item(review: &str) -> String {
    under("/reviews", review, "/items/new")
}
/// The checklist document with its boxes ticked.
pub fn ticked_document(review: &str) -> String {
    under("/reviews", review, "/checklist.md")
}

pub fn item(id: &str) -> String {
    under("/items", id, "")
}
/// An item with a piece of its evidence that does not count any more.
pub fn piece(item: &str, evidence: &str) -> String {
    with_query(&self::item(item), &[("piece", evidence)])
}
/// The forms that change an item's people, terms and words.
pub fn edit_item(id: &str) -> String {
    under("/items", id, "/edit")
}
/// The form that adds evidence.
pub fn new_evidence(item: &str) -> String {
    under("/items", item, "/evidence/new")
}
/// Where a file for an item is posted to.
pub fn evidence_upload(item: &str) -> String {
    under("/items", item, "/evidence/upload")
}
/// The form that adds a newer version of a piece of evidence.
pub fn replace_evidence(item: &str, evidence: &str) -> String {
    with_query(&new_evidence(item), &[("replace", evidence)])
}
/// The whole text of a note or a command's output that is evidence.
pub fn evidence_text(id: &str) -> String {
    under("/evidence", id, "/text")
}
/// The bytes of a file that is evidence, safely served.
pub fn evidence_file(id: &str) -> String {
    under("/evidence", id, "/file")
}
/// The form that signs an item's decision, on the item's page.
pub fn sign_item(item: &str) -> String {
    under("/items", item, "#sign")
}
/// The bytes of an attachment, safely served.
pub fn attachment(id: &str) -> String {
    under("/attachments", id, "")
}

pub fn finding(id: &str) -> String {
    under("/findings", id, "")
}
/// The form that changes a finding written by hand.
pub fn edit_finding(id: &str) -> String {
    under("/findings", id, "/edit")
}
pub fn scan(id: &str) -> String {
    under("/scans", id, "")
}
/// The scanner's own file, as it was uploaded.
pub fn scan_file(id: &str) -> String {
    under("/scans", id, "/file")
}
pub fn patch(id: &str) -> String {
    under("/patches", id, "")
}
/// A patch with its diff side by side.
pub fn patch_by_side(id: &str) -> String {
    with_query(&patch(id), &[("view", "split")])
}
/// The patch as it was uploaded.
pub fn patch_file(id: &str) -> String {
    under("/patches", id, "/file")
}

pub fn template(id: &str) -> String {
    under("/templates", id, "")
}
/// The form that imports a checklist document.
pub const TEMPLATE_IMPORT: &str = "/templates/import";
/// Where a checklist document is posted to, to see how it would be read.
pub const TEMPLATE_UPLOAD: &str = "/templates/upload";
/// The import form, for a new version of a checklist.
pub fn import_version(template: &str) -> String {
    with_query(TEMPLATE_IMPORT, &[("template", template)])
}
/// How a document that waits for its import would be read.
pub fn template_preview(document: &str) -> String {
    under("/templates/preview", document, "")
}
/// What one version of a checklist changed against another.
pub fn template_difference(template: &str, old: &str, new: &str) -> String {
    with_query(
        &under("/templates", template, "/difference"),
        &[("old", old), ("new", new)],
    )
}
/// A version's document, as it was imported.
pub fn template_source(version: &str) -> String {
    under("/templates/versions", version, "/source")
}

pub fn set_up(token: &str) -> String {
    under("/set-up", token, "")
}
/// Where a one-time link leads with which somebody chooses a new password.
pub fn password_reset(token: &str) -> String {
    under("/reset-password", token, "")
}
pub fn invitation(token: &str) -> String {
    under("/invitations", token, "")
}

/// The sign-in page, which leads back to where the person wanted to go.
pub fn sign_in_to(next: &str) -> String {
    if next == HOME || !is_local(next) {
        SIGN_IN.to_owned()
    } else {
        with_query(SIGN_IN, &[("next", next)])
    }
}

/// An address with its question mark part; pairs with an empty value are left out.
pub fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut address = path.to_owned();
    let mut separator = '?';
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        address.push(separator);
        address.push_str(&segment(name));
        address.push('=');
        address.push_str(&segment(value));
        separator = '&';
    }
    address
}

/// The longest address that a redirect leads to; the longest of our own are lists with many filters.
const MAX_LOCAL_BYTES: usize = 2_000;

/// Whether an address given by a browser stays on this site, so that a redirect to it is safe.
pub fn is_local(address: &str) -> bool {
    let mut bytes = address.bytes();
    address.len() <= MAX_LOCAL_BYTES
        && bytes.next() == Some(b'/')
        && !matches!(bytes.next(), Some(b'/' | b'\\'))
        && address.bytes().all(|byte| byte.is_ascii_graphic())
}

fn under(folder: &str, name: &str, rest: &str) -> String {
    format!("{folder}/{}{rest}", segment(name))
}

/// One segment of a path or one value of a query, percent-encoded (RFC 3986, unreserved characters stay).
fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("a String takes all that is written to it");
        }
    }
    // Browsers resolve these two as steps in the tree, encoded or not; no id or slug is one of them.
    if out == "." || out == ".." {
        "%20".to_owned()
    } else {
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_people_bookmark() {
        let cases = [
            (service("osq"), "/services/osq"),
            (service_people("osq"), "/services/osq/people"),
            (review("r1"), "/reviews/r1"),
            (checklist("r1"), "/reviews/r1/checklist"),
            (findings("r1"), "/reviews/r1/findings"),
            (
                findings_file("r1", "csv", "q=a"),
                "/reviews/r1/findings/export.csv?q=a",
            ),
            (scans("r1"), "/reviews/r1/scans"),
            (decisions("r1"), "/reviews/r1/findings/decisions"),
            (mapping("r1"), "/reviews/r1/mapping"),
            (
                edit_mapping_rule("r1", "m1"),
                "/reviews/r1/mapping/rules/m1",
            ),
            (scan_preview("r1", "p1"), "/reviews/r1/scans/preview/p1"),
            (scans_running("r1", "i1"), "/reviews/r1/scans/running/i1"),
            (patches("r1"), "/reviews/r1/patches"),
            (patch_series("r1"), "/reviews/r1/patches.mbox"),
            (
                new_patch_for_item("r1", "i1"),
                "/reviews/r1/patches/new?item=i1",
            ),
            (patch_by_side("p1"), "/patches/p1?view=split"),
            (sign_off("r1"), "/reviews/r1/sign-off"),
            (report("r1"), "/reviews/r1/report"),
            (
                report_file("r1", "report.md.sig", None),
                "/reviews/r1/report.md.sig",
            ),
            (activity("r1"), "/reviews/r1/activity"),
            (item("i1"), "/items/i1"),
            (finding("f1"), "/findings/f1"),
            (scan("s1"), "/scans/s1"),
            (patch("p1"), "/patches/p1"),
            (template("t1"), "/templates/t1"),
            (set_up("k"), "/set-up/k"),
            (invitation("k"), "/invitations/k"),
            (password_reset("k"), "/reset-password/k"),
        ];
        for (made, expected) in cases {
            assert_eq!(made, expected);
        }
    }

    #[test]
    fn no_value_leads_out_of_its_segment() {
        assert_eq!(item("a/b?c#d"), "/items/a%2Fb%3Fc%23d");
        assert_eq!(item(".."), "/items/%20");
        assert_eq!(item("ä"), "/items/%C3%A4");
        assert_eq!(
            with_query("/x", &[("q", "a&b=c"), ("empty", "")]),
            "/x?q=a%26b%3Dc"
        );
    }

    #[test]
    fn only_addresses_of_this_site_are_led_back_to() {
        for good in ["/", "/items/1", "/items/1?tab=2#x"] {
            assert!(is_local(good), "{good}");
        }
        for bad in [
            "",
            "items",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\r\nb",
            "/a b",
            "/ä",
        ] {
            assert!(!is_local(bad), "{bad}");
        }
        assert_eq!(sign_in_to("/items/1"), "/sign-in?next=%2Fitems%2F1");
        assert_eq!(sign_in_to("//evil.example"), "/sign-in");
        assert_eq!(sign_in_to("/"), "/sign-in");
    }
}
