//! The sample review, worked through as the people of the hand-written audit report did.

use holdpoint_domain::{
    Decision, FindingStatus, Gating, ItemState, Millis, Outcome, PatchState, Policy, Severity,
    Verdict,
    signoff::Change,
    verdict::{Reason, ReasonKind},
};
use holdpoint_report::facts::{
    Acceptance, Account, ActivityHead, Comparison, Deliverable, Evidence, Facts, Finding, Instance,
    Item, Lines, Metadata, Patch, PatchFile, Person, ReleaseDecision, ReleaseWord, Review, Scan,
    Section, Service, SeverityCounts, SignOff, Since, Snippet, Standing, Template, Triage, Waiver,
    Withdrawn,
};

const HOUR: Millis = 3_600_000;
const DAY: Millis = 24 * HOUR;
/// Thu 22 Jan 2026, 09:00 UTC.
const BEGUN: Millis = 1_769_072_400_000;
const COMMIT: &str = "33fa5f9b4c3a7d1e0f6b8a92c4d5e6f708192a3b";

pub(crate) fn sha256(text: &str) -> String {
    holdpoint_domain::Digest::of(text.as_bytes())
        .as_str()
        .to_owned()
}

/// The bytes behind each evidence and patch of the sample.
pub(crate) fn stored(sha: &str) -> Option<Vec<u8>> {
    FILES
        .iter()
        .find(|text| sha256(text) == sha)
        .map(|text| text.as_bytes().to_vec())
}

const RACE: &str = "=== RUN   TestOrderExecutor\n--- PASS: TestOrderExecutor (0.41s)\nPASS\nok  \tmarket_maker/internal/executor\t12.802s\n";
const GITLEAKS: &str = "{\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"gitleaks\"}},\"results\":[]}]}\n";
const NOTE: &str = "Read `OrderExecutor` and `RiskManager` line by line with Rui.\n\n- retries are bounded\n- both locks are always taken in the same order\n";
const LINK: &str = "https://ci.example.org/opensqt/runs/4711";
const PATCH_1: &str =
    "diff --git a/executor.go b/executor.go\n-\treturn 0.5\n+\treturn rand.Float64()\n";
const PATCH_2: &str =
    "diff --git a/docs/deployment.md b/docs/deployment.md\n-recommended\n+development only\n";
const FILES: &[&str] = &[RACE, GITLEAKS, NOTE, LINK, PATCH_1, PATCH_2];

fn person(name: &str, role: &str) -> Person {
    Person {
        name: name.into(),
        email: Some(format!(
            "{}@example.org",
            name.split(' ').next().unwrap().to_lowercase()
        )),
        role: role.into(),
        account: Some(Account {
            made_at: BEGUN - 30 * DAY,
            invited_by: (name != "Maria Reis").then(|| "Maria Reis".into()),
            password_reset: None,
            disabled_at: None,
        }),
    }
}

fn finding(
    number: i64,
    severity: Severity,
    category: &str,
    title: &str,
    path: &str,
    item: &str,
) -> Finding {
    Finding {
        id: format!("finding-{number}"),
        number,
        title: title.into(),
        severity,
        category: Some(category.into()),
        rule: None,
        tool: None,
        written_by: Some("Ana Lima".into()),
        status: FindingStatus::Open,
        asked: None,
        severity_change: None,
        triage: None,
        acceptance: None,
        duplicate_of: None,
        also_reported_by: Vec::new(),
        path: Some(path.into()),
        lines: None,
        problem: String::new(),
        remediation: String::new(),
        snippet: None,
        cve: vec![],
        cwe: vec![],
        help_url: None,
        component: None,
        component_version: None,
        fixed_version: None,
        scanner: None,
        fingerprint: None,
        item_keys: vec![item.into()],
        patches: vec![],
        owners: vec!["Ana Lima".into()],
        first_seen: BEGUN + HOUR * number,
        last_seen: None,
        due: match severity {
            Severity::Critical => Some(BEGUN + 4 * DAY),
            Severity::High => Some(BEGUN + 8 * DAY),
            _ => None,
        },
    }
}

