//! People's texts inside the report: whatever they wrote is shown, and none of it becomes structure or HTML.
//!
//! One line of plain text goes through [`line`], an identifier through [`code`], an address through [`address`] and
//! Markdown through [`block`] or [`flat`]. Only `` `code` `` keeps its meaning in a line, because titles of checklists
//! and findings use it; everything else that Markdown would act on is escaped. Markdown is parsed and written anew in a
//! small safe subset: headings become bold paragraphs, tables and HTML become code blocks, and links keep their target
//! only if it is http, https or mailto.

use std::ops::Range;

use holdpoint_domain::nesting;
use pulldown_cmark::{
    CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd, TextMergeWithOffset,
};

/// How deep lists and quotes may nest before the rest is shown at the same depth: a text of quote marks must not grow
/// into a report of megabytes.
const MAX_DEPTH: usize = 6;
/// The most marks (emphasis, links) that stand in one another; those inside are left out, and their text stays.
const MAX_MARKS: usize = 16;

/// One line of plain text. Safe in a table cell, a heading, a list item and a paragraph; never empty.
pub fn line(text: &str) -> String {
    let escaped = inline(&one_line(text));
    if escaped.is_empty() {
        "–".to_owned()
    } else {
        line_start(&escaped)
    }
}

/// The same for the text of a heading, where nothing that begins a block does so: "2. Scope" stays as it is.
pub fn heading(text: &str) -> String {
    let escaped = inline(&one_line(text));
    if escaped.is_empty() {
        "–".to_owned()
    } else {
        escaped
    }
}

/// A text shown letter by letter, as code. Safe wherever [`line`] is.
pub fn code(text: &str) -> String {
    let text = one_line(text);
    if text.is_empty() {
        return "–".to_owned();
    }
    // A pipe in a code span splits a table's row in some readers and not in others, so there it is plain text.
    if text.contains('|') {
        return line_start(&inline(&text));
    }
    let fence = "`".repeat(longest_run(&text, '`') + 1);
    if text.starts_with('`') || text.ends_with('`') {
        format!("{fence} {text} {fence}")
    } else {
        format!("{fence}{text}{fence}")
    }
}

/// A web address as a link if it is one that is safe to follow, otherwise as plain text. Safe wherever [`line`] is.
pub fn address(text: &str) -> String {
    let text = one_line(text);
    if safe_target(&text) && !text.contains(|c: char| c.is_whitespace() || "<>`|\\".contains(c)) {
        format!("<{text}>")
    } else {
        line(&text)
    }
}

/// Markdown on one line, its blocks one after the other. Safe wherever [`line`] is; never empty.
pub fn flat(markdown: &str) -> String {
    flatten(markdown, usize::MAX)
}

/// The first paragraph of a Markdown text on one line: what a summary has room for.
pub fn first_paragraph(markdown: &str) -> String {
    flatten(markdown, 1)
}

/// Markdown as blocks, without a line end at the end; empty if there is nothing to show. To be followed by an empty line.
pub fn block(markdown: &str) -> String {
    let source = visible(markdown);
    let source = nesting::shallow(&source);
    let mut writer = Blocks::default();
    writer.read(&source);
    writer.out.join("\n")
}

/// The same inside a quote, for what a person said in a place of Holdpoint's own words.
pub fn quote(markdown: &str) -> String {
    let text = block(markdown);
    if text.is_empty() {
        text
    } else {
        prefixed(&text, "> ")
    }
}

/// A fenced code block that its content cannot leave.
pub fn fenced(language: Option<&str>, text: &str) -> String {
    let text = visible(text);
    let fence = "`".repeat(longest_run(&text, '`').max(2) + 1);
    let language: String = language
        .unwrap_or_default()
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "+-#._".contains(*c))
        .take(32)
        .collect();
    format!(
        "{fence}{language}\n{}\n{fence}",
        text.trim_end_matches('\n')
    )
}

/// Puts a prefix before each line, without trailing spaces.
pub fn prefixed(text: &str, prefix: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (n, line) in text.split('\n').enumerate() {
        if n > 0 {
            out.push('\n');
        }
        if line.is_empty() {
            out.push_str(prefix.trim_end());
        } else {
            out.push_str(prefix);
            out.push_str(line);
        }
    }
    out
}

