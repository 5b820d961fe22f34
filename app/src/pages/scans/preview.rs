//! What importing uploaded files would change, before any of it is saved.

use std::collections::BTreeSet;

use holdpoint_domain::person::Action;
use holdpoint_service::{ServiceError, scans::ImportOutcome};
use http::request::Parts;
use leptos::prelude::*;
use tower_sessions::Session;

use super::{IncompleteNote, by_severity, change_table, figures, format_title, n_results};
use crate::{
    pages::{
        PageError,
        findings::thousands,
        page, parameter,
        review_bar::{OpenReview, review_bar, review_crumbs, review_name},
    },
    parts::{
        Button, Column, Frame, Ico, Icon, PageHead, Sha, Tab, Table,
        controls::Weight,
        figure::{capitalised, counted, size},
        panel::Disclosure,
        status::Tone,
        when::near,
    },
    paths::{self, action},
    pending::{PendingFile, PendingScans},
    visit::services,
};

/// A file of the upload with what importing it would do.
struct Previewed {
    file: PendingFile,
    outcome: Result<ImportOutcome, String>,
    /// Another file of the same series comes first.
    waits: bool,
}

impl Previewed {
    /// Whether there is more to say of it than that it was read.
    fn is_told(&self) -> bool {
        self.outcome.as_ref().is_ok_and(|outcome| {
            n_changes(outcome) > 0 || !outcome.complete || !outcome.problems.is_empty()
        })
    }
}

fn n_changes(outcome: &ImportOutcome) -> i64 {
    let changes = &outcome.changes;
    changes.new + changes.moved + changes.reopened + changes.fixed
}

#[component]
pub(super) fn PreviewPage() -> impl IntoView {
    page(async move {
        let preview = parameter("preview");
        let session = use_context::<Parts>()
            .and_then(|parts| parts.extensions.get::<Session>().cloned())
            .ok_or_else(|| PageError::Unavailable("the session layer is missing".into()))?;
        let services = services();
        let open = OpenReview::of_address().await?;
        let pending = PendingScans::find(
            &session,
            &services,
            &open.person,
            open.id.as_str(),
            &preview,
        )
        .await?
        .ok_or(PageError::NotFound("This preview"))?;
        // What would be compared now is still being written.
        let imports = services
            .imports_of_upload(&open.person, &pending.id)
            .await?;
        if let Some(running) = imports.iter().find(|imports| !imports.is_over) {
            let address = paths::scans_running(open.id.as_str(), &running.id);
            return Err(PageError::Elsewhere(address));
        }
        let may_import = open.access.may(Action::ImportScans);
        let mut all = Vec::new();
        let mut series = BTreeSet::new();
        for file in &pending.files {
            let request = pending
                .request(file)
                .ok_or(PageError::NotFound("This preview"))?;
            let outcome = match services
                .import_scan(&open.person, &open.service, request, true)
                .await
            {
                Ok(outcome) => Ok(outcome),
                Err(ServiceError::Rejected { message, .. }) => Err(message),
                Err(error) => return Err(error.into()),
            };
            // Two files of one series are compared one after the other: the second with what the first leaves.
            let waits = outcome.as_ref().is_ok_and(|outcome| {
                !outcome.repeated && !series.insert((outcome.tool.clone(), outcome.series.clone()))
            });
            all.push(Previewed {
                file: file.clone(),
                outcome,
                waits,
            });
        }
        let bar = review_bar(&open.person, &open.standing, Tab::Scans).await?;
        let review = open.id.as_str().to_owned();
        let n_ready = all
            .iter()
            .filter(|one| !one.waits && one.outcome.as_ref().is_ok_and(|outcome| !outcome.repeated))
            .count();
        let n_found: i64 = all
            .iter()
            .filter(|one| !one.waits)
            .filter_map(|one| one.outcome.as_ref().ok())
            .filter(|outcome| !outcome.repeated)
            .map(|outcome| n_results(&outcome.counts))
            .sum();
        let n_incomplete = all
            .iter()
            .filter(|one| !one.waits)
            .filter_map(|one| one.outcome.as_ref().ok())
            .filter(|outcome| !outcome.repeated && !outcome.complete)
            .count();
        let is_waiting = all.iter().any(|one| one.waits);
        let title = format!("Preview of scans: {}", review_name(&open.standing));
        let meta = view! {
            <span>"Preview, nothing is saved yet"</span>
            <span>{format!("Uploaded {}", near(pending.at, open.visit.now))}</span>
        }
        .into_any();
        let rows = all.iter().map(file_row).collect_view();
        let refused = pending.refused.iter().map(refused_row).collect_view();
        let n_files = all.len() + pending.refused.len();
        let columns = vec![
            Column::new("Import"),
            Column::new("File"),
            Column::new("Format found"),
            Column::new("Tool"),
            Column::new("Series"),
            Column::new("Commit"),
            Column::new("Results").figures(),
            Column::new("State"),
        ];
        let details = all
            .iter()
            .filter(|one| !one.waits)
            // Among several files, those that change nothing say so in their line.
            .filter(|one| all.len() == 1 || one.is_told())
            .map(|one| change_panel(one, &review))
            .collect_view();
        let why_not = if !may_import {
            Some("Only a contributor, reviewer or manager of this service can import scans.")
        } else if n_ready == 0 {
            Some("There is nothing to import: nothing here would change.")
        } else {
            None
        };
        let words = import_words(n_ready, n_found, n_incomplete);
        let button = match why_not {
            Some(_) => {
                view! { <Button words weight=Weight::Primary impossible="import-why" /> }.into_any()
            }
            None => view! { <Button words weight=Weight::Primary /> }.into_any(),
        };
        Ok(view! {
            <Frame title crumbs=review_crumbs(&open.standing) review=bar>
                <PageHead title="Import scans" meta />
                <form class="stack" method="post" action=action("scans/import")>
                    <input type="hidden" name="review" value=review.clone() />
                    <input type="hidden" name="preview" value=preview />
                    <section class="panel" aria-labelledby="h-files">
                        <div class="panel-head"><h2 id="h-files">"Files " <span class="count">{n_files}</span></h2></div>
                        <Table caption="Files of this import" columns>{rows}{refused}</Table>
                    </section>
                    {details}
                    <p class="small muted">
                        "Findings of other series stay as they are, and what people decided stays decided. New findings that no mapping rule fits belong to no item until somebody maps them."
                        {is_waiting.then_some(" A file that waits for another of its series is previewed again after that one is imported.")}
                    </p>
                    {why_not.map(|why| view! { <p class="small" id="import-why">{why}</p> })}
                    <div class="btn-row">
                        {button}
                        <Button words="Discard" action=action("scans/discard") />
                    </div>
                </form>
            </Frame>
        }
        .into_any())
    })
}

