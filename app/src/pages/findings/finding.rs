//! One finding: its code, why it matters, how to fix it; triage; what scans saw of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use holdpoint_domain::{
    CommentId, FindingStatus, Millis, ReviewId, ScanId, ScannerState, person::Action,
};
use holdpoint_service::{
    Actor, CommentOn, Finding, FindingLink,
    findings::{FindingView, Place, ScannerDetails, category_label},
    fixes::{OfferedFix, fixes_of},
    patch::PatchFile,
    standing::ReviewStanding,
};
use leptos::prelude::*;

use super::{
    LimitOf, Standing, StatusOf, finding_of_address, framed, history::History, item_options,
    limit_of, place, triage::TriageBox,
};
use crate::{
    flash::FormState,
    pages::{
        PageError,
        discussion::{CommentedOn, Discussion},
        page,
        patches::{LinkedPatches, shown_files, visible},
        query,
        review_bar::{review_bar, review_crumbs},
    },
    parts::{
        Button, ButtonLink, Crumb, Ico, Icon, Inline, Pill, Prose, SelectField, Sha, Side, St, Tab,
        Who,
        diff::DiffView,
        figure::{counted, thousands},
        panel::Disclosure,
        status::Tone,
        when::{date, machine, moment},
    },
    paths::{self, action},
    visit::{Visit, services},
};

