use std::{collections::BTreeSet, fmt::Write as _, path::PathBuf};

use anyhow::{Context as _, bail};
use holdpoint_checklist::{
    Document, MAX_BYTES, Reading, decode, parse, parse_as, parse_checklist, tick_document,
};

use super::{Answer, terminal};

/// Markdown checklists, offline.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Checklist {
    /// Print the sections, items, deliverables and metadata of a document.
    Parse(Parse),
    /// Print the same document with the boxes of these items ticked; with no item, the same bytes.
    Tick(Tick),
}

#[derive(Debug, clap::Args)]
pub(super) struct Parse {
    /// The Markdown document; - for standard input.
    file: PathBuf,
    #[arg(long)]
    json: bool,
    /// What counts as an item: tasks, tables, questionnaires or bullets; by default what fits the document.
    #[arg(long, value_parser = reading)]
    reading: Option<Reading>,
    /// Only the table rows of this tier.
    #[arg(long)]
    tier: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Tick {
    /// The Markdown document; - for standard input.
    file: PathBuf,
    /// The key of an item, as `checklist parse` prints it, such as 2.5.1. May be given several times, or several at once.
    #[arg(long, value_name = "KEY", num_args = 1..)]
    item: Vec<String>,
    /// As for parse.
    #[arg(long, value_parser = reading)]
    reading: Option<Reading>,
}

fn reading(word: &str) -> Result<Reading, String> {
    Reading::parse(word).ok_or_else(|| {
        let words: Vec<_> = Reading::ALL
            .iter()
            .map(|reading| reading.as_str())
            .collect();
        format!("choose one of {}", words.join(", "))
    })
}

impl Checklist {
    pub(super) fn run(self) -> anyhow::Result<Answer> {
        match self {
            Self::Parse(parse) => parse.run(),
            Self::Tick(tick) => tick.run(),
        }
    }
}

impl Parse {
    fn run(self) -> anyhow::Result<Answer> {
        let shown = self.file.display().to_string();
        let bytes = terminal::read(&self.file, MAX_BYTES as u64)?;
        let document = parse_checklist(&bytes, self.reading, self.tier.as_deref())
            .with_context(|| shown.clone())?;
        if self.json {
            terminal::json(&document)?;
        } else {
            terminal::text(&for_people(&document))?;
            for problem in &document.problems {
                super::say(&format!("{shown}: {problem}"));
            }
        }
        Ok(Answer::Done)
    }
}

impl Tick {
    fn run(self) -> anyhow::Result<Answer> {
        let shown = self.file.display().to_string();
        let bytes = terminal::read(&self.file, MAX_BYTES as u64)?;
        let source = decode(&bytes).with_context(|| shown.clone())?;
        let document = match self.reading {
            Some(reading) => parse_as(source, reading, None),
            None => parse(source),
        };
        let keys: BTreeSet<&str> = self.item.iter().map(String::as_str).collect();
        for key in &keys {
            match document.items.iter().find(|item| item.key == *key) {
                None => bail!(
                    "{shown}: there is no item {key:?}. `holdpoint checklist parse` prints the keys of all {} items",
                    document.items.len()
                ),
                Some(item) if item.box_offset.is_none() => {
                    bail!(
                        "{shown}: the item {key:?} in line {} has no box to tick",
                        item.line
                    )
                }
                Some(_) => {}
            }
        }
        let ticked = tick_document(source, &document, |item| keys.contains(item.key.as_str()));
        terminal::data(ticked.as_bytes())?;
        Ok(Answer::Done)
    }
}

fn for_people(document: &Document) -> String {
    let line = terminal::line;
    let mut text = String::new();
    let mut write = |indent: usize, words: String| {
        writeln!(text, "{:indent$}{words}", "").expect("a string takes all");
    };
    if let Some(title) = &document.title {
        write(0, line(title));
    }
    for (name, value) in &document.metadata {
        write(0, format!("{}: {}", line(name), line(value)));
    }
    let readings: Vec<_> = document
        .read_as
        .iter()
        .map(|reading| reading.label())
        .collect();
    let sections = document.sections_with_items();
    write(
        0,
        format!(
            "{} items in {} sections, {} deliverables (read as: {})",
            document.items.len(),
            sections.len(),
            document.deliverables.len(),
            readings.join(", ").to_lowercase()
        ),
    );
    for (section, items) in sections {
        let number = section
            .number
            .as_deref()
            .map(|number| format!("{number} "))
            .unwrap_or_default();
        write(0, String::new());
        write(0, line(&format!("{number}{}", section.title)));
        for item in items {
            let mark = match (item.box_offset, item.ticked) {
                (None, _) => "   ",
                (Some(_), true) => "[x]",
                (Some(_), false) => "[ ]",
            };
            write(
                2,
                format!("{mark} {}  {}", line(&item.key), line(&item.title)),
            );
        }
    }
    if !document.deliverables.is_empty() {
        write(0, String::new());
        write(0, "Deliverables".to_owned());
        for (at, deliverable) in document.deliverables.iter().enumerate() {
            write(2, format!("{}. {}", at + 1, line(&deliverable.title)));
        }
    }
    text
}
