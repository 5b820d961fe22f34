//! What everything else stands on: people, the activity log, sessions and files, on both databases.

use holdpoint_domain::{Digest, InstanceRole, PersonId, activity::ChainVerifier};
use holdpoint_storage::{
    ActivityFilter, FileStore, NewActivity, NewPerson, SessionStore, StorageError,
    testing::TestDatabase,
};
use tower_sessions::{
    SessionStore as _,
    cookie::time::OffsetDateTime,
    session::{Id, Record},
};

fn id(text: &str) -> PersonId {
    PersonId::parse(text).expect("a well-formed id")
}

async fn add_person(on: &TestDatabase, name: &str, email: &str) -> Result<(), StorageError> {
    let mut tx = on.database.write().await?;
    let person = id(name);
    tx.insert_person(NewPerson {
        id: &person,
        email,
        name,
        instance_role: InstanceRole::Member,
        password_hash: None,
        made_by: None,
        created_at: 1,
    })
    .await?;
    tx.commit().await
}

fn entry(summary: &str) -> NewActivity<'_> {
    NewActivity {
        at: 5,
        actor: "system",
        action: "test.done",
        subject_kind: "test",
        subject: "s1",
        service: None,
        review: None,
        summary: summary.to_owned(),
        before: None,
        after: Some("{\"ä\":1}".to_owned()),
    }
}

#[tokio::test]
async fn an_address_belongs_to_one_person() {
    for on in TestDatabase::each().await {
        add_person(&on, "ana", "ana@example.org")
            .await
            .expect("the first one");
        let second = add_person(&on, "other", "ana@example.org").await;
        assert!(
            matches!(second, Err(StorageError::Conflict)),
            "{}: {second:?}",
            on.name
        );
        let mut tx = on.database.read().await.expect("reads");
        let found = tx
            .person_by_email("ana@example.org")
            .await
            .expect("asks")
            .expect("finds");
        assert_eq!((found.name.as_str(), found.has_password), ("ana", false));
        assert_eq!(tx.n_people().await.expect("counts"), 1);
    }
}

#[tokio::test]
async fn a_unit_of_work_that_is_dropped_leaves_nothing() {
    for on in TestDatabase::each().await {
        let mut tx = on.database.write().await.expect("writes");
        tx.set_setting("a", "1").await.expect("sets");
        drop(tx);
        let mut tx = on.database.write().await.expect("writes");
        assert_eq!(tx.setting("a").await.expect("asks"), None);
    }
}

#[tokio::test]
async fn the_log_is_one_chain_also_when_many_write_at_once() {
    for on in TestDatabase::each().await {
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..20 {
            let database = on.database.clone();
            tasks.spawn(async move {
                let mut tx = database.write().await.expect("writes");
                tx.append_activity(entry(&format!("did {n}")))
                    .await
                    .expect("appends");
                tx.commit().await.expect("commits");
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.expect("no task panics");
        }
        let mut tx = on.database.read().await.expect("reads");
        let mut chain = ChainVerifier::default();
        for stored in tx.activity_after(0, 100).await.expect("reads the log") {
            chain
                .take(&stored.entry, &stored.entry.canonical(), &stored.digest)
                .expect("each entry carries the digest of the one before");
        }
        assert_eq!(chain.length(), 20, "{}", on.name);
        assert_eq!(
            tx.activity_head().await.expect("has a head"),
            (20, chain.head().to_owned())
        );
        let newest = tx
            .activity(
                ActivityFilter {
                    subject: Some("s1"),
                    before: Some(20),
                    ..Default::default()
                },
                1,
            )
            .await
            .expect("filters");
        assert_eq!(newest[0].entry.sequence, 19);
    }
}

#[tokio::test]
async fn a_session_that_was_revoked_does_not_come_back() {
    for on in TestDatabase::each().await {
        add_person(&on, "ana", "ana@example.org")
            .await
            .expect("makes ana");
        let store = SessionStore::new(on.database.clone(), || 1_000_000);
        let mut record = Record {
            id: Id(1),
            data: [
                ("person".to_owned(), "ana".into()),
                ("user_agent".to_owned(), "Firefox".into()),
            ]
            .into(),
            expiry_date: OffsetDateTime::from_unix_timestamp(2_000).expect("a time"),
        };
        store.create(&mut record).await.expect("creates");
        assert_eq!(
            store.load(&record.id).await.expect("loads"),
            Some(record.clone())
        );
        let mut tx = on.database.write().await.expect("writes");
        let listed = tx
            .sessions_of(&id("ana"), 1_000_000, 10)
            .await
            .expect("lists")
            .entries;
        assert_eq!(listed.len(), 1);
        assert!(
            !listed[0].id.contains(&record.id.to_string()),
            "the cookie's value is not stored"
        );
        assert!(
            tx.revoke_session(&id("ana"), &listed[0].id)
                .await
                .expect("revokes")
        );
        tx.commit().await.expect("commits");
        store.save(&record).await.expect("saves nothing");
        assert_eq!(
            store.load(&record.id).await.expect("loads"),
            None,
            "{}",
            on.name
        );
    }
}

#[tokio::test]
async fn an_expired_session_is_not_loaded() {
    for on in TestDatabase::each().await {
        let store = SessionStore::new(on.database.clone(), || 2_000_001);
        let mut record = Record {
            id: Id(1),
            data: std::collections::HashMap::new(),
            expiry_date: OffsetDateTime::from_unix_timestamp(2_000).expect("a time"),
        };
        store.create(&mut record).await.expect("creates");
        assert_eq!(store.load(&record.id).await.expect("loads"), None);
        assert_eq!(store.delete_expired().await.expect("deletes"), 1);
    }
}

#[tokio::test]
async fn a_damaged_file_is_reported_and_not_served() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = FileStore::open(folder.path()).await.expect("opens");
    let kept = store.keep(b"evidence").await.expect("keeps");
    assert_eq!(
        (&kept.sha256, kept.size_bytes),
        (&Digest::of(b"evidence"), 8)
    );
    assert_eq!(store.keep(b"evidence").await.expect("keeps once"), kept);
    assert_eq!(
        store.read(&kept.sha256).await.expect("reads").as_deref(),
        Some(b"evidence".as_slice())
    );
    assert!(store.verify(&kept.sha256).await.expect("verifies"));
    assert!(
        !store
            .verify(&Digest::of(b"other"))
            .await
            .expect("is not there")
    );
    std::fs::write(store.path(&kept.sha256), b"evidencE").expect("writes");
    assert!(matches!(
        store.read(&kept.sha256).await,
        Err(StorageError::Damaged(_))
    ));
    assert!(matches!(
        store.verify(&kept.sha256).await,
        Err(StorageError::Damaged(_))
    ));
}

#[tokio::test]
async fn a_file_that_is_not_received_to_the_end_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = FileStore::open(folder.path()).await.expect("opens");
    let mut receiving = store.receive().await.expect("begins");
    receiving.write(b"half").await.expect("writes");
    drop(receiving);
    assert_eq!(
        std::fs::read_dir(folder.path().join("incoming"))
            .expect("lists")
            .count(),
        0
    );
}
