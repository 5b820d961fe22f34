//! Reports as one kind of tree, whether they are written in JSON, XML or CSV, and the ways through it.
//!
//! A list of findings is never held as a whole: [`stream`] hands on its elements one by one and keeps the rest.

use std::borrow::Cow;
use std::io::BufRead;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use crate::body::{Held, LineCounter, too_large};
use crate::input::unreadable;
use crate::json::{
    self, Loose, LooseWithin, MOST_LEVELS, Room, Text, broken, broken_at, broken_piece,
    whole_number,
};
use crate::{Body, ImportError, Pieces};

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

/// A key as a step of a JSON pointer.
pub(in crate::formats) fn pointer_step(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
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
    body: Body<'a>,
    patterns: &[Pattern],
    each: Each<'_>,
) -> Result<Loose<'a>, ImportError> {
    match body {
        Body::Whole(text) => {
            let json = serde_json::Deserializer::from_str(text);
            descend(json, patterns, each, None)?.map_err(|error| broken(format, text, &error))
        }
        Body::Pieces(pieces) => {
            let held = Held::most(pieces.input.limits().whole_bytes);
            let json = serde_json::Deserializer::from_reader(pieces.open(Some(&held))?);
            descend(json, patterns, each, Some(&held))?
                .map_err(|error| broken_in(format, pieces, error))
        }
    }
}

/// A refusal of the whole, as [`broken`], or that a text in pieces could not be read.
fn broken_in(format: &'static str, pieces: &Pieces<'_>, error: serde_json::Error) -> ImportError {
    if error.is_io() {
        return unreadable(error.into());
    }
    let place = (error.line(), error.column());
    let path = pieces
        .open(None)
        .and_then(|mut text| json::path_in(&mut text, place.0, place.1).map_err(unreadable));
    match path {
        Ok(path) => broken_at(format, &error, &path, place),
        Err(unreadable) => unreadable,
    }
}

/// The rest; or an error of `each`, or of the text.
fn descend<'de, R: serde_json::de::Read<'de>>(
    mut json: serde_json::Deserializer<R>,
    patterns: &[Pattern],
    each: Each<'_>,
    held: Option<&Held>,
) -> Result<serde_json::Result<Loose<'de>>, ImportError> {
    let mut failed = None;
    let mut pointer = String::new();
    let descent = Descent {
        active: patterns.to_vec(),
        pointer: &mut pointer,
        each,
        failed: &mut failed,
        room: &Room::default(),
        held,
    };
    let rest = descent
        .deserialize(&mut json)
        .and_then(|rest| json.end().map(|()| rest));
    failed.map_or(Ok(rest), Err)
}

