//! The page of one patch.

use holdpoint_domain::{Millis, PatchId, PatchState};
use holdpoint_service::{
    ActivityLine, ActivityOf,
    patches::{PatchPossible, PatchView},
};
use leptos::prelude::*;

use super::shown;
use crate::{
    flash::FormState,
    pages::{
        PageError, page, parameter, query,
        review_bar::{review_bar, review_crumbs},
    },
    parts::{
        Button, Confirm, Crumb, Frame, Ico, Icon, Inline, PageHead, Panel, Pill, Sha, Side, St,
        Tab, TextArea, TextField, When,
        controls::{ButtonLink, Weight},
        patch::{Changed, CommitMessages, PatchCard},
        status::Tone,
    },
    paths,
    paths::action,
    visit::{Visit, services},
};

/// Rows of a diff that a browser still scrolls well; the rest is in the file.
const MOST_ROWS: usize = 4_000;

#[component]
pub fn PatchPage() -> impl IntoView {
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let services = services();
        let id = PatchId::parse(&parameter("id")).ok_or(PageError::NotFound("This patch"))?;
        let side = if query("view") == "split" {
            Side::BySide
        } else {
            Side::Unified
        };
        let view = services.patch(&person, &id).await?;
        let standing = services.review_glance(&person, &view.review.id).await?;
        let activity = ActivityOf::Subject {
            service: view.service.id.clone(),
            id: id.as_str().to_owned(),
        };
        let history = services
            .activity_of(&person, &activity, None, 50)
            .await?
            .entries;
        let bar = review_bar(&person, &standing, Tab::Patches).await?;
        let name = format!("P-{}", view.patch.number);
        let title = format!("{name} {}", view.patch.title);
        let mut crumbs = review_crumbs(&standing);
        crumbs.push(Crumb::to(
            "Patches",
            paths::patches(view.review.id.as_str()),
        ));
        crumbs.push(Crumb::here(name));
        let meta = meta(&view, visit.now);
        let fate = fate(&view, visit.now);
        let diff = diff(&view, side, visit.now);
        let links = links(&view, visit.form("patches/link"));
        let decide = decide(&view, &visit.form("patches/decide"));
        let apply = apply(&view, visit.form("patches/apply"));
        let history = history_of(history, visit.now);
        Ok(view! {
            <Frame title=title.clone() crumbs review=bar>
                <PageHead title meta=meta />
                <div class="stack">
                    {fate}
                    {diff}
                    {links}
                    {decide}
                    {apply}
                    {history}
                </div>
            </Frame>
        }
        .into_any())
    })
}

fn meta(view: &PatchView, now: Millis) -> AnyView {
    let patch = &view.patch;
    let files = match patch.n_files {
        1 => "1 file".to_owned(),
        n => format!("{n} files"),
    };
    let author = (patch.author_name != patch.submitted_by_name)
        .then(|| view! { <span>"by " {patch.author_name.clone()}</span> });
    view! {
        <Pill of=patch.state />
        <span>{files}</span>
        <span><Changed added=patch.n_added removed=patch.n_removed /></span>
        {author}
        <span>
            "submitted by " {patch.submitted_by_name.clone()} ", "
            <When at=patch.submitted_at now />
        </span>
    }
    .into_any()
}

/// Who decided, why, which commit, which scan.
fn fate(view: &PatchView, now: Millis) -> Option<AnyView> {
    let patch = &view.patch;
    let decided_at = patch.decided_at?;
    let who = patch.decided_by_name.clone().unwrap_or_default();
    let (tone, icon, verb) = if patch.state == PatchState::Rejected {
        (Tone::Red, Icon::Fail, "Rejected")
    } else {
        (Tone::Green, Icon::Conditional, "Approved")
    };
    let reason = (!patch.decision_reason.is_empty())
        .then(|| view! { <p class="wrap">{patch.decision_reason.clone()}</p> });
    let applied = patch.applied_commit.clone().map(|commit| {
        let at = patch.applied_at.unwrap_or(decided_at);
        view! {
            <p>
                "Marked as applied with commit " <Sha digest=commit kind="Commit" /> ", "
                <When at now /> "."
            </p>
        }
    });
    let verified = match (&patch.verified_by_scan, patch.state) {
        (Some(scan), _) => Some(
            view! {
                <p>
                    "Verified: " <a href=paths::scan(scan.as_str())>"a later scan"</a>
                    " no longer has its findings."
                </p>
            }
            .into_any(),
        ),
        (None, PatchState::Applied) => Some(
            view! {
                <p class="muted">
                    "Not verified yet: the next complete scan of its findings' series that no longer has them does that. Nobody can by hand."
                </p>
            }
            .into_any(),
        ),
        _ => None,
    };
    Some(
        view! {
            <div class="notice" data-tone=tone.as_str()>
                <Ico icon />
                <div class="stack-1">
                    <p>{verb} " by " {who} ", " <When at=decided_at now /> "."</p>
                    {reason}
                    {applied}
                    {verified}
                </div>
            </div>
        }
        .into_any(),
    )
}

