//! The box in which people decide about a finding: what is possible, and why the rest is not.

use holdpoint_domain::{
    FindingStatus, Millis, PersonId, text::Date, triage::Request, verdict::repeats_nothing,
};
use holdpoint_service::Finding;
use leptos::prelude::*;

use crate::{
    flash::FormState,
    parts::{
        Button, Choice, Choices, St, TextArea, TextField,
        controls::Weight,
        when::{date, date_value},
    },
    paths::action,
};

const DAY: Millis = 86_400_000;

/// What takes a second person, said at each choice that does.
macro_rules! where_it_blocks {
    ($meaning:literal) => {
        concat!(
            $meaning,
            " Where it blocks, it stays open until a manager approves, and not you."
        )
    };
}
pub(super) use where_it_blocks;

#[component]
pub(super) fn TriageBox(
    finding: Finding,
    review: String,
    me: PersonId,
    may_contribute: bool,
    may_manage: bool,
    /// Where roles on the service are given.
    people: String,
    form: FormState,
    now: Millis,
) -> impl IntoView {
    let asked = finding.asked.is_some();
    let is_open = finding.status_at(now) == FindingStatus::Open;
    let state = match finding.status {
        FindingStatus::Duplicate if is_open => {
            let of = finding
                .duplicate_of
                .map_or_else(|| "a finding".to_owned(), |number| format!("F-{number}"));
            let why = repeats_nothing(finding.holds_until);
            format!("Now: open. It was called a duplicate of {of}, which {why}.")
        }
        FindingStatus::RiskAccepted => {
            let until = finding.accepted_until.map(date).unwrap_or_default();
            let by = finding.status_by_name.clone().unwrap_or_default();
            if finding.has_outgrown_acceptance() {
                format!(
                    "Now: open. {by} accepted its risk until {until}, but it does not say any more what was accepted."
                )
            } else if is_open {
                format!("Now: open. {by} accepted its risk until {until}, which is over.")
            } else {
                format!("Now: risk accepted until {until} by {by}.")
            }
        }
        FindingStatus::Duplicate => match finding.duplicate_of {
            Some(number) => format!("Now: duplicate of F-{number}."),
            None => "Now: duplicate.".to_owned(),
        },
        status => format!("Now: {}.", status.label().to_lowercase()),
    };
    let hidden = |finding: &Finding| {
        view! {
            <input type="hidden" name="finding" value=finding.id.as_str().to_owned() />
            <input type="hidden" name="version" value=finding.version.to_string() />
            <input type="hidden" name="review" value=review.clone() />
        }
        .into_any()
    };
    let answer = asked.then(|| {
        let fields = hidden(&finding);
        answer_to(&finding, fields, &me, may_manage, form.clone(), now)
    });
    if !may_contribute {
        let role = may_manage.then(|| {
            view! { " " <a href=people>"Give yourself a role"</a> }
        });
        return view! {
            {answer}
            <section class="signbox" id="triage" aria-labelledby="h-tri">
                <header>
                    <h2 id="h-tri">"Triage"</h2>
                    <p class="small muted">{state}</p>
                </header>
                <p class="small">
                    "Only a contributor, reviewer or manager of this service can decide about findings." {role}
                </p>
            </section>
        }
        .into_any();
    }
    let choices = choices(&finding, &form, now);
    let is_possible = choices.iter().any(|choice| choice.impossible.is_none());
    let why_not = (!is_possible).then_some("Nothing can be decided about it now.");
    let impossible = why_not.map(|_| "triage-why".to_owned());
    // While something is asked for, the answer's form has the first button.
    let weight = if asked {
        Weight::Secondary
    } else {
        Weight::Primary
    };
    let button = match impossible {
        Some(why) => view! { <Button words="Decide" weight impossible=why /> }.into_any(),
        None => view! { <Button words="Decide" weight /> }.into_any(),
    };
    view! {
        {answer}
        <form class="signbox" method="post" action=action("findings/triage") id="triage" aria-labelledby="h-tri" aria-keyshortcuts="t">
            <header>
                <h2 id="h-tri">"Triage"</h2>
                <p class="small muted">{state}</p>
            </header>
            {hidden(&finding)}
            <Choices form=form.clone() name="action" legend="Outcome" choices />
            <TextArea
                form
                name="reason"
                label="Reason"
                rows=3
                max_length=4000
                with_choice=true
                hint="It goes into the report. Only a duplicate needs none."
                prefix="triage"
            />
            <div class="btn-row">{button}</div>
            {why_not.map(|why| view! { <p class="small muted" id="triage-why">{why}</p> })}
        </form>
    }
    .into_any()
}

