//! What the columns of a table mean.

use crate::source::Source;
use crate::tree::{Kind, Tree};

/// A table as the tables reading sees it.
pub(crate) struct Table {
    pub(crate) title: usize,
    /// Columns whose marks say which rows belong to a tier.
    pub(crate) tiers: Vec<(usize, String)>,
    /// A column that names the tiers of each row.
    pub(crate) tier_names: Option<usize>,
    pub(crate) owner: Option<usize>,
    /// Which columns say something about the requirement: not the title, not tiers, not the owner, and not those for the
    /// answer, with nothing in them but boxes, marks and white space.
    requirement: Vec<bool>,
    pub(crate) n_requirements: usize,
    pub(crate) headers: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

pub(crate) struct Row {
    pub(crate) node: usize,
    pub(crate) cells: Vec<usize>,
    pub(crate) tiers: Vec<String>,
}

const TITLES: &[&str] = &[
    "check name",
    "check",
    "item",
    "checklist item",
    "requirement",
    "criterion",
    "criteria",
    "control",
    "question",
    "task",
    "title",
    "name",
];

const ANSWERS: &[&str] = &[
    "done",
    "status",
    "ok",
    "okay",
    "yes",
    "no",
    "y",
    "n",
    "n/a",
    "na",
    "pass",
    "passed",
    "fail",
    "failed",
    "checked",
    "complete",
    "completed",
    "result",
    "✓",
    "✔",
    "✅",
    "☑",
];

impl Table {
    pub(crate) fn new(source: &Source<'_>, tree: &Tree<'_>, table: usize) -> Self {
        let mut headers = Vec::new();
        let mut rows = Vec::new();
        let mut texts: Vec<Vec<String>> = Vec::new();
        for row in tree.children(table) {
            let cells: Vec<usize> = tree
                .children(row)
                .filter(|cell| tree.kind(*cell) == Kind::Cell)
                .collect();
            let plain = cells.iter().map(|cell| tree.plain(*cell));
            if matches!(tree.kind(row), Kind::Row { head: true }) {
                headers = plain.collect();
            } else {
                texts.push(plain.collect());
                rows.push(Row {
                    node: row,
                    cells,
                    tiers: Vec::new(),
                });
            }
        }
        let lower: Vec<String> = headers.iter().map(|header| header.to_lowercase()).collect();
        let position = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| lower.iter().position(|header| header == name))
        };
        let column = |at: usize| {
            texts
                .iter()
                .map(move |row| row.get(at).map_or("", String::as_str))
        };
        let named = position(TITLES);
        let is_marks = |at: usize| column(at).all(|cell| mark(cell).is_some());
        let has_marks = |at: usize| column(at).any(|cell| mark(cell) == Some(true));
        let has_boxes = |at: usize| column(at).any(is_box);
        let answers: Vec<bool> = (0..headers.len())
            .map(|at| {
                let named_so = ANSWERS.contains(&lower[at].as_str()) || lower[at].is_empty();
                Some(at) != named && (named_so || has_boxes(at)) && is_marks(at)
            })
            .collect();
        let may_be_tier = |at: &usize| Some(*at) != named && !answers[*at] && is_marks(*at);
        let mut tier_columns: Vec<usize> = (0..headers.len())
            .filter(may_be_tier)
            .filter(|at| names_a_tier(&lower[*at]))
            .collect();
        if tier_columns.is_empty() {
            tier_columns = (0..headers.len())
                .filter(may_be_tier)
                .filter(|at| has_marks(*at))
                .collect();
            if tier_columns.len() < 2 {
                tier_columns.clear();
            }
        }
        let tier_names = position(&["level", "levels", "tier", "tiers"])
            .filter(|at| tier_columns.is_empty() && Some(*at) != named)
            .filter(|at| column(*at).all(|cell| cell.chars().count() <= 40));
        let owner = position(&["owner", "responsible"]).filter(|at| Some(*at) != named);
        let mut is_other = answers;
        for at in tier_columns.iter().copied().chain(tier_names).chain(owner) {
            is_other[at] = true;
        }
        let is_number = |at: &usize| {
            matches!(
                lower[*at].as_str(),
                "#" | "no" | "no." | "nr" | "id" | "ref"
            )
        };
        let title = named
            .or_else(|| (0..headers.len()).find(|at| !is_other[*at] && !is_number(at)))
            .unwrap_or(0);
        for (row, texts) in rows.iter_mut().zip(&texts) {
            let cell = |at: usize| texts.get(at).map_or("", String::as_str);
            for at in &tier_columns {
                if mark(cell(*at)) == Some(true) {
                    row.tiers.push(headers[*at].clone());
                }
            }
            if let Some(at) = tier_names {
                let names = cell(at).split([',', '/', ';']).map(str::trim);
                row.tiers
                    .extend(names.filter(|name| !name.is_empty()).map(str::to_owned));
            }
        }
        rows.retain(|row| {
            row.cells
                .iter()
                .any(|cell| !source.slice(tree.range(*cell)).trim().is_empty())
        });
        let requirement: Vec<bool> = (0..headers.len())
            .map(|at| at != title && !is_other[at])
            .collect();
        Self {
            title,
            n_requirements: requirement.iter().filter(|is| **is).count(),
            requirement,
            tiers: tier_columns
                .iter()
                .map(|at| (*at, headers[*at].clone()))
                .collect(),
            tier_names,
            owner,
            headers,
            rows,
        }
    }

    pub(crate) fn has_tiers(&self) -> bool {
        !self.tiers.is_empty() || self.tier_names.is_some()
    }

    /// Whether a column says something about the requirement.
    pub(crate) fn is_requirement(&self, column: usize) -> bool {
        self.requirement.get(column).copied().unwrap_or(false)
    }
}

