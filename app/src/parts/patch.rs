//! A patch on a page: what it is, what it touches, what it changes. For the pages of patches, items and findings.

use holdpoint_domain::{Millis, PatchState};
use leptos::prelude::*;

use super::{
    controls::{ButtonLink, Weight},
    diff::{DiffRow, DiffView, Side},
    figure::capitalised,
    icon::{Ico, Icon},
    inline::Inline,
    panel::{Disclosure, Sha},
    status::{St, Tone},
    when::When,
};
use crate::paths;

/// A patch as pages show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownPatch {
    pub id: String,
    pub number: i64,
    pub title: String,
    pub state: PatchState,
    /// Who made it, as the patch says.
    pub author: String,
    pub submitted_by: String,
    pub submitted_at: Millis,
    pub sha256: String,
    pub n_added: i64,
    pub n_removed: i64,
    pub touches: Vec<ShownTouch>,
    /// The items it is linked to: key and id.
    pub items: Vec<(String, String)>,
    /// "Not known: no snapshot of commit c41f0e2 has been pushed."
    pub applies: Fit,
    /// The messages of its commits, where it came as mails.
    pub commits: Vec<ShownCommit>,
    /// The files it changes; why they cannot be shown if they cannot.
    pub files: Result<Vec<ShownFile>, String>,
}

/// What a patch changes of a linked finding's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownTouch {
    pub finding: String,
    pub number: i64,
    pub reach: Reach,
    /// "touches F-2's lines"
    pub sentence: String,
}

/// How near a patch comes to a finding. It never says that the finding is fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    Lines,
    File,
    Nothing,
    /// There is nothing to compare.
    NotKnown,
}

/// Whether a patch applies to the review's target commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fit {
    Applies(String),
    DoesNot(String),
    NotKnown(String),
}

/// What a commit of a patch says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownCommit {
    pub subject: String,
    pub author: String,
    pub date: String,
    pub body: String,
}

/// One file of a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownFile {
    pub path: String,
    /// "modified", "renamed from a.txt", …
    pub how: String,
    pub n_added: usize,
    pub n_removed: usize,
    pub rows: Vec<DiffRow>,
}

/// A patch with its diff, as a box of its own on the page of an item, a finding, or itself.
#[component]
pub fn PatchCard(
    patch: ShownPatch,
    now: Millis,
    #[prop(optional)] side: Side,
    /// How many rows of the diff are shown at most; the rest is in the patch's own page or file.
    #[prop(default = 200)]
    most_rows: usize,
    /// On the patch's own page, where its title stands above already.
    #[prop(optional)]
    own_page: bool,
) -> impl IntoView {
    let name = format!("P-{}", patch.number);
    let address = paths::patch(&patch.id);
    let heading = format!("patch-{}", patch.number);
    let linked = view! { <LinkedTo touches=patch.touches.clone() items=patch.items.clone() /> };
    let head = (!own_page).then(|| {
        let title = format!("{name} {}", patch.title);
        view! {
            <header class="codebox-head">
                <h3 id=heading.clone() class="small"><a class="plain" href=address.clone()><Inline text=title /></a></h3>
                <St of=patch.state />
                <span class="push">
                    <Changed added=patch.n_added removed=patch.n_removed />
                    {linked}
                </span>
            </header>
        }
    });
    let files = match patch.files.clone() {
        Ok(files) => diffs(&name, files, side, most_rows, &patch.id).into_any(),
        Err(why) => view! {
            <p class="panel-body notice" data-tone=Tone::Red.as_str()>
                <Ico icon=Icon::Fail />
                <span>{why} " Tell your administrator."</span>
            </p>
        }
        .into_any(),
    };
    let label = own_page.then(|| format!("Changes of {name}"));
    let labelled_by = (!own_page).then_some(heading);
    view! {
        <article class="codebox" aria-label=label aria-labelledby=labelled_by>
            {head}
            <div class="codebox-head">
                <Touches touches=patch.touches.clone() />
                <FitMark fit=patch.applies.clone() />
            </div>
            {files}
            <footer class="codebox-head">
                <span class="muted">
                    {patch.submitted_by.clone()} ", " <When at=patch.submitted_at now /> ", sha256 "
                    <Sha digest=patch.sha256.clone() shown=8 />
                </span>
                <span class="push">
                    <ButtonLink
                        words=".patch"
                        href=paths::patch_file(&patch.id)
                        weight=Weight::Quiet
                        small=true
                        icon=Icon::Download
                        download=true
                    />
                    {(!own_page)
                        .then(|| {
                            view! { <ButtonLink words=format!("Open {name}") href=address small=true /> }
                        })}
                </span>
            </footer>
        </article>
    }
    .into_any()
}

/// "+4 −16"
#[component]
pub fn Changed(added: i64, removed: i64) -> impl IntoView {
    view! {
        <span class="plus">{format!("+{added}")}<span class="vh">" lines added"</span></span>
        " "
        <span class="minus">{format!("−{removed}")}<span class="vh">" lines removed"</span></span>
    }
}

