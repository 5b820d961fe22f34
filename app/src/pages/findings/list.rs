//! The findings of a review: facets, search, order, pages, and deciding about ticked ones.

use holdpoint_domain::{FindingStatus, Millis, Policy, ScannerState, Severity, person::Action};
use holdpoint_service::{
    FindingCursor, FindingFacets, FindingFilter, FindingLine, FindingLines, FindingSort,
    SavedFilter, findings::category_label,
};
use leptos::prelude::*;

use super::{
    LimitOf, Standing, StatusOf,
    decisions::{LastDecision, is_offered},
    item_options, limit_of, n_findings, place,
    query::{BY_HAND, PAGE, Query},
    review_of_address, thousands,
};
use crate::{
    flash::FormState,
    pages::{
        page,
        review_bar::{review_bar, review_crumbs, review_name},
    },
    parts::{
        Button, ButtonLink, Column, Empty, Frame, Ico, Icon, Inline, PageHead, St, Tab, Table,
        TextField,
        controls::Weight,
        figure::capitalised,
        panel::Disclosure,
        status::Tone,
        table::pages,
        when::{date, machine},
    },
    paths,
    visit::{Visit, services},
};

#[component]
pub(super) fn FindingsPage() -> impl IntoView {
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let id = review_of_address()?;
        let (mut query, is_strange) = Query::of_address();
        let services = services();
        let standing = services.review_glance(&person, &id).await?;
        let service = holdpoint_domain::ServiceId::parse(&standing.review.service_id)
            .ok_or(crate::pages::PageError::NotFound("This review"))?;
        let access = services.access(&person, &service).await?;
        // What the saved filters count does not depend on what the list is cut by.
        let whole = FindingFilter {
            statuses: vec![FindingStatus::Open],
            ..FindingFilter::default()
        };
        let whole = services.finding_facets(&person, &id, &whole).await?;
        let left_out = query
            .leave_out(
                is_strange,
                |item| standing.item(item).is_some(),
                |series| whole.series.iter().any(|(there, _)| there.id == *series),
            )
            .map(|why| view! { <p class="small" role="status">{why}</p> });
        let filter = query.filter(&person.id, &standing.policy, visit.now);
        let found = services
            .findings_of_review(&person, &id, &filter, query.sort, PAGE, query.from.as_ref())
            .await?;
        let facets = services.finding_facets(&person, &id, &filter).await?;
        let saved = services.saved_filters(&person, &service).await?;
        let filter_form = visit.form("filters/save");
        let change_form = visit.form("filters/change");
        let last_scan = services
            .scans_of(&person, &service, None, 1)
            .await?
            .into_iter()
            .next();
        let last_decision = services
            .triage_batches(&person, &id, 1)
            .await?
            .pop()
            .filter(|batch| is_offered(batch, &person.id, visit.now))
            .map(|batch| {
                let back = query.text();
                view! { <LastDecision batch review=id.as_str().to_owned() back now=visit.now /> }
            });
        let bar = review_bar(&person, &standing, Tab::Findings).await?;
        let now = visit.now;
        let n_all: i64 = whole.statuses.iter().map(|(_, n)| n).sum();
        let n_late = standing
            .findings
            .iter()
            .filter(|finding| {
                holdpoint_domain::verdict::is_open(finding.status, finding.holds_until, now)
                    && standing
                        .policy
                        .due(finding.severity, finding.first_seen_at)
                        .is_some_and(|due| due < now)
            })
            .count();
        let item_key = query
            .item
            .as_ref()
            .and_then(|item| standing.item(item))
            .map(|item| item.item.key.clone());
        let review = id.as_str().to_owned();
        let title = format!("Findings: {}", review_name(&standing));
        let meta = view! {
            <span>{format!("{} open of {}", thousands(whole.n), thousands(n_all))}</span>
            {(n_late > 0)
                .then(|| {
                    view! {
                        <span class="late" data-tone=Tone::Red.as_str()>
                            <Ico icon=Icon::Late />
                            {format!("{} past their limit", thousands(n_late))}
                        </span>
                    }
                })}
            {last_scan
                .map(|scan| {
                    let at = scan.imported_at;
                    let commit = scan.commit.map(|commit| commit.chars().take(7).collect::<String>());
                    view! {
                        <span class="t">
                            "Last scan " <time datetime=machine(at)>{crate::parts::when::near(at, now)}</time>
                            {commit.map(|commit| view! { ", at " <span class="sha">{commit}</span> })}
                        </span>
                    }
                })}
        }
        .into_any();
        let actions = view! {
            <ButtonLink words="Mapping" href=paths::mapping(&review) />
            <ButtonLink words="Write a finding" href=paths::new_finding(&review) icon=Icon::Plus />
            <ButtonLink words="Import scans" href=paths::scans(&review) icon=Icon::Upload weight=Weight::Primary />
        }
        .into_any();
        let body = if n_all == 0 {
            view! {
                <section class="panel" aria-label="Findings">
                    <Empty
                        title="No finding yet"
                        text="Findings come from scans, or are written by hand. No scan of this service has been imported and nothing was written, which shows nothing about its safety: where the policy asks for a scan, the verdict stays no-go."
                    >
                        <ButtonLink words="Import scans" href=paths::scans(&review) icon=Icon::Upload weight=Weight::Primary />
                        <ButtonLink words="Write a finding" href=paths::new_finding(&review) icon=Icon::Plus />
                    </Empty>
                </section>
            }
            .into_any()
        } else {
            view! {
                <div class="with-facets">
                    <Facets review=review.clone() query=query.clone() facets=facets.as_ref().clone() />
                    <div class="stack-2">
                        <Views review=review.clone() query=query.clone() whole=whole.as_ref().clone() n_all saved=saved.clone() />
                        <Keep review=review.clone() query=query.clone() saved form=filter_form change=change_form />
                        <SearchBar review=review.clone() query=query.clone() item=item_key />
                        {left_out}
                        {last_decision}
                        <List
                            review=review.clone()
                            query=query.clone()
                            found
                            n=facets.n
                            policy=standing.policy.clone()
                            items=item_options(&standing, "Item")
                            may_contribute=access.may(Action::Contribute)
                            now
                        />
                    </div>
                </div>
            }
            .into_any()
        };
        Ok(view! {
            <Frame title crumbs=review_crumbs(&standing) review=bar>
                <PageHead title="Findings" meta actions />
                {body}
            </Frame>
        }
        .into_any())
    })
}

