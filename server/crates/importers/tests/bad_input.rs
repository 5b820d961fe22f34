//! Bad input over every format: a clear refusal that says where, or a safe reading; never a panic, never anything that grows.
//!
//! Every small file of `testdata` is damaged in every way that issue trackers of importers know. What has to hold of a reading
//! is in `promises.rs`, which the fuzz targets hold as well.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../fuzz/fuzz_targets/promises.rs"]
mod promises;

use std::path::PathBuf;

use holdpoint_importers::{IMPORTERS, ImportError, detect, read};
use promises::hold;
use serde_json::{Value, json};

/// A small valid report of a format.
struct Fixture {
    format: String,
    name: String,
    bytes: Vec<u8>,
}

impl Fixture {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }

    fn is(&self, end: &str) -> bool {
        self.name.ends_with(end)
    }

    /// The JSON documents in it; none if it is not JSON.
    fn documents(&self) -> Vec<Value> {
        serde_json::Deserializer::from_slice(&self.bytes)
            .into_iter()
            .collect::<Result<_, _>>()
            .unwrap_or_default()
    }
}

fn fixtures() -> Vec<Fixture> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut fixtures = Vec::new();
    for folder in std::fs::read_dir(root).unwrap() {
        let folder = folder.unwrap();
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap();
            fixtures.push(Fixture {
                format: folder.file_name().into_string().unwrap(),
                name: file.file_name().into_string().unwrap(),
                bytes: std::fs::read(file.path()).unwrap(),
            });
        }
    }
    assert!(fixtures.len() > 80, "{}", fixtures.len());
    fixtures
}

fn joined(documents: &[Value]) -> String {
    let texts: Vec<String> = documents.iter().map(Value::to_string).collect();
    texts.join("\n")
}

/// Changes the value at one place of a document, counted through all of them; false when there are no more.
fn change(value: &mut Value, at: &mut usize, change_it: &mut dyn FnMut(&mut Value)) -> bool {
    if *at == 0 {
        change_it(value);
        return true;
    }
    *at -= 1;
    match value {
        Value::Array(list) => list.iter_mut().any(|value| change(value, at, change_it)),
        Value::Object(map) => map.values_mut().any(|value| change(value, at, change_it)),
        _ => false,
    }
}

/// Each variant of some documents in which one value is another.
fn with_each_value_changed(
    documents: &[Value],
    mut change_it: impl FnMut(&mut Value),
    mut see: impl FnMut(&str),
) {
    for at in 0.. {
        let mut changed = documents.to_vec();
        let mut left = at;
        let mut documents = changed.iter_mut();
        if !documents.any(|document| change(document, &mut left, &mut change_it)) {
            return;
        }
        see(&joined(&changed));
    }
}

#[test]
fn a_report_cut_off_anywhere_is_refused_with_its_place_or_read_safely() {
    for fixture in fixtures() {
        let whole = fixture.text().trim_end();
        let step = (whole.len() / 80).max(1);
        for end in (1..whole.len()).step_by(step) {
            let bytes = &whole.as_bytes()[..end];
            hold(bytes, None);
            let is_one_document = fixture.documents().len() == 1 || fixture.is(".xml");
            match read(bytes, None, Some(&fixture.format)) {
                Ok(_) => assert!(!is_one_document, "{} to {end}", fixture.format),
                Err(error) => {
                    let said = error.to_string();
                    let has_place = said.contains("line") || said.contains('$');
                    let is_blank = error == ImportError::Empty;
                    assert!(has_place || is_blank, "{} to {end}: {said}", fixture.format);
                }
            }
        }
    }
}

#[test]
fn any_value_of_any_type_in_any_field_is_read_safely_or_refused() {
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(1e300),
        json!("x"),
        json!(""),
        json!([]),
        json!({}),
        json!([7]),
        json!([null]),
        json!({"x": {"y": 1}}),
    ];
    for fixture in fixtures() {
        let documents = fixture.documents();
        for new in &values {
            let set = |value: &mut Value| *value = new.clone();
            with_each_value_changed(&documents, set, |text| {
                hold(text.as_bytes(), Some(&fixture.format));
            });
        }
    }
}

