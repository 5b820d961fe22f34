//! A checklist document as values.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Range;

use holdpoint_domain::{Gating, nesting};
use serde::{Deserialize, Serialize};

use crate::boxes;
use crate::front_matter::{self, FrontMatter};
use crate::hints::{self, Comment, Hints};
use crate::keys::Keys;
use crate::outline::{self, Heading};
use crate::problems;
use crate::readings::{self, Candidate, Found, What};
use crate::source::{Margin, Source};
use crate::tables::{self, Table};
use crate::text;
use crate::tree::{Kind, Tree};
use crate::{Reading, text::Lead};

/// What an item is called that has no text.
const NO_TEXT: &str = "(no text)";
/// The longest key of a `**Key**: value` line; what is longer is emphasis in a sentence.
const MAX_METADATA_KEY_CHARS: usize = 60;
const N_FIRST_TITLES: usize = 5;

/// A checklist document, read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Document {
    pub title: Option<String>,
    /// Front matter, then header lines, each in the order of the document.
    pub metadata: Vec<(String, String)>,
    /// What stands before the first section and is neither title nor metadata nor an item, as Markdown.
    pub preamble: String,
    /// In document order, those without items included.
    pub sections: Vec<Section>,
    /// In document order, a parent before its sub-items.
    pub items: Vec<Item>,
    pub deliverables: Vec<Deliverable>,
    /// The readings that gave the items, and the tier they were limited to.
    pub read_as: Vec<Reading>,
    pub tier: Option<String>,
    /// What each reading would give.
    pub readings: Vec<ReadingPreview>,
    pub problems: Vec<Problem>,
}

impl Document {
    /// The sections that have items, in document order, each with its items.
    pub fn sections_with_items(&self) -> Vec<(&Section, Vec<&Item>)> {
        let mut items: Vec<Vec<&Item>> = vec![Vec::new(); self.sections.len()];
        for item in &self.items {
            if let Some(of_section) = items.get_mut(item.section) {
                of_section.push(item);
            }
        }
        let both = self.sections.iter().zip(items);
        both.filter(|(_, items)| !items.is_empty()).collect()
    }

    /// The item with this key.
    pub fn item(&self, key: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.key == key)
    }
}

/// A heading, with what stands below it up to the next one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// The number its items' keys begin with: as written, else made from its place; empty for items before any section.
    pub key: String,
    /// As written, without a full stop at the end.
    pub number: Option<String>,
    /// Plain text, without the number.
    pub title: String,
    /// 1 to 6; 0 for the section made for items that stand before any heading.
    pub level: u8,
    /// The index of the section it stands below.
    pub parent: Option<usize>,
    /// Its text that is not an item, as Markdown.
    pub prose: String,
    pub line: usize,
}

/// One thing to be shown, as the document words it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Unique in the document.
    pub key: String,
    /// The index of its section.
    pub section: usize,
    /// The index of the item it is a sub-item of.
    pub parent: Option<usize>,
    /// Plain text.
    pub title: String,
    /// The requirement, as Markdown; empty where the title says it all.
    pub body: String,
    pub ticked: bool,
    /// From 1.
    pub line: usize,
    /// The byte inside its box; `None` where the document has none.
    pub box_offset: Option<usize>,
    pub gating: Option<Gating>,
    pub owner: Option<String>,
    pub scan: Option<String>,
    /// The tiers its table row is marked for.
    pub tiers: Vec<String>,
}

/// Something the review must hand over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deliverable {
    /// Plain text.
    pub title: String,
    /// Markdown.
    pub body: String,
    pub line: usize,
}

/// What one reading of a document would give.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReadingPreview {
    pub reading: Reading,
    pub n_items: usize,
    /// The titles of the first few items.
    pub first_titles: Vec<String>,
    pub tiers: Vec<Tier>,
}

/// A tier that a table has columns or words for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    pub name: String,
    /// How many items a review of this tier would have, those of tables without tiers included.
    pub n_items: usize,
}

/// Something that looks wrong in a document, which is read all the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    pub line: usize,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line {}: {}", self.line, self.message)
    }
}