/// Hidden fields that keep the rest of the address in a GET form.
fn kept(pairs: Vec<(&'static str, String)>) -> impl IntoView {
    pairs
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
        .collect_view()
}

#[component]
fn Facets(review: String, query: Query, facets: FindingFacets) -> impl IntoView {
    let n_ticked = query.severities.len()
        + query.statuses.len()
        + query.tools.len()
        + query.says.len()
        + query.categories.len()
        + query.series.len()
        + usize::from(query.unmapped)
        + usize::from(query.mine)
        + usize::from(query.late)
        + usize::from(query.asked);
    let severities = Severity::ALL
        .iter()
        .map(|severity| {
            facet_box(
                "severity",
                severity.as_str().to_owned(),
                view! { <St of=*severity /> }.into_any(),
                facets.severities.of(*severity),
                query.severities.contains(severity),
            )
        })
        .collect_view();
    let shown = query.shown_statuses();
    let statuses = FindingStatus::ALL
        .iter()
        .map(|status| {
            let n = facets
                .statuses
                .iter()
                .find(|(of, _)| of == status)
                .map_or(0, |(_, n)| *n);
            facet_box(
                "status",
                status.as_str().to_owned(),
                view! { <St of=*status /> }.into_any(),
                n,
                shown.contains(status),
            )
        })
        .collect_view();
    // A scanner that is ticked stays visible, also where nothing of it is left.
    let mut tools = facets.tools.clone();
    for tool in &query.tools {
        let name = if tool == BY_HAND { "" } else { tool };
        if !tools.iter().any(|(of, _)| of == name) {
            tools.push((name.to_owned(), 0));
        }
    }
    tools.sort_by_cached_key(|(tool, _)| tool.to_lowercase());
    let tools = tools
        .into_iter()
        .map(|(tool, n)| {
            let (value, words) = if tool.is_empty() {
                (BY_HAND.to_owned(), "Written by hand".to_owned())
            } else {
                (tool.clone(), tool)
            };
            let ticked = query.tools.contains(&value);
            facet_box(
                "scanner",
                value,
                view! { <span class="wrap-any">{words}</span> }.into_any(),
                n,
                ticked,
            )
        })
        .collect_view();
    let says = says_facet(&query, &facets);
    let series = series_facet(&query, &facets);
    let unmapped = facet_box(
        "unmapped",
        "1".to_owned(),
        "Without item".into_any(),
        facets.mapped.1,
        query.unmapped,
    );
    let mut categories = facets.categories.clone();
    for category in &query.categories {
        if !categories.iter().any(|(of, _)| of == category) {
            categories.push((category.clone(), 0));
        }
    }
    let categories = categories
        .into_iter()
        .map(|(category, n)| {
            let ticked = query.categories.contains(&category);
            let words = category_label(&category).to_owned().into_any();
            facet_box("category", category, words, n, ticked)
        })
        .collect_view();
    let (rule, path) = (query.rule.clone(), query.path.clone());
    let is_narrowed =
        !rule.is_empty() || !path.is_empty() || query.mine || query.late || query.asked;
    let more = view! {
        <label><input type="checkbox" name="late" value="1" checked=query.late />"Past the limit"</label>
        <label><input type="checkbox" name="mine" value="1" checked=query.mine />"Of items I own"</label>
        <label><input type="checkbox" name="asked" value="1" checked=query.asked />"Waits for a second person"</label>
        <div class="field">
            <label for="f-rule">"Rule"</label>
            <input id="f-rule" name="rule" value=rule maxlength="200" autocomplete="off" />
        </div>
        <div class="field">
            <label for="f-path">"Path begins with"</label>
            <input id="f-path" name="path" value=path maxlength="200" autocomplete="off" />
        </div>
    };
    // A phone shows no heads of columns, and some orders have none.
    let orders = FindingSort::ALL
        .iter()
        .map(|(sort, word)| {
            let chosen = *sort == query.sort;
            view! { <option value=*word selected=chosen>{capitalised(order_words(*sort))}</option> }
        })
        .collect_view();
    let order = view! {
        <div class="field">
            <label for="f-order">"Findings are listed"</label>
            <select id="f-order" name="sort">{orders}</select>
        </div>
    };
    let is_ordered = query.sort != FindingSort::default();
    // Statuses are ticked boxes themselves; only what has no box is kept beside them.
    let rest = query
        .pairs()
        .into_iter()
        .filter(|(name, _)| *name == "item")
        .chain((!query.text.is_empty()).then(|| ("q", query.text.clone())))
        .collect();
    view! {
        <details class="facetbox">
            <summary>
                <Ico icon=Icon::Filter />
                "Facets "
                <span class="count">{format!("{n_ticked} ticked")}</span>
            </summary>
            <form class="facets" method="get" action=paths::findings(&review) aria-label="Facets">
                {kept(rest)}
                {facet("Severity", severities.into_any(), true)}
                {facet("Status", statuses.into_any(), true)}
                {facet("Scanner", tools.into_any(), true)}
                {says}
                {series}
                {facet("Item", unmapped, true)}
                {facet("Category", categories.into_any(), !query.categories.is_empty())}
                {facet("More", more.into_any(), is_narrowed)}
                {facet("Order", order.into_any(), is_ordered)}
                <button class="btn btn-sm space-top" type="submit">"Show findings"</button>
            </form>
        </details>
    }
    .into_any()
}

/// What scanners say, where one says something: else there is nothing to choose. One that is ticked stays visible.
fn says_facet(query: &Query, facets: &FindingFacets) -> Option<AnyView> {
    let n_of = |state: ScannerState| {
        let found = facets.scanner_states.iter().find(|(of, _)| *of == state);
        found.map_or(0, |(_, n)| *n)
    };
    let shown: Vec<_> = ScannerState::ALL
        .iter()
        .copied()
        .filter(|state| n_of(*state) > 0 || query.says.contains(state))
        .collect();
    if shown.is_empty() {
        return None;
    }
    let boxes = shown
        .into_iter()
        .map(|state| {
            facet_box(
                "says",
                state.as_str().to_owned(),
                says_words(state).into_any(),
                n_of(state),
                query.says.contains(&state),
            )
        })
        .collect_view();
    Some(facet("Scanner says", boxes.into_any(), true))
}

/// What a scanner says, in a word or two.
fn says_words(state: ScannerState) -> &'static str {
    match state {
        ScannerState::Suppressed => "Suppressed",
        ScannerState::Review => "To be looked at",
    }
}

