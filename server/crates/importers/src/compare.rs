//! What a new scan changes, compared with what its series knows already.
//!
//! A pure function of both: nothing is stored, nothing is decided for a person. Findings with equal keys belong together;
//! of several equal ones in a file the order of their lines tells which is which, so that removing one of them fixes one. Once a
//! person has decided about one of them, only those are paired that lie at the same line, or that are as many as before and
//! of which none lies where another one lay, or that have the same scope: a decision goes to nothing that was merely counted out.
//! Where a tool begins or stops to give fingerprints, rule, path and context find the finding again, but only if it is
//! certain which one is meant.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::num::NonZeroU32;

use holdpoint_domain::FindingStatus;

use crate::identity::{Identity, IdentityBasis, Key, Twins, Unversioned, former_keys};
use crate::{Completeness, Finding, PathName, PathNames, ScannerStatus};

/// A finding of the series as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The number people call it by: 12 for F-12.
    pub number: i64,
    pub key: Key,
    pub context: Key,
    pub basis: IdentityBasis,
    pub ordinal: u32,
    pub path: Option<PathName>,
    pub line: Option<NonZeroU32>,
    /// See [`crate::identity::version_mark`]; 0 without a version.
    pub version: u32,
    /// As it counts now: what a person decided and does not hold any more is open.
    pub status: FindingStatus,
    /// Whether a complete scan did not have it already, where a person has decided about it.
    pub is_gone: bool,
}

/// A finding of the new scan, as far as comparing needs it. All of a scan's are in memory at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identified {
    pub identity: Identity,
    pub path: Option<PathName>,
    pub line: Option<NonZeroU32>,
    pub status: ScannerStatus,
}

const _: () = assert!(size_of::<Identified>() <= 52);

impl AsRef<Identity> for Identified {
    fn as_ref(&self) -> &Identity {
        &self.identity
    }
}

impl AsMut<Identity> for Identified {
    fn as_mut(&mut self) -> &mut Identity {
        &mut self.identity
    }
}

/// The findings of a new scan, as far as comparing needs them.
#[derive(Debug, Default)]
pub struct Seen {
    /// In the order of the file. Their identities are complete once [`Seen::finish`] was called.
    pub findings: Vec<Identified>,
    /// The places of those that have former keys, ascending, with what their keys were if the tool gave fewer fingerprints
    /// then: see [`former_keys`].
    former: Vec<(usize, Box<[Key]>)>,
    /// Of those with a version, what their keys were before versions belonged to them.
    unversioned: Vec<(usize, Unversioned)>,
    twins: Twins,
}

impl Seen {
    /// With room for about so many findings.
    pub fn for_about(findings: usize) -> Self {
        Self {
            findings: Vec::with_capacity(findings),
            former: Vec::new(),
            unversioned: Vec::new(),
            twins: Twins::for_about(findings),
        }
    }

    /// The next finding of the file. `paths` has the paths of the series too.
    pub fn add(&mut self, finding: &Finding, paths: &mut PathNames) {
        if let Some(former) = former_keys(finding) {
            self.former.push((self.findings.len(), former));
        }
        if let Some(unversioned) = Unversioned::of(finding) {
            self.unversioned.push((self.findings.len(), unversioned));
        }
        self.findings.push(Identified {
            identity: self.twins.add(finding),
            path: finding.path.as_deref().map(|path| paths.name(path)),
            line: finding.start_line.and_then(NonZeroU32::new),
            status: finding.status,
        });
    }

    /// Tells equal ones apart, when all of the file are here.
    pub fn finish(&mut self) {
        std::mem::take(&mut self.twins).finish(&mut self.findings);
    }
}

/// What a finding of the new scan is to the series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    New,
    Unchanged,
    Moved,
    /// Had been fixed and is back.
    Reopened,
    /// The scanner names it and says that it is gone or does not apply: it is not stored as a finding.
    NotPresent,
}

/// One finding of the new scan, compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    pub change: Change,
    /// What it was found again by, if it was.
    by: By,
    /// Which of the known findings it is, from 1.
    nth_known: Option<NonZeroU32>,
}

