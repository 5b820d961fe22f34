//! Whether a patch changes the lines that a finding points to.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::{FileChange, Hunk, LineKind, PatchFile};

/// How a finding's path and a patch's path are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathMatch {
    Same,
    /// One path ends with the whole of the other, at a `/`. Scanners often run in a folder of their own, so this is
    /// likely the same file; it is not certain, and should be shown as such.
    SuffixMatch,
}

/// What a patch changes of a finding's place. This is about lines only: it does not say that the finding is remedied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "touch")]
pub enum Touch {
    /// At least one of the lines is removed or replaced, or lines are inserted between or directly beside them.
    Lines {
        /// Place in [`PatchFile::files`].
        file: usize,
        /// Place in [`FileChange::hunks`].
        hunk: usize,
        path_match: PathMatch,
    },
    /// The file is changed, but none of the lines, or the finding names none, or the change is not one of lines.
    File { file: usize, path_match: PathMatch },
    /// The file is not in the patch, or several files of the patch could be meant.
    No,
}

/// Says whether the patch changes the lines `start_line..=end_line` (from 1) of `path`, or only the file, or neither.
///
/// Lines are counted as before the patch. Where several commits change one file, the place is carried from each to the
/// next, with the file's name. An insertion beside the place counts only if nothing is removed there, since
/// `-old +new` just above it is a change of the line above.
pub fn touches(
    patch: &PatchFile,
    path: &str,
    start_line: Option<u32>,
    end_line: Option<u32>,
) -> Touch {
    let path = path.replace('\\', "/");
    let path = path.trim_start_matches("./");
    let Some((target, path_match)) = matching_path(patch, path) else {
        return Touch::No;
    };
    let mut range = start_line.filter(|line| *line > 0).map(|start| {
        let end = end_line.filter(|line| *line > 0).unwrap_or(start);
        (start.min(end), start.max(end))
    });
    let mut name = target;
    let mut in_file = None;
    for (index, file) in patch.files.iter().enumerate() {
        if !concerns(file, &name) {
            continue;
        }
        in_file.get_or_insert(index);
        // The file as it is after this patch: numbers of a finding in it cannot be compared with anything here.
        if file.old_path.as_deref() != Some(name.as_str()) {
            range = None;
            continue;
        }
        if let Some((start, end)) = range {
            if let Some(hunk) = file
                .hunks
                .iter()
                .position(|hunk| changes_lines(hunk, start, end))
            {
                return Touch::Lines {
                    file: index,
                    hunk,
                    path_match,
                };
            }
            let shift = shift_before(&file.hunks, start);
            let moved = |line: u32| {
                u32::try_from(i64::from(line).saturating_add(shift).max(1)).unwrap_or(u32::MAX)
            };
            range = Some((moved(start), moved(end)));
        }
        if file.kind != crate::ChangeKind::Copied
            && let Some(new) = &file.new_path
        {
            name.clone_from(new);
        }
    }
    in_file.map_or(Touch::No, |file| Touch::File { file, path_match })
}

fn concerns(file: &FileChange, name: &str) -> bool {
    // A copy leaves its source as it is.
    let old = file
        .old_path
        .as_deref()
        .filter(|_| file.kind != crate::ChangeKind::Copied);
    old == Some(name) || file.new_path.as_deref() == Some(name)
}

/// The path in the patch that a finding's path means: the same one, else the only one that matches at its end.
fn matching_path(patch: &PatchFile, path: &str) -> Option<(String, PathMatch)> {
    if path.is_empty() {
        return None;
    }
    if patch.files.iter().any(|file| concerns(file, path)) {
        return Some((path.to_owned(), PathMatch::Same));
    }
    // The first name of each file: a name that a rename gives later is not a second file.
    let mut given: HashSet<&str> = HashSet::new();
    let mut candidates: Vec<&str> = Vec::new();
    for file in &patch.files {
        let old = file
            .old_path
            .as_deref()
            .filter(|_| file.kind != crate::ChangeKind::Copied);
        let new = file.new_path.as_deref();
        let name = match (old, new) {
            (Some(old), _) if !given.contains(old) && is_suffix_match(old, path) => Some(old),
            (old, Some(new))
                if old != Some(new) && is_suffix_match(new, path) && !given.contains(new) =>
            {
                Some(new)
            }
            _ => None,
        };
        if let Some(name) = name
            && !candidates.contains(&name)
        {
            candidates.push(name);
        }
        if let Some(new) = new
            && old != Some(new)
        {
            given.insert(new);
        }
    }
    match candidates[..] {
        [only] => Some((only.to_owned(), PathMatch::SuffixMatch)),
        _ => None,
    }
}

fn is_suffix_match(left: &str, right: &str) -> bool {
    let ends = |long: &str, short: &str| {
        long.strip_suffix(short)
            .is_some_and(|rest| rest.ends_with('/'))
    };
    ends(left, right) || ends(right, left)
}

fn changes_lines(hunk: &Hunk, start: u32, end: u32) -> bool {
    // The number of the last old line passed. A hunk without old lines stands after its start line, not at it.
    let mut passed = if hunk.old_lines == 0 {
        hunk.old_start
    } else {
        hunk.old_start.saturating_sub(1)
    };
    let (mut removed_any, mut inserted_at) = (false, None);
    let beside = |removed_any: bool, at: Option<u32>| {
        !removed_any && at.is_some_and(|at| at <= end && at.saturating_add(1) >= start)
    };
    for line in &hunk.lines {
        match (line.kind, line.old_line) {
            (LineKind::Remove, Some(number)) => {
                if (start..=end).contains(&number) {
                    return true;
                }
                removed_any = true;
                passed = number;
            }
            (LineKind::Add, _) => {
                inserted_at.get_or_insert(passed);
            }
            (_, number) => {
                if beside(removed_any, inserted_at) {
                    return true;
                }
                (removed_any, inserted_at) = (false, None);
                passed = number.unwrap_or(passed);
            }
        }
    }
    beside(removed_any, inserted_at)
}

