//! Texts that make a parser slow: what a stranger, a colleague or a scanner may send, each of any length.
//!
//! A test gives every [`TEXTS`] to the function it is about and asks [`assert_linear`] whether four times the text takes about four
//! times as long. The crate is for tests only: nothing that is shipped depends on it.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A kind of hostile text.
#[derive(Clone, Copy, Debug)]
pub struct Hostile {
    pub name: &'static str,
    make: fn(usize) -> String,
}

impl Hostile {
    /// A text of this kind, about so many bytes long.
    pub fn text(&self, bytes: usize) -> String {
        (self.make)(bytes)
    }
}

fn repeat(piece: &str, bytes: usize) -> String {
    piece.repeat(bytes / piece.len() + 1)
}

/// Pieces that differ by their number, until the text is long enough.
fn numbered(bytes: usize, piece: impl Fn(usize) -> String) -> String {
    let mut text = String::with_capacity(bytes + 64);
    let mut at = 0;
    while text.len() < bytes {
        text.push_str(&piece(at));
        at += 1;
    }
    text
}

/// Opens half as often as there are bytes, and closes as often.
fn nested(open: &str, close: &str, bytes: usize) -> String {
    let n = bytes / (open.len() + close.len()) + 1;
    format!("{}{}", open.repeat(n), close.repeat(n))
}

/// How many steps there are when the steps grow by one each and are `bytes` long together.
fn growing(bytes: usize) -> usize {
    (2 * bytes).isqrt().max(1)
}

macro_rules! texts {
    ($($name:literal: $make:expr,)+) => {
        /// Every kind.
        pub const TEXTS: &[Hostile] = &[$(Hostile { name: $name, make: $make },)+];
    };
}

