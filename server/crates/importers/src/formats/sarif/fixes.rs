//! What a tool proposes to change, with the lines around it as far as the report shows them whole: a diff repeats the
//! lines that it changes, and the report is all that is known of the files.

use std::collections::BTreeMap;

use super::schema::{ArtifactChange, Region, Replacement as SarifReplacement, SarifResult};
use super::{MOST_PLACES, Run, snippet};
use crate::formats::sarif::rules::Rule;
use crate::text::clean;
use crate::{FileChange, Fix, Replacement, SourceLine};

/// So many lines before and after a replaced region are kept.
const CONTEXT: u32 = 3;
/// Of one file's change so much is kept of the lines that are known; larger ones stay unknown.
const MOST_LINES: usize = 1_000;
const MOST_BYTES: usize = 64 * 1024;

impl<'h> Run<'h> {
    pub(super) fn fixes(&self, result: &SarifResult<'_>, rule: Option<&Rule<'h>>) -> Vec<Fix> {
        let fixes = result.fixes.iter().take(MOST_PLACES).map(|fix| Fix {
            description: fix
                .description
                .as_ref()
                .and_then(|message| self.worded(message, rule))
                .map(|text| clean(&text).into_owned()),
            changes: fix
                .artifact_changes
                .iter()
                .map(|change| self.file_change(result, change))
                .collect(),
        });
        fixes.collect()
    }

    fn file_change(&self, result: &SarifResult<'_>, change: &ArtifactChange<'_>) -> FileChange {
        let path = self.paths.path(change.artifact_location.as_ref());
        let replacements: Vec<_> = change.replacements.iter().map(replacement).collect();
        let lines = path.as_deref().map_or_else(Vec::new, |path| {
            let mut known = Known::near(&replacements);
            if let Some(text) = self.contents.get(path) {
                known.add_file(text);
            }
            let own = result
                .locations
                .iter()
                .chain(result.related_locations.iter());
            for physical in own.filter_map(|location| location.physical_location.as_ref()) {
                if self
                    .paths
                    .path(physical.artifact_location.as_ref())
                    .as_deref()
                    == Some(path)
                {
                    let regions = [physical.context_region.as_ref(), physical.region.as_ref()];
                    regions
                        .into_iter()
                        .flatten()
                        .for_each(|region| known.add(region));
                }
            }
            let deleted = change.replacements.iter();
            deleted.for_each(|replacement| known.add(&replacement.deleted_region));
            known.finish()
        });
        FileChange {
            path,
            replacements,
            lines,
        }
    }
}

fn replacement(replacement: &SarifReplacement<'_>) -> Replacement {
    let region = &replacement.deleted_region;
    Replacement {
        start_line: region.start_line.0,
        start_column: region.start_column.0,
        end_line: region.end_line.0,
        end_column: region.end_column.0,
        inserted: replacement
            .inserted_content
            .as_ref()
            .and_then(|content| content.text.as_deref())
            .map(str::to_owned),
    }
}

/// The lines near some replacements that parts of a report show whole.
struct Known<'t> {
    wanted: Vec<(u32, u32)>,
    /// `None` where two parts of the report show different lines.
    lines: BTreeMap<u32, Option<(&'t str, LineEnd)>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    /// As it stands in the text, which may be without one: then the file ends there.
    Own,
    /// The text stops before it.
    Assumed(&'static str),
}

impl<'t> Known<'t> {
    fn near(replacements: &[Replacement]) -> Self {
        let wanted = replacements.iter().filter_map(|replacement| {
            let start = replacement.start_line?;
            let end = replacement.end_line.unwrap_or(start).max(start);
            Some((start.saturating_sub(CONTEXT), end.saturating_add(CONTEXT)))
        });
        Self {
            wanted: wanted.collect(),
            lines: BTreeMap::new(),
        }
    }

    fn put(&mut self, number: u32, text: &'t str, end: LineEnd) {
        let is_near = |(first, last): &(u32, u32)| (*first..=*last).contains(&number);
        if !self.wanted.iter().any(is_near) {
            return;
        }
        let known = self.lines.entry(number).or_insert(Some((text, end)));
        if known.is_some_and(|(known, _)| content(known) != content(text)) {
            *known = None;
        }
    }

    fn add_file(&mut self, text: &'t str) {
        for (number, line) in (1..).zip(text.split_inclusive('\n')) {
            self.put(number, line, LineEnd::Own);
        }
    }

    /// A region's snippet is the text between its points (3.30.13), so that it shows a line whole only where it begins at
    /// its start and goes on to its end. Some tools (Semgrep) write the lines that the region lies in instead: such a
    /// snippet is longer than the region, and begins at the first column or with the line's indentation.
    fn add(&mut self, region: &'t Region<'_>) {
        let (Some(start), Some(text)) = (region.start_line.0, snippet(region)) else {
            return;
        };
        let column = region.start_column.0.unwrap_or(1);
        let mut end_column = region.end_column.0;
        let pieces: Vec<_> = text.split_inclusive('\n').collect();
        let mut n_lines = region
            .end_line
            .0
            .map(|end| u64::from(end.max(start) - start) + 1);
        if end_column == Some(1) && n_lines.is_some_and(|n| n > 1) {
            // It ends before the first character of a further line.
            end_column = None;
            n_lines = n_lines.map(|n| n - 1);
        }
        // 3.30.7: without an end it is one line. A snippet of several lines says where such a region ends.
        let is_open = n_lines.is_none() && end_column.is_none() && column == 1;
        if !is_open && n_lines.unwrap_or(1) != pieces.len() as u64 {
            return;
        }
        let last = pieces
            .last()
            .map_or(0, |piece| content(piece).chars().count());
        let held = end_column.map(|end| {
            let from = if pieces.len() == 1 { column } else { 1 };
            end.saturating_sub(from) as usize
        });
        let is_longer = held.is_some_and(|held| last > held)
            && end_column.is_some_and(|end| last + 1 >= end as usize);
        let is_indented = text.starts_with([' ', '\t']);
        let shows_lines = is_longer && (column == 1 || is_indented);
        let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let n = pieces.len();
        for (at, (number, piece)) in (start..).zip(pieces).enumerate() {
            let from_start = at > 0 || column == 1 || shows_lines;
            let to_end = at + 1 < n || end_column.is_none() || shows_lines;
            if from_start && to_end {
                let end = if piece.ends_with('\n') {
                    LineEnd::Own
                } else {
                    LineEnd::Assumed(line_end)
                };
                self.put(number, piece, end);
            }
        }
    }

    fn finish(self) -> Vec<SourceLine> {
        let mut left = MOST_BYTES;
        let lines = self.lines.into_iter().filter_map(|(line, known)| {
            let (text, end) = known?;
            left = left.checked_sub(text.len())?;
            let mut text = text.to_owned();
            if let LineEnd::Assumed(end) = end {
                text.push_str(end);
            }
            Some(SourceLine { line, text })
        });
        lines.take(MOST_LINES).collect()
    }
}

fn content(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}
