//! Markdown that people write, as safe HTML.
//!
//! Raw HTML is shown as the text it is, links lead only to http, https and mailto and vouch for nothing, pictures become
//! links (showing them would tell another server who reads), headings step down below the page's own.

use ammonia::Builder;
use holdpoint_domain::nesting;
use leptos::prelude::*;
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// How deep marks and blocks nest in the HTML; what is inside stands at the same depth. A browser, and whatever reads HTML, takes
/// time for each pair of elements of which one is in the other.
const MAX_DEPTH: usize = 32;
/// The most pieces of HTML for each byte of text, and for a text of no length. Tables whose rows are filled up go beyond.
const MAX_EVENTS_PER_BYTE: usize = 4;
const MIN_EVENTS: usize = 1_000;
/// The longest text in one piece, in bytes. What writes the HTML out looks, at each `&`, through the rest of its piece.
const MAX_PIECE: usize = 1_000;
/// The longest address that is a link, and the longest title of one.
const MAX_LINK: usize = 2_000;
/// Ends a piece of text. The sanitiser takes it out, and the pieces stay apart.
const END_OF_PIECE: &str = "<!---->";

/// Renders Markdown to HTML that is safe to show.
pub fn render(text: &str) -> String {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let flat = nesting::shallow(text);
    let mut left = MIN_EVENTS + text.len() * MAX_EVENTS_PER_BYTE;
    let events = Parser::new_ext(&flat, options).map(safe);
    let events = Shallow { events, depth: 0 }.take_while(|_| {
        left = left.saturating_sub(1);
        left > 0
    });
    let mut in_piece = 0;
    let events = events.flat_map(move |event| in_pieces(event, &mut in_piece));
    let mut unsafe_html = String::with_capacity(text.len() * 2);
    html::push_html(&mut unsafe_html, events);
    if left == 0 {
        return as_written(text);
    }
    Builder::default()
        .link_rel(Some("nofollow noopener noreferrer"))
        .url_schemes(["http", "https", "mailto"].into())
        .url_relative(ammonia::UrlRelative::Deny)
        .rm_tags(["img", "map", "area"])
        // Long lines of code and wide tables scroll, also by the keyboard.
        .set_tag_attribute_value("pre", "tabindex", "0")
        .set_tag_attribute_value("table", "tabindex", "0")
        .clean(&unsafe_html)
        .to_string()
}

/// The text letter by letter, where it would grow too much.
fn as_written(text: &str) -> String {
    format!(
        "<pre tabindex=\"0\">{}</pre>",
        html_escape::encode_text(text)
    )
}

/// What an event becomes, so that no HTML of the text's own and no picture is left.
fn safe(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        Event::TaskListMarker(ticked) => {
            Event::Text(CowStr::Borrowed(if ticked { "☑ " } else { "☐ " }))
        }
        Event::Start(
            Tag::Image {
                link_type,
                dest_url,
                title,
                id,
            }
            | Tag::Link {
                link_type,
                dest_url,
                title,
                id,
            },
        ) => Event::Start(Tag::Link {
            link_type,
            dest_url: short(dest_url),
            title: short(title),
            id,
        }),
        Event::End(TagEnd::Image) => Event::End(TagEnd::Link),
        Event::Start(Tag::Heading { level, .. }) => Event::Start(Tag::Heading {
            level: lower(level),
            id: None,
            classes: Vec::new(),
            attrs: Vec::new(),
        }),
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(lower(level))),
        event => event,
    }
}

