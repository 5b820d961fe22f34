//! What a list of findings is asked for, as its address says it. What the address says wrongly is left out.

use holdpoint_domain::{
    FindingStatus, ItemId, Millis, PersonId, Policy, ScannerState, SeriesId, Severity,
};
use holdpoint_service::{FindingCursor, FindingFilter, FindingSort};
use leptos::prelude::ReadUntracked as _;

use crate::paths;

/// How many findings stand on a page.
pub(crate) const PAGE: usize = 50;
/// Words that are searched for, at most this long.
const MAX_TEXT: usize = 200;
/// How the address names findings without a scanner.
pub(crate) const BY_HAND: &str = "-";

/// A list as its address asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a box of its own that can be ticked"
)]
pub(crate) struct Query {
    pub severities: Vec<Severity>,
    pub statuses: Vec<FindingStatus>,
    /// Every status; otherwise, with none named, the open ones.
    pub all: bool,
    pub tools: Vec<String>,
    /// What the scanner says of them.
    pub says: Vec<ScannerState>,
    pub item: Option<ItemId>,
    pub unmapped: bool,
    pub categories: Vec<String>,
    pub series: Vec<SeriesId>,
    pub rule: String,
    /// What the path begins with.
    pub path: String,
    /// Linked to an item that the reader owns.
    pub mine: bool,
    /// Open for longer than the policy allows.
    pub late: bool,
    /// Somebody asks another to make something of it.
    pub asked: bool,
    pub text: String,
    pub sort: FindingSort,
    /// Where the page begins; the first page has no place.
    pub from: Option<FindingCursor>,
}

impl Query {
    /// As the address of this page says it, and whether it says something that no filter knows.
    pub fn of_address() -> (Self, bool) {
        let map = leptos_router::hooks::use_query_map();
        let map = map.read_untracked();
        let values = |name: &str| map.get_all(name).unwrap_or_default();
        let query = Self::read(values);
        let is_strange = query.leaves_out(values);
        (query, is_strange)
    }

    /// Whether there are words that were not read.
    fn leaves_out(&self, values: impl Fn(&str) -> Vec<String>) -> bool {
        let pairs = self.pairs();
        let is_read = |name: &str, word: &str| {
            let mut said = pairs.iter();
            word.is_empty() || said.any(|(of, text)| *of == name && text == word)
        };
        ["severity", "status", "says", "item", "series"]
            .into_iter()
            .any(|name| values(name).iter().any(|word| !is_read(name, word)))
    }

    /// As a query's text says it, wherever it comes from.
    pub fn of_text(query: &str) -> Self {
        let map: leptos_router::params::ParamsMap = url::form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        Self::read(|name| map.get_all(name).unwrap_or_default())
    }

