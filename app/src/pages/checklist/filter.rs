//! Which items are asked for: the query of the page's address, so that a filter can be linked to.

use holdpoint_domain::{Gating, ItemState, Millis, PersonId, text::Date};
use holdpoint_service::{Actor, ItemFilter};

use crate::{pages::query, paths};

const DAY: Millis = 86_400_000;

/// The filter as it stands in the address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) q: String,
    pub(super) status: String,
    pub(super) owner: String,
    pub(super) reviewer: String,
    pub(super) gate: String,
    pub(super) due: String,
    /// `left`: not cleared yet; `no-evidence`.
    pub(super) only: String,
}

impl Asked {
    pub(super) fn of_address() -> Self {
        Self {
            q: query("q"),
            status: query("status"),
            owner: query("owner"),
            reviewer: query("reviewer"),
            gate: query("gate"),
            due: query("due"),
            only: query("only"),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn pairs(&self) -> [(&'static str, &str); 7] {
        [
            ("q", &self.q),
            ("status", &self.status),
            ("owner", &self.owner),
            ("reviewer", &self.reviewer),
            ("gate", &self.gate),
            ("due", &self.due),
            ("only", &self.only),
        ]
    }

    /// The address of the list with this filter, from behind an item on.
    pub(super) fn address(&self, review: &str, after: &str, previous: &str) -> String {
        let mut pairs = self.pairs().to_vec();
        pairs.extend([("after", after), ("previous", previous)]);
        paths::with_query(&paths::checklist(review), &pairs)
    }

    /// The filter for the service. What an address says wrongly asks for nothing in particular.
    pub(super) fn filter(&self, person: &Actor, now: Millis) -> ItemFilter {
        let who = |text: &str| match text {
            "me" => Some(person.id.clone()),
            text => PersonId::parse(text),
        };
        let due_by = match self.due.as_str() {
            "today" => Some(now),
            "week" => Some(now + 7 * DAY),
            _ => None,
        };
        ItemFilter {
            state: ItemState::parse(&self.status),
            owner: who(&self.owner).filter(|_| self.owner != "none"),
            reviewer: who(&self.reviewer),
            no_owner: self.owner == "none",
            gating: Gating::parse(&self.gate),
            due_by: due_by.map(|at| Date::of(at).as_str().to_owned()),
            late: self.due == "late",
            left: self.only == "left",
            no_evidence: self.only == "no-evidence",
            text: Some(self.q.trim().chars().take(200).collect::<String>())
                .filter(|text| !text.is_empty()),
        }
    }
}
