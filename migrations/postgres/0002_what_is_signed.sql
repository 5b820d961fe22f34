-- The review's target commit when evidence was attached: evidence that names no commit of its own is stale once that has moved. It
-- is not known where the target moved since, and such evidence is stale then.
alter table evidence add column target_commit text;

update evidence set target_commit = (
    select review.commit_id from item join review on review.id = item.review_id where item.id = evidence.item_id
) where not exists (
    select 1 from item join activity on activity.review = item.review_id
    where item.id = evidence.item_id and activity.action = 'review.commit_moved' and activity.at >= evidence.created_at
);

-- What the requirement said, byte by byte, for sign-offs of items that were made under the first version of the normalisation: they
-- count only while it says that. It is not known where the item was reworded since it was signed. Later sign-offs have none.
alter table sign_off add column signed_requirement text;

update sign_off set signed_requirement = (
    select item.body from item where item.id = sign_off.item_id
) where item_id is not null and not exists (
    select 1 from activity where activity.subject_kind = 'item' and activity.subject = sign_off.item_id
    and activity.action = 'item.reworded' and activity.sequence > sign_off.log_sequence
);
