//! Checking the activity log: against itself, against the sign-offs, and against heads that were kept outside.

use std::collections::{BTreeMap, HashMap, VecDeque};

use holdpoint_domain::{
    Digest,
    activity::{ChainVerifier, Entry, contradictions},
    signoff::{version_1, version_of},
};
use holdpoint_report::{
    log::{FoundHead, LogHead, SALT_BYTES, Tree, leaf},
    signing::{AllowedKeys, LOG_NAMESPACE, verify},
};
use holdpoint_storage::{
    BoundSignOffs, LogTree, SIGN_OFFS_BOUND, SignOff, SignedHead, StoredActivity, Tx,
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    ChainHead, Occasion, PIECE,
    decisions::{Compared, LoggedDecisions},
    hash, signed, unsigned,
};
use crate::{ServiceError, Services, old_sign_offs::bound_digest, sign_off::record};

/// So many sign-offs are read at once: each carries all that was signed.
const SIGN_OFFS_AT_ONCE: i64 = 50;
/// More problems than this are counted and not told.
const MOST_PROBLEMS: usize = 100;

/// What the log is to be checked against, beside itself.
#[derive(Clone, Debug, Default)]
pub struct LogCheck {
    /// Heads that were kept outside.
    pub against: Vec<OutsideHead>,
    /// The keys that may have signed; without them the instance's own.
    pub keys: Option<AllowedKeys>,
}

/// A head that was kept outside, and where.
#[derive(Clone, Debug)]
pub struct OutsideHead {
    /// The file's name.
    pub source: String,
    pub head: FoundHead,
}

/// What came of comparing the log with one head from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ComparedHead {
    pub source: String,
    /// How many entries the log had when the head was kept.
    pub length: i64,
    /// Whether a key that is trusted signed it; what reports of before the tree say nobody signed by itself.
    pub signed: bool,
    /// Whether the log goes on from there.
    pub extended: bool,
}

/// What checking the activity log found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogVerification {
    /// How many entries the chain has.
    pub length: i64,
    /// The digest of its last entry.
    pub head: String,
    /// How many entries the tree has.
    pub tree_size: i64,
    /// The newest signed head of the tree: keep it outside, and check the log against it later.
    pub checkpoint: Option<String>,
    /// How many signed heads were checked against both.
    pub n_signed_heads: usize,
    /// How many sign-offs were compared with their entries.
    pub n_sign_offs: usize,
    /// How many findings that somebody decided about were compared with the log.
    pub n_decisions: usize,
    /// Of how many of them the log does not say enough.
    pub n_unknown_decisions: usize,
    /// The heads from outside that the log was compared with; `None` when none was given.
    pub against: Option<Vec<ComparedHead>>,
    /// What is wrong, in words; empty when the log verifies.
    pub problems: Vec<String>,
    /// The outcome in a sentence.
    pub says: String,
}

#[derive(Debug, Default)]
struct Problems {
    told: Vec<String>,
    n_more: usize,
}

impl Problems {
    fn add(&mut self, problem: String) {
        if self.told.len() < MOST_PROBLEMS {
            self.told.push(problem);
        } else {
            self.n_more += 1;
        }
    }

    fn into_told(mut self) -> Vec<String> {
        if self.n_more > 0 {
            self.told.push(format!("There are {} more.", self.n_more));
        }
        self.told
    }
}

/// Rows that are read piece by piece in the order of the log.
#[derive(Debug)]
struct Ahead<T> {
    rows: VecDeque<T>,
    /// Where the next piece begins.
    after: (i64, String),
    is_over: bool,
}

impl<T> Default for Ahead<T> {
    fn default() -> Self {
        Self {
            rows: VecDeque::new(),
            after: (i64::MIN, String::new()),
            is_over: false,
        }
    }
}

impl<T> Ahead<T> {
    /// Whether another piece has to be read to know what comes.
    fn is_wanted(&self) -> bool {
        self.rows.is_empty() && !self.is_over
    }

    fn take(&mut self, rows: Vec<T>, limit: i64, place: impl Fn(&T) -> (i64, String)) {
        self.is_over = signed(rows.len() as u64) < limit;
        if let Some(last) = rows.last() {
            self.after = place(last);
        }
        self.rows = rows.into();
    }
}

