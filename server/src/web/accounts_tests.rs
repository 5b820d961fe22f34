//! Accounts through the real router: cookies, redirects, what pages show and keep.

use axum::{body::Body, http::Request, routing::get};
use holdpoint_domain::{InstanceRole, ServiceRole, text::Name};
use holdpoint_service::{Actor, NewAccount, NewService, NewToken};
use http::{StatusCode, header};
use tokio::sync::Mutex;

use super::{
    api_caller::ApiCaller,
    testing::{Answer, NOW, TestApp},
};

const PASSWORD: &str = "four words work well";
const OTHER: &str = "five more words work too";

/// A browser with a cookie jar.
struct Jar<'a> {
    app: &'a TestApp,
    cookie: Mutex<String>,
}

impl<'a> Jar<'a> {
    fn of(app: &'a TestApp) -> Self {
        Self {
            app,
            cookie: Mutex::default(),
        }
    }

    async fn cookie(&self) -> String {
        self.cookie.lock().await.clone()
    }

    async fn send(&self, request: http::request::Builder, body: String) -> Answer {
        let cookie = self.cookie().await;
        let request = request
            .header(header::ACCEPT, "text/html")
            .header(header::USER_AGENT, "Test browser");
        let request = if cookie.is_empty() {
            request
        } else {
            request.header(header::COOKIE, &cookie)
        };
        let answer = self.app.send(request.body(Body::from(body)).unwrap()).await;
        for set in answer.headers.get_all(header::SET_COOKIE) {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let mut cookie = self.cookie.lock().await;
            let of_others = |kept: &&str| kept.split('=').next() != Some(name);
            let mut kept: Vec<&str> = cookie.split("; ").filter(of_others).collect();
            kept.retain(|kept| !kept.is_empty());
            if !value.is_empty() {
                kept.push(pair);
            }
            let kept = kept.join("; ");
            *cookie = kept;
        }
        answer
    }

    async fn get(&self, address: &str) -> Answer {
        self.send(Request::get(address), String::new()).await
    }

    /// Sends a form, and returns where it leads.
    async fn submit(&self, form: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.post(form, fields).await;
        assert_eq!(answer.status, StatusCode::FOUND, "{form}: {}", answer.body);
        answer.header("location").to_owned()
    }

    async fn post(&self, form: &str, fields: &[(&str, &str)]) -> Answer {
        let body = holdpoint_app::paths::with_query("", fields);
        let request = Request::post(format!("/act/{form}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        self.send(request, body.trim_start_matches('?').to_owned())
            .await
    }

    /// Sends a form and opens the page that it leads to.
    async fn follow(&self, form: &str, fields: &[(&str, &str)]) -> Answer {
        let to = self.submit(form, fields).await;
        self.get(&to).await
    }

    async fn sign_in(&self, email: &str, password: &str) -> String {
        self.submit("sign-in", &[("email", email), ("password", password)])
            .await
    }
}

async fn add(app: &TestApp, name: &str, instance_role: InstanceRole) -> Actor {
    let email = format!("{name}@example.org");
    let new = NewAccount {
        email: &email,
        name,
        password: PASSWORD,
        instance_role,
    };
    Actor::of(&app.state.services.add_person(new).await.unwrap())
}

async fn signed_in<'a>(app: &'a TestApp, name: &str, instance_role: InstanceRole) -> Jar<'a> {
    add(app, name, instance_role).await;
    let jar = Jar::of(app);
    assert_eq!(
        jar.sign_in(&format!("{name}@example.org"), PASSWORD).await,
        "/"
    );
    jar
}

fn alert(answer: &Answer) -> String {
    answer.texts("[role=alert]").join(" ")
}

fn value(answer: &Answer, name: &str) -> Option<String> {
    let selector = scraper::Selector::parse(&format!("input[name={name}]")).unwrap();
    let html = answer.html();
    let field = html
        .select(&selector)
        .next()
        .unwrap_or_else(|| panic!("a field {name} in {}", answer.body));
    field.value().attr("value").map(str::to_owned)
}

fn shown_once(answer: &Answer) -> Option<String> {
    let selector = scraper::Selector::parse("#shown-once").unwrap();
    answer
        .html()
        .select(&selector)
        .next()
        .and_then(|field| field.value().attr("value").map(str::to_owned))
}

