//! What applying the rules would change, before it is done.

use holdpoint_domain::person::Action;
use leptos::prelude::*;

use super::item_link;
use crate::{
    pages::{
        findings::{n_findings, thousands},
        page,
        review_bar::{OpenReview, review_bar, review_crumbs, review_name},
    },
    parts::{
        Button, ButtonLink, Column, Crumb, Empty, Frame, PageHead, Tab, Table, controls::Weight,
    },
    paths::{self, action},
    visit::services,
};

#[component]
pub(super) fn PlanPage() -> impl IntoView {
    page(async move {
        let services = services();
        let open = OpenReview::of_address().await?;
        let may = open.access.may(Action::Contribute);
        let plan = services.mapping_plan(&open.person, &open.id).await?;
        let bar = review_bar(&open.person, &open.standing, Tab::Findings).await?;
        let review = open.id.as_str().to_owned();
        let mut crumbs = review_crumbs(&open.standing);
        crumbs.push(Crumb::to("Mapping", paths::mapping(&review)));
        let figure = |n: i64, sign: &str| {
            if n == 0 {
                view! { <span class="zero">"0"</span> }.into_any()
            } else {
                format!("{sign}{}", thousands(n)).into_any()
            }
        };
        let rows = plan
            .items
            .iter()
            .map(|planned| {
                view! {
                    <tr role="row">
                        <th role="rowheader" scope="row" class="full">{item_link(&planned.item)}</th>
                        <td role="cell" data-l="Linked" class="n">{figure(planned.n_link, "+")}</td>
                        <td role="cell" data-l="Unlinked" class="n">{figure(planned.n_unlink, "−")}</td>
                    </tr>
                }
                .into_any()
            })
            .collect_view();
        let evidence = plan
            .evidence
            .iter()
            .map(|planned| {
                let address =
                    paths::with_query(&paths::scan(&planned.scan), &[("review", &review)]);
                view! {
                    <li>
                        <span class="grow">
                            "The clean " <a href=address>{format!("{} scan", planned.tool)}</a>
                            " becomes evidence of " {item_link(&planned.item)}
                        </span>
                    </li>
                }
            })
            .collect_view();
        let n_evidence = plan.evidence.len();
        let by_hand = match plan.n_by_hand {
            0 => String::new(),
            1 => "1 finding stays as a person mapped it. ".to_owned(),
            n => format!("{} stay as people mapped them. ", n_findings(n)),
        };
        let rest = match plan.n_unmapped {
            0 => format!("{by_hand}Every other finding has a rule that fits."),
            n => format!("{by_hand}No rule fits {}.", n_findings(n)),
        };
        let body = if plan.is_empty() {
            view! {
                <section class="panel" aria-label="What would change">
                    <Empty
                        title="Nothing would change"
                        text="Every finding is where the rules bring it, or where a person left it."
                    >
                        <ButtonLink words="Back to the rules" href=paths::mapping(&review) weight=Weight::Primary />
                    </Empty>
                </section>
                <p class="small muted">{rest}</p>
            }
            .into_any()
        } else {
            let columns = vec![
                Column::new("Item"),
                Column::new("Linked").figures(),
                Column::new("Unlinked").figures(),
            ];
            let has_links = plan.n_link + plan.n_unlink > 0;
            let button = if may {
                view! { <Button words="Apply the rules now" weight=Weight::Primary /> }.into_any()
            } else {
                view! { <Button words="Apply the rules now" impossible="who-may" /> }.into_any()
            };
            view! {
                <form class="stack" method="post" action=action("mapping/apply")>
                    <input type="hidden" name="review" value=review.clone() />
                    <input type="hidden" name="plan" value=plan.digest.as_str().to_owned() />
                    {has_links
                        .then(|| {
                            view! {
                                <section class="panel" aria-labelledby="h-links">
                                    <div class="panel-head">
                                        <h2 id="h-links">"Findings"</h2>
                                        <p class="push muted">
                                            {format!(
                                                "{} linked, {} unlinked",
                                                thousands(plan.n_link),
                                                thousands(plan.n_unlink),
                                            )}
                                        </p>
                                    </div>
                                    <Table caption="What applying the rules changes, by item" columns>{rows}</Table>
                                </section>
                            }
                        })}
                    {(n_evidence > 0)
                        .then(|| {
                            view! {
                                <section class="panel" aria-labelledby="h-ev">
                                    <div class="panel-head"><h2 id="h-ev">"Evidence"</h2></div>
                                    <ul class="rows">{evidence}</ul>
                                </section>
                            }
                        })}
                    <p class="small muted">
                        {rest} " A signature on an item whose findings change becomes void."
                    </p>
                    {(!may)
                        .then(|| {
                            view! {
                                <p class="small" id="who-may">
                                    "Only a contributor, reviewer or manager of this service can apply rules."
                                </p>
                            }
                        })}
                    <div class="btn-row">
                        {button}
                        <ButtonLink words="Cancel" href=paths::mapping(&review) weight=Weight::Quiet />
                    </div>
                </form>
            }
            .into_any()
        };
        Ok(view! {
            <Frame title=format!("Apply mapping rules: {}", review_name(&open.standing)) crumbs review=bar>
                <PageHead
                    title="Apply the rules"
                    meta=view! { <span>"Nothing is changed yet"</span> }.into_any()
                />
                {body}
            </Frame>
        }
        .into_any())
    })
}
