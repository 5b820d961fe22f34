//! Whole documents, read.

use holdpoint_checklist::{
    ChecklistError, Document, Item, Reading, parse, parse_as, parse_bytes, parse_checklist,
    parse_mixed, readings, tick, tick_document, write_back,
};
use holdpoint_domain::Gating;

const SAMPLE: &str = include_str!("../testdata/phase22_production_readiness_audit.md");
const TASKS: &str = include_str!("../testdata/tasks.md");
const TIERS: &str = include_str!("../testdata/tiers.md");
const QUESTIONNAIRE: &str = include_str!("../testdata/questionnaire.md");
const BULLETS: &str = include_str!("../testdata/bullets.md");

fn titles(document: &Document) -> Vec<(&str, &str)> {
    let items = document.items.iter();
    items
        .map(|item| (item.key.as_str(), item.title.as_str()))
        .collect()
}

fn item<'a>(document: &'a Document, key: &str) -> &'a Item {
    document
        .item(key)
        .unwrap_or_else(|| panic!("no item {key} among {:?}", titles(document)))
}

fn problems(document: &Document) -> Vec<String> {
    document.problems.iter().map(ToString::to_string).collect()
}

#[test]
fn the_sample_has_its_thirteen_items_under_their_keys() {
    let document = parse(SAMPLE);
    assert_eq!(
        titles(&document),
        [
            ("2.1.1", "Config Audit"),
            ("2.1.2", "Dependency Check"),
            ("2.1.3", "Docker Compose"),
            ("2.2.1", "Log Level Strategy"),
            ("2.2.2", "Metric Coverage"),
            ("2.2.3", "Health Checks"),
            ("2.3.1", "Deployment Guide"),
            ("2.3.2", "Disaster Recovery"),
            ("2.3.3", "Rollback Plan"),
            ("2.4.1", "Secret Hygiene"),
            ("2.4.2", "Network Exposure"),
            ("2.5.1", "Critical Path Review"),
            ("2.5.2", "Error Handling"),
        ]
    );
    let last = item(&document, "2.5.2");
    assert_eq!(
        last.body,
        "Grep for ignored errors (`_ = func()`) in critical paths."
    );
    assert_eq!((last.line, last.ticked), (37, false));
    assert_eq!(
        item(&document, "2.1.1").body,
        "Review `config.yaml`, `live_server.yaml`, and environment variables. Ensure no hardcoded secrets and reasonable default timeouts."
    );
    assert!(document.problems.is_empty());
}

#[test]
fn the_sample_has_five_sections_with_items_and_three_deliverables() {
    let document = parse(SAMPLE);
    let with_items: Vec<_> = document
        .sections_with_items()
        .into_iter()
        .map(|(section, items)| {
            let number = section.number.as_deref().unwrap_or("");
            (number, section.title.as_str(), items.len())
        })
        .collect();
    assert_eq!(
        with_items,
        [
            ("2.1", "Architecture & Configuration", 3),
            ("2.2", "Observability & Debugging", 3),
            ("2.3", "Operational Procedures", 3),
            ("2.4", "Security", 2),
            ("2.5", "Final Code Walkthrough", 2),
        ]
    );
    let deliverables: Vec<_> = document
        .deliverables
        .iter()
        .map(|deliverable| (deliverable.title.as_str(), deliverable.body.as_str()))
        .collect();
    assert_eq!(
        deliverables,
        [
            (
                "Audit Report",
                "A document summarizing findings and remediations."
            ),
            (
                "Updated Documentation",
                "Revisions to `README.md`, `deployment.md`, and architecture specs."
            ),
            (
                "Hardening Patches",
                "Code fixes for any issues found during the audit."
            ),
        ]
    );
}

#[test]
fn the_sample_keeps_its_title_metadata_and_prose() {
    let document = parse(SAMPLE);
    assert_eq!(
        document.title.as_deref(),
        Some("Phase 22: Production Readiness Review (PRR)")
    );
    let metadata: Vec<_> = document
        .metadata
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        metadata,
        [
            ("Project", "OpenSQT Market Maker"),
            ("Status", "DRAFT"),
            ("Phase", "22"),
            ("Date", "Jan 22, 2026"),
        ]
    );
    assert_eq!(document.preamble, "");
    let overview = &document.sections[0];
    assert_eq!(
        (overview.key.as_str(), overview.title.as_str()),
        ("1", "Overview")
    );
    assert!(
        overview.prose.starts_with("As we approach") && overview.prose.ends_with("correctness.")
    );
    assert!(
        document.sections[1..]
            .iter()
            .all(|section| section.prose.is_empty())
    );
    assert_eq!(document.sections[2].parent, Some(1));
}

