//! What counts as an item: the four readings.

use std::ops::Range;

use crate::Reading;
use crate::outline::Heading;
use crate::source::Source;
use crate::tables::Table;
use crate::tree::{Kind, Tree};

/// Where an item stands, before it has a section, a key and a text.
pub(crate) struct Candidate {
    pub(crate) range: Range<usize>,
    pub(crate) what: What,
}

#[derive(Clone, Copy)]
pub(crate) enum What {
    /// A list item node.
    ListItem { node: usize },
    /// A row of one of the tables.
    Row { table: usize, row: usize },
    /// One of the headings.
    Question { heading: usize },
}

pub(crate) struct Found {
    /// In document order; outer ones before what is inside them.
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) tables: Vec<Table>,
}

pub(crate) fn find(
    source: &Source<'_>,
    tree: &Tree<'_>,
    headings: &[Heading],
    readings: &[Reading],
    tier: Option<&str>,
) -> Found {
    let mut candidates = Vec::new();
    let mut tables = Vec::new();
    if readings.contains(&Reading::Tasks) {
        candidates = tasks(tree);
    }
    let tasks = outermost(candidates.iter().map(|task| task.range.clone()));
    if readings.contains(&Reading::Tables) {
        for node in tree.all(|kind| kind == Kind::Table) {
            if !lies_within(&tasks, &tree.range(node)) {
                let table = Table::new(source, tree, node);
                add_rows(tree, &table, tables.len(), tier, &mut candidates);
                tables.push(table);
            }
        }
    }
    if readings.contains(&Reading::Bullets) {
        let others = sorted_starts(&candidates);
        for bullet in bullets(tree, headings) {
            if !lies_within(&tasks, &bullet.range) && !holds_any(&others, &bullet.range) {
                candidates.push(bullet);
            }
        }
    }
    if readings.contains(&Reading::Questionnaires) {
        let others = sorted_starts(&candidates);
        for question in questions(headings) {
            if !holds_any(&others, &question.range) {
                candidates.push(question);
            }
        }
    }
    candidates.sort_by_key(|candidate| {
        (
            candidate.range.start,
            std::cmp::Reverse(candidate.range.end),
        )
    });
    Found { candidates, tables }
}

fn tasks(tree: &Tree<'_>) -> Vec<Candidate> {
    tree.all(|kind| matches!(kind, Kind::Box { .. }))
        .filter_map(|task| tree.item_of(task))
        .map(|node| Candidate {
            range: tree.range(node),
            what: What::ListItem { node },
        })
        .collect()
}

fn add_rows(
    tree: &Tree<'_>,
    table: &Table,
    index: usize,
    tier: Option<&str>,
    candidates: &mut Vec<Candidate>,
) {
    for (row, found) in table.rows.iter().enumerate() {
        let asked_for = tier.is_none_or(|tier| {
            !table.has_tiers() || found.tiers.iter().any(|of_row| of_row == tier)
        });
        if asked_for {
            candidates.push(Candidate {
                range: tree.range(found.node),
                what: What::Row { table: index, row },
            });
        }
    }
}

fn bullets(tree: &Tree<'_>, headings: &[Heading]) -> Vec<Candidate> {
    let says = |heading: &Heading| {
        let title = heading.title.to_lowercase();
        ["checklist", "check list", "check-list"]
            .iter()
            .any(|word| title.contains(word))
    };
    let any_section_says = headings
        .iter()
        .any(|heading| !heading.is_title && says(heading));
    let title_says = headings
        .iter()
        .any(|heading| heading.is_title && says(heading));
    let mut says_checklist = vec![false; headings.len()];
    for (at, heading) in headings.iter().enumerate() {
        let inherited = heading.parent.is_some_and(|parent| says_checklist[parent]);
        says_checklist[at] = !heading.is_title && (inherited || says(heading));
    }
    let mut found = Vec::new();
    for list in tree.all(|kind| matches!(kind, Kind::List { .. })) {
        let node = &tree.nodes[list];
        if node.lists > 0 {
            continue;
        }
        let above = headings
            .partition_point(|heading| heading.range.start <= node.range.start)
            .checked_sub(1);
        let is_checklist = if any_section_says {
            above.is_some_and(|above| says_checklist[above])
        } else {
            title_says
        };
        let is_deliverables = node.kind == Kind::List { ordered: true }
            && above.is_some_and(|above| headings[above].is_deliverables());
        if is_checklist && !is_deliverables {
            found.extend(tree.children(list).map(|item| Candidate {
                range: tree.range(item),
                what: What::ListItem { node: item },
            }));
        }
    }
    found
}

fn questions(headings: &[Heading]) -> Vec<Candidate> {
    let asks = |heading: &Heading| {
        let title = heading.title.trim_end_matches([' ', '*', '_', ':', ')']);
        title.ends_with(['?', '？'])
    };
    // For each heading as a parent: how many stand below it, and how many of them ask.
    let mut n_below = vec![(0_usize, 0_usize); headings.len() + 1];
    let parent = |heading: &Heading| heading.parent.map_or(headings.len(), |parent| parent);
    for heading in headings {
        let (n_headings, n_asking) = &mut n_below[parent(heading)];
        *n_headings += 1;
        *n_asking += usize::from(asks(heading));
    }
    let mut is_parent = vec![false; headings.len()];
    for heading in headings {
        if let Some(parent) = heading.parent {
            is_parent[parent] = true;
        }
    }
    let mut found = Vec::new();
    for (at, heading) in headings.iter().enumerate() {
        let (n_headings, n_asking) = n_below[parent(heading)];
        let among_questions = n_asking * 2 > n_headings && !is_parent[at];
        if !heading.is_title && (asks(heading) || among_questions) {
            found.push(Candidate {
                range: heading.range.start..heading.reach,
                what: What::Question { heading: at },
            });
        }
    }
    found
}

/// Ranges in document order, those inside others left out.
fn outermost(ranges: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        if found.last().is_none_or(|last| range.start >= last.end) {
            found.push(range);
        }
    }
    found
}

fn lies_within(outer: &[Range<usize>], range: &Range<usize>) -> bool {
    let at = outer.partition_point(|outer| outer.start <= range.start);
    at > 0 && outer[at - 1].end > range.start
}

fn sorted_starts(candidates: &[Candidate]) -> Vec<usize> {
    let mut starts: Vec<_> = candidates.iter().map(|other| other.range.start).collect();
    starts.sort_unstable();
    starts
}

fn holds_any(starts: &[usize], range: &Range<usize>) -> bool {
    let at = starts.partition_point(|start| *start < range.start);
    starts.get(at).is_some_and(|start| *start < range.end)
}
