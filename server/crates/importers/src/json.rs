//! Reading JSON from strangers: borrowed strings, values of loose type, and errors that name the place.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::io::BufRead;
use std::ops::ControlFlow;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};

use crate::ImportError;
use crate::input::unreadable;

/// How deep a report may be nested where it is read.
pub const MOST_LEVELS: usize = 128;

/// Turns a parser's error into a refusal that names the JSON path, line and column.
pub fn broken(format: &'static str, text: &str, error: &serde_json::Error) -> ImportError {
    broken_piece(format, text, error, "$", (error.line(), error.column()))
}

/// As [`broken`], for a piece of a larger text: `base` is the piece's path there, `place` the error's line and column.
pub(crate) fn broken_piece(
    format: &'static str,
    piece: &str,
    error: &serde_json::Error,
    base: &str,
    place: (usize, usize),
) -> ImportError {
    let path = path_at(piece, error.line(), error.column());
    let path = path.strip_prefix('$').unwrap_or(&path);
    broken_at(format, error, &format!("{base}{path}"), place)
}

/// As [`broken`], where the error's path is known.
pub(crate) fn broken_at(
    format: &'static str,
    error: &serde_json::Error,
    path: &str,
    (line, column): (usize, usize),
) -> ImportError {
    let full = error.to_string();
    if full.contains("recursion limit") {
        return ImportError::TooDeep {
            line,
            most: MOST_LEVELS,
        };
    }
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = full.strip_suffix(&place).unwrap_or(&full).to_owned();
    let message = if error.is_eof() {
        format!("the file ends in the middle ({message}); it was cut off. Upload it again.")
    } else {
        format!("{message}.")
    };
    let at = format!("{path} (line {line}, column {column})");
    ImportError::broken(format, &at, &message)
}

/// Where in a text the parser stopped, in bytes.
pub(crate) fn offset_of(text: &str, error: &serde_json::Error) -> usize {
    offset(text, error.line(), error.column())
}

fn offset(text: &str, line: usize, column: usize) -> usize {
    let before_line: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    before_line.saturating_add(column).min(text.len())
}

/// The JSON path, such as `$.runs[0].results[12].level`, of a place in a text.
pub fn path_at(text: &str, line: usize, column: usize) -> String {
    let mut walk = Walk::default();
    let before = &text.as_bytes()[..offset(text, line, column)];
    let _ = walk.feed(before, &mut |_, _| true);
    walk.path()
}

/// As [`path_at`], of a text that is read.
pub(crate) fn path_in(
    text: &mut dyn BufRead,
    line: usize,
    column: usize,
) -> std::io::Result<String> {
    let mut walk = Walk::default();
    let (mut lines_left, mut columns_left) = (line.saturating_sub(1), column);
    loop {
        let available = text.fill_buf()?;
        let mut n = 0;
        while lines_left > 0
            && let Some(end) = memchr::memchr(b'\n', &available[n..])
        {
            n += end + 1;
            lines_left -= 1;
        }
        if lines_left > 0 {
            n = available.len();
        } else {
            let rest = columns_left.min(available.len() - n);
            n += rest;
            columns_left -= rest;
        }
        if n == 0 {
            return Ok(walk.path());
        }
        if walk.feed(&available[..n], &mut |_, _| true).is_break() {
            return Ok(walk.path());
        }
        text.consume(n);
    }
}

/// The keys of the JSON object that the text is (`depth` 0), or of the one that is the first element of the list that it is
/// (`depth` 1), as far as the text goes. Escaped keys are left as written.
pub(crate) fn keys_at_top(
    text: &mut dyn BufRead,
    depth: usize,
) -> Result<Vec<String>, ImportError> {
    const MOST_KEYS: usize = 1_000;
    let mut keys = Vec::new();
    let mut walk = Walk::default();
    let mut see = |levels: &[Level], key: &str| {
        let is_past_first = depth > 0 && levels[0].index > 0;
        if !is_past_first && levels.len() == depth + 1 {
            keys.push(key.to_owned());
        }
        !is_past_first && keys.len() < MOST_KEYS
    };
    loop {
        let available = text.fill_buf().map_err(unreadable)?;
        let n = available.len();
        if n == 0 || walk.feed(available, &mut see).is_break() {
            return Ok(keys);
        }
        text.consume(n);
    }
}

