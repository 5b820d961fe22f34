//! Items: the requirements of a review, who works on them, and where they stand.

use std::collections::{HashMap, HashSet};

use holdpoint_domain::{
    Gating, ItemId, ItemState, Millis, PersonId, ReviewId, SectionId, ServiceId, text,
};
use serde::Serialize;

use crate::{
    StorageError, Tx,
    columns::{contains_pattern, parsed, parsed_if},
    execute, fetch_all, fetch_optional,
    findings::status_now,
    reviews::json,
    tx::one,
};

/// A requirement of a review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub id: ItemId,
    pub review: ReviewId,
    pub section: Option<SectionId>,
    /// The item that this is a sub-item of.
    pub parent: Option<ItemId>,
    /// In the document's order, over the whole review.
    pub position: i64,
    /// Unique within the review: `2.5.1`.
    pub key: String,
    pub title: String,
    /// The requirement, as Markdown; may be empty.
    pub body: String,
    /// The line of the document; 0 for an item added by hand.
    pub source_line: i64,
    pub gating: Gating,
    /// As stored; see [`Item::state_at`] for what counts.
    pub state: ItemState,
    /// Counts up, from 1, whenever decided work is taken up again: sign-offs of an earlier round are history.
    pub round: i64,
    pub owner: Option<PersonId>,
    /// Sorted by id. Stored by [`Tx::set_reviewers`], not by [`Tx::update_item`].
    pub reviewers: Vec<PersonId>,
    /// `YYYY-MM-DD`.
    pub due_on: Option<String>,
    /// How many must sign a pass; absent where the policy says it.
    pub quorum: Option<i64>,
    /// The tool whose scans the document names as evidence.
    pub scan_hint: Option<String>,
    pub review_requested_by: Option<PersonId>,
    pub review_requested_at: Option<Millis>,
    pub waived_until: Option<Millis>,
    pub updated_at: Millis,
    pub version: i64,
}

impl Item {
    /// The state as it counts at a moment: a waiver that has run out puts its item back in review.
    pub fn state_at(&self, now: Millis) -> ItemState {
        self.state.at(self.waived_until, now)
    }

    /// Whether the item is undecided past its due date.
    pub fn is_late(&self, now: Millis) -> bool {
        let undecided = matches!(
            self.state_at(now),
            ItemState::Open | ItemState::InProgress | ItemState::InReview | ItemState::Failed
        );
        undecided
            && self
                .due_on
                .as_deref()
                .is_some_and(|due| due < text::Date::of(now).as_str())
    }
}

/// Which items are asked for; an absent field asks for all.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a box that a person can tick, apart from the others"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemFilter {
    /// The state as of now.
    pub state: Option<ItemState>,
    pub owner: Option<PersonId>,
    pub reviewer: Option<PersonId>,
    /// Only items without an owner.
    pub no_owner: bool,
    pub gating: Option<Gating>,
    /// Due on this date or before: `YYYY-MM-DD`.
    pub due_by: Option<String>,
    /// Undecided and past their due date.
    pub late: bool,
    /// Not passed, not applicable or waived.
    pub left: bool,
    /// Without evidence that counts.
    pub no_evidence: bool,
    /// Part of the key, the title or the requirement, whatever its case.
    pub text: Option<String>,
}

/// What stands beside an item in a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ItemFigures {
    /// Neither withdrawn nor superseded.
    pub n_evidence: i64,
    pub n_findings: i64,
    /// Of those, the ones that are open: as stored, whatever their acceptance's date.
    pub n_open_findings: i64,
    pub n_patches: i64,
    pub n_comments: i64,
}

/// Why an item waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WaitsFor {
    /// They own it and the next move is theirs.
    Owner,
    /// It is in review and they are to decide.
    Reviewer,
}

/// An item that waits for a person, wherever it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingItem {
    pub item: Item,
    pub waits_for: WaitsFor,
    pub service: ServiceId,
    pub service_name: String,
    pub service_slug: String,
    pub review_title: String,
    pub release: String,
    /// The item's due date, else the review's.
    pub due_on: Option<String>,
}

