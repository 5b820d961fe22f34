use std::time::Duration;

use leptos::{
    leptos_dom::helpers::set_timeout,
    prelude::*,
    task::spawn_local,
    wasm_bindgen::{JsCast as _, JsValue},
};
use wasm_bindgen_futures::JsFuture;

/// How long after an answer the next one is asked for.
const PAUSE: Duration = Duration::from_secs(1);

/// Keeps the rows inside up to date while an import runs, and loads the page again once it is over, which then leads to what
/// came of it. Without script the page shows how far the import was when it was asked for, and a link that looks again.
///
/// Inside are the list, an element with the role `status` for what is read out, and the link. Rows come from the server as
/// HTML and are put in place by hand: the client of a server function, and signals for what changes, would make the module
/// a third larger.
#[island]
pub fn ImportWatcher(
    /// Where the rows are asked for.
    rows: String,
    children: Children,
) -> impl IntoView {
    let inside = NodeRef::<leptos::html::Div>::new();
    Effect::new(move |_| {
        if let Some(inside) = inside.get() {
            ask(rows.clone(), inside.into());
        }
    });
    view! { <div node_ref=inside>{children()}</div> }
}

fn ask(address: String, inside: web_sys::Element) {
    spawn_local(async move {
        let answer = answer_of(&address).await;
        if answer.as_ref().is_ok_and(Option::is_none) {
            drop(window().location().reload());
            return;
        }
        let shown = answer.ok().flatten().and_then(|rows| show(&inside, &rows));
        // Nobody needs to look while the page does, unless it gets no answer.
        if let Ok(Some(link)) = inside.query_selector("[data-again]") {
            drop(match shown {
                Some(()) => link.set_attribute("hidden", ""),
                None => link.remove_attribute("hidden"),
            });
        }
        set_timeout(move || ask(address, inside), PAUSE);
    });
}

/// The rows as they are now; nothing once there is nothing left to watch, or nobody who may.
async fn answer_of(address: &str) -> Result<Option<String>, JsValue> {
    let answer = JsFuture::from(window().fetch_with_str(address)).await?;
    let answer: web_sys::Response = answer.dyn_into()?;
    if answer.redirected() {
        return Ok(None);
    }
    if !answer.ok() {
        return Err(answer.into());
    }
    Ok(JsFuture::from(answer.json()?).await?.as_string())
}

/// Shows rows that are further than those on the page. What did not change is left alone, so that nothing that has the
/// focus is replaced; and only that another stage has begun is read out, not each step of the bar.
fn show(inside: &web_sys::Element, rows: &str) -> Option<()> {
    let fresh = document().create_element("div").ok()?;
    fresh.set_inner_html(rows);
    let old = inside.query_selector_all("li").ok()?;
    let new = fresh.query_selector_all("li").ok()?;
    for at in 0..new.length() {
        let old: web_sys::Element = old.get(at)?.dyn_into().ok()?;
        let new: web_sys::Element = new.get(at)?.dyn_into().ok()?;
        let stage = new.get_attribute("data-stage");
        if stage == old.get_attribute("data-stage") {
            step(&old, &new);
            continue;
        }
        if let (Some(stage), Ok(Some(status))) = (stage, inside.query_selector("[role=status]")) {
            status.set_text_content(Some(&stage));
        }
        old.replace_with_with_node_1(&new).ok()?;
    }
    Some(())
}

/// Moves the bar of a row whose stage goes on.
fn step(old: &web_sys::Element, new: &web_sys::Element) {
    let both = |selector| {
        let old = old.query_selector(selector).ok()??;
        Some((old, new.query_selector(selector).ok()??))
    };
    if let (Some((bar, to)), Some((words, by))) = (both("progress"), both("p")) {
        drop(bar.set_attribute("value", &to.get_attribute("value").unwrap_or_default()));
        words.set_text_content(by.text_content().as_deref());
    }
}
