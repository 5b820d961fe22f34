use std::sync::Arc;

use holdpoint_domain::{
    FindingStatus, Gating, ItemState, Millis, ReviewId, Severity,
    verdict::{ReasonKind, is_open},
};
use holdpoint_service::{
    FindingFilter, Section, SeverityCounts, StandingFinding,
    standing::{ItemStanding, ReviewStanding},
};
use leptos::prelude::*;

use super::{
    people::{WhoHasWhat, is_late},
    trend::Trend,
    verdict::VerdictBox,
};
use crate::{
    pages::{
        PageError,
        items::end_of,
        page, parameter,
        review_bar::{review_bar, review_crumbs, review_name},
        sign_off::{
            page::look_of,
            signers::{Signer, signers},
        },
    },
    parts::{
        Avatar, Column, Frame, HoldCell, HoldLine, HoldSection, Ico, Icon, Inline, Late, PageHead,
        Panel, Sha, Shown as _, St, Tab, Table,
        controls::{ButtonLink, Weight},
        figure::{counted, thousands},
        hold_line::HoldSignature,
        status::{FlagMark, Tone},
        when::{ahead, date, late, near},
    },
    paths,
    visit::{Visit, services},
};

const DAY: Millis = 86_400_000;
/// What runs out within these days is said beforehand.
const SOON: Millis = 14 * DAY;
/// How many that are late or run out soon are listed.
const N_PRESSING: usize = 12;

#[component]
pub(super) fn ReadinessPage() -> impl IntoView {
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let id = ReviewId::parse(&parameter("id")).ok_or(PageError::NotFound("This review"))?;
        let services = services();
        let head = services.review(&person, &id).await?;
        let standing = Arc::new(services.review_standing(&person, &id).await?);
        let sections = services.sections(&person, &id).await?;
        let members = services.members(&person, &head.service.id).await?;
        let open = FindingFilter {
            statuses: vec![FindingStatus::Open],
            ..FindingFilter::default()
        };
        let open = services.finding_facets(&person, &id, &open).await?;
        let scans = services
            .scans_of(&person, &head.service.id, None, 200)
            .await?;
        let signers = signers(&standing, &members);
        let bar = review_bar(&person, &standing, Tab::Readiness).await?;
        let now = visit.now;
        let name = review_name(&standing);
        let commit = standing.review.commit_id.clone().map(|commit| {
            view! { <span><Ico icon=Icon::Commit /><span>"Target commit " <Sha digest=commit kind="Commit" shown=7 /></span></span> }
        });
        let meta = view! {
            <span>{standing.review.title.clone()}</span>
            {commit}
            <span>{format!("{}, version {}", head.template.name, head.template_version.number)}</span>
        }
        .into_any();
        let actions = view! {
            <ButtonLink words="Report" href=paths::report(id.as_str()) icon=Icon::Print />
            <ButtonLink words="Sign or decide" href=paths::sign_off(id.as_str()) weight=Weight::Primary icon=Icon::Sign />
        }
        .into_any();
        let me = person.id.as_str().to_owned();
        Ok(view! {
            <Frame title=format!("Readiness: {name}") crumbs=review_crumbs(&standing) review=bar>
                <PageHead title=name.clone() meta=meta actions=actions />
                <div class="stack">
                    <VerdictBox standing=standing.clone() now />
                    <Progress standing=standing.clone() sections signers=signers.clone() now />
                    <div class="grid">
                        <div class="span-8 stack">
                            <Blocks standing=standing.clone() me=person.name.clone() now />
                            <Signatures standing=standing.clone() signers me now />
                            <Trend standing=standing.clone() scans now />
                        </div>
                        <div class="span-4 stack">
                            <OpenFindings review=id.as_str().to_owned() counts=open.severities standing=standing.clone() />
                            <LateList standing=standing.clone() now />
                            <WhoHasWhat standing=standing.clone() now />
                        </div>
                    </div>
                </div>
            </Frame>
        }
        .into_any())
    })
}

