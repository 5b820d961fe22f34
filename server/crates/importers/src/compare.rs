//! What a new scan changes, compared with what its series knows already.
//!
//! A pure function of both: nothing is stored, nothing is decided for a person. Findings with equal keys belong together;
//! of several equal ones in a file the order of their lines tells which is which, so that removing one of them fixes one.
//! Where a tool begins or stops to give fingerprints, rule, path and context find the finding again, but only if it is
//! certain which one is meant.

use std::collections::HashMap;

use holdpoint_domain::{Digest, FindingId, FindingStatus};
use serde::Serialize;

use crate::identity::{Identity, IdentityBasis};
use crate::{Completeness, Finding, ScannerStatus};

/// A finding of the series as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub id: FindingId,
    /// The number people call it by: 12 for F-12.
    pub number: i64,
    pub key: Digest,
    pub context: Digest,
    pub basis: IdentityBasis,
    pub ordinal: u32,
    pub path: Option<String>,
    pub line: Option<u32>,
    pub status: FindingStatus,
}

/// A finding of the new scan, as far as comparing needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identified {
    pub identity: Identity,
    pub path: Option<String>,
    pub line: Option<u32>,
    pub status: ScannerStatus,
}

impl Identified {
    pub fn new(identity: Identity, finding: &Finding) -> Self {
        Self {
            identity,
            path: finding.path.clone(),
            line: finding.start_line,
            status: finding.status,
        }
    }
}

/// Where a finding was or is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Spot {
    pub path: Option<String>,
    pub line: Option<u32>,
}

/// What a finding of the new scan is to the series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    New,
    Unchanged,
    Moved {
        from: Spot,
        to: Spot,
    },
    /// Had been fixed and is back.
    Reopened {
        from: Spot,
        to: Spot,
    },
    /// The scanner names it and says that it is gone or does not apply: it is not stored as a finding.
    NotPresent,
}

/// One finding of the new scan, compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Match {
    #[serde(flatten)]
    pub change: Change,
    /// Its place in the list of known findings, if it is one of them.
    #[serde(skip)]
    pub known: Option<usize>,
    /// A sentence for people.
    pub why: String,
}

/// A known finding that the new scan no longer has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gone {
    /// Its place in the list of known findings.
    #[serde(skip)]
    pub known: usize,
    pub id: FindingId,
    pub why: String,
}

/// How many findings changed how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ChangeCounts {
    pub new: u64,
    pub unchanged: u64,
    pub moved: u64,
    pub reopened: u64,
    pub fixed: u64,
}

/// Everything that a new scan changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// One for each finding of the new scan, in its order.
    pub matches: Vec<Match>,
    /// Open findings that are gone from a complete scan.
    pub fixed: Vec<Gone>,
    /// Findings that a person has decided about and that are gone: their state stays as it is.
    pub no_longer_seen: Vec<Gone>,
}

impl Comparison {
    pub fn counts(&self) -> ChangeCounts {
        let mut counts = ChangeCounts {
            fixed: self.fixed.len() as u64,
            ..ChangeCounts::default()
        };
        for entry in &self.matches {
            match entry.change {
                Change::New => counts.new += 1,
                Change::Unchanged => counts.unchanged += 1,
                Change::Moved { .. } => counts.moved += 1,
                Change::Reopened { .. } => counts.reopened += 1,
                Change::NotPresent => {}
            }
        }
        counts
    }
}

/// Compares a scan with the findings its series knows. An incomplete scan fixes nothing.
pub fn compare(previous: &[Known], new: &[Identified], completeness: &Completeness) -> Comparison {
    let mut pairs = Pairs::of(previous, new);
    pairs.match_by(
        |known| Some(&known.key),
        |seen| Some(&seen.identity.key),
        Certainty::Order,
    );
    // Equal contexts under different fingerprints are different findings (another secret on the same masked line), so
    // the context only counts where one of the two has no such fingerprint at all.
    pairs.match_contexts();
    pairs.into_comparison(completeness)
}

/// How sure a group of equal ones has to be before its members are paired.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Certainty {
    /// Their order tells which is which.
    Order,
    /// There must be as many old ones as new ones.
    EqualNumber,
}

struct Pairs<'a> {
    previous: &'a [Known],
    new: &'a [Identified],
    known_of: Vec<Option<usize>>,
    by_context: Vec<bool>,
    is_taken: Vec<bool>,
    /// Those new ones for which several known ones would do.
    rivals: Vec<Option<usize>>,
}

impl<'a> Pairs<'a> {
    fn of(previous: &'a [Known], new: &'a [Identified]) -> Self {
        Self {
            previous,
            new,
            known_of: vec![None; new.len()],
            by_context: vec![false; new.len()],
            is_taken: vec![false; previous.len()],
            rivals: vec![None; new.len()],
        }
    }

