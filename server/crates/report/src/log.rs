//! The activity log as others can check it: a Merkle tree (RFC 6962) over its entries, whose heads are signed.
//!
//! A leaf is the digest of a random salt and the entry's canonical JSON, so that leaves can be handed out without anybody
//! trying out what was written. A head is a [C2SP checkpoint](https://c2sp.org/tlog-checkpoint): name of the log, number of
//! entries, root of the tree, signature. Whoever has kept one finds out whether the log still begins as it did.

mod bundled;
mod found;
mod proof;

use std::{cell::RefCell, collections::BTreeMap};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use holdpoint_domain::activity::Entry;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use signed_note::{Note, Signature, StandardVerifier, Verifier, VerifierList};
use thiserror::Error;
pub use tlog_tiles::Hash;
use tlog_tiles::{
    Checkpoint, Error as TreeError, HashReader, prove_record, prove_tree, record_hash,
    stored_hash_count, stored_hashes_for_record_hash, sub_tree_index, tree_hash,
};

pub use bundled::check_consistency;
pub(crate) use bundled::check_log;
pub use found::{FoundHead, NoHead, found_heads};
pub use proof::{History, LogProofs, ProofError, TlogProof};

use crate::signing::{AllowedKeys, LOG_NAMESPACE, SignError, SigningKey};

/// How many random bytes an entry's leaf is salted with.
pub const SALT_BYTES: usize = 32;

/// The complete nodes of a tree, or those of them that matter, by their position.
pub type Nodes = BTreeMap<u64, Hash>;

/// The leaf of an entry, given by its canonical JSON.
pub fn leaf(salt: &[u8; SALT_BYTES], canonical_entry: &str) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(salt);
    hasher.update(canonical_entry);
    record_hash(&hasher.finalize())
}

/// An entry with what its leaf is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaltedEntry {
    pub entry: Entry,
    /// In base64.
    pub salt: String,
}

impl SaltedEntry {
    pub fn new(entry: Entry, salt: &[u8]) -> Self {
        Self {
            entry,
            salt: STANDARD.encode(salt),
        }
    }

    /// `None` where the salt is none.
    pub fn leaf(&self) -> Option<Hash> {
        let salt = STANDARD.decode(&self.salt).ok()?;
        Some(leaf(&salt.try_into().ok()?, &self.entry.canonical()))
    }
}

struct Known<'a>(&'a Nodes);

impl HashReader for Known<'_> {
    fn read_hashes(&self, positions: &[u64]) -> Result<Vec<Hash>, TreeError> {
        positions
            .iter()
            .map(|position| self.0.get(position).copied())
            .collect::<Option<_>>()
            .ok_or(TreeError::IndexesNotInTree)
    }
}

/// Reads nothing and keeps what it was asked for.
#[derive(Default)]
struct Asked(RefCell<Vec<u64>>);

impl HashReader for Asked {
    fn read_hashes(&self, positions: &[u64]) -> Result<Vec<Hash>, TreeError> {
        self.0.borrow_mut().extend(positions);
        Err(TreeError::IndexesNotInTree)
    }
}

/// The positions of the nodes that prove that a tree of this size has this leaf, counted from 0.
pub fn nodes_of_inclusion(size: u64, index: u64) -> Vec<u64> {
    let asked = Asked::default();
    drop(prove_record(size, index, &asked));
    asked.0.into_inner()
}

/// The positions of the nodes that prove that a tree of this size begins with the one of an earlier size.
pub fn nodes_of_consistency(size: u64, earlier: u64) -> Vec<u64> {
    let asked = Asked::default();
    drop(prove_tree(size, earlier, &asked));
    asked.0.into_inner()
}

/// A tree that grows at its right edge, of which it keeps no more than that.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    size: u64,
    edge: Nodes,
}

impl Tree {
    /// The positions of the nodes that a tree of this size goes on from.
    pub fn edge_of(size: u64) -> Vec<u64> {
        sub_tree_index(0, size, Vec::new())
    }

