use holdpoint_domain::{
    Millis, Outcome, ReviewId, person::Action, signoff::Change, verdict::ReasonKind,
};
use holdpoint_service::{
    VoidDecision,
    sign_off::ReleaseForm,
    standing::{ReleaseDecision, ReviewStanding, Validity},
};
use leptos::prelude::*;

use super::signers::{Signer, signer_words, signers};
use crate::{
    flash::FormState,
    pages::{
        PageError,
        items::ChangeList,
        page, parameter,
        review_bar::{review_bar, review_crumbs, review_name},
    },
    parts::{
        Avatar, Button, Choice, Choices, Column, DigestBox, Frame, Ico, Icon, Notice, PageHead,
        Panel, Pill, Sha, Shown as _, Tab, Table, TextArea, TextField, When,
        controls::{ButtonLink, Weight},
        figure::counted,
        panel::groups_of_four,
        status::{FlagMark, Look, Tone},
        when::moment,
    },
    paths::{self, action},
    visit::{Visit, services},
};

#[component]
pub(super) fn SignOffPage() -> impl IntoView {
    page(async move {
        let (visit, person) = Visit::signed_in()?;
        let id = ReviewId::parse(&parameter("id")).ok_or(PageError::NotFound("This review"))?;
        let services = services();
        let head = services.review(&person, &id).await?;
        let standing = services.whole_review_standing(&person, &id).await?;
        let access = services.access(&person, &head.service.id).await?;
        let members = services.members(&person, &head.service.id).await?;
        let form = services.release_form(&person, &access, &standing).await?;
        let signers = signers(&standing, &members);
        let bar = review_bar(&person, &standing, Tab::SignOff).await?;
        let now = visit.now;
        let n_valid = signers.iter().filter(|signer| signer.is_valid()).count();
        let meta = view! {
            <Pill of=standing.verdict.outcome />
            <span>{format!("{n_valid} of {} signatures valid", signers.len())}</span>
            {standing.release.decided.map(|decided| view! { <span>{format!("Decided: {}", decided.label())}</span> })}
        }
        .into_any();
        let may_export = access.may(Action::Export);
        let actions = may_export
            .then(|| view! { <ButtonLink words="Report" href=paths::report(id.as_str()) icon=Icon::Print /> }.into_any());
        let role = access
            .role
            .map_or("somebody without a role", |role| role.label())
            .to_lowercase();
        let title = format!("Sign-off: {}", review_name(&standing));
        let me = person.id.as_str().to_owned();
        Ok(view! {
            <Frame title crumbs=review_crumbs(&standing) review=bar>
                <PageHead title="Sign-off" meta=meta actions=actions.into_any() />
                <div class="with-rail">
                    <div class="stack">
                        <WhoSigns signers=signers.clone() standing=standing.clone() me now />
                        <Changed signers=signers.clone() now />
                        <Needs standing=standing.clone() signers warnings=form.warnings.clone() />
                    </div>
                    <aside class="rail" aria-label="Your signature">
                        <SignForm
                            review=id.as_str().to_owned()
                            sign=form
                            form=visit.form("reviews/sign")
                            role
                            email=person.email.clone()
                            standing=standing.clone()
                        />
                        <Reports
                            review=id.as_str().to_owned()
                            decided=standing.release.decided.is_some()
                            void=standing.release.void.clone()
                        />
                    </aside>
                </div>
            </Frame>
        }
        .into_any())
    })
}

/// What is decided, or was and holds no more: "GO of 1 Dec 2026, 12:49 UTC (Priya, Max) holds no more".
pub(crate) fn decided_words(standing: &ReviewStanding) -> String {
    match (&standing.release.decided, &standing.release.void) {
        (Some(decided), _) => decided.label().to_owned(),
        (None, Some(void)) => void_words(void),
        (None, None) => "None yet".to_owned(),
    }
}

fn void_words(void: &VoidDecision) -> String {
    format!(
        "{} of {} ({}) holds no more",
        void.decision.label(),
        moment(void.at),
        void.by.join(", ")
    )
}