/// A word beside a title, and what it means.
fn tag(word: impl Into<String>, title: String) -> AnyView {
    let tone = Tone::Neutral.as_str();
    view! { " " <span class="pill pill-sm" data-tone=tone title=title>{word.into()}</span> }
        .into_any()
}

/// The series, where some scanner has several: else they say no more than the scanners do. One that is ticked stays visible.
fn series_facet(query: &Query, facets: &FindingFacets) -> Option<AnyView> {
    let mut tools: Vec<_> = facets
        .series
        .iter()
        .map(|(of, _)| of.tool.as_str())
        .collect();
    let n_series = tools.len();
    tools.dedup();
    if tools.len() == n_series && query.series.is_empty() {
        return None;
    }
    let boxes = facets
        .series
        .iter()
        .filter(|(of, n)| *n > 0 || query.series.contains(&of.id))
        .map(|(of, n)| {
            let words = if of.label == of.tool {
                of.label.clone()
            } else {
                format!("{} ({})", of.label, of.tool)
            };
            facet_box(
                "series",
                of.id.as_str().to_owned(),
                view! { <span class="wrap-any">{words}</span> }.into_any(),
                *n,
                query.series.contains(&of.id),
            )
        })
        .collect_view();
    Some(facet("Series", boxes.into_any(), !query.series.is_empty()))
}

