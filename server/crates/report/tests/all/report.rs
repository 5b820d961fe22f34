//! `report.md` of the sample review: what it says, that it is the same each time, and that no text breaks it.

use crate::sample::{audited, released};
use holdpoint_domain::policy::{Limits, RequiredScan};
use holdpoint_report::{Facts, markdown};
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

#[test]
fn the_audit_report_reads_as_its_snapshot() {
    insta::with_settings!({ snapshot_path => "../../testdata", prepend_module_to_snapshot => false }, {
        insta::assert_binary_snapshot!("audited.md", markdown(audited()).into_bytes());
        insta::assert_binary_snapshot!("released.md", markdown(released()).into_bytes());
    });
}

#[test]
fn the_policy_says_whether_findings_past_their_limit_hold_back_and_what_the_limits_are() {
    let mut facts = audited();
    let said = |facts: &Facts| {
        let report = markdown(facts.clone());
        let mut rows = report.lines().map(str::to_owned);
        rows.find(|row| row.starts_with("| Policy |")).unwrap()
    };
    assert!(said(&facts).contains("; open findings past their limit do not block; "));
    let policy = &mut facts.review.policy;
    policy.late_findings_block = true;
    policy.limits.high = Some(1);
    policy.limits.medium = None;
    let row = said(&facts);
    assert!(
        row.contains(
            "; open findings past their limit block: critical 3 days, high 1 day, unrated 1 day; "
        ),
        "{row}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&holdpoint_report::json(facts.clone())).unwrap();
    assert_eq!(json["review"]["policy"]["late_findings_block"], true);
    facts.review.policy.limits = Limits {
        critical: None,
        high: None,
        medium: None,
        ..Limits::default()
    };
    assert!(said(&facts).contains("past their limit block: no severity has one; "));
}

/// What a reader sees: texts and code without marks, each block on its own line.
fn seen(report: &str) -> String {
    let mut text = String::new();
    for event in Parser::new_ext(report, Options::ENABLE_TABLES) {
        match event {
            Event::Text(t) | Event::Code(t) => text.push_str(&t),
            Event::SoftBreak | Event::HardBreak => text.push(' '),
            Event::End(TagEnd::TableCell) => text.push_str(" | "),
            Event::End(
                TagEnd::TableRow
                | TagEnd::TableHead
                | TagEnd::Paragraph
                | TagEnd::Heading(_)
                | TagEnd::Item,
            ) => {
                text.push('\n');
            }
            _ => {}
        }
    }
    text
}

#[test]
fn the_report_says_everything_that_the_hand_written_one_says() {
    let report = markdown(audited());
    let seen = seen(&report);
    let facts = [
        // The summary, row by row.
        "CRITICAL | Code | OrderExecutor uses fixed RNG (0.5) for retry jitter | Replace with math/rand or crypto/rand | ",
        "CRITICAL | Code | BatchPlaceOrders never sets marginError flag | Update logic to detect margin errors in batch loop | ",
        "HIGH | Code | Inefficient/Custom string search in isPostOnlyError | Replace with strings.Contains | ",
        "HIGH | Config | postgres default password is \"secret\" in docker-compose | Add warning to README / Enforce strong passwords in prod env vars | ",
        "HIGH | Docs | deployment.md recommends deprecated \"Standalone Mode\" | Update doc to mandate gRPC mode | ",
        "LOW | Code | Manual pow implementation | Replace with math.Pow | ",
        "LOW | Config | market_maker exposes port 8080 (Health) publicly | Ensure firewall rules or reverse proxy handle auth if exposed | ",
        // The detailed texts.
        "Broken Jitter (randFloat)\nThe randFloat function in executor.go returns a static 0.5. This causes all retrying instances to sync up (thundering herd), negating the benefit of jitter.",
        "func randFloat() float64 {\n    // Simple pseudo-random for testing - in production use crypto/rand\n    return 0.5 // Fixed for deterministic testing\n}",
        "Broken Batch Error Reporting\nIn BatchPlaceOrders, the marginError variable is defined but never updated, even if an error occurs. This effectively disables \"Fail Fast\" logic for margin issues during batch operations.",
        "Inefficient String Search\nA custom recursive containsString function is used instead of the standard strings.Contains. This is inefficient and harder to maintain.",
        "Default Secrets\ndocker-compose.yml sets POSTGRES_PASSWORD to \"secret\" by default. While acceptable for dev, this is a risk for production if users blindly deploy.",
        "Outdated Deployment Guide\ndocs/deployment.md currently lists \"Standalone Mode (Go Native)\" as the \"recommended\" mode. This contradicts the Phase 16 gRPC Architecture mandate which requires the split architecture for all production deployments.",
        // The remediation plan: each step, who and when.
        "Import math/rand (or crypto/rand) and math. Replace randFloat with real RNG. | Ana Lima | 2026-01-26 | ",
        "Replace containsString with strings.Contains. | Ana Lima | 2026-01-30 | ",
        "Implement error classification in BatchPlaceOrders to set marginError = true on relevant errors. | Ana Lima | 2026-01-26 | ",
        "Rewrite docs/deployment.md to feature gRPC deployment as the primary/only production method. | Ana Lima | 2026-01-30 | ",
        "Add security warning about default passwords in README.md. | Ana Lima | 2026-01-30 | ",
        // The head: title, date, who.
        "Phase 22: Production Readiness Review (PRR)",
        "Jan 22, 2026",
        "Written by: Ana Lima",
    ];
    for fact in facts {
        assert!(
            seen.contains(fact),
            "the report does not say: {fact}\n\n{seen}"
        );
    }
    assert!(
        report.contains("```go\nfunc randFloat() float64 {\n"),
        "the code block is no Go"
    );
    for (earlier, later) in [
        ("# DRAFT: Production", "## Verdict and release decision"),
        ("## Verdict and release decision", "## Sign-offs"),
        ("## Sign-offs", "## Findings summary"),
        ("## Findings summary", "## Checklist results"),
        ("## Checklist results", "## Waivers and accepted risks"),
        ("## Waivers and accepted risks", "## Detailed findings"),
        ("## Detailed findings", "## Remediation plan"),
        ("## Remediation plan", "## Deliverables"),
        ("## Deliverables", "## Evidence manifest"),
        ("## Evidence manifest", "## Scan provenance"),
        ("## Scan provenance", "## Changes since the last review"),
        ("## Changes since the last review", "## How to verify"),
    ] {
        assert!(
            report.find(earlier).unwrap() < report.find(later).unwrap(),
            "{later} stands before {earlier}"
        );
    }
}

#[test]
fn a_report_is_a_draft_until_enough_people_have_validly_decided() {
    use holdpoint_report::facts::{ReleaseWord, Standing};
    assert!(markdown(audited()).contains("DRAFT"));
    let mut facts = released();
    assert!(!facts.is_draft());
    assert!(!markdown(facts.clone()).contains("DRAFT"));
    facts.review.policy.approvals = 2;
    assert!(facts.is_draft(), "one of two approvals is no decision");
    facts
        .release_decisions
        .push(facts.release_decisions[0].clone());
    assert!(
        facts.is_draft(),
        "one person signing twice is no second approval"
    );
    facts.release_decisions[1].by = "Rui Sousa".into();
    assert!(!facts.is_draft());
    facts.release_decisions[1].standing = Standing::Void;
    assert!(facts.is_draft(), "a void decision does not count");
    facts.release_decisions[0].decision = ReleaseWord::NoGo;
    assert!(!facts.is_draft(), "NO-GO is a decision");
}

#[test]
fn a_relaxed_four_eyes_rule_is_said() {
    let mut facts = released();
    assert!(!markdown(facts.clone()).contains("Four eyes were not asked for"));
    facts.review.policy.four_eyes = false;
    assert!(markdown(facts.clone()).contains("Four eyes were not asked for"));
}

#[test]
fn the_order_in_which_facts_were_read_changes_no_byte() {
    use holdpoint_report::{csv, json, sarif};
    let facts = released();
    let mut other = facts.clone();
    other.metadata.reverse();
    other.people.reverse();
    other.sections.reverse();
    other.items.reverse();
    for item in &mut other.items {
        item.sign_offs.reverse();
        item.evidence.reverse();
    }
    other.findings.reverse();
    other.patches.reverse();
    for patch in &mut other.patches {
        patch.touches.reverse();
        patch.findings.reverse();
    }
    other.deliverables.reverse();
    other.scans.reverse();
    other.verdict.reasons.reverse();
    other.since.as_mut().unwrap().changes.reverse();
    assert_ne!(facts, other);
    assert_eq!(markdown(facts.clone()), markdown(other.clone()));
    assert_eq!(json(facts.clone()), json(other.clone()));
    assert_eq!(sarif(facts.clone()), sarif(other.clone()));
    assert_eq!(csv(facts.clone()), csv(other.clone()));
}

/// The document's structure, without what is written in it.
#[derive(Debug, Default, PartialEq)]
struct Structure {
    headings: Vec<String>,
    /// The number of rows and of cells of each table.
    tables: Vec<(usize, usize)>,
    html: Vec<String>,
    unsafe_links: Vec<String>,
    images: usize,
    rules: usize,
}

fn structure(report: &str) -> Structure {
    let mut found = Structure::default();
    for event in Parser::new_ext(report, Options::all()) {
        match event {
            Event::Start(Tag::Heading { level, .. }) => found.headings.push(level.to_string()),
            Event::Start(Tag::Table(_)) => found.tables.push((0, 0)),
            Event::Start(Tag::TableRow | Tag::TableHead) => found.tables.last_mut().unwrap().0 += 1,
            Event::Start(Tag::TableCell) => found.tables.last_mut().unwrap().1 += 1,
            Event::Html(html) | Event::InlineHtml(html) => found.html.push(html.to_string()),
            Event::Start(Tag::Link { dest_url, .. }) => {
                let safe = ["https://", "http://", "mailto:"]
                    .iter()
                    .any(|s| dest_url.to_lowercase().starts_with(s));
                if !safe {
                    found.unsafe_links.push(dest_url.to_string());
                }
            }
            Event::Start(Tag::Image { .. }) => found.images += 1,
            Event::Rule => found.rules += 1,
            _ => {}
        }
    }
    found
}

/// The sample with these texts wherever a person or a tool could write one.
fn with_texts(texts: &[String]) -> Facts {
    let mut next = texts.iter().cycle();
    let mut text = move || next.next().unwrap().clone();
    let mut facts = released();
    facts.instance.name = text();
    facts.service.name = text();
    facts.service.slug = text();
    facts.service.repository = Some(text());
    facts.service.description = format!("x{}", text());
    facts.review.title = text();
    facts.review.release = text();
    facts.review.target_commit = Some(text());
    facts.review.template.as_mut().unwrap().name = text();
    facts.review.policy.required_scans = vec![RequiredScan {
        tool: text(),
        label: Some(text()),
    }];
    for entry in &mut facts.metadata {
        entry.name = text();
        entry.value = text();
    }
    for person in &mut facts.people {
        person.role = text();
        person.email = Some(text());
        if let Some(account) = &mut person.account {
            account.invited_by = Some(text());
            account.password_reset = Some((text(), 0));
        }
    }
    for section in &mut facts.sections {
        section.title = text();
        section.text = text();
    }
    for item in &mut facts.items {
        item.title = text();
        item.requirement = text();
        item.owner = Some(text());
        item.reviewers = vec![text(), text()];
        for sign_off in &mut item.sign_offs {
            sign_off.by = text();
            sign_off.role = text();
            sign_off.statement = text();
            for change in &mut sign_off.changes {
                change.what = text();
                change.was = Some(text());
            }
        }
        for evidence in &mut item.evidence {
            evidence.title = text();
            evidence.text = Some(text());
            evidence.file_name = Some(text());
            evidence.path = Some(text());
            evidence.command = Some(text());
            evidence.commit = Some(text());
            if let Some(withdrawn) = &mut evidence.withdrawn {
                withdrawn.reason = text();
            }
        }
        if let Some(waiver) = &mut item.waiver {
            waiver.reason = text();
            waiver.risk = text();
        }
    }
    for finding in &mut facts.findings {
        finding.title = text();
        finding.problem = text();
        finding.remediation = text();
        finding.rule = Some(text());
        finding.tool = Some(text());
        finding.path = Some(text());
        finding.help_url = Some(text());
        finding.component = Some(text());
        finding.cve = vec![text()];
        finding.snippet = Some(holdpoint_report::facts::Snippet {
            language: Some(text()),
            text: text(),
        });
        if let Some(triage) = &mut finding.triage {
            triage.reason = text();
        }
        if let Some(acceptance) = &mut finding.acceptance {
            acceptance.reason = text();
            acceptance.asked_by = text();
        }
    }
    for patch in &mut facts.patches {
        patch.title = text();
        patch.author = text();
        patch.touches = vec![text()];
        patch.files[0].path = text();
    }
    for deliverable in &mut facts.deliverables {
        deliverable.title = text();
        deliverable.text = text();
        deliverable.note = Some(text());
        deliverable.link = Some(text());
    }
    for scan in &mut facts.scans {
        scan.tool = text();
        scan.version = Some(text());
        scan.series = text();
        scan.file_name = Some(text());
        scan.complete = false;
        scan.incomplete_because = Some(text());
    }
    for reason in &mut facts.verdict.waivers {
        reason.title = text();
        reason.why = text();
        reason.who = vec![text()];
    }
    for decision in &mut facts.release_decisions {
        decision.by = text();
        decision.statement = text();
    }
    let since = facts.since.as_mut().unwrap();
    since.title = text();
    for change in &mut since.changes {
        change.what = text();
        change.is = Some(text());
    }
    facts
}

fn check(texts: &[String]) {
    let report = markdown(with_texts(texts));
    let found = structure(&report);
    let mut expected = structure(&markdown(with_texts(&["plain".to_owned()])));
    expected.html.clear();
    expected.unsafe_links.clear();
    assert_eq!(found, expected, "of {texts:?}");
    let hidden = report.chars().find(|c| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    });
    assert_eq!(hidden, None, "of {texts:?}");
}

