//! What holds for every file and every change of it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Series, numbers};
use holdpoint_importers::identity::{Identity, identify};
use holdpoint_importers::read;
use proptest::prelude::*;
use serde_json::{Value, json};

const EVERYTHING: &str = include_str!("../testdata/sarif/everything.sarif");

/// A result of few rules, files and texts, so that equal twins are common; some with fingerprints, some without.
fn result() -> impl Strategy<Value = Value> {
    let place = (0..3_u8, 1..40_u32, 1..4_u32);
    let text = (
        0..2_u8,
        prop::option::of(0..3_u8),
        prop::option::of(0..3_u8),
    );
    (0..2_u8, place, text).prop_map(|(rule, (file, line, column), (message, snippet, print))| {
        let mut region = json!({"startLine": line, "startColumn": column});
        if let Some(snippet) = snippet {
            region["snippet"] = json!({"text": format!("call_number_{snippet}();")});
        }
        let place = json!({"physicalLocation": {"artifactLocation": {"uri": format!("src/{file}.c")}, "region": region}});
        let mut result = json!({
            "ruleId": format!("R{rule}"),
            "message": {"text": format!("Message {message}")},
            "locations": [place],
        });
        if let Some(print) = print {
            result["partialFingerprints"] = json!({"primaryLocationLineHash": format!("hash{print}:1")});
        }
        result
    })
}

fn results() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(result(), 1..25)
}

fn log(results: &[Value]) -> Vec<u8> {
    let run = json!({"tool": {"driver": {"name": "T"}}, "results": results});
    json!({"version": "2.1.0", "runs": [run]})
        .to_string()
        .into_bytes()
}

fn with_identities(results: &[Value]) -> Vec<(Value, Identity)> {
    let report = common::read(&log(results));
    results
        .iter()
        .cloned()
        .zip(identify(&report.findings))
        .collect()
}

fn moved(results: &[Value], lines: u64) -> Vec<Value> {
    let mut results = results.to_vec();
    for result in &mut results {
        let line = &mut result["locations"][0]["physicalLocation"]["region"]["startLine"];
        *line = json!(line.as_u64().unwrap() + lines);
    }
    results
}

proptest! {
    #![proptest_config(common::cases(if cfg!(debug_assertions) { 192 } else { 1024 }))]

    #[test]
    fn no_bytes_make_reading_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes, None, None);
        let _ = read(&bytes, Some("x.sarif"), Some("sarif"));
    }

    #[test]
    fn no_damage_to_a_report_makes_reading_panic(
        damage in prop::collection::vec((0..EVERYTHING.len(), any::<u8>()), 1..6),
        cut in prop::option::of(0..EVERYTHING.len()),
    ) {
        let mut bytes = EVERYTHING.as_bytes().to_vec();
        for (at, byte) in damage {
            bytes[at] = byte;
        }
        bytes.truncate(cut.unwrap_or(bytes.len()));
        if let Ok(report) = read(&bytes, None, Some("sarif")) {
            let identities = identify(&report.findings);
            prop_assert_eq!(identities.len(), report.findings.len());
        }
    }

    #[test]
    fn values_of_wrong_type_are_refused_or_read(key in 0..80_usize, value in 0..9_usize) {
        let values = [json!(null), json!(-1), json!(1e300), json!("x"), json!([]), json!({}), json!([null]), json!({"text": {}}), json!(true)];
        let mut whole: Value = serde_json::from_str(EVERYTHING).unwrap();
        let mut n = 0;
        replace(&mut whole, &mut n, key * 3, &values[value]);
        if let Err(error) = read(whole.to_string().as_bytes(), None, Some("sarif")) {
            prop_assert!(error.to_string().contains('$') || error.to_string().contains("version"), "{}", error);
        }
    }

    #[test]
    fn shuffled_results_have_the_same_identities(results in results(), seed in any::<u64>()) {
        let mut shuffled = results.clone();
        let mut state = seed | 1;
        for at in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(at, usize::try_from(state >> 33).unwrap() % (at + 1));
        }
        let sorted = |mut pairs: Vec<(Value, Identity)>| {
            pairs.sort_by_key(|(result, identity)| (result.to_string(), identity.key, identity.ordinal));
            pairs
        };
        prop_assert_eq!(sorted(with_identities(&results)), sorted(with_identities(&shuffled)));
    }

    #[test]
    fn the_same_file_again_changes_nothing(results in results()) {
        let report = common::read(&log(&results));
        let mut series = Series::default();
        series.import(&report);
        let again = series.import(&report);
        prop_assert_eq!(numbers(&again), [0, results.len() as u64, 0, 0, 0]);
        // Not only as many: each is matched with itself.
        for (at, entry) in again.matches.iter().enumerate() {
            let same = entry.known == Some(at) || results[at] == results[entry.known.unwrap()];
            let line = |result: &Value| result["locations"][0]["physicalLocation"]["region"]["startLine"].clone();
            prop_assert!(same || line(&results[at]) == line(&results[entry.known.unwrap()]), "{}", entry.why);
        }
    }

    #[test]
    fn lines_added_above_only_move_findings(results in results(), lines in 1..500_u64) {
        let mut series = Series::default();
        series.import(&common::read(&log(&results)));
        let comparison = series.import(&common::read(&log(&moved(&results, lines))));
        prop_assert_eq!(numbers(&comparison), [0, 0, results.len() as u64, 0, 0]);
    }

    #[test]
    fn removing_a_result_fixes_exactly_one_and_bringing_it_back_reopens_that_one(
        results in results(), at in any::<prop::sample::Index>(), lines in 0..3_u64,
    ) {
        let removed = at.index(results.len());
        let mut rest = moved(&results, lines);
        rest.remove(removed);
        let mut series = Series::default();
        series.import(&common::read(&log(&results)));
        let gone = series.import(&common::read(&log(&rest)));
        prop_assert_eq!((gone.counts().new, gone.counts().reopened, gone.counts().fixed), (0, 0, 1));
        // Unless lines moved too, it is that very one, or one that nobody could tell from it.
        let fixed = gone.fixed[0];
        if lines == 0 {
            let line = |result: &Value| result["locations"][0]["physicalLocation"]["region"]["startLine"].clone();
            prop_assert_eq!(line(&results[fixed]), line(&results[removed]));
        }
        let back = series.import(&common::read(&log(&results)));
        prop_assert_eq!((back.counts().new, back.counts().reopened, back.counts().fixed), (0, 1, 0));
        let reopened = back.matches.iter().find(|m| m.why.ends_with("it had been fixed")).unwrap();
        prop_assert_eq!(reopened.known, Some(fixed));
    }
}

/// Puts another value in the place of the `wanted`-th value.
fn replace(value: &mut Value, n: &mut usize, wanted: usize, new: &Value) {
    if *n == wanted {
        *value = new.clone();
        *n += 1;
        return;
    }
    *n += 1;
    match value {
        Value::Array(list) => list
            .iter_mut()
            .for_each(|value| replace(value, n, wanted, new)),
        Value::Object(map) => map
            .values_mut()
            .for_each(|value| replace(value, n, wanted, new)),
        _ => {}
    }
}
