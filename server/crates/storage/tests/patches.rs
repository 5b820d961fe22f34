//! Patches on both databases: numbers, links, versions, and which of them a scan verifies.

use holdpoint_domain::{
    Digest, FindingId, FindingStatus, InstanceRole, PatchId, PatchState, PersonId, Policy,
    ReviewId, ScanId, SeriesId, ServiceId, Severity, TemplateId, TemplateVersionId,
};
use holdpoint_storage::{
    ChangeNumbers, NewFinding, NewPatch, NewPerson, Patch, Review, Scan, Service, SeverityCounts,
    StorageError, StoredFile, Template, TemplateVersion, Tx,
    finding_rows::{FindingRow, FindingsWrite, NewFindingsOf, ScannerFinding, StoredIdentity},
    testing::TestDatabase,
};

fn person() -> PersonId {
    PersonId::parse("ana").expect("an id")
}

fn review_id() -> ReviewId {
    ReviewId::parse("r1").expect("an id")
}

fn service_id() -> ServiceId {
    ServiceId::parse("s1").expect("an id")
}

fn patch_id(id: &str) -> PatchId {
    PatchId::parse(id).expect("an id")
}

fn finding_id(id: &str) -> FindingId {
    FindingId::parse(id).expect("an id")
}

async fn fill(tx: &mut Tx) -> Result<(), StorageError> {
    tx.insert_person(NewPerson {
        id: &person(),
        email: "ana@example.org",
        name: "Ana",
        instance_role: InstanceRole::Member,
        password_hash: None,
        made_by: None,
        created_at: 1,
    })
    .await?;
    tx.insert_service(&Service {
        id: service_id(),
        slug: "maker".to_owned(),
        name: "Maker".to_owned(),
        repository_url: None,
        description: String::new(),
        created_at: 1,
        version: 1,
    })
    .await?;
    let template = TemplateId::parse("t1").expect("an id");
    tx.insert_template(&Template {
        id: template.clone(),
        owner: None,
        name: "PRR".to_owned(),
        created_at: 1,
        created_by: person(),
    })
    .await?;
    let version = TemplateVersionId::parse("tv1").expect("an id");
    let stored = TemplateVersion {
        id: version.clone(),
        template,
        number: 1,
        file_name: "prr.md".to_owned(),
        sha256: Digest::of(b""),
        reading: "tasks".to_owned(),
        tier: None,
        n_items: 0,
        created_at: 1,
        created_by: person(),
    };
    tx.insert_template_version(&stored, b"").await?;
    tx.insert_review(&Review {
        id: review_id(),
        service: service_id(),
        template_version: version,
        title: "PRR".to_owned(),
        release: "v1".to_owned(),
        commit: None,
        due_on: None,
        policy: Policy::default(),
        created_at: 1,
        created_by: person(),
        version: 1,
    })
    .await
}

async fn add_patch(tx: &mut Tx, id: &str) -> Result<Patch, StorageError> {
    let file = StoredFile {
        sha256: Digest::of(id.as_bytes()),
        size_bytes: 7,
    };
    tx.keep_file(&file, 2).await?;
    let number = tx.take_patch_number(&review_id()).await?;
    tx.insert_patch(&NewPatch {
        id: &patch_id(id),
        review: &review_id(),
        number,
        title: "It's \"quoted\" 'ä' 😀 $1 ?",
        file_sha256: &file.sha256,
        n_files: 1,
        n_added: 2,
        n_removed: 3,
        author_name: "Zoë",
        submitted_by: &person(),
        submitted_at: 2,
    })
    .await?;
    Ok(tx.patch(&patch_id(id)).await?.expect("it was stored"))
}

async fn apply(tx: &mut Tx, id: &str, at: i64) -> Result<(), StorageError> {
    let mut patch = tx.patch(&patch_id(id)).await?.expect("it is there");
    patch.state = PatchState::Applied;
    patch.applied_commit = Some("abcdef1".to_owned());
    patch.applied_at = Some(at);
    tx.update_patch(&patch).await
}

