//! Reports as one kind of tree, whether they are written in JSON, XML or CSV, and the ways through it.
//!
//! A list of findings is never held as a whole: [`stream`] hands on its elements one by one and keeps the rest.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use crate::ImportError;
use crate::json::{Loose, MOST_LEVELS, Text, broken, whole_number};

static NULL: Loose<'static> = Loose::Null;

impl<'a> Loose<'a> {
    /// What lies at a path of keys with `/` between them; null if it is not there.
    pub(in crate::formats) fn at(&self, path: &str) -> &Loose<'a> {
        // A key with a slash in it, as it stands.
        if let Self::Object(entries) = self
            && path.contains('/')
            && let Some((_, value)) = entries.iter().find(|(name, _)| name == path)
        {
            return value;
        }
        let mut value = self;
        for key in path.split('/') {
            value = match value {
                Self::Object(entries) => match entries.iter().find(|(name, _)| name == key) {
                    Some((_, value)) => value,
                    None => return &NULL,
                },
                _ => return &NULL,
            };
        }
        value
    }

    pub(in crate::formats) fn has(&self, key: &str) -> bool {
        matches!(self, Self::Object(entries) if entries.iter().any(|(name, _)| name == key))
    }

    /// The text at a path, trimmed; empty if there is none. Numbers and booleans count as their spelling.
    pub(in crate::formats) fn text(&self, path: &str) -> Cow<'_, str> {
        self.at(path).own_text()
    }

    /// As [`Self::text`], of the value itself.
    pub(in crate::formats) fn own_text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text.trim()),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Bool(value) => Cow::Owned(value.to_string()),
            // An XML element that has attributes too.
            Self::Object(_) if self.has(INNER_TEXT) => self.text(INNER_TEXT),
            Self::Null | Self::List(_) | Self::Object(_) => Cow::Borrowed(""),
        }
    }

    /// The first of several paths that has a text.
    pub(in crate::formats) fn first_text(&self, paths: &[&str]) -> Cow<'_, str> {
        let mut texts = paths.iter().map(|path| self.text(path));
        texts
            .find(|text| !text.is_empty())
            .unwrap_or(Cow::Borrowed(""))
    }

    /// The elements of the list at a path. Anything else that is not null is a list of itself, as in XML.
    pub(in crate::formats) fn each(&self, path: &str) -> &[Loose<'a>] {
        self.at(path).items()
    }

    pub(in crate::formats) fn items(&self) -> &[Loose<'a>] {
        match self {
            Self::List(list) => list,
            Self::Null => &[],
            other => std::slice::from_ref(other),
        }
    }

    pub(in crate::formats) fn entries(&self, path: &str) -> &[(Cow<'a, str>, Loose<'a>)] {
        self.at(path).own_entries()
    }

    pub(in crate::formats) fn own_entries(&self) -> &[(Cow<'a, str>, Loose<'a>)] {
        match self {
            Self::Object(entries) => entries,
            _ => &[],
        }
    }

    /// A line or column: a whole number from 1 on.
    pub(in crate::formats) fn line(&self, path: &str) -> Option<u32> {
        let number = self.number(path).and_then(whole_number);
        number.filter(|number| *number > 0)
    }

    pub(in crate::formats) fn number(&self, path: &str) -> Option<f64> {
        match self.at(path) {
            value @ (Self::Number(_) | Self::Text(_)) => value.as_number(),
            value => value
                .own_text()
                .parse()
                .ok()
                .filter(|n: &f64| n.is_finite()),
        }
    }

    pub(in crate::formats) fn flag(&self, path: &str) -> bool {
        match self.at(path) {
            Self::Bool(value) => *value,
            Self::Text(text) => text.trim().eq_ignore_ascii_case("true"),
            _ => false,
        }
    }

    /// Every text at a path and below, with spaces between them.
    pub(in crate::formats) fn texts(&self, path: &str) -> String {
        self.at(path).own_texts()
    }

    /// As [`Self::texts`], of the value itself.
    pub(in crate::formats) fn own_texts(&self) -> String {
        let mut texts = Vec::new();
        self.each_text(&mut |text| texts.push(text.trim().to_owned()));
        texts.retain(|text| !text.is_empty());
        texts.join(" ")
    }

    pub(in crate::formats) const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub(in crate::formats) const fn is_list(&self) -> bool {
        matches!(self, Self::List(_))
    }

    pub(in crate::formats) const fn is_object(&self) -> bool {
        matches!(self, Self::Object(_))
    }
}