#[derive(sqlx::FromRow)]
struct ItemRow {
    id: String,
    review_id: String,
    section_id: Option<String>,
    parent_id: Option<String>,
    position: i64,
    key: String,
    title: String,
    body: String,
    source_line: i64,
    gating: String,
    state: String,
    round: i64,
    owner_id: Option<String>,
    due_on: Option<String>,
    quorum: Option<i64>,
    scan_hint: Option<String>,
    review_requested_by: Option<String>,
    review_requested_at: Option<i64>,
    waived_until: Option<i64>,
    updated_at: i64,
    version: i64,
    reviewers: Option<String>,
}

impl TryFrom<ItemRow> for Item {
    type Error = StorageError;

    fn try_from(row: ItemRow) -> Result<Self, StorageError> {
        const TABLE: &str = "item";
        let person = |value: Option<&str>, column| parsed_if(PersonId::parse, value, TABLE, column);
        Ok(Self {
            id: parsed(ItemId::parse, &row.id, TABLE, "id")?,
            review: parsed(ReviewId::parse, &row.review_id, TABLE, "review_id")?,
            section: parsed_if(
                SectionId::parse,
                row.section_id.as_deref(),
                TABLE,
                "section_id",
            )?,
            parent: parsed_if(ItemId::parse, row.parent_id.as_deref(), TABLE, "parent_id")?,
            position: row.position,
            key: row.key,
            title: row.title,
            body: row.body,
            source_line: row.source_line,
            gating: parsed(Gating::parse, &row.gating, TABLE, "gating")?,
            state: parsed(ItemState::parse, &row.state, TABLE, "state")?,
            round: row.round,
            owner: person(row.owner_id.as_deref(), "owner_id")?,
            reviewers: row
                .reviewers
                .as_deref()
                .unwrap_or_default()
                .split_whitespace()
                .map(|id| parsed(PersonId::parse, id, "item_reviewer", "person_id"))
                .collect::<Result<_, _>>()?,
            due_on: row.due_on,
            quorum: row.quorum,
            scan_hint: row.scan_hint,
            review_requested_by: person(row.review_requested_by.as_deref(), "review_requested_by")?,
            review_requested_at: row.review_requested_at,
            waived_until: row.waived_until,
            updated_at: row.updated_at,
            version: row.version,
        })
    }
}

macro_rules! item_columns {
    ($($rest:expr),+ $(,)?) => {
        concat!(
            "select item.id, item.review_id, item.section_id, item.parent_id, item.position, item.key, item.title, \
             item.body, item.source_line, item.gating, item.state, item.round, item.owner_id, item.due_on, item.quorum, \
             item.scan_hint, item.review_requested_by, item.review_requested_at, item.waived_until, item.updated_at, \
             item.version, (select string_agg(r.person_id, ' ' order by r.person_id) from item_reviewer as r \
             where r.item_id = item.id) as reviewers ",
            $($rest),+
        )
    };
}

/// The state that counts at the moment `$now`.
macro_rules! state_at {
    ($now:literal) => {
        concat!(
            "(case when item.state = 'waived' and (item.waived_until is null or item.waived_until < ",
            $now,
            ") then 'in_review' else item.state end)"
        )
    };
}

macro_rules! filtered {
    () => {
        concat!(
            "item.review_id = $1 and (cast($3 as text) is null or ",
            state_at!("$2"),
            " = $3) and (cast($4 as text) is null or item.owner_id = $4) \
             and (cast($5 as text) is null or exists (select 1 from item_reviewer as r \
             where r.item_id = item.id and r.person_id = $5)) \
             and ($6 = 0 or item.owner_id is null) \
             and (cast($7 as text) is null or item.gating = $7) \
             and (cast($8 as text) is null or item.due_on <= $8) \
             and (cast($9 as text) is null or (item.due_on < $9 and ",
            state_at!("$2"),
            " in ('open', 'in_progress', 'in_review', 'failed'))) \
             and ($10 = 0 or ",
            state_at!("$2"),
            " in ('open', 'in_progress', 'in_review', 'failed')) \
             and ($11 = 0 or not exists (select 1 from evidence where evidence.item_id = item.id \
             and evidence.superseded_by is null and evidence.withdrawn_at is null)) \
             and (cast($12 as text) is null or lower(item.title) like lower($12) escape '\\' \
             or lower(item.body) like lower($12) escape '\\' or lower(item.key) like lower($12) escape '\\')"
        )
    };
}