texts! {
    "quotes in quotes": |n| repeat(">", n),
    "quotes in quotes, spaced": |n| repeat("> ", n),
    "quotes in quotes, then lazy lines": |n| format!("{}a\n{}", repeat(">", n / 2), repeat("a\n", n / 2)),
    "quotes in quotes, line by line": |n| {
        let depth = growing(n);
        (1..=depth).map(|at| format!("{}a\n", ">".repeat(at))).collect()
    },
    "quotes in quotes, then empty lines": |n| format!("{}a{}", repeat(">", n / 2), repeat("\n", n / 2)),
    "lists in lists on one line": |n| repeat("- ", n),
    "lists in lists, then empty lines": |n| format!("{}a{}", repeat("- ", n / 2), repeat("\n", n / 2)),
    "lists in lists, then lines": |n| format!("{}a{}", repeat("- ", n / 2), repeat("\nb", n / 2)),
    "lists in lists, then paragraphs": |n| format!("{}a{}", repeat("- ", n / 2), repeat("\n\nb", n / 2)),
    "lists in lists, by indentation": |n| {
        let depth = growing(n / 2);
        (0..depth).map(|at| format!("{}- a\n", "  ".repeat(at))).collect()
    },
    "tasks in tasks, by indentation": |n| {
        let depth = growing(n / 2);
        (0..depth).map(|at| format!("{}- [ ] a\n", "  ".repeat(at))).collect()
    },
    "tasks in tasks, then empty lines": |n| {
        let depth = growing(n / 4);
        let tasks: String = (0..depth).map(|at| format!("{}- [ ] a\n", "  ".repeat(at))).collect();
        format!("{tasks}{}", repeat("\n", n / 2))
    },
    "numbered lists in numbered lists": |n| repeat("1. ", n),
    "lists in quotes in lists": |n| repeat("> - ", n),
    "task lists": |n| repeat("- [ ] a\n", n),
    "task lists without text": |n| repeat("- [ ]\n", n),
    "task lists of nested emphasis": |n| repeat("- [ ] **a*b**c*\n", n),
    "emphasis never closed": |n| repeat("*a_ ", n),
    "emphasis never closed, strong": |n| repeat("**a __b ", n),
    "emphasis opened and closed by others": |n| repeat("*a **b _c __d ", n),
    "emphasis in emphasis": |n| nested("*a ", " b*", n),
    "emphasis in strong": |n| nested("**a _b ", " c_ d**", n),
    "stars": |n| repeat("*", n),
    "stars between letters": |n| repeat("a**b", n),
    "underscores": |n| repeat("_a", n),
    "tildes": |n| repeat("~~a ~b ", n),
    "strikes in strikes": |n| nested("~~a ", " b~~", n),
    "brackets opened": |n| repeat("[", n),
    "brackets closed": |n| repeat("]", n),
    "brackets in brackets": |n| nested("[", "]", n),
    "links never closed": |n| repeat("[a](", n),
    "links never closed, in angles": |n| repeat("[a](<b", n),
    "links with titles never closed": |n| repeat("[a](b \"c", n),
    "links in links": |n| nested("[a", "](b)", n),
    "pictures in pictures": |n| nested("![a", "](b)", n),
    "pictures opened": |n| repeat("![", n),
    "parentheses in a link": |n| format!("[a]({}", repeat("(", n)),
    "references that expand": |n| format!("[a]: https://e.example/{}\n\n{}", repeat("x", n / 2), repeat("[a] ", n / 2)),
    "references never defined": |n| repeat("[a][b] ", n),
    "references defined": |n| numbered(n, |at| format!("[a{at}]: b\n")),
    "reference definitions never ended": |n| repeat("[a]: b '\n", n),
    "footnotes": |n| repeat("[^a] ", n),
    "footnotes defined": |n| numbered(n, |at| format!("[^{at}]: [^{}]\n", at + 1)),
    "footnotes in footnotes": |n| numbered(n, |at| format!("[^{at}]: ")),
    "back-ticks of growing length": |n| (1..=growing(n)).map(|at| format!("{}a", "`".repeat(at))).collect(),
    "back-ticks of falling length": |n| (1..=growing(n)).rev().map(|at| format!("{}a", "`".repeat(at))).collect(),
    "back-ticks": |n| repeat("`a", n),
    "back-ticks escaped": |n| repeat("\\``", n),
    "fences opened": |n| repeat("```\n~~~\n", n),
    "fences of growing length": |n| (3..=growing(n)).map(|at| format!("{}\n", "`".repeat(at))).collect(),
    "table with many columns": |n| format!("|{}\n|{}\n", repeat("a|", n / 2), repeat("-|", n / 2)),
    "table whose rows are short": |n| {
        format!("|{}\n|{}\n{}", repeat("a|", n / 4), repeat("-|", n / 4), repeat("|b\n", n / 2))
    },
    "tables": |n| repeat("|a|b|\n|-|-|\n|c|d|\n\n", n),
    "table with a long row": |n| format!("|a|b|\n|-|-|\n|{}\n", repeat("c|", n)),
    "pipes": |n| repeat("|", n),
    "entities": |n| repeat("&amp;&#65;&", n),
    "entities never ended": |n| repeat("&#", n),
    "ampersands": |n| repeat("&", n),
    "ampersands in code": |n| format!("`{}`", repeat("&", n)),
    "ampersands in a fence": |n| format!("```\n{}\n```\n", repeat("&", n)),
    "ampersands in a link": |n| format!("[a](https://a.example/?{} \"{}\")", repeat("&", n / 2), repeat("&", n / 2)),
    "angles": |n| repeat("< > ", n),
    "entity of many digits": |n| format!("&#{};", repeat("1", n)),
    "tags in tags": |n| repeat("<a<a", n),
    "tags opened": |n| repeat("<a ", n),
    "tags in order": |n| nested("<div>", "</div>", n),
    "tags never closed": |n| repeat("<div>", n),
    "tags with attributes never ended": |n| repeat("<a b=\"", n),
    "comments never ended": |n| repeat("<!--", n),
    "comments with dashes": |n| repeat("<!-- - -- ", n),
    "hints never ended": |n| repeat("- [ ] a <!-- holdpoint: owner=a;", n),
    "hints": |n| repeat("- [ ] a <!-- holdpoint: advisory; owner=a -->\n", n),
    "hint with many words": |n| format!("- [ ] a <!-- holdpoint: {} -->", repeat("a;", n)),
    "processing instructions never ended": |n| repeat("<?a ", n),
    "declarations never ended": |n| repeat("<!A ", n),
    "character data never ended": |n| repeat("<![CDATA[", n),
    "addresses": |n| repeat("<https://a.example>", n),
    "addresses never ended": |n| repeat("<https://a", n),
    "mail addresses never ended": |n| repeat("<a@b", n),
    "headings": |n| repeat("# a\n", n),
    "headings that ask": |n| repeat("# a?\n", n),
    "headings underlined": |n| repeat("a\n=\n", n),
    "headings of hashes": |n| format!("# {}", repeat("#", n)),
    "headings numbered": |n| numbered(n, |at| format!("## {at}.{at} a\n")),
    "rules never ended": |n| repeat("* * a", n),
    "rules": |n| repeat("---\n", n),
    "front matter": |n| format!("---\n{}---\n", numbered(n, |at| format!("k{at}: v\n"))),
    "front matter never ended": |n| format!("---\n{}", numbered(n, |at| format!("k{at}: v\n"))),
    "front matter of continued lines": |n| format!("---\na: b\n{}---\n", repeat("  c\n", n)),
    "front matter of lists": |n| format!("---\na:\n{}---\n", repeat("- c\n", n)),
    "header lines": |n| numbered(n, |at| format!("**Key {at}**: value\n")),
    "header lines continued": |n| format!("**Key**: value\n{}", repeat("more\n", n)),
    "deliverables": |n| format!("# Deliverables\n\n{}", numbered(n, |at| format!("{}. a\n", at + 1))),
    "one long line": |n| repeat("a", n),
    "one long line of words": |n| repeat("a ", n),
    "one long line of sentences": |n| repeat("a. ", n),
    "many lines": |n| repeat("a\n", n),
    "many empty lines": |n| repeat("\n", n),
    "many lines that end in returns": |n| repeat("a\r", n),
    "many hard breaks": |n| repeat("a\\\n", n),
    "spaces": |n| repeat(" ", n),
    "spaces before a line end": |n| format!("a{}\n", repeat(" ", n)),
    "tabs": |n| repeat("\t", n),
    "backslashes": |n| repeat("\\", n),
    "quotation marks": |n| repeat("\"'", n),
    "combining marks": |n| repeat("a\u{301}", n),
    "direction marks": |n| repeat("\u{202e}a", n),
    "zeros": |n| repeat("\0", n),
    "words that all differ": |n| numbered(n, |at| format!("w{at} ")),
    "items that all differ": |n| numbered(n, |at| format!("- [ ] item {at} of words w{at}\n")),
    "items that are alike": |n| numbered(n, |at| format!("- [ ] item {} the same words here\n", at % 7)),
}

