//! The verdict's rules as cases, and the promises that hold for every review as properties.

use holdpoint_domain::{
    FindingStatus, Gating, ItemState, Outcome, Policy, ScannerClaim, ScannerState, Severity,
    SuppressionKind,
    policy::RequiredScan,
    verdict::{
        DeliverableFacts, FindingFacts, FindingGroup, GroupKey, GroupState, HOLDS_NO_MORE,
        ItemFacts, ReasonKind, ReviewState, ScanFacts, pass_refusals, verdict,
    },
};
use proptest::prelude::*;

const NOW: i64 = 1_000_000_000;

fn item(state: ItemState) -> ItemFacts {
    ItemFacts {
        id: "i1".into(),
        key: "2.5.1".into(),
        title: "Critical Path Review".into(),
        gating: Gating::Blocker,
        state,
        waived_until: None,
        valid_sign_offs: u32::from(state.is_decided()),
        quorum: 1,
        void_because: Vec::new(),
        damage: Vec::new(),
        n_evidence: 1,
        n_stale_evidence: 0,
        n_damaged_evidence: 0,
        owner: Some("Jonas".into()),
        reviewers: vec!["Mira".into()],
    }
}

fn finding(severity: Severity, status: FindingStatus) -> FindingFacts {
    FindingFacts {
        id: "f1".into(),
        number: 1,
        title: "Fixed jitter".into(),
        severity,
        status,
        asked: None,
        holds_until: None,
        duplicate_of: None,
        due: None,
        claim: None,
        owners: vec!["Jonas".into()],
    }
}

fn review(items: Vec<ItemFacts>) -> ReviewState {
    ReviewState {
        review: "r1".into(),
        title: "v1.0.0".into(),
        commit: Some("8b57779".into()),
        items,
        ..ReviewState::default()
    }
}

fn kinds(review: &ReviewState, policy: &Policy) -> Vec<ReasonKind> {
    verdict(review, policy, NOW)
        .reasons
        .iter()
        .map(|reason| reason.kind)
        .collect()
}

#[test]
fn a_review_without_items_cannot_go() {
    assert_eq!(
        kinds(&review(vec![]), &Policy::default()),
        [ReasonKind::NoItems]
    );
}

#[test]
fn each_state_of_a_blocker_has_its_reason() {
    let policy = Policy::default();
    let cases = [
        (ItemState::Open, vec![ReasonKind::ItemUndecided]),
        (ItemState::InProgress, vec![ReasonKind::ItemUndecided]),
        (ItemState::InReview, vec![ReasonKind::ItemUndecided]),
        (ItemState::Failed, vec![ReasonKind::ItemFailed]),
        (ItemState::Passed, vec![]),
        (ItemState::NotApplicable, vec![]),
        (ItemState::Waived, vec![ReasonKind::WaiverExpired]),
    ];
    for (state, expected) in cases {
        assert_eq!(
            kinds(&review(vec![item(state)]), &policy),
            expected,
            "{state}"
        );
        let advisory = ItemFacts {
            gating: Gating::Advisory,
            ..item(state)
        };
        assert_eq!(
            kinds(&review(vec![advisory]), &policy),
            [],
            "advisory {state}"
        );
    }
}

#[test]
fn a_waiver_counts_until_it_runs_out() {
    let waived = ItemFacts {
        waived_until: Some(NOW),
        ..item(ItemState::Waived)
    };
    let state = review(vec![waived]);
    assert_eq!(
        verdict(&state, &Policy::default(), NOW).outcome,
        Outcome::GoWithWaivers
    );
    let later = verdict(&state, &Policy::default(), NOW + 1);
    assert_eq!(later.outcome, Outcome::NoGo);
    assert_eq!(later.reasons[0].kind, ReasonKind::WaiverExpired);
}

#[test]
fn a_passed_item_needs_valid_signatures_evidence_and_freshness() {
    let policy = Policy {
        quorum: 2,
        ..Policy::default()
    };
    let one_of_two = ItemFacts {
        quorum: 2,
        ..item(ItemState::Passed)
    };
    assert_eq!(
        kinds(&review(vec![one_of_two]), &policy),
        [ReasonKind::SignOffMissing]
    );
    let void = ItemFacts {
        valid_sign_offs: 0,
        void_because: vec!["finding F-1".into()],
        ..item(ItemState::Passed)
    };
    assert_eq!(
        kinds(&review(vec![void]), &policy),
        [ReasonKind::SignOffVoid]
    );
    let bare = ItemFacts {
        n_evidence: 0,
        ..item(ItemState::Passed)
    };
    assert_eq!(
        kinds(&review(vec![bare.clone()]), &policy),
        [ReasonKind::EvidenceMissing]
    );
    assert_eq!(
        kinds(
            &review(vec![bare]),
            &Policy {
                evidence_required: false,
                ..Policy::default()
            }
        ),
        []
    );
    let stale = ItemFacts {
        n_stale_evidence: 1,
        ..item(ItemState::Passed)
    };
    assert_eq!(
        kinds(&review(vec![stale.clone()]), &policy),
        [ReasonKind::EvidenceStale]
    );
    assert_eq!(
        kinds(
            &review(vec![stale]),
            &Policy {
                stale_evidence_blocks: false,
                ..Policy::default()
            }
        ),
        []
    );
}

