//! Checklists, services and reviews through the real router: what pages show, keep and refuse.

use axum::body::Body;
use holdpoint_domain::{PersonId, Policy, ReviewId, ServiceRole, text::Name};
use holdpoint_service::{
    Actor, NewReview, NewService, Review, ReviewChange, TemplateFor, TemplateImport, sample,
};
use http::{Request, StatusCode, header};
use scraper::Selector;

use super::testing::{Answer, Browser, TestApp};

const HOSTILE: &str = "# Check <script>alert(1)</script> list\n\n\
    <script>alert(2)</script>\n\n\
    ## Section <img src=x onerror=alert(3)>\n\n\
    Prose [link](javascript:alert(4)) and <b onclick=alert(5)>raw</b>.\n\n\
    - [ ] **Title <script>alert(6)</script>**: see [this](javascript:alert(7)) and <iframe src=//evil.example></iframe>.\n\
    - [ ] <svg onload=alert(8)> ![x](https://tracker.example/p.png)\n\n\
    ## Deliverables\n\n1. **Report** <script>alert(9)</script> [x](data:text/html,<script>alert(10)</script>)\n";

/// Sends a document as the import form does: a chosen file, or pasted text without a file's name.
async fn upload(browser: &Browser<'_>, file_name: Option<&str>, document: &[u8]) -> Answer {
    let named = file_name.map_or_else(String::new, |name| format!("; filename=\"{name}\""));
    let mut body = format!(
        "--x\r\nContent-Disposition: form-data; name=\"template\"\r\n\r\n\r\n\
         --x\r\nContent-Disposition: form-data; name=\"document\"{named}\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(document);
    body.extend_from_slice(b"\r\n--x--\r\n");
    let request = Request::post("/templates/upload")
        .header(header::ACCEPT, "text/html")
        .header(header::COOKIE, &browser.cookie)
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x")
        .header("sec-fetch-site", "same-origin")
        .body(Body::from(body))
        .unwrap();
    browser.app.send(request).await
}

async fn follow(browser: &Browser<'_>, answer: &Answer) -> Answer {
    assert!(answer.status.is_redirection(), "{}", answer.body);
    browser.get(answer.header("location")).await
}

async fn actor(app: &TestApp, name: &str) -> Actor {
    let id = PersonId::parse(&format!("person-{name}")).unwrap();
    Actor::of(
        &app.state
            .services
            .person_signed_in(&id)
            .await
            .unwrap()
            .unwrap(),
    )
}

/// A service with a review of this document.
async fn review(app: &TestApp, actor: &Actor, document: &[u8]) -> Review {
    let services = &app.state.services;
    let new = NewService {
        name: Name::parse("Market Maker").unwrap(),
        slug: None,
        repository_url: None,
        description: None,
    };
    let service = services.create_service(actor, new).await.unwrap();
    let import = TemplateImport {
        template: None,
        name: None,
        owner: TemplateFor::Unsaid,
        file_name: "audit.md".to_owned(),
        reading: None,
        tier: None,
    };
    let template = services
        .import_template(actor, import, document.to_vec())
        .await
        .unwrap();
    let new = NewReview {
        template_version: template.version.id,
        title: Name::parse("Phase 22").unwrap(),
        release: Name::parse("v1.0.0").unwrap(),
        commit: None,
        due_on: None,
        policy: Policy::default(),
    };
    services
        .create_review(actor, &service.id, new)
        .await
        .unwrap()
        .review
}

fn values(answer: &Answer, selector: &str) -> Vec<String> {
    let selector = Selector::parse(selector).unwrap();
    answer
        .html()
        .select(&selector)
        .map(|found| found.value().attr("value").unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn the_preview_shows_13_items_and_only_its_confirmation_stores_them() {
    let app = TestApp::start().await;
    let browser = app.admin("ana").await;
    let actor = actor(&app, "ana").await;
    let sent = upload(&browser, Some("audit.md"), sample::CHECKLIST).await;
    let preview = follow(&browser, &sent).await;
    assert_eq!(preview.status, StatusCode::OK);
    assert_eq!(preview.texts("#h-items"), ["13 items"]);
    assert_eq!(preview.texts("#h-del"), ["3 deliverables"]);
    assert_eq!(values(&preview, "input[name=reading][checked]"), ["tasks"]);
    assert!(
        app.state
            .services
            .templates(&actor)
            .await
            .unwrap()
            .is_empty()
    );

    let form = ["document", "reading", "tier", "template", "name"];
    let typed: Vec<_> = form
        .iter()
        .map(|name| {
            let found = values(&preview, &format!("form[method=post] input[name={name}]"));
            (*name, found.first().cloned().unwrap_or_default())
        })
        .collect();
    let typed: Vec<_> = typed
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let stranger = app.admin("eve").await;
    let stolen = stranger.submit("/act/templates/import", &typed).await;
    let refused = follow(&stranger, &stolen).await;
    assert!(
        refused
            .texts("[role=alert]")
            .join(" ")
            .contains("preview is gone"),
        "{}",
        refused.body
    );
    assert!(
        app.state
            .services
            .templates(&actor)
            .await
            .unwrap()
            .is_empty()
    );

    let done = browser.submit("/act/templates/import", &typed).await;
    let page = follow(&browser, &done).await;
    assert!(
        page.texts("[role=status]")
            .join(" ")
            .contains("imported with 13 items"),
        "{}",
        page.body
    );
    let stored = app.state.services.templates(&actor).await.unwrap();
    assert_eq!(stored.len(), 1);
    let source = browser
        .get(&format!(
            "/templates/versions/{}/source",
            stored[0].newest.id
        ))
        .await;
    assert_eq!(source.body.as_bytes(), sample::CHECKLIST);
    assert!(
        source
            .header("content-disposition")
            .starts_with("attachment")
    );
}

#[tokio::test]
async fn a_document_in_which_nothing_is_an_item_is_refused_at_its_field() {
    let app = TestApp::start().await;
    let browser = app.admin("ana").await;
    let actor = actor(&app, "ana").await;
    let pasted = upload(&browser, None, b"Only prose.\r\nNothing else.").await;
    let page = follow(&browser, &pasted).await;
    let error = page.texts("#paste-document-error").join(" ");
    assert!(error.contains("- [ ]"), "says what was looked for: {error}");
    assert!(page.texts("#document-error").is_empty());
    assert_eq!(
        page.texts("#paste-document"),
        ["Only prose.\nNothing else."]
    );
    let large = vec![b'x'; 4 * 1024 * 1024 + 1];
    for (document, words) in [
        (&large[..], "larger than"),
        (b"\xff\xfe\x00", "UTF-16"),
        (b"", "empty"),
    ] {
        let sent = upload(&browser, Some("audit.md"), document).await;
        let page = follow(&browser, &sent).await;
        let error = page.texts("#document-error").join(" ");
        assert!(error.contains(words), "{words}: {error}");
    }
    assert!(
        app.state
            .services
            .templates(&actor)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn hostile_markdown_reaches_no_page_as_markup() {
    let app = TestApp::start().await;
    let browser = app.admin("ana").await;
    let actor = actor(&app, "ana").await;
    let preview = upload(
        &browser,
        Some("<script>alert(0)</script>.md"),
        HOSTILE.as_bytes(),
    )
    .await;
    let review = review(&app, &actor, HOSTILE.as_bytes()).await;
    let template = &app.state.services.templates(&actor).await.unwrap()[0];
    let (version, id) = (template.newest.id.as_str(), template.template.id.as_str());
    let pages = [
        preview.header("location").to_owned(),
        format!("/templates/{id}"),
        format!("/templates/{id}/difference?old={version}&new={version}"),
        "/templates".to_owned(),
        format!("/reviews/{}/checklist", review.id),
        format!("/reviews/{}/items/new", review.id),
        format!("/reviews/{}/activity", review.id),
        format!(
            "/reviews/{}/checklist?q=%3Cscript%3Ealert(11)%3C/script%3E",
            review.id
        ),
    ];
    for address in pages {
        let page = browser.get(&address).await;
        assert_eq!(page.status, StatusCode::OK, "{address}");
        let html = page.html();
        for element in html.select(&Selector::parse("*").unwrap()) {
            let value = element.value();
            let words: String = element.text().collect();
            let ours = value.attr("nonce").is_some();
            assert!(
                value.name() != "script" || (ours && !words.contains("alert(")),
                "{address}: {words}"
            );
            assert!(
                !matches!(value.name(), "iframe" | "img" | "object"),
                "{address}: {}",
                value.name()
            );
            for (name, text) in value.attrs() {
                let leads = matches!(name, "href" | "src" | "action" | "formaction");
                let text = text.trim().to_lowercase();
                assert!(!name.starts_with("on"), "{address}: {name}={text}");
                assert!(
                    !leads || !(text.starts_with("javascript:") || text.starts_with("data:")),
                    "{address}: {name}={text}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_conflict_on_settings_shows_both_versions_and_keeps_what_was_typed() {
    let app = TestApp::start().await;
    app.admin("ana").await;
    let ana = actor(&app, "ana").await;
    let services = &app.state.services;
    let link = services.make_reset_link_for(&ana.email).await.unwrap();
    services
        .reset_password(&link.secret, "four words work well", "10.0.0.9")
        .await
        .unwrap();
    let browser = app.browser(&ana.id).await;
    let review = review(&app, &ana, sample::CHECKLIST).await;
    let address = format!("/reviews/{}/settings", review.id);
    let opened = browser.get(&address).await;
    let mut typed: Vec<(String, String)> = vec![("review".into(), review.id.as_str().into())];
    for name in [
        "version",
        "quorum",
        "approvals",
        "limit_critical",
        "limit_high",
        "limit_medium",
    ] {
        let found = values(&opened, &format!("input[name={name}]"));
        typed.push((name.to_owned(), found[0].clone()));
    }
    for (name, value) in [
        ("title", "My title"),
        ("release", "v1.0.0"),
        ("four_eyes", "on"),
        ("evidence_required", "on"),
        ("blocks_critical", "on"),
        ("required_scans", "semgrep\ngitleaks: backend"),
    ] {
        typed.push((name.to_owned(), value.to_owned()));
    }
    let change = ReviewChange {
        version: review.version,
        title: Name::parse("Her title").unwrap(),
        release: Name::parse("v1.0.0").unwrap(),
        commit: None,
        due_on: None,
        policy: Policy {
            quorum: 2,
            ..Policy::default()
        },
    };
    app.state
        .services
        .update_review(&ana, &review.id, change)
        .await
        .unwrap();

    let fields: Vec<_> = typed
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let refused = browser.submit("/act/reviews/change", &fields).await;
    let page = follow(&browser, &refused).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    let versions: Vec<_> = page.texts("table tbody tr").into_iter().collect();
    assert!(
        versions.contains(&"TitleMy titleHer title".to_owned()),
        "{versions:?}"
    );
    assert!(versions.contains(&"Quorum12".to_owned()), "{versions:?}");
    assert_eq!(values(&page, "input[name=title]"), ["My title"]);
    assert_eq!(
        page.texts("textarea[name=required_scans]"),
        ["semgrep\ngitleaks: backend"]
    );
    assert!(
        values(&page, "input[name=blocks_high][checked]").is_empty(),
        "unticked stays unticked"
    );
    assert_eq!(stored(&app, &ana, &review.id).await.title, "Her title");

    // Sent again over the version that is now known, mine stands.
    let version = values(&page, "input[name=version]")[0].clone();
    typed.retain(|(name, _)| name != "version");
    typed.push(("version".to_owned(), version));
    let fields: Vec<_> = typed
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    // The policy decides which signatures count: a session alone does not change it.
    let without = browser.submit("/act/reviews/change", &fields).await;
    let page = follow(&browser, &without).await;
    assert_eq!(page.texts("#password-error").len(), 1, "{}", page.body);
    assert_eq!(values(&page, "input[name=title]"), ["My title"]);
    assert_eq!(stored(&app, &ana, &review.id).await.title, "Her title");
    let mut fields = fields;
    fields.push(("password", "four words work well"));
    let saved = browser.submit("/act/reviews/change", &fields).await;
    assert_eq!(follow(&browser, &saved).await.status, StatusCode::OK);
    let now = stored(&app, &ana, &review.id).await;
    assert_eq!(now.title, "My title");
    let required: Vec<_> = now
        .policy
        .required_scans
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(required, ["semgrep", "gitleaks: backend"]);
    assert!(now.policy.four_eyes && !now.policy.deliverables_required);
}

async fn stored(app: &TestApp, actor: &Actor, id: &ReviewId) -> Review {
    app.state.services.review(actor, id).await.unwrap().review
}

#[tokio::test]
async fn a_bulk_change_says_of_each_item_why_it_was_left() {
    let app = TestApp::start().await;
    let browser = app.admin("ana").await;
    let ana = actor(&app, "ana").await;
    let review = review(&app, &ana, sample::CHECKLIST).await;
    let address = format!("/reviews/{}/checklist", review.id);
    let page = browser.get(&address).await;
    let items = values(&page, "tbody input[type=checkbox]");
    assert_eq!(items.len(), 13);
    let id = review.id.as_str();
    let one = [
        ("review", id),
        ("items[]", items[0].as_str()),
        ("change", "step:start"),
    ];
    let done = browser.submit("/act/checklist/change", &one).await;
    let page = follow(&browser, &done).await;
    assert_eq!(
        page.texts("main [role=status]"),
        ["1 item is changed."],
        "{}",
        page.body
    );

    let two = [
        ("review", id),
        ("items[]", items[0].as_str()),
        ("items[]", items[1].as_str()),
        ("change", "step:start"),
        ("filter", "gate=blocker"),
    ];
    let done = browser.submit("/act/checklist/change", &two).await;
    assert!(done.header("location").ends_with("/checklist?gate=blocker"));
    let page = follow(&browser, &done).await;
    assert!(
        page.texts("[role=alert]")
            .join(" ")
            .starts_with("1 of 2 items are changed."),
        "{}",
        page.body
    );
    let left = page.texts("section[aria-labelledby=h-left] li");
    assert_eq!(left.len(), 1);
    assert!(left[0].starts_with("2.1.1"), "{left:?}");
    assert_eq!(values(&page, "tbody input[checked]"), [items[0].clone()]);

    let nothing = [("review", id), ("change", "gate:advisory")];
    let refused = browser.submit("/act/checklist/change", &nothing).await;
    let page = follow(&browser, &refused).await;
    assert_eq!(page.texts("[role=alert]"), ["Tick at least one item."]);
}

#[tokio::test]
async fn a_deliverable_gets_its_owner_from_a_manager_and_is_finished_with_a_note() {
    let app = TestApp::start().await;
    let browser = app.admin("ana").await;
    let ana = actor(&app, "ana").await;
    let review = review(&app, &ana, sample::CHECKLIST).await;
    let address = format!("/reviews/{}/checklist", review.id);
    let first = async || {
        let all = app.state.services.deliverables(&ana, &review.id).await;
        all.unwrap().remove(0)
    };
    let before = first().await;
    let id = before.deliverable.id.as_str().to_owned();
    let version = before.deliverable.version.to_string();
    let page = browser.get(&address).await;
    assert_eq!(
        page.texts("form[action='/act/deliverables/set-owner'] option")
            .len(),
        6,
        "nobody and ana, for each of three: {}",
        page.body
    );
    let fields = |owner| {
        [
            ("review", review.id.as_str()),
            ("deliverable", id.as_str()),
            ("version", version.as_str()),
            ("owner", owner),
        ]
    };
    let wrong = browser
        .submit("/act/deliverables/set-owner", &fields("person-nobody"))
        .await;
    let page = follow(&browser, &wrong).await;
    let at_field = format!("[id='{id}-owner-error']");
    assert_eq!(page.texts(&at_field).len(), 1, "{}", page.body);
    let done = browser
        .submit("/act/deliverables/set-owner", &fields(ana.id.as_str()))
        .await;
    let page = follow(&browser, &done).await;
    assert!(
        page.texts("#deliverables-panel li")[0].contains("ana"),
        "{}",
        page.body
    );
    let stale = browser
        .submit("/act/deliverables/set-owner", &fields(""))
        .await;
    assert_eq!(follow(&browser, &stale).await.status, StatusCode::CONFLICT);

    let version = first().await.deliverable.version.to_string();
    let done = browser
        .submit(
            "/act/deliverables/set",
            &[
                ("review", review.id.as_str()),
                ("deliverable", id.as_str()),
                ("version", version.as_str()),
                ("state", "done"),
                ("note", "In the `docs` folder."),
            ],
        )
        .await;
    follow(&browser, &done).await;
    let after = first().await;
    assert!(after.deliverable.done);
    assert_eq!(after.owner.map(|owner| owner.name).as_deref(), Some("ana"));
    assert_eq!(after.deliverable.note, "In the `docs` folder.");
}

#[tokio::test]
async fn a_form_offers_whose_a_checklist_is_and_pages_say_it() {
    let app = TestApp::start().await;
    let admin = app.admin("ana").await;
    let ana = actor(&app, "ana").await;
    let services = &app.state.services;
    let review = review(&app, &ana, sample::CHECKLIST).await;
    let shared = services.templates(&ana).await.unwrap()[0]
        .template
        .id
        .clone();
    let bo = app.member("bo").await;
    let person = actor(&app, "bo").await;
    assert!(
        bo.get("/templates").await.texts("table").is_empty(),
        "whoever has no role reads none"
    );
    let address = format!("/templates/{shared}");
    assert_eq!(bo.get(&address).await.status, StatusCode::NOT_FOUND);
    services
        .set_role(
            &ana,
            &review.service,
            &person.id,
            Some(ServiceRole::Manager),
        )
        .await
        .unwrap();

    let sent = upload(&bo, Some("audit.md"), sample::CHECKLIST).await;
    let preview = follow(&bo, &sent).await;
    assert_eq!(
        preview.texts("#service option"),
        ["Market Maker"],
        "a manager imports for the service"
    );
    assert_eq!(preview.texts("#template option"), ["A new checklist"]);
    let document = values(&preview, "form[method=post] input[name=document]")[0].clone();
    let fields = |service: &'static str| {
        [
            ("document", document.clone()),
            ("template", "new".to_owned()),
            ("name", "Ours".to_owned()),
            ("service", service.to_owned()),
        ]
    };
    let send = async |service: &'static str| {
        let fields = fields(service);
        let fields: Vec<_> = (fields.iter())
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let sent = bo.submit("/act/templates/import", &fields).await;
        follow(&bo, &sent).await
    };
    let refused = send("*").await;
    let why = refused.texts("[role=alert]").join(" ");
    assert!(why.contains("Only an administrator"), "{why}");
    assert_eq!(values(&refused, "#name"), ["Ours"]);
    let page = send("market-maker").await;
    assert!(
        page.body.contains("Belongs to: Market Maker"),
        "{}",
        page.body
    );
    let page = bo.get(&address).await;
    assert!(
        page.body.contains("Belongs to: All services")
            && page.body.contains("Administrators add versions.")
            && !page.body.contains("Import a new version"),
        "{}",
        page.body
    );
    let listed = admin.get("/templates").await;
    assert_eq!(
        listed.texts("td[data-l='Belongs to']"),
        ["Market Maker", "All services"]
    );
}
