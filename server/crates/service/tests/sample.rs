//! The sample review: what it has, and that its report carries everything that the people's own report had.

mod common;

use common::{World, rejected};
use holdpoint_domain::{FindingStatus, ItemId, Outcome, ReviewId, item::Step};
use holdpoint_report::{AllowedKeys, verify_report};
use holdpoint_service::{
    Actor, AsOf, FindingFilter, FindingSort, Services,
    evidence::{EvidenceFields, EvidenceRequest},
    findings::{Triage, TriageFields},
    report::ReportFile,
    sample::LoadedSample,
    sign_off::DecisionRequest,
    standing::ReleaseDecision,
};

/// What `phase22_audit_report.md` says of the seven findings: severity, category, issue, remediation, and the detailed
/// texts. Written out here, because a clone does not have the hand-written report.
const THEIRS: &[&str] = &[
    "**CRITICAL** | Code | `OrderExecutor` uses fixed RNG (`0.5`) for retry jitter | Replace with `math/rand` or `crypto/rand`",
    "**CRITICAL** | Code | `BatchPlaceOrders` never sets `marginError` flag | Update logic to detect margin errors in batch loop",
    "**HIGH** | Code | Inefficient/Custom string search in `isPostOnlyError` | Replace with `strings.Contains`",
    "**HIGH** | Config | `postgres` default password is \"secret\" in docker-compose | Add warning to README / Enforce strong passwords in prod env vars",
    "**HIGH** | Docs | `deployment.md` recommends deprecated \"Standalone Mode\" | Update doc to mandate gRPC mode",
    "**LOW** | Code | Manual `pow` implementation | Replace with `math.Pow`",
    "**LOW** | Config | `market_maker` exposes port 8080 (Health) publicly | Ensure firewall rules or reverse proxy handle auth if exposed",
    "returns a static `0.5`. This causes all retrying instances to sync up (thundering herd)",
    "return 0.5 // Fixed for deterministic testing",
    "the `marginError` variable is defined but never updated",
    "A custom recursive `containsString` function is used",
    "sets `POSTGRES_PASSWORD` to \"secret\" by default",
    "contradicts the Phase 16 gRPC Architecture mandate",
    "Implement error classification in `BatchPlaceOrders`",
    "Rewrite `docs/deployment.md` to feature gRPC deployment",
    "Add security warning about default passwords in `README.md`",
];

async fn person(services: &Services, sample: &LoadedSample, part: &str) -> (Actor, String) {
    let one = sample
        .people
        .iter()
        .find(|person| person.part == part)
        .expect("the sample has this part");
    let signed_in = services
        .sign_in(&one.email, &one.password, "127.0.0.1")
        .await
        .expect("the password works");
    (Actor::of(&signed_in), one.password.clone())
}

async fn sign(services: &Services, who: &(Actor, String), item: &ItemId, decision: &str) {
    let (review, standing) = services.item_standing(&who.0, item).await.expect("stands");
    let service = holdpoint_domain::ServiceId::parse(&review.review.service_id).expect("an id");
    let access = services.access(&who.0, &service).await.expect("reads");
    let form = services
        .sign_form(&who.0, &access, &review, &standing)
        .await
        .expect("a form");
    assert_eq!(
        (form.refusal, form.pass_refusals),
        (None, vec![]),
        "{}",
        standing.item.key
    );
    let request =
        DecisionRequest::parse(decision, "Seen and compared.", "", "", form.basis.as_str())
            .expect("a decision");
    services
        .decide_item(&who.0, item, request, &who.1)
        .await
        .expect("signs");
}

#[tokio::test]
async fn a_draft_of_the_sample_carries_every_fact_of_the_peoples_own_report() {
    for world in World::each().await {
        let services = &world.services;
        let admin = world.admin("ada").await;
        let sample = services.load_sample(Some(&admin)).await.expect("loads");
        let standing = services
            .review_standing(&admin, &sample.review)
            .await
            .expect("stands");
        assert_eq!((standing.items.len(), standing.deliverables.len()), (13, 3));
        assert_eq!(standing.verdict.outcome, Outcome::NoGo);
        let report = services
            .report_markdown(&admin, &sample.review, &AsOf::Newest)
            .await
            .expect("writes");
        assert_eq!(report.signature, None);
        let text = String::from_utf8(report.bytes).expect("text");
        assert!(text.starts_with("# DRAFT"));
        for fact in THEIRS {
            assert!(text.contains(fact), "the report lacks: {fact}");
        }
        let again = services.load_sample(Some(&admin)).await;
        assert!(rejected(again).1.contains("already"));
        let log = world.log().await;
        for person in &sample.people {
            assert!(
                !log.iter()
                    .any(|(_, entry)| entry.contains(&person.password)),
                "a password is in the log"
            );
        }
    }
}