#[tokio::test]
async fn the_set_up_link_makes_an_administrator_who_is_signed_in_and_works_once() {
    let app = TestApp::start().await;
    let token = app
        .state
        .services
        .setup_link_token()
        .await
        .unwrap()
        .unwrap();
    let jar = Jar::of(&app);
    let page = jar.get(&format!("/set-up/{token}")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert_eq!(page.texts("h1"), ["Set up this server"]);
    let fields = |password| {
        [
            ("token", token.as_str()),
            ("name", "Ana Novak"),
            ("email", "ana@example.org"),
            ("password", password),
        ]
    };
    let again = jar.follow("set-up", &fields("short")).await;
    assert!(
        alert(&again).contains("Use at least 12"),
        "{}",
        alert(&again)
    );
    assert_eq!(value(&again, "name").as_deref(), Some("Ana Novak"));
    assert_eq!(value(&again, "email").as_deref(), Some("ana@example.org"));
    assert_eq!(value(&again, "password"), None);
    assert!(!again.body.contains("short\""));
    assert_eq!(jar.submit("set-up", &fields(PASSWORD)).await, "/");
    let people = jar.get("/people").await;
    assert_eq!(people.status, StatusCode::OK, "{}", people.body);
    let used = Jar::of(&app).get(&format!("/set-up/{token}")).await;
    assert_eq!(used.status, StatusCode::GONE);
    assert!(
        Jar::of(&app)
            .submit("set-up", &fields(PASSWORD))
            .await
            .starts_with("/set-up/")
    );
}

#[tokio::test]
async fn signing_in_gives_the_session_another_id_and_forgets_what_was_in_it() {
    let app = TestApp::start().await;
    add(&app, "ana", InstanceRole::Member).await;
    // Whoever can set a cookie in somebody's browser sets one that they know.
    let jar = signed_in(&app, "bo", InstanceRole::Member).await;
    let before = jar.cookie().await;
    let refused = jar
        .follow(
            "sign-in",
            &[("email", "ana@example.org"), ("password", "wrong")],
        )
        .await;
    assert_eq!(refused.status, StatusCode::FOUND, "bo is signed in still");
    assert_eq!(jar.sign_in("ana@example.org", PASSWORD).await, "/");
    let after = jar.cookie().await;
    assert_ne!(before, after);
    let account = jar.get("/account").await;
    assert!(account.body.contains("ana@example.org"), "{}", account.body);
    *jar.cookie.lock().await = before;
    assert_eq!(
        jar.get("/account").await.header("location"),
        "/sign-in?next=%2Faccount"
    );
}

/// How many sessions are stored.
async fn n_sessions(app: &TestApp) -> u64 {
    let database = app.state.services.database().clone();
    let at_the_end_of_time = holdpoint_service::SessionStore::new(database, || i64::MAX);
    at_the_end_of_time.delete_expired().await.unwrap()
}

#[tokio::test]
async fn whoever_is_not_signed_in_makes_the_server_store_nothing() {
    let app = TestApp::start().await;
    let set_up = app
        .state
        .services
        .setup_link_token()
        .await
        .unwrap()
        .unwrap();
    let admin = add(&app, "ada", InstanceRole::Member).await;
    let long = "x".repeat(400_000);
    for (form, fields) in [
        (
            "sign-in",
            vec![("email", long.as_str()), ("password", "wrong")],
        ),
        (
            "sign-in",
            vec![
                ("email", "ada@example.org"),
                ("password", "wrong"),
                ("next", &long),
            ],
        ),
        (
            "set-up",
            vec![
                ("token", &set_up),
                ("name", &long),
                ("email", &long),
                ("password", "x"),
            ],
        ),
        (
            "set-up",
            vec![
                ("token", &long),
                ("name", "Ana"),
                ("email", "a@b"),
                ("password", "x"),
            ],
        ),
        (
            "invitations/accept",
            vec![("token", "none"), ("name", &long), ("password", "x")],
        ),
        (
            "invitations/accept",
            vec![("token", &long), ("name", "Ana"), ("password", "x")],
        ),
        ("invitations/join", vec![("token", &long)]),
        (
            "password-resets/use",
            vec![("token", "none"), ("new_password", &long)],
        ),
        ("sign-out", vec![]),
    ] {
        let answer = Jar::of(&app).post(form, &fields).await;
        assert_eq!(answer.status, StatusCode::FOUND, "{form}: {}", answer.body);
        assert!(
            answer.header("location").len() < 200,
            "{form}: {}",
            answer.header("location")
        );
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.len() < 1_500, "{form}: {} bytes", cookie.len());
            assert!(cookie.starts_with("holdpoint-flash="), "{form}: {cookie}");
            assert!(
                cookie.contains("; Max-Age=300;") && cookie.contains("; HttpOnly"),
                "{cookie}"
            );
        }
        assert_eq!(n_sessions(&app).await, 0, "{form}");
    }
    // And for whoever is signed in a long text is still there again.
    let jar = Jar::of(&app);
    jar.sign_in(&admin.email, PASSWORD).await;
    let fields = [("name", long.as_str()), ("expires", "0")];
    let page = jar.follow("account/create-token", &fields).await;
    assert_eq!(value(&page, "name").as_deref(), Some(long.as_str()));
}

