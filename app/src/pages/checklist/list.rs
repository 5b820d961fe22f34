use holdpoint_domain::{
    Gating, ItemId, ItemState, Millis, ServiceRole, item::Step, person::Action,
};
use holdpoint_service::{Actor, ChecklistPage as Checklist, Named, standing::ReviewStanding};
use leptos::prelude::*;

use super::{
    deliverables::Deliverables,
    filter::Asked,
    rows::{Stands, section},
};
use crate::{
    flash::FormState,
    pages::{
        items::end_of,
        page, parameter, query,
        review_bar::{review_bar, review_crumbs},
        reviews::review_of,
    },
    parts::{
        Button, ButtonLink, Crumb, Empty, Frame, Ico, Icon, Inline, MiniCells, PageHead, Sha, Tab,
        controls::Weight, table::pages,
    },
    paths,
    visit::{Visit, services},
};

/// How many rows a page of the list has.
const PAGE: usize = 200;

/// The items of a review, by section.
#[component]
pub(super) fn ChecklistPage() -> impl IntoView {
    let (id, after, previous) = (parameter("id"), query("after"), query("previous"));
    let asked = Asked::of_address();
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let services = services();
        let id = review_of(&id)?;
        let now = visit.now;
        let from = ItemId::parse(&after);
        let filter = asked.filter(&person, now);
        let listed = services
            .checklist(&person, &id, &filter, from.as_ref(), PAGE)
            .await?;
        let standing = services.review_glance(&person, &id).await?;
        let bar = review_bar(&person, &standing, Tab::Checklist).await?;
        let mut crumbs = review_crumbs(&standing);
        crumbs.push(Crumb::here("Checklist"));
        let access = services.access(&person, &listed.head.service.id).await?;
        let members = services.members(&person, &listed.head.service.id).await?;
        let deliverables = services.deliverables(&person, &id).await?;
        let team: Vec<(Named, ServiceRole)> = members
            .into_iter()
            .filter(|(member, _)| member.disabled_at.is_none())
            .map(|(member, role)| {
                (
                    Named {
                        id: member.id,
                        name: member.name,
                    },
                    role,
                )
            })
            .collect();
        let form = visit.form("checklist/change");
        let left = left_as_they_were(&form);
        let views = views(id.as_str(), &asked, &standing, &person, now);
        let filters = filters(id.as_str(), &asked, &listed.people);
        let head = head(&standing, access.may(Action::Manage), id.as_str());
        let jump = sections_nav(&standing, &asked, id.as_str(), &listed);
        let may_contribute = access.may(Action::Contribute);
        let deliverables_form = visit.form("deliverables/set");
        let owner_form = visit.form("deliverables/set-owner");
        let owners: Vec<Named> = team
            .iter()
            .filter(|(_, role)| access.may(Action::Manage) && role.may(Action::Contribute))
            .map(|(named, _)| named.clone())
            .collect();
        let due = standing.review.due_on.as_deref().and_then(end_of);
        let query_now = asked
            .address(id.as_str(), &after, &previous)
            .split_once('?')
            .map(|(_, query)| query.to_owned())
            .unwrap_or_default();
        let pager = pager(id.as_str(), &asked, &listed, &standing, &after, &previous);
        let content = table(
            listed,
            &standing,
            &asked,
            &form,
            &team,
            access.may(Action::Manage) || may_contribute,
            &query_now,
            now,
        );
        Ok(view! {
            <Frame title=format!("Checklist of {} {}", standing.review.service_name, standing.review.release) crumbs review=bar>
                {head}
                <div class="stack-2 listhead">
                    {left}
                    {views}
                    {filters}
                    {jump}
                </div>
                <div class="stack">
                    {content}
                    {pager}
                    <Deliverables
                        review=id.as_str().to_owned()
                        deliverables
                        due
                        owners
                        may_contribute
                        form=deliverables_form
                        owner_form
                        now
                    />
                </div>
            </Frame>
        })
    })
}

