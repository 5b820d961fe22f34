//! Sign-offs with whether they still hold, and what changed since those that do not.

use holdpoint_domain::{Millis, signoff::Change};
use holdpoint_service::{
    ActivityLine,
    standing::{SignOffStanding, Validity},
};
use leptos::prelude::*;

use crate::{
    pages::sign_off::signers::signer_address,
    parts::{
        Ico, Icon, Inline, Panel, Sha, St, When, Who,
        figure::{capitalised, counted},
        panel::Disclosure,
        status::{Flag, FlagMark},
        when::date,
    },
    paths,
};

/// How a sign-off is marked; one of an earlier round is history and has no mark.
fn flag_of(standing: &SignOffStanding) -> Option<Flag> {
    match &standing.validity {
        Validity::Valid => Some(Flag::Valid),
        Validity::Void(changes) => Some(Flag::Void(format!(
            "{} since",
            counted(changes.len(), "change", "changes")
        ))),
        Validity::Damaged(_) => Some(Flag::Damaged),
        Validity::Past => None,
    }
}

/// All sign-offs of an item, the newest first.
#[component]
pub(super) fn SignOffs(sign_offs: Vec<SignOffStanding>, now: Millis) -> impl IntoView {
    if sign_offs.is_empty() {
        return ().into_any();
    }
    let rows = sign_offs
        .into_iter()
        .rev()
        .map(|standing| {
            let flag = flag_of(&standing);
            let old_rules = standing.is_of_old_rules().then(|| {
                view! { <p class="tiny muted">"Made under an older rule for texts: it counts only while they are the same byte by byte."</p> }
            });
            let sign_off = standing.sign_off;
            let decision = sign_off.item_decision();
            let changes = match standing.validity {
                Validity::Void(changes) => Some(view! { <ChangeList changes /> }.into_any()),
                Validity::Damaged(why) => {
                    Some(view! { <p class="small wrap-any">{why.join(" ")} " Restore the database from a backup."</p> }.into_any())
                }
                _ => None,
            };
            let until = sign_off
                .waived_until
                .map(|until| view! { <p class="small">"Until " {date(until)} ". Risk: " {sign_off.risk.clone().unwrap_or_default()}</p> });
            let solo = (!sign_off.four_eyes)
                .then(|| view! { <p class="tiny muted">"Signed while the policy did not ask for four eyes."</p> });
            view! {
                <li class="stack-1">
                    <div class="row-between">
                        <Who name=sign_off.person_name.clone() />
                        <span class="small muted wrap-any">{signer_address(&sign_off)}</span>
                        {match flag {
                            Some(flag) => view! { <FlagMark flag /> }.into_any(),
                            None => view! { <span class="muted small">"Earlier round"</span> }.into_any(),
                        }}
                    </div>
                    <p class="row small">
                        {decision.map(|of| view! { <St of /> })}
                        <span class="muted"><When at=sign_off.signed_at now /></span>
                        <Sha digest=sign_off.digest.clone() kind="Signed digest" shown=8 />
                    </p>
                    {(!sign_off.statement.is_empty()).then(|| view! { <p class="small wrap-any">{sign_off.statement.clone()}</p> })}
                    {until}
                    {changes}
                    {solo}
                    {old_rules}
                </li>
            }
        })
        .collect_view();
    view! {
        <Panel id="h-offs" title="Sign-offs">
            <ol class="stack">{rows}</ol>
        </Panel>
    }
    .into_any()
}

/// Which inputs changed since a signature: what each was and is.
#[component]
pub(crate) fn ChangeList(changes: Vec<Change>) -> impl IntoView {
    let rows = changes
        .into_iter()
        .map(|Change { what, was, is }| {
            let side = |words: &'static str, text: Option<String>, none: &'static str| match text {
                Some(text) => {
                    view! { <div><dt>{words}</dt><dd class="wrap-any">{text}</dd></div> }.into_any()
                }
                None => {
                    view! { <div><dt>{words}</dt><dd class="muted">{none}</dd></div> }.into_any()
                }
            };
            view! {
                <li class="stack-1">
                    <b class="strong wrap-any">{capitalised(&what)}</b>
                    <dl class="small stack-1">
                        {side("When signed: ", was, "not there")}
                        {side("Now: ", is, "not there any more")}
                    </dl>
                </li>
            }
        })
        .collect_view();
    view! {
        <Disclosure summary="What changed since" open=true>
            <ul class="stack-2 space-top">{rows}</ul>
        </Disclosure>
    }
    .into_any()
}

/// Who did what, the newest first.
#[component]
pub(super) fn Activity(
    review: String,
    lines: Vec<ActivityLine>,
    has_more: bool,
    now: Millis,
) -> impl IntoView {
    let rows = lines
        .into_iter()
        .map(|line| {
            let (icon, tone) = look_of(&line.action);
            view! {
                <li data-tone=tone>
                    <Ico icon />
                    <p><b>{line.who}</b> " " <Inline text=line.summary /><When at=line.at now /></p>
                </li>
            }
        })
        .collect_view();
    let all = has_more.then(|| {
        view! { <a class="small" href=paths::activity(&review)>"All activity"</a> }.into_any()
    });
    view! {
        <Panel id="h-act" title="Activity" head=all.into_any()>
            <ol class="timeline">{rows}</ol>
        </Panel>
    }
    .into_any()
}

fn look_of(action: &str) -> (Icon, Option<&'static str>) {
    match action {
        "item.commented" => (Icon::Comment, None),
        "item.review_requested" | "item.review_again" => (Icon::Review, Some("violet")),
        "item.signed" => (Icon::Sign, Some("green")),
        "item.started" => (Icon::Progress, Some("blue")),
        "item.reopened" | "item.sent_back" | "item.waiver_ended" => {
            (Icon::Reopened, Some("orange"))
        }
        "evidence.added" => (Icon::Clip, None),
        "evidence.withdrawn" => (Icon::Close, Some("amber")),
        _ => (Icon::Note, None),
    }
}