/// A list or an object that a [`Walk`] is in.
#[derive(Debug, Default)]
struct Level {
    is_object: bool,
    /// The last key, and whether another one comes next.
    key: Vec<u8>,
    wants_key: bool,
    /// How many elements were before.
    index: usize,
}

/// What of a JSON text a byte belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Within {
    #[default]
    Structure,
    Key,
    Text,
}

/// Goes over a JSON text, token by token, and knows where it is. The text may come in pieces.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    levels: Vec<Level>,
    /// How many more levels are open than are kept.
    n_deeper: usize,
    within: Within,
    is_escaped: bool,
    /// Whether anything was seen but white space.
    is_begun: bool,
}

impl Walk {
    /// So much of a key is kept.
    const KEY_BYTES: usize = 320;

    /// Goes on over these bytes. Ends early, and says after which byte, when the outermost value ends (one that is no list and no
    /// object ends with its line), or when `see`, which gets the levels and each key, returns false.
    fn feed(
        &mut self,
        bytes: &[u8],
        see: &mut dyn FnMut(&[Level], &str) -> bool,
    ) -> ControlFlow<usize> {
        let mut at = 0;
        while at < bytes.len() {
            if self.within != Within::Structure {
                at = self.text(bytes, at, see)?;
                continue;
            }
            match bytes[at] {
                byte @ (b'{' | b'[') => self.open(byte == b'{'),
                b'}' | b']' => {
                    if self.n_deeper > 0 {
                        self.n_deeper -= 1;
                    } else if self.levels.len() <= 1 {
                        return ControlFlow::Break(at + 1);
                    } else {
                        self.levels.pop();
                    }
                }
                b',' if self.n_deeper == 0 => {
                    if let Some(level) = self.levels.last_mut() {
                        level.wants_key = level.is_object;
                        level.index += usize::from(!level.is_object);
                    }
                }
                b'"' => {
                    let level = self.levels.last_mut();
                    let level = level.filter(|level| self.n_deeper == 0 && level.wants_key);
                    self.within = Within::Text;
                    if let Some(level) = level {
                        self.within = Within::Key;
                        level.wants_key = false;
                        level.key.clear();
                    }
                }
                b'\n' if self.levels.is_empty() && self.is_begun => {
                    return ControlFlow::Break(at + 1);
                }
                _ => {}
            }
            self.is_begun |= !bytes[at].is_ascii_whitespace();
            at += 1;
        }
        ControlFlow::Continue(())
    }

    /// How many of these bytes belong to the document that is gone over, and whether it ends with them: then another one may
    /// follow.
    pub(crate) fn end_of_document(&mut self, bytes: &[u8]) -> (usize, bool) {
        match self.feed(bytes, &mut |_, _| true) {
            ControlFlow::Continue(()) => (bytes.len(), false),
            ControlFlow::Break(end) => {
                *self = Self::default();
                (end, true)
            }
        }
    }

    fn open(&mut self, is_object: bool) {
        // Deeper ones are refused by who reads the text, and would be many.
        if self.levels.len() > MOST_LEVELS {
            self.n_deeper += 1;
        } else {
            self.levels.push(Level {
                is_object,
                wants_key: is_object,
                ..Level::default()
            });
        }
    }

    /// Goes on within a text; where it ends or the bytes do.
    fn text(
        &mut self,
        bytes: &[u8],
        from: usize,
        see: &mut dyn FnMut(&[Level], &str) -> bool,
    ) -> ControlFlow<usize, usize> {
        let mut at = from;
        let mut is_over = false;
        while at < bytes.len() && !is_over {
            if self.is_escaped {
                self.is_escaped = false;
                at += 1;
                continue;
            }
            let Some(next) = memchr::memchr2(b'"', b'\\', &bytes[at..]) else {
                at = bytes.len();
                break;
            };
            at += next + 1;
            is_over = bytes[at - 1] == b'"';
            self.is_escaped = !is_over;
        }
        let is_key = self.within == Within::Key;
        if is_key && let Some(level) = self.levels.last_mut() {
            let end = at - usize::from(is_over);
            let room = Self::KEY_BYTES.saturating_sub(level.key.len());
            let part = &bytes[from..end];
            level.key.extend_from_slice(&part[..part.len().min(room)]);
        }
        if is_over {
            self.within = Within::Structure;
            if is_key
                && let Some(level) = self.levels.last()
                && !see(&self.levels, &String::from_utf8_lossy(&level.key))
            {
                return ControlFlow::Break(at);
            }
        }
        ControlFlow::Continue(at)
    }

