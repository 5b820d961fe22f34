//! Patches through the real router: the form that brings them, the pages that show them, the files that go out.

use std::fmt::Write as _;

use axum::{body::Body, http::Request};
use holdpoint_app::paths;
use holdpoint_domain::{InstanceRole, ReviewId, ServiceRole, text::Name};
use holdpoint_service::{
    Actor, NewAccount, NewReview, NewService, TemplateFor, TemplateImport,
    patches::{PatchFields, PatchRequest},
};
use http::{StatusCode, header};

use super::testing::{Answer, Browser, TestApp};

const DIFF: &str = "diff --git a/src/exec.go b/src/exec.go\nindex 1234abc..5678def 100644\n\
    --- a/src/exec.go\n+++ b/src/exec.go\n@@ -11,3 +11,3 @@ func run()\n eleven\n-twelve <b>\n+TWELVE\u{202e}\n thirteen\n";

struct Scene {
    app: TestApp,
    review: ReviewId,
    owner: Actor,
    reviewer: Actor,
    viewer: Actor,
}

impl Scene {
    async fn set() -> Self {
        let app = TestApp::start().await;
        let services = &app.state.services;
        let mut people = Vec::new();
        for (name, role) in [
            ("ada", InstanceRole::Admin),
            ("ana", InstanceRole::Member),
            ("mira", InstanceRole::Member),
            ("vic", InstanceRole::Member),
        ] {
            let email = format!("{name}@example.org");
            let new = NewAccount {
                email: &email,
                name,
                password: "four words work well",
                instance_role: role,
            };
            people.push(Actor::of(&services.add_person(new).await.unwrap()));
        }
        let [admin, owner, reviewer, viewer] = people.try_into().unwrap();
        let name = |text: &str| Name::parse(text).unwrap();
        let service = services
            .create_service(
                &admin,
                NewService {
                    name: name("Market Maker"),
                    slug: None,
                    repository_url: None,
                    description: None,
                },
            )
            .await
            .unwrap();
        for (person, role) in [
            (&owner, ServiceRole::Contributor),
            (&reviewer, ServiceRole::Reviewer),
            (&viewer, ServiceRole::Viewer),
        ] {
            services
                .set_role(&admin, &service.id, &person.id, Some(role))
                .await
                .unwrap();
        }
        let import = TemplateImport {
            template: None,
            name: Some(name("PRR")),
            owner: TemplateFor::Unsaid,
            file_name: "prr.md".to_owned(),
            reading: None,
            tier: None,
        };
        let document = b"# PRR\n\n## Config\n\n- [ ] **Config Audit**: All of it.\n".to_vec();
        let imported = services
            .import_template(&admin, import, document)
            .await
            .unwrap();
        let review = services
            .create_review(
                &admin,
                &service.id,
                NewReview {
                    template_version: imported.version.id,
                    title: name("Phase 22"),
                    release: name("v1.0.0"),
                    commit: None,
                    due_on: None,
                    policy: holdpoint_domain::Policy::default(),
                },
            )
            .await
            .unwrap()
            .review
            .id;
        Self {
            app,
            review,
            owner,
            reviewer,
            viewer,
        }
    }

    async fn submit_diff(&self) -> String {
        let fields = PatchFields {
            patch: DIFF.to_owned(),
            ..PatchFields::default()
        };
        let request = PatchRequest::parse(&fields, None).unwrap();
        let services = &self.app.state.services;
        let id = services
            .submit_patch(&self.owner, &self.review, request)
            .await
            .unwrap();
        id.as_str().to_owned()
    }
}