/// Steps from the top of a file to its elements; `*` stands for every element of a list and every value of an object.
pub(in crate::formats) type Pattern = &'static [&'static str];

/// Gets the JSON pointer of an element, and the element.
pub(in crate::formats) type Each<'e> =
    &'e mut dyn FnMut(&str, &Loose<'_>) -> Result<(), ImportError>;

/// Reads a JSON text, hands each element that fits a pattern to `each` and returns the rest, where lists of such elements
/// are empty.
pub(in crate::formats) fn stream<'a>(
    format: &'static str,
    text: &'a str,
    patterns: &[Pattern],
    each: Each<'_>,
) -> Result<Loose<'a>, ImportError> {
    let mut failed = None;
    let mut pointer = String::new();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let descent = Descent {
        active: patterns.to_vec(),
        pointer: &mut pointer,
        each,
        failed: &mut failed,
    };
    let rest = descent
        .deserialize(&mut deserializer)
        .and_then(|rest| deserializer.end().map(|()| rest));
    match (failed, rest) {
        (Some(failed), _) => Err(failed),
        (None, rest) => rest.map_err(|error| broken(format, text, &error)),
    }
}

/// Reads JSON documents that follow one another (JSON lines among them), each with the line it begins in.
pub(in crate::formats) fn documents(
    format: &'static str,
    text: &str,
    each: &mut dyn FnMut(usize, Loose<'_>) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Loose<'_>>();
    let (mut line, mut counted_to) = (1, 0);
    loop {
        let from = stream.byte_offset();
        let start = from + text[from..].len() - text[from..].trim_start().len();
        line += text[counted_to..start].matches('\n').count();
        counted_to = start;
        match stream.next() {
            None => return Ok(()),
            Some(Ok(value)) => each(line, value)?,
            Some(Err(error)) => return Err(broken(format, text, &error)),
        }
    }
}

struct Descent<'p> {
    active: Vec<Pattern>,
    pointer: &'p mut String,
    each: Each<'p>,
    failed: &'p mut Option<ImportError>,
}

impl Descent<'_> {
    fn below(&self, key: Option<&str>) -> Vec<Pattern> {
        let fits = |step: &str| step == "*" || Some(step) == key;
        let steps = self.active.iter().filter_map(|steps| steps.split_first());
        steps
            .filter(|(step, _)| fits(step))
            .map(|(_, rest)| rest)
            .collect()
    }
}

impl<'de> DeserializeSeed<'de> for Descent<'_> {
    type Value = Loose<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Loose<'de>, D::Error> {
        if !self.active.iter().any(|steps| steps.is_empty()) {
            return deserializer.deserialize_any(self);
        }
        let element = Loose::deserialize(deserializer)?;
        (self.each)(self.pointer, &element).map_err(|error| {
            *self.failed = Some(error);
            D::Error::custom("refused")
        })?;
        Ok(Loose::Null)
    }
}