/// The state of a walk through the log.
struct Walk {
    row: LogTree,
    keys: AllowedKeys,
    problems: Problems,
    chain: ChainVerifier,
    tree: Tree,
    heads: Ahead<SignedHead>,
    n_heads: usize,
    sign_offs: Ahead<SignOff>,
    n_sign_offs: usize,
    /// By the number of entries, those that are still to be compared.
    outside: BTreeMap<i64, Vec<OutsideHead>>,
    compared: Vec<ComparedHead>,
    /// Whether something is wrong with the tree itself, which then is not told of every entry.
    is_tree_wrong: bool,
    /// The round of each item that was taken up again after a decision, by the newest entry that says it.
    rounds: HashMap<String, i64>,
    decisions: LoggedDecisions,
    n_decisions: usize,
    n_unknown_decisions: usize,
    /// The entries that wrote down the sign-offs of an older rule.
    bindings: Option<std::ops::Range<i64>>,
}

impl Services {
    /// Checks the whole activity log against itself, for the command line, which has the database anyway.
    pub async fn verify_log(&self) -> Result<LogVerification, ServiceError> {
        self.verify_log_against(LogCheck::default()).await
    }

    /// Checks the whole activity log: each entry carries the digest of the one before and is the one that the tree has,
    /// every head that was signed is there and is a head of both, every sign-off is what its entry says, and the log goes
    /// on from the heads that were kept outside.
    pub async fn verify_log_against(
        &self,
        check: LogCheck,
    ) -> Result<LogVerification, ServiceError> {
        let keys = match check.keys {
            Some(keys) => keys,
            None => self.key_ring().await?.allowed_keys(),
        };
        let n_against = check.against.len();
        let mut tx = self.database().read().await?;
        let mut walk = Walk {
            row: tx.log_tree().await?,
            keys,
            problems: Problems::default(),
            chain: ChainVerifier::default(),
            tree: Tree::default(),
            heads: Ahead::default(),
            n_heads: 0,
            sign_offs: Ahead::default(),
            n_sign_offs: 0,
            outside: BTreeMap::new(),
            compared: Vec::new(),
            is_tree_wrong: false,
            rounds: HashMap::new(),
            decisions: LoggedDecisions::default(),
            n_decisions: 0,
            n_unknown_decisions: 0,
            bindings: None,
        };
        walk.take_outside(check.against);
        let is_whole = walk.walk(&mut tx).await?;
        walk.finish(&mut tx, is_whole).await?;
        let checkpoint = tx.newest_checkpoint().await?;

        let problems = walk.problems.into_told();
        let against = (n_against > 0).then_some(walk.compared);
        let says = match &against {
            _ if !problems.is_empty() => "The log does not verify.".to_owned(),
            Some(heads) => format!(
                "The log verifies: it goes on from {}.",
                match heads.len() {
                    1 => "the head that was given".to_owned(),
                    n => format!("each of the {n} heads that were given"),
                }
            ),
            None => "The log is consistent in itself. Whether its end was cut off, or all of it written anew, only a head \
                     that was kept outside can show: give one with --against."
                .to_owned(),
        };
        Ok(LogVerification {
            length: walk.chain.length(),
            head: walk.chain.head().to_owned(),
            tree_size: walk.row.size,
            checkpoint: checkpoint.and_then(|head| head.checkpoint),
            n_signed_heads: walk.n_heads,
            n_sign_offs: walk.n_sign_offs,
            n_decisions: walk.n_decisions,
            n_unknown_decisions: walk.n_unknown_decisions,
            against,
            problems,
            says,
        })
    }
}

impl Walk {
    /// Sorts the heads from outside by where the walk meets them. A text may quote a head that nobody signed; only where a
    /// file has none that is signed does that count against it.
    fn take_outside(&mut self, against: Vec<OutsideHead>) {
        let mut by_source: BTreeMap<String, Vec<FoundHead>> = BTreeMap::new();
        for OutsideHead { source, head } in against {
            by_source.entry(source).or_default().push(head);
        }
        for (source, heads) in by_source {
            let refusal = |head: &FoundHead| match head {
                FoundHead::Checkpoint(head) => head.verify(&self.keys).err(),
                FoundHead::Chain { .. } => None,
            };
            let some_signed = heads
                .iter()
                .any(|head| matches!(head, FoundHead::Checkpoint(_)) && refusal(head).is_none());
            for head in heads {
                let length = head.length();
                let Some(error) = refusal(&head) else {
                    let source = source.clone();
                    self.outside
                        .entry(length)
                        .or_default()
                        .push(OutsideHead { source, head });
                    continue;
                };
                if !some_signed {
                    self.problems.add(format!(
                        "{source}: the head over {length} entries is not accepted: {error}."
                    ));
                    self.compared.push(ComparedHead {
                        source: source.clone(),
                        length,
                        signed: false,
                        extended: false,
                    });
                }
            }
        }
    }

