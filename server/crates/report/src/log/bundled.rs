//! What a bundle says of the log, and checking it.

use std::{
    collections::BTreeMap,
    io::{Read, Seek},
};

use holdpoint_domain::{Millis, activity::Entry};
use serde_json::Value;
use zip::ZipArchive;

use super::{FoundHead, History, LogHead, LogProofs, ProofError, TlogProof, found_heads};
use crate::{
    bundle::{LOG_CHECKPOINT, LOG_HISTORY, LOG_PROOF_ENDING, LOG_PROOFS},
    facts::Facts,
    signing::AllowedKeys,
    verifying::Verification,
};

/// The history of a bundle is no longer.
const MAX_HISTORY_BYTES: u64 = 16 * 1024 * 1024;

impl LogProofs {
    /// The files of a bundle, by path.
    pub fn files(&self) -> Vec<(String, String)> {
        let history =
            serde_json::to_string(&self.history).expect("numbers and texts always serialise");
        let mut files = vec![
            (LOG_CHECKPOINT.to_owned(), self.head.as_str().to_owned()),
            (LOG_HISTORY.to_owned(), history + "\n"),
        ];
        files.extend(self.proofs.iter().map(|(sequence, proof)| {
            let path = format!("{LOG_PROOFS}{sequence}{LOG_PROOF_ENDING}");
            (path, proof.to_text())
        }));
        files
    }
}

/// A sign-off as the report prints it.
struct Printed<'a> {
    what: String,
    digest: &'a str,
    decision: &'a str,
    statement: &'a str,
    at: Millis,
}

impl Printed<'_> {
    /// Whether the log's entry, which says the same digest, is the one of this sign-off.
    fn is_of(&self, Logged { at, after }: &Logged) -> bool {
        let says = |field: &str, printed: &str| {
            // Entries of before the tree say less.
            after[field].is_null() || after[field] == *printed
        };
        *at == self.at && says("decision", self.decision) && says("statement", self.statement)
    }
}

/// What a proven entry says of a sign-off.
struct Logged {
    at: Millis,
    after: Value,
}

impl Logged {
    fn of(entry: &Entry) -> Option<(String, Self)> {
        let after: Value = serde_json::from_str(entry.after.as_deref()?).ok()?;
        let digest = after["digest"].as_str()?.to_owned();
        let at = entry.at;
        Some((digest, Self { at, after }))
    }
}

fn printed(facts: &Facts) -> Vec<Printed<'_>> {
    let of_items = facts.items.iter().flat_map(|item| {
        item.sign_offs.iter().map(|sign_off| Printed {
            what: format!("{}'s sign-off of {}", sign_off.by, item.key),
            digest: &sign_off.digest,
            decision: sign_off.decision.as_str(),
            statement: &sign_off.statement,
            at: sign_off.at,
        })
    });
    let of_release = facts.release_decisions.iter().map(|decision| Printed {
        what: format!("{}'s release decision", decision.by),
        digest: &decision.digest,
        decision: decision.decision.as_str(),
        statement: &decision.statement,
        at: decision.at,
    });
    of_items.chain(of_release).collect()
}