#[component]
pub(super) fn FindingPage() -> impl IntoView {
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let id = finding_of_address()?;
        let asked = query("review");
        let services = services();
        let view = services.finding(&person, &id).await?;
        let access = services.access(&person, &view.finding.service).await?;
        let before = CommentId::parse(&query("before"));
        let comments = services
            .comments(&person, &CommentOn::Finding(id.clone()), before.as_ref())
            .await?;
        let patches = services.patches_of_finding(&person, &id).await?;
        let first_commit = match view.finding.first_scan.as_deref().and_then(ScanId::parse) {
            Some(scan) => services.scan(&person, &scan).await?.commit,
            None => None,
        };
        let standing = review_of(&person, &view, &asked).await?;
        let bar = match &standing {
            Some(standing) => Some(review_bar(&person, standing, Tab::Findings).await?),
            None => None,
        };
        let now = visit.now;
        let finding = view.finding.clone();
        let review = standing
            .as_ref()
            .map(|standing| standing.review.id.clone())
            .unwrap_or_default();
        let of = Standing {
            status: finding.status,
            holds_until: finding.holds_until,
            duplicate_of: finding.duplicate_of,
            asked: finding.asked,
            is_reopened: finding.reopened_at.is_some(),
            has_patch: !patches.is_empty(),
        };
        let policy = standing
            .as_ref()
            .map(|standing| standing.policy.clone())
            .unwrap_or_default();
        let due = limit_of(&policy, finding.severity, finding.first_seen_at, of, now);
        let may_contribute = access.may(Action::Contribute);
        let title = format!("F-{} {}", finding.number, finding.title);
        let crumbs = match &standing {
            Some(standing) => review_crumbs(standing),
            None => vec![Crumb::to("Reviews", paths::HOME)],
        };
        let list = (!review.is_empty()).then(|| {
            view! { <p class="small"><a class="muted" href=paths::findings(&review)>"Findings"</a></p> }
        });
        let is_blocking =
            policy.blocks(finding.severity) && finding.status_at(now) == FindingStatus::Open;
        let blocks = is_blocking.then(|| {
            let mut keys: Vec<_> = view.items.iter().filter(|item| item.review_id == review).collect();
            keys.truncate(3);
            if keys.is_empty() {
                return view! { <span class="t">"Blocks the release"</span> }.into_any();
            }
            let links = keys
                .into_iter()
                .map(|item| {
                    view! { <a href=paths::item(&item.item_id)><Inline text=format!("{} {}", item.key, item.title) /></a> " " }
                })
                .collect_view();
            view! { <span class="t">"Blocks " {links}</span> }.into_any()
        });
        let over = due.filter(|due| *due < now).map(|due| {
            let text = crate::parts::when::late(due, now)
                .unwrap_or_default()
                .replace(" late", " past its limit");
            view! {
                <span class="late" data-tone=Tone::Red.as_str()>
                    <Ico icon=Icon::Late />
                    {text}
                </span>
            }
        });
        let edit = (finding.created_by.is_some() && may_contribute).then(|| {
            let address = paths::with_query(
                &paths::edit_finding(finding.id.as_str()),
                &[("review", &review)],
            );
            view! { <ButtonLink words="Edit" href=address small=true /> }
        });
        let number = format!("F-{}", finding.number);
        let map = MapState {
            finding: finding.id.as_str().to_owned(),
            review: review.clone(),
            may_contribute,
            form: visit.form("findings/map"),
        };
        let offer = Offer {
            fixes: fixes_of(&finding, &review, &patches),
            finding: finding.id.as_str().to_owned(),
            review: review.clone(),
            may_propose: may_contribute
                && !review.is_empty()
                && finding.status != FindingStatus::Fixed,
        };
        let content = view! {
                <div class="page-head">
                    <div>
                        {list}
                        <h1><span class="faint light">{number}</span> " " <Inline text=finding.title.clone() /></h1>
                        <p class="meta">
                            <Pill of=finding.severity />
                            <StatusPill of now />
                            {over}
                            {blocks}
                        </p>
                    </div>
                    <div class="actions">{edit}</div>
                </div>
                <div class="with-rail">
                    <div>
                        <Where finding=finding.clone() review=review.clone() />
                        <Rule finding=finding.clone() />
                        <Proposed finding=finding.clone() offer />
                        <LinkedPatches review=review.clone() patches finding=finding.id.as_str().to_owned() may_contribute now />
                        <History view=view.clone() first_commit review=review.clone() now />
                        <Discussion
                            on=CommentedOn::Finding {
                                finding: finding.id.as_str().to_owned(),
                                review: review.clone(),
                            }
                            comments
                            is_newest=before.is_none()
                            me=person.name.clone()
                            may_contribute
                            form=visit.form("findings/comment")
                            now
                        />
                    </div>
                    <aside class="rail" aria-label="Triage and details">
                        <TriageBox
                            finding=finding.clone()
                            review=review.clone()
                            me=person.id.clone()
                            may_contribute
                            may_manage=access.may(Action::Manage)
                            people=paths::service_people(&view.service_slug)
                            form=visit.form("findings/triage")
                            now
                        />
                        <section class="panel" aria-labelledby="h-items">
                            <div class="panel-head"><h2 id="h-items">"Items"</h2></div>
                            <div class="panel-body stack-2">
                                <Mapping map items=view.items.clone() rules=view.rules.clone() standing />
                            </div>
                        </section>
                        <Others view=view.clone() review=review.clone() />
                        <Details finding of due now />
                    </aside>
                </div>
                <nav class="jumpbar no-print" aria-label="On this page">
                    <a class="btn" href="#h-rule">"Rule"</a>
                    <a class="btn btn-primary" href="#triage">"Triage"</a>
                </nav>
        }
        .into_any();
        Ok(framed(title, crumbs, bar, content))
    })
}

#[component]
fn StatusPill(of: Standing, now: Millis) -> impl IntoView {
    let (look, more) = of.look(now);
    view! { <Pill of=look more /> }
}

