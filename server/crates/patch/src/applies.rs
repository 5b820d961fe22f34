//! Whether a patch fits a commit, told from blob ids alone.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::{ChangeKind, FileChange, PatchFile};

/// Whether the files of a commit are those that the patch was made against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "applies")]
pub enum Applies {
    /// Every file is the very content that the patch was made against.
    Yes,
    /// This file is another one, is missing, or is in the way. A merge by hand might still succeed; nothing is said of that.
    No {
        path: String,
        /// A blob id, or words for a file that must or must not be there.
        expected: String,
        found: String,
    },
    /// `git am` applies it nowhere, whatever the repository holds; see [`PatchFile::obstacle`].
    Nowhere { reason: String },
    /// The patch names no blob ids for a file, so that nothing can be compared.
    Unknown { reason: String },
}

const NO_FILE: &str = "no file";
const A_FILE: &str = "a file";

/// What an earlier change of the same patch has left at a path.
enum Left {
    Nothing,
    Blob(String),
    SomeFile,
}

/// Compares the patch's pre-images with a commit: `blob_of` gives the blob id of a path in it, or `None` where it has no
/// such file. Abbreviated ids are compared as far as they go. Later commits of a series are compared with what the
/// earlier ones leave.
pub fn applies(patch: &PatchFile, blob_of: impl Fn(&str) -> Option<String>) -> Applies {
    let mut left: HashMap<&str, Left> = HashMap::new();
    let mut unknown = None;
    for file in &patch.files {
        let at = |path: &str| match left.get(path) {
            Some(Left::Nothing) => None,
            Some(Left::Blob(id)) => Some(Some(id.clone())),
            Some(Left::SomeFile) => Some(None),
            None => blob_of(path).map(Some),
        };
        if let Some(old) = file.old_path.as_deref() {
            match (at(old), pre_image(file)) {
                (None, expected) => {
                    return no(old, expected.unwrap_or(A_FILE), NO_FILE);
                }
                (Some(Some(found)), Some(expected)) if !same_blob(expected, &found) => {
                    return no(old, expected, &found);
                }
                (Some(None), Some(_)) => {
                    unknown.get_or_insert_with(|| {
                        format!("An earlier commit of the patch changes {old} and does not say what it leaves.")
                    });
                }
                (_, None) if !needs_no_content(file) => {
                    unknown.get_or_insert_with(|| {
                        format!("The patch names no blob id for {old}. Make it with `git diff` or `git format-patch`.")
                    });
                }
                _ => {}
            }
        }
        if let Some(new) = file.new_path.as_deref()
            && file.old_path.as_deref() != Some(new)
            && let Some(found) = at(new)
        {
            return no(new, NO_FILE, found.as_deref().unwrap_or(A_FILE));
        }
        let after = match (file.kind, &file.new_blob) {
            (_, Some(id)) => Left::Blob(id.clone()),
            // Nothing but name or mode changes, so that the content stays what it was.
            _ if needs_no_content(file) => match file.old_path.as_deref().and_then(at).flatten() {
                Some(id) => Left::Blob(id),
                None => Left::SomeFile,
            },
            _ => Left::SomeFile,
        };
        if let Some(old) = file.old_path.as_deref()
            && file.kind != ChangeKind::Copied
        {
            left.insert(old, Left::Nothing);
        }
        if let Some(new) = file.new_path.as_deref() {
            left.insert(new, after);
        }
    }
    match unknown {
        Some(reason) => Applies::Unknown { reason },
        None => Applies::Yes,
    }
}

fn no(path: &str, expected: &str, found: &str) -> Applies {
    Applies::No {
        path: path.to_owned(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}

/// The blob id that the old file must have.
fn pre_image(file: &FileChange) -> Option<&str> {
    file.old_blob
        .as_deref()
        .filter(|id| id.bytes().any(|byte| byte != b'0'))
}

/// A pure rename, copy or change of mode fits whatever the file holds.
fn needs_no_content(file: &FileChange) -> bool {
    file.hunks.is_empty()
        && matches!(
            file.kind,
            ChangeKind::Renamed | ChangeKind::Copied | ChangeKind::ModeOnly
        )
}

fn same_blob(expected: &str, found: &str) -> bool {
    let length = expected.len().min(found.len());
    length >= 4
        && match (expected.get(..length), found.get(..length)) {
            (Some(expected), Some(found)) => expected.eq_ignore_ascii_case(found),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    const CHANGE: &str = "diff --git a/f b/f\nindex 1234abc..5678def 100644\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n";
    const AGAIN: &str = "diff --git a/f b/f\nindex 5678def..9999999 100644\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-b\n+c\n";
    const ADD: &str = "diff --git a/n b/n\nnew file mode 100644\nindex 0000000..5678def\n--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+b\n";
    const PLAIN: &str = "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n";

    fn at(diff: &str, files: &[(&str, &str)]) -> Applies {
        applies(&parse(diff.as_bytes()).unwrap(), |path| {
            files
                .iter()
                .find(|(name, _)| *name == path)
                .map(|(_, id)| (*id).to_owned())
        })
    }

    #[test]
    fn the_same_pre_image_applies_and_another_does_not() {
        let whole = "1234abcd00000000000000000000000000000000";
        assert_eq!(at(CHANGE, &[("f", whole)]), Applies::Yes);
        assert_eq!(
            at(CHANGE, &[("f", "1234abd")]),
            no("f", "1234abc", "1234abd")
        );
        assert_eq!(at(CHANGE, &[]), no("f", "1234abc", "no file"));
    }

    #[test]
    fn an_added_file_must_not_be_there() {
        assert_eq!(at(ADD, &[]), Applies::Yes);
        assert_eq!(
            at(ADD, &[("n", "77777777")]),
            no("n", "no file", "77777777")
        );
    }

    #[test]
    fn without_blob_ids_nothing_is_claimed() {
        assert!(matches!(
            at(PLAIN, &[("f", "1234abc")]),
            Applies::Unknown { .. }
        ));
        assert_eq!(at(PLAIN, &[]), no("f", "a file", "no file"));
        let both = format!("{PLAIN}{ADD}");
        assert_eq!(
            at(&both, &[("f", "1234abc"), ("n", "77777777")]),
            no("n", "no file", "77777777")
        );
    }

    #[test]
    fn a_series_is_compared_with_what_its_earlier_commits_leave() {
        assert_eq!(
            at(&format!("{CHANGE}{AGAIN}"), &[("f", "1234abc")]),
            Applies::Yes
        );
        assert_eq!(
            at(&format!("{CHANGE}{CHANGE}"), &[("f", "1234abc")]),
            no("f", "1234abc", "5678def")
        );
        let rename = "diff --git a/f b/g\nsimilarity index 100%\nrename from f\nrename to g\n";
        let then = CHANGE.replace("a/f", "a/g").replace("b/f", "b/g");
        assert_eq!(
            at(&format!("{rename}{then}"), &[("f", "1234abc")]),
            Applies::Yes
        );
        assert_eq!(
            at(&format!("{rename}{CHANGE}"), &[("f", "1234abc")]),
            no("f", "1234abc", "no file")
        );
    }
}
