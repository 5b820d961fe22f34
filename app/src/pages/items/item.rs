//! The item page: requirement, evidence, findings, patches, discussion; who works on it; the decision.

use holdpoint_domain::{CommentId, FindingStatus, Millis, Policy, person::Action};
use holdpoint_service::{
    ActivityLine, ActivityOf, CommentOn, FindingFilter, FindingLine, FindingSort, ItemPage as Page,
    MAX_PAGE, Named,
    standing::{ItemStanding, ReviewStanding},
};
use leptos::prelude::*;

use super::{
    decide::SignBox,
    end_of,
    evidence::EvidenceSection,
    flow::Flow,
    history::{Activity, SignOffs},
    item_of_address,
};
use crate::{
    pages::{
        discussion::{CommentedOn, Discussion},
        page,
        patches::LinkedPatches,
        query,
        review_bar::{review_bar, review_crumbs, review_name},
    },
    parts::{
        Avatar, Button, Column, Frame, Gate, Ico, Icon, Inline, Late, Nobody, Pill, Prose, St, Tab,
        Table,
        controls::{ButtonLink, Weight},
        status::{Flag, FlagMark},
        when::{date, moment},
    },
    paths::{self, action},
    visit::{Visit, services},
};

/// How much of the activity stands on the page.
const N_ACTIVITY: usize = 20;

#[component]
pub(super) fn ItemPage() -> impl IntoView {
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let id = item_of_address()?;
        let services = services();
        let page = services.item(&person, &id).await?;
        let (review, standing) = services.item_standing(&person, &id).await?;
        let access = services.access(&person, &page.head.service.id).await?;
        let evidence = services.evidence_of(&person, &id).await?;
        let is_evidence_cut = evidence.len() == MAX_PAGE
            && services
                .evidence_page(&person, &id, None, MAX_PAGE)
                .await?
                .next
                .is_some();
        let before = CommentId::parse(&query("before"));
        let comments = services
            .comments(&person, &CommentOn::Item(id.clone()), before.as_ref())
            .await?;
        let activity = services
            .activity_of(&person, &ActivityOf::Item(id.clone()), None, N_ACTIVITY)
            .await?;
        let of_item = FindingFilter {
            item: Some(id.clone()),
            ..FindingFilter::default()
        };
        let findings = services
            .findings_of_review(
                &person,
                &page.item.review,
                &of_item,
                FindingSort::Severity,
                200,
                None,
            )
            .await?
            .lines;
        let patches = services.patches_of_item(&person, &id).await?;
        let sign = services
            .sign_form(&person, &access, &review, &standing)
            .await?;
        let bar = review_bar(&person, &review, Tab::Checklist).await?;
        let now = visit.now;
        let may_contribute = access.may(Action::Contribute);
        let role = access.role.map_or(
            "nobody: you have no role on this service".to_owned(),
            |role| role.label().to_lowercase(),
        );
        let neighbours = [&page.previous, &page.next].map(|key| {
            let key = key.as_ref()?;
            let item = review.items.iter().find(|item| item.item.key == *key)?;
            Some((key.clone(), paths::item(&item.item.id)))
        });
        let title = format!(
            "{} {}: {}",
            page.item.key,
            page.item.title,
            review_name(&review)
        );
        let started_at = started_at(&activity.entries);
        let item = page.item.id.as_str().to_owned();
        let review_id = page.item.review.as_str().to_owned();
        Ok(view! {
            <Frame title crumbs=review_crumbs(&review) review=bar>
                <Head page=page.clone() standing=standing.clone() neighbours now />
                <Flow
                    page=page.clone()
                    standing=standing.clone()
                    form=sign.clone()
                    started_at
                    evidence_required=review.policy.evidence_required
                    now
                />
                <div class="with-rail">
                    <div>
                        <Requirement page=page.clone() />
                        <EvidenceSection
                            item=item.clone()
                            all=evidence
                            is_cut=is_evidence_cut
                            target=page.head.review.commit.clone()
                            may_contribute
                            form=visit.form("evidence/withdraw")
                            shown=query("piece")
                            now
                        />
                        <Findings review=review_id.clone() item=item.clone() lines=findings policy=review.policy.clone() now />
                        <LinkedPatches review=review_id.clone() patches item=item.clone() may_contribute now />
                        <Discussion
                            on=CommentedOn::Item(item.clone())
                            comments
                            is_newest=before.is_none()
                            me=person.name.clone()
                            may_contribute
                            form=visit.form("items/comment")
                            now
                        />
                    </div>
                    <aside class="rail" aria-label="Decision and details">
                        <Details page=page.clone() review=review.clone() me=person.id.as_str().to_owned() />
                        <SignBox
                            page=page.clone()
                            standing=standing.clone()
                            sign
                            form=visit.form("items/sign")
                            role
                            email=person.email.clone()
                            asked=query("decision")
                        />
                        <SignOffs sign_offs=standing.sign_offs.clone() now />
                        <Activity review=review_id lines=activity.entries has_more=activity.next.is_some() now />
                    </aside>
                </div>
                <nav class="jumpbar no-print" aria-label="On this page">
                    <a class="btn" href="#h-ev">"Evidence"</a>
                    <a class="btn btn-primary" href="#sign">"Decide and sign"</a>
                </nav>
            </Frame>
        }
        .into_any())
    })
}