/// What of a link is kept: all of it, or nothing.
fn short(text: CowStr<'_>) -> CowStr<'_> {
    if text.len() <= MAX_LINK {
        text
    } else {
        CowStr::Borrowed("")
    }
}

/// The same text in pieces; `in_piece` is how much text there was since the last one ended.
fn in_pieces<'a>(event: Event<'a>, in_piece: &mut usize) -> Vec<Event<'a>> {
    let (Event::Text(text) | Event::Code(text)) = &event else {
        return vec![event];
    };
    if *in_piece + text.len() <= MAX_PIECE {
        *in_piece += text.len();
        return vec![event];
    }
    let mut pieces = Vec::with_capacity(2 * (text.len() / MAX_PIECE) + 4);
    let mut rest = &**text;
    while !rest.is_empty() {
        let (piece, more) = rest.split_at(rest.floor_char_boundary(MAX_PIECE));
        pieces.push(Event::InlineHtml(CowStr::Borrowed(END_OF_PIECE)));
        pieces.push(Event::Text(CowStr::from(piece.to_owned())));
        *in_piece = piece.len();
        rest = more;
    }
    if matches!(event, Event::Code(_)) {
        pieces.insert(0, Event::InlineHtml(CowStr::Borrowed("<code>")));
        pieces.push(Event::InlineHtml(CowStr::Borrowed("</code>")));
    }
    pieces
}

/// Events without the starts and ends that are deeper than [`MAX_DEPTH`].
struct Shallow<I> {
    events: I,
    /// How deep the text is, marks that are left out included.
    depth: usize,
}

impl<'a, I: Iterator<Item = Event<'a>>> Iterator for Shallow<I> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        loop {
            let event = self.events.next()?;
            match event {
                Event::Start(_) => {
                    self.depth += 1;
                    if self.depth <= MAX_DEPTH {
                        return Some(event);
                    }
                }
                Event::End(end) => {
                    let depth = self.depth;
                    self.depth = depth.saturating_sub(1);
                    if depth <= MAX_DEPTH {
                        return Some(event);
                    }
                    // What stood in a block of its own is at least not run together with what follows.
                    if matches!(end, TagEnd::Paragraph | TagEnd::Item | TagEnd::CodeBlock) {
                        return Some(Event::SoftBreak);
                    }
                }
                event => return Some(event),
            }
        }
    }
}

/// The page has the first level and the part around the text the second.
fn lower(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H3,
        HeadingLevel::H2 => HeadingLevel::H4,
        HeadingLevel::H3 => HeadingLevel::H5,
        _ => HeadingLevel::H6,
    }
}