    fn path(&self) -> String {
        let mut path = String::from("$");
        for level in self.levels.iter().take(MOST_LEVELS) {
            if !level.is_object {
                path.extend(["[", &level.index.to_string(), "]"]);
            } else if !level.key.is_empty() {
                path.push('.');
                let key = String::from_utf8_lossy(&level.key);
                path.extend(key.chars().filter(|c| !c.is_control()).take(80));
            }
        }
        path
    }
}

/// A string that is borrowed from the text where it has no escapes. Numbers and booleans are taken as their spelling.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Text<'a>(pub Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Text<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(number.to_string())))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(number.to_string())))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(number.to_string())))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(value.to_string())))
            }
        }

        deserializer.deserialize_any(TextVisitor)
    }
}

/// A list that may be absent or null.
#[derive(Clone, Debug)]
pub struct Many<T>(pub Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> std::ops::Deref for Many<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<Vec<T>>::deserialize(deserializer).map(|list| Self(list.unwrap_or_default()))
    }
}

/// A line or column: a whole number from 1 on. Anything else (0, negative, huge, a fraction) is as if it were absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count(pub Option<u32>);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Loose::deserialize(deserializer)?;
        let number = match &value {
            Loose::Number(number) => Some(*number),
            Loose::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        Ok(Self(number.and_then(whole_number).filter(|n| *n > 0)))
    }
}

/// A whole number that fits, from a number of any kind.
pub fn whole_number(number: f64) -> Option<u32> {
    let fits = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole and within range, as just checked"
    )]
    fits.then_some(number as u32)
}

/// A value whose type differs from tool to tool.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Loose<'a> {
    #[default]
    Null,
    Bool(bool),
    Number(f64),
    Text(Cow<'a, str>),
    List(Vec<Loose<'a>>),
    Object(Vec<(Cow<'a, str>, Loose<'a>)>),
}

impl Loose<'_> {
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, also where it is written as a string.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok().filter(|n: &f64| n.is_finite()),
            _ => None,
        }
    }

    /// Every string in it, at any depth, and every number as its spelling.
    pub fn each_text(&self, see: &mut dyn FnMut(&str)) {
        match self {
            Self::Text(text) => see(text),
            Self::Number(number) => see(&number.to_string()),
            Self::List(list) => list.iter().for_each(|value| value.each_text(see)),
            Self::Object(entries) => entries.iter().for_each(|(_, value)| value.each_text(see)),
            Self::Null | Self::Bool(_) => {}
        }
    }
}

/// How many values are held at once: what stands around the findings of a file, or one of its elements. A list of a hundred
/// million small ones is a short file when it is packed.
pub(crate) const MOST_VALUES: usize = 4_000_000;

/// Counts the values that are held.
pub(crate) struct Room(Cell<usize>);

impl Default for Room {
    fn default() -> Self {
        Self(Cell::new(MOST_VALUES))
    }
}

impl Room {
    /// For one more value.
    pub(crate) fn take<E: de::Error>(&self) -> Result<(), E> {
        let left = self.0.get().checked_sub(1);
        let left = left.ok_or_else(|| {
            E::custom(format_args!(
                "it has more than {MOST_VALUES} values in one piece, which is more than is held in memory"
            ))
        });
        self.0.set(left?);
        Ok(())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Loose<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        LooseWithin(&Room::default()).deserialize(deserializer)
    }
}

/// Reads a [`Loose`] as long as there is room.
#[derive(Clone, Copy)]
pub(crate) struct LooseWithin<'r>(pub(crate) &'r Room);

