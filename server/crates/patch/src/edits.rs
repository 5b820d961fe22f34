//! Making a diff: what a tool says is to be replaced, and the lines of the file as far as they are known.
//!
//! A unified diff repeats the lines it changes, so one is made only where each of them is known. Lines around a change
//! become context where they are known; a diff without any is one that `git apply` takes with `--unidiff-zero` only.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::path::inside_repository;
use crate::series::file_header;
use crate::{ChangeKind, FileChange, Hunk, Line, LineKind, PatchFile, parse};

/// So many lines stand around a change, as git does it.
const CONTEXT: u32 = 3;

/// What is to be changed in one file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileEdits<'a> {
    /// Relative to the repository.
    pub path: &'a str,
    /// Whole lines by number, each with its line end; without one where the file ends so.
    pub known: BTreeMap<u32, &'a str>,
    pub edits: Vec<Edit<'a>>,
}

/// The text between two points gives way to another. Lines and columns count from one; `end_column` is the one after the
/// last. An absent column is the line's start or end, an absent end line the start line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Edit<'a> {
    pub start_line: Option<u32>,
    pub start_column: Option<u32>,
    pub end_line: Option<u32>,
    pub end_column: Option<u32>,
    pub inserted: &'a str,
}

/// A diff that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeDiff {
    pub text: String,
    /// Read again from the text.
    pub patch: PatchFile,
    /// Whether a change has no known line after it. `git apply` then needs `--unidiff-zero`, and `git am` takes the patch
    /// only where the change is at the file's end.
    pub lacks_context: bool,
}

/// Why there is no diff.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoDiff {
    #[error("it names no file")]
    NoPath,
    #[error("the path {path} does not lie in the repository")]
    Outside { path: String },
    #[error("it gives no line in {path}")]
    NoLine { path: String },
    #[error("line {line} of {path} is to be changed, and the report does not show that line whole")]
    UnknownLine { path: String, line: u32 },
    #[error("line {line} of {path}, as the report shows it, is shorter than the change says")]
    PastTheEnd { path: String, line: u32 },
    #[error(
        "line {line} of {path} has characters that tools count differently, so that the columns are not certain"
    )]
    UncertainColumns { path: String, line: u32 },
    #[error("two of its changes of {path} overlap at line {line}")]
    Overlap { path: String, line: u32 },
    #[error("it ends before it begins, at line {line} of {path}")]
    Backwards { path: String, line: u32 },
    #[error("it changes nothing")]
    NoChange,
    #[error("its text does not fit into a patch")]
    NotText,
}

/// Makes a diff in git's format, which [`parse`](fn@parse) has read once.
pub fn diff(files: &[FileEdits<'_>]) -> Result<MadeDiff, NoDiff> {
    let mut text = String::new();
    let mut lacks_context = false;
    let mut made = Vec::new();
    for file in files {
        if file.path.is_empty() {
            return Err(NoDiff::NoPath);
        }
        let path = inside_repository(file.path.as_bytes())
            .ok()
            .filter(|path| path == file.path)
            .ok_or_else(|| NoDiff::Outside {
                path: file.path.to_owned(),
            })?;
        let hunks = hunks_of(file)?;
        if hunks.is_empty() {
            continue;
        }
        lacks_context |= hunks.iter().any(lacks_trailing_context);
        let change = FileChange {
            commit: None,
            old_path: Some(path.clone()),
            new_path: Some(path),
            kind: ChangeKind::Modified,
            old_blob: None,
            new_blob: None,
            old_mode: None,
            new_mode: None,
            has_binary_content: false,
            hunks,
        };
        text.push_str(&file_header(&change));
        change.hunks.iter().for_each(|hunk| write(hunk, &mut text));
        made.push(change);
    }
    if made.is_empty() {
        return Err(NoDiff::NoChange);
    }
    let patch = parse(text.as_bytes()).map_err(|_| NoDiff::NotText)?;
    if patch.files != made {
        return Err(NoDiff::NotText);
    }
    Ok(MadeDiff {
        text,
        patch,
        lacks_context,
    })
}

fn lacks_trailing_context(hunk: &Hunk) -> bool {
    let last = hunk
        .lines
        .iter()
        .rev()
        .find(|line| line.kind != LineKind::Add);
    // Where the file ends without a line end, the hunk shows that it ends there.
    let ends_the_file = last.is_some_and(|line| line.no_newline);
    let is_changed = |line: &Line| line.kind != LineKind::Context;
    !ends_the_file && hunk.lines.last().is_some_and(is_changed)
}

fn write(hunk: &Hunk, out: &mut String) {
    writeln!(
        out,
        "@@ -{},{} +{},{} @@",
        hunk.old_start, hunk.old_lines, hunk.new_start, hunk.new_lines
    )
    .expect("a string takes all");
    for line in &hunk.lines {
        out.push(match line.kind {
            LineKind::Context => ' ',
            LineKind::Add => '+',
            LineKind::Remove => '-',
        });
        out.push_str(&line.text);
        out.push('\n');
        if line.no_newline {
            out.push_str("\\ No newline at end of file\n");
        }
    }
}

/// An edit with its ends worked out, and the lines that it touches; a `last` before `first` touches none and stands
/// before `first`.
struct Span<'a> {
    start: (u32, u32),
    /// Absent: the line's end.
    end: (u32, Option<u32>),
    inserted: &'a str,
    first: u32,
    last: u32,
}