fn facet(title: &'static str, boxes: AnyView, open: bool) -> AnyView {
    view! {
        <details class="facet" open=open>
            <summary>
                {title}
                <Ico icon=Icon::Right class="chev" />
            </summary>
            <fieldset>
                <legend class="vh">{title}</legend>
                {boxes}
            </fieldset>
        </details>
    }
    .into_any()
}

fn facet_box(name: &'static str, value: String, words: AnyView, n: i64, ticked: bool) -> AnyView {
    view! {
        <label>
            <input type="checkbox" name=name value=value checked=ticked />
            {words}
            <span class="c">{thousands(n)}</span>
        </label>
    }
    .into_any()
}

/// Saved filters: names for addresses.
#[component]
fn Views(
    review: String,
    query: Query,
    whole: FindingFacets,
    n_all: i64,
    saved: Vec<SavedFilter>,
) -> impl IntoView {
    let own = saved
        .into_iter()
        .map(|saved| {
            let to = Query::of_text(&saved.query);
            let current = (query.with(|_| ()) == to).then_some("true");
            view! { <a href=to.address(&review) aria-current=current>{saved.name}</a> }
        })
        .collect_view();
    let here = query.with(|query| query.sort = FindingSort::default());
    let link = |words: &'static str, n: Option<i64>, to: Query| {
        let current = (here == to).then_some("true");
        view! {
            <a href=to.address(&review) aria-current=current>
                {words}
                {n.map(|n| view! { " " <span class="count">{thousands(n)}</span> })}
            </a>
        }
    };
    let of_status = |status: FindingStatus| {
        whole
            .statuses
            .iter()
            .find(|(of, _)| *of == status)
            .map_or(0, |(_, n)| *n)
    };
    let with = |change: fn(&mut Query)| Query::default().with(change);
    view! {
        <nav class="views" aria-label="Saved filters">
            {link("Open", Some(whole.n), Query::default())}
            {link("Without item", Some(whole.mapped.1), with(|query| query.unmapped = true))}
            {link(
                "Risk accepted",
                Some(of_status(FindingStatus::RiskAccepted)),
                with(|query| query.statuses = vec![FindingStatus::RiskAccepted]),
            )}
            {link(
                "Fixed",
                Some(of_status(FindingStatus::Fixed)),
                with(|query| query.statuses = vec![FindingStatus::Fixed]),
            )}
            {link("All", Some(n_all), with(|query| query.all = true))}
            {own}
        </nav>
    }
    .into_any()
}

/// The list that a form is about.
fn of_list(review: &str, text: &str) -> AnyView {
    let (review, text) = (review.to_owned(), text.to_owned());
    view! {
        <input type="hidden" name="review" value=review />
        <input type="hidden" name="query" value=text />
    }
    .into_any()
}