    /// Goes through the log; whether it got to the end.
    async fn walk(&mut self, tx: &mut Tx) -> Result<bool, ServiceError> {
        self.compare_outside(0);
        loop {
            let length = self.chain.length();
            let entries = tx.activity_after(length, PIECE).await?;
            let Some(last) = entries.last() else {
                return Ok(true);
            };
            let last = last.entry.sequence;
            let mut salts = tx.log_salts_between(length + 1, last).await?;
            let first_node = signed(self.tree.next_position());
            let mut nodes: VecDeque<_> = tx
                .log_nodes_between(first_node, first_node.saturating_add(2 * PIECE + 64))
                .await?
                .into();
            for stored in entries {
                let StoredActivity { entry, digest } = stored;
                let canonical = entry.canonical();
                if let Err(error) = self.chain.take(&entry, &canonical, &digest) {
                    self.problems.add(format!("The chain is broken: {error}."));
                    return Ok(false);
                }
                if entry.sequence <= self.row.size {
                    let salt = salts.remove(&entry.sequence);
                    self.take_leaf(entry.sequence, &canonical, salt, &mut nodes);
                }
                let n_before = self.n_heads;
                let occasions = self.take_heads(tx, entry.sequence).await?;
                self.compare_outside(entry.sequence);
                self.check_signed_entry(&entry, n_before, &occasions);
                self.take_sign_offs(tx, &entry).await?;
                self.take_bound(tx, &entry).await?;
                self.take_kept_report(tx, &entry).await?;
                self.take_round(&entry);
                if entry.action.starts_with("finding") {
                    self.decisions.take(&entry, &after_of(&entry));
                }
            }
        }
    }

    fn tree_wrong(&mut self, problem: String) {
        if !self.is_tree_wrong {
            self.is_tree_wrong = true;
            self.problems.add(problem);
        }
    }

    fn take_leaf(
        &mut self,
        sequence: i64,
        canonical: &str,
        salt: Option<Vec<u8>>,
        nodes: &mut VecDeque<(i64, Vec<u8>)>,
    ) {
        let salt: Option<[u8; SALT_BYTES]> = salt.and_then(|salt| salt.try_into().ok());
        if salt.is_none() {
            self.tree_wrong(format!(
                "The salt of entry {sequence} is missing, so it cannot be compared with the tree."
            ));
        }
        let first = self.tree.next_position();
        let made = self.tree.push(leaf(&salt.unwrap_or_default(), canonical));
        let is_right = made.iter().zip(first..).all(|(made, position)| {
            let stored = nodes
                .pop_front()
                .filter(|(stored_at, _)| *stored_at == signed(position));
            stored.and_then(|(_, bytes)| hash(bytes)).as_ref() == Some(made)
        });
        if !is_right {
            self.tree_wrong(format!(
                "Entry {sequence} is not the one that the tree has: the entry or the tree was changed."
            ));
        }
    }

    /// Checks the signed heads over this entry, and what they were signed at.
    async fn take_heads(
        &mut self,
        tx: &mut Tx,
        sequence: i64,
    ) -> Result<Vec<String>, ServiceError> {
        let mut occasions = Vec::new();
        while let Some(head) = self.next_head(tx, sequence).await? {
            self.n_heads += 1;
            self.check_head(&head);
            occasions.push(head.occasion);
        }
        Ok(occasions)
    }

    /// The next signed head over at most so many entries.
    async fn next_head(
        &mut self,
        tx: &mut Tx,
        sequence: i64,
    ) -> Result<Option<SignedHead>, ServiceError> {
        if self.heads.is_wanted() {
            let (after, occasion) = self.heads.after.clone();
            let rows = tx.signed_heads_after(after, &occasion, PIECE).await?;
            self.heads
                .take(rows, PIECE, |head| (head.sequence, head.occasion.clone()));
        }
        Ok(self
            .heads
            .rows
            .pop_front_if(|head| head.sequence <= sequence))
    }

