use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use holdpoint_domain::digest::canonical_json;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tlog_tiles::{check_record, check_tree, prove_record, prove_tree};

use super::{Hash, Known, LogHead, Nodes, SaltedEntry, nodes_of_consistency};

/// Proof that the log has an entry, in the format of <https://c2sp.org/tlog-proof>. Its extra data is the entry with its
/// salt, which is what the leaf is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct TlogProof {
    pub logged: SaltedEntry,
    path: Vec<Hash>,
    pub head: LogHead,
}

/// Why a proof does not hold.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ProofError {
    #[error("it is not a proof in the format c2sp.org/tlog-proof@v1")]
    Malformed,
    #[error("a node of the tree is missing")]
    Missing,
    #[error("the head does not have this entry")]
    NotIncluded,
    #[error("the later head does not begin with the earlier one: the log was rewritten or forked")]
    Inconsistent,
}

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

impl TlogProof {
    /// The proof that the head has the entry, from these nodes of its tree.
    pub fn new(logged: SaltedEntry, head: LogHead, nodes: &Nodes) -> Result<Self, ProofError> {
        let index = index(&logged).ok_or(ProofError::NotIncluded)?;
        if index >= head.size {
            return Err(ProofError::NotIncluded);
        }
        let path =
            prove_record(head.size, index, &Known(nodes)).map_err(|_| ProofError::Missing)?;
        let proof = Self { logged, path, head };
        proof.check()?;
        Ok(proof)
    }

    /// Whether the head has the entry. Who signed the head is another question.
    pub fn check(&self) -> Result<(), ProofError> {
        let index = index(&self.logged).ok_or(ProofError::NotIncluded)?;
        let leaf = self.logged.leaf().ok_or(ProofError::Malformed)?;
        check_record(&self.path, self.head.size, self.head.root, index, leaf)
            .map_err(|_| ProofError::NotIncluded)
    }

    pub fn to_text(&self) -> String {
        let mut text = format!(
            "{FIRST_LINE}\nextra {}\nindex {}\n",
            STANDARD.encode(canonical_json(&self.logged)),
            self.logged.entry.sequence - 1
        );
        for hash in &self.path {
            text.push_str(&format!("{hash}\n"));
        }
        text.push('\n');
        text.push_str(self.head.as_str());
        text
    }

    /// Reads a proof in its one spelling.
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let read = || {
            let (proof, head) = text.split_once("\n\n")?;
            let mut lines = proof.lines();
            (lines.next()? == FIRST_LINE).then_some(())?;
            let extra = STANDARD
                .decode(lines.next()?.strip_prefix("extra ")?)
                .ok()?;
            let logged = serde_json::from_slice(&extra).ok()?;
            lines.next()?.strip_prefix("index ")?;
            let path = lines
                .map(|line| Hash::parse_hash(line).ok())
                .collect::<Option<_>>()?;
            let head = LogHead::parse(head).ok()?;
            Some(Self { logged, path, head })
        };
        read()
            .filter(|proof| proof.to_text() == text)
            .ok_or(ProofError::Malformed)
    }
}

/// An entry's place in the tree: sequences count from 1.
fn index(logged: &SaltedEntry) -> Option<u64> {
    u64::try_from(logged.entry.sequence).ok()?.checked_sub(1)
}

/// Nodes of a tree from which follows that it begins with the trees of earlier heads.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// How many entries the earlier heads have, ascending.
    pub sizes: BTreeSet<u64>,
    /// In base64, by position.
    nodes: BTreeMap<u64, String>,
}

impl History {
    /// The nodes that a history of these earlier heads is made of.
    pub fn nodes_of(size: u64, earlier: &BTreeSet<u64>) -> BTreeSet<u64> {
        earlier
            .iter()
            .flat_map(|earlier| nodes_of_consistency(size, *earlier))
            .collect()
    }

    /// `None` where one of [`History::nodes_of`] is missing.
    pub fn new(size: u64, earlier: BTreeSet<u64>, nodes: &Nodes) -> Option<Self> {
        let nodes = Self::nodes_of(size, &earlier)
            .into_iter()
            .map(|position| Some((position, nodes.get(&position)?.to_string())))
            .collect::<Option<_>>()?;
        Some(Self {
            sizes: earlier,
            nodes,
        })
    }

    /// Whether the later head, which this is the history of, begins with the earlier one.
    pub fn check(&self, later: &LogHead, earlier: &LogHead) -> Result<(), ProofError> {
        if earlier.origin != later.origin || earlier.size > later.size {
            return Err(ProofError::Inconsistent);
        }
        if earlier.size == 0 {
            return Ok(());
        }
        let nodes: Nodes = self
            .nodes
            .iter()
            .map(|(position, hash)| Some((*position, Hash::parse_hash(hash).ok()?)))
            .collect::<Option<_>>()
            .ok_or(ProofError::Malformed)?;
        let proof = prove_tree(later.size, earlier.size, &Known(&nodes))
            .map_err(|_| ProofError::Missing)?;
        check_tree(&proof, later.size, later.root, earlier.size, earlier.root)
            .map_err(|_| ProofError::Inconsistent)
    }
}

