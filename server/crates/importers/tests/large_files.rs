//! A format is recognised however large its lists are: what tells it may stand behind the first 64 KiB.

mod common;

use holdpoint_importers::{Importer, detect, read};

/// Where lists and objects end that have something in them: all that a JSON document has at its top, and the first few
/// further down.
fn ends(text: &str) -> Vec<usize> {
    let (mut depth, mut is_text, mut is_escaped) = (0, false, false);
    let (mut ends, mut n_below) = (Vec::new(), 0);
    let mut last = b' ';
    for (at, byte) in text.bytes().enumerate() {
        match (is_text, byte) {
            (true, _) if is_escaped => is_escaped = false,
            (true, b'\\') => is_escaped = true,
            (_, b'"') => is_text = !is_text,
            (false, b'{' | b'[') => depth += 1,
            (false, b'}' | b']') => {
                depth -= 1;
                n_below += usize::from(depth > 1);
                if !matches!(last, b'{' | b'[') && (depth == 1 || depth > 1 && n_below <= 8) {
                    ends.push(at);
                }
            }
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            last = byte;
        }
    }
    ends
}

#[test]
fn what_tells_a_format_may_stand_behind_long_lists() {
    let padding = "\n".repeat(70_000);
    let (mut n, mut lost) = (0, Vec::new());
    for path in common::reports() {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok()
            && text.trim_start().starts_with(['{', '[']);
        let Ok(importer) = detect(text.as_bytes(), None) else {
            continue;
        };
        if !is_json || text.len() > 60_000 {
            continue;
        }
        for end in ends(&text) {
            n += 1;
            let padded = format!("{}{padding}{}", &text[..end], &text[end..]);
            let as_large = detect(padded.as_bytes(), None).map(Importer::name);
            if as_large.as_ref() != Ok(&importer.name()) {
                let as_large = as_large.unwrap_or("nothing");
                lost.push(format!(
                    "{}: {} is taken for {as_large} where what ends at {end} is large",
                    path.display(),
                    importer.name()
                ));
            }
        }
    }
    assert!(n > 100, "{n}");
    assert!(
        lost.is_empty(),
        "{} of {n}:\n{}",
        lost.len(),
        lost.join("\n")
    );
}

#[test]
fn a_piece_that_is_too_large_is_named_with_its_limit() {
    let long = "x".repeat(17 << 20);
    let result = |text: &str| format!(r#"{{"ruleId":"A","message":{{"text":"{text}"}}}}"#);
    let log = |driver: &str, result: &str| {
        format!(
            r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"t"{driver}}}}},"results":[{result}]}}]}}"#
        )
    };
    let refusal = |log: &str| read(log.as_bytes(), None, None).unwrap_err().to_string();
    assert_eq!(
        refusal(&log("", &result(&long))),
        "One result is larger than 16 MiB, which is more than is held in memory. \
         Let the scanner leave out what is not needed."
    );
    let guide = format!(r#","fullDescription":{{"text":"{}"}}"#, long.repeat(4));
    assert!(
        refusal(&log(&guide, &result("short")))
            .starts_with("What stands around the results (rules, artifacts) is larger than 64 MiB")
    );
}
