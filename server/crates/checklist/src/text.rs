//! What a text is called: its title, and where its requirement begins.

use crate::boxes::{line_of, near_miss};
use crate::hints;
use crate::source::Source;
use crate::tree::{Kind, Tree};

/// The longest title; a longer first sentence is cut at a word, and the requirement then is the whole text.
pub const MAX_TITLE_CHARS: usize = 200;

/// A title as plain text, and where in the document the requirement begins.
pub(crate) struct Lead {
    pub(crate) title: String,
    pub(crate) body_start: usize,
}

/// A run of the first paragraph. Offsets in its text are offsets in the document only if it is `exact`.
struct Run {
    at: usize,
    source: usize,
    kind: Kind,
    exact: bool,
    lossy: bool,
}

/// White space as single spaces, none at either end.
pub(crate) fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// Reads the title of a list item; `None` where it does not begin with text.
pub(crate) fn lead(source: &Source<'_>, tree: &Tree<'_>, item: usize) -> Option<Lead> {
    let mut container = item;
    if let Some(first) = tree.children(item).next()
        && matches!(tree.kind(first), Kind::Paragraph | Kind::Heading(_))
    {
        container = first;
    }
    let mut plain = String::new();
    let mut runs: Vec<Run> = Vec::new();
    let mut end = None;
    for node in tree.children(container) {
        let kind = tree.kind(node);
        if !kind.is_inline() {
            break;
        }
        if matches!(kind, Kind::Box { .. }) {
            continue;
        }
        let range = tree.range(node);
        end = Some(range.end);
        // What looks like a task of its own is no part of this one's title.
        let next = tree.nodes.get(node + 1).map(|next| next.range.start);
        if kind == Kind::Break
            && next.is_some_and(|at| near_miss(line_of(source, at), false).is_some())
        {
            break;
        }
        let is_hint = kind == Kind::InlineHtml
            && source
                .slice(range.clone())
                .strip_prefix("<!--")
                .is_some_and(|comment| comment.trim_start().starts_with("holdpoint:"));
        runs.push(Run {
            at: plain.len(),
            source: range.start,
            kind,
            exact: kind == Kind::Text
                && source.slice(range.clone()) == tree.nodes[node].text.as_ref(),
            lossy: match kind {
                Kind::InlineHtml => !is_hint,
                Kind::Link | Kind::OtherInline | Kind::Strong => loses_something(tree, node),
                _ => false,
            },
        });
        tree.append_plain(node, &mut plain);
    }
    let (start, paragraph_end) = (runs.first()?.source, end?);
    let (from, to, rest) =
        bold_title(&plain, &runs).unwrap_or_else(|| first_sentence(&plain, &runs));
    let whole = one_line(&plain[from..to]);
    let title = shortened(&whole);
    let lossy = title.len() < whole.len()
        || title.is_empty()
        || runs.iter().any(|run| run.lossy && run.at < to.max(1));
    let body_start = if lossy {
        start
    } else {
        rest.map_or(paragraph_end, |rest| source_of(&runs, rest))
    };
    let title = if title.is_empty() {
        return None;
    } else {
        title
    };
    Some(Lead { title, body_start })
}

fn loses_something(tree: &Tree<'_>, node: usize) -> bool {
    tree.nodes[node..tree.nodes[node].end]
        .iter()
        .any(|below| matches!(below.kind, Kind::Link | Kind::InlineHtml))
        || (tree.kind(node) == Kind::OtherInline && tree.nodes[node].end == node + 1)
}

/// A leading `**Title**:`. Gives the title's range in the plain text, and where the rest begins, if there is any.
fn bold_title(plain: &str, runs: &[Run]) -> Option<(usize, usize, Option<usize>)> {
    let bold = runs
        .iter()
        .position(|run| run.kind == Kind::Strong)
        .filter(|bold| plain[..runs[*bold].at].trim().is_empty())?;
    let from = runs[bold].at;
    let end = runs.get(bold + 1).map_or(plain.len(), |next| next.at);
    let title = plain[from..end].trim_end();
    let inner = title.trim_end_matches(':').trim_end();
    if inner.trim().is_empty() {
        return None;
    }
    let after = &plain[end..];
    let next_is_break = runs
        .get(bold + 1)
        .is_some_and(|next| next.kind == Kind::Break);
    let mark = after.trim_start();
    let rest = if let Some(rest) = mark.strip_prefix([':', '\u{2013}', '\u{2014}']) {
        rest
    } else if let Some(rest) = mark
        .strip_prefix('-')
        .filter(|rest| rest.starts_with([' ', '\t']))
    {
        rest
    } else if inner.len() < title.len() || next_is_break || mark.is_empty() {
        mark
    } else {
        return None;
    };
    let rest = rest.trim_start();
    let at = (!rest.is_empty()).then(|| plain.len() - rest.len());
    Some((from, from + inner.len(), at))
}