/// When work on the item began last.
fn started_at(lines: &[ActivityLine]) -> Option<Millis> {
    lines
        .iter()
        .find(|line| matches!(line.action.as_str(), "item.started" | "item.reopened"))
        .map(|line| line.at)
}

#[component]
fn Head(
    page: Page,
    standing: ItemStanding,
    /// Key and address of the items before and after this one.
    neighbours: [Option<(String, String)>; 2],
    now: Millis,
) -> impl IntoView {
    let item = &page.item;
    let section = page.section.as_ref().map(|section| {
        let name = match &section.number {
            Some(number) => format!("{number} {}", section.title),
            None => section.title.clone(),
        };
        let address = format!(
            "{}#s-{}",
            paths::checklist(item.review.as_str()),
            section.id
        );
        view! { <p class="small"><a class="muted" href=address>{name}</a></p> }
    });
    let parent = page.parent.clone().map(|(key, title)| {
        view! { <p class="small muted">"Part of " {key} " " <Inline text=title /></p> }
    });
    let until = item
        .waived_until
        .filter(|_| page.state == holdpoint_domain::ItemState::Waived)
        .map(|until| format!("until {}", date(until)));
    let void = standing
        .is_void()
        .then(|| view! { <FlagMark flag=Flag::Void(standing.facts.void_because.join(", ")) /> });
    let due = item.due_on.as_deref().and_then(end_of).map(|due| {
        if page.is_late {
            view! { <Late due now /> }.into_any()
        } else {
            view! { <span><Ico icon=Icon::Calendar /><span>"Due " {date(due)}</span></span> }
                .into_any()
        }
    });
    let round = (item.round > 1)
        .then(|| view! { <span class="t">{format!("Round {}", item.round)}</span> });
    let [previous, next] = neighbours;
    let previous = previous.map(|(key, address)| {
        view! {
            <a class="btn btn-sm" href=address rel="prev">
                <Ico icon=Icon::Left />
                <span class="vh">"Previous item "</span>
                {key}
            </a>
        }
    });
    let next = next.map(|(key, address)| {
        view! {
            <a class="btn btn-sm" href=address rel="next">
                <span class="vh">"Next item "</span>
                {key}
                <Ico icon=Icon::Right />
            </a>
        }
    });
    view! {
        <div class="page-head">
            <div>
                {section}
                <h1><span class="faint light">{item.key.clone()}</span> " " <Inline text=item.title.clone() /></h1>
                {parent}
                <p class="meta"><Pill of=page.state more=until.unwrap_or_default() />{void}<Gate gating=item.gating />{due}{round}</p>
            </div>
            <nav class="actions" aria-label="Items">
                {previous}
                {next}
            </nav>
        </div>
    }
    .into_any()
}