/// A series with findings, as one scan leaves them.
async fn add_scan(tx: &mut Tx, name: &str, findings: &[&str], first: i64) -> SeriesId {
    let series = SeriesId::parse(&format!("series-{name}")).expect("an id");
    let series = tx
        .series_for_import(&series, &service_id(), name, name)
        .await
        .expect("makes the series")
        .id;
    let id = ScanId::parse(&format!("scan-{name}")).expect("an id");
    let file = StoredFile {
        sha256: Digest::of(name.as_bytes()),
        size_bytes: 1,
    };
    tx.keep_file(&file, 3).await.expect("keeps");
    let scan = Scan {
        id: id.clone(),
        service: service_id(),
        series: series.clone(),
        label: name.to_owned(),
        sequence: 1,
        file_sha256: file.sha256,
        file_name: name.to_owned(),
        file_bytes: 1,
        format: "sarif".to_owned(),
        tool: name.to_owned(),
        tool_version: None,
        commit: None,
        target: None,
        incomplete_because: None,
        counts: SeverityCounts::default(),
        changes: ChangeNumbers::default(),
        problems: "[]".to_owned(),
        imported_at: 3,
        imported_by: person(),
        imported_by_name: "Ana".to_owned(),
        undone_at: None,
    };
    tx.insert_scan(&scan).await.expect("stores the scan");
    let findings: Vec<_> = findings
        .iter()
        .map(|id| FindingRow {
            id: finding_id(id),
            identity: StoredIdentity {
                identity: "0".repeat(32),
                context: None,
                basis: "message",
                ordinal: 0,
            },
            scanner_digest: String::new(),
            says: ScannerFinding {
                title: (*id).into(),
                message: "".into(),
                explanation: None,
                severity: Severity::High,
                category: "code".into(),
                rule: None,
                path: Some("src/f.c".into()),
                start_line: Some(5),
                end_line: None,
                snippet: None,
                cve: "[]".into(),
                cwe: "[]".into(),
                aliases: "[]".into(),
                component: None,
                component_version: None,
                fixed_version: None,
                fingerprint: None,
                tool: None,
                scanner_state: None,
                suppression_kind: None,
                suppression_reason: None,
                pointer: "".into(),
                details: None,
            },
        })
        .collect();
    let of = NewFindingsOf {
        service: service_id(),
        series: series.clone(),
        scan: id,
        at: 3,
    };
    tx.write_findings(FindingsWrite::insert(tx.backend(), &of, first, &findings))
        .await
        .expect("stores findings");
    series
}

#[tokio::test]
async fn a_patch_comes_back_as_it_was_stored_and_numbers_have_no_gaps() {
    for on in TestDatabase::each().await {
        let mut tx = on.database.write().await.expect("writes");
        fill(&mut tx).await.expect("fills");
        let one = add_patch(&mut tx, "p1").await.expect("stores");
        tx.commit().await.expect("commits");
        assert_eq!((one.number, one.version, one.file_bytes), (1, 1, 7));
        assert_eq!(one.title, "It's \"quoted\" 'ä' 😀 $1 ?");
        assert_eq!(
            (one.submitted_by_name.as_str(), one.author_name.as_str()),
            ("Ana", "Zoë")
        );
        assert_eq!(one.state, PatchState::Proposed);

        let mut tx = on.database.write().await.expect("writes");
        tx.take_patch_number(&review_id()).await.expect("takes");
        drop(tx);
        let mut tx = on.database.write().await.expect("writes");
        let two = add_patch(&mut tx, "p2").await.expect("stores");
        assert_eq!(two.number, 2, "{}: a number was lost", on.name);
        let found = tx
            .patch_of_file(&review_id(), &Digest::of(b"p1"))
            .await
            .expect("asks");
        assert_eq!(found, Some(one));
    }
}

#[tokio::test]
async fn a_patch_is_not_written_over_another_version() {
    for on in TestDatabase::each().await {
        let mut tx = on.database.write().await.expect("writes");
        fill(&mut tx).await.expect("fills");
        let seen = add_patch(&mut tx, "p1").await.expect("stores");
        let mut approved = seen.clone();
        approved.state = PatchState::Approved;
        approved.decided_by = Some(person());
        approved.decided_at = Some(9);
        tx.update_patch(&approved).await.expect("writes");
        let again = tx.update_patch(&seen).await;
        assert!(
            matches!(again, Err(StorageError::Conflict)),
            "{}: {again:?}",
            on.name
        );
        let stored = tx.patch(&seen.id).await.expect("asks").expect("finds");
        assert_eq!((stored.state, stored.version), (PatchState::Approved, 2));
        assert_eq!(stored.decided_by_name.as_deref(), Some("Ana"));
    }
}

