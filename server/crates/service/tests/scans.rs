//! Scans: what imports change and what they leave alone, over real files of three commits, twice, and at once.

mod common;

use common::{
    MINUTE, START, World, is_conflict, is_forbidden, rejected,
    scans::{numbers, result, sarif, shared, triage},
    team::Team,
};
use holdpoint_domain::{
    Digest, FindingStatus, Policy, ScanId, Severity,
    policy::RequiredScan,
    text::{Commit, Date, Name},
    verdict::ReasonKind,
};
use holdpoint_service::{FindingFilter, FindingSort, ReviewChange, scans::MAX_LISTED};
use holdpoint_storage::testing::TestDatabase;
use serde_json::{Value, json};

/// The numbers are new, unchanged, moved, reopened, fixed, for each of the three commits in order. Between the first two
/// the connector's folder was renamed, so that nothing below it is recognised by its path.
const THREE_COMMITS: &[(&str, [[i64; 5]; 3])] = &[
    (
        "bandit",
        [[22, 0, 0, 0, 0], [49, 0, 0, 0, 22], [0, 49, 0, 0, 0]],
    ),
    (
        "checkov",
        [[3, 0, 0, 0, 0], [6, 1, 0, 0, 2], [0, 7, 0, 0, 0]],
    ),
    ("hadolint", [[0; 5], [6, 0, 0, 0, 0], [0, 6, 0, 0, 0]]),
    ("kingfisher", [[0; 5]; 3]),
    (
        "ruff",
        [[71, 0, 0, 0, 0], [175, 0, 0, 0, 71], [0, 175, 0, 0, 0]],
    ),
    ("secretlint", [[0; 5]; 3]),
    (
        "semgrep",
        [[60, 0, 0, 0, 0], [59, 42, 0, 0, 18], [2, 96, 5, 0, 0]],
    ),
    ("zizmor", [[0; 5], [0; 5], [1, 0, 0, 0, 0]]),
];

#[tokio::test]
async fn three_commits_of_real_scans_change_exactly_these_findings() {
    let Some(scans) = shared("opensqt/scans") else {
        return;
    };
    for team in Team::each().await {
        let services = &team.world.services;
        let mut n_findings = 0;
        let mut n_fixed = 0;
        for (at, commit) in ["8b57779", "c3a3cc8", "82dd1d2"].into_iter().enumerate() {
            for (tool, expected) in THREE_COMMITS {
                let path = scans.join(commit).join(format!("{tool}.sarif"));
                let bytes = std::fs::read(path).expect("the file is there");
                team.world.clock.advance(MINUTE);
                let request = team.request(&bytes, None, Some(commit)).await;
                let preview = services
                    .import_scan(&team.owner, &team.service.id, request.clone(), true)
                    .await
                    .expect("previews");
                assert_eq!(preview.scan, None);
                let outcome = services
                    .import_previewed_scan(
                        &team.owner,
                        &team.service.id,
                        request.clone(),
                        &preview.ground,
                    )
                    .await
                    .expect("imports");
                assert_eq!(
                    numbers(&outcome),
                    expected[at],
                    "{tool} at {commit} on {}",
                    team.on()
                );
                assert_eq!(
                    numbers(&preview),
                    expected[at],
                    "preview of {tool} at {commit}"
                );
                assert!(outcome.complete && !outcome.repeated, "{tool} at {commit}");
                let again = services
                    .import_scan(&team.owner, &team.service.id, request, false)
                    .await
                    .expect("imports again");
                assert!(again.repeated, "{tool} at {commit}");
                assert_eq!(again.scan, outcome.scan);
                n_findings += expected[at][0];
                n_fixed += expected[at][4];
            }
        }
        let facets = team.facets(&FindingFilter::default()).await;
        assert_eq!(facets.n, n_findings);
        assert_eq!((n_findings, n_fixed), (454, 113));
        assert_eq!(
            facets.statuses,
            [
                (FindingStatus::Open, n_findings - n_fixed),
                (FindingStatus::Fixed, n_fixed)
            ]
        );
    }
}

#[tokio::test]
async fn numbers_follow_severity_and_place_in_whatever_order_results_come() {
    for team in Team::each().await {
        let mut results = [
            result("late", "error", 30),
            result("mild", "note", 1),
            result("twin", "warning", 9),
            result("early", "error", 7),
            result("other", "warning", 9),
        ];
        team.import(&sarif(&results)).await;
        results.reverse();
        let reversed = sarif(&results).to_string();
        let request = team.request(reversed.as_bytes(), Some("reversed"), None);
        team.world
            .services
            .import_scan(&team.owner, &team.service.id, request.await, false)
            .await
            .expect("imports");
        let rules: Vec<_> = team
            .findings()
            .await
            .into_iter()
            .filter_map(|line| line.rule)
            .collect();
        assert_eq!(rules[..2], ["early", "late"], "{rules:?}");
        assert_eq!(rules[4], "mild", "{rules:?}");
        assert_eq!(rules[..5], rules[5..]);
    }
}