/// What a bundle says of the log that its sign-offs stand in.
#[derive(Clone, Debug, PartialEq)]
pub struct LogProofs {
    pub head: LogHead,
    /// One for each sign-off, by the number of its entry.
    pub proofs: BTreeMap<i64, TlogProof>,
    pub history: History,
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{key, tree},
        *,
    };
    use crate::log::{SALT_BYTES, Tree};
    use holdpoint_domain::activity::{Entry, GENESIS};

    fn entry(sequence: i64) -> Entry {
        Entry {
            sequence,
            at: 1_769_611_200_000,
            actor: "ana".to_owned(),
            action: "item.signed".to_owned(),
            subject_kind: "item".to_owned(),
            subject: "1".to_owned(),
            service: None,
            review: None,
            summary: "signed 2.1.1: Pass".to_owned(),
            before: None,
            after: None,
            previous: GENESIS.to_owned(),
        }
    }

    fn salted(sequence: i64) -> SaltedEntry {
        SaltedEntry::new(
            entry(sequence),
            &[u8::try_from(sequence).unwrap(); SALT_BYTES],
        )
    }

    fn logged(size: i64) -> (LogHead, Nodes) {
        let (mut tree, mut nodes) = (Tree::default(), Nodes::new());
        for sequence in 1..=size {
            let first = tree.next_position();
            nodes.extend((first..).zip(tree.push(salted(sequence).leaf().unwrap())));
        }
        let head = LogHead::sign(&key(), "holdpoint/1", tree.size(), tree.root()).unwrap();
        (head, nodes)
    }

    #[test]
    fn every_entry_of_a_head_has_a_proof_that_survives_being_written_and_read() {
        for size in 1..20 {
            let (head, nodes) = logged(size);
            for sequence in 1..=size {
                let proof = TlogProof::new(salted(sequence), head.clone(), &nodes).unwrap();
                let again = TlogProof::parse(&proof.to_text()).unwrap();
                assert_eq!(again, proof);
                assert_eq!(again.check(), Ok(()));
            }
            let beyond = TlogProof::new(salted(size + 1), head, &nodes);
            assert_eq!(beyond, Err(ProofError::NotIncluded));
        }
    }

    #[test]
    fn a_proof_holds_for_its_entry_its_salt_and_its_head_only() {
        let (head, nodes) = logged(9);
        let proof = TlogProof::new(salted(4), head, &nodes).unwrap();
        let wrong = [
            TlogProof {
                logged: SaltedEntry::new(entry(5), &[4; SALT_BYTES]),
                ..proof.clone()
            },
            TlogProof {
                logged: SaltedEntry::new(entry(4), &[5; SALT_BYTES]),
                ..proof.clone()
            },
            TlogProof {
                logged: SaltedEntry::new(
                    Entry {
                        actor: "eve".to_owned(),
                        ..entry(4)
                    },
                    &[4; SALT_BYTES],
                ),
                ..proof.clone()
            },
            TlogProof {
                head: logged(10).0,
                ..proof.clone()
            },
            TlogProof {
                path: proof.path[1..].to_vec(),
                ..proof.clone()
            },
        ];
        for wrong in wrong {
            assert_eq!(wrong.check(), Err(ProofError::NotIncluded), "{wrong:?}");
        }
        let unsalted = TlogProof {
            logged: SaltedEntry::new(entry(4), &[4; 3]),
            ..proof
        };
        assert_eq!(unsalted.check(), Err(ProofError::Malformed));
    }

    #[test]
    fn a_proof_has_one_spelling() {
        let (head, nodes) = logged(9);
        let text = TlogProof::new(salted(4), head, &nodes).unwrap().to_text();
        for wrong in [
            text.replace("index 3", "index 03"),
            text.replace("index 3", "index 4"),
            text.replace("@v1", "@v2"),
            text.replace("extra ", "extra  "),
            text.replace("\n\n", "\n"),
            text[..text.len() - 1].to_owned(),
            String::new(),
        ] {
            assert_eq!(
                TlogProof::parse(&wrong),
                Err(ProofError::Malformed),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_history_shows_which_heads_a_later_one_begins_with() {
        let head = |size| LogHead::sign(&key(), "holdpoint/1", size, tree(size).0.root()).unwrap();
        for later in 1..20 {
            let nodes = tree(later).1;
            let history = History::new(later, (1..=later).collect(), &nodes).unwrap();
            let text = serde_json::to_string(&history).unwrap();
            assert_eq!(serde_json::from_str::<History>(&text).unwrap(), history);
            for earlier in 1..=later {
                assert_eq!(history.check(&head(later), &head(earlier)), Ok(()));
                let other = LogHead::sign(&key(), "holdpoint/1", earlier, tree(later + 1).0.root())
                    .unwrap();
                assert_eq!(
                    history.check(&head(later), &other),
                    Err(ProofError::Inconsistent),
                    "{earlier} of {later}"
                );
            }
            assert_eq!(
                history.check(&head(later), &head(later + 1)),
                Err(ProofError::Inconsistent)
            );
        }
        let short = History::new(9, [4].into(), &tree(9).1).unwrap();
        assert_eq!(short.check(&head(9), &head(3)), Err(ProofError::Missing));
        let elsewhere = LogHead::sign(&key(), "holdpoint/2", 4, tree(4).0.root()).unwrap();
        assert_eq!(
            short.check(&head(9), &elsewhere),
            Err(ProofError::Inconsistent)
        );
    }
}
