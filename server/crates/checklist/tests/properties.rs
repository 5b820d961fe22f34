//! What holds for every document: generated ones, whose items are known, and any text at all.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use holdpoint_checklist::{
    Document, Reading, decode, difference, parse, parse_as, parse_bytes, readings, tick,
    tick_document, write_back,
};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Bullet {
    Char(char),
    Number(char),
}

#[derive(Clone, Debug)]
struct List {
    bullet: Bullet,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    /// `None` for a plain bullet, else whether its box is ticked.
    ticked: Option<bool>,
    text: String,
    below: Vec<Block>,
}

#[derive(Clone, Debug)]
enum Block {
    Paragraph(String),
    Fence,
    Table,
    Html,
    Comment,
    List(List),
}

#[derive(Clone, Debug)]
enum Top {
    Heading(usize, &'static str),
    Block(Block),
    Quote(List),
}

#[derive(Clone, Debug)]
struct Generated {
    tops: Vec<Top>,
    tabs: bool,
    line_end: &'static str,
    ends_line: bool,
    front: &'static str,
}

/// A document's text, and the titles and boxes it was made from.
struct Written {
    text: String,
    tasks: Vec<(String, bool)>,
}

fn words() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(vec!["alpha", "Beta", "`code`", "über", "(gamma)", "x", "2"]),
        1..4,
    )
    .prop_map(|words| format!("the {}", words.join(" ")))
}

fn bullet() -> impl Strategy<Value = Bullet> {
    prop_oneof![
        prop::sample::select(vec!['-', '*', '+']).prop_map(Bullet::Char),
        prop::sample::select(vec!['.', ')']).prop_map(Bullet::Number),
    ]
}

fn leaf() -> impl Strategy<Value = Block> {
    prop_oneof![
        3 => words().prop_map(Block::Paragraph),
        1 => Just(Block::Fence),
        1 => Just(Block::Table),
        1 => Just(Block::Html),
        1 => Just(Block::Comment),
    ]
}

fn list() -> impl Strategy<Value = List> {
    let entry = |below| {
        (prop::option::weighted(0.8, any::<bool>()), words(), below).prop_map(
            |(ticked, text, below)| Entry {
                ticked,
                text,
                below,
            },
        )
    };
    let entries = prop::collection::vec(entry(prop::collection::vec(leaf(), 0..2).boxed()), 1..4);
    let flat = (bullet(), entries).prop_map(|(bullet, entries)| List { bullet, entries });
    flat.prop_recursive(4, 40, 4, move |inner| {
        let below = prop_oneof![leaf(), inner.prop_map(Block::List)];
        let entries =
            prop::collection::vec(entry(prop::collection::vec(below, 0..3).boxed()), 1..4);
        (bullet(), entries).prop_map(|(bullet, entries)| List { bullet, entries })
    })
}

fn generated() -> impl Strategy<Value = Generated> {
    let titles = vec![
        "1. One",
        "1.1 One",
        "Same",
        "Same",
        "2 Two",
        "Deliverables",
        "A checklist",
        "Why?",
    ];
    let top = prop_oneof![
        2 => (1_usize..5, prop::sample::select(titles)).prop_map(|(level, title)| Top::Heading(level, title)),
        4 => list().prop_map(|list| Top::Block(Block::List(list))),
        2 => leaf().prop_map(Top::Block),
        1 => list().prop_map(Top::Quote),
    ];
    (
        prop::collection::vec(top, 0..8),
        any::<bool>(),
        prop::sample::select(vec!["\n", "\r\n", "\r"]),
        any::<bool>(),
        prop::sample::select(vec![
            "",
            "\u{feff}",
            "---\nteam: a\n---\n",
            "**Status**: new\n\n",
        ]),
    )
        .prop_map(|(tops, tabs, line_end, ends_line, front)| Generated {
            tops,
            tabs,
            line_end,
            ends_line,
            front,
        })
}

impl Generated {
    fn write(&self) -> Written {
        let mut lines: Vec<String> = Vec::new();
        let mut tasks = Vec::new();
        for top in &self.tops {
            match top {
                Top::Heading(level, title) => {
                    lines.push(format!("{} {title}", "#".repeat(*level)));
                }
                Top::Block(block) => self.block(block, "", &mut lines, &mut tasks),
                Top::Quote(list) => {
                    let mut quoted = Vec::new();
                    // A tab after `> ` is narrower than elsewhere, so quotes are indented with spaces.
                    let spaced = Self {
                        tabs: false,
                        ..self.clone()
                    };
                    spaced.list(list, "", &mut quoted, &mut tasks);
                    lines.extend(quoted.into_iter().map(|line| format!("> {line}")));
                }
            }
            lines.push(String::new());
        }
        let mut text = format!("{}{}", self.front, lines.join("\n"));
        while text.ends_with('\n') {
            text.pop();
        }
        if self.ends_line {
            text.push('\n');
        }
        Written {
            text: text.replace('\n', self.line_end),
            tasks,
        }
    }