#[tokio::test]
async fn a_preview_stores_nothing_and_lists_what_would_change() {
    for team in Team::each().await {
        team.import(&sarif(&[
            result("A", "error", 3),
            result("B", "note", 5),
            result("Same", "warning", 8),
        ]))
        .await;
        let before = (
            team.findings().await,
            team.n_scans().await,
            team.world.log().await.len(),
        );
        let next = [
            result("A", "error", 9),
            result("C", "warning", 7),
            result("Same", "warning", 8),
        ];
        let next = sarif(&next).to_string();
        let preview = team
            .try_import(&team.owner, next.as_bytes(), true)
            .await
            .expect("previews");
        assert_eq!(numbers(&preview), [1, 1, 1, 0, 1]);
        assert_eq!((preview.scan, preview.new.medium), (None, 1));
        let listed: Vec<_> = preview
            .listed
            .iter()
            .map(|change| (change.change.as_str(), change.number, change.line))
            .collect();
        assert_eq!(
            listed,
            [
                ("new", None, Some(7)),
                ("fixed", Some(3), Some(5)),
                ("moved", Some(1), Some(9)),
                ("unchanged", Some(2), Some(8))
            ]
        );
        assert_eq!(preview.listed[2].was_line, Some(3));
        assert_eq!(
            preview.listed[3].why,
            "same as F-2: rule, file and message are equal"
        );
        let after = (
            team.findings().await,
            team.n_scans().await,
            team.world.log().await.len(),
        );
        assert_eq!(after, before);
    }
}

#[tokio::test]
async fn a_preview_lists_the_worst_of_many_unchanged_findings_with_why() {
    for team in Team::each().await {
        let first = large(700, 0);
        team.import(&first).await;
        let mut again = first;
        again["runs"][0]["tool"]["driver"]["version"] = json!("1.3");
        let bytes = again.to_string();
        let preview = team.try_import(&team.owner, bytes.as_bytes(), true).await;
        let preview = preview.expect("previews");
        assert_eq!(numbers(&preview), [0, 700, 0, 0, 0]);
        assert_eq!(preview.listed.len(), MAX_LISTED, "{}", team.on());
        for change in &preview.listed {
            let number = change.number.expect("is known");
            assert_eq!(
                (change.change.as_str(), change.severity),
                ("unchanged", Severity::High)
            );
            assert_eq!(
                change.why,
                format!("same as F-{number}: rule, file and snippet are equal")
            );
        }
        // What is stored is what changed, and nothing did.
        let done = team.import(&again).await;
        let services = &team.world.services;
        let changes = services
            .changes_of_scan(&team.viewer, &done.scan.expect("a scan"), 10)
            .await
            .expect("reads");
        assert!(changes.is_empty(), "{changes:?}");
    }
}

#[tokio::test]
async fn a_preview_whose_ground_has_moved_is_not_committed() {
    for team in Team::each().await {
        let services = &team.world.services;
        team.import(&sarif(&[result("A", "error", 3)])).await;
        let next = sarif(&[]).to_string();
        let preview = team
            .try_import(&team.owner, next.as_bytes(), true)
            .await
            .expect("previews");
        let id = team.findings().await[0].id.clone();
        team.triage(&team.owner, &id, triage("false_positive"))
            .await;
        let request = team.request(next.as_bytes(), None, None).await;
        let late = services
            .import_previewed_scan(
                &team.owner,
                &team.service.id,
                request.clone(),
                &preview.ground,
            )
            .await;
        assert!(is_conflict(&late), "{late:?}");
        assert_eq!(team.n_scans().await, 1);
        let again = services
            .import_scan(&team.owner, &team.service.id, request.clone(), true)
            .await
            .expect("previews");
        let done = services
            .import_previewed_scan(&team.owner, &team.service.id, request, &again.ground)
            .await
            .expect("imports");
        assert_eq!(numbers(&done), [0; 5]);
        assert_eq!(
            team.statuses().await,
            [("A".to_owned(), FindingStatus::FalsePositive)]
        );
    }
}

#[tokio::test]
async fn the_same_file_from_two_tasks_at_once_is_one_scan() {
    for team in Team::each().await {
        let file = sarif(&[result("A", "error", 3), result("B", "error", 4)]).to_string();
        let one = team.try_import(&team.owner, file.as_bytes(), false);
        let other = team.try_import(&team.reviewer, file.as_bytes(), false);
        let (one, other) = tokio::join!(one, other);
        let outcomes = [one.expect("imports"), other.expect("imports")];
        assert_eq!(
            outcomes.iter().filter(|outcome| outcome.repeated).count(),
            1
        );
        assert_eq!(outcomes[0].scan, outcomes[1].scan);
        assert_eq!(team.n_scans().await, 1);
        assert_eq!(team.findings().await.len(), 2);
        let n_imports = |log: Vec<(String, String)>| {
            log.into_iter()
                .filter(|(action, _)| action == "scan.imported")
                .count()
        };
        assert_eq!(n_imports(team.world.log().await), 1);
    }
}

