//! Patches: unified diffs and `git format-patch` mails, parsed, matched to findings, and written as one series.
//!
//! This crate knows text only. It never opens a repository and never applies a patch: whether a patch fits a commit is
//! answered from blob ids ([`applies`]), whether it changes a finding's lines from line numbers ([`touches`]). Neither
//! says that a patch fixes anything; a later scan does.
//!
//! Start reading at [`parse`](fn@parse), then [`FileChange`]; [`series`](fn@series) is the way out again, and
//! [`diff`](fn@diff) makes a diff of what a tool says is to be replaced.
//!
//! The parser is our own. Of the crates looked at, `patch` and `unidiff` know no renames, modes or binary changes,
//! `gitpatch` sees only pure renames and the line that binary files differ, `similar` only writes diffs, and `diffy`
//! (0.5) reads all of these but throws away the `index` line, which is where the blob ids are, tells places as byte
//! offsets only, and sets no limits. The mails are read here too: carriage returns and line ends of a patch must
//! survive byte for byte, and `mailparse` (0.18) takes half a second for a subject of 15 KiB made of short encoded
//! words.

mod applies;
mod edits;
mod error;
mod mail;
mod parse;
mod path;
mod rows;
mod series;
mod touch;

use serde::{Deserialize, Serialize};

pub use applies::{Applies, applies};
pub use edits::{Edit, FileEdits, MadeDiff, NoDiff, diff};
pub use error::{PatchError, Refusal};
pub use parse::parse;
pub use rows::{Pair, Row, rows, side_by_side};
pub use series::{SeriesError, SeriesPatch, series};
pub use touch::{PathMatch, Touch, touches};

/// The largest patch that is read.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;
/// The most file changes in one patch.
pub const MAX_FILES: usize = 5_000;
/// The most hunks in one patch.
pub const MAX_HUNKS: usize = 50_000;
/// The most lines in all hunks together, which bounds memory for patches of very short lines.
pub const MAX_LINES: usize = 200_000;
/// The most mails in one file.
pub const MAX_COMMITS: usize = 1_000;

/// A patch as it was read: commits if it came as mails, and the files it changes in the order given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchFile {
    pub commits: Vec<CommitHead>,
    pub files: Vec<FileChange>,
}

impl PatchFile {
    /// Lines added in all files.
    pub fn n_added(&self) -> usize {
        self.files.iter().map(FileChange::n_added).sum()
    }

    /// Lines removed in all files.
    pub fn n_removed(&self) -> usize {
        self.files.iter().map(FileChange::n_removed).sum()
    }
}

impl PatchFile {
    /// Why `git am` does not apply this patch whatever the repository holds, as a sentence about the first such file; `None` where
    /// it may apply.
    pub fn obstacle(&self) -> Option<String> {
        self.files.iter().find_map(|file| {
            let why = file.obstacle()?;
            Some(format!("{} is changed {why}.", file.path()))
        })
    }

    /// What is doubtful of a patch without an obstacle, as a sentence about the first such file.
    pub fn doubt(&self) -> Option<String> {
        let file = self.files.iter().find(|file| file.is_for_the_end())?;
        Some(format!(
            "{} is changed without the lines around the change: `git am` applies that only at the end of a file. Make the patch \
             with `git format-patch`, which gives three lines of context.",
            file.path()
        ))
    }
}

/// Who made a commit and what they said about it, from the head of a `git format-patch` mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitHead {
    /// The commit's id from the line `From <id> Mon Sep 17 00:00:00 2001`, where the mail has one.
    pub from: Option<String>,
    /// Without `[PATCH 1/2]`, encoded words decoded.
    pub subject: String,
    pub author_name: String,
    pub author_email: String,
    /// As it stands in the mail.
    pub date: String,
    /// The rest of the commit message.
    pub body: String,
}