#[test]
fn any_field_may_be_missing_and_any_may_stand_twice() {
    for fixture in fixtures() {
        let documents = fixture.documents();
        for twice in [false, true] {
            let set = |value: &mut Value| match value {
                Value::Object(map) if twice => {
                    let first = map.values().next().cloned();
                    map.extend(first.map(|value| ("\u{1}again".to_owned(), value)));
                }
                Value::Object(map) => map.clear(),
                Value::Array(list) if twice => list.extend_from_within(..),
                Value::Array(list) => list.clear(),
                _ => {}
            };
            with_each_value_changed(&documents, set, |text| {
                hold(text.as_bytes(), Some(&fixture.format));
            });
        }
        for key in keys_of(&documents) {
            let name = format!("\"{key}\"");
            let text = joined(&documents).replace(&name, "\"renamed\"");
            hold(text.as_bytes(), Some(&fixture.format));
        }
    }
}

fn keys_of(documents: &[Value]) -> Vec<String> {
    fn collect(value: &Value, keys: &mut Vec<String>) {
        match value {
            Value::Array(list) => list.iter().for_each(|value| collect(value, keys)),
            Value::Object(map) => {
                keys.extend(map.keys().cloned());
                map.values().for_each(|value| collect(value, keys));
            }
            _ => {}
        }
    }
    let mut keys = Vec::new();
    for document in documents {
        collect(document, &mut keys);
    }
    keys.sort();
    keys.dedup();
    keys
}

const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "\u{1b}[31mred\u{1b}]0;owned\u{7}",
    "invoice\u{202e}fdp.exe\u{2066}",
    "../../../../etc/passwd",
    "..\\..\\windows\\system32",
    "C:\\Users\\x\\..\\..\\secret",
    "\\\\server\\share\\x",
    "file:///etc/passwd",
    "FILE://host/../../x",
    "%2e%2e/%2e%2e/x",
    "%2e%2e%2f%2e%2e%2fx",
    "%252e%252e/x",
    "/",
    "//",
    "..",
    "\u{0}\u{0}",
    "javascript:alert(1)",
    "https://example.com/\" onclick=\"x",
    "-0",
    "NaN",
    "Infinity",
    "1e999",
    "-9999999999999999999999",
    "0",
    ":::::",
    "a:b:c:99999999999:1: [error] (x)",
    "pkg:",
    "pkg:maven/@@?#%",
    "CVSS:3.1/AV:X/AC:",
    "CVE-",
    "CWE-99999999999999999999",
    "\u{1F4A9}\u{0301}\u{FEFF}",
];

#[test]
fn hostile_texts_in_any_field_come_out_harmless() {
    for fixture in fixtures() {
        let documents = fixture.documents();
        for hostile in HOSTILE {
            let set = |value: &mut Value| {
                if value.is_string() || value.is_number() || value.is_null() {
                    *value = json!(hostile);
                }
            };
            with_each_value_changed(&documents, set, |text| {
                hold(text.as_bytes(), Some(&fixture.format));
            });
            // XML and CSV: each text between tags and each attribute or cell.
            if documents.is_empty() {
                each_piece_replaced(&fixture, hostile, |text| {
                    hold(text.as_bytes(), Some(&fixture.format));
                });
            }
        }
    }
}

fn each_piece_replaced(fixture: &Fixture, new: &str, mut see: impl FnMut(&str)) {
    let text = fixture.text();
    let escaped = new
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;");
    let is_xml = fixture.is(".xml");
    let new = if is_xml { &escaped } else { new };
    let is_border = |c: char| {
        if is_xml {
            matches!(c, '<' | '>' | '"')
        } else {
            matches!(c, ',' | ';' | '\n' | '"' | ':')
        }
    };
    let borders: Vec<usize> = text.match_indices(is_border).map(|(at, _)| at).collect();
    for pair in borders.windows(2) {
        let (start, end) = (pair[0] + 1, pair[1]);
        // Names of elements are not values.
        let is_value = !is_xml || matches!(text.as_bytes()[start - 1], b'>' | b'"');
        if start <= end && is_value {
            see(&format!("{}{new}{}", &text[..start], &text[end..]));
        }
    }
}