#[test]
fn blocking_findings_hold_back_until_fixed_refuted_or_accepted() {
    let with = |finding: FindingFacts| ReviewState {
        findings: vec![finding],
        ..review(vec![item(ItemState::Passed)])
    };
    let policy = Policy::default();
    for severity in Severity::ALL {
        let open = kinds(&with(finding(*severity, FindingStatus::Open)), &policy);
        assert_eq!(!open.is_empty(), policy.blocks(*severity), "{severity}");
    }
    for status in [
        FindingStatus::Fixed,
        FindingStatus::FalsePositive,
        FindingStatus::Duplicate,
    ] {
        assert_eq!(
            kinds(&with(finding(Severity::Critical, status)), &policy),
            [],
            "{status}"
        );
    }
    let accepted = FindingFacts {
        holds_until: Some(NOW),
        ..finding(Severity::High, FindingStatus::RiskAccepted)
    };
    assert_eq!(
        verdict(&with(accepted.clone()), &policy, NOW).outcome,
        Outcome::GoWithWaivers
    );
    assert_eq!(
        verdict(&with(accepted), &policy, NOW + 1).reasons[0].kind,
        ReasonKind::AcceptanceExpired
    );
}

#[test]
fn an_acceptance_that_the_finding_has_outgrown_is_told_from_one_whose_time_is_over() {
    let why = |holds_until| {
        let accepted = FindingFacts {
            holds_until: Some(holds_until),
            ..finding(Severity::High, FindingStatus::RiskAccepted)
        };
        let with = ReviewState {
            findings: vec![accepted],
            ..review(vec![item(ItemState::Passed)])
        };
        let verdict = verdict(&with, &Policy::default(), NOW);
        (verdict.reasons[0].kind, verdict.reasons[0].why.clone())
    };
    let (kind, outgrown) = why(HOLDS_NO_MORE);
    assert_eq!(kind, ReasonKind::AcceptanceExpired);
    assert!(outgrown.contains("does not say any more"), "{outgrown}");
    assert!(!outgrown.contains("time"), "{outgrown}");
    let (_, over) = why(NOW - 1);
    assert!(over.contains("time"), "{over}");
}

#[test]
fn what_a_scanner_claims_is_said_and_lets_nothing_pass() {
    let why = |claim: Option<ScannerClaim>| {
        let with = ReviewState {
            findings: vec![FindingFacts {
                claim,
                ..finding(Severity::High, FindingStatus::Open)
            }],
            ..review(vec![item(ItemState::Passed)])
        };
        let verdict = verdict(&with, &Policy::default(), NOW);
        assert_eq!(verdict.outcome, Outcome::NoGo);
        verdict.reasons[0].why.clone()
    };
    assert_eq!(why(None), "High, open.");
    let suppressed = ScannerClaim {
        state: ScannerState::Suppressed,
        kind: Some(SuppressionKind::External),
        reason: Some("Accepted by the team.".into()),
    };
    assert_eq!(
        why(Some(suppressed)),
        "High, open; suppressed in the scanner, outside of the source: Accepted by the team."
    );
}

#[test]
fn a_duplicate_holds_back_once_it_stands_alone() {
    let duplicate = FindingFacts {
        duplicate_of: Some(7),
        ..finding(Severity::Critical, FindingStatus::Duplicate)
    };
    let policy = Policy::default();
    let with = |finding| ReviewState {
        findings: vec![finding],
        ..review(vec![item(ItemState::Passed)])
    };
    assert_eq!(
        verdict(&with(duplicate.clone()), &policy, NOW).outcome,
        Outcome::Go
    );
    let alone = FindingFacts {
        holds_until: Some(HOLDS_NO_MORE),
        ..duplicate
    };
    let verdict = verdict(&with(alone.clone()), &policy, NOW);
    assert_eq!(verdict.outcome, Outcome::NoGo);
    assert_eq!(verdict.reasons[0].kind, ReasonKind::FindingOpen);
    assert!(
        verdict.reasons[0]
            .why
            .contains("duplicate of F-7, which is fixed"),
        "{}",
        verdict.reasons[0].why
    );
    assert_eq!(
        pass_refusals(&item(ItemState::InReview), &[alone], &policy, NOW).len(),
        1
    );
}