macro_rules! waiting {
    () => {
        concat!(
            "from item join review on review.id = item.review_id join service on service.id = review.service_id \
             left join section on section.id = item.section_id \
             left join membership on membership.service_id = service.id and membership.person_id = $1 \
             where (membership.role is not null or $3 = 1) and ((item.owner_id = $1 and ",
            state_at!("$2"),
            " in ('open', 'in_progress', 'failed')) or (",
            state_at!("$2"),
            " = 'in_review' and (item.review_requested_by is null or item.review_requested_by <> $1 or item.state = 'waived') \
             and (exists (select 1 from item_reviewer as r where r.item_id = item.id and r.person_id = $1) \
             or (membership.role in ('manager', 'reviewer') and not exists \
             (select 1 from item_reviewer as r where r.item_id = item.id)))))"
        )
    };
}

/// The round that an item is in.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ItemRound {
    pub id: String,
    pub review_id: String,
    pub key: String,
    pub round: i64,
}

impl Tx {
    /// The rounds of the items of all reviews after an id, in the order of their ids.
    pub async fn item_rounds_after(
        &mut self,
        id: &str,
        limit: i64,
    ) -> Result<Vec<ItemRound>, StorageError> {
        const SQL: &str =
            "select id, review_id, key, round from item where id > $1 order by id limit $2";
        Ok(fetch_all!(self, ItemRound, SQL, id, limit))
    }

    pub async fn item(&mut self, id: &ItemId) -> Result<Option<Item>, StorageError> {
        fetch_optional!(
            self,
            ItemRow,
            item_columns!("from item where item.id = $1"),
            id.as_str()
        )
        .map(Item::try_from)
        .transpose()
    }

    pub async fn item_by_key(
        &mut self,
        review: &ReviewId,
        key: &str,
    ) -> Result<Option<Item>, StorageError> {
        fetch_optional!(
            self,
            ItemRow,
            item_columns!("from item where item.review_id = $1 and item.key = $2"),
            review.as_str(),
            key
        )
        .map(Item::try_from)
        .transpose()
    }

    /// Every item of a review in the checklist's order: sections as in the document, items as in the section. Bounded by
    /// what a document may hold.
    pub async fn items(&mut self, review: &ReviewId) -> Result<Vec<Item>, StorageError> {
        fetch_all!(
            self,
            ItemRow,
            item_columns!(
                "from item left join section on section.id = item.section_id where item.review_id = $1 \
                 order by coalesce(section.position, -1), item.position, item.id limit 200000"
            ),
            review.as_str()
        )
        .into_iter()
        .map(Item::try_from)
        .collect()
    }

    /// The items that a filter asks for, in the checklist's order, at most `limit`, from behind the item `after` on.
    pub async fn items_where(
        &mut self,
        review: &ReviewId,
        filter: &ItemFilter,
        now: Millis,
        after: Option<&ItemId>,
        limit: i64,
    ) -> Result<Vec<Item>, StorageError> {
        let today = text::Date::of(now);
        let sql = item_columns!(
            "from item left join section on section.id = item.section_id where ",
            filtered!(),
            " and (cast($13 as text) is null or (coalesce(section.position, -1), item.position, item.id) > \
             (select coalesce(s.position, -1), i.position, i.id from item as i left join section as s \
             on s.id = i.section_id where i.id = $13)) \
             order by coalesce(section.position, -1), item.position, item.id limit $14"
        );
        fetch_all!(
            self,
            ItemRow,
            sql,
            review.as_str(),
            now,
            filter.state.map(ItemState::as_str),
            filter.owner.as_ref().map(PersonId::as_str),
            filter.reviewer.as_ref().map(PersonId::as_str),
            i64::from(filter.no_owner),
            filter.gating.map(Gating::as_str),
            filter.due_by.as_deref(),
            filter.late.then_some(today.as_str()),
            i64::from(filter.left),
            i64::from(filter.no_evidence),
            filter.text.as_deref().map(contains_pattern),
            after.map(ItemId::as_str),
            limit,
        )
        .into_iter()
        .map(Item::try_from)
        .collect()
    }