impl<'de> Visitor<'de> for Descent<'_> {
    type Value = Loose<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Loose<'de>, E> {
        Ok(Loose::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Loose<'de>, E> {
        Ok(Loose::Bool(value))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Loose<'de>, E> {
        Ok(Loose::Number(number))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "such large numbers mean nothing in a report"
    )]
    fn visit_u64<E>(self, number: u64) -> Result<Loose<'de>, E> {
        Ok(Loose::Number(number as f64))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "such large numbers mean nothing in a report"
    )]
    fn visit_i64<E>(self, number: i64) -> Result<Loose<'de>, E> {
        Ok(Loose::Number(number as f64))
    }

    fn visit_str<E>(self, text: &str) -> Result<Loose<'de>, E> {
        Ok(Loose::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Loose<'de>, A::Error> {
        let active = self.below(None);
        let mut kept = Vec::new();
        if active.is_empty() {
            while let Some(value) = list.next_element()? {
                kept.push(value);
            }
            return Ok(Loose::List(kept));
        }
        let length = self.pointer.len();
        for at in 0_usize.. {
            self.pointer.push('/');
            self.pointer.push_str(&at.to_string());
            let descent = Descent {
                active: active.clone(),
                pointer: &mut *self.pointer,
                each: &mut *self.each,
                failed: &mut *self.failed,
            };
            let element = list.next_element_seed(descent)?;
            self.pointer.truncate(length);
            match element {
                None => break,
                Some(Loose::Null) => {}
                Some(rest) => kept.push(rest),
            }
        }
        Ok(Loose::List(kept))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose<'de>, A::Error> {
        let mut kept = Vec::new();
        let length = self.pointer.len();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            let active = self.below(Some(&key));
            if active.is_empty() {
                kept.push((key.0, map.next_value()?));
                continue;
            }
            self.pointer.push('/');
            self.pointer
                .push_str(&key.replace('~', "~0").replace('/', "~1"));
            let descent = Descent {
                active,
                pointer: &mut *self.pointer,
                each: &mut *self.each,
                failed: &mut *self.failed,
            };
            let rest = map.next_value_seed(descent)?;
            self.pointer.truncate(length);
            kept.push((key.0, rest));
        }
        Ok(Loose::Object(kept))
    }
}

/// The key of an XML element's text where it has attributes or elements besides.
const INNER_TEXT: &str = "#text";

/// Reads XML as a tree: attributes and elements by their names without prefix, several of one name as a list, an element of
/// text only as that text. Entities other than those of XML itself are not resolved, so that none can grow.
pub(in crate::formats) fn xml(
    format: &'static str,
    text: &str,
) -> Result<Loose<'static>, ImportError> {
    use quick_xml::events::Event;

    let mut reader = quick_xml::Reader::from_str(text);
    let refused = |at: u64, message: String| {
        let at = usize::try_from(at).unwrap_or(usize::MAX).min(text.len());
        let before = text.get(..at).unwrap_or(text);
        let line = 1 + before.matches('\n').count();
        ImportError::broken(format, &format!("line {line}"), &message)
    };
    let mut open: Vec<Open> = vec![Open::default()];
    loop {
        let at = reader.buffer_position();
        let event = reader.read_event();
        let event = event.map_err(|error| refused(reader.error_position(), format!("{error}.")))?;
        match event {
            Event::Start(start) => {
                if open.last().is_some_and(Open::has_too_many_names) {
                    return Err(refused(at, TOO_MANY_NAMES.to_owned()));
                }
                if open.len() > MOST_LEVELS {
                    return Err(refused(
                        at,
                        format!("nested deeper than {MOST_LEVELS} levels."),
                    ));
                }
                let element = Open::of(&start);
                if element.has_too_many_names() {
                    return Err(refused(at, TOO_MANY_NAMES.to_owned()));
                }
                open.push(element);
            }
            Event::Empty(start) => {
                let element = Open::of(&start);
                let is_too_wide = |open: &Open| open.has_too_many_names();
                if is_too_wide(&element) || open.last().is_some_and(is_too_wide) {
                    return Err(refused(at, TOO_MANY_NAMES.to_owned()));
                }
                if let Some(parent) = open.last_mut() {
                    parent.add(element);
                }
            }
            Event::End(_) => {
                let element = open.pop();
                if let (Some(element), Some(parent)) = (element, open.last_mut()) {
                    parent.add(element);
                }
            }
            Event::Text(part) => {
                if let (Some(parent), Ok(part)) = (open.last_mut(), part.decode()) {
                    parent.text.push_str(&part);
                }
            }
            Event::CData(part) => {
                if let (Some(parent), Ok(part)) = (open.last_mut(), part.decode()) {
                    parent.text.push_str(&part);
                }
            }
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().ok().flatten();
                let named = || {
                    let name = reference.decode().ok()?;
                    quick_xml::escape::resolve_predefined_entity(&name)
                };
                if let Some(parent) = open.last_mut() {
                    match character {
                        Some(character) => parent.text.push(character),
                        None => parent.text.push_str(named().unwrap_or("")),
                    }
                }
            }
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    if open.len() != 1 {
        let message = "the file ends in the middle; it was cut off. Upload it again.";
        return Err(refused(text.len() as u64, message.to_owned()));
    }
    Ok(open.pop().map_or(Loose::Null, Open::into_value))
}

