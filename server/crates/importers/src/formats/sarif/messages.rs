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

/// `[words](1)` points to a related location (3.11.6): only the words are for reading.
pub(super) fn without_links(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains("](") {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(open) = rest.find('[') {
        out.push_str(&rest[..open]);
        let tail = &rest[open + 1..];
        // No other bracket may stand in the words, so that the next one decides.
        let end = tail.find(['[', ']']).unwrap_or(tail.len());
        let link = tail[end..]
            .strip_prefix("](")
            .and_then(|target| number_before(target, ')'));
        if let Some((_, after)) = link {
            out.push_str(&tail[..end]);
            rest = after;
        } else {
            out.push('[');
            rest = tail;
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
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
