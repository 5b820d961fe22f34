//! The table of items: sections with their figures, one row for each item.

use std::collections::HashMap;

use holdpoint_domain::{ItemState, Millis, Severity};
use holdpoint_service::{
    ChecklistSection, ListedItem, Named, SeverityCounts,
    standing::{ItemStanding, ReviewStanding},
};
use leptos::prelude::*;

use crate::{
    pages::items::end_of,
    parts::{
        Avatar, Gate, Ico, Icon, Inline, MiniCells, Shown as _, St, Tone,
        status::{Flag, FlagMark},
        when::{date, late, machine, moment},
    },
    paths,
};

/// Where each item and section of the review stands.
pub(super) struct Stands<'a> {
    items: HashMap<&'a str, &'a ItemStanding>,
    sections: HashMap<Option<&'a str>, Vec<&'a ItemStanding>>,
}

impl<'a> Stands<'a> {
    pub(super) fn of(standing: &'a ReviewStanding) -> Self {
        let mut sections: HashMap<_, Vec<_>> = HashMap::new();
        for item in &standing.items {
            sections
                .entry(item.item.section_id.as_deref())
                .or_default()
                .push(item);
        }
        Self {
            items: standing
                .items
                .iter()
                .map(|item| (item.item.id.as_str(), item))
                .collect(),
            sections,
        }
    }
}

/// One section's rows.
pub(super) fn section(
    section: ChecklistSection,
    stands: &Stands<'_>,
    ticked: &[String],
    now: Millis,
) -> AnyView {
    let all = stands
        .sections
        .get(&section.section.as_ref().map(|section| section.id.as_str()));
    let all: &[&ItemStanding] = all.map_or(&[], Vec::as_slice);
    let states: Vec<ItemState> = all.iter().map(|item| item.state).collect();
    let n_cleared = all.iter().filter(|item| item.is_cleared()).count();
    let left = all
        .iter()
        .filter(|item| item.item.gating == holdpoint_domain::Gating::Blocker && !item.is_cleared())
        .count();
    let left = match left {
        0 => "no blocker left".to_owned(),
        1 => "1 blocker left".to_owned(),
        n => format!("{n} blockers left"),
    };
    let (title, anchor) = match &section.section {
        Some(section) => {
            let number = section
                .number
                .as_ref()
                .map(|number| format!("{number} "))
                .unwrap_or_default();
            (
                format!("{number}{}", section.title),
                format!("s-{}", section.id),
            )
        }
        None => ("Without a section".to_owned(), "s-none".to_owned()),
    };
    let rows = section
        .items
        .into_iter()
        .map(|item| {
            let standing = stands.items.get(item.item.id.as_str()).copied();
            row(item, standing, ticked, now)
        })
        .collect_view();
    view! {
        <tbody role="rowgroup" id=anchor>
            <tr role="row" class="secrow">
                <th role="rowheader" scope="rowgroup" colspan="10">
                    <div class="in">
                        <span class="wrap-any"><Inline text=title /></span>
                        <span class="push">
                            <MiniCells states in_order=true />
                            <span>{format!("{n_cleared} of {} cleared", all.len())}</span>
                            <span>{left}</span>
                        </span>
                    </div>
                </th>
            </tr>
            {rows}
        </tbody>
    }
    .into_any()
}

fn row(
    listed: ListedItem,
    standing: Option<&ItemStanding>,
    ticked: &[String],
    now: Millis,
) -> AnyView {
    let ListedItem {
        item,
        state,
        owner,
        reviewers,
        figures,
        ..
    } = listed;
    let id = item.id.as_str().to_owned();
    let href = paths::item(&id);
    let until = item
        .waived_until
        .filter(|_| state == ItemState::Waived)
        .map(|until| format!("to {}", date(until)));
    let status = match until {
        Some(until) => view! { <St of=state more=until /> }.into_any(),
        None => view! { <St of=state /> }.into_any(),
    };
    let void = standing
        .is_some_and(ItemStanding::is_void)
        .then(|| view! { <FlagMark flag=Flag::Void(String::new()) /> });
    let n_stale = standing.map_or(0, |standing| standing.facts.n_stale_evidence);
    let stale = (n_stale > 0).then(|| {
        view! {
            <span class="pill pill-sm" data-tone=Tone::Amber.as_str()>
                <Ico icon=Icon::Stale />
                {format!("{n_stale} stale")}
            </span>
        }
    });
    let evidence = figure(figures.n_evidence, &href);
    let patches = figure(figures.n_patches, &href);
    let open = standing.map_or_else(SeverityCounts::default, |standing| standing.links.open);
    let findings = findings(open, figures.n_open_findings, &href);
    let is_ticked = ticked.contains(&id);
    let words = item.body.lines().find(|line| !line.trim().is_empty());
    let words: String = words.unwrap_or_default().chars().take(160).collect();
    let named = format!("Select {} {}", item.key, item.title);
    let sub_item = item.parent.is_some().then_some("is-sub");
    view! {
        <tr role="row" class=sub_item>
            <td role="cell" class="fit tickcell">
                <label class="tick">
                    <input type="checkbox" name="items[]" value=id checked=is_ticked />
                    <span class="vh">{named}</span>
                </label>
            </td>
            <td role="cell" class="full clip">
                <span>
                    <span class="faint num">{item.key}</span>
                    " "
                    <a class="ttl" href=href><Inline text=item.title /></a>
                    " "
                    <span class="muted only-wide">{plain(&words)}</span>
                </span>
            </td>
            <td role="cell" data-l="" class="fit">{status}{void}</td>
            <td role="cell" data-l="" class="fit brk"><Gate gating=item.gating /></td>
            <td role="cell" data-l="Owner" class="fit">{people(owner.into_iter().collect())}</td>
            <td role="cell" data-l="Reviewer" class="fit">{people(reviewers)}</td>
            <td role="cell" data-l="Evidence" class="fit"><span class="row one-line">{evidence}{stale}</span></td>
            <td role="cell" data-l="Findings" class="fit">{findings}</td>
            <td role="cell" data-l="Patches" class="n fit">{patches}</td>
            <td role="cell" data-l="Due" class="n fit">{due(item.due_on.as_deref(), state, now)}</td>
        </tr>
    }
    .into_any()
}

