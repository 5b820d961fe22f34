//! Reviews with their sections and deliverables.

use std::collections::BTreeMap;

use holdpoint_domain::{
    DeliverableId, Gating, ItemState, Millis, PersonId, Policy, ReviewId, SectionId, ServiceId,
    TemplateVersionId,
};
use serde::Serialize;

use crate::{
    StorageError, Tx,
    columns::{parsed, parsed_if},
    execute, fetch_all, fetch_optional,
    tx::one,
};

/// One run of a checklist for one release of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    pub id: ReviewId,
    pub service: ServiceId,
    pub template_version: TemplateVersionId,
    pub title: String,
    /// The release's name, such as `v1.0.0`.
    pub release: String,
    /// The target commit, if known.
    pub commit: Option<String>,
    /// `YYYY-MM-DD`.
    pub due_on: Option<String>,
    pub policy: Policy,
    pub created_at: Millis,
    pub created_by: PersonId,
    pub version: i64,
}

/// A heading of the checklist, as it stands in a review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    pub id: SectionId,
    pub review: ReviewId,
    pub parent: Option<SectionId>,
    /// In the document's order.
    pub position: i64,
    /// The heading's level; 0 for the section made for items before the first heading.
    pub level: i64,
    pub number: Option<String>,
    pub title: String,
    /// The text of the section that is no item, as Markdown.
    pub prose: String,
}

/// Something that the review has to hand over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deliverable {
    pub id: DeliverableId,
    pub review: ReviewId,
    pub position: i64,
    pub title: String,
    pub body: String,
    pub done: bool,
    /// Where it is, or what was done: Markdown, may be empty.
    pub note: String,
    pub owner: Option<PersonId>,
    pub done_by: Option<PersonId>,
    pub done_at: Option<Millis>,
    pub version: i64,
}

/// How many items of each state a review has as of a moment, blockers and advisories apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemCounts {
    n: BTreeMap<(ItemState, Gating), i64>,
}

impl ItemCounts {
    pub(crate) fn add(&mut self, state: ItemState, gating: Gating, n: i64) {
        *self.n.entry((state, gating)).or_default() += n;
    }

    pub fn in_state(&self, state: ItemState) -> i64 {
        Gating::ALL
            .iter()
            .map(|gating| self.n.get(&(state, *gating)).copied().unwrap_or_default())
            .sum()
    }

    pub fn total(&self) -> i64 {
        self.n.values().sum()
    }

    /// Items that are passed, not applicable or waived.
    pub fn cleared(&self) -> i64 {
        self.n
            .iter()
            .filter(|((state, _), _)| is_clear(*state))
            .map(|(_, n)| n)
            .sum()
    }

    /// Blockers that are not.
    pub fn blockers_left(&self) -> i64 {
        self.n
            .iter()
            .filter(|((state, gating), _)| *gating == Gating::Blocker && !is_clear(*state))
            .map(|(_, n)| n)
            .sum()
    }
}

const fn is_clear(state: ItemState) -> bool {
    matches!(
        state,
        ItemState::Passed | ItemState::NotApplicable | ItemState::Waived
    )
}

#[derive(sqlx::FromRow)]
struct ReviewRow {
    id: String,
    service_id: String,
    template_version_id: String,
    title: String,
    release: String,
    commit_id: Option<String>,
    due_on: Option<String>,
    policy: String,
    created_at: i64,
    created_by: String,
    version: i64,
}

impl TryFrom<ReviewRow> for Review {
    type Error = StorageError;

    fn try_from(row: ReviewRow) -> Result<Self, StorageError> {
        const TABLE: &str = "review";
        Ok(Self {
            id: parsed(ReviewId::parse, &row.id, TABLE, "id")?,
            service: parsed(ServiceId::parse, &row.service_id, TABLE, "service_id")?,
            template_version: parsed(
                TemplateVersionId::parse,
                &row.template_version_id,
                TABLE,
                "template_version_id",
            )?,
            title: row.title,
            release: row.release,
            commit: row.commit_id,
            due_on: row.due_on,
            policy: serde_json::from_str(&row.policy)
                .map_err(|_| StorageError::column(TABLE, "policy", &row.policy))?,
            created_at: row.created_at,
            created_by: parsed(PersonId::parse, &row.created_by, TABLE, "created_by")?,
            version: row.version,
        })
    }
}

