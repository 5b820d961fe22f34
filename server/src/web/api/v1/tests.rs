//! The API as programs see it: the real router, real tokens, a real SQLite file.

use axum::{body::Body, http::Request};
use holdpoint_domain::{
    FindingId, InstanceRole, ItemId, Policy, ReviewId, ServiceRole, text::Name,
};
use holdpoint_service::{
    Actor, Ids, Limits, NewAccount, NewReview, NewService, NewToken, Services, TemplateFor,
    TemplateImport,
};
use http::{Method, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::web::{
    AppState,
    testing::{Answer, TestApp},
};

const SEED: &[u8] =
    include_bytes!("../../../../crates/checklist/testdata/phase22_production_readiness_audit.md");
const PASSWORD: &str = "four words work well";
const EVERYTHING: &[&str] = &[
    "read",
    "export",
    "import_scans",
    "contribute",
    "approve_patch",
    "decide",
    "decide_release",
    "manage",
];

mod quota;

/// A small SARIF file with one high finding at a line.
fn sarif(line: u32, message: &str) -> String {
    json!({
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "gosec", "version": "2.21.0", "rules": [{ "id": "G304" }] } },
            "results": [{
                "ruleId": "G304",
                "level": "error",
                "message": { "text": message },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": "config/config.go" },
                    "region": { "startLine": line }
                } }]
            }]
        }]
    })
    .to_string()
}

const PATCH: &str = "diff --git a/config/config.go b/config/config.go\nindex 1111111..2222222 100644\n\
                     --- a/config/config.go\n+++ b/config/config.go\n@@ -41,3 +41,3 @@ func load() {\n \ta()\n-\tb()\n+\tc()\n \td()\n";

/// A service with its people and a review of the sample checklist.
struct Team {
    app: TestApp,
    owner: Actor,
    reviewer: Actor,
    viewer: Actor,
    stranger: Actor,
    manager: Actor,
    review: ReviewId,
}

impl Team {
    async fn start() -> Self {
        let app = TestApp::start().await;
        let services = &app.state.services;
        let person = async |name: &str, instance_role| {
            let email = format!("{name}@example.org");
            let new = NewAccount {
                email: &email,
                name,
                password: PASSWORD,
                instance_role,
            };
            Actor::of(&services.add_person(new).await.unwrap())
        };
        let admin = person("ada", InstanceRole::Admin).await;
        let manager = person("sofia", InstanceRole::Member).await;
        let owner = person("jonas", InstanceRole::Member).await;
        let reviewer = person("mira", InstanceRole::Member).await;
        let viewer = person("vic", InstanceRole::Member).await;
        let stranger = person("eve", InstanceRole::Member).await;
        let name = |text: &str| Name::parse(text).unwrap();
        let new = |called: &str| NewService {
            name: name(called),
            slug: None,
            repository_url: None,
            description: None,
        };
        let service = services
            .create_service(&admin, new("Market Maker"))
            .await
            .unwrap();
        services.create_service(&admin, new("Other")).await.unwrap();
        for (who, role) in [
            (&manager, ServiceRole::Manager),
            (&owner, ServiceRole::Contributor),
            (&reviewer, ServiceRole::Reviewer),
            (&viewer, ServiceRole::Viewer),
        ] {
            services
                .set_role(&admin, &service.id, &who.id, Some(role))
                .await
                .unwrap();
        }
        let import = TemplateImport {
            template: None,
            name: None,
            owner: TemplateFor::Unsaid,
            file_name: "prr.md".to_owned(),
            reading: None,
            tier: None,
        };
        let imported = services
            .import_template(&manager, import, SEED.to_vec())
            .await
            .unwrap();
        let new = NewReview {
            template_version: imported.version.id,
            title: name("Phase 22"),
            release: name("v1.0.0"),
            commit: None,
            due_on: None,
            policy: Policy::default(),
        };
        let review = services
            .create_review(&manager, &service.id, new)
            .await
            .unwrap()
            .review
            .id;
        Self {
            app,
            owner,
            reviewer,
            viewer,
            stranger,
            manager,
            review,
        }
    }

    fn services(&self) -> &Services {
        &self.app.state.services
    }

    async fn token_for(&self, who: &Actor, service: Option<&str>, scopes: &[&str]) -> Client<'_> {
        let new = NewToken {
            name: "CI",
            service,
            scopes: scopes.to_vec(),
            expires_at: self.services().now() + 86_400_000,
        };
        let token = self
            .services()
            .create_token_for(&who.email, new)
            .await
            .unwrap()
            .secret;
        Client {
            app: &self.app,
            token,
        }
    }

    async fn token(&self, who: &Actor) -> Client<'_> {
        self.token_for(who, None, EVERYTHING).await
    }

    /// The id of an item by its key.
    async fn item(&self, key: &str) -> String {
        let page = self
            .services()
            .item_by_key(&self.manager, &self.review, key)
            .await
            .unwrap();
        page.item.id.to_string()
    }

    /// An item of another review of the service.
    async fn item_elsewhere(&self) -> String {
        let this = self.services().review(&self.manager, &self.review).await;
        let asked = json!({
            "template": this.unwrap().template.id, "title": "Phase 23", "release": "v1.1.0"
        });
        let client = self.token(&self.manager).await;
        let begun = client.post("/services/market-maker/reviews", &asked).await;
        let review = ReviewId::parse(begun.json()["id"].as_str().unwrap()).unwrap();
        let services = self.services();
        let item = services.item_by_key(&self.manager, &review, "2.1.1").await;
        item.unwrap().item.id.to_string()
    }

    async fn n_findings(&self) -> usize {
        let client = self.token(&self.manager).await;
        client.get(&self.of_review("/findings")).await.json()["entries"]
            .as_array()
            .unwrap()
            .len()
    }

    fn of_review(&self, rest: &str) -> String {
        format!("/reviews/{}{rest}", self.review)
    }
}

/// A program with a token.
struct Client<'a> {
    app: &'a TestApp,
    token: String,
}