#[tokio::test]
async fn the_sample_worked_to_its_end_gives_a_signed_report_that_is_the_same_each_time_and_verifies()
 {
    let mut reports = Vec::new();
    for world in World::each().await {
        let services = &world.services;
        let admin = world.admin("ada").await;
        let sample = services.load_sample(Some(&admin)).await.expect("loads");
        let owner = person(services, &sample, "Owner of the items").await;
        let reviewer = person(services, &sample, "Reviewer").await;
        let manager = person(services, &sample, "Manager").await;
        let page = services
            .findings_of_review(
                &owner.0,
                &sample.review,
                &FindingFilter::default(),
                FindingSort::Severity,
                500,
                None,
            )
            .await
            .expect("lists");
        for line in page
            .lines
            .iter()
            .filter(|line| line.status == FindingStatus::Open)
        {
            let seen = services
                .finding(&owner.0, &line.id)
                .await
                .expect("reads")
                .finding;
            let action = if seen.created_by.is_some() {
                "fixed"
            } else {
                "false_positive"
            };
            let fields = TriageFields {
                action: action.into(),
                reason: "Mended and checked.".into(),
                ..TriageFields::default()
            };
            let triage = Triage::parse(&fields).expect("a triage");
            services
                .triage_finding(&owner.0, &line.id, seen.version, triage)
                .await
                .expect("triages");
            // What blocks waits for another person.
            let asked = services
                .finding(&owner.0, &line.id)
                .await
                .expect("reads")
                .finding;
            if asked.asked.is_some() {
                services
                    .triage_finding(
                        &manager.0,
                        &line.id,
                        asked.version,
                        Triage::Approve { only: None },
                    )
                    .await
                    .expect("approves");
            }
        }
        for item in services
            .review_standing(&owner.0, &sample.review)
            .await
            .expect("stands")
            .items
        {
            let id = ItemId::parse(&item.item.id).expect("an id");
            if item.is_cleared() {
                continue;
            }
            let fields = EvidenceFields {
                kind: "note".into(),
                text: "Checked.".into(),
                ..EvidenceFields::default()
            };
            let request = EvidenceRequest::parse(&fields, None).expect("a note");
            services
                .add_evidence(&owner.0, &id, request)
                .await
                .expect("adds");
            for step in [Step::Start, Step::RequestReview] {
                let _ = services.step(&owner.0, &id, step, None).await;
            }
            sign(services, &reviewer, &id, "pass").await;
        }
        for deliverable in services
            .deliverables(&owner.0, &sample.review)
            .await
            .expect("lists")
        {
            let change = holdpoint_service::DeliverableChange {
                version: deliverable.deliverable.version,
                done: true,
                note: None,
            };
            services
                .set_done(&owner.0, &deliverable.deliverable.id, change)
                .await
                .expect("is done");
        }
        let standing = services
            .review_standing(&manager.0, &sample.review)
            .await
            .expect("stands");
        assert_eq!(
            standing.verdict.outcome,
            Outcome::Go,
            "{:?}",
            standing.verdict.reasons
        );
        let basis = standing.basis();
        services
            .decide_release(
                &manager.0,
                &sample.review,
                ReleaseDecision::Go,
                "Ready.",
                &basis,
                &manager.1,
            )
            .await
            .expect("signs");
        let first = services
            .report_markdown(&manager.0, &sample.review, &AsOf::Newest)
            .await
            .expect("writes");
        world.clock.advance(3 * common::DAY);
        let second = services
            .report_markdown(&admin, &sample.review, &AsOf::Newest)
            .await
            .expect("writes");
        assert_eq!(first, second, "the same state gives the same bytes");
        let keys =
            AllowedKeys::parse(&services.allowed_signers().await.expect("a key")).expect("a line");
        let signature = first.signature.clone().expect("a decided report is signed");
        assert!(verify_report("report.md", &first.bytes, &signature, &keys).verified());
        let mut changed = first.bytes.clone();
        changed[100] ^= 1;
        assert!(!verify_report("report.md", &changed, &signature, &keys).verified());
        let (bundle, file_name, _) = services
            .report_bundle(
                &manager.0,
                &sample.review,
                &AsOf::Newest,
                std::io::Cursor::new(Vec::new()),
            )
            .await
            .expect("a bundle");
        assert_eq!(file_name, "opensqt-market-maker-v1.0.0-bundle.zip");
        let bundled = bundle.into_inner();
        let verification = holdpoint_report::verify_bundle(
            std::io::Cursor::new(bundled.as_slice()),
            Some(&keys),
            holdpoint_report::verifying::Limits::default(),
        );
        assert!(verification.verified(), "{verification}");
        assert!(
            verification
                .to_string()
                .contains(" sign-offs that the report prints stand in the log holdpoint/"),
            "{verification}"
        );
        let json = services
            .report_json(&manager.0, &sample.review, &AsOf::Newest)
            .await
            .expect("writes");
        let checkpoint = services.log_checkpoint().await.expect("reads");
        let kept = [
            bundled,
            json.bytes,
            first.bytes.clone(),
            checkpoint.expect("is there").into(),
        ];
        for kept in kept {
            let against = holdpoint_report::log::found_heads(std::io::Cursor::new(kept))
                .expect("has heads")
                .into_iter()
                .map(|head| holdpoint_service::OutsideHead {
                    source: "kept".to_owned(),
                    head,
                })
                .collect();
            let check = holdpoint_service::LogCheck {
                against,
                keys: Some(keys.clone()),
            };
            let log = services.verify_log_against(check).await.expect("checks");
            assert_eq!(log.problems, [""; 0]);
            let compared = log.against.expect("was compared");
            assert!(compared.iter().any(|head| head.signed), "{compared:?}");
        }
        rotated_twice_it_verifies_as_before(&world, &manager.0, &sample.review, &first).await;
        assert_eq!(
            services.verify_log().await.expect("verifies").problems,
            [""; 0]
        );
        reports.push(String::from_utf8(first.bytes).expect("text"));
    }
    if let [sqlite, postgres] = reports.as_slice() {
        assert_eq!(sqlite, postgres, "both databases give the same bytes");
    }
}