#[derive(sqlx::FromRow)]
struct SectionRow {
    id: String,
    review_id: String,
    parent_id: Option<String>,
    position: i64,
    level: i64,
    number: Option<String>,
    title: String,
    prose: String,
}

impl TryFrom<SectionRow> for Section {
    type Error = StorageError;

    fn try_from(row: SectionRow) -> Result<Self, StorageError> {
        const TABLE: &str = "section";
        Ok(Self {
            id: parsed(SectionId::parse, &row.id, TABLE, "id")?,
            review: parsed(ReviewId::parse, &row.review_id, TABLE, "review_id")?,
            parent: parsed_if(
                SectionId::parse,
                row.parent_id.as_deref(),
                TABLE,
                "parent_id",
            )?,
            position: row.position,
            level: row.level,
            number: row.number,
            title: row.title,
            prose: row.prose,
        })
    }
}

#[derive(sqlx::FromRow)]
struct DeliverableRow {
    id: String,
    review_id: String,
    position: i64,
    title: String,
    body: String,
    done: bool,
    note: String,
    owner_id: Option<String>,
    done_by: Option<String>,
    done_at: Option<i64>,
    version: i64,
}

impl TryFrom<DeliverableRow> for Deliverable {
    type Error = StorageError;

    fn try_from(row: DeliverableRow) -> Result<Self, StorageError> {
        const TABLE: &str = "deliverable";
        Ok(Self {
            id: parsed(DeliverableId::parse, &row.id, TABLE, "id")?,
            review: parsed(ReviewId::parse, &row.review_id, TABLE, "review_id")?,
            position: row.position,
            title: row.title,
            body: row.body,
            done: row.done,
            note: row.note,
            owner: parsed_if(PersonId::parse, row.owner_id.as_deref(), TABLE, "owner_id")?,
            done_by: parsed_if(PersonId::parse, row.done_by.as_deref(), TABLE, "done_by")?,
            done_at: row.done_at,
            version: row.version,
        })
    }
}

macro_rules! review_columns {
    ($rest:literal) => {
        concat!(
            "select review.id, review.service_id, review.template_version_id, review.title, review.release, \
             review.commit_id, review.due_on, review.policy, review.created_at, review.created_by, review.version \
             from review ",
            $rest
        )
    };
}

macro_rules! deliverable_columns {
    ($rest:literal) => {
        concat!(
            "select id, review_id, position, title, body, done, note, owner_id, done_by, done_at, version \
             from deliverable ",
            $rest
        )
    };
}

/// JSON of values that always serialise.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, StorageError> {
    serde_json::to_string(value)
        .map_err(|error| StorageError::Damaged(format!("a value cannot be written: {error}")))
}

impl Tx {
    pub async fn insert_review(&mut self, review: &Review) -> Result<(), StorageError> {
        execute!(
            self,
            "insert into review (id, service_id, template_version_id, title, release, commit_id, due_on, policy, \
             next_patch_number, created_at, created_by, version) values ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $10, $11)",
            review.id.as_str(),
            review.service.as_str(),
            review.template_version.as_str(),
            &review.title,
            &review.release,
            review.commit.as_deref(),
            review.due_on.as_deref(),
            json(&review.policy)?,
            review.created_at,
            review.created_by.as_str(),
            review.version,
        );
        Ok(())
    }

    pub async fn review(&mut self, id: &ReviewId) -> Result<Option<Review>, StorageError> {
        fetch_optional!(
            self,
            ReviewRow,
            review_columns!("where id = $1"),
            id.as_str()
        )
        .map(Review::try_from)
        .transpose()
    }

    /// A service's reviews, newest first, at most `limit`, from behind `before` on.
    pub async fn reviews_of(
        &mut self,
        service: &ServiceId,
        before: Option<&ReviewId>,
        limit: i64,
    ) -> Result<Vec<Review>, StorageError> {
        fetch_all!(
            self,
            ReviewRow,
            review_columns!(
                "where service_id = $1 and (cast($2 as text) is null or (created_at, id) < \
                 (select last.created_at, last.id from review as last where last.id = $2)) \
                 order by created_at desc, id desc limit $3"
            ),
            service.as_str(),
            before.map(ReviewId::as_str),
            limit,
        )
        .into_iter()
        .map(Review::try_from)
        .collect()
    }