#[component]
fn Progress(
    standing: Arc<ReviewStanding>,
    sections: Vec<Section>,
    signers: Vec<Signer>,
    now: Millis,
) -> impl IntoView {
    let progress = standing.progress();
    let review = standing.review.id.clone();
    let mut line = Vec::new();
    let of_none = standing
        .items
        .iter()
        .filter(|item| item.item.section_id.is_none())
        .collect();
    if let Some(section) = hold_section("Items".to_owned(), paths::checklist(&review), of_none, now)
    {
        line.push(section);
    }
    for section in sections {
        let items = standing
            .items
            .iter()
            .filter(|item| item.item.section_id.as_deref() == Some(section.id.as_str()))
            .collect();
        let name = match &section.number {
            Some(number) => format!("{number} {}", section.title),
            None => section.title.clone(),
        };
        let href = format!("{}#s-{}", paths::checklist(&review), section.id);
        line.extend(hold_section(name, href, items, now));
    }
    let signatures = signers
        .iter()
        .map(|signer| HoldSignature {
            name: signer.name.clone(),
            flag: signer.flag(),
            href: paths::sign_off(&review),
        })
        .collect();
    let key = [
        ItemState::Passed,
        ItemState::Waived,
        ItemState::InReview,
        ItemState::InProgress,
        ItemState::Failed,
        ItemState::Open,
    ];
    let key = key.into_iter().map(|of| view! { <St of /> }).collect_view();
    let head = view! {
        <p class="muted">
            <span><b class="strong">{format!("{} of {}", progress.n_cleared, progress.n_items)}</b> " items cleared"</span>
            <span aria-hidden="true">" · "</span>
            <span>{format!("{} of {} blockers cleared", progress.n_blockers_cleared, progress.n_blockers)}</span>
        </p>
    }
    .into_any();
    view! {
        <Panel id="h-line" title="Progress to the hold point" head=head>
            <div class="stack">
                <HoldLine sections=line signatures />
                <p class="hl-key">{key}</p>
            </div>
        </Panel>
    }
    .into_any()
}

fn hold_section(
    title: String,
    href: String,
    items: Vec<&ItemStanding>,
    now: Millis,
) -> Option<HoldSection> {
    if items.is_empty() {
        return None;
    }
    let n_cleared = items.iter().filter(|item| item.is_cleared()).count();
    let n_left = items
        .iter()
        .filter(|item| item.item.gating == Gating::Blocker && !item.is_cleared())
        .count();
    let left = if n_left == 0 {
        "no blocker left".to_owned()
    } else {
        counted(n_left, "blocker left", "blockers left")
    };
    let summary = format!("{n_cleared} of {} cleared, {left}", items.len());
    let cells = items
        .into_iter()
        .map(|item| HoldCell {
            key: item.item.key.clone(),
            title: item.item.title.clone(),
            state: item.state,
            href: paths::item(&item.item.id),
            late: is_late(item, now).and_then(|due| late(due, now)),
        })
        .collect();
    Some(HoldSection {
        title,
        href,
        cells,
        summary,
    })
}

#[component]
fn OpenFindings(
    review: String,
    counts: SeverityCounts,
    standing: Arc<ReviewStanding>,
) -> impl IntoView {
    let of = |severity| counts.of(severity);
    let most = Severity::ALL
        .iter()
        .map(|severity| of(*severity))
        .max()
        .unwrap_or(0)
        .max(1);
    let rows = Severity::ALL
        .iter()
        .copied()
        .map(|severity| {
            let n = of(severity);
            let tone = severity.look().tone.as_str();
            let href = paths::with_query(&paths::findings(&review), &[("severity", severity.as_str()), ("status", "open")]);
            let figure = if n == 0 {
                view! { <span class="zero">"0"</span> }.into_any()
            } else {
                view! { <a href=href>{n}</a> }.into_any()
            };
            let width = (n * 100 / most).to_string();
            view! {
                <tr>
                    <th scope="row"><St of=severity /></th>
                    <td class="n">{figure}</td>
                    <td class="barcell">
                        <svg class="bar" data-tone=tone viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
                            <rect width=width height="8"></rect>
                        </svg>
                    </td>
                </tr>
            }
            .into_any()
        })
        .collect_view();
    let n_late = standing
        .n_findings(|key| key.is_late && key.is_open() && standing.policy.blocks(key.severity));
    let foot = (n_late > 0).then(|| {
        let text = format!(
            "{} past the limit",
            counted(n_late, "blocking finding is", "blocking findings are")
        );
        view! { <p class="panel-foot">{text}</p> }
    });
    let columns = vec![
        Column::new("Severity"),
        Column::new("Open").figures(),
        Column::new("Share").hidden(),
    ];
    let head = view! { <a href=paths::findings(&review)>"All findings"</a> }.into_any();
    view! {
        <Panel id="h-sev" title="Open findings" head=head bare=true>
            <Table caption="Open findings by severity" columns class="">{rows}</Table>
            {foot}
        </Panel>
    }
    .into_any()
}

