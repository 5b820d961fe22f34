//! `report.md`: CommonMark with GFM tables, in the order of the specification.
//!
//! Every text that a person or a tool gave goes through [`crate::escape`]; nothing else here writes a value into the
//! document. The headings, tables and rows therefore depend on how many things there are, never on what they say.

use std::{collections::BTreeMap, fmt::Write as _};

use holdpoint_domain::{
    Decision, FindingStatus, ItemState, Outcome, PatchState, Policy, Severity, signoff::Change,
    verdict::Reason,
};

use crate::{
    escape::{address, block, code, fenced, first_paragraph, flat, heading, line, prefixed, quote},
    facts::{
        Account, Evidence, Facts, Finding, Item, Patch, Person, Scan, Section, SignOff, Standing,
    },
    format::{compact, count, date, moment, place, severity, size},
    signing::{PRINCIPAL, REPORT_NAMESPACE},
};

/// With which option OpenSSH is asked about a moment: the report names there when it was signed.
pub(crate) const SIGNED_AT: &str = "-Overify-time=";

/// What a command's output is cut to in the report; the whole of it is in the bundle.
const OUTPUT_CHARS: usize = 4_000;

/// The report. Equal facts give equal bytes. Takes the facts, which may be many: they are put in order where they are.
pub fn markdown(facts: Facts) -> String {
    markdown_of(&facts.sorted())
}

/// [`markdown`] of facts that are in the report's order.
pub(crate) fn markdown_of(facts: &Facts) -> String {
    let mut doc = Document(String::with_capacity(64 * 1024));
    title(&mut doc, facts);
    verdict(&mut doc, facts);
    sign_offs(&mut doc, facts);
    findings_summary(&mut doc, facts);
    checklist(&mut doc, facts);
    waivers(&mut doc, facts);
    detailed_findings(&mut doc, facts);
    remediation_plan(&mut doc, facts);
    deliverables(&mut doc, facts);
    evidence_manifest(&mut doc, facts);
    scans(&mut doc, facts);
    since(&mut doc, facts);
    how_to_verify(&mut doc, facts);
    doc.0
}

/// The document so far; every block ends with a line end and begins after an empty line.
struct Document(String);