    /// The reviews that a person may read (with `None`, all), of one service `only` if asked, the next due first and those without a date last, at
    /// most `limit`, from behind `after` on.
    pub async fn portfolio(
        &mut self,
        of: Option<&PersonId>,
        only: Option<&ServiceId>,
        after: Option<&ReviewId>,
        limit: i64,
    ) -> Result<Vec<Review>, StorageError> {
        fetch_all!(
            self,
            ReviewRow,
            review_columns!(
                "where (cast($1 as text) is null or exists (select 1 from membership \
                 where membership.service_id = review.service_id and membership.person_id = $1)) \
                 and (cast($2 as text) is null or (coalesce(review.due_on, '9999-12-31'), review.id) > \
                 (select coalesce(last.due_on, '9999-12-31'), last.id from review as last where last.id = $2)) \
                 and (cast($4 as text) is null or review.service_id = $4) \
                 order by coalesce(review.due_on, '9999-12-31'), review.id limit $3"
            ),
            of.map(PersonId::as_str),
            after.map(ReviewId::as_str),
            limit,
            only.map(ServiceId::as_str),
        )
        .into_iter()
        .map(Review::try_from)
        .collect()
    }

    /// Stores title, release, commit, due date, policy and template version, and counts the version up;
    /// [`StorageError::Conflict`] when the stored version is another than the value's.
    pub async fn update_review(&mut self, review: &Review) -> Result<(), StorageError> {
        let touched = execute!(
            self,
            "update review set title = $3, release = $4, commit_id = $5, due_on = $6, policy = $7, \
             template_version_id = $8, version = version + 1 where id = $1 and version = $2",
            review.id.as_str(),
            review.version,
            &review.title,
            &review.release,
            review.commit.as_deref(),
            review.due_on.as_deref(),
            json(&review.policy)?,
            review.template_version.as_str(),
        );
        one(touched)
    }

    /// Keeps others from changing the review until this unit of work ends.
    pub async fn lock_review(&mut self, id: &ReviewId) -> Result<(), StorageError> {
        if !self.is_sqlite() {
            execute!(
                self,
                "select id from review where id = $1 for update",
                id.as_str()
            );
        }
        Ok(())
    }

    /// Keeps others from changing the deliverable until this unit of work ends.
    pub async fn lock_deliverable(&mut self, id: &DeliverableId) -> Result<(), StorageError> {
        if !self.is_sqlite() {
            execute!(
                self,
                "select id from deliverable where id = $1 for update",
                id.as_str()
            );
        }
        Ok(())
    }

