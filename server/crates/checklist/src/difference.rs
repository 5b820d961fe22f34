//! Two versions of a document, compared item by item.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;

use serde::{Deserialize, Serialize};

use crate::{Document, Item, normalise, normalise_line};

/// How alike two texts must be, as shared words, to count as one item reworded; less where the key is the same.
const ALIKE: f64 = 0.6;
const ALIKE_WITH_SAME_KEY: f64 = 0.4;
/// A word that more items than this have in common says nothing about which is which.
const MAX_ITEMS_WITH_WORD: usize = 64;

/// What a new version of a document changes. All numbers are indices into the documents' items; each item is in exactly one list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// In the new document only.
    pub added: Vec<usize>,
    /// In the old document only.
    pub removed: Vec<usize>,
    /// The same item with another title or requirement.
    pub reworded: Vec<Pair>,
    /// The same text in another section, or below another item.
    pub moved: Vec<Pair>,
    /// The same text in the same section; its key may be another if items before it came or went.
    pub unchanged: Vec<Pair>,
}

impl Difference {
    /// Whether both documents ask for the same, in the same sections.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty()
            && self.removed.is_empty()
            && self.reworded.is_empty()
            && self.moved.is_empty()
    }
}

/// One item in both documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pair {
    pub old: usize,
    pub new: usize,
}

/// An item as it is compared: only what counts, see [`normalise`].
struct Compared<'a> {
    key: &'a str,
    title: String,
    text: String,
    place: String,
}

/// Compares two versions. Items are matched by text and place, by text, by key and title, by title and place, by title, and what
/// is left by how many words they share. White space, list markers, the state of boxes and the document's own
/// section numbers do not count; nor do hints, since they are no part of the requirement.
pub fn difference(old: &Document, new: &Document) -> Difference {
    let (before, after) = (compared(old), compared(new));
    let mut matching = Matching {
        old: vec![None; before.len()],
        new: vec![None; after.len()],
    };
    matching.by(&before, &after, |item| {
        Some((&item.text, &item.place, item.key))
    });
    matching.by(&before, &after, |item| Some((&item.text, &item.place)));
    matching.by(&before, &after, |item| Some(&item.text));
    matching.by(&before, &after, |item| Some((item.key, &item.title)));
    matching.by(&before, &after, |item| Some((&item.title, &item.place)));
    matching.by(&before, &after, |item| Some(&item.title));
    matching.by_likeness(&before, &after);

    let mut difference = Difference::default();
    for (at, matched) in matching.new.iter().enumerate() {
        let Some(of_old) = *matched else {
            difference.added.push(at);
            continue;
        };
        let pair = Pair {
            old: of_old,
            new: at,
        };
        let (before, after) = (&before[of_old], &after[at]);
        if before.text != after.text {
            difference.reworded.push(pair);
        } else if before.place != after.place {
            difference.moved.push(pair);
        } else {
            difference.unchanged.push(pair);
        }
    }
    difference.removed = (0..before.len())
        .filter(|at| matching.old[*at].is_none())
        .collect();
    difference
}

fn compared(document: &Document) -> Vec<Compared<'_>> {
    let place = |item: &Item| {
        let section = document.sections.get(item.section);
        let section = section.map_or("", |section| section.title.as_str());
        let parent = item.parent.and_then(|parent| document.items.get(parent));
        let parent = parent.map_or("", |parent| parent.title.as_str());
        format!("{}\n{}", normalise_line(section), normalise_line(parent))
    };
    let items = document.items.iter();
    items
        .map(|item| {
            let title = normalise_line(&item.title);
            Compared {
                key: &item.key,
                text: format!("{title}\n{}", normalise(&item.body, Some(&item.key))),
                title,
                place: place(item),
            }
        })
        .collect()
}

struct Matching {
    old: Vec<Option<usize>>,
    new: Vec<Option<usize>>,
}

impl Matching {
    fn pair(&mut self, old: usize, new: usize) {
        self.old[old] = Some(new);
        self.new[new] = Some(old);
    }

    /// Pairs what is left and has the same name, in document order.
    fn by<'a, K: Hash + Eq>(
        &mut self,
        before: &'a [Compared<'a>],
        after: &'a [Compared<'a>],
        name: impl Fn(&'a Compared<'a>) -> Option<K>,
    ) {
        let mut waiting: HashMap<K, VecDeque<usize>> = HashMap::new();
        for (at, item) in before.iter().enumerate() {
            if self.old[at].is_none()
                && let Some(name) = name(item)
            {
                waiting.entry(name).or_default().push_back(at);
            }
        }
        for (at, item) in after.iter().enumerate() {
            if self.new[at].is_none()
                && let Some(name) = name(item)
                && let Some(old) = waiting.get_mut(&name).and_then(VecDeque::pop_front)
            {
                self.pair(old, at);
            }
        }
    }

    fn by_likeness(&mut self, before: &[Compared<'_>], after: &[Compared<'_>]) {
        let old_words: Vec<_> = before.iter().map(|item| words(&item.text)).collect();
        let mut with_word: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut with_key: HashMap<&str, usize> = HashMap::new();
        for (at, words) in old_words.iter().enumerate() {
            if self.old[at].is_none() {
                with_key.insert(before[at].key, at);
                for word in words {
                    with_word.entry(word).or_default().push(at);
                }
            }
        }
        let mut likely: Vec<(f64, bool, Pair)> = Vec::new();
        for (new, item) in after.iter().enumerate() {
            if self.new[new].is_some() {
                continue;
            }
            let new_words = words(&item.text);
            let mut candidates: HashSet<usize> = new_words
                .iter()
                .filter_map(|word| with_word.get(word.as_str()))
                .filter(|items| items.len() <= MAX_ITEMS_WITH_WORD)
                .flatten()
                .copied()
                .collect();
            let same_key = with_key.get(item.key).copied();
            candidates.extend(same_key);
            for old in candidates {
                let has_same_key = same_key == Some(old);
                let alike = likeness(&old_words[old], &new_words);
                let enough = if has_same_key {
                    ALIKE_WITH_SAME_KEY
                } else {
                    ALIKE
                };
                if alike >= enough {
                    likely.push((alike, has_same_key, Pair { old, new }));
                }
            }
        }
        likely.sort_by(|one, other| {
            other
                .0
                .total_cmp(&one.0)
                .then(other.1.cmp(&one.1))
                .then(one.2.cmp(&other.2))
        });
        for (_, _, Pair { old, new }) in likely {
            if self.old[old].is_none() && self.new[new].is_none() {
                self.pair(old, new);
            }
        }
    }
}

fn words(text: &str) -> HashSet<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// The share of words in common: 1 for the same words, 0 for none.
fn likeness(one: &HashSet<String>, other: &HashSet<String>) -> f64 {
    let n_all = one.len() + other.len();
    if n_all == 0 {
        return 0.0;
    }
    let n_shared = one.intersection(other).count();
    #[expect(
        clippy::cast_precision_loss,
        reason = "a document of 4 MiB has fewer words than an f64 counts exactly"
    )]
    let share = 2.0 * n_shared as f64 / n_all as f64;
    share
}