#[tokio::test]
async fn what_a_strangers_form_left_is_shown_once_and_at_its_own_page() {
    let app = TestApp::start().await;
    let jar = Jar::of(&app);
    let wrong = [("email", "ana@example.org"), ("password", "wrong")];
    jar.submit("sign-in", &wrong).await;
    assert!(!jar.cookie().await.is_empty());
    jar.get("/verify").await;
    let page = jar.get("/sign-in").await;
    assert!(
        alert(&page).contains("Address or password is wrong."),
        "{}",
        page.body
    );
    assert_eq!(value(&page, "email").as_deref(), Some("ana@example.org"));
    assert_eq!(jar.cookie().await, "");
    assert_eq!(alert(&jar.get("/sign-in").await), "");
    // A cookie that somebody else wrote is text, and nothing but text.
    *jar.cookie.lock().await = "holdpoint-flash=AAAA".to_owned();
    assert_eq!(jar.get("/sign-in").await.status, StatusCode::OK);
}

#[tokio::test]
async fn strangers_do_not_lock_out_the_owner_who_has_signed_in_with_this_browser_before() {
    let app = TestApp::with(
        |settings| {
            settings.https = true;
            settings.authority = Some("prr.example.org".to_owned());
        },
        |router| router,
    )
    .await;
    add(&app, "ana", InstanceRole::Member).await;
    add(&app, "bo", InstanceRole::Member).await;
    let known = Jar::of(&app);
    let fields = [("email", "ana@example.org"), ("password", PASSWORD)];
    let signed_in = known.post("sign-in", &fields).await;
    let device = signed_in
        .headers
        .get_all(header::SET_COOKIE)
        .iter()
        .find_map(|set| {
            set.to_str()
                .ok()
                .filter(|set| set.starts_with("__Host-holdpoint-device="))
        })
        .expect("the browser is remembered");
    assert!(
        device.ends_with("; Path=/; Max-Age=7776000; SameSite=Lax; HttpOnly; Secure"),
        "{device}"
    );
    known.submit("sign-out", &[]).await;
    assert!(known.cookie().await.contains("__Host-holdpoint-device="));
    // From the same address: the hardest case.
    for _ in 0..40 {
        let stranger = Jar::of(&app);
        stranger.sign_in("ana@example.org", "wrong").await;
        stranger.sign_in("bo@example.org", "wrong").await;
    }
    assert_eq!(
        Jar::of(&app).sign_in("ana@example.org", PASSWORD).await,
        "/sign-in"
    );
    // The device is Ana's, and so it helps nobody else.
    assert_eq!(known.sign_in("bo@example.org", PASSWORD).await, "/sign-in");
    assert_eq!(known.sign_in("ana@example.org", PASSWORD).await, "/");
    // And it is no way to guess without end.
    known.submit("sign-out", &[]).await;
    for _ in 0..10 {
        known.sign_in("ana@example.org", "wrong").await;
    }
    assert_eq!(known.sign_in("ana@example.org", PASSWORD).await, "/sign-in");
}

#[tokio::test]
async fn a_forwarded_address_counts_only_from_a_proxy_that_is_named() {
    use super::address::TrustedProxies;
    // The tests' requests come from 192.0.2.1.
    for (proxies, has_to_wait) in [("none", true), ("192.0.2.1", false), ("10.0.0.0/8", true)] {
        let app = TestApp::with(
            |settings| settings.trusted_proxies = TrustedProxies::parse(proxies).unwrap(),
            |router| router,
        )
        .await;
        add(&app, "ana", InstanceRole::Member).await;
        let sign_in = async |password: &str, forwarded: &str| {
            let request = Request::post("/act/sign-in")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header("sec-fetch-site", "same-origin")
                .header("x-forwarded-for", forwarded);
            let body = format!(
                "email=ana%40example.org&password={}",
                password.replace(' ', "+")
            );
            let answer = app.send(request.body(Body::from(body)).unwrap()).await;
            answer.header("location").to_owned()
        };
        for n in 0..5 {
            sign_in("wrong", &format!("198.51.100.{n}")).await;
        }
        let waits = sign_in(PASSWORD, "198.51.100.200").await == "/sign-in";
        assert_eq!(waits, has_to_wait, "{proxies}");
    }
}