#[tokio::test]
async fn the_same_bytes_for_another_commit_are_another_scan_of_it() {
    for team in Team::each().await {
        let services = &team.world.services;
        let clean = sarif(&[]).to_string();
        for (commit, repeated) in [("8b57779", false), ("82dd1d2", false), ("82dd1d2", true)] {
            team.world.clock.advance(MINUTE);
            let request = team.request(clean.as_bytes(), None, Some(commit)).await;
            let outcome = services
                .import_scan(&team.owner, &team.service.id, request, false)
                .await
                .expect("imports");
            assert_eq!(outcome.repeated, repeated, "{commit}");
            assert_eq!(outcome.commit.as_deref(), Some(commit));
        }
        assert_eq!(team.n_scans().await, 2);
    }
}

/// Steps of the manifest whose expectation is another product's and not ours: which, the file, and why ours differs.
const OTHERWISE: &[(usize, &str, [i64; 4], &str)] = &[
    (
        4,
        "zap/3_zap_sampl_0_and_different_severities.xml",
        [0, 0, 0, 4],
        "severity is no part of identity: the manifest calls that at least as good",
    ),
    (
        7,
        "zap/2_zap_sample_0_and_new_endpoint.xml",
        [1, 1, 0, 3],
        "there is no option to leave findings open that a complete scan no longer has",
    ),
];

#[tokio::test]
async fn files_of_the_corpus_imported_one_after_the_other_change_what_its_manifest_says() {
    let Some(corpus) = shared("corpus") else {
        return;
    };
    let manifest = std::fs::read(corpus.join("manifest.json")).expect("the manifest");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    let stories = manifest["reimport"].as_array().expect("a list");
    assert!(stories.len() >= 9, "{}", stories.len());
    for (n, story) in stories.iter().enumerate() {
        for team in Team::each().await {
            for step in story["steps"].as_array().expect("steps") {
                let file = step["file"].as_str().expect("a file");
                let bytes = std::fs::read(corpus.join(file)).expect("the file is there");
                team.world.clock.advance(MINUTE);
                let outcome = team
                    .try_import(&team.owner, &bytes, false)
                    .await
                    .expect("imports");
                let [new, unchanged, moved, reopened, fixed] = numbers(&outcome);
                let is = [new, fixed, reopened, unchanged + moved];
                let on = format!("story {n}, {file}, {}", team.on());
                let other = OTHERWISE
                    .iter()
                    .find(|(story, of, ..)| (*story, *of) == (n, file));
                if let Some((.., wanted, why)) = other {
                    assert_eq!(is, *wanted, "{on}: {why}");
                    continue;
                }
                let names = ["created", "closed", "reactivated", "untouched"];
                for (name, is) in names.into_iter().zip(is) {
                    let wanted = step["expect"][name].as_i64();
                    assert!(wanted.is_none_or(|n| n == is), "{on}: {name} is {is}");
                }
            }
        }
    }
}

#[tokio::test]
async fn bytes_that_others_came_after_are_a_scan_like_any_other() {
    for team in Team::each().await {
        let both = sarif(&[result("A", "error", 3), result("B", "error", 4)]);
        let one = sarif(&[result("A", "error", 3)]);
        let first = team.import(&both).await;
        assert_eq!(numbers(&team.import(&one).await), [0, 1, 0, 0, 1]);
        // Back to what was there first: what had been fixed is open again, as the preview says before.
        team.world.clock.advance(MINUTE);
        let bytes = both.to_string();
        let preview = team.try_import(&team.owner, bytes.as_bytes(), true).await;
        let preview = preview.expect("previews");
        assert_eq!(
            (preview.repeated, numbers(&preview)),
            (false, [0, 1, 0, 1, 0])
        );
        let back = team.import(&both).await;
        assert_eq!((back.repeated, numbers(&back)), (false, [0, 1, 0, 1, 0]));
        assert_ne!(back.scan, first.scan);
        let is_open = |(_, status): &(String, FindingStatus)| *status == FindingStatus::Open;
        assert!(team.statuses().await.iter().all(is_open), "{}", team.on());
        // It is the newest scan now: again it changes nothing, from two at once either.
        let again =
            [&team.owner, &team.reviewer].map(|who| team.try_import(who, bytes.as_bytes(), false));
        for outcome in futures_join(again.into_iter()).await {
            let outcome = outcome.expect("imports");
            assert_eq!((outcome.repeated, &outcome.scan), (true, &back.scan));
        }
        assert_eq!(team.n_scans().await, 3);
        // Taken back, the scan before is the newest, and the same bytes are another scan once more.
        let services = &team.world.services;
        let id = back.scan.expect("a scan");
        services.undo_scan(&team.owner, &id).await.expect("undoes");
        assert!(team.import(&one).await.repeated);
        let once_more = team.import(&both).await;
        assert_eq!(
            (once_more.repeated, numbers(&once_more)),
            (false, [0, 1, 0, 1, 0])
        );
        assert_eq!(team.n_scans().await, 4);
    }
}

