//! What only administrators do: their role is asked for in the unit of work that does it, not when the request came.

mod common;

use std::time::Duration;

use common::{DAY, PASSWORD, World, team::new_service};
use holdpoint_domain::{InstanceRole, PersonId, ServiceRole};
use holdpoint_service::{Actor, Invite, ServiceError, Services};

fn to_the_instance(email: &str) -> Invite<'_> {
    Invite {
        email,
        name: "Somebody New",
        instance_role: InstanceRole::Member,
        service: None,
    }
}

/// Everything that only administrators do, as this actor, on this person.
async fn everything(
    services: &Services,
    actor: &Actor,
    on: &PersonId,
    invitation: &str,
) -> Vec<(&'static str, Result<(), ServiceError>)> {
    vec![
        ("people", services.people(actor, "").await.map(drop)),
        (
            "invitations",
            services.invitations(actor, None, "").await.map(drop),
        ),
        (
            "invite",
            services
                .invite(actor, to_the_instance("new@example.org"), PASSWORD)
                .await
                .map(drop),
        ),
        (
            "revoke_invitation",
            services.revoke_invitation(actor, invitation).await,
        ),
        (
            "set_instance_role",
            services
                .set_instance_role(actor, on, InstanceRole::Admin, 1, PASSWORD)
                .await,
        ),
        (
            "make_reset_link",
            services
                .make_reset_link(actor, on, PASSWORD)
                .await
                .map(drop),
        ),
        (
            "create_service",
            services
                .create_service(actor, new_service("Another"))
                .await
                .map(drop),
        ),
        (
            "load_sample",
            services.load_sample(Some(actor)).await.map(drop),
        ),
        (
            "disable_person",
            services.disable_person(actor, on, 1).await,
        ),
        ("enable_person", services.enable_person(actor, on, 1).await),
    ]
}

