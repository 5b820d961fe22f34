//! The document's headings: its title, and how its sections nest and are numbered.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::keys::split_number;
use crate::source::Source;
use crate::tree::{Kind, Tree};

pub(crate) struct Heading {
    pub(crate) level: u8,
    pub(crate) number: Option<String>,
    /// Without its number.
    pub(crate) title: String,
    /// The next heading above it in level, the document's title included.
    pub(crate) parent: Option<usize>,
    pub(crate) range: Range<usize>,
    /// Where the next heading starts.
    pub(crate) end: usize,
    /// Where the next heading of its level or above starts.
    pub(crate) reach: usize,
    /// Whether it names the document, and so is no section.
    pub(crate) is_title: bool,
}

impl Heading {
    pub(crate) fn is_deliverables(&self) -> bool {
        let title = self.title.trim_end_matches(':').trim_end();
        ["deliverables", "deliverable"]
            .iter()
            .any(|name| title.eq_ignore_ascii_case(name))
    }
}

/// Reads every heading at the top level of the document.
pub(crate) fn headings(source: &Source<'_>, tree: &Tree<'_>) -> Vec<Heading> {
    let mut found: Vec<Heading> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for node in tree.children(0) {
        let Kind::Heading(level) = tree.kind(node) else {
            continue;
        };
        let range = tree.range(node);
        while let Some(above) = open.pop_if(|above| found[*above].level >= level) {
            found[above].reach = range.start;
        }
        if let Some(last) = found.last_mut() {
            last.end = range.start;
        }
        let plain = tree.plain(node);
        let (number, title) = match split_number(&plain) {
            Some((number, title)) => (Some(number.to_owned()), title.to_owned()),
            None => (None, plain),
        };
        let parent = open.last().copied();
        open.push(found.len());
        found.push(Heading {
            level,
            number,
            title,
            parent,
            range,
            end: source.text.len(),
            reach: source.text.len(),
            is_title: false,
        });
    }
    let is_alone = found
        .split_first()
        .is_some_and(|(first, rest)| rest.iter().all(|other| other.level > first.level));
    if is_alone && (found.len() > 1 || found[0].level == 1) {
        found[0].is_title = true;
    }
    found
}

/// The key of each heading that is a section: its number, or one made from where it stands.
pub(crate) fn section_keys(headings: &[Heading], is_section: &[bool]) -> Vec<String> {
    let mut taken: HashSet<String> = headings
        .iter()
        .zip(is_section)
        .filter(|(_, is_section)| **is_section)
        .filter_map(|(heading, _)| heading.number.clone())
        .collect();
    let mut keys = vec![String::new(); headings.len()];
    // By the parent's key rather than by the parent, since two headings may carry one number.
    let mut last: HashMap<String, usize> = HashMap::new();
    for (at, heading) in headings.iter().enumerate() {
        if !is_section[at] {
            continue;
        }
        if let Some(number) = &heading.number {
            keys[at].clone_from(number);
            continue;
        }
        let above = heading
            .parent
            .filter(|above| is_section[*above])
            .map_or("", |above| keys[above].as_str())
            .to_owned();
        let last = last.entry(above.clone()).or_insert(0);
        keys[at] = loop {
            *last += 1;
            let key = if above.is_empty() {
                last.to_string()
            } else {
                format!("{above}.{last}")
            };
            if taken.insert(key.clone()) {
                break key;
            }
        };
    }
    keys
}
