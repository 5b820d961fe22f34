//! What shows that an item is met: every piece, with where it comes from and whether it still counts.

use holdpoint_domain::Millis;
use holdpoint_service::{Evidence, MAX_PAGE, evidence::EvidenceView};
use leptos::prelude::*;

use crate::{
    flash::FormState,
    parts::{
        Button, Empty, Ico, Icon, Prose, RowAct, Sha, TextArea, When,
        controls::{ButtonLink, Weight},
        figure::{counted, size},
        panel::Disclosure,
        status::{Flag, FlagMark, Tone},
        when::{date, moment},
    },
    paths,
    paths::action,
};

/// The section of an item's page.
#[component]
pub(super) fn EvidenceSection(
    item: String,
    all: Vec<EvidenceView>,
    /// Whether there are older ones.
    is_cut: bool,
    /// The review's target commit.
    target: Option<String>,
    may_contribute: bool,
    /// The state of the form that withdraws.
    form: FormState,
    /// The piece that does not count any more and is to be read all the same.
    shown: String,
    now: Millis,
) -> impl IntoView {
    let is_shown = all
        .iter()
        .any(|view| view.evidence.id.as_str() == shown && !view.evidence.is_current());
    let (current, past): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|view| view.evidence.is_current());
    let n_stale = current.iter().filter(|view| view.stale).count();
    let n = current.len();
    let add = paths::new_evidence(&item);
    let row = move |view: EvidenceView| {
        evidence_row(
            &item,
            view,
            target.as_deref(),
            may_contribute,
            &form,
            &shown,
            now,
        )
    };
    let rows = current.into_iter().map(&row).collect_view();
    let n_past = past.len();
    let past = (n_past > 0).then(|| {
        let rows = past.into_iter().map(&row).collect_view();
        view! {
            <Disclosure summary=counted(n_past, "piece withdrawn or replaced", "pieces withdrawn or replaced") open=is_shown>
                <ul class="evidence">{rows}</ul>
            </Disclosure>
        }
    });
    let list = if n == 0 {
        view! {
            <div class="panel">
                <Empty
                    title="No evidence yet"
                    text="Evidence shows that the requirement is met: a file, a link, a note or the output of a command. Without it the item cannot pass."
                />
            </div>
        }
        .into_any()
    } else {
        view! { <ul class="evidence">{rows}</ul> }.into_any()
    };
    let add = if may_contribute {
        view! { <ButtonLink words="Add evidence" href=add small=true icon=Icon::Plus /> }.into_any()
    } else {
        view! {
            <button class="btn btn-sm" type="button" disabled aria-describedby="no-evidence-by-you">
                <Ico icon=Icon::Plus />
                "Add evidence"
            </button>
            <span class="tiny muted" id="no-evidence-by-you">"Contributors, reviewers and managers can add it."</span>
        }
        .into_any()
    };
    view! {
        <section class="section" aria-labelledby="h-ev">
            <div class="section-head">
                <h2 id="h-ev">"Evidence " <span class="count">{n}</span></h2>
                {(n_stale > 0)
                    .then(|| {
                        view! {
                            <span class="pill pill-sm" data-tone=Tone::Amber.as_str()>
                                <Ico icon=Icon::Stale />
                                {format!("{n_stale} stale")}
                            </span>
                        }
                    })}
                <div class="push">{add}</div>
            </div>
            {list}
            {past}
            {is_cut
                .then(|| {
                    let words = format!(
                        "These are the newest {MAX_PAGE} pieces. The API's list has the older ones too.",
                    );
                    view! { <p class="small muted">{words}</p> }
                })}
        </section>
    }
    .into_any()
}

