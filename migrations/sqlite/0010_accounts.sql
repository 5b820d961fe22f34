-- A checklist belongs to a service, or to the instance where it has none. One whose reviews are all of one service is that service's.
-- The name was unique on the whole instance, which the table itself says: it is made again, and its rows before anybody looks.
pragma defer_foreign_keys = on;
create table template_before as select id, name, created_at, created_by from template;
drop table template;
create table template (
    id text primary key,
    service_id text references service (id),
    name text not null,
    created_at integer not null,
    created_by text not null references person (id)
) strict;
insert into template (id, service_id, name, created_at, created_by)
select template_before.id, (
    select case when count(distinct review.service_id) = 1 then min(review.service_id) end
    from template_version join review on review.template_version_id = template_version.id
    where template_version.template_id = template_before.id
), name, created_at, created_by from template_before;
drop table template_before;
create unique index template_name on template (coalesce(service_id, ''), name);

-- Until when a person has seen who reset their password: a later reset is told on every page.
alter table person add column password_reset_seen_at integer;
