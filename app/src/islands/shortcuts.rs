use leptos::{ev::KeyboardEvent, prelude::*, wasm_bindgen::JsCast as _};

use crate::paths;

/// Keyboard shortcuts: `/` to search, `g` then a letter to go somewhere, `?` for the list.
///
/// They listen only while no field has focus, and the page leaves the island out for a person who switched them off.
#[island]
pub fn Shortcuts(
    /// The review that the page belongs to, if any.
    #[prop(optional)]
    review: Option<String>,
) -> impl IntoView {
    let awaiting = StoredValue::new(false);
    let review = StoredValue::new(review);
    let listen = move |event: KeyboardEvent| {
        if event.ctrl_key() || event.meta_key() || event.alt_key() || is_typing(&event) {
            awaiting.set_value(false);
            return;
        }
        let pressed = event.key();
        if awaiting.get_value() {
            awaiting.set_value(false);
            if let Some(address) =
                review.with_value(|review| destination(&pressed, review.as_deref()))
            {
                event.prevent_default();
                drop(window().location().set_href(&address));
            }
            return;
        }
        match pressed.as_str() {
            "g" => awaiting.set_value(true),
            "/" if focus_search() => event.prevent_default(),
            "?" if open_list() => event.prevent_default(),
            _ => {}
        }
    };
    // Something for people who look whether the keys work already, and for tests that wait for it.
    let (ready, set_ready) = signal(false);
    // Only an effect knows that it is in a browser.
    Effect::new(move |_| {
        let listener = window_event_listener(leptos::ev::keydown, listen);
        on_cleanup(move || listener.remove());
        set_ready.set(true);
    });
    view! { <span hidden=true data-shortcuts=move || ready.get().then_some("ready")></span> }
}

/// Where the letter after `g` leads.
fn destination(letter: &str, review: Option<&str>) -> Option<String> {
    match (letter, review) {
        ("h", _) => Some(paths::HOME.to_owned()),
        ("i", _) => Some(paths::INBOX.to_owned()),
        ("r", Some(review)) => Some(paths::review(review)),
        ("c", Some(review)) => Some(paths::checklist(review)),
        ("f", Some(review)) => Some(paths::findings(review)),
        ("n", Some(review)) => Some(paths::scans(review)),
        ("p", Some(review)) => Some(paths::patches(review)),
        ("s", Some(review)) => Some(paths::sign_off(review)),
        _ => None,
    }
}

fn is_typing(event: &KeyboardEvent) -> bool {
    event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
        .is_some_and(|element| {
            element
                .closest("input, textarea, select, [contenteditable], dialog[open]")
                .is_ok_and(|found| found.is_some())
        })
}

fn focus_search() -> bool {
    document()
        .get_element_by_id("jump")
        .and_then(|field| field.dyn_into::<web_sys::HtmlElement>().ok())
        .is_some_and(|field| field.focus().is_ok())
}

fn open_list() -> bool {
    document()
        .get_element_by_id("keys")
        .and_then(|dialog| dialog.dyn_into::<web_sys::HtmlDialogElement>().ok())
        .is_some_and(|dialog| dialog.show_modal().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_lead_to_pages_of_the_review_only_where_there_is_one() {
        assert_eq!(
            destination("c", Some("r1")).as_deref(),
            Some("/reviews/r1/checklist")
        );
        assert_eq!(destination("c", None), None);
        assert_eq!(destination("h", None).as_deref(), Some("/"));
        assert_eq!(destination("x", Some("r1")), None);
    }
}
