//! The verdict with its reasons, each with a link and with who can clear it.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use holdpoint_domain::{
    Millis, Outcome, Severity,
    verdict::{Reason, ReasonKind},
};
use holdpoint_service::{SeverityCounts, standing::ReviewStanding};
use leptos::prelude::*;

use crate::{
    pages::{
        items::end_of,
        sign_off::page::{VoidLinks, decided_words},
    },
    parts::{
        Avatar, Ico, Inline, Shown as _, Who,
        figure::{counted, thousands},
        panel::Disclosure,
        when::{ahead, late, machine, moment},
    },
    paths,
};

/// How many reasons of one kind are said at once; the others open on demand.
const N_SAID: usize = 3;
/// How many those are at most, and how many waivers are said: lists have all of them.
const N_MORE: usize = 50;

/// The box on top of the page.
#[component]
pub(super) fn VerdictBox(standing: Arc<ReviewStanding>, now: Millis) -> impl IntoView {
    let look = standing.verdict.outcome.look();
    let progress = standing.progress();
    let due = standing.review.due_on.as_deref().and_then(end_of);
    let hold = match (standing.verdict.outcome, due) {
        (_, None) => view! { <p>"This review has no hold point yet. A manager sets its date in the settings."</p> }.into_any(),
        (outcome, Some(due)) => {
            let may = if outcome == Outcome::NoGo { "may not pass" } else { "may pass" };
            let when = late(due, now).unwrap_or_else(|| ahead(due, now));
            view! {
                <p>"This release " {may} " its hold point on " <b><time datetime=machine(due)>{moment(due)}</time></b> ", " {when} "."</p>
            }
            .into_any()
        }
    };
    let decided = decided_words(&standing);
    let void = standing.release.void.clone().map(|void| {
        let review = standing.review.id.clone();
        view! { ". " <VoidLinks review void /> }
    });
    let list = if standing.verdict.reasons.is_empty() {
        let (waivers, n_more) = (
            standing.verdict.waivers.clone(),
            standing.verdict.n_more_waivers(),
        );
        view! { <Waivers waivers n_more /> }.into_any()
    } else {
        let groups = groups(&standing)
            .into_iter()
            .map(|group| group_view(group, &standing.review.id))
            .collect_view();
        let word = look.word.to_lowercase();
        view! { <ol class="reasons" aria-label=format!("Reasons for {word}")>{groups}</ol> }
            .into_any()
    };
    view! {
        <section class="verdict" data-tone=look.tone.as_str() aria-labelledby="h-verdict">
            <div class="stack-2">
                <h2 class="verdict-word" id="h-verdict"><Ico icon=look.icon />{standing.verdict.outcome.label()}</h2>
                {hold}
                <dl class="dl">
                    <dt>"Items cleared"</dt>
                    <dd>{format!("{} of {}", progress.n_cleared, progress.n_items)}</dd>
                    <dt>"Blockers cleared"</dt>
                    <dd>{format!("{} of {}", progress.n_blockers_cleared, progress.n_blockers)}</dd>
                    <dt>"Release decision"</dt>
                    <dd>{decided}{void}</dd>
                </dl>
                <p class="small muted">
                    "Worked out by rule from what is recorded now. "
                    <a href=format!("{}#rules", paths::sign_off(&standing.review.id))>"What a go needs"</a>
                </p>
            </div>
            {list}
        </section>
    }
    .into_any()
}

#[component]
fn Waivers(
    waivers: Vec<Reason>,
    /// How many more there are that are only counted.
    n_more: usize,
) -> impl IntoView {
    if waivers.is_empty() {
        return view! { <p>"Nothing holds it back: every blocker is cleared with a valid sign-off, and nothing that must be there is missing."</p> }.into_any();
    }
    let n_more = n_more + waivers.len().saturating_sub(N_MORE);
    let more = (n_more > 0).then(|| {
        let words = format!("And {} more", thousands(n_more));
        view! { <li><p class="why">{words}</p></li> }
    });
    let rows = waivers
        .into_iter()
        .take(N_MORE)
        .map(|reason| {
            let href = address_of(&reason, "");
            view! { <li><p class="why"><a href=href><Inline text=reason.title /></a></p><p class="det"><Inline text=reason.why /></p></li> }
        })
        .collect_view();
    view! {
        <div class="stack-2">
            <p>"It goes on without:"</p>
            <ol class="reasons" aria-label="Waived items and accepted risks">{rows}{more}</ol>
        </div>
    }
    .into_any()
}

/// Reasons of one kind.
struct Group<'a> {
    headline: String,
    href: String,
    reasons: &'a [Reason],
    /// How many more there are that are only counted.
    n_more: usize,
}

