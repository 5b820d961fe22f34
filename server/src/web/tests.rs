use axum::{
    Router,
    body::Body,
    extract::State,
    http::{Request, StatusCode},
    response::Redirect,
    routing::{get, post},
};
use holdpoint_app::actions::Notice;
use holdpoint_service::{Conflict, ServiceError};
use holdpoint_storage::StorageError;
use http::header;

use super::{
    AppState, WebError,
    answer::FormAnswer,
    signed_in::SignedIn,
    testing::{NOW, TestApp},
};

fn nonces(policy: &str) -> Vec<&str> {
    policy
        .split('\'')
        .filter_map(|part| part.strip_prefix("nonce-"))
        .collect()
}

#[tokio::test]
async fn every_script_of_a_page_carries_the_nonce_of_its_header() {
    let app = TestApp::start().await;
    let ana = app.member("ana").await;
    for (address, status) in [
        ("/", StatusCode::OK),
        ("/no/such/page", StatusCode::NOT_FOUND),
    ] {
        let page = ana.get(address).await;
        assert_eq!(page.status, status, "{address}: {}", page.body);
        let policy = page.header("content-security-policy");
        let [nonce] = nonces(policy)[..] else {
            panic!("one nonce in {policy}")
        };
        let scripts = scraper::Selector::parse("script").unwrap();
        let html = page.html();
        let scripts: Vec<_> = html.select(&scripts).collect();
        assert!(
            !scripts.is_empty(),
            "{address} has the script that brings islands to life"
        );
        for script in scripts {
            assert_eq!(script.value().attr("nonce"), Some(nonce), "{address}");
        }
        let again = ana.get(address).await;
        assert_ne!(
            nonces(again.header("content-security-policy")),
            [nonce],
            "a nonce is used once"
        );
    }
}

#[tokio::test]
async fn no_page_needs_an_inline_style_or_handler() {
    let app = TestApp::start().await;
    let ana = app.member("ana").await;
    for address in ["/", "/no/such/page"] {
        let page = ana.get(address).await;
        for element in page.html().select(&scraper::Selector::parse("*").unwrap()) {
            assert_ne!(element.value().name(), "style");
            for (name, _) in element.value().attrs() {
                assert!(
                    name != "style" && !name.starts_with("on"),
                    "{} has {name}",
                    element.value().name()
                );
            }
        }
    }
}

#[tokio::test]
async fn every_kind_of_answer_carries_the_security_headers() {
    let app = TestApp::with(
        |settings| {
            settings.https = true;
            settings.authority = Some("prr.example.org".to_owned());
        },
        |router| {
            router.route(
                "/test/panic",
                get(async || -> &'static str { panic!("on purpose") }),
            )
        },
    )
    .await;
    let kinds = [
        ("/", StatusCode::FOUND),
        ("/no/such/page", StatusCode::NOT_FOUND),
        ("/pkg/holdpoint.c.css", StatusCode::OK),
        ("/pkg/missing.css", StatusCode::NOT_FOUND),
        ("/favicon.svg", StatusCode::OK),
        ("/healthz", StatusCode::OK),
        ("/readyz", StatusCode::OK),
        ("/preferences", StatusCode::METHOD_NOT_ALLOWED),
        ("/test/panic", StatusCode::INTERNAL_SERVER_ERROR),
    ];
    for (address, status) in kinds {
        let answer = app.get(address).await;
        assert_eq!(answer.status, status, "{address}");
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "style-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(
                policy.contains(part),
                "{address}: {part} is not in {policy}"
            );
        }
        assert!(
            !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"),
            "{policy}"
        );
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            (
                "strict-transport-security",
                "max-age=31536000; includeSubDomains",
            ),
        ] {
            assert_eq!(answer.header(name), value, "{address}: {name}");
        }
        assert!(!answer.header("permissions-policy").is_empty(), "{address}");
        assert!(
            answer.header("x-request-id").starts_with("hp-"),
            "{address}"
        );
    }
}

