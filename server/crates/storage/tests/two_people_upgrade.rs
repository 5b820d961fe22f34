//! What the migration that asks for two people makes of a database with data.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _, SqliteConnection};

const START: &str = include_str!("../../../../migrations/sqlite/0001_start.sql");
const TWO_PEOPLE: &str = include_str!("../../../../migrations/sqlite/0004_two_people.sql");

const DATA: &str = "
insert into person (id, email, name, instance_role, created_at, version) values
    ('mia', 'mia@example.org', 'Mia', 'member', 100, 1),
    ('rex', 'rex@example.org', 'Rex', 'member', 5000, 1),
    ('old', 'old@example.org', 'Old', 'member', 100, 1);
insert into service (id, slug, name, description, next_finding_number, created_at, version)
    values ('s', 's', 'S', '', 10, 1, 1);
insert into invitation (id, token_hash, email, name, instance_role, invited_by, created_at, expires_at, accepted_at) values
    ('i1', 'h1', 'rex@example.org', 'Rex', 'member', 'mia', 4000, 9000, 5001),
    -- Somebody who had an account and only joined.
    ('i2', 'h2', 'old@example.org', 'Old', 'member', 'mia', 4000, 9000, 90000);
insert into password_reset (id, token_hash, person_id, created_at, expires_at, used_at) values
    ('r1', 't1', 'old', 6000, 9000, 6500),
    ('r2', 't2', 'rex', 6000, 9000, null);
insert into activity (sequence, at, actor, action, subject_kind, subject, summary, previous, digest) values
    (1, 6001, 'mia', 'person.reset_link_made', 'person', 'old', '', '', '');
insert into finding (id, service_id, number, title, severity, severity_rank, category, status, status_reason, status_by,
    status_at, acceptance_requested_by, accepted_until, first_seen_at, last_seen_at, created_by, version) values
    ('f1', 's', 1, 'A', 'critical', 0, 'code', 'false_positive', 'No.', 'mia', 7, null, null, 1, 1, null, 1),
    ('f2', 's', 2, 'B', 'high', 1, 'code', 'fixed', 'Done.', 'mia', 7, null, null, 1, 1, 'rex', 1),
    ('f3', 's', 3, 'C', 'high', 1, 'code', 'fixed', '', null, 7, null, null, 1, 1, null, 1),
    ('f4', 's', 4, 'D', 'medium', 2, 'code', 'false_positive', 'No.', 'mia', 7, null, null, 1, 1, null, 1),
    ('f5', 's', 5, 'E', 'critical', 0, 'code', 'risk_accepted', 'Yes.', 'rex', 7, 'mia', 900, 1, 1, null, 1),
    ('f6', 's', 6, 'F', 'critical', 0, 'code', 'open', 'Please.', 'mia', 7, 'mia', 900, 1, 1, null, 1);
";

#[tokio::test]
async fn what_is_known_of_accounts_is_kept_and_lone_decisions_wait_for_a_second_person() {
    type Person = (String, Option<String>, Option<String>, Option<i64>);
    let mut database = SqliteConnection::connect("sqlite::memory:")
        .await
        .expect("opens");
    for sql in [START, DATA, TWO_PEOPLE] {
        database
            .execute(sqlx::raw_sql(AssertSqlSafe(sql)))
            .await
            .expect("is SQL");
    }
    let people = database
        .fetch_all(
            "select id, made_by, password_reset_by, password_reset_at from person order by id",
        )
        .await
        .expect("reads");
    let people: Vec<Person> = people
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2), row.get(3)))
        .collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        people,
        [
            ("mia".to_owned(), None, None, None),
            ("old".to_owned(), None, text("mia"), Some(6500)),
            ("rex".to_owned(), text("mia"), None, None),
        ]
    );
    let findings = database
        .fetch_all("select status, asked_for, acceptance_requested_by from finding order by number")
        .await
        .expect("reads");
    let findings: Vec<(String, Option<String>, Option<String>)> = findings
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    assert_eq!(
        findings,
        [
            ("open".to_owned(), text("false_positive"), text("mia")),
            ("open".to_owned(), text("fixed"), text("mia")),
            ("fixed".to_owned(), None, None),
            ("false_positive".to_owned(), None, None),
            ("risk_accepted".to_owned(), None, text("mia")),
            ("open".to_owned(), text("risk_accepted"), text("mia")),
        ]
    );
}