#[test]
fn late_findings_of_any_severity_hold_back_only_where_the_policy_says_so() {
    let late = |due| ReviewState {
        findings: vec![FindingFacts {
            due,
            ..finding(Severity::Low, FindingStatus::Open)
        }],
        ..review(vec![item(ItemState::Passed)])
    };
    let strict = Policy {
        late_findings_block: true,
        ..Policy::default()
    };
    assert_eq!(
        kinds(&late(Some(NOW - 1)), &strict),
        [ReasonKind::FindingLate]
    );
    assert_eq!(kinds(&late(Some(NOW)), &strict), []);
    assert_eq!(kinds(&late(None), &strict), []);
    assert_eq!(kinds(&late(Some(NOW - 1)), &Policy::default()), []);
}

fn required(scan: &str) -> RequiredScan {
    RequiredScan::parse(scan).expect("a tool and a label")
}

#[test]
fn a_required_scan_must_be_complete_and_of_the_target_commit() {
    let policy = Policy {
        required_scans: vec![required("gitleaks: main")],
        ..Policy::default()
    };
    let scan = |commit: Option<&str>, complete| ScanFacts {
        id: "s1".into(),
        tool: "Gitleaks".into(),
        label: "main".into(),
        commit: commit.map(str::to_owned),
        complete,
    };
    let with = |scans| ReviewState {
        scans,
        ..review(vec![item(ItemState::Passed)])
    };
    assert_eq!(kinds(&with(vec![]), &policy), [ReasonKind::ScanMissing]);
    assert_eq!(
        kinds(&with(vec![scan(None, true)]), &policy),
        [ReasonKind::ScanMissing]
    );
    assert_eq!(
        kinds(&with(vec![scan(Some("c3a3cc8"), true)]), &policy),
        [ReasonKind::ScanMissing]
    );
    assert_eq!(
        kinds(&with(vec![scan(Some("8b57779aa"), false)]), &policy),
        [ReasonKind::ScanIncomplete]
    );
    assert_eq!(
        kinds(&with(vec![scan(Some("8b57779aa"), true)]), &policy),
        []
    );
    // Whoever imports a scan chooses its label, so the label alone shows nothing, nor does the tool under another label.
    for (tool, label) in [
        ("mystery", "main"),
        ("mystery", "gitleaks"),
        ("Gitleaks", "Gitleaks"),
        ("Gitleaks", "other"),
    ] {
        let other = ScanFacts {
            tool: tool.into(),
            label: label.into(),
            ..scan(Some("8b57779aa"), true)
        };
        let reasons = verdict(&with(vec![other]), &policy, NOW).reasons;
        let [reason] = &reasons[..] else {
            panic!("{reasons:?}")
        };
        assert_eq!(reason.kind, ReasonKind::ScanMissing);
        assert_eq!(reason.title, "gitleaks: main");
        assert!(
            reason.why.contains("gitleaks has never run as main"),
            "{}",
            reason.why
        );
    }
    let nowhere = ReviewState {
        commit: None,
        ..with(vec![scan(Some("8b57779"), true)])
    };
    assert_eq!(kinds(&nowhere, &policy), [ReasonKind::CommitUnknown]);
}

#[test]
fn deliverables_hold_back_unless_the_policy_lets_them() {
    let open = DeliverableFacts {
        id: "d1".into(),
        title: "Audit Report".into(),
        done: false,
        owner: None,
    };
    let state = ReviewState {
        deliverables: vec![open],
        ..review(vec![item(ItemState::Passed)])
    };
    assert_eq!(
        kinds(&state, &Policy::default()),
        [ReasonKind::DeliverableOpen]
    );
    assert_eq!(
        kinds(
            &state,
            &Policy {
                deliverables_required: false,
                ..Policy::default()
            }
        ),
        []
    );
}

#[test]
fn a_pass_is_refused_by_name_while_a_blocking_finding_is_open() {
    let policy = Policy::default();
    let open = finding(Severity::Critical, FindingStatus::Open);
    let refusals = pass_refusals(
        &item(ItemState::InReview),
        std::slice::from_ref(&open),
        &policy,
        NOW,
    );
    assert_eq!(
        refusals,
        ["Pass is not possible while the blocking finding F-1 (Fixed jitter, critical) is open."]
    );
    let fixed = FindingFacts {
        status: FindingStatus::Fixed,
        ..open
    };
    assert_eq!(
        pass_refusals(&item(ItemState::InReview), &[fixed], &policy, NOW),
        [""; 0]
    );
    let bare = ItemFacts {
        n_evidence: 0,
        n_stale_evidence: 2,
        ..item(ItemState::InReview)
    };
    assert_eq!(pass_refusals(&bare, &[], &policy, NOW).len(), 2);
}

