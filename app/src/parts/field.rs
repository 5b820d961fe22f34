//! Fields of forms: label above, hint below, what is wrong between them, the value kept.

use leptos::prelude::*;

use super::{
    icon::{Ico, Icon},
    inline::Inline,
};
use crate::flash::FormState;

/// What ties hint and error to a field.
#[derive(Clone, Debug)]
struct Ties {
    id: String,
    error: Option<String>,
    hint: Option<String>,
}

impl Ties {
    fn new(form: &FormState, prefix: &str, name: &str, hint: Option<String>) -> Self {
        let id = if prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{prefix}-{name}")
        };
        Self {
            id,
            error: form.error(name),
            hint,
        }
    }

    fn described_by(&self) -> Option<String> {
        let error = self.error.as_ref().map(|_| format!("{}-error", self.id));
        let hint = self.hint.as_ref().map(|_| format!("{}-hint", self.id));
        match (error, hint) {
            (Some(error), Some(hint)) => Some(format!("{error} {hint}")),
            (error, hint) => error.or(hint),
        }
    }

    fn invalid(&self) -> Option<&'static str> {
        self.error.as_ref().map(|_| "true")
    }

    fn tone(&self) -> Option<&'static str> {
        self.error.as_ref().map(|_| "red")
    }

    fn notes(&self) -> impl IntoView + use<> {
        let Self { id, error, hint } = self.clone();
        view! { <FieldNote id error hint /> }
    }
}

/// What is wrong with a field, and its hint.
#[component]
pub fn FieldNote(id: String, error: Option<String>, hint: Option<String>) -> impl IntoView {
    view! {
        {error
            .map(|error| {
                view! {
                    <span class="error" id=format!("{id}-error")>
                        <Ico icon=Icon::Fail class="i-sm" />
                        <span><Inline text=error /></span>
                    </span>
                }
            })}
        {hint.map(|hint| view! { <span class="hint" id=format!("{id}-hint")><Inline text=hint /></span> })}
    }
    .into_any()
}

fn label(words: String, required: bool) -> impl IntoView {
    view! {
        {words}
        {(!required).then(|| view! { " " <span class="optional">"(optional)"</span> })}
    }
    .into_any()
}

/// One line of text. Its id is its name, with `prefix-` where a page has the name twice.
#[expect(
    clippy::fn_params_excessive_bools,
    reason = "each is an attribute of its own in the page that uses the field"
)]
#[component]
pub fn TextField(
    form: FormState,
    name: &'static str,
    #[prop(into)] label: String,
    /// What it starts with; what was typed before comes first. Never given for passwords.
    #[prop(optional, into)]
    value: String,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(default = "text")] kind: &'static str,
    #[prop(default = "off")] autocomplete: &'static str,
    #[prop(default = true)] required: bool,
    #[prop(optional)] max_length: Option<u32>,
    #[prop(optional)] min_length: Option<u32>,
    #[prop(optional, into)] placeholder: Option<String>,
    #[prop(optional)] prefix: &'static str,
    /// A prefix with an id in it, where a page has the same form several times.
    #[prop(optional, into)]
    prefix_owned: String,
    #[prop(optional)] autofocus: bool,
    /// Commits, paths, digests.
    #[prop(optional)]
    mono: bool,
    /// It belongs to one of several choices: asked for only with it, so neither required here nor called optional.
    #[prop(optional)]
    with_choice: bool,
) -> impl IntoView {
    let prefix = if prefix_owned.is_empty() {
        prefix
    } else {
        prefix_owned.as_str()
    };
    let ties = Ties::new(&form, prefix, name, hint);
    let value = (kind != "password")
        .then(|| form.value(name, &value))
        .filter(|value| !value.is_empty());
    // Focus goes to what is wrong first.
    let autofocus = ties.error.is_some() || (autofocus && !form.was_refused());
    view! {
        <div class="field" data-tone=ties.tone()>
            <label for=ties.id.clone()>{self::label(label, required || with_choice)}</label>
            <input
                id=ties.id.clone()
                name=name
                type=kind
                class=mono.then_some("mono")
                value=value
                autocomplete=autocomplete
                autofocus=autofocus
                required=required && !with_choice
                maxlength=max_length.map(|n| n.to_string())
                minlength=min_length.map(|n| n.to_string())
                placeholder=placeholder
                spellcheck=(mono || kind == "email").then_some("false")
                aria-invalid=ties.invalid()
                aria-describedby=ties.described_by()
            />
            {ties.notes()}
        </div>
    }
    .into_any()
}

