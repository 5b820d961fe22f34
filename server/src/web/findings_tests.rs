//! Scans and findings through the real router: upload, preview, import, the pages, triage.

use std::time::Duration;

use axum::{body::Body, http::Request};
use holdpoint_app::{paths, pending::PendingScans};
use holdpoint_domain::{
    FindingId, FindingStatus, InstanceRole, ReviewId, ServiceId, ServiceRole, text::Name, triage,
};
use holdpoint_service::{
    Actor, FindingFilter, FindingLine, FindingSort, Limits, NewAccount, NewReview, NewService,
    TemplateFor, TemplateImport,
    findings::{Triage, TriageFields},
};
use http::{StatusCode, header};
use serde_json::{Value, json};

use super::testing::{Answer, Browser, TestApp};

/// Names and bytes of what a form sends.
type Files<'a> = &'a [(&'a str, &'a [u8])];

const SCRIPT: &str = "<script>alert(1)</script><img src=x onerror=alert(2)>";

struct Scene {
    app: TestApp,
    service: ServiceId,
    review: ReviewId,
    owner: Actor,
    manager: Actor,
    viewer: Actor,
}

impl Scene {
    async fn set() -> Self {
        Self::on(TestApp::start().await).await
    }

    async fn on(app: TestApp) -> Self {
        let services = &app.state.services;
        let mut people = Vec::new();
        for (name, role) in [
            ("ada", InstanceRole::Admin),
            ("ana", InstanceRole::Member),
            ("mira", InstanceRole::Member),
            ("vic", InstanceRole::Member),
        ] {
            let new = NewAccount {
                email: &format!("{name}@example.org"),
                name,
                password: "four words work well",
                instance_role: role,
            };
            people.push(Actor::of(&services.add_person(new).await.unwrap()));
        }
        let [admin, owner, manager, viewer] = people.try_into().unwrap();
        let name = |text: &str| Name::parse(text).unwrap();
        let new = NewService {
            name: name("Market Maker"),
            slug: None,
            repository_url: None,
            description: None,
        };
        let service = services.create_service(&admin, new).await.unwrap().id;
        for (person, role) in [
            (&owner, ServiceRole::Contributor),
            (&manager, ServiceRole::Manager),
            (&viewer, ServiceRole::Viewer),
        ] {
            services
                .set_role(&admin, &service, &person.id, Some(role))
                .await
                .unwrap();
        }
        let template = TemplateImport {
            template: None,
            name: Some(name("PRR")),
            owner: TemplateFor::Unsaid,
            file_name: "prr.md".to_owned(),
            reading: None,
            tier: None,
        };
        let document =
            b"# PRR\n\n## 1 Ready\n\n- [ ] **Scans**: Scanned.\n- [ ] **Errors**: Handled.\n"
                .to_vec();
        let imported = services
            .import_template(&manager, template, document)
            .await
            .unwrap();
        let new = NewReview {
            template_version: imported.version.id,
            title: name("First"),
            release: name("v1"),
            commit: None,
            due_on: None,
            policy: holdpoint_domain::Policy::default(),
        };
        let review = services
            .create_review(&manager, &service, new)
            .await
            .unwrap()
            .review
            .id;
        Self {
            app,
            service,
            review,
            owner,
            manager,
            viewer,
        }
    }

    async fn browser(&self, who: &Actor) -> Browser<'_> {
        self.app.browser(&who.id).await
    }

    async fn findings(&self) -> Vec<FindingLine> {
        let services = &self.app.state.services;
        let all = FindingFilter::default();
        services
            .findings_of_review(
                &self.viewer,
                &self.review,
                &all,
                FindingSort::Number,
                500,
                None,
            )
            .await
            .unwrap()
            .lines
    }

    /// Uploads files and follows to the preview, or back to the form.
    async fn upload(&self, browser: &Browser<'_>, files: &[(&str, &[u8])]) -> (String, Answer) {
        let answer = send(
            browser,
            &paths::scan_upload(self.review.as_str()),
            &[("label", "main")],
            files,
        )
        .await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        let address = answer.header("location").to_owned();
        let page = browser.get(&address).await;
        (address, page)
    }

    /// Uploads one file and imports it as the preview offers it.
    async fn import(&self, browser: &Browser<'_>, file: &Value) -> Answer {
        let (address, page) = self
            .upload(browser, &[("r.sarif", file.to_string().as_bytes())])
            .await;
        let preview = address.rsplit('/').next().unwrap();
        confirm(browser, self.review.as_str(), preview, &offered(&page)).await
    }
}

async fn confirm(browser: &Browser<'_>, review: &str, preview: &str, files: &[String]) -> Answer {
    let mut fields = vec![("review", review), ("preview", preview)];
    fields.extend(files.iter().map(|file| ("files[]", file.as_str())));
    let answer = browser.submit("/act/scans/import", &fields).await;
    assert!(answer.status.is_redirection(), "{}", answer.body);
    browser.get(answer.header("location")).await
}

/// What the boxes of a preview would send.
fn offered(page: &Answer) -> Vec<String> {
    let selector = scraper::Selector::parse("input[name='files[]']:not([disabled])").unwrap();
    page.html()
        .select(&selector)
        .map(|input| input.value().attr("value").unwrap().to_owned())
        .collect()
}

async fn send(
    browser: &Browser<'_>,
    address: &str,
    fields: &[(&str, &str)],
    files: &[(&str, &[u8])],
) -> Answer {
    let mut body = Vec::new();
    for (name, value) in fields {
        let part =
            format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    for (name, bytes) in files {
        let head = format!(
            "--edge\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\nContent-Type: text/html\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    let request = Request::post(address)
        .header(header::ACCEPT, "text/html")
        .header(header::COOKIE, &browser.cookie)
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge")
        .header("sec-fetch-site", "same-origin")
        .body(Body::from(body))
        .unwrap();
    browser.app.send(request).await
}

fn sarif(rules: &[&str]) -> Value {
    let results: Vec<_> = rules
        .iter()
        .zip(1_u32..)
        .map(|(rule, line)| {
            json!({
                "ruleId": rule,
                // It does not block, so that one person decides about it alone.
                "level": "warning",
                "message": { "text": format!("{rule} is violated") },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": "src/exec.go" },
                    "region": { "startLine": line, "snippet": { "text": "run()" } }
                }}]
            })
        })
        .collect();
    json!({
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "gocheck" } },
            "invocations": [{ "executionSuccessful": true }],
            "results": results
        }]
    })
}

fn triage(action: &str) -> Triage {
    let fields = TriageFields {
        action: action.to_owned(),
        reason: "Generated code.".to_owned(),
        ..TriageFields::default()
    };
    Triage::parse(&fields).unwrap()
}