    fn list(
        &self,
        list: &List,
        indent: &str,
        lines: &mut Vec<String>,
        tasks: &mut Vec<(String, bool)>,
    ) {
        for (at, entry) in list.entries.iter().enumerate() {
            let marker = match list.bullet {
                Bullet::Char(bullet) => bullet.to_string(),
                Bullet::Number(end) => format!("{}{end}", at + 1),
            };
            let task = match entry.ticked {
                None => "",
                Some(false) => "[ ] ",
                Some(true) => "[x] ",
            };
            let gap = if self.tabs { "\t" } else { " " };
            lines.push(format!("{indent}{marker}{gap}{task}{}", entry.text));
            if let Some(ticked) = entry.ticked {
                tasks.push((entry.text.replace('`', ""), ticked));
            }
            let deeper = if self.tabs {
                format!("{indent}\t")
            } else {
                format!("{indent}{}", " ".repeat(marker.len() + 1))
            };
            for block in &entry.below {
                let is_list = matches!(block, Block::List(_));
                if !is_list {
                    lines.push(String::new());
                }
                self.block(block, &deeper, lines, tasks);
                if !is_list {
                    lines.push(String::new());
                }
            }
        }
    }

    fn block(
        &self,
        block: &Block,
        indent: &str,
        lines: &mut Vec<String>,
        tasks: &mut Vec<(String, bool)>,
    ) {
        let fixed: &[&str] = match block {
            Block::List(list) => return self.list(list, indent, lines, tasks),
            Block::Paragraph(text) => {
                lines.push(format!("{indent}{text}"));
                return;
            }
            Block::Fence => &["```text", "- [ ] in a fence", "# no heading", "```"],
            Block::Table => &["| a | b |", "|---|---|", "| - [ ] c | [ ] |"],
            Block::Html => &["<div>", "- [ ] in HTML", "</div>"],
            Block::Comment => &["<!--", "- [x] in a comment", "-->"],
        };
        lines.extend(fixed.iter().map(|line| format!("{indent}{line}")));
    }
}

/// All of the items that must not change when boxes are ticked.
fn texts(document: &Document) -> Vec<(&str, &str, &str, usize)> {
    let items = document.items.iter();
    items
        .map(|item| {
            (
                item.key.as_str(),
                item.title.as_str(),
                item.body.as_str(),
                item.section,
            )
        })
        .collect()
}

fn keys_are_unique(document: &Document) -> bool {
    let keys: HashSet<_> = document.items.iter().map(|item| &item.key).collect();
    keys.len() == document.items.len()
}

