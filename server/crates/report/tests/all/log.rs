//! What a bundle proves of the log.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Cursor,
};

use holdpoint_domain::activity::{Entry, GENESIS};
use holdpoint_report::{
    AllowedKeys, Contents, Facts, SigningKey, bundle,
    facts::ReleaseWord,
    log::{
        History, LogHead, LogProofs, Nodes, SALT_BYTES, SaltedEntry, TlogProof, Tree,
        check_consistency,
    },
    markdown,
    signing::REPORT_NAMESPACE,
    verify_bundle,
    verifying::{Limits, Verification},
};
use serde_json::json;

use crate::sample::{released, stored};

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32], "holdpoint")
}

fn keys() -> AllowedKeys {
    AllowedKeys::parse(&key().public_line()).unwrap()
}

fn entry(sequence: i64, at: i64, after: Option<String>) -> Entry {
    Entry {
        sequence,
        at,
        actor: "ana".to_owned(),
        action: "item.signed".to_owned(),
        subject_kind: "item".to_owned(),
        subject: "1".to_owned(),
        service: None,
        review: None,
        summary: "signed".to_owned(),
        before: None,
        after,
        previous: GENESIS.to_owned(),
    }
}

/// A log with an entry for each sign-off of the facts, and others before and after.
fn entries(facts: &Facts, n_others: i64) -> Vec<Entry> {
    let of_items = facts.items.iter().flat_map(|item| {
        item.sign_offs
            .iter()
            .map(|s| (s.at, &s.digest, s.decision.as_str(), &s.statement))
    });
    let of_release = facts.release_decisions.iter().map(|d| {
        let word = match d.decision {
            ReleaseWord::Go => "go",
            ReleaseWord::NoGo => "no_go",
        };
        (d.at, &d.digest, word, &d.statement)
    });
    let mut entries = vec![entry(1, 0, None)];
    for (at, digest, decision, statement) in of_items.chain(of_release) {
        let after = json!({ "digest": digest, "decision": decision, "statement": statement });
        let sequence = i64::try_from(entries.len()).unwrap() + 1;
        entries.push(entry(sequence, at, Some(after.to_string())));
    }
    for _ in 0..n_others {
        let sequence = i64::try_from(entries.len()).unwrap() + 1;
        entries.push(entry(sequence, 0, None));
    }
    entries
}

fn proofs(entries: &[Entry], origin: &str, key: &SigningKey) -> LogProofs {
    let salted: Vec<_> = entries
        .iter()
        .map(|entry| SaltedEntry::new(entry.clone(), &[3; SALT_BYTES]))
        .collect();
    let (mut tree, mut nodes) = (Tree::default(), Nodes::new());
    for salted in &salted {
        let first = tree.next_position();
        nodes.extend((first..).zip(tree.push(salted.leaf().unwrap())));
    }
    let head = LogHead::sign(key, origin, tree.size(), tree.root()).unwrap();
    let sizes: BTreeSet<u64> = (1..=tree.size()).collect();
    LogProofs {
        history: History::new(tree.size(), sizes, &nodes).unwrap(),
        proofs: salted
            .into_iter()
            .filter(|salted| salted.entry.after.is_some())
            .map(|salted| {
                let sequence = salted.entry.sequence;
                (
                    sequence,
                    TlogProof::new(salted, head.clone(), &nodes).unwrap(),
                )
            })
            .collect::<BTreeMap<_, _>>(),
        head,
    }
}

fn bundled(facts: &Facts, files: Vec<(String, String)>) -> Vec<u8> {
    let report = markdown(facts.clone());
    let contents = Contents {
        signature: key().sign(REPORT_NAMESPACE, report.as_bytes()).unwrap(),
        report,
        allowed_signers: key().public_line() + "\n",
        signed_at: facts.review.as_of,
        proofs: files,
        facts: facts.clone(),
    };
    let open = |member: &holdpoint_report::Member| -> std::io::Result<Option<Cursor<Vec<u8>>>> {
        Ok(stored(&member.sha256).map(Cursor::new))
    };
    bundle(contents, &key(), open, Cursor::new(Vec::new()))
        .unwrap()
        .into_inner()
}

fn verified(bundle: &[u8]) -> Verification {
    verify_bundle(Cursor::new(bundle), Some(&keys()), Limits::default())
}