/// What the button imports. A scan without a result is named for what it is: clean, or incomplete.
fn import_words(n_ready: usize, n_found: i64, n_incomplete: usize) -> String {
    match (n_ready, n_found, n_incomplete) {
        (0, ..) => "Import".to_owned(),
        (1, 0, 0) => "Import the clean scan".to_owned(),
        (n, 0, 0) => format!("Import {n} clean scans"),
        (1, 0, _) => "Import the incomplete scan".to_owned(),
        (n, 0, _) => format!("Import {n} scans without results"),
        (_, 1, _) => "Import 1 result".to_owned(),
        (_, n, _) => format!("Import {} results", thousands(n)),
    }
}

/// What a scan without a result says, and what it is good for.
fn nothing_found(outcome: &ImportOutcome) -> Option<AnyView> {
    if n_results(&outcome.counts) > 0 || !outcome.complete {
        return None;
    }
    let fixes = match outcome.changes.fixed {
        0 => "No finding of its series was open, so it changes none.".to_owned(),
        1 => "It fixes the one finding of its series that was open.".to_owned(),
        n => format!(
            "It fixes the {} findings of its series that were open.",
            thousands(n)
        ),
    };
    Some(
        view! {
            <div class="panel-body">
                <div class="notice" data-tone=Tone::Green.as_str()>
                    <Ico icon=Icon::Pass />
                    <p>
                        <b>"A clean scan."</b>
                        " It looked at everything it was asked to and found nothing. "
                        {fixes}
                        " For its commit it counts as a scan that the policy asks for."
                    </p>
                </div>
            </div>
        }
        .into_any(),
    )
}

fn state(icon: Icon, tone: Tone, words: String) -> AnyView {
    view! {
        <span class="st" data-tone=tone.as_str()>
            <Ico icon />
            {words}
        </span>
    }
    .into_any()
}

