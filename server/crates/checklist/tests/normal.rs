//! The normalisation of requirements, held against what a browser is given: two texts of which the HTML differs in more than white
//! space, list markers, the state of boxes and section numbers never count as the same.

use std::fmt::Write as _;

use holdpoint_checklist::normalise;
use proptest::prelude::*;
use pulldown_cmark::{Options, Parser, html};

/// The HTML of a text, with what does not count taken out of it.
fn shown(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut html = String::new();
    html::push_html(&mut html, Parser::new_ext(&text, options));
    let mut out = String::new();
    let mut rest = html.as_str();
    // Within code nothing is white space that may go.
    let mut in_code = false;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('<') {
            let end = after.find('>').map_or(after.len(), |at| at + 1);
            let tag = &after[..end];
            rest = &after[end..];
            let name = tag.trim_end_matches(['>', '/', ' ']);
            let word = name
                .trim_start_matches('/')
                .split(' ')
                .next()
                .unwrap_or_default();
            if word == "code" {
                in_code = !tag.starts_with('/');
            }
            match word {
                "ol" | "ul" => write!(
                    out,
                    "|<{}list>|",
                    if tag.starts_with('/') { "/" } else { "" }
                ),
                "input" => write!(out, "<box>"),
                // A loose list's entries have paragraphs, a tight one's have not.
                "p" => write!(out, "|"),
                "li" | "blockquote" | "pre" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table"
                | "thead" | "tbody" | "tr" | "th" | "td" | "hr" => write!(out, "|<{tag}|"),
                _ => write!(out, "<{tag}"),
            }
            .expect("writing to a String cannot fail");
        } else {
            let end = rest.find('<').unwrap_or(rest.len());
            if in_code {
                out.push_str(&rest[..end].replace(' ', "␣").replace('\n', "␤"));
            } else {
                out.push_str(&rest[..end]);
            }
            rest = &rest[end..];
        }
    }
    let mut words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    for (from, to) in [
        (" |", "|"),
        ("| ", "|"),
        ("<br /> ", "<br />"),
        (" <br />", "<br />"),
        ("<box> ", "<box>"),
    ] {
        words = words.replace(from, to);
    }
    while words.contains("||") {
        words = words.replace("||", "|");
    }
    words
        .replace("|</list>|<list>|", "|")
        .trim_matches('|')
        .to_owned()
}

/// What Markdown is made of, and what only looks like it.
const PIECES: &[&str] = &[
    "a",
    "B",
    "3. ",
    "0. ",
    "1) ",
    "- ",
    "* ",
    "+ ",
    "[ ] ",
    "[x] ",
    "[X]",
    "# ",
    "## ",
    "2.5 ",
    "99.99 ",
    "> ",
    "`",
    "``",
    "```",
    "~~~",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    " ",
    "  ",
    "    ",
    "\t",
    "*",
    "**",
    "_",
    "~~",
    "|",
    "|-|",
    "\n|-|-|\n",
    ":-:",
    "---",
    "===",
    "<b>",
    "<div>",
    "</div>",
    "<!--",
    "-->",
    "[",
    "](u)",
    "](v \"t\")",
    "![",
    "<http://e.example>",
    "<a@b.example>",
    "\\",
    "&amp;",
    "&",
    "⟨",
    "⟩",
    "⟨em⟩",
    "⟨/⟩",
    "x^2",
    "$",
    "[^1]",
    ": ",
    "é",
];

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// Two texts that are one piece apart, so that many of them count as the same.
    #[test]
    fn what_counts_as_the_same_is_shown_the_same(
        before in text(),
        one in prop::sample::select(PIECES),
        other in prop::sample::select(PIECES),
        after in text(),
    ) {
        for (one, other) in [(one, other), (one, "")] {
            let one = format!("{before}{one}{after}");
            let other = format!("{before}{other}{after}");
            if normalise(&one, None) == normalise(&other, None) {
                prop_assert_eq!(shown(&one), shown(&other), "{:?} and {:?} are {:?}", one, other, normalise(&one, None));
            }
        }
    }

    #[test]
    fn white_space_between_words_never_counts(
        words in prop::collection::vec("[a-zäß]{1,6}", 1..8),
        gaps in prop::collection::vec("[ \t]{1,3}|\r\n|\n", 8),
    ) {
        let spread: String = words.iter().zip(&gaps).skip(1).map(|(word, gap)| format!("{gap}{word}")).collect();
        let spread = format!("{}{spread}", words[0]);
        // Two spaces at a line's end are a line break, which is shown.
        prop_assume!(!spread.contains("  \n") && !spread.contains("  \r"));
        prop_assert_eq!(normalise(&spread, None), words.join(" "));
    }
}

/// Nothing is timed. A normalisation that takes the square of a text's length would take minutes over these.
#[test]
fn no_text_takes_longer_than_its_length() {
    let n = 60_000;
    for piece in [
        ">",
        "> ",
        "- ",
        "1. ",
        "> - ",
        "[",
        "![",
        "*",
        "_a ",
        "*a ",
        "**a _b ",
        "`",
        "a`b``",
        "<",
        "<a ",
        "<!--",
        "](",
        "[a](",
        "[a](b",
        "|",
        "|a",
        "\\",
        "&",
        "~~",
        "~~a",
        "\n",
        ">\n",
        "-\n",
        "- a\n",
        "> a\n",
        "a\n- ",
        "# ",
        "[a]: b\n",
        "[^a]",
        "<a@b",
        "\n\n    a",
        "***a***",
        "⟨",
        "<?",
        "<![CDATA[",
        "<x y='",
        "(",
        "\"",
    ] {
        let text = piece.repeat(n / piece.len());
        assert!(normalise(&text, Some("1.1")).len() <= 40 * n, "{piece:?}");
    }
    let staircase: String = (0..600)
        .map(|depth| format!("{}- a\n", "  ".repeat(depth)))
        .collect();
    assert!(!normalise(&staircase, None).is_empty());
}