impl<'a> Span<'a> {
    fn of(path: &str, edit: &Edit<'a>) -> Result<Self, NoDiff> {
        let path = || path.to_owned();
        let line = edit.start_line.filter(|line| *line > 0);
        let line = line.ok_or_else(|| NoDiff::NoLine { path: path() })?;
        let end_line = edit.end_line.unwrap_or(line);
        let column = edit.start_column.unwrap_or(1).max(1);
        let end_column = edit.end_column.map(|column| column.max(1));
        if end_line < line || end_line == line && end_column.is_some_and(|end| end < column) {
            return Err(NoDiff::Backwards { path: path(), line });
        }
        // Lines are numbered from one to far less than this in any file that a patch holds.
        if end_line > u32::MAX / 2 {
            return Err(NoDiff::NoLine { path: path() });
        }
        let ends_at_a_start = end_column == Some(1);
        let keeps_lines_apart =
            edit.inserted.ends_with('\n') || column == 1 && edit.inserted.is_empty();
        let last = if ends_at_a_start && keeps_lines_apart && (end_line > line || column == 1) {
            end_line - 1
        } else {
            end_line
        };
        Ok(Self {
            start: (line, column),
            end: (end_line, end_column),
            inserted: edit.inserted,
            first: line,
            last,
        })
    }

    fn ends_after(&self, point: (u32, u32)) -> bool {
        (self.end.0, self.end.1.unwrap_or(u32::MAX)) > point
    }
}

/// Lines that give way to others. `removed` is empty where lines are only added, before `first`.
struct Change<'a> {
    first: u32,
    removed: Vec<&'a str>,
    added: Vec<String>,
}

impl Change<'_> {
    /// The line after the removed ones.
    fn after(&self) -> u32 {
        self.first.saturating_add(count(self.removed.len()))
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn changes_of<'a>(file: &FileEdits<'a>) -> Result<Vec<Change<'a>>, NoDiff> {
    let spans = file.edits.iter().map(|edit| Span::of(file.path, edit));
    let mut spans = spans.collect::<Result<Vec<_>, _>>()?;
    spans.sort_by_key(|span| (span.start, span.end.0, span.end.1.unwrap_or(u32::MAX)));
    for pair in spans.windows(2) {
        if pair[0].ends_after(pair[1].start) {
            return Err(NoDiff::Overlap {
                path: file.path.to_owned(),
                line: pair[1].start.0,
            });
        }
    }
    let mut changes = Vec::new();
    let mut rest = &spans[..];
    while let Some(head) = rest.first() {
        let mut last = head.last;
        let mut n = 1;
        while let Some(next) = rest.get(n).filter(|next| next.first <= last) {
            last = last.max(next.last);
            n += 1;
        }
        let (group, others) = rest.split_at(n);
        rest = others;
        changes.extend(change(file, group, head.first, last)?);
    }
    Ok(changes)
}