const _: () = assert!(size_of::<Match>() <= 8);

impl Match {
    /// Its place in the list of known findings, if it is one of them.
    pub fn known(self) -> Option<usize> {
        self.nth_known.map(|nth| nth.get() as usize - 1)
    }
}

/// How many findings changed how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangeCounts {
    pub new: u64,
    pub unchanged: u64,
    pub moved: u64,
    pub reopened: u64,
    pub fixed: u64,
}

/// Everything that a new scan changes.
#[derive(Debug)]
pub struct Comparison<'a> {
    paths: &'a PathNames,
    previous: &'a [Known],
    seen: &'a [Identified],
    /// One for each finding of the new scan, in its order.
    pub matches: Vec<Match>,
    /// Open findings that are gone from a complete scan: their places in the list of known findings.
    pub fixed: Vec<usize>,
    /// Findings that a person has decided about and that are gone since this scan: their state stays as it is.
    pub no_longer_seen: Vec<usize>,
    /// Those new ones for which several known ones would do, with one of these.
    rivals: HashMap<usize, usize>,
}

impl Comparison<'_> {
    pub fn counts(&self) -> ChangeCounts {
        let mut counts = ChangeCounts {
            fixed: self.fixed.len() as u64,
            ..ChangeCounts::default()
        };
        for entry in &self.matches {
            match entry.change {
                Change::New => counts.new += 1,
                Change::Unchanged => counts.unchanged += 1,
                Change::Moved => counts.moved += 1,
                Change::Reopened => counts.reopened += 1,
                Change::NotPresent => {}
            }
        }
        counts
    }

    /// Whether a new finding was not merged with a known one because it could not be told which.
    pub fn is_ambiguous(&self, at: usize) -> bool {
        self.rivals.contains_key(&at) && self.matches[at].known().is_none()
    }

    /// Why the finding at this place of the new scan is what it is said to be, as a sentence.
    pub fn why(&self, at: usize) -> String {
        let seen = &self.seen[at];
        let Match { change, by, .. } = self.matches[at];
        if change == Change::NotPresent {
            return format!("the scanner says {}", seen.status);
        }
        let Some(known) = self.matches[at].known().map(|known| &self.previous[known]) else {
            return match self.rivals.get(&at) {
                Some(rival) => format!(
                    "not merged with F-{} or its equals: rule, file and context are equal, but not which of them it is",
                    self.previous[*rival].number
                ),
                None => "not in the last scan of the series".to_owned(),
            };
        };
        let parts = match by {
            By::Key => seen.identity.basis.equal_parts(),
            By::Former => "rule, file and those fingerprints are equal that the tool gave before",
            By::Folder => "all is equal but the name of the folder that the files lie in",
            By::Context => "rule, file and context are equal, only the tool's fingerprint is not",
        };
        let mut why = format!("same as F-{}: {parts}", known.number);
        why.push_str(&self.moved_text(known, seen));
        if change == Change::Reopened {
            why.push_str("; it had been fixed");
        }
        why
    }

    /// Why the known finding at this place counts as gone, as a sentence.
    pub fn why_gone(&self, at: usize) -> String {
        let known = &self.previous[at];
        if known.status.is_human_decision() {
            let label = known.status.label().to_lowercase();
            format!(
                "F-{} is no longer in the scan; it stays {label}, as a person decided",
                known.number
            )
        } else {
            format!("F-{} is no longer in the complete scan", known.number)
        }
    }

    fn moved_text(&self, known: &Known, seen: &Identified) -> String {
        let mut text = String::new();
        if known.path != seen.path {
            let name =
                |path: Option<PathName>| path.map_or("no file", |path| self.paths.path(path));
            text = format!(", file moved {} → {}", name(known.path), name(seen.path));
        }
        if known.line != seen.line {
            let number = |line: Option<NonZeroU32>| {
                line.map_or_else(|| "no line".to_owned(), |line| line.to_string())
            };
            text = format!(
                "{text}, line moved {} → {}",
                number(known.line),
                number(seen.line)
            );
        }
        text
    }
}

