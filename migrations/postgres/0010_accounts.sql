-- A checklist belongs to a service, or to the instance where it has none. One whose reviews are all of one service is that service's.
alter table template drop constraint template_name_key;
alter table template add column service_id text references service (id);
update template set service_id = (
    select case when count(distinct review.service_id) = 1 then min(review.service_id) end
    from template_version join review on review.template_version_id = template_version.id
    where template_version.template_id = template.id
);
create unique index template_name on template (coalesce(service_id, ''), name);

-- Until when a person has seen who reset their password: a later reset is told on every page.
alter table person add column password_reset_seen_at bigint;
