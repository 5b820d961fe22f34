-- Conventions: ids are UUIDv7 texts; times are Unix milliseconds UTC; flags are 0 or 1; lists and nested values are JSON
-- texts. Its twin for PostgreSQL differs in type names only.

create table setting (
    key text primary key,
    value text not null
) strict;

create table person (
    id text primary key,
    email text not null unique,
    name text not null,
    instance_role text not null,
    password_hash text,
    created_at integer not null,
    disabled_at integer,
    version integer not null
) strict;

create table session (
    id text primary key,
    record text not null,
    person_id text references person (id) on delete cascade,
    created_at integer not null,
    last_seen_at integer not null,
    expires_at integer not null,
    user_agent text not null,
    address text not null
) strict;
create index session_person on session (person_id);
create index session_expiry on session (expires_at);

create table service (
    id text primary key,
    slug text not null unique,
    name text not null,
    repository_url text,
    description text not null,
    next_finding_number integer not null,
    created_at integer not null,
    version integer not null
) strict;

create table membership (
    service_id text not null references service (id),
    person_id text not null references person (id),
    role text not null,
    primary key (service_id, person_id)
) strict;
create index membership_person on membership (person_id);

create table invitation (
    id text primary key,
    token_hash text not null unique,
    email text not null,
    name text not null,
    instance_role text not null,
    service_id text references service (id),
    service_role text,
    invited_by text not null references person (id),
    created_at integer not null,
    expires_at integer not null,
    accepted_at integer,
    revoked_at integer
) strict;

-- One-time links with which somebody chooses a new password; made by an administrator, or by the command line.
create table password_reset (
    id text primary key,
    token_hash text not null unique,
    person_id text not null references person (id),
    created_at integer not null,
    expires_at integer not null,
    used_at integer,
    revoked_at integer
) strict;

create index password_reset_person on password_reset (person_id);

create table api_token (
    id text primary key,
    token_hash text not null unique,
    name text not null,
    person_id text not null references person (id),
    service_id text references service (id),
    scopes text not null,
    created_at integer not null,
    expires_at integer not null,
    last_used_at integer,
    revoked_at integer
) strict;
create index api_token_person on api_token (person_id);

-- What one caller's Idempotency-Key was answered with.
create table idempotent_answer (
    caller text not null,
    key text not null,
    request_digest text not null,
    status integer not null,
    body text not null,
    created_at integer not null,
    primary key (caller, key)
) strict;

-- Files kept by the SHA-256 of their bytes; the bytes are in the evidence store.
create table file (
    sha256 text primary key,
    size_bytes integer not null,
    created_at integer not null
) strict;

create table template (
    id text primary key,
    name text not null unique,
    created_at integer not null,
    created_by text not null references person (id)
) strict;

create table template_version (
    id text primary key,
    template_id text not null references template (id),
    number integer not null,
    file_name text not null,
    source blob not null,
    sha256 text not null,
    reading text not null,
    tier text,
    n_items integer not null,
    created_at integer not null,
    created_by text not null references person (id),
    unique (template_id, number)
) strict;

create table review (
    id text primary key,
    service_id text not null references service (id),
    template_version_id text not null references template_version (id),
    title text not null,
    release text not null,
    commit_id text,
    due_on text,
    policy text not null,
    next_patch_number integer not null,
    created_at integer not null,
    created_by text not null references person (id),
    version integer not null
) strict;
create index review_service on review (service_id, created_at);

create table section (
    id text primary key,
    review_id text not null references review (id),
    parent_id text references section (id),
    position integer not null,
    level integer not null,
    number text,
    title text not null,
    prose text not null,
    unique (review_id, position)
) strict;