impl Document {
    fn block(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn heading(&mut self, level: usize, text: &str) {
        self.block(&format!("{} {text}", "#".repeat(level.clamp(1, 6))));
    }

    /// Cells are finished Markdown. A table without rows is the sentence instead.
    fn table(&mut self, head: &[&str], rows: &[Vec<String>], empty: &str) {
        if rows.is_empty() {
            self.block(empty);
            return;
        }
        let mut text = format!("| {} |\n|", head.join(" | "));
        for _ in head {
            text.push_str(" :--- |");
        }
        for row in rows {
            text.push_str("\n|");
            for cell in row {
                write!(text, " {cell} |").expect("writing to a String cannot fail");
            }
        }
        self.block(&text);
    }

    /// Entries are finished Markdown of one or more lines.
    fn list(&mut self, entries: &[String]) {
        let mut text = String::new();
        for (n, entry) in entries.iter().enumerate() {
            if n > 0 {
                // An entry of several blocks is followed by an empty line, as it has them itself.
                text.push_str(if entries[n - 1].contains('\n') {
                    "\n\n"
                } else {
                    "\n"
                });
            }
            text.push_str(&prefixed(entry, "  ").replacen("  ", "- ", 1));
        }
        self.block(&text);
    }
}

fn title(doc: &mut Document, facts: &Facts) {
    let review = &facts.review;
    let draft = if facts.is_draft() { "DRAFT: " } else { "" };
    doc.heading(
        1,
        &format!(
            "{draft}Production Readiness Report: {}, release {}",
            line(&facts.service.name),
            line(&review.release)
        ),
    );
    if let Some(decided) = facts.decided_report {
        doc.block(&format!(
            "**This is a DRAFT beside the decided report.** That one speaks of {}, is signed and does not change. This draft says \
             what has come since, is not signed and may change.",
            moment(decided)
        ));
    } else if facts.is_draft() {
        doc.block(
            "**This is a DRAFT.** The release has not been decided on, so this report is not signed and may change.",
        );
    }
    let policy = &review.policy;
    if facts.four_eyes_relaxed() {
        doc.block(
            "**Four eyes were not asked for.** The policy of this review lets one person submit evidence for an item and \
             sign the same item.",
        );
    }
    let mut rows = vec![
        row2("Review", line(&review.title)),
        row2(
            "Service",
            format!(
                "{} ({})",
                line(&facts.service.name),
                code(&facts.service.slug)
            ),
        ),
    ];
    if !facts.service.description.trim().is_empty() {
        rows.push(row2("About the service", flat(&facts.service.description)));
    }
    if let Some(repository) = &facts.service.repository {
        rows.push(row2("Repository", address(repository)));
    }
    rows.push(row2("Release", line(&review.release)));
    rows.push(row2(
        "Target commit",
        review
            .target_commit
            .as_deref()
            .map_or("not named".to_owned(), code),
    ));
    rows.push(row2(
        "Status",
        if facts.is_draft() { "DRAFT" } else { "Decided" }.to_owned(),
    ));
    rows.push(row2("As of", moment(review.as_of)));
    rows.push(row2("Begun", moment(review.created)));
    rows.push(row2("Due", review.due.map_or("no date".to_owned(), date)));
    if let Some(template) = &review.template {
        rows.push(row2(
            "Checklist",
            format!(
                "{}, version {}, SHA-256 {}",
                line(&template.name),
                template.version,
                code(&template.sha256)
            ),
        ));
    }
    for entry in &facts.metadata {
        rows.push(row2(
            &format!("Checklist: {}", line(&entry.name)),
            flat(&entry.value),
        ));
    }
    let blocking: Vec<_> = policy
        .blocking()
        .iter()
        .map(|s| s.label().to_lowercase())
        .collect();
    rows.push(row2(
        "Policy",
        [
            if policy.four_eyes {
                "whoever submits does not sign".to_owned()
            } else {
                "whoever submits may also sign".to_owned()
            },
            if blocking.is_empty() {
                "no severity blocks".to_owned()
            } else {
                format!(
                    "open findings of these severities block: {}",
                    blocking.join(", ")
                )
            },
            if policy.late_findings_block {
                format!("open findings past their limit block: {}", limits(policy))
            } else {
                "open findings past their limit do not block".to_owned()
            },
            format!(
                "evidence {}",
                if policy.evidence_required {
                    "required"
                } else {
                    "not required"
                }
            ),
            format!(
                "stale evidence {}",
                if policy.stale_evidence_blocks {
                    "blocks"
                } else {
                    "does not block"
                }
            ),
            format!(
                "deliverables {}",
                if policy.deliverables_required {
                    "required"
                } else {
                    "not required"
                }
            ),
            if policy.required_scans.is_empty() {
                "no scan required".to_owned()
            } else {
                let names: Vec<_> = policy
                    .required_scans
                    .iter()
                    .map(|scan| line(&scan.to_string()))
                    .collect();
                format!("required scans: {}", names.join(", "))
            },
            format!("sign-offs for a pass: {}", policy.quorum.max(1)),
            format!("approvals for GO: {}", policy.approvals.max(1)),
        ]
        .join("; "),
    ));
    rows.push(row2(
        "Written by",
        format!(
            "{} (Holdpoint {})",
            line(&facts.instance.name),
            line(&facts.instance.version)
        ),
    ));
    doc.table(&["Fact", "Value"], &rows, "");
    let people: Vec<_> = facts
        .people
        .iter()
        .map(
            |Person {
                 name,
                 email,
                 role,
                 account,
             }| {
                vec![
                    line(name),
                    line(role),
                    email.as_deref().map_or(none(), line),
                    account.as_ref().map_or(none(), account_of),
                ]
            },
        )
        .collect();
    doc.table(
        &["Person", "Role", "E-mail", "Account"],
        &people,
        "Nobody has a role on this service.",
    );
}

/// Where an account comes from: "made 3 January 2026, invited by Ana (ana@example.org)".
fn account_of(account: &Account) -> String {
    let Account {
        made_at,
        invited_by,
        password_reset,
        disabled_at,
    } = account;
    let mut said = format!("made {}", date(*made_at));
    if let Some(by) = invited_by {
        said.push_str(&format!(", invited by {}", line(by)));
    }
    if let Some((by, at)) = password_reset {
        said.push_str(&format!(
            "; password reset by {} on {}",
            line(by),
            date(*at)
        ));
    }
    if let Some(at) = disabled_at {
        said.push_str(&format!("; disabled since {}", date(*at)));
    }
    said
}

/// Whose signature it is: names may look alike, addresses are each one person's.
fn signer(
    by: &str,
    email: Option<&str>,
    disabled_at: Option<i64>,
    reset_at: Option<i64>,
) -> String {
    let mut said = line(by);
    if let Some(email) = email {
        said.push_str(&format!(", {}", line(email)));
    }
    if let Some(at) = disabled_at {
        said.push_str(&format!(" (account disabled since {})", date(at)));
    }
    if let Some(at) = reset_at {
        said.push_str(&format!(
            " (within a day after the password was set by somebody else's link, {})",
            moment(at)
        ));
    }
    said
}

/// How long a finding may stay open: "critical 3 days, high 1 day".
fn limits(policy: &Policy) -> String {
    let limits: Vec<_> = Severity::ALL
        .iter()
        .filter_map(|severity| {
            let days = policy.days(*severity)?;
            let unit = if days == 1 { "day" } else { "days" };
            Some(format!("{} {days} {unit}", severity.label().to_lowercase()))
        })
        .collect();
    if limits.is_empty() {
        "no severity has one".to_owned()
    } else {
        limits.join(", ")
    }
}

fn verdict(doc: &mut Document, facts: &Facts) {
    doc.heading(2, "Verdict and release decision");
    let verdict = &facts.verdict;
    let why = match verdict.outcome {
        Outcome::NoGo => format!(
            "{} {} the release back.",
            count(verdict.reasons.len(), "reason", "reasons"),
            if verdict.reasons.len() == 1 {
                "holds"
            } else {
                "hold"
            }
        ),
        Outcome::GoWithWaivers => format!(
            "Nothing holds the release back; it goes on with {}.",
            count(
                verdict.waivers.len(),
                "waiver or accepted risk",
                "waivers and accepted risks"
            )
        ),
        Outcome::Go => "Nothing holds the release back.".to_owned(),
    };
    doc.block(&format!(
        "**Verdict: {}**, as the policy's rules give it on {}. {why}",
        verdict.outcome.label(),
        moment(facts.review.as_of)
    ));
    let reason = |reason: &Reason| {
        let who: Vec<_> = reason.who.iter().map(|who| line(who)).collect();
        vec![line(&reason.title), line(&reason.why), who.join(", ")]
    };
    let rows: Vec<_> = verdict.reasons.iter().map(reason).collect();
    doc.table(&["Held back by", "Why", "Who can clear it"], &rows, "");
    let rows: Vec<_> = verdict.waivers.iter().map(reason).collect();
    doc.table(&["Goes on with", "Why", "Who answers for it"], &rows, "");

    doc.heading(3, "Release decision");
    let rows: Vec<_> = facts
        .release_decisions
        .iter()
        .map(|decision| {
            vec![
                format!("**{}**", decision.decision.label()),
                signer(
                    &decision.by,
                    decision.email.as_deref(),
                    decision.disabled_at,
                    decision.reset_at,
                ),
                line(&decision.role),
                moment(decision.at),
                standing_cell(decision.standing, true, decision.old_rules),
                flat(&decision.statement),
                code(&decision.digest),
            ]
        })
        .collect();
    doc.table(
        &[
            "Decision",
            "By",
            "Role",
            "When",
            "Standing",
            "Statement",
            "Digest of what was signed",
        ],
        &rows,
        "Nobody has decided on this release yet.",
    );
    let voided: Vec<_> = facts
        .release_decisions
        .iter()
        .filter_map(|decision| {
            let why = why_not(decision.standing, &decision.changes)?;
            Some(format!(
                "The {} of {} on {} is {why}",
                decision.decision.label(),
                line(&decision.by),
                moment(decision.at),
            ))
        })
        .collect();
    doc.list(&voided);
}

fn sign_offs(doc: &mut Document, facts: &Facts) {
    doc.heading(2, "Sign-offs");
    let all = || {
        facts
            .items
            .iter()
            .flat_map(|item| item.sign_offs.iter().map(move |sign_off| (item, sign_off)))
    };
    let rows: Vec<_> = all()
        .map(|(item, sign_off)| {
            vec![
                item_name(item),
                sign_off.decision.label().to_owned(),
                signer(
                    &sign_off.by,
                    sign_off.email.as_deref(),
                    sign_off.disabled_at,
                    sign_off.reset_at,
                ),
                line(&sign_off.role),
                moment(sign_off.at),
                standing_cell(sign_off.standing, sign_off.four_eyes, sign_off.old_rules),
                code(&sign_off.digest),
            ]
        })
        .collect();
    doc.table(
        &[
            "Item",
            "Decision",
            "By",
            "Role",
            "When",
            "Standing",
            "Digest of what was signed",
        ],
        &rows,
        "Nobody has signed an item yet.",
    );
    let voided: Vec<_> = all()
        .filter_map(|(item, sign_off)| {
            let why = why_not(sign_off.standing, &sign_off.changes)?;
            Some(format!(
                "{}, signed by {} on {}, is {why}",
                item_name(item),
                line(&sign_off.by),
                moment(sign_off.at),
            ))
        })
        .collect();
    doc.list(&voided);
}

/// Whether a signature counts, with what there is to know of how it was made.
fn standing_cell(standing: Standing, four_eyes: bool, old_rules: bool) -> String {
    let mut cell = standing.label().to_owned();
    if !four_eyes {
        cell.push_str("; signed while four eyes were not asked for");
    }
    if old_rules {
        cell.push_str("; made under an older rule for texts");
    }
    cell
}

/// What a signature is that does not count, and why.
fn why_not(standing: Standing, changes: &[Change]) -> Option<String> {
    match standing {
        Standing::Void => Some(format!("void: {}", changes_sentence(changes))),
        Standing::Damaged => {
            let why: Vec<_> = changes.iter().map(|change| line(&change.what)).collect();
            Some(format!("damaged: {}", why.join(" ")))
        }
        Standing::Valid | Standing::Replaced => None,
    }
}

/// Worst first, then by number.
fn worst_first(facts: &Facts) -> Vec<&Finding> {
    let mut findings: Vec<_> = facts.findings.iter().collect();
    findings.sort_by_key(|finding| (finding.severity, finding.number));
    findings
}

fn findings_summary(doc: &mut Document, facts: &Facts) {
    doc.heading(2, "Findings summary");
    if !facts.findings.is_empty() {
        let by_severity: Vec<_> = Severity::ALL
            .iter()
            .filter_map(|severity| {
                let n = facts
                    .findings
                    .iter()
                    .filter(|f| f.severity == *severity)
                    .count();
                (n > 0).then(|| format!("{n} {}", severity.label().to_lowercase()))
            })
            .collect();
        let n_open = facts.findings.iter().filter(|f| facts.is_open(f)).count();
        doc.block(&format!(
            "{}: {}. {} open.",
            count(facts.findings.len(), "finding", "findings"),
            by_severity.join(", "),
            if n_open == 0 {
                "None is".to_owned()
            } else if n_open == 1 {
                "1 is".to_owned()
            } else {
                format!("{n_open} are")
            }
        ));
    }
    let rows: Vec<_> = worst_first(facts)
        .into_iter()
        .map(|finding| {
            vec![
                format!("F-{}", finding.number),
                severity(finding.severity).to_owned(),
                category(finding),
                line(&finding.title),
                first_paragraph(&finding.remediation),
                status(facts, finding),
            ]
        })
        .collect();
    doc.table(
        &[
            "No.",
            "Severity",
            "Category",
            "Issue",
            "Remediation",
            "Status",
        ],
        &rows,
        "There are no findings.",
    );
}

fn checklist(doc: &mut Document, facts: &Facts) {
    doc.heading(2, "Checklist results");
    if facts.items.is_empty() {
        doc.block("The checklist has no items.");
        return;
    }
    let by_state: Vec<_> = ItemState::ALL
        .iter()
        .filter_map(|state| {
            let n = facts
                .items
                .iter()
                .filter(|i| facts.state(i) == *state)
                .count();
            (n > 0).then(|| format!("{n} {}", state.label().to_lowercase()))
        })
        .collect();
    doc.block(&format!(
        "{}: {}.",
        count(facts.items.len(), "item", "items"),
        by_state.join(", ")
    ));

    let mut of_section: BTreeMap<Option<u32>, Vec<&Item>> = BTreeMap::new();
    for item in &facts.items {
        let known = item
            .section
            .filter(|at| facts.sections.iter().any(|s| s.position == *at));
        of_section.entry(known).or_default().push(item);
    }
    if let Some(items) = of_section.get(&None) {
        section_items(doc, facts, items, 4);
    }
    for (n, section) in facts.sections.iter().enumerate() {
        let items = of_section.get(&Some(section.position));
        let below = facts.sections[n + 1..]
            .iter()
            .take_while(|later| later.depth > section.depth)
            .any(|later| of_section.contains_key(&Some(later.position)));
        if items.is_none() && !below {
            continue;
        }
        let Section {
            title, text, depth, ..
        } = section;
        let level = 2 + usize::try_from(*depth).unwrap_or(1).clamp(1, 3);
        doc.heading(level, &heading(title));
        doc.block(&block(text));
        if let Some(items) = items {
            section_items(doc, facts, items, level + 1);
        }
    }
}

fn section_items(doc: &mut Document, facts: &Facts, items: &[&Item], level: usize) {
    let rows: Vec<_> = items
        .iter()
        .map(|item| {
            let n_evidence = item.evidence.iter().filter(|e| e.counts()).count();
            let n_stale = item
                .evidence
                .iter()
                .filter(|e| e.counts() && e.stale)
                .count();
            let evidence = match (n_evidence, n_stale) {
                (0, _) => "none".to_owned(),
                (n, 0) => count(n, "piece", "pieces"),
                (n, stale) => format!("{}, {stale} stale", count(n, "piece", "pieces")),
            };
            vec![
                line(&item.key),
                line(&item.title),
                item.gating.as_str().to_owned(),
                item.owner.as_deref().map_or(none(), line),
                names(&item.reviewers),
                decision_cell(facts, item),
                evidence,
            ]
        })
        .collect();
    doc.table(
        &[
            "Key",
            "Item",
            "Gating",
            "Owner",
            "Reviewers",
            "Decision",
            "Evidence",
        ],
        &rows,
        "",
    );
    for item in items {
        item_details(doc, facts, item, level);
    }
}

fn decision_cell(facts: &Facts, item: &Item) -> String {
    let state = facts.state(item);
    let n_valid = item
        .sign_offs
        .iter()
        .filter(|s| s.standing == Standing::Valid)
        .count();
    let n_void = item
        .sign_offs
        .iter()
        .filter(|s| s.standing == Standing::Void)
        .count();
    let label = format!("**{}**", state.label());
    if item.state == ItemState::Waived && state == ItemState::InReview {
        return format!("{label}: its waiver has run out");
    }
    if !state.is_decided() {
        return label;
    }
    let asked = if state == ItemState::Passed {
        item.quorum.max(1)
    } else {
        1
    };
    if n_valid == 0 && n_void > 0 {
        return format!("{label}, but its sign-off is void");
    }
    if n_valid < usize::try_from(asked).unwrap_or(usize::MAX) {
        return format!("{label}, with {n_valid} of {asked} valid sign-offs");
    }
    label
}

fn item_details(doc: &mut Document, facts: &Facts, item: &Item, level: usize) {
    doc.heading(level, &item_name(item));
    doc.block(&block(&item.requirement));
    if let Some(due) = item.due {
        let late = due < facts.review.as_of && !facts.state(item).is_decided();
        doc.block(&format!(
            "Due {}{}.",
            date(due),
            if late { ", late" } else { "" }
        ));
    }
    let findings: Vec<_> = facts
        .findings
        .iter()
        .filter(|finding| finding.item_keys.contains(&item.key))
        .map(|finding| {
            format!(
                "F-{} {} ({}, {})",
                finding.number,
                line(&finding.title),
                finding.severity.label().to_lowercase(),
                finding.status.label().to_lowercase()
            )
        })
        .collect();
    if !findings.is_empty() {
        doc.block(&format!("Findings: {}.", findings.join("; ")));
    }
    for SignOff {
        by,
        email,
        disabled_at,
        reset_at,
        role,
        decision,
        statement,
        at,
        standing,
        ..
    } in &item.sign_offs
    {
        let standing = match standing {
            Standing::Valid => "",
            Standing::Void => " This sign-off is void.",
            Standing::Damaged => " This sign-off is damaged.",
            Standing::Replaced => " This was replaced by a later decision.",
        };
        doc.block(&format!(
            "**{}**: {} ({}), {}.{standing}",
            decision.label(),
            signer(by, email.as_deref(), *disabled_at, *reset_at),
            line(role),
            moment(*at)
        ));
        doc.block(&quote(statement));
        if let (Decision::Waive, Some(waiver)) = (decision, &item.waiver) {
            doc.block(&format!("Waived until {}.", date(waiver.until)));
        }
    }
    if item.evidence.is_empty() {
        doc.block("No evidence.");
    } else {
        doc.block("Evidence:");
        let entries: Vec<_> = item
            .evidence
            .iter()
            .map(|e| evidence_entry(item, e))
            .collect();
        doc.list(&entries);
    }
}

fn evidence_entry(item: &Item, evidence: &Evidence) -> String {
    let Evidence {
        title,
        kind,
        by,
        uploaded_at,
        ..
    } = evidence;
    let mut entry = format!(
        "**{}** ({}, {}), by {}, {}",
        line(title),
        line(kind),
        size(evidence.size_bytes),
        line(by),
        moment(*uploaded_at)
    );
    if let Some(at) = evidence.observed_at.filter(|at| at != uploaded_at) {
        write!(entry, "; observed {}", moment(at)).expect("writing to a String cannot fail");
    }
    if let Some(name) = &evidence.file_name {
        entry.push_str("; file ");
        entry.push_str(&code(name));
    }
    match &evidence.commit {
        Some(commit) => {
            entry.push_str("; of commit ");
            entry.push_str(&code(commit));
        }
        None => entry.push_str("; unpinned: it names no commit"),
    }
    if let Some(path) = &evidence.path {
        entry.push_str("; about ");
        entry.push_str(&code(&place(path, evidence.lines)));
    }
    if evidence.contradicted {
        entry.push_str("; **stale**: a newer scan of its series has findings");
    } else if evidence.stale && evidence.commit.is_none() {
        entry.push_str("; **stale**: the target has moved since it was attached");
    } else if evidence.stale {
        entry.push_str("; **stale**: not of the target commit");
    }
    if evidence.damaged {
        entry.push_str("; **damaged**: it is not what was submitted, so its text is left out");
        return entry;
    }
    if let Some(withdrawn) = &evidence.withdrawn {
        write!(
            entry,
            "; **withdrawn** by {} on {}: {}",
            line(&withdrawn.by),
            moment(withdrawn.at),
            flat(&withdrawn.reason)
        )
        .expect("writing to a String cannot fail");
        return entry;
    }
    if let Some(later) = &evidence.superseded_by {
        let later = item.evidence.iter().find(|e| e.id == *later);
        entry.push_str("; superseded by ");
        entry.push_str(&later.map_or("a later version".to_owned(), |e| line(&e.title)));
    }
    if let Some(command) = &evidence.command {
        entry.push_str("; command ");
        entry.push_str(&code(command));
    }
    if let Some(exit_code) = evidence.exit_code {
        write!(entry, "; exit code {exit_code}").expect("writing to a String cannot fail");
    }
    let Some(text) = evidence
        .text
        .as_deref()
        .filter(|text| !text.trim().is_empty())
    else {
        return entry;
    };
    let shown = match kind.as_str() {
        "link" => {
            entry.push_str("; ");
            entry.push_str(&address(text));
            return entry;
        }
        "note" => quote(text),
        _ => {
            let cut: String = text.chars().take(OUTPUT_CHARS).collect();
            let mut shown = fenced(None, &cut);
            if cut.len() < text.len() {
                shown.push_str("\n\nCut here; the whole is in the bundle.");
            }
            shown
        }
    };
    if !shown.is_empty() {
        entry.push_str("\n\n");
        entry.push_str(&shown);
    }
    entry
}

fn waivers(doc: &mut Document, facts: &Facts) {
    doc.heading(2, "Waivers and accepted risks");
    let waived: Vec<_> = facts
        .items
        .iter()
        .filter(|item| item.state == ItemState::Waived)
        .filter_map(|item| item.waiver.as_ref().map(|waiver| (item, waiver)))
        .map(|(item, waiver)| {
            vec![
                item_name(item),
                until(facts, waiver.until),
                line(&waiver.by),
                flat(&waiver.reason),
                flat(&waiver.risk),
            ]
        })
        .collect();
    let accepted: Vec<_> = worst_first(facts)
        .into_iter()
        .filter(|finding| finding.status == FindingStatus::RiskAccepted)
        .filter_map(|finding| {
            finding
                .acceptance
                .as_ref()
                .map(|acceptance| (finding, acceptance))
        })
        .map(|(finding, acceptance)| {
            vec![
                finding_name(finding),
                severity(finding.severity).to_owned(),
                until(facts, acceptance.until),
                line(&acceptance.asked_by),
                line(&acceptance.approved_by),
                flat(&acceptance.reason),
            ]
        })
        .collect();
    if waived.is_empty() && accepted.is_empty() {
        doc.block("There are none.");
        return;
    }
    doc.table(
        &["Waived item", "Until", "By", "Reason", "Risk"],
        &waived,
        "No item is waived.",
    );
    doc.table(
        &[
            "Accepted risk",
            "Severity",
            "Until",
            "Asked for by",
            "Approved by",
            "Reason",
        ],
        &accepted,
        "No finding's risk is accepted.",
    );
}

fn detailed_findings(doc: &mut Document, facts: &Facts) {
    doc.heading(2, "Detailed findings");
    if facts.findings.is_empty() {
        doc.block("There are no findings.");
        return;
    }
    let mut categories: Vec<(String, Vec<&Finding>)> = Vec::new();
    for finding in worst_first(facts) {
        let name = category(finding);
        match categories
            .iter_mut()
            .find(|(category, _)| *category == name)
        {
            Some((_, findings)) => findings.push(finding),
            None => categories.push((name, vec![finding])),
        }
    }
    categories.sort_by_key(|(name, findings)| (findings.first().map(|f| f.severity), name.clone()));
    for (name, findings) in categories {
        doc.heading(3, &name);
        for finding in findings {
            finding_details(doc, facts, finding);
        }
    }
}

fn finding_details(doc: &mut Document, facts: &Facts, finding: &Finding) {
    doc.heading(4, &finding_name(finding));
    let mut entries = vec![
        format!("Severity: {}", severity(finding.severity)),
        format!("Status: {}", status(facts, finding)),
    ];
    let mut entry = |name: &str, value: String| entries.push(format!("{name}: {value}"));
    if let Some(path) = &finding.path {
        entry("Location", code(&place(path, finding.lines)));
    }
    match (&finding.tool, &finding.written_by) {
        (Some(tool), _) => entry("Found by", line(tool)),
        (None, Some(person)) => entry("Written by", line(person)),
        (None, None) => {}
    }
    if !finding.also_reported_by.is_empty() {
        entry("Also reported by", names(&finding.also_reported_by));
    }
    if let Some(rule) = &finding.rule {
        entry("Rule", code(rule));
    }
    for (name, ids) in [("CVE", &finding.cve), ("CWE", &finding.cwe)] {
        if !ids.is_empty() {
            entry(name, names(ids));
        }
    }
    if let Some(component) = &finding.component {
        let mut value = line(component);
        if let Some(version) = &finding.component_version {
            value.push(' ');
            value.push_str(&line(version));
        }
        if let Some(fixed) = &finding.fixed_version {
            value.push_str(", fixed in ");
            value.push_str(&line(fixed));
        }
        entry("Component", value);
    }
    if let Some(url) = &finding.help_url {
        entry("More about it", address(url));
    }
    if !finding.item_keys.is_empty() {
        let items: Vec<_> = finding
            .item_keys
            .iter()
            .map(|key| {
                facts
                    .items
                    .iter()
                    .find(|i| i.key == *key)
                    .map_or_else(|| line(key), item_name)
            })
            .collect();
        entry("Items", items.join("; "));
    }
    if !finding.owners.is_empty() {
        entry("Owners", names(&finding.owners));
    }
    entry("First seen", moment(finding.first_seen));
    if let Some(last) = finding.last_seen {
        entry("Last seen", moment(last));
    }
    if let Some(due) = finding.due {
        let late = due < facts.review.as_of && facts.is_open(finding);
        entry(
            "Due",
            format!("{}{}", date(due), if late { ", late" } else { "" }),
        );
    }
    if let Some(triage) = &finding.triage {
        let asked_by = triage.asked_by.as_ref();
        let asked_by =
            asked_by.map_or_else(String::new, |by| format!(", asked for by {}", line(by)));
        entry(
            "Decided by",
            format!(
                "{}, {}{asked_by}: {}",
                line(&triage.by),
                moment(triage.at),
                flat(&triage.reason)
            ),
        );
    }
    if let Some(asked) = &finding.asked {
        entry(
            "Waits for another person",
            format!(
                "{} asks {}, {}: {}",
                line(&asked.by),
                asked.request.words(),
                moment(asked.at),
                flat(&asked.reason)
            ),
        );
    }
    if let Some(change) = &finding.severity_change {
        entry(
            "Severity changed",
            format!(
                "was {}, changed by {}, {}: {}",
                change.was.label().to_lowercase(),
                line(&change.by),
                moment(change.at),
                flat(&change.reason)
            ),
        );
    }
    doc.list(&entries);
    doc.block("**Problem**");
    doc.block(&or_nothing(block(&finding.problem)));
    if let Some(snippet) = &finding.snippet {
        doc.block(&fenced(snippet.language.as_deref(), &snippet.text));
    }
    doc.block("**Remediation**");
    doc.block(&or_nothing(block(&finding.remediation)));
    let patches: Vec<_> = patches_of(facts, finding)
        .into_iter()
        .map(|patch| patch_entry(patch, finding.number))
        .collect();
    if !patches.is_empty() {
        doc.block("**Patches**");
        doc.list(&patches);
    }
}

fn patches_of<'a>(facts: &'a Facts, finding: &Finding) -> Vec<&'a Patch> {
    facts
        .patches
        .iter()
        .filter(|patch| {
            finding.patches.contains(&patch.number) || patch.findings.contains(&finding.number)
        })
        .collect()
}

