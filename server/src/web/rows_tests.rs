//! Forms that stand in every row of a list: after a refusal the same row is open, marked, says why and keeps what was chosen.

use holdpoint_domain::ReviewId;
use holdpoint_service::{
    Actor, Services,
    evidence::{EvidenceFields, EvidenceRequest},
    sample::LoadedSample,
};
use scraper::Selector;

use super::testing::{Answer, Browser, TestApp};

struct Sample {
    app: TestApp,
    loaded: LoadedSample,
}

impl Sample {
    async fn start() -> Self {
        let app = TestApp::start().await;
        let loaded = app.state.services.load_sample(None).await.unwrap();
        Self { app, loaded }
    }

    fn services(&self) -> &Services {
        &self.app.state.services
    }

    async fn actor(&self, name: &str) -> Actor {
        let person = self.loaded.people.iter().find(|of| of.name == name);
        let person = person.unwrap();
        let signed_in = self
            .services()
            .sign_in(&person.email, &person.password, "192.0.2.1")
            .await;
        Actor::of(&signed_in.unwrap())
    }

    async fn browser(&self, name: &str) -> Browser<'_> {
        let actor = self.actor(name).await;
        self.app.browser(&actor.id).await
    }

    /// The slug of the sample's service.
    async fn slug(&self) -> String {
        let review = self.review();
        let manager = self.actor("Priya Raman").await;
        let found = self.services().review(&manager, &review).await.unwrap();
        found.service.slug
    }

    fn review(&self) -> ReviewId {
        self.loaded.review.clone()
    }
}

fn attribute(page: &Answer, selector: &str, name: &str) -> Option<String> {
    let html = page.html();
    let found = html.select(&Selector::parse(selector).unwrap()).next()?;
    found.value().attr(name).map(str::to_owned)
}

/// The only row that is marked, as its text.
fn marked(page: &Answer) -> String {
    let rows = page.texts("tr[data-tone=red]");
    assert_eq!(rows.len(), 1, "{rows:?}\n{}", page.body);
    assert_eq!(page.texts("details.is-refused").len(), 1);
    assert!(attribute(page, "tr[data-tone=red] details.is-refused", "open").is_some());
    rows.concat()
}

#[tokio::test]
async fn a_role_that_was_not_changed_stays_chosen_in_its_row() {
    let sample = Sample::start().await;
    let manager = sample.browser("Priya Raman").await;
    let jonas = sample.actor("Jonas Lindqvist").await;
    let slug = sample.slug().await;
    let fields = [
        ("service", slug.as_str()),
        ("person", jonas.id.as_str()),
        ("role", "auditor"),
        ("password", "not hers at all"),
        ("q", "jo"),
    ];
    let answer = manager.submit("/act/services/set-role", &fields).await;
    assert_eq!(
        answer.header("location"),
        format!("/services/{slug}/people?q=jo")
    );
    let page = manager.get(answer.header("location")).await;
    assert!(marked(&page).contains("Jonas Lindqvist"));
    let form = "details.is-refused form";
    assert_eq!(
        page.texts(&format!("{form} option[selected]")),
        ["Auditor"],
        "{}",
        page.body
    );
    let password = format!("{form} input[name=password]");
    assert_eq!(
        attribute(&page, &password, "aria-invalid").as_deref(),
        Some("true")
    );
    assert!(attribute(&page, &password, "autofocus").is_some());
    let why = attribute(&page, &password, "aria-describedby").unwrap();
    let said = page.texts(&format!("[id='{why}']")).concat();
    assert!(said.contains("password"), "{said}");
    assert_eq!(
        page.texts("[id$=-refused]"),
        [] as [String; 0],
        "it is said at the field"
    );
    let again = manager.get(answer.header("location")).await;
    assert!(again.texts("tr[data-tone=red]").is_empty(), "once");

    let mut people = sample.loaded.people.iter();
    let own = people.find(|person| person.name == "Priya Raman").unwrap();
    let take = [
        fields[0],
        fields[1],
        ("role", "auditor"),
        ("change", "take-away"),
        ("password", own.password.as_str()),
    ];
    let answer = manager.submit("/act/services/set-role", &take).await;
    let page = manager.get(answer.header("location")).await;
    assert_eq!(page.texts("[role=status]"), ["The role is taken away."]);
}