    fn read(values: impl Fn(&str) -> Vec<String>) -> Self {
        let one = |name: &str| values(name).into_iter().next().unwrap_or_default();
        let names = |name: &str| {
            let mut names: Vec<_> = values(name)
                .into_iter()
                .filter(|of| !of.is_empty() && of.len() <= MAX_TEXT && !of.contains('\0'))
                .take(50)
                .collect();
            names.dedup();
            names
        };
        let line = |name: &str| -> String {
            let text = one(name);
            text.chars()
                .filter(|c| !c.is_control())
                .take(MAX_TEXT)
                .collect()
        };
        let sort = FindingSort::parse(&one("sort")).unwrap_or_default();
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
            tools: names("scanner"),
            says: ScannerState::ALL
                .iter()
                .copied()
                .filter(|state| values("says").iter().any(|word| word == state.as_str()))
                .collect(),
            categories: names("category"),
            series: names("series")
                .iter()
                .filter_map(|id| SeriesId::parse(id))
                .collect(),
            rule: line("rule"),
            path: line("path"),
            mine: one("mine") == "1",
            late: one("late") == "1",
            asked: one("asked") == "1",
            item: ItemId::parse(&one("item")),
            unmapped: one("unmapped") == "1",
            text: line("q"),
            from: FindingCursor::parse(&one("from"), sort),
            sort,
        }
    }

    /// Leaves out what the review does not have, and says so: a list cut by it would look as if nothing had been found.
    pub fn leave_out(
        &mut self,
        is_strange: bool,
        has_item: impl Fn(&ItemId) -> bool,
        has_series: impl Fn(&SeriesId) -> bool,
    ) -> Option<String> {
        let mut left_out = Vec::new();
        if is_strange {
            left_out.push("a word that no filter knows");
        }
        if self.item.take_if(|item| !has_item(item)).is_some() {
            left_out.push("an item that this review does not have");
        }
        let n_series = self.series.len();
        self.series.retain(has_series);
        if self.series.len() < n_series {
            left_out.push("a series that this service does not have");
        }
        let it = match left_out.len() {
            0 => return None,
            1 => "it",
            _ => "them",
        };
        // The place was one in another list.
        self.from = None;
        let left_out = left_out.join(" and ");
        Some(format!(
            "The address names {left_out}. The list is not cut by {it}."
        ))
    }

    /// The statuses that are shown: the open ones unless others are asked for.
    pub fn shown_statuses(&self) -> Vec<FindingStatus> {
        match (self.all, self.statuses.is_empty()) {
            (true, _) => Vec::new(),
            (false, true) => vec![FindingStatus::Open],
            (false, false) => self.statuses.clone(),
        }
    }

    /// For the one who reads, under a policy, at a moment.
    pub fn filter(&self, me: &PersonId, policy: &Policy, now: Millis) -> FindingFilter {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
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
            scanner_states: self.says.clone(),
            item: self.item.clone(),
            unmapped: self.unmapped,
            categories: self.categories.clone(),
            series: self.series.clone(),
            rule: given(&self.rule),
            path: given(&self.path),
            owner: self.mine.then(|| me.clone()),
            late_before: self.late.then(|| policy.late_before(now)),
            text: given(&self.text),
            asked: self.asked,
            ..FindingFilter::default()
        }
    }

    /// Whether anything but the status cuts the list.
    pub fn is_cut(&self) -> bool {
        !self.severities.is_empty()
            || !self.tools.is_empty()
            || !self.says.is_empty()
            || !self.categories.is_empty()
            || !self.series.is_empty()
            || self.item.is_some()
            || self.unmapped
            || self.mine
            || self.late
            || self.asked
            || !self.rule.trim().is_empty()
            || !self.path.trim().is_empty()
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
        pairs.extend(
            self.says
                .iter()
                .map(|state| ("says", state.as_str().to_owned())),
        );
        pairs.extend(self.categories.iter().map(|one| ("category", one.clone())));
        let series = self.series.iter();
        pairs.extend(series.map(|series| ("series", series.as_str().to_owned())));
        for (name, text) in [("rule", &self.rule), ("path", &self.path)] {
            if !text.is_empty() {
                pairs.push((name, text.clone()));
            }
        }
        for (name, is_asked) in [
            ("mine", self.mine),
            ("late", self.late),
            ("asked", self.asked),
        ] {
            if is_asked {
                pairs.push((name, "1".to_owned()));
            }
        }
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
        if let Some(from) = &self.from {
            pairs.push(("from", from.encoded()));
        }
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        paths::with_query(&paths::findings(review), &pairs)
    }

    /// What the address asks for, from the first page on.
    pub fn text(&self) -> String {
        paths::query_of(&self.with(|_| ()).address("r"))
    }

    /// With one thing changed, from its first page on.
    pub fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut changed = Self {
            from: None,
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

    fn filter(query: &Query) -> FindingFilter {
        let me = PersonId::parse("me").expect("an id");
        query.filter(&me, &Policy::default(), 1_000 * 86_400_000)
    }

    #[test]
    fn what_is_late_depends_on_the_limit_of_its_severity() {
        let late = filter(&of(&[("late", "1")])).late_before.expect("is asked");
        let policy = Policy::default();
        assert!(!late.is_empty());
        for (severity, before) in late {
            let due = policy.due(severity, before);
            assert_eq!(due, Some(1_000 * 86_400_000), "{severity:?}");
        }
    }

    #[test]
    fn an_address_without_a_word_asks_for_the_open_ones() {
        assert_eq!(filter(&of(&[])).statuses, [FindingStatus::Open]);
        assert_eq!(filter(&of(&[("all", "1")])).statuses, []);
        assert_eq!(
            filter(&of(&[("status", "fixed")])).statuses,
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
            ("from", "{\"k\":[\"x\"],\"n\":1}"),
            ("item", "../../etc/passwd"),
            ("q", "a\u{0}b\u{202e}"),
        ]);
        assert_eq!(hostile.sort, FindingSort::Severity);
        assert_eq!(hostile.severities, [Severity::High]);
        assert_eq!(hostile.shown_statuses(), [FindingStatus::Open]);
        assert_eq!(hostile.from, None, "a place of another order");
        assert_eq!(hostile.item, None);
        for place in ["", "{}", "[1", "{\"k\":[1],\"n\":99999999999999999999}"] {
            assert_eq!(of(&[("from", place)]).from, None, "{place}");
        }
        assert_eq!(of(&[("q", &"x".repeat(5_000))]).text.len(), MAX_TEXT);
    }

    #[test]
    fn what_a_review_does_not_have_is_left_out_and_told() {
        let asked = of(&[
            ("item", "i1"),
            ("series", "s1"),
            ("series", "s2"),
            ("q", "x"),
        ]);
        let there = |_: &ItemId| true;
        let mut query = asked.clone();
        assert_eq!(query.leave_out(false, there, |_| true), None);
        assert_eq!(query, asked);
        let of_review = |series: &SeriesId| series.as_str() == "s1";
        let why = query.leave_out(false, there, of_review).expect("is told");
        assert!(why.contains("series"), "{why}");
        assert_eq!((query.series.len(), query.text.as_str()), (1, "x"));
        let why = query.leave_out(true, |_| false, of_review);
        assert_eq!(
            why.expect("is told"),
            "The address names a word that no filter knows and an item that this review does not have. \
             The list is not cut by them."
        );
        assert_eq!(query.item, None);
    }

    #[test]
    fn a_word_that_no_filter_knows_is_noticed() {
        let is_strange = |pairs: &[(&str, &str)]| {
            let values = |name: &str| {
                let of = pairs.iter().filter(|(of, _)| *of == name);
                of.map(|(_, value)| (*value).to_owned()).collect()
            };
            Query::read(values).leaves_out(values)
        };
        assert!(!is_strange(&[
            ("severity", "high"),
            ("status", ""),
            ("says", "review"),
            ("series", "s1"),
            ("item", "i1"),
            ("q", "anything"),
        ]));
        for name in ["severity", "status", "says"] {
            assert!(is_strange(&[(name, "awful")]), "{name}");
        }
        assert!(is_strange(&[("item", "\0")]));
    }

    #[test]
    fn a_list_is_found_again_by_its_address() {
        let query = of(&[
            ("severity", "critical"),
            ("severity", "low"),
            ("status", "open"),
            ("scanner", "Semgrep OSS"),
            ("says", "suppressed"),
            ("says", "nothing"),
            ("series", "s1"),
            ("series", "s2"),
            ("unmapped", "1"),
            ("q", "a&b"),
            ("sort", "path"),
            ("from", "{\"k\":[\"a\",3],\"n\":7}"),
        ]);
        assert!(query.from.is_some());
        assert_eq!(
            query.address("r1"),
            "/reviews/r1/findings?severity=critical&severity=low&status=open&scanner=Semgrep%20OSS&says=suppressed&series=s1&series=s2&unmapped=1&sort=path\
             &q=a%26b&from=%7B%22k%22%3A%5B%22a%22%2C3%5D%2C%22n%22%3A7%7D"
        );
        assert_eq!(query.with(|query| query.unmapped = false).from, None);
    }
}