    /// Goes on from these nodes; `None` where one is missing.
    pub fn resume(size: u64, nodes: &Nodes) -> Option<Self> {
        let edge = Self::edge_of(size)
            .into_iter()
            .map(|position| Some((position, *nodes.get(&position)?)))
            .collect::<Option<_>>()?;
        Some(Self { size, edge })
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    /// The position of the first node that the next leaf makes.
    pub fn next_position(&self) -> u64 {
        stored_hash_count(self.size)
    }

    /// Adds a leaf. The nodes that are complete by it, from [`Tree::next_position`] on.
    pub fn push(&mut self, leaf: Hash) -> Vec<Hash> {
        let first = self.next_position();
        let made = stored_hashes_for_record_hash(self.size, leaf, &Known(&self.edge))
            .expect("the edge has every node that a new one is made of");
        self.size += 1;
        self.edge.extend((first..).zip(made.iter().copied()));
        let still = Self::edge_of(self.size);
        self.edge.retain(|position, _| still.contains(position));
        made
    }

    pub fn root(&self) -> Hash {
        tree_hash(self.size, &Known(&self.edge)).expect("the edge has what the root is made of")
    }
}

/// A signed head: so many entries, under this root.
#[derive(Clone, Debug, PartialEq)]
pub struct LogHead {
    pub origin: String,
    pub size: u64,
    pub root: Hash,
    note: String,
}

/// Why a head is not accepted.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum HeadError {
    #[error("it is not a checkpoint of a log")]
    Malformed,
    #[error("none of the keys given signed it")]
    OtherKey,
    #[error("its signature does not match: it was changed after signing")]
    Mismatch,
}

impl LogHead {
    /// Signs a head. The log's name holds neither white space nor a plus.
    pub fn sign(key: &SigningKey, origin: &str, size: u64, root: Hash) -> Result<Self, SignError> {
        let text = Checkpoint::new(origin, size, root, "")
            .expect("a log has a name")
            .to_bytes();
        let id = signed_note::key_id(origin, &typed(&key.public_bytes()));
        let signature = Signature::new(origin.to_owned(), id, key.sign_bytes(&text)?.to_vec())
            .expect("a log's name is one for a key as well");
        let note = Note::new(&text, &[signature]).expect("a checkpoint is a note");
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
            note: String::from_utf8(note.to_bytes()).expect("a note is UTF-8"),
        })
    }

    /// Reads a head, whoever signed it.
    pub fn parse(note: &str) -> Result<Self, HeadError> {
        let read = Note::from_bytes(note.as_bytes()).map_err(|_| HeadError::Malformed)?;
        let head = Checkpoint::from_bytes(read.text()).map_err(|_| HeadError::Malformed)?;
        let whole = read.to_bytes() == note.as_bytes()
            && head.to_bytes() == read.text()
            && i64::try_from(head.size()).is_ok();
        if !whole {
            return Err(HeadError::Malformed);
        }
        Ok(Self {
            origin: head.origin().to_owned(),
            size: head.size(),
            root: *head.hash(),
            note: note.to_owned(),
        })
    }

    /// The checkpoint as it is handed out.
    pub fn as_str(&self) -> &str {
        &self.note
    }

    /// Checks that one of these keys signed the head as its log.
    pub fn verify(&self, keys: &AllowedKeys) -> Result<(), HeadError> {
        let mut verifiers: Vec<Box<dyn Verifier>> = Vec::new();
        for key in keys.public_bytes_for(LOG_NAMESPACE) {
            let key = typed(&key);
            let id = signed_note::key_id(&self.origin, &key);
            let line = format!("{}+{id:08x}+{}", self.origin, STANDARD.encode(&key));
            // What is no point of the curve has signed nothing.
            if let Ok(verifier) = StandardVerifier::new(&line) {
                verifiers.push(Box::new(verifier));
            }
        }
        let note = Note::from_bytes(self.note.as_bytes()).map_err(|_| HeadError::Malformed)?;
        match note.verify(&VerifierList::new(verifiers)) {
            Ok(_) => Ok(()),
            Err(signed_note::NoteError::UnverifiedNote) => Err(HeadError::OtherKey),
            Err(_) => Err(HeadError::Mismatch),
        }
    }
}

