//! When a tool that has another name than before goes on with its series: `semgrep` became `Semgrep OSS`, and every finding would
//! be new, and what people decided lost.
//!
//! Only a proposal for a person to confirm: names and fingerprints hint at it, and nobody is sure but the one who runs the tool.

use std::collections::HashSet;

use crate::compare::{Known, Seen, is_print};
use crate::identity::Key;

/// Whether a scan seems to go on with a series of a tool of another name: the name of one begins with the words of the other's,
/// and at least half of what the scan identifies by fingerprints of the tool is known there by the same ones.
pub fn continues(series_tool: &str, known: &[Known], tool: &str, seen: &Seen) -> bool {
    if !is_longer_name(series_tool, tool) && !is_longer_name(tool, series_tool) {
        return false;
    }
    let known: HashSet<Key> = known
        .iter()
        .filter(|known| is_print(known.basis))
        .map(|known| known.key)
        .collect();
    let printed = seen
        .findings
        .iter()
        .filter(|seen| is_print(seen.identity.basis));
    let (mut n_printed, mut n_known) = (0, 0);
    for finding in printed {
        n_printed += 1;
        n_known += usize::from(known.contains(&finding.identity.key));
    }
    n_known > 0 && n_known * 2 >= n_printed
}

/// Whether a name has all words of another one, and more behind them.
fn is_longer_name(name: &str, longer: &str) -> bool {
    let words = |name: &str| -> Vec<String> {
        let words = name.split(|c: char| !c.is_alphanumeric());
        let words = words.filter(|word| !word.is_empty());
        words.map(str::to_lowercase).collect()
    };
    let (name, longer) = (words(name), words(longer));
    !name.is_empty() && name.len() < longer.len() && longer.starts_with(&name)
}

#[cfg(test)]
mod tests {
    use holdpoint_domain::{FindingStatus, Severity};

    use super::*;
    use crate::{Finding, PathNames};

    fn scan(prints: &[&str]) -> Seen {
        let (mut seen, mut paths) = (Seen::default(), PathNames::default());
        for print in prints {
            let mut finding = Finding::new("Eval", Severity::High);
            finding.rule = Some("eval".into());
            finding.path = Some("a.py".into());
            finding.fingerprint = (!print.is_empty()).then(|| (*print).to_owned());
            seen.add(&finding, &mut paths);
        }
        seen.finish();
        seen
    }

    fn series(prints: &[&str]) -> Vec<Known> {
        let findings = scan(prints).findings.into_iter();
        let known = findings.zip(1..).map(|(seen, number)| Known {
            number,
            key: seen.identity.key,
            context: seen.identity.context,
            basis: seen.identity.basis,
            ordinal: seen.identity.ordinal,
            path: seen.path,
            line: seen.line,
            version: 0,
            status: FindingStatus::Open,
            is_gone: false,
        });
        known.collect()
    }

    #[test]
    fn a_renamed_tool_is_known_by_its_fingerprints() {
        let known = series(&["a", "b", "c"]);
        let goes_on = |prints: &[&str]| continues("semgrep", &known, "Semgrep OSS", &scan(prints));
        assert!(goes_on(&["a", "b"]));
        assert!(goes_on(&["a", "new"]));
        assert!(!goes_on(&["a", "new", "newer"]), "most are others");
        assert!(!goes_on(&["new"]));
        assert!(!goes_on(&[]));
        // Without fingerprints nothing tells.
        let unprinted = series(&["", ""]);
        assert!(!continues(
            "semgrep",
            &unprinted,
            "Semgrep OSS",
            &scan(&["", ""])
        ));
    }

    #[test]
    fn names_that_only_look_alike_are_of_other_tools() {
        let known = series(&["a"]);
        for (old, new, is) in [
            ("semgrep", "Semgrep OSS", true),
            ("Semgrep OSS", "semgrep", true),
            ("CodeQL command-line", "CodeQL command-line toolchain", true),
            ("semgrep", "semgrep", false),
            ("ruff", "gruff", false),
            ("trufflehog", "trufflehog3", false),
            ("", "semgrep", false),
        ] {
            assert_eq!(
                continues(old, &known, new, &scan(&["a"])),
                is,
                "{old} {new}"
            );
        }
    }
}
