//! From the service's patch to what parts show.

use std::fmt::Write as _;

use holdpoint_service::{
    patch::{Applies, ChangeKind, FileChange, Hunk, LineKind, PatchFile, Touch},
    patches::PatchView,
};

use crate::parts::{
    diff::{DiffRow, Side},
    patch::{Fit, Reach, ShownCommit, ShownFile, ShownPatch, ShownTouch},
};

/// A patch as parts show it. Pages of items and findings hand it to [`crate::parts::patch::PatchCard`].
pub fn shown(view: &PatchView, side: Side) -> ShownPatch {
    let patch = &view.patch;
    let touches = view
        .findings
        .iter()
        .map(|touched| ShownTouch {
            finding: touched.finding.id.as_str().to_owned(),
            number: touched.finding.number,
            reach: match touched.touch {
                _ if touched.finding.path.is_none() => Reach::NotKnown,
                None => Reach::NotKnown,
                Some(Touch::Lines { .. }) => Reach::Lines,
                Some(Touch::File { .. }) => Reach::File,
                Some(Touch::No) => Reach::Nothing,
            },
            sentence: touched.sentence.clone(),
        })
        .collect();
    let content = view.content.as_ref();
    ShownPatch {
        id: patch.id.as_str().to_owned(),
        number: patch.number,
        title: patch.title.clone(),
        state: patch.state,
        author: patch.author_name.clone(),
        submitted_by: patch.submitted_by_name.clone(),
        submitted_at: patch.submitted_at,
        sha256: patch.file_sha256.as_str().to_owned(),
        n_added: patch.n_added,
        n_removed: patch.n_removed,
        touches,
        items: view
            .items
            .iter()
            .map(|item| (item.key.clone(), item.id.as_str().to_owned()))
            .collect(),
        applies: fit(view),
        commits: content
            .map(|content| content.commits.as_slice())
            .unwrap_or_default()
            .iter()
            .map(|commit| ShownCommit {
                subject: visible(&commit.subject),
                author: visible(&format!("{} <{}>", commit.author_name, commit.author_email)),
                date: visible(&commit.date),
                body: visible(&commit.body),
            })
            .collect(),
        files: content
            .map(|content| files(view, content, side))
            .map_err(Clone::clone),
    }
}

fn fit(view: &PatchView) -> Fit {
    let target = view.review.commit.as_deref().unwrap_or("the target commit");
    let target: String = target.chars().take(12).collect();
    match &view.applies {
        Applies::Yes => Fit::Applies(format!("Applies to {target}")),
        Applies::No {
            path,
            expected,
            found,
        } => Fit::DoesNot(format!(
            "Does not apply to {target}: {path} is {found} there, and the patch was made against {expected}"
        )),
        Applies::Nowhere { reason } => Fit::DoesNot(format!("Does not apply anywhere: {reason}")),
        Applies::Unknown { reason } => {
            let mut letters = reason.chars();
            let first = letters.next().map(|first| first.to_ascii_lowercase());
            let reason: String = first.into_iter().chain(letters).collect();
            Fit::NotKnown(format!("Whether it applies is not known: {reason}"))
        }
    }
}

fn files(view: &PatchView, content: &PatchFile, side: Side) -> Vec<ShownFile> {
    // In a series of commits the lines of a finding move from one to the next, so that none is marked there.
    let is_one = content.commits.len() <= 1;
    let marks: Vec<_> = view
        .findings
        .iter()
        .filter(|_| is_one)
        .filter_map(|touched| match touched.touch {
            Some(Touch::Lines { file, hunk, .. }) => {
                let start = u32::try_from(touched.finding.start_line?).ok()?;
                let end = touched
                    .finding
                    .end_line
                    .and_then(|end| u32::try_from(end).ok());
                Some((file, hunk, start..=end.unwrap_or(start).max(start)))
            }
            _ => None,
        })
        .collect();
    shown_files(content, side, |at, nth, line| {
        let mut here = marks.iter().filter(|(f, h, _)| (*f, *h) == (at, nth));
        here.any(|(_, _, lines)| lines.contains(&line))
    })
}

