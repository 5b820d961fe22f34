//! The frame of every page: top bar, review bar, notices, footer, the list of shortcuts.

use holdpoint_domain::{InstanceRole, Millis, Outcome};
use holdpoint_service::Actor;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use leptos_meta::Title;

use super::{
    controls::{Button, Notice},
    figure::{capitalised, thousands},
    icon::{Ico, Icon, Mark},
    inline::Inline,
    people::Avatar,
    status::{Pill, Tone},
    when::{machine, moment},
};
use crate::{
    document::Site,
    flash::Refusal,
    islands::Shortcuts,
    paths,
    visit::{Preferences, Theme, Visit},
};

/// One step of the way from all reviews to this page. The last one without an address is the page itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crumb {
    pub words: String,
    pub href: Option<String>,
}

impl Crumb {
    pub fn to(words: impl Into<String>, href: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            href: Some(href.into()),
        }
    }

    pub fn here(words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            href: None,
        }
    }
}

/// The pages of a review, in the order of their tabs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    Readiness,
    Checklist,
    Findings,
    Scans,
    Patches,
    SignOff,
    Activity,
    /// Has no tab of its own: the checklist's head leads to it.
    Settings,
}

/// What the review bar shows on every page of a review.
#[derive(Clone, Debug)]
pub struct ReviewBar {
    pub id: String,
    /// How people call it: "OpenSQT Market Maker v1.0.0".
    pub name: String,
    pub here: Tab,
    pub n_items: u32,
    pub n_open_findings: u32,
    pub n_patches: u32,
    /// Valid signatures on the release, of those asked for.
    pub signatures: (u32, u32),
    pub hold_point: Option<Millis>,
    pub outcome: Outcome,
}

/// A page: everything around its own content. `title` goes to the browser's tab, the page writes its own `<h1>`.
#[component]
pub fn Frame(
    #[prop(into)] title: String,
    #[prop(optional)] crumbs: Vec<Crumb>,
    #[prop(optional, into)] review: Option<ReviewBar>,
    children: Children,
) -> impl IntoView {
    let visit = Visit::current();
    let site = use_context::<Site>().unwrap_or_default();
    let shortcuts = visit.preferences.shortcuts;
    let review_id = review.as_ref().map(|review| review.id.clone());
    view! {
        <Title text=format!("{title} · Holdpoint") />
        <TopBar visit=visit.clone() crumbs />
        {review.map(|review| view! { <ReviewBarView review /> })}
        <main id="main" class="page" tabindex="-1">
            <ResetNotice visit=visit.clone() />
            <Notices visit=visit.clone() />
            {children()}
        </main>
        <footer class="footer">
            <span>{format!("Holdpoint {} on {}", env!("CARGO_PKG_VERSION"), site.name)}</span>
            <a href=paths::VERIFY>"Verify a report"</a>
            {shortcuts
                .then(|| {
                    view! {
                        <button class="linklike" type="button" commandfor="keys" command="show-modal">
                            "Keyboard shortcuts"
                        </button>
                    }
                })}
        </footer>
        {shortcuts.then(|| view! { <ShortcutList /> })}
        {shortcuts
            .then(|| match review_id {
                Some(review) => view! { <Shortcuts review /> }.into_any(),
                None => view! { <Shortcuts /> }.into_any(),
            })}
    }
    .into_any()
}

/// Tells a person on every page that somebody else's link has set their password, until they dismiss it.
#[component]
fn ResetNotice(visit: Visit) -> impl IntoView {
    visit.unseen_reset.map(|reset| {
        let by = reset.by.unwrap_or_else(|| "Somebody at the server's command line".to_owned());
        view! {
            <Notice tone=Tone::Amber id="password-reset">
                <span>
                    {format!(
                        "{by} made a link with which your password was set on {}. If it was not you who chose it, tell an administrator: \
                         whoever did can sign as you. What you sign within a day says so.",
                        moment(reset.at),
                    )}
                </span>
                <form method="post" action=paths::action("account/dismiss-reset")>
                    <input type="hidden" name="at" value=reset.at.to_string() />
                    <input type="hidden" name="next" value=visit.address />
                    <Button words="I know, do not show this again" small=true />
                </form>
            </Notice>
        }
    })
}

