//! Whose checklist templates are: who reads them, who changes them, and who may use them for a review.

mod common;

use common::{
    DAY, PASSWORD, rejected,
    team::{SEED, Team, import, new_review, new_service},
};
use holdpoint_domain::{ServiceRole, person::Action};
use holdpoint_service::{
    Actor, NewToken, Service, ServiceError, TemplateFor, TemplateImport, TokenGrant,
};

const SMALL: &[u8] = b"# Small\n\n## One\n\n- [ ] **Alerts**: somebody is woken\n";

fn of(owner: TemplateFor, called: &str) -> TemplateImport {
    TemplateImport {
        owner,
        ..import(Some(called))
    }
}

fn is_forbidden<T>(outcome: &Result<T, ServiceError>) -> bool {
    matches!(outcome, Err(ServiceError::Forbidden(_)))
}

fn is_not_found<T>(outcome: &Result<T, ServiceError>) -> bool {
    matches!(outcome, Err(ServiceError::NotFound(_)))
}

impl Team {
    /// Another service with its own manager.
    async fn other_service(&self) -> (Service, Actor) {
        let services = &self.world.services;
        let manager = self.world.member("olga").await;
        let service = services
            .create_service(&self.admin, new_service("Executor"))
            .await
            .expect("makes a service");
        services
            .set_role(
                &self.admin,
                &service.id,
                &manager.id,
                Some(ServiceRole::Manager),
            )
            .await
            .expect("gives the role");
        (service, manager)
    }

    async fn names_for(&self, actor: &Actor) -> Vec<String> {
        let listed = self.world.services.templates(actor).await.expect("lists");
        listed.into_iter().map(|one| one.template.name).collect()
    }
}

#[tokio::test]
async fn a_template_is_read_and_changed_by_the_people_of_its_service_alone() {
    for team in Team::each().await {
        let services = &team.world.services;
        let (other, olga) = team.other_service().await;
        let theirs = services
            .import_template(&olga, of(TemplateFor::Unsaid, "Theirs"), SMALL.to_vec())
            .await
            .expect("the manager of one service imports for it");
        let owner = theirs.template.owner.clone().expect("belongs to a service");
        assert_eq!(
            (owner.service, owner.slug.as_str()),
            (other.id.clone(), "executor")
        );

        // A manager of another service neither reads it nor adds a version, by id or by name.
        let id = theirs.template.id.clone();
        assert!(is_not_found(&services.template(&team.manager, &id).await));
        let version = &theirs.version.id;
        assert!(is_not_found(
            &services.template_source(&team.manager, version).await
        ));
        assert!(is_not_found(
            &services
                .template_difference(&team.manager, version, version)
                .await
        ));
        let review = new_review(version.clone());
        let used = services
            .create_review(&team.manager, &team.service.id, review)
            .await;
        assert!(is_not_found(&used), "{used:?}");
        let by_id = TemplateImport {
            template: Some(id.clone()),
            ..import(None)
        };
        let foreign = services
            .import_template(&team.manager, by_id.clone(), SEED.to_vec())
            .await;
        assert!(is_not_found(&foreign), "{foreign:?}");
        let named = services
            .import_template(
                &team.manager,
                of(TemplateFor::Service(other.id.clone()), "Theirs"),
                SEED.to_vec(),
            )
            .await;
        assert!(is_not_found(&named), "{named:?}");
        let own = services
            .import_template(
                &team.manager,
                of(TemplateFor::Unsaid, "Theirs"),
                SEED.to_vec(),
            )
            .await
            .expect("a template of that name of the own service");
        assert_ne!(own.template.id, id, "{}", team.on());

        // Nobody without a role reads any, a viewer those of the service, an administrator all.
        assert_eq!(team.names_for(&team.stranger).await, [""; 0]);
        assert_eq!(team.names_for(&team.viewer).await.len(), 2);
        assert_eq!(team.names_for(&team.admin).await.len(), 3);
        assert!(is_not_found(&services.template(&team.stranger, &id).await));

        // A reviewer there reads and may use it elsewhere, but adds no version.
        services
            .set_role(
                &team.admin,
                &other.id,
                &team.manager.id,
                Some(ServiceRole::Reviewer),
            )
            .await
            .expect("gives a role");
        let history = services.template(&team.manager, &id).await.expect("reads");
        assert!(!history.may_change);
        let refused = services
            .import_template(&team.manager, by_id.clone(), SEED.to_vec())
            .await;
        assert!(is_forbidden(&refused), "{refused:?}");
        services
            .create_review(&team.manager, &team.service.id, new_review(version.clone()))
            .await
            .expect("uses it");
        let added = services
            .import_template(&olga, by_id, SEED.to_vec())
            .await
            .expect("its manager adds a version");
        assert_eq!((added.version.number, added.template.id), (2, id));
    }
}