#[test]
fn numbers_that_are_none_are_refused_with_their_place_or_stand_for_nothing() {
    let huge = "9".repeat(400);
    for fixture in fixtures() {
        let documents = fixture.documents();
        for number in ["NaN", "-Infinity", "1e999", "-1e999", "0x10", "01", &huge] {
            let set = |value: &mut Value| {
                if value.is_number() || value.is_string() {
                    *value = json!("@@");
                }
            };
            with_each_value_changed(&documents, set, |text| {
                let text = text.replace("\"@@\"", number);
                if hold(text.as_bytes(), Some(&fixture.format)).is_none() {
                    let error = read(text.as_bytes(), None, Some(&fixture.format)).unwrap_err();
                    let said = error.to_string();
                    assert!(said.contains("line") || said.contains('$'), "{said}");
                }
            });
        }
    }
}

#[test]
fn nesting_of_a_hundred_thousand_levels_is_refused_wherever_it_stands() {
    const LEVELS: usize = 100_000;
    let deep = [
        "[".repeat(LEVELS),
        "{\"a\":".repeat(LEVELS),
        "[".repeat(LEVELS) + &"]".repeat(LEVELS),
        "[{\"a\":".repeat(LEVELS),
    ];
    for importer in IMPORTERS {
        for text in &deep {
            let refused = read(text.as_bytes(), None, Some(importer.name()));
            assert!(refused.is_err(), "{}", importer.name());
        }
    }
    for text in &deep {
        assert!(hold(text.as_bytes(), None).is_none());
    }
    for fixture in fixtures() {
        let documents = fixture.documents();
        let deep = &deep[2];
        let set = |value: &mut Value| *value = json!("@@");
        with_each_value_changed(&documents, set, |text| {
            let text = text.replacen("\"@@\"", deep, 1);
            // What is skipped unread may be as deep as it likes.
            let Err(error) = read(text.as_bytes(), None, Some(&fixture.format)) else {
                hold(text.as_bytes(), Some(&fixture.format));
                return;
            };
            let said = error.to_string();
            assert!(
                said.to_lowercase().contains("line") || said.contains('$'),
                "{said}"
            );
        });
        if fixture.is(".xml") {
            let root = fixture.text().rfind("</").unwrap();
            let text = format!(
                "{}{}{}",
                &fixture.text()[..root],
                "<a>".repeat(LEVELS),
                &fixture.text()[root..]
            );
            let said = read(text.as_bytes(), None, Some(&fixture.format)).unwrap_err();
            assert!(said.to_string().contains("line"), "{said}");
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_told_with_their_line() {
    for fixture in fixtures() {
        let step = (fixture.bytes.len() / 40).max(1);
        for at in (0..fixture.bytes.len()).step_by(step) {
            let mut bytes = fixture.bytes.clone();
            bytes.splice(at..at, [0xff, 0xfe, 0xc0]);
            let line = 1 + fixture.text()[..at].matches('\n').count();
            // At the very beginning these two are the mark of UTF-16.
            if at == 0 {
                hold(&bytes, Some(&fixture.format));
                continue;
            }
            if let Some(report) = hold(&bytes, Some(&fixture.format)) {
                let first = &report.problems[0];
                assert_eq!(first.where_, format!("line {line}"), "{}", fixture.format);
            }
        }
    }
}

#[test]
fn every_encoding_of_a_report_reads_the_same() {
    for fixture in fixtures() {
        let text = fixture.text();
        let units = || text.encode_utf16();
        let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
        let plain = hold(&fixture.bytes, None).unwrap();
        for bytes in [
            [&[0xef, 0xbb, 0xbf], &fixture.bytes[..]].concat(),
            [&[0xff, 0xfe], &little[..]].concat(),
            [&[0xfe, 0xff], &big[..]].concat(),
            little.clone(),
            big.clone(),
        ] {
            let report = hold(&bytes, None).unwrap_or_else(|| panic!("{}", fixture.format));
            assert_eq!(report.format, plain.format);
            assert_eq!(report.findings, plain.findings, "{}", fixture.format);
        }
        // Half of a unit at the end.
        let odd = &little[..little.len() - 1];
        hold(odd, Some(&fixture.format));
    }
}

#[test]
fn a_web_page_in_the_place_of_a_report_is_named_as_one() {
    for page in [
        "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><form></form></body></html>",
        "\u{feff}<html lang=\"en\"><body>Sign in</body></html>",
        "<!doctype HTML><meta charset=utf-8><title>502 Bad Gateway</title>",
    ] {
        let error = detect(page.as_bytes(), Some("trivy.json")).err().unwrap();
        assert!(matches!(error, ImportError::NotAReport { .. }), "{error}");
        for importer in IMPORTERS {
            assert!(
                hold(page.as_bytes(), Some(importer.name())).is_none(),
                "{}",
                importer.name()
            );
        }
    }
    let mut clean = Vec::new();
    for text in [
        "404: Not Found",
        "{\"message\": \"Bad credentials\"}",
        "{\"error\": \"invalid_token\"}",
        "{\"errors\": [{\"status\": 401}]}",
        "{\"x\": []}",
        "[{\"x\": 1}]",
        "[[]]",
        "PK\u{3}\u{4}",
        "OK",
        "<a/>",
        "<error>Forbidden</error>",
    ] {
        assert!(hold(text.as_bytes(), None).is_none(), "{text}");
        for importer in IMPORTERS {
            let report = hold(text.as_bytes(), Some(importer.name()));
            if report.is_some_and(|report| report.is_clean()) {
                clean.push((importer.name(), text));
            }
        }
    }
    assert_eq!(clean, [], "no report of these formats says any of this");
}

#[test]
fn entities_of_xml_neither_grow_nor_fetch() {
    for fixture in fixtures().into_iter().filter(|f| f.is(".xml")) {
        let text = fixture.text();
        let (declaration, body) = match text.strip_prefix("<?xml") {
            Some(rest) => {
                let end = rest.find("?>").unwrap() + 2;
                (&text[..end + 5], &rest[end..])
            }
            None => ("", text),
        };
        let mut entities = String::from("<!ENTITY e0 \"lol\">");
        for level in 1..12 {
            let inner = format!("&e{};", level - 1).repeat(10);
            entities.push_str(&format!("<!ENTITY e{level} \"{inner}\">"));
        }
        entities.push_str("<!ENTITY file SYSTEM \"file:///etc/passwd\">");
        entities.push_str("<!ENTITY net SYSTEM \"http://192.0.2.1/x\">");
        entities.push_str("<!ENTITY % p SYSTEM \"http://192.0.2.1/y\"> %p;");
        // Whatever declares entities of its own is refused, used or not.
        let bomb = format!("{declaration}<!DOCTYPE x [{entities}]>{body}");
        let error = read(bomb.as_bytes(), None, Some(&fixture.format)).unwrap_err();
        assert!(error.to_string().contains("declares entities"), "{error}");
        // So is a reference to one that nobody knows, in each text and each attribute.
        let start = text.len() - body.len();
        let within = |mark: &str| {
            let ends = text[start..].match_indices(mark);
            ends.map(|(at, _)| start + at + mark.len())
                .collect::<Vec<_>>()
        };
        for reference in ["&e11;", "&file;", "&nothing;", "&#0;", "&#x110000;"] {
            for at in within(">").into_iter().chain(within("=\"")) {
                let text = format!("{}{reference}{}", &text[..at], &text[at..]);
                let read = hold(text.as_bytes(), Some(&fixture.format));
                assert!(read.is_none(), "{}: {text}", fixture.format);
            }
        }
    }
}

/// Puts a text into the first of the longer strings.
fn fill(value: &mut Value, text: &str, left: &mut usize) {
    match value {
        Value::String(old) if *left > 0 && old.len() > 12 => {
            *left -= 1;
            *old = text.to_owned();
        }
        Value::Array(list) => list.iter_mut().for_each(|v| fill(v, text, left)),
        Value::Object(map) => map.values_mut().for_each(|v| fill(v, text, left)),
        _ => {}
    }
}

#[test]
fn texts_of_enormous_length_and_very_many_ids_stay_bounded() {
    let ids: String = (0..4_000)
        .map(|n| format!("CVE-2024-{n:05} GHSA-{n:04}-aaaa-bbbb CWE-{n} "))
        .collect();
    let long = "word ".repeat(20_000);
    for fixture in fixtures() {
        let documents = fixture.documents();
        for text in [&ids, &long] {
            let mut documents = documents.clone();
            let mut left = 6;
            for document in &mut documents {
                fill(document, text, &mut left);
            }
            if let Some(report) = hold(joined(&documents).as_bytes(), Some(&fixture.format)) {
                for finding in &report.findings {
                    assert!(finding.title.chars().count() <= 150);
                    let n_ids = finding.cve.len() + finding.cwe.len() + finding.aliases.len();
                    assert!(n_ids <= 600, "{}: {n_ids}", fixture.format);
                }
            }
        }
    }
}

#[test]
fn an_element_with_very_many_names_is_refused() {
    let many: String = (0..100_000).map(|n| format!("<x{n}/>")).collect();
    let attributes: String = (0..100_000).map(|n| format!(" x{n}=\"\"")).collect();
    for text in [
        format!("<checkstyle>{many}</checkstyle>"),
        format!("<checkstyle><file{attributes}/></checkstyle>"),
    ] {
        let error = read(text.as_bytes(), None, Some("checkstyle")).unwrap_err();
        assert!(error.to_string().contains("line 1"), "{error}");
    }
    // As many of one name are a report like any other.
    let files = "<file name=\"a\"/>".repeat(100_000);
    let text = format!("<checkstyle>{files}</checkstyle>");
    assert!(read(text.as_bytes(), None, Some("checkstyle")).is_ok());
}

/// What libFuzzer found, made as small as it still shows the fault: format, report, and the fault.
const FOUND: &[(&str, &str, &str)] = &[
    (
        "yamllint",
        "a.yml:0:1: [warning] missing document start (document-start)",
        "a line 0 was passed on",
    ),
    (
        "gosec",
        r#"{"Issues": [{"severity": "LOW", "rule_id": "G104", "details": "x", "file": "a.go", "line": "0"}], "Stats": {}}"#,
        "a line 0 was passed on",
    ),
    (
        "sarif",
        r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t"}}, "results": [{"message": {"text": "m"}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.c"}, "region": {"startLine": 9, "endLine": 2}}}]}]}]}"#,
        "the place ended before it began",
    ),
    (
        "sarif",
        r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t", "rules": [{"id": "R", "shortDescription": {"text": "a\nb"}}]}}, "results": [{"ruleId": "R", "message": {"text": "m"}}]}]}"#,
        "a rule was named in two lines",
    ),
];