#[tokio::test]
async fn a_preview_stores_no_finding_its_import_does_and_a_second_one_changes_nothing() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    let file = sarif(&["A", "B"]).to_string();
    let (address, page) = scene.upload(&owner, &[("r.sarif", file.as_bytes())]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert_eq!(page.texts("h1"), ["Import scans"]);
    assert_eq!(page.texts(".deltas .v"), ["2", "0", "0", "0", "0"]);
    assert!(
        scene.findings().await.is_empty(),
        "a preview stores no finding"
    );
    let preview = address.rsplit('/').next().unwrap();
    let done = confirm(&owner, scene.review.as_str(), preview, &offered(&page)).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    assert_eq!(
        done.texts(".notice"),
        ["Imported r.sarif: 2 new, 0 unchanged, 0 moved, 0 reopened, 0 fixed."]
    );
    assert_eq!(scene.findings().await.len(), 2);
    assert_eq!(
        owner.get(&address).await.status,
        StatusCode::NOT_FOUND,
        "a preview is imported once"
    );

    let (address, page) = scene
        .upload(&owner, &[("again.sarif", file.as_bytes())])
        .await;
    assert!(page.body.contains("Imported before: nothing would change"));
    assert_eq!(offered(&page), [] as [String; 0]);
    // Whoever sends it all the same changes nothing either.
    let digest = holdpoint_domain::Digest::of(file.as_bytes());
    let forced = format!("{digest}:{digest}");
    let preview = address.rsplit('/').next().unwrap();
    let done = confirm(&owner, scene.review.as_str(), preview, &[forced]).await;
    assert_eq!(
        done.texts(".notice"),
        ["again.sarif had been imported before, so nothing changed."]
    );
    assert_eq!(scene.findings().await.len(), 2);
}

impl Scene {
    /// Uploads a file and imports it as a page does that was left before the end. Over which ground, the caller may change.
    /// Answers with the addresses of its preview and of the page that watches it.
    async fn import_unseen(
        &self,
        browser: &Browser<'_>,
        over: impl Fn(&str) -> String,
    ) -> (String, String) {
        let file = sarif(&["A", "B"]).to_string();
        let (address, page) = self.upload(browser, &[("r.sarif", file.as_bytes())]).await;
        let offered = offered(&page).remove(0);
        let (_, ground) = offered.split_once(':').unwrap();
        let ground = holdpoint_domain::Digest::parse(&over(ground)).unwrap();
        let mut pending = Value::Null;
        browser
            .in_session("pending-scans", |kept| pending = kept[0].clone())
            .await;
        let pending: PendingScans = serde_json::from_value(pending).unwrap();
        let request = pending.request(&pending.files[0]).unwrap();
        let services = &self.app.state.services;
        let files = vec![(request, ground)];
        let imports = services
            .start_imports(
                &self.owner,
                &self.service,
                &pending.id,
                files,
                Duration::from_secs(60),
            )
            .await
            .unwrap();
        assert!(imports.is_over);
        let watched = paths::scans_running(self.review.as_str(), &imports.id);
        (address, watched)
    }
}

#[tokio::test]
async fn an_import_that_nobody_waited_for_leads_to_its_scan_and_does_not_wait_any_more() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    let (preview, watched) = scene.import_unseen(&owner, str::to_owned).await;
    assert_eq!(owner.get(&preview).await.status, StatusCode::NOT_FOUND);
    owner
        .in_session("pending-scans", |kept| assert_eq!(*kept, json!([])))
        .await;
    let answer = owner.get(&watched).await;
    assert!(answer.status.is_redirection(), "{}", answer.body);
    let scan = owner.get(answer.header("location")).await;
    assert_eq!(scan.texts("h1"), ["gocheck, main #1"]);
    assert_eq!(
        scan.texts(".notice"),
        ["Imported r.sarif: 2 new, 0 unchanged, 0 moved, 0 reopened, 0 fixed."]
    );
    let manager = scene.browser(&scene.manager).await;
    assert_eq!(manager.get(&watched).await.status, StatusCode::NOT_FOUND);
}

/// On SQLite one writes at a time, and an import that stores keeps all others waiting: its pages write nothing.
#[tokio::test]
async fn an_import_is_watched_and_cancelled_while_nothing_can_be_written() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    let review = scene.review.as_str();
    let file = sarif(&["A", "B"]).to_string();
    let files = [("r.sarif", file.as_bytes())];
    let (address, page) = scene.upload(&owner, &files).await;
    let preview = address.rsplit('/').next().unwrap();
    let offered = offered(&page).remove(0);
    let begin = [
        ("review", review),
        ("preview", preview),
        ("files[]", &offered),
    ];
    let writer = scene.app.state.services.database().write().await;
    let looks = async {
        let answer = owner.submit("/act/scans/import", &begin).await;
        let watched = answer.header("location").to_owned();
        let page = owner.get(&watched).await;
        assert_eq!(page.texts("h1"), ["Importing"]);
        assert_eq!(page.texts("li[data-stage] p"), ["Waiting, 2 findings"]);
        // Its preview would compare with what is being written.
        assert_eq!(owner.get(&address).await.header("location"), watched);
        let imports = watched.rsplit('/').next().unwrap();
        let stop = [("review", review), ("imports", imports)];
        let answer = owner.submit("/act/scans/cancel", &stop).await;
        assert_eq!(answer.header("location"), watched);
        let page = owner.get(&watched).await;
        assert_eq!(page.texts("li[data-stage] p"), ["Stopping, 2 findings"]);
        assert!(!page.body.contains("Cancel the import"));
        watched
    };
    let looks = tokio::time::timeout(Duration::from_secs(30), looks).await;
    drop(writer);
    let watched = looks.expect("no page waits for the import");
    let over = async {
        while owner.get(&watched).await.status == StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let over = tokio::time::timeout(Duration::from_secs(30), over).await;
    over.expect("the import stops");
    let page = owner.get(&address).await;
    assert!(
        page.body
            .contains("The import was cancelled. Nothing of it was stored."),
        "{}",
        page.body
    );
    assert!(scene.findings().await.is_empty());
    confirm(&owner, review, preview, &[offered]).await;
    assert_eq!(scene.findings().await.len(), 2);
    assert_eq!(owner.get(&address).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn many_reasons_are_counted_and_some_of_them_listed() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    let rules: Vec<String> = (0..60).map(|n| format!("rule-{n}")).collect();
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let mut file = sarif(&rules);
    for result in file["runs"][0]["results"].as_array_mut().unwrap() {
        result["level"] = json!("error");
    }
    scene.import(&owner, &file).await;
    let page = owner.get(&paths::review(scene.review.as_str())).await;
    let headlines = page.texts(".reasons .why");
    assert!(
        headlines
            .iter()
            .any(|text| text == "60 high findings are open"),
        "{headlines:?}"
    );
    assert_eq!(page.texts(".reasons summary"), ["57 more"]);
    let more = page.texts(".reasons details li");
    assert_eq!((more.len(), &*more[50]), (51, "And 7 more"));
}

#[tokio::test]
async fn of_a_report_that_is_too_long_for_a_page_the_beginning_is_shown_and_the_way_to_all_of_it() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    let manager = scene.browser(&scene.manager).await;
    let report = paths::report(scene.review.as_str());
    let short = manager.get(&report).await;
    assert!(!short.body.contains("too long to read as a page"));
    for unknown in ["", "yesterday", "01980000-0000-7000-8000-000000000000"] {
        let page = manager.get(&format!("{report}?as_of={unknown}")).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{unknown}");
        let file = manager
            .get(&format!(
                "{}?as_of={unknown}",
                paths::report_file(scene.review.as_str(), "report.md", None)
            ))
            .await;
        assert_eq!(file.status, StatusCode::UNPROCESSABLE_ENTITY, "{unknown}");
        for answer in [page, file] {
            let way = format!("a[href='{report}']");
            assert_eq!(answer.texts(&way), ["The report and its versions"]);
        }
    }

    // Each finding is told with its message.
    let rules: Vec<String> = (0..500)
        .map(|n| format!("rule-{n} {}", "that is told at length ".repeat(100)))
        .collect();
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    scene.import(&owner, &sarif(&rules)).await;
    let page = manager.get(&report).await;
    let said = page.texts(".notice p");
    assert!(
        said.iter()
            .any(|text| text.starts_with("The report is too long to read as a page: it has 2")),
        "{said:?}"
    );
    let whole = manager
        .get(&paths::report_file(
            scene.review.as_str(),
            "report.md",
            None,
        ))
        .await;
    assert!(whole.body.len() > 1_000_000, "{}", whole.body.len());
    let n_told = |text: &str| text.matches("that is told at length").count();
    let (shown, all) = (n_told(&page.body), n_told(&whole.body));
    assert!(all / 4 < shown && shown < all / 2, "{shown} of {all}");
}