/// Compares a scan with the findings its series knows, the paths of both being in one list. An incomplete scan fixes nothing.
///
/// `before` has the identities that the new findings would have if a folder had kept its name, see [`crate::Relocation`]:
/// one for each, or none at all.
pub fn compare<'a>(
    paths: &'a PathNames,
    previous: &'a [Known],
    seen: &'a Seen,
    before: &[Identity],
    completeness: &Completeness,
) -> Comparison<'a> {
    let mut pairs = Pairs::of(previous, &seen.findings);
    pairs.match_by(
        |known| Some(known.key),
        |_, seen| Some(seen.identity.key),
        Certainty::Order,
    );
    pairs.match_unversioned(&seen.unversioned);
    // A tool that gives a further fingerprint, or a newer version of one, still gives the old one for a while.
    pairs.matching = By::Former;
    pairs.match_former(&seen.former);
    pairs.matching = By::Folder;
    pairs.match_by(
        |known| Some(known.key),
        |at, _| before.get(at).map(|identity| identity.key),
        Certainty::Order,
    );
    // Equal contexts under different fingerprints are different findings (another secret on the same masked line), so
    // the context only counts where one of the two has no such fingerprint at all.
    pairs.matching = By::Context;
    pairs.match_contexts();
    pairs.into_comparison(paths, completeness)
}

/// What a finding was found again by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Key,
    /// A key that it would have if the tool gave fewer fingerprints.
    Former,
    /// The key that it would have if a folder had kept its name.
    Folder,
    Context,
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
    /// One for each new finding; what changed is known at the end.
    matches: Vec<Match>,
    /// What is matched by now.
    matching: By,
    is_taken: Vec<bool>,
    rivals: HashMap<usize, usize>,
}

impl<'a> Pairs<'a> {
    fn of(previous: &'a [Known], new: &'a [Identified]) -> Self {
        let unmatched = Match {
            change: Change::New,
            by: By::Key,
            nth_known: None,
        };
        Self {
            previous,
            new,
            matches: vec![unmatched; new.len()],
            matching: By::Key,
            is_taken: vec![false; previous.len()],
            rivals: HashMap::new(),
        }
    }

    /// Pairs those that are stored by keys of before versions belonged to them, where the version is the same.
    fn match_unversioned(&mut self, unversioned: &[(usize, Unversioned)]) {
        if unversioned.is_empty() {
            return;
        }
        let mut keys = vec![(None, None); self.new.len()];
        for (at, former) in unversioned {
            let versioned = |key| with_version(key, former.version);
            keys[*at] = (
                Some(versioned(former.key)),
                former.without_print.map(versioned),
            );
        }
        self.match_by(
            |known| Some(with_version(known.key, known.version)),
            |at, _| keys[at].0,
            Certainty::Order,
        );
        // The format may give fingerprints only since then.
        self.matching = By::Context;
        self.match_by(
            |known| (!has_print(known.basis)).then(|| with_version(known.key, known.version)),
            |at, _| keys[at].1,
            Certainty::EqualNumber,
        );
        self.matching = By::Key;
    }

    /// Pairs those of which the tool gave only some fingerprints before. A former key is of all that have it among theirs,
    /// wherever it stands there, so that what several of them could have been is seen to be ambiguous.
    fn match_former(&mut self, former: &[(usize, Box<[Key]>)]) {
        #[derive(Default)]
        struct Group {
            old: Vec<usize>,
            seen: Vec<usize>,
            /// The first that the key has for any of them: the most fingerprints first.
            place: usize,
        }
        let mut groups: HashMap<Key, Group> = HashMap::new();
        for (at, known) in self.previous.iter().enumerate() {
            if !self.is_taken[at] && is_print(known.basis) {
                groups.entry(known.key).or_default().old.push(at);
            }
        }
        for (at, keys) in former {
            if !self.new[*at].status.is_present() || self.matches[*at].known().is_some() {
                continue;
            }
            for (place, key) in keys.iter().enumerate() {
                if let Some(group) = groups.get_mut(key) {
                    let is_first = group.seen.is_empty() || place < group.place;
                    group.place = if is_first { place } else { group.place };
                    group.seen.push(*at);
                }
            }
        }
        let mut groups: Vec<(Key, Group)> = groups.into_iter().collect();
        groups.sort_unstable_by_key(|(key, group)| (group.place, *key));
        for (_, Group { old, mut seen, .. }) in groups {
            seen.retain(|at| self.matches[*at].known().is_none());
            self.match_group(old, seen, Certainty::EqualNumber);
        }
    }