#[component]
fn Blocks(standing: Arc<ReviewStanding>, me: String, now: Millis) -> impl IntoView {
    let review = standing.review.id.clone();
    let blocking: Vec<_> = standing
        .items
        .iter()
        .filter(|item| item.item.gating == Gating::Blocker && !item.is_cleared())
        .collect();
    let n = blocking.len();
    if n == 0 {
        return view! {
            <Panel id="h-block" title="What blocks the release">
                <p>"Every blocker item is cleared with a valid sign-off."</p>
            </Panel>
        }
        .into_any();
    }
    let rows = blocking
        .into_iter()
        .map(|item| {
            let mine: Vec<_> = standing
                .verdict
                .reasons
                .iter()
                .filter(|reason| reason.subject_kind == "item" && reason.subject == item.item.id)
                .collect();
            let n_open = item.links.open.total();
            let mut why: Vec<String> = mine
                .iter()
                .filter(|reason| {
                    !matches!(
                        reason.kind,
                        ReasonKind::ItemUndecided | ReasonKind::ItemFailed
                    )
                })
                .map(|reason| reason.why.clone())
                .collect();
            if n_open > 0 {
                why.push(counted(
                    usize::try_from(n_open).unwrap_or_default(),
                    "open finding.",
                    "open findings.",
                ));
            }
            why.push(match item.evidence.len() {
                0 => "No evidence yet.".to_owned(),
                n => format!("{}.", counted(n, "piece of evidence", "pieces of evidence")),
            });
            let mut who: Vec<_> = mine.iter().flat_map(|reason| reason.who.clone()).collect();
            who.sort();
            who.dedup();
            let who: Vec<_> = who
                .into_iter()
                .map(|name| {
                    if name == me {
                        format!("{name} (you)")
                    } else {
                        name
                    }
                })
                .collect();
            let due = match (
                is_late(item, now),
                item.item.due_on.as_deref().and_then(end_of),
            ) {
                (Some(due), _) => view! { <Late due now /> }.into_any(),
                (None, Some(due)) => date(due).into_any(),
                (None, None) => view! { <span class="zero">"–"</span> }.into_any(),
            };
            view! {
                <tr role="row">
                    <td role="cell" class="full">
                        <a class="ttl" href=paths::item(&item.item.id)>
                            <span class="faint num light">{item.item.key.clone()}</span>
                            " "
                            <Inline text=item.item.title.clone() />
                        </a>
                        <span class="sub">{why.join(" ")}</span>
                    </td>
                    <td role="cell" data-l=""><St of=item.state /></td>
                    <td role="cell" data-l="Next">{who.join(", ")}</td>
                    <td role="cell" data-l="Due" class="n">{due}</td>
                </tr>
            }
            .into_any()
        })
        .collect_view();
    let columns = vec![
        Column::new("Blocker item"),
        Column::new("Status"),
        Column::new("Next step by"),
        Column::new("Due").figures(),
    ];
    let head = view! { <a href=paths::checklist(&review)>"Open in checklist"</a> }.into_any();
    view! {
        <Panel id="h-block" title=format!("What blocks the release: {}", counted(n, "item", "items")) head=head bare=true>
            <Table caption="Blocker items that are not cleared" columns>{rows}</Table>
        </Panel>
    }
    .into_any()
}

#[component]
fn Signatures(
    standing: Arc<ReviewStanding>,
    signers: Vec<Signer>,
    me: String,
    now: Millis,
) -> impl IntoView {
    let n_valid = signers.iter().filter(|signer| signer.is_valid()).count();
    let n = signers.len();
    let review = standing.review.id.clone();
    let rows = signers
        .into_iter()
        .map(|signer| {
            let flag = signer.flag();
            let is_me = signer.person.as_deref() == Some(me.as_str());
            let name = if is_me { format!("{} (you)", signer.name) } else { signer.name.clone() };
            let avatar = match &signer.person {
                Some(_) => view! { <Avatar name=signer.name.clone() large=true /> }.into_any(),
                None => view! { <span class="av av-lg av-none" aria-hidden="true">"?"</span> }.into_any(),
            };
            let said = match &signer.last {
                Some(last) => {
                    let word = look_of(&last.sign_off.decision).word;
                    view! { <span class="tiny muted">{format!("{word}, {}", near(last.sign_off.signed_at, now))}</span> }.into_any()
                }
                None if is_me => view! { <a class="tiny" href=paths::sign_off(&review)>"Sign"</a> }.into_any(),
                None => ().into_any(),
            };
            view! {
                <li>
                    {avatar}
                    <b class="strong">{name}</b>
                    <span class="sub">{signer.role}</span>
                    <span class="state"><FlagMark flag />{said}</span>
                </li>
            }
            .into_any()
        })
        .collect_view();
    let head = view! { <p>{format!("{n_valid} of {n} signatures valid")}</p> }.into_any();
    let foot =
        view! { "The release goes when all that must sign have a valid go over the same state." }
            .into_any();
    view! {
        <Panel id="h-sig" title="Release decision" head=head foot=foot bare=true>
            <ul class="siglist">{rows}</ul>
        </Panel>
    }
    .into_any()
}