create table item (
    id text primary key,
    review_id text not null references review (id),
    section_id text references section (id),
    parent_id text references item (id),
    position integer not null,
    key text not null,
    title text not null,
    body text not null,
    source_line integer not null,
    gating text not null,
    state text not null,
    -- Counts up whenever decided work is taken up again: sign-offs of an earlier round are history.
    round integer not null,
    owner_id text references person (id),
    due_on text,
    quorum integer,
    scan_hint text,
    review_requested_by text references person (id),
    review_requested_at integer,
    waived_until integer,
    updated_at integer not null,
    version integer not null,
    unique (review_id, key)
) strict;
create index item_owner on item (owner_id, state);

create table item_reviewer (
    item_id text not null references item (id),
    person_id text not null references person (id),
    primary key (item_id, person_id)
) strict;
create index item_reviewer_person on item_reviewer (person_id);

create table deliverable (
    id text primary key,
    review_id text not null references review (id),
    position integer not null,
    title text not null,
    body text not null,
    done integer not null check (done in (0, 1)),
    note text not null,
    owner_id text references person (id),
    done_by text references person (id),
    done_at integer,
    version integer not null,
    unique (review_id, position)
) strict;

create table series (
    id text primary key,
    service_id text not null references service (id),
    tool text not null,
    label text not null,
    -- The newest scan that was not undone: it has seen every finding of the series that is not marked as unseen.
    last_scan_id text,
    last_scan_at integer,
    -- What was there before the scans up to this one is forgotten, so that they cannot be undone.
    forgotten_sequence integer not null default 0,
    unique (service_id, tool, label)
) strict;

create table scan (
    id text primary key,
    service_id text not null references service (id),
    series_id text not null references series (id),
    -- Position within the series, from 1.
    sequence integer not null,
    file_sha256 text not null references file (sha256),
    file_name text not null,
    format text not null,
    tool text not null,
    tool_version text,
    commit_id text,
    complete integer not null check (complete in (0, 1)),
    incomplete_reason text,
    n_critical integer not null,
    n_high integer not null,
    n_medium integer not null,
    n_low integer not null,
    n_info integer not null,
    n_new integer not null,
    n_unchanged integer not null,
    n_moved integer not null,
    n_reopened integer not null,
    n_fixed integer not null,
    problems text not null,
    imported_at integer not null,
    imported_by text not null references person (id),
    undone_at integer,
    undone_by text references person (id),
    unique (series_id, sequence)
) strict;
-- The same bytes may be scans of several commits, and come back after others: only the newest scan of a series is not
-- imported again. Two imports at once cannot both be the next one, by the sequence.
create index scan_file on scan (file_sha256);
create index scan_service on scan (service_id, imported_at);

-- What a scanner explains: of a rule, so that thousands of findings may share it. Named by the digest of its content, so it never
-- changes; and it is never deleted, so nothing has to look for what refers to it.
create table explanation (
    id text primary key,
    description text not null,
    remediation text not null,
    rule_name text,
    help_url text
) strict;