fn findings() -> Vec<Finding> {
    use Severity::{Critical, High, Low};
    let executor = "internal/executor/executor.go";
    let mut all = vec![
        finding(
            1,
            Critical,
            "Code",
            "`OrderExecutor` uses fixed RNG (`0.5`) for retry jitter",
            executor,
            "2.5.1",
        ),
        finding(
            2,
            Critical,
            "Code",
            "`BatchPlaceOrders` never sets `marginError` flag",
            executor,
            "2.5.2",
        ),
        finding(
            3,
            High,
            "Code",
            "Inefficient/Custom string search in `isPostOnlyError`",
            executor,
            "2.5.1",
        ),
        finding(
            4,
            High,
            "Config",
            "`postgres` default password is \"secret\" in docker-compose",
            "docker-compose.yml",
            "2.4.1",
        ),
        finding(
            5,
            High,
            "Docs",
            "`deployment.md` recommends deprecated \"Standalone Mode\"",
            "docs/deployment.md",
            "2.3.1",
        ),
        finding(
            6,
            Low,
            "Code",
            "Manual `pow` implementation",
            executor,
            "2.5.1",
        ),
        finding(
            7,
            Low,
            "Config",
            "`market_maker` exposes port 8080 (Health) publicly",
            "docker-compose.yml",
            "2.4.2",
        ),
    ];
    let texts = [
        (
            "**Broken Jitter (`randFloat`)**\n\nThe `randFloat` function in `executor.go` returns a static `0.5`. This \
             causes all retrying instances to sync up (thundering herd), negating the benefit of jitter.",
            "Replace with `math/rand` or `crypto/rand`\n\n- Import `math/rand` (or `crypto/rand`) and `math`.\n- Replace \
             `randFloat` with real RNG.",
        ),
        (
            "**Broken Batch Error Reporting**\n\nIn `BatchPlaceOrders`, the `marginError` variable is defined but never \
             updated, even if an error occurs. This effectively disables \"Fail Fast\" logic for margin issues during \
             batch operations.",
            "Update logic to detect margin errors in batch loop\n\n- Implement error classification in `BatchPlaceOrders` \
             to set `marginError = true` on relevant errors.",
        ),
        (
            "**Inefficient String Search**\n\nA custom recursive `containsString` function is used instead of the \
             standard `strings.Contains`. This is inefficient and harder to maintain.",
            "Replace with `strings.Contains`\n\n- Replace `containsString` with `strings.Contains`.",
        ),
        (
            "**Default Secrets**\n\n`docker-compose.yml` sets `POSTGRES_PASSWORD` to \"secret\" by default. While \
             acceptable for dev, this is a risk for production if users blindly deploy.",
            "Add warning to README / Enforce strong passwords in prod env vars\n\n- Add security warning about default \
             passwords in `README.md`.",
        ),
        (
            "**Outdated Deployment Guide**\n\n`docs/deployment.md` currently lists \"Standalone Mode (Go Native)\" as the \
             \"recommended\" mode. This contradicts the Phase 16 gRPC Architecture mandate which requires the split \
             architecture for all production deployments.",
            "Update doc to mandate gRPC mode\n\n- Rewrite `docs/deployment.md` to feature gRPC deployment as the \
             primary/only production method.",
        ),
        ("", "Replace with `math.Pow`"),
        (
            "",
            "Ensure firewall rules or reverse proxy handle auth if exposed",
        ),
    ];
    for (finding, (problem, remediation)) in all.iter_mut().zip(texts) {
        finding.problem = problem.into();
        finding.remediation = remediation.into();
    }
    all[0].lines = Some(Lines {
        first: 212,
        last: 215,
    });
    all[0].snippet = Some(Snippet {
        language: Some("go".into()),
        text: "func randFloat() float64 {\n    // Simple pseudo-random for testing - in production use crypto/rand\n    \
               return 0.5 // Fixed for deterministic testing\n}\n"
            .into(),
    });
    all
}