    fn check_head(&mut self, head: &SignedHead) {
        let sequence = head.sequence;
        if sequence != self.chain.length() || head.digest != self.chain.head() {
            self.problems
                .add(format!("Entry {sequence} is not the one that was signed."));
        }
        let to_sign = ChainHead {
            sequence,
            digest: &head.digest,
        }
        .to_sign();
        let keys = self.keys.clone().at(head.signed_at);
        if let Err(error) = verify(LOG_NAMESPACE, to_sign.as_bytes(), &head.signature, &keys) {
            self.problems.add(format!(
                "The signature over entry {sequence} does not verify: {error}"
            ));
        }
        let Some(checkpoint) = &head.checkpoint else {
            return;
        };
        let of = format!("The checkpoint over {sequence} entries");
        match LogHead::parse(checkpoint) {
            Err(error) => self.problems.add(format!("{of} is not accepted: {error}.")),
            Ok(read) => {
                if let Err(error) = read.verify(&keys) {
                    self.problems.add(format!("{of} is not accepted: {error}."));
                }
                if !self.is_head_of_tree(&read) || read.size != unsigned(sequence) {
                    self.problems
                        .add(format!("{of} is not a head of this log's tree."));
                }
            }
        }
    }

    /// Whether the tree, grown to where the walk is, has this head.
    fn is_head_of_tree(&self, head: &LogHead) -> bool {
        self.row.origin.as_deref() == Some(head.origin.as_str())
            && head.size == self.tree.size()
            && head.root == self.tree.root()
    }

    fn compare_outside(&mut self, length: i64) {
        for OutsideHead { source, head } in self.outside.remove(&length).unwrap_or_default() {
            let extended = match &head {
                FoundHead::Checkpoint(head) => self.is_head_of_tree(head),
                FoundHead::Chain { digest, .. } => *digest == self.chain.head(),
            };
            if !extended {
                let other = matches!(&head, FoundHead::Checkpoint(head)
                    if self.row.origin.as_deref() != Some(head.origin.as_str()));
                self.problems.add(if other {
                    format!("{source}: the head over {length} entries is one of another log.")
                } else {
                    format!(
                        "{source}: the log does not go on from the head over {length} entries: it was rewritten or replaced."
                    )
                });
            }
            self.compared.push(ComparedHead {
                source,
                length,
                signed: matches!(head, FoundHead::Checkpoint(_)),
                extended,
            });
        }
    }

    /// Whether an entry that was signed at once has its head, and no head before it is missing.
    fn check_signed_entry(&mut self, entry: &Entry, n_before: usize, occasions: &[String]) {
        let sequence = entry.sequence;
        let after = after_of(entry);
        let expected = match (entry.action.as_str(), sign_off_of(entry, &after)) {
            ("report.exported", _) => Occasion::Export,
            (_, Some(id)) => Occasion::SignOff(id),
            _ => return,
        }
        .word(sequence);
        if !occasions.contains(&expected) {
            self.problems.add(format!(
                "The signed head of entry {sequence} ({}) is missing: it was deleted.",
                entry.summary
            ));
        }
        if let Some(heads) = after.get("heads").and_then(Value::as_u64)
            && heads != n_before as u64
        {
            self.problems.add(format!(
                "Before entry {sequence} {heads} heads were signed, and {n_before} are there: some were deleted or invented."
            ));
        }
    }

    /// Compares the sign-offs of this entry with it.
    async fn take_sign_offs(&mut self, tx: &mut Tx, entry: &Entry) -> Result<(), ServiceError> {
        let sequence = entry.sequence;
        let after = after_of(entry);
        let mut is_missing = sign_off_of(entry, &after);
        while let Some(sign_off) = self.next_sign_off(tx, sequence).await? {
            self.n_sign_offs += 1;
            let id = &sign_off.id;
            if sign_off.log_sequence != sequence || sign_off_of(entry, &after) != Some(id) {
                self.problems.add(format!(
                    "The sign-off {id} says that it is entry {} of the log, which is about something else: it was invented.",
                    sign_off.log_sequence
                ));
                continue;
            }
            is_missing = None;
            if version_of(&sign_off.content) == Some(version_1::NORMALISATION)
                && sign_off.bound.is_none()
            {
                self.problems.add(format!(
                    "The sign-off {id} is of an older rule and was not there at the upgrade: it was invented or edited."
                ));
            }
            let edited = edited(entry, &sign_off);
            if !edited.is_empty() {
                self.problems.add(format!(
                    "The sign-off {id} was edited: entry {sequence} of the log ({}) has another {}.",
                    entry.summary,
                    edited.join(", ")
                ));
            }
        }
        if let Some(id) = is_missing {
            self.problems.add(format!(
                "The sign-off {id} of entry {sequence} ({}) is missing: it was deleted.",
                entry.summary
            ));
        }
        Ok(())
    }