/// A page without account or review: sign in, set-up, an error before either.
#[component]
pub fn SoloFrame(
    #[prop(into)] title: String,
    /// Room for a form of several steps.
    #[prop(optional)]
    wide: bool,
    children: Children,
) -> impl IntoView {
    let visit = Visit::current();
    let site = use_context::<Site>().unwrap_or_default();
    let class = if wide {
        "solo-card is-wide"
    } else {
        "solo-card"
    };
    view! {
        <Title text=format!("{title} · Holdpoint") />
        <main id="main" class="solo" tabindex="-1">
            <div class=class>
                <p class="solo-brand">
                    <Mark />
                    "Holdpoint"
                </p>
                <Notices visit=visit.clone() />
                {children()}
                <p class="tiny faint">
                    {format!("Holdpoint {} on {}.", env!("CARGO_PKG_VERSION"), site.name)}
                </p>
            </div>
        </main>
    }
    .into_any()
}

/// The head of a page: where it belongs, its one `<h1>`, facts about it, what can be done.
#[component]
pub fn PageHead(
    #[prop(into)] title: String,
    /// A line above the title.
    #[prop(optional, into)]
    over: Option<AnyView>,
    /// Facts below the title, each in a `<span>`.
    #[prop(optional, into)]
    meta: Option<AnyView>,
    #[prop(optional, into)] actions: Option<AnyView>,
) -> impl IntoView {
    view! {
        <div class="page-head">
            <div>
                {over.map(|over| view! { <p class="small muted">{over}</p> })}
                <h1><Inline text=title /></h1>
                {meta.map(|meta| view! { <p class="meta">{meta}</p> })}
            </div>
            {actions.map(|actions| view! { <div class="actions">{actions}</div> })}
        </div>
    }
    .into_any()
}

#[component]
fn TopBar(visit: Visit, crumbs: Vec<Crumb>) -> impl IntoView {
    let crumbs = (!crumbs.is_empty()).then(|| {
        let steps = crumbs
            .into_iter()
            .map(|Crumb { words, href }| match href {
                Some(href) => view! { <li><a href=href>{words}</a></li> }.into_any(),
                None => view! { <li><span aria-current="page">{words}</span></li> }.into_any(),
            })
            .collect_view();
        view! { <nav class="crumbs" aria-label="Breadcrumb"><ol>{steps}</ol></nav> }
    });
    let tools = match visit.person.clone() {
        Some(person) => {
            let waiting = visit.n_waiting;
            view! {
                <form class="jump" role="search" aria-label="Everything" action=paths::SEARCH>
                    <label class="vh" for="jump">"Search items, findings and files"</label>
                    <Ico icon=Icon::Search />
                    <input id="jump" name="q" type="search" placeholder="Search or jump to" autocomplete="off" />
                    {visit.preferences.shortcuts.then(|| view! { <kbd aria-hidden="true">"/"</kbd> })}
                </form>
                <a class="tool only-narrow" href=paths::SEARCH>
                    <Ico icon=Icon::Search />
                    <span class="vh">"Search"</span>
                </a>
                <a class="tool" href=paths::INBOX>
                    <Ico icon=Icon::Inbox />
                    {(waiting > 0).then(|| view! { <span class="n">{waiting}</span> })}
                    <span class="vh">
                        {match waiting {
                            0 => "Nothing waits for you".to_owned(),
                            1 => " thing waits for you".to_owned(),
                            _ => " things wait for you".to_owned(),
                        }}
                    </span>
                </a>
                <AccountMenu person preferences=visit.preferences address=visit.address.clone() />
            }
            .into_any()
        }
        None => {
            view! { <a class="btn btn-sm" href=paths::sign_in_to(&visit.address)>"Sign in"</a> }
                .into_any()
        }
    };
    view! {
        <header class="topbar">
            <a class="brand" href=paths::HOME>
                <Mark />
                <span class="word">"Holdpoint"</span>
                <span class="vh">" home, all reviews"</span>
            </a>
            {crumbs}
            <div class="topbar-tools">{tools}</div>
        </header>
    }
    .into_any()
}

