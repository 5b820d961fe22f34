//! What a tool proposes to change, with the lines around it as far as the report shows them whole: a diff repeats the
//! lines that it changes, and the report is all that is known of the files.

use std::collections::{BTreeMap, HashMap};

use super::schema::{
    ArtifactChange, Content, Fix as SarifFix, Region, Replacement as SarifReplacement, SarifResult,
};
use super::{Lines, MOST_PLACES, Run, snippet};
use crate::formats::sarif::rules::Rule;
use crate::text::clean;
use crate::{FileChange, Fix, Replacement, SourceLine};

/// So many lines before and after a replaced region are kept.
const CONTEXT: u32 = 3;
/// Of one file's change so much is kept of the lines that are known; larger ones stay unknown.
const MOST_LINES: usize = 1_000;
const MOST_BYTES: usize = 64 * 1024;
/// Of all changes that one result proposes.
const MOST_BYTES_OF_ALL: usize = 4 * MOST_BYTES;

impl<'h> Run<'h> {
    pub(super) fn fixes(&self, result: &SarifResult<'_>, rule: Option<&Rule<'h>>) -> Vec<Fix> {
        if result.fixes.is_empty() {
            return Vec::new();
        }
        let mut around = Around {
            own: self.own_lines(result),
            left: MOST_BYTES_OF_ALL,
        };
        // Of bytes no text could be shown, and without them the change would only delete.
        let texts = result.fixes.iter().filter(|fix| is_text(fix));
        let fixes = texts.take(MOST_PLACES).map(|fix| Fix {
            description: fix
                .description
                .as_ref()
                .and_then(|message| self.worded(message, rule))
                .map(|text| clean(&text).into_owned()),
            changes: fix
                .artifact_changes
                .iter()
                .map(|change| self.file_change(change, &mut around))
                .collect(),
        });
        fixes.collect()
    }

    /// The lines that the result's own places show, by path.
    fn own_lines<'t>(&self, result: &'t SarifResult<'_>) -> HashMap<String, Known<'t>> {
        let mut own: HashMap<String, Known<'t>> = HashMap::new();
        let places = result
            .locations
            .iter()
            .chain(result.related_locations.iter());
        for physical in places.filter_map(|location| location.physical_location.as_ref()) {
            let Some(path) = self.paths.path(physical.artifact_location.as_ref()) else {
                continue;
            };
            let known = own.entry(path).or_default();
            let regions = [physical.context_region.as_ref(), physical.region.as_ref()];
            for region in regions.into_iter().flatten() {
                known.add(region);
            }
        }
        own
    }

    fn file_change(&self, change: &ArtifactChange<'_>, around: &mut Around<'_>) -> FileChange {
        let path = self.paths.path(change.artifact_location.as_ref());
        let replacements: Vec<_> = change.replacements.iter().map(replacement).collect();
        let mut lines = Vec::new();
        if let Some(path) = path.as_deref()
            && around.left > 0
        {
            let wanted = wanted(&replacements);
            let mut known = Known::default();
            if let Some(at) = self.content_of.get(path)
                && let Some(file) = &self.contents[*at]
            {
                let left = self.shared_left.get();
                self.shared_left.set(known.add_file(file, &wanted, left));
            }
            if let Some(own) = around.own.get(path) {
                known.add_known(own, &wanted);
            }
            let mut deleted = Known::default();
            for replacement in &*change.replacements {
                deleted.add(&replacement.deleted_region);
            }
            known.add_known(&deleted, &wanted);
            lines = known.finish(MOST_BYTES.min(around.left));
            let n_bytes: usize = lines.iter().map(|line| line.text.len()).sum();
            around.left -= n_bytes.min(around.left);
        }
        FileChange {
            path,
            replacements,
            lines,
        }
    }
}

/// What stands around the changes of one result.
struct Around<'t> {
    own: HashMap<String, Known<'t>>,
    /// So many bytes may still be repeated.
    left: usize,
}

fn is_text(fix: &SarifFix<'_>) -> bool {
    let mut replacements = fix
        .artifact_changes
        .iter()
        .flat_map(|change| change.replacements.iter());
    replacements.all(|replacement| {
        let inserted = replacement.inserted_content.as_ref();
        inserted.is_none_or(Content::is_text)
    })
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

/// The first and last lines of the stretches near some replacements, in order and apart from each other.
fn wanted(replacements: &[Replacement]) -> Vec<(u32, u32)> {
    let near = replacements.iter().filter_map(|replacement| {
        let start = replacement.start_line?;
        let end = replacement.end_line.unwrap_or(start).max(start);
        let first = start.saturating_sub(CONTEXT).max(1);
        Some((first, end.saturating_add(CONTEXT)))
    });
    let mut near: Vec<(u32, u32)> = near.collect();
    near.sort_unstable();
    let mut wanted: Vec<(u32, u32)> = Vec::new();
    for (first, last) in near {
        match wanted.last_mut() {
            Some((_, before)) if first <= *before => *before = last.max(*before),
            _ => wanted.push((first, last)),
        }
    }
    wanted
}

/// Lines of a file that parts of a report show whole; `None` where two parts show different lines.
#[derive(Default)]
struct Known<'t>(BTreeMap<u32, Option<(&'t str, LineEnd)>>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    /// As it stands in the text, which may be without one: then the file ends there.
    Own,
    /// The text stops before it.
    Assumed(&'static str),
}

impl<'t> Known<'t> {
    fn put(&mut self, number: u32, text: &'t str, end: LineEnd) {
        let known = self.0.entry(number).or_insert(Some((text, end)));
        if known.is_some_and(|(known, _)| content(known) != content(text)) {
            *known = None;
        }
    }

    /// Of `left` bytes, those that are left.
    fn add_file(&mut self, file: &Lines<'t>, wanted: &[(u32, u32)], mut left: usize) -> usize {
        let lines = wanted.iter().flat_map(|(first, last)| {
            let text = file.get(*first, *last).unwrap_or("");
            (*first..=u32::MAX).zip(text.split_inclusive('\n'))
        });
        for (number, line) in lines.take(MOST_LINES) {
            let Some(rest) = left.checked_sub(line.len()) else {
                break;
            };
            left = rest;
            self.put(number, line, LineEnd::Own);
        }
        left
    }

    /// What others know of the wanted lines.
    fn add_known(&mut self, others: &Known<'t>, wanted: &[(u32, u32)]) {
        let known = wanted
            .iter()
            .flat_map(|(first, last)| others.0.range(first..=last));
        for (number, known) in known.take(MOST_LINES) {
            match known {
                Some((text, end)) => self.put(*number, text, *end),
                None => {
                    self.0.insert(*number, None);
                }
            }
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
        for (at, (number, piece)) in (start..=u32::MAX).zip(pieces).enumerate() {
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

    fn finish(self, most_bytes: usize) -> Vec<SourceLine> {
        let mut left = most_bytes;
        let lines = self.0.into_iter().filter_map(|(line, known)| {
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