/// Reads JSON documents that follow one another (JSON lines among them), each with the line it begins in.
pub(in crate::formats) fn documents(
    format: &'static str,
    body: Body<'_>,
    each: &mut dyn FnMut(usize, Loose<'_>) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let most_bytes = body.most_held();
    let mut text = body.open(None)?;
    let mut ends = json::Walk::default();
    let mut document = Vec::new();
    // From 1, and how many bytes of the line lie before.
    let (mut line, mut column) = (1, 0);
    let go_over = |text: &str, line: &mut usize, column: &mut usize| {
        *line += text.matches('\n').count();
        *column = match text.rfind('\n') {
            Some(at) => text.len() - at - 1,
            None => *column + text.len(),
        };
    };
    loop {
        let available = text.fill_buf().map_err(unreadable)?;
        let is_end = available.is_empty();
        let (n, is_whole) = ends.end_of_document(available);
        document.extend_from_slice(&available[..n]);
        text.consume(n);
        if document.len() as u64 > most_bytes {
            return Err(too_large("One document is", most_bytes));
        }
        if !is_whole && !is_end {
            continue;
        }
        let said = String::from_utf8_lossy(&document);
        let start = said.len() - said.trim_start().len();
        go_over(&said[..start], &mut line, &mut column);
        let said = &said[start..];
        if !said.is_empty() {
            let value = serde_json::from_str(said).map_err(|error| {
                let before = if error.line() == 1 { column } else { 0 };
                let place = (line + error.line() - 1, before + error.column());
                broken_piece(format, said, &error, "$", place)
            })?;
            each(line, value)?;
        }
        go_over(said, &mut line, &mut column);
        document.clear();
        if is_end {
            return Ok(());
        }
    }
}

struct Descent<'p> {
    active: Vec<Pattern>,
    pointer: &'p mut String,
    each: Each<'p>,
    failed: &'p mut Option<ImportError>,
    /// For what is kept of the rest.
    room: &'p Room,
    held: Option<&'p Held>,
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
        let before = self.held.map(Held::so_far);
        let element = Loose::deserialize(deserializer)?;
        (self.each)(self.pointer, &element).map_err(|error| {
            *self.failed = Some(error);
            D::Error::custom("refused")
        })?;
        if let (Some(held), Some(before)) = (self.held, before) {
            held.let_go_since(before);
        }
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
            while let Some(value) = list.next_element_seed(LooseWithin(self.room))? {
                self.room.take()?;
                kept.push(value);
            }
            return Ok(Loose::List(kept));
        }
        let is_handed_on = active.iter().any(|steps| steps.is_empty());
        let length = self.pointer.len();
        for at in 0_usize.. {
            self.pointer.push('/');
            self.pointer.push_str(&at.to_string());
            let descent = Descent {
                active: active.clone(),
                pointer: &mut *self.pointer,
                each: &mut *self.each,
                failed: &mut *self.failed,
                room: self.room,
                held: self.held,
            };
            let element = list.next_element_seed(descent)?;
            self.pointer.truncate(length);
            match element {
                None => break,
                Some(_) if is_handed_on => {}
                Some(rest) => {
                    self.room.take()?;
                    kept.push(rest);
                }
            }
        }
        Ok(Loose::List(kept))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose<'de>, A::Error> {
        let mut kept = Vec::new();
        let length = self.pointer.len();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            self.room.take()?;
            let active = self.below(Some(&key));
            if active.is_empty() {
                kept.push((key.0, map.next_value_seed(LooseWithin(self.room))?));
                continue;
            }
            self.pointer.push('/');
            self.pointer.push_str(&pointer_step(&key));
            let descent = Descent {
                active,
                pointer: &mut *self.pointer,
                each: &mut *self.each,
                failed: &mut *self.failed,
                room: self.room,
                held: self.held,
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
/// text only as that text. Entities other than those of XML itself are refused: they could grow, and what is
/// left out could be a severity. Each element that
/// fits a pattern, whose steps are names of elements from the first on, is handed to `each`, and is not kept.
pub(in crate::formats) fn xml(
    format: &'static str,
    body: Body<'_>,
    patterns: &[&[&str]],
    each: &mut dyn FnMut(Nth, &Loose<'_>) -> Result<(), ImportError>,
) -> Result<Loose<'static>, ImportError> {
    use quick_xml::events::Event;

    let held = Held::most(body.most_held());
    let mut reader = quick_xml::Reader::from_reader(body.open(Some(&held))?);
    let mut buffer = Vec::new();
    let refused = |at: u64, message: String| match body.line_of(at) {
        Ok(line) => ImportError::broken(format, &format!("line {line}"), &message),
        Err(unreadable) => unreadable,
    };
    let mut kept = Kept::default();
    let mut n_of = vec![0; patterns.len()];
    let mut open: Vec<Open> = vec![Open::default()];
    loop {
        buffer.clear();
        let at = reader.buffer_position();
        let event = match reader.read_event_into(&mut buffer) {
            Ok(event) => event,
            Err(quick_xml::Error::Io(error)) => return Err(unreadable(owned(&error))),
            Err(error) => return Err(refused(reader.error_position(), format!("{error}."))),
        };
        held.let_go();
        if kept.is_too_much(body) {
            return Err(refused(at, TOO_MUCH.to_owned()));
        }
        let mut ended = None;
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
                let mut element =
                    Open::of(&start).map_err(|name| refused(at, unknown_entity(&name)))?;
                if element.has_too_many_names() {
                    return Err(refused(at, TOO_MANY_NAMES.to_owned()));
                }
                element.before = kept;
                kept.add(&element);
                open.push(element);
            }
            Event::Empty(start) => {
                let mut element =
                    Open::of(&start).map_err(|name| refused(at, unknown_entity(&name)))?;
                let is_too_wide = |open: &Open| open.has_too_many_names();
                if is_too_wide(&element) || open.last().is_some_and(is_too_wide) {
                    return Err(refused(at, TOO_MANY_NAMES.to_owned()));
                }
                element.before = kept;
                kept.add(&element);
                open.push(element);
                ended = close(&mut open, patterns);
            }
            Event::End(_) => ended = close(&mut open, patterns),
            Event::Text(part) => {
                if let (Some(parent), Ok(part)) = (open.last_mut(), part.decode()) {
                    kept.bytes += part.len();
                    parent.text.push_str(&part);
                }
            }
            Event::CData(part) => {
                if let (Some(parent), Ok(part)) = (open.last_mut(), part.decode()) {
                    kept.bytes += part.len();
                    parent.text.push_str(&part);
                }
            }
            Event::GeneralRef(reference) => {
                let name = reference.decode().unwrap_or_default();
                let character = reference.resolve_char_ref().ok().flatten();
                let text = match character {
                    Some(character) => Cow::Owned(character.to_string()),
                    None => quick_xml::escape::resolve_predefined_entity(&name)
                        .map(Cow::Borrowed)
                        .ok_or_else(|| refused(at, unknown_entity(&name)))?,
                };
                if let Some(parent) = open.last_mut() {
                    kept.bytes += text.len();
                    parent.text.push_str(&text);
                }
            }
            Event::Eof => break,
            Event::DocType(declaration) => {
                if memchr::memmem::find(&declaration, b"<!ENTITY").is_some() {
                    return Err(refused(
                        at,
                        "it declares entities of its own, which no scanner does.".to_owned(),
                    ));
                }
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
        if let Some(element) = ended {
            kept = element.before;
            let (pattern, at) = (element.pattern, n_of[element.pattern]);
            n_of[pattern] += 1;
            each(Nth { pattern, at }, &element.value)?;
        }
    }
    if open.len() != 1 {
        let message = "the file ends in the middle; it was cut off. Upload it again.";
        return Err(refused(u64::MAX, message.to_owned()));
    }
    Ok(open.pop().map_or(Loose::Null, Open::into_value))
}

/// The error that a reader gave to more than one.
fn owned(error: &std::io::Error) -> std::io::Error {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<ImportError>())
    {
        Some(ours) => std::io::Error::other(ours.clone()),
        None => std::io::Error::new(error.kind(), error.to_string()),
    }
}