/// So many attributes and elements of different names an element has at most. Reports have a few dozen; each is looked up
/// among those before it.
const MOST_NAMES: usize = 1_000;
const TOO_MANY_NAMES: &str =
    "more than 1000 different names within one element, which no scanner writes.";

/// An XML element whose end has not been seen.
#[derive(Default)]
struct Open {
    name: String,
    entries: Vec<(Cow<'static, str>, Loose<'static>)>,
    text: String,
}

impl Open {
    fn of(start: &quick_xml::events::BytesStart<'_>) -> Self {
        let name = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut attributes = start.attributes();
        let attributes = attributes.with_checks(false).flatten();
        let entries = attributes.map(|attribute| {
            let value = attribute.unescape_value().map_or_else(
                |_| String::from_utf8_lossy(&attribute.value).into_owned(),
                Cow::into_owned,
            );
            let key = name(attribute.key.local_name().as_ref());
            (Cow::Owned(key), Loose::Text(Cow::Owned(value)))
        });
        Self {
            name: name(start.local_name().as_ref()),
            entries: entries.collect(),
            text: String::new(),
        }
    }

    fn has_too_many_names(&self) -> bool {
        self.entries.len() > MOST_NAMES
    }

    fn add(&mut self, mut child: Self) {
        let name = std::mem::take(&mut child.name);
        let value = child.into_value();
        // Elements of one name mostly stand together.
        match self.entries.iter_mut().rev().find(|(key, _)| *key == name) {
            None => self.entries.push((Cow::Owned(name), value)),
            Some((_, Loose::List(list))) => list.push(value),
            Some((_, other)) => {
                let first = std::mem::take(other);
                *other = Loose::List(vec![first, value]);
            }
        }
    }

    fn into_value(mut self) -> Loose<'static> {
        let text = Loose::Text(Cow::Owned(std::mem::take(&mut self.text)));
        if self.entries.is_empty() {
            return text;
        }
        if !text.own_text().is_empty() {
            self.entries.push((Cow::Borrowed(INNER_TEXT), text));
        }
        Loose::Object(self.entries)
    }
}

/// Where a table ends before it is over, and how that shows.
pub(in crate::formats) struct CutOff {
    pub(in crate::formats) line: u64,
    pub(in crate::formats) reason: &'static str,
}