fn evidence_row(
    item: &str,
    EvidenceView {
        evidence,
        stale,
        damaged,
        is_cut,
    }: EvidenceView,
    target: Option<&str>,
    may_contribute: bool,
    form: &FormState,
    shown: &str,
    now: Millis,
) -> AnyView {
    let (icon, kind) = match evidence.kind.as_str() {
        "link" => (Icon::Link, "Link"),
        "note" => (Icon::Note, "Note"),
        "output" => (Icon::Terminal, "Command output"),
        "scan" => (Icon::Shield, "Scan"),
        _ => (Icon::File, "File"),
    };
    let id = evidence.id.as_str().to_owned();
    let is_current = evidence.is_current();
    let name = name_of(&evidence);
    let is_file = evidence.file_sha256.is_some();
    let by = facts(&evidence, now);
    let fate = fate(&evidence, now);
    let contradicted = (is_current && evidence.is_contradicted).then(|| {
        view! {
            <p class="notice" data-tone=Tone::Amber.as_str()>
                <Ico icon=Icon::Stale />
                <span>"A newer scan of this series has findings, so this one does not show any more that there are none."</span>
            </p>
        }
    });
    let is_other_commit = stale && contradicted.is_none();
    let stale_note = is_other_commit.then(|| {
        let said = match &evidence.commit {
            Some(taken) => {
                let target = target.unwrap_or("another commit").to_owned();
                view! {
                    "Taken at " <Sha digest=taken.clone() kind="Commit" shown=7 /> "; the review is of "
                    <Sha digest=target kind="Commit" shown=7 /> ". "
                }
                .into_any()
            }
            None => "It names no commit, and the review's target has moved since it was attached. ".into_any(),
        };
        let again = paths::replace_evidence(item, &id);
        view! {
            <p class="notice" data-tone=Tone::Amber.as_str()>
                <Ico icon=Icon::Stale />
                <span>
                    {said}
                    {may_contribute.then(|| view! { <a href=again>"Add it as of that commit"</a> })}
                </span>
            </p>
        }
    });
    let body = if damaged {
        Some(
            view! {
                <p class="notice" data-tone=Tone::Red.as_str()>
                    <Ico icon=Icon::Warn />
                    <span>"What is stored is not what was submitted, so it is not shown and does not count. Restore it from a backup, or attach it again."</span>
                </p>
            }
            .into_any(),
        )
    } else if is_current || shown == id {
        body_of(&evidence, is_cut)
    } else {
        // What does not count any more is only read by who asks for it, one piece at a time.
        has_text(&evidence).then(|| {
            let address = format!("{}#evidence-{id}", paths::piece(item, &id));
            view! { <p class="small"><a href=address>"Show what it says"</a></p> }.into_any()
        })
    };
    let is_unpinned = evidence.commit.is_none();
    let withdraw = (is_current && may_contribute).then(|| withdraw_form(item, &id, form));
    let has_body = body.is_some()
        || contradicted.is_some()
        || stale_note.is_some()
        || fate.is_some()
        || withdraw.is_some();
    let title = evidence.title.clone();
    let menu = view! {
        <details class="menu" name="ev">
            <summary class="tool">
                <Ico icon=Icon::More />
                <span class="vh">{format!("Actions for {title}")}</span>
            </summary>
            <div class="menu-pop">
                {is_file
                    .then(|| {
                        view! {
                            <a href=paths::evidence_file(&id) download=""><Ico icon=Icon::Download />"Download"</a>
                        }
                    })}
                {(is_current && may_contribute)
                    .then(|| {
                        view! {
                            <a href=paths::replace_evidence(item, &id)>
                                <Ico icon=Icon::Reopened />
                                "Replace with a newer one"
                            </a>
                        }
                    })}
            </div>
        </details>
    };
    let has_menu = is_file || (is_current && may_contribute);
    view! {
        <li id=format!("evidence-{id}")>
            <span class="kind"><Ico icon /><span class="vh">{kind}</span></span>
            <div class="name">
                {name}
                {stale.then(|| view! { <FlagMark flag=Flag::Stale /> })}
                {is_unpinned.then(|| view! { <FlagMark flag=Flag::Unpinned /> })}
                {damaged.then(|| view! { <FlagMark flag=Flag::Damaged /> })}
            </div>
            <p class="by">{by}</p>
            {has_body.then(|| view! { <div class="body stack-2">{body}{contradicted}{stale_note}{fate}{withdraw}</div> })}
            <div class="acts">{has_menu.then_some(menu)}</div>
        </li>
    }
    .into_any()
}

fn name_of(evidence: &Evidence) -> AnyView {
    let title = evidence.title.clone();
    match evidence.kind.as_str() {
        "file" => {
            let address = paths::evidence_file(evidence.id.as_str());
            let file_name = evidence.file_name.clone().unwrap_or_default();
            let other = (file_name != title)
                .then(|| view! { <span class="muted light">{file_name.clone()}</span> });
            view! { <a class="plain" href=address>{title}</a> {other} }.into_any()
        }
        "link" => {
            let address = evidence.body.clone();
            let other = (address != title)
                .then(|| view! { <span class="muted light wrap-any">{address.clone()}</span> });
            view! { <a href=address.clone() rel="nofollow noopener noreferrer">{title}</a> {other} }
                .into_any()
        }
        "output" => {
            let command = evidence.command.clone().unwrap_or_default();
            if command == title {
                view! { <code>{command}</code> }.into_any()
            } else {
                view! { {title} " " <code class="light">{command}</code> }.into_any()
            }
        }
        _ => title.into_any(),
    }
}