#[test]
fn a_bundle_proves_that_each_sign_off_it_prints_stands_in_the_log() {
    let facts = released();
    let entries = entries(&facts, 3);
    let proofs = proofs(&entries, "holdpoint/1", &key());
    assert!(proofs.proofs.len() > 2, "there is something to prove");
    let whole = verified(&bundled(&facts, proofs.files()));
    assert!(whole.verified(), "{whole}");
    assert!(
        whole.to_string().contains("stand in the log holdpoint/1"),
        "{whole}"
    );

    let without = verified(&bundled(&facts, Vec::new()));
    assert!(without.verified(), "{without}");
    assert!(without.to_string().contains("does not prove"), "{without}");
}

#[test]
fn a_bundle_whose_log_says_something_else_does_not_verify() {
    type Files = Vec<(String, String)>;
    let facts = released();
    let entries = entries(&facts, 3);
    let right = proofs(&entries, "holdpoint/1", &key()).files();
    let proof = |files: &[(String, String)]| {
        files
            .iter()
            .position(|(path, _)| path.ends_with(".tlog-proof"))
            .unwrap()
    };
    let edited = |edit: &dyn Fn(&mut Files)| {
        let mut files = right.clone();
        edit(&mut files);
        files
    };
    let logged = |edit: &dyn Fn(&mut Entry)| {
        let mut entries = entries.clone();
        edit(&mut entries[1]);
        proofs(&entries, "holdpoint/1", &key()).files()
    };
    let other = SigningKey::from_seed(&[9; 32], "");
    let longer = [entries.clone(), vec![entry(99, 0, None)]].concat();
    let cases = [
        (
            "is not proven",
            edited(&|files| drop(files.remove(proof(files)))),
        ),
        ("is not proven", logged(&|entry| entry.at += 1)),
        (
            "is not proven",
            logged(&|entry| {
                entry.after = entry
                    .after
                    .take()
                    .map(|after| after.replace("\"decision\":\"", "\"decision\":\"not_"));
            }),
        ),
        (
            "is not accepted: it is not a proof",
            edited(&|files| {
                let at = proof(files);
                files[at].1 = files[at].1.replace("index 1", "index 2");
            }),
        ),
        (
            "none of the keys given signed it",
            proofs(&entries, "holdpoint/1", &other).files(),
        ),
        (
            "is about another head",
            edited(&|files| files[0] = proofs(&longer, "holdpoint/1", &key()).files()[0].clone()),
        ),
        (
            "is not the history",
            edited(&|files| files[1].1 = "{}".to_owned()),
        ),
        ("is not the history", edited(&|files| drop(files.remove(1)))),
    ];
    for (expected, files) in cases {
        let result = verified(&bundled(&facts, files));
        assert!(!result.verified(), "{expected}");
        assert!(
            result.to_string().contains(expected),
            "{expected}: {result}"
        );
    }
}

#[test]
fn two_bundles_are_of_one_log_if_the_later_goes_on_from_the_earlier() {
    let facts = released();
    let of =
        |entries: &[Entry], origin: &str| bundled(&facts, proofs(entries, origin, &key()).files());
    let short = entries(&facts, 3);
    let long = entries(&facts, 40);
    let mut forked = long.clone();
    forked[0].actor = "eve".to_owned();
    let (early, late) = (of(&short, "holdpoint/1"), of(&long, "holdpoint/1"));
    let fork = of(&forked, "holdpoint/1");
    let elsewhere = of(&long, "holdpoint/2");
    let note = |bundle: &[Entry]| {
        let head = proofs(bundle, "holdpoint/1", &key()).head;
        head.as_str().as_bytes().to_vec()
    };
    let unsigned = proofs(&short, "holdpoint/1", &SigningKey::from_seed(&[9; 32], ""));
    let unsigned = unsigned.head.as_str().as_bytes().to_vec();
    let cases: [(&[u8], &[u8], Option<&str>); 9] = [
        (&early, &late, None),
        (&late, &early, None),
        (&late, &late, None),
        (&late, &note(&short), None),
        (&late, &fork, Some("rewritten or forked")),
        (&fork, &early, Some("rewritten or forked")),
        (&early, &elsewhere, Some("rewritten or forked")),
        (&early, &note(&long), Some("cannot be told")),
        (
            &late,
            &unsigned,
            Some("no head of a log in it that one of the keys signed"),
        ),
    ];
    for (n, (bundle, other, expected)) in cases.into_iter().enumerate() {
        let mut result = verified(bundle);
        assert!(result.verified(), "{n}: {result}");
        check_consistency(
            &mut result,
            Cursor::new(bundle),
            Cursor::new(other),
            "other",
            &keys(),
        );
        assert_eq!(result.verified(), expected.is_none(), "{n}: {result}");
        let said = expected.unwrap_or("it is the same log");
        assert!(result.to_string().contains(said), "{n}: {result}");
    }
}