fn choices(finding: &Finding, form: &FormState, now: Millis) -> Vec<Choice> {
    use FindingStatus::{Duplicate, FalsePositive, Fixed, Open, RiskAccepted};

    let by_hand = finding.created_by.is_some();
    let status = finding.status;
    let text = |text: &str| Some(text.to_owned());
    let fixed_by_scan = status == Fixed && !by_hand;
    let reopen = match status {
        Open => text("It is open now."),
        _ if fixed_by_scan => {
            text("A scan found it fixed; only a scan that has it again reopens it.")
        }
        _ => None,
    };
    let accept = match status {
        Open | RiskAccepted => None,
        _ => text("Only the risk of an open finding can be accepted."),
    };
    let fixed = match (by_hand, status) {
        (true, Fixed) => text("It is fixed now."),
        (true, _) => None,
        (false, Fixed) => text("Set by scans: the last complete one no longer has it."),
        (false, _) => {
            text("Set by scans: when a later complete scan of its series no longer has it.")
        }
    };
    let first = Date::parse(&date_value(now))
        .map(|_| date_value(now))
        .unwrap_or_default();
    let until = form.value("until", &date_value(now + 30 * DAY));
    vec![
        said(
            Choice::new("reopen", view! { <St of=Open /> }),
            if finding.is_gone {
                "The scans do not have it any more, so it will be fixed, until one has it again."
            } else {
                "Open again, and counted in the verdict."
            },
            reopen,
        ),
        Choice::new("false_positive", view! { <St of=FalsePositive /> })
            .text(if by_hand {
                where_it_blocks!("It is no fault after all.")
            } else {
                where_it_blocks!("The scanner is wrong.")
            })
            .impossible(match status {
                FalsePositive => text("It is one now."),
                Fixed => text("It is fixed, so there is nothing to decide."),
                _ => None,
            }),
        Choice::new("duplicate", view! { <St of=Duplicate more="of" /> })
            .text(where_it_blocks!("Another finding says the same."))
            .impossible(match status {
                Duplicate => text("It is one now. Reopen it first."),
                Fixed => text("It is fixed, so there is nothing to decide."),
                _ => None,
            })
            .more(view! {
                <TextField
                    form=form.clone()
                    name="duplicate_of"
                    label="Finding"
                    placeholder="F-12"
                    max_length=20
                    with_choice=true
                />
            }),
        Choice::new(
            "ask_acceptance",
            view! { <St of=RiskAccepted more="until" /> },
        )
        .text(if finding.asked == Some(Request::RiskAccepted) {
            "Asked for already; asking again replaces it."
        } else {
            "A manager approves, and not you: until then it stays open."
        })
        .impossible(accept)
        .more(until_field(form, until, &first)),
        said(
            Choice::new("fixed", view! { <St of=Fixed /> }),
            where_it_blocks!("Nobody scans for what was written by hand, so a person says so."),
            fixed,
        ),
    ]
}

/// What a choice means, or why it cannot be made now.
fn said(choice: Choice, text: &str, impossible: Option<String>) -> Choice {
    match impossible {
        Some(why) => choice.impossible(Some(why)),
        None => choice.text(text),
    }
}

fn until_field(form: &FormState, value: String, first: &str) -> AnyView {
    let first = first.to_owned();
    let error = form.error("until");
    let tone = error.as_ref().map(|_| "red");
    let described = error.as_ref().map(|_| "until-error");
    view! {
        <div class="field" data-tone=tone>
            <label for="until">"Accepted until"</label>
            <input
                id="until"
                name="until"
                type="date"
                value=value
                min=first
                aria-invalid=described.map(|_| "true")
                aria-describedby=described
            />
            <crate::parts::FieldNote id="until".to_owned() error hint=None />
        </div>
    }
    .into_any()
}

/// What is asked for a finding, as the end of "Ana asks …".
pub(super) fn request_words(finding: &Finding, asked: Request) -> String {
    match asked {
        Request::RiskAccepted => match finding.accepted_until {
            Some(until) => format!("{} until {}", asked.words(), date(until)),
            None => asked.words().to_owned(),
        },
        Request::Duplicate => format!(
            "to call it a duplicate of {}",
            finding
                .duplicate_of
                .map_or_else(|| "another one".to_owned(), |number| format!("F-{number}"))
        ),
        Request::Severity => format!(
            "to make it {} instead of {}",
            finding
                .asked_severity
                .map_or("milder", |severity| severity.as_str()),
            finding.severity
        ),
        asked => asked.words().to_owned(),
    }
}

