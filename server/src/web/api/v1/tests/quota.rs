//! What counts as an upload, and whose.

use holdpoint_service::UploadBy;

use super::*;

impl Team {
    /// Uses up all that somebody may upload within an hour, but for so many files.
    fn use_up(&self, by: UploadBy<'_>, but: i64) {
        for _ in but..self.services().limits().uploads_per_hour {
            self.services().count_small_upload(by, 0).unwrap();
        }
    }
}

#[tokio::test]
async fn patches_count_for_their_service_if_they_may_be_submitted_there() {
    let team = Team::start().await;
    let review = team.services().review(&team.manager, &team.review).await;
    let by = UploadBy {
        actor: &team.manager,
        service: Some(&review.unwrap().service.id),
    };
    team.use_up(by, 2);
    let item = team.item("2.1.1").await;
    let push = async |who: &Actor, title: &str| {
        let client = team.token(who).await;
        let address = format!("{}?title={title}&items={item}", team.of_review("/patches"));
        let headers = [("content-type", "text/x-patch")];
        let patch = format!("{title}\n\n{PATCH}");
        client.send(Method::POST, &address, &headers, patch).await
    };
    for _ in 0..3 {
        push(&team.viewer, "Not+theirs")
            .await
            .problem(StatusCode::FORBIDDEN);
    }
    assert_eq!(push(&team.owner, "One").await.status, StatusCode::CREATED);
    assert_eq!(push(&team.owner, "Two").await.status, StatusCode::CREATED);
    let refused = push(&team.owner, "Three").await;
    let problem = refused.problem(StatusCode::TOO_MANY_REQUESTS);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .starts_with("This service has uploaded")
    );
}

#[tokio::test]
async fn checklists_count_for_whoever_sends_them() {
    let team = Team::start().await;
    let by = UploadBy {
        actor: &team.manager,
        service: None,
    };
    team.use_up(by, 1);
    let client = team.token(&team.manager).await;
    let headers = [("content-type", "text/markdown")];
    let push = async |text: &'static str| {
        let address = "/templates?name=Short";
        client.send(Method::POST, address, &headers, text).await
    };
    assert_eq!(push("- [ ] One\n").await.status, StatusCode::CREATED);
    let refused = push("- [ ] Two\n").await;
    let problem = refused.problem(StatusCode::TOO_MANY_REQUESTS);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .starts_with("You have uploaded")
    );
}
