//! What people say about items and findings.

use holdpoint_domain::{
    CommentId, FindingId, ItemId, Millis, ReviewId, ServiceId, person::Action, text::Prose,
};
use holdpoint_storage::{Comment, Tx};

use crate::{
    Actor, Named, Page, ServiceError, Services,
    changes::{Done, names},
    reviews::name_of,
    services::limit_of,
};

/// What a comment is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommentOn {
    Item(ItemId),
    Finding(FindingId),
}

/// A comment with its author's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedComment {
    pub id: CommentId,
    pub author: Named,
    /// Markdown.
    pub body: String,
    pub created_at: Millis,
}

/// How many comments a part of a talk has.
const COMMENTS_AT_ONCE: usize = 100;

impl Services {
    /// Says something about an item or a finding.
    pub async fn add_comment(
        &self,
        actor: &Actor,
        on: &CommentOn,
        body: Prose,
    ) -> Result<CommentId, ServiceError> {
        let mut tx = self.database().write().await?;
        let (service, review) = self
            .comment_home(&mut tx, actor, on, Action::Contribute)
            .await?;
        let now = self.now();
        let (kind, subject) = match on {
            CommentOn::Item(id) => ("item", id.as_str()),
            CommentOn::Finding(id) => ("finding", id.as_str()),
        };
        let comment = Comment {
            id: CommentId::parse(&self.ids().uuid(now)).expect("a UUID is an id"),
            item: match on {
                CommentOn::Item(id) => Some(id.clone()),
                CommentOn::Finding(_) => None,
            },
            finding: match on {
                CommentOn::Finding(id) => Some(id.clone()),
                CommentOn::Item(_) => None,
            },
            author: actor.id.clone(),
            body: body.into(),
            created_at: now,
        };
        tx.insert_comment(&comment).await?;
        let after = serde_json::json!({"comment": comment.id.as_str(), "text": comment.body});
        Done {
            action: if kind == "item" {
                "item.commented"
            } else {
                "finding.commented"
            },
            subject_kind: kind,
            subject,
            service: Some(service.as_str()),
            review: review.as_ref().map(ReviewId::as_str),
            summary: "commented".to_owned(),
            before: None,
            after: Some(after.to_string()),
        }
        .append(&mut tx, actor, now)
        .await?;
        tx.commit().await?;
        Ok(comment.id)
    }

    /// What was said about an item or a finding, oldest first: the newest part, or the part before a comment. The page's `next`
    /// is the comment to ask for the earlier part with.
    pub async fn comments(
        &self,
        actor: &Actor,
        on: &CommentOn,
        before: Option<&CommentId>,
    ) -> Result<Page<ListedComment, CommentId>, ServiceError> {
        let (limit, read) = limit_of(COMMENTS_AT_ONCE);
        let mut tx = self.database().read().await?;
        self.comment_home(&mut tx, actor, on, Action::Read).await?;
        let mut comments = match on {
            CommentOn::Item(id) => tx.comments_on_item(id, before, read).await?,
            CommentOn::Finding(id) => tx.comments_on_finding(id, before, read).await?,
        };
        comments.reverse();
        let mut page = Page::cut(comments, limit, |comment| comment.id.clone());
        page.entries.reverse();
        let people = names(
            &mut tx,
            page.entries.iter().map(|comment| &comment.author).collect(),
        )
        .await?;
        let entries = page.entries.into_iter().map(|comment| ListedComment {
            id: comment.id,
            author: name_of(&comment.author, &people),
            body: comment.body,
            created_at: comment.created_at,
        });
        Ok(Page {
            entries: entries.collect(),
            next: page.next,
        })
    }

    async fn comment_home(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        on: &CommentOn,
        action: Action,
    ) -> Result<(ServiceId, Option<ReviewId>), ServiceError> {
        match on {
            CommentOn::Item(id) => {
                let found = self.item_to(tx, actor, id, action).await?;
                Ok((found.review.service, Some(found.review.id)))
            }
            CommentOn::Finding(id) => {
                let not_found = || ServiceError::NotFound("This finding");
                let (service, review) = tx.finding_home(id).await?.ok_or_else(not_found)?;
                self.allow(tx, actor, &service, action)
                    .await
                    .map_err(|error| match error {
                        ServiceError::NotFound(_) => not_found(),
                        error => error,
                    })?;
                Ok((service, review))
            }
        }
    }
}
