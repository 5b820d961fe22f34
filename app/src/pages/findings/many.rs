//! Deciding about several findings: what the bulk bar did not say yet, or what was refused.

use holdpoint_domain::{FindingId, FindingStatus, person::Action};
use leptos::prelude::*;

use super::{
    Standing, StatusOf, item_options,
    triage::{request_words, where_it_blocks},
};
use crate::{
    actions::findings::MOST_AT_ONCE,
    pages::{
        page,
        review_bar::{OpenReview, review_bar, review_crumbs, review_name},
    },
    parts::{
        Button, ButtonLink, Choice, Choices, Column, Empty, Frame, Inline, PageHead, SelectField,
        St, Tab, Table, TextArea, TextField, controls::Weight, status::Tone, when::date_value,
    },
    paths::{self, action},
    visit::services,
};

#[component]
pub(super) fn TriageManyPage() -> impl IntoView {
    page(async move {
        let services = services();
        let open = OpenReview::of_address().await?;
        let bar = review_bar(&open.person, &open.standing, Tab::Findings).await?;
        let form = open.visit.form("findings/triage-many");
        let review = open.id.as_str().to_owned();
        let back = form.typed("back").unwrap_or_default().to_owned();
        let list = format!("{}?{back}", paths::findings(&review));
        let list = if paths::is_local(&list) {
            list
        } else {
            paths::findings(&review)
        };
        let now = open.visit.now;
        let is_all = form.typed("which") == Some("all");
        let n_all = form.typed("n").unwrap_or_default().to_owned();
        let mut findings = Vec::new();
        for chosen in form
            .typed("chosen")
            .unwrap_or_default()
            .split_whitespace()
            .take(MOST_AT_ONCE)
        {
            let Some((finding, version)) = chosen.split_once(':') else {
                continue;
            };
            let Some(finding) = FindingId::parse(finding) else {
                continue;
            };
            // Each is asked for by itself, so that one that is gone does not hide the others.
            if let Ok(view) = services.finding(&open.person, &finding).await {
                findings.push((version.to_owned(), view.finding));
            }
        }
        let title = format!("Decide about findings: {}", review_name(&open.standing));
        let n = findings.len();
        let is_any_asked = findings.iter().any(|(_, of)| of.asked.is_some());
        let rows = findings
            .into_iter()
            .map(|(version, finding)| {
                let of = Standing {
                    status: finding.status,
                    holds_until: finding.holds_until,
                    duplicate_of: finding.duplicate_of,
                    asked: finding.asked,
                    is_reopened: finding.reopened_at.is_some(),
                    has_patch: false,
                };
                let asked = finding.asked.map(|asked| {
                    let asker = finding.acceptance_requested_by_name.clone();
                    let asker = asker.unwrap_or_else(|| "Somebody".to_owned());
                    let what = format!("{asker} asks {}", request_words(&finding, asked));
                    let reason = finding.status_reason.clone();
                    view! { {what} <span class="sub wrap-any">{reason}</span> }
                });
                let value = format!("{}:{version}", finding.id);
                let words = format!("F-{}", finding.number);
                let address =
                    paths::with_query(&paths::finding(finding.id.as_str()), &[("review", &review)]);
                view! {
                    <tr role="row">
                        <td role="cell" class="fit tickcell">
                            <label class="tick">
                                <input type="checkbox" name="chosen[]" value=value checked=true />
                                <span class="vh">{format!("Select {words}")}</span>
                            </label>
                        </td>
                        <td role="cell" data-l="" class="fit"><St of=finding.severity /></td>
                        <td role="cell" class="full clip">
                            <span>
                                <span class="faint num">{words}</span>
                                " "
                                <a class="ttl" href=address><Inline text=finding.title /></a>
                            </span>
                        </td>
                        <td role="cell" data-l="" class="fit"><StatusOf of now /></td>
                        {is_any_asked.then(|| view! { <td role="cell" class="full">{asked}</td> })}
                    </tr>
                }
                .into_any()
            })
            .collect_view();
        let may = open.access.may(Action::Contribute);
        let body = if (n == 0 && !is_all) || !may {
            let text = if may {
                "Tick findings in the list, then choose what to do with them."
            } else {
                "Only a contributor, reviewer or manager of this service can decide about findings."
            };
            view! {
                <section class="panel" aria-label="Findings">
                    <Empty title="No finding is ticked" text>
                        <ButtonLink words="Back to the list" href=list weight=Weight::Primary />
                    </Empty>
                </section>
            }
            .into_any()
        } else {
            let mut columns = vec![
                Column::new("Select").hidden(),
                Column::new("Severity"),
                Column::new("Finding"),
                Column::new("Status"),
            ];
            if is_any_asked {
                columns.push(Column::new("Asked for, by whom and why"));
            }
            let apply = if is_all {
                format!("Apply to all {n_all}")
            } else {
                // Boxes can still be cleared, so it names no number.
                "Apply to what is ticked".to_owned()
            };
            let options = item_options(&open.standing, "Choose an item");
            let mut choices = vec![
                Choice::new("map", "Map to item").more(view! {
                    <SelectField form=form.clone() name="item" label="Item" options required=false />
                }),
                Choice::new("false_positive", view! { <St of=FindingStatus::FalsePositive /> })
                    .text(where_it_blocks!("The scanner is wrong.")),
                Choice::new("ask_acceptance", view! { <St of=FindingStatus::RiskAccepted more="until" /> })
                    .text("A manager approves, and not you: until then they stay open.")
                    .more(view! {
                        <TextField
                            form=form.clone()
                            name="until"
                            label="Accepted until"
                            kind="date"
                            value=date_value(now + 30 * 86_400_000)
                            with_choice=true
                        />
                    }),
                Choice::new("duplicate", view! { <St of=FindingStatus::Duplicate more="of" /> })
                    .text(where_it_blocks!("Another finding says the same."))
                    .more(view! {
                        <TextField form=form.clone() name="duplicate_of" label="Finding" placeholder="F-12" with_choice=true />
                    }),
                Choice::new("reopen", view! { <St of=FindingStatus::Open /> }).text("Open again."),
            ];
            if open.access.may(Action::Manage) {
                choices.push(
                    Choice::new("approve", "Approve what is asked for")
                        .text("Only what somebody else asks. It needs no reason."),
                );
                choices.push(
                    Choice::new("decline", "Decline what is asked for").text("They stay open."),
                );
            }
            view! {
                <form class="stack" method="post" action=action("findings/triage-many")>
                    <input type="hidden" name="review" value=review.clone() />
                    <input type="hidden" name="back" value=back />
                    {if is_all {
                        view! {
                            <input type="hidden" name="which" value="all" />
                            <input type="hidden" name="n" value=n_all.clone() />
                            <p class="notice" data-tone=Tone::Neutral.as_str()>
                                <span>
                                    {format!("All {n_all} findings that match the filter, also those on other pages. ")}
                                    <a href=list.clone()>"Look at the list"</a>
                                </span>
                            </p>
                        }
                        .into_any()
                    } else {
                        view! {
                            <div class="panel"><Table caption="Findings to decide about" class="dense stackable" columns>{rows}</Table></div>
                        }
                        .into_any()
                    }}
                    <section class="panel" aria-labelledby="h-do">
                        <div class="panel-head"><h2 id="h-do">"What to do with them"</h2></div>
                        <div class="panel-body fields">
                            <Choices form=form.clone() name="action" legend="Outcome" choices />
                            <TextArea
                                form
                                name="reason"
                                label="Reason"
                                rows=3
                                max_length=4000
                                with_choice=true
                                hint="The same for all of them. Mapping and duplicates need none."
                            />
                            <div class="btn-row">
                                <Button words=apply weight=Weight::Primary />
                                <ButtonLink words="Back to the list" href=list weight=Weight::Quiet />
                            </div>
                        </div>
                    </section>
                </form>
            }
            .into_any()
        };
        Ok(view! {
            <Frame title crumbs=review_crumbs(&open.standing) review=bar>
                <PageHead title="Decide about findings" />
                {body}
            </Frame>
        }
        .into_any())
    })
}
