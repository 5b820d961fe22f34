use holdpoint_service::{ActivityLine, ActivityOf};
use leptos::prelude::*;
use serde_json::{Map, Value};

use super::review_of;
use crate::{
    pages::{
        page, parameter, query,
        review_bar::{review_bar, review_crumbs},
    },
    parts::{
        Crumb, Empty, Frame, Ico, Icon, Inline, PageHead, Tab, When, figure::capitalised,
        panel::Disclosure, table::pages, when::date,
    },
    paths,
    visit::{Visit, services},
};

const PAGE: usize = 100;
/// A longer value is cut in the list; the log itself has all of it.
const MAX_SHOWN_CHARS: usize = 400;

/// What happened in a review, newest first.
#[component]
pub(super) fn ActivityPage() -> impl IntoView {
    let (id, before) = (parameter("id"), query("before"));
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let services = services();
        let id = review_of(&id)?;
        let standing = services.review_glance(&person, &id).await?;
        let bar = review_bar(&person, &standing, Tab::Activity).await?;
        let mut crumbs = review_crumbs(&standing);
        crumbs.push(Crumb::here("Activity"));
        let before: Option<i64> = before.parse().ok();
        let listed = services
            .activity_of(&person, &ActivityOf::Review(id.clone()), before, PAGE)
            .await?;
        let here = paths::activity(id.as_str());
        let n = listed.entries.len();
        let content = if n == 0 {
            view! { <Empty title="Nothing here" text="Every change of this review is written down here, with who made it and when." /> }
                .into_any()
        } else {
            let mut days: Vec<(String, Vec<ActivityLine>)> = Vec::new();
            for line in listed.entries {
                let day = date(line.at);
                match days.last_mut() {
                    Some((last, lines)) if *last == day => lines.push(line),
                    _ => days.push((day, vec![line])),
                }
            }
            let now = visit.now;
            days.into_iter()
                .map(|(day, lines)| {
                    let rows = lines.into_iter().map(|line| row(line, now)).collect_view();
                    view! {
                        <section class="stack-2">
                            <h2 class="label">{day}</h2>
                            <ol class="timeline">{rows}</ol>
                        </section>
                    }
                })
                .collect_view()
                .into_any()
        };
        let pager = (before.is_some() || listed.next.is_some()).then(|| {
            pages(
                format!("{n} entries on this page, newest first"),
                before.is_some().then(|| here.clone()),
                None,
                listed
                    .next
                    .map(|next| paths::with_query(&here, &[("before", &next.to_string())])),
            )
        });
        Ok(view! {
            <Frame title="Activity" crumbs review=bar>
                <PageHead
                    title="Activity"
                    meta=view! {
                        <span>"Append-only: every entry carries the digest of the one before. The command "</span>
                        <code>"holdpoint log verify"</code>
                        <span>" checks it."</span>
                    }.into_any()
                />
                <section class="panel" aria-label="Activity">
                    <div class="panel-body stack">{content}</div>
                    {pager}
                </section>
            </Frame>
        })
    })
}

fn row(line: ActivityLine, now: i64) -> impl IntoView {
    let href = match line.subject_kind.as_str() {
        "item" => Some(paths::item(&line.subject)),
        "finding" => Some(paths::finding(&line.subject)),
        "scan" => Some(paths::scan(&line.subject)),
        "patch" => Some(paths::patch(&line.subject)),
        _ => None,
    };
    let summary = match href {
        Some(href) => {
            view! { <a class="plain wrap-any" href=href><Inline text=line.summary /></a> }
                .into_any()
        }
        None => view! { <span class="wrap-any"><Inline text=line.summary /></span> }.into_any(),
    };
    let changed = changed(line.before.as_deref(), line.after.as_deref());
    let changed = (!changed.is_empty()).then(|| {
        let rows = changed
            .into_iter()
            .map(|(field, was, is)| {
                let was = was.map(|was| view! { <del class="wrap-any">{was}</del> " " });
                let is = is.map(|is| view! { <span class="wrap-any">{is}</span> });
                view! { <dt>{words_of(&field)}</dt> <dd>{was}{is}</dd> }
            })
            .collect_view();
        view! { <Disclosure summary="What changed"><dl class="dl">{rows}</dl></Disclosure> }
    });
    view! {
        <li id=format!("entry-{}", line.sequence)>
            <Ico icon=icon_of(&line.action) />
            <div class="stack-1">
                <p><b>{line.who}</b> " " {summary} " " <span class="tiny faint">{format!("#{}", line.sequence)}</span></p>
                <When at=line.at now />
                {changed}
            </div>
        </li>
    }
}

fn icon_of(action: &str) -> Icon {
    match action.split('.').next().unwrap_or_default() {
        "evidence" => Icon::Clip,
        "scan" => Icon::Upload,
        "finding" => Icon::Open,
        "patch" => Icon::Patch,
        "deliverable" => Icon::Box,
        "review" => Icon::Book,
        _ => match action {
            "item.review_requested" | "item.review_again" => Icon::Review,
            "item.signed" => Icon::Sign,
            "item.commented" => Icon::Comment,
            "item.started" => Icon::Progress,
            _ => Icon::Note,
        },
    }
}

/// A field of the log as people call it.
fn words_of(field: &str) -> String {
    match field {
        "heads" => "Heads of the log signed so far".to_owned(),
        "report_of" => "Report of the sign-off".to_owned(),
        "report_sha256" => "SHA-256 of report.md".to_owned(),
        field => capitalised(&field.replace(['_', '-'], " ").replace("sha256", "SHA-256")),
    }
}

/// Field by field: what it was, what it is.
fn changed(
    before: Option<&str>,
    after: Option<&str>,
) -> Vec<(String, Option<String>, Option<String>)> {
    let fields = |text: Option<&str>| -> Map<String, Value> {
        text.and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default()
    };
    let (before, mut after) = (fields(before), fields(after));
    let mut rows: Vec<_> = before
        .into_iter()
        .map(|(name, was)| {
            let is = after.remove(&name);
            (name, shown(&was), is.as_ref().and_then(shown))
        })
        .collect();
    rows.extend(after.into_iter().map(|(name, is)| (name, None, shown(&is))));
    rows.retain(|(_, was, is)| was.is_some() || is.is_some());
    rows
}

fn shown(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut cut: String = text.chars().take(MAX_SHOWN_CHARS).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    Some(cut).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::words_of;

    #[test]
    fn what_the_log_keeps_is_called_by_words() {
        for (field, words) in [
            ("report_of", "Report of the sign-off"),
            ("due_on", "Due on"),
            ("file_sha256", "File SHA-256"),
        ] {
            assert_eq!(words_of(field), words);
        }
    }
}