    /// How many items a filter asks for.
    pub async fn n_items_where(
        &mut self,
        review: &ReviewId,
        filter: &ItemFilter,
        now: Millis,
    ) -> Result<i64, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            n: i64,
        }
        let today = text::Date::of(now);
        let row = fetch_optional!(
            self,
            Row,
            concat!("select count(*) as n from item where ", filtered!()),
            review.as_str(),
            now,
            filter.state.map(ItemState::as_str),
            filter.owner.as_ref().map(PersonId::as_str),
            filter.reviewer.as_ref().map(PersonId::as_str),
            i64::from(filter.no_owner),
            filter.gating.map(Gating::as_str),
            filter.due_by.as_deref(),
            filter.late.then_some(today.as_str()),
            i64::from(filter.left),
            i64::from(filter.no_evidence),
            filter.text.as_deref().map(contains_pattern),
        );
        Ok(row.map_or(0, |row| row.n))
    }

    /// Several items at once, in the checklist's order; those that are not there are left out.
    pub async fn items_by_id(&mut self, ids: &[ItemId]) -> Result<Vec<Item>, StorageError> {
        let ids = json(&ids.iter().map(ItemId::as_str).collect::<Vec<_>>())?;
        let sql = self.dialect(
            item_columns!(
                "from item left join section on section.id = item.section_id where item.id in \
                 (select value from json_each($1)) order by coalesce(section.position, -1), item.position, item.id"
            ),
            item_columns!(
                "from item left join section on section.id = item.section_id where item.id in \
                 (select json_array_elements_text(cast($1 as json))) \
                 order by coalesce(section.position, -1), item.position, item.id"
            ),
        );
        fetch_all!(self, ItemRow, sql, ids)
            .into_iter()
            .map(Item::try_from)
            .collect()
    }

    /// The keys of the items before and after an item in the checklist's order.
    pub async fn item_neighbours(
        &mut self,
        item: &ItemId,
    ) -> Result<(Option<String>, Option<String>), StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            previous: Option<String>,
            next: Option<String>,
        }
        const SQL: &str = "select \
            (select i.key from item as i left join section as s on s.id = i.section_id where i.review_id = item.review_id \
             and (coalesce(s.position, -1), i.position, i.id) < (coalesce(section.position, -1), item.position, item.id) \
             order by coalesce(s.position, -1) desc, i.position desc, i.id desc limit 1) as previous, \
            (select i.key from item as i left join section as s on s.id = i.section_id where i.review_id = item.review_id \
             and (coalesce(s.position, -1), i.position, i.id) > (coalesce(section.position, -1), item.position, item.id) \
             order by coalesce(s.position, -1), i.position, i.id limit 1) as next \
            from item left join section on section.id = item.section_id where item.id = $1";
        let row = fetch_optional!(self, Row, SQL, item.as_str());
        Ok(row.map_or((None, None), |row| (row.previous, row.next)))
    }

    /// Adds items at once, without their reviewers; [`StorageError::Conflict`] when a key is taken in its review.
    pub async fn insert_items(&mut self, items: &[Item]) -> Result<(), StorageError> {
        #[derive(Serialize)]
        struct Columns<'a> {
            id: &'a str,
            review_id: &'a str,
            section_id: Option<&'a str>,
            parent_id: Option<&'a str>,
            position: i64,
            key: &'a str,
            title: &'a str,
            body: &'a str,
            source_line: i64,
            gating: Gating,
            state: ItemState,
            round: i64,
            owner_id: Option<&'a str>,
            due_on: Option<&'a str>,
            quorum: Option<i64>,
            scan_hint: Option<&'a str>,
            review_requested_by: Option<&'a str>,
            review_requested_at: Option<Millis>,
            waived_until: Option<Millis>,
            updated_at: Millis,
            version: i64,
        }
        let rows: Vec<_> = items
            .iter()
            .map(|item| Columns {
                id: item.id.as_str(),
                review_id: item.review.as_str(),
                section_id: item.section.as_ref().map(SectionId::as_str),
                parent_id: item.parent.as_ref().map(ItemId::as_str),
                position: item.position,
                key: &item.key,
                title: &item.title,
                body: &item.body,
                source_line: item.source_line,
                gating: item.gating,
                state: item.state,
                round: item.round,
                owner_id: item.owner.as_ref().map(PersonId::as_str),
                due_on: item.due_on.as_deref(),
                quorum: item.quorum,
                scan_hint: item.scan_hint.as_deref(),
                review_requested_by: item.review_requested_by.as_ref().map(PersonId::as_str),
                review_requested_at: item.review_requested_at,
                waived_until: item.waived_until,
                updated_at: item.updated_at,
                version: item.version,
            })
            .collect();
        // `where true` keeps SQLite from reading `on conflict` as part of a join.
        let sql = self.dialect(
            "insert into item (id, review_id, section_id, parent_id, position, key, title, body, source_line, gating, \
             state, round, owner_id, due_on, quorum, scan_hint, review_requested_by, review_requested_at, waived_until, \
             updated_at, version) select value ->> 'id', value ->> 'review_id', value ->> 'section_id', \
             value ->> 'parent_id', value ->> 'position', value ->> 'key', value ->> 'title', value ->> 'body', \
             value ->> 'source_line', value ->> 'gating', value ->> 'state', value ->> 'round', value ->> 'owner_id', \
             value ->> 'due_on', value ->> 'quorum', value ->> 'scan_hint', value ->> 'review_requested_by', \
             value ->> 'review_requested_at', value ->> 'waived_until', value ->> 'updated_at', value ->> 'version' \
             from json_each($1) where true on conflict do nothing",
            "insert into item (id, review_id, section_id, parent_id, position, key, title, body, source_line, gating, \
             state, round, owner_id, due_on, quorum, scan_hint, review_requested_by, review_requested_at, waived_until, \
             updated_at, version) select id, review_id, section_id, parent_id, position, key, title, body, source_line, \
             gating, state, round, owner_id, due_on, quorum, scan_hint, review_requested_by, review_requested_at, \
             waived_until, updated_at, version from json_to_recordset(cast($1 as json)) as t (id text, review_id text, \
             section_id text, parent_id text, position bigint, key text, title text, body text, source_line bigint, \
             gating text, state text, round bigint, owner_id text, due_on text, quorum bigint, scan_hint text, \
             review_requested_by text, review_requested_at bigint, waived_until bigint, updated_at bigint, \
             version bigint) on conflict do nothing",
        );
        let touched = execute!(self, sql, json(&rows)?);
        if touched < items.len() as u64 {
            return Err(StorageError::Conflict);
        }
        Ok(())
    }

    /// Stores every field but id, review, place, key, source line and reviewers, and counts the version up;
    /// [`StorageError::Conflict`] when the stored version is another than the value's.
    pub async fn update_item(&mut self, item: &Item) -> Result<(), StorageError> {
        let touched = execute!(
            self,
            "update item set title = $3, body = $4, gating = $5, state = $6, round = $7, owner_id = $8, due_on = $9, \
             quorum = $10, scan_hint = $11, review_requested_by = $12, review_requested_at = $13, waived_until = $14, \
             updated_at = $15, version = version + 1 where id = $1 and version = $2",
            item.id.as_str(),
            item.version,
            &item.title,
            &item.body,
            item.gating.as_str(),
            item.state.as_str(),
            item.round,
            item.owner.as_ref().map(PersonId::as_str),
            item.due_on.as_deref(),
            item.quorum,
            item.scan_hint.as_deref(),
            item.review_requested_by.as_ref().map(PersonId::as_str),
            item.review_requested_at,
            item.waived_until,
            item.updated_at,
        );
        one(touched)
    }

    /// Makes these people the item's reviewers, instead of those it had. Goes with [`Tx::update_item`], whose version
    /// keeps two changes apart.
    pub async fn set_reviewers(
        &mut self,
        item: &ItemId,
        reviewers: &[PersonId],
    ) -> Result<(), StorageError> {
        execute!(
            self,
            "delete from item_reviewer where item_id = $1",
            item.as_str()
        );
        let ids = json(&reviewers.iter().map(PersonId::as_str).collect::<Vec<_>>())?;
        let sql = self.dialect(
            "insert into item_reviewer (item_id, person_id) select $1, value from json_each($2) where true \
             on conflict do nothing",
            "insert into item_reviewer (item_id, person_id) select $1, person_id from \
             json_array_elements_text(cast($2 as json)) as t (person_id) on conflict do nothing",
        );
        execute!(self, sql, item.as_str(), ids);
        Ok(())
    }

    /// What stands beside each of these items in a list, in their own order.
    pub async fn item_figures(
        &mut self,
        items: &[ItemId],
        now: Millis,
    ) -> Result<Vec<ItemFigures>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            id: String,
            n_evidence: i64,
            n_findings: i64,
            n_open_findings: i64,
            n_patches: i64,
            n_comments: i64,
        }
        macro_rules! figures {
            ($ids:literal) => {
                concat!(
                    "select item.id, (select count(*) from evidence where evidence.item_id = item.id \
                     and evidence.superseded_by is null and evidence.withdrawn_at is null) as n_evidence, \
                     (select count(*) from finding_item where finding_item.item_id = item.id) as n_findings, \
                     (select count(*) from finding_item join finding on finding.id = finding_item.finding_id \
                     where finding_item.item_id = item.id and ",
                    status_now!("$2"),
                    " = 'open') as n_open_findings, \
                     (select count(*) from patch_item where patch_item.item_id = item.id) as n_patches, \
                     (select count(*) from comment where comment.item_id = item.id) as n_comments \
                     from item where item.id in (",
                    $ids,
                    ")"
                )
            };
        }
        let ids = json(&items.iter().map(ItemId::as_str).collect::<Vec<_>>())?;
        let sql = self.dialect(
            figures!("select value from json_each($1)"),
            figures!("select json_array_elements_text(cast($1 as json))"),
        );
        let by_id: HashMap<_, _> = fetch_all!(self, Row, sql, ids, now)
            .into_iter()
            .map(|row| {
                let figures = ItemFigures {
                    n_evidence: row.n_evidence,
                    n_findings: row.n_findings,
                    n_open_findings: row.n_open_findings,
                    n_patches: row.n_patches,
                    n_comments: row.n_comments,
                };
                (row.id, figures)
            })
            .collect();
        Ok(items
            .iter()
            .map(|id| by_id.get(id.as_str()).copied().unwrap_or_default())
            .collect())
    }

    /// The highest position that an item of the review has; 0 when there is none.
    pub async fn last_item_position(&mut self, review: &ReviewId) -> Result<i64, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            n: i64,
        }
        const SQL: &str = "select coalesce(max(position), 0) as n from item where review_id = $1";
        Ok(fetch_optional!(self, Row, SQL, review.as_str()).map_or(0, |row| row.n))
    }

    /// Whoever owns or reviews an item of a review.
    pub async fn people_of_items(
        &mut self,
        review: &ReviewId,
    ) -> Result<Vec<PersonId>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            person_id: String,
        }
        const SQL: &str = "select owner_id as person_id from item where review_id = $1 and owner_id is not null \
            union select r.person_id from item join item_reviewer as r on r.item_id = item.id where item.review_id = $1 \
            limit 5000";
        fetch_all!(self, Row, SQL, review.as_str())
            .into_iter()
            .map(|row| parsed(PersonId::parse, &row.person_id, "item", "owner_id"))
            .collect()
    }

    /// Every key of a review.
    pub async fn item_keys(&mut self, review: &ReviewId) -> Result<HashSet<String>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            key: String,
        }
        const SQL: &str = "select key from item where review_id = $1 limit 200000";
        Ok(fetch_all!(self, Row, SQL, review.as_str())
            .into_iter()
            .map(|row| row.key)
            .collect())
    }

    /// Keeps others from changing these items until this unit of work ends. Always in the order of the ids, so that two
    /// who lock several do not wait for each other for ever.
    pub async fn lock_items(&mut self, ids: &[ItemId]) -> Result<(), StorageError> {
        if self.is_sqlite() {
            return Ok(());
        }
        let ids = json(&ids.iter().map(ItemId::as_str).collect::<Vec<_>>())?;
        execute!(
            self,
            "select id from item where id in (select json_array_elements_text(cast($1 as json))) \
             order by id for update",
            ids
        );
        Ok(())
    }

    /// The items that wait for a person, the next due first, then in the checklist's order, at most `limit`, from behind
    /// the item `after` on. Only on services where they have a role, or everywhere for who may read `everywhere`.
    pub async fn waiting_on(
        &mut self,
        person: &PersonId,
        everywhere: bool,
        now: Millis,
        after: Option<&ItemId>,
        limit: i64,
    ) -> Result<Vec<WaitingItem>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            #[sqlx(flatten)]
            item: ItemRow,
            service_id: String,
            service_name: String,
            service_slug: String,
            review_title: String,
            release: String,
            review_due_on: Option<String>,
        }
        let sql = item_columns!(
            ", service.id as service_id, service.name as service_name, service.slug as service_slug, \
             review.title as review_title, review.release, review.due_on as review_due_on ",
            waiting!(),
            " and (cast($4 as text) is null or (coalesce(item.due_on, review.due_on, '9999-12-31'), review.id, \
             coalesce(section.position, -1), item.position, item.id) > (select \
             coalesce(i.due_on, v.due_on, '9999-12-31'), v.id, coalesce(s.position, -1), i.position, i.id from item as i \
             join review as v on v.id = i.review_id left join section as s on s.id = i.section_id where i.id = $4)) \
             order by coalesce(item.due_on, review.due_on, '9999-12-31'), review.id, coalesce(section.position, -1), \
             item.position, item.id limit $5"
        );
        fetch_all!(
            self,
            Row,
            sql,
            person.as_str(),
            now,
            i64::from(everywhere),
            after.map(ItemId::as_str),
            limit,
        )
        .into_iter()
        .map(|row| {
            let item = Item::try_from(row.item)?;
            let waits_for = if item.state_at(now) == ItemState::InReview {
                WaitsFor::Reviewer
            } else {
                WaitsFor::Owner
            };
            Ok(WaitingItem {
                waits_for,
                service: parsed(ServiceId::parse, &row.service_id, "service", "id")?,
                service_name: row.service_name,
                service_slug: row.service_slug,
                review_title: row.review_title,
                release: row.release,
                due_on: item.due_on.clone().or(row.review_due_on),
                item,
            })
        })
        .collect()
    }

    /// How many items wait for a person, as [`Tx::waiting_on`] lists them.
    pub async fn n_waiting_on(
        &mut self,
        person: &PersonId,
        everywhere: bool,
        now: Millis,
    ) -> Result<i64, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            n: i64,
        }
        let row = fetch_optional!(
            self,
            Row,
            concat!("select count(*) as n ", waiting!()),
            person.as_str(),
            now,
            i64::from(everywhere),
        );
        Ok(row.map_or(0, |row| row.n))
    }
}