    fn match_contexts(&mut self) {
        let before = self.known_of.clone();
        // A basis of its own for each pass: a finding that had a fingerprint and has none now, and the other way round.
        for known_has_print in [true, false] {
            self.match_by(
                |known| (has_print(known.basis) == known_has_print).then_some(&known.context),
                |seen| {
                    (has_print(seen.identity.basis) != known_has_print)
                        .then_some(&seen.identity.context)
                },
                Certainty::EqualNumber,
            );
        }
        // A fingerprint that became ambiguous, or stopped to be, is still the same tool's fingerprint.
        for (known_basis, seen_basis) in [
            (IdentityBasis::Fingerprint, IdentityBasis::SharedFingerprint),
            (IdentityBasis::SharedFingerprint, IdentityBasis::Fingerprint),
        ] {
            self.match_by(
                |known| (known.basis == known_basis).then_some(&known.context),
                |seen| (seen.identity.basis == seen_basis).then_some(&seen.identity.context),
                Certainty::EqualNumber,
            );
        }
        for (at, known) in before.iter().enumerate() {
            self.by_context[at] = known.is_none() && self.known_of[at].is_some();
        }
    }

    fn match_by(
        &mut self,
        known_key: impl Fn(&Known) -> Option<&Digest>,
        new_key: impl Fn(&Identified) -> Option<&Digest>,
        certainty: Certainty,
    ) {
        let previous = self.previous;
        let new = self.new;
        let mut groups: HashMap<&Digest, (Vec<usize>, Vec<usize>)> = HashMap::new();
        for (at, seen) in new.iter().enumerate() {
            if seen.status.is_present()
                && self.known_of[at].is_none()
                && let Some(key) = new_key(seen)
            {
                groups.entry(key).or_default().1.push(at);
            }
        }
        for (at, known) in previous.iter().enumerate() {
            if !self.is_taken[at]
                && let Some(key) = known_key(known)
                && let Some(group) = groups.get_mut(key)
            {
                group.0.push(at);
            }
        }
        for (old, mut seen) in groups.into_values() {
            if old.is_empty() {
                continue;
            }
            seen.sort_by_key(|at| (new[*at].line, new[*at].identity.ordinal));
            // What is still there has the first claim; what had been fixed comes back only for what is left.
            let is_fixed = |at: &usize| previous[*at].status == FindingStatus::Fixed;
            let (mut fixed, mut live): (Vec<usize>, Vec<usize>) =
                old.into_iter().partition(is_fixed);
            for group in [&mut live, &mut fixed] {
                group.sort_by_key(|at| {
                    (
                        previous[*at].line,
                        previous[*at].ordinal,
                        previous[*at].number,
                    )
                });
                if group.is_empty() || seen.is_empty() {
                    continue;
                }
                if certainty == Certainty::EqualNumber && group.len() != seen.len() {
                    for at in &seen {
                        self.rivals[*at] = group.first().copied();
                    }
                    // Nor may what is left be taken for something that had been fixed.
                    break;
                }
                let old_lines: Vec<u32> = group
                    .iter()
                    .map(|at| previous[*at].line.unwrap_or(0))
                    .collect();
                let new_lines: Vec<u32> =
                    seen.iter().map(|at| new[*at].line.unwrap_or(0)).collect();
                for (old_at, new_at) in align(&old_lines, &new_lines) {
                    self.known_of[seen[new_at]] = Some(group[old_at]);
                    self.is_taken[group[old_at]] = true;
                }
                seen.retain(|at| self.known_of[*at].is_none());
            }
        }
    }

    fn into_comparison(self, completeness: &Completeness) -> Comparison {
        let mut comparison = Comparison::default();
        for (at, seen) in self.new.iter().enumerate() {
            comparison.matches.push(self.describe(at, seen));
        }
        for (at, known) in self.previous.iter().enumerate() {
            if self.is_taken[at]
                || known.status == FindingStatus::Fixed
                || !completeness.is_complete()
            {
                continue;
            }
            let name = format!("F-{}", known.number);
            if known.status.is_human_decision() {
                let label = known.status.label().to_lowercase();
                comparison.no_longer_seen.push(Gone {
                    known: at,
                    id: known.id.clone(),
                    why: format!(
                        "{name} is no longer in the scan; it stays {label}, as a person decided"
                    ),
                });
            } else {
                comparison.fixed.push(Gone {
                    known: at,
                    id: known.id.clone(),
                    why: format!("{name} is no longer in the complete scan"),
                });
            }
        }
        comparison
    }

    fn describe(&self, at: usize, seen: &Identified) -> Match {
        if !seen.status.is_present() {
            return Match {
                change: Change::NotPresent,
                known: None,
                why: format!("the scanner says {}", seen.status),
            };
        }
        let Some(known_at) = self.known_of[at] else {
            let why = match self.rivals[at] {
                Some(rival) => format!(
                    "not merged with F-{} or its equals: rule, file and context are equal, but not which of them it is",
                    self.previous[rival].number
                ),
                None => "not in the last scan of the series".to_owned(),
            };
            return Match {
                change: Change::New,
                known: None,
                why,
            };
        };
        let known = &self.previous[known_at];
        let from = Spot {
            path: known.path.clone(),
            line: known.line,
        };
        let to = Spot {
            path: seen.path.clone(),
            line: seen.line,
        };
        let parts = if self.by_context[at] {
            "rule, file and context are equal, only the tool's fingerprint is not"
        } else {
            seen.identity.basis.equal_parts()
        };
        let mut why = format!("same as F-{}: {parts}", known.number);
        let has_moved = from != to;
        if has_moved {
            why.push_str(&moved_text(&from, &to));
        }
        let change = if known.status == FindingStatus::Fixed && seen.status.is_open() {
            why.push_str("; it had been fixed");
            Change::Reopened { from, to }
        } else if has_moved {
            Change::Moved { from, to }
        } else {
            Change::Unchanged
        };
        Match {
            change,
            known: Some(known_at),
            why,
        }
    }
}