#[tokio::test]
async fn an_import_that_was_refused_while_nobody_waited_leads_back_to_its_preview() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    let another = holdpoint_domain::Digest::of(b"another ground");
    let (preview, watched) = scene
        .import_unseen(&owner, |_| another.as_str().to_owned())
        .await;
    let answer = owner.get(&watched).await;
    assert_eq!(answer.header("location"), preview, "{}", answer.body);
    let page = owner.get(&preview).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(
        page.body.contains("changed since this preview"),
        "{}",
        page.body
    );
    assert_eq!(offered(&page).len(), 1, "it can be imported now");
}

#[tokio::test]
async fn what_stays_unchanged_is_listed_with_why_and_a_finding_says_what_it_is_recognised_by() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    scene.import(&owner, &sarif(&["A", "B"])).await;
    let next = sarif(&["A", "Between", "B"]).to_string();
    let (_, page) = scene
        .upload(&owner, &[("next.sarif", next.as_bytes())])
        .await;
    assert_eq!(
        page.texts("details.disc > summary"),
        ["See all 2 changes", "See the unchanged finding"]
    );
    assert_eq!(
        page.texts("details.disc[open] > summary"),
        ["See all 2 changes"]
    );
    assert_eq!(
        page.texts("details.disc td .sub"),
        [
            "same as F-2: rule, file and snippet are equal, line moved 2 → 3",
            "same as F-1: rule, file and snippet are equal"
        ]
    );
    let lines = scene.findings().await;
    let page = owner.get(&paths::finding(lines[0].id.as_str())).await;
    assert!(
        page.body.contains("Recognised by rule, file and snippet."),
        "{}",
        page.body
    );
    let to_file = page.texts("a[title=\"The place in the scanner's file\"]");
    assert_eq!(to_file, ["/runs/0/results/0"]);
}

#[tokio::test]
async fn an_import_takes_only_files_that_this_person_uploaded_to_this_review() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    let manager = scene.browser(&scene.manager).await;
    let (address, page) = scene
        .upload(&owner, &[("r.sarif", sarif(&["A"]).to_string().as_bytes())])
        .await;
    let preview = address.rsplit('/').next().unwrap();
    let files = offered(&page);
    assert_eq!(files.len(), 1);
    assert_eq!(manager.get(&address).await.status, StatusCode::NOT_FOUND);
    let refused = confirm(&manager, scene.review.as_str(), preview, &files).await;
    assert!(
        refused.body.contains("This preview is gone"),
        "{}",
        refused.body
    );
    // Bytes that are in the store for another reason are no upload.
    let other = scene
        .app
        .state
        .services
        .files()
        .keep(sarif(&["B"]).to_string().as_bytes())
        .await
        .unwrap();
    let named = format!("{0}:{0}", other.sha256);
    let refused = confirm(&owner, scene.review.as_str(), preview, &[named]).await;
    assert!(
        refused.body.contains("This preview is gone"),
        "{}",
        refused.body
    );
    assert!(scene.findings().await.is_empty());
}

#[tokio::test]
async fn a_preview_whose_ground_has_moved_is_answered_with_the_new_preview() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    scene.import(&owner, &sarif(&["A", "B"])).await;
    let (address, page) = scene
        .upload(&owner, &[("r.sarif", sarif(&["A"]).to_string().as_bytes())])
        .await;
    assert_eq!(page.texts(".deltas .v"), ["0", "1", "0", "0", "1"]);
    let gone = scene.findings().await.remove(1);
    let services = &scene.app.state.services;
    services
        .triage_finding(
            &scene.owner,
            &gone.id,
            gone.version,
            triage("false_positive"),
        )
        .await
        .unwrap();
    let preview = address.rsplit('/').next().unwrap();
    let refused = confirm(&owner, scene.review.as_str(), preview, &offered(&page)).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
    assert_eq!(refused.texts(".deltas .v"), ["0", "1", "0", "0", "0"]);
    let done = confirm(&owner, scene.review.as_str(), preview, &offered(&refused)).await;
    assert!(
        done.texts(".notice")[0].starts_with("Imported r.sarif"),
        "{}",
        done.body
    );
}

