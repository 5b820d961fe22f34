//! How much comes in: whoever brings more than is allowed waits, whatever became of the files.

mod common;

use std::io::Write as _;

use common::{MINUTE, World, team, team::Team};
use holdpoint_domain::ServiceRole;
use holdpoint_service::{
    Actor, Ids, ImportWatch, Limits, ServiceError, Services, UploadBy, scans::ScanRequest,
};

fn is_too_often<T: std::fmt::Debug>(outcome: &Result<T, ServiceError>) -> bool {
    matches!(outcome, Err(ServiceError::TooOften { seconds, .. }) if *seconds > 0)
}

fn limited(world: &World, limits: Limits) -> Services {
    let database = world.on.database.clone();
    let files = world.services.files().clone();
    let keys = world.services.keys().clone();
    Services::new(
        database,
        files,
        keys,
        world.clock.clone(),
        Ids::seeded(3),
        limits,
    )
}

fn by(actor: &Actor) -> UploadBy<'_> {
    UploadBy {
        actor,
        service: None,
    }
}

#[tokio::test]
async fn files_that_came_to_nothing_count_as_well_and_an_hour_later_there_is_room_again() {
    let world = World::sqlite().await;
    let ana = world.member("ana").await;
    let limits = Limits {
        uploads_per_hour: 3,
        ..Limits::default()
    };
    let services = limited(&world, limits);
    // One is kept, one given up, one arrives in memory.
    let mut kept = services.begin_upload(by(&ana)).await.unwrap();
    kept.write(b"kept").await.unwrap();
    kept.keep().await.unwrap();
    drop(services.begin_upload(by(&ana)).await.unwrap());
    services.count_small_upload(by(&ana), 10).unwrap();
    assert!(is_too_often(&services.begin_upload(by(&ana)).await));
    assert!(is_too_often(&services.count_small_upload(by(&ana), 1)));
    let bo = world.member("bo").await;
    services.begin_upload(by(&bo)).await.unwrap();
    world.clock.advance(60 * MINUTE);
    services.begin_upload(by(&ana)).await.unwrap();
}

#[tokio::test]
async fn bytes_are_counted_while_they_come() {
    let world = World::sqlite().await;
    let ana = world.member("ana").await;
    let limits = Limits {
        upload_bytes_per_hour: 1_000,
        ..Limits::default()
    };
    let services = limited(&world, limits);
    let mut one = services.begin_upload(by(&ana)).await.unwrap();
    let mut other = services.begin_upload(by(&ana)).await.unwrap();
    one.write(&[0; 600]).await.unwrap();
    assert!(is_too_often(&other.write(&[0; 600]).await));
    other.write(&[0; 400]).await.unwrap();
    assert!(is_too_often(&one.write(&[0; 1]).await));
}

#[tokio::test]
async fn a_service_and_a_token_have_a_measure_of_their_own() {
    let world = World::sqlite().await;
    let (ana, bo) = (world.admin("ana").await, world.admin("bo").await);
    let limits = Limits {
        uploads_per_hour: 2,
        ..Limits::default()
    };
    let services = limited(&world, limits);
    let service = services
        .create_service(&ana, team::new_service("One"))
        .await
        .unwrap()
        .id;
    services
        .set_role(&ana, &service, &bo.id, Some(ServiceRole::Contributor))
        .await
        .unwrap();
    let to_it = |actor| UploadBy {
        actor,
        service: Some(&service),
    };
    services.count_small_upload(to_it(&ana), 1).unwrap();
    services.count_small_upload(to_it(&bo), 1).unwrap();
    // Neither of the two has used up their own.
    assert!(is_too_often(&services.count_small_upload(to_it(&bo), 1)));
    services.count_small_upload(by(&bo), 1).unwrap();
}

/// A scanner's file with so many findings, and a mebibyte of white space that packs to nothing.
fn packed_scan(n_findings: usize) -> Vec<u8> {
    let results: Vec<_> = (1..=n_findings)
        .map(|line| common::scans::result("R1", "warning", u32::try_from(line).expect("few")))
        .collect();
    let text = common::scans::sarif(&results).to_string() + &" ".repeat(1 << 20);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text.as_bytes()).expect("packs");
    gzip.finish().expect("packs")
}

async fn scan(services: &Services, bytes: &[u8]) -> ScanRequest {
    ScanRequest {
        file: services.files().keep(bytes).await.expect("kept"),
        file_name: "gocheck.sarif.gz".to_owned(),
        label: None,
        commit: None,
        format: None,
        watch: ImportWatch::default(),
    }
}

#[tokio::test]
async fn what_a_packed_scan_unpacks_to_counts_whether_it_is_previewed_imported_or_refused() {
    let team = Team::in_world(World::sqlite().await).await;
    let limits = Limits {
        upload_bytes_per_hour: (3 << 20) + (1 << 19),
        findings_per_scan: 3,
        ..Limits::default()
    };
    let services = limited(&team.world, limits);
    let service = &team.service.id;
    let (small, large) = (packed_scan(3), packed_scan(4));
    assert!(small.len() < 10_000, "{}", small.len());
    let import = async |bytes: &[u8], preview| {
        let request = scan(&services, bytes).await;
        services
            .import_scan(&team.owner, service, request, preview)
            .await
    };
    // One finding more than a scan may have is refused, and counts.
    let refused = import(&large, false).await;
    let Err(ServiceError::Rejected { field, message }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(field, "file");
    assert!(
        message.starts_with("The file has more than 3 findings"),
        "{message}"
    );
    import(&small, true).await.unwrap();
    import(&small, false).await.unwrap();
    // What is there already is not read again.
    import(&small, false).await.unwrap();
    assert!(is_too_often(&import(&large, true).await));
    // Before a page keeps it, too.
    let by = UploadBy {
        actor: &team.viewer,
        service: None,
    };
    for n in 0..4 {
        let mut upload = services.begin_upload(by).await.unwrap();
        upload.write(&small).await.unwrap();
        upload.flush().await.unwrap();
        let checked = services.check_scan_file(&upload, "a.sarif.gz", None).await;
        assert_eq!(is_too_often(&checked), n == 3, "{n}: {checked:?}");
    }
}