/// Characters that print nothing or turn the text around are printed as their number; line ends are line feeds.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                if chars.peek() != Some(&'\n') {
                    out.push('\n');
                }
            }
            '\n' | '\t' => out.push(c),
            '\u{2028}' | '\u{2029}' => out.push('\n'),
            c if c.is_control() || is_hidden(c) => {
                use std::fmt::Write as _;
                write!(out, "(U+{:04X})", u32::from(c)).expect("writing to a String cannot fail");
            }
            c => out.push(c),
        }
    }
    out
}

/// Direction marks and overrides, invisible letters, tags, variation selectors beyond the common ones.
const fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

fn one_line(text: &str) -> String {
    visible(text)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn longest_run(text: &str, of: char) -> usize {
    let (mut longest, mut run) = (0, 0);
    for c in text.chars() {
        run = if c == of { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

fn safe_target(address: &str) -> bool {
    let lower = address.to_ascii_lowercase();
    ["https://", "http://", "mailto:"]
        .iter()
        .any(|scheme| lower.len() > scheme.len() && lower.starts_with(scheme))
}

/// Escapes a text in which pairs of single back-ticks are code.
fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(at) = rest.find('`') {
        let run = rest[at..].len() - rest[at..].trim_start_matches('`').len();
        let after = &rest[at + run..];
        let end = after.find('`').filter(|end| {
            let closing = &after[*end..];
            run == 1 && *end > 0 && !closing[1..].starts_with('`') && !after[..*end].contains('|')
        });
        // An escaped back-tick before a code span would be read as part of its fence by some.
        let end = end.filter(|_| !out.ends_with('`') || at > 0);
        plain(&mut out, &rest[..at]);
        if let Some(end) = end {
            out.push('`');
            out.push_str(&after[..end]);
            out.push('`');
            rest = &after[end + 1..];
        } else {
            for _ in 0..run {
                out.push_str("\\`");
            }
            rest = after;
        }
    }
    plain(&mut out, rest);
    out
}

/// Escapes a text in which nothing is markup.
fn plain(out: &mut String, text: &str) {
    let mut before = out.chars().next_back();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        match c {
            '\\' | '*' | '[' | ']' | '|' | '~' | '`' | '$' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '&' if next.is_some_and(|n| n == '#' || n.is_ascii_alphanumeric()) => {
                out.push_str("&amp;");
            }
            '_' if before.is_some_and(char::is_alphanumeric)
                && next.is_some_and(char::is_alphanumeric) =>
            {
                out.push('_');
            }
            '_' => out.push_str("\\_"),
            // A heading ends at a last run of these.
            '#' if next.is_none_or(|n| n == '#' || n == ' ') => out.push_str("\\#"),
            '\n' | '\t' => out.push(' '),
            c => out.push(c),
        }
        before = Some(c);
    }
}

/// Escapes what would begin a block at the start of a line.
fn line_start(line: &str) -> String {
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let rest = &line[digits..];
    let mut rest_chars = rest.chars();
    let first = rest_chars.next();
    let next = rest_chars.next().unwrap_or(' ');
    let begins = match first {
        // Only where a list would begin, so that "2.1 Scope" stays as it is.
        Some('.' | ')') => digits > 0 && next == ' ',
        _ if digits > 0 => false,
        Some('#') => matches!(next, '#' | ' '),
        Some('+') => matches!(next, '+' | ' '),
        Some('-') => matches!(next, '-' | ' ' | ':'),
        Some('=' | ':' | '>') => true,
        _ => false,
    };
    if begins {
        format!("{}\\{rest}", &line[..digits])
    } else {
        line.to_owned()
    }
}

fn flatten(markdown: &str, blocks: usize) -> String {
    let source = visible(markdown);
    let source = nesting::shallow(&source);
    let mut parts: Vec<String> = Vec::new();
    let mut spans = Spans::default();
    let mut inside = 0_usize;
    let mut code = None::<String>;
    for (event, range) in events(&source) {
        let mut ended = false;
        match event {
            Event::Start(Tag::CodeBlock(_)) => {
                ended = true;
                code = Some(String::new());
            }
            Event::End(TagEnd::CodeBlock) => {
                let text = self::code(&code.take().unwrap_or_default());
                spans.push(&text);
                ended = true;
            }
            Event::Text(text) if code.is_some() => {
                if let Some(code) = &mut code {
                    code.push_str(&text);
                }
            }
            Event::Start(Tag::Table(_) | Tag::HtmlBlock) => {
                if inside == 0 {
                    spans.push(&self::code(&source[range]));
                }
                inside += 1;
            }
            Event::End(TagEnd::Table | TagEnd::HtmlBlock) => {
                inside = inside.saturating_sub(1);
                ended = true;
            }
            _ if inside > 0 => {}
            Event::Start(Tag::Paragraph | Tag::Item | Tag::List(_) | Tag::Heading { .. })
            | Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::List(_) | TagEnd::Heading(_))
            | Event::Rule => ended = true,
            Event::SoftBreak | Event::HardBreak => spans.push(" "),
            other => spans.take(other, true),
        }
        if ended {
            let text = spans.finish();
            if !text.is_empty() {
                parts.push(text);
                if parts.len() >= blocks {
                    break;
                }
            }
        }
    }
    let last = spans.finish();
    if !last.is_empty() && parts.len() < blocks {
        parts.push(last);
    }
    let mut out = String::new();
    for part in parts {
        if !out.is_empty() {
            if !out.ends_with(['.', ':', ';', '!', '?']) {
                out.push('.');
            }
            out.push(' ');
        }
        out.push_str(&part);
    }
    if out.is_empty() {
        "–".to_owned()
    } else {
        line_start(&out)
    }
}

fn events(source: &str) -> impl Iterator<Item = (Event<'_>, Range<usize>)> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS;
    TextMergeWithOffset::new(Parser::new_ext(source, options).into_offset_iter())
}

/// Inline Markdown, written anew. A stack, so that a mark is written only around something that is there.
#[derive(Default)]
struct Spans {
    text: String,
    open: Vec<(Mark, String)>,
    /// How many marks are open that were too deep to be taken.
    n_too_deep: usize,
}

enum Mark {
    Emphasis,
    Strong,
    Link(String),
    Image(String),
    Other,
}

impl Spans {
    fn push(&mut self, escaped: &str) {
        self.text.push_str(escaped);
    }

    fn take(&mut self, event: Event<'_>, in_cell: bool) {
        match event {
            Event::Text(text) => {
                plain(&mut self.text, &text);
            }
            Event::Code(text) => {
                let text = if in_cell { code(&text) } else { span(&text) };
                // Two neighbouring code spans would become one.
                if self.text.ends_with('`') {
                    self.text.push(' ');
                }
                self.text.push_str(&text);
            }
            Event::InlineHtml(text) | Event::Html(text) => plain(&mut self.text, &text),
            Event::SoftBreak => self.text.push('\n'),
            Event::HardBreak => self.text.push_str("\\\n"),
            Event::TaskListMarker(done) => self.text.push_str(if done { "[x] " } else { "[ ] " }),
            Event::Start(_) if self.open.len() >= MAX_MARKS => self.n_too_deep += 1,
            Event::End(_) if self.n_too_deep > 0 => self.n_too_deep -= 1,
            Event::Start(tag) => {
                let mark = match tag {
                    Tag::Emphasis => Mark::Emphasis,
                    Tag::Strong => Mark::Strong,
                    Tag::Link {
                        link_type: LinkType::Email,
                        dest_url,
                        ..
                    } => Mark::Link(format!("mailto:{dest_url}")),
                    Tag::Link { dest_url, .. } => Mark::Link(dest_url.to_string()),
                    Tag::Image { dest_url, .. } => Mark::Image(dest_url.to_string()),
                    _ => Mark::Other,
                };
                self.open.push((mark, std::mem::take(&mut self.text)));
            }
            Event::End(_) => {
                if let Some((mark, before)) = self.open.pop() {
                    let inner = std::mem::replace(&mut self.text, before);
                    self.close(&mark, &inner);
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, mark: &Mark, inner: &str) {
        let trimmed = inner.trim();
        let within = |wanted: fn(&Mark) -> bool| self.open.iter().any(|(mark, _)| wanted(mark));
        match mark {
            _ if trimmed.is_empty() && !matches!(mark, Mark::Link(_) | Mark::Image(_)) => {
                self.text.push_str(inner);
            }
            Mark::Emphasis if !within(|m| matches!(m, Mark::Emphasis)) => {
                self.around("*", inner, trimmed);
            }
            Mark::Strong if !within(|m| matches!(m, Mark::Strong)) => {
                self.around("**", inner, trimmed);
            }
            Mark::Link(target) | Mark::Image(target) => {
                let shown = if trimmed.is_empty() { "link" } else { trimmed };
                let target = one_line(target);
                let target_text = target.strip_prefix("mailto:").unwrap_or(&target);
                let mut same = String::new();
                plain(&mut same, target_text);
                let in_link = within(|m| matches!(m, Mark::Link(_)));
                if matches!(mark, Mark::Link(_)) && safe_target(&target) && !in_link {
                    self.text.push('[');
                    self.text.push_str(shown);
                    self.text.push_str("](<");
                    for c in target.chars() {
                        match c {
                            '<' => self.text.push_str("%3C"),
                            '>' => self.text.push_str("%3E"),
                            '\\' => self.text.push_str("%5C"),
                            '|' => self.text.push_str("%7C"),
                            '`' => self.text.push_str("%60"),
                            '&' => self.text.push_str("&amp;"),
                            ' ' => self.text.push_str("%20"),
                            c => self.text.push(c),
                        }
                    }
                    self.text.push_str(">)");
                } else {
                    self.text.push_str(shown);
                    if same != shown && !target.is_empty() {
                        self.text.push_str(" (");
                        self.text.push_str(&same);
                        self.text.push(')');
                    }
                }
            }
            Mark::Emphasis | Mark::Strong | Mark::Other => self.text.push_str(inner),
        }
    }

    fn around(&mut self, mark: &str, inner: &str, trimmed: &str) {
        if inner.starts_with(char::is_whitespace) {
            self.text.push(' ');
        }
        self.text.push_str(mark);
        self.text.push_str(trimmed);
        self.text.push_str(mark);
        if inner.ends_with(char::is_whitespace) {
            self.text.push(' ');
        }
    }

    /// All that was taken, with marks that never closed left out.
    fn finish(&mut self) -> String {
        while let Some((_, before)) = self.open.pop() {
            let inner = std::mem::replace(&mut self.text, before);
            self.text.push_str(&inner);
        }
        self.n_too_deep = 0;
        let text = std::mem::take(&mut self.text);
        text.trim().to_owned()
    }
}

/// A code span where pipes mean nothing.
fn span(text: &str) -> String {
    let text = one_line(text);
    if text.is_empty() {
        return String::new();
    }
    let fence = "`".repeat(longest_run(&text, '`') + 1);
    if text.starts_with('`') || text.ends_with('`') {
        format!("{fence} {text} {fence}")
    } else {
        format!("{fence}{text}{fence}")
    }
}

/// Block Markdown, written anew line by line.
#[derive(Default)]
struct Blocks {
    out: Vec<String>,
    containers: Vec<Container>,
    spans: Spans,
    /// Whether an empty line has to stand before the next block.
    gap: bool,
}

enum Container {
    Quote,
    List(Option<u64>),
    /// An item with its marker, which its first line uses up.
    Item {
        marker: Option<String>,
        indent: usize,
        written: bool,
    },
}

impl Blocks {
    fn read(&mut self, source: &str) {
        let mut code: Option<(Option<String>, String)> = None;
        let mut whole = 0_usize;
        for (event, range) in events(source) {
            match event {
                Event::Start(Tag::Table(_) | Tag::HtmlBlock) => {
                    if whole == 0 {
                        self.paragraph();
                        self.write(&fenced(None, source[range].trim()));
                    }
                    whole += 1;
                }
                Event::End(TagEnd::Table | TagEnd::HtmlBlock) => whole = whole.saturating_sub(1),
                _ if whole > 0 => {}
                Event::Start(Tag::CodeBlock(kind)) => {
                    self.paragraph();
                    let language = match kind {
                        CodeBlockKind::Fenced(info) => Some(info.to_string()),
                        CodeBlockKind::Indented => None,
                    };
                    code = Some((language, String::new()));
                }
                Event::End(TagEnd::CodeBlock) => {
                    if let Some((language, text)) = code.take() {
                        self.write(&fenced(language.as_deref(), &text));
                    }
                }
                Event::Text(text) if code.is_some() => {
                    if let Some((_, code)) = &mut code {
                        code.push_str(&text);
                    }
                }
                Event::Start(Tag::Heading { .. }) => {
                    self.paragraph();
                    self.spans.take(Event::Start(Tag::Strong), false);
                }
                Event::End(TagEnd::Heading(_)) => {
                    self.spans.take(Event::End(TagEnd::Strong), false);
                    self.paragraph();
                }
                Event::Start(Tag::BlockQuote(_)) => {
                    self.paragraph();
                    self.containers.push(Container::Quote);
                }
                Event::Start(Tag::List(start)) => {
                    self.paragraph();
                    self.containers.push(Container::List(start));
                }
                Event::Start(Tag::Item) => self.start_item(),
                Event::End(TagEnd::Item) => {
                    self.paragraph();
                    self.end_item();
                }
                Event::End(TagEnd::List(_)) => {
                    self.containers.pop();
                    self.gap = true;
                }
                Event::End(TagEnd::BlockQuote(_)) => {
                    self.paragraph();
                    self.containers.pop();
                    self.gap = true;
                }
                Event::Start(Tag::Paragraph) | Event::End(TagEnd::Paragraph) | Event::Rule => {
                    self.paragraph();
                }
                other => self.spans.take(other, false),
            }
        }
        self.paragraph();
    }

    fn start_item(&mut self) {
        self.paragraph();
        let marker = match self.containers.last_mut() {
            Some(Container::List(Some(number))) => {
                let marker = format!("{number}. ");
                *number = number.saturating_add(1).min(999_999_999);
                marker
            }
            _ => "- ".to_owned(),
        };
        self.containers.push(Container::Item {
            indent: marker.len(),
            marker: Some(marker),
            written: false,
        });
    }

    fn end_item(&mut self) {
        if let Some(Container::Item { written: false, .. }) = self.containers.last() {
            // A lone marker under a paragraph would be read as the underline of a heading.
            self.write("(empty)");
        }
        self.containers.pop();
        // Items of one list stand close together.
        self.gap = false;
    }

    /// Ends what has been collected as a paragraph.
    fn paragraph(&mut self) {
        let text = self.spans.finish();
        let lines: Vec<String> = text
            .split('\n')
            .map(str::trim)
            .filter(|line| !line.is_empty() && *line != "\\")
            .map(line_start)
            .collect();
        if !lines.is_empty() {
            self.write(&lines.join("\n"));
        }
    }

    fn write(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.gap && !self.out.is_empty() {
            let prefix = self.prefix(false);
            self.out.push(prefix.trim_end().to_owned());
        }
        for (n, line) in text.split('\n').enumerate() {
            let prefix = self.prefix(n == 0);
            self.out.push(if line.is_empty() {
                prefix.trim_end().to_owned()
            } else {
                format!("{prefix}{line}")
            });
        }
        for container in &mut self.containers {
            if let Container::Item {
                marker, written, ..
            } = container
            {
                *marker = None;
                *written = true;
            }
        }
        self.gap = true;
    }

    fn prefix(&self, with_markers: bool) -> String {
        let mut prefix = String::new();
        let mut depth = 0;
        for container in &self.containers {
            match container {
                Container::List(_) => continue,
                _ if depth >= MAX_DEPTH => break,
                Container::Quote => prefix.push_str("> "),
                Container::Item {
                    marker: Some(marker),
                    ..
                } if with_markers => prefix.push_str(marker),
                Container::Item { indent, .. } => prefix.push_str(&" ".repeat(*indent)),
            }
            depth += 1;
        }
        prefix
    }
}