/// The review that a finding is seen from: the one asked for, its own, that of an item it is linked to, or the service's
/// newest.
async fn review_of(
    person: &Actor,
    view: &FindingView,
    asked: &str,
) -> Result<Option<Arc<ReviewStanding>>, PageError> {
    let services = services();
    let asked = ReviewId::parse(asked);
    if let Some(asked) = asked {
        match services.review_glance(person, &asked).await {
            Ok(standing) if standing.review.service_id == view.finding.service.as_str() => {
                return Ok(Some(standing));
            }
            // An address that names another service's review is read as one that names none.
            Ok(_) | Err(holdpoint_service::ServiceError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let known = view.finding.review.clone().or_else(|| {
        view.items
            .first()
            .and_then(|item| ReviewId::parse(&item.review_id))
    });
    let id = match known {
        Some(id) => Some(id),
        None => services
            .reviews_of(person, &view.finding.service, None, 1)
            .await?
            .entries
            .into_iter()
            .next()
            .map(|(review, _)| review.id),
    };
    match id {
        Some(id) => Ok(Some(services.review_glance(person, &id).await?)),
        None => Ok(None),
    }
}

/// The code at the finding's place, its lines numbered.
#[component]
fn Where(finding: Finding, review: String) -> impl IntoView {
    let tone = crate::parts::Shown::look(&finding.severity).tone;
    let path = place(
        finding.path.as_deref(),
        finding.start_line,
        finding.component.as_deref(),
    );
    let pointer = finding
        .pointer
        .clone()
        .filter(|pointer| !pointer.is_empty())
        .map(|pointer| {
            let code = view! { <code class="wrap-any">{pointer}</code> };
            let title = "The place in the scanner's file";
            match &finding.pointer_scan {
                Some(scan) => {
                    let href = paths::with_query(&paths::scan(scan), &[("review", &review)]);
                    view! { <a class="push tiny" href=href title=title>{code}</a> }.into_any()
                }
                None => view! { <span class="push tiny" title=title>{code}</span> }.into_any(),
            }
        });
    let head = if path.is_empty() {
        "No place is named".to_owned()
    } else {
        path.clone()
    };
    let said = (!finding.message.is_empty() && finding.message != finding.title)
        .then(|| finding.message.clone());
    let body = match finding
        .snippet
        .clone()
        .filter(|snippet| !snippet.trim().is_empty())
    {
        Some(snippet) => {
            let first = finding.start_line;
            let last = finding.end_line.or(first);
            let rows = snippet
                .trim_end_matches(['\r', '\n'])
                .lines()
                .take(400)
                .zip(0_i64..)
                .map(|(text, at)| {
                    let number = first.map(|first| first + at);
                    let is_marked = number.is_some_and(|number| Some(number) <= last);
                    let id = number.map(|number| format!("L{number}"));
                    view! {
                        <tr class=is_marked.then_some("mark") id=id>
                            <td class="ln">{number.map(|number| number.to_string())}</td>
                            <td class="code">{text.to_owned()}</td>
                        </tr>
                    }
                })
                .collect_view();
            let note = said.clone().map(|said| {
                view! {
                    <tr class="note">
                        <td></td>
                        <td><p class="wrap-any"><Inline text=said /></p></td>
                    </tr>
                }
            });
            view! {
                <div class="tbl-wrap" tabindex="0" role="region" aria-label=format!("Code at {head}")>
                    <table class="lines" data-tone=tone.as_str()>
                        <caption class="vh">"The code that the scanner showed"</caption>
                        <tbody>{rows}{note}</tbody>
                    </table>
                </div>
            }
            .into_any()
        }
        None => {
            let none = if finding.created_by.is_some() {
                "No code was given."
            } else {
                "The scanner showed no code at this place."
            };
            view! {
                <div class="panel-body stack-2">
                    {said.map(|said| view! { <p class="wrap-any"><Inline text=said /></p> })}
                    <p class="small muted">{none}</p>
                </div>
            }
            .into_any()
        }
    };
    view! {
        <section class="section" aria-labelledby="h-loc">
            <div class="section-head"><h2 id="h-loc">"Where"</h2></div>
            <div class="codebox">
                <div class="codebox-head">
                    <span class="path">{head}</span>
                    {pointer}
                </div>
                {body}
            </div>
        </section>
    }
    .into_any()
}

/// Only addresses that a browser may safely be sent to.
fn web_address(address: &str) -> bool {
    let lower = address.trim().to_ascii_lowercase();
    (lower.starts_with("https://") || lower.starts_with("http://"))
        && !address.chars().any(|c| c.is_control() || c.is_whitespace())
}

/// CVE-2025-1234, and nothing that only looks like it.
fn is_cve(id: &str) -> bool {
    let mut parts = id.split('-');
    let is_number = |part: Option<&str>, min: usize| {
        part.is_some_and(|part| part.len() >= min && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    parts.next() == Some("CVE")
        && is_number(parts.next(), 4)
        && is_number(parts.next(), 4)
        && parts.next().is_none()
}

/// What the rule is about and how to fix it. All of it may come from a scanner, so it is Markdown made safe or plain text.
#[component]
fn Rule(finding: Finding) -> impl IntoView {
    let by = match (&finding.rule, &finding.rule_name, &finding.tool) {
        (Some(rule), Some(name), Some(tool)) if name != rule => format!("{rule} ({name}), {tool}"),
        (Some(rule), _, Some(tool)) => format!("{rule}, {tool}"),
        (Some(rule), ..) => rule.clone(),
        (None, _, Some(tool)) => tool.clone(),
        _ => match &finding.created_by_name {
            Some(name) => format!("Written by {name}"),
            None => String::new(),
        },
    };
    let why = if finding.description.trim().is_empty() {
        view! { <p class="muted">"The scanner does not say."</p> }.into_any()
    } else {
        view! { <Prose text=finding.description.clone() /> }.into_any()
    };
    let update = finding.fixed_version.clone().map(|version| {
        let component = finding.component.clone().unwrap_or_else(|| "it".to_owned());
        view! { <p>"Update " <code class="wrap-any">{component}</code> " to " <code class="wrap-any">{version}</code> "."</p> }
    });
    // Some tools repeat the description where the help should be.
    let fix = finding.remediation.trim();
    let is_empty = fix.is_empty() || fix == finding.description.trim();
    let fix = match (is_empty, update.is_some()) {
        (true, false) => view! { <p class="muted">"Nothing is said about it."</p> }.into_any(),
        (true, true) => ().into_any(),
        (false, _) => view! { <Prose text=finding.remediation.clone() /> }.into_any(),
    };
    let help = finding.help_url.clone().map(|address| {
        if web_address(&address) {
            view! {
                <p class="small">
                    <a href=address.clone() rel="nofollow noopener noreferrer" class="wrap-any">"The rule's own page"</a>
                </p>
            }
            .into_any()
        } else {
            view! { <p class="small muted wrap-any">{address}</p> }.into_any()
        }
    });
    let classes = (!finding.cwe.is_empty()).then(|| {
        let links = finding
            .cwe
            .iter()
            .take(20)
            .map(|number| {
                let address = format!("https://cwe.mitre.org/data/definitions/{number}.html");
                view! { <a href=address rel="noreferrer">{format!("CWE-{number}")}</a> " " }
            })
            .collect_view();
        view! { <p class="small muted">"Class: " {links}</p> }
    });
    view! {
        <section class="section" aria-labelledby="h-rule">
            <div class="section-head">
                <h2 id="h-rule">"Rule"</h2>
                <p class="push tiny muted wrap-any">{by}</p>
            </div>
            <div class="panel">
                <div class="panel-body prose prose-2">
                    <div>
                        <h3>"Why it matters"</h3>
                        {why}
                        {help}
                        {classes}
                    </div>
                    <div>
                        <h3>"How to fix"</h3>
                        {update}
                        {fix}
                    </div>
                </div>
            </div>
        </section>
    }
    .into_any()
}

/// What a scanner proposes, and whether the person can make a patch of it.
#[derive(Clone, Debug)]
struct Offer {
    fixes: Vec<OfferedFix>,
    finding: String,
    review: String,
    may_propose: bool,
}

/// How many steps, places and proposals are shown of each kind.
const MOST: usize = 100;

fn places(places: Vec<Place>) -> AnyView {
    let rows = places
        .into_iter()
        .take(MOST)
        .map(|at| {
            let name = place(at.path.as_deref(), at.start_line.map(i64::from), None);
            view! {
                <li>
                    <span class="grow">
                        <code class="wrap-any">{name}</code>
                        {at.message.map(|text| view! { <span class="sub wrap-any">{text}</span> })}
                        {at.snippet.map(|text| view! { <pre class="term">{text}</pre> })}
                    </span>
                </li>
            }
        })
        .collect_view();
    view! { <ol class="rows">{rows}</ol> }.into_any()
}

/// The way to the problem, related places, and what the scanner proposes.
#[component]
fn Proposed(finding: Finding, offer: Offer) -> impl IntoView {
    finding.details.as_deref()?;
    let said = ScannerDetails::of(&finding);
    let other = (!said.other_places.is_empty()).then(|| {
        let n = said.other_places.len();
        let summary = counted(n, "more place to change", "more places to change");
        view! { <Disclosure summary>{places(said.other_places.clone())}</Disclosure> }
    });
    let related = (!said.related.is_empty()).then(|| {
        let summary = counted(said.related.len(), "related place", "related places");
        view! { <Disclosure summary>{places(said.related.clone())}</Disclosure> }
    });
    let flows = said
        .code_flows
        .into_iter()
        .take(10)
        .map(|flow| {
            let steps = counted(flow.steps.len(), "step", "steps");
            let summary = format!("How it comes about, in {steps}");
            view! {
                <Disclosure summary>
                    {flow.message.map(|text| view! { <p class="small wrap-any">{text}</p> })}
                    {places(flow.steps)}
                </Disclosure>
            }
        })
        .collect_view();
    let is_only = offer.fixes.len() == 1;
    let fixes = offer
        .fixes
        .iter()
        .take(10)
        .map(|fix| {
            let description = fix.fix.description.clone();
            let summary = description.unwrap_or_else(|| "What the scanner proposes".to_owned());
            let change = match &fix.diff {
                Ok(diff) => proposed_diff(fix.number, &diff.patch),
                Err(_) => replacements(fix),
            };
            let patch = as_patch(&offer, fix);
            view! {
                <Disclosure summary open=is_only>
                    <div class="stack-2">{change} {patch}</div>
                </Disclosure>
            }
        })
        .collect_view();
    Some(
        view! {
            <section class="section" aria-labelledby="h-more">
                <div class="section-head"><h2 id="h-more">"What the scanner adds"</h2></div>
                <div class="panel">
                    <div class="panel-body stack-2">{flows}{other}{related}{fixes}</div>
                </div>
            </section>
        }
        .into_any(),
    )
}

/// The rows of a proposed change that are shown; the patch's own page shows all of them.
const MOST_ROWS: usize = 60;

fn proposed_diff(number: usize, patch: &PatchFile) -> AnyView {
    let files = shown_files(patch, Side::Unified, |_, _, _| false)
        .into_iter()
        .take(MOST)
        .map(|file| {
            let label = format!("Diff of {} in fix {number}", file.path);
            let left = file.rows.len().saturating_sub(MOST_ROWS);
            let rows = file.rows.into_iter().take(MOST_ROWS).collect();
            view! {
                <div class="codebox">
                    <div class="codebox-head"><span class="path">{file.path}</span></div>
                    <DiffView label rows />
                    {(left > 0)
                        .then(|| view! { <p class="panel-body small muted">{format!("{left} more rows are not shown.")}</p> })}
                </div>
            }
        })
        .collect_view();
    files.into_any()
}

/// What a fix replaces, where there is no diff of it.
fn replacements(fix: &OfferedFix) -> AnyView {
    let rows = fix
        .fix
        .changes
        .iter()
        .take(MOST)
        .flat_map(|change| {
            let path = change.path.clone().unwrap_or_default();
            let replacements = change.replacements.iter().take(MOST);
            replacements.map(move |with| (path.clone(), with))
        })
        .map(|(path, with)| {
            let lines = match (with.start_line, with.end_line) {
                (Some(start), Some(end)) if end > start => format!("lines {start} to {end}"),
                (Some(start), _) => format!("line {start}"),
                _ => String::new(),
            };
            let text = (with.inserted.as_deref()).filter(|text| !text.is_empty());
            let text = text.map(visible);
            view! {
                <li>
                    <span class="grow">
                        <code class="wrap-any">{path}</code> " " {lines}
                        {match text {
                            Some(text) => view! { <pre class="term">{text}</pre> }.into_any(),
                            None => view! { <span class="sub">"is deleted"</span> }.into_any(),
                        }}
                    </span>
                </li>
            }
        })
        .collect_view();
    view! { <ol class="rows">{rows}</ol> }.into_any()
}

/// The patch that makes the change, the button that makes one, or why none can be made.
fn as_patch(offer: &Offer, fix: &OfferedFix) -> AnyView {
    let diff = match (&fix.diff, &fix.patch) {
        (Err(why), _) => {
            let why = format!("No patch can be made of it: {why}.");
            return view! { <p class="small muted wrap-any">{why}</p> }.into_any();
        }
        (Ok(_), Some((id, number, state))) => {
            let name = format!("P-{number}");
            return view! {
                <p class="small"><a href=paths::patch(id.as_str())>{name}</a> " makes this change. " <St of=*state /></p>
            }
            .into_any();
        }
        (Ok(diff), None) => diff,
    };
    let note = diff.lacks_context.then(|| {
        view! {
            <p class="small muted">
                "The report shows no line after the change: the patch needs " <code>"git apply --unidiff-zero"</code>
                ", and " <code>"git am"</code> " takes it only at the end of a file."
            </p>
        }
    });
    let form = offer.may_propose.then(|| {
        view! {
            <form method="post" action=action("findings/propose-fix")>
                <input type="hidden" name="finding" value=offer.finding.clone() />
                <input type="hidden" name="review" value=offer.review.clone() />
                <input type="hidden" name="fix" value=fix.number.to_string() />
                <div class="btn-row"><Button words="Propose as a patch" small=true /></div>
            </form>
        }
    });
    view! { {note} {form} }.into_any()
}

/// How many of the others are named.
const MOST_OTHERS: usize = 20;

/// Findings that are about the same: of other tools, and those that people called duplicates of this one.
#[component]
fn Others(view: FindingView, review: String) -> impl IntoView {
    let duplicates = &view.duplicates.entries;
    if view.same_issue.is_empty() && duplicates.is_empty() && view.batches.is_empty() {
        return ().into_any();
    }
    let link = |id: &str, number: i64| {
        let address = paths::with_query(&paths::finding(id), &[("review", &review)]);
        view! { <a href=address>{format!("F-{number}")}</a> }
    };
    let more = |n_more: usize| {
        (n_more > 0).then(|| view! { <li>{format!("{} more", thousands(n_more))}</li> })
    };
    let n_duplicates = usize::try_from(view.duplicates.n_matching).unwrap_or_default();
    let more_duplicates = more(n_duplicates.saturating_sub(MOST_OTHERS));
    let more_same = more(view.same_issue.len().saturating_sub(MOST_OTHERS));
    let n_sources = 1 + view
        .same_issue
        .iter()
        .map(|same| same.tool.as_str())
        .collect::<BTreeSet<_>>()
        .len();
    let same = view
        .same_issue
        .iter()
        .take(MOST_OTHERS)
        .map(|same| {
            view! {
                <li>
                    <span class="wrap-any">{same.tool.clone()}</span> ", " {link(same.id.as_str(), same.number)} ", "
                    {same.status.label().to_lowercase()}
                </li>
            }
        })
        .collect_view();
    let same = (!view.same_issue.is_empty()).then(|| {
        view! {
            <p>
                <b class="strong">{format!("One issue, {n_sources} sources.")}</b>
                " The same vulnerability in the same component is also reported by"
            </p>
            <ul class="stack-1 small">{same}{more_same}</ul>
        }
    });
    let duplicates = duplicates
        .iter()
        .take(MOST_OTHERS)
        .map(|of| {
            view! { <li>{link(of.id.as_str(), of.number)} " " <span class="wrap-any">{of.title.clone()}</span></li> }
        })
        .collect_view();
    let of_duplicates = if view.finding.status == FindingStatus::Fixed {
        "Its duplicates, which count again where their own scanner still has them:"
    } else {
        "Its duplicates, which count no more:"
    };
    let duplicates = (n_duplicates > 0).then(|| {
        view! {
            <p>{of_duplicates}</p>
            <ul class="stack-1 small">{duplicates}{more_duplicates}</ul>
        }
    });
    let batches = (!view.batches.is_empty() && !review.is_empty()).then(|| {
        let last = view.batches[0].summary.clone();
        let by = view.batches[0].decided_by_name.clone();
        view! {
            <p class="small muted">
                {format!("Decided about with others: {by} {last}. ")}
                <a class="muted" href=paths::decisions(&review)>"Such decisions"</a>
            </p>
        }
    });
    view! {
        <section class="panel" aria-labelledby="h-oth">
            <div class="panel-head"><h2 id="h-oth">"Together with"</h2></div>
            <div class="panel-body stack-2">{same}{duplicates}{batches}</div>
        </section>
    }
    .into_any()
}

/// What the form needs that maps.
#[derive(Clone, Debug)]
struct MapState {
    finding: String,
    review: String,
    may_contribute: bool,
    form: FormState,
}

#[component]
fn Mapping(
    map: MapState,
    items: Vec<FindingLink>,
    rules: BTreeMap<String, String>,
    standing: Option<Arc<ReviewStanding>>,
) -> impl IntoView {
    let MapState {
        finding,
        review,
        may_contribute,
        form,
    } = map;
    let linked: Vec<_> = items.iter().map(|item| item.item_id.clone()).collect();
    let n_here = items.iter().filter(|item| item.review_id == review).count();
    let rows = items
        .into_iter()
        .filter(|item| item.review_id == review)
        .map(|item| {
            let unmap = may_contribute.then(|| {
                let words = format!("Unmap from {}", item.key);
                view! {
                    <form method="post" action=action("findings/map")>
                        <input type="hidden" name="finding" value=finding.clone() />
                        <input type="hidden" name="review" value=review.clone() />
                        <input type="hidden" name="item" value=item.item_id.clone() />
                        <button class="btn btn-quiet btn-icon btn-sm" type="submit" name="linked" value="no">
                            <Ico icon=Icon::Close />
                            <span class="vh">{words}</span>
                        </button>
                    </form>
                }
            });
            let by_rule = item.rule_id.as_ref().map(|id| {
                let words = rules.get(id).cloned().unwrap_or_default();
                let address = paths::mapping(&review);
                view! { <span class="tiny muted wrap-any">"by the rule " <a class="muted" href=address>{words}</a></span> }
            });
            view! {
                <li class="row-between one-line">
                    <span>
                        <a href=paths::item(&item.item_id)><Inline text=format!("{} {}", item.key, item.title) /></a>
                        " "
                        {by_rule}
                    </span>
                    {unmap}
                </li>
            }
        })
        .collect_view();
    let list = if n_here == 0 {
        view! { <p class="small muted">"It belongs to no item of this review yet. While it is open, it holds back the release only by its severity."</p> }
            .into_any()
    } else {
        view! { <ul class="stack-1">{rows}</ul> }.into_any()
    };
    let add = standing.filter(|_| may_contribute).map(|standing| {
        let options = item_options(&standing, "Choose an item")
            .into_iter()
            .filter(|(id, _)| !linked.contains(id))
            .collect();
        view! {
            <form class="fields" method="post" action=action("findings/map") aria-keyshortcuts="m">
                <input type="hidden" name="finding" value=finding.clone() />
                <input type="hidden" name="review" value=review.clone() />
                <input type="hidden" name="linked" value="yes" />
                <SelectField form name="item" label="Map to item" options />
                <div class="btn-row"><Button words="Map" small=true /></div>
            </form>
        }
    });
    view! { {list} {add} }.into_any()
}

/// The severity, and where a person changed it what it was before.
fn severity(finding: &Finding) -> AnyView {
    let changed = finding.severity_change.as_ref().map(|change| {
        let by = change.by_name.as_deref().unwrap_or("Somebody");
        let text = format!(
            "Was {}. {by} changed it: {}",
            change.was.label().to_lowercase(),
            change.reason
        );
        view! { " " <span class="sub wrap-any">{text}</span> }
    });
    view! { <St of=finding.severity /> {changed} }.into_any()
}

#[component]
fn Details(finding: Finding, of: Standing, due: Option<Millis>, now: Millis) -> impl IntoView {
    let row =
        |name: &'static str, value: AnyView| view! { <dt>{name}</dt><dd>{value}</dd> }.into_any();
    let mut rows = vec![
        row("Status", view! { <StatusOf of now /> }.into_any()),
        row("Severity", severity(&finding)),
        row("Limit", view! { <LimitOf due now /> }.into_any()),
        row(
            "Category",
            category_label(&finding.category).to_owned().into_any(),
        ),
    ];
    let scanner = match (&finding.tool, &finding.label) {
        (Some(tool), Some(label)) if tool != label => format!("{tool}, series {label}"),
        (Some(tool), _) => tool.clone(),
        _ => "Written by hand".to_owned(),
    };
    rows.push(row(
        "Scanner",
        view! { <span class="wrap-any">{scanner}</span> }.into_any(),
    ));
    if let Some(claim) = &finding.claim {
        let says = claim.sentence();
        let note = (claim.state == ScannerState::Suppressed
            && finding.status == FindingStatus::Open)
            .then_some(" Nobody has decided about it here, so it counts as open.");
        rows.push(row(
            "Scanner says",
            view! { <span class="wrap-any">{says} {note}</span> }.into_any(),
        ));
    }
    if let Some(component) = &finding.component {
        let version = finding
            .component_version
            .clone()
            .map(|version| format!(" {version}"));
        rows.push(row(
            "Component",
            view! { <code class="wrap-any">{component.clone()}{version}</code> }.into_any(),
        ));
    }
    if !finding.cve.is_empty() || !finding.aliases.is_empty() {
        let ids = finding
            .cve
            .iter()
            .take(20)
            .map(|id| {
                if is_cve(id) {
                    let address = format!("https://nvd.nist.gov/vuln/detail/{id}");
                    view! { <a href=address rel="noreferrer">{id.clone()}</a> " " }.into_any()
                } else {
                    view! { <span class="wrap-any">{id.clone()} " "</span> }.into_any()
                }
            })
            .collect_view();
        let aliases: Vec<_> = finding
            .aliases
            .iter()
            .filter(|id| !finding.cve.contains(id))
            .take(20)
            .cloned()
            .collect();
        rows.push(row(
            "Known as",
            view! { {ids} <span class="wrap-any">{aliases.join(" ")}</span> }.into_any(),
        ));
    }
    let day = |at: Millis| view! { <time datetime=machine(at) title=moment(at)>{date(at)}</time> };
    let scan_link = |scan: &Option<String>| {
        scan.clone()
            .map(|scan| view! { ", " <a href=paths::scan(&scan)>"scan"</a> })
    };
    if finding.created_by.is_some() {
        let name = finding.created_by_name.clone().unwrap_or_default();
        rows.push(row(
            "Written",
            view! { {day(finding.first_seen_at)} " by " <Who name /> }.into_any(),
        ));
    } else {
        rows.push(row(
            "First seen",
            view! { {day(finding.first_seen_at)} {scan_link(&finding.first_scan)} }.into_any(),
        ));
        rows.push(row(
            "Last seen",
            view! { {day(finding.last_seen_at)} {scan_link(&finding.last_scan)} }.into_any(),
        ));
    }
    if let Some(at) = finding
        .fixed_at
        .filter(|_| finding.status == FindingStatus::Fixed)
    {
        rows.push(row("Fixed", day(at).into_any()));
    }
    if let Some(bound) = &finding.accepted_content {
        let name = match finding.status {
            FindingStatus::RiskAccepted => "Digest of what was accepted",
            FindingStatus::Open => "Digest of what was asked about",
            _ => "Digest of what was decided about",
        };
        // Of a duplicate, what it repeats stands behind.
        let digest = bound.split(':').next().unwrap_or_default().to_owned();
        rows.push(row(name, view! { <Sha digest /> }.into_any()));
    }
    view! {
        <section class="panel" aria-labelledby="h-det">
            <div class="panel-head"><h2 id="h-det">"Details"</h2></div>
            <div class="panel-body">
                <dl class="dl">{rows}</dl>
            </div>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_become_links() {
        assert!(web_address("https://semgrep.dev/r/x"));
        for bad in [
            "javascript:alert(1)",
            "  javascript:alert(1)",
            "data:text/html,x",
            "//evil.example",
            "/account",
            "https://a b",
            "https://a\n.example",
        ] {
            assert!(!web_address(bad), "{bad}");
        }
    }

    #[test]
    fn only_a_cve_number_becomes_a_link() {
        assert!(is_cve("CVE-2025-12345"));
        for bad in [
            "CVE-2025-1",
            "CVE-2025-1234/../x",
            "GHSA-1",
            "CVE-2025-1234-1",
            "cve-2025-1234",
        ] {
            assert!(!is_cve(bad), "{bad}");
        }
    }
}