#[tokio::test]
async fn what_is_no_scan_is_refused_at_the_field_and_leaves_nothing() {
    let limits = Limits {
        scan_bytes: 2_000,
        ..Limits::default()
    };
    let scene = Scene::on(TestApp::with_limits(limits).await).await;
    let owner = scene.browser(&scene.owner).await;
    let large = vec![b' '; 3_000];
    let cases: [(Files<'_>, &str); 4] = [
        (
            &[("login.html", b"<!doctype html><title>Sign in</title>")],
            "login.html: This is a web page",
        ),
        (
            &[("cut.sarif", b"{\"version\":\"2.1.0\",\"runs\":[")],
            "cut.sarif: This is not a valid",
        ),
        (
            &[("large.sarif", &large)],
            "large.sarif: The file is larger than 2000 bytes",
        ),
        (&[("", b"")], "Choose one or more scanner reports."),
    ];
    for (files, says) in cases {
        let (address, page) = scene.upload(&owner, files).await;
        assert_eq!(address, paths::scans(scene.review.as_str()));
        let errors = page.texts("#files-error");
        assert!(
            errors.len() == 1 && errors[0].contains(says),
            "{says}: {errors:?}"
        );
        let kept = scraper::Selector::parse("input[name=label]").unwrap();
        let html = page.html();
        assert_eq!(
            html.select(&kept).next().unwrap().value().attr("value"),
            Some("main")
        );
    }
    assert!(scene.findings().await.is_empty());
    let somewhere = scene
        .app
        .state
        .services
        .files()
        .path(&holdpoint_domain::Digest::of(b""));
    let stored: Vec<_> = std::fs::read_dir(somewhere.parent().unwrap().parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name != "incoming")
        .collect();
    assert_eq!(stored, [] as [&str; 0], "nothing of a refused file stays");
    let viewer = scene.browser(&scene.viewer).await;
    let (_, page) = scene
        .upload(
            &viewer,
            &[("r.sarif", sarif(&["A"]).to_string().as_bytes())],
        )
        .await;
    assert!(
        page.texts(".notice")
            .iter()
            .any(|text| text.contains("can import scans")),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn what_a_scanner_wrote_is_text_on_every_page() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    let mut file = sarif(&[SCRIPT]);
    let hostile = "javascript:alert(1)";
    let run = &mut file["runs"][0];
    run["tool"]["driver"]["name"] = json!(format!("tool{SCRIPT}"));
    run["tool"]["driver"]["version"] = json!(SCRIPT);
    run["tool"]["driver"]["rules"] = json!([{
        "id": SCRIPT,
        "name": SCRIPT,
        "helpUri": hostile,
        "fullDescription": { "text": SCRIPT },
        "help": { "text": SCRIPT, "markdown": format!("[x]({hostile}) {SCRIPT}") },
        "properties": { "tags": ["external/cwe/cwe-79", SCRIPT] }
    }]);
    let result = &mut run["results"][0];
    result["message"]["text"] = json!(SCRIPT);
    result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] =
        json!(format!("src/{SCRIPT}.go"));
    result["locations"][0]["physicalLocation"]["region"]["snippet"]["text"] =
        json!(format!("x = '{SCRIPT}'"));
    result["relatedLocations"] = json!([{ "message": { "text": SCRIPT }, "physicalLocation": {
        "artifactLocation": { "uri": SCRIPT }, "region": { "startLine": 2 } } }]);
    result["fixes"] = json!([{ "description": { "text": SCRIPT }, "artifactChanges": [{
        "artifactLocation": { "uri": SCRIPT },
        "replacements": [{ "deletedRegion": { "startLine": 1 }, "insertedContent": { "text": SCRIPT } }] }] }]);
    run["invocations"][0]["executionSuccessful"] = json!(false);
    run["invocations"][0]["toolExecutionNotifications"] =
        json!([{ "level": "error", "message": { "text": SCRIPT } }]);
    let name = "<b onclick=alert(1)>.html";
    let (address, page) = scene
        .upload(&owner, &[(name, file.to_string().as_bytes())])
        .await;
    let preview = address.rsplit('/').next().unwrap();
    let scan = confirm(&owner, scene.review.as_str(), preview, &offered(&page)).await;
    let line = scene.findings().await.remove(0);
    let review = scene.review.as_str();
    let pages = [
        page,
        scan,
        owner.get(&paths::findings(review)).await,
        owner.get(&paths::scans(review)).await,
        owner.get(&paths::finding(line.id.as_str())).await,
        owner
            .get(&paths::with_query(
                &paths::findings(review),
                &[("q", SCRIPT), ("scanner", SCRIPT)],
            ))
            .await,
    ];
    for page in pages {
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        assert!(
            page.body.contains("alert(1)"),
            "the text is shown: {}",
            page.body
        );
        let html = page.html();
        for selector in [
            "img",
            "[onerror]",
            "[onclick]",
            "script:not([nonce])",
            "a[href^='javascript']",
            "b[onclick]",
        ] {
            let bad = scraper::Selector::parse(selector).unwrap();
            let found: Vec<_> = html.select(&bad).map(|element| element.html()).collect();
            assert_eq!(found, [] as [String; 0]);
        }
    }
    // The scanner's file goes out as it came, and only as a download.
    let id = scene
        .app
        .state
        .services
        .scans_of(&scene.viewer, &scene.service, None, 1)
        .await
        .unwrap()
        .remove(0)
        .id;
    let sent = owner.get(&paths::scan_file(id.as_str())).await;
    assert_eq!(sent.body, file.to_string());
    assert_eq!(sent.header("content-type"), "application/octet-stream");
    assert_eq!(sent.header("x-content-type-options"), "nosniff");
    assert!(
        sent.header("content-disposition")
            .starts_with("attachment; filename="),
        "{:?}",
        sent.headers
    );
}

#[tokio::test]
async fn a_fix_is_shown_as_a_diff_and_proposed_as_a_patch_where_its_lines_are_known() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    let mut file = sarif(&["G1"]);
    let result = &mut file["runs"][0]["results"][0];
    result["fixes"] = json!([
        { "description": { "text": "Check the command" }, "artifactChanges": [{
            "artifactLocation": { "uri": "src/exec.go" },
            "replacements": [{ "deletedRegion": { "startLine": 1, "startColumn": 1, "endColumn": 4 },
                "insertedContent": { "text": "checked" } }] }] },
        { "description": { "text": "Move it" }, "artifactChanges": [{
            "artifactLocation": { "uri": "src/other.go" },
            "replacements": [{ "deletedRegion": { "startLine": 7 }, "insertedContent": { "text": "moved()" } }] }] },
    ]);
    let (address, page) = scene
        .upload(&owner, &[("g.sarif", file.to_string().as_bytes())])
        .await;
    let preview = address.rsplit('/').next().unwrap();
    confirm(&owner, scene.review.as_str(), preview, &offered(&page)).await;
    let finding = scene.findings().await.remove(0).id;
    let address = paths::finding(finding.as_str());
    let page = owner.get(&address).await;
    let text = page.body.clone();
    assert!(text.contains("checked()"), "the diff is shown");
    assert!(text.contains("moved()"), "the replacement is shown");
    let why = "No patch can be made of it: line 7 of src/other.go is to be changed, and the report does not show that \
        line whole.";
    assert!(text.contains(why), "{text}");
    assert!(text.contains("git apply --unidiff-zero"));
    let form = "form[action='/act/findings/propose-fix']";
    assert_eq!(count(&page, form), 1);
    let viewer = scene.browser(&scene.viewer).await;
    assert_eq!(count(&viewer.get(&address).await, form), 0);

    let sent = [
        ("finding", finding.as_str()),
        ("review", scene.review.as_str()),
        ("fix", "1"),
    ];
    let done = owner
        .submit(&paths::action("findings/propose-fix"), &sent)
        .await;
    let patch = owner.get(done.header("location")).await;
    assert!(
        patch.body.contains("The fix is proposed as a patch."),
        "{}",
        patch.body
    );
    assert!(
        patch.body.contains("Suggested by gocheck in scan 1"),
        "{}",
        patch.body
    );
    let page = owner.get(&address).await;
    assert_eq!(count(&page, form), 0);
    assert!(page.body.contains("makes this change"));
    let again = owner
        .submit(&paths::action("findings/propose-fix"), &sent)
        .await;
    let refused = owner.get(again.header("location")).await;
    assert!(
        refused
            .body
            .contains("P-1 makes this very change: you submitted it already.")
    );
}

#[tokio::test]
async fn series_are_a_facet_where_a_scanner_has_several() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    let review = scene.review.as_str();
    let list = paths::findings(review);
    let boxes = "input[type=checkbox][name=series]";
    for (label, rule, n_boxes) in [("main", "G1", 0), ("release", "G2", 2)] {
        let file = sarif(&[rule]).to_string();
        let answer = send(
            &owner,
            &paths::scan_upload(review),
            &[("label", label)],
            &[("g.sarif", file.as_bytes())],
        )
        .await;
        let address = answer.header("location").to_owned();
        let page = owner.get(&address).await;
        let preview = address.rsplit('/').next().unwrap();
        confirm(&owner, review, preview, &offered(&page)).await;
        assert_eq!(count(&owner.get(&list).await, boxes), n_boxes, "{label}");
    }
    let page = owner.get(&list).await;
    let id = page
        .html()
        .select(&scraper::Selector::parse(boxes).unwrap())
        .nth(1)
        .and_then(|one| one.attr("value").map(str::to_owned))
        .unwrap();
    let page = owner
        .get(&paths::with_query(&list, &[("series", &id)]))
        .await;
    assert!(page.body.contains("G2 is violated") && !page.body.contains("G1 is violated"));
    assert_eq!(count(&page, "input[name=series][checked]"), 1);
    assert_eq!(count(&page, boxes), 2);
}

