use leptos::{ev::MouseEvent, prelude::*, wasm_bindgen::JsCast as _};

/// Makes the link inside open a dialog that is already on the page, instead of the page with the same form.
///
/// Clicks that ask for a new tab or window stay what they are.
#[island]
pub fn DialogOpener(
    /// The id of the `<dialog>`.
    dialog: String,
    children: Children,
) -> impl IntoView {
    let open = move |click: MouseEvent| {
        if click.ctrl_key() || click.meta_key() || click.shift_key() || click.button() != 0 {
            return;
        }
        let found = document()
            .get_element_by_id(&dialog)
            .and_then(|element| element.dyn_into::<web_sys::HtmlDialogElement>().ok());
        // A dialog that cannot open leaves the link to do its work.
        if found.is_some_and(|dialog| dialog.open() || dialog.show_modal().is_ok()) {
            click.prevent_default();
        }
    };
    view! { <span class="contents" on:click=open>{children()}</span> }
}
