//! A decided report: kept with its decision, and the same whatever changes afterwards.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::{
    fs::{File, FileTimes},
    io::Cursor,
    time::{Duration, SystemTime},
};

use common::{DAY, PASSWORD, START, World, rejected, team::*};
use holdpoint_domain::{ItemId, Policy, ServiceRole};
use holdpoint_report::{AllowedKeys, verify_bundle, verify_report, verifying::Limits};
use holdpoint_service::{
    Actor, AsOf, DecidedReports, ReportStanding, ServiceChange, ServiceError, UNCLAIMED_LASTS,
    evidence::{EvidenceFields, EvidenceRequest},
    findings::{FindingFields, FindingRequest},
    standing::ReleaseDecision,
};

const SMALL: &[u8] = b"# Small\n\n## 1. All\n\n- [ ] **One**: Do the one thing.\n";

/// A review of one item, which is passed on a note and a file.
struct Scene {
    team: Team,
    item: ItemId,
}

impl Scene {
    async fn each() -> Vec<Self> {
        let mut scenes = Vec::new();
        for world in World::each().await {
            scenes.push(Self::of(Team::in_world(world).await, Policy::default()).await);
        }
        scenes
    }

    async fn of(mut team: Team, policy: Policy) -> Self {
        let services = &team.world.services;
        let imported = services
            .import_template(&team.manager, import(Some("Small")), SMALL.to_vec())
            .await
            .expect("imports");
        let mut new = new_review(imported.version.id);
        new.policy = policy;
        team.review = services
            .create_review(&team.manager, &team.service.id, new)
            .await
            .expect("begins")
            .review;
        let items = services
            .review_standing(&team.manager, &team.review.id)
            .await
            .expect("stands")
            .items;
        let item = ItemId::parse(&items[0].item.id).expect("an id");
        Self { team, item }
    }

    async fn add_file(&self, bytes: &[u8]) {
        let services = &self.team.world.services;
        let stored = services.files().keep(bytes).await.expect("is kept");
        let fields = EvidenceFields {
            kind: "file".to_owned(),
            title: "Race report".to_owned(),
            commit: "c41f0e2".to_owned(),
            ..EvidenceFields::default()
        };
        let request =
            EvidenceRequest::parse(&fields, Some((stored, "race.txt".to_owned()))).expect("a file");
        services
            .add_evidence(&self.team.owner, &self.item, request)
            .await
            .expect("adds");
    }

    async fn pass(&self) {
        self.add_file(b"PASS\n").await;
        self.team.send_to_review(&self.item).await;
        self.team.decide(&self.item, "pass").await;
    }

    async fn decide(&self, who: &Actor, decision: ReleaseDecision) -> String {
        let services = &self.team.world.services;
        let review = &self.team.review.id;
        let standing = services.review_standing(who, review).await.expect("stands");
        let access = services
            .access(who, &self.team.service.id)
            .await
            .expect("reads");
        let form = services.release_form(who, &access, &standing).await;
        let basis = form.expect("reads").basis;
        services
            .decide_release(
                who,
                &self.team.review.id,
                decision,
                "Ready.",
                &basis,
                PASSWORD,
            )
            .await
            .expect("signs")
            .id
    }

    /// Another review of the same service.
    async fn another(team: &Team) -> holdpoint_domain::ReviewId {
        team.world
            .services
            .create_review(
                &team.manager,
                &team.service.id,
                new_review(team.review.template_version.clone()),
            )
            .await
            .expect("begins")
            .review
            .id
    }

    async fn write_finding(&self, title: &str) -> holdpoint_domain::FindingId {
        let request = FindingRequest::parse(&finding(title)).expect("a finding");
        let team = &self.team;
        team.world
            .services
            .write_finding(&team.owner, &team.review.id, request, &[])
            .await
            .expect("writes")
    }

