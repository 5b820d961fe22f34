//! What only administrators do: their role is asked for in the unit of work that does it, not when the request came.

mod common;

use std::sync::Arc;

use common::{PASSWORD, World, team::new_service};
use holdpoint_domain::{InstanceRole, PersonId};
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
        ("people", services.people(actor).await.map(drop)),
        (
            "invitations",
            services.invitations(actor, None).await.map(drop),
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
            let open = services.invitations(&root, None).await.expect("lists");
            world
                .tamper(&format!(
                    "update person set {taken} where email = 'ada@example.org'"
                ))
                .await;
            let log = world.log().await;
            for (what, outcome) in everything(services, &ada, &bo.id, &open[0].id).await {
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
        let world = Arc::new(world);
        let services = world.services.clone();
        let (ada, root) = (world.admin("ada").await, world.admin("root").await);
        let bo = world.member("bo").await;
        // Each compares the password first; the first that is done has the role taken while the others do.
        let mut making = (0..8).map(|_| {
            let (services, ada, bo) = (services.clone(), ada.clone(), bo.id.clone());
            tokio::spawn(async move { services.make_reset_link(&ada, &bo, PASSWORD).await })
        });
        let making: Vec<_> = making.by_ref().collect();
        let mut making = making.into_iter();
        making
            .next()
            .expect("one begins")
            .await
            .expect("runs")
            .expect("makes a link");
        services
            .set_instance_role(&root, &ada.id, InstanceRole::Member, 1, PASSWORD)
            .await
            .expect("takes the role");
        for outcome in making {
            drop(outcome.await.expect("runs"));
        }
        let log = world.log().await;
        let taken = log
            .iter()
            .rposition(|(action, _)| action == "person.role_changed")
            .expect("is in the log");
        let after = log[taken..]
            .iter()
            .filter(|(action, _)| action == "person.reset_link_made")
            .count();
        assert_eq!(after, 0, "{}", world.on.name);
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