fn head(standing: &ReviewStanding, may_manage: bool, id: &str) -> AnyView {
    let progress = standing.progress();
    let states: Vec<ItemState> = standing.items.iter().map(|item| item.state).collect();
    let left = progress.n_blockers - progress.n_blockers_cleared;
    let left = match left {
        0 => "no blocker left".to_owned(),
        1 => "1 blocker left".to_owned(),
        n => format!("{n} blockers left"),
    };
    let commit = match standing.review.commit_id.clone() {
        Some(commit) => view! { <span>"Evidence is checked against " <Sha digest=commit kind="Commit" shown=7 /></span> }.into_any(),
        None => view! { <span>"No target commit is named"</span> }.into_any(),
    };
    let meta = view! {
        <span><MiniCells states in_order=true bar=true /></span>
        <span><b class="strong">{format!("{} of {}", progress.n_cleared, progress.n_items)}</b> " cleared"</span>
        <span>{left}</span>
        {commit}
    };
    let add = if may_manage {
        view! { <ButtonLink words="Add item" icon=Icon::Plus href=paths::new_item(id) /> }
            .into_any()
    } else {
        view! {
            <Button words="Add item" icon=Icon::Plus impossible="add-why" />
            <span class="vh" id="add-why">"Only a manager of this service can add an item."</span>
        }
        .into_any()
    };
    let actions = view! {
        <ButtonLink words="Ticked document" icon=Icon::Download href=paths::ticked_document(id) download=true />
        <ButtonLink words="Settings" href=paths::settings(id) />
        {add}
    };
    view! { <PageHead title="Checklist" meta=meta.into_any() actions=actions.into_any() /> }
        .into_any()
}

/// Filters that are used often, each with how many items it shows.
fn views(
    id: &str,
    asked: &Asked,
    standing: &ReviewStanding,
    person: &Actor,
    now: Millis,
) -> AnyView {
    let me = person.id.as_str();
    let is_left = |state: ItemState| {
        !matches!(
            state,
            ItemState::Passed | ItemState::NotApplicable | ItemState::Waived
        )
    };
    let count = |fits: &dyn Fn(&holdpoint_service::standing::ItemStanding) -> bool| {
        standing.items.iter().filter(|item| fits(item)).count()
    };
    let of = |change: fn(&mut Asked)| {
        let mut asked = Asked::default();
        change(&mut asked);
        asked
    };
    let views = [
        (of(|_| {}), "All items", standing.items.len()),
        (
            of(|asked| "me".clone_into(&mut asked.owner)),
            "My items",
            count(&|item| item.item.owner_id.as_deref() == Some(me)),
        ),
        (
            of(|asked| "me".clone_into(&mut asked.reviewer)),
            "My reviews",
            count(&|item| item.item.reviewers.iter().any(|(id, _)| id == me)),
        ),
        (
            of(|asked| {
                "blocker".clone_into(&mut asked.gate);
                "left".clone_into(&mut asked.only);
            }),
            "Open blockers",
            count(&|item| item.item.gating == Gating::Blocker && is_left(item.state)),
        ),
        (
            of(|asked| "late".clone_into(&mut asked.due)),
            "Late",
            count(&|item| {
                !item.state.is_decided()
                    && item
                        .item
                        .due_on
                        .as_deref()
                        .and_then(end_of)
                        .is_some_and(|due| due < now)
            }),
        ),
        (
            of(|asked| "no-evidence".clone_into(&mut asked.only)),
            "No evidence",
            count(&|item| item.evidence.is_empty()),
        ),
        (
            of(|asked| "waived".clone_into(&mut asked.status)),
            "Waivers",
            count(&|item| item.state == ItemState::Waived),
        ),
    ];
    let links = views
        .into_iter()
        .map(|(view, words, n)| {
            let here = view == *asked;
            view! {
                <a href=view.address(id, "", "") aria-current=here.then_some("true")>
                    {words}
                    <span class="count">{n}</span>
                </a>
            }
        })
        .collect_view();
    view! { <nav class="views" aria-label="Saved filters">{links}</nav> }.into_any()
}

