use leptos::prelude::*;

use super::{
    icon::{Ico, Icon},
    inline::Inline,
    status::Tone,
};
use crate::flash::FormState;

/// How much weight a button has. One primary per view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weight {
    Primary,
    #[default]
    Secondary,
    Quiet,
    Danger,
}

impl Weight {
    fn class(self, small: bool) -> String {
        let mut class = match self {
            Self::Primary => "btn btn-primary",
            Self::Secondary => "btn",
            Self::Quiet => "btn btn-quiet",
            Self::Danger => "btn btn-danger",
        }
        .to_owned();
        if small {
            class.push_str(" btn-sm");
        }
        class
    }

    fn tone(self) -> Option<&'static str> {
        (self == Self::Danger).then_some(Tone::Red.as_str())
    }
}

/// A button that sends its form. Its words name the act: "Sign and fail 2.5.1".
#[component]
pub fn Button(
    #[prop(into)] words: String,
    #[prop(optional)] weight: Weight,
    #[prop(optional, into)] icon: Option<Icon>,
    #[prop(optional)] small: bool,
    #[prop(optional)] name: Option<&'static str>,
    #[prop(optional, into)] value: Option<String>,
    /// Another action than the form's own.
    #[prop(optional, into)]
    action: Option<String>,
    /// Why it is not possible: the id of the text that says so. The button stays visible and does nothing.
    #[prop(optional, into)]
    impossible: Option<String>,
) -> impl IntoView {
    view! {
        <button
            class=weight.class(small)
            data-tone=weight.tone()
            type="submit"
            name=name
            value=value
            formaction=action
            disabled=impossible.is_some()
            aria-describedby=impossible
        >
            {icon.map(|icon| view! { <Ico icon /> })}
            {words}
        </button>
    }
    .into_any()
}

/// A link that looks like a button: it leads somewhere and changes nothing.
#[component]
pub fn ButtonLink(
    #[prop(into)] words: String,
    #[prop(into)] href: String,
    #[prop(optional)] weight: Weight,
    #[prop(optional, into)] icon: Option<Icon>,
    #[prop(optional)] small: bool,
    /// The address is a file: name it so that the browser saves it.
    #[prop(optional)]
    download: bool,
) -> impl IntoView {
    view! {
        <a class=weight.class(small) href=href download=download.then_some("")>
            {icon.map(|icon| view! { <Ico icon /> })}
            {words}
        </a>
    }
    .into_any()
}

/// An act that asks once more before it is done: the form is inside, closed at first. Works without script.
#[component]
pub fn Confirm(
    /// What opens it: "Withdraw".
    #[prop(into)]
    words: String,
    children: Children,
) -> impl IntoView {
    view! {
        <details class="disc">
            <summary>
                <Ico icon=Icon::Right class="chev" />
                {words}
            </summary>
            {children()}
        </details>
    }
    .into_any()
}

/// An act on one row of a list, closed until somebody wants it. A row whose form was refused is open and marked, says why, and
/// has the focus, at the field that is wrong if there is one.
#[component]
pub fn RowAct(
    /// What opens it: "Change Jonas".
    #[prop(into)]
    words: String,
    /// The state of this row's form: see [`FormState::of_row`].
    form: FormState,
    /// The row's id; the message is tied to the form by it.
    #[prop(into)]
    id: String,
    /// The fields that it shows, which say by themselves what is wrong with them.
    fields: &'static [&'static str],
    children: Children,
) -> impl IntoView {
    let message = form.message_beside(fields);
    let refused = form.was_refused();
    let why = message.as_ref().map(|_| format!("{id}-refused"));
    view! {
        <details class=if refused { "disc is-refused" } else { "disc" } open=refused>
            <summary autofocus=message.is_some() aria-describedby=why>
                <Ico icon=Icon::Right class="chev" />
                {words}
            </summary>
            <div class="row-act">
                <RowRefusal id message />
                {children()}
            </div>
        </details>
    }
    .into_any()
}

/// Why the form of one row of a list was refused, at the form itself.
#[component]
pub fn RowRefusal(#[prop(into)] id: String, message: Option<String>) -> impl IntoView {
    message.map(|message| {
        view! {
            <p class="field is-refused" data-tone=Tone::Red.as_str()>
                <span class="error" id=format!("{id}-refused")>
                    <Ico icon=Icon::Fail class="i-sm" />
                    <span><Inline text=message /></span>
                </span>
            </p>
        }
    })
}

/// One line or one short block about the state of the page.
#[component]
pub fn Notice(
    tone: Tone,
    /// Read out at once: for refusals, which stand on the page from the start.
    #[prop(optional)]
    alert: bool,
    #[prop(optional, into)] id: Option<String>,
    children: Children,
) -> impl IntoView {
    let icon = match tone {
        Tone::Red => Icon::Fail,
        Tone::Amber | Tone::Orange => Icon::Warn,
        Tone::Green => Icon::Pass,
        _ => Icon::Info,
    };
    view! {
        <div class="notice" data-tone=tone.as_str() role=if alert { "alert" } else { "status" } id=id>
            <Ico icon />
            <div class="stack-1">{children()}</div>
        </div>
    }
    .into_any()
}

/// A value that people copy: selected as a whole by one click, with or without script.
#[component]
pub fn Copyable(
    #[prop(into)] label: String,
    id: &'static str,
    #[prop(into)] value: String,
) -> impl IntoView {
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input id=id class="mono copyable" readonly value=value />
        </div>
    }
    .into_any()
}