#[tokio::test]
async fn bytes_that_come_back_twice_at_once_are_one_scan() {
    for team in Team::each().await {
        let both = sarif(&[result("A", "error", 3), result("B", "error", 4)]);
        team.import(&both).await;
        team.import(&sarif(&[result("A", "error", 3)])).await;
        let bytes = both.to_string();
        let at_once = [&team.owner, &team.reviewer, &team.manager]
            .map(|who| team.try_import(who, bytes.as_bytes(), false));
        let mut outcomes = Vec::new();
        for outcome in futures_join(at_once.into_iter()).await {
            outcomes.push(outcome.expect("imports"));
        }
        let n_repeated = outcomes.iter().filter(|outcome| outcome.repeated).count();
        assert_eq!((n_repeated, team.n_scans().await), (2, 3), "{}", team.on());
        assert!(outcomes.iter().all(|one| one.scan == outcomes[0].scan));
    }
}

#[tokio::test]
async fn different_files_of_one_series_at_once_make_no_duplicates() {
    for team in Team::each().await {
        let files: Vec<_> = (0..6_u32)
            .map(|at| {
                let mut results: Vec<_> = (1..=20)
                    .map(|line| result(&format!("R{line}"), "error", line))
                    .collect();
                // Each file has one result of its own.
                results.push(result(&format!("Own{at}"), "error", 100 + at));
                sarif(&results).to_string()
            })
            .collect();
        let tasks = files
            .iter()
            .map(|file| team.try_import(&team.owner, file.as_bytes(), false));
        for outcome in futures_join(tasks).await {
            assert!(!outcome.expect("imports").repeated);
        }
        let statuses = team.statuses().await;
        assert_eq!(statuses.len(), 26, "on {}", team.on());
        let mut rules: Vec<_> = statuses.iter().map(|(rule, _)| rule.clone()).collect();
        rules.sort();
        rules.dedup();
        assert_eq!(rules.len(), 26);
        let n_open = statuses
            .iter()
            .filter(|(_, status)| *status == FindingStatus::Open)
            .count();
        assert_eq!(n_open, 21, "those of all files, and the last file's own");
        let mut numbers: Vec<_> = team
            .findings()
            .await
            .iter()
            .map(|line| line.number)
            .collect();
        numbers.dedup();
        assert_eq!(numbers, (1..=26).collect::<Vec<_>>());
        let scans = team
            .world
            .services
            .scans_of(&team.viewer, &team.service.id, None, 10)
            .await
            .expect("lists");
        let mut positions: Vec<_> = scans.iter().map(|scan| scan.sequence).collect();
        positions.sort_unstable();
        assert_eq!(positions, [1, 2, 3, 4, 5, 6]);
    }
}

/// Waits for all of them, running at once.
async fn futures_join<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    use std::{pin::pin, task::Poll};

    let mut running: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    let all = std::future::poll_fn(move |context| {
        let mut is_done = true;
        for (future, output) in &mut running {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(value) => *output = Some(value),
                    Poll::Pending => is_done = false,
                }
            }
        }
        if is_done {
            let outputs = running
                .iter_mut()
                .map(|(_, output)| output.take().expect("done"));
            Poll::Ready(outputs.collect())
        } else {
            Poll::Pending
        }
    });
    pin!(all).await
}

#[tokio::test]
async fn an_incomplete_scan_fixes_nothing_and_says_why() {
    for team in Team::each().await {
        team.import(&sarif(&[result("A", "error", 3), result("B", "error", 4)]))
            .await;
        let mut cut = sarif(&[result("A", "error", 3)]);
        cut["runs"][0]["invocations"][0]["executionSuccessful"] = json!(false);
        let outcome = team.import(&cut).await;
        assert_eq!(numbers(&outcome), [0, 1, 0, 0, 0]);
        assert!(!outcome.complete);
        assert!(
            outcome
                .incomplete_because
                .is_some_and(|why| !why.is_empty())
        );
        assert!(
            team.statuses()
                .await
                .iter()
                .all(|(_, status)| *status == FindingStatus::Open)
        );
        let outcome = team.import(&sarif(&[result("A", "error", 3)])).await;
        assert_eq!(numbers(&outcome), [0, 1, 0, 0, 1], "the same, complete");
    }
}