fn filters(id: &str, asked: &Asked, people: &[Named]) -> AnyView {
    let select =
        |name: &'static str, label: &'static str, chosen: &str, options: Vec<(String, String)>| {
            let field = format!("f-{name}");
            let options = options
                .into_iter()
                .map(|(value, words)| {
                    let selected = value == chosen;
                    view! { <option value=value selected=selected>{words}</option> }
                })
                .collect_view();
            view! {
                <label class="vh" for=field.clone()>{label}</label>
                <select id=field name=name>{options}</select>
            }
            .into_any()
        };
    let pair = |value: &str, words: &str| (value.to_owned(), words.to_owned());
    let mut states = vec![pair("", "Any status")];
    states.extend(
        ItemState::ALL
            .iter()
            .map(|state| pair(state.as_str(), state.label())),
    );
    let persons = |any: &str, nobody: Option<&str>| {
        let mut options = vec![pair("", any), pair("me", "Me")];
        options.extend(nobody.map(|words| pair("none", words)));
        options.extend(
            people
                .iter()
                .map(|named| pair(named.id.as_str(), &named.name)),
        );
        options
    };
    let gates = vec![
        pair("", "Any gate"),
        pair("blocker", "Blocker"),
        pair("advisory", "Advisory"),
    ];
    let dues = vec![
        pair("", "Any due date"),
        pair("late", "Late"),
        pair("today", "Due by today"),
        pair("week", "Due within 7 days"),
    ];
    let only = vec![
        pair("", "Cleared or not"),
        pair("left", "Not cleared"),
        pair("no-evidence", "No evidence"),
    ];
    let clear = (!asked.is_empty()).then(|| {
        view! { <a class="btn btn-quiet" href=paths::checklist(id)>"Clear filters"</a> }
    });
    view! {
        <form class="filterbar" method="get" action=paths::checklist(id) aria-label="Filter items">
            <div class="search">
                <label class="vh" for="q">"Search in items"</label>
                <Ico icon=Icon::Search />
                <input type="search" id="q" name="q" value=asked.q.clone() placeholder="Search in items" />
            </div>
            <div class="filterset">
                {select("status", "Status", &asked.status, states)}
                {select("owner", "Owner", &asked.owner, persons("Any owner", Some("Nobody")))}
                {select("reviewer", "Reviewer", &asked.reviewer, persons("Any reviewer", None))}
                {select("gate", "Gate", &asked.gate, gates)}
                {select("due", "Due", &asked.due, dues)}
                {select("only", "Cleared", &asked.only, only)}
                <button class="btn" type="submit"><Ico icon=Icon::Filter />"Filter"</button>
                {clear}
            </div>
        </form>
    }
    .into_any()
}

/// In a list of several pages: a link to the page on which each section begins.
fn sections_nav(
    standing: &ReviewStanding,
    asked: &Asked,
    id: &str,
    listed: &Checklist,
) -> Option<AnyView> {
    let is_long = listed.next.is_some() || standing.items.len() > PAGE;
    if !is_long || !asked.is_empty() {
        return None;
    }
    let mut last: Option<&Option<String>> = None;
    let mut before = "";
    let mut options = Vec::new();
    for item in &standing.items {
        if last != Some(&item.item.section_id) {
            options.push((
                before.to_owned(),
                item.item.key.clone(),
                item.item.title.clone(),
            ));
            last = Some(&item.item.section_id);
        }
        before = &item.item.id;
    }
    // One section gives nothing to choose; thousands would be a page of their own.
    if options.len() < 2 || options.len() > 400 {
        return None;
    }
    let options = options
        .into_iter()
        .map(|(after, key, title)| {
            let short: String = title.chars().take(60).collect();
            view! { <option value=after>{format!("{key} {short}")}</option> }
        })
        .collect_view();
    Some(
        view! {
            <form class="filterbar" method="get" action=paths::checklist(id) aria-label="Go to a section">
                <label for="after">"Section that begins with"</label>
                <select id="after" name="after">{options}</select>
                <Button words="Go" small=true />
            </form>
        }
        .into_any(),
    )
}