/// What a quadratic reading would take for four times the text, and what is let pass.
const MOST_GROWTH: f64 = 10.0;
/// What is too quick to be compared.
const QUICK: Duration = Duration::from_millis(120);
/// How often a text may seem slow.
const TRIES: usize = 4;

/// What this thread has worked so far: a machine that is busy elsewhere is no fault of the parser.
fn worked() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).expect("no work is less than none")
}

/// Fails for a text of which four times as much takes more than ten times as long (a linear reading takes four times, a quadratic
/// one sixteen times) on the thread that calls. Each length is done twice and the quicker counts; a text fails only if it is slow several times in a row.
#[track_caller]
pub fn assert_linear<T>(
    name: &str,
    bytes: usize,
    make: impl Fn(usize) -> String,
    work: impl Fn(&str) -> T,
) {
    let (short, long) = (make(bytes), make(4 * bytes));
    let time = |text: &str| {
        let once = || {
            let started = worked();
            std::hint::black_box(work(text));
            worked().saturating_sub(started)
        };
        let first = once();
        if first < QUICK {
            first
        } else {
            first.min(once())
        }
    };
    let mut measured = Vec::new();
    for _ in 0..TRIES {
        let of_long = time(&long);
        if of_long < QUICK {
            return;
        }
        let of_short = time(&short);
        if of_long.as_secs_f64() <= MOST_GROWTH * of_short.as_secs_f64().max(0.001) {
            return;
        }
        measured.push((of_short, of_long));
    }
    panic!(
        "{name}: {} bytes take so much longer than {}: {measured:?}",
        long.len(),
        short.len()
    );
}

/// [`assert_linear`] for every one of [`TEXTS`].
#[track_caller]
pub fn assert_all_linear<T>(bytes: usize, work: impl Fn(&str) -> T) {
    for hostile in TEXTS {
        assert_linear(hostile.name, bytes, hostile.make, &work);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_as_long_as_was_asked() {
        for hostile in TEXTS {
            for bytes in [1_000, 20_000] {
                let text = hostile.text(bytes);
                assert!(
                    (bytes / 2..bytes * 3).contains(&text.len()),
                    "{}: {} for {bytes}",
                    hostile.name,
                    text.len()
                );
            }
        }
    }

    #[test]
    fn what_looks_at_each_pair_of_bytes_fails() {
        let pairs = |text: &str| {
            let bytes = text.as_bytes();
            bytes
                .iter()
                .map(|one| {
                    bytes
                        .iter()
                        .filter(|other| std::hint::black_box(*other) == one)
                        .count()
                })
                .sum::<usize>()
        };
        let fails =
            std::panic::catch_unwind(|| assert_linear("pairs", 4_000, |n| repeat("a", n), pairs));
        assert!(fails.is_err());
        assert_linear(
            "bytes",
            20_000,
            |n| repeat("a", n),
            |text| text.bytes().filter(|byte| *byte == b'a').count(),
        );
    }
}
