-- The entry of the activity log that says what a sign-off under the first version of the normalisation was at the upgrade: that version
-- signed neither the copy of its text nor whether four eyes were asked for.
alter table sign_off add column bound_by integer;
create index activity_bound on activity (sequence) where action = 'sign_offs.bound';
