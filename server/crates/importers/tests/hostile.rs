//! Texts made to keep a parser busy are read, or refused, in time in proportion to their length: as a file, and within one.

use holdpoint_hostile::{assert_all_linear, assert_linear};
use holdpoint_importers::read_into;
use serde_json::json;

/// The length that is compared with four times as much.
const BYTES: usize = 20_000;

fn read(text: &str, format: Option<&str>) -> usize {
    let mut n = 0;
    let read = read_into(text.as_bytes(), None, format, &mut |_| n += 1);
    n + usize::from(read.is_ok())
}

#[test]
fn any_text_is_looked_at_and_refused_in_linear_time() {
    assert_all_linear(BYTES, |text| read(text, None));
}

#[test]
fn a_text_within_a_result_is_read_in_linear_time() {
    assert_all_linear(BYTES, |text| {
        let log = json!({
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": { "name": "t", "rules": [{
                    "id": "r",
                    "fullDescription": { "text": text, "markdown": text },
                    "help": { "text": text, "markdown": text },
                }] } },
                "results": [{
                    "ruleId": "r",
                    "ruleIndex": 0,
                    "message": { "text": text, "markdown": text, "arguments": [text] },
                    "locations": [{ "physicalLocation": {
                        "artifactLocation": { "uri": text },
                        "region": { "startLine": 1, "snippet": { "text": text } },
                    } }],
                }],
            }],
        });
        read(&log.to_string(), Some("sarif"))
    });
}

#[test]
fn documents_that_nest_or_never_end_are_refused_in_linear_time() {
    let opened = |open: &'static str| move |bytes: usize| open.repeat(bytes / open.len() + 1);
    let closed = |open: &'static str, close: &'static str| {
        move |bytes: usize| {
            let n = bytes / (open.len() + close.len()) + 1;
            format!("{}{}", open.repeat(n), close.repeat(n))
        }
    };
    for (name, make) in [
        ("arrays", opened("[")),
        ("objects", opened("{\"a\":")),
        ("elements", opened("<a>")),
        ("elements with attributes", opened("<a b=\"c\">")),
        ("quotes of a table", opened("\"a\",\"")),
        ("columns of a table", opened("a,")),
        ("rows of a table", opened("a,b\n")),
        ("numbers", opened("1")),
        ("escapes", opened("\\u0041")),
        ("lines of JSON", opened("{\"a\":1}\n")),
    ] {
        assert_linear(name, BYTES, make, |text| read(text, None));
    }
    for (name, make) in [
        ("arrays in arrays", closed("[", "]")),
        ("objects in objects", closed("{\"a\":", "}")),
        ("elements in elements", closed("<a>", "</a>")),
    ] {
        assert_linear(name, BYTES, make, |text| read(text, None));
    }
}