/// Any text that is likely to mean something in Markdown.
fn markdownish() -> impl Strategy<Value = String> {
    let pieces = vec![
        "- ",
        "* ",
        "+ ",
        "1. ",
        "2) ",
        "[ ]",
        "[x]",
        "[X]",
        "[",
        "]",
        " ",
        "  ",
        "    ",
        "\t",
        "\n",
        "\n",
        "\r\n",
        "\r",
        "> ",
        "# ",
        "## ",
        "```",
        "~~~",
        "|",
        "---",
        "|---|",
        "`",
        "**",
        "_",
        "<div>",
        "<!-- ",
        "holdpoint: ",
        " -->",
        "a",
        "Ab. C",
        ": ",
        "?",
        "checklist",
        "ü",
        "\u{feff}",
        "&amp;",
        "\\",
        "\0",
        "(",
        ")",
        "[^1]",
        "[^1]: ",
        "===",
        "Deliverables",
        "Level A",
        "e.g. ",
        "…",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_task_put_in_comes_out_in_order_and_nothing_else(document in generated()) {
        let written = document.write();
        let parsed = parse_as(&written.text, Reading::Tasks, None);
        let read: Vec<_> = parsed.items.iter().map(|item| (item.title.clone(), item.ticked)).collect();
        prop_assert_eq!(read, written.tasks, "{}", written.text);
        prop_assert!(keys_are_unique(&parsed));
        prop_assert!(parsed.items.iter().all(|item| item.box_offset.is_some()));
    }

    #[test]
    fn the_line_of_an_item_is_where_its_box_stands(document in generated()) {
        let written = document.write();
        let lines: Vec<&str> = written.text.split(document.line_end).collect();
        for item in parse_as(&written.text, Reading::Tasks, None).items {
            let has_box = ["[ ]", "[x]"].iter().any(|task| lines[item.line - 1].contains(task));
            prop_assert!(has_box, "{}: {:?}", item.line, lines);
        }
    }

    #[test]
    fn nothing_ticked_is_the_same_bytes(document in generated()) {
        let text = document.write().text;
        prop_assert_eq!(tick(&text, |_| false), text.clone());
        let parsed = parse(&text);
        let as_they_are: HashSet<_> = parsed.items.iter().filter(|item| item.ticked).map(|item| item.key.clone()).collect();
        prop_assert_eq!(write_back(&text, |item| as_they_are.contains(&item.key)), text);
    }

    #[test]
    fn ticking_all_changes_boxes_and_no_other_byte(document in generated()) {
        let text = document.write().text;
        let before = parse_as(&text, Reading::Tasks, None);
        let ticked = tick_document(&text, &before, |_| true);
        let after = parse_as(&ticked, Reading::Tasks, None);
        let boxes: HashSet<_> = before.items.iter().filter(|item| !item.ticked).filter_map(|item| item.box_offset).collect();
        prop_assert_eq!(text.len(), ticked.len());
        for (at, (old, new)) in text.bytes().zip(ticked.bytes()).enumerate() {
            let expected = if boxes.contains(&at) { b'x' } else { old };
            prop_assert_eq!(new, expected, "at {}", at);
        }
        prop_assert!(after.items.iter().all(|item| item.ticked));
        prop_assert_eq!(texts(&after), texts(&before));
        prop_assert!(difference(&before, &after).is_empty());
    }

    #[test]
    fn a_document_does_not_differ_from_itself(document in generated()) {
        let parsed = parse(&document.write().text);
        let same = difference(&parsed, &parsed);
        prop_assert!(same.is_empty());
        prop_assert_eq!(same.unchanged.len(), parsed.items.len());
    }

    #[test]
    fn a_difference_accounts_for_every_item_once(one in generated(), other in generated()) {
        let (old, new) = (parse(&one.write().text), parse(&other.write().text));
        let difference = difference(&old, &new);
        let pairs = || difference.reworded.iter().chain(&difference.moved).chain(&difference.unchanged);
        let mut of_old: Vec<_> = pairs().map(|pair| pair.old).chain(difference.removed.iter().copied()).collect();
        let mut of_new: Vec<_> = pairs().map(|pair| pair.new).chain(difference.added.iter().copied()).collect();
        of_old.sort_unstable();
        of_new.sort_unstable();
        prop_assert_eq!(of_old, (0..old.items.len()).collect::<Vec<_>>());
        prop_assert_eq!(of_new, (0..new.items.len()).collect::<Vec<_>>());
    }

    #[test]
    fn no_text_makes_the_reader_panic_or_lose_a_byte(text in prop_oneof![markdownish(), any::<String>()]) {
        for reading in Reading::ALL {
            let document = parse_as(&text, *reading, None);
            prop_assert!(keys_are_unique(&document));
            prop_assert_eq!(tick_document(&text, &document, |_| false), text.clone());
            let ticked = tick_document(&text, &document, |_| true);
            let again = parse_as(&ticked, *reading, None);
            prop_assert_eq!(texts(&again), texts(&document));
            prop_assert!(again.items.iter().all(|item| item.ticked || item.box_offset.is_none()));
        }
        prop_assert_eq!(readings(&text).len(), 4);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(parse_bytes(&bytes).is_ok(), decode(&bytes).is_ok());
    }
}

fn large(n_items: usize) -> String {
    let mut text = String::from("# Large\n\n");
    for n in 0..n_items {
        if n % 10 == 0 {
            text.push_str("\n## Section\n\nSome words.\n\n");
        }
        let indent = if n % 10 == 3 { "  " } else { "" };
        text.push_str(indent);
        text.push_str("- [ ] **Same title**: requirement with `code`.\n");
    }
    text
}

#[test]
fn ten_thousand_items_are_read_and_written_back() {
    let text = large(10_000);
    let document = parse(&text);
    assert_eq!(document.items.len(), 10_000);
    assert!(keys_are_unique(&document));
    assert_eq!(tick(&text, |_| true), text.replace("[ ]", "[x]"));
}

#[test]
fn four_times_the_items_take_nowhere_near_sixteen_times_as_long() {
    let time = |n_items: usize| -> Duration {
        let text = large(n_items);
        let once = || {
            let start = Instant::now();
            let document = parse(&text);
            let difference = difference(&document, &parse(&text.replace("Same", "Other")));
            assert_eq!(difference.reworded.len() + difference.added.len(), n_items);
            start.elapsed()
        };
        (0..3).map(|_| once()).min().unwrap_or_default()
    };
    let (small, large) = (time(2_500), time(10_000));
    assert!(large < small * 10, "{small:?} became {large:?}");
}

#[test]
fn hostile_nesting_is_read_without_overflowing() {
    let texts = [
        "- ".repeat(20_000) + "[ ] x",
        "> ".repeat(20_000) + "- [ ] x",
        (0..400)
            .map(|n| format!("{}- [ ] x\n", "  ".repeat(n)))
            .collect(),
        "**".repeat(20_000),
        "[".repeat(20_000) + &"]".repeat(20_000),
        "|".repeat(20_000) + "\n" + &"|-".repeat(20_000) + "\n" + &"|x".repeat(20_000),
        "# 2\n## y\n- [ ] x\n".repeat(3_000),
        "<!-- holdpoint: advisory -->\n".repeat(5_000),
    ];
    for text in texts {
        let document = parse(&text);
        assert!(keys_are_unique(&document));
        assert_eq!(tick_document(&text, &document, |_| false), text);
    }
}