    /// Every form of the report, by name.
    async fn forms(&self, as_of: &AsOf) -> Vec<(&'static str, Vec<u8>)> {
        let (services, who) = (&self.team.world.services, &self.team.manager);
        let review = &self.team.review.id;
        let report = services.report_markdown(who, review, as_of).await.unwrap();
        let json = services.report_json(who, review, as_of).await.unwrap();
        let sarif = services.report_sarif(who, review, as_of).await.unwrap();
        let csv = services.report_csv(who, review, as_of).await.unwrap();
        let out = Cursor::new(Vec::new());
        let (bundle, name, _) = services
            .report_bundle(who, review, as_of, out)
            .await
            .unwrap();
        vec![
            ("name", report.file_name.into_bytes()),
            ("report.md", report.bytes),
            ("report.md.sig", report.signature.unwrap().into_bytes()),
            ("report.json", json.bytes),
            ("findings.sarif", sarif.bytes),
            ("findings.csv", csv.bytes),
            ("bundle name", name.into_bytes()),
            ("bundle.zip", bundle.into_inner()),
        ]
    }

    async fn draft(&self) -> String {
        let (services, who) = (&self.team.world.services, &self.team.manager);
        let report = services
            .report_markdown(who, &self.team.review.id, &AsOf::Now)
            .await
            .unwrap();
        assert_eq!(report.signature, None);
        assert!(report.standing.is_draft());
        String::from_utf8(report.bytes).unwrap()
    }

    async fn decided(&self) -> DecidedReports {
        self.team
            .world
            .services
            .decided_reports(&self.team.manager, &self.team.review.id)
            .await
            .unwrap()
    }

    /// Does something in the database that no function of the service does.
    async fn tamper(&self, sql: &'static str) {
        let mut tx = self.team.world.on.database.write().await.unwrap();
        tx.tamper_with_activity_for_test(sql).await.unwrap();
        tx.commit().await.unwrap();
    }
}

fn finding(title: &str) -> FindingFields {
    FindingFields {
        title: title.to_owned(),
        severity: "low".to_owned(),
        category: "code".to_owned(),
        problem: "It is slow.".to_owned(),
        ..FindingFields::default()
    }
}