fn count(page: &Answer, selector: &str) -> usize {
    let selector = scraper::Selector::parse(selector).unwrap();
    page.html().select(&selector).count()
}

#[tokio::test]
async fn an_incomplete_scan_is_called_no_evidence_of_cleanness() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    let mut file = sarif(&[]);
    file["runs"][0]["invocations"][0]["executionSuccessful"] = json!(false);
    let scan = scene.import(&owner, &file).await;
    assert!(
        scan.body.contains("no evidence of cleanness"),
        "{}",
        scan.body
    );
    assert!(!scan.body.contains("complete and clean"));
    let list = owner.get(&paths::scans(scene.review.as_str())).await;
    assert_eq!(list.texts("tbody .pill"), ["Incomplete"]);
    let clean = scene.import(&owner, &sarif(&[])).await;
    assert!(clean.body.contains("complete and clean"), "{}", clean.body);
}

#[tokio::test]
async fn a_decision_over_an_older_version_is_a_conflict_that_keeps_what_was_typed() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    scene.import(&owner, &sarif(&["A"])).await;
    let line = scene.findings().await.remove(0);
    let version = line.version.to_string();
    let services = &scene.app.state.services;
    services
        .triage_finding(
            &scene.manager,
            &line.id,
            line.version,
            triage("false_positive"),
        )
        .await
        .unwrap();
    let fields = [
        ("finding", line.id.as_str()),
        ("version", &version),
        ("review", scene.review.as_str()),
        ("action", "ask_acceptance"),
        ("until", "2026-02-20"),
        ("reason", "Typed with <care>."),
    ];
    let answer = owner.submit("/act/findings/triage", &fields).await;
    let page = owner.get(answer.header("location")).await;
    assert_eq!(page.status, StatusCode::CONFLICT, "{}", page.body);
    assert_eq!(
        page.texts("textarea[name=reason]")[0].trim(),
        "Typed with <care>."
    );
    assert_eq!(
        page.texts("section[aria-labelledby=versions] td"),
        [
            "Acceptance asked for",
            "False positive",
            "Typed with <care>.",
            "Generated code."
        ]
    );
    assert_eq!(
        scene.findings().await[0].status,
        FindingStatus::FalsePositive
    );
    // A refusal at a field keeps it too.
    let fields = [
        ("finding", line.id.as_str()),
        ("version", "2"),
        ("action", "duplicate"),
        ("duplicate_of", "F-99"),
        ("reason", "Kept."),
    ];
    let answer = owner.submit("/act/findings/triage", &fields).await;
    let page = owner.get(answer.header("location")).await;
    assert_eq!(
        page.texts("#duplicate_of-error"),
        ["There is no finding F-99."]
    );
    assert_eq!(page.texts("textarea[name=reason]")[0].trim(), "Kept.");
}

#[tokio::test]
async fn what_was_not_done_of_all_that_match_is_what_is_asked_about_next() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    scene.import(&owner, &sarif(&["A", "B", "C"])).await;
    let second = scene.findings().await[1].clone();
    let services = &scene.app.state.services;
    services
        .triage_finding(&scene.manager, &second.id, 1, triage("false_positive"))
        .await
        .unwrap();
    let decide = async |which: &[(&str, &str)], action: &str| {
        let mut fields = vec![
            ("review", scene.review.as_str()),
            ("action", action),
            ("reason", "Generated code."),
            ("back", "all=1"),
        ];
        fields.extend(which);
        let answer = owner.submit("/act/findings/triage-many", &fields).await;
        owner.get(answer.header("location")).await
    };
    let page = decide(&[("which", "all"), ("n", "3")], "false_positive").await;
    let said = page.texts("#refused");
    assert!(
        said[0].starts_with("Done: 2 of 3. Not done: F-2:"),
        "{said:?}"
    );
    // The other two match as before, and are not decided about again.
    assert_eq!(count(&page, "input[name=which]"), 0);
    assert_eq!(page.texts("tbody .ttl"), ["B is violated"]);
    assert_eq!(page.texts("form.stack button"), ["Apply to what is ticked"]);
}

#[tokio::test]
async fn a_list_says_what_of_its_address_it_did_not_understand() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    scene.import(&owner, &sarif(&["A"])).await;
    let list = paths::findings(scene.review.as_str());
    for (query, said) in [
        ("severity=medium&status=open&q=violated", None),
        (
            "severity=awful",
            Some("The address names a word that no filter knows. The list is not cut by it."),
        ),
        (
            "says=nothing&item=gone",
            Some(
                "The address names a word that no filter knows and an item that this review does not have. \
                 The list is not cut by them.",
            ),
        ),
    ] {
        let page = owner.get(&format!("{list}?{query}")).await;
        assert_eq!(page.status, StatusCode::OK, "{query}");
        assert_eq!(page.texts("p[role=status]"), said.as_slice(), "{query}");
        assert_eq!(page.texts("tbody .ttl").len(), 1, "{query}");
    }
}

#[tokio::test]
async fn a_list_goes_out_as_a_file_also_where_it_is_compressed() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    scene.import(&owner, &sarif(&["A", "B"])).await;
    for form in ["csv", "sarif"] {
        let path = paths::findings_file(scene.review.as_str(), form, "");
        let request = Request::get(&path)
            .header("cookie", &owner.cookie)
            .header("accept-encoding", "gzip");
        let packed = scene.app.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(packed.header("content-encoding"), "gzip", "{form}");
        assert!(
            owner.get(&path).await.body.contains("B is violated"),
            "{form}"
        );
    }
}

#[tokio::test]
async fn a_file_that_is_refused_after_another_was_imported_is_told_with_it() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    let one = sarif(&["A"]).to_string();
    let other = one.replace("gocheck", "pycheck");
    let files = [
        ("one.sarif", one.as_bytes()),
        ("two.sarif", other.as_bytes()),
    ];
    let (address, page) = scene.upload(&owner, &files).await;
    let mut chosen = offered(&page);
    let digest = chosen[1].split_once(':').unwrap().0.to_owned();
    chosen[1] = format!("{digest}:{}", holdpoint_domain::Digest::of(b"another"));
    let preview = address.rsplit('/').next().unwrap();
    let page = confirm(&owner, scene.review.as_str(), preview, &chosen).await;
    let said = page.texts("[role=alert]");
    assert!(
        said[0].starts_with("one.sarif is imported, two.sarif is not: "),
        "{said:?}"
    );
    // What is in does not wait any more; what is not can be imported as it would be now.
    assert_eq!(page.texts("th .strong"), ["two.sarif"]);
    assert_eq!(offered(&page).len(), 1);
    assert_eq!(scene.findings().await.len(), 1);
}

#[tokio::test]
async fn a_line_says_what_the_scanner_says_and_no_word_twice() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    let mut file = sarif(&["Secret Keyword", "G2"]);
    let results = &mut file["runs"][0]["results"];
    results[0]["message"]["text"] = json!("Secret Keyword");
    results[0]["suppressions"] = json!([{ "kind": "inSource", "status": "accepted" }]);
    scene.import(&owner, &file).await;
    let list = paths::findings(scene.review.as_str());
    let page = owner.get(&list).await;
    // Beside the title, where a long one does not cut it off.
    assert_eq!(page.texts(".tagged > .pill"), ["Suppressed"]);
    assert_eq!(page.texts(".tagged .muted"), ["G2"]);
    let said = owner.get(&format!("{list}?says=suppressed")).await;
    assert_eq!(said.texts("tbody .ttl"), ["Secret Keyword"]);
    let one = owner.get(&format!("{list}?q=G2")).await;
    assert!(
        one.texts("*").iter().any(|text| text == "1 finding"),
        "{}",
        one.body
    );
}