#[test]
fn the_sample_is_ticked_in_one_byte_only() {
    let ticked = tick(SAMPLE, |item| item.key == "2.4.1");
    assert_eq!(ticked, SAMPLE.replace("- [ ] **Secret", "- [x] **Secret"));
    assert_eq!(tick(SAMPLE, |_| false), SAMPLE);
}

#[test]
fn task_lists_are_read_with_every_bullet_and_at_every_depth() {
    let document = parse(TASKS);
    assert_eq!(
        titles(&document),
        [
            ("1", "Before any heading"),
            ("1.1", "Config"),
            ("1.1.1", "A nested task."),
            ("1.1.1.1", "A third level"),
            ("1.2", "Plain text only, no full stop"),
            ("1.3", "See the guide first."),
            ("1.4", "Advisory one"),
            ("1.5", "Quoted task goes on here"),
            ("1.6", "Second quoted"),
            ("2.1", "Before any heading"),
            ("2.2", "(no text)"),
            ("7.1.1", "In the child"),
        ]
    );
    assert_eq!(
        document
            .items
            .iter()
            .filter(|item| item.ticked)
            .map(|item| item.key.as_str())
            .collect::<Vec<_>>(),
        ["1.1", "1.1.1"]
    );
    assert_eq!(item(&document, "1.1.1.1").parent, Some(2));
}

#[test]
fn what_stands_below_a_task_is_its_requirement_without_nested_tasks() {
    let document = parse(TASKS);
    assert_eq!(
        item(&document, "1.1").body,
        "read `app.toml` and [the guide](https://example.org).\n\nA second paragraph.\n\n    indented code\n\n- a plain bullet\n- another\n\nAfter the nested tasks."
    );
    assert_eq!(
        item(&document, "1.1.1").body,
        "With more, e.g. this. And this."
    );
    assert_eq!(item(&document, "1.2").body, "");
    assert_eq!(item(&document, "1.4").body, "would be nice");
}

#[test]
fn a_title_that_would_lose_a_link_leaves_the_whole_text_as_requirement() {
    let document = parse(TASKS);
    assert_eq!(
        item(&document, "1.3").body,
        "See [the guide](https://example.org) first. Then go on."
    );
}

#[test]
fn hints_are_taken_from_comments_and_unknown_ones_are_reported() {
    let document = parse(TASKS);
    let hinted = item(&document, "1.4");
    assert_eq!(hinted.gating, Some(Gating::Advisory));
    assert_eq!(hinted.owner.as_deref(), Some("ana"));
    assert_eq!(hinted.scan.as_deref(), Some("gitleaks"));
    let problems = problems(&document);
    assert!(
        problems.iter().any(|p| p.contains("“maybe” is not known")),
        "{problems:?}"
    );
}

#[test]
fn problems_name_the_line_and_what_to_write() {
    let document = parse(TASKS);
    let lines: Vec<_> = document
        .problems
        .iter()
        .map(|problem| {
            let line = TASKS.lines().nth(problem.line - 1).unwrap_or("");
            (line, problem.message.split('.').next().unwrap_or(""))
        })
        .collect();
    assert_eq!(
        lines,
        [
            ("- [ ]", "the item has no text"),
            ("- [] no box", "`[]` is no box"),
            (
                "- [x]touching",
                "this is no task, since the text touches the box"
            ),
            (
                "-[ ] glued",
                "this is no task, since the box touches the bullet"
            ),
            (
                "<!-- holdpoint: blocker -->",
                "the holdpoint comment stands outside of every item, so it has no effect"
            ),
            (
                "- [ ] In the child <!-- holdpoint: maybe -->",
                "“maybe” is not known in a holdpoint comment"
            ),
            (
                "- an unnumbered one",
                "this list below the heading Deliverables is not numbered, so it gives no deliverables"
            ),
        ]
    );
}

#[test]
fn front_matter_and_header_lines_become_metadata() {
    let document = parse(TASKS);
    let metadata: Vec<_> = document
        .metadata
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        metadata,
        [
            ("title", "Front matter title"),
            ("team", "Payments"),
            ("reviewers", "ana, ben"),
            ("Status", "Draft"),
            ("Scope", "the whole service, and its jobs"),
        ]
    );
    assert_eq!(document.title.as_deref(), Some("Front matter title"));
    assert_eq!(document.preamble, "Read this first.");
}