#[tokio::test]
async fn browsers_are_told_to_insist_on_https_only_where_there_is_https() {
    let app = TestApp::start().await;
    assert_eq!(
        app.get("/healthz")
            .await
            .header("strict-transport-security"),
        ""
    );
}

#[tokio::test]
async fn files_named_by_their_digest_are_kept_and_pages_are_not() {
    let app = TestApp::start().await;
    let ana = app.member("ana").await;
    let cached = "public, max-age=31536000, immutable";
    assert_eq!(
        app.get("/pkg/holdpoint.c.css")
            .await
            .header("cache-control"),
        cached
    );
    assert_eq!(
        app.get("/favicon.svg").await.header("cache-control"),
        "public, max-age=3600"
    );
    assert_eq!(ana.get("/").await.header("cache-control"), "no-store");
    assert_eq!(
        app.get("/pkg/../hash.txt").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        app.get("/pkg/%2e%2e/hash.txt").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn whoever_is_signed_out_is_led_to_sign_in_and_back() {
    let app = TestApp::start().await;
    let page = app.get("/").await;
    assert_eq!(
        (page.status, page.header("location")),
        (StatusCode::FOUND, "/sign-in")
    );
}

#[tokio::test]
async fn whoever_sends_a_form_signed_out_is_led_to_sign_in_or_told_as_a_machine() {
    let app = TestApp::start().await;
    let gone = app.member("gone").await;
    let mut tx = app.state.services.database().write().await.unwrap();
    tx.tamper_with_activity_for_test("update person set disabled_at = 1 where name = 'gone'")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let cookies = [
        String::new(),
        gone.cookie.clone(),
        format!("{}=AAAAAAAAAAAAAAAAAAAAAA", app.state.cookie_name()),
    ];
    let send = async |path: &str, accept: &str, cookie: &str, body: &str| {
        let mut request = Request::post(path)
            .header("accept", accept)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        if !cookie.is_empty() {
            request = request.header("cookie", cookie);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        app.send(request).await
    };
    // One that is read, whatever it is about.
    let body = "item=01890000-0000-7000-8000-000000000000&step=start";
    for cookie in &cookies {
        for accept in ["*/*", "text/html", "text/html,application/json;q=0.5"] {
            let answer = send("/act/items/step", accept, cookie, body).await;
            assert!(
                answer.status.is_redirection(),
                "{accept}: {}",
                answer.status
            );
            assert_eq!(answer.header("location"), "/sign-in", "{accept}");
        }
        let answer = send("/act/items/step", "application/json", cookie, body).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(
            answer.body.contains("/problems/signed-out"),
            "{}",
            answer.body
        );
    }
    // No other one fails as if it were the server's fault, with or without its fields.
    let mut n = 0;
    for (path, method) in leptos::server_fn::axum::server_fn_paths() {
        if method != http::Method::POST || !path.starts_with("/act/") {
            continue;
        }
        for accept in ["*/*", "text/html", "application/json"] {
            for cookie in &cookies {
                let answer = send(path, accept, cookie, body).await;
                let is_ours = answer.status.is_server_error();
                assert!(
                    !is_ours,
                    "{path} {accept}: {} {}",
                    answer.status, answer.body
                );
            }
        }
        n += 1;
    }
    assert!(n > 50, "{n}");
}

#[tokio::test]
async fn a_page_names_the_person_who_is_signed_in() {
    let app = TestApp::start().await;
    let ana = app.member("Ana Ruiz").await;
    let page = ana.get("/").await;
    assert_eq!(page.texts(".menu summary .vh"), ["Menu of Ana Ruiz"]);
    assert_eq!(page.texts("h1"), ["Reviews"]);
}

#[tokio::test]
async fn a_page_that_is_not_there_says_so_in_the_frame() {
    let app = TestApp::start().await;
    let page = app.get("/no/such/page").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert_eq!(page.texts("h1"), ["This page was not found"]);
    let ana = app.member("ana").await;
    let page = ana.get("/no/such/page").await;
    assert_eq!(page.texts("h1"), ["This page was not found"]);
    assert_eq!(page.texts(".brand .word"), ["Holdpoint"]);
}

#[tokio::test]
async fn a_panic_is_a_page_with_a_number_and_none_of_its_words() {
    let app = TestApp::with(
        |_| {},
        |router| {
            router
                .route(
                    "/test/panic",
                    get(async || -> &'static str { panic!("secret words") }),
                )
                .route(
                    "/api/v1/panic",
                    get(async || -> &'static str { panic!("secret words") }),
                )
        },
    )
    .await;
    let page = app.get("/test/panic").await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(page.texts("h1"), ["Holdpoint could not do this"]);
    assert!(!page.body.contains("secret words"));
    assert!(
        page.body.contains(page.header("x-request-id")),
        "the page shows the number of the log"
    );

    let problem = app.get("/api/v1/panic").await;
    assert_eq!(problem.header("content-type"), "application/problem+json");
    let problem: serde_json::Value = serde_json::from_str(&problem.body).unwrap();
    assert_eq!(problem["type"], "/problems/unavailable");
    assert_eq!(problem["status"], 500);
    assert!(!problem.to_string().contains("secret words"));
}

#[tokio::test]
async fn a_form_from_another_site_is_refused_with_a_page() {
    let app = TestApp::start().await;
    let ana = app.member("ana").await;
    let forged = Request::post("/preferences")
        .header(header::COOKIE, &ana.cookie)
        .header(header::ACCEPT, "text/html")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site")
        .body(Body::from("theme=dark"))
        .unwrap();
    let page = app.send(forged).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert_eq!(page.texts("h1"), ["You may not do this"]);
    assert_eq!(page.header("set-cookie"), "");
}

#[tokio::test]
async fn methods_that_no_page_needs_are_refused() {
    let app = TestApp::start().await;
    for method in ["TRACE", "TRACK", "DELETE", "PUT"] {
        for address in ["/", "/sign-in", "/healthz", "/api/v1/services/x"] {
            let request = Request::builder()
                .method(method)
                .uri(address)
                .header("x-secret", "not to be said back")
                .body(Body::empty())
                .unwrap();
            let answer = app.send(request).await;
            assert_eq!(
                answer.status,
                StatusCode::METHOD_NOT_ALLOWED,
                "{method} {address}: {}",
                answer.body
            );
            assert!(!answer.body.contains("said back"));
        }
    }
}

#[tokio::test]
async fn an_origin_is_ours_by_the_host_that_was_asked_or_by_configuration() {
    let post = |origin: &str| {
        Request::post("/preferences")
            .header(header::COOKIE, "holdpoint=x; __Host-holdpoint=x")
            .header(header::ORIGIN, origin)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from("theme=dark"))
            .unwrap()
    };
    let app = TestApp::start().await;
    assert_eq!(
        app.send(post("http://localhost:3000")).await.status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(
        app.send(post("http://localhost:3001")).await.status,
        StatusCode::FORBIDDEN
    );
    let app = TestApp::with(
        |settings| {
            settings.https = true;
            settings.authority = Some("prr.example.org".to_owned());
        },
        |router| router,
    )
    .await;
    assert_eq!(
        app.send(post("https://prr.example.org")).await.status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(
        app.send(post("http://prr.example.org")).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        app.send(post("http://localhost:3000")).await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn a_theme_is_kept_in_a_cookie_and_leads_back_only_within_this_site() {
    let app = TestApp::start().await;
    let ana = app.member("ana").await;
    let answer = ana
        .submit(
            "/preferences",
            &[("theme", "dark"), ("back", "/items/1?x=y")],
        )
        .await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, "/items/1?x=y")
    );
    assert!(
        answer
            .header("set-cookie")
            .starts_with("theme=dark; Path=/; "),
        "{}",
        answer.header("set-cookie")
    );
    let answer = ana
        .submit(
            "/preferences",
            &[("theme", "dark"), ("back", "//evil.example")],
        )
        .await;
    assert_eq!(answer.header("location"), "/");
    let answer = ana.submit("/preferences", &[("theme", "pink")]).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);

    let page = app
        .send(
            Request::get("/no/such")
                .header(header::ACCEPT, "text/html")
                .header(header::COOKIE, "theme=dark")
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    assert!(page.body.contains("data-theme=\"dark\""), "{}", page.body);
}

#[tokio::test]
async fn ready_means_that_the_database_answers() {
    let app = TestApp::start().await;
    assert_eq!(app.get("/healthz").await.body, "ok\n");
    assert_eq!(app.get("/readyz").await.body, "ready\n");
    app.state.services.database().close().await;
    let answer = app.get("/readyz").await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "the database does not answer\n"
        )
    );
    assert_eq!(app.get("/healthz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_server_that_stops_is_no_longer_ready() {
    let app = TestApp::start().await;
    app.state.stopping.cancel();
    assert_eq!(
        app.get("/readyz").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
}

#[tokio::test]
async fn what_is_refused_for_machines_is_a_problem_document() {
    let app = TestApp::start().await;
    let request = Request::get("/api/v1/services")
        .body(Body::empty())
        .unwrap();
    let answer = app.send(request).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert!(
        problem["type"]
            .as_str()
            .is_some_and(|kind| kind.starts_with("/problems/")),
        "{problem}"
    );
    assert_eq!(problem["instance"], answer.header("x-request-id"));
}

#[tokio::test]
async fn a_session_that_ran_out_is_nobody() {
    let app = TestApp::start().await;
    let ana = app.member("ana").await;
    assert_eq!(ana.get("/").await.status, StatusCode::OK);
    app.clock.set(NOW + 2 * 3_600_000);
    assert_eq!(ana.get("/").await.status, StatusCode::FOUND);
}

/// What fails under a form as it fails under the product's, after a change of its own or before it.
fn failing(router: Router<AppState>) -> Router<AppState> {
    async fn fail(
        State(state): State<AppState>,
        answer: FormAnswer,
        fields: String,
    ) -> Result<Redirect, WebError> {
        let failure = match fields.as_str() {
            "first=no&then=away" | "first=change&then=away" => StorageError::away_for_test(),
            "first=no&then=full" => StorageError::Io(std::io::ErrorKind::StorageFull.into()),
            "first=no&then=busy" => StorageError::Busy,
            _ => StorageError::Damaged("a row".to_owned()),
        };
        if fields.starts_with("first=change") {
            let mut tx = state.services.database().write().await.unwrap();
            tx.set_setting("test", "changed").await.unwrap();
            tx.commit().await.unwrap();
        }
        let outcome: Result<Notice, _> = Err(ServiceError::from(failure));
        let typed = [
            ("note", "Measured twice.\nIt <holds>."),
            ("review", "0198a1b2-0000-7000-8000-000000000000"),
            ("password", "four words work well"),
            ("api_token", "hp_secret"),
        ];
        answer.answer(outcome, "test", "/", &typed).await
    }
    router.route("/test/fail", post(fail)).route(
        "/test/never",
        post(async || std::future::pending::<&str>().await),
    )
}

#[tokio::test]
async fn a_failure_says_what_it_is_and_that_nothing_was_changed_only_where_that_is_certain() {
    let app = TestApp::with(|_| {}, failing).await;
    let ana = app.member("ana").await;
    let nothing = "Nothing was changed.";
    for (first, then, status, title, words) in [
        (
            "no",
            "away",
            503,
            "Holdpoint cannot reach its database",
            nothing,
        ),
        ("no", "busy", 503, "Holdpoint is busy", nothing),
        (
            "no",
            "full",
            507,
            "There is no room on the server's disk",
            nothing,
        ),
        (
            "change",
            "away",
            503,
            "Holdpoint cannot reach its database",
            "A part of it may have been done",
        ),
    ] {
        let page = ana
            .submit("/test/fail", &[("first", first), ("then", then)])
            .await;
        assert_eq!(page.status.as_u16(), status, "{first} {then}");
        assert_eq!(page.texts("h1"), [title], "{first} {then}");
        let text = page.texts("[role=alert]").concat();
        assert!(text.contains(words), "{first} {then}: {text}");
        assert_eq!(text.contains(nothing), words == nothing, "{text}");
        let retry = if status == 503 { "5" } else { "" };
        assert_eq!(page.header("retry-after"), retry, "{first} {then}");
        // Nobody writes it again; what nobody may see is not there.
        assert_eq!(page.texts("dl dt"), ["note"]);
        assert!(
            page.body.contains("Measured twice.\nIt &lt;holds&gt;."),
            "{}",
            page.body
        );
        assert!(!page.body.contains("four words") && !page.body.contains("hp_secret"));
    }
    // Where sessions can be kept, the form shows again, with the words.
    ana.submit("/test/fail", &[("first", "no"), ("then", "damaged")])
        .await;
    let page = ana.get("/").await;
    let alert = page.texts("[role=alert]").concat();
    assert!(
        alert.starts_with("What is stored here is damaged."),
        "{alert}"
    );
    assert!(!alert.contains(nothing), "{alert}");
}

#[tokio::test]
async fn a_database_that_is_away_is_no_fault_of_who_asks() {
    let app = TestApp::start().await;
    let ana = app.member("ana").await;
    app.state.services.database().close().await;
    let page = ana.get("/").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(page.texts("h1"), ["Holdpoint cannot reach its database"]);
    assert_eq!(page.header("retry-after"), "5");
    // Whoever sent a form then still has what they wrote.
    let typed = [
        ("title", "A map is shared."),
        ("your_password", "four words work well"),
    ];
    let page = ana.submit("/act/findings/write", &typed).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(page.texts("dl dt"), ["title"]);
    assert_eq!(page.texts("dl dd"), ["A map is shared."]);
    assert!(!page.body.contains("four words"));
    // A page that asks the database itself says when to come again, as all else does.
    let page = app.get("/invitations/0123456789").await;
    assert_eq!(
        page.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{}",
        page.body
    );
    assert_eq!(page.header("retry-after"), "5");
    let request = Request::post("/api/v1/services")
        .header(header::AUTHORIZATION, "Bearer hp_x")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from("{\"name\":\"Demo\"}"))
        .unwrap();
    let answer = app.send(request).await;
    let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(problem["status"], 503, "{problem}");
    assert_eq!(problem["type"], "/problems/database-away");
    assert_eq!(answer.header("retry-after"), "5");
    // A form of the product: what is answered does not depend on a session that cannot be kept.
    let page = app
        .send(
            Request::post("/act/sign-in")
                .header(header::ACCEPT, "text/html")
                .header("sec-fetch-site", "same-origin")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from(
                    "email=ana@example.org&password=four+words+work+well",
                ))
                .unwrap(),
        )
        .await;
    assert_eq!(
        page.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{}",
        page.body
    );
    assert_eq!(page.texts("h1"), ["Holdpoint cannot reach its database"]);
}

#[tokio::test]
async fn a_form_that_is_given_up_does_not_say_that_nothing_came_of_it() {
    let app = TestApp::with(
        |settings| settings.request_timeout = std::time::Duration::from_millis(20),
        failing,
    )
    .await;
    let ana = app.member("ana").await;
    let page = ana.submit("/test/never", &[]).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    let text = page.texts("[role=alert]").concat();
    assert!(text.contains("Look whether it was done"), "{text}");
}

/// A form whose outcome is its field `outcome`, as handlers of the product answer.
fn forms(router: Router<AppState>) -> Router<AppState> {
    async fn form(answer: FormAnswer, fields: String) -> Result<Redirect, WebError> {
        let outcome = match fields.as_str() {
            "outcome=done" => Ok(Notice::new("It is done.")),
            "outcome=refused" => Err(ServiceError::rejected("note", "Write why.")),
            "outcome=broken" => Err(ServiceError::unavailable("the secret cause")),
            _ => Err(ServiceError::Conflict(Box::new(Conflict {
                message: "Ana saved in the meantime.".to_owned(),
                current_version: 2,
                fields: vec![("note".to_owned(), "mine".to_owned(), "hers".to_owned())],
            }))),
        };
        answer
            .answer(outcome, "test", "/", &[("note", "mine")])
            .await
    }
    router.route("/test/form", post(form))
}

#[tokio::test]
async fn what_a_form_leaves_is_shown_once_on_its_page_and_nowhere_else() {
    let app = TestApp::with(|_| {}, forms).await;
    let ana = app.member("ana").await;
    for (outcome, alert) in [("done", "It is done."), ("refused", "Write why.")] {
        let answer = ana.submit("/test/form", &[("outcome", outcome)]).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (StatusCode::SEE_OTHER, "/")
        );
        let other = ana.get("/no/such/page").await;
        assert!(
            !other.body.contains(alert),
            "{outcome}: it was for another page"
        );
        let page = ana.get("/").await;
        assert_eq!(page.texts("main .notice .stack-1"), [alert]);
        assert!(
            !ana.get("/").await.body.contains(alert),
            "{outcome}: it was shown before"
        );
    }
}

#[tokio::test]
async fn a_conflict_is_a_409_with_both_versions() {
    let app = TestApp::with(|_| {}, forms).await;
    let ana = app.member("ana").await;
    ana.submit("/test/form", &[("outcome", "conflict")]).await;
    let page = ana.get("/").await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert_eq!(page.texts("[role=alert]"), ["Ana saved in the meantime."]);
    assert_eq!(page.texts("section.panel tbody th"), ["Note"]);
    assert_eq!(page.texts("section.panel tbody td"), ["mine", "hers"]);
}

#[tokio::test]
async fn a_cause_stays_in_the_log_and_the_person_gets_its_number() {
    let app = TestApp::with(|_| {}, forms).await;
    let ana = app.member("ana").await;
    let answer = ana.submit("/test/form", &[("outcome", "broken")]).await;
    let number = answer.header("x-request-id").to_owned();
    let page = ana.get("/").await;
    assert!(
        page.texts("[role=alert]").concat().ends_with(&number),
        "{number}"
    );
    assert!(!page.body.contains("secret cause"));
}

#[tokio::test]
async fn a_handler_for_people_leads_readers_to_sign_in_and_refuses_the_rest() {
    let who = |router: Router<AppState>| {
        router.route(
            "/test/who",
            get(async |person: SignedIn| person.name.clone()).post(async |_: SignedIn| ()),
        )
    };
    let app = TestApp::with(|_| {}, who).await;
    let page = app.get("/test/who?x=1").await;
    assert_eq!(
        (page.status, page.header("location")),
        (StatusCode::SEE_OTHER, "/sign-in?next=%2Ftest%2Fwho%3Fx%3D1")
    );
    let posted = app
        .send(Request::post("/test/who").body(Body::empty()).unwrap())
        .await;
    assert_eq!(posted.status, StatusCode::UNAUTHORIZED);
    let ana = app.member("ana").await;
    assert_eq!(ana.get("/test/who").await.body, "ana");
}

#[tokio::test]
async fn a_page_that_takes_too_long_is_given_up_with_words() {
    let app = TestApp::with(
        |settings| settings.request_timeout = std::time::Duration::from_millis(20),
        |router| {
            router.route(
                "/test/never",
                get(async || std::future::pending::<&str>().await),
            )
        },
    )
    .await;
    let page = app.get("/test/never").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(page.texts("h1"), ["This took too long"]);
}

#[tokio::test]
async fn a_form_that_cannot_be_read_is_a_page_and_not_a_redirect_with_an_error_in_it() {
    let app = TestApp::start().await;
    let send = |body: String| {
        let request = Request::post("/act/sign-in")
            .header(header::ACCEPT, "text/html")
            .header(header::REFERER, "http://localhost:3000/sign-in")
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        app.send(request.body(Body::from(body)).unwrap())
    };
    for body in [
        "email=%FF%FE&password=x".to_owned(),
        format!("email={}", "x".repeat(7 * 1024 * 1024)),
    ] {
        let page = send(body.clone()).await;
        assert!(
            page.status == StatusCode::BAD_REQUEST || page.header("location") == "/sign-in",
            "{} bytes: {} {}",
            body.len(),
            page.status,
            page.header("location")
        );
        assert!(
            !page.header("location").contains("__err"),
            "{}",
            page.header("location")
        );
    }
}