/// Sends a form with a file as a browser does: (name, file name if it is a file, value).
async fn upload(
    browser: &Browser<'_>,
    address: &str,
    parts: &[(&str, Option<&str>, &str)],
) -> Answer {
    let mut body = String::new();
    for (name, file, value) in parts {
        let file = file.map(|file| format!("; filename=\"{file}\"\r\nContent-Type: text/plain"));
        let file = file.unwrap_or_default();
        write!(
            body,
            "--edge\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n"
        )
        .unwrap();
    }
    body.push_str("--edge--\r\n");
    let request = Request::post(address)
        .header(header::ACCEPT, "text/html")
        .header(header::COOKIE, &browser.cookie)
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge")
        .header("sec-fetch-site", "same-origin")
        .body(Body::from(body))
        .unwrap();
    browser.app.send(request).await
}

#[tokio::test]
async fn a_pasted_patch_is_shown_unified_and_side_by_side_with_what_hides_made_visible() {
    let scene = Scene::set().await;
    let ana = scene.app.browser(&scene.owner.id).await;
    let review = scene.review.as_str();
    let form = ana.get(&paths::new_patch(review)).await;
    assert_eq!(form.status, StatusCode::OK);
    let item = form
        .html()
        .select(&scraper::Selector::parse("input[name=items]").unwrap())
        .next()
        .and_then(|input| input.attr("value").map(str::to_owned))
        .unwrap();
    let pasted = DIFF.replace('\n', "\r\n");
    let answer = upload(
        &ana,
        &paths::patch_upload(review),
        &[
            ("file", Some(""), ""),
            ("patch", None, &pasted),
            ("title", None, ""),
            ("items", None, &item),
            ("finding_numbers", None, ""),
        ],
    )
    .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let address = answer.header("location").to_owned();
    let page = ana.get(&address).await;
    assert_eq!(page.texts("h1"), ["P-1 Change src/exec.go"]);
    assert_eq!(page.texts("tr.del td.code"), ["twelve <b>"]);
    assert_eq!(page.texts("tr.add td.code"), ["TWELVE‹U+202E›"]);
    assert!(
        page.texts("main a")
            .iter()
            .any(|text| text.contains("Config Audit"))
    );
    assert!(
        page.body.contains("the review names no target commit"),
        "what is not known is said"
    );
    let split = ana.get(&format!("{address}?view=split")).await;
    assert_eq!(
        split.texts("table.sbs tr.chg td.code"),
        ["twelve <b>", "TWELVE‹U+202E›"]
    );
    let list = ana.get(&paths::patches(review)).await;
    assert_eq!(list.texts("a.ttl"), ["P-1 Change src/exec.go"]);
    // The item that it serves shows it, with what it changes.
    let on_item = ana.get(&paths::item(&item)).await;
    assert_eq!(on_item.texts("#patch h3"), ["P-1 Change src/exec.go"]);
    assert_eq!(on_item.texts("#patch tr.del td.code"), ["twelve <b>"]);
}

#[tokio::test]
async fn a_refused_patch_keeps_what_was_typed_and_ticked_and_says_what_is_wrong_at_its_place() {
    let scene = Scene::set().await;
    let ana = scene.app.browser(&scene.owner.id).await;
    let address = paths::new_patch(scene.review.as_str());
    let to = paths::patch_upload(scene.review.as_str());
    let form = ana.get(&address).await;
    let item = form
        .html()
        .select(&scraper::Selector::parse("input[name=items]").unwrap())
        .next()
        .and_then(|input| input.attr("value").map(str::to_owned))
        .unwrap();
    let parts = [
        ("patch", None, "not a patch & <more>"),
        ("title", None, "My title"),
        ("items", None, item.as_str()),
        ("finding_numbers", None, "F-9"),
    ];
    let answer = upload(&ana, &to, &parts).await;
    assert_eq!(answer.header("location"), address);
    let page = ana.get(&address).await;
    assert!(page.texts("#patch-error")[0].starts_with("Line 1: no diff was found."));
    assert_eq!(page.texts("textarea"), ["not a patch & <more>"]);
    assert!(page.body.contains("value=\"My title\""));
    assert!(page.body.contains("value=\"F-9\""));
    let ticked = scraper::Selector::parse("input[name=items][checked]").unwrap();
    assert_eq!(page.html().select(&ticked).count(), 1);

    let answer = upload(&ana, &to, &[("file", Some("x.patch"), "not a patch")]).await;
    assert_eq!(answer.header("location"), address);
    let page = ana.get(&address).await;
    assert!(page.texts("#file-error")[0].starts_with("Line 1: no diff was found."));
    assert_eq!(page.texts("#patch-error"), Vec::<String>::new());
}

