//! The activity log's signed heads, and the tree that they are the heads of.
//!
//! The tree does not grow while an entry is appended, which therefore costs what it did before, but when a head is signed:
//! at every sign-off, at every export, and in between at most every [`HEAD_LASTS`] while entries come.

mod decisions;
mod verification;

use std::collections::{BTreeMap, BTreeSet};

use holdpoint_domain::{
    KeyPurpose, Millis,
    digest::{canonical_json, hex},
};
use holdpoint_report::{
    SigningKey,
    log::{
        Hash, History, LogHead, LogProofs, Nodes, SALT_BYTES, SaltedEntry, TlogProof, Tree, leaf,
        nodes_of_inclusion,
    },
    signing::LOG_NAMESPACE,
};
use holdpoint_storage::{LogTree, NewActivity, SignedHead, StorageError, Tx};
use serde::Serialize;
use serde_json::{Map, Value};

pub use verification::{ComparedHead, LogCheck, LogVerification, OutsideHead};

use crate::{ServiceError, Services};

/// How old the newest head may be when an entry comes, before another is signed.
pub const HEAD_LASTS: Millis = 10 * 60 * 1_000;

/// So many entries are added to the tree in one unit of work, or read at once.
const PIECE: i64 = 1_000;

/// So many earlier heads are in the history of a bundle: the newest.
const MOST_EARLIER_HEADS: i64 = 1_000;

/// What is signed of the chain: its length and the digest of its last entry.
#[derive(Serialize)]
struct ChainHead<'a> {
    sequence: i64,
    digest: &'a str,
}

impl ChainHead<'_> {
    fn to_sign(&self) -> String {
        canonical_json(self)
    }
}

/// Why a head is signed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Occasion<'a> {
    /// Of this id.
    SignOff(&'a str),
    /// Of something signed.
    Export,
    Interval,
}

impl Occasion<'_> {
    /// As it is stored with the head over this entry.
    fn word(self, sequence: i64) -> String {
        match self {
            Self::SignOff(id) => format!("sign-off:{id}"),
            Self::Export => format!("export:{sequence}"),
            Self::Interval => "interval".to_owned(),
        }
    }
}

fn damaged(what: &str) -> ServiceError {
    StorageError::Damaged(what.to_owned()).into()
}

/// Positions and sizes are counted by the database with a sign.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

fn hash(bytes: Vec<u8>) -> Option<Hash> {
    Some(Hash(bytes.try_into().ok()?))
}

async fn nodes(
    tx: &mut Tx,
    positions: impl IntoIterator<Item = u64>,
) -> Result<Nodes, ServiceError> {
    let positions: Vec<i64> = positions.into_iter().map(signed).collect();
    let mut nodes = Nodes::new();
    for piece in positions.chunks(1_000) {
        for (position, bytes) in tx.log_nodes(piece).await? {
            let hash = hash(bytes).ok_or_else(|| damaged("a node of the log's tree"))?;
            nodes.insert(unsigned(position), hash);
        }
    }
    Ok(nodes)
}

impl Services {
    /// Lets the tree grow to so many entries.
    async fn grow_tree(&self, tx: &mut Tx, row: &LogTree, to: i64) -> Result<Tree, ServiceError> {
        // A head over fewer entries than one before is what this log promises never to sign.
        if row.size > to {
            return Err(damaged(
                "the activity log has fewer entries than its tree: entries were cut off",
            ));
        }
        let size = unsigned(row.size);
        let edge = nodes(tx, Tree::edge_of(size)).await?;
        let mut tree =
            Tree::resume(size, &edge).ok_or_else(|| damaged("the activity log's tree"))?;
        while signed(tree.size()) < to {
            let size = signed(tree.size());
            let entries = tx.activity_after(size, PIECE.min(to - size)).await?;
            let position = signed(tree.next_position());
            let (mut salts, mut made) = (Vec::new(), Vec::new());
            for stored in entries {
                if stored.entry.sequence != signed(tree.size()) + 1 {
                    break;
                }
                let salt = self.ids().salt::<SALT_BYTES>();
                let nodes = tree.push(leaf(&salt, &stored.entry.canonical()));
                made.extend(nodes.into_iter().map(|node| node.0.to_vec()));
                salts.push(salt.to_vec());
            }
            if salts.is_empty() {
                return Err(damaged("an entry of the activity log is missing"));
            }
            tx.grow_log_tree(size, &salts, position, &made).await?;
        }
        Ok(tree)
    }

    /// Adds the entries that are not in the tree yet, piece by piece, so that nobody waits long for them. Done at the start
    /// and now and then; a log of before the tree gets its tree by it.
    pub async fn grow_log_tree(&self) -> Result<(), ServiceError> {
        loop {
            let mut tx = self.database().read().await?;
            let (size, (length, _)) = (tx.log_tree().await?.size, tx.activity_head().await?);
            drop(tx);
            if size >= length {
                return Ok(());
            }
            let mut tx = self.database().write().await?;
            let row = tx.lock_log_tree().await?;
            let to = length.min(row.size + PIECE).max(row.size);
            self.grow_tree(&mut tx, &row, to).await?;
            tx.commit().await?;
        }
    }

