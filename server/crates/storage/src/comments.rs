//! What people say about an item or a finding.

use holdpoint_domain::{CommentId, FindingId, ItemId, Millis, PersonId, ReviewId, ServiceId};

use crate::{
    StorageError, Tx,
    columns::{parsed, parsed_if},
    execute, fetch_all, fetch_optional,
};

/// Something a person said about an item or a finding; exactly one of the two is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    pub id: CommentId,
    pub item: Option<ItemId>,
    pub finding: Option<FindingId>,
    pub author: PersonId,
    /// Markdown.
    pub body: String,
    pub created_at: Millis,
}

#[derive(sqlx::FromRow)]
struct CommentRow {
    id: String,
    item_id: Option<String>,
    finding_id: Option<String>,
    author_id: String,
    body: String,
    created_at: i64,
}

impl TryFrom<CommentRow> for Comment {
    type Error = StorageError;

    fn try_from(row: CommentRow) -> Result<Self, StorageError> {
        Ok(Self {
            id: parsed(CommentId::parse, &row.id, "comment", "id")?,
            item: parsed_if(ItemId::parse, row.item_id.as_deref(), "comment", "item_id")?,
            finding: parsed_if(
                FindingId::parse,
                row.finding_id.as_deref(),
                "comment",
                "finding_id",
            )?,
            author: parsed(PersonId::parse, &row.author_id, "comment", "author_id")?,
            body: row.body,
            created_at: row.created_at,
        })
    }
}

impl Tx {
    pub async fn insert_comment(&mut self, comment: &Comment) -> Result<(), StorageError> {
        execute!(
            self,
            "insert into comment (id, item_id, finding_id, author_id, body, created_at) values ($1, $2, $3, $4, $5, $6)",
            comment.id.as_str(),
            comment.item.as_ref().map(ItemId::as_str),
            comment.finding.as_ref().map(FindingId::as_str),
            comment.author.as_str(),
            &comment.body,
            comment.created_at,
        );
        Ok(())
    }

    /// What was said about an item, oldest first: the newest `limit` comments, or those before one of them.
    pub async fn comments_on_item(
        &mut self,
        item: &ItemId,
        before: Option<&CommentId>,
        limit: i64,
    ) -> Result<Vec<Comment>, StorageError> {
        const SQL: &str = "select id, item_id, finding_id, author_id, body, created_at from comment where item_id = $1 \
            and (cast($2 as text) is null or (created_at, id) < \
            (select created_at, id from comment where id = $2 and item_id = $1)) \
            order by created_at desc, id desc limit $3";
        let before = before.map(CommentId::as_str);
        let rows = fetch_all!(self, CommentRow, SQL, item.as_str(), before, limit);
        rows.into_iter().rev().map(Comment::try_from).collect()
    }

    /// What was said about a finding, oldest first: the newest `limit` comments, or those before one of them.
    pub async fn comments_on_finding(
        &mut self,
        finding: &FindingId,
        before: Option<&CommentId>,
        limit: i64,
    ) -> Result<Vec<Comment>, StorageError> {
        const SQL: &str = "select id, item_id, finding_id, author_id, body, created_at from comment where finding_id = $1 \
            and (cast($2 as text) is null or (created_at, id) < \
            (select created_at, id from comment where id = $2 and finding_id = $1)) \
            order by created_at desc, id desc limit $3";
        let before = before.map(CommentId::as_str);
        let rows = fetch_all!(self, CommentRow, SQL, finding.as_str(), before, limit);
        rows.into_iter().rev().map(Comment::try_from).collect()
    }

    /// Where a finding belongs: its service, and the review if it was written by hand within one.
    pub async fn finding_home(
        &mut self,
        finding: &FindingId,
    ) -> Result<Option<(ServiceId, Option<ReviewId>)>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            service_id: String,
            review_id: Option<String>,
        }
        const SQL: &str = "select service_id, review_id from finding where id = $1";
        fetch_optional!(self, Row, SQL, finding.as_str())
            .map(|row| {
                Ok((
                    parsed(ServiceId::parse, &row.service_id, "finding", "service_id")?,
                    parsed_if(
                        ReviewId::parse,
                        row.review_id.as_deref(),
                        "finding",
                        "review_id",
                    )?,
                ))
            })
            .transpose()
    }
}