pub(crate) fn parse_default(text: &str) -> Document {
    with_parsed(text, |parsed| {
        let previews = parsed.previews();
        let tasks = previews.first().is_some_and(|tasks| tasks.n_items > 0);
        let best = previews
            .iter()
            .rev()
            .max_by_key(|preview| preview.n_items)
            .filter(|best| !tasks && best.n_items > 0)
            .map_or(Reading::Tasks, |best| best.reading);
        parsed.document(&[best], None, previews)
    })
}

pub(crate) fn parse_with(text: &str, readings: &[Reading], tier: Option<&str>) -> Document {
    with_parsed(text, |parsed| {
        parsed.document(readings, tier, parsed.previews())
    })
}

pub(crate) fn previews(text: &str) -> Vec<ReadingPreview> {
    parse_with(text, &[Reading::Tasks], None).readings
}

/// Says what was looked for in a document that gives no item.
pub(crate) fn no_items(document: &Document, reading: Option<Reading>) -> String {
    let sought = |reading| match reading {
        Reading::Tasks => "task-list lines (`- [ ] …`)",
        Reading::Tables => "table rows",
        Reading::Questionnaires => "headings that ask a question",
        Reading::Bullets => "list entries below a heading that says checklist",
    };
    let looked_for = match reading {
        Some(reading) => sought(reading).to_owned(),
        None => Reading::ALL
            .iter()
            .map(|reading| sought(*reading))
            .collect::<Vec<_>>()
            .join(", "),
    };
    let mut message =
        format!("Nothing in the document can be read as an item. Looked for: {looked_for}.");
    let others: Vec<_> = document
        .readings
        .iter()
        .filter(|preview| preview.n_items > 0 && !document.read_as.contains(&preview.reading))
        .map(|preview| {
            format!(
                "“{}” would give {}",
                preview.reading.label(),
                preview.n_items
            )
        })
        .collect();
    if !others.is_empty() {
        message.push_str(" Other readings: ");
        message.push_str(&others.join(", "));
        message.push('.');
    }
    message
}

struct Parsed<'a> {
    source: Source<'a>,
    front: FrontMatter,
    tree: Tree<'a>,
    headings: Vec<Heading>,
    comments: Vec<Comment<'a>>,
}

fn with_parsed<T>(text: &str, then: impl FnOnce(&Parsed<'_>) -> T) -> T {
    let front = front_matter::read(text);
    let markdown = &text[front.end..];
    // A box that the text ends with is a task like any other, but is only recognised before white space; and a lone
    // `\r` ends a line, but not everywhere for the parser. Neither change moves a byte.
    // Nor does keeping a hostile text from nesting without end.
    let ends_in_box = markdown.ends_with(']');
    let mut markdown = nesting::shallow(markdown);
    if has_lone_return(&markdown) {
        markdown = with_line_feeds(&markdown).into();
    }
    if ends_in_box {
        markdown.to_mut().push('\n');
    }
    let source = Source::new(text);
    let mut tree = Tree::new(&markdown, front.end, text.len());
    boxes::add_read_by_gitlab(&source, &mut tree);
    let headings = outline::headings(&source, &tree);
    let comments = hints::comments(&source, &tree);
    then(&Parsed {
        source,
        front,
        tree,
        headings,
        comments,
    })
}

fn has_lone_return(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut returns = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\r');
    returns.any(|(at, _)| bytes.get(at + 1) != Some(&b'\n'))
}

fn with_line_feeds(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let is_lone = c == '\r' && chars.peek() != Some(&'\n');
        out.push(if is_lone { '\n' } else { c });
    }
    out
}

/// An item's place among the others.
#[derive(Default)]
struct Place<'a> {
    parent: Option<usize>,
    holes: Vec<Range<usize>>,
    hints: Hints,
    unknown: Vec<(usize, &'a str)>,
}

