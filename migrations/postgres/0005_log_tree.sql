-- Beside the log's chain stands a Merkle tree (RFC 6962) over salted digests of the entries. It grows when a head is signed
-- and in between, never while an entry is appended. One row, locked by whoever lets it grow.
create table log_tree (
    id bigint primary key check (id = 1),
    -- The name under which heads are signed; given when the first is.
    origin text,
    -- How many entries the tree has.
    size bigint not null,
    -- How many heads were ever signed.
    n_heads bigint not null
);
insert into log_tree (id, size, n_heads)
select 1, 0, count(*) from signed_head;

-- Of each entry in the tree: without it nobody can try out what an entry's digest is the digest of.
create table log_salt (
    sequence bigint primary key,
    salt bytea not null
);

-- Every complete node of the tree, in the order in which they are made.
create table log_tree_hash (
    position bigint primary key,
    hash bytea not null
);

-- The signed head of the tree (a C2SP checkpoint); absent from heads of before the tree.
alter table signed_head add column checkpoint text;

create index sign_off_log_sequence on sign_off (log_sequence, id);
