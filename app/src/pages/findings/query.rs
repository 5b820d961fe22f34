//! What a list of findings is asked for, as its address says it. What the address says wrongly is left out.

use holdpoint_domain::{FindingStatus, ItemId, Severity};
use holdpoint_service::{FindingFilter, FindingSort};
use leptos::prelude::ReadUntracked as _;

use crate::paths;

/// How many findings stand on a page.
pub(super) const PAGE: i64 = 50;
/// Words that are searched for, at most this long.
const MAX_TEXT: usize = 200;
/// How the address names findings without a scanner.
pub(super) const BY_HAND: &str = "-";

/// A list as its address asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    pub severities: Vec<Severity>,
    pub statuses: Vec<FindingStatus>,
    /// Every status; otherwise, with none named, the open ones.
    pub all: bool,
    pub tools: Vec<String>,
    pub item: Option<ItemId>,
    pub unmapped: bool,
    pub text: String,
    pub sort: FindingSort,
    /// From 1.
    pub page: i64,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            severities: Vec::new(),
            statuses: Vec::new(),
            all: false,
            tools: Vec::new(),
            item: None,
            unmapped: false,
            text: String::new(),
            sort: FindingSort::default(),
            page: 1,
        }
    }
}

impl Query {
    /// As the address of this page says it.
    pub fn of_address() -> Self {
        let map = leptos_router::hooks::use_query_map();
        let map = map.read_untracked();
        Self::read(|name| map.get_all(name).unwrap_or_default())
    }

    fn read(values: impl Fn(&str) -> Vec<String>) -> Self {
        let one = |name: &str| values(name).into_iter().next().unwrap_or_default();
        let mut tools: Vec<_> = values("scanner")
            .into_iter()
            .filter(|tool| !tool.is_empty() && tool.len() <= MAX_TEXT)
            .take(50)
            .collect();
        tools.dedup();
        Self {
            severities: Severity::ALL
                .iter()
                .copied()
                .filter(|severity| {
                    values("severity")
                        .iter()
                        .any(|word| word == severity.as_str())
                })
                .collect(),
            statuses: FindingStatus::ALL
                .iter()
                .copied()
                .filter(|status| values("status").iter().any(|word| word == status.as_str()))
                .collect(),
            all: one("all") == "1",
            tools,
            item: ItemId::parse(&one("item")),
            unmapped: one("unmapped") == "1",
            text: one("q")
                .chars()
                .filter(|c| !c.is_control())
                .take(MAX_TEXT)
                .collect(),
            sort: FindingSort::parse(&one("sort")).unwrap_or_default(),
            // No list is longer; so no multiplication is too large.
            page: one("page")
                .parse::<i64>()
                .ok()
                .filter(|page| (1..=1_000_000).contains(page))
                .unwrap_or(1),
        }
    }

    /// The statuses that are shown: the open ones unless others are asked for.
    pub fn shown_statuses(&self) -> Vec<FindingStatus> {
        match (self.all, self.statuses.is_empty()) {
            (true, _) => Vec::new(),
            (false, true) => vec![FindingStatus::Open],
            (false, false) => self.statuses.clone(),
        }
    }

    pub fn filter(&self) -> FindingFilter {
        FindingFilter {
            severities: self.severities.clone(),
            statuses: self.shown_statuses(),
            tools: self
                .tools
                .iter()
                .map(|tool| {
                    if tool == BY_HAND {
                        String::new()
                    } else {
                        tool.clone()
                    }
                })
                .collect(),
            item: self.item.clone(),
            unmapped: self.unmapped,
            text: Some(self.text.trim().to_owned()).filter(|text| !text.is_empty()),
            ..FindingFilter::default()
        }
    }

    pub fn offset(&self) -> i64 {
        (self.page - 1) * PAGE
    }

    /// Whether anything but the status cuts the list.
    pub fn is_cut(&self) -> bool {
        !self.severities.is_empty()
            || !self.tools.is_empty()
            || self.item.is_some()
            || self.unmapped
            || !self.text.trim().is_empty()
    }

    /// The pairs that say all of this but the page and the search.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        pairs.extend(
            self.severities
                .iter()
                .map(|severity| ("severity", severity.as_str().to_owned())),
        );
        pairs.extend(
            self.statuses
                .iter()
                .map(|status| ("status", status.as_str().to_owned())),
        );
        if self.all {
            pairs.push(("all", "1".to_owned()));
        }
        pairs.extend(self.tools.iter().map(|tool| ("scanner", tool.clone())));
        if let Some(item) = &self.item {
            pairs.push(("item", item.as_str().to_owned()));
        }
        if self.unmapped {
            pairs.push(("unmapped", "1".to_owned()));
        }
        if self.sort != FindingSort::default() {
            let word = FindingSort::ALL.iter().find(|(sort, _)| *sort == self.sort);
            pairs.push((
                "sort",
                word.map(|(_, word)| (*word).to_owned()).unwrap_or_default(),
            ));
        }
        pairs
    }

    /// The address of a review's list as this asks for it.
    pub fn address(&self, review: &str) -> String {
        let mut pairs = self.pairs();
        pairs.push(("q", self.text.clone()));
        if self.page > 1 {
            pairs.push(("page", self.page.to_string()));
        }
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        paths::with_query(&paths::findings(review), &pairs)
    }

    /// With one thing changed, from its first page on.
    pub fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut changed = Self {
            page: 1,
            ..self.clone()
        };
        change(&mut changed);
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Query {
        Query::read(|name| {
            pairs
                .iter()
                .filter(|(of, _)| *of == name)
                .map(|(_, value)| (*value).to_owned())
                .collect()
        })
    }

    #[test]
    fn an_address_without_a_word_asks_for_the_open_ones() {
        assert_eq!(of(&[]).filter().statuses, [FindingStatus::Open]);
        assert_eq!(of(&[("all", "1")]).filter().statuses, []);
        assert_eq!(
            of(&[("status", "fixed")]).filter().statuses,
            [FindingStatus::Fixed]
        );
    }

    #[test]
    fn what_an_address_says_wrongly_is_left_out() {
        let hostile = of(&[
            ("sort", "number; drop table finding"),
            ("severity", "' or 1=1 --"),
            ("severity", "high"),
            ("status", "<script>"),
            ("page", "-9223372036854775808"),
            ("item", "../../etc/passwd"),
            ("q", "a\u{0}b\u{202e}"),
        ]);
        assert_eq!(hostile.sort, FindingSort::Severity);
        assert_eq!(hostile.severities, [Severity::High]);
        assert_eq!(hostile.shown_statuses(), [FindingStatus::Open]);
        assert_eq!((hostile.page, hostile.offset()), (1, 0));
        assert_eq!(hostile.item, None);
        assert_eq!(of(&[("page", "99999999999999999999")]).page, 1);
        assert!(of(&[("page", "1000000")]).offset() > 0);
        assert_eq!(of(&[("q", &"x".repeat(5_000))]).text.len(), MAX_TEXT);
    }

    #[test]
    fn a_list_is_found_again_by_its_address() {
        let query = of(&[
            ("severity", "critical"),
            ("severity", "low"),
            ("status", "open"),
            ("scanner", "Semgrep OSS"),
            ("unmapped", "1"),
            ("q", "a&b"),
            ("sort", "path"),
            ("page", "3"),
        ]);
        assert_eq!(
            query.address("r1"),
            "/reviews/r1/findings?severity=critical&severity=low&status=open&scanner=Semgrep%20OSS&unmapped=1&sort=path\
             &q=a%26b&page=3"
        );
        assert_eq!(query.with(|query| query.unmapped = false).page, 1);
    }
}