/// A patch under one of its findings, without what it says of the others.
fn patch_entry(patch: &Patch, finding: i64) -> String {
    let mut entry = format!(
        "P-{} {} ({}), by {}",
        patch.number,
        line(&patch.title),
        patch.state.label().to_lowercase(),
        line(&patch.author)
    );
    if let Some(by) = &patch.approved_by {
        entry.push_str(", approved by ");
        entry.push_str(&line(by));
    }
    if let Some(commit) = &patch.applied_commit {
        entry.push_str(", applied as ");
        entry.push_str(&code(commit));
    }
    entry.push('.');
    let number = format!("F-{finding}");
    let of_finding = |sentence: &&String| {
        let mut named = sentence
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .filter(|word| word.starts_with("F-"))
            .peekable();
        named.peek().is_none() || named.any(|word| word == number)
    };
    for sentence in patch
        .touches
        .iter()
        .filter(of_finding)
        .chain(&patch.applies)
    {
        entry.push(' ');
        entry.push_str(&line(sentence));
    }
    entry
}

fn remediation_plan(doc: &mut Document, facts: &Facts) {
    doc.heading(2, "Remediation plan");
    let by_when = |due: Option<i64>| match due {
        None => "no date".to_owned(),
        Some(due) if due < facts.review.as_of => format!("{}, late", date(due)),
        Some(due) => date(due),
    };
    let whose = |names_: &[String], otherwise: &str| {
        if names_.is_empty() {
            otherwise.to_owned()
        } else {
            names(names_)
        }
    };
    let mut rows = Vec::new();
    for finding in worst_first(facts).into_iter().filter(|f| facts.is_open(f)) {
        let mut how = flat(&finding.remediation);
        for patch in patches_of(facts, finding) {
            write!(
                how,
                " (P-{}, {})",
                patch.number,
                patch.state.label().to_lowercase()
            )
            .expect("writing to a String cannot fail");
        }
        rows.push(vec![
            finding_name(finding),
            severity(finding.severity).to_owned(),
            how,
            whose(&finding.owners, "a contributor"),
            by_when(finding.due),
        ]);
    }
    for item in &facts.items {
        let state = facts.state(item);
        let blocker = item.gating.as_str().to_owned();
        let owner: Vec<_> = item.owner.iter().cloned().collect();
        let due = item.due.or(facts.review.due);
        let (what, who) = match state {
            ItemState::Failed => (
                "Meet the requirement: the item failed",
                whose(&owner, "a contributor"),
            ),
            ItemState::Open | ItemState::InProgress => (
                "Show that the requirement is met",
                whose(&owner, "a contributor"),
            ),
            ItemState::InReview => ("Decide", whose(&item.reviewers, "a reviewer")),
            ItemState::Waived => {
                let until = item.waiver.as_ref().map(|waiver| waiver.until);
                rows.push(vec![
                    item_name(item),
                    blocker,
                    "Meet the requirement before the waiver ends".to_owned(),
                    whose(&owner, "a contributor"),
                    by_when(until),
                ]);
                continue;
            }
            ItemState::Passed | ItemState::NotApplicable => {
                let n = |of| item.sign_offs.iter().filter(|s| s.standing == of).count();
                let asked = match state {
                    ItemState::Passed => usize::try_from(item.quorum.max(1)).unwrap_or(usize::MAX),
                    _ => 1,
                };
                if n(Standing::Damaged) > 0 {
                    (
                        "Restore the sign-off: it is not what was signed",
                        "an administrator, from a backup".to_owned(),
                    )
                } else if n(Standing::Valid) >= asked {
                    continue;
                } else if n(Standing::Void) > 0 {
                    (
                        "Sign again: the sign-off is void",
                        whose(&item.reviewers, "a reviewer"),
                    )
                } else {
                    (
                        "Sign: a valid sign-off is missing",
                        whose(&item.reviewers, "a reviewer"),
                    )
                }
            }
        };
        rows.push(vec![
            item_name(item),
            blocker,
            what.to_owned(),
            who,
            by_when(due),
        ]);
    }
    for finding in worst_first(facts) {
        let accepted = finding.status == FindingStatus::RiskAccepted && !facts.is_open(finding);
        if let (true, Some(acceptance)) = (accepted, &finding.acceptance) {
            rows.push(vec![
                finding_name(finding),
                severity(finding.severity).to_owned(),
                format!("Before the acceptance ends: {}", flat(&finding.remediation)),
                whose(&finding.owners, "a contributor"),
                by_when(Some(acceptance.until)),
            ]);
        }
    }
    for deliverable in facts.deliverables.iter().filter(|d| !d.done) {
        rows.push(vec![
            line(&deliverable.title),
            "deliverable".to_owned(),
            "Deliver".to_owned(),
            deliverable
                .owner
                .as_deref()
                .map_or("a manager".to_owned(), line),
            by_when(facts.review.due),
        ]);
    }
    doc.heading(3, "Still open");
    doc.table(
        &["What", "Weight", "What to do", "Who", "When"],
        &rows,
        "Nothing is open.",
    );

    doc.heading(3, "Remedied");
    let rows: Vec<_> = worst_first(facts)
        .into_iter()
        .filter(|finding| finding.status == FindingStatus::Fixed)
        .map(|finding| {
            let patches: Vec<_> = patches_of(facts, finding)
                .into_iter()
                .filter(|patch| patch.state != PatchState::Rejected)
                .collect();
            let who: Vec<_> = patches.iter().map(|patch| patch.author.clone()).collect();
            let by: Vec<_> = patches
                .iter()
                .map(|patch| {
                    let commit = patch.applied_commit.as_deref();
                    let commit = commit
                        .map(|c| format!(" as {}", code(c)))
                        .unwrap_or_default();
                    format!(
                        "P-{} {}{commit}",
                        patch.number,
                        patch.state.label().to_lowercase()
                    )
                })
                .collect();
            let when = finding.triage.as_ref().map(|triage| triage.at);
            vec![
                finding_name(finding),
                severity(finding.severity).to_owned(),
                flat(&finding.remediation),
                if who.is_empty() {
                    whose(&finding.owners, "–")
                } else {
                    unique(&who)
                },
                when.map_or(none(), date),
                if by.is_empty() { none() } else { by.join("; ") },
            ]
        })
        .collect();
    doc.table(
        &["What", "Weight", "What was done", "Who", "When", "Patches"],
        &rows,
        "No finding has been fixed.",
    );

    doc.heading(3, "Patches");
    let rows: Vec<_> = facts
        .patches
        .iter()
        .map(|patch| {
            let files: Vec<_> = patch
                .files
                .iter()
                .map(|file| format!("{} (+{} -{})", code(&file.path), file.added, file.removed))
                .collect();
            let findings: Vec<_> = patch
                .findings
                .iter()
                .map(|number| format!("F-{number}"))
                .collect();
            let items: Vec<_> = patch.item_keys.iter().map(|key| line(key)).collect();
            vec![
                format!("P-{}", patch.number),
                line(&patch.title),
                patch.state.label().to_owned(),
                line(&patch.author),
                patch.approved_by.as_deref().map_or(none(), line),
                patch.applied_commit.as_deref().map_or(none(), code),
                joined(files),
                joined(findings.into_iter().chain(items).collect()),
                code(&patch.sha256),
            ]
        })
        .collect();
    doc.table(
        &[
            "No.",
            "Patch",
            "State",
            "Author",
            "Approved by",
            "Applied as",
            "Files",
            "Serves",
            "SHA-256",
        ],
        &rows,
        "There are no patches.",
    );
}