fn diff(view: &PatchView, side: Side, now: Millis) -> AnyView {
    let id = view.patch.id.as_str();
    let here = |is: bool| is.then_some("true");
    let views = view! {
        <nav class="views" aria-label="Diff layout">
            <a href=paths::patch(id) aria-current=here(side == Side::Unified)>"Unified"</a>
            <a href=paths::patch_by_side(id) aria-current=here(side == Side::BySide)>"Side by side"</a>
        </nav>
    };
    let patch = shown(view, side);
    let messages = (!patch.commits.is_empty()).then(|| {
        let commits = patch.commits.clone();
        let title = if commits.len() == 1 {
            "Commit message"
        } else {
            "Commit messages"
        };
        view! {
            <Panel id="h-messages" title>
                <CommitMessages commits />
            </Panel>
        }
    });
    view! {
        {messages}
        <section class="section" aria-labelledby="h-changes">
            <div class="section-head">
                <h2 id="h-changes">"Changes"</h2>
                <div class="push">{views}</div>
            </div>
            <PatchCard patch now side most_rows=MOST_ROWS own_page=true />
        </section>
    }
    .into_any()
}

fn hidden(view: &PatchView) -> impl IntoView + use<> {
    let (id, version) = (view.patch.id.as_str().to_owned(), view.patch.version);
    view! {
        <input type="hidden" name="patch" value=id />
        <input type="hidden" name="version" value=version.to_string() />
    }
}

fn links(view: &PatchView, form: FormState) -> AnyView {
    let PatchPossible { no_link, .. } = view.possible.clone();
    let may = no_link.is_none();
    let unlink = |name: &'static str, id: String, words: String| {
        may.then(|| {
            view! {
                <form method="post" action=action("patches/unlink")>
                    {hidden(view)}
                    <input type="hidden" name=name value=id />
                    <button class="btn btn-sm btn-quiet" type="submit">
                        <Ico icon=Icon::Close />
                        "Unlink"
                        <span class="vh">{format!(" {words}")}</span>
                    </button>
                </form>
            }
        })
    };
    let findings = view
        .findings
        .iter()
        .map(|touched| {
            let finding = &touched.finding;
            let name = format!("F-{}", finding.number);
            let id = finding.id.as_str().to_owned();
            let sentence = format!("P-{} {}.", view.patch.number, touched.sentence);
            // A finding without a file makes a sentence of its own.
            let sentence = if finding.path.is_some() {
                sentence
            } else {
                format!("{}.", touched.sentence)
            };
            view! {
                <li class="row-between">
                    <div>
                        <p>
                            <a href=paths::finding(&id)>{name.clone()} " " <Inline text=finding.title.clone() /></a>
                            " "
                            <St of=finding.severity />
                            " "
                            <St of=finding.status />
                        </p>
                        <p class="small muted">{sentence}</p>
                    </div>
                    {unlink("finding", id, name)}
                </li>
            }
        })
        .collect_view();
    let items = view
        .items
        .iter()
        .map(|item| {
            let id = item.id.as_str().to_owned();
            view! {
                <li class="row-between">
                    <p><a href=paths::item(&id)>{item.key.clone()} " " <Inline text=item.title.clone() /></a></p>
                    {unlink("item", id, item.key.clone())}
                </li>
            }
        })
        .collect_view();
    let is_empty = view.findings.is_empty() && view.items.is_empty();
    let none = is_empty.then(|| {
        view! {
            <p class="muted">
                "Linked to nothing yet. Without a finding, no scan can verify the patch."
            </p>
        }
    });
    let add = match no_link {
        Some(why) => view! { <p class="small muted">{why}</p> }.into_any(),
        None => {
            let fields = view! {
                <form class="fields" method="post" action=action("patches/link")>
                    {hidden(view)}
                    <TextField
                        form=form.clone()
                        name="finding_numbers"
                        label="Finding"
                        hint="Its number, as in F-12."
                        required=false
                        mono=true
                        max_length=40
                    />
                    <TextField
                        form=form.clone()
                        name="item_keys"
                        label="Or item"
                        hint="Its key, as in 2.5.1. A signature on the item becomes void."
                        required=false
                        mono=true
                        max_length=200
                    />
                    <div class="btn-row"><Button words="Link" small=true /></div>
                </form>
            };
            if form.was_refused() {
                fields.into_any()
            } else {
                view! { <Confirm words="Link to another finding or item">{fields}</Confirm> }
                    .into_any()
            }
        }
    };
    view! {
        <Panel id="h-links" title="Linked to">
            <div class="stack-2">
                {none}
                {(!is_empty).then(|| view! { <ul class="stack-2">{findings} {items}</ul> })}
                {add}
            </div>
        </Panel>
    }
    .into_any()
}

