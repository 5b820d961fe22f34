use leptos::{ev::Event, prelude::*, wasm_bindgen::JsCast as _};

/// Keeps what is typed in the text areas inside, in this tab, until the form is sent; and puts it back when the person
/// returns to an empty field.
#[island]
pub fn DraftKeeper(
    /// Tells drafts apart: the page's subject and the form, such as `comment/01932f…`.
    draft: String,
    children: Children,
) -> impl IntoView {
    let (status, set_status) = signal("");
    let wrapper = NodeRef::<leptos::html::Div>::new();
    let prefix = StoredValue::new(format!("draft/{draft}/"));
    let key = move |name: &str| prefix.with_value(|prefix| format!("{prefix}{name}"));

    Effect::new(move |_| {
        let Some(wrapper) = wrapper.get() else { return };
        let Some(storage) = storage() else { return };
        let Ok(fields) = wrapper.query_selector_all("textarea[name]") else {
            return;
        };
        for index in 0..fields.length() {
            let Some(field) = fields
                .get(index)
                .and_then(|node| node.dyn_into::<web_sys::HtmlTextAreaElement>().ok())
            else {
                continue;
            };
            let kept = storage.get_item(&key(&field.name())).ok().flatten();
            if let Some(kept) = kept.filter(|kept| !kept.is_empty() && field.value().is_empty()) {
                field.set_value(&kept);
                set_status.set("What you typed before is back.");
            }
        }
    });

    let keep = move |event: Event| {
        let field = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::HtmlTextAreaElement>().ok());
        if let (Some(field), Some(storage)) = (field, storage()) {
            let kept = storage
                .set_item(&key(&field.name()), &field.value())
                .is_ok();
            set_status.set(if kept {
                "Draft kept in this tab."
            } else {
                "Draft not kept: this tab's storage is full."
            });
        }
    };
    let forget = move |_| {
        let Some(storage) = storage() else { return };
        let mut drafts = Vec::new();
        for index in 0..storage.length().unwrap_or(0) {
            if let Ok(Some(name)) = storage.key(index)
                && prefix.with_value(|prefix| name.starts_with(prefix))
            {
                drafts.push(name);
            }
        }
        for name in drafts {
            drop(storage.remove_item(&name));
        }
    };
    view! {
        <div class="stack-1" node_ref=wrapper on:input=keep on:submit=forget>
            {children()}
            <p class="hint" role="status">{move || status.get()}</p>
        </div>
    }
}

/// The tab's own storage; absent where the browser forbids it.
fn storage() -> Option<web_sys::Storage> {
    window().session_storage().ok().flatten()
}