fn items() -> Vec<Item> {
    let texts = [
        (
            2,
            "2.1.1",
            "Config Audit",
            "Review `config.yaml`, `live_server.yaml`, and environment variables. Ensure no hardcoded secrets and reasonable default timeouts.",
        ),
        (
            2,
            "2.1.2",
            "Dependency Check",
            "Audit `go.mod` and `requirements.txt` for pinned, secure versions.",
        ),
        (
            2,
            "2.1.3",
            "Docker Compose",
            "Verify `docker-compose.yml` resource limits, restart policies, and network isolation.",
        ),
        (
            3,
            "2.2.1",
            "Log Level Strategy",
            "Verify `INFO` vs `DEBUG` usage. Ensure critical errors (panics, circuit breakers) trigger clear, structured error logs.",
        ),
        (
            3,
            "2.2.2",
            "Metric Coverage",
            "Confirm critical KPIs (order latency, error rate, pnl) are exported via Prometheus.",
        ),
        (
            3,
            "2.2.3",
            "Health Checks",
            "Verify `grpc_health_probe` and Docker health checks are correctly configured and actually restart unhealthy services.",
        ),
        (
            4,
            "2.3.1",
            "Deployment Guide",
            "Review `docs/deployment.md` for accuracy. Does it match the current `Makefile` and Docker setup?",
        ),
        (
            4,
            "2.3.2",
            "Disaster Recovery",
            "Document manual intervention steps (e.g., \"Panic Button\" to cancel all orders manually if Redis/DBOS fails).",
        ),
        (
            4,
            "2.3.3",
            "Rollback Plan",
            "Define how to revert to a previous version safely (database migrations implications?).",
        ),
        (
            5,
            "2.4.1",
            "Secret Hygiene",
            "Scan for any accidental commits of `.env` files or hardcoded keys.",
        ),
        (
            5,
            "2.4.2",
            "Network Exposure",
            "Confirm gRPC ports (50051) are NOT exposed to the public internet in the default compose file.",
        ),
        (
            6,
            "2.5.1",
            "Critical Path Review",
            "Re-read `OrderExecutor` and `RiskManager` code for potential race conditions or unhandled edge cases not caught by tests.",
        ),
        (
            6,
            "2.5.2",
            "Error Handling",
            "Grep for ignored errors (`_ = func()`) in critical paths.",
        ),
    ];
    texts
        .iter()
        .enumerate()
        .map(|(n, (section, key, title, requirement))| Item {
            id: format!("item-{key}"),
            section: Some(*section),
            position: u32::try_from(n).unwrap(),
            key: (*key).into(),
            title: (*title).into(),
            requirement: (*requirement).into(),
            gating: Gating::Blocker,
            state: ItemState::InReview,
            owner: Some("Ana Lima".into()),
            reviewers: vec!["Rui Sousa".into()],
            due: Some(BEGUN + 8 * DAY),
            quorum: 1,
            sign_offs: vec![],
            evidence: vec![],
            waiver: None,
        })
        .collect()
}

fn evidence(id: &str, kind: &str, title: &str, text: &str) -> Evidence {
    Evidence {
        id: id.into(),
        kind: kind.into(),
        title: title.into(),
        sha256: sha256(text),
        size_bytes: text.len() as u64,
        file_name: None,
        text: Some(text.into()),
        command: None,
        exit_code: None,
        commit: Some(COMMIT.into()),
        path: None,
        lines: None,
        stale: false,
        damaged: false,
        contradicted: false,
        observed_at: None,
        uploaded_at: BEGUN + 2 * DAY,
        by: "Ana Lima".into(),
        withdrawn: None,
        superseded_by: None,
    }
}

fn reason(kind: ReasonKind, subject_kind: &str, title: &str, why: &str, who: &str) -> Reason {
    Reason {
        kind,
        subject_kind: subject_kind.into(),
        subject: title.into(),
        title: title.into(),
        why: why.into(),
        who: vec![who.into()],
    }
}