    fn match_contexts(&mut self) {
        // A basis of its own for each pass: a finding that had a fingerprint and has none now, and the other way round.
        for known_has_print in [true, false] {
            // Without a fingerprint the key says what the context does with one.
            self.match_by(
                |known| {
                    let context = if known_has_print {
                        known.context
                    } else {
                        known.key
                    };
                    (has_print(known.basis) == known_has_print).then_some(context)
                },
                |_, Identified { identity, .. }| {
                    let context = if known_has_print {
                        identity.key
                    } else {
                        identity.context
                    };
                    (has_print(identity.basis) != known_has_print).then_some(context)
                },
                Certainty::EqualNumber,
            );
        }
        // A fingerprint that became ambiguous, or stopped to be, is still the same tool's fingerprint.
        let mut bases = vec![
            (IdentityBasis::Fingerprint, IdentityBasis::SharedFingerprint),
            (IdentityBasis::SharedFingerprint, IdentityBasis::Fingerprint),
        ];
        // While a tool gives its own fingerprint for some, those with only a part of one are others.
        let is_full = |basis| bases.iter().any(|(full, _)| *full == basis);
        if !self.new.iter().any(|seen| is_full(seen.identity.basis)) {
            let partial = IdentityBasis::PartialFingerprint;
            bases.extend([
                (IdentityBasis::Fingerprint, partial),
                (IdentityBasis::SharedFingerprint, partial),
            ]);
        }
        for (known_basis, seen_basis) in bases {
            self.match_by(
                |known| (known.basis == known_basis).then_some(known.context),
                |_, seen| (seen.identity.basis == seen_basis).then_some(seen.identity.context),
                Certainty::EqualNumber,
            );
        }
    }

    fn match_by(
        &mut self,
        known_key: impl Fn(&Known) -> Option<Key>,
        new_key: impl Fn(usize, &Identified) -> Option<Key>,
        certainty: Certainty,
    ) {
        let keyed = |(at, key): (usize, Option<Key>)| key.map(|key| (key, at));
        let mut old: Vec<(Key, usize)> = (self.previous.iter().enumerate())
            .filter(|(at, _)| !self.is_taken[*at])
            .filter_map(|(at, known)| keyed((at, known_key(known))))
            .collect();
        if old.is_empty() {
            return;
        }
        let mut seen: Vec<(Key, usize)> = (self.new.iter().enumerate())
            .filter(|(at, seen)| seen.status.is_present() && self.matches[*at].known().is_none())
            .filter_map(|(at, seen)| keyed((at, new_key(at, seen))))
            .collect();
        old.sort_unstable();
        seen.sort_unstable();
        let (mut old, mut seen) = (old.as_slice(), seen.as_slice());
        // Both are sorted by key: groups of equal ones meet.
        while let (Some((old_key, _)), Some((seen_key, _))) = (old.first(), seen.first()) {
            match old_key.cmp(seen_key) {
                std::cmp::Ordering::Less => old = &old[1..],
                std::cmp::Ordering::Greater => seen = &seen[1..],
                std::cmp::Ordering::Equal => {
                    let n_of = |list: &[(Key, usize)]| {
                        list.iter().take_while(|(key, _)| key == old_key).count()
                    };
                    let (old_group, old_rest) = old.split_at(n_of(old));
                    let (seen_group, seen_rest) = seen.split_at(n_of(seen));
                    if let ([(_, old_at)], [(_, seen_at)]) = (old_group, seen_group) {
                        self.pair(*old_at, *seen_at);
                    } else {
                        let places =
                            |group: &[(Key, usize)]| group.iter().map(|(_, at)| *at).collect();
                        self.match_group(places(old_group), places(seen_group), certainty);
                    }
                    (old, seen) = (old_rest, seen_rest);
                }
            }
        }
    }