#[test]
fn sections_without_numbers_get_those_that_are_free() {
    let document = parse(TASKS);
    let sections: Vec<_> = document
        .sections
        .iter()
        .map(|section| (section.key.as_str(), section.title.as_str(), section.parent))
        .collect();
    assert_eq!(
        sections,
        [
            ("", "Front matter title", None),
            ("1", "Part one", None),
            ("2", "Part one", None),
            ("7", "Numbered", None),
            ("7.1", "Unnumbered child", Some(3)),
            ("3", "Deliverables", None),
        ]
    );
    assert!(
        document.sections[1]
            .prose
            .starts_with("+ a plain bullet beside tasks")
    );
}

#[test]
fn keys_stay_unique_where_the_document_repeats_numbers() {
    let document = parse(
        "# T\n## 2 A\n- [ ] a\n  - [ ] b\n## 2 B\n- [ ] a\n  - [ ] b\n### 2.1 C\n- [ ] a\n- [ ] b\n",
    );
    let keys: Vec<_> = document
        .items
        .iter()
        .map(|item| item.key.as_str())
        .collect();
    assert_eq!(
        keys,
        ["2.1", "2.1.1", "2.1-2", "2.1-2.1", "2.1.1-2", "2.1.2"]
    );
}

#[test]
fn a_table_row_is_an_item_and_levels_are_tiers() {
    let document = parse(TIERS);
    assert_eq!(document.read_as, [Reading::Tables]);
    assert_eq!(
        titles(&document),
        [
            ("1.1", "Unit tests"),
            ("1.2", "Image tag"),
            ("1.3", "Load test"),
            ("2.1", "Backups are restored monthly"),
            ("2.2", "Retention is set"),
            ("2.1.1", "Replicas survive a zone"),
            ("2.1.2", "Point-in-time recovery"),
        ]
    );
    assert_eq!(
        item(&document, "1.1").tiers,
        ["Level C", "Level B", "Level A"]
    );
    assert_eq!(item(&document, "1.3").tiers, ["Level A"]);
    assert_eq!(item(&document, "2.1.1").tiers, ["A", "B"]);
    assert_eq!(item(&document, "2.1.1").owner.as_deref(), Some("ana"));
    assert_eq!(item(&document, "1.1").body, "Tests run on every push.");
    assert_eq!(
        item(&document, "1.2").body,
        "[Image tag](https://example.org/tags)\n\nImages are pinned with `a | b`, never `latest`."
    );
    assert_eq!(
        item(&document, "2.1").body,
        "**Why**: An unread backup is a hope\n\n**How to show it**: Restore log"
    );
    assert_eq!(
        document.sections[0].prose,
        "What makes a service cheap to change."
    );
}

#[test]
fn a_tier_leaves_out_rows_of_other_tiers_only() {
    let level_c = parse_as(TIERS, Reading::Tables, Some("Level C"));
    let kept: Vec<_> = level_c
        .items
        .iter()
        .map(|item| item.title.as_str())
        .collect();
    assert_eq!(
        kept,
        [
            "Unit tests",
            "Backups are restored monthly",
            "Retention is set"
        ]
    );
    let preview = &readings(TIERS)[1];
    assert_eq!((preview.reading, preview.n_items), (Reading::Tables, 7));
    let tiers: Vec<_> = preview
        .tiers
        .iter()
        .map(|tier| (tier.name.as_str(), tier.n_items))
        .collect();
    assert_eq!(
        tiers,
        [
            ("Level C", 3),
            ("Level B", 4),
            ("Level A", 5),
            ("A", 4),
            ("B", 3)
        ]
    );
}

#[test]
fn an_unknown_tier_is_refused_with_those_there_are() {
    let refusal = parse_checklist(TIERS.as_bytes(), Some(Reading::Tables), Some("Level D"));
    let message = refusal.unwrap_err().to_string();
    assert_eq!(
        message,
        "The document has no tier “Level D”. Its tiers are Level C, Level B, Level A, A, B."
    );
    assert!(parse_checklist(TIERS.as_bytes(), None, Some("Level A")).is_ok());
}

#[test]
fn a_box_in_a_table_cell_is_ticked_there() {
    let source = "| Check | Done |\n|---|---|\n| one | [ ] |\n| two | [x] |\n| three | |\n";
    let document = parse(source);
    assert_eq!(titles(&document).len(), 3);
    assert!(document.items[1].ticked);
    assert_eq!(document.items[0].body, "");
    assert_eq!(
        tick(source, |item| item.title == "one"),
        source.replace("one | [ ]", "one | [x]")
    );
}