/// Where the report of a decision that holds no more is, and the draft beside it.
#[component]
pub(crate) fn VoidLinks(review: String, void: VoidDecision) -> impl IntoView {
    let report = |as_of: &str| paths::with_query(&paths::report(&review), &[("as_of", as_of)]);
    view! {
        "Its " <a href=report(&void.sign_off)>"signed report is kept"</a>
        "; what is so now stands in the " <a href=report("now")>"draft"</a> "."
    }
    .into_any()
}

/// How a release decision looks.
pub(crate) fn look_of(decision: &str) -> Look {
    match ReleaseDecision::parse(decision) {
        Some(ReleaseDecision::Go) => Outcome::Go.look(),
        _ => Outcome::NoGo.look(),
    }
}

#[component]
fn Decides(of: Look) -> impl IntoView {
    view! { <span class="st" data-tone=of.tone.as_str()><Ico icon=of.icon />{of.word}</span> }
}

#[component]
fn WhoSigns(
    signers: Vec<Signer>,
    standing: ReviewStanding,
    me: String,
    now: Millis,
) -> impl IntoView {
    let rule = if standing.policy.approvers.is_empty() {
        match standing.release.n_needed {
            1 => "A GO by one manager of the service".to_owned(),
            n => format!("A GO by {n} managers of the service"),
        }
    } else {
        format!(
            "{}, each of them",
            counted(signers.len(), "named approver", "named approvers")
        )
    };
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
            let dash = || view! { <span class="zero">"–"</span> }.into_any();
            let (decides, signed, digest) = match &signer.last {
                Some(last) => {
                    let sign_off = &last.sign_off;
                    (
                        view! { <Decides of=look_of(&sign_off.decision) /> }.into_any(),
                        view! { <When at=sign_off.signed_at now /> }.into_any(),
                        view! { <Sha digest=sign_off.digest.clone() kind="Signed digest" shown=8 /> }.into_any(),
                    )
                }
                None => {
                    let turn = if is_me { "Your turn" } else { "" };
                    (dash(), view! { <span class="muted">{turn}</span> }.into_any(), dash())
                }
            };
            view! {
                <tr role="row">
                    <th role="rowheader" scope="row" class="full">
                        <span class="who">{avatar}<span><b class="strong">{name}</b><span class="sub">{signer.role}</span></span></span>
                    </th>
                    <td role="cell" data-l=""><FlagMark flag /></td>
                    <td role="cell" data-l="">{decides}</td>
                    <td role="cell" data-l="">{signed}</td>
                    <td role="cell" data-l="">{digest}</td>
                </tr>
            }
            .into_any()
        })
        .collect_view();
    let history = standing
        .release
        .decisions
        .iter()
        .rev()
        .map(|decision| {
            let sign_off = &decision.sign_off;
            let word = look_of(&sign_off.decision).word.to_lowercase();
            view! {
                <dl class="dl">
                    <dt>"Signed"</dt>
                    <dd>{signer_words(sign_off)} ", as " {sign_off.role.clone()} ", " <When at=sign_off.signed_at now /> ": " {word}</dd>
                    <dt>"Statement"</dt>
                    <dd class="wrap-any">{if sign_off.statement.is_empty() { "None".to_owned() } else { sign_off.statement.clone() }}</dd>
                    <dt>"Digest"</dt>
                    <dd><span class="digest">{groups_of_four(&sign_off.digest)}</span></dd>
                    <dt>"Log entry"</dt>
                    <dd>{sign_off.log_sequence}</dd>
                </dl>
            }
            .into_any()
        })
        .collect::<Vec<_>>();
    let n = history.len();
    let history = (n > 0).then(|| {
        view! {
            <details class="disc disc-foot">
                <summary class="small"><Ico icon=Icon::Right class="chev" />{format!("Details of {}", counted(n, "signature", "signatures"))}</summary>
                <div class="stack">{history}</div>
            </details>
        }
    });
    let columns = [
        "Person and role",
        "State",
        "Decides",
        "Signed",
        "Digest signed",
    ]
    .map(Column::new)
    .to_vec();
    let head = view! { <p class="muted">{rule}</p> }.into_any();
    view! {
        <Panel id="h-who" title="Who must sign" head=head bare=true>
            <Table caption="Required signatures" columns>{rows}</Table>
            {history}
        </Panel>
    }
    .into_any()
}

