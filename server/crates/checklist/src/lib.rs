//! Markdown checklists in, and the same bytes out.
//!
//! A checklist document is read into sections, items and deliverables ([`parse`]), and written back with nothing but its
//! boxes changed ([`tick`], [`write_back`]). Two versions of one document are compared by [`difference`]. The crate takes
//! text and gives values: it opens no file, renders no HTML and knows nothing of reviews.
//!
//! # The grammar
//!
//! The document is CommonMark with tables, strikethrough, footnotes and task lists, as pulldown-cmark reads it. So a
//! `- [ ]` inside a code fence, an HTML block or a table is text, and `-`, `*`, `+`, `1.` and `1)` are all bullets.
//! Lines end with `\n`, `\r\n` or `\r`; a byte order mark is allowed, and is kept by the write-back.
//!
//! - **Front matter**: a first line `---`, then `key: value` lines, then `---` or `...`. Only such lines are read, no
//!   further YAML: a quoted value loses its quotes, and indented lines or `- x` below a key are joined to its value. A block that
//!   holds anything else is not front matter but text.
//! - **Metadata**: the front matter, then each `**Key**: value` line of the paragraphs before the first section and the
//!   first item. The value is Markdown, as written.
//! - **Title**: the first heading, if no other is of its level or above. It is then no section. Failing that, the front matter's
//!   `title`, else the first heading of level 1.
//! - **Sections**: every other heading that stands at the top level of the document (not in a quote or a list). A number of up
//!   to six parts (`2`, `2.1`, `2.1.`, `3)`) is split off the title. An unnumbered heading gets the next number that
//!   no heading carries below its parent's. Items before the first section belong to a section made for them: level 0,
//!   named after the document, without number.
//! - **Items**: by one of four [`Reading`]s, see there. Items nest where the document nests them.
//! - **Boxes**: those of CommonMark's task lists, and as GitLab reads them: `[~]` for what does not apply, and a no-break
//!   space inside the box or behind it. Every other line that looks like one (`[-]`, `☐`, `( )`, `1.2 [ ]`, a box in a heading) is a
//!   [`Problem`] with its line, and part of no other item's title.
//! - **Keys**: the section's number and the item's position in it (`2.5.2`); a sub-item adds its position below its
//!   parent (`2.5.2.1`); items before the first section are `1`, `2`, …. A key that is taken gets `-2`, `-3`, ….
//! - **Title and requirement of an item**: a leading `**Title**:` (the colon inside or outside, or a dash, or the bold text alone
//!   on its line) is the title, and what follows the requirement. Else the first sentence of the first paragraph is the
//!   title and the rest the requirement. Titles are plain text. Where that would lose something (a link, an
//!   image, HTML, the end of a sentence longer than [`MAX_TITLE_CHARS`]), the requirement is the whole text instead.
//!   Paragraphs, plain sub-bullets, code, tables and quotes below the item are part of its requirement, without the
//!   item's indentation; nested tasks are items of their own.
//! - **Hints**: `<!-- holdpoint: advisory; owner=ana; scan=gitleaks -->` anywhere in an item. Known are `advisory`,
//!   `blocker`, `owner=…`, `scan=…`; anything else is reported as a problem.
//! - **Deliverables**: the entries of a numbered list below a heading named Deliverables, unless they are tasks, which are items.
//! - **Prose**: what is left of a section is kept as its Markdown text.
//!
//! Nothing that a person can write makes the crate panic or stop: what looks wrong is a [`Problem`] with its line. Start
//! reading at [`Document`], then `readings.rs` for what counts as an item.

mod boxes;
mod difference;
mod document;
mod front_matter;
mod hints;
mod keys;
mod normal;
mod outline;
mod problems;
mod readings;
mod source;
mod tables;
mod text;
mod tree;
mod write_back;

use serde::{Deserialize, Serialize};

pub use difference::{Difference, Pair, difference};
pub use document::{Deliverable, Document, Item, Problem, ReadingPreview, Section, Tier};
pub use normal::{normalise, normalise_line};
pub use source::decode;
pub use text::MAX_TITLE_CHARS;
pub use write_back::{tick, tick_document, write_back, write_back_document};