fn file_row(one: &Previewed) -> AnyView {
    let Previewed {
        file,
        outcome,
        waits,
    } = one;
    let size = size(file.size_bytes);
    let name = file.name.clone();
    let digest = file.sha256.clone();
    let head = view! {
        <th role="rowheader" scope="row" class="full">
            <span class="strong wrap-any">{name.clone()}</span>
            <span class="sub">{size} ", sha256 " <Sha digest /></span>
        </th>
    };
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(message) => return refused_row(&(name, message.clone())),
    };
    let is_ready = !outcome.repeated && !waits;
    let value = format!("{}:{}", file.sha256, outcome.ground);
    let words = format!("Import {name}");
    let n = n_results(&outcome.counts);
    let state = if outcome.repeated {
        state(
            Icon::Copy,
            Tone::Neutral,
            "Imported before: nothing would change".to_owned(),
        )
    } else if *waits {
        state(
            Icon::Waived,
            Tone::Neutral,
            "Waits for the file before it".to_owned(),
        )
    } else if !outcome.complete {
        state(Icon::Warn, Tone::Amber, "Read: incomplete".to_owned())
    } else if n == 0 {
        state(
            Icon::Pass,
            Tone::Green,
            "Read: complete and clean".to_owned(),
        )
    } else if n_changes(outcome) == 0 {
        state(Icon::Pass, Tone::Green, "Read: changes nothing".to_owned())
    } else {
        state(Icon::Pass, Tone::Green, "Read".to_owned())
    };
    let tool = match &outcome.tool_version {
        Some(version) => format!("{} {version}", outcome.tool),
        None => outcome.tool.clone(),
    };
    let commit: String = outcome
        .commit
        .as_deref()
        .unwrap_or("not said")
        .chars()
        .take(8)
        .collect();
    view! {
        <tr role="row">
            <td role="cell" class="fit tickcell">
                <label class="tick">
                    <input type="checkbox" name="files[]" value=value checked=is_ready disabled=!is_ready />
                    <span class="vh">{words}</span>
                </label>
            </td>
            {head}
            <td role="cell" data-l="Format">{format_title(&outcome.format)}</td>
            <td role="cell" data-l="Tool" class="wrap-any">{tool}</td>
            <td role="cell" data-l="Series" class="wrap-any">{outcome.series.clone()}</td>
            <td role="cell" data-l="Commit" class="mono">{commit}</td>
            <td role="cell" data-l="Results" class="n">{thousands(n)}</td>
            <td role="cell" data-l="">{state}</td>
        </tr>
    }
    .into_any()
}

fn refused_row((name, why): &(String, String)) -> AnyView {
    view! {
        <tr role="row">
            <td role="cell" class="fit hide-stack"></td>
            <th role="rowheader" scope="row" colspan="6" class="full">
                <span class="strong wrap-any">{name.clone()}</span>
                <span class="sub wrap-any">{why.clone()}</span>
            </th>
            <td role="cell" data-l="">{state(Icon::Fail, Tone::Red, "Refused, left out".to_owned())}</td>
        </tr>
    }
    .into_any()
}

fn change_panel(one: &Previewed, review: &str) -> Option<AnyView> {
    let outcome = one.outcome.as_ref().ok()?;
    if outcome.repeated {
        return None;
    }
    let id = format!("h-{}", &one.file.sha256[..8]);
    let incomplete = outcome
        .incomplete_because
        .clone()
        .map(|because| view! { <div class="panel-body"><IncompleteNote because /></div> });
    let warnings = (!outcome.warnings.is_empty()).then(|| {
        let warnings = outcome.warnings.join(" ");
        view! {
            <div class="panel-body">
                <div class="notice" data-tone=Tone::Amber.as_str()>
                    <Ico icon=Icon::Warn />
                    <p>
                        <b>"Perhaps this is a scan of something else."</b> " "
                        <span class="wrap-any">{warnings}</span>
                        " Import it only if it belongs to this series; else give it a label of its own."
                    </p>
                </div>
            </div>
        }
    });
    let n_problems = outcome.problems.len();
    let problems = (n_problems > 0).then(|| {
        let rows = outcome
            .problems
            .iter()
            .take(50)
            .map(|problem| {
                view! {
                    <li>
                        <span class="grow"><code class="wrap-any">{problem.where_.clone()}</code> " " {problem.message.clone()}</span>
                    </li>
                }
            })
            .collect_view();
        let summary = counted(n_problems, "odd thing in the file", "odd things in the file");
        view! { <div class="panel-body"><Disclosure summary><ul class="rows">{rows}</ul></Disclosure></div> }
    });
    let changes = outcome.changes;
    let (unchanged, changed): (Vec<_>, Vec<_>) = outcome
        .listed
        .iter()
        .cloned()
        .partition(|listed| listed.change == "unchanged");
    let is_short = changed.len() <= 20;
    let listed = [
        (changed, n_changes(outcome), ["change", "changes"], is_short),
        // What stays as it is, is there for whoever asks why.
        (
            unchanged,
            changes.unchanged,
            ["unchanged finding", "unchanged findings"],
            false,
        ),
    ]
    .map(|(listed, n, words, is_open)| {
        (!listed.is_empty()).then(|| {
            let summary = see(listed.len(), n, words);
            // Several files have tables each.
            let caption = format!("{} by {}", capitalised(words[1]), one.file.name);
            let table = change_table(caption, listed, review);
            view! {
                <details class="disc disc-top" open=is_open>
                    <summary class="small">
                        <Ico icon=Icon::Right class="chev" />
                        {summary}
                    </summary>
                    {table}
                </details>
            }
        })
    });
    let new = match by_severity(&outcome.new) {
        none if none.is_empty() => "not seen before".to_owned(),
        severities => severities,
    };
    let head = if one
        .outcome
        .as_ref()
        .is_ok_and(|outcome| outcome.series == outcome.tool)
    {
        format!("What {} would change", outcome.tool)
    } else {
        format!("What {}, {} would change", outcome.tool, outcome.series)
    };
    Some(
        view! {
            <section class="panel" aria-labelledby=id.clone()>
                <div class="panel-head">
                    <h2 id=id.clone()>{head}</h2>
                    <p class="push muted">"Against the last scan of its series"</p>
                </div>
                {incomplete}
                {warnings}
                {nothing_found(outcome)}
                <div class="deltas">{figures(changes, &new, outcome.complete)}</div>
                {mapped_to(outcome, review)}
                {listed}
                {problems}
            </section>
        }
        .into_any(),
    )
}

