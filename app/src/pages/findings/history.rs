//! What scans saw of a finding, and what people decided.

use holdpoint_domain::{FindingStatus, Millis};
use holdpoint_service::{
    ObservationView,
    findings::{FindingView, recognised_by},
};
use leptos::prelude::*;

use super::place;
use crate::{
    parts::{
        Column, Ico, Icon, Shown as _, Table, When,
        figure::thousands,
        status::{Look, Tone},
    },
    paths,
};

/// How a change by a scan looks.
pub(crate) fn change_look(change: &str) -> Look {
    let (icon, tone, word) = match change {
        "new" => (Icon::Plus, Tone::Red, "New"),
        "moved" => (Icon::Right, Tone::Neutral, "Moved"),
        "reopened" => (Icon::Reopened, Tone::Orange, "Reopened"),
        "fixed" => (Icon::Pass, Tone::Green, "Fixed"),
        "no_longer_seen" => (Icon::None, Tone::Neutral, "No longer seen"),
        _ => (Icon::Open, Tone::Neutral, "Unchanged"),
    };
    Look { icon, tone, word }
}

/// Each scan that changed the finding, and why it was matched; then what a person decided.
#[component]
pub(super) fn History(
    view: FindingView,
    /// The commit of the scan that saw it first.
    first_commit: Option<String>,
    review: String,
    now: Millis,
) -> impl IntoView {
    let finding = &view.finding;
    let history = &view.history.entries;
    let n = usize::try_from(view.history.n_matching).unwrap_or_default();
    let n_listed = history.len();
    let was_new = history.iter().any(|seen| seen.outcome == "new");
    let rows = history
        .iter()
        .map(|seen| row(seen, &review, now))
        .collect_view();
    let is_cut = n_listed < n;
    let first = finding.first_scan.clone().filter(|_| !was_new && !is_cut).map(|scan| {
        let address = paths::with_query(&paths::scan(&scan), &[("review", &review)]);
        // Where it was then, as long as no scan has seen it elsewhere since.
        let there = history.iter().all(|seen| seen.outcome != "moved");
        let path = finding.path.as_deref().filter(|_| there);
        let line = finding.start_line.filter(|_| there);
        let (here, whole) = (place(path.map(name_of), line, None), place(path, line, None));
        let look = Look {
            word: "First seen",
            ..change_look("new")
        };
        view! {
            <tr role="row">
                <th role="rowheader" scope="row" class="fit"><a href=address>"Scan"</a></th>
                <td role="cell" data-l=""><When at=finding.first_seen_at now /></td>
                <td role="cell" data-l="" class="mono">{short(first_commit.as_deref())}</td>
                <td role="cell" data-l="">{finding.tool.clone()}</td>
                <td role="cell" data-l="" class="mono muted wrap-any"><span title=whole>{here}</span></td>
                <td role="cell" class="full"><crate::parts::St of=look /></td>
            </tr>
        }
    });
    let n = n + usize::from(first.is_some());
    let seen = (n > 0).then(|| {
        let columns = ["Scan", "When", "Commit", "Scanner", "Location", "What happened"].map(Column::new).into();
        view! {
            <section class="section" aria-labelledby="h-occ">
                <div class="section-head">
                    <h2 id="h-occ">"What scans changed " <span class="count">{n}</span></h2>
                    <p class="push tiny muted">"Scans that saw it unchanged are not listed"</p>
                </div>
                {recognised_by(finding).map(|sentence| view! { <p class="small muted">{sentence}</p> })}
                <div class="panel"><Table caption="What scans changed, newest first" columns>{rows}{first}</Table></div>
                {is_cut.then(|| view! { <p class="small muted">{format!("The newest {n_listed} of {} are listed.", thousands(n))}</p> })}
            </section>
        }
    });
    let decided = finding.status_by_name.clone().map(|name| {
        let Look { icon, tone, word } = finding.status.look();
        // Until somebody answers, it is as open as before.
        let what = match (finding.asked, &view.last_act) {
            (_, Some(act)) => act.clone(),
            (Some(asked), None) => format!("asked {}", asked.words()),
            (None, None) => format!("set it to {}", word.to_lowercase()),
        };
        let asked_by = finding
            .acceptance_requested_by_name
            .clone()
            .filter(|_| finding.asked.is_none() && finding.status != FindingStatus::Open)
            .map(|name| format!(", asked for by {name}"));
        let reason = finding.status_reason.clone();
        let at = finding.status_at;
        view! {
            <section class="section" aria-labelledby="h-his">
                <div class="section-head"><h2 id="h-his">{if finding.asked.is_some() { "To decide" } else { "Decided" }}</h2></div>
                <div class="panel">
                    <div class="panel-body">
                        <ol class="timeline">
                            <li data-tone=tone.as_str()>
                                <Ico icon />
                                <p>
                                    <b>{name}</b> " " {what} {asked_by}
                                    {(!reason.is_empty()).then(|| format!(": {reason}"))}
                                    {at.map(|at| view! { <When at now /> })}
                                </p>
                            </li>
                        </ol>
                    </div>
                </div>
            </section>
        }
    });
    view! { {seen} {decided} }.into_any()
}

fn short(commit: Option<&str>) -> String {
    commit.unwrap_or_default().chars().take(7).collect()
}

/// The file's own name is enough here; the whole path stands on top of the page.
fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn row(seen: &ObservationView, review: &str, now: Millis) -> AnyView {
    let address = paths::with_query(&paths::scan(&seen.scan_id), &[("review", review)]);
    let commit = short(seen.commit_id.as_deref());
    let path = seen.path.as_deref().or(seen.was_path.as_deref());
    let line = seen.start_line.or(seen.was_start_line);
    let here = place(path.map(name_of), line, None);
    let series = if seen.label == seen.tool {
        seen.tool.clone()
    } else {
        format!("{}, {}", seen.tool, seen.label)
    };
    let why = seen.why.clone();
    let title = place(path, line, None);
    view! {
        <tr role="row">
            <th role="rowheader" scope="row" class="fit"><a href=address>"Scan"</a></th>
            <td role="cell" data-l=""><When at=seen.imported_at now /></td>
            <td role="cell" data-l="" class="mono">{commit}</td>
            <td role="cell" data-l="">{series}</td>
            <td role="cell" data-l="" class="mono muted wrap-any"><span title=title>{here}</span></td>
            <td role="cell" class="full">
                <crate::parts::St of=change_look(&seen.outcome) />
                <span class="sub wrap-any">{why}</span>
            </td>
        </tr>
    }
    .into_any()
}
