//! One scan: what it was, what it changed, the scanner's own file.

use holdpoint_domain::{ReviewId, ScanId, person::Action};
use holdpoint_service::{Scan, scans::MAX_LISTED};
use leptos::prelude::*;

use super::{IncompleteNote, by_severity, change_table, figures, format_title, list::name_of};
use crate::{
    flash::FormState,
    pages::{
        PageError,
        findings::{framed, item_options, thousands},
        page, parameter, query,
        review_bar::{review_bar, review_crumbs},
    },
    parts::{
        Button, ButtonLink, Confirm, Crumb, DigestBox, Icon, PageHead, SelectField, Tab, Who,
        controls::Weight,
        figure::size,
        status::{Flag, FlagMark},
        when::moment,
    },
    paths::{self, action},
    visit::{Visit, services},
};

/// What was odd in a file, as it is stored.
#[derive(serde::Deserialize)]
struct Odd {
    #[serde(rename = "where")]
    place: String,
    message: String,
}

#[component]
pub(super) fn ScanPage() -> impl IntoView {
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let id = ScanId::parse(&parameter("id")).ok_or(PageError::NotFound("This scan"))?;
        let asked = ReviewId::parse(&query("review"));
        let services = services();
        let scan = services.scan(&person, &id).await?;
        let may_contribute = services
            .access(&person, &scan.service)
            .await?
            .may(Action::Contribute);
        let changes = services
            .changes_of_scan(&person, &id, i64::try_from(MAX_LISTED).unwrap_or(200))
            .await?;
        // The review that the reader came from, or the service's newest: only for the bar above.
        let review = match asked {
            Some(review) => Some(review),
            None => services
                .reviews_of(&person, &scan.service, None, 1)
                .await?
                .entries
                .into_iter()
                .next()
                .map(|(review, _)| review.id),
        };
        let standing = match &review {
            Some(review) => services
                .review_glance(&person, review)
                .await
                .ok()
                .filter(|standing| standing.review.service_id == scan.service.as_str()),
            None => None,
        };
        let bar = match &standing {
            Some(standing) => Some(review_bar(&person, standing, Tab::Scans).await?),
            None => None,
        };
        let crumbs = match &standing {
            Some(standing) => review_crumbs(standing),
            None => vec![Crumb::to("Reviews", paths::HOME)],
        };
        let review = standing
            .as_ref()
            .map(|standing| standing.review.id.clone())
            .unwrap_or_default();
        let evidence = standing
            .as_ref()
            .filter(|_| {
                may_contribute && scan.incomplete_because.is_none() && scan.undone_at.is_none()
            })
            .map(|standing| {
                evidence_form(
                    &scan,
                    &standing.review.id,
                    item_options(standing, "Choose an item"),
                    visit.form("scans/evidence"),
                )
            });
        let may_import = services
            .access(&person, &scan.service)
            .await?
            .may(Action::ImportScans);
        let stays = services.why_scan_stays(&person, &id).await?;
        let undo = undo_panel(&scan, stays, may_import, &review);
        let name = name_of(&scan);
        let title = name.clone();
        let total = scan.counts.total();
        let back = (!review.is_empty())
            .then(|| view! { <a class="muted" href=paths::scans(&review)>"Scans"</a> }.into_any());
        let incomplete = scan.incomplete_because.clone();
        let mark = incomplete
            .is_some()
            .then(|| view! { <FlagMark flag=Flag::Incomplete /> });
        let results = match (total, incomplete.is_some()) {
            (0, false) => "complete and clean".to_owned(),
            (1, _) => "1 result".to_owned(),
            (n, _) => format!("{} results", thousands(n)),
        };
        let meta = view! {
            {mark}
            <span>{results}</span>
            <span class="t">{moment(scan.imported_at)}</span>
        }
        .into_any();
        let actions = view! {
            <ButtonLink words="Original file" href=paths::scan_file(scan.id.as_str()) icon=Icon::Download download=true />
        }
        .into_any();
        let tool = match &scan.tool_version {
            Some(version) => format!("{} {version}", scan.tool),
            None => scan.tool.clone(),
        };
        let n_changes =
            scan.changes.new + scan.changes.moved + scan.changes.reopened + scan.changes.fixed;
        let n_listed = i64::try_from(changes.len()).unwrap_or(0);
        let foot = (n_listed < n_changes).then(|| {
            view! { <p class="panel-foot">{format!("{n_listed} of {} changes are listed.", thousands(n_changes))}</p> }
        });
        let list = if changes.is_empty() {
            view! { <p class="panel-body small muted">"It changed no finding."</p> }.into_any()
        } else {
            change_table("What this scan changed".to_owned(), changes, &review)
        };
        let odd: Vec<Odd> = serde_json::from_str(&scan.problems).unwrap_or_default();
        let odd = (!odd.is_empty()).then(|| {
            let rows = odd
                .into_iter()
                .take(100)
                .map(|odd| {
                    view! { <li><span class="grow"><code class="wrap-any">{odd.place}</code> " " {odd.message}</span></li> }
                })
                .collect_view();
            view! {
                <section class="panel" aria-labelledby="h-odd">
                    <div class="panel-head"><h2 id="h-odd">"What was odd in the file"</h2></div>
                    <ul class="rows">{rows}</ul>
                </section>
            }
        });
        let counts = by_severity(&scan.counts.into());
        let series = scan.label.clone();
        let commit = scan.commit.clone().unwrap_or_else(|| "not said".to_owned());
        let file = format!("{}, {}", scan.file_name, size(scan.file_bytes));
        let sequence = scan.sequence.to_string();
        let content = view! {
                <PageHead title=name over=back.unwrap_or_else(|| ().into_any()) meta actions />
                <div class="with-rail">
                    <div class="stack">
                        {incomplete.map(|because| view! { <IncompleteNote because /> })}
                        <section class="panel" aria-labelledby="h-chg">
                            <div class="panel-head">
                                <h2 id="h-chg">"What it changed"</h2>
                                <p class="push muted">"Against the scan before it in its series"</p>
                            </div>
                            <div class="deltas">
                                {figures(scan.changes, "not seen before", scan.incomplete_because.is_none())}
                            </div>
                            {list}
                            {foot}
                        </section>
                        {odd}
                    </div>
                    <aside class="rail" aria-label="Details">
                        <section class="panel" aria-labelledby="h-det">
                            <div class="panel-head"><h2 id="h-det">"Details"</h2></div>
                            <div class="panel-body stack-2">
                                <dl class="dl">
                                    <dt>"Tool"</dt><dd class="wrap-any">{tool}</dd>
                                    <dt>"Series"</dt><dd class="wrap-any">{series}</dd>
                                    <dt>"Position"</dt><dd>{sequence}</dd>
                                    <dt>"Commit"</dt><dd class="mono wrap-any">{commit}</dd>
                                    <dt>"Format"</dt><dd>{format_title(&scan.format)}</dd>
                                    <dt>"File"</dt><dd class="wrap-any">{file}</dd>
                                    <dt>"Imported by"</dt><dd><Who name=scan.imported_by_name.clone() /></dd>
                                    {(!counts.is_empty()).then(|| view! { <dt>"Severities"</dt><dd>{counts}</dd> })}
                                </dl>
                                <DigestBox label="SHA-256 of the file" digest=scan.file_sha256.as_str().to_owned() />
                            </div>
                        </section>
                        {evidence}
                        {undo}
                    </aside>
                </div>
        }
        .into_any();
        Ok(framed(title, crumbs, bar, content))
    })
}