    /// Compares the sign-offs of an older rule with what this entry says that they were at the upgrade. An entry after the first
    /// of its kind, or one that comes with it, is not Holdpoint's.
    async fn take_bound(&mut self, tx: &mut Tx, entry: &Entry) -> Result<(), ServiceError> {
        if entry.action != SIGN_OFFS_BOUND {
            return Ok(());
        }
        let after = BoundSignOffs::read(entry.after.as_deref().unwrap_or_default());
        let of_upgrade = self
            .bindings
            .get_or_insert(entry.sequence..entry.sequence + after.entries);
        if !of_upgrade.contains(&entry.sequence) {
            self.problems.add(format!(
                "Entry {} of the log writes down sign-offs of an older rule again, which is done once.",
                entry.sequence
            ));
        }
        let mut bound = after.sign_offs;
        for sign_off in tx.sign_offs_bound_by(entry.sequence).await? {
            let digest = bound.remove(&sign_off.id);
            if digest.as_deref() != Some(bound_digest(&sign_off).as_str()) {
                self.problems.add(format!(
                    "The sign-off {} is not what entry {} of the log says that it was at the upgrade: it was edited.",
                    sign_off.id, entry.sequence
                ));
            }
        }
        for id in bound.into_keys() {
            self.problems.add(format!(
                "The sign-off {id}, which entry {} of the log wrote down at the upgrade, is missing or names another entry.",
                entry.sequence
            ));
        }
        Ok(())
    }

