//! What counts as the same text: the normalisation that comes before every digest of a requirement.
//!
//! Version 2 ([`holdpoint_domain::normalise::VERSION`], which is itself part of every digest) goes by what the Markdown
//! parser reads, never by how a line looks:
//!
//! 1. Runs of white space in running text, line ends included, are one space; none stays at either end of a paragraph,
//!    heading or cell. Whether a list is tight or loose does not count either: that is blank lines.
//! 2. How a list is marked (`-`, `*`, `+`, `1.`, `1)`) does not count; that something is an entry of a list does. The
//!    number that a list starts with counts unless it is 0 or 1: `99. percentile` is the text's own number, not a marker.
//! 3. Whether a real task box is ticked does not count; that there is one does.
//! 4. A heading's number does not count where it is the document's own: it has at least three parts and lies below the
//!    key of the item whose text this is (`2.5.1.3` in item `2.5.1`). Every other number is a fact.
//! 5. Code, in a line or as a block, and raw HTML count byte by byte; of line ends only that they are some.
//!
//! Everything else counts: letters, punctuation, emphasis, links with their targets, levels of headings, tables with
//! their columns' sides, hard line breaks. The outcome is text that people can still read, in which `⟨` and `⟩` enclose
//! the structure; where they, a backslash or a backtick stand in the text itself, a backslash stands before them. So two
//! texts have the same outcome only if they are shown the same but for the five things above.

use std::borrow::Cow;

use holdpoint_domain::nesting::shallow;
use pulldown_cmark::{
    Alignment, BlockQuoteKind, CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd,
    TextMergeStream,
};

/// What pages read Markdown with.
const OPTIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS);

/// A text of Markdown as it counts for a digest; `key` is that of the item whose text it is.
pub fn normalise(text: &str, key: Option<&str>) -> String {
    let text = with_plain_line_ends(text);
    let mut normal = Normal {
        out: String::with_capacity(text.len()),
        key,
        ..Normal::default()
    };
    // What nests deeper than pages show is nothing that a person reads, and is taken as the bytes that it is.
    if matches!(shallow(&text), Cow::Owned(_)) {
        normal.exact("bytes", &text);
        return normal.out;
    }
    for event in TextMergeStream::new(Parser::new_ext(&text, OPTIONS)) {
        normal.event(&event);
    }
    normal.end_block();
    normal.out
}

/// A line of plain text, such as a title, as it counts for a digest: white space only, and not where the line has code.
pub fn normalise_line(text: &str) -> String {
    if text.contains('`') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

fn with_plain_line_ends(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each says one thing about where the text is, and any of them may hold together"
)]
#[derive(Default)]
struct Normal<'a> {
    out: String,
    key: Option<&'a str>,
    /// Within a paragraph, a heading or a cell; or in the text of a list's entry, which is a paragraph too.
    is_inline: bool,
    /// Nothing of that was written yet.
    is_fresh: bool,
    /// White space that is written when something follows.
    has_gap: bool,
    /// The next text is the beginning of a heading.
    is_heading_start: bool,
    /// A list has just ended: if another begins, only their markers tell them apart.
    after_list: Option<usize>,
    /// The text of a block that counts byte by byte.
    exact: Option<String>,
}