#[test]
fn a_heading_that_asks_is_an_item() {
    let document = parse_as(QUESTIONNAIRE, Reading::Questionnaires, None);
    assert_eq!(
        titles(&document),
        [
            ("1.1", "How is the feature switched on?"),
            (
                "1.2",
                "Can it be switched off again (that is, is there a way back)?"
            ),
            ("2.1", "Which metric tells that it fails?"),
            ("2.7", "What pages a person?"),
            ("2.7.1", "And at night?"),
        ]
    );
    let first = item(&document, "1.1");
    assert!(first.body.starts_with("<!-- Name the flag"));
    assert!(first.body.ends_with("- [ ] Something else"));
    assert_eq!(item(&document, "2.1").owner.as_deref(), Some("wen"));
    assert_eq!(item(&document, "2.7").body, "");
    assert_eq!(item(&document, "2.7.1").body, "Someone must wake up.");
    let sections: Vec<_> = document.sections.iter().map(|s| s.title.as_str()).collect();
    assert_eq!(
        sections,
        [
            "Switching it on and off",
            "Describe the way back",
            "For stored data",
            "Watching it",
            "Background"
        ]
    );
}

#[test]
fn a_heading_among_questions_is_one_too() {
    let source = "# T\n## Part\n### Why?\n### How?\n### Describe it\ntext\n";
    let document = parse(source);
    assert_eq!(document.read_as, [Reading::Questionnaires]);
    assert_eq!(
        titles(&document),
        [("1.1", "Why?"), ("1.2", "How?"), ("1.3", "Describe it")]
    );
    assert_eq!(document.items[2].body, "text");
}

#[test]
fn plain_bullets_count_below_a_heading_that_says_checklist() {
    let document = parse(BULLETS);
    assert_eq!(document.read_as, [Reading::Bullets]);
    assert_eq!(
        titles(&document),
        [
            ("1.1", "The request path is drawn."),
            ("1.2", "Single points of failure are known"),
            ("1.1.1", "Retries have a limit"),
            ("1.1.2", "Timeouts are set."),
        ]
    );
    assert_eq!(item(&document, "1.1").body, "Every dependency is on it.");
    assert_eq!(
        item(&document, "1.2").body,
        "* databases\n* message brokers"
    );
    assert_eq!(
        item(&document, "1.1.2").body,
        "See below:\n\n```text\n- [ ] not an item\n```"
    );
    assert_eq!(document.preamble, "- This is an introduction, not a check.");
    assert_eq!(document.sections[2].prose, "* A book");
    assert_eq!(tick(BULLETS, |_| true), BULLETS);
}

#[test]
fn readings_can_be_mixed_and_no_item_is_read_twice() {
    let mixed = format!("{QUESTIONNAIRE}\n{TIERS}");
    let document = parse_mixed(&mixed, Reading::ALL, None);
    let n_tasks = 2;
    let n_rows = 7;
    // The first question holds the tasks, so it is a section of theirs; "2.7" holds another question.
    let n_questions = 4;
    assert_eq!(document.items.len(), n_tasks + n_rows + n_questions);
    let section = &document.sections[document.items[0].section];
    assert_eq!(section.title, "How is the feature switched on?");
}

#[test]
fn the_preview_says_what_each_reading_would_give() {
    let counts = |source: &str| -> Vec<usize> {
        readings(source)
            .iter()
            .map(|preview| preview.n_items)
            .collect()
    };
    assert_eq!(counts(SAMPLE), [13, 0, 0, 0]);
    assert_eq!(counts(QUESTIONNAIRE), [2, 0, 5, 0]);
    assert_eq!(counts(BULLETS), [0, 0, 0, 4]);
    assert_eq!(counts(TIERS), [0, 7, 0, 0]);
    assert_eq!(
        readings(SAMPLE)[0].first_titles[..2],
        ["Config Audit", "Dependency Check"]
    );
}