/// A public key as notes number it: Ed25519 has the number 1.
fn typed(key: &[u8; 32]) -> Vec<u8> {
    let mut typed = vec![1];
    typed.extend(key);
    typed
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn key() -> SigningKey {
        SigningKey::from_seed(&[7; 32], "the test's key")
    }

    pub(crate) fn keys() -> AllowedKeys {
        AllowedKeys::parse(&key().public_line()).unwrap()
    }

    /// A tree of so many leaves, and all its nodes.
    pub(crate) fn tree(size: u64) -> (Tree, Nodes) {
        let mut tree = Tree::default();
        let mut nodes = Nodes::new();
        for n in 0..size {
            let first = tree.next_position();
            let made = tree.push(leaf(&[0; SALT_BYTES], &n.to_string()));
            nodes.extend((first..).zip(made));
        }
        (tree, nodes)
    }

    /// The root as RFC 6962 defines it, section 2.1.
    fn root_by_definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => tlog_tiles::EMPTY_HASH,
            [one] => *one,
            many => {
                let half = many.len().next_power_of_two() / 2;
                let (left, right) = many.split_at(half);
                tlog_tiles::node_hash(root_by_definition(left), root_by_definition(right))
            }
        }
    }

    proptest! {
        #[test]
        fn a_tree_that_goes_on_from_its_edge_has_the_root_of_the_definition(size in 0_u64..200, more in 0_u64..50) {
            let (_, nodes) = tree(size);
            let mut resumed = Tree::resume(size, &nodes).unwrap();
            let mut leaves: Vec<_> = (0..size).map(|n| leaf(&[0; SALT_BYTES], &n.to_string())).collect();
            for n in 0..more {
                leaves.push(leaf(&[1; SALT_BYTES], &n.to_string()));
                resumed.push(leaves[leaves.len() - 1]);
            }
            prop_assert_eq!(resumed.root(), root_by_definition(&leaves));
            prop_assert_eq!(resumed.size(), size + more);
        }
    }

    #[test]
    fn a_tree_without_its_edge_does_not_go_on() {
        let (_, mut nodes) = tree(5);
        nodes.remove(&Tree::edge_of(5)[0]);
        assert!(Tree::resume(5, &nodes).is_none());
    }

    #[test]
    fn a_leaf_hangs_on_its_salt_and_on_its_entry() {
        let of = leaf(&[1; SALT_BYTES], "entry");
        assert_ne!(of, leaf(&[2; SALT_BYTES], "entry"));
        assert_ne!(of, leaf(&[1; SALT_BYTES], "Entry"));
    }

    #[test]
    fn a_head_is_a_checkpoint_in_its_one_spelling() {
        let head = LogHead::sign(&key(), "holdpoint/1", 5, tree(5).0.root()).unwrap();
        let note = head.as_str();
        assert!(note.starts_with("holdpoint/1\n5\n"), "{note}");
        assert!(note.contains("=\n\n\u{2014} holdpoint/1 "), "{note}");
        assert_eq!(LogHead::parse(note), Ok(head.clone()));
        for wrong in [
            note.replace("\n5\n", "\n05\n"),
            note.replace("\n5\n", "\n-5\n"),
            note.replace("\n5\n", "\n18446744073709551615\n"),
            note.replace("=\n\n", "\n\n"),
            note.replace("\n\n", "\n"),
            format!("{note}\n"),
            note.trim_end().to_owned(),
            note.replace('\n', "\r\n"),
            String::new(),
        ] {
            assert_eq!(LogHead::parse(&wrong), Err(HeadError::Malformed), "{wrong}");
        }
    }

    #[test]
    fn a_head_holds_for_what_its_key_signed_only() {
        let head = LogHead::sign(&key(), "holdpoint/1", 5, tree(5).0.root()).unwrap();
        assert_eq!(head.verify(&keys()), Ok(()));
        let twice = format!("{0}\n{0}\n", key().public_line());
        assert_eq!(head.verify(&AllowedKeys::parse(&twice).unwrap()), Ok(()));
        let other = SigningKey::from_seed(&[8; 32], "").public_line();
        assert_eq!(
            head.verify(&AllowedKeys::parse(&other).unwrap()),
            Err(HeadError::OtherKey)
        );
        let for_reports = key().public_line().replace(LOG_NAMESPACE, "git");
        assert_eq!(
            head.verify(&AllowedKeys::parse(&for_reports).unwrap()),
            Err(HeadError::OtherKey),
            "the key is not one for logs"
        );
        let longer = head.as_str().replace("\n5\n", "\n6\n");
        assert_eq!(
            LogHead::parse(&longer).unwrap().verify(&keys()),
            Err(HeadError::Mismatch)
        );
        let renamed = head.as_str().replace("holdpoint/1", "holdpoint/2");
        assert!(LogHead::parse(&renamed).unwrap().verify(&keys()).is_err());
    }
}