#[component]
fn AccountMenu(person: Actor, preferences: Preferences, address: String) -> impl IntoView {
    let is_admin = person.instance_role == InstanceRole::Admin;
    view! {
        <details class="menu" name="top">
            <summary class="tool">
                <Avatar name=person.name.clone() />
                <span class="vh">{format!("Menu of {}", person.name)}</span>
            </summary>
            <div class="menu-pop">
                <a href=paths::INBOX><Ico icon=Icon::List />"My items and reviews"</a>
                <a href=paths::TEMPLATES><Ico icon=Icon::Book />"Checklists"</a>
                {is_admin.then(|| view! { <a href=paths::PEOPLE><Ico icon=Icon::User />"People"</a> })}
                <a href=paths::ACCOUNT><Ico icon=Icon::Key />"Account and sessions"</a>
                <hr />
                <PreferencesForm preferences address />
                <hr />
                <form method="post" action=format!("{}/sign-out", paths::ACTIONS)>
                    <button type="submit"><Ico icon=Icon::SignOut />"Sign out"</button>
                </form>
            </div>
        </details>
    }
    .into_any()
}

/// Theme and shortcuts, as buttons that post: they work without script.
#[component]
pub fn PreferencesForm(preferences: Preferences, address: String) -> impl IntoView {
    let themes = Theme::ALL
        .into_iter()
        .map(|theme| {
            let chosen = theme == preferences.theme;
            view! {
                <button
                    type="submit"
                    name="theme"
                    value=theme.as_str()
                    aria-pressed=if chosen { "true" } else { "false" }
                >
                    <Ico icon=if chosen { Icon::Check } else { Icon::Theme } />
                    {format!("Theme: {}", theme.label().to_lowercase())}
                </button>
            }
        })
        .collect_view();
    let (value, words) = if preferences.shortcuts {
        ("off", "Turn shortcuts off")
    } else {
        ("on", "Turn shortcuts on")
    };
    view! {
        <form method="post" action=paths::PREFERENCES>
            <input type="hidden" name="back" value=address />
            {themes}
            <button type="submit" name="shortcuts" value=value>
                <Ico icon=Icon::Keyboard />
                {words}
            </button>
        </form>
    }
    .into_any()
}

#[component]
fn ReviewBarView(review: ReviewBar) -> impl IntoView {
    let ReviewBar {
        id,
        name,
        here,
        n_items,
        n_open_findings,
        n_patches,
        signatures: (valid, asked),
        hold_point,
        outcome,
    } = review;
    let count = |n: String, words: &'static str| {
        Some(
            view! { <span class="count">{n}<span class="vh">{format!(" {words}")}</span></span> }
                .into_any(),
        )
    };
    let tabs = [
        (Tab::Readiness, "Readiness", paths::review(&id), None),
        (
            Tab::Checklist,
            "Checklist",
            paths::checklist(&id),
            count(n_items.to_string(), "items"),
        ),
        (
            Tab::Findings,
            "Findings",
            paths::findings(&id),
            count(thousands(n_open_findings), "open"),
        ),
        (Tab::Scans, "Scans", paths::scans(&id), None),
        (
            Tab::Patches,
            "Patches",
            paths::patches(&id),
            count(n_patches.to_string(), "patches"),
        ),
        (
            Tab::SignOff,
            "Sign-off",
            paths::sign_off(&id),
            count(format!("{valid}/{asked}"), "signatures valid"),
        ),
        (Tab::Activity, "Activity", paths::activity(&id), None),
    ]
    .into_iter()
    .map(|(tab, words, href, count)| {
        view! {
            <a href=href aria-current=(tab == here).then_some("page")>
                {words}
                {count}
            </a>
        }
    })
    .collect_view();
    view! {
        <nav class="reviewbar" aria-label=format!("Review {name}")>
            <div class="tabs">{tabs}</div>
            <p class="reviewbar-state">
                {hold_point
                    .map(|at| {
                        view! { <span>"Hold point " <time datetime=machine(at)>{moment(at)}</time></span> }
                    })}
                <Pill of=outcome />
            </p>
        </nav>
    }
    .into_any()
}