#[tokio::test]
async fn downloads_are_saved_and_never_shown() {
    let scene = Scene::set().await;
    let id = scene.submit_diff().await;
    let vic = scene.app.browser(&scene.viewer.id).await;
    let file = vic.get(&paths::patch_file(&id)).await;
    assert_eq!(file.body, DIFF);
    assert_eq!(
        file.header("content-disposition"),
        "attachment; filename=\"P-1.patch\""
    );
    assert_eq!(file.header("x-content-type-options"), "nosniff");
    assert_eq!(
        file.header("content-security-policy"),
        "sandbox; default-src 'none'"
    );
    let none = vic.get(&paths::patch_series(scene.review.as_str())).await;
    assert!(none.status.is_client_error(), "{}", none.status);
    assert!(
        none.body
            .contains("No patch of this review is approved yet")
    );

    let mira = scene.app.browser(&scene.reviewer.id).await;
    let answer = mira
        .submit(
            &paths::action("patches/decide"),
            &[("patch", &id), ("version", "1"), ("decision", "approve")],
        )
        .await;
    assert_eq!(answer.header("location"), paths::patch(&id));
    let page = mira.get(&paths::patch(&id)).await;
    let said = page.texts("main .notice");
    assert!(
        said.iter().any(|text| text.contains("Approved by mira")),
        "{said:?}"
    );
    let series = vic.get(&paths::patch_series(scene.review.as_str())).await;
    assert_eq!(
        series.header("content-disposition"),
        "attachment; filename=\"market-maker-v1.0.0-patches.mbox\""
    );
    assert_eq!(series.header("content-type"), "application/mbox");
    assert!(series.body.starts_with("From "), "{}", series.body);

    let nobody = scene.app.get(&paths::patch_file(&id)).await;
    assert_ne!(nobody.status, StatusCode::OK);
    assert!(!nobody.body.contains("twelve"));
}

#[tokio::test]
async fn what_is_not_possible_is_a_button_with_its_reason() {
    let scene = Scene::set().await;
    let id = scene.submit_diff().await;
    let ana = scene.app.browser(&scene.owner.id).await;
    let page = ana.get(&paths::patch(&id)).await;
    assert_eq!(
        page.texts("#no-approve"),
        ["Only a reviewer or manager of this service can decide on a patch."]
    );
    assert_eq!(
        page.texts("#no-apply"),
        ["Only an approved patch can be marked as applied."]
    );
    let mira = scene.app.browser(&scene.reviewer.id).await;
    let answer = mira
        .submit(
            &paths::action("patches/decide"),
            &[
                ("patch", &id),
                ("version", "7"),
                ("decision", "reject"),
                ("reason", "Breaks it."),
            ],
        )
        .await;
    assert_eq!(answer.header("location"), paths::patch(&id));
    let conflict = mira.get(&paths::patch(&id)).await;
    assert_eq!(conflict.status, StatusCode::CONFLICT);
    assert_eq!(conflict.texts("textarea[name=reason]"), ["Breaks it."]);
    let answer = mira
        .submit(
            &paths::action("patches/decide"),
            &[("patch", &id), ("version", "1"), ("decision", "reject")],
        )
        .await;
    assert_eq!(answer.header("location"), paths::patch(&id));
    let refused = mira.get(&paths::patch(&id)).await;
    assert_eq!(refused.texts("#reason-error").len(), 1);
}