impl Parsed<'_> {
    fn previews(&self) -> Vec<ReadingPreview> {
        let preview = |reading: &Reading| {
            let found = self.find(&[*reading], None);
            let mut preview = ReadingPreview {
                reading: *reading,
                n_items: found.candidates.len(),
                first_titles: Vec::new(),
                tiers: tiers(&found.tables),
            };
            for candidate in found.candidates.iter().take(N_FIRST_TITLES) {
                let title = match candidate.what {
                    What::ListItem { node } => {
                        text::lead(&self.source, &self.tree, node).map(|lead| lead.title)
                    }
                    What::Row { table, row } => {
                        let (table, row) = (&found.tables[table], &found.tables[table].rows[row]);
                        self.row_title(table, &row.cells).map(|(title, _)| title)
                    }
                    What::Question { heading } => Some(self.headings[heading].title.clone()),
                };
                let title = title.unwrap_or_else(|| NO_TEXT.to_owned());
                preview.first_titles.push(title);
            }
            preview
        };
        Reading::ALL.iter().map(preview).collect()
    }

    fn find(&self, readings: &[Reading], tier: Option<&str>) -> Found {
        readings::find(&self.source, &self.tree, &self.headings, readings, tier)
    }

    fn document(
        &self,
        readings: &[Reading],
        tier: Option<&str>,
        previews: Vec<ReadingPreview>,
    ) -> Document {
        let found = self.find(readings, tier);
        let candidates = &found.candidates;
        let mut problems = Vec::new();
        let deliverables = self.deliverables(&found, &mut problems);
        let places = self.places(candidates, &mut problems);

        // Questions, and headings inside them, are no sections.
        let mut is_section: Vec<bool> = self.headings.iter().map(|h| !h.is_title).collect();
        let mut asked_up_to = 0;
        let mut next = candidates
            .iter()
            .filter_map(|candidate| match candidate.what {
                What::Question { heading } => Some((heading, candidate.range.end)),
                _ => None,
            });
        let mut question = next.next();
        for (at, heading) in self.headings.iter().enumerate() {
            if let Some((of_question, end)) = question
                && of_question == at
            {
                asked_up_to = asked_up_to.max(end);
                question = next.next();
            }
            if heading.range.start < asked_up_to {
                is_section[at] = false;
            }
        }
        let first_section = (0..self.headings.len()).find(|at| is_section[*at]);
        let first_section = first_section.map_or(self.source.text.len(), |first| {
            self.headings[first].range.start
        });
        let first_item = candidates.first().map_or(usize::MAX, |c| c.range.start);

        let mut prose_holes = self.prose_holes(&found, &deliverables);
        let mut metadata = self.front.metadata.clone();
        self.header_lines(
            first_section.min(first_item),
            &mut metadata,
            &mut prose_holes,
        );
        prose_holes.sort_by_key(|hole| hole.start);

        let written_title = self
            .headings
            .first()
            .filter(|first| first.is_title)
            .map(|first| match &first.number {
                Some(number) => format!("{number} {}", first.title),
                None => first.title.clone(),
            });
        let in_front = metadata[..self.front.metadata.len()]
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case("title"))
            .map(|(_, title)| title.clone());
        let first_of_level_1 = self.headings.iter().find(|heading| heading.level == 1);
        let title = text::first_of([
            written_title,
            in_front,
            first_of_level_1.map(|heading| heading.title.clone()),
        ]);

        let preamble_start = self
            .headings
            .first()
            .filter(|first| first.is_title)
            .map_or(self.front.end, |first| first.range.end);
        let before_title = self.prose(
            self.front.end
                ..self
                    .headings
                    .first()
                    .filter(|h| h.is_title)
                    .map_or(self.front.end, |h| h.range.start),
            &prose_holes,
        );
        let preamble = [
            before_title,
            self.prose(preamble_start..first_section, &prose_holes),
        ]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("\n\n");

        let sections = self.sections(
            &is_section,
            (first_item < first_section).then(|| title.as_deref().unwrap_or("Checklist")),
            &prose_holes,
        );
        let items = self.items(&found, places, &sections, &mut problems);
        problems::look_over(&self.source, &self.tree, &found, &mut problems);
        problems.sort();
        problems.dedup();
        Document {
            title,
            metadata,
            preamble,
            sections: sections.into_iter().map(|(_, section)| section).collect(),
            items,
            deliverables: deliverables.into_iter().map(|(_, d)| d).collect(),
            read_as: readings.to_vec(),
            tier: tier.map(str::to_owned),
            readings: previews,
            problems,
        }
    }

    /// Who is inside whom, and what of each text belongs to somebody else.
    fn places(&self, candidates: &[Candidate], problems: &mut Vec<Problem>) -> Vec<Place<'_>> {
        let mut places: Vec<Place<'_>> = Vec::with_capacity(candidates.len());
        let mut open: Vec<usize> = Vec::new();
        let mut comments = self.comments.iter().peekable();
        for (at, candidate) in candidates.iter().enumerate() {
            let next = candidates.get(at + 1).map_or(usize::MAX, |n| n.range.start);
            while open
                .pop_if(|above| candidates[*above].range.end <= candidate.range.start)
                .is_some()
            {}
            let parent = open.last().copied();
            if let Some(parent) = parent {
                let hole = match candidate.what {
                    What::Row { .. } => candidate.range.clone(),
                    _ => self.source.whole_lines(candidate.range.clone()),
                };
                places[parent].holes.push(hole);
            }
            open.push(at);
            places.push(Place {
                parent,
                ..Place::default()
            });
            while let Some(comment) = comments.next_if(|comment| comment.range.end <= next) {
                while open
                    .pop_if(|above| candidates[*above].range.end <= comment.range.start)
                    .is_some()
                {}
                match open.last() {
                    Some(inner) if comment.range.start >= candidates[*inner].range.start => {
                        let place = &mut places[*inner];
                        let unknown = place.hints.take(comment);
                        let start = comment.range.start;
                        place
                            .unknown
                            .extend(unknown.into_iter().map(|word| (start, word)));
                        place.holes.push(comment.range.clone());
                    }
                    _ => problems.push(self.outside(comment)),
                }
            }
        }
        problems.extend(comments.map(|comment| self.outside(comment)));
        places
    }

    fn outside(&self, comment: &Comment<'_>) -> Problem {
        Problem {
            line: self.source.line(comment.range.end.saturating_sub(1)),
            message: "the holdpoint comment stands outside of every item, so it has no effect. Put it at the end of the item's line.".to_owned(),
        }
    }

    fn items(
        &self,
        found: &Found,
        places: Vec<Place<'_>>,
        sections: &[(usize, Section)],
        problems: &mut Vec<Problem>,
    ) -> Vec<Item> {
        let mut keys = Keys::default();
        let mut n_in_section = vec![0_usize; sections.len()];
        let mut n_below: HashMap<usize, usize> = HashMap::new();
        let mut items: Vec<Item> = Vec::with_capacity(places.len());
        for (candidate, mut place) in found.candidates.iter().zip(places) {
            let start = candidate.range.start;
            let section = sections
                .partition_point(|(section_start, _)| *section_start <= start)
                .saturating_sub(1);
            let number = match candidate.what {
                What::Question { heading } => self.headings[heading].number.clone(),
                _ => None,
            };
            let key = match (place.parent, number) {
                (_, Some(number)) => number,
                (Some(parent), None) => {
                    let n = n_below.entry(parent).or_insert(0);
                    *n += 1;
                    format!("{}.{n}", items[parent].key)
                }
                (None, None) => {
                    n_in_section[section] += 1;
                    let n = n_in_section[section];
                    match sections[section].1.key.as_str() {
                        "" => n.to_string(),
                        section => format!("{section}.{n}"),
                    }
                }
            };
            place.holes.sort_by_key(|hole| hole.start);
            let (title, body) = self.title_and_body(found, candidate, &place.holes);
            let (ticked, box_offset) = self.box_of(found, candidate);
            let (tiers, owner_cell) = match candidate.what {
                What::Row { table, row } => {
                    let (table, row) = (&found.tables[table], &found.tables[table].rows[row]);
                    let owner = table.owner.and_then(|at| row.cells.get(at));
                    let owner = owner.map(|cell| self.tree.plain(*cell));
                    (row.tiers.clone(), owner.filter(|owner| !owner.is_empty()))
                }
                _ => (Vec::new(), None),
            };
            let line = self.source.line(start);
            if title.is_none() {
                let message = "the item has no text. Write the requirement after `- [ ]`.";
                problems.push(Problem {
                    line,
                    message: message.to_owned(),
                });
            }
            for (at, word) in place.unknown {
                problems.push(Problem {
                    line: self.source.line(at),
                    message: format!(
                        "“{word}” is not known in a holdpoint comment. Known are advisory, blocker, owner=… and scan=…, separated by semicolons."
                    ),
                });
            }
            items.push(Item {
                key: keys.unique(key),
                section,
                parent: place.parent,
                title: title.unwrap_or_else(|| NO_TEXT.to_owned()),
                body,
                ticked,
                line,
                box_offset,
                gating: place.hints.gating,
                owner: place.hints.owner.or(owner_cell),
                scan: place.hints.scan,
                tiers,
            });
        }
        items
    }

    fn title_and_body(
        &self,
        found: &Found,
        candidate: &Candidate,
        holes: &[Range<usize>],
    ) -> (Option<String>, String) {
        match candidate.what {
            What::ListItem { node } => {
                let (title, body) = self.list_item_text(node, holes);
                (title, body)
            }
            What::Row { table, row } => {
                let (table, row) = (&found.tables[table], &found.tables[table].rows[row]);
                self.row_text(table, &row.cells)
            }
            What::Question { heading } => {
                let heading = &self.headings[heading];
                let body = self.source.markdown(
                    heading.range.end..candidate.range.end,
                    holes,
                    Margin::default(),
                );
                let title = (!heading.title.is_empty()).then(|| heading.title.clone());
                (title, body)
            }
        }
    }

    fn list_item_text(&self, node: usize, holes: &[Range<usize>]) -> (Option<String>, String) {
        let range = self.tree.range(node);
        let margin = self
            .source
            .margin(range.start, self.tree.nodes[node].quotes);
        let lead = text::lead(&self.source, &self.tree, node);
        let body_start = match (&lead, self.tree.box_of(node)) {
            (Some(Lead { body_start, .. }), _) => *body_start,
            (None, Some(task)) => self.tree.range(task).end,
            (None, None) => self
                .tree
                .children(node)
                .next()
                .map_or(range.end, |first| self.tree.range(first).start),
        };
        let body = self.source.markdown(body_start..range.end, holes, margin);
        (lead.map(|lead| lead.title), body)
    }

    /// A row's title, and the cell it is in.
    fn row_title(&self, table: &Table, cells: &[usize]) -> Option<(String, usize)> {
        let columns = std::iter::once(table.title)
            .chain((0..cells.len()).filter(|at| table.is_requirement(*at)));
        columns
            .filter_map(|at| Some((self.tree.plain(*cells.get(at)?), at)))
            .find(|(title, _)| !title.is_empty())
    }

    fn row_text(&self, table: &Table, cells: &[usize]) -> (Option<String>, String) {
        let title = self.row_title(table, cells);
        let markdown =
            |at: usize| text::cell_markdown(&self.source, &self.tree, cells[at], &self.comments);
        let mut parts = Vec::new();
        if let Some((_, at)) = &title {
            // A link in the title is plain text there, so the requirement keeps the cell as written.
            let cell = cells[*at];
            let below = &self.tree.nodes[cell..self.tree.nodes[cell].end];
            if below.iter().any(|node| node.kind == Kind::Link) {
                parts.push(markdown(*at));
            }
        }
        let others: Vec<_> = (0..cells.len())
            .filter(|at| table.is_requirement(*at))
            .filter(|at| title.as_ref().is_none_or(|(_, title)| title != at))
            .map(|at| (at, markdown(at)))
            .filter(|(_, text)| !text.is_empty())
            .collect();
        for (at, text) in others {
            let header = table.headers.get(at).map_or("", String::as_str);
            if table.n_requirements > 1 && !header.is_empty() {
                parts.push(format!("**{header}**: {text}"));
            } else {
                parts.push(text);
            }
        }
        (title.map(|(title, _)| title), parts.join("\n\n"))
    }

    fn box_of(&self, found: &Found, candidate: &Candidate) -> (bool, Option<usize>) {
        match candidate.what {
            What::ListItem { node } => {
                let Some(task) = self.tree.box_of(node) else {
                    return (false, None);
                };
                let range = self.tree.range(task);
                let offset = self
                    .source
                    .slice(range.clone())
                    .find('[')
                    .map(|bracket| range.start + bracket + 1);
                (self.tree.kind(task) == Kind::Box { ticked: true }, offset)
            }
            What::Row { table, row } => {
                let row = &found.tables[table].rows[row];
                let mut boxes = row
                    .cells
                    .iter()
                    .filter_map(|cell| tables::cell_box(&self.source, &self.tree, *cell));
                // Two boxes in a row are an answer sheet (yes, no), not the item's box.
                match (boxes.next(), boxes.next()) {
                    (Some((ticked, offset)), None) => (ticked, Some(offset)),
                    _ => (false, None),
                }
            }
            What::Question { .. } => (false, None),
        }
    }

    fn deliverables(
        &self,
        found: &Found,
        problems: &mut Vec<Problem>,
    ) -> Vec<(Range<usize>, Deliverable)> {
        let starts: Vec<_> = found.candidates.iter().map(|c| c.range.start).collect();
        let mut lists = self
            .tree
            .children(0)
            .filter(|node| matches!(self.tree.kind(*node), Kind::List { .. }))
            .peekable();
        let mut deliverables = Vec::new();
        for heading in &self.headings {
            while lists
                .next_if(|list| self.tree.range(*list).start < heading.range.end)
                .is_some()
            {}
            if !heading.is_deliverables() {
                continue;
            }
            while let Some(list) = lists.next_if(|list| self.tree.range(*list).start < heading.end)
            {
                let is_ordered = self.tree.kind(list) == Kind::List { ordered: true };
                let mut n_plain = 0;
                for item in self.tree.children(list) {
                    let range = self.tree.range(item);
                    let first = starts.partition_point(|start| *start < range.start);
                    if starts.get(first).is_some_and(|start| *start < range.end) {
                        continue;
                    }
                    n_plain += 1;
                    if is_ordered {
                        let (title, body) = self.list_item_text(item, &[]);
                        let line = self.source.line(range.start);
                        let title = title.unwrap_or_else(|| NO_TEXT.to_owned());
                        deliverables.push((range, Deliverable { title, body, line }));
                    }
                }
                if !is_ordered && n_plain > 0 {
                    problems.push(Problem {
                        line: self.source.line(self.tree.range(list).start),
                        message: "this list below the heading Deliverables is not numbered, so it gives no deliverables. Number it: `1.`, `2.`, …".to_owned(),
                    });
                }
            }
        }
        deliverables
    }

    /// What of the sections' text is not their own: items, deliverables, rules.
    fn prose_holes(
        &self,
        found: &Found,
        deliverables: &[(Range<usize>, Deliverable)],
    ) -> Vec<Range<usize>> {
        let mut holes: Vec<Range<usize>> = Vec::new();
        let mut tables = HashSet::new();
        for candidate in &found.candidates {
            match candidate.what {
                What::Row { table, row } => {
                    let parent = self.tree.nodes[found.tables[table].rows[row].node].parent;
                    tables.insert(parent);
                }
                _ => holes.push(self.source.whole_lines(candidate.range.clone())),
            }
        }
        let ranges = tables.into_iter().map(|table| self.tree.range(table));
        holes.extend(ranges.map(|range| self.source.whole_lines(range)));
        let ranges = deliverables.iter().map(|(range, _)| range.clone());
        holes.extend(ranges.map(|range| self.source.whole_lines(range)));
        let rules = self
            .tree
            .children(0)
            .filter(|node| self.tree.kind(*node) == Kind::Rule);
        holes.extend(rules.map(|rule| self.source.whole_lines(self.tree.range(rule))));
        holes.extend(self.comments.iter().map(|comment| comment.range.clone()));
        holes
    }

    fn prose(&self, range: Range<usize>, holes: &[Range<usize>]) -> String {
        let first = holes.partition_point(|hole| hole.start < range.start);
        self.source
            .markdown(range, &holes[first..], Margin::default())
    }

    /// Takes `**Key**: value` lines from the paragraphs that stand before an offset.
    fn header_lines(
        &self,
        before: usize,
        metadata: &mut Vec<(String, String)>,
        holes: &mut Vec<Range<usize>>,
    ) {
        for paragraph in self.tree.children(0) {
            if self.tree.range(paragraph).start >= before {
                break;
            }
            if self.tree.kind(paragraph) != Kind::Paragraph {
                continue;
            }
            let children: Vec<_> = self.tree.children(paragraph).collect();
            let n_before = metadata.len();
            for line in children.split(|node| self.tree.kind(*node) == Kind::Break) {
                let (Some(first), Some(last)) = (line.first(), line.last()) else {
                    continue;
                };
                let range = self.tree.range(*first).start..self.tree.range(*last).end;
                if let Some(header) = self.header_line(line) {
                    metadata.push(header);
                } else if let Some((_, value)) = metadata[n_before..].last_mut() {
                    value.push(' ');
                    value.push_str(self.source.slice(range.clone()).trim());
                } else {
                    break;
                }
                holes.push(self.source.whole_lines(range));
            }
        }
    }

    fn header_line(&self, line: &[usize]) -> Option<(String, String)> {
        let (bold, rest) = line.split_first()?;
        if self.tree.kind(*bold) != Kind::Strong {
            return None;
        }
        let written = self.tree.plain(*bold);
        let key = written.trim_end_matches(':').trim_end();
        let from = self.tree.range(*bold).end;
        let to = rest.last().map_or(from, |last| self.tree.range(*last).end);
        let value = self.source.slice(from..to);
        let value = match value.trim_start().strip_prefix(':') {
            Some(value) => value,
            None if key.len() < written.len() => value,
            None => return None,
        };
        let fits = !key.is_empty() && key.chars().count() <= MAX_METADATA_KEY_CHARS;
        fits.then(|| (key.to_owned(), value.trim().to_owned()))
    }

    /// The sections with where each starts. With `for_items`, one of that title comes first for the items before any heading.
    fn sections(
        &self,
        is_section: &[bool],
        for_items: Option<&str>,
        holes: &[Range<usize>],
    ) -> Vec<(usize, Section)> {
        let keys = outline::section_keys(&self.headings, is_section);
        let mut index = vec![None; self.headings.len()];
        let mut sections = Vec::new();
        if let Some(title) = for_items {
            sections.push((
                0,
                Section {
                    key: String::new(),
                    number: None,
                    title: title.to_owned(),
                    level: 0,
                    parent: None,
                    prose: String::new(),
                    line: 1,
                },
            ));
        }
        for (at, heading) in self.headings.iter().enumerate() {
            if !is_section[at] {
                continue;
            }
            index[at] = Some(sections.len());
            sections.push((
                heading.range.start,
                Section {
                    key: keys[at].clone(),
                    number: heading.number.clone(),
                    title: heading.title.clone(),
                    level: heading.level,
                    parent: heading.parent.and_then(|parent| index[parent]),
                    prose: self.prose(heading.range.end..heading.end, holes),
                    line: self.source.line(heading.range.start),
                },
            ));
        }
        sections
    }
}

fn tiers(tables: &[Table]) -> Vec<Tier> {
    let mut tiers: Vec<Tier> = Vec::new();
    let mut index: HashMap<String, usize> = HashMap::new();
    let mut n_without = 0;
    for table in tables {
        if !table.has_tiers() {
            n_without += table.rows.len();
        }
        let in_columns = table.tiers.iter().map(|(_, name)| (name, 0));
        let in_rows = table.rows.iter().flat_map(|row| &row.tiers);
        for (name, n_rows) in in_columns.chain(in_rows.map(|name| (name, 1))) {
            let at = *index.entry(name.clone()).or_insert_with(|| {
                tiers.push(Tier {
                    name: name.clone(),
                    n_items: 0,
                });
                tiers.len() - 1
            });
            tiers[at].n_items += n_rows;
        }
    }
    for tier in &mut tiers {
        tier.n_items += n_without;
    }
    tiers
}
