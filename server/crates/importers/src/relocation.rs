//! When a folder that scans ran in has another name than before.
//!
//! Some tools name files by absolute paths and say nothing of a root. A build that runs in another folder then changes every
//! path, though no file moved, and every finding would be new. The paths themselves tell: the ends of most are known, and
//! what stands before them is the same for all of them.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

/// A folder's names, without a slash at the end; empty for the repository itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relocation {
    was: String,
    now: String,
}

impl Relocation {
    /// The folder that the files of a series lie in under another name than before; `None` where the paths tell no such
    /// thing for certain. Most of what was seen has to be unknown, and most of that, at least two files, has to be known under the
    /// same other name.
    ///
    /// Two folders that both exist are two places, and so are two folders of the repository: only where the tool names files
    /// by `absolute` paths, or the folder is the repository itself under one of the names, the paths mean the same place.
    pub fn between<'a>(
        known: impl IntoIterator<Item = &'a str>,
        seen: impl IntoIterator<Item = &'a str>,
        absolute: bool,
    ) -> Option<Self> {
        let known: HashSet<&str> = known.into_iter().collect();
        if known.is_empty() {
            return None;
        }
        let seen: HashSet<&str> = seen.into_iter().collect();
        let unknown: Vec<&str> = seen.difference(&known).copied().collect();
        if (seen.len() - unknown.len()) * 10 > seen.len() {
            return None;
        }
        // Sorted by their ends, the path with the longest common end is a neighbour.
        let mut gone: Vec<&str> = known.difference(&seen).copied().collect();
        gone.sort_unstable_by(|one, other| by_end(one, other));
        let mut votes: HashMap<(&str, &str), usize> = HashMap::new();
        for path in &unknown {
            let at = gone.partition_point(|known| by_end(known, path) == Ordering::Less);
            let neighbours = gone[at.saturating_sub(1)..gone.len().min(at + 1)].iter();
            let ends = neighbours.map(|known| (*known, common_end(known, path)));
            let Some((known, end)) = ends.max_by_key(|(_, end)| *end).filter(|(_, end)| *end > 0)
            else {
                continue;
            };
            let folder = |path: &'a str| path[..path.len() - end].trim_end_matches('/');
            *votes.entry((folder(known), folder(path))).or_default() += 1;
        }
        // Each path has one vote, so of two folders not both can have more than half.
        let ((was, now), most) = votes.into_iter().max_by_key(|(_, n)| *n)?;
        // One file alone tells nothing: there are many called the same, and copied elsewhere.
        if most < 2 || most * 2 <= unknown.len() {
            return None;
        }
        if !absolute && !was.is_empty() && !now.is_empty() {
            return None;
        }
        let is_in =
            |path: &&str, folder: &str| !folder.is_empty() && inside(folder, path).is_some();
        let exist_both = seen
            .iter()
            .any(|path| is_in(path, was) && !is_in(path, now))
            || known
                .iter()
                .any(|path| is_in(path, now) && !is_in(path, was));
        (!exist_both).then(|| Self {
            was: was.to_owned(),
            now: now.to_owned(),
        })
    }

    /// A path as it was called before; `None` if it is not in this folder.
    pub fn before(&self, path: &str) -> Option<String> {
        let rest = inside(&self.now, path)?;
        Some(if self.was.is_empty() {
            rest.to_owned()
        } else {
            format!("{}/{rest}", self.was)
        })
    }
}

/// What of a path lies below a folder.
fn inside<'p>(folder: &str, path: &'p str) -> Option<&'p str> {
    match path.strip_prefix(folder)? {
        rest if folder.is_empty() => Some(rest),
        rest => rest.strip_prefix('/'),
    }
}

fn by_end(one: &str, other: &str) -> Ordering {
    one.bytes().rev().cmp(other.bytes().rev())
}