/// Keeping this list under a name of one's own, changing those that are kept, and taking the list as a file.
#[component]
fn Keep(
    review: String,
    query: Query,
    saved: Vec<SavedFilter>,
    form: FormState,
    change: FormState,
) -> impl IntoView {
    let text = query.text();
    let changed = change.typed("filter").map(str::to_owned);
    let is_open = form.typed("name").is_some() || changed.is_some();
    let rows = saved
        .into_iter()
        .map(|saved| {
            let form = if changed.as_deref() == Some(saved.id.as_str()) {
                change.clone()
            } else {
                FormState::default()
            };
            let forget = format!("Delete “{}”", saved.name);
            view! {
                <li>
                    <form class="btn-row" method="post" action=paths::action("filters/change")>
                        {of_list(&review, &text)}
                        <input type="hidden" name="filter" value=saved.id.clone() />
                        <TextField
                            form
                            name="name"
                            label=format!("Name of “{}”", saved.name)
                            value=saved.name.clone()
                            prefix_owned=saved.id
                            max_length=200
                        />
                        <Button words="Rename" small=true />
                        <button class="btn btn-quiet btn-sm" type="submit" name="change" value="delete" formnovalidate=true>
                            {forget}
                        </button>
                    </form>
                </li>
            }
        })
        .collect_view();
    let file = |form: &str| paths::findings_file(&review, form, &text);
    let (csv, sarif) = (file("csv"), file("sarif"));
    view! {
        <div class="row-between">
            <Disclosure summary="Save this filter" open=is_open>
                <div class="stack-2 space-top">
                    <form class="btn-row" method="post" action=paths::action("filters/save")>
                        {of_list(&review, &text)}
                        <TextField form name="name" label="Name" max_length=200 prefix="save" placeholder="Critical secrets" />
                        <Button words="Save for me" small=true />
                    </form>
                    <ul class="stack-2">{rows}</ul>
                </div>
            </Disclosure>
            <span class="btn-row">
                <ButtonLink words="CSV" href=csv small=true weight=Weight::Quiet icon=Icon::Download download=true />
                <ButtonLink words="SARIF" href=sarif small=true weight=Weight::Quiet icon=Icon::Download download=true />
            </span>
        </div>
    }
    .into_any()
}

#[component]
fn SearchBar(review: String, query: Query, item: Option<String>) -> impl IntoView {
    let token = |words: String, without: Query| {
        view! {
            <span class="token">
                {words}
                " "
                <a href=without.address(&review)>
                    <Ico icon=Icon::Close class="i-sm" />
                    <span class="vh">"Remove this filter"</span>
                </a>
            </span>
        }
        .into_any()
    };
    let words = |words: Vec<&str>| words.join(", ");
    let mut tokens = Vec::new();
    if !query.severities.is_empty() {
        let text = words(
            query
                .severities
                .iter()
                .map(|severity| severity.label())
                .collect(),
        );
        tokens.push(token(
            format!("Severity: {text}"),
            query.with(|query| query.severities.clear()),
        ));
    }
    if !query.statuses.is_empty() && !query.all {
        let text = words(query.statuses.iter().map(|status| status.label()).collect());
        tokens.push(token(
            format!("Status: {text}"),
            query.with(|query| query.statuses.clear()),
        ));
    }
    if !query.tools.is_empty() {
        let name = |tool: &'_ String| {
            if tool == BY_HAND {
                "by hand".to_owned()
            } else {
                tool.clone()
            }
        };
        let text: Vec<_> = query.tools.iter().map(name).collect();
        tokens.push(token(
            format!("Scanner: {}", text.join(", ")),
            query.with(|query| query.tools.clear()),
        ));
    }
    if !query.says.is_empty() {
        let text = words(query.says.iter().map(|state| says_words(*state)).collect());
        tokens.push(token(
            format!("Scanner says: {text}"),
            query.with(|query| query.says.clear()),
        ));
    }
    if let Some(key) = item {
        tokens.push(token(
            format!("Item: {key}"),
            query.with(|query| query.item = None),
        ));
    }
    if !query.categories.is_empty() {
        let names: Vec<_> = query
            .categories
            .iter()
            .map(|one| category_label(one))
            .collect();
        tokens.push(token(
            format!("Category: {}", names.join(", ")),
            query.with(|query| query.categories.clear()),
        ));
    }
    if !query.series.is_empty() {
        let without = query.with(|query| query.series.clear());
        let words = match query.series.len() {
            1 => "One series".to_owned(),
            n => format!("{n} series"),
        };
        tokens.push(token(words, without));
    }
    if !query.rule.is_empty() {
        let without = query.with(|query| query.rule.clear());
        tokens.push(token(format!("Rule: {}", query.rule), without));
    }
    if !query.path.is_empty() {
        let without = query.with(|query| query.path.clear());
        tokens.push(token(format!("Path: {}…", query.path), without));
    }
    if query.mine {
        let without = query.with(|query| query.mine = false);
        tokens.push(token("Of my items".to_owned(), without));
    }
    if query.late {
        let without = query.with(|query| query.late = false);
        tokens.push(token("Past the limit".to_owned(), without));
    }
    if query.asked {
        let without = query.with(|query| query.asked = false);
        tokens.push(token("Waits for a second person".to_owned(), without));
    }
    if query.unmapped {
        tokens.push(token(
            "Without item".to_owned(),
            query.with(|query| query.unmapped = false),
        ));
    }
    if !query.text.trim().is_empty() {
        let text = format!("Search: {}", query.text);
        tokens.push(token(text, query.with(|query| query.text.clear())));
    }
    let text = query.text.clone();
    view! {
        <form class="filterbar" method="get" action=paths::findings(&review)>
            {kept(query.pairs())}
            <div class="search">
                <label class="vh" for="q">"Search in findings"</label>
                <Ico icon=Icon::Search />
                <input type="search" id="q" name="q" aria-keyshortcuts="f" placeholder="Title, rule, path, CVE or F-12" value=text />
            </div>
            {tokens}
        </form>
    }
    .into_any()
}