impl Normal<'_> {
    fn event(&mut self, event: &Event<'_>) {
        if let Some(exact) = &mut self.exact {
            match event {
                Event::Text(text) | Event::Html(text) => {
                    exact.push_str(text);
                    return;
                }
                Event::End(TagEnd::CodeBlock | TagEnd::HtmlBlock) => {}
                _ => return,
            }
        }
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(*tag),
            Event::Text(text) => self.text(text),
            Event::Code(code) => {
                self.begin_inline();
                self.out.push('`');
                escape(&mut self.out, code);
                self.out.push('`');
            }
            Event::InlineHtml(html) => {
                self.begin_inline();
                self.exact("html", html);
            }
            // Outside a block of HTML the parser gives none.
            Event::Html(html) => {
                self.begin_inline();
                self.exact("block", html);
            }
            Event::SoftBreak => self.has_gap = true,
            Event::HardBreak => {
                self.has_gap = false;
                self.begin_inline();
                self.out.push_str("⟨br⟩");
                self.is_fresh = true;
            }
            Event::Rule => self.block("⟨rule⟩"),
            Event::TaskListMarker(_) => {
                self.begin_inline();
                self.out.push_str("⟨box⟩");
                self.is_fresh = true;
            }
            Event::FootnoteReference(label) => self.inline("footnote", label),
            Event::InlineMath(math) => self.inline("math", math),
            Event::DisplayMath(math) => self.inline("display-math", math),
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Paragraph => {
                self.end_block();
                self.begin_block();
            }
            Tag::Heading { level, .. } => {
                self.block(&format!("⟨{level}⟩"));
                self.is_inline = true;
                self.is_fresh = true;
                self.is_heading_start = true;
            }
            Tag::BlockQuote(kind) => self.block(match kind {
                None => "⟨quote⟩",
                Some(BlockQuoteKind::Note) => "⟨quote note⟩",
                Some(BlockQuoteKind::Tip) => "⟨quote tip⟩",
                Some(BlockQuoteKind::Important) => "⟨quote important⟩",
                Some(BlockQuoteKind::Warning) => "⟨quote warning⟩",
                Some(BlockQuoteKind::Caution) => "⟨quote caution⟩",
            }),
            Tag::CodeBlock(kind) => {
                let info = match kind {
                    CodeBlockKind::Indented => "",
                    CodeBlockKind::Fenced(info) => info,
                };
                self.block("⟨code ");
                escape(&mut self.out, info);
                self.out.push('⟩');
                self.exact = Some(String::new());
            }
            Tag::HtmlBlock => {
                self.block("⟨block⟩");
                self.exact = Some(String::new());
            }
            Tag::List(start) => {
                self.end_block();
                match (self.after_list.take(), start.filter(|start| *start > 1)) {
                    (_, Some(start)) => self.block(&format!("⟨list {start}⟩")),
                    (Some(end), None) => self.out.truncate(end),
                    (None, None) => self.block("⟨list⟩"),
                }
            }
            Tag::Item => self.block("⟨entry⟩"),
            Tag::Table(sides) => {
                self.block("⟨table");
                for side in sides {
                    self.out.push_str(match side {
                        Alignment::None => " .",
                        Alignment::Left => " left",
                        Alignment::Center => " centre",
                        Alignment::Right => " right",
                    });
                }
                self.out.push('⟩');
            }
            Tag::TableHead => self.block("⟨head⟩"),
            Tag::TableRow => self.block("⟨row⟩"),
            Tag::TableCell => {
                self.block("⟨cell⟩");
                self.is_inline = true;
                self.is_fresh = true;
            }
            Tag::Emphasis => self.mark("⟨em⟩"),
            Tag::Strong => self.mark("⟨strong⟩"),
            Tag::Strikethrough => self.mark("⟨del⟩"),
            Tag::Superscript => self.mark("⟨sup⟩"),
            Tag::Subscript => self.mark("⟨sub⟩"),
            Tag::Link {
                link_type,
                dest_url,
                title,
                ..
            } => {
                let scheme = if *link_type == LinkType::Email {
                    "mailto:"
                } else {
                    ""
                };
                self.target("link", scheme, dest_url, title);
            }
            Tag::Image {
                dest_url, title, ..
            } => self.target("image", "", dest_url, title),
            Tag::FootnoteDefinition(label) => {
                self.block("⟨footnote ");
                escape(&mut self.out, label);
                self.out.push('⟩');
            }
            Tag::DefinitionList => self.block("⟨definitions⟩"),
            Tag::DefinitionListTitle => self.block("⟨term⟩"),
            Tag::DefinitionListDefinition => self.block("⟨definition⟩"),
            Tag::MetadataBlock(_) => self.block("⟨metadata⟩"),
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Emphasis => self.mark("⟨/em⟩"),
            TagEnd::Strong => self.mark("⟨/strong⟩"),
            TagEnd::Strikethrough => self.mark("⟨/del⟩"),
            TagEnd::Superscript => self.mark("⟨/sup⟩"),
            TagEnd::Subscript => self.mark("⟨/sub⟩"),
            TagEnd::Link => self.mark("⟨/link⟩"),
            TagEnd::Image => self.mark("⟨/image⟩"),
            TagEnd::CodeBlock | TagEnd::HtmlBlock => {
                let exact = self.exact.take().unwrap_or_default();
                escape(&mut self.out, &exact);
                self.out.push_str("⟨/⟩");
            }
            TagEnd::List(_) => {
                self.end_block();
                let before = self.out.len();
                self.block("⟨/list⟩");
                self.after_list = Some(before);
            }
            // What stands in these was one block, which ends with them.
            TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::TableCell => self.end_block(),
            TagEnd::BlockQuote(_)
            | TagEnd::Item
            | TagEnd::FootnoteDefinition
            | TagEnd::DefinitionList
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition
            | TagEnd::Table
            | TagEnd::TableHead
            | TagEnd::TableRow
            | TagEnd::MetadataBlock(_) => self.block("⟨/⟩"),
        }
    }

    fn text(&mut self, text: &str) {
        let text = match self.key {
            Some(key) if self.is_heading_start => without_own_number(text, key),
            _ => text,
        };
        self.is_heading_start = false;
        let mut at_word = false;
        for c in text.chars() {
            if c.is_whitespace() {
                self.has_gap = true;
                at_word = false;
                continue;
            }
            if !at_word {
                self.begin_inline();
                at_word = true;
            }
            if matches!(c, '\\' | '`' | '⟨' | '⟩') {
                self.out.push('\\');
            }
            self.out.push(c);
        }
    }

    /// A piece within a line whose text counts byte by byte.
    fn inline(&mut self, what: &str, text: &str) {
        self.begin_inline();
        self.exact(what, text);
    }

    fn exact(&mut self, what: &str, text: &str) {
        self.out.push('⟨');
        self.out.push_str(what);
        self.out.push('⟩');
        escape(&mut self.out, text);
        self.out.push_str("⟨/⟩");
    }

    fn target(&mut self, what: &str, scheme: &str, target: &str, title: &str) {
        self.begin_inline();
        self.out.push('⟨');
        self.out.push_str(what);
        self.out.push(' ');
        self.out.push_str(scheme);
        escape(&mut self.out, target);
        self.out.push('⟩');
        if !title.is_empty() {
            self.exact("title", title);
        }
    }

    /// The beginning or end of emphasis and the like.
    fn mark(&mut self, mark: &str) {
        self.begin_inline();
        self.out.push_str(mark);
    }

    /// Something within a line follows: opens the paragraph of an entry that has no paragraph of its own, and writes the
    /// white space before it.
    fn begin_inline(&mut self) {
        if !self.is_inline {
            self.begin_block();
        }
        if self.has_gap && !self.is_fresh {
            self.out.push(' ');
        }
        self.is_heading_start = false;
        self.has_gap = false;
        self.is_fresh = false;
    }

    fn begin_block(&mut self) {
        self.line();
        self.is_inline = true;
        self.is_fresh = true;
        self.has_gap = false;
    }

    fn end_block(&mut self) {
        self.is_inline = false;
        self.is_heading_start = false;
        self.has_gap = false;
    }

    /// A structure's beginning or end, on a line of its own.
    fn block(&mut self, mark: &str) {
        self.end_block();
        self.line();
        self.out.push_str(mark);
    }

    fn line(&mut self) {
        self.after_list = None;
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '⟨' | '⟩') {
            out.push('\\');
        }
        out.push(c);
    }
}

