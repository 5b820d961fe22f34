//! Orders of the list of findings that no single index has: each is put together from parts that are in order already, one
//! after the other or merged, so that a page costs the same however long the list.

use std::cmp::Ordering;

use holdpoint_domain::{FindingStatus, ServiceId, Severity, policy::Policy};

use crate::{
    StorageError, Tx, fetch_all,
    finding_list::{
        FindingCursor, Key, LAST_SEEN_ITSELF, Part, PlacedRow, WITHIN_ITEM, WITHIN_SEVERITY, Walk,
    },
    finding_rows::severity_rank,
};

/// Between a series and the tool of a group of its findings, see [`ToolGroup`].
const OF_SERIES: char = '\u{1f}';
/// The place of what has no limit, or no item: after all the rest, in both directions.
const LAST: i64 = i64::MAX;

/// The findings of one scanner in one series.
struct ToolGroup {
    series: String,
    tool: String,
    label: String,
    /// The tool, where it is another one than the series'.
    own: Option<String>,
    /// As it stands in a cursor.
    key: String,
}

impl ToolGroup {
    fn of(series: &str, tool: String, own: Option<String>, label: &str) -> Self {
        let key = match &own {
            None => series.to_owned(),
            Some(own) => format!("{series}{OF_SERIES}{own}"),
        };
        Self {
            series: series.to_owned(),
            tool,
            label: label.to_owned(),
            own,
            key,
        }
    }
}

/// A stretch of the list.
struct Group<'a> {
    part: Part,
    /// How it is walked within itself.
    walk: Walk<'a>,
    /// Where it stands in the list, which its rows do not say themselves.
    key: Key,
}