/// A text that a person wrote in Markdown.
#[component]
pub fn Prose(#[prop(into)] text: String) -> impl IntoView {
    view! { <div class="prose" inner_html=render(&text)></div> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_that_scrolls_can_be_reached_by_keyboard() {
        assert_eq!(
            render("```go\nx := 1\n```").trim(),
            "<pre tabindex=\"0\"><code>x := 1\n</code></pre>"
        );
    }

    #[test]
    fn no_text_becomes_script_or_leads_where_links_must_not() {
        for hostile in [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "[x](javascript:alert(1))",
            "[x](data:text/html,<script>alert(1)</script>)",
            "[x](  JaVaScRiPt:alert(1))",
            "<a href=\"javascript:alert(1)\">x</a>",
            "<svg onload=alert(1)>",
            "<style>*{display:none}</style>",
            "a <b onclick=alert(1)>b</b>",
            "![x](https://tracker.example/p.png)",
            "<iframe src=//evil.example></iframe>",
            "[x](/account)",
            "[x](//evil.example)",
        ] {
            let html = render(hostile);
            let document = scraper::Html::parse_fragment(&html);
            let bad =
                scraper::Selector::parse("script, img, iframe, style, svg, object, form, input, b")
                    .unwrap();
            assert_eq!(document.select(&bad).count(), 0, "{hostile} gave {html}");
            let links = scraper::Selector::parse("a").unwrap();
            for link in document.select(&links) {
                let href = link.value().attr("href").unwrap_or("https://");
                assert!(href.starts_with("https://"), "{hostile} gave {html}");
                assert_eq!(
                    link.value().attr("rel"),
                    Some("nofollow noopener noreferrer")
                );
            }
            for element in document.select(&scraper::Selector::parse("*").unwrap()) {
                assert!(
                    !element
                        .value()
                        .attrs()
                        .any(|(name, _)| name.starts_with("on") || name == "style"),
                    "{html}"
                );
            }
        }
    }

    #[test]
    fn rendering_is_linear() {
        holdpoint_hostile::assert_all_linear(8_000, render);
    }

    #[test]
    fn what_is_rendered_is_not_much_longer_and_not_deep() {
        for hostile in holdpoint_hostile::TEXTS {
            let text = hostile.text(20_000);
            let html = render(&text);
            assert!(
                html.len() <= 50 * text.len(),
                "{}: {} bytes became {}",
                hostile.name,
                text.len(),
                html.len()
            );
            let (mut depth, mut deepest) = (0_usize, 0);
            for tag in html.split('<').skip(1) {
                depth = if tag.starts_with('/') {
                    depth - 1
                } else {
                    depth + 1
                };
                deepest = deepest.max(depth);
                if ["br", "hr"].iter().any(|void| tag.starts_with(void)) {
                    depth -= 1;
                }
            }
            assert!(deepest <= MAX_DEPTH + 2, "{}: {deepest}", hostile.name);
        }
    }

    #[test]
    fn a_long_text_is_not_changed_by_its_pieces() {
        let words = "é&<a>b' ".repeat(2_000);
        let escaped = words
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        let trimmed = escaped.trim();
        assert_eq!(render(&words).trim(), format!("<p>{trimmed}</p>"));
        assert_eq!(
            render(&format!("`{words}x`")).trim(),
            format!("<p><code>{escaped}x</code></p>")
        );
        assert_eq!(
            render(&format!("```\n{words}\n```")).trim(),
            format!("<pre tabindex=\"0\"><code>{escaped}\n</code></pre>")
        );
        let text = |html: &str| {
            scraper::Html::parse_fragment(html)
                .root_element()
                .text()
                .collect::<String>()
        };
        assert_eq!(text(&render(&words)).trim(), words.trim());
    }

    #[test]
    fn a_link_longer_than_any_address_is_its_text_alone() {
        let link = |n: usize| render(&format!("[a](https://e.example/?{})", "&".repeat(n)));
        assert!(link(100).contains("href="));
        assert!(
            !link(100_000).contains("href="),
            "{}",
            &link(100_000)[..200]
        );
        assert!(link(100_000).contains(">a</a>"));
    }

    #[test]
    fn a_text_nests_as_far_as_anybody_reads_and_loses_no_word() {
        let deep = |n: usize| format!("{}deep", "> ".repeat(n));
        assert_eq!(render(&deep(3)).matches("<blockquote>").count(), 3);
        let html = render(&deep(60));
        assert_eq!(html.matches("<blockquote>").count(), MAX_DEPTH);
        assert!(html.contains("deep"), "{html}");
        let emphasis = format!("{}a{}", "*b ".repeat(200), "*".repeat(200));
        let html = render(&emphasis);
        assert!(html.matches("<em>").count() < MAX_DEPTH, "{html}");
        assert_eq!(html.matches('b').count(), 200);
    }

    #[test]
    fn a_table_that_grows_without_end_is_shown_as_written() {
        let table = format!(
            "|{}\n|{}\n{}",
            "a|".repeat(60),
            "-|".repeat(60),
            "|<b>\n".repeat(2_000)
        );
        let html = render(&table);
        assert!(
            html.starts_with("<pre tabindex=\"0\">|a|a"),
            "{}",
            &html[..80]
        );
        assert!(!html.contains("<b>"));
    }

    #[test]
    fn raw_html_is_shown_as_what_was_written() {
        assert_eq!(
            render("use <b>this</b>"),
            "<p>use &lt;b&gt;this&lt;/b&gt;</p>\n"
        );
    }

    #[test]
    fn tables_code_and_tasks_are_kept() {
        let html = render("| a | b |\n|---|---|\n| 1 | `x` |\n\n- [x] done\n- [ ] not\n\n# Head");
        for part in [
            "<table tabindex=\"0\">",
            "<code>x</code>",
            "☑ done",
            "☐ not",
            "<h3>Head</h3>",
        ] {
            assert!(html.contains(part), "{part} is not in {html}");
        }
    }
}