/// "for F-1, F-6 and 2.5.1"
#[component]
pub fn LinkedTo(touches: Vec<ShownTouch>, items: Vec<(String, String)>) -> impl IntoView {
    let findings = touches.into_iter().map(|touch| {
        (
            format!("F-{}", touch.number),
            paths::finding(&touch.finding),
        )
    });
    let items = items.into_iter().map(|(key, id)| (key, paths::item(&id)));
    let links: Vec<_> = findings.chain(items).collect();
    (!links.is_empty()).then(|| {
        let links = links
            .into_iter()
            .enumerate()
            .map(|(index, (words, href))| {
                let before = if index == 0 { "" } else { ", " };
                view! { {before} <a href=href>{words}</a> }
            })
            .collect_view();
        view! { <span>"for " {links}</span> }
    })
}

/// What a patch changes of its findings' places, each as a sentence.
#[component]
pub fn Touches(touches: Vec<ShownTouch>) -> impl IntoView {
    touches
        .into_iter()
        .map(|touch| {
            let (icon, tone) = match touch.reach {
                Reach::Lines => (Icon::Check, Tone::Green),
                Reach::File => (Icon::Info, Tone::Amber),
                Reach::Nothing => (Icon::Warn, Tone::Orange),
                Reach::NotKnown => (Icon::None, Tone::Neutral),
            };
            let sentence = capitalised(&touch.sentence);
            view! { <span class="st" data-tone=tone.as_str()><Ico icon />{sentence}</span> }
        })
        .collect_view()
}

/// Whether it applies to the target commit.
#[component]
pub fn FitMark(fit: Fit) -> impl IntoView {
    let (icon, tone, words) = match fit {
        Fit::Applies(words) => (Icon::Check, Tone::Green, words),
        Fit::DoesNot(words) => (Icon::Warn, Tone::Orange, words),
        Fit::NotKnown(words) => (Icon::None, Tone::Neutral, words),
    };
    view! { <span class="st" data-tone=tone.as_str()><Ico icon />{words}</span> }
}

/// What the commits of a patch say of themselves.
#[component]
pub fn CommitMessages(commits: Vec<ShownCommit>) -> impl IntoView {
    commits
        .into_iter()
        .map(|commit| {
            let has_body = !commit.body.trim().is_empty();
            view! {
                <div class="stack-1">
                    <p class="strong wrap-any"><Inline text=commit.subject /></p>
                    <p class="small muted wrap-any">{commit.author} ", " {commit.date}</p>
                    {has_body
                        .then(|| {
                            view! {
                                <Disclosure summary="Message">
                                    <pre class="term" role="region" tabindex="0" aria-label="Commit message">{commit.body}</pre>
                                </Disclosure>
                            }
                        })}
                </div>
            }
        })
        .collect_view()
}

fn diffs(
    name: &str,
    files: Vec<ShownFile>,
    side: Side,
    most_rows: usize,
    patch: &str,
) -> impl IntoView + use<> {
    let n_files = files.len();
    let mut room = most_rows;
    let mut n_hidden = 0;
    let mut shown = Vec::new();
    for mut file in files {
        if room == 0 {
            n_hidden += 1;
            continue;
        }
        let n_rows = file.rows.len();
        let cut = n_rows > room;
        file.rows.truncate(room);
        room -= file.rows.len();
        let left = n_rows - file.rows.len();
        shown.push((file, cut.then_some(left)));
    }
    let views = shown
        .into_iter()
        .map(|(file, cut)| {
            let label = format!("Diff of {} in {name}", file.path);
            let has_rows = !file.rows.is_empty();
            let no_rows = (!has_rows).then(|| {
                view! { <p class="panel-body small muted">"No lines change in this file: " {file.how.clone()} "."</p> }
            });
            view! {
                <div class="codebox-head">
                    <span class="path">{file.path}</span>
                    <span class="muted tiny">{file.how.clone()}</span>
                    <span class="push tiny">
                        <Changed
                            added=i64::try_from(file.n_added).unwrap_or(i64::MAX)
                            removed=i64::try_from(file.n_removed).unwrap_or(i64::MAX)
                        />
                    </span>
                </div>
                {has_rows.then(|| view! { <DiffView label rows=file.rows side /> })}
                {no_rows}
                {cut.map(|left| view! { <p class="panel-body small muted">{format!("{left} more rows of this file are not shown.")}</p> })}
            }
        })
        .collect_view();
    let (page, download) = (paths::patch(patch), paths::patch_file(patch));
    let rest = (room == 0).then(|| {
        let words = if n_hidden > 0 {
            format!("{n_hidden} of {n_files} files are not shown. ")
        } else {
            String::new()
        };
        view! {
            <p class="panel-body small">
                {words} "All of it: " <a href=page>"the patch's page"</a> " or "
                <a href=download download="">"its file"</a> "."
            </p>
        }
    });
    view! { {views} {rest} }
}