/// "See all 12 changes"; `words` are those for one and for several.
fn see(n_listed: usize, n: i64, [one, several]: [&str; 2]) -> String {
    match n_listed {
        _ if i64::try_from(n_listed).unwrap_or(i64::MAX) < n => {
            format!("See {n_listed} of {} {several}", thousands(n))
        }
        1 => format!("See the {one}"),
        _ => format!("See all {n_listed} {several}"),
    }
}

/// How the mapping rules bring findings that have no item to the review's items, and what a clean scan shows.
fn mapped_to(outcome: &ImportOutcome, review: &str) -> Option<AnyView> {
    let of = outcome.mapping.iter().find(|of| of.review == review)?;
    let mut parts: Vec<AnyView> = of
        .items
        .iter()
        .map(|mapped| {
            let words = format!("{} {}", mapped.item.key, mapped.item.title);
            view! {
                <li>
                    <span class="grow"><a href=paths::item(&mapped.item.item)>{words}</a></span>
                    <span class="num">{thousands(mapped.n)}</span>
                </li>
            }
            .into_any()
        })
        .collect();
    if of.n_unmapped > 0 {
        let rules = paths::mapping(review);
        parts.push(
            view! {
                <li>
                    <span class="grow muted">"No rule fits: " <a href=rules>"mapping rules"</a></span>
                    <span class="num">{thousands(of.n_unmapped)}</span>
                </li>
            }
            .into_any(),
        );
    }
    for item in &of.evidence {
        let words = format!("{} {}", item.key, item.title);
        parts.push(
            view! {
                <li>
                    <span class="grow">"This clean scan becomes evidence of " <a href=paths::item(&item.item)>{words}</a></span>
                </li>
            }
            .into_any(),
        );
    }
    let head = if of.items.is_empty() && of.n_unmapped == 0 {
        "What the scan is evidence of"
    } else {
        "Where findings without an item will belong"
    };
    (!parts.is_empty()).then(|| {
        view! {
            <div class="panel-head"><h3>{head}</h3></div>
            <ul class="rows">{parts}</ul>
        }
        .into_any()
    })
}

#[cfg(test)]
mod tests {
    use super::{import_words, see};

    #[test]
    fn it_is_said_how_many_of_all_are_listed() {
        let words = ["change", "changes"];
        assert_eq!(see(1, 1, words), "See the change");
        assert_eq!(see(2, 2, words), "See all 2 changes");
        // One that is no longer seen is listed and not counted.
        assert_eq!(see(3, 2, words), "See all 3 changes");
        assert_eq!(see(200, 1_204, words), "See 200 of 1,204 changes");
    }

    #[test]
    fn a_scan_without_a_result_is_named_for_what_it_is() {
        for (ready, results, incomplete, expected) in [
            (0, 0, 0, "Import"),
            (1, 0, 0, "Import the clean scan"),
            (2, 0, 0, "Import 2 clean scans"),
            (1, 0, 1, "Import the incomplete scan"),
            (2, 0, 1, "Import 2 scans without results"),
            (1, 1, 1, "Import 1 result"),
            (3, 1_204, 0, "Import 1,204 results"),
        ] {
            assert_eq!(import_words(ready, results, incomplete), expected);
        }
    }
}
