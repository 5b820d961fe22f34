//! The workflow bar: what has happened, what comes next, and the moves that are possible now.

use holdpoint_domain::{Decision, ItemState, Millis, item, item::Step};
use holdpoint_service::{ItemPage, sign_off::SignForm, standing::ItemStanding};
use leptos::prelude::*;

use crate::{
    pages::sign_off::signers::signer_words,
    parts::{
        Ico, Icon, Shown as _,
        status::{Look, Tone},
        when::near,
    },
    paths,
    paths::action,
};

/// The bar with its steps and buttons.
#[component]
pub(super) fn Flow(
    page: ItemPage,
    standing: ItemStanding,
    form: SignForm,
    /// When work began last, if it did.
    started_at: Option<Millis>,
    evidence_required: bool,
    now: Millis,
) -> impl IntoView {
    let steps = [
        started(&page, started_at, now),
        requested(&page, now),
        decision(&page, &standing, now),
    ];
    let is_current = steps.iter().position(|step| !step.done);
    let steps = steps
        .into_iter()
        .enumerate()
        .map(|(at, Shown { done, look, text })| {
            let Look { icon, tone, .. } = look;
            view! {
                <li class=done.then_some("done") aria-current=(is_current == Some(at)).then_some("step")>
                    <span class="st wrap" data-tone=tone.as_str()><Ico icon />{text}</span>
                </li>
            }
        })
        .collect_view();
    let no_evidence = evidence_required && page.figures.n_evidence == 0;
    let mut reasons = Vec::new();
    let moves = Step::ALL
        .iter()
        .copied()
        .filter(|step| item::step(page.state, *step).is_ok())
        .map(|step| {
            let why = if !page.steps.contains(&step) {
                Some(who_may(step))
            } else if step == Step::RequestReview && no_evidence {
                Some("Request review is possible once there is evidence.")
            } else {
                None
            };
            let id = why.map(|_| format!("no-{}", step.as_str()));
            if let Some(why) = why {
                reasons.push((format!("no-{}", step.as_str()), why));
            }
            let primary = step == Step::RequestReview && why.is_none();
            let class = if primary {
                "btn btn-sm btn-primary"
            } else {
                "btn btn-sm"
            };
            view! {
                <button
                    class=class
                    type="submit"
                    name="step"
                    value=step.as_str()
                    disabled=id.is_some()
                    aria-describedby=id
                >
                    {step.label()}
                </button>
            }
        })
        .collect_view();
    let decisions = (page.state == ItemState::InReview).then(|| decisions(&page, &form));
    let reasons = reasons
        .into_iter()
        .map(|(id, why)| view! { <p class="tiny muted" id=id>{why}</p> })
        .collect_view();
    view! {
        <section class="flow" aria-label="Workflow">
            <ol>{steps}</ol>
            <form class="btn-row" method="post" action=action("items/step")>
                <input type="hidden" name="item" value=page.item.id.as_str().to_owned() />
                {moves}
                {decisions}
            </form>
            <div class="stack-1">{reasons}</div>
        </section>
    }
    .into_any()
}

/// One step of the way.
struct Shown {
    done: bool,
    look: Look,
    text: String,
}

const DONE: Look = Look {
    icon: Icon::Check,
    tone: Tone::Green,
    word: "",
};

fn started(page: &ItemPage, at: Option<Millis>, now: Millis) -> Shown {
    if page.state == ItemState::Open {
        return Shown {
            done: false,
            look: ItemState::Open.look(),
            text: "Not started".to_owned(),
        };
    }
    let at = at
        .map(|at| format!(" {}", near(at, now)))
        .unwrap_or_default();
    Shown {
        done: true,
        look: DONE,
        text: format!("Started{at}"),
    }
}

fn requested(page: &ItemPage, now: Millis) -> Shown {
    let waits = matches!(page.state, ItemState::Open | ItemState::InProgress);
    if waits {
        return Shown {
            done: false,
            look: Look {
                icon: Icon::None,
                ..ItemState::Open.look()
            },
            text: "Review not requested".to_owned(),
        };
    }
    let who = page
        .review_requested_by
        .as_ref()
        .map(|named| format!(" by {}", named.name))
        .unwrap_or_default();
    let at = page
        .item
        .review_requested_at
        .map(|at| format!(", {}", near(at, now)))
        .unwrap_or_default();
    Shown {
        done: true,
        look: DONE,
        text: format!("Review requested{who}{at}"),
    }
}

fn decision(page: &ItemPage, standing: &ItemStanding, now: Millis) -> Shown {
    if page.state.is_decided() {
        let last = standing
            .sign_offs
            .iter()
            .rev()
            .find(|one| one.sign_off.item_decision().map(Decision::state) == Some(page.state));
        let by = last
            .map(|one| {
                let sign_off = &one.sign_off;
                format!(
                    " by {}, {}",
                    signer_words(sign_off),
                    near(sign_off.signed_at, now)
                )
            })
            .unwrap_or_default();
        return Shown {
            done: standing.is_signed(),
            look: page.state.look(),
            text: format!("{}{by}", page.state.label()),
        };
    }
    let names: Vec<_> = page
        .reviewers
        .iter()
        .map(|named| named.name.as_str())
        .collect();
    let who = if names.is_empty() {
        "a reviewer".to_owned()
    } else {
        names.join(" or ")
    };
    let look = if page.state == ItemState::InReview {
        ItemState::InReview.look()
    } else {
        Look {
            icon: Icon::None,
            ..ItemState::Open.look()
        }
    };
    Shown {
        done: false,
        look,
        text: format!("Decision by {who}"),
    }
}

/// Links to the sign form with a decision chosen.
fn decisions(page: &ItemPage, form: &SignForm) -> impl IntoView + use<> {
    let id = page.item.id.as_str().to_owned();
    let refused = form.refusal.is_some();
    let pass_refused = !form.pass_refusals.is_empty();
    let may_waive = form.may_waive;
    Decision::ALL
        .iter()
        .copied()
        .map(move |decision| {
            let why = match decision {
                _ if refused => Some("sign-refused".to_owned()),
                Decision::Pass if pass_refused => Some("decision-pass-why".to_owned()),
                Decision::Waive if !may_waive => Some("decision-waive-why".to_owned()),
                _ => None,
            };
            let Look { icon, word, .. } = decision.look();
            match why {
                Some(why) => view! {
                    <button class="btn btn-sm dec" type="button" disabled aria-describedby=why><Ico icon />{word}</button>
                }
                .into_any(),
                None => {
                    let address = paths::with_query(&paths::item(&id), &[("decision", decision.as_str())]);
                    view! { <a class="btn btn-sm dec" href=format!("{address}#sign")><Ico icon />{word}</a> }.into_any()
                }
            }
        })
        .collect_view()
}

const fn who_may(step: Step) -> &'static str {
    match step {
        Step::Start => "A contributor, reviewer or manager of this service can start work.",
        Step::RequestReview => {
            "A contributor, reviewer or manager of this service can request the review."
        }
        Step::BackToWork => {
            "A contributor, reviewer or manager of this service can send it back to work."
        }
        Step::Reopen => "A contributor, reviewer or manager of this service can reopen it.",
        Step::ReviewAgain => "A reviewer or manager of this service can put it in review again.",
        Step::EndWaiver => "A manager of this service can end the waiver.",
    }
}
