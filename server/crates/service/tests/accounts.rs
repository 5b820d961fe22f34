//! Accounts: set-up, signing in, sessions, passwords, people, invitations, tokens; on both databases.

mod common;

use common::{
    DAY, MINUTE, PASSWORD, START, World, is_conflict, is_forbidden, is_not_found, rejected,
};
use holdpoint_domain::{InstanceRole, ServiceId, ServiceRole, person::Action};
use holdpoint_service::{
    Actor, Client, DEVICE_LASTS, INVITATION_LASTS, Invite, Invited, NewAccount, NewToken,
    PasswordChanged, RESET_LASTS, ServiceError, Services, TokenError,
};
use holdpoint_storage::{Service, SessionStore};
use tokio::task::JoinSet;
use tower_sessions::{
    SessionStore as _,
    cookie::time::OffsetDateTime,
    session::{Id, Record},
};

const OTHER: &str = "five more words work too";

async fn service(world: &World, slug: &str) -> ServiceId {
    let id = ServiceId::parse(slug).expect("well-formed");
    let mut tx = world.on.database.write().await.expect("writes");
    tx.insert_service(&Service {
        id: id.clone(),
        slug: slug.to_owned(),
        name: slug.to_owned(),
        repository_url: None,
        description: String::new(),
        created_at: START,
        version: 1,
    })
    .await
    .expect("makes it");
    tx.commit().await.expect("commits");
    id
}

async fn give(world: &World, service: &ServiceId, to: &Actor, role: ServiceRole) {
    let mut tx = world.on.database.write().await.expect("writes");
    tx.set_service_role(service, &to.id, Some(role))
        .await
        .expect("gives it");
    tx.commit().await.expect("commits");
}

async fn session(world: &World, of: &Actor) -> String {
    let store = SessionStore::new(world.on.database.clone(), || START);
    let mut record = Record {
        id: Id::default(),
        data: std::collections::HashMap::from([("person".to_owned(), of.id.as_str().into())]),
        expiry_date: OffsetDateTime::from_unix_timestamp(4_000_000_000).expect("a moment"),
    };
    store.create(&mut record).await.expect("makes a session");
    SessionStore::stored_id(&record.id)
}

async fn role(world: &World, service: &ServiceId, of: &Actor) -> Option<ServiceRole> {
    let mut tx = world.on.database.read().await.expect("reads");
    tx.service_role(service, &of.id).await.expect("asks")
}

// Set-up

#[tokio::test]
async fn the_set_up_link_makes_one_administrator_and_then_works_no_more() {
    for world in World::each().await {
        let services = &world.services;
        assert!(!services.is_set_up().await.unwrap());
        let secret = services.setup_link_token().await.unwrap().expect("a link");
        assert!(services.is_setup_link(&secret, "10.0.0.1").await.unwrap());
        let ana = services
            .set_up(&secret, "Ana", "Ana@Example.org", PASSWORD, "10.0.0.1")
            .await
            .unwrap();
        assert_eq!(
            (ana.email.as_str(), ana.instance_role),
            ("ana@example.org", InstanceRole::Admin)
        );
        assert!(services.is_set_up().await.unwrap());
        assert!(!services.is_setup_link(&secret, "10.0.0.1").await.unwrap());
        rejected(
            services
                .set_up(&secret, "Bo", "bo@example.org", PASSWORD, "10.0.0.1")
                .await,
        );
        assert_eq!(services.setup_link_token().await.unwrap(), None);
        services
            .sign_in("ana@example.org", PASSWORD, "10.0.0.1")
            .await
            .expect("the admin signs in");
    }
}

#[tokio::test]
async fn a_new_start_replaces_a_set_up_link_that_nobody_used() {
    for world in World::each().await {
        let services = &world.services;
        let older = services.setup_link_token().await.unwrap().unwrap();
        let newer = services.setup_link_token().await.unwrap().unwrap();
        assert_ne!(older, newer);
        rejected(
            services
                .set_up(&older, "Ana", "ana@example.org", PASSWORD, "10.0.0.1")
                .await,
        );
        services
            .set_up(&newer, "Ana", "ana@example.org", PASSWORD, "10.0.0.1")
            .await
            .expect("the newer works");
    }
}

#[tokio::test]
async fn a_refused_set_up_leaves_the_link_usable_and_nobody_added() {
    for world in World::each().await {
        let services = &world.services;
        let secret = services.setup_link_token().await.unwrap().unwrap();
        for (name, email, password, field) in [
            ("", "ana@example.org", PASSWORD, "name"),
            ("Ana", "nobody", PASSWORD, "email"),
            ("Ana", "ana@example.org", "short", "password"),
        ] {
            assert_eq!(
                rejected(
                    services
                        .set_up(&secret, name, email, password, "10.0.0.1")
                        .await
                )
                .0,
                field
            );
        }
        rejected(
            services
                .set_up("wrong", "Ana", "ana@example.org", PASSWORD, "10.0.0.1")
                .await,
        );
        services
            .set_up(&secret, "Ana", "ana@example.org", PASSWORD, "10.0.0.1")
            .await
            .expect("still works");
    }
}

#[tokio::test]
async fn of_many_who_use_the_set_up_link_at_once_one_becomes_administrator() {
    for world in World::each().await {
        let secret = world.services.setup_link_token().await.unwrap().unwrap();
        let mut tasks = JoinSet::new();
        for n in 0..6 {
            let (services, secret) = (world.services.clone(), secret.clone());
            tasks.spawn(async move {
                services
                    .set_up(
                        &secret,
                        "Ana",
                        &format!("ana{n}@example.org"),
                        PASSWORD,
                        "10.0.0.1",
                    )
                    .await
                    .is_ok()
            });
        }
        assert_eq!(
            tasks
                .join_all()
                .await
                .into_iter()
                .filter(|made| *made)
                .count(),
            1,
            "{}",
            world.on.name
        );
    }
}

#[tokio::test]
async fn members_alone_do_not_close_the_set_up() {
    for world in World::each().await {
        world.member("ana").await;
        assert!(!world.services.is_set_up().await.unwrap());
        world.admin("bo").await;
        assert!(world.services.is_set_up().await.unwrap());
    }
}

// Signing in