/// Elements that say nothing of what they are: no report of the tool has them, so they are no findings of it.
const NAMELESS: &[(&str, &str)] = &[
    (
        "openvex",
        r#"{"@context": "https://openvex.dev/ns/v0.2.0", "statements": [{"status": "affected", "products": [""]}]}"#,
    ),
    (
        "dependency_check",
        "<analysis><dependencies><dependency><vulnerabilities><vulnerability/></vulnerabilities></dependency></dependencies></analysis>",
    ),
    ("whispers", r#"[{"name": "somebody else's list"}]"#),
    ("cfn_lint", "[{}, {}]"),
];

#[test]
fn what_says_neither_rule_nor_title_nor_component_is_refused() {
    for (format, text) in NAMELESS {
        let Err(error) = read(text.as_bytes(), None, Some(format)) else {
            panic!("{format} was taken");
        };
        let error = error.to_string();
        assert!(
            error.contains("no rule, no title and no component"),
            "{format}: {error}"
        );
    }
}

#[test]
fn what_fuzzing_found_stays_mended() {
    for (format, text, fault) in FOUND {
        let report = hold(text.as_bytes(), None).unwrap_or_else(|| panic!("{format}: {fault}"));
        assert_eq!(report.format, *format);
        assert_eq!(report.findings.len(), 1, "{format}: {fault}");
    }
    // A refusal repeated 27 KB of keys.
    let keys = format!("{{\"{}\": ", "k".repeat(300)).repeat(120);
    for format in ["cyclonedx", "sarif", "trivy"] {
        let error = read(keys.as_bytes(), None, Some(format)).unwrap_err();
        assert!(error.to_string().len() < 2_000, "{format}");
    }
}
