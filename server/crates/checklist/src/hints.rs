//! Hints for an item: `<!-- holdpoint: advisory; owner=ana; scan=gitleaks -->`.

use std::ops::Range;

use holdpoint_domain::Gating;

use crate::source::Source;
use crate::tree::{Kind, Tree};

const OPENING: &str = "<!--";
const CLOSING: &str = "-->";

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Hints {
    pub(crate) gating: Option<Gating>,
    pub(crate) owner: Option<String>,
    pub(crate) scan: Option<String>,
}

/// One comment: where it stands, white space before it included, and what it says.
pub(crate) struct Comment<'a> {
    pub(crate) range: Range<usize>,
    pub(crate) says: &'a str,
}

/// Every holdpoint comment of the document, in order. Code is not looked into, since it is not HTML.
pub(crate) fn comments<'a>(source: &Source<'a>, tree: &Tree<'_>) -> Vec<Comment<'a>> {
    let mut found = Vec::new();
    for node in tree.all(|kind| matches!(kind, Kind::Html | Kind::InlineHtml)) {
        let html = tree.range(node);
        let mut at = html.start;
        while let Some(opening) = source.slice(at..html.end).find(OPENING) {
            let start = at + opening;
            let inside = start + OPENING.len();
            let Some(closing) = source.slice(inside..html.end).find(CLOSING) else {
                break;
            };
            let text = source.slice(inside..inside + closing).trim();
            at = inside + closing + CLOSING.len();
            if let Some(says) = text.strip_prefix("holdpoint:") {
                let before = source.slice(source.line_start(start)..start);
                let blank = before.len() - before.trim_end_matches([' ', '\t']).len();
                found.push(Comment {
                    range: start - blank..at,
                    says,
                });
            }
        }
    }
    found
}

impl Hints {
    /// Takes what a comment says; the words that mean nothing come back.
    pub(crate) fn take<'a>(&mut self, comment: &Comment<'a>) -> Vec<&'a str> {
        let mut unknown = Vec::new();
        for word in comment.says.split([';', '\n', '\r']).map(str::trim) {
            match word.split_once('=').map(|(k, v)| (k.trim(), v.trim())) {
                Some(("owner", who)) if !who.is_empty() => self.owner = Some(who.to_owned()),
                Some(("scan", tool)) if !tool.is_empty() => self.scan = Some(tool.to_owned()),
                Some(_) => unknown.push(word),
                None => match Gating::parse(&word.to_ascii_lowercase()) {
                    Some(gating) => self.gating = Some(gating),
                    None if word.is_empty() => {}
                    None => unknown.push(word),
                },
            }
        }
        unknown
    }
}