const HOSTILE: &[&str] = &[
    "```\n# x\n",
    "~~~",
    "| a | b |\n|---|---|\n| c | d |",
    "<script>alert(1)</script>",
    "# x",
    "---",
    "===",
    "x\n===",
    "x\n---",
    "<!-- x",
    "-->",
    "\u{202e}evil",
    "\0\u{7}",
    "a\r\nb",
    "a|b",
    "`a|b`",
    "``",
    "`",
    "\\",
    "\\|",
    "`\\`|",
    "a\\",
    "[x](javascript:alert(1))",
    "![x](https://e.org/x.png)",
    "<https://e.org>",
    "<javascript:alert(1)>",
    "[a]: https://e.org",
    "[a]",
    "[^1]",
    "[^1]: x",
    "- a\n- b\n  - c",
    "1. a\n\n   ```\n   x",
    "> q\n> # h",
    "    code",
    "\tcode",
    "&lt;b&gt;",
    "&#60;b&#62;",
    "&amp;lt;",
    "*",
    "**",
    "***",
    "* * *",
    "_a_",
    "+ a",
    "1) a",
    ":--",
    ":-|-:",
    "a\n:-",
    "a\n-",
    "-\n-",
    "- \n",
    "$$x$$",
    "^[x]",
    "a\n\n<div>\n\n# x\n\n</div>",
    "<b>x",
    "</td></tr>",
    "{.x #y}",
    "# x {#y}",
    "\u{2028}# x",
    "\u{85}# x",
    "x  \n# y",
    "*a\n# b*",
    "[a\n# b](https://e.org)",
    "`a\n# b`",
    "|",
    "||",
    "~~a~~ ~~~b",
    "- [ ] a\n- [x]\n-",
    "- ***",
    "www.e.org",
    "mailto:x@y.z",
    "https://e.org/|x|`y`",
    "=1+1",
    "+++\na\n+++",
    "---\na: b\n---",
    "> ",
    "a\n> b",
    "[[a|b]]",
    "H~2~O ^2^",
    "term\n: def",
    "**[*a*](https://e.org)**",
];

#[test]
fn no_hostile_text_breaks_the_structure() {
    for text in HOSTILE {
        check(&[(*text).to_owned()]);
    }
    let all: Vec<_> = HOSTILE.iter().map(|text| (*text).to_owned()).collect();
    check(&all);
}

#[test]
fn a_text_of_nothing_but_nesting_stays_small() {
    let mut facts = released();
    facts.findings[0].problem = "> ".repeat(20_000) + "deep";
    facts.findings[1].problem = (0..500)
        .map(|n| format!("{}- x\n", "  ".repeat(n)))
        .collect();
    let report = markdown(facts.clone());
    assert!(report.len() < 400_000, "{} bytes", report.len());
    assert!(report.contains("deep"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_breaks_the_structure(
        texts in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(prop::sample::select(HOSTILE), 1..5).prop_map(|parts| parts.join("\n")),
                prop::collection::vec(prop::sample::select(HOSTILE), 1..5).prop_map(|parts| parts.concat()),
                "[ \\n\\t`*_\\[\\]()<>|#~:=+>\\\\&;!a1.-]{0,40}",
                ".{0,30}",
            ],
            1..7,
        )
    ) {
        check(&texts);
    }
}