impl Tx {
    /// The findings of each scanner, series by series, by the scanner's name. A series has one tool, as a rule; of files with
    /// several an index has those of the others.
    async fn tool_groups(&mut self, service: &ServiceId) -> Result<Vec<ToolGroup>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            id: String,
            tool: String,
            label: String,
            own: Option<String>,
        }
        const SQL: &str = "select series.id, series.tool, series.label, others.tool as own from series left join \
            (select distinct finding.series_id, finding.tool from series join finding on finding.series_id = series.id \
            where series.service_id = $1 and finding.tool is not null) as others \
            on others.series_id = series.id where series.service_id = $1";
        let mut groups: Vec<ToolGroup> = Vec::new();
        let mut of_series = std::collections::BTreeSet::new();
        for row in fetch_all!(self, Row, SQL, service.as_str()) {
            if of_series.insert(row.id.clone()) {
                groups.push(ToolGroup::of(&row.id, row.tool, None, &row.label));
            }
            if let Some(own) = row.own {
                groups.push(ToolGroup::of(&row.id, own.clone(), Some(own), &row.label));
            }
        }
        groups.sort_by_cached_key(|group| {
            (
                group.tool.to_lowercase(),
                group.tool.clone(),
                group.label.clone(),
                group.key.clone(),
            )
        });
        Ok(groups)
    }

    /// By scanner, then number. The scanner's name is the series', as a rule, and no index of findings has it; series are few,
    /// so they are walked one after the other until the page is full.
    pub(crate) async fn rows_by_tool(
        &mut self,
        walk: Walk<'_>,
        most: usize,
        from: Option<&FindingCursor>,
    ) -> Result<Vec<PlacedRow>, StorageError> {
        let mut groups: Vec<Option<ToolGroup>> = self
            .tool_groups(walk.service)
            .await?
            .into_iter()
            .filter(|group| walk.filter.tools.is_empty() || walk.filter.tools.contains(&group.tool))
            .map(Some)
            .collect();
        // Findings written by hand have no series.
        groups.insert(0, None);
        if walk.descending {
            groups.reverse();
        }
        let key_of = |group: &Option<ToolGroup>| {
            group
                .as_ref()
                .map_or_else(String::new, |group| group.key.clone())
        };
        let place = from.and_then(|from| match from.keys.as_slice() {
            [Key::Text(key)] => {
                let at = groups.iter().position(|group| key_of(group) == *key)?;
                Some((at, from.by_number()))
            }
            _ => None,
        });
        let (at, begins) = place.map_or((0, None), |(at, begins)| (at, Some(begins)));
        let groups = groups.into_iter().skip(at).map(|group| Group {
            key: Key::Text(key_of(&group)),
            part: group.map_or(Part::ByHand, |group| Part::OfTool(group.series, group.own)),
            walk: walk.by_number(),
        });
        self.rows_in_turn(groups, most, begins).await
    }

    /// The first rows of groups that stand one after the other, the first of them from a place on.
    async fn rows_in_turn(
        &mut self,
        groups: impl Iterator<Item = Group<'_>>,
        most: usize,
        mut begins: Option<FindingCursor>,
    ) -> Result<Vec<PlacedRow>, StorageError> {
        let mut rows = Vec::new();
        for Group { part, walk, key } in groups {
            if rows.len() >= most {
                break;
            }
            let begins = begins.take();
            let of_group = walk.rows(self, Some(&part), begins.as_ref(), most - rows.len());
            rows.extend(of_group.await?.into_iter().map(|row| row.placed(&key)));
        }
        Ok(rows)
    }

    /// By when they were last seen. What the newest scan of a series has was seen by it, all of it at one moment, and in the
    /// order of numbers; the rest says itself when. Each of these parts is in order already: their first rows are merged.
    pub(crate) async fn rows_by_last_seen(
        &mut self,
        walk: Walk<'_>,
        most: usize,
        from: Option<&FindingCursor>,
    ) -> Result<Vec<PlacedRow>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            id: String,
            last_scan_at: Option<i64>,
        }
        let place = from.and_then(|from| match from.keys.as_slice() {
            [Key::Number(seen)] => Some((*seen, from)),
            _ => None,
        });
        let itself = Walk {
            keys: LAST_SEEN_ITSELF,
            ..walk
        };
        let mut rows = Vec::new();
        for part in [Part::ByHand, Part::Unseen] {
            rows.extend(itself.rows(self, Some(&part), from, most).await?);
        }
        let sql = "select id, last_scan_at from series where service_id = $1";
        for series in fetch_all!(self, Row, sql, walk.service.as_str()) {
            // Without a moment there is no newest scan that could have had anything.
            let Some(seen) = series.last_scan_at else {
                continue;
            };
            let begins = match place {
                None => None,
                Some((at, _)) if at == seen => place.map(|(_, from)| from.by_number()),
                Some((at, _)) if (seen < at) == walk.descending => None,
                // All of it comes before this page.
                Some(_) => continue,
            };
            let part = Part::Seen(series.id);
            let of_part = walk
                .by_number()
                .rows(self, Some(&part), begins.as_ref(), most);
            let seen = Key::Number(seen);
            rows.extend(of_part.await?.into_iter().map(|row| row.placed(&seen)));
        }
        rows.sort_by_key(|row| (row.key_number, row.line.number));
        if walk.descending {
            rows.reverse();
        }
        rows.truncate(most);
        Ok(rows)
    }

    /// By the end of the time that a finding may stay open. Within a severity that is the order of being first seen, which an
    /// index has; the severities are merged. What is not open or has no limit comes last, in both directions.
    pub(crate) async fn rows_by_limit(
        &mut self,
        walk: Walk<'_>,
        policy: &Policy,
        most: usize,
        from: Option<&FindingCursor>,
    ) -> Result<Vec<PlacedRow>, StorageError> {
        let within = Walk {
            keys: WITHIN_SEVERITY,
            ..walk
        };
        let place = from.and_then(|from| match from.keys.as_slice() {
            [Key::Number(due), Key::Number(first_seen)] => Some((*due, *first_seen, from)),
            _ => None,
        });
        let mut has_limit = [true, false];
        if walk.backwards {
            has_limit.reverse();
        }
        let begins = place.map_or(0, |(due, ..)| usize::from(has_limit[0] != (due != LAST)));
        let mut rows = Vec::new();
        for (at, has_limit) in has_limit.into_iter().enumerate().skip(begins) {
            if rows.len() >= most {
                break;
            }
            let place = place.filter(|_| at == begins);
            let mut of_all = Vec::new();
            for (part, allowed) in parts_by_limit(walk.filter, policy, has_limit) {
                let from = place
                    .map(|(due, first_seen, from)| place_within(due, first_seen, from, allowed));
                let of_part = within.rows(self, Some(&part), from.as_ref(), most);
                of_all.extend(of_part.await?.into_iter().map(|row| PlacedRow {
                    key_number: Some(allowed.map_or(LAST, |allowed| {
                        row.line.first_seen_at.saturating_add(allowed)
                    })),
                    ..row
                }));
            }
            of_all.sort_by_key(|row| (row.key_number, row.line.first_seen_at, row.line.number));
            if walk.descending {
                of_all.reverse();
            }
            of_all.truncate(most - rows.len());
            rows.extend(of_all);
        }
        Ok(rows)
    }

    /// By item, in the review's order; of several the first counts. Links are in the order of their findings' ids, which are
    /// given in the order of time. What has no item comes last, in both directions.
    pub(crate) async fn rows_by_item(
        &mut self,
        walk: Walk<'_>,
        most: usize,
        from: Option<&FindingCursor>,
    ) -> Result<Vec<PlacedRow>, StorageError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            id: String,
            position: i64,
        }
        const SQL: &str = "select id, position from item where review_id = $1 \
            and exists (select 1 from finding_item where finding_item.item_id = item.id) order by position";
        let place = from.and_then(|from| match from.keys.as_slice() {
            [Key::Number(position), Key::Text(finding)] => Some((*position, finding, from)),
            _ => None,
        });
        let within = Walk {
            keys: WITHIN_ITEM,
            ..walk
        };
        let mut groups: Vec<(i64, Part, Walk<'_>)> =
            fetch_all!(self, Row, SQL, walk.review.as_str())
                .into_iter()
                .map(|Row { id, position }| (position, Part::OfItem { id, position }, within))
                .collect();
        if walk.descending != walk.backwards {
            groups.reverse();
        }
        groups.push((LAST, Part::OfNoItem, walk.by_number()));
        if walk.backwards {
            groups.reverse();
        }
        if let Some((at, ..)) = place {
            groups.retain(|(position, ..)| !is_before(*position, at, walk));
        }
        let begins = place
            .filter(|(at, ..)| groups.first().is_some_and(|(position, ..)| position == at))
            .map(|(at, finding, from)| match at {
                LAST => from.by_number(),
                _ => FindingCursor {
                    keys: vec![Key::Text(finding.clone())],
                    ..from.clone()
                },
            });
        let groups = groups.into_iter().map(|(position, part, walk)| Group {
            key: Key::Number(position),
            part,
            walk,
        });
        self.rows_in_turn(groups, most, begins).await
    }
}