    /// Signs the log as it stands in this unit of work, which has locked the tree, and keeps the head.
    async fn sign_head(
        &self,
        tx: &mut Tx,
        row: LogTree,
        key: &SigningKey,
        occasion: Occasion<'_>,
    ) -> Result<(), ServiceError> {
        let (sequence, digest) = tx.activity_head().await?;
        let tree = self.grow_tree(tx, &row, sequence).await?;
        let origin = match row.origin {
            Some(origin) => origin,
            None => {
                let random = self.ids().salt::<16>();
                let origin = format!("holdpoint/{}", hex(&random));
                tx.name_log(&origin).await?;
                origin
            }
        };
        let head = ChainHead {
            sequence,
            digest: &digest,
        };
        let (key, valid_after) = self.log_key_until_done(tx, key).await?;
        let signature = key.sign(LOG_NAMESPACE, head.to_sign().as_bytes())?;
        let checkpoint = LogHead::sign(&key, &origin, tree.size(), tree.root())?;
        tx.keep_signed_head(&SignedHead {
            sequence,
            occasion: occasion.word(sequence),
            digest,
            signature,
            checkpoint: Some(checkpoint.as_str().to_owned()),
            // A node whose clock is behind signs with a key that another has just made.
            signed_at: self.now().max(valid_after),
        })
        .await?;
        Ok(())
    }

    /// Appends an entry and signs the log's end with it; the number of the entry. To what came of it (`after`) is added how
    /// many heads were signed before, so that none can be taken away in silence.
    pub(crate) async fn append_signed(
        &self,
        tx: &mut Tx,
        key: &SigningKey,
        occasion: Occasion<'_>,
        new: NewActivity<'_>,
        mut after: Map<String, Value>,
    ) -> Result<i64, ServiceError> {
        let tree = tx.lock_log_tree().await?;
        after.insert("heads".to_owned(), tree.n_heads.into());
        let appended = tx
            .append_activity(NewActivity {
                after: Some(Value::Object(after).to_string()),
                ..new
            })
            .await?;
        self.sign_head(tx, tree, key, occasion).await?;
        Ok(appended.entry.sequence)
    }

    /// Signs the log's end, if entries have come since the newest head and that is [`HEAD_LASTS`] old. Whether it did.
    pub async fn sign_due_log_head(&self) -> Result<bool, ServiceError> {
        let mut tx = self.database().read().await?;
        let is_due = self.is_head_due(&mut tx).await?;
        drop(tx);
        if !is_due {
            return Ok(false);
        }
        self.grow_log_tree().await?;
        let key = self.signing_key(KeyPurpose::Log).await?;
        let mut tx = self.database().write().await?;
        let tree = tx.lock_log_tree().await?;
        // Another node may have been quicker.
        if !self.is_head_due(&mut tx).await? {
            return Ok(false);
        }
        self.sign_head(&mut tx, tree, &key, Occasion::Interval)
            .await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn is_head_due(&self, tx: &mut Tx) -> Result<bool, ServiceError> {
        let (length, _) = tx.activity_head().await?;
        Ok(match tx.newest_checkpoint().await? {
            Some(newest) => {
                // Nodes' clocks differ, and a clock that was set back must not stop the heads.
                let age = self.now().abs_diff(newest.signed_at);
                newest.sequence < length && age >= HEAD_LASTS.unsigned_abs()
            }
            None => length > 0,
        })
    }

    /// The newest signed head of the log, as a C2SP checkpoint; `None` while none was signed. It says how many entries
    /// there are and nothing of what is in them, so everybody may have it.
    pub async fn log_checkpoint(&self) -> Result<Option<String>, ServiceError> {
        let mut tx = self.database().read().await?;
        let newest = tx.newest_checkpoint().await?;
        Ok(newest.and_then(|head| head.checkpoint))
    }

    /// What proves that the log has these entries: a proof for each against the first head that was signed over all of
    /// them, and how that head goes on from earlier ones. `None` where no such head was signed.
    pub(crate) async fn log_proofs(
        &self,
        tx: &mut Tx,
        over: i64,
        entries: &BTreeSet<i64>,
    ) -> Result<Option<LogProofs>, ServiceError> {
        let over = entries.last().copied().unwrap_or_default().max(over);
        let Some(kept) = tx.checkpoint_over(over).await? else {
            return Ok(None);
        };
        let head = kept
            .checkpoint
            .as_deref()
            .and_then(|note| LogHead::parse(note).ok())
            .ok_or_else(|| damaged("a signed head of the activity log"))?;
        let earlier: BTreeSet<u64> = tx
            .checkpoints_before(kept.sequence, MOST_EARLIER_HEADS)
            .await?
            .into_iter()
            .map(unsigned)
            .chain([head.size])
            .collect();
        let mut positions = History::nodes_of(head.size, &earlier);
        for sequence in entries {
            positions.extend(nodes_of_inclusion(head.size, unsigned(sequence - 1)));
        }
        let nodes = nodes(tx, positions).await?;
        let history = History::new(head.size, earlier, &nodes)
            .ok_or_else(|| damaged("the activity log's tree"))?;
        let mut proofs = BTreeMap::new();
        let sequences: Vec<i64> = entries.iter().copied().collect();
        for piece in sequences.chunks(1_000) {
            for (stored, salt) in tx.salted_entries(piece).await? {
                let sequence = stored.entry.sequence;
                let logged = SaltedEntry::new(stored.entry, &salt);
                let proof = TlogProof::new(logged, head.clone(), &nodes)
                    .map_err(|_| damaged("an entry of the activity log, or the log's tree"))?;
                proofs.insert(sequence, proof);
            }
        }
        if proofs.len() != entries.len() {
            return Err(damaged("an entry of the activity log is missing"));
        }
        Ok(Some(LogProofs {
            head,
            proofs,
            history,
        }))
    }
}