#[component]
fn List(
    review: String,
    query: Query,
    found: FindingLines,
    n: i64,
    policy: Policy,
    items: Vec<(String, String)>,
    may_contribute: bool,
    now: Millis,
) -> impl IntoView {
    let lines = found.lines;
    if lines.is_empty() {
        let clear = if query.is_cut() {
            Query::default()
        } else {
            query.with(|query| query.all = true)
        };
        let (text, words) = if query.is_cut() {
            ("No finding matches this filter.", "Clear filters")
        } else {
            (
                "No finding of this kind. What scans found before, and what people decided, is under All.",
                "Show all",
            )
        };
        return view! {
            <section class="panel" aria-label="Findings">
                <Empty title="Nothing here" text>
                    <ButtonLink words href=clear.address(&review) />
                </Empty>
            </section>
        }
        .into_any();
    }
    let n_here = i64::try_from(lines.len()).unwrap_or(i64::MAX);
    let summary = if n <= n_here {
        n_findings(n)
    } else {
        format!("{} of {} findings", thousands(n_here), thousands(n))
    };
    let at = |from: Option<FindingCursor>| {
        Query {
            from,
            ..query.clone()
        }
        .address(&review)
    };
    let first = query.from.as_ref().map(|_| at(None));
    let previous = found.previous.map(|from| at(Some(from)));
    let next = found.next.map(|from| at(Some(from)));
    let columns = columns(&review, &query, may_contribute);
    let caption = format!("Findings, {}", order_words(query.sort));
    let rows = lines
        .into_iter()
        .map(|line| row(line, &review, &policy, may_contribute, now))
        .collect_view();
    let table = view! {
        <div class="panel">
            <Table caption columns class="dense stackable">{rows}</Table>
            {pages(summary, first, previous, next)}
        </div>
    };
    if !may_contribute {
        return table.into_any();
    }
    let back = query.text();
    view! {
        <form method="post" action=paths::action("findings/triage-many")>
            <input type="hidden" name="review" value=review.clone() />
            <input type="hidden" name="back" value=back />
            <input type="hidden" name="from" value="list" />
            {table}
            <BulkBar items n />
        </form>
    }
    .into_any()
}