fn first_sentence(plain: &str, runs: &[Run]) -> (usize, usize, Option<usize>) {
    let mut chars = plain.char_indices().peekable();
    let mut run = 0;
    while let Some((at, c)) = chars.next() {
        if !matches!(c, '.' | '!' | '?' | '…' | '。' | '！' | '？') {
            continue;
        }
        let mut end = at + c.len_utf8();
        while let Some((next, closing)) = chars.peek().copied() {
            if !matches!(
                closing,
                '.' | '!' | '?' | ')' | '"' | '\'' | '”' | '’' | '»'
            ) {
                break;
            }
            end = next + closing.len_utf8();
            chars.next();
        }
        let rest = &plain[end..];
        let begins = rest.trim_start();
        if begins.is_empty() {
            break;
        }
        let is_wide = matches!(c, '。' | '！' | '？');
        if !is_wide && !rest.starts_with(char::is_whitespace) {
            continue;
        }
        if begins.starts_with(char::is_lowercase) || (c == '.' && abbreviates(&plain[..at])) {
            continue;
        }
        // Inside a link or emphasis the text cannot be cut; at its end it can.
        while runs.get(run + 1).is_some_and(|next| next.at < end) {
            run += 1;
        }
        let cuttable = runs[run].exact || runs.get(run + 1).is_none_or(|next| next.at == end);
        if cuttable {
            return (0, end, Some(plain.len() - begins.len()));
        }
    }
    (0, plain.len(), None)
}

/// Whether the word before a full stop is known to end with one inside a sentence.
fn abbreviates(before: &str) -> bool {
    let word = before
        .rsplit(|c: char| c.is_whitespace() || c == '(')
        .next()
        .unwrap_or("");
    let is_first = word.len() == before.len();
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
    let is_initial = word.len() == 1 && word.starts_with(char::is_uppercase);
    matches!(
        word.to_ascii_lowercase().as_str(),
        "e.g"
            | "i.e"
            | "eg"
            | "ie"
            | "cf"
            | "vs"
            | "approx"
            | "resp"
            | "incl"
            | "no"
            | "fig"
            | "sec"
    ) || is_initial
        || (is_first && is_number)
}

fn source_of(runs: &[Run], at: usize) -> usize {
    let run = &runs[runs.partition_point(|run| run.at <= at).saturating_sub(1)];
    if run.exact {
        run.source + (at - run.at)
    } else {
        run.source
    }
}

fn shortened(title: &str) -> String {
    let Some((cut, _)) = title.char_indices().nth(MAX_TITLE_CHARS) else {
        return title.to_owned();
    };
    let cut = title[..cut].rfind(' ').unwrap_or(cut);
    format!("{}…", title[..cut].trim_end())
}

/// The first of these texts that says something.
pub(crate) fn first_of<const N: usize>(texts: [Option<String>; N]) -> Option<String> {
    texts
        .into_iter()
        .flatten()
        .find(|text| !text.trim().is_empty())
}

/// A raw table cell without its hints, its pipes as outside a table.
pub(crate) fn cell_markdown(
    source: &Source<'_>,
    tree: &Tree<'_>,
    cell: usize,
    comments: &[hints::Comment<'_>],
) -> String {
    let range = tree.range(cell);
    let first = comments.partition_point(|comment| comment.range.end <= range.start);
    let holes: Vec<_> = comments[first..]
        .iter()
        .take_while(|comment| comment.range.start < range.end)
        .map(|comment| comment.range.clone())
        .collect();
    let text = source.markdown(range, &holes, crate::source::Margin::default());
    text.trim().replace("\\|", "|")
}