fn unknown_entity(name: &str) -> String {
    format!("the entity &{name}; is not one of XML's own, so what it stands for is not known.")
}

/// Which element fits a pattern.
#[derive(Clone, Copy)]
pub(in crate::formats) struct Nth {
    /// Which of the patterns, from 0.
    pub(in crate::formats) pattern: usize,
    /// Its number among those that fit that one, from 0.
    pub(in crate::formats) at: usize,
}

/// An element that fits a pattern.
struct Fitting {
    pattern: usize,
    value: Loose<'static>,
    before: Kept,
}

/// Closes the innermost open element: it becomes a part of the one around, unless it fits a pattern.
fn close(open: &mut Vec<Open>, patterns: &[&[&str]]) -> Option<Fitting> {
    // The outermost one is the document.
    if open.len() < 2 {
        open.pop();
        return None;
    }
    let names = open[1..].iter().map(|element| element.name.as_str());
    let pattern = patterns
        .iter()
        .position(|steps| steps.len() == open.len() - 1 && names.clone().eq(steps.iter().copied()));
    let element = open.pop()?;
    let before = element.before;
    match (pattern, open.last_mut()) {
        (Some(pattern), _) => Some(Fitting {
            pattern,
            value: element.into_value(),
            before,
        }),
        (None, parent) => {
            if let Some(parent) = parent {
                parent.add(element);
            }
            None
        }
    }
}

/// How much of a file is kept as a tree.
#[derive(Clone, Copy, Default)]
struct Kept {
    values: usize,
    bytes: usize,
}

impl Kept {
    fn add(&mut self, element: &Open) {
        self.values += 1 + element.entries.len();
        let texts = element.entries.iter().map(|(_, value)| match value {
            Loose::Text(text) => text.len(),
            _ => 0,
        });
        self.bytes += texts.sum::<usize>();
    }

    fn is_too_much(self, body: Body<'_>) -> bool {
        self.values > json::MOST_VALUES || self.bytes as u64 > body.most_held()
    }
}

const TOO_MUCH: &str = "what has to be read in one piece here is more than is held in memory.";

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
    /// What was kept before it.
    before: Kept,
}