fn deliverables(doc: &mut Document, facts: &Facts) {
    doc.heading(2, "Deliverables");
    let rows: Vec<_> = facts
        .deliverables
        .iter()
        .enumerate()
        .map(|(n, deliverable)| {
            let note = match (&deliverable.note, &deliverable.link) {
                (None, None) => none(),
                (Some(note), None) => flat(note),
                (None, Some(link)) => address(link),
                (Some(note), Some(link)) => format!("{} {}", flat(note), address(link)),
            };
            vec![
                (n + 1).to_string(),
                line(&deliverable.title),
                if deliverable.text.trim().is_empty() {
                    none()
                } else {
                    flat(&deliverable.text)
                },
                if deliverable.done { "Done" } else { "Not done" }.to_owned(),
                deliverable.owner.as_deref().map_or(none(), line),
                note,
            ]
        })
        .collect();
    doc.table(
        &["No.", "Deliverable", "What it is", "State", "Owner", "Note"],
        &rows,
        "The checklist names no deliverables.",
    );
}

fn evidence_manifest(doc: &mut Document, facts: &Facts) {
    doc.heading(2, "Evidence manifest");
    let rows: Vec<_> = facts
        .items
        .iter()
        .flat_map(|item| item.evidence.iter().map(move |evidence| (item, evidence)))
        .map(|(item, evidence)| {
            let standing = match evidence {
                Evidence {
                    withdrawn: Some(_), ..
                } => "withdrawn",
                Evidence {
                    superseded_by: Some(_),
                    ..
                } => "superseded",
                Evidence { damaged: true, .. } => "damaged",
                Evidence { stale: true, .. } => "stale",
                _ => "counts",
            };
            vec![
                line(&item.key),
                line(evidence.file_name.as_deref().unwrap_or(&evidence.title)),
                line(&evidence.kind),
                size(evidence.size_bytes),
                evidence
                    .commit
                    .as_deref()
                    .map_or("unpinned".to_owned(), code),
                standing.to_owned(),
                code(&evidence.sha256),
            ]
        })
        .collect();
    doc.table(
        &[
            "Item", "Evidence", "Kind", "Size", "Commit", "Standing", "SHA-256",
        ],
        &rows,
        "No evidence was attached.",
    );
}

