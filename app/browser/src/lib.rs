//! The browser's half of Holdpoint, one module of WebAssembly: the islands of `holdpoint-app`, and where they begin.
#![cfg(target_family = "wasm")]

// Its islands are called by their names from the page, so that nothing here does.
use holdpoint_app as _;

/// What the page calls once the module has loaded: from here on islands come alive one by one.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