/// What the last form left: a notice, a refusal, or two versions of one thing.
#[component]
fn Notices(visit: Visit) -> impl IntoView {
    let flash = visit.flash?;
    if flash.is_conflict()
        && let Some(response) = use_context::<ResponseOptions>()
    {
        response.set_status(http::StatusCode::CONFLICT);
    }
    let versions = flash.both_versions();
    let refusal = flash.refusal.clone().map(|refusal| {
        let message = refusal.message().to_owned();
        // A message at its field is said once more on top, so that it is not missed on a long page.
        let tone = if matches!(refusal, Refusal::Field { .. }) {
            Tone::Red
        } else {
            Tone::Amber
        };
        view! { <Notice tone alert=true id="refused"><p><Inline text=message /></p></Notice> }
    });
    let versions = (!versions.is_empty()).then(|| {
        let rows = versions
            .into_iter()
            .map(|(field, yours, saved)| {
                view! {
                    <tr>
                        <th scope="row">{words_of(&field)}</th>
                        <td class="wrap">{yours}</td>
                        <td class="wrap">{saved}</td>
                    </tr>
                }
            })
            .collect_view();
        view! {
            <section class="panel" aria-labelledby="versions">
                <div class="panel-head">
                    <h2 id="versions">"Both versions"</h2>
                </div>
                <div class="tbl-wrap" tabindex="0" role="region" aria-label="What you typed, and what is saved now">
                    <table class="tbl">
                        <caption class="vh">"What you typed, and what is saved now"</caption>
                        <thead>
                            <tr>
                                <th scope="col">"Field"</th>
                                <th scope="col">"You typed"</th>
                                <th scope="col">"Saved now"</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            </section>
        }
    });
    let notice = flash
        .notice
        .clone()
        .map(|text| view! { <Notice tone=Tone::Green><p><Inline text /></p></Notice> });
    Some(view! { <div class="stack listhead">{refusal}{versions}{notice}</div> })
}

/// A field's name as words: `due_date` is "Due date".
fn words_of(field: &str) -> String {
    capitalised(&field.replace(['_', '-'], " "))
}

#[component]
fn ShortcutList() -> impl IntoView {
    let column = |rows: &[(&'static str, &[&'static str])]| {
        let rows = rows
            .iter()
            .map(|(words, keys)| {
                let keys = keys.iter().map(|key| view! { <kbd>{*key}</kbd> }).collect_view();
                view! { <div class="row-between"><dt>{*words}</dt><dd class="row">{keys}</dd></div> }
            })
            .collect_view();
        view! { <dl class="stack-2">{rows}</dl> }
    };
    view! {
        <dialog id="keys" aria-labelledby="keys-h" closedby="any">
            <div class="dlg-head">
                <h2 id="keys-h">"Keyboard shortcuts"</h2>
                <form method="dialog">
                    <button class="btn btn-quiet btn-icon btn-sm">
                        <Ico icon=Icon::Close />
                        <span class="vh">"Close"</span>
                    </button>
                </form>
            </div>
            <div class="dlg-body fields-2">
                {column(
                    &[
                        ("Search or jump", &["/"]),
                        ("Go to all reviews", &["G", "H"]),
                        ("Go to what waits for you", &["G", "I"]),
                        ("Next, previous row", &["J", "K"]),
                        ("Open the row", &["Enter"]),
                        ("Tick the row", &["X"]),
                        ("Tick up to the row", &["Shift X"]),
                        ("Previous, next page", &["[", "]"]),
                        ("This list", &["?"]),
                        ("Close", &["Esc"]),
                    ],
                )}
                {column(
                    &[
                        ("Go to readiness", &["G", "R"]),
                        ("Go to checklist", &["G", "C"]),
                        ("Go to findings", &["G", "F"]),
                        ("Go to scans", &["G", "N"]),
                        ("Go to patches", &["G", "P"]),
                        ("Go to sign-off", &["G", "S"]),
                        ("Search in findings", &["F"]),
                        ("Decide about findings", &["T"]),
                        ("Map a finding to an item", &["M"]),
                    ],
                )}
            </div>
            <p class="dlg-foot is-start small muted">
                "Single keys work only while no field has focus. Turn them off in the menu with your initials."
            </p>
        </dialog>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_named_by_its_words() {
        assert_eq!(words_of("due_date"), "Due date");
        assert_eq!(words_of(""), "");
        assert_eq!(words_of("übrig"), "Übrig");
    }
}