#[tokio::test]
async fn an_acceptance_that_is_asked_for_is_told_as_asked_for() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    scene.import(&owner, &sarif(&["A"])).await;
    let line = scene.findings().await.remove(0);
    let fields = [
        ("finding", line.id.as_str()),
        ("review", scene.review.as_str()),
        ("version", "1"),
        ("action", "ask_acceptance"),
        ("reason", "Not reachable."),
        ("until", "2026-02-20"),
    ];
    owner.submit("/act/findings/triage", &fields).await;
    let page = owner.get(&paths::finding(line.id.as_str())).await;
    let decided = page.texts("section[aria-labelledby=h-his] p");
    assert!(
        decided[0].contains("asked to accept the risk of F-1: Not reachable."),
        "{decided:?}"
    );
    let names = page.texts("dt");
    assert!(
        names
            .iter()
            .any(|name| name == "Digest of what was asked about"),
        "{names:?}"
    );
    assert!(
        names
            .iter()
            .all(|name| name != "Digest of what was accepted"),
        "{names:?}"
    );
}

#[tokio::test]
async fn undoing_a_scan_that_found_nothing_new_removes_nothing() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    scene.import(&owner, &sarif(&["A", "B"])).await;
    scene.import(&owner, &sarif(&["A"])).await;
    let list = owner.get(&paths::scans(scene.review.as_str())).await;
    let newest = list.html();
    let link = scraper::Selector::parse("tbody .ttl").unwrap();
    let scan = newest.select(&link).next().unwrap().attr("href").unwrap();
    let page = owner.get(scan).await;
    let undo = page.texts("form[action='/act/scans/undo'] p");
    assert!(
        undo[0].starts_with("Every finding is as it was before this scan."),
        "{undo:?}"
    );
}

#[tokio::test]
async fn what_the_list_does_not_ask_for_is_refused_only_after_it_was_shown() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    scene.import(&owner, &sarif(&["A"])).await;
    let line = scene.findings().await.remove(0);
    let chosen = format!("{}:{}", line.id, line.version);
    let decide = async |action: &str, from: &str| {
        let fields = [
            ("review", scene.review.as_str()),
            ("chosen[]", &chosen),
            ("action", action),
            ("from", from),
        ];
        let answer = owner.submit("/act/findings/triage-many", &fields).await;
        owner.get(answer.header("location")).await
    };
    for action in [
        "map",
        "false_positive",
        "duplicate",
        "ask_acceptance",
        "reopen",
    ] {
        let page = decide(action, "list").await;
        assert_eq!(page.texts("h1"), ["Decide about findings"], "{action}");
        assert_eq!(
            page.texts("#refused, [aria-invalid]"),
            [] as [String; 0],
            "{action}"
        );
        let boxes = "input[name='chosen[]'][checked]";
        assert_eq!(page.texts(boxes).len(), 1, "{action}");
        let picked = format!("input[name='action'][value='{action}'][checked]");
        assert_eq!(page.texts(&picked).len(), 1, "{action}");
        // The page itself asks with everything there is.
        let page = decide(action, "").await;
        assert_eq!(page.texts("[aria-invalid='true']").len(), 1, "{action}");
    }
    assert_eq!(scene.findings().await[0].status, FindingStatus::Open);
}

#[tokio::test]
async fn what_others_ask_is_shown_with_who_and_why_before_many_are_answered() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    scene.import(&owner, &sarif(&["A"])).await;
    let services = &scene.app.state.services;
    let line = scene.findings().await.remove(0);
    let fields = TriageFields {
        action: "ask_acceptance".to_owned(),
        reason: "Behind the firewall.".to_owned(),
        until: "2026-02-20".to_owned(),
        ..TriageFields::default()
    };
    let asked = Triage::parse(&fields).unwrap();
    services
        .triage_finding(&scene.owner, &line.id, line.version, asked)
        .await
        .unwrap();
    let manager = scene.browser(&scene.manager).await;
    let page = manager.get(&paths::finding(line.id.as_str())).await;
    let said = page.texts(".timeline li").concat();
    assert!(said.contains("asked to accept the risk of F-1"), "{said}");
    let chosen = format!("{}:{}", line.id, scene.findings().await[0].version);
    for action in ["approve", "decline"] {
        let fields = [
            ("review", scene.review.as_str()),
            ("chosen[]", &chosen),
            ("action", action),
            ("reason", "No."),
            ("from", "list"),
        ];
        let answer = manager.submit("/act/findings/triage-many", &fields).await;
        let page = manager.get(answer.header("location")).await;
        assert_eq!(page.texts("h1"), ["Decide about findings"], "{action}");
        let row = page.texts("tbody tr").concat();
        let asked = format!(
            "{} asks to accept its risk until 20 Feb 2026",
            scene.owner.name
        );
        assert!(
            row.contains(&asked) && row.contains("Behind the firewall."),
            "{row}"
        );
        assert!(
            scene.findings().await[0].asked.is_some(),
            "{action}: nothing is decided yet"
        );
    }
    let decline = TriageFields {
        action: "decline".to_owned(),
        reason: "The firewall goes.".to_owned(),
        ..TriageFields::default()
    };
    let version = scene.findings().await[0].version;
    services
        .triage_finding(
            &scene.manager,
            &line.id,
            version,
            Triage::parse(&decline).unwrap(),
        )
        .await
        .unwrap();
    let page = manager.get(&paths::finding(line.id.as_str())).await;
    let said = page.texts(".timeline li").concat();
    assert!(
        said.contains("declined to accept the risk of F-1") && said.contains("The firewall goes."),
        "{said}"
    );
}

#[tokio::test]
async fn what_one_asked_for_is_to_decide_and_can_be_withdrawn_from_its_page() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    scene.import(&owner, &sarif(&["A"])).await;
    let line = scene.findings().await.remove(0);
    let page = paths::finding(line.id.as_str());
    let form = "form[aria-labelledby='h-acc']";
    let ask = [
        ("finding", line.id.as_str()),
        ("version", "1"),
        ("action", "ask_acceptance"),
        ("until", "2026-02-20"),
        ("reason", "A sample."),
    ];
    owner.submit("/act/findings/triage", &ask).await;
    let asked = owner.get(&page).await;
    assert_eq!(asked.texts("#h-his"), ["To decide"]);
    assert_eq!(
        asked.texts(&format!("{form} button")),
        ["Withdraw the request"]
    );
    let withdraw = [
        ("finding", line.id.as_str()),
        ("version", "2"),
        ("action", "withdraw"),
        ("reason", "It is real."),
    ];
    // Over another version nothing is done, and what was typed stays.
    let stale = [withdraw[0], ("version", "1"), withdraw[2], withdraw[3]];
    let answer = owner.submit("/act/findings/triage", &stale).await;
    let refused = owner.get(answer.header("location")).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert_eq!(refused.texts(&format!("{form} textarea")), ["It is real."]);
    let answer = owner.submit("/act/findings/triage", &withdraw).await;
    let done = owner.get(answer.header("location")).await;
    assert_eq!(done.texts(form), [] as [String; 0]);
    assert_eq!(done.texts("#h-his"), ["Decided"]);
    let said = done.texts(".timeline li").concat();
    assert!(
        said.contains("withdrew the request to accept the risk of F-1")
            && said.contains("It is real."),
        "{said}"
    );
    assert_eq!(scene.findings().await[0].asked, None);
}