/// How many bytes at the end of both are equal, in whole names.
fn common_end(one: &str, other: &str) -> usize {
    let equal = one.bytes().rev().zip(other.bytes().rev());
    let n = equal.take_while(|(one, other)| one == other).count();
    let is_whole = |path: &str| n == path.len() || path.as_bytes()[path.len() - n - 1] == b'/';
    if is_whole(one) && is_whole(other) {
        return n;
    }
    // A slash is one byte, so this is a border of characters too.
    let end = &one.as_bytes()[one.len() - n..];
    let slash = end.iter().position(|byte| *byte == b'/');
    slash.map_or(0, |at| n - at - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(known: &[&str], seen: &[&str]) -> Option<(String, String)> {
        relocated(known, seen, true)
    }

    fn relocated(known: &[&str], seen: &[&str], absolute: bool) -> Option<(String, String)> {
        Relocation::between(known.iter().copied(), seen.iter().copied(), absolute)
            .map(|moved| (moved.was, moved.now))
    }

    fn names(was: &str, now: &str) -> (String, String) {
        (was.to_owned(), now.to_owned())
    }

    #[test]
    fn a_build_in_another_folder_is_recognised_by_the_ends_of_its_paths() {
        let known = ["builds/17/app/src/a.c", "builds/17/app/src/b.c"];
        assert_eq!(
            between(
                &known,
                &[
                    "builds/18/app/src/a.c",
                    "builds/18/app/src/b.c",
                    "builds/18/app/new.c"
                ]
            ),
            Some(names("builds/17", "builds/18"))
        );
        // Named relative to the repository from now on, and the other way round.
        assert_eq!(
            between(&known, &["src/a.c", "src/b.c"]),
            Some(names("builds/17/app", ""))
        );
        assert_eq!(
            between(&["src/a.c", "b.c"], &["builds/17/src/a.c", "builds/17/b.c"]),
            Some(names("", "builds/17"))
        );
    }

    #[test]
    fn two_folders_that_exist_are_two_places() {
        let orders = ["services/orders/src/a.c", "services/orders/src/b.c"];
        let payments = ["services/payments/src/a.c", "services/payments/src/b.c"];
        // Of the repository: another part of it.
        assert_eq!(relocated(&orders, &payments, false), None);
        assert!(relocated(&orders, &payments, true).is_some());
        // Both are there in one of the scans.
        let both = [payments[0], payments[1], "services/orders/src/other.c"];
        assert_eq!(relocated(&orders, &both, true), None);
        let both = [orders[0], orders[1], "services/payments/README.md"];
        assert_eq!(relocated(&both, &payments, true), None);
        // One file that is gone, and an equal one elsewhere.
        let (gone, elsewhere) = (
            "tests/app/config/settings.py",
            "services/app/config/settings.py",
        );
        assert_eq!(relocated(&[gone], &[elsewhere], true), None);
        // Run one folder higher up, named by relative paths.
        assert_eq!(
            relocated(&["a.c", "src/b.c"], &["app/a.c", "app/src/b.c"], false),
            Some(names("", "app"))
        );
    }

    #[test]
    fn where_the_paths_do_not_tell_nothing_has_moved() {
        // Most are known as they are: what is new was added.
        assert_eq!(
            between(&["p/src/a.c", "p/src/b.c"], &["p/src/a.c", "q/src/b.c"]),
            None
        );
        // Of one file only the name is equal.
        assert_eq!(between(&["one/util.c"], &["other/util.c"]), None);
        assert_eq!(between(&["util.c"], &["other/util.c"]), None);
        assert_eq!(between(&["one/util.c"], &["util.c"]), None);
        // Names that only end alike.
        assert_eq!(between(&["x/src/myutil.c"], &["y/src/util.c"]), None);
        // As many for one folder as for the other.
        assert_eq!(
            between(&["p/a/x.c", "q/b/y.c"], &["r/a/x.c", "s/b/y.c"]),
            None
        );
        assert_eq!(between(&[], &["src/a.c"]), None);
        assert_eq!(between(&["src/a.c"], &[]), None);
    }

    #[test]
    fn a_path_outside_of_the_folder_was_always_called_so() {
        let moved = |was: &str, now: &str, path| {
            let (was, now) = (was.to_owned(), now.to_owned());
            Relocation { was, now }.before(path)
        };
        assert_eq!(
            moved("b/17", "b/18", "b/18/x/ä.c").as_deref(),
            Some("b/17/x/ä.c")
        );
        assert_eq!(moved("b/17", "b/18", "b/180/x.c"), None);
        assert_eq!(moved("b/17", "", "x.c").as_deref(), Some("b/17/x.c"));
        assert_eq!(moved("", "b/17", "b/17/x.c").as_deref(), Some("x.c"));
    }
}