/// The largest document that is read: 4 MiB.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// What counts as an item. Real documents come in these four shapes, and a person chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// Each task-list line (`- [ ]`, `- [x]`), nested ones as sub-items.
    Tasks,
    /// Each row of a table. The column named like a check (item, requirement, question, name, …) gives the title, else the first
    /// one; the other columns the requirement. Columns named like a level (`Level A`, `Tier 1`, `A`) or with
    /// nothing but marks in them are tiers: a row belongs to those it has a mark for. An `Owner` column is the owner
    /// hint. A cell that holds only `[ ]` is the item's box.
    Tables,
    /// Each heading that ends with a question mark, or stands among headings most of which do. What follows, up to the next
    /// heading of its level or above, is the requirement.
    Questionnaires,
    /// Each entry of a list (not of a list inside it) in a section that says checklist, or below one. If no
    /// section does but the document's title, every list counts.
    Bullets,
}

impl Reading {
    /// Every reading, in the order in which [`parse`] prefers them when they give equally many items.
    pub const ALL: &[Self] = &[
        Self::Tasks,
        Self::Tables,
        Self::Questionnaires,
        Self::Bullets,
    ];

    /// The stable spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tasks => "tasks",
            Self::Tables => "tables",
            Self::Questionnaires => "questionnaires",
            Self::Bullets => "bullets",
        }
    }

    /// Reads the stable spelling back; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|reading| reading.as_str() == text)
    }

    /// How the reading is named to people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Tasks => "Task lists",
            Self::Tables => "Tables",
            Self::Questionnaires => "Questionnaires",
            Self::Bullets => "Plain bullets",
        }
    }
}

/// Why a document is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChecklistError {
    #[error(
        "The document has {size_bytes} bytes; at most {MAX_BYTES} are read. Split it, or leave out what is not checklist."
    )]
    TooLarge { size_bytes: usize },
    #[error("The document is UTF-16. Save it as UTF-8.")]
    Utf16,
    #[error("Line {line}: the text is not UTF-8. Save the document as UTF-8.")]
    NotUtf8 { line: usize },
    #[error("Line {line}: there is a NUL byte, so this is not a text document.")]
    Nul { line: usize },
    #[error("{0}")]
    NoItems(String),
    #[error("The document has no tier “{tier}”. {known}")]
    UnknownTier { tier: String, known: String },
}

/// Reads a document, with the reading that fits it: task lists if it has any task, else the reading that gives the most
/// items, in the order of [`Reading::ALL`] where two give equally many.
pub fn parse(source: &str) -> Document {
    document::parse_default(source)
}

/// Reads a document from a file's bytes, see [`decode`].
pub fn parse_bytes(bytes: &[u8]) -> Result<Document, ChecklistError> {
    decode(bytes).map(parse)
}

/// Reads a document with one reading. With a tier, only the table rows of that tier, and those of tables without tiers.
pub fn parse_as(source: &str, reading: Reading, tier: Option<&str>) -> Document {
    parse_mixed(source, &[reading], tier)
}

/// Reads a document that mixes shapes. Where two readings meet, tasks come first: a table or bullet inside a task is part of its
/// requirement, and a bullet or question that holds other items is not an item itself.
pub fn parse_mixed(source: &str, readings: &[Reading], tier: Option<&str>) -> Document {
    document::parse_with(source, readings, tier)
}

/// What each reading would give, for the person to choose.
pub fn readings(source: &str) -> Vec<ReadingPreview> {
    document::previews(source)
}

/// Reads a file that is to become a checklist, and refuses one in which nothing can be read as an item.
pub fn parse_checklist(
    bytes: &[u8],
    reading: Option<Reading>,
    tier: Option<&str>,
) -> Result<Document, ChecklistError> {
    let source = decode(bytes)?;
    let document = match (reading, tier) {
        (Some(reading), _) => parse_as(source, reading, tier),
        (None, None) => parse(source),
        (None, Some(_)) => parse_mixed(source, &parse(source).read_as, tier),
    };
    if let Some(tier) = tier {
        let known: Vec<_> = document
            .readings
            .iter()
            .flat_map(|preview| &preview.tiers)
            .map(|tier| tier.name.as_str())
            .collect();
        if !known.contains(&tier) {
            let known = if known.is_empty() {
                "None of its tables has tier columns.".to_owned()
            } else {
                format!("Its tiers are {}.", known.join(", "))
            };
            let tier = tier.to_owned();
            return Err(ChecklistError::UnknownTier { tier, known });
        }
    }
    if document.items.is_empty() {
        return Err(ChecklistError::NoItems(document::no_items(
            &document, reading,
        )));
    }
    Ok(document)
}
