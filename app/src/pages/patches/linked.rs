//! The patches that are linked to an item or a finding, each with what it changes.

use holdpoint_domain::Millis;
use holdpoint_service::patches::PatchView;
use leptos::prelude::*;

use super::shown;
use crate::{
    parts::{ButtonLink, Icon, Side, patch::PatchCard},
    paths,
};

/// How much of each diff stands beside other things; the patch's own page has all of it.
const MOST_ROWS: usize = 60;

/// On the page of an item or of a finding: `item` or `finding` is the one whose patches these are.
#[component]
pub fn LinkedPatches(
    /// Empty where a finding is seen from no review: then nothing can be proposed.
    review: String,
    patches: Vec<PatchView>,
    #[prop(optional, into)] item: String,
    #[prop(optional, into)] finding: String,
    may_contribute: bool,
    now: Millis,
) -> impl IntoView {
    let n = patches.len();
    let body = if n > 0 {
        let cards = patches
            .iter()
            .map(|patch| {
                let patch = shown(patch, Side::Unified);
                view! { <PatchCard patch now most_rows=MOST_ROWS /> }
            })
            .collect_view();
        view! { <div class="stack-2">{cards}</div> }.into_any()
    } else if item.is_empty() {
        view! { <p class="small muted">"No patch is linked. One that changes these lines can be proposed: Holdpoint then says what it touches."</p> }
            .into_any()
    } else {
        view! { <p class="small muted">"No patch serves this item."</p> }.into_any()
    };
    let propose = (may_contribute && !review.is_empty()).then(|| {
        let href = if item.is_empty() {
            paths::new_patch_for_finding(&review, &finding)
        } else {
            paths::new_patch_for_item(&review, &item)
        };
        view! { <ButtonLink words="Propose a patch" href small=true icon=Icon::Plus /> }
    });
    view! {
        <section class="section" aria-labelledby="h-patch" id="patch">
            <div class="section-head">
                <h2 id="h-patch">"Patches " <span class="count">{n}</span></h2>
                <div class="push">{propose}</div>
            </div>
            {body}
        </section>
    }
    .into_any()
}
