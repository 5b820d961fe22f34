//! The document as a tree, flat: nodes in document order, each knowing where its subtree ends. So walking needs no
//! recursion, however deep a hostile document nests, and dropping it neither.

use std::ops::Range;

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Root,
    Paragraph,
    Heading(u8),
    List { ordered: bool },
    Item,
    Box { ticked: bool },
    Table,
    Row { head: bool },
    Cell,
    Html,
    InlineHtml,
    Quote,
    Strong,
    Link,
    Text,
    Code,
    Break,
    Rule,
    OtherBlock,
    OtherInline,
}

impl Kind {
    pub(crate) const fn is_inline(self) -> bool {
        matches!(
            self,
            Self::Box { .. }
                | Self::InlineHtml
                | Self::Strong
                | Self::Link
                | Self::Text
                | Self::Code
                | Self::Break
                | Self::OtherInline
        )
    }
}

pub(crate) struct Node<'a> {
    pub(crate) kind: Kind,
    /// Bytes of the document.
    pub(crate) range: Range<usize>,
    pub(crate) parent: usize,
    /// One past the last node below this one.
    pub(crate) end: usize,
    /// How many quotes it stands in.
    pub(crate) quotes: usize,
    /// How many lists it stands in.
    pub(crate) lists: usize,
    pub(crate) text: CowStr<'a>,
}

pub(crate) struct Tree<'a> {
    pub(crate) nodes: Vec<Node<'a>>,
}

impl<'a> Tree<'a> {
    /// Parses a text that starts at an offset of the document, which is `length` bytes long.
    pub(crate) fn new(text: &'a str, base: usize, length: usize) -> Self {
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS;
        let mut nodes = vec![Node {
            kind: Kind::Root,
            range: base..length,
            parent: 0,
            end: 1,
            quotes: 0,
            lists: 0,
            text: CowStr::Borrowed(""),
        }];
        let mut open = vec![0];
        for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
            let nothing = CowStr::Borrowed("");
            let (kind, text, is_start) = match event {
                Event::End(_) => {
                    if open.len() > 1
                        && let Some(closed) = open.pop()
                    {
                        nodes[closed].end = nodes.len();
                    }
                    continue;
                }
                Event::Start(tag) => (kind_of(&tag), nothing, true),
                Event::Text(text) => (Kind::Text, text, false),
                Event::Code(text) => (Kind::Code, text, false),
                Event::InlineHtml(text) => (Kind::InlineHtml, text, false),
                Event::SoftBreak | Event::HardBreak => (Kind::Break, nothing, false),
                Event::TaskListMarker(ticked) => (Kind::Box { ticked }, nothing, false),
                Event::Rule => (Kind::Rule, nothing, false),
                Event::Html(_) => continue,
                Event::FootnoteReference(_) | Event::InlineMath(_) | Event::DisplayMath(_) => {
                    (Kind::OtherInline, nothing, false)
                }
            };
            let parent = open.last().copied().unwrap_or(0);
            let above = &nodes[parent];
            let quotes = above.quotes + usize::from(above.kind == Kind::Quote);
            let lists = above.lists + usize::from(matches!(above.kind, Kind::List { .. }));
            let end = nodes.len() + 1;
            let range = (range.start + base).min(length)..(range.end + base).min(length);
            if is_start {
                open.push(nodes.len());
            }
            nodes.push(Node {
                kind,
                range,
                parent,
                end,
                quotes,
                lists,
                text,
            });
        }
        let end = nodes.len();
        for unclosed in open {
            nodes[unclosed].end = end;
        }
        Self { nodes }
    }

    pub(crate) fn kind(&self, node: usize) -> Kind {
        self.nodes[node].kind
    }

    pub(crate) fn range(&self, node: usize) -> Range<usize> {
        self.nodes[node].range.clone()
    }

    pub(crate) fn children(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        let end = self.nodes[node].end;
        let mut next = node + 1;
        std::iter::from_fn(move || {
            let child = (next < end).then_some(next)?;
            next = self.nodes[child].end.max(child + 1);
            Some(child)
        })
    }

    /// All nodes of a kind that passes, in document order.
    pub(crate) fn all(&self, passes: impl Fn(Kind) -> bool) -> impl Iterator<Item = usize> {
        (1..self.nodes.len()).filter(move |node| passes(self.nodes[*node].kind))
    }

    /// The nearest list item that a node stands in. Boxes stand at most two levels below theirs.
    pub(crate) fn item_of(&self, node: usize) -> Option<usize> {
        let mut at = node;
        while at != 0 {
            at = self.nodes[at].parent;
            if self.nodes[at].kind == Kind::Item {
                return Some(at);
            }
        }
        None
    }

    /// The box a list item begins with.
    pub(crate) fn box_of(&self, item: usize) -> Option<usize> {
        let first = self.first_inline(item)?;
        matches!(self.kind(first), Kind::Box { .. }).then_some(first)
    }

    /// The first inline node of a list item's first block, where it begins with text.
    pub(crate) fn first_inline(&self, item: usize) -> Option<usize> {
        let first = self.children(item).next()?;
        let first = match self.kind(first) {
            Kind::Paragraph | Kind::Heading(_) => self.children(first).next()?,
            _ => first,
        };
        self.kind(first).is_inline().then_some(first)
    }

    /// The text below a node, without markup, white space as written.
    pub(crate) fn append_plain(&self, node: usize, out: &mut String) {
        for below in &self.nodes[node..self.nodes[node].end] {
            match below.kind {
                Kind::Text | Kind::Code => out.push_str(&below.text),
                Kind::Break => out.push(' '),
                _ => {}
            }
        }
    }

    /// The text below a node, without markup, white space as single spaces.
    pub(crate) fn plain(&self, node: usize) -> String {
        let mut out = String::new();
        self.append_plain(node, &mut out);
        crate::text::one_line(&out)
    }
}

fn kind_of(tag: &Tag<'_>) -> Kind {
    match tag {
        Tag::Paragraph => Kind::Paragraph,
        Tag::Heading { level, .. } => Kind::Heading(*level as u8),
        Tag::BlockQuote(_) => Kind::Quote,
        Tag::List(start) => Kind::List {
            ordered: start.is_some(),
        },
        Tag::Item => Kind::Item,
        Tag::Table(_) => Kind::Table,
        Tag::TableHead => Kind::Row { head: true },
        Tag::TableRow => Kind::Row { head: false },
        Tag::TableCell => Kind::Cell,
        Tag::HtmlBlock => Kind::Html,
        Tag::Strong => Kind::Strong,
        Tag::Link { .. } | Tag::Image { .. } => Kind::Link,
        Tag::Emphasis | Tag::Strikethrough | Tag::Superscript | Tag::Subscript => Kind::OtherInline,
        Tag::CodeBlock(_)
        | Tag::FootnoteDefinition(_)
        | Tag::DefinitionList
        | Tag::DefinitionListTitle
        | Tag::DefinitionListDefinition
        | Tag::MetadataBlock(_) => Kind::OtherBlock,
    }
}