/// Several lines of text.
#[component]
pub fn TextArea(
    form: FormState,
    name: &'static str,
    #[prop(into)] label: String,
    #[prop(optional, into)] value: String,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(default = true)] required: bool,
    #[prop(default = 4)] rows: u32,
    #[prop(optional)] max_length: Option<u32>,
    #[prop(optional)] prefix: &'static str,
    /// A prefix with an id in it, where a page has the same form several times.
    #[prop(optional, into)]
    prefix_owned: String,
    #[prop(optional)] mono: bool,
    /// It belongs to one of several choices: asked for only with it, so neither required here nor called optional.
    #[prop(optional)]
    with_choice: bool,
) -> impl IntoView {
    let prefix = if prefix_owned.is_empty() {
        prefix
    } else {
        prefix_owned.as_str()
    };
    let ties = Ties::new(&form, prefix, name, hint);
    // A browser drops one newline right after the tag; give it one to drop, so that a text's own first line stays. What is
    // between these two tags the view does not escape, and a text may say `</textarea>`.
    let value = form.value(name, &value);
    let value = format!("\n{}", html_escape::encode_text(&value));
    view! {
        <div class="field" data-tone=ties.tone()>
            <label for=ties.id.clone()>{self::label(label, required || with_choice)}</label>
            <textarea
                id=ties.id.clone()
                name=name
                rows=rows.to_string()
                class=mono.then_some("mono")
                required=required && !with_choice
                maxlength=max_length.map(|n| n.to_string())
                autofocus=ties.error.is_some()
                aria-invalid=ties.invalid()
                aria-describedby=ties.described_by()
                inner_html=value
            ></textarea>
            {ties.notes()}
        </div>
    }
    .into_any()
}

/// One of a list. `options` are pairs of value and words.
#[component]
pub fn SelectField(
    form: FormState,
    name: &'static str,
    #[prop(into)] label: String,
    options: Vec<(String, String)>,
    #[prop(optional, into)] value: String,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(default = true)] required: bool,
    #[prop(optional)] prefix: &'static str,
    /// A prefix with an id in it, where a page has the same form several times.
    #[prop(optional, into)]
    prefix_owned: String,
) -> impl IntoView {
    let prefix = if prefix_owned.is_empty() {
        prefix
    } else {
        prefix_owned.as_str()
    };
    let ties = Ties::new(&form, prefix, name, hint);
    let chosen = form.value(name, &value);
    view! {
        <div class="field" data-tone=ties.tone()>
            <label for=ties.id.clone()>{self::label(label, required)}</label>
            <select
                id=ties.id.clone()
                name=name
                required=required
                autofocus=ties.error.is_some()
                aria-invalid=ties.invalid()
                aria-describedby=ties.described_by()
            >
                {options
                    .into_iter()
                    .map(|(value, words)| {
                        let selected = value == chosen;
                        view! { <option value=value selected=selected>{words}</option> }
                    })
                    .collect_view()}
            </select>
            {ties.notes()}
        </div>
    }
    .into_any()
}