#[tokio::test]
async fn only_who_may_decide_is_shown_the_form_and_others_which_role_it_takes() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    scene.import(&owner, &sarif(&["A"])).await;
    let line = scene.findings().await.remove(0);
    let page = paths::finding(line.id.as_str());
    let form = "form[action='/act/findings/triage']";
    assert_eq!(owner.get(&page).await.texts("#triage button"), ["Decide"]);
    let role = "Only a contributor, reviewer or manager of this service can decide about findings.";
    let viewer = scene.browser(&scene.viewer).await;
    let admin = scene.app.admin("root").await;
    for (who, said) in [
        (&viewer, role.to_owned()),
        // Running the machine is no role on the service, but lets them give one.
        (&admin, format!("{role} Give yourself a role")),
    ] {
        let page = who.get(&page).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        assert_eq!(page.texts(form), [] as [String; 0]);
        assert_eq!(page.texts("#triage > p"), [said]);
    }
    assert_eq!(
        admin
            .get(&page)
            .await
            .texts("#triage a[href='/services/market-maker/people']"),
        ["Give yourself a role"]
    );

    // An administrator may answer for a manager, and so sees that form.
    let asked = Triage::parse(&TriageFields {
        action: "ask_acceptance".to_owned(),
        reason: "Not reachable.".to_owned(),
        until: "2026-02-20".to_owned(),
        ..TriageFields::default()
    });
    let services = &scene.app.state.services;
    services
        .triage_finding(&scene.owner, &line.id, 1, asked.unwrap())
        .await
        .unwrap();
    let asked = |page: &Answer| {
        page.texts("section[aria-labelledby='h-acc'] > p, form[aria-labelledby='h-acc'] button")
    };
    assert_eq!(
        asked(&viewer.get(&page).await),
        ["Only a manager of this service can answer."]
    );
    assert_eq!(
        asked(&admin.get(&page).await),
        ["Accept the risk", "Decline"]
    );
}

#[tokio::test]
async fn an_accepted_risk_takes_two_people() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    let manager = scene.browser(&scene.manager).await;
    scene.import(&owner, &sarif(&["A"])).await;
    let line = scene.findings().await.remove(0);
    let decide = async |browser: &Browser<'_>, version: &str, action: &str| {
        let fields = [
            ("finding", line.id.as_str()),
            ("version", version),
            ("action", action),
            ("until", "2026-02-20"),
            ("reason", "Not reachable."),
        ];
        let answer = browser.submit("/act/findings/triage", &fields).await;
        browser.get(answer.header("location")).await
    };
    let page = decide(&manager, "1", "ask_acceptance").await;
    assert_eq!(
        page.texts("form[aria-labelledby='h-acc'] button"),
        ["Withdraw the request"]
    );
    let page = decide(&manager, "2", "approve_acceptance").await;
    assert!(
        page.body.contains("so someone else must approve it"),
        "{}",
        page.body
    );
    decide(&owner, "2", "ask_acceptance").await;
    let viewer = scene.browser(&scene.viewer).await;
    let page = viewer.get(&paths::finding(line.id.as_str())).await;
    assert_eq!(
        page.texts("#acceptance-why").len(),
        1,
        "only a manager can answer"
    );
    decide(&manager, "3", "approve_acceptance").await;
    assert_eq!(
        scene.findings().await[0].status,
        FindingStatus::RiskAccepted
    );
}

#[tokio::test]
async fn many_findings_are_decided_at_once_and_each_refusal_is_told() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    scene.import(&owner, &sarif(&["A", "B", "C"])).await;
    let lines = scene.findings().await;
    let services = &scene.app.state.services;
    services
        .triage_finding(&scene.manager, &lines[1].id, 1, triage("false_positive"))
        .await
        .unwrap();
    let chosen: Vec<_> = lines.iter().map(|line| format!("{}:1", line.id)).collect();
    let mut fields = vec![
        ("review", scene.review.as_str()),
        ("action", "false_positive"),
        ("reason", "Generated code."),
        ("back", "severity=medium"),
    ];
    fields.extend(chosen.iter().map(|one| ("chosen[]", one.as_str())));
    let answer = owner.submit("/act/findings/triage-many", &fields).await;
    assert_eq!(
        answer.header("location"),
        paths::triage_many(scene.review.as_str())
    );
    let page = owner.get(answer.header("location")).await;
    let said = page.texts("#refused");
    assert!(
        said[0].starts_with("Done: 2 of 3. Not done: F-2: Someone else changed this finding"),
        "{said:?}"
    );
    assert_eq!(
        page.texts("tbody .ttl").len(),
        1,
        "only what was not done stays chosen"
    );
    assert_eq!(
        page.texts("textarea[name=reason]")[0].trim(),
        "Generated code."
    );
    assert!(
        scene
            .findings()
            .await
            .iter()
            .all(|line| line.status == FindingStatus::FalsePositive)
    );
    // Mapping: the bar of a phone names no item yet, so the next page asks for it.
    let fields = [
        ("review", scene.review.as_str()),
        ("action", "map"),
        ("chosen[]", &chosen[0]),
    ];
    let answer = owner.submit("/act/findings/triage-many", &fields).await;
    let page = owner.get(answer.header("location")).await;
    assert_eq!(
        page.texts("#item-error"),
        ["Choose one of the review's items."]
    );
    let viewer = scene.browser(&scene.viewer).await;
    let mut fields = fields.to_vec();
    fields[1] = ("action", "reopen");
    fields.push(("reason", "No."));
    let answer = viewer.submit("/act/findings/triage-many", &fields).await;
    let page = viewer.get(answer.header("location")).await;
    assert!(
        page.texts("#refused")[0].contains("Only a contributor"),
        "{}",
        page.body
    );
    assert!(
        scene
            .findings()
            .await
            .iter()
            .all(|line| line.status == FindingStatus::FalsePositive)
    );
}

#[tokio::test]
async fn the_list_opens_with_what_is_open_and_ignores_what_its_address_says_wrongly() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    let list = paths::findings(scene.review.as_str());
    let empty = owner.get(&list).await;
    assert!(empty.body.contains("No finding yet"), "{}", empty.body);
    scene.import(&owner, &sarif(&["A", "B", "C"])).await;
    let line = scene.findings().await.remove(0);
    let services = &scene.app.state.services;
    services
        .triage_finding(&scene.owner, &line.id, 1, triage("false_positive"))
        .await
        .unwrap();
    let numbers = |page: &Answer| page.texts("tbody .num");
    assert_eq!(numbers(&owner.get(&list).await), ["F-2", "F-3"]);
    assert_eq!(
        numbers(&owner.get(&format!("{list}?all=1&sort=number")).await),
        ["F-1", "F-2", "F-3"]
    );
    assert_eq!(numbers(&owner.get(&format!("{list}?q=f-3")).await), ["F-3"]);
    for hostile in [
        "?sort=number%3Bdrop%20table%20finding&page=-1",
        "?page=9223372036854775807&severity=%27%20or%201%3D1",
        "?status=%00&scanner=%F0%9F%92%A9%00&item=../..",
        "?page=abc&q=%25%27%22%3C%5C",
        "?q=%ff%fe",
    ] {
        let page = owner.get(&format!("{list}{hostile}")).await;
        assert_eq!(page.status, StatusCode::OK, "{hostile}: {}", page.body);
    }
    let page = owner.get(&format!("{list}?sort=newest")).await;
    let sorted = scraper::Selector::parse("th[aria-sort]").unwrap();
    let html = page.html();
    let heads: Vec<_> = html.select(&sorted).collect();
    assert_eq!(heads.len(), 1);
    assert_eq!(heads[0].value().attr("aria-sort"), Some("descending"));
}