#[tokio::test]
async fn wrong_address_wrong_password_and_disabled_account_are_refused_alike() {
    for world in World::each().await {
        let services = &world.services;
        let admin = world.admin("ada").await;
        let bo = world.member("bo").await;
        services.disable_person(&admin, &bo.id, 1).await.unwrap();
        world.member("cy").await;
        let refusals = [
            rejected(
                services
                    .sign_in("nobody@example.org", PASSWORD, "10.0.0.1")
                    .await,
            ),
            rejected(
                services
                    .sign_in("bo@example.org", PASSWORD, "10.0.0.1")
                    .await,
            ),
            rejected(
                services
                    .sign_in("cy@example.org", "not the password", "10.0.0.1")
                    .await,
            ),
            rejected(services.sign_in("no address", PASSWORD, "10.0.0.1").await),
            rejected(services.sign_in("ada@example.org", "", "10.0.0.1").await),
        ];
        for refusal in &refusals {
            assert_eq!(refusal, &refusals[0]);
        }
        assert!(refusals[0].1.contains("4 tries left"), "{}", refusals[0].1);
    }
}

#[tokio::test]
async fn after_five_wrong_passwords_the_right_one_waits_too() {
    for world in World::each().await {
        let services = &world.services;
        world.member("ana").await;
        for account in ["ana@example.org", "nobody@example.org"] {
            for _ in 0..5 {
                rejected(
                    services
                        .sign_in(account, "wrong password", "10.0.0.1")
                        .await,
                );
            }
            let paused = services.sign_in(account, PASSWORD, "10.0.0.1").await;
            let Err(ServiceError::TooOften {
                message,
                seconds: 300,
            }) = paused
            else {
                panic!("{account}: {paused:?}");
            };
            assert!(message.contains("Try again in 5 minutes"), "{message}");
        }
        services
            .sign_in("ana@example.org", PASSWORD, "10.0.0.2")
            .await
            .expect("from elsewhere");
        world.clock.advance(5 * MINUTE);
        services
            .sign_in("ANA@example.org ", PASSWORD, "10.0.0.1")
            .await
            .expect("after the pause");
    }
}

#[tokio::test]
async fn many_guesses_at_once_are_counted_before_they_are_compared() {
    for world in World::each().await {
        world.member("ana").await;
        let mut tasks = JoinSet::new();
        for _ in 0..12 {
            let services = world.services.clone();
            tasks.spawn(async move {
                match services
                    .sign_in("ana@example.org", "wrong password", "10.0.0.1")
                    .await
                {
                    Err(ServiceError::Rejected { .. }) => 1,
                    Err(ServiceError::TooOften { .. }) => 0,
                    other => panic!("{other:?}"),
                }
            });
        }
        assert_eq!(tasks.join_all().await.iter().sum::<i32>(), 5);
    }
}

#[tokio::test]
async fn a_password_is_confirmed_and_guessing_it_again_and_again_is_not_possible() {
    for world in World::each().await {
        let services = &world.services;
        let ana = world.member("ana").await;
        services
            .confirm_password(&ana, PASSWORD)
            .await
            .map(drop)
            .expect("the right one");
        assert_eq!(
            rejected(services.confirm_password(&ana, "").await).0,
            "password"
        );
        for _ in 0..5 {
            assert_eq!(
                rejected(services.confirm_password(&ana, "wrong").await).0,
                "password"
            );
        }
        let paused = services.confirm_password(&ana, PASSWORD).await.map(drop);
        assert!(
            matches!(paused, Err(ServiceError::TooOften { .. })),
            "{paused:?}"
        );
    }
}

// One's own account