#[tokio::test]
async fn a_link_or_an_account_that_was_refused_is_said_in_its_row() {
    let sample = Sample::start().await;
    let admin = sample.app.admin("root").await;
    let jonas = sample.actor("Jonas Lindqvist").await;
    let id = jonas.id.as_str();
    let link = [("person", id), ("version", "1"), ("password", "wrong")];
    let answer = admin.submit("/act/people/reset-password", &link).await;
    let page = admin.get(answer.header("location")).await;
    assert!(marked(&page).contains("Jonas Lindqvist"));
    assert!(
        attribute(
            &page,
            "details.is-refused input[name=password]",
            "autofocus"
        )
        .is_some()
    );
    // One password for both acts that ask for it.
    assert_eq!(
        page.html()
            .select(&Selector::parse("details.is-refused input[type=password]").unwrap())
            .count(),
        1
    );

    let stale = [("person", id), ("version", "0"), ("account", "disabled")];
    let answer = admin.submit("/act/people/set-account", &stale).await;
    let page = admin.get(answer.header("location")).await;
    assert!(marked(&page).contains("Jonas Lindqvist"));
    let summary = "details.is-refused summary";
    assert!(attribute(&page, summary, "autofocus").is_some());
    let why = attribute(&page, summary, "aria-describedby").unwrap();
    assert_eq!(
        page.texts(&format!("[id='{why}']")),
        page.texts("#refused"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn a_rule_and_a_piece_of_evidence_say_in_their_row_why_they_stay() {
    let sample = Sample::start().await;
    let review = sample.review();
    let jonas = sample.browser("Jonas Lindqvist").await;
    let mapping = format!("/reviews/{review}/mapping");
    let add = [
        ("review", review.as_str()),
        ("item", "2.4.1"),
        ("tool", "gitleaks"),
    ];
    jonas.submit("/act/mapping/add", &add).await;
    let page = jonas.get(&mapping).await;
    let rule = attribute(
        &page,
        "form[action='/act/mapping/remove'] input[name=id]",
        "value",
    );
    let rule = rule.expect("the rule is there");
    let stale = [
        ("review", review.as_str()),
        ("id", rule.as_str()),
        ("version", "99"),
    ];
    let answer = jonas.submit("/act/mapping/remove", &stale).await;
    let page = jonas.get(answer.header("location")).await;
    marked(&page);
    assert_eq!(
        page.texts("details.is-refused .error"),
        page.texts("#refused"),
        "{}",
        page.body
    );

    let manager = sample.actor("Priya Raman").await;
    let item = sample
        .services()
        .item_by_key(&manager, &review, "2.2.2")
        .await
        .unwrap();
    let note = EvidenceFields {
        kind: "note".to_owned(),
        text: "Read it twice.".to_owned(),
        ..EvidenceFields::default()
    };
    let note = EvidenceRequest::parse(&note, None).unwrap();
    let by = sample.actor("Jonas Lindqvist").await;
    let added = sample
        .services()
        .add_evidence(&by, &item.item.id, note)
        .await;
    added.unwrap();
    let address = format!("/items/{}", item.item.id);
    let page = jonas.get(&address).await;
    let piece = attribute(
        &page,
        "form[action='/act/evidence/withdraw'] input[name=evidence]",
        "value",
    );
    let fields = [
        ("evidence", piece.as_deref().unwrap()),
        ("item", item.item.id.as_str()),
        ("reason", " "),
    ];
    let answer = jonas.submit("/act/evidence/withdraw", &fields).await;
    let page = jonas.get(answer.header("location")).await;
    assert_eq!(page.texts("details.is-refused summary"), ["Withdraw"]);
    assert!(attribute(&page, "details.is-refused", "open").is_some());
    assert!(
        attribute(
            &page,
            "details.is-refused textarea[aria-invalid=true]",
            "autofocus"
        )
        .is_some()
    );
}

#[tokio::test]
async fn people_are_told_where_roles_are_given_and_which_link_has_ended() {
    let sample = Sample::start().await;
    let nobody = sample.app.member("nobody").await;
    let page = nobody.get("/").await;
    assert!(
        page.body.contains("You have no role on a service yet"),
        "{}",
        page.body
    );
    let admin = sample.app.admin("root").await;
    let page = admin.get("/people").await;
    let setting = page.texts("#managers-invite").concat();
    assert!(
        setting.contains("HOLDPOINT_MANAGERS_INVITE") && setting.contains("holdpoint.toml"),
        "{setting}"
    );
}