    /// Compares the report that was kept with a decision with what this entry says of it.
    async fn take_kept_report(&mut self, tx: &mut Tx, entry: &Entry) -> Result<(), ServiceError> {
        let after = after_of(entry);
        let said = |name: &str| after.get(name).and_then(Value::as_str);
        let (Some(sign_off), Some(document), Some(text)) = (
            sign_off_of(entry, &after),
            said("fixed_report_sha256"),
            said("report_sha256"),
        ) else {
            return Ok(());
        };
        let sequence = entry.sequence;
        match tx.kept_digests(sign_off).await? {
            None => self.problems.add(format!(
                "The report that was kept with entry {sequence} of the log ({}) is missing: it was deleted.",
                entry.summary
            )),
            Some((kept_document, kept_text)) if kept_document != document || kept_text != text => {
                self.problems.add(format!(
                    "The report that is kept with entry {sequence} of the log ({}) is not the one that was signed.",
                    entry.summary
                ));
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Notes the round that an entry puts an item into; all begin in the first.
    fn take_round(&mut self, entry: &Entry) {
        if entry.subject_kind != "item" {
            return;
        }
        let after = after_of(entry);
        let round = after.get("round").and_then(|round| match round {
            Value::String(text) => text.parse().ok(),
            round => round.as_i64(),
        });
        if let Some(round) = round.filter(|round| *round > 1) {
            self.rounds.insert(entry.subject.clone(), round);
        }
    }

    /// Whether each item is in the round that the log last put it into: one that was set back would count what was signed in an
    /// earlier round.
    async fn check_rounds(&mut self, tx: &mut Tx) -> Result<(), ServiceError> {
        let mut after = String::new();
        loop {
            let rows = tx.item_rounds_after(&after, PIECE).await?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            after.clone_from(&last.id);
            for item in &rows {
                let logged = self.rounds.get(&item.id).copied().unwrap_or(1);
                if item.round != logged {
                    self.problems.add(format!(
                        "The item {} of review {} is in round {}, and the log has it in round {logged}: it was changed by hand.",
                        item.key, item.review_id, item.round
                    ));
                }
            }
        }
    }

    /// Whether each finding that only a person makes what it is became so by the newest entry about it.
    async fn check_decisions(&mut self, tx: &mut Tx) -> Result<(), ServiceError> {
        let mut after = String::new();
        loop {
            let rows = tx.decided_findings_after(&after, PIECE).await?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            after.clone_from(&last.id);
            for finding in &rows {
                self.n_decisions += 1;
                let says = match self.decisions.compare(finding) {
                    Compared::Same => continue,
                    Compared::Unknown => {
                        self.n_unknown_decisions += 1;
                        continue;
                    }
                    Compared::Undecided => "the log has no decision about it".to_owned(),
                    Compared::Otherwise(entry) => {
                        format!(
                            "entry {entry} of the log, the newest decision about it, says otherwise"
                        )
                    }
                };
                self.problems.add(format!(
                    "The finding F-{} of service {} is {}, and {says}: it was changed by hand.",
                    finding.number,
                    finding.service,
                    finding.status.as_str()
                ));
            }
        }
    }

    /// The next sign-off of at most this entry.
    async fn next_sign_off(
        &mut self,
        tx: &mut Tx,
        sequence: i64,
    ) -> Result<Option<SignOff>, ServiceError> {
        if self.sign_offs.is_wanted() {
            let (after, id) = self.sign_offs.after.clone();
            let rows = tx.sign_offs_after(after, &id, SIGN_OFFS_AT_ONCE).await?;
            self.sign_offs.take(rows, SIGN_OFFS_AT_ONCE, |row| {
                (row.log_sequence, row.id.clone())
            });
        }
        Ok(self
            .sign_offs
            .rows
            .pop_front_if(|sign_off| sign_off.log_sequence <= sequence))
    }

    /// What is left when the walk is over.
    async fn finish(&mut self, tx: &mut Tx, is_whole: bool) -> Result<(), ServiceError> {
        let length = self.chain.length();
        for (seen, heads) in std::mem::take(&mut self.outside) {
            for OutsideHead { source, head } in heads {
                self.problems.add(if is_whole {
                    format!(
                        "{source}: the log had {seen} entries when this head was kept, and has {length}: entries were cut off."
                    )
                } else {
                    format!("{source}: the head over {seen} entries could not be compared.")
                });
                self.compared.push(ComparedHead {
                    source,
                    length: seen,
                    signed: matches!(head, FoundHead::Checkpoint(_)),
                    extended: false,
                });
            }
        }
        if !is_whole {
            return Ok(());
        }
        while let Some(head) = self.next_head(tx, i64::MAX).await? {
            self.n_heads += 1;
            self.problems.add(format!(
                "The log was signed at entry {}, which is missing: entries were cut off.",
                head.sequence
            ));
        }
        while let Some(sign_off) = self.next_sign_off(tx, i64::MAX).await? {
            self.n_sign_offs += 1;
            self.problems.add(format!(
                "The sign-off {} says that it is entry {} of the log, which is missing: entries were cut off, or it was invented.",
                sign_off.id, sign_off.log_sequence
            ));
        }
        self.check_rounds(tx).await?;
        self.check_decisions(tx).await?;
        let (sequence, digest) = tx.activity_head().await?;
        if (sequence, digest.as_str()) != (length, self.chain.head()) {
            self.problems.add(format!(
                "The log should end at entry {sequence} and ends at entry {length}."
            ));
        }
        if self.row.size > length {
            self.problems.add(format!(
                "The tree has {} entries and the log has {length}: entries were cut off.",
                self.row.size
            ));
        }
        if self.row.n_heads != signed(self.n_heads as u64) {
            self.problems.add(format!(
                "{} heads were signed, and {} are there: some were deleted or invented.",
                self.row.n_heads, self.n_heads
            ));
        }
        Ok(())
    }
}

fn after_of(entry: &Entry) -> Map<String, Value> {
    entry
        .after
        .as_deref()
        .and_then(|after| serde_json::from_str(after).ok())
        .unwrap_or_default()
}

/// The sign-off that an entry is the entry of. Others name one as well: an export that of its report.
fn sign_off_of<'a>(entry: &Entry, after: &'a Map<String, Value>) -> Option<&'a str> {
    let sign_off = after.get("sign_off")?.as_str()?;
    entry.action.ends_with(".signed").then_some(sign_off)
}

/// What of a sign-off is not as its entry and what was signed have it.
fn edited(entry: &Entry, sign_off: &SignOff) -> Vec<String> {
    let mut edited = contradictions(entry.after.as_deref(), &record(sign_off));
    let subject = sign_off.item_id.as_ref().unwrap_or(&sign_off.review_id);
    let content: Value = serde_json::from_str(&sign_off.content).unwrap_or_default();
    let more = [
        ("person", entry.actor != sign_off.person_id),
        ("review", entry.review.as_ref() != Some(&sign_off.review_id)),
        ("subject", entry.subject != *subject),
        ("time", entry.at != sign_off.signed_at),
        (
            "content",
            Digest::of(sign_off.content.as_bytes()).as_str() != sign_off.digest,
        ),
        (
            "decision",
            content["decision"] != sign_off.decision.as_str(),
        ),
    ];
    for (name, differs) in more {
        if differs && !edited.iter().any(|known| known == name) {
            edited.push(name.to_owned());
        }
    }
    edited
}