fn scans(doc: &mut Document, facts: &Facts) {
    doc.heading(2, "Scan provenance");
    let rows: Vec<_> = facts
        .scans
        .iter()
        .map(|scan: &Scan| {
            let counts: Vec<_> = Severity::ALL
                .iter()
                .filter(|severity| scan.counts.of(**severity) > 0)
                .map(|severity| {
                    format!(
                        "{} {}",
                        scan.counts.of(*severity),
                        severity.label().to_lowercase()
                    )
                })
                .collect();
            let tool = match &scan.version {
                Some(version) => format!("{} {}", line(&scan.tool), line(version)),
                None => line(&scan.tool),
            };
            let whole = match (&scan.incomplete_because, scan.complete) {
                (_, true) => "complete".to_owned(),
                (Some(why), false) => format!("**incomplete**: {}", line(why)),
                (None, false) => "**incomplete**".to_owned(),
            };
            let change = scan.comparison;
            vec![
                line(&scan.series),
                tool,
                scan.commit.as_deref().map_or("not named".to_owned(), code),
                format!("{}, {}", moment(scan.imported_at), line(&scan.by)),
                if counts.is_empty() {
                    "no findings".to_owned()
                } else {
                    counts.join(", ")
                },
                format!(
                    "{} new, {} unchanged, {} reopened, {} fixed",
                    change.new, change.unchanged, change.reopened, change.fixed
                ),
                whole,
                format!(
                    "{} ({}), SHA-256 {}",
                    line(scan.file_name.as_deref().unwrap_or(&scan.format)),
                    size(scan.size_bytes),
                    code(&scan.file_sha256)
                ),
            ]
        })
        .collect();
    doc.table(
        &[
            "Series",
            "Tool",
            "Commit",
            "Imported",
            "Findings",
            "Against the last scan",
            "Whole",
            "File",
        ],
        &rows,
        "No scan was imported.",
    );
}

