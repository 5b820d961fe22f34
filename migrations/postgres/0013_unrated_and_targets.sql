-- A severity between high and medium, for what no scanner rated in words that are known. Ranks are 0 for critical to 5 for info now.
alter table scan add column n_unrated bigint not null default 0;
update finding set severity_rank = severity_rank + 1 where severity_rank >= 2;
update finding_before set severity_rank = severity_rank + 1 where severity_rank >= 2;
update triage_change set severity_rank = severity_rank + 1 where severity_rank >= 2;
-- What was looked at, by a name that the next scan of the same thing has too; absent where the file does not say it.
alter table scan add column target text;