fn order_words(sort: FindingSort) -> &'static str {
    match sort {
        FindingSort::Severity => "worst first",
        FindingSort::Mildest => "mildest first",
        FindingSort::Number => "by number",
        FindingSort::Path => "by path",
        FindingSort::Title => "by title",
        FindingSort::Newest => "newest first",
        FindingSort::Oldest => "oldest first",
        FindingSort::LastSeen => "last seen first",
        FindingSort::Status => "by status",
        FindingSort::Tool => "by scanner",
        FindingSort::PathDown => "by path, backwards",
        FindingSort::TitleDown => "by title, backwards",
        FindingSort::StatusDown => "by status, backwards",
        FindingSort::ToolDown => "by scanner, backwards",
        FindingSort::LastSeenUp => "last seen last",
        FindingSort::Limit => "soonest limit first",
        FindingSort::LimitDown => "latest limit first",
        FindingSort::Item => "by item",
        FindingSort::ItemDown => "by item, backwards",
    }
}

fn columns(review: &str, query: &Query, may_contribute: bool) -> Vec<Column> {
    let sort = |column: Column, down: Option<FindingSort>, up: Option<FindingSort>| {
        // The head leads to the other order; names begin with A, the rest with what presses most.
        let begins_upwards = matches!(
            down,
            Some(
                FindingSort::TitleDown
                    | FindingSort::PathDown
                    | FindingSort::ToolDown
                    | FindingSort::StatusDown
                    | FindingSort::ItemDown
                    | FindingSort::LimitDown
            )
        );
        let to = match (down, up) {
            (Some(down), Some(up)) if query.sort == up => down,
            (Some(down), Some(up)) if query.sort == down || begins_upwards => up,
            (Some(down), _) => down,
            (None, Some(up)) => up,
            (None, None) => return column,
        };
        let descending = if down == Some(query.sort) {
            Some(true)
        } else {
            (up == Some(query.sort)).then_some(false)
        };
        column.sort(
            query.with(|query| query.sort = to).address(review),
            descending,
        )
    };
    let mut columns = Vec::new();
    if may_contribute {
        columns.push(Column::new("Select").hidden().class("fit"));
    }
    columns.extend([
        sort(
            Column::new("Severity"),
            Some(FindingSort::Severity),
            Some(FindingSort::Mildest),
        ),
        sort(
            Column::new("Finding"),
            Some(FindingSort::TitleDown),
            Some(FindingSort::Title),
        ),
        sort(
            Column::new("Location"),
            Some(FindingSort::PathDown),
            Some(FindingSort::Path),
        ),
        sort(
            Column::new("Scanner"),
            Some(FindingSort::ToolDown),
            Some(FindingSort::Tool),
        ),
        sort(
            Column::new("Item"),
            Some(FindingSort::ItemDown),
            Some(FindingSort::Item),
        ),
        sort(
            Column::new("Status"),
            Some(FindingSort::StatusDown),
            Some(FindingSort::Status),
        ),
        sort(
            Column::new("Limit").figures(),
            Some(FindingSort::LimitDown),
            Some(FindingSort::Limit),
        ),
        sort(
            Column::new("First").class("n c-first"),
            Some(FindingSort::Newest),
            Some(FindingSort::Oldest),
        ),
        sort(
            Column::new("Last").class("n c-last"),
            Some(FindingSort::LastSeen),
            Some(FindingSort::LastSeenUp),
        ),
    ]);
    columns
}