fn since(doc: &mut Document, facts: &Facts) {
    doc.heading(2, "Changes since the last review");
    let Some(since) = &facts.since else {
        doc.block("This is the first review of this service.");
        return;
    };
    let commit = since
        .commit
        .as_deref()
        .map(|c| format!(" at commit {}", code(c)))
        .unwrap_or_default();
    doc.block(&format!(
        "Compared with {}, release {}{commit}.",
        line(&since.title),
        line(&since.release)
    ));
    let rows: Vec<_> = since
        .changes
        .iter()
        .map(|change| {
            vec![
                line(&change.what),
                change.was.as_deref().map_or("not there".to_owned(), line),
                change.is.as_deref().map_or("not there".to_owned(), line),
            ]
        })
        .collect();
    doc.table(&["What", "Was", "Is"], &rows, "Nothing has changed.");
}

fn how_to_verify(doc: &mut Document, facts: &Facts) {
    doc.heading(2, "How to verify");
    if facts.is_draft() {
        doc.block(if facts.decided_report.is_some() {
            "A draft is not signed. The decided report is, and says how to verify it."
        } else {
            "A draft is not signed. There is nothing to verify before the release has been decided on."
        });
    } else {
        let path = "/.well-known/holdpoint-signing-keys";
        let keys = match facts.instance.url.as_deref() {
            Some(url) => address(&format!("{}{path}", url.trim_end_matches('/'))),
            None => code(path),
        };
        doc.block(&format!(
            "This report is signed with the Ed25519 key of the Holdpoint that wrote it; the signature is the file \
             {} beside it. Get that Holdpoint's public keys from {keys} or from somebody you trust, save them as {}, and \
             run OpenSSH:",
            code("report.md.sig"),
            code("allowed_signers")
        ));
        doc.block(&fenced(
            Some("sh"),
            &format!(
                "ssh-keygen -Y verify {SIGNED_AT}{} -f allowed_signers -I {PRINCIPAL} -n {REPORT_NAMESPACE} -s report.md.sig < report.md",
                compact(facts.review.as_of)
            ),
        ));
        doc.block(
            "It asks about the moment of signing, since keys are replaced in time. OpenSSH before 9.1 cannot be asked so; without \
             the moment it accepts the report while the key is in use:",
        );
        doc.block(&fenced(
            Some("sh"),
            &format!(
                "ssh-keygen -Y verify -f allowed_signers -I {PRINCIPAL} -n {REPORT_NAMESPACE} -s report.md.sig < report.md"
            ),
        ));
        doc.block(&format!(
            "It answers {} and ends with 0 if not one byte was changed. With Holdpoint at hand, {} says the same, and {} \
             also checks every file of the bundle.",
            code(&format!("Good \"{REPORT_NAMESPACE}\" signature for {PRINCIPAL}")),
            code("holdpoint verify report.md --key allowed_signers"),
            code("holdpoint verify bundle.zip --key allowed_signers"),
        ));
    }
    doc.block(&format!(
        "Evidence is right if its file has the SHA-256 digest that the evidence manifest gives ({}). In a bundle it lies \
         under that digest in {}.",
        code("sha256sum FILE"),
        code("evidence/")
    ));
    doc.block(&format!(
        "The activity log stood at entry {} with the digest {}. A log that does not have this entry with this digest is \
         not the log of this report ({}).",
        facts.activity.sequence,
        code(&facts.activity.digest),
        code("holdpoint log verify")
    ));
    if let Some(checkpoint) = &facts.activity.checkpoint {
        doc.block(&format!(
            "This is the log's signed head (a C2SP checkpoint). Whoever keeps it, or this report, can have proven later that the \
             log still begins as it did, and that nothing was cut off: {}.",
            code("holdpoint log verify --against report.md")
        ));
        doc.block(&fenced(Some("text"), checkpoint.trim_end()));
        if !facts.is_draft() {
            doc.block(&format!(
                "A signature that was given together with this report, as the last one of a release decision is, has its entry \
                 after this head. {} prints a later head, which covers it.",
                code("holdpoint log verify")
            ));
        }
    }
}