fn groups(standing: &ReviewStanding) -> Vec<Group<'_>> {
    standing
        .verdict
        .reasons
        .chunk_by(|one, next| one.kind == next.kind)
        .map(|reasons| Group {
            headline: headline(reasons[0].kind, reasons, standing),
            href: group_address(reasons[0].kind, &standing.review.id),
            reasons,
            n_more: standing.verdict.n_more_of(reasons[0].kind),
        })
        .collect()
}

fn headline(kind: ReasonKind, reasons: &[Reason], standing: &ReviewStanding) -> String {
    let n = standing.verdict.n_of(kind);
    let is = if n == 1 { "is" } else { "are" };
    let has = if n == 1 { "has" } else { "have" };
    match kind {
        ReasonKind::NoItems => "The checklist has no items".to_owned(),
        ReasonKind::ReleaseNoGo => {
            format!("{} signed NO-GO", counted(n, "person has", "people have"))
        }
        ReasonKind::CommitUnknown => "The review names no target commit".to_owned(),
        ReasonKind::FindingOpen => {
            let findings = standing.findings.iter();
            let severities: HashMap<_, _> = findings
                .map(|finding| (finding.id.as_str(), finding.severity))
                .collect();
            let mut counts = SeverityCounts::default();
            let more = standing.verdict.more.iter();
            for more in more.filter(|more| more.kind == kind && !more.is_waiver) {
                counts.add(more.severity, i64::try_from(more.n).unwrap_or(i64::MAX));
            }
            for reason in reasons {
                if let Some(severity) = severities.get(reason.subject.as_str()) {
                    counts.add(*severity, 1);
                }
            }
            let parts: Vec<String> = Severity::ALL
                .iter()
                .map(|severity| (counts.of(*severity), severity.label().to_lowercase()))
                .filter(|(n, _)| *n > 0)
                .map(|(n, severity)| format!("{} {severity}", thousands(n)))
                .collect();
            let finding = if n == 1 { "finding" } else { "findings" };
            format!("{} {finding} {is} open", parts.join(" and "))
        }
        ReasonKind::FindingLate => format!(
            "{} {is} past the limit",
            counted(n, "open finding", "open findings")
        ),
        ReasonKind::AcceptanceExpired => format!(
            "The accepted time of {} is over",
            counted(n, "risk", "risks")
        ),
        ReasonKind::ItemFailed => counted(n, "blocker item failed", "blocker items failed"),
        ReasonKind::ItemUndecided => format!(
            "{} {is} not decided",
            counted(n, "blocker item", "blocker items")
        ),
        ReasonKind::WaiverExpired => format!("{} {has} run out", counted(n, "waiver", "waivers")),
        ReasonKind::SignOffDamaged => format!(
            "{} not as {} signed",
            counted(n, "stored decision is", "stored decisions are"),
            if n == 1 { "it was" } else { "they were" },
        ),
        ReasonKind::SignOffVoid => format!("{} {is} void", counted(n, "sign-off", "sign-offs")),
        ReasonKind::SignOffMissing => {
            format!(
                "{} more valid sign-offs",
                counted(n, "item needs", "items need")
            )
        }
        ReasonKind::EvidenceDamaged => {
            format!(
                "{} on damaged evidence",
                counted(n, "blocker rests", "blockers rest")
            )
        }
        ReasonKind::EvidenceMissing => {
            format!(
                "{} without evidence",
                counted(n, "passed blocker is", "passed blockers are")
            )
        }
        ReasonKind::EvidenceStale => format!(
            "{} on stale evidence",
            counted(n, "passed blocker rests", "passed blockers rest")
        ),
        ReasonKind::ScanMissing => format!(
            "{} {is} missing",
            counted(n, "required scan", "required scans")
        ),
        ReasonKind::ScanIncomplete => {
            format!(
                "{} {is} incomplete",
                counted(n, "required scan", "required scans")
            )
        }
        ReasonKind::DeliverableOpen => {
            let all = standing.deliverables.len();
            format!(
                "{n} of {} {is} not done",
                counted(all, "deliverable", "deliverables")
            )
        }
    }
}

fn group_address(kind: ReasonKind, review: &str) -> String {
    match kind {
        ReasonKind::FindingOpen | ReasonKind::FindingLate | ReasonKind::AcceptanceExpired => {
            paths::findings(review)
        }
        ReasonKind::ScanMissing | ReasonKind::ScanIncomplete => paths::scans(review),
        ReasonKind::CommitUnknown => paths::settings(review),
        ReasonKind::ReleaseNoGo => paths::sign_off(review),
        ReasonKind::NoItems | ReasonKind::DeliverableOpen => paths::checklist(review),
        _ => "#h-block".to_owned(),
    }
}