/// Changes all keys twice after a first bundle was handed out: that bundle still verifies by what it says itself, and what is
/// exported now is the same, byte for byte.
async fn rotated_twice_it_verifies_as_before(
    world: &World,
    manager: &Actor,
    review: &ReviewId,
    report: &ReportFile,
) {
    let services = &world.services;
    let bundle = async || {
        let out = std::io::Cursor::new(Vec::new());
        let (bundle, ..) = services
            .report_bundle(manager, review, &AsOf::Newest, out)
            .await
            .expect("a bundle");
        bundle.into_inner()
    };
    let oldest = bundle().await;
    let first_key = services.signing_keys().await.expect("keys").remove(0).key;
    for _ in 0..2 {
        world.clock.advance(30 * common::DAY);
        services.rotate_keys(None, None).await.expect("rotates");
    }
    world.clock.advance(common::DAY);
    let again = services
        .report_markdown(manager, review, &AsOf::Newest)
        .await
        .expect("writes");
    assert_eq!(&again, report, "the key of its own time signs it");

    let folder = tempfile::tempdir().expect("a folder");
    zip::ZipArchive::new(std::io::Cursor::new(&oldest))
        .expect("a ZIP file")
        .extract(folder.path())
        .expect("unpacks");
    let text = std::fs::read_to_string(folder.path().join("report.md")).expect("a report");
    let command = text
        .lines()
        .find(|line| line.starts_with("ssh-keygen -Y verify -Overify-time="))
        .expect("says how to verify it");
    let verifies = || {
        std::process::Command::new("sh")
            .args(["-c", command])
            .current_dir(folder.path())
            .output()
            .expect("sh runs")
            .status
            .success()
    };
    assert!(verifies(), "with the keys of the bundle: {command}");
    let signers = folder.path().join("allowed_signers");
    let published = services.allowed_signers().await.expect("keys");
    std::fs::write(&signers, &published).expect("writes");
    assert!(verifies(), "with the keys of now: {command} {published}");
    let others: String = published
        .lines()
        .filter(|line| !line.contains(&first_key.public_key))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(others.lines().count() + 1, published.lines().count());
    std::fs::write(&signers, others).expect("writes");
    assert!(!verifies(), "another key is as good");

    // With the private half gone, the signature is the one that was kept, and a bundle still verifies.
    services
        .retire_key(&first_key.fingerprint)
        .await
        .expect("retires");
    let later = services
        .report_markdown(manager, review, &AsOf::Newest)
        .await
        .expect("writes");
    assert_eq!(&later, report);
    let keys = AllowedKeys::parse(&published).expect("lines");
    let later = holdpoint_report::verify_bundle(
        std::io::Cursor::new(bundle().await),
        Some(&keys),
        holdpoint_report::verifying::Limits::default(),
    );
    assert!(later.verified(), "{later}");
}