/// As the audit found it: seven findings open, nothing decided.
pub(crate) fn audited() -> Facts {
    let section = |position, depth, title: &str, text: &str| Section {
        position,
        depth,
        title: title.into(),
        text: text.into(),
    };
    let findings = findings();
    let mut reasons: Vec<_> = findings[..5]
        .iter()
        .map(|f| {
            let why = format!("{}, open.", f.severity.label());
            let title = format!("F-{} {}", f.number, f.title);
            reason(ReasonKind::FindingOpen, "finding", &title, &why, "Ana Lima")
        })
        .collect();
    let items = items();
    for item in &items {
        let title = format!("{} {}", item.key, item.title);
        reasons.push(reason(
            ReasonKind::ItemUndecided,
            "item",
            &title,
            "The item is in review.",
            "Rui Sousa",
        ));
    }
    Facts {
        instance: Instance {
            name: "Holdpoint at Example".into(),
            version: "0.1.0".into(),
            url: Some("https://holdpoint.example.org".into()),
        },
        service: Service {
            name: "OpenSQT Market Maker".into(),
            slug: "opensqt-market-maker".into(),
            repository: Some("https://git.example.org/opensqt/market_maker".into()),
            description: "Places and manages orders on several exchanges.".into(),
        },
        review: Review {
            id: "review-1".into(),
            title: "Phase 22: Production Readiness Review (PRR)".into(),
            release: "v1.4.0".into(),
            target_commit: Some(COMMIT.into()),
            due: Some(BEGUN + 8 * DAY),
            created: BEGUN,
            template: Some(Template {
                name: "Phase 22: Production Readiness Review (PRR)".into(),
                version: 1,
                sha256: sha256("checklist"),
            }),
            policy: Policy::default(),
            as_of: BEGUN + DAY,
        },
        metadata: vec![
            Metadata {
                position: 0,
                name: "Project".into(),
                value: "OpenSQT Market Maker".into(),
            },
            Metadata {
                position: 1,
                name: "Phase".into(),
                value: "22".into(),
            },
            Metadata {
                position: 2,
                name: "Date".into(),
                value: "Jan 22, 2026".into(),
            },
        ],
        people: vec![
            person("Ana Lima", "Contributor"),
            person("Rui Sousa", "Reviewer"),
            person("Maria Reis", "Manager"),
        ],
        sections: vec![
            section(0, 1, "1. Overview", "As we approach the final release …"),
            section(1, 1, "2. Scope of Audit", ""),
            section(2, 2, "2.1 Architecture & Configuration", ""),
            section(3, 2, "2.2 Observability & Debugging", ""),
            section(4, 2, "2.3 Operational Procedures", ""),
            section(5, 2, "2.4 Security", ""),
            section(6, 2, "2.5 Final Code Walkthrough", ""),
            section(7, 1, "3. Deliverables", ""),
        ],
        items,
        findings,
        patches: vec![],
        verdict: Verdict {
            outcome: Outcome::NoGo,
            reasons,
            waivers: vec![],
            more: vec![],
        },
        release_decisions: vec![],
        deliverables: [
            (
                "Audit Report",
                "A document summarizing findings and remediations.",
            ),
            (
                "Updated Documentation",
                "Revisions to `README.md`, `deployment.md`, and architecture specs.",
            ),
            (
                "Hardening Patches",
                "Code fixes for any issues found during the audit.",
            ),
        ]
        .into_iter()
        .enumerate()
        .map(|(n, (title, text))| Deliverable {
            position: u32::try_from(n).unwrap(),
            title: title.into(),
            text: text.into(),
            done: false,
            owner: Some("Ana Lima".into()),
            note: None,
            link: None,
        })
        .collect(),
        scans: vec![],
        activity: ActivityHead {
            sequence: 41,
            digest: sha256("entry 41"),
            checkpoint: None,
        },
        since: None,
        decided_report: None,
    }
}