#[tokio::test]
async fn a_scan_verifies_what_was_applied_before_it_and_has_no_open_finding() {
    for on in TestDatabase::each().await {
        let mut tx = on.database.write().await.expect("writes");
        fill(&mut tx).await.expect("fills");
        let series = add_scan(&mut tx, "one", &["gone", "stays"], 1).await;
        let other = add_scan(&mut tx, "two", &["elsewhere"], 3).await;
        tx.insert_finding(&NewFinding {
            id: &finding_id("written"),
            service: &service_id(),
            review: &review_id(),
            number: 4,
            title: "Written by hand",
            description: "",
            remediation: "",
            severity: Severity::Low,
            category: "code",
            path: None,
            start_line: None,
            end_line: None,
            snippet: None,
            created_at: 3,
            created_by: &person(),
        })
        .await
        .expect("stores");
        let links: [(&str, &[&str]); 7] = [
            ("alone", &["gone"]),
            ("with-open", &["gone", "stays"]),
            ("with-elsewhere", &["gone", "elsewhere"]),
            ("with-written", &["gone", "written"]),
            ("only-written", &["written"]),
            ("none", &[]),
            ("late", &["gone"]),
        ];
        for (patch, findings) in links {
            add_patch(&mut tx, patch).await.expect("stores");
            for finding in findings {
                let new = tx
                    .link_patch_to_finding(&patch_id(patch), &finding_id(finding))
                    .await
                    .expect("links");
                assert!(new);
            }
            let at = if patch == "late" { 10 } else { 5 };
            apply(&mut tx, patch, at).await.expect("applies");
        }
        add_patch(&mut tx, "proposed").await.expect("stores");
        tx.link_patch_to_finding(&patch_id("proposed"), &finding_id("gone"))
            .await
            .expect("links");

        let scan = ScanId::parse("scan-one").expect("an id");
        let before = tx.verify_patches(&series, &scan, 10).await.expect("asks");
        assert_eq!(before, [], "{}: nothing is fixed yet", on.name);
        let gone = finding_id("gone");
        tx.fix_findings(std::slice::from_ref(&gone), 10)
            .await
            .expect("fixes");
        let of_other = tx.verify_patches(&other, &scan, 10).await.expect("asks");
        assert_eq!(of_other, [], "{}: another series says nothing", on.name);
        let verified = tx
            .verify_patches(&series, &scan, 10)
            .await
            .expect("verifies");
        let ids: Vec<_> = verified.iter().map(|patch| patch.id.as_str()).collect();
        assert_eq!(ids, ["alone"], "{}", on.name);
        let stored = tx
            .patch(&patch_id("alone"))
            .await
            .expect("asks")
            .expect("finds");
        assert_eq!(stored.state, PatchState::Verified);
        assert_eq!(stored.verified_by_scan, Some(scan.clone()));
        let again = tx.verify_patches(&series, &scan, 10).await.expect("asks");
        assert_eq!(again, [], "{}", on.name);

        let all = ["alone", "with-open", "none"].map(patch_id);
        let ids: Vec<_> = all.iter().collect();
        let links = tx.patch_links(&ids).await.expect("asks");
        let numbers = |id: &str| {
            let links = links.get(&patch_id(id)).cloned().unwrap_or_default();
            let findings = links.findings.into_iter();
            findings
                .map(|one| (one.number, one.status))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            numbers("with-open"),
            [(1, FindingStatus::Fixed), (2, FindingStatus::Open)]
        );
        assert_eq!(numbers("none"), []);
        let unlinked = tx
            .unlink_patch_from_finding(&patch_id("with-open"), &finding_id("stays"))
            .await
            .expect("unlinks");
        assert!(unlinked);
    }
}