/// By how much a line that the hunks do not change moves.
fn shift_before(hunks: &[Hunk], start: u32) -> i64 {
    let mut shift = 0_i64;
    for hunk in hunks {
        let mut passed = if hunk.old_lines == 0 {
            hunk.old_start
        } else {
            hunk.old_start.saturating_sub(1)
        };
        for line in &hunk.lines {
            match line.kind {
                LineKind::Add if passed < start => shift += 1,
                LineKind::Remove if line.old_line.is_some_and(|number| number < start) => {
                    shift -= 1;
                }
                _ => {}
            }
            passed = line.old_line.unwrap_or(passed);
        }
    }
    shift
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    fn touch(diff: &str, path: &str, start: u32, end: u32) -> &'static str {
        let patch = parse(diff.as_bytes()).unwrap();
        match touches(&patch, path, Some(start), Some(end)) {
            Touch::Lines { .. } => "lines",
            Touch::File { .. } => "file",
            Touch::No => "no",
        }
    }

    const REPLACE_5: &str =
        "--- a/src/f.c\n+++ b/src/f.c\n@@ -4,3 +4,4 @@\n four\n-five\n+FIVE\n+more\n six\n";
    const INSERT_AFTER_5: &str =
        "--- a/src/f.c\n+++ b/src/f.c\n@@ -5,2 +5,3 @@\n five\n+new\n six\n";

    #[test]
    fn removed_lines_and_insertions_beside_a_line_touch_it() {
        for (diff, start, end, expected) in [
            (REPLACE_5, 5, 5, "lines"),
            (REPLACE_5, 1, 9, "lines"),
            (REPLACE_5, 4, 4, "file"),
            (REPLACE_5, 6, 6, "file"),
            (INSERT_AFTER_5, 5, 5, "lines"),
            (INSERT_AFTER_5, 6, 6, "lines"),
            (INSERT_AFTER_5, 6, 5, "lines"),
            (INSERT_AFTER_5, 4, 4, "file"),
            (INSERT_AFTER_5, 7, 9, "file"),
        ] {
            assert_eq!(
                touch(diff, "src/f.c", start, end),
                expected,
                "{start}..{end}"
            );
        }
    }

    #[test]
    fn a_hunk_without_context_stands_after_its_line() {
        let diff = "--- a/f\n+++ b/f\n@@ -5,0 +6 @@\n+new\n";
        assert_eq!(touch(diff, "f", 5, 5), "lines");
        assert_eq!(touch(diff, "f", 6, 6), "lines");
        assert_eq!(touch(diff, "f", 4, 4), "file");
        assert_eq!(touch(diff, "f", 7, 7), "file");
    }

    #[test]
    fn paths_match_whole_parts_at_their_ends_only() {
        let patch = parse(REPLACE_5.as_bytes()).unwrap();
        let how = |path| match touches(&patch, path, Some(5), None) {
            Touch::Lines { path_match, .. } | Touch::File { path_match, .. } => Some(path_match),
            Touch::No => None,
        };
        assert_eq!(how("./src/f.c"), Some(PathMatch::Same));
        assert_eq!(how("src\\f.c"), Some(PathMatch::Same));
        assert_eq!(how("f.c"), Some(PathMatch::SuffixMatch));
        assert_eq!(how("/build/repo/src/f.c"), Some(PathMatch::SuffixMatch));
        for other in ["c", "rc/f.c", "lib/f.c", "src/f", "", "src/f.cc"] {
            assert_eq!(how(other), None, "{other}");
        }
    }

    #[test]
    fn a_name_that_two_files_share_matches_neither() {
        let two = format!("{REPLACE_5}--- a/lib/f.c\n+++ b/lib/f.c\n@@ -5 +5 @@\n-x\n+y\n");
        assert_eq!(touch(&two, "f.c", 5, 5), "no");
        assert_eq!(touch(&two, "lib/f.c", 5, 5), "lines");
    }

    #[test]
    fn the_place_is_carried_through_the_commits_of_a_series() {
        let head = |subject: &str| {
            format!("From 1 Mon Sep 17 00:00:00 2001\nFrom: A <a@b.c>\nSubject: {subject}\n\n---\n")
        };
        let series = format!(
            "{}diff --git a/f b/g\nrename from f\nrename to g\n--- a/f\n+++ b/g\n@@ -1 +1,3 @@\n+x\n+y\n one\n{}--- a/g\n+++ b/g\n@@ -12 +12 @@\n-ten\n+TEN\n",
            head("one"),
            head("two")
        );
        assert_eq!(touch(&series, "f", 10, 10), "lines");
        assert_eq!(touch(&series, "f", 12, 12), "file");
        assert_eq!(touch(&series, "sub/f", 10, 10), "lines");
    }

    #[test]
    fn a_finding_without_lines_or_in_a_new_file_is_only_a_matter_of_the_file() {
        let patch = parse(REPLACE_5.as_bytes()).unwrap();
        assert!(matches!(
            touches(&patch, "src/f.c", None, None),
            Touch::File { file: 0, .. }
        ));
        let added = "--- /dev/null\n+++ b/new\n@@ -0,0 +1,2 @@\n+a\n+b\n";
        assert_eq!(touch(added, "new", 1, 1), "file");
    }
}
