//! What happened.

use axum::{extract::State, response::Response};
use holdpoint_domain::ReviewId;
use holdpoint_service::{ActivityOf, Services};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    asked::{Id, Query, WhichPart},
    given::{Part, moment},
};
use crate::web::{WebError, api_caller::ApiCaller};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Activity {
    /// Its place in the log, without gaps over the whole instance.
    sequence: i64,
    at: String,
    /// A person's name, or "Holdpoint".
    who: String,
    action: String,
    subject_kind: String,
    subject: String,
    /// A sentence without the name: "asked for review".
    summary: String,
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
}

/// What happened in a review, newest first. The token needs the scope `export`.
#[utoipa::path(get, path = "/reviews/{id}/activity", tag = "Activity", params(WhichPart), responses((status = 200, body = Part<Activity>)))]
pub(super) async fn of_review(
    State(services): State<Services>,
    caller: ApiCaller,
    Id(id): Id<ReviewId>,
    Query(asked): Query<WhichPart>,
) -> Result<Response, WebError> {
    let (limit, before) = asked.place(|text| text.parse().ok())?;
    let page = services
        .activity_of(&caller, &ActivityOf::Review(id), before, limit)
        .await?;
    let json = |text: Option<&String>| text.and_then(|text| serde_json::from_str(text).ok());
    let part = Part {
        entries: page
            .entries
            .iter()
            .map(|line| Activity {
                sequence: line.sequence,
                at: moment(line.at),
                who: line.who.clone(),
                action: line.action.clone(),
                subject_kind: line.subject_kind.clone(),
                subject: line.subject.clone(),
                summary: line.summary.clone(),
                before: json(line.before.as_ref()),
                after: json(line.after.as_ref()),
            })
            .collect(),
        next_cursor: page.next.map(|sequence| sequence.to_string()),
    };
    part.answer()
}