/// A file to upload. The form needs `method="post" enctype="multipart/form-data"` and an axum handler as its action.
#[component]
pub fn FileField(
    form: FormState,
    name: &'static str,
    #[prop(into)] label: String,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional)] accept: Option<&'static str>,
    #[prop(default = true)] required: bool,
    #[prop(optional)] multiple: bool,
    #[prop(optional)] prefix: &'static str,
    /// It belongs to one of several choices: asked for only with it, so neither required here nor called optional.
    #[prop(optional)]
    with_choice: bool,
) -> impl IntoView {
    let ties = Ties::new(&form, prefix, name, hint);
    view! {
        <div class="field" data-tone=ties.tone()>
            <label for=ties.id.clone()>{self::label(label, required || with_choice)}</label>
            <input
                id=ties.id.clone()
                name=name
                type="file"
                accept=accept
                required=required && !with_choice
                multiple=multiple
                aria-invalid=ties.invalid()
                aria-describedby=ties.described_by()
            />
            {ties.notes()}
        </div>
    }
    .into_any()
}

/// A box to tick; it sends `on`.
#[component]
pub fn CheckField(
    form: FormState,
    name: &'static str,
    #[prop(into)] label: String,
    #[prop(optional)] ticked: bool,
    #[prop(optional)] required: bool,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional)] prefix: &'static str,
) -> impl IntoView {
    let ties = Ties::new(&form, prefix, name, hint);
    let ticked = if form.was_refused() {
        form.chosen(name, "on", "")
    } else {
        ticked
    };
    view! {
        <div class="field" data-tone=ties.tone()>
            <label class="check">
                <input
                    id=ties.id.clone()
                    name=name
                    type="checkbox"
                    value="on"
                    checked=ticked
                    required=required
                    aria-invalid=ties.invalid()
                    aria-describedby=ties.described_by()
                />
                <span>{label}</span>
            </label>
            {ties.notes()}
        </div>
    }
    .into_any()
}

/// One way to decide, as a card; `more` shows when it is picked.
pub struct Choice {
    pub value: &'static str,
    /// Words, or a status with its icon.
    pub title: AnyView,
    pub text: Option<String>,
    /// Why it is not possible now; the card stays visible.
    pub impossible: Option<String>,
    /// Fields that belong to this choice.
    pub more: Option<AnyView>,
}

impl Choice {
    pub fn new(value: &'static str, title: impl IntoView + 'static) -> Self {
        Self {
            value,
            title: title.into_any(),
            text: None,
            impossible: None,
            more: None,
        }
    }

    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    #[must_use]
    pub fn impossible(mut self, why: Option<String>) -> Self {
        self.impossible = why;
        self
    }

    #[must_use]
    pub fn more(mut self, more: impl IntoView + 'static) -> Self {
        self.more = Some(more.into_any());
        self
    }
}

/// Cards of which one is picked.
#[component]
pub fn Choices(
    form: FormState,
    name: &'static str,
    #[prop(into)] legend: String,
    choices: Vec<Choice>,
    #[prop(optional, into)] value: String,
    #[prop(default = true)] required: bool,
) -> impl IntoView {
    let ties = Ties::new(&form, "", name, None);
    let chosen = form.value(name, &value);
    let cards = choices
        .into_iter()
        .map(
            |Choice {
                 value,
                 title,
                 text,
                 impossible,
                 more,
             }| {
                let id = format!("{name}-{value}");
                let why = impossible.as_ref().map(|_| format!("{id}-why"));
                let disabled = impossible.is_some();
                view! {
                    <div class="choice">
                        <input
                            type="radio"
                            id=id.clone()
                            name=name
                            value=value
                            checked=!disabled && chosen == value
                            disabled=disabled
                            required=required
                            aria-describedby=why.clone()
                        />
                        <label class="t" for=id>{title}</label>
                        {text.map(|text| view! { <span class="d">{text}</span> })}
                        {impossible.map(|text| view! { <span class="d" id=why>{text}</span> })}
                        {more.map(|more| view! { <div class="more">{more}</div> })}
                    </div>
                }
            },
        )
        .collect_view();
    view! {
        <fieldset class="choices" data-tone=ties.tone() aria-describedby=ties.described_by()>
            <legend class="label">{legend}</legend>
            {cards}
            <div class="field">{ties.notes()}</div>
        </fieldset>
    }
    .into_any()
}
