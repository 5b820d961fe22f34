use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
    response::{IntoResponse, Response},
};
use holdpoint_domain::{
    EvidenceId, FindingId, ItemId, MappingRuleId, PatchId, ReviewId, ScanId, TemplateId,
    TemplateVersionId, TriageBatchId,
};

use super::WebError;

/// The one id in an address. What cannot be an id was not found.
#[derive(Debug)]
pub(super) struct Id<T>(pub(super) T);

/// A kind of id that requests name things by.
pub(super) trait Named: Sized {
    /// What is not found where an id leads nowhere.
    const WORDS: &'static str;

    fn parse(text: &str) -> Option<Self>;
}

macro_rules! named {
    ($($id:ident $words:literal,)+) => {$(
        impl Named for $id {
            const WORDS: &'static str = $words;

            fn parse(text: &str) -> Option<Self> {
                $id::parse(text)
            }
        }
    )+};
}

named! {
    EvidenceId "This evidence",
    FindingId "This finding",
    ItemId "This item",
    MappingRuleId "This rule",
    PatchId "This patch",
    ReviewId "This review",
    ScanId "This scan",
    TemplateId "This checklist",
    TemplateVersionId "This checklist",
    TriageBatchId "This decision",
}

/// An id that stands in a body or a parameter.
pub(super) fn id<T: Named>(text: &str) -> Result<T, WebError> {
    T::parse(text).ok_or(WebError::NotFound(T::WORDS))
}

impl<T: Named, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(IntoResponse::into_response)?;
        id(&text).map(Self).map_err(WebError::into_response)
    }
}
