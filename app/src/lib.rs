//! All that a person sees of Holdpoint: pages rendered on the server, islands in the browser.
//!
//! It is compiled twice. With `ssr` it is part of the server: pages load what they show from the service and hand it to
//! parts, forms arrive at actions. With `hydrate` it is the browser's half and holds nothing but [`islands`] and what they
//! call; no page is compiled. The two features are never on together. Start reading at [`paths`] (every address), then
//! `document` (the frame and the routes), then one page.

// A page is one large type until it is erased; the compiler asks for this much to lay one out.
#![recursion_limit = "256"]
#![cfg_attr(
    feature = "ssr",
    expect(
        unreachable_pub,
        reason = "components are written `pub` by their macro, whatever their module shows"
    )
)]

pub mod actions;
pub mod islands;
pub mod paths;

#[cfg(feature = "ssr")]
pub mod cookies;
#[cfg(feature = "ssr")]
pub mod document;
#[cfg(feature = "ssr")]
pub mod flash;
#[cfg(feature = "ssr")]
pub mod one_time;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod parts;
#[cfg(feature = "ssr")]
pub mod pending;
#[cfg(feature = "ssr")]
pub mod visit;

#[cfg(feature = "ssr")]
pub use document::{App, Site, shell};
