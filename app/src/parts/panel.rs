use leptos::prelude::*;

use super::icon::{Ico, Icon};

/// A box with a heading. `head` stands beside the heading, `foot` closes it.
#[component]
pub fn Panel(
    /// Ties the section to its heading; one of its kind on a page.
    id: &'static str,
    #[prop(into)] title: String,
    #[prop(optional, into)] head: Option<AnyView>,
    #[prop(optional, into)] foot: Option<AnyView>,
    /// A table or list of rows fills the panel to its edges.
    #[prop(optional)]
    bare: bool,
    children: Children,
) -> impl IntoView {
    let children = children();
    let body = if bare {
        children.into_any()
    } else {
        view! { <div class="panel-body">{children}</div> }.into_any()
    };
    view! {
        <section class="panel" aria-labelledby=id>
            <div class="panel-head">
                <h2 id=id>{title}</h2>
                {head.map(|head| view! { <div class="push">{head}</div> })}
            </div>
            {body}
            {foot.map(|foot| view! { <div class="panel-foot">{foot}</div> })}
        </section>
    }
    .into_any()
}

/// Where nothing is yet: what belongs here, what follows from its absence, and the ways to begin.
#[component]
pub fn Empty(
    #[prop(into)] title: String,
    #[prop(into)] text: String,
    /// The ways to begin, the first one primary.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty">
            <svg
                viewBox="0 0 160 56"
                width="160"
                height="56"
                aria-hidden="true"
                fill="none"
                stroke-width="1.5"
                class="ghost"
            >
                <path d="M4 28H116" stroke="currentColor" stroke-dasharray="3 4"></path>
                <rect x="10" y="17" width="26" height="22" rx="3" fill="var(--surface)" stroke="currentColor" stroke-dasharray="3 3"></rect>
                <rect x="44" y="17" width="26" height="22" rx="3" fill="var(--surface)" stroke="currentColor" stroke-dasharray="3 3"></rect>
                <rect x="78" y="17" width="26" height="22" rx="3" fill="var(--surface)" stroke="currentColor" stroke-dasharray="3 3"></rect>
                <path d="M124 4v48" stroke="var(--ink)" stroke-width="5" stroke-linecap="round"></path>
                <circle cx="146" cy="28" r="9" stroke="currentColor" stroke-dasharray="3 3"></circle>
            </svg>
            <h2>{title}</h2>
            <p>{text}</p>
        </div>
        {children.map(|children| view! { <div class="starts"><div class="btn-row">{children()}</div></div> })}
    }
    .into_any()
}

/// A digest in groups of four, so that two people can compare it aloud.
pub fn groups_of_four(digest: &str) -> String {
    let digest: Vec<char> = digest.chars().collect();
    digest
        .chunks(4)
        .map(|group| group.iter().collect::<String>())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A whole digest under a label.
#[component]
pub fn DigestBox(#[prop(into)] label: String, #[prop(into)] digest: String) -> impl IntoView {
    view! {
        <div class="digestbox stack-1">
            <span class="label">{label}</span>
            <span class="digest">{groups_of_four(&digest)}</span>
        </div>
    }
    .into_any()
}

/// The beginning of a digest or commit; the whole of it on hover.
#[component]
pub fn Sha(
    #[prop(into)] digest: String,
    /// What it is of: "SHA-256", "Commit".
    #[prop(default = "SHA-256")]
    kind: &'static str,
    #[prop(default = 12)] shown: usize,
) -> impl IntoView {
    let short: String = digest.chars().take(shown).collect();
    view! { <code class="sha" title=format!("{kind} {digest}")>{short}</code> }
}

/// A part of the page that opens on demand.
#[component]
pub fn Disclosure(
    #[prop(into)] summary: String,
    #[prop(optional)] open: bool,
    children: Children,
) -> impl IntoView {
    view! {
        <details class="disc" open=open>
            <summary>
                <Ico icon=Icon::Right class="chev" />
                {summary}
            </summary>
            {children()}
        </details>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_read_in_groups_of_four() {
        assert_eq!(groups_of_four("7ff7f79f9"), "7ff7 f79f 9");
        assert_eq!(groups_of_four(""), "");
    }
}
