//! What people say about an item or a finding, and the form that adds to it.

use holdpoint_domain::{CommentId, Millis};
use holdpoint_service::{ListedComment, Page};
use leptos::prelude::*;

use crate::{
    flash::FormState,
    islands::DraftKeeper,
    parts::{Avatar, Button, Prose, TextArea, When},
    paths::{self, action},
};

/// What is commented on.
#[derive(Clone, Debug)]
pub(super) enum CommentedOn {
    Item(String),
    /// Seen from a review, to which the form leads back.
    Finding {
        finding: String,
        review: String,
    },
}

impl CommentedOn {
    fn form(&self) -> &'static str {
        match self {
            Self::Item(_) => "items/comment",
            Self::Finding { .. } => "findings/comment",
        }
    }

    fn id(&self) -> &str {
        match self {
            Self::Item(id) | Self::Finding { finding: id, .. } => id,
        }
    }

    /// Where the part before a comment is, or the newest.
    fn part(&self, before: Option<&CommentId>) -> String {
        let before = before.map_or("", CommentId::as_str);
        let address = match self {
            Self::Item(item) => paths::with_query(&paths::item(item), &[("before", before)]),
            Self::Finding { finding, review } => paths::with_query(
                &paths::finding(finding),
                &[("review", review), ("before", before)],
            ),
        };
        format!("{address}#discussion")
    }

    /// What the form sends beside the text.
    fn fields(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Item(item) => vec![("item", item.clone())],
            Self::Finding { finding, review } => {
                vec![("finding", finding.clone()), ("review", review.clone())]
            }
        }
    }
}

#[component]
pub(super) fn Discussion(
    on: CommentedOn,
    comments: Page<ListedComment, CommentId>,
    is_newest: bool,
    me: String,
    may_contribute: bool,
    form: FormState,
    now: Millis,
) -> impl IntoView {
    let n = match (comments.entries.len(), &comments.next) {
        (n, None) if is_newest => n.to_string(),
        // How many there are in all is not known of a part.
        (n, _) => format!("{n}+"),
    };
    let earlier = comments.next.map(|next| on.part(Some(&next)));
    let newest = (!is_newest).then(|| on.part(None));
    let parts = (earlier.is_some() || newest.is_some()).then(|| {
        view! {
            <nav class="small" aria-label="Parts of the discussion">
                {earlier.map(|href| view! { <a class="btn btn-sm" href=href rel="prev">"Earlier comments"</a> })}
                {newest.map(|href| view! { <a class="btn btn-sm" href=href>"Newest comments"</a> })}
            </nav>
        }
    });
    let messages = comments
        .entries
        .into_iter()
        .map(|comment| {
            let name = comment.author.name;
            view! {
                <article class="msg" id=format!("comment-{}", comment.id)>
                    <Avatar name=name.clone() large=true />
                    <div class="msg-box">
                        <header class="msg-head"><b class="strong">{name}</b><When at=comment.created_at now /></header>
                        <div class="msg-body"><Prose text=comment.body /></div>
                    </div>
                </article>
            }
            .into_any()
        })
        .collect_view();
    let write = if may_contribute {
        let draft = format!("comment/{}", on.id());
        let fields = on
            .fields()
            .into_iter()
            .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
            .collect_view();
        view! {
            <DraftKeeper draft>
                <form class="msg" method="post" action=action(on.form())>
                    <Avatar name=me large=true />
                    <div class="msg-box">
                        <div class="msg-body">
                            {fields}
                            <TextArea
                                form
                                name="body"
                                label="Add a comment"
                                max_length=20000
                                hint="Markdown. Everyone with a role on this service can read it."
                            />
                        </div>
                        <div class="msg-tools"><span class="push"><Button words="Comment" small=true /></span></div>
                    </div>
                </form>
            </DraftKeeper>
        }
        .into_any()
    } else {
        view! { <p class="small muted">"Contributors, reviewers and managers of this service can comment."</p> }.into_any()
    };
    view! {
        <section class="section" id="discussion" aria-labelledby="h-d">
            <div class="section-head"><h2 id="h-d">"Discussion " <span class="count">{n}</span></h2></div>
            <div class="thread">{parts}{messages}{write}</div>
        </section>
    }
    .into_any()
}
