//! Taking imports back: everything is as it was, or nothing happens and it is said why.

mod common;

use common::{
    MINUTE, rejected,
    scans::{numbers, result, sarif, triage},
    team::{Team, name},
};
use holdpoint_domain::{FindingId, FindingStatus, ScanId, TriageBatchId, text::Prose};
use holdpoint_service::{
    Clock as _, CommentOn, FindingFilter, ServiceError,
    findings::{FindingFields, FindingRequest, FindingView, Triage, TriageFields},
    patches::{PatchLink, PatchRequest},
    scans::ImportOutcome,
    triage::{Bulk, Chosen},
};
use holdpoint_storage::imports::UNDOABLE_SCANS;
use serde_json::Value;

impl Team {
    /// Everything that there is to see of every finding, but how often it was written.
    async fn snapshot(&self) -> Vec<FindingView> {
        let mut views = Vec::new();
        for line in self.findings().await {
            let services = &self.world.services;
            let mut view = services
                .finding(&self.viewer, &line.id)
                .await
                .expect("reads");
            view.finding.version = 0;
            views.push(view);
        }
        views
    }

    async fn undo(&self, outcome: &ImportOutcome) -> (u64, u64) {
        let undone = self
            .world
            .services
            .undo_scan(&self.owner, scan_of(outcome))
            .await
            .expect("undoes");
        (undone.put_back, undone.removed)
    }

    /// Why the import stays; the page is told the same as who tries it.
    async fn refusal(&self, outcome: &ImportOutcome) -> String {
        let services = &self.world.services;
        let before = (self.snapshot().await, self.world.log().await.len());
        let refused = services.undo_scan(&self.owner, scan_of(outcome)).await;
        let why = services
            .why_scan_stays(&self.viewer, scan_of(outcome))
            .await
            .expect("reads")
            .expect("stays");
        assert_eq!(rejected(refused), ("", why.clone()));
        let after = (self.snapshot().await, self.world.log().await.len());
        assert!(after == before, "a refusal changes nothing");
        why
    }
}

fn by_tool(tool: &str, mut scan: Value) -> Value {
    scan["runs"][0]["tool"]["driver"]["name"] = tool.into();
    scan
}

fn duplicate_of(number: i64) -> Triage {
    Triage::parse(&TriageFields {
        action: "duplicate".to_owned(),
        duplicate_of: format!("F-{number}"),
        ..TriageFields::default()
    })
    .expect("a triage")
}

impl Team {
    async fn numbered(&self, number: i64) -> FindingId {
        let lines = self.findings().await;
        let line = lines.into_iter().find(|line| line.number == number);
        line.expect("is there").id
    }

    /// Decides about all findings that are there.
    async fn decide_on_all(&self, bulk: Bulk) -> TriageBatchId {
        self.world.clock.advance(MINUTE);
        let n = i64::try_from(self.findings().await.len()).expect("few");
        let filter = Box::new(FindingFilter::default());
        let chosen = Chosen::Matching { filter, n };
        let services = &self.world.services;
        services
            .triage_findings(&self.owner, &self.review.id, chosen, bulk)
            .await
            .expect("decides")
            .batch
            .expect("something was done")
    }

    async fn take_back(&self, batch: &TriageBatchId) {
        self.world.clock.advance(MINUTE);
        let services = &self.world.services;
        services
            .undo_triage(&self.owner, batch)
            .await
            .expect("takes back");
    }
}

fn prose(text: &str) -> Prose {
    Prose::parse(text).expect("a text")
}

fn scan_of(outcome: &ImportOutcome) -> &ScanId {
    outcome.scan.as_ref().expect("a scan was stored")
}

fn with_severity(rule: &str, level: &str, line: u32, says: &str) -> Value {
    let mut result = result(rule, level, line);
    result["properties"] = serde_json::json!({ "cve": says });
    result
}

