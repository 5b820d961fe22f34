-- The instance's public keys, as a chain of signed lists: what each is for and from when until when it is valid. The
-- private halves are in files or in an ssh-agent, never here.
create table signing_key_list (
    sequence integer primary key check (sequence >= 0),
    -- Canonical JSON: exactly what is signed.
    statement text not null,
    signature text not null,
    signed_at integer not null
) strict;