/// A week later: remedied, signed and released with one waiver and one accepted risk; some of the history is void.
pub(crate) fn released() -> Facts {
    let mut facts = audited();
    let now = BEGUN + 8 * DAY + 7 * HOUR;
    facts.review.as_of = now;
    facts.activity = ActivityHead {
        sequence: 212,
        digest: sha256("entry 212"),
        checkpoint: None,
    };
    for (finding, patch) in facts.findings.iter_mut().zip([1, 1, 1, 2, 2, 1, 0]) {
        if patch > 0 {
            finding.status = FindingStatus::Fixed;
            finding.patches = vec![patch];
            finding.triage = Some(Triage {
                by: "Ana Lima".into(),
                asked_by: None,
                at: BEGUN + 5 * DAY,
                reason: format!("Applied P-{patch}."),
            });
        }
    }
    facts.findings[6].status = FindingStatus::RiskAccepted;
    facts.findings[6].acceptance = Some(Acceptance {
        until: BEGUN + 60 * DAY,
        asked_by: "Ana Lima".into(),
        approved_by: "Maria Reis".into(),
        at: BEGUN + 6 * DAY,
        reason: "The health port answers only `ok`; the reverse proxy comes with the next release."
            .into(),
    });
    facts.findings[0].cwe = vec!["CWE-330".into()];
    facts.findings.push(Finding {
        tool: Some("gosec".into()),
        written_by: None,
        rule: Some("G404".into()),
        status: FindingStatus::Duplicate,
        duplicate_of: Some(1),
        also_reported_by: Vec::new(),
        problem:
            "Use of weak random number generator (math/rand or math/rand/v2 instead of crypto/rand)"
                .into(),
        lines: Some(Lines {
            first: 214,
            last: 214,
        }),
        fingerprint: Some("gosec:G404:1".into()),
        ..finding(
            8,
            Severity::Medium,
            "Code",
            "Use of weak random number generator",
            "internal/executor/executor.go",
            "2.5.1",
        )
    });
    let patch = |number, title: &str, text: &str, path: &str, findings: &[i64]| Patch {
        number,
        title: title.into(),
        state: PatchState::Applied,
        sha256: sha256(text),
        size_bytes: text.len() as u64,
        author: "Ana Lima".into(),
        approved_by: Some("Rui Sousa".into()),
        approved_at: Some(BEGUN + 4 * DAY),
        applied_commit: Some(COMMIT.into()),
        files: vec![PatchFile {
            path: path.into(),
            added: 14,
            removed: 31,
        }],
        findings: findings.to_vec(),
        item_keys: vec![],
        touches: findings
            .iter()
            .map(|n| format!("Touches the file of F-{n}."))
            .collect(),
        applies: Some("Applies to the target commit.".into()),
    };
    facts.patches = vec![
        patch(
            1,
            "Fix OrderExecutor",
            PATCH_1,
            "internal/executor/executor.go",
            &[1, 2, 3, 6],
        ),
        patch(
            2,
            "Update documentation",
            PATCH_2,
            "docs/deployment.md",
            &[4, 5],
        ),
    ];
    for item in &mut facts.items {
        let mut note = evidence(&format!("note-{}", item.key), "note", "Walkthrough", NOTE);
        note.commit = None;
        item.evidence.push(note);
        item.state = ItemState::Passed;
        item.sign_offs.push(SignOff {
            by: "Rui Sousa".into(),
            email: Some("rui@example.org".into()),
            disabled_at: None,
            reset_at: None,
            four_eyes: true,
            old_rules: false,
            role: "Reviewer".into(),
            decision: Decision::Pass,
            statement: String::new(),
            at: BEGUN + 7 * DAY,
            digest: sha256(&item.key),
            standing: Standing::Valid,
            changes: vec![],
        });
    }
    let secrets = &mut facts.items[9];
    let mut scan = evidence("scan-1", "scan", "Clean scan", GITLEAKS);
    scan.file_name = Some("gitleaks.sarif".into());
    scan.text = None;
    secrets.evidence.push(scan);
    let rollback = &mut facts.items[8];
    rollback.state = ItemState::Waived;
    rollback.waiver = Some(Waiver {
        until: BEGUN + 30 * DAY,
        risk: "A rollback needs the database restored from a backup.".into(),
        reason: "Migrations of this release only add columns.".into(),
        by: "Maria Reis".into(),
        at: BEGUN + 7 * DAY,
    });
    rollback.sign_offs[0].decision = Decision::Waive;
    rollback.sign_offs[0].by = "Maria Reis".into();
    rollback.sign_offs[0].role = "Manager".into();
    rollback.sign_offs[0].statement = "Migrations of this release only add columns.".into();
    let critical = &mut facts.items[11];
    let mut run = evidence("race", "command", "Race detector", RACE);
    run.command = Some("go test -race ./internal/executor".into());
    run.exit_code = Some(0);
    run.observed_at = Some(BEGUN + 2 * DAY - HOUR);
    run.path = Some("internal/executor/executor.go".into());
    critical.evidence.push(run);
    let mut old = evidence("ci", "link", "CI run", LINK);
    old.withdrawn = Some(Withdrawn {
        by: "Ana Lima".into(),
        at: BEGUN + 3 * DAY,
        reason: "It was of another branch.".into(),
    });
    critical.evidence.push(old);
    let mut void = critical.sign_offs[0].clone();
    void.at = BEGUN + 3 * DAY;
    void.digest = sha256("before F-1 was fixed");
    void.standing = Standing::Void;
    void.statement = "Jitter aside, I find no race.".into();
    void.changes = vec![Change {
        what: "finding F-1 `OrderExecutor` uses fixed RNG (`0.5`) for retry jitter".into(),
        was: Some("Critical, Open".into()),
        is: Some("Critical, Fixed".into()),
    }];
    critical.sign_offs.push(void);
    for deliverable in &mut facts.deliverables {
        deliverable.done = true;
    }
    facts.deliverables[2].note = Some("P-1 and P-2".into());
    facts.deliverables[2].link =
        Some("https://git.example.org/opensqt/market_maker/pulls/22".into());
    facts.scans = vec![Scan {
        id: "scan".into(),
        tool: "gosec".into(),
        version: Some("2.22.0".into()),
        series: "gosec".into(),
        format: "sarif".into(),
        commit: Some(COMMIT.into()),
        file_name: Some("gosec.sarif".into()),
        file_sha256: sha256("gosec.sarif"),
        size_bytes: 48_213,
        imported_at: BEGUN + 6 * DAY,
        by: "ci".into(),
        counts: SeverityCounts {
            medium: 1,
            ..SeverityCounts::default()
        },
        comparison: Comparison {
            new: 0,
            unchanged: 1,
            reopened: 0,
            fixed: 4,
        },
        complete: true,
        incomplete_because: None,
    }];
    facts.verdict = Verdict {
        outcome: Outcome::GoWithWaivers,
        reasons: vec![],
        more: vec![],
        waivers: vec![reason(
            ReasonKind::ItemUndecided,
            "item",
            "2.3.3 Rollback Plan",
            "Waived.",
            "a manager",
        )],
    };
    facts.release_decisions = vec![ReleaseDecision {
        by: "Maria Reis".into(),
        email: Some("maria@example.org".into()),
        disabled_at: Some(BEGUN + 9 * DAY),
        reset_at: None,
        old_rules: false,
        role: "Manager".into(),
        decision: ReleaseWord::Go,
        statement: "Go, with the rollback plan due in February.".into(),
        at: BEGUN + 8 * DAY + 6 * HOUR,
        digest: sha256("the review"),
        standing: Standing::Valid,
        changes: vec![],
    }];
    facts.since = Some(Since {
        title: "Phase 21: Integration".into(),
        release: "v1.3.0".into(),
        commit: Some("0c1d2e3f4a5b".into()),
        changes: vec![
            Change {
                what: "item 2.3.3 Rollback Plan".into(),
                was: Some("Passed".into()),
                is: Some("Waived".into()),
            },
            Change {
                what: "finding F-7".into(),
                was: None,
                is: Some("Low, Risk accepted".into()),
            },
        ],
    });
    facts
}