/// What some edits make of the lines from `first` to `last`; nothing if they change nothing.
fn change<'a>(
    file: &FileEdits<'a>,
    spans: &[Span<'a>],
    first: u32,
    last: u32,
) -> Result<Option<Change<'a>>, NoDiff> {
    let path = || file.path.to_owned();
    let lines = (first..=last).map(|line| match file.known.get(&line) {
        Some(text) => Ok(*text),
        None => Err(NoDiff::UnknownLine { path: path(), line }),
    });
    let removed = lines.collect::<Result<Vec<_>, _>>()?;
    let past = |line| NoDiff::PastTheEnd { path: path(), line };
    // A file that ends without a line end has no further line, before which anything could stand.
    let inner = removed
        .len()
        .saturating_sub(usize::from(!removed.is_empty()));
    let before = first.checked_sub(1).and_then(|line| file.known.get(&line));
    if removed[..inner]
        .iter()
        .chain(before)
        .any(|line| !line.ends_with('\n'))
    {
        return Err(past(first));
    }
    let old = removed.concat();
    let place = |line: u32, column: Option<u32>| -> Result<usize, NoDiff> {
        let index = usize::try_from(line - first).unwrap_or(usize::MAX);
        let start: usize = removed.iter().take(index).map(|line| line.len()).sum();
        let Some(text) = removed.get(index) else {
            return Ok(start);
        };
        let text = content(text);
        let Some(column) = column else {
            return Ok(start + text.len());
        };
        if column > 1 && text.chars().any(|c| u32::from(c) > 0xffff) {
            return Err(NoDiff::UncertainColumns { path: path(), line });
        }
        let skip = usize::try_from(column - 1).unwrap_or(usize::MAX);
        let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        let at = ends.nth(skip).ok_or_else(|| past(line))?;
        Ok(start + at)
    };
    let mut new = String::new();
    let mut from = 0;
    for span in spans {
        let start = place(span.start.0, Some(span.start.1))?;
        let end = place(span.end.0, span.end.1)?;
        new.push_str(&old[from..start]);
        new.push_str(span.inserted);
        from = end;
    }
    new.push_str(&old[from..]);
    let mut added: Vec<_> = new.split_inclusive('\n').map(str::to_owned).collect();
    // What stays the same is no change, whatever the tool says.
    let same = removed.iter().zip(&added).take_while(|(a, b)| a == b);
    let n_before = same.count();
    let removed_rest = &removed[n_before..];
    added.drain(..n_before);
    let ends = removed_rest.iter().rev().zip(added.iter().rev());
    let n_after = ends.take_while(|(a, b)| a == b).count();
    let removed = removed_rest[..removed_rest.len() - n_after].to_vec();
    added.truncate(added.len() - n_after);
    Ok((!removed.is_empty() || !added.is_empty()).then(|| Change {
        first: first.saturating_add(count(n_before)),
        removed,
        added,
    }))
}