fn row2(name: &str, value: String) -> Vec<String> {
    vec![name.to_owned(), value]
}

fn none() -> String {
    "–".to_owned()
}

fn or_nothing(text: String) -> String {
    if text.is_empty() {
        "Nothing is written here.".to_owned()
    } else {
        text
    }
}

fn joined(texts: Vec<String>) -> String {
    if texts.is_empty() {
        none()
    } else {
        texts.join(", ")
    }
}

fn names(names: &[String]) -> String {
    joined(names.iter().map(|name| line(name)).collect())
}

fn unique(people: &[String]) -> String {
    let mut people = people.to_vec();
    people.sort();
    people.dedup();
    names(&people)
}

fn item_name(item: &Item) -> String {
    format!("{} {}", line(&item.key), line(&item.title))
}

fn finding_name(finding: &Finding) -> String {
    format!("F-{} {}", finding.number, line(&finding.title))
}

fn category(finding: &Finding) -> String {
    match finding.category.as_deref().map(str::trim) {
        None | Some("") => "Uncategorised".to_owned(),
        Some(name) => line(name),
    }
}

fn until(facts: &Facts, until: i64) -> String {
    let over = if until < facts.review.as_of {
        ", over"
    } else {
        ""
    };
    format!("{}{over}", date(until))
}