#[tokio::test]
async fn what_was_known_of_an_administrator_when_the_request_came_lets_nobody_administer() {
    for taken in ["instance_role = 'member'", "disabled_at = 1"] {
        for world in World::each().await {
            let services = &world.services;
            let (ada, root) = (world.admin("ada").await, world.admin("root").await);
            let bo = world.member("bo").await;
            services
                .invite(&root, to_the_instance("late@example.org"), PASSWORD)
                .await
                .expect("invites");
            let open = services.invitations(&root, None, "").await.expect("lists");
            world
                .tamper(&format!(
                    "update person set {taken} where email = 'ada@example.org'"
                ))
                .await;
            let log = world.log().await;
            for (what, outcome) in everything(services, &ada, &bo.id, &open.entries[0].id).await {
                assert!(
                    matches!(outcome, Err(ServiceError::Forbidden(_))),
                    "{} {taken} {what}: {outcome:?}",
                    world.on.name
                );
            }
            assert_eq!(world.log().await, log, "{}", world.on.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_administers_once_their_role_is_taken_away() {
    for world in World::each().await {
        let services = world.services.clone();
        let (ada, _root) = (world.admin("ada").await, world.admin("root").await);
        let bo = world.member("bo").await;
        let mut taking = services.database().write().await.expect("begins");
        taking
            .set_instance_role(&ada.id, InstanceRole::Member, 1)
            .await
            .expect("takes the role");
        let making = {
            let (services, ada, bo) = (services.clone(), ada.clone(), bo.id.clone());
            tokio::spawn(async move { services.make_reset_link(&ada, &bo, PASSWORD).await })
        };
        // Whoever asks now is an administrator still, and waits with what they want to write.
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(!making.is_finished(), "{} waits", world.on.name);
        taking.commit().await.expect("is taken");
        let made = making.await.expect("runs").map(drop);
        assert!(
            matches!(made, Err(ServiceError::Forbidden(_))),
            "{}: {made:?}",
            world.on.name
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_administrators_who_take_each_others_role_one_stays() {
    for world in World::each().await {
        let services = world.services.clone();
        let (ada, root) = (world.admin("ada").await, world.admin("root").await);
        let take = |actor: &Actor, from: &Actor| {
            let (services, actor, from) = (services.clone(), actor.clone(), from.clone());
            tokio::spawn(async move {
                services
                    .set_instance_role(&actor, &from.id, InstanceRole::Member, 1, PASSWORD)
                    .await
            })
        };
        let (first, second) = (take(&ada, &root), take(&root, &ada));
        let (first, second) = (first.await.expect("runs"), second.await.expect("runs"));
        let (done, refused) = if first.is_ok() {
            (first, second)
        } else {
            (second, first)
        };
        assert!(
            done.is_ok() && matches!(refused, Err(ServiceError::Forbidden(_))),
            "{}: {done:?}, {refused:?}",
            world.on.name
        );
    }
}

#[tokio::test]
async fn lists_of_people_invitations_and_sessions_say_how_long_they_are() {
    for world in World::each().await {
        let services = &world.services;
        let ada = world.admin("ada").await;
        let service = services
            .create_service(&ada, new_service("Executor"))
            .await
            .expect("makes a service");
        let bo = world.member("bo").await;
        let (most, sessions) = (5_000, 203);
        // As many as there can be, but for the one that the service has.
        world
            .tamper(&format!(
                "insert into person (id, email, name, name_look, instance_role, created_at, version) \
                 with recursive n (i) as (select 1 union all select i + 1 from n where i < {}) \
                 select 'p-' || i, 'p' || i || '@example.org', 'Person ' || i, 'look ' || i, 'member', 1, 1 from n",
                most - 1
            ))
            .await;
        world
            .tamper(&format!(
                "insert into membership (service_id, person_id, role) \
                 select '{}', id, 'viewer' from person where id like 'p-%'",
                service.id
            ))
            .await;
        world
            .tamper(&format!(
                "insert into invitation (id, token_hash, email, name, instance_role, invited_by, created_at, expires_at) \
                 select 'i-' || id, 'hash ' || id, 'i' || email, name, 'member', '{}', 1, {} from person \
                 where id like 'p-1__'",
                ada.id,
                services.now() + DAY
            ))
            .await;
        world
            .tamper(&format!(
                "insert into session (id, record, person_id, created_at, last_seen_at, expires_at, user_agent, address) \
                 with recursive n (i) as (select 1 union all select i + 1 from n where i < {sessions}) \
                 select 's-' || i, '{{}}', '{}', {now}, {now} - i, {now} + 1000, '', '' from n",
                ada.id,
                now = services.now(),
            ))
            .await;
        let people = services.people(&ada, "").await.expect("lists");
        assert_eq!(
            (people.entries.len(), people.n_matching),
            (200, most + 1),
            "{}",
            world.on.name
        );
        let members = services
            .members_found(&ada, &service.id, " P4999@EXAMPLE ")
            .await
            .expect("lists");
        assert_eq!(
            (members.entries[0].0.name.as_str(), members.n_matching),
            ("Person 4999", 1)
        );
        assert_eq!(
            services
                .members_found(&ada, &service.id, "100%")
                .await
                .expect("lists")
                .n_matching,
            0
        );
        let invitations = services.invitations(&ada, None, "").await.expect("lists");
        assert_eq!(
            (invitations.entries.len(), invitations.n_matching),
            (100, 100)
        );
        let found = services
            .invitations(&ada, None, "Person 150")
            .await
            .expect("lists");
        assert_eq!(found.n_matching, 1);
        let listed = services.sessions(&ada).await.expect("lists");
        assert_eq!((listed.entries.len(), listed.n_matching), (200, sessions));
        // One more than any list of members is read to is not made.
        let (field, message) = common::rejected(
            services
                .set_role(&ada, &service.id, &bo.id, Some(ServiceRole::Viewer))
                .await,
        );
        assert_eq!(field, "role");
        assert!(message.contains("5000"), "{message}");
        let whole = services
            .members(&ada, &service.id)
            .await
            .expect("lists all");
        assert_eq!(whole.len(), 5_000);
    }
}