/// What changed since the void signatures.
#[component]
fn Changed(signers: Vec<Signer>, now: Millis) -> impl IntoView {
    // Mostly the same for all who signed, and shown once.
    let mut groups: Vec<(Vec<String>, Millis, Vec<Change>)> = Vec::new();
    for signer in signers {
        let Some(last) = signer.last else { continue };
        let Validity::Void(changes) = last.validity else {
            continue;
        };
        let signed_at = last.sign_off.signed_at;
        match groups.iter_mut().find(|(_, _, known)| *known == changes) {
            Some((names, newest, _)) => {
                names.push(signer.name);
                *newest = signed_at.max(*newest);
            }
            None => groups.push((vec![signer.name], signed_at, changes)),
        }
    }
    groups
        .into_iter()
        .map(|(names, at, changes)| {
            let label = format!("What changed since {} signed", names.join(" and "));
            let heading = label.clone();
            view! {
                <section class="panel" aria-label=label>
                    <div class="panel-head">
                        <h2>{heading}</h2>
                        <p class="push muted"><When at now /></p>
                    </div>
                    <div class="panel-body"><ChangeList changes /></div>
                </section>
            }
            .into_any()
        })
        .collect_view()
}

#[component]
fn Needs(standing: ReviewStanding, signers: Vec<Signer>, warnings: Vec<String>) -> impl IntoView {
    use ReasonKind as Why;

    let progress = standing.progress();
    let n = |kinds: &[Why]| {
        standing
            .verdict
            .reasons
            .iter()
            .filter(|reason| kinds.contains(&reason.kind))
            .count()
    };
    let severities: Vec<_> = standing
        .policy
        .blocking()
        .iter()
        .map(|severity| severity.label().to_lowercase())
        .collect();
    let blocking = if severities.is_empty() {
        "blocking".to_owned()
    } else {
        severities.join(" or ")
    };
    let n_done = standing
        .deliverables
        .iter()
        .filter(|deliverable| deliverable.done)
        .count();
    let rule = |met: bool, text: String, figure: String| {
        let (tone, icon, word) = if met {
            (Tone::Green, Icon::Pass, "Met: ")
        } else {
            (Tone::Red, Icon::Fail, "Not met: ")
        };
        view! {
            <li class="row-between one-line">
                <span class="st wrap" data-tone=tone.as_str()>
                    <Ico icon />
                    <span><span class="vh">{word}</span>{text}</span>
                </span>
                <span class="muted small nowrap fixed">{figure}</span>
            </li>
        }
        .into_any()
    };
    let open = n(&[Why::FindingOpen, Why::FindingLate, Why::AcceptanceExpired]);
    let items = n(&[
        Why::NoItems,
        Why::ItemFailed,
        Why::ItemUndecided,
        Why::SignOffDamaged,
        Why::SignOffVoid,
        Why::SignOffMissing,
    ]);
    let waivers = n(&[Why::WaiverExpired]);
    let evidence = n(&[
        Why::EvidenceDamaged,
        Why::EvidenceMissing,
        Why::EvidenceStale,
    ]);
    let scans = n(&[Why::ScanMissing, Why::ScanIncomplete, Why::CommitUnknown]);
    let deliverables = n(&[Why::DeliverableOpen]);
    let rules = [
        rule(
            open == 0,
            format!("No open {blocking} finding"),
            format!("{open} open"),
        ),
        rule(
            items == 0,
            "Every blocker cleared, with a valid sign-off".to_owned(),
            format!("{} of {}", progress.n_blockers_cleared, progress.n_blockers),
        ),
        rule(
            evidence == 0,
            "Evidence there and not stale on passed blockers".to_owned(),
            if evidence == 0 {
                "none missing".to_owned()
            } else {
                counted(evidence, "item without", "items without")
            },
        ),
        rule(
            scans == 0,
            "Required scans complete at the target commit".to_owned(),
            if standing.policy.required_scans.is_empty() {
                "none asked for".to_owned()
            } else {
                let n = standing.policy.required_scans.len();
                format!("{} of {n}", n.saturating_sub(scans))
            },
        ),
        rule(
            deliverables == 0,
            "Deliverables done".to_owned(),
            format!("{n_done} of {}", standing.deliverables.len()),
        ),
        rule(
            waivers == 0,
            "No waiver has run out".to_owned(),
            counted(waivers, "run out", "run out"),
        ),
    ];
    let valid = |decision: ReleaseDecision| -> Vec<String> {
        signers
            .iter()
            .filter(|signer| signer.is_valid())
            .filter(|signer| {
                signer
                    .last
                    .as_ref()
                    .is_some_and(|last| last.sign_off.decision == decision.as_str())
            })
            .map(|signer| signer.name.clone())
            .collect()
    };
    let no_go = valid(ReleaseDecision::NoGo);
    let waits = || signers.iter().filter(|signer| !signer.is_valid());
    let mut waited: Vec<_> = waits()
        .filter(|signer| signer.person.is_some())
        .map(|signer| signer.name.clone())
        .collect();
    let n_any = waits().filter(|signer| signer.person.is_none()).count();
    match n_any {
        0 => {}
        1 if waited.is_empty() => waited.push("Any manager".to_owned()),
        1 => waited.push("another manager".to_owned()),
        n => waited.push(format!("any {n} managers")),
    }
    let names = |names: Vec<String>| {
        if names.is_empty() {
            "Nobody".to_owned()
        } else {
            names.join(", ")
        }
    };
    let n_warnings = warnings.len();
    let warnings = (n_warnings > 0).then(|| {
        let list = warnings.into_iter().map(|text| view! { <li>{text}</li> }).collect_view();
        view! {
            <div class="stack-2" id="warnings">
                <h3>"Before you sign"</h3>
                <p class="small muted">"These do not hold the release back. Look at them all the same."</p>
                <ul class="prose small">{list}</ul>
            </div>
        }
    });
    let decided = decided_words(&standing);
    let head = view! { <span class="row"><span class="muted small">"Verdict"</span><Pill of=standing.verdict.outcome small=true /></span> }.into_any();
    view! {
        <Panel id="h-dec" title="Release decision" head=head>
            <div class="stack">
                <div class="fields-2 is-roomy" id="rules">
                    <div class="stack-2">
                        <h3>"What a go needs"</h3>
                        <ul class="stack-2">{rules.into_iter().collect_view()}</ul>
                        <p class="hint">
                            "Go with waivers needs the same, with some items waived by a manager or risks accepted. What is unknown or missing counts as not met."
                        </p>
                        <p class="small"><a href=paths::review(&standing.review.id)>"Every reason, on the readiness page"</a></p>
                    </div>
                    <div class="stack-2">
                        <h3>{decided}</h3>
                        {standing.release.void.clone().map(|void| view! { <p class="small"><VoidLinks review=standing.review.id.clone() void /></p> })}
                        <p>"The release goes when all that must sign have a valid go over the same state. One no-go holds it."</p>
                        <dl class="dl">
                            <dt>"Valid go"</dt>
                            <dd>{format!("{} of {}", standing.release.n_go, standing.release.n_needed)}</dd>
                            <dt>"Valid no-go"</dt>
                            <dd>{names(no_go)}</dd>
                            <dt>"Waited on"</dt>
                            <dd>{names(waited)}</dd>
                        </dl>
                    </div>
                </div>
                {warnings}
            </div>
        </Panel>
    }
    .into_any()
}