#[tokio::test]
async fn what_people_decided_survives_every_import() {
    for team in Team::each().await {
        let all = [
            result("Open", "error", 1),
            result("False", "error", 2),
            result("Accepted", "error", 3),
            result("Duplicate", "error", 4),
        ];
        team.import(&sarif(&all)).await;
        let ids: Vec<_> = team
            .findings()
            .await
            .into_iter()
            .map(|line| line.id)
            .collect();
        team.triage(&team.owner, &ids[1], triage("false_positive"))
            .await;
        team.triage(&team.owner, &ids[2], triage("ask_acceptance"))
            .await;
        team.triage(&team.manager, &ids[2], triage("approve_acceptance"))
            .await;
        team.triage(&team.owner, &ids[3], triage("duplicate")).await;
        let decided = team.statuses().await;
        let expected = [
            FindingStatus::Open,
            FindingStatus::FalsePositive,
            FindingStatus::RiskAccepted,
            FindingStatus::Duplicate,
        ];
        assert!(decided.iter().map(|(_, status)| *status).eq(expected));
        // Moved by ten lines; then gone; then back.
        let moved: Vec<_> = all
            .iter()
            .zip(11..)
            .map(|(one, line)| result(one["ruleId"].as_str().expect("a rule"), "error", line))
            .collect();
        assert_eq!(numbers(&team.import(&sarif(&moved)).await), [0, 0, 4, 0, 0]);
        assert_eq!(team.statuses().await, decided);
        assert_eq!(numbers(&team.import(&sarif(&[])).await), [0, 0, 0, 0, 1]);
        let gone = team.statuses().await;
        assert_eq!(gone[0].1, FindingStatus::Fixed);
        assert_eq!(gone[1..], decided[1..]);
        // The commit that had fixed it is taken back: the scanner writes the very bytes of the first scan.
        team.world.clock.advance(MINUTE);
        let same = team
            .request(sarif(&all).to_string().as_bytes(), None, Some("abcdef1"))
            .await;
        let services = &team.world.services;
        let outcome = services
            .import_scan(&team.owner, &team.service.id, same, false)
            .await
            .expect("imports");
        assert_eq!((outcome.repeated, outcome.changes.reopened), (false, 1));
        assert_eq!(team.statuses().await, decided);
        let view = team
            .world
            .services
            .finding(&team.viewer, &ids[0])
            .await
            .expect("reads");
        let outcomes: Vec<_> = view
            .history
            .entries
            .iter()
            .map(|seen| seen.outcome.as_str())
            .collect();
        assert_eq!(outcomes, ["reopened", "fixed", "moved"]);
        assert!(view.history.entries.iter().all(|seen| !seen.why.is_empty()));
        assert_eq!(
            view.finding.status_by, None,
            "a scan decides in nobody's name"
        );
    }
}

#[tokio::test]
async fn a_build_in_another_folder_changes_no_finding_but_its_path() {
    let in_folder = |folder: &str, files: &[&str]| {
        let results = files.iter().map(|file| {
            let mut one = result("Rule", "error", 7);
            let place = &mut one["locations"][0]["physicalLocation"];
            place["artifactLocation"]["uri"] = json!(format!("{folder}{file}"));
            one
        });
        sarif(&results.collect::<Vec<_>>())
    };
    let files = ["src/a.go", "src/b.go", "lib/deep/c.go"];
    for team in Team::each().await {
        team.import(&in_folder("/vagrant/go/app/", &files)).await;
        let findings = team.findings().await;
        assert_eq!(findings.len(), 3);
        team.triage(&team.owner, &findings[1].id, triage("false_positive"))
            .await;
        team.triage(&team.owner, &findings[2].id, triage("ask_acceptance"))
            .await;
        team.triage(&team.manager, &findings[2].id, triage("approve_acceptance"))
            .await;
        let decided = team.statuses().await;
        // The next build has one file less, one more, and another folder; then none of its own at all.
        let now = [files[0], files[1], "src/new.go"];
        let outcome = team.import(&in_folder("/builds/17/app/", &now)).await;
        assert_eq!(numbers(&outcome), [1, 0, 2, 0, 1]);
        let outcome = team.import(&in_folder("", &now)).await;
        assert_eq!(numbers(&outcome), [0, 0, 3, 0, 0]);
        let outcome = team.import(&in_folder("", &now)).await;
        assert!(outcome.repeated);
        let paths: Vec<_> = team
            .findings()
            .await
            .into_iter()
            .filter(|line| line.status != FindingStatus::Fixed)
            .filter_map(|line| line.path)
            .collect();
        assert_eq!(paths.len(), 3);
        assert!(
            paths.iter().all(|path| now.contains(&path.as_str())),
            "{paths:?}"
        );
        assert_eq!(team.statuses().await[1..3], decided[1..3]);
        let accepted = team.findings().await.swap_remove(2);
        assert_ne!(
            accepted.holds_until,
            Some(0),
            "its folder's name is not what was accepted"
        );
        // What moves with its folder says so.
        let findings = team.findings().await;
        let moved = findings
            .iter()
            .find(|line| line.path.as_deref() == Some(files[0]));
        let moved = moved.expect("it is in the list");
        let page = team
            .world
            .services
            .finding(&team.owner, &moved.id)
            .await
            .expect("a finding");
        let why = page
            .history
            .entries
            .iter()
            .map(|seen| seen.why.as_str())
            .collect::<Vec<_>>()
            .join(" ");
        assert!(why.contains("the name of the folder"), "{why}");
    }
}

