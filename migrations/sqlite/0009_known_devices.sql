-- Browsers in which somebody has signed in: what strangers try against the account does not count for them. Only a digest of the
-- cookie's value is kept.
create table known_device (
    secret_sha256 text not null,
    person_id text not null references person (id) on delete cascade,
    created_at integer not null,
    last_used_at integer not null,
    expires_at integer not null,
    primary key (secret_sha256, person_id)
) strict;
create index known_device_person on known_device (person_id, last_used_at);
create index known_device_expiry on known_device (expires_at);