    /// How many items of each state each section of a review has as of a moment; `None` for items in no section.
    pub async fn section_counts(
        &mut self,
        review: &ReviewId,
        now: Millis,
    ) -> Result<Vec<(Option<SectionId>, ItemCounts)>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            section_id: Option<String>,
            state: String,
            gating: String,
            n: i64,
        }
        const SQL: &str = "select section_id, state, gating, count(*) as n from (select section_id, gating, \
            case when state = 'waived' and (waived_until is null or waived_until < $2) then 'in_review' else state end \
            as state from item where review_id = $1) as i group by section_id, state, gating";
        let mut counts: BTreeMap<Option<String>, ItemCounts> = BTreeMap::new();
        for row in fetch_all!(self, Row, SQL, review.as_str(), now) {
            let state = parsed(ItemState::parse, &row.state, "item", "state")?;
            let gating = parsed(Gating::parse, &row.gating, "item", "gating")?;
            counts
                .entry(row.section_id)
                .or_default()
                .add(state, gating, row.n);
        }
        counts
            .into_iter()
            .map(|(id, of)| {
                let id = parsed_if(SectionId::parse, id.as_deref(), "item", "section_id")?;
                Ok((id, of))
            })
            .collect()
    }

    /// Adds all sections of a new review at once.
    pub async fn insert_sections(&mut self, sections: &[Section]) -> Result<(), StorageError> {
        #[derive(Serialize)]
        struct Columns<'a> {
            id: &'a str,
            review_id: &'a str,
            parent_id: Option<&'a str>,
            position: i64,
            level: i64,
            number: Option<&'a str>,
            title: &'a str,
            prose: &'a str,
        }
        let rows: Vec<_> = sections
            .iter()
            .map(|section| Columns {
                id: section.id.as_str(),
                review_id: section.review.as_str(),
                parent_id: section.parent.as_ref().map(SectionId::as_str),
                position: section.position,
                level: section.level,
                number: section.number.as_deref(),
                title: &section.title,
                prose: &section.prose,
            })
            .collect();
        let sql = self.dialect(
            "insert into section (id, review_id, parent_id, position, level, number, title, prose) \
             select value ->> 'id', value ->> 'review_id', value ->> 'parent_id', value ->> 'position', value ->> 'level', \
             value ->> 'number', value ->> 'title', value ->> 'prose' from json_each($1)",
            "insert into section (id, review_id, parent_id, position, level, number, title, prose) \
             select id, review_id, parent_id, position, level, number, title, prose \
             from json_to_recordset(cast($1 as json)) as t (id text, review_id text, parent_id text, position bigint, \
             level bigint, number text, title text, prose text)",
        );
        execute!(self, sql, json(&rows)?);
        Ok(())
    }

    /// A review's sections in the document's order; bounded by what a document may hold.
    pub async fn sections(&mut self, review: &ReviewId) -> Result<Vec<Section>, StorageError> {
        const SQL: &str = "select id, review_id, parent_id, position, level, number, title, prose from section \
            where review_id = $1 order by position limit 100000";
        fetch_all!(self, SectionRow, SQL, review.as_str())
            .into_iter()
            .map(Section::try_from)
            .collect()
    }

    pub async fn section(&mut self, id: &SectionId) -> Result<Option<Section>, StorageError> {
        const SQL: &str = "select id, review_id, parent_id, position, level, number, title, prose from section where id = $1";
        fetch_optional!(self, SectionRow, SQL, id.as_str())
            .map(Section::try_from)
            .transpose()
    }

    /// Adds all deliverables of a new review at once.
    pub async fn insert_deliverables(
        &mut self,
        deliverables: &[Deliverable],
    ) -> Result<(), StorageError> {
        #[derive(Serialize)]
        struct Columns<'a> {
            id: &'a str,
            review_id: &'a str,
            position: i64,
            title: &'a str,
            body: &'a str,
            done: bool,
            note: &'a str,
            owner_id: Option<&'a str>,
            done_by: Option<&'a str>,
            done_at: Option<Millis>,
            version: i64,
        }
        let rows: Vec<_> = deliverables
            .iter()
            .map(|deliverable| Columns {
                id: deliverable.id.as_str(),
                review_id: deliverable.review.as_str(),
                position: deliverable.position,
                title: &deliverable.title,
                body: &deliverable.body,
                done: deliverable.done,
                note: &deliverable.note,
                owner_id: deliverable.owner.as_ref().map(PersonId::as_str),
                done_by: deliverable.done_by.as_ref().map(PersonId::as_str),
                done_at: deliverable.done_at,
                version: deliverable.version,
            })
            .collect();
        let sql = self.dialect(
            "insert into deliverable (id, review_id, position, title, body, done, note, owner_id, done_by, done_at, version) \
             select value ->> 'id', value ->> 'review_id', value ->> 'position', value ->> 'title', value ->> 'body', \
             value ->> 'done', value ->> 'note', value ->> 'owner_id', value ->> 'done_by', value ->> 'done_at', \
             value ->> 'version' from json_each($1)",
            "insert into deliverable (id, review_id, position, title, body, done, note, owner_id, done_by, done_at, version) \
             select id, review_id, position, title, body, done, note, owner_id, done_by, done_at, version \
             from json_to_recordset(cast($1 as json)) as t (id text, review_id text, position bigint, title text, \
             body text, done boolean, note text, owner_id text, done_by text, done_at bigint, version bigint)",
        );
        execute!(self, sql, json(&rows)?);
        Ok(())
    }

    /// A review's deliverables in the document's order.
    pub async fn deliverables(
        &mut self,
        review: &ReviewId,
    ) -> Result<Vec<Deliverable>, StorageError> {
        fetch_all!(
            self,
            DeliverableRow,
            deliverable_columns!("where review_id = $1 order by position limit 10000"),
            review.as_str()
        )
        .into_iter()
        .map(Deliverable::try_from)
        .collect()
    }

    pub async fn deliverable(
        &mut self,
        id: &DeliverableId,
    ) -> Result<Option<Deliverable>, StorageError> {
        fetch_optional!(
            self,
            DeliverableRow,
            deliverable_columns!("where id = $1"),
            id.as_str()
        )
        .map(Deliverable::try_from)
        .transpose()
    }

    /// Stores owner, note and whether it is done, and counts the version up; [`StorageError::Conflict`] when the stored
    /// version is another than the value's.
    pub async fn update_deliverable(
        &mut self,
        deliverable: &Deliverable,
    ) -> Result<(), StorageError> {
        let touched = execute!(
            self,
            "update deliverable set done = $3, note = $4, owner_id = $5, done_by = $6, done_at = $7, \
             version = version + 1 where id = $1 and version = $2",
            deliverable.id.as_str(),
            deliverable.version,
            deliverable.done,
            &deliverable.note,
            deliverable.owner.as_ref().map(PersonId::as_str),
            deliverable.done_by.as_ref().map(PersonId::as_str),
            deliverable.done_at,
        );
        one(touched)
    }

    /// How many items of each state each of these reviews has as of a moment, and how many deliverables are open; in
    /// the reviews' own order.
    pub async fn review_counts(
        &mut self,
        reviews: &[ReviewId],
        now: Millis,
    ) -> Result<Vec<ReviewCounts>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct ItemsRow {
            review_id: String,
            state: String,
            gating: String,
            n: i64,
            n_late: i64,
        }
        #[derive(sqlx::FromRow)]
        struct DeliverablesRow {
            review_id: String,
            n: i64,
            n_done: i64,
        }
        let ids = json(&reviews.iter().map(ReviewId::as_str).collect::<Vec<_>>())?;
        let today = holdpoint_domain::text::Date::of(now);
        let sql = self.dialect(
            "select review_id, state, gating, count(*) as n, sum(late) as n_late from (select review_id, gating, \
             case when state = 'waived' and (waived_until is null or waived_until < $2) then 'in_review' else state end \
             as state, case when due_on < $3 and (state in ('open', 'in_progress', 'in_review', 'failed') or \
             (state = 'waived' and (waived_until is null or waived_until < $2))) then 1 else 0 end as late \
             from item where review_id in (select value from json_each($1))) as i group by review_id, state, gating",
            "select review_id, state, gating, count(*) as n, cast(sum(late) as bigint) as n_late from (select review_id, gating, \
             case when state = 'waived' and (waived_until is null or waived_until < $2) then 'in_review' else state end \
             as state, case when due_on < $3 and (state in ('open', 'in_progress', 'in_review', 'failed') or \
             (state = 'waived' and (waived_until is null or waived_until < $2))) then 1 else 0 end as late \
             from item where review_id in (select json_array_elements_text(cast($1 as json)))) as i \
             group by review_id, state, gating",
        );
        let items = fetch_all!(self, ItemsRow, sql, &ids, now, today.as_str());
        let sql = self.dialect(
            "select review_id, count(*) as n, sum(case when done then 1 else 0 end) as n_done from deliverable \
             where review_id in (select value from json_each($1)) group by review_id",
            "select review_id, count(*) as n, cast(sum(case when done then 1 else 0 end) as bigint) as n_done \
             from deliverable where review_id in (select json_array_elements_text(cast($1 as json))) group by review_id",
        );
        let deliverables = fetch_all!(self, DeliverablesRow, sql, &ids);
        let mut counts: BTreeMap<&str, ReviewCounts> = reviews
            .iter()
            .map(|id| (id.as_str(), ReviewCounts::default()))
            .collect();
        for row in &items {
            if let Some(of) = counts.get_mut(row.review_id.as_str()) {
                let state = parsed(ItemState::parse, &row.state, "item", "state")?;
                let gating = parsed(Gating::parse, &row.gating, "item", "gating")?;
                of.items.add(state, gating, row.n);
                of.n_late += row.n_late;
            }
        }
        for row in &deliverables {
            if let Some(of) = counts.get_mut(row.review_id.as_str()) {
                of.n_deliverables = row.n;
                of.n_deliverables_done = row.n_done;
            }
        }
        Ok(reviews
            .iter()
            .map(|id| counts.get(id.as_str()).cloned().unwrap_or_default())
            .collect())
    }
}

/// What a list of reviews shows of each, in figures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReviewCounts {
    pub items: ItemCounts,
    /// Undecided items past their due date.
    pub n_late: i64,
    pub n_deliverables: i64,
    pub n_deliverables_done: i64,
}