#[tokio::test]
async fn an_accepted_risk_lapses_by_itself_and_counts_as_open_then() {
    for team in Team::each().await {
        team.import(&sarif(&[result("A", "error", 1)])).await;
        let id = team.findings().await[0].id.clone();
        team.triage(&team.owner, &id, triage("ask_acceptance"))
            .await;
        team.triage(&team.manager, &id, triage("approve_acceptance"))
            .await;
        let n_open = || async {
            let open = FindingFilter {
                statuses: vec![FindingStatus::Open],
                ..FindingFilter::default()
            };
            team.facets(&open).await.n
        };
        assert_eq!(n_open().await, 0);
        let end = Date::parse("2026-03-01").expect("a date").end();
        team.world.clock.advance(end - START + MINUTE);
        assert_eq!(n_open().await, 1);
    }
}

#[tokio::test]
async fn what_two_decided_of_a_finding_is_open_again_once_its_scanner_rates_it_anew() {
    for team in Team::each().await {
        team.import(&sarif(&[result("A", "error", 1)])).await;
        let line = team.findings().await.remove(0);
        assert_eq!(line.severity, Severity::High);
        team.triage(&team.owner, &line.id, triage("false_positive"))
            .await;
        team.import(&sarif(&[result("A", "note", 1)])).await;
        let line = team.findings().await.remove(0);
        assert_eq!(
            (line.severity, line.status),
            (Severity::Info, FindingStatus::Open)
        );
        let outcome = team.import(&sarif(&[result("A", "error", 1)])).await;
        assert_eq!(numbers(&outcome), [0, 1, 0, 0, 0]);
        let line = team.findings().await.remove(0);
        assert_eq!(
            (line.severity, line.status),
            (Severity::High, FindingStatus::Open)
        );
    }
}

#[tokio::test]
async fn series_do_not_fix_each_others_findings() {
    for team in Team::each().await {
        let services = &team.world.services;
        team.import(&sarif(&[result("A", "error", 1)])).await;
        let request = team
            .request(
                sarif(&[result("B", "error", 2)]).to_string().as_bytes(),
                Some("backend"),
                None,
            )
            .await;
        let outcome = services
            .import_scan(&team.owner, &team.service.id, request, false)
            .await
            .expect("imports");
        assert_eq!(numbers(&outcome), [1, 0, 0, 0, 0]);
        assert!(
            team.statuses()
                .await
                .iter()
                .all(|(_, status)| *status == FindingStatus::Open)
        );
    }
}

#[tokio::test]
async fn a_refused_file_leaves_nothing() {
    for team in Team::each().await {
        let n_log = team.world.log().await.len();
        let whole = sarif(&[result("A", "error", 1)]).to_string();
        let cut = &whole[..whole.len() / 2];
        for (bytes, says) in [
            (
                "<!doctype html><html><title>Sign in</title></html>",
                "web page",
            ),
            ("", "empty"),
            ("{\"a\":1}", "No known scanner format"),
            (cut, "not a valid"),
            ("{\"version\":\"1.0.0\",\"runs\":[]}", ""),
        ] {
            let (field, message) =
                rejected(team.try_import(&team.owner, bytes.as_bytes(), false).await);
            assert_eq!(field, "file");
            assert!(message.contains(says), "{bytes:?}: {message}");
        }
        assert_eq!(team.n_scans().await, 0);
        assert!(team.findings().await.is_empty());
        assert_eq!(team.world.log().await.len(), n_log);
        let mut tx = team.world.on.database.read().await.expect("reads");
        assert!(
            tx.changes_of_scan(&ScanId::parse("none").expect("an id"), 10)
                .await
                .expect("reads")
                .is_empty()
        );
    }
}

#[tokio::test]
async fn only_those_who_work_on_the_service_import() {
    for team in Team::each().await {
        let file = sarif(&[]).to_string();
        for preview in [true, false] {
            assert!(is_forbidden(
                &team
                    .try_import(&team.viewer, file.as_bytes(), preview)
                    .await
            ));
            let stranger = team
                .try_import(&team.stranger, file.as_bytes(), preview)
                .await;
            assert!(common::is_not_found(&stranger), "{stranger:?}");
        }
        assert!(
            team.try_import(&team.owner, file.as_bytes(), false)
                .await
                .is_ok()
        );
        let scan = team
            .world
            .services
            .scans_of(&team.viewer, &team.service.id, None, 1)
            .await
            .expect("lists")
            .remove(0);
        let kept = team
            .world
            .services
            .scan_file(&team.viewer, &scan.id)
            .await
            .expect("is kept");
        assert_eq!(kept.file_sha256, Digest::of(file.as_bytes()));
        assert!(common::is_not_found(
            &team.world.services.scan(&team.stranger, &scan.id).await
        ));
    }
}

/// As large as people meet: each with a snippet of its own, 200 rules, 1,000 files.
fn large(n: usize, moved_by: usize) -> Value {
    let results: Vec<_> = (0..n)
        .map(|at| {
            let level = ["error", "warning", "note"][at % 3];
            json!({
                "ruleId": format!("rule-{}", at % 200),
                "level": level,
                "message": { "text": format!("Call {at} of a function that is not safe") },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": format!("src/part{}/file{}.go", at % 10, at % 1_000) },
                    "region": { "startLine": at / 1_000 * 10 + 1 + moved_by, "snippet": { "text": format!("unsafe_call({at})") } }
                }}]
            })
        })
        .collect();
    sarif(&results)
}