#[component]
fn Requirement(page: Page) -> impl IntoView {
    let place = if page.item.source_line > 0 {
        format!(
            "{}, line {}",
            page.head.template_version.file_name, page.item.source_line
        )
    } else {
        "Added by hand, not in the document".to_owned()
    };
    // An item that is all title says its requirement there.
    let text = if page.item.body.trim().is_empty() {
        page.item.title.clone()
    } else {
        page.item.body.clone()
    };
    let hint = page
        .item
        .scan_hint
        .clone()
        .map(|tool| view! { <p class="small muted">"The document asks for a scan by " <code>{tool}</code> "."</p> });
    view! {
        <section class="section" aria-labelledby="h-req">
            <div class="section-head">
                <h2 id="h-req">"Requirement"</h2>
                <p class="push tiny muted">{place}</p>
            </div>
            <div class="panel">
                <div class="panel-body stack-2"><Prose text />{hint}</div>
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn Findings(
    review: String,
    item: String,
    lines: Vec<FindingLine>,
    policy: Policy,
    now: Millis,
) -> impl IntoView {
    let n_open = lines
        .iter()
        .filter(|line| line.status_at(now) == FindingStatus::Open)
        .count();
    let write = paths::with_query(&paths::new_finding(&review), &[("item", &item)]);
    let body = if lines.is_empty() {
        view! {
            <p class="small muted">
                "No finding is linked to this item. Write one, or link one from its own page in "
                <a href=paths::findings(&review)>"Findings"</a> "."
            </p>
        }
        .into_any()
    } else {
        let rows = lines
            .into_iter()
            .map(|line| finding_row(line, &policy, now))
            .collect_view();
        let columns = ["Severity", "Finding", "Place", "Status"].map(Column::new);
        let columns = columns
            .into_iter()
            .chain([Column::new("Limit").figures()])
            .collect();
        view! {
            <div class="panel">
                <Table caption="Findings linked to this item" columns class="stackable dense">{rows}</Table>
            </div>
        }
        .into_any()
    };
    view! {
        <section class="section" aria-labelledby="h-f">
            <div class="section-head">
                <h2 id="h-f">"Findings " <span class="count">{format!("{n_open} open")}</span></h2>
                <div class="push"><ButtonLink words="Write a finding" href=write small=true icon=Icon::Plus /></div>
            </div>
            {body}
        </section>
    }
    .into_any()
}

fn finding_row(line: FindingLine, policy: &Policy, now: Millis) -> AnyView {
    let place = match (&line.path, line.start_line, &line.component) {
        (Some(path), Some(start), _) => format!("{path}:{start}"),
        (Some(path), None, _) => path.clone(),
        (None, _, Some(component)) => component.clone(),
        _ => String::new(),
    };
    let status = line.status_at(now);
    let is_open = status == FindingStatus::Open;
    let limit = policy
        .due(line.severity, line.first_seen_at)
        .filter(|_| is_open);
    let limit = match limit {
        Some(due) => view! { <Late due now /> }.into_any(),
        None => view! { <span class="muted">"none"</span> }.into_any(),
    };
    let until = line
        .accepted_until
        .filter(|_| !is_open)
        .map(|until| format!("until {}", date(until)));
    view! {
        <tr role="row">
            <td role="cell" data-l="" class="fit"><St of=line.severity /></td>
            <td role="cell" class="full clip">
                <span>
                    <span class="faint num">{format!("F-{}", line.number)}</span>
                    " "
                    <a class="ttl" href=paths::finding(line.id.as_str())><Inline text=line.title /></a>
                </span>
            </td>
            <td role="cell" data-l="" class="fit mono muted wrap-any">{place}</td>
            <td role="cell" data-l="" class="fit"><St of=status more=until.unwrap_or_default() /></td>
            <td role="cell" data-l="Limit" class="fit n">{limit}</td>
        </tr>
    }
    .into_any()
}

#[component]
fn Details(page: Page, review: ReviewStanding, me: String) -> impl IntoView {
    let item = &page.item;
    let named = |named: &Named| {
        let you = (named.id.as_str() == me).then_some(" (you)");
        view! { <span class="who"><Avatar name=named.name.clone() />{named.name.clone()}{you}</span> }
    };
    let owner = match &page.owner {
        Some(owner) => named(owner).into_any(),
        None => view! { <Nobody /> }.into_any(),
    };
    let reviewers = if page.reviewers.is_empty() {
        view! { <dd class="muted">"Any reviewer of the service"</dd> }.into_any()
    } else {
        page.reviewers
            .iter()
            .map(|reviewer| view! { <dd>{named(reviewer)}</dd> })
            .collect_view()
            .into_any()
    };
    let n_reviewers = page.reviewers.len();
    let due = match item.due_on.as_deref().and_then(end_of) {
        Some(due) => view! { <time datetime=item.due_on.clone()>{moment(due)}</time> }.into_any(),
        None => match review.review.due_on.as_deref().and_then(end_of) {
            Some(due) => view! { <span>"With the review, " {date(due)}</span> }.into_any(),
            None => view! { <span class="muted">"No date"</span> }.into_any(),
        },
    };
    let quorum = quorum_words(&page, &review);
    let take = page.may_take.then(|| {
        view! {
            <form method="post" action=action("items/take")>
                <input type="hidden" name="item" value=item.id.as_str().to_owned() />
                <Button words="Take it" small=true />
            </form>
        }
    });
    let edit = if page.may_manage || page.may_set_reviewers {
        view! { <ButtonLink words="Change" href=paths::edit_item(item.id.as_str()) small=true weight=Weight::Quiet /> }.into_any()
    } else {
        view! { <span class="tiny muted">"A manager changes these; the owner chooses reviewers."</span> }.into_any()
    };
    view! {
        <section class="panel first" aria-labelledby="h-det">
            <h2 class="vh" id="h-det">"Details"</h2>
            <div class="panel-body stack-2">
                <dl class="dl">
                    <dt>"Owner"</dt>
                    <dd>{owner}</dd>
                    <dt>{if n_reviewers > 1 { "Reviewers" } else { "Reviewer" }}</dt>
                    {reviewers}
                    <dt>"Gate"</dt>
                    <dd><Gate gating=item.gating /></dd>
                    <dt>"Due"</dt>
                    <dd>{due}</dd>
                    <dt>"Signatures"</dt>
                    <dd>{quorum}</dd>
                </dl>
                <div class="row">{take}{edit}</div>
            </div>
        </section>
    }
    .into_any()
}

fn quorum_words(page: &Page, review: &ReviewStanding) -> String {
    let n = page
        .item
        .quorum
        .unwrap_or_else(|| i64::from(review.policy.quorum.max(1)));
    let eyes = if review.policy.four_eyes {
        ""
    } else {
        ", four eyes not asked for"
    };
    format!("{n} for a pass{eyes}")
}