#[tokio::test]
async fn whatever_an_import_did_is_taken_back_wholly_and_can_be_done_again() {
    let scans = [
        sarif(&[
            result("A", "error", 3),
            result("B", "note", 5),
            result("B", "note", 9),
        ]),
        // Moved, gone, new.
        sarif(&[
            result("A", "error", 13),
            result("B", "note", 5),
            result("C", "warning", 1),
        ]),
        // Rated anew, reopened, gone.
        sarif(&[
            with_severity("A", "note", 13, "CVE-2024-0001"),
            result("B", "note", 5),
            result("B", "note", 9),
        ]),
        sarif(&[]),
        sarif(&[
            result("A", "error", 3),
            result("B", "note", 5),
            result("B", "note", 9),
            result("C", "warning", 1),
        ]),
    ];
    for team in Team::each().await {
        let services = &team.world.services;
        let mut done = Vec::new();
        for (n, scan) in scans.iter().enumerate() {
            let before = team.snapshot().await;
            let outcome = team.import(scan).await;
            let there = team.snapshot().await;
            assert_ne!(there, before, "scan {n} changes something");
            let why = services
                .why_scan_stays(&team.viewer, scan_of(&outcome))
                .await;
            assert_eq!(why.expect("reads"), None);
            let (put_back, removed) = team.undo(&outcome).await;
            let [new, ..] = numbers(&outcome).map(|n| u64::try_from(n).expect("a count"));
            assert_eq!(removed, new, "scan {n}");
            assert!(put_back + removed > 0);
            assert_eq!(team.snapshot().await, before, "scan {n} on {}", team.on());
            // The same file is not taken for one that is in.
            let again = team.import(scan).await;
            assert!(!again.repeated, "scan {n}");
            assert_eq!(numbers(&again), numbers(&outcome), "scan {n}");
            done.push((before, again));
        }
        // One after the other, from the newest on, down to nothing.
        for (n, (before, outcome)) in done.iter().enumerate().rev() {
            team.undo(outcome).await;
            assert_eq!(&team.snapshot().await, before, "scan {n} on {}", team.on());
        }
        assert!(team.findings().await.is_empty());
        let scan = services
            .scan(&team.viewer, scan_of(&done[0].1))
            .await
            .expect("stays in the list");
        assert!(scan.undone_at.is_some());
    }
}

#[tokio::test]
async fn what_people_did_on_its_findings_keeps_an_import_and_is_told() {
    for team in Team::each().await {
        let services = &team.world.services;
        let first = team
            .import(&sarif(&[result("A", "error", 3), result("B", "note", 5)]))
            .await;
        let id = team.findings().await[0].id.clone();
        team.triage(&team.owner, &id, triage("false_positive"))
            .await;
        let why = team.refusal(&first).await;
        assert!(
            why.contains(&team.owner.name) && why.contains("F-1"),
            "{why}"
        );
        team.triage(&team.owner, &id, triage("reopen")).await;
        assert!(team.refusal(&first).await.contains("F-1"));

        // What was done before an import does not keep that import.
        let second = team.import(&sarif(&[result("A", "error", 4)])).await;
        assert_eq!(numbers(&second), [0, 0, 1, 0, 1]);
        team.undo(&second).await;
        let second = team.import(&sarif(&[result("A", "error", 4)])).await;
        team.world.clock.advance(MINUTE);
        services
            .add_comment(
                &team.reviewer,
                &CommentOn::Finding(id),
                prose("Still there?"),
            )
            .await
            .expect("comments");
        let why = team.refusal(&second).await;
        assert!(why.contains(&team.reviewer.name), "{why}");
    }
}

#[tokio::test]
async fn only_the_newest_scan_of_a_series_is_undone_and_only_once() {
    for team in Team::each().await {
        let first = team.import(&sarif(&[result("A", "error", 3)])).await;
        let second = team.import(&sarif(&[result("B", "error", 3)])).await;
        let why = team.refusal(&first).await;
        assert!(why.contains("Undo that one first"), "{why}");
        team.undo(&second).await;
        assert!(team.refusal(&second).await.contains("undone already"));
        team.undo(&first).await;
    }
}

#[tokio::test]
async fn an_import_too_long_ago_stays_and_what_was_before_it_is_forgotten() {
    for team in Team::each().await {
        let mut outcomes = Vec::new();
        let most = u32::try_from(UNDOABLE_SCANS).expect("few");
        for n in 0..=most {
            outcomes.push(team.import(&sarif(&[result("A", "error", 3 + n)])).await);
        }
        // Not "undo that one first", which would not help.
        assert!(team.refusal(&outcomes[0]).await.contains("Only the last"));
        for outcome in outcomes.iter().skip(1).rev() {
            team.undo(outcome).await;
        }
        let why = team.refusal(&outcomes[0]).await;
        assert!(
            why.contains("Only the last 10") && why.contains("not kept"),
            "{why}"
        );
        assert_eq!(team.findings().await[0].start_line, Some(3));
        assert_eq!(team.findings().await[0].status, FindingStatus::Open);
    }
}

