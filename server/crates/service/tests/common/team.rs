//! A service with its people, and a review of the sample checklist.

use holdpoint_domain::{
    ItemId, Policy, ServiceRole, TemplateVersionId,
    item::Step,
    text::{Commit, Date, Name},
};
use holdpoint_service::{
    Actor, ItemPage, NewReview, NewService, Review, Service, ServiceError, TemplateFor,
    TemplateImport,
    evidence::{EvidenceFields, EvidenceRequest},
    sign_off::DecisionRequest,
};

use super::{PASSWORD, World};

pub(crate) const SEED: &[u8] =
    include_bytes!("../../../checklist/testdata/phase22_production_readiness_audit.md");

/// One service with its people, and a review of the sample checklist.
pub(crate) struct Team {
    pub(crate) world: World,
    pub(crate) admin: Actor,
    pub(crate) manager: Actor,
    pub(crate) owner: Actor,
    pub(crate) reviewer: Actor,
    pub(crate) viewer: Actor,
    pub(crate) stranger: Actor,
    pub(crate) service: Service,
    pub(crate) review: Review,
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

pub(crate) fn import(named: Option<&str>) -> TemplateImport {
    TemplateImport {
        template: None,
        name: named.map(name),
        owner: TemplateFor::Unsaid,
        file_name: "C:\\docs\\prr.md".to_owned(),
        reading: None,
        tier: None,
    }
}

pub(crate) fn new_review(template_version: TemplateVersionId) -> NewReview {
    NewReview {
        template_version,
        title: name("Phase 22"),
        release: name("v1.0.0"),
        commit: Some(Commit::parse("c41f0e2").expect("a commit")),
        due_on: Some(Date::parse("2026-01-30").expect("a date")),
        policy: Policy::default(),
    }
}

pub(crate) fn new_service(called: &str) -> NewService {
    NewService {
        name: name(called),
        slug: None,
        repository_url: None,
        description: None,
    }
}

impl Team {
    pub(crate) async fn each() -> Vec<Self> {
        let mut teams = Vec::new();
        for world in World::each().await {
            teams.push(Self::in_world(world).await);
        }
        teams
    }

    pub(crate) async fn in_world(world: World) -> Self {
        let services = &world.services;
        let admin = world.admin("ada").await;
        let manager = world.member("sofia").await;
        let owner = world.member("jonas").await;
        let reviewer = world.member("mira").await;
        let viewer = world.member("vic").await;
        let stranger = world.member("eve").await;
        let service = services
            .create_service(&admin, new_service("OpenSQT Market Maker"))
            .await
            .expect("makes the service");
        for (person, role) in [
            (&manager, ServiceRole::Manager),
            (&owner, ServiceRole::Contributor),
            (&reviewer, ServiceRole::Reviewer),
            (&viewer, ServiceRole::Viewer),
        ] {
            services
                .set_role(&admin, &service.id, &person.id, Some(role))
                .await
                .expect("gives a role");
        }
        let imported = services
            .import_template(&manager, import(None), SEED.to_vec())
            .await
            .expect("imports the checklist");
        let review = services
            .create_review(&manager, &service.id, new_review(imported.version.id))
            .await
            .expect("begins the review")
            .review;
        Self {
            world,
            admin,
            manager,
            owner,
            reviewer,
            viewer,
            stranger,
            service,
            review,
        }
    }

    pub(crate) fn on(&self) -> &'static str {
        self.world.on.name
    }

    pub(crate) async fn item(&self, key: &str) -> ItemPage {
        self.world
            .services
            .item_by_key(&self.manager, &self.review.id, key)
            .await
            .expect("the item is there")
    }

    pub(crate) async fn id(&self, key: &str) -> ItemId {
        self.item(key).await.item.id
    }

    pub(crate) async fn add_note(&self, item: &ItemId) {
        let fields = EvidenceFields {
            kind: "note".to_owned(),
            title: "Walkthrough".to_owned(),
            text: "Read it twice.".to_owned(),
            commit: "c41f0e2".to_owned(),
            ..EvidenceFields::default()
        };
        let request = EvidenceRequest::parse(&fields, None).expect("a note");
        self.world
            .services
            .add_evidence(&self.owner, item, request)
            .await
            .expect("adds a note");
    }

    pub(crate) async fn send_to_review(&self, item: &ItemId) {
        self.add_note(item).await;
        for step in [Step::Start, Step::RequestReview] {
            self.world
                .services
                .step(&self.owner, item, step, None)
                .await
                .expect("moves on");
        }
    }

    /// Signs with the password and gives a reason, a risk and a date, which only some decisions need.
    pub(crate) async fn sign(
        &self,
        who: &Actor,
        item: &ItemId,
        decision: &str,
    ) -> Result<(), ServiceError> {
        let (review, standing) = self.world.services.item_standing(who, item).await?;
        let access = self.world.services.access(who, &self.service.id).await?;
        let basis = self
            .world
            .services
            .sign_form(who, &access, &review, &standing)
            .await?
            .basis;
        let request = DecisionRequest::parse(
            decision,
            "Seen.",
            "It may break.",
            "2026-02-28",
            basis.as_str(),
        )?;
        self.world
            .services
            .decide_item(who, item, request, PASSWORD)
            .await
            .map(|_| ())
    }

    pub(crate) async fn decide(&self, item: &ItemId, decision: &str) {
        let services = &self.world.services;
        let (review, standing) = services
            .item_standing(&self.reviewer, item)
            .await
            .expect("stands");
        let access = services
            .access(&self.reviewer, &self.service.id)
            .await
            .expect("reads");
        let form = services
            .sign_form(&self.reviewer, &access, &review, &standing)
            .await
            .expect("a form");
        let request =
            DecisionRequest::parse(decision, "Seen and compared.", "", "", form.basis.as_str())
                .expect("a decision");
        services
            .decide_item(&self.reviewer, item, request, PASSWORD)
            .await
            .expect("signs");
    }
}