/// Something that is late or runs out soon.
#[derive(Clone, Copy)]
enum Pressing<'a> {
    Item(&'a ItemStanding),
    Waiver(&'a ItemStanding),
    Finding(&'a StandingFinding),
    Acceptance(&'a StandingFinding),
}

impl Pressing<'_> {
    /// `at`: when it was due, or runs out.
    fn row(self, at: Millis, now: Millis) -> AnyView {
        let (href, title) = match self {
            Self::Item(ItemStanding { item, .. }) | Self::Waiver(ItemStanding { item, .. }) => (
                paths::item(&item.id),
                format!("{} {}", item.key, item.title),
            ),
            Self::Finding(finding) | Self::Acceptance(finding) => (
                paths::finding(&finding.id),
                format!("F-{} {}", finding.number, finding.title),
            ),
        };
        let date = date(at);
        let (says, icon) = match self {
            Self::Item(ItemStanding { item, .. }) => {
                let who = item.owner_name.as_deref().unwrap_or("Nobody owns it");
                (format!("{who}, was due {date}"), None)
            }
            Self::Waiver(_) => (format!("Waiver ends {date}"), Some(Icon::Waived)),
            Self::Finding(finding) => {
                let severity = finding.severity.label();
                (format!("{severity}, its limit was {date}"), None)
            }
            Self::Acceptance(finding) => {
                let severity = finding.severity.label();
                let says = format!("{severity}, risk accepted until {date}");
                (says, Some(Icon::Shield))
            }
        };
        let mark = match icon {
            None => {
                let text = late(at, now).unwrap_or_default();
                view! { <span class="late" data-tone=Tone::Red.as_str()><Ico icon=Icon::Late />{text}</span> }.into_any()
            }
            Some(icon) => {
                view! { <span class="st" data-tone=Tone::Amber.as_str()><Ico icon />{ahead(at, now)}</span> }.into_any()
            }
        };
        view! {
            <li>
                <span class="grow"><a class="plain strong" href=href><Inline text=title /></a><span class="sub">{says}</span></span>
                {mark}
            </li>
        }
        .into_any()
    }
}

/// What is late, and what runs out within two weeks, each with when, the most pressing first.
fn pressing<'a>(standing: &'a ReviewStanding, now: Millis) -> Vec<(Millis, Pressing<'a>)> {
    let of_item = |item: &'a ItemStanding| {
        let waived = item.item.waived_until;
        let ends = waived.filter(|until| item.state == ItemState::Waived && *until < now + SOON);
        let late = is_late(item, now).map(|due| (due, Pressing::Item(item)));
        late.or(ends.map(|until| (until, Pressing::Waiver(item))))
    };
    let of_finding = |finding: &'a StandingFinding| {
        let accepted = finding.holds_until.filter(|until| {
            finding.status == FindingStatus::RiskAccepted && (now..now + SOON).contains(until)
        });
        let late = standing
            .policy
            .due(finding.severity, finding.first_seen_at)
            .filter(|due| *due < now && is_open(finding.status, finding.holds_until, now));
        let accepted = accepted.map(|until| (until, Pressing::Acceptance(finding)));
        accepted.or(late.map(|due| (due, Pressing::Finding(finding))))
    };
    let mut pressing: Vec<_> = standing
        .items
        .iter()
        .filter_map(of_item)
        .chain(standing.findings.iter().filter_map(of_finding))
        .collect();
    pressing.sort_by_key(|(at, _)| *at);
    pressing
}

#[component]
fn LateList(standing: Arc<ReviewStanding>, now: Millis) -> impl IntoView {
    let rows = pressing(&standing, now);
    let n = rows.len();
    if n == 0 {
        return view! {
            <Panel id="h-late" title="Late and about to expire">
                <p class="small muted">"Nothing is late, and nothing runs out within two weeks."</p>
            </Panel>
        }
        .into_any();
    }
    let shown = rows
        .into_iter()
        .take(N_PRESSING)
        .map(|(at, row)| row.row(at, now))
        .collect_view();
    let foot = (n > N_PRESSING).then(|| {
        let more = thousands(n - N_PRESSING);
        view! { <p class="panel-foot">{format!("{more} more")}</p> }
    });
    view! {
        <Panel id="h-late" title="Late and about to expire" bare=true>
            <ul class="rows">{shown}</ul>
            {foot}
        </Panel>
    }
    .into_any()
}