#[tokio::test]
async fn a_person_lists_and_ends_their_own_sessions_and_nobody_elses() {
    for world in World::each().await {
        let services = &world.services;
        let (ana, bo) = (world.member("ana").await, world.member("bo").await);
        let (first, second, of_bo) = (
            session(&world, &ana).await,
            session(&world, &ana).await,
            session(&world, &bo).await,
        );
        assert_eq!(services.sessions(&ana).await.unwrap().entries.len(), 2);
        assert!(is_not_found(&services.revoke_session(&ana, &of_bo).await));
        services.revoke_session(&ana, &second).await.unwrap();
        assert!(is_not_found(&services.revoke_session(&ana, &second).await));
        session(&world, &ana).await;
        assert_eq!(
            services.revoke_other_sessions(&ana, &first).await.unwrap(),
            1
        );
        assert_eq!(services.sessions(&ana).await.unwrap().entries[0].id, first);
        assert_eq!(services.sessions(&bo).await.unwrap().entries.len(), 1);
    }
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions_and_the_old_one_works_no_more() {
    for world in World::each().await {
        let services = &world.services;
        let ana = world.member("ana").await;
        let (kept, _other) = (session(&world, &ana).await, session(&world, &ana).await);
        assert_eq!(
            rejected(
                services
                    .change_password(&ana, PASSWORD, "short", &kept, None)
                    .await
            )
            .0,
            "new_password"
        );
        assert_eq!(
            rejected(
                services
                    .change_password(&ana, PASSWORD, PASSWORD, &kept, None)
                    .await
            )
            .0,
            "new_password"
        );
        assert_eq!(
            rejected(
                services
                    .change_password(&ana, "wrong", OTHER, &kept, None)
                    .await
            )
            .0,
            "current_password"
        );
        assert_eq!(
            services
                .change_password(&ana, PASSWORD, OTHER, &kept, None)
                .await
                .unwrap(),
            PasswordChanged {
                n_sessions: 1,
                n_tokens: 0
            }
        );
        assert_eq!(services.sessions(&ana).await.unwrap().entries[0].id, kept);
        rejected(
            services
                .sign_in("ana@example.org", PASSWORD, "10.0.0.1")
                .await,
        );
        services
            .sign_in("ana@example.org", OTHER, "10.0.0.1")
            .await
            .expect("the new one works");
    }
}

// People

#[tokio::test]
async fn only_an_administrator_keeps_people() {
    for world in World::each().await {
        let services = &world.services;
        let (admin, ana) = (world.admin("ada").await, world.member("ana").await);
        assert!(is_forbidden(&services.people(&ana, "").await));
        assert!(is_forbidden(
            &services
                .set_instance_role(&ana, &ana.id, InstanceRole::Admin, 1, PASSWORD)
                .await
        ));
        assert!(is_forbidden(
            &services.disable_person(&ana, &admin.id, 1).await
        ));
        assert!(is_forbidden(
            &services.enable_person(&ana, &admin.id, 1).await
        ));
        let names: Vec<_> = services
            .people(&admin, "")
            .await
            .unwrap()
            .entries
            .into_iter()
            .map(|p| p.name)
            .collect();
        assert_eq!(names, ["ada", "ana"]);
    }
}

#[tokio::test]
async fn the_last_administrator_can_be_neither_disabled_nor_demoted() {
    for world in World::each().await {
        let services = &world.services;
        let (ada, bo) = (world.admin("ada").await, world.admin("bo").await);
        services.disable_person(&ada, &bo.id, 1).await.unwrap();
        rejected(services.disable_person(&ada, &ada.id, 1).await);
        rejected(
            services
                .set_instance_role(&ada, &ada.id, InstanceRole::Member, 1, PASSWORD)
                .await,
        );
        services.enable_person(&ada, &bo.id, 2).await.unwrap();
        services
            .set_instance_role(&ada, &ada.id, InstanceRole::Member, 1, PASSWORD)
            .await
            .expect("there is another");
    }
}

#[tokio::test]
async fn two_administrators_who_demote_each_other_at_once_leave_one() {
    for world in World::each().await {
        let (ada, bo) = (world.admin("ada").await, world.admin("bo").await);
        let mut tasks = JoinSet::new();
        for (actor, other) in [(ada.clone(), bo.clone()), (bo, ada)] {
            let services = world.services.clone();
            tasks.spawn(async move {
                services
                    .set_instance_role(&actor, &other.id, InstanceRole::Member, 1, PASSWORD)
                    .await
                    .is_ok()
            });
        }
        let done = tasks.join_all().await;
        assert_eq!(
            done.iter().filter(|done| **done).count(),
            1,
            "{}: {done:?}",
            world.on.name
        );
        assert!(world.services.is_set_up().await.unwrap());
    }
}

#[tokio::test]
async fn a_change_of_a_person_that_somebody_else_changed_is_a_conflict_with_both_versions() {
    for world in World::each().await {
        let services = &world.services;
        let (ada, bo) = (world.admin("ada").await, world.member("bo").await);
        services
            .set_instance_role(&ada, &bo.id, InstanceRole::Admin, 1, PASSWORD)
            .await
            .unwrap();
        let late = services
            .set_instance_role(&ada, &bo.id, InstanceRole::Member, 1, PASSWORD)
            .await;
        let Err(ServiceError::Conflict(conflict)) = late else {
            panic!("{late:?}")
        };
        assert_eq!(conflict.current_version, 2);
        let field = (
            "instance_role".to_owned(),
            "member".to_owned(),
            "admin".to_owned(),
        );
        assert_eq!(conflict.fields, [field]);
        assert!(is_conflict(&services.disable_person(&ada, &bo.id, 1).await));
    }
}

#[tokio::test]
async fn a_disabled_person_has_no_session_no_token_and_no_open_invitation() {
    for world in World::each().await {
        let services = &world.services;
        let (ada, bo) = (world.admin("ada").await, world.admin("bo").await);
        session(&world, &bo).await;
        let token = token(services, &bo, None, &["read"]).await;
        let invited = invite(services, &bo, "cy@example.org", None).await;
        services.disable_person(&ada, &bo.id, 1).await.unwrap();
        assert!(services.sessions(&bo).await.unwrap().entries.is_empty());
        assert_eq!(services.person_signed_in(&bo.id).await.unwrap(), None);
        assert!(matches!(
            services.actor_of_token(&token, "10.0.0.1").await,
            Err(TokenError::Disabled)
        ));
        rejected(
            services
                .accept_invitation(&invited, "Cy", PASSWORD, "10.0.0.1")
                .await,
        );
        services.enable_person(&ada, &bo.id, 2).await.unwrap();
        assert!(services.person_signed_in(&bo.id).await.unwrap().is_some());
        assert!(
            matches!(
                services.actor_of_token(&token, "10.0.0.1").await,
                Err(TokenError::Revoked)
            ),
            "a token that ended stays ended"
        );
    }
}

#[tokio::test]
async fn an_address_cannot_have_two_accounts() {
    for world in World::each().await {
        world.member("ana").await;
        let again = NewAccount {
            email: " ANA@example.org",
            name: "Other",
            password: PASSWORD,
            instance_role: InstanceRole::Member,
        };
        assert_eq!(rejected(world.services.add_person(again).await).0, "email");
    }
}

// Invitations

fn invitation<'a>(email: &'a str, to: Option<(&'a ServiceId, ServiceRole)>) -> Invite<'a> {
    Invite {
        email,
        name: "Invited",
        instance_role: InstanceRole::Member,
        service: to,
    }
}

async fn invite(
    services: &Services,
    by: &Actor,
    email: &str,
    to: Option<(&ServiceId, ServiceRole)>,
) -> String {
    match services
        .invite(by, invitation(email, to), PASSWORD)
        .await
        .expect("invites")
    {
        Invited::Link { secret, .. } => secret,
        Invited::Joined(person) => panic!("{} has an account", person.email),
    }
}

#[tokio::test]
async fn an_invitation_makes_one_account_with_its_role_and_then_works_no_more() {
    for world in World::each().await {
        let services = &world.services;
        let (admin, osq) = (world.admin("ada").await, service(&world, "osq").await);
        let secret = invite(
            services,
            &admin,
            "Cy@Example.org",
            Some((&osq, ServiceRole::Reviewer)),
        )
        .await;
        assert_eq!(
            services
                .open_invitation(&secret, "10.0.0.1")
                .await
                .unwrap()
                .email,
            "cy@example.org"
        );
        assert_eq!(
            rejected(
                services
                    .accept_invitation(&secret, "Cy", "short", "10.0.0.1")
                    .await
            )
            .0,
            "password"
        );
        let mut tasks = JoinSet::new();
        for _ in 0..4 {
            let (services, secret) = (services.clone(), secret.clone());
            tasks.spawn(async move {
                services
                    .accept_invitation(&secret, "Cy", PASSWORD, "10.0.0.1")
                    .await
                    .ok()
            });
        }
        let made: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
        assert_eq!(made.len(), 1, "{}", world.on.name);
        let cy = Actor::of(&made[0]);
        assert_eq!(cy.instance_role, InstanceRole::Member);
        assert_eq!(role(&world, &osq, &cy).await, Some(ServiceRole::Reviewer));
        rejected(services.open_invitation(&secret, "10.0.0.1").await);
        assert!(
            services
                .invitations(&admin, None, "")
                .await
                .unwrap()
                .entries
                .is_empty()
        );
        services
            .sign_in("cy@example.org", PASSWORD, "10.0.0.1")
            .await
            .expect("signs in");
    }
}

#[tokio::test]
async fn an_invitation_ends_after_seven_days_when_it_is_revoked_or_replaced() {
    for world in World::each().await {
        let services = &world.services;
        let admin = world.admin("ada").await;
        let replaced = invite(services, &admin, "cy@example.org", None).await;
        let revoked = invite(services, &admin, "cy@example.org", None).await;
        rejected(
            services
                .accept_invitation(&replaced, "Cy", PASSWORD, "10.0.0.1")
                .await,
        );
        let listed = services
            .invitations(&admin, None, "")
            .await
            .unwrap()
            .entries;
        assert_eq!(listed.len(), 1);
        services
            .revoke_invitation(&admin, &listed[0].id)
            .await
            .unwrap();
        rejected(
            services
                .accept_invitation(&revoked, "Cy", PASSWORD, "10.0.0.1")
                .await,
        );
        rejected(services.revoke_invitation(&admin, &listed[0].id).await);
        let late = invite(services, &admin, "cy@example.org", None).await;
        world.clock.advance(INVITATION_LASTS);
        rejected(
            services
                .accept_invitation(&late, "Cy", PASSWORD, "10.0.0.1")
                .await,
        );
    }
}

#[tokio::test]
async fn a_manager_invites_to_their_own_service_only_and_makes_no_administrator() {
    for world in World::each().await {
        let services = &world.services;
        world.admin("ada").await;
        let (mia, vic) = (world.member("mia").await, world.member("vic").await);
        let (osq, other) = (service(&world, "osq").await, service(&world, "other").await);
        give(&world, &osq, &mia, ServiceRole::Manager).await;
        give(&world, &osq, &vic, ServiceRole::Viewer).await;
        let to = |service, instance_role| Invite {
            email: "cy@example.org",
            name: "Cy",
            instance_role,
            service,
        };
        let viewer = |service| Some((service, ServiceRole::Viewer));
        assert!(is_forbidden(
            &services
                .invite(&mia, to(None, InstanceRole::Member), PASSWORD)
                .await
        ));
        assert!(is_forbidden(
            &services
                .invite(&mia, to(viewer(&osq), InstanceRole::Admin), PASSWORD)
                .await
        ));
        assert!(is_not_found(
            &services
                .invite(&mia, to(viewer(&other), InstanceRole::Member), PASSWORD)
                .await
        ));
        assert!(is_forbidden(
            &services
                .invite(&vic, to(viewer(&osq), InstanceRole::Member), PASSWORD)
                .await
        ));
        let lets = services.clone().with_managers_inviting(true);
        invite(&lets, &mia, "cy@example.org", viewer(&osq)).await;
        assert!(is_forbidden(&services.invitations(&mia, None, "").await));
        assert!(is_forbidden(
            &services.invitations(&vic, Some(&osq), "").await
        ));
        let listed = services
            .invitations(&mia, Some(&osq), "")
            .await
            .unwrap()
            .entries;
        assert!(is_forbidden(
            &services.revoke_invitation(&vic, &listed[0].id).await
        ));
        services
            .revoke_invitation(&mia, &listed[0].id)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn whoever_has_an_account_just_gets_the_role() {
    for world in World::each().await {
        let services = &world.services;
        let (admin, bo, osq) = (
            world.admin("ada").await,
            world.member("bo").await,
            service(&world, "osq").await,
        );
        let to = |service| Invite {
            email: "bo@example.org",
            name: "",
            instance_role: InstanceRole::Member,
            service,
        };
        let joined = services
            .invite(&admin, to(Some((&osq, ServiceRole::Auditor))), PASSWORD)
            .await
            .unwrap();
        assert!(matches!(joined, Invited::Joined(person) if person.id == bo.id));
        assert_eq!(role(&world, &osq, &bo).await, Some(ServiceRole::Auditor));
        let other = services
            .invite(&admin, to(Some((&osq, ServiceRole::Manager))), PASSWORD)
            .await;
        assert_eq!(rejected(other).0, "email");
        assert_eq!(
            rejected(services.invite(&admin, to(None), PASSWORD).await).0,
            "email"
        );
    }
}

#[tokio::test]
async fn a_second_invitation_is_taken_by_the_account_that_the_first_made() {
    for world in World::each().await {
        let services = &world.services;
        let admin = world.admin("ada").await;
        let (one, two) = (service(&world, "one").await, service(&world, "two").await);
        let first = invite(
            services,
            &admin,
            "cy@example.org",
            Some((&one, ServiceRole::Viewer)),
        )
        .await;
        let second = invite(
            services,
            &admin,
            "cy@example.org",
            Some((&two, ServiceRole::Reviewer)),
        )
        .await;
        let cy = Actor::of(
            &services
                .accept_invitation(&first, "Cy", PASSWORD, "10.0.0.1")
                .await
                .unwrap(),
        );
        rejected(
            services
                .accept_invitation(&second, "Cy", PASSWORD, "10.0.0.1")
                .await,
        );
        let bo = world.member("bo").await;
        assert!(is_forbidden(
            &services.join_by_invitation(&bo, &second).await
        ));
        services.join_by_invitation(&cy, &second).await.unwrap();
        assert_eq!(role(&world, &two, &cy).await, Some(ServiceRole::Reviewer));
        rejected(services.join_by_invitation(&cy, &second).await);
    }
}

// Tokens

fn new_token<'a>(service: Option<&'a str>, scopes: &[&'a str]) -> NewToken<'a> {
    NewToken {
        name: "CI",
        service,
        scopes: scopes.to_vec(),
        expires_at: START + 90 * DAY,
    }
}

async fn token(services: &Services, of: &Actor, service: Option<&str>, scopes: &[&str]) -> String {
    services
        .create_token(of, new_token(service, scopes), PASSWORD)
        .await
        .expect("makes a token")
        .secret
}

#[tokio::test]
async fn a_token_acts_for_its_person_within_what_it_was_granted() {
    for world in World::each().await {
        let services = &world.services;
        let (ana, osq) = (world.member("ana").await, service(&world, "osq").await);
        give(&world, &osq, &ana, ServiceRole::Contributor).await;
        let secret = token(
            services,
            &ana,
            Some("osq"),
            &["read", "import_scans", "read"],
        )
        .await;
        assert!(secret.starts_with("hp_"), "{secret}");
        let actor = services.actor_of_token(&secret, "10.0.0.1").await.unwrap();
        assert_eq!(actor.id, ana.id);
        let grant = actor.token.clone().expect("acts by token");
        assert_eq!(grant.service, Some(osq));
        assert_eq!(grant.actions, [Action::ImportScans, Action::Read]);
        assert!(is_forbidden(
            &services
                .create_token(&actor, new_token(None, &["read"]), PASSWORD)
                .await
        ));
        assert!(is_forbidden(&services.tokens(&actor).await));
        assert!(is_forbidden(
            &services
                .change_password(&actor, PASSWORD, OTHER, "", None)
                .await
        ));
        assert!(is_forbidden(&services.sessions(&actor).await));
    }
}

#[tokio::test]
async fn a_token_is_made_by_whoever_knows_the_password_and_ends_with_it() {
    for world in World::each().await {
        let services = &world.services;
        let (ana, admin) = (world.member("ana").await, world.admin("ada").await);
        let refused = services
            .create_token(&ana, new_token(None, &["read"]), "wrong")
            .await;
        assert_eq!(rejected(refused.map(drop)).0, "password");
        assert_eq!(services.tokens(&ana).await.unwrap(), []);
        let works = async |secret: &str| services.actor_of_token(secret, "10.0.0.1").await.is_ok();

        let changed = token(services, &ana, None, &["read"]).await;
        let of_other = token(services, &admin, None, &["read"]).await;
        assert!(works(&changed).await);
        let ended = services
            .change_password(&ana, PASSWORD, OTHER, "", None)
            .await
            .unwrap();
        assert_eq!(ended.n_tokens, 1);
        assert!(!works(&changed).await && works(&of_other).await);

        let new = || new_token(None, &["read"]);
        let reset = services.create_token(&ana, new(), OTHER).await.unwrap();
        let refused = services.make_reset_link(&admin, &ana.id, OTHER).await;
        assert_eq!(rejected(refused.map(drop)).0, "password");
        let link = services
            .make_reset_link(&admin, &ana.id, PASSWORD)
            .await
            .unwrap();
        services
            .reset_password(&link.secret, PASSWORD, "10.0.0.1")
            .await
            .unwrap();
        assert!(!works(&reset.secret).await);

        let disabled = token(services, &ana, None, &["read"]).await;
        let person = |all: Vec<holdpoint_service::Person>| {
            let found = all.into_iter().find(|person| person.id == ana.id);
            found.unwrap().version
        };
        let version = person(services.people(&admin, "").await.unwrap().entries);
        services
            .disable_person(&admin, &ana.id, version)
            .await
            .unwrap();
        let version = person(services.people(&admin, "").await.unwrap().entries);
        services
            .enable_person(&admin, &ana.id, version)
            .await
            .unwrap();
        assert!(!works(&disabled).await, "enabling brings no token back");
        let version = person(services.people(&admin, "").await.unwrap().entries);
        let refused = services
            .set_instance_role(&admin, &ana.id, InstanceRole::Admin, version, "wrong")
            .await;
        assert_eq!(rejected(refused).0, "password");
    }
}

#[tokio::test]
async fn an_administrators_token_administers_only_if_it_was_granted() {
    for world in World::each().await {
        let services = &world.services;
        let admin = world.admin("ada").await;
        let reads = token(services, &admin, None, &["read"]).await;
        let reads = services.actor_of_token(&reads, "10.0.0.1").await.unwrap();
        assert!(is_forbidden(&services.people(&reads, "").await));
        let administers = token(services, &admin, None, &["administer"]).await;
        let administers = services
            .actor_of_token(&administers, "10.0.0.1")
            .await
            .unwrap();
        assert_eq!(
            services
                .people(&administers, "")
                .await
                .unwrap()
                .entries
                .len(),
            1
        );
    }
}

#[tokio::test]
async fn an_unknown_expired_or_revoked_token_lets_nobody_in() {
    for world in World::each().await {
        let services = &world.services;
        let (ana, bo) = (world.member("ana").await, world.member("bo").await);
        for unknown in ["", "hp_", "hp_unknown", "Bearer x", &"hp_x".repeat(1000)] {
            assert!(
                matches!(
                    services.actor_of_token(unknown, "10.0.0.1").await,
                    Err(TokenError::Unknown)
                ),
                "{unknown}"
            );
        }
        let revoked = services
            .create_token(&ana, new_token(None, &["read"]), PASSWORD)
            .await
            .unwrap();
        assert!(is_not_found(
            &services.revoke_token(&bo, &revoked.token.id).await
        ));
        services
            .revoke_token(&ana, &revoked.token.id)
            .await
            .unwrap();
        assert!(is_not_found(
            &services.revoke_token(&ana, &revoked.token.id).await
        ));
        assert!(matches!(
            services.actor_of_token(&revoked.secret, "10.0.0.1").await,
            Err(TokenError::Revoked)
        ));
        let expires = token(services, &ana, None, &["read"]).await;
        world.clock.advance(90 * DAY - 1);
        services
            .actor_of_token(&expires, "10.0.0.1")
            .await
            .expect("works to the last");
        world.clock.advance(1);
        assert!(matches!(
            services.actor_of_token(&expires, "10.0.0.1").await,
            Err(TokenError::Expired)
        ));
    }
}

#[tokio::test]
async fn a_token_without_scope_name_or_end_is_refused_at_its_field() {
    for world in World::each().await {
        let services = &world.services;
        let (ana, _) = (world.member("ana").await, service(&world, "osq").await);
        let cases = [
            (
                "name",
                NewToken {
                    name: " ",
                    ..new_token(None, &["read"])
                },
            ),
            ("scopes", new_token(None, &[])),
            ("scopes", new_token(None, &["everything"])),
            (
                "expires",
                NewToken {
                    expires_at: START,
                    ..new_token(None, &["read"])
                },
            ),
            (
                "expires",
                NewToken {
                    expires_at: START + 367 * DAY,
                    ..new_token(None, &["read"])
                },
            ),
            ("service", new_token(Some("absent"), &["read"])),
            ("service", new_token(Some("osq"), &["read"])),
        ];
        for (field, new) in cases {
            assert_eq!(
                rejected(services.create_token(&ana, new.clone(), PASSWORD).await).0,
                field,
                "{new:?}"
            );
        }
        assert!(services.tokens(&ana).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn the_use_of_a_token_is_noted_once_a_minute() {
    for world in World::each().await {
        let services = &world.services;
        let ana = world.member("ana").await;
        let secret = token(services, &ana, None, &["read"]).await;
        let mut noted = Vec::new();
        for _ in 0..4 {
            services.actor_of_token(&secret, "10.0.0.1").await.unwrap();
            noted.push(
                services.tokens(&ana).await.unwrap()[0]
                    .last_used_at
                    .unwrap()
                    - START,
            );
            world.clock.advance(30_000);
        }
        assert_eq!(noted, [0, 0, 60_000, 60_000]);
    }
}

#[tokio::test]
async fn the_command_line_makes_a_token_for_a_person_who_is_there() {
    for world in World::each().await {
        let services = &world.services;
        let ana = world.member("ana").await;
        let made = services
            .create_token_for("ana@example.org", new_token(None, &["read"]))
            .await
            .unwrap();
        assert_eq!(
            services
                .actor_of_token(&made.secret, "10.0.0.1")
                .await
                .unwrap()
                .id,
            ana.id
        );
        let absent = services
            .create_token_for("nobody@example.org", new_token(None, &["read"]))
            .await;
        assert_eq!(rejected(absent).0, "email");
    }
}

// Secrets and the log

#[tokio::test]
async fn everything_is_in_the_log_and_no_secret_is() {
    for world in World::each().await {
        let services = &world.services;
        let set_up = services.setup_link_token().await.unwrap().unwrap();
        let ada = Actor::of(
            &services
                .set_up(&set_up, "Ada", "ada@example.org", PASSWORD, "10.0.0.1")
                .await
                .unwrap(),
        );
        let invited = invite(services, &ada, "cy@example.org", None).await;
        let cy = Actor::of(
            &services
                .accept_invitation(&invited, "Cy", PASSWORD, "10.0.0.1")
                .await
                .unwrap(),
        );
        services
            .sign_in("cy@example.org", PASSWORD, "10.0.0.1")
            .await
            .unwrap();
        let made = services
            .create_token(&cy, new_token(None, &["read"]), PASSWORD)
            .await
            .unwrap();
        services.revoke_token(&cy, &made.token.id).await.unwrap();
        services
            .change_password(&cy, PASSWORD, OTHER, "", None)
            .await
            .unwrap();
        services.sign_out(&cy).await.unwrap();
        services
            .set_instance_role(&ada, &cy.id, InstanceRole::Admin, 1, PASSWORD)
            .await
            .unwrap();
        services.disable_person(&ada, &cy.id, 2).await.unwrap();
        services.enable_person(&ada, &cy.id, 3).await.unwrap();
        let log = world.log().await;
        let actions: Vec<_> = log.iter().map(|(action, _)| action.as_str()).collect();
        assert_eq!(
            actions,
            [
                "instance.set_up_link_made",
                "person.added",
                "invitation.made",
                "person.added",
                "person.signed_in",
                "token.made",
                "token.revoked",
                "person.password_changed",
                "person.signed_out",
                "person.role_changed",
                "person.disabled",
                "person.enabled",
            ]
        );
        for (_, entry) in &log {
            for secret in [
                &set_up,
                &invited,
                &made.secret,
                PASSWORD,
                OTHER,
                "argon2",
                "10.0.0.1",
            ] {
                assert!(!entry.contains(secret), "{entry}");
            }
        }
    }
}

#[tokio::test]
async fn a_reset_link_sets_the_password_once_and_ends_every_session() {
    for world in World::each().await {
        let services = &world.services;
        let (admin, cy) = (world.admin("ada").await, world.member("cy").await);
        session(&world, &cy).await;
        session(&world, &cy).await;
        let link = services
            .make_reset_link(&admin, &cy.id, PASSWORD)
            .await
            .unwrap();
        let open = services.open_reset(&link.secret, "10.0.0.1").await.unwrap();
        assert_eq!(open.person.email, "cy@example.org");
        assert_eq!(
            rejected(
                services
                    .reset_password(&link.secret, "short", "10.0.0.1")
                    .await
            )
            .0,
            "new_password"
        );
        let mut tasks = JoinSet::new();
        for _ in 0..4 {
            let (services, secret) = (services.clone(), link.secret.clone());
            tasks.spawn(async move {
                services
                    .reset_password(&secret, OTHER, "10.0.0.1")
                    .await
                    .ok()
            });
        }
        let n_done = tasks.join_all().await.into_iter().flatten().count();
        assert_eq!(n_done, 1, "{}", world.on.name);
        assert!(services.sessions(&cy).await.unwrap().entries.is_empty());
        rejected(services.open_reset(&link.secret, "10.0.0.1").await);
        rejected(
            services
                .sign_in("cy@example.org", PASSWORD, "10.0.0.1")
                .await,
        );
        services
            .sign_in("cy@example.org", OTHER, "10.0.0.1")
            .await
            .expect("signs in with the new password");
        let said = world.log().await;
        let said: Vec<_> = said.iter().map(|(action, _)| action.as_str()).collect();
        assert!(said.contains(&"person.reset_link_made"), "{said:?}");
        assert_eq!(
            said.iter()
                .filter(|action| **action == "person.password_reset")
                .count(),
            1
        );
    }
}

#[tokio::test]
async fn a_reset_link_ends_after_a_day_when_replaced_when_the_password_changes_and_when_the_account_is_disabled()
 {
    for world in World::each().await {
        let services = &world.services;
        let (admin, cy) = (world.admin("ada").await, world.member("cy").await);
        let replaced = services
            .make_reset_link(&admin, &cy.id, PASSWORD)
            .await
            .unwrap();
        let late = services
            .make_reset_link_for("CY@example.org")
            .await
            .unwrap();
        rejected(services.open_reset(&replaced.secret, "10.0.0.1").await);
        services.open_reset(&late.secret, "10.0.0.1").await.unwrap();
        world.clock.advance(RESET_LASTS);
        rejected(
            services
                .reset_password(&late.secret, OTHER, "10.0.0.1")
                .await,
        );
        let found_again = services
            .make_reset_link(&admin, &cy.id, PASSWORD)
            .await
            .unwrap();
        services
            .change_password(&cy, PASSWORD, OTHER, "none", None)
            .await
            .unwrap();
        rejected(services.open_reset(&found_again.secret, "10.0.0.1").await);
        let disabled = services
            .make_reset_link(&admin, &cy.id, PASSWORD)
            .await
            .unwrap();
        services.disable_person(&admin, &cy.id, 1).await.unwrap();
        rejected(
            services
                .reset_password(&disabled.secret, OTHER, "10.0.0.1")
                .await,
        );
        assert_eq!(
            rejected(
                services
                    .make_reset_link(&admin, &cy.id, PASSWORD)
                    .await
                    .map(drop)
            )
            .0,
            "email"
        );
        assert_eq!(
            rejected(
                services
                    .make_reset_link_for("no@example.org")
                    .await
                    .map(drop)
            )
            .0,
            "email"
        );
    }
}

#[tokio::test]
async fn links_that_an_administrator_made_end_with_the_role_and_with_the_account() {
    for world in World::each().await {
        let services = &world.services;
        let (admin, bo, cy) = (
            world.admin("ada").await,
            world.admin("bo").await,
            world.member("cy").await,
        );
        let (dee, eva) = (world.admin("dee").await, world.member("eva").await);
        let by_bo = services
            .make_reset_link(&bo, &cy.id, PASSWORD)
            .await
            .unwrap();
        let by_dee = services
            .make_reset_link(&dee, &eva.id, PASSWORD)
            .await
            .unwrap();
        services.disable_person(&admin, &bo.id, 1).await.unwrap();
        rejected(services.open_reset(&by_bo.secret, "10.0.0.1").await);
        services
            .open_reset(&by_dee.secret, "10.0.0.1")
            .await
            .unwrap();
        services
            .set_instance_role(&admin, &dee.id, InstanceRole::Member, 1, PASSWORD)
            .await
            .unwrap();
        rejected(services.open_reset(&by_dee.secret, "10.0.0.1").await);
    }
}

#[tokio::test]
async fn whoever_guesses_reset_links_has_to_wait_and_nobody_else() {
    let world = World::sqlite().await;
    let services = &world.services;
    let (admin, cy) = (world.admin("ada").await, world.member("cy").await);
    let link = services
        .make_reset_link(&admin, &cy.id, PASSWORD)
        .await
        .unwrap();
    for n in 0..20 {
        rejected(services.open_reset(&format!("guess-{n}"), "10.0.0.1").await);
    }
    assert!(matches!(
        services.open_reset(&link.secret, "10.0.0.1").await,
        Err(ServiceError::TooOften { .. })
    ));
    for _ in 0..40 {
        services
            .open_reset(&link.secret, "10.0.0.2")
            .await
            .expect("a link that works is no guess");
    }
}

#[tokio::test]
async fn a_device_is_known_for_the_account_that_signed_in_there_and_is_forgotten_in_time() {
    for world in World::each().await {
        let services = &world.services;
        let (ana, bo) = (world.member("ana").await, world.member("bo").await);
        let secret = services.remember_device(&ana.id, None).await.unwrap();
        let exhaust = async |email: &str| {
            for n in 0..30 {
                let _ = services
                    .sign_in(email, "wrong password", &*format!("10.0.1.{n}"))
                    .await;
            }
        };
        exhaust("ana@example.org").await;
        exhaust("bo@example.org").await;
        let waits = |outcome: Result<_, ServiceError>| match outcome {
            Ok(_) => false,
            Err(ServiceError::TooOften { .. }) => true,
            Err(other) => panic!("{other:?}"),
        };
        let sign_in = async |email: &str, device: &str| {
            let from = Client {
                address: "10.0.0.1",
                device: Some(device),
            };
            waits(services.sign_in(email, PASSWORD, from).await)
        };
        assert!(sign_in("ana@example.org", "").await);
        assert!(sign_in("ana@example.org", &"x".repeat(43)).await);
        assert!(sign_in("bo@example.org", &secret).await);
        assert!(!sign_in("ana@example.org", &secret).await);
        // Several accounts may share a browser; a secret that the server did not make is replaced.
        assert_eq!(
            services
                .remember_device(&bo.id, Some(&secret))
                .await
                .unwrap(),
            secret
        );
        assert!(!sign_in("bo@example.org", &secret).await);
        let invented = "x".repeat(43);
        assert_ne!(
            services
                .remember_device(&bo.id, Some(&invented))
                .await
                .unwrap(),
            invented
        );
        // The newest twenty are known.
        for _ in 0..20 {
            world.clock.advance(1);
            services.remember_device(&bo.id, None).await.unwrap();
        }
        assert!(sign_in("bo@example.org", &secret).await);
        world.clock.advance(DEVICE_LASTS);
        exhaust("ana@example.org").await;
        assert!(sign_in("ana@example.org", &secret).await);
        assert!(services.forget_old_devices().await.unwrap() >= 20);
    }
}

#[tokio::test]
async fn a_new_password_by_link_forgets_every_device() {
    for world in World::each().await {
        let services = &world.services;
        let (admin, cy) = (world.admin("ada").await, world.member("cy").await);
        let secret = services.remember_device(&cy.id, None).await.unwrap();
        let link = services
            .make_reset_link(&admin, &cy.id, PASSWORD)
            .await
            .unwrap();
        services
            .reset_password(&link.secret, OTHER, "10.0.0.9")
            .await
            .unwrap();
        assert_ne!(
            services
                .remember_device(&cy.id, Some(&secret))
                .await
                .unwrap(),
            secret
        );
    }
}

#[tokio::test]
async fn wrong_passwords_given_by_token_do_not_keep_the_owner_from_signing() {
    let world = World::sqlite().await;
    let services = &world.services;
    let ana = world.member("ana").await;
    let stolen = token(services, &ana, None, &["read"]).await;
    let thief = services.actor_of_token(&stolen, "10.0.0.1").await.unwrap();
    for _ in 0..5 {
        rejected(services.confirm_password(&thief, "a guess").await);
    }
    assert!(matches!(
        services.confirm_password(&thief, PASSWORD).await,
        Err(ServiceError::TooOften { .. })
    ));
    services
        .confirm_password(&ana, PASSWORD)
        .await
        .map(drop)
        .expect("the owner goes on");
    for _ in 0..5 {
        rejected(services.confirm_password(&ana, "mistyped").await);
    }
    assert!(matches!(
        services.confirm_password(&ana, PASSWORD).await,
        Err(ServiceError::TooOften { .. })
    ));
}

#[tokio::test]
async fn whoever_sends_tokens_that_are_not_taken_has_to_wait_while_good_ones_go_on() {
    let world = World::sqlite().await;
    let services = &world.services;
    let ana = world.member("ana").await;
    let (used, fresh) = (
        token(services, &ana, None, &["read"]).await,
        token(services, &ana, None, &["read"]).await,
    );
    let from = "10.0.0.1";
    services.actor_of_token(&used, from).await.unwrap();
    for n in 0..500 {
        let guess = services.actor_of_token(&format!("hp_guess{n}"), from).await;
        assert!(matches!(guess, Err(TokenError::Unknown)), "{n}: {guess:?}");
    }
    let too_often = |outcome: Result<_, TokenError>| {
        matches!(
            outcome,
            Err(TokenError::Service(ServiceError::TooOften { .. }))
        )
    };
    assert!(too_often(services.actor_of_token("hp_guess", from).await));
    assert!(too_often(services.actor_of_token(&fresh, from).await));
    services
        .actor_of_token(&used, from)
        .await
        .expect("it was taken before");
    services
        .actor_of_token(&fresh, "10.0.0.2")
        .await
        .expect("from elsewhere");
    // What was good and is revoked is a guess like any other.
    let id = services.tokens(&ana).await.unwrap()[0].id.clone();
    services.revoke_token(&ana, &id).await.unwrap();
    let gone = [&used, &fresh];
    let mut n_waits = 0;
    for secret in gone.into_iter().chain(gone) {
        n_waits += usize::from(too_often(services.actor_of_token(secret, from).await));
    }
    assert_eq!(
        n_waits, 1,
        "the revoked one is refused once as revoked, then waits"
    );
}

#[tokio::test]
async fn whoever_guesses_set_up_links_or_invitations_has_to_wait() {
    let world = World::sqlite().await;
    let services = &world.services;
    let link = services.setup_link_token().await.unwrap().unwrap();
    for n in 0..10 {
        let guess = format!("guess-{n}");
        assert!(!services.is_setup_link(&guess, "10.0.0.1").await.unwrap());
        rejected(services.open_invitation(&guess, "10.0.0.1").await);
    }
    let waits = services
        .set_up(&link, "Ana", "ana@example.org", PASSWORD, "10.0.0.1")
        .await;
    assert!(
        matches!(waits, Err(ServiceError::TooOften { .. })),
        "{waits:?}"
    );
    let waits = services
        .accept_invitation("x", "Ana", PASSWORD, "10.0.0.1")
        .await;
    assert!(
        matches!(waits, Err(ServiceError::TooOften { .. })),
        "{waits:?}"
    );
    services
        .set_up(&link, "Ana", "ana@example.org", PASSWORD, "10.0.0.2")
        .await
        .expect("from elsewhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_password_opened_is_not_done_once_the_password_was_changed_meanwhile() {
    for world in World::each().await {
        let team = common::team::Team::in_world(world).await;
        let services = &team.world.services;
        let item = team.id("2.1.1").await;
        team.send_to_review(&item).await;
        for act in [
            "token", "invite", "link", "admin", "role", "policy", "item", "release",
        ] {
            let actor = match act {
                "item" => &team.reviewer,
                "role" | "policy" | "release" => &team.manager,
                _ => &team.admin,
            };
            let mut held = team.world.on.database.write().await.unwrap();
            let stored = held.password_hash(&actor.id).await.unwrap().unwrap();
            held.set_password_hash(&actor.id, "$argon2id$changed")
                .await
                .unwrap();
            let work = async {
                match act {
                    "token" => services
                        .create_token(actor, new_token(None, &["read"]), PASSWORD)
                        .await
                        .map(drop),
                    "invite" => services
                        .invite(actor, invitation("rex@example.org", None), PASSWORD)
                        .await
                        .map(drop),
                    "link" => services
                        .make_reset_link(actor, &team.viewer.id, PASSWORD)
                        .await
                        .map(drop),
                    "admin" => {
                        services
                            .set_instance_role(
                                actor,
                                &team.viewer.id,
                                InstanceRole::Admin,
                                1,
                                PASSWORD,
                            )
                            .await
                    }
                    "role" => {
                        let (service, person) = (&team.service.id, &team.stranger.id);
                        let role = Some(ServiceRole::Viewer);
                        services
                            .change_role(actor, service, person, role, PASSWORD)
                            .await
                    }
                    "policy" => {
                        let change = holdpoint_service::ReviewChange {
                            version: team.review.version,
                            title: common::team::name("Phase 22"),
                            release: common::team::name("v1.0.0"),
                            commit: holdpoint_domain::text::Commit::parse("c41f0e2").ok(),
                            due_on: None,
                            policy: holdpoint_domain::Policy {
                                quorum: 2,
                                ..holdpoint_domain::Policy::default()
                            },
                        };
                        services
                            .change_review(actor, &team.review.id, change, PASSWORD)
                            .await
                            .map(drop)
                    }
                    "item" => team.sign(actor, &item, "pass").await,
                    _ => {
                        let review = services.review_standing(actor, &team.review.id).await?;
                        let (access, no_go) = (
                            services.access(actor, &team.service.id).await?,
                            holdpoint_service::standing::ReleaseDecision::NoGo,
                        );
                        let form = services.release_form(actor, &access, &review).await?;
                        services
                            .decide_release(
                                actor,
                                &team.review.id,
                                no_go,
                                "Not yet.",
                                &form.basis,
                                PASSWORD,
                            )
                            .await
                            .map(drop)
                    }
                }
            };
            let release = async {
                tokio::time::sleep(std::time::Duration::from_millis(900)).await;
                held.commit().await.unwrap();
            };
            let (done, ()) = tokio::join!(work, release);
            let (field, message) = rejected(done);
            assert_eq!(field, "password", "{act} on {}: {message}", team.on());
            let mut tx = team.world.on.database.write().await.unwrap();
            tx.set_password_hash(&actor.id, &stored).await.unwrap();
            tx.commit().await.unwrap();
        }
    }
}

#[tokio::test]
async fn invitations_of_a_manager_end_with_the_role() {
    for world in World::each().await {
        let team = common::team::Team::in_world(world).await;
        let services = team.world.services.clone().with_managers_inviting(true);
        services
            .set_role(
                &team.admin,
                &team.service.id,
                &team.owner.id,
                Some(ServiceRole::Manager),
            )
            .await
            .unwrap();
        let to_service = Some((&team.service.id, ServiceRole::Manager));
        let mut links = Vec::new();
        for (who, email) in [
            (&team.manager, "a@example.org"),
            (&team.owner, "b@example.org"),
        ] {
            let Invited::Link { secret, .. } = services
                .invite(who, invitation(email, to_service), PASSWORD)
                .await
                .unwrap()
            else {
                panic!("has an account");
            };
            links.push(secret);
        }
        services
            .set_role(
                &team.admin,
                &team.service.id,
                &team.manager.id,
                Some(ServiceRole::Viewer),
            )
            .await
            .unwrap();
        rejected(services.open_invitation(&links[0], "10.0.0.1").await);
        services
            .open_invitation(&links[1], "10.0.0.1")
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_changed_password_forgets_every_device_but_the_present_one() {
    for world in World::each().await {
        let services = &world.services;
        let ana = world.member("ana").await;
        let here = services.remember_device(&ana.id, None).await.unwrap();
        let lost = services.remember_device(&ana.id, None).await.unwrap();
        services
            .change_password(&ana, PASSWORD, OTHER, "", Some(&here))
            .await
            .unwrap();
        // Only a device that is known keeps its own secret.
        for (device, is_known) in [(here, true), (lost, false)] {
            let again = services.remember_device(&ana.id, Some(&device)).await;
            assert_eq!(again.unwrap() == device, is_known, "on {}", world.on.name);
        }
    }
}