-- References are looked at when a unit of work ends, and no index calls a function: a statement that writes hundreds of rows then
-- needs no journal of its own.
create table finding (
    id text primary key,
    service_id text not null references service (id) deferrable initially deferred,
    -- Set for findings written by hand within a review; scanner findings belong to the service.
    review_id text references review (id) deferrable initially deferred,
    series_id text references series (id) deferrable initially deferred,
    number integer not null,
    -- The identity of product.md section 5, and the place among equal ones; absent for findings written by hand.
    identity text,
    -- Its context alone (absent where that is the identity), and what the identity is made of, for scanners that begin or stop
    -- to give fingerprints.
    identity_context text,
    identity_basis text,
    ordinal integer not null default 0,
    title text not null,
    -- Of a finding written by hand; a scanner's are in its explanation, or the message says it all.
    description text not null default '',
    remediation text not null default '',
    explanation_id text,
    -- What the tool says about this very place.
    message text not null default '',
    severity text not null,
    -- 0 for critical to 4 for info, to sort by.
    severity_rank integer not null,
    category text not null,
    rule text,
    path text,
    start_line integer,
    end_line integer,
    snippet text,
    cve text not null default '[]',
    cwe text not null default '[]',
    aliases text not null default '[]',
    component text,
    component_version text,
    fixed_version text,
    fingerprint text,
    -- The tool that found it, where it is another one than its series'.
    tool text,
    -- What the scanner says beside that it is there: suppressed (where and why), or that a person has to look.
    scanner_state text,
    suppression_kind text,
    suppression_reason text,
    -- Its place in the file of the scan that last said something new of it.
    pointer text,
    pointer_scan_id text references scan (id) deferrable initially deferred,
    -- Code flows, related places, fixes: for display only.
    details text,
    -- Of everything that the scanner says of it: tells whether a scan that has it again says something new.
    scanner_digest text,
    -- Title, rule, path and component in small letters, where one of them goes beyond ASCII: the databases make only ASCII's
    -- small.
    folded text,
    status text not null,
    status_reason text not null,
    status_by text references person (id) deferrable initially deferred,
    status_at integer,
    duplicate_of text references finding (id) deferrable initially deferred,
    accepted_until integer,
    acceptance_requested_by text references person (id) deferrable initially deferred,
    -- The digest of what the finding said when acceptance of its risk was asked for: the acceptance holds while it says the
    -- same. What it says now is written only where there is something to compare it with.
    accepted_content text,
    content_digest text,
    first_seen_at integer not null,
    -- While the newest scan of the series has it, the series says when and in which scan it was last seen; these two hold
    -- only once a scan did not have it.
    last_seen_at integer not null,
    last_scan_id text references scan (id) deferrable initially deferred,
    first_scan_id text references scan (id) deferrable initially deferred,
    -- The first scan that did not have it any more.
    unseen_since text references scan (id) deferrable initially deferred,
    fixed_at integer,
    -- The scan that last had it gone, or brought it back.
    reopened_at integer,
    created_by text references person (id) deferrable initially deferred,
    version integer not null,
    unique (service_id, number)
) strict;
create index finding_status on finding (service_id, status, severity_rank, number);
create index finding_series on finding (series_id, number);
create index finding_own_tool on finding (series_id, tool, number) where tool is not null;
create index finding_review on finding (review_id) where review_id is not null;
create index finding_duplicate on finding (duplicate_of) where duplicate_of is not null;
create index finding_accepted on finding (series_id) where accepted_content is not null;
-- One for each order of the list, so that a page costs the same wherever it is. By number (which is also the order of being
-- first seen) and by status the list walks the ones above.
create index finding_by_severity on finding (service_id, severity_rank, first_seen_at, number);
create index finding_unseen on finding (service_id, last_seen_at, number) where unseen_since is not null;
create index finding_by_title on finding (service_id, title collate nocase, number);
create index finding_by_path on finding (service_id, coalesce(path, ''), coalesce(start_line, 0), number);

-- What findings were before a scan changed them, so that the import can be undone.
create table finding_before (
    scan_id text not null references scan (id),
    finding_id text not null references finding (id),
    identity text,
    identity_context text,
    identity_basis text,
    ordinal integer not null,
    title text not null,
    explanation_id text,
    message text not null,
    severity text not null,
    severity_rank integer not null,
    category text not null,
    rule text,
    path text,
    start_line integer,
    end_line integer,
    snippet text,
    cve text not null,
    cwe text not null,
    aliases text not null,
    component text,
    component_version text,
    fixed_version text,
    fingerprint text,
    tool text,
    scanner_state text,
    suppression_kind text,
    suppression_reason text,
    pointer text,
    pointer_scan_id text,
    details text,
    scanner_digest text,
    folded text,
    status text not null,
    status_reason text not null,
    status_by text,
    status_at integer,
    accepted_until integer,
    acceptance_requested_by text,
    accepted_content text,
    content_digest text,
    fixed_at integer,
    reopened_at integer,
    unseen_since text,
    last_seen_at integer not null,
    last_scan_id text,
    primary key (scan_id, finding_id)
) strict;
create index finding_before_finding on finding_before (finding_id);

