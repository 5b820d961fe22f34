//! Which findings are wanted: what the list, its files and decisions about many findings take alike.

use holdpoint_domain::{
    FindingStatus, ItemId, PersonId, ReviewId, ScannerState, SeriesId, Severity,
};
use holdpoint_service::{FindingFilter, Services};

use crate::web::{WebError, api_caller::ApiCaller};

/// The words of a request that say which findings are wanted. Whoever takes them names each, so that none is forgotten.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) severity: Vec<String>,
    pub(super) status: Vec<String>,
    pub(super) tool: Vec<String>,
    pub(super) scanner_state: Vec<String>,
    /// An item's id, or `none`.
    pub(super) item: Option<String>,
    pub(super) category: Vec<String>,
    pub(super) rule: Option<String>,
    pub(super) path: Option<String>,
    pub(super) series: Vec<String>,
    pub(super) owner: Option<String>,
    pub(super) late: bool,
    pub(super) asked: bool,
    pub(super) q: Option<String>,
}

impl Wanted {
    /// The filter of a review's findings. `within` is what the fields stand in, with a point at its end.
    pub(super) async fn filter(
        self,
        services: &Services,
        caller: &ApiCaller,
        review: &ReviewId,
        within: &str,
    ) -> Result<FindingFilter, WebError> {
        let refused = |field: &str, message: String| WebError::Field {
            field: format!("{within}{field}"),
            message,
        };
        let severities = || one_of(Severity::ALL.iter().map(|word| word.as_str()));
        let statuses = || one_of(FindingStatus::ALL.iter().map(|word| word.as_str()));
        let states = || one_of(ScannerState::ALL.iter().map(|word| word.as_str()));
        let is_unmapped = self.item.as_deref() == Some("none");
        let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        Ok(FindingFilter {
            severities: each(&self.severity, Severity::parse)
                .ok_or_else(|| refused("severity", severities()))?,
            statuses: each(&self.status, FindingStatus::parse)
                .ok_or_else(|| refused("status", statuses()))?,
            tools: self.tool,
            scanner_states: each(&self.scanner_state, ScannerState::parse)
                .ok_or_else(|| refused("scanner_state", states()))?,
            item: match self.item.filter(|_| !is_unmapped) {
                None => None,
                Some(item) => {
                    Some(ItemId::parse(&item).ok_or_else(|| {
                        refused("item", "Write an item's id, or none.".to_owned())
                    })?)
                }
            },
            unmapped: is_unmapped,
            categories: self.category,
            rule: filled(self.rule),
            path: filled(self.path),
            series: each(&self.series, SeriesId::parse)
                .ok_or_else(|| refused("series", "Write ids of series.".to_owned()))?,
            owner: match self.owner {
                None => None,
                Some(owner) => Some(
                    PersonId::parse(&owner)
                        .ok_or_else(|| refused("owner", "This is no person's id.".to_owned()))?,
                ),
            },
            late_before: if self.late {
                let policy = services.review(caller, review).await?.review.policy;
                Some(policy.late_before(services.now()))
            } else {
                None
            },
            text: filled(self.q),
            asked: self.asked,
            as_of: services.now(),
        })
    }
}

/// All of them read; nothing if one of them cannot be.
fn each<T>(words: &[String], parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    words.iter().map(|word| parse(word)).collect()
}

fn one_of<'a>(words: impl Iterator<Item = &'a str>) -> String {
    format!("Choose from {}.", words.collect::<Vec<_>>().join(", "))
}

/// What stands between the commas of a parameter.
pub(super) fn between_commas(text: Option<&str>) -> Vec<String> {
    let words = text.unwrap_or_default().split(',').map(str::trim);
    words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}