#[test]
fn a_valid_no_go_of_a_person_and_damage_hold_back() {
    let good = review(vec![item(ItemState::Passed)]);
    assert_eq!(verdict(&good, &Policy::default(), NOW).outcome, Outcome::Go);
    let refused = ReviewState {
        no_go: vec!["Sofia".into()],
        ..good.clone()
    };
    let found = verdict(&refused, &Policy::default(), NOW);
    assert_eq!(found.outcome, Outcome::NoGo);
    assert_eq!(found.reasons[0].kind, ReasonKind::ReleaseNoGo);
    assert_eq!(found.reasons[0].why, "Sofia has signed NO-GO.");
    assert_eq!(found.reasons[0].who, ["Sofia"]);
    let edited = ReviewState {
        damaged_decisions: vec!["A stored decision was changed.".into()],
        ..good
    };
    assert_eq!(
        kinds(&edited, &Policy::default()),
        [ReasonKind::SignOffDamaged]
    );
    let damaged = ItemFacts {
        valid_sign_offs: 0,
        damage: vec!["The stored sign-off was changed.".into()],
        n_damaged_evidence: 2,
        ..item(ItemState::Passed)
    };
    assert_eq!(
        kinds(&review(vec![damaged.clone()]), &Policy::default()),
        [ReasonKind::SignOffDamaged, ReasonKind::EvidenceDamaged]
    );
    assert_eq!(
        pass_refusals(&damaged, &[], &Policy::default(), NOW).len(),
        1
    );
}

#[test]
fn a_reason_names_only_so_many_changes() {
    let void = ItemFacts {
        valid_sign_offs: 0,
        void_because: (0..1_000).map(|n| format!("finding F-{n}")).collect(),
        ..item(ItemState::Passed)
    };
    let why = verdict(&review(vec![void]), &Policy::default(), NOW).reasons[0]
        .why
        .clone();
    assert!(why.ends_with("finding F-9 and 990 more."), "{why}");
}

fn any_item() -> impl Strategy<Value = ItemFacts> {
    (
        prop::sample::select(ItemState::ALL),
        prop::sample::select(Gating::ALL),
        prop::option::of(NOW - 2..NOW + 2),
        (0_u32..3, 0_u32..3, 0_u32..3, 0_u32..3),
        any::<bool>(),
    )
        .prop_map(
            |(state, gating, waived_until, (valid, quorum, n_evidence, n_stale), void)| ItemFacts {
                gating,
                waived_until,
                valid_sign_offs: valid,
                quorum,
                n_evidence,
                n_stale_evidence: n_stale,
                void_because: if void {
                    vec!["requirement".into()]
                } else {
                    vec![]
                },
                ..item(state)
            },
        )
}

fn any_finding() -> impl Strategy<Value = FindingFacts> {
    (
        prop::sample::select(Severity::ALL),
        prop::sample::select(FindingStatus::ALL),
        prop::option::of(NOW - 2..NOW + 2),
    )
        .prop_map(|(severity, status, holds_until)| FindingFacts {
            holds_until,
            ..finding(severity, status)
        })
}

fn any_review() -> impl Strategy<Value = (ReviewState, Policy)> {
    (
        prop::collection::vec(any_item(), 0..6),
        prop::collection::vec(any_finding(), 0..6),
        prop::collection::vec(any::<bool>(), 0..3),
        prop::collection::vec(
            (prop::option::of(Just("8b57779".to_owned())), any::<bool>()),
            0..3,
        ),
        prop::option::of(Just("8b57779".to_owned())),
        (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()),
    )
        .prop_map(
            |(items, findings, deliverables, scans, commit, (evidence, stale, scan, deliver))| {
                let policy = Policy {
                    evidence_required: evidence,
                    stale_evidence_blocks: stale,
                    required_scans: if scan {
                        vec![required("gitleaks")]
                    } else {
                        vec![]
                    },
                    deliverables_required: deliver,
                    ..Policy::default()
                };
                let deliverables = deliverables
                    .into_iter()
                    .map(|done| DeliverableFacts {
                        id: "d".into(),
                        title: "D".into(),
                        done,
                        owner: None,
                    })
                    .collect();
                let scans = scans
                    .into_iter()
                    .map(|(commit, complete)| ScanFacts {
                        id: "s".into(),
                        tool: "gitleaks".into(),
                        label: "main".into(),
                        commit,
                        complete,
                    })
                    .collect();
                let state = ReviewState {
                    items,
                    findings,
                    deliverables,
                    scans,
                    commit,
                    ..review(vec![])
                };
                (state, policy)
            },
        )
}