impl Client<'_> {
    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.app.send(request.body(body.into()).unwrap()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Body::empty()).await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(
            Method::POST,
            path,
            &[("content-type", "application/json")],
            body.to_string(),
        )
        .await
    }

    async fn patch(&self, path: &str, version: &str, body: &Value) -> Answer {
        let headers = [("content-type", "application/json"), ("if-match", version)];
        self.send(Method::PATCH, path, &headers, body.to_string())
            .await
    }

    async fn push(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send(
            Method::POST,
            path,
            &[("content-type", "application/octet-stream")],
            body,
        )
        .await
    }
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Checks that this is a problem document of a status, and gives it.
    fn problem(&self, status: StatusCode) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status.as_u16());
        assert!(
            problem["type"].as_str().unwrap().starts_with("/problems/"),
            "{problem}"
        );
        for words in ["title", "detail"] {
            assert!(!problem[words].as_str().unwrap().is_empty(), "{problem}");
        }
        problem
    }

    /// The field at which it was refused.
    fn field(&self) -> String {
        self.problem(StatusCode::UNPROCESSABLE_ENTITY)["field"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

#[tokio::test]
async fn without_a_good_token_nobody_gets_in() {
    let team = Team::start().await;
    let address = format!("/api/v1{}", team.of_review("/gate"));
    let send = async |headers: &[(&str, &str)]| {
        let mut request = Request::get(&address);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        team.app.send(request.body(Body::empty()).unwrap()).await
    };
    let none = send(&[]).await;
    assert_eq!(
        none.problem(StatusCode::UNAUTHORIZED)["type"],
        "/problems/no-token"
    );
    assert_eq!(
        none.header("www-authenticate"),
        "Bearer realm=\"Holdpoint\""
    );
    for wrong in [
        "Bearer hp_wrong",
        "Bearer",
        "Basic YTpi",
        "hp_x",
        "Bearer \u{e4}",
    ] {
        let refused = send(&[("authorization", wrong)]).await;
        assert_eq!(
            refused.problem(StatusCode::UNAUTHORIZED)["type"],
            "/problems/bad-token",
            "{wrong}"
        );
        assert!(
            refused
                .header("www-authenticate")
                .ends_with("error=\"invalid_token\"")
        );
    }
    let signed_in = team.app.member("browser").await;
    send(&[("cookie", &signed_in.cookie)])
        .await
        .problem(StatusCode::UNAUTHORIZED);
    let late = team.token(&team.manager).await;
    assert_eq!(
        late.get(&team.of_review("/gate")).await.status,
        StatusCode::OK
    );
    team.app.clock.advance(86_400_001);
    late.get(&team.of_review("/gate"))
        .await
        .problem(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_does_no_more_than_it_was_granted_and_its_person_may() {
    let team = Team::start().await;
    let scans = "/services/market-maker/scans";
    let gate = team.of_review("/gate");
    let activity = team.of_review("/activity");
    let push = async |client: &Client<'_>| client.push(scans, sarif(41, "x")).await.status;
    let reads = team.token_for(&team.owner, None, &["read"]).await;
    assert_eq!(reads.get(&gate).await.status, StatusCode::OK);
    assert_eq!(push(&reads).await, StatusCode::FORBIDDEN);
    assert_eq!(reads.get(&activity).await.status, StatusCode::FORBIDDEN);
    // What nobody may see nobody can work with, so reading belongs to every grant.
    let imports = team
        .token_for(&team.owner, Some("market-maker"), &["import_scans"])
        .await;
    assert_eq!(imports.get(&gate).await.status, StatusCode::OK);
    let finding = json!({
        "review": team.review, "title": "t", "severity": "low", "category": "code", "problem": "p"
    });
    imports
        .post("/findings", &finding)
        .await
        .problem(StatusCode::FORBIDDEN);
    assert_eq!(push(&imports).await, StatusCode::CREATED);
    // A viewer's token is a viewer's, whatever it was granted.
    let viewer = team.token(&team.viewer).await;
    assert_eq!(push(&viewer).await, StatusCode::FORBIDDEN);
    assert_eq!(viewer.get(&activity).await.status, StatusCode::OK);
    viewer
        .post("/services", &json!({ "name": "Mine" }))
        .await
        .problem(StatusCode::FORBIDDEN);
    assert_eq!(team.n_findings().await, 1);
}

#[tokio::test]
async fn rules_map_many_are_decided_at_once_and_both_go_back() {
    let team = Team::start().await;
    let manager = team.token(&team.manager).await;
    manager
        .push("/services/market-maker/scans", sarif(41, "x"))
        .await
        .json();
    let refused = manager
        .post(&team.of_review("/mapping"), &json!({ "item_key": "2.4.1" }))
        .await
        .problem(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused["field"], "tool");
    let rule = json!({ "item_key": "2.4.1", "tool": "*" });
    let made = manager.post(&team.of_review("/mapping"), &rule).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let plan = manager.get(&team.of_review("/mapping/plan")).await.json();
    assert_eq!((&plan["link"], &plan["unlink"]), (&json!(1), &json!(0)));
    let apply = json!({ "digest": plan["digest"] });
    let done = manager
        .post(&team.of_review("/mapping/apply"), &apply)
        .await;
    assert_eq!(done.status, StatusCode::OK);
    manager
        .post(&team.of_review("/mapping/apply"), &apply)
        .await
        .problem(StatusCode::CONFLICT);
    let findings = manager.get(&team.of_review("/findings")).await.json();
    assert_eq!(findings["entries"][0]["items"][0]["key"], "2.4.1");
    let decide = |count: i64| {
        json!({
            "matching": { "status": ["open"], "count": count },
            "triage": { "action": "false_positive", "reason": "It is a test." }
        })
    };
    let outdated = manager
        .post(&team.of_review("/triage"), &decide(7))
        .await
        .problem(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        outdated["detail"]
            .as_str()
            .unwrap()
            .contains("1 finding matches now")
    );
    let done = manager
        .post(&team.of_review("/triage"), &decide(1))
        .await
        .json();
    assert_eq!(done["done"], 1);
    let undo = format!("/triage/{}/undo", done["batch"].as_str().unwrap());
    let undone = manager.post(&undo, &json!({})).await.json();
    assert_eq!(undone["done"], 1);
    manager
        .post(&undo, &json!({}))
        .await
        .problem(StatusCode::UNPROCESSABLE_ENTITY);
    let findings = manager.get(&team.of_review("/findings")).await.json();
    assert_eq!(findings["entries"][0]["status"], "open");
}

#[tokio::test]
async fn nothing_of_a_service_is_found_by_whoever_has_no_role_there() {
    let team = Team::start().await;
    let manager = team.token(&team.manager).await;
    let scan = manager
        .push("/services/market-maker/scans", sarif(41, "x"))
        .await
        .json();
    let findings = manager.get(&team.of_review("/findings")).await.json();
    let patch = manager
        .send(
            Method::POST,
            &team.of_review("/patches"),
            &[("content-type", "text/x-patch")],
            PATCH,
        )
        .await
        .json();
    let item = team.item("2.1.1").await;
    let note = json!({ "kind": "note", "text": "seen" });
    let evidence = manager
        .post(&format!("/items/{item}/evidence"), &note)
        .await
        .json();
    let rule = json!({ "item_key": "2.1.1", "tool": "x" });
    let rule = manager
        .post(&team.of_review("/mapping"), &rule)
        .await
        .json();
    let all = json!({ "matching": { "count": 1 }, "link": item });
    let batch = manager.post(&team.of_review("/triage"), &all).await.json();
    let templates = team
        .token(&team.manager)
        .await
        .get("/templates")
        .await
        .json();
    let id_of = |path: &str| -> String {
        let id = match path.split('/').nth(1).unwrap() {
            "reviews" => json!(team.review),
            "templates" => templates["entries"][0]["id"].clone(),
            "items" => json!(item),
            "scans" => scan["scan"].clone(),
            "findings" => findings["entries"][0]["id"].clone(),
            "patches" => patch["id"].clone(),
            "evidence" => evidence["id"].clone(),
            "triage" => batch["batch"].clone(),
            "mapping-rules" => rule["id"].clone(),
            other => panic!("{other}"),
        };
        id.as_str()
            .unwrap_or_else(|| panic!("{path}: {patch} {findings} {evidence}"))
            .to_owned()
    };
    let strangers = [
        team.token(&team.stranger).await,
        team.token_for(&team.stranger, None, &["read"]).await,
    ];
    let mut n_tried = 0;
    for (method, path) in [super::quick().list, super::slow().list].concat() {
        if !path.contains('{') {
            continue;
        }
        let filled = if path.contains("{slug}") {
            path.replace("{slug}", "market-maker")
        } else {
            path.replace("{id}", &id_of(path)).replace("{n}", "1")
        };
        // Each body is one that would do something.
        let body = match (method, path) {
            ("get", _)
            | (_, "/services/{slug}/scans" | "/scans/{id}/undo" | "/triage/{id}/undo") => None,
            (_, "/services/{slug}/reviews") => {
                Some(json!({ "title": "t", "release": "r", "template": "x" }))
            }
            (_, "/reviews/{id}" | "/items/{id}") => Some(json!({ "title": "t" })),
            (_, "/items/{id}/evidence") => Some(note.clone()),
            (_, "/evidence/{id}/withdraw") => Some(json!({ "reason": "r" })),
            (_, "/items/{id}/decision") => {
                Some(json!({ "decision": "pass", "basis": "0".repeat(64), "password": PASSWORD }))
            }
            (_, "/reviews/{id}/decision") => {
                Some(json!({ "decision": "go", "basis": "0".repeat(64), "password": PASSWORD }))
            }
            (_, "/findings/{id}") => {
                Some(json!({ "triage": { "action": "false_positive", "reason": "r" } }))
            }
            (_, "/reviews/{id}/patches") => Some(json!({ "patch": PATCH })),
            (_, "/findings/{id}/fixes/{n}/patch") => Some(json!({ "review": team.review })),
            (_, "/reviews/{id}/triage") => {
                Some(json!({ "matching": { "count": 1 }, "link": item }))
            }
            (_, "/reviews/{id}/mapping") => Some(json!({ "item_key": "2.1.1", "tool": "y" })),
            (_, "/reviews/{id}/mapping/dismiss") => Some(json!({ "tool": "x" })),
            (_, "/reviews/{id}/mapping/apply") => Some(json!({ "digest": "0".repeat(64) })),
            (_, "/mapping-rules/{id}") => Some(json!({
                "review": team.review, "rule": { "item_key": "2.1.1", "tool": "z" }
            })),
            (_, "/mapping-rules/{id}/move") => Some(json!({ "to": "up" })),
            (_, "/mapping-rules/{id}/remove") => Some(json!({ "version": 1 })),
            (_, "/scans/{id}/evidence") => Some(json!({ "item": item })),
            other => panic!("{other:?} is not tried"),
        };
        for stranger in &strangers {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let headers = [("content-type", "application/json"), ("if-match", "\"1\"")];
            let sent = body.as_ref().map(Value::to_string).unwrap_or_default();
            let answer = stranger.send(method, &filled, &headers, sent).await;
            let problem = answer.problem(StatusCode::NOT_FOUND);
            assert_eq!(problem["type"], "/problems/not-found", "{path}");
        }
        n_tried += 1;
    }
    assert!(n_tried > 30, "{n_tried}");
    // A token for one service finds nothing of another, though its person may see it.
    let other = team
        .token_for(&team.owner, Some("market-maker"), &["read"])
        .await;
    other
        .get("/services/other")
        .await
        .problem(StatusCode::NOT_FOUND);
    let list = strangers[0].get("/services").await.json();
    assert_eq!(list["entries"], json!([]));
}

#[tokio::test]
async fn the_second_of_two_changes_gets_both_versions() {
    let team = Team::start().await;
    let manager = team.token(&team.manager).await;
    let path = format!("/items/{}", team.item("2.1.1").await);
    let shown = manager.get(&path).await;
    let tag = shown.header("etag").to_owned();
    assert_eq!(tag, format!("\"{}\"", shown.json()["version"]));
    let change = json!({ "owner": "jonas@example.org", "due_on": "2026-02-01" });
    let headers = [("content-type", "application/json")];
    let unsure = manager
        .send(Method::PATCH, &path, &headers, change.to_string())
        .await;
    assert_eq!(
        unsure.problem(StatusCode::PRECONDITION_REQUIRED)["field"],
        "If-Match"
    );
    for wrong in ["*", "\"x\"", "\"1\", \"2\"", "-1"] {
        assert_eq!(
            manager.patch(&path, wrong, &change).await.field(),
            "If-Match",
            "{wrong}"
        );
    }
    let first = manager.patch(&path, &tag, &change).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.body);
    assert_eq!(first.json()["owner"]["name"], "jonas");
    assert_ne!(first.header("etag"), tag);
    let second = manager
        .patch(
            &path,
            &tag,
            &json!({ "due_on": null, "gating": "advisory" }),
        )
        .await;
    let problem = second.problem(StatusCode::CONFLICT);
    assert_eq!(problem["type"], "/problems/conflict");
    assert_eq!(problem["version"], first.json()["version"]);
    let versions = problem["versions"].as_array().unwrap();
    let due = versions
        .iter()
        .find(|differs| differs["field"] == "due date")
        .unwrap();
    assert_eq!(
        (&due["sent"], &due["stored"]),
        (&json!(""), &json!("2026-02-01"))
    );
    let now = manager.get(&path).await.json();
    assert_eq!(
        (&now["due_on"], &now["gating"]),
        (&json!("2026-02-01"), &shown.json()["gating"])
    );
    // The new version is taken, and what was not sent stays.
    let third = manager
        .patch(&path, first.header("etag"), &json!({ "due_on": null }))
        .await
        .json();
    assert_eq!(
        (&third["due_on"], &third["owner"]["name"]),
        (&json!(null), &json!("jonas"))
    );
}

#[tokio::test]
async fn the_same_scan_twice_changes_nothing() {
    let team = Team::start().await;
    let client = team.token(&team.owner).await;
    let path = "/services/market-maker/scans?series=ci&commit=c41f0e2a";
    let preview = client
        .push(&format!("{path}&preview=true"), sarif(41, "x"))
        .await;
    assert_eq!(preview.status, StatusCode::OK, "{}", preview.body);
    assert_eq!(preview.json()["changes"]["new"], 1);
    assert_eq!(preview.json()["scan"], json!(null));
    assert_eq!(team.n_findings().await, 0);

    let first = client
        .push(&format!("{path}&file_name=gosec.sarif"), sarif(41, "x"))
        .await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    let first_json = first.json();
    assert_eq!(first_json["counts"]["high"], 1);
    assert_eq!(
        first_json["tool"],
        json!({ "name": "gosec", "version": "2.21.0" })
    );
    assert_eq!(
        (&first_json["series"], &first_json["commit"]),
        (&json!("ci"), &json!("c41f0e2a"))
    );
    let again = client.push(path, sarif(41, "x")).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.body);
    assert_eq!(again.json()["repeated"], true);
    assert_eq!(again.json()["scan"], first_json["scan"]);
    assert_eq!(team.n_findings().await, 1);

    // As a form, at another line: the same finding.
    let boundary = "XX";
    let form = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"b.sarif\"\r\n\r\n{}\r\n--{boundary}--\r\n",
        sarif(57, "x")
    );
    let headers = [("content-type", "multipart/form-data; boundary=XX")];
    let moved = client.send(Method::POST, path, &headers, form).await;
    assert_eq!(moved.status, StatusCode::CREATED, "{}", moved.body);
    assert_eq!(
        moved.json()["changes"],
        json!({ "new": 0, "unchanged": 0, "moved": 1, "reopened": 0, "fixed": 0 })
    );

    let location = first
        .header("location")
        .strip_prefix("/api/v1")
        .unwrap()
        .to_owned();
    let scan = client.get(&location).await.json();
    assert_eq!(
        (&scan["file_name"], &scan["sequence"]),
        (&json!("gosec.sarif"), &json!(1))
    );
    let file = client.get(&format!("{location}/file")).await;
    assert_eq!(file.body, sarif(41, "x"));
    assert!(
        file.header("content-disposition")
            .starts_with("attachment; filename=\"gosec.sarif\"")
    );
    assert!(file.header("content-security-policy").contains("sandbox"));
    assert_eq!(file.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn a_preview_is_imported_as_it_was_shown_or_refused_with_what_would_happen_now() {
    let team = Team::start().await;
    let client = team.token(&team.owner).await;
    let path = "/services/market-maker/scans?series=ci&commit=c41f0e2a";
    let over = async |ground: &str, body: String| {
        client.push(&format!("{path}&ground={ground}"), body).await
    };
    let shown = client
        .push(&format!("{path}&preview=true"), sarif(41, "x"))
        .await
        .json();
    let ground = shown["ground"].as_str().unwrap();
    assert_eq!(shown["changes"]["new"], 1);
    // Meanwhile a job pushes what has the finding already, at another line.
    let other = client.push(path, sarif(40, "x")).await;
    assert_eq!(other.json()["ground"], json!(null));
    let refused = over(ground, sarif(41, "x")).await;
    let problem = refused.problem(StatusCode::CONFLICT);
    assert_eq!(
        (&problem["type"], &problem["field"]),
        (&json!("/problems/ground-moved"), &json!("ground"))
    );
    let now = &problem["preview"];
    assert_eq!(
        (&now["preview"], &now["scan"], &now["changes"]["moved"]),
        (&json!(true), &json!(null), &json!(1))
    );
    assert_eq!(
        now["listed"][0]["why"],
        "same as F-1: rule, file and message are equal, line moved 40 → 41"
    );
    // The ground of now is taken, with a key twice, and once.
    let now = now["ground"].as_str().unwrap();
    let address = format!("{path}&ground={now}");
    let headers = [("idempotency-key", "over-ground")];
    let mut scans = Vec::new();
    for replayed in ["", "true"] {
        let done = client
            .send(Method::POST, &address, &headers, sarif(41, "x"))
            .await;
        assert_eq!(done.status, StatusCode::CREATED, "{}", done.body);
        assert_eq!(done.header("idempotent-replayed"), replayed);
        scans.push(done.json()["scan"].clone());
    }
    assert_eq!(scans[0], scans[1]);
    // The newest scan again changes nothing, whatever the ground.
    let again = over(now, sarif(41, "x")).await;
    assert_eq!(
        (again.status, &again.json()["repeated"]),
        (StatusCode::OK, &json!(true))
    );
    for wrong in ["", "main", &now[1..]] {
        assert_eq!(
            over(wrong, sarif(50, "x")).await.field(),
            "ground",
            "{wrong}"
        );
    }
    let both = format!("{now}&preview=true");
    assert_eq!(over(&both, sarif(50, "x")).await.field(), "ground");
}

#[tokio::test]
async fn bytes_that_others_came_after_are_imported_again() {
    let team = Team::start().await;
    let client = team.token(&team.owner).await;
    let path = "/services/market-maker/scans?series=ci&commit=c41f0e2a";
    let send = async |key: &str, message: &str| {
        let headers = [("idempotency-key", key)];
        let sent = client.send(Method::POST, path, &headers, sarif(41, message));
        let sent = sent.await;
        let body = sent.json();
        (
            sent.status,
            body["changes"]["reopened"].clone(),
            body["scan"].clone(),
        )
    };
    let first = send("1", "x").await;
    send("2", "y").await;
    // A job that did not hear the answer asks again: that is no third scan.
    assert_eq!(send("1", "x").await, first);
    let back = send("3", "x").await;
    assert_eq!((back.0, &back.1), (StatusCode::CREATED, &json!(1)));
    assert_ne!(back.2, first.2);
    assert_eq!(send("3", "x").await, back);
    assert_eq!(send("4", "x").await.0, StatusCode::OK);
}

#[tokio::test]
async fn what_is_no_scan_is_refused_with_what_was_expected_and_stores_nothing() {
    let team = Team::start().await;
    let client = team.token(&team.owner).await;
    let path = "/services/market-maker/scans";
    let page = "<!DOCTYPE html><html><body><form action=/login>Sign in</form></body></html>";
    let cases = [
        (page.to_owned(), "web page"),
        (String::new(), "empty"),
        ("hello".to_owned(), "let the tool write SARIF"),
        (sarif(1, "x")[..90].to_owned(), "cut off"),
        (sarif(1, "x").replace("2.1.0", "3.9.9"), "3.9.9"),
        ("[".repeat(200_000), "let the tool write SARIF"),
    ];
    for (body, expected) in cases {
        let refused = client.push(path, body.clone()).await;
        let problem = refused.problem(StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(problem["field"], "file");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(expected), "{expected}: {detail}");
    }
    assert_eq!(
        client
            .push(&format!("{path}?commit=main"), sarif(1, "x"))
            .await
            .field(),
        "commit"
    );
    assert_eq!(
        client
            .push(&format!("{path}?preview=yes"), sarif(1, "x"))
            .await
            .field(),
        "preview"
    );
    assert_eq!(
        client
            .push(&format!("{path}?comit=c41f0e2"), sarif(1, "x"))
            .await
            .field(),
        "comit"
    );
    assert_eq!(
        client
            .push(&format!("{path}?format=nope"), sarif(1, "x"))
            .await
            .field(),
        "file"
    );
    let headers = [("content-type", "multipart/form-data; boundary=XX")];
    let cut = "--XX\r\ncontent-disposition: form-data; name=\"file\"; filename=\"b\"\r\n\r\nhalf";
    client
        .send(Method::POST, path, &headers, cut)
        .await
        .problem(StatusCode::BAD_REQUEST);
    let nameless = "--XX\r\ncontent-disposition: form-data; name=\"fiel\"\r\n\r\nx\r\n--XX--\r\n";
    assert_eq!(
        client
            .send(Method::POST, path, &headers, nameless)
            .await
            .field(),
        "fiel"
    );
    let scans = client.get(path).await.json();
    assert_eq!(scans["entries"], json!([]));
    assert_eq!(team.n_findings().await, 0);
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_and_while_it_comes() {
    let team = Team::start().await;
    let state = &team.app.state;
    let limits = Limits {
        scan_bytes: 1_000,
        evidence_bytes: 1_000,
        ..Limits::default()
    };
    let small = Services::new(
        state.services.database().clone(),
        state.services.files().clone(),
        state.services.keys().clone(),
        team.app.clock.clone(),
        Ids::seeded(9),
        limits,
    );
    let state = AppState {
        services: small,
        ..state.clone()
    };
    let router = super::routes(&state).with_state(state);
    let token = team.token(&team.owner).await.token;
    let item = team.item("2.1.1").await;
    let status = async |path: &str, kind: &str, announced: Option<u64>, body: Body| {
        let mut request = Request::post(path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, kind);
        if let Some(length) = announced {
            request = request.header(header::CONTENT_LENGTH, length);
        }
        router
            .clone()
            .oneshot(request.body(body).unwrap())
            .await
            .unwrap()
            .status()
    };
    let pieces = || {
        let pieces =
            (0..20).map(|_| Ok::<_, std::io::Error>(axum::body::Bytes::from(vec![b'x'; 100])));
        Body::from_stream(futures::stream::iter(pieces))
    };
    let scans = "/api/v1/services/market-maker/scans";
    let evidence = format!("/api/v1/items/{item}/evidence");
    let kind = "application/octet-stream";
    let too_large = StatusCode::PAYLOAD_TOO_LARGE;
    assert_eq!(
        status(scans, kind, Some(1 << 40), Body::empty()).await,
        too_large
    );
    assert_eq!(status(scans, kind, None, pieces()).await, too_large);
    let form = format!(
        "--XX\r\ncontent-disposition: form-data; name=\"file\"; filename=\"b\"\r\n\r\n{}\r\n--XX--\r\n",
        "x".repeat(1_001)
    );
    assert_eq!(
        status(
            &evidence,
            "multipart/form-data; boundary=XX",
            None,
            form.into()
        )
        .await,
        too_large
    );
    let long = json!({ "kind": "note", "text": "x".repeat(3 * 1024 * 1024) }).to_string();
    assert_eq!(
        status(&evidence, "application/json", None, long.clone().into()).await,
        too_large
    );
    assert_eq!(
        status("/api/v1/findings", "application/json", None, long.into()).await,
        too_large
    );
    let huge = " ".repeat(5 * 1024 * 1024);
    assert_eq!(
        status("/api/v1/templates", "text/markdown", None, huge.into()).await,
        too_large
    );
}

#[tokio::test]
async fn wrong_input_is_refused_with_the_fields_name() {
    let team = Team::start().await;
    let client = team.token(&team.manager).await;
    let item = team.item("2.1.1").await;
    let whole = json!({ "review": team.review, "title": "t", "severity": "low", "category": "code", "problem": "p" });
    let with = |field: &str, value: Value| {
        let mut body = whole.clone();
        body[field] = value;
        body
    };
    for (field, value) in [
        ("severty", json!("low")),
        ("severity", json!("urgent")),
        ("severity", json!(3)),
        ("title", json!("")),
        ("title", json!("a\u{1b}[31m")),
        ("title", json!("x".repeat(201))),
        ("category", json!(null)),
        ("start_line", json!(-1)),
        ("start_line", json!("7")),
        ("start_line", json!(1.5)),
        ("start_line", json!(18_446_744_073_709_551_615_u64)),
        ("items", json!(["../x"])),
    ] {
        assert_eq!(
            client.post("/findings", &with(field, value)).await.field(),
            field
        );
    }
    assert_eq!(client.post("/findings", &json!({})).await.field(), "review");
    assert_eq!(
        client
            .post("/findings", &with("items", json!([1])))
            .await
            .field(),
        "items[0]"
    );
    let policy =
        json!({ "title": "t", "release": "r", "template": "x", "policy": { "four_eye": false } });
    assert_eq!(
        client
            .post("/services/market-maker/reviews", &policy)
            .await
            .field(),
        "policy.four_eye"
    );
    let output =
        json!({ "kind": "output", "command": "go test", "exit_code": "0", "output": "ok" });
    assert_eq!(
        client
            .post(&format!("/items/{item}/evidence"), &output)
            .await
            .field(),
        "exit_code"
    );
    let triage = json!({ "triage": { "action": "false_positive" } });
    let id = client.post("/findings", &whole).await.json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        client
            .patch(&format!("/findings/{id}"), "1", &triage)
            .await
            .field(),
        "triage.reason"
    );
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("cursor=%00", "cursor"),
        ("severity=bad", "severity"),
        ("sort=random", "sort"),
        ("severty=low", "severty"),
        ("q=a&q=b", "q"),
    ] {
        let answer = client
            .get(&team.of_review(&format!("/findings?{query}")))
            .await;
        assert_eq!(answer.field(), field, "{query}: {}", answer.body);
    }
    let kind = [("content-type", "text/plain")];
    let text = client
        .send(Method::POST, "/findings", &kind, whole.to_string())
        .await;
    text.problem(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(team.n_findings().await, 1);
}

#[tokio::test]
async fn hostile_json_is_refused_by_every_door() {
    let team = Team::start().await;
    let client = team.token(&team.manager).await;
    let item = team.item("2.1.1").await;
    let deep = format!("{}{}", "{\"a\":".repeat(50_000), "[".repeat(50_000));
    let bodies: [&[u8]; 10] = [
        b"",
        b"null",
        b"[]",
        b"\"x\"",
        b"{",
        b"{\"title\": \"\xff\"}",
        b"{\"title\": \"\\ud800\"}",
        b"{\"title\": 1e999}",
        b"\xef\xbb\xbf{}",
        deep.as_bytes(),
    ];
    let mut n_doors = 0;
    for (method, path) in [super::quick().list, super::slow().list].concat() {
        let takes_json =
            method != "get" && !matches!(path, "/templates" | "/services/{slug}/scans");
        if !takes_json {
            continue;
        }
        let review = team.review.to_string();
        let filled = match path.split('/').nth(1).unwrap() {
            "items" => path.replace("{id}", &item),
            _ => path
                .replace("{id}", &review)
                .replace("{slug}", "market-maker"),
        };
        for body in bodies {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let headers = [("content-type", "application/json"), ("if-match", "\"1\"")];
            let answer = client.send(method, &filled, &headers, body.to_vec()).await;
            assert!(
                answer.status.is_client_error(),
                "{path}: {} {}",
                answer.status,
                answer.body
            );
            answer.problem(answer.status);
        }
        n_doors += 1;
    }
    assert!(n_doors >= 10, "{n_doors}");
}

#[tokio::test]
async fn a_repeated_request_is_done_once_and_answered_alike() {
    let team = Team::start().await;
    let client = team.token(&team.owner).await;
    let body = json!({ "review": team.review, "title": "t", "severity": "low", "category": "code", "problem": "p" });
    let send = async |key: &str, body: &Value| {
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", key),
        ];
        client
            .send(Method::POST, "/findings", &headers, body.to_string())
            .await
    };
    let first = send("k1", &body).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    let again = send("k1", &body).await;
    assert_eq!((again.status, again.json()), (first.status, first.json()));
    for name in ["location", "etag"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(team.n_findings().await, 1);
    let mut other = body.clone();
    other["title"] = json!("u");
    assert_eq!(send("k1", &other).await.field(), "Idempotency-Key");
    assert_eq!(send("", &body).await.field(), "Idempotency-Key");
    // A refusal keeps no key: the request may be mended.
    let mut wrong = body.clone();
    wrong["review"] = json!("nope");
    send("k2", &wrong).await.problem(StatusCode::NOT_FOUND);
    assert_eq!(send("k2", &body).await.status, StatusCode::CREATED);
    assert_eq!(team.n_findings().await, 2);
}

#[tokio::test]
async fn the_gate_says_what_the_service_says() {
    let team = Team::start().await;
    let client = team.token(&team.viewer).await;
    let gate = client.get(&team.of_review("/gate")).await;
    assert_eq!(gate.status, StatusCode::OK, "{}", gate.body);
    let gate = gate.json();
    let standing = team
        .services()
        .review_standing(&team.viewer, &team.review)
        .await
        .unwrap();
    assert_eq!(gate["outcome"], standing.verdict.outcome.as_str());
    assert_eq!(gate["go"], false);
    let reasons = gate["reasons"].as_array().unwrap();
    assert_eq!(reasons.len(), standing.verdict.reasons.len());
    for (given, reason) in reasons.iter().zip(&standing.verdict.reasons) {
        assert_eq!(given["kind"], reason.kind.as_str());
        assert_eq!(
            (&given["title"], &given["why"]),
            (&json!(reason.title), &json!(reason.why))
        );
        assert_eq!(given["who"], json!(reason.who));
        assert!(
            given["url"].as_str().unwrap().starts_with("http://"),
            "{given}"
        );
    }
    let badge = client.get(&team.of_review("/badge.svg")).await;
    assert_eq!(badge.header("content-type"), "image/svg+xml");
    assert!(badge.body.contains(">NO-GO</text>"), "{}", badge.body);
}

#[tokio::test]
async fn the_gate_and_the_badge_carry_the_newest_head_of_the_log() {
    let team = Team::start().await;
    let client = team.token(&team.viewer).await;
    let badge = client.get(&team.of_review("/badge.json")).await.json();
    assert_eq!(
        (&badge["schemaVersion"], &badge["label"], &badge["message"]),
        (&json!(1), &json!("Holdpoint"), &json!("NO-GO"))
    );
    assert_eq!(badge["checkpoint"], Value::Null, "no head was signed yet");
    assert!(team.services().sign_due_log_head().await.unwrap());
    let newest = team.services().log_checkpoint().await.unwrap();
    for path in ["/gate", "/badge.json"] {
        let answer = client.get(&team.of_review(path)).await.json();
        assert_eq!(answer["checkpoint"], json!(newest), "{path}");
    }
    let stranger = team.token(&team.stranger).await;
    stranger
        .get(&team.of_review("/badge.json"))
        .await
        .problem(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_gate_names_the_first_reasons_counts_all_and_leads_to_the_others() {
    let team = Team::start().await;
    let client = team.token(&team.owner).await;
    let results: Vec<_> = (0..130)
        .map(|n| {
            json!({
                "ruleId": format!("R{n}"), "level": "error", "message": { "text": format!("Problem {n}") },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": "a.go" }, "region": { "startLine": n + 1 }
                } }]
            })
        })
        .collect();
    let log = json!({
        "version": "2.1.0",
        "runs": [{ "tool": { "driver": { "name": "gosec" } }, "results": results }]
    });
    let path = "/services/market-maker/scans?series=ci&commit=c41f0e2a";
    client.push(path, log.to_string()).await;
    let gate = client.get(&team.of_review("/gate")).await.json();
    let reasons = gate["reasons"].as_array().unwrap();
    let of_findings = reasons
        .iter()
        .filter(|reason| reason["kind"] == "finding_open")
        .count();
    assert_eq!(of_findings, 50);
    assert_eq!(gate["n_reasons"]["finding_open"], 130);
    let more = gate["more"].as_array().unwrap();
    assert_eq!(more.len(), 1, "{more:?}");
    assert_eq!(
        (&more[0]["kind"], &more[0]["n"]),
        (&json!("finding_open"), &json!(80))
    );
    // The list that it leads to has every one of them.
    let next = more[0]["next"].as_str().unwrap();
    let (_, next) = next.split_once("/api/v1").unwrap();
    let (mut n, mut cursor) = (0, String::new());
    loop {
        let part = client.get(&format!("{next}{cursor}")).await;
        assert_eq!(part.status, StatusCode::OK, "{}", part.body);
        let part = part.json();
        n += part["entries"].as_array().unwrap().len();
        match part["next_cursor"].as_str() {
            Some(next) => {
                let next = holdpoint_app::paths::with_query("", &[("cursor", next)]);
                cursor = next.replacen('?', "&", 1);
            }
            None => break,
        }
    }
    assert_eq!(n, 130);
}

#[tokio::test]
async fn an_item_is_worked_and_signed_by_two_people() {
    let team = Team::start().await;
    let (owner, reviewer) = (
        team.token(&team.owner).await,
        team.token(&team.reviewer).await,
    );
    let path = format!("/items/{}", team.item("2.1.1").await);
    let step = async |client: &Client<'_>, step: &str| {
        let tag = client.get(&path).await.header("etag").to_owned();
        client.patch(&path, &tag, &json!({ "step": step })).await
    };
    assert_eq!(step(&owner, "start").await.json()["state"], "in_progress");
    let output = json!({
        "kind": "output", "command": "go test -race ./...", "exit_code": 0, "output": "ok", "observed_at": "2026-01-28T10:00:00Z"
    });
    let evidence = owner.post(&format!("{path}/evidence"), &output).await;
    assert_eq!(evidence.status, StatusCode::CREATED, "{}", evidence.body);
    assert_eq!(evidence.json()["observed_at"], "2026-01-28T10:00:00Z");
    assert_eq!(
        step(&owner, "request_review").await.json()["state"],
        "in_review"
    );
    let basis = reviewer.get(&path).await.json()["sign"]["basis"].clone();
    let decision = |basis: &Value, password: &str| json!({ "decision": "pass", "basis": basis, "password": password });
    let sign = format!("{path}/decision");

    owner
        .post(&sign, &decision(&basis, PASSWORD))
        .await
        .problem(StatusCode::FORBIDDEN);
    let by_manager = team.token_for(&team.manager, None, &["contribute"]).await;
    by_manager
        .post(&sign, &decision(&basis, PASSWORD))
        .await
        .problem(StatusCode::FORBIDDEN);
    let wrong = reviewer
        .post(&sign, &decision(&basis, "another password"))
        .await;
    assert_eq!(wrong.field(), "password");
    let stale = reviewer
        .post(&sign, &decision(&json!("0".repeat(64)), PASSWORD))
        .await;
    assert_eq!(
        stale.problem(StatusCode::CONFLICT)["versions"][0]["stored"],
        basis
    );
    let signed = reviewer.post(&sign, &decision(&basis, PASSWORD)).await;
    assert_eq!(signed.status, StatusCode::CREATED, "{}", signed.body);
    assert!(!signed.body.contains(PASSWORD));
    let item = reviewer.get(&path).await.json();
    assert_eq!(
        (&item["state"], &item["sign_offs"][0]["standing"]),
        (&json!("passed"), &json!("valid"))
    );

    // What is signed changes: the signature is void, and says which input.
    let more = json!({ "kind": "note", "text": "and this" });
    assert_eq!(
        owner.post(&format!("{path}/evidence"), &more).await.status,
        StatusCode::CREATED
    );
    let item = reviewer.get(&path).await.json();
    assert_eq!(item["sign_offs"][0]["standing"], "void");
    assert!(
        item["sign_offs"][0]["changes"][0]["what"]
            .as_str()
            .unwrap()
            .contains("and this"),
        "{item}"
    );
}

#[tokio::test]
async fn a_file_comes_back_as_it_was_sent_and_is_never_shown() {
    let team = Team::start().await;
    let owner = team.token(&team.owner).await;
    let path = format!("/items/{}/evidence", team.item("2.1.1").await);
    let headers = [("content-type", "multipart/form-data; boundary=XX")];
    let form = |extra: &str| {
        format!(
            "--XX\r\ncontent-disposition: form-data; name=\"file\"; filename=\"../x<script>.html\"\r\n\r\n<script>1</script>\r\n{extra}--XX--\r\n"
        )
    };
    let title = "--XX\r\ncontent-disposition: form-data; name=\"title\"\r\n\r\nRace report\r\n";
    let sent = owner.send(Method::POST, &path, &headers, form(title)).await;
    assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.body);
    let evidence = sent.json();
    assert_eq!(
        (&evidence["kind"], &evidence["title"]),
        (&json!("file"), &json!("Race report"))
    );
    let id = evidence["id"].as_str().unwrap();
    let file = owner.get(&format!("/evidence/{id}/file")).await;
    assert_eq!(file.body, "<script>1</script>");
    assert_eq!(file.header("content-type"), "application/octet-stream");
    assert!(
        file.header("content-disposition").starts_with("attachment"),
        "{:?}",
        file.headers
    );
    let unknown = "--XX\r\ncontent-disposition: form-data; name=\"titel\"\r\n\r\nx\r\n";
    assert_eq!(
        owner
            .send(Method::POST, &path, &headers, form(unknown))
            .await
            .field(),
        "titel"
    );
    let withdrawn = owner
        .post(
            &format!("/evidence/{id}/withdraw"),
            &json!({ "reason": "wrong run" }),
        )
        .await;
    assert_eq!(withdrawn.json()["withdrawn_reason"], "wrong run");
}