/// Markdown as the one line of text that stands beside a title.
fn plain(text: &str) -> String {
    text.trim_start_matches(['-', '*', '+', '>', '#', ' '])
        .chars()
        .filter(|c| !matches!(c, '`' | '*'))
        .collect()
}

fn figure(n: i64, href: &str) -> AnyView {
    if n == 0 {
        view! { <span class="zero">"0"</span> }.into_any()
    } else {
        view! { <a class="plain" href=href.to_owned()>{n}</a> }.into_any()
    }
}

/// Open findings: the serious ones by severity, the others as a number.
fn findings(open: SeverityCounts, n_open: i64, href: &str) -> AnyView {
    if open.total() == 0 && n_open == 0 {
        return view! { <span class="zero">"0"</span> }.into_any();
    }
    let worst = Severity::ALL
        .iter()
        .filter(|severity| severity.is_serious())
        .filter_map(|severity| {
            let n = open.of(*severity);
            let look = severity.look();
            (n > 0).then(|| {
                view! {
                    <span class="st" data-tone=look.tone.as_str()>
                        <Ico icon=look.icon />
                        {n}
                        <span class="vh">{format!(" {}", look.word.to_lowercase())}</span>
                    </span>
                }
            })
        })
        .collect::<Vec<_>>();
    let n_other = open.total() - open.serious();
    let other = (n_other > 0).then(|| {
        let sign = if worst.is_empty() { "" } else { "+" };
        view! { <span class="muted">{format!("{sign}{n_other}")}<span class="vh">{format!(" {}", Severity::mild_names("or"))}</span></span> }
    });
    view! { <a class="plain row one-line" href=format!("{href}#findings")>{worst}{other}</a> }
        .into_any()
}

/// People by first name, with the whole name on hover; more than one as a number.
fn people(people: Vec<Named>) -> AnyView {
    let n = people.len();
    let Some(first) = people.first().map(|person| person.name.clone()) else {
        return view! { <span class="faint">"Nobody"</span> }.into_any();
    };
    let names: Vec<_> = people.into_iter().map(|person| person.name).collect();
    let short = first.split_whitespace().next().unwrap_or(&first).to_owned();
    let more = (n > 1).then(|| format!(" +{}", n - 1));
    view! {
        <span class="who" title=names.join(", ")>
            <Avatar name=first.clone() />
            <span aria-hidden="true">{short}{more}</span>
            <span class="vh">{names.join(", ")}</span>
        </span>
    }
    .into_any()
}

fn due(due_on: Option<&str>, state: ItemState, now: Millis) -> AnyView {
    let Some(end) = due_on.and_then(end_of) else {
        return view! { <span class="zero">"–"</span> }.into_any();
    };
    let is_done = matches!(
        state,
        ItemState::Passed | ItemState::NotApplicable | ItemState::Waived
    );
    let is_today = date(now) == date(end);
    // The year is said only where it is another one.
    let whole = date(end);
    let year = whole.rsplit(' ').next().unwrap_or_default();
    let whole = match whole.strip_suffix(year) {
        Some(day) if date(now).ends_with(year) => day.trim_end().to_owned(),
        _ => whole,
    };
    if is_done {
        return view! { <span class="faint"><time datetime=machine(end)>{whole}</time></span> }
            .into_any();
    }
    match late(end, now) {
        Some(text) => view! {
            <span class="late" data-tone=Tone::Red.as_str() title=format!("Was due {}", moment(end))>
                <Ico icon=Icon::Late />
                {text}
            </span>
        }
        .into_any(),
        None if is_today => view! { <time datetime=machine(end)>"Today"</time> }.into_any(),
        None => view! { <time datetime=machine(end) title=moment(end)>{whole}</time> }.into_any(),
    }
}

#[cfg(test)]
mod tests {
    use leptos::reactive::owner::Owner;

    use super::*;

    #[test]
    fn what_nobody_rated_is_no_mild_rest() {
        let open = SeverityCounts {
            high: 1,
            unrated: 3,
            medium: 2,
            ..SeverityCounts::default()
        };
        let html = Owner::new().with(|| findings(open, 6, "/items/i").to_html());
        let shown = scraper::Html::parse_fragment(&html);
        let texts: Vec<String> = shown
            .select(&scraper::Selector::parse(".st, .muted").unwrap())
            .map(|found| found.text().collect::<String>().trim().to_owned())
            .collect();
        assert_eq!(texts, ["1 high", "3 unrated", "+2 medium, low or info"]);
    }
}