#[tokio::test]
async fn ten_thousand_findings_are_imported_moved_and_fixed() {
    for team in Team::each().await {
        assert_eq!(
            numbers(&team.import(&large(10_000, 0)).await),
            [10_000, 0, 0, 0, 0]
        );
        assert_eq!(
            numbers(&team.import(&large(10_000, 3)).await),
            [0, 0, 10_000, 0, 0]
        );
        assert_eq!(
            numbers(&team.import(&large(9_000, 3)).await),
            [0, 9_000, 0, 0, 1_000]
        );
        let open = FindingFilter {
            statuses: vec![FindingStatus::Open],
            ..FindingFilter::default()
        };
        for (_, word) in FindingSort::ALL {
            let sort = FindingSort::parse(word).expect("a word of its own");
            // Every page forwards, then every page backwards: each finding once, in one order.
            let (mut forwards, mut backwards) = (Vec::new(), Vec::new());
            let mut from = None;
            loop {
                let page = team.page(&open, sort, from.as_ref()).await;
                forwards.push(page.lines);
                match page.next {
                    Some(next) => from = Some(next),
                    None => break,
                }
            }
            let mut from = team.page(&open, sort, from.as_ref()).await.previous;
            backwards.push(forwards.last().cloned().expect("a last page"));
            while let Some(before) = from {
                let page = team.page(&open, sort, Some(&before)).await;
                backwards.push(page.lines);
                from = page.previous;
            }
            backwards.reverse();
            assert_eq!(forwards.len(), 18, "{word}");
            assert_eq!(forwards, backwards, "{word}");
            let mut numbers: Vec<_> = forwards.iter().flatten().map(|line| line.number).collect();
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!(numbers.len(), 9_000, "{word}");
        }
        let facets = team.facets(&open).await;
        assert_eq!(facets.n, 9_000);
        assert_eq!(
            facets.statuses,
            [(FindingStatus::Open, 9_000), (FindingStatus::Fixed, 1_000)]
        );
    }
}

#[tokio::test]
async fn each_facet_counts_under_the_others_and_not_under_itself() {
    for team in Team::each().await {
        team.import(&sarif(&[
            result("A", "error", 1),
            result("B", "error", 2),
            result("C", "note", 3),
        ]))
        .await;
        let ids: Vec<_> = team
            .findings()
            .await
            .into_iter()
            .map(|line| line.id)
            .collect();
        team.triage(&team.owner, &ids[0], triage("false_positive"))
            .await;
        let item = team.id("2.5.1").await;
        let services = &team.world.services;
        services
            .map_finding(&team.owner, &ids[1], &item, true)
            .await
            .expect("maps");
        let filter = FindingFilter {
            severities: vec![Severity::High],
            statuses: vec![FindingStatus::Open],
            ..FindingFilter::default()
        };
        let facets = team.facets(&filter).await;
        assert_eq!(facets.n, 1);
        assert_eq!((facets.severities.high, facets.severities.info), (1, 1));
        assert_eq!(
            facets.statuses,
            [(FindingStatus::Open, 1), (FindingStatus::FalsePositive, 1)]
        );
        assert_eq!(facets.tools, [("gocheck".to_owned(), 1)]);
        assert_eq!(facets.mapped, (1, 0));
        let unmapped = FindingFilter {
            unmapped: true,
            ..filter
        };
        let facets = team.facets(&unmapped).await;
        assert_eq!((facets.n, facets.mapped), (0, (1, 0)));
        for hostile in ["%", "_", "'; drop table finding; --", "\\"] {
            let filter = FindingFilter {
                text: Some(hostile.to_owned()),
                ..FindingFilter::default()
            };
            let page = services
                .findings_of_review(
                    &team.viewer,
                    &team.review.id,
                    &filter,
                    FindingSort::Title,
                    10,
                    None,
                )
                .await
                .expect("searches");
            assert_eq!(page.lines.len(), 0, "{hostile} is no wildcard");
        }
    }
}

#[tokio::test]
async fn two_nodes_on_one_postgresql_import_one_series_without_duplicates() {
    let Some(on) = TestDatabase::postgres().await else {
        return;
    };
    let team = Team::in_world(World::on(on).await).await;
    // A second pool is what a second node has.
    let second = holdpoint_storage::Database::open(&team.world.on.url)
        .await
        .expect("opens");
    let second = holdpoint_service::Services::new(
        second,
        team.world.services.files().clone(),
        team.world.services.keys().clone(),
        team.world.clock.clone(),
        holdpoint_service::Ids::seeded(8),
        team.world.services.limits(),
    );
    let file = large(500, 0).to_string();
    let request = team.request(file.as_bytes(), None, None).await;
    let here =
        team.world
            .services
            .import_scan(&team.owner, &team.service.id, request.clone(), false);
    let there = second.import_scan(&team.reviewer, &team.service.id, request, false);
    let (here, there) = tokio::join!(here, there);
    let (here, there) = (here.expect("imports"), there.expect("imports"));
    assert!(here.repeated ^ there.repeated);
    assert_eq!(here.scan, there.scan);
    assert_eq!(team.findings().await.len(), 500);
}