proptest! {
    #[test]
    fn no_go_is_exactly_when_there_is_a_reason((state, policy) in any_review()) {
        let said = verdict(&state, &policy, NOW);
        prop_assert_eq!(said.outcome == Outcome::NoGo, !said.reasons.is_empty());
        for reason in said.reasons.iter().chain(&said.waivers) {
            prop_assert!(!reason.why.is_empty() && !reason.title.is_empty() && !reason.who.is_empty());
        }
    }

    #[test]
    fn one_more_open_critical_finding_never_improves_a_verdict((state, policy) in any_review()) {
        let before = verdict(&state, &policy, NOW);
        let mut worse = state;
        worse.findings.push(finding(Severity::Critical, FindingStatus::Open));
        let after = verdict(&worse, &policy, NOW);
        prop_assert!(after.outcome >= before.outcome);
        prop_assert_eq!(after.outcome, Outcome::NoGo);
    }

    #[test]
    fn a_voided_sign_off_never_improves_a_verdict((state, policy) in any_review(), at in any::<prop::sample::Index>()) {
        prop_assume!(!state.items.is_empty());
        let before = verdict(&state, &policy, NOW);
        let mut worse = state;
        let chosen = at.index(worse.items.len());
        let item = &mut worse.items[chosen];
        item.valid_sign_offs = item.valid_sign_offs.saturating_sub(1);
        item.void_because.push("evidence report.txt".into());
        prop_assert!(verdict(&worse, &policy, NOW).outcome >= before.outcome);
    }

    #[test]
    fn time_passing_never_improves_a_verdict((state, policy) in any_review(), by in 0_i64..10) {
        prop_assert!(verdict(&state, &policy, NOW + by).outcome >= verdict(&state, &policy, NOW).outcome);
    }

    #[test]
    fn an_expired_waiver_never_improves_a_verdict((state, policy) in any_review(), at in any::<prop::sample::Index>()) {
        prop_assume!(!state.items.is_empty());
        let mut valid = state;
        let chosen = at.index(valid.items.len());
        valid.items[chosen].state = ItemState::Waived;
        valid.items[chosen].waived_until = Some(NOW + 5);
        let mut expired = valid.clone();
        expired.items[chosen].waived_until = Some(NOW - 5);
        prop_assert!(verdict(&expired, &policy, NOW).outcome >= verdict(&valid, &policy, NOW).outcome);
    }
}

/// Names only the first of each kind of finding, and counts the others.
fn bounded(review: &ReviewState, most: usize) -> ReviewState {
    let mut groups = std::collections::BTreeMap::<_, Vec<_>>::new();
    for finding in &review.findings {
        let key = GroupKey {
            severity: finding.severity,
            state: GroupState::at(finding.status, finding.holds_until, NOW),
            is_late: finding.due.is_some_and(|due| due < NOW),
        };
        groups.entry(key).or_default().push(finding.clone());
    }
    let mut bounded = ReviewState {
        findings: Vec::new(),
        ..review.clone()
    };
    for (key, findings) in groups {
        let n = findings.len().saturating_sub(most);
        bounded.more_findings.push(FindingGroup { key, n });
        bounded.findings.extend(findings.into_iter().take(most));
    }
    bounded
}

proptest! {
    /// Findings that are only counted count as those that are named.
    #[test]
    fn a_verdict_over_the_first_findings_of_each_kind_is_the_same(
        findings in proptest::collection::vec(any_finding(), 0..30), most in 0_usize..4, late in any::<bool>()
    ) {
        let policy = Policy { late_findings_block: late, ..Policy::default() };
        let review = ReviewState { findings, ..review(vec![item(ItemState::Passed)]) };
        let whole = verdict(&review, &policy, NOW);
        let few = verdict(&bounded(&review, most), &policy, NOW);
        prop_assert_eq!(few.outcome, whole.outcome);
        prop_assert_eq!(few.n_reasons(), whole.n_reasons());
        for kind in ReasonKind::ALL {
            prop_assert_eq!(few.n_of(*kind), whole.n_of(*kind), "{}", kind);
        }
        prop_assert_eq!(few.waivers.len() + few.n_more_waivers(), whole.waivers.len());
        for reason in &few.reasons {
            prop_assert!(whole.reasons.contains(reason));
        }
    }
}