fn content(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

fn hunks_of(file: &FileEdits<'_>) -> Result<Vec<Hunk>, NoDiff> {
    let changes = changes_of(file)?;
    let mut hunks: Vec<Writing> = Vec::new();
    // The last old line that a hunk shows, and how many lines the file has grown by.
    let mut shown = 0;
    let mut grown = 0_i64;
    for (at, change) in changes.iter().enumerate() {
        let mut lead = change.first;
        while lead > shown + 1
            && change.first - lead < CONTEXT
            && file.known.contains_key(&(lead - 1))
        {
            lead -= 1;
        }
        let goes_on = lead == shown + 1 && !hunks.is_empty();
        if !goes_on {
            hunks.push(Writing::new(lead, grown));
        }
        let hunk = hunks.last_mut().expect("one was pushed, or is there");
        for line in lead..change.first {
            hunk.push(LineKind::Context, file.known[&line]);
        }
        change
            .removed
            .iter()
            .for_each(|line| hunk.push(LineKind::Remove, line));
        change
            .added
            .iter()
            .for_each(|line| hunk.push(LineKind::Add, line));
        grown += i64::from(count(change.added.len())) - i64::from(count(change.removed.len()));
        let next = changes.get(at + 1).map_or(u32::MAX, |next| next.first);
        let mut line = change.after();
        while line < next && line - change.after() < CONTEXT {
            let Some(text) = file.known.get(&line) else {
                break;
            };
            hunk.push(LineKind::Context, text);
            line += 1;
        }
        shown = line - 1;
    }
    Ok(hunks.into_iter().map(Writing::finish).collect())
}

/// A hunk while its lines are put together.
struct Writing {
    old: u32,
    new: u32,
    hunk: Hunk,
}

impl Writing {
    fn new(first: u32, grown: i64) -> Self {
        let new = u32::try_from(i64::from(first) + grown).unwrap_or(1);
        let hunk = Hunk {
            old_start: first,
            old_lines: 0,
            new_start: new,
            new_lines: 0,
            section: String::new(),
            lines: Vec::new(),
        };
        Self {
            old: first,
            new,
            hunk,
        }
    }

    fn push(&mut self, kind: LineKind, text: &str) {
        let old_line = (kind != LineKind::Add).then_some(self.old);
        let new_line = (kind != LineKind::Remove).then_some(self.new);
        self.old += u32::from(old_line.is_some());
        self.new += u32::from(new_line.is_some());
        let (line, no_newline) = match text.strip_suffix('\n') {
            Some(line) => (line, false),
            None => (text, true),
        };
        self.hunk.lines.push(Line {
            kind,
            old_line,
            new_line,
            text: line.to_owned(),
            no_newline,
        });
    }

    /// A side without lines is named by the line before it.
    fn finish(self) -> Hunk {
        let mut hunk = self.hunk;
        hunk.old_lines = self.old - hunk.old_start;
        hunk.new_lines = self.new - hunk.new_start;
        hunk.old_start -= u32::from(hunk.old_lines == 0);
        hunk.new_start -= u32::from(hunk.new_lines == 0);
        hunk
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n";

    fn known(text: &str, lines: impl IntoIterator<Item = u32>) -> BTreeMap<u32, &str> {
        let all: BTreeMap<_, _> = (1..).zip(text.split_inclusive('\n')).collect();
        lines
            .into_iter()
            .filter_map(|line| Some((line, *all.get(&line)?)))
            .collect()
    }

    fn edit(start: (u32, Option<u32>), end: (u32, Option<u32>), inserted: &str) -> Edit<'_> {
        Edit {
            start_line: Some(start.0),
            start_column: start.1,
            end_line: Some(end.0),
            end_column: end.1,
            inserted,
        }
    }

    fn of<'a>(known: BTreeMap<u32, &'a str>, edits: &[Edit<'a>]) -> Result<MadeDiff, NoDiff> {
        diff(&[FileEdits {
            path: "src/f.c",
            known,
            edits: edits.to_vec(),
        }])
    }

    fn hunks(known: BTreeMap<u32, &str>, edits: &[Edit<'_>]) -> String {
        let made = of(known, edits).expect("a diff");
        let (head, hunks) = made.text.split_at(made.text.find("@@").expect("a hunk"));
        assert_eq!(
            head,
            "diff --git a/src/f.c b/src/f.c\n--- a/src/f.c\n+++ b/src/f.c\n"
        );
        hunks.to_owned()
    }

    #[test]
    fn a_part_of_a_line_gives_way_to_another() {
        let edits = [edit((5, Some(2)), (5, Some(4)), "IV")];
        assert_eq!(
            hunks(known(FILE, [5]), &edits),
            "@@ -5,1 +5,1 @@\n-five\n+fIVe\n"
        );
        assert_eq!(
            hunks(known(FILE, 1..=10), &edits),
            "@@ -2,7 +2,7 @@\n two\n three\n four\n-five\n+fIVe\n six\n seven\n eight\n"
        );
    }

    #[test]
    fn whole_lines_are_removed_only_where_they_are_known() {
        let remove = edit((4, Some(1)), (6, Some(1)), "");
        assert_eq!(
            hunks(known(FILE, 4..=5), &[remove]),
            "@@ -4,2 +3,0 @@\n-four\n-five\n"
        );
        assert_eq!(
            of(known(FILE, [4]), &[remove]),
            Err(NoDiff::UnknownLine {
                path: "src/f.c".to_owned(),
                line: 5
            })
        );
        // Without the line end, the line stays as an empty one.
        let empty = edit((4, None), (4, None), "");
        assert_eq!(
            hunks(known(FILE, [4]), &[empty]),
            "@@ -4,1 +4,1 @@\n-four\n+\n"
        );
    }

    #[test]
    fn lines_between_lines_need_no_known_line() {
        let add = edit((3, Some(1)), (3, Some(1)), "new\n");
        assert_eq!(hunks(BTreeMap::new(), &[add]), "@@ -2,0 +3,1 @@\n+new\n");
        let first = edit((1, Some(1)), (1, Some(1)), "new\n");
        assert_eq!(hunks(BTreeMap::new(), &[first]), "@@ -0,0 +1,1 @@\n+new\n");
        let within = edit((3, Some(2)), (3, Some(2)), "new\n");
        assert_eq!(
            hunks(known(FILE, [3]), &[within]),
            "@@ -3,1 +3,2 @@\n-three\n+tnew\n+hree\n"
        );
        // Line 3 is none where the file ends within line 2.
        let beyond = of([(2, "two")].into(), &[add]);
        assert!(matches!(beyond, Err(NoDiff::PastTheEnd { line: 3, .. })));
        let unknown = of(BTreeMap::new(), &[within]);
        assert!(matches!(unknown, Err(NoDiff::UnknownLine { line: 3, .. })));
    }

    #[test]
    fn what_joins_two_lines_touches_both() {
        for join in [
            edit((4, Some(1)), (5, Some(1)), "FOUR "),
            edit((4, Some(3)), (5, Some(1)), ""),
        ] {
            assert!(matches!(
                of(known(FILE, [4]), &[join]),
                Err(NoDiff::UnknownLine { line: 5, .. })
            ));
            let text = hunks(known(FILE, 4..=5), &[join]);
            assert!(
                text.starts_with("@@ -4,2 +4,1 @@\n-four\n-five\n+"),
                "{text}"
            );
        }
    }

    #[test]
    fn near_changes_share_a_hunk_and_far_ones_shift_the_later() {
        let two = [
            edit((2, Some(1)), (3, Some(1)), "a\nb\n"),
            edit((9, Some(1)), (9, None), "NINE"),
        ];
        assert_eq!(
            hunks(known(FILE, [1, 2, 3, 8, 9]), &two),
            "@@ -1,3 +1,4 @@\n one\n-two\n+a\n+b\n three\n@@ -8,2 +9,2 @@\n eight\n-nine\n+NINE\n"
        );
        assert_eq!(hunks(known(FILE, 1..=10), &two).matches("@@ -").count(), 1);
        let same_line = [
            edit((5, Some(4)), (5, Some(5)), "E"),
            edit((5, Some(1)), (5, Some(2)), "F"),
        ];
        assert_eq!(
            hunks(known(FILE, [5]), &same_line),
            "@@ -5,1 +5,1 @@\n-five\n+FivE\n"
        );
    }

    #[test]
    fn a_change_without_a_known_line_after_it_says_so() {
        let lacks = |known, edit: Edit<'_>| of(known, &[edit]).expect("a diff").lacks_context;
        let change = edit((5, None), (5, None), "V");
        assert!(lacks(known(FILE, 1..=5), change));
        assert!(!lacks(known(FILE, 5..=6), change));
        let last = "a\nb";
        let change = edit((2, None), (2, None), "B");
        assert!(!lacks(known(last, 2..=2), change));
        assert_eq!(
            hunks(known(last, 2..=2), &[change]),
            "@@ -2,1 +2,1 @@\n-b\n\\ No newline at end of file\n+B\n\\ No newline at end of file\n"
        );
    }

    #[test]
    fn every_refusal_names_the_place() {
        let all = || known(FILE, 1..=10);
        for (edits, expected) in [
            (
                vec![edit((5, Some(9)), (5, Some(9)), "x")],
                "line 5 of src/f.c, as the report shows it, is shorter",
            ),
            (
                vec![edit((5, Some(3)), (5, Some(2)), "x")],
                "it ends before it begins, at line 5",
            ),
            (
                vec![edit((5, None), (4, None), "x")],
                "it ends before it begins",
            ),
            (
                vec![
                    edit((5, None), (6, None), "x"),
                    edit((6, None), (6, None), "y"),
                ],
                "overlap at line 6",
            ),
            (
                vec![edit((5, None), (5, None), "five")],
                "it changes nothing",
            ),
            (
                vec![edit((5, None), (5, None), "\0")],
                "does not fit into a patch",
            ),
            (vec![Edit::default()], "it gives no line in src/f.c"),
            (vec![], "it changes nothing"),
        ] {
            let why = of(all(), &edits).expect_err("no diff").to_string();
            assert!(why.contains(expected), "{why}");
        }
        for path in ["../f", "/etc/passwd", ".git/config", "a//b", "./a"] {
            let file = FileEdits {
                path,
                known: all(),
                edits: vec![edit((1, None), (1, None), "x")],
            };
            let why = diff(&[file]).expect_err("no diff");
            assert_eq!(
                why,
                NoDiff::Outside {
                    path: path.to_owned()
                }
            );
        }
        assert_eq!(diff(&[FileEdits::default()]), Err(NoDiff::NoPath));
        let wide = "\u{1f600}x = 1\n";
        let columns = of(known(wide, [1]), &[edit((1, Some(3)), (1, Some(4)), "y")]);
        assert!(matches!(
            columns,
            Err(NoDiff::UncertainColumns { line: 1, .. })
        ));
    }

    #[test]
    fn carriage_returns_and_odd_names_stay() {
        let text = "a\r\nb\r\nc\r\n";
        let file = FileEdits {
            path: "Gr\u{f6}\u{df}e/a \"b\".txt",
            known: known(text, 1..=3),
            edits: vec![edit((2, Some(2)), (2, None), "B")],
        };
        let made = diff(&[file]).expect("a diff");
        assert!(
            made.text.contains(" a\r\n-b\r\n+bB\r\n c\r\n"),
            "{}",
            made.text
        );
        assert_eq!(made.patch.files[0].path(), "Gr\u{f6}\u{df}e/a \"b\".txt");
    }
}
