//! The activity log against whoever has the database in their hands.

mod common;

use std::io::Cursor;

use common::{MINUTE, START, World, team::Team};
use holdpoint_domain::activity::GENESIS;
use holdpoint_report::{
    AllowedKeys, SigningKey,
    log::{Hash, LogHead, Tree, found_heads},
};
use holdpoint_service::{HEAD_LASTS, LogCheck, LogVerification, OutsideHead, ServiceError};
use holdpoint_storage::NewActivity;

/// Two items are signed, and between them the log goes on for a while.
async fn signed(team: &Team) {
    for key in ["2.1.1", "2.1.2"] {
        let item = team.id(key).await;
        team.send_to_review(&item).await;
        team.world.clock.advance(HEAD_LASTS);
        let services = &team.world.services;
        assert!(services.sign_due_log_head().await.expect("signs the head"));
        team.decide(&item, "pass").await;
    }
}

async fn run(world: &World, statements: &[&str]) {
    let mut tx = world.on.database.write().await.expect("writes");
    for sql in statements {
        let sql: &'static str = Box::leak((*sql).to_owned().into_boxed_str());
        tx.tamper_with_activity_for_test(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    tx.commit().await.expect("commits");
}

async fn verified(world: &World) -> LogVerification {
    world.services.verify_log().await.expect("checks")
}

async fn verified_against(world: &World, kept: &str) -> LogVerification {
    let heads = found_heads(Cursor::new(kept)).expect("has heads");
    let against = heads
        .into_iter()
        .map(|head| OutsideHead {
            source: "kept".to_owned(),
            head,
        })
        .collect();
    let check = LogCheck {
        against,
        keys: None,
    };
    let services = &world.services;
    services.verify_log_against(check).await.expect("checks")
}

async fn append(world: &World, n: usize) {
    let mut tx = world.on.database.write().await.expect("writes");
    for n in 0..n {
        tx.append_activity(NewActivity {
            at: START,
            actor: "system",
            action: "test.counted",
            subject_kind: "test",
            subject: "1",
            service: None,
            review: None,
            summary: format!("counted {n}"),
            before: None,
            after: None,
        })
        .await
        .expect("appends");
    }
    tx.commit().await.expect("commits");
}

#[tokio::test]
async fn whatever_is_done_to_the_log_or_to_a_sign_off_by_hand_is_found_out() {
    const LAST: &str = "(select max(log_sequence) from sign_off)";
    let mine = |sql: &str| sql.replace("LAST", LAST);
    let edit = |column: &str, value: &str| {
        vec![mine(&format!(
            "update sign_off set {column} = {value} where log_sequence = LAST"
        ))]
    };
    let invent = |id: &str, sequence: &str| {
        vec![mine(&format!(
            "insert into sign_off (id, review_id, item_id, round, person_id, role, decision, statement, risk, \
             waived_until, digest, content, four_eyes, log_sequence, signed_at) select '{id}', review_id, item_id, round, \
             person_id, role, decision, statement, risk, waived_until, digest, content, four_eyes, {sequence}, signed_at \
             from sign_off where log_sequence = LAST"
        ))]
    };
    let cut = [
        "delete from activity where sequence = (select max(sequence) from activity)",
        "update activity_head set sequence = (select max(sequence) from activity), \
         digest = (select digest from activity order by sequence desc limit 1)",
    ]
    .map(str::to_owned);
    let deleted_sign_off = mine("delete from sign_off where log_sequence = LAST");
    let deleted_head = mine("delete from signed_head where sequence = LAST");
    let interval = "delete from signed_head where occasion = 'interval'".to_owned();
    let attacks: Vec<(&str, Vec<String>)> = vec![
        ("has another person", edit("person_id", "(select id from person where name = 'eve')")),
        ("has another role", edit("role", "'manager'")),
        ("has another decision", edit("decision", "'waive'")),
        ("has another statement", edit("statement", "'Did not look.'")),
        ("has another risk", edit("risk", "'none'")),
        ("has another waived_until", edit("waived_until", "1")),
        ("has another round", edit("round", "7")),
        ("has another four_eyes", edit("four_eyes", "not four_eyes")),
        ("has another digest", edit("digest", &format!("'{GENESIS}'"))),
        ("has another content", edit("content", "replace(content, '2.1.2', '2.1.3')")),
        ("has another time", edit("signed_at", "signed_at - 1")),
        ("has another subject", edit("item_id", "(select id from item where key = '2.1.3')")),
        ("it was invented", edit("log_sequence", "log_sequence - 1")),
        ("it was invented", invent("invented", "3")),
        ("it was invented", invent("invented", "log_sequence")),
        ("it was invented", invent("invented", "log_sequence + 1")),
        ("it was invented", invent("invented", "-1")),
        ("it was deleted", vec![deleted_sign_off.clone()]),
        ("it was deleted", vec![deleted_head.clone()]),
        ("heads were signed, and", vec![interval.clone()]),
        (
            "some were deleted or invented",
            vec![interval, "update log_tree set n_heads = (select count(*) from signed_head)".to_owned()],
        ),
        ("which is missing", cut.to_vec()),
        (
            "The tree has",
            [vec![deleted_head, deleted_sign_off], cut.to_vec()].concat(),
        ),
        ("which is missing", vec!["delete from activity".to_owned()]),
        ("entry 3", vec!["delete from activity where sequence = 3".to_owned()]),
        ("entry 3", vec!["update activity set summary = 'did nothing' where sequence = 3".to_owned()]),
        ("should end", vec!["update activity_head set sequence = sequence + 1".to_owned()]),
        ("Entry 3 is not", vec!["update log_tree_hash set hash = (select hash from log_tree_hash where position = 0) where position = 3".to_owned()]),
        ("Entry 4 is not", vec!["update log_salt set salt = (select salt from log_salt where sequence = 1) where sequence = 4".to_owned()]),
        ("salt of entry 5", vec!["delete from log_salt where sequence = 5".to_owned()]),
        ("is not a head of this log", vec!["update log_tree set origin = 'holdpoint/other'".to_owned()]),
        ("is not a head of this log", vec![
            "update signed_head set checkpoint = (select checkpoint from signed_head order by sequence limit 1)".to_owned(),
        ]),
        ("The signature over entry", vec![
            "update signed_head set signature = (select signature from signed_head order by sequence limit 1)".to_owned(),
        ]),
        ("not the one that was signed", vec![format!("update signed_head set digest = '{GENESIS}'")]),
    ];
    for (expected, statements) in attacks {
        for team in Team::each().await {
            signed(&team).await;
            let before = verified(&team.world).await;
            assert_eq!(before.problems, [""; 0], "{}", team.on());
            assert_eq!((before.n_signed_heads, before.n_sign_offs), (4, 2));
            let statements: Vec<_> = statements
                .iter()
                .map(|sql| match team.on() {
                    "sqlite" => sql.replace("not four_eyes", "1 - four_eyes"),
                    _ => sql.clone(),
                })
                .collect();
            let statements: Vec<_> = statements.iter().map(String::as_str).collect();
            run(&team.world, &statements).await;
            let after = verified(&team.world).await;
            assert!(
                after
                    .problems
                    .iter()
                    .any(|problem| problem.contains(expected)),
                "{expected}, on {}: {:?} after {statements:?}",
                team.on(),
                after.problems,
            );
            assert_eq!(after.says, "The log does not verify.");
        }
    }
}

/// Cuts the log after so many entries, with all that would show it inside.
async fn cut_to(world: &World, length: u64) {
    let mut tree = Tree::default();
    for _ in 0..length {
        tree.push(Hash([0; 32]));
    }
    let nodes = tree.next_position();
    run(
        world,
        &[
            &format!("delete from sign_off where log_sequence > {length}"),
            &format!("delete from signed_head where sequence > {length}"),
            &format!("delete from activity where sequence > {length}"),
            &format!("delete from log_salt where sequence > {length}"),
            &format!("delete from log_tree_hash where position >= {nodes}"),
            &format!(
                "update log_tree set size = {length}, n_heads = (select count(*) from signed_head)"
            ),
            "update activity_head set sequence = (select max(sequence) from activity), \
             digest = (select digest from activity order by sequence desc limit 1)",
        ],
    )
    .await;
}

#[tokio::test]
async fn only_a_head_from_outside_shows_that_a_sign_off_and_all_after_it_were_cut_off() {
    for team in Team::each().await {
        let world = &team.world;
        signed(&team).await;
        let before = verified(world).await;
        assert!(before.says.starts_with("The log is consistent in itself."));
        assert_eq!(before.against, None);
        let kept = serde_json::to_string(&before).expect("is written");
        let checkpoint = before.checkpoint.clone().expect("has a head");
        let holds = verified_against(world, &kept).await;
        assert_eq!(holds.problems, [""; 0]);
        assert_eq!(
            holds.says,
            "The log verifies: it goes on from each of the 2 heads that were given."
        );

        append(world, 3).await;
        let longer = verified_against(world, &checkpoint).await;
        assert_eq!(longer.problems, [""; 0], "entries came since");

        let length = u64::try_from(before.length).expect("is one");
        cut_to(world, length - 1).await;
        let cut = verified(world).await;
        assert_eq!(cut.problems, [""; 0], "it is consistent in itself");
        assert!(cut.says.starts_with("The log is consistent in itself."));
        for kept in [&kept, &checkpoint] {
            let found_out = verified_against(world, kept).await;
            assert!(
                found_out.problems[0].contains("entries were cut off"),
                "{:?}",
                found_out.problems
            );
        }

        append(world, 5).await;
        world.clock.advance(HEAD_LASTS);
        assert!(world.services.sign_due_log_head().await.expect("signs"));
        assert_eq!(verified(world).await.problems, [""; 0]);
        for kept in [&kept, &checkpoint] {
            let found_out = verified_against(world, kept).await;
            assert!(
                found_out.problems[0].contains("it was rewritten or replaced"),
                "{:?}",
                found_out.problems
            );
            let compared = found_out.against.expect("was compared");
            assert!(compared.iter().all(|head| !head.extended), "{compared:?}");
        }
    }
}

#[tokio::test]
async fn a_chain_that_was_written_anew_is_not_the_one_that_the_tree_and_the_heads_have() {
    for team in Team::each().await {
        let world = &team.world;
        signed(&team).await;
        let kept = verified(world).await.checkpoint.expect("has a head");
        let mut tx = world.on.database.read().await.expect("reads");
        let entries = tx.activity_after(0, 1_000).await.expect("reads the log");
        drop(tx);
        let mut previous = GENESIS.to_owned();
        let mut statements = Vec::new();
        for stored in entries {
            let mut entry = stored.entry;
            if entry.sequence == 3 {
                entry.summary = "did nothing".to_owned();
            }
            entry.previous = previous;
            previous = entry.digest().into();
            let (sequence, before, summary) = (
                entry.sequence,
                &entry.previous,
                entry.summary.replace('\'', "''"),
            );
            statements.push(format!(
                "update activity set summary = '{summary}', previous = '{before}', digest = '{previous}' where sequence = {sequence}"
            ));
        }
        statements.push(format!("update activity_head set digest = '{previous}'"));
        let statements: Vec<_> = statements.iter().map(String::as_str).collect();
        run(world, &statements).await;
        let problems = verified(world).await.problems;
        assert!(
            problems[0].contains("Entry 3 is not the one that the tree has"),
            "{problems:?}"
        );
        assert!(
            problems
                .iter()
                .any(|problem| problem.contains("not the one that was signed"))
        );

        run(
            world,
            &[
                "delete from signed_head",
                "delete from sign_off",
                "update activity set action = 'nothing', after = null where action = 'item.signed'",
                "update log_tree set n_heads = 0, size = 0",
                "delete from log_salt",
                "delete from log_tree_hash",
            ],
        )
        .await;
        let problems = verified_against(world, &kept).await.problems;
        assert!(!problems.is_empty());
    }
}

#[tokio::test]
async fn a_head_that_no_trusted_key_signed_is_not_accepted_from_outside_and_not_from_inside() {
    let team = Team::in_world(World::sqlite().await).await;
    signed(&team).await;
    let before = verified(&team.world).await;
    let checkpoint = LogHead::parse(&before.checkpoint.expect("has a head")).expect("is one");
    let other = SigningKey::from_seed(&[9; 32], "other");
    let forged =
        LogHead::sign(&other, &checkpoint.origin, checkpoint.size, checkpoint.root).expect("signs");
    let refused = verified_against(&team.world, forged.as_str()).await;
    assert!(
        refused.problems[0].contains("none of the keys given signed it"),
        "{:?}",
        refused.problems
    );

    // A text that quotes a forged head beside a real one does not spoil that.
    let both = format!("{}\nThe log:\n\n{}", forged.as_str(), checkpoint.as_str());
    assert_eq!(verified_against(&team.world, &both).await.problems, [""; 0]);

    let elsewhere = World::sqlite().await;
    append(&elsewhere, 3).await;
    let services = &elsewhere.services;
    assert!(services.sign_due_log_head().await.expect("signs"));
    let own = verified(&elsewhere).await.checkpoint.expect("has a head");
    let own_key = services.allowed_signers().await.expect("has a key");
    let check = |keys: Option<AllowedKeys>| LogCheck {
        against: vec![OutsideHead {
            source: "kept".to_owned(),
            head: found_heads(Cursor::new(&own)).expect("has one").remove(0),
        }],
        keys,
    };
    let keys = AllowedKeys::parse(&format!(
        "{own_key}\n{}",
        team.world
            .services
            .allowed_signers()
            .await
            .expect("has a key")
    ))
    .expect("are keys");
    let services = &team.world.services;
    let other_log = services
        .verify_log_against(check(Some(keys)))
        .await
        .expect("checks");
    assert!(
        other_log.problems[0].contains("one of another log"),
        "{:?}",
        other_log.problems
    );

    let check = LogCheck {
        against: Vec::new(),
        keys: Some(AllowedKeys::parse(&other.public_line()).expect("is a key")),
    };
    let untrusted = services.verify_log_against(check).await.expect("checks");
    assert!(
        untrusted
            .problems
            .iter()
            .any(|problem| problem.contains("none of the keys given")),
        "{:?}",
        untrusted.problems
    );
}

#[tokio::test]
async fn a_head_is_signed_at_most_every_ten_minutes_while_entries_come() {
    for world in World::each().await {
        let services = &world.services;
        assert!(
            !services.sign_due_log_head().await.expect("looks"),
            "nothing is there to sign"
        );
        assert_eq!(services.log_checkpoint().await.expect("reads"), None);
        append(&world, 1).await;
        assert!(services.sign_due_log_head().await.expect("signs the first"));
        append(&world, 1).await;
        world.clock.advance(HEAD_LASTS - 1);
        assert!(
            !services.sign_due_log_head().await.expect("looks"),
            "too early"
        );
        world.clock.advance(1);
        assert!(
            services
                .sign_due_log_head()
                .await
                .expect("signs the second")
        );
        world.clock.advance(60 * MINUTE);
        assert!(
            !services.sign_due_log_head().await.expect("looks"),
            "no entry came"
        );
        append(&world, 1).await;
        world.clock.advance(-120 * MINUTE);
        assert!(
            services.sign_due_log_head().await.expect("signs"),
            "the clock was set back"
        );
        let log = verified(&world).await;
        // The first entry lists the instance's first keys.
        assert_eq!((log.n_signed_heads, log.length, log.tree_size), (3, 4, 4));
        assert_eq!(log.problems, [""; 0]);
        let newest = services.log_checkpoint().await.expect("reads");
        assert_eq!(newest, log.checkpoint);
        assert!(newest.expect("is there").contains("\n4\n"));
    }
}

#[tokio::test]
async fn a_log_of_before_the_tree_gets_its_tree_in_pieces() {
    for team in Team::each().await {
        let world = &team.world;
        signed(&team).await;
        run(
            world,
            &[
                "delete from log_salt",
                "delete from log_tree_hash",
                "update log_tree set size = 0, origin = null",
                "update signed_head set checkpoint = null",
            ],
        )
        .await;
        append(world, 2_345).await;
        let without = verified(world).await;
        assert_eq!((without.problems.len(), without.checkpoint), (0, None));
        world.services.grow_log_tree().await.expect("grows");
        let grown = verified(world).await;
        assert_eq!(grown.problems, [""; 0]);
        assert_eq!(grown.tree_size, grown.length);
        assert!(world.services.sign_due_log_head().await.expect("signs"));
        let item = team.id("2.2.1").await;
        team.send_to_review(&item).await;
        team.decide(&item, "pass").await;
        let signed = verified(world).await;
        assert_eq!(signed.problems, [""; 0]);
        let kept = signed.checkpoint.expect("has a head");
        assert_eq!(verified_against(world, &kept).await.problems, [""; 0]);
    }
}

#[tokio::test]
async fn a_log_that_is_shorter_than_its_tree_is_not_signed_again() {
    for team in Team::each().await {
        signed(&team).await;
        run(
            &team.world,
            &[
                "delete from activity where sequence > 9",
                "update activity_head set sequence = 9, digest = (select digest from activity where sequence = 9)",
            ],
        )
        .await;
        append(&team.world, 1).await;
        team.world.clock.advance(HEAD_LASTS);
        let services = &team.world.services;
        run(&team.world, &["delete from signed_head"]).await;
        let refused = services.sign_due_log_head().await;
        assert!(
            matches!(refused, Err(ServiceError::Unavailable(_))),
            "{refused:?}"
        );
    }
}