/// Checks the files of a bundle that speak of the log: the head is signed, and has an entry for each sign-off that the
/// report prints.
pub(crate) fn check_log(
    files: &BTreeMap<String, String>,
    facts: &Facts,
    keys: &AllowedKeys,
    result: &mut Verification,
) {
    let Some(checkpoint) = files.get(LOG_CHECKPOINT) else {
        result.note(
            "The bundle does not prove that its sign-offs stand in the log: none was signed that could.",
        );
        return;
    };
    let head = match LogHead::parse(checkpoint).and_then(|head| head.verify(keys).map(|()| head)) {
        Ok(head) => head,
        Err(error) => {
            result.wrong(format!("{LOG_CHECKPOINT} is not accepted: {error}."));
            return;
        }
    };
    let mut proven: BTreeMap<String, Vec<Logged>> = BTreeMap::new();
    for (path, text) in files {
        if !path.ends_with(LOG_PROOF_ENDING) {
            continue;
        }
        let checked = TlogProof::parse(text).and_then(|proof| proof.check().map(|()| proof));
        match checked {
            Ok(proof) if proof.head == head => {
                if let Some((digest, logged)) = Logged::of(&proof.logged.entry) {
                    proven.entry(digest).or_default().push(logged);
                }
            }
            Ok(_) => result.wrong(format!(
                "{path} is about another head than {LOG_CHECKPOINT}."
            )),
            Err(error) => result.wrong(format!("{path} is not accepted: {error}.")),
        }
    }
    let printed = printed(facts);
    let mut n_right = 0;
    for sign_off in &printed {
        let logged = proven.get(sign_off.digest).map_or(&[][..], Vec::as_slice);
        if logged.iter().any(|logged| sign_off.is_of(logged)) {
            n_right += 1;
        } else {
            result.wrong(format!(
                "{} is not proven to stand in the log.",
                sign_off.what
            ));
        }
    }
    if n_right == printed.len() {
        result.right(format!(
            "All {n_right} sign-offs that the report prints stand in the log {}, whose {} entries are signed.",
            head.origin, head.size
        ));
    }
    let own = read_history(files.get(LOG_HISTORY).map(String::as_bytes))
        .is_some_and(|history| history.check(&head, &head) == Ok(()));
    if !own {
        result.wrong(format!(
            "{LOG_HISTORY} is not the history of {LOG_CHECKPOINT}."
        ));
    }
}

fn read_history(bytes: Option<&[u8]>) -> Option<History> {
    serde_json::from_slice(bytes?).ok()
}

/// The head that a file has, and if it is a bundle, what that head goes on from.
struct Kept {
    head: LogHead,
    history: Option<History>,
}

fn kept(mut file: impl Read + Seek, keys: &AllowedKeys) -> Vec<Kept> {
    let heads = found_heads(&mut file).unwrap_or_default();
    let history = history_of(&mut file);
    heads
        .into_iter()
        .filter_map(|head| match head {
            FoundHead::Checkpoint(head) => Some(head),
            FoundHead::Chain { .. } => None,
        })
        .filter(|head| head.verify(keys).is_ok())
        .map(|head| Kept {
            head,
            history: history.clone(),
        })
        .collect()
}

fn history_of(file: impl Read + Seek) -> Option<History> {
    let mut zip = ZipArchive::new(file).ok()?;
    let mut bytes = Vec::new();
    zip.by_name(LOG_HISTORY)
        .ok()?
        .take(MAX_HISTORY_BYTES)
        .read_to_end(&mut bytes)
        .ok()?;
    read_history(Some(&bytes))
}

/// Checks offline that the logs of two files are one: that the later of their heads goes on from the earlier. The later has
/// to be a bundle, which says what its head goes on from, or the heads have to be the same.
pub fn check_consistency(
    result: &mut Verification,
    bundle: impl Read + Seek,
    other: impl Read + Seek,
    name: &str,
    keys: &AllowedKeys,
) {
    let (ours, others) = (kept(bundle, keys), kept(other, keys));
    let Some(ours) = ours.first() else {
        result.wrong("There is no head of the log in it that one of the keys signed, so nothing can be compared.");
        return;
    };
    if others.is_empty() {
        result.wrong(format!(
            "{name}: there is no head of a log in it that one of the keys signed."
        ));
    }
    for other in &others {
        let (later, earlier) = if ours.head.size >= other.head.size {
            (ours, other)
        } else {
            (other, ours)
        };
        let sizes = format!("{} and {} entries", earlier.head.size, later.head.size);
        let checked = match &later.history {
            _ if later.head.origin != earlier.head.origin => Err(ProofError::Inconsistent),
            _ if later.head.size == earlier.head.size => {
                if later.head.root == earlier.head.root {
                    Ok(())
                } else {
                    Err(ProofError::Inconsistent)
                }
            }
            Some(history) => history.check(&later.head, &earlier.head),
            None => Err(ProofError::Missing),
        };
        match checked {
            Ok(()) => result.right(format!("{name}: it is the same log, with {sizes}.")),
            Err(ProofError::Missing) => result.wrong(format!(
                "{name}: whether the heads over {sizes} are of one log cannot be told from these files. Ask the instance: \
                 `holdpoint log verify --against`."
            )),
            Err(error) => result.wrong(format!("{name}: with heads over {sizes}, {error}.")),
        }
    }
}