-- Lists of findings that people find again by a name of their own.
create table saved_filter (
    id text primary key,
    person_id text not null references person (id),
    service_id text not null references service (id),
    name text not null,
    -- As the address of the list says it.
    query text not null,
    created_at integer not null,
    unique (person_id, service_id, name)
) strict;

-- What a scan changed about a finding; a finding seen again unchanged at its place leaves no row.
create table observation (
    scan_id text not null references scan (id),
    finding_id text not null references finding (id),
    outcome text not null,
    why text not null,
    was_path text,
    was_start_line integer,
    was_end_line integer,
    path text,
    start_line integer,
    end_line integer,
    primary key (scan_id, finding_id)
) strict;
create index observation_finding on observation (finding_id);

-- Which item findings belong to: the first rule that fits a finding decides. Rules belong to a service and a checklist
-- template, and name the item by key, so that they hold for the next review too.
create table mapping_rule (
    id text primary key,
    service_id text not null references service (id),
    template_id text not null references template (id),
    position integer not null,
    item_key text not null,
    -- Finds the item again when a new version of the checklist gave it another key.
    item_title text not null,
    -- Conditions; an empty one asks nothing. Severities are a JSON list.
    tool text not null,
    category text not null,
    rule text not null,
    path text not null,
    severities text not null,
    created_at integer not null,
    created_by text not null references person (id),
    -- A rule is never deleted, since links name the rule that made them.
    removed_at integer,
    version integer not null
) strict;
create index mapping_rule_template on mapping_rule (service_id, template_id, position);

-- Rules that suggested themselves and that somebody did not want.
create table mapping_dismissed (
    service_id text not null references service (id),
    template_id text not null references template (id),
    tool text not null,
    category text not null,
    dismissed_by text not null references person (id),
    dismissed_at integer not null,
    primary key (service_id, template_id, tool, category)
) strict;

create table finding_item (
    finding_id text not null references finding (id),
    item_id text not null references item (id),
    linked_by text not null references person (id),
    linked_at integer not null,
    -- The rule that made the link; absent for a link made by hand.
    rule_id text references mapping_rule (id),
    primary key (finding_id, item_id)
) strict;
create index finding_item_item on finding_item (item_id, finding_id);

-- Links that a person took away: no rule makes them again.
create table finding_unlinked (
    finding_id text not null references finding (id) on delete cascade,
    item_id text not null references item (id),
    unlinked_by text not null references person (id),
    unlinked_at integer not null,
    primary key (finding_id, item_id)
) strict;

-- What tells that findings of several tools are one issue: a vulnerability's id with a component, each id a row.
create table finding_issue (
    service_id text not null references service (id),
    issue_key text not null,
    finding_id text not null references finding (id) on delete cascade,
    primary key (service_id, issue_key, finding_id)
) strict;
create index finding_issue_finding on finding_issue (finding_id);

-- One decision about many findings, and what each of them was before, so that it can be undone.
create table triage_batch (
    id text primary key,
    service_id text not null references service (id),
    review_id text not null references review (id),
    action text not null,
    summary text not null,
    -- For findings that were mapped: the item.
    item_id text references item (id),
    n_changed integer not null,
    decided_at integer not null,
    decided_by text not null references person (id),
    undone_at integer,
    undone_by text references person (id)
) strict;
create index triage_batch_review on triage_batch (review_id, decided_at);

create table triage_change (
    batch_id text not null references triage_batch (id),
    finding_id text not null references finding (id) on delete cascade,
    status text not null,
    status_reason text not null,
    status_by text references person (id),
    status_at integer,
    duplicate_of text references finding (id) on delete set null,
    accepted_until integer,
    acceptance_requested_by text references person (id),
    accepted_content text,
    fixed_at integer,
    primary key (batch_id, finding_id)
) strict;
create index triage_change_finding on triage_change (finding_id);
create index triage_change_duplicate on triage_change (duplicate_of) where duplicate_of is not null;

