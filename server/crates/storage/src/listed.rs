//! How long lists can get that are read whole. Whatever would make one longer is refused, so that none is cut in silence.

use holdpoint_domain::{PersonId, ReviewId, ServiceId, TemplateId};

use crate::{StorageError, Tx, fetch_optional};

/// A list that is read whole.
#[derive(Clone, Copy, Debug)]
pub enum Listed<'a> {
    Services,
    Templates,
    VersionsOf(&'a TemplateId),
    PatchesOf(&'a ReviewId),
    /// People with a role on a service.
    MembersOf(&'a ServiceId),
    /// Tokens that were not revoked.
    TokensOf(&'a PersonId),
}

impl Listed<'_> {
    /// How many there can be.
    pub const fn most(self) -> i64 {
        match self {
            Self::Services | Self::PatchesOf(_) | Self::MembersOf(_) => 5_000,
            Self::Templates | Self::VersionsOf(_) => 1_000,
            Self::TokensOf(_) => 500,
        }
    }
}

impl Tx {
    /// Whether a list can take one more. Two that are added at once may both find room for the last: the list is read that
    /// much further.
    pub async fn has_room(&mut self, listed: Listed<'_>) -> Result<bool, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            n: i64,
        }
        let (sql, of) = match listed {
            Listed::Services => (
                "select count(*) as n from service where cast($1 as text) is null",
                None,
            ),
            Listed::Templates => (
                "select count(*) as n from template where cast($1 as text) is null",
                None,
            ),
            Listed::VersionsOf(template) => (
                "select count(*) as n from template_version where template_id = $1",
                Some(template.as_str()),
            ),
            Listed::PatchesOf(review) => (
                "select count(*) as n from patch where review_id = $1",
                Some(review.as_str()),
            ),
            Listed::MembersOf(service) => (
                "select count(*) as n from membership where service_id = $1",
                Some(service.as_str()),
            ),
            Listed::TokensOf(person) => (
                "select count(*) as n from api_token where person_id = $1 and revoked_at is null",
                Some(person.as_str()),
            ),
        };
        let n = fetch_optional!(self, Row, sql, of).map_or(0, |row| row.n);
        Ok(n < listed.most())
    }
}