/// Reads CSV with a heading that has to have some columns, each row as an object with the line it begins in. Rows of another length are read as far as
/// they go.
///
/// A writer ends every row with a line break and closes every quotation mark, so that a file that was cut off can be told from a
/// whole one wherever the cut is not between two rows. An open quotation mark is refused, since it may stand anywhere and hides
/// all rows after it; another end in the middle is returned.
pub(in crate::formats) fn rows(
    format: &'static str,
    text: &str,
    delimiter: u8,
    needed: &[&str],
    each: &mut dyn FnMut(u64, &Loose<'_>) -> Result<(), ImportError>,
) -> Result<Option<CutOff>, ImportError> {
    let broken =
        |line: u64, message: &str| ImportError::broken(format, &format!("line {line}"), message);
    let refused = |error: csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        broken(line, &format!("{error}."))
    };
    let end = table_end(text, delimiter);
    if let TableEnd::InQuotes { opened } = end {
        let line = 1 + text[..opened].matches('\n').count() as u64;
        let message = "the quotation mark that opens here is never closed; the file was cut off. Upload it again.";
        return Err(broken(line, message));
    }
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(text.as_bytes());
    let heading: Vec<String> = reader
        .headers()
        .map_err(refused)?
        .iter()
        .map(|name| name.trim().to_owned())
        .collect();
    let missing: Vec<&str> = needed
        .iter()
        .copied()
        .filter(|name| !heading.iter().any(|h| h.eq_ignore_ascii_case(name)))
        .collect();
    if !missing.is_empty() {
        let missing = missing.join(" and no column ");
        let message = format!("the heading has no column {missing}.");
        return Err(ImportError::broken(format, "line 1", &message));
    }
    let mut cut_off = (end == TableEnd::InField).then_some(CutOff {
        line: 1,
        reason: "the heading, its last line, has no line break; the file may have been cut off there",
    });
    let (mut line, mut counted_to) = (1_u64, 0);
    let mut records = reader.records();
    let mut next = records.next();
    while let Some(record) = next {
        let record = record.map_err(refused)?;
        next = records.next();
        // The reader counts a line before its `\r\n` is over.
        let start = record.position().map_or(0, csv::Position::byte);
        let start = usize::try_from(start)
            .unwrap_or(0)
            .max(counted_to)
            .min(text.len());
        let text_before = text.get(counted_to..start).unwrap_or("");
        line += text_before.matches('\n').count() as u64;
        counted_to = start;
        let is_before_end = text
            .get(start..)
            .is_some_and(|rest| rest.starts_with(['\r', '\n']));
        let line = line + u64::from(is_before_end);
        let cells = heading.iter().zip(record.iter());
        let row = cells.map(|(name, cell)| {
            (
                Cow::Borrowed(name.as_str()),
                Loose::Text(Cow::Borrowed(cell)),
            )
        });
        let row = Loose::Object(row.collect());
        if next.is_some() {
            each(line, &row)?;
            continue;
        }
        let is_short = record.len() < heading.len();
        let reason = match end {
            _ if is_short => Some("the last row has fewer fields than the heading; it was cut off"),
            TableEnd::InField => {
                Some("the last row does not end in a line break; it may have been cut off")
            }
            _ => None,
        };
        cut_off = reason.map(|reason| CutOff { line, reason });
        // Half a row would be another finding than the whole one.
        let is_half = is_short && end != TableEnd::AfterRow;
        if !is_half && let Err(error) = each(line, &row) {
            let message =
                "the file ends in the middle of this row; it was cut off. Upload it again.";
            return Err(cut_off.map_or(error, |cut| broken(cut.line, message)));
        }
    }
    Ok(cut_off)
}

/// What the last byte of a table lies in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TableEnd {
    /// A row that its line break ends, or nothing at all.
    AfterRow,
    /// A field that its quotation mark ends.
    AfterQuotes,
    InField,
    InQuotes {
        opened: usize,
    },
}

/// Goes over a table as the reader of its rows does, which itself does not tell how it ended.
fn table_end(text: &str, delimiter: u8) -> TableEnd {
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum At {
        Row,
        Field,
        Plain,
        Quoted,
        AfterQuotes,
    }
    let (mut at, mut opened) = (At::Row, 0);
    for (place, byte) in text.bytes().enumerate() {
        at = match (at, byte) {
            (At::Row | At::Field, b'"') => {
                opened = place;
                At::Quoted
            }
            (At::Quoted, b'"') => At::AfterQuotes,
            (At::AfterQuotes, b'"') | (At::Quoted, _) => At::Quoted,
            (_, b'\n' | b'\r') => At::Row,
            (_, byte) if byte == delimiter => At::Field,
            _ => At::Plain,
        };
    }
    match at {
        At::Row => TableEnd::AfterRow,
        At::AfterQuotes => TableEnd::AfterQuotes,
        At::Field | At::Plain => TableEnd::InField,
        At::Quoted => TableEnd::InQuotes { opened },
    }
}

/// The last line, if no line break ends it: whoever writes line by line ends every one, so it may have been cut off.
pub(in crate::formats) fn unfinished_line(text: &str) -> Option<u64> {
    let is_finished = text.is_empty() || text.ends_with(['\n', '\r']);
    (!is_finished).then(|| 1 + text.matches('\n').count() as u64)
}