    fn pair(&mut self, old_at: usize, seen_at: usize) {
        let entry = &mut self.matches[seen_at];
        let nth = u32::try_from(old_at + 1).ok().and_then(NonZeroU32::new);
        (entry.nth_known, entry.by) = (nth, self.matching);
        self.is_taken[old_at] = true;
    }

    /// Pairs the members of a group of equal ones.
    fn match_group(&mut self, old: Vec<usize>, mut seen: Vec<usize>, certainty: Certainty) {
        let (previous, new) = (self.previous, self.new);
        seen.sort_by_key(|at| (new[*at].line, new[*at].identity.ordinal));
        // What is still there has the first claim; what had been fixed comes back only for what is left.
        let is_fixed = |at: &usize| previous[*at].status == FindingStatus::Fixed;
        let (mut fixed, mut live): (Vec<usize>, Vec<usize>) = old.into_iter().partition(is_fixed);
        for group in [&mut live, &mut fixed] {
            group.sort_by_key(|at| {
                let known = &previous[*at];
                (known.line, known.ordinal, known.number)
            });
            if group.is_empty() || seen.is_empty() {
                continue;
            }
            let is_decided = |at: &usize| previous[*at].status.is_human_decision();
            if certainty == Certainty::Order && group.iter().any(is_decided) {
                self.pair_same_contexts(group, &mut seen);
                group.retain(|at| !self.is_taken[*at]);
            }
            let counts_out = certainty == Certainty::Order
                && (group.len() != seen.len() || self.is_blind(group, &seen));
            if group.iter().any(is_decided) && (counts_out || self.is_crossed(group, &seen)) {
                self.pair_same_lines(group, &mut seen);
                // What else there is of them could be any of them.
                group.retain(|at| !self.is_taken[*at]);
                if let Some(rival) = group.iter().find(|at| is_decided(at)) {
                    self.rivals.extend(seen.iter().map(|at| (*at, *rival)));
                    break;
                }
            }
            if certainty == Certainty::EqualNumber && group.len() != seen.len() {
                self.rivals.extend(seen.iter().map(|at| (*at, group[0])));
                // Nor may what is left be taken for something that had been fixed.
                break;
            }
            let line = |line: Option<NonZeroU32>| line.map_or(0, NonZeroU32::get);
            let old_lines: Vec<u32> = group.iter().map(|at| line(previous[*at].line)).collect();
            let new_lines: Vec<u32> = seen.iter().map(|at| line(new[*at].line)).collect();
            for (old_at, new_at) in align(&old_lines, &new_lines) {
                self.pair(group[old_at], seen[new_at]);
            }
            seen.retain(|at| self.matches[*at].known().is_none());
        }
    }

    /// Pairs those of one context, where only one has it on either side, and others have others.
    fn pair_same_contexts(&mut self, old: &[usize], seen: &mut Vec<usize>) {
        let (previous, new) = (self.previous, self.new);
        let old_at = alone_at(old.iter().map(|at| (Some(previous[*at].context), *at)));
        let new_at = alone_at(seen.iter().map(|at| (Some(new[*at].identity.context), *at)));
        self.pair_alone(&old_at, &new_at);
        seen.retain(|at| self.matches[*at].known().is_none());
    }

    /// Whether neither lines nor contexts tell which is which. What was stored before contexts told equal ones apart has its key in
    /// the place of one, which says nothing.
    fn is_blind(&self, old: &[usize], seen: &[usize]) -> bool {
        let known = || old.iter().map(|at| &self.previous[*at]);
        let found = || seen.iter().map(|at| &self.new[*at]);
        let has_lines =
            known().all(|known| known.line.is_some()) && found().all(|found| found.line.is_some());
        if has_lines || known().all(|known| known.context == known.key) {
            return false;
        }
        let contexts = known()
            .map(|known| known.context)
            .chain(found().map(|found| found.identity.context));
        contexts.collect::<HashSet<Key>>().len() > 1
    }

