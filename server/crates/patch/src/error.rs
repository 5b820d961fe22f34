//! Why a patch is refused.

use serde::{Deserialize, Serialize};

/// A patch that is not read: the line where it broke, and what was expected there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("Line {line}: {reason}")]
pub struct PatchError {
    /// Counted from 1. In a mail with an encoded body: the line of the decoded text, counted on from the mail's head.
    pub line: u32,
    pub reason: Refusal,
}

/// What was wrong, what was expected, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    #[error("the patch is empty. Give the output of `git diff` or `git format-patch`.")]
    Empty,
    #[error(
        "the patch has {bytes} bytes, and at most {max} are read. Split it into several patches."
    )]
    TooLarge { bytes: usize, max: usize },
    #[error("the patch has more than {max} {what}. Split it into several patches.")]
    TooMany { what: String, max: usize },
    #[error(
        "this is a web page, not a patch. Download the raw patch instead of the page that shows it."
    )]
    WebPage,
    #[error(
        "this is UTF-16 text, as PowerShell's `>` writes it. Make the patch with `git diff --output=FILE`."
    )]
    Utf16,
    #[error(
        "this is not text: it holds a zero byte. Give the output of `git diff --binary` or `git format-patch`."
    )]
    NotText,
    #[error(
        "no diff was found. Expected a line `diff --git a/FILE b/FILE`, or `--- FILE` and `+++ FILE`, followed by a hunk \
         `@@ -1,2 +1,3 @@`."
    )]
    NoDiff,
    #[error(
        "this is a merge's combined diff, which cannot be applied. Make one diff against one parent."
    )]
    CombinedDiff,
    #[error(
        "this mail is not read, since {why}: git might apply something else than is shown. Give the file that `git format-patch` \
         writes, without `--attach`."
    )]
    Mail { why: String },
    #[error("expected {expected}, but found {found}.")]
    Expected { expected: String, found: String },
    #[error(
        "the hunk of line {hunk_line} announces {old_lines} old and {new_lines} new lines, but ends after {old_seen} and \
         {new_seen}. The patch was cut off or edited: make it again."
    )]
    HunkTooShort {
        hunk_line: u32,
        old_lines: u32,
        new_lines: u32,
        old_seen: u32,
        new_seen: u32,
    },
    #[error(
        "the hunk of line {hunk_line} announces {old_lines} old and {new_lines} new lines, but goes on. The patch was \
         edited: make it again."
    )]
    HunkTooLong {
        hunk_line: u32,
        old_lines: u32,
        new_lines: u32,
    },
    #[error("the path {path:?} is not inside a repository: {why}. Make the patch with `git diff`.")]
    UnsafePath { path: String, why: String },
}