/// Whether a walk comes by this position before it comes by the other.
fn is_before(position: i64, other: i64, walk: Walk<'_>) -> bool {
    let in_list = match (position == LAST, other == LAST) {
        (true, _) => false,
        (_, true) => true,
        // Walked backwards, a list is the other way round.
        _ if walk.descending == walk.backwards => position < other,
        _ => position > other,
    };
    position != other && in_list != walk.backwards
}

/// The parts of the list in which findings have a limit, each with the milliseconds it gives, or those in which they have none.
fn parts_by_limit(
    filter: &crate::FindingFilter,
    policy: &Policy,
    has_limit: bool,
) -> Vec<(Part, Option<i64>)> {
    let statuses = &filter.statuses;
    let may_be =
        |fits: fn(&FindingStatus) -> bool| statuses.is_empty() || statuses.iter().any(fits);
    let may_be_open = may_be(|status| *status == FindingStatus::Open);
    let may_be_other = may_be(|status| *status != FindingStatus::Open);
    let asked =
        |severity: &&Severity| filter.severities.is_empty() || filter.severities.contains(severity);
    let part = |severity: &Severity| {
        let rank = severity_rank(*severity);
        let part = |is_open| Part::OfSeverity { rank, is_open };
        match (policy.due(*severity, 0), has_limit) {
            (Some(allowed), true) if may_be_open => Some((part(Some(true)), Some(allowed))),
            (Some(_), false) if may_be_other => Some((part(Some(false)), None)),
            (None, false) => Some((part(None), None)),
            _ => None,
        }
    };
    Severity::ALL
        .iter()
        .filter(asked)
        .filter_map(part)
        .collect()
}

/// Where a part of the list goes on that gives so many milliseconds, from a place in the whole list: by what falls due, then
/// by what was seen first, then by number.
fn place_within(
    due: i64,
    first_seen: i64,
    from: &FindingCursor,
    allowed: Option<i64>,
) -> FindingCursor {
    let Some(allowed) = allowed else {
        return FindingCursor {
            keys: vec![Key::Number(first_seen)],
            ..from.clone()
        };
    };
    let seen = due.saturating_sub(allowed);
    FindingCursor {
        keys: vec![Key::Number(seen)],
        number: match seen.cmp(&first_seen) {
            Ordering::Equal => from.number,
            // What falls due at the same moment and was seen later comes after the place, all of it.
            Ordering::Greater => i64::MIN,
            Ordering::Less => i64::MAX,
        },
        ..from.clone()
    }
}
