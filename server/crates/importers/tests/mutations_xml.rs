//! As `mutations.rs`, for elements of XML: each that has elements of its own is taken out, or emptied, and what it held may not be
//! gone without a word.
//!
//! An element that is itself a finding, and one that a tool leaves out where it has nothing to say, may be missing: the exceptions.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use holdpoint_importers::{Report, read};

/// Larger reports are of the same shapes as smaller ones of their format.
const MAX_BYTES: usize = 120_000;

/// Format, change, path of the element below the first one, and where the format says that it may be so.
const EXCEPTIONS: &str = include_str!("mutations/elements.txt");

/// An element with elements of its own: where it begins, and where what is in it begins and ends, and where it ends.
#[derive(Clone, Copy)]
struct Range {
    start: usize,
    inner_start: usize,
    inner_end: usize,
    end: usize,
}

/// The elements that have elements of their own, by their paths below the first element.
fn elements(text: &str) -> BTreeMap<String, Vec<Range>> {
    struct Open {
        path: String,
        start: usize,
        inner_start: usize,
        has_elements: bool,
    }
    let mut found: BTreeMap<String, Vec<Range>> = BTreeMap::new();
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find('<').map(|n| at + n) {
        let rest = &text[start..];
        let skipped = [
            ("<!--", "-->"),
            ("<![CDATA[", "]]>"),
            ("<?", "?>"),
            ("<!", ">"),
        ];
        if let Some((_, end)) = skipped.iter().find(|(begin, _)| rest.starts_with(begin)) {
            at = start + rest.find(end).unwrap() + end.len();
            continue;
        }
        let end = start + end_of_tag(rest) + 1;
        at = end;
        if rest.starts_with("</") {
            let closed = open.pop().unwrap();
            if closed.has_elements && !open.is_empty() {
                found.entry(closed.path).or_default().push(Range {
                    start: closed.start,
                    inner_start: closed.inner_start,
                    inner_end: start,
                    end,
                });
            }
            continue;
        }
        if let Some(parent) = open.last_mut() {
            parent.has_elements = true;
        }
        if text[..end].ends_with("/>") {
            continue;
        }
        let name: String = rest[1..]
            .chars()
            .take_while(|c| !c.is_whitespace() && !matches!(c, '>' | '/'))
            .collect();
        let path = match open.len() {
            0 => String::new(),
            1 => name,
            _ => format!("{}/{name}", open.last().unwrap().path),
        };
        open.push(Open {
            path,
            start,
            inner_start: end,
            has_elements: false,
        });
    }
    found
}

/// Where a tag ends: `>` may stand in the value of an attribute.
fn end_of_tag(tag: &str) -> usize {
    let mut quote = None;
    for (at, c) in tag.char_indices() {
        match (quote, c) {
            (None, '>') => return at,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    tag.len() - 1
}

fn without(text: &str, ranges: &[Range], is_emptied: bool) -> String {
    let mut changed = String::new();
    let mut at = 0;
    for range in ranges {
        let (start, end) = if is_emptied {
            (range.inner_start, range.inner_end)
        } else {
            (range.start, range.end)
        };
        if start < at {
            continue;
        }
        changed.push_str(&text[at..start]);
        at = end;
    }
    changed.push_str(&text[at..]);
    changed
}

/// What of a report may not go without a word: how many findings of each severity.
fn said(report: &Report) -> BTreeMap<&'static str, usize> {
    let mut said = BTreeMap::new();
    for finding in &report.findings {
        *said.entry(finding.severity.as_str()).or_default() += 1;
    }
    said
}

fn is_told(before: &Report, after: &Report) -> bool {
    !after.completeness.is_complete()
        || after
            .problems
            .iter()
            .any(|problem| !before.problems.contains(problem))
}

#[test]
fn no_element_of_xml_goes_or_is_empty_without_a_word() {
    let lines = EXCEPTIONS
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let exceptions: Vec<[&str; 4]> = lines
        .map(|line| {
            let parts: Vec<&str> = line.splitn(4, '|').map(str::trim).collect();
            parts
                .try_into()
                .unwrap_or_else(|_| panic!("four parts in {line:?}"))
        })
        .collect();
    let mut used = vec![false; exceptions.len()];
    let mut hidden = BTreeSet::new();
    let (mut n_changes, mut n_reports) = (0, 0);
    for path in common::reports() {
        let bytes = std::fs::read(&path).unwrap();
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        if text.len() > MAX_BYTES
            || !text
                .trim_start_matches('\u{feff}')
                .trim_start()
                .starts_with('<')
        {
            continue;
        }
        let Ok(before) = read(text.as_bytes(), None, None) else {
            continue;
        };
        // A page of HTML is no tree.
        if !before.completeness.is_complete() || text.contains("</body>") {
            continue;
        }
        n_reports += 1;
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        for (element, ranges) in elements(&text) {
            for (change, is_emptied) in [("removed", false), ("emptied", true)] {
                for ranges in [&ranges[..1], &ranges[..]] {
                    n_changes += 1;
                    let changed = without(&text, ranges, is_emptied);
                    let Ok(after) = read(changed.as_bytes(), None, Some(before.format)) else {
                        continue;
                    };
                    if is_told(&before, &after) || said(&before) == said(&after) {
                        continue;
                    }
                    let fits = |row: &[&str; 4]| {
                        row[0] == before.format
                            && row[1].split(' ').any(|name| name == change)
                            && row[2] == element
                    };
                    if let Some(at) = exceptions.iter().position(fits) {
                        used[at] = true;
                        continue;
                    }
                    let (was, is) = (before.findings.len(), after.findings.len());
                    hidden.insert(format!(
                        "{} | {change} | {element} | {name}: {was} -> {is} findings",
                        before.format
                    ));
                }
            }
        }
    }
    assert!(n_reports > 8, "{n_reports}");
    let lines: Vec<_> = hidden.into_iter().collect();
    assert!(
        lines.is_empty(),
        "{} of {n_changes} changes are hidden:\n{}",
        lines.len(),
        lines.join("\n")
    );
    if common::shared("corpus").is_some() {
        let unused: Vec<_> = exceptions
            .iter()
            .zip(used)
            .filter(|(_, used)| !used)
            .collect();
        assert!(
            unused.is_empty(),
            "exceptions that are not needed: {unused:?}"
        );
    }
}