/// The files of a patch as parts show them; a removed line of a file's hunk is marked if asked for.
pub fn shown_files(
    content: &PatchFile,
    side: Side,
    is_marked: impl Fn(usize, usize, u32) -> bool,
) -> Vec<ShownFile> {
    content
        .files
        .iter()
        .enumerate()
        .map(|(at, file)| {
            let mut rows = Vec::new();
            for (nth, hunk) in file.hunks.iter().enumerate() {
                hunk_rows(&mut rows, hunk, side, |line| is_marked(at, nth, line));
            }
            ShownFile {
                path: visible(file.path()),
                how: how(file),
                n_added: file.n_added(),
                n_removed: file.n_removed(),
                rows,
            }
        })
        .collect()
}

fn hunk_rows(rows: &mut Vec<DiffRow>, hunk: &Hunk, side: Side, is_marked: impl Fn(u32) -> bool) {
    rows.push(DiffRow::Hunk(visible(&format!(
        "@@ -{},{} +{},{} @@ {}",
        hunk.old_start, hunk.old_lines, hunk.new_start, hunk.new_lines, hunk.section
    ))));
    for line in &hunk.lines {
        let text = visible(&line.text);
        let (old, new) = (
            line.old_line.unwrap_or_default(),
            line.new_line.unwrap_or_default(),
        );
        rows.push(match line.kind {
            LineKind::Context => DiffRow::Same { old, new, text },
            LineKind::Add => DiffRow::Added {
                new,
                text,
                touched: false,
            },
            LineKind::Remove => DiffRow::Removed {
                old,
                touched: is_marked(old),
                text,
            },
        });
        // Side by side it would come between a removed line and the one that stands beside it.
        if line.no_newline && side == Side::Unified {
            rows.push(DiffRow::Hunk(
                "\\ No newline at the end of the file".to_owned(),
            ));
        }
    }
}

fn how(file: &FileChange) -> String {
    let from = || visible(file.old_path.as_deref().unwrap_or_default());
    let mode = match (&file.old_mode, &file.new_mode) {
        (Some(old), Some(new)) if old != new => Some(format!("mode {old} to {new}")),
        _ => None,
    };
    let kind = match file.kind {
        ChangeKind::Modified => "modified".to_owned(),
        ChangeKind::Added => "added".to_owned(),
        ChangeKind::Deleted => "deleted".to_owned(),
        ChangeKind::Renamed => format!("renamed from {}", from()),
        ChangeKind::Copied => format!("copied from {}", from()),
        ChangeKind::ModeOnly => return mode.unwrap_or_else(|| "mode changed".to_owned()),
        ChangeKind::Binary => match (&file.old_path, &file.new_path) {
            (None, _) => "binary file added".to_owned(),
            (_, None) => "binary file deleted".to_owned(),
            _ => "binary file changed".to_owned(),
        },
    };
    let content = (file.obstacle()).map_or_else(String::new, |why| format!(", {why}"));
    match mode {
        Some(mode) => format!("{kind}{content}, {mode}"),
        None => format!("{kind}{content}"),
    }
}

/// Makes characters visible that would let a diff show something else than it does: control characters, and those that
/// turn the direction of text around or take no room.
pub fn visible(text: &str) -> String {
    let hides = |c: char| {
        (c.is_control() && !matches!(c, '\t' | '\n'))
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    if !text.contains(hides) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\r' => out.push('␍'),
            c if hides(c) => {
                write!(out, "‹U+{:04X}›", u32::from(c))
                    .expect("a String takes all that is written to it");
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn a_diff_shows_what_hides() {
        assert_eq!(visible("a\tb"), "a\tb");
        assert_eq!(visible("end\r"), "end␍");
        assert_eq!(
            visible("x\u{202e}y\u{200b}z\u{1b}"),
            "x‹U+202E›y‹U+200B›z‹U+001B›"
        );
    }
}