#[tokio::test]
async fn open_addresses_are_asked_only_so_often_from_one_place() {
    let app = TestApp::start().await;
    let set_up = app
        .state
        .services
        .setup_link_token()
        .await
        .unwrap()
        .unwrap();
    for folder in ["set-up", "invitations", "reset-password"] {
        for n in 0..7 {
            let page = app.get(&format!("/{folder}/guess-{n}")).await;
            assert!(
                [410, 429].contains(&page.status.as_u16()),
                "{folder} {n}: {}",
                page.status
            );
        }
    }
    let page = app.get(&format!("/set-up/{set_up}")).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS, "{}", page.body);
    assert!(
        page.body
            .contains("Too many links were tried that do not work."),
        "{}",
        page.body
    );
    app.clock.advance(5 * 60_000);
    assert_eq!(
        app.get(&format!("/set-up/{set_up}")).await.status,
        StatusCode::OK
    );

    let mut statuses = Vec::new();
    for _ in 0..1_002 {
        statuses.push(
            app.get("/.well-known/holdpoint-signing-keys")
                .await
                .status
                .as_u16(),
        );
    }
    assert_eq!(
        (statuses[0], statuses[999], statuses[1_001]),
        (200, 200, 429)
    );
}

#[tokio::test]
async fn signing_in_leads_to_the_page_that_was_wanted_and_never_to_another_site() {
    let app = TestApp::start().await;
    add(&app, "ana", InstanceRole::Member).await;
    for (next, to) in [
        ("/account", "/account"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ] {
        let fields = [
            ("email", "ana@example.org"),
            ("password", PASSWORD),
            ("next", next),
        ];
        assert_eq!(Jar::of(&app).submit("sign-in", &fields).await, to, "{next}");
        let wrong = [
            ("email", "ana@example.org"),
            ("password", "wrong"),
            ("next", next),
        ];
        let jar = Jar::of(&app);
        let back = jar.submit("sign-in", &wrong).await;
        assert!(
            back == "/sign-in" || back == "/sign-in?next=%2Faccount",
            "{back}"
        );
        jar.sign_in("ana@example.org", PASSWORD).await;
    }
    let page = Jar::of(&app).get("/sign-in?next=//evil.example").await;
    assert!(!page.body.contains("evil.example"), "{}", page.body);
}

#[tokio::test]
async fn too_many_wrong_passwords_are_said_and_the_right_one_has_to_wait() {
    let app = TestApp::start().await;
    add(&app, "ana", InstanceRole::Member).await;
    for _ in 0..5 {
        Jar::of(&app).sign_in("ana@example.org", "wrong").await;
    }
    let jar = Jar::of(&app);
    let page = jar
        .follow(
            "sign-in",
            &[("email", "ana@example.org"), ("password", PASSWORD)],
        )
        .await;
    assert!(
        alert(&page).contains("Try again in 5 minutes."),
        "{}",
        alert(&page)
    );
    app.clock.advance(5 * 60_000);
    assert_eq!(jar.sign_in("ana@example.org", PASSWORD).await, "/");
}

#[tokio::test]
async fn signing_out_ends_the_session_itself() {
    let app = TestApp::start().await;
    let jar = signed_in(&app, "ana", InstanceRole::Member).await;
    let cookie = jar.cookie().await;
    let out = jar.post("sign-out", &[]).await;
    assert_eq!(out.header("location"), "/sign-in");
    assert_eq!(out.header("clear-site-data"), "\"storage\"");
    let page = jar.get("/sign-in").await;
    assert!(page.body.contains("You are signed out."), "{}", page.body);
    *jar.cookie.lock().await = cookie;
    assert_eq!(jar.get("/account").await.status, StatusCode::FOUND);
    let by_link = jar.get("/act/sign-out").await;
    assert!(by_link.status.is_client_error(), "{}", by_link.status);
}

#[tokio::test]
async fn a_revoked_session_is_out_at_the_next_request() {
    let app = TestApp::start().await;
    let one = signed_in(&app, "ana", InstanceRole::Member).await;
    let other = Jar::of(&app);
    other.sign_in("ana@example.org", PASSWORD).await;
    let page = one.get("/account").await;
    assert_eq!(
        page.texts("#main td[data-l=Browser]"),
        ["Test browser", "Test browser"]
    );
    let id = value(&page, "id").expect("the other session's id");
    let ended = one.follow("account/revoke-session", &[("id", &id)]).await;
    assert!(
        ended.body.contains("The session is ended."),
        "{}",
        ended.body
    );
    assert_eq!(
        other.get("/account").await.header("location"),
        "/sign-in?next=%2Faccount"
    );
    assert_eq!(one.get("/account").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions_and_keeps_this_one() {
    let app = TestApp::start().await;
    let one = signed_in(&app, "ana", InstanceRole::Member).await;
    let other = Jar::of(&app);
    other.sign_in("ana@example.org", PASSWORD).await;
    let wrong = one
        .follow(
            "account/change-password",
            &[("current_password", "wrong"), ("new_password", OTHER)],
        )
        .await;
    assert!(
        wrong
            .texts("#current_password-error")
            .join("")
            .contains("not your password"),
        "{}",
        wrong.body
    );
    let before = one.cookie().await;
    let done = one
        .follow(
            "account/change-password",
            &[("current_password", PASSWORD), ("new_password", OTHER)],
        )
        .await;
    assert!(
        done.body
            .contains("Your password is changed. Ended with it: 1 other session."),
        "{}",
        done.body
    );
    assert_ne!(one.cookie().await, before);
    assert_eq!(other.get("/account").await.status, StatusCode::FOUND);
}

#[tokio::test]
async fn a_disabled_person_is_out_at_the_next_request() {
    let app = TestApp::start().await;
    let admin = signed_in(&app, "ada", InstanceRole::Admin).await;
    let bo = signed_in(&app, "bo", InstanceRole::Member).await;
    let page = admin.get("/people").await;
    assert_eq!(page.texts("td[data-l=Person]").len(), 2);
    let id = app
        .state
        .services
        .sign_in("bo@example.org", PASSWORD, "10.0.0.9")
        .await
        .unwrap()
        .id;
    let fields = [
        ("person", id.as_str()),
        ("account", "disabled"),
        ("version", "1"),
    ];
    let done = admin.follow("people/set-account", &fields).await;
    assert!(
        done.body.contains("The account is disabled."),
        "{}",
        done.body
    );
    assert_eq!(bo.get("/account").await.status, StatusCode::FOUND);
    let late = admin.follow("people/set-account", &fields).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.body);
}

#[tokio::test]
async fn a_reset_by_somebody_else_is_told_on_every_page_until_it_is_dismissed() {
    let app = TestApp::start().await;
    let _admin = signed_in(&app, "ada", InstanceRole::Admin).await;
    drop(signed_in(&app, "bo", InstanceRole::Member).await);
    let services = &app.state.services;
    let ada = Actor::of(
        &services
            .sign_in("ada@example.org", PASSWORD, "10.0.0.9")
            .await
            .unwrap(),
    );
    let people = services.people(&ada, "").await.unwrap();
    let bo = people
        .entries
        .iter()
        .find(|one| one.email == "bo@example.org")
        .unwrap();
    let link = services
        .make_reset_link(&ada, &bo.id, PASSWORD)
        .await
        .unwrap();
    let bo = Jar::of(&app);
    bo.submit(
        "password-resets/use",
        &[("token", &link.secret), ("new_password", PASSWORD)],
    )
    .await;
    for address in ["/account", "/templates", "/inbox"] {
        let page = bo.get(address).await;
        let told = page.texts("#password-reset").join(" ");
        assert!(
            told.contains("ada made a link with which your password was set on"),
            "{address}: {told}"
        );
    }
    let page = bo.get("/templates").await;
    let (at, next) = (value(&page, "at").unwrap(), value(&page, "next").unwrap());
    assert_eq!(next, "/templates");
    assert_eq!(
        bo.submit("account/dismiss-reset", &[("at", &at), ("next", &next)])
            .await,
        "/templates"
    );
    assert!(
        bo.get("/templates")
            .await
            .texts("#password-reset")
            .is_empty()
    );
}

#[tokio::test]
async fn people_are_for_administrators() {
    let app = TestApp::start().await;
    let ana = signed_in(&app, "ana", InstanceRole::Member).await;
    assert_eq!(ana.get("/people").await.status, StatusCode::FORBIDDEN);
    let page = ana
        .follow(
            "people/invite",
            &[
                ("email", "bo@example.org"),
                ("name", "Bo"),
                ("instance_role", "admin"),
                ("password", PASSWORD),
            ],
        )
        .await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert_eq!(Jar::of(&app).get("/people").await.status, StatusCode::FOUND);
}

#[tokio::test]
async fn an_invitation_is_shown_once_accepted_once_and_gives_its_role() {
    let app = TestApp::start().await;
    let admin = signed_in(&app, "ada", InstanceRole::Admin).await;
    let ada = Actor::of(
        &app.state
            .services
            .sign_in("ada@example.org", PASSWORD, "10.0.0.9")
            .await
            .unwrap(),
    );
    let new = NewService {
        name: Name::parse("Executor").unwrap(),
        slug: None,
        repository_url: None,
        description: None,
    };
    let service = app.state.services.create_service(&ada, new).await.unwrap();
    let fields = |email| {
        [
            ("email", email),
            ("name", "Bo Berg"),
            ("service", "executor"),
            ("role", "reviewer"),
            ("password", PASSWORD),
        ]
    };
    let mut without = fields("bo@example.org");
    without[4].1 = "not hers";
    let refused = admin.follow("people/invite", &without).await;
    assert_eq!(
        refused.texts("#invite-password-error").len(),
        1,
        "{}",
        refused.body
    );
    assert_eq!(value(&refused, "email").as_deref(), Some("bo@example.org"));
    assert_eq!(shown_once(&refused), None);
    let wrong = admin.follow("people/invite", &fields("nobody")).await;
    assert_eq!(value(&wrong, "name").as_deref(), Some("Bo Berg"));
    assert!(
        !wrong.texts("#invite-email-error").is_empty(),
        "{}",
        wrong.body
    );
    let page = admin
        .follow("people/invite", &fields("bo@example.org"))
        .await;
    let link = shown_once(&page).expect("the link");
    assert!(
        link.starts_with("http://localhost:3000/invitations/"),
        "{link}"
    );
    assert_eq!(
        shown_once(&admin.get("/services/executor/people").await),
        None
    );

    let address = link.trim_start_matches("http://localhost:3000");
    let token = address.trim_start_matches("/invitations/");
    let bo = Jar::of(&app);
    let invited = bo.get(address).await;
    assert!(
        invited
            .body
            .contains("ada invites bo@example.org to Executor, as reviewer."),
        "{}",
        invited.body
    );
    assert_eq!(value(&invited, "name").as_deref(), Some("Bo Berg"));
    assert_eq!(
        bo.submit(
            "invitations/accept",
            &[
                ("token", token),
                ("name", "Bo Berg"),
                ("password", PASSWORD)
            ]
        )
        .await,
        "/"
    );
    let people = bo.get("/services/executor/people").await;
    assert_eq!(
        people.texts("td[data-l=Role]"),
        ["Manager", "Reviewer"],
        "{}",
        people.body
    );
    assert!(
        people.texts("form[action='/act/people/invite']").is_empty(),
        "a reviewer does not invite"
    );
    assert_eq!(Jar::of(&app).get(address).await.status, StatusCode::GONE);
    let members = app.state.services.members(&ada, &service.id).await.unwrap();
    assert!(
        members.iter().any(
            |(person, role)| person.email == "bo@example.org" && *role == ServiceRole::Reviewer
        )
    );
}

#[tokio::test]
async fn a_token_is_shown_once_kept_as_a_digest_and_lets_its_program_in_until_it_is_revoked() {
    let app = TestApp::with(
        |_| {},
        |router| {
            router.route(
                "/api/v1/test",
                get(async |caller: ApiCaller| caller.email.clone()),
            )
        },
    )
    .await;
    let ana = signed_in(&app, "ana", InstanceRole::Member).await;
    let fields = [
        ("name", "CI"),
        ("service", ""),
        ("scopes", "read,import_scans"),
        ("expires", "90"),
        ("password", PASSWORD),
    ];
    let to = ana.submit("account/create-token", &fields).await;
    // What waits for the page is in the database, and the token is not.
    let mut tx = app.state.services.database().read().await.unwrap();
    let log = format!("{:?}", tx.activity_after(0, 100).await.unwrap());
    drop(tx);
    let page = ana.get(&to).await;
    let token = shown_once(&page).expect("the token");
    assert!(token.starts_with("hp_") && !log.contains(&token));
    assert_eq!(shown_once(&ana.get("/account").await), None);
    let call = async |authorization: Option<String>| {
        let request = Request::get("/api/v1/test");
        let request = match authorization {
            Some(value) => request.header(header::AUTHORIZATION, value),
            None => request.header(header::COOKIE, ana.cookie().await),
        };
        app.send(request.body(Body::empty()).unwrap()).await
    };
    assert_eq!(
        call(Some(format!("Bearer {token}"))).await.body,
        "ana@example.org"
    );
    for refused in [
        None,
        Some(format!("Bearer {token}x")),
        Some(format!("Basic {token}")),
    ] {
        let answer = call(refused.clone()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{refused:?}");
        assert!(answer.header("www-authenticate").starts_with("Bearer "));
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    let account = ana.get("/account").await;
    let selector =
        scraper::Selector::parse("form[action='/act/account/revoke-token'] input[name=id]")
            .unwrap();
    let id = account
        .html()
        .select(&selector)
        .next()
        .unwrap()
        .value()
        .attr("value")
        .unwrap()
        .to_owned();
    ana.submit("account/revoke-token", &[("id", &id)]).await;
    let answer = call(Some(format!("Bearer {token}"))).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.body.contains("was revoked"), "{}", answer.body);
}

#[tokio::test]
async fn what_is_shown_once_is_not_readable_in_the_database() {
    let app = TestApp::start().await;
    let ana = signed_in(&app, "ana", InstanceRole::Member).await;
    let fields = [
        ("name", "CI"),
        ("service", ""),
        ("scopes", "read"),
        ("expires", "90"),
        ("password", PASSWORD),
    ];
    ana.submit("account/create-token", &fields).await;
    let cookies = ana.cookie().await;
    let id = cookies
        .split("; ")
        .find_map(|pair| pair.strip_prefix("holdpoint="))
        .unwrap()
        .parse()
        .unwrap();
    let record = tower_sessions::SessionStore::load(&app.sessions, &id)
        .await
        .unwrap()
        .expect("a session");
    assert!(record.data.contains_key("one_time"));
    let stored = serde_json::to_string(&record.data["one_time"]).unwrap();
    let token = shown_once(&ana.get("/account").await).expect("the token");
    let bytes = serde_json::to_string(token.as_bytes()).unwrap();
    assert!(
        !stored.contains(&token) && !stored.contains(bytes.trim_matches(['[', ']'])),
        "{stored}"
    );
}

#[tokio::test]
async fn no_page_of_accounts_names_a_secret_or_needs_script() {
    let app = TestApp::start().await;
    let admin = signed_in(&app, "ada", InstanceRole::Admin).await;
    let ada = Actor::of(
        &app.state
            .services
            .sign_in("ada@example.org", PASSWORD, "10.0.0.9")
            .await
            .unwrap(),
    );
    let new = NewToken {
        name: "CI",
        service: None,
        scopes: vec!["read"],
        expires_at: NOW + 86_400_000,
    };
    let made = app
        .state
        .services
        .create_token(&ada, new, PASSWORD)
        .await
        .unwrap();
    for address in ["/account", "/people", "/sign-in"] {
        let page = admin.get(address).await;
        assert!(
            !page.body.contains(&made.secret) && !page.body.contains("argon2"),
            "{address}"
        );
    }
    let account = admin.get("/account").await;
    for form in account
        .html()
        .select(&scraper::Selector::parse("main form").unwrap())
    {
        assert_eq!(form.value().attr("method"), Some("post"));
        assert!(form.value().attr("action").unwrap().starts_with("/act/"));
    }
}

#[tokio::test]
async fn a_link_for_a_new_password_is_shown_once_and_signs_its_person_in() {
    let app = TestApp::start().await;
    let admin = signed_in(&app, "ada", InstanceRole::Admin).await;
    let bo = signed_in(&app, "bo", InstanceRole::Member).await;
    let person = app
        .state
        .services
        .sign_in("bo@example.org", PASSWORD, "10.0.0.9")
        .await
        .unwrap()
        .id;
    let fields = [("person", person.as_str()), ("password", PASSWORD)];
    let refused = bo.post("people/reset-password", &fields).await;
    assert_ne!(
        refused.status,
        StatusCode::OK,
        "a member makes no such link"
    );
    let page = admin.follow("people/reset-password", &fields).await;
    let link = shown_once(&page).expect("the link");
    assert_eq!(shown_once(&admin.get("/people").await), None);
    let address = link.trim_start_matches("http://localhost:3000");
    let token = address.trim_start_matches("/reset-password/");
    assert_ne!(token, address, "{link}");

    let new = Jar::of(&app);
    let form = new.get(address).await;
    assert!(
        form.body.contains("For bo, bo@example.org."),
        "{}",
        form.body
    );
    let short = new
        .follow(
            "password-resets/use",
            &[("token", token), ("new_password", "short")],
        )
        .await;
    assert!(
        !short.texts("#new_password-error").is_empty(),
        "{}",
        short.body
    );
    let done = new
        .submit(
            "password-resets/use",
            &[("token", token), ("new_password", OTHER)],
        )
        .await;
    assert_eq!(done, "/");
    assert_eq!(new.get("/account").await.status, StatusCode::OK);
    assert_ne!(
        bo.get("/account").await.status,
        StatusCode::OK,
        "the session from before has ended"
    );
    assert_eq!(Jar::of(&app).get(address).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn a_machine_without_a_session_gets_a_problem_and_no_page_or_failure() {
    let app = TestApp::start().await;
    let send = async |body: &str| {
        let request = Request::post("/act/items/take")
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        app.send(request.body(Body::from(body.to_owned())).unwrap())
            .await
    };
    let refused = send("item=0197f0a0-0000-7000-8000-000000000000").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{}", refused.body);
    assert_eq!(refused.header("content-type"), "application/problem+json");
    let problem: serde_json::Value = serde_json::from_str(&refused.body).unwrap();
    assert_eq!(problem["type"], "/problems/signed-out");
    let unreadable = send("").await;
    assert_eq!(
        unreadable.status,
        StatusCode::BAD_REQUEST,
        "{}",
        unreadable.body
    );
    assert_eq!(
        unreadable.header("content-type"),
        "application/problem+json"
    );
}

#[tokio::test]
async fn a_list_of_people_that_is_longer_than_the_page_says_so_and_is_searched() {
    let app = TestApp::start().await;
    let admin = signed_in(&app, "ada", InstanceRole::Admin).await;
    let services = &app.state.services;
    let ada = Actor::of(
        &services
            .sign_in("ada@example.org", PASSWORD, "10.0.0.9")
            .await
            .unwrap(),
    );
    let new = NewService {
        name: Name::parse("Executor").unwrap(),
        slug: None,
        repository_url: None,
        description: None,
    };
    let service = services.create_service(&ada, new).await.unwrap();
    let mut tx = services.database().write().await.unwrap();
    for n in 0..205 {
        let id = holdpoint_domain::PersonId::parse(&format!("person-{n}")).unwrap();
        let (email, name) = (format!("p{n}@example.org"), format!("Person {n:03}"));
        tx.insert_person(holdpoint_storage::NewPerson {
            id: &id,
            email: &email,
            name: &name,
            instance_role: InstanceRole::Member,
            password_hash: None,
            made_by: None,
            created_at: 1,
        })
        .await
        .unwrap();
        tx.set_service_role(&service.id, &id, Some(ServiceRole::Viewer))
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    for (address, title) in [
        ("/people", "206 with an account"),
        ("/services/executor/people", "Who has a role"),
    ] {
        let page = admin.get(address).await;
        assert_eq!(page.texts("td[data-l=Address]").len(), 200);
        assert_eq!(
            page.texts(".rest-of"),
            ["The first 200 of 206 are shown. Search by name or address for the others."],
            "{address}"
        );
        assert!(page.texts("h2").contains(&title.to_owned()), "{address}");
        let found = admin.get(&format!("{address}?q=PERSON+204")).await;
        assert_eq!(found.texts("td[data-l=Address]"), ["p204@example.org"]);
        assert!(found.texts(".rest-of").is_empty());
        let kept = scraper::Selector::parse("#find[value='PERSON 204']").unwrap();
        assert!(found.html().select(&kept).next().is_some(), "{address}");
        let none = admin.get(&format!("{address}?q=%25_%22%3E")).await;
        assert!(none.texts("td[data-l=Address]").is_empty());
    }
    let page = admin.get("/services/executor").await;
    assert!(page.body.contains("206"), "{}", page.body);
}