/// A heading's text without its number, where that is the document's own.
fn without_own_number<'a>(text: &'a str, key: &str) -> &'a str {
    let trimmed = text.trim_start();
    let end = trimmed
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(trimmed.len());
    let (number, rest) = trimmed.split_at(end);
    let rest = rest.strip_prefix(')').unwrap_or(rest);
    let number = number.strip_suffix('.').unwrap_or(number);
    let below = number
        .strip_prefix(key)
        .and_then(|below| below.strip_prefix('.'));
    let is_own = key.contains('.')
        && below.is_some_and(|below| below.split('.').all(|part| !part.is_empty()))
        && rest.starts_with(char::is_whitespace);
    if is_own { rest } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str) -> bool {
        normalise(one, Some("2.5.1")) == normalise(other, Some("2.5.1"))
    }

    #[test]
    fn a_paragraph_of_words_is_itself() {
        for text in ["Review the config.", "p99 < 200 ms & *more*, 2 * 3 > 5"] {
            assert_eq!(
                normalise(text, None),
                text.replace("*more*", "⟨em⟩more⟨/em⟩")
            );
        }
    }

    #[test]
    fn white_space_list_markers_boxes_and_own_section_numbers_do_not_count() {
        for (one, other) in [
            ("Review  the\r\nconfig. ", "Review the\nconfig."),
            ("a\n\n\n\nb", "a\n\nb"),
            ("- a\n- b", "* a\n\n\n* b"),
            ("- a\n- b", "1. a\n2. b"),
            ("- a\n- b", "- a\n+ b"),
            ("0. a\n1. b", "1) a\n2) b"),
            ("- [ ] a\n- [x] b", "- [X] a\n- [ ] b"),
            ("# 2.5.1.1 Scope", "# 2.5.1.2. Scope"),
            ("# 2.5.1.1 Scope", "# Scope"),
            ("Head\n====", "#   Head  #"),
            ("| a | b |\n|---|---|\n| 1 | 2 |", "|a|b|\n|-|-|\n|1|2|"),
        ] {
            assert!(
                same(one, other),
                "{one:?} is {:?}, {other:?} is {:?}",
                normalise(one, Some("2.5.1")),
                normalise(other, Some("2.5.1"))
            );
        }
    }

    #[test]
    fn what_only_looks_like_structure_counts() {
        for (one, other) in [
            (
                "## 99.99 percent availability",
                "## 90 percent availability",
            ),
            ("## 2.5 percent", "## 2.6 percent"),
            ("## 2.5.1 Scope", "## 2.5.2 Scope"),
            ("## 1.2.3 or later", "## 1.2.4 or later"),
            ("after\n3. This", "after\n0. This"),
            ("```\n- 5\n```", "```\n5\n```"),
            ("```\n# 3 replicas\n```", "```\n# 1 replicas\n```"),
            ("```\n[x] enforce_tls\n```", "```\n[ ] enforce_tls\n```"),
            ("    - 5", "    5"),
            ("```\na  b\n```", "```\na b\n```"),
            ("`a  b`", "`a b`"),
            ("[x] a", "[ ] a"),
            ("<div>\n- 5\n</div>", "<div>\n5\n</div>"),
            ("- a\n- b", "- a b"),
            ("a\n\nb", "a b"),
            ("- [ ] a", "- a"),
            ("- a", "a"),
            ("- a\n  - b", "- a\n- b"),
            ("> a", "a"),
            ("# a", "## a"),
            ("a  \nb", "a b"),
            ("**x**", "x"),
            ("~~x~~", "x"),
            ("[a](https://one.example)", "[a](https://two.example)"),
            ("[a](https://e.example \"b\")", "[a](https://e.example)"),
            ("![a](b.png)", "[a](b.png)"),
            ("| a |\n|:-|\n| 1 |", "| a |\n|-:|\n| 1 |"),
            ("\\*x\\*", "*x*"),
            ("⟨em⟩x⟨/em⟩", "*x*"),
            ("\\`x\\`", "`x`"),
            ("Review", "review"),
            ("1.5 s", "2.5 s"),
            ("99. percentile below 200 ms", "50. percentile below 200 ms"),
            ("- a\n\n99. b", "- a\n\n50. b"),
            ("3) a\n4) b", "7) a\n8) b"),
            ("#tag", "tag"),
        ] {
            assert!(!same(one, other), "{one:?} and {other:?}");
        }
    }

    #[test]
    fn what_nests_too_deep_is_taken_as_it_is() {
        let deep = format!("{}  a", ">".repeat(100_000));
        assert!(normalise(&deep, None).contains("  a"));
        assert!(!same(&deep, &format!("{deep}.")));
    }

    #[test]
    fn a_title_with_code_counts_as_it_is() {
        assert_eq!(normalise_line(" a  b "), "a b");
        assert_eq!(normalise_line("`a  b`"), "`a  b`");
        assert_eq!(normalise_line("1. a"), "1. a");
    }
}
