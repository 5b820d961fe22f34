//! Items, evidence and signatures through the real router, on the sample review.

use axum::{body::Body, http::Request};
use holdpoint_domain::{Digest, ItemId, item::Step, text::Prose};
use holdpoint_service::{
    Actor, CommentOn, Limits,
    evidence::{EvidenceFields, EvidenceRequest},
    sample::LoadedSample,
};
use http::{StatusCode, header};

use super::testing::{Answer, Browser, TestApp};

/// The sample, and browsers of its people.
struct Sample {
    app: TestApp,
    loaded: LoadedSample,
}

impl Sample {
    async fn start() -> Self {
        Self::of(TestApp::start().await).await
    }

    async fn of(app: TestApp) -> Self {
        let loaded = app.state.services.load_sample(None).await.unwrap();
        Self { app, loaded }
    }

    async fn actor(&self, name: &str) -> Actor {
        let people = &self.loaded.people;
        let person = people.iter().find(|person| person.name == name).unwrap();
        let services = &self.app.state.services;
        let person = services
            .sign_in(&person.email, &person.password, "192.0.2.1")
            .await
            .unwrap();
        Actor::of(&person)
    }

    fn password(&self, name: &str) -> &str {
        &self
            .loaded
            .people
            .iter()
            .find(|person| person.name == name)
            .unwrap()
            .password
    }

    async fn browser(&self, name: &str) -> Browser<'_> {
        let actor = self.actor(name).await;
        self.app.browser(&actor.id).await
    }

    async fn item(&self, key: &str) -> ItemId {
        let manager = self.actor("Priya Raman").await;
        let services = &self.app.state.services;
        services
            .item_by_key(&manager, &self.loaded.review, key)
            .await
            .unwrap()
            .item
            .id
    }

    /// Adds a note as somebody, and asks for review.
    async fn ask_for_review(&self, by: &Actor, item: &ItemId) {
        let services = &self.app.state.services;
        let fields = EvidenceFields {
            kind: "note".to_owned(),
            text: "Read it twice.".to_owned(),
            ..EvidenceFields::default()
        };
        let note = EvidenceRequest::parse(&fields, None).unwrap();
        services.add_evidence(by, item, note).await.unwrap();
        for step in [Step::Start, Step::RequestReview] {
            services.step(by, item, step, None).await.unwrap();
        }
    }
}