fn row(
    line: FindingLine,
    review: &str,
    policy: &Policy,
    may_contribute: bool,
    now: Millis,
) -> AnyView {
    let of = Standing {
        status: line.status,
        holds_until: line.holds_until,
        duplicate_of: line.duplicate_of,
        asked: line.asked,
        is_reopened: line.reopened_at.is_some(),
        has_patch: line.has_patch,
    };
    let due = limit_of(policy, line.severity, line.first_seen_at, of, now);
    let number = format!("F-{}", line.number);
    let tick = may_contribute.then(|| {
        let value = format!("{}:{}", line.id, line.version);
        let words = format!("Select {number}");
        view! {
            <td role="cell" class="fit tickcell">
                <label class="tick">
                    <input type="checkbox" name="chosen[]" value=value />
                    <span class="vh">{words}</span>
                </label>
            </td>
        }
    });
    let address = paths::with_query(&paths::finding(line.id.as_str()), &[("review", review)]);
    let whole_place = place(
        line.path.as_deref(),
        line.start_line,
        line.component.as_deref(),
    );
    let (head, tail) = match (&line.path, line.start_line) {
        (Some(path), Some(line)) => (path.clone(), format!(":{line}")),
        _ => (whole_place.clone(), String::new()),
    };
    let n_items = line.items.len();
    let items = line
        .items
        .into_iter()
        .take(1)
        .map(|(id, key)| view! { <a class="plain" href=paths::item(&id)>{key}</a> })
        .collect_view();
    let more_items = (n_items > 1).then(|| format!(" +{}", n_items - 1));
    let items = if n_items == 0 {
        view! { <span class="zero">"none"</span> }.into_any()
    } else {
        view! { <span>{items}{more_items}</span> }.into_any()
    };
    // Some scanners call a finding what they call its rule.
    let rule = line.rule.filter(|rule| *rule != line.title);
    let day = |at: Millis| view! { <time datetime=machine(at) title=date(at)>{short_date(at, now)}</time> };
    view! {
        <tr role="row">
            {tick}
            <td role="cell" data-l="" class="fit"><St of=line.severity /></td>
            <td role="cell" class="full clip">
                <span class="tagged">
                    <span>
                        <span class="faint num">{number}</span>
                        " "
                        <a class="ttl" href=address><Inline text=line.title /></a>
                        " "
                        {rule.map(|rule| view! { <span class="muted only-wide">{rule}</span> })}
                    </span>
                    {line.claim.map(|claim| tag(says_words(claim.state), claim.sentence()))}
                    {(line.n_sources > 1).then(|| {
                        let sources = format!("{} sources", line.n_sources);
                        tag(sources.clone(), format!("One issue, {sources}"))
                    })}
                </span>
            </td>
            <td role="cell" data-l="" class="loc mono muted">
                <span title=whole_place><span class="p">{head}</span>{tail}</span>
            </td>
            <td role="cell" data-l="" class="fit">{line.tool.unwrap_or_else(|| "By hand".to_owned())}</td>
            <td role="cell" data-l="Item" class="fit">{items}</td>
            <td role="cell" data-l="" class="fit"><StatusOf of now /></td>
            <td role="cell" data-l="Limit" class="fit n"><LimitOf due now /></td>
            <td role="cell" class="fit n muted hide-stack c-first">{day(line.first_seen_at)}</td>
            <td role="cell" class="fit n muted hide-stack c-last">{day(line.last_seen_at)}</td>
        </tr>
    }
    .into_any()
}

/// "22 Jan", with the year only where it is another one.
fn short_date(at: Millis, now: Millis) -> String {
    let (then, today) = (date(at), date(now));
    match (then.rsplit_once(' '), today.rsplit_once(' ')) {
        (Some((day, year)), Some((_, this_year))) if year == this_year => day.to_owned(),
        _ => then,
    }
}

/// Deciding about the ticked ones. A phone asks for the action only; the next page asks for the rest.
#[component]
fn BulkBar(items: Vec<(String, String)>, n: i64) -> impl IntoView {
    let items = items
        .into_iter()
        .map(|(value, words)| view! { <option value=value>{words}</option> })
        .collect_view();
    view! {
        <div class="bulk" role="group" aria-label="Decide about several findings">
            <label class="vh" for="b-w">"Which findings"</label>
            <select id="b-w" name="which">
                <option value="">"Ticked findings"</option>
                <option value="all">{format!("All {} that match", thousands(n))}</option>
            </select>
            <input type="hidden" name="n" value=n.to_string() />
            <label class="vh" for="b-a">"Outcome"</label>
            <select id="b-a" name="action" aria-keyshortcuts="t">
                <option value="map">"Map to item"</option>
                <option value="false_positive">"False positive"</option>
                <option value="ask_acceptance">"Ask to accept the risk"</option>
                <option value="duplicate">"Duplicate of"</option>
                <option value="reopen">"Reopen"</option>
                <option value="approve">"Approve what is asked"</option>
                <option value="decline">"Decline what is asked"</option>
            </select>
            <label class="vh" for="b-i">"Item, to map to"</label>
            <select id="b-i" name="item" class="step2">{items}</select>
            <label class="vh" for="b-r">"Reason"</label>
            <input id="b-r" name="reason" class="step2" placeholder="Reason" maxlength="4000" autocomplete="off" />
            <button class="btn btn-primary" type="submit">"Go on"</button>
            <button class="btn btn-quiet" type="reset">"Clear"</button>
        </div>
    }
    .into_any()
}