#[tokio::test]
async fn a_long_text_is_cut_in_lists_and_given_whole_at_its_own_address() {
    let team = Team::start().await;
    let owner = team.token(&team.owner).await;
    let path = format!("/items/{}/evidence", team.item("2.1.1").await);
    let text = format!("Seen.\n\n{}", "word ".repeat(5_000).trim_end());
    let note = json!({ "kind": "note", "text": text });
    let id = owner.post(&path, &note).await.json()["id"].clone();
    let listed = owner.get(&path).await.json()["entries"][0].clone();
    assert_eq!(listed["is_body_cut"], true);
    assert_eq!(listed["body"].as_str().unwrap().len(), 20 * 1024);
    let address = format!("/evidence/{}/text", id.as_str().unwrap());
    let whole = owner.get(&address).await;
    assert_eq!(whole.body, text);
    assert!(
        whole
            .header("content-disposition")
            .starts_with("attachment")
    );
}

#[tokio::test]
async fn a_list_goes_on_until_everything_was_given_once() {
    let team = Team::start().await;
    let client = team.token(&team.viewer).await;
    let mut keys = Vec::new();
    let mut cursor = String::new();
    loop {
        let part = client
            .get(&team.of_review(&format!("/items?limit=5{cursor}")))
            .await
            .json();
        let entries = part["entries"].as_array().unwrap();
        assert!(entries.len() <= 5);
        keys.extend(
            entries
                .iter()
                .map(|item| item["key"].as_str().unwrap().to_owned()),
        );
        match part["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let mut once = keys.clone();
    once.sort();
    once.dedup();
    assert_eq!((keys.len(), once.len()), (13, 13), "{keys:?}");
    assert_eq!(
        client.get(&team.of_review("/items?q=zebra")).await.json()["entries"],
        json!([])
    );
}

#[tokio::test]
async fn triage_and_mapping_are_changes_of_a_version() {
    let team = Team::start().await;
    let client = team.token(&team.owner).await;
    client
        .push("/services/market-maker/scans", sarif(41, "x"))
        .await;
    let list = client
        .get(&team.of_review("/findings?severity=high,critical&status=open&sort=path"))
        .await
        .json();
    let path = format!("/findings/{}", list["entries"][0]["id"].as_str().unwrap());
    let item = team.item("2.1.1").await;
    let tag = client.get(&path).await.header("etag").to_owned();
    let mapped = client.patch(&path, &tag, &json!({ "link": [item] })).await;
    assert_eq!(mapped.json()["items"][0]["key"], "2.1.1", "{}", mapped.body);
    let tag = mapped.header("etag").to_owned();
    let triage = json!({ "triage": { "action": "false_positive", "reason": "the path is fixed" } });
    let done = client.patch(&path, &tag, &triage).await;
    // It blocks, so that another person approves; until then it is open.
    assert_eq!(done.json()["status"], "open", "{}", done.body);
    assert_eq!(done.json()["asked_for"], "false_positive");
    assert_eq!(
        done.json()["acceptance_requested_by"],
        team.owner.name.as_str()
    );
    let asked = client
        .get(&team.of_review("/findings?asked=true"))
        .await
        .json();
    assert_eq!(asked["entries"][0]["asked_for"], "false_positive");
    let approve = json!({ "triage": { "action": "approve" } });
    client
        .patch(&path, done.header("etag"), &approve)
        .await
        .problem(StatusCode::FORBIDDEN);
    let manager = team.token(&team.manager).await;
    let done = manager.patch(&path, done.header("etag"), &approve).await;
    assert_eq!(done.json()["status"], "false_positive", "{}", done.body);
    assert_eq!(done.json()["asked_for"], Value::Null);
    client
        .patch(&path, &tag, &triage)
        .await
        .problem(StatusCode::CONFLICT);
    client
        .patch(&path, &tag, &json!({ "unlink": [item] }))
        .await
        .problem(StatusCode::CONFLICT);
    let both = json!({ "triage": { "action": "reopen", "reason": "r" }, "unlink": [item] });
    assert_eq!(
        client
            .patch(&path, done.header("etag"), &both)
            .await
            .field(),
        "triage"
    );
    assert_eq!(
        client
            .patch(&path, done.header("etag"), &json!({}))
            .await
            .field(),
        ""
    );
}

#[tokio::test]
async fn a_draft_is_exported_without_a_signature() {
    let team = Team::start().await;
    let client = team.token(&team.viewer).await;
    let report = client.get(&team.of_review("/report.md")).await;
    assert_eq!(report.status, StatusCode::OK, "{}", report.body);
    assert!(report.body.contains("DRAFT"), "{}", report.body);
    client
        .get(&team.of_review("/report.md.sig"))
        .await
        .problem(StatusCode::NOT_FOUND);
    client
        .get(&team.of_review("/bundle.zip"))
        .await
        .problem(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        client
            .get(&team.of_review("/report.json"))
            .await
            .json()
            .is_object()
    );
    assert_eq!(
        client.get(&team.of_review("/findings.sarif")).await.json()["version"],
        "2.1.0"
    );
    assert_eq!(
        client.get(&team.of_review("/findings.csv")).await.status,
        StatusCode::OK
    );
    // Which report is meant is never ignored.
    for (name, which) in [
        ("report.md", "as_of=yesterday"),
        ("report.json", "as_of="),
        (
            "findings.sarif",
            "as_of=01980000-0000-7000-8000-000000000000",
        ),
        ("findings.csv", "as_of=1"),
        ("report.md.sig", "as_of=0"),
        ("bundle.zip", "as_of=2026-01-30"),
        ("report.md", "as-of=now"),
        ("report.md", "as_of=now&as_of=now"),
    ] {
        let path = team.of_review(&format!("/{name}?{which}"));
        client
            .get(&path)
            .await
            .problem(StatusCode::UNPROCESSABLE_ENTITY);
    }
    let now = client.get(&team.of_review("/report.md?as_of=now")).await;
    assert_eq!(now.status, StatusCode::OK, "{}", now.body);
    assert_eq!(now.header("holdpoint-report"), "draft");
    let decided = client.get(&team.of_review("/reports")).await.json();
    assert_eq!(decided["reports"], json!([]));
    let reads = team.token_for(&team.viewer, None, &["read"]).await;
    reads
        .get(&team.of_review("/report.md"))
        .await
        .problem(StatusCode::FORBIDDEN);
    // Whoever checks a report has no token.
    let keys = team
        .app
        .send(
            Request::get("/.well-known/holdpoint-signing-keys")
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    assert!(
        keys.body.starts_with("holdpoint namespaces="),
        "{}",
        keys.body
    );
}

#[tokio::test]
async fn a_patch_is_submitted_and_read_again() {
    let team = Team::start().await;
    let client = team.token(&team.owner).await;
    client
        .push("/services/market-maker/scans", sarif(42, "x"))
        .await;
    let finding = client.get(&team.of_review("/findings")).await.json()["entries"][0]["id"].clone();
    let body = json!({ "title": "Read it once", "patch": PATCH, "findings": [finding] });
    let made = client.post(&team.of_review("/patches"), &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let made = made.json();
    assert_eq!(
        (&made["state"], &made["files"][0]["new_path"]),
        (&json!("proposed"), &json!("config/config.go"))
    );
    assert_eq!(
        (&made["touches"][0]["touches"], &made["applies"]),
        (&json!("lines"), &json!("unknown"))
    );
    let id = made["id"].as_str().unwrap();
    assert_eq!(client.get(&format!("/patches/{id}/file")).await.body, PATCH);
    let list = client.get(&team.of_review("/patches?limit=1")).await.json();
    assert_eq!(
        (
            list["entries"].as_array().unwrap().len(),
            &list["next_cursor"]
        ),
        (1, &json!(null))
    );
    let wrong = client
        .post(&team.of_review("/patches"), &json!({ "patch": "hello" }))
        .await;
    assert_eq!(wrong.field(), "patch");
}

#[tokio::test]
async fn a_finding_has_everything_its_page_shows() {
    let team = Team::start().await;
    let client = team.token(&team.owner).await;
    let place = |line: u32, text: &str| {
        json!({ "physicalLocation": {
            "artifactLocation": { "uri": "config/config.go" }, "region": { "startLine": line } },
            "message": { "text": text } })
    };
    let log = |line: u32| {
        let mut log: Value = serde_json::from_str(&sarif(line, "x")).unwrap();
        let result = &mut log["runs"][0]["results"][0];
        result["relatedLocations"] = json!([place(7, "declared here")]);
        result["codeFlows"] = json!([{
            "message": { "text": "from the form to the shell" },
            "threadFlows": [{ "locations": [
                { "location": place(3, "read") }, { "location": place(9, "run") }
            ] }]
        }]);
        log.to_string()
    };
    let path = "/services/market-maker/scans?series=ci&commit=c41f0e2a";
    let mut scans = Vec::new();
    for line in [41, 43] {
        let pushed = client.push(path, log(line)).await;
        assert_eq!(pushed.status, StatusCode::CREATED, "{}", pushed.body);
        scans.push(pushed.json()["scan"].clone());
    }
    let list = client.get(&team.of_review("/findings")).await.json();
    let id = list["entries"][0]["id"].as_str().unwrap();
    let shown = client.get(&format!("/findings/{id}")).await.json();
    for (field, expected) in [
        ("tool", json!("gosec")),
        ("series", json!("ci")),
        ("first_scan", scans[0].clone()),
        ("last_scan", scans[1].clone()),
        ("pointer_scan", scans[1].clone()),
        ("pointer", json!("/runs/0/results/0")),
        (
            "recognised_by",
            json!("Recognised by rule, file and message."),
        ),
        ("other_places", json!([])),
    ] {
        assert_eq!(shown[field], expected, "{field}");
    }
    let at = |line: u32, message: &str| {
        json!({ "path": "config/config.go", "start_line": line, "end_line": line, "start_column": null,
            "message": message, "snippet": null })
    };
    assert_eq!(shown["related"], json!([at(7, "declared here")]));
    assert_eq!(
        shown["code_flows"],
        json!([{ "message": "from the form to the shell", "steps": [at(3, "read"), at(9, "run")] }])
    );
    let [moved] = shown["history"].as_array().unwrap().as_slice() else {
        panic!("{}", shown["history"]);
    };
    for (field, expected) in [
        ("scan", scans[1].clone()),
        ("change", json!("moved")),
        ("was_line", json!(41)),
        ("line", json!(43)),
        ("commit", json!("c41f0e2a")),
        (
            "why",
            json!("same as F-1: rule, file and message are equal, line moved 41 → 43"),
        ),
    ] {
        assert_eq!(moved[field], expected, "{field}");
    }
    // What a person wrote is recognised by nobody.
    let new = json!({ "review": team.review, "title": "By hand", "severity": "low", "category": "code", "problem": "x" });
    let written = client.post("/findings", &new).await.json();
    assert_eq!(
        (
            &written["recognised_by"],
            &written["tool"],
            &written["history"]
        ),
        (&json!(null), &json!(null), &json!([]))
    );
}

#[tokio::test]
async fn findings_are_filtered_by_series_owner_and_limit_in_lists_files_and_decisions() {
    let team = Team::start().await;
    let client = team.token(&team.owner).await;
    let push = async |client: &Client<'_>, series: &str, line: u32, message: &str| {
        let path = format!("/services/market-maker/scans?series={series}");
        let pushed = client.push(&path, sarif(line, message)).await;
        assert_eq!(pushed.status, StatusCode::CREATED, "{}", pushed.body);
    };
    push(&client, "main", 1, "Old and in main").await;
    team.app.clock.advance(8 * 86_400_000);
    // A token of before has come to its end.
    let client = team.token(&team.owner).await;
    push(&client, "release", 2, "New and in release").await;
    let titles = async |query: &str| -> Vec<String> {
        let list = client
            .get(&team.of_review(&format!("/findings?{query}")))
            .await;
        let list = list.json()["entries"].as_array().unwrap().clone();
        let csv = client
            .get(&team.of_review(&format!("/findings?{query}&format=csv")))
            .await;
        let titles: Vec<_> = list
            .iter()
            .map(|line| line["title"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(
            csv.body.matches("\nF-").count(),
            titles.len(),
            "{}",
            csv.body
        );
        assert!(
            titles.iter().all(|title| csv.body.contains(title)),
            "{}",
            csv.body
        );
        titles
    };
    let (old, new) = ("Old and in main", "New and in release");
    // High ones have seven days.
    assert_eq!(titles("late=true&sort=number").await, [old]);
    assert_eq!(titles("late=false&sort=number").await, [old, new]);

    let scans = client.get("/services/market-maker/scans").await.json();
    let series_of = |label: &str| {
        let scans = scans["entries"].as_array().unwrap();
        let scan = scans.iter().find(|scan| scan["series"] == label).unwrap();
        scan["series_id"].as_str().unwrap().to_owned()
    };
    let (main, release) = (series_of("main"), series_of("release"));
    assert_eq!(titles(&format!("series={release}")).await, [new]);
    assert_eq!(
        titles(&format!("series={main},{release}&sort=number")).await,
        [old, new]
    );

    let owner = format!("owner={}", team.owner.id);
    assert!(titles(&owner).await.is_empty());
    let item = team.item("2.1.1").await;
    let services = &team.app.state.services;
    let id = ItemId::parse(&item).unwrap();
    services.take_item(&team.owner, &id).await.unwrap();
    let list = client
        .get(&team.of_review("/findings?sort=number"))
        .await
        .json();
    let finding = FindingId::parse(list["entries"][1]["id"].as_str().unwrap()).unwrap();
    services
        .map_finding(&team.owner, &finding, &id, true)
        .await
        .unwrap();
    assert_eq!(titles(&owner).await, [new]);
    assert!(titles(&format!("{owner}&late=true")).await.is_empty());
    for (query, field) in [
        ("late=maybe", "late"),
        ("owner=%00", "owner"),
        ("series=a,%00", "series"),
    ] {
        let refused = client
            .get(&team.of_review(&format!("/findings?{query}")))
            .await;
        assert_eq!(refused.field(), field, "{query}");
    }

    // A decision about all that match finds what the list finds.
    let many = async |matching: Value| {
        let body = json!({
            "matching": matching,
            "triage": { "action": "false_positive", "reason": "It is a test." }
        });
        client.post(&team.of_review("/triage"), &body).await
    };
    let owner = team.owner.id.as_str();
    for (query, matching, n) in [
        ("late=true".to_owned(), json!({ "late": true }), 1),
        ("late=false".to_owned(), json!({ "late": false }), 2),
        (
            format!("series={release}"),
            json!({ "series": [release] }),
            1,
        ),
        (
            format!("series={main},{release}"),
            json!({ "series": [main, release] }),
            2,
        ),
        (format!("owner={owner}"), json!({ "owner": owner }), 1),
        (
            format!("owner={owner}&late=true"),
            json!({ "owner": owner, "late": true }),
            0,
        ),
        (
            "category=secret".to_owned(),
            json!({ "category": ["secret"] }),
            0,
        ),
        (
            "category=code".to_owned(),
            json!({ "category": ["code"] }),
            2,
        ),
        ("rule=G304".to_owned(), json!({ "rule": "G304" }), 2),
        ("rule=G30".to_owned(), json!({ "rule": "G30" }), 0),
        ("path=config/".to_owned(), json!({ "path": "config/" }), 2),
        ("path=store".to_owned(), json!({ "path": "store" }), 0),
    ] {
        assert_eq!(titles(&query).await.len(), n, "{query}");
        let mut asked = matching;
        asked["count"] = json!(99);
        let refused = many(asked).await.problem(StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused["field"], "matching.count");
        let detail = refused["detail"].as_str().unwrap();
        let found = match n {
            1 => "1 finding matches now".to_owned(),
            n => format!("{n} findings match now"),
        };
        assert!(detail.contains(&found), "{query}: {detail}");
    }
    for (matching, field) in [
        (json!({ "owner": "\u{0}", "count": 1 }), "matching.owner"),
        (
            json!({ "series": ["a", "\u{0}"], "count": 1 }),
            "matching.series",
        ),
        (json!({ "late": "yes", "count": 1 }), "matching.late"),
    ] {
        assert_eq!(many(matching).await.field(), field);
    }
    // What is well written and not there is refused at the filter's field too, and a link's item at the link's.
    let (gone, elsewhere) = (team.review.as_str(), team.item_elsewhere().await);
    for (matching, field) in [
        (json!({ "item": gone, "count": 1 }), "matching.item"),
        (json!({ "owner": gone, "count": 1 }), "matching.owner"),
        (json!({ "series": [gone], "count": 1 }), "matching.series"),
    ] {
        assert_eq!(many(matching.clone()).await.field(), field);
        let link = json!({ "matching": matching, "link": item });
        let refused = client.post(&team.of_review("/triage"), &link).await;
        assert_eq!(refused.field(), field, "{link}");
    }
    for matching in [json!({ "count": 2 }), json!({ "item": item, "count": 1 })] {
        let link = json!({ "matching": matching, "link": elsewhere });
        let refused = client.post(&team.of_review("/triage"), &link).await;
        assert_eq!(refused.field(), "link", "{}", refused.body);
    }
    let done = many(json!({ "late": true, "series": [main], "count": 1 })).await;
    assert_eq!(done.json()["done"], 1, "{}", done.body);
    // It blocks, so that another person approves.
    assert_eq!(done.json()["asked"], 1);
    assert_eq!(titles("asked=true").await, [old]);
}

#[tokio::test]
async fn what_a_scanner_says_is_given_and_filtered_by() {
    let team = Team::start().await;
    let client = team.token(&team.owner).await;
    let mut log: Value = serde_json::from_str(&sarif(41, "Hidden")).unwrap();
    let results = log["runs"][0]["results"].as_array_mut().unwrap();
    let mut asks = results[0].clone();
    results[0]["suppressions"] =
        json!([{ "kind": "inSource", "status": "accepted", "justification": "Test data." }]);
    asks["message"]["text"] = json!("To be looked at");
    (asks["kind"], asks["level"]) = (json!("review"), json!("none"));
    results.push(asks);
    let pushed = client
        .push("/services/market-maker/scans", log.to_string())
        .await;
    assert_eq!(pushed.status, StatusCode::CREATED, "{}", pushed.body);
    let n_of = |words: &str| match words {
        "suppressed,review" | "" => 2,
        _ => 1,
    };
    for words in ["suppressed", "review", "suppressed,review", ""] {
        let path = team.of_review(&format!("/findings?scanner_state={words}"));
        let list = client.get(&path).await.json();
        let entries = list["entries"].as_array().unwrap();
        assert_eq!(entries.len(), n_of(words), "{words}");
        let states: Vec<_> = words.split(',').filter(|word| !word.is_empty()).collect();
        let body = json!({
            "matching": { "scanner_state": states, "count": 99 },
            "triage": { "action": "false_positive", "reason": "It is a test." }
        });
        let refused = client.post(&team.of_review("/triage"), &body).await;
        let found = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(
            found.starts_with(&n_of(words).to_string()),
            "{words}: {found}"
        );
    }
    let path = team.of_review("/findings?scanner_state=suppressed");
    let line = client.get(&path).await.json()["entries"][0].clone();
    let id = line["id"].as_str().unwrap();
    for of in [&line, &client.get(&format!("/findings/{id}")).await.json()] {
        assert_eq!(of["title"], "Hidden");
        assert_eq!(of["status"], "open", "it decides nothing");
        assert_eq!(of["scanner_state"], "suppressed");
        assert_eq!(of["suppression_kind"], "in_source");
        assert_eq!(of["suppression_reason"], "Test data.");
    }
    let wrong = team.of_review("/findings?scanner_state=hidden");
    assert_eq!(client.get(&wrong).await.field(), "scanner_state");
}

#[tokio::test]
async fn a_fix_becomes_a_patch_where_the_report_shows_its_lines() {
    let team = Team::start().await;
    let client = team.token(&team.owner).await;
    let mut file: Value = serde_json::from_str(&sarif(42, "x")).unwrap();
    let result = &mut file["runs"][0]["results"][0];
    let place = &mut result["locations"][0]["physicalLocation"];
    place["contextRegion"] =
        json!({ "startLine": 41, "endLine": 43, "snippet": { "text": "\ta()\n\tb()\n\td()\n" } });
    let replaced = |line: u32| {
        json!({ "artifactChanges": [{ "artifactLocation": { "uri": "config/config.go" }, "replacements": [{
            "deletedRegion": { "startLine": line, "startColumn": 2, "endColumn": 3 },
            "insertedContent": { "text": "c" }
        }] }] })
    };
    result["fixes"] = json!([replaced(42), replaced(90)]);
    client
        .push("/services/market-maker/scans", file.to_string())
        .await;
    let list = client.get(&team.of_review("/findings")).await.json();
    let path = format!("/findings/{}", list["entries"][0]["id"].as_str().unwrap());
    let fixes = client.get(&path).await.json()["fixes"].clone();
    let diff = fixes[0]["diff"].as_str().unwrap();
    assert!(
        diff.ends_with("@@ -41,3 +41,3 @@\n \ta()\n-\tb()\n+\tc()\n \td()\n"),
        "{diff}"
    );
    assert_eq!(
        (&fixes[1]["number"], &fixes[1]["diff"]),
        (&json!(2), &json!(null))
    );
    let why = fixes[1]["no_diff_because"].as_str().unwrap();
    assert!(why.contains("line 90 of config/config.go"), "{why}");

    let take = |n: u32| format!("{path}/fixes/{n}/patch");
    let body = json!({ "review": team.review });
    let made = client.post(&take(1), &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let made = made.json();
    assert_eq!(
        (
            &made["state"],
            &made["author"],
            &made["touches"][0]["touches"]
        ),
        (&json!("proposed"), &made["submitted_by"], &json!("lines"))
    );
    for (n, why) in [
        (1, "P-1 makes this very change"),
        (2, "line 90"),
        (3, "has no fix 3"),
    ] {
        let refused = client
            .post(&take(n), &body)
            .await
            .problem(StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            refused["detail"].as_str().unwrap().contains(why),
            "{refused}"
        );
    }
    let reader = team.token_for(&team.owner, None, &["read"]).await;
    reader
        .post(&take(1), &body)
        .await
        .problem(StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_checklist_is_imported_once_and_becomes_a_review() {
    let team = Team::start().await;
    let manager = team.token(&team.manager).await;
    let headers = [("content-type", "text/markdown; charset=utf-8")];
    let import = async |text: &str| {
        manager
            .send(
                Method::POST,
                "/templates?name=Short",
                &headers,
                text.to_owned(),
            )
            .await
    };
    let first = import("# Short\n\n- [ ] **A**: do a\n- [ ] b\n").await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    assert_eq!(first.json()["n_items"], 2);
    assert_eq!(
        import("# Short\n\n- [ ] **A**: do a\n- [ ] b\n")
            .await
            .status,
        StatusCode::OK
    );
    assert_eq!(
        import("# Short\n\n- [ ] c\n").await.json()["template"]["versions"][0]["number"],
        2
    );
    assert_eq!(import("nothing to do").await.field(), "document");
    let template = first.json()["template"]["id"].clone();
    let shown = manager
        .get(&format!("/templates/{}", template.as_str().unwrap()))
        .await
        .json();
    assert_eq!(shown["versions"].as_array().unwrap().len(), 2);
    assert_eq!(shown["service"], "market-maker");
    let of = async |service: &str| {
        manager
            .send(
                Method::POST,
                &format!("/templates?name=Short&service={service}"),
                &headers,
                "- [ ] c\n".to_owned(),
            )
            .await
    };
    assert_eq!(of("market-maker").await.json()["is_new"], true);
    of("*").await.problem(StatusCode::FORBIDDEN);
    of("nobodys").await.problem(StatusCode::NOT_FOUND);
    let new = json!({ "template": template, "title": "Next", "release": "v2", "policy": { "quorum": 2 } });
    let review = manager.post("/services/market-maker/reviews", &new).await;
    assert_eq!(review.status, StatusCode::CREATED, "{}", review.body);
    assert_eq!(
        (
            &review.json()["n_items"],
            &review.json()["policy"]["quorum"]
        ),
        (&json!(1), &json!(2))
    );
    let path = format!("/reviews/{}", review.json()["id"].as_str().unwrap());
    let moved = manager
        .patch(
            &path,
            review.header("etag"),
            &json!({ "commit": "c41f0e2a" }),
        )
        .await;
    assert_eq!(moved.json()["commit"], "c41f0e2a", "{}", moved.body);
    manager
        .patch(&path, review.header("etag"), &json!({ "commit": null }))
        .await
        .problem(StatusCode::CONFLICT);
    let reviewer = team.token(&team.reviewer).await;
    let refused = reviewer
        .send(Method::POST, "/templates", &headers, "- [ ] x\n")
        .await;
    refused.problem(StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_wrong_address_or_method_is_a_problem_too() {
    let team = Team::start().await;
    let client = team.token(&team.viewer).await;
    client
        .get("/nothing/here")
        .await
        .problem(StatusCode::NOT_FOUND);
    client
        .get("/reviews/..%2f..%2fetc/gate")
        .await
        .problem(StatusCode::NOT_FOUND);
    client
        .get("/reviews/%ff/gate")
        .await
        .problem(StatusCode::BAD_REQUEST);
    let wrong = client
        .send(Method::DELETE, &team.of_review(""), &[], Body::empty())
        .await;
    assert_eq!(
        wrong.problem(StatusCode::METHOD_NOT_ALLOWED)["type"],
        "/problems/method-not-allowed"
    );
    assert!(wrong.header("allow").contains("GET"), "{:?}", wrong.headers);
    let document = Request::get("/api/v1/openapi.json")
        .body(Body::empty())
        .unwrap();
    assert_eq!(team.app.send(document).await.json()["openapi"], "3.1.0");
}

#[tokio::test]
async fn an_acceptance_that_ended_is_listed_as_open_with_what_was_decided() {
    let team = Team::start().await;
    let owner = team.token(&team.owner).await;
    let manager = team.token(&team.manager).await;
    let scan = sarif(42, "The path is not checked");
    owner
        .push("/services/market-maker/scans", scan.clone())
        .await;
    let list = team.of_review("/findings?status=open");
    let listed = owner.get(&list).await.json();
    let path = format!("/findings/{}", listed["entries"][0]["id"].as_str().unwrap());
    let ask = json!({ "triage": { "action": "ask_acceptance", "reason": "Only in tests.", "until": "2026-12-30" } });
    let tag = owner.get(&path).await.header("etag").to_owned();
    let asked = owner.patch(&path, &tag, &ask).await;
    let approve = json!({ "triage": { "action": "approve_acceptance" } });
    let accepted = manager.patch(&path, asked.header("etag"), &approve).await;
    let of = |finding: &Value| [finding["status"].clone(), finding["ended"].clone()];
    assert_eq!(of(&accepted.json()), [json!("risk_accepted"), Value::Null]);
    assert_eq!(owner.get(&list).await.json()["entries"], json!([]));

    let worse = scan.replace("\"error\"", "\"warning\"");
    owner.push("/services/market-maker/scans", worse).await;
    let ended = [json!("open"), json!("risk_accepted")];
    let listed = owner.get(&list).await.json();
    let line = &listed["entries"][0];
    assert_eq!(of(line), ended, "{listed}");
    let until = line["accepted_until"].as_str().unwrap();
    assert!(until.starts_with("2026-12-30"), "{until}");
    assert_eq!(of(&owner.get(&path).await.json()), ended);
}

#[tokio::test]
async fn a_finding_is_linked_to_all_items_or_to_none_and_a_number_has_no_sign() {
    let team = Team::start().await;
    let client = team.token(&team.owner).await;
    client
        .push("/services/market-maker/scans", sarif(42, "x"))
        .await;
    let listed = client.get(&team.of_review("/findings")).await.json();
    let path = format!("/findings/{}", listed["entries"][0]["id"].as_str().unwrap());
    let tag = client.get(&path).await.header("etag").to_owned();
    let item = team.item("2.1.1").await;
    client
        .patch(&path, &tag, &json!({ "link": [item, "zz"] }))
        .await
        .problem(StatusCode::NOT_FOUND);
    assert_eq!(client.get(&path).await.json()["items"], json!([]));
    let minus = json!({ "triage": { "action": "duplicate", "duplicate_of": -3 } });
    let refused = client.patch(&path, &tag, &minus).await;
    assert_eq!(refused.field(), "triage.duplicate_of");
    for (query, field) in [
        ("item=zz", "item"),
        ("owner=x", "owner"),
        ("series=zz", "series"),
    ] {
        let refused = client
            .get(&team.of_review(&format!("/findings?{query}")))
            .await;
        assert_eq!(refused.field(), field, "{query}");
    }
}