/// What happens to one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    Modified,
    Added,
    Deleted,
    Renamed,
    Copied,
    /// Only the file's mode changes.
    ModeOnly,
    /// Content that is not text. Without an old path the file is added, without a new path deleted.
    Binary,
}

/// One file's part of a patch. Paths are relative to the repository, without `a/` and `b/`, unquoted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Which of [`PatchFile::commits`] this belongs to.
    pub commit: Option<usize>,
    /// `None` for an added file.
    pub old_path: Option<String>,
    /// `None` for a deleted file.
    pub new_path: Option<String>,
    pub kind: ChangeKind,
    /// The id before the dots of `index 1234abc..5678def`, often abbreviated.
    pub old_blob: Option<String>,
    /// The id after the dots.
    pub new_blob: Option<String>,
    pub old_mode: Option<String>,
    pub new_mode: Option<String>,
    /// Whether a binary change carries its content. Without it, nobody can apply the change.
    pub has_binary_content: bool,
    pub hunks: Vec<Hunk>,
}

impl FileChange {
    /// The path to show: the new one, or that of the deleted file.
    pub fn path(&self) -> &str {
        self.new_path
            .as_deref()
            .or(self.old_path.as_deref())
            .unwrap_or_default()
    }

    /// Why `git am` does not apply this change whatever the file holds, as what is said of how it is changed; `None` where it may.
    pub fn obstacle(&self) -> Option<&'static str> {
        if self.kind == ChangeKind::Binary && !self.has_binary_content {
            return Some(
                "without its binary content, so that nobody can apply it: make the patch with `git format-patch`",
            );
        }
        // What ends without a line of context has to be at the end of the file, so nothing follows it.
        let (_, before) = self.hunks.split_last()?;
        before.iter().any(|hunk| !hunk.ends_with_context()).then_some(
            "without the lines around the change, so that `git am` cannot place it: make the patch with `git format-patch`, \
             which gives three lines of context",
        )
    }

    /// Whether `git am` applies this change only where the file ends with it: it was made without any context behind the file's
    /// first line (`git diff --unified=0`).
    pub fn is_for_the_end(&self) -> bool {
        self.hunks.last().is_some_and(|hunk| {
            let is_behind = hunk.old_start > 1 || (hunk.old_start == 1 && hunk.old_lines == 0);
            let begins_with_context = (hunk.lines.first()).is_some_and(Line::is_context);
            is_behind && !begins_with_context && !hunk.ends_with_context()
        })
    }

    /// Lines added.
    pub fn n_added(&self) -> usize {
        self.count(LineKind::Add)
    }

    /// Lines removed.
    pub fn n_removed(&self) -> usize {
        self.count(LineKind::Remove)
    }

    fn count(&self, kind: LineKind) -> usize {
        self.hunks
            .iter()
            .flat_map(|hunk| &hunk.lines)
            .filter(|line| line.kind == kind)
            .count()
    }
}

/// A run of lines that change together, with the lines around them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hunk {
    pub old_start: u32,
    pub old_lines: u32,
    pub new_start: u32,
    pub new_lines: u32,
    /// What stands after the second `@@`, usually the enclosing function.
    pub section: String,
    pub lines: Vec<Line>,
}

impl Hunk {
    fn ends_with_context(&self) -> bool {
        self.lines.last().is_some_and(Line::is_context)
    }
}

/// What a line of a hunk does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    Context,
    Add,
    Remove,
}

/// One line of a hunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub kind: LineKind,
    /// Its number in the old file; `None` for an added line.
    pub old_line: Option<u32>,
    /// Its number in the new file; `None` for a removed line.
    pub new_line: Option<u32>,
    /// Without the marker and the line feed. A carriage return before the line feed is content and stays. Bytes that
    /// are not UTF-8 are shown as U+FFFD.
    pub text: String,
    /// The file ends here without a line feed.
    pub no_newline: bool,
}

impl Line {
    fn is_context(&self) -> bool {
        self.kind == LineKind::Context
    }
}
