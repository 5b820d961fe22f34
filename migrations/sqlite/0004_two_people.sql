-- Who stands behind an account: whoever invited its person, and whoever last made the link by which its password was set.
alter table person add column made_by text references person (id);
alter table person add column password_reset_by text references person (id);
alter table person add column password_reset_at integer;
-- What names that look alike have in common; absent for accounts that are older than this.
alter table person add column name_look text;
create unique index person_name_look on person (name_look);

alter table password_reset add column made_by text references person (id);

-- An account comes with the acceptance of its invitation, in one unit of work; whoever had one before only joined by it.
update person set made_by = (
    select invitation.invited_by from invitation
    where invitation.email = person.email and invitation.created_at <= person.created_at
    and invitation.accepted_at between person.created_at and person.created_at + 60000
    order by invitation.accepted_at limit 1
);
-- The log says who made a link, right after it was made.
update password_reset set made_by = (
    select person.id from activity join person on person.id = activity.actor
    where activity.action = 'person.reset_link_made' and activity.subject = password_reset.person_id
    and activity.at between password_reset.created_at and password_reset.created_at + 60000
    order by activity.sequence limit 1
);
update person set
    password_reset_at = (
        select max(password_reset.used_at) from password_reset where password_reset.person_id = person.id
    ),
    password_reset_by = (
        select password_reset.made_by from password_reset
        where password_reset.person_id = person.id and password_reset.used_at is not null
        order by password_reset.used_at desc, password_reset.id desc limit 1
    );

-- What one person asks another to make of a finding, while nobody has answered: the state, or `severity`.
alter table finding add column asked_for text;
alter table finding add column asked_severity text;
-- Of a severity that a person changed: what it was before the first change, and who made the last one, when and why.
alter table finding add column severity_was text;
alter table finding add column severity_by text references person (id);
alter table finding add column severity_at integer;
alter table finding add column severity_reason text;
create index finding_asked on finding (service_id) where asked_for is not null;

alter table finding_before add column asked_for text;
alter table finding_before add column asked_severity text;

alter table triage_change add column asked_for text;
alter table triage_change add column asked_severity text;
-- Absent in decisions that are older than this, which changed no severity.
alter table triage_change add column severity text;
alter table triage_change add column severity_rank integer;
alter table triage_change add column severity_was text;
alter table triage_change add column severity_by text;
alter table triage_change add column severity_at integer;
alter table triage_change add column severity_reason text;

update finding set asked_for = 'risk_accepted' where status = 'open' and acceptance_requested_by is not null;
update finding_before set asked_for = 'risk_accepted' where status = 'open' and acceptance_requested_by is not null;
update triage_change set asked_for = 'risk_accepted' where status = 'open' and acceptance_requested_by is not null;

-- What one person alone made of a finding that is critical, high or of a severity that a review calls blocking waits for a second one from now on, and is open until then.
update finding set asked_for = status, acceptance_requested_by = status_by, status = 'open', fixed_at = null,
    accepted_until = null, accepted_content = null, version = version + 1
where (severity in ('critical', 'high') or exists (
        select 1 from review, json_each(review.policy, '$.blocking_severities') as blocking
        where review.service_id = finding.service_id and blocking.value = finding.severity
    )) and status_by is not null
    and (status in ('false_positive', 'duplicate') or (status = 'fixed' and created_by is not null));
-- Finds what one person alone decided, to ask for a second one where it has come to block.
create index finding_decided_alone on finding (service_id, severity)
    where acceptance_requested_by is null and status_by is not null and status in ('false_positive', 'duplicate', 'fixed');