fn pager(
    id: &str,
    asked: &Asked,
    listed: &Checklist,
    standing: &ReviewStanding,
    after: &str,
    previous: &str,
) -> Option<AnyView> {
    let is_later = !after.is_empty();
    if !is_later && listed.next.is_none() {
        return None;
    }
    let shown: usize = listed
        .sections
        .iter()
        .map(|section| section.items.len())
        .sum();
    // Without a filter the page before is known from the review's order; with one it is where the link came from.
    let before = if asked.is_empty() {
        standing
            .items
            .iter()
            .position(|item| item.item.id == after)
            .and_then(|at| (at + 1).checked_sub(PAGE))
            .map(|at| {
                at.checked_sub(1)
                    .and_then(|at| standing.items.get(at))
                    .map(|item| item.item.id.clone())
                    .unwrap_or_default()
            })
    } else {
        Some(previous.to_owned()).filter(|previous| !previous.is_empty())
    };
    let previous_page = before
        .filter(|_| is_later)
        .map(|before| asked.address(id, &before, ""));
    let next = listed
        .next
        .as_ref()
        .map(|next| asked.address(id, next.as_str(), after));
    let first = is_later.then(|| asked.address(id, "", ""));
    Some(pages(
        format!("{shown} of {} items on this page", listed.n_matching),
        first,
        previous_page,
        next,
    ))
}

fn table(
    listed: Checklist,
    standing: &ReviewStanding,
    asked: &Asked,
    form: &FormState,
    team: &[(Named, ServiceRole)],
    may_change: bool,
    query: &str,
    now: Millis,
) -> AnyView {
    let id = listed.head.review.id.as_str().to_owned();
    if listed.sections.is_empty() {
        return if asked.is_empty() {
            view! {
                <section class="panel" aria-label="Items">
                    <Empty
                        title="No items here"
                        text="Items are what must be proved before the release may pass its hold point. Until then the verdict is no-go."
                    >
                        <ButtonLink words="Add the first item" icon=Icon::Plus href=paths::new_item(&id) weight=Weight::Primary />
                    </Empty>
                </section>
            }
            .into_any()
        } else {
            view! {
                <section class="panel" aria-label="Items">
                    <Empty title="No item matches" text="The review has items, but none that fits these filters.">
                        <ButtonLink words="Clear filters" href=paths::checklist(&id) />
                    </Empty>
                </section>
            }
            .into_any()
        };
    }
    let stands = Stands::of(standing);
    let ticked: Vec<String> = form
        .typed("items")
        .unwrap_or_default()
        .split(',')
        .filter(|id| !id.is_empty())
        .map(str::to_owned)
        .collect();
    let n = listed.n_matching;
    let n_sections = listed.sections.len();
    let bodies = listed
        .sections
        .into_iter()
        .map(|of| section(of, &stands, &ticked, now))
        .collect_view();
    let bulk = bulk(form, team, may_change);
    view! {
        <form method="post" action=paths::action("checklist/change")>
            <input type="hidden" name="review" value=id />
            <input type="hidden" name="filter" value=query.to_owned() />
            <div class="panel">
                <div class="tbl-wrap" tabindex="0" role="region" aria-label="Checklist items">
                    <table class="tbl stackable" role="table">
                        <caption class="vh">{format!("{n} items, {n_sections} sections on this page")}</caption>
                        <thead role="rowgroup">
                            <tr role="row">
                                <th role="columnheader" scope="col" class="fit"><span class="vh">"Select"</span></th>
                                <th role="columnheader" scope="col">"Item"</th>
                                <th role="columnheader" scope="col">"Status"</th>
                                <th role="columnheader" scope="col">"Gate"</th>
                                <th role="columnheader" scope="col">"Owner"</th>
                                <th role="columnheader" scope="col">"Reviewer"</th>
                                <th role="columnheader" scope="col">"Evidence"</th>
                                <th role="columnheader" scope="col">"Findings"</th>
                                <th role="columnheader" scope="col" class="n">"Patches"</th>
                                <th role="columnheader" scope="col" class="n">"Due"</th>
                            </tr>
                        </thead>
                        {bodies}
                    </table>
                </div>
            </div>
            {bulk}
        </form>
    }
    .into_any()
}