/// Size, digest, commit, place, who and when.
fn facts(evidence: &Evidence, now: Millis) -> AnyView {
    let exit = evidence.exit_code.map(|code| {
        let (tone, icon) = if code == 0 {
            (Tone::Green, Icon::Pass)
        } else {
            (Tone::Red, Icon::Fail)
        };
        view! { <span class="st" data-tone=tone.as_str()><Ico icon />{format!("exit {code}")}</span> }
    });
    let host = evidence
        .host
        .clone()
        .map(|host| view! { <span>{format!("on {host}")}</span> });
    let size = evidence
        .file_sha256
        .is_some()
        .then(|| view! { <span title=format!("{} bytes", evidence.size_bytes)>{size(evidence.size_bytes)}</span> });
    let commit = evidence.commit.clone().map(|commit| {
        view! { <span><Ico icon=Icon::Commit />"pinned to " <Sha digest=commit kind="Commit" shown=7 /></span> }
    });
    let place = evidence.path.clone().map(|path| {
        let lines = match (evidence.start_line, evidence.end_line) {
            (Some(start), Some(end)) if end > start => format!(", lines {start} to {end}"),
            (Some(start), _) => format!(", line {start}"),
            _ => String::new(),
        };
        view! { <span class="mono wrap-any">{path}{lines}</span> }
    });
    // Said apart only where it differs: when it was true, and when it was uploaded.
    let observed = (evidence.created_at - evidence.observed_at > 60_000)
        .then(|| view! { <span title=moment(evidence.observed_at)>{format!("observed {}", date(evidence.observed_at))}</span> });
    let who = evidence.created_by_name.clone();
    let at = evidence.created_at;
    let sha = evidence.sha256.as_str().to_owned();
    view! {
        {exit}
        {host}
        {size}
        <span>"sha256 " <Sha digest=sha /></span>
        {commit}
        {place}
        {observed}
        <span>{who}", "<When at now /></span>
    }
    .into_any()
}

fn has_text(evidence: &Evidence) -> bool {
    matches!(evidence.kind.as_str(), "scan" | "note" | "output")
}

fn body_of(evidence: &Evidence, is_cut: bool) -> Option<AnyView> {
    let whole = is_cut.then(|| {
        let words = if evidence.body.is_empty() {
            "This text is not shown here. "
        } else {
            "This is only its beginning. "
        };
        let link = format!("The whole text ({})", size(evidence.size_bytes));
        view! {
            <p class="small">{words} <a href=paths::evidence_text(evidence.id.as_str())>{link}</a></p>
        }
    });
    match evidence.kind.as_str() {
        "scan" => {
            let said = evidence.body.clone();
            let scan = evidence.scan.as_ref().map(|scan| {
                view! { " " <a href=paths::scan(scan.as_str())>"The scan"</a> }
            });
            Some(view! { <p class="small wrap-any">{said} {scan}</p> }.into_any())
        }
        "note" => Some(view! { <Prose text=evidence.body.clone() /> {whole} }.into_any()),
        "output" if evidence.body.is_empty() && is_cut => Some(whole.into_any()),
        "output" => {
            let n = evidence.body.lines().count();
            let output = evidence.body.clone();
            let summary = if is_cut {
                format!("Output, the first {}", counted(n, "line", "lines"))
            } else {
                format!("Output, {}", counted(n, "line", "lines"))
            };
            Some(
                view! {
                    <Disclosure summary open=n <= 12>
                        <pre class="term" role="region" tabindex="0" aria-label="Command output">{output}</pre>
                    </Disclosure>
                    {whole}
                }
                .into_any(),
            )
        }
        _ => None,
    }
}

/// Why it does not count any more.
fn fate(evidence: &Evidence, now: Millis) -> Option<AnyView> {
    if let Some(at) = evidence.withdrawn_at {
        let who = evidence.withdrawn_by_name.clone().unwrap_or_default();
        let reason = evidence.withdrawn_reason.clone().unwrap_or_default();
        return Some(
            view! { <p class="small">"Withdrawn by " {who} ", " <When at now /> ": " {reason}</p> }
                .into_any(),
        );
    }
    let newer = evidence.superseded_by.as_ref()?;
    let address = format!("#evidence-{newer}");
    Some(
        view! { <p class="small">"Replaced by " <a href=address>"a newer version"</a> "."</p> }
            .into_any(),
    )
}

fn withdraw_form(item: &str, id: &str, form: &FormState) -> AnyView {
    // One form per piece: only the one that was sent shows what was typed.
    let form = form.of_row("evidence", id);
    let (id, item) = (id.to_owned(), item.to_owned());
    let row = format!("withdraw-{id}");
    view! {
        <RowAct words="Withdraw" form=form.clone() id=row.clone() fields=&["reason"]>
            <form method="post" action=action("evidence/withdraw")>
                <input type="hidden" name="evidence" value=id />
                <input type="hidden" name="item" value=item />
                <TextArea
                    form
                    name="reason"
                    label="Why it does not count"
                    rows=2
                    max_length=4000
                    prefix_owned=row
                    hint="It stays on record with this reason. A signature that rests on it becomes void."
                />
                <div class="btn-row"><Button words="Withdraw evidence" weight=Weight::Danger small=true /></div>
            </form>
        </RowAct>
    }
    .into_any()
}
