//! Reading JSON from strangers: borrowed strings, values of loose type, and errors that name the place.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};

use crate::ImportError;

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
    let path = path_at(piece, error.line(), error.column());
    let path = path.strip_prefix('$').unwrap_or(&path);
    let at = format!("{base}{path} (line {line}, column {column})");
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

#[derive(Debug)]
enum Level<'a> {
    Object {
        key: Option<&'a str>,
        wants_key: bool,
    },
    List {
        index: usize,
    },
}

/// The JSON path, such as `$.runs[0].results[12].level`, of a place in a text.
pub fn path_at(text: &str, line: usize, column: usize) -> String {
    let end = offset(text, line, column);
    let mut levels: Vec<Level<'_>> = Vec::new();
    walk(text, end, &mut levels, |_, _| true);
    let mut path = String::from("$");
    for level in levels.iter().take(MOST_LEVELS) {
        match level {
            Level::Object { key: Some(key), .. } => {
                path.push('.');
                path.extend(key.chars().filter(|c| !c.is_control()).take(80));
            }
            Level::Object { key: None, .. } => {}
            Level::List { index } => path.extend(["[", &index.to_string(), "]"]),
        }
    }
    path
}

/// The keys of the JSON object that the text begins with, as far as the text goes. Escaped keys are left as written.
pub fn keys_at_top(text: &str) -> Vec<String> {
    let mut keys = Vec::new();
    if text.starts_with('{') {
        let mut levels = Vec::new();
        walk(text, text.len(), &mut levels, |levels, key| {
            if levels == 1 {
                keys.push(key.to_owned());
            }
            // The object's end ends the walk; that is told by the walk itself.
            keys.len() < 1_000
        });
    }
    keys
}

/// Walks over the tokens before `end`, keeping the open levels; ends early when the outermost value ends, or when `see`,
/// which gets each key with its depth, returns false.
fn walk<'a>(
    text: &'a str,
    end: usize,
    levels: &mut Vec<Level<'a>>,
    mut see: impl FnMut(usize, &'a str) -> bool,
) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < end {
        match bytes[at] {
            b'{' => levels.push(Level::Object {
                key: None,
                wants_key: true,
            }),
            b'[' => levels.push(Level::List { index: 0 }),
            b'}' | b']' => {
                if levels.len() <= 1 {
                    return;
                }
                levels.pop();
            }
            b',' => match levels.last_mut() {
                Some(Level::Object { wants_key, .. }) => *wants_key = true,
                Some(Level::List { index }) => *index += 1,
                None => {}
            },
            b'"' => {
                let start = at + 1;
                at = start;
                while at < end && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                let depth = levels.len();
                if at < end
                    && let Some(Level::Object { key, wants_key }) = levels.last_mut()
                    && *wants_key
                {
                    *wants_key = false;
                    *key = text.get(start..at);
                    if !see(depth, key.unwrap_or("")) {
                        return;
                    }
                }
            }
            _ => {}
        }
        at += 1;
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

impl<'de: 'a, 'a> Deserialize<'de> for Loose<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LooseVisitor;

        impl<'de> Visitor<'de> for LooseVisitor {
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
                while let Some(value) = list.next_element()? {
                    values.push(value);
                }
                Ok(Loose::List(values))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some((key, value)) = map.next_entry::<Text<'de>, Loose<'de>>()? {
                    entries.push((key.0, value));
                }
                Ok(Loose::Object(entries))
            }
        }

        deserializer.deserialize_any(LooseVisitor)
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
        assert_eq!(
            keys_at_top("{\"a\": {\"x\": [\"{\"]}, \"b\": \"c, \\\"d\\\": 1"),
            ["a", "b"]
        );
        assert!(keys_at_top("[1]").is_empty());
    }
}
