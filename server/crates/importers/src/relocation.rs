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
    /// thing for certain. Most of what was seen has to be unknown, and most of that has to be known under the same other
    /// name.
    pub fn between<'a>(
        known: impl IntoIterator<Item = &'a str>,
        seen: impl IntoIterator<Item = &'a str>,
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
        let mut votes: HashMap<(&str, &str), Votes> = HashMap::new();
        for path in &unknown {
            let at = gone.partition_point(|known| by_end(known, path) == Ordering::Less);
            let neighbours = gone[at.saturating_sub(1)..gone.len().min(at + 1)].iter();
            let ends = neighbours.map(|known| (*known, common_end(known, path)));
            let Some((known, end)) = ends.max_by_key(|(_, end)| *end).filter(|(_, end)| *end > 0)
            else {
                continue;
            };
            let folder = |path: &'a str| path[..path.len() - end].trim_end_matches('/');
            let vote = votes.entry((folder(known), folder(path))).or_default();
            vote.n += 1;
            vote.is_telling |= path[path.len() - end..].contains('/');
        }
        // Each path has one vote, so of two folders not both can have more than half.
        let ((was, now), best) = votes.iter().max_by_key(|(_, vote)| vote.n)?;
        // The name of one file alone tells nothing: there are many called the same.
        let is_telling = best.is_telling || best.n > 1;
        (is_telling && best.n * 2 > unknown.len()).then(|| Self {
            was: (*was).to_owned(),
            now: (*now).to_owned(),
        })
    }

    /// A path as it was called before; `None` if it is not in this folder.
    pub fn before(&self, path: &str) -> Option<String> {
        let rest = match path.strip_prefix(self.now.as_str())? {
            rest if self.now.is_empty() => rest,
            rest => rest.strip_prefix('/')?,
        };
        Some(if self.was.is_empty() {
            rest.to_owned()
        } else {
            format!("{}/{rest}", self.was)
        })
    }
}

#[derive(Default)]
struct Votes {
    n: usize,
    /// Whether more than a file's name is equal for one of them.
    is_telling: bool,
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
        Relocation::between(known.iter().copied(), seen.iter().copied())
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
            between(&["src/a.c"], &["builds/17/src/a.c"]),
            Some(names("", "builds/17"))
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