    /// Whether, of as many as before in their order, one lies now where another one of them lay.
    fn is_crossed(&self, old: &[usize], seen: &[usize]) -> bool {
        if old.len() != seen.len() {
            return false;
        }
        let new_lines = || seen.iter().map(|at| self.new[*at].line);
        let taken: HashSet<NonZeroU32> = new_lines().flatten().collect();
        let mut pairs = old.iter().zip(new_lines());
        pairs.any(|(at, line)| {
            let before = self.previous[*at].line;
            before != line && before.is_some_and(|before| taken.contains(&before))
        })
    }

    /// Pairs those that lie at the same line, where only one does on either side; what has no line lies nowhere.
    fn pair_same_lines(&mut self, old: &[usize], seen: &mut Vec<usize>) {
        let (previous, new) = (self.previous, self.new);
        let old_at = alone_at(old.iter().map(|at| (previous[*at].line, *at)));
        let new_at = alone_at(seen.iter().map(|at| (new[*at].line, *at)));
        self.pair_alone(&old_at, &new_at);
        seen.retain(|at| self.matches[*at].known().is_none());
    }

    fn pair_alone<T: Eq + Hash>(
        &mut self,
        old_at: &HashMap<T, Option<usize>>,
        new_at: &HashMap<T, Option<usize>>,
    ) {
        for (place, old_at) in old_at {
            if let (Some(old_at), Some(Some(new_at))) = (old_at, new_at.get(place)) {
                self.pair(*old_at, *new_at);
            }
        }
    }

    fn into_comparison(
        mut self,
        paths: &'a PathNames,
        completeness: &Completeness,
    ) -> Comparison<'a> {
        for (seen, entry) in self.new.iter().zip(&mut self.matches) {
            entry.change = change_of(seen, entry.known().map(|at| &self.previous[at]));
        }
        let is_gone =
            |at: &usize| !self.is_taken[*at] && self.previous[*at].status != FindingStatus::Fixed;
        let (mut no_longer_seen, fixed): (Vec<usize>, Vec<usize>) = (0..self.previous.len())
            .filter(|_| completeness.is_complete())
            .filter(is_gone)
            .partition(|at| self.previous[*at].status.is_human_decision());
        no_longer_seen.retain(|at| !self.previous[*at].is_gone);
        Comparison {
            paths,
            previous: self.previous,
            seen: self.new,
            matches: self.matches,
            fixed,
            no_longer_seen,
            rivals: self.rivals,
        }
    }
}

/// Which one has something, where only one has it; `None` where several have. What nothing is said of has nothing.
fn alone_at<T: Eq + Hash>(
    placed: impl Iterator<Item = (Option<T>, usize)>,
) -> HashMap<T, Option<usize>> {
    let mut alone = HashMap::new();
    for (place, at) in placed {
        if let Some(place) = place {
            let several = |found: &mut Option<usize>| *found = None;
            alone.entry(place).and_modify(several).or_insert(Some(at));
        }
    }
    alone
}

/// A key that holds for one version only.
fn with_version(key: Key, version: u32) -> Key {
    let mut bytes = key.as_bytes().to_vec();
    bytes.extend(version.to_be_bytes());
    Key::of(&bytes)
}

fn change_of(seen: &Identified, known: Option<&Known>) -> Change {
    match known {
        _ if !seen.status.is_present() => Change::NotPresent,
        None => Change::New,
        // Also where the scanner hides it now: that is its claim, and no repair.
        Some(known) if known.status == FindingStatus::Fixed => Change::Reopened,
        Some(known) if known.path != seen.path || known.line != seen.line => Change::Moved,
        Some(_) => Change::Unchanged,
    }
}

/// Whether the key is of the tool's fingerprint and what it always comes with.
fn is_print(basis: IdentityBasis) -> bool {
    matches!(
        basis,
        IdentityBasis::Fingerprint | IdentityBasis::PartialFingerprint
    )
}

fn has_print(basis: IdentityBasis) -> bool {
    matches!(
        basis,
        IdentityBasis::Fingerprint
            | IdentityBasis::PartialFingerprint
            | IdentityBasis::SharedFingerprint
    )
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
