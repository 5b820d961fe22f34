use leptos::{ev::KeyboardEvent, prelude::*, wasm_bindgen::JsCast as _};

use crate::paths;

/// The main link of each row of a page.
const ROWS: &str = "main a.ttl";
/// What a key leads to where the page has such a thing: it says so itself by the attribute of this name.
const BY_KEY: [&str; 3] = ["f", "t", "m"];

/// Keyboard shortcuts: `/` to search, `g` then a letter to go somewhere, `j` and `k` to the next and previous row, `x` to tick
/// it and `X` to tick up to it, letters for what the page has, `?` for the list.
///
/// They listen only while no field has focus, and the page leaves the island out for a person who switched them off.
#[island]
pub fn Shortcuts(
    /// The review that the page belongs to, if any.
    #[prop(optional)]
    review: Option<String>,
) -> impl IntoView {
    let awaiting = StoredValue::new(false);
    let ticked = StoredValue::new(None);
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
            "j" => go_by(1),
            "k" => go_by(-1),
            "x" => ticked.set_value(tick(None)),
            "X" => ticked.set_value(tick(ticked.get_value())),
            "[" => follow("main a[rel=prev]"),
            "]" => follow("main a[rel=next]"),
            key if BY_KEY.contains(&key) => {
                // The letter is not typed into what it leads to.
                event.prevent_default();
                focus_on(key);
            }
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

/// The row that comes so many after this one; the ends are ends.
fn row_after(current: Option<usize>, by: isize, n_rows: usize) -> Option<usize> {
    let last = n_rows.checked_sub(1)?;
    Some(current.map_or(0, |at| at.saturating_add_signed(by).min(last)))
}

fn rows() -> Vec<web_sys::HtmlElement> {
    let Ok(links) = document().query_selector_all(ROWS) else {
        return Vec::new();
    };
    (0..links.length())
        .filter_map(|at| links.item(at)?.dyn_into().ok())
        .collect()
}

/// What stands in one row with an element, also where it is a list's.
fn row_of(element: &web_sys::Element) -> Option<web_sys::Element> {
    element.closest("tr, li").ok().flatten()
}

/// Which row has the focus.
fn focused(rows: &[web_sys::HtmlElement]) -> Option<usize> {
    let here = row_of(&document().active_element()?)?;
    rows.iter().position(|link| here.contains(Some(link)))
}

fn go_by(by: isize) {
    let rows = rows();
    if let Some(at) = row_after(focused(&rows), by, rows.len()) {
        drop(rows[at].focus());
    }
}

/// Ticks the row that has the focus, or takes its tick away; `from` another row, all up to it get what that one has. Says
/// which row it was.
fn tick(from: Option<usize>) -> Option<usize> {
    let rows = rows();
    let at = focused(&rows)?;
    let boxes = |at: usize| {
        let found = row_of(rows.get(at)?)?.query_selector("input[type=checkbox]");
        found.ok()??.dyn_into::<web_sys::HtmlInputElement>().ok()
    };
    let is_ticked = match from.and_then(boxes) {
        Some(first) => first.checked(),
        None => !boxes(at)?.checked(),
    };
    let from = from.unwrap_or(at);
    for of_row in (from.min(at)..=from.max(at)).filter_map(boxes) {
        // A click, so that whoever listens for changes hears of it.
        if of_row.checked() != is_ticked {
            of_row.click();
        }
    }
    Some(at)
}

fn follow(link: &str) {
    let found = document().query_selector(link).ok().flatten();
    if let Some(link) = found.and_then(|link| link.dyn_into::<web_sys::HtmlElement>().ok()) {
        link.click();
    }
}

/// Goes to the field or form that names the key as its own.
fn focus_on(key: &str) {
    let mark = format!("[aria-keyshortcuts={key}]");
    let fields = ":is(input:not([type=hidden]), select, textarea):enabled";
    let found = document().query_selector(&format!("main {fields}{mark}, main {mark} {fields}"));
    let Some(field) = found.ok().flatten() else {
        return;
    };
    if let Ok(Some(closed)) = field.closest("details:not([open])") {
        drop(closed.set_attribute("open", ""));
    }
    if let Ok(field) = field.dyn_into::<web_sys::HtmlElement>() {
        drop(field.focus());
    }
}

fn is_typing(event: &KeyboardEvent) -> bool {
    event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
        .is_some_and(|element| {
            element
                .closest(
                    "input:not([type=checkbox]), textarea, select, [contenteditable], dialog[open]",
                )
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

    #[test]
    fn the_cursor_begins_at_the_first_row_and_stays_within_the_list() {
        assert_eq!(row_after(None, 1, 3), Some(0));
        assert_eq!(row_after(None, -1, 3), Some(0));
        assert_eq!(row_after(Some(0), 1, 3), Some(1));
        assert_eq!(row_after(Some(2), 1, 3), Some(2));
        assert_eq!(row_after(Some(0), -1, 3), Some(0));
        assert_eq!(row_after(None, 1, 0), None);
    }
}