impl Open {
    /// The name of an entity that nobody knows, if an attribute has one.
    fn of(start: &quick_xml::events::BytesStart<'_>) -> Result<Self, String> {
        use quick_xml::escape::EscapeError;

        let name = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut attributes = start.attributes();
        let mut entries = Vec::new();
        for attribute in attributes.with_checks(false).flatten() {
            let value = match attribute.unescape_value() {
                Ok(value) => value.into_owned(),
                Err(quick_xml::Error::Escape(EscapeError::UnrecognizedEntity(_, entity))) => {
                    return Err(entity);
                }
                Err(quick_xml::Error::Escape(EscapeError::InvalidCharRef(_))) => {
                    return Err("#".to_owned());
                }
                // A lone `&`, as tools write that escape nothing.
                Err(_) => String::from_utf8_lossy(&attribute.value).into_owned(),
            };
            let key = name(attribute.key.local_name().as_ref());
            entries.push((Cow::Owned(key), Loose::Text(Cow::Owned(value))));
        }
        Ok(Self {
            name: name(start.local_name().as_ref()),
            entries,
            text: String::new(),
            before: Kept::default(),
        })
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

/// Reads CSV, after so many bytes of the file, with a heading that has to have some columns, each row as an object with the line
/// it begins in. Rows of another length are read as far as they go.
///
/// A writer ends every row with a line break and closes every quotation mark, so that a file that was cut off can be told from a
/// whole one wherever the cut is not between two rows. An open quotation mark is refused, since it may stand anywhere and hides
/// all rows after it; another end in the middle is returned.
pub(in crate::formats) fn rows(
    format: &'static str,
    before: usize,
    body: Body<'_>,
    delimiter: u8,
    needed: &[&str],
    each: &mut dyn FnMut(u64, &Loose<'_>) -> Result<(), ImportError>,
) -> Result<Option<CutOff>, ImportError> {
    let broken =
        |line: u64, message: &str| ImportError::broken(format, &format!("line {line}"), message);
    let before = before as u64;
    let lines_before = body.line_of(before)? - 1;
    let refused = |error: csv::Error| {
        let line = lines_before + error.position().map_or(1, csv::Position::line);
        let message = format!("{error}.");
        match error.into_kind() {
            csv::ErrorKind::Io(error) => unreadable(error),
            _ => broken(line, &message),
        }
    };
    let held = Held::most(body.most_held());
    let end = table_end(body, before, delimiter)?;
    if let TableEnd::InQuotes { opened } = end {
        let line = body.line_of(before + opened)?;
        let message = "the quotation mark that opens here is never closed; the file was cut off. Upload it again.";
        return Err(broken(line, message));
    }
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(body.open_after(before, Some(&held))?);
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
        return Err(broken(lines_before + 1, &message));
    }
    let mut cut_off = (end == TableEnd::InField).then_some(CutOff {
        line: lines_before + 1,
        reason: "the heading, its last line, has no line break; the file may have been cut off there",
    });
    let mut lines = LineCounter::of(body)?;
    let mut records = reader.records();
    let mut next = records.next();
    while let Some(record) = next {
        let record = record.map_err(refused)?;
        held.let_go();
        next = records.next();
        // The reader counts a line before its `\r\n` is over.
        let start = record.position().map_or(0, csv::Position::byte);
        let line = lines.line_of(before + start)?;
        let is_before_end = matches!(lines.next_byte()?, Some(b'\r' | b'\n'));
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
        opened: u64,
    },
}

/// Goes over a table as the reader of its rows does, which itself does not tell how it ended.
fn table_end(body: Body<'_>, after: u64, delimiter: u8) -> Result<TableEnd, ImportError> {
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum At {
        Row,
        Field,
        Plain,
        Quoted,
        AfterQuotes,
    }
    let (mut at, mut opened, mut before) = (At::Row, 0, 0);
    let mut text = body.open_after(after, None)?;
    loop {
        let bytes = text.fill_buf().map_err(unreadable)?;
        for (place, byte) in (before..).zip(bytes) {
            at = match (at, *byte) {
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
        let n = bytes.len();
        if n == 0 {
            break;
        }
        text.consume(n);
        before += n as u64;
    }
    Ok(match at {
        At::Row => TableEnd::AfterRow,
        At::AfterQuotes => TableEnd::AfterQuotes,
        At::Field | At::Plain => TableEnd::InField,
        At::Quoted => TableEnd::InQuotes { opened },
    })
}

/// The last line, if no line break ends it: whoever writes line by line ends every one, so it may have been cut off.
pub(in crate::formats) fn unfinished_line(body: Body<'_>) -> Result<Option<u64>, ImportError> {
    let mut text = body.open(None)?;
    let (mut line, mut last) = (1, b'\n');
    loop {
        let bytes = text.fill_buf().map_err(unreadable)?;
        let Some(end) = bytes.last() else {
            return Ok((!matches!(last, b'\n' | b'\r')).then_some(line));
        };
        last = *end;
        line += memchr::memchr_iter(b'\n', bytes).count() as u64;
        let n = bytes.len();
        text.consume(n);
    }
}
