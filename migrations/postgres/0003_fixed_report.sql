-- The report of a release decision as it was when the decision was signed: its facts and its text, as one packed document. A small
-- one stands here, a large one in the file store. No update or delete of it is ever needed.
create table fixed_report (
    sign_off_id text primary key references sign_off (id),
    review_id text not null references review (id),
    log_sequence bigint not null,
    -- Of the document as canonical JSON, and of report.md within it. Both are in the decision's entry of the log too.
    sha256 text not null,
    report_sha256 text not null,
    -- report.md.sig, and the public keys of then, so that neither changes with the instance's keys.
    signature text not null,
    allowed_signers text not null,
    packed bytea,
    file_sha256 text references file (sha256),
    check ((packed is null) <> (file_sha256 is null))
);
create index fixed_report_review on fixed_report (review_id, log_sequence);