/// What can be done with the ticked items. Shown by CSS once one is ticked, so that it works without script.
fn bulk(form: &FormState, team: &[(Named, ServiceRole)], may_change: bool) -> AnyView {
    if !may_change {
        return view! {
            <div class="bulk" role="group" aria-label="Actions on ticked items">
                <span class="n">"Ticked items"</span>
                <span class="small muted">"Only people who work on this service can change its items."</span>
                <button class="btn btn-quiet" type="reset">"Clear"</button>
            </div>
        }
        .into_any();
    }
    let chosen = form.typed("change").unwrap_or_default().to_owned();
    let option = |value: String, words: String| {
        let selected = value == chosen;
        view! { <option value=value selected=selected>{words}</option> }
    };
    let owners = team
        .iter()
        .filter(|(_, role)| role.may(Action::Contribute))
        .map(|(named, _)| {
            option(
                format!("owner:{}", named.id),
                format!("Owner: {}", named.name),
            )
        })
        .collect_view();
    let reviewers = team
        .iter()
        .filter(|(_, role)| role.may(Action::Decide))
        .map(|(named, _)| {
            option(
                format!("reviewer:{}", named.id),
                format!("Add reviewer: {}", named.name),
            )
        })
        .collect_view();
    let steps = [Step::Start, Step::RequestReview, Step::BackToWork]
        .map(|step| option(format!("step:{}", step.as_str()), step.label().to_owned()));
    let due_error = form.error("due_on");
    let wrong_date = due_error.is_some();
    view! {
        <div class="bulk" role="group" aria-label="Actions on ticked items">
            <span class="n">"Ticked items"</span>
            <label class="vh" for="b-change">"Action"</label>
            <select id="b-change" name="change">
                {option(String::new(), "Choose an action".to_owned())}
                <optgroup label="Owner">
                    {owners}
                    {option("owner:".to_owned(), "Owner: nobody".to_owned())}
                </optgroup>
                <optgroup label="Reviewer">{reviewers}</optgroup>
                <optgroup label="Due date">
                    <option class="is-due" value="due" selected=chosen == "due">"Set due date"</option>
                    {option("due:none".to_owned(), "Take the due date away".to_owned())}
                </optgroup>
                <optgroup label="Gate">
                    {option("gate:blocker".to_owned(), "Gate: blocker".to_owned())}
                    {option("gate:advisory".to_owned(), "Gate: advisory".to_owned())}
                </optgroup>
                <optgroup label="Move">{steps}</optgroup>
            </select>
            <label class="vh" for="b-due">"Due date"</label>
            <input
                id="b-due"
                class="due"
                type="date"
                name="due_on"
                value=form.typed("due_on").unwrap_or_default().to_owned()
                aria-invalid=wrong_date.then_some("true")
            />
            <button class="btn btn-primary" type="submit">"Apply to ticked items"</button>
            <button class="btn btn-quiet" type="reset">"Clear"</button>
        </div>
    }
    .into_any()
}

/// The items that a change left as they were, each with its reason.
fn left_as_they_were(form: &FormState) -> Option<AnyView> {
    let left = form.typed("left").filter(|left| !left.is_empty())?;
    let rows = left
        .lines()
        .map(|line| {
            let mut parts = line.split('\t');
            let (key, title, why) = (
                parts.next().unwrap_or_default().to_owned(),
                parts.next().unwrap_or_default().to_owned(),
                parts.next().unwrap_or_default().to_owned(),
            );
            view! {
                <li>
                    <span class="faint num">{key}</span>
                    <span class="strong wrap-any"><Inline text=title /></span>
                    <span class="grow wrap-any">{why}</span>
                </li>
            }
        })
        .collect_view();
    Some(
        view! {
            <section class="panel" aria-labelledby="h-left">
                <div class="panel-head"><h2 id="h-left">"Left as they were"</h2></div>
                <ul class="rows">{rows}</ul>
            </section>
        }
        .into_any(),
    )
}