#[tokio::test]
async fn findings_say_when_and_in_which_scan_they_were_last_seen() {
    for team in Team::each().await {
        let services = &team.world.services;
        let seen_in = async |n: usize| {
            let id = team.findings().await[n].id.clone();
            let finding = services
                .finding(&team.viewer, &id)
                .await
                .expect("reads")
                .finding;
            (finding.last_scan, finding.last_seen_at)
        };
        let both = sarif(&[result("A", "error", 3), result("B", "note", 5)]);
        let first = team.import(&both).await;
        let at_first = team.world.clock.now();
        let one = sarif(&[result("A", "error", 3)]);
        let second = team.import(&one).await;
        let at_second = team.world.clock.now();
        let of = |outcome: &ImportOutcome| outcome.scan.as_ref().map(ToString::to_string);
        assert_eq!(seen_in(0).await, (of(&second), at_second));
        assert_eq!(seen_in(1).await, (of(&first), at_first));
        let third = sarif(&[result("B", "note", 5), result("A", "error", 3)]);
        let third = team.import(&third).await;
        assert_eq!(seen_in(1).await, (of(&third), team.world.clock.now()));
        team.undo(&third).await;
        assert_eq!(seen_in(0).await, (of(&second), at_second));
        assert_eq!(seen_in(1).await, (of(&first), at_first));
    }
}

#[tokio::test]
async fn an_import_stays_while_another_finding_is_called_a_duplicate_of_one_it_brought() {
    for team in Team::each().await {
        let one = sarif(&[result("A", "note", 3)]);
        let first = team.import(&one).await;
        team.import(&by_tool("vet", one.clone())).await;
        let other = team.numbered(2).await;
        team.world.clock.advance(MINUTE);
        team.triage(&team.owner, &other, duplicate_of(1)).await;
        let why = team.refusal(&first).await;
        assert!(
            why.contains("jonas called F-2 a duplicate of F-1"),
            "{why} on {}",
            team.on()
        );
        team.triage(&team.owner, &other, triage("reopen")).await;
        team.undo(&first).await;
        assert_eq!(team.findings().await.len(), 1);
    }
}

#[tokio::test]
async fn an_import_stays_while_a_finding_written_by_hand_repeats_one_it_brought() {
    for team in Team::each().await {
        let services = &team.world.services;
        let first = team.import(&sarif(&[result("A", "error", 3)])).await;
        let fields = FindingFields {
            title: "Shell".into(),
            severity: "low".into(),
            category: "code".into(),
            problem: "Anything is run.".into(),
            ..FindingFields::default()
        };
        let request = FindingRequest::parse(&fields).expect("a finding");
        let by_hand = services
            .write_finding(&team.reviewer, &team.review.id, request, &[])
            .await
            .expect("writes");
        team.world.clock.advance(MINUTE);
        team.triage(&team.reviewer, &by_hand, duplicate_of(1)).await;
        let why = team.refusal(&first).await;
        assert!(why.contains("mira called F-2 a duplicate of F-1"), "{why}");
        // The other way round it is the import's own finding that somebody decided about.
        team.triage(&team.reviewer, &by_hand, triage("reopen"))
            .await;
        team.undo(&first).await;
    }
}

#[tokio::test]
async fn an_import_stays_while_something_refers_to_a_finding_it_brought() {
    for team in Team::each().await {
        let services = &team.world.services;
        let item = team.id("2.5.1").await;
        let patch = PatchRequest {
            title: Some(name("Fix it")),
            bytes: b"--- a/src/exec.go\n+++ b/src/exec.go\n@@ -1 +1 @@\n-a\n+b\n".to_vec(),
            links: Vec::new(),
        };
        let patch = services
            .submit_patch(&team.owner, &team.review.id, patch)
            .await
            .expect("submits");
        let scan = sarif(&[result("A", "error", 3)]);

        // A link made by hand, and one that was taken away by hand.
        let outcome = team.import(&scan).await;
        let id = team.numbered(1).await;
        team.world.clock.advance(MINUTE);
        services
            .map_finding(&team.reviewer, &id, &item, true)
            .await
            .expect("maps");
        let why = team.refusal(&outcome).await;
        assert!(why.contains("mira"), "{why} on {}", team.on());
        services
            .map_finding(&team.reviewer, &id, &item, false)
            .await
            .expect("unmaps");
        assert!(team.refusal(&outcome).await.contains("mira"));

        // A patch that was there before.
        let scan = by_tool("vet", scan);
        let outcome = team.import(&scan).await;
        let id = team.numbered(2).await;
        team.world.clock.advance(MINUTE);
        let version = services
            .patch(&team.reviewer, &patch)
            .await
            .expect("reads")
            .patch
            .version;
        services
            .link_patch(
                &team.reviewer,
                &patch,
                version,
                PatchLink::Finding(id),
                true,
            )
            .await
            .expect("links");
        let why = team.refusal(&outcome).await;
        assert!(why.contains("mira"), "{why} on {}", team.on());

        // One that was submitted for it, told once.
        let scan = by_tool("lint", scan);
        let outcome = team.import(&scan).await;
        let id = team.numbered(3).await;
        let patch = PatchRequest {
            title: Some(name("Fix that")),
            bytes: b"--- a/src/exec.go\n+++ b/src/exec.go\n@@ -1 +1 @@\n-a\n+c\n".to_vec(),
            links: vec![PatchLink::Finding(id)],
        };
        services
            .submit_patch(&team.owner, &team.review.id, patch)
            .await
            .expect("submits");
        let why = team.refusal(&outcome).await;
        assert_eq!(why.matches("patch").count(), 1, "{why} on {}", team.on());
        assert!(
            why.contains("jonas attached patch P-2"),
            "{why} on {}",
            team.on()
        );
    }
}