/// A button that does nothing, with the reason beside it.
fn impossible(id: &'static str, words: &'static str, why: String) -> AnyView {
    view! {
        <div class="btn-row">
            <button class="btn" type="button" disabled aria-describedby=id>{words}</button>
            <span class="small muted" id=id>{why}</span>
        </div>
    }
    .into_any()
}

fn decide(view: &PatchView, form: &FormState) -> Option<AnyView> {
    if matches!(view.patch.state, PatchState::Applied | PatchState::Verified) {
        return None;
    }
    let PatchPossible {
        no_approve,
        no_reject,
        ..
    } = view.possible.clone();
    // The same sentence twice would help nobody.
    let only_one = no_approve.is_some() && no_reject.is_some();
    let approve = match no_approve {
        Some(why) => impossible("no-approve", "Approve", why),
        None => view! {
            <form method="post" action=action("patches/decide")>
                {hidden(view)}
                <Button
                    words=format!("Approve P-{}", view.patch.number)
                    weight=Weight::Primary
                    name="decision"
                    value="approve"
                />
            </form>
        }
        .into_any(),
    };
    let reject = match no_reject {
        Some(_) if only_one => None,
        Some(why) => Some(impossible("no-reject", "Reject", why)),
        None => {
            let fields = view! {
                <form class="fields" method="post" action=action("patches/decide")>
                    {hidden(view)}
                    <input type="hidden" name="decision" value="reject" />
                    <TextArea
                        form=form.clone()
                        name="reason"
                        label="Why it is rejected"
                        rows=3
                        max_length=4000
                    />
                    <div class="btn-row">
                        <Button words=format!("Reject P-{}", view.patch.number) weight=Weight::Danger />
                    </div>
                </form>
            };
            Some(if form.typed("decision") == Some("reject") {
                fields.into_any()
            } else {
                view! { <Confirm words="Reject">{fields}</Confirm> }.into_any()
            })
        }
    };
    Some(
        view! {
            <Panel id="decision" title="Decision">
                <div class="stack-2">
                    {approve}
                    {reject}
                    <p class="small muted">
                        "Approving says that the change is right. Whether it fixes anything, a later scan says."
                    </p>
                </div>
            </Panel>
        }
        .into_any(),
    )
}

fn apply(view: &PatchView, form: FormState) -> Option<AnyView> {
    let corrects = view.patch.state == PatchState::Applied;
    let body = match view.possible.no_apply.clone() {
        // What is rejected or verified is at its end: nothing to be done is no news.
        Some(_)
            if matches!(
                view.patch.state,
                PatchState::Rejected | PatchState::Verified
            ) =>
        {
            return None;
        }
        Some(why) => impossible("no-apply", "Mark as applied", why),
        None => {
            let words = if corrects {
                "Correct the commit"
            } else {
                "Mark as applied"
            };
            let commit = view.patch.applied_commit.clone().unwrap_or_default();
            view! {
                <form class="fields" method="post" action=action("patches/apply")>
                    {hidden(view)}
                    <TextField
                        form
                        name="commit"
                        label="Commit that it was applied with"
                        value=commit
                        mono=true
                        max_length=64
                    />
                    <div class="btn-row"><Button words /></div>
                </form>
            }
            .into_any()
        }
    };
    let series = (view.possible.no_apply.is_none() && !corrects).then(|| {
        view! {
            <ButtonLink
                words="All approved patches (.mbox)"
                href=paths::patch_series(view.review.id.as_str())
                small=true
                weight=Weight::Quiet
                icon=Icon::Download
                download=true
            />
        }
        .into_any()
    });
    Some(
        view! {
            <Panel id="h-apply" title="Applied">
                <div class="stack-2">{body} {series}</div>
            </Panel>
        }
        .into_any(),
    )
}

fn history_of(lines: Vec<ActivityLine>, now: Millis) -> AnyView {
    let rows = lines
        .into_iter()
        .map(|line| {
            view! {
                <li>
                    <p><b>{line.who}</b> " " {line.summary} ", " <When at=line.at now /></p>
                </li>
            }
        })
        .collect_view();
    view! {
        <Panel id="h-history" title="History">
            <ol class="stack-1">{rows}</ol>
        </Panel>
    }
    .into_any()
}