#[test]
fn a_document_without_items_is_refused_with_what_was_looked_for() {
    let refusal = parse_checklist(b"# Minutes\n\n- we met\n", None, None).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "Nothing in the document can be read as an item. Looked for: task-list lines (`- [ ] …`), table rows, headings that ask a question, list entries below a heading that says checklist."
    );
    let other = parse_checklist(BULLETS.as_bytes(), Some(Reading::Tasks), None).unwrap_err();
    assert_eq!(
        other.to_string(),
        "Nothing in the document can be read as an item. Looked for: task-list lines (`- [ ] …`). Other readings: “Plain bullets” would give 4."
    );
    assert!(matches!(
        parse_checklist(b"- [ ] a\xff", None, None),
        Err(ChecklistError::NotUtf8 { line: 1 })
    ));
}

#[test]
fn line_ends_and_a_byte_order_mark_change_no_text_and_survive_the_write_back() {
    for source in [SAMPLE, TASKS, TIERS, BULLETS] {
        let plain = parse(source);
        for written in [
            source.replace('\n', "\r\n"),
            source.replace('\n', "\r"),
            format!("\u{feff}{source}"),
        ] {
            let read = parse_bytes(written.as_bytes()).unwrap();
            let texts = |document: &Document| -> Vec<(String, String, usize)> {
                let items = document.items.iter();
                items
                    .map(|item| (item.title.clone(), item.body.clone(), item.line))
                    .collect()
            };
            assert_eq!(texts(&read), texts(&plain));
            assert_eq!(read.metadata, plain.metadata);
            assert_eq!(read.deliverables, plain.deliverables);
            assert_eq!(tick(&written, |_| false), written);
        }
    }
}

#[test]
fn a_task_at_the_very_end_needs_no_line_end() {
    for source in ["- [ ]", "- [ ] a", "- [ ] a\n- [x]", "* [ ] a\r\n* [ ]"] {
        let n_boxes = source.matches('[').count();
        assert_eq!(parse(source).items.len(), n_boxes, "{source:?}");
        let ticked = tick(source, |_| true);
        assert_eq!(ticked, source.replace("[ ]", "[x]"));
    }
}

#[test]
fn the_write_back_of_a_review_also_empties_boxes_that_are_not_cleared() {
    let source = "- [x] one\n- [ ] two\n- [X] three\n";
    let cleared = |item: &Item| item.title != "one";
    assert_eq!(
        write_back(source, cleared),
        "- [ ] one\n- [x] two\n- [X] three\n"
    );
    assert_eq!(tick(source, cleared), "- [x] one\n- [x] two\n- [X] three\n");
}

#[test]
fn a_document_read_from_another_source_damages_nothing() {
    let document = parse("- [ ] one\n- [ ] two\n");
    let other = "äöü äöü äöü äöü\n";
    assert_eq!(tick_document(other, &document, |_| true), other);
}

#[test]
fn titles_end_where_sentences_end() {
    let cases = [
        (
            "Check e.g. Redis. Then stop.",
            "Check e.g. Redis.",
            "Then stop.",
        ),
        ("Is it on? Yes.", "Is it on?", "Yes."),
        ("Use `a. B` here. Then", "Use a. B here.", "Then"),
        ("Version 1.2 is out", "Version 1.2 is out", ""),
        ("**All. Bold.** Rest", "All. Bold.", "Rest"),
        (
            "**Bold** only starts it. Rest",
            "Bold only starts it.",
            "Rest",
        ),
        ("**Title** - rest", "Title", "rest"),
        ("**Title**: **bold** rest", "Title", "**bold** rest"),
        ("__Title__: rest", "Title", "rest"),
        ("**[Link](x)**: rest", "Link", "**[Link](x)**: rest"),
        ("a &amp; b. C &lt; d", "a & b.", "C &lt; d"),
        ("![shot](x.png)", "shot", "![shot](x.png)"),
        ("ends… Then", "ends…", "Then"),
    ];
    for (text, title, body) in cases {
        let document = parse(&format!("- [ ] {text}\n"));
        let item = &document.items[0];
        assert_eq!(
            (item.title.as_str(), item.body.as_str()),
            (title, body),
            "{text}"
        );
    }
}

#[test]
fn a_very_long_sentence_is_cut_in_the_title_and_whole_in_the_requirement() {
    let sentence = "word ".repeat(100);
    let document = parse(&format!("- [ ] {sentence}\n"));
    let item = &document.items[0];
    assert!(item.title.ends_with("word…") && item.title.chars().count() <= 201);
    assert_eq!(item.body, sentence.trim_end());
}

#[test]
fn tabs_and_quotes_are_taken_off_a_requirement() {
    let document = parse(
        "-\t[ ]\tone\n\n\ttwo\n\n\t\tcode\n\n> > * [ ] three\n> >   four\n> five\n> >\n> >   six\n",
    );
    assert_eq!(document.items[0].title, "one");
    assert_eq!(document.items[0].body, "two\n\n    code");
    assert_eq!(document.items[1].title, "three four five");
    assert_eq!(document.items[1].body, "six");
}

