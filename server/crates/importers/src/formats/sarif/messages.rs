//! A message's words: arguments in the place of their numbers, links as what they say.

use std::borrow::Cow;

use crate::json::Text;

/// Arguments add at most so many bytes to a message, since a short text can name a long one any number of times.
const MOST_ADDED_BYTES: usize = 64 * 1024;

/// Puts arguments in the place of `{0}`, `{1}`, …; `{{` and `}}` are braces (3.11.5). A text without arguments stays as it
/// is, since tools write braces into such texts without doubling them.
pub(super) fn with_arguments<'t>(text: &'t str, arguments: &[Text<'_>]) -> Cow<'t, str> {
    if arguments.is_empty() || !text.contains(['{', '}']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 32);
    let mut left = MOST_ADDED_BYTES;
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let tail = &rest[at..];
        if tail.starts_with("{{") || tail.starts_with("}}") {
            out.push_str(&tail[..1]);
            rest = &tail[2..];
            continue;
        }
        let argument = tail.strip_prefix('{').and_then(|tail| {
            let (number, after) = number_before(tail, '}')?;
            let argument = arguments.get(number.parse::<usize>().ok()?)?;
            left = left.checked_sub(argument.len())?;
            Some((argument, after))
        });
        if let Some((argument, after)) = argument {
            out.push_str(argument);
            rest = after;
        } else {
            out.push_str(&tail[..1]);
            rest = &tail[1..];
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// `[words](1)` points to a related location (3.11.6): only the words are for reading. A bracket behind a backslash is no
/// link's; in the words it stands without the backslash, as a second backslash does. Elsewhere backslashes are left alone,
/// since tools write paths with them.
pub(super) fn without_links(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains("](") {
        return text;
    }
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let (mut copied, mut at) = (0, 0);
    // No other bracket may stand in the words, so that the last one that opens decides.
    let mut opened = None;
    while let Some(found) = memchr::memchr3(b'[', b']', b'\\', &bytes[at..]) {
        let place = at + found;
        at = place + 1;
        match bytes[place] {
            b'[' => opened = Some(place),
            b'\\' => at += usize::from(bytes.get(at).is_some_and(|next| is_escaped(*next))),
            _ => {
                let target = text[at..].strip_prefix('(');
                let after = target.and_then(|target| Some(number_before(target, ')')?.1));
                if let (Some(open), Some(after)) = (opened.take(), after) {
                    out.push_str(&text[copied..open]);
                    push_unescaped(&text[open + 1..place], &mut out);
                    at = text.len() - after.len();
                    copied = at;
                }
            }
        }
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

const fn is_escaped(byte: u8) -> bool {
    matches!(byte, b'[' | b']' | b'\\')
}

fn push_unescaped(words: &str, out: &mut String) {
    let mut rest = words;
    while let Some(at) = rest.find('\\') {
        let tail = &rest[at + 1..];
        let is_mark = tail.bytes().next().is_some_and(is_escaped);
        out.push_str(&rest[..at + usize::from(!is_mark)]);
        // What a mark stands before is no mark itself.
        let n = usize::from(is_mark);
        out.push_str(&tail[..n]);
        rest = &tail[n..];
    }
    out.push_str(rest);
}

/// The digits that a text begins with, and what comes after the mark that ends them.
fn number_before(text: &str, end: char) -> Option<(&str, &str)> {
    let n_digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(n_digits);
    let rest = rest.strip_prefix(end)?;
    (!number.is_empty()).then_some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_to_places_are_taken_for_their_words() {
        for (text, wanted) in [
            ("see [here](1) and [there](23).", "see here and there."),
            ("[a](x) [b]( 1) [c](1", "[a](x) [b]( 1) [c](1"),
            ("[[a](1)]", "[a]"),
            ("x[0] [a] b](1) [c](2)", "x[0] [a] b](1) c"),
            ("[](1)[ä](2)", "ä"),
            ("[a]()", "[a]()"),
            // The standard's own example, and what is no link for its backslashes.
            (r"[para\[0\]\\spans\[2\]](1).", r"para[0]\spans[2]."),
            (r"\[a](1) [b\](1) \\[c](1)", r"\[a](1) [b\](1) \\c"),
            (r"C:\x [in C:\x\\](1)\", r"C:\x in C:\x\\"),
        ] {
            assert_eq!(without_links(Cow::Borrowed(text)), wanted);
        }
    }

    #[test]
    fn arguments_stand_where_their_numbers_stood() {
        let arguments = [Text("a".into()), Text("{0}".into())];
        for (text, wanted) in [
            ("{0} and {1}", "a and {0}"),
            ("{{0}} {2} {x} {0", "{0} {2} {x} {0"),
            ("}}{", "}{"),
        ] {
            assert_eq!(with_arguments(text, &arguments), wanted);
        }
    }

    /// Some megabytes take far less than a second when each is looked at a few times, and hours otherwise.
    #[test]
    fn texts_full_of_brackets_are_gone_through_once() {
        let n = 5_000_000;
        let open = "[".repeat(n) + "](";
        assert_eq!(without_links(Cow::Borrowed(&open)), open);
        let closed = "]".repeat(n) + "](1)";
        assert_eq!(without_links(Cow::Borrowed(&closed)), closed);
        let unclosed = "[a](1".repeat(n / 5);
        assert_eq!(without_links(Cow::Borrowed(&unclosed)), unclosed);
        let braces = "{a".repeat(n / 2);
        assert_eq!(with_arguments(&braces, &[Text("x".into())]), braces);
    }

    #[test]
    fn a_message_does_not_grow_without_bound() {
        let long = [Text("x".repeat(1_000_000).into()), Text("y".into())];
        assert_eq!(with_arguments("{0}{1}", &long), "{0}y");
        let grown = with_arguments(&"{0}".repeat(100_000), &[Text("x".repeat(1_000).into())]).len();
        assert!(grown < 400_000, "{grown}");
    }
}