fn has_print(basis: IdentityBasis) -> bool {
    matches!(
        basis,
        IdentityBasis::Fingerprint
            | IdentityBasis::PartialFingerprint
            | IdentityBasis::SharedFingerprint
    )
}

fn moved_text(from: &Spot, to: &Spot) -> String {
    let mut text = String::new();
    if from.path != to.path {
        let name = |spot: &Spot| spot.path.clone().unwrap_or_else(|| "no file".to_owned());
        text = format!(", file moved {} → {}", name(from), name(to));
    }
    if from.line != to.line {
        let number = |spot: &Spot| {
            spot.line
                .map_or_else(|| "no line".to_owned(), |line| line.to_string())
        };
        text = format!("{text}, line moved {} → {}", number(from), number(to));
    }
    text
}

/// The largest number of pairs weighed; beyond it, twins are paired from the first on.
const MOST_WEIGHED: usize = 1 << 22;

/// Pairs old and new lines, both sorted, keeping their order: as many pairs as possible, moved as little as possible.
fn align(old: &[u32], new: &[u32]) -> Vec<(usize, usize)> {
    if old.len() > new.len() {
        let pairs = align(new, old).into_iter();
        return pairs.map(|(short, long)| (long, short)).collect();
    }
    // What did not move at either end is paired at no cost, which nothing can better; seldom is much left to weigh.
    let is_same = |(old, new): &(&u32, &u32)| old == new;
    let head = old.iter().zip(new).take_while(is_same).count();
    let (old_rest, new_rest) = (&old[head..], &new[head..]);
    let tail = old_rest
        .iter()
        .rev()
        .zip(new_rest.iter().rev())
        .take_while(is_same)
        .count();
    let old_middle = &old_rest[..old_rest.len() - tail];
    let new_middle = &new_rest[..new_rest.len() - tail];

    let mut pairs: Vec<(usize, usize)> = (0..head).map(|at| (at, at)).collect();
    pairs.extend(
        weigh(old_middle, new_middle)
            .into_iter()
            .map(|(i, j)| (i + head, j + head)),
    );
    pairs.extend(
        (0..tail)
            .rev()
            .map(|back| (old.len() - 1 - back, new.len() - 1 - back)),
    );
    pairs
}

/// As [`align`], for at most as many old lines as new ones.
fn weigh(old: &[u32], new: &[u32]) -> Vec<(usize, usize)> {
    if old.len() == new.len() || old.len().saturating_mul(new.len()) > MOST_WEIGHED {
        return (0..old.len()).map(|at| (at, at)).collect();
    }
    // best[j]: the least total movement with which the first i old lines find a partner among the first j new ones.
    let width = new.len() + 1;
    let mut takes = vec![false; old.len() * new.len()];
    let mut best = vec![0_u64; width];
    for (i, old_line) in old.iter().enumerate() {
        let mut next = vec![u64::MAX; width];
        for (j, new_line) in new.iter().enumerate().skip(i) {
            let with = best[j].saturating_add(u64::from(old_line.abs_diff(*new_line)));
            // With equal movement the earlier partner wins.
            if with < next[j] {
                takes[i * new.len() + j] = true;
                next[j + 1] = with;
            } else {
                next[j + 1] = next[j];
            }
        }
        best = next;
    }
    let mut pairs = Vec::with_capacity(old.len());
    let mut j = new.len();
    for i in (0..old.len()).rev() {
        while !takes[i * new.len() + j - 1] {
            j -= 1;
        }
        j -= 1;
        pairs.push((i, j));
    }
    pairs.reverse();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_twins_the_one_that_moved_least_is_the_same() {
        assert_eq!(align(&[10, 20, 30], &[10, 30]), [(0, 0), (2, 1)]);
        assert_eq!(align(&[10, 20, 30], &[30, 40]), [(1, 0), (2, 1)]);
        assert_eq!(align(&[10, 30], &[10, 20, 30]), [(0, 0), (1, 2)]);
        assert_eq!(align(&[0, 0, 0], &[0, 0]), [(0, 0), (1, 1)]);
        assert_eq!(align(&[1, 5, 9, 20], &[1, 9, 20]), [(0, 0), (2, 1), (3, 2)]);
        assert_eq!(align(&[7, 7, 7], &[7, 7]), [(0, 0), (1, 1)]);
        assert_eq!(align(&[], &[1]), []);
    }
}