create table comment (
    id text primary key,
    item_id text references item (id),
    finding_id text references finding (id),
    author_id text not null references person (id),
    body text not null,
    created_at integer not null,
    check ((item_id is null) <> (finding_id is null))
) strict;
create index comment_item on comment (item_id, created_at);
create index comment_finding on comment (finding_id, created_at);

create table evidence (
    id text primary key,
    item_id text not null references item (id),
    kind text not null,
    title text not null,
    -- A note's Markdown, a link's address, a command's output.
    body text not null,
    command text,
    exit_code integer,
    host text,
    -- Of the file's bytes, or of the canonical JSON of the other kinds.
    sha256 text not null,
    file_sha256 text references file (sha256),
    file_name text,
    media_type text,
    size_bytes integer not null,
    scan_id text references scan (id),
    commit_id text,
    path text,
    start_line integer,
    end_line integer,
    observed_at integer not null,
    created_at integer not null,
    created_by text not null references person (id),
    superseded_by text references evidence (id),
    withdrawn_at integer,
    withdrawn_by text references person (id),
    withdrawn_reason text
) strict;
create index evidence_item on evidence (item_id, created_at);
create index evidence_scan on evidence (scan_id) where scan_id is not null;

create table patch (
    id text primary key,
    review_id text not null references review (id),
    number integer not null,
    title text not null,
    file_sha256 text not null references file (sha256),
    state text not null,
    n_files integer not null,
    n_added integer not null,
    n_removed integer not null,
    author_name text not null,
    submitted_by text not null references person (id),
    submitted_at integer not null,
    decided_by text references person (id),
    decided_at integer,
    decision_reason text not null,
    applied_commit text,
    applied_at integer,
    verified_by_scan text references scan (id),
    version integer not null,
    unique (review_id, number)
) strict;

create table patch_finding (
    patch_id text not null references patch (id),
    finding_id text not null references finding (id),
    primary key (patch_id, finding_id)
) strict;
create index patch_finding_finding on patch_finding (finding_id);

create table patch_item (
    patch_id text not null references patch (id),
    item_id text not null references item (id),
    primary key (patch_id, item_id)
) strict;
create index patch_item_item on patch_item (item_id);

-- Decisions on an item (`item_id` set) or on the release (`item_id` absent), with the content they were made over.
create table sign_off (
    id text primary key,
    review_id text not null references review (id),
    item_id text references item (id),
    round integer not null,
    person_id text not null references person (id),
    role text not null,
    decision text not null,
    statement text not null,
    risk text,
    waived_until integer,
    digest text not null,
    content text not null,
    four_eyes integer not null check (four_eyes in (0, 1)),
    log_sequence integer not null,
    signed_at integer not null
) strict;
create index sign_off_item on sign_off (item_id, round);
create index sign_off_review on sign_off (review_id, signed_at);

create table activity (
    sequence integer primary key,
    at integer not null,
    actor text not null,
    action text not null,
    subject_kind text not null,
    subject text not null,
    service text,
    review text,
    summary text not null,
    before text,
    after text,
    previous text not null,
    digest text not null
) strict;
create index activity_subject on activity (subject_kind, subject, sequence);
create index activity_review on activity (review, sequence);
create index activity_service on activity (service, sequence);

-- The log's end as it is now: one row, locked by whoever appends.
create table activity_head (
    id integer primary key check (id = 1),
    sequence integer not null,
    digest text not null
) strict;
insert into activity_head (id, sequence, digest)
values (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

-- The log's length and head as they were signed at a sign-off or an export.
create table signed_head (
    sequence integer not null,
    digest text not null,
    occasion text not null,
    signature text not null,
    signed_at integer not null,
    primary key (sequence, occasion)
) strict;