#[tokio::test]
async fn a_finding_is_written_mapped_edited_and_called_fixed_by_hand() {
    let scene = Scene::set().await;
    let owner = scene.browser(&scene.owner).await;
    let review = scene.review.as_str();
    let items = scene
        .app
        .state
        .services
        .review_standing(&scene.viewer, &scene.review)
        .await
        .unwrap()
        .items;
    let refused = [
        ("review", review),
        ("title", "Retry jitter is fixed"),
        ("severity", "critical"),
        ("category", "code"),
        ("problem", "All retry <b>together</b>."),
        ("end_line", "3"),
    ];
    let answer = owner.submit("/act/findings/write", &refused).await;
    let page = owner.get(answer.header("location")).await;
    assert_eq!(page.texts("#end_line-error").len(), 1, "{}", page.body);
    assert_eq!(
        page.texts("textarea[name=problem]")[0].trim(),
        "All retry <b>together</b>."
    );
    let mut fields = refused.to_vec();
    fields.pop();
    fields.push(("item", &items[0].item.id));
    let answer = owner.submit("/act/findings/write", &fields).await;
    let page = owner.get(answer.header("location")).await;
    assert_eq!(page.texts("h1"), ["F-1 Retry jitter is fixed"]);
    assert!(page.body.contains("Blocks"), "{}", page.body);
    let id: FindingId = scene.findings().await.remove(0).id;
    let unmap = [
        ("finding", id.as_str()),
        ("review", review),
        ("item", items[0].item.id.as_str()),
        ("linked", "no"),
    ];
    let answer = owner.submit("/act/findings/map", &unmap).await;
    let page = owner.get(answer.header("location")).await;
    assert!(
        page.body.contains("belongs to no item of this review yet"),
        "{}",
        page.body
    );
    let mut edited = refused.to_vec();
    edited.pop();
    edited[1].1 = "Retry jitter is always 0.5";
    edited.push(("finding", id.as_str()));
    edited.push(("version", "1"));
    let answer = owner.submit("/act/findings/edit", &edited).await;
    let page = owner.get(answer.header("location")).await;
    assert_eq!(page.texts("h1"), ["F-1 Retry jitter is always 0.5"]);
    // The same form again is made over a version that is gone.
    let answer = owner.submit("/act/findings/edit", &edited).await;
    let page = owner.get(answer.header("location")).await;
    assert_eq!(page.status, StatusCode::CONFLICT, "{}", page.body);
    let fixed = [
        ("finding", id.as_str()),
        ("version", "2"),
        ("action", "fixed"),
        ("reason", "Merged."),
    ];
    owner.submit("/act/findings/triage", &fixed).await;
    // It blocks, so that another person approves.
    let asked = scene.findings().await.remove(0);
    assert_eq!(
        (asked.status, asked.asked),
        (FindingStatus::Open, Some(triage::Request::Fixed))
    );
    let manager = scene.browser(&scene.manager).await;
    let page = manager.get(&paths::finding(id.as_str())).await;
    assert_eq!(
        page.texts("form[aria-labelledby='h-acc'] button"),
        ["It is fixed", "Decline"]
    );
    let approve = [
        ("finding", id.as_str()),
        ("version", "3"),
        ("action", "approve"),
    ];
    manager.submit("/act/findings/triage", &approve).await;
    assert_eq!(scene.findings().await[0].status, FindingStatus::Fixed);
    let said = [("finding", id.as_str()), ("body", "See *2.5.1*.")];
    let answer = owner.submit("/act/findings/comment", &said).await;
    let page = owner.get(answer.header("location")).await;
    assert_eq!(page.texts(".msg .prose em"), ["2.5.1"]);
}

#[tokio::test]
async fn a_long_list_is_paged_by_links_saved_by_name_and_taken_as_a_file() {
    let scene = Scene::set().await;
    let ana = scene.browser(&scene.owner).await;
    let review = scene.review.as_str();
    let rules: Vec<_> = (0..120).map(|at| format!("r{at:03}")).collect();
    let rules: Vec<_> = rules.iter().map(String::as_str).collect();
    scene.import(&ana, &sarif(&rules)).await;
    let first = ana
        .get(&format!("{}?sort=title-down", paths::findings(review)))
        .await;
    let shown = |page: &Answer| page.texts("table a.ttl");
    let link = |page: &Answer, rel: &str| {
        let selector = scraper::Selector::parse(&format!("a[rel={rel}]")).unwrap();
        let html = page.html();
        html.select(&selector)
            .next()
            .and_then(|link| link.attr("href").map(str::to_owned))
    };
    assert_eq!(shown(&first).len(), 50);
    assert_eq!(link(&first, "prev"), None);
    let second = ana.get(&link(&first, "next").unwrap()).await;
    let third = ana.get(&link(&second, "next").unwrap()).await;
    assert_eq!((shown(&second).len(), shown(&third).len()), (50, 20));
    assert_eq!(link(&third, "next"), None);
    let back = ana.get(&link(&third, "prev").unwrap()).await;
    assert_eq!(shown(&back), shown(&second));
    assert!(shown(&first)[0] > shown(&third)[19]);

    let save = |name| {
        [
            ("review", review),
            ("query", "rule=r007&bogus=1"),
            ("name", name),
        ]
    };
    let refused = ana.submit("/act/filters/save", &save("")).await;
    let page = ana.get(refused.header("location")).await;
    assert_eq!(page.texts("#save-name-error").len(), 1, "{}", page.body);
    let saved = ana.submit("/act/filters/save", &save("Seven")).await;
    assert!(saved.header("location").ends_with("?rule=r007"));
    let page = ana.get(saved.header("location")).await;
    assert_eq!(shown(&page).len(), 1);
    assert_eq!(page.texts("nav.views a[aria-current=true]"), ["Seven"]);
    assert!(
        !scene
            .browser(&scene.manager)
            .await
            .get(&paths::findings(review))
            .await
            .body
            .contains("Seven"),
        "a filter is its person's alone"
    );
    let file = ana
        .get(&paths::findings_file(review, "csv", "rule=r007"))
        .await;
    assert_eq!(file.body.lines().count(), 2, "{}", file.body);
    assert!(file.header("content-disposition").starts_with("attachment"));
    let file = ana
        .get(&paths::findings_file(review, "sarif", "severity=medium"))
        .await;
    let file: Value = serde_json::from_str(&file.body).unwrap();
    assert!(file["runs"][0]["results"].is_array());
}