/// A report that names the revisions it was made of.
fn of_revisions(revisions: &[Value]) -> Value {
    let mut file = sarif(&[]);
    file["runs"][0]["versionControlProvenance"] = json!(revisions);
    file
}

#[tokio::test]
async fn a_file_that_names_another_commit_than_it_is_sent_for_is_refused() {
    for team in Team::each().await {
        let services = &team.world.services;
        let file = of_revisions(&[json!({
            "repositoryUri": "https://git.example.org/mm",
            "revisionId": "8b57779f0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f"
        })])
        .to_string();
        for preview in [true, false] {
            let request = team.request(file.as_bytes(), None, Some("c41f0e2")).await;
            let refused = services.import_scan(&team.owner, &team.service.id, request, preview);
            let (field, message) = rejected(refused.await);
            assert_eq!(field, "commit");
            assert!(
                message.contains("8b57779f") && message.contains("c41f0e2"),
                "{message}"
            );
        }
        assert_eq!(team.n_scans().await, 0);
        // The same commit in another spelling is no contradiction, nor is saying nothing.
        for said in [Some("8b57779"), None] {
            let request = team.request(file.as_bytes(), Some("twice"), said).await;
            let outcome = services
                .import_scan(&team.owner, &team.service.id, request, false)
                .await
                .expect("imports");
            assert!(outcome.complete, "{outcome:?}");
            assert!(
                outcome
                    .commit
                    .is_some_and(|commit| commit.starts_with("8b57779"))
            );
        }
    }
}

#[tokio::test]
async fn a_file_of_several_or_of_strange_revisions_shows_nothing() {
    let team = Team::in_world(World::sqlite().await).await;
    let revision = |id: &str, of: &str| json!({ "repositoryUri": of, "revisionId": id });
    let (main, sub) = ("https://git.example.org/mm", "https://git.example.org/sub");
    for (revisions, said, complete) in [
        (
            vec![revision("8b57779", main), revision("82dd1d2", main)],
            None,
            false,
        ),
        (vec![revision("trunk", main)], Some("8b57779"), false),
        (vec![revision("trunk", main)], None, true),
        // A submodule has its own.
        (
            vec![revision("8b57779", main), revision("82dd1d2", sub)],
            Some("8b57779"),
            true,
        ),
    ] {
        let file = of_revisions(&revisions).to_string();
        let request = team.request(file.as_bytes(), None, said).await;
        let outcome = team
            .world
            .services
            .import_scan(&team.owner, &team.service.id, request, true)
            .await
            .expect("previews");
        assert_eq!(
            outcome.complete, complete,
            "{revisions:?} {said:?}: {outcome:?}"
        );
        assert_eq!(outcome.incomplete_because.is_some(), !complete);
        assert_eq!(
            outcome.problems.is_empty(),
            complete,
            "{:?}",
            outcome.problems
        );
    }
}

#[tokio::test]
async fn an_empty_file_under_the_label_that_is_asked_for_is_no_required_scan() {
    for team in Team::each().await {
        let services = &team.world.services;
        let version = services
            .review(&team.manager, &team.review.id)
            .await
            .expect("reads")
            .review
            .version;
        let change = ReviewChange {
            version,
            title: Name::parse("Phase 22").expect("a name"),
            release: Name::parse("v1.0.0").expect("a name"),
            commit: Some(Commit::parse("c41f0e2").expect("a commit")),
            due_on: None,
            policy: Policy {
                required_scans: vec![
                    RequiredScan::parse("gitleaks").expect("a scan"),
                    RequiredScan::parse("gocheck: backend").expect("a scan"),
                ],
                ..Policy::default()
            },
        };
        services
            .update_review(&team.manager, &team.review.id, change)
            .await
            .expect("changes the policy");
        let missing = async || {
            let standing = services
                .review_standing(&team.viewer, &team.review.id)
                .await
                .expect("stands");
            let reasons = standing.verdict.reasons.into_iter();
            let missing = reasons.filter(|reason| reason.kind == ReasonKind::ScanMissing);
            missing.map(|reason| reason.title).collect::<Vec<_>>()
        };
        let file = sarif(&[]).to_string();
        for (label, still_missing) in [
            (Some("gitleaks"), &["gitleaks", "gocheck: backend"][..]),
            (None, &["gitleaks", "gocheck: backend"]),
            (Some("Backend"), &["gitleaks", "gocheck: backend"]),
            (Some("backend"), &["gitleaks"]),
        ] {
            let request = team.request(file.as_bytes(), label, Some("c41f0e2")).await;
            services
                .import_scan(&team.owner, &team.service.id, request, false)
                .await
                .expect("imports");
            assert_eq!(missing().await, still_missing, "{label:?} on {}", team.on());
        }
    }
}