/// Where a reason's subject is.
pub(super) fn address_of(reason: &Reason, review: &str) -> String {
    match reason.subject_kind.as_str() {
        "item" => paths::item(&reason.subject),
        "finding" => paths::finding(&reason.subject),
        "scan" => paths::scans(review),
        "deliverable" => paths::checklist(review),
        _ => paths::settings(review),
    }
}

fn group_view(group: Group<'_>, review: &str) -> AnyView {
    let Group {
        headline,
        href,
        reasons,
        n_more,
    } = group;
    let who: BTreeSet<&str> = reasons
        .iter()
        .flat_map(|reason| &reason.who)
        .map(String::as_str)
        .collect();
    let line = |reason: &Reason| {
        let href = address_of(reason, review);
        let by = reason.who.join(", ");
        // A title may be a whole sentence.
        let title = reason.title.trim_end_matches('.').to_owned();
        view! {
            <li>
                <a class="plain strong" href=href><Inline text=title /></a>
                ": "
                <Inline text=reason.why.clone() />
                " "
                <span class="faint">{format!("By {by}.")}</span>
            </li>
        }
        .into_any()
    };
    let (said, rest) = reasons.split_at(reasons.len().min(N_SAID));
    let said = said.iter().map(line).collect_view();
    let rest = (!rest.is_empty() || n_more > 0).then(|| {
        let n_rest = rest.len() + n_more;
        let summary = format!("{} more", thousands(n_rest));
        let lines = rest.iter().take(N_MORE).map(line).collect_view();
        let n_left = n_rest - rest.len().min(N_MORE);
        let left = (n_left > 0).then(|| {
            let words = format!("And {} more", thousands(n_left));
            view! { <li><a href=href.clone()>{words}</a></li> }
        });
        view! { <Disclosure summary><ul class="stack-1">{lines}{left}</ul></Disclosure> }
    });
    view! {
        <li>
            <p class="why"><a href=href>{headline}</a></p>
            <div class="det stack-1"><ul class="stack-1">{said}</ul>{rest}</div>
            <p class="act">{people(&who)}</p>
        </li>
    }
    .into_any()
}

/// Who can clear it: one by name, several by their initials and number. A role is a word.
fn people(who: &BTreeSet<&str>) -> AnyView {
    // Where nobody is named, the rules say a role with its article.
    let (roles, people): (Vec<&str>, Vec<&str>) =
        who.iter().copied().partition(|name| name.starts_with("a "));
    match (&people[..], &roles[..]) {
        ([], roles) => view! { <span>{roles.join(", ")}</span> }.into_any(),
        ([one], []) => view! { <Who name=one.to_owned() /> }.into_any(),
        (people, roles) => {
            let avatars = people
                .iter()
                .take(5)
                .map(|name| view! { <Avatar name=(*name).to_owned() /> })
                .collect_view();
            let names = people.join(", ");
            let more = if roles.is_empty() {
                String::new()
            } else {
                format!(" and {}", roles.join(", "))
            };
            let n = counted(people.len(), "person", "people");
            view! { <span class="avs" title=names.clone()>{avatars}</span><span>{n}{more}<span class="vh">": " {names}</span></span> }.into_any()
        }
    }
}

#[cfg(test)]
mod tests {
    use leptos::reactive::owner::Owner;
    use scraper::{Html, Selector};

    use super::*;

    fn texts(waivers: Vec<Reason>, selector: &str) -> Vec<String> {
        let html =
            Owner::new().with(|| view! { <Waivers waivers n_more=0 /> }.into_view().to_html());
        let selector = Selector::parse(selector).unwrap();
        Html::parse_fragment(&html)
            .select(&selector)
            .map(|found| found.text().collect::<String>().trim().to_owned())
            .collect()
    }

    fn accepted(n: usize) -> Vec<Reason> {
        let reason = |at| Reason {
            kind: ReasonKind::FindingOpen,
            subject_kind: "finding".to_owned(),
            subject: format!("id-{at}"),
            title: format!("F-{at} Old library"),
            why: "its risk is accepted".to_owned(),
            who: Vec::new(),
        };
        (1..=n).map(reason).collect()
    }

    #[test]
    fn what_a_release_goes_on_without_is_listed_up_to_fifty_and_counted_beyond() {
        let all = texts(accepted(50), "li");
        assert_eq!(all.len(), 50);
        assert!(all[49].contains("F-50 Old library"), "{all:?}");
        let some = texts(accepted(1_062), "li");
        assert_eq!((some.len(), &*some[50]), (51, "And 1,012 more"));
        assert_eq!(texts(accepted(1), "a").len(), 1);
        assert!(texts(accepted(0), "p")[0].starts_with("Nothing holds it back"));
    }
}