/// Sends the evidence form as browsers do.
async fn upload(
    browser: &Browser<'_>,
    item: &ItemId,
    fields: &[(&str, &str)],
    file: Option<(&str, &[u8])>,
) -> Answer {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend_from_slice(
            format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                .as_bytes(),
        );
    }
    if let Some((name, bytes)) = file {
        // As browsers do: a quote in a file's name is sent as %22.
        let name = name.replace('"', "%22");
        let head = format!(
            "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/html\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    let request = Request::post(format!("/items/{item}/evidence/upload"))
        .header(header::ACCEPT, "text/html")
        .header(header::COOKIE, &browser.cookie)
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge")
        .header("sec-fetch-site", "same-origin")
        .body(Body::from(body))
        .unwrap();
    browser.app.send(request).await
}

fn value_of(page: &Answer, selector: &str) -> String {
    let selector = scraper::Selector::parse(selector).unwrap();
    let html = page.html();
    let found = html.select(&selector).next().unwrap();
    found.value().attr("value").unwrap().to_owned()
}

#[tokio::test]
async fn a_piece_that_was_withdrawn_is_rendered_only_for_who_asks_for_it() {
    let sample = Sample::start().await;
    let item = sample.item("2.2.2").await;
    let mira = sample.actor("Mira Okafor").await;
    let services = &sample.app.state.services;
    let mut ids = Vec::new();
    for text in ["**the first**", "**the second**", "**the third**"] {
        let fields = EvidenceFields {
            kind: "note".to_owned(),
            text: text.to_owned(),
            ..EvidenceFields::default()
        };
        let note = EvidenceRequest::parse(&fields, None).unwrap();
        ids.push(services.add_evidence(&mira, &item, note).await.unwrap());
    }
    for id in &ids[..2] {
        services
            .withdraw_evidence(&mira, id, "Wrong file.")
            .await
            .unwrap();
    }
    let browser = sample.browser("Mira Okafor").await;
    let rendered = |page: &Answer| page.texts("#main ul.evidence .prose strong");
    let page = browser.get(&format!("/items/{item}")).await;
    assert_eq!(rendered(&page), ["the third"]);
    assert_eq!(page.body.matches("Show what it says").count(), 2);
    let page = browser
        .get(&format!("/items/{item}?piece={}", ids[0]))
        .await;
    assert_eq!(rendered(&page), ["the third", "the first"]);
    assert!(page.body.contains("Wrong file."));
}

#[tokio::test]
async fn whoever_asked_for_review_is_refused_at_the_decision_and_keeps_the_statement() {
    let sample = Sample::start().await;
    let item = sample.item("2.2.2").await;
    let mira = sample.actor("Mira Okafor").await;
    sample.ask_for_review(&mira, &item).await;
    let browser = sample.browser("Mira Okafor").await;
    let address = format!("/items/{item}");
    let page = browser.get(&address).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert_eq!(page.texts("h1"), ["2.2.2 Metric Coverage"]);
    let basis = value_of(&page, "input[name=basis]");
    let answer = browser
        .submit(
            "/act/items/sign",
            &[
                ("item", item.as_str()),
                ("decision", "fail"),
                ("statement", "Two <b>metrics</b> are missing."),
                ("basis", &basis),
                ("password", sample.password("Mira Okafor")),
            ],
        )
        .await;
    assert_eq!(answer.header("location"), address);
    let page = browser.get(&address).await;
    let errors = page.texts("#sign .error");
    assert_eq!(
        errors,
        ["You asked for this review, so someone else must sign it."]
    );
    assert_eq!(
        page.texts("#statement"),
        ["Two <b>metrics</b> are missing."]
    );
    assert!(!page.body.contains(sample.password("Mira Okafor")));
    let again = browser.get(&address).await;
    assert!(again.texts("#sign .error").is_empty(), "it is said once");
}

#[tokio::test]
async fn a_signature_is_valid_until_its_evidence_is_withdrawn() {
    let sample = Sample::start().await;
    let item = sample.item("2.2.2").await;
    let jonas = sample.actor("Jonas Lindqvist").await;
    sample.ask_for_review(&jonas, &item).await;
    let mira = sample.browser("Mira Okafor").await;
    let address = format!("/items/{item}");
    let basis = value_of(&mira.get(&address).await, "input[name=basis]");
    let fields = [
        ("item", item.as_str()),
        ("decision", "pass"),
        ("basis", &basis),
        ("password", sample.password("Mira Okafor")),
    ];
    mira.submit("/act/items/sign", &fields).await;
    let page = mira.get(&address).await;
    assert_eq!(
        page.texts(".page-head .pill"),
        ["Passed"],
        "{:?}",
        page.texts("[role=alert]")
    );
    assert!(
        page.texts("section[aria-labelledby=h-offs] .st")
            .contains(&"Valid".to_owned())
    );

    let owner = sample.browser("Jonas Lindqvist").await;
    let page = owner.get(&address).await;
    let evidence = value_of(&page, "input[name=evidence]");
    let fields = [
        ("item", item.as_str()),
        ("evidence", &evidence),
        ("reason", "Of another release."),
    ];
    owner.submit("/act/evidence/withdraw", &fields).await;
    let page = mira.get(&address).await;
    assert!(
        page.texts("section[aria-labelledby=h-offs] .st")
            .contains(&"Void, 1 change since".to_owned()),
        "{}",
        page.body
    );
    let work = mira.get("/inbox").await;
    assert_eq!(
        work.texts("section[aria-labelledby=changed] a.strong"),
        ["2.2.2 Metric Coverage"]
    );
}

#[tokio::test]
async fn a_file_over_the_limit_is_refused_at_its_field_and_nothing_of_it_is_stored() {
    let limits = Limits {
        evidence_bytes: 1000,
        ..Limits::default()
    };
    let sample = Sample::of(TestApp::with_limits(limits).await).await;
    let item = sample.item("2.2.2").await;
    let browser = sample.browser("Jonas Lindqvist").await;
    let bytes = vec![b'x'; 5000];
    let fields = [
        ("kind", "file"),
        ("commit", "82dd1d2"),
        ("title", "Kept title"),
    ];
    let answer = upload(&browser, &item, &fields, Some(("big.txt", &bytes))).await;
    let back = format!("/items/{item}/evidence/new");
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, back.as_str())
    );
    let page = browser.get(&back).await;
    let errors = page.texts(".choice .error");
    assert_eq!(
        errors,
        ["This file is larger than 1000 bytes, the limit for evidence. Nothing of it was stored."]
    );
    assert_eq!(value_of(&page, "#title"), "Kept title");
    let services = &sample.app.state.services;
    let jonas = sample.actor("Jonas Lindqvist").await;
    assert!(
        services
            .evidence_of(&jonas, &item)
            .await
            .unwrap()
            .is_empty()
    );
    for stored in [&bytes[..], &bytes[..1000]] {
        assert_eq!(
            services.files().read(&Digest::of(stored)).await.unwrap(),
            None
        );
    }
    // What just fits is taken.
    let answer = upload(
        &browser,
        &item,
        &[("kind", "file")],
        Some(("fits.txt", &bytes[..1000])),
    )
    .await;
    assert_eq!(answer.header("location"), format!("/items/{item}"));
    assert_eq!(services.evidence_of(&jonas, &item).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_refused_form_leaves_no_file_behind() {
    let sample = Sample::start().await;
    let item = sample.item("2.2.2").await;
    let bytes = b"no commit is called so";
    let browser = sample.browser("Jonas Lindqvist").await;
    let fields = [("kind", "file"), ("commit", "not a commit")];
    upload(&browser, &item, &fields, Some(("a.txt", bytes))).await;
    let page = browser.get(&format!("/items/{item}/evidence/new")).await;
    assert_eq!(page.texts("#commit-error").len(), 1, "{}", page.body);
    // Somebody who may only look gets nothing onto the disk either.
    let stranger = sample.app.member("eve").await;
    let answer = upload(
        &stranger,
        &item,
        &[("kind", "file")],
        Some(("a.txt", bytes)),
    )
    .await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let services = &sample.app.state.services;
    assert_eq!(
        services.files().read(&Digest::of(bytes)).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn a_long_text_is_cut_on_the_page_and_served_whole_at_its_own_address() {
    let sample = Sample::start().await;
    let item = sample.item("2.2.2").await;
    let browser = sample.browser("Jonas Lindqvist").await;
    let output = format!("first\n{}<b>last</b>", "line\n".repeat(6_000));
    let fields = [
        ("kind", "output"),
        ("command", "make soak"),
        ("exit_code", "0"),
        ("output", output.as_str()),
    ];
    let answer = upload(&browser, &item, &fields, None).await;
    assert_eq!(answer.header("location"), format!("/items/{item}"));
    let page = browser.get(&format!("/items/{item}")).await;
    let shown = page.texts(".evidence pre.term");
    assert_eq!(shown.len(), 1, "{}", page.body);
    assert!(shown[0].starts_with("first") && !shown[0].contains("last"));
    assert_eq!(page.texts(".evidence .body > p.small").len(), 1);
    let jonas = sample.actor("Jonas Lindqvist").await;
    let services = &sample.app.state.services;
    let all = services.evidence_of(&jonas, &item).await.unwrap();
    let address = format!("/evidence/{}/text", all[0].evidence.id);
    assert!(page.body.contains(&format!("href=\"{address}\"")));
    let whole = browser.get(&address).await;
    assert_eq!(whole.body, output);
    for (name, value) in [
        ("content-type", "text/plain; charset=utf-8"),
        ("content-security-policy", "sandbox; default-src 'none'"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "private, no-store"),
    ] {
        assert_eq!(whole.header(name), value);
    }
    let stranger = sample.app.member("eve").await;
    assert_eq!(stranger.get(&address).await.status, StatusCode::NOT_FOUND);
    let signed_out = sample.app.get(&address).await;
    assert!(signed_out.header("location").starts_with("/sign-in"));
    // A file has no text here.
    upload(&browser, &item, &[("kind", "file")], Some(("a.txt", b"a"))).await;
    let all = services.evidence_of(&jonas, &item).await.unwrap();
    let file = all.iter().find(|view| view.evidence.kind == "file");
    let of_file = format!("/evidence/{}/text", file.unwrap().evidence.id);
    assert_eq!(browser.get(&of_file).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn no_file_runs_in_this_origin_whatever_its_name_says() {
    let sample = Sample::start().await;
    let item = sample.item("2.2.2").await;
    let browser = sample.browser("Jonas Lindqvist").await;
    let jonas = sample.actor("Jonas Lindqvist").await;
    let services = &sample.app.state.services;
    let cases = [
        (
            "page.html",
            "attachment; filename=\"page.html\"",
            "application/octet-stream",
        ),
        (
            "image.svg",
            "attachment; filename=\"image.svg\"",
            "application/octet-stream",
        ),
        (
            "../../etc/evil.XHTML",
            "attachment; filename=\"evil.XHTML\"",
            "application/octet-stream",
        ),
        (
            "..\\..\\evil.js",
            "attachment; filename=\"evil.js\"",
            "application/octet-stream",
        ),
        (
            "x.txt\".html",
            "attachment; filename=\"x.txt",
            "application/octet-stream",
        ),
        (
            "report.pdf",
            "attachment; filename=\"report.pdf\"",
            "application/pdf",
        ),
        (
            "",
            "attachment; filename=\"file\"",
            "application/octet-stream",
        ),
        (
            "log.txt",
            "inline; filename=\"log.txt\"",
            "text/plain; charset=utf-8",
        ),
        (
            "picture.png",
            "inline; filename=\"picture.png\"",
            "image/png",
        ),
    ];
    let bytes = b"<script>alert(document.domain)</script>";
    let mut seen = std::collections::BTreeSet::new();
    for (name, disposition, media) in cases {
        upload(&browser, &item, &[("kind", "file")], Some((name, bytes))).await;
        let all = services.evidence_of(&jonas, &item).await.unwrap();
        let mut ids = all.iter().map(|view| view.evidence.id.clone());
        let id = ids.find(|id| seen.insert(id.clone())).unwrap();
        let file = browser.get(&format!("/evidence/{id}/file")).await;
        assert_eq!(file.status, StatusCode::OK, "{name}");
        assert!(
            file.header("content-disposition").starts_with(disposition),
            "{name}: {}",
            file.header("content-disposition")
        );
        assert_eq!(file.header("content-type"), media, "{name}");
        assert_eq!(
            file.header("content-security-policy"),
            "sandbox; default-src 'none'",
            "{name}"
        );
        assert_eq!(file.header("x-content-type-options"), "nosniff", "{name}");
        assert_eq!(file.header("cache-control"), "private, no-store", "{name}");
        assert_eq!(file.body.as_bytes(), bytes);
    }
    let all = services.evidence_of(&jonas, &item).await.unwrap();
    assert_eq!(all.len(), cases.len());
    let first = format!("/evidence/{}/file", all[0].evidence.id);
    let stranger = sample.app.member("eve").await;
    assert_eq!(stranger.get(&first).await.status, StatusCode::NOT_FOUND);
    assert!(
        sample
            .app
            .get(&first)
            .await
            .header("location")
            .starts_with("/sign-in")
    );

    let path = services.files().path(&Digest::of(bytes));
    tokio::fs::write(path, b"something else of the same name")
        .await
        .unwrap();
    let damaged = browser.get(&first).await;
    assert_eq!(damaged.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!damaged.body.contains("something else"));
}

#[tokio::test]
async fn the_second_of_two_saves_sees_both_versions_and_keeps_its_own() {
    let sample = Sample::start().await;
    let item = sample.item("2.2.2").await;
    let browser = sample.browser("Priya Raman").await;
    let edit = format!("/items/{item}/edit");
    let page = browser.get(&edit).await;
    let version = value_of(&page, "input[name=version]");
    let owner = sample.actor("Jonas Lindqvist").await.id;
    let save = |due: &'static str, version: String| {
        let (browser, item, owner) = (&browser, &item, &owner);
        async move {
            let fields = [
                ("item", item.as_str()),
                ("version", &version),
                ("owner_id", owner.as_str()),
                ("gating", "advisory"),
                ("due_on", due),
            ];
            browser.submit("/act/items/change", &fields).await
        }
    };
    let saved = save("2026-02-01", version.clone()).await;
    assert_eq!(saved.header("location"), format!("/items/{item}"));
    let refused = save("2026-02-02", version).await;
    assert_eq!(refused.header("location"), edit);
    let page = browser.get(&edit).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert_eq!(
        page.texts("section[aria-labelledby=versions] tbody td"),
        ["2026-02-02", "2026-02-01"]
    );
    assert_eq!(
        value_of(&page, "#due_on"),
        "2026-02-02",
        "what was typed is kept"
    );
    // The form now carries the version that is saved: whoever has compared can save theirs.
    let saved = save("2026-02-02", value_of(&page, "input[name=version]")).await;
    assert_eq!(saved.header("location"), format!("/items/{item}"));
}

#[tokio::test]
async fn a_go_is_refused_while_the_verdict_is_no_go_and_a_no_go_is_signed() {
    let sample = Sample::start().await;
    let review = sample.loaded.review.as_str().to_owned();
    let browser = sample.browser("Priya Raman").await;
    let page = browser.get(&format!("/reviews/{review}")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.texts("h2.verdict-word"), ["NO-GO"]);
    let reasons = page.texts(".reasons .why");
    assert!(
        reasons[0].starts_with("2 critical and ") && reasons[0].ends_with(" findings are open"),
        "{reasons:?}"
    );
    let address = format!("/reviews/{review}/sign-off");
    let page = browser.get(&address).await;
    let basis = value_of(&page, "input[name=basis]");
    let sign = |decision: &'static str| {
        let fields = [
            ("review", review.clone()),
            ("decision", decision.to_owned()),
            ("statement", "Not before the findings are fixed.".to_owned()),
            ("basis", basis.clone()),
            ("password", sample.password("Priya Raman").to_owned()),
        ];
        let browser = &browser;
        async move {
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            browser.submit("/act/reviews/sign", &fields).await
        }
    };
    sign("go").await;
    let page = browser.get(&address).await;
    let errors = page.texts("#sign .error");
    assert!(
        errors[0].starts_with("GO is not possible while the verdict is NO-GO"),
        "{errors:?}"
    );
    assert_eq!(
        page.texts("#statement"),
        ["Not before the findings are fixed."]
    );
    sign("no_go").await;
    let page = browser.get(&address).await;
    assert!(
        page.texts(".tbl .st").contains(&"Valid".to_owned()),
        "{:?}",
        page.texts("[role=alert]")
    );
}

#[tokio::test]
async fn the_beginning_of_a_long_discussion_is_a_link_away() {
    let sample = Sample::start().await;
    let item = sample.item("2.2.2").await;
    let mira = sample.actor("Mira Okafor").await;
    let on = CommentOn::Item(item.clone());
    for n in 0..101 {
        let text = Prose::parse(&format!("Said as number {n}.")).unwrap();
        let services = &sample.app.state.services;
        services.add_comment(&mira, &on, text).await.unwrap();
    }
    let browser = sample.browser("Mira Okafor").await;
    let links = async |page: &Answer| {
        let link = scraper::Selector::parse("#discussion nav a").unwrap();
        let html = page.html();
        let links = html.select(&link).map(|link| {
            let words = link.text().collect::<String>();
            (words, link.value().attr("href").unwrap().to_owned())
        });
        links.collect::<Vec<_>>()
    };
    let newest = browser.get(&format!("/items/{item}")).await;
    assert_eq!(newest.texts("#discussion article.msg").len(), 100);
    let found = links(&newest).await;
    let [(words, earlier)] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(words, "Earlier comments");
    let beginning = browser.get(earlier.split('#').next().unwrap()).await;
    assert!(!beginning.texts("#discussion article.msg").is_empty());
    let found = links(&beginning).await;
    assert_eq!(found[0].0, "Newest comments", "{found:?}");
}
