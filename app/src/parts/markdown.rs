//! Markdown that people write, as safe HTML.
//!
//! Raw HTML is shown as the text it is, links lead only to http, https and mailto and vouch for nothing, pictures become
//! links (showing them would tell another server who reads), headings step down below the page's own.

use ammonia::Builder;
use leptos::prelude::*;
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// Renders Markdown to HTML that is safe to show.
pub fn render(text: &str) -> String {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let events = Parser::new_ext(text, options).map(|event| match event {
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        Event::TaskListMarker(ticked) => {
            Event::Text(CowStr::Borrowed(if ticked { "☑ " } else { "☐ " }))
        }
        Event::Start(Tag::Image {
            link_type,
            dest_url,
            title,
            id,
        }) => Event::Start(Tag::Link {
            link_type,
            dest_url,
            title,
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
    });
    let mut unsafe_html = String::with_capacity(text.len() * 2);
    html::push_html(&mut unsafe_html, events);
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
