//! The real router in process, on a real SQLite file, with a clock that tests turn; people as actors come with the pages
//! that make them.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, Response, StatusCode},
};
use holdpoint_app::Site;
use holdpoint_domain::{InstanceRole, Millis, PersonId};
use holdpoint_service::{Ids, KeyStore, Limits, Services, TestClock};
use holdpoint_storage::{FileStore, NewPerson, SessionStore, session_keys, testing::TestDatabase};
use http::header;
use http_body_util::BodyExt as _;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tower_sessions::{
    SessionStore as _,
    cookie::time::OffsetDateTime,
    session::{Id, Record},
};

use super::{AppState, address::TrustedProxies, router, state::Settings};

/// Wed 28 Jan 2026, 14:31 UTC
pub(crate) const NOW: Millis = 1_769_610_660_000;

/// A whole server in process.
pub(crate) struct TestApp {
    pub(crate) state: AppState,
    pub(crate) sessions: SessionStore,
    pub(crate) clock: Arc<TestClock>,
    router: Router,
    _database: TestDatabase,
    _folder: tempfile::TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn html(&self) -> scraper::Html {
        scraper::Html::parse_document(&self.body)
    }

    /// The text of everything that a selector finds.
    pub(crate) fn texts(&self, selector: &str) -> Vec<String> {
        let selector = scraper::Selector::parse(selector).unwrap();
        self.html()
            .select(&selector)
            .map(|found| found.text().collect::<String>().trim().to_owned())
            .collect()
    }
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}, |router| router).await
    }

    /// With other sizes above which an upload is refused.
    pub(crate) async fn with_limits(limits: Limits) -> Self {
        Self::build(limits, |_| {}, |router| router).await
    }

    /// With other settings, and routes of the test's own inside all layers that go around everything.
    pub(crate) async fn with(
        change: impl FnOnce(&mut Settings),
        extend: impl FnOnce(Router<AppState>) -> Router<AppState>,
    ) -> Self {
        Self::build(Limits::default(), change, extend).await
    }

    async fn build(
        limits: Limits,
        change: impl FnOnce(&mut Settings),
        extend: impl FnOnce(Router<AppState>) -> Router<AppState>,
    ) -> Self {
        let database = TestDatabase::sqlite().await;
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock::at(NOW));
        let files = FileStore::open(&folder.path().join("evidence"))
            .await
            .unwrap();
        let services = Services::new(
            database.database.clone(),
            files,
            KeyStore::new(folder.path().join("keys"), None),
            clock.clone(),
            Ids::seeded(1),
            limits,
        );
        let site_folder = folder.path().join("site");
        std::fs::create_dir_all(site_folder.join("pkg")).unwrap();
        std::fs::write(site_folder.join("hash.txt"), "css: c\njs: j\nwasm: w\n").unwrap();
        std::fs::write(site_folder.join("favicon.svg"), "<svg/>").unwrap();
        for file in [
            "pkg/holdpoint.c.css",
            "pkg/holdpoint.j.js",
            "pkg/holdpoint.w.wasm",
        ] {
            std::fs::write(site_folder.join(file), "a{}").unwrap();
        }
        let site: Site = super::assets::read_site(&site_folder, "prr.example.org").unwrap();
        let mut settings = Settings {
            site_folder,
            https: false,
            authority: None,
            listening: SocketAddr::from(([127, 0, 0, 1], 3000)),
            trusted_proxies: TrustedProxies::default(),
            request_timeout: Duration::from_secs(30),
            session_hours: 12,
        };
        change(&mut settings);
        let state = AppState {
            services,
            site,
            settings: Arc::new(settings),
            stopping: CancellationToken::new(),
        };
        let turned = clock.clone();
        let sessions = SessionStore::new(database.database.clone(), move || {
            holdpoint_service::Clock::now(&*turned)
        });
        let router = router(state.clone(), sessions.clone(), extend(Router::new()));
        Self {
            state,
            sessions,
            clock,
            router,
            _database: database,
            _folder: folder,
        }
    }

    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        request
            .extensions_mut()
            .insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4000))));
        request
            .headers_mut()
            .entry(header::HOST)
            .or_insert(http::HeaderValue::from_static("localhost:3000"));
        let response: Response<Body> = self.router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    /// Opens an address as a browser does, as nobody.
    pub(crate) async fn get(&self, address: &str) -> Answer {
        self.send(
            Request::get(address)
                .header(header::ACCEPT, "text/html")
                .body(Body::empty())
                .unwrap(),
        )
        .await
    }

    /// An account, and a browser in which it is signed in.
    pub(crate) async fn member(&self, name: &str) -> Browser<'_> {
        self.person(name, InstanceRole::Member).await
    }

    /// As [`TestApp::member`], for an administrator.
    pub(crate) async fn admin(&self, name: &str) -> Browser<'_> {
        self.person(name, InstanceRole::Admin).await
    }

    async fn person(&self, name: &str, instance_role: InstanceRole) -> Browser<'_> {
        let id = PersonId::parse(&format!("person-{}", name.replace(' ', "-"))).unwrap();
        let mut tx = self.state.services.database().write().await.unwrap();
        let email = format!("{}@example.org", name.replace(' ', "."));
        tx.insert_person(NewPerson {
            id: &id,
            email: &email,
            name,
            instance_role,
            password_hash: None,
            made_by: None,
            created_at: NOW,
        })
        .await
        .unwrap();
        tx.commit().await.unwrap();
        self.browser(&id).await
    }

    /// A browser in which somebody is signed in.
    pub(crate) async fn browser(&self, id: &PersonId) -> Browser<'_> {
        let mut record = Record {
            id: Id::default(),
            data: [(
                session_keys::PERSON.to_owned(),
                serde_json::json!(id.as_str()),
            )]
            .into(),
            expiry_date: OffsetDateTime::from_unix_timestamp(NOW / 1000 + 3600).unwrap(),
        };
        self.sessions.create(&mut record).await.unwrap();
        Browser {
            app: self,
            cookie: format!("{}={}", self.state.cookie_name(), record.id),
        }
    }
}

/// A person's browser.
pub(crate) struct Browser<'a> {
    pub(crate) app: &'a TestApp,
    pub(crate) cookie: String,
}

impl Browser<'_> {
    /// What the session of this browser keeps under a name, to be changed and kept again.
    pub(crate) async fn in_session(&self, name: &str, change: impl FnOnce(&mut serde_json::Value)) {
        let (_, id) = self.cookie.split_once('=').unwrap();
        let sessions = &self.app.sessions;
        let mut record = sessions.load(&id.parse().unwrap()).await.unwrap().unwrap();
        change(record.data.get_mut(name).unwrap());
        sessions.save(&record).await.unwrap();
    }

    pub(crate) async fn get(&self, address: &str) -> Answer {
        let request = Request::get(address)
            .header(header::ACCEPT, "text/html")
            .header(header::COOKIE, &self.cookie);
        self.app.send(request.body(Body::empty()).unwrap()).await
    }

    /// Sends a form as a browser does without script.
    pub(crate) async fn submit(&self, address: &str, fields: &[(&str, &str)]) -> Answer {
        let form = holdpoint_app::paths::with_query("", fields);
        let request = Request::post(address)
            .header(header::ACCEPT, "text/html")
            .header(header::COOKIE, &self.cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(form.trim_start_matches('?').to_owned()))
            .unwrap();
        self.app.send(request).await
    }
}