impl<'de> DeserializeSeed<'de> for LooseWithin<'_> {
    type Value = Loose<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Loose<'de>, D::Error> {
        struct LooseVisitor<'r>(LooseWithin<'r>);

        impl<'de> Visitor<'de> for LooseVisitor<'_> {
            type Value = Loose<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Loose::Null)
            }

            fn visit_none<E>(self) -> Result<Self::Value, E> {
                Ok(Loose::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Loose::Bool(value))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
                Ok(Loose::Number(number))
            }

            #[expect(
                clippy::cast_precision_loss,
                reason = "such large numbers mean nothing in a report"
            )]
            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Loose::Number(number as f64))
            }

            #[expect(
                clippy::cast_precision_loss,
                reason = "such large numbers mean nothing in a report"
            )]
            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Loose::Number(number as f64))
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Loose::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Loose::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element_seed(self.0)? {
                    self.0.0.take()?;
                    values.push(value);
                }
                Ok(Loose::List(values))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(key) = map.next_key::<Text<'de>>()? {
                    self.0.0.take()?;
                    entries.push((key.0, map.next_value_seed(self.0)?));
                }
                Ok(Loose::Object(entries))
            }
        }

        deserializer.deserialize_any(LooseVisitor(self))
    }
}

/// How many elements a list has; the elements themselves are skipped. `None` for null.
#[derive(Clone, Copy, Debug, Default)]
pub struct Skipped(pub Option<usize>);

impl<'de> Deserialize<'de> for Skipped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SkippedVisitor;

        impl<'de> Visitor<'de> for SkippedVisitor {
            type Value = Skipped;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
                Ok(Skipped(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut n = 0;
                while list.next_element::<IgnoredAny>()?.is_some() {
                    n += 1;
                }
                Ok(Skipped(Some(n)))
            }
        }

        deserializer.deserialize_any(SkippedVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_named_by_its_path() {
        let text = "{\"runs\": [\n {\"a\": [1, 2]}, {\"b\\\"c\": {\"level\": 7}}\n]}";
        let column = text.lines().nth(1).and_then(|l| l.find('7')).unwrap() + 1;
        assert_eq!(path_at(text, 2, column), "$.runs[1].b\\\"c.level");
        assert_eq!(path_at(text, 99, 99), "$.runs");
        assert_eq!(path_at("", 0, 0), "$");
    }

    #[test]
    fn the_keys_at_the_top_are_found_in_a_beginning_that_is_cut_off() {
        let keys = |text: &str, depth| keys_at_top(&mut text.as_bytes(), depth).unwrap();
        let cut_off = "{\"a\": {\"x\": [\"{\"]}, \"b\": \"c, \\\"d\\\": 1";
        assert_eq!(keys(cut_off, 0), ["a", "b"]);
        assert_eq!(keys(&format!("[{cut_off}"), 1), ["a", "b"]);
        assert_eq!(keys("[{\"a\": 1}, {\"b\": 2}]", 1), ["a"]);
        let behind_lists = "{\"a\": [1, {\"x\": 2}], \"b\": [[], {\"y\": 3}], \"c\": 4}";
        assert_eq!(keys(behind_lists, 0), ["a", "b", "c"]);
        assert!(keys("[1]", 0).is_empty());
        assert!(keys("[1, 2]", 1).is_empty());
    }

    #[test]
    fn a_text_in_pieces_has_the_same_places() {
        let text = "{\"runs\": [\n {\"a\": [1, 2]}, {\"b\\\"ä\": {\"level\": 7}}\n]}";
        for size in 1..text.len() {
            let reader = || std::io::BufReader::with_capacity(size, text.as_bytes());
            assert_eq!(keys_at_top(&mut reader(), 0).unwrap(), ["runs"]);
            for (line, column) in [(1, 3), (1, 9), (2, 8), (2, 20), (2, 34), (3, 1), (9, 9)] {
                let path = path_in(&mut reader(), line, column).unwrap();
                assert_eq!(path, path_at(text, line, column), "{size} {line} {column}");
            }
        }
    }
}
