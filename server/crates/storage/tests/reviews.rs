//! Services, templates, reviews and items on both databases: what the service layer cannot see of them.

use holdpoint_domain::{
    Digest, Gating, InstanceRole, ItemId, ItemState, PersonId, Policy, ReviewId, SectionId,
    ServiceId, TemplateId, TemplateVersionId,
};
use holdpoint_storage::{
    Item, ItemFigures, NewPerson, Review, Section, Service, StorageError, Template,
    TemplateVersion, Tx, testing::TestDatabase,
};

/// Not UTF-8, and with a NUL: a document's bytes are bytes.
const SOURCE: &[u8] = b"\xff\x00- [ ] x\r\n";

fn person(id: &str) -> PersonId {
    PersonId::parse(id).expect("an id")
}

fn item(id: &str, key: &str, position: i64) -> Item {
    Item {
        id: ItemId::parse(id).expect("an id"),
        review: ReviewId::parse("r1").expect("an id"),
        section: SectionId::parse("sec1"),
        parent: None,
        position,
        key: key.to_owned(),
        title: "It's \"quoted\" \\ 'ä' 😀 $1 ?".to_owned(),
        body: "line\n\ttab | {\"json\": null}".to_owned(),
        source_line: 7,
        gating: Gating::Advisory,
        state: ItemState::Open,
        round: 1,
        owner: Some(person("ana")),
        reviewers: Vec::new(),
        due_on: Some("2026-01-30".to_owned()),
        quorum: Some(2),
        scan_hint: None,
        review_requested_by: None,
        review_requested_at: Some(1_769_611_200_000),
        waived_until: None,
        updated_at: 5,
        version: 1,
    }
}

async fn fill(tx: &mut Tx) -> Result<Review, StorageError> {
    for name in ["ana", "ben"] {
        tx.insert_person(NewPerson {
            id: &person(name),
            email: name,
            name,
            instance_role: InstanceRole::Member,
            password_hash: None,
            made_by: None,
            created_at: 1,
        })
        .await?;
    }
    let service = Service {
        id: ServiceId::parse("s1").expect("an id"),
        slug: "maker".to_owned(),
        name: "Maker".to_owned(),
        repository_url: None,
        description: String::new(),
        created_at: 1,
        version: 1,
    };
    tx.insert_service(&service).await?;
    let template = Template {
        id: TemplateId::parse("t1").expect("an id"),
        owner: None,
        name: "PRR".to_owned(),
        created_at: 1,
        created_by: person("ana"),
    };
    tx.insert_template(&template).await?;
    let version = TemplateVersion {
        id: TemplateVersionId::parse("tv1").expect("an id"),
        template: template.id.clone(),
        number: 1,
        file_name: "prr.md".to_owned(),
        sha256: Digest::of(SOURCE),
        reading: "tasks".to_owned(),
        tier: None,
        n_items: 2,
        created_at: 1,
        created_by: person("ana"),
    };
    tx.insert_template_version(&version, SOURCE).await?;
    let review = Review {
        id: ReviewId::parse("r1").expect("an id"),
        service: service.id,
        template_version: version.id,
        title: "PRR".to_owned(),
        release: "v1".to_owned(),
        commit: None,
        due_on: None,
        policy: Policy::default(),
        created_at: 1,
        created_by: person("ana"),
        version: 1,
    };
    tx.insert_review(&review).await?;
    let section = |id: &str, parent: Option<&str>, position| Section {
        id: SectionId::parse(id).expect("an id"),
        review: review.id.clone(),
        parent: parent.and_then(SectionId::parse),
        position,
        level: 2,
        number: None,
        title: "Section".to_owned(),
        prose: String::new(),
    };
    // A child may come before its parent: the statement is one.
    let sections = [section("sec2", Some("sec1"), 2), section("sec1", None, 1)];
    tx.insert_sections(&sections).await?;
    Ok(review)
}

#[tokio::test]
async fn what_is_stored_comes_back_as_it_was() {
    for on in TestDatabase::each().await {
        let mut tx = on.database.write().await.expect("writes");
        let review = fill(&mut tx).await.expect("fills");
        let mut first = item("i1", "1", 1);
        let mut second = item("i2", "1.1", 2);
        second.parent = Some(first.id.clone());
        tx.insert_items(&[second.clone(), first.clone()])
            .await
            .expect("adds items");
        first.reviewers = vec![person("ana"), person("ben")];
        tx.set_reviewers(&first.id, &first.reviewers)
            .await
            .expect("sets reviewers");
        second.reviewers = Vec::new();
        tx.commit().await.expect("commits");
        let mut tx = on.database.read().await.expect("reads");
        assert_eq!(
            tx.review(&review.id).await.expect("asks"),
            Some(review.clone())
        );
        assert_eq!(
            tx.items(&review.id).await.expect("asks"),
            [first.clone(), second.clone()],
            "{}",
            on.name
        );
        let source = tx.template_source(&review.template_version).await;
        assert_eq!(source.expect("asks").as_deref(), Some(SOURCE));
        let both = [second.id.clone(), first.id.clone()];
        assert_eq!(
            tx.item_figures(&both, 0).await.expect("counts"),
            [ItemFigures::default(); 2]
        );
        let sections = tx.sections(&review.id).await.expect("asks");
        assert_eq!(sections[1].parent.as_ref(), Some(&sections[0].id));
    }
}

#[tokio::test]
async fn an_update_of_another_version_touches_nothing() {
    for on in TestDatabase::each().await {
        let mut tx = on.database.write().await.expect("writes");
        let review = fill(&mut tx).await.expect("fills");
        let mut one = item("i1", "1", 1);
        tx.insert_items(std::slice::from_ref(&one))
            .await
            .expect("adds");
        one.state = ItemState::InProgress;
        tx.update_item(&one).await.expect("the first update");
        one.state = ItemState::InReview;
        let stale = tx.update_item(&one).await;
        assert!(
            matches!(stale, Err(StorageError::Conflict)),
            "{}: {stale:?}",
            on.name
        );
        let stored = tx.item(&one.id).await.expect("asks").expect("is there");
        assert_eq!((stored.state, stored.version), (ItemState::InProgress, 2));
        tx.update_review(&review).await.expect("the first update");
        let stale = tx.update_review(&review).await;
        assert!(matches!(stale, Err(StorageError::Conflict)), "{stale:?}");
    }
}

#[tokio::test]
async fn a_taken_key_slug_or_name_is_a_conflict() {
    for on in TestDatabase::each().await {
        let mut tx = on.database.write().await.expect("writes");
        fill(&mut tx).await.expect("fills");
        tx.insert_items(&[item("i1", "1", 1)]).await.expect("adds");
        let taken = tx
            .insert_items(&[item("i2", "2", 2), item("i3", "1", 3)])
            .await;
        assert!(
            matches!(taken, Err(StorageError::Conflict)),
            "{}: {taken:?}",
            on.name
        );
        let mut service = tx
            .service_by_slug("maker")
            .await
            .expect("asks")
            .expect("is there");
        service.id = ServiceId::parse("s2").expect("an id");
        let taken = tx.insert_service(&service).await;
        assert!(matches!(taken, Err(StorageError::Conflict)), "{taken:?}");
        let mut template = tx
            .templates_named("PRR")
            .await
            .expect("asks")
            .pop()
            .expect("is there");
        template.id = TemplateId::parse("t2").expect("an id");
        let taken = tx.insert_template(&template).await;
        assert!(matches!(taken, Err(StorageError::Conflict)), "{taken:?}");
    }
}