#[component]
fn SignForm(
    review: String,
    sign: ReleaseForm,
    form: FormState,
    role: String,
    email: String,
    standing: ReviewStanding,
) -> impl IntoView {
    let n_warnings = sign.warnings.len();
    let no_go = Outcome::NoGo.look();
    let go = Outcome::Go.look();
    let choices = vec![
        Choice::new(ReleaseDecision::Go.as_str(), view! { <Decides of=go /> })
            .impossible(sign.go_refusal.clone()),
        Choice::new(
            ReleaseDecision::NoGo.as_str(),
            view! { <Decides of=no_go /> },
        )
        .text("With a reason. It holds the release."),
    ];
    let refusal = sign
        .refusal
        .clone()
        .map(|refusal| view! { <Notice tone=Tone::Neutral id="sign-refused">{refusal}</Notice> });
    let warned = (n_warnings > 0).then(|| {
        view! {
            <Notice tone=Tone::Amber>
                <a href="#warnings">{counted(n_warnings, "thing to look at before you sign", "things to look at before you sign")}</a>
            </Notice>
        }
    });
    let button = if sign.refusal.is_some() {
        view! { <Button words="Sign release decision" icon=Icon::Sign weight=Weight::Primary impossible="sign-refused" /> }.into_any()
    } else {
        view! { <Button words="Sign release decision" icon=Icon::Sign weight=Weight::Primary /> }
            .into_any()
    };
    let basis = sign.basis.as_str().to_owned();
    let what = format!(
        "SHA-256 over the release, its commit and policy, {}, {}, {} and {}. Your decision and statement are added when you sign.",
        counted(standing.items.len(), "item", "items"),
        counted(
            standing.findings.len(),
            "blocking finding",
            "blocking findings"
        ),
        counted(standing.scans.len(), "scan", "scans"),
        counted(standing.deliverables.len(), "deliverable", "deliverables"),
    );
    view! {
        <form class="signbox" id="sign" method="post" action=action("reviews/sign") aria-labelledby="h-sign">
            <header>
                <h2 id="h-sign">{format!("Sign as {role}")}</h2>
                <p class="small muted">"Your signature covers the whole review as it is now. Any change that matters makes it void."</p>
            </header>
            {refusal}
            {warned}
            <input type="hidden" name="review" value=review />
            <input type="hidden" name="basis" value=basis.clone() />
            <Choices form=form.clone() name="decision" legend="You decide" choices />
            <TextArea
                form=form.clone()
                name="statement"
                label="Statement"
                with_choice=true
                max_length=4000
                hint="A go may stand without; a no-go needs a reason."
            />
            <div class="stack-1">
                <DigestBox label="What you sign" digest=basis />
                <p class="hint">{what}</p>
            </div>
            <input type="text" name="username" value=email autocomplete="username" hidden=true />
            <TextField
                form
                name="password"
                label="Your password"
                kind="password"
                autocomplete="current-password"
                hint="Asked again for every signature."
            />
            {button}
        </form>
    }
    .into_any()
}

#[component]
fn Reports(review: String, decided: bool, void: Option<VoidDecision>) -> impl IntoView {
    let state = match (decided, void) {
        (true, _) => {
            "The decision stands, so the report is signed with this instance's key.".into_any()
        }
        (false, Some(void)) => {
            let words = format!("{}. ", void_words(&void));
            view! { {words} <VoidLinks review=review.clone() void /> }.into_any()
        }
        (false, None) => {
            "Until the release is decided, the report says DRAFT and is not signed.".into_any()
        }
    };
    view! {
        <Panel id="h-rep" title="Report">
            <div class="stack-2">
                <p class="small">{state}</p>
                <p class="btn-row">
                    <ButtonLink words="Read or export the report" href=paths::report(&review) small=true icon=Icon::Download />
                    <ButtonLink words="Verify a report" href=paths::VERIFY small=true weight=Weight::Quiet icon=Icon::Key />
                </p>
            </div>
        </Panel>
    }
    .into_any()
}