fn status(facts: &Facts, finding: &Finding) -> String {
    let decided = decided(facts, finding);
    match &finding.scanner {
        Some(claim) => format!("{decided} ({})", line(&claim.words())),
        None => decided,
    }
}

/// What people made of it.
fn decided(facts: &Facts, finding: &Finding) -> String {
    let label = finding.status.label();
    if let Some(asked) = &finding.asked {
        return format!(
            "{label}; {} asks {}",
            line(&asked.by),
            asked.request.words()
        );
    }
    match (finding.status, &finding.acceptance, finding.duplicate_of) {
        (FindingStatus::RiskAccepted, Some(acceptance), _) => format!(
            "{label} until {} by {}",
            self::until(facts, acceptance.until),
            line(&acceptance.approved_by)
        ),
        (FindingStatus::RiskAccepted, None, _) => {
            format!("{label}, with no end, so it counts as open")
        }
        (FindingStatus::Duplicate, _, Some(of)) => format!("{label} of F-{of}"),
        (FindingStatus::Open, _, Some(of)) => {
            format!("{label}: called a duplicate of F-{of}, which is fixed")
        }
        _ => label.to_owned(),
    }
}

/// "evidence race-report.txt was …, is …; finding F-2 was added (…)."
fn changes_sentence(changes: &[Change]) -> String {
    let parts: Vec<_> = changes
        .iter()
        .map(|Change { what, was, is }| match (was, is) {
            (Some(was), Some(is)) => {
                format!("{} was “{}” and is “{}”", line(what), line(was), line(is))
            }
            (Some(was), None) => format!("{} was removed (it was “{}”)", line(what), line(was)),
            (None, Some(is)) => format!("{} was added (“{}”)", line(what), line(is)),
            (None, None) => format!("{} changed", line(what)),
        })
        .collect();
    if parts.is_empty() {
        "what it was made over has changed.".to_owned()
    } else {
        format!("{}.", parts.join("; "))
    }
}
