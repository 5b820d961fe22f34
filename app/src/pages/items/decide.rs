//! The box in which a reviewer decides and signs.

use holdpoint_domain::{Decision, ItemState};
use holdpoint_service::{ItemPage, sign_off::SignForm, standing::ItemStanding};
use leptos::prelude::*;

use crate::{
    flash::FormState,
    parts::{
        Button, Choice, Choices, DigestBox, Icon, Notice, St, TextArea, TextField,
        controls::Weight, figure::counted, status::Tone,
    },
    paths::action,
};

/// Decision, statement, what is signed, password. It stays visible where signing is not possible, and says why.
#[component]
pub(super) fn SignBox(
    page: ItemPage,
    standing: ItemStanding,
    sign: SignForm,
    form: FormState,
    /// The actor's role on the service, in words.
    role: String,
    email: String,
    /// The decision that the address asks for.
    asked: String,
) -> impl IntoView {
    let key = page.item.key.clone();
    // What somebody typed is kept, also when the item has gone on in the meantime.
    let is_open = page.state == ItemState::InReview || form.was_refused();
    let refusal = sign.refusal.clone().map(|refusal| {
        view! { <Notice tone=Tone::Neutral id="sign-refused">{refusal}</Notice> }
    });
    let progress = (sign.quorum > 1).then(|| {
        let text = format!(
            "{} of {} signatures for a pass are here.",
            sign.n_signed, sign.quorum
        );
        view! { <p class="small">{text}</p> }
    });
    let head = view! {
        <header>
            <h2 id="h-sign">"Decide and sign"</h2>
            <p class="small muted">{format!("You sign as {role}. Your name, the time and the digest below are kept.")}</p>
        </header>
    };
    if !is_open {
        return view! {
            <section class="signbox" id="sign" aria-labelledby="h-sign">
                {head}
                {refusal}
                <Button words=format!("Sign {key}") icon=Icon::Sign weight=Weight::Primary impossible="sign-refused" />
            </section>
        }
        .into_any();
    }
    let choices = choices(&sign, &form);
    let what = format!(
        "SHA-256 over the requirement, {}, {} and {}. Your decision and statement are added when you sign.",
        counted(
            standing.evidence.len(),
            "piece of evidence",
            "pieces of evidence"
        ),
        counted(standing.linked.len(), "finding", "findings"),
        counted(standing.patches.len(), "patch", "patches"),
    );
    let basis = sign.basis.as_str().to_owned();
    let button = match &sign.refusal {
        Some(_) => view! {
            <Button words=format!("Sign {key}") icon=Icon::Sign weight=Weight::Primary impossible="sign-refused" />
        }
        .into_any(),
        None => view! { <Button words=format!("Sign {key}") icon=Icon::Sign weight=Weight::Primary /> }.into_any(),
    };
    let asked = if Decision::parse(&asked).is_some() {
        asked
    } else {
        String::new()
    };
    view! {
        <form class="signbox" id="sign" method="post" action=action("items/sign") aria-labelledby="h-sign">
            {head}
            {refusal}
            {progress}
            <input type="hidden" name="item" value=page.item.id.as_str().to_owned() />
            <input type="hidden" name="basis" value=basis.clone() />
            <Choices form=form.clone() name="decision" legend="Decision" choices value=asked />
            <TextArea
                form=form.clone()
                name="statement"
                label="Statement"
                with_choice=true
                max_length=4000
                hint="What you looked at and why you decide so. A pass may go without; anything else needs a reason."
            />
            <div class="stack-1">
                <DigestBox label="What you sign" digest=basis />
                <p class="hint">{what}</p>
            </div>
            <input type="text" name="username" value=email autocomplete="username" hidden=true />
            <TextField
                form
                name="password"
                label="Your password"
                kind="password"
                autocomplete="current-password"
                hint="Asked again for every signature."
            />
            {button}
        </form>
    }
    .into_any()
}

fn choices(sign: &SignForm, form: &FormState) -> Vec<Choice> {
    let pass_refused = (!sign.pass_refusals.is_empty()).then(|| sign.pass_refusals.join(" "));
    let no_waiver =
        (!sign.may_waive).then(|| "Only a manager of this service can waive.".to_owned());
    let waiver = view! {
        <TextField form=form.clone() name="waived_until" label="Waived until" kind="date" with_choice=true />
        <TextArea form=form.clone() name="risk" label="Risk taken" rows=2 max_length=4000 with_choice=true />
    };
    vec![
        Choice::new(Decision::Pass.as_str(), view! { <St of=Decision::Pass /> })
            .impossible(pass_refused),
        Choice::new(Decision::Fail.as_str(), view! { <St of=Decision::Fail /> })
            .text("With a reason. It goes back to the owner."),
        Choice::new(
            Decision::NotApplicable.as_str(),
            view! { <St of=Decision::NotApplicable /> },
        )
        .text("With a reason."),
        Choice::new(
            Decision::Waive.as_str(),
            view! { <St of=Decision::Waive /> },
        )
        .text("By a manager, with reason, risk and last day.")
        .impossible(no_waiver)
        .more(waiver),
    ]
}