/// The forms of this page are one endpoint: what was typed belongs to the one that was sent.
fn answered(form: FormState, actions: &[&str]) -> FormState {
    if (form.typed("action")).is_some_and(|action| actions.contains(&action)) {
        form
    } else {
        FormState::default()
    }
}

/// What a manager answers to whoever asks for something, or how that person takes it back.
fn answer_to(
    finding: &Finding,
    hidden: AnyView,
    me: &PersonId,
    may_manage: bool,
    form: FormState,
    now: Millis,
) -> AnyView {
    let asker = finding
        .acceptance_requested_by_name
        .clone()
        .unwrap_or_else(|| "Somebody".to_owned());
    let until = finding.accepted_until;
    let reason = finding.status_reason.clone();
    let asked = finding.asked.unwrap_or(Request::RiskAccepted);
    let is_acceptance = asked == Request::RiskAccepted;
    let (approves, declines) = if is_acceptance {
        ("approve_acceptance", "decline_acceptance")
    } else {
        ("approve", "decline")
    };
    let (title, approve) = match asked {
        Request::RiskAccepted => ("Acceptance of the risk is asked for", "Accept the risk"),
        Request::FalsePositive => (
            "It is said to be a false positive",
            "It is a false positive",
        ),
        Request::Duplicate => ("It is said to be a duplicate", "It is a duplicate"),
        Request::Fixed => ("It is said to be fixed", "It is fixed"),
        Request::Severity => ("Another severity is asked for", "Lower the severity"),
    };
    let what = request_words(finding, asked);
    let is_own = finding.acceptance_requested_by.as_ref() == Some(me);
    let waits = if is_own {
        "You asked for it, so a manager other than you has to approve. It is open until then."
    } else {
        "It waits for another person, and is open until then."
    };
    let head = view! {
        <header>
            <h2 id="h-acc">{title}</h2>
            <p class="small muted">
                {format!("{asker} asks {what}")}
                {(!reason.is_empty()).then(|| format!(": {reason}"))}
            </p>
            <p class="small muted">{waits}</p>
        </header>
    };
    if is_own {
        let form = answered(form, &["withdraw"]);
        return view! {
            <form class="signbox" method="post" action=action("findings/triage") aria-labelledby="h-acc">
                {head}
                {hidden}
                <TextArea
                    form
                    name="reason"
                    label="Why you withdraw it"
                    rows=2
                    max_length=4000
                    required=false
                    prefix="withdraw"
                />
                <div class="btn-row"><Button words="Withdraw the request" name="action" value="withdraw" /></div>
            </form>
        }
        .into_any();
    }
    if !may_manage {
        return view! {
            <section class="signbox" aria-labelledby="h-acc">
                {head}
                <p class="small" id="acceptance-why">"Only a manager of this service can answer."</p>
            </section>
        }
        .into_any();
    }
    let is_too_late = is_acceptance && until.is_none_or(|until| until <= now);
    let why_not =
        is_too_late.then_some("The date asked for has passed. It must be asked for again.");
    let button = |words: &'static str, value: &'static str, weight: Weight| match why_not {
        Some(_) => view! {
            <Button words weight name="action" value impossible="acceptance-why" />
        }
        .into_any(),
        None => view! { <Button words weight name="action" value /> }.into_any(),
    };
    let form = answered(
        form,
        &[
            "approve",
            "approve_acceptance",
            "decline",
            "decline_acceptance",
        ],
    );
    view! {
        <form class="signbox" method="post" action=action("findings/triage") aria-labelledby="h-acc" aria-keyshortcuts="t">
            {head}
            {hidden}
            <TextArea
                form
                name="reason"
                label="Reason, if you decline"
                rows=2
                max_length=4000
                with_choice=true
                prefix="acceptance"
            />
            <div class="btn-row">
                {button(approve, approves, Weight::Primary)}
                {button("Decline", declines, Weight::Secondary)}
            </div>
            {why_not.map(|why| view! { <p class="small muted" id="acceptance-why">{why}</p> })}
        </form>
    }
    .into_any()
}
