//! One line of text as people and scanners write it: what stands between backticks is code, all else is text.

use std::collections::HashSet;

use leptos::prelude::*;

/// A piece of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Code(&'a str),
}

/// A title or another short text. Nothing but code is marked up: a title is no place for links or pictures.
#[component]
pub fn Inline(#[prop(into)] text: String) -> impl IntoView {
    pieces(&text)
        .into_iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.to_owned().into_any(),
            Piece::Code(code) => view! { <code>{code.to_owned()}</code> }.into_any(),
        })
        .collect::<Vec<_>>()
}

/// As CommonMark reads code spans: as many backticks close as have opened; what is never closed is text.
fn pieces(line: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut text_from = 0;
    let mut at = 0;
    // How many back-ticks are known to have nothing that closes them: looked for once, not again at each run as long.
    let mut never_closed = HashSet::new();
    while let Some(found) = line[at..].find('`') {
        let open = at + found;
        let n = ticks(&line[open..]);
        let inside = open + n;
        let close = if never_closed.contains(&n) {
            None
        } else {
            closing(&line[inside..], n)
        };
        let Some(close) = close else {
            never_closed.insert(n);
            at = inside;
            continue;
        };
        let code = &line[inside..inside + close];
        if open > text_from {
            pieces.push(Piece::Text(&line[text_from..open]));
        }
        pieces.push(Piece::Code(unpadded(code)));
        text_from = inside + close + n;
        at = text_from;
    }
    if text_from < line.len() || pieces.is_empty() {
        pieces.push(Piece::Text(&line[text_from..]));
    }
    pieces
}

fn ticks(text: &str) -> usize {
    text.bytes().take_while(|byte| *byte == b'`').count()
}

/// Where the next run of exactly `n` backticks begins.
fn closing(text: &str, n: usize) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = text[at..].find('`') {
        let run = ticks(&text[at + found..]);
        if run == n {
            return Some(at + found);
        }
        at += found + run;
    }
    None
}

/// One space on either side lets code begin or end with a backtick.
fn unpadded(code: &str) -> &str {
    code.strip_prefix(' ')
        .and_then(|code| code.strip_suffix(' '))
        .filter(|code| !code.trim().is_empty())
        .unwrap_or(code)
}

#[cfg(test)]
mod tests {
    use super::{
        Piece::{Code, Text},
        *,
    };

    #[test]
    fn only_what_backticks_enclose_is_code() {
        let cases: &[(&str, &[Piece])] = &[
            ("", &[Text("")]),
            ("plain", &[Text("plain")]),
            (
                "`eval` of a `str`",
                &[Code("eval"), Text(" of a "), Code("str")],
            ),
            ("a ` b", &[Text("a ` b")]),
            ("`` a`b `` c", &[Code("a`b"), Text(" c")]),
            ("`` a` c", &[Text("`` a` c")]),
            ("``` `x` é", &[Text("``` "), Code("x"), Text(" é")]),
            ("` `", &[Code(" ")]),
        ];
        for (line, expected) in cases {
            assert_eq!(&pieces(line), expected, "{line}");
        }
    }

    #[test]
    fn a_line_is_read_in_time_that_grows_with_its_length() {
        holdpoint_hostile::assert_all_linear(20_000, |text| pieces(text).len());
    }

    #[test]
    fn hostile_code_is_escaped() {
        let html =
            view! { <p><Inline text="a `<img src=x onerror=alert(1)>` <b>" /></p> }.to_html();
        assert!(
            html.contains("<code>&lt;img src=x onerror=alert(1)&gt;"),
            "{html}"
        );
        assert!(!html.contains("<b>") && !html.contains("<img"), "{html}");
    }
}