/// The items' titles, and the lines of the problems.
fn titles_and_lines(text: &str) -> (Vec<String>, Vec<usize>) {
    let document = parse(text);
    let titles = document.items.iter().map(|item| item.title.clone());
    let lines = document.problems.iter().map(|problem| problem.line);
    (titles.collect(), lines.collect())
}

#[test]
fn boxes_as_gitlab_reads_them_are_items() {
    let text = "- [~] Of no use here\n- [\u{a0}] Hard space within\n- [ ]\u{a0}Hard space behind\n- [x]\u{a0} **Bold**: Both\n\n1. [~]\n";
    let document = parse(text);
    let read: Vec<_> = (document.items.iter())
        .map(|item| (item.title.as_str(), item.body.as_str(), item.ticked))
        .collect();
    assert_eq!(
        read,
        [
            ("Of no use here", "", false),
            ("Hard space within", "", false),
            ("Hard space behind", "", false),
            ("Bold", "Both", true),
            ("(no text)", "", false),
        ]
    );
    // Written back, nothing but what is within the boxes is another.
    assert_eq!(write_back(text, |item| item.ticked), text);
    assert_eq!(
        write_back(text, |item| !item.ticked),
        "- [x] Of no use here\n- [x] Hard space within\n- [x]\u{a0}Hard space behind\n- [ ]\u{a0} **Bold**: Both\n\n1. [x]\n"
    );
    assert_eq!(parse("> - [~] a\n>   - [~] b **c** d\n").items.len(), 2);
}

#[test]
fn every_line_that_looks_like_a_box_is_an_item_or_a_problem() {
    for (text, titles, lines) in [
        (
            "- [ ] One\n- [-] Cancelled\n- [/] Begun\n- [ x ] Padded\n- [*] Starred\n- [✓] Ticked\n- [A](https://example.org) link\n",
            vec!["One"],
            vec![2, 3, 4, 5, 6],
        ),
        (
            "- [ ] One\n-\u{a0}[ ] Hard space\n\n• [ ] Round bullet\n\n☐ Ballot box\n\n- ☐ In a bullet\n- ✅ Sign\n",
            vec!["One"],
            vec![2, 4, 6, 8, 9],
        ),
        (
            "- [ ] One\n\n## [ ] Heading\n\n[ ] No bullet\n[x] Nor here\n\n1.1 [ ] Clause\n1.2 [x] Clause\n\n1.[ ] Glued\n\n**[ ] Bold** box\n\n- **[ ] Bold in a bullet**\n- `[ ]` Code\n- ( ) Round\n- (x) Round\n",
            vec!["One"],
            vec![3, 5, 6, 8, 9, 11, 13, 15, 16, 17, 18],
        ),
        (
            "- [ ] One\n\n| # | Check | OK |\n|---|---|---|\n| 1 | Limits | ☐ |\n| 2 | Alerts | [x] |\n| 3 | None | no |\n",
            vec!["One"],
            vec![5, 6],
        ),
        // What is escaped is said to be no box.
        (
            "- [ ] One\n- \\[x] a\n- \\[~] b\n\n\\[ ] c\nd\n\\[ ] e\n",
            vec!["One"],
            vec![],
        ),
        // Examples in code are none.
        (
            "- [ ] One\n\n```\n[ ] a\n☐ b\n```\n\n    [ ] c\n",
            vec!["One"],
            vec![],
        ),
    ] {
        let read = titles_and_lines(text);
        let titles: Vec<String> = titles.into_iter().map(str::to_owned).collect();
        assert_eq!(read, (titles, lines), "{text}");
    }
    // Where the table is what is read, its boxes are answers.
    let table = "| Check | OK |\n|---|---|\n| Limits | ☐ |\n| Alerts | ☐ |\n";
    assert_eq!(titles_and_lines(table).1, Vec::<usize>::new());
}

#[test]
fn what_looks_like_a_task_is_glued_to_no_title() {
    let document = parse("- [ ] Backups work\n-\u{a0}[ ] Alerts work\n");
    let item = &document.items[0];
    assert_eq!(item.title, "Backups work");
    assert_eq!(item.body, "-\u{a0}[ ] Alerts work");
    assert_eq!(document.problems[0].line, 2);
}