#[tokio::test]
async fn what_was_decided_about_many_and_taken_back_does_not_keep_an_import() {
    for team in Team::each().await {
        let both = sarif(&[result("A", "error", 3), result("B", "note", 5)]);
        let first = team.import(&both).await;
        let batch = team
            .decide_on_all(Bulk::Triage(triage("false_positive")))
            .await;
        let why = team.refusal(&first).await;
        assert!(
            why.contains("jonas called 2 findings false positives"),
            "{why} on {}",
            team.on()
        );
        team.take_back(&batch).await;
        let item = team.id("2.5.1").await;
        let batch = team.decide_on_all(Bulk::Map(item)).await;
        assert!(team.refusal(&first).await.contains("jonas linked it"));
        team.take_back(&batch).await;
        team.undo(&first).await;
        assert!(team.findings().await.is_empty(), "{}", team.on());
    }
}

#[tokio::test]
async fn a_decision_that_was_taken_back_after_an_import_is_not_made_again_by_undoing_it() {
    for team in Team::each().await {
        let both = sarif(&[result("A", "error", 3), result("B", "note", 5)]);
        team.import(&both).await;
        let batch = team
            .decide_on_all(Bulk::Triage(triage("false_positive")))
            .await;
        let second = team.import(&sarif(&[result("A", "note", 3)])).await;
        team.take_back(&batch).await;
        let why = team.refusal(&second).await;
        assert!(
            why.contains("jonas undid: called 2 findings false positives"),
            "{why} on {}",
            team.on()
        );
    }
}

#[tokio::test]
async fn imports_that_were_undone_do_not_count_among_those_that_are_kept() {
    for team in Team::each().await {
        let first = team.import(&sarif(&[result("A", "error", 3)])).await;
        for n in 0..=u32::try_from(UNDOABLE_SCANS).expect("few") {
            let outcome = team.import(&sarif(&[result("A", "error", 4 + n)])).await;
            team.undo(&outcome).await;
        }
        team.undo(&first).await;
        assert!(team.findings().await.is_empty(), "{}", team.on());
    }
}

#[tokio::test]
async fn what_one_person_did_to_many_is_told_once() {
    for team in Team::each().await {
        let results = [1, 9, 17].map(|line| result("A", "note", line));
        let first = team.import(&sarif(&results)).await;
        team.decide_on_all(Bulk::Triage(triage("false_positive")))
            .await;
        let why = team.refusal(&first).await;
        let told = "jonas called 3 findings false positives (F-1 and 2 more). Undo";
        assert!(why.contains(told), "{why} on {}", team.on());
        let last = team.findings().await.remove(0).id;
        team.triage(&team.reviewer, &last, triage("reopen")).await;
        let why = team.refusal(&first).await;
        assert!(why.contains("mira") && why.contains("and 1 more)"), "{why}");
    }
}

#[tokio::test]
async fn who_did_not_import_a_scan_does_not_undo_it_to_be_rid_of_what_blocks() {
    for team in Team::each().await {
        let services = &team.world.services;
        team.import(&sarif(&[result("A", "note", 3)])).await;
        for (results, blocks) in [
            // A blocking finding that only this scan has, and one that it brought back.
            (vec![result("A", "note", 3), result("B", "error", 9)], true),
            (vec![result("A", "note", 3), result("C", "note", 9)], false),
        ] {
            let file = sarif(&results).to_string();
            team.world.clock.advance(MINUTE);
            let outcome = team
                .try_import(&team.reviewer, file.as_bytes(), false)
                .await
                .expect("imports");
            let before = team.snapshot().await;
            let undone = services.undo_scan(&team.owner, scan_of(&outcome)).await;
            if !blocks {
                undone.expect("nothing that blocks goes");
                continue;
            }
            let Err(ServiceError::Forbidden(why)) = undone else {
                panic!("{undone:?} on {}", team.on());
            };
            assert!(why.contains("mira") && why.contains("a manager"), "{why}");
            assert!(team.snapshot().await == before, "nothing has changed");
            // Whoever imported it may take it back, and so may a manager.
            services
                .undo_scan(&team.reviewer, scan_of(&outcome))
                .await
                .expect("undoes their own");
            let outcome = team
                .try_import(&team.reviewer, file.as_bytes(), false)
                .await
                .expect("imports again");
            services
                .undo_scan(&team.manager, scan_of(&outcome))
                .await
                .expect("a manager undoes it");
        }
    }
}