fn differing(
    before: &[(&'static str, Vec<u8>)],
    after: &[(&'static str, Vec<u8>)],
) -> Vec<&'static str> {
    let pairs = before.iter().zip(after);
    pairs
        .filter(|(one, other)| one != other)
        .map(|(one, _)| one.0)
        .collect()
}

#[tokio::test]
async fn a_decided_report_is_the_same_whatever_changes_after() {
    let mut reports = Vec::new();
    for scene in Scene::each().await {
        let team = &scene.team;
        let services = &team.world.services;
        let on = team.on();
        let written = scene.write_finding("The cache is slow").await;
        scene.pass().await;
        let sign_off = scene.decide(&team.manager, ReleaseDecision::Go).await;
        let newest = AsOf::Newest;
        let before = scene.forms(&newest).await;
        assert_eq!(scene.forms(&newest).await, before, "{on}");
        assert!(scene.decided().await.stands);

        team.world.clock.advance(3 * DAY);
        let version = services
            .finding(&team.owner, &written)
            .await
            .unwrap()
            .finding
            .version;
        let request =
            FindingRequest::parse(&finding("Unauthenticated remote code execution")).unwrap();
        services
            .edit_finding(&team.owner, &written, version, request)
            .await
            .unwrap();
        scene.write_finding("Another one").await;
        let change = ServiceChange {
            version: team.service.version,
            name: name("Another Name"),
            slug: holdpoint_domain::text::Slug::parse("another-name").unwrap(),
            repository_url: None,
            description: None,
        };
        services
            .update_service(&team.manager, &team.service.id, change)
            .await
            .unwrap();
        scene
            .tamper("update person set name = 'Somebody Else'")
            .await;
        scene.add_file(b"one more").await;
        let evidence = services
            .evidence_of(&team.owner, &scene.item)
            .await
            .unwrap();
        services
            .withdraw_evidence(
                &team.owner,
                &evidence[0].evidence.id,
                "It was of another host.",
            )
            .await
            .unwrap();
        services
            .set_role(
                &team.admin,
                &team.service.id,
                &team.viewer.id,
                Some(ServiceRole::Manager),
            )
            .await
            .unwrap();

        for as_of in [AsOf::Newest, AsOf::SignOff(sign_off.clone())] {
            let after = scene.forms(&as_of).await;
            assert_eq!(differing(&before, &after), [""; 0], "{on} {as_of:?}");
        }
        let exported = team.world.log().await;
        let exported = exported
            .iter()
            .position(|(action, _)| action == "report.exported");
        let exported = AsOf::Export(i64::try_from(exported.unwrap()).unwrap() + 1);
        assert_eq!(
            differing(&before, &scene.forms(&exported).await),
            [""; 0],
            "{on}"
        );

        let draft = scene.draft().await;
        assert!(
            draft.starts_with("# DRAFT: ") && draft.contains("DRAFT beside the decided report")
        );
        for new in [
            "Another one",
            "Unauthenticated remote code execution",
            "Another Name",
        ] {
            assert!(draft.contains(new), "{on}: {new}");
        }
        let decided = scene.decided().await;
        assert!(!decided.stands, "the withdrawn evidence voids it");
        assert_eq!(decided.reports.len(), 1);
        assert!(
            decided.evidence_since[0]
                .contains("withdrawn since by Somebody Else: It was of another host."),
            "{:?}",
            decided.evidence_since
        );

        let keys = AllowedKeys::parse(&services.allowed_signers().await.unwrap()).unwrap();
        let form = |name| &before.iter().find(|form| form.0 == name).unwrap().1;
        let signature = String::from_utf8(form("report.md.sig").clone()).unwrap();
        assert!(verify_report("report.md", form("report.md"), &signature, &keys).verified());
        let bundle = verify_bundle(
            Cursor::new(form("bundle.zip")),
            Some(&keys),
            Limits::default(),
        );
        assert!(bundle.verified(), "{bundle}");
        assert_eq!(services.verify_log().await.unwrap().problems, [""; 0]);
        reports.push(before);
    }
    if let [sqlite, postgres] = reports.as_slice() {
        assert_eq!(differing(sqlite, postgres), [""; 0], "the databases differ");
    }
}

#[tokio::test]
async fn each_decision_has_a_report_of_its_own() {
    for scene in Scene::each().await {
        let team = &scene.team;
        let review = &team.review.id;
        let services = &team.world.services;
        let first = scene.decide(&team.manager, ReleaseDecision::NoGo).await;
        let no_go = scene.forms(&AsOf::Newest).await;
        team.world.clock.advance(DAY);
        scene.pass().await;
        let second = scene.decide(&team.manager, ReleaseDecision::Go).await;
        assert_ne!(scene.forms(&AsOf::Newest).await, no_go);
        assert_eq!(scene.forms(&AsOf::SignOff(first.clone())).await, no_go);
        let decided = scene.decided().await;
        let of: Vec<_> = decided
            .reports
            .iter()
            .map(|report| (report.sign_off.clone(), report.decision))
            .collect();
        assert_eq!(
            of,
            [
                (first, ReleaseDecision::NoGo),
                (second.clone(), ReleaseDecision::Go)
            ]
        );
        let shown = services
            .report_preview(&team.viewer, review, &AsOf::Newest)
            .await
            .unwrap();
        assert!(
            matches!(shown.standing, ReportStanding::Decided { sign_off, .. } if sign_off == second)
        );
        let entry = team.world.log().await;
        let entry = &entry
            .iter()
            .rfind(|(action, _)| action == "release.signed")
            .unwrap()
            .1;
        assert!(entry.contains(&decided.reports[1].report_sha256), "{entry}");
    }
}

#[tokio::test]
async fn a_report_is_kept_only_once_enough_people_have_signed() {
    for world in World::each().await {
        let policy = Policy {
            approvals: 2,
            ..Policy::default()
        };
        let scene = Scene::of(Team::in_world(world).await, policy).await;
        let team = &scene.team;
        scene.pass().await;
        scene.decide(&team.manager, ReleaseDecision::Go).await;
        assert_eq!(scene.decided().await.reports, []);
        let services = &team.world.services;
        let report = services
            .report_markdown(&team.manager, &team.review.id, &AsOf::Newest)
            .await
            .unwrap();
        assert_eq!(report.standing, ReportStanding::Draft);
        scene.decide(&team.admin, ReleaseDecision::Go).await;
        assert_eq!(scene.decided().await.reports.len(), 1);
    }
}

#[tokio::test]
async fn which_report_is_meant_is_never_ignored() {
    for text in [
        "",
        "yesterday",
        "-1",
        "0",
        "2026-01-30",
        "NOW",
        "1.5",
        "0198-ab",
    ] {
        assert_eq!(rejected(AsOf::parse(Some(text))).0, "as_of", "{text:?}");
    }
    assert_eq!(AsOf::parse(None).unwrap(), AsOf::Newest);
    for scene in Scene::each().await {
        let team = &scene.team;
        let (services, review) = (&team.world.services, &team.review.id);
        scene.pass().await;
        let of_item = services
            .review_standing(&team.manager, review)
            .await
            .unwrap();
        let of_item = of_item.items[0].sign_offs[0].sign_off.id.clone();
        let sign_off = scene.decide(&team.manager, ReleaseDecision::Go).await;
        let other = Scene::another(team).await;
        for (who, as_of, says) in [
            (
                review,
                AsOf::SignOff(of_item),
                "kept with release decisions",
            ),
            (
                review,
                AsOf::SignOff("01980000-0000-7000-8000-000000000000".into()),
                "has no sign-off",
            ),
            (&other, AsOf::SignOff(sign_off.clone()), "has no sign-off"),
            (review, AsOf::Export(1), "no export of this review"),
            (review, AsOf::Export(1_000_000), "no export of this review"),
        ] {
            let asker = &team.manager;
            let outcomes: [Result<(), ServiceError>; 6] = [
                services.report_preview(asker, who, &as_of).await.map(drop),
                services.report_markdown(asker, who, &as_of).await.map(drop),
                services.report_json(asker, who, &as_of).await.map(drop),
                services.report_sarif(asker, who, &as_of).await.map(drop),
                services.report_csv(asker, who, &as_of).await.map(drop),
                services
                    .report_bundle(asker, who, &as_of, Cursor::new(Vec::new()))
                    .await
                    .map(drop),
            ];
            for outcome in outcomes {
                let (field, message) = rejected(outcome);
                assert_eq!(field, "as_of");
                assert!(message.contains(says), "{message}");
                if who == review {
                    assert!(
                        message.contains(&sign_off),
                        "it names what there is: {message}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn a_large_report_is_a_file_that_no_sweep_takes_and_whose_damage_is_told() {
    for scene in Scene::each().await {
        let team = &scene.team;
        let services = &team.world.services;
        // Digits of digests: nothing packs them well.
        let text: String = (0..1_500_u32)
            .map(|n| holdpoint_domain::Digest::of(&n.to_le_bytes()).to_string())
            .collect();
        for part in 0..2 {
            let fields = EvidenceFields {
                kind: "note".to_owned(),
                title: format!("Digits {part}"),
                text: text[part * 48_000..][..48_000].to_owned(),
                commit: "c41f0e2".to_owned(),
                ..EvidenceFields::default()
            };
            let request = EvidenceRequest::parse(&fields, None).expect("a note");
            services
                .add_evidence(&team.owner, &scene.item, request)
                .await
                .expect("adds");
        }
        scene.pass().await;
        scene.decide(&team.manager, ReleaseDecision::Go).await;
        let before = scene.forms(&AsOf::Newest).await;
        let mut tx = team.world.on.database.read().await.unwrap();
        let kept = tx.kept_reports(&team.review.id).await.unwrap().remove(0);
        drop(tx);
        let path = services
            .files()
            .path(&kept.file.expect("it is too large for the database"));
        let long_ago = SystemTime::UNIX_EPOCH
            + Duration::from_millis(u64::try_from(START - UNCLAIMED_LASTS - DAY).unwrap());
        File::options()
            .write(true)
            .open(&path)
            .and_then(|file| file.set_times(FileTimes::new().set_modified(long_ago)))
            .unwrap();
        services.sweep_files().await.unwrap();
        assert_eq!(scene.forms(&AsOf::Newest).await, before);

        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let damaged = services
            .report_markdown(&team.manager, &team.review.id, &AsOf::Newest)
            .await;
        assert!(
            matches!(damaged, Err(ServiceError::Unavailable(_))),
            "{damaged:?}"
        );
        std::fs::remove_file(&path).unwrap();
        let lost = services
            .report_markdown(&team.manager, &team.review.id, &AsOf::Newest)
            .await;
        assert!(
            matches!(lost, Err(ServiceError::Unavailable(_))),
            "{lost:?}"
        );
        assert!(scene.draft().await.starts_with("# DRAFT"));
    }
}

#[tokio::test]
async fn a_kept_report_that_was_edited_in_the_database_is_not_served() {
    let scene = Scene::of(
        Team::in_world(World::sqlite().await).await,
        Policy::default(),
    )
    .await;
    let team = &scene.team;
    scene.pass().await;
    scene.decide(&team.manager, ReleaseDecision::Go).await;
    scene
        .tamper("update fixed_report set packed = (select source from template_version limit 1)")
        .await;
    let services = &team.world.services;
    let edited = services
        .report_markdown(&team.manager, &team.review.id, &AsOf::Newest)
        .await;
    assert!(
        matches!(edited, Err(ServiceError::Unavailable(_))),
        "{edited:?}"
    );
}

#[tokio::test]
async fn a_kept_report_that_was_put_in_the_place_of_another_is_not_served_and_is_found_out() {
    for team in Team::each().await {
        let scene = Scene::of(team, Policy::default()).await;
        let team = &scene.team;
        let services = &team.world.services;
        scene.pass().await;
        scene.decide(&team.manager, ReleaseDecision::NoGo).await;
        scene.decide(&team.manager, ReleaseDecision::Go).await;
        let verified = async || services.verify_log().await.expect("verifies").problems;
        assert_eq!(verified().await, [""; 0]);
        // A whole report, with its own digests and signature: that of the other decision.
        scene
            .tamper(
                "update fixed_report set (sha256, report_sha256, signature, packed, file_sha256) = \
                 (select other.sha256, other.report_sha256, other.signature, other.packed, other.file_sha256 \
                 from fixed_report as other order by other.log_sequence limit 1) \
                 where log_sequence = (select max(log_sequence) from fixed_report)",
            )
            .await;
        let served = services
            .report_markdown(&team.manager, &team.review.id, &AsOf::Newest)
            .await;
        assert!(
            matches!(served, Err(ServiceError::Unavailable(_))),
            "{served:?}"
        );
        let problems = verified().await;
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains("is not the one that was signed"));
        scene
            .tamper("delete from fixed_report where log_sequence = (select max(log_sequence) from fixed_report)")
            .await;
        let problems = verified().await;
        assert!(
            problems[0].contains("is missing: it was deleted"),
            "{problems:?}"
        );
        let served = services
            .report_markdown(&team.manager, &team.review.id, &AsOf::Newest)
            .await;
        assert!(
            matches!(served, Err(ServiceError::Unavailable(_))),
            "none is made in its place: {served:?}"
        );
        assert!(scene.draft().await.starts_with("# DRAFT"));
    }
}

#[tokio::test]
async fn damage_to_the_evidence_behind_a_report_is_told_beside_it() {
    for scene in Scene::each().await {
        let team = &scene.team;
        let services = &team.world.services;
        scene.pass().await;
        scene.decide(&team.manager, ReleaseDecision::Go).await;
        let before = scene.forms(&AsOf::Newest).await;
        assert_eq!(scene.decided().await.evidence_since, [""; 0]);
        let path = services
            .files()
            .path(&holdpoint_domain::Digest::of(b"PASS\n"));
        std::fs::write(&path, b"FAIL\n").unwrap();
        let since = scene.decided().await.evidence_since;
        assert_eq!(
            since,
            [
                "Evidence \"Race report\" of item 1.1: its file is damaged. Restore it from a backup."
            ]
        );
        let review = &team.review.id;
        let again = services
            .report_markdown(&team.manager, review, &AsOf::Newest)
            .await;
        assert_eq!(again.unwrap().bytes, before[1].1);
        let out = Cursor::new(Vec::new());
        let bundle = services
            .report_bundle(&team.manager, review, &AsOf::Newest, out)
            .await;
        assert!(
            matches!(bundle, Err(ServiceError::Unavailable(_))),
            "{bundle:?}"
        );
        std::fs::remove_file(&path).unwrap();
        let since = scene.decided().await.evidence_since;
        assert!(
            since[0].ends_with("its file is gone. Restore it from a backup."),
            "{since:?}"
        );
    }
}