/// Taking the import back, or why that cannot be.
fn undo_panel(scan: &Scan, stays: Option<String>, may_import: bool, review: &str) -> AnyView {
    let body = match stays {
        _ if !may_import => {
            let why = "Contributors, reviewers and managers of the service can undo an import.";
            view! { <p class="small muted">{why}</p> }.into_any()
        }
        Some(why) => view! { <p class="small muted">{why}</p> }.into_any(),
        None => {
            let what = match scan.changes.new {
                0 => "Every finding is as it was before this scan.".to_owned(),
                1 => "The finding that this scan found first is removed, and every other finding is as it was before it."
                    .to_owned(),
                n => format!(
                    "The {} findings that this scan found first are removed, and every other finding is as it was before it.",
                    thousands(n)
                ),
            };
            let what = format!("{what} The file stays with the scan\u{2019}s record.");
            let (id, review) = (scan.id.as_str().to_owned(), review.to_owned());
            view! {
                <Confirm words="Undo this import">
                    <form class="fields space-top" method="post" action=action("scans/undo")>
                        <input type="hidden" name="scan" value=id />
                        <input type="hidden" name="review" value=review />
                        <p class="small">{what}</p>
                        <div class="btn-row"><Button words="Undo the import" weight=Weight::Danger small=true /></div>
                    </form>
                </Confirm>
            }
            .into_any()
        }
    };
    let at = scan.undone_at.map(|at| {
        view! { <p class="small">"Undone " {moment(at)} "."</p> }
    });
    view! {
        <section class="panel" aria-labelledby="h-undo">
            <div class="panel-head"><h2 id="h-undo">"Undo"</h2></div>
            <div class="panel-body stack-2">{at}{body}</div>
        </section>
    }
    .into_any()
}

/// Makes the scan evidence of an item: also one with findings, which says how many.
fn evidence_form(
    scan: &Scan,
    review: &str,
    options: Vec<(String, String)>,
    form: FormState,
) -> AnyView {
    let hint = match scan.counts.total() {
        0 => "It is clean: complete, and nothing found.",
        _ => "It has findings, and the evidence says how many.",
    };
    view! {
        <section class="panel" aria-labelledby="h-ev">
            <div class="panel-head"><h2 id="h-ev">"Use as evidence"</h2></div>
            <form class="panel-body fields" method="post" action=action("scans/evidence")>
                <input type="hidden" name="scan" value=scan.id.as_str().to_owned() />
                <input type="hidden" name="review" value=review.to_owned() />
                <SelectField form name="item" label="Of item" options hint />
                <div class="btn-row"><Button words="Use as evidence" small=true /></div>
            </form>
        </section>
    }
    .into_any()
}