/// The box that is all a cell holds: whether it is ticked, and where its inside stands.
pub(crate) fn cell_box(source: &Source<'_>, tree: &Tree<'_>, cell: usize) -> Option<(bool, usize)> {
    let range = tree.range(cell);
    let text = source.slice(range.clone());
    let at = range.start + (text.len() - text.trim_start().len()) + 1;
    match text.trim() {
        "[ ]" => Some((false, at)),
        "[x]" | "[X]" => Some((true, at)),
        _ => None,
    }
}

fn is_box(cell: &str) -> bool {
    matches!(cell, "[ ]" | "[x]" | "[X]")
}

fn names_a_tier(header: &str) -> bool {
    let is_letter = header.len() == 1 && header.bytes().all(|byte| (b'a'..=b'e').contains(&byte));
    let is_priority = header.len() == 2
        && header.starts_with('p')
        && header.ends_with(|c: char| c.is_ascii_digit());
    is_letter
        || is_priority
        || ["level ", "tier ", "class ", "stage ", "grade "]
            .iter()
            .any(|word| header.starts_with(word))
}

/// Whether a cell is a mark for yes or for no; `None` if it says more than that.
fn mark(cell: &str) -> Option<bool> {
    match cell.to_lowercase().as_str() {
        "" | "-" | "–" | "—" | "no" | "n" | "n/a" | "[ ]" | "☐" | "✗" | "✘" | "❌" | ":x:"
        | "optional" | ":soon:" => Some(false),
        "x"
        | "yes"
        | "y"
        | "[x]"
        | "☑"
        | "☑️"
        | "✓"
        | "✔"
        | "✔️"
        | "✅"
        | "•"
        | "●"
        | "o"
        | "*"
        | "required"
        | "must"
        | ":white_check_mark:"
        | ":heavy_check_mark:"
        | ":ballot_box_with_check:"
        | ":o:"
        | "🟢"
        | "⭐" => Some(true),
        _ => None,
    }
}