#[tokio::test]
async fn templates_of_all_services_are_changed_by_administrators_and_used_by_whoever_has_a_role() {
    for team in Team::each().await {
        let services = &team.world.services;
        let shared = services
            .import_template(
                &team.admin,
                of(TemplateFor::Unsaid, "Shared"),
                SMALL.to_vec(),
            )
            .await
            .expect("an administrator imports for all");
        assert_eq!(shared.template.owner, None, "{}", team.on());
        let id = shared.template.id.clone();
        let by_id = TemplateImport {
            template: Some(id.clone()),
            ..import(None)
        };
        for import in [by_id.clone(), of(TemplateFor::Instance, "Another")] {
            let refused = services
                .import_template(&team.manager, import, SEED.to_vec())
                .await;
            assert!(is_forbidden(&refused), "{refused:?}");
        }
        services
            .create_review(
                &team.manager,
                &team.service.id,
                new_review(shared.version.id.clone()),
            )
            .await
            .expect("a manager uses it");
        assert!(services.template(&team.viewer, &id).await.is_ok());
        assert!(is_not_found(&services.template(&team.stranger, &id).await));
        let (field, _) = rejected(
            services
                .import_template(
                    &team.admin,
                    TemplateImport {
                        owner: TemplateFor::Service(team.service.id.clone()),
                        ..by_id.clone()
                    },
                    SEED.to_vec(),
                )
                .await,
        );
        assert_eq!(field, "service");
        // What was known of an administrator when the request came does not count.
        team.world
            .tamper("update person set instance_role = 'member' where email = 'ada@example.org'")
            .await;
        let late = services
            .import_template(&team.admin, by_id, SEED.to_vec())
            .await;
        assert!(is_forbidden(&late), "{late:?}");
    }
}

#[tokio::test]
async fn where_a_name_means_several_templates_whose_it_is_must_be_said() {
    for team in Team::each().await {
        let services = &team.world.services;
        let (other, olga) = team.other_service().await;
        services
            .set_role(
                &team.admin,
                &team.service.id,
                &olga.id,
                Some(ServiceRole::Manager),
            )
            .await
            .expect("gives a role");
        let (field, message) = rejected(
            services
                .import_template(&olga, of(TemplateFor::Unsaid, "PRR"), SMALL.to_vec())
                .await,
        );
        assert_eq!(field, "service");
        assert!(message.contains("several services"), "{message}");
        for service in [&other.id, &team.service.id] {
            let imported = services
                .import_template(
                    &olga,
                    of(TemplateFor::Service(service.clone()), "PRR"),
                    SMALL.to_vec(),
                )
                .await
                .expect("imports");
            assert!(imported.is_new, "one of this name for each service");
        }
        let (_, message) = rejected(
            services
                .import_template(&olga, of(TemplateFor::Unsaid, "PRR"), SEED.to_vec())
                .await,
        );
        assert!(
            message.contains("`executor`") && message.contains("`opensqt-market-maker`"),
            "{message}"
        );
        // An administrator who names one that is there adds a version to it, whosever it is.
        let again = services
            .import_template(
                &team.admin,
                of(TemplateFor::Service(other.id.clone()), "PRR"),
                SEED.to_vec(),
            )
            .await
            .expect("imports");
        assert_eq!(again.version.number, 2);
    }
}

#[tokio::test]
async fn a_token_for_one_service_imports_its_templates_and_reads_no_others() {
    for team in Team::each().await {
        let services = &team.world.services;
        let (other, _) = team.other_service().await;
        services
            .set_role(
                &team.admin,
                &other.id,
                &team.manager.id,
                Some(ServiceRole::Manager),
            )
            .await
            .expect("gives a role");
        let new = NewToken {
            name: "ci",
            service: Some("executor"),
            scopes: vec!["manage"],
            expires_at: services.now() + DAY,
        };
        let made = services
            .create_token(&team.manager, new, PASSWORD)
            .await
            .expect("makes a token");
        let token = services
            .actor_of_token(&made.secret, "10.0.0.1")
            .await
            .expect("is taken");
        assert_eq!(team.names_for(&token).await, [""; 0]);
        let imported = services
            .import_template(&token, of(TemplateFor::Unsaid, "PRR"), SMALL.to_vec())
            .await
            .expect("imports");
        assert_eq!(
            imported.template.owner.map(|owner| owner.service),
            Some(other.id.clone())
        );
        assert_eq!(team.names_for(&token).await, ["PRR"]);
        let elsewhere = services
            .import_template(
                &token,
                of(TemplateFor::Service(team.service.id.clone()), "PRR"),
                SMALL.to_vec(),
            )
            .await;
        assert!(is_not_found(&elsewhere), "{elsewhere:?}");
        let reads = Actor {
            token: Some(TokenGrant {
                actions: vec![Action::Read],
                ..token.token.clone().expect("a token")
            }),
            ..token
        };
        let refused = services
            .import_template(&reads, of(TemplateFor::Unsaid, "PRR"), SEED.to_vec())
            .await;
        assert!(is_forbidden(&refused), "{refused:?}");
    }
}
